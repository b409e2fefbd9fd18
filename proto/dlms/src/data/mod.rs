//! Values, names and times of the COSEM object model.
//!
//! A meter is a set of objects. [`ClassId`] and [`Obis`] name an object, [`AttributeRef`] and [`MethodRef`] a
//! part of it, and [`Data`] is what is read from or written to that part (IEC 62056-5-3, 9.5; IEC 62056-6-2, 4.1.5).

mod codec;
mod compact;
mod names;
mod results;
mod selective;
#[cfg(test)]
pub(crate) mod tests;
mod time;

pub use codec::MAX_DEPTH;
pub use compact::{CompactArray, TypeDescription};
pub use names::{AttributeRef, ClassId, MethodRef, Obis, ObisError};
pub use results::{ActionResult, DataAccessResult};
pub use selective::{AccessSelection, CaptureObject, Selective, SelectiveError};
pub use time::{Date, DateTime, DeviationSign, Time};

/// A COSEM value (IEC 62056-5-3, the `Data` choice).
///
/// Nothing is normalised away: a value decoded from a meter says exactly which type the meter sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `null-data`: nothing, or "as captured before" in a profile buffer.
    Null,
    /// `array`: elements of one type.
    Array(Vec<Data>),
    /// `structure`: elements of any types.
    Structure(Vec<Data>),
    /// `boolean`.
    Boolean(bool),
    /// `bit-string`.
    BitString(BitString),
    /// `double-long`.
    I32(i32),
    /// `double-long-unsigned`.
    U32(u32),
    /// `octet-string`; also how most meters carry times and OBIS codes.
    Octets(Vec<u8>),
    /// `visible-string`: ASCII by the standard, kept as octets because meters send other things.
    Visible(Vec<u8>),
    /// `utf8-string`.
    Utf8(String),
    /// `bcd`: one octet.
    Bcd(u8),
    /// `integer`.
    I8(i8),
    /// `long`.
    I16(i16),
    /// `unsigned`.
    U8(u8),
    /// `long-unsigned`.
    U16(u16),
    /// `long64`.
    I64(i64),
    /// `long64-unsigned`.
    U64(u64),
    /// `enum`.
    Enum(u8),
    /// `float32`.
    F32(f32),
    /// `float64`.
    F64(f64),
    /// `date-time`: 12 octets.
    DateTime(DateTime),
    /// `date`: 5 octets.
    Date(Date),
    /// `time`: 4 octets.
    Time(Time),
    /// `compact-array`.
    CompactArray(CompactArray),
    /// `dont-care`.
    DontCare,
}

/// A string of bits, most significant bit of the first octet first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitString {
    bits: Vec<bool>,
}

impl BitString {
    /// A string of these bits, first bit first.
    pub fn new(bits: Vec<bool>) -> Self {
        Self { bits }
    }

    /// The bits, first bit first.
    pub fn bits(&self) -> &[bool] {
        &self.bits
    }

    /// The first `count` bits of `octets`.
    pub(crate) fn from_octets(octets: &[u8], count: usize) -> Self {
        let bit = |i: usize| octets.get(i / 8).is_some_and(|octet| octet & (0x80 >> (i % 8)) != 0);
        Self { bits: (0..count.min(octets.len() * 8)).map(bit).collect() }
    }

    /// The bits packed into octets, unused bits zero.
    pub fn to_octets(&self) -> Vec<u8> {
        let pack =
            |bits: &[bool]| bits.iter().enumerate().fold(0, |o, (i, bit)| o | (u8::from(*bit) << (7 - i)));
        self.bits.chunks(8).map(pack).collect()
    }
}

impl Data {
    /// The value as an integer, whichever integer or enumerated type carries it.
    pub fn as_i128(&self) -> Option<i128> {
        match self {
            Data::I8(v) => Some((*v).into()),
            Data::I16(v) => Some((*v).into()),
            Data::I32(v) => Some((*v).into()),
            Data::I64(v) => Some((*v).into()),
            Data::U8(v) | Data::Enum(v) | Data::Bcd(v) => Some((*v).into()),
            Data::U16(v) => Some((*v).into()),
            Data::U32(v) => Some((*v).into()),
            Data::U64(v) => Some((*v).into()),
            _ => None,
        }
    }

    /// The octets of an octet, visible or UTF-8 string.
    pub fn as_octets(&self) -> Option<&[u8]> {
        match self {
            Data::Octets(octets) | Data::Visible(octets) => Some(octets),
            Data::Utf8(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The elements of an array or structure.
    pub fn elements(&self) -> Option<&[Data]> {
        match self {
            Data::Array(elements) | Data::Structure(elements) => Some(elements),
            _ => None,
        }
    }

    /// The date and time, be it a `date-time` or the 12 octets of one in an octet string.
    pub fn as_date_time(&self) -> Option<DateTime> {
        match self {
            Data::DateTime(value) => Some(*value),
            Data::Octets(octets) => <[u8; 12]>::try_from(octets.as_slice()).ok().map(DateTime::from_octets),
            _ => None,
        }
    }

    /// Whether both values have the same type, so that one may be written where the other stands.
    ///
    /// Structures compare element by element; arrays are of one type whatever their length.
    pub fn same_type(&self, other: &Data) -> bool {
        match (self, other) {
            (Data::Structure(a), Data::Structure(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_type(b))
            }
            (Data::Array(a), Data::Array(b)) => match (a.first(), b.first()) {
                (Some(a), Some(b)) => a.same_type(b),
                _ => true,
            },
            _ => self.tag() == other.tag(),
        }
    }
}
