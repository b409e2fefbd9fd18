//! Any octets into every part that takes octets from a wire: nothing may panic, hang or grow without bound.
//!
//! The property tests and the fuzz targets come in through the same functions, so what one finds the other keeps.

mod secured;

use std::time::{Duration, Instant};

use crate::apdu::{Apdu, Conformance, InitiateRequest, UserInformation};
use crate::client::{ClientSession, ClientSettings, Request};
use crate::data::{AttributeRef, ClassId, Data, DeviationSign, Obis};
use crate::explain::{self, Conversation, Cutter, Layer, Piece, Span, Way};
use crate::security::{Key, transferred};
use crate::server::{ObjectTable, Peer, Rights, ServerSession, ServerSettings};
use crate::{gateway, hdlc, push, sign_on, wrapper};
pub use secured::secured;

const NAME: AttributeRef =
    AttributeRef { class: ClassId(1), obis: Obis([0, 0, 42, 0, 0, 255]), attribute: 2 };

/// Octets as a value.
pub fn data(octets: &[u8]) {
    let Ok(value) = Data::decode(octets) else { return };
    if let Some(time) = value.as_date_time() {
        let _ = (time.to_unix(DeviationSign::Standard), time.to_string());
    }
    if let Data::CompactArray(array) = &value {
        let _ = array.elements();
    }
    let _ = transferred(&Key::new([1; 16]), &value);
    let _ = value.encode();
}

/// Octets as an APDU, for a client with a request on its way and a server with an association.
pub fn apdu(octets: &[u8]) {
    if let Ok(apdu) = Apdu::decode(octets) {
        let _ = apdu.encode();
    }
    let _ =
        (InitiateRequest::decode(octets), UserInformation::decode(octets), gateway::Envelope::decode(octets));
    let mut table = ObjectTable::new();
    table.insert(NAME, Data::Octets(vec![0; 200]), Rights::ReadWrite);
    let mut server = ServerSession::new(Peer::new(16, 1), ServerSettings::default());
    let _ = server.receive(octets, &mut table);
    for request in requests() {
        let mut client = ClientSession::new(ClientSettings { max_pdu: 64, ..ClientSettings::default() });
        let Ok(sent) = client.start(request) else { continue };
        let _ = server.receive(&sent, &mut table);
        let _ = server.receive(octets, &mut table);
        let _ = client.receive(octets);
    }
}

fn requests() -> [Request; 5] {
    [
        Request::Associate,
        Request::Get { attribute: NAME, selective: None },
        Request::GetList(vec![NAME, NAME]),
        Request::Set { attribute: NAME, value: Data::Octets(vec![1; 200]) },
        Request::Release,
    ]
}

/// Octets as messages between both ends of an association that agreed on general blocks: the first octet of each says
/// how long it is and whether it is a block.
pub fn blocks(octets: &[u8]) {
    let conformance = Conformance::SPOKEN;
    let mut table = ObjectTable::new();
    table.insert(NAME, Data::Octets(vec![0; 200]), Rights::ReadWrite);
    let settings = ServerSettings { conformance, max_value: 300, ..ServerSettings::default() };
    let mut server = ServerSession::new(Peer::new(16, 1), settings);
    let settings = ClientSettings { conformance, max_pdu: 64, max_value: 300, ..ClientSettings::default() };
    let mut client = ClientSession::new(settings);
    for request in [Request::Associate, Request::Get { attribute: NAME, selective: None }] {
        let Ok(sent) = client.start(request) else { continue };
        let _ = server.receive(&sent, &mut table).map(|answer| client.receive(&answer));
    }
    for message in messages(octets) {
        let _ = (client.receive(&message), client.repeat(), server.receive(&message, &mut table));
        while client.poll_transmit().is_some() || server.poll_transmit().is_some() {}
    }
}

/// Octets as pushes, a second apart.
pub fn pushes(octets: &[u8]) {
    let mut now = Instant::now();
    let settings = push::ReceiverSettings { max_apdu: 300, ..push::ReceiverSettings::default() };
    let mut receiver = push::Receiver::new(settings);
    for message in messages(octets) {
        receiver.receive(&message, now, None);
        now += Duration::from_secs(1);
        receiver.handle_timeout(now);
        while receiver.poll_event().is_some() {}
    }
}

