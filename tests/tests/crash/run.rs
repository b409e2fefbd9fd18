//! `harness run`, killed, and gone on with by `harness run --resume`, which is killed as well.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::dispatch::Outlook;
use harness::evidence::{LabKey, RunFolder, Standing, read_records, verify_chain};
use lab_tests::looks::{Looks, SCRIPTS};
use lab_tests::{run_folders, shown};
use proto_lab::record::{Body, Record, Tally, Verdict};

use super::death::{Death, Life};
use super::told::{Told, never_broken, nothing_doubled};
use super::{Chance, KILLS, in_lanes, number};

/// A finished run: sound, every planned script decided, inconclusive exactly where it was cut.
fn whole(lab: &Looks, run: &Path, what: &str) -> Vec<Record> {
    let verification = lab.verified(run).expect("a run folder");
    assert_eq!(verification.standing, Standing::Sound, "{what}: {verification}");
    let records = read_records(&RunFolder::new(run)).expect("records");
    nothing_doubled(&records, what);
    let tally = Tally::of(&records);
    assert_eq!(tally.cases().len(), SCRIPTS, "{what}");
    for result in tally.cases() {
        assert_eq!(result.attempts.len(), 1, "{what}: {}", result.case);
        let verdict = result.verdict;
        assert!(
            matches!(verdict, Verdict::Pass | Verdict::Inconclusive),
            "{what}: {} came to {verdict}: {:?}",
            result.case,
            result.reason
        );
    }
    let safe = records.iter().rev().find_map(|record| match &record.body {
        Body::SafeState(safe) => Some(safe.reached),
        _ => None,
    });
    assert_eq!(safe, Some(true), "{what}: the rig is safe at the end");
    records
}

/// What a lane's kills came to.
#[derive(Debug, Default)]
struct Count {
    kills: u64,
    lives: u64,
    before_any: u64,
    in_scripts: u64,
    in_resumes: u64,
    torn: u64,
    at_calls: u64,
    finished: u64,
}

/// A bench whose controllers are killed.
struct Lane {
    lab: Looks,
    told: Told,
    chance: Chance,
    usual: Duration,
    open: Option<PathBuf>,
    count: Count,
}

impl Lane {
    fn begin(chance: Chance) -> Self {
        let lab = Looks::start().expect("a bench");
        let begun = Instant::now();
        let out = lab.run().expect("a command").output().expect("a run");
        assert!(out.status.success(), "{}", shown(&out));
        let usual = begun.elapsed();
        let first = run_folders(&lab.runs).pop().expect("a run");
        whole(&lab, &first, "a run that nobody kills");
        let told = Told::new(&lab.runs);
        Self { lab, told, chance, usual, open: None, count: Count { finished: 1, ..Count::default() } }
    }

    /// One controller, from its start to its death.
    fn live(&mut self) {
        let known = run_folders(&self.lab.runs);
        let again = self.open.is_some();
        let command = match self.open.as_deref() {
            Some(run) => self.lab.resume(run).expect("a command"),
            None => self.lab.run().expect("a command"),
        };
        let death = Death::by(&mut self.chance, self.usual);
        let said = self.lab.bench.folder().join("said");
        let ended = Life::begin(command, Some(death), &self.told, Stdio::null(), &said).end(&mut self.told);
        let what = format!("kill {} of this lane, {}", self.count.kills, ended.what);
        self.count.lives += 1;
        self.count.kills += u64::from(ended.killed);
        self.count.in_resumes += u64::from(ended.killed && again);
        self.count.at_calls += u64::from(ended.killed && matches!(ended.death, Some(Death::At { .. })));
        self.told.is_kept(&what);
        let new = || run_folders(&self.lab.runs).into_iter().find(|run| !known.contains(run));
        let Some(run) = self.open.take().or_else(new) else {
            assert!(ended.killed, "{what}: no run was begun");
            self.count.before_any += 1;
            return;
        };
        self.after_death(run, &what, ended.killed);
    }

