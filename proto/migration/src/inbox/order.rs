//! Which file may follow which.

use std::fmt;

use super::SeenFile;
use crate::{FileKind, Step};

/// A file by what it is: its kind, and for results the step; none is any step.
type What = (FileKind, Option<Step>);

/// What a file may come after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Whether it may begin an exchange.
    pub(super) begins: bool,
    /// What it may follow; empty is anything.
    after: &'static [What],
}

const AUTHORISATION: What = (FileKind::Authorisation, None);
const DEMAND: What = (FileKind::Demand, None);
const RESPONSE: What = (FileKind::Response, None);
const ESTATE: What = (FileKind::Estate, None);
const COMMON: What = (FileKind::Common, None);
const GROUP: What = (FileKind::Group, None);
const REQUIRED: What = (FileKind::RequiredFileSet, None);
const COMMISSIONING: What = (FileKind::Commissioning, None);
const ROLLBACK: What = (FileKind::Rollback, None);
const KEY_WRAP_REQUEST: What = (FileKind::KeyWrapRequest, None);
const OUTCOME: What = (FileKind::Outcome, None);
const PREPARATION: What = (FileKind::Results, Some(Step::Preparation));
const VALIDATION: What = (FileKind::Results, Some(Step::DataValidation));
const VIABILITY: What = (FileKind::Results, Some(Step::Viability));
const CONTACT: What = (FileKind::Results, Some(Step::DeviceContact));
const ROLLED_BACK: What = (FileKind::Results, Some(Step::Rollback));

impl Order {
    /// The order of a file. A party that is told less than all may follow what it was told last, so most files have more
    /// than one that may come before them.
    pub(super) const fn of(seen: &SeenFile) -> Self {
        let after: &'static [What] = match seen.kind {
            FileKind::Authorisation => &[OUTCOME],
            FileKind::Demand => &[AUTHORISATION, OUTCOME],
            FileKind::Response => &[DEMAND],
            FileKind::Estate => &[DEMAND, RESPONSE, PREPARATION],
            FileKind::Common => &[DEMAND, RESPONSE, ESTATE, PREPARATION],
            FileKind::Group => &[COMMON],
            FileKind::Results => Self::before_results(seen.step),
            FileKind::RequiredFileSet => &[CONTACT],
            FileKind::Commissioning => &[REQUIRED, CONTACT],
            FileKind::KeyWrapRequest => &[VIABILITY],
            FileKind::WrappedKeys => &[KEY_WRAP_REQUEST],
            FileKind::Rollback | FileKind::Outcome => &[],
        };
        // What migration control decides, and what it is let do, need no cause that all its readers know.
        use FileKind::{Authorisation, Demand, Outcome, Rollback};
        Self { begins: matches!(seen.kind, Authorisation | Demand | Rollback | Outcome), after }
    }

    const fn before_results(step: Option<Step>) -> &'static [What] {
        match step {
            Some(Step::Preparation) => &[AUTHORISATION, DEMAND, RESPONSE],
            Some(Step::DataValidation) => &[COMMON, GROUP],
            Some(Step::Viability) => &[GROUP, VALIDATION],
            Some(Step::DeviceContact) => &[GROUP, VALIDATION, VIABILITY],
            Some(Step::Commissioning) => &[REQUIRED, COMMISSIONING],
            Some(Step::Rollback) => &[ROLLBACK, ROLLED_BACK],
            None => &[],
        }
    }

    /// Whether it may follow this one.
    pub(super) fn may_follow(&self, before: &SeenFile) -> bool {
        self.after.is_empty() || self.after.contains(&(before.kind, before.step))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |(kind, step): &What| match step {
            Some(step) => format!("{kind} of {step}"),
            None => kind.to_string(),
        };
        let begins = self.begins.then(|| "that it begins an exchange".to_owned());
        let after = match self.after {
            [] => "that it follows any file".to_owned(),
            after => {
                format!("that it follows one of {}", after.iter().map(word).collect::<Vec<_>>().join(", "))
            }
        };
        f.write_str(&begins.into_iter().chain([after]).collect::<Vec<_>>().join(", or "))
    }
}
