//! Text of the forms DUIS has: numbers in a range, decimals, words, strings, moments, certificates.

use super::part::Leaf;
use crate::examples::Draw;
use crate::xml::{parse_boolean, parse_date_time};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use std::fmt;

/// What an integer type of Rust holds is what the schema's type of the same size holds.
macro_rules! plain_integers {
    ($($type:ident),+) => {$(
        impl Leaf for $type {
            fn form() -> String {
                format!("a whole number from {} to {}", $type::MIN, $type::MAX)
            }

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("expected {}", <$type as Leaf>::form()))
            }

            fn text(&self) -> String {
                self.to_string()
            }

            fn sample(draw: &mut Draw<'_>) -> Self {
                $type::try_from(draw.between($type::MIN.into(), $type::MAX.into())).unwrap_or_default()
            }
        }
    )+};
}

plain_integers!(i8, i16, i32, u16, u32);

/// Whole numbers in a range of the schema.
macro_rules! whole {
    ($($(#[$meta:meta])* $name:ident($type:ident, $min:literal..=$max:literal);)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($type);

        impl $name {
            /// The least.
            pub const MIN: $type = $min;
            /// The most.
            pub const MAX: $type = $max;

            /// The number; none outside the range.
            pub const fn new(number: $type) -> Option<$name> {
                let (min, max) = ($name::MIN, $name::MAX);
                if number >= min && number <= max { Some($name(number)) } else { None }
            }

            /// The number.
            pub const fn get(self) -> $type {
                self.0
            }
        }

        impl $crate::body::part::Leaf for $name {
            fn form() -> String {
                format!("a whole number from {} to {}", $name::MIN, $name::MAX)
            }

            fn parse(text: &str) -> Result<Self, String> {
                let number = text.parse().ok().and_then($name::new);
                number.ok_or_else(|| format!("expected {}", <$name as $crate::body::part::Leaf>::form()))
            }

            fn text(&self) -> String {
                self.0.to_string()
            }

            fn sample(draw: &mut $crate::examples::Draw<'_>) -> Self {
                let number = draw.between($name::MIN.into(), $name::MAX.into());
                $name($type::try_from(number).unwrap_or($name::MIN))
            }
        }
    )+};
}

/// Decimal numbers with so many digits after the point, held as whole numbers of the last digit.
macro_rules! decimals {
    ($($(#[$meta:meta])* $name:ident($type:ident, $digits:literal);)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($type);

        impl $name {
            /// Digits after the point.
            pub const DIGITS: u8 = $digits;

            /// So many units of the last digit.
            pub const fn from_last_digits(number: $type) -> $name {
                $name(number)
            }

            /// How many units of the last digit.
            pub const fn last_digits(self) -> $type {
                self.0
            }
        }

        impl $crate::body::part::Leaf for $name {
            fn form() -> String {
                let most = $crate::body::leaf::decimal_text($type::MAX.into(), $digits);
                format!("a number from 0 to {most} with at most {} digits after the point", $digits)
            }

            fn parse(text: &str) -> Result<Self, String> {
                let number = $crate::body::leaf::parse_decimal(text, $digits);
                let number = number.and_then(|number| $type::try_from(number).ok());
                let expected = || format!("expected {}", <$name as $crate::body::part::Leaf>::form());
                number.map($name).ok_or_else(expected)
            }

            fn text(&self) -> String {
                $crate::body::leaf::decimal_text(self.0.into(), $digits)
            }

            fn sample(draw: &mut $crate::examples::Draw<'_>) -> Self {
                $name($type::try_from(draw.between(0, $type::MAX.into())).unwrap_or_default())
            }
        }
    )+};
}

/// Strings of limited length and characters.
macro_rules! texts {
    ($($(#[$meta:meta])* $name:ident($min:literal..=$max:literal, $characters:ident);)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <$name as $crate::body::part::Leaf>::parse(text)
            }
        }

        impl $crate::body::part::Leaf for $name {
            const EXACT: bool = true;

            fn form() -> String {
                format!("{} to {} {}", $min, $max, $crate::body::leaf::Characters::$characters)
            }

            fn parse(text: &str) -> Result<Self, String> {
                let fits = ($min..=$max).contains(&text.chars().count())
                    && text.chars().all(|c| $crate::body::leaf::Characters::$characters.has(c));
                let expected = || format!("expected {}", <$name as $crate::body::part::Leaf>::form());
                fits.then(|| $name(text.to_owned())).ok_or_else(expected)
            }

            fn text(&self) -> String {
                self.0.clone()
            }

            fn sample(draw: &mut $crate::examples::Draw<'_>) -> Self {
                let characters = $crate::body::leaf::Characters::$characters;
                $name((0..draw.count($min, $max)).map(|_| characters.sample(draw)).collect())
            }
        }
    )+};
}

/// Enumerations of the schema, as [`word_enum!`](crate) declares them.
macro_rules! words {
    ($($name:ident),+ $(,)?) => {$(
        impl $crate::body::part::Leaf for $name {
            fn form() -> String {
                $name::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" or ")
            }

            fn parse(text: &str) -> Result<Self, String> {
                let expected = |_| format!("expected {}", <$name as $crate::body::part::Leaf>::form());
                text.parse().map_err(expected)
            }

            fn text(&self) -> String {
                self.to_string()
            }

            fn sample(draw: &mut $crate::examples::Draw<'_>) -> Self {
                *draw.one_of($name::ALL)
            }
        }
    )+};
}

