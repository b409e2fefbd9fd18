//! The customer's account: balance, emergency credit, thresholds, and why the balance ever moved.

use super::debt::{Debt, Debts};
use super::money::Millipence;
use super::time::MeterTime;

/// How the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMode {
    /// Afterwards, by a bill: the meter counts but never cuts off.
    Credit,
    /// In advance: no credit, no supply.
    Prepayment,
}

/// Why a balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Energy at its price.
    Consumption,
    /// The daily standing charge.
    StandingCharge,
    /// A top-up token.
    Token,
    /// A correction by the supplier.
    Adjustment,
    /// A debt collected.
    Debt,
}

/// What went in and out, by cause. The balance is always the opening balance plus these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Paid for energy.
    pub consumption: Millipence,
    /// Paid in standing charges.
    pub standing: Millipence,
    /// Bought by tokens.
    pub tokens: Millipence,
    /// Corrected by the supplier, either way.
    pub adjustments: Millipence,
    /// Paid towards debts.
    pub debts: Millipence,
}

impl Ledger {
    /// All of it: what the balance moved by since the account was opened.
    pub fn total(&self) -> Millipence {
        self.consumption + self.standing + self.tokens + self.adjustments + self.debts
    }
}

/// Where the credit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Enough.
    Normal,
    /// Below the low credit threshold.
    Low,
    /// At or below the disablement threshold: the supply goes off.
    Exhausted,
}

/// Limits a supplier sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Below this the meter warns.
    pub low_credit: Millipence,
    /// At or below this it disables the supply.
    pub disablement: Millipence,
    /// What emergency credit allows beyond.
    pub emergency_limit: Millipence,
    /// Below this emergency credit may be taken.
    pub emergency_offer: Millipence,
    /// A token may not take the balance above this.
    pub balance_limit: Millipence,
    /// A token may not be worth more than this.
    pub token_limit: Millipence,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            low_credit: Millipence::pence(200),
            disablement: Millipence::ZERO,
            emergency_limit: Millipence::pence(1000),
            emergency_offer: Millipence::pence(100),
            balance_limit: Millipence::pence(25_000),
            token_limit: Millipence::pence(20_000),
        }
    }
}

/// Why credit was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditRefusal {
    /// More than one token may be worth.
    TokenTooLarge,
    /// The balance would go above its limit.
    AccountHigh,
    /// Worth nothing.
    AccountLow,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    mode: PaymentMode,
    opening: Millipence,
    balance: Millipence,
    emergency_taken: bool,
    thresholds: Thresholds,
    ledger: Ledger,
    debts: Debts,
}

impl Account {
    /// A new account.
    pub fn open(mode: PaymentMode, opening: Millipence, thresholds: Thresholds) -> Self {
        Self {
            mode,
            opening,
            balance: opening,
            emergency_taken: false,
            thresholds,
            ledger: Ledger::default(),
            debts: Debts { wait_in_emergency: true, ..Debts::default() },
        }
    }

    /// The same account with these debts, and with emergency credit taken or not.
    #[must_use]
    pub fn owing(self, debts: Debts, emergency_taken: bool) -> Self {
        Self { debts, emergency_taken, ..self }
    }

    /// How the customer pays.
    pub const fn mode(&self) -> PaymentMode {
        self.mode
    }

    /// Changes how the customer pays; the balance stays.
    pub fn set_mode(&mut self, mode: PaymentMode) {
        self.mode = mode;
    }

    /// What is left; negative is owed.
    pub const fn balance(&self) -> Millipence {
        self.balance
    }

    /// What the account was opened with.
    pub const fn opening(&self) -> Millipence {
        self.opening
    }

    /// Why the balance is what it is.
    pub const fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// The limits.
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// Changes the limits.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// Takes `amount` off for a cause.
    pub fn debit(&mut self, cause: Cause, amount: Millipence) {
        self.move_by(cause, -amount);
    }

