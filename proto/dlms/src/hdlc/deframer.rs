//! Finding frames in the octets of a line.

use super::{FLAG, Frame};

/// Finds frames in received octets.
///
/// A frame is known by its length, so a flag octet inside it, even in a check sequence, does no harm. Where octets
/// after a flag turn out not to be a frame, the search begins again at the very next flag: whatever the noise, the
/// next good frame is found. One flag may close a frame and open the next.
#[derive(Debug, Clone, Default)]
pub struct Deframer {
    /// From the flag that may open a frame. Never longer than the longest frame and what was received with its end.
    pending: Vec<u8>,
    discarded: u64,
}

impl Deframer {
    /// A deframer at the start of a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes octets as they arrive. Call [`Deframer::next_frame`] until it gives nothing after each call.
    pub fn receive(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
    }

    /// The next whole frame that checks, `None` until one has arrived.
    pub fn next_frame(&mut self) -> Option<Frame> {
        // `start` moves over what cannot be a frame; one drain at the end keeps long noise cheap.
        let mut start = 0;
        let frame = loop {
            let rest = &self.pending[start..];
            match examine(rest) {
                Examined::Wait => break None,
                Examined::Skip(count) => {
                    start += count;
                    self.discarded += u64::try_from(count).unwrap_or(0);
                }
                Examined::Frame(frame, end) => {
                    start += end;
                    break Some(*frame);
                }
            }
        };
        self.pending.drain(..start);
        frame
    }

    /// Whether part of a frame may have arrived. The line staying silent now means the rest will not come.
    pub fn is_mid_frame(&self) -> bool {
        self.pending.len() > 1
    }

    /// Gives up on the frame that has begun: the line has been silent for too long. Frames that were hidden behind
    /// its wrong length can then be had from [`Deframer::next_frame`].
    pub fn give_up(&mut self) {
        if self.is_mid_frame() {
            self.pending.remove(0);
            self.discarded += 1;
        }
    }

    /// Octets thrown away so far: noise, and frames that did not check.
    pub fn discarded(&self) -> u64 {
        self.discarded
    }
}

/// How many of these octets belong together: a whole frame that checks, with both its flags, or what stands before the next
/// flag that may open one. `None` while a frame may be under way, and of nothing.
pub fn extent(octets: &[u8]) -> Option<usize> {
    let mut skipped = 0;
    loop {
        match examine(&octets[skipped..]) {
            Examined::Skip(count) => skipped += count,
            Examined::Wait if skipped > 0 => return Some(skipped),
            Examined::Wait => return None,
            Examined::Frame(_, end) if skipped == 0 => return Some(end + 1),
            Examined::Frame(..) => return Some(skipped),
        }
    }
}

enum Examined {
    Wait,
    Skip(usize),
    /// A frame, and where its closing flag is: that may open the next.
    Frame(Box<Frame>, usize),
}

fn examine(octets: &[u8]) -> Examined {
    match octets {
        [] | [FLAG] => Examined::Wait,
        [FLAG, FLAG, ..] => Examined::Skip(1),
        [FLAG, first, rest @ ..] => examine_frame(octets, *first, rest.first().copied()),
        _ => Examined::Skip(octets.iter().position(|octet| *octet == FLAG).unwrap_or(octets.len())),
    }
}

/// Looks at octets that start with a flag and something else.
fn examine_frame(octets: &[u8], first: u8, second: Option<u8>) -> Examined {
    let length = match second {
        Some(second) => Frame::length(first, second),
        // Half a length: only the format type can be judged.
        None => return if Frame::length(first, 0xFF).is_some() { Examined::Wait } else { Examined::Skip(1) },
    };
    let Some(end) = length.map(|length| 1 + length) else { return Examined::Skip(1) };
    match octets.get(end) {
        None => Examined::Wait,
        Some(&FLAG) => match Frame::decode(&octets[1..end]) {
            Ok(frame) => Examined::Frame(Box::new(frame), end),
            Err(_) => Examined::Skip(1),
        },
        Some(_) => Examined::Skip(1),
    }
}
