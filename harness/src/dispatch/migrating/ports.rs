//! What the parties reach through: the stub's inventory, the S1SP's devices, the SMSO's devices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lab_config::{DeviceKind, Eui64, Lab, Path, RegistrationStatus, Rig, RigDevice, Security};
use proto_duis::{DeviceStatus, InventoryDevice};
use proto_migration::{
    Commissioned, CommonInstallation, Device, Holder, InstallationKind, MeterPoint, Secret, SecretKind,
    Secrets, Text,
};

use super::super::Book;
use super::super::stub::StubDcc;
use super::parties::{Ground, is_meter};
use crate::dcc::Enrolment;
use crate::driver::{Client, RigLinks};
use crate::execute::Ledger as _;
use crate::migration::party::commissioning::Dsp;
use crate::migration::party::{
    BoxFuture, ContactReport, Contacts, DeviceReport, KeyWrap, KnownEstate, Refused, Smso,
};
use crate::migration::{Code, checks, text};
use crate::s1sp::S1sp;

/// The name of the installation: the EUI-64 of its communications hub. One without is refused by data validation before its
/// name matters.
pub(super) fn installation(rig: &Rig) -> Eui64 {
    let named = rig.device(DeviceKind::Chf).or(rig.devices().next());
    named.map_or(Eui64::new([0; 8]), |device| device.eui64)
}

/// The suppliers that operate a meter of the rig's installation.
pub(super) fn active_suppliers(ground: &Ground<'_>) -> Vec<Eui64> {
    let active = meter_points(ground).into_iter().filter(|point| point.active);
    let suppliers: BTreeSet<Eui64> = active.map(|point| point.supplier).collect();
    suppliers.into_iter().collect()
}

/// The meter points of the rig, with the suppliers its SMSO knows of: those that are registered.
fn meter_points(ground: &Ground<'_>) -> Vec<MeterPoint> {
    let point = |device: &RigDevice| {
        let number = device.meter_point.as_ref()?;
        let supplier = ground.lab.registration(number)?.supplier;
        let active = ground.entry.is_active(number.fuel());
        let number = text::shortened(number.as_str());
        Some(MeterPoint { device: device.eui64, number, supplier, active })
    };
    ground.rig.devices().filter_map(point).collect()
}

/// The supplier of every meter point that is supplied, of those the lab knows.
fn registered(lab: &Lab) -> BTreeMap<Text, Eui64> {
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

/// The S1SP of the rig.
pub(super) struct RigContacts {
    s1sp: Arc<S1sp>,
}

impl RigContacts {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        Self { s1sp: Arc::clone(&ground.stub.s1sp) }
    }
}

impl Contacts for RigContacts {
    fn viable(&self, declared: &CommonInstallation, secrets: &Secrets) -> Result<(), Refused> {
        let has = |device: &&Device| secrets.of.iter().any(|(of, ..)| *of == device.id);
        let meters = declared.devices.iter().filter(|device| is_meter(device.kind));
        match meters.into_iter().find(|device| !has(device)) {
            None => Ok(()),
            Some(device) => {
                let reason = format!("nothing was handed over for {} {}", device.kind, device.id);
                Err(Refused::new(Code::KeysMissing, reason))
            }
        }
    }

    fn contact<'a>(
        &'a self,
        declared: &'a CommonInstallation,
        _: &'a Secrets,
        _: &'a dyn KeyWrap,
    ) -> BoxFuture<'a, ContactReport> {
        Box::pin(async move {
            let report = match self.s1sp.take_control().await {
                Ok(said) => DeviceReport::Contacted { said },
                Err(reason) => DeviceReport::Failed(Refused::new(Code::DeviceRefused, reason)),
            };
            let hub = declared.installation;
            ContactReport { devices: BTreeMap::from([(hub, report)]) }
        })
    }

    fn give_back(&self, _: Eui64) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(self.s1sp.give_back())
    }

    fn hold<'a>(&'a self, _: Eui64, holders: &'a [(Eui64, Holder)]) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if holders.iter().any(|(_, holder)| *holder == Holder::Dcc) {
                self.s1sp.hold_for_the_dcc();
            }
        })
    }
}

