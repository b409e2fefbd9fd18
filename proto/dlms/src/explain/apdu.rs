//! APDUs: which service, of which object, with what result.

use super::acse;
use super::ciphered;
use super::data::{octets_words, value};
use super::walk::{Walk, Walked};
use crate::apdu::{ExceptionResponse, InvokeId};
use crate::data::{
    ActionResult, AttributeRef, ClassId, DataAccessResult, DateTime, MethodRef, Obis, Selective,
};
use crate::octets::Reader;
use crate::vocabulary;

/// The attributes a response answers for, in the order they were asked, where that is known.
pub(super) type Asked<'a> = &'a [AttributeRef];

/// An APDU, from its tag to the end of the walk.
pub(super) fn apdu(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked {
    let tag = walk.u8("APDU tag")?;
    walk.say(tag_name(tag).unwrap_or("unknown"));
    match tag {
        0x60..=0x63 => acse::acse(walk, tag),
        0x01 => acse::initiate_request(walk),
        0x08 => acse::initiate_response(walk),
        0x0E => acse::service_error(walk),
        0xC0 => get_request(walk),
        0xC4 => get_response(walk, asked),
        0xC1 => set_request(walk),
        0xC5 => set_response(walk, asked),
        0xC3 => action_request(walk),
        0xC7 => action_response(walk),
        0xC2 => event_notification(walk),
        0x0F => data_notification(walk),
        0xD8 => exception(walk),
        0xD9 => access_request(walk),
        0xDA => access_response(walk),
        0xE0 => block_transfer(walk),
        _ if ciphered::is_ciphered(tag) => ciphered::ciphered(walk, tag),
        _ => walk.stop(format!("no APDU starts with {tag:02X}")),
    }
}

/// The name of the service behind a tag.
pub(super) fn tag_name(tag: u8) -> Option<&'static str> {
    Some(match tag {
        0x01 => "InitiateRequest",
        0x08 => "InitiateResponse",
        0x0E => "ConfirmedServiceError",
        0x0F => "Data-Notification",
        0x60 => "AARQ",
        0x61 => "AARE",
        0x62 => "RLRQ",
        0x63 => "RLRE",
        0xC0 => "Get-Request",
        0xC1 => "Set-Request",
        0xC2 => "EventNotificationRequest",
        0xC3 => "Action-Request",
        0xC4 => "Get-Response",
        0xC5 => "Set-Response",
        0xC7 => "Action-Response",
        0xD8 => "Exception-Response",
        0xD9 => "Access-Request",
        0xDA => "Access-Response",
        0xE0 => "General-Block-Transfer",
        _ => return ciphered::name(tag),
    })
}

fn invoke(walk: &mut Walk<'_>) -> Walked {
    let octet = walk.u8("invoke id and priority")?;
    let id = InvokeId(octet);
    let confirmed = if id.is_confirmed() { "confirmed" } else { "unconfirmed" };
    let priority = if octet & 0x80 == 0 { "normal" } else { "high" };
    walk.say(format!("{}, {confirmed}, {priority} priority", id.number()));
    Ok(())
}

/// The choice octet of a service, said with its name; the walk stops where the service has no such choice.
fn choice(walk: &mut Walk<'_>, names: &[(u8, &'static str)]) -> Walked<u8> {
    let choice = walk.u8("choice")?;
    match names.iter().find(|name| name.0 == choice) {
        Some((_, name)) => walk.say(format!("{choice} {name}")),
        None => return walk.stop(format!("the service has no choice {choice}")),
    }
    Ok(choice)
}

fn attribute(walk: &mut Walk<'_>) -> Walked<AttributeRef> {
    walk.group("attribute", |walk| {
        let (class, obis) = object(walk)?;
        let octet = walk.u8("attribute")?;
        let attribute = AttributeRef { class, obis, attribute: octet.cast_signed() };
        let name = vocabulary::attribute_name(class, attribute.attribute).unwrap_or_default();
        walk.say(format!("{} {name}", attribute.attribute).trim_end());
        walk.title(vocabulary::attribute(&attribute));
        Ok(attribute)
    })
}

