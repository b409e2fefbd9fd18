//! Names and the values they stand for: `${name}` in a script.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lab_config::{DeviceKind, ImageOrder, Lab, ModelIdentity, Rig, RigDevice, UserRole};

use crate::Value;

/// What a script may know of the rig it runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The devices.
    pub devices: BTreeMap<DeviceKind, DeviceFacts>,
    /// The EUI-64 the lab acts under, by role.
    pub users: BTreeMap<UserRole, Value>,
    /// The certificates of a run, in base64; none where no run has made any.
    pub certificates: BTreeMap<CertificateName, Value>,
}

/// What a script may know of a device: what it is meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFacts {
    /// Its EUI-64.
    pub eui64: Value,
    /// Its Device Model.
    pub model: BTreeMap<ModelField, Value>,
    /// The same, for a firmware image to be made from.
    pub identity: ModelIdentity,
}

lab_config::vocabulary! {
    /// A part of a Device Model that scripts may name.
    pub enum ModelField {
        /// Manufacturer.
        Manufacturer = "manufacturer",
        /// Model.
        Model = "model",
        /// Hardware version.
        HardwareVersion = "hardware-version",
        /// Firmware version.
        FirmwareVersion = "firmware-version",
        /// Configuration version.
        ConfigurationVersion = "configuration-version",
    }
}

impl Facts {
    /// The facts of this rig of this lab.
    pub fn of(lab: &Lab, rig: &Rig) -> Self {
        let user = |(role, eui64): (&UserRole, &lab_config::Eui64)| (*role, Value::from(eui64.to_string()));
        Self {
            devices: rig.devices().map(|device| (device.kind, DeviceFacts::of(device))).collect(),
            users: lab.users.iter().map(user).collect(),
            certificates: BTreeMap::new(),
        }
    }
}

impl DeviceFacts {
    fn of(device: &RigDevice) -> Self {
        let identity = &device.model.identity;
        let field = |field| {
            let text = match field {
                ModelField::Manufacturer => &identity.manufacturer,
                ModelField::Model => &identity.model,
                ModelField::HardwareVersion => &identity.hardware_version,
                ModelField::FirmwareVersion => &identity.firmware_version,
                ModelField::ConfigurationVersion => &identity.configuration_version,
            };
            (field, Value::from(text.as_str()))
        };
        Self {
            eui64: Value::from(device.eui64.to_string()),
            model: ModelField::ALL.iter().copied().map(field).collect(),
            identity: identity.clone(),
        }
    }
}

/// What a script's names stand for while it runs.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    names: BTreeMap<Box<str>, Value>,
    facts: Arc<Facts>,
    target: Option<DeviceKind>,
    now: Option<Timestamp>,
}

impl Bindings {
    /// No names bound, on a rig with these facts; `target` is the device the script is about.
    pub fn new(facts: Arc<Facts>, target: DeviceKind) -> Self {
        Self { facts, target: Some(target), ..Self::default() }
    }

    /// Binds a name.
    pub fn bind(&mut self, name: &str, value: impl Into<Value>) {
        self.names.insert(name.into(), value.into());
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.names.get(name)
    }

    /// Sets the moment `${now}` stands for, to the whole second: the executor does at each step.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = Timestamp::from_second(now.as_second()).ok();
    }

    /// The device the script is about, in this row.
    pub fn target(&self) -> Option<DeviceKind> {
        self.target
    }

    /// The names bound and what they stand for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(|(name, value)| (&**name, value))
    }
}

/// A reference of a script, `${...}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `${name}`: a name an earlier step or the row bound.
    Name(Box<str>),
    /// `${device}` or `${device.CHF}`: the EUI-64 of the device the script is about, or of another.
    Device(Option<DeviceKind>),
    /// `${model.firmware-version}` or `${model.CHF.firmware-version}`: what the Device Model says.
    Model(Option<DeviceKind>, ModelField),
    /// `${user.IS}`: the EUI-64 the lab acts under in this role.
    User(UserRole),
    /// `${certificate.IS}`: a certificate of the run, in base64.
    Certificate(CertificateName),
    /// `${now}`, `${now-1d}`, `${now+30m}`: the moment the step begins, shifted.
    Now(SignedDuration),
    /// `${now+3s:date}` and `${now+3s:time}`: the day of that moment, and its time of day, UTC.
    Civil(SignedDuration, CivilPart),
    /// `${utrn:1000}`: a fresh 20-digit token of so many pence for the device requested of; in request fields only.
    Utrn(u32),
    /// `${firmware-image:P4X2G05}`: a firmware image of this version for the device the script is about, in base64, made and
    /// signed by the simulated maker; `${firmware-hash:P4X2G05}` its SHA-256. Without a version it is the Device Model's
    /// own. After a comma, what is wrong with the image: `${firmware-image:P4X2G05,forged}`.
    Firmware(ImagePart, ImageOrder),
}

/// A certificate that a script may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateName {
    /// `certificate.authority`: the root that vouches for the others.
    Authority,
    /// `certificate.stranger`: that of a party no DCC knows.
    Stranger,
    /// `certificate.IS`: the one that the lab's user in this role signs by.
    User(UserRole),
    /// `certificate.IS.renewed`: another of the same user, with another key.
    Renewed(UserRole),
}

impl std::fmt::Display for CertificateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Authority => f.write_str("certificate.authority"),
            Self::Stranger => f.write_str("certificate.stranger"),
            Self::User(role) => write!(f, "certificate.{role}"),
            Self::Renewed(role) => write!(f, "certificate.{role}.renewed"),
        }
    }
}

lab_config::vocabulary! {
    /// What a script names of a moment.
    pub enum CivilPart {
        /// Its day, such as `2026-12-01`.
        Date = "date",
        /// Its time of day, such as `23:30:00Z`.
        Time = "time",
    }
}

