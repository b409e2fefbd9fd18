//! Where a top-up token is entered, by the customer's keys or by the head end.

use std::collections::BTreeSet;

use proto_duis::utrn::{TopUp, Utrn, UtrnFormatError, VendingKey};

use super::account::{Account, CreditRefusal};
use super::journal::Event;
use super::money::Millipence;
use super::time::Moment;

/// Wrong tokens in a row that lock the entry.
pub const WRONG_IN_A_ROW: u8 = 5;
/// How long the entry stays locked.
pub const LOCK: i64 = 60 * 60 * 1000;
/// Sequence numbers remembered. Older ones are refused as duplicates, so none is ever credited twice.
const REMEMBERED: usize = 100;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// Not 20 digits.
    Incomplete,
    /// The check digit says a digit was mistyped.
    Incorrect,
    /// Not vended for this meter, or forged.
    Invalid,
    /// Used before.
    Duplicate,
    /// Worth more than one token may be.
    TokenTooLarge,
    /// Would take the balance above its limit.
    AccountHigh,
    /// Worth nothing.
    AccountLow,
    /// Entry is locked after too many wrong tokens.
    Locked,
    /// The meter has no vending key.
    NotFitted,
}

impl TokenRefusal {
    /// What the meter shows and logs.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete: not 20 digits",
            Self::Incorrect => "incorrect: check digit",
            Self::Invalid => "invalid: not for this meter",
            Self::Duplicate => "duplicate",
            Self::TokenTooLarge => "above the largest top-up",
            Self::AccountHigh => "account high",
            Self::AccountLow => "account low",
            Self::Locked => "token entry locked",
            Self::NotFitted => "no vending key fitted",
        }
    }

    /// The event it is logged as.
    pub const fn event(self) -> Event {
        match self {
            Self::Incomplete | Self::Incorrect | Self::NotFitted => Event::TokenNotAuthentic,
            Self::Invalid => Event::TokenOfOther,
            Self::Duplicate => Event::DuplicateToken,
            Self::TokenTooLarge | Self::AccountLow => Event::TokenTooLarge,
            Self::AccountHigh => Event::BalanceTooHigh,
            Self::Locked => Event::TokenLockedOut,
        }
    }

    /// Attribute 6 of COSEM class 115: 4 format, 5 authentication, 6 validation, 7 execution failure.
    pub const fn status(self) -> u8 {
        match self {
            Self::Incomplete | Self::Incorrect => 4,
            Self::Invalid | Self::NotFitted => 5,
            Self::Duplicate => 6,
            Self::TokenTooLarge | Self::AccountHigh | Self::AccountLow | Self::Locked => 7,
        }
    }

    const fn counts_towards_the_lock(self) -> bool {
        matches!(self, Self::Incomplete | Self::Incorrect | Self::Invalid)
    }
}

/// What a token came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credited {
    /// The token's sequence number.
    pub sequence: u32,
    /// What it was worth.
    pub pence: u32,
    /// What of that went to the debt collected from payments.
    pub to_debt: Millipence,
}

/// The token entry. Five wrong tokens in a row lock it for an hour, for whoever enters and by whatever way; after
/// that counting begins anew. A good token starts the count over; a duplicate or one the account does not allow is
/// authentic and does not count. The lock outlives an outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDesk {
    key: Option<VendingKey>,
    used: BTreeSet<u32>,
    /// Sequence numbers up to this one are forgotten and count as used.
    forgotten: Option<u32>,
    wrong: u8,
    locked_until: Option<Moment>,
    /// Whether it credits a token again that it has had, which no meter should.
    credits_used: bool,
}

impl TokenDesk {
    /// The desk of a meter with this vending key; without one every token is refused.
    pub fn new(key: Option<VendingKey>) -> Self {
        Self {
            key,
            used: BTreeSet::new(),
            forgotten: None,
            wrong: 0,
            locked_until: None,
            credits_used: false,
        }
    }

    /// Whether entry is locked.
    pub fn is_locked(&self, now: Moment) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Takes a lock off, and forgets wrong tokens.
    pub fn unlock(&mut self) {
        (self.wrong, self.locked_until) = (0, None);
    }

    /// Another vending key; the one before.
    pub fn replace_key(&mut self, key: Option<VendingKey>) -> Option<VendingKey> {
        std::mem::replace(&mut self.key, key)
    }

    /// From now on it credits a token again that it has had, or no longer.
    pub fn credit_used(&mut self, on: bool) {
        self.credits_used = on;
    }

    /// Enters a token and credits the account.
    ///
    /// # Errors
    /// The refusal; the account is as it was.
    pub fn enter(
        &mut self,
        digits: &[u8],
        now: Moment,
        account: &mut Account,
    ) -> Result<Credited, TokenRefusal> {
        if self.is_locked(now) {
            return Err(TokenRefusal::Locked);
        }
        let outcome = self.check(digits).and_then(|top_up| self.credit(top_up, account));
        match outcome {
            Ok(_) => self.wrong = 0,
            Err(refusal) if refusal.counts_towards_the_lock() => self.count_wrong(now),
            Err(_) => {}
        }
        outcome
    }

