//! Rigs: the devices on one wall board, and how each is reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto_duis::{DeviceKind, Eui64};

use crate::{
    ClientSap, Credentials, DeviceModel, DeviceModelCombination, DongleUrl, LinkUrl, MeterPointNumber,
    ModelIdentity, ModelText, Name, Profile, Station,
};

/// One SMETS1 Installation in the lab: a Device Model Combination in metal, or simulated. One run at a time uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rig {
    /// Its name, one of its kind in the lab.
    pub name: Name,
    /// What it is meant to be; the rig is proved against it before each run.
    pub combination: Arc<DeviceModelCombination>,
    /// What it is brought to when a run ends, however it ends.
    pub safe_state: SafeState,
    /// Whether a migration changes the credentials of its devices.
    pub credentials: MigratedCredentials,
    devices: BTreeMap<DeviceKind, RigDevice>,
    /// What switches its relays, presses its keys and reads its voltages.
    pub stations: Vec<Station>,
    /// The ZigBee dongle within reach of its devices, where it has one.
    pub dongle: Option<DongleUrl>,
}

crate::vocabulary! {
    /// What a migration does to the credentials of a rig's devices. Kept ones are for devices that others reach with what the
    /// lab file names while they are migrated; their SMSO is then not shut out, and scripts that try it fail.
    #[derive(Default)]
    pub enum MigratedCredentials {
        /// The S1SP puts its own in their place, and gives them back.
        #[default]
        Changed = "changed",
        /// They stay as they are.
        Kept = "kept",
    }
}

/// What a rig is brought to when a run ends, on pass, fail, abort or restart. What is not said is left as found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SafeState {
    /// The supply of the electricity meter.
    pub supply: Option<SafeSupply>,
    /// The payment mode of the meters.
    pub payment_mode: Option<PaymentMode>,
}

crate::vocabulary! {
    /// The state a supply is left in.
    pub enum SafeSupply {
        /// Supply on.
        Enabled = "enabled",
        /// Supply off.
        Disabled = "disabled",
    }
}

crate::vocabulary! {
    /// How a meter is paid.
    pub enum PaymentMode {
        /// On account.
        Credit = "credit",
        /// In advance.
        Prepayment = "prepayment",
    }
}

crate::vocabulary! {
    /// A way to a device.
    pub enum Path {
        /// Through the wide area network: the communications hub's own link, or through the hub.
        Wan = "wan",
        /// The optical port of an electricity meter.
        Optical = "optical",
        /// The local serial port of a gas meter.
        Local = "local",
        /// The home area network, by the rig's ZigBee dongle.
        Han = "han",
    }
}

/// One device of a rig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RigDevice {
    /// Its kind; a rig has at most one of each.
    pub kind: DeviceKind,
    /// Its EUI-64, one of its kind in the lab.
    pub eui64: Eui64,
    /// What it is meant to be.
    pub model: Arc<DeviceModel>,
    /// Direct links, by path.
    pub links: BTreeMap<Path, LinkUrl>,
    /// The device of the same rig that carries its traffic on the wide area path.
    pub via: Option<DeviceKind>,
    /// Whether it is simulated: only simulated links lead to it, or the lab file says so of a simulator at real links.
    /// The DMCT Report says it of each device.
    pub simulated: bool,
    /// The meter point it meters, where it is a meter.
    pub meter_point: Option<MeterPointNumber>,
    /// What the harness presents to it.
    pub credentials: Credentials,
    /// What it is found as where that is not what its Device Model says: a dormant device that its SMSO has yet to bring to
    /// the firmware and configuration of its EPCL entry.
    pub as_found: AsFound,
}

/// Versions a device has before it is prepared for a migration; none where they are the Device Model's already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AsFound {
    /// Firmware version.
    pub firmware_version: Option<ModelText>,
    /// Configuration version.
    pub configuration_version: Option<ModelText>,
}

