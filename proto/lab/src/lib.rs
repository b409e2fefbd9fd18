//! Run records and the lab's gRPC services.
//!
//! [`record`] is what a run writes and everything else reads. It has no I/O and no clock. [`watch`] is the service by which
//! other programs follow a run; it carries records as the lines they were written as, so that a watcher can check them.
//! [`station`] is what is said over MQTT to the relays, keys and sensors of a rig.

mod digest;
pub mod record;
pub mod station;
pub mod watch;

pub use digest::{Digest, DigestFormatError};
