//! Values a step sees, binds and compares.

mod decimal;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

pub use decimal::{Decimal, DecimalError};
use jiff::Timestamp;

/// A value a step saw, or a script expects.
///
/// Messages carry text, devices carry typed data, scripts write either: so two values compare by what they both can be
/// read as. Where one is a number, the other is read as a number; then as a time; then as true or false; else both are
/// text. `"007"` equals `7` when one of them is a number, and not when both are text, as firmware versions and tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// An exact number, whole or decimal.
    Number(Decimal),
    /// True or false.
    Boolean(bool),
    /// A moment.
    Time(Timestamp),
    /// Several values, such as the elements of an array; see [`Values::set`](crate::Values::set).
    List(Vec<Value>),
}

impl Value {
    /// The value as a number, if it can be read as one.
    pub fn as_number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The value as a moment, if it can be read as one.
    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The value as true or false, if it can be read so; XML writes them `true`, `false`, `1` and `0`.
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(flag) => Some(*flag),
            Self::Text(text) if matches!(text.as_str(), "true" | "1") => Some(true),
            Self::Text(text) if matches!(text.as_str(), "false" | "0") => Some(false),
            _ => None,
        }
    }

    /// The value as a message would carry it.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_string()),
        }
    }

    /// How the two compare, or `None` when they cannot be read alike.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        use Value::{Boolean, List, Number, Text, Time};
        match (self, other) {
            (List(_), _) | (_, List(_)) => None,
            (Text(left), Text(right)) => Some(left.as_str().cmp(right)),
            (Number(_), _) | (_, Number(_)) => Some(self.as_number()?.cmp(&other.as_number()?)),
            (Time(_), _) | (_, Time(_)) => Some(self.as_time()?.cmp(&other.as_time()?)),
            (Boolean(_), _) | (_, Boolean(_)) => Some(self.as_boolean()?.cmp(&other.as_boolean()?)),
        }
    }

    /// Whether the two are the same, read alike.
    pub fn is(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }
}

/// As a message carries it: times as RFC 3339 in UTC, to the second when they have no part of one.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(flag) => flag.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{value}")?;
                }
                f.write_str("]")
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Decimal::from(number))
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Value {
        Value::Number(text.parse().expect("a number"))
    }

    #[test]
    fn values_compare_by_what_both_can_be_read_as() {
        let time: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
        for (left, right) in [
            (number("12.50"), Value::from("12.5")),
            (Value::from("007"), number("7")),
            (Value::from("true"), Value::from(true)),
            (Value::from("0"), Value::from(false)),
            (Value::from("2026-11-21T13:00:00+01:00"), Value::from(time)),
        ] {
            assert!(left.is(&right) && right.is(&left), "{left} {right}");
        }
        for (left, right) in [
            (Value::from("007"), Value::from("7")),
            (Value::from("12 Wh"), number("12")),
            (Value::from(true), number("1")),
            (Value::from(time), Value::from("yesterday")),
            (Value::List(vec![]), Value::List(vec![])),
        ] {
            assert!(!left.is(&right), "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn a_number_equals_its_own_text(mantissa in any::<i64>(), exponent in -9i8..9) {
            let value = Value::Number(Decimal::new(i128::from(mantissa), exponent));
            prop_assert!(value.is(&Value::from(value.to_string())));
        }

        #[test]
        fn comparing_is_symmetric(left in value(), right in value()) {
            prop_assert_eq!(left.compare(&right), right.compare(&left).map(Ordering::reverse));
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[0-9.]{1,5}|true|false|2026-01-0[1-9]T00:00:00Z".prop_map(Value::Text),
            (-1000i64..1000).prop_map(Value::from),
            any::<bool>().prop_map(Value::Boolean),
            (0i64..2_000_000_000)
                .prop_map(|second| Value::Time(Timestamp::from_second(second).expect("in range"))),
        ]
    }
}
