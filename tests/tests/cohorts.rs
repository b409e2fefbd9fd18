//! One rig for each of five Device Model Combinations: each is checked, proved and run, all at the same time.

use std::path::{Path, PathBuf};
use std::process::Output;

use lab_tests::{harness, repository, run_folders, shown};

/// A rig, the Capability Release of its combination, and scripts it must pass.
struct Cohort {
    rig: &'static str,
    release: &'static str,
}

const COHORTS: [Cohort; 5] = [
    Cohort { rig: "ioc-secure", release: "IOC" },
    Cohort { rig: "ioc-aclara", release: "IOC" },
    Cohort { rig: "moc-mds", release: "MOC" },
    Cohort { rig: "moc-secure", release: "MOC" },
    Cohort { rig: "foc", release: "FOC" },
];

/// What touches most of that in which the models differ: addresses, passwords, OBIS codes, scalers, profiles, the clock,
/// tokens with their alerts, keys, the gas meter's local port.
const SCRIPTS: [&str; 9] = [
    "read-identity",
    "read-firmware-version",
    "synchronise-clock",
    "read-import-registers",
    "read-gas-register",
    "read-profile",
    "read-event-log",
    "top-up-duplicate",
    "disable-arm-enable-by-keys",
];

fn lab() -> PathBuf {
    repository().join("lab-config/labs/cohorts.toml")
}

/// The scripts of the IOC pack as a pack of another release, which nobody agreed to.
fn pack(cohort: &Cohort, folder: &Path) -> PathBuf {
    let (from, to) =
        (repository().join("scenarios/packs/ioc-service-reference-variant"), folder.join("cohort"));
    std::fs::create_dir(&to).expect("a folder");
    for script in SCRIPTS {
        let text = std::fs::read_to_string(from.join(format!("{script}.toml"))).expect("a script");
        // The meters of this combination have the register before the interval in their profile.
        let text = if cohort.rig == "moc-secure" { text.replace("value[0][1]", "value[0][2]") } else { text };
        // These count in steps of 10 Wh and 10 litres.
        let text =
            if cohort.rig == "moc-mds" { text.replace("tolerance = 2,", "tolerance = 10,") } else { text };
        std::fs::write(to.join(format!("{script}.toml")), text).expect("written");
    }
    let list: Vec<String> = SCRIPTS.iter().map(|script| format!("\"{script}\"")).collect();
    let heading = format!(
        "id = \"cohort\"\ntitle = \"Some of the IOC scripts\"\nkind = \"service-reference-variant\"\nrelease = \"{}\"\n\
         standard = false\nrationale = \"no standard pack of this release is written yet\"\nagreement = \"none\"\n\
         requires-enrolled = true\nscripts = [{}]\n",
        cohort.release,
        list.join(", ")
    );
    std::fs::write(to.join("pack.toml"), heading).expect("written");
    let locked =
        harness().expect("the harness builds").args(["check", "--write-lock", "--pack"]).arg(&to).output();
    let locked = locked.expect("check starts");
    assert!(locked.status.success(), "{}", shown(&locked));
    to
}

fn told(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn a_rig_of_every_cohort_is_proved_and_passes_scripts_at_the_same_time_as_the_others() {
    let folders: Vec<_> = COHORTS.iter().map(|_| tempfile::tempdir().expect("a folder")).collect();
    let start = |(cohort, folder): (&Cohort, &tempfile::TempDir)| {
        let pack = pack(cohort, folder.path());
        let mut command = harness().expect("the harness builds");
        command.args(["run", "--rig", cohort.rig, "--lab"]).arg(lab()).arg("--pack").arg(pack);
        command.arg("--runs").arg(folder.path().join("runs"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().expect("the harness starts")
    };
    let children: Vec<_> = COHORTS.iter().zip(&folders).map(start).collect();
    for ((cohort, folder), child) in COHORTS.iter().zip(&folders).zip(children) {
        let out = child.wait_with_output().expect("it ends");
        let said = told(&out);
        assert!(out.status.success(), "{}: {}", cohort.rig, shown(&out));
        // A script that is run on several devices counts for each; one for a device the rig has not is not run.
        let all_passed = (SCRIPTS.len()..20).any(|count| {
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
