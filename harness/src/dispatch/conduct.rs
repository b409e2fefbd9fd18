//! From the first script of a plan to the rig's safe state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto_lab::record::{
    Action, AlertSeen, Body, Case, Deed, IssueRaised, NotRunKind, Note, Outcome, Prepared, SafeState,
    ScriptNotRun, Sequence, Severity, Verdict,
};
use scenarios::Facts;

use crate::evidence::RunEnd;
use crate::execute::{Bench, Ended, Executor, Ledger as _, LedgerError, Steering, Trouble};
use crate::queue::{Item, Plan};

use super::Book;

/// The severity proposed for a failed test until people have looked: 3, major with a workaround, or moderate.
const PROPOSED: Severity = Severity::MODERATE;

/// What the dispatcher needs of a rig besides what scripts do on it.
pub trait RunBench: Bench {
    /// Brings the installation into the DCC's inventory, for packs whose scripts need it enrolled.
    ///
    /// # Errors
    /// Why it could not be.
    fn enrol(&mut self) -> impl Future<Output = Result<String, Trouble>> + Send;

    /// Takes the alerts that came and that no step waited for, each with what caused it where that is known.
    fn alerts_left(&mut self) -> impl Future<Output = Vec<AlertSeen>> + Send;

    /// Whether the script that ended was told that a device cannot be reached: it may be the rig that failed it.
    fn out_of_reach(&self) -> bool;

    /// Whether the rig is still what it was proved to be; asked after a script in which the lab failed, or may have.
    ///
    /// # Errors
    /// What differs, in words.
    fn still_proved(&mut self) -> impl Future<Output = Result<(), String>> + Send;

    /// What else is left of a script besides alerts, in words: answers nobody waited for, messages nobody took.
    fn strays_left(&mut self) -> impl Future<Output = Vec<String>> + Send;

    /// Brings the rig to its declared safe state, once nothing asked of it earlier can reach it any more.
    fn make_safe(&mut self) -> impl Future<Output = SafeState> + Send;
}

/// What has been done of a plan: nothing at the start of a run, and what its records say where it is resumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Attempts begun of each script.
    pub attempts: BTreeMap<Case, u32>,
    /// Scripts that were attempted, or of which a record says that they are not run.
    pub decided: BTreeSet<Case>,
    /// Testing Issues raised.
    pub issues: u32,
}

/// Runs what is left of a plan on a bench and leaves the rig safe. The evidence is open still when this returns.
///
/// # Errors
/// [`LedgerError`] when the evidence cannot be written; the rig has been made safe even so.
pub async fn conduct<B: RunBench>(
    plan: &Plan,
    bench: &mut B,
    book: &Book,
    facts: Arc<Facts>,
    steering: &Steering,
    done: Done,
) -> Result<RunEnd, LedgerError> {
    done.attempts.keys().for_each(|case| steering.attempted(case.clone()));
    let mut conductor = Conductor { bench, book: book.clone(), facts, steering, blocked: None, done };
    let ended = conductor.all(plan).await;
    let safe = conductor.bench.make_safe().await;
    steering.made_safe(safe.clone());
    let reached = safe.reached.then_some(()).ok_or_else(|| safe.detail.clone());
    let recorded = book.write(Body::SafeState(safe));
    let left = conductor.leftovers().await;
    let end = ended?;
    recorded?;
    left?;
    Ok(match reached {
        Ok(()) => end,
        Err(detail) => RunEnd::Failed(format!("the rig did not reach its safe state: {detail}")),
    })
}

/// Records every script that nothing is recorded of as not run, because the rig is not what it should be.
pub(super) fn block_rest(plan: &Plan, book: &Book, done: &Done, reason: &str) -> Result<(), LedgerError> {
    let mut left = plan.items().filter(|item| !done.decided.contains(&item.case()));
    left.try_for_each(|item| not_run(book, &item, NotRunKind::Blocked, reason.to_owned()))
}

fn not_run(book: &Book, item: &Item<'_>, kind: NotRunKind, reason: String) -> Result<(), LedgerError> {
    book.write(Body::ScriptNotRun(ScriptNotRun { case: item.case(), kind, reason })).map(|_| ())
}

fn not_done(reason: &str) -> Outcome {
    Outcome::NotDone { reason: reason.to_owned() }
}

struct Conductor<'a, B> {
    bench: &'a mut B,
    book: Book,
    facts: Arc<Facts>,
    steering: &'a Steering,
    /// Why no further script can be run on this rig.
    blocked: Option<String>,
    done: Done,
}

