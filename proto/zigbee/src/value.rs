//! Attribute values with their ZCL data types (ZCL specification, 2.6.2).

use std::fmt::{self, Display as _};

use crate::ZigbeeError;
use crate::bytes::{Reader, put};

/// An attribute value and its type. Integers are held in 64 bits with the width they have on the wire, so
/// a value wider than its type is cut to it when written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No data, type 00.
    NoData,
    /// General data of 1 to 8 octets, types 08 to 0f.
    Data {
        /// Octets on the wire, 1 to 8.
        width: u8,
        /// The octets, the first of them lowest.
        value: u64,
    },
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
    /// Floating point number of 2, 4 or 8 octets (IEEE 754), types 38 to 3a.
    Float(Float),
    /// Octet string with a length of one octet, type 41. At most 254 octets; longer ones are cut.
    Octets(Vec<u8>),
    /// Character string with a length of one octet, type 42. Kept as octets: a device may send anything.
    Characters(Vec<u8>),
    /// Octet string with a length of two octets, type 43. At most 65,534 octets; longer ones are cut.
    LongOctets(Vec<u8>),
    /// Character string with a length of two octets, type 44.
    LongCharacters(Vec<u8>),
    /// A string of type 41 to 44 that is there but not defined: its length says so.
    UndefinedString(u8),
    /// Elements of one type: array (48), set (50) or bag (51).
    Collection(Collection),
    /// Elements of any types, type 4c. At most 65,534.
    Structure(Vec<Value>),
    /// Hours, minutes, seconds and hundredths, type e0; ff in any is not specified.
    TimeOfDay([u8; 4]),
    /// Year less 1900, month, day, day of week, type e1; ff in any is not specified.
    Date([u8; 4]),
    /// Seconds since 2000-01-01T00:00:00Z, type e2.
    UtcTime(u32),
    /// Cluster identifier, type e8.
    Cluster(u16),
    /// Attribute identifier, type e9.
    Attribute(u16),
    /// BACnet object identifier, type ea.
    BacnetObject(u32),
    /// Extended unique identifier, type f0, most significant octet first here, last on the wire.
    Ieee([u8; 8]),
    /// Security key of 128 bits, type f1.
    Key([u8; 16]),
}

/// A floating point number as its bits, so that every one of them can be compared and read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Float {
    /// Two octets, type 38.
    Semi(u16),
    /// Four octets, type 39.
    Single(u32),
    /// Eight octets, type 3a.
    Double(u64),
}

impl Float {
    /// The number, where it has a Rust type: half precision has none.
    pub fn get(self) -> Option<f64> {
        match self {
            Self::Semi(_) => None,
            Self::Single(bits) => Some(f32::from_bits(bits).into()),
            Self::Double(bits) => Some(f64::from_bits(bits)),
        }
    }
}

/// How a collection counts its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionKind {
    /// In order, type 48.
    Array,
    /// Without order, each once, type 50.
    Set,
    /// Without order, type 51.
    Bag,
}

/// Elements of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    kind: CollectionKind,
    element: u8,
    elements: Vec<Value>,
}

impl Collection {
    /// A collection of elements of one type; none when there are more than 65,534, when they differ in type, or
    /// when they are of a type without octets.
    pub fn new(kind: CollectionKind, element: u8, elements: Vec<Value>) -> Option<Self> {
        let alike = elements.iter().all(|value| value.data_type() == element);
        (alike && element != NO_DATA && elements.len() <= MOST_ELEMENTS).then_some(Self {
            kind,
            element,
            elements,
        })
    }

    /// How it counts them.
    pub fn kind(&self) -> CollectionKind {
        self.kind
    }

    /// Their type octet.
    pub fn element_type(&self) -> u8 {
        self.element
    }

    /// They.
    pub fn elements(&self) -> &[Value] {
        &self.elements
    }
}

/// The longest string that still has a defined length octet (ff says the string is not defined).
const LONGEST_STRING: usize = 254;
const UNDEFINED_STRING: u8 = 0xff;
const LONGEST_LONG_STRING: usize = 65_534;
const UNDEFINED_LONG_STRING: u16 = 0xffff;
const MOST_ELEMENTS: usize = 65_534;
const NO_DATA: u8 = 0x00;
/// How deep values may nest (2.6.2.13).
const DEEPEST: u8 = 15;
const WHAT: &str = "attribute value";

impl Value {
    /// An unsigned number of `width` octets.
    pub fn unsigned(width: u8, value: u64) -> Self {
        Self::Unsigned { width: width.clamp(1, 8), value }
    }

