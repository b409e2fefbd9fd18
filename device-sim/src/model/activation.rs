//! Configuration that is written beside what is in force, and put in force whole: at once by a script, or at a time.

use super::account::PaymentMode;
use super::money::Millipence;
use super::time::MeterTime;

/// A part of a meter's configuration that changes as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Calendar, special days, ends of blocks, prices and standing charge.
    Tariff,
    /// Limits of the credit and the non-disablement calendar.
    Prepayment,
    /// How the customer pays, and what goes with it.
    PaymentMode,
}

impl Part {
    /// Every part, in the order of their scripts.
    pub const ALL: [Self; 3] = [Self::Tariff, Self::Prepayment, Self::PaymentMode];

    /// The part of a script, 1 being the first.
    pub fn of_script(script: i128) -> Option<Self> {
        let place = usize::try_from(script).ok()?.checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// What it is called in a log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tariff => "tariff",
            Self::Prepayment => "prepayment configuration",
            Self::PaymentMode => "payment mode",
        }
    }
}

/// When what is held ready comes into force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activations(std::collections::BTreeMap<Part, MeterTime>);

impl Activations {
    /// When a part comes into force; none while it is not dated.
    pub fn at(&self, part: Part) -> Option<MeterTime> {
        self.0.get(&part).copied()
    }

    /// Dates a part, or takes its date away.
    pub fn date(&mut self, part: Part, at: Option<MeterTime>) {
        match at {
            Some(at) => self.0.insert(part, at),
            None => self.0.remove(&part),
        };
    }

    /// When the next part comes into force.
    pub(super) fn next(&self) -> Option<MeterTime> {
        self.0.values().min().copied()
    }

    /// Takes the parts whose time has come at `now`.
    pub(super) fn take_due(&mut self, now: MeterTime) -> Vec<Part> {
        let due = Part::ALL.into_iter().filter(|part| self.at(*part).is_some_and(|at| at <= now));
        let due: Vec<Part> = due.collect();
        due.iter().for_each(|part| self.date(*part, None));
        due
    }
}

/// The limits of the credit that are set together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditSettings {
    /// Most that is collected from payments in a week; nothing set, no limit.
    pub weekly_cap: Option<Millipence>,
    /// What emergency credit allows beyond.
    pub emergency_limit: Millipence,
    /// Below this emergency credit may be taken.
    pub emergency_offer: Millipence,
    /// Below this the meter warns.
    pub low_credit: Millipence,
    /// A token may not take the balance above this.
    pub balance_limit: Millipence,
    /// A token may not be worth more than this.
    pub token_limit: Millipence,
}

/// Limits no meter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditSettingsError {
    /// Less than nothing.
    #[error("a limit of {0}, which is less than nothing")]
    Negative(Millipence),
    /// A threshold that no balance gets above.
    #[error("a threshold of {threshold} above the largest balance, {limit}")]
    AboveBalance {
        /// The threshold.
        threshold: Millipence,
        /// The largest balance.
        limit: Millipence,
    },
}

impl CreditSettings {
    /// The same settings, if a meter can have them.
    ///
    /// # Errors
    /// [`CreditSettingsError`] naming what is wrong.
    pub fn checked(self) -> Result<Self, CreditSettingsError> {
        let limits = [self.emergency_limit, self.balance_limit, self.token_limit];
        let mut limits = limits.into_iter().chain(self.weekly_cap);
        if let Some(limit) = limits.find(|limit| *limit < Millipence::ZERO) {
            return Err(CreditSettingsError::Negative(limit));
        }
        let thresholds = [self.emergency_offer, self.low_credit];
        match thresholds.into_iter().find(|threshold| *threshold > self.balance_limit) {
            Some(threshold) => {
                Err(CreditSettingsError::AboveBalance { threshold, limit: self.balance_limit })
            }
            None => Ok(self),
        }
    }
}

/// How the customer pays, and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSettings {
    /// The mode.
    pub mode: PaymentMode,
    /// Whether debts by time wait while the supply is off for want of credit.
    pub wait_when_disabled: bool,
    /// Whether debts by time wait while emergency credit is in use.
    pub wait_in_emergency: bool,
    /// At or below this balance the supply goes off.
    pub disablement: Millipence,
}

#[cfg(test)]
mod tests {
    use super::super::account::Thresholds;
    use super::*;

    fn settings() -> CreditSettings {
        let Thresholds { emergency_limit, emergency_offer, low_credit, balance_limit, token_limit, .. } =
            Thresholds::default();
        CreditSettings {
            weekly_cap: None,
            emergency_limit,
            emergency_offer,
            low_credit,
            balance_limit,
            token_limit,
        }
    }

    #[test]
    fn limits_below_nothing_and_thresholds_above_the_balance_are_refused() {
        assert!(settings().checked().is_ok());
        let less = Millipence::new(-1);
        let negative = CreditSettings { weekly_cap: Some(less), ..settings() };
        assert_eq!(negative.checked(), Err(CreditSettingsError::Negative(less)));
        let low_credit = Millipence::pence(25_001);
        let above = CreditSettings { low_credit, ..settings() }.checked();
        assert!(
            matches!(above, Err(CreditSettingsError::AboveBalance { threshold, .. }) if threshold == low_credit)
        );
    }

    #[test]
    fn each_part_comes_into_force_once_when_its_time_has_come() {
        let at = MeterTime::from_millis;
        let mut activations = Activations::default();
        activations.date(Part::PaymentMode, Some(at(5)));
        activations.date(Part::Tariff, Some(at(9)));
        activations.date(Part::Prepayment, Some(at(1)));
        activations.date(Part::Prepayment, None);
        assert_eq!(activations.take_due(at(4)), []);
        assert_eq!(activations.take_due(at(9)), [Part::Tariff, Part::PaymentMode]);
        assert_eq!((activations.take_due(at(99)), activations.at(Part::Tariff)), (vec![], None));
        assert_eq!(Part::of_script(3), Some(Part::PaymentMode));
        assert_eq!((Part::of_script(0), Part::of_script(4), Part::of_script(-1)), (None, None, None));
    }
}
