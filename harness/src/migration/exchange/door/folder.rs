//! A door of two folders, one for each direction.
//!
//! ```text
//! FOLDER/in/NAME.xml             written by migration control, read by the party
//! FOLDER/out/NAME.xml            written by the party, read by migration control
//!           /taken/NAME.xml      read, and taken
//!           /refused/NAME.xml    read, and refused; NAME.xml.txt beside it says by which code and why
//! ```
//!
//! Who writes a file gives it another name first, one that begins with a dot or ends in `.part` or `.tmp`, synchronises it,
//! and renames it once it is whole. Files are read in the order of their times of change, and of their names where these are
//! the same. What is no file of a migration by its name, or is no plain file, or is too long, is refused like one.
//!
//! Who wrote a file looks for it in `refused` of its reader once it is gone from where it was put, and so learns what became
//! of it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use proto_migration::FileName;
use proto_migration::FileRefusalCode::{self, Foreign, TooLong};
use tokio::time::{Instant, sleep_until};

use super::{Came, Doing, Door, DoorError, FILE_OCTETS, Received, Settled};

/// How often the folder is looked into while nothing is there.
const LOOK: Duration = Duration::from_millis(50);
/// How long a file without octets is taken for one that is being written by somebody who does not know how.
const BEGUN: Duration = Duration::from_secs(10);
/// Files of one name that were settled; more are nobody's mistake.
const SAME_NAME: u32 = 1_000;

/// Files sent whose end is looked for; of older ones nobody wants to know it any more.
const WATCHED: usize = 1_024;
/// Octets of a refusal's words that are read: they may be anybody's.
const WORDS: u64 = 4_096;
/// What a refusal is told by that names no code.
const UNSAID: &str = "refused";

const TAKEN: &str = "taken";
const REFUSED: &str = "refused";

/// Files in folders. Dropping it lets the next reader in.
#[derive(Debug)]
pub struct Folder(Arc<Pair>);

#[derive(Debug)]
struct Pair {
    outgoing: PathBuf,
    incoming: PathBuf,
    limit: usize,
    /// The time of change of the last file sent: the next one's is later, however coarse the clock.
    latest: Mutex<SystemTime>,
    /// Files sent of which it is not known yet what became of them, the oldest first.
    watched: Mutex<VecDeque<FileName>>,
    /// Held as long as files are read here.
    _held: File,
}

impl Folder {
    /// The side of migration control.
    ///
    /// # Errors
    /// [`DoorError::File`]: the folders cannot be made; [`DoorError::Held`].
    pub fn of_control(folder: &Path) -> Result<Folder, DoorError> {
        Self::between(&folder.join("in"), &folder.join("out"), FILE_OCTETS)
    }

    /// The side of the party.
    ///
    /// # Errors
    /// As [`Folder::of_control`].
    pub fn of_party(folder: &Path) -> Result<Folder, DoorError> {
        Self::between(&folder.join("out"), &folder.join("in"), FILE_OCTETS)
    }

    /// A door that writes into one folder and reads from another files of at most `limit` octets.
    ///
    /// # Errors
    /// As [`Folder::of_control`].
    pub fn between(outgoing: &Path, incoming: &Path, limit: usize) -> Result<Folder, DoorError> {
        for folder in [outgoing, incoming, &incoming.join(TAKEN), &incoming.join(REFUSED)] {
            fs::create_dir_all(folder).map_err(|error| DoorError::file(folder, error))?;
        }
        let lock = incoming.join(".reader");
        let held = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let held = held.map_err(|error| DoorError::file(&lock, error))?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DoorError::Held(incoming.to_owned())),
            Err(TryLockError::Error(error)) => return Err(DoorError::file(&lock, error)),
        }
        let (outgoing, incoming) = (outgoing.to_owned(), incoming.to_owned());
        let latest = Mutex::new(SystemTime::UNIX_EPOCH);
        let watched = Mutex::default();
        Ok(Folder(Arc::new(Pair { outgoing, incoming, limit, latest, watched, _held: held })))
    }

    /// Does what waits for a disk where nobody else waits for it.
    async fn on_disk<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Pair) -> Result<T, DoorError> + Send + 'static,
    ) -> Result<T, DoorError> {
        let pair = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || act(&pair)).await;
        done.unwrap_or_else(|error| Err(DoorError::file(&self.0.incoming, error)))
    }
}

