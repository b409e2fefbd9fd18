//! The home area network as a second path of scripts: a rig with a ZigBee dongle runs them, one without says why it does not,
//! and a dongle that is in use is nobody else's.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn harness(arguments: &[&str]) -> Output {
    let mut harness: Command = lab_tests::harness().unwrap_or_else(|error| panic!("{error}"));
    harness.current_dir(lab_tests::repository()).args(arguments).output().unwrap()
}

/// Runs the pack on this lab; the output and the run's folder.
fn run(lab: &str, runs: &Path, more: &[&str]) -> (Output, PathBuf) {
    let runs_text = runs.to_str().unwrap();
    let pack = ["run", "--lab", lab, "--pack", "home-area-network", "--runs", runs_text];
    let out = harness(&[&pack, more].concat());
    let found = lab_tests::run_folders(runs);
    assert_eq!(found.len(), 1, "{}", lab_tests::shown(&out));
    (out, found[0].clone())
}

fn records(run: &Path) -> Vec<Value> {
    let lines = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_the_dcc_sets_and_reads_is_so_on_the_home_area_network() {
    let folder = tempfile::tempdir().unwrap();
    let (out, run) = run("lab-config/labs/dongle.toml", folder.path(), &[]);
    let said = lab_tests::shown(&out);
    assert!(out.status.success() && said.contains("10 run, 10 pass"), "{said}");
    let records = records(&run);
    // The first record names the dongle as a path of the devices it was proved on.
    let first = records[0].to_string();
    for device in ["ESME", "GPF", "PPMID"] {
        assert!(first.contains(device), "{first}");
    }
    assert_eq!(first.matches("han ezsp://").count(), 3, "{first}");
    // What was observed is a record, and the packets that show it are in the capture.
    let observed = records.iter().filter(|record| record.to_string().contains("ESME/han"));
    assert!(observed.clone().count() >= 8);
    assert!(
        observed.clone().all(|record| record.to_string().contains("run.pcapng")),
        "{:?}",
        observed.collect::<Vec<_>>()
    );
    let decoded = harness(&["decode", run.to_str().unwrap()]);
    let told = String::from_utf8(decoded.stdout.clone()).unwrap();
    assert!(decoded.status.success(), "{}", lab_tests::shown(&decoded));
    for wanted in ["rig-1/dongle", "SendUnicast to", "Metering: read attributes", "Price: GetCurrentPrice"] {
        assert!(told.to_lowercase().contains(&wanted.to_lowercase()), "no {wanted}");
    }
    let verified = harness(&["verify", run.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", lab_tests::shown(&verified));
}

#[test]
fn a_rig_without_a_dongle_runs_none_of_it_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (_, run) = run("lab-config/labs/embedded.toml", folder.path(), &[]);
    let records = records(&run);
    let skipped: Vec<String> = records
        .iter()
        .map(Value::to_string)
        .filter(|record| record.contains("has no ZigBee dongle"))
        .collect();
    assert_eq!(skipped.len(), 10, "{records:#?}");
    assert!(
        skipped[0].contains("rig rig-1") && skipped[0].contains("write `dongle` in its [[rig]]"),
        "{skipped:?}"
    );
}

#[test]
fn a_dongle_in_use_is_not_disturbed_and_a_verb_keeps_its_conversation() {
    let changes = [("[[rig]]\n", "[[rig]]\ndongle = \"sim:?network=formed\"\n")];
    let devices = lab_tests::devices::Devices::start(&changes, &[]).unwrap_or_else(|error| panic!("{error}"));
    let dongle = devices.link("ezsp");
    let capture = devices.folder().join("zigbee.pcapng");
    // A minute of joining, in which nobody else may have the line. It has it once its capture begins.
    let held = devices.folder().join("held.pcapng");
    let mut holder = lab_tests::harness().unwrap();
    holder.args(["zigbee", "devices", dongle, "--permit", "60", "--capture"]).arg(&held);
    let mut holder = holder.spawn().unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !held.exists() && std::time::Instant::now() < end {
        std::thread::yield_now();
    }
    let refused = harness(&["zigbee", "devices", dongle]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{}", lab_tests::shown(&refused));
    let why = lab_tests::shown(&refused);
    assert!(why.contains("is held by") && why.contains("wait for that run to end"), "{why}");
    let read = [
        "zigbee",
        "read",
        dongle,
        "--device",
        "00-DB-12-34-56-78-90-03",
        "--cluster",
        "0702",
        "--attribute",
        "0014",
        "--capture",
        capture.to_str().unwrap(),
    ];
    let out = harness(&read);
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let decoded = harness(&["decode", capture.to_str().unwrap()]);
    let told = String::from_utf8(decoded.stdout.clone()).unwrap();
    assert!(decoded.status.success() && told.contains("supply status = 2"), "{}", lab_tests::shown(&decoded));
    assert!(told.contains("dongle opened at"), "{told}");
}
