//! The end that is pushed to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::PushError;
use crate::apdu::{Apdu, Ciphered, Envelope, GeneralBlock, KeySet};
use crate::block_transfer::TransferError;
use crate::client::Notification;
use crate::security::{Protection, SecurityContext, SecurityError, SystemTitle};

/// Notifications kept until they are fetched; beyond them the oldest goes.
const KEPT: usize = 64;

/// How long, and how much, a receiver puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverSettings {
    /// Longest wait for the next block.
    pub gap: Duration,
    /// Longest wait for a whole push, from its first block.
    pub whole: Duration,
    /// Longest push, in octets.
    pub max_apdu: usize,
    /// Whose ciphered notifications come in an envelope that does not say.
    pub from: Option<SystemTitle>,
}

impl Default for ReceiverSettings {
    /// Ten seconds from block to block (meters pause for three), two minutes and 64 KiB in all.
    fn default() -> Self {
        let (gap, whole) = (Duration::from_secs(10), Duration::from_secs(120));
        Self { gap, whole, max_apdu: 1 << 16, from: None }
    }
}

/// A notification, and what vouches for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Whose it is, where it was ciphered.
    pub from: Option<SystemTitle>,
    /// How it was protected; `None` for one in clear, which anybody may have sent.
    pub protection: Option<Protection>,
    /// The notification.
    pub notification: Notification,
}

/// Puts pushes together as they arrive on one line from one meter.
#[derive(Debug)]
pub struct Receiver {
    settings: ReceiverSettings,
    parts: Option<Parts>,
    events: VecDeque<Result<Received, PushError>>,
}

/// Blocks of a push that is not complete.
#[derive(Debug)]
struct Parts {
    octets: Vec<u8>,
    next: u16,
    began: Instant,
    latest: Instant,
}

impl Receiver {
    /// A receiver that has heard nothing yet.
    pub fn new(settings: ReceiverSettings) -> Self {
        Self { settings, parts: None, events: VecDeque::new() }
    }

    /// Takes an APDU. `context` are the keys shared with the meter, where there are any.
    pub fn receive(&mut self, apdu: &[u8], now: Instant, context: Option<&mut SecurityContext>) {
        self.handle_timeout(now);
        let taken = match Apdu::decode_padded(apdu) {
            Ok(Apdu::GeneralBlock(block)) => self.add(block, now),
            Ok(_) => Ok(Some(apdu.to_vec())),
            Err(error) => Err(error.into()),
        };
        let received = taken.and_then(|whole| whole.map(|whole| self.open(&whole, context)).transpose());
        match received {
            Ok(None) => {}
            Ok(Some(received)) => self.say(Ok(received)),
            Err(error) => self.say(Err(error)),
        }
    }

    /// The next notification, or why there is none.
    pub fn poll_event(&mut self) -> Option<Result<Received, PushError>> {
        self.events.pop_front()
    }

    /// When [`Receiver::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let parts = self.parts.as_ref()?;
        Some((parts.latest + self.settings.gap).min(parts.began + self.settings.whole))
    }

    /// Gives up a push whose next block is late.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        if let Some(parts) = self.parts.take() {
            let waited = now.saturating_duration_since(parts.latest);
            self.say(Err(PushError::Late { expected: parts.next, waited }));
        }
    }

    fn say(&mut self, event: Result<Received, PushError>) {
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Adds a block; the whole once it is complete. Block 1 begins anew, whatever was in progress.
    fn add(&mut self, block: GeneralBlock, now: Instant) -> Result<Option<Vec<u8>>, PushError> {
        let begun = self.parts.take().filter(|_| block.number != 1);
        let mut parts = begun.unwrap_or(Parts { octets: Vec::new(), next: 1, began: now, latest: now });
        let (found, expected) = (block.number, parts.next);
        if found != 0 && found.wrapping_add(1) == expected {
            // Sent twice.
            self.parts = Some(parts);
            return Ok(None);
        }
        if found != expected {
            return Err(TransferError::Gap { found, expected }.into());
        }
        if parts.octets.len() + block.data.len() > self.settings.max_apdu {
            return Err(TransferError::TooLong { limit: self.settings.max_apdu }.into());
        }
        parts.octets.extend(block.data);
        parts.next = parts.next.wrapping_add(1);
        parts.latest = now;
        if block.last {
            return Ok(Some(parts.octets));
        }
        self.parts = Some(parts);
        Ok(None)
    }

    fn open(&self, whole: &[u8], context: Option<&mut SecurityContext>) -> Result<Received, PushError> {
        match Apdu::decode_padded(whole)? {
            Apdu::Ciphered(ciphered) => self.decipher(&ciphered, context),
            Apdu::OtherSuite(other) => Err(SecurityError::OtherEnvelope { found: other.name() }.into()),
            apdu => {
                context.map_or(Ok(()), |context| context.check_required(None))?;
                Ok(Received { from: None, protection: None, notification: notification(apdu)? })
            }
        }
    }

    fn decipher(
        &self,
        ciphered: &Ciphered,
        context: Option<&mut SecurityContext>,
    ) -> Result<Received, PushError> {
        let from = match ciphered.envelope {
            Envelope::General(Some(title)) => Some(title),
            Envelope::General(None) | Envelope::Service(_) => self.settings.from,
        };
        let global = ciphered.keys == KeySet::Global;
        let (Some(from), Some(context)) = (from, context.filter(|_| global)) else {
            return Err(PushError::NoKeys { found: ciphered.name() });
        };
        let opened = context.unprotect(from, &ciphered.contents)?;
        let notification = notification(Apdu::decode_padded(&opened.message)?)?;
        Ok(Received { from: Some(from), protection: Some(opened.protection), notification })
    }
}

fn notification(apdu: Apdu) -> Result<Notification, PushError> {
    match apdu {
        Apdu::EventNotification(event) => Ok(Notification::Event(event)),
        Apdu::DataNotification(data) => Ok(Notification::Data(data)),
        other => Err(PushError::NotANotification { found: other.name() }),
    }
}
