//! What the follower has read lately and everybody may take, and marks by which the rest is found.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::{Chunk, Position, Track};

/// Octets of the latest chunks that are kept. Who is further back than that reads the file.
pub(super) const KEPT: usize = 1 << 20;
/// Octets between two marks.
const BETWEEN_MARKS: u64 = 256 << 10;

/// What is kept of both files.
#[derive(Debug, Default)]
pub(super) struct Recents {
    records: Mutex<Recent>,
    notes: Mutex<Recent>,
}

impl Recents {
    pub(super) const fn of(&self, track: Track) -> &Mutex<Recent> {
        match track {
            Track::Records => &self.records,
            Track::Notes => &self.notes,
        }
    }
}

/// The latest chunks of a file, and places in it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    chunks: VecDeque<Arc<Chunk>>,
    octets: usize,
    marks: Vec<Position>,
}

impl Recent {
    pub(super) fn push(&mut self, chunk: Arc<Chunk>) {
        if self.marks.last().is_none_or(|mark| chunk.from.offset >= mark.offset + BETWEEN_MARKS) {
            self.marks.push(chunk.from);
        }
        self.octets += chunk.octets.len();
        self.chunks.push_back(chunk);
        while self.octets > KEPT && self.chunks.len() > 1 {
            self.octets -= self.chunks.pop_front().map_or(0, |chunk| chunk.octets.len());
        }
    }

    /// The chunk that begins here, or what is left of it from here: whoever began in the middle of one has from then on what
    /// everybody has.
    pub(super) fn from(&self, from: Position) -> Option<Arc<Chunk>> {
        let after = self.chunks.partition_point(|chunk| chunk.from.offset <= from.offset);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        if chunk.from.offset == from.offset {
            return Some(Arc::clone(chunk));
        }
        (from.offset < chunk.to.offset).then(|| Arc::new(chunk.rest(from)))
    }

    /// The last mark that is no later than this line or note.
    pub(super) fn mark(&self, number: u64) -> Position {
        let after = self.marks.partition_point(|mark| mark.number <= number);
        after.checked_sub(1).and_then(|n| self.marks.get(n).copied()).unwrap_or_default()
    }

    /// Octets that are kept.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.octets.len()).sum()
    }
}
