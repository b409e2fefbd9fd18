//! `harness send` on the embedded lab, as a user has it: one request by hand, explained, with its evidence.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::process::Output;

use lab_tests::{harness, run_folders, shown};
use serde_json::Value;
use tempfile::TempDir;

fn send(runs: &TempDir, arguments: &[&str]) -> Output {
    harness().unwrap().arg("send").args(arguments).arg("--runs").arg(runs.path()).output().unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {}", shown(out)))
}

#[test]
fn a_reading_comes_with_its_unit_what_went_over_the_line_and_evidence_no_gate_takes() {
    let runs = TempDir::new().unwrap();
    let out = send(&runs, &["4.1.1", "--device", "ESME"]);
    assert!(out.status.success(), "{}", shown(&out));
    let told = said(&out);
    for words in [
        "request 4.1.1 Read Instantaneous Import Registers as IS",
        "Accepted     I99, accepted, the answer follows; record ",
        "the device did it",
        " Wh\n",
        "Alerts       none came with it",
        "messages sent on rig-1/CHF/wan: ",
        "Get-Request 1-0:1.8.0.255 active energy import total",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let [run] = &run_folders(runs.path())[..] else { panic!("one run") };
    let sound = harness().unwrap().arg("verify").arg(run).output().unwrap();
    assert!(sound.status.success(), "{}", shown(&sound));
    let report = harness().unwrap().args(["report", "--json"]).arg(run).output().unwrap();
    let report = json(&report);
    assert_eq!(report["status"], "draft", "{report}");
    assert_eq!(report["outcome"]["result"], "undecided", "a request by hand passes nothing: {report}");
}

#[test]
fn a_token_is_made_taken_and_its_alert_told() {
    let runs = TempDir::new().unwrap();
    let out = send(&runs, &["TopUpDevice", "--device", "ESME", "--field", "UTRN=${utrn:1000}", "--json"]);
    assert!(out.status.success(), "{}", shown(&out));
    let told = json(&out);
    assert_eq!((&told["outcome"], &told["answer"]["success"]), (&"done".into(), &true.into()), "{told}");
    let alert = &told["alerts"][0];
    assert_eq!(alert["code"], "810E", "{told}");
    assert!(alert["words"].as_str().unwrap().ends_with("credit added: £10.00"), "{told}");
    assert!(told["line"].as_str().unwrap().contains("token gateway"), "{told}");
}

#[test]
fn a_refusal_is_told_with_its_meaning_and_exits_with_one() {
    let runs = TempDir::new().unwrap();
    let out = send(&runs, &["7.2", "--device", "PPMID"]);
    assert_eq!(out.status.code(), Some(1), "{}", shown(&out));
    let told = said(&out);
    assert!(told.contains("Refused      E11, the request does not apply to this type of device"), "{told}");
    assert!(told.contains("nothing went to a device"), "{told}");
}

#[test]
fn what_a_device_does_not_do_is_told_with_its_reason() {
    let runs = TempDir::new().unwrap();
    let out = send(&runs, &["2.2", "--device", "ESME", "--field", "UTRN=02500000420427214348", "--json"]);
    assert_eq!(out.status.code(), Some(1), "{}", shown(&out));
    let told = json(&out);
    assert_eq!((&told["outcome"], &told["answer"]["success"]), (&"failed".into(), &false.into()), "{told}");
    assert!(!told["answer"]["debug"].as_array().unwrap().is_empty(), "{told}");
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_started() {
    let runs = TempDir::new().unwrap();
    for (arguments, words) in [
        (&["4.1"][..], "did you mean 4.1.1,"),
        (&["4.1.1"], "the devices of rig rig-1 are"),
        (&["4.1.1", "--device", "IHD"], "its devices are CHF"),
        (&["6.11", "--device", "ESME", "--field", "Tolerance=1"], "has no field Tolerance"),
        (&["2.2", "--device", "ESME", "--field", "UTRN=12"], "20"),
        (&["4.1.1", "--device", "ESME", "--within", "2d"], "from 1ms to 1h"),
    ] {
        let out = send(&runs, arguments);
        assert_eq!(out.status.code(), Some(2), "{}", shown(&out));
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(run_folders(runs.path()).is_empty());
}
