//! The criteria of 20.13 to 20.28, each with its clause and the records that made it.

use proto_lab::Digest;
use proto_lab::record::{NonStandardPack, PackBound, PackPurpose, Verdict};
use serde::{Deserialize, Serialize};

use super::{CaseEntry, Ledger, RecordRef};
use crate::evidence::Standing;

/// A standard test pack as agreed with the TAG (20.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardPack {
    /// What it is for.
    pub purpose: PackPurpose,
    /// Capability Release.
    pub release: String,
    /// Digest of its lock.
    pub lock: Digest,
}

/// How migration of the combination is tested (20.14).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MigrationTesting {
    /// By DMCT Migration Testing, with a pack of these runs.
    #[default]
    Dmct,
    /// By Migration Testing under the MTAD, which stands in for it.
    Mtad {
        /// Where the TAB's determination can be read that the Migration Test Phase has been completed (20.14).
        tab: Option<String>,
        /// Where the Panel's determination can be read that the MT for the combination has completed (20.27).
        panel: Option<String>,
    },
}

impl MigrationTesting {
    /// As the runs recorded it: by what the latest of them was bound to.
    pub fn recorded(ledger: &Ledger) -> Self {
        let latest = ledger.runs.iter().max_by_key(|run| run.began);
        match latest.and_then(|run| run.started.dmc.mtad.as_ref()) {
            None => Self::Dmct,
            Some(mtad) => Self::Mtad { tab: Some(mtad.tab.clone()), panel: mtad.panel.clone() },
        }
    }
}

/// What the gate is asked to decide by, besides the records.
#[derive(Debug, Clone, Default)]
pub struct GateInput {
    /// The standard packs of all Capability Releases.
    pub standard: Vec<StandardPack>,
    /// How migration is tested.
    pub migration: MigrationTesting,
    /// Version of the DCC Systems that will exist in Production when the combination may be migrated (20.28(b)); absent when
    /// nobody has said, and then the criterion asks only that all runs had one version.
    pub production: Option<String>,
}

impl GateInput {
    /// The standard packs of this release for this purpose.
    fn of_release<'a>(
        &'a self,
        release: &'a str,
        purpose: PackPurpose,
    ) -> impl Iterator<Item = &'a StandardPack> {
        self.standard.iter().filter(move |s| (s.purpose, s.release.as_str()) == (purpose, release))
    }
}

/// What a criterion is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeededFor {
    /// Without it no DMCT Report may be issued.
    Report,
    /// Without it the combination has not passed.
    Pass,
    /// Without it what the tests came to can be said, and no DMCT Report of it may be issued.
    Issue,
}

/// One criterion, decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Criterion {
    /// The paragraph of the SVTAD it comes from.
    pub clause: String,
    /// What must hold.
    pub title: String,
    /// What it is needed for.
    pub needed_for: NeededFor,
    /// Whether it holds.
    pub holds: bool,
    /// What was found.
    pub found: String,
    /// The records that made it.
    pub records: Vec<RecordRef>,
}

/// Whether the combination has passed (20.28(f)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DmctResult {
    /// Every criterion holds.
    Passed,
    /// Testing is complete and a criterion for passing does not hold.
    Failed,
    /// Testing is not complete: nothing can be said yet.
    Undecided,
}

/// The gate for one Device Model Combination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmctGate {
    /// Every criterion, in the order of the clauses.
    pub criteria: Vec<Criterion>,
}

impl DmctGate {
    /// Decides.
    pub fn decide(ledger: &Ledger, input: &GateInput) -> Self {
        let criteria = vec![
            subject(ledger),
            evidence(ledger),
            ended(ledger),
            rig(ledger),
            simulated(ledger),
            migration(ledger, input),
            executed(ledger, input),
            passed(ledger, PackPurpose::ServiceReferenceVariant),
            packs(ledger, input),
            issues(ledger),
            panel(ledger, input),
            system(ledger, input),
        ];
        Self { criteria: criteria.into_iter().flatten().collect() }
    }

    /// Whether a DMCT Report may be issued (20.26, 20.27): testing is complete, and it was testing of devices.
    pub fn may_issue_report(&self) -> bool {
        self.against_issue().next().is_none()
    }

