//! The check of a run by someone who does not trust the lab: everything is recomputed, and the first wrong record named.
//!
//! The order of work: the key, the checkpoints' signatures, then one pass over the lines, each held against the leaf
//! hashes and roots that were signed, its own spelling, its number, its time and what it refers to; then the captures.
//!
//! That order is also what makes the check of a run that is being written consistent: a writer brings a blob to the disk
//! before the record that names it, and records before the checkpoint that covers them, so what is read later is never
//! behind what was read before. What a writer has only half written is no record and no checkpoint yet ([`Torn`]): a remark,
//! not a finding, as long as nothing in it was signed for.

mod captures;
mod checkpoints;
mod records;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::time::SystemTime;

use proto_lab::Digest;
use proto_lab::record::{Counts, MAX_LINE, Record, RunId, Verdict};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::torn::Torn;
use super::{EvidenceError, Opening, RunFolder, VerifierKey};
use checkpoints::SignedCheckpoints;
use records::{RecordPass, Seen};

/// Findings after which the check stops: the first is what counts, and one deletion makes every later record wrong.
const MAX_FINDINGS: usize = 20;

/// How often evidence is read that changes meanwhile, before what is found wrong with it is believed: its writer may be
/// cutting off what the one before it left torn.
const READINGS: usize = 5;

/// Where something is wrong. Ordered by what is named first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The record in this place, from 0.
    Record(u64),
    /// The key.
    Key,
    /// The checkpoint in this place, from 0.
    Checkpoint(u64),
    /// A capture file.
    Capture(String),
    /// A file among the blobs.
    Blob(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(n) => write!(f, "record {n}"),
            Self::Key => f.write_str("key"),
            Self::Checkpoint(n) => write!(f, "checkpoint {n}"),
            Self::Capture(file) => write!(f, "capture {file}"),
            Self::Blob(file) => write!(f, "blob {file}"),
        }
    }
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What was found and what was expected.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What the check came to. Only [`Standing::Sound`] is a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Whole, untouched, and signed by a trusted key.
    Sound,
    /// Whole and untouched since it was signed, but by a key known only from the run itself: anybody could have made it.
    SignerUnknown,
    /// Untouched so far, but without its final checkpoint: still running, or its end is missing.
    Open,
    /// Something is wrong.
    Broken,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sound => "sound",
            Self::SignerUnknown => "sound but signer unknown",
            Self::Open => "open: no final checkpoint",
            Self::Broken => "broken",
        })
    }
}

/// The outcome of checking one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// What it came to.
    pub standing: Standing,
    /// The run, when its first record can be read.
    pub run: Option<RunId>,
    /// The key that signed, `name+hash+base64`, when it can be read.
    pub signer: Option<String>,
    /// Lines of records read.
    pub records: u64,
    /// How many of them are signed for.
    pub signed: u64,
    /// Checkpoints read.
    pub checkpoints: u64,
    /// Blobs referred to and found whole.
    pub blobs: u64,
    /// Root over all records read.
    pub root: Digest,
    /// Root of the previous run that this run binds.
    pub previous: Option<Digest>,
    /// The run's own verdict, once it has ended.
    pub verdict: Option<Verdict>,
    /// The counts recomputed from the records.
    pub counts: Counts,
    /// What a writer that died, or is writing, left unfinished; nothing in it was acknowledged to anybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub torn: Vec<Torn>,
    /// What is wrong, the first wrong record first; at most twenty.
    pub findings: Vec<Finding>,
}

impl Verification {
    /// Whether the evidence may be relied on.
    pub fn is_sound(&self) -> bool {
        self.standing == Standing::Sound
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run.as_ref().map_or("?", RunId::as_str);
        writeln!(f, "run {run}: {}", self.standing)?;
        writeln!(
            f,
            "  {} records, {} checkpoints, {} blobs; root {}",
            self.records, self.checkpoints, self.blobs, self.root
        )?;
        writeln!(f, "  signed by {}", self.signer.as_deref().unwrap_or("nobody known"))?;
        for (n, finding) in self.findings.iter().enumerate() {
            writeln!(f, "  {} {finding}", if n == 0 { "first wrong:" } else { "also:" })?;
        }
        for torn in &self.torn {
            writeln!(f, "  remark: {torn}")?;
        }
        Ok(())
    }
}

/// What is gathered on the way.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, place: Place, what: impl Into<String>) {
        self.0.push(Finding { place, what: what.into() });
    }

    fn is_full(&self) -> bool {
        self.0.len() >= MAX_FINDINGS
    }
}

/// Checks a run against trusted keys. With no trusted key the run is checked against the key inside it, and the best
/// it can come to is [`Standing::SignerUnknown`].
///
/// # Errors
/// [`EvidenceError::Io`] when the folder cannot be read; whatever can be read and is wrong is a finding, not an error.
pub fn verify(folder: &RunFolder, trusted: &[VerifierKey]) -> Result<Verification, EvidenceError> {
    for _ in 1..READINGS {
        let before = written(folder);
        let verification = read_through(folder, trusted)?;
        if verification.standing != Standing::Broken || written(folder) == before {
            return Ok(verification);
        }
    }
    read_through(folder, trusted)
}

/// How long the two files are that a writer appends to, and when they were written last.
fn written(folder: &RunFolder) -> [Option<(u64, SystemTime)>; 2] {
    [folder.records(), folder.checkpoints()]
        .map(|path| fs::metadata(path).ok().and_then(|there| Some((there.len(), there.modified().ok()?))))
}

