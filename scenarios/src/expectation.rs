//! What a script expects of the values a step saw, and whether it is so.
//!
//! [`evaluate`] is pure. Everything it needs is parsed beforehand; where an expectation holds it formats nothing.

use std::cmp::Ordering;
use std::fmt;

use jiff::SignedDuration;
use regex::Regex;

use crate::{Bindings, Decimal, Operand, Unbound, Value, ValuePath, Values};

/// One expectation of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Where the value stands. With `[*]`, one value that meets the check is enough.
    pub path: ValuePath,
    /// The unit the value must have: that of an observed register, as `Wh`.
    pub unit: Option<Box<str>>,
    /// What the value found is multiplied with before it is checked, such as 0.001 from Wh to kWh.
    pub times: Option<Decimal>,
    /// What is asked of it.
    pub check: Check,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// `is`: equals, give or take.
    Is {
        /// The value.
        expected: Operand,
        /// `plus`: what is added to it first.
        plus: Option<Amount>,
        /// `tolerance`: how far from it the value found may be, either way.
        tolerance: Option<Amount>,
    },
    /// `is-not`: there is a value, and it differs.
    IsNot(Operand),
    /// `at-least`, `at-most`, `within`: not below the first, not above the second.
    Range {
        /// The lowest value allowed.
        low: Option<Operand>,
        /// The highest value allowed.
        high: Option<Operand>,
    },
    /// `matches`: the whole text matches a regular expression.
    Matches(Pattern),
    /// `present`: there is a value, or there is none.
    Present(bool),
    /// `count`: how many elements there are.
    Count {
        /// The fewest allowed.
        low: usize,
        /// The most allowed.
        high: usize,
    },
}

/// An amount a number or a time differs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Of a number.
    Number(Decimal),
    /// Of a time.
    Time(SignedDuration),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Time(duration) => write!(f, "{duration:#}"),
        }
    }
}

/// A regular expression that the whole of a text must match, compiled when the script is read.
#[derive(Debug, Clone)]
pub struct Pattern {
    written: Box<str>,
    compiled: Regex,
}

/// A pattern that is no regular expression, or too large a one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(written: &str) -> Result<Self, PatternError> {
        let whole = format!("^(?:{written})$");
        let compiled = regex::RegexBuilder::new(&whole).size_limit(1 << 18).build();
        let compiled = compiled.map_err(|error| PatternError::of(&error))?;
        Ok(Self { written: written.into(), compiled })
    }
}

