//! Explaining the line to a dongle: frames of ASH, the EZSP commands in them, and the ZCL frames in those.

use super::cursor::{self, Cursor, Explained};
use super::{Span, cluster_name, zcl_frame};
use crate::ash::{self, Deframer, FLAG};
use crate::ezsp::{ApsHeader, Direction, Format, Frame, commands::*};
use crate::field::Field;
use crate::zdo;

/// What stood on the line up to a flag, and the EZSP frame in it where it carries one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AshFrame {
    /// The octets as they stood there, escapes and check sequence with them.
    pub span: Span,
    /// The payload of a data frame, as it was before the line's own masking.
    pub payload: Option<Vec<u8>>,
}

/// Octets of a line to a dongle, cut at the flags that end its frames.
#[derive(Debug, Default)]
pub struct AshCutter {
    held: Vec<u8>,
}

/// Octets without a flag in them that are held; what is longer is cut there.
const LONGEST: usize = 1024;

impl AshCutter {
    /// Takes octets in; each piece that is whole now.
    pub fn receive(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        for octet in octets {
            self.held.push(*octet);
            if *octet == FLAG || self.held.len() >= LONGEST {
                pieces.push(std::mem::take(&mut self.held));
            }
        }
        pieces
    }

    /// What is left without a flag at its end; nothing where nothing is.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.held)).filter(|held| !held.is_empty())
    }
}

/// Explains octets of a line to a dongle up to a flag.
pub fn ash(octets: &[u8]) -> AshFrame {
    let mut deframer = Deframer::new();
    // The deframer takes octets in their order; what ends last is the frame.
    let ended = octets.iter().fold(None, |ended, octet| deframer.receive(*octet).or(ended));
    let (value, problem, payload) = match ended {
        Some(Ok(frame)) => said(frame),
        Some(Err(error)) => (String::new(), Some(error.to_string()), None),
        None if octets.iter().all(|octet| *octet == FLAG) => ("flag alone".to_owned(), None, None),
        None => (String::new(), Some("no flag ends it".to_owned()), None),
    };
    let secret = payload.as_deref().is_some_and(carries_key);
    let mut span = cursor::whole(octets.len(), "ASH frame", value);
    (span.problem, span.secret) = (problem, secret);
    AshFrame { span, payload }
}

fn said(frame: ash::Frame) -> (String, Option<String>, Option<Vec<u8>>) {
    let ready = |not_ready: bool| if not_ready { ", not ready for callbacks" } else { "" };
    let words = match &frame {
        ash::Frame::Data { number, again, ack, .. } => {
            let again = if *again { " again" } else { "" };
            format!("DATA {number}{again}, expects {ack}")
        }
        ash::Frame::Ack { ack, not_ready } => format!("ACK, expects {ack}{}", ready(*not_ready)),
        ash::Frame::Nak { ack, not_ready } => format!("NAK, expects {ack}{}", ready(*not_ready)),
        ash::Frame::Reset => "RST: start again".to_owned(),
        ash::Frame::ResetAck { code } => format!("RSTACK: started, reset code {code:02X}"),
        ash::Frame::Error { code } => format!("ERROR: stopped, code {code:02X}"),
    };
    let payload = match frame {
        ash::Frame::Data { payload, .. } => Some(payload),
        _ => None,
    };
    (words, None, payload)
}

/// Explains an EZSP frame with the message it carries.
pub fn ezsp(octets: &[u8]) -> Span {
    let mut span = cursor::explain(octets, "EZSP frame", |cursor| {
        let header = cursor.group("EZSP header", header)?;
        let name = name(header.id).map_or_else(|| format!("frame {:04X}", header.id), str::to_owned);
        let way = match header.direction {
            Direction::Command => "",
            Direction::Response => " answered",
            Direction::Callback => " callback",
        };
        let message = parameters(cursor, &header)?;
        cursor.title(format!("{name}{way}{message}"));
        Ok(())
    });
    hide_key(&mut span, octets);
    span
}

/// The layout of a frame: only version 8 and later have the bits of frame format version 1 in their third octet.
fn format(octets: &[u8]) -> Format {
    match octets.get(2) {
        Some(high) if high & 0x03 == 1 => Format::Extended,
        _ => Format::Legacy,
    }
}

