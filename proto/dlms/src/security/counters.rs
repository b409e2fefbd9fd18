//! Invocation counters, and how they outlive a restart.
//!
//! The rule is: *write before use*. A sender that loses its place and counts from an earlier number again has used an
//! initialisation vector twice, which gives its messages and its authentication away; a meter refuses them besides. So
//! numbers are reserved ahead, in blocks: [`Counters::reserve`] gives the state to write down, and only then are the
//! numbers used. After a crash [`Counters::restore`] goes on behind all that was reserved; the unused rest is lost,
//! which costs nothing. At rest, [`Counters::settle`] gives the state without that loss.
//!
//! ```
//! use proto_dlms::security::{Counters, CounterState};
//!
//! let mut counters = Counters::restore(CounterState::default());
//! assert_eq!(counters.left(), 0, "nothing may be sent yet");
//! let written = counters.reserve(1000);
//! // ... `written` goes to the disk here, and is synchronised; then there are 1000 numbers to use.
//! assert_eq!(counters.left(), 1000);
//! assert_eq!(Counters::restore(written).reserve(1).sent.map(|sent| sent.0), Some(1001));
//! ```

use std::collections::BTreeMap;

use thiserror::Error;

use super::{InvocationCounter, SecurityError, SystemTitle};

/// Far ends remembered under one set of keys; beyond them messages of unknown titles are refused.
const FAR_ENDS: usize = 64;

/// What has to be kept of the counters under one set of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterState {
    /// The highest number that may have been sent; `None` where none was.
    pub sent: Option<InvocationCounter>,
    /// The highest number received from each far end.
    pub received: BTreeMap<SystemTitle, InvocationCounter>,
}

/// Why there is no number for a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CounterError {
    /// All that was reserved is used.
    #[error("no invocation counter is reserved; reserve some, write the state down, then send")]
    NotReserved,
    /// All numbers are used.
    #[error("all invocation counters under this key are used; the key must be changed")]
    Exhausted,
    /// More far ends than are remembered.
    #[error("messages of more than {limit} system titles under one key; the newest is refused")]
    TooManyTitles {
        /// How many are remembered.
        limit: usize,
    },
}

/// The counters under one set of keys: of what was sent, and of what each far end sent. Deliberately not `Clone`: two of
/// them would use every number twice.
#[derive(Debug)]
pub struct Counters {
    state: CounterState,
    /// The highest number that may be used without writing the state down. Never below `state.sent`.
    reserved: Option<InvocationCounter>,
}

impl Counters {
    /// Goes on where a written state ended. Nothing is reserved yet.
    pub fn restore(state: CounterState) -> Self {
        Self { reserved: state.sent, state }
    }

    /// Counters that need not be written down, because they and the keys live and die together: a simulated device.
    pub fn held_in_memory(state: CounterState) -> Self {
        Self { reserved: Some(InvocationCounter(u32::MAX)), state }
    }

    /// Reserves so many numbers more than are reserved and gives the state to write down before the next message.
    #[must_use = "the state must be written down before the numbers are used"]
    pub fn reserve(&mut self, count: u32) -> CounterState {
        let reserved = self.reserved.map_or(0, |counter| counter.0);
        self.reserved = Some(InvocationCounter(reserved.saturating_add(count)));
        CounterState { sent: self.reserved, ..self.state.clone() }
    }

    /// Gives back what was reserved and not used: the state to write down at rest.
    #[must_use = "the state must be written down"]
    pub fn settle(&mut self) -> CounterState {
        self.reserved = self.state.sent;
        self.state.clone()
    }

    /// How many messages may be sent before more is reserved.
    pub fn left(&self) -> u32 {
        let of = |counter: Option<InvocationCounter>| counter.map_or(0, |counter| counter.0);
        of(self.reserved).saturating_sub(of(self.state.sent))
    }

    /// The state as it is now, the numbers reserved and not used left out.
    pub fn state(&self) -> &CounterState {
        &self.state
    }

    /// Moves on past the number a far end says it expects: some stations say the last they had for the next they expect,
    /// and one number skipped costs nothing. Never goes back: whoever says so may not be who they say. Reserve and write
    /// down before the next message.
    ///
    /// # Errors
    /// [`CounterError::Exhausted`] where the far end expects what no counter can reach, or a number already used.
    pub fn resynchronise(&mut self, expected: InvocationCounter) -> Result<(), CounterError> {
        let sent = Some(expected);
        if sent < self.state.sent {
            return Err(CounterError::Exhausted);
        }
        self.state.sent = sent;
        if self.reserved < sent {
            self.reserved = sent;
        }
        Ok(())
    }

    /// The number for the next message.
    pub(super) fn next(&mut self) -> Result<InvocationCounter, CounterError> {
        // The first is 1: some meters take 0 for a number already seen.
        let sent = self.state.sent.map_or(0, |counter| counter.0);
        let next = InvocationCounter(sent.checked_add(1).ok_or(CounterError::Exhausted)?);
        if self.reserved < Some(next) {
            return Err(CounterError::NotReserved);
        }
        self.state.sent = Some(next);
        Ok(next)
    }

    /// The highest number received from a far end.
    pub(super) fn received(&self, from: SystemTitle) -> Option<InvocationCounter> {
        self.state.received.get(&from).copied()
    }

    /// Takes the number of a message whose tag was right.
    pub(super) fn take(&mut self, from: SystemTitle, found: InvocationCounter) -> Result<(), SecurityError> {
        above(from, found, self.received(from))?;
        self.note(from, found)
    }

    /// Remembers a number, where it is the highest so far.
    pub(super) fn note(&mut self, from: SystemTitle, found: InvocationCounter) -> Result<(), SecurityError> {
        if !self.state.received.contains_key(&from) && self.state.received.len() >= FAR_ENDS {
            return Err(CounterError::TooManyTitles { limit: FAR_ENDS }.into());
        }
        let last = self.state.received.entry(from).or_insert(found);
        *last = found.max(*last);
        Ok(())
    }
}

/// Whether a number is above the last.
pub(super) fn above(
    from: SystemTitle,
    found: InvocationCounter,
    last: Option<InvocationCounter>,
) -> Result<(), SecurityError> {
    match last {
        Some(last) if found <= last => {
            let expected = InvocationCounter(last.0.saturating_add(1));
            Err(SecurityError::Replayed { from, found, expected })
        }
        _ => Ok(()),
    }
}
