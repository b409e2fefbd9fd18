//! Records about scripts, their steps, and what happened in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Sequence, Verdict};
use crate::Digest;

/// A script as planned: one row of its data table, on one device, where it has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// The pack's name.
    pub pack: String,
    /// The script's name within the pack.
    pub script: String,
    /// The row of the script's data table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The device the script is about, by its name in the rig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.pack, self.script)?;
        if let Some(row) = &self.row {
            write!(f, "[{row}]")?;
        }
        match &self.device {
            Some(device) => write!(f, "@{device}"),
            None => Ok(()),
        }
    }
}

/// An attempt of a script begins. Every record up to its [`ScriptFinished`] belongs to it: a run runs one script at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScriptStarted {
    /// Which planned script this is.
    pub case: Case,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The script's title, in words.
    pub title: String,
    /// Digest of the script as run; the same as in the pack's lock, or the script would not have been started.
    pub digest: Digest,
    /// Requirements the script covers (11).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// Functional group, for the heatmap (Table 13-1 row 7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Which part of a script a step stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Brings the rig to where the script begins.
    SetUp,
    /// The test itself.
    #[default]
    Test,
    /// Leaves the rig as it was found; runs whatever happened before.
    CleanUp,
}

impl Part {
    /// Whether this is the test itself, which lines leave unsaid.
    pub const fn is_test(&self) -> bool {
        matches!(self, Self::Test)
    }
}

/// What a step is about to do, written before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Intent {
    /// Part of the script.
    #[serde(default, skip_serializing_if = "Part::is_test")]
    pub part: Part,
    /// Number of the step within its part, from 1.
    pub step: u32,
    /// What will be done, in words that a witness understands.
    pub action: String,
    /// The blob of what will be sent, when it is known before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stimulus: Option<Digest>,
}

/// Packets of a capture, first and last included, from 1 as a packet viewer numbers them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PacketRange {
    /// File name within `captures/`.
    pub file: String,
    /// First packet.
    pub first: u64,
    /// Last packet.
    pub last: u64,
}

/// What a step saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observation {
    /// The intent that led to it.
    pub intent: Sequence,
    /// Where it was seen: the service user's answer, or a link of the rig.
    pub from: String,
    /// Values by the path a script names them by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The bytes the values were read from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Digest>,
    /// Where those bytes crossed a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<PacketRange>,
}

/// Something expected that was not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailedExpectation {
    /// Path of the value.
    pub path: String,
    /// What was expected, as the script says it.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StepVerdict {
    /// The intent it answers.
    pub intent: Sequence,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Expectations that did not hold; those that did are in the script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedExpectation>,
}

/// Which way a message went, seen from the harness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the harness.
    Sent,
    /// To the harness.
    Received,
}

/// A message passed between the harness and a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Message {
    /// Which way.
    pub direction: Direction,
    /// The other side: DCC, S1SP, a device.
    pub party: String,
    /// What it is, in the field's words: service request 4.1.1, acknowledgement, response.
    pub what: String,
    /// The message, whole.
    pub blob: Digest,
    /// The intent it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Sequence>,
}

/// What an alert was matched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertMatch {
    /// A step that waited for it, by its intent.
    Step(Sequence),
    /// Nothing: it is unexpected, and the report says so.
    Unexpected,
}

/// An alert arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AlertSeen {
    /// Alert code, four hexadecimal digits after `0x`, or an S1SP alert code.
    pub code: String,
    /// EUI-64 of the device it is about.
    pub device: String,
    /// What matched it.
    pub matched: AlertMatch,
    /// The alert, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Digest>,
}

/// A migration moved to another stage (DMCT Migration Testing, 20.13(a)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MigrationEvent {
    /// The SMETS1 Installation, by the EUI-64 of its CHF.
    pub installation: String,
    /// The stage reached.
    pub stage: String,
    /// What happened there, in words.
    pub detail: String,
    /// The code of the check that decided it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How the migration ended, where it ended there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<MigrationClass>,
    /// Which attempt of the installation it was, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u8>,
}

