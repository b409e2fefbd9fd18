//! What the standard pack finds: a device with a wrong behaviour of each functional group fails exactly the scripts it should.
//!
//! The behaviours come from fault files, which simulated devices have from their start. Three runs share them, each of the
//! whole pack, so that a script that passes where it should not is found wherever it is; which behaviour a failing script
//! found is told by the words of its reason. Groups in which the DCC answers and no device, such as the inventory, schedules
//! and who may ask what, have no behaviour of a device: `harness`'s own tests hold those against the DCC stub.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use lab_tests::{harness, run_folders, shown};
use proto_lab::record::{Body, Record, Verdict};

/// A script of the pack, and words of the reason why it must not pass.
type Finds = (&'static str, &'static str);

/// A wrong behaviour, the functional group it is of, and the scripts that must find it.
struct Behaviour {
    fault: &'static str,
    group: &'static str,
    found_by: &'static [Finds],
}

/// The behaviours of each run. Those of one run touch scripts of their own.
const RUNS: [&[Behaviour]; 3] = [
    &[
        Behaviour {
            fault: "ESME: misreports 1-0:1.8.0",
            group: "readings",
            found_by: &[("read-import-registers", "in Wh")],
        },
        Behaviour {
            fault: "ESME: ignores 0-0:1.0.0",
            group: "clock",
            found_by: &[("synchronise-clock", "DeviceTime"), ("commission", "DeviceTime")],
        },
        Behaviour {
            fault: "ESME: ignores 0-0:17.0.0",
            group: "configuration",
            found_by: &[
                ("update-load-limit", "response.success"),
                ("load-limit-opens-the-supply", "8F33"),
                ("load-limit-leaves-the-supply", "response.success"),
            ],
        },
        Behaviour {
            fault: "CHF: ignores 0-0:96.50.10",
            group: "home-area-network",
            found_by: &[("restore-hub-device-log", "8F49")],
        },
    ],
    &[
        Behaviour {
            fault: "ESME: ignores 0-0:19.20.0",
            group: "tariff",
            found_by: &[
                ("update-and-read-tariff", "TariffTOUPrice"),
                ("update-import-tariff", "TariffTOUPrice"),
            ],
        },
        Behaviour {
            fault: "ESME: mutes 8F52",
            group: "alerts",
            found_by: &[("clear-event-log", "8F52"), ("configure-event-logging", "8F52")],
        },
        Behaviour {
            fault: "ESME: ignores 0-0:15.0.2",
            group: "firmware",
            found_by: &[("activate-firmware-later", "8F66")],
        },
        Behaviour {
            fault: "ESME: ignores 0-0:96.50.43",
            group: "customer",
            found_by: &[("customer-texts", "value")],
        },
    ],
    &[
        Behaviour {
            fault: "ESME: credits-used-tokens",
            group: "prepayment",
            found_by: &[("top-up-duplicate", "response.success")],
        },
        // The supply then stays as it is whatever is asked, which every script sees that looks at it.
        Behaviour {
            fault: "ESME: ignores 0-0:10.0.106",
            group: "supply",
            found_by: &[
                ("disable-arm-enable-by-keys", "SupplyState"),
                ("arm-leaves-supply-off", "8F32"),
                ("enable-supply", "SupplyState"),
                ("load-limit-opens-the-supply", "8F33"),
                ("load-limit-leaves-the-supply", "8F01"),
                ("tamper-locks-the-supply", "SupplyState"),
                ("misuse-wrong-role", "value"),
                ("misuse-forged-requests", "value"),
            ],
        },
        Behaviour {
            fault: "ESME: misreports 0-0:99.98.1",
            group: "security",
            found_by: &[("read-security-log", "LogCode"), ("clear-event-log", "LogCode")],
        },
    ],
];

/// A run of the pack with the wrong behaviours of one fault file.
struct Wrong {
    folder: tempfile::TempDir,
    child: Child,
}

fn fault_file(folder: &Path, behaviours: &[Behaviour]) -> PathBuf {
    let faults: Vec<String> =
        behaviours.iter().map(|behaviour| format!("  \"{}\",\n", behaviour.fault)).collect();
    let path = folder.join("faults.toml");
    std::fs::write(&path, format!("faults = [\n{}]\n", faults.concat())).expect("a fault file");
    path
}

