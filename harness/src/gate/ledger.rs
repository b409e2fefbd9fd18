//! The records of one or more runs of one Device Model Combination, gathered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{
    AlertMatch, Body, Case, FailedExpectation, IssueResolved, IssueRoute, MigrationClass, NotRunKind,
    PackBound, PackPurpose, Record, RunFinished, RunId, RunStarted, ScriptStarted, Sequence, Tally, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::evidence::Standing;

/// A record of a run, wherever it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    /// The run.
    pub run: RunId,
    /// The record's number in it.
    pub record: Sequence,
}

impl std::fmt::Display for RecordRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.run, self.record)
    }
}

/// The records of one run, and what the check of its evidence came to.
#[derive(Debug, Clone, Copy)]
pub struct RunRecords<'a> {
    /// All its records, in order.
    pub records: &'a [Record],
    /// What verification came to.
    pub standing: Standing,
    /// Root of the tree over the records, as verification computed it.
    pub root: Digest,
}

/// One run.
#[derive(Debug, Clone)]
pub struct RunEntry {
    /// Its first record.
    pub started: RunStarted,
    /// When that was written.
    pub began: Timestamp,
    /// When its latest record was written.
    pub last_at: Timestamp,
    /// Its last record, and the number of it.
    pub finished: Option<(Sequence, RunFinished)>,
    /// How many records there are.
    pub records: u64,
    /// What verification came to.
    pub standing: Standing,
    /// Root of the tree over the records.
    pub root: Digest,
}

impl RunEntry {
    /// A record of this run.
    pub fn at(&self, record: Sequence) -> RecordRef {
        RecordRef { run: self.started.run.clone(), record }
    }

    /// Its first record.
    pub fn first(&self) -> RecordRef {
        self.at(Sequence(0))
    }

    /// Its last record, or the first while it has no last.
    pub fn last(&self) -> RecordRef {
        self.finished.as_ref().map_or_else(|| self.first(), |(n, _)| self.at(*n))
    }
}

/// One attempt of a script, in whichever run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEntry {
    /// The record that began it.
    pub started: RecordRef,
    /// The record that ended it.
    pub finished: Option<RecordRef>,
    /// Its verdict.
    pub verdict: Verdict,
}

/// A step that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStep {
    /// The record of the step's verdict.
    pub at: RecordRef,
    /// What the step did.
    pub action: String,
    /// The step's verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<String>,
    /// The expectations that did not hold.
    pub expectations: Vec<FailedExpectation>,
}

/// What one script of a pack came to over all the runs: the latest run that executed it decides.
#[derive(Debug, Clone)]
pub struct CaseEntry {
    /// Which script.
    pub case: Case,
    /// What its pack is for.
    pub purpose: PackPurpose,
    /// Its start, as the latest attempt recorded it; absent when it was never started.
    pub script: Option<ScriptStarted>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    pub reason: Option<String>,
    /// What kind of reason it was not run for.
    pub not_run: Option<NotRunKind>,
    /// The record that gave the verdict; of a script that no record but the plan names, the first of the run.
    pub decided: RecordRef,
    /// Every attempt in every run, oldest first.
    pub attempts: Vec<AttemptEntry>,
    /// Steps of the latest run that did not pass.
    pub failures: Vec<FailedStep>,
}

impl CaseEntry {
    /// Whether it passed only after an attempt that did not.
    pub fn passed_on_retry(&self) -> bool {
        // The latest attempt is the pass itself.
        self.verdict == Verdict::Pass && self.attempts.iter().any(|a| a.verdict != Verdict::Pass)
    }

    /// Whether it was left out for a reason that leaves its pack whole.
    pub fn is_left_out(&self) -> bool {
        matches!(self.not_run, Some(NotRunKind::NotApplicable | NotRunKind::DeScoped))
    }

    /// Whether what happened leaves open what the devices would have done.
    pub fn is_undecided(&self) -> bool {
        match self.verdict {
            Verdict::Pass | Verdict::Fail => false,
            Verdict::NotRun => !self.is_left_out() && self.not_run != Some(NotRunKind::Blocked),
            Verdict::Inconclusive | Verdict::Aborted | Verdict::Error => true,
        }
    }
}

