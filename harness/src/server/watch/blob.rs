//! The octets of one blob.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use proto_lab::Digest;
use proto_lab::watch::BlobResponse;

use super::stream::Source;
use crate::evidence::{EvidenceError, RunFolder};

/// Octets in one message, at most.
const PIECE: u64 = 256 << 10;

/// A place in a blob.
#[derive(Debug)]
pub(super) struct Reading {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Reading {
    /// At the first octet; absent when the run has no such blob.
    pub(super) fn open(folder: &RunFolder, digest: &Digest) -> Result<Option<Self>, EvidenceError> {
        let path = folder.blob(digest);
        match File::open(&path) {
            Ok(file) => Ok(Some(Self { path, file, finished: false })),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(EvidenceError::io("open", path)(e)),
        }
    }
}

impl Source for Reading {
    type Message = BlobResponse;

    fn read(&mut self) -> Result<Option<Vec<BlobResponse>>, EvidenceError> {
        let mut octets = Vec::new();
        let reading = (&self.file).take(PIECE).read_to_end(&mut octets);
        reading.map_err(EvidenceError::io("read", &self.path))?;
        self.finished = octets.is_empty();
        Ok((!octets.is_empty()).then(|| vec![BlobResponse { octets }]))
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}
