//! One reading of a run for everybody who watches it.
//!
//! ```text
//!  records.jsonl ─┐  one follower   ┌ the latest chunks, shared ──> witness at the edge
//!  checkpoints  ──┴────────────────>┤ marks: number and offset ──> witness further back reads the file from there
//!                                   └ edge: how far it goes
//! ```
//!
//! A watcher holds a [`Position`] in each file and asks for the chunk that begins there. Whoever is at the edge is given the
//! chunk that everybody else is given; whoever is behind reads the file itself from its own offset. So a hundred watchers
//! cost one reading, a slow one costs nobody anything, and nothing is ever skipped. What is kept has a bound that does not
//! depend on how many watch, by page or by gRPC: a mebibyte of either file of each run that is followed.
//!
//! A file that becomes shorter, is put in another's place, or is altered where it was read already, ends the feed with a
//! [`Fault`]: records are only ever added.

mod follower;
mod recent;
mod tail;
mod track;
mod unaltered;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bytes::Bytes;
use proto_lab::record::MAX_LINE;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::evidence::{EvidenceError, RunFolder};
use follower::Follower;
use recent::Recents;
pub use track::Track;

/// Runs that may be followed at a time: each keeps up to two mebibytes.
const FOLLOWED: usize = 128;

/// A place between two lines, or between two notes, of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// How many stand before it.
    pub number: u64,
    /// How many octets.
    pub offset: u64,
}

/// Whole lines, or whole notes, that stand together in a file.
#[derive(Debug)]
pub struct Chunk {
    /// Where they begin.
    pub from: Position,
    /// Where they end.
    pub to: Position,
    /// Their octets, as they stand in the file.
    pub octets: Bytes,
    /// The same as a server sends them, made once for all who are sent them.
    encoded: OnceLock<Bytes>,
}

impl Chunk {
    const fn new(from: Position, to: Position, octets: Bytes) -> Self {
        Self { from, to, octets, encoded: OnceLock::new() }
    }

    /// What is left of it from a place within it.
    fn rest(&self, from: Position) -> Self {
        let passed = usize::try_from(from.offset - self.from.offset).unwrap_or(usize::MAX);
        Self::new(from, self.to, self.octets.slice(passed.min(self.octets.len())..))
    }

    /// The chunk as `encode` writes it, which is asked once.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(self)).clone()
    }
}

/// Why a run can be followed no further. What is written is never taken back, so each of these is an alarm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file lost octets.
    #[error("{file} became shorter: {found} octets, expected {expected} or more")]
    Shorter {
        /// The name of the file.
        file: &'static str,
        /// Octets now.
        found: u64,
        /// Octets read before.
        expected: u64,
    },
    /// Another file stands in its place.
    #[error("{file} was replaced by another file while it was followed")]
    Replaced {
        /// The name of the file.
        file: &'static str,
    },
    /// What was read before reads otherwise now.
    #[error(
        "{file} was altered after it was read: of what stood between numbers {from} and {before}, something is not as it was \
         sent"
    )]
    Altered {
        /// The name of the file.
        file: &'static str,
        /// The number of the first record, or note, of the part that is altered.
        from: u64,
        /// The number before which the part ends.
        before: u64,
    },
    /// There is no line end where there should be.
    #[error("{file} has no line end within {MAX_LINE} octets after octet {from}")]
    TooLong {
        /// The name of the file.
        file: &'static str,
        /// Where the line begins.
        from: u64,
    },
    /// Somebody has seen more than there is.
    #[error("asked from {what} {asked}, and there are {found}: {what}s are missing")]
    Missing {
        /// What is counted.
        what: &'static str,
        /// What was asked for.
        asked: u64,
        /// How many there are.
        found: u64,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// As many runs are followed as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{FOLLOWED} runs are being watched, as many as may be at a time: try again later")]
pub struct Crowded;

/// How far a run goes, as far as it has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// Whether it has been read at all.
    pub looked: bool,
    /// The end of the records.
    pub records: Position,
    /// The end of the checkpoints.
    pub notes: Position,
    /// Whether the last record of the run is there.
    pub last_record: bool,
    /// Whether its final checkpoint is.
    pub last_note: bool,
    /// Why it is not followed further.
    pub fault: Option<Fault>,
}

impl Edge {
    /// The end of one of the files.
    pub const fn of(&self, track: Track) -> Position {
        match track {
            Track::Records => self.records,
            Track::Notes => self.notes,
        }
    }

    /// Whether nothing more comes in one of the files.
    pub const fn is_last(&self, track: Track) -> bool {
        match track {
            Track::Records => self.last_record,
            Track::Notes => self.last_note,
        }
    }

    /// Whether the last record and the final checkpoint are there.
    pub const fn ended(&self) -> bool {
        self.last_record && self.last_note
    }
}

/// The feeds of the runs that somebody watches.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    open: Arc<Mutex<BTreeMap<PathBuf, Weak<Feed>>>>,
}

