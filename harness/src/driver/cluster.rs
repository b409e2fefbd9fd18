//! Functions of a device as its ZigBee clusters show them, with the values and units they have on every other path.
//!
//! A dongle reads attributes; what they mean is said here: a summation is multiplied by multiplier over divisor of its
//! cluster and given in Wh or cubic metres, a supply status becomes the control state of COSEM, a price gets its point.
//! Everything but [`read`] is pure.

use jiff::Timestamp;
use lab_config::{ClusterAttribute, ClusterObject, ClusterQuestion, Function};
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::price::{self, PublishPrice};
use proto_zigbee::zcl::{self, AttributeId, FrameType, ReadRecord, Status};
use proto_zigbee::{UtcTime, Value as Attribute, ZigbeeError};
use scenarios::{Decimal, Value};

use super::dongle::{Dongle, DongleError, Place};
use super::values::{self, Reading};

#[cfg(test)]
mod tests;

/// ISO 4217 number of sterling.
const STERLING: u16 = 826;

/// Why an attribute says nothing of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The device refuses to say.
    #[error("{what} is refused with status {:02X} ({})", status.0, words(*status))]
    Refused {
        /// What was asked.
        what: String,
        /// Why.
        status: Status,
    },
    /// The device left it out.
    #[error("the answer leaves {0} out")]
    LeftOut(String),
    /// A value that cannot be what it stands for.
    #[error("{what} is {found}, expected {expected}")]
    Value {
        /// What was asked.
        what: String,
        /// What came.
        found: String,
        /// What could have.
        expected: &'static str,
    },
    /// The answer is none to this question.
    #[error("the answer to {what} is none: {error}")]
    Answer {
        /// What was asked.
        what: String,
        /// What is wrong with it.
        error: ZigbeeError,
    },
}

/// Why a function was not read: the way to the device, or what the device says.
#[derive(Debug, thiserror::Error)]
pub enum HanError {
    /// The dongle, or the device was not reached.
    #[error(transparent)]
    Dongle(#[from] DongleError),
    /// The device was reached and says it otherwise.
    #[error("{device}: {error}")]
    Cluster {
        /// The device.
        device: proto_zigbee::Eui64,
        /// What it says.
        error: ClusterError,
    },
}

/// Reads a function of a device, at the place its Device Model names.
///
/// # Errors
/// [`HanError`].
pub async fn read(
    dongle: &mut Dongle,
    (device, endpoint): (proto_zigbee::Eui64, u8),
    function: Function,
    object: ClusterObject,
) -> Result<Reading, HanError> {
    let said = |error| HanError::Cluster { device, error };
    match object.question {
        ClusterQuestion::Attribute(attribute) => {
            let place = Place { device, endpoint, cluster: attribute.cluster };
            let scaled = is_scaled(function, attribute);
            let mut ids = vec![AttributeId(attribute.attribute)];
            ids.extend(scaled.then_some(SCALE).into_iter().flatten());
            let records = dongle.read(place, &ids).await?;
            of_function(function, attribute, object.scaler, &records).map_err(said)
        }
        ClusterQuestion::CurrentPrice => {
            let place = Place { device, endpoint, cluster: price::CLUSTER };
            let ask = |sequence| price::ToServer::from(price::GetCurrentPrice { options: 0 }).frame(sequence);
            let answer = dongle.ask_device(place, ask).await?;
            current_price(&answer, object.scaler).map_err(said)
        }
    }
}

/// Reads an attribute as it was sent, whatever it means.
///
/// # Errors
/// [`HanError`].
pub async fn read_plain(
    dongle: &mut Dongle,
    (device, endpoint): (proto_zigbee::Eui64, u8),
    attribute: ClusterAttribute,
) -> Result<Reading, HanError> {
    let place = Place { device, endpoint, cluster: attribute.cluster };
    let records = dongle.read(place, &[AttributeId(attribute.attribute)]).await?;
    let value = value_of(&records, attribute).map_err(|error| HanError::Cluster { device, error })?;
    Ok(Reading { value: plain(value, 0), unit: None })
}

/// What must be known of the Metering cluster to say what one of its numbers means.
const SCALE: [AttributeId; 3] = [metering::UNIT_OF_MEASURE, metering::MULTIPLIER, metering::DIVISOR];

/// What kind of number a function is in the Metering cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// What has flowed.
    Summation,
    /// What flows now.
    Demand,
}

const fn quantity(function: Function) -> Option<Quantity> {
    match function {
        Function::ActiveImport
        | Function::ActiveExport
        | Function::ReactiveImport
        | Function::ReactiveExport
        | Function::GasVolume => Some(Quantity::Summation),
        Function::ActivePowerImport | Function::MaximumDemandImport | Function::MaximumDemandExport => {
            Some(Quantity::Demand)
        }
        _ => None,
    }
}

fn is_scaled(function: Function, attribute: ClusterAttribute) -> bool {
    attribute.cluster == metering::CLUSTER && quantity(function).is_some()
}

