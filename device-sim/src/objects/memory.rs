//! What a device with keys keeps where no power cut and no restart of the program reaches: its invocation counters, and the
//! keys that were transferred to it.
//!
//! A device that counted from the beginning again after a restart would use initialisation vectors twice, which gives its
//! keys away, and would take messages that were sent before. So each device has a file in a [`StateFolder`]:
//!
//! ```text
//! FOLDER/SYSTEM-TITLE.json    {"title": "...", "counters": {"KEY-FINGERPRINT": {"sent": 1000, "received": {"TITLE": 17}}},
//!                              "keys": {"FINGERPRINT": {"encryption": "...", "authentication": "..."}}}
//! ```
//!
//! The number sent is written ahead of its use and synchronised: a crash at any point loses numbers, which costs nothing,
//! and never uses one twice. What was received is written before the answer is given, and outlives the program; the last
//! of it may be lost where the machine itself loses power. Programs that simulate one device at the same time share its
//! file under a lock. A file that cannot be read is an error: nothing is guessed.
//!
//! Keys that were transferred stand there as they came, wrapped under the device's master key, under the fingerprint of the
//! lab file's keys whose place they took: a lab file with other keys gives the device other keys.
//!
//! Keys that were made up for this process die with it: what belongs to them is not written anywhere.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use proto_dlms::security::{CounterState, InvocationCounter, Key, Keys, SystemTitle, unwrap_key, wrap_key};
use serde::{Deserialize, Serialize};

/// Octets a file of state has at most: far more than any device fills.
const LONGEST_FILE: u64 = 1 << 20;
/// Hexadecimal digits of a key's fingerprint.
const FINGERPRINT: usize = 16;
/// Keys whose counters a device keeps: it takes no others then.
const MOST_KEYS: usize = 1024;

/// The folder devices keep their state in, or none.
#[derive(Debug, Clone, Default)]
pub struct StateFolder(Option<Arc<Path>>);

impl StateFolder {
    /// No folder: what a device keeps dies with the process.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// This folder, which is made when something is first written.
    #[must_use]
    pub fn at(folder: PathBuf) -> Self {
        Self(Some(folder.into()))
    }

    /// Where `device-sim` keeps state unless it is told: `$DEVICE_SIM_STATE`, `$XDG_STATE_HOME/device-sim`, or
    /// `~/.local/state/device-sim`; none where the environment names no such place.
    #[must_use]
    pub fn usual() -> Self {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = variable("DEVICE_SIM_STATE")
            .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("device-sim")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/device-sim")));
        folder.map_or_else(Self::none, Self::at)
    }

    /// Whether there is a folder.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// The memory of the device of this title.
    pub(crate) fn of(&self, title: SystemTitle) -> Memory {
        match &self.0 {
            Some(folder) => Memory { title, place: Place::Folder(folder.clone()) },
            None => Memory::passing(title),
        }
    }
}

/// Why the state of a device cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The file cannot be read or written.
    #[error(
        "{path}: {error}: the state of a simulated device cannot be kept, and without that it ciphers nothing"
    )]
    File {
        /// The file or folder.
        path: String,
        /// Why.
        error: String,
    },
    /// The file holds something else.
    #[error(
        "{path}: {found}, expected the state of device {title}; give the device other keys and remove the file, or put back the file as it was"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// What it holds.
        found: String,
        /// Whose state it should be.
        title: SystemTitle,
    },
    /// Keys that do not unwrap.
    #[error(
        "{path}: the keys transferred to device {title} do not unwrap under its master key; put back the master key the lab \
         file had, or give the device other keys"
    )]
    Wrapped {
        /// The file.
        path: String,
        /// Whose keys.
        title: SystemTitle,
    },
    /// More keys than are kept.
    #[error("device {title} has had {MOST_KEYS} keys and remembers no more of them")]
    Full {
        /// Which device.
        title: SystemTitle,
    },
}

/// By what an encryption key is known without saying it: the beginning of its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    /// Of a key's octets.
    pub(crate) fn of(key: &[u8]) -> Self {
        use sha2::Digest as _;
        let mut digits: String =
            sha2::Sha256::digest(key).iter().map(|octet| format!("{octet:02x}")).collect();
        digits.truncate(FINGERPRINT);
        Self(digits)
    }
}

/// What a device keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    title: String,
    /// By encryption key, whether it is still in force or not.
    counters: BTreeMap<Fingerprint, Numbers>,
    /// Keys transferred, by those of the lab file whose place they took.
    #[serde(default)]
    keys: BTreeMap<Fingerprint, WrappedKeys>,
}

/// Keys wrapped under the master key, in hexadecimal digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct WrappedKeys {
    encryption: String,
    authentication: String,
}

impl WrappedKeys {
    fn of(keys: &Keys, master: &Key) -> Self {
        let digits = |key| wrap_key(master, key).iter().map(|octet| format!("{octet:02X}")).collect();
        Self { encryption: digits(&keys.encryption), authentication: digits(&keys.authentication) }
    }