fn method(walk: &mut Walk<'_>) -> Walked<MethodRef> {
    walk.group("method", |walk| {
        let (class, obis) = object(walk)?;
        let octet = walk.u8("method")?;
        let method = MethodRef { class, obis, method: octet.cast_signed() };
        let name = vocabulary::method_name(class, method.method).unwrap_or_default();
        walk.say(format!("{} {name}", method.method).trim_end());
        walk.title(vocabulary::method(&method));
        Ok(method)
    })
}

fn object(walk: &mut Walk<'_>) -> Walked<(ClassId, Obis)> {
    let class = ClassId(walk.u16("class id")?);
    walk.say(format!("{} {}", class.0, vocabulary::class_name(class).unwrap_or_default()).trim_end());
    let obis = Obis(walk.read("logical name", |reader| reader.array("logical name"))?);
    walk.say(format!("{} {}", vocabulary::full(obis), vocabulary::object_name(obis)));
    Ok((class, obis))
}

/// An attribute with its optional selection. Gives its words.
fn selected(walk: &mut Walk<'_>) -> Walked<(AttributeRef, String)> {
    let attribute = attribute(walk)?;
    let mut words = vocabulary::attribute(&attribute);
    if walk.flag("access selection", "present", "none")? {
        words.push_str(", ");
        words.push_str(&selection(walk)?);
    }
    Ok((attribute, words))
}

fn selection(walk: &mut Walk<'_>) -> Walked<String> {
    let read = crate::data::AccessSelection::read(&mut Reader::new(walk.left())).ok();
    let words = match read.as_ref().map(Selective::try_from) {
        Some(Ok(Selective::Range { from, to, .. })) => {
            let end = |data: &crate::data::Data| match (data.as_date_time(), data.as_octets()) {
                (Some(time), _) => time.to_string(),
                (None, Some(octets)) => octets_words(octets),
                _ => data.as_i128().map_or_else(|| "?".to_owned(), |number| number.to_string()),
            };
            format!("entries from {} to {}", end(&from), end(&to))
        }
        Some(Ok(Selective::Entry { from, to, .. })) => match to {
            0 => format!("entries {from} to the last"),
            to => format!("entries {from} to {to}"),
        },
        _ => "a part of it".to_owned(),
    };
    walk.group("selection", |walk| {
        let selector = walk.u8("selector")?;
        walk.say(match selector {
            1 => "1 by range".to_owned(),
            2 => "2 by entry".to_owned(),
            other => other.to_string(),
        });
        walk.title(words.clone());
        value(walk, None)
    })?;
    Ok(words)
}

fn access_result(walk: &mut Walk<'_>) -> Walked<String> {
    let code = walk.u8("data access result")?;
    let words = DataAccessResult::from_code(code).map_or_else(|| "success".to_owned(), |why| why.to_string());
    walk.say(words.clone());
    Ok(words)
}

/// A value, or why there is none. Gives its words.
fn data_result(walk: &mut Walk<'_>, of: Option<&AttributeRef>) -> Walked<String> {
    let found = walk.u8("result")?;
    match found {
        0 => {
            walk.say("data");
            value(walk, of)
        }
        1 => {
            walk.say("data access result");
            access_result(walk)
        }
        _ => walk.stop(format!("found {found:02X}, expected 00 (data) or 01 (data access result)")),
    }
}

/// A block of an encoded value. Gives its words.
fn block(walk: &mut Walk<'_>) -> Walked<String> {
    let last = walk.flag("last block", "yes", "no, more follow")?;
    let number = walk.u32("block number")?;
    let raw = raw(walk)?;
    Ok(block_words(last, number, raw))
}

fn raw(walk: &mut Walk<'_>) -> Walked<usize> {
    let count = walk.length("length")?;
    let raw = walk.take(count, "block contents")?;
    walk.say(super::data::hex(raw));
    Ok(raw.len())
}

