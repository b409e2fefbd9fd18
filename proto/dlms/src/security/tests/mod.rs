//! Suite 0 against other programs, against itself, and both ends of secured associations against each other.

mod association;
mod golden;
mod properties;

use super::*;

/// The keys of the examples most implementations are held against.
pub(super) fn keys() -> Keys {
    let encryption = Key::new(keys::from_hex("000102030405060708090A0B0C0D0E0F").unwrap());
    let authentication = Key::new(keys::from_hex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF").unwrap());
    Keys { encryption, authentication }
}

pub(super) const CLIENT: SystemTitle = SystemTitle([0x4D, 0x4D, 0x4D, 0, 0, 0, 0, 1]);
pub(super) const METER: SystemTitle = SystemTitle([0x4D, 0x4D, 0x4D, 0, 0, 0xBC, 0x61, 0x4E]);

/// A context that has sent up to `sent`.
pub(super) fn context(title: SystemTitle, sent: u32) -> SecurityContext {
    let state = CounterState { sent: Some(InvocationCounter(sent)), ..CounterState::default() };
    SecurityContext::new(title, keys(), Counters::held_in_memory(state))
}

pub(super) fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(' ', "")).unwrap()
}
