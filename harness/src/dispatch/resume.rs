//! A run whose controller died, gone on with by another.
//!
//! What was done, what was under way and what is left is a fold over the run's records ([`Outlook`]). A script that was under
//! way is recorded as ended, and inconclusive: whether its last stimulus reached a device nobody can tell, and it is not
//! repeated unless a person asks for that. The rig is proved again and made safe, the rest of the plan is run, and the run
//! gets its last record and its final checkpoint.

use proto_lab::record::{
    Body, Case, Note, PackBound, Record, RunStarted, ScriptFinished, Sequence, StepVerdict, Tally, Verdict,
};
use scenarios::Pack;

use super::conduct::Done;
use super::run::{Met, Recorded, claim, end, meet, shortly, with_evidence};
use super::{Book, Order, Ran, RunError, RunTap, data_set};
use crate::evidence::{EvidenceError, Recorder, RunFolder, read_records};
use crate::execute::{Ledger as _, LedgerError, Steering};
use crate::link::lock::LockFolder;
use scenarios::Facts;
use std::sync::Arc;

/// The reason that a script under way has for being inconclusive.
const CUT_SHORT: &str = "the controller ended while the script was under way";

/// What the records of a run say of its future.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// What it is bound to.
    pub started: RunStarted,
    /// What has been done, the script under way included.
    pub done: Done,
    /// The script that was under way.
    pub under_way: Option<UnderWay>,
    /// Whether the last record is there.
    pub finished: bool,
}

/// A script that was under way when the records end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Which.
    pub case: Case,
    /// The record that began the attempt.
    pub started: Sequence,
    /// The intent that no verdict follows.
    pub intent: Option<Sequence>,
}

impl Outlook {
    /// What these records come to; none, when they are not those of a run.
    pub fn of(records: &[Record]) -> Option<Self> {
        let Body::RunStarted(started) = &records.first()?.body else { return None };
        let tally = Tally::of(records);
        let mut done = Done::default();
        for result in tally.cases() {
            let attempts = u32::try_from(result.attempts.len()).unwrap_or(u32::MAX);
            if attempts > 0 {
                done.attempts.insert(result.case.clone(), attempts);
            }
            if attempts > 0 || result.not_run.is_some() {
                done.decided.insert(result.case.clone());
            }
        }
        let issues = records.iter().filter(|record| matches!(record.body, Body::IssueRaised(_))).count();
        done.issues = u32::try_from(issues).unwrap_or(u32::MAX);
        let under_way = tally.open().map(|(case, started)| UnderWay {
            case: case.clone(),
            started,
            intent: open_intent(records, started),
        });
        let finished = records.iter().any(|record| matches!(record.body, Body::RunFinished(_)));
        Some(Self { started: (**started).clone(), done, under_way, finished })
    }
}

/// The last intent since a script began, unless a verdict answers it.
fn open_intent(records: &[Record], since: Sequence) -> Option<Sequence> {
    let of_script = records.iter().filter(|record| record.sequence > since);
    of_script.fold(None, |open, record| match &record.body {
        Body::Intent(_) => Some(record.sequence),
        Body::Step(step) if Some(step.intent) == open => None,
        _ => open,
    })
}

/// Goes on with a run: `order` is as it was when the run began, down to the digests of its packs. `began` is told the folder
/// once what was under way is recorded as ended.
///
/// # Errors
/// [`RunError::Resume`] when something is not as it was, and nothing was touched; otherwise as [`run`](super::run).
pub async fn resume(
    mut order: Order,
    steering: &Steering,
    began: impl FnOnce(&RunFolder),
) -> Result<Ran, RunError> {
    let rig = order.rig()?.clone();
    let folder = RunFolder::new(order.runs.join(order.run.as_str()));
    let outlook = require_same(&order, &folder)?;
    if outlook.finished {
        return only_sign(&order, folder);
    }
    let claim = claim(&order.lab, &rig, order.run.as_str(), LockFolder::default())?;
    let tap = RunTap::new();
    let met = meet(&order.lab, &rig, order.run.as_str(), Arc::new(tap.clone())).await?;
    if met.proof.holds() {
        let facts = Arc::new(Facts::of(&order.lab, &rig));
        data_set::load(&order.data_sets, met.links(), order.hands.as_mut(), &facts).await?;
    }
    let resumed = Recorder::resume(folder.clone(), order.key.clone());
    let resumed = resumed.map_err(|error| RunError::Evidence(Box::new(error)))?;
    let outlook = Outlook::of(&resumed.records).ok_or_else(|| refused(&order, "it is no run"))?;
    let capture = resumed.recorder.capture().clone();
    let lost = tap.write_to(capture.clone());
    let recorded = Recorded { book: Book::new(resumed.recorder), capture, folder };
    close_what_was_under_way(&recorded.book, &outlook)?;
    say_what_was_found(&recorded.book, &met, lost)?;
    began(&recorded.folder);
    end(with_evidence(order, met, &recorded, steering, outlook.done).await, recorded, claim)
}

