//! The file of a run's cosignatures: appended to as they come, beside evidence that is not touched by it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use super::checkpoint::Checkpoint;
use super::cosignature::{Cosignature, CosignerKey};
use super::folder::read_checkpoints;
use super::note::Note;
use super::torn::{COSIGNED, is_unfinished_note, utf8_prefix};
use super::{EvidenceError, RunFolder};

/// The longest file of cosignatures, in octets: some thousand of them.
const MAX_FILE: u64 = 3 << 20;

/// Why a cosignature is not kept.
#[derive(Debug, thiserror::Error)]
pub enum CosignatureFault {
    /// Not a note with one timestamped signature.
    #[error(
        "not a cosignature: expected the text of a checkpoint, an empty line, and one line `— name signature` with a \
         timestamped Ed25519 signature (C2SP tlog-cosignature)"
    )]
    Form,
    /// Signed by nobody who is known.
    #[error(
        "`{found}` is no key of this witness: an engineer adds it with `harness people add --cosigner-key`"
    )]
    UnknownKey {
        /// Name and hash of the key the note names.
        found: String,
    },
    /// The signature does not hold.
    #[error("the signature of key `{key}` does not hold over the text")]
    Signature {
        /// The key.
        key: String,
    },
    /// The text is none of the run's checkpoints.
    #[error(
        "this run has no such checkpoint of {size} records: what was seen of it elsewhere is not what is here"
    )]
    NoCheckpoint {
        /// Records that the text says it covers.
        size: u64,
    },
    /// No more are kept.
    #[error("as many cosignatures as may be are kept with this run")]
    Full,
    /// The file system refuses.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// A cosignature that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Records that the checkpoint covers.
    pub size: u64,
    /// The root over them.
    pub root: proto_lab::Digest,
    /// Name and hash of the key.
    pub key: String,
    /// The signature line.
    pub line: String,
    /// Whether this key had cosigned this checkpoint before; then nothing was written.
    pub already: bool,
}

/// Checks a cosignature against the keys of the witness who hands it in and against the run's checkpoints, and brings it to
/// the disk.
///
/// # Errors
/// [`CosignatureFault`]; nothing was kept.
pub fn keep_cosignature(
    folder: &RunFolder,
    note: &[u8],
    keys: &[CosignerKey],
) -> Result<Kept, CosignatureFault> {
    let text = std::str::from_utf8(note).map_err(|_| CosignatureFault::Form)?;
    let Ok((cosignature, "")) = Cosignature::take(text) else { return Err(CosignatureFault::Form) };
    let key = keys.iter().find(|key| key.short() == cosignature.short());
    let key = key.ok_or_else(|| CosignatureFault::UnknownKey { found: cosignature.short() })?;
    cosignature.verify(key).map_err(|_| CosignatureFault::Signature { key: key.short() })?;
    let checkpoint = Checkpoint::from_text(cosignature.text).ok_or(CosignatureFault::Form)?;
    if !texts(&read_checkpoints(folder)?).any(|text| text == cosignature.text) {
        return Err(CosignatureFault::NoCheckpoint { size: checkpoint.size });
    }
    let already = !append(folder, text, &cosignature)?;
    let Checkpoint { size, root, .. } = checkpoint;
    Ok(Kept { size, root, key: key.short(), line: cosignature.line.to_owned(), already })
}

/// Appends unless the same key has signed the same text; says whether it did. What a crash left half written is cut off
/// first.
fn append(folder: &RunFolder, note: &str, cosignature: &Cosignature<'_>) -> Result<bool, CosignatureFault> {
    let path = folder.cosignatures();
    let io = |action| EvidenceError::io(action, &path);
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(io("open"))?;
    file.lock().map_err(io("lock"))?;
    let kept = read(&mut file).map_err(io("read"))?;
    let (cosignatures, whole) = notes(utf8_prefix(&kept).0);
    let same = |c: &Cosignature<'_>| c.text == cosignature.text && c.short() == cosignature.short();
    if cosignatures.iter().any(same) {
        return Ok(false);
    }
    if (whole + note.len()) as u64 > MAX_FILE {
        return Err(CosignatureFault::Full);
    }
    if whole < kept.len() {
        file.set_len(whole as u64).map_err(io("cut"))?;
    }
    file.write_all(note.as_bytes()).map_err(io("write"))?;
    file.sync_all().map_err(io("sync"))?;
    File::open(folder.root()).and_then(|folder| folder.sync_all()).map_err(io("sync"))?;
    Ok(true)
}

