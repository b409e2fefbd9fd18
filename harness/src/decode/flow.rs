//! Following a capture link by link: what arrived in halves is put together, what arrived together is taken apart.

use std::collections::{BTreeMap, VecDeque};

use proto_dlms::explain::{Conversation, Cutter, Piece, Reveal, Way};
use proto_zigbee::explain::AshCutter;

use super::{Crossed, Layer, Told, dongle, layers, mqtt};
use crate::evidence::{Packet, Packets};

/// What is known of one link.
#[derive(Debug)]
struct Flow {
    conversation: Conversation,
    /// One side each: sent, received, and where the capture does not say.
    sides: BTreeMap<Option<bool>, Side>,
}

/// The octets one side sends.
#[derive(Debug, Default)]
struct Side {
    cutter: Cutter,
    /// In its place on the line of a dongle.
    dongle: AshCutter,
    /// Where packets not yet given out in pieces begin, in octets since the beginning.
    packets: VecDeque<(u64, PacketAt)>,
    taken: u64,
    /// Octets given out so far, where it is a dongle's.
    told: u64,
}

#[derive(Debug, Clone)]
struct PacketAt {
    number: u64,
    at: Option<jiff::Timestamp>,
    note: Option<String>,
}

/// Explains every frame of a capture, in the order in which they were whole.
pub(crate) fn tell(capture: &Packets, reveal: Option<&Reveal>) -> Vec<Told> {
    let mut flows: BTreeMap<&str, Flow> = BTreeMap::new();
    let mut told = Vec::new();
    for packet in &capture.packets {
        let flow = flows.entry(&packet.link).or_insert_with(|| Flow::new(reveal));
        if packet.octets.is_empty() {
            // A link that is opened begins anew: what was half sent will not be finished.
            if packet.note.as_deref().is_some_and(begins_anew) {
                flow.finish(&packet.link, &mut told);
                *flow = Flow::new(reveal);
            }
            told.push(alone(packet, Vec::new()));
            continue;
        }
        if mqtt::is_spoken_on(&packet.link) {
            told.push(alone(packet, vec![mqtt::layer(&packet.octets)]));
            continue;
        }
        if dongle::is_spoken_on(&packet.link) {
            flow.receive_of_dongle(packet, &mut told);
            continue;
        }
        flow.receive(packet, &mut told);
    }
    for (link, flow) in &mut flows {
        flow.finish(link, &mut told);
    }
    for (number, told) in (1..).zip(&mut told) {
        told.number = number;
    }
    told
}

fn begins_anew(note: &str) -> bool {
    note == "link opened" || note.starts_with("dongle opened")
}

/// A packet that stands for itself: something that happened on the line, or a whole message.
fn alone(packet: &Packet, layers: Vec<Layer>) -> Told {
    let crossed = Crossed {
        link: packet.link.clone(),
        at: packet.at,
        sent: packet.is_sent(),
        packets: (packet.number, packet.number),
        note: packet.note.clone(),
    };
    Told { number: 0, crossed: Some(crossed), layers }
}

impl Flow {
    fn new(reveal: Option<&Reveal>) -> Self {
        Self { conversation: Conversation::with_keys(reveal.cloned()), sides: BTreeMap::new() }
    }

    fn receive(&mut self, packet: &Packet, told: &mut Vec<Told>) {
        let sent = packet.is_sent();
        let side = self.sides.entry(sent).or_default();
        side.receive(packet);
        while let Some(piece) = side.cutter.next_piece() {
            told.push(side.tell(&mut self.conversation, &packet.link, sent, &piece));
        }
    }

    fn receive_of_dongle(&mut self, packet: &Packet, told: &mut Vec<Told>) {
        let sent = packet.is_sent();
        let side = self.sides.entry(sent).or_default();
        side.note(packet);
        for octets in side.dongle.receive(&packet.octets) {
            told.push(side.tell_of_dongle(&packet.link, sent, octets));
        }
    }

    fn finish(&mut self, link: &str, told: &mut Vec<Told>) {
        for (sent, side) in &mut self.sides {
            if let Some(octets) = side.dongle.finish() {
                told.push(side.tell_of_dongle(link, *sent, octets));
            }
            while let Some(piece) = side.cutter.finish() {
                told.push(side.tell(&mut self.conversation, link, *sent, &piece));
            }
        }
    }
}

impl Side {
    fn receive(&mut self, packet: &Packet) {
        self.note(packet);
        self.cutter.receive(&packet.octets);
    }

    /// Takes note of where a packet's octets begin.
    fn note(&mut self, packet: &Packet) {
        let place = PacketAt { number: packet.number, at: packet.at, note: packet.note.clone() };
        self.packets.push_back((self.taken, place));
        self.taken += packet.octets.len() as u64;
    }

    fn tell_of_dongle(&mut self, link: &str, sent: Option<bool>, octets: Vec<u8>) -> Told {
        let layers = dongle::layers(&octets);
        let from = self.told;
        self.told += octets.len() as u64;
        Told { number: 0, crossed: Some(self.crossed(link, sent, from, octets.len())), layers }
    }

    fn tell(
        &mut self,
        conversation: &mut Conversation,
        link: &str,
        sent: Option<bool>,
        piece: &Piece,
    ) -> Told {
        let way = if sent == Some(true) { Way::Request } else { Way::Response };
        let layers = layers(&piece.octets, conversation.explain(way, piece));
        Told { number: 0, crossed: Some(self.crossed(link, sent, piece.from, piece.octets.len())), layers }
    }

    /// The packets that carried a piece; those before them are forgotten.
    fn crossed(&mut self, link: &str, sent: Option<bool>, from: u64, length: usize) -> Crossed {
        while self.packets.get(1).is_some_and(|(begin, _)| *begin <= from) {
            self.packets.pop_front();
        }
        let end = from + length as u64;
        let carried = self.packets.iter().take_while(|(from, _)| *from < end);
        let (mut first, mut last, mut notes) = (None, 0, Vec::new());
        for (_, packet) in carried {
            first.get_or_insert((packet.number, packet.at));
            last = packet.number;
            notes.extend(packet.note.clone());
        }
        let (number, at) = first.unwrap_or((last, None));
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Crossed { link: link.to_owned(), at, sent, packets: (number, last), note }
    }
}
