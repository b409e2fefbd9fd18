//! The DLMS gateway header: an APDU for, or from, a device behind a hub.
//!
//! A hub on the WAN serves the devices of a network of its own. The APDU of a request to one of them starts with
//! `E6`, network id and the device's physical address; the answer starts with `E7` and the same (DLMS UA 1000-2,
//! gateway protocol). An APDU without the header is for, or from, the hub itself.

use crate::octets::{DecodeError, Fault, Reader};

const REQUEST: u8 = 0xE6;
const RESPONSE: u8 = 0xE7;

/// Which way an APDU goes through the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the WAN to a device: header `E6`.
    Request,
    /// From a device to the WAN, answer or push: header `E7`.
    Response,
}

/// An APDU with the gateway header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Which way it goes.
    pub direction: Direction,
    /// Which network of the hub's the device is on.
    pub network_id: u8,
    /// The device's address there, an EUI-64 on a ZigBee network.
    pub physical_address: PhysicalAddress,
    /// The APDU.
    pub apdu: Vec<u8>,
}

/// A device's address on the network behind a gateway: at most 255 octets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhysicalAddress(Vec<u8>);

impl PhysicalAddress {
    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; 8]> for PhysicalAddress {
    /// The address of a device on a ZigBee network: its EUI-64.
    fn from(eui64: [u8; 8]) -> Self {
        Self(eui64.to_vec())
    }
}

impl TryFrom<&[u8]> for PhysicalAddress {
    type Error = DecodeError;

    fn try_from(octets: &[u8]) -> Result<Self, DecodeError> {
        let fault = Fault::Limit { limit: MAX_ADDRESS, of: "octets of address" };
        if octets.len() > MAX_ADDRESS {
            return Err(DecodeError { at: MAX_ADDRESS, part: "physical address", fault });
        }
        Ok(Self(octets.to_vec()))
    }
}

const MAX_ADDRESS: usize = 255;

impl Envelope {
    /// Whether `apdu` starts with the gateway header.
    pub fn is_present(apdu: &[u8]) -> bool {
        matches!(apdu.first(), Some(&(REQUEST | RESPONSE)))
    }

    /// The header with the APDU behind it.
    pub fn encode(&self) -> Vec<u8> {
        let tag = match self.direction {
            Direction::Request => REQUEST,
            Direction::Response => RESPONSE,
        };
        let mut out = vec![tag, self.network_id];
        // An address never has more than 255 octets: the only ways to make one see to that.
        out.push(u8::try_from(self.physical_address.0.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&self.physical_address.0);
        out.extend_from_slice(&self.apdu);
        out
    }

    /// Reads the header; what follows it is the APDU.
    ///
    /// # Errors
    /// Octets that do not start with `E6` or `E7`, or end within the header.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let direction = match reader.u8("gateway header")? {
            REQUEST => Direction::Request,
            RESPONSE => Direction::Response,
            found => return Err(reader.unexpected("gateway header", found, "E6 (request) or E7 (response)")),
        };
        let network_id = reader.u8("network id")?;
        let length = usize::from(reader.u8("physical address length")?);
        let physical_address = PhysicalAddress(reader.take(length, "physical address")?.to_vec());
        Ok(Self { direction, network_id, physical_address, apdu: reader.rest().to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The gateway protocol of the DLMS UA with the EUI-64 of a ZigBee device as physical address.
    /// If this fails, do not change the test.
    #[test]
    fn golden_request() {
        let octets = hex::decode("E60008001122FFFE334455C001C1").unwrap();
        let envelope = Envelope {
            direction: Direction::Request,
            network_id: 0,
            physical_address: PhysicalAddress::from([0x00, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55]),
            apdu: vec![0xC0, 0x01, 0xC1],
        };
        assert_eq!(envelope.encode(), octets);
        assert_eq!(Envelope::decode(&octets), Ok(envelope));
        assert!(Envelope::is_present(&octets) && !Envelope::is_present(&[0xC0]));
    }

    proptest! {
        #[test]
        fn headers_round_trip(response: bool, network_id: u8, address in vec(any::<u8>(), 0..=255), apdu in vec(any::<u8>(), 0..40)) {
            let direction = if response { Direction::Response } else { Direction::Request };
            let physical_address = PhysicalAddress::try_from(address.as_slice()).unwrap();
            let envelope = Envelope { direction, network_id, physical_address, apdu };
            prop_assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
        }

        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..64)) {
            let _ = Envelope::decode(&octets);
        }
    }

    #[test]
    fn an_address_too_long_for_its_length_octet_cannot_be_made() {
        assert!(PhysicalAddress::try_from([0; 256].as_slice()).is_err());
    }
}
