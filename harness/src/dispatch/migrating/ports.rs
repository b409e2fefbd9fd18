//! What the parties reach through: the stub's inventory, and the SMSO's devices. The S1SP has its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lab_config::{Eui64, Lab, RegistrationStatus, Rig};
use proto_duis::{DeviceStatus, InventoryDevice};
use proto_migration::{Commissioned, CommonInstallation, Device, Text};

use super::super::Book;
use super::super::estate::{installation, meter_points};
use super::super::stub::StubDcc;
use super::parties::Ground;
use crate::dcc::Enrolment;
use crate::execute::Ledger as _;
use crate::migration::party::commissioning::Dsp;
use crate::migration::party::{BoxFuture, KnownEstate, Refused, Smso};
use crate::migration::rig_smso::{RigSmso, declared};
use crate::migration::{checks, text};
use crate::s1sp::S1sp;

/// The supplier of every meter point that is supplied, of those the lab knows.
pub(in crate::dispatch) fn registered(lab: &Lab) -> BTreeMap<Text, Eui64> {
    let of_rigs = lab.rigs.iter().flat_map(Rig::devices).filter_map(|device| device.meter_point.as_ref());
    let numbers: BTreeSet<_> = of_rigs.chain(lab.registrations.keys()).collect();
    let found = numbers.into_iter().filter_map(|number| lab.registration(number));
    found
        .filter(|registration| registration.status == RegistrationStatus::Supplied)
        .map(|registration| (text::shortened(registration.number.as_str()), registration.supplier))
        .collect()
}

/// The stub's inventory, and the registrations of the lab.
pub(super) struct StubDsp {
    dcc: StubDcc,
    book: Book,
    registered: BTreeMap<Text, Eui64>,
}

impl StubDsp {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        let registered = registered(ground.lab);
        Self { dcc: ground.stub.dcc(), book: ground.book.clone(), registered }
    }

    fn enrolments(&self, joins: &Commissioned) -> Vec<Enrolment> {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let enrolment = |device: &Device| Enrolment {
            device: InventoryDevice {
                id: device.id,
                kind: device.kind,
                status: Some(DeviceStatus::Commissioned),
                manufacturer: device.manufacturer.to_string(),
                model: device.model.to_string(),
                specification: None,
                firmware: Some(device.firmware.to_string()),
                commissioned: Some(today),
                import_mpxn: None,
                secondary_import_mpan: None,
                export_mpan: None,
                variant: None,
                s1sp: None,
            },
            installation: joins.installation,
            responsible: self.dcc.users().responsible_for(device.kind),
            notified_by: None,
        };
        joins.devices.iter().map(enrolment).collect()
    }
}

impl Dsp for StubDsp {
    fn registered(&self, meter_point: &Text) -> Option<Eui64> {
        self.registered.get(meter_point).copied()
    }

    fn in_inventory(&self, device: Eui64) -> bool {
        self.dcc.with_inventory(|inventory| inventory.is_commissioned(device))
    }

    fn enrol(&self, joins: &Commissioned, _: &CommonInstallation) -> Result<(), String> {
        // What the inventory holds before the first device of the installation joins it must be safe on disk.
        self.book.clone().sync().map_err(|e| e.to_string())?;
        let enrolments = self.enrolments(joins);
        self.dcc.with_inventory(|inventory| {
            for (count, enrolment) in enrolments.iter().enumerate() {
                if let Err(error) = inventory.enrol(enrolment.clone()) {
                    enrolments[..count].iter().for_each(|joined| drop(inventory.withdraw(joined.device.id)));
                    return Err(error.to_string());
                }
            }
            Ok(())
        })
    }

    fn withdraw(&self, installation: Eui64) -> Result<usize, String> {
        Ok(self.dcc.with_inventory(|inventory| inventory.withdraw_migrated(installation)))
    }
}

/// The SMSO of the rig's installation. A device keeps one association for a client, so the S1SP ends its own before the SMSO
/// speaks to any.
pub(super) struct AloneSmso {
    smso: RigSmso,
    s1sp: Arc<S1sp>,
}

impl AloneSmso {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        let kind = checks::kind(ground.entry.installation_type);
        let rig = ground.rig;
        let known =
            declared(rig, installation(rig), kind, Vec::new(), meter_points(ground.lab, (rig, ground.entry)));
        Self { smso: RigSmso::new(ground.links, known), s1sp: Arc::clone(&ground.stub.s1sp) }
    }
}

impl Smso for AloneSmso {
    fn estate(&self, asked: Eui64) -> BoxFuture<'_, Result<KnownEstate, Refused>> {
        self.smso.estate(asked)
    }

    fn prepare(&self, asked: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            self.s1sp.rest().await;
            self.smso.prepare(asked).await
        })
    }

    fn reach(&self, asked: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            self.s1sp.rest().await;
            self.smso.reach(asked).await
        })
    }
}