impl<B: RunBench> Conductor<'_, B> {
    /// The rig may be as a run that was killed left it: it is made safe before anything is run on it.
    async fn all(&mut self, plan: &Plan) -> Result<RunEnd, LedgerError> {
        let safe = self.bench.make_safe().await;
        let (reached, detail) = (safe.reached, safe.detail.clone());
        self.book.write(Body::SafeState(safe))?;
        if !reached {
            self.blocked = Some(format!("the rig could not be made safe before the run: {detail}"));
        }
        self.scripts(plan).await
    }

    async fn scripts(&mut self, plan: &Plan) -> Result<RunEnd, LedgerError> {
        let left: Vec<Item<'_>> =
            plan.items().filter(|item| !self.done.decided.contains(&item.case())).collect();
        for item in left {
            self.steering.boundary(&mut self.book).await?;
            if let Some((kind, reason)) = item.skip {
                not_run(&self.book, &item, *kind, reason.clone())?;
            } else if self.steering.stop().asked() {
                not_run(&self.book, &item, NotRunKind::Stopped, "the run was stopped before it".to_owned())?;
            } else if let Some(reason) = &self.blocked {
                not_run(&self.book, &item, NotRunKind::Blocked, reason.clone())?;
            } else {
                self.one(&item).await?;
            }
            self.reruns(plan).await?;
        }
        loop {
            // Who pauses after the last script may want to see it once more.
            self.steering.boundary(&mut self.book).await?;
            self.reruns(plan).await?;
            if self.steering.end() {
                break;
            }
        }
        Ok(match &self.blocked {
            _ if self.steering.stop().asked() => RunEnd::Aborted(self.steering.stopped_words()),
            Some(reason) => RunEnd::Failed(reason.clone()),
            None => RunEnd::Completed,
        })
    }

    /// Runs scripts once more that somebody asked for, each attempt beside those before.
    async fn reruns(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        while let Some((by, case)) = self.steering.next_rerun() {
            let item = plan.items().find(|item| item.case() == case);
            let outcome = match (&item, &self.blocked) {
                _ if self.steering.stop().asked() => not_done("the run was stopped before it"),
                (_, Some(reason)) => not_done(reason),
                (None, _) => not_done("the plan has no such script"),
                (Some(_), None) => Outcome::Done {},
            };
            let done = outcome == Outcome::Done {};
            let action = Action { by, what: Deed::Rerun { case }, outcome };
            self.book.write(Body::Action(Box::new(action)))?;
            if let Some(item) = item.filter(|_| done) {
                self.one(&item).await?;
            }
        }
        Ok(())
    }

    async fn one(&mut self, item: &Item<'_>) -> Result<(), LedgerError> {
        if item.pack.requires_enrolled && !self.enrolled().await? {
            return match &self.blocked {
                Some(reason) => not_run(&self.book, item, NotRunKind::Blocked, reason.clone()),
                None => {
                    not_run(&self.book, item, NotRunKind::Stopped, "the run was stopped before it".to_owned())
                }
            };
        }
        let facts = Arc::clone(&self.facts);
        let mut ledger = self.book.clone();
        let mut executor =
            Executor { bench: &mut *self.bench, ledger: &mut ledger, steering: self.steering, facts };
        let attempt = self.done.attempts.entry(item.case()).or_default();
        *attempt += 1;
        let (ended, finished) = executor.run(item.script, item.row, item.case(), *attempt).await?;
        self.steering.attempted(item.case());
        self.leftovers().await?;
        if ended.verdict == Verdict::Fail {
            self.raise_issue(item, &ended, finished)?;
        }
        let doubtful =
            ended.verdict == Verdict::Error || (ended.verdict != Verdict::Pass && self.bench.out_of_reach());
        if doubtful && !self.steering.stop().asked() {
            self.reprove().await?;
        }
        Ok(())
    }

    /// Every failed test is a Testing Issue until somebody says otherwise (14, 20.19): raised here with a proposed severity,
    /// resolved by people, with a record of how.
    fn raise_issue(&mut self, item: &Item<'_>, ended: &Ended, finished: Sequence) -> Result<(), LedgerError> {
        self.done.issues += 1;
        let reason = ended.reason.as_deref().unwrap_or("no reason recorded");
        self.book.write(Body::IssueRaised(IssueRaised {
            id: format!("TI-{}", self.done.issues),
            severity: PROPOSED,
            summary: format!("{}: {reason}; severity proposed, to be confirmed", item.case()),
            route: None,
            records: vec![finished],
        }))?;
        Ok(())
    }

    /// Enrols the installation unless it is; says whether it is now.
    async fn enrolled(&mut self) -> Result<bool, LedgerError> {
        let enrolled = tokio::select! {
            enrolled = self.bench.enrol() => enrolled,
            () = self.steering.stop().wait() => Err(Trouble::error("stopped by a person while the installation was being enrolled")),
        };
        match enrolled {
            Ok(said) if said.is_empty() => Ok(true),
            Ok(what) => {
                self.book.write(Body::Prepared(Prepared { what, blob: None }))?;
                Ok(true)
            }
            Err(_) if self.steering.stop().asked() => Ok(false),
            Err(trouble) => {
                self.blocked = Some(format!("the installation could not be enrolled: {trouble}"));
                Ok(false)
            }
        }
    }

    async fn leftovers(&mut self) -> Result<(), LedgerError> {
        for alert in self.bench.alerts_left().await {
            self.book.write(Body::Alert(alert))?;
        }
        for what in self.bench.strays_left().await {
            self.book.write(Body::Note(Note { who: "dispatcher".to_owned(), what }))?;
        }
        Ok(())
    }

    async fn reprove(&mut self) -> Result<(), LedgerError> {
        if let Err(differs) = self.bench.still_proved().await {
            self.blocked = Some(format!("the rig is no longer what it was proved to be: {differs}"));
            self.book.sync()?;
        }
        Ok(())
    }
}
