//! A ZigBee dongle: a network co-processor on a serial port, and the rig's devices within reach of its radio.
//!
//! | part | what it is |
//! |---|---|
//! | [`Ncp`] | the co-processor: ASH and EZSP on the wire, its tables and its network; keeps the network over a reset, as flash memory does |
//! | [`Radio`] | what is within reach; of the estate, the devices of one home (`HomeRadio`) |
//! | `Reports` | attributes a device was told to report |
//! | `Tunnels` | tunnels a dongle has open with meters |
//!
//! What this simulates and what not: the network the co-processor forms is one of its own, beside the hub's, and the
//! devices of the rig join it whenever it lets devices join. A real device would ask for a certificate that a lab has
//! not; a simulated one does not ask. Frames are not encrypted, because there is no air they could be heard on.

mod answer;
#[cfg(test)]
mod command_tests;
mod ncp;
mod radio;
mod reports;
mod stack;
#[cfg(test)]
mod tests;
mod tunnels;

pub use ncp::{Identity, Ncp};
pub(crate) use radio::HomeRadio;
pub use radio::{InReach, Radio};
pub(crate) use reports::Reports;
pub(crate) use tunnels::Tunnels;
