//! The text of an optical port before HDLC: requests, identifications, acknowledgements, read-outs (IEC 62056-21).

use super::walk::{Walk, Walked};
use crate::sign_on::{Baud, Identification};

const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;

/// A character without the parity an adapter left at eight bits shows in the highest.
pub(super) fn character(octet: u8) -> u8 {
    octet & 0x7F
}

/// One message of the exchange.
pub(super) fn sign_on(walk: &mut Walk<'_>) -> Walked {
    match walk.peek().map(character) {
        Some(b'/') => line(walk),
        Some(ACK) => acknowledgement(walk),
        Some(NAK) => {
            walk.take(1, "NAK")?;
            walk.say("repeat the last message");
            walk.title("NAK");
            Ok(())
        }
        Some(SOH | STX) => message(walk),
        _ => {
            walk.rest("text");
            walk.stop("no message of IEC 62056-21 starts so")
        }
    }
}

fn plain(octets: &[u8]) -> String {
    let text: String = octets.iter().map(|octet| char::from(character(*octet))).collect();
    text.trim_end_matches(['\r', '\n']).escape_debug().to_string()
}

fn has_parity(octets: &[u8]) -> bool {
    octets.iter().any(|octet| octet & 0x80 != 0)
}

fn line(walk: &mut Walk<'_>) -> Walked {
    let octets = walk.left();
    let bare: Vec<u8> = octets.iter().copied().map(character).collect();
    let parity = if has_parity(octets) { ", parity in the highest bit" } else { "" };
    if bare.get(1) == Some(&b'?') {
        walk.rest("request");
        walk.say(format!("{}{parity}", plain(octets)));
        let address = plain(&bare[2..]);
        let address = address.trim_end_matches('!');
        let whom = if address.is_empty() { "any meter".to_owned() } else { format!("meter {address}") };
        walk.title(format!("sign-on request to {whom}"));
        return Ok(());
    }
    walk.rest("identification");
    walk.say(format!("{}{parity}", plain(octets)));
    match Identification::decode(&bare) {
        Ok(identification) => {
            walk.title(identification_words(&identification));
            Ok(())
        }
        Err(error) => walk.stop(error.to_string()),
    }
}

fn identification_words(identification: &Identification) -> String {
    let maker: String = identification.manufacturer.iter().map(|octet| char::from(*octet)).collect();
    let mode = if identification.mode_e { ", mode E" } else { "" };
    format!("identification: {maker}, {:?}, up to {}{mode}", identification.text, identification.baud)
}

fn acknowledgement(walk: &mut Walk<'_>) -> Walked {
    walk.take(1, "ACK")?;
    if walk.is_empty() {
        walk.title("ACK");
        return Ok(());
    }
    let protocol = character(walk.u8("protocol control character")?);
    walk.say(match protocol {
        b'0' => "0 normal".to_owned(),
        b'1' => "1 secondary".to_owned(),
        b'2' => "2 HDLC".to_owned(),
        other => char::from(other).escape_debug().to_string(),
    });
    let rate = character(walk.u8("baud rate character")?);
    let baud = Baud::from_character(rate).map_or_else(|| "unknown speed".to_owned(), |baud| baud.to_string());
    walk.say(format!("{} {baud}", char::from(rate).escape_debug()));
    let mode = character(walk.u8("mode control character")?);
    let words = match mode {
        b'0' => "data read-out",
        b'1' => "programming mode",
        b'2' => "binary mode (HDLC)",
        _ => "manufacturer's own mode",
    };
    walk.say(format!("{} {words}", char::from(mode).escape_debug()));
    walk.rest("line end");
    walk.title(format!("acknowledgement: {words} at {baud}"));
    Ok(())
}

/// `[SOH command] STX data ETX BCC`.
fn message(walk: &mut Walk<'_>) -> Walked {
    let whole = walk.left();
    let mut words = "data".to_owned();
    if walk.peek().map(character) == Some(SOH) {
        walk.take(1, "SOH")?;
        let command = walk.take(2, "command")?;
        words = format!("command {}", plain(command));
        walk.say(plain(command));
    }
    if walk.peek().map(character) == Some(STX) {
        walk.take(1, "STX")?;
    }
    let end = walk.left().iter().position(|octet| matches!(character(*octet), ETX | EOT));
    let sets = walk.take(end.unwrap_or(walk.left().len()), "data")?;
    walk.say(plain(sets));
    // A password command carries its password in clear.
    if words.contains("command P") {
        walk.say("not shown");
        walk.secret();
    }
    walk.title(words);
    if end.is_none() {
        return walk.stop("no ETX; the message was cut short");
    }
    walk.take(1, "ETX")?;
    block_check(walk, whole)
}

/// The BCC: exclusive or of all after the first SOH or STX, up to and with ETX.
fn block_check(walk: &mut Walk<'_>, whole: &[u8]) -> Walked {
    let covered = &whole[1..whole.len() - walk.left().len()];
    let computed = covered.iter().fold(0, |sum, octet| sum ^ character(*octet));
    let found = character(walk.u8("BCC")?);
    if found == computed {
        walk.say("right");
        return Ok(());
    }
    walk.say("wrong");
    walk.problem(format!("found {found:02X}, expected {computed:02X}: noise on the line, or wrong parity"));
    Ok(())
}
