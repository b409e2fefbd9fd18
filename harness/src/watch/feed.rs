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
//! cost one reading, a slow one costs nobody anything, and nothing is ever skipped.
//!
//! A file that becomes shorter, or is put in another's place, while it is followed ends the feed with a [`Fault`]: records
//! are only ever added.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use proto_lab::record::{Body, MAX_LINE, Record};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::note::Note;
use crate::evidence::{EvidenceError, RunFolder};

/// How often a run that is being written is looked at. A step is with the watcher well within a tenth of a second.
const POLL: Duration = Duration::from_millis(40);
/// How often one that has ended is looked at, for changes that should not be.
const SELDOM: Duration = Duration::from_secs(1);
/// Octets of a chunk, before the line that ends it.
const CHUNK: u64 = 128 << 10;
/// Octets of the latest chunks that are kept.
const KEPT: usize = 4 << 20;
/// Octets between two marks.
const BETWEEN_MARKS: u64 = 256 << 10;

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
    pub octets: Vec<u8>,
    /// The same as a server sends them, made once for all who are sent them.
    encoded: OnceLock<Bytes>,
}

impl Chunk {
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
    /// There is no line end where there should be.
    #[error("{file} has no line end within {MAX_LINE} octets after octet {from}")]
    TooLong {
        /// The name of the file.
        file: &'static str,
        /// Where the line begins.
        from: u64,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// How far a run goes, as far as it has been read.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    /// Whether it has been read at all.
    pub looked: bool,
    /// The end of the records.
    pub records: Position,
    /// The end of the checkpoints.
    pub notes: Position,
    /// Whether the last record and the final checkpoint are there.
    pub ended: bool,
    /// Why it is not followed further.
    pub fault: Option<Fault>,
}

/// Which file of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// `records.jsonl`, by lines.
    Records,
    /// `checkpoints`, by signed notes.
    Notes,
}

