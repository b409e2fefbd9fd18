//! The folder that holds the names of an estate's pseudo-terminals.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Estates of one process that may run at a time.
const TRIES: u32 = 1000;

/// A folder of one's own under the system's temporary folder; removed when it is dropped.
#[derive(Debug)]
pub(super) struct LinkFolder(PathBuf);

impl LinkFolder {
    /// Makes the folder, for this user alone.
    pub(super) fn make() -> io::Result<Self> {
        let process = std::process::id();
        for number in 0..TRIES {
            let path = std::env::temp_dir().join(format!("device-sim-{process}-{number}"));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{TRIES} estates of this process run already")))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for LinkFolder {
    fn drop(&mut self) {
        // Names that are left are only names; a folder that stays is tidied by the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
