//! Files of the authority: private ones are readable by their owner alone, and none is ever half written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::PkiError;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Readers {
    Owner,
    Everyone,
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o644,
        }
    }
}

pub(super) fn make_folder(path: &Path) -> Result<(), PkiError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(PkiError::io("make", path))
}

/// Writes a new file, and no other.
pub(super) fn write_new(path: &Path, text: &str, readers: Readers) -> Result<(), PkiError> {
    let draft = draft(path, text, readers)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(PkiError::io("remove", &draft))?;
    match linked {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(PkiError::Exists { path: path.to_owned() }),
        linked => linked.map_err(PkiError::io("create", path)),
    }
}

/// Puts a file in place of the one that is there, if any: a reader finds the old one or the new one whole.
pub(in crate::server) fn replace(path: &Path, text: &str, readers: Readers) -> Result<(), PkiError> {
    let draft = draft(path, text, readers)?;
    fs::rename(&draft, path).map_err(PkiError::io("replace", path))
}

/// Waits for the lock of a file that is replaced rather than written to, and holds it until dropped.
pub(in crate::server) fn lock_beside(path: &Path) -> Result<File, PkiError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.lock"));
    let mut options = OpenOptions::new();
    let lock = options.write(true).create(true).truncate(false).mode(Readers::Owner.mode()).open(&beside);
    let lock = lock.map_err(PkiError::io("open", &beside))?;
    lock.lock().map_err(PkiError::io("lock", &beside))?;
    Ok(lock)
}

fn draft(path: &Path, text: &str, readers: Readers) -> Result<std::path::PathBuf, PkiError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{:016x}", rand::random::<u64>()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(readers.mode())
        .open(&draft)
        .map_err(PkiError::io("create", &draft))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(PkiError::io("write", &draft))?;
    Ok(draft)
}

pub(super) fn read(path: &Path) -> Result<String, PkiError> {
    fs::read_to_string(path).map_err(PkiError::io("read", path))
}

/// Reads what nobody but its owner may be able to read.
pub(in crate::server) fn read_private(path: &Path) -> Result<String, PkiError> {
    let file = File::open(path).map_err(PkiError::io("open", path))?;
    let mode = file.metadata().map_err(PkiError::io("inspect", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PkiError::Exposed { path: path.to_owned(), mode });
    }
    io::read_to_string(file).map_err(PkiError::io("read", path))
}
