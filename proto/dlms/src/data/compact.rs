//! Compact arrays: one type description, then the elements without tags (IEC 62056-5-3, `compact-array`).

use super::Data;
use super::codec::MAX_DEPTH;
use crate::octets::{DecodeError, Fault, Reader, put_length, put_string};

/// Values a compact array may unfold to. Some types take no octets, so the octets alone do not bound them.
const MAX_VALUES: usize = 65_536;

/// An array whose elements share one described type and carry no tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactArray {
    /// The type of every element.
    pub description: TypeDescription,
    /// The elements, one after the other, as on the wire.
    pub contents: Vec<u8>,
}

/// The type of the elements of a compact array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeDescription {
    /// A type that holds no other values, by its data tag.
    Simple(u8),
    /// `array` of so many elements of one type.
    Array(u16, Box<TypeDescription>),
    /// `structure` of elements of these types.
    Structure(Vec<TypeDescription>),
}

impl CompactArray {
    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        self.description.encode_to(out);
        put_string(out, &self.contents);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let description = TypeDescription::read(reader, 0)?;
        Ok(Self { description, contents: reader.string("compact-array contents")?.to_vec() })
    }

    /// The elements with their types, as if the array had come uncompressed.
    ///
    /// # Errors
    /// Contents that do not divide into whole elements, or more values than this decoder unfolds.
    pub fn elements(&self) -> Result<Vec<Data>, DecodeError> {
        let mut reader = Reader::new(&self.contents);
        let mut budget = MAX_VALUES;
        let mut elements = Vec::new();
        while !reader.is_empty() {
            elements.push(self.description.read_value(&mut reader, &mut budget)?);
        }
        Ok(elements)
    }
}

impl TypeDescription {
    fn encode_to(&self, out: &mut Vec<u8>) {
        match self {
            TypeDescription::Simple(tag) => out.push(*tag),
            TypeDescription::Array(count, element) => {
                out.push(1);
                out.extend(count.to_be_bytes());
                element.encode_to(out);
            }
            TypeDescription::Structure(elements) => {
                out.push(2);
                put_length(out, elements.len());
                elements.iter().for_each(|element| element.encode_to(out));
            }
        }
    }

    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(
                reader.error("type description", Fault::Limit { limit: MAX_DEPTH, of: "levels of nesting" })
            );
        }
        match reader.u8("type description")? {
            1 => {
                let count = reader.u16("number of elements")?;
                Ok(TypeDescription::Array(count, Box::new(Self::read(reader, depth + 1)?)))
            }
            2 => {
                let count = reader.length("number of elements")?;
                let elements: Result<_, _> = (0..count).map(|_| Self::read(reader, depth + 1)).collect();
                Ok(TypeDescription::Structure(elements?))
            }
            tag @ (0 | 3..=6 | 9 | 10 | 12 | 13 | 15..=18 | 20..=27 | 255) => {
                Ok(TypeDescription::Simple(tag))
            }
            tag => {
                Err(reader.unexpected("type description", tag, "the tag of a type a compact array may hold"))
            }
        }
    }

    fn read_value(&self, reader: &mut Reader<'_>, budget: &mut usize) -> Result<Data, DecodeError> {
        let limit = Fault::Limit { limit: MAX_VALUES, of: "values in a compact array" };
        *budget = budget.checked_sub(1).ok_or_else(|| reader.error("compact-array contents", limit))?;
        match self {
            TypeDescription::Simple(tag) => Data::read_simple(reader, *tag),
            TypeDescription::Array(count, element) => {
                let elements: Result<_, _> =
                    (0..*count).map(|_| element.read_value(reader, budget)).collect();
                Ok(Data::Array(elements?))
            }
            TypeDescription::Structure(types) => {
                let elements: Result<_, _> =
                    types.iter().map(|kind| kind.read_value(reader, budget)).collect();
                Ok(Data::Structure(elements?))
            }
        }
    }
}
