//! What a person did to a run, as the run's own records have it.

use serde::{Deserialize, Serialize};

use super::{Actor, Case};

/// A person acted on the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Action {
    /// Who, and as what.
    pub by: Actor,
    /// What they did.
    pub what: Deed,
    /// What it came to.
    pub outcome: Outcome,
}

/// What can be done to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// It pauses before its next step.
    Pause {},
    /// It goes on after a pause.
    Resume {},
    /// It ends before its plan does.
    Abort {
        /// Why.
        reason: String,
    },
    /// A script is run once more; the attempts before are kept.
    Rerun {
        /// Which.
        case: Case,
    },
}

/// What an action came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// It has been done, here and now.
    Done {},
    /// It has not, and will not be.
    NotDone {
        /// Why.
        reason: String,
    },
}
