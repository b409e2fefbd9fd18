//! Opening and closing an association: ACSE in BER, and the initiate service within it.

use super::apdu::apdu;
use super::data::{hex, text};
use super::walk::{Walk, Walked};
use crate::apdu::{Conformance, Diagnostic, DiagnosticSource};

/// AARQ, AARE, RLRQ and RLRE behind their tag.
pub(super) fn acse(walk: &mut Walk<'_>, tag: u8) -> Walked {
    let length = walk.length("length")?;
    let mut words = Vec::new();
    let body = walk.bounded(length, "fields", |walk| {
        while !walk.is_empty() {
            field(walk, tag, &mut words)?;
        }
        Ok(())
    });
    let name = match tag {
        0x60 => "AARQ",
        0x61 => "AARE",
        0x62 => "RLRQ",
        _ => "RLRE",
    };
    walk.title(format!("{name} {}", words.join(", ")).trim_end());
    body.map(|_| ())
}

/// One field: tag, length, contents.
fn field(walk: &mut Walk<'_>, message: u8, words: &mut Vec<String>) -> Walked {
    let tag = walk.peek().unwrap_or_default();
    walk.group(field_name(message, tag), |walk| {
        walk.u8("tag")?;
        walk.say(format!("{tag:02X}"));
        let length = walk.length("length")?;
        let said = walk.bounded(length, "contents", |walk| contents(walk, message, tag))?;
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            walk.title(said.clone());
            if is_headline(tag) {
                words.push(said);
            }
        }
        Ok(())
    })
}

fn field_name(message: u8, tag: u8) -> &'static str {
    match (message, tag) {
        (0x60 | 0x61, 0x80) => "protocol version",
        (0x60 | 0x61, 0xA1) => "application context name",
        (0x61, 0xA2) => "result",
        (0x61, 0xA3) => "result source diagnostic",
        (0x61, 0xA4) => "responding AP title",
        (0x61, 0xA5) => "responding AE qualifier",
        (0x61, 0xA6) => "responding AP invocation id",
        (0x61, 0xA7) => "responding AE invocation id",
        (0x61, 0x88) => "responder ACSE requirements",
        (0x61, 0x89) => "mechanism name",
        (0x61, 0xAA) => "responding authentication value",
        (0x60, 0xA2) => "called AP title",
        (0x60, 0xA3) => "called AE qualifier",
        (0x60, 0xA4) => "called AP invocation id",
        (0x60, 0xA5) => "called AE invocation id",
        (0x60, 0xA6) => "calling AP title",
        (0x60, 0xA7) => "calling AE qualifier",
        (0x60, 0xA8) => "calling AP invocation id",
        (0x60, 0xA9) => "calling AE invocation id",
        (0x60, 0x8A) => "sender ACSE requirements",
        (0x60, 0x8B) => "mechanism name",
        (0x60, 0xAC) => "calling authentication value",
        (0x62 | 0x63, 0x80) => "reason",
        (_, 0xBE) => "user information",
        (_, 0xBD) => "implementation information",
        _ => "field of another kind",
    }
}

/// Fields whose words stand in the headline of the message.
fn is_headline(tag: u8) -> bool {
    matches!(tag, 0xA1 | 0xA2 | 0xA3 | 0x8B | 0x89 | 0x80)
}

fn contents(walk: &mut Walk<'_>, message: u8, tag: u8) -> Walked<String> {
    match (message, tag) {
        (_, 0xA1) => {
            inner(walk, "type and length")?;
            object_identifier(walk)
        }
        (0x61, 0x89) | (0x60, 0x8B) => object_identifier(walk),
        (0x61, 0xA2) => {
            inner(walk, "type and length")?;
            association_result(walk)
        }
        (0x61, 0xA3) => diagnostic(walk),
        (0x62 | 0x63, 0x80) => reason(walk, message),
        (0x61, 0x88) | (0x60, 0x8A) => {
            let bits = walk.rest("bits");
            let authentication = bits.last().is_some_and(|octet| octet & 0x80 != 0);
            walk.say(if authentication { "authentication" } else { "none" });
            Ok(String::new())
        }
        (0x61, 0xAA) | (0x60, 0xAC) => {
            inner(walk, "type and length")?;
            // A low-level password crosses the wire in clear, and what is shown here is copied into mails and tickets.
            let length = walk.rest("value").len();
            if message == 0x60 {
                walk.secret();
            }
            walk.say(format!("password or challenge of {length} octets"));
            Ok(format!("password or challenge of {length} octets"))
        }
        (0x60, 0xA6) | (0x61, 0xA4) => {
            inner(walk, "type and length")?;
            let title = title(walk.rest("system title"));
            walk.say(title.clone());
            Ok(title)
        }
        (_, 0xBE) => {
            inner(walk, "type and length")?;
            walk.group("initiate", |walk| apdu(walk, &[]))?;
            Ok(String::new())
        }
        _ => {
            let octets = walk.rest("octets");
            walk.say(hex(octets));
            Ok(String::new())
        }
    }
}

