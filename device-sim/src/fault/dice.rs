//! Chance that comes out the same each time: counted draws from a seed.

use crate::model::curve::mix;

/// A source of chance.
#[derive(Debug, Clone)]
pub(super) struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        mix(self.seed ^ mix(self.drawn))
    }

    /// Whether it is the one in so many; always, for one in none.
    pub(super) fn one_in(&mut self, count: u32) -> bool {
        self.draw().is_multiple_of(u64::from(count.max(1)))
    }

    /// So many octets.
    pub(super) fn octets(&mut self, count: u16) -> Vec<u8> {
        (0..count).map(|_| self.draw().to_le_bytes()[0]).collect()
    }
}
