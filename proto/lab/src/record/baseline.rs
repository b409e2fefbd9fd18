//! The baseline of a regression pack, as the first record of a run binds it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// What the scripts of a regression pack came to when it was agreed (SVTAD 7.4, 7.5): every one passed, but for the known
/// defects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Baseline {
    /// The run it was taken from, or where that can be found.
    pub run: String,
    /// Version of the DCC Systems then.
    pub dcc_systems: String,
    /// The day.
    pub on: Date,
    /// What did not pass then, and is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defects: Vec<KnownDefect>,
}

/// A script that did not pass in the baseline, and is not to be fixed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KnownDefect {
    /// The script.
    pub script: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Words of the reason: another reason is another defect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<String>,
    /// The Testing Issue it is.
    pub issue: String,
}