fn read_through(folder: &RunFolder, trusted: &[VerifierKey]) -> Result<Verification, EvidenceError> {
    let mut findings = Findings::default();
    let first = first_record(folder)?;
    let key = signer(folder, first.as_ref(), trusted, &mut findings)?;
    let signed = SignedCheckpoints::read(folder, key.as_ref(), first.as_ref(), &mut findings)?;
    let mut pass = RecordPass::new(folder, first.as_ref(), &signed, &mut findings);
    pass.run()?;
    let seen = pass.seen();
    captures::check(folder, &seen.bounds, seen.ended, &mut findings)?;
    if seen.ended {
        strange_blobs(folder, &seen.blobs, &mut findings)?;
    }
    signed.check_end(seen.tree.size(), seen.ended, &mut findings);
    let torn = torn(&seen, &signed, &mut findings);
    findings.0.sort();
    findings.0.truncate(MAX_FINDINGS);
    Ok(Verification {
        standing: standing(&findings, signed.is_final(), !trusted.is_empty()),
        run: first.as_ref().map(|f| f.name().clone()),
        signer: key.map(|k| k.to_string()),
        records: seen.tree.size(),
        signed: signed.covered(),
        checkpoints: signed.len(),
        blobs: seen.blobs.len() as u64,
        root: seen.tree.root(),
        previous: first.and_then(|f| f.previous()),
        verdict: seen.finished,
        counts: seen.tally.counts(),
        torn,
        findings: findings.0,
    })
}

/// What was left unfinished. Behind an end, or within what is signed for, an unfinished line is no such thing.
fn torn(seen: &Seen, signed: &SignedCheckpoints, findings: &mut Findings) -> Vec<Torn> {
    let records = seen.tree.size();
    if seen.torn > 0 && (signed.is_final() || seen.ended) && records >= signed.covered() {
        let what = format!("{} octets of a line without its end stand after the end of the run", seen.torn);
        findings.add(Place::Record(records), what);
    }
    let record =
        (seen.torn > 0).then(|| Torn::Record { after: records.saturating_sub(1), octets: seen.torn });
    match findings.0.is_empty() {
        true => record.into_iter().chain(signed.torn()).collect(),
        false => Vec::new(),
    }
}

/// A finished run refers to every blob there is: one that no record names was put there by somebody else.
fn strange_blobs(
    folder: &RunFolder,
    known: &BTreeSet<Digest>,
    findings: &mut Findings,
) -> Result<(), EvidenceError> {
    let path = folder.blobs();
    for entry in std::fs::read_dir(&path).map_err(EvidenceError::io("read", &path))? {
        let name =
            entry.map_err(EvidenceError::io("read", &path))?.file_name().to_string_lossy().into_owned();
        let known = name.parse().is_ok_and(|digest: Digest| known.contains(&digest));
        if !known && !findings.is_full() {
            findings.add(Place::Blob(name), "no record refers to it");
        }
    }
    Ok(())
}

fn standing(findings: &Findings, is_final: bool, trusts_a_key: bool) -> Standing {
    match (findings.0.is_empty(), is_final, trusts_a_key) {
        (false, _, _) => Standing::Broken,
        (true, false, _) => Standing::Open,
        (true, true, false) => Standing::SignerUnknown,
        (true, true, true) => Standing::Sound,
    }
}

/// The first record, when it can be read; what is wrong with it is found in the pass over all records.
fn first_record(folder: &RunFolder) -> Result<Option<Opening>, EvidenceError> {
    let path = folder.records();
    let file = fs::File::open(&path).map_err(EvidenceError::io("open", &path))?;
    let mut line = Vec::with_capacity(4096);
    super::folder::read_line(&mut io::BufReader::new(file), &mut line)
        .map_err(EvidenceError::io("read", &path))?;
    match Record::from_line(&line).map(|record| record.body) {
        Ok(body) if line.len() <= MAX_LINE => Ok(Opening::of(&body)),
        _ => Ok(None),
    }
}

/// The key to check signatures by. The first record and `key.pub` must name the same; where they do not, a trusted one of
/// the two is taken, so that the record at fault can be named.
fn signer(
    folder: &RunFolder,
    first: Option<&Opening>,
    trusted: &[VerifierKey],
    findings: &mut Findings,
) -> Result<Option<VerifierKey>, EvidenceError> {
    let path = folder.key();
    let beside = match fs::read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(EvidenceError::io("read", &path))?,
    };
    let beside = String::from_utf8_lossy(&beside).into_owned();
    let named = first.map_or(beside.trim_end(), |f| f.key().verifier.as_str());
    if beside != format!("{named}\n") {
        findings.add(Place::Key, "key.pub is not the key that the first record names");
    }
    let candidates: Vec<VerifierKey> =
        [named, beside.trim_end()].iter().filter_map(|k| k.parse().ok()).collect();
    let is_trusted = |key: &&VerifierKey| trusted.iter().any(|t| t.same_key(key));
    let key = candidates.iter().find(is_trusted).or(candidates.first());
    match key {
        None => findings.add(Place::Key, "neither the first record nor key.pub holds a key"),
        Some(key) if !trusted.is_empty() && !is_trusted(&key) => {
            let names: BTreeSet<String> = trusted.iter().map(ToString::to_string).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            findings.add(Place::Key, format!("the run is signed by {key}: trusted is only {names}"));
        }
        Some(_) => {}
    }
    Ok(key.cloned())
}

/// A digest that octets can be copied into.
#[derive(Clone, Default)]
struct Hashing(Sha256);

impl Hashing {
    fn digest(&self) -> Digest {
        Digest::from_bytes(self.0.clone().finalize().into())
    }
}

impl io::Write for Hashing {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
