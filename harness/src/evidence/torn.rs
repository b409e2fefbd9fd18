//! The torn ends that a dead writer leaves in the two files it appended to: the last record and the last checkpoint, each
//! perhaps half written. They are not evidence of anything: a record counts as acknowledged only once its whole line, line
//! feed included, is with the operating system. Before that the recorder does not return to the script or the caller that
//! waits for it, and nobody who watches, reports or resumes takes what is no whole line. Nothing but such ends may be cut,
//! and whatever is cut is kept.

use std::fmt;
use std::fs::{self, File};

use proto_lab::Digest;
use serde::Serialize;

use super::blob::Blobs;
use super::folder::read_checkpoints;
use super::note::Note;
use super::{EvidenceError, RunFolder};

/// How a signature line of a note begins.
const SIGNATURE: &[u8] = "— ".as_bytes();

/// The longest end that one note can leave, in octets: a checkpoint lists at most some hundred leaves.
const MAX_TAIL: usize = 64 << 10;

/// Base64 of a checkpoint's signature: 4 octets of the key's hash, 64 of Ed25519.
pub(super) const SIGNED: usize = 92;

/// Base64 of a cosignature: 8 octets of time between the two.
pub(super) const COSIGNED: usize = 104;

/// An end that a writer did not finish, of evidence that is not finished either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "file", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Torn {
    /// Of `records.jsonl`.
    Record {
        /// The last record whose line is whole.
        after: u64,
        /// Octets of the line that never ended.
        octets: u64,
    },
    /// Of `checkpoints`.
    Checkpoint {
        /// The last checkpoint that is whole.
        after: u64,
        /// Octets of the one that never ended.
        octets: u64,
    },
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { after, octets } => write!(
                f,
                "{octets} octets of a line that never ended follow record {after}; nobody was told of it, because a record \
                 counts only when its whole line is written"
            ),
            Self::Checkpoint { after, octets } => write!(
                f,
                "{octets} octets of a signature that never ended follow checkpoint {after}; it vouches for nothing, and the \
                 records it was to cover are signed for by the next"
            ),
        }
    }
}

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
    /// Looks for them in evidence that was verified; nothing is changed.
    ///
    /// # Errors
    /// [`EvidenceError::Io`].
    pub(super) fn find(folder: &RunFolder) -> Result<Self, EvidenceError> {
        let path = folder.records();
        let mut records = fs::read(&path).map_err(EvidenceError::io("read", &path))?;
        let whole = records.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let record = records.split_off(whole);
        let mut notes = read_checkpoints(folder)?;
        let read = whole_notes(&notes);
        let checkpoint = notes.split_off(read);
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
}

/// Octets of the whole notes at the beginning.
fn whole_notes(octets: &[u8]) -> usize {
    let (text, _) = utf8_prefix(octets);
    let mut rest = text;
    while let Ok((_, after)) = Note::take(rest) {
        rest = after;
    }
    text.len() - rest.len()
}

/// The text these octets begin with, and whether what follows it can be no letter at all; a letter that only lacks its end
/// is no such thing.
pub(super) fn utf8_prefix(octets: &[u8]) -> (&str, bool) {
    match std::str::from_utf8(octets) {
        Ok(text) => (text, false),
        Err(e) => {
            let text = std::str::from_utf8(&octets[..e.valid_up_to()]).unwrap_or_default();
            (text, e.error_len().is_some())
        }
    }
}

/// Whether a writer that died can have left this at the end of the file: a note with a signature of so many letters, whose
/// signature line has not been ended, and nothing behind it.
pub(super) fn is_unfinished_note(tail: &[u8], signature: usize) -> bool {
    if tail.is_empty() || tail.len() > MAX_TAIL || utf8_prefix(tail).1 {
        return false;
    }
    let mut lines: Vec<&[u8]> = tail.split(|b| *b == b'\n').collect();
    // What follows the last line feed is not a whole line.
    let last = lines.pop().unwrap_or_default();
    let after_text = lines.iter().position(|line| line.is_empty()).map(|n| n + 1);
    let signed = |line: &&[u8]| line.windows(SIGNATURE.len()).any(|part| part == SIGNATURE);
    !lines.iter().any(signed)
        && match after_text {
            // In the text.
            None => !signed(&last),
            Some(after_text) => {
                after_text > 1 && after_text == lines.len() && begins_signature(last, signature)
            }
        }
}

/// Whether a signature line begins so, and is no longer than one can be.
fn begins_signature(line: &[u8], longest: usize) -> bool {
    let Some(rest) = line.strip_prefix(SIGNATURE) else { return SIGNATURE.starts_with(line) };
    let Some(name) = rest.iter().position(|b| *b == b' ') else { return true };
    let letters = &rest[name + 1..];
    let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    letters.len() <= longest && letters.iter().all(base64)
}
