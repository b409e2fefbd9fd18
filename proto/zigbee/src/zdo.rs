//! ZigBee Device Objects: what a device is and has, asked at endpoint 0 of every device (ZigBee specification, 2.4).
//!
//! Only what a coordinator asks of the devices in its network, and the answers to it.

use crate::aps::ApsFrame;
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
/// Talk to a cluster of another device from now on.
pub const BIND: u16 = 0x0021;
/// Talk to it no longer.
pub const UNBIND: u16 = 0x0022;
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

/// There is no such binding.
pub const NO_ENTRY: u8 = 0x88;
/// There is no room for another binding.
pub const TABLE_FULL: u8 = 0x8c;
/// How the destination of a binding is addressed: by EUI-64 and endpoint.
const BY_EUI64: u8 = 0x03;

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

record! {
    /// A binding of one cluster between two devices, to be made or undone (2.4.3.2.2).
    Binding {
        /// The transaction.
        sequence: u8,
        /// The device whose binding it is.
        source: Eui64,
        /// The endpoint of its cluster.
        source_endpoint: u8,
        /// The cluster.
        cluster: u16,
        /// How the destination is addressed.
        mode: u8,
        /// The device it talks to.
        destination: Eui64,
        /// The endpoint there.
        destination_endpoint: u8,
    }
}

impl Binding {
    /// The binding of a cluster on endpoints 1 of two devices.
    pub fn of(sequence: u8, source: Eui64, destination: Eui64, cluster: u16) -> Self {
        let (source_endpoint, destination_endpoint, mode) = (1, 1, BY_EUI64);
        Self { sequence, source, source_endpoint, cluster, mode, destination, destination_endpoint }
    }

    /// The octets of an APS frame that asks a device to make the binding, or to undo it.
    pub fn request(&self, bind: bool) -> Vec<u8> {
        let mut payload = Vec::new();
        self.write(&mut payload);
        frame(if bind { BIND } else { UNBIND }, self.sequence, payload).to_bytes()
    }

    /// Reads a question of [`BIND`] or [`UNBIND`].
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] when it is cut; [`ZigbeeError::Mismatch`] when its destination is a group.
    pub fn parse(question: &[u8]) -> Result<Self, ZigbeeError> {
        let binding: Self = read(question)?;
        expect_same("mode of the binding", binding.mode.into(), BY_EUI64.into())?;
        Ok(binding)
    }
}

/// The answer of a device to a question that only has a status, at endpoint 0.
pub fn status_answer(question: &ApsFrame, sequence: u8, status: u8) -> ApsFrame {
    ApsFrame { cluster: question.cluster | RESPONSE, ..question.reply(vec![sequence, status]) }
}

/// The status in the answer to [`BIND`] or [`UNBIND`] with this number of the transaction.
///
/// # Errors
/// [`ZigbeeError::Mismatch`] for the answer to another question, [`ZigbeeError::Short`] for one that is cut.
pub fn binding_status(bind: bool, sequence: u8, octets: &[u8]) -> Result<u8, ZigbeeError> {
    let aps = ApsFrame::parse(octets)?;
    let expected = RESPONSE | if bind { BIND } else { UNBIND };
    expect_same("profile of the answer", aps.profile, PROFILE)?;
    expect_same("cluster of the answer", aps.cluster, expected)?;
    let mut reader = Reader::new(&aps.payload);
    expect_same("transaction of the answer", reader.u8("transaction")?.into(), sequence.into())?;
    reader.u8("status")
}

/// A frame of this profile, from endpoint 0 to endpoint 0.
fn frame(cluster: u16, counter: u8, payload: Vec<u8>) -> ApsFrame {
    ApsFrame {
        ack_request: false,
        destination_endpoint: 0,
        cluster,
        profile: PROFILE,
        source_endpoint: 0,
        counter,
        payload,
    }
}

fn expect_same(what: &'static str, found: u16, expected: u16) -> Result<(), ZigbeeError> {
    if found == expected { Ok(()) } else { Err(ZigbeeError::Mismatch { what, found, expected }) }
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

    /// Golden bytes, read by zigpy's `zigpy.zdo.types` as what they mean. If this fails, do not change the test.
    #[test]
    fn a_binding_is_asked_for_and_answered() {
        let display = Eui64([0, 0xdb, 0x12, 0x34, 0x56, 0x78, 0x90, 5]);
        let meter = Eui64([0, 0xdb, 0x12, 0x34, 0x56, 0x78, 0x90, 3]);
        let binding = Binding::of(7, display, meter, 0x0702);
        let asked = binding.request(true);
        let golden = "0000210000000007".to_owned()
            + "07"
            + "059078563412db00"
            + "01"
            + "0207"
            + "03"
            + "039078563412db00"
            + "01";
        assert_eq!(hex::encode(&asked), golden);
        let aps = ApsFrame::parse(&asked).unwrap();
        assert_eq!(Binding::parse(&aps.payload), Ok(binding));
        let answer = status_answer(&aps, 7, TABLE_FULL).to_bytes();
        assert_eq!(binding_status(true, 7, &answer), Ok(TABLE_FULL));
        assert!(matches!(binding_status(true, 8, &answer), Err(ZigbeeError::Mismatch { .. })));
        assert!(matches!(binding_status(false, 7, &answer), Err(ZigbeeError::Mismatch { .. })));
    }

    proptest! {
        #[test]
        fn no_binding_panics(octets in proptest::collection::vec(any::<u8>(), 0..30)) {
            let _ = Binding::parse(&octets);
            let _ = binding_status(true, 1, &octets);
        }

        #[test]
        fn no_octets_panic(cluster: u16, octets in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = meter().answer(cluster & 0x003f, &octets);
        }
    }
}