    fn unwrap(&self, master: &Key) -> Option<Keys> {
        let key = |digits: &str| unwrap_key(master, &octets(digits)?);
        Some(Keys { encryption: key(&self.encryption)?, authentication: key(&self.authentication)? })
    }
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

/// The counters of one encryption key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Numbers {
    /// The highest number the device may have sent.
    sent: u32,
    /// The highest number received, by the sender's title.
    received: BTreeMap<String, u32>,
}

impl Numbers {
    fn raise(&mut self, state: &CounterState) {
        self.sent = self.sent.max(state.sent.map_or(0, |sent| sent.0));
        for (from, counter) in &state.received {
            let kept = self.received.entry(from.to_string()).or_default();
            *kept = counter.0.max(*kept);
        }
    }

    fn state(&self) -> Option<CounterState> {
        let received = self.received.iter().map(|(from, counter)| {
            let from: SystemTitle = from.parse().ok()?;
            Some((from, InvocationCounter(*counter)))
        });
        let sent = Some(InvocationCounter(self.sent)).filter(|sent| sent.0 > 0);
        Some(CounterState { sent, received: received.collect::<Option<_>>()? })
    }
}

/// The memory of one device.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    title: SystemTitle,
    place: Place,
}

/// Where it is.
#[derive(Debug, Clone)]
enum Place {
    Folder(Arc<Path>),
    /// In this process, and gone with it.
    Process(Arc<Mutex<Written>>),
}

/// How a change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// It outlives this program.
    Written,
    /// It outlives a power cut of the machine.
    Synchronised,
}

impl Memory {
    /// Memory that dies with the process.
    pub(crate) fn passing(title: SystemTitle) -> Self {
        Self { title, place: Place::Process(Arc::default()) }
    }

    /// The counters of a key as they were last written.
    pub(crate) fn counters(&self, key: &Fingerprint) -> Result<CounterState, MemoryError> {
        let written = self.written()?;
        let Some(numbers) = written.counters.get(key) else { return Ok(CounterState::default()) };
        let folder = self.folder();
        numbers.state().ok_or_else(|| self.corrupt(folder, "counters of what is no system title".to_owned()))
    }

    /// The keys that were transferred in place of those of the lab file.
    pub(crate) fn keys(
        &self,
        place_of: &Fingerprint,
        master: Option<&Key>,
    ) -> Result<Option<Keys>, MemoryError> {
        let written = self.written()?;
        let Some(wrapped) = written.keys.get(place_of) else { return Ok(None) };
        let path = || self.file(self.folder()).display().to_string();
        let keys = master.and_then(|master| wrapped.unwrap(master));
        keys.map(Some).ok_or_else(|| MemoryError::Wrapped { path: path(), title: self.title })
    }

    /// Writes down that these keys have taken the place of those of the lab file.
    pub(crate) fn keep_keys(
        &self,
        place_of: &Fingerprint,
        keys: &Keys,
        master: &Key,
    ) -> Result<(), MemoryError> {
        let known = self.written()?.counters;
        if known.len() >= MOST_KEYS && !known.contains_key(&Fingerprint::of(keys.encryption.expose())) {
            return Err(MemoryError::Full { title: self.title });
        }
        let wrapped = WrappedKeys::of(keys, master);
        self.change(Care::Synchronised, |written| {
            written.keys.insert(place_of.clone(), wrapped);
        })
    }

    /// Writes down that more numbers may be used, before the first of them is. `reserve` is told the highest that may
    /// have been used, by whichever program, and gives the state to write.
    pub(crate) fn reserve(
        &self,
        key: &Fingerprint,
        reserve: impl FnOnce(InvocationCounter) -> CounterState,
    ) -> Result<(), MemoryError> {
        self.change(Care::Synchronised, |written| {
            let numbers = written.counters.entry(key.clone()).or_default();
            numbers.raise(&reserve(InvocationCounter(numbers.sent)));
        })
    }

    /// Writes down what was received.
    pub(crate) fn note(&self, key: &Fingerprint, state: &CounterState) -> Result<(), MemoryError> {
        self.change(Care::Written, |written| written.counters.entry(key.clone()).or_default().raise(state))
    }

    fn change(&self, care: Care, change: impl FnOnce(&mut Written)) -> Result<(), MemoryError> {
        let folder = match &self.place {
            Place::Folder(folder) => folder,
            Place::Process(written) => {
                // What a change leaves half done is no worse than what it began with.
                change(&mut written.lock().unwrap_or_else(PoisonError::into_inner));
                return Ok(());
            }
        };
        std::fs::create_dir_all(folder).map_err(fault(folder))?;
        let _lock = self.lock(folder)?;
        let mut written = self.read(folder)?;
        change(&mut written);
        self.write(folder, &written, care)
    }