    /// The criteria for issuing a report that do not hold.
    pub fn against_issue(&self) -> impl Iterator<Item = &Criterion> {
        self.unmet(NeededFor::Issue).chain(self.unmet(NeededFor::Report))
    }

    /// The criteria for this that do not hold.
    pub fn unmet(&self, needed_for: NeededFor) -> impl Iterator<Item = &Criterion> {
        self.criteria.iter().filter(move |c| c.needed_for == needed_for && !c.holds)
    }

    /// Whether the combination has passed (20.28(f)). What only forbids the issue of a report changes nothing here: tests of
    /// simulated devices come to something too.
    pub fn result(&self) -> DmctResult {
        match (self.unmet(NeededFor::Report).next(), self.unmet(NeededFor::Pass).next()) {
            (Some(_), _) => DmctResult::Undecided,
            (None, Some(_)) => DmctResult::Failed,
            (None, None) => DmctResult::Passed,
        }
    }
}

/// A criterion that may have several parts, or none where it does not apply.
type Decided = Vec<Criterion>;

fn criterion(
    clause: &str,
    title: &str,
    needed_for: NeededFor,
    wrong: Vec<String>,
    right: String,
) -> Criterion {
    Criterion {
        clause: clause.to_owned(),
        title: title.to_owned(),
        needed_for,
        holds: wrong.is_empty(),
        found: if wrong.is_empty() { right } else { wrong.join("; ") },
        records: Vec::new(),
    }
}

impl Criterion {
    fn made_by(mut self, records: impl IntoIterator<Item = RecordRef>) -> Decided {
        self.records = records.into_iter().collect();
        vec![self]
    }
}

fn first_records(ledger: &Ledger) -> impl Iterator<Item = RecordRef> {
    ledger.runs.iter().map(super::RunEntry::first)
}

/// Whether all values are one; what was found otherwise.
fn one_value<'a>(what: &str, values: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut values: Vec<&str> = values.collect();
    values.sort_unstable();
    values.dedup();
    (values.len() > 1).then(|| format!("several {what}: {}", values.join(", ")))
}

/// 20.13: the testing is in respect of one planned entry of one combination.
fn subject(ledger: &Ledger) -> Decided {
    let runs = || ledger.runs.iter().map(|run| &run.started.dmc);
    let mut wrong: Vec<String> = [
        one_value("Device Model Combinations", runs().map(|d| d.id.as_str())),
        one_value("planned entries", runs().map(|d| d.epcl_entry.as_str())),
        one_value("Capability Releases", runs().map(|d| d.release.as_str())),
        one_value("kinds of installation", runs().map(|d| d.installation.as_str())),
    ]
    .into_iter()
    .flatten()
    .collect();
    if ledger.runs.is_empty() {
        wrong.push("there is no run".to_owned());
    }
    let right = runs().next().map(|d| format!("{}, entry {}", d.id, d.epcl_entry)).unwrap_or_default();
    criterion("20.13", "All tests were of one planned entry", NeededFor::Report, wrong, right)
        .made_by(first_records(ledger))
}

/// 20.28(d): results that anybody can check.
fn evidence(ledger: &Ledger) -> Decided {
    let wrong = ledger
        .runs
        .iter()
        .filter(|run| run.standing != Standing::Sound)
        .map(|run| format!("evidence of run {} is {}", run.started.run, run.standing))
        .collect();
    let right = format!("evidence of {} run(s) is sound", ledger.runs.len());
    criterion("20.28(d)", "The evidence of every run is whole and signed", NeededFor::Report, wrong, right)
        .made_by(ledger.runs.iter().map(super::RunEntry::last))
}

/// 20.26: testing has completed, which a run that somebody stopped or that the lab failed has not.
fn ended(ledger: &Ledger) -> Decided {
    let latest = ledger.runs.iter().max_by_key(|run| run.began);
    let failed = latest.and_then(|run| {
        let (_, finished) = run.finished.as_ref()?;
        let reason = finished.reason.as_deref().filter(|_| finished.verdict >= Verdict::Aborted)?;
        Some(format!("the latest run, {}, ended as {}: {reason}", run.started.run, finished.verdict))
    });
    let right = "the latest run went to its end".to_owned();
    criterion("20.26", "Testing went to its end", NeededFor::Report, failed.into_iter().collect(), right)
        .made_by(latest.map(super::RunEntry::last))
}

