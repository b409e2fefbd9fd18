//! The migration of the installation on a run's rig: its parties, brought together around the stub and the rig.

mod parties;
mod ports;

use std::sync::Arc;

use jiff::Timestamp;
use lab_config::Eui64;
use proto_duis::pki::Authority;
use proto_lab::record::{Body, Direction, Message, MigrationEvent, Note};
use proto_migration::{Address, OutcomeClass};
use scenarios::Values;

use super::{Book, RunError};
use crate::execute::LedgerError;
use crate::migration::exchange::{FileTap, Passed, Spoil, Spoiler, Turned};
use crate::migration::party::smso::{Misdeclared, Wrong};
use crate::migration::stage::Standing;
use crate::migration::{Control, InControl, Installation, Operation, OutOfOrder, Stage};
pub(super) use parties::{DCO, Ground, REQUESTING, SMSO};
pub(super) use ports::registered;

/// The migration of one installation, with the record of it.
pub(super) struct Migrating {
    control: Control,
    installation: Eui64,
    misdeclared: Misdeclared,
    spoiler: Spoiler,
    book: Book,
}

impl Migrating {
    /// Brings the parties together. Whatever an earlier run left on the way is not taken back yet: [`Migrating::recover`].
    ///
    /// # Errors
    /// [`RunError::Part`] naming what could not be started; [`RunError::Ledger`].
    pub(super) fn begin(ground: &Ground<'_>, authority: &Authority) -> Result<Self, RunError> {
        parties::begin(ground, authority)
    }

    /// Where it stands.
    pub(super) fn stage(&self) -> Stage {
        self.member().map_or(Stage::WithSmso, |member| member.stage().clone())
    }

    /// What it stands under, while a migration of it is under way or done.
    pub(super) fn standing(&self) -> Option<Standing> {
        self.stage().standing().cloned()
    }

    fn member(&self) -> Option<&Installation> {
        self.control.member(self.installation)
    }

    /// What the SMSO declares wrongly from now on; nothing, for what is so.
    pub(super) fn declare(&self, wrong: Vec<(lab_config::DeviceKind, Wrong)>) {
        self.misdeclared.set(wrong);
    }

    /// The next such file is spoilt.
    pub(super) fn spoil(&self, spoil: Spoil) {
        self.spoiler.spoil(spoil);
    }

    /// Tries an operation and records the stage it led to. Says what went on, and which file was to be spoilt and never came.
    ///
    /// # Errors
    /// Out of order, or the evidence cannot be written.
    pub(super) async fn operate(&mut self, operation: Operation) -> Result<String, Stopped> {
        let attempt = self.member().map(Installation::attempt);
        // A clean-up asks for a rollback wherever its script was left: where nothing was under way, no migration ends by it.
        let before = self.stage();
        let idle = before.class().is_some() && before.in_control() == InControl::Smso;
        let ends = operation != Operation::Rollback || !(idle || before == Stage::WithSmso);
        let done = self.control.operate(operation, Timestamp::now()).await;
        let left = self.spoiler.disarm();
        let said = done?;
        self.record(said.clone(), attempt, ends)?;
        self.tell()?;
        match left {
            Some(Spoil { kind, .. }) => Err(Stopped::NotSpoilt(kind.word())),
            None => Ok(said),
        }
    }

    /// Takes back what an earlier run left on the way, and records what was found and done.
    ///
    /// # Errors
    /// The evidence cannot be written.
    pub(super) async fn recover(&mut self) -> Result<(), LedgerError> {
        let attempt = self.member().map(Installation::attempt);
        for (_, said) in self.control.recover(Timestamp::now()).await {
            // What the harness's own DCC knew ended with its process; the devices are as the journal says all the same.
            let until = match self.stage() {
                Stage::Migrated(_) => {
                    "; this run's own DCC does not know it, and takes it back for its safe state"
                }
                _ => "",
            };
            self.record(format!("recovered: {said}{until}"), attempt, true)?;
        }
        self.tell()
    }

