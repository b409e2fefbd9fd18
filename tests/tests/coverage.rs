//! `harness coverage`: what packs cover, and the heatmap of a run, as a user has them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::process::Output;

use lab_tests::{harness, run_folders, shown};
use serde_json::Value;

fn coverage(arguments: &[&str]) -> Output {
    let out = harness().unwrap().arg("coverage").args(arguments).output().unwrap();
    assert!(out.status.success(), "{}", shown(&out));
    out
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_slice(&coverage(arguments).stdout).unwrap()
}

#[test]
fn the_matrix_names_the_scripts_of_each_variant_and_requirement() {
    let told = json(&["--json"]);
    let variants = told["variants"].as_array().unwrap();
    let of = |srv: &str, target: &str| {
        let found = variants.iter().find(|v| v["service-reference-variant"] == srv && v["target"] == target);
        found.unwrap_or_else(|| panic!("{srv} {target}")).clone()
    };
    let import = of("4.1.1", "ESME");
    let script = "ioc-service-reference-variant/read-import-registers";
    assert!(import["scripts"].as_array().unwrap().iter().any(|s| s["script"] == script), "{import}");
    assert_eq!((&import["carried-out"], &import["doubtful"]), (&true.into(), &false.into()));
    assert!(!of("8.2", "DCC")["scripts"].as_array().unwrap().is_empty());
    let requirement = told["requirements"]["SVTAD 20.16"].as_array().unwrap();
    assert!(requirement.iter().any(|name| name == script), "{requirement:?}");
    let said = String::from_utf8(coverage(&[]).stdout).unwrap();
    assert!(said.contains("variants by target have a script that applies to the rig"), "{said}");
    assert!(said.contains("  4.1.1   ESME"), "{said}");
}

#[test]
fn the_heatmap_of_a_run_counts_verdicts_by_functional_group_from_its_records() {
    let runs = tempfile::tempdir().unwrap();
    let run = [
        "run",
        "--pack",
        "ioc-service-reference-variant",
        "--script",
        "read-inventory",
        "--script",
        "read-identity",
        "--runs",
    ];
    let out = harness().unwrap().args(run).arg(runs.path()).output().unwrap();
    assert!(out.status.success(), "{}", shown(&out));
    let [run] = &run_folders(runs.path())[..] else { panic!("one run") };
    let run = run.to_str().unwrap();
    let told = json(&[run, "--json"]);
    let groups = told["groups"].as_array().unwrap();
    let passed: u64 = groups.iter().map(|row| row["figures"]["passed"]["value"].as_u64().unwrap()).sum();
    assert!(passed >= 2, "{told}");
    let inventory = groups.iter().find(|row| row["group"] == "inventory").unwrap_or_else(|| panic!("{told}"));
    assert!(!inventory["figures"]["passed"]["records"].as_array().unwrap().is_empty(), "{inventory}");
    let said = String::from_utf8(coverage(&[run]).stdout).unwrap();
    assert!(
        said.contains("Functional group") && said.contains("inventory") && said.contains("DUIS 8.2"),
        "{said}"
    );
    let page = std::fs::read_to_string(std::path::Path::new(run).join("report.html")).unwrap();
    assert!(page.contains("Heatmap") && page.contains("inventory</th>"), "the report has it too");
}
