//! The file of a store: lines that are appended and synchronised, one at a time, under a lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Octets a store has at most: thousands of migrations that were rolled back half way.
const LONGEST: u64 = 16 << 20;

/// An open file of lines, locked.
#[derive(Debug)]
pub(crate) struct StoreFile {
    path: PathBuf,
    file: File,
    /// Octets of whole lines: what lies behind them was torn off when somebody was killed, or when the disk was full.
    whole: u64,
}

impl StoreFile {
    /// Opens the file, which is made where there is none, for nobody but its owner.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let fault = |doing| move |error| StoreError::File { path: path.to_owned(), doing, error };
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = file.map_err(fault("open"))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Busy { path: path.to_owned() },
            TryLockError::Error(error) => fault("lock")(error),
        })?;
        sync_folder(path).map_err(fault("synchronise its folder"))?;
        Ok(Self { path: path.to_owned(), file, whole: 0 })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its lines. What follows the last whole one was never acted upon, and is passed over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn lines(&mut self) -> Result<Vec<String>, StoreError> {
        let length = self.file.metadata().map_err(self.fault("read"))?.len();
        if length > LONGEST {
            let error = io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{length} octets, the most are {LONGEST}"),
            );
            return Err(self.fault("read")(error));
        }
        let mut octets = Vec::new();
        self.file.seek(SeekFrom::Start(0)).map_err(self.fault("read"))?;
        (&self.file).take(LONGEST).read_to_end(&mut octets).map_err(self.fault("read"))?;
        let end = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        octets.truncate(end);
        self.whole = end as u64;
        Ok(String::from_utf8_lossy(&octets).lines().map(str::to_owned).collect())
    }

    /// Writes a line and waits until it is safe.
    ///
    /// # Errors
    /// [`StoreError`]: the line is not there, and those before it are.
    pub(crate) fn append(&mut self, line: &str) -> Result<(), StoreError> {
        let text = format!("{line}\n");
        let written = self.put(text.as_bytes());
        if written.is_err() {
            // Whoever opens the file passes a torn line over, and the next one takes its place.
            let _ = self.file.set_len(self.whole);
        }
        written.map_err(self.fault("write"))?;
        self.whole += text.len() as u64;
        Ok(())
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.set_len(self.whole)?;
        self.file.seek(SeekFrom::Start(self.whole))?;
        self.file.write_all(octets)?;
        self.file.sync_data()
    }

    /// Empties it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn clear(&mut self) -> Result<(), StoreError> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.sync_data());
        cleared.map_err(self.fault("empty"))?;
        self.whole = 0;
        Ok(())
    }

    /// From now on nothing more can be written.
    #[cfg(test)]
    pub(super) fn stop_writing(&mut self) {
        self.file = File::open(&self.path).expect("a file");
    }

    fn fault(&self, doing: &'static str) -> impl Fn(io::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |error| StoreError::File { path: path.clone(), doing, error }
    }
}

/// Makes a folder for nobody but its owner.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| StoreError::File { path: folder.to_owned(), doing: "make", error })
}

/// Makes sure that the name of a new file outlives a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
