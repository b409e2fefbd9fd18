//! What APDUs travel in: HDLC frames, the TCP and UDP wrapper, the LLC and gateway headers.

use super::apdu::{Asked, apdu};
use super::data::hex;
use super::walk::{Walk, Walked};
use crate::hdlc::{
    self, Address, Control, FLAG, FrameReject, Information, MaxInfo, Unnumbered, check_sequence,
};

/// What is done with the information field of a frame that carries part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// It is a whole message: explain it in place.
    Message(Asked<'a>),
    /// It is a segment of one.
    Segment,
}

/// An HDLC frame, with or without its flags.
pub(super) fn frame(walk: &mut Walk<'_>, content: Content<'_>) -> Walked {
    let flags = walk.left().iter().take_while(|octet| **octet == FLAG).count();
    if flags > 0 {
        walk.take(flags, "opening flag")?;
    }
    let before = walk.so_far().len();
    let (segmented, length) = format(walk)?;
    let left = walk.left().len() + 2;
    if length > left {
        walk.problem(format!(
            "says {length} octets, {left} follow; the frame was cut short or its length is wrong"
        ));
    }
    let body = length.min(left).saturating_sub(4);
    let computed = checked(walk, before, length.min(left));
    let words =
        walk.bounded(body, "frame", |walk| fields(walk, before, segmented, content))?.unwrap_or_default();
    check(walk, "FCS", computed)?;
    if walk.peek() == Some(FLAG) {
        walk.take(1, "closing flag")?;
    }
    walk.title(words);
    Ok(())
}

/// The check sequence the frame's octets call for. The frame format has been walked over already.
fn checked(walk: &Walk<'_>, before: usize, length: usize) -> [u8; 2] {
    let whole = &walk.all()[before..];
    check_sequence(&whole[..length.saturating_sub(2).min(whole.len())])
}

fn format(walk: &mut Walk<'_>) -> Walked<(bool, usize)> {
    let [first, second] = walk.read("frame format", |reader| reader.array("frame format"))?;
    let length = usize::from(u16::from_be_bytes([first & 0x07, second]));
    let segmented = first & 0x08 != 0;
    let segment = if segmented { "more segments follow" } else { "last or only segment" };
    walk.say(format!("type {}, {length} octets, {segment}", first >> 4));
    if first & 0xF0 != 0xA0 {
        return walk.stop(format!("format type {:X}, expected A: this is no HDLC frame", first >> 4));
    }
    Ok((segmented, length))
}

fn fields(walk: &mut Walk<'_>, before: usize, segmented: bool, content: Content<'_>) -> Walked<String> {
    let destination = walk.read("destination address", Address::read)?;
    walk.say(destination.to_string());
    let source = walk.read("source address", Address::read)?;
    walk.say(source.to_string());
    let control = Control::from_octet(walk.u8("control")?);
    walk.say(control_words(control));
    let words = format!("{source} to {destination}: {}", control_words(control));
    walk.title(words.clone());
    if matches!(control, Control::Unknown(_)) {
        walk.problem("no frame of IEC 62056-46 has this control octet");
    }
    if !walk.is_empty() {
        let computed = check_sequence(&walk.so_far()[before..]);
        check(walk, "HCS", computed)?;
        information(walk, control, segmented, content)?;
    }
    Ok(words)
}

/// A check sequence: right, or wrong and what was expected.
fn check(walk: &mut Walk<'_>, name: &'static str, computed: [u8; 2]) -> Walked {
    let found: [u8; 2] = walk.read(name, |reader| reader.array(name))?;
    if found == computed {
        walk.say("right");
        return Ok(());
    }
    walk.say("wrong");
    let [f0, f1] = found;
    let [c0, c1] = computed;
    walk.problem(format!(
        "found {f0:02X} {f1:02X}, expected {c0:02X} {c1:02X}: noise on the line, or wrong baud rate or parity"
    ));
    Ok(())
}

fn control_words(control: Control) -> String {
    let with = |poll: bool| if poll { ", P/F" } else { "" };
    match control {
        Control::Information { nr, ns, poll } => format!("I N(S) {ns} N(R) {nr}{}", with(poll)),
        Control::ReceiveReady { nr, poll } => format!("RR N(R) {nr}{}", with(poll)),
        Control::ReceiveNotReady { nr, poll } => format!("RNR N(R) {nr}{}", with(poll)),
        Control::Reject { nr, poll } => format!("REJ N(R) {nr}{}", with(poll)),
        Control::Unnumbered { kind, poll } => format!("{}{}", unnumbered(kind), with(poll)),
        Control::Unknown(octet) => format!("unknown control {octet:02X}"),
    }
}

fn unnumbered(kind: Unnumbered) -> &'static str {
    match kind {
        Unnumbered::Connect => "SNRM connect",
        Unnumbered::Disconnect => "DISC disconnect",
        Unnumbered::Acknowledge => "UA agreed",
        Unnumbered::Disconnected => "DM not connected",
        Unnumbered::FrameReject => "FRMR frame rejected",
        Unnumbered::Information => "UI",
    }
}

fn information(walk: &mut Walk<'_>, control: Control, segmented: bool, content: Content<'_>) -> Walked {
    match control {
        Control::Unnumbered { kind: Unnumbered::Connect | Unnumbered::Acknowledge, .. } => {
            walk.group("negotiation", negotiation)
        }
        Control::Unnumbered { kind: Unnumbered::FrameReject, .. } => {
            let octets = walk.rest("reason");
            walk.say(reject_words(octets));
            Ok(())
        }
        _ => match (content, segmented) {
            (Content::Message(asked), false) => message(walk, asked),
            _ => {
                let octets = walk.rest("segment of a message");
                walk.say(format!("{} octets", octets.len()));
                Ok(())
            }
        },
    }
}