fn block_words(last: bool, number: u32, octets: usize) -> String {
    let which = if last { "last block" } else { "block" };
    format!("{which} {number}, {octets} octets")
}

/// A counted list.
fn list(
    walk: &mut Walk<'_>,
    name: &'static str,
    mut entry: impl FnMut(&mut Walk<'_>, usize) -> Walked<String>,
) -> Walked<Vec<String>> {
    let count = walk.length(name)?;
    let mut words = Vec::new();
    for index in 0..count {
        if walk.is_empty() {
            return walk.stop(format!("the list ends after {index} of {count} entries; it was cut short"));
        }
        words.push(entry(walk, index)?);
    }
    Ok(words)
}

fn get_request(walk: &mut Walk<'_>) -> Walked {
    let choice = choice(walk, &[(1, "normal"), (2, "next block"), (3, "with list")])?;
    invoke(walk)?;
    let words = match choice {
        1 => selected(walk)?.1,
        2 => format!("next block after {}", walk.u32("block number")?),
        _ => list(walk, "attributes", |walk, _| Ok(selected(walk)?.1))?.join("; "),
    };
    walk.title(format!("Get-Request {words}"));
    Ok(())
}

/// The name of what is answered for, ahead of the answer.
fn about(asked: Option<&AttributeRef>) -> String {
    asked.map_or_else(String::new, |of| format!("{}: ", vocabulary::attribute(of)))
}

fn get_response(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked {
    let choice = choice(walk, &[(1, "normal"), (2, "with block"), (3, "with list")])?;
    invoke(walk)?;
    let words = match choice {
        1 => about(asked.first()) + &data_result(walk, asked.first())?,
        2 => about(asked.first()) + &get_block(walk)?,
        _ => list(walk, "results", |walk, index| {
            Ok(about(asked.get(index)) + &data_result(walk, asked.get(index))?)
        })?
        .join("; "),
    };
    walk.title(format!("Get-Response {words}"));
    Ok(())
}

fn get_block(walk: &mut Walk<'_>) -> Walked<String> {
    let last = walk.flag("last block", "yes", "no, more follow")?;
    let number = walk.u32("block number")?;
    let found = walk.u8("block choice")?;
    match found {
        0 => {
            walk.say("contents");
            Ok(block_words(last, number, raw(walk)?))
        }
        1 => {
            walk.say("data access result");
            Ok(format!("no block {number}: {}", access_result(walk)?))
        }
        _ => walk.stop(format!("found {found:02X}, expected 00 (contents) or 01 (data access result)")),
    }
}

fn set_request(walk: &mut Walk<'_>) -> Walked {
    let names = [
        (1, "normal"),
        (2, "with first block"),
        (3, "with block"),
        (4, "with list"),
        (5, "with list and first block"),
    ];
    let choice = choice(walk, &names)?;
    invoke(walk)?;
    let words = match choice {
        1 => {
            let (attribute, words) = selected(walk)?;
            format!("{words} = {}", value(walk, Some(&attribute))?)
        }
        2 => format!("{}, {}", selected(walk)?.1, block(walk)?),
        3 => block(walk)?,
        4 => {
            let mut attributes = Vec::new();
            let named = list(walk, "attributes", |walk, _| {
                let (attribute, words) = selected(walk)?;
                attributes.push(attribute);
                Ok(words)
            })?;
            let values = list(walk, "values", |walk, index| value(walk, attributes.get(index)))?;
            named
                .iter()
                .zip(&values)
                .map(|(name, value)| format!("{name} = {value}"))
                .collect::<Vec<_>>()
                .join("; ")
        }
        _ => {
            let named = list(walk, "attributes", |walk, _| Ok(selected(walk)?.1))?;
            format!("{}, {}", named.join("; "), block(walk)?)
        }
    };
    walk.title(format!("Set-Request {words}"));
    Ok(())
}

fn set_response(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked {
    let names = [
        (1, "normal"),
        (2, "with block"),
        (3, "with last block"),
        (4, "with last block of a list"),
        (5, "with list"),
    ];
    let choice = choice(walk, &names)?;
    invoke(walk)?;
    let words = match choice {
        1 => about(asked.first()) + &access_result(walk)?,
        2 => format!("block {} taken", walk.u32("block number")?),
        3 => {
            let result = access_result(walk)?;
            format!("{}{result}, last block {} taken", about(asked.first()), walk.u32("block number")?)
        }
        4 => {
            let results = results(walk, asked)?;
            format!("{results}, last block {} taken", walk.u32("block number")?)
        }
        _ => results(walk, asked)?,
    };
    walk.title(format!("Set-Response {words}"));
    Ok(())
}

fn results(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked<String> {
    let results = list(walk, "results", |walk, index| Ok(about(asked.get(index)) + &access_result(walk)?))?;
    Ok(results.join("; "))
}

fn action_request(walk: &mut Walk<'_>) -> Walked {
    let names = [
        (1, "normal"),
        (2, "next block"),
        (3, "with list"),
        (4, "with first block"),
        (5, "with list and first block"),
        (6, "with block"),
    ];
    let choice = choice(walk, &names)?;
    invoke(walk)?;
    let words = match choice {
        1 => {
            let method = vocabulary::method(&method(walk)?);
            match walk.flag("parameter", "present", "none")? {
                true => format!("{method} with {}", value(walk, None)?),
                false => method,
            }
        }
        2 => format!("next block after {}", walk.u32("block number")?),
        3 => {
            let methods = list(walk, "methods", |walk, _| Ok(vocabulary::method(&method(walk)?)))?;
            list(walk, "parameters", |walk, _| value(walk, None))?;
            methods.join("; ")
        }
        4 => format!("{}, {}", vocabulary::method(&method(walk)?), block(walk)?),
        5 => {
            let methods = list(walk, "methods", |walk, _| Ok(vocabulary::method(&method(walk)?)))?;
            format!("{}, {}", methods.join("; "), block(walk)?)
        }
        _ => block(walk)?,
    };
    walk.title(format!("Action-Request {words}"));
    Ok(())
}

fn action_response(walk: &mut Walk<'_>) -> Walked {
    let choice = choice(walk, &[(1, "normal"), (2, "with block"), (3, "with list"), (4, "next block")])?;
    invoke(walk)?;
    let words = match choice {
        1 => action_return(walk)?,
        2 => block(walk)?,
        3 => list(walk, "results", |walk, _| action_return(walk))?.join("; "),
        _ => format!("block {} taken", walk.u32("block number")?),
    };
    walk.title(format!("Action-Response {words}"));
    Ok(())
}

fn action_return(walk: &mut Walk<'_>) -> Walked<String> {
    let code = walk.u8("action result")?;
    let words = ActionResult::from_code(code).map_or_else(|| "success".to_owned(), |why| why.to_string());
    walk.say(words.clone());
    // Some meters leave out even the flag when there is nothing to return.
    if walk.is_empty() || !walk.flag("return value", "present", "none")? {
        return Ok(words);
    }
    Ok(format!("{words}, {}", data_result(walk, None)?))
}

/// An octet string that is a date-time, or empty.
fn time(walk: &mut Walk<'_>, name: &'static str) -> Walked<Option<DateTime>> {
    let octets = walk.read(name, |reader| reader.string(name))?;
    let time = <[u8; 12]>::try_from(octets).ok().map(DateTime::from_octets);
    match (time, octets.is_empty()) {
        (Some(time), _) => walk.say(time.to_string()),
        (None, true) => walk.say("none"),
        (None, false) => {
            walk.say(octets_words(octets));
            walk.problem(format!("{} octets, expected none or the 12 of a date-time", octets.len()));
        }
    }
    Ok(time)
}

fn event_notification(walk: &mut Walk<'_>) -> Walked {
    let when = match walk.flag("time", "present", "none")? {
        true => time(walk, "time")?.map(|time| format!(" at {time}")).unwrap_or_default(),
        false => String::new(),
    };
    let attribute = attribute(walk)?;
    let value = value(walk, Some(&attribute))?;
    walk.title(format!("EventNotificationRequest {} = {value}{when}", vocabulary::attribute(&attribute)));
    Ok(())
}

/// `Long-Invoke-Id-And-Priority`.
fn long_invoke(walk: &mut Walk<'_>) -> Walked {
    let invoke = walk.u32("long invoke id and priority")?;
    walk.say(format!("{}, flags {:02X}", invoke & 0x00FF_FFFF, invoke >> 24));
    Ok(())
}

fn data_notification(walk: &mut Walk<'_>) -> Walked {
    long_invoke(walk)?;
    time(walk, "date-time")?;
    let value = value(walk, None)?;
    walk.title(format!("Data-Notification {value}"));
    Ok(())
}

fn exception(walk: &mut Walk<'_>) -> Walked {
    let words = exception_words(walk.left());
    walk.u8("state error")?;
    let service = walk.u8("service error")?;
    if service == 6 && !walk.is_empty() {
        walk.u32("expected invocation counter")?;
    }
    walk.title(format!("Exception-Response {words}"));
    Ok(())
}

fn exception_words(octets: &[u8]) -> String {
    ExceptionResponse::read(&mut Reader::new(octets)).map_or_else(|_| String::new(), |e| e.to_string())
}

/// The kinds of access in an ACCESS request and response.
const ACCESS: [(u8, &str); 5] =
    [(1, "get"), (2, "set"), (3, "action"), (4, "get with selection"), (5, "set with selection")];

fn access_request(walk: &mut Walk<'_>) -> Walked {
    long_invoke(walk)?;
    time(walk, "date-time")?;
    let specified = list(walk, "access specifications", |walk, _| {
        let kind = choice(walk, &ACCESS)?;
        let words = match kind {
            3 => vocabulary::method(&method(walk)?),
            4 | 5 => {
                let words = vocabulary::attribute(&attribute(walk)?);
                format!("{words}, {}", selection(walk)?)
            }
            _ => vocabulary::attribute(&attribute(walk)?),
        };
        Ok(words)
    })?;
    list(walk, "access data", |walk, _| value(walk, None))?;
    walk.title(format!("Access-Request {}", specified.join("; ")));
    Ok(())
}

fn access_response(walk: &mut Walk<'_>) -> Walked {
    long_invoke(walk)?;
    time(walk, "date-time")?;
    if walk.flag("access specifications", "present", "none")? {
        list(walk, "access specifications", |walk, _| Ok(vocabulary::attribute(&attribute(walk)?)))?;
    }
    let values = list(walk, "access data", |walk, _| value(walk, None))?;
    let results = list(walk, "access results", |walk, _| {
        choice(walk, &ACCESS[..3])?;
        access_result(walk)
    })?;
    let words: Vec<String> =
        results.iter().zip(&values).map(|(result, value)| format!("{result}, {value}")).collect();
    walk.title(format!("Access-Response {}", words.join("; ")));
    Ok(())
}

fn block_transfer(walk: &mut Walk<'_>) -> Walked {
    let control = walk.u8("block control")?;
    let (last, streaming, window) = (control & 0x80 != 0, control & 0x40 != 0, control & 0x3F);
    let which = if last { "last block" } else { "more follow" };
    let streams = if streaming { ", streaming" } else { "" };
    walk.say(format!("{which}{streams}, window {window}"));
    let number = walk.u16("block number")?;
    let acknowledged = walk.u16("block number acknowledged")?;
    let octets = raw(walk)?;
    walk.title(format!(
        "General-Block-Transfer {}, acknowledges {acknowledged}",
        block_words(last, number.into(), octets)
    ));
    Ok(())
}