impl Track {
    const fn file(self) -> &'static str {
        match self {
            Self::Records => "records.jsonl",
            Self::Notes => "checkpoints",
        }
    }

    fn path(self, folder: &RunFolder) -> PathBuf {
        match self {
            Self::Records => folder.records(),
            Self::Notes => folder.checkpoints(),
        }
    }

    /// How many octets of these make whole lines or notes, of `enough` octets or a little more, and how many they are.
    fn whole(self, octets: &[u8], enough: usize) -> (usize, u64) {
        let (mut taken, mut number) = (0, 0);
        while taken < enough
            && let Some(next) = octets.get(taken..).and_then(|rest| self.first(rest))
        {
            taken += next;
            number += 1;
        }
        (taken, number)
    }

    /// How long the first line or note is, if it is whole.
    fn first(self, octets: &[u8]) -> Option<usize> {
        let line = |from: usize| octets.get(from..)?.iter().position(|o| *o == b'\n').map(|at| from + at + 1);
        match self {
            Self::Records => line(0),
            // A note is text, an empty line, and a line with its signature.
            Self::Notes => line(octets.windows(2).position(|pair| pair == b"\n\n")? + 2),
        }
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
    pub fn of(&self, folder: &RunFolder) -> Arc<Feed> {
        let mut open = unpoisoned(&self.open);
        open.retain(|_, feed| feed.strong_count() > 0);
        if let Some(feed) = open.get(folder.root()).and_then(Weak::upgrade) {
            return feed;
        }
        let feed = Arc::new(Feed::start(folder.clone()));
        open.insert(folder.root().to_path_buf(), Arc::downgrade(&feed));
        feed
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

/// What the follower has read and everybody may take.
#[derive(Debug, Default)]
struct Recents {
    records: Mutex<Recent>,
    notes: Mutex<Recent>,
}

impl Recents {
    const fn of(&self, track: Track) -> &Mutex<Recent> {
        match track {
            Track::Records => &self.records,
            Track::Notes => &self.notes,
        }
    }
}

/// The latest chunks of a file, and places in it.
#[derive(Debug, Default)]
struct Recent {
    chunks: VecDeque<Arc<Chunk>>,
    octets: usize,
    marks: Vec<Position>,
}

impl Recent {
    fn push(&mut self, chunk: Arc<Chunk>) {
        if self.marks.last().is_none_or(|mark| chunk.from.offset >= mark.offset + BETWEEN_MARKS) {
            self.marks.push(chunk.from);
        }
        self.octets += chunk.octets.len();
        self.chunks.push_back(chunk);
        while self.octets > KEPT && self.chunks.len() > 1 {
            self.octets -= self.chunks.pop_front().map_or(0, |chunk| chunk.octets.len());
        }
    }
}

impl Feed {
    fn start(folder: RunFolder) -> Self {
        let (sender, edge) = watch::channel(Edge::default());
        let (recent, stop) = (Arc::new(Recents::default()), CancellationToken::new());
        let follower = Follower {
            records: Tail::new(Track::Records, &folder),
            notes: Tail::new(Track::Notes, &folder),
            recent: Arc::clone(&recent),
            finished: false,
            is_final: false,
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(follow(follower, sender)));
        Self { folder, edge, recent, _stop: stop.drop_guard() }
    }

    /// How far the run goes; it changes as the run is written.
    pub fn edge(&self) -> watch::Receiver<Edge> {
        self.edge.clone()
    }

    /// The chunk that begins at `from`; none at the edge. This may read a file.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub fn chunk(&self, track: Track, from: Position) -> Result<Option<Arc<Chunk>>, Fault> {
        let until = {
            let edge = self.edge.borrow();
            match track {
                Track::Records => edge.records.offset,
                Track::Notes => edge.notes.offset,
            }
        };
        if from.offset >= until {
            return Ok(None);
        }
        if let Some(chunk) = self.kept(track, from) {
            return Ok(Some(chunk));
        }
        let path = track.path(&self.folder);
        let mut file = File::open(&path).map_err(|e| unreadable(EvidenceError::io("open", path)(e)))?;
        let read = read(&mut file, track, from, until - from.offset);
        read.map(|chunk| chunk.map(Arc::new))
    }

    fn kept(&self, track: Track, from: Position) -> Option<Arc<Chunk>> {
        let recent = unpoisoned(self.recent.of(track));
        let at = recent.chunks.binary_search_by_key(&from.offset, |chunk| chunk.from.offset).ok()?;
        recent.chunks.get(at).cloned()
    }

    /// Where this record begins; none when there are not so many. This may read a file.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub fn locate(&self, record: u64) -> Result<Option<Position>, Fault> {
        let edge = self.edge.borrow().records;
        if record >= edge.number {
            return Ok((record == edge.number).then_some(edge));
        }
        let mut at = {
            let recent = unpoisoned(&self.recent.records);
            let after = recent.marks.partition_point(|mark| mark.number <= record);
            after.checked_sub(1).and_then(|n| recent.marks.get(n).copied()).unwrap_or_default()
        };
        while let Some(chunk) = self.chunk(Track::Records, at)? {
            if chunk.to.number > record {
                let skip = (record - chunk.from.number) as usize;
                let before: usize =
                    chunk.octets.split_inclusive(|o| *o == b'\n').take(skip).map(<[u8]>::len).sum();
                return Ok(Some(Position { number: record, offset: chunk.from.offset + before as u64 }));
            }
            at = chunk.to;
        }
        Ok(None)
    }

    /// The line of one record, line feed included; none when there is no such record. This may read a file.
    ///
    /// # Errors
    /// [`Fault`] when the file is not as it was.
    pub fn line(&self, record: u64) -> Result<Option<Vec<u8>>, Fault> {
        let Some(at) = self.locate(record)? else { return Ok(None) };
        let chunk = self.chunk(Track::Records, at)?;
        Ok(chunk.and_then(|chunk| chunk.octets.split_inclusive(|o| *o == b'\n').next().map(<[u8]>::to_vec)))
    }
}

/// What reads the files; it lives on a thread for what may wait.
#[derive(Debug)]
struct Follower {
    records: Tail,
    notes: Tail,
    recent: Arc<Recents>,
    finished: bool,
    is_final: bool,
}

