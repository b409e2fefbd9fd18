//! Test data sets, end to end: loaded, looked at in the devices, named in the records and in the DMCT Report; and a run that
//! does not begin on other data than it names.

use std::process::Output;

use std::path::PathBuf;

use lab_tests::bench::Bench;
use lab_tests::devices::Devices;
use lab_tests::{harness, peers, repository, run_folders, shown};
use proto_lab::record::{Body, Record};
use scenarios::DataSet;
use serde_json::Value;

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

/// A shipped data set as the file it is.
fn file(name: &str) -> PathBuf {
    repository().join(format!("scenarios/data-sets/{name}.toml"))
}

/// Runs scripts of the standard pack on the embedded lab with a data set, and holds them to pass.
fn passes(set: &str, scripts: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = harness().expect("the harness builds");
    command.args(["run", "--pack", "ioc-service-reference-variant", "--data-set", set, "--runs"]);
    command.arg(folder.path());
    scripts.iter().for_each(|script| {
        command.args(["--script", script]);
    });
    let out = command.output().expect("the harness starts");
    assert!(out.status.success(), "{set}: {}", shown(&out));
}

#[test]
fn a_household_of_thirteen_months_is_seen_at_its_meters_and_by_service_requests() {
    passes(
        "household-13-months",
        &["read-import-registers", "read-profile", "read-gas-register", "update-and-read-tariff"],
    );
}

#[test]
fn a_household_in_debt_is_seen_at_its_meters_and_by_service_requests() {
    passes("prepayment-in-debt", &["read-prepay-values", "read-meter-balance", "read-active-power"]);
}

#[test]
fn full_logs_are_seen_at_the_meter_and_by_service_requests() {
    passes("full-logs", &["read-event-log", "read-security-log"]);
}

#[test]
fn registers_in_every_rate_a_vacant_property_and_solar_panels_are_seen_at_their_meters() {
    for set in ["every-rate", "vacant", "solar", "quiet-house"] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = run(folder.path(), &[set]);
        assert!(out.status.success(), "{set}: {}", shown(&out));
    }
}

