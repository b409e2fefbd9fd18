//! The house stands as drawn: crates depend one way, and each room reaches only where it may.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use source::{Source, sources};

/// Our crates, and those of ours each may use. Proto crates stand apart from each other too, save that the files of a
/// migration are signed as DUIS messages are.
const MAY_USE: &[(&str, &[&str])] = &[
    ("proto-lab", &[]),
    ("proto-dlms", &[]),
    ("proto-duis", &[]),
    ("proto-zigbee", &[]),
    ("proto-migration", &["proto-duis"]),
    ("lab-config", &["proto-lab", "proto-dlms", "proto-duis", "proto-zigbee", "proto-migration"]),
    (
        "scenarios",
        &["proto-lab", "proto-dlms", "proto-duis", "proto-zigbee", "proto-migration", "lab-config"],
    ),
    ("device-sim", &["proto-lab", "proto-dlms", "proto-duis", "proto-zigbee", "lab-config"]),
    (
        "harness",
        &[
            "proto-lab",
            "proto-dlms",
            "proto-duis",
            "proto-zigbee",
            "proto-migration",
            "lab-config",
            "scenarios",
            "device-sim",
        ],
    ),
];

/// The rooms of the harness, one per stage of the picture.
const ROOMS: [&str; 19] = [
    "queue",
    "dispatch",
    "execute",
    "service_user",
    "dcc",
    "s1sp",
    "driver",
    "link",
    "station",
    "evidence",
    "watch",
    "decode",
    "gate",
    "report",
    "dmct",
    "migration",
    "server",
    "cli",
    "embedded",
];

/// Rooms whose logic is pure: time and records are arguments.
const PURE_ROOMS: [&str; 4] = ["gate", "report", "dmct", "queue"];

/// What a pure room may not reach for.
const IMPURE: [&str; 8] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn harness() -> Vec<Source> {
    sources(&workspace().join("harness/src"))
}

fn room(source: &Source) -> &str {
    source.module.first().map_or("", String::as_str)
}

#[test]
fn crates_depend_one_way() {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let ours: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    for package in &metadata.packages {
        // The tests crate may use all of them, and nothing may use it.
        let may_use = match allowed.get(package.name.as_str()) {
            Some(may_use) => *may_use,
            None => {
                assert_eq!(package.name.as_str(), "lab-tests", "a crate without a place in the house");
                continue;
            }
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            assert!(
                !ours.contains(&name) || may_use.contains(&name),
                "{} depends on {name}; it may use {may_use:?}",
                package.name
            );
        }
    }
}

#[test]
fn every_room_of_the_house_is_there() {
    let files = harness();
    for wanted in ROOMS {
        assert!(files.iter().any(|file| room(file) == wanted), "no room `{wanted}` in harness/src");
    }
}

#[test]
fn only_the_embedded_lab_uses_the_simulator() {
    for file in harness().iter().filter(|file| room(file) != "embedded") {
        assert!(!file.names("device_sim"), "{} uses device_sim", file.file.display());
    }
}

#[test]
fn pure_rooms_reach_for_no_runtime_file_socket_or_clock() {
    for file in harness().iter().filter(|file| PURE_ROOMS.contains(&room(file))) {
        for impure in IMPURE {
            assert!(!file.names(impure), "{} names {impure}", file.file.display());
        }
    }
}

#[test]
fn a_watcher_cannot_reach_what_it_watches() {
    for file in harness().iter().filter(|file| room(file) == "watch") {
        for forbidden in
            ["crate::execute", "crate::dispatch", "crate::service_user", "crate::driver", "crate::s1sp"]
        {
            assert!(!file.names(forbidden), "{} names {forbidden}", file.file.display());
        }
    }
}

/// The modules of the listeners that reach further: what is behind them acts on the lab, and they are mounted at the control
/// listener alone.
const ACTS: [&str; 2] = ["control", "station"];

#[test]
fn only_what_is_mounted_at_the_control_listener_reaches_what_it_acts_on() {
    let acts = |file: &Source| file.module.get(1).is_some_and(|module| ACTS.contains(&module.as_str()));
    for file in harness().iter().filter(|file| room(file) == "server" && !acts(file)) {
        for other in ROOMS.iter().filter(|other| !may_show(file).contains(other)) {
            assert!(!file.names(&format!("crate::{other}")), "{} names {other}", file.file.display());
        }
        for acting in ACTS {
            let acting = format!("crate::server::{acting}");
            assert!(file.module.len() == 1 || !file.names(&acting), "{} names {acting}", file.file.display());
        }
        for writer in ["crate::evidence::Recorder", "crate::evidence::LabKey", "tokio::fs"] {
            assert!(!file.names(writer), "{} names {writer}", file.file.display());
        }
    }
}

/// The names of files that watching may use: none of them writes.
const READS: [&str; 4] = ["std::fs::File", "std::fs::read_dir", "File", "File::open"];

#[test]
fn what_is_given_to_watchers_is_read_and_nothing_else() {
    let shown =
        |file: &Source| file.module.get(1).is_some_and(|module| ["watch", "page"].contains(&module.as_str()));
    let found: Vec<Source> =
        harness().into_iter().filter(|file| room(file) == "server" && shown(file)).collect();
    assert!(found.len() > 4);
    for file in found {
        let of_files =
            |path: &&String| path.split("::").any(|part| ["fs", "File", "OpenOptions"].contains(&part));
        for path in file.paths.iter().filter(of_files) {
            assert!(READS.contains(&path.as_str()), "{} names {path}", file.file.display());
        }
    }
}

/// The rooms that what is shown of a run may be made of: none of them drives one (13.16(b)).
fn may_show(file: &Source) -> &'static [&'static str] {
    match file.module.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["server", "page", ..] => &["server", "evidence", "watch", "gate", "report", "decode"],
        ["watch", ..] => &["watch", "evidence", "gate", "report"],
        ["decode", ..] => &["decode", "evidence"],
        _ => &["server", "evidence", "watch"],
    }
}

#[test]
fn what_is_shown_of_a_run_is_made_of_its_records_alone() {
    for file in harness().iter().filter(|file| ["watch", "decode"].contains(&room(file))) {
        for other in ROOMS.iter().filter(|other| !may_show(file).contains(other)) {
            assert!(!file.names(&format!("crate::{other}")), "{} names {other}", file.file.display());
        }
    }
}

#[test]
fn scripts_reach_devices_by_one_path() {
    // The executor acts through a bench; only an observation, by the second path, goes to a driver.
    for file in harness().iter().filter(|file| room(file) == "execute") {
        for forbidden in ["crate::s1sp", "crate::dcc", "crate::driver", "crate::link", "crate::station"] {
            assert!(!file.names(forbidden), "{} names {forbidden}", file.file.display());
        }
    }
}

/// Feeds every parser random octets for the fuzzers; its virtual time has to begin somewhere.
const BEGINS_VIRTUAL_TIME: &str = "nonsense.rs";

#[test]
fn wire_formats_do_no_input_or_output_and_read_no_clock() {
    let input_and_output = ["tokio", "std::fs", "std::net", "std::thread"];
    let clocks = ["Instant::now", "SystemTime::now", "Timestamp::now", "jiff::Timestamp::now"];
    for name in ["dlms", "duis", "migration", "zigbee"] {
        for file in sources(&workspace().join("proto").join(name).join("src")) {
            let clocks = clocks.iter().filter(|_| file.file != Path::new(BEGINS_VIRTUAL_TIME));
            for impure in input_and_output.iter().chain(clocks) {
                assert!(!file.names(impure), "proto/{name}: {} names {impure}", file.file.display());
            }
        }
    }
}
