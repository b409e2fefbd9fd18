//! The gas meter's daily log and its log of billing periods.

use std::collections::VecDeque;

use super::super::account::PaymentMode;
use super::super::money::Millipence;
use super::super::tariff::Prices;
use super::super::time::{DAY, MINUTE, MeterTime};

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
    /// 01: by the calendar.
    Calendar,
    /// 02: the prices changed.
    Prices,
    /// 03: the payment mode changed.
    PaymentMode,
}

impl PeriodEnd {
    /// The number in the log.
    pub const fn number(self) -> u8 {
        match self {
            Self::Calendar => 1,
            Self::Prices => 2,
            Self::PaymentMode => 3,
        }
    }
}

/// How long a billing period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Periodicity {
    /// A day.
    Daily,
    /// Seven days.
    Weekly,
    /// A month.
    Monthly,
    /// Three months.
    Quarterly,
    /// Six months.
    SixMonthly,
    /// A year.
    Yearly,
}

impl Periodicity {
    /// Every length, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Daily, Self::Weekly, Self::Monthly, Self::Quarterly, Self::SixMonthly, Self::Yearly];

    const fn months(self) -> Option<i32> {
        match self {
            Self::Daily | Self::Weekly => None,
            Self::Monthly => Some(1),
            Self::Quarterly => Some(3),
            Self::SixMonthly => Some(6),
            Self::Yearly => Some(12),
        }
    }
}

/// When billing periods begin: the first, and how long each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillingPeriods {
    start: MeterTime,
    periodicity: Periodicity,
}

impl Default for BillingPeriods {
    /// On the first of each month, UTC.
    fn default() -> Self {
        Self { start: MeterTime::from_millis(0), periodicity: Periodicity::Monthly }
    }
}

impl BillingPeriods {
    /// Periods that begin at a full minute; none where it is no full minute, or a day that not every month has.
    pub fn new(start: MeterTime, periodicity: Periodicity) -> Option<Self> {
        let in_every_month = periodicity.months().is_none() || date(start).day() <= 28;
        (start.is_at(MINUTE) && in_every_month).then_some(Self { start, periodicity })
    }

    /// When the first begins.
    pub const fn start(self) -> MeterTime {
        self.start
    }

    /// How long each is.
    pub const fn periodicity(self) -> Periodicity {
        self.periodicity
    }

    /// Whether one period ends and the next begins at this minute.
    fn ends_at(self, minute: MeterTime) -> bool {
        if minute < self.start || minute.minute_of_day() != self.start.minute_of_day() {
            return false;
        }
        let days = (minute.millis() - self.start.millis()) / DAY;
        match (self.periodicity, self.periodicity.months()) {
            (Periodicity::Weekly, _) => days % 7 == 0,
            (_, None) => true,
            (_, Some(months)) => {
                let (now, first) = (date(minute), date(self.start));
                let apart = 12 * (i32::from(now.year()) - i32::from(first.year())) + i32::from(now.month())
                    - i32::from(first.month());
                now.day() == first.day() && apart % months == 0
            }
        }
    }
}

fn date(time: MeterTime) -> jiff::civil::Date {
    time.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date()
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
    billing: BillingPeriods,
}

impl Logs {
    /// Empty logs of a meter that is paid for so.
    pub fn new(mode: PaymentMode, prices: Prices) -> Self {
        Self {
            days: VecDeque::new(),
            periods: VecDeque::new(),
            mode,
            prices,
            billing: BillingPeriods::default(),
        }
    }

    /// When billing periods end by the calendar.
    pub const fn billing(&self) -> BillingPeriods {
        self.billing
    }

    /// Ends billing periods by this calendar from now on.
    pub(super) fn set_billing(&mut self, billing: BillingPeriods) {
        self.billing = billing;
    }

    /// The same logs with the days and the periods of the calendar of others: a meter's past before its account was opened.
    pub(super) fn with_past_of(self, past: Self) -> Self {
        let mut periods = past.periods;
        periods.retain(|period| period.end == PeriodEnd::Calendar);
        Self { days: past.days, periods, billing: past.billing, ..self }
    }

    /// The billing period that runs has been under these terms from its beginning.
    pub(super) fn take_terms(&mut self, mode: PaymentMode, prices: &Prices) {
        self.mode = mode;
        self.prices = prices.clone();
    }

    /// Writes what this full minute calls for: the day at midnight, a billing period at the end of one by the calendar.
    pub fn minute(&mut self, minute: MeterTime, standing: Standing<'_>) {
        if minute.is_at(DAY) {
            push(&mut self.days, DayEntry { at: minute, litres: standing.litres }, DAYS);
        }
        if !self.settle(minute, standing) && self.billing.ends_at(minute) {
            self.end_period(minute, standing, PeriodEnd::Calendar);
        }
    }

    /// Ends a billing period where the terms it was begun under are not those that stand; whether they were not.
    pub fn settle(&mut self, at: MeterTime, standing: Standing<'_>) -> bool {
        let end = if self.mode != standing.mode {
            PeriodEnd::PaymentMode
        } else if self.prices != *standing.prices {
            PeriodEnd::Prices
        } else {
            return false;
        };
        self.take_terms(standing.mode, standing.prices);
        self.end_period(at, standing, end);
        true
    }

    fn end_period(&mut self, at: MeterTime, standing: Standing<'_>, end: PeriodEnd) {
        let Standing { litres, watt_hours, balance, .. } = standing;
        push(&mut self.periods, PeriodEntry { at, litres, watt_hours, balance, end }, PERIODS);
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
        assert_eq!(ends, [PeriodEnd::Calendar, PeriodEnd::PaymentMode, PeriodEnd::Prices]);
        assert_eq!(logs.days().len(), 2);
    }

    #[test]
    fn periods_end_as_often_as_they_are_told_from_their_first_on() {
        let at = |text: &str| MeterTime::from(text.parse::<jiff::Timestamp>().unwrap());
        let start = at("2026-01-15T06:30:00Z");
        for (periodicity, ends, does_not) in [
            (Periodicity::Daily, "2026-01-16T06:30:00Z", "2026-01-14T06:30:00Z"),
            (Periodicity::Weekly, "2026-01-22T06:30:00Z", "2026-01-23T06:30:00Z"),
            (Periodicity::Monthly, "2026-02-15T06:30:00Z", "2026-02-14T06:30:00Z"),
            (Periodicity::Quarterly, "2026-04-15T06:30:00Z", "2026-03-15T06:30:00Z"),
            (Periodicity::SixMonthly, "2027-01-15T06:30:00Z", "2026-04-15T06:30:00Z"),
            (Periodicity::Yearly, "2028-01-15T06:30:00Z", "2026-07-15T06:30:00Z"),
        ] {
            let periods = BillingPeriods::new(start, periodicity).unwrap();
            assert!(periods.ends_at(start) && periods.ends_at(at(ends)), "{periodicity:?}");
            assert!(
                !periods.ends_at(at(does_not)) && !periods.ends_at(at(ends).plus(MINUTE)),
                "{periodicity:?}"
            );
        }
        assert_eq!(BillingPeriods::new(at("2026-01-29T00:00:00Z"), Periodicity::Monthly), None);
        assert_eq!(BillingPeriods::new(start.plus(1), Periodicity::Daily), None);
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
