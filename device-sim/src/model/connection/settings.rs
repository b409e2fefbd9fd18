//! What a meter is set up with for prepayment: limits of the credit, the non-disablement calendar and the payment mode, held
//! ready and put in force.

use super::super::account::Thresholds;
use super::super::activation::{CreditSettings, ModeSettings, Part};
use super::super::blocks::Blocks;
use super::super::calendar::{CalendarError, Timetable};
use super::super::journal::Event;
use super::super::time::Moment;
use super::Connection;

impl Connection {
    /// The limits of the credit in force.
    pub fn credit_settings(&self) -> CreditSettings {
        let thresholds = self.account.thresholds();
        CreditSettings {
            weekly_cap: self.account.debts().payment.weekly_cap,
            emergency_limit: thresholds.emergency_limit,
            emergency_offer: thresholds.emergency_offer,
            low_credit: thresholds.low_credit,
            balance_limit: thresholds.balance_limit,
            token_limit: thresholds.token_limit,
        }
    }

    /// The limits held ready; where none are, those in force.
    pub fn held_credit_settings(&self) -> CreditSettings {
        self.held_credit.unwrap_or_else(|| self.credit_settings())
    }

    /// Holds limits of the credit ready.
    pub fn hold_credit_settings(&mut self, settings: CreditSettings) {
        self.held_credit = Some(settings);
    }

    /// How the customer pays, and what goes with it.
    pub fn mode_settings(&self) -> ModeSettings {
        let debts = self.account.debts();
        ModeSettings {
            mode: self.account.mode(),
            wait_when_disabled: debts.wait_when_disabled,
            wait_in_emergency: debts.wait_in_emergency,
            disablement: self.account.thresholds().disablement,
        }
    }

    /// The mode held ready; where none is, that in force.
    pub fn held_mode_settings(&self) -> ModeSettings {
        self.held_mode.unwrap_or_else(|| self.mode_settings())
    }

    /// Holds a payment mode ready.
    pub fn hold_mode_settings(&mut self, settings: ModeSettings) {
        self.held_mode = Some(settings);
    }

    /// Puts the limits and the non-disablement calendar held ready in force.
    ///
    /// # Errors
    /// The calendar does not fit together; everything stays as it was.
    pub fn activate_prepayment(&mut self) -> Result<(), CalendarError> {
        self.non_disablement.activate_with_special_days(self.core.shown())?;
        if let Some(held) = self.held_credit.take() {
            let mut debts = self.account.debts().clone();
            debts.payment.weekly_cap = held.weekly_cap;
            self.account.set_debts(debts);
            let thresholds = Thresholds {
                low_credit: held.low_credit,
                emergency_limit: held.emergency_limit,
                emergency_offer: held.emergency_offer,
                balance_limit: held.balance_limit,
                token_limit: held.token_limit,
                ..self.account.thresholds()
            };
            self.set_thresholds(thresholds);
        }
        Ok(())
    }

    /// Puts the payment mode held ready in force, with what goes with it.
    pub fn activate_mode(&mut self) {
        let Some(held) = self.held_mode.take() else { return };
        let mut debts = self.account.debts().clone();
        (debts.wait_when_disabled, debts.wait_in_emergency) =
            (held.wait_when_disabled, held.wait_in_emergency);
        self.account.set_debts(debts);
        self.account
            .set_thresholds(Thresholds { disablement: held.disablement, ..self.account.thresholds() });
        self.set_mode(held.mode);
    }

    /// When the next part held ready comes into force.
    pub(in super::super) fn next_activation(&self) -> Option<Moment> {
        self.activations.next().map(|at| self.core.reaches(at).max(self.core.now()))
    }

    /// Puts a part of the configuration that is held ready in force, of a meter with this calendar and these counters.
    ///
    /// # Errors
    /// What does not fit together; everything stays as it was.
    pub(in super::super) fn put_in_force(
        &mut self,
        part: Part,
        tariff: &mut Timetable,
        blocks: &mut Blocks,
    ) -> Result<(), CalendarError> {
        // Done now, there is nothing left to do at the time it was dated for.
        self.activations.date(part, None);
        match part {
            Part::Tariff => {
                tariff.activate_with_special_days(self.core.shown())?;
                blocks.activate();
                self.activate_prices();
                self.core.log(Event::CommandDone, "tariff activated");
            }
            Part::Prepayment => self.activate_prepayment()?,
            Part::PaymentMode => self.activate_mode(),
        }
        Ok(())
    }

    /// Logs that a part was not put in force by command, and why.
    pub(in super::super) fn tell_refused(&mut self, part: Part, error: &CalendarError) {
        self.core.log(Event::CommandRefused, format!("{}: {error}", part.name()));
    }

    /// Logs what came of putting a part in force at its time.
    pub(in super::super) fn tell_dated(&mut self, part: Part, outcome: &Result<(), CalendarError>) {
        match outcome {
            Ok(()) => self.core.log(Event::FutureDatedDone, format!("{} activated", part.name())),
            Err(error) => self.core.log(Event::FutureDatedFailed, format!("{}: {error}", part.name())),
        }
    }
}
