//! The folder of a run, by name, and plain reading of its records.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use proto_lab::Digest;
use proto_lab::record::{MAX_LINE, Record};

use super::EvidenceError;
use super::checkpoint::Checkpoint;
use super::note::Note;

/// The longest checkpoint file read, in octets: some 50 million records.
const MAX_CHECKPOINTS: u64 = 1 << 30;

/// Names of everything in a run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// The run whose folder this is; nothing is read.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The records.
    pub fn records(&self) -> PathBuf {
        self.root.join("records.jsonl")
    }

    /// The signed checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// What witnesses signed of the checkpoints.
    pub fn cosignatures(&self) -> PathBuf {
        self.root.join("cosignatures")
    }

    /// The folder of the blobs.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// One blob.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.to_string())
    }

    /// The folder of the captures.
    pub fn captures(&self) -> PathBuf {
        self.root.join("captures")
    }

    /// The public key.
    pub fn key(&self) -> PathBuf {
        self.root.join("key.pub")
    }
}

/// Reads one line, line feed included, and no more than the limit and one octet; empty at the end of the file.
pub(super) fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    from.take(MAX_LINE as u64 + 1).read_until(b'\n', line)
}

/// The records of a run, read one after the other.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    file: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

impl Records {
    /// Opens the records of a run, without checking them against the signatures. A last line still being written is left out.
    ///
    /// # Errors
    /// [`EvidenceError::Io`].
    pub fn of(folder: &RunFolder) -> Result<Self, EvidenceError> {
        let path = folder.records();
        let file = BufReader::new(File::open(&path).map_err(EvidenceError::io("open", &path))?);
        Ok(Self { path, file, line: Vec::new(), number: 0 })
    }

    fn read(&mut self) -> Result<Option<Record>, EvidenceError> {
        let Self { path, file, line, number } = self;
        let length = read_line(file, line).map_err(EvidenceError::io("read", &*path))?;
        if length == 0 || (!line.ends_with(b"\n") && length <= MAX_LINE) {
            return Ok(None);
        }
        let unreadable = |source| EvidenceError::Unreadable { path: path.clone(), number: *number, source };
        let record = Record::from_line(line).map_err(unreadable)?;
        *number += 1;
        Ok(Some(record))
    }
}

impl Iterator for Records {
    type Item = Result<Record, EvidenceError>;

    /// [`EvidenceError::Io`], or [`EvidenceError::Unreadable`] with the number of the first line that is no record.
    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Reads all records of a run, as [`Records`] does.
///
/// # Errors
/// [`EvidenceError::Io`], or [`EvidenceError::Unreadable`] with the number of the first line that is no record.
pub fn read_records(folder: &RunFolder) -> Result<Vec<Record>, EvidenceError> {
    Records::of(folder)?.collect()
}

/// The whole checkpoint file as text; nothing, where there is none.
pub(super) fn read_checkpoints(folder: &RunFolder) -> Result<Vec<u8>, EvidenceError> {
    let path = folder.checkpoints();
    let file = match File::open(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(EvidenceError::io("open", &path))?,
    };
    let mut octets = Vec::new();
    file.take(MAX_CHECKPOINTS).read_to_end(&mut octets).map_err(EvidenceError::io("read", &path))?;
    Ok(octets)
}

/// Root of the tree at a finished run's final checkpoint, for the next run to bind; absent when the run is open. The
/// signature is not checked here: a wrong root shows when the chain of runs is verified.
///
/// # Errors
/// [`EvidenceError::Io`].
pub fn previous_root(folder: &RunFolder) -> Result<Option<Digest>, EvidenceError> {
    let octets = read_checkpoints(folder)?;
    let Ok(mut rest) = std::str::from_utf8(&octets) else {
        return Ok(None);
    };
    let mut last = None;
    while let Ok((note, after)) = Note::take(rest) {
        last = Checkpoint::from_text(note.text);
        rest = after;
    }
    Ok(last.filter(|c| c.is_final).map(|c| c.root))
}
