//! The Smart Metering Inventory: which devices the DCC serves, where each stands, and who is responsible for it.

mod change;

#[cfg(test)]
mod tests;

pub use change::{
    KNOWN_ALREADY, MPXN_TAKEN, NO_ROOM, NOT_FOR_ITS_TYPE, NOT_IN_THIS_STATUS, NOT_OF_ITS_TYPE,
    NOT_THE_NEXT_STATUS, NOT_TO_BE_DECOMMISSIONED,
};

use std::collections::{BTreeMap, BTreeSet};

use proto_duis::{DeviceStatus, Eui64, InventoryDevice, InventoryQuery};

/// The most devices of one installation: the longest answer to Read Inventory.
const MAX_INSTALLATION: usize = 17;
/// The most devices of all: users may pre-notify what is never installed.
const MAX_DEVICES: usize = 4096;

/// A device in the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// What Read Inventory says of it.
    pub device: InventoryDevice,
    /// The installation it belongs to: the EUI-64 of its communications hub.
    pub installation: Eui64,
    /// The suppliers responsible for it; its alerts go to the first that listens.
    pub responsible: BTreeSet<Eui64>,
    /// Who told the DCC that it will be installed (12.2); nobody did of a device that was migrated.
    pub notified_by: Option<Eui64>,
}

/// A change the inventory does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// The device is there already.
    #[error("device {0} is in the inventory already")]
    Enrolled(Eui64),
    /// The device is not there.
    #[error("device {0} is not in the inventory")]
    Unknown(Eui64),
    /// The installation would have more devices than an answer can list.
    #[error("installation {0} has {MAX_INSTALLATION} devices already")]
    Full(Eui64),
    /// No more devices can be listed.
    #[error("the inventory has {MAX_DEVICES} devices already")]
    TooMany,
}

/// The inventory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    devices: BTreeMap<Eui64, Enrolment>,
}

impl Inventory {
    /// An empty inventory.
    pub fn new() -> Inventory {
        Inventory::default()
    }

    /// Adds a device.
    ///
    /// # Errors
    /// It is there already, or its installation is full.
    pub fn enrol(&mut self, enrolment: Enrolment) -> Result<(), InventoryError> {
        let id = enrolment.device.id;
        if self.devices.contains_key(&id) {
            return Err(InventoryError::Enrolled(id));
        }
        if self.installation(enrolment.installation).count() >= MAX_INSTALLATION {
            return Err(InventoryError::Full(enrolment.installation));
        }
        if self.devices.len() >= MAX_DEVICES {
            return Err(InventoryError::TooMany);
        }
        self.devices.insert(id, enrolment);
        Ok(())
    }

    /// Takes a device out.
    ///
    /// # Errors
    /// It is not there.
    pub fn withdraw(&mut self, id: Eui64) -> Result<Enrolment, InventoryError> {
        self.devices.remove(&id).ok_or(InventoryError::Unknown(id))
    }

    /// Takes the devices of an installation out that a migration put there, and says how many those were. What a user has
    /// told the DCC of is that user's.
    pub fn withdraw_migrated(&mut self, installation: Eui64) -> usize {
        let before = self.devices.len();
        self.devices
            .retain(|_, enrolment| enrolment.installation != installation || enrolment.notified_by.is_some());
        before - self.devices.len()
    }

    /// Moves a device to another status.
    ///
    /// # Errors
    /// It is not there.
    pub fn set_status(&mut self, id: Eui64, status: DeviceStatus) -> Result<(), InventoryError> {
        let enrolment = self.devices.get_mut(&id).ok_or(InventoryError::Unknown(id))?;
        enrolment.device.status = Some(status);
        Ok(())
    }

    /// Keeps the day a device came into service; of one that is not there nothing is kept.
    pub fn set_commissioned(&mut self, id: Eui64, day: jiff::civil::Date) {
        if let Some(enrolment) = self.devices.get_mut(&id) {
            enrolment.device.commissioned = Some(day);
        }
    }

    /// Keeps the firmware version a device has; of one that is not there nothing is kept.
    pub fn set_firmware(&mut self, id: Eui64, version: String) {
        if let Some(enrolment) = self.devices.get_mut(&id) {
            enrolment.device.firmware = Some(version);
        }
    }

    /// The device of this identity.
    pub fn get(&self, id: Eui64) -> Option<&Enrolment> {
        self.devices.get(&id)
    }

    /// Whether the device is in the inventory and commissioned.
    pub fn is_commissioned(&self, id: Eui64) -> bool {
        self.get(id).is_some_and(|enrolment| enrolment.device.status == Some(DeviceStatus::Commissioned))
    }

    fn installation(&self, hub: Eui64) -> impl Iterator<Item = &Enrolment> {
        self.devices.values().filter(move |enrolment| enrolment.installation == hub)
    }

    /// Every device of the installation that a query finds, the one asked for first; none if the query finds nothing.
    ///
    /// The lab's devices have no UPRN and no address, so those queries find nothing.
    pub fn find(&self, query: &InventoryQuery) -> Vec<InventoryDevice> {
        let hit = match query {
            InventoryQuery::Device(id) => self.get(*id),
            InventoryQuery::MpxN(mpxn) => {
                self.devices.values().find(|found| found.device.import_mpxn.as_deref() == Some(mpxn.as_str()))
            }
            InventoryQuery::Uprn(_) | InventoryQuery::Property(_) => None,
        };
        let Some(hit) = hit else { return Vec::new() };
        let others = self.installation(hit.installation).filter(|other| other.device.id != hit.device.id);
        std::iter::once(hit).chain(others).map(|enrolment| enrolment.device.clone()).collect()
    }
}