#[test]
fn a_bench_of_its_own_process_is_loaded_over_the_control_port_and_told_of_what_must_be_prepared() {
    let bench = Bench::start().unwrap_or_else(|error| panic!("{error}"));
    let set = file("prepayment-in-debt");
    let run = || {
        let runs = bench.folder().join("runs");
        let mut command = bench.harness().expect("the harness builds");
        command.args(["run", "--pack", "one-meter", "--script", "register", "--data-set"]).arg(&set);
        command.arg("--lab").arg(bench.lab()).arg("--runs").arg(&runs);
        command.output().expect("the harness starts")
    };
    // To the harness these are real devices: it writes what can be written, and says what a person must do.
    let out = run();
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    for words in [
        "test data set prepayment-in-debt, the ESME:",
        "written over the wire: payment mode",
        "it must hold: balance -350 p",
        "it must hold: time debt 1: 4500 p owed, 10 p each day",
        "is not in the devices",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let path = set.to_str().expect("a path");
    let loaded = bench.ctl(&["data-set", path]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.trim(), r#"{"loaded":["ESME","GSME"],"rig":"rig-1"}"#);
    let out = run();
    assert!(out.status.success(), "{}", shown(&out));
}

#[test]
fn pydlms_reads_what_was_loaded_at_the_optical_port() {
    let known = [("password = { generated = true }", "password = { file = \"password\" }")];
    let devices =
        Devices::start(&known, &[("password", "open4me8")]).unwrap_or_else(|error| panic!("{error}"));
    let every_rate = file("every-rate");
    devices
        .ctl(&["data-set", "rig-1", every_rate.to_str().expect("a path")])
        .unwrap_or_else(|error| panic!("{error}"));
    let optical = format!("optical://{}", devices.file("optical"));
    let pydlms = |verb: &str, options: &[&str]| -> Vec<Value> {
        let program = peers().unwrap_or_else(|advice| panic!("{advice}")).join("pydlms");
        let mut command = std::process::Command::new(program);
        command.args([
            "--json",
            verb,
            &optical,
            "--client",
            "1",
            "--server",
            "1",
            "--auth",
            "lls",
            "--password",
            "open4me8",
        ]);
        let out = command.args(options).output().expect("pydlms starts");
        assert!(out.status.success(), "{verb} {options:?}: {}", shown(&out));
        serde_json::from_slice(&out.stdout).expect("JSON")
    };
    let register =
        |obis: &str| pydlms("read", &["--obis", obis, "--class", "3", "--register"])[0]["value"].as_f64();
    assert_eq!(
        [1, 24, 48].map(|rate| register(&format!("1-0:1.8.{rate}"))),
        [21_000.0, 44_000.0, 68_000.0].map(Some)
    );
    let total = register("1-0:1.8.0").expect("a register");
    let rows = pydlms("profile", &["--obis", "1-0:99.1.0"]);
    let column =
        |name: &str| rows.iter().map(|row| row[name].as_f64().expect("a number")).collect::<Vec<f64>>();
    let (intervals, readings) = (column("1.0.1.29.0.255/2"), column("1.0.1.8.0.255/2"));
    assert!((336..=337).contains(&rows.len()), "{} rows", rows.len());
    assert!(intervals.iter().take(336).all(|interval| *interval == 50.0), "{intervals:?}");
    assert!(readings.windows(2).take(335).all(|pair| pair[1] - pair[0] == 50.0), "{readings:?}");
    assert_eq!(readings.last(), Some(&total));
    // What does not fit is refused in words, and nothing of it is loaded.
    let wrong = devices.folder().join("wrong.toml");
    let text = "[[load]]\ndevice = \"ESME\"\nregisters = { import-wh = 1 }\nhistory = { half-hours = 48, import-wh = { every = 1 } }\n";
    std::fs::write(&wrong, text).expect("a file");
    let refusal =
        devices.ctl(&["data-set", wrong.to_str().expect("a path")]).expect_err("48 Wh in a register of 1 Wh");
    assert!(
        refusal.contains("48 Wh flowed in the history's half hours into the import register"),
        "{refusal}"
    );
    assert_eq!(register("1-0:1.8.0"), Some(total));
}

/// What the harness prints, without the digest that every edit changes.
fn printed(arguments: &[&str], set: &str) -> String {
    let out = harness().expect("the harness builds").args(arguments).output().expect("the harness starts");
    assert!(out.status.success(), "{}", shown(&out));
    let digest =
        DataSet::parse(&DataSet::shipped_named(set).expect("shipped")).expect("sound").digest.to_string();
    String::from_utf8_lossy(&out.stdout).replace(&digest, "DIGEST").replace(&digest[..16], "DIGEST")
}

#[test]
fn data_sets_are_listed_and_looked_into() {
    insta::assert_snapshot!(printed(&["data-sets", "vacant"], "vacant"), @"
    data set vacant 1: A vacant property: supply and gas off, nothing used for three months, and the display gone with the tenant, DIGEST
      CHF
        on its network: GPF, ESME, GSME
      ESME
        import 5118204 Wh
        payment mode credit
        balance 0 p
        supply off
        4416 half hours behind it
        a load of 0 W
        generation of 0 W
      GSME
        volume 2046913 dm3
        payment mode credit
        balance 0 p
        supply off
        4416 half hours behind it
        a flow of 0 dm3 an hour
      seen: observe supply-state of ESME by the optical path
      seen: observe active-import of ESME by the optical path
      seen: observe active-power-import of ESME by the optical path
      seen: observe half-hourly-profile of ESME by the optical path
      seen: observe supply-state of GSME by the local path
      seen: observe gas-volume of GSME by the local path
      seen: observe device-log of CHF by the wan path
    ");
    let list = printed(&["data-sets"], "vacant");
    assert_eq!(list.lines().count(), DataSet::shipped().count(), "{list}");
    let json: Value = serde_json::from_str(&printed(&["data-sets", "--json"], "vacant")).expect("JSON");
    let solar = json.as_array().expect("a list").iter().find(|set| set["id"] == "solar 1").expect("shipped");
    assert!(solar["loads"][0]["holds"].to_string().contains("export 2750000 Wh"), "{solar}");
    let file = file("vacant");
    let checked = printed(&["check", "--data-set", file.to_str().expect("a path")], "vacant");
    assert!(checked.contains("    4416 half hours behind it"), "{checked}");
}

#[test]
fn a_data_set_that_is_wrong_is_refused_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    let text = DataSet::shipped_named("vacant")
        .expect("shipped")
        .text()
        .replace("half-hours = 4_416", "half-hours = 0");
    std::fs::write(&file, text).expect("a file");
    let out =
        harness().expect("the harness builds").args(["data-sets", file.to_str().expect("a path")]).output();
    let out = out.expect("the harness starts");
    assert_eq!(out.status.code(), Some(2), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        said.contains("wrong.toml:19:14: found 0, expected how many half hours before the loading"),
        "{said}"
    );
}
