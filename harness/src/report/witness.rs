//! The witness report (13.17): of the scripts that were chosen to be witnessed before a run, how many passed and failed, why
//! those that failed did, and what part of the scripts run they were.
//!
//! Which scripts were to be witnessed stands in the first record of the run (13.15), so a choice made afterwards is none.

use askama::Template;
use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{Case, Verdict};
use serde::Serialize;

use super::html::{STYLE, class, moment};
use crate::evidence::Standing;
use crate::gate::{CaseEntry, Ledger, RecordRef, RunEntry};

/// The report of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WitnessReport {
    /// When it was made.
    pub made: Timestamp,
    /// The run.
    pub run: String,
    /// When the run began and ended.
    pub began: Timestamp,
    /// When its last record was written; none while it has none.
    pub ended: Option<Timestamp>,
    /// The rig.
    pub rig: String,
    /// Device Model Combination and EPCL entry.
    pub combination: String,
    /// The entry of the EPCL.
    pub epcl_entry: String,
    /// The scripts chosen before the run, as the first record has them.
    pub chosen: Vec<String>,
    /// The record that has the choice.
    pub chosen_in: RecordRef,
    /// What became of them.
    pub counts: WitnessCounts,
    /// Witnessed among run.
    pub ratio: Ratio,
    /// Each of them.
    pub scripts: Vec<WitnessedScript>,
    /// What the check of the evidence came to.
    pub evidence: Standing,
    /// How many records there are.
    pub records: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// The key that signed.
    pub signer: String,
}

/// How many witnessed scripts came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WitnessCounts {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Run, and neither passed nor failed: inconclusive, aborted, or an error of the lab's.
    pub undecided: usize,
    /// Not run.
    pub not_run: usize,
}

/// How many of the scripts that were run were witnessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ratio {
    /// Chosen, and run.
    pub witnessed: usize,
    /// Run at all.
    pub run: usize,
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.witnessed, self.run)?;
        match self.run {
            0 => Ok(()),
            run => write!(f, " ({:.1} %)", 100.0 * self.witnessed as f64 / run as f64),
        }
    }
}

/// A script that was to be witnessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WitnessedScript {
    /// Which.
    pub case: Case,
    /// What it is about, once it began.
    pub title: Option<String>,
    /// SHA-256 of the script as it was run.
    pub digest: Option<Digest>,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, where it is not a pass: its own reason, then each expectation that did not hold.
    pub reasons: Vec<String>,
    /// The records that began its attempts.
    pub attempts: Vec<RecordRef>,
    /// The record that decided it.
    pub decided: RecordRef,
}

impl WitnessReport {
    /// The report of the run of a ledger of one; none when nothing was chosen to be witnessed before it. `signer` is the key
    /// its evidence was checked by.
    pub fn of(ledger: &Ledger, signer: &str, made: Timestamp) -> Option<Self> {
        let entry = ledger.runs.first().filter(|run| !run.started.witnessed.is_empty())?;
        let is_chosen = |case: &&CaseEntry| entry.started.witnessed.contains(&case.case.script);
        let chosen: Vec<&CaseEntry> = ledger.cases.iter().filter(is_chosen).collect();
        let is_run = |case: &&&CaseEntry| case.verdict != Verdict::NotRun;
        let all: Vec<&CaseEntry> = ledger.cases.iter().collect();
        let ratio =
            Ratio { witnessed: chosen.iter().filter(is_run).count(), run: all.iter().filter(is_run).count() };
        Some(Self::with(entry, ratio, &chosen, signer, made))
    }

    fn with(entry: &RunEntry, ratio: Ratio, chosen: &[&CaseEntry], signer: &str, made: Timestamp) -> Self {
        let started = &entry.started;
        Self {
            made,
            run: started.run.to_string(),
            began: entry.began,
            ended: entry.finished.as_ref().map(|_| entry.last_at),
            rig: started.rig.clone(),
            combination: started.dmc.id.clone(),
            epcl_entry: started.dmc.epcl_entry.clone(),
            chosen: started.witnessed.clone(),
            chosen_in: entry.first(),
            counts: counts(chosen),
            ratio,
            scripts: chosen.iter().map(|case| script(case)).collect(),
            evidence: entry.standing,
            records: entry.records,
            root: entry.root,
            signer: signer.to_owned(),
        }
    }
}

