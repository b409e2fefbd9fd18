//! Firmware: 11.1, which takes an image to meters, and 11.3, which puts one to work.

use super::Content;
use super::fields::{Field, FieldError, FieldReader};
use super::part::{Leaf, Part, Value};
use super::parts::{EXECUTION, execution_element, named, read_execution};
use crate::examples::{self, Draw};
use crate::identity::DeviceIdList;
use crate::xml::{Element, Reading, SchemaError, Space::Sr};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// 11.1: an image, the version it is, and the meters it is for.
///
/// Fields: `FirmwareImage` (base64), `FirmwareVersion`, `DeviceIDList`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateFirmware {
    /// The image.
    pub image: FirmwareImage,
    /// The version the meters have once it is activated.
    pub version: FirmwareVersion,
    /// The meters.
    pub devices: DeviceIdList,
}

const IMAGE: Field = Field::required("FirmwareImage", "base64 of 1 to 10240000 octets");
const VERSION: Field = Field::required("FirmwareVersion", "1 to 8 characters");
const DEVICES: Field = Field::required("DeviceIDList", "EUI-64 identifiers joined by commas");
const HASH: Field = Field::required("FirmwareHash", "64 hexadecimal digits: SHA-256 of the image");

impl Content for UpdateFirmware {
    const FIELDS: &'static [Field] = &[IMAGE, VERSION, DEVICES];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(UpdateFirmware {
            image: fields.required(IMAGE.name, IMAGE.form)?,
            version: fields.required(VERSION.name, VERSION.form)?,
            devices: fields.required(DEVICES.name, DEVICES.form)?,
        })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let image = children.required(Sr, IMAGE.name)?.value()?;
        // A string of the schema: white space around it is part of it.
        let version = Value::read(&children.required(Sr, VERSION.name)?, &[])?;
        let devices = children.required(Sr, DEVICES.name)?.value()?;
        children.finish()?;
        Ok(UpdateFirmware { image, version, devices })
    }

    fn children(&self) -> Vec<Element> {
        vec![
            Element::leaf(Sr, IMAGE.name, &self.image),
            Element::leaf(Sr, VERSION.name, &self.version),
            Element::leaf(Sr, DEVICES.name, &self.devices),
        ]
    }

    fn to_fields(&self) -> BTreeMap<String, String> {
        let UpdateFirmware { image, version, devices } = self;
        let version = version.to_string();
        named([(IMAGE.name, image.to_string()), (VERSION.name, version), (DEVICES.name, devices.to_string())])
    }

    /// A small image for one or two meters.
    fn sample(draw: &mut Draw<'_>) -> Option<Self> {
        let octet = |draw: &mut Draw<'_>| u8::try_from(draw.between(0, 255)).unwrap_or_default();
        let octets = (0..draw.count(1, 64)).map(|_| octet(draw)).collect();
        let image = FirmwareImage::new(octets).ok()?;
        let second = draw.flag().then_some(examples::USER);
        let devices = DeviceIdList::new([examples::DEVICE].into_iter().chain(second))?;
        Some(UpdateFirmware { image, version: Leaf::sample(draw), devices })
    }
}

/// 11.3: the image to put to work, by its hash.
///
/// Fields: `FirmwareHash`; `ExecutionDateTime` (optional).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivateFirmware {
    /// When to do it; at once if absent.
    pub execution: Option<Timestamp>,
    /// The image.
    pub hash: FirmwareHash,
}

impl Content for ActivateFirmware {
    const FIELDS: &'static [Field] = &[EXECUTION, HASH];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let execution = fields.optional_date_time(EXECUTION.name)?;
        Ok(ActivateFirmware { execution, hash: fields.required(HASH.name, HASH.form)? })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let execution = read_execution(&mut children)?;
        let hash = children.required(Sr, HASH.name)?.value()?;
        children.finish()?;
        Ok(ActivateFirmware { execution, hash })
    }

    fn children(&self) -> Vec<Element> {
        let hash = Element::leaf(Sr, HASH.name, self.hash);
        execution_element(self.execution).into_iter().chain([hash]).collect()
    }

    fn to_fields(&self) -> BTreeMap<String, String> {
        let execution = self.execution.map(|time| (EXECUTION.name, time.to_string()));
        named(execution.into_iter().chain([(HASH.name, self.hash.to_string())]))
    }

    fn sample(draw: &mut Draw<'_>) -> Option<Self> {
        let mut octets = [0; 32];
        octets.iter_mut().for_each(|octet| *octet = u8::try_from(draw.between(0, 255)).unwrap_or_default());
        Some(ActivateFirmware { execution: Part::sample(draw), hash: FirmwareHash(octets) })
    }
}

