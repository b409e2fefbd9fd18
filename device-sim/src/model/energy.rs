//! What an electricity meter counts: totals, quadrants, tariff registers and blocks.

use lab_config::contents;

use super::curve::{Flow, Power};
use super::loading::LoadRefusal;
use super::tariff::{BLOCK_REGISTERS, BLOCKS, REGISTERS};

/// The energy registers. Tariff registers divide the import among them, to the last watt millisecond; block registers hold
/// what of it was counted while a set of blocks was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    import: Flow,
    export: Flow,
    quadrants: [Flow; 4],
    tiers: Vec<Flow>,
    blocks: [Flow; BLOCK_REGISTERS],
}

impl Registers {
    /// Registers that show so many watt hours already, so many of them in tariff 2 and the rest in tariff 1, and nothing
    /// in blocks.
    pub fn reading(import: u64, night: u64) -> Self {
        let mut tiers = vec![Flow::default(); REGISTERS];
        let opening = [import.saturating_sub(night), night];
        tiers.iter_mut().zip(opening).for_each(|(tier, wh)| *tier = Flow::reading(wh));
        Self {
            import: Flow::reading(import),
            export: Flow::default(),
            quadrants: [Flow::default(); 4],
            tiers,
            blocks: [Flow::default(); BLOCK_REGISTERS],
        }
    }

    /// Registers that show this: tariff registers as far as they are given, the rest of the import in the first of them;
    /// blocks of the first set.
    pub fn showing(shown: &contents::Registers) -> Self {
        let mut registers = Self::reading(shown.import.0, 0);
        let put = |places: &mut [Flow], given: &[contents::WattHours]| {
            if !given.is_empty() {
                places.fill(Flow::default());
            }
            places.iter_mut().zip(given).for_each(|(place, wh)| *place = Flow::reading(wh.0));
        };
        put(&mut registers.tiers, &shown.tariffs);
        put(&mut registers.blocks, &shown.blocks);
        registers.export = Flow::reading(shown.export.0);
        let (import, export) =
            (Flow::reading(shown.reactive_import.0), Flow::reading(shown.reactive_export.0));
        registers.quadrants = [import, Flow::default(), Flow::default(), export];
        registers
    }

    /// Counts what flowed in a half hour in the tariff register it began in.
    pub(super) fn count_half_hour(&mut self, flowed: &HalfHour, register: usize) {
        self.import.join(flowed.import);
        self.export.join(flowed.export);
        if let Some(tier) = self.tiers.get_mut(register) {
            tier.join(flowed.import);
        }
        let [q1, q2, q3, q4] = &mut self.quadrants;
        let exports = flowed.export > flowed.import;
        let (inductive, capacitive) = if exports { (q2, q3) } else { (q1, q4) };
        inductive.join(flowed.reactive_import);
        capacitive.join(flowed.reactive_export);
    }

    /// What these registers showed before all that flowed into `past`.
    ///
    /// # Errors
    /// More flowed into one of them than it shows.
    pub(super) fn before(&self, past: &Self) -> Result<Self, LoadRefusal> {
        let of = |register: &str, now: Flow, past: Flow| {
            if past > now {
                let (register, sum, shown) = (register.to_owned(), past.units(), now.units());
                return Err(LoadRefusal::Past { register, sum, shown, unit: "Wh" });
            }
            Ok(now.less(past))
        };
        let all = |what: &str, now: &[Flow], past: &[Flow]| -> Result<Vec<Flow>, LoadRefusal> {
            let pairs = now.iter().zip(past).zip(1..);
            pairs.map(|((now, past), number)| of(&format!("{what} {number}"), *now, *past)).collect()
        };
        let mut before = self.clone();
        before.import = of("the import register", self.import, past.import)?;
        before.export = of("the export register", self.export, past.export)?;
        before.tiers = all("tariff register", &self.tiers, &past.tiers)?;
        before.blocks.copy_from_slice(&all("block register", &self.blocks, &past.blocks)?);
        before.quadrants = self.quadrants_before(past)?;
        Ok(before)
    }

    /// Reactive energy is shown by sign; how it fell into quadrants before the past is anybody's guess, so the past's
    /// quadrants are taken as they were and the rest is left in the first and the last.
    fn quadrants_before(&self, past: &Self) -> Result<[Flow; 4], LoadRefusal> {
        let [q1, q2, q3, q4] = self.quadrants;
        let [p1, p2, p3, p4] = past.quadrants;
        let of = |register: &str, now: Flow, past: Flow| match past > now {
            true => Err(LoadRefusal::Past {
                register: register.to_owned(),
                sum: past.units(),
                shown: now.units(),
                unit: "varh",
            }),
            false => Ok(now.less(past)),
        };
        let import = of("the reactive import register", q1.with(q2), p1.with(p2))?;
        let export = of("the reactive export register", q3.with(q4), p3.with(p4))?;
        Ok([import, Flow::default(), Flow::default(), export])
    }

    /// Counts import in tariff register 1 that no past accounts for, in place of what is there. In the blocks of every set
    /// but the first is what the past counted there, and in those too where `blocks` says that nothing else is known.
    pub(super) fn rest_in_the_first(&mut self, past: &Self, tariffs: bool, blocks: bool) {
        if tariffs {
            self.tiers.clone_from(&past.tiers);
            let accounted = past.tiers.iter().fold(Flow::default(), |sum, part| sum.with(*part));
            let rest = self.import.less(accounted);
            self.tiers.iter_mut().take(1).for_each(|first| first.join(rest));
        }
        let known = if blocks { 0 } else { BLOCKS };
        let (shown, counted) = (self.blocks.iter_mut(), past.blocks.iter());
        shown.zip(counted).skip(known).for_each(|(shown, counted)| *shown = *counted);
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

    /// Counts import in a block, by its number in all sets.
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

    /// A block by its number in all sets, 0 being block 1 of the first, watt hours.
    pub fn block(&self, block: usize) -> Option<u64> {
        self.blocks.get(block).map(|flow| flow.units())
    }

    /// Whether tariff registers hold the import between them and nothing else, and blocks no more than there was.
    pub fn is_conserved(&self) -> bool {
        let sum = |flows: &[Flow]| flows.iter().fold(Flow::default(), |sum, flow| sum.with(*flow));
        sum(&self.tiers) == self.import && sum(&self.blocks) <= self.import
    }
}

/// What flowed in a half hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HalfHour {
    /// Active import.
    pub(super) import: Flow,
    /// Active export.
    pub(super) export: Flow,
    /// Reactive import.
    pub(super) reactive_import: Flow,
    /// Reactive export.
    pub(super) reactive_export: Flow,
}

impl HalfHour {
    /// Adds a power for so many milliseconds.
    pub(super) fn add(&mut self, power: Power, millis: u64) {
        self.import.add(power.import, millis);
        self.export.add(power.export, millis);
        self.reactive_import.add(power.inductive, millis);
        self.reactive_export.add(power.capacitive, millis);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        /// However import comes in, tariff registers hold all of it.
        #[test]
        fn nothing_is_lost_between_registers(
            counts in proptest::collection::vec((0u32..20_000, 0u64..10_000_000, 0usize..REGISTERS), 0..60),
        ) {
            let mut registers = Registers::reading(0, 0);
            for (import, millis, register) in counts {
                let power = Power { import, ..Power::default() };
                let import = registers.count(power, millis, register);
                registers.count_block(register % BLOCK_REGISTERS, import);
                prop_assert!(registers.is_conserved());
            }
        }
    }
}
