//! The journal: what happened to each installation, safe on disk before and after every act that a crash would leave half
//! done. Replayed, it says where an installation stands.
//!
//! ```text
//! $HARNESS_STATE/migration/journal/EUI-64.jsonl
//! ```
//!
//! One line of JSON for each event, only ever appended; a last line that a crash cut is passed over. One process at a time
//! writes an installation's journal: a lock on the file says so, and who does not get it keeps the journal in memory and
//! says that.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use proto_duis::Eui64;
use serde::{Deserialize, Serialize};

use super::stage::{Event, Installation};

/// The most octets of a journal that are read: many thousand events.
const MOST_OCTETS: u64 = 8 << 20;

/// Why the journal cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error(
        "{path}: {error}: the journal of a migration cannot be kept, and without it no device is touched"
    )]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path}, line {line}: {found}; expected the events of a migration. Find out who holds the devices' keys (`harness probe`), \
         then move the file away"
    )]
    Corrupt {
        /// Which.
        path: String,
        /// Where in it.
        line: usize,
        /// What was found.
        found: String,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// Journals that end with the process. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<Eui64, Vec<Entry>>>>);

#[derive(Debug)]
enum Kept {
    Disk { file: File, path: PathBuf },
    Memory,
}

/// The journals of the installations of a group.
#[derive(Debug, Default)]
pub struct Journal {
    folder: Option<PathBuf>,
    memory: Memory,
    open: BTreeMap<Eui64, Kept>,
}

/// What a journal says of an installation when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Where it stands.
    pub installation: Installation,
    /// What is to be said of the journal itself.
    pub told: Option<String>,
}

impl Journal {
    /// Journals kept in this folder; none keeps them in memory.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, ..Self::default() }
    }

    /// Journals that end with `memory`.
    pub fn in_memory(memory: Memory) -> Self {
        Self { memory, ..Self::default() }
    }

    /// Opens the journal of an installation and reads what it says.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(&mut self, installation: Eui64) -> Result<Found, JournalError> {
        let Some(folder) = self.folder.clone() else {
            self.open.insert(installation, Kept::Memory);
            return Ok(Found { installation: self.memory.replay(installation), told: None });
        };
        std::fs::create_dir_all(&folder).map_err(fault(&folder))?;
        let path = folder.join(format!("{installation}.jsonl"));
        let options = OpenOptions::new().create(true).read(true).append(true).open(&path);
        let mut file = options.map_err(fault(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                self.open.insert(installation, Kept::Memory);
                let path = path.display();
                let told =
                    format!("{path} is kept by another run now: this one keeps its journal in memory only");
                return Ok(Found { told: Some(told), ..Found::default() });
            }
            Err(TryLockError::Error(error)) => return Err(fault(&path)(error)),
        }
        let found = replayed(&mut file, &path)?;
        let entry = File::open(&folder).and_then(|folder| folder.sync_all());
        entry.map_err(fault(&folder))?;
        self.open.insert(installation, Kept::Disk { file, path });
        Ok(Found { installation: found, told: None })
    }

    /// Whether what is written outlives the process.
    pub fn is_durable(&self) -> bool {
        !self.open.is_empty() && self.open.values().all(|kept| matches!(kept, Kept::Disk { .. }))
    }

    /// Writes an event down. Where something is about to be done that cannot be left half done, and where it was done, this
    /// returns only when it is safe on disk.
    ///
    /// # Errors
    /// [`JournalError`]: whatever was about to be done must not be.
    pub fn note(&mut self, installation: Eui64, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        let entry = Entry { at, event: event.clone() };
        match self.open.get_mut(&installation) {
            Some(Kept::Disk { file, path }) => append(file, path, &entry),
            Some(Kept::Memory) | None => {
                self.memory.keep(installation, entry);
                Ok(())
            }
        }
    }
}

impl Memory {
    fn keep(&self, installation: Eui64, entry: Entry) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = all.entry(installation).or_default();
        entries.push(entry);
        if ended(&replay(entries.iter())) {
            entries.clear();
        }
    }

    fn replay(&self, installation: Eui64) -> Installation {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        replay(all.get(&installation).into_iter().flatten())
    }
}

/// Whether nothing of the past matters any more: it is with its SMSO, and no failure counts.
fn ended(installation: &Installation) -> bool {
    installation.failed() == 0
        && matches!(installation.stage().name(), "with-smso" | "refused" | "rolled-back")
}

/// Where these events lead. One that cannot have happened is passed over: what follows tells where things stand.
fn replay<'a>(entries: impl Iterator<Item = &'a Entry>) -> Installation {
    let mut installation = Installation::default();
    for entry in entries {
        if let Err(impossible) = installation.apply(entry.event.clone()) {
            tracing::warn!("journal of a migration: {impossible}");
        }
    }
    installation
}