/// The octets of a firmware image, at most [`FirmwareImage::LARGEST`]; written as base64.
#[derive(Clone, PartialEq, Eq)]
pub struct FirmwareImage(Vec<u8>);

impl FirmwareImage {
    /// The most octets an image may have (`FirmwareImage` in DUIS 5.4).
    pub const LARGEST: usize = 10_240_000;

    /// An image of these octets.
    ///
    /// # Errors
    /// There are none, or too many.
    pub fn new(octets: Vec<u8>) -> Result<Self, FirmwareFieldError> {
        match octets.len() {
            1..=Self::LARGEST => Ok(Self(octets)),
            found => Err(FirmwareFieldError::Octets(found)),
        }
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The hash that 11.3 names it by.
    pub fn hash(&self) -> FirmwareHash {
        FirmwareHash(Sha256::digest(&self.0).into())
    }
}

impl fmt::Debug for FirmwareImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FirmwareImage({} octets, SHA-256 {})", self.0.len(), self.hash())
    }
}

impl fmt::Display for FirmwareImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl FromStr for FirmwareImage {
    type Err = FirmwareFieldError;

    /// Reads base64, in which white space may stand (XML Schema part 2, 3.2.16).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
        let octets = STANDARD.decode(digits).map_err(|_| FirmwareFieldError::NotBase64)?;
        Self::new(octets)
    }
}

/// A firmware version, 1 to 8 characters (DUIS type `FirmwareVersion`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareVersion(String);

impl FirmwareVersion {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for FirmwareVersion {
    type Err = FirmwareFieldError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.chars().count() {
            1..=8 => Ok(Self(text.to_owned())),
            _ => Err(FirmwareFieldError::Version),
        }
    }
}

impl Leaf for FirmwareVersion {
    const EXACT: bool = true;

    fn form() -> String {
        "1 to 8 characters".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("expected {}", Self::form()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        FirmwareVersion((0..draw.count(1, 8)).map(|_| *draw.one_of(&['0', 'A', ' ', '&'])).collect())
    }
}

/// SHA-256 of a firmware image.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FirmwareHash([u8; 32]);

impl FirmwareHash {
    /// Its octets.
    pub const fn octets(self) -> [u8; 32] {
        self.0
    }
}

impl From<[u8; 32]> for FirmwareHash {
    fn from(octets: [u8; 32]) -> Self {
        Self(octets)
    }
}

impl fmt::Display for FirmwareHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for FirmwareHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FirmwareHash({self})")
    }
}

impl FromStr for FirmwareHash {
    type Err = FirmwareFieldError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair = |pair: &[u8]| {
            let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
            u8::from_str_radix(digits, 16).ok()
        };
        let digits = Some(text.as_bytes()).filter(|digits| digits.len() == 64);
        let octets: Option<Vec<u8>> = digits.and_then(|digits| digits.chunks(2).map(pair).collect());
        octets.and_then(|octets| octets.try_into().ok()).map(Self).ok_or(FirmwareFieldError::Hash)
    }
}

/// A value that is not part of a firmware request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirmwareFieldError {
    /// Not base64.
    #[error("expected base64")]
    NotBase64,
    /// No octets, or too many.
    #[error("expected an image of 1 to {largest} octets, found {0}", largest = FirmwareImage::LARGEST)]
    Octets(usize),
    /// A version too short or too long.
    #[error("expected a firmware version of 1 to 8 characters")]
    Version,
    /// Not a hash.
    #[error("expected 64 hexadecimal digits")]
    Hash,
}
