//! What waits to go out on one connection, in its order.

use std::collections::VecDeque;
use std::time::Instant;

use lab_config::DeviceKind;

use super::board::PATIENCE;
use super::wire::{Fate, Piece};

/// Pieces that wait; what is more is lost, as in any full buffer.
const MOST: usize = 4096;

/// What goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// Octets.
    Octets(Vec<u8>),
    /// The device restarts: associations and links of it are gone.
    Reset(DeviceKind),
}

/// The way out of one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    /// In the order it goes out.
    queue: VecDeque<(Instant, Outgoing)>,
    /// Whether what is late is overtaken, as datagrams are; a line or a stream keeps its order.
    overtaking: bool,
    /// A frame that is to come after its successor, and until when it waits.
    held: Option<(Instant, Vec<Piece>)>,
    /// How often a fault had been cleared when it was last used.
    cleared: u64,
}

impl Outbox {
    /// The way out to one client of a port that sends datagrams.
    pub fn of_datagrams() -> Self {
        Self { overtaking: true, ..Self::default() }
    }

    /// What a fault held back is lost once the fault is cleared.
    pub(super) fn forget_before(&mut self, cleared: u64) {
        if self.cleared != cleared {
            self.discard();
            self.cleared = cleared;
        }
    }

    /// Puts in what the faults have left of a frame.
    pub(super) fn push(&mut self, fate: Fate, reset: Option<DeviceKind>, now: Instant) {
        if fate.held && self.held.is_none() {
            self.held = Some((now + PATIENCE, fate.pieces));
        } else {
            self.enqueue(fate.pieces, now);
            self.release(now);
        }
        if let Some(device) = reset {
            let due = self.last().unwrap_or(now);
            self.queue.push_back((due, Outgoing::Reset(device)));
        }
    }

    /// The next that is due.
    pub fn poll(&mut self, now: Instant) -> Option<Outgoing> {
        if self.held.as_ref().is_some_and(|(until, _)| *until <= now) {
            self.release(now);
        }
        let due = self.queue.front().is_some_and(|(due, _)| *due <= now);
        due.then(|| self.queue.pop_front()).flatten().map(|(_, outgoing)| outgoing)
    }

    /// When [`Outbox::poll`] has something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let held = self.held.as_ref().map(|(until, _)| *until);
        [self.queue.front().map(|(due, _)| *due), held].into_iter().flatten().min()
    }

    /// Nothing that waits goes out any more.
    pub fn discard(&mut self) {
        self.queue.clear();
        self.held = None;
    }

    fn release(&mut self, now: Instant) {
        if let Some((_, pieces)) = self.held.take() {
            self.enqueue(pieces, now);
        }
    }

    fn enqueue(&mut self, pieces: Vec<Piece>, now: Instant) {
        for Piece { after, octets } in pieces {
            if self.queue.len() < MOST {
                let due = self.due(now + after);
                let place = self.queue.partition_point(|(other, _)| *other <= due);
                self.queue.insert(place, (due, Outgoing::Octets(octets)));
            }
        }
    }

    /// When something goes out that is ready then: on a line, not before what is late already.
    fn due(&self, ready: Instant) -> Instant {
        self.last().filter(|_| !self.overtaking).map_or(ready, |last| last.max(ready))
    }

    fn last(&self) -> Option<Instant> {
        self.queue.back().map(|(due, _)| *due)
    }
}
