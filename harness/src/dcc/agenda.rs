//! What the DCC does by itself once its time has come: the reads of schedules, and requests held until their
//! `ExecutionDateTime`.
//!
//! Whether the user may ask it is judged again then: a supplier that lost the meter meanwhile gets nothing. What finds no
//! place in the line of its installation waits here for a while, and is given up with E30 if it was future-dated. What
//! is kept here lives as long as the DCC: a lab's schedules end with its run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto_duis::Request;
use tokio::sync::Notify;

use super::forward::{self, Job, S1spPort, Task};
use super::held::{Held, Kept};
use super::judge::{self, Refusal};
use super::line;
use super::schedule::{DueReading, Schedules};
use super::server::{Shared, locked};

/// How long after its time something may still be done.
const IN_TIME: SignedDuration = SignedDuration::from_mins(10);
/// How long after it found no place something is tried again.
const AGAIN: Duration = Duration::from_millis(250);
/// The longest the clock is not looked at: it may be set.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// What is to be done later.
#[derive(Default)]
pub(super) struct Agenda {
    pub(super) schedules: Schedules,
    pub(super) held: Held,
    /// What was due and found no place yet.
    waiting: VecDeque<Job>,
    /// The DSP's own counter, for the reads of schedules.
    counter: u64,
}

impl Agenda {
    /// Takes what is due, what waited longest first.
    fn take_due(&mut self, now: Timestamp) -> Vec<Job> {
        let mut due: Vec<Job> = self.waiting.drain(..).collect();
        due.extend(self.held.take_due(now).into_iter().map(Job::from));
        due.extend(self.schedules.take_due(now, &mut self.counter).into_iter().map(Job::from));
        due
    }

    /// How long until something is due.
    fn nap(&self, now: Timestamp) -> Duration {
        if !self.waiting.is_empty() {
            return AGAIN;
        }
        let next = [self.schedules.next(), self.held.next()].into_iter().flatten().min();
        let left = next.map(|next| Duration::try_from(now.duration_until(next)).unwrap_or_default());
        left.map_or(LONGEST_NAP, |left| left.min(LONGEST_NAP))
    }
}

impl From<Kept> for Job {
    fn from(Kept { octets, request, at }: Kept) -> Job {
        let not_after = at.checked_add(IN_TIME).ok();
        Job { octets, request, deadline: Duration::ZERO, task: Task::Command, not_after }
    }
}

impl From<DueReading> for Job {
    fn from(DueReading { created, request, reading, at }: DueReading) -> Job {
        let (task, not_after) = (Task::Scheduled(reading), at.checked_add(IN_TIME).ok());
        Job { octets: created, request, deadline: Duration::ZERO, task, not_after }
    }
}

/// Does what is due, for as long as the DCC runs.
pub(super) async fn keep<P: S1spPort>(shared: Arc<Shared<P>>) {
    loop {
        let now = shared.now();
        let due = locked(&shared.agenda).take_due(now);
        due.into_iter().for_each(|job| carry_out(&shared, job, now));
        let nap = locked(&shared.agenda).nap(now);
        // Either way the agenda is looked at again.
        drop(tokio::time::timeout(nap, shared.agenda_changed.notified()).await);
    }
}

/// Wakes whoever keeps the agenda.
pub(super) fn changed(notify: &Notify) {
    notify.notify_one();
}

fn carry_out<P: S1spPort>(shared: &Arc<Shared<P>>, job: Job, now: Timestamp) {
    let user = job.request.id.originator;
    let (line, deadline) = match place(shared, &job.request) {
        Ok(place) => place,
        Err(refusal) => return not_allowed(shared, &job, &refusal, now),
    };
    if job.is_too_late(now) {
        return shared.post(user, &forward::too_late(&job, now));
    }
    let job = Job { deadline, ..job };
    if let Err(reason) = line::join(shared, line, job.clone()) {
        tracing::info!(request = %job.request.id, %reason, "due, and waits");
        locked(&shared.agenda).waiting.push_back(job);
    }
}

/// The line a request joins now, and how long the S1SP may take for it.
fn place<P>(shared: &Shared<P>, request: &Request) -> Result<(proto_duis::Eui64, Duration), Refusal> {
    let (id, srv) = (request.id, request.srv());
    let user = shared.user(id.originator)?;
    judge::role(srv, user)?;
    let passed = judge::may_ask(srv, id.target, user, &locked(&shared.inventory))?;
    Ok(shared.place(id.target, passed))
}

/// Who may ask no more hears so where it asked once; a schedule ends.
fn not_allowed<P>(shared: &Shared<P>, job: &Job, refusal: &Refusal, now: Timestamp) {
    let Refusal { code, reason } = refusal;
    tracing::info!(request = %job.request.id, %code, reason, "due, and may not be asked any more");
    match job.task {
        Task::Scheduled(reading) => locked(&shared.agenda).schedules.withdraw(reading.schedule),
        _ => shared.post(job.request.id.originator, &forward::failed(job, *code, now)),
    }
}
