//! What users change in the inventory: pre-notification (12.2), Update Inventory (8.4), decommissioning (8.3). Pure.
//!
//! ```text
//!  12.2 ──> Pending <──8.4──> InstalledNotCommissioned ──(commissioning)──> Commissioned
//!             │  ^                    │                                         │
//!        8.4 delete └──────8.4── Decommissioned <──────────────8.3──────────────┘
//! ```
//!
//! Who may: a supplier responsible for the device, and who pre-notified it. Which status allows which change is general
//! knowledge of the field that no published table to hand confirms; it is kept in [`ALLOWED`], in one place.

use proto_duis::{
    DecommissionDevice, DeviceDetails, DevicePrenotification, DeviceStatus, Eui64, InventoryDevice,
    InventoryUpdate, MeteringPoint, ResponseCode, Srv, Unverified, UpdateInventory,
};

use super::{Enrolment, Inventory, InventoryError};
use crate::dcc::judge::{Refusal, refusal};
use crate::dcc::users::{User, authorised, is_supplier};
use lab_config::DeviceKind;

/// The answer to a pre-notification of a device that is in the inventory. The published tables to hand do not say which
/// check has which number, here and below.
pub const KNOWN_ALREADY: Unverified<&str> = Unverified("E120201");
/// The answer to a pre-notification that contradicts itself, or is of a type no SMETS1 installation has.
pub const NOT_OF_ITS_TYPE: Unverified<&str> = Unverified("E120203");
/// The answer to a pre-notification for which there is no room.
pub const NO_ROOM: Unverified<&str> = Unverified("E120204");
/// The answer to a decommissioning of a device whose status does not allow it.
pub const NOT_TO_BE_DECOMMISSIONED: Unverified<&str> = Unverified("E080301");
/// The answer to an update of a status that cannot follow.
pub const NOT_THE_NEXT_STATUS: Unverified<&str> = Unverified("E080405");
/// The answer to a change that does not apply to the type of the device.
pub const NOT_FOR_ITS_TYPE: Unverified<&str> = Unverified("E080406");
/// The answer to new details of a device, or a deletion of one, whose status does not allow it.
pub const NOT_IN_THIS_STATUS: Unverified<&str> = Unverified("E080407");
/// The answer to a meter point that another device has.
pub const MPXN_TAKEN: Unverified<&str> = Unverified("E080408");

use DeviceStatus::{
    Commissioned, Decommissioned, InstalledNotCommissioned, Pending, Suspended, Whitelisted, Withdrawn,
};

/// Which changes each status allows.
struct Allowed {
    /// The statuses a device other than a hub may be given, each from which.
    statuses: &'static [(DeviceStatus, &'static [DeviceStatus])],
    /// The same of a hub.
    hub_statuses: &'static [(DeviceStatus, &'static [DeviceStatus])],
    /// In which it may be decommissioned.
    decommission: &'static [DeviceStatus],
    /// In which its details may be changed.
    details: &'static [DeviceStatus],
    /// In which its meter point may be changed.
    meter_point: &'static [DeviceStatus],
    /// In which it may be deleted.
    delete: &'static [DeviceStatus],
}

const ALLOWED: Unverified<Allowed> = Unverified(Allowed {
    statuses: &[
        (Pending, &[Whitelisted, InstalledNotCommissioned, Decommissioned, Withdrawn]),
        (InstalledNotCommissioned, &[Pending, Whitelisted]),
    ],
    hub_statuses: &[
        (InstalledNotCommissioned, &[Pending]),
        (Commissioned, &[InstalledNotCommissioned]),
        (Withdrawn, &[Pending, InstalledNotCommissioned]),
    ],
    decommission: &[Whitelisted, InstalledNotCommissioned, Commissioned, Suspended],
    details: &[Pending, Whitelisted, InstalledNotCommissioned],
    meter_point: &[Pending, Whitelisted, InstalledNotCommissioned, Commissioned],
    delete: &[Pending, Withdrawn],
});

