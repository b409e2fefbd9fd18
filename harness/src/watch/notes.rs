//! Reading a run's signed checkpoints as they are signed.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::note::{Note, NoteError};
use crate::evidence::{EvidenceError, RunFolder};

/// Octets read at one poll, at most.
const BATCH: u64 = 1 << 20;
/// The longest note waited for: a checkpoint lists at most some hundred leaves.
const MAX_NOTE: usize = 64 << 10;

/// A place in a run's checkpoints, moving on. It opens the file for reading only, and checks no signature: whoever gets the
/// notes does.
#[derive(Debug)]
pub struct FollowNotes {
    folder: RunFolder,
    file: File,
    offset: u64,
    next: u64,
    finished: bool,
}

impl FollowNotes {
    /// Starts at the first checkpoint.
    ///
    /// # Errors
    /// [`EvidenceError::Io`] when there is no checkpoint file yet.
    pub fn open(folder: RunFolder) -> Result<Self, EvidenceError> {
        let path = folder.checkpoints();
        let file = File::open(&path).map_err(EvidenceError::io("open", path))?;
        Ok(Self { folder, file, offset: 0, next: 0, finished: false })
    }

    /// Whole notes signed since the last poll, each octet for octet, some 1 MiB at most; empty when there is nothing new.
    ///
    /// # Errors
    /// [`EvidenceError::Io`], or [`EvidenceError::NoNote`] with the number of what is no signed note.
    pub fn poll(&mut self) -> Result<Vec<String>, EvidenceError> {
        let path = self.folder.checkpoints();
        let mut octets = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| (&self.file).take(BATCH).read_to_end(&mut octets))
            .map_err(EvidenceError::io("read", path))?;
        let text = text_of(&octets).map_err(|source| self.unreadable(source))?;
        let mut notes = Vec::new();
        let mut rest = text;
        while let Some(length) = length(rest) {
            let (note, after) = Note::take(rest).map_err(|source| self.unreadable(source))?;
            self.finished |= Checkpoint::from_text(note.text).is_some_and(|c| c.is_final);
            notes.push(rest[..length].to_owned());
            self.next += 1;
            rest = after;
        }
        if notes.is_empty() && rest.len() > MAX_NOTE {
            return Err(self.unreadable(NoteError::Form));
        }
        self.offset += (text.len() - rest.len()) as u64;
        Ok(notes)
    }

    fn unreadable(&self, source: NoteError) -> EvidenceError {
        EvidenceError::NoNote { path: self.folder.checkpoints(), number: self.next, source }
    }

    /// Whether the final checkpoint has been read.
    pub const fn is_finished(&self) -> bool {
        self.finished
    }
}

/// A batch may end within a letter; anything else that is not UTF-8 is no note.
fn text_of(octets: &[u8]) -> Result<&str, NoteError> {
    match std::str::from_utf8(octets) {
        Ok(text) => Ok(text),
        Err(e) if e.error_len().is_some() => Err(NoteError::Form),
        Err(e) => std::str::from_utf8(&octets[..e.valid_up_to()]).map_err(|_| NoteError::Form),
    }
}

/// Octets of the first note, when it is whole.
fn length(text: &str) -> Option<usize> {
    let signature = text.find("\n\n")? + 2;
    Some(signature + text[signature..].find('\n')? + 1)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::evidence::note::NoteKey;

    fn note(size: u64, end: &str) -> String {
        let key = NoteKey::from_seed("lab".parse().unwrap(), &[7; 32]);
        key.sign(&format!("lab/run-1\n{size}\nLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\n{end}"))
    }

    #[test]
    fn each_note_comes_once_whole_and_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(dir.path());
        let mut file = File::create(folder.checkpoints()).unwrap();
        let mut follow = FollowNotes::open(folder).unwrap();
        let notes = [note(1, ""), note(2, ""), note(3, "final\n")];
        let mut seen = Vec::new();
        for octet in notes.concat().as_bytes() {
            assert!(!follow.is_finished());
            file.write_all(&[*octet]).unwrap();
            seen.extend(follow.poll().unwrap());
        }
        assert_eq!(seen, notes);
        assert!(follow.is_finished());
    }

    #[test]
    fn what_is_no_note_is_named_by_its_number_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(dir.path());
        for wrong in [b"text\n\nno signature\n".to_vec(), vec![0xff], vec![b'x'; MAX_NOTE + 1]] {
            std::fs::write(folder.checkpoints(), [note(1, "").into_bytes(), wrong.clone()].concat()).unwrap();
            let mut follow = FollowNotes::open(folder.clone()).unwrap();
            let error = follow.poll().and_then(|_| follow.poll()).unwrap_err();
            assert!(error.to_string().contains("checkpoint"), "{error}");
        }
    }
}
