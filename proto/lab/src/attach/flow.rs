//! Credit: how much of a stream may travel. Pure; both ends and whoever passes frames on use the same two halves.
//!
//! Who receives grants; who sends spends. A message of data costs its octets and [`OVERHEAD`] more, so that the number of
//! messages is bounded as their octets are. What was granted and not spent, together with what was received and not yet
//! handed on, is never more than [`WINDOW`]: that is all a side ever holds of a stream.

use super::MOST_OCTETS;

/// The most a side holds of one direction of a stream.
pub const WINDOW: u32 = 128 * 1024;

/// What a message of data costs besides its octets.
pub const OVERHEAD: u32 = 64;

/// Credit is granted when so much was handed on, so that not every burst is followed by a grant.
const GRANT: u32 = WINDOW / 4;

/// What a message of so many octets costs.
#[must_use]
pub fn cost(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX).saturating_add(OVERHEAD)
}

/// A side that does not keep to the credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overrun {
    /// It sent more than was granted.
    #[error("{cost} were sent where {left} were left of what was granted")]
    Sent {
        /// What the message cost.
        cost: u32,
        /// What was left.
        left: u32,
    },
    /// It granted more than one stream may have.
    #[error("{more} were granted on top of {left}, where {WINDOW} are the most")]
    Granted {
        /// What it granted.
        more: u32,
        /// What was left.
        left: u32,
    },
}

/// The half that spends: credit granted by the other side and not used yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sending {
    /// Never more than [`WINDOW`].
    left: u32,
}

impl Sending {
    /// Takes a grant.
    ///
    /// # Errors
    /// [`Overrun::Granted`]: no receiver keeping to the rules grants so much.
    pub fn grant(&mut self, more: u32) -> Result<(), Overrun> {
        let sum = self.left.checked_add(more).filter(|sum| *sum <= WINDOW);
        self.left = sum.ok_or(Overrun::Granted { more, left: self.left })?;
        Ok(())
    }

    /// Most octets one message may carry now; none while not even an empty one may be sent.
    #[must_use]
    pub fn room(&self) -> Option<usize> {
        let room = self.left.checked_sub(OVERHEAD)?;
        Some(usize::try_from(room).unwrap_or(MOST_OCTETS).min(MOST_OCTETS))
    }

    /// Spends what a message of so many octets costs.
    ///
    /// # Errors
    /// [`Overrun::Sent`] when there is not so much left; nothing is spent then.
    pub fn spend(&mut self, octets: usize) -> Result<(), Overrun> {
        let cost = cost(octets);
        self.left = self.left.checked_sub(cost).ok_or(Overrun::Sent { cost, left: self.left })?;
        Ok(())
    }
}

/// The half that grants: what the other side may still send, and what was received and not handed on yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiving {
    /// What the sender may still spend.
    granted: u32,
    /// What was received and is held here.
    held: u32,
}

impl Default for Receiving {
    /// A whole window granted, as an opening says.
    fn default() -> Self {
        Self { granted: WINDOW, held: 0 }
    }
}

impl Receiving {
    /// Takes a message of so many octets.
    ///
    /// # Errors
    /// [`Overrun::Sent`] when the sender was not granted so much.
    pub fn take(&mut self, octets: usize) -> Result<(), Overrun> {
        let cost = cost(octets);
        self.granted = self.granted.checked_sub(cost).ok_or(Overrun::Sent { cost, left: self.granted })?;
        self.held += cost;
        Ok(())
    }

    /// A message of so many octets was handed on; what is to be granted for it and those before it, if anything yet.
    pub fn hand_on(&mut self, octets: usize) -> Option<u32> {
        self.held = self.held.saturating_sub(cost(octets));
        let more = WINDOW - self.granted - self.held;
        (more >= GRANT).then(|| {
            self.granted += more;
            more
        })
    }

    /// What is held here now; never more than [`WINDOW`].
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.held
    }
}
