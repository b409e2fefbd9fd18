//! What can go wrong with evidence. Whatever it is, the run stops: a result that is not recorded is no result.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto_lab::record::{LineError, RunId};

use super::note::{KeyFormatError, NoteError};

/// Evidence cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A run of this name exists; evidence is never written over.
    #[error("run folder {} exists already: choose another run name, or resume the run", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// Another writer holds the run.
    #[error("run folder {} is being written by another process", path.display())]
    Held {
        /// The folder.
        path: PathBuf,
    },
    /// A record cannot be written as a line.
    #[error("record cannot be written: {0}")]
    Line(#[from] LineError),
    /// A line of a run is not a record.
    #[error("{}, record {number}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The record's number by its place.
        number: u64,
        /// What is wrong with it.
        source: LineError,
    },
    /// What stands among the checkpoints of a run is no signed note.
    #[error("{}, checkpoint {number}: {source}", path.display())]
    NoNote {
        /// The file.
        path: PathBuf,
        /// The checkpoint's number by its place.
        number: u64,
        /// What is wrong with it.
        source: NoteError,
    },
    /// An earlier failure stopped the writer.
    #[error("evidence of this run stopped earlier and is not continued: {cause}")]
    Stopped {
        /// The earlier failure.
        cause: String,
    },
    /// The disk is too slow to be relied on.
    #[error("the disk took {took:?} over {}: expected at most {most:?}", path.display())]
    Slow {
        /// The folder.
        path: PathBuf,
        /// How long it took.
        took: Duration,
        /// How long it may take.
        most: Duration,
    },
    /// The disk does not take what is written.
    #[error(
        "the disk has not taken what was written to {} within {most:?}: it hangs, or is too slow to be relied on",
        path.display()
    )]
    Stuck {
        /// The folder.
        path: PathBuf,
        /// How long it was waited for.
        most: Duration,
    },
    /// The record is not the recorder's caller's to write.
    #[error("a `{kind}` record is written by the recorder itself: {advice}")]
    NotYours {
        /// Its kind.
        kind: &'static str,
        /// What to call instead.
        advice: &'static str,
    },
    /// A key file is not a key.
    #[error("{}: {source}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyFormatError,
    },
    /// A key name or run name does not fit.
    #[error(transparent)]
    KeyName(#[from] KeyFormatError),
    /// Others can read the signing key.
    #[error("signing key {} can be read by others (mode {mode:o}): expected 600; if nobody copied it, `chmod 600` it", path.display())]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The run has ended.
    #[error("run {run} has its final checkpoint: it cannot be resumed")]
    Finished {
        /// The run.
        run: RunId,
    },
    /// The run is not as its writer left it.
    #[error("{} cannot be resumed: {finding}", path.display())]
    Unsound {
        /// The folder.
        path: PathBuf,
        /// The first finding of the verification.
        finding: String,
    },
}

impl EvidenceError {
    /// Wraps what the file system said about `path`.
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
