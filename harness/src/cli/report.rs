//! `harness report`: the DMCT Report of a run, made from its records and the check of its evidence alone.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto_lab::record::PackPurpose;
use scenarios::{PackKind, Standing as PackStanding};

use super::arguments::{KeyChoice, Report};
use super::say::say;
use super::verify::{checked, own_keys};
use super::{Exit, Failure, packs, print_json};
use crate::evidence::RunFolder;
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

/// Writes the report of a run and the page of its records into a folder.
pub(super) fn write(run: &Path, to: &Path, keys: &KeyChoice) -> Result<Written, Failure> {
    let reported = reported(run, keys)?;
    let made = reported.dmct_report(standard()?, Timestamp::now());
    let page = reported.records_html().map_err(Failure::lab)?;
    let html = report::report_html(&made, &Places::beside()).map_err(Failure::lab)?;
    let json = serde_json::to_string_pretty(&made).map_err(Failure::lab)?;
    fs::create_dir_all(to).map_err(Failure::lab)?;
    let put = |name: &str, text: &str| {
        let path = to.join(name);
        fs::write(&path, text).map(|()| path).map_err(Failure::lab)
    };
    put("records.html", &page)?;
    let (html, json) = (put("report.html", &html)?, put("report.json", &json)?);
    let regressions = made.packs.iter().filter_map(|pack| {
        let regression = pack.regression.as_ref()?;
        Some((pack.id.clone(), regression.summary()))
    });
    let regressions = regressions.collect();
    Ok(Written { html, json, result: words(made.outcome.result), status: made.status, regressions })
}

/// The report of a run, from its records and the check of its evidence.
pub(super) fn make(run: &Path, keys: &KeyChoice) -> Result<DmctReport, Failure> {
    Ok(reported(run, keys)?.dmct_report(standard()?, Timestamp::now()))
}

fn reported(run: &Path, keys: &KeyChoice) -> Result<Reported, Failure> {
    let verification = checked(run, &own_keys(run, keys)?)?;
    Reported::checked(&RunFolder::new(run), verification)
        .map_err(|e| Failure::input(e).hint("harness verify names the first wrong record"))
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