/// A Testing Issue over all the runs.
#[derive(Debug, Clone)]
pub struct IssueEntry {
    /// Its number in the issue log.
    pub id: String,
    /// Its severity, 1 to 5.
    pub severity: u8,
    /// What is wrong.
    pub summary: String,
    /// The option of 20.19 recommended or followed.
    pub route: Option<IssueRoute>,
    /// The record that raised it.
    pub raised: RecordRef,
    /// The records that show it.
    pub shown: Vec<RecordRef>,
    /// How it was resolved, and the record that says so.
    pub resolved: Option<(RecordRef, IssueResolved)>,
}

/// An alert that arrived.
#[derive(Debug, Clone)]
pub struct AlertEntry {
    /// The record of it.
    pub at: RecordRef,
    /// Its code.
    pub code: String,
    /// The device it is about.
    pub device: String,
    /// Whether a step expected it.
    pub expected: bool,
}

/// A stage that a migration reached.
#[derive(Debug, Clone)]
pub struct MigrationEntry {
    /// The record of it.
    pub at: RecordRef,
    /// The installation, by the EUI-64 of its communications hub.
    pub installation: String,
    /// What happened, in words.
    pub detail: String,
    /// The code of the check that decided it, where one did.
    pub code: Option<String>,
    /// How the migration ended, where it ended there.
    pub class: Option<MigrationClass>,
}

/// Everything gathered.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The runs, oldest first.
    pub runs: Vec<RunEntry>,
    /// Every script of every pack, in the order of the first plan that names it.
    pub cases: Vec<CaseEntry>,
    /// Testing Issues in the order they were raised.
    pub issues: Vec<IssueEntry>,
    /// Alerts in the order they arrived.
    pub alerts: Vec<AlertEntry>,
    /// Stages of migrations in the order they were reached.
    pub migrations: Vec<MigrationEntry>,
    places: BTreeMap<(PackPurpose, Case), usize>,
}

