//! What an electricity meter counts: totals, quadrants, tariff registers and blocks.

use super::curve::{Flow, Power};
use super::tariff::{BLOCKS, REGISTERS};

/// The energy registers. Tariff registers and blocks divide the import among them, to the last watt millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    import: Flow,
    export: Flow,
    quadrants: [Flow; 4],
    tiers: Vec<Flow>,
    blocks: [Flow; BLOCKS],
}

impl Registers {
    /// Registers that show so many watt hours already, so many of them in tariff 2 and the rest in tariff 1, and all
    /// of it in block 1.
    pub fn reading(import: u64, night: u64) -> Self {
        let mut tiers = vec![Flow::default(); REGISTERS];
        let opening = [import.saturating_sub(night), night];
        tiers.iter_mut().zip(opening).for_each(|(tier, wh)| *tier = Flow::reading(wh));
        let mut blocks = [Flow::default(); BLOCKS];
        blocks[0] = Flow::reading(import);
        Self {
            import: Flow::reading(import),
            export: Flow::default(),
            quadrants: [Flow::default(); 4],
            tiers,
            blocks,
        }
    }

    /// Counts a power for so many milliseconds; the import that was counted in the tariff register.
    pub(super) fn count(&mut self, power: Power, millis: u64, register: usize) -> Flow {
        let mut import = Flow::default();
        import.add(power.import, millis);
        self.import.join(import);
        self.export.add(power.export, millis);
        if let Some(tier) = self.tiers.get_mut(register) {
            tier.join(import);
        }
        let [q1, q2, q3, q4] = &mut self.quadrants;
        let (inductive, capacitive) = if power.export > 0 { (q2, q3) } else { (q1, q4) };
        inductive.add(power.inductive, millis);
        capacitive.add(power.capacitive, millis);
        import
    }

    /// Counts import in a block.
    pub(super) fn count_block(&mut self, block: usize, import: Flow) {
        if let Some(block) = self.blocks.get_mut(block) {
            block.join(import);
        }
    }

    /// Active energy imported, watt hours.
    pub fn import(&self) -> u64 {
        self.import.units()
    }

    /// Active energy exported, watt hours.
    pub fn export(&self) -> u64 {
        self.export.units()
    }

    /// Reactive energy imported, var hours: quadrants 1 and 2.
    pub fn reactive_import(&self) -> u64 {
        self.quadrants[0].with(self.quadrants[1]).units()
    }

    /// Reactive energy exported, var hours: quadrants 3 and 4.
    pub fn reactive_export(&self) -> u64 {
        self.quadrants[2].with(self.quadrants[3]).units()
    }

    /// Reactive energy of a quadrant, 0 being quadrant 1, var hours.
    pub fn quadrant(&self, quadrant: usize) -> Option<u64> {
        self.quadrants.get(quadrant).map(|flow| flow.units())
    }

    /// A tariff register, 0 being tariff 1, watt hours.
    pub fn tier(&self, register: usize) -> Option<u64> {
        self.tiers.get(register).map(|flow| flow.units())
    }

    /// A block, 0 being block 1, watt hours.
    pub fn block(&self, block: usize) -> Option<u64> {
        self.blocks.get(block).map(|flow| flow.units())
    }

    /// Whether tariff registers and blocks hold the import between them and nothing else.
    pub fn is_conserved(&self) -> bool {
        let sum = |flows: &[Flow]| flows.iter().fold(Flow::default(), |sum, flow| sum.with(*flow));
        sum(&self.tiers) == self.import && sum(&self.blocks) == self.import
    }
}

/// Blocks of a block tariff: which one the next watt hour is counted in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Where block 1, 2 and so on end, in watt hours of the block period; an open end is the last block.
    ends: [Option<u64>; BLOCKS - 1],
    /// Import since the block period began.
    used: Flow,
}

impl Blocks {
    /// Whether there is more than one block.
    pub fn are_in_use(&self) -> bool {
        self.ends[0].is_some()
    }