fn refused(order: &Order, reason: impl Into<String>) -> RunError {
    RunError::Resume { run: order.run.to_string(), reason: reason.into() }
}

/// Everything that the first record binds and that is given anew must be the same; read without touching anything.
fn require_same(order: &Order, folder: &RunFolder) -> Result<Outlook, RunError> {
    let records = read_records(folder).map_err(|error: EvidenceError| RunError::Evidence(Box::new(error)))?;
    let outlook = Outlook::of(&records).ok_or_else(|| refused(order, "its folder holds no run"))?;
    let first = outlook.started.clone();
    let refuse = |reason: String| Err(refused(order, reason));
    if first.run != order.run {
        return refuse(format!("its folder holds run {}", first.run));
    }
    if first.lab_digest.as_bytes() != &order.lab.digest.0 {
        return refuse(format!(
            "it was begun with a lab file of digest {}, and this one has another: give the file it was begun with",
            first.lab_digest
        ));
    }
    if first.rig != order.rig {
        return refuse(format!("it was begun on rig {}, not on {}", first.rig, order.rig));
    }
    if let Some(reason) = other_packs(&first.packs, &order.plan.packs) {
        return refuse(reason);
    }
    let chosen = (&first.selected, &first.witnessed) == (&order.plan.selected, &order.plan.witnessed);
    if first.plan != order.plan.cases() || !chosen {
        return refuse("these packs make another plan for the rig than it was begun with".to_owned());
    }
    let sets: Vec<_> = order.data_sets.iter().map(|set| set.digest).collect();
    match first.data_sets.iter().map(|set| set.digest).eq(sets) {
        true => Ok(outlook),
        false => refuse("it was begun with other test data sets: name those with --data-set".to_owned()),
    }
}

/// Everything was done but the last signature: the rig is not touched.
fn only_sign(order: &Order, folder: RunFolder) -> Result<Ran, RunError> {
    let wrap = |error: EvidenceError| RunError::Evidence(Box::new(error));
    match Recorder::resume(folder.clone(), order.key.clone()) {
        Err(EvidenceError::Finished { .. }) => {}
        Err(error) => return Err(wrap(error)),
        Ok(_) => return Err(refused(order, "records follow its last one")),
    }
    let last = read_records(&folder).map_err(wrap)?.pop().map(|record| record.body);
    match last {
        Some(Body::RunFinished(finished)) => Ok(Ran { folder, finished }),
        _ => Err(refused(order, "its last record is gone")),
    }
}

/// What is not as it was agreed, in words.
fn other_packs(bound: &[PackBound], found: &[Pack]) -> Option<String> {
    if bound.len() != found.len() {
        return Some(format!("it was begun with {} packs, and {} are given", bound.len(), found.len()));
    }
    let differs = bound.iter().zip(found).find(|(bound, found)| bound.lock != found.digest());
    differs.map(|(bound, found)| {
        format!(
            "pack {} was agreed with lock {}, and {} on the disk has lock {}: restore the pack as it was",
            bound.id,
            bound.lock,
            found.id,
            found.digest()
        )
    })
}

pub(super) fn close_what_was_under_way(book: &Book, outlook: &Outlook) -> Result<(), LedgerError> {
    let Some(UnderWay { started, intent, .. }) = &outlook.under_way else { return Ok(()) };
    let (verdict, reason) = (Verdict::Inconclusive, Some(CUT_SHORT.to_owned()));
    if let Some(intent) = *intent {
        let reason = Some("the controller ended before it was known what came of it".to_owned());
        book.write(Body::Step(StepVerdict { intent, verdict, reason, failed: Vec::new() }))?;
    }
    book.write(Body::ScriptFinished(ScriptFinished { started: *started, verdict, reason }))?;
    book.clone().seal()
}

/// What the rig was found to be when it was proved again.
fn say_what_was_found(book: &Book, met: &Met, lost: u64) -> Result<(), LedgerError> {
    let differs: Vec<String> = met.proof.differences().collect();
    let mut what = match differs.is_empty() {
        true => "the run was resumed; the rig was proved again and is as declared".to_owned(),
        false => format!("the run was resumed; the rig was proved again, and differs: {}", shortly(&differs)),
    };
    if lost > 0 {
        what.push_str(&format!("; {lost} frames of that were too many for the capture"));
    }
    book.write(Body::Note(Note { who: "dispatcher".to_owned(), what })).map(|_| ())
}