/// The devices that 8.3 is not for: a communications hub, and what is part of it, leaves with its installation.
const NOT_BY_8_3: Unverified<&[DeviceKind]> = Unverified(&[DeviceKind::Chf, DeviceKind::Gpf]);

impl Inventory {
    /// 12.2: a device that will be installed, and with a hub its gas proxy function, joins as Pending.
    pub(in crate::dcc) fn prenotify(
        &mut self,
        notice: &DevicePrenotification,
        user: &User,
    ) -> Result<(), Refusal> {
        let kind = kind_of(notice)?;
        let gpf = notice.gpf.map(|gpf| (gpf, DeviceKind::Gpf));
        for (id, _) in std::iter::once((notice.device, kind)).chain(gpf) {
            if self.get(id).is_some() {
                return Err(refusal(KNOWN_ALREADY, InventoryError::Enrolled(id).to_string()));
            }
        }
        if gpf.is_some_and(|(gpf, _)| gpf == notice.device) {
            let reason = format!("{} is said to be its own gas proxy function", notice.device);
            return Err(refusal(NOT_OF_ITS_TYPE, reason));
        }
        self.pending(notice, (notice.device, kind), user)?;
        let both = gpf.map_or(Ok(()), |gpf| self.pending(notice, gpf, user));
        // Both of them or none.
        both.inspect_err(|_| drop(self.withdraw(notice.device)))
    }

