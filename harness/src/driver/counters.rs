//! Invocation counters of the harness's clients, kept so that no number is ever used twice.
//!
//! A counter belongs to a system title and an encryption key, and to nothing else: not to a run, a rig or a link. So there is
//! one [`CounterBook`] for each in this process, whoever asks for it, and, unless the keys were made up for simulated devices
//! and die with the process, one file for each on this machine:
//!
//! ```text
//! $HARNESS_STATE/counters/TITLE-FINGERPRINT.json    or, without that variable,
//! $XDG_STATE_HOME/harness/counters/...              or ~/.local/state/harness/counters/...
//! ```
//!
//! The file holds the highest number that may have been used. It is written ahead, [`AHEAD`] numbers at a time, to a new file
//! that is synchronised and then renamed, under a lock that other programs of the same user respect: a crash at any point
//! loses numbers, which costs nothing, and never uses one twice. A file that cannot be read is an error; nothing is
//! guessed, because a guess that is too low gives the keys away.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use proto_dlms::security::SystemTitle;
use serde::{Deserialize, Serialize};

use crate::state::state_folder;

/// Numbers written ahead of their use.
const AHEAD: u32 = 1000;
/// Hexadecimal digits of a key's fingerprint in a file name.
const FINGERPRINT: usize = 16;

/// Whose numbers these are: the sender's title, and a fingerprint of the encryption key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CounterOwner {
    title: SystemTitle,
    fingerprint: String,
}

impl CounterOwner {
    /// The owner of the numbers of `title` under this encryption key, given in hexadecimal.
    #[must_use]
    pub fn new(title: SystemTitle, encryption_key: &[u8]) -> Self {
        use sha2::Digest as _;
        let digits = encryption_key.to_ascii_uppercase();
        let mut fingerprint = hex::encode(sha2::Sha256::digest(digits));
        fingerprint.truncate(FINGERPRINT);
        Self { title, fingerprint }
    }

    fn file_name(&self) -> String {
        format!("{}-{}.json", self.title, self.fingerprint)
    }
}

/// Why there is no number to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CounterFault {
    /// There is no place to keep counters.
    #[error("no folder to keep invocation counters in: set HARNESS_STATE to one")]
    NoFolder,
    /// The file cannot be read or written.
    #[error("{path}: {error}: invocation counters cannot be kept, and without that nothing ciphered is sent")]
    File {
        /// The file or folder.
        path: String,
        /// Why.
        error: String,
    },
    /// The file holds something else.
    #[error(
        "{path}: {found}, expected an invocation counter of {title}; read the number the meter has (its invocation counter \
         object, as the public client), write {{\"title\":\"{title}\",\"used\":NUMBER}} with a higher one into the file, and try again"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// What it holds.
        found: String,
        /// Whose counter it should be.
        title: SystemTitle,
    },
    /// All numbers are used.
    #[error("all invocation counters under this key are used: the key must be changed")]
    Exhausted,
}

/// The numbers of one owner. Clones share them.
#[derive(Clone)]
pub struct CounterBook(Arc<Mutex<Book>>);

struct Book {
    owner: CounterOwner,
    /// None for keys that die with this process.
    folder: Option<PathBuf>,
    /// The highest number used.
    used: u32,
    /// The highest number that may be used without writing.
    reserved: u32,
    /// Whether `used` and `reserved` were read from the file.
    is_open: bool,
    /// Nobody has ever used a number, as far as this machine knows.
    is_new: bool,
}

impl fmt::Debug for CounterBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CounterBook").field("owner", &self.locked().owner).finish_non_exhaustive()
    }
}

impl PartialEq for CounterBook {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CounterBook {}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    title: String,
    /// The highest number that may have been used.
    used: u32,
}

/// Books by their owner and the folder they are kept in.
type Books = BTreeMap<(CounterOwner, Option<PathBuf>), CounterBook>;

/// Every book of this process: two for one owner would use each number twice.
static BOOKS: LazyLock<Mutex<Books>> = LazyLock::new(Mutex::default);

impl CounterBook {
    /// The book of an owner whose keys outlive this process.
    ///
    /// # Errors
    /// [`CounterFault::NoFolder`] where neither HARNESS_STATE nor a home folder is known.
    pub fn kept(owner: CounterOwner) -> Result<Self, CounterFault> {
        Ok(Self::at(owner, Some(folder().ok_or(CounterFault::NoFolder)?)))
    }

