//! Small synthetic runs for tests of everything that folds over records.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proto_lab::Digest;
use proto_lab::record::*;

use super::{GateInput, Ledger, MigrationTesting, RunRecords, StandardPack};
use crate::evidence::Standing;

/// Writes the records of a run as a recorder would, without a folder.
pub(crate) struct Run {
    records: Vec<Record>,
}

pub(crate) fn case(pack: &str, script: &str) -> Case {
    Case { pack: pack.into(), script: script.into(), row: None, device: None }
}

fn pack(id: &str, purpose: PackPurpose) -> PackBound {
    PackBound {
        id: id.into(),
        title: format!("Standard pack {id}"),
        purpose,
        release: "IOC".into(),
        lock: Digest::of(id.as_bytes()),
        non_standard: None,
        baseline: None,
    }
}

fn identity() -> Identity {
    Identity {
        manufacturer: "Acme".into(),
        model: "E1".into(),
        hardware: "1.0".into(),
        firmware: "1.2.3".into(),
        configuration: "C1".into(),
    }
}

pub(crate) fn first(run: &str) -> RunStarted {
    RunStarted {
        format: FORMAT,
        run: run.parse().unwrap(),
        harness: "harness 0.1.0".into(),
        lab: "embedded".into(),
        lab_digest: Digest::of(b"lab"),
        rig: "rig-1".into(),
        dmc: DmcUnderTest {
            id: "dmc-1".into(),
            epcl_entry: "EPCL-0001".into(),
            release: "IOC".into(),
            installation: "dormant".into(),
            stands_for: vec![],
            mtad: None,
        },
        devices: vec![DeviceFound {
            name: "esme".into(),
            kind: "ESME".into(),
            eui64: "90-B3-D5-1F-30-00-00-02".into(),
            links: vec!["tcp://127.0.0.1:4059".into()],
            simulated: false,
            declared: identity(),
            found: Some(identity()),
            differences: vec![],
        }],
        system: SystemUnderTest {
            dcc_systems: "R1.5".into(),
            environment: "SIT-B".into(),
            parts: BTreeMap::new(),
        },
        packs: vec![
            pack("migration-ioc", PackPurpose::Migration),
            pack("srvt-ioc", PackPurpose::ServiceReferenceVariant),
        ],
        plan: vec![
            case("migration-ioc", "commission"),
            case("migration-ioc", "rollback"),
            case("srvt-ioc", "read-import"),
            case("srvt-ioc", "top-up"),
            case("srvt-ioc", "gas-valve"),
        ],
        selected: vec![],
        witnessed: vec![],
        data_sets: vec![],
        key: SignerKey { verifier: "embedded+00000000+AAAA".into(), ephemeral: false },
        previous: None,
        previous_run: None,
    }
}

impl Run {
    pub(crate) fn begin(first: RunStarted) -> Self {
        let mut run = Self { records: Vec::new() };
        run.add(Body::RunStarted(Box::new(first)));
        run
    }

    pub(crate) fn add(&mut self, body: Body) -> Sequence {
        let n = self.records.len() as u64;
        let began: Timestamp = "2026-11-21T21:14:05Z".parse().unwrap();
        let at = began + SignedDuration::from_millis(250 * i64::try_from(n).unwrap());
        self.records.push(Record::new(Sequence(n), at, body));
        Sequence(n)
    }

    /// A script of one step that comes to this verdict.
    pub(crate) fn script(&mut self, case: Case, title: &str, action: &str, attempt: u32, verdict: Verdict) {
        let started = self.add(Body::ScriptStarted(Box::new(ScriptStarted {
            digest: Digest::of(case.script.as_bytes()),
            covers: vec![format!("REQ-{}", case.script)],
            group: Some("Reads".into()),
            case,
            attempt,
            title: title.into(),
        })));
        let intent = self.add(Body::Intent(Intent {
            part: Part::Test,
            step: 1,
            action: action.into(),
            stimulus: None,
        }));
        self.add(Body::Observed(Observation {
            intent,
            from: "optical".into(),
            values: BTreeMap::from([("value".to_owned(), "2".to_owned())]),
            blobs: vec![Digest::of(b"<Response/>")],
            packets: Some(PacketRange { file: "run.pcapng".into(), first: 1, last: 2 }),
        }));
        let failed = (verdict == Verdict::Fail).then(|| FailedExpectation {
            path: "value".into(),
            expected: "= 1".into(),
            found: "2".into(),
        });
        let reason = (verdict != Verdict::Pass).then(|| format!("the step came to {verdict}"));
        self.add(Body::Step(StepVerdict {
            intent,
            verdict,
            reason: reason.clone(),
            failed: failed.into_iter().collect(),
        }));
        self.add(Body::ScriptFinished(ScriptFinished { started, verdict, reason }));
    }

