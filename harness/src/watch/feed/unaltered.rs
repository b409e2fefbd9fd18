//! What was read of a file stays as it was: it is read again, a part at a time, and must come to the same digest.
//!
//! Whoever was sent a line holds what stood there then. A line that is altered afterwards, behind their back, is found here
//! and not only when they read everything anew.

use std::fs::File;

use sha2::{Digest as _, Sha256};

use super::tail::octets;
use super::{Chunk, Fault, Position, Track};

/// Octets of a part, before the chunk that ends it: what is read again at a time.
const PART: u64 = 256 << 10;

/// The digests of what was read of one file, from its beginning on.
#[derive(Debug, Default)]
pub(super) struct Unaltered {
    parts: Vec<Part>,
    /// The part that is read again next.
    next: usize,
}

#[derive(Debug)]
struct Part {
    from: Position,
    to: Position,
    digest: Sha256,
}

impl Unaltered {
    /// Takes in the next chunk of the file.
    pub(super) fn take(&mut self, chunk: &Chunk) {
        if self.parts.last().is_none_or(|part| part.to.offset - part.from.offset >= PART) {
            self.parts.push(Part { from: chunk.from, to: chunk.from, digest: Sha256::new() });
        }
        if let Some(part) = self.parts.last_mut() {
            part.digest.update(&chunk.octets);
            part.to = chunk.to;
        }
    }

    /// Reads the next part again.
    ///
    /// # Errors
    /// [`Fault::Altered`], [`Fault::Unreadable`].
    pub(super) fn look(&mut self, track: Track, file: &mut File) -> Result<(), Fault> {
        let Some(part) = self.parts.get(self.next) else { return Ok(()) };
        self.next = (self.next + 1) % self.parts.len();
        let length = part.to.offset - part.from.offset;
        let found = octets(file, part.from.offset, length).map_err(|e| Fault::Unreadable(e.to_string()))?;
        if Sha256::digest(&found) == part.digest.clone().finalize() {
            return Ok(());
        }
        Err(Fault::Altered { file: track.file(), from: part.from.number, before: part.to.number })
    }
}
