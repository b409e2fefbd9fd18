//! Cutting the octets of a line or stream into what was sent as one: frames, wrapped messages, sign-on texts.

use super::sign_on::character;
use crate::hdlc::{FLAG, Frame};

/// The longest sign-on line looked for; the longest the standard has is under 40.
const LONGEST_LINE: usize = 128;
/// The longest read-out looked for.
const LONGEST_READ_OUT: usize = 65_536;
/// Octets of a wrapper header.
const WRAPPER: usize = 8;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PieceKind {
    /// A message of IEC 62056-21.
    SignOn,
    /// An HDLC frame; its check sequence may be wrong.
    Hdlc,
    /// A wrapped message.
    Wrapper,
    /// None of these: noise, or a message cut short.
    Unknown,
}

/// Octets that were sent as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its octets.
    pub octets: Vec<u8>,
    /// Where it begins, in octets since the cutter was made.
    pub from: u64,
}

/// Cuts what one side sends into pieces, however it arrives. Every octet ends up in exactly one piece.
#[derive(Debug, Clone, Default)]
pub struct Cutter {
    pending: Vec<u8>,
    /// Octets given out before the first pending one.
    from: u64,
    /// The octet before the first pending one closed a frame, and may open the next.
    after_flag: bool,
}

enum Examined {
    /// More octets are needed to tell.
    Wait,
    Piece(PieceKind, usize),
}

impl Cutter {
    /// A cutter that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes octets as they arrive. Call [`Cutter::next_piece`] until it gives nothing after each call.
    pub fn receive(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
    }

    /// The next whole piece.
    pub fn next_piece(&mut self) -> Option<Piece> {
        match examine(&self.pending, self.after_flag) {
            Examined::Wait => None,
            Examined::Piece(kind, count) => Some(self.give(kind, count)),
        }
    }

    /// What is left when nothing more will come. Call until it gives nothing.
    pub fn finish(&mut self) -> Option<Piece> {
        if self.pending.is_empty() {
            return None;
        }
        Some(self.next_piece().unwrap_or_else(|| {
            let (kind, count) = cut_short(&self.pending, self.after_flag);
            self.give(kind, count)
        }))
    }

    fn give(&mut self, kind: PieceKind, count: usize) -> Piece {
        let octets: Vec<u8> = self.pending.drain(..count).collect();
        let from = self.from;
        self.from += u64::try_from(count).unwrap_or(0);
        self.after_flag = kind == PieceKind::Hdlc && octets.last() == Some(&FLAG);
        Piece { kind, octets, from }
    }
}

fn examine(octets: &[u8], after_flag: bool) -> Examined {
    let Some(first) = octets.first() else { return Examined::Wait };
    match (*first, character(*first)) {
        (FLAG, _) => frame(octets, octets.iter().take_while(|octet| **octet == FLAG).count()),
        (0xA0..=0xAF, _) if after_flag => frame(octets, 0),
        (0x00, _) => wrapper(octets),
        (_, b'/') => line(octets),
        (_, 0x06) => acknowledgement(octets),
        (_, 0x15) => Examined::Piece(PieceKind::SignOn, 1),
        (_, 0x01 | 0x02) => read_out(octets),
        _ => unknown(octets),
    }
}

/// Octets that begin with so many flags, or with the format of a frame whose flag closed the one before.
fn frame(octets: &[u8], flags: usize) -> Examined {
    let length = match octets.get(flags..flags + 2) {
        Some(format) => Frame::length(format[0], format[1]),
        None if octets.get(flags).is_none_or(|format| format & 0xF0 == 0xA0) => return Examined::Wait,
        None => None,
    };
    let Some(length) = length else { return unknown(octets) };
    let end = flags + length;
    match octets.get(end) {
        None => Examined::Wait,
        Some(&FLAG) if Frame::decode(&octets[flags..end]).is_ok() => {
            Examined::Piece(PieceKind::Hdlc, end + 1)
        }
        // Damaged. A good frame within it says where the damage ends; without one it is taken as it stands.
        found => match (good_frame_within(octets, flags.max(1)), found) {
            (Some(next), _) => Examined::Piece(PieceKind::Unknown, next),
            (None, Some(&FLAG)) => Examined::Piece(PieceKind::Hdlc, end + 1),
            (None, _) => unknown(octets),
        },
    }
}