    fn after_death(&mut self, run: PathBuf, what: &str, killed: bool) {
        let verification = never_broken(&self.lab.runs, &run, what);
        self.count.torn += verification.torn.len() as u64;
        let records = read_records(&RunFolder::new(&run)).expect("records");
        nothing_doubled(&records, what);
        let outlook = Outlook::of(&records).expect("a run");
        self.count.in_scripts += u64::from(killed && outlook.under_way.is_some());
        match verification.standing {
            Standing::Sound => {
                whole(&self.lab, &run, what);
                self.told.forget(&run);
                self.count.finished += 1;
            }
            _ => {
                assert!(killed, "{what}: a run that nobody killed has no end: {verification}");
                self.open = Some(run);
            }
        }
    }

    /// The last run is let finish, and the folder of runs is whole.
    fn end(mut self) -> Count {
        if let Some(run) = self.open.take() {
            let out = self.lab.resume(&run).expect("a command").output().expect("the harness starts");
            assert!(matches!(out.status.code(), Some(0 | 4)), "{}", shown(&out));
            whole(&self.lab, &run, "the last run");
            self.told.is_kept("the last run");
            self.count.finished += 1;
        }
        let trusted = LabKey::trusted(&self.lab.runs.join("keys")).expect("a key");
        let chain = verify_chain(&self.lab.runs, &trusted).expect("runs");
        assert!(chain.is_sound(), "every run is sound and none is missing: {chain:#?}");
        assert_eq!(chain.links.len() as u64, self.count.finished);
        self.count
    }
}

#[test]
fn killed_at_random_moments_a_run_verifies_keeps_what_was_read_and_finishes() {
    let kills = number("LAB_CRASH_KILLS", KILLS) * 3 / 4;
    let begun = Instant::now();
    let counts = in_lanes(kills, |share, chance| {
        let mut lane = Lane::begin(chance);
        while lane.count.kills < share {
            lane.live();
            if lane.count.kills.is_multiple_of(50) {
                println!("{:?} after {:?}", lane.count, begun.elapsed());
            }
        }
        lane.end()
    });
    println!("harness run, killed: {counts:?} in {:?}", begun.elapsed());
}

#[test]
fn a_run_is_not_gone_on_with_by_other_packs_than_it_was_begun_with() {
    let lab = Looks::start().expect("a bench");
    let out = lab.run().expect("a command").arg("--script").arg("look-0").output().expect("a run");
    assert!(out.status.success(), "{}", shown(&out));
    let run = run_folders(&lab.runs).pop().expect("a run");
    // As a controller leaves it that dies before the last record: all but that, and the last signature.
    let records = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    let last = records.trim_end().rfind('\n').expect("lines") + 1;
    std::fs::write(run.join("records.jsonl"), &records[..last]).expect("records");
    let notes = std::fs::read_to_string(run.join("checkpoints")).expect("checkpoints");
    let without = notes.rsplit_once("\n\n").map_or("", |(before, _)| before);
    let start = without
        .rfind("\n— ")
        .map_or(0, |dash| dash + 1 + without[dash + 1..].find('\n').expect("a line") + 1);
    std::fs::write(run.join("checkpoints"), &notes[..start]).expect("checkpoints");
    let before = std::fs::read(run.join("records.jsonl")).expect("records");

    let script = lab.pack.join("look-1.toml");
    let text = std::fs::read_to_string(&script).expect("a script");
    std::fs::write(&script, text.replace("at-least = 0", "at-least = 1")).expect("a script");
    lab.lock().expect("a lock");
    let refused = lab.resume(&run).expect("a command").output().expect("the harness starts");
    let said = shown(&refused);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("pack looks was agreed with lock") && said.contains("restore the pack"), "{said}");
    assert_eq!(std::fs::read(run.join("records.jsonl")).expect("records"), before, "nothing was touched");

    std::fs::write(&script, text).expect("a script");
    lab.lock().expect("a lock");
    let out = lab.resume(&run).expect("a command").output().expect("the harness starts");
    assert!(out.status.success(), "{}", shown(&out));
    let verification = lab.verified(&run).expect("a run folder");
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
    assert_eq!(verification.counts.not_run, SCRIPTS as u64 - 1, "only the script that was asked for was run");
}