fn reject_words(octets: &[u8]) -> String {
    let rejected = FrameReject::decode(&Information::new(octets.to_vec()).unwrap_or_default());
    let why = [
        (rejected.unknown_control, "control octet not known"),
        (rejected.too_long, "information field too long"),
        (rejected.bad_acknowledgement, "acknowledges frames never sent"),
    ];
    let why: Vec<&str> = why.iter().filter(|(is, _)| *is).map(|(_, why)| *why).collect();
    let why = if why.is_empty() { "no reason given".to_owned() } else { why.join(", ") };
    format!("rejected {}: {why}", control_words(Control::from_octet(rejected.control)))
}

fn negotiation(walk: &mut Walk<'_>) -> Walked {
    let [format, group, length] = walk.read("negotiation header", |reader| reader.array("header"))?;
    walk.say(format!("{length} octets"));
    if (format, group) != (0x81, 0x80) {
        return walk.stop(format!("found {format:02X} {group:02X}, expected 81 80"));
    }
    let mut words = Vec::new();
    let parameters = walk.bounded(usize::from(length), "parameters", |walk| {
        while !walk.is_empty() {
            words.push(parameter(walk)?);
        }
        Ok(())
    });
    walk.title(words.join(", "));
    parameters.map(|_| ())
}

fn parameter(walk: &mut Walk<'_>) -> Walked<String> {
    let (number, value) = walk.read("parameter", |reader| {
        let number = reader.u8("parameter")?;
        let value = reader.string("parameter value")?;
        Ok((number, value.iter().fold(0_u64, |sum, octet| (sum << 8) | u64::from(*octet))))
    })?;
    let words = match number {
        5 => format!("longest information sent {value}"),
        6 => format!("longest information received {value}"),
        7 => format!("window sent {value}"),
        8 => format!("window received {value}"),
        other => format!("parameter {other:02X} {value}"),
    };
    walk.say(words.clone());
    let most = if number <= 6 { u64::from(MaxInfo::MAX.get()) } else { 7 };
    if (5..=8).contains(&number) && !(1..=most).contains(&value) {
        walk.problem(format!("found {value}, expected 1 to {most}"));
    }
    Ok(words)
}

/// LLC header, where there is one, and APDU.
pub(super) fn message(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked {
    match walk.left() {
        [0xE6, 0xE6, 0x00, ..] => {
            walk.take(3, "LLC")?;
            walk.say("request");
        }
        [0xE6, 0xE7, 0x00, ..] => {
            walk.take(3, "LLC")?;
            walk.say("response");
        }
        _ => {}
    }
    behind_gateway(walk, asked)
}

/// Gateway header, where there is one, and APDU.
pub(super) fn behind_gateway(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked {
    if !matches!(walk.peek(), Some(0xE6 | 0xE7)) {
        return walk.group("APDU", |walk| apdu(walk, asked));
    }
    walk.group("gateway header", |walk| {
        let which = walk.u8("direction")?;
        let way = if which == 0xE6 { "request to" } else { "from" };
        walk.say(if which == 0xE6 { "request" } else { "response or push" });
        let network = walk.u8("network id")?;
        let address = walk.read("physical address", |reader| reader.string("physical address"))?;
        let device = eui64(address);
        walk.say(device.clone());
        walk.title(format!("{way} {device} on network {network}"));
        Ok(())
    })?;
    if is_foreign(walk.left()) {
        let octets = walk.rest("payload");
        walk.say(hex(octets));
        walk.foreign();
        return Ok(());
    }
    walk.group("APDU", |walk| apdu(walk, asked))
}

/// Octets that are no APDU: an APS data frame of a device that speaks ZCL only.
fn is_foreign(octets: &[u8]) -> bool {
    octets
        .first()
        .is_some_and(|tag| super::apdu::tag_name(*tag).is_none() || matches!(tag, 0x01 | 0x08 | 0x0E))
}

fn eui64(address: &[u8]) -> String {
    let pairs: Vec<String> = address.iter().map(|octet| format!("{octet:02X}")).collect();
    pairs.join("-")
}

/// A wrapped message.
pub(super) fn wrapper(walk: &mut Walk<'_>, asked: Asked<'_>) -> Walked {
    let (source, destination, length) = walk.group("wrapper header", |walk| {
        let version = walk.u16("version")?;
        if version != 1 {
            return walk.stop(format!("found {version:04X}, expected 0001; the other side may speak HDLC"));
        }
        let source = walk.u16("source wPort")?;
        let destination = walk.u16("destination wPort")?;
        let length = walk.u16("length")?;
        walk.title(format!("{source} to {destination}, {length} octets"));
        Ok((source, destination, usize::from(length)))
    })?;
    walk.title(format!("{source} to {destination}"));
    walk.bounded(length, "message", |walk| behind_gateway(walk, asked)).map(|_| ())
}

/// Whether octets are an HDLC frame, with or without flags, whose check sequence is right.
pub(super) fn is_frame(octets: &[u8]) -> bool {
    let inner = match octets {
        [FLAG, inner @ .., FLAG] => inner,
        inner => inner,
    };
    inner.len() >= 7 && hdlc::Frame::decode(inner).is_ok()
}