/// How a migration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MigrationClass {
    /// The DCC has the installation, whole or electricity only.
    Migrated,
    /// A check refused it before any device was touched.
    Refused,
    /// It was begun and is back with its SMSO, whole.
    RolledBack,
    /// It will not be tried again.
    Excluded,
}

impl std::fmt::Display for MigrationClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Migrated => "migrated",
            Self::Refused => "refused",
            Self::RolledBack => "rolled back",
            Self::Excluded => "excluded",
        })
    }
}

/// Devices made ready for the scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Prepared {
    /// What was prepared, in words.
    pub what: String,
    /// The data that were loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Digest>,
}

/// The rig's declared safe state was reached, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SafeState {
    /// Whether it was reached.
    pub reached: bool,
    /// What was done, or what stands in the way.
    pub detail: String,
}

/// Something to be read with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Note {
    /// Who says it: an operator's name, or the part of the lab.
    pub who: String,
    /// What is said.
    pub what: String,
}

/// Severity of a Testing Issue, 1 (worst) to 5 (14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct Severity(u8);

impl Severity {
    /// 3: major with a workaround, or moderate.
    pub const MODERATE: Self = Self(3);
}

/// A severity is 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("severity {found}: expected 1 (worst) to 5")]
pub struct SeverityOutOfRange {
    /// The number given.
    pub found: u8,
}

impl TryFrom<u8> for Severity {
    type Error = SeverityOutOfRange;

    fn try_from(found: u8) -> Result<Self, Self::Error> {
        match found {
            1..=5 => Ok(Self(found)),
            _ => Err(SeverityOutOfRange { found }),
        }
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> Self {
        severity.0
    }
}

/// The options of 20.19 for a DMCT Testing Issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueRoute {
    /// 20.19(a): a change to the DCC Systems, none to the Code.
    DccSystems,
    /// 20.19(b): a change to the DCC Systems and to the Code.
    DccSystemsAndCode,
    /// 20.19(c): a change to a SMETS1 Device.
    Device,
    /// 20.19(d): a change to the Code, none to the DCC Systems.
    Code,
}

impl IssueRoute {
    /// The paragraph that names the option.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::DccSystems => "20.19(a)",
            Self::DccSystemsAndCode => "20.19(b)",
            Self::Device => "20.19(c)",
            Self::Code => "20.19(d)",
        }
    }
}

/// A Testing Issue was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssueRaised {
    /// Its number in the issue log.
    pub id: String,
    /// Its severity.
    pub severity: Severity,
    /// What is wrong, in words.
    pub summary: String,
    /// The option of 20.19 recommended, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<IssueRoute>,
    /// The records that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Sequence>,
}

/// A Testing Issue was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssueResolved {
    /// Its number in the issue log.
    pub id: String,
    /// How it was resolved, in words (20.28(e)).
    pub how: String,
    /// The option of 20.19 that was followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<IssueRoute>,
    /// Who decided.
    pub by: String,
}

/// An attempt of a script ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScriptFinished {
    /// The record of its start.
    pub started: Sequence,
    /// The worst verdict of its steps, or worse.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a planned script is not run. Only the first two leave a pack whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotRunKind {
    /// The script's own condition does not hold for this combination.
    NotApplicable,
    /// Taken out of scope with approval.
    DeScoped,
    /// The run ended before it: aborted, stopped, or the lab failed.
    Stopped,
    /// Something it needs did not pass.
    Blocked,
    /// Only other scripts of its pack were asked for, so the pack was not run as a whole.
    NotSelected,
}

/// A planned script will not be run in this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScriptNotRun {
    /// Which.
    pub case: Case,
    /// What kind of reason.
    pub kind: NotRunKind,
    /// The reason, in words (9.4(d)).
    pub reason: String,
}
