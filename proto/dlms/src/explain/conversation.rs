//! What is known from earlier pieces of a conversation: questions that answers belong to, messages in segments, values
//! in blocks.

use std::collections::{BTreeMap, VecDeque};

use super::apdu::apdu;
use super::link::{self, Content};
use super::pieces::{Piece, PieceKind};
use super::reveal::Reveal;
use super::sign_on::sign_on;
use super::walk::walk;
use super::{Span, data};
use crate::apdu::{
    ActionRequestKind, ActionResponseKind, Apdu, DataBlock, GetRequestKind, GetResponseKind, SetRequestKind,
};
use crate::data::AttributeRef;
use crate::gateway::Envelope;
use crate::hdlc::{Address, Control, FLAG, Frame, without_llc};
use crate::wrapper::Message;

/// Most octets put together from segments or blocks; longer ones are left as they came.
const MAX_WHOLE: usize = 1 << 20;
/// Most pairs of stations remembered.
const MAX_PAIRS: usize = 1024;
/// Invoke ids there are, and so questions that can be open at once.
const INVOKE_IDS: usize = 16;

/// Which way a piece went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the client.
    Request,
    /// To the client.
    Response,
}

/// A piece explained, and what it made whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The piece itself.
    pub span: Span,
    /// Messages and values that earlier pieces began and this one ended.
    pub whole: Vec<Whole>,
}

/// A message or value put together from several pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// What it was put together from, such as `message from 3 segments`.
    pub what: String,
    /// Its octets.
    pub octets: Vec<u8>,
    /// Their explanation.
    pub span: Span,
}

/// Two stations, in whichever order, and the device behind a gateway where there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    low: u32,
    high: u32,
    device: Vec<u8>,
}

impl Pair {
    fn new(one: u32, other: u32) -> Self {
        Self { low: one.min(other), high: one.max(other), device: Vec::new() }
    }
}

/// What is put together.
#[derive(Debug, Clone, Default)]
struct Assembly {
    octets: Vec<u8>,
    pieces: u32,
    /// The number of the piece last put in, so that a repetition is not put in twice.
    last: Option<u32>,
    /// It grew beyond what is put together.
    overflown: bool,
}