fn messages(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = octets;
    let mut messages = Vec::new();
    while let Some((first, tail)) = rest.split_first() {
        let (message, after) = tail.split_at(tail.len().min(usize::from(first & 0x3F)));
        let block: &[u8] = if first & 0x80 != 0 { &[0xE0] } else { &[] };
        messages.push([block, message].concat());
        rest = after;
    }
    messages
}

/// Octets as a TCP stream of wrapped messages, `cut` at a time, and as a datagram.
pub fn wrapper(octets: &[u8], cut: usize) {
    let _ = wrapper::Message::decode(octets);
    let mut deframer = wrapper::Deframer::new(1024);
    for chunk in octets.chunks(cut.max(1)) {
        deframer.receive(chunk);
        while let Ok(Some(_)) = deframer.next_message() {}
    }
}

/// Octets as a line to both stations of a link, `cut` at a time with a pause between.
pub fn hdlc(octets: &[u8], cut: usize) {
    let mut now = Instant::now();
    let _ = hdlc::Frame::decode(octets);
    let _ = hdlc::Parameters::decode(&hdlc::Information::new(octets.to_vec()).unwrap_or_default());
    let (Ok(at_client), Ok(at_server)) = (hdlc::Address::client(16), hdlc::Address::server(1, None)) else {
        return;
    };
    let mut client = hdlc::Client::new(hdlc::ClientSettings::new(at_client, at_server));
    let mut server = hdlc::Server::new(hdlc::ServerSettings::default());
    // A neighbour on the same line, who hears it all and takes addresses of two octets only.
    let neighbour = hdlc::ServerSettings {
        physical_device: 16,
        address_size: Some(hdlc::AddressSize::Two),
        ..hdlc::ServerSettings::default()
    };
    let mut neighbour = hdlc::Server::new(neighbour);
    client.connect(now);
    // A link on both sides, so that what follows meets the states of one.
    server.receive(&client.poll_transmit().unwrap_or_default(), now);
    client.receive(&server.poll_transmit().unwrap_or_default(), now);
    let _ = client.send(octets, now);
    for chunk in octets.chunks(cut.max(1)) {
        client.receive(chunk, now);
        server.receive(chunk, now);
        neighbour.receive(chunk, now);
        let _ = (server.send(chunk), neighbour.send(chunk));
        now += Duration::from_millis(600);
        client.handle_timeout(now);
        while client.poll_transmit().is_some() || client.poll_event().is_some() {}
        for station in [&mut server, &mut neighbour] {
            station.handle_timeout(now);
            while station.poll_transmit().is_some() || station.poll_event().is_some() {}
        }
    }
}

/// Octets as a line to both sides of the opening exchange in both its modes, `cut` at a time with a pause between, and as
/// what follows an identification.
pub fn sign_on(octets: &[u8], cut: usize) {
    let _ = (sign_on::Identification::decode(octets), sign_on::ReadOut::parse(octets).encode());
    for mode in [sign_on::Mode::Hdlc, sign_on::Mode::ReadOut] {
        for before in [b"".as_slice(), b"/ABC5\\2TEST\r\n"] {
            opening(octets, cut, mode, before);
        }
    }
}

fn opening(octets: &[u8], cut: usize, mode: sign_on::Mode, before: &[u8]) {
    let mut now = Instant::now();
    let Ok(identification) = sign_on::Identification::decode(b"/ABC5\\2TEST") else { return };
    let mut client =
        sign_on::Client::new(sign_on::ClientSettings { mode, ..sign_on::ClientSettings::default() });
    let settings = sign_on::MeterSettings::new(identification);
    let mut meter = sign_on::Meter::new(sign_on::MeterSettings { read_out: true, ..settings });
    client.start(now);
    for chunk in std::iter::once(before).chain(octets.chunks(cut.max(1))) {
        client.receive(chunk, now);
        meter.receive(chunk, now);
        now += Duration::from_millis(400);
        client.handle_timeout(now);
        meter.handle_timeout(now);
        while client.poll_transmit().is_some() || client.poll_event().is_some() {}
        loop {
            match (meter.poll_transmit(), meter.poll_event()) {
                (None, None) => break,
                (_, Some(sign_on::MeterEvent::ReadOutAsked { .. })) => {
                    meter.read_out(&sign_on::ReadOut::parse(octets), now);
                }
                _ => {}
            }
        }
    }
}

