//! The message tap: every DUIS message that the service user, the DCC or the S1SP sends or receives is shown to it as it
//! stands on the wire, those that are refused too. What crosses a link to a device has its own tap,
//! [`link::Tap`](crate::link::Tap).

use std::sync::Arc;

use crate::link::Direction;

/// Something that keeps messages, usually the run's evidence.
///
/// A message is shown when it is about to be sent, so it may not have reached the other side, and when it has arrived,
/// before it is acted upon. Implementations must not block for long, and report their own failures to whoever owns the
/// evidence: there is nothing a sender of messages could do about them.
pub trait MessageTap: Send + Sync {
    /// `bytes` went `direction`, seen from whoever holds the tap; `party` is the other side, and `what` the message in
    /// the field's words, such as `service request 4.1.1`.
    fn message(&self, direction: Direction, party: &str, what: &str, bytes: &[u8]);
}

/// A tap several parties share.
pub type SharedMessageTap = Arc<dyn MessageTap>;

/// A tap that keeps nothing, for messages outside a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMessageTap;

impl MessageTap for NoMessageTap {
    fn message(&self, _direction: Direction, _party: &str, _what: &str, _bytes: &[u8]) {}
}

impl NoMessageTap {
    /// The tap that keeps nothing, ready to hand out.
    #[must_use]
    pub fn shared() -> SharedMessageTap {
        Arc::new(NoMessageTap)
    }
}
