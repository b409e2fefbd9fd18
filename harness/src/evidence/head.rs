//! A signed head that a witness held: the run it is of must extend it, whatever the lab says now.
//!
//! A checkpoint that a witness saw, with its signature, cannot be unsaid. Where a run's first records do not come to the
//! root in it, the lab has signed two histories, and the head and the run together prove it.

use std::fmt;
use std::fs::File;
use std::io::BufReader;

use proto_lab::Digest;
use serde::Serialize;

use super::checkpoint::Checkpoint;
use super::folder::read_line;
use super::note::{Note, NoteError};
use super::tree::{Tree, leaf_hash};
use super::{EvidenceError, RunFolder, VerifierKey};

/// A head whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldHead {
    /// Key name and run.
    pub origin: String,
    /// Records it covers.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

/// What was given as a head proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It is no signed note, or its signature does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// What is signed is no checkpoint.
    #[error("what is signed is not a checkpoint as this lab writes them")]
    NoCheckpoint,
}

/// What a run is to a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Extends {
    /// The run's first records are those of the head.
    Yes,
    /// The head is of another run.
    AnotherRun {
        /// Which.
        origin: String,
    },
    /// The run has fewer records than the head covers.
    Shorter {
        /// Records of the run.
        records: u64,
    },
    /// The run's first records are others than those of the head.
    AnotherHistory {
        /// The root they come to.
        root: Digest,
    },
}

impl fmt::Display for Extends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("the run extends it"),
            Self::AnotherRun { origin } => write!(f, "it is a head of {origin}, not of this run"),
            Self::Shorter { records } => {
                write!(f, "THE RUN IS SHORTER than when it was signed: {records} records are here")
            }
            Self::AnotherHistory { root } => {
                write!(f, "THE RUN HAS ANOTHER HISTORY: its first records come to the root {root}")
            }
        }
    }
}

impl HeldHead {
    /// Reads a head as a witness saved it: one signed note, perhaps with signatures of others below.
    ///
    /// # Errors
    /// [`HeadError`] when it is not signed by this key, or is no checkpoint.
    pub fn read(text: &str, key: &VerifierKey) -> Result<Self, HeadError> {
        let (note, _) = Note::take(text)?;
        note.verify(key)?;
        let Checkpoint { origin, size, root, .. } =
            Checkpoint::from_text(note.text).ok_or(HeadError::NoCheckpoint)?;
        Ok(Self { origin, size, root })
    }

    /// Holds a run of this origin against the head.
    ///
    /// # Errors
    /// [`EvidenceError::Io`].
    pub fn is_extended_by(&self, folder: &RunFolder, origin: &str) -> Result<Extends, EvidenceError> {
        if self.origin != origin {
            return Ok(Extends::AnotherRun { origin: self.origin.clone() });
        }
        let path = folder.records();
        let mut file = BufReader::new(File::open(&path).map_err(EvidenceError::io("open", &path))?);
        let (mut tree, mut line) = (Tree::default(), Vec::new());
        while tree.size() < self.size {
            read_line(&mut file, &mut line).map_err(EvidenceError::io("read", &path))?;
            // A line that is being written is no record yet.
            if !line.ends_with(b"\n") {
                return Ok(Extends::Shorter { records: tree.size() });
            }
            tree.push(leaf_hash(&line));
        }
        Ok(match tree.root() {
            root if root == self.root => Extends::Yes,
            root => Extends::AnotherHistory { root },
        })
    }
}
