//! Sets of blocks: consumption counted, and priced, by how much there has been of it in the block period.
//!
//! A calendar selects a set, and its counters fill one after the other. They begin anew by command, when a billing period
//! ends, and where the meter is set so, each day.

use super::curve::Flow;
use super::tariff::BLOCKS;

/// Where the blocks of a set end but the last, in units of the block period: none where there is one block. Ends do not
/// fall, and a block that ends where it begins has nothing in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockEnds(Vec<u64>);

/// Why ends are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockEndsError {
    /// More than the blocks of a set have.
    #[error("{0} ends; a set of {BLOCKS} blocks has one less, for the last is open")]
    Count(usize),
    /// One below the one before it.
    #[error("a block ends at {0}, below the end of the block before it")]
    Falls(u64),
}

impl BlockEnds {
    /// These ends.
    ///
    /// # Errors
    /// [`BlockEndsError`] naming what is wrong.
    pub fn new(ends: Vec<u64>) -> Result<Self, BlockEndsError> {
        if ends.len() >= BLOCKS {
            return Err(BlockEndsError::Count(ends.len()));
        }
        match ends.windows(2).find_map(|pair| (pair[1] < pair[0]).then_some(pair[1])) {
            Some(falls) => Err(BlockEndsError::Falls(falls)),
            None => Ok(Self(ends)),
        }
    }

    /// Block by block.
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }
}

/// One set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct BlockSet {
    ends: BlockEnds,
    /// The ends held ready.
    held: BlockEnds,
    /// What was used in each block since the block period began.
    counters: [Flow; BLOCKS],
}

impl BlockSet {
    fn used(&self) -> Flow {
        self.counters.iter().fold(Flow::default(), |sum, counter| sum.with(*counter))
    }

    /// The block the next unit falls into.
    fn current(&self) -> usize {
        let used = self.used();
        self.ends.0.iter().take_while(|end| Flow::reading(**end) <= used).count()
    }
}

/// The sets of blocks of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    sets: Vec<BlockSet>,
    daily: bool,
}

impl Blocks {
    /// So many sets of one open block each.
    pub fn new(sets: usize) -> Self {
        Self { sets: vec![BlockSet::default(); sets], daily: false }
    }

    /// Where the blocks of a set end, 0 being the first.
    pub fn ends(&self, set: usize) -> Option<&BlockEnds> {
        self.sets.get(set).map(|set| &set.ends)
    }

    /// Moves the ends of a set; whether there is such a set.
    pub fn set_ends(&mut self, set: usize, ends: BlockEnds) -> bool {
        let place = self.sets.get_mut(set);
        place.map(|set| (set.ends, set.held) = (ends.clone(), ends)).is_some()
    }

    /// The ends held ready for a set.
    pub fn held_ends(&self, set: usize) -> Option<&BlockEnds> {
        self.sets.get(set).map(|set| &set.held)
    }

    /// Holds ends ready for a set; whether there is such a set.
    pub fn hold_ends(&mut self, set: usize, ends: BlockEnds) -> bool {
        self.sets.get_mut(set).map(|set| set.held = ends).is_some()
    }

    /// Puts the ends held ready in force; what was counted stays counted.
    pub(super) fn activate(&mut self) {
        self.sets.iter_mut().for_each(|set| set.ends = set.held.clone());
    }

    /// What was used in a block of a set since the block period began.
    pub fn counter(&self, set: usize, block: usize) -> Option<u64> {
        Some(self.sets.get(set)?.counters.get(block)?.units())
    }

    /// The block of a set that counts next, 0 being the first.
    pub fn current(&self, set: usize) -> usize {
        self.sets.get(set).map_or(0, BlockSet::current)
    }

    /// Whether a block period is a day.
    pub const fn are_daily(&self) -> bool {
        self.daily
    }

    /// Has a block period be a day, or last until it is ended otherwise.
    pub fn set_daily(&mut self, daily: bool) {
        self.daily = daily;
    }

    /// A new block period begins: every counter is nought.
    pub fn begin_period(&mut self) {
        self.sets.iter_mut().for_each(|set| set.counters = [Flow::default(); BLOCKS]);
    }

    /// Counts use in a set: what of it falls into which block, in order.
    pub(super) fn split(&mut self, set: usize, used: Flow, mut part: impl FnMut(usize, Flow)) {
        let Some(set) = self.sets.get_mut(set) else { return };
        let mut left = used;
        loop {
            let block = set.current();
            let room = set.ends.0.get(block).map(|end| Flow::reading(*end).less(set.used()));
            let now = room.map_or(left, |room| room.min(left));
            set.counters.iter_mut().skip(block).take(1).for_each(|counter| counter.join(now));
            part(block, now);
            left = left.less(now);
            if left == Flow::default() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(ends: &[u64]) -> BlockEnds {
        BlockEnds::new(ends.to_vec()).unwrap()
    }

    #[test]
    fn ends_of_blocks_do_not_fall_and_the_last_block_is_open() {
        assert_eq!(BlockEnds::new(vec![10, 5]), Err(BlockEndsError::Falls(5)));
        assert_eq!(BlockEnds::new(vec![1, 2, 3, 4]), Err(BlockEndsError::Count(4)));
        let mut blocks = Blocks::new(2);
        assert!(blocks.set_ends(1, ends(&[0, 0, 7])) && !blocks.set_ends(2, ends(&[])));
        assert_eq!((blocks.current(0), blocks.current(1)), (0, 2));
    }

    #[test]
    fn ends_held_ready_change_nothing_until_they_are_in_force() {
        let mut blocks = Blocks::new(1);
        blocks.split(0, Flow::reading(8), |_, _| {});
        assert!(blocks.hold_ends(0, ends(&[5])) && blocks.current(0) == 0);
        blocks.activate();
        assert_eq!((blocks.current(0), blocks.counter(0, 0), blocks.counter(0, 1)), (1, Some(8), Some(0)));
        blocks.begin_period();
        assert_eq!((blocks.current(0), blocks.counter(0, 0)), (0, Some(0)));
    }

    proptest! {
        /// However use comes in, the counters hold all of it, and a block no more than its room.
        #[test]
        fn nothing_is_lost_between_blocks(
            ends in proptest::collection::btree_set(0u64..50_000, 0..BLOCKS),
            uses in proptest::collection::vec((0u32..20_000, 0u64..10_000_000), 0..60),
        ) {
            let mut blocks = Blocks::new(1);
            prop_assert!(blocks.set_ends(0, BlockEnds::new(ends.iter().copied().collect()).unwrap()));
            let (mut whole, mut parts) = (Flow::default(), Flow::default());
            for (rate, millis) in uses {
                let mut used = Flow::default();
                used.add(rate, millis);
                whole.join(used);
                blocks.split(0, used, |_, part| parts.join(part));
            }
            prop_assert_eq!((whole, blocks.sets[0].used()), (parts, parts));
            let mut begin = 0;
            for (block, end) in ends.iter().enumerate() {
                prop_assert!(blocks.counter(0, block).unwrap() <= end - begin);
                begin = *end;
            }
        }
    }
}