impl Feeds {
    /// The feed of a run: the one others watch, or a new one, which ends when nobody holds it any more.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Crowded`] when nobody follows this run yet and it would be one too many.
    pub fn of(&self, folder: &RunFolder) -> Result<Arc<Feed>, Crowded> {
        let mut open = unpoisoned(&self.open);
        open.retain(|_, feed| feed.strong_count() > 0);
        if let Some(feed) = open.get(folder.root()).and_then(Weak::upgrade) {
            return Ok(feed);
        }
        if open.len() >= FOLLOWED {
            return Err(Crowded);
        }
        let feed = Arc::new(Feed::start(folder.clone()));
        open.insert(folder.root().to_path_buf(), Arc::downgrade(&feed));
        Ok(feed)
    }
}

/// One run, followed.
#[derive(Debug)]
pub struct Feed {
    folder: RunFolder,
    edge: watch::Receiver<Edge>,
    recent: Arc<Recents>,
    _stop: DropGuard,
}

impl Feed {
    fn start(folder: RunFolder) -> Self {
        let (sender, edge) = watch::channel(Edge::default());
        let (recent, stop) = (Arc::new(Recents::default()), CancellationToken::new());
        let follower = Follower::new(&folder, Arc::clone(&recent));
        tokio::spawn(stop.clone().run_until_cancelled_owned(follower.follow(sender)));
        Self { folder, edge, recent, _stop: stop.drop_guard() }
    }

    /// How far the run goes, once it has been looked at; it changes as the run is written.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when it is not looked at any more: the program ends.
    pub async fn edge(&self) -> Result<watch::Receiver<Edge>, Fault> {
        let mut edge = self.edge.clone();
        edge.wait_for(|edge| edge.looked).await.map_err(|_| broken_off())?;
        Ok(edge)
    }

    /// The chunk that begins at `from`; none at the edge. What everybody at the edge is given is at hand; what is further back
    /// is read on a thread for what may wait.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub async fn next(self: &Arc<Self>, track: Track, from: Position) -> Result<Option<Arc<Chunk>>, Fault> {
        if from.offset >= self.edge.borrow().of(track).offset {
            return Ok(None);
        }
        if let Some(chunk) = self.kept(track, from) {
            return Ok(Some(chunk));
        }
        let feed = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || feed.chunk(track, from));
        read.await.unwrap_or_else(|_| Err(broken_off()))
    }

    /// As [`Feed::next`], here and now: this may read a file.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub fn chunk(&self, track: Track, from: Position) -> Result<Option<Arc<Chunk>>, Fault> {
        let until = self.edge.borrow().of(track).offset;
        if from.offset >= until {
            return Ok(None);
        }
        if let Some(chunk) = self.kept(track, from) {
            return Ok(Some(chunk));
        }
        let path = track.path(&self.folder);
        let mut file = File::open(&path).map_err(|e| tail::unreadable(EvidenceError::io("open", path)(e)))?;
        let read = tail::read(&mut file, track, from, until - from.offset);
        read.map(|chunk| chunk.map(Arc::new))
    }

    /// Octets that are kept for all who watch.
    #[cfg(test)]
    pub(crate) fn octets_kept(&self) -> usize {
        [Track::Records, Track::Notes].map(|track| unpoisoned(self.recent.of(track)).octets()).iter().sum()
    }

    fn kept(&self, track: Track, from: Position) -> Option<Arc<Chunk>> {
        unpoisoned(self.recent.of(track)).from(from)
    }

    /// Where this line or note begins, or will.
    ///
    /// # Errors
    /// [`Fault::Missing`] when there are not so many: whoever has seen more has seen another history. Others when the file is
    /// not as it was.
    pub async fn begin(self: &Arc<Self>, track: Track, number: u64) -> Result<Position, Fault> {
        let found = self.edge.borrow().of(track).number;
        let feed = Arc::clone(self);
        let located = tokio::task::spawn_blocking(move || feed.locate(track, number));
        let located = located.await.unwrap_or_else(|_| Err(broken_off()))?;
        located.ok_or(Fault::Missing { what: track.unit(), asked: number, found })
    }

    /// Where this line or note begins; none when there are not so many. This may read a file.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub fn locate(&self, track: Track, number: u64) -> Result<Option<Position>, Fault> {
        let edge = self.edge.borrow().of(track);
        if number >= edge.number {
            return Ok((number == edge.number).then_some(edge));
        }
        let mut at = unpoisoned(self.recent.of(track)).mark(number);
        while at.number < number {
            let Some(chunk) = self.chunk(track, at)? else { return Ok(None) };
            if chunk.to.number > number {
                let passed = track.octets_of(&chunk.octets, number - at.number);
                return Ok(Some(Position { number, offset: at.offset + passed }));
            }
            at = chunk.to;
        }
        Ok(Some(at))
    }

    /// The line of one record, line feed included; none when there is no such record. This may read a file.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub fn line(&self, record: u64) -> Result<Option<Vec<u8>>, Fault> {
        let Some(at) = self.locate(Track::Records, record)? else { return Ok(None) };
        let chunk = self.chunk(Track::Records, at)?;
        Ok(chunk.and_then(|chunk| chunk.octets.split_inclusive(|o| *o == b'\n').next().map(<[u8]>::to_vec)))
    }
}

/// The runtime ends, or a reader panicked.
fn broken_off() -> Fault {
    Fault::Unreadable("reading the run was broken off".to_owned())
}

/// What is locked here is whole between any two statements, so a panic elsewhere spoils nothing.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