fn read(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_FILE).read_to_end(&mut octets)?;
    Ok(octets)
}

/// The whole notes from the beginning on, and how many octets they are.
fn notes(text: &str) -> (Vec<Cosignature<'_>>, usize) {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Ok((cosignature, after)) = Cosignature::take(rest) {
        found.push(cosignature);
        rest = after;
    }
    (found, text.len() - rest.len())
}

/// The texts of a run's checkpoints.
fn texts(octets: &[u8]) -> impl Iterator<Item = &str> {
    let mut rest = std::str::from_utf8(octets).unwrap_or_default();
    std::iter::from_fn(move || {
        let (note, after) = Note::take(rest).ok()?;
        rest = after;
        Some(note.text)
    })
}

/// The cosignatures kept with a run, as the file has them; empty without one.
///
/// # Errors
/// [`EvidenceError::Io`].
pub fn read_cosignatures(folder: &RunFolder) -> Result<String, EvidenceError> {
    Ok(lossy(read_octets(folder)?))
}

fn read_octets(folder: &RunFolder) -> Result<Vec<u8>, EvidenceError> {
    let path = folder.cosignatures();
    match File::open(&path) {
        Ok(mut file) => read(&mut file).map_err(EvidenceError::io("read", path)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(EvidenceError::io("open", path)(e)),
    }
}

fn lossy(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap_or_else(|e| String::from_utf8_lossy(&e.into_bytes()).into_owned())
}

/// What a cosignature beside a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CosignerStanding {
    /// By a witness's key that is trusted, over a checkpoint of this run.
    Holds,
    /// Over a checkpoint of this run, by a key nobody here knows.
    KeyUnknown,
    /// The signature does not hold, or it is over something that is no checkpoint of this run.
    Wrong,
}

/// Somebody who cosigned a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cosigner {
    /// Name and hash of their key.
    pub key: String,
    /// Records they signed for.
    pub size: u64,
    /// When, as they say.
    pub at: Timestamp,
    /// What it comes to.
    pub standing: CosignerStanding,
}

/// What stands in a run's file of cosignatures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cosigned {
    /// Who cosigned, in the order their cosignatures came.
    pub cosigners: Vec<Cosigner>,
    /// Octets behind them that are no cosignature, and none that its writer left unfinished either: the file was changed, and
    /// what follows from there on is lost.
    pub unreadable: u64,
}

/// Who cosigned a run; those of `keys` are checked.
///
/// # Errors
/// [`EvidenceError::Io`].
pub fn cosigners(folder: &RunFolder, keys: &[CosignerKey]) -> Result<Cosigned, EvidenceError> {
    let written = read_octets(folder)?;
    let (text, _) = utf8_prefix(&written);
    let octets = read_checkpoints(folder)?;
    let checkpoints: std::collections::BTreeSet<&str> = texts(&octets).collect();
    let judge = |c: &Cosignature<'_>| {
        let key = keys.iter().find(|key| key.short() == c.short());
        match (checkpoints.contains(c.text), key) {
            (false, _) => CosignerStanding::Wrong,
            (true, None) => CosignerStanding::KeyUnknown,
            (true, Some(key)) if c.verify(key).is_ok() => CosignerStanding::Holds,
            (true, Some(_)) => CosignerStanding::Wrong,
        }
    };
    let size = |c: &Cosignature<'_>| Checkpoint::from_text(c.text).map_or(0, |checkpoint| checkpoint.size);
    let cosigner =
        |c: &Cosignature<'_>| Cosigner { key: c.short(), size: size(c), at: c.at, standing: judge(c) };
    let (found, whole) = notes(text);
    let rest = &written[whole..];
    let unreadable = if is_unfinished_note(rest, COSIGNED) { 0 } else { rest.len() as u64 };
    Ok(Cosigned { cosigners: found.iter().map(cosigner).collect(), unreadable })
}
