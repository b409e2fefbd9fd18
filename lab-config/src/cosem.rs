//! Stand-in until the DLMS crate lands its types.
use std::fmt;
use std::str::FromStr;

/// Logical name of a COSEM object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Obis(pub [u8; 6]);

/// Not an OBIS code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as A-B:C.D.E, such as 1-0:1.8.0")]
pub struct ObisError;

impl FromStr for Obis {
    type Err = ObisError;
    fn from_str(text: &str) -> Result<Self, ObisError> {
        let numbers: Result<Vec<u8>, _> = text.split(['-', ':', '.', '*']).map(str::parse).collect();
        match numbers.map_err(|_| ObisError)?[..] {
            [a, b, c, d, e] => Ok(Self([a, b, c, d, e, 255])),
            [a, b, c, d, e, f] => Ok(Self([a, b, c, d, e, f])),
            _ => Err(ObisError),
        }
    }
}

impl fmt::Display for Obis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b, c, d, e, _]) = self;
        write!(f, "{a}-{b}:{c}.{d}.{e}")
    }
}

/// An attribute of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeRef {
    /// Class.
    pub class: u16,
    /// Name.
    pub obis: Obis,
    /// Attribute.
    pub attribute: i8,
}
/// A method of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodRef {
    /// Class.
    pub class: u16,
    /// Name.
    pub obis: Obis,
    /// Method.
    pub method: i8,
}
pub(crate) fn attribute(class: u16, obis: Obis, attribute: i8) -> AttributeRef {
    AttributeRef { class, obis, attribute }
}
pub(crate) fn method(class: u16, obis: Obis, method: i8) -> MethodRef {
    MethodRef { class, obis, method }
}