fn header(cursor: &mut Cursor<'_>) -> Explained<Frame> {
    let octets = cursor.peek();
    let layout = format(octets);
    let length = if layout == Format::Extended { 5 } else { 3 };
    cursor.u8("sequence")?;
    cursor.u8("frame control")?;
    if layout == Format::Extended {
        cursor.u8("frame control, high octet")?;
        cursor.u16("frame identifier")?;
    } else {
        cursor.u8("frame identifier")?;
    }
    match Frame::parse(layout, octets.get(..length).unwrap_or(octets)) {
        Ok(frame) => {
            cursor.say(format!("{:04X} {}", frame.id, name(frame.id).unwrap_or_default()).trim_end());
            Ok(frame)
        }
        Err(error) => cursor.stop(error.to_string()),
    }
}

/// Reads the parameters; words of the message they carry, where they carry one.
fn parameters(cursor: &mut Cursor<'_>, header: &Frame) -> Explained<String> {
    match (header.direction, header.id) {
        (Direction::Command, SendUnicast::ID) => {
            cursor.u8("kind")?;
            let to = address(cursor, "destination")?;
            let aps = aps_header(cursor)?;
            cursor.u8("tag")?;
            message(cursor, &aps).map(|words| format!(" to {to}: {words}"))
        }
        (Direction::Callback, INCOMING_MESSAGE) => {
            cursor.u8("kind")?;
            let aps = aps_header(cursor)?;
            cursor.u8("link quality")?;
            let strength = cursor.u8("strength")?;
            cursor.say(format!("{} dBm", strength.cast_signed()));
            let from = address(cursor, "sender")?;
            cursor.u8("binding")?;
            cursor.u8("address table entry")?;
            message(cursor, &aps).map(|words| format!(" from {from}: {words}"))
        }
        _ => {
            let sound = is_sound(header.direction, header.id, cursor.peek());
            if !cursor.is_empty() {
                cursor.rest("parameters");
            }
            match sound {
                Ok(words) => Ok(words),
                Err(problem) => cursor.stop(problem),
            }
        }
    }
}

fn address(cursor: &mut Cursor<'_>, name: &'static str) -> Explained<String> {
    let address = format!("{:04X}", cursor.u16(name)?);
    cursor.say(address.clone());
    Ok(address)
}

fn aps_header(cursor: &mut Cursor<'_>) -> Explained<ApsHeader> {
    let aps = cursor.read("APS header", |reader| ApsHeader::read(reader, "APS header"))?;
    let cluster =
        cluster_name(aps.cluster).filter(|_| aps.profile != zdo::PROFILE).unwrap_or("device object");
    let (from, to) = (aps.source_endpoint, aps.destination_endpoint);
    cursor.say(format!("{:04X} {cluster}, endpoint {from} to {to}", aps.cluster));
    Ok(aps)
}

/// A message with its length before it: of the device object, or a ZCL frame.
fn message(cursor: &mut Cursor<'_>, aps: &ApsHeader) -> Explained<String> {
    let length = cursor.u8("length of the message")?;
    let found = cursor.peek().len();
    if usize::from(length) != found {
        return cursor.stop(format!("found {length}, expected {found}: the message ends the frame"));
    }
    if aps.profile == zdo::PROFILE {
        cursor.rest("device object message");
        return Ok(format!("device object, cluster {:04X}", aps.cluster));
    }
    cursor.group("ZCL frame", |cursor| {
        zcl_frame(cursor, Some(aps.cluster))?;
        Ok(cursor.titled())
    })
}

/// A command, as far as a line without its context has to know it.
struct Known {
    id: u16,
    name: &'static str,
    /// Whether octets are parameters of the command, or of its response.
    reads: fn(Direction, &[u8]) -> Result<(), crate::ZigbeeError>,
    /// The command brings a key to the dongle, or the response brings one from it.
    key: Option<Direction>,
}

fn reads<C: Command>(direction: Direction, octets: &[u8]) -> Result<(), crate::ZigbeeError> {
    match direction {
        Direction::Command => C::parse(octets).map(|_| ()),
        Direction::Response | Direction::Callback => C::parse_response(octets).map(|_| ()),
    }
}

const fn known<C: Command>(key: Option<Direction>) -> Known {
    Known { id: C::ID, name: C::NAME, reads: reads::<C>, key }
}

const TO_DONGLE: Option<Direction> = Some(Direction::Command);
const FROM_DONGLE: Option<Direction> = Some(Direction::Response);

