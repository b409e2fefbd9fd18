//! Values of a script, with their `${...}`.

use jiff::{SignedDuration, Timestamp};
use lab_config::{DeviceKind, FileError, Item};
use toml::de::DeValue;

use super::scope::Scope;
use crate::binding::{CertificateName, ImagePart, Piece};
use crate::{Amount, Decimal, Operand, Reference, Value};

/// The largest amount a token may carry, in pence: £1000.
const MOST_PENCE: u32 = 100_000;

/// Reads a value; every name it uses must be in scope.
pub(super) fn operand(item: &Item<'_>, scope: &Scope) -> Result<Operand, FileError> {
    let expected = "a text, number, true, false or time";
    let refuse = || item.refuse(expected, "write one value, not a list or table");
    let value = match item.toml().ok_or_else(refuse)? {
        DeValue::String(text) => return text_operand(item, text, scope),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Integer(_) => Value::from(item.integer::<i64>(i64::MIN..=i64::MAX, "a whole number")?),
        DeValue::Float(number) => Value::Number(number.as_str().parse().map_err(|_| refuse())?),
        DeValue::Datetime(time) => Value::Time(time_of(item, &time.to_string())?),
        DeValue::Array(_) | DeValue::Table(_) => return Err(refuse()),
    };
    Ok(Operand::Literal(value))
}

fn time_of(item: &Item<'_>, text: &str) -> Result<Timestamp, FileError> {
    text.parse()
        .map_err(|_| item.refuse("a time with its offset, such as 2026-12-01T09:00:00Z", "add Z for UTC"))
}

fn text_operand(item: &Item<'_>, text: &str, scope: &Scope) -> Result<Operand, FileError> {
    let mut pieces = pieces(item, text, scope)?;
    Ok(match (pieces.pop(), pieces.is_empty()) {
        (None, _) => Operand::Literal(Value::from("")),
        (Some(Piece::Literal(text)), true) => Operand::Literal(Value::from(&*text)),
        (Some(Piece::Reference(reference)), true) => Operand::Reference(reference),
        (Some(last), false) => {
            pieces.push(last);
            Operand::Text(pieces)
        }
    })
}

fn pieces(item: &Item<'_>, text: &str, scope: &Scope) -> Result<Vec<Piece>, FileError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.into()));
        }
        let Some((inside, after)) = after.split_once('}') else {
            return Err(item.error("`${` without `}`", "`${name}`", "close the brace"));
        };
        pieces.push(Piece::Reference(reference(item, inside, scope)?));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.into()));
    }
    Ok(pieces)
}

fn reference(item: &Item<'_>, inside: &str, scope: &Scope) -> Result<Reference, FileError> {
    let built_in = |advice: &str| item.error(format!("`${{{inside}}}`"), "a reference", advice);
    if let Some(pence) = inside.strip_prefix("utrn:") {
        let pence = pence.parse().ok().filter(|pence| (1..=MOST_PENCE).contains(pence));
        return pence
            .map(Reference::Utrn)
            .ok_or_else(|| built_in("write ${utrn:PENCE}, from 1 to 100000 pence"));
    }
    if let Some(image) = firmware(inside) {
        return image.map_err(|error| {
            let advice =
                format!("write ${{firmware-image:VERSION}} or ${{firmware-image:VERSION,FLAW}}; {error}");
            item.error(format!("`${{{inside}}}`"), "a firmware image", advice)
        });
    }
    if let Some(shift) = inside.strip_prefix("now").filter(|rest| !rest.starts_with(is_name_letter)) {
        let advice = "write ${now}, ${now-1d}, ${now+30m}, ${now:date} or ${now+3s:time}";
        return now(shift).ok_or_else(|| built_in(advice));
    }
    let mut words = inside.split('.');
    let (first, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
    match (first, &rest[..]) {
        ("device", []) => Ok(Reference::Device(None)),
        ("device", [kind]) => Ok(Reference::Device(Some(word(item, kind)?))),
        ("model", [field]) => Ok(Reference::Model(None, word(item, field)?)),
        ("model", [kind, field]) => Ok(Reference::Model(Some(word(item, kind)?), word(item, field)?)),
        ("user", [role]) => Ok(Reference::User(word(item, role)?)),
        ("certificate", ["authority"]) => Ok(Reference::Certificate(CertificateName::Authority)),
        ("certificate", ["stranger"]) => Ok(Reference::Certificate(CertificateName::Stranger)),
        ("certificate", [role]) => Ok(Reference::Certificate(CertificateName::User(word(item, role)?))),
        ("certificate", [role, "renewed"]) => {
            Ok(Reference::Certificate(CertificateName::Renewed(word(item, role)?)))
        }
        ("device" | "model" | "user" | "certificate", _) => Err(built_in(
            "write ${device}, ${device.CHF}, ${model.firmware-version}, ${user.IS} or ${certificate.IS}",
        )),
        _ => {
            scope.refuse_unbound(item, inside)?;
            Ok(Reference::Name(inside.into()))
        }
    }
}

/// `firmware-image:VERSION,FLAW` and `firmware-hash:VERSION,FLAW`; neither need be said.
fn firmware(inside: &str) -> Option<Result<Reference, lab_config::UnknownWord>> {
    let (word, order) = inside.split_once(':').unwrap_or((inside, ""));
    let part = [ImagePart::Octets, ImagePart::Hash].into_iter().find(|part| part.word() == word)?;
    Some(order.parse().map(|order| Reference::Firmware(part, order)))
}

/// `now` is a word of its own only if no letter of a name follows it.
fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
}