    fn check(&self, digits: &[u8]) -> Result<TopUp, TokenRefusal> {
        let text = std::str::from_utf8(digits).map_err(|_| TokenRefusal::Incomplete)?;
        let token = Utrn::parse(text).map_err(|error| match error {
            UtrnFormatError::CheckDigit { .. } => TokenRefusal::Incorrect,
            UtrnFormatError::Length { .. } | UtrnFormatError::NotADigit { .. } => TokenRefusal::Incomplete,
        })?;
        let key = self.key.as_ref().ok_or(TokenRefusal::NotFitted)?;
        let top_up = token.open(key).map_err(|_| TokenRefusal::Invalid)?;
        if self.was_used(top_up.sequence) && !self.credits_used {
            Err(TokenRefusal::Duplicate)
        } else {
            Ok(top_up)
        }
    }

    fn credit(&mut self, top_up: TopUp, account: &mut Account) -> Result<Credited, TokenRefusal> {
        let to_debt = account.top_up(Millipence::pence(top_up.pence)).map_err(|refusal| match refusal {
            CreditRefusal::TokenTooLarge => TokenRefusal::TokenTooLarge,
            CreditRefusal::AccountHigh => TokenRefusal::AccountHigh,
            CreditRefusal::AccountLow => TokenRefusal::AccountLow,
        })?;
        self.remember(top_up.sequence);
        Ok(Credited { sequence: top_up.sequence, pence: top_up.pence, to_debt })
    }

    fn was_used(&self, sequence: u32) -> bool {
        self.used.contains(&sequence) || self.forgotten.is_some_and(|newest| sequence <= newest)
    }

    fn remember(&mut self, sequence: u32) {
        self.used.insert(sequence);
        if self.used.len() > REMEMBERED {
            self.forgotten = self.used.pop_first();
        }
    }

    fn count_wrong(&mut self, now: Moment) {
        self.wrong += 1;
        if self.wrong >= WRONG_IN_A_ROW {
            (self.wrong, self.locked_until) = (0, Some(now.plus(LOCK)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::account::{PaymentMode, Thresholds};
    use super::*;

    fn key() -> VendingKey {
        VendingKey::new([7; 32])
    }

    fn desk() -> (TokenDesk, Account) {
        let thresholds = Thresholds { balance_limit: Millipence::pence(u32::MAX), ..Thresholds::default() };
        (TokenDesk::new(Some(key())), Account::open(PaymentMode::Prepayment, Millipence::ZERO, thresholds))
    }

    fn token(sequence: u32, pence: u32) -> String {
        Utrn::make(&key(), sequence, pence).unwrap().to_string()
    }

    #[test]
    fn each_kind_of_wrong_token_has_its_refusal() {
        let (mut desk, mut account) = desk();
        let now = Moment::from_millis(0);
        let mut enter =
            |digits: &str| desk.enter(digits.as_bytes(), now, &mut account).map(|top_up| top_up.pence);
        let good = token(1, 1000);
        let mistyped = format!("{}{}", if good.starts_with('9') { '0' } else { '9' }, &good[1..]);
        let foreign = Utrn::make(&VendingKey::new([8; 32]), 1, 1000).unwrap().to_string();
        assert_eq!(enter(&good), Ok(1000));
        assert_eq!(enter(&good), Err(TokenRefusal::Duplicate));
        assert_eq!(enter(&mistyped), Err(TokenRefusal::Incorrect));
        assert_eq!(enter(&foreign), Err(TokenRefusal::Invalid));
        assert_eq!(enter("123"), Err(TokenRefusal::Incomplete));
        assert_eq!(enter(&token(2, 0)), Err(TokenRefusal::AccountLow));
        assert_eq!(enter(&token(2, 99_999)), Err(TokenRefusal::TokenTooLarge));
        assert_eq!(account.balance(), Millipence::pence(1000));
    }

    #[test]
    fn five_wrong_in_a_row_lock_the_entry_for_a_time() {
        let (mut desk, mut account) = desk();
        let now = Moment::from_millis(0);
        for _ in 0..WRONG_IN_A_ROW {
            assert_eq!(desk.enter(b"1", now, &mut account), Err(TokenRefusal::Incomplete));
        }
        let good = token(1, 500);
        assert_eq!(desk.enter(good.as_bytes(), now, &mut account), Err(TokenRefusal::Locked));
        assert_eq!(desk.enter(good.as_bytes(), now.plus(LOCK), &mut account).unwrap().pence, 500);
    }

    proptest! {
        #[test]
        fn no_token_is_credited_twice(sequences in proptest::collection::vec(1u32..400, 0..500)) {
            let (mut desk, mut account) = desk();
            let mut credited = BTreeSet::new();
            for sequence in sequences {
                if desk.enter(token(sequence, 100).as_bytes(), Moment::from_millis(0), &mut account).is_ok() {
                    prop_assert!(credited.insert(sequence));
                }
            }
            prop_assert_eq!(account.balance(), Millipence::pence(100 * u32::try_from(credited.len()).unwrap()));
        }

        #[test]
        fn no_octets_panic_or_credit(digits in proptest::collection::vec(any::<u8>(), 0..30)) {
            let (mut desk, mut account) = desk();
            prop_assert!(desk.enter(&digits, Moment::from_millis(0), &mut account).is_err());
            prop_assert_eq!(account.balance(), Millipence::ZERO);
        }
    }
}
