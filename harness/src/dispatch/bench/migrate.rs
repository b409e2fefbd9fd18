//! Migrations as scripts ask for them, and as the dispatcher does where a pack needs an enrolled installation.

use std::time::Duration;

use lab_config::Path;
use scenarios::{Bindings, Declared, Migrate, Migration, ModelField, SmsoAttempt, Spoil, Values, Wrong};
use tokio::time::Instant;

use super::{OWN_PATIENCE, RigBench, evidence_trouble};
use crate::dispatch::migrating::{Migrating, Stopped};
use crate::dispatch::second_path;
use crate::driver::prove;
use crate::execute::{LedgerError, Seen, Trouble};
use crate::migration::exchange;
use crate::migration::party::smso::{self, Property};
use crate::migration::{Operation, Stage, text};

/// Who lets an excluded installation be tried again between scripts.
const BETWEEN_SCRIPTS: &str = "a script begins, and every script runs on its own";
/// Who does in a script.
const BY_SCRIPT: &str = "asked for by the script";

impl RigBench {
    /// Takes back what an earlier run left on the way.
    ///
    /// # Errors
    /// The evidence cannot be written.
    pub(in crate::dispatch) async fn recover(&mut self) -> Result<(), LedgerError> {
        match &mut self.migration {
            Some(migration) => migration.recover().await,
            None => Ok(()),
        }
    }

    /// No attempt of an earlier script counts against this one.
    pub(super) fn begin_migrations(&mut self) {
        let lifted = self.migration.as_mut().map(|migration| migration.lift(BETWEEN_SCRIPTS));
        // A record that cannot be written stops the recorder, and with it the run, at the next.
        drop(lifted);
    }

    fn migrating(&mut self) -> Result<&mut Migrating, Trouble> {
        let refused = "the DCC of this lab is somebody else's: the harness migrates no installation into it or out of it";
        self.migration.as_mut().ok_or_else(|| Trouble::error(refused))
    }

    /// One operation of a script.
    pub(super) async fn migrate(&mut self, migrate: &Migrate, bindings: &Bindings) -> Result<Seen, Trouble> {
        let wrong = migrate.declare.iter().map(|declared| self.wrong(declared, bindings));
        let wrong = wrong.collect::<Result<Vec<_>, Trouble>>()?;
        let migrating = self.migrating()?;
        migrating.declare(wrong);
        if let Some(spoil) = &migrate.spoil {
            let Spoil { file, from, how } = *spoil;
            migrating.spoil(exchange::Spoil { kind: file, from, how });
        }
        let done = match operation(migrate.operation) {
            Some(operation) => self.operate(operation).await.map(drop),
            None => migrating.lift(BY_SCRIPT).map(drop).map_err(evidence_trouble),
        };
        let migrating = self.migrating()?;
        migrating.declare(Vec::new());
        done?;
        let values = migrating.values();
        let contacted = matches!(migrating.stage(), Stage::UnderS1spControl(..));
        // Asked only where the script did not expect that.
        self.out_of_reach |= operation(migrate.operation) == Some(Operation::Contact) && !contacted;
        Ok(Seen { from: "migration control".to_owned(), values, ..Seen::default() })
    }

    fn wrong(
        &self,
        declared: &Declared,
        bindings: &Bindings,
    ) -> Result<(lab_config::DeviceKind, smso::Wrong), Trouble> {
        let kind = declared.device;
        if self.rig.device(kind).is_none() {
            return Err(Trouble::error(format!("rig {} has no {kind} to declare wrongly", self.rig.name)));
        }
        let said = |operand: &scenarios::Operand| {
            let value = operand.resolve(bindings).map_err(|e| Trouble::error(e.to_string()))?;
            Ok::<String, Trouble>(value.as_text().to_string())
        };
        let wrong = match &declared.wrong {
            Wrong::Model(field, value) => {
                smso::Wrong::Model(property(*field), text::shortened(&said(value)?))
            }
            Wrong::MeterPoint(number) => smso::Wrong::MeterPoint(text::shortened(&said(number)?)),
            Wrong::Supplier(supplier) => {
                let supplier = said(supplier)?.parse();
                smso::Wrong::Supplier(supplier.map_err(|e| {
                    Trouble::error(format!("declared supplier of the {kind}'s meter point: {e}"))
                })?)
            }
            Wrong::LeftOut => smso::Wrong::LeftOut,
        };
        Ok((kind, wrong))
    }

