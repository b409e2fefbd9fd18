//! COSEM values as scripts and people see them: numbers, text, times and lists, in place of tags and octets.
//!
//! A register (class 3) is scaled by its scaler and has a unit; a clock (class 8) is a moment in UTC; an octet string is
//! text when it is printable and hexadecimal when it is not. What a device sent stays distinguishable: nothing is
//! rounded, a date that is no moment is shown field by field, and no data is the empty text.

use std::fmt;

use jiff::Timestamp;
use proto_dlms::data::{ClassId, Data, DateTime, DeviationSign};
use scenarios::{Decimal, Value, Values};

#[cfg(test)]
mod tests;

/// Longest text taken from an octet string; longer ones are shown in hexadecimal, cut.
const TEXT_LIMIT: usize = 4096;

/// A value with its unit, the answer to a read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// Its unit, for registers.
    pub unit: Option<String>,
}

/// The scaler and unit of a register (class 3 and 4, attribute 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalerUnit {
    /// The power of ten the raw value is multiplied with.
    pub scaler: i8,
    /// The unit (IEC 62056-62, table of units).
    pub unit: u8,
}

impl ScalerUnit {
    /// Reads the structure of scaler and unit; none when it is something else.
    #[must_use]
    pub fn from_data(data: &Data) -> Option<ScalerUnit> {
        let [scaler, unit] = data.elements()? else { return None };
        let scaler = i8::try_from(scaler.as_i128()?).ok()?;
        Some(ScalerUnit { scaler, unit: u8::try_from(unit.as_i128()?).ok()? })
    }

    /// The unit's symbol; none for a count, `unit N` for one that is not in the table.
    #[must_use]
    pub fn symbol(self) -> Option<String> {
        let symbol = match self.unit {
            1 => "a",
            2 => "mo",
            3 => "wk",
            4 => "d",
            5 => "h",
            6 => "min",
            7 => "s",
            8 => "°",
            9 => "°C",
            10 => "currency",
            13 | 14 => "m3",
            15 | 16 => "m3/h",
            19 => "l",
            27 => "W",
            28 => "VA",
            29 => "var",
            30 => "Wh",
            31 => "VAh",
            32 => "varh",
            33 => "A",
            34 => "C",
            35 => "V",
            44 => "Hz",
            56 => "%",
            255 => return None,
            other => return Some(format!("unit {other}")),
        };
        Some(symbol.to_owned())
    }
}

/// The value of `data`, an attribute of an object of class `class`.
#[must_use]
pub fn reading(data: &Data, class: ClassId, scaler: Option<ScalerUnit>, sign: DeviationSign) -> Reading {
    let value = match (class, scaler) {
        (ClassId(8), _) => data.as_date_time().map_or_else(|| value(data, sign), |time| moment(time, sign)),
        (_, Some(scaler)) => scaled(data, scaler.scaler).unwrap_or_else(|| value(data, sign)),
        _ => value(data, sign),
    };
    Reading { value, unit: scaler.and_then(ScalerUnit::symbol) }
}

/// The value of `data` without knowing its object.
#[must_use]
pub fn value(data: &Data, sign: DeviationSign) -> Value {
    match data {
        Data::Null | Data::DontCare => Value::Text(String::new()),
        Data::Boolean(flag) => Value::Boolean(*flag),
        Data::Array(elements) | Data::Structure(elements) => {
            Value::List(elements.iter().map(|element| value(element, sign)).collect())
        }
        Data::BitString(bits) => {
            Value::Text(bits.bits().iter().map(|bit| if *bit { '1' } else { '0' }).collect())
        }
        Data::F32(number) => float(f64::from(*number), 0),
        Data::F64(number) => float(*number, 0),
        Data::DateTime(time) => moment(*time, sign),
        Data::Date(date) => Value::Text(date.to_string()),
        Data::Time(time) => Value::Text(time.to_string()),
        Data::Octets(octets) => octets_value(octets, sign),
        Data::CompactArray(array) => array.elements().map_or_else(
            |error| Value::Text(format!("compact array that cannot be read: {error}")),
            |elements| Value::List(elements.iter().map(|element| value(element, sign)).collect()),
        ),
        other => plain(other),
    }
}

fn plain(data: &Data) -> Value {
    match (data.as_i128(), data.as_octets()) {
        (Some(number), _) => Value::Number(Decimal::new(number, 0)),
        (None, octets) => Value::Text(text(octets.unwrap_or_default())),
    }
}

/// Twelve octets that are a plausible moment are one: profiles and logs carry their times so.
fn octets_value(octets: &[u8], sign: DeviationSign) -> Value {
    let time = <[u8; 12]>::try_from(octets).ok().filter(|_| !printable(octets)).map(DateTime::from_octets);
    match time.and_then(|time| utc(time, sign)) {
        Some(moment) => Value::Time(moment),
        None => Value::Text(text(octets)),
    }
}

fn moment(time: DateTime, sign: DeviationSign) -> Value {
    utc(time, sign).map_or_else(|| Value::Text(time.to_string()), Value::Time)
}

/// The moment a COSEM date-time means, to the hundredth of a second; none when it is none.
#[must_use]
pub fn utc(time: DateTime, sign: DeviationSign) -> Option<Timestamp> {
    let seconds = time.to_unix(sign)?;
    let hundredths = if time.time.hundredths > 99 { 0 } else { i32::from(time.time.hundredths) };
    Timestamp::new(seconds, hundredths * 10_000_000).ok()
}

fn scaled(data: &Data, scaler: i8) -> Option<Value> {
    match data {
        Data::F32(number) => Some(float(f64::from(*number), scaler)),
        Data::F64(number) => Some(float(*number, scaler)),
        other => other.as_i128().map(|mantissa| Value::Number(Decimal::new(mantissa, scaler))),
    }
}

/// A floating point number in the shortest digits that mean it; text where it is none or beyond a decimal.
fn float(number: f64, scaler: i8) -> Value {
    let scaled = number * 10f64.powi(scaler.into());
    Decimal::from_f64(scaled).map_or_else(|| Value::Text(scaled.to_string()), Value::Number)
}

/// Octets as text when they are printable ASCII, else in hexadecimal.
#[must_use]
pub fn text(octets: &[u8]) -> String {
    if printable(octets) {
        return octets.iter().map(|octet| char::from(*octet)).collect();
    }
    let shown = &octets[..octets.len().min(TEXT_LIMIT)];
    hex::encode_upper(shown) + if octets.len() > TEXT_LIMIT { "…" } else { "" }
}

fn printable(octets: &[u8]) -> bool {
    !octets.is_empty()
        && octets.len() <= TEXT_LIMIT
        && octets.iter().all(|octet| (0x20..0x7F).contains(octet))
}

impl Reading {
    /// Hands the reading to a script: `value`, or `value[0]`, `value.count` and on for lists, and `unit`.
    pub fn set(self, values: &mut Values) {
        values.set("value", self.value);
        if let Some(unit) = self.unit {
            values.set("unit", unit);
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Some(unit) => write!(f, "{} {unit}", self.value),
            None => self.value.fmt(f),
        }
    }
}
