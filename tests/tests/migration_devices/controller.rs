//! The lab controller itself killed in the middle of a migration, with devices that live on in a process of their own: its
//! next start gives every device back, says so in its records, and migrates as if nothing had been. No secret is in
//! anything either run has written, save in what crossed the links.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::evidence::{LabKey, RunFolder, Standing, read_records, verify};
use lab_tests::devices::{Devices, embedded_lab};
use lab_tests::{program, repository, run_folders};
use proto_lab::record::{Tally, Verdict};

const PASSWORD: &str = "SmsoPw42";
/// 32 octets, as a vending key has them.
const VENDING_KEY: &str = "C3D4E5F60718293A4B5C6D7EC3D4E5F6";
const CHANGES: [(&str, &str); 2] = [
    ("password = { generated = true }", "password = { file = \"password\" }"),
    ("vending-key = { generated = true }", "vending-key = { file = \"vending\" }"),
];
/// How long a run of one script may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// After how many lines of the store the controller is killed: before, in the middle of, and after the change of keys.
const KILLS: [usize; 5] = [1, 4, 8, 12, 15];

/// The lab file of the devices that run: real links to them, and no station, which is theirs.
fn lab(devices: &Devices) -> PathBuf {
    let text = embedded_lab().expect("the embedded lab");
    let (before, after) = text.split_once("# What presses keys").expect("the station");
    let (_, after) = after.split_once("# Where stations and harness meet").expect("the broker");
    let mut text = format!("{before}# Where stations and harness meet{after}");
    for (from, to) in CHANGES {
        text = text.replace(from, to);
    }
    let mut kind = String::new();
    let line = |line: &str| {
        if let Some(named) = line.strip_prefix("kind = \"") {
            kind = named.trim_end_matches('"').to_owned();
            return format!("{line}\nsimulated = true");
        }
        let Some((path, _)) = line.strip_prefix("links.").and_then(|line| line.split_once(" = \"sim:"))
        else {
            return line.to_owned();
        };
        let at = |told: &&serde_json::Value| told["device"] == kind.as_str() && told["path"] == path;
        let link = devices.endpoints.iter().find(at).and_then(|told| told["link"].as_str());
        format!("links.{path} = \"{}\"", link.expect("a link"))
    };
    let text: Vec<String> = text.lines().map(line).collect();
    let path = devices.folder().join("real.toml");
    std::fs::write(&path, text.join("\n")).expect("written");
    path
}

fn run(devices: &Devices, lab: &Path) -> Command {
    let pack = repository().join("scenarios/packs/ioc-dormant-migration");
    let mut command = Command::new(program("harness").expect("the harness builds"));
    command.arg("run").arg("--lab").arg(lab).arg("--pack").arg(pack).args(["--script", "device-contact"]);
    command
        .arg("--runs")
        .arg(devices.folder().join("runs"))
        .env("HARNESS_STATE", devices.folder().join("state"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn lines(store: &Path) -> usize {
    std::fs::read(store).unwrap_or_default().iter().filter(|octet| **octet == b'\n').count()
}

/// Kills the controller once its store has so many lines; false where it ended before.
fn killed(mut child: Child, store: &Path, wanted: usize) -> bool {
    let begun = Instant::now();
    while lines(store) < wanted {
        if child.try_wait().expect("a child").is_some() || begun.elapsed() > PATIENCE {
            let _ = child.kill();
            return false;
        }
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    true
}

fn words(out: &Output) -> String {
    [&out.stdout, &out.stderr].map(|octets| String::from_utf8_lossy(octets).into_owned()).concat()
}

/// Every file below, save the captures: what crosses a link may be a password in clear.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "captures") => {}
            true => files(&path, into),
            false => into.push(path),
        }
    }
}

#[test]
fn a_controller_killed_while_it_changes_keys_gives_every_device_back_at_its_next_start() {
    let files_beside = [("password", PASSWORD), ("vending", VENDING_KEY)];
    let devices = Devices::start(&CHANGES, &files_beside).expect("the devices start");
    let lab = lab(&devices);
    let store = devices.folder().join("state/migration/secrets/00DB123456789001.jsonl");
    let mut met = 0;
    for wanted in KILLS {
        let child = run(&devices, &lab).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        met += usize::from(killed(child.expect("the harness starts"), &store, wanted));
        let held = lines(&store);
        let out = run(&devices, &lab).output().expect("the harness starts");
        let said = words(&out);
        assert!(out.status.success(), "killed at line {held}: {said}");
        assert!(held == 0 || said.contains("recovered: found"), "killed at line {held}: {said}");
        assert_eq!(lines(&store), 0, "everything is given back: {said}");
    }
    assert!(met >= 3, "the kills must meet the change of keys, {met} did");

    let mut written = Vec::new();
    files(&devices.folder().join("state"), &mut written);
    files(&devices.folder().join("runs"), &mut written);
    assert!(written.len() > 20, "{written:?}");
    for path in written {
        let octets = std::fs::read(&path).expect("a file");
        for secret in [PASSWORD, VENDING_KEY] {
            for form in [secret.to_owned(), hex::encode(secret), hex::encode_upper(secret)] {
                let found = octets.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{} holds a secret", path.display());
            }
        }
    }
}

/// The run itself is gone on with, not only its devices recovered: the script under way is inconclusive, the rest is run.
#[test]
fn a_run_killed_while_it_changes_keys_is_gone_on_with_to_its_end() {
    let files_beside = [("password", PASSWORD), ("vending", VENDING_KEY)];
    let devices = Devices::start(&CHANGES, &files_beside).expect("the devices start");
    let lab = lab(&devices);
    let store = devices.folder().join("state/migration/secrets/00DB123456789001.jsonl");
    let mut begun = run(&devices, &lab);
    let child = begun.args(["--script", "commissioning"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    assert!(killed(child.expect("the harness starts"), &store, 8), "it ended before its keys were changed");
    let runs = devices.folder().join("runs");
    let cut = run_folders(&runs).pop().expect("a run");
    let trusted = LabKey::trusted(&runs.join("keys")).expect("a key");
    let verified = || verify(&RunFolder::new(&cut), &trusted).expect("a run");
    assert_eq!(verified().standing, Standing::Open, "{}", verified());

    let mut again = Command::new(program("harness").expect("the harness builds"));
    again.arg("run").arg("--lab").arg(&lab).arg("--resume").arg(&cut);
    again.arg("--pack").arg(repository().join("scenarios/packs/ioc-dormant-migration"));
    let out =
        again.env("HARNESS_STATE", devices.folder().join("state")).output().expect("the harness starts");
    assert_eq!(out.status.code(), Some(4), "a script is inconclusive: {}", words(&out));
    assert!(verified().is_sound(), "{}", verified());
    assert_eq!(lines(&store), 0, "every device is given back");
    let records = read_records(&RunFolder::new(&cut)).expect("records");
    let recovered =
        records.iter().any(|record| record.to_line().is_ok_and(|line| line.contains("recovered: found")));
    assert!(recovered, "what was found on the devices is a record");
    let tally = Tally::of(&records);
    let ended: Vec<_> = tally
        .cases()
        .iter()
        .filter(|result| !result.attempts.is_empty())
        .map(|result| (result.case.script.as_str(), result.verdict))
        .collect();
    assert_eq!(ended, [("device-contact", Verdict::Inconclusive), ("commissioning", Verdict::Pass)]);
}
