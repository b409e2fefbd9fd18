//! Where an installation stands in its migration, and which operation may come next. Pure.

use std::fmt;

use proto_duis::Eui64;
use proto_migration::{AuthorisationId, OutcomeClass};
use serde::{Deserialize, Serialize};

use super::Code;

/// Failed attempts after which an installation is excluded (TMAD).
pub const MOST_ATTEMPTS: u8 = 5;

/// An operation on an installation, as scripts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The migration is authorised.
    Authorise,
    /// The SMSO brings the devices to the firmware and configuration their entry has.
    Prepare,
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

    /// All of them, in the order in which they may come.
    pub const ALL: [Self; 6] =
        [Self::Authorise, Self::Prepare, Self::Validate, Self::Contact, Self::Commission, Self::Rollback];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorise => "authorise",
            Self::Prepare => "prepare",
            Self::Validate => "validate",
            Self::Contact => "contact",
            Self::Commission => "commission",
            Self::Rollback => "rollback",
        })
    }
}

/// Why an installation does not get further: the code that a party said it by, and the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The code, as files and records say it. One of the lab's own has a [`Code`]; a party outside may say others.
    pub code: String,
    /// What was found and what was expected, without secrets.
    pub reason: String,
}

impl Finding {
    /// The check, where it is one of the lab's own.
    pub fn check(&self) -> Option<Code> {
        Code::of(&self.code)
    }

    /// Whether the installation failed. Taking it back on request is no failure, and an interrupted control's is not its.
    pub fn is_failure(&self) -> bool {
        !matches!(self.check(), Some(Code::AskedFor | Code::Interrupted | Code::Lab))
    }

    fn excludes(&self) -> bool {
        self.check().is_some_and(Code::excludes)
    }

    fn too_many(self) -> Self {
        let Self { code, reason } = self;
        let reason = format!("{MOST_ATTEMPTS} attempts failed, the last by {code}: {reason}");
        Self { code: Code::TooManyAttempts.published().to_owned(), reason }
    }
}

impl From<super::Refused> for Finding {
    fn from(refused: super::Refused) -> Self {
        Self { code: refused.code.published().to_owned(), reason: refused.reason }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

/// Under what an installation is migrated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Its authorisations; a mixed installation has two.
    pub authorisations: Vec<AuthorisationId>,
    /// Devices that stay with the SMSO (GT01).
    pub without: Vec<Eui64>,
}

/// How far the S1SP's control of an installation has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// Any of its devices may have new keys.
    Begun,
    /// All have.
    Done,
    /// It is on its way back, for this.
    Leaving(Finding),
}

/// Where an installation stands. It is wholly with its SMSO, wholly migrated, or on a way whose every step can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nothing has been done.
    #[default]
    WithSmso,
    /// Authorised.
    Authorised(Standing),
    /// Its devices have the firmware and configuration of its entry.
    Prepared(Standing),
    /// Its data passed every check.
    Validated(Standing),
    /// The S1SP holds the credentials of its devices, or is about to, or may still.
    UnderS1spControl(Standing, Contact),
    /// Its devices are in the inventory, commissioned.
    Migrated(Standing),
    /// A check refused it; the SMSO never lost control.
    Refused(Finding),
    /// It came back whole.
    RolledBack(Finding),
    /// It came back whole, or never left, and will not be tried again until a person says so.
    Excluded(Finding),
}

/// Who is in control of an installation's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InControl {
    /// Its SMSO.
    Smso,
    /// The S1SP, on the way there or back.
    S1sp,
    /// The DCC.
    Dcc,
}

