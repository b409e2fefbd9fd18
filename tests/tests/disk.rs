//! A disk that takes no more: the run stops there, says so, is never passed, and leaves the rig safe.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing test's panic is its message"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::evidence::Standing;
use lab_tests::looks::Looks;
use lab_tests::{run_folders, shown};

/// The longest anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a shell runs that lets no file grow beyond so many blocks of 1,024 octets. Writing more fails, as on a full disk.
fn limited(blocks: u64, run: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "bash"]).arg(blocks.to_string());
    shell.arg(run.get_program()).args(run.get_args());
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// The run ended because its evidence could not be written, and is open or worse.
fn stopped_closed(lab: &Looks, run: &Path, out: &Output) {
    let said = shown(out);
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("its evidence could not be written; it counts as an error"), "{said}");
    assert!(said.contains("look at the disk"), "{said}");
    let verification = lab.verified(run).expect("a run");
    assert!(matches!(verification.standing, Standing::Open | Standing::Broken), "{verification}");
    assert_eq!(verification.verdict, None, "no verdict is given: {verification}");
}

#[test]
fn a_full_disk_stops_the_run_and_the_run_is_gone_on_with_once_there_is_room() {
    let lab = Looks::start().expect("a bench");
    let out = lab.run().expect("a command").output().expect("a run");
    assert!(out.status.success(), "{}", shown(&out));
    let whole = run_folders(&lab.runs).pop().expect("a run");
    let capture = std::fs::metadata(whole.join("captures/run.pcapng")).expect("a capture").len();
    // The capture grows fastest: it is full somewhere in the scripts, behind the proof of the rig.
    let blocks = (capture - capture / 6) / 1024;
    let run = lab.run().expect("a command");
    let out = limited(blocks, &run).output().expect("a run");
    let full = run_folders(&lab.runs).into_iter().find(|run| *run != whole).expect("a run");
    stopped_closed(&lab, &full, &out);
    // Room again.
    let out = lab.resume(&full).expect("a command").output().expect("a run");
    assert!(matches!(out.status.code(), Some(0 | 4)), "{}", shown(&out));
    let verification = lab.verified(&full).expect("a run");
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
}

#[test]
fn evidence_that_is_lost_under_way_stops_the_run() {
    let lab = Looks::start().expect("a bench");
    let mut run = lab.run().expect("a command");
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the harness starts");
    let begun = Instant::now();
    let lost = loop {
        assert!(begun.elapsed() < PATIENCE, "no script was begun");
        let script = |run: &PathBuf| {
            std::fs::read_to_string(run.join("records.jsonl"))
                .is_ok_and(|text| text.contains("\"script-started\""))
        };
        if let Some(run) = run_folders(&lab.runs).into_iter().find(script) {
            break run;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    std::fs::rename(lost.join("blobs"), lost.join("elsewhere")).expect("a folder");
    let out = child.wait_with_output().expect("its output");
    std::fs::rename(lost.join("elsewhere"), lost.join("blobs")).expect("a folder");
    stopped_closed(&lab, &lost, &out);
}

/// A file that is opened for writing and never opens, as on a server of files that is gone: a pipe by that name which nobody
/// reads.
#[test]
fn a_disk_that_hangs_stops_the_run_closed_and_says_so() {
    let lab = Looks::start().expect("a bench");
    let mut run = lab.run().expect("a command");
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the harness starts");
    let begun = Instant::now();
    let (held, pipe) = loop {
        assert!(begun.elapsed() < PATIENCE, "no run was begun");
        if let Some(run) = run_folders(&lab.runs).pop() {
            // The next blob is written under this name first; while one is, the name is taken.
            let pipe = run.join("blobs/.draft");
            if Command::new("mkfifo").arg(&pipe).stderr(Stdio::null()).status().expect("mkfifo").success() {
                break (run, pipe);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let out = child.wait_with_output().expect("its output");
    assert!(begun.elapsed() < PATIENCE, "it waited for the disk for {:?}", begun.elapsed());
    stopped_closed(&lab, &held, &out);
    assert!(shown(&out).contains("the disk has not taken what was written to"), "{}", shown(&out));
    // The disk is back.
    std::fs::remove_file(&pipe).expect("a pipe");
    let out = lab.resume(&held).expect("a command").output().expect("a run");
    assert!(matches!(out.status.code(), Some(0 | 4)), "{}", shown(&out));
    let verification = lab.verified(&held).expect("a run");
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
}

#[test]
fn where_nothing_can_be_written_no_run_begins() {
    let lab = Looks::start().expect("a bench");
    let keys = lab.runs.join("keys");
    let locked = lab.run().expect("a command").args(["--script", "look-0"]).output().expect("a run");
    assert!(locked.status.success(), "{}", shown(&locked));
    let before = run_folders(&lab.runs);
    // Nobody, root included, can make a folder there.
    let mut run = lab.bench.harness().expect("a command");
    run.args(["run", "--lab"]).arg(lab.bench.lab()).arg("--pack").arg(&lab.pack).arg("--keys").arg(&keys);
    let out = run.args(["--runs", "/proc/self/runs"]).output().expect("a run");
    let said = shown(&out);
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(
        said.contains("the evidence of the run could not be begun") && said.contains("/proc/self/runs"),
        "{said}"
    );
    assert_eq!(run_folders(&lab.runs), before);
}
