//! From ledger and gate to the report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto_lab::record::{PackBound, RunId, Verdict};

use super::document::{
    Attempt, DeviceTested, DmctReport, EntryCovered, EvidenceOfRun, Failure, Figure, Figures, GroupFigures,
    IssueInReport, NotExecuted, Outcome, PackRun, PlannedEntry, ReportStatus, Resolution, SCHEMA,
    SystemTested, TestResult, UnexpectedAlert,
};
use super::migrations::Migrations;
use crate::dmct::EntryHistory;
use crate::gate::{
    CaseEntry, Criterion, DmctGate, FailedStep, IssueEntry, Ledger, NeededFor, RecordRef, Regression,
    RunEntry,
};

/// Where the page of records of each run stands, seen from the report.
#[derive(Debug, Clone, Default)]
pub struct Places {
    folders: BTreeMap<RunId, String>,
}

impl Places {
    /// The report stands in the folder of its one run, or beside its page of records.
    pub fn beside() -> Self {
        Self::default()
    }

    /// The page of records of `run` stands in `folder`, relative to the report, with `/` between names.
    #[must_use]
    pub fn with(mut self, run: RunId, folder: &str) -> Self {
        let folder = folder.trim_end_matches('/');
        self.folders.insert(run, if folder.is_empty() { String::new() } else { format!("{folder}/") });
        self
    }

    /// Link to a record.
    pub fn href(&self, record: &RecordRef) -> String {
        let folder = self.folders.get(&record.run).map_or("", String::as_str);
        format!("{folder}records.html#r{}", record.record)
    }
}

/// Makes the report of what has been gathered and decided, at this time.
pub fn make(ledger: &Ledger, gate: &DmctGate, made: Timestamp) -> DmctReport {
    DmctReport {
        schema: SCHEMA.to_owned(),
        made,
        status: if gate.may_issue_report() { ReportStatus::Issuable } else { ReportStatus::Draft },
        draft_because: gate.against_issue().map(wanting).collect(),
        planned_entry: planned_entry(ledger),
        systems: systems(ledger),
        packs: ledger.packs().into_iter().map(|(pack, bound)| pack_run(ledger, pack, bound)).collect(),
        figures: figures(ledger, &ledger.cases.iter().collect::<Vec<_>>()),
        groups: groups(ledger),
        migrations: Migrations::of(ledger),
        not_run: ledger.cases.iter().filter(|c| c.verdict == Verdict::NotRun).map(not_executed).collect(),
        unexpected_alerts: unexpected_alerts(ledger),
        issues: ledger.issues.iter().map(issue).collect(),
        outcome: outcome(gate),
        history: EntryHistory::of(ledger, gate),
        evidence: ledger.runs.iter().map(evidence).collect(),
    }
}

fn planned_entry(ledger: &Ledger) -> Option<PlannedEntry> {
    let dmc = &ledger.runs.first()?.started.dmc;
    let mut devices: Vec<DeviceTested> = Vec::new();
    for run in &ledger.runs {
        for tested in devices_of(run) {
            let same = |d: &&mut DeviceTested| (&d.eui64, &d.identity) == (&tested.eui64, &tested.identity);
            match devices.iter_mut().find(same) {
                Some(known) => {
                    known.as_declared &= tested.as_declared;
                    known.records.extend(tested.records);
                }
                None => devices.push(tested),
            }
        }
    }
    Some(PlannedEntry {
        dmc: dmc.id.clone(),
        epcl_entry: dmc.epcl_entry.clone(),
        release: dmc.release.clone(),
        installation: dmc.installation.clone(),
        stands_for: stands_for(ledger),
        devices,
        records: ledger.runs.iter().map(RunEntry::first).collect(),
    })
}

