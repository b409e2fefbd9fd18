//! The one writer of a run's evidence.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::book::BookClosed;
use proto_lab::record::{Body, CaptureBound, Record, RunFinished, Sequence, Tally, Verdict};

use super::blob::Blobs;
use super::checkpoint::{Checkpoint, origin, short_leaf};
use super::scribe::Scribe;
use super::tree::{SHORT_LEAF, Tree, leaf_hash};
use super::{Capture, EvidenceError, LabKey, Opening, RunFolder};

/// A checkpoint is made after this many records without one.
pub const CHECKPOINT_EVERY: usize = 256;

/// The longest that one record, blob or signature may take to be written. Behind a disk that is slower a run would go on for
/// minutes after what its records show.
pub(super) const SLOWEST: Duration = Duration::from_secs(20);

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// Its plan is done.
    Completed,
    /// A person stopped it, for this reason.
    Aborted(String),
    /// The lab failed, for this reason: a rig not as declared, a link lost for good.
    Failed(String),
}

impl RunEnd {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Completed => Verdict::NotRun,
            Self::Aborted(_) => Verdict::Aborted,
            Self::Failed(_) => Verdict::Error,
        }
    }

    fn reason(self) -> Option<String> {
        match self {
            Self::Completed => None,
            Self::Aborted(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

/// Writes records, blobs and captures of one run or one lab book, and signs for them.
///
/// After any failure every later call fails too, and the run must stop and fail: evidence that cannot be written is not
/// made good later.
#[derive(Debug)]
pub struct Recorder {
    pub(super) folder: RunFolder,
    pub(super) key: LabKey,
    pub(super) opening: Opening,
    pub(super) records: Arc<File>,
    pub(super) checkpoints: Arc<File>,
    /// Who writes to them.
    pub(super) scribe: Scribe,
    pub(super) blobs: Blobs,
    pub(super) capture: Capture,
    /// Capture files of the run before it was resumed, whole.
    pub(super) earlier_captures: Vec<CaptureBound>,
    pub(super) bound_length: u64,
    pub(super) tree: Tree,
    pub(super) uncovered: Vec<[u8; SHORT_LEAF]>,
    pub(super) tally: Tally,
    pub(super) began: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) line: Vec<u8>,
    pub(super) stopped: Option<String>,
    /// The longest that one write may take.
    pub(super) slowest: Duration,
}

fn append_to(path: PathBuf, create: bool) -> Result<File, EvidenceError> {
    OpenOptions::new().append(true).create_new(create).open(&path).map_err(EvidenceError::io("open", path))
}

/// Takes the run for this process; the lock goes with the file when the process ends, however it ends.
pub(super) fn open_for_writing(folder: &RunFolder, create: bool) -> Result<(File, File), EvidenceError> {
    let records = append_to(folder.records(), create)?;
    records.try_lock().map_err(|_| EvidenceError::Held { path: folder.root().to_path_buf() })?;
    Ok((records, append_to(folder.checkpoints(), create)?))
}

/// The folder under the name it has until its first record is signed for. No run can have such a name.
fn make_draft(folder: &RunFolder) -> Result<RunFolder, EvidenceError> {
    if folder.root().exists() {
        return Err(EvidenceError::Exists { path: folder.root().to_path_buf() });
    }
    if let Some(parent) = folder.root().parent() {
        fs::create_dir_all(parent).map_err(EvidenceError::io("make", parent))?;
    }
    let name = folder.root().file_name().unwrap_or_default().to_string_lossy();
    let draft =
        RunFolder::new(folder.root().with_file_name(format!(".{name}-{:08x}", rand::random::<u32>())));
    for made in [draft.root().to_path_buf(), draft.blobs(), draft.captures()] {
        fs::create_dir(&made).map_err(EvidenceError::io("make", made))?;
    }
    Ok(draft)
}

impl Recorder {
    /// Starts the evidence of a run, or a book, in a new folder. The key of `first` is set to `key`'s. The folder has its name
    /// only once its first record is in it and signed for: there is no run that had not begun.
    ///
    /// # Errors
    /// [`EvidenceError::Exists`] when the folder exists, [`EvidenceError::Io`].
    pub fn create(folder: RunFolder, first: impl Into<Opening>, key: LabKey) -> Result<Self, EvidenceError> {
        Self::create_at(Timestamp::now(), folder, first.into(), key)
    }

    /// As [`Recorder::create`], at this time.
    pub(super) fn create_at(
        at: Timestamp,
        folder: RunFolder,
        opening: Opening,
        key: LabKey,
    ) -> Result<Self, EvidenceError> {
        let draft = make_draft(&folder)?;
        let begun = Self::begin(at, draft.clone(), opening, key).and_then(|recorder| recorder.named(folder));
        if begun.is_err() {
            // Nothing in it was anything to anybody yet; where it cannot be removed it is no run either.
            let _ = fs::remove_dir_all(draft.root());
        }
        begun
    }

    /// Writes the first record and signs for it, in a folder that is to be named later.
    fn begin(at: Timestamp, folder: RunFolder, opening: Opening, key: LabKey) -> Result<Self, EvidenceError> {
        let (records, checkpoints) = open_for_writing(&folder, true)?;
        let scribe = Scribe::start(folder.root(), SLOWEST)?;
        let public = format!("{}\n", key.verifier());
        fs::write(folder.key(), public).map_err(EvidenceError::io("write", folder.key()))?;
        let capture = Capture::create(&folder.captures(), "run.pcapng")?;
        let mut recorder = Self {
            blobs: Blobs::new(folder.clone(), scribe.clone()),
            opening: opening.clone(),
            folder,
            records: Arc::new(records),
            checkpoints: Arc::new(checkpoints),
            scribe,
            // A capture that only has its header is not worth a record.
            bound_length: capture.bound().length,
            capture,
            earlier_captures: Vec::new(),
            tree: Tree::default(),
            uncovered: Vec::new(),
            tally: Tally::new(),
            began: at,
            last_at: at,
            line: Vec::with_capacity(1024),
            stopped: None,
            slowest: SLOWEST,
            key,
        };
        let signer = recorder.key.signer();
        recorder.guarded(|r| r.write(at, opening.signed_by(signer)))?;
        recorder.checkpoint()?;
        Ok(recorder)
    }

    /// Gives the folder its name. What is open stays open under the new one.
    fn named(mut self, folder: RunFolder) -> Result<Self, EvidenceError> {
        fs::rename(self.folder.root(), folder.root()).map_err(|e| match e.kind() {
            std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::AlreadyExists => {
                EvidenceError::Exists { path: folder.root().to_path_buf() }
            }
            _ => EvidenceError::io("name", folder.root())(e),
        })?;
        let parent = folder.root().parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(std::path::Path::new("."));
        File::open(parent).and_then(|f| f.sync_all()).map_err(EvidenceError::io("sync", parent))?;
        self.capture.moved_to(&folder.captures());
        self.blobs.moved_to(folder.clone());
        self.scribe.moved_to(folder.root());
        self.folder = folder;
        Ok(self)
    }

    /// The run's folder.
    pub const fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The capture file that links write to.
    pub const fn capture(&self) -> &Capture {
        &self.capture
    }

    /// The count so far.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Writes the next record; when this returns, the operating system has it.
    ///
    /// # Errors
    /// [`EvidenceError::NotYours`] for the first and last record, which have functions of their own; any other error
    /// stops the recorder for good.
    pub fn append(&mut self, body: Body) -> Result<Sequence, EvidenceError> {
        self.append_at(Timestamp::now(), body)
    }

    /// As [`Recorder::append`], for something that happened at `at`. A time before the last record's becomes the last
    /// record's: the wall clock may be stepped, the order of records may not.
    ///
    /// # Errors
    /// As [`Recorder::append`].
    pub fn append_at(&mut self, at: Timestamp, body: Body) -> Result<Sequence, EvidenceError> {
        let advice = match &body {
            Body::RunStarted(_) | Body::BookOpened(_) => "evidence begins with `Recorder::create`",
            Body::BookClosed(_) => "a book ends with `Recorder::close`",
            body if !self.opening.admits(body) => {
                "a lab's book says what concerns the lab, and a run what concerns it"
            }
            Body::RunFinished(_) => "a run ends with `Recorder::finish`",
            Body::Repaired(_) => "a run is reopened with `Recorder::resume`",
            _ => return self.guarded(|r| r.write(at, body)),
        };
        let kind = body.kind();
        Err(EvidenceError::NotYours { kind, advice })
    }

    /// Keeps octets as a blob for records to refer to.
    ///
    /// # Errors
    /// [`EvidenceError`]; the recorder is stopped.
    pub fn blob(&mut self, octets: &[u8]) -> Result<Digest, EvidenceError> {
        self.guarded(|r| r.blobs.keep(octets))
    }

    /// Brings all evidence so far to the disk; call before a hazardous action.
    ///
    /// # Errors
    /// [`EvidenceError`]; the recorder is stopped.
    pub fn sync(&mut self) -> Result<(), EvidenceError> {
        self.guarded(Self::sync_all)
    }

    /// Binds the capture, syncs, and signs for everything so far; call at the end of each script.
    ///
    /// # Errors
    /// [`EvidenceError`]; the recorder is stopped.
    pub fn checkpoint(&mut self) -> Result<(), EvidenceError> {
        self.guarded(|r| {
            r.bind_capture()?;
            r.sign(false)
        })
    }

    /// Ends the run: counts, verdict, whole captures, and the final checkpoint. Gives the last record's contents and the
    /// root that the next run binds.
    ///
    /// # Errors
    /// [`EvidenceError`]; the run then stays open, and open is never passed.
    pub fn finish(self, end: RunEnd) -> Result<(RunFinished, Digest), EvidenceError> {
        self.finish_at(Timestamp::now(), end)
    }

    pub(super) fn finish_at(
        mut self,
        at: Timestamp,
        end: RunEnd,
    ) -> Result<(RunFinished, Digest), EvidenceError> {
        self.guarded(|r| {
            let finished = r.last_record(end);
            r.write(at, Body::RunFinished(finished.clone()))?;
            r.sign(true)?;
            Ok((finished, r.tree.root()))
        })
    }

    /// Ends a book, for this reason in words. Gives the root that the next book binds.
    ///
    /// # Errors
    /// [`EvidenceError`]; the book then stays open.
    pub fn close(mut self, reason: impl Into<String>) -> Result<Digest, EvidenceError> {
        let reason = reason.into();
        self.guarded(|r| {
            let captures = r.whole_captures();
            r.write(Timestamp::now(), Body::BookClosed(BookClosed { reason, captures }))?;
            r.sign(true)?;
            Ok(r.tree.root())
        })
    }

    fn whole_captures(&self) -> Vec<CaptureBound> {
        let mut captures = self.earlier_captures.clone();
        captures.push(self.capture.close());
        captures
    }

    fn last_record(&self, end: RunEnd) -> RunFinished {
        let counts = self.tally.counts();
        RunFinished {
            verdict: counts.worst().max(end.verdict()),
            counts,
            captures: self.whole_captures(),
            reason: end.reason(),
            began: self.began,
        }
    }

    /// Runs `act` unless something failed before; remembers the failure when it fails.
    pub(super) fn guarded<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, EvidenceError>,
    ) -> Result<T, EvidenceError> {
        if self.stopped.is_none() {
            self.stopped = self.capture.failure();
        }
        if let Some(cause) = &self.stopped {
            return Err(EvidenceError::Stopped { cause: cause.clone() });
        }
        let begun = Instant::now();
        let done = act(self).and_then(|done| match begun.elapsed() {
            took if took > self.slowest => {
                Err(EvidenceError::Slow { path: self.folder.root().to_path_buf(), took, most: self.slowest })
            }
            _ => Ok(done),
        });
        if let Err(e) = &done {
            self.stopped = Some(e.to_string());
        }
        done
    }

    pub(super) fn write(&mut self, at: Timestamp, body: Body) -> Result<Sequence, EvidenceError> {
        let sequence = Sequence(self.tree.size());
        let record = Record::new(sequence, at.max(self.last_at), body);
        self.line.clear();
        record.write_line(&mut self.line)?;
        self.write_line()?;
        let leaf = leaf_hash(&self.line);
        self.tree.push(leaf);
        self.uncovered.push(short_leaf(&leaf));
        self.tally.apply(sequence, &record.body);
        self.last_at = record.at;
        if self.uncovered.len() >= CHECKPOINT_EVERY
            && !matches!(record.body, Body::RunFinished(_) | Body::BookClosed(_))
        {
            self.write_checkpoint(false)?;
        }
        Ok(sequence)
    }

    /// Gives the line to the operating system.
    fn write_line(&mut self) -> Result<(), EvidenceError> {
        let (records, line) = (Arc::clone(&self.records), std::mem::take(&mut self.line));
        let (written, line) = self.scribe.does(move || ((&*records).write_all(&line), line))?;
        self.line = line;
        written.map_err(EvidenceError::io("write", self.folder.records()))
    }

    fn bind_capture(&mut self) -> Result<(), EvidenceError> {
        let bound = self.capture.bound();
        if bound.length == self.bound_length {
            return Ok(());
        }
        self.bound_length = bound.length;
        self.write(self.last_at, Body::Capture(bound)).map(|_| ())
    }

    fn sync_all(&mut self) -> Result<(), EvidenceError> {
        self.blobs.sync()?;
        self.capture.sync()?;
        let records = Arc::clone(&self.records);
        self.scribe
            .does(move || records.sync_data())?
            .map_err(EvidenceError::io("sync", self.folder.records()))
    }

    /// Signs for everything so far and brings it to the disk, the records before the signature.
    pub(super) fn sign(&mut self, is_final: bool) -> Result<(), EvidenceError> {
        self.sync_all()?;
        self.write_checkpoint(is_final)?;
        let checkpoints = Arc::clone(&self.checkpoints);
        self.scribe
            .does(move || checkpoints.sync_data())?
            .map_err(EvidenceError::io("sync", self.folder.checkpoints()))
    }

    /// Signs for everything so far without waiting for the disk, as between script ends: a step does not pay for a sync.
    /// A power cut may then leave a signature for records that never reached the disk; such a run is broken, not resumed.
    fn write_checkpoint(&mut self, is_final: bool) -> Result<(), EvidenceError> {
        if self.uncovered.is_empty() {
            return Ok(());
        }
        let checkpoint = Checkpoint {
            origin: origin(self.key.verifier().name(), self.opening.name()),
            size: self.tree.size(),
            root: self.tree.root(),
            leaves: std::mem::take(&mut self.uncovered),
            is_final,
        };
        let note = self.key.note().sign(&checkpoint.to_text());
        let checkpoints = Arc::clone(&self.checkpoints);
        self.scribe
            .does(move || (&*checkpoints).write_all(note.as_bytes()))?
            .map_err(EvidenceError::io("write", self.folder.checkpoints()))
    }
}
