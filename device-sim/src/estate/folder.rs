//! The folder that holds the names of an estate's pseudo-terminals.
//!
//! Its owner holds a lock on it. A folder nobody holds belongs to a process that died; the next one tidies it away.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

const PREFIX: &str = "device-sim-";
/// Estates of one process that may run at a time.
const TRIES: u32 = 1000;

/// A folder of one's own under the system's temporary folder; removed when it is dropped.
#[derive(Debug)]
pub(super) struct LinkFolder {
    path: PathBuf,
    /// Open for as long as the folder is ours: the lock goes with it.
    _lock: File,
}

impl LinkFolder {
    /// Makes the folder, for this user alone.
    pub(super) fn make() -> io::Result<Self> {
        Self::make_in(&std::env::temp_dir())
    }

    fn make_in(parent: &Path) -> io::Result<Self> {
        tidy(parent);
        let process = std::process::id();
        for number in 0..TRIES {
            let path = parent.join(format!("{PREFIX}{process}-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            // Whoever tidies may take it away before it is locked.
            if let Some(lock) = lock(&path).filter(|_| path.exists()) {
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(io::Error::other(format!("{TRIES} estates of this process run already")))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LinkFolder {
    fn drop(&mut self) {
        // What is left is only names, and the next estate tidies it away.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The lock on a folder; none while its owner lives.
fn lock(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(folder)
}

/// Removes what processes that died have left. What cannot be removed is somebody else's.
fn tidy(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        // Held until the folder is gone: else one that was made a moment ago could be locked by its owner in between, and go.
        if let Some(_held) = lock(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_tidied_and_what_the_living_hold_is_not() {
        let parent = LinkFolder::make().unwrap();
        let living = LinkFolder::make_in(parent.path()).unwrap();
        let dead = parent.path().join(format!("{PREFIX}1-0"));
        let other = parent.path().join("other");
        fs::create_dir(&dead).unwrap();
        fs::create_dir(&other).unwrap();
        let next = LinkFolder::make_in(parent.path()).unwrap();
        assert!(!dead.exists() && other.exists() && living.path().exists());
        assert_ne!(living.path(), next.path());
    }
}
