//! From the first script of a plan to the rig's safe state.

use std::sync::Arc;

use proto_lab::record::{
    AlertSeen, Body, IssueRaised, NotRunKind, Note, Prepared, SafeState, ScriptNotRun, Sequence, Severity,
    Verdict,
};
use scenarios::Facts;

use crate::evidence::RunEnd;
use crate::execute::{Bench, Ended, Executor, Ledger as _, LedgerError, Stop, Trouble};
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

/// Runs a plan on a bench and leaves the rig safe. The evidence is open still when this returns.
///
/// # Errors
/// [`LedgerError`] when the evidence cannot be written; the rig has been made safe even so.
pub async fn conduct<B: RunBench>(
    plan: &Plan,
    bench: &mut B,
    book: &Book,
    facts: Arc<Facts>,
    stop: &Stop,
) -> Result<RunEnd, LedgerError> {
    let mut conductor = Conductor { bench, book: book.clone(), facts, stop, blocked: None, issues: 0 };
    let ended = conductor.all(plan).await;
    let safe = conductor.bench.make_safe().await;
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

/// Records every script of the plan as not run, because the rig is not what it should be.
///
/// # Errors
/// [`LedgerError`].
pub fn block_all(plan: &Plan, book: &Book, reason: &str) -> Result<(), LedgerError> {
    plan.items().try_for_each(|item| not_run(book, &item, NotRunKind::Blocked, reason.to_owned()))
}

fn not_run(book: &Book, item: &Item<'_>, kind: NotRunKind, reason: String) -> Result<(), LedgerError> {
    book.write(Body::ScriptNotRun(ScriptNotRun { case: item.case(), kind, reason })).map(|_| ())
}

struct Conductor<'a, B> {
    bench: &'a mut B,
    book: Book,
    facts: Arc<Facts>,
    stop: &'a Stop,
    /// Why no further script can be run on this rig.
    blocked: Option<String>,
    /// Testing Issues raised so far.
    issues: u32,
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
        for item in plan.items() {
            if let Some((kind, reason)) = item.skip {
                not_run(&self.book, &item, *kind, reason.clone())?;
            } else if self.stop.asked() {
                not_run(&self.book, &item, NotRunKind::Stopped, "the run was stopped before it".to_owned())?;
            } else if let Some(reason) = &self.blocked {
                not_run(&self.book, &item, NotRunKind::Blocked, reason.clone())?;
            } else {
                self.one(&item).await?;
            }
        }
        Ok(match &self.blocked {
            _ if self.stop.asked() => RunEnd::Aborted("stopped by a person".to_owned()),
            Some(reason) => RunEnd::Failed(reason.clone()),
            None => RunEnd::Completed,
        })
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
        let mut executor = Executor { bench: &mut *self.bench, ledger: &mut ledger, stop: self.stop, facts };
        let (ended, finished) = executor.run(item.script, item.row, item.case(), 1).await?;
        self.leftovers().await?;
        if ended.verdict == Verdict::Fail {
            self.raise_issue(item, &ended, finished)?;
        }
        let doubtful =
            ended.verdict == Verdict::Error || (ended.verdict != Verdict::Pass && self.bench.out_of_reach());
        if doubtful && !self.stop.asked() {
            self.reprove().await?;
        }
        Ok(())
    }

    /// Every failed test is a Testing Issue until somebody says otherwise (14, 20.19): raised here with a proposed severity,
    /// resolved by people, with a record of how.
    fn raise_issue(&mut self, item: &Item<'_>, ended: &Ended, finished: Sequence) -> Result<(), LedgerError> {
        self.issues += 1;
        let reason = ended.reason.as_deref().unwrap_or("no reason recorded");
        self.book.write(Body::IssueRaised(IssueRaised {
            id: format!("TI-{}", self.issues),
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
            () = self.stop.wait() => Err(Trouble::error("stopped by a person while the installation was being enrolled")),
        };
        match enrolled {
            Ok(said) if said.is_empty() => Ok(true),
            Ok(what) => {
                self.book.write(Body::Prepared(Prepared { what, blob: None }))?;
                Ok(true)
            }
            Err(_) if self.stop.asked() => Ok(false),
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