    fn pending(
        &mut self,
        notice: &DevicePrenotification,
        (id, kind): (Eui64, DeviceKind),
        user: &User,
    ) -> Result<(), Refusal> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let device = InventoryDevice {
            id,
            kind,
            status: Some(Pending),
            manufacturer: notice.manufacturer.as_str().to_owned(),
            model: notice.model.as_str().to_owned(),
            specification: text(notice.specification.as_ref().map(|text| text.as_str())),
            firmware: text(notice.firmware.as_ref().map(|version| version.as_str())),
            commissioned: None,
            import_mpxn: None,
            secondary_import_mpan: None,
            export_mpan: None,
            variant: notice.variant.filter(|_| kind == DeviceKind::Esme),
            s1sp: None,
        };
        // Until it joins a network it is an installation of its own; a gas proxy function is part of its hub.
        let installation = if kind == DeviceKind::Gpf { notice.device } else { id };
        let responsible = supplier(user, kind).then_some(user.id).into_iter().collect();
        let enrolment = Enrolment { device, installation, responsible, notified_by: Some(user.id) };
        self.enrol(enrolment).map_err(|error| refusal(NO_ROOM, error.to_string()))
    }

    /// 8.3: a device that is in use no more.
    pub(in crate::dcc) fn decommission(
        &mut self,
        DecommissionDevice { device }: &DecommissionDevice,
        user: &User,
    ) -> Result<(), Refusal> {
        let enrolment = self.theirs(*device, user, Srv::DecommissionDevice)?;
        let InventoryDevice { kind, status, .. } = enrolment.device;
        if NOT_BY_8_3.0.contains(&kind) {
            let reason = format!("{device} is a {kind}: it leaves with its installation");
            return Err(Refusal { code: ResponseCode::DEVICE_TYPE, reason });
        }
        in_status(*device, status, ALLOWED.0.decommission, NOT_TO_BE_DECOMMISSIONED)?;
        enrolment.device.status = Some(Decommissioned);
        enrolment.device.import_mpxn = None;
        enrolment.device.secondary_import_mpan = None;
        enrolment.device.export_mpan = None;
        Ok(())
    }

    /// 8.4: what the inventory says of a device.
    pub(in crate::dcc) fn update(&mut self, update: &UpdateInventory, user: &User) -> Result<(), Refusal> {
        let id = update.device;
        let taken = match &update.update {
            InventoryUpdate::MeterPoint(point) => self.has_meter_point(point, id),
            _ => None,
        };
        let enrolment = self.theirs(id, user, Srv::UpdateInventory)?;
        let device = &mut enrolment.device;
        let status = device.status;
        match &update.update {
            InventoryUpdate::Status(to) => {
                let to = same_word(to.as_str());
                other_than_hub(device)?;
                change_status(device, to, ALLOWED.0.statuses)
            }
            InventoryUpdate::HubStatus(to) => {
                let to = same_word(to.as_str());
                a_hub(device)?;
                change_status(device, to, ALLOWED.0.hub_statuses)
            }
            InventoryUpdate::Details(details) => {
                in_status(id, status, ALLOWED.0.details, NOT_IN_THIS_STATUS)?;
                change_details(device, details)
            }
            InventoryUpdate::MeterPoint(point) => {
                in_status(id, status, ALLOWED.0.meter_point, NOT_IN_THIS_STATUS)?;
                if let Some(other) = taken {
                    return Err(refusal(MPXN_TAKEN, format!("{other} has this meter point already")));
                }
                change_meter_point(device, point)
            }
            InventoryUpdate::Delete(_) => {
                in_status(id, status, ALLOWED.0.delete, NOT_IN_THIS_STATUS)?;
                self.withdraw(id).map(drop).map_err(|error| refusal(NOT_IN_THIS_STATUS, error.to_string()))
            }
        }
    }

    /// A device that is this user's to change: E19, E4.
    fn theirs(&mut self, id: Eui64, user: &User, srv: Srv) -> Result<&mut Enrolment, Refusal> {
        let unknown = || Refusal {
            code: ResponseCode::UNKNOWN_DEVICE,
            reason: InventoryError::Unknown(id).to_string(),
        };
        let enrolment = self.devices.get_mut(&id).ok_or_else(unknown)?;
        let kind = enrolment.device.kind;
        let roles = srv.roles().iter().filter(|role| user.roles.contains(role));
        let mut suppliers = roles.filter(|role| is_supplier(**role));
        let responsible = suppliers.any(|role| authorised(user, *role, kind, &enrolment.responsible));
        if responsible || enrolment.notified_by == Some(user.id) {
            return Ok(enrolment);
        }
        let reason = format!("{} neither supplies {kind} {id} nor pre-notified it", user.id);
        Err(Refusal { code: ResponseCode::NOT_RESPONSIBLE, reason })
    }

    /// Another device with this meter point.
    fn has_meter_point(&self, point: &MeteringPoint, but: Eui64) -> Option<Eui64> {
        let has = |device: &InventoryDevice| match point {
            MeteringPoint::Import(mpxn) => device.import_mpxn.as_deref() == Some(mpxn.as_str()),
            MeteringPoint::SecondaryImport(mpan) => {
                device.secondary_import_mpan.as_deref() == Some(mpan.as_str())
            }
            MeteringPoint::Export(mpan) => device.export_mpan.as_deref() == Some(mpan.as_str()),
        };
        // The gas proxy function stands for the gas meter and has its meter point.
        let others = self.devices.values().filter(|other| other.device.kind != DeviceKind::Gpf);
        others
            .map(|other| &other.device)
            .find(|device| device.id != but && has(device))
            .map(|device| device.id)
    }
}

fn kind_of(notice: &DevicePrenotification) -> Result<DeviceKind, Refusal> {
    let word = notice.kind.as_str();
    let kind: Option<DeviceKind> = word.parse().ok();
    let kind =
        kind.ok_or_else(|| refusal(NOT_OF_ITS_TYPE, format!("a SMETS1 installation has no {word}")))?;
    let fits = (notice.gpf.is_none() || kind == DeviceKind::Chf)
        && (notice.variant.is_none() || kind == DeviceKind::Esme);
    match fits {
        true => Ok(kind),
        false => {
            let reason = "only a CHF has an AssociatedGPFDeviceID, and only an ESME an ESMEVariant";
            Err(refusal(NOT_OF_ITS_TYPE, reason.to_owned()))
        }
    }
}