impl Stage {
    /// The stage's name in scripts and records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WithSmso => "with-smso",
            Self::Authorised(_) => "authorised",
            Self::Prepared(_) => "prepared",
            Self::Validated(_) => "validated",
            Self::UnderS1spControl(..) => "under-s1sp-control",
            Self::Migrated(_) => "migrated",
            Self::Refused(_) => "refused",
            Self::RolledBack(_) => "rolled-back",
            Self::Excluded(_) => "excluded",
        }
    }

    /// What it stands under; none where no migration is under way or done.
    pub const fn standing(&self) -> Option<&Standing> {
        match self {
            Self::Authorised(standing)
            | Self::Prepared(standing)
            | Self::Validated(standing)
            | Self::UnderS1spControl(standing, _)
            | Self::Migrated(standing) => Some(standing),
            Self::WithSmso | Self::Refused(_) | Self::RolledBack(_) | Self::Excluded(_) => None,
        }
    }

    /// Why it is where it should not be.
    pub const fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Refused(finding) | Self::RolledBack(finding) | Self::Excluded(finding) => Some(finding),
            Self::UnderS1spControl(_, Contact::Leaving(finding)) => Some(finding),
            _ => None,
        }
    }

    /// Who is in control of the devices that migrate.
    pub const fn in_control(&self) -> InControl {
        match self {
            Self::UnderS1spControl(..) => InControl::S1sp,
            Self::Migrated(_) => InControl::Dcc,
            _ => InControl::Smso,
        }
    }

    /// The code of why it stands there, where there is one: GT01 for electricity that migrated alone.
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Migrated(standing) if !standing.without.is_empty() => {
                Some(Code::GasHan.published().to_owned())
            }
            _ => self.finding().map(|finding| finding.code.clone()),
        }
    }

    /// How its migration ended; none while it is under way or was never begun.
    pub const fn class(&self) -> Option<OutcomeClass> {
        match self {
            Self::Migrated(_) => Some(OutcomeClass::Migrated),
            Self::Refused(_) => Some(OutcomeClass::Refused),
            Self::RolledBack(_) => Some(OutcomeClass::RolledBack),
            Self::Excluded(_) => Some(OutcomeClass::Excluded),
            _ => None,
        }
    }

    /// Whether this operation may be tried now.
    ///
    /// # Errors
    /// [`OutOfOrder`] when another one has to come first.
    pub fn allows(&self, operation: Operation) -> Result<(), OutOfOrder> {
        let allowed = match operation {
            Operation::Authorise => {
                matches!(self, Self::WithSmso | Self::Refused(_) | Self::RolledBack(_))
            }
            Operation::Prepare => matches!(self, Self::Authorised(_)),
            Operation::Validate => matches!(self, Self::Authorised(_) | Self::Prepared(_)),
            Operation::Contact => matches!(self, Self::Validated(_)),
            Operation::Commission => matches!(self, Self::UnderS1spControl(_, Contact::Done)),
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
    "`{operation}` cannot follow: the installation is {stage}; the order is authorise, prepare where it is wanted, validate, \
     contact, commission; what is excluded is tried again once a person lifts that"
)]
pub struct OutOfOrder {
    /// The operation asked for.
    pub operation: Operation,
    /// The stage it was asked for in.
    pub stage: &'static str,
}

/// What happens to an installation. Written down in this order, these are its whole story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// It may be migrated, under these.
    Authorised {
        /// The authorisations.
        #[serde(with = "as_text")]
        authorisations: Vec<AuthorisationId>,
    },
    /// Its SMSO has made it ready.
    Prepared,
    /// Its data passed.
    Validated,
    /// The S1SP is about to change keys.
    ContactBegins,
    /// The S1SP has changed the keys.
    Contacted {
        /// Devices that stay with the SMSO.
        without: Vec<Eui64>,
    },
    /// Its devices are about to join the inventory.
    CommissioningBegins,
    /// They have joined it.
    Commissioned,
    /// It gets no further, and its SMSO never lost control.
    Refused(Finding),
    /// It is about to go back.
    RollbackBegins(Finding),
    /// It is back, whole.
    RolledBack,
    /// It was asked back while its SMSO was in control: nothing had to be undone.
    NothingToUndo(Finding),
    /// A person lets it be tried again.
    Lifted {
        /// Who, or what for.
        by: String,
    },
}

impl Event {
    /// Whether something is about to be done that a crash would leave half done: it is written down, safe on disk, first.
    pub const fn is_hazardous(&self) -> bool {
        matches!(self, Self::ContactBegins | Self::CommissioningBegins | Self::RollbackBegins(_))
    }

