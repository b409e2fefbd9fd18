//! The contents of a DMCT Report, as they are written to JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{Case, FailedExpectation, Identity, NonStandardPack, PackPurpose, RunId, Verdict};
use serde::{Deserialize, Serialize};

use super::migrations::Migrations;
use crate::dmct::EntryHistory;
use crate::evidence::Standing;
use crate::gate::{Criterion, DmctResult, RecordRef, Regression};

/// Name and version of this document's form. A reader that does not know the version must not guess.
pub const SCHEMA: &str = "dmct-report/1";

/// A number, and the records that add up to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The number.
    pub value: u64,
    /// One record for each that was counted: the one that decided it. For what was planned, the records that planned it; for
    /// zero, the first and last record of each run, between which there is nothing to count.
    pub records: Vec<RecordRef>,
}

impl Figure {
    /// The figure that counts these records; where there are none, those between which none is.
    pub(super) fn of(records: impl IntoIterator<Item = RecordRef>, none_between: &[RecordRef]) -> Self {
        let records: Vec<RecordRef> = records.into_iter().collect();
        let value = records.len() as u64;
        Self { value, records: if value == 0 { none_between.to_vec() } else { records } }
    }
}

/// Tests by what they came to (9.4(b) to (d)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Figures {
    /// Planned.
    pub planned: Figure,
    /// Executed.
    pub run: Figure,
    /// Passed, on whatever attempt.
    pub passed: Figure,
    /// Of those, passed only after an attempt that did not.
    pub passed_on_retry: Figure,
    /// Failed.
    pub failed: Figure,
    /// Executed, and neither passed nor failed: inconclusive, aborted, or an error of the lab.
    pub undecided: Figure,
    /// Not executed.
    pub not_run: Figure,
}

/// The tests of one functional group: a row of the heatmap (SVTAD Table 13-1 row 7, 16.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroupFigures {
    /// The group; absent for tests that name none, and for those never started, whose group no record has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its counts.
    pub figures: Figures,
}

/// Whether this document is the report, or shows how far testing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportStatus {
    /// The gates allow it to be issued (20.26, 20.27).
    Issuable,
    /// A criterion for issuing it does not hold; it must not be published as a DMCT Report.
    Draft,
}

/// 20.28(a): the planned entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedEntry {
    /// The Device Model Combination.
    pub dmc: String,
    /// The planned entry on the SMETS1 Eligible Product Combinations list.
    pub epcl_entry: String,
    /// Capability Release.
    pub release: String,
    /// Active, dormant or mixed.
    pub installation: String,
    /// Entries that this testing stands for besides (20.9).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stands_for: Vec<EntryCovered>,
    /// The devices tested.
    pub devices: Vec<DeviceTested>,
    /// Where the runs say so.
    pub records: Vec<RecordRef>,
}

/// An entry that is not tested itself, because dormant-only testing of the combination suffices (20.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntryCovered {
    /// The entry.
    pub epcl_entry: String,
    /// Active or mixed.
    pub installation: String,
    /// The SMSO whose installations it covers.
    pub smso: String,
    /// The paragraph by which the testing stands for it.
    pub clause: String,
    /// Where the runs say so.
    pub records: Vec<RecordRef>,
}

/// A device that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceTested {
    /// CHF, GPF, ESME, GSME, PPMID or IHD.
    pub kind: String,
    /// EUI-64.
    pub eui64: String,
    /// Identity read from the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Whether it was simulated.
    pub simulated: bool,
    /// Whether it was as its Device Model declares.
    pub as_declared: bool,
    /// The records that say so.
    pub records: Vec<RecordRef>,
}

/// 20.28(b): the DCC Systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SystemTested {
    /// Version of the DCC Systems.
    pub dcc_systems: String,
    /// Environment.
    pub environment: String,
    /// Versions of its parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
    /// The records that say so, one a run.
    pub records: Vec<RecordRef>,
}

/// 20.28(c): a pack that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackRun {
    /// The pack's name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub purpose: PackPurpose,
    /// Digest of its lock.
    pub lock: Digest,
    /// For a pack that is not a standard one, why, and who agreed to it (20.17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_standard: Option<NonStandardPack>,
    /// For a regression pack, how its scripts stand against its baseline (7.4, 7.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regression: Option<Regression>,
    /// Counts of this pack.
    pub figures: Figures,
    /// Its tests, in the order of the plan.
    pub tests: Vec<TestResult>,
    /// The record that binds it.
    pub records: Vec<RecordRef>,
}