    pub(crate) fn not_run(&mut self, case: Case, kind: NotRunKind, reason: &str) {
        self.add(Body::ScriptNotRun(ScriptNotRun { case, kind, reason: reason.into() }));
    }

    pub(crate) fn end(mut self) -> Vec<Record> {
        let counts = Tally::of(&self.records).counts();
        let began = self.records[0].at;
        self.add(Body::RunFinished(RunFinished {
            verdict: counts.worst(),
            counts,
            captures: vec![],
            reason: None,
            began,
        }));
        self.records
    }
}

fn migration_scripts(run: &mut Run) {
    let commission = case("migration-ioc", "commission");
    run.script(commission, "Commission the installation", "commission the ESME", 1, Verdict::Pass);
    let rollback = || case("migration-ioc", "rollback");
    run.script(rollback(), "Roll a failed migration back", "cut the WAN", 1, Verdict::Inconclusive);
    run.script(rollback(), "Roll a failed migration back", "cut the WAN", 2, Verdict::Pass);
}

fn service_scripts(run: &mut Run, top_up: Verdict) {
    let read = case("srvt-ioc", "read-import");
    run.script(read, "Read the import register", "read 1-0:1.8.0 of esme", 1, Verdict::Pass);
    run.add(Body::Alert(AlertSeen {
        code: "0x8F3E".into(),
        device: "90-B3-D5-1F-30-00-00-02".into(),
        matched: AlertMatch::Unexpected,
        blob: None,
    }));
    run.script(case("srvt-ioc", "top-up"), "Top up by UTRN", "send service request 2.2", 1, top_up);
    run.not_run(case("srvt-ioc", "gas-valve"), NotRunKind::NotApplicable, "the combination has no GSME");
}

fn issue(run: &mut Run, resolved: bool) {
    run.add(Body::IssueRaised(IssueRaised {
        id: "TI-7".into(),
        severity: 3.try_into().unwrap(),
        summary: "the alert 0x8F3E is not expected".into(),
        route: Some(IssueRoute::DccSystems),
        records: vec![Sequence(21)],
    }));
    if resolved {
        run.add(Body::IssueResolved(IssueResolved {
            id: "TI-7".into(),
            how: "mapping corrected in the S1SP, pack run again".into(),
            route: None,
            by: "DCC".into(),
        }));
    }
}

/// A run of both packs: one pass on a retry, one script not applicable, one issue resolved, the top-up as given.
pub(crate) fn run_with(name: &str, top_up: Verdict, resolved: bool) -> Vec<Record> {
    let mut run = Run::begin(first(name));
    migration_scripts(&mut run);
    service_scripts(&mut run, top_up);
    issue(&mut run, resolved);
    run.end()
}

/// A run begun so, in which every script of migration is left out for this reason and the others pass.
pub(crate) fn without_migration(first: RunStarted, kind: NotRunKind, reason: &str) -> Vec<Record> {
    let mut run = Run::begin(first);
    for script in ["commission", "rollback"] {
        run.not_run(case("migration-ioc", script), kind, reason);
    }
    service_scripts(&mut run, Verdict::Pass);
    issue(&mut run, true);
    run.end()
}

/// The small run with a failure.
pub(crate) fn records() -> Vec<Record> {
    run_with("run-1", Verdict::Fail, true)
}

/// The small run in which everything passes.
pub(crate) fn passing() -> Vec<Record> {
    run_with("run-1", Verdict::Pass, true)
}

pub(crate) fn input() -> GateInput {
    let standard =
        [("migration-ioc", PackPurpose::Migration), ("srvt-ioc", PackPurpose::ServiceReferenceVariant)]
            .into_iter()
            .map(|(id, purpose)| StandardPack {
                purpose,
                release: "IOC".into(),
                lock: Digest::of(id.as_bytes()),
            })
            .collect();
    GateInput { standard, migration: MigrationTesting::Dmct, production: Some("R1.5".into()) }
}

pub(crate) fn ledger(runs: &[&[Record]]) -> Ledger {
    let runs: Vec<RunRecords<'_>> = runs
        .iter()
        .map(|records| RunRecords { records, standing: Standing::Sound, root: Digest::of(b"root") })
        .collect();
    Ledger::of(&runs)
}

/// These records, of devices that were simulated.
pub(crate) fn simulated(records: &[Record]) -> Vec<Record> {
    let mut records = records.to_vec();
    if let Some(Body::RunStarted(started)) = records.first_mut().map(|first| &mut first.body) {
        started.devices.iter_mut().for_each(|device| device.simulated = true);
    }
    records
}
