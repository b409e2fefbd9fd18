//! Ciphered APDUs: who sealed them, how, with which invocation counter. What they hold needs the keys.

use super::acse::title;
use super::data::hex;
use super::walk::{Walk, Walked};

/// Ciphered services by tag.
const CIPHERED: [(u8, &str); 21] = [
    (0x21, "glo-InitiateRequest"),
    (0x28, "glo-InitiateResponse"),
    (0x2E, "glo-ConfirmedServiceError"),
    (0x41, "ded-InitiateRequest"),
    (0x48, "ded-InitiateResponse"),
    (0x4E, "ded-ConfirmedServiceError"),
    (0xC8, "glo-Get-Request"),
    (0xC9, "glo-Set-Request"),
    (0xCA, "glo-EventNotificationRequest"),
    (0xCB, "glo-Action-Request"),
    (0xCC, "glo-Get-Response"),
    (0xCD, "glo-Set-Response"),
    (0xCF, "glo-Action-Response"),
    (0xD0, "ded-Get-Request"),
    (0xD1, "ded-Set-Request"),
    (0xD2, "ded-EventNotificationRequest"),
    (0xD3, "ded-Action-Request"),
    (0xD4, "ded-Get-Response"),
    (0xD5, "ded-Set-Response"),
    (0xD7, "ded-Action-Response"),
    (GENERAL_GLO, "General-Glo-Ciphering"),
];

const GENERAL_GLO: u8 = 0xDB;
const GENERAL_DED: u8 = 0xDC;
const GENERAL: u8 = 0xDD;
const SIGNING: u8 = 0xDF;

/// The name of a ciphered or signed service.
pub(super) fn name(tag: u8) -> Option<&'static str> {
    match tag {
        GENERAL_DED => Some("General-Ded-Ciphering"),
        GENERAL => Some("General-Ciphering"),
        SIGNING => Some("General-Signing"),
        _ => CIPHERED.iter().find(|row| row.0 == tag).map(|row| row.1),
    }
}

/// Whether APDUs with this tag are ciphered or signed.
pub(super) fn is_ciphered(tag: u8) -> bool {
    name(tag).is_some()
}

/// A ciphered APDU behind its tag.
pub(super) fn ciphered(walk: &mut Walk<'_>, tag: u8) -> Walked {
    let sender = match tag {
        GENERAL_GLO | GENERAL_DED => format!(", from {}", string(walk, "system title", title)?),
        GENERAL | SIGNING => general_header(walk)?,
        _ => String::new(),
    };
    let length = walk.length("length")?;
    let sealed = walk.bounded(length, "sealed", sealed)?.unwrap_or_default();
    if tag == SIGNING {
        string(walk, "signature", hex)?;
    }
    walk.title(format!("{} {sealed}{sender}", name(tag).unwrap_or_default()));
    Ok(())
}

fn string(walk: &mut Walk<'_>, part: &'static str, words: impl FnOnce(&[u8]) -> String) -> Walked<String> {
    let octets = walk.read(part, |reader| reader.string(part))?;
    let words = words(octets);
    walk.say(words.clone());
    Ok(words)
}

/// Transaction id, who to whom, when, other information and, when ciphered, which key.
fn general_header(walk: &mut Walk<'_>) -> Walked<String> {
    let signed = walk.so_far().last() == Some(&SIGNING);
    string(walk, "transaction id", hex)?;
    let from = string(walk, "originator system title", title)?;
    let to = string(walk, "recipient system title", title)?;
    string(walk, "date-time", hex)?;
    string(walk, "other information", hex)?;
    if !signed && walk.flag("key information", "present", "none")? {
        key_information(walk)?;
    }
    Ok(format!(", from {from} to {to}"))
}

fn key_information(walk: &mut Walk<'_>) -> Walked {
    match walk.u8("key choice")? {
        0 => {
            walk.say("identified key");
            let key = walk.u8("key id")?;
            walk.say(if key == 0 {
                "global unicast encryption key"
            } else {
                "global broadcast encryption key"
            });
        }
        1 => {
            walk.say("wrapped key");
            walk.u8("wrapping key id")?;
            string(walk, "wrapped key", |octets| format!("{} octets", octets.len()))?;
        }
        2 => {
            walk.say("agreed key");
            string(walk, "parameters", hex)?;
            string(walk, "ciphered key data", |octets| format!("{} octets", octets.len()))?;
        }
        other => return walk.stop(format!("found {other:02X}, expected 00 to 02")),
    }
    Ok(())
}

/// Octets of a suite 0 authentication tag.
const TAG: usize = 12;

fn sealed(walk: &mut Walk<'_>) -> Walked<String> {
    let control = walk.u8("security control")?;
    let words = security_control(control);
    walk.say(words.clone());
    let counter = walk.u32("invocation counter")?;
    let tag = if control & 0x10 == 0 { 0 } else { TAG };
    let contents = walk.left().len().saturating_sub(tag);
    let octets = walk.take(contents, if control & 0x20 == 0 { "plain APDU" } else { "ciphered APDU" })?;
    walk.say(hex(octets));
    if tag > 0 {
        let octets = walk.take(tag, "authentication tag")?;
        walk.say(hex(octets));
    }
    let words = format!("{words}, invocation counter {counter}, {contents} octets");
    walk.title(words.clone());
    Ok(words)
}

fn security_control(control: u8) -> String {
    let how = match control & 0x30 {
        0x00 => "neither authenticated nor encrypted",
        0x10 => "authenticated",
        0x20 => "encrypted",
        _ => "authenticated and encrypted",
    };
    let key = if control & 0x40 == 0 { "unicast" } else { "broadcast" };
    let compressed = if control & 0x80 == 0 { "" } else { ", compressed" };
    format!("{how}, suite {}, {key} key{compressed}", control & 0x0F)
}