fn now(text: &str) -> Option<Reference> {
    let (shift, part) = text.split_once(':').map_or((text, None), |(shift, part)| (shift, Some(part)));
    let shift = match shift.as_bytes().first() {
        None => SignedDuration::ZERO,
        Some(b'+') => span(&shift[1..])?,
        Some(b'-') => -span(&shift[1..])?,
        Some(_) => return None,
    };
    match part {
        None => Some(Reference::Now(shift)),
        Some(part) => Some(Reference::Civil(shift, part.parse().ok()?)),
    }
}

fn word<T>(item: &Item<'_>, word: &str) -> Result<T, FileError>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let refused = |error: T::Err| item.error(format!("`{word}`"), "a known word", error.to_string());
    word.parse().map_err(refused)
}

/// A time span as scripts write it: `250ms`, `5s`, `30m`, `12h`, `7d`; at most ten years.
pub(super) fn span(text: &str) -> Option<SignedDuration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let count: u32 = count.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let span = SignedDuration::from_millis(i64::from(count).checked_mul(millis)?);
    (span <= SignedDuration::from_hours(87_600)).then_some(span)
}

/// A duration of a step, up to the longest a step may take.
pub(super) fn duration(item: &Item<'_>) -> Result<std::time::Duration, FileError> {
    let expected = "a time from 1ms to 1h, such as 250ms, 30s or 10m";
    let text = item.text(expected)?;
    let span = span(text).and_then(|span| std::time::Duration::try_from(span).ok());
    span.filter(|span| !span.is_zero() && *span <= crate::deadline::LONGEST)
        .ok_or_else(|| item.refuse(expected, "write a number and ms, s, m or h"))
}

/// A number, or a time span as text.
pub(super) fn amount(item: &Item<'_>) -> Result<Amount, FileError> {
    let expected = "a number, or a time span such as \"5s\"";
    let refuse = || item.refuse(expected, "write 5, 0.5 or \"5s\"");
    match item.toml().ok_or_else(refuse)? {
        DeValue::String(text) => {
            let (negative, digits) = match text.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, text.as_ref()),
            };
            let span = span(digits).ok_or_else(refuse)?;
            Ok(Amount::Time(if negative { -span } else { span }))
        }
        _ => number(item).map(Amount::Number).map_err(|_| refuse()),
    }
}

/// A number, whole or decimal.
pub(super) fn number(item: &Item<'_>) -> Result<Decimal, FileError> {
    match operand(item, &Scope::default())? {
        Operand::Literal(Value::Number(number)) => Ok(number),
        _ => Err(item.refuse("a number", "write it without quotes")),
    }
}

/// A device kind.
pub(super) fn device(item: &Item<'_>) -> Result<DeviceKind, FileError> {
    item.parse("a device kind")
}
