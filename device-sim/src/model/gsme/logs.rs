//! The gas meter's daily log and its log of billing periods.

use std::collections::VecDeque;

use super::super::account::PaymentMode;
use super::super::money::Millipence;
use super::super::tariff::Prices;
use super::super::time::{DAY, MeterTime};

/// Days the daily log keeps.
pub const DAYS: usize = 396;
/// Billing periods it keeps.
pub const PERIODS: usize = 13;

/// The register at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayEntry {
    /// Midnight, UTC.
    pub at: MeterTime,
    /// Litres of gas.
    pub litres: u64,
}

/// Why a billing period ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodEnd {
    /// 01: the month was over.
    Month,
    /// 02: the prices changed.
    Prices,
    /// 03: the payment mode changed.
    PaymentMode,
}

impl PeriodEnd {
    /// The number in the log.
    pub const fn number(self) -> u8 {
        match self {
            Self::Month => 1,
            Self::Prices => 2,
            Self::PaymentMode => 3,
        }
    }
}

/// What stood at the end of a billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodEntry {
    /// When it ended.
    pub at: MeterTime,
    /// Litres of gas.
    pub litres: u64,
    /// Watt hours of gas.
    pub watt_hours: u64,
    /// The customer's balance.
    pub balance: Millipence,
    /// Why it ended.
    pub end: PeriodEnd,
}

/// What the meter stands at.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Litres of gas.
    pub litres: u64,
    /// Watt hours of gas.
    pub watt_hours: u64,
    /// The customer's balance.
    pub balance: Millipence,
    /// How the customer pays.
    pub mode: PaymentMode,
    /// What for.
    pub prices: &'a Prices,
}

/// Both logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    days: VecDeque<DayEntry>,
    periods: VecDeque<PeriodEntry>,
    mode: PaymentMode,
    prices: Prices,
}

impl Logs {
    /// Empty logs of a meter that is paid for so.
    pub fn new(mode: PaymentMode, prices: Prices) -> Self {
        Self { days: VecDeque::new(), periods: VecDeque::new(), mode, prices }
    }

    /// The same logs with the days of others: a meter's past before its account was opened.
    pub(super) fn with_days_of(self, past: Self) -> Self {
        Self { days: past.days, ..self }
    }

    /// The billing period that runs has been under these terms from its beginning.
    pub(super) fn take_terms(&mut self, mode: PaymentMode, prices: &Prices) {
        self.mode = mode;
        self.prices = prices.clone();
    }

    /// Writes what this full minute calls for: the day at midnight, a billing period at the end of a month or of the
    /// terms it was begun under.
    pub fn minute(&mut self, minute: MeterTime, standing: Standing<'_>) {
        if minute.is_at(DAY) {
            push(&mut self.days, DayEntry { at: minute, litres: standing.litres }, DAYS);
        }
        if let Some(end) = self.period_end(minute, standing) {
            self.mode = standing.mode;
            self.prices = standing.prices.clone();
            let Standing { litres, watt_hours, balance, .. } = standing;
            push(&mut self.periods, PeriodEntry { at: minute, litres, watt_hours, balance, end }, PERIODS);
        }
    }

    fn period_end(&self, minute: MeterTime, standing: Standing<'_>) -> Option<PeriodEnd> {
        if self.mode != standing.mode {
            return Some(PeriodEnd::PaymentMode);
        }
        if self.prices != *standing.prices {
            return Some(PeriodEnd::Prices);
        }
        // The first of a month; the calendar is only asked at midnight.
        let first = minute.is_at(DAY) && minute.timestamp().strftime("%d").to_string() == "01";
        first.then_some(PeriodEnd::Month)
    }

    /// The days, oldest first.
    pub fn days(&self) -> impl ExactSizeIterator<Item = &DayEntry> {
        self.days.iter()
    }

    /// The billing periods, oldest first.
    pub fn periods(&self) -> impl ExactSizeIterator<Item = &PeriodEntry> {
        self.periods.iter()
    }
}

fn push<T>(log: &mut VecDeque<T>, entry: T, limit: usize) {
    log.push_back(entry);
    if log.len() > limit {
        log.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::time::MINUTE;
    use super::*;

    #[test]
    fn a_month_ends_on_the_first_and_terms_end_when_they_change() {
        let prices = Prices::gas();
        let mut logs = Logs::new(PaymentMode::Credit, prices.clone());
        let standing =
            |mode, prices| Standing { litres: 5, watt_hours: 56, balance: Millipence::ZERO, mode, prices };
        let midnight = MeterTime::from("2026-06-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap());
        logs.minute(midnight.plus(-DAY), standing(PaymentMode::Credit, &prices));
        logs.minute(midnight, standing(PaymentMode::Credit, &prices));
        logs.minute(midnight.plus(MINUTE), standing(PaymentMode::Prepayment, &prices));
        let dearer = Prices { standing: Millipence::new(1), ..prices.clone() };
        logs.minute(midnight.plus(2 * MINUTE), standing(PaymentMode::Prepayment, &dearer));
        logs.minute(midnight.plus(3 * MINUTE), standing(PaymentMode::Prepayment, &dearer));
        let ends: Vec<PeriodEnd> = logs.periods().map(|period| period.end).collect();
        assert_eq!(ends, [PeriodEnd::Month, PeriodEnd::PaymentMode, PeriodEnd::Prices]);
        assert_eq!(logs.days().len(), 2);
    }

    #[test]
    fn logs_keep_the_newest() {
        let prices = Prices::gas();
        let mut logs = Logs::new(PaymentMode::Credit, prices.clone());
        for day in 0..800i64 {
            let standing = Standing {
                litres: day.unsigned_abs(),
                watt_hours: 0,
                balance: Millipence::ZERO,
                mode: PaymentMode::Credit,
                prices: &prices,
            };
            logs.minute(MeterTime::from_millis(day * DAY), standing);
        }
        assert_eq!((logs.days().len(), logs.periods().len()), (DAYS, PERIODS));
        assert_eq!(logs.days().last().unwrap().litres, 799);
    }
}
