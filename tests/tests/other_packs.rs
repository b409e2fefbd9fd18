//! The packs beside the standard ones, on the embedded lab: what must be refused is, nothing regressed, and a Non-Standard pack
//! says in the report why it is used and who agreed to it.

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