fn supplier(user: &User, kind: DeviceKind) -> bool {
    let all = [user.id].into();
    user.roles.iter().any(|role| is_supplier(*role) && authorised(user, *role, kind, &all))
}

/// The words of an update are among those of a status.
fn same_word(word: &str) -> DeviceStatus {
    word.parse().unwrap_or(Pending)
}

fn in_status(
    id: Eui64,
    status: Option<DeviceStatus>,
    allowed: &[DeviceStatus],
    code: Unverified<&str>,
) -> Result<(), Refusal> {
    if status.is_some_and(|status| allowed.contains(&status)) {
        return Ok(());
    }
    let words: Vec<&str> = allowed.iter().map(|status| status.as_str()).collect();
    let found = status.map_or("without a status", DeviceStatus::as_str);
    Err(refusal(code, format!("{id} is {found}; expected {}", words.join(", "))))
}

fn other_than_hub(device: &InventoryDevice) -> Result<(), Refusal> {
    if device.kind != DeviceKind::Chf {
        return Ok(());
    }
    Err(refusal(NOT_FOR_ITS_TYPE, format!("{} is a CHF: UpdateDeviceStatusCH is for it", device.id)))
}

fn a_hub(device: &InventoryDevice) -> Result<(), Refusal> {
    if device.kind == DeviceKind::Chf {
        return Ok(());
    }
    let (id, kind) = (device.id, device.kind);
    Err(refusal(NOT_FOR_ITS_TYPE, format!("{id} is a {kind}: UpdateDeviceStatusExceptCH is for it")))
}

fn change_status(
    device: &mut InventoryDevice,
    to: DeviceStatus,
    allowed: &[(DeviceStatus, &[DeviceStatus])],
) -> Result<(), Refusal> {
    let from = allowed.iter().find(|(status, _)| *status == to).map_or(&[][..], |(_, from)| *from);
    in_status(device.id, device.status, from, NOT_THE_NEXT_STATUS)?;
    device.status = Some(to);
    Ok(())
}

fn change_details(device: &mut InventoryDevice, details: &DeviceDetails) -> Result<(), Refusal> {
    if details.variant.is_some() && device.kind != DeviceKind::Esme {
        let reason = format!("{} is a {}, which has no ESMEVariant", device.id, device.kind);
        return Err(refusal(NOT_FOR_ITS_TYPE, reason));
    }
    let DeviceDetails { manufacturer, model, specification, firmware, variant } = details;
    if let Some(manufacturer) = manufacturer {
        device.manufacturer = manufacturer.as_str().to_owned();
    }
    if let Some(model) = model {
        device.model = model.as_str().to_owned();
    }
    if let Some(specification) = specification {
        device.specification = Some(specification.as_str().to_owned());
    }
    if let Some(firmware) = firmware {
        device.firmware = Some(firmware.as_str().to_owned());
    }
    device.variant = variant.or(device.variant);
    Ok(())
}

fn change_meter_point(device: &mut InventoryDevice, point: &MeteringPoint) -> Result<(), Refusal> {
    let (place, text, kinds): (_, _, &[DeviceKind]) = match point {
        MeteringPoint::Import(mpxn) => {
            let kinds = &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf];
            (&mut device.import_mpxn, mpxn.as_str(), kinds)
        }
        MeteringPoint::SecondaryImport(mpan) => {
            (&mut device.secondary_import_mpan, mpan.as_str(), &[DeviceKind::Esme])
        }
        MeteringPoint::Export(mpan) => (&mut device.export_mpan, mpan.as_str(), &[DeviceKind::Esme]),
    };
    if !kinds.contains(&device.kind) {
        let reason = format!("{} is a {}, which has no such meter point", device.id, device.kind);
        return Err(refusal(NOT_FOR_ITS_TYPE, reason));
    }
    *place = Some(text.to_owned());
    Ok(())
}
