//! ZigBee Device Objects: what a device is and has, asked at endpoint 0 of every device (ZigBee specification, 2.4).
//!
//! Only what a coordinator asks of the devices in its network, and the answers to it.

use crate::bytes::Reader;
use crate::field::{Counted, Field, record};
use crate::{Eui64, ZigbeeError};

/// Profile identifier of these frames.
pub const PROFILE: u16 = 0x0000;
/// Cluster of an answer: that of its question with this bit.
pub const RESPONSE: u16 = 0x8000;
/// Which short address has a device?
pub const NETWORK_ADDRESS: u16 = 0x0000;
/// Which EUI-64 has a short address?
pub const IEEE_ADDRESS: u16 = 0x0001;
/// What kind of node is it?
pub const NODE_DESCRIPTOR: u16 = 0x0002;
/// What is at an endpoint?
pub const SIMPLE_DESCRIPTOR: u16 = 0x0004;
/// Which endpoints has it?
pub const ACTIVE_ENDPOINTS: u16 = 0x0005;
/// Whether others may join by it.
pub const PERMIT_JOINING: u16 = 0x0036;

/// Done.
pub const SUCCESS: u8 = 0x00;
/// There is no such endpoint.
pub const INVALID_ENDPOINT: u8 = 0x82;
/// There is nothing at that endpoint.
pub const NOT_ACTIVE: u8 = 0x83;
/// The device does not answer that question.
pub const NOT_SUPPORTED: u8 = 0x84;
/// There is no such device here.
pub const DEVICE_NOT_FOUND: u8 = 0x81;

/// What is at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which.
    pub number: u8,
    /// Profile of its clusters.
    pub profile: u16,
    /// Kind of device in that profile.
    pub device: u16,
    /// Clusters it serves.
    pub servers: Vec<u16>,
    /// Clusters it uses.
    pub clients: Vec<u16>,
}

/// A device as these questions see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its short address.
    pub address: u16,
    /// Its EUI-64.
    pub eui64: Eui64,
    /// It forms the network.
    pub coordinator: bool,
    /// It sleeps, and its parent keeps frames for it.
    pub sleepy: bool,
    /// Manufacturer code.
    pub manufacturer: u16,
    /// What it has.
    pub endpoints: Vec<Endpoint>,
}

record! {
    /// A question after one device, with the number of the transaction.
    Asked {
        /// The transaction.
        sequence: u8,
        /// The device's short address.
        address: u16,
    }
}

record! {
    /// A question after one address by the other.
    AskedByEui64 {
        /// The transaction.
        sequence: u8,
        /// The device.
        eui64: Eui64,
    }
}

impl Node {
    /// The answer to a question of `cluster`: its cluster and octets. None where the question cannot be read or is
    /// itself an answer.
    pub fn answer(&self, cluster: u16, question: &[u8]) -> Option<(u16, Vec<u8>)> {
        let sequence = *question.first()?;
        if cluster & RESPONSE != 0 {
            return None;
        }
        let body = match cluster {
            NETWORK_ADDRESS => self.by_eui64(question)?,
            IEEE_ADDRESS => self.by_address(question)?,
            NODE_DESCRIPTOR => self.about(question, |node, out| node.put_descriptor(out))?,
            ACTIVE_ENDPOINTS => self.about(question, |node, out| {
                Counted(node.endpoints.iter().map(|endpoint| endpoint.number).collect::<Vec<u8>>())
                    .write(out);
            })?,
            SIMPLE_DESCRIPTOR => self.simple_descriptor(question)?,
            PERMIT_JOINING => vec![SUCCESS],
            _ => vec![NOT_SUPPORTED],
        };
        Some((cluster | RESPONSE, [&[sequence], body.as_slice()].concat()))
    }

    fn by_eui64(&self, question: &[u8]) -> Option<Vec<u8>> {
        let asked: AskedByEui64 = read(question).ok()?;
        (asked.eui64 == self.eui64).then(|| self.addresses())
    }

    fn by_address(&self, question: &[u8]) -> Option<Vec<u8>> {
        let asked: Asked = read(question).ok()?;
        (asked.address == self.address).then(|| self.addresses())
    }

    fn addresses(&self) -> Vec<u8> {
        let mut out = vec![SUCCESS];
        self.eui64.write(&mut out);
        self.address.write(&mut out);
        out
    }