    /// The debts.
    pub const fn debts(&self) -> &Debts {
        &self.debts
    }

    /// Other debts: nothing is collected by that.
    pub fn set_debts(&mut self, debts: Debts) {
        self.debts = debts;
    }

    /// Collects what is due from the debts by time; what was taken from each. They wait for one who pays afterwards, and
    /// where the meter is set so while the customer lives on emergency credit, or while the supply is disabled for want of
    /// credit.
    pub(super) fn collect_debts(&mut self, minute: MeterTime, disabled: bool) -> Vec<(Debt, Millipence)> {
        let on_emergency = self.emergency_taken && self.balance < Millipence::ZERO;
        let waits =
            (self.debts.wait_in_emergency && on_emergency) || (self.debts.wait_when_disabled && disabled);
        if self.mode == PaymentMode::Credit || waits {
            return Vec::new();
        }
        let [first, second] = self.debts.collect_by_time(minute);
        let taken = [(Debt::Time1, first), (Debt::Time2, second)];
        let taken: Vec<_> = taken.into_iter().filter(|(_, amount)| *amount > Millipence::ZERO).collect();
        taken.iter().for_each(|(_, amount)| self.debit(Cause::Debt, *amount));
        taken
    }

    /// A new week begins for the cap of the debt by payment.
    pub(super) fn begin_week(&mut self) {
        self.debts.begin_week();
    }

    /// Takes a token's credit in; what of it went to the debt collected from payments.
    ///
    /// # Errors
    /// The refusal, and nothing has changed.
    pub fn top_up(&mut self, amount: Millipence) -> Result<Millipence, CreditRefusal> {
        if amount <= Millipence::ZERO {
            return Err(CreditRefusal::AccountLow);
        }
        if amount > self.thresholds.token_limit {
            return Err(CreditRefusal::TokenTooLarge);
        }
        let to_debt = self.debts.payment.part_of(amount);
        if self.balance + amount - to_debt > self.thresholds.balance_limit {
            return Err(CreditRefusal::AccountHigh);
        }
        let to_debt = self.debts.collect_from(amount);
        self.move_by(Cause::Token, amount);
        self.debit(Cause::Debt, to_debt);
        Ok(to_debt)
    }

    /// A correction by the supplier, either way.
    pub fn adjust(&mut self, amount: Millipence) {
        self.move_by(Cause::Adjustment, amount);
    }

    /// Takes emergency credit when it is on offer; whether it did.
    pub fn take_emergency(&mut self) -> bool {
        let offered = self.emergency_offered();
        self.emergency_taken |= offered;
        offered
    }

    /// Whether emergency credit is on offer now.
    pub fn emergency_offered(&self) -> bool {
        self.mode == PaymentMode::Prepayment
            && !self.emergency_taken
            && self.balance < self.thresholds.emergency_offer
    }

    /// Whether emergency credit has been taken and not paid back.
    pub const fn emergency_taken(&self) -> bool {
        self.emergency_taken
    }

    /// Emergency credit not used yet, whether taken or not.
    pub fn emergency_left(&self) -> Millipence {
        let limit = self.thresholds.emergency_limit;
        let used = (-self.balance).clamp(Millipence::ZERO, limit.max(Millipence::ZERO));
        if self.emergency_taken { limit - used } else { limit }
    }

    /// Balance with the emergency credit that may be used.
    pub fn available(&self) -> Millipence {
        if self.emergency_taken { self.balance + self.thresholds.emergency_limit } else { self.balance }
    }

    /// Where the credit stands; always normal for one who pays afterwards.
    pub fn level(&self) -> Level {
        match self.available() {
            _ if self.mode == PaymentMode::Credit => Level::Normal,
            left if left <= self.thresholds.disablement => Level::Exhausted,
            left if left < self.thresholds.low_credit => Level::Low,
            _ => Level::Normal,
        }
    }

