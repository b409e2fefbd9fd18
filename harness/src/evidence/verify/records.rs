//! One pass over the lines: each against what was signed, its own spelling, and what it may say at its place.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{
    AlertMatch, Body, CaptureBound, FORMAT, MAX_LINE, Record, RunFinished, Sequence, Tally, Verdict,
};

use super::checkpoints::SignedCheckpoints;
use super::{Findings, Hashing, Place};
use crate::evidence::checkpoint::{Checkpoint, short_leaf};
use crate::evidence::folder::read_line;
use crate::evidence::tree::{SHORT_LEAF, Tree, leaf_hash};
use crate::evidence::{EvidenceError, Opening, RunFolder};

/// What the pass leaves behind.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) tree: Tree,
    pub(super) tally: Tally,
    pub(super) blobs: BTreeSet<Digest>,
    /// Capture files as records bind them, with the number of the record.
    pub(super) bounds: Vec<(u64, CaptureBound)>,
    /// The verdict of the `run-finished` record.
    pub(super) finished: Option<Verdict>,
    /// Whether the last record of a run or of a book is here.
    pub(super) ended: bool,
    /// Octets behind the last whole line.
    pub(super) torn: u64,
    last_at: Option<Timestamp>,
}

type Expectation<'a> = ([u8; SHORT_LEAF], Option<(u64, &'a Checkpoint)>);

pub(super) struct RecordPass<'a> {
    folder: &'a RunFolder,
    opening: Option<&'a Opening>,
    expected: Box<dyn Iterator<Item = Expectation<'a>> + 'a>,
    findings: &'a mut Findings,
    seen: Seen,
}

impl<'a> RecordPass<'a> {
    pub(super) fn new(
        folder: &'a RunFolder,
        opening: Option<&'a Opening>,
        signed: &'a SignedCheckpoints,
        findings: &'a mut Findings,
    ) -> Self {
        Self { folder, opening, expected: Box::new(signed.expectations()), findings, seen: Seen::default() }
    }

    pub(super) fn seen(self) -> Seen {
        self.seen
    }

    pub(super) fn run(&mut self) -> Result<(), EvidenceError> {
        let path = self.folder.records();
        let mut file = BufReader::new(File::open(&path).map_err(EvidenceError::io("open", &path))?);
        let mut line = Vec::new();
        while !self.findings.is_full()
            && read_line(&mut file, &mut line).map_err(EvidenceError::io("read", &path))? > 0
        {
            let whole = line.ends_with(b"\n");
            if !whole && line.len() <= MAX_LINE {
                self.seen.torn = line.len() as u64;
                break;
            }
            self.line(&line)?;
            if line.len() > MAX_LINE {
                break;
            }
        }
        Ok(())
    }

    fn wrong(&mut self, n: u64, what: impl Into<String>) {
        self.findings.add(Place::Record(n), what);
    }

    fn line(&mut self, line: &[u8]) -> Result<(), EvidenceError> {
        let n = self.seen.tree.size();
        self.against_signatures(n, line);
        match Record::from_line(line) {
            Ok(record) => self.record(n, &record),
            Err(e) => {
                self.wrong(n, e.to_string());
                Ok(())
            }
        }
    }

    fn against_signatures(&mut self, n: u64, line: &[u8]) {
        let leaf = leaf_hash(line);
        self.seen.tree.push(leaf);
        let Some((short, end)) = self.expected.next() else { return };
        if short != short_leaf(&leaf) {
            self.wrong(n, "is not the record that was signed for");
        }
        if let Some((place, checkpoint)) = end
            && checkpoint.root != self.seen.tree.root()
        {
            let what = format!("its root is not that of the first {} records", checkpoint.size);
            self.findings.add(Place::Checkpoint(place), what);
        }
    }