/// 8.5(c): the devices are those of the Device Models.
fn rig(ledger: &Ledger) -> Decided {
    let mut wrong = Vec::new();
    for run in &ledger.runs {
        for device in &run.started.devices {
            if device.found.is_none() {
                wrong.push(format!("{} did not answer in run {}", device.name, run.started.run));
            }
            wrong.extend(
                device.differences.iter().map(|d| {
                    format!("{}: {}: expected {}, found {}", device.name, d.what, d.declared, d.found)
                }),
            );
        }
    }
    let right = "every device is as its Device Model declares".to_owned();
    criterion("8.5(c)", "The devices are those of the combination", NeededFor::Report, wrong, right)
        .made_by(first_records(ledger))
}

/// 20.13, 8.5(c): the testing is of the Devices of the Device Models, for which a simulation speaks only as far as it goes.
fn simulated(ledger: &Ledger) -> Decided {
    let named = |run: &super::RunEntry| {
        let simulated = run.started.devices.iter().filter(|device| device.simulated);
        simulated.map(|device| format!("{} {}", device.kind, device.eui64)).collect::<Vec<_>>()
    };
    let mut devices: Vec<String> = ledger.runs.iter().flat_map(named).collect();
    devices.sort_unstable();
    devices.dedup();
    let wrong = match devices.as_slice() {
        [] => Vec::new(),
        some => vec![format!("this rests on simulated devices: {}", some.join(", "))],
    };
    let runs = ledger.runs.iter().filter(|run| wrong.is_empty() || !named(run).is_empty());
    let records: Vec<RecordRef> = runs.map(super::RunEntry::first).collect();
    let right = "every device is a real one".to_owned();
    criterion("20.13, 8.5(c)", "No device was simulated", NeededFor::Issue, wrong, right).made_by(records)
}

/// 20.14, 20.15(a): migration is shown, by this testing or by the MTAD's.
fn migration(ledger: &Ledger, input: &GateInput) -> Decided {
    let MigrationTesting::Mtad { tab, .. } = &input.migration else {
        return passed(ledger, PackPurpose::Migration);
    };
    let wrong = match tab {
        Some(_) => Vec::new(),
        None => vec!["the TAB has not determined that the Migration Test Phase is completed".to_owned()],
    };
    let right = tab.iter().map(|t| format!("determined by the TAB: {t}")).collect();
    criterion("20.14", "Migration was tested under the MTAD", NeededFor::Pass, wrong, right)
        .made_by(first_records(ledger))
}

const fn title_of(purpose: PackPurpose) -> (&'static str, &'static str) {
    match purpose {
        PackPurpose::Migration => ("20.15(a)", "Every DMCT Migration Test passed"),
        PackPurpose::ServiceReferenceVariant => {
            ("20.15(b)", "Every DMCT Service Reference Variant Test passed")
        }
        PackPurpose::Other => ("20.17", "Every other test passed"),
    }
}

/// Every script of the pack passed, or was left out for a reason that leaves the pack whole.
fn passed(ledger: &Ledger, purpose: PackPurpose) -> Decided {
    let cases: Vec<&CaseEntry> = ledger.of_purpose(purpose).collect();
    let left_out = cases.iter().filter(|c| c.is_left_out()).count();
    let short: Vec<&CaseEntry> =
        cases.iter().copied().filter(|c| c.verdict != Verdict::Pass && !c.is_left_out()).collect();
    let mut wrong: Vec<String> = short.iter().map(|c| told(c)).collect();
    if cases.len() == left_out {
        wrong.push("no test of this pack was run".to_owned());
    }
    let right = format!("{} passed, {left_out} not applicable or de-scoped", cases.len() - left_out);
    let (clause, title) = title_of(purpose);
    let records: Vec<RecordRef> =
        if wrong.is_empty() { &cases } else { &short }.iter().map(|c| c.decided.clone()).collect();
    criterion(clause, title, NeededFor::Pass, wrong, right).made_by(records)
}

fn told(case: &CaseEntry) -> String {
    match &case.reason {
        Some(reason) => format!("{}: {}, {reason}", case.case, case.verdict),
        None => format!("{}: {}", case.case, case.verdict),
    }
}

