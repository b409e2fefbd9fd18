//! Blobs: messages and readings too large for a record, each a file named by its SHA-256.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use proto_lab::Digest;
use proto_lab::record::Record;

use super::scribe::Scribe;
use super::{EvidenceError, RunFolder};

/// The name a blob has while it is being written.
const DRAFT: &str = ".draft";

/// Files that are synced at the same time: a journalling file system commits for all that wait for it at once, where one
/// after the other each would wait for a commit of its own.
const SYNCED_TOGETHER: usize = 8;

/// The blobs of one run, by its one writer.
#[derive(Debug)]
pub(super) struct Blobs {
    folder: RunFolder,
    scribe: Scribe,
    known: BTreeSet<Digest>,
    /// Written since the last sync.
    unsynced: Vec<PathBuf>,
}

impl Blobs {
    pub(super) fn new(folder: RunFolder, scribe: Scribe) -> Self {
        Self { folder, scribe, known: BTreeSet::new(), unsynced: Vec::new() }
    }

    /// The folder has this name from now on; everything in it has been synced.
    pub(super) fn moved_to(&mut self, folder: RunFolder) {
        self.scribe.moved_to(folder.root());
        self.folder = folder;
        self.unsynced.clear();
    }

    /// Keeps these octets, once however often they come.
    pub(super) fn keep(&mut self, octets: &[u8]) -> Result<Digest, EvidenceError> {
        let digest = Digest::of(octets);
        if !self.known.contains(&digest) {
            self.write(&digest, octets)?;
            self.known.insert(digest);
        }
        Ok(digest)
    }

    /// Written under another name first, so that a blob's name never stands for half its octets.
    fn write(&mut self, digest: &Digest, octets: &[u8]) -> Result<(), EvidenceError> {
        let path = self.folder.blob(digest);
        let draft = self.folder.blobs().join(DRAFT);
        let (octets, named) = (octets.to_vec(), path.clone());
        self.scribe.does(move || write(&draft, &named, &octets))??;
        self.unsynced.push(path);
        Ok(())
    }

    /// The blobs that none of these records names: the writer died between keeping them and saying so. A draft it left half
    /// written becomes a blob of what there is of it.
    ///
    /// # Errors
    /// [`EvidenceError::Io`].
    pub(super) fn unnamed(&mut self, records: &[Record]) -> Result<Vec<Digest>, EvidenceError> {
        let draft = self.folder.blobs().join(DRAFT);
        if draft.exists() {
            let octets = fs::read(&draft).map_err(EvidenceError::io("read", &draft))?;
            self.keep(&octets)?;
            // Keeping it has written it under this name again, and given that another.
            if draft.exists() {
                fs::remove_file(&draft).map_err(EvidenceError::io("remove", &draft))?;
            }
        }
        let named: BTreeSet<Digest> = records.iter().flat_map(|record| record.body.blobs()).collect();
        let blobs = self.folder.blobs();
        let mut unnamed = BTreeSet::new();
        for entry in fs::read_dir(&blobs).map_err(EvidenceError::io("list", &blobs))? {
            let name = entry.map_err(EvidenceError::io("list", &blobs))?.file_name();
            unnamed.extend(
                name.to_string_lossy().parse::<Digest>().ok().filter(|digest| !named.contains(digest)),
            );
        }
        Ok(unnamed.into_iter().collect())
    }

    /// Brings everything kept so far to the disk.
    pub(super) fn sync(&mut self) -> Result<(), EvidenceError> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        let (unsynced, blobs) = (std::mem::take(&mut self.unsynced), self.folder.blobs());
        self.scribe.does(move || {
            sync_together(&unsynced)?;
            File::open(&blobs).and_then(|f| f.sync_all()).map_err(EvidenceError::io("sync", &blobs))
        })?
    }
}

/// Writes these octets under the name of a draft, and then names them.
fn write(draft: &Path, path: &Path, octets: &[u8]) -> Result<(), EvidenceError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(draft)
        .map_err(EvidenceError::io("create", draft))?;
    file.write_all(octets).map_err(EvidenceError::io("write", draft))?;
    fs::rename(draft, path).map_err(EvidenceError::io("name", path))
}

/// Returns when all these files are on the disk, or with the first failure.
fn sync_together(paths: &[PathBuf]) -> Result<(), EvidenceError> {
    let share = paths.len().div_ceil(SYNCED_TOGETHER).max(1);
    std::thread::scope(|scope| {
        let begin = |paths| std::thread::Builder::new().spawn_scoped(scope, move || sync_each(paths));
        let begun: Vec<_> = paths.chunks(share).map(|paths| (paths, begin(paths))).collect();
        begun.into_iter().try_for_each(|(paths, syncing)| match syncing.map(|s| s.join()) {
            Ok(Ok(synced)) => synced,
            // No thread was to be had, or it did not end well: nothing is known of its files, so sync them here.
            Err(_) | Ok(Err(_)) => sync_each(paths),
        })
    })
}

fn sync_each(paths: &[PathBuf]) -> Result<(), EvidenceError> {
    paths.iter().try_for_each(|path| {
        File::open(path).and_then(|f| f.sync_data()).map_err(EvidenceError::io("sync", path))
    })
}
