//! The rig lock: an exclusive advisory lock on every physical link a run uses, so that no two runs hold a rig.
//!
//! Links are locked rather than rig names: two lab files may name the same optical head differently, and two embedded
//! labs may name different pseudo-terminals alike. The operating system releases a lock when its holder dies, so a
//! crashed run never blocks a rig; the file's content only says who to ask.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest holder line read back: a lock file is ours, but anybody may write to a shared folder.
const HOLDER_LIMIT: u64 = 1024;

/// Who holds a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id of the controller.
    pub pid: u32,
    /// Name of the run.
    pub run: String,
    /// When it took the link.
    pub since: Timestamp,
}

/// Why a link could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("link {key} is held by {}; wait for that run to end or abort it", holder_words(.holder.as_ref()))]
    Held {
        /// The physical link.
        key: String,
        /// Who holds it, where the lock file can be read.
        holder: Option<Holder>,
    },
    /// The lock folder cannot be used.
    #[error("lock file {path} cannot be used: {source}; check the folder's permissions")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
}

fn holder_words(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "another run (its lock file cannot be read)".to_owned(),
        |h| format!("run {} (process {}, since {})", h.run, h.pid, h.since),
    )
}

/// The folder all controllers of this machine keep their lock files in.
#[derive(Debug, Clone)]
pub struct LockFolder(PathBuf);

/// Links claimed for a run; dropping it gives them back.
#[derive(Debug)]
#[must_use = "the rig is free again as soon as this is dropped"]
pub struct Claim {
    // Holding the open files is holding the locks.
    _files: Vec<File>,
}

impl Default for LockFolder {
    /// The machine's shared folder, below the temporary folder.
    fn default() -> Self {
        LockFolder(std::env::temp_dir().join("device-lab-locks"))
    }
}

impl LockFolder {
    /// A folder of one's own, for tests.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        LockFolder(path.to_owned())
    }

    /// Claims every physical link in `keys` (see [`Target::physical_key`](crate::link::Target::physical_key)) for `run`, or none of them.
    ///
    /// # Errors
    /// [`LockError::Held`] names the first link another run holds, and that run.
    pub fn claim(&self, keys: &[String], run: &str, now: Timestamp) -> Result<Claim, LockError> {
        self.prepare()?;
        let holder = Holder { pid: std::process::id(), run: run.to_owned(), since: now };
        // One order for all controllers, and a key named twice is one link.
        let ordered: std::collections::BTreeSet<&String> = keys.iter().collect();
        let files = ordered.into_iter().map(|key| self.claim_one(key, &holder)).collect::<Result<_, _>>()?;
        Ok(Claim { _files: files })
    }

    fn prepare(&self) -> Result<(), LockError> {
        if self.0.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.0).map_err(|source| LockError::Io { path: self.0.clone(), source })?;
        share_folder(&self.0);
        Ok(())
    }

    fn claim_one(&self, key: &str, holder: &Holder) -> Result<File, LockError> {
        let path = self.0.join(file_name(key));
        let io = |source| LockError::Io { path: path.clone(), source };
        let mut file = open_or_create(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => write_holder(&mut file, holder).map_err(io).map(|()| file),
            Err(TryLockError::WouldBlock) => {
                Err(LockError::Held { key: key.to_owned(), holder: read_holder(&mut file) })
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// Readable beginning, then a digest: keys hold slashes and may be long.
fn file_name(key: &str) -> String {
    let readable: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let digest = Sha256::digest(key.as_bytes());
    format!("{readable}-{}.lock", hex::encode(&digest[..6]))
}

/// Opens without the create flag first: Linux refuses to "create" another user's file in a sticky folder.
fn open_or_create(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().read(true).write(true).open(path);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        Ok(file) => {
            share_file(&file);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(),
        Err(error) => Err(error),
    }
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    serde_json::to_writer(&mut *file, holder)?;
    file.flush()
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(HOLDER_LIMIT).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Best effort: where it fails, other users of the machine get a clear permission error from `claim`.
#[cfg(unix)]
fn share_folder(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o1777));
}

#[cfg(unix)]
fn share_file(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    let _ = file.set_permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn share_folder(_path: &Path) {}

#[cfg(not(unix))]
fn share_file(_file: &File) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn second_run_is_refused_and_told_who_holds_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let locks = LockFolder::at(folder.path());
        let claim =
            locks.claim(&keys(&["serial /dev/ttyUSB0", "tcp host:4059"]), "run-1", Timestamp::UNIX_EPOCH);
        let claim = claim.unwrap();
        let refused = locks.claim(&keys(&["tcp host:4059"]), "run-2", Timestamp::UNIX_EPOCH).unwrap_err();
        let words = refused.to_string();
        assert!(words.contains("tcp host:4059") && words.contains("run-1"), "{words}");
        assert!(words.contains(&std::process::id().to_string()), "{words}");
        drop(claim);
        let _again = locks.claim(&keys(&["tcp host:4059"]), "run-2", Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn a_refused_claim_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let locks = LockFolder::at(folder.path());
        let _held = locks.claim(&keys(&["b"]), "run-1", Timestamp::UNIX_EPOCH).unwrap();
        assert!(locks.claim(&keys(&["a", "b"]), "run-2", Timestamp::UNIX_EPOCH).is_err());
        let _free = locks.claim(&keys(&["a"]), "run-3", Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn the_same_link_named_twice_is_one_link() {
        let folder = tempfile::tempdir().unwrap();
        let _claim =
            LockFolder::at(folder.path()).claim(&keys(&["a", "a"]), "r", Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn an_unreadable_holder_is_said_to_be_so() {
        let folder = tempfile::tempdir().unwrap();
        let locks = LockFolder::at(folder.path());
        let path = folder.path().join(file_name("a"));
        std::fs::write(&path, "not a holder").unwrap();
        let file = File::open(&path).unwrap();
        file.lock().unwrap();
        let error = locks.claim(&keys(&["a"]), "r", Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.to_string().contains("another run"), "{error}");
    }
}
