//! Station addresses (IEC 62056-46, 6.4.2): 1, 2 or 4 octets of 7 bits, the last marked by its lowest bit.
//!
//! Some are of no station in particular (6.4.2.3): the highest of a part is all stations, to whom one speaks and who never
//! answer; the one below it, as a physical device, is whichever device has called; 0 is no station.

use std::fmt;

use thiserror::Error;

use crate::octets::{DecodeError, Reader};

/// The address of a station. A client's is its SAP; a server's has an upper part, the logical device, and mostly a
/// lower part, the physical device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    upper: u16,
    /// 0 in an address of one octet, which has no lower part.
    lower: u16,
    size: AddressSize,
}

/// Octets an address takes on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressSize {
    /// Upper part only, 7 bits.
    One,
    /// Upper and lower part, 7 bits each.
    Two,
    /// Upper and lower part, 14 bits each.
    Four,
}

/// An address that does not fit its octets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "address {upper}/{lower} does not fit; parts go to 127 in one or two octets, to 16383 in four, and one octet has no lower part"
)]
pub struct AddressError {
    /// Upper part.
    pub upper: u16,
    /// Lower part.
    pub lower: u16,
}

impl Address {
    /// A client's address: its SAP, in one octet.
    ///
    /// # Errors
    /// A SAP above 127.
    pub fn client(sap: u8) -> Result<Self, AddressError> {
        Self::sized(sap.into(), 0, AddressSize::One)
    }

    /// A server's address in the fewest octets that hold it.
    ///
    /// # Errors
    /// A part above 16383.
    pub fn server(upper: u16, lower: Option<u16>) -> Result<Self, AddressError> {
        match (upper, lower) {
            (0..=0x7F, None) => Self::sized(upper, 0, AddressSize::One),
            (0..=0x7F, Some(lower @ 0..=0x7F)) => Self::sized(upper, lower, AddressSize::Two),
            (upper, lower) => Self::sized(upper, lower.unwrap_or(0), AddressSize::Four),
        }
    }

    /// An address in so many octets: some meters answer only to one size.
    ///
    /// # Errors
    /// A part too big for that size, or a lower part where there is none.
    pub fn sized(upper: u16, lower: u16, size: AddressSize) -> Result<Self, AddressError> {
        let (highest_upper, highest_lower) = match size {
            AddressSize::One => (0x7F, 0),
            AddressSize::Two => (0x7F, 0x7F),
            AddressSize::Four => (0x3FFF, 0x3FFF),
        };
        if upper > highest_upper || lower > highest_lower {
            return Err(AddressError { upper, lower });
        }
        Ok(Self { upper, lower, size })
    }

    /// The upper part: the client's SAP, or the server's logical device.
    pub fn upper(self) -> u16 {
        self.upper
    }

    /// The lower part: the physical device. `None` in an address of one octet.
    pub fn lower(self) -> Option<u16> {
        (self.size != AddressSize::One).then_some(self.lower)
    }

    /// Octets it takes on the line.
    pub fn size(self) -> AddressSize {
        self.size
    }

    /// Whether it is that of all stations, in either part. Nobody answers what is sent to all (IEC 62056-46, 6.4.2.3).
    pub fn is_of_all_stations(self) -> bool {
        let all = self.highest();
        self.upper == all || self.lower() == Some(all)
    }

    /// Whether its physical device is whichever has called, as a device does that has an event to tell of.
    pub fn is_of_calling_device(self) -> bool {
        self.lower() == Some(self.highest() - 1)
    }

    /// Whether it is that of no station: a frame to or from it means nothing.
    pub fn is_of_no_station(self) -> bool {
        self.upper == 0
    }

    /// The highest a part may be in so many octets.
    fn highest(self) -> u16 {
        match self.size {
            AddressSize::One | AddressSize::Two => 0x7F,
            AddressSize::Four => 0x3FFF,
        }
    }

    /// Whether a frame from `other` may be this station's: meters answer in other sizes than they were asked in, or
    /// with the parts swapped.
    pub(super) fn answers_as(self, other: Self) -> bool {
        let same = self.upper == other.upper && (self.lower == other.lower || other.size == AddressSize::One);
        same || (self.upper == other.lower && self.lower == other.upper)
    }

    pub(super) fn encode_to(self, out: &mut Vec<u8>) {
        let octet = |bits: u16| u8::try_from(bits & 0x7F).unwrap_or(0) << 1;
        match self.size {
            AddressSize::One => out.push(octet(self.upper) | 1),
            AddressSize::Two => out.extend([octet(self.upper), octet(self.lower) | 1]),
            AddressSize::Four => {
                out.extend([
                    octet(self.upper >> 7),
                    octet(self.upper),
                    octet(self.lower >> 7),
                    octet(self.lower) | 1,
                ]);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut parts = [0_u16; 4];
        let mut count = 0;
        for part in &mut parts {
            let octet = reader.u8("address")?;
            *part = u16::from(octet >> 1);
            count += 1;
            if octet & 1 == 1 {
                break;
            }
            if count == 4 {
                return Err(reader.unexpected("address", octet, "a last octet with its lowest bit set"));
            }
        }
        let [a, b, c, d] = parts;
        match count {
            1 => Ok(Self { upper: a, lower: 0, size: AddressSize::One }),
            2 => Ok(Self { upper: a, lower: b, size: AddressSize::Two }),
            4 => Ok(Self { upper: (a << 7) | b, lower: (c << 7) | d, size: AddressSize::Four }),
            _ => Err(reader.unexpected("address", reader.peek().unwrap_or(0), "1, 2 or 4 octets")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lower() {
            None => write!(f, "{}", self.upper),
            Some(lower) => write!(f, "{}/{lower}", self.upper),
        }
    }
}
