//! What a device is made to hold before a test: registers, tariff, account, logs, and a past that explains them.
//!
//! A test data set says it in `[[load]]` tables, one for each device. Here they are read into types with units; a simulated
//! device is loaded with them by the hand of its bench, of a real one they are told to the engineer who prepares it.
//! What a Device Model has no room for is for the device to refuse.
//!
//! ```toml
//! [[load]]
//! device = "ESME"
//! household = { seed = 7, solar = false }
//! payment-mode = "credit"
//! balance-pence = -1250
//!
//! [load.registers]
//! import-wh = 14_250_000
//!
//! [load.history]
//! half-hours = 19_008
//! gaps = [{ half-hours-ago = 480, half-hours = 6 }]
//! ```
//!
//! | key | of | what it is |
//! |---|---|---|
//! | `clock-offset` | all | how far the clock is ahead |
//! | `events` | all | entries of the event and security logs, in place of what is in them |
//! | `joined` | CHF | the devices on the home area network |
//! | `household` | meters | the seed of the load curve, and whether the household has solar panels |
//! | `load`, `generation` | meters | a load of the bench in watts or litres an hour, generation in watts, in place of the household's |
//! | `payment-mode`, `balance-pence`, `credit`, `debts` | meters | the customer's account |
//! | `supply` | meters | `on`, `off`, or `armed` |
//! | `tariff` | meters | prices, standing charge, blocks |
//! | `calendar` | ESME | when which tariff register counts |
//! | `conversion` | GSME | calorific value and volume conversion factor |
//! | `registers` | meters | what they show |
//! | `history` | meters | the half hours before the loading, and the daily and billing logs that follow from them |

mod calendar;
mod history;
mod money;
mod read;
#[cfg(test)]
mod tests;
mod units;
mod words;

pub use calendar::{Calendar, DayInYear, DayTable, Season, SpecialDay, Switch, Week};
pub use history::{Channel, Flagged, History, MOST_HALF_HOURS, Rule, StatusFlag, Stretch};
pub use money::{CreditLimits, Customer, Debts, Every, PaymentDebt, Supply, Tariff, TimeDebt};
pub use units::{Litres, Millipence, VarHours, WattHours};

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proto_duis::DeviceKind;

use crate::document::{Document, FileError, Item};

/// What one device is loaded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// How far ahead its clock is.
    pub clock_offset: Option<SignedDuration>,
    /// Its logs, where they are loaded: all that is in them then.
    pub events: Option<Vec<Events>>,
    /// What it holds besides.
    pub contents: Contents,
}

/// What a device of a kind holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// An electricity meter.
    Electricity(Box<Electricity>),
    /// A gas meter.
    Gas(Box<Gas>),
    /// A communications hub: the devices on its network, where they are loaded.
    Network(Option<BTreeSet<DeviceKind>>),
    /// A gas proxy: it holds what its meter tells it.
    Mirror,
}

/// An electricity meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Electricity {
    /// The household behind it.
    pub household: Option<Household>,
    /// A load of the bench in watts, in place of the household's.
    pub load: Option<u32>,
    /// Generation of the bench in watts, in place of the household's.
    pub generation: Option<u32>,
    /// The customer's account and supply.
    pub customer: Customer,
    /// Prices and blocks.
    pub tariff: Option<Tariff>,
    /// Which tariff register counts when.
    pub calendar: Option<Calendar>,
    /// What the registers show.
    pub registers: Option<Registers>,
    /// The past.
    pub history: Option<History>,
}

/// A gas meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gas {
    /// The household behind it.
    pub household: Option<Household>,
    /// A flow of the bench in litres an hour, in place of the household's.
    pub flow: Option<u32>,
    /// The customer's account and valve.
    pub customer: Customer,
    /// Price and standing charge.
    pub tariff: Option<Tariff>,
    /// What volume is converted to energy with.
    pub conversion: Option<Conversion>,
    /// What the register shows.
    pub volume: Option<Litres>,
    /// The past.
    pub history: Option<History>,
}

/// A household: the same seed consumes the same, half hour for half hour, in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Household {
    /// Fixes its load curve.
    pub seed: u64,
    /// Whether it has solar panels.
    pub solar: bool,
}

/// The registers of an electricity meter. Tariff registers hold the whole import between them; blocks what of it was counted
/// by block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registers {
    /// Active import.
    pub import: WattHours,
    /// Active export.
    pub export: WattHours,
    /// Reactive import.
    pub reactive_import: VarHours,
    /// Reactive export.
    pub reactive_export: VarHours,
    /// Tariff registers from tariff 1 on; where none is given, they follow from the history.
    pub tariffs: Vec<WattHours>,
    /// Blocks of the first set from block 1 on; where none is given, they follow from the history.
    pub blocks: Vec<WattHours>,
}

/// What a gas meter converts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// Hundredths of a megajoule a cubic metre.
    pub calorific_value: u32,
    /// Hundred thousandths.
    pub factor: u32,
}

/// Entries of the event or the security log; which of them is for the event to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Code of the event.
    pub code: u16,
    /// How many minutes ago the newest of them was.
    pub minutes_ago: u32,
    /// How many of them.
    pub count: u32,
    /// Minutes between them.
    pub every_minutes: u32,
    /// In the device's words.
    pub text: String,
}

impl Load {
    /// The device it is of.
    pub const fn device(&self) -> DeviceKind {
        match self.contents {
            Contents::Electricity(_) => DeviceKind::Esme,
            Contents::Gas(_) => DeviceKind::Gsme,
            Contents::Network(_) => DeviceKind::Chf,
            Contents::Mirror => DeviceKind::Gpf,
        }
    }

    /// The customer of a meter.
    pub fn customer(&self) -> Option<&Customer> {
        match &self.contents {
            Contents::Electricity(meter) => Some(&meter.customer),
            Contents::Gas(meter) => Some(&meter.customer),
            Contents::Network(_) | Contents::Mirror => None,
        }
    }

    /// The `[[load]]` tables of a list.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn list(item: &Item<'_>) -> Result<Vec<Self>, FileError> {
        read::loads(item)
    }

    /// The `[[load]]` tables of a data set. What else a data set has is for the harness: how it is written over the wire,
    /// and how it is seen.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn of_data_set(document: &Document) -> Result<Vec<Self>, FileError> {
        document.root(|table| {
            for of_the_harness in ["name", "version", "title", "write", "check"] {
                table.optional(of_the_harness);
            }
            read::loads(&table.required("load", "what is loaded")?)
        })
    }
}
