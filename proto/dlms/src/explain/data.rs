//! Values: every one with its type, its words and where it stands.

use super::walk::{Walk, Walked};
use crate::data::{
    AttributeRef, CaptureObject, ClassId, Data, DateTime, DeviationSign, MAX_DEPTH, Obis, TypeDescription,
};
use crate::octets::Reader;
use crate::vocabulary::{self, Unit, enumeration};

/// Most octets shown of a string that is no text.
const SHOWN: usize = 32;

/// A value of the attribute, where it is known which, as one span. Gives the value's words.
pub(super) fn value(walk: &mut Walk<'_>, of: Option<&AttributeRef>) -> Walked<String> {
    element(walk, "value", of, 0)
}

fn element(
    walk: &mut Walk<'_>,
    name: &'static str,
    of: Option<&AttributeRef>,
    depth: usize,
) -> Walked<String> {
    match walk.peek() {
        Some(1 | 2) => walk.group(name, |walk| elements(walk, of, depth)),
        _ => {
            let data = walk.read(name, Data::read)?;
            let words = format!("{} {}", type_name(data.tag()), simple(&data, of));
            walk.say(words.trim_end());
            Ok(words)
        }
    }
}

/// An array or structure: its head, then each element.
fn elements(walk: &mut Walk<'_>, of: Option<&AttributeRef>, depth: usize) -> Walked<String> {
    // Only structures have a shape to know: reading ahead costs each level of nesting one reading of what it holds.
    let ahead = (walk.peek() == Some(2)).then(|| Data::read(&mut Reader::new(walk.left())).ok()).flatten();
    let summary = ahead.and_then(|data| summary(&data, of));
    let (is_array, count) = walk.read("type and count", |reader| {
        Ok((reader.u8("data tag")? == 1, reader.length("number of elements")?))
    })?;
    let kind = if is_array { "array" } else { "structure" };
    walk.say(format!("{kind} of {count}"));
    let words =
        summary.map_or_else(|| format!("{kind} of {count}"), |words| format!("{kind} of {count}: {words}"));
    walk.title(words.clone());
    if depth >= MAX_DEPTH {
        return walk.stop(format!("nests deeper than {MAX_DEPTH} levels"));
    }
    for _ in 0..count {
        if walk.is_empty() {
            return walk
                .stop(format!("holds fewer elements than the {count} it announces; it was cut short"));
        }
        element(walk, "element", None, depth + 1)?;
    }
    Ok(words)
}

/// What a structure says as a whole, where its shape is one the standard has.
fn summary(data: &Data, of: Option<&AttributeRef>) -> Option<String> {
    if let Some(object) = CaptureObject::from_data(data).filter(|object| object.class.0 > 0) {
        let part =
            if object.data_index == 0 { String::new() } else { format!(", part {}", object.data_index) };
        let CaptureObject { class, obis, attribute, .. } = object;
        return Some(vocabulary::attribute(&AttributeRef { class, obis, attribute }) + &part);
    }
    let elements = data.elements()?;
    match elements {
        [Data::I8(scaler), Data::Enum(unit)] => Some(scaler_unit(*scaler, *unit, of)),
        [Data::U16(class), Data::U8(version), Data::Octets(name), ..] => {
            let obis = Obis(<[u8; 6]>::try_from(name.as_slice()).ok()?);
            let class = vocabulary::class_words(ClassId(*class));
            Some(format!(
                "{} {}, {class} version {version}",
                vocabulary::full(obis),
                vocabulary::object_name(obis)
            ))
        }
        _ => None,
    }
}

fn scaler_unit(scaler: i8, unit: u8, of: Option<&AttributeRef>) -> String {
    let is_one =
        of.is_none_or(|of| vocabulary::attribute_name(of.class, of.attribute) == Some("scaler_unit"));
    let unit = match (Unit(unit).symbol(), Unit(unit).quantity()) {
        (Some(""), Some(quantity)) => quantity.to_owned(),
        (Some(symbol), Some(quantity)) => format!("{symbol} ({quantity})"),
        _ => format!("unit {unit}"),
    };
    let words = format!("times 10^{scaler}, {unit}");
    if is_one { words } else { format!("{words}, if it is a scaler and unit") }
}