/// Where a whole frame that checks begins.
fn good_frame_within(octets: &[u8], from: usize) -> Option<usize> {
    let flags = (from..octets.len()).filter(|at| octets[*at] == FLAG);
    flags.into_iter().find(|at| {
        let Some(&[first, second]) = octets.get(at + 1..at + 3) else { return false };
        let Some(end) = Frame::length(first, second).map(|length| at + 1 + length) else { return false };
        octets.get(end) == Some(&FLAG) && Frame::decode(&octets[at + 1..end]).is_ok()
    })
}

fn wrapper(octets: &[u8]) -> Examined {
    match octets {
        [0, 1, _, _, _, _, high, low, ..] => {
            let end = WRAPPER + usize::from(u16::from_be_bytes([*high, *low]));
            if octets.len() < end { Examined::Wait } else { Examined::Piece(PieceKind::Wrapper, end) }
        }
        [0] | [0, 1, ..] => Examined::Wait,
        _ => unknown(octets),
    }
}

fn line(octets: &[u8]) -> Examined {
    match octets.iter().take(LONGEST_LINE).position(|octet| character(*octet) == b'\n') {
        Some(end) => Examined::Piece(PieceKind::SignOn, end + 1),
        None if octets.len() < LONGEST_LINE => Examined::Wait,
        None => unknown(octets),
    }
}

fn acknowledgement(octets: &[u8]) -> Examined {
    match octets.get(1).map(|octet| character(*octet)) {
        None => Examined::Wait,
        Some(b'0'..=b'9') => line(octets),
        Some(_) => Examined::Piece(PieceKind::SignOn, 1),
    }
}

/// Up to ETX or EOT, and the block check behind it.
fn read_out(octets: &[u8]) -> Examined {
    match octets.iter().take(LONGEST_READ_OUT).position(|octet| matches!(character(*octet), 0x03 | 0x04)) {
        Some(end) if octets.len() > end + 1 => Examined::Piece(PieceKind::SignOn, end + 2),
        None if octets.len() >= LONGEST_READ_OUT => unknown(octets),
        _ => Examined::Wait,
    }
}

/// Up to where something may begin again: the next flag or sign-on line, else all there is.
fn unknown(octets: &[u8]) -> Examined {
    let begins = |octet: &u8| *octet == FLAG || character(*octet) == b'/';
    let rest = octets.get(1..).unwrap_or_default();
    let count = rest.iter().position(begins).map_or(octets.len(), |at| at + 1);
    Examined::Piece(PieceKind::Unknown, count)
}

/// What octets are that wait for more, when no more will come.
fn cut_short(octets: &[u8], after_flag: bool) -> (PieceKind, usize) {
    let flags = octets.iter().take_while(|octet| **octet == FLAG).count();
    if let Some(next) = good_frame_within(octets, flags.max(1)) {
        return (PieceKind::Unknown, next);
    }
    match octets {
        _ if flags == octets.len() => (PieceKind::Unknown, octets.len()),
        [FLAG, ..] => (PieceKind::Hdlc, octets.len()),
        [first, ..] if after_flag && first & 0xF0 == 0xA0 => (PieceKind::Hdlc, octets.len()),
        [0, 1, ..] => (PieceKind::Wrapper, octets.len()),
        [first, ..] if matches!(character(*first), b'/' | 1 | 2 | 6) => (PieceKind::SignOn, octets.len()),
        _ => (PieceKind::Unknown, octets.len()),
    }
}
