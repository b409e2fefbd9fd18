//! Reading a run's records as they are written.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use proto_lab::record::{Body, LineError, MAX_LINE, Record};

use crate::evidence::{EvidenceError, RunFolder};

/// Octets read at one poll, at most; always more than one line can have.
const BATCH: u64 = 2 * MAX_LINE as u64;

/// A place in a run's records, moving on. It opens the file for reading only.
#[derive(Debug)]
pub struct Follow {
    folder: RunFolder,
    file: File,
    offset: u64,
    next: u64,
    finished: bool,
}

impl Follow {
    /// Starts at the first record.
    ///
    /// # Errors
    /// [`EvidenceError::Io`] when there is no record file yet.
    pub fn open(folder: RunFolder) -> Result<Self, EvidenceError> {
        let path = folder.records();
        let file = File::open(&path).map_err(EvidenceError::io("open", path))?;
        Ok(Self { folder, file, offset: 0, next: 0, finished: false })
    }

    /// Whole lines written since the last poll, octet for octet, some 2 MiB at most; empty when there is nothing new.
    ///
    /// # Errors
    /// [`EvidenceError::Io`], or [`EvidenceError::Unreadable`] when there is no line within the limit of a record.
    pub fn poll_lines(&mut self) -> Result<Vec<u8>, EvidenceError> {
        let path = self.folder.records();
        let mut octets = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| (&self.file).take(BATCH).read_to_end(&mut octets))
            .map_err(EvidenceError::io("read", path))?;
        let whole = octets.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        if whole == 0 && octets.len() > MAX_LINE {
            return Err(self.unreadable(LineError::TooLong { found: octets.len() }));
        }
        octets.truncate(whole);
        self.offset += whole as u64;
        Ok(octets)
    }

    fn unreadable(&self, source: LineError) -> EvidenceError {
        EvidenceError::Unreadable { path: self.folder.records(), number: self.next, source }
    }

    /// Records written since the last poll; empty when there is nothing new.
    ///
    /// # Errors
    /// [`EvidenceError::Io`], or [`EvidenceError::Unreadable`] with the number of the line that is no record.
    pub fn poll(&mut self) -> Result<Vec<Record>, EvidenceError> {
        let lines = self.poll_lines()?;
        let mut records = Vec::new();
        for line in lines.split_inclusive(|b| *b == b'\n') {
            let record = Record::from_line(line).map_err(|source| self.unreadable(source))?;
            self.next += 1;
            self.finished |= matches!(record.body, Body::RunFinished(_));
            records.push(record);
        }
        Ok(records)
    }

    /// Whether the last record of the run has been read by [`Follow::poll`].
    pub const fn is_finished(&self) -> bool {
        self.finished
    }
}
