//! What stood when the terms the customer is supplied under changed: the payment mode, or the prices.

use super::super::account::PaymentMode;
use super::super::money::Millipence;
use super::super::profile::Ring;
use super::super::tariff::Prices;
use super::logs::DailyRead;

/// Changes the log keeps.
pub const TERMS_ENTRIES: usize = 13;

/// What stood when the terms changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsRead {
    /// The registers.
    pub read: DailyRead,
    /// The balance.
    pub balance: Millipence,
}

/// The terms in force, and the log of their changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    mode: PaymentMode,
    prices: Prices,
    log: Ring<TermsRead>,
}

impl Terms {
    /// These terms, which nobody has changed yet.
    pub(super) fn new(mode: PaymentMode, prices: Prices) -> Self {
        Self { mode, prices, log: Ring::new(TERMS_ENTRIES) }
    }

    /// Writes down what stands where other terms have come into force.
    pub(super) fn settle(&mut self, mode: PaymentMode, prices: &Prices, stands: impl FnOnce() -> TermsRead) {
        if self.mode != mode || self.prices != *prices {
            (self.mode, self.prices) = (mode, prices.clone());
            self.log.push(stands());
        }
    }

    /// The log of changes.
    pub const fn log(&self) -> &Ring<TermsRead> {
        &self.log
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::energy::Registers;
    use super::super::super::time::MeterTime;
    use super::*;

    #[test]
    fn each_change_is_written_down_once_and_the_log_keeps_the_newest() {
        let mut terms = Terms::new(PaymentMode::Credit, Prices::default());
        let stands = |minutes: i64| TermsRead {
            read: DailyRead::of(MeterTime::from_millis(minutes * 60_000), &Registers::reading(0, 0)),
            balance: Millipence::ZERO,
        };
        terms.settle(PaymentMode::Credit, &Prices::default(), || stands(1));
        assert_eq!(terms.log().all().len(), 0);
        terms.settle(PaymentMode::Prepayment, &Prices::default(), || stands(2));
        terms.settle(PaymentMode::Prepayment, &Prices::default(), || stands(3));
        let dearer = Prices { standing: Millipence::new(1), ..Prices::default() };
        terms.settle(PaymentMode::Prepayment, &dearer, || stands(4));
        let at: Vec<i64> = terms.log().all().map(|entry| entry.read.at.millis() / 60_000).collect();
        assert_eq!(at, [2, 4]);
        for change in 5..40 {
            let mode = if change % 2 == 0 { PaymentMode::Prepayment } else { PaymentMode::Credit };
            terms.settle(mode, &dearer, || stands(change));
        }
        assert_eq!(terms.log().all().len(), TERMS_ENTRIES);
        assert_eq!(terms.log().all().last().map(|entry| entry.read.at.millis()), Some(39 * 60_000));
    }
}
