//! The folder of the run folders, and each run at a glance.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use proto_lab::record::{Body, MAX_LINE, Record, RunId};
use proto_lab::watch::{BookSummary, RunSummary};

use crate::evidence::{EvidenceError, Opening, RunFolder, previous_root};

/// Runs listed when the client names no number, and at most.
const LIMIT: (u32, u32) = (100, 1000);

/// Octets from the end of a file among which the last record is looked for; the last surely holds it, with another
/// being written behind it.
const TAILS: [u64; 3] = [4 << 10, 64 << 10, 2 * MAX_LINE as u64];

/// A folder of run folders.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    root: PathBuf,
}

impl Runs {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of this run or book, if it is one. A [`RunId`] has no separator and begins with a letter or a digit, so
    /// no name leads out of the folder.
    pub(crate) fn folder(&self, run: &RunId) -> Option<RunFolder> {
        let folder = RunFolder::new(self.root.join(run.as_str()));
        Opening::of(&first(&folder)?.body).is_some().then_some(folder)
    }

    /// The runs, the latest first; what is no run is left out.
    ///
    /// # Errors
    /// [`EvidenceError::Io`] when the folder cannot be read.
    pub(crate) fn latest(&self, limit: u32) -> Result<Vec<RunSummary>, EvidenceError> {
        let mut begun: Vec<_> = self.names()?.filter_map(|run| self.begun(&run)).collect();
        begun.sort_by(|(_, a), (_, b)| (&b.began, &b.run).cmp(&(&a.began, &a.run)));
        begun.truncate(at_most(limit));
        Ok(begun.into_iter().map(|(folder, summary)| with_its_end(&folder, summary)).collect())
    }

    /// The lab books, the latest first.
    ///
    /// # Errors
    /// [`EvidenceError::Io`] when the folder cannot be read.
    pub(crate) fn latest_books(&self, limit: u32) -> Result<Vec<BookSummary>, EvidenceError> {
        let mut books: Vec<_> = self.names()?.filter_map(|book| self.book(&book)).collect();
        books.sort_by(|a, b| (&b.began, &b.book).cmp(&(&a.began, &a.book)));
        books.truncate(at_most(limit));
        Ok(books)
    }

    fn names(&self) -> Result<impl Iterator<Item = RunId>, EvidenceError> {
        let entries = std::fs::read_dir(&self.root).map_err(EvidenceError::io("list", &self.root))?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok()))
    }

    /// A book at a glance; absent when it is none.
    fn book(&self, book: &RunId) -> Option<BookSummary> {
        let folder = RunFolder::new(self.root.join(book.as_str()));
        let opened = first(&folder)?;
        let Body::BookOpened(_) = opened.body else {
            return None;
        };
        let last = last(&folder);
        Some(BookSummary {
            book: book.to_string(),
            began: format!("{:.6}", opened.at),
            records: last.as_ref().map_or(1, |last| last.sequence.0.saturating_add(1)),
            finished: previous_root(&folder).is_ok_and(|root| root.is_some()),
        })
    }

    /// What the first record of a run says; absent when there is none.
    fn begun(&self, run: &RunId) -> Option<(RunFolder, RunSummary)> {
        let folder = RunFolder::new(self.root.join(run.as_str()));
        let record = first(&folder)?;
        let Body::RunStarted(started) = record.body else {
            return None;
        };
        let summary = RunSummary {
            run: run.to_string(),
            rig: started.rig,
            dmc: started.dmc.id,
            // With six digits of the second always, so that the texts sort as the times do.
            began: format!("{:.6}", record.at),
            records: 1,
            finished: false,
            verdict: String::new(),
        };
        Some((folder, summary))
    }
}

fn at_most(limit: u32) -> usize {
    let limit = if limit == 0 { LIMIT.0 } else { limit.min(LIMIT.1) };
    limit as usize
}

/// Adds how far the run has come. A run whose last line is no record stays in the list, open and with its first record
/// alone counted: to leave it out would hide it.
fn with_its_end(folder: &RunFolder, mut summary: RunSummary) -> RunSummary {
    let Some(record) = last(folder) else {
        return summary;
    };
    summary.records = record.sequence.0.saturating_add(1);
    if let Body::RunFinished(finished) = record.body
        && previous_root(folder).is_ok_and(|root| root.is_some())
    {
        summary.finished = true;
        summary.verdict = finished.verdict.to_string();
    }
    summary
}

fn first(folder: &RunFolder) -> Option<Record> {
    let mut line = Vec::new();
    let file = BufReader::new(File::open(folder.records()).ok()?);
    file.take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line).ok()?;
    Record::from_line(&line).ok()
}

/// The last record that is whole.
fn last(folder: &RunFolder) -> Option<Record> {
    let file = File::open(folder.records()).ok()?;
    let length = file.metadata().ok()?.len();
    TAILS.into_iter().find_map(|tail| last_within(&file, length.saturating_sub(tail), tail))
}

fn last_within(mut file: &File, start: u64, tail: u64) -> Option<Record> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(start)).ok()?;
    file.take(tail).read_to_end(&mut octets).ok()?;
    let end = octets.iter().rposition(|octet| *octet == b'\n')?;
    let begin = octets[..end].iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    Record::from_line(&octets[begin..=end]).ok()
}
