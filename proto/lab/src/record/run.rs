//! Records about the run as a whole: what it is bound to at its start, its captures, and how it ended.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Baseline, Case, Counts, Sequence, Verdict};
use crate::Digest;

/// The version of the record format written by this harness, in [`RunStarted::format`].
pub const FORMAT: u32 = 1;

/// The name of a run, unique in its lab; also the name of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RunId(String);

impl RunId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text cannot name a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` cannot name a run: expected 1 to 100 of a-z, A-Z, 0-9, `-`, `_`, `.`, beginning with a letter or digit"
)]
pub struct RunIdFormatError {
    /// The text as it was, cut to 120 characters.
    pub found: String,
}

impl FromStr for RunId {
    type Err = RunIdFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if begins && text.len() <= 100 && text.bytes().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(RunIdFormatError { found: text.chars().take(120).collect() })
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdFormatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Everything the run is bound to. Whoever trusts the signature on the evidence trusts that the run began with this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunStarted {
    /// Version of the record format: [`FORMAT`].
    pub format: u32,
    /// The run's name.
    pub run: RunId,
    /// Name and version of the program that writes the run, with its build.
    pub harness: String,
    /// The lab's name.
    pub lab: String,
    /// Digest of the lab file as read.
    pub lab_digest: Digest,
    /// Name of the rig, of which this run is the only holder.
    pub rig: String,
    /// The Device Model Combination under test and the planned EPCL entry (20.28(a)).
    pub dmc: DmcUnderTest,
    /// Every device found when the rig was proved (8.5(c)).
    pub devices: Vec<DeviceFound>,
    /// The DCC Systems and environment (20.28(b), 8.6).
    pub system: SystemUnderTest,
    /// The packs to be run, each with its lock.
    pub packs: Vec<PackBound>,
    /// The scripts to be run, in order. What is here and never started is not run.
    pub plan: Vec<Case>,
    /// The scripts asked for by name, where not every script of the packs was: the rest of the plan is not run. A run that is
    /// resumed runs the rest of these and nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selected: Vec<String>,
    /// The scripts to be witnessed, by name, chosen before the run (13.15). A record made before there was such a choice has
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnessed: Vec<String>,
    /// Test data sets loaded for the run (8.1(g), 9.1(b)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sets: Vec<DataSet>,
    /// The key that signs the checkpoints.
    pub key: SignerKey,
    /// Tree root at the final checkpoint of the lab's previous run, so that a whole run cannot vanish unnoticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// The name of that run, so that it can be named when it has vanished. A record made before it was bound has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_run: Option<RunId>,
}

/// A Device Model Combination and the EPCL entry that the run is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DmcUnderTest {
    /// The combination's name in the lab's data.
    pub id: String,
    /// The planned entry on the SMETS1 Eligible Product Combinations list (20.9(a)).
    pub epcl_entry: String,
    /// Capability Release: IOC, MOC or FOC.
    pub release: String,
    /// Kind of SMETS1 Installation: active, dormant or mixed (20.9).
    pub installation: String,
    /// Entries that are not tested because this one is (20.9).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stands_for: Vec<EntryStoodFor>,
    /// Who determined that its migration was tested under the MTAD; absent where it is tested by the DMCT's pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtad: Option<MtadDetermination>,
}

/// An entry for which the testing of a dormant one of the same combination stands (20.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntryStoodFor {
    /// The entry.
    pub epcl_entry: String,
    /// Active or mixed.
    pub installation: String,
    /// The SMSO whose installations it covers.
    pub smso: String,
}

/// Migration Testing under the MTAD stands in for DMCT Migration Testing (20.14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MtadDetermination {
    /// Where the TAB's determination can be read that the Migration Test Phase has been completed (20.14).
    pub tab: String,
    /// Where the Panel's determination can be read that the MT for the combination has completed (20.27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
}

/// A device's identity, as declared for its Device Model or as the device itself tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Identity {
    /// Manufacturer.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Hardware version.
    pub hardware: String,
    /// Firmware version.
    pub firmware: String,
    /// Configuration version.
    pub configuration: String,
}

/// One device of the rig, proved before the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceFound {
    /// The device's name within the rig, as scripts call it.
    pub name: String,
    /// CHF, GPF, ESME, GSME, PPMID or IHD.
    pub kind: String,
    /// EUI-64, eight hyphenated pairs of hexadecimal digits.
    pub eui64: String,
    /// The links it was reached by.
    pub links: Vec<String>,
    /// Whether the device is simulated; the DMCT Report says so.
    pub simulated: bool,
    /// Identity declared by the Device Model of the combination.
    pub declared: Identity,
    /// Identity read from the device; absent when it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Identity>,
    /// Everything that is not as declared. A run with a difference must not go on to its scripts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// Something found that is not as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Difference {
    /// What differs: firmware, clock, answer…
    pub what: String,
    /// The declared value.
    pub declared: String,
    /// The value found.
    pub found: String,
}

/// The DCC Systems against which the tests are run (20.28(b)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SystemUnderTest {
    /// Version of the DCC Systems.
    pub dcc_systems: String,
    /// Environment, as the DCC names it.
    pub environment: String,
    /// Versions of parts worth naming apart (DSP, S1SP, DCO), part to version.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub parts: std::collections::BTreeMap<String, String>,
}

/// What a pack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackPurpose {
    /// DMCT Migration Testing (20.15(a)).
    Migration,
    /// DMCT Service Reference Variant Testing (20.15(b)).
    ServiceReferenceVariant,
    /// Anything else: regression, a script on its own, an engineer's pack.
    Other,
}

/// A pack as it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackBound {
    /// The pack's name.
    pub id: String,
    /// The pack's title, in words.
    pub title: String,
    /// What it is for.
    pub purpose: PackPurpose,
    /// Capability Release it belongs to: IOC, MOC or FOC.
    pub release: String,
    /// Digest of its lock, which holds the digest of every script (13.16(a)).
    pub lock: Digest,
    /// For a pack that is not a standard one, why, and who agreed to it (20.17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_standard: Option<NonStandardPack>,
    /// For a regression pack, what it came to when it was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

/// Why a pack that is not a standard one is used (20.17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NonStandardPack {
    /// Why the standard pack is not used.
    pub rationale: String,
    /// The agreement that makes it a DMCT Non-Standard Test Pack; absent when nobody agreed, and then its results go into
    /// no report that may be issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Agreement>,
}

/// The agreement to a DMCT Non-Standard Test Pack (20.17, 20.9(c)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Agreement {
    /// Who agreed: the TAG, or the Secretary of State.
    pub by: String,
    /// The day of the agreement.
    pub on: Date,
    /// Where the agreement can be read: minutes, a letter.
    pub reference: String,
}

/// A test data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DataSet {
    /// Its name.
    pub id: String,
    /// Digest of its contents.
    pub digest: Digest,
}

/// The public key whose private half signs the checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignerKey {
    /// The verifier key, `name+hash+base64` (C2SP signed note).
    pub verifier: String,
    /// Whether the key was made for this run only, so that nobody outside can know whose it is.
    pub ephemeral: bool,
}

/// A capture file as far as it had been written when this was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CaptureBound {
    /// File name within `captures/`.
    pub file: String,
    /// Octets written so far.
    pub length: u64,
    /// SHA-256 over those octets.
    pub sha256: Digest,
    /// Packets written so far.
    pub packets: u64,
}

/// The run's folder was reopened after its writer died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Repaired {
    /// The last record that was whole.
    pub last: Sequence,
    /// The torn end of the record file, kept as a blob; absent when the file ended cleanly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Digest>,
    /// How many octets were cut from the record file.
    pub octets: u64,
    /// The unfinished end of the checkpoint file, kept as a blob; absent when the file ended cleanly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_checkpoint: Option<Digest>,
    /// Blobs that were kept and that no record had named yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unnamed: Vec<Digest>,
}

/// How the run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunFinished {
    /// The worst verdict of the scripts, or worse when the run itself was aborted or failed.
    pub verdict: Verdict,
    /// Scripts by verdict; equals what the records before this add up to.
    pub counts: Counts,
    /// The capture files, whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<CaptureBound>,
    /// Why the run ended before its plan did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the run began, so that the last record alone says how long it took.
    pub began: Timestamp,
}
