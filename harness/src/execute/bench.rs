//! What a script's steps reach the world through. The rig's bench is one; tests and benchmarks have one that answers at once.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{PacketRange, Sequence, Verdict};
use scenarios::{Action, Bindings, Values};

/// What a step saw.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Where: the service user, or a link of the rig.
    pub from: String,
    /// The values, by the path a script names them by.
    pub values: Values,
    /// The bytes they were read from, kept beside the records.
    pub blobs: Vec<Digest>,
    /// Where those bytes crossed a link.
    pub packets: Option<PacketRange>,
}

/// Why a step saw nothing, and what that makes of the step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Trouble {
    /// Fail when the device or the DCC Systems did wrong; error when the lab did; inconclusive when it cannot be told.
    pub verdict: Verdict,
    /// What was found, expected, and where.
    pub reason: String,
}

impl Trouble {
    /// What was under test did wrong.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, reason: reason.into() }
    }

    /// The lab did wrong.
    pub fn error(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Error, reason: reason.into() }
    }

    /// It cannot be told who did wrong.
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Inconclusive, reason: reason.into() }
    }
}

/// The world, as far as scripts may touch it.
pub trait Bench: Send {
    /// The lab's time.
    fn now(&self) -> Timestamp;

    /// A script begins: what was left over from the last one is not this one's.
    fn begin(&mut self) -> impl Future<Output = ()> + Send;

    /// Does what a step says, or gives up after `within`. `intent` is the record that announced it; messages that pass
    /// meanwhile belong to it.
    ///
    /// # Errors
    /// [`Trouble`] with the verdict it leads to.
    fn act(
        &mut self,
        action: &Action,
        bindings: &Bindings,
        intent: Sequence,
        within: Duration,
    ) -> impl Future<Output = Result<Seen, Trouble>> + Send;
}
