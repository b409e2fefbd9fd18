//! The counters that make every request of a user a new one (DUIS type `RequestIDType`, the protection against replay).
//!
//! A counter belongs to an originator and a DCC: that DCC takes no number at or below one it has taken, whichever run it was of.
//! So it is kept in one file for each,
//!
//! ```text
//! $HARNESS_STATE/requests/ORIGINATOR-FINGERPRINT.json
//! ```
//!
//! which holds the highest number that may have been used. It is written ahead, [`AHEAD`] numbers at a time, to a new file that
//! is synchronised and then renamed, under a lock that other programs of the same user respect: a crash at any point loses
//! numbers, which costs nothing, and never uses one twice. A lock beside the file outlives it and knows that it was there: a
//! counter that is gone is noticed. It begins anew by the clock, in microseconds, which is above whatever was used before unless
//! the clock went back; and whoever owns the user is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use proto_duis::Eui64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

/// Numbers written ahead of their use.
const AHEAD: u64 = 1000;
/// Octets of the digest of a DCC's address that stand in a file name.
const FINGERPRINT: usize = 8;

/// Why there is no counter to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CounterFault {
    /// The file cannot be read or written.
    #[error("{path}: {error}: the counter of requests cannot be kept, and without that none is sent")]
    File {
        /// The file or folder.
        path: String,
        /// Why.
        error: String,
    },
    /// The file holds something else.
    #[error(
        "{path}: found {found}, expected the counter of {originator} at {dcc}; write {{\"originator\":\"{originator}\",\
         \"dcc\":\"{dcc}\",\"used\":NUMBER}} into it, with a NUMBER above any that was sent there"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// What it holds.
        found: String,
        /// Whose counter it should be.
        originator: Eui64,
        /// At which DCC.
        dcc: String,
    },
    /// Another program sends in this originator's name.
    #[error(
        "another run sends requests as {originator} to {dcc} now, and the DCC would take each one's counters for replays of the \
         other's: wait for it to end, or give this lab other users ({path})"
    )]
    Held {
        /// The originator.
        originator: Eui64,
        /// The DCC.
        dcc: String,
        /// The lock.
        path: String,
    },
}

/// Where counters are kept, and from what number on where none is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterStore {
    place: Option<Place>,
    first: u64,
}

/// A folder of counters, and which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    dcc: String,
    /// Whether nobody else may send to this DCC in the same names meanwhile.
    alone: bool,
}

impl CounterStore {
    /// Counters that die with the process, for a DCC that does so too; each begins at `first`.
    pub const fn passing(first: u64) -> CounterStore {
        CounterStore { place: None, first }
    }

    /// Counters kept in `folder` for the DCC of this name; one that nobody has kept begins at `first`. Every process has a DCC of
    /// its own of this name: they share the numbers and never use one twice.
    pub fn kept(folder: PathBuf, dcc: impl Into<String>, first: u64) -> CounterStore {
        CounterStore { place: Some(Place { folder, dcc: dcc.into(), alone: false }), first }
    }

    /// The same, for a DCC that several processes reach: while one of them is under way, no other sends in the same names.
    #[must_use]
    pub fn alone(self) -> CounterStore {
        CounterStore { place: self.place.map(|place| Place { alone: true, ..place }), ..self }
    }
}

/// One counter for each originator.
///
/// A counter must not only be larger than the last one, it must also arrive after it. So whoever takes one holds the
/// originator's turn until the DCC has acknowledged the request, and requests of one originator go out one after another.
#[derive(Debug)]
pub(super) struct Counters(BTreeMap<Eui64, Mutex<Counter>>);

/// The counter of one originator.
#[derive(Debug)]
pub(crate) struct Counter {
    book: Option<Book>,
    /// The highest number used; the first is the one above.
    used: u64,
    /// The highest number that may be used without writing.
    reserved: u64,
    /// The last one the DCC accepted. One it refused may be used again, so sending it again is no replay.
    accepted: Option<u64>,
}