/// The words of a value that holds no others.
fn simple(data: &Data, of: Option<&AttributeRef>) -> String {
    match data {
        Data::Octets(octets) => octets_words(octets),
        Data::Visible(octets) => text(octets).unwrap_or_else(|| hex(octets)),
        Data::Utf8(text) => format!("{text:?}"),
        Data::Enum(value) => enum_words(*value, of),
        Data::BitString(bits) => bits.bits().iter().map(|bit| if *bit { '1' } else { '0' }).collect(),
        Data::Boolean(value) => value.to_string(),
        Data::Bcd(value) => format!("{value:02X}"),
        Data::F32(value) => value.to_string(),
        Data::F64(value) => value.to_string(),
        Data::DateTime(value) => value.to_string(),
        Data::Date(value) => value.to_string(),
        Data::Time(value) => value.to_string(),
        Data::CompactArray(array) => {
            format!("of {}: {}", described(&array.description), hex(&array.contents))
        }
        other => other.as_i128().map(|number| number.to_string()).unwrap_or_default(),
    }
}

fn described(description: &TypeDescription) -> String {
    match description {
        TypeDescription::Simple(tag) => type_name(*tag).to_owned(),
        TypeDescription::Array(count, element) => format!("array of {count} {}", described(element)),
        TypeDescription::Structure(elements) => {
            let elements: Vec<String> = elements.iter().map(described).collect();
            format!("structure of ({})", elements.join(", "))
        }
    }
}

fn enum_words(value: u8, of: Option<&AttributeRef>) -> String {
    match of.and_then(|of| enumeration(of.class, of.attribute, value)) {
        Some(words) => format!("{value} ({words})"),
        None => value.to_string(),
    }
}

/// Octets as the date-time, logical name or text they look like, else as they are.
pub(super) fn octets_words(octets: &[u8]) -> String {
    if let Ok(twelve) = <[u8; 12]>::try_from(octets) {
        let time = DateTime::from_octets(twelve);
        if time.to_unix(DeviationSign::Standard).is_some() || is_wildcard_time(&time) {
            return format!("{} ({time})", hex(octets));
        }
    }
    if let Some(text) = text(octets) {
        return text;
    }
    match <[u8; 6]>::try_from(octets) {
        Ok(six) if looks_like_obis(six) => {
            format!(
                "{} ({} {})",
                hex(octets),
                vocabulary::full(Obis(six)),
                vocabulary::object_name(Obis(six))
            )
        }
        _ => hex(octets),
    }
}

/// A date-time whose fields are each possible or left open.
fn is_wildcard_time(time: &DateTime) -> bool {
    let date = time.date.month == 0xFF && time.date.day == 0xFF;
    date && (time.time.hour <= 23 || time.time.hour == 0xFF) && time.date.year == 0xFFFF
}

/// A logical name as it stands in data: an electricity, gas or abstract object, current values.
fn looks_like_obis([medium, _, _, _, _, period]: [u8; 6]) -> bool {
    matches!(medium, 0 | 1 | 7) && period == 0xFF
}

/// Octets as quoted text when all are printable ASCII.
pub(super) fn text(octets: &[u8]) -> Option<String> {
    let printable = !octets.is_empty() && octets.iter().all(|octet| (0x20..0x7F).contains(octet));
    printable.then(|| format!("{:?}", String::from_utf8_lossy(octets)))
}

/// Octets in hexadecimal, cut where there are many.
pub(super) fn hex(octets: &[u8]) -> String {
    let mut words: String = octets.iter().take(SHOWN).map(|octet| format!("{octet:02X}")).collect();
    if octets.len() > SHOWN {
        words.push_str(&format!("... ({} octets)", octets.len()));
    }
    words
}

fn type_name(tag: u8) -> &'static str {
    match tag {
        0 => "null-data",
        3 => "boolean",
        4 => "bit-string",
        5 => "double-long",
        6 => "double-long-unsigned",
        9 => "octet-string",
        10 => "visible-string",
        12 => "utf8-string",
        13 => "bcd",
        15 => "integer",
        16 => "long",
        17 => "unsigned",
        18 => "long-unsigned",
        19 => "compact-array",
        20 => "long64",
        21 => "long64-unsigned",
        22 => "enum",
        23 => "float32",
        24 => "float64",
        25 => "date-time",
        26 => "date",
        27 => "time",
        _ => "dont-care",
    }
}
