//! `harness report`: the DMCT Report of a run, made from its records and the check of its evidence alone.

use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{Body, PackPurpose, Record};
use scenarios::{PackKind, Standing as PackStanding};

use super::arguments::{KeyChoice, Report};
use super::say::say;
use super::verify::{checked, own_keys};
use super::{Exit, Failure, packs, print_json};
use crate::evidence::{self, RunFolder};
use crate::gate::{DmctResult, StandardPack};
use crate::report::{self, DmctReport, Places, ReportStatus};
use crate::watch::Reported;

/// A report on disk.
pub(super) struct Written {
    pub(super) html: PathBuf,
    pub(super) json: PathBuf,
    pub(super) result: &'static str,
    pub(super) status: ReportStatus,
    /// How each regression pack stands against its baseline: its name, and in words.
    pub(super) regressions: Vec<(String, String)>,
}

impl Written {
    /// Says where the report is, and how regression packs stand against their baselines.
    pub(super) fn say(&self) {
        for (pack, standing) in &self.regressions {
            say!("Regression   {pack}: {standing}");
        }
        say!("DMCT Report  {} ({})", self.html.display(), self.told());
        say!("             {}", self.json.display());
    }

    /// What the report says, and whether it may be issued.
    pub(super) fn told(&self) -> String {
        match self.status {
            ReportStatus::Issuable => self.result.to_owned(),
            ReportStatus::Draft => format!("{}; a draft, not to be issued", self.result),
        }
    }
}

pub(super) fn report(verb: &Report) -> Result<Exit, Failure> {
    if verb.witness {
        return witness(verb);
    }
    let made = make(&verb.run, &verb.keys)?;
    if verb.json {
        print_json(&made)?;
    } else {
        let to = verb.to.as_deref().unwrap_or(&verb.run);
        let written = write(&verb.run, to, &verb.keys)?;
        written.say();
    }
    Ok(Exit::Done)
}

/// The witness report (13.17), with the page of the records it leads to.
fn witness(verb: &Report) -> Result<Exit, Failure> {
    let reported = reported(&verb.run, &verb.keys)?;
    let made = reported.witness_report(Timestamp::now()).ok_or_else(|| {
        Failure::input("no script was chosen to be witnessed before this run")
            .hint("choose them when the run begins: harness run --witness SCRIPT")
    })?;
    if verb.json {
        print_json(&made)?;
        return Ok(Exit::Done);
    }
    let to = verb.to.as_deref().unwrap_or(&verb.run);
    let html = report::witness_html(&made).map_err(Failure::lab)?;
    let json = serde_json::to_string_pretty(&made).map_err(Failure::lab)?;
    fs::create_dir_all(to).map_err(Failure::lab)?;
    records_page(&RunFolder::new(&verb.run), &to.join("records.html"))?;
    say!("Witness report  {}", put(to, "witness.html", &html)?.display());
    say!("                {}", put(to, "witness.json", &json)?.display());
    Ok(Exit::Done)
}

/// Writes a file into a folder, which is made where it is not there.
fn put(to: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    fs::create_dir_all(to).map_err(Failure::lab)?;
    let path = to.join(name);
    fs::write(&path, text).map_err(Failure::lab)?;
    Ok(path)
}

/// Writes the report of a run and the page of its records into a folder.
pub(super) fn write(run: &Path, to: &Path, keys: &KeyChoice) -> Result<Written, Failure> {
    let made = make(run, keys)?;
    let html = report::report_html(&made, &Places::beside()).map_err(Failure::lab)?;
    let json = serde_json::to_string_pretty(&made).map_err(Failure::lab)?;
    fs::create_dir_all(to).map_err(Failure::lab)?;
    records_page(&RunFolder::new(run), &to.join("records.html"))?;
    let (html, json) = (put(to, "report.html", &html)?, put(to, "report.json", &json)?);
    let regressions = made.packs.iter().filter_map(|pack| {
        let regression = pack.regression.as_ref()?;
        Some((pack.id.clone(), regression.summary()))
    });
    let regressions = regressions.collect();
    Ok(Written { html, json, result: words(made.outcome.result), status: made.status, regressions })
}

/// Writes the page of a run's records, record by record: those of a batch of many installations are never all in memory.
fn records_page(folder: &RunFolder, to: &Path) -> Result<(), Failure> {
    let mut records = records(folder)?.peekable();
    let run = match records.peek() {
        Some(Ok(Record { body: Body::RunStarted(started), .. })) => started.run.clone(),
        _ => return Err(Failure::input("the run has no first record, so there is nothing to show of it")),
    };
    let mut unread = None;
    let readable = records.map_while(|record| record.map_err(|failure| unread = Some(failure)).ok());
    let mut page = Page { to: BufWriter::new(fs::File::create(to).map_err(Failure::lab)?), unwritten: None };
    let blobs = |digest: &Digest| fs::read(folder.blob(digest)).ok();
    let written = report::write_records(&run, readable, &blobs, &mut page);
    if let Some(failure) = unread {
        return Err(failure);
    }
    if let Some(error) = page.unwritten {
        return Err(Failure::lab(error));
    }
    written.map_err(Failure::lab)?;
    page.to.flush().map_err(Failure::lab)
}

/// A file that is written as text is made; keeps why it cannot be.
struct Page {
    to: BufWriter<fs::File>,
    unwritten: Option<io::Error>,
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.to.write_all(text.as_bytes()).map_err(|error| {
            self.unwritten = Some(error);
            fmt::Error
        })
    }
}

/// The report of a run, from its records and the check of its evidence.
pub(super) fn make(run: &Path, keys: &KeyChoice) -> Result<DmctReport, Failure> {
    Ok(reported(run, keys)?.dmct_report(standard()?, Timestamp::now()))
}

fn reported(run: &Path, keys: &KeyChoice) -> Result<Reported, Failure> {
    let verification = checked(run, &own_keys(run, keys)?)?;
    Reported::checked(&RunFolder::new(run), verification).map_err(|e| Failure::input(e).hint(FIRST_WRONG))
}

/// How the first wrong record is found.
const FIRST_WRONG: &str = "harness verify names the first wrong record";

fn records(folder: &RunFolder) -> Result<impl Iterator<Item = Result<Record, Failure>>, Failure> {
    let wrong = |e| Failure::input(e).hint(FIRST_WRONG);
    Ok(evidence::Records::of(folder).map_err(wrong)?.map(move |record| record.map_err(wrong)))
}

/// The standard packs as this program ships them, agreed by their locks (20.16).
pub(super) fn standard() -> Result<Vec<StandardPack>, Failure> {
    let packs = packs::shipped()?.into_iter().filter(|pack| pack.standing == PackStanding::Standard);
    Ok(packs
        .map(|pack| StandardPack {
            purpose: purpose(pack.kind),
            release: pack.release.to_string(),
            lock: pack.digest(),
        })
        .collect())
}

const fn purpose(kind: PackKind) -> PackPurpose {
    match kind {
        PackKind::Migration => PackPurpose::Migration,
        PackKind::ServiceReferenceVariant => PackPurpose::ServiceReferenceVariant,
    }
}

/// What the report says of the combination, in a word.
const fn words(result: DmctResult) -> &'static str {
    match result {
        DmctResult::Passed => "passed",
        DmctResult::Failed => "failed",
        DmctResult::Undecided => "testing not complete",
    }
}
