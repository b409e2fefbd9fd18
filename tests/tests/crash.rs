//! The controller killed by SIGKILL at random moments of a run, over and over: whatever it was at, its evidence verifies, no
//! record that somebody had read is missing or doubled, and the run is gone on with to its end.
//!
//! The devices live in a process of their own. `LAB_CRASH_KILLS=1000` kills a thousand times, `LAB_CRASH_SEED` at other moments.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing test's panic is its message; figures are printed"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use harness::dispatch::Outlook;
use harness::evidence::{Place, RunFolder, Standing, Verification, read_records};
use lab_tests::looks::{Looks, SCRIPTS};
use lab_tests::{run_folders, shown};
use proto_lab::record::{Body, Record, Tally, Verdict};

/// Kills in a usual run of the tests; the figure is for a debug build on a busy machine.
const KILLS: u64 = 12;

/// Chance that comes out the same each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % count.max(1)
    }

    fn moment(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(most.as_micros()).expect("a span")))
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

fn verified(lab: &Looks, run: &Path) -> Verification {
    lab.verified(run).expect("a run folder")
}

/// Sound as far as it goes. A writer killed within a write leaves at worst the last line, or the last signature, torn: then
/// that and nothing else is found.
fn sound_so_far(verification: &Verification) -> bool {
    let last = [
        Place::Record(verification.records.saturating_sub(1)),
        Place::Checkpoint(verification.checkpoints.saturating_sub(1)),
    ];
    matches!(verification.standing, Standing::Sound | Standing::Open)
        || verification.findings.iter().all(|finding| last.contains(&finding.place))
}

/// Kills it as the system kills: it has no say. Gives what it had printed when it had ended before.
fn kill_after(mut child: Child, moment: Duration) -> Option<Output> {
    let begun = Instant::now();
    while begun.elapsed() < moment {
        if child.try_wait().expect("a child").is_some() {
            return Some(child.wait_with_output().expect("its output"));
        }
        std::thread::sleep(Duration::from_millis(2).min(moment));
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("dead");
    None
}

/// What anybody could have read of a run at this moment: the whole lines.
fn acknowledged(run: &Path) -> Vec<u8> {
    let octets = std::fs::read(run.join("records.jsonl")).expect("records");
    let whole = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1);
    octets[..whole].to_vec()
}

/// Whatever was recorded: each attempt has one end at most, each intent one verdict, each number its place.
fn nothing_doubled(records: &[Record], what: &str) {
    for (record, n) in records.iter().zip(0..) {
        assert_eq!(record.sequence.0, n, "{what}");
    }
    let tally = Tally::of(records);
    for result in tally.cases() {
        assert!(result.attempts.len() <= 1, "{what}: {} was begun again silently", result.case);
    }
    let mut answered: Vec<u64> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Step(step) => Some(step.intent.0),
            _ => None,
        })
        .collect();
    let verdicts = answered.len();
    answered.dedup();
    assert_eq!(answered.len(), verdicts, "{what}: an intent has two verdicts");
}

/// A finished run: sound, every planned script decided, inconclusive exactly where it was cut.
fn whole(lab: &Looks, run: &Path, what: &str) -> Vec<Record> {
    let verification = verified(lab, run);
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

#[test]
fn killed_at_random_moments_a_run_verifies_keeps_what_was_read_and_finishes() {
    let lab = Looks::start().expect("a bench");
    let kills = number("LAB_CRASH_KILLS", KILLS);
    let mut chance = Chance(number("LAB_CRASH_SEED", 20));
    let begun = Instant::now();
    let out = lab.run().expect("a command").output().expect("a run");
    assert!(out.status.success(), "{}", shown(&out));
    let usual = begun.elapsed();
    let first = run_folders(&lab.runs).pop().expect("a run");
    whole(&lab, &first, "a run that nobody kills");
    let (mut open, mut before_any, mut in_scripts, mut finished) = (None::<PathBuf>, 0, 0, 1);
    for kill in 0..kills {
        let what = format!("kill {kill}");
        let known = run_folders(&lab.runs);
        let read = open.as_deref().map(acknowledged).unwrap_or_default();
        let mut command = open
            .as_deref()
            .map_or_else(|| lab.run().expect("a command"), |run| lab.resume(run).expect("a command"));
        let child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the harness starts");
        let ended = kill_after(child, chance.moment(usual + usual / 4));
        let run =
            open.clone().or_else(|| run_folders(&lab.runs).into_iter().find(|run| !known.contains(run)));
        let Some(run) = run else {
            assert!(ended.is_none(), "{what}: {}", shown(&ended.expect("output")));
            before_any += 1;
            continue;
        };
        let now = acknowledged(&run);
        assert!(now.starts_with(&read), "{what}: a record that could be read before is gone or changed");
        let verification = verified(&lab, &run);
        assert!(sound_so_far(&verification), "{what}: {verification}");
        let records = read_records(&RunFolder::new(&run)).expect("records");
        nothing_doubled(&records, &what);
        let outlook = Outlook::of(&records).expect("a run");
        in_scripts += u64::from(outlook.under_way.is_some());
        open = Some(run);
        if verification.standing == Standing::Sound {
            whole(&lab, open.as_deref().expect("a run"), &what);
            (open, finished) = (None, finished + 1);
        }
    }
    if let Some(run) = open {
        let read = acknowledged(&run);
        let out = lab.resume(&run).expect("a command").output().expect("the harness starts");
        assert!(matches!(out.status.code(), Some(0 | 4)), "{}", shown(&out));
        whole(&lab, &run, "the last run");
        assert!(acknowledged(&run).starts_with(&read));
        finished += 1;
    }
    println!(
        "{kills} kills within {:?} each: {before_any} before there was a run, {in_scripts} inside a script; {finished} runs \
         finished; {:?}",
        usual + usual / 4,
        begun.elapsed()
    );
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
    let verification = verified(&lab, &run);
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
    assert_eq!(verification.counts.not_run, SCRIPTS as u64 - 1, "only the script that was asked for was run");
}