/// A system title: three letters of the manufacturer and five octets.
pub(super) fn title(octets: &[u8]) -> String {
    match octets.split_at_checked(3).map(|(maker, rest)| (text(maker), rest)) {
        Some((Some(maker), rest)) if octets.len() == 8 => format!("{} ({maker} {})", hex(octets), hex(rest)),
        _ => hex(octets),
    }
}

/// Type and length of an inner field, which the outer one has bounded already.
fn inner(walk: &mut Walk<'_>, name: &'static str) -> Walked {
    let (tag, length) = walk.read(name, |reader| Ok((reader.u8(name)?, reader.length(name)?)))?;
    walk.say(format!("{tag:02X}, {length} octets"));
    if length != walk.left().len() {
        walk.problem(format!("says {length} octets, {} follow", walk.left().len()));
    }
    Ok(())
}

fn object_identifier(walk: &mut Walk<'_>) -> Walked<String> {
    let octets = walk.rest("object identifier");
    let words = match octets {
        [0x60, 0x85, 0x74, 0x05, 0x08, 1, number] => context(*number),
        [0x60, 0x85, 0x74, 0x05, 0x08, 2, number] => mechanism(*number),
        _ => {
            let words = hex(octets);
            walk.say(words.clone());
            walk.problem("not an object identifier of the DLMS UA (60 85 74 05 08)");
            return Ok(words);
        }
    };
    walk.say(words.clone());
    Ok(words)
}

fn context(number: u8) -> String {
    match number {
        1 => "logical names, not ciphered".to_owned(),
        2 => "short names, not ciphered".to_owned(),
        3 => "logical names, ciphered".to_owned(),
        4 => "short names, ciphered".to_owned(),
        other => format!("context {other}"),
    }
}

fn mechanism(number: u8) -> String {
    match number {
        0 => "lowest level security".to_owned(),
        1 => "low level security (password)".to_owned(),
        2 => "high level security, manufacturer's own".to_owned(),
        3 => "high level security, MD5".to_owned(),
        4 => "high level security, SHA-1".to_owned(),
        5 => "high level security, GMAC".to_owned(),
        6 => "high level security, SHA-256".to_owned(),
        7 => "high level security, ECDSA".to_owned(),
        other => format!("mechanism {other}"),
    }
}

fn association_result(walk: &mut Walk<'_>) -> Walked<String> {
    let words = match walk.u8("result")? {
        0 => "accepted".to_owned(),
        1 => "rejected for good".to_owned(),
        2 => "rejected for now".to_owned(),
        other => format!("result {other}"),
    };
    walk.say(words.clone());
    Ok(words)
}

fn diagnostic(walk: &mut Walk<'_>) -> Walked<String> {
    let from = walk.peek();
    let source =
        if from == Some(0xA2) { DiagnosticSource::ServiceProvider } else { DiagnosticSource::ServiceUser };
    inner(walk, "source")?;
    walk.say(if source == DiagnosticSource::ServiceProvider { "service provider" } else { "service user" });
    inner(walk, "type and length")?;
    let words = Diagnostic { source, code: walk.u8("diagnostic")? }.to_string();
    walk.say(words.clone());
    Ok(words)
}

fn reason(walk: &mut Walk<'_>, message: u8) -> Walked<String> {
    let code = walk.u8("reason")?;
    let words = match (code, message) {
        (0, _) => "normal".to_owned(),
        (1, 0x62) => "urgent".to_owned(),
        (1, _) => "not finished".to_owned(),
        (30, _) => "user defined".to_owned(),
        _ => format!("reason {code}"),
    };
    walk.say(words.clone());
    Ok(words)
}