impl Door for Folder {
    fn send<'a>(&'a self, name: &'a FileName, octets: &'a [u8]) -> Doing<'a, ()> {
        let (name, octets) = (name.clone(), octets.to_vec());
        Box::pin(self.on_disk(move |pair| {
            // A file's name is one of a file in any folder.
            pair.put(&format!("{name}.xml"), &octets)?;
            pair.watch(name);
            Ok(())
        }))
    }

    fn receive(&self, deadline: Instant) -> Doing<'_, Option<Came>> {
        Box::pin(async move {
            loop {
                let found = self.on_disk(Pair::came).await?;
                if found.is_some() || Instant::now() >= deadline {
                    return Ok(found);
                }
                sleep_until(deadline.min(Instant::now() + LOOK)).await;
            }
        })
    }

    fn settle<'a>(&'a self, received: &'a Received, settled: &'a Settled) -> Doing<'a, ()> {
        let (name, settled) = (received.name.clone(), settled.clone());
        Box::pin(self.on_disk(move |pair| pair.settle(&name, &settled)))
    }
}

/// A name that says of its file that it is not whole yet.
fn is_unfinished(name: &str) -> bool {
    [".part", ".tmp", ".filepart"].iter().any(|end| name.ends_with(end))
}

/// What the words beside a refused file say: a line with the code and one with the reason, or something of its reader's own.
fn said(words: &str) -> Settled {
    let line = |key: &str| {
        words.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
    };
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let code = line("code").filter(|code| !code.is_empty()).unwrap_or_else(|| UNSAID.to_owned());
    let reason = line("reason").unwrap_or_else(|| words.trim().to_owned());
    Settled::refused(plain(&code), plain(&reason))
}

/// What a look at an entry of the folder finds.
enum Entry {
    /// A file to be read, changed then.
    File(SystemTime),
    /// Nothing, or not yet.
    Nothing,
    /// Something that is refused.
    Foreign(FileRefusalCode, String),
}

impl Pair {
    /// What was refused comes first: whoever waits for an answer need not wait any longer.
    fn came(&self) -> Result<Option<Came>, DoorError> {
        match self.refusal()? {
            Some(refused) => Ok(Some(refused)),
            None => Ok(self.earliest()?.map(Came::File)),
        }
    }