/// 20.26(c): testing has completed: every test of both packs has an outcome that is the devices' and not the lab's.
fn executed(ledger: &Ledger, input: &GateInput) -> Decided {
    let undecided: Vec<&CaseEntry> =
        ledger.cases.iter().filter(|c| c.purpose != PackPurpose::Other && c.is_undecided()).collect();
    let mut wrong: Vec<String> = undecided.iter().map(|c| told(c)).collect();
    for purpose in required(input) {
        if ledger.of_purpose(purpose).next().is_none() {
            wrong.push(format!("no pack for {} was run", words(purpose)));
        }
    }
    let mut records: Vec<RecordRef> = undecided.iter().map(|c| c.decided.clone()).collect();
    if records.is_empty() {
        records.extend(ledger.runs.iter().map(super::RunEntry::last));
    }
    let right = "every test has an outcome".to_owned();
    criterion("20.26(c)", "Testing has completed", NeededFor::Report, wrong, right).made_by(records)
}

fn required(input: &GateInput) -> Vec<PackPurpose> {
    match input.migration {
        MigrationTesting::Dmct => vec![PackPurpose::Migration, PackPurpose::ServiceReferenceVariant],
        MigrationTesting::Mtad { .. } => vec![PackPurpose::ServiceReferenceVariant],
    }
}

const fn words(purpose: PackPurpose) -> &'static str {
    match purpose {
        PackPurpose::Migration => "DMCT Migration Testing",
        PackPurpose::ServiceReferenceVariant => "DMCT Service Reference Variant Testing",
        PackPurpose::Other => "other tests",
    }
}

/// 20.15 to 20.17: standard packs of the release, or a Non-Standard Test Pack that was agreed.
fn packs(ledger: &Ledger, input: &GateInput) -> Decided {
    let packs = ledger.packs();
    let mut wrong: Vec<String> =
        packs.iter().filter_map(|(pack, run)| not_agreed(pack, run, ledger, input)).collect();
    wrong.extend(left_out(ledger, input));
    let right = packs
        .iter()
        .filter(|(pack, _)| pack.purpose != PackPurpose::Other)
        .map(|(pack, _)| match pack.non_standard.as_ref().map(|other| &other.agreed) {
            None => format!("{} is standard", pack.id),
            Some(None) => format!("{} is non-standard", pack.id),
            Some(Some(agreed)) => {
                format!("{} is non-standard, agreed by {} on {}", pack.id, agreed.by, agreed.on)
            }
        })
        .collect::<Vec<_>>()
        .join("; ");
    criterion("20.15", "The packs are the standard ones, or were agreed", NeededFor::Report, wrong, right)
        .made_by(packs.into_iter().map(|(_, run)| run))
}

fn not_agreed(pack: &PackBound, run: &RecordRef, ledger: &Ledger, input: &GateInput) -> Option<String> {
    let release =
        ledger.runs.iter().find(|r| r.started.run == run.run).map(|r| r.started.dmc.release.as_str())?;
    if pack.purpose == PackPurpose::Other {
        return None;
    }
    if let Some(other) = &pack.non_standard {
        return not_agreed_to(pack, other);
    }
    let locks: Vec<Digest> = input.of_release(release, pack.purpose).map(|standard| standard.lock).collect();
    match locks.as_slice() {
        [] => Some(format!("no standard pack for {} is known for {release}", words(pack.purpose))),
        locks if locks.contains(&pack.lock) => None,
        locks => Some(format!(
            "{} has lock {}, {} {release} has {}",
            pack.id,
            pack.lock.short(),
            if locks.len() == 1 { "the standard pack for" } else { "each standard pack for" },
            locks.iter().map(Digest::short).collect::<Vec<_>>().join(" or ")
        )),
    }
}

/// 20.17: a pack other than the standard one needs a rationale and an agreement.
fn not_agreed_to(pack: &PackBound, other: &NonStandardPack) -> Option<String> {
    let Some(agreed) = &other.agreed else {
        return Some(format!("{} is non-standard, and nobody has agreed to it", pack.id));
    };
    let unsaid = [&other.rationale, &agreed.by, &agreed.reference].iter().any(|s| s.trim().is_empty());
    unsaid.then(|| {
        format!("{} is non-standard without rationale, who agreed and where that can be read", pack.id)
    })
}

