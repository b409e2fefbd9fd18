//! What a party has taken, so that nothing is taken twice, out of order or by whom it is not for.
//!
//! Each writer numbers its files up, over all groups. A party sees those that are for it: their numbers rise, with gaps. A file
//! that follows another names it by digest, and is taken only by a party that has that one, of the same group, and only if
//! its kind can follow it. A file is its writer's to write: else one party could validate, contact or commission in another's
//! place, and control would be dual in name only. A refused file leaves the inbox as it was.

mod order;
mod seen;
mod writers;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Address, Digest, File, FileRefusalCode, GroupId, Header, Trust, open};
use order::Order;
pub use seen::{SeenFile, SeenFileError};

/// A file that a party has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// What it says.
    pub file: File,
    /// As it crossed, to be handed on and kept.
    pub octets: Arc<[u8]>,
    /// Their digest, by which other files follow it.
    pub digest: Digest,
}

/// A file that a party does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct FileRefusal {
    /// Why.
    pub code: FileRefusalCode,
    /// What was found and what was expected.
    pub reason: String,
}

/// The files that one party has taken and written.
///
/// ```
/// use proto_duis::pki::Authority;
/// use proto_migration::{Address, Body, File, FileRefusalCode, Inbox, PartyRole, Trust, write};
/// let control = Address { role: PartyRole::MigrationControl, id: "90-B3-D5-1F-30-02-00-00".parse()? };
/// let requesting = Address { role: PartyRole::RequestingParty, id: "90-B3-D5-1F-30-03-00-00".parse()? };
/// let body = Body::Demand { installations: vec![("00-DB-12-34-56-78-90-A0".parse()?, vec!["MA_1".parse()?])] };
/// let written = "2026-11-22T10:30:00Z".parse()?;
/// let file = File::new(control, vec![requesting], "G1".parse()?, 7, None, written, body);
/// let signer = Authority::new("Lab")?.issue("control")?;
/// let octets = write(&file, &signer)?;
/// let mut trust = Trust::new();
/// trust.add(control, signer.certificate().clone());
///
/// let mut inbox = Inbox::new(requesting);
/// assert_eq!(inbox.take(&octets, &trust)?.file, file);
/// assert_eq!(inbox.take(&octets, &trust).unwrap_err().code, FileRefusalCode::Replayed);
/// let elsewhere = Inbox::new(control).take(&octets, &trust).unwrap_err();
/// assert_eq!(elsewhere.code, FileRefusalCode::NotForUs);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Inbox {
    me: Address,
    files: BTreeMap<Digest, SeenFile>,
    /// The highest number taken from each writer. Bounded: only known writers are taken from.
    highest: BTreeMap<Address, u64>,
}

impl Inbox {
    /// The most files kept at a time. [`Inbox::close`] makes room.
    pub const MOST: usize = 65_536;

    /// An empty inbox of this party.
    pub fn new(me: Address) -> Self {
        Self { me, files: BTreeMap::new(), highest: BTreeMap::new() }
    }

    /// The inbox as it was when these had been seen, in any order.
    pub fn with_seen(me: Address, seen: impl IntoIterator<Item = SeenFile>) -> Self {
        let mut inbox = Self::new(me);
        seen.into_iter().for_each(|file| inbox.keep(file));
        inbox
    }

    /// What has been seen, to be kept.
    pub fn seen(&self) -> impl Iterator<Item = &SeenFile> {
        self.files.values()
    }

    /// Whose it is.
    pub const fn owner(&self) -> Address {
        self.me
    }

    /// Keeps that this party wrote `file`, so that others' files may follow it.
    pub fn sent(&mut self, file: &File, digest: Digest) {
        self.keep(SeenFile::of(file, digest));
    }

    /// Forgets the files of a group that has ended, save the last of each writer. A file that follows one of the forgotten is
    /// out of order from now on.
    pub fn close(&mut self, group: &GroupId) {
        let highest = &self.highest;
        self.files.retain(|_, seen| seen.group != *group || highest.get(&seen.from) == Some(&seen.number));
    }

    /// Takes a file.
    ///
    /// # Errors
    /// It does not [`open`], is for others, is not its writer's to write, was taken before, or is not in order. The inbox stays as
    /// it was.
    pub fn take(&mut self, octets: &[u8], trust: &Trust) -> Result<Arrived, FileRefusal> {
        let file = open(octets, trust)
            .map_err(|error| FileRefusal { code: error.code(), reason: error.to_string() })?;
        let digest = Digest::of(octets);
        let seen = SeenFile::of(&file, digest);
        let named = |(code, reason): (FileRefusalCode, String)| {
            let reason = format!("{} from {}: {reason}", file.header.name, file.header.from);
            FileRefusal { code, reason }
        };
        self.check(&file.header, &seen).map_err(named)?;
        self.keep(seen);
        Ok(Arrived { file, octets: octets.into(), digest })
    }

    fn check(&self, header: &Header, seen: &SeenFile) -> Result<(), (FileRefusalCode, String)> {
        if !header.to.contains(&self.me) {
            let reason = format!("it is for {}; expected {} among them", list(&header.to), self.me);
            return Err((FileRefusalCode::NotForUs, reason));
        }
        let writers = writers::of(seen);
        if !writers.contains(&header.from.role) {
            let reason = format!(
                "it is {} written by a {}; expected one of {}",
                seen.what(),
                header.from.role,
                list(writers)
            );
            return Err((FileRefusalCode::NotTheirs, reason));
        }
        self.number(seen)?;
        self.order(header, seen).map_err(|reason| (FileRefusalCode::OutOfOrder, reason))?;
        if self.files.len() >= Self::MOST {
            let reason = format!("{} files are kept; close groups that have ended", Self::MOST);
            return Err((FileRefusalCode::Full, reason));
        }
        Ok(())
    }

    /// Numbers of one writer rise.
    fn number(&self, seen: &SeenFile) -> Result<(), (FileRefusalCode, String)> {
        if self.files.contains_key(&seen.digest) {
            return Err((
                FileRefusalCode::Replayed,
                format!("this very file, number {}, was taken", seen.number),
            ));
        }
        let Some(last) = self.highest.get(&seen.from).filter(|last| seen.number <= **last) else {
            return Ok(());
        };
        let number = seen.number;
        let used = self.files.values().any(|other| other.from == seen.from && other.number == number);
        let (code, what) = match used {
            true => (FileRefusalCode::Replayed, "was used by another file"),
            false => (FileRefusalCode::OutOfOrder, "comes late"),
        };
        Err((code, format!("its number {number} {what}; expected more than {last}, the last of this writer")))
    }

    /// A file follows one that is here, of its group, and of a kind that it can follow.
    fn order(&self, header: &Header, seen: &SeenFile) -> Result<(), String> {
        let order = Order::of(seen);
        let Some(follows) = header.follows else {
            return if order.begins { Ok(()) } else { Err(format!("it follows no file; expected {order}")) };
        };
        let Some(before) = self.files.get(&follows).filter(|before| before.group == seen.group) else {
            let group = &seen.group;
            return Err(format!(
                "it follows {follows}, which has not come to us in group {group}; expected {order}"
            ));
        };
        match order.may_follow(before) {
            true => Ok(()),
            false => Err(format!("it follows {}; expected {order}", before.what())),
        }
    }

    fn keep(&mut self, seen: SeenFile) {
        let highest = self.highest.entry(seen.from).or_insert(seen.number);
        *highest = seen.number.max(*highest);
        self.files.insert(seen.digest, seen);
    }
}

fn list<T: ToString>(parties: &[T]) -> String {
    parties.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
