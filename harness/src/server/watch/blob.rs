//! The octets of one blob.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use proto_lab::Digest;
use proto_lab::watch::BlobResponse;
use tonic::Status;

use super::stream::{Messages, give};
use super::{aside, status};
use crate::evidence::{EvidenceError, RunFolder};

/// Octets in one message, at most.
const PIECE: u64 = 256 << 10;

/// A place in a blob.
#[derive(Debug)]
pub(super) struct Reading {
    path: PathBuf,
    file: File,
}

impl Reading {
    /// At the first octet; absent when the run has no such blob.
    pub(super) fn open(folder: &RunFolder, digest: &Digest) -> Result<Option<Self>, EvidenceError> {
        let path = folder.blob(digest);
        match File::open(&path) {
            Ok(file) => Ok(Some(Self { path, file })),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(EvidenceError::io("open", path)(e)),
        }
    }

    /// Gives a client the rest of it.
    pub(super) async fn give(mut self, to: Messages<BlobResponse>) -> Result<(), Status> {
        loop {
            let read = aside(move || self.read().map(|octets| (self, octets)));
            let (back, octets) = read.await?.map_err(status)?;
            if octets.is_empty() {
                return Ok(());
            }
            self = back;
            give(BlobResponse { octets }, &to).await?;
        }
    }

    fn read(&self) -> Result<Vec<u8>, EvidenceError> {
        let mut octets = Vec::new();
        let reading = (&self.file).take(PIECE).read_to_end(&mut octets);
        reading.map_err(EvidenceError::io("read", &self.path))?;
        Ok(octets)
    }
}
