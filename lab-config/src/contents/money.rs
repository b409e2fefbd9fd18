//! The customer: account, debts, prices, supply.

use super::{Millipence, WattHours};
use crate::PaymentMode;

/// The customer's account and supply. What is not said stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Customer {
    /// How the customer pays.
    pub mode: Option<PaymentMode>,
    /// The balance, in pence; negative is owed.
    pub balance_pence: Option<i32>,
    /// Limits and emergency credit.
    pub credit: Option<CreditLimits>,
    /// Debts.
    pub debts: Option<Debts>,
    /// The supply.
    pub supply: Option<Supply>,
}

crate::vocabulary! {
    /// The state of a supply: load switch or valve.
    pub enum Supply {
        /// Closed.
        On = "on",
        /// Open by command.
        Off = "off",
        /// Open, and waiting for keys.
        Armed = "armed",
    }
}

/// Limits of an account, and emergency credit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CreditLimits {
    /// Below this the meter warns.
    pub low: Option<Millipence>,
    /// At or below this it disables the supply.
    pub disablement: Option<Millipence>,
    /// What emergency credit allows beyond.
    pub emergency_limit: Option<Millipence>,
    /// Below this emergency credit may be taken.
    pub emergency_offer: Option<Millipence>,
    /// Whether emergency credit is in use.
    pub emergency_in_use: bool,
}

crate::vocabulary! {
    /// How often a debt is collected by time.
    pub enum Every {
        /// Each full hour.
        Hour = "hour",
        /// At midnight.
        Day = "day",
        /// At midnight on Monday.
        Week = "week",
    }
}

/// Debts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Debts {
    /// The two collected by time.
    pub time: [Option<TimeDebt>; 2],
    /// The one collected from payments.
    pub payment: Option<PaymentDebt>,
}

/// A debt collected by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeDebt {
    /// What is owed.
    pub owed: Millipence,
    /// What is collected each time.
    pub rate: Millipence,
    /// How often.
    pub every: Every,
}

/// A debt collected from payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentDebt {
    /// What is owed.
    pub owed: Millipence,
    /// The part of each payment that is kept, in hundredths of a percent.
    pub share: u16,
    /// Most that is kept in a week; none, no limit.
    pub weekly_cap: Option<Millipence>,
}

/// Prices and blocks. What is not said stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tariff {
    /// Of a kilowatt hour, by tariff register.
    pub prices: Vec<Millipence>,
    /// Of a day.
    pub standing: Option<Millipence>,
    /// Of a kilowatt hour, by block, in every set of blocks.
    pub block_prices: Vec<Millipence>,
    /// Where each block ends, in watt hours of the billing period: then the first eight tariff registers are by block. None, where nothing is said of them, an empty list for
    /// a tariff without blocks.
    pub block_ends: Option<Vec<WattHours>>,
}