/// Octets as one message of every layer, and as a line, `cut` at a time, to be explained to a person.
pub fn explain(octets: &[u8], cut: usize) {
    for layer in [Layer::SignOn, Layer::Hdlc, Layer::Wrapper, Layer::Apdu, Layer::Data] {
        let explained = explain::explain(octets, layer);
        assert_eq!(covered(&explained.span), octets.len(), "every octet is explained once");
    }
    let (mut cutter, mut conversation) = (Cutter::new(), Conversation::new());
    let mut count = 0;
    let mut tell = |piece: &Piece| {
        count += piece.octets.len();
        let explained = conversation.explain(Way::Response, piece);
        assert_eq!(covered(&explained.span), piece.octets.len(), "every octet is explained once");
    };
    for chunk in octets.chunks(cut.max(1)) {
        cutter.receive(chunk);
        std::iter::from_fn(|| cutter.next_piece()).for_each(|piece| tell(&piece));
    }
    std::iter::from_fn(|| cutter.finish()).for_each(|piece| tell(&piece));
    assert_eq!(count, octets.len(), "every octet is in one piece");
}

/// Octets in the spans without parts.
fn covered(span: &Span) -> usize {
    span.leaves().iter().map(|leaf| leaf.length).sum()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Octets that look like what they are meant to be for, so that nonsense gets past the first octet.
    fn near(start: &'static [u8], likely: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![3 => proptest::sample::select(likely), 2 => any::<u8>()];
        (0..=start.len(), vec(octet, 0..120)).prop_map(|(kept, rest)| [&start[..kept], &rest].concat())
    }

    proptest! {
        #[test]
        fn data(octets in near(&[], &[0, 1, 2, 4, 9, 12, 19, 25, 0x81, 0x82])) {
            super::data(&octets);
        }

        #[test]
        fn apdu(
            tag in proptest::sample::select(&[0x60_u8, 0x61, 0x63, 0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7, 0xC2, 0x0F, 0xD8, 0xE6][..]),
            rest in near(&[1, 0xC1], &[0, 1, 2, 3, 4, 6, 9, 0xA1, 0xA2, 0xBE, 0xC1])
        ) {
            super::apdu(&[&[tag], rest.as_slice()].concat());
        }

        #[test]
        fn secured(octets in near(&[5, 0x61, 0x81, 0x80], &[0, 1, 2, 3, 4, 0x10, 0x30, 0x80, 0xA1, 0xC7, 0xCC, 0xDB])) {
            super::secured(&octets);
        }

        #[test]
        fn blocks(octets in near(&[0x88, 0x81, 0, 1, 0, 0, 1, 0xC0], &[0, 1, 2, 0x40, 0x41, 0x80, 0x81, 0x87, 0x88])) {
            super::blocks(&octets);
        }

        #[test]
        fn pushes(octets in near(&[0x88, 0, 0, 1, 0, 0, 1, 0x0F], &[0, 1, 2, 0x80, 0x87, 0x88])) {
            super::pushes(&octets);
        }

        #[test]
        fn wrapper(octets in near(&[0, 1, 0, 16, 0, 1, 0, 9], &[0, 1]), cut in 1usize..20) {
            super::wrapper(&octets, cut);
        }

        #[test]
        fn explain(octets in near(&[0x7E, 0xA8, 0x0A, 0x21, 0x03, 0x10], &[0x7E, 0xA0, 0x03, 0xC4, 1, 2, 0]), cut in 1usize..30) {
            super::explain(&octets, cut);
        }

        #[test]
        fn hdlc(octets in near(&[0x7E, 0xA0, 0x0A, 0x21, 0x03, 0x10], &[0x7E, 0xA0, 0xA8, 0x03, 0x21, 0x10]), cut in 1usize..30) {
            super::hdlc(&octets, cut);
        }

        #[test]
        fn sign_on(octets in near(b"/ABC5\\2X\r\n", b"/?!ABC5\\2\x06\r\n\x02"), cut in 1usize..30) {
            super::sign_on(&octets, cut);
        }
    }
}
