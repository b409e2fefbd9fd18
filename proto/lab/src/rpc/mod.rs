//! The lab's gRPC services, made from the `.proto` files beside this crate's `src`: package `smets1.lab.v1`.
//!
//! | service | for | what it can do |
//! |---|---|---|
//! | [`Watch`](crate::watch) | witnesses, boards, anyone with a credential | read records, checkpoints and blobs |
//! | [`Cosign`](crate::cosign) | witnesses | hand in a cosignature, and nothing else |
//! | [`Control`](crate::control) | engineers | act on runs, rigs and devices |
//! | [`Queue`](crate::queue) | schedulers and engineers | put packs on rigs |
//! | [`Station`](crate::attach) | bench computers | lend the lab their links |
//!
//! The package name carries the version. Within it fields are added and never renumbered; golden messages hold that.

#[cfg(test)]
mod tests;

/// What the `.proto` files give, as generated.
#[allow(missing_docs, reason = "generated; the .proto files document every message and field")]
#[allow(unreachable_pub, reason = "generated")]
#[allow(clippy::doc_markdown, clippy::doc_lazy_continuation, reason = "generated")]
pub(crate) mod generated {
    tonic::include_proto!("smets1.lab.v1");
}

/// Descriptors of every service of the package, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lab.bin"));

/// The longest message that a server of the lab takes from a client, in octets.
pub const MAX_REQUEST: usize = 1 << 20;
