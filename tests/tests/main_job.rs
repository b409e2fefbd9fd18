//! The main job as a user does it: the program, its exit, its output, the folder it leaves.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lab_tests::{harness, run_folders, shown};
use serde_json::Value;

fn run_into(runs: &Path) -> Command {
    let mut command = harness().expect("the harness builds");
    command.args(["run", "--runs"]).arg(runs).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn verify(run: &Path) -> Output {
    harness()
        .expect("the harness builds")
        .args(["verify", "--json"])
        .arg(run)
        .output()
        .expect("verify starts")
}

fn records(run: &Path) -> Vec<Value> {
    let lines = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    lines.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

#[test]
fn the_embedded_lab_passes_both_packs_and_every_figure_of_the_report_leads_to_a_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = run_into(folder.path()).output().expect("the harness starts");
    assert!(out.status.success(), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains("pass") && said.contains("report.html"), "{said}");

    let runs = run_folders(folder.path());
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}") };
    assert!(verify(run).status.success(), "{}", shown(&verify(run)));
    let report = std::fs::read(run.join("report.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    let known: BTreeSet<u64> = records(run).iter().filter_map(|r| r["n"].as_u64()).collect();
    let mut referred = Vec::new();
    references(&report, &mut referred);
    assert!(referred.len() > 50, "a report leads to its records: {referred:?}");
    let mut unfounded = Vec::new();
    figures_without_records(&report, "report", &mut unfounded);
    assert!(unfounded.is_empty(), "figures that lead nowhere: {unfounded:?}");
    assert!(referred.iter().all(|n| known.contains(n)), "every reference is a record: {referred:?}");
    links_lead_somewhere(run);
}

/// Every number under a key `records` or `record`, anywhere in the report.
fn references(value: &Value, into: &mut Vec<u64>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, field)| match key.as_str() {
            "records" | "record" => numbers(field, into),
            _ => references(field, into),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

/// The paths of all figures, objects with a `value`, that have no records.
fn figures_without_records(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let led =
                fields.get("records").and_then(Value::as_array).is_some_and(|records| !records.is_empty());
            if fields.contains_key("value") && !led {
                into.push(path.to_owned());
            }
            fields
                .iter()
                .for_each(|(key, field)| figures_without_records(field, &format!("{path}.{key}"), into));
        }
        Value::Array(items) => items.iter().for_each(|item| figures_without_records(item, path, into)),
        _ => {}
    }
}

fn numbers(value: &Value, into: &mut Vec<u64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| numbers(item, into)),
        Value::Object(_) => references(value, into),
        other => into.extend(other.as_u64()),
    }
}

fn links_lead_somewhere(run: &Path) {
    let page = std::fs::read_to_string(run.join("report.html")).expect("a page");
    let evidence = std::fs::read_to_string(run.join("records.html")).expect("an evidence page");
    let anchors: BTreeSet<&str> =
        page.split("records.html#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(anchors.len() > 20, "{anchors:?}");
    for anchor in anchors {
        assert!(evidence.contains(&format!("id=\"{anchor}\"")), "records.html has no {anchor}");
    }
}

#[test]
fn two_runs_stand_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || run_into(folder.path()).spawn().expect("the harness starts");
    for child in [start(), start()] {
        let out = child.wait_with_output().expect("it ends");
        assert!(out.status.success(), "{}", shown(&out));
    }
    let runs = run_folders(folder.path());
    assert_eq!(runs.len(), 2, "{runs:?}");
    for run in runs {
        assert!(verify(&run).status.success(), "{}", shown(&verify(&run)));
    }
}

const SIGINT: i32 = 2;

/// Ctrl-C before the first record, in the migration, in the middle of scripts, late.
#[test]
fn ctrl_c_at_any_moment_leaves_the_rig_safe_and_the_evidence_sound() {
    for count in [0, 1, 2, 15, 60, 140, 300] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = hearing_sigint(&run_into(folder.path()));
        wait_for_records(folder.path(), count, &mut child);
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        let out = child.wait_with_output().expect("it ends");
        let runs = run_folders(folder.path());
        // Before the program listens for it, Ctrl-C ends it as it ends any program: no run has begun then.
        let at_once = out.status.signal() == Some(SIGINT) && runs.is_empty();
        assert!(at_once || out.status.code() == Some(130), "after {count} records: {}", shown(&out));
        runs.iter().for_each(|run| aborted_and_sound(run, count));
    }
}

/// Starts a command that Ctrl-C ends before the program listens for it, also where these tests run in the background: a shell
/// has what it starts there ignore Ctrl-C.
fn hearing_sigint(run: &Command) -> Child {
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", "sh", "-c", "echo ready; exec \"$0\" \"$@\""]);
    command.arg(run.get_program()).args(run.get_args());
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the harness starts");
    let mut said = [0; b"ready\n".len()];
    child.stdout.as_mut().expect("its output").read_exact(&mut said).expect("it is ready");
    child
}

fn wait_for_records(runs: &Path, count: usize, child: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline && child.try_wait().expect("a child").is_none() {
        let written = run_folders(runs).first().and_then(|run| std::fs::read(run.join("records.jsonl")).ok());
        if written.map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count()) >= count {
            return;
        }
        std::thread::yield_now();
    }
}

fn aborted_and_sound(run: &Path, count: usize) {
    let checked = verify(run);
    let told: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!(told["sound"], true, "after {count} records: {}", shown(&checked));
    let records = records(run);
    let last = &records.last().expect("a last record")["run-finished"];
    assert_eq!(last["verdict"], "aborted", "after {count} records: {last}");
    let safe = records.iter().rev().find_map(|r| r.get("safe-state")).expect("a safe state");
    assert_eq!(safe["reached"], true, "after {count} records: {safe}");
}
