//! Reopening a run whose writer died: what is whole is checked and kept, a torn end is put aside, and a record says so.

use std::fs::{self, File};
use std::io::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{Body, CaptureBound, Note as NoteRecord, Record, Repaired, Sequence, Tally};

use super::blob::Blobs;
use super::capture;
use super::checkpoint::{Checkpoint, origin, short_leaf};
use super::folder::read_records;
use super::recorder::{SLOWEST, open_for_writing};
use super::scribe::Scribe;
use super::torn::{Kept, TornEnds};
use super::tree::{Tree, leaf_hash};
use super::{Capture, EvidenceError, LabKey, Opening, Recorder, RunFolder, Standing, verify};

/// A run reopened.
#[derive(Debug)]
pub struct Resumed {
    /// Its writer.
    pub recorder: Recorder,
    /// Its records so far, the one about the reopening included. What must be done next is a fold over them.
    pub records: Vec<Record>,
}

impl Recorder {
    /// Reopens an open run, or an open book, by the key that began it. One whose last record is written and whose final
    /// checkpoint is not is given that, and is finished.
    ///
    /// # Errors
    /// [`EvidenceError::Held`] when its writer lives, [`EvidenceError::Finished`] when there is nothing to resume,
    /// [`EvidenceError::Unsound`] when anything but a torn end is wrong, and then nothing was touched, [`EvidenceError::Io`].
    pub fn resume(folder: RunFolder, key: LabKey) -> Result<Resumed, EvidenceError> {
        Self::resume_at(Timestamp::now(), folder, key)
    }

    pub(super) fn resume_at(at: Timestamp, folder: RunFolder, key: LabKey) -> Result<Resumed, EvidenceError> {
        let (records_file, checkpoints_file) = open_for_writing(&folder, false)?;
        let covered = require_open(&folder, &key)?;
        let torn = TornEnds::find(&folder)?;
        let mut records = read_records(&folder)?;
        let unsound = |finding: &str| EvidenceError::Unsound {
            path: folder.root().to_path_buf(),
            finding: finding.to_owned(),
        };
        let (last, opening) = match (records.last(), records.first().and_then(|r| Opening::of(&r.body))) {
            (Some(last), Some(opening)) => (last.clone(), opening),
            _ => return Err(unsound("it has no first record")),
        };
        if is_an_end(&last) {
            // What is cut of evidence whose last record is whole can only be the beginning of the signature that is now made
            // again, and no record could name it.
            torn.cut(&folder, &records_file, &checkpoints_file)?;
            records_file.sync_data().map_err(EvidenceError::io("sync", folder.records()))?;
            sign_the_end(&folder, &key, &opening, &records, covered, checkpoints_file)?;
            return Err(EvidenceError::Finished { run: opening.name().clone() });
        }
        let scribe = Scribe::start(folder.root(), SLOWEST)?;
        let mut blobs = Blobs::new(folder.clone(), scribe.clone());
        let kept = torn.keep(&mut blobs)?;
        torn.cut(&folder, &records_file, &checkpoints_file)?;
        let (capture, earlier_captures) = reopen_captures(&folder)?;
        let mut recorder = Self {
            opening,
            blobs,
            records: Arc::new(records_file),
            checkpoints: Arc::new(checkpoints_file),
            scribe,
            bound_length: capture.bound().length,
            capture,
            earlier_captures,
            tree: Tree::default(),
            uncovered: Vec::new(),
            tally: Tally::of(&records),
            began: records.first().map_or(last.at, |r| r.at),
            last_at: last.at,
            line: Vec::with_capacity(1024),
            stopped: None,
            slowest: SLOWEST,
            key,
            folder,
        };
        recorder.regrow(&records, covered)?;
        let unnamed = recorder.blobs.unnamed(&records)?;
        recorder.guarded(|r| r.say_what_was_repaired(at, last.sequence, &torn, kept, unnamed))?;
        recorder.checkpoint()?;
        records = read_records(&recorder.folder)?;
        Ok(Resumed { recorder, records })
    }

