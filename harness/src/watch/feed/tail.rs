//! Reading a file that grows, by whole lines or notes.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use proto_lab::record::MAX_LINE;

use super::unaltered::Unaltered;
use super::{Chunk, Fault, Position, Track};
use crate::evidence::{EvidenceError, RunFolder};

/// Octets of a chunk, before the line that ends it.
const CHUNK: u64 = 128 << 10;

/// A file that grows.
#[derive(Debug)]
pub(super) struct Tail {
    track: Track,
    path: PathBuf,
    file: Option<File>,
    pub(super) at: Position,
    read: Unaltered,
}

impl Tail {
    pub(super) fn new(track: Track, folder: &RunFolder) -> Self {
        Self {
            track,
            path: track.path(folder),
            file: None,
            at: Position::default(),
            read: Unaltered::default(),
        }
    }

    /// The next lines or notes; none when there is nothing new.
    pub(super) fn poll(&mut self) -> Result<Option<Chunk>, Fault> {
        if !self.is_as_it_was()? {
            return Ok(None);
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        let chunk = read(file, self.track, self.at, u64::MAX)?;
        if let Some(chunk) = &chunk {
            self.at = chunk.to;
            self.read.take(chunk);
        }
        Ok(chunk)
    }

    /// Reads again some of what was read before.
    pub(super) fn look_back(&mut self) -> Result<(), Fault> {
        match &mut self.file {
            Some(file) => self.read.look(self.track, file),
            None => Ok(()),
        }
    }

    /// Whether the file is there: the same, and no shorter than what was read of it.
    fn is_as_it_was(&mut self) -> Result<bool, Fault> {
        let file = self.track.file();
        let there = match std::fs::metadata(&self.path) {
            Ok(there) => there,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && self.file.is_none() => return Ok(false),
            Err(e) => return Err(unreadable(EvidenceError::io("look at", &self.path)(e))),
        };
        let found = there.len();
        if found < self.at.offset {
            return Err(Fault::Shorter { file, found, expected: self.at.offset });
        }
        let io = |what| EvidenceError::io(what, &self.path);
        match &self.file {
            None => self.file = Some(File::open(&self.path).map_err(|e| unreadable(io("open")(e)))?),
            Some(held) => {
                let held = held.metadata().map_err(|e| unreadable(io("look at")(e)))?;
                if (held.dev(), held.ino()) != (there.dev(), there.ino()) {
                    return Err(Fault::Replaced { file });
                }
            }
        }
        Ok(true)
    }
}

/// Reads whole lines or notes from a place, none of them beyond `limit` octets.
pub(super) fn read(
    file: &mut File,
    track: Track,
    from: Position,
    limit: u64,
) -> Result<Option<Chunk>, Fault> {
    // Most often a chunk is there at once; a line or note longer than one is read again with room for the longest.
    for room in [2 * CHUNK, 2 * MAX_LINE as u64] {
        let octets =
            octets(file, from.offset, room.min(limit)).map_err(|e| Fault::Unreadable(e.to_string()))?;
        let (taken, number) = track.whole(&octets, CHUNK as usize);
        if taken > 0 {
            let to = Position { number: from.number + number, offset: from.offset + taken as u64 };
            let mut octets = octets;
            octets.truncate(taken);
            // What is kept and counted is the chunk, not the room it was read into.
            octets.shrink_to_fit();
            return Ok(Some(Chunk::new(from, to, octets.into())));
        }
        if octets.len() > MAX_LINE && track == Track::Records || octets.len() == 2 * MAX_LINE {
            return Err(Fault::TooLong { file: track.file(), from: from.offset });
        }
    }
    Ok(None)
}

pub(super) fn octets(file: &mut File, from: u64, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(limit).read_to_end(&mut octets)?;
    Ok(octets)
}

pub(super) fn unreadable(error: EvidenceError) -> Fault {
    Fault::Unreadable(error.to_string())
}
