//! The gRPC service by which a witness hands in its cosignatures: messages, client and server made from `cosign.proto`.

use crate::rpc::generated;

pub use generated::cosign_client::CosignClient;
pub use generated::cosign_server::{Cosign, CosignServer};
pub use generated::{ListCosignaturesRequest, ListCosignaturesResponse, SubmitRequest, SubmitResponse};

/// The longest note handed in, in octets.
pub const MAX_NOTE: usize = 64 << 10;