    /// One operation, recorded with the stage it led to.
    pub(super) async fn operate(&mut self, operation: Operation) -> Result<String, Trouble> {
        self.migrating()?.operate(operation).await.map_err(|stopped| match stopped {
            Stopped::Ledger(error) => evidence_trouble(error),
            other => Trouble::error(other.to_string()),
        })
    }

    /// Brings the installation into the inventory unless it is there.
    pub(super) async fn migrate_whole(&mut self) -> Result<String, Trouble> {
        let migrating = self.migrating()?;
        if matches!(migrating.stage(), Stage::Migrated(_)) {
            return Ok(String::new());
        }
        migrating.declare(Vec::new());
        migrating.lift("the installation is needed enrolled").map_err(evidence_trouble)?;
        let mut said = Vec::new();
        for operation in Operation::FORWARD {
            let done = tokio::time::timeout(OWN_PATIENCE, self.operate(operation)).await;
            said.push(done.unwrap_or_else(|_| {
                Err(Trouble::error(format!("{operation} took longer than {OWN_PATIENCE:?}")))
            })?);
            if self.migrating()?.stage().class().is_some() {
                break;
            }
        }
        match self.migrating()?.stage() {
            Stage::Migrated(_) => {
                // Every script must run on its own, so the handover that follows a dormant migration is taken as done; the
                // scripts that are about it migrate the installation themselves.
                self.system.suppliers_take_over();
                Ok(format!("installation migrated: {}; its suppliers have taken it over", said.join("; ")))
            }
            other => {
                Err(Trouble::error(format!("the installation is {}: {}", other.name(), said.join("; "))))
            }
        }
    }

    /// The SMSO tries a device with what it had before the migration. A device that does not answer answers no question.
    pub(super) async fn smso_tries(
        &mut self,
        attempt: &SmsoAttempt,
        bindings: &Bindings,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let deadline = Instant::now() + within;
        // The S1SP may hold the device's one association still.
        self.system.quiesce(within / 2).await;
        let device = self.device(attempt.device, bindings)?;
        let links = self.system.links.with_credentials_of_lab();
        let looked = prove::look(&links, device, Path::Wan, deadline).await;
        let (outcome, reason) = match looked {
            Ok(_) => ("answered", None),
            Err(error) if error.is_wrong_credential() => ("refused", Some(error.to_string())),
            Err(error) => return Err(second_path::reach(error)),
        };
        let mut values = Values::new();
        values.set("smso.outcome", outcome);
        if let Some(reason) = reason {
            values.set("smso.reason", reason);
        }
        Ok(Seen { from: "SMSO".to_owned(), values, ..Seen::default() })
    }

    /// Whether the installation is back with its SMSO, in words for the safe state.
    pub(super) fn given_back(&self, in_time: bool) -> Result<String, String> {
        match self.migration.as_ref().map_or(Stage::WithSmso, Migrating::stage) {
            Stage::RolledBack(_) if in_time => Ok("given back to its SMSO".to_owned()),
            Stage::Excluded(_) if in_time => Ok("given back to its SMSO, excluded".to_owned()),
            other => Err(format!("still {}", other.name())),
        }
    }
}

const fn operation(asked: Migration) -> Option<Operation> {
    Some(match asked {
        Migration::Authorise => Operation::Authorise,
        Migration::Prepare => Operation::Prepare,
        Migration::Validate => Operation::Validate,
        Migration::Contact => Operation::Contact,
        Migration::Commission => Operation::Commission,
        Migration::Rollback => Operation::Rollback,
        Migration::Lift => return None,
    })
}

const fn property(field: ModelField) -> Property {
    match field {
        ModelField::Manufacturer => Property::Manufacturer,
        ModelField::Model => Property::Model,
        ModelField::HardwareVersion => Property::Hardware,
        ModelField::FirmwareVersion => Property::Firmware,
        ModelField::ConfigurationVersion => Property::Configuration,
    }
}
