//! Carries the operations of a migration out, each against the parties it needs.

use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;
use lab_config::{DeviceKind, DeviceModelCombination, EpclEntry, Eui64, InstallationType, Rig};

use super::checks::{self, Declared};
use super::{Authorisation, Operation, OutOfOrder, Stage};

/// Those whose doing a migration is: the DCC with its inventory, the S1SP with the devices.
pub trait Parties: Send {
    /// Whether the inventory holds this device as commissioned.
    fn enrolled(&self, device: Eui64) -> bool;

    /// The S1SP talks to every device of the installation and takes its credentials over; on an error it has given back
    /// whatever it took.
    fn take_control(&mut self) -> impl Future<Output = Result<String, String>> + Send;

    /// The SMSO gets the credentials of every device back.
    fn give_back(&mut self) -> impl Future<Output = Result<String, String>> + Send;

    /// The declared devices join the inventory as commissioned.
    fn enrol(&mut self, declared: &Declared) -> impl Future<Output = Result<(), String>> + Send;

    /// The S1SP holds the DCC's credentials where a supplier's would be, until one takes the devices over.
    fn hold_for_the_dcc(&mut self);

    /// The declared devices leave the inventory; one that is not in it has left already.
    fn withdraw(&mut self, declared: &Declared) -> impl Future<Output = Result<(), String>> + Send;
}

/// The migration of the installation on one rig.
#[derive(Debug)]
pub struct Control {
    stage: Stage,
    declared: Declared,
    entry: EpclEntry,
    combination: Arc<DeviceModelCombination>,
    installation: Option<Eui64>,
}

impl Control {
    /// A migration that has not begun.
    pub fn new(rig: &Rig, entry: EpclEntry) -> Self {
        Self {
            stage: Stage::WithSmso,
            declared: Declared::of(rig),
            entry,
            combination: Arc::clone(&rig.combination),
            // Named by its hub; one without is refused by data validation before its name matters.
            installation: rig.device(DeviceKind::Chf).or(rig.devices().next()).map(|device| device.eui64),
        }
    }

    /// The name of the installation: the EUI-64 of its communications hub.
    pub const fn installation(&self) -> Option<Eui64> {
        self.installation
    }

    /// Where the installation stands.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What the installation is declared to be; a script of a refused installation declares it wrongly.
    pub const fn declared_mut(&mut self) -> &mut Declared {
        &mut self.declared
    }

    /// Declares the installation as it truly is.
    pub fn declare_truly(&mut self, rig: &Rig) {
        self.declared = Declared::of(rig);
    }

    /// Tries one operation. The outcome is the stage reached; what went on is said in words.
    ///
    /// # Errors
    /// [`OutOfOrder`] when the operation cannot follow; the installation is then as it was.
    pub async fn operate<P: Parties>(
        &mut self,
        operation: Operation,
        parties: &mut P,
        now: Timestamp,
    ) -> Result<String, OutOfOrder> {
        self.stage.allows(operation)?;
        Ok(match operation {
            Operation::Authorise => self.authorise(now),
            Operation::Validate => self.validate(parties),
            Operation::Contact => self.contact(parties).await,
            Operation::Commission => self.commission(parties).await,
            Operation::Rollback => self.roll_back(parties, "asked for by the script".to_owned()).await,
        })
    }

    fn authorise(&mut self, now: Timestamp) -> String {
        let authorisation = Authorisation::new(&self.entry.smso, self.installation, now);
        let said = format!("authorised by {}", authorisation.as_str());
        self.stage = Stage::Authorised(authorisation);
        said
    }

    fn validate<P: Parties>(&mut self, parties: &P) -> String {
        let Some(authorisation) = self.stage.authorisation().cloned() else { return String::new() };
        let checked =
            checks::validate(&self.declared, &self.entry, &self.combination, |eui64| parties.enrolled(eui64));
        match checked {
            Ok(()) => {
                self.stage = Stage::Validated(authorisation);
                format!("{} devices match EPCL entry {}", self.declared.devices.len(), self.entry.id)
            }
            Err(refusal) => {
                let said = format!("refused, {}: {}", refusal.code, refusal.reason);
                self.stage = Stage::Refused(refusal);
                said
            }
        }
    }

    async fn contact<P: Parties>(&mut self, parties: &mut P) -> String {
        let Some(authorisation) = self.stage.authorisation().cloned() else { return String::new() };
        // Before it begins: whoever stops waiting half way leaves some devices with the S1SP, and a rollback must know.
        self.stage = Stage::UnderS1spControl(authorisation);
        match parties.take_control().await {
            Ok(said) => said,
            Err(reason) => {
                let said = format!("rolled back: {reason}");
                self.stage = Stage::RolledBack { reason };
                said
            }
        }
    }

    async fn commission<P: Parties>(&mut self, parties: &mut P) -> String {
        let Some(authorisation) = self.stage.authorisation().cloned() else { return String::new() };
        match parties.enrol(&self.declared).await {
            Ok(()) => {
                self.stage = Stage::Migrated(authorisation);
                let said = format!("{} devices commissioned in the inventory", self.declared.devices.len());
                if self.entry.installation_type != InstallationType::Dormant {
                    return said;
                }
                parties.hold_for_the_dcc();
                format!("{said}, the DCC holding them until a supplier takes them over")
            }
            Err(reason) => self.roll_back(parties, reason).await,
        }
    }

    /// What could not be undone leaves the stage where it is stuck: saying "rolled back" then would be a lie, and another
    /// rollback goes on from there. Where the SMSO never lost control there is nothing to undo, and that is said.
    async fn roll_back<P: Parties>(&mut self, parties: &mut P, reason: String) -> String {
        match self.undo(parties).await {
            Ok(done) => {
                let done = if done.is_empty() { "nothing to undo".to_owned() } else { done.join("; ") };
                let said = format!("rolled back ({reason}): {done}");
                self.stage = Stage::RolledBack { reason };
                said
            }
            Err(stuck) => format!("could not roll back ({reason}): {stuck}"),
        }
    }

    async fn undo<P: Parties>(&mut self, parties: &mut P) -> Result<Vec<String>, String> {
        let mut done = Vec::new();
        if let Stage::Migrated(authorisation) = &self.stage {
            let authorisation = authorisation.clone();
            parties.withdraw(&self.declared).await?;
            self.stage = Stage::UnderS1spControl(authorisation);
            done.push("devices left the inventory".to_owned());
        }
        if !self.stage.with_smso() {
            done.push(parties.give_back().await?);
        }
        Ok(done)
    }
}
