//! UTRN: the 20-digit token a customer types into a prepayment meter.
//!
//! The tokens of real SMETS1 meters are their manufacturers' secrets. This one is the lab's own, made so that a
//! simulated meter can do what a real one does: know the amount, refuse a token twice, refuse one it did not buy.
//!
//! ```text
//! digit   1 to 5    6 to 10    11 to 19                               20
//!         pence     sequence   HMAC-SHA256(key, digits 1 to 10)       Luhn check digit
//!                              first 8 octets modulo 10^9             over digits 1 to 19
//! ```
//!
//! ```
//! use proto_duis::utrn::{Utrn, VendingKey};
//! let key = VendingKey::new([7; 32]);
//! let token = Utrn::make(&key, 1, 1000)?;
//! let top_up = token.to_string().parse::<Utrn>()?.open(&key)?;
//! assert_eq!((top_up.sequence, top_up.pence), (1, 1000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// How many digits a token has.
pub const DIGITS: usize = 20;

/// The largest amount and the largest sequence number: each has five digits.
pub const FIELD_MAX: u32 = 99_999;

const MAC_MODULUS: u64 = 1_000_000_000;

/// The secret a meter shares with whoever vends its top-ups. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct VendingKey([u8; 32]);

impl VendingKey {
    /// The key with these octets.
    pub const fn new(octets: [u8; 32]) -> VendingKey {
        VendingKey(octets)
    }
}

impl fmt::Debug for VendingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VendingKey(..)")
    }
}

/// A well-formed token: twenty digits, the last of them the right check digit. It may still be for another meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utrn([u8; DIGITS]);

/// What a token says once its code has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUp {
    /// The number of the purchase, increasing for one meter; a meter refuses one it has seen.
    pub sequence: u32,
    /// The amount in pence.
    pub pence: u32,
}

/// Text that is not a token at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UtrnFormatError {
    /// Not twenty characters.
    #[error("a UTRN has 20 digits; found {found} characters")]
    Length {
        /// How many there were.
        found: usize,
    },
    /// Something other than a digit.
    #[error("a UTRN has digits only; found {found:?} at position {position}")]
    NotADigit {
        /// Counted from 1.
        position: usize,
        /// What stood there.
        found: char,
    },
    /// A digit was mistyped.
    #[error(
        "the check digit of the UTRN is {found}; its other digits call for {expected}: a digit was mistyped"
    )]
    CheckDigit {
        /// The last digit.
        found: u8,
        /// What the last digit should be.
        expected: u8,
    },
}

/// An amount or sequence number a token cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {found} does not fit a UTRN; the largest is {FIELD_MAX}")]
pub struct UtrnRangeError {
    field: &'static str,
    found: u32,
}

/// A well-formed token that this meter did not vend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the code of the UTRN does not hold under this meter's vending key: it is for another meter, or forged"
)]
pub struct UtrnRefusal;

impl Utrn {
    /// The token for a purchase.
    ///
    /// # Errors
    /// `sequence` or `pence` is larger than [`FIELD_MAX`].
    pub fn make(key: &VendingKey, sequence: u32, pence: u32) -> Result<Utrn, UtrnRangeError> {
        for (field, found) in [("sequence", sequence), ("amount in pence", pence)] {
            if found > FIELD_MAX {
                return Err(UtrnRangeError { field, found });
            }
        }
        let mut digits = [0; DIGITS];
        write_number(&mut digits[..5], pence.into());
        write_number(&mut digits[5..10], sequence.into());
        let code = code(key, &digits[..10]);
        write_number(&mut digits[10..19], code);
        digits[19] = check_digit(&digits[..19]);
        Ok(Utrn(digits))
    }

    /// Reads twenty digits; blanks and hyphens are not taken out.
    ///
    /// # Errors
    /// The length, a character or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Utrn, UtrnFormatError> {
        let digits = digits(text)?;
        let expected = check_digit(&digits[..19]);
        let found = digits[19];
        if found == expected {
            Ok(Utrn(digits))
        } else {
            Err(UtrnFormatError::CheckDigit { found, expected })
        }
    }

    /// The amount and sequence, once the code has been checked under the meter's key.
    ///
    /// # Errors
    /// The code does not hold.
    pub fn open(&self, key: &VendingKey) -> Result<TopUp, UtrnRefusal> {
        if code(key, &self.0[..10]) != read_number(&self.0[10..19]) {
            return Err(UtrnRefusal);
        }
        let field = |digits| u32::try_from(read_number(digits)).map_err(|_| UtrnRefusal);
        Ok(TopUp { sequence: field(&self.0[5..10])?, pence: field(&self.0[..5])? })
    }
}

impl fmt::Display for Utrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl FromStr for Utrn {
    type Err = UtrnFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Utrn::parse(text)
    }
}

serde_as_text!(Utrn);

/// Exactly twenty digits.
fn digits(text: &str) -> Result<[u8; DIGITS], UtrnFormatError> {
    let found = text.chars().count();
    if found != DIGITS {
        return Err(UtrnFormatError::Length { found });
    }
    let mut digits = [0; DIGITS];
    for (index, (digit, found)) in digits.iter_mut().zip(text.chars()).enumerate() {
        let value = found.to_digit(10).and_then(|value| u8::try_from(value).ok());
        *digit = value.ok_or(UtrnFormatError::NotADigit { position: index + 1, found })?;
    }
    Ok(digits)
}

/// Right-aligned decimal digits with leading zeros; the caller has checked that the number fits.
fn write_number(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

fn read_number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

fn code(key: &VendingKey, digits: &[u8]) -> u64 {
    #[expect(clippy::expect_used, reason = "HMAC (RFC 2104) takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes any key");
    mac.update(digits);
    let tag = mac.finalize().into_bytes();
    tag.iter().take(8).fold(0, |number: u64, octet| (number << 8) | u64::from(*octet)) % MAC_MODULUS
}

/// The digit that makes the Luhn sum of all twenty a multiple of ten (ISO/IEC 7812-1, annex B).
fn check_digit(digits: &[u8]) -> u8 {
    let sum: u8 = digits.iter().rev().enumerate().map(|(index, digit)| luhn_weight(index, *digit)).sum();
    (10 - sum % 10) % 10
}

fn luhn_weight(index: usize, digit: u8) -> u8 {
    match (index.is_multiple_of(2), digit * 2) {
        (true, doubled) if doubled > 9 => doubled - 9,
        (true, doubled) => doubled,
        (false, _) => digit,
    }
}

/// Twenty digits, as far as DUIS looks at a token (DUIS element `UTRN`). Whether the check digit is right and the meter
/// takes it is for the meter to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigits([u8; DIGITS]);

impl From<Utrn> for TokenDigits {
    fn from(token: Utrn) -> Self {
        TokenDigits(token.0)
    }
}

impl fmt::Display for TokenDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl FromStr for TokenDigits {
    type Err = UtrnFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        digits(text).map(TokenDigits)
    }
}
