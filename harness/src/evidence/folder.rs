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

/// Reads the records of a run, without checking them against the signatures. A last line still being written is left out.
///
/// # Errors
/// [`EvidenceError::Io`], or [`EvidenceError::Unreadable`] with the number of the first line that is no record.
pub fn read_records(folder: &RunFolder) -> Result<Vec<Record>, EvidenceError> {
    let path = folder.records();
    let mut file = BufReader::new(File::open(&path).map_err(EvidenceError::io("open", &path))?);
    let mut records = Vec::new();
    let mut line = Vec::new();
    while read_line(&mut file, &mut line).map_err(EvidenceError::io("read", &path))? > 0 {
        if !line.ends_with(b"\n") && line.len() <= MAX_LINE {
            break;
        }
        let record = Record::from_line(&line).map_err(|source| EvidenceError::Unreadable {
            path: path.clone(),
            number: records.len() as u64,
            source,
        })?;
        records.push(record);
    }
    Ok(records)
}

/// The whole checkpoint file as text.
pub(super) fn read_checkpoints(folder: &RunFolder) -> Result<Vec<u8>, EvidenceError> {
    let path = folder.checkpoints();
    let file = File::open(&path).map_err(EvidenceError::io("open", &path))?;
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
