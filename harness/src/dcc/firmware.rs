//! 11.1 at the DCC: is the image one that may be sent, and to which of the devices named? Pure.
//!
//! The DCC knows images by their hash in the Central Products List. A lab's devices are on no such list; where the stub has
//! none, every image goes on, and the devices' own checks are what is tested.

use std::collections::{BTreeMap, BTreeSet};

use proto_duis::{
    DeviceIdList, DeviceKind, DeviceStatus, Eui64, FirmwareHash, InventoryDevice, Request, UpdateFirmware,
    UpdateFirmwareWarning,
};

use super::inventory::{Enrolment, Inventory};
use super::judge::{Refusal, refusal};
use super::users::{User, authorised};
use proto_duis::Unverified;

/// The answer to an image whose hash is not on the list. The published tables to hand do not say which check has which
/// number.
pub const NOT_LISTED: Unverified<&str> = Unverified("E110101");
/// The answer to an image that is listed with another version.
pub const OTHER_VERSION: Unverified<&str> = Unverified("E110102");
/// The answer where none of the devices may have the image.
pub const NO_DEVICE: Unverified<&str> = Unverified("E110103");
/// The kinds of device that 11.1 is for.
pub const UPDATED: Unverified<&[DeviceKind]> = Unverified(&[DeviceKind::Esme, DeviceKind::Gsme]);

/// What an entry of the Central Products List says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The manufacturer of the devices, as in the inventory.
    pub manufacturer: String,
    /// Their model, as in the inventory.
    pub model: String,
    /// The version.
    pub version: String,
}

/// The Central Products List, as far as it lists images.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CentralProductsList {
    /// There is none: images are not looked up.
    #[default]
    None,
    /// The images that may be sent.
    Images(BTreeMap<FirmwareHash, Product>),
}

/// Where an image goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Distribution {
    /// The devices, by installation.
    pub(super) devices: BTreeMap<Eui64, BTreeSet<Eui64>>,
    /// The devices it does not go to.
    pub(super) warning: Option<UpdateFirmwareWarning>,
}

/// Checks an Update Firmware that was judged to be its user's to send.
pub(super) fn check(
    request: &Request,
    update: &UpdateFirmware,
    (user, inventory, list): (&User, &Inventory, &CentralProductsList),
) -> Result<Distribution, Refusal> {
    let product = match list {
        CentralProductsList::None => None,
        CentralProductsList::Images(images) => {
            let product = images.get(&update.image.hash());
            Some(product.ok_or_else(|| refusal(NOT_LISTED, format!("{:?} is not listed", update.image)))?)
        }
    };
    if let Some(product) = product.filter(|product| product.version != update.version.as_str()) {
        let reason = format!("the image is listed as {}, not {}", product.version, update.version);
        return Err(refusal(OTHER_VERSION, reason));
    }
    let mut sorted = Sorted::default();
    for device in update.devices.devices() {
        sorted.place(*device, inventory.get(*device), product, |enrolment| {
            may_update(request, user, enrolment)
        });
    }
    sorted.distribution()
}

fn may_update(request: &Request, user: &User, enrolment: &Enrolment) -> bool {
    let roles = request.srv().roles().iter().filter(|role| user.roles.contains(role));
    roles.into_iter().any(|role| authorised(user, *role, enrolment.device.kind, &enrolment.responsible))
}

/// The devices named, by what becomes of them.
#[derive(Default)]
struct Sorted {
    taken: BTreeMap<Eui64, BTreeSet<Eui64>>,
    invalid: Vec<Eui64>,
    not_commissioned: Vec<Eui64>,
    not_applicable: Vec<Eui64>,
}

impl Sorted {
    fn place(
        &mut self,
        id: Eui64,
        enrolment: Option<&Enrolment>,
        product: Option<&Product>,
        may_update: impl Fn(&Enrolment) -> bool,
    ) {
        let Some(enrolment) = enrolment.filter(|enrolment| may_update(enrolment)) else {
            return self.invalid.push(id);
        };
        if enrolment.device.status != Some(DeviceStatus::Commissioned) {
            return self.not_commissioned.push(id);
        }
        if !applies(&enrolment.device, product) {
            return self.not_applicable.push(id);
        }
        self.taken.entry(enrolment.installation).or_default().insert(id);
    }

    fn distribution(self) -> Result<Distribution, Refusal> {
        let warning = UpdateFirmwareWarning {
            invalid: DeviceIdList::new(self.invalid),
            not_commissioned: DeviceIdList::new(self.not_commissioned),
            not_applicable: DeviceIdList::new(self.not_applicable),
            in_progress: None,
            gbcs_version: None,
        };
        if self.taken.is_empty() {
            let why: Vec<String> =
                warning.reasons().map(|(name, devices)| format!("{name} {devices}")).collect();
            return Err(refusal(NO_DEVICE, format!("no device may have it: {}", why.join("; "))));
        }
        let warning = Some(warning).filter(|warning| warning.reasons().next().is_some());
        Ok(Distribution { devices: self.taken, warning })
    }
}

fn applies(device: &InventoryDevice, product: Option<&Product>) -> bool {
    let same =
        |product: &Product| product.manufacturer == device.manufacturer && product.model == device.model;
    UPDATED.0.contains(&device.kind) && product.is_none_or(same)
}
