//! Profiles and logs of readings.

use super::super::demand::Peak;
use super::super::energy::Registers;
use super::super::money::Millipence;
use super::super::profile::{Profile, Ring};
use super::super::tariff::{BLOCK_REGISTERS, REGISTERS};
use super::super::time::MeterTime;

/// Entries of the daily log.
pub const DAILY_ENTRIES: usize = 396;
/// Entries of the billing log.
pub const BILLING_ENTRIES: usize = 13;

/// A register with a half-hourly profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Active import.
    Import,
    /// Active export.
    Export,
    /// Reactive import.
    ReactiveImport,
    /// Reactive export.
    ReactiveExport,
}

/// The registers at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyRead {
    /// When, by the meter's clock.
    pub at: MeterTime,
    /// Active import, watt hours.
    pub import: u64,
    /// Active export, watt hours.
    pub export: u64,
    /// Tariff registers up to the last that shows anything, watt hours.
    pub tiers: Vec<u64>,
    /// Blocks, set after set, up to the last that shows anything, watt hours.
    pub blocks: Vec<u64>,
}

impl DailyRead {
    pub(super) fn of(at: MeterTime, registers: &Registers) -> Self {
        let tier = |register| registers.tier(register).unwrap_or_default();
        let block = |block| registers.block(block).unwrap_or_default();
        Self {
            at,
            import: registers.import(),
            export: registers.export(),
            tiers: up_to_the_last(REGISTERS, tier),
            blocks: up_to_the_last(BLOCK_REGISTERS, block),
        }
    }
}

/// The first of so many registers, without those at the end that show nothing.
fn up_to_the_last(registers: usize, shows: impl Fn(usize) -> u64) -> Vec<u64> {
    let in_use = (0..registers).rev().find(|register| shows(*register) > 0).map_or(0, |last| last + 1);
    (0..in_use).map(shows).collect()
}

/// The end of a billing period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingRead {
    /// The registers.
    pub read: DailyRead,
    /// The largest demand of import in the period.
    pub import_peak: Option<Peak>,
    /// The largest demand of export in the period.
    pub export_peak: Option<Peak>,
    /// The balance.
    pub balance: Millipence,
}

/// Everything the meter writes down by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    import: Profile,
    export: Profile,
    reactive_import: Profile,
    reactive_export: Profile,
    daily: Ring<DailyRead>,
    billing: Ring<BillingRead>,
}

impl Logs {
    /// Empty logs of a meter that shows this import.
    pub(super) fn starting_at(import: u64) -> Self {
        Self {
            import: Profile::starting_at(import),
            export: Profile::default(),
            reactive_import: Profile::default(),
            reactive_export: Profile::default(),
            daily: Ring::new(DAILY_ENTRIES),
            billing: Ring::new(BILLING_ENTRIES),
        }
    }

    /// The half-hourly profile of a register.
    pub const fn profile(&self, channel: Channel) -> &Profile {
        match channel {
            Channel::Import => &self.import,
            Channel::Export => &self.export,
            Channel::ReactiveImport => &self.reactive_import,
            Channel::ReactiveExport => &self.reactive_export,
        }
    }

    /// The daily log.
    pub const fn daily(&self) -> &Ring<DailyRead> {
        &self.daily
    }

    /// The billing log.
    pub const fn billing(&self) -> &Ring<BillingRead> {
        &self.billing
    }

    /// A half hour is over: every profile has it.
    pub(super) fn capture(&mut self, at: MeterTime, registers: &Registers, flags: u8) {
        self.import.capture(at, registers.import(), flags);
        self.export.capture(at, registers.export(), flags);
        self.reactive_import.capture(at, registers.reactive_import(), flags);
        self.reactive_export.capture(at, registers.reactive_export(), flags);
    }

    /// A half hour is over of which no profile has anything.
    pub(super) fn skip(&mut self, registers: &Registers) {
        self.import.skip(registers.import());
        self.export.skip(registers.export());
        self.reactive_import.skip(registers.reactive_import());
        self.reactive_export.skip(registers.reactive_export());
    }

    /// Empty logs of a meter that shows this.
    pub(super) fn emptied(registers: &Registers) -> Self {
        let mut logs = Self::starting_at(0);
        logs.skip(registers);
        logs
    }

    pub(super) fn read_day(&mut self, at: MeterTime, registers: &Registers) {
        self.daily.push(DailyRead::of(at, registers));
    }

    pub(super) fn bill(&mut self, read: BillingRead) {
        self.billing.push(read);
    }
}