fn counts(chosen: &[&CaseEntry]) -> WitnessCounts {
    let mut counts = WitnessCounts::default();
    for case in chosen {
        match case.verdict {
            Verdict::Pass => counts.passed += 1,
            Verdict::Fail => counts.failed += 1,
            Verdict::NotRun => counts.not_run += 1,
            Verdict::Inconclusive | Verdict::Aborted | Verdict::Error => counts.undecided += 1,
        }
    }
    counts
}

fn script(case: &CaseEntry) -> WitnessedScript {
    let failed = case.failures.iter().flat_map(|step| {
        let why = step.reason.iter().map(|reason| format!("{}: {reason}", step.action));
        let held = step
            .expectations
            .iter()
            .map(|e| format!("{}: {}: expected {}, found {}", step.action, e.path, e.expected, e.found));
        why.chain(held).collect::<Vec<_>>()
    });
    let reasons = if case.verdict == Verdict::Pass {
        Vec::new()
    } else {
        case.reason.iter().cloned().chain(failed).collect()
    };
    WitnessedScript {
        case: case.case.clone(),
        title: case.script.as_ref().map(|script| script.title.clone()),
        digest: case.script.as_ref().map(|script| script.digest),
        verdict: case.verdict,
        reasons,
        attempts: case.attempts.iter().map(|attempt| attempt.started.clone()).collect(),
        decided: case.decided.clone(),
    }
}

#[derive(Template)]
#[template(path = "witness.html")]
struct WitnessPage<'a> {
    report: &'a WitnessReport,
    style: &'static str,
}

impl WitnessPage<'_> {
    fn class(&self, verdict: &Verdict) -> &'static str {
        class(*verdict)
    }

    fn moment(&self, at: &Timestamp) -> String {
        moment(at)
    }
}

/// The witness report as one HTML page, beside the page of the run's records.
///
/// # Errors
/// What the template says.
pub fn witness_html(report: &WitnessReport) -> Result<String, askama::Error> {
    WitnessPage { report, style: STYLE }.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{RunRecords, sample};
    use proto_lab::record::Body;

    fn report(witnessed: &[&str]) -> Option<WitnessReport> {
        let mut records = sample::records();
        if let Body::RunStarted(started) = &mut records[0].body {
            started.witnessed = witnessed.iter().map(|name| (*name).to_owned()).collect();
        }
        let root = Digest::of(b"root");
        let ledger = Ledger::of(&[RunRecords { records: &records, standing: Standing::Sound, root }]);
        WitnessReport::of(&ledger, "lab+00000000+AAAA", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_run_without_a_choice_before_it_has_no_witness_report() {
        assert_eq!(report(&[]), None);
    }

    #[test]
    fn passed_failed_with_reasons_and_the_ratio_of_what_was_chosen() {
        let all = report(&["commission", "rollback", "read-import", "top-up", "gas-valve"]).unwrap();
        let counts = all.counts;
        assert_eq!(counts.passed + counts.failed + counts.undecided + counts.not_run, 5);
        assert_eq!(all.ratio.witnessed, all.ratio.run);
        let failed: Vec<_> = all.scripts.iter().filter(|s| s.verdict != Verdict::Pass).collect();
        assert!(failed.iter().all(|s| !s.reasons.is_empty()), "{failed:?}");
        let one = report(&["commission"]).unwrap();
        assert_eq!((one.scripts.len(), one.ratio.witnessed), (1, 1));
        assert!(one.ratio.run > 1 && one.ratio.to_string().contains('%'));
        assert_eq!(one.scripts[0].verdict, Verdict::Pass);
    }

    #[test]
    fn the_page_says_the_counts_and_leads_to_the_records() {
        let html = witness_html(&report(&["commission", "top-up"]).unwrap()).unwrap();
        for said in ["Witness report", "chosen before the run", "records.html#r", "root", "13.17"] {
            assert!(html.contains(said), "{said}");
        }
    }
}
