//! The packs beside the standard ones, on the embedded lab: what must be refused is, nothing regressed, and a Non-Standard pack
//! says in the report why it is used and who agreed to it.

use std::path::Path;
use std::process::Stdio;

use lab_tests::{harness, run_folders, shown};
use serde_json::Value;

#[test]
fn misuse_is_refused_nothing_regressed_and_a_non_standard_pack_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = harness().expect("the harness builds");
    command.arg("run");
    for pack in ["security-misuse", "regression", "example-non-standard"] {
        command.args(["--pack", pack]);
    }
    let out = command.arg("--runs").arg(folder.path()).output().expect("it runs");
    assert!(out.status.success(), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let regression = said.lines().find(|line| line.starts_with("Regression")).unwrap_or_default();
    assert!(regression.contains("as before") && !regression.contains("regressed"), "{regression}");

    let runs = run_folders(folder.path());
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}") };
    let report = std::fs::read(run.join("report.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    let packs = report["packs"].as_array().expect("packs");
    let pack = |id: &str| packs.iter().find(|pack| pack["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    assert_eq!(pack("example-non-standard")["non-standard"]["agreed"]["by"], "TAG");
    assert!(pack("security-misuse")["non-standard"]["agreed"].is_null());
    let standings = pack("regression")["regression"]["scripts"].as_array().expect("every script");
    assert!(standings.iter().all(|script| script["standing"] == "as-before"), "{standings:#?}");
    assert_eq!(report["status"], "draft", "nobody agreed to two of the packs");
}

/// The report of the only run in a folder.
fn report(folder: &Path) -> Value {
    let runs = run_folders(folder);
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}") };
    let report = std::fs::read(run.join("report.json")).expect("a report");
    serde_json::from_slice(&report).expect("JSON")
}

#[test]
fn installations_of_every_kind_migrate_and_the_report_counts_how_each_migration_ended() {
    let kinds = ["active", "mixed"];
    let folders = kinds.map(|_| tempfile::tempdir().expect("a folder"));
    let start = |(kind, folder): (&str, &tempfile::TempDir)| {
        let mut command = harness().expect("the harness builds");
        command.args(["run", "--pack", &format!("ioc-{kind}-migration"), "--runs"]).arg(folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let children: Vec<_> = kinds.into_iter().zip(&folders).map(start).collect();
    for ((kind, folder), child) in kinds.into_iter().zip(&folders).zip(children) {
        let out = child.wait_with_output().expect("it ends");
        assert!(out.status.success(), "{kind}: {}", shown(&out));
        let report = report(folder.path());
        let entry = &report["planned-entry"];
        assert_eq!(entry["installation"], kind);
        assert_eq!(entry["epcl-entry"], format!("epcl-ioc-1-{kind}"));
        let migrations = &report["migrations"];
        for class in ["migrated", "refused", "rolled-back", "excluded"] {
            let figure = &migrations[class];
            let records = figure["records"].as_array().expect("records");
            assert!(figure["value"].as_u64() > Some(0), "{kind}, {class}: {migrations:#}");
            assert_eq!(figure["value"].as_u64(), Some(records.len() as u64), "{kind}, {class}");
        }
        let [installation] = &migrations["installations"].as_array().expect("installations")[..] else {
            panic!("one installation: {migrations:#}")
        };
        let ended = installation["ended"].as_array().expect("ways of ending");
        let coded = |code: &str| ended.iter().any(|way| way["code"] == code);
        assert!(coded("MA110") && coded("LAB-HAN") && coded("LAB-F02"), "{ended:#?}");
        assert!(ended.iter().all(|way| way["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    }
}
