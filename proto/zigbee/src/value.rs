//! Attribute values with their ZCL data types (ZCL specification, 2.6.2).

use std::fmt;

use crate::ZigbeeError;
use crate::bytes::{Reader, put};

/// An attribute value and its type. Integers are held in 64 bits with the width they have on the wire, so
/// a value wider than its type is cut to it when written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Boolean, type 10.
    Boolean(bool),
    /// Bitmap of 1 to 8 octets, types 18 to 1f.
    Bitmap {
        /// Octets on the wire, 1 to 8.
        width: u8,
        /// The bits.
        value: u64,
    },
    /// Unsigned integer of 1 to 8 octets, types 20 to 27.
    Unsigned {
        /// Octets on the wire, 1 to 8.
        width: u8,
        /// The number.
        value: u64,
    },
    /// Signed integer of 1 to 8 octets, types 28 to 2f.
    Signed {
        /// Octets on the wire, 1 to 8.
        width: u8,
        /// The number.
        value: i64,
    },
    /// Enumeration of one octet, type 30.
    Enum8(u8),
    /// Enumeration of two octets, type 31.
    Enum16(u16),
    /// Octet string with a length of one octet, type 41. At most 254 octets; longer ones are cut.
    Octets(Vec<u8>),
    /// Character string with a length of one octet, type 42. Kept as octets: a device may send anything.
    Characters(Vec<u8>),
    /// Seconds since 2000-01-01T00:00:00Z, type e2.
    UtcTime(u32),
    /// Extended unique identifier, type f0, most significant octet first here, last on the wire.
    Ieee([u8; 8]),
}

/// The longest string that still has a defined length octet (ff says the string is not defined).
const LONGEST_STRING: usize = 254;
const UNDEFINED_STRING: u8 = 0xff;

impl Value {
    /// An unsigned number of `width` octets.
    pub fn unsigned(width: u8, value: u64) -> Self {
        Self::Unsigned { width: width.clamp(1, 8), value }
    }

    /// Text as a character string.
    pub fn text(text: &str) -> Self {
        Self::Characters(text.as_bytes().to_vec())
    }

    /// The number of an integer, bitmap, enumeration or time; none for strings, addresses and negatives.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Boolean(value) => Some(u64::from(value)),
            Self::Bitmap { value, .. } | Self::Unsigned { value, .. } => Some(value),
            Self::Signed { value, .. } => u64::try_from(value).ok(),
            Self::Enum8(value) => Some(u64::from(value)),
            Self::Enum16(value) => Some(u64::from(value)),
            Self::UtcTime(value) => Some(u64::from(value)),
            Self::Octets(_) | Self::Characters(_) | Self::Ieee(_) => None,
        }
    }

    /// The text of a character string of valid UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Characters(octets) => std::str::from_utf8(octets).ok(),
            _ => None,
        }
    }

    /// The type octet.
    pub fn data_type(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0x10,
            Self::Bitmap { width, .. } => 0x17 + width.clamp(&1, &8),
            Self::Unsigned { width, .. } => 0x1f + width.clamp(&1, &8),
            Self::Signed { width, .. } => 0x27 + width.clamp(&1, &8),
            Self::Enum8(_) => 0x30,
            Self::Enum16(_) => 0x31,
            Self::Octets(_) => 0x41,
            Self::Characters(_) => 0x42,
            Self::UtcTime(_) => 0xe2,
            Self::Ieee(_) => 0xf0,
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        let offset = reader.offset();
        let kind = reader.u8("attribute data type")?;
        let what = "attribute value";
        Ok(match kind {
            0x10 => Self::Boolean(reader.u8(what)? != 0),
            0x18..=0x1f => {
                Self::Bitmap { width: kind - 0x17, value: reader.unsigned(what, (kind - 0x17).into())? }
            }
            0x20..=0x27 => {
                Self::Unsigned { width: kind - 0x1f, value: reader.unsigned(what, (kind - 0x1f).into())? }
            }
            0x28..=0x2f => signed(kind - 0x27, reader.unsigned(what, (kind - 0x27).into())?),
            0x30 => Self::Enum8(reader.u8(what)?),
            0x31 => Self::Enum16(reader.u16(what)?),
            0x41 => Self::Octets(string(reader)?),
            0x42 => Self::Characters(string(reader)?),
            0xe2 => Self::UtcTime(u32::try_from(reader.unsigned(what, 4)?).unwrap_or(u32::MAX)),
            0xf0 => Self::Ieee(reader.unsigned(what, 8)?.to_be_bytes()),
            found => return Err(ZigbeeError::DataType { found, offset }),
        })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.data_type());
        match self {
            Self::Boolean(value) => out.push(u8::from(*value)),
            Self::Bitmap { width, value } | Self::Unsigned { width, value } => {
                put(out, *value, octets(*width))
            }
            Self::Signed { width, value } => put(out, value.cast_unsigned(), octets(*width)),
            Self::Enum8(value) => out.push(*value),
            Self::Enum16(value) => put(out, u64::from(*value), 2),
            Self::Octets(string) | Self::Characters(string) => put_string(out, string),
            Self::UtcTime(value) => put(out, u64::from(*value), 4),
            Self::Ieee(address) => put(out, u64::from_be_bytes(*address), 8),
        }
    }
}

impl fmt::Display for Value {
    /// Text as it stands where it is UTF-8, other octets in upper case hexadecimal, numbers in decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex =
            |f: &mut fmt::Formatter<'_>, octets: &[u8]| octets.iter().try_for_each(|o| write!(f, "{o:02X}"));
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Bitmap { value, .. } => write!(f, "{value:#b}"),
            Self::Unsigned { value, .. } => value.fmt(f),
            Self::Signed { value, .. } => value.fmt(f),
            Self::Enum8(value) => value.fmt(f),
            Self::Enum16(value) => value.fmt(f),
            Self::UtcTime(value) => value.fmt(f),
            Self::Octets(octets) => hex(f, octets),
            Self::Characters(octets) => match std::str::from_utf8(octets) {
                Ok(text) => text.fmt(f),
                Err(_) => hex(f, octets),
            },
            Self::Ieee(address) => hex(f, address),
        }
    }
}

fn octets(width: u8) -> usize {
    usize::from(width.clamp(1, 8))
}

/// Extends the sign of a two's complement number of `width` octets.
fn signed(width: u8, raw: u64) -> Value {
    let shift = 64 - 8 * u32::from(width.clamp(1, 8));
    Value::Signed { width, value: (raw << shift).cast_signed() >> shift }
}

fn string(reader: &mut Reader<'_>) -> Result<Vec<u8>, ZigbeeError> {
    match reader.u8("string length")? {
        UNDEFINED_STRING => Ok(Vec::new()),
        length => Ok(reader.take("string", usize::from(length))?.to_vec()),
    }
}

pub(crate) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    let kept = string.get(..LONGEST_STRING).unwrap_or(string);
    put(out, u64::try_from(kept.len()).unwrap_or_default(), 1);
    out.extend(kept);
}
