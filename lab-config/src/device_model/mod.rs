//! Device Models and what the lab knows of each: addresses, objects, clock, capabilities.
//!
//! A Device Model is manufacturer, model, hardware version and firmware version (SEC); the lab adds the configuration
//! version, since a rig is proved against it too (SVTAD 8.5(c)). Everything that differs from one Device Model to the next
//! lives in its [`Profile`], as data; each [`Fact`] says whether it was verified against a device of that model.

mod ability;
mod cluster_map;
mod configuration;
mod delivery;
mod function;
mod image;
mod particulars;
mod read;
mod security;

use std::collections::{BTreeMap, BTreeSet};

pub use ability::Ability;
pub use cluster_map::{ClusterAttribute, ClusterMap, ClusterObject, ClusterQuestion};
pub use configuration::{MOST_SETTINGS, Setting, SettingValue};
pub use delivery::{StoreAndForward, WakeInterval};
pub use function::Function;
pub use image::{Downgrade, ImageTransferTraits};
pub use particulars::{
    FrameLimits, Particulars, ProfileColumn, PushHabit, Quirk, SignOnIdentity, SnapshotCommands,
};
use proto_duis::DeviceKind;
pub use security::{ClientSecurity, SecurityPolicy};

use crate::cosem::{AttributeRef, ClassId, MethodRef, Obis};
use crate::link_url::AddressSize;
use crate::{ClientSap, Name};

/// One Device Model, as a file of `device-models/` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceModel {
    /// The lab's name for it, which rigs and combinations refer to.
    pub id: Name,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// What the device must report of itself.
    pub identity: ModelIdentity,
    /// What it can do; scripts that need more are not applicable to it.
    pub capabilities: BTreeSet<Capability>,
    /// How it is spoken to.
    pub profile: Profile,
    /// What it shows on its home area network, to a dongle of the rig; nothing, where nobody has said.
    pub clusters: Option<ClusterMap>,
    /// The settings that its configuration version stands for.
    pub configuration: Vec<Setting>,
}

impl DeviceModel {
    /// Whether it can do this.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// How often a device of this model wakes to hear what its hub holds for it; none for one that always listens. A gas
    /// meter lives by a battery and sleeps, whether its file says so or not.
    pub fn wake_interval(&self) -> Option<WakeInterval> {
        let said = self.profile.dlms().and_then(|profile| profile.particulars.wake_interval);
        let usual = (self.kind == DeviceKind::Gsme).then(WakeInterval::default);
        said.map(|fact| fact.value).or(usual)
    }

    /// Each fact of its profile in words, and whether it was verified.
    pub fn facts(&self) -> Vec<(String, bool)> {
        let mut facts = match &self.profile {
            Profile::Zcl(profile) => vec![("endpoint".to_owned(), profile.endpoint.verified)],
            Profile::Dlms(profile) => profile.facts(),
        };
        facts.extend(self.clusters.iter().flat_map(ClusterMap::facts));
        facts
    }
}

/// Manufacturer, model and versions, as compared when a rig is proved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelIdentity {
    /// Manufacturer.
    pub manufacturer: ModelText,
    /// Model.
    pub model: ModelText,
    /// Hardware version.
    pub hardware_version: ModelText,
    /// Firmware version, as the device reads it out.
    pub firmware_version: ModelText,
    /// Configuration version, as the device reads it out.
    pub configuration_version: ModelText,
}

/// Up to 30 printable characters, as DUIS has them for manufacturer and model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelText(String);

/// A text that cannot stand in a Device Model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 30 printable ASCII characters")]
pub struct ModelTextError;

impl ModelText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ModelText {
    type Err = ModelTextError;

    fn from_str(text: &str) -> Result<Self, ModelTextError> {
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        match text.len() {
            1..=30 if printable => Ok(Self(text.to_owned())),
            _ => Err(ModelTextError),
        }
    }
}

impl std::fmt::Display for ModelText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

crate::vocabulary! {
    /// What a Device Model can do.
    pub enum Capability {
        /// Measures electricity.
        Electricity = "electricity",
        /// Measures or mirrors gas.
        Gas = "gas",
        /// Works in prepayment mode and takes top-up tokens.
        Prepayment = "prepayment",
        /// Disables, arms and enables supply.
        SupplyControl = "supply-control",
        /// Keeps a half-hourly profile.
        HalfHourlyProfile = "half-hourly-profile",
        /// Keeps an event log that can be read.
        EventLog = "event-log",
        /// Keeps the log of devices on the home area network.
        DeviceLog = "device-log",
        /// Holds a tariff that can be written and read.
        Tariff = "tariff",
        /// Has keys a person presses.
        Keypad = "keypad",
        /// Has an optical port.
        OpticalPort = "optical-port",
        /// Has a local serial port.
        LocalPort = "local-port",
        /// Keeps a clock that can be set.
        Clock = "clock",
        /// Takes firmware images from far.
        FirmwareUpdate = "firmware-update",
        /// Routes to devices on the home area network.
        Router = "router",
    }
}