/// 20.28(c) and (d): a test and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TestResult {
    /// Which script.
    pub case: Case,
    /// Its title; of a script never started, its name.
    pub title: String,
    /// Requirements it covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// Functional group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Digest of the script as run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The result.
    pub verdict: Verdict,
    /// Whether it passed only after an attempt that did not.
    pub passed_on_retry: bool,
    /// Why, when it is not a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempt>,
    /// Steps of the latest attempt that did not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// The record that decided it.
    pub records: Vec<RecordRef>,
}

/// One attempt of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attempt {
    /// Its verdict.
    pub verdict: Verdict,
    /// The records between which it lies.
    pub records: Vec<RecordRef>,
}

/// A step that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Failure {
    /// What the step did.
    pub action: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Expectations that did not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<FailedExpectation>,
    /// The record of the step's verdict.
    pub records: Vec<RecordRef>,
}

/// A test that was not executed, and why (9.4(c)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NotExecuted {
    /// Which script.
    pub case: Case,
    /// Why.
    pub reason: String,
    /// The record that says so.
    pub records: Vec<RecordRef>,
}

/// An alert that no step expected (20.13(b)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UnexpectedAlert {
    /// Its code.
    pub code: String,
    /// The device it is about.
    pub device: String,
    /// The record of it.
    pub records: Vec<RecordRef>,
}

/// 20.28(e): a Testing Issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssueInReport {
    /// Its number in the issue log.
    pub id: String,
    /// Its severity, 1 to 5.
    pub severity: u8,
    /// What is wrong.
    pub summary: String,
    /// The option of 20.19 followed, by its paragraph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// How it was resolved; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// The record that raised it, and those that show it.
    pub records: Vec<RecordRef>,
}

/// How a Testing Issue was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Resolution {
    /// How.
    pub how: String,
    /// Who decided.
    pub by: String,
    /// The record that says so.
    pub records: Vec<RecordRef>,
}

/// 20.28(f): whether the combination has passed, and by which criteria.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Outcome {
    /// Passed, failed, or not yet to be said.
    pub result: DmctResult,
    /// Why it is not a pass: what the criteria that do not hold found.
    pub reasons: Vec<String>,
    /// Every criterion.
    pub criteria: Vec<Criterion>,
}

/// The evidence of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EvidenceOfRun {
    /// The run.
    pub run: RunId,
    /// When it began.
    pub began: Timestamp,
    /// When its last record was written.
    pub ended: Timestamp,
    /// The rig.
    pub rig: String,
    /// Program and version that wrote it.
    pub harness: String,
    /// Digest of the lab file.
    pub lab_digest: Digest,
    /// Test data sets.
    pub data_sets: Vec<String>,
    /// How many records.
    pub record_count: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// The key that signed, `name+hash+base64`.
    pub signer: String,
    /// What verification came to when the report was made.
    pub standing: Standing,
    /// Its first and last record.
    pub records: Vec<RecordRef>,
}

/// A DMCT Report (20.28).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DmctReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// When the report was made.
    pub made: Timestamp,
    /// Whether it may be issued.
    pub status: ReportStatus,
    /// Why it may not be issued; empty when it may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draft_because: Vec<String>,
    /// 20.28(a): the planned entry; absent when there is no run.
    pub planned_entry: Option<PlannedEntry>,
    /// 20.28(b): DCC Systems and environments.
    pub systems: Vec<SystemTested>,
    /// 20.28(c) and (d): the tests run and their results.
    pub packs: Vec<PackRun>,
    /// 20.28(d): counts over all packs.
    pub figures: Figures,
    /// 16.4: the same by functional group, the heatmap.
    pub groups: Vec<GroupFigures>,
    /// How migrations ended, by the four result classes; absent where none ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<Migrations>,
    /// 9.4(c): why tests were not run.
    pub not_run: Vec<NotExecuted>,
    /// 20.13(b): alerts that nothing expected.
    pub unexpected_alerts: Vec<UnexpectedAlert>,
    /// 20.28(e): Testing Issues.
    pub issues: Vec<IssueInReport>,
    /// 20.28(f): passed or failed.
    pub outcome: Outcome,
    /// The entry's status through the DMCT Process, as far as the runs moved it.
    pub history: EntryHistory,
    /// What all this rests on.
    pub evidence: Vec<EvidenceOfRun>,
}

impl DmctReport {
    /// The report as JSON, indented, with a line feed at the end.
    ///
    /// # Errors
    /// What the JSON writer says; a report made by [`make`](super::make) has nothing it could refuse.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
