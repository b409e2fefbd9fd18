//! What a meter says unasked: event notifications (C2) and data notifications (0F), plain or ciphered, and longer than
//! one APDU (IEC 62056-5-3, 6.10 to 6.13).
//!
//! A push belongs to no request, and mostly to no association. The meter's end is [`frames`]: the APDUs to send. The
//! other is a [`Receiver`]: APDUs in, in whatever order the line brings them, notifications out. A push longer than the
//! receiver takes goes in general blocks that nobody acknowledges. Meters send those blocks seconds apart, so how long
//! to wait for the next is a setting, and there is a limit to how long and how much in all.

mod receiver;
#[cfg(test)]
mod tests;

pub use receiver::{Received, Receiver, ReceiverSettings};

use std::time::Duration;

use thiserror::Error;

use crate::apdu::{Apdu, BlockWindow, Ciphered, Envelope, GeneralBlock, KeySet};
use crate::block_transfer::{Transfer, TransferError};
use crate::client::Notification;
use crate::octets::DecodeError;
use crate::security::{Protection, SecurityContext, SecurityError};

/// Why a push is lost.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PushError {
    /// An APDU of it cannot be read.
    #[error("a push that cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// It is not accepted, or cannot be ciphered.
    #[error("a push that is not accepted: {0}")]
    Security(#[from] SecurityError),
    /// It is ciphered, and there are no keys, or its sender is not known.
    #[error("{found} arrived and there are no keys for its sender")]
    NoKeys {
        /// What arrived.
        found: &'static str,
    },
    /// It is something else.
    #[error("{found} arrived, expected a notification")]
    NotANotification {
        /// What arrived.
        found: &'static str,
    },
    /// One of its blocks is missing, or there are too many.
    #[error("a push in blocks is lost: {0}")]
    Blocks(#[from] TransferError),
    /// The next block did not come in time.
    #[error("a push in blocks is lost: block {expected} did not come within {waited:?}")]
    Late {
        /// The block waited for.
        expected: u16,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl From<Notification> for Apdu {
    fn from(notification: Notification) -> Self {
        match notification {
            Notification::Event(event) => Self::EventNotification(event),
            Notification::Data(data) => Self::DataNotification(data),
        }
    }
}

/// The APDUs of a push, in the order to send them: one, or blocks where the receiver takes no more than `max_pdu` octets
/// in one (0 for no limit). Ciphered in the general envelope, which says who sends it.
///
/// # Errors
/// No invocation counter to use, or a notification too long for any number of blocks.
pub fn frames(
    notification: Notification,
    cover: Option<(&mut SecurityContext, Protection)>,
    max_pdu: u16,
) -> Result<Vec<Vec<u8>>, PushError> {
    let plain = Apdu::from(notification).encode();
    let whole = match cover {
        None => plain,
        Some((context, protection)) => {
            let contents = context.protect(protection, &plain)?;
            let envelope = Envelope::General(Some(context.title()));
            Ciphered { keys: KeySet::Global, envelope, contents }.encode()
        }
    };
    if max_pdu == 0 || whole.len() <= usize::from(max_pdu) {
        return Ok(vec![whole]);
    }
    in_blocks(&whole, Transfer::block_size(max_pdu))
}

/// Whether an APDU is a notification in clear, or a block of one: what whoever passes APDUs on can tell from answers
/// without any keys.
pub fn is_push(apdu: &[u8]) -> bool {
    match apdu {
        // EventNotification and DataNotification.
        [0xC2 | 0x0F, ..] => true,
        // A general block of window 0: nobody acknowledges it, so it answers nothing.
        [0xE0, control, ..] => control & 0x3F == 0,
        _ => false,
    }
}

/// Blocks that ask for no acknowledgement: window 0, not streaming.
fn in_blocks(whole: &[u8], size: usize) -> Result<Vec<Vec<u8>>, PushError> {
    let count = whole.len().div_ceil(size);
    if u16::try_from(count).is_err() {
        return Err(TransferError::TooManyBlocks { octets: whole.len(), block: size }.into());
    }
    let block = |(number, data): (u16, &[u8])| {
        let last = usize::from(number) == count;
        let (window, data) = (BlockWindow::NONE, data.to_vec());
        Apdu::GeneralBlock(GeneralBlock { last, streaming: false, window, number, acknowledged: 0, data })
            .encode()
    };
    Ok((1..).zip(whole.chunks(size)).map(block).collect())
}
