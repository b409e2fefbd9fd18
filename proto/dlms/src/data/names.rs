//! How objects and their parts are named (IEC 62056-6-1 and IEC 62056-6-2).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::octets::{DecodeError, Reader};

/// An interface class: 1 data, 3 register, 7 profile generic, 8 clock and so on (IEC 62056-6-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An OBIS code, the logical name of an object: groups A to F (IEC 62056-6-1).
///
/// ```
/// use proto_dlms::data::Obis;
///
/// let import: Obis = "1-0:1.8.0".parse()?;
/// assert_eq!(import, Obis([1, 0, 1, 8, 0, 255]));
/// assert_eq!(import, "1-0:1.8.0*255".parse()?);
/// assert_eq!(import, "1.0.1.8.0.255".parse()?);
/// assert_eq!(import.to_string(), "1-0:1.8.0");
/// assert_eq!(Obis([0, 0, 96, 1, 0, 4]).to_string(), "0-0:96.1.0.4");
/// # Ok::<(), proto_dlms::data::ObisError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Obis(pub [u8; 6]);

impl fmt::Display for Obis {
    /// `A-B:C.D.E`, with `.F` only where it is not 255.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Obis([a, b, c, d, e, f]) = self;
        write!(out, "{a}-{b}:{c}.{d}.{e}")?;
        if *f == 255 { Ok(()) } else { write!(out, ".{f}") }
    }
}

/// Text that is not an OBIS code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is not an OBIS code: write A-B:C.D.E, A-B:C.D.E.F or A.B.C.D.E.F with numbers of 0 to 255"
)]
pub struct ObisError {
    /// The text found.
    pub found: String,
}

impl FromStr for Obis {
    type Err = ObisError;

    fn from_str(text: &str) -> Result<Self, ObisError> {
        parse_obis(text).ok_or_else(|| ObisError { found: text.to_owned() })
    }
}

fn parse_obis(text: &str) -> Option<Obis> {
    let punctuation: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    if !["-:..", "-:...", "-:..*", "....."].contains(&punctuation.as_str()) {
        return None;
    }
    let mut groups = [255; 6];
    for (group, number) in groups.iter_mut().zip(text.split(['-', ':', '.', '*'])) {
        *group = number.parse().ok()?;
    }
    Some(Obis(groups))
}

/// One attribute of one object. Attribute 1 is always the logical name; 0 means all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeRef {
    /// The interface class.
    pub class: ClassId,
    /// The logical name.
    pub obis: Obis,
    /// The attribute's number; negative for manufacturers' own.
    pub attribute: i8,
}

impl fmt::Display for AttributeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class {} {} attribute {}", self.class, self.obis, self.attribute)
    }
}

impl AttributeRef {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (class, obis, attribute) = read_member(reader)?;
        Ok(Self { class, obis, attribute })
    }

    pub(crate) fn encode_to(self, out: &mut Vec<u8>) {
        put_member(out, self.class, self.obis, self.attribute);
    }
}

/// One method of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodRef {
    /// The interface class.
    pub class: ClassId,
    /// The logical name.
    pub obis: Obis,
    /// The method's number.
    pub method: i8,
}

impl fmt::Display for MethodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class {} {} method {}", self.class, self.obis, self.method)
    }
}

impl MethodRef {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (class, obis, method) = read_member(reader)?;
        Ok(Self { class, obis, method })
    }

    pub(crate) fn encode_to(self, out: &mut Vec<u8>) {
        put_member(out, self.class, self.obis, self.method);
    }
}

fn read_member(reader: &mut Reader<'_>) -> Result<(ClassId, Obis, i8), DecodeError> {
    let class = ClassId(reader.u16("class id")?);
    let obis = Obis(reader.array("logical name")?);
    Ok((class, obis, i8::from_be_bytes(reader.array("attribute or method number")?)))
}

fn put_member(out: &mut Vec<u8>, class: ClassId, obis: Obis, member: i8) {
    out.extend(class.0.to_be_bytes());
    out.extend(obis.0);
    out.extend(member.to_be_bytes());
}