/// What the records of an answer say of a function.
///
/// # Errors
/// [`ClusterError`].
pub fn of_function(
    function: Function,
    attribute: ClusterAttribute,
    scaler: Option<i8>,
    records: &[ReadRecord],
) -> Result<Reading, ClusterError> {
    let value = value_of(records, attribute)?;
    let scaler = scaler.unwrap_or(0);
    match quantity(function) {
        Some(quantity) if attribute.cluster == metering::CLUSTER => {
            metered(quantity, attribute, value, records, scaler)
        }
        _ if function == Function::SupplyState => supply(attribute, value),
        _ => Ok(Reading { value: plain(value, scaler), unit: None }),
    }
}

fn value_of(records: &[ReadRecord], attribute: ClusterAttribute) -> Result<&Attribute, ClusterError> {
    let found = records.iter().find(|record| record.id.0 == attribute.attribute);
    let record = found.ok_or_else(|| ClusterError::LeftOut(attribute.to_string()))?;
    record
        .value
        .as_ref()
        .map_err(|status| ClusterError::Refused { what: attribute.to_string(), status: *status })
}

/// A number of the Metering cluster: times multiplier over divisor, in the unit of measure.
fn metered(
    quantity: Quantity,
    attribute: ClusterAttribute,
    value: &Attribute,
    records: &[ReadRecord],
    scaler: i8,
) -> Result<Reading, ClusterError> {
    let of =
        |id: AttributeId| value_of(records, ClusterAttribute { cluster: metering::CLUSTER, attribute: id.0 });
    let unit = number(metering::UNIT_OF_MEASURE, of(metering::UNIT_OF_MEASURE)?)?;
    // A meter has both or none of them (Smart Energy 1.4, D.3.2.2.4): none means that nothing is to be scaled.
    let factor = |id: AttributeId| match of(id) {
        Err(ClusterError::Refused { status: Status::UNSUPPORTED_ATTRIBUTE, .. }) => Ok(1),
        found => number(id, found?),
    };
    let (multiplier, divisor) = (factor(metering::MULTIPLIER)?, factor(metering::DIVISOR)?);
    let Some(raw) = value.as_i64().map(i128::from) else {
        return Err(unexpected(&attribute.to_string(), value, "a number"));
    };
    let raw = if unit & BINARY_CODED_DECIMAL == 0 { Some(raw) } else { from_binary_coded_decimal(raw) };
    let raw = raw
        .ok_or_else(|| unexpected(&attribute.to_string(), value, "binary coded decimal, as its unit says"))?;
    let (symbol, exponent) = unit_of(quantity, unit & !BINARY_CODED_DECIMAL);
    let divided = divide(raw * multiplier, divisor, scaler + exponent);
    let number = divided.ok_or_else(|| ClusterError::Value {
        what: name(metering::DIVISOR),
        found: divisor.to_string(),
        expected: "a number other than 0",
    })?;
    Ok(Reading { value: Value::Number(number), unit: symbol })
}

/// Bit of a unit of measure whose numbers are binary coded decimal.
const BINARY_CODED_DECIMAL: i128 = 0x80;

/// The unit by its number (Smart Energy 1.4, table D-23), and the power of ten that makes it of what the cluster counts in.
fn unit_of(quantity: Quantity, unit: i128) -> (Option<String>, i8) {
    let (summed, flowing, exponent) = match unit {
        0x00 => ("Wh", "W", 3),
        0x01 => ("m3", "m3/h", 0),
        0x02 => ("ft3", "ft3/h", 0),
        0x03 => ("ft3", "ft3/h", 2),
        0x04 => ("US gal", "US gal/h", 0),
        0x05 => ("imp gal", "imp gal/h", 0),
        0x06 => ("BTU", "BTU/h", 0),
        0x07 => ("l", "l/h", 0),
        0x08 => ("kPa (gauge)", "kPa (gauge)", 0),
        0x09 => ("kPa (absolute)", "kPa (absolute)", 0),
        0x0a => ("ft3", "ft3/h", 3),
        0x0b => return (None, 0),
        0x0c => ("MJ", "MJ/h", 0),
        0x0d => ("varh", "var", 3),
        other => return (Some(format!("unit of measure {other:02X}")), 0),
    };
    let symbol = if quantity == Quantity::Summation { summed } else { flowing };
    (Some(symbol.to_owned()), exponent)
}

/// Each nibble a digit; none where one is no digit.
fn from_binary_coded_decimal(raw: i128) -> Option<i128> {
    let digits = format!("{:x}", raw.unsigned_abs());
    digits.parse::<i128>().ok().map(|number| number * raw.signum())
}

/// `numerator` over `divisor`, times a power of ten; exact where that has an end in ten decimals. None for nothing.
fn divide(numerator: i128, divisor: i128, exponent: i8) -> Option<Decimal> {
    const DECIMALS: i8 = 10;
    if divisor == 0 {
        return None;
    }
    if let Some(tens) = (0..=DECIMALS).find(|tens| 10_i128.pow(u32::from(tens.unsigned_abs())) == divisor) {
        return Some(Decimal::new(numerator, exponent - tens));
    }
    let scaled = numerator.checked_mul(10_i128.pow(u32::from(DECIMALS.unsigned_abs())))?;
    Some(Decimal::new(scaled / divisor, exponent - DECIMALS))
}