impl CivilPart {
    fn of(self, time: Timestamp) -> Value {
        let form = match self {
            Self::Date => "%Y-%m-%d",
            Self::Time => "%H:%M:%SZ",
        };
        Value::from(time.strftime(form).to_string())
    }
}

/// What a script names of a firmware image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImagePart {
    /// Its octets, in base64.
    Octets,
    /// Its SHA-256, in hexadecimal digits.
    Hash,
}

impl ImagePart {
    /// The word of its references.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Octets => "firmware-image",
            Self::Hash => "firmware-hash",
        }
    }

    fn of(self, octets: Vec<u8>) -> Option<Value> {
        let image = proto_duis::FirmwareImage::new(octets).ok()?;
        Some(Value::from(match self {
            Self::Octets => image.to_string(),
            Self::Hash => image.hash().to_string(),
        }))
    }
}

/// A reference that stands for nothing: an earlier step did not bind it, or the rig has no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("${{{reference}}} stands for nothing: {reason}")]
pub struct Unbound {
    /// The reference, as the script writes it between the braces.
    pub reference: String,
    /// Why.
    pub reason: &'static str,
}

impl Reference {
    /// What it stands for now.
    ///
    /// # Errors
    /// [`Unbound`] when it stands for nothing.
    pub fn resolve<'b>(&self, bindings: &'b Bindings) -> Result<Cow<'b, Value>, Unbound> {
        let device = |kind: &Option<DeviceKind>| {
            let kind = kind.or(bindings.target)?;
            bindings.facts.devices.get(&kind)
        };
        let found = match self {
            Self::Name(name) => bindings.names.get(name).ok_or("no earlier step bound it"),
            Self::Device(kind) => device(kind).map(|facts| &facts.eui64).ok_or("the rig has no such device"),
            Self::Model(kind, field) => {
                device(kind).and_then(|facts| facts.model.get(field)).ok_or("the rig has no such device")
            }
            Self::User(role) => bindings.facts.users.get(role).ok_or("the lab has no such user"),
            Self::Certificate(name) => bindings.facts.certificates.get(name).ok_or("no run has made it"),
            Self::Now(shift) | Self::Civil(shift, _) => {
                let shifted = bindings.now.and_then(|now| now.checked_add(*shift).ok());
                let value = |time| match self {
                    Self::Civil(_, part) => part.of(time),
                    _ => Value::Time(time),
                };
                return shifted
                    .map(|time| Cow::Owned(value(time)))
                    .ok_or_else(|| self.unbound("no time was given"));
            }
            Self::Utrn(_) => Err("a token is made for a request only"),
            Self::Firmware(part, order) => {
                let image = device(&None).map(|facts| order.made_for(&facts.identity));
                let value = image.and_then(|octets| part.of(octets));
                return value.map(Cow::Owned).ok_or_else(|| self.unbound("the rig has no such device"));
            }
        };
        found.map(Cow::Borrowed).map_err(|reason| self.unbound(reason))
    }

    fn unbound(&self, reason: &'static str) -> Unbound {
        Unbound { reference: self.to_string(), reason }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Device(None) => f.write_str("device"),
            Self::Device(Some(kind)) => write!(f, "device.{kind}"),
            Self::Model(None, field) => write!(f, "model.{field}"),
            Self::Model(Some(kind), field) => write!(f, "model.{kind}.{field}"),
            Self::User(role) => write!(f, "user.{role}"),
            Self::Certificate(name) => name.fmt(f),
            Self::Now(shift) if shift.is_zero() => f.write_str("now"),
            Self::Now(shift) => write!(f, "now{:+}s", shift.as_secs()),
            Self::Civil(shift, part) => write!(f, "{}:{part}", Self::Now(*shift)),
            Self::Utrn(pence) => write!(f, "utrn:{pence}"),
            Self::Firmware(part, order) => write!(f, "{}:{order}", part.word()),
        }
    }
}

/// A value a script writes: as it stands, or through references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A value.
    Literal(Value),
    /// One reference and nothing else: the value keeps its type.
    Reference(Reference),
    /// Text with references in it.
    Text(Vec<Piece>),
}

/// A piece of a text with references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Literal(Box<str>),
    /// In its place, the text of what it stands for.
    Reference(Reference),
}

impl Operand {
    /// The value it is now.
    ///
    /// # Errors
    /// [`Unbound`] when a reference stands for nothing.
    pub fn resolve<'b>(&'b self, bindings: &'b Bindings) -> Result<Cow<'b, Value>, Unbound> {
        self.resolve_with(&mut |reference| reference.resolve(bindings))
    }

    pub(crate) fn resolve_with<'b>(
        &'b self,
        look_up: &mut dyn FnMut(&Reference) -> Result<Cow<'b, Value>, Unbound>,
    ) -> Result<Cow<'b, Value>, Unbound> {
        match self {
            Self::Literal(value) => Ok(Cow::Borrowed(value)),
            Self::Reference(reference) => look_up(reference),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => text.push_str(literal),
                        Piece::Reference(reference) => text.push_str(&look_up(reference)?.as_text()),
                    }
                }
                Ok(Cow::Owned(Value::Text(text)))
            }
        }
    }

    /// The references in it.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let (one, several) = match self {
            Self::Literal(_) => (None, &[][..]),
            Self::Reference(reference) => (Some(reference), &[][..]),
            Self::Text(pieces) => (None, &pieces[..]),
        };
        one.into_iter().chain(several.iter().filter_map(|piece| match piece {
            Piece::Reference(reference) => Some(reference),
            Piece::Literal(_) => None,
        }))
    }
}