    /// Where a block ends, 0 being block 1.
    pub fn end(&self, block: usize) -> Option<u64> {
        self.ends.get(block).copied().flatten()
    }

    /// Moves the end of a block; ends rise from block to block, and no block ends after an open one. Whether it did.
    pub fn set_end(&mut self, block: usize, end: Option<u64>) -> bool {
        let mut ends = self.ends;
        let Some(place) = ends.get_mut(block) else { return false };
        *place = end;
        let closed: Vec<u64> = ends.iter().map_while(|end| *end).collect();
        let fits = closed.is_sorted_by(|a, b| a < b) && ends.iter().flatten().count() == closed.len();
        if fits {
            self.ends = ends;
        }
        fits
    }

    /// Import since the block period began, watt hours.
    pub fn used(&self) -> u64 {
        self.used.units()
    }

    /// The block that counts now, 0 being block 1.
    pub fn current(&self) -> usize {
        self.ends.iter().flatten().take_while(|end| Flow::reading(**end) <= self.used).count()
    }

    /// A new block period begins.
    pub(super) fn begin_period(&mut self) {
        self.used = Flow::default();
    }

    /// Uses import: what of it falls into which block, in order.
    pub(super) fn split(&mut self, import: Flow, mut part: impl FnMut(usize, Flow)) {
        let mut left = import;
        loop {
            let block = self.current();
            let room = self.end(block).map(|end| Flow::reading(end).less(self.used));
            let now = room.map_or(left, |room| room.min(left));
            self.used.join(now);
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

    #[test]
    fn ends_of_blocks_rise_without_gaps() {
        let mut blocks = Blocks::default();
        assert!(!blocks.set_end(1, Some(5)), "block 2 cannot end while block 1 is open");
        assert!(blocks.set_end(0, Some(10)) && blocks.set_end(1, Some(20)));
        assert!(!blocks.set_end(1, Some(10)) && !blocks.set_end(0, None) && !blocks.set_end(7, Some(90)));
        assert!(blocks.set_end(1, None) && blocks.set_end(0, None) && !blocks.are_in_use());
    }

    #[test]
    fn reactive_energy_falls_into_the_quadrant_of_its_signs() {
        let mut registers = Registers::reading(0, 0);
        let import = Power { import: 1000, inductive: 200, ..Power::default() };
        let export = Power { export: 500, capacitive: 100, ..Power::default() };
        registers.count(import, 3_600_000, 0);
        registers.count(export, 3_600_000, 0);
        assert_eq!([0, 1, 2, 3].map(|quadrant| registers.quadrant(quadrant).unwrap()), [200, 0, 100, 0]);
        assert_eq!((registers.import(), registers.export()), (1000, 500));
        assert_eq!((registers.reactive_import(), registers.reactive_export()), (200, 100));
    }

    proptest! {
        /// However import comes in, blocks and tariff registers hold all of it, and a block no more than its room.
        #[test]
        fn nothing_is_lost_between_blocks(
            ends in proptest::collection::btree_set(1u64..50_000, 0..7),
            counts in proptest::collection::vec((0u32..20_000, 0u64..10_000_000, 0usize..REGISTERS), 0..60),
        ) {
            let (mut registers, mut blocks) = (Registers::reading(0, 0), Blocks::default());
            for (block, end) in ends.iter().enumerate() {
                prop_assert!(blocks.set_end(block, Some(*end)));
            }
            for (import, millis, register) in counts {
                let power = Power { import, ..Power::default() };
                let import = registers.count(power, millis, register);
                blocks.split(import, |block, part| registers.count_block(block, part));
                prop_assert!(registers.is_conserved());
            }
            prop_assert_eq!(blocks.used(), registers.import());
            let mut begin = 0;
            for (block, end) in ends.iter().enumerate() {
                prop_assert!(registers.block(block).unwrap() <= end - begin);
                begin = *end;
            }
        }
    }
}