const KNOWN: &[Known] = &[
    known::<AskVersion>(None),
    known::<AddEndpoint>(None),
    known::<Nop>(None),
    known::<Echo>(None),
    known::<GetManufacturingToken>(None),
    known::<SetManufacturingToken>(None),
    known::<SetToken>(None),
    known::<GetToken>(None),
    known::<SetConcentrator>(None),
    known::<SetManufacturerCode>(None),
    known::<NetworkInit>(None),
    known::<GetNetworkState>(None),
    known::<StartScan>(None),
    known::<StopScan>(None),
    known::<FormNetwork>(None),
    known::<LeaveNetwork>(None),
    known::<PermitJoining>(None),
    known::<GetEui64>(None),
    known::<GetNodeId>(None),
    known::<GetNetworkParameters>(None),
    known::<GetParentChildParameters>(None),
    known::<MaximumPayloadLength>(None),
    known::<SendUnicast>(None),
    known::<SendBroadcast>(None),
    known::<SendMulticast>(None),
    known::<GetRandomNumber>(None),
    known::<GetChildData>(None),
    known::<GetConfigurationValue>(None),
    known::<SetConfigurationValue>(None),
    known::<SetPolicy>(None),
    known::<GetPolicy>(None),
    known::<SetSourceRouteDiscoveryMode>(None),
    known::<LookupNodeId>(None),
    known::<LookupEui64>(None),
    known::<GetMulticastTableEntry>(None),
    known::<SetMulticastTableEntry>(None),
    known::<AddOrUpdateKeyTableEntry>(TO_DONGLE),
    known::<GetAddressTableEui64>(None),
    known::<GetAddressTableNodeId>(None),
    known::<ReplaceAddressTableEntry>(None),
    known::<SetExtendedTimeout>(None),
    known::<GetExtendedTimeout>(None),
    known::<RemoveDevice>(None),
    known::<ReadAndClearCounters>(None),
    known::<SetInitialSecurityState>(TO_DONGLE),
    known::<GetCurrentSecurityState>(None),
    known::<GetKey>(FROM_DONGLE),
    known::<ClearTransientLinkKeys>(None),
    known::<GetKeyTableEntry>(FROM_DONGLE),
    known::<FindKeyTableEntry>(None),
    known::<EraseKeyTableEntry>(None),
    known::<GetNeighbour>(None),
    known::<NeighbourCount>(None),
    known::<SetRadioPower>(None),
    known::<GetValue>(None),
    known::<SetValue>(None),
    known::<AddTransientLinkKey>(TO_DONGLE),
    known::<ClearKeyTable>(None),
    known::<ReadCounters>(None),
];

const INCOMING_MESSAGE: u16 = 0x0045;

/// Callbacks the crate reads, by identifier.
const CALLBACKS: [(u16, &str); 6] = [
    (0x0019, "StackStatus"),
    (0x001c, "ScanComplete"),
    (0x0024, "TrustCentreJoin"),
    (0x003f, "MessageSent"),
    (INCOMING_MESSAGE, "IncomingMessage"),
    (0x0048, "EnergyScanResult"),
];

fn command(id: u16) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.id == id)
}

fn name(id: u16) -> Option<&'static str> {
    let callback = CALLBACKS.iter().find(|(of, _)| *of == id).map(|(_, name)| *name);
    let invalid = (id == INVALID_COMMAND).then_some("InvalidCommand");
    command(id).map(|known| known.name).or(callback).or(invalid)
}

/// Words for parameters that are what they should be, or why they are not.
fn is_sound(direction: Direction, id: u16, octets: &[u8]) -> Result<String, String> {
    if direction == Direction::Callback {
        return Callback::parse(id, octets)
            .map(|callback| callback_words(&callback))
            .map_err(|e| e.to_string());
    }
    let Some(known) = command(id) else { return Ok(String::new()) };
    (known.reads)(direction, octets).map(|()| String::new()).map_err(|error| error.to_string())
}

fn callback_words(callback: &Callback) -> String {
    match callback {
        Callback::StackStatus(changed) => format!(": {:?}", changed.status),
        Callback::MessageSent(sent) => format!(" to {:04X}: {:?}", sent.destination, sent.status),
        Callback::TrustCentreJoin(joined) => format!(": {} at {:04X}", joined.eui64, joined.address),
        _ => String::new(),
    }
}

fn carries_key(payload: &[u8]) -> bool {
    let frame = Frame::parse(format(payload), payload).ok();
    frame.is_some_and(|frame| command(frame.id).is_some_and(|known| known.key == Some(frame.direction)))
}

