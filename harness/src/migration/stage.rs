//! Where an installation stands in its migration, and which operation may come next.

use std::fmt;

use jiff::Timestamp;
use proto_duis::Eui64;

use super::Refusal;

/// An operation on an installation, as scripts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The migration is authorised.
    Authorise,
    /// The installation's data are validated.
    Validate,
    /// The S1SP talks to every device and takes control of it.
    Contact,
    /// The devices join the inventory as commissioned.
    Commission,
    /// Everything done so far is undone and the SMSO is in control again.
    Rollback,
}

impl Operation {
    /// The operations of a migration that succeeds, in order.
    pub const FORWARD: [Self; 4] = [Self::Authorise, Self::Validate, Self::Contact, Self::Commission];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorise => "authorise",
            Self::Validate => "validate",
            Self::Contact => "contact",
            Self::Commission => "commission",
            Self::Rollback => "rollback",
        })
    }
}

/// The authorisation under which an installation is migrated (TMAD; the name's form is the one its files have).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation(String);

impl Authorisation {
    /// `MA_<provider>_<EUI-64 of the communications hub>_<date>_<time>`.
    pub fn new(provider: &str, hub: Option<Eui64>, at: Timestamp) -> Self {
        let provider: String = provider.chars().filter(char::is_ascii_alphanumeric).collect();
        let hub = hub.map(|hub| hub.to_string().replace('-', "")).unwrap_or_default();
        Self(format!("MA_{provider}_{hub}_{}", at.strftime("%Y%m%d_%H%M%S")))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where an installation stands. It is wholly with its SMSO, wholly migrated, or on a way whose every step can be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Nothing has been done.
    WithSmso,
    /// Authorised.
    Authorised(Authorisation),
    /// Its data passed every check.
    Validated(Authorisation),
    /// The S1SP holds the credentials of all its devices.
    UnderS1spControl(Authorisation),
    /// Its devices are in the inventory, commissioned.
    Migrated(Authorisation),
    /// A check refused it; the SMSO never lost control.
    Refused(Refusal),
    /// It came back whole after a failure.
    RolledBack {
        /// Why.
        reason: String,
    },
}

impl Stage {
    /// The stage's name in scripts and records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WithSmso => "with-smso",
            Self::Authorised(_) => "authorised",
            Self::Validated(_) => "validated",
            Self::UnderS1spControl(_) => "under-s1sp-control",
            Self::Migrated(_) => "migrated",
            Self::Refused(_) => "refused",
            Self::RolledBack { .. } => "rolled-back",
        }
    }

    /// The authorisation it stands under, if any.
    pub const fn authorisation(&self) -> Option<&Authorisation> {
        match self {
            Self::Authorised(a) | Self::Validated(a) | Self::UnderS1spControl(a) | Self::Migrated(a) => {
                Some(a)
            }
            Self::WithSmso | Self::Refused(_) | Self::RolledBack { .. } => None,
        }
    }

    /// Whether the SMSO is in control of the devices.
    pub const fn with_smso(&self) -> bool {
        !matches!(self, Self::UnderS1spControl(_) | Self::Migrated(_))
    }

    /// Whether this operation may be tried now.
    ///
    /// # Errors
    /// [`OutOfOrder`] when another one has to come first.
    pub fn allows(&self, operation: Operation) -> Result<(), OutOfOrder> {
        let allowed = match operation {
            Operation::Authorise => {
                matches!(self, Self::WithSmso | Self::Refused(_) | Self::RolledBack { .. })
            }
            Operation::Validate => matches!(self, Self::Authorised(_)),
            Operation::Contact => matches!(self, Self::Validated(_)),
            Operation::Commission => matches!(self, Self::UnderS1spControl(_)),
            // A clean-up asks for it wherever its script was left, before the authorisation too.
            Operation::Rollback => true,
        };
        match allowed {
            true => Ok(()),
            false => Err(OutOfOrder { operation, stage: self.name() }),
        }
    }
}

/// An operation that cannot follow what was done so far.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{operation}` cannot follow: the installation is {stage}; the order is authorise, validate, contact, commission"
)]
pub struct OutOfOrder {
    /// The operation asked for.
    pub operation: Operation,
    /// The stage it was asked for in.
    pub stage: &'static str,
}