    /// Lets the installation be tried as if it had never failed: every script runs on its own.
    ///
    /// # Errors
    /// The evidence cannot be written.
    pub(super) fn lift(&mut self, by: &str) -> Result<bool, LedgerError> {
        let excluded = self.control.lift(self.installation, by, Timestamp::now());
        if excluded {
            self.record(format!("the exclusion is lifted: {by}"), None, false)?;
        }
        Ok(excluded)
    }

    fn tell(&mut self) -> Result<(), LedgerError> {
        for what in self.control.take_told() {
            self.book.write(Body::Note(Note { who: "migration control".to_owned(), what }))?;
        }
        Ok(())
    }

    /// Records the stage reached, and whether a migration ended there.
    fn record(&self, detail: String, attempt: Option<u8>, ends: bool) -> Result<(), LedgerError> {
        let stage = self.stage();
        let event = MigrationEvent {
            installation: self.installation.to_string(),
            stage: stage.name().to_owned(),
            detail,
            code: stage.code(),
            class: stage.class().filter(|_| ends).map(class),
            attempt,
        };
        self.book.write(Body::Migration(event)).map(|_| ())
    }

    /// What a script may expect of an operation.
    pub(super) fn values(&self) -> Values {
        let stage = self.stage();
        let mut values = Values::new();
        values.set("migration.state", stage.name());
        if let Some(finding) = stage.finding() {
            values.set("migration.code", finding.code.as_str());
            values.set("migration.reason", finding.reason.as_str());
        }
        if let Some(standing) = stage.standing() {
            values.set("migration.without", standing.without.len().to_string());
        }
        if let Some(kind) = self.control.refused_file() {
            values.set("migration.file", kind.word());
        }
        if let Some(member) = self.member() {
            values.set("migration.failed-attempts", member.failed().to_string());
        }
        values
    }
}

/// An operation that came to nothing a script could look at.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// It could not follow.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
    /// No file of the kind to be spoilt was written.
    #[error("no {0} file was written in this operation, so none was spoilt")]
    NotSpoilt(&'static str),
    /// The evidence cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

pub(super) const fn class(class: OutcomeClass) -> proto_lab::record::MigrationClass {
    use proto_lab::record::MigrationClass as Recorded;
    match class {
        OutcomeClass::Migrated => Recorded::Migrated,
        OutcomeClass::Refused => Recorded::Refused,
        OutcomeClass::RolledBack => Recorded::RolledBack,
        OutcomeClass::Excluded => Recorded::Excluded,
    }
}

/// Records every file of a migration as a message, whole.
pub(super) struct FileRecord {
    book: Book,
    control: Address,
}

impl FileRecord {
    pub(super) fn new(book: Book, control: Address) -> Arc<Self> {
        Arc::new(Self { book, control })
    }

    fn write(&self, direction: Direction, party: String, what: String, octets: &[u8]) {
        let written =
            self.book.write_message(octets, |blob| Message { direction, party, what, blob, intent: None });
        if let Err(error) = written {
            // Evidence that cannot be written stops the run at its next record.
            tracing::error!("a migration file was not recorded: {error}");
        }
    }
}

impl FileTap for FileRecord {
    fn passed(&self, seen: &Passed<'_>) {
        let Passed { name, kind, from, to, octets } = seen;
        let what = format!("migration {kind} file {name}");
        match *from == self.control {
            true => {
                let readers: Vec<String> = to.iter().map(|to| to.role.to_string()).collect();
                self.write(Direction::Sent, readers.join(", "), what, octets);
            }
            false => self.write(Direction::Received, from.role.to_string(), what, octets),
        }
    }

    fn refused(&self, seen: &Turned<'_>) {
        let Turned { from, by, why, octets } = seen;
        let what = format!("migration file refused by the {}: {why}", by.role);
        self.write(Direction::Received, from.role.to_string(), what, octets);
    }
}