/// Entries that runs say they stand for, each once.
fn stands_for(ledger: &Ledger) -> Vec<EntryCovered> {
    let mut covered: Vec<EntryCovered> = Vec::new();
    for run in &ledger.runs {
        for entry in &run.started.dmc.stands_for {
            match covered.iter_mut().find(|known| known.epcl_entry == entry.epcl_entry) {
                Some(known) => known.records.push(run.first()),
                None => covered.push(EntryCovered {
                    epcl_entry: entry.epcl_entry.clone(),
                    installation: entry.installation.clone(),
                    smso: entry.smso.clone(),
                    clause: "20.9".to_owned(),
                    records: vec![run.first()],
                }),
            }
        }
    }
    covered
}

fn devices_of(run: &RunEntry) -> impl Iterator<Item = DeviceTested> {
    run.started.devices.iter().map(|device| DeviceTested {
        kind: device.kind.clone(),
        eui64: device.eui64.clone(),
        identity: device.found.clone(),
        simulated: device.simulated,
        as_declared: device.found.is_some() && device.differences.is_empty(),
        records: vec![run.first()],
    })
}

fn systems(ledger: &Ledger) -> Vec<SystemTested> {
    let mut systems: Vec<SystemTested> = Vec::new();
    for run in &ledger.runs {
        let system = &run.started.system;
        let tested = SystemTested {
            dcc_systems: system.dcc_systems.clone(),
            environment: system.environment.clone(),
            parts: system.parts.clone(),
            records: vec![run.first()],
        };
        let same = |s: &&mut SystemTested| {
            (&s.dcc_systems, &s.environment, &s.parts)
                == (&tested.dcc_systems, &tested.environment, &tested.parts)
        };
        match systems.iter_mut().find(same) {
            Some(known) => known.records.extend(tested.records),
            None => systems.push(tested),
        }
    }
    systems
}

fn pack_run(ledger: &Ledger, pack: &PackBound, bound: RecordRef) -> PackRun {
    let of_pack = |case: &&CaseEntry| case.case.pack == pack.id && case.purpose == pack.purpose;
    let cases: Vec<&CaseEntry> = ledger.cases.iter().filter(of_pack).collect();
    PackRun {
        id: pack.id.clone(),
        title: pack.title.clone(),
        purpose: pack.purpose,
        lock: pack.lock,
        non_standard: pack.non_standard.clone(),
        regression: Regression::of(ledger, pack),
        figures: figures(ledger, &cases),
        tests: cases.into_iter().map(test_result).collect(),
        records: vec![bound],
    }
}

fn figures(ledger: &Ledger, cases: &[&CaseEntry]) -> Figures {
    let bounds: Vec<RecordRef> = ledger.runs.iter().flat_map(|run| [run.first(), run.last()]).collect();
    let figure = |counted: &dyn Fn(&CaseEntry) -> bool| {
        Figure::of(cases.iter().filter(|case| counted(case)).map(|case| case.decided.clone()), &bounds)
    };
    let plans = ledger.runs.iter().map(crate::gate::RunEntry::first).collect();
    Figures {
        planned: Figure { value: cases.len() as u64, records: plans },
        run: figure(&|case| case.verdict != Verdict::NotRun),
        passed: figure(&|case| case.verdict == Verdict::Pass),
        passed_on_retry: figure(&CaseEntry::passed_on_retry),
        failed: figure(&|case| case.verdict == Verdict::Fail),
        undecided: figure(&|case| {
            matches!(case.verdict, Verdict::Inconclusive | Verdict::Aborted | Verdict::Error)
        }),
        not_run: figure(&|case| case.verdict == Verdict::NotRun),
    }
}

/// Tests by functional group, those without one last.
fn groups(ledger: &Ledger) -> Vec<GroupFigures> {
    let mut by_group: BTreeMap<Option<&str>, Vec<&CaseEntry>> = BTreeMap::new();
    for case in &ledger.cases {
        let group = case.script.as_ref().and_then(|script| script.group.as_deref());
        by_group.entry(group).or_default().push(case);
    }
    let without = by_group.remove(&None).map(|cases| (None, cases));
    let row = |(group, cases): (Option<&str>, Vec<&CaseEntry>)| GroupFigures {
        group: group.map(str::to_owned),
        figures: figures(ledger, &cases),
    };
    by_group.into_iter().chain(without).map(row).collect()
}