/// How a device is reached on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// By a link of its own.
    Direct(&'a LinkUrl),
    /// Through another device of the rig, by that device's link, with this device's EUI-64 in the gateway header.
    Through {
        /// The device that carries the traffic.
        carrier: &'a RigDevice,
        /// The carrier's link.
        link: &'a LinkUrl,
    },
}

impl<'a> Route<'a> {
    /// The link whose bytes carry the traffic.
    pub fn link(self) -> &'a LinkUrl {
        match self {
            Self::Direct(link) | Self::Through { link, .. } => link,
        }
    }
}

impl Rig {
    pub(crate) fn new(
        name: Name,
        combination: Arc<DeviceModelCombination>,
        (safe_state, credentials): (SafeState, MigratedCredentials),
        devices: BTreeMap<DeviceKind, RigDevice>,
        stations: Vec<Station>,
        dongle: Option<DongleUrl>,
    ) -> Self {
        Self { name, combination, safe_state, credentials, devices, stations, dongle }
    }

    /// Its devices, in the order of their kinds.
    pub fn devices(&self) -> impl Iterator<Item = &RigDevice> {
        self.devices.values()
    }

    /// The device of this kind.
    pub fn device(&self, kind: DeviceKind) -> Option<&RigDevice> {
        self.devices.get(&kind)
    }

    /// The device with this EUI-64.
    pub fn by_eui64(&self, eui64: Eui64) -> Option<&RigDevice> {
        self.devices().find(|device| device.eui64 == eui64)
    }

    /// How this device is reached on this path, if it is.
    pub fn route(&self, kind: DeviceKind, path: Path) -> Option<Route<'_>> {
        let device = self.device(kind)?;
        if let Some(link) = device.links.get(&path) {
            return Some(Route::Direct(link));
        }
        let carrier = self.device(device.via.filter(|_| path == Path::Wan)?)?;
        let link = carrier.links.get(&Path::Wan)?;
        Some(Route::Through { carrier, link })
    }

    /// Whether the device can be looked at on its home area network: the rig has a dongle, and the Device Model says what
    /// the device shows there.
    pub fn has_han(&self, kind: DeviceKind) -> bool {
        self.dongle.is_some() && self.device(kind).is_some_and(|device| device.model.clusters.is_some())
    }

    /// The same rig with another link in this place: how simulated links become concrete ones.
    #[must_use]
    pub fn with_link(mut self, kind: DeviceKind, path: Path, link: LinkUrl) -> Self {
        if let Some(device) = self.devices.get_mut(&kind) {
            device.links.insert(path, link);
        }
        self
    }

    /// The same rig with its dongle there: how a simulated dongle becomes a concrete one.
    #[must_use]
    pub fn with_dongle(self, dongle: DongleUrl) -> Self {
        Self { dongle: Some(dongle), ..self }
    }

    /// Whether any device of it is simulated.
    pub fn is_simulated(&self) -> bool {
        self.devices().any(RigDevice::has_simulated_link)
    }
}

impl RigDevice {
    /// What it says of itself before it is prepared: its Device Model's identity with the versions it is found with.
    pub fn identity_as_found(&self) -> ModelIdentity {
        let AsFound { firmware_version, configuration_version } = self.as_found.clone();
        let model = self.model.identity.clone();
        ModelIdentity {
            firmware_version: firmware_version.unwrap_or(model.firmware_version),
            configuration_version: configuration_version.unwrap_or(model.configuration_version),
            ..model
        }
    }

    /// The client the harness is on this path: that of the link URL, else the management client of the Device Model.
    /// `None` for a device that does not speak DLMS/COSEM.
    pub fn client(&self, path: Path) -> Option<ClientSap> {
        let Profile::Dlms(profile) = &self.model.profile else {
            return None;
        };
        let chosen = self.links.get(&path).and_then(|link| link.addressing.client);
        Some(chosen.unwrap_or(profile.management_client.value))
    }

    /// Whether one of its own links is a simulated one.
    pub fn has_simulated_link(&self) -> bool {
        self.links.values().any(LinkUrl::is_simulated)
    }
}
