//! Evidence: the one writer of a run's records, and the check of them by someone who does not trust the lab.
//!
//! A run is one folder:
//!
//! ```text
//! RUN/records.jsonl   one record a line; the octets of a line are what is hashed
//! RUN/checkpoints     signed notes: size and root of the tree over the lines, at intervals, script ends and the end
//! RUN/blobs/SHA256    messages and readings that records refer to
//! RUN/captures/       pcapng, what crossed each link; bound by length and SHA-256 in records
//! RUN/cosignatures    signed notes of witnesses over some of the checkpoints; not of the run's own making
//! RUN/key.pub         the public key, so that the folder is whole; trust in it must come from elsewhere
//! ```
//!
//! A lab's book ([`proto_lab::record::book`]) is such a folder too: its first record says which of the two it is ([`Opening`]).
//!
//! [`Recorder`] writes it, [`verify`] checks it, [`read_records`] reads it. Everything shown or reported of a run is a fold
//! over these records.
//!
//! What it proves: the records, blobs and captures are those that the holder of the key wrote, in that order, none
//! missing up to the final checkpoint. What it cannot prove: that the lab recorded what truly happened, that the clock
//! was right, or, for a run without its final checkpoint, that nothing after its last checkpoint was cut.

mod blob;
mod capture;
mod chain;
pub mod checkpoint;
mod cosignature;
mod cosigned;
mod drafts;
mod error;
mod folder;
mod head;
mod key;
pub mod note;
mod opening;
mod packets;
mod recorder;
mod resume;
mod scribe;
mod torn;
pub mod tree;
mod verify;

#[cfg(test)]
mod tests;

pub use capture::{Capture, LinkKind};
pub use chain::{Chain, Link, LinkOf, Missing, verify_chain};
pub use cosignature::{Cosignature, CosignerKey, CosigningKey};
pub use cosigned::{
    CosignatureFault, Cosigned, Cosigner, CosignerStanding, Kept, cosigners, keep_cosignature,
    read_cosignatures,
};
pub use drafts::{Swept, sweep_drafts};
pub use error::EvidenceError;
pub use folder::{Records, RunFolder, previous_root, read_records};
pub use head::{Extends, HeadError, HeldHead};
pub use key::LabKey;
pub use note::{KeyFormatError, KeyName, VerifierKey};
pub use opening::Opening;
pub use packets::{CaptureFault, Packet, Packets, is_pcapng, read_packets};
pub use recorder::{CHECKPOINT_EVERY, Recorder, RunEnd};
pub use resume::Resumed;
pub use torn::Torn;
pub use verify::{Finding, Place, Standing, Verification, verify};
