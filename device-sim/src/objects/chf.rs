//! The communications hub's own objects: who it is, the time, and which devices it has heard.

use std::collections::BTreeMap;

use proto_dlms::data::{Data, DataAccessResult};
use proto_duis::{DeviceKind, Eui64};

use super::directory::{Role, Spec};
use super::encode::{column, stamp};
use super::{Buffer, Device, Shell};
use crate::model::core::Core;
use crate::model::time::{MeterTime, Moment};

/// Devices a hub keeps in its log.
const LOGGED_DEVICES: usize = 16;

/// A device of the home area network, as the hub knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// What it is.
    pub kind: DeviceKind,
    /// When the hub last heard it; none if never.
    pub last: Option<MeterTime>,
}

/// The hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Plate, clock and journal.
    pub core: Core,
    /// The devices that have joined, by EUI-64.
    pub contacts: BTreeMap<Eui64, Contact>,
}

impl Hub {
    /// Notes that a device was heard now. One that never joined is not noted.
    pub fn heard(&mut self, from: Eui64) {
        let shown = self.core.shown();
        if let Some(contact) = self.contacts.get_mut(&from) {
            contact.last = Some(shown);
        }
    }
}

/// The device type numbers of the device log (after the GBCS device log use case).
pub fn device_type(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Gsme => 0,
        DeviceKind::Esme => 1,
        DeviceKind::Chf => 2,
        DeviceKind::Gpf => 3,
        DeviceKind::Ppmid => 5,
        DeviceKind::Ihd => 6,
    }
}

impl Device for Hub {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    fn live(&mut self, to: Moment) {
        if !self.core.wait_out(to) {
            self.core.bring_to(to);
        }
    }

    fn read(&self, _: &Spec, _: i8, _: &Shell) -> Result<Data, DataAccessResult> {
        Err(DataAccessResult::ObjectUnavailable)
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        let log = shell.directory.name(role);
        let row = |(eui64, contact): (&Eui64, &Contact)| {
            let last = contact.last.map_or_else(|| Data::Octets(vec![0xff; 12]), |at| stamp(at, shell.sign));
            let kind = Data::Enum(device_type(contact.kind));
            Data::Structure(vec![Data::Octets(eui64.octets().to_vec()), kind, last])
        };
        (role == Role::DeviceLog).then(|| Buffer {
            columns: vec![column(7, log, -1), column(7, log, -2), column(7, log, -3)],
            rows: self.contacts.iter().map(row).collect(),
            capacity: LOGGED_DEVICES,
            period: 0,
        })
    }
}