/// 20.15, 20.16: every standard pack of the release was run, or an agreed Non-Standard Test Pack in its place (20.17).
fn left_out(ledger: &Ledger, input: &GateInput) -> Vec<String> {
    let Some(first) = ledger.runs.first() else { return Vec::new() };
    let release = first.started.dmc.release.as_str();
    let purposes = required(input).into_iter().filter(|purpose| !stood_in_for(ledger, *purpose));
    let needed = purposes.flat_map(|purpose| input.of_release(release, purpose));
    needed
        .filter(|standard| !was_run(ledger, standard))
        .map(|standard| {
            let (what, lock) = (words(standard.purpose), standard.lock.short());
            format!("the standard pack for {what} of {release}, with lock {lock}, was not run")
        })
        .collect()
}

fn stood_in_for(ledger: &Ledger, purpose: PackPurpose) -> bool {
    let agreed = |pack: &PackBound| pack.non_standard.as_ref().is_some_and(|other| other.agreed.is_some());
    ledger.packs().iter().any(|(pack, _)| pack.purpose == purpose && agreed(pack))
}

/// Whether a run that bound this pack began at least one of its tests.
fn was_run(ledger: &Ledger, standard: &StandardPack) -> bool {
    ledger.runs.iter().any(|run| {
        let is_it = |pack: &&PackBound| (pack.purpose, pack.lock) == (standard.purpose, standard.lock);
        run.started.packs.iter().filter(is_it).any(|pack| {
            let of_pack = ledger.of_purpose(pack.purpose).filter(|case| case.case.pack == pack.id);
            of_pack.flat_map(|case| &case.attempts).any(|attempt| attempt.started.run == run.started.run)
        })
    })
}

/// 20.19 to 20.25: what testing found has been resolved.
fn issues(ledger: &Ledger) -> Decided {
    let open: Vec<_> = ledger.issues.iter().filter(|i| i.resolved.is_none()).collect();
    let wrong =
        open.iter().map(|i| format!("{} (severity {}) is open: {}", i.id, i.severity, i.summary)).collect();
    let right = format!("{} raised, none open", ledger.issues.len());
    let records: Vec<RecordRef> = match open.as_slice() {
        [] => ledger.issues.iter().filter_map(|i| i.resolved.as_ref().map(|(at, _)| at.clone())).collect(),
        open => open.iter().map(|i| i.raised.clone()).collect(),
    };
    criterion("20.19", "No DMCT Testing Issue is open", NeededFor::Pass, wrong, right).made_by(records)
}

/// 20.27: where the MTAD's testing stands in, the Panel has determined that it completed.
fn panel(ledger: &Ledger, input: &GateInput) -> Decided {
    let MigrationTesting::Mtad { panel, .. } = &input.migration else { return Vec::new() };
    let wrong = match panel {
        Some(_) => Vec::new(),
        None => {
            vec!["the Panel has not determined that the MT for this combination has completed".to_owned()]
        }
    };
    let right = panel.iter().map(|p| format!("determined by the Panel: {p}")).collect();
    criterion("20.27", "The Panel has determined that MT has completed", NeededFor::Report, wrong, right)
        .made_by(first_records(ledger))
}

/// 20.28(b): one version of the DCC Systems, the one that will exist in Production.
fn system(ledger: &Ledger, input: &GateInput) -> Decided {
    let versions = || ledger.runs.iter().map(|run| run.started.system.dcc_systems.as_str());
    let mut wrong: Vec<String> = one_value("versions", versions()).into_iter().collect();
    if let (Some(production), Some(tested)) = (&input.production, versions().next())
        && production != tested
    {
        wrong.push(format!("{tested} was tested, {production} will exist in Production"));
    }
    let right = match (versions().next(), &input.production) {
        (Some(version), Some(_)) => format!("{version}, as will exist in Production"),
        (Some(version), None) => format!("{version}; the Production version has not been declared"),
        (None, _) => "no run".to_owned(),
    };
    criterion("20.28(b)", "One version of the DCC Systems was tested", NeededFor::Report, wrong, right)
        .made_by(first_records(ledger))
}