/// The characters a string may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Characters {
    /// Any that XML can carry (XML 1.0, 2.2).
    Any,
    /// Printable ASCII.
    Printable,
    /// Digits and spaces.
    Digits,
}

impl Characters {
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Characters::Any => {
                matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
            }
            Characters::Printable => matches!(c, ' '..='~'),
            Characters::Digits => c.is_ascii_digit() || c == ' ',
        }
    }

    pub(super) fn sample(self, draw: &mut Draw<'_>) -> char {
        let alphabet: &[char] = match self {
            Characters::Any => &['1', 'A', ' ', '&', '<', '\n', '\r', '£', '"', '𝄞'],
            Characters::Printable => &['a', 'Z', ' ', '&', '<', '>', '~', '!', '"', '\''],
            Characters::Digits => &['0', '1', '9', ' '],
        };
        *draw.one_of(alphabet)
    }
}

impl fmt::Display for Characters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Characters::Any => "characters",
            Characters::Printable => "printable ASCII characters",
            Characters::Digits => "digits or spaces",
        })
    }
}

/// Reads an unsigned `xs:decimal` as a whole number of its last digit; zeros after the last digit say nothing.
pub(super) fn parse_decimal(text: &str, digits: u32) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let width = usize::try_from(digits).ok().filter(|width| fraction.len() <= *width)?;
    if !all_digits || (whole.is_empty() && !text.contains(|c: char| c.is_ascii_digit())) {
        return None;
    }
    format!("0{whole}{fraction:0<width$}").parse().ok()
}

