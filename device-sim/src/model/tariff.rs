//! Which register counts when, and what a unit costs.

use super::money::Millipence;

/// Tariff registers an electricity meter has.
pub const REGISTERS: usize = 48;
/// Tariff registers a gas meter has.
pub const GAS_REGISTERS: usize = 4;
/// Blocks of a set.
pub const BLOCKS: usize = 4;
/// Sets of blocks an electricity meter has: one for each of its first tariff registers.
pub const BLOCK_SETS: usize = 8;
/// Sets of blocks a gas meter has.
pub const GAS_BLOCK_SETS: usize = 1;
/// Blocks an electricity meter has in all its sets.
pub const BLOCK_REGISTERS: usize = BLOCKS * BLOCK_SETS;
/// What a calendar can select at an electricity meter: tariff registers, and after them sets of blocks.
pub const SELECTIONS: usize = REGISTERS + BLOCK_SETS;
/// The same at a gas meter.
pub const GAS_SELECTIONS: usize = GAS_REGISTERS + GAS_BLOCK_SETS;
/// Switchings a day may have.
pub const SWITCHINGS: usize = 48;

/// One switching: from this minute of the UTC day on, that register counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switching {
    /// Minute of the UTC day, 0 to 1439.
    pub from: u16,
    /// What it selects: a register, 0 being tariff 1, and after the last register a set of blocks.
    pub register: u8,
}

/// What counts, and at which prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// A tariff register at its price, 0 being tariff 1.
    Register(usize),
    /// A set of blocks, 0 being the first: the tariff register of the same number counts, block by block.
    Blocks(usize),
}

impl Selection {
    /// What a number selects at a meter with so many tariff registers.
    pub const fn of(selected: usize, registers: usize) -> Self {
        if selected < registers { Self::Register(selected) } else { Self::Blocks(selected - registers) }
    }

    /// The tariff register that counts.
    pub const fn register(self) -> usize {
        match self {
            Self::Register(register) | Self::Blocks(register) => register,
        }
    }
}

/// Why a switching table is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SwitchingError {
    /// None, or more than a day may have.
    #[error("a day has 1 to {SWITCHINGS} switchings, found {0}")]
    Count(usize),
    /// The day has to begin somewhere.
    #[error("the first switching is at minute {0}; it must be at 0")]
    Start(u16),
    /// Out of order, twice the same, or past midnight.
    #[error("switching at minute {0}: minutes rise and stay below 1440")]
    Order(u16),
    /// No such register or set of blocks.
    #[error("selection {0}: there are {REGISTERS} registers and {BLOCK_SETS} sets of blocks")]
    Register(u8),
}

/// The switchings of every day: begins at midnight, rises, names registers that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchingTable(Vec<Switching>);

impl SwitchingTable {
    /// A checked table.
    ///
    /// # Errors
    /// [`SwitchingError`] naming the first thing wrong.
    pub fn new(switchings: Vec<Switching>) -> Result<Self, SwitchingError> {
        if switchings.is_empty() || switchings.len() > SWITCHINGS {
            return Err(SwitchingError::Count(switchings.len()));
        }
        let mut earliest = 0;
        for (index, switching) in switchings.iter().enumerate() {
            if index == 0 && switching.from != 0 {
                return Err(SwitchingError::Start(switching.from));
            }
            if switching.from < earliest || switching.from >= 1440 {
                return Err(SwitchingError::Order(switching.from));
            }
            if usize::from(switching.register) >= SELECTIONS {
                return Err(SwitchingError::Register(switching.register));
            }
            earliest = switching.from + 1;
        }
        Ok(Self(switchings))
    }

    /// The first register at all times.
    pub fn always() -> Self {
        Self(vec![Switching { from: 0, register: 0 }])
    }

    /// Night rate from 00:30 to 07:30 UTC in register 2, the rest in register 1.
    pub fn two_rate() -> Self {
        let at = |from, register| Switching { from, register };
        Self(vec![at(0, 0), at(30, 1), at(450, 0)])
    }

    /// The register that counts in this minute of the day.
    pub fn register_at(&self, minute_of_day: u16) -> usize {
        let past = self.0.iter().take_while(|switching| switching.from <= minute_of_day);
        past.last().map_or(0, |switching| usize::from(switching.register))
    }

    /// The switchings in order.
    pub fn switchings(&self) -> &[Switching] {
        &self.0
    }
}

/// The price of a kilowatt hour, by register.
pub type UnitPrices = [Millipence; REGISTERS];

/// The price of a kilowatt hour, by block, set after set.
pub type BlockPrices = [Millipence; BLOCK_REGISTERS];

/// Prices of one tariff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// For a kilowatt hour, by register.
    pub unit: UnitPrices,
    /// For a kilowatt hour, by block, while a set of blocks is selected.
    pub block: BlockPrices,
    /// For a day.
    pub standing: Millipence,
}

impl Default for Prices {
    /// 27.50 p by day, 9.80 p by night, 53.40 p a day.
    fn default() -> Self {
        let [day, night] = [Millipence::new(27_500), Millipence::new(9_800)];
        let mut unit = [day; REGISTERS];
        unit[1] = night;
        Self { unit, block: [day; BLOCK_REGISTERS], standing: Millipence::new(53_400) }
    }
}

impl Prices {
    /// Gas at 6.20 p a kilowatt hour in the only register there is, 31.20 p a day.
    pub fn gas() -> Self {
        let mut unit = [Millipence::ZERO; REGISTERS];
        unit[0] = Millipence::new(6_200);
        Self { unit, block: [Millipence::ZERO; BLOCK_REGISTERS], standing: Millipence::new(31_200) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_rate_counts_the_night_in_register_two() {
        let table = SwitchingTable::two_rate();
        let by_minute = [(0, 0), (29, 0), (30, 1), (449, 1), (450, 0), (1439, 0)];
        assert!(by_minute.iter().all(|(minute, register)| table.register_at(*minute) == *register));
        assert_eq!(SwitchingTable::new(table.switchings().to_vec()), Ok(table));
    }

    #[test]
    fn a_table_that_is_none_is_refused_with_the_reason() {
        let at = |from, register| Switching { from, register };
        assert_eq!(SwitchingTable::new(vec![]), Err(SwitchingError::Count(0)));
        assert_eq!(SwitchingTable::new(vec![at(1, 0)]), Err(SwitchingError::Start(1)));
        assert_eq!(SwitchingTable::new(vec![at(0, 0), at(0, 1)]), Err(SwitchingError::Order(0)));
        assert_eq!(SwitchingTable::new(vec![at(0, 0), at(1440, 1)]), Err(SwitchingError::Order(1440)));
        assert_eq!(SwitchingTable::new(vec![at(0, 56)]), Err(SwitchingError::Register(56)));
    }

    proptest! {
        #[test]
        fn any_table_names_a_register_for_any_minute(
            switchings in proptest::collection::vec((0u16..1500, 0u8..60), 0..60), minute: u16,
        ) {
            let switchings = switchings.into_iter().map(|(from, register)| Switching { from, register }).collect();
            if let Ok(table) = SwitchingTable::new(switchings) {
                prop_assert!(table.register_at(minute) < SELECTIONS);
            }
        }
    }
}