fn replayed(file: &mut File, path: &Path) -> Result<Installation, JournalError> {
    let mut text = Vec::new();
    file.rewind().map_err(fault(path))?;
    file.take(MOST_OCTETS).read_to_end(&mut text).map_err(fault(path))?;
    let whole = text.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        // A crash cut the last line: what it was to say had not been safe, so nothing hangs on it.
        file.set_len(whole as u64).map_err(fault(path))?;
    }
    let lines = text[..whole].split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    let entries = lines.enumerate().map(|(at, line)| {
        serde_json::from_slice::<Entry>(line).map_err(|error| JournalError::Corrupt {
            path: path.display().to_string(),
            line: at + 1,
            found: error.to_string(),
        })
    });
    let entries = entries.collect::<Result<Vec<Entry>, JournalError>>()?;
    let found = replay(entries.iter());
    if ended(&found) {
        file.set_len(0).and_then(|()| file.sync_all()).map_err(fault(path))?;
        return Ok(found);
    }
    Ok(found)
}

fn append(file: &mut File, path: &Path, entry: &Entry) -> Result<(), JournalError> {
    let mut line = serde_json::to_vec(entry).map_err(|error| fault(path)(error.into()))?;
    line.push(b'\n');
    file.write_all(&line).map_err(fault(path))?;
    if entry.event.is_durable() {
        file.sync_data().map_err(fault(path))?;
    }
    Ok(())
}

fn fault(path: &Path) -> impl Fn(std::io::Error) -> JournalError {
    let path = path.display().to_string();
    move |error| JournalError::File { path: path.clone(), error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::{Code, Finding, Operation};

    fn event(events: &[Event]) -> impl Iterator<Item = &Event> {
        events.iter()
    }

    fn on_the_way() -> Vec<Event> {
        let authorisations = vec!["MA_LAB".parse().expect("a name")];
        vec![Event::Authorised { authorisations }, Event::Validated, Event::ContactBegins]
    }

    #[test]
    fn what_was_written_is_read_after_the_writer_is_gone_and_a_cut_line_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let id = Eui64::new([7; 8]);
        let mut journal = Journal::new(Some(folder.path().to_owned()));
        assert_eq!(journal.open(id).expect("opened"), Found::default());
        for event in event(&on_the_way()) {
            journal.note(id, Timestamp::now(), event).expect("noted");
        }
        assert!(journal.is_durable());
        drop(journal);
        let path = folder.path().join(format!("{id}.jsonl"));
        let mut file = OpenOptions::new().append(true).open(&path).expect("the journal");
        file.write_all(b"{\"at\":\"2026-11").expect("half a line");
        drop(file);
        let mut again = Journal::new(Some(folder.path().to_owned()));
        let found = again.open(id).expect("opened again").installation;
        assert_eq!(found.stage().name(), "under-s1sp-control");
        again.note(id, Timestamp::now(), &Event::Contacted { without: vec![] }).expect("noted");
        drop(again);
        let found = Journal::new(Some(folder.path().to_owned())).open(id).expect("opened").installation;
        assert!(found.stage().allows(Operation::Commission).is_ok(), "{found:?}");
    }

    #[test]
    fn a_journal_another_run_keeps_is_left_alone_and_that_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let id = Eui64::new([7; 8]);
        let mut first = Journal::new(Some(folder.path().to_owned()));
        first.open(id).expect("opened");
        let mut second = Journal::new(Some(folder.path().to_owned()));
        let found = second.open(id).expect("opened");
        assert!(found.told.is_some_and(|told| told.contains("another run")));
        assert!(!second.is_durable());
    }

    #[test]
    fn what_is_no_journal_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let id = Eui64::new([7; 8]);
        let path = folder.path().join(format!("{id}.jsonl"));
        std::fs::write(&path, "{\"at\":\"2026-11-22T10:00:00Z\",\"event\":\"validated\"}\nnonsense\n")
            .expect("written");
        let error = Journal::new(Some(folder.path().to_owned())).open(id).expect_err("nonsense").to_string();
        assert!(error.contains(".jsonl, line 2:"), "{error}");
    }

    /// Only what counts is kept: a journal whose installation is back with its SMSO begins anew.
    #[test]
    fn a_journal_that_has_ended_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let id = Eui64::new([7; 8]);
        let asked = Finding { code: Code::AskedFor.published().into(), reason: "a test".into() };
        let mut journal = Journal::new(Some(folder.path().to_owned()));
        journal.open(id).expect("opened");
        for event in event(&on_the_way()).chain([&Event::RollbackBegins(asked), &Event::RolledBack]) {
            journal.note(id, Timestamp::now(), event).expect("noted");
        }
        drop(journal);
        let found = Journal::new(Some(folder.path().to_owned())).open(id).expect("opened").installation;
        assert_eq!(found.stage().name(), "rolled-back");
        let left = std::fs::metadata(folder.path().join(format!("{id}.jsonl"))).expect("there").len();
        assert_eq!(left, 0);
    }
}