    fn record(&mut self, n: u64, record: &Record) -> Result<(), EvidenceError> {
        if record.sequence != Sequence(n) {
            self.wrong(n, format!("is numbered {}: a record is missing, added or moved", record.sequence));
        }
        if self.seen.last_at.is_some_and(|last| record.at < last) {
            self.wrong(n, format!("its time {} is before that of the record before it", record.at));
        }
        if self.seen.ended {
            self.wrong(n, "stands after the end of the run");
        }
        self.seen.last_at = Some(record.at);
        self.references(n, &record.body);
        self.blobs(n, &record.body)?;
        self.place(n, &record.body);
        self.seen.tally.apply(record.sequence, &record.body);
        Ok(())
    }

    /// What only a first, a last or a capture record may say.
    fn place(&mut self, n: u64, body: &Body) {
        match body {
            Body::RunStarted(_) | Body::BookOpened(_) => self.first(n, body),
            _ if n == 0 => self.wrong(n, format!("is a `{}` record: expected `run-started`", body.kind())),
            _ if self.opening.is_some_and(|opening| !opening.admits(body)) => {
                self.wrong(n, format!("is a `{}` record, which has no place here", body.kind()));
            }
            Body::RunFinished(last) => self.last(n, last),
            Body::BookClosed(last) => self.end(n, &last.captures),
            Body::Capture(bound) => self.seen.bounds.push((n, bound.clone())),
            _ => {}
        }
    }

    fn first(&mut self, n: u64, body: &Body) {
        if n > 0 {
            self.wrong(n, format!("a `{}` that is not the first record", body.kind()));
        }
        if let Some(format) = Opening::of(body).map(|first| first.format()).filter(|format| *format != FORMAT)
        {
            self.wrong(n, format!("record format {format}: this harness reads format {FORMAT}"));
        }
    }

    fn end(&mut self, n: u64, captures: &[CaptureBound]) {
        self.seen.bounds.extend(captures.iter().map(|bound| (n, bound.clone())));
        self.seen.ended = true;
    }

    fn last(&mut self, n: u64, last: &RunFinished) {
        let counts = self.seen.tally.counts();
        if last.counts != counts {
            self.wrong(n, format!("counts {:?}: the records add up to {counts:?}", last.counts));
        }
        let expected = counts.worst();
        if last.verdict < expected || (last.reason.is_none() && last.verdict != expected) {
            self.wrong(n, format!("verdict {}: the records come to {expected}", last.verdict));
        }
        self.end(n, &last.captures);
        self.seen.finished = Some(last.verdict);
    }

    fn references(&mut self, n: u64, body: &Body) {
        let refers = match body {
            Body::Message(message) => message.intent,
            Body::Observed(observation) => Some(observation.intent),
            Body::Step(step) => Some(step.intent),
            Body::ScriptFinished(finished) => Some(finished.started),
            Body::Alert(alert) => match alert.matched {
                AlertMatch::Step(intent) => Some(intent),
                AlertMatch::Unexpected => None,
            },
            _ => None,
        };
        if let Some(later) = refers.filter(|r| r.0 >= n) {
            self.wrong(n, format!("refers to record {later}, which is not before it"));
        }
    }

    fn blobs(&mut self, n: u64, body: &Body) -> Result<(), EvidenceError> {
        for digest in body.blobs() {
            if self.seen.blobs.contains(&digest) {
                continue;
            }
            match digest_of_file(self.folder, &digest)? {
                Some(found) if found == digest => {
                    self.seen.blobs.insert(digest);
                }
                Some(found) => {
                    self.wrong(n, format!("its blob {digest} has been changed: its octets are {found}"))
                }
                None => self.wrong(n, format!("its blob {digest} is missing")),
            }
        }
        Ok(())
    }
}

fn digest_of_file(folder: &RunFolder, digest: &Digest) -> Result<Option<Digest>, EvidenceError> {
    let path = folder.blob(digest);
    let mut file = match File::open(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(EvidenceError::io("open", &path))?,
    };
    let mut hash = Hashing::default();
    io::copy(&mut file, &mut hash).map_err(EvidenceError::io("read", &path))?;
    Ok(Some(hash.digest()))
}
