//! Meter points and who is registered for them: what a migration's data validation holds a declared installation against.
//!
//! A lab file need not say any of it. A meter without `meter-point` has a number made from its EUI-64, and a meter point
//! without a `[[registration]]` is supplied by the lab's own supplier of its fuel.

use std::fmt;
use std::str::FromStr;

use proto_duis::{DeviceKind, Eui64};

crate::vocabulary! {
    /// What a meter point supplies.
    pub enum Fuel {
        /// Electricity, at an MPAN.
        Electricity = "electricity",
        /// Gas, at an MPRN.
        Gas = "gas",
    }
}

impl Fuel {
    /// The fuel this kind of device meters, if it meters one. A gas proxy mirrors a meter and meters nothing.
    pub const fn metered_by(kind: DeviceKind) -> Option<Self> {
        match kind {
            DeviceKind::Esme => Some(Self::Electricity),
            DeviceKind::Gsme => Some(Self::Gas),
            _ => None,
        }
    }
}

/// The number of a meter point: the 13 digits of an MPAN core, the last of them its check digit (Balancing and Settlement
/// Code, BSCP501), or the 6 to 10 digits of an MPRN.
///
/// ```
/// use lab_config::{Fuel, MeterPointNumber};
///
/// let number: MeterPointNumber = "1200023305967".parse()?;
/// assert_eq!(number.fuel(), Fuel::Electricity);
/// assert!("1200023305968".parse::<MeterPointNumber>().is_err());
/// # Ok::<(), lab_config::MeterPointNumberError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterPointNumber {
    fuel: Fuel,
    digits: String,
}

/// A text that is no meter point's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MeterPointNumberError {
    /// Neither an MPAN nor an MPRN.
    #[error("write the 13 digits of an MPAN, or the 6 to 10 digits of an MPRN")]
    Form,
    /// An MPAN with a digit wrong.
    #[error(
        "its last digit is a check digit and would be {expected}: a digit is wrong, or two are exchanged"
    )]
    CheckDigit {
        /// What the digits before it make.
        expected: u32,
    },
}

/// The weights of an MPAN's digits: the primes from 3, without 11.
const WEIGHTS: [u32; 12] = [3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43];
/// Digits of an MPAN before its check digit.
const MPAN_BODY: usize = WEIGHTS.len();
/// The distributor identifier of numbers made by the lab; no distributor has it.
const OF_THE_LAB: &str = "90";

fn check_digit(body: &str) -> u32 {
    let digits = body.chars().filter_map(|digit| digit.to_digit(10));
    digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum::<u32>() % 11 % 10
}

impl MeterPointNumber {
    /// The number a meter has in a lab file that gives it none: the same whenever the file is read.
    pub fn of_the_lab(device: Eui64, fuel: Fuel) -> Self {
        let own = u64::from_be_bytes(device.octets()) % 10_000_000_000;
        let digits = match fuel {
            Fuel::Gas => format!("{own:010}"),
            Fuel::Electricity => {
                let body = format!("{OF_THE_LAB}{own:010}");
                format!("{body}{}", check_digit(&body))
            }
        };
        Self { fuel, digits }
    }

    /// What is supplied there.
    pub const fn fuel(&self) -> Fuel {
        self.fuel
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.digits
    }
}

impl FromStr for MeterPointNumber {
    type Err = MeterPointNumberError;

    fn from_str(text: &str) -> Result<Self, MeterPointNumberError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MeterPointNumberError::Form);
        }
        let fuel = match text.len() {
            6..=10 => Fuel::Gas,
            13 => {
                let (body, last) = text.split_at(MPAN_BODY);
                let expected = check_digit(body);
                if last != expected.to_string() {
                    return Err(MeterPointNumberError::CheckDigit { expected });
                }
                Fuel::Electricity
            }
            _ => return Err(MeterPointNumberError::Form),
        };
        Ok(Self { fuel, digits: text.to_owned() })
    }
}

impl fmt::Display for MeterPointNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.digits)
    }
}

crate::vocabulary! {
    /// Whether anybody supplies a meter point.
    pub enum RegistrationStatus {
        /// A supplier is registered and supplies it.
        Supplied = "supplied",
        /// It is disconnected or withdrawn: nobody supplies it.
        Disconnected = "disconnected",
    }
}

/// One meter point in the registration data that network parties provide to the DCC (SEC, section E).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The meter point, and with it the fuel.
    pub number: MeterPointNumber,
    /// Who is registered as its supplier.
    pub supplier: Eui64,
    /// Whether it is supplied.
    pub status: RegistrationStatus,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_an_mpan_with_its_check_digit_or_an_mprn() {
        let read = |text: &str| text.parse::<MeterPointNumber>();
        assert_eq!(read("1200023305967").map(|n| n.fuel()), Ok(Fuel::Electricity));
        assert_eq!(read("3456789012").map(|n| n.fuel()), Ok(Fuel::Gas));
        assert_eq!(read("1200023305968"), Err(MeterPointNumberError::CheckDigit { expected: 7 }));
        for bad in ["", "12345", "12345678901", "12000X3305967", "12000233059671", "１200023305967"] {
            assert_eq!(read(bad), Err(MeterPointNumberError::Form), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_the_lab_makes_reads_back_as_what_it_is(octets: [u8; 8], gas: bool) {
            let fuel = if gas { Fuel::Gas } else { Fuel::Electricity };
            let number = MeterPointNumber::of_the_lab(Eui64::new(octets), fuel);
            prop_assert_eq!(number.fuel(), fuel);
            prop_assert_eq!(number.to_string().parse::<MeterPointNumber>(), Ok(number));
        }

        /// The check digit is there to find a digit mistyped. With the remainder 10 written as 0, it misses some.
        #[test]
        fn most_mistyped_digits_are_found(octets: [u8; 8], at in 0usize..12, by in 1u32..10) {
            let good = MeterPointNumber::of_the_lab(Eui64::new(octets), Fuel::Electricity).to_string();
            let changed: String = good.chars().enumerate().map(|(n, digit)| match digit.to_digit(10) {
                Some(digit) if n == at => char::from_digit((digit + by) % 10, 10).unwrap_or('0'),
                _ => digit,
            }).collect();
            let (good_sum, changed_sum) = (check_digit(&good[..12]), check_digit(&changed[..12]));
            prop_assert_eq!(changed.parse::<MeterPointNumber>().is_ok(), good_sum == changed_sum);
        }
    }
}