    fn watched(&self) -> MutexGuard<'_, VecDeque<FileName>> {
        // Each change is one step: a panic elsewhere leaves whole names.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, name: FileName) {
        let mut watched = self.watched();
        watched.retain(|other| *other != name);
        watched.push_back(name);
        if watched.len() > WATCHED {
            watched.pop_front();
        }
    }

    /// The first of the files sent that its reader has put among the refused. Who took one, or did away with it, is not
    /// asked for it again.
    fn refusal(&self) -> Result<Option<Came>, DoorError> {
        let waits = |name: &FileName| self.outgoing.join(format!("{name}.xml")).exists();
        let gone: Vec<FileName> = self.watched().iter().filter(|name| !waits(name)).cloned().collect();
        for name in gone {
            self.watched().retain(|other| *other != name);
            let words = self.outgoing.join(REFUSED).join(format!("{name}.xml.txt"));
            match File::open(&words) {
                Ok(file) => {
                    let mut octets = Vec::new();
                    let read = file.take(WORDS).read_to_end(&mut octets);
                    read.map_err(|error| DoorError::file(&words, error))?;
                    let settled = said(&String::from_utf8_lossy(&octets));
                    return Ok(Some(Came::Refused { name, settled }));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(DoorError::file(&words, error)),
            }
        }
        Ok(None)
    }

    fn put(&self, name: &str, octets: &[u8]) -> Result<(), DoorError> {
        self.fits(name, octets.len())?;
        let target = self.outgoing.join(name);
        match fs::read(&target) {
            Ok(there) if there == octets => return Ok(()),
            Ok(_) => return Err(DoorError::NameUsed(target)),
            // Who was killed before it knew that sends it again.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.was_taken(name, octets) => {
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(DoorError::file(&target, error)),
        }
        let written = self.write_whole(&target, octets);
        written.map_err(|error| DoorError::file(&target, error))
    }

    fn was_taken(&self, name: &str, octets: &[u8]) -> bool {
        fs::read(self.outgoing.join(TAKEN).join(name)).is_ok_and(|taken| taken == octets)
    }

    fn write_whole(&self, target: &Path, octets: &[u8]) -> io::Result<()> {
        let folder = target.parent().unwrap_or(&self.outgoing);
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let fresh = folder.join(format!(".{name}.part"));
        let mut file = File::create(&fresh)?;
        file.write_all(octets)?;
        file.set_modified(self.next_moment())?;
        file.sync_all()?;
        fs::rename(&fresh, target)?;
        sync(folder)
    }

    fn next_moment(&self) -> SystemTime {
        // A moment is whole whatever a panicking holder did.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = SystemTime::now().max(*latest + Duration::from_micros(1));
        *latest
    }

    fn fits(&self, name: &str, found: usize) -> Result<(), DoorError> {
        match found <= self.limit {
            true => Ok(()),
            false => Err(DoorError::TooLong { name: name.to_owned(), found, limit: self.limit }),
        }
    }

    /// Reads the file that was changed first; refuses on the way what is none.
    fn earliest(&self) -> Result<Option<Received>, DoorError> {
        let unreadable = |error| DoorError::file(&self.incoming, error);
        let mut first: Option<(SystemTime, String)> = None;
        for entry in fs::read_dir(&self.incoming).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let spelt = name.to_string_lossy().into_owned();
            match self.look(&name) {
                Entry::Nothing => {}
                Entry::Foreign(code, reason) => self.refuse(&name, &Settled::refused(code.code(), reason))?,
                Entry::File(changed) => {
                    let candidate = (changed, spelt);
                    if first.as_ref().is_none_or(|first| candidate < *first) {
                        first = Some(candidate);
                    }
                }
            }
        }
        match first {
            Some((_, name)) => self.read(name),
            None => Ok(None),
        }
    }

    fn look(&self, name: &std::ffi::OsStr) -> Entry {
        let spelt = name.to_string_lossy();
        if spelt.starts_with('.') || is_unfinished(&spelt) || spelt == TAKEN || spelt == REFUSED {
            return Entry::Nothing;
        }
        // Gone again between two looks: nothing is there.
        let Ok(found) = fs::symlink_metadata(self.incoming.join(name)) else { return Entry::Nothing };
        if !found.is_file() {
            return Entry::Foreign(Foreign, "found no plain file; expected one".to_owned());
        }
        if name.to_str().is_none() || !spelt.ends_with(".xml") {
            let reason = format!("found the name {spelt:?}; expected one that ends in .xml");
            return Entry::Foreign(Foreign, reason);
        }
        let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        match found.len() {
            0 if changed.elapsed().unwrap_or_default() < BEGUN => Entry::Nothing,
            0 => Entry::Foreign(Foreign, "found no octets; expected a signed document".to_owned()),
            long if usize::try_from(long).is_ok_and(|octets| octets <= self.limit) => Entry::File(changed),
            long => Entry::Foreign(TooLong, self.too_long(long)),
        }
    }

    fn too_long(&self, found: u64) -> String {
        format!("found {found} octets; expected at most {}", self.limit)
    }

    fn read(&self, name: String) -> Result<Option<Received>, DoorError> {
        let path = self.incoming.join(&name);
        let unreadable = |error| DoorError::file(&path, error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let (mut octets, most) = (Vec::new(), self.limit as u64 + 1);
        file.take(most).read_to_end(&mut octets).map_err(unreadable)?;
        if octets.len() > self.limit {
            self.refuse(name.as_ref(), &Settled::refused(TooLong.code(), self.too_long(most)))?;
            return Ok(None);
        }
        Ok(Some(Received { name, octets }))
    }

    fn settle(&self, name: &str, settled: &Settled) -> Result<(), DoorError> {
        let plain = Path::new(name).file_name().is_some_and(|only| only == name);
        if !plain || !self.incoming.join(name).exists() {
            return Err(DoorError::NotWaiting(name.to_owned()));
        }
        match settled {
            Settled::Taken => self.put_away(name.as_ref(), &self.incoming.join(TAKEN)).map(drop),
            Settled::Refused { .. } => self.refuse(name.as_ref(), settled),
        }
    }

    /// The words come first: a file in `refused` without them would say nothing.
    fn refuse(&self, name: &std::ffi::OsStr, settled: &Settled) -> Result<(), DoorError> {
        let Settled::Refused { code, reason } = settled else { return Ok(()) };
        let folder = self.incoming.join(REFUSED);
        let target = unused(&folder, name)?;
        let spelt = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let words = folder.join(format!("{spelt}.txt"));
        let text = format!("code:   {code}\nreason: {reason}\nat:     {}\n", Timestamp::now());
        self.write_whole(&words, text.as_bytes()).map_err(|error| DoorError::file(&words, error))?;
        self.put_away(name, &folder)
    }

    fn put_away(&self, name: &std::ffi::OsStr, folder: &Path) -> Result<(), DoorError> {
        let (from, to) = (self.incoming.join(name), unused(folder, name)?);
        let moved = fs::rename(&from, &to).and_then(|()| sync(folder)).and_then(|()| sync(&self.incoming));
        moved.map_err(|error| DoorError::file(&from, error))
    }
}

/// Where a file of this name can go without taking another's place.
fn unused(folder: &Path, name: &std::ffi::OsStr) -> Result<PathBuf, DoorError> {
    let plain = folder.join(name);
    let numbered = (2..=SAME_NAME).map(|count| {
        let mut name = name.to_owned();
        name.push(format!(".{count}"));
        folder.join(name)
    });
    let free =
        std::iter::once(plain.clone()).chain(numbered).find(|path| fs::symlink_metadata(path).is_err());
    free.ok_or_else(|| DoorError::file(&plain, "a thousand files of this name are there; put them away"))
}

/// Makes the names in a folder last.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
