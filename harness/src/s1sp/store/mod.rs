//! The S1SP's store of device secrets: with what each client of each device of an installation is let in, or may be.
//!
//! ```text
//! $HARNESS_STATE/migration/store-key.pem            the S1SP's own key, mode 0600
//! $HARNESS_STATE/migration/secrets/EUI-64.jsonl     one line for each deed, oldest first
//! ```
//!
//! A deed is written down, sealed to the store's key and synchronised, before it is done: `handed` before anything of the
//! device is changed, `candidate` before the device is sent another credential. What was shown is written down after:
//! `proved` when the device let the S1SP in with a candidate, `returned` when it let it in with what was handed over. So
//! whoever kills the process between any two steps leaves a store that names every credential the device may have.
//!
//! The sealing is HPKE (RFC 9180) to a key that stays on this machine. Credentials of devices that are simulated inside
//! this process die with it and are held in memory only: a file of them would name devices that are gone.
//!
//! When every device has been given back the file is emptied. It is locked while it is open: two S1SPs that each changed
//! the credentials of one installation would lose them.

mod file;
mod key;
mod line;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lab_config::{ClientSap, DeviceKind, Eui64, Rig, RigDevice};

pub(crate) use file::StoreFile;
pub(crate) use key::{Seal, StoreKey};
use line::{Deed, Line};

use super::rotate;

use crate::driver::{Credential, Keyring, Own};

/// One client of one device.
pub(crate) type Place = (Eui64, ClientSap);

/// What is wrapped for a device: the encryption key and the authentication key that it is to take (RFC 3394).
pub(crate) type Wrapped = [Vec<u8>; 2];

/// Why the store cannot be used. In each case nothing that it holds is lost.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be read or written.
    #[error(
        "{}: {doing}: {error}; no device is sent a credential that is not kept: make room or put the permissions right, and try again",
        path.display()
    )]
    File {
        /// Which.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why not.
        error: std::io::Error,
    },
    /// Another process, or another S1SP of this one, has the store open.
    #[error("{}: another S1SP holds the secrets of this installation; end it, and try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A line that is none.
    #[error(
        "{}:{line}: found {found}, expected a line of the store of secrets; put the file back as it was: what it names may be all that lets anybody into a device",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What it holds.
        found: String,
    },
    /// A line that was sealed to another key.
    #[error(
        "{}:{line}: sealed to key {found}, but {} holds key {expected}; put back the key the line was sealed to",
        path.display(), key.display()
    )]
    ForeignKey {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The key file.
        key: PathBuf,
        /// The fingerprint the line names.
        found: String,
        /// The fingerprint of the key there is.
        expected: String,
    },
    /// A key file that is none, or that others may read.
    #[error("{}: {found}, expected {expected}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What was found.
        found: String,
        /// What was expected, and what to do.
        expected: &'static str,
    },
}

/// What is held of one client of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// What the SMSO handed over, and what the device gets back.
    pub(crate) handed: Own,
    /// The same as the Dual Control Organisation wrapped it for the way back, where it is keys.
    pub(crate) way_back: Option<Wrapped>,
    /// What the device may have, by the number of the line that says so; the last is the likeliest.
    may_have: Vec<(u64, Own)>,
    /// Whether it is in the file.
    is_kept: bool,
}

/// The secrets of one installation.
#[derive(Debug)]
pub struct SecretStore {
    held: BTreeMap<Place, Held>,
    /// The number of the last line.
    last: u64,
    kept: Option<Kept>,
}

/// Where it is kept.
struct Kept {
    file: StoreFile,
    seal: Box<dyn Seal>,
    installation: Eui64,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("file", &self.file.path()).finish_non_exhaustive()
    }
}

impl SecretStore {
    /// A store that dies with the process.
    #[must_use]
    pub fn passing() -> Self {
        Self { held: BTreeMap::new(), last: 0, kept: None }
    }

