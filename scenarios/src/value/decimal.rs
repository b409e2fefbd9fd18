//! Exact decimal numbers: registers, money and tolerances are never rounded.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A mantissa times ten to the power of an exponent. Equal numbers are equal whatever their exponents.
///
/// ```
/// use scenarios::Decimal;
///
/// let reading: Decimal = "12.50".parse()?;
/// assert_eq!(reading, Decimal::new(125, -1));
/// assert_eq!(reading.to_string(), "12.5");
/// # Ok::<(), scenarios::DecimalError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    exponent: i8,
}

/// A text that is no number, or one with more than 38 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a number such as 12, -3 or 0.25, of at most 38 digits")]
pub struct DecimalError;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self::new(0, 0);

    /// The number `mantissa` times ten to the power of `exponent`.
    pub const fn new(mantissa: i128, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// The nearest number of at most 17 digits to a floating point one; `None` for infinities and what is not a number.
    pub fn from_f64(number: f64) -> Option<Self> {
        number.is_finite().then(|| format!("{number:e}").parse().ok())?
    }

    /// The sum, or `None` when it has more digits than fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (left, right, exponent) = aligned(self, other)?;
        Some(Self::new(left.checked_add(right)?, exponent))
    }

    /// The difference, or `None` when it has more digits than fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self::new(other.mantissa.checked_neg()?, other.exponent))
    }

    /// The product, or `None` when it has more digits than fit.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self::new(mantissa, self.exponent.checked_add(other.exponent)?))
    }

    /// The number without its sign.
    pub fn abs(self) -> Self {
        Self::new(self.mantissa.saturating_abs(), self.exponent)
    }

    /// The whole number it is, if it is one.
    pub fn to_integer(self) -> Option<i128> {
        let Self { mantissa, exponent } = self.shortest();
        if exponent < 0 {
            return None;
        }
        mantissa.checked_mul(power_of_ten(exponent.unsigned_abs())?)
    }

    /// The same number with the fewest digits.
    fn shortest(self) -> Self {
        let Self { mut mantissa, mut exponent } = self;
        if mantissa == 0 {
            return Self::ZERO;
        }
        while mantissa % 10 == 0 && exponent < i8::MAX {
            mantissa /= 10;
            exponent += 1;
        }
        Self { mantissa, exponent }
    }
}

/// Both mantissas at the smaller exponent, or `None` when one has too many digits there.
fn aligned(left: Decimal, right: Decimal) -> Option<(i128, i128, i8)> {
    let exponent = left.exponent.min(right.exponent);
    let scale = |number: Decimal| {
        let power = number.exponent.abs_diff(exponent);
        match (power, number.mantissa) {
            (0, mantissa) => Some(mantissa),
            (_, 0) => Some(0),
            (power, mantissa) => mantissa.checked_mul(power_of_ten(power)?),
        }
    };
    Some((scale(left)?, scale(right)?, exponent))
}

fn power_of_ten(power: u8) -> Option<i128> {
    10i128.checked_pow(u32::from(power))
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if let Some((left, right, _)) = aligned(*self, *other) {
            return left.cmp(&right);
        }
        // One of them does not fit at the other's exponent, so it is far larger in magnitude: signs and lengths decide.
        let (left, right) = (self.shortest(), other.shortest());
        let by_sign = left.mantissa.signum().cmp(&right.mantissa.signum());
        let by_length = left.exponent.cmp(&right.exponent);
        by_sign.then(if left.mantissa < 0 { by_length.reverse() } else { by_length })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self::new(i128::from(number), 0)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (number, power) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, power.parse::<i8>().map_err(|_| DecimalError)?),
            None => (text, 0),
        };
        let (negative, digits) = match number.as_bytes().first() {
            Some(b'-') => (true, &number[1..]),
            Some(b'+') => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut mantissa = 0i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            mantissa = push_digit(mantissa, digit).ok_or(DecimalError)?;
        }
        if whole.is_empty() || (fraction.is_empty() && digits.contains('.')) {
            return Err(DecimalError);
        }
        let fraction = i8::try_from(fraction.len()).map_err(|_| DecimalError)?;
        let exponent = power.checked_sub(fraction).ok_or(DecimalError)?;
        Ok(Self::new(if negative { -mantissa } else { mantissa }, exponent))
    }
}

fn push_digit(mantissa: i128, digit: u8) -> Option<i128> {
    let value = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
    mantissa.checked_mul(10)?.checked_add(value)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mantissa, exponent } = self.shortest();
        let digits = mantissa.unsigned_abs().to_string();
        let sign = if mantissa < 0 { "-" } else { "" };
        if exponent >= 0 {
            let zeros = usize::from(exponent.unsigned_abs());
            return write!(f, "{sign}{digits}{:0<zeros$}", "");
        }
        let places = usize::from(exponent.unsigned_abs());
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a number")
    }

    #[test]
    fn numbers_are_read_and_printed_plainly() {
        for (written, printed) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("00012.500", "12.5"),
            ("-0.025", "-0.025"),
            ("1e3", "1000"),
            ("+12.5e-1", "1.25"),
        ] {
            assert_eq!(decimal(written).to_string(), printed, "{written}");
        }
        for bad in ["", "-", ".", "1.", ".5", "1e", "1e999", "0x10", "1 000", "--1", "é"] {
            assert_eq!(bad.parse::<Decimal>(), Err(DecimalError), "{bad}");
        }
    }

    #[test]
    fn numbers_far_apart_still_compare() {
        let large = Decimal::new(i128::MAX, 100);
        let small = Decimal::new(1, -100);
        assert!(large > small);
        assert!(small < large);
        assert!(Decimal::new(-i128::MAX, 100) < small);
        assert!(Decimal::new(-1, 100) < Decimal::new(-1, -100));
        assert_eq!(large.checked_add(small), None);
    }

    #[test]
    fn floats_become_the_digits_they_print() {
        assert_eq!(Decimal::from_f64(0.1), Some(decimal("0.1")));
        assert_eq!(Decimal::from_f64(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(mantissa in any::<i64>(), exponent in -20i8..12) {
            let number = Decimal::new(i128::from(mantissa), exponent);
            prop_assert_eq!(number.to_string().parse(), Ok(number));
        }

        #[test]
        fn sums_and_products_are_exact(left in any::<i32>(), right in any::<i32>()) {
            let (l, r) = (i64::from(left), i64::from(right));
            prop_assert_eq!(Decimal::from(l).checked_add(Decimal::from(r)), Some(Decimal::from(l + r)));
            prop_assert_eq!(Decimal::from(l).checked_sub(Decimal::from(r)), Some(Decimal::from(l - r)));
            prop_assert_eq!(Decimal::from(l).checked_mul(Decimal::from(r)), Some(Decimal::from(l * r)));
        }

        #[test]
        fn order_is_that_of_whole_numbers(left in any::<i64>(), right in any::<i64>(), exponent in -9i8..9) {
            let (l, r) = (Decimal::new(i128::from(left), exponent), Decimal::new(i128::from(right), exponent));
            prop_assert_eq!(l.cmp(&r), left.cmp(&right));
        }

        #[test]
        fn no_text_panics(text in "[0-9eE.+-]{0,60}|\\PC{0,20}") {
            let _ = text.parse::<Decimal>();
        }
    }
}