impl Counters {
    /// Counters of these originators, and what is to be said of those that nobody kept.
    pub(super) fn open(
        store: &CounterStore,
        originators: BTreeSet<Eui64>,
    ) -> Result<(Counters, Vec<String>), CounterFault> {
        let (mut counters, mut told) = (BTreeMap::new(), Vec::new());
        for originator in originators {
            let (counter, words) = Counter::open(store, originator)?;
            told.extend(words);
            counters.insert(originator, Mutex::new(counter));
        }
        Ok((Counters(counters), told))
    }

    /// The originator's turn, or none by the deadline.
    pub(super) async fn turn(&self, originator: Eui64, deadline: Instant) -> Option<MutexGuard<'_, Counter>> {
        timeout_at(deadline, self.0.get(&originator)?.lock()).await.ok()
    }
}

impl Counter {
    pub(crate) fn open(
        store: &CounterStore,
        originator: Eui64,
    ) -> Result<(Counter, Option<String>), CounterFault> {
        let before = store.first.saturating_sub(1);
        let Some(place) = &store.place else {
            let (used, reserved) = (before, u64::MAX);
            return Ok((Counter { book: None, used, reserved, accepted: None }, None));
        };
        let book = Book::open(place, originator)?;
        if let Some(used) = book.read()? {
            let counter = Counter { book: Some(book), used, reserved: used, accepted: None };
            return Ok((counter, None));
        }
        let words = book.missing(store.first)?;
        // Kept from now on, so that it is not taken for new once more by a run that comes before its first request.
        let reserved = if place.alone { book.reserve(store.first, before)?.1 } else { before };
        Ok((Counter { book: Some(book), used: before, reserved, accepted: None }, words))
    }

    /// A counter never given before; none when there are no more.
    pub(crate) fn take(&mut self) -> Result<Option<u64>, CounterFault> {
        let Some(next) = self.used.checked_add(1) else { return Ok(None) };
        self.used = match &self.book {
            Some(book) if next > self.reserved => {
                let (taken, reserved) = book.reserve(next, self.reserved)?;
                self.reserved = reserved;
                taken
            }
            _ => next,
        };
        Ok(Some(self.used))
    }

    /// The DCC accepted a request with this counter.
    pub(super) const fn accept(&mut self, counter: u64) {
        self.accepted = Some(counter);
    }

    /// The counter the DCC accepted last; none when it accepted none.
    pub(super) const fn accepted(&self) -> Option<u64> {
        self.accepted
    }
}

/// The file of one counter, and its lock.
#[derive(Debug)]
struct Book {
    originator: Eui64,
    dcc: String,
    folder: PathBuf,
    /// Held as long as this is, where nobody else may send meanwhile.
    held: Option<File>,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    originator: String,
    dcc: String,
    /// The highest number that may have been used.
    used: u64,
}

/// What a lock says once its counter has been written.
const KEPT: &[u8] = b"kept";

impl Book {
    fn open(place: &Place, originator: Eui64) -> Result<Book, CounterFault> {
        let Place { folder, dcc, alone } = place.clone();
        std::fs::create_dir_all(&folder).map_err(fault(&folder))?;
        let mut book = Book { originator, dcc, folder, held: None };
        if alone {
            let file = book.lock_file()?;
            match file.try_lock() {
                Ok(()) => book.held = Some(file),
                Err(TryLockError::WouldBlock) => return Err(book.held_by_another()),
                Err(TryLockError::Error(error)) => return Err(fault(&book.path("lock"))(error)),
            }
        }
        Ok(book)
    }

    fn held_by_another(&self) -> CounterFault {
        let (originator, dcc) = (self.originator, self.dcc.clone());
        CounterFault::Held { originator, dcc, path: self.path("lock").display().to_string() }
    }

    fn path(&self, kind: &str) -> PathBuf {
        let mut fingerprint = hex::encode(Sha256::digest(self.dcc.as_bytes()));
        fingerprint.truncate(2 * FINGERPRINT);
        self.folder.join(format!("{}-{fingerprint}.{kind}", self.originator))
    }