    /// The one place the balance changes, and the ledger with it. Emergency credit paid back can be taken anew.
    fn move_by(&mut self, cause: Cause, amount: Millipence) {
        self.balance = self.balance + amount;
        let ledger = &mut self.ledger;
        let line = match cause {
            Cause::Consumption => &mut ledger.consumption,
            Cause::StandingCharge => &mut ledger.standing,
            Cause::Token => &mut ledger.tokens,
            Cause::Adjustment => &mut ledger.adjustments,
            Cause::Debt => &mut ledger.debts,
        };
        *line = *line + amount;
        self.emergency_taken &= self.balance < self.thresholds.emergency_offer;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::debt::{Every, PaymentDebt, TimeDebt};
    use super::*;

    fn prepaid(pence: u32) -> Account {
        Account::open(PaymentMode::Prepayment, Millipence::pence(pence), Thresholds::default())
    }

    #[test]
    fn credit_runs_low_then_out_and_emergency_credit_carries_on() {
        let mut account = prepaid(300);
        assert_eq!(account.level(), Level::Normal);
        account.debit(Cause::Consumption, Millipence::pence(150));
        assert_eq!((account.level(), account.emergency_offered()), (Level::Low, false));
        account.debit(Cause::Consumption, Millipence::pence(150));
        assert_eq!((account.level(), account.emergency_offered()), (Level::Exhausted, true));
        assert!(account.take_emergency() && !account.take_emergency());
        account.debit(Cause::Consumption, Millipence::pence(400));
        assert_eq!(account.emergency_left(), Millipence::pence(600));
        account.top_up(Millipence::pence(1000)).unwrap();
        assert_eq!((account.balance(), account.emergency_taken()), (Millipence::pence(600), false));
    }

    #[test]
    fn a_token_that_is_too_much_or_nothing_is_refused_whole() {
        let mut account = prepaid(20_000);
        assert_eq!(account.top_up(Millipence::pence(6000)), Err(CreditRefusal::AccountHigh));
        assert_eq!(account.top_up(Millipence::pence(20_001)), Err(CreditRefusal::TokenTooLarge));
        assert_eq!(account.top_up(Millipence::ZERO), Err(CreditRefusal::AccountLow));
        assert_eq!(account.balance(), Millipence::pence(20_000));
    }

    #[test]
    fn who_pays_afterwards_is_never_cut_off() {
        let mut account = Account::open(PaymentMode::Credit, Millipence::ZERO, Thresholds::default());
        account.debit(Cause::Consumption, Millipence::pence(9000));
        assert_eq!(account.level(), Level::Normal);
    }

    proptest! {
        #[test]
        fn every_change_has_a_cause(
            moves in proptest::collection::vec((0u8..6, 0u32..30_000), 0..60), share in 0u16..10_000,
        ) {
            let mut account = prepaid(500);
            let owed = Millipence::pence(900);
            let time = [TimeDebt { owed, rate: Millipence::pence(70), every: Every::Hour }; 2];
            let debts = Debts { time, payment: PaymentDebt::new(owed, share, None), wait_in_emergency: true, ..Debts::default() };
            account.set_debts(debts);
            let mut hour = 0;
            for (kind, pence) in moves {
                let amount = Millipence::pence(pence);
                match kind {
                    0 => account.debit(Cause::Consumption, amount),
                    1 => account.debit(Cause::StandingCharge, amount),
                    2 => { let _ = account.top_up(amount); }
                    3 => account.adjust(-amount),
                    4 => {
                        hour += 1;
                        account.collect_debts(MeterTime::from_millis(hour * 3_600_000), false);
                    }
                    _ => { account.take_emergency(); }
                }
                prop_assert_eq!(account.balance(), account.opening() + account.ledger().total());
                prop_assert_eq!(account.debts().owed() - account.ledger().debts, owed + owed + owed);
                prop_assert!(account.emergency_left() >= Millipence::ZERO);
            }
        }
    }
}
