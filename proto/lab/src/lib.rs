//! Run records and the lab's gRPC services.
//!
//! [`record`] is what a run writes and everything else reads. It has no I/O and no clock.

mod digest;
pub mod record;

pub use digest::{Digest, DigestFormatError};