    /// Whether it must be safe on disk before anything else happens: before such an act, and after it.
    pub const fn is_durable(&self) -> bool {
        self.is_hazardous()
            || matches!(
                self,
                Self::Contacted { .. } | Self::Commissioned | Self::RolledBack | Self::Lifted { .. }
            )
    }
}

/// Lists of texts in the journal.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(list: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
    }
}

/// Something that cannot happen to an installation where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to an installation that is {stage}")]
pub struct Impossible {
    /// What.
    pub event: Event,
    /// Where it stands.
    pub stage: &'static str,
}

/// One installation's migration: where it stands, and how often it failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installation {
    stage: Stage,
    failed: u8,
}

impl Installation {
    /// Where it stands.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Attempts that failed since it was last migrated or a person last lifted an exclusion; at most [`MOST_ATTEMPTS`].
    pub const fn failed(&self) -> u8 {
        self.failed
    }

    /// The attempt under way or next, from 1.
    pub const fn attempt(&self) -> u8 {
        self.failed.saturating_add(1)
    }

    /// Takes note of what happened.
    ///
    /// # Errors
    /// [`Impossible`]; the installation is then as it was.
    pub fn apply(&mut self, event: Event) -> Result<(), Impossible> {
        let refused = |event| Err(Impossible { event, stage: self.stage.name() });
        let next = match (self.stage.clone(), event) {
            (
                Stage::WithSmso | Stage::Refused(_) | Stage::RolledBack(_),
                Event::Authorised { authorisations },
            ) => Stage::Authorised(Standing { authorisations, without: Vec::new() }),
            (Stage::Authorised(standing), Event::Prepared) => Stage::Prepared(standing),
            (Stage::Authorised(standing) | Stage::Prepared(standing), Event::Validated) => {
                Stage::Validated(standing)
            }
            (Stage::Validated(standing), Event::ContactBegins) => {
                Stage::UnderS1spControl(standing, Contact::Begun)
            }
            (Stage::UnderS1spControl(standing, Contact::Begun), Event::Contacted { without }) => {
                Stage::UnderS1spControl(Standing { without, ..standing }, Contact::Done)
            }
            (stage @ Stage::UnderS1spControl(_, Contact::Done), Event::CommissioningBegins) => stage,
            (Stage::UnderS1spControl(standing, Contact::Done), Event::Commissioned) => {
                self.failed = 0;
                Stage::Migrated(standing)
            }
            (
                Stage::UnderS1spControl(standing, _) | Stage::Migrated(standing),
                Event::RollbackBegins(finding),
            ) => Stage::UnderS1spControl(standing, Contact::Leaving(finding)),
            (Stage::UnderS1spControl(_, Contact::Leaving(finding)), Event::RolledBack) => {
                self.ended(finding, Stage::RolledBack)
            }
            (stage, Event::Refused(finding)) if self.may_be_refused() => {
                let _ = stage;
                self.ended(finding, Stage::Refused)
            }
            (stage @ Stage::Excluded(_), Event::NothingToUndo(_)) => stage,
            (stage, Event::NothingToUndo(finding)) if stage.in_control() == InControl::Smso => {
                Stage::RolledBack(finding)
            }
            (Stage::Excluded(finding), Event::Lifted { .. }) => {
                self.failed = 0;
                Stage::RolledBack(finding)
            }
            (stage, Event::Lifted { .. }) => {
                self.failed = 0;
                stage
            }
            (_, event) => return refused(event),
        };
        self.stage = next;
        Ok(())
    }

    fn may_be_refused(&self) -> bool {
        self.stage.in_control() == InControl::Smso && !matches!(self.stage, Stage::Excluded(_))
    }

    /// The stage an attempt ends in: the one its end is, or exclusion.
    fn ended(&mut self, finding: Finding, end: fn(Finding) -> Stage) -> Stage {
        if !finding.is_failure() {
            return end(finding);
        }
        self.failed = self.failed.saturating_add(1).min(MOST_ATTEMPTS);
        match self.failed {
            _ if finding.excludes() => Stage::Excluded(finding),
            MOST_ATTEMPTS => Stage::Excluded(finding.too_many()),
            _ => end(finding),
        }
    }
}

#[cfg(test)]
mod tests;