    /// The store for the installation on a rig. It is kept in the state folder where a device of the rig outlives this
    /// process, and where there is a state folder at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn for_rig(rig: &Rig, state: Option<&Path>) -> Result<Self, StoreError> {
        let outlives =
            |device: &RigDevice| rotate::rotating(device).is_some_and(|rotating| !rotating.passing);
        let installation = rig.device(DeviceKind::Chf).or(rig.devices().next()).map(|device| device.eui64);
        match (state, installation) {
            (Some(state), Some(installation)) if rig.devices().any(outlives) => {
                Self::open(state, installation)
            }
            _ => Ok(Self::passing()),
        }
    }

    /// Has a keyring know what an S1SP before has left with the devices of a rig: whoever speaks to them before there is
    /// another S1SP is let in too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn recall(rig: &Rig, state: Option<&Path>, keyring: &Keyring) -> Result<(), StoreError> {
        Self::for_rig(rig, state).map(|store| store.fill(keyring))
    }

    /// The store of an installation in a state folder; an empty one, with a key of its own, where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(state: &Path, installation: Eui64) -> Result<Self, StoreError> {
        let folder = state.join("migration");
        let key = StoreKey::at(&folder.join("store-key.pem"))?;
        let name = format!("{}.jsonl", installation.to_string().replace('-', ""));
        Self::of(StoreFile::open(&folder.join("secrets").join(name))?, Box::new(key), installation)
    }

    /// The store of this file, which is read.
    fn of(mut file: StoreFile, seal: Box<dyn Seal>, installation: Eui64) -> Result<Self, StoreError> {
        let mut store = Self { held: BTreeMap::new(), last: 0, kept: None };
        for (at, text) in file.lines()?.iter().enumerate() {
            let corrupt =
                |found: String| StoreError::Corrupt { path: file.path().to_owned(), line: at + 1, found };
            let foreign = |found: String, expected: String| StoreError::ForeignKey {
                path: file.path().to_owned(),
                line: at + 1,
                key: seal.path(),
                found,
                expected,
            };
            let line = Line::read(text, installation, &*seal).map_err(|error| match error {
                line::LineError::Form(found) => corrupt(found),
                line::LineError::ForeignKey { found, expected } => foreign(found, expected),
            })?;
            store.take(line).map_err(corrupt)?;
        }
        store.kept = Some(Kept { file, seal, installation });
        Ok(store)
    }

    /// Whether it outlives the process.
    pub(crate) const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Lets go of the file, so that another S1SP can have it. What is held in memory stays.
    pub(crate) fn close(&mut self) {
        self.kept = None;
    }

    /// What is held of a client of a device.
    pub(crate) fn held(&self, place: Place) -> Option<&Held> {
        self.held.get(&place)
    }

    /// Every client of a device of which something is held.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.held.keys().copied().collect()
    }

    /// Fills a keyring with what the devices have, or may have.
    pub fn fill(&self, keyring: &Keyring) {
        for ((device, client), held) in &self.held {
            let mut likeliest_first = held.may_have.iter().rev().map(|(_, own)| Credential::Own(own.clone()));
            if let Some(likeliest) = likeliest_first.next() {
                keyring.settle(*device, *client, likeliest);
            }
            likeliest_first.for_each(|other| keyring.propose(*device, *client, other));
        }
    }

    /// The SMSO has handed this over, and the device has shown that it has it. With `outlives`, it is written down.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is held then.
    pub(crate) fn hand(
        &mut self,
        place: Place,
        handed: Own,
        way_back: Option<Wrapped>,
        outlives: bool,
    ) -> Result<(), StoreError> {
        self.write(place, Deed::Handed { own: handed, way_back }, outlives)
    }

    /// The device is about to be sent this: from now on it may have it.
    ///
    /// # Errors
    /// [`StoreError`]; the device must not be sent it then.
    pub(crate) fn propose(&mut self, place: Place, own: Own) -> Result<(), StoreError> {
        let is_kept = self.held.get(&place).is_some_and(|held| held.is_kept);
        self.write(place, Deed::Candidate { own }, is_kept)
    }

    /// The device has shown that it has this, and nothing that would change it is under way.
    ///
    /// # Errors
    /// [`StoreError`]; the store still names what the device has, beside others.
    pub(crate) fn prove(&mut self, place: Place, own: &Own) -> Result<(), StoreError> {
        let Some(held) = self.held.get(&place) else { return Ok(()) };
        let Some(of) = held.may_have.iter().rev().find(|(_, other)| other == own).map(|(n, _)| *n) else {
            return Ok(());
        };
        let is_kept = held.is_kept;
        self.write(place, Deed::Proved { of }, is_kept)
    }

    /// The device has shown that it has what was handed over: nothing is held of it any more.
    ///
    /// # Errors
    /// [`StoreError`]; it is given back again another time.
    pub(crate) fn returned(&mut self, place: Place) -> Result<(), StoreError> {
        let Some(is_kept) = self.held.get(&place).map(|held| held.is_kept) else { return Ok(()) };
        self.write(place, Deed::Returned, is_kept)?;
        match &mut self.kept {
            Some(kept) if self.held.is_empty() => kept.file.clear(),
            _ => Ok(()),
        }
    }

    fn write(&mut self, place: Place, deed: Deed, outlives: bool) -> Result<(), StoreError> {
        let line = Line { number: self.last + 1, place, deed };
        let mut is_kept = false;
        if let Some(kept) = self.kept.as_mut().filter(|_| outlives) {
            let text = line.written(kept.installation, &*kept.seal).map_err(|words| StoreError::File {
                path: kept.file.path().to_owned(),
                doing: "seal a secret for",
                error: std::io::Error::other(words),
            })?;
            kept.file.append(&text)?;
            is_kept = true;
        }
        // The deed fits what is held: it was made from it.
        if self.take(line).is_ok()
            && let Some(held) = self.held.get_mut(&place)
        {
            held.is_kept |= is_kept;
        }
        Ok(())
    }

    /// What a line makes of what is held; in words where it does not follow from the lines before it.
    fn take(&mut self, Line { number, place, deed }: Line) -> Result<(), String> {
        // Not each number is here: what is held in memory only has numbers too.
        if number <= self.last {
            return Err(format!("line {number} after line {}", self.last));
        }
        let missing =
            || format!("a deed on a device of which nothing is held, {} client {}", place.0, place.1);
        match deed {
            Deed::Handed { own, way_back } => {
                let may_have = vec![(number, own.clone())];
                self.held
                    .insert(place, Held { handed: own, way_back, may_have, is_kept: self.kept.is_none() });
            }
            Deed::Candidate { own } => {
                let held = self.held.get_mut(&place).ok_or_else(missing)?;
                held.may_have.retain(|(_, other)| *other != own);
                held.may_have.push((number, own));
            }
            Deed::Proved { of } => {
                let held = self.held.get_mut(&place).ok_or_else(missing)?;
                let named = held.may_have.iter().any(|(number, _)| *number == of);
                if !named {
                    return Err(format!("proof of line {of}, which names no credential the device may have"));
                }
                held.may_have.retain(|(number, _)| *number == of);
            }
            Deed::Returned => {
                self.held.remove(&place).ok_or_else(missing)?;
            }
        }
        self.last = number;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