/// The parameters of a frame that carries a key are not shown.
fn hide_key(span: &mut Span, octets: &[u8]) {
    if !carries_key(octets) {
        return;
    }
    for part in span.parts.iter_mut().filter(|part| part.name == "parameters") {
        part.secret = true;
        "with a key, not shown".clone_into(&mut part.value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ezsp::{InitialSecurityState, StackStatus};
    use crate::zcl;
    use crate::{Eui64, metering};

    fn extended(direction: Direction, id: u16, parameters: Vec<u8>) -> Vec<u8> {
        Frame { format: Format::Extended, sequence: 7, direction, id, parameters }.to_bytes()
    }

    fn read_of_metering() -> Vec<u8> {
        let aps = ApsHeader {
            profile: crate::SMART_ENERGY_PROFILE,
            cluster: metering::CLUSTER,
            source_endpoint: 1,
            destination_endpoint: 1,
            options: 0,
            group: 0,
            sequence: 0,
        };
        let read = zcl::Command::ReadAttributes(vec![metering::SUPPLY_STATUS]);
        let message = zcl::Frame::foundation(zcl::Direction::ToServer, 5, &read).to_bytes();
        let send = SendUnicast { kind: 0, destination: 0x9003, aps, tag: 5, message };
        extended(Direction::Command, SendUnicast::ID, send.to_bytes())
    }

    #[test]
    fn a_message_is_explained_down_to_its_attributes() {
        let span = ezsp(&read_of_metering());
        assert_eq!(span.value, "SendUnicast to 9003: Metering: read attributes supply status");
        assert!(span.is_sound(), "{span:?}");
        let line =
            ash::Frame::Data { number: 3, again: true, ack: 5, payload: read_of_metering() }.to_bytes();
        let frame = ash(&line);
        assert_eq!(frame.span.value, "DATA 3 again, expects 5");
        assert_eq!(frame.payload, Some(read_of_metering()));
        assert!(frame.span.is_sound() && !frame.span.secret);
    }

    #[test]
    fn the_first_command_and_what_is_told_unasked_have_names() {
        assert_eq!(ezsp(&[0, 0, 0, 8]).value, "AskVersion");
        let changed = StackStatusChanged { status: StackStatus::NetworkUp };
        let octets = extended(Direction::Callback, 0x0019, Callback::StackStatus(changed).to_bytes());
        assert_eq!(ezsp(&octets).value, "StackStatus callback: NetworkUp");
        assert_eq!(ezsp(&extended(Direction::Response, 0x0005, vec![])).value, "Nop answered");
        assert_eq!(ezsp(&extended(Direction::Command, 0x7777, vec![1])).value, "frame 7777");
        assert!(!ezsp(&extended(Direction::Command, LookupNodeId::ID, vec![1])).is_sound());
        assert_eq!(ash(&[FLAG]).span.value, "flag alone");
        assert!(ash(&[0x1a, 0xc0, 0x38, 0xbc, FLAG]).span.value.starts_with("RST"));
        assert!(ash(&[0xc0, 0x38]).span.problem.is_some_and(|why| why.contains("no flag")));
    }

    #[test]
    fn keys_are_not_shown() {
        let state = InitialSecurityState {
            bitmask: 0,
            preconfigured_key: [0x5a; 16],
            network_key: [0xa5; 16],
            key_sequence: 0,
            trust_centre: Eui64::NONE,
        };
        let octets = extended(
            Direction::Command,
            SetInitialSecurityState::ID,
            SetInitialSecurityState { state }.to_bytes(),
        );
        let span = ezsp(&octets);
        assert!(span.is_sound() && !format!("{span:?}").contains("5A5A"), "{span:?}");
        assert!(span.parts.iter().any(|part| part.secret));
        let line = ash::Frame::Data { number: 0, again: false, ack: 0, payload: octets }.to_bytes();
        assert!(ash(&line).span.secret);
    }

    proptest! {
        #[test]
        fn any_octets_are_explained_and_covered(octets in proptest::collection::vec(any::<u8>(), 0..160)) {
            let mut cutter = AshCutter::default();
            let mut pieces = cutter.receive(&octets);
            pieces.extend(cutter.finish());
            prop_assert_eq!(pieces.concat(), octets.clone());
            for piece in &pieces {
                let frame = ash(piece);
                prop_assert_eq!(frame.span.length, piece.len());
            }
            let span = ezsp(&octets);
            let told: usize = span.parts.iter().map(|part| part.length).sum();
            prop_assert_eq!(told, octets.len());
        }
    }
}
