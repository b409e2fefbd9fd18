//! `harness migrate` as a user has it: twenty installations in one batch, with what it prints, records and reports; and the program
//! killed by SIGKILL on its way, against devices that go on.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use lab_tests::bench::Bench;
use lab_tests::devices::{embedded_lab, with_wakeful_gas};
use lab_tests::town::Town;
use lab_tests::{harness, run_folders, shown};
use serde_json::Value;

const INSTALLATIONS: u16 = 20;

/// The embedded lab with so many of its rig.
fn many(folder: &Path) -> String {
    let text = with_wakeful_gas(folder, embedded_lab().expect("the embedded lab")).expect("a gas meter");
    Town::of(&text).expect("the embedded lab").text(INSTALLATIONS, |_, rig| rig)
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the harness starts")
}

fn lines(out: &Output, word: &str) -> usize {
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    said.lines().filter(|line| line.trim_start().starts_with(word)).count()
}

#[test]
fn twenty_installations_migrate_in_one_batch_and_every_figure_is_in_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (lab, runs) = (folder.path().join("lab.toml"), folder.path().join("runs"));
    std::fs::write(&lab, many(folder.path())).expect("a file");
    let mut command = harness().expect("the harness builds");
    command.args(["migrate", "--all", "--group-size", "7", "--at-once", "3", "--lab"]).arg(&lab);
    command.env("HARNESS_STATE", folder.path().join("state")).arg("--runs").arg(&runs);
    let out = run(&mut command);
    assert!(out.status.success(), "{}", shown(&out));
    assert_eq!(
        (lines(&out, "migrated "), lines(&out, "rolled back ")),
        (INSTALLATIONS.into(), INSTALLATIONS.into())
    );
    let found = run_folders(&runs);
    let [run_folder] = &found[..] else { panic!("one run folder, found {found:?}") };
    let verified = run(harness().expect("the harness").arg("verify").arg(run_folder));
    assert!(verified.status.success(), "{}", shown(&verified));
    let report = std::fs::read(run_folder.join("report.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    for class in ["migrated", "rolled-back"] {
        let figure = &report["migrations"][class]["value"];
        assert_eq!(figure.as_u64(), Some(INSTALLATIONS.into()), "{class}: {}", report["migrations"]);
    }
}

/// Its gas meter sleeps half an hour, and an installation is whole on one side only with its gas meter.
#[test]
fn a_gas_meter_that_sleeps_is_woken_at_its_local_port_and_moves_with_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = harness().expect("the harness builds");
    command.env("HARNESS_STATE", folder.path().join("state")).arg("migrate");
    let out = run(command.arg("--runs").arg(folder.path().join("runs")));
    assert!(out.status.success(), "{}", shown(&out));
    let found = run_folders(&folder.path().join("runs"));
    let [run_folder] = &found[..] else { panic!("one run folder, found {found:?}") };
    let records = std::fs::read_to_string(run_folder.join("records.jsonl")).expect("records");
    assert!(records.contains("the GSME is woken at its local port"), "{records}");
    assert!(!records.contains("keeps its credential"), "{records}");
}

/// One installation cannot stay migrated whose devices end with the program.
#[test]
fn what_cannot_be_kept_is_not_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = harness().expect("the harness builds");
    let out = run(command.args(["migrate", "--keep", "--runs"]).arg(folder.path().join("runs")));
    assert_eq!(out.status.code(), Some(2), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("end with it") && said.contains("device-sim serve"), "{said}");
}

/// A batch of the program at devices of another program.
fn migrate(bench: &Bench, folder: &Path, how: &str) -> Command {
    let mut command = bench.harness().expect("the harness builds");
    command.args(["migrate", how, "--lab"]).arg(bench.lab()).arg("--runs").arg(folder.join("runs"));
    command.env("HARNESS_STATE", folder.join("state"));
    command
}

#[test]
fn killed_by_sigkill_the_program_finds_its_installation_again_and_takes_it_back() {
    let bench = Bench::start_changed(with_wakeful_gas).expect("devices");
    let with_gas = |text| with_wakeful_gas(bench.folder(), text).expect("a gas meter");
    bench.write_lab("lab.toml", with_gas).expect("a lab file");
    let folder = tempfile::tempdir().expect("a folder");
    for millis in [150, 300, 450, 600, 800, 1_200] {
        let mut child = migrate(&bench, folder.path(), "--keep").spawn().expect("it starts");
        // A moment for it to come somewhere: nothing it does is waited for.
        let (_open, never) = std::sync::mpsc::sync_channel::<()>(0);
        assert!(never.recv_timeout(Duration::from_millis(millis)).is_err(), "nobody sends");
        // One that has ended already is as good.
        let _ = child.kill();
        child.wait().expect("it ends");
        let recovered = run(&mut migrate(&bench, folder.path(), "--recover"));
        assert!(recovered.status.success(), "after {millis} ms: {}", shown(&recovered));
    }
    let back = run(&mut migrate(&bench, folder.path(), "--take-back"));
    assert!(back.status.success(), "{}", shown(&back));
    // Nothing is left of it: the SMSO has its devices, and they migrate as if nothing had been.
    let again = run(&mut migrate(&bench, folder.path(), "--lift"));
    assert!(again.status.success(), "{}", shown(&again));
}