impl Assembly {
    fn add(&mut self, number: u32, octets: &[u8]) {
        if self.last == Some(number) {
            return;
        }
        self.last = Some(number);
        self.pieces += 1;
        self.overflown |= self.octets.len() + octets.len() > MAX_WHOLE;
        if !self.overflown {
            self.octets.extend_from_slice(octets);
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Dialogue {
    /// The attributes open questions are about, by invoke id, latest last.
    asked: VecDeque<(u8, Vec<AttributeRef>)>,
    segments: BTreeMap<Way, Assembly>,
    /// Blocks of a value or parameter, by way.
    blocks: BTreeMap<Way, Assembly>,
}

/// Explains the pieces of one link in the order they crossed it.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    dialogues: BTreeMap<Pair, Dialogue>,
    /// Keys to look into ciphered messages with, where there are any.
    reveal: Option<Reveal>,
}

impl Conversation {
    /// A conversation of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A conversation whose ciphered messages are looked into with these keys.
    pub fn with_keys(reveal: Option<Reveal>) -> Self {
        Self { reveal, ..Self::default() }
    }

    /// Explains the next piece.
    pub fn explain(&mut self, way: Way, piece: &Piece) -> Explained {
        match piece.kind {
            PieceKind::SignOn => alone(walk(&piece.octets, "IEC 62056-21", sign_on)),
            PieceKind::Hdlc => self.frame(way, &piece.octets),
            PieceKind::Wrapper => self.wrapped(way, &piece.octets),
            PieceKind::Unknown => alone(unknown(&piece.octets)),
        }
    }

    /// Explains octets that are an APDU, with gateway header and LLC where they have them.
    pub fn explain_message(&mut self, way: Way, octets: &[u8]) -> Explained {
        let pair = Pair::new(0, 0);
        let asked = self.asked(&pair, octets);
        let span = walk(octets, "message", |walk| link::message(walk, &asked));
        Explained { span, whole: self.message(way, pair, without_llc(octets.to_vec())) }
    }

    fn frame(&mut self, way: Way, octets: &[u8]) -> Explained {
        let Some((pair, frame)) = decoded(octets) else {
            return alone(walk(octets, "HDLC frame", |walk| link::frame(walk, Content::Message(&[]))));
        };
        let Control::Information { ns, .. } = frame.control else {
            if matches!(frame.control, Control::Unnumbered { .. }) && frame.information.octets().is_empty() {
                self.dialogues.remove(&pair);
            }
            return alone(walk(octets, "HDLC frame", |walk| link::frame(walk, Content::Message(&[]))));
        };
        let pending = self.dialogue(&pair).segments.contains_key(&way);
        if !pending && !frame.segmented {
            let apdu = without_llc(frame.information.into_octets());
            let asked = self.asked(&pair, &apdu);
            let span = walk(octets, "HDLC frame", |walk| link::frame(walk, Content::Message(&asked)));
            return Explained { span, whole: self.message(way, pair, apdu) };
        }
        let span = walk(octets, "HDLC frame", |walk| link::frame(walk, Content::Segment));
        let segments = &mut self.dialogue(&pair).segments;
        segments.entry(way).or_default().add(ns.into(), frame.information.octets());
        let whole = match (frame.segmented, segments.remove(&way)) {
            (false, Some(message)) => self.segments(way, pair, message),
            (true, Some(message)) => {
                segments.insert(way, message);
                Vec::new()
            }
            (_, None) => Vec::new(),
        };
        Explained { span, whole }
    }

    /// A message whose last segment has arrived.
    fn segments(&mut self, way: Way, pair: Pair, message: Assembly) -> Vec<Whole> {
        if message.overflown {
            return Vec::new();
        }
        let asked = self.asked(&pair, &without_llc(message.octets.clone()));
        let span = walk(&message.octets, "message", |walk| link::message(walk, &asked));
        let what = format!("message from {} segments", message.pieces);
        let mut whole = vec![Whole { what, octets: message.octets.clone(), span }];
        whole.extend(self.message(way, pair, without_llc(message.octets)));
        whole
    }

    fn wrapped(&mut self, way: Way, octets: &[u8]) -> Explained {
        let Ok(message) = Message::decode(octets) else {
            return alone(walk(octets, "wrapped message", |walk| link::wrapper(walk, &[])));
        };
        let pair = Pair::new(message.source.into(), message.destination.into());
        let asked = self.asked(&pair, &message.apdu);
        let span = walk(octets, "wrapped message", |walk| link::wrapper(walk, &asked));
        Explained { span, whole: self.message(way, pair, message.apdu) }
    }

    fn dialogue(&mut self, pair: &Pair) -> &mut Dialogue {
        if self.dialogues.len() >= MAX_PAIRS && !self.dialogues.contains_key(pair) {
            self.dialogues.pop_first();
        }
        self.dialogues.entry(pair.clone()).or_default()
    }

    /// What the answer in these octets was asked for.
    fn asked(&self, pair: &Pair, octets: &[u8]) -> Vec<AttributeRef> {
        let (pair, octets) = behind_gateway(pair.clone(), octets);
        let Some([0xC4 | 0xC5, _, invoke, ..]) = octets.get(..3).map(|head| [head[0], head[1], head[2]])
        else {
            return Vec::new();
        };
        let open = self.dialogues.get(&pair).map(|dialogue| &dialogue.asked);
        let question = open.and_then(|open| open.iter().rev().find(|(id, _)| *id == invoke & 0x0F));
        question.map(|(_, attributes)| attributes.clone()).unwrap_or_default()
    }

    /// Takes note of what a whole message asks, and gives the value its block may have ended.
    fn message(&mut self, way: Way, pair: Pair, octets: Vec<u8>) -> Vec<Whole> {
        let (pair, octets) = behind_gateway(pair, &octets);
        let Ok(apdu) = Apdu::decode(&octets) else { return Vec::new() };
        match self.reveal.as_mut().and_then(|reveal| reveal.look_into(&apdu)) {
            Some(Ok(plain)) => return self.deciphered(way, pair, plain),
            Some(Err(closed)) => return vec![closed],
            None => {}
        }
        let asked = questions(&apdu);
        let dialogue = self.dialogue(&pair);
        if let Some((invoke, attributes)) = asked {
            dialogue.asked.retain(|(id, _)| *id != invoke);
            dialogue.asked.push_back((invoke, attributes));
            if dialogue.asked.len() > INVOKE_IDS {
                dialogue.asked.pop_front();
            }
        }
        let Some((block, invoke)) = block(&apdu) else { return Vec::new() };
        if block.number <= 1 {
            dialogue.blocks.remove(&way);
        }
        let assembly = dialogue.blocks.entry(way).or_default();
        assembly.add(block.number, &block.raw);
        if !block.last {
            return Vec::new();
        }
        let assembly = dialogue.blocks.remove(&way).unwrap_or_default();
        let open = dialogue.asked.iter().rev().find(|(id, _)| *id == invoke);
        let of = open.and_then(|(_, attributes)| attributes.first().copied());
        (!assembly.overflown).then(|| value(assembly, of.as_ref())).into_iter().collect()
    }
}

impl Conversation {
    /// A message that came out of its envelope, and what it made whole.
    fn deciphered(&mut self, way: Way, pair: Pair, plain: Vec<u8>) -> Vec<Whole> {
        let asked = self.asked(&pair, &plain);
        let span = walk(&plain, "APDU", |walk| apdu(walk, &asked));
        let mut whole = vec![Whole { what: "deciphered".to_owned(), octets: plain.clone(), span }];
        whole.extend(self.message(way, pair, plain));
        whole
    }
}

fn alone(span: Span) -> Explained {
    Explained { span, whole: Vec::new() }
}

fn unknown(octets: &[u8]) -> Span {
    if octets.iter().all(|octet| *octet == FLAG) {
        return walk(octets, "idle flags", |walk| {
            walk.rest("flags");
            Ok(())
        });
    }
    walk(octets, "octets", |walk| {
        let octets = walk.rest("octets");
        walk.say(data::hex(octets));
        walk.stop("not understood: no HDLC frame, wrapped message or sign-on text begins here")
    })
}

/// A frame that checks, and its stations.
fn decoded(octets: &[u8]) -> Option<(Pair, Frame)> {
    let start = octets.iter().position(|octet| *octet != FLAG)?;
    let length = Frame::length(*octets.get(start)?, *octets.get(start + 1)?)?;
    let frame = Frame::decode(octets.get(start..start + length)?).ok()?;
    let station =
        |address: Address| u32::from(address.upper()) << 16 | u32::from(address.lower().unwrap_or(0));
    Some((Pair::new(station(frame.source), station(frame.destination)), frame))
}

fn behind_gateway(mut pair: Pair, octets: &[u8]) -> (Pair, Vec<u8>) {
    match Envelope::decode(octets) {
        Ok(envelope) => {
            pair.device = envelope.physical_address.octets().to_vec();
            (pair, envelope.apdu)
        }
        Err(_) => (pair, octets.to_vec()),
    }
}

/// The attributes a request names.
fn questions(apdu: &Apdu) -> Option<(u8, Vec<AttributeRef>)> {
    let (invoke, attributes) = match apdu {
        Apdu::GetRequest(request) => match &request.kind {
            GetRequestKind::Normal { attribute, .. } => (request.invoke, vec![*attribute]),
            GetRequestKind::WithList(list) => (request.invoke, list.iter().map(|(of, _)| *of).collect()),
            GetRequestKind::Next { .. } => return None,
        },
        Apdu::SetRequest(request) => match &request.kind {
            SetRequestKind::Normal { attribute, .. } | SetRequestKind::FirstBlock { attribute, .. } => {
                (request.invoke, vec![*attribute])
            }
            SetRequestKind::WithList { attributes, .. } => {
                (request.invoke, attributes.iter().map(|(of, _)| *of).collect())
            }
            SetRequestKind::Block(_) => return None,
        },
        _ => return None,
    };
    Some((invoke.number(), attributes))
}

/// The block of a value an APDU carries.
fn block(apdu: &Apdu) -> Option<(&DataBlock, u8)> {
    match apdu {
        Apdu::GetResponse(response) => match &response.kind {
            GetResponseKind::Block(block) => Some((block, response.invoke.number())),
            _ => None,
        },
        Apdu::SetRequest(request) => match &request.kind {
            SetRequestKind::FirstBlock { block, .. } | SetRequestKind::Block(block) => {
                Some((block, request.invoke.number()))
            }
            _ => None,
        },
        Apdu::ActionRequest(request) => match &request.kind {
            ActionRequestKind::FirstBlock { block, .. } | ActionRequestKind::Block(block) => {
                Some((block, request.invoke.number()))
            }
            _ => None,
        },
        Apdu::ActionResponse(response) => match &response.kind {
            ActionResponseKind::Block(block) => Some((block, response.invoke.number())),
            _ => None,
        },
        _ => None,
    }
}

fn value(assembly: Assembly, of: Option<&AttributeRef>) -> Whole {
    let span = walk(&assembly.octets, "value", |walk| {
        let words = data::value(walk, of)?;
        let named = of.map_or_else(String::new, |of| format!("{}: ", crate::vocabulary::attribute(of)));
        walk.title(named + &words);
        Ok(())
    });
    Whole { what: format!("value from {} blocks", assembly.pieces), octets: assembly.octets, span }
}

/// Explains octets that are an APDU, without anything that went before.
pub(super) fn lone_apdu(octets: &[u8]) -> Span {
    walk(octets, "APDU", |walk| apdu(walk, &[]))
}
