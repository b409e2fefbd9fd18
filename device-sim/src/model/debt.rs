//! Debts a prepayment meter collects: two by time, one by a share of each payment.

use super::money::Millipence;
use super::time::{DAY, HALF_HOUR, MeterTime};

/// How often a debt by time is collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Every {
    /// At every full hour.
    Hour,
    /// At midnight.
    #[default]
    Day,
    /// On Monday at midnight.
    Week,
}

impl Every {
    /// Whether it is collected at this minute (UTC).
    pub fn is_due(self, minute: MeterTime) -> bool {
        match self {
            Self::Hour => minute.is_at(2 * HALF_HOUR),
            Self::Day => minute.is_at(DAY),
            // 1970-01-01 was a Thursday.
            Self::Week => minute.plus(3 * DAY).is_at(7 * DAY),
        }
    }

    /// Seconds between collections.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Hour => 3600,
            Self::Day => 86_400,
            Self::Week => 604_800,
        }
    }

    /// The period of so many seconds.
    pub const fn of_seconds(seconds: u32) -> Option<Self> {
        match seconds {
            3600 => Some(Self::Hour),
            86_400 => Some(Self::Day),
            604_800 => Some(Self::Week),
            _ => None,
        }
    }
}

/// A debt collected by time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeDebt {
    /// What is still owed.
    pub owed: Millipence,
    /// What is collected each time.
    pub rate: Millipence,
    /// How often.
    pub every: Every,
}

/// A debt collected from payments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaymentDebt {
    /// What is still owed.
    pub owed: Millipence,
    /// Hundredths of a percent of each payment, 10,000 at most.
    pub share: u16,
    /// Most that is collected in a week; nothing set, no limit.
    pub weekly_cap: Option<Millipence>,
    collected_this_week: Millipence,
}

impl PaymentDebt {
    /// A debt of which nothing has been collected this week.
    pub fn new(owed: Millipence, share: u16, weekly_cap: Option<Millipence>) -> Self {
        Self { owed, share: share.min(10_000), weekly_cap, collected_this_week: Millipence::ZERO }
    }

    /// What of a payment goes to the debt.
    pub fn part_of(&self, payment: Millipence) -> Millipence {
        let share = i128::from(payment.get().max(0)) * i128::from(self.share.min(10_000)) / 10_000;
        let share = Millipence::new(i64::try_from(share).unwrap_or(i64::MAX));
        let room =
            self.weekly_cap.map_or(share, |cap| (cap - self.collected_this_week).max(Millipence::ZERO));
        share.min(room).min(self.owed.max(Millipence::ZERO))
    }
}

/// Which debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Debt {
    /// The first one by time.
    Time1,
    /// The second one by time.
    Time2,
    /// The one by payment.
    Payment,
}

/// All debts of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debts {
    /// By time.
    pub time: [TimeDebt; 2],
    /// By payment.
    pub payment: PaymentDebt,
    /// Whether debts by time wait while emergency credit is in use.
    pub wait_in_emergency: bool,
    /// Whether they wait while the supply is off for want of credit.
    pub wait_when_disabled: bool,
}

impl Debts {
    /// What is owed in all.
    pub fn owed(&self) -> Millipence {
        self.time.iter().fold(self.payment.owed, |sum, debt| sum + debt.owed)
    }

    /// Collects what is due at this minute from the debts by time: each with what was taken.
    pub(super) fn collect_by_time(&mut self, minute: MeterTime) -> [Millipence; 2] {
        self.time.each_mut().map(|debt| {
            let due = debt.every.is_due(minute) && debt.owed > Millipence::ZERO;
            let taken = if due { debt.rate.clamp(Millipence::ZERO, debt.owed) } else { Millipence::ZERO };
            debt.owed = debt.owed - taken;
            taken
        })
    }

    /// Collects from a payment; what was taken.
    pub(super) fn collect_from(&mut self, payment: Millipence) -> Millipence {
        let taken = self.payment.part_of(payment);
        self.payment.owed = self.payment.owed - taken;
        self.payment.collected_this_week = self.payment.collected_this_week + taken;
        taken
    }

    /// A new week begins, and with it the cap.
    pub(super) fn begin_week(&mut self) {
        self.payment.collected_this_week = Millipence::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        let at = |text: &str| MeterTime::from(text.parse::<jiff::Timestamp>().unwrap());
        assert!(
            Every::Week.is_due(at("2026-05-25T00:00:00Z")) && !Every::Week.is_due(at("2026-05-26T00:00:00Z"))
        );
        assert!(
            Every::Day.is_due(at("2026-05-26T00:00:00Z")) && Every::Hour.is_due(at("2026-05-26T07:00:00Z"))
        );
        for every in [Every::Hour, Every::Day, Every::Week] {
            assert_eq!(Every::of_seconds(every.seconds()), Some(every));
        }
    }

    proptest! {
        /// What is taken from payments is what the debt lost, within its share, its cap and itself.
        #[test]
        fn payments_never_pay_more_than_owed_or_capped(
            owed in 0i64..5_000_000, share in 0u16..12_000, cap in proptest::option::of(0i64..2_000_000),
            payments in proptest::collection::vec(-10_000i64..3_000_000, 0..20),
        ) {
            let mut debts = Debts { payment: PaymentDebt::new(Millipence::new(owed), share, cap.map(Millipence::new)), ..Debts::default() };
            let mut taken = 0;
            for payment in payments {
                let part = debts.collect_from(Millipence::new(payment)).get();
                prop_assert!(part >= 0 && part <= payment.max(0));
                taken += part;
            }
            prop_assert_eq!(debts.owed().get(), owed - taken);
            prop_assert!(cap.is_none_or(|cap| taken <= cap));
        }
    }
}