/// An InitiateRequest behind its tag.
pub(super) fn initiate_request(walk: &mut Walk<'_>) -> Walked {
    if walk.flag("dedicated key", "present", "none")? {
        let length = walk.read("dedicated key", |reader| reader.string("dedicated key"))?.len();
        walk.say(format!("{length} octets"));
        walk.secret();
    }
    if walk.flag("response allowed", "said", "as by default: yes")? {
        walk.flag("response allowed", "yes", "no")?;
    }
    quality(walk)?;
    let words = offer(walk, "longest APDU the client takes")?;
    walk.title(format!("InitiateRequest {words}"));
    Ok(())
}

/// An InitiateResponse behind its tag.
pub(super) fn initiate_response(walk: &mut Walk<'_>) -> Walked {
    quality(walk)?;
    let words = offer(walk, "longest APDU the server takes")?;
    let name = walk.u16("VAA name")?;
    walk.say(match name {
        7 => "0007 logical names".to_owned(),
        0xFA00 => "FA00 short names".to_owned(),
        other => format!("{other:04X}"),
    });
    walk.title(format!("InitiateResponse {words}"));
    Ok(())
}

fn quality(walk: &mut Walk<'_>) -> Walked {
    if walk.flag("quality of service", "said", "none")? {
        walk.u8("quality of service")?;
    }
    Ok(())
}

fn offer(walk: &mut Walk<'_>, longest: &'static str) -> Walked<String> {
    let version = walk.u8("xDLMS version")?;
    let bits = walk.read("conformance", crate::apdu::read_conformance)?;
    let words = conformance(bits);
    walk.say(words.clone());
    let limit = walk.u16(longest)?;
    walk.say(if limit == 0 { "no limit".to_owned() } else { format!("{limit} octets") });
    Ok(format!("version {version}, APDUs up to {limit}, services {words}"))
}

/// Services by bit, bit 0 of the standard first.
const SERVICES: [&str; 24] = [
    "bit 0",
    "general-protection",
    "general-block-transfer",
    "read",
    "write",
    "unconfirmed-write",
    "delta-value-encoding",
    "bit 7",
    "attribute0-with-set",
    "priority-mgmt",
    "attribute0-with-get",
    "block-transfer-with-get-or-read",
    "block-transfer-with-set-or-write",
    "block-transfer-with-action",
    "multiple-references",
    "information-report",
    "data-notification",
    "access",
    "parameterized-access",
    "get",
    "set",
    "selective-access",
    "event-notification",
    "action",
];

fn conformance(conformance: Conformance) -> String {
    let set = |bit: usize| conformance.bits() & (1 << (23 - bit)) != 0;
    let services: Vec<&str> =
        SERVICES.iter().enumerate().filter(|(bit, _)| set(*bit)).map(|(_, name)| *name).collect();
    if services.is_empty() { "none".to_owned() } else { services.join(" ") }
}

/// A ConfirmedServiceError behind its tag.
pub(super) fn service_error(walk: &mut Walk<'_>) -> Walked {
    let service = walk.u8("confirmed service")?;
    walk.say(match service {
        1 => "initiate".to_owned(),
        5 => "read".to_owned(),
        6 => "write".to_owned(),
        other => format!("service {other}"),
    });
    let kind = walk.u8("service error")?;
    walk.say(match kind {
        0 => "application reference".to_owned(),
        1 => "hardware resource".to_owned(),
        2 => "VDE state".to_owned(),
        3 => "service".to_owned(),
        4 => "definition".to_owned(),
        5 => "access".to_owned(),
        6 => "initiate".to_owned(),
        other => format!("kind {other}"),
    });
    let code = walk.u8("error")?;
    let words = match (kind, code) {
        (6, 1) => "xDLMS version too low".to_owned(),
        (6, 2) => "no services in common".to_owned(),
        (6, 3) => "maximum APDU size too short".to_owned(),
        (6, 4) => "refused by the VDE handler".to_owned(),
        (_, 0) => "other reason".to_owned(),
        _ => format!("error {code}"),
    };
    walk.say(words.clone());
    walk.title(format!("ConfirmedServiceError {words}"));
    Ok(())
}