impl PatternError {
    /// The last line says what is wrong; those before it draw it under the text as wrapped here.
    fn of(error: &regex::Error) -> Self {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        Self(last.strip_prefix("error: ").unwrap_or(last).to_owned())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

/// A value that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {path}: found {found}, expected {expected}")]
pub struct Mismatch {
    /// Where.
    pub path: String,
    /// What was expected, in words.
    pub expected: String,
    /// What was found, in words.
    pub found: String,
}

/// Judges one expectation by the values a step saw.
///
/// # Errors
/// [`Mismatch`], in words, when it does not hold; also when a name it uses stands for nothing.
pub fn evaluate(expectation: &Expectation, values: &Values, bindings: &Bindings) -> Result<(), Mismatch> {
    let Expectation { path, check, .. } = expectation;
    let holds = match check {
        Check::Present(wanted) => values.present(path) == *wanted,
        Check::Count { low, high } => (*low..=*high).contains(&values.count(path)),
        _ if path.is_wildcard() => return any(expectation, values, bindings),
        _ => match values.get(path) {
            Some(value) => return one(expectation, value, values, bindings),
            None => false,
        },
    };
    if holds { Ok(()) } else { Err(expectation.mismatch(values, bindings)) }
}

/// Whether some value at a wildcard path meets the check.
fn any(expectation: &Expectation, values: &Values, bindings: &Bindings) -> Result<(), Mismatch> {
    for (_, value) in values.matching(&expectation.path) {
        match expectation.check.holds(value, expectation.times, bindings) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(unbound) => return Err(expectation.unbound(&unbound)),
        }
    }
    Err(expectation.mismatch(values, bindings))
}

fn one(
    expectation: &Expectation,
    value: &Value,
    values: &Values,
    bindings: &Bindings,
) -> Result<(), Mismatch> {
    let unit = expectation.unit.as_deref();
    let unit_fits = unit.is_none_or(|unit| expectation.unit_found(values) == Some(unit));
    match expectation.check.holds(value, expectation.times, bindings) {
        Ok(true) if unit_fits => Ok(()),
        Ok(_) => Err(expectation.mismatch(values, bindings)),
        Err(unbound) => Err(expectation.unbound(&unbound)),
    }
}

impl Check {
    fn holds(&self, found: &Value, times: Option<Decimal>, bindings: &Bindings) -> Result<bool, Unbound> {
        let scaled;
        let found = match times {
            None => found,
            Some(factor) => match found.as_number().and_then(|number| number.checked_mul(factor)) {
                Some(number) => {
                    scaled = Value::Number(number);
                    &scaled
                }
                None => return Ok(false),
            },
        };
        match self {
            Self::Is { expected, plus, tolerance } => {
                let expected = expected.resolve(bindings)?;
                Ok(equals(found, &expected, *plus, *tolerance).unwrap_or(false))
            }
            Self::IsNot(other) => Ok(!found.is(other.resolve(bindings)?.as_ref())),
            Self::Range { low, high } => Ok(beyond(found, low.as_ref(), Ordering::Less, bindings)?
                && beyond(found, high.as_ref(), Ordering::Greater, bindings)?),
            Self::Matches(pattern) => Ok(pattern.compiled.is_match(&found.as_text())),
            // These two look at the path, not at a value; a value found means present, and one of it.
            Self::Present(wanted) => Ok(*wanted),
            Self::Count { low, high } => Ok((*low..=*high).contains(&1)),
        }
    }
}

/// Whether the value is comparable to the bound and does not lie on its wrong side.
fn beyond(
    found: &Value,
    bound: Option<&Operand>,
    wrong: Ordering,
    bindings: &Bindings,
) -> Result<bool, Unbound> {
    let Some(bound) = bound else { return Ok(true) };
    let compared = found.compare(bound.resolve(bindings)?.as_ref());
    Ok(compared.is_some_and(|ordering| ordering != wrong))
}

/// Whether the value found is the expected one plus an amount, within a tolerance; `None` when they cannot be compared so.
fn equals(found: &Value, expected: &Value, plus: Option<Amount>, tolerance: Option<Amount>) -> Option<bool> {
    if plus.is_none() && tolerance.is_none() {
        return Some(found.is(expected));
    }
    match plus.or(tolerance)? {
        Amount::Number(_) => {
            let expected = expected.as_number()?.checked_add(number(plus)?)?;
            let apart = found.as_number()?.checked_sub(expected)?.abs();
            Some(apart <= number(tolerance)?)
        }
        Amount::Time(_) => {
            let expected = expected.as_time()?.checked_add(duration(plus)?).ok()?;
            let apart = found.as_time()?.duration_since(expected).abs();
            Some(apart <= duration(tolerance)?)
        }
    }
}

fn number(amount: Option<Amount>) -> Option<Decimal> {
    match amount {
        None => Some(Decimal::ZERO),
        Some(Amount::Number(number)) => Some(number),
        Some(Amount::Time(_)) => None,
    }
}

fn duration(amount: Option<Amount>) -> Option<SignedDuration> {
    match amount {
        None => Some(SignedDuration::ZERO),
        Some(Amount::Time(duration)) => Some(duration),
        Some(Amount::Number(_)) => None,
    }
}

/// From here on: words, made only when an expectation does not hold.
impl Expectation {
    /// The unit beside the value: `unit` beside `value`, `response.X.Unit` beside `response.X.Value`.
    fn unit_found<'v>(&self, values: &'v Values) -> Option<&'v str> {
        let text = match values.at("unit")? {
            Value::Text(text) => text,
            _ => return None,
        };
        (self.path.as_str() == "value").then_some(text)
    }

    fn mismatch(&self, values: &Values, bindings: &Bindings) -> Mismatch {
        Mismatch {
            path: self.path.to_string(),
            expected: self.expected_in_words(bindings),
            found: self.found_in_words(values),
        }
    }

    fn unbound(&self, unbound: &Unbound) -> Mismatch {
        Mismatch {
            path: self.path.to_string(),
            expected: unbound.to_string(),
            found: "nothing to compare with".to_owned(),
        }
    }

    fn found_in_words(&self, values: &Values) -> String {
        if matches!(self.check, Check::Count { .. }) {
            return values.count(&self.path).to_string();
        }
        if self.path.is_wildcard() {
            let all: Vec<String> =
                values.matching(&self.path).map(|(_, value)| value.to_string()).take(20).collect();
            return if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
        }
        match (values.get(&self.path), self.unit.as_ref().and_then(|_| self.unit_found(values))) {
            (Some(value), Some(unit)) => format!("{value} {unit}"),
            (Some(value), None) => in_words(value),
            (None, _) if values.present(&self.path) => "elements without a value of their own".to_owned(),
            (None, _) => "nothing".to_owned(),
        }
    }

    fn expected_in_words(&self, bindings: &Bindings) -> String {
        let mut words = self.check.in_words(bindings);
        if let Some(unit) = &self.unit {
            words = format!("{words}, in {unit}");
        }
        if let Some(factor) = self.times {
            words = format!("{words}, once multiplied with {factor}");
        }
        if self.path.is_wildcard() && !matches!(self.check, Check::Count { .. } | Check::Present(_)) {
            words = format!("at least one that is: {words}");
        }
        words
    }
}

/// A value as it stands; an empty text would otherwise be invisible.
fn in_words(value: &Value) -> String {
    match value.to_string() {
        text if text.is_empty() => "an empty text".to_owned(),
        text => text,
    }
}

impl Check {
    fn in_words(&self, bindings: &Bindings) -> String {
        let say = |operand: &Operand| match operand.resolve(bindings) {
            Ok(value) => in_words(&value),
            Err(unbound) => unbound.to_string(),
        };
        match self {
            Self::Is { expected, plus, tolerance } => {
                let plus = plus.map(|amount| format!(" plus {amount}")).unwrap_or_default();
                let tolerance =
                    tolerance.map(|amount| format!(", give or take {amount}")).unwrap_or_default();
                format!("{}{plus}{tolerance}", say(expected))
            }
            Self::IsNot(other) => format!("anything but {}", say(other)),
            Self::Range { low: Some(low), high: Some(high) } => format!("{} to {}", say(low), say(high)),
            Self::Range { low: Some(low), high: None } => format!("at least {}", say(low)),
            Self::Range { low: None, high: Some(high) } => format!("at most {}", say(high)),
            Self::Range { low: None, high: None } => "any value".to_owned(),
            Self::Matches(pattern) => format!("text matching {}", pattern.written),
            Self::Present(true) => "a value".to_owned(),
            Self::Present(false) => "nothing".to_owned(),
            Self::Count { low, high } if low == high => format!("{low} of them"),
            Self::Count { low, high: usize::MAX } => format!("at least {low} of them"),
            Self::Count { low, high } => format!("{low} to {high} of them"),
        }
    }
}

#[cfg(test)]
mod tests;
