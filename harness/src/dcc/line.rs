//! The requests of one installation, in a line: one is in the S1SP's hands at a time, so that requests to the devices of
//! an installation keep their order and a slow installation holds up no other. A device that sleeps, which may take half an
//! hour to answer, has a line of its own.
//!
//! A line can be emptied and its request in flight be cut off ([`quiesce`]): a request that its user gave up must not
//! reach a meter while the next test is on it.

use std::collections::VecDeque;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use proto_duis::Eui64;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::forward::{self, Job, S1spPort};
use super::server::{Shared, locked};

/// How many requests may wait for one installation.
pub(super) const WAITING: usize = 64;
/// How long a request that is cut off may take to be gone: dropping it takes no time, but its task has to be run.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// What [`Dcc::quiesce`](super::Dcc::quiesce) found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Requests that were acknowledged and will not be sent to the S1SP.
    pub dropped: usize,
    /// How long it took.
    pub waited: Duration,
    /// A request in the S1SP's hands had not ended by the limit and was cut off: what of it is on its way to the device
    /// may still be carried out there.
    pub still_busy: bool,
}

/// The line of one installation, at the end where requests join it.
pub(super) type Line = watch::Sender<Waiting>;

/// The requests of one installation.
#[derive(Default)]
pub(super) struct Waiting {
    jobs: VecDeque<Job>,
    /// Cuts the request in the S1SP's hands off, if there is one.
    in_flight: Option<CancellationToken>,
}

/// A request that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlace {
    #[error("{WAITING} requests are waiting for this installation already: try again later")]
    Full,
    #[error("the DCC is leaving the devices alone for a moment: try again then")]
    Quiescing,
    #[error("the DCC holds as many future-dated requests as it can: try again later")]
    TooManyHeld,
    #[error("requests to this installation are no longer served")]
    Ended,
}

/// Puts a request into the line of its installation, which is made if it is its first.
pub(super) fn join<P: S1spPort>(
    shared: &Arc<Shared<P>>,
    installation: Eui64,
    job: Job,
) -> Result<(), NoPlace> {
    // Held until the request is in the line: it cannot slip in behind the back of somebody who empties the lines.
    let mut lines = locked(&shared.lines);
    if lines.quiescing > 0 {
        return Err(NoPlace::Quiescing);
    }
    let line = match lines.by_installation.entry(installation) {
        Entry::Occupied(line) => line.into_mut(),
        Entry::Vacant(place) => {
            let line = Line::default();
            let worker = work(Arc::clone(shared), line.clone(), line.subscribe());
            tokio::spawn(shared.stop.clone().run_until_cancelled_owned(worker));
            place.insert(line)
        }
    };
    if line.is_closed() {
        return Err(NoPlace::Ended);
    }
    let joined = line.send_if_modified(|waiting| {
        let room = waiting.jobs.len() < WAITING;
        if room {
            waiting.jobs.push_back(job);
        }
        room
    });
    joined.then_some(()).ok_or(NoPlace::Full)
}

async fn work<P: S1spPort>(shared: Arc<Shared<P>>, line: Line, mut joined: watch::Receiver<Waiting>) {
    while joined.wait_for(|waiting| !waiting.jobs.is_empty()).await.is_ok() {
        let Some((job, flight)) = take(&line) else { continue };
        let served = flight.cut.run_until_cancelled(forward::serve(&shared, &job)).await;
        match served {
            Some(Some(response)) => shared.post(job.request.id.originator, &response),
            Some(None) => {}
            None => tracing::warn!(request = %job.request.id, "a request in the S1SP's hands was cut off"),
        }
    }
}

/// A request in the S1SP's hands. The line is free again when this is dropped.
struct Flight<'a> {
    line: &'a Line,
    cut: CancellationToken,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.line.send_modify(|waiting| waiting.in_flight = None);
    }
}

/// The first request of the line. It leaves the line and is in flight in one step.
fn take(line: &Line) -> Option<(Job, Flight<'_>)> {
    let cut = CancellationToken::new();
    let mut first = None;
    line.send_modify(|waiting| {
        first = waiting.jobs.pop_front();
        waiting.in_flight = first.as_ref().map(|_| cut.clone());
    });
    first.map(|job| (job, Flight { line, cut }))
}

/// The lines of all installations.
#[derive(Default)]
pub(super) struct Lines {
    by_installation: std::collections::BTreeMap<Eui64, Line>,
    /// How many are quiescing the DCC; it takes no request for a device meanwhile.
    quiescing: usize,
}

/// Takes requests for devices again when it is dropped.
struct Pause<'a, P>(&'a Shared<P>);

impl<P> Drop for Pause<'_, P> {
    fn drop(&mut self) {
        locked(&self.0.lines).quiescing -= 1;
    }
}

/// Empties every line, waits until what is in flight has ended and the users have its answers, and cuts off what has
/// not by the limit.
pub(super) async fn quiesce<P: S1spPort>(shared: &Shared<P>, limit: Duration) -> Quiet {
    let begun = Instant::now();
    let deadline = begun.checked_add(limit).unwrap_or(begun);
    let (lines, _pause) = pause(shared);
    let dropped = lines.iter().map(clear).sum();
    let mut still_busy = false;
    for line in &lines {
        still_busy |= !ended(line, deadline).await;
    }
    // Whoever reads what is left over now shall find the last answer there.
    let mut letters = shared.letters.subscribe();
    let delivered = timeout_at(deadline, letters.wait_for(|count| *count == 0)).await;
    if delivered.is_err() {
        tracing::warn!("users do not have every message yet after {limit:?}");
    }
    Quiet { dropped, waited: begun.elapsed(), still_busy }
}

fn pause<P>(shared: &Shared<P>) -> (Vec<Line>, Pause<'_, P>) {
    let mut lines = locked(&shared.lines);
    lines.quiescing += 1;
    (lines.by_installation.values().cloned().collect(), Pause(shared))
}

/// Takes every request out of a line, and says how many.
fn clear(line: &Line) -> usize {
    let mut dropped = VecDeque::new();
    line.send_modify(|waiting| dropped = std::mem::take(&mut waiting.jobs));
    for job in &dropped {
        tracing::info!(request = %job.request.id, srv = %job.request.srv(), "not sent to the S1SP: given up");
    }
    dropped.len()
}

/// Waits until the request in flight has ended; cuts it off at the deadline, and says false then.
async fn ended(line: &Line, deadline: Instant) -> bool {
    let mut changes = line.subscribe();
    let free = |waiting: &Waiting| waiting.in_flight.is_none();
    if timeout_at(deadline, changes.wait_for(free)).await.is_ok() {
        return true;
    }
    let flight = line.borrow().in_flight.clone();
    // It may have ended between the deadline and this look.
    let Some(flight) = flight else { return true };
    flight.cancel();
    if timeout(GONE_WITHIN, changes.wait_for(free)).await.is_err() {
        tracing::error!("a request in the S1SP's hands was cut off and is not gone");
    }
    false
}