    fn lock_file(&self) -> Result<File, CounterFault> {
        let path = self.path("lock");
        OpenOptions::new().create(true).append(true).open(&path).map_err(fault(&path))
    }

    /// The highest number that may have been used; none where nobody has kept any.
    fn read(&self) -> Result<Option<u64>, CounterFault> {
        let path = self.path("json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(&path)(error)),
        };
        let shown = || text.chars().take(40).collect::<String>().escape_debug().to_string();
        let written: Written = serde_json::from_str(&text)
            .map_err(|error| self.corrupt(&path, format!("`{}` ({error})", shown())))?;
        if (written.originator.as_str(), &written.dcc) != (self.originator.to_string().as_str(), &self.dcc) {
            let whose = format!("the counter of {} at {}", written.originator, written.dcc);
            return Err(self.corrupt(&path, whose.escape_debug().to_string()));
        }
        Ok(Some(written.used))
    }

    fn corrupt(&self, path: &Path, found: String) -> CounterFault {
        let (originator, dcc) = (self.originator, self.dcc.clone());
        CounterFault::Corrupt { path: path.display().to_string(), found, originator, dcc }
    }

    /// What is to be said where there is no file: that it is gone, or, at a DCC that others may have sent to, that there never
    /// was one.
    fn missing(&self, first: u64) -> Result<Option<String>, CounterFault> {
        let lock = self.path("lock");
        let kept = std::fs::metadata(&lock).map(|lock| lock.len() > 0);
        let kept = kept.or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(false),
            _ => Err(fault(&lock)(error)),
        })?;
        let Book { originator, dcc, .. } = self;
        let begins = format!("its requests to {dcc} begin at {first}, by the clock");
        Ok(match (kept, &self.held) {
            (true, _) => {
                let file = self.path("json");
                Some(format!("the counter of {originator} is lost: {} is gone; {begins}", file.display()))
            }
            (false, Some(_)) => Some(format!("no counter of {originator} was kept here before: {begins}")),
            (false, None) => None,
        })
    }

    /// Writes down that numbers from `next` on, and some more, may be used. Gives the first of them and the last. Another program
    /// may have written since `reserved` was: its numbers are passed over.
    fn reserve(&self, next: u64, reserved: u64) -> Result<(u64, u64), CounterFault> {
        let lock = match &self.held {
            Some(_) => None,
            None => {
                let lock = self.lock_file()?;
                lock.lock().map_err(fault(&self.path("lock")))?;
                Some(lock)
            }
        };
        let others = self.read()?.filter(|written| *written > reserved);
        let first = others.map_or(next, |written| next.max(written.saturating_add(1)));
        let last = first.saturating_add(AHEAD);
        self.write(last)?;
        let mut mark = lock.as_ref().or(self.held.as_ref());
        if let Some(lock) = mark.as_mut().filter(|lock| lock.metadata().is_ok_and(|lock| lock.len() == 0)) {
            lock.write_all(KEPT).map_err(fault(&self.path("lock")))?;
        }
        Ok((first, last))
    }

    fn write(&self, used: u64) -> Result<(), CounterFault> {
        let (path, new) = (self.path("json"), self.path("new"));
        let written = Written { originator: self.originator.to_string(), dcc: self.dcc.clone(), used };
        let text = serde_json::to_string(&written).map_err(|error| fault(&new)(error.into()))?;
        let mut file = File::create(&new).map_err(fault(&new))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fault(&new))?;
        std::fs::rename(&new, &path).map_err(fault(&path))?;
        // The renaming itself must survive, not only what was written.
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(fault(&self.folder))
    }
}

fn fault(path: &Path) -> impl Fn(std::io::Error) -> CounterFault {
    let path = path.display().to_string();
    move |error| CounterFault::File { path: path.clone(), error: error.to_string() }
}