async fn follow(mut follower: Follower, edge: watch::Sender<Edge>) {
    loop {
        let looked = tokio::task::spawn_blocking(move || {
            let fault = follower.look().err();
            (follower, fault)
        });
        // Only a panic or the end of the runtime breaks this off.
        let Ok((back, fault)) = looked.await else { return };
        follower = back;
        let now = follower.edge(fault);
        let is_over = now.fault.is_some();
        let ended = now.ended;
        edge.send_if_modified(|before| {
            let moved = (before.looked, before.records, before.notes) != (true, now.records, now.notes);
            let changed = moved || is_over || before.ended != now.ended;
            *before = now;
            changed
        });
        if is_over {
            return;
        }
        tokio::time::sleep(if ended { SELDOM } else { POLL }).await;
    }
}

impl Follower {
    /// Reads what is new. Checkpoints are read first: the records they sign for were written before them.
    fn look(&mut self) -> Result<(), Fault> {
        while let Some(chunk) = self.notes.poll()? {
            self.is_final = is_final(&chunk.octets);
            unpoisoned(&self.recent.notes).push(Arc::new(chunk));
        }
        while let Some(chunk) = self.records.poll()? {
            let last = chunk.octets.split_inclusive(|o| *o == b'\n').next_back().unwrap_or_default();
            self.finished = Record::from_line(last).is_ok_and(|r| matches!(r.body, Body::RunFinished(_)));
            unpoisoned(&self.recent.records).push(Arc::new(chunk));
        }
        Ok(())
    }

    fn edge(&self, fault: Option<Fault>) -> Edge {
        let ended = self.finished && self.is_final;
        Edge { looked: true, records: self.records.at, notes: self.notes.at, ended, fault }
    }
}

/// Whether the last of these notes is the final checkpoint.
fn is_final(notes: &[u8]) -> bool {
    let mut rest = std::str::from_utf8(notes).unwrap_or_default();
    let mut last = false;
    while let Ok((note, after)) = Note::take(rest) {
        last = Checkpoint::from_text(note.text).is_some_and(|checkpoint| checkpoint.is_final);
        rest = after;
    }
    last
}

/// A file that grows.
#[derive(Debug)]
struct Tail {
    track: Track,
    path: PathBuf,
    file: Option<File>,
    at: Position,
}

impl Tail {
    fn new(track: Track, folder: &RunFolder) -> Self {
        Self { track, path: track.path(folder), file: None, at: Position::default() }
    }

    /// The next lines or notes; none when there is nothing new.
    fn poll(&mut self) -> Result<Option<Chunk>, Fault> {
        if !self.is_as_it_was()? {
            return Ok(None);
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        let chunk = read(file, self.track, self.at, u64::MAX)?;
        if let Some(chunk) = &chunk {
            self.at = chunk.to;
        }
        Ok(chunk)
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
fn read(file: &mut File, track: Track, from: Position, limit: u64) -> Result<Option<Chunk>, Fault> {
    // Most often a chunk is there at once; a line or note longer than one is read again with room for the longest.
    for room in [2 * CHUNK, 2 * MAX_LINE as u64] {
        let octets =
            octets(file, from.offset, room.min(limit)).map_err(|e| Fault::Unreadable(e.to_string()))?;
        let (taken, number) = track.whole(&octets, CHUNK as usize);
        if taken > 0 {
            let to = Position { number: from.number + number, offset: from.offset + taken as u64 };
            let mut octets = octets;
            octets.truncate(taken);
            return Ok(Some(Chunk { from, to, octets, encoded: OnceLock::new() }));
        }
        if octets.len() > MAX_LINE && track == Track::Records || octets.len() == 2 * MAX_LINE {
            return Err(Fault::TooLong { file: track.file(), from: from.offset });
        }
    }
    Ok(None)
}

fn octets(file: &mut File, from: u64, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(limit).read_to_end(&mut octets)?;
    Ok(octets)
}

fn unreadable(error: EvidenceError) -> Fault {
    Fault::Unreadable(error.to_string())
}

/// What is locked here is whole between any two statements, so a panic elsewhere spoils nothing.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
