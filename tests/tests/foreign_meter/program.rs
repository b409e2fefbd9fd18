//! The program itself against the meter that is not ours: `probe`, `read`, and a run of a script.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lab_tests::{harness, run_folders, shown};
use serde_json::Value;

use super::peer::{ForeignMeter, PASSWORD, SerialLine};

const MODEL: &str = include_str!("../../../lab-config/device-models/generic-dlms-meter.toml");

const SCRIPT: &str = r#"title = "The register of a meter that is not ours reads what it should"
covers = ["A2"]
device = "ESME"

[[step]]
observe = "active-import"
through = "optical"
expect = [{ at = "value", is = EXPECTED, unit = "Wh" }]

[[step]]
observe = { class = 7, obis = "1-0:99.1.0", attribute = 2 }
through = "optical"
select = { entries = [1, 3] }
expect = [{ at = "value", count = 3 }]
"#;

const PACK: &str = r#"id = "foreign"
title = "One meter on its own"
kind = "service-reference-variant"
release = "IOC"
standard = false
rationale = "a meter without a hub can only be observed"
agreement = "none"
requires-enrolled = false
scripts = ["register"]
"#;

fn command(arguments: &[&str]) -> Command {
    let mut command = harness().expect("the harness builds");
    command.env("METER_PASSWORD", PASSWORD).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn told(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", shown(out)))
}

/// The folder of a lab with one rig of one meter at this link, and a pack of one script.
fn lab(link: &str, client: &str, expected: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    // The foreign meter counts its deviation the other way round, and its clock is its own affair.
    let model = MODEL.replace("clock = { class = 8, obis = \"0-0:1.0.0\", verified = false }\n", "");
    write("meter.toml", model);
    write("lab.toml", lab_file(link, client));
    std::fs::create_dir(folder.path().join("pack")).expect("a folder");
    write("pack/pack.toml", PACK.to_owned());
    write("pack/register.toml", SCRIPT.replace("EXPECTED", expected));
    let pack = folder.path().join("pack");
    let locked = command(&["check", "--pack", pack.to_str().expect("a path"), "--write-lock"])
        .output()
        .expect("check");
    assert!(locked.status.success(), "{}", shown(&locked));
    folder
}

fn lab_file(link: &str, client: &str) -> String {
    format!(
        r#"name = "foreign"
device-models = ["meter.toml"]

[environment]
name = "one meter"
dcc-systems-version = "none"
access-control-broker = "90-B3-D5-1F-30-00-00-02"
s1sp = "90-B3-D5-1F-30-02-00-00"

[users]
IS = "90-B3-D5-1F-30-01-00-00"
GS = "90-B3-D5-1F-30-01-00-01"

[[combination]]
id = "one-meter"
release = "IOC"
communication-services-provider = "none"
models = ["generic-dlms-meter"]

[[epcl]]
id = "epcl-foreign"
combination = "one-meter"
installation-type = "dormant"
smso = "nobody"
status = "planned"
planned-start = 2026-11-23
planned-completion = 2027-01-29

[[rig]]
name = "table"
combination = "one-meter"

[[rig.device]]
kind = "ESME"
eui-64 = "00-DB-12-34-56-78-90-99"
links.optical = "{link}"
client.{client}
"#
    )
}

fn run(folder: &Path) -> (Output, PathBuf) {
    let text = |path: PathBuf| path.to_str().expect("a path").to_owned();
    let runs = folder.join("runs");
    let out =
        command(&["run", "--lab", &text(folder.join("lab.toml")), "--pack", &text(folder.join("pack"))])
            .arg("--runs")
            .arg(&runs)
            .output()
            .expect("the harness starts");
    let run = run_folders(&runs).pop().unwrap_or_else(|| panic!("no run: {}", shown(&out)));
    (out, run)
}

fn verdict_of(link: &str, client: &str, expected: &str) -> (Option<i32>, Value, String) {
    let folder = lab(link, client, expected);
    let (out, run) = run(folder.path());
    let records = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    let last: Value = serde_json::from_str(records.lines().last().expect("a record")).expect("JSON");
    (out.status.code(), last["run-finished"]["verdict"].clone(), shown(&out))
}

const OPEN: &str = "16 = { security = \"none\" }";
const LOW: &str = "17 = { security = \"low\", password = { env = \"METER_PASSWORD\" } }";

#[test]
fn a_script_run_passes_on_every_kind_of_link_and_fails_when_the_meter_says_otherwise() {
    let (wrapper, hdlc, serial) = (ForeignMeter::wrapper(), ForeignMeter::hdlc(), ForeignMeter::hdlc());
    let line = SerialLine::to(serial.port);
    let with = |url: String, client: u8| {
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("{url}{joint}client={client}")
    };
    for url in [wrapper.url("tcp", ""), hdlc.url("tcp+hdlc", ""), line.url("?baud=9600")] {
        for (client, security) in [(16, OPEN), (17, LOW)] {
            let (code, verdict, said) = verdict_of(&with(url.to_string(), client), security, "12345678");
            assert_eq!((code, verdict), (Some(0), "pass".into()), "{url} client {client}: {said}");
        }
    }
    let url = wrapper.url("tcp", "").to_string();
    let (code, verdict, said) = verdict_of(&with(url.clone(), 16), OPEN, "1");
    assert_eq!((code, verdict), (Some(1), "fail".into()), "{said}");
    let wrong = LOW.replace("METER_PASSWORD", "HOME");
    let (code, verdict, said) = verdict_of(&with(url, 17), &wrong, "12345678");
    assert_eq!((code, verdict), (Some(3), "error".into()), "{said}");
    assert!(said.contains("refuses the password"), "{said}");
}

/// The README's first rig, with its link and Device Model put in as it says, on a meter that is not ours.
#[test]
fn the_first_rig_of_the_readme_runs() {
    let meter = ForeignMeter::wrapper();
    let folder = tempfile::tempdir().expect("a folder");
    let model = MODEL.replace("clock = { class = 8, obis = \"0-0:1.0.0\", verified = false }\n", "");
    std::fs::write(folder.path().join("my-meter.toml"), model).expect("a file");
    let lab = include_str!("../../../lab-config/labs/one-meter.toml")
        .replace("shipped:generic-dlms-meter.toml", "my-meter.toml")
        .replace("serial:///dev/ttyUSB0?sign-on=e&client=16", &format!("{}?client=16", meter.url("tcp", "")));
    let path = folder.path().join("my-lab.toml");
    std::fs::write(&path, lab).expect("a file");
    let path = path.to_str().expect("a path");
    let runs = folder.path().join("runs");
    for arguments in
        [&["check", path][..], &["probe", "--lab", path], &["run", "--lab", path, "--pack", "one-meter"]]
    {
        let mut command = command(arguments);
        if arguments[0] == "run" {
            command.arg("--runs").arg(&runs);
        }
        let out = command.output().expect("the harness starts");
        assert!(out.status.success(), "{arguments:?}: {}", shown(&out));
    }
}

#[test]
fn probe_and_read_end_in_correct_verdicts() {
    let (wrapper, hdlc, serial) = (ForeignMeter::wrapper(), ForeignMeter::hdlc(), ForeignMeter::hdlc());
    let line = SerialLine::to(serial.port);
    for url in
        [wrapper.url("tcp", ""), hdlc.url("tcp+hdlc", ""), line.url("?baud=9600")].map(|url| url.to_string())
    {
        let probed = command(&["probe", &url, "--json"]).output().expect("probe");
        assert_eq!(told(&probed)["logical_device_name"], "PYD1000000000001", "{}", shown(&probed));
        let read = command(&["read", &url, "3", "1-0:1.8.0", "2", "--json", "--repeat", "20"])
            .output()
            .expect("read");
        let value = told(&read);
        assert_eq!((&value["value"], &value["unit"]), (&"12345678".into(), &"Wh".into()), "{}", shown(&read));
        assert_eq!(value["round_trips"], 20);
        let low = ["read", &url, "3", "1-0:1.8.0", "2", "--client", "17", "--password-env", "METER_PASSWORD"];
        let read = command(&low).output().expect("read");
        assert!(String::from_utf8_lossy(&read.stdout).contains("12345678 Wh"), "{}", shown(&read));
        let wrong = ["read", &url, "3", "1-0:1.8.0", "2", "--client", "17", "--password-env", "HOME"];
        let read = command(&wrong).output().expect("read");
        assert_eq!(read.status.code(), Some(3), "{}", shown(&read));
        let said = String::from_utf8_lossy(&read.stderr).into_owned();
        assert!(said.contains("refuses the password") && said.contains("hint:"), "{said}");
    }
}