    /// Status, address asked for, and what `put` has to say of it.
    fn about(&self, question: &[u8], put: impl FnOnce(&Self, &mut Vec<u8>)) -> Option<Vec<u8>> {
        let asked: Asked = read(question).ok()?;
        if asked.address != self.address {
            return Some(status_of(DEVICE_NOT_FOUND, asked.address));
        }
        let mut out = status_of(SUCCESS, asked.address);
        put(self, &mut out);
        Some(out)
    }

    /// 2.3.2.3: kind of node, capabilities, manufacturer, largest transfers, server mask.
    fn put_descriptor(&self, out: &mut Vec<u8>) {
        let kind: u8 = match (self.coordinator, self.sleepy) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        let capabilities: u8 = if self.sleepy { 0x80 } else { 0x8e };
        // Band of 2.4 GHz; 82 octets a frame, 1,500 octets a transfer each way.
        out.extend([kind, 0x40, capabilities]);
        self.manufacturer.write(out);
        out.push(82);
        1500_u16.write(out);
        u16::from(self.coordinator).write(out);
        1500_u16.write(out);
        out.push(0);
    }

    fn simple_descriptor(&self, question: &[u8]) -> Option<Vec<u8>> {
        let (asked, number): (Asked, u8) = {
            let mut reader = Reader::new(question);
            (Field::read(&mut reader, "question").ok()?, reader.u8("endpoint").ok()?)
        };
        if asked.address != self.address {
            return Some([status_of(DEVICE_NOT_FOUND, asked.address), vec![0]].concat());
        }
        let Some(endpoint) = self.endpoints.iter().find(|endpoint| endpoint.number == number) else {
            let status = if number == 0 || number > 240 { INVALID_ENDPOINT } else { NOT_ACTIVE };
            return Some([status_of(status, asked.address), vec![0]].concat());
        };
        let described = endpoint.describe();
        let mut out = status_of(SUCCESS, asked.address);
        described.write(&mut out);
        Some(out)
    }
}

impl Endpoint {
    fn describe(&self) -> Vec<u8> {
        let mut out = vec![self.number];
        self.profile.write(&mut out);
        self.device.write(&mut out);
        out.push(0);
        Counted(self.servers.clone()).write(&mut out);
        Counted(self.clients.clone()).write(&mut out);
        out
    }
}

fn status_of(status: u8, address: u16) -> Vec<u8> {
    let [low, high] = address.to_le_bytes();
    vec![status, low, high]
}

fn read<T: Field>(octets: &[u8]) -> Result<T, ZigbeeError> {
    T::read(&mut Reader::new(octets), "question")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meter() -> Node {
        let endpoint = Endpoint {
            number: 1,
            profile: 0x0109,
            device: 0x0501,
            servers: vec![0, 0x0702],
            clients: vec![],
        };
        Node {
            address: 0x1234,
            eui64: Eui64([0, 1, 2, 3, 4, 5, 6, 7]),
            coordinator: false,
            sleepy: false,
            manufacturer: 0x1057,
            endpoints: vec![endpoint],
        }
    }

    fn answer(cluster: u16, question: &str) -> String {
        let (cluster_of_answer, octets) = meter().answer(cluster, &hex::decode(question).unwrap()).unwrap();
        assert_eq!(cluster_of_answer, cluster | RESPONSE);
        hex::encode(octets)
    }

    /// Golden bytes, read by zigpy's `zigpy.zdo.types` as what they mean. If this fails, do not change the test.
    #[test]
    fn a_device_says_what_it_has() {
        assert_eq!(answer(ACTIVE_ENDPOINTS, "073412"), "07003412".to_owned() + "0101");
        assert_eq!(
            answer(SIMPLE_DESCRIPTOR, "08341201"),
            "08003412".to_owned() + "0c" + "0109010105000200000207" + "00"
        );
        assert_eq!(answer(SIMPLE_DESCRIPTOR, "08341205"), "0883341200");
        assert_eq!(answer(NODE_DESCRIPTOR, "093412"), "09003412".to_owned() + "01408e571052dc050000dc0500");
        assert_eq!(answer(NODE_DESCRIPTOR, "090000"), "09810000");
        assert_eq!(answer(IEEE_ADDRESS, "0a34120000"), "0a0007060504030201003412");
        assert_eq!(answer(0x0031, "0b00"), "0b84");
    }

    proptest! {
        #[test]
        fn no_octets_panic(cluster: u16, octets in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = meter().answer(cluster & 0x003f, &octets);
        }
    }
}