    /// The book of an owner whose keys were made up in this process.
    #[must_use]
    pub fn passing(owner: CounterOwner) -> Self {
        Self::at(owner, None)
    }

    /// The book of another owner, kept where this one is.
    #[must_use]
    pub fn beside(&self, owner: CounterOwner) -> Self {
        let folder = self.locked().folder.clone();
        Self::at(owner, folder)
    }

    pub(super) fn at(owner: CounterOwner, folder: Option<PathBuf>) -> Self {
        let mut books = BOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (owner.clone(), folder.clone());
        let is_open = folder.is_none();
        let new = || {
            let book = Book { owner, folder, used: 0, reserved: 0, is_open, is_new: true };
            CounterBook(Arc::new(Mutex::new(book)))
        };
        books.entry(key).or_insert_with(new).clone()
    }

    fn locked(&self) -> MutexGuard<'_, Book> {
        // A panic elsewhere leaves at worst numbers that nobody uses.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no number was ever used, as far as this machine knows: the meter may know better.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_new(&self) -> Result<bool, CounterFault> {
        let mut book = self.locked();
        book.open()?;
        Ok(book.is_new)
    }

    /// The highest number used.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn used(&self) -> Result<u32, CounterFault> {
        let mut book = self.locked();
        book.open()?;
        Ok(book.used)
    }

    /// The first of `count` numbers that nobody has used, and that are written down as used.
    ///
    /// # Errors
    /// They cannot be written down, or there are none left.
    pub fn take(&self, count: u32) -> Result<u32, CounterFault> {
        let mut book = self.locked();
        book.open()?;
        let last = book.used.checked_add(count).ok_or(CounterFault::Exhausted)?;
        if last > book.reserved {
            book.reserve(last)?;
        }
        // Another program may have reserved in between: its numbers are passed over.
        let first = book.used + 1;
        book.used += count;
        book.is_new = false;
        Ok(first)
    }

    /// Goes on behind a number the meter has seen. Never goes back.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn advance(&self, seen: u32) -> Result<(), CounterFault> {
        let mut book = self.locked();
        book.open()?;
        book.used = book.used.max(seen);
        book.is_new = false;
        Ok(())
    }
}

impl Book {
    fn open(&mut self) -> Result<(), CounterFault> {
        if self.is_open {
            return Ok(());
        }
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        if let Some(used) = read(&folder, &self.owner)? {
            (self.used, self.reserved, self.is_new) = (used, used, false);
        }
        self.is_open = true;
        Ok(())
    }

    /// Writes down that numbers up to `last`, and some more, may be used.
    fn reserve(&mut self, last: u32) -> Result<(), CounterFault> {
        let Some(folder) = self.folder.clone() else {
            self.reserved = last;
            return Ok(());
        };
        std::fs::create_dir_all(&folder).map_err(fault(&folder))?;
        let _lock = lock(&folder, &self.owner)?;
        let count = last - self.used;
        if let Some(written) = read(&folder, &self.owner)?.filter(|written| *written > self.reserved) {
            self.used = self.used.max(written);
        }
        let reserved = self.used.checked_add(count).ok_or(CounterFault::Exhausted)?.saturating_add(AHEAD);
        write(&folder, &self.owner, reserved)?;
        self.reserved = reserved;
        Ok(())
    }
}

fn folder() -> Option<PathBuf> {
    Some(state_folder()?.join("counters"))
}

fn fault(path: &Path) -> impl Fn(std::io::Error) -> CounterFault {
    let path = path.display().to_string();
    move |error| CounterFault::File { path: path.clone(), error: error.to_string() }
}

/// Held until dropped; the operating system lets go of it when the program dies.
fn lock(folder: &Path, owner: &CounterOwner) -> Result<File, CounterFault> {
    let path = folder.join(format!("{}.lock", owner.file_name()));
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(fault(&path))?;
    file.lock().map_err(fault(&path))?;
    Ok(file)
}

fn read(folder: &Path, owner: &CounterOwner) -> Result<Option<u32>, CounterFault> {
    let path = folder.join(owner.file_name());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(&path)(error)),
    };
    let corrupt =
        |found: String| CounterFault::Corrupt { path: path.display().to_string(), found, title: owner.title };
    let shown = || text.chars().take(40).collect::<String>().escape_debug().to_string();
    let written: Written =
        serde_json::from_str(&text).map_err(|error| corrupt(format!("found `{}` ({error})", shown())))?;
    if written.title != owner.title.to_string() {
        return Err(corrupt(format!("found the counter of {}", written.title.escape_debug())));
    }
    Ok(Some(written.used))
}