    fn written(&self) -> Result<Written, MemoryError> {
        match &self.place {
            Place::Folder(folder) => self.read(folder),
            Place::Process(written) => Ok(written.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    /// The folder, for words.
    fn folder(&self) -> &Path {
        match &self.place {
            Place::Folder(folder) => folder,
            Place::Process(_) => Path::new(""),
        }
    }

    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.json", self.title))
    }

    /// Held until dropped; the operating system lets go of it when the program dies.
    fn lock(&self, folder: &Path) -> Result<File, MemoryError> {
        let path = folder.join(format!("{}.lock", self.title));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(fault(&path))?;
        file.lock().map_err(fault(&path))?;
        Ok(file)
    }

    fn read(&self, folder: &Path) -> Result<Written, MemoryError> {
        let path = self.file(folder);
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Written { title: self.title.to_string(), ..Written::default() });
            }
            Err(error) => return Err(fault(&path)(error)),
        }
        let written: Written = serde_json::from_str(&text)
            .map_err(|error| self.corrupt(folder, format!("found what is no such state ({error})")))?;
        if written.title != self.title.to_string() {
            return Err(self.corrupt(folder, format!("found that of {}", written.title.escape_debug())));
        }
        Ok(written)
    }

    fn write(&self, folder: &Path, written: &Written, care: Care) -> Result<(), MemoryError> {
        let (path, new) = (self.file(folder), folder.join(format!("{}.new", self.title)));
        let text = serde_json::to_string(written).map_err(|error| fault(&new)(io::Error::other(error)))?;
        let mut file = private(&new).map_err(fault(&new))?;
        file.write_all(text.as_bytes()).map_err(fault(&new))?;
        if care == Care::Synchronised {
            file.sync_all().map_err(fault(&new))?;
        }
        std::fs::rename(&new, &path).map_err(fault(&path))?;
        match care {
            Care::Written => Ok(()),
            // The renaming itself must survive, not only what was written.
            Care::Synchronised => {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault(folder))
            }
        }
    }

    fn corrupt(&self, folder: &Path, found: String) -> MemoryError {
        MemoryError::Corrupt { path: self.file(folder).display().to_string(), found, title: self.title }
    }
}

/// A new file that only its owner may read.
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}

fn fault(path: &Path) -> impl Fn(io::Error) -> MemoryError {
    let path = path.display().to_string();
    move |error| MemoryError::File { path: path.clone(), error: error.to_string() }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEVICE: SystemTitle = SystemTitle(*b"LAB\0\0\0\0\x03");
    const CLIENT: SystemTitle = SystemTitle(*b"LAB\0\0\0\0\x01");

    /// A folder of its own, gone with the value.
    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new() -> Self {
            Self(std::env::temp_dir().join(format!("device-state-{:016x}", rand::random::<u64>())))
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }

        pub(crate) fn state(&self) -> StateFolder {
            StateFolder::at(self.0.clone())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn state(sent: u32, received: u32) -> CounterState {
        let received = BTreeMap::from([(CLIENT, InvocationCounter(received))]);
        CounterState { sent: Some(InvocationCounter(sent)), received }
    }

    #[test]
    fn each_key_has_its_counters_and_none_goes_back() {
        let folder = Folder::new();
        let memory = folder.state().of(DEVICE);
        let (one, other) = (Fingerprint::of(&[1; 16]), Fingerprint::of(&[2; 16]));
        memory.reserve(&one, |_| state(1000, 5)).unwrap();
        memory.reserve(&one, |used| state(used.0 - 1, 5)).unwrap();
        memory.note(&one, &state(7, 6)).unwrap();
        assert_eq!(memory.counters(&one), Ok(state(1000, 6)));
        assert_eq!(memory.counters(&other), Ok(CounterState::default()));
        let another = folder.state().of(CLIENT);
        assert_eq!(another.counters(&one), Ok(CounterState::default()), "another device's");
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_with_what_to_do() {
        let folder = Folder::new();
        let memory = folder.state().of(DEVICE);
        std::fs::create_dir_all(&folder.0).unwrap();
        for text in ["", "[]", "{\"title\":\"4C41420000000009\",\"counters\":{}}"] {
            std::fs::write(memory.file(&folder.0), text).unwrap();
            let error = memory.counters(&Fingerprint::of(&[1; 16])).unwrap_err();
            assert!(error.to_string().contains("put back the file"), "{error}");
            assert!(memory.reserve(&Fingerprint::of(&[1; 16]), |_| state(1, 1)).is_err(), "overwritten");
        }
    }

    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new();
        let memory = folder.state().of(DEVICE);
        memory.reserve(&Fingerprint::of(&[1; 16]), |_| state(1, 1)).unwrap();
        let mode = std::fs::metadata(memory.file(&folder.0)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    proptest! {
        #[test]
        fn any_octets_in_the_file_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let folder = Folder::new();
            let memory = folder.state().of(DEVICE);
            std::fs::create_dir_all(&folder.0).unwrap();
            std::fs::write(memory.file(&folder.0), octets).unwrap();
            let _ = memory.counters(&Fingerprint::of(&[1; 16]));
        }
    }
}