/// A whole number of last digits as the shortest decimal.
pub(super) fn decimal_text(number: u64, digits: u32) -> String {
    let power = 10u64.pow(digits);
    let width = usize::try_from(digits).unwrap_or_default();
    let text = format!("{}.{:0width$}", number / power, number % power);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Leaf for bool {
    fn form() -> String {
        "true or false".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        parse_boolean(text).map_err(str::to_owned)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        draw.flag()
    }
}

impl Leaf for Timestamp {
    fn form() -> String {
        super::parts::DATE_TIME.to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        parse_date_time(text).map_err(str::to_owned)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        const DAYS: i128 = 30_000;
        let seconds = i64::try_from(draw.between(0, DAYS * 86_400)).unwrap_or_default();
        Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// An element that says something by being there. A script writes `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Present;

impl super::part::Value for Present {
    fn list(at: &super::part::At, known: &mut Vec<super::KnownField>) {
        known.push(super::KnownField {
            name: at.name(),
            form: "true; left out otherwise".to_owned(),
            required: false,
        });
    }

    fn given(fields: &super::fields::FieldReader<'_>, at: &super::part::At) -> bool {
        fields.has(&at.name())
    }

    fn take(
        fields: &mut super::fields::FieldReader<'_>,
        at: &super::part::At,
    ) -> Result<Self, super::FieldError> {
        let name = at.name();
        match fields.text(&name) {
            Some("true") => Ok(Present),
            Some(other) => Err(fields.invalid(&name, other, "expected true, or that it is left out")),
            None => Err(fields.missing(&name, "true")),
        }
    }

    fn give(&self, at: &super::part::At, fields: &mut std::collections::BTreeMap<String, String>) {
        fields.insert(at.name(), "true".to_owned());
    }

    fn read(element: &crate::xml::Reading<'_>, attributes: &[&str]) -> Result<Self, crate::xml::SchemaError> {
        element.children(attributes)?.finish()?;
        Ok(Present)
    }

    fn write(&self, element: crate::xml::Element) -> crate::xml::Element {
        element
    }

    fn sample(_: &mut Draw<'_>) -> Self {
        Present
    }
}

/// An offset from UTC of a time or date without the other, as XML Schema part 2 (3.2.8, 3.2.9) allows; kept as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offset(i16);

impl Offset {
    /// Fourteen hours, the most an offset may be.
    const MOST: i16 = 14 * 60;

    /// Splits an offset off the end.
    fn split(text: &str) -> Option<(&str, Option<Offset>)> {
        if let Some(text) = text.strip_suffix('Z') {
            return Some((text, Some(Offset(0))));
        }
        let cut = text.len().checked_sub(6).filter(|cut| text.is_char_boundary(*cut));
        let Some((before, [sign @ (b'+' | b'-'), h, i, b':', m, n])) =
            cut.map(|cut| (&text[..cut], &text.as_bytes()[cut..]))
        else {
            return Some((text, None));
        };
        let two = |a: &u8, b: &u8| {
            let digits = a.is_ascii_digit() && b.is_ascii_digit();
            digits.then(|| i16::from(a - b'0') * 10 + i16::from(b - b'0'))
        };
        let (hours, minutes) = (two(h, i)?, two(m, n).filter(|minutes| *minutes < 60)?);
        let offset = hours * 60 + minutes;
        let offset = if *sign == b'-' { -offset } else { offset };
        (offset.abs() <= Offset::MOST).then_some((before, Some(Offset(offset))))
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("Z");
        }
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Whether text has the digits and signs of a pattern, `d` standing for a digit.
fn has_form(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(t, p)| if p == b'd' { t.is_ascii_digit() } else { t == p })
}

/// A time of day, such as `23:30:00Z`; times of DUIS are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    time: Time,
    offset: Option<Offset>,
}

impl TimeOfDay {
    /// That time, UTC.
    pub const fn utc(time: Time) -> TimeOfDay {
        TimeOfDay { time, offset: Some(Offset(0)) }
    }

    /// Whether it is a time of UTC: written so, or without an offset.
    pub fn is_utc(self) -> bool {
        self.offset.is_none_or(|offset| offset == Offset(0))
    }

    /// The time as written, whatever its offset.
    pub const fn time(self) -> Time {
        self.time
    }
}

impl Leaf for TimeOfDay {
    fn form() -> String {
        "a time of day, such as 23:30:00Z".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let parsed = Offset::split(text).and_then(|(time, offset)| {
            let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
            let fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            let well_formed = has_form(seconds, "dd:dd:dd") && !seconds.ends_with(":60") && fraction;
            let time = time.parse().ok().filter(|_| well_formed)?;
            Some(TimeOfDay { time, offset })
        });
        parsed.ok_or_else(|| format!("expected {}", Self::form()))
    }

    fn text(&self) -> String {
        let offset = self.offset.map(|offset| offset.to_string()).unwrap_or_default();
        format!("{}{offset}", self.time)
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let mut part = |most| i8::try_from(draw.between(0, most)).unwrap_or_default();
        let time = Time::new(part(23), part(59), part(59), 0).unwrap_or_default();
        TimeOfDay { time, offset: draw.flag().then_some(Offset(0)) }
    }
}

/// A date without a time, such as `2026-12-25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarDate {
    date: Date,
    offset: Option<Offset>,
}

impl CalendarDate {
    /// The date, whatever its offset.
    pub const fn date(self) -> Date {
        self.date
    }
}

impl Leaf for CalendarDate {
    fn form() -> String {
        "a date, such as 2026-12-25".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let parsed = Offset::split(text).and_then(|(date, offset)| {
            let date =
                date.parse().ok().filter(|_| has_form(date, "dddd-dd-dd") && !date.starts_with("0000"));
            Some(CalendarDate { date: date?, offset })
        });
        parsed.ok_or_else(|| format!("expected {}", Self::form()))
    }

    fn text(&self) -> String {
        let offset = self.offset.map(|offset| offset.to_string()).unwrap_or_default();
        format!("{}{offset}", self.date)
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let year = i16::try_from(draw.between(1, 9999)).unwrap_or(1);
        let month = i8::try_from(draw.between(1, 12)).unwrap_or(1);
        let day = i8::try_from(draw.between(1, 28)).unwrap_or(1);
        CalendarDate { date: Date::constant(year, month, day), offset: None }
    }
}

/// A certificate as it is sent: DER, in base64 in the message. What it says is its reader's to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedCertificate(Vec<u8>);

impl EncodedCertificate {
    /// That DER.
    pub fn new(der: Vec<u8>) -> EncodedCertificate {
        EncodedCertificate(der)
    }

    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

impl Leaf for EncodedCertificate {
    fn form() -> String {
        "a certificate in base64".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(digits).map_err(|error| format!("expected base64: {error}"))?;
        Ok(EncodedCertificate(der))
    }

    fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let octet = |draw: &mut Draw<'_>| u8::try_from(draw.between(0, 255)).unwrap_or_default();
        EncodedCertificate((0..draw.count(1, 40)).map(|_| octet(draw)).collect())
    }
}
