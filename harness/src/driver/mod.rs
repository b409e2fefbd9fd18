//! The driver: DLMS/COSEM sessions with devices over links, and what is built on them.
//!
//! In the picture of the house it stands between the S1SP and the links, and under the second path by which scripts
//! observe the truth. Everything a device can be asked goes through a [`Session`]; simulated and real devices go through
//! the same code. The protocols themselves are the state machines of `proto-dlms`; here they meet sockets, deadlines,
//! and the faults of a lab.
//!
//! - [`Session`]: one association with one device, over a link of its own or through a [`Hub`];
//! - [`ZclReader`]: ZigBee attributes of a device behind a hub;
//! - [`dongle`] and [`cluster`]: the home area network by a ZigBee dongle, and what its attributes mean;
//! - [`RigLinks`]: from the lab file to a session;
//! - [`prove`]: is the rig what the lab file says;
//! - [`meet`]: what is this meter;
//! - [`scan`]: where on a link is a meter;
//! - [`read`]: one object;
//! - [`buffer`]: the rows of a period;
//! - [`mod@line`]: how a serial line begins, and the mode C read-out;
//! - [`values`]: what a COSEM value means.

mod access;
pub mod buffer;
mod channel;
pub mod cluster;
pub mod cosem;
mod counters;
pub mod dongle;
mod error;
mod keyring;
pub mod line;
pub mod meet;
pub mod prove;
pub mod read;
pub mod rig;
pub mod scan;
mod session;
pub mod values;
mod withdraw;
mod zcl;

pub use crate::state::state_folder;
pub use access::{Access, Deadlines, Keyset, KeysetError, MANAGEMENT_LOGICAL_DEVICE, Sleep};
pub use channel::hub::{Hub, Push};
pub use counters::{CounterBook, CounterFault, CounterOwner};
pub use error::{Context, DriverError, DriverErrorKind};
pub use keyring::{Credential, Keyring, Own};
pub use rig::{Client, Han, ReachError, RigLinks};
pub(crate) use session::key_transfer_method;
pub use session::{KeyChangeError, Session};
pub use withdraw::{Withdrawal, withdraw};
pub use zcl::ZclReader;

#[cfg(test)]
mod tests;
