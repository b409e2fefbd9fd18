//! One rig for each of five Device Model Combinations: each is checked, proved and run, all at the same time.

use std::path::PathBuf;
use std::process::Output;

use lab_tests::{harness, repository, run_folders, shown};

/// A rig, and the Capability Release of its combination, whose standard packs it is run with.
struct Cohort {
    rig: &'static str,
    release: &'static str,
}

const COHORTS: [Cohort; 5] = [
    Cohort { rig: "ioc-secure", release: "ioc" },
    Cohort { rig: "ioc-aclara", release: "ioc" },
    Cohort { rig: "moc-mds", release: "moc" },
    Cohort { rig: "moc-secure", release: "moc" },
    Cohort { rig: "foc", release: "foc" },
];

/// What every combination has at least of the scripts of its pack; the rest is for what its Device Models have.
const LEAST: usize = 70;

fn lab() -> PathBuf {
    repository().join("lab-config/labs/cohorts.toml")
}

fn told(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn a_rig_of_every_cohort_is_proved_and_passes_the_pack_of_its_release_at_the_same_time_as_the_others() {
    let folders: Vec<_> = COHORTS.iter().map(|_| tempfile::tempdir().expect("a folder")).collect();
    let start = |(cohort, folder): (&Cohort, &tempfile::TempDir)| {
        let packs = ["dormant-migration", "service-reference-variant"];
        let mut command = harness().expect("the harness builds");
        command.args(["run", "--rig", cohort.rig, "--lab"]).arg(lab());
        for pack in packs {
            command.args(["--pack", &format!("{}-{pack}", cohort.release)]);
        }
        command.arg("--runs").arg(folder.path().join("runs"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().expect("the harness starts")
    };
    let children: Vec<_> = COHORTS.iter().zip(&folders).map(start).collect();
    for ((cohort, folder), child) in COHORTS.iter().zip(&folders).zip(children) {
        let out = child.wait_with_output().expect("it ends");
        let said = told(&out);
        assert!(out.status.success(), "{}: {}", cohort.rig, shown(&out));
        let all_passed = (LEAST..200).any(|count| {
            said.contains(&format!("{count} run, ")) && said.contains(&format!(", {count} pass,"))
        });
        assert!(all_passed && said.contains("Verdict      pass"), "{}: {said}", cohort.rig);
        assert_eq!(run_folders(&folder.path().join("runs")).len(), 1);
    }
}

#[test]
fn check_counts_what_nobody_has_verified_and_names_it_when_asked() {
    let check = |more: &[&str]| {
        let out = harness().expect("the harness builds").arg("check").arg(lab()).args(more).output();
        out.expect("check starts")
    };
    let brief = check(&[]);
    assert!(brief.status.success(), "{}", shown(&brief));
    let said = told(&brief);
    assert!(said.contains("facts unverified") && said.contains("esme-as300p: "), "{said}");
    assert!(said.lines().count() < 100, "readable with five combinations: {said}");
    let full = told(&check(&["--facts"]));
    assert!(full.contains("esme-as300p: quirk echoing-head"), "{full}");
    assert!(full.lines().count() > 200, "{full}");
}