    /// A signed number of `width` octets.
    pub fn signed(width: u8, value: i64) -> Self {
        Self::Signed { width: width.clamp(1, 8), value }
    }

    /// A bitmap of `width` octets.
    pub fn bitmap(width: u8, value: u64) -> Self {
        Self::Bitmap { width: width.clamp(1, 8), value }
    }

    /// Text as a character string.
    pub fn text(text: &str) -> Self {
        Self::Characters(text.as_bytes().to_vec())
    }

    /// The number of an integer, bitmap, enumeration or time; none for strings, addresses and negatives.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Boolean(value) => Some(u64::from(value)),
            Self::Data { value, .. } | Self::Bitmap { value, .. } | Self::Unsigned { value, .. } => {
                Some(value)
            }
            Self::Signed { value, .. } => u64::try_from(value).ok(),
            Self::Enum8(value) => Some(u64::from(value)),
            Self::Enum16(value) | Self::Cluster(value) | Self::Attribute(value) => Some(u64::from(value)),
            Self::UtcTime(value) | Self::BacnetObject(value) => Some(u64::from(value)),
            _ => None,
        }
    }

    /// The number of an integer, bitmap, enumeration or time, negative ones too.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Signed { value, .. } => Some(value),
            ref other => i64::try_from(other.as_u64()?).ok(),
        }
    }

    /// The text of a character string of valid UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Characters(octets) | Self::LongCharacters(octets) => std::str::from_utf8(octets).ok(),
            _ => None,
        }
    }

    /// The octets of an octet or character string.
    pub fn as_octets(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets)
            | Self::Characters(octets)
            | Self::LongOctets(octets)
            | Self::LongCharacters(octets) => Some(octets),
            _ => None,
        }
    }

    /// The type octet.
    pub fn data_type(&self) -> u8 {
        match self {
            Self::NoData => NO_DATA,
            Self::Data { width, .. } => 0x07 + width.clamp(&1, &8),
            Self::Boolean(_) => 0x10,
            Self::Bitmap { width, .. } => 0x17 + width.clamp(&1, &8),
            Self::Unsigned { width, .. } => 0x1f + width.clamp(&1, &8),
            Self::Signed { width, .. } => 0x27 + width.clamp(&1, &8),
            Self::Enum8(_) => 0x30,
            Self::Enum16(_) => 0x31,
            Self::Float(Float::Semi(_)) => 0x38,
            Self::Float(Float::Single(_)) => 0x39,
            Self::Float(Float::Double(_)) => 0x3a,
            Self::Octets(_) => 0x41,
            Self::Characters(_) => 0x42,
            Self::LongOctets(_) => 0x43,
            Self::LongCharacters(_) => 0x44,
            Self::UndefinedString(kind) => *kind.clamp(&0x41, &0x44),
            Self::Collection(collection) => match collection.kind {
                CollectionKind::Array => 0x48,
                CollectionKind::Set => 0x50,
                CollectionKind::Bag => 0x51,
            },
            Self::Structure(_) => 0x4c,
            Self::TimeOfDay(_) => 0xe0,
            Self::Date(_) => 0xe1,
            Self::UtcTime(_) => 0xe2,
            Self::Cluster(_) => 0xe8,
            Self::Attribute(_) => 0xe9,
            Self::BacnetObject(_) => 0xea,
            Self::Ieee(_) => 0xf0,
            Self::Key(_) => 0xf1,
        }
    }

    /// Whether values of this type are reported on change by an amount rather than on any change (2.6.2.1).
    pub fn is_analogue(data_type: u8) -> bool {
        matches!(data_type, 0x20..=0x2f | 0x38..=0x3a | 0xe0..=0xe2)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        Self::read_nested(reader, DEEPEST)
    }

    fn read_nested(reader: &mut Reader<'_>, deeper: u8) -> Result<Self, ZigbeeError> {
        let offset = reader.offset();
        let kind = reader.u8("attribute data type")?;
        Self::read_of(kind, offset, reader, deeper)
    }

    /// Reads a value whose type is known from elsewhere, such as a reportable change.
    pub(crate) fn read_typed(kind: u8, reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        Self::read_of(kind, reader.offset(), reader, DEEPEST)
    }

    fn read_of(kind: u8, offset: usize, reader: &mut Reader<'_>, deeper: u8) -> Result<Self, ZigbeeError> {
        match kind {
            0x00..=0x3a => Self::read_number(kind, offset, reader),
            0x41..=0x44 => Self::read_string(kind, reader),
            0x48 => collection(CollectionKind::Array, offset, reader, deeper),
            0x4c => structure(offset, reader, deeper),
            0x50 => collection(CollectionKind::Set, offset, reader, deeper),
            0x51 => collection(CollectionKind::Bag, offset, reader, deeper),
            _ => Self::read_other(kind, offset, reader),
        }
    }

    fn read_number(kind: u8, offset: usize, reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        let mut number = |width: u8| reader.unsigned(WHAT, width.into());
        Ok(match kind {
            NO_DATA => Self::NoData,
            0x08..=0x0f => Self::Data { width: kind - 0x07, value: number(kind - 0x07)? },
            0x10 => Self::Boolean(reader.u8(WHAT)? != 0),
            0x18..=0x1f => Self::Bitmap { width: kind - 0x17, value: number(kind - 0x17)? },
            0x20..=0x27 => Self::Unsigned { width: kind - 0x1f, value: number(kind - 0x1f)? },
            0x28..=0x2f => signed(kind - 0x27, number(kind - 0x27)?),
            0x30 => Self::Enum8(reader.u8(WHAT)?),
            0x31 => Self::Enum16(reader.u16(WHAT)?),
            0x38 => Self::Float(Float::Semi(reader.u16(WHAT)?)),
            0x39 => Self::Float(Float::Single(u32::from_le_bytes(reader.array(WHAT)?))),
            0x3a => Self::Float(Float::Double(reader.unsigned(WHAT, 8)?)),
            found => return Err(ZigbeeError::DataType { found, offset }),
        })
    }

    fn read_string(kind: u8, reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        let length = match kind {
            0x41 | 0x42 => {
                Some(reader.u8("string length")?).filter(|n| *n != UNDEFINED_STRING).map(u16::from)
            }
            _ => Some(reader.u16("string length")?).filter(|length| *length != UNDEFINED_LONG_STRING),
        };
        let Some(length) = length else { return Ok(Self::UndefinedString(kind)) };
        let octets = reader.take("string", length.into())?.to_vec();
        Ok(match kind {
            0x41 => Self::Octets(octets),
            0x42 => Self::Characters(octets),
            0x43 => Self::LongOctets(octets),
            _ => Self::LongCharacters(octets),
        })
    }

    fn read_other(kind: u8, offset: usize, reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        Ok(match kind {
            0xe0 => Self::TimeOfDay(reader.array(WHAT)?),
            0xe1 => Self::Date(reader.array(WHAT)?),
            0xe2 => Self::UtcTime(u32::from_le_bytes(reader.array(WHAT)?)),
            0xe8 => Self::Cluster(reader.u16(WHAT)?),
            0xe9 => Self::Attribute(reader.u16(WHAT)?),
            0xea => Self::BacnetObject(u32::from_le_bytes(reader.array(WHAT)?)),
            0xf0 => Self::Ieee(reader.unsigned(WHAT, 8)?.to_be_bytes()),
            0xf1 => Self::Key(reader.array(WHAT)?),
            found => return Err(ZigbeeError::DataType { found, offset }),
        })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.data_type());
        self.write_untyped(out);
    }

    /// Writes the value without its type octet.
    pub(crate) fn write_untyped(&self, out: &mut Vec<u8>) {
        match self {
            Self::NoData => {}
            Self::Boolean(value) => out.push(u8::from(*value)),
            Self::Data { width, value } | Self::Bitmap { width, value } | Self::Unsigned { width, value } => {
                put(out, *value, octets(*width))
            }
            Self::Signed { width, value } => put(out, value.cast_unsigned(), octets(*width)),
            Self::Enum8(value) => out.push(*value),
            Self::Enum16(value) | Self::Cluster(value) | Self::Attribute(value) => {
                put(out, u64::from(*value), 2)
            }
            Self::Float(Float::Semi(bits)) => put(out, u64::from(*bits), 2),
            Self::Float(Float::Single(bits)) => put(out, u64::from(*bits), 4),
            Self::Float(Float::Double(bits)) => put(out, *bits, 8),
            Self::Octets(string) | Self::Characters(string) => put_string(out, string),
            Self::LongOctets(string) | Self::LongCharacters(string) => put_long_string(out, string),
            Self::UndefinedString(_) => match self.data_type() {
                0x41 | 0x42 => out.push(UNDEFINED_STRING),
                _ => put(out, UNDEFINED_LONG_STRING.into(), 2),
            },
            Self::Collection(collection) => {
                out.push(collection.element);
                put_count(out, collection.elements.len());
                collection.elements.iter().for_each(|element| element.write_untyped(out));
            }
            Self::Structure(elements) => {
                put_count(out, elements.len());
                elements.iter().take(MOST_ELEMENTS).for_each(|element| element.write(out));
            }
            Self::TimeOfDay(octets) | Self::Date(octets) => out.extend(octets),
            Self::UtcTime(value) | Self::BacnetObject(value) => put(out, u64::from(*value), 4),
            Self::Ieee(address) => put(out, u64::from_be_bytes(*address), 8),
            Self::Key(key) => out.extend(key),
        }
    }
}