fn test_result(case: &CaseEntry) -> TestResult {
    let script = case.script.as_ref();
    TestResult {
        case: case.case.clone(),
        title: script.map_or_else(|| case.case.script.clone(), |s| s.title.clone()),
        covers: script.map(|s| s.covers.clone()).unwrap_or_default(),
        group: script.and_then(|s| s.group.clone()),
        digest: script.map(|s| s.digest),
        verdict: case.verdict,
        passed_on_retry: case.passed_on_retry(),
        reason: case.reason.clone(),
        attempts: case
            .attempts
            .iter()
            .map(|a| Attempt {
                verdict: a.verdict,
                records: std::iter::once(a.started.clone()).chain(a.finished.clone()).collect(),
            })
            .collect(),
        failures: case.failures.iter().map(failure).collect(),
        records: vec![case.decided.clone()],
    }
}

fn failure(step: &FailedStep) -> Failure {
    Failure {
        action: step.action.clone(),
        verdict: step.verdict,
        reason: step.reason.clone(),
        expectations: step.expectations.clone(),
        records: vec![step.at.clone()],
    }
}

fn not_executed(case: &CaseEntry) -> NotExecuted {
    NotExecuted {
        case: case.case.clone(),
        reason: case.reason.clone().unwrap_or_else(|| "no reason was recorded".to_owned()),
        records: vec![case.decided.clone()],
    }
}

fn unexpected_alerts(ledger: &Ledger) -> Vec<UnexpectedAlert> {
    ledger
        .alerts
        .iter()
        .filter(|alert| !alert.expected)
        .map(|alert| UnexpectedAlert {
            code: alert.code.clone(),
            device: alert.device.clone(),
            records: vec![alert.at.clone()],
        })
        .collect()
}

fn issue(issue: &IssueEntry) -> IssueInReport {
    IssueInReport {
        id: issue.id.clone(),
        severity: issue.severity,
        summary: issue.summary.clone(),
        route: issue.route.map(|route| route.clause().to_owned()),
        resolution: issue.resolved.as_ref().map(|(at, resolved)| Resolution {
            how: resolved.how.clone(),
            by: resolved.by.clone(),
            records: vec![at.clone()],
        }),
        records: std::iter::once(&issue.raised).chain(&issue.shown).cloned().collect(),
    }
}

fn outcome(gate: &DmctGate) -> Outcome {
    let unmet = gate.unmet(NeededFor::Report).chain(gate.unmet(NeededFor::Pass));
    Outcome { result: gate.result(), reasons: unmet.map(reason).collect(), criteria: gate.criteria.clone() }
}

/// What keeps a report from being issued, in words.
fn wanting(criterion: &Criterion) -> String {
    format!("{} (needed: {}, {})", criterion.found, criterion.title, criterion.clause)
}

/// A criterion that does not hold, in words.
fn reason(criterion: &Criterion) -> String {
    format!("{}: {} ({})", criterion.title, criterion.found, criterion.clause)
}

fn evidence(run: &RunEntry) -> EvidenceOfRun {
    let started = &run.started;
    EvidenceOfRun {
        run: started.run.clone(),
        began: run.began,
        ended: run.last_at,
        rig: started.rig.clone(),
        harness: started.harness.clone(),
        lab_digest: started.lab_digest,
        data_sets: started.data_sets.iter().map(|d| format!("{} ({})", d.id, d.digest.short())).collect(),
        record_count: run.records,
        root: run.root,
        signer: started.key.verifier.clone(),
        standing: run.standing,
        records: vec![run.first(), run.last()],
    }
}
