//! The A-XDR encoding of [`Data`] (IEC 62056-5-3, 9.5, with IEC 61334-6).

use super::{BitString, CompactArray, Data, Date, DateTime, Time};
use crate::octets::{DecodeError, Fault, Reader, put_length, put_string};

/// How deep arrays and structures may nest. Deeper input is refused: meters use four or five levels.
pub const MAX_DEPTH: usize = 16;

impl Data {
    /// The tag octet of the value's type.
    pub fn tag(&self) -> u8 {
        match self {
            Data::Null => 0,
            Data::Array(_) => 1,
            Data::Structure(_) => 2,
            Data::Boolean(_) => 3,
            Data::BitString(_) => 4,
            Data::I32(_) => 5,
            Data::U32(_) => 6,
            Data::Octets(_) => 9,
            Data::Visible(_) => 10,
            Data::Utf8(_) => 12,
            Data::Bcd(_) => 13,
            Data::I8(_) => 15,
            Data::I16(_) => 16,
            Data::U8(_) => 17,
            Data::U16(_) => 18,
            Data::CompactArray(_) => 19,
            Data::I64(_) => 20,
            Data::U64(_) => 21,
            Data::Enum(_) => 22,
            Data::F32(_) => 23,
            Data::F64(_) => 24,
            Data::DateTime(_) => 25,
            Data::Date(_) => 26,
            Data::Time(_) => 27,
            Data::DontCare => 255,
        }
    }

    /// The value with its tag, as it goes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_to(&mut out);
        out
    }

    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(self.tag());
        self.encode_contents(out);
    }

    /// The value without its tag.
    fn encode_contents(&self, out: &mut Vec<u8>) {
        match self {
            Data::Null | Data::DontCare => {}
            Data::Array(elements) | Data::Structure(elements) => {
                put_length(out, elements.len());
                elements.iter().for_each(|element| element.encode_to(out));
            }
            Data::Boolean(v) => out.push(u8::from(*v)),
            Data::BitString(v) => {
                put_length(out, v.bits().len());
                out.extend(v.to_octets());
            }
            Data::I32(v) => out.extend(v.to_be_bytes()),
            Data::U32(v) => out.extend(v.to_be_bytes()),
            Data::Octets(v) | Data::Visible(v) => put_string(out, v),
            Data::Utf8(v) => put_string(out, v.as_bytes()),
            Data::Bcd(v) | Data::U8(v) | Data::Enum(v) => out.push(*v),
            Data::I8(v) => out.extend(v.to_be_bytes()),
            Data::I16(v) => out.extend(v.to_be_bytes()),
            Data::U16(v) => out.extend(v.to_be_bytes()),
            Data::I64(v) => out.extend(v.to_be_bytes()),
            Data::U64(v) => out.extend(v.to_be_bytes()),
            Data::F32(v) => out.extend(v.to_be_bytes()),
            Data::F64(v) => out.extend(v.to_be_bytes()),
            Data::DateTime(v) => out.extend(v.to_octets()),
            Data::Date(v) => out.extend(v.to_octets()),
            Data::Time(v) => out.extend(v.to_octets()),
            Data::CompactArray(v) => v.encode_to(out),
        }
    }

    /// Reads one value that fills `octets`.
    ///
    /// # Errors
    /// An unknown tag, a value cut short, nesting deeper than [`MAX_DEPTH`], or octets left over.
    pub fn decode(octets: &[u8]) -> Result<Data, DecodeError> {
        let mut reader = Reader::new(octets);
        let data = Data::read(&mut reader)?;
        reader.finish("data")?;
        Ok(data)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Data, DecodeError> {
        Self::read_at(reader, 0)
    }

    fn read_at(reader: &mut Reader<'_>, depth: usize) -> Result<Data, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(reader.error("data", Fault::Limit { limit: MAX_DEPTH, of: "levels of nesting" }));
        }
        let tag = reader.u8("data tag")?;
        match tag {
            1 => Ok(Data::Array(Self::read_elements(reader, depth)?)),
            2 => Ok(Data::Structure(Self::read_elements(reader, depth)?)),
            19 => Ok(Data::CompactArray(CompactArray::read(reader)?)),
            _ => Self::read_simple(reader, tag),
        }
    }

    /// An element takes at least its tag octet, so a count beyond the octets left fails before memory grows.
    fn read_elements(reader: &mut Reader<'_>, depth: usize) -> Result<Vec<Data>, DecodeError> {
        let count = reader.length("number of elements")?;
        if count > reader.left() {
            let fault = Fault::Truncated { needed: count, left: reader.left() };
            return Err(reader.error("elements", fault));
        }
        (0..count).map(|_| Self::read_at(reader, depth + 1)).collect()
    }

    /// The contents of a value that holds no other values, its tag already read.
    pub(super) fn read_simple(reader: &mut Reader<'_>, tag: u8) -> Result<Data, DecodeError> {
        Ok(match tag {
            0 => Data::Null,
            3 => Data::Boolean(reader.flag("boolean")?),
            4 => Data::BitString(read_bit_string(reader)?),
            5 => Data::I32(i32::from_be_bytes(reader.array("double-long")?)),
            6 => Data::U32(reader.u32("double-long-unsigned")?),
            9 => Data::Octets(reader.string("octet-string")?.to_vec()),
            10 => Data::Visible(reader.string("visible-string")?.to_vec()),
            12 => Data::Utf8(read_utf8(reader)?),
            13 => Data::Bcd(reader.u8("bcd")?),
            15 => Data::I8(i8::from_be_bytes(reader.array("integer")?)),
            16 => Data::I16(i16::from_be_bytes(reader.array("long")?)),
            17 => Data::U8(reader.u8("unsigned")?),
            18 => Data::U16(reader.u16("long-unsigned")?),
            20 => Data::I64(i64::from_be_bytes(reader.array("long64")?)),
            21 => Data::U64(u64::from_be_bytes(reader.array("long64-unsigned")?)),
            22 => Data::Enum(reader.u8("enum")?),
            23 => Data::F32(f32::from_be_bytes(reader.array("float32")?)),
            24 => Data::F64(f64::from_be_bytes(reader.array("float64")?)),
            25 => Data::DateTime(DateTime::from_octets(reader.array("date-time")?)),
            26 => Data::Date(Date::from_octets(reader.array("date")?)),
            27 => Data::Time(Time::from_octets(reader.array("time")?)),
            255 => Data::DontCare,
            _ => return Err(reader.unexpected("data tag", tag, "the tag of a COSEM data type")),
        })
    }
}

fn read_bit_string(reader: &mut Reader<'_>) -> Result<BitString, DecodeError> {
    let bits = reader.length("bit-string length")?;
    Ok(BitString::from_octets(reader.take(bits.div_ceil(8), "bit-string")?, bits))
}

fn read_utf8(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let at = reader.clone();
    let octets = reader.string("utf8-string")?;
    String::from_utf8(octets.to_vec()).map_err(|_| at.error("utf8-string", Fault::NotUtf8))
}