/// An array, set or bag: type of the elements, their count, then they without their type.
fn collection(
    kind: CollectionKind,
    offset: usize,
    reader: &mut Reader<'_>,
    deeper: u8,
) -> Result<Value, ZigbeeError> {
    let deeper = deeper.checked_sub(1).ok_or(ZigbeeError::Nesting { offset, limit: DEEPEST })?;
    let at = reader.offset();
    let element = reader.u8("element data type")?;
    // Elements without octets would be as many as the count says, whatever the frame holds.
    if element == NO_DATA {
        return Err(ZigbeeError::DataType { found: element, offset: at });
    }
    let count = count(reader)?;
    let elements =
        (0..count).map(|_| Value::read_of(element, at, reader, deeper)).collect::<Result<_, _>>()?;
    Ok(Value::Collection(Collection { kind, element, elements }))
}

fn structure(offset: usize, reader: &mut Reader<'_>, deeper: u8) -> Result<Value, ZigbeeError> {
    let deeper = deeper.checked_sub(1).ok_or(ZigbeeError::Nesting { offset, limit: DEEPEST })?;
    let count = count(reader)?;
    let elements = (0..count).map(|_| Value::read_nested(reader, deeper)).collect::<Result<_, _>>()?;
    Ok(Value::Structure(elements))
}

