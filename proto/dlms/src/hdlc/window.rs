//! Sequence numbers: what has been sent and not acknowledged, and what must come next.

use std::collections::VecDeque;

use super::{Frame, Information, Parameters};

/// The difference of two sequence numbers, modulo 8.
fn distance(from: u8, to: u8) -> u8 {
    to.wrapping_sub(from) & 7
}

/// One segment of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) information: Information,
    /// Whether more segments of the message follow.
    pub(super) more: bool,
}

/// An acknowledgement of frames that were never sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadAcknowledgement;

/// The sending side: segments until they are acknowledged.
#[derive(Debug)]
pub(super) struct Sender {
    queue: VecDeque<Segment>,
    /// Number of the segment at the head of the queue.
    base: u8,
    /// How many from the head have been sent in this round.
    next: usize,
    /// How many from the head have ever been sent. At most the window, so acknowledgements are never ambiguous.
    sent: usize,
    window: usize,
    max_info: usize,
}

impl Sender {
    pub(super) fn new(parameters: Parameters) -> Self {
        Self {
            queue: VecDeque::new(),
            base: 0,
            next: 0,
            sent: 0,
            window: parameters.window_tx.get().into(),
            max_info: parameters.max_info_tx.get().into(),
        }
    }

    pub(super) fn push(&mut self, message: &[u8]) {
        let first = self.queue.len();
        let segments = Information::cut(message, self.max_info);
        self.queue.extend(segments.map(|information| Segment { information, more: true }));
        if let Some(last) = self.queue.range_mut(first..).next_back() {
            last.more = false;
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn segments(&self) -> usize {
        self.queue.len()
    }

    /// Number of the next segment to send.
    pub(super) fn next_number(&self) -> u8 {
        (0..self.next).fold(self.base, |number, _| (number + 1) & 7)
    }

    /// Takes the other side's next expected number: whether it acknowledges anything new.
    pub(super) fn acknowledge(&mut self, nr: u8) -> Result<bool, BadAcknowledgement> {
        let count = usize::from(distance(self.base, nr));
        if count > self.sent {
            return Err(BadAcknowledgement);
        }
        self.queue.drain(..count);
        self.base = nr & 7;
        self.sent -= count;
        self.next = self.next.saturating_sub(count);
        Ok(count > 0)
    }

    /// Begins again with the first segment not acknowledged.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
    }

    /// The next segments the window allows, with their numbers.
    pub(super) fn round(&mut self) -> Vec<(u8, Segment)> {
        let mut round = Vec::new();
        while self.next < self.window {
            let Some(segment) = self.queue.get(self.next) else { break };
            round.push((self.next_number(), segment.clone()));
            self.next += 1;
        }
        self.sent = self.sent.max(self.next);
        round
    }
}

/// What a received segment was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// The last of this message.
    Whole(Vec<u8>),
    /// One of several.
    Part,
    /// One that has been received before.
    Duplicate,
    /// One before it is missing.
    Gap,
    /// The message grows beyond what this side takes.
    TooLong,
}

/// The receiving side.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Number of the next segment to accept.
    next: u8,
    window: u8,
    message: Vec<u8>,
    limit: usize,
}

impl Receiver {
    pub(super) fn new(parameters: Parameters, limit: usize) -> Self {
        Self { next: 0, window: parameters.window_rx.get(), message: Vec::new(), limit }
    }

    /// Number of the next segment to accept.
    pub(super) fn next_number(&self) -> u8 {
        self.next
    }

    pub(super) fn accept(&mut self, ns: u8, frame: &Frame) -> Accepted {
        match distance(self.next, ns) {
            0 => {}
            ahead if ahead < self.window => return Accepted::Gap,
            _ => return Accepted::Duplicate,
        }
        if self.message.len() + frame.information.octets().len() > self.limit {
            return Accepted::TooLong;
        }
        self.next = (self.next + 1) & 7;
        self.message.extend_from_slice(frame.information.octets());
        if frame.segmented { Accepted::Part } else { Accepted::Whole(std::mem::take(&mut self.message)) }
    }
}
