//! Device addresses.

use std::fmt;
use std::str::FromStr;

use crate::ZigbeeError;
use crate::bytes::Reader;
use crate::field::Field;

/// Extended unique identifier of a device. Most significant octet first here and as people write it, last on the
/// wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eui64(pub [u8; 8]);

impl Eui64 {
    /// What stands where no address is known.
    pub const UNKNOWN: Self = Self([0xff; 8]);
    /// What stands where there is no device.
    pub const NONE: Self = Self([0; 8]);
}

impl fmt::Display for Eui64 {
    /// Two hexadecimal digits an octet, with hyphens: `00-DB-12-34-56-78-90-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(index, octet)| write!(f, "{}{octet:02X}", if index == 0 { "" } else { "-" }))
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no EUI-64: expected 16 hexadecimal digits, such as 00-DB-12-34-56-78-90-01")]
pub struct NotEui64(String);

impl FromStr for Eui64 {
    type Err = NotEui64;

    /// Sixteen hexadecimal digits, with hyphens or colons between octets or without.
    fn from_str(text: &str) -> Result<Self, NotEui64> {
        let digits: Vec<char> = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let number = digits
            .iter()
            .try_fold(0u64, |number, digit| digit.to_digit(16).map(|digit| number << 4 | u64::from(digit)));
        match number {
            Some(number) if digits.len() == 16 => Ok(Self(number.to_be_bytes())),
            _ => Err(NotEui64(text.to_owned())),
        }
    }
}

impl Field for Eui64 {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let mut octets: [u8; 8] = reader.array(what)?;
        octets.reverse();
        Ok(Self(octets))
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.extend(self.0.iter().rev());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_people_write_it() {
        let written = "00-DB-12-34-56-78-90-01";
        let address: Eui64 = written.parse().unwrap();
        assert_eq!(address.to_string(), written);
        assert_eq!("00:db:12:34:56:78:90:01".parse(), Ok(address));
        assert!("00-DB-12".parse::<Eui64>().unwrap_err().to_string().contains("16 hexadecimal digits"));
        assert!("00DB1234567890011".parse::<Eui64>().is_err());
    }
}