fn write(folder: &Path, owner: &CounterOwner, used: u32) -> Result<(), CounterFault> {
    let path = folder.join(owner.file_name());
    let new = folder.join(format!("{}.new", owner.file_name()));
    let text = serde_json::to_string(&Written { title: owner.title.to_string(), used });
    let text = text.map_err(|error| fault(&new)(std::io::Error::other(error)))?;
    let mut file = File::create(&new).map_err(fault(&new))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fault(&new))?;
    std::fs::rename(&new, &path).map_err(fault(&path))?;
    // The renaming itself must survive, not only what was written.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault(folder))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TITLE: SystemTitle = SystemTitle(*b"LAB\0\0\0\0\x01");

    fn owner(key: &str) -> CounterOwner {
        CounterOwner::new(TITLE, key.as_bytes())
    }

    /// Forgets the books of this process, as a restart does; the files stay.
    fn restarted(owner: &CounterOwner, folder: &Path) -> CounterBook {
        let key = (owner.clone(), Some(folder.to_owned()));
        BOOKS.lock().unwrap().remove(&key);
        CounterBook::at(owner.clone(), Some(folder.to_owned()))
    }

    #[test]
    fn two_who_ask_share_one_book() {
        let (one, other) = (CounterBook::passing(owner("shared")), CounterBook::passing(owner("shared")));
        assert_eq!(one, other);
        assert_eq!(one.take(3), Ok(1));
        assert_eq!(other.take(1), Ok(4));
    }

    #[test]
    fn a_key_has_one_owner_however_its_digits_are_written() {
        assert_eq!(CounterOwner::new(TITLE, b"00ff"), CounterOwner::new(TITLE, b"00FF"));
        assert_ne!(CounterOwner::new(TITLE, b"00ff"), CounterOwner::new(TITLE, b"00fe"));
    }

    #[test]
    fn what_the_meter_has_seen_is_passed_over_and_nothing_goes_back() {
        let book = CounterBook::passing(owner("advance"));
        assert_eq!(book.is_new(), Ok(true));
        book.advance(700).unwrap();
        assert_eq!((book.is_new(), book.take(2)), (Ok(false), Ok(701)));
        book.advance(5).unwrap();
        assert_eq!(book.take(1), Ok(703));
    }

    #[test]
    fn the_last_number_is_not_followed_by_the_first() {
        let book = CounterBook::passing(owner("last"));
        book.advance(u32::MAX - 1).unwrap();
        assert_eq!(book.take(1), Ok(u32::MAX));
        assert_eq!(book.take(1), Err(CounterFault::Exhausted));
    }

    #[test]
    fn a_file_that_is_no_counter_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let owner = owner("corrupt");
        for (text, found) in [
            ("", "found ``"),
            ("12", "found `12`"),
            ("{\"title\":\"4C41420000000002\",\"used\":1}", "of 4C41420000000002"),
        ] {
            std::fs::write(folder.path().join(owner.file_name()), text).unwrap();
            let error = restarted(&owner, folder.path()).take(1).unwrap_err().to_string();
            assert!(error.contains(found) && error.contains("public client"), "{error}");
        }
    }

    #[test]
    fn two_programs_never_use_one_number() {
        let folder = tempfile::tempdir().unwrap();
        let owner = owner("programs");
        let one = restarted(&owner, folder.path());
        let other = restarted(&owner, folder.path());
        assert_ne!(one, other);
        let mut taken = std::collections::BTreeSet::new();
        for round in 0..2500 {
            let book = if round % 3 == 0 { &one } else { &other };
            assert!(taken.insert(book.take(1).unwrap()), "a number used twice");
        }
    }

    proptest! {
        /// Restarts in any place, as crashes are, never bring a number back.
        #[test]
        fn no_number_is_used_twice_over_restarts(takes in proptest::collection::vec((1u32..600, any::<bool>()), 1..12)) {
            let folder = tempfile::tempdir().unwrap();
            let owner = owner("restarts");
            let mut book = restarted(&owner, folder.path());
            let mut highest = 0;
            for (count, restart) in takes {
                if restart {
                    book = restarted(&owner, folder.path());
                }
                let first = book.take(count).unwrap();
                prop_assert!(first > highest);
                highest = first + count - 1;
            }
        }
    }
}