/// A supply status as the control state of a disconnect control (COSEM class 70): 0 disconnected, 1 connected, 2 ready to be
/// connected.
fn supply(attribute: ClusterAttribute, value: &Attribute) -> Result<Reading, ClusterError> {
    let octet = value.as_u64().and_then(|octet| u8::try_from(octet).ok());
    let state = match octet.and_then(SupplyStatus::from_octet) {
        Some(SupplyStatus::Off) => 0,
        Some(SupplyStatus::On) => 1,
        Some(SupplyStatus::OffArmed) => 2,
        None => return Err(unexpected(&attribute.to_string(), value, "0 (off), 1 (armed) or 2 (on)")),
    };
    Ok(Reading { value: Value::Number(Decimal::new(state, 0)), unit: None })
}

/// What a device answers to GetCurrentPrice.
///
/// # Errors
/// [`ClusterError`].
pub fn current_price(answer: &zcl::Frame, scaler: Option<i8>) -> Result<Reading, ClusterError> {
    let what = || "GetCurrentPrice".to_owned();
    if answer.frame_type == FrameType::Foundation {
        return Err(match answer.command() {
            Ok(zcl::Command::DefaultResponse { status, .. }) => {
                ClusterError::Refused { what: what(), status }
            }
            Ok(_) => {
                ClusterError::Answer { what: what(), error: ZigbeeError::Command { command: answer.command } }
            }
            Err(error) => ClusterError::Answer { what: what(), error },
        });
    }
    match price::ToClient::of(answer) {
        Ok(price::ToClient::PublishPrice(published)) => Ok(published_price(&published, scaler.unwrap_or(0))),
        Ok(_) => Err(ClusterError::Answer {
            what: what(),
            error: ZigbeeError::Command { command: answer.command },
        }),
        Err(error) => Err(ClusterError::Answer { what: what(), error }),
    }
}

fn published_price(published: &PublishPrice, scaler: i8) -> Reading {
    // Four bits: at most fifteen digits.
    let digits = i8::try_from(published.trailing_digit_and_tier >> 4).unwrap_or_default();
    let currency = match published.currency {
        STERLING => "GBP".to_owned(),
        other => format!("currency {other}"),
    };
    let per = match i128::from(published.unit_of_measure) & !BINARY_CODED_DECIMAL {
        // Energy is priced by the kilowatt hour, and nobody says it otherwise.
        0x00 => Some("kWh".to_owned()),
        unit => unit_of(Quantity::Summation, unit).0,
    };
    let unit = per.map_or(currency.clone(), |per| format!("{currency}/{per}"));
    Reading { value: Value::Number(Decimal::new(published.price.into(), scaler - digits)), unit: Some(unit) }
}

/// An attribute as scripts see it: text, numbers, times and lists.
fn plain(value: &Attribute, scaler: i8) -> Value {
    match value {
        Attribute::NoData => Value::Text(String::new()),
        Attribute::Boolean(flag) => Value::Boolean(*flag),
        Attribute::UtcTime(seconds) => moment(UtcTime(*seconds)),
        Attribute::Structure(elements) => list(elements),
        Attribute::Collection(collection) => list(collection.elements()),
        _ => match (value.as_i64(), value.as_text(), value.as_octets()) {
            (Some(number), ..) => Value::Number(Decimal::new(number.into(), scaler)),
            (None, Some(text), _) => Value::Text(text.to_owned()),
            (None, None, Some(octets)) => Value::Text(values::text(octets)),
            (None, None, None) => value.as_u64().map_or_else(
                || Value::Text(value.to_string()),
                |big| Value::Number(Decimal::new(big.into(), scaler)),
            ),
        },
    }
}

fn list(elements: &[Attribute]) -> Value {
    Value::List(elements.iter().map(|element| plain(element, 0)).collect())
}

fn moment(time: UtcTime) -> Value {
    let known = (time != UtcTime::UNKNOWN).then(|| Timestamp::from_second(time.to_unix()).ok()).flatten();
    known.map_or_else(|| Value::Text(String::new()), Value::Time)
}

fn number(id: AttributeId, value: &Attribute) -> Result<i128, ClusterError> {
    value.as_i64().map(i128::from).ok_or_else(|| unexpected(&name(id), value, "a number"))
}

fn name(id: AttributeId) -> String {
    ClusterAttribute { cluster: metering::CLUSTER, attribute: id.0 }.to_string()
}

fn unexpected(what: &str, found: &Attribute, expected: &'static str) -> ClusterError {
    ClusterError::Value { what: what.to_owned(), found: found.to_string(), expected }
}

/// What a status means, for those a device answers with when it is asked to read.
fn words(status: Status) -> &'static str {
    match status {
        Status::UNSUPPORTED_ATTRIBUTE => "it has no such attribute",
        Status::UNSUPPORTED_CLUSTER => "it has no such cluster",
        Status::UNSUPPORTED_CLUSTER_COMMAND => "it knows no such command",
        Status::NOT_AUTHORISED => "the asker may not",
        Status::NOT_FOUND => "it has none yet",
        _ => "as the standard numbers them",
    }
}