    /// Brings tree and uncovered leaves to where the last checkpoint and the records leave them.
    fn regrow(&mut self, records: &[Record], covered: u64) -> Result<(), EvidenceError> {
        for record in records {
            let leaf = leaf_hash(record.to_line()?.as_bytes());
            self.tree.push(leaf);
            if record.sequence.0 >= covered {
                self.uncovered.push(short_leaf(&leaf));
            }
        }
        Ok(())
    }

    fn say_what_was_repaired(
        &mut self,
        at: Timestamp,
        last: Sequence,
        torn: &TornEnds,
        Kept { cut, cut_checkpoint }: Kept,
        unnamed: Vec<Digest>,
    ) -> Result<(), EvidenceError> {
        let octets = torn.record.len() as u64;
        let unnamed =
            unnamed.into_iter().filter(|blob| ![cut, cut_checkpoint].contains(&Some(*blob))).collect();
        self.write(at, Body::Repaired(Repaired { last, cut, octets, cut_checkpoint, unnamed }))?;
        if cut_checkpoint.is_some() {
            let what =
                format!("{} octets of an unfinished checkpoint were cut and kept", torn.checkpoint.len());
            let who = "evidence".to_owned();
            self.write(at, Body::Note(NoteRecord { who, what }))?;
        }
        for bound in self.earlier_captures.clone() {
            self.write(at, Body::Capture(bound))?;
        }
        Ok(())
    }
}

/// Whether nothing can follow this record.
fn is_an_end(record: &Record) -> bool {
    matches!(record.body, Body::RunFinished(_) | Body::BookClosed(_))
}

/// The final checkpoint of evidence whose writer died between its last record and that.
fn sign_the_end(
    folder: &RunFolder,
    key: &LabKey,
    opening: &Opening,
    records: &[Record],
    covered: u64,
    mut checkpoints: File,
) -> Result<(), EvidenceError> {
    let (mut tree, mut leaves) = (Tree::default(), Vec::new());
    for record in records {
        let leaf = leaf_hash(record.to_line()?.as_bytes());
        tree.push(leaf);
        leaves.extend((record.sequence.0 >= covered).then(|| short_leaf(&leaf)));
    }
    let origin = origin(key.verifier().name(), opening.name());
    let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root(), leaves, is_final: true };
    let note = key.note().sign(&checkpoint.to_text());
    let written = checkpoints.write_all(note.as_bytes()).and_then(|()| checkpoints.sync_data());
    written.map_err(EvidenceError::io("write", folder.checkpoints()))
}

/// The run must be open and sound by this key; gives how many records its checkpoints cover.
fn require_open(folder: &RunFolder, key: &LabKey) -> Result<u64, EvidenceError> {
    let verification = verify(folder, &[key.verifier()])?;
    match (verification.standing, verification.run, verification.findings.first()) {
        (Standing::Open, _, _) => Ok(verification.signed),
        (Standing::Sound | Standing::SignerUnknown, Some(run), _) => Err(EvidenceError::Finished { run }),
        (_, _, finding) => Err(EvidenceError::Unsound {
            path: folder.root().to_path_buf(),
            finding: finding.map_or_else(|| "it cannot be verified".to_owned(), ToString::to_string),
        }),
    }
}

/// What the dead writer captured is bound as it is; what follows goes to a file of its own.
fn reopen_captures(folder: &RunFolder) -> Result<(Capture, Vec<CaptureBound>), EvidenceError> {
    let captures = folder.captures();
    let mut earlier = Vec::new();
    for entry in fs::read_dir(&captures).map_err(EvidenceError::io("list", &captures))? {
        let entry = entry.map_err(EvidenceError::io("list", &captures))?;
        let file = entry.file_name().to_string_lossy().into_owned();
        earlier.push(capture::bind_whole(&captures, file)?);
    }
    earlier.sort_by(|a, b| a.file.cmp(&b.file));
    let name = format!("run-{}.pcapng", earlier.len() + 1);
    Ok((Capture::create(&captures, &name)?, earlier))
}
