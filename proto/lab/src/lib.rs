//! Run records and the lab's gRPC services.
//!
//! [`record`] is what a run writes and everything else reads. It has no I/O and no clock. [`rpc`] are the services between
//! programs: [`watch`] carries records as the lines they were written as, so that a watcher can check them, and a witness
//! signs for them by [`cosign`]; [`control`] and [`queue`] are for those who run the lab, [`attach`] for its benches.
//! [`station`] is what is said over MQTT to the relays, keys and sensors of a rig.

pub mod attach;
pub mod control;
pub mod cosign;
mod digest;
pub mod publish;
pub mod queue;
pub mod record;
pub mod rpc;
pub mod station;
pub mod watch;

pub use digest::{Digest, DigestFormatError};