impl Ledger {
    /// Gathers these runs. A run without a first record adds nothing; the gate says so for want of a run.
    pub fn of(runs: &[RunRecords<'_>]) -> Self {
        let mut begun: Vec<(&RunRecords<'_>, RunEntry)> =
            runs.iter().filter_map(|run| Some((run, entry(run)?))).collect();
        begun.sort_by(|(_, a), (_, b)| (a.began, &a.started.run).cmp(&(b.began, &b.started.run)));
        let mut ledger = Self::default();
        for (run, entry) in begun {
            ledger.take_cases(run.records, &entry);
            ledger.take_events(run.records, &entry);
            ledger.runs.push(entry);
        }
        ledger
    }

    /// Scripts of the packs for this purpose.
    pub fn of_purpose(&self, purpose: PackPurpose) -> impl Iterator<Item = &CaseEntry> {
        self.cases.iter().filter(move |case| case.purpose == purpose)
    }

    /// The packs bound by the runs, each once, and the run that bound it first.
    pub fn packs(&self) -> Vec<(&PackBound, RecordRef)> {
        let mut packs: Vec<(&PackBound, RecordRef)> = Vec::new();
        for run in &self.runs {
            for pack in &run.started.packs {
                if !packs.iter().any(|(seen, _)| *seen == pack) {
                    packs.push((pack, run.first()));
                }
            }
        }
        packs
    }

    fn take_cases(&mut self, records: &[Record], run: &RunEntry) {
        let tally = Tally::of(records);
        let mut failures = failures(records, run);
        for result in tally.cases() {
            let purpose = purpose_of(&run.started, &result.case.pack);
            let script = result.attempts.last().and_then(|a| script_of(records, a.started));
            let latest = CaseEntry {
                case: result.case.clone(),
                purpose,
                script,
                verdict: result.verdict,
                reason: result.reason.clone().or_else(|| never_named(result.decided, run)),
                not_run: result.not_run,
                decided: run.at(result.decided.unwrap_or(Sequence(0))),
                attempts: result.attempts.iter().map(|a| attempt(a, run)).collect(),
                failures: failures.remove(&result.case).unwrap_or_default(),
            };
            self.merge(latest);
        }
    }

    /// A run that executed a script replaces what earlier runs said of it; one that did not only counts where there is nothing.
    fn merge(&mut self, latest: CaseEntry) {
        let key = (latest.purpose, latest.case.clone());
        let Some(place) = self.places.get(&key) else {
            self.places.insert(key, self.cases.len());
            self.cases.push(latest);
            return;
        };
        let known = &mut self.cases[*place];
        if latest.verdict == Verdict::NotRun && known.verdict != Verdict::NotRun {
            return;
        }
        let mut attempts = std::mem::take(&mut known.attempts);
        attempts.extend(latest.attempts.iter().cloned());
        *known = CaseEntry { attempts, ..latest };
    }

    fn take_events(&mut self, records: &[Record], run: &RunEntry) {
        for record in records {
            let at = run.at(record.sequence);
            match &record.body {
                Body::IssueRaised(raised) => self.issues.push(IssueEntry {
                    id: raised.id.clone(),
                    severity: raised.severity.into(),
                    summary: raised.summary.clone(),
                    route: raised.route,
                    raised: at,
                    shown: raised.records.iter().map(|n| run.at(*n)).collect(),
                    resolved: None,
                }),
                Body::IssueResolved(resolved) => self.resolve(at, resolved),
                Body::Alert(alert) => self.alerts.push(AlertEntry {
                    at,
                    code: alert.code.clone(),
                    device: alert.device.clone(),
                    expected: alert.matched != AlertMatch::Unexpected,
                }),
                Body::Migration(event) => self.migrations.push(MigrationEntry {
                    at,
                    installation: event.installation.clone(),
                    detail: event.detail.clone(),
                    code: event.code.clone(),
                    class: event.class,
                }),
                _ => {}
            }
        }
    }

    fn resolve(&mut self, at: RecordRef, resolved: &IssueResolved) {
        let open = |issue: &&mut IssueEntry| issue.id == resolved.id && issue.resolved.is_none();
        if let Some(issue) = self.issues.iter_mut().find(open) {
            issue.route = resolved.route.or(issue.route);
            issue.resolved = Some((at, resolved.clone()));
        }
    }
}

fn entry(run: &RunRecords<'_>) -> Option<RunEntry> {
    let (first, last) = (run.records.first()?, run.records.last()?);
    let Body::RunStarted(started) = &first.body else { return None };
    let finished = match &last.body {
        Body::RunFinished(finished) => Some((last.sequence, finished.clone())),
        _ => None,
    };
    Some(RunEntry {
        started: (**started).clone(),
        began: first.at,
        last_at: last.at,
        finished,
        records: run.records.len() as u64,
        standing: run.standing,
        root: run.root,
    })
}

fn purpose_of(started: &RunStarted, pack: &str) -> PackPurpose {
    started.packs.iter().find(|p| p.id == pack).map_or(PackPurpose::Other, |p| p.purpose)
}

fn never_named(decided: Option<Sequence>, run: &RunEntry) -> Option<String> {
    let ended = if run.finished.is_some() { "ended" } else { "is open and stands" };
    decided.is_none().then(|| format!("the run {ended} before it"))
}

fn script_of(records: &[Record], started: Sequence) -> Option<ScriptStarted> {
    let place = usize::try_from(started.0).ok()?;
    match &records.get(place)?.body {
        Body::ScriptStarted(script) => Some((**script).clone()),
        _ => None,
    }
}

fn attempt(attempt: &proto_lab::record::Attempt, run: &RunEntry) -> AttemptEntry {
    AttemptEntry {
        started: run.at(attempt.started),
        finished: attempt.finished.map(|n| run.at(n)),
        verdict: attempt.verdict,
    }
}

/// Steps that did not pass, by script; of a script attempted again, those of its latest attempt.
fn failures(records: &[Record], run: &RunEntry) -> BTreeMap<Case, Vec<FailedStep>> {
    let mut by_case: BTreeMap<Case, Vec<FailedStep>> = BTreeMap::new();
    let mut open: Option<&Case> = None;
    let mut actions: BTreeMap<Sequence, &str> = BTreeMap::new();
    for record in records {
        match &record.body {
            Body::ScriptStarted(started) => {
                by_case.insert(started.case.clone(), Vec::new());
                open = Some(&started.case);
                actions.clear();
            }
            Body::Intent(intent) => {
                actions.insert(record.sequence, &intent.action);
            }
            Body::Step(step) if step.verdict > Verdict::Pass => {
                let Some(steps) = open.and_then(|case| by_case.get_mut(case)) else { continue };
                steps.push(FailedStep {
                    at: run.at(record.sequence),
                    action: actions.get(&step.intent).map_or_else(String::new, ToString::to_string),
                    verdict: step.verdict,
                    reason: step.reason.clone(),
                    expectations: step.failed.clone(),
                });
            }
            _ => {}
        }
    }
    by_case
}
