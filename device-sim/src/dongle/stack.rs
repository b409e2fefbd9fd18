//! What the co-processor remembers: its configuration, its network and who is in it.

use std::collections::BTreeMap;

use proto_zigbee::Eui64;
use proto_zigbee::ezsp::{InitialSecurityState, MulticastEntry, NetworkParameters};
use proto_zigbee::zdo::Endpoint;

/// Entries of each table; more are refused.
pub(super) const TABLE: usize = 32;
/// How many counters the stack has.
pub(super) const COUNTERS: usize = 41;
/// Devices that can be in the network at a time.
const JOINED: usize = 32;

/// Short address of the coordinator.
pub(super) const COORDINATOR: u16 = 0x0000;
/// Where a short address is not known.
pub(super) const NO_ADDRESS: u16 = 0xffff;

/// A network the co-processor has formed. It outlives a reset, as flash memory does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) parameters: NetworkParameters,
    pub(super) security: InitialSecurityState,
    pub(super) joined: Vec<Joined>,
}

/// A device in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) eui64: Eui64,
    pub(super) address: u16,
    pub(super) sleepy: bool,
}

impl Network {
    /// Takes a device in, at a short address made of its EUI-64; none when it is in already or there is no room.
    pub(super) fn join(&mut self, eui64: Eui64, sleepy: bool) -> Option<Joined> {
        if self.joined.len() >= JOINED || self.joined.iter().any(|joined| joined.eui64 == eui64) {
            return None;
        }
        let Eui64([.., high, low]) = eui64;
        let mut address = u16::from_be_bytes([high, low]);
        while address == COORDINATOR || address >= 0xfff0 || self.by_address(address).is_some() {
            address = address.wrapping_add(1);
        }
        let joined = Joined { eui64, address, sleepy };
        self.joined.push(joined);
        Some(joined)
    }

    pub(super) fn by_address(&self, address: u16) -> Option<Joined> {
        self.joined.iter().find(|joined| joined.address == address).copied()
    }

    pub(super) fn by_eui64(&self, eui64: Eui64) -> Option<Joined> {
        self.joined.iter().find(|joined| joined.eui64 == eui64).copied()
    }
}

/// A counter of the stack, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    BroadcastSent = 7,
    UnicastReceived = 8,
    UnicastSent = 9,
    UnicastFailed = 11,
    Joined = 16,
}

/// Everything, with what a reset forgets apart from what it keeps.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) network: Option<Network>,
    pub(super) tokens: BTreeMap<u8, [u8; 8]>,
    pub(super) volatile: Volatile,
}

/// What a reset forgets.
#[derive(Debug)]
pub(super) struct Volatile {
    /// A version was agreed on.
    pub(super) agreed: bool,
    /// The network is up.
    pub(super) up: bool,
    /// How a network to be formed will be secured.
    pub(super) security: Option<InitialSecurityState>,
    pub(super) configuration: BTreeMap<u8, u16>,
    pub(super) values: BTreeMap<u8, Vec<u8>>,
    pub(super) policies: BTreeMap<u8, u8>,
    pub(super) multicast: BTreeMap<u8, MulticastEntry>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) counters: [u16; COUNTERS],
    /// Devices may join.
    pub(super) permits: bool,
    pub(super) manufacturer: u16,
    /// Number of the last message sent.
    pub(super) sequence: u8,
    pub(super) random: u16,
}

/// Configuration as the stack has it before a host sets any (identifier, value): what a host reads and may raise.
const CONFIGURATION: [(u8, u16); 20] = [
    (0x01, 64),   // packet buffers
    (0x02, 16),   // neighbours
    (0x03, 10),   // unicast messages at a time
    (0x05, 8),    // address table
    (0x06, 8),    // multicast table
    (0x07, 16),   // route table
    (0x0c, 2),    // stack profile
    (0x0d, 5),    // security level
    (0x10, 30),   // hops
    (0x11, 32),   // end device children
    (0x12, 3000), // milliseconds a parent keeps a frame
    (0x13, 8),    // end device poll time-out
    (0x19, 0),    // trust centre address cache
    (0x1a, 32),   // source route table
    (0x1e, 12),   // key table
    (0x22, 1),    // network identifier conflicts
    (0x2a, 0),    // questions about the device the host answers
    (0x2d, 1),    // networks
    (0x38, 300),  // seconds a device may come back by the well-known key
    (0x1b, 6),    // shift of the poll time-out
];

impl Default for Volatile {
    fn default() -> Self {
        Self {
            agreed: false,
            up: false,
            security: None,
            configuration: CONFIGURATION.into_iter().collect(),
            values: BTreeMap::new(),
            policies: BTreeMap::new(),
            multicast: BTreeMap::new(),
            endpoints: Vec::new(),
            counters: [0; COUNTERS],
            permits: false,
            manufacturer: 0,
            sequence: 0,
            random: 0x2c31,
        }
    }
}

impl Stack {
    pub(super) fn new() -> Self {
        Self { network: None, tokens: BTreeMap::new(), volatile: Volatile::default() }
    }

    /// What a reset does.
    pub(super) fn reset(&mut self) {
        self.volatile = Volatile::default();
    }

    /// The network, when it is up.
    pub(super) fn running(&self) -> Option<&Network> {
        self.network.as_ref().filter(|_| self.volatile.up)
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut Network> {
        self.network.as_mut().filter(|_| self.volatile.up)
    }

    pub(super) fn count(&mut self, counter: Counter) {
        if let Some(value) = self.volatile.counters.get_mut(counter as usize) {
            *value = value.saturating_add(1);
        }
    }

    pub(super) fn next_sequence(&mut self) -> u8 {
        self.volatile.sequence = self.volatile.sequence.wrapping_add(1);
        self.volatile.sequence
    }

    /// A number nobody should rely on, but another one each time.
    pub(super) fn random(&mut self) -> u16 {
        let mut next = self.volatile.random;
        next ^= next << 7;
        next ^= next >> 9;
        next ^= next << 8;
        self.volatile.random = next;
        next
    }
}