fn start(behaviours: &[Behaviour]) -> Wrong {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(folder.path(), behaviours);
    let mut command = harness().expect("the harness builds");
    command.args(["run", "--pack", "ioc-service-reference-variant", "--faults-file"]).arg(faults);
    command.arg("--runs").arg(folder.path().join("runs"));
    command.env("HARNESS_STATE", folder.path().join("state"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the harness starts");
    Wrong { folder, child }
}

/// Every script that did not pass, with its reason; and what was noted of how the devices were made wrong.
fn outcome(wrong: Wrong) -> (BTreeMap<String, String>, Vec<String>) {
    let out = wrong.child.wait_with_output().expect("it ends");
    let runs = run_folders(&wrong.folder.path().join("runs"));
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}: {}", shown(&out)) };
    let lines = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    let (mut started, mut failed, mut notes) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in lines.split_inclusive('\n') {
        let record = Record::from_line(line.as_bytes()).expect("a record");
        match record.body {
            Body::ScriptStarted(script) => drop(started.insert(record.sequence, script.case.script)),
            Body::ScriptFinished(finished) if finished.verdict != Verdict::Pass => {
                let script = started.get(&finished.started).expect("its start");
                failed.insert(script.clone(), finished.reason.unwrap_or_default());
            }
            Body::ScriptNotRun(script) => {
                failed.insert(script.case.script, format!("not run: {}", script.reason));
            }
            Body::Note(note) => notes.push(note.what),
            _ => {}
        }
    }
    (failed, notes)
}

#[test]
fn a_wrong_behaviour_of_each_functional_group_fails_exactly_the_scripts_it_should() {
    let started = RUNS.map(start);
    for (behaviours, wrong) in RUNS.iter().zip(started) {
        let (failed, notes) = outcome(wrong);
        let mut expected = BTreeSet::new();
        for Behaviour { fault, group, found_by } in *behaviours {
            assert!(
                notes.iter().any(|note| note.ends_with(fault)),
                "the records tell of `{fault}`: {notes:?}"
            );
            for (script, words) in *found_by {
                let reason = failed.get(*script);
                let reason = reason
                    .unwrap_or_else(|| panic!("wrong pass: {script} does not find `{fault}` ({group})"));
                assert!(reason.contains(words), "{script} finds `{fault}` by {words:?}, found: {reason}");
                expected.insert((*script).to_owned());
            }
        }
        let others: Vec<_> = failed.iter().filter(|(script, _)| !expected.contains(*script)).collect();
        assert!(others.is_empty(), "no behaviour of this run is theirs: {others:#?}");
    }
}

#[test]
fn every_functional_group_in_which_a_device_answers_has_a_wrong_behaviour() {
    let pack = scenarios::Pack::shipped("ioc-service-reference-variant").expect("the pack");
    let groups: BTreeSet<&str> = pack.scripts.iter().filter_map(|script| script.group.as_deref()).collect();
    let held: BTreeSet<&str> = RUNS.iter().copied().flatten().map(|behaviour| behaviour.group).collect();
    let of_the_dcc = BTreeSet::from(["inventory", "schedules"]);
    let without: Vec<&&str> =
        groups.difference(&held).filter(|group| !of_the_dcc.contains(**group)).collect();
    assert!(without.is_empty(), "no wrong behaviour of {without:?}");
}

/// A regression pack names what no longer passes, and what it was held against.
#[test]
fn a_regression_is_told_from_what_is_as_before() {
    let behaviours = [Behaviour { fault: "ESME: misreports 1-0:1.8.0", group: "readings", found_by: &[] }];
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(folder.path(), &behaviours);
    let mut command = harness().expect("the harness builds");
    command.args(["run", "--pack", "regression", "--faults-file"]).arg(faults);
    for script in ["read-inventory", "read-import-registers", "read-load-limit"] {
        command.args(["--script", script]);
    }
    command.arg("--runs").arg(folder.path().join("runs"));
    let out = command.env("HARNESS_STATE", folder.path().join("state")).output().expect("it runs");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let line =
        said.lines().find(|line| line.starts_with("Regression")).unwrap_or_else(|| panic!("{}", shown(&out)));
    assert!(line.contains("1 regressed") && line.contains("as before"), "{line}");
    assert_eq!(out.status.code(), Some(1), "{said}");
}
