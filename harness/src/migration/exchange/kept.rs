//! What a party that runs by itself keeps on disk, so that it goes on where it was after it was killed.
//!
//! ```text
//! FOLDER/seen            what its inbox has seen, a line for each file
//!       /known/N.xml     files it took, as they crossed: what it knows of its groups it reads from them again
//!       /answers/N_NAME  files it has written and not handed over yet
//! ```
//!
//! Of a file that was taken, the file, its answers and then the inbox are kept before its sender is told so. A party killed in
//! between is sent the file again and answers twice; the second answer is one that nobody asked for.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use proto_migration::{FileName, Inbox, SeenFile};

/// Files it took that are kept. A group of a hundred installations comes to some two hundred.
const MOST_KNOWN: usize = 1_024;

/// What cannot be kept, or not be read again. Without it a file could be taken twice.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct KeptError {
    /// The file or folder.
    path: PathBuf,
    /// Why.
    reason: String,
}

/// The folder of one party.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    /// The number of the next file that is known.
    next: u64,
}

/// An answer that has not been handed over.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) name: FileName,
    pub(super) octets: Vec<u8>,
    path: PathBuf,
}

const SEEN: &str = "seen";
const KNOWN: &str = "known";
const ANSWERS: &str = "answers";

impl Kept {
    /// What is kept in this folder, which is made where it is not there.
    pub(super) fn open(folder: PathBuf) -> Result<Self, KeptError> {
        for folder in [folder.join(KNOWN), folder.join(ANSWERS)] {
            fs::create_dir_all(&folder).map_err(fault(&folder))?;
        }
        let mut kept = Self { folder, next: 0 };
        let numbers = kept.files(KNOWN)?.into_iter().filter_map(|path| number(&path));
        kept.next = numbers.max().map_or(0, |last| last + 1);
        Ok(kept)
    }

    /// What the inbox had seen.
    pub(super) fn seen(&self) -> Result<Vec<SeenFile>, KeptError> {
        let path = self.folder.join(SEEN);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(&path)(error)),
        };
        text.lines().map(|line| line.parse().map_err(fault(&path))).collect()
    }

    /// Keeps what the inbox has seen.
    pub(super) fn keep_seen(&self, inbox: &Inbox) -> Result<(), KeptError> {
        let lines: Vec<String> = inbox.seen().map(|seen| format!("{seen}\n")).collect();
        write(&self.folder.join(SEEN), lines.concat().as_bytes())
    }

    /// The files that were taken, in their order.
    pub(super) fn known(&self) -> Result<Vec<Vec<u8>>, KeptError> {
        self.files(KNOWN)?.iter().map(|path| fs::read(path).map_err(fault(path))).collect()
    }

    /// Keeps a file that was taken, and does away with the oldest where there are too many.
    pub(super) fn keep_known(&mut self, octets: &[u8]) -> Result<(), KeptError> {
        write(&self.folder.join(KNOWN).join(format!("{:020}.xml", self.next)), octets)?;
        self.next += 1;
        let files = self.files(KNOWN)?;
        let surplus = files.len().saturating_sub(MOST_KNOWN);
        files.iter().take(surplus).try_for_each(|path| fs::remove_file(path).map_err(fault(path)))
    }

    /// Keeps an answer until it is handed over.
    pub(super) fn keep_answer(&self, number: u64, name: &FileName, octets: &[u8]) -> Result<(), KeptError> {
        write(&self.folder.join(ANSWERS).join(format!("{number:020}_{name}")), octets)
    }

    /// The answer that was written first of those not handed over yet.
    pub(super) fn first_answer(&self) -> Result<Option<Answer>, KeptError> {
        let Some(path) = self.files(ANSWERS)?.into_iter().next() else { return Ok(None) };
        let octets = fs::read(&path).map_err(fault(&path))?;
        let spelt = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = spelt.split_once('_').map_or("", |(_, name)| name).parse().map_err(fault(&path))?;
        Ok(Some(Answer { name, octets, path }))
    }

    /// It was handed over, or nobody wants it.
    pub(super) fn forget_answer(&self, answer: &Answer) -> Result<(), KeptError> {
        fs::remove_file(&answer.path).map_err(fault(&answer.path))
    }

    /// The whole files of a folder, by their numbers.
    fn files(&self, folder: &str) -> Result<Vec<PathBuf>, KeptError> {
        let folder = self.folder.join(folder);
        let entries = fs::read_dir(&folder).map_err(fault(&folder))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(fault(&folder))?;
        paths.retain(|path| number(path).is_some());
        paths.sort();
        Ok(paths)
    }
}

/// The number a name begins with; none for a file that was not whole when its writer was killed.
fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.get(..20)?.parse().ok()
}

/// Written whole or not at all, and there after the machine has lost its power too.
fn write(path: &Path, octets: &[u8]) -> Result<(), KeptError> {
    let folder = path.parent().unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{name}.part"));
    let written = File::create(&fresh)
        .and_then(|mut file| file.write_all(octets).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&fresh, path))
        .and_then(|()| File::open(folder)?.sync_all());
    written.map_err(fault(path))
}

fn fault<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> KeptError {
    let path = path.to_owned();
    move |error| KeptError { path: path.clone(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_there_in_its_order_and_no_more_than_there_is_room_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut kept = Kept::open(folder.path().to_owned()).expect("a folder");
        for octets in ["one", "two"] {
            kept.keep_known(octets.as_bytes()).expect("kept");
        }
        let name: FileName = "DR_G1_7".parse().expect("a name");
        kept.keep_answer(7, &name, b"answer").expect("kept");
        let half = folder.path().join(KNOWN).join(".half.part");
        fs::write(half, "half").expect("a file");
        let mut kept = Kept::open(folder.path().to_owned()).expect("a folder");
        assert_eq!(kept.known().expect("files"), [b"one".to_vec(), b"two".to_vec()]);
        let answer = kept.first_answer().expect("a folder").expect("an answer");
        assert_eq!((&answer.name, answer.octets.as_slice()), (&name, &b"answer"[..]));
        kept.forget_answer(&answer).expect("forgotten");
        assert!(kept.first_answer().expect("a folder").is_none());
        for n in 0..MOST_KNOWN {
            kept.keep_known(n.to_string().as_bytes()).expect("kept");
        }
        let known = kept.known().expect("files");
        assert_eq!((known.len(), known.first().map(Vec::as_slice)), (MOST_KNOWN, Some(&b"0"[..])));
    }
}