/// How many elements follow; ffff says that there is none to be known, as a string of that length would.
fn count(reader: &mut Reader<'_>) -> Result<u16, ZigbeeError> {
    Ok(Some(reader.u16("element count")?).filter(|count| *count != UNDEFINED_LONG_STRING).unwrap_or_default())
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put(out, u64::try_from(count.min(MOST_ELEMENTS)).unwrap_or_default(), 2);
}

impl fmt::Display for Value {
    /// Text as it stands where it is UTF-8, other octets in upper case hexadecimal, numbers in decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoData | Self::UndefinedString(_) => f.write_str("-"),
            Self::Boolean(value) => value.fmt(f),
            Self::Data { value, .. } => write!(f, "{value:#x}"),
            Self::Bitmap { value, .. } => write!(f, "{value:#b}"),
            Self::Unsigned { value, .. } => value.fmt(f),
            Self::Signed { value, .. } => value.fmt(f),
            Self::Enum8(value) => value.fmt(f),
            Self::Enum16(value) => value.fmt(f),
            Self::Float(float) => match float.get() {
                Some(number) => number.fmt(f),
                None => write!(f, "{float:?}"),
            },
            Self::Cluster(value) | Self::Attribute(value) => write!(f, "{value:04X}"),
            Self::UtcTime(value) | Self::BacnetObject(value) => value.fmt(f),
            Self::Octets(octets) | Self::LongOctets(octets) => hex(f, octets),
            Self::Characters(octets) | Self::LongCharacters(octets) => match std::str::from_utf8(octets) {
                Ok(text) => text.fmt(f),
                Err(_) => hex(f, octets),
            },
            Self::Collection(collection) => list(f, &collection.elements),
            Self::Structure(elements) => list(f, elements),
            Self::TimeOfDay(octets) | Self::Date(octets) => hex(f, octets),
            Self::Ieee(address) => hex(f, address),
            Self::Key(_) => f.write_str("(a key)"),
        }
    }
}

fn hex(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    octets.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
}

fn list(f: &mut fmt::Formatter<'_>, elements: &[Value]) -> fmt::Result {
    f.write_str("[")?;
    for (index, element) in elements.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        element.fmt(f)?;
    }
    f.write_str("]")
}

fn octets(width: u8) -> usize {
    usize::from(width.clamp(1, 8))
}

/// Extends the sign of a two's complement number of `width` octets.
fn signed(width: u8, raw: u64) -> Value {
    let shift = 64 - 8 * u32::from(width.clamp(1, 8));
    Value::Signed { width, value: (raw << shift).cast_signed() >> shift }
}

pub(crate) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    let kept = string.get(..LONGEST_STRING).unwrap_or(string);
    put(out, u64::try_from(kept.len()).unwrap_or_default(), 1);
    out.extend(kept);
}

fn put_long_string(out: &mut Vec<u8>, string: &[u8]) {
    let kept = string.get(..LONGEST_LONG_STRING).unwrap_or(string);
    put(out, u64::try_from(kept.len()).unwrap_or_default(), 2);
    out.extend(kept);
}
