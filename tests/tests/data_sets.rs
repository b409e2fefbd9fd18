//! Test data sets, end to end: loaded, looked at in the devices, named in the records and in the DMCT Report; and a run that
//! does not begin on other data than it names.

use std::process::Output;

use lab_tests::{harness, run_folders, shown};
use proto_lab::record::{Body, Record};
use scenarios::DataSet;

/// Runs one script on the embedded lab with these data sets.
fn run(runs: &std::path::Path, sets: &[&str]) -> Output {
    let mut command = harness().expect("the harness builds");
    command.args(["run", "--pack", "one-meter", "--script", "register", "--runs"]).arg(runs);
    sets.iter().for_each(|set| {
        command.args(["--data-set", set]);
    });
    command.output().expect("the harness starts")
}

#[test]
fn a_data_set_is_loaded_and_named_with_its_digest_in_the_first_record_and_in_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = run(folder.path(), &["two-pounds"]);
    assert!(out.status.success(), "{}", shown(&out));
    let runs = run_folders(folder.path());
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}") };
    let records = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    let line = records.split_inclusive('\n').next().expect("a record");
    let first = Record::from_line(line.as_bytes()).expect("a record");
    let Body::RunStarted(started) = first.body else { panic!("the first record") };
    let shipped = DataSet::parse(&DataSet::shipped_named("two-pounds").expect("shipped")).expect("sound");
    let [set] = &started.data_sets[..] else { panic!("one data set, found {:?}", started.data_sets) };
    assert_eq!((set.id.as_str(), set.digest), ("two-pounds 1", shipped.digest));
    let report = std::fs::read_to_string(run.join("report.html")).expect("a report");
    assert!(report.contains("Test data") && report.contains("two-pounds 1"), "the report names the data");
}

#[test]
fn a_run_does_not_begin_when_the_devices_hold_other_data_and_says_what_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = DataSet::shipped_named("two-pounds").expect("shipped").text().replace("is = 500", "is = 501");
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, wrong).expect("a file");
    let out = run(folder.path(), &[file.to_str().expect("a path")]);
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("two-pounds") && said.contains("expected 501, in W, found 500 W"), "{said}");
    assert!(run_folders(folder.path()).is_empty(), "nothing was run");
}

#[test]
fn a_data_set_nobody_knows_is_refused_with_those_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = run(folder.path(), &["three-pounds"]);
    assert_eq!(out.status.code(), Some(2), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("three-pounds") && said.contains("two-pounds"), "{said}");
}
