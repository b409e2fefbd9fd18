//! The torn ends that a dead writer leaves in the two files it appended to: the last record and the last checkpoint, each
//! perhaps half written. Nothing but these may be cut, and whatever is cut is kept.

use std::fs::{self, File};
use std::io::Write as _;

use proto_lab::Digest;

use super::blob::Blobs;
use super::folder::read_checkpoints;
use super::note::Note;
use super::{EvidenceError, RunFolder};

/// How a signature line of a note begins.
const SIGNATURE: &[u8] = "— ".as_bytes();

/// The octets at the end of each file that are no whole record and no whole note.
#[derive(Debug)]
pub(super) struct TornEnds {
    /// Of the last record.
    pub(super) record: Vec<u8>,
    /// Of the last checkpoint.
    pub(super) checkpoint: Vec<u8>,
    whole_records: u64,
    whole_checkpoints: u64,
}

/// The blobs that keep what is cut.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    pub(super) cut: Option<Digest>,
    pub(super) cut_checkpoint: Option<Digest>,
}

impl TornEnds {
    /// Looks for them; nothing is changed.
    ///
    /// # Errors
    /// [`EvidenceError::Unsound`] when a note cannot be read that was written to its end, [`EvidenceError::Io`].
    pub(super) fn find(folder: &RunFolder) -> Result<Self, EvidenceError> {
        let path = folder.records();
        let mut records = fs::read(&path).map_err(EvidenceError::io("read", &path))?;
        let whole = records.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let record = records.split_off(whole);
        let mut notes = read_checkpoints(folder)?;
        let (read, count) = whole_notes(&notes);
        let checkpoint = notes.split_off(read);
        if !is_unfinished(&checkpoint) {
            return Err(EvidenceError::Unsound {
                path: folder.root().to_path_buf(),
                finding: format!(
                    "checkpoint {count} is no note, and it is not an unfinished one at the end of the file: \
                     expected a signed note at octet {read} of `checkpoints`; nothing was changed"
                ),
            });
        }
        Ok(Self { record, checkpoint, whole_records: whole as u64, whole_checkpoints: read as u64 })
    }

    /// Keeps them as blobs, on the disk when this returns.
    ///
    /// # Errors
    /// [`EvidenceError::Io`].
    pub(super) fn keep(&self, blobs: &mut Blobs) -> Result<Kept, EvidenceError> {
        let mut keep = |octets: &[u8]| (!octets.is_empty()).then(|| blobs.keep(octets)).transpose();
        let kept = Kept { cut: keep(&self.record)?, cut_checkpoint: keep(&self.checkpoint)? };
        blobs.sync()?;
        Ok(kept)
    }

    /// Cuts them off.
    ///
    /// # Errors
    /// [`EvidenceError::Io`].
    pub(super) fn cut(
        &self,
        folder: &RunFolder,
        records: &File,
        checkpoints: &File,
    ) -> Result<(), EvidenceError> {
        let cut = "cut the torn end of";
        records.set_len(self.whole_records).map_err(EvidenceError::io(cut, folder.records()))?;
        checkpoints.set_len(self.whole_checkpoints).map_err(EvidenceError::io(cut, folder.checkpoints()))
    }

    /// Leaves the files as they were found, for a run that turns out not to be resumed.
    ///
    /// # Errors
    /// [`EvidenceError::Io`]; what was cut is among the blobs.
    pub(super) fn put_back(
        &self,
        folder: &RunFolder,
        mut records: &File,
        mut checkpoints: &File,
    ) -> Result<(), EvidenceError> {
        let back = "put back the torn end of";
        records.write_all(&self.record).map_err(EvidenceError::io(back, folder.records()))?;
        checkpoints.write_all(&self.checkpoint).map_err(EvidenceError::io(back, folder.checkpoints()))
    }
}

/// Octets of the whole notes at the beginning, and how many notes these are.
fn whole_notes(octets: &[u8]) -> (usize, usize) {
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&octets[..e.valid_up_to()]).unwrap_or_default(),
    };
    let (mut rest, mut count) = (text, 0);
    while let Ok((_, after)) = Note::take(rest) {
        (rest, count) = (after, count + 1);
    }
    (text.len() - rest.len(), count)
}

/// Whether a writer that died can have left this: a note whose signature line has not been ended, and nothing behind it.
fn is_unfinished(tail: &[u8]) -> bool {
    let mut lines: Vec<&[u8]> = tail.split(|b| *b == b'\n').collect();
    // What follows the last line feed is not a whole line.
    lines.pop();
    let after_text = lines.iter().position(|line| line.is_empty()).map_or(lines.len(), |n| n + 1);
    let signed = |line: &&[u8]| line.windows(SIGNATURE.len()).any(|part| part == SIGNATURE);
    after_text == lines.len() && !lines.iter().any(signed)
}