/// A fact about a Device Model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<T> {
    /// What is held to be so.
    pub value: T,
    /// Whether it was seen on a device of this model; an unverified fact is general knowledge or a default.
    pub verified: bool,
}

/// How a Device Model is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// DLMS/COSEM.
    Dlms(DlmsProfile),
    /// ZigBee Cluster Library frames, carried by the communications hub.
    Zcl(ZclProfile),
}

impl Profile {
    /// The DLMS/COSEM profile, if that is what the device speaks.
    pub fn dlms(&self) -> Option<&DlmsProfile> {
        match self {
            Self::Dlms(profile) => Some(profile),
            Self::Zcl(_) => None,
        }
    }
}

/// How a DLMS/COSEM device is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DlmsProfile {
    /// The client SAP that identifies without a password.
    pub public_client: Fact<ClientSap>,
    /// The client SAP with full access.
    pub management_client: Fact<ClientSap>,
    /// The logical device spoken to.
    pub server: Fact<ServerAddress>,
    /// The address of its application logical device, beside the one spoken to; `None` for a device that has only that.
    pub application_device: Option<Fact<u16>>,
    /// Which way the deviation of a date-time counts; `None` for a device without a clock.
    pub deviation: Option<Fact<DeviationSign>>,
    /// Where each function is found.
    pub objects: BTreeMap<Function, Fact<Object>>,
    /// What devices of the model ask of their clients, by client; those not named may bring what the lab file says.
    pub security: BTreeMap<ClientSap, Fact<ClientSecurity>>,
    /// What devices of the model do in their own way.
    pub particulars: Box<Particulars>,
}

impl DlmsProfile {
    /// What devices of the model ask of this client, where that is known.
    pub fn security(&self, client: ClientSap) -> Option<&ClientSecurity> {
        self.security.get(&client).map(|fact| &fact.value)
    }

    /// Where this function is found, if the device has it.
    pub fn object(&self, function: Function) -> Option<&Object> {
        self.objects.get(&function).map(|fact| &fact.value)
    }

    /// The attribute to read for this function.
    pub fn attribute(&self, function: Function) -> Option<AttributeRef> {
        self.object(function).map(Object::attribute)
    }

    fn facts(&self) -> Vec<(String, bool)> {
        let mut facts = vec![
            ("public client".to_owned(), self.public_client.verified),
            ("management client".to_owned(), self.management_client.verified),
            ("server address".to_owned(), self.server.verified),
        ];
        facts.extend(
            self.application_device.map(|fact| ("application logical device".to_owned(), fact.verified)),
        );
        facts.extend(self.deviation.map(|fact| ("clock deviation".to_owned(), fact.verified)));
        let object = |(function, fact): (&Function, &Fact<Object>)| {
            (format!("{function} at {}", fact.value.attribute()), fact.verified)
        };
        facts.extend(self.objects.iter().map(object));
        let security = |(client, fact): (&ClientSap, &Fact<ClientSecurity>)| {
            (format!("security of client {client}: {}", fact.value), fact.verified)
        };
        facts.extend(self.security.iter().map(security));
        facts.extend(self.particulars.facts());
        facts
    }
}

/// The address of a logical device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerAddress {
    /// Logical device address (wrapper: the wPort), 1 to 16383.
    pub logical: u16,
    /// Physical device address, on HDLC links.
    pub physical: Option<u16>,
    /// Octets of the HDLC address; the smallest that fits when not said.
    pub size: Option<AddressSize>,
}

crate::vocabulary! {
    /// Which way a date-time's deviation counts.
    pub enum DeviationSign {
        /// Minutes to add to local time to get UTC: British Summer Time is -60 (IEC 62056-62, 4.1.6.1).
        Standard = "standard",
        /// The other way round, as some meters have it: British Summer Time is +60.
        Inverted = "inverted",
    }
}

/// A COSEM object, with the attribute and method that serve the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// Interface class.
    pub class: ClassId,
    /// Logical name.
    pub obis: Obis,
    /// The attribute that holds the value, usually 2.
    pub attribute: i8,
    /// The method that acts, usually 1.
    pub method: i8,
    /// The power of ten its value is given in, where it is not the usual one of the function.
    pub scaler: Option<i8>,
}

impl Object {
    /// The attribute that holds the value.
    pub fn attribute(&self) -> AttributeRef {
        AttributeRef { class: self.class, obis: self.obis, attribute: self.attribute }
    }

    /// The method that acts.
    pub fn method(&self) -> MethodRef {
        MethodRef { class: self.class, obis: self.obis, method: self.method }
    }
}

/// How a ZigBee Cluster Library device is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZclProfile {
    /// The endpoint its clusters are on.
    pub endpoint: Fact<u8>,
}

#[cfg(test)]
mod tests;