/// The SMSO of the rig's installation, with the credentials of the lab file.
pub(super) struct RigSmso {
    rig: Arc<Rig>,
    links: RigLinks,
    s1sp: Arc<S1sp>,
    kind: InstallationKind,
    meter_points: Vec<MeterPoint>,
}

impl RigSmso {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        let kind = checks::kind(ground.entry.installation_type);
        Self {
            rig: Arc::clone(ground.rig),
            links: ground.links.clone(),
            s1sp: Arc::clone(&ground.stub.s1sp),
            kind,
            meter_points: meter_points(ground),
        }
    }

    fn own(&self, asked: Eui64) -> Result<(), Refused> {
        match installation(&self.rig) {
            own if own == asked => Ok(()),
            own => {
                let reason = format!("{asked} is not this SMSO's; it has {own}");
                Err(Refused::new(Code::NotBrought, reason))
            }
        }
    }

    fn common(&self) -> CommonInstallation {
        let device = |device: &RigDevice| {
            let identity = &device.model.identity;
            Device {
                kind: device.kind,
                id: device.eui64,
                manufacturer: text::shortened(&identity.manufacturer.to_string()),
                model: text::shortened(&identity.model.to_string()),
                hardware: text::shortened(&identity.hardware_version.to_string()),
                firmware: text::shortened(&identity.firmware_version.to_string()),
                configuration: text::shortened(&identity.configuration_version.to_string()),
            }
        };
        CommonInstallation {
            installation: installation(&self.rig),
            kind: self.kind,
            authorisations: Vec::new(),
            devices: self.rig.devices().map(device).collect(),
            meter_points: self.meter_points.clone(),
        }
    }

    fn passwords(&self) -> Result<Secrets, Refused> {
        let mut of = Vec::new();
        for device in self.rig.devices() {
            for (client, security) in &device.credentials.clients {
                let Security::Low(source) = security else { continue };
                let secret = source.secret();
                let secret = secret.map_err(|error| Refused::new(Code::KeysMissing, error.to_string()))?;
                let secret = Secret::new(secret.expose().to_vec());
                of.push((device.eui64, Some(client.get()), SecretKind::Password, secret));
            }
        }
        Ok(Secrets { of })
    }

    /// Associates with a device that is awake.
    async fn lets_in(&self, device: &RigDevice) -> Result<(), String> {
        let session = self.links.open(device, Path::Wan, Client::Management).await;
        match session {
            Ok(session) => {
                session.close().await;
                Ok(())
            }
            Err(error) => Err(format!("{} {}: {error}", device.kind, device.eui64)),
        }
    }
}

impl Smso for RigSmso {
    fn estate(&self, asked: Eui64) -> BoxFuture<'_, Result<KnownEstate, Refused>> {
        Box::pin(async move {
            self.own(asked)?;
            let (common, for_s1sp) = (self.common(), self.passwords()?);
            Ok(KnownEstate { common, for_s1sp, for_dco: Secrets::default() })
        })
    }

    fn prepare(&self, asked: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            self.own(asked)?;
            Err(Refused::new(Code::Firmware, "this SMSO prepares no devices"))
        })
    }

    fn reach(&self, asked: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            self.own(asked)?;
            self.s1sp.rest().await;
            let (mut reached, mut silent) = (0, Vec::new());
            let awake = |device: &&RigDevice| {
                device.model.wake_interval().is_none() && device.client(Path::Wan).is_some()
            };
            for device in self.rig.devices().filter(awake).collect::<Vec<_>>() {
                match self.lets_in(device).await {
                    Ok(()) => reached += 1,
                    Err(words) => silent.push(words),
                }
            }
            match silent.is_empty() {
                true => Ok(format!("its SMSO reaches {reached} devices")),
                false => Err(Refused::new(Code::DeviceRefused, silent.join("; "))),
            }
        })
    }
}
