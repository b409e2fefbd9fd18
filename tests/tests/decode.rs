//! `harness decode` held against what others make of the same octets: the gurux-dlms translator, and a packet viewer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn decode(arguments: &[&str]) -> (Output, Vec<Value>) {
    let out = lab_tests::harness().unwrap().arg("decode").arg("--json").args(arguments).output().unwrap();
    let text = String::from_utf8(out.stdout.clone()).unwrap();
    (out, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// APDUs as meters send them, and what the translator calls the service and the values in it.
const APDUS: [(&str, &str, &[&str]); 9] = [
    ("C001C1000301000108 00FF0200", "GetRequest", &["Get-Request", "1-0:1.8.0.255"]),
    ("C401C1000600003039", "GetResponse", &["Get-Response", "12345"]),
    ("C401C10104", "GetResponse", &["Get-Response", "object undefined"]),
    ("C101C1000800000100 00FF030010FFC4", "SetRequest", &["Set-Request", "0-0:1.0.0.255", "-60"]),
    ("C501C103", "SetResponse", &["Set-Response", "read-write denied"]),
    ("C301C1004600006003 0AFF02010F00", "ActionRequest", &["Action-Request", "remote_reconnect"]),
    ("C701C10000", "ActionResponse", &["Action-Response", "success"]),
    ("D80102", "ExceptionResponse", &["Exception-Response", "service not allowed"]),
    (
        "6117A109060760857405080101A203020101A305A10302010D",
        "AssociationResponse",
        &["AARE", "rejected for good", "authentication failure"],
    ),
];

/// What each of our words is called by the translator.
const SAME: [(&str, &str); 10] = [
    ("1-0:1.8.0.255", "0100010800FF"),
    ("12345", "00003039"),
    ("object undefined", "UndefinedObject"),
    ("0-0:1.0.0.255", "0000010000FF"),
    ("-60", "FFC4"),
    ("read-write denied", "ReadWriteDenied"),
    ("success", "Success"),
    ("service not allowed", "ServiceNotAllowed"),
    ("rejected for good", "AssociationResult Value=\"01\""),
    ("authentication failure", "ACSEServiceUser Value=\"0D\""),
];

#[test]
fn services_and_values_agree_with_the_gurux_translator() {
    let peers = lab_tests::peers().unwrap_or_else(|error| panic!("{error}"));
    let script = "import sys\n\
        from gurux_dlms import GXDLMSTranslator\n\
        from gurux_dlms.enums import TranslatorOutputType\n\
        translator = GXDLMSTranslator(TranslatorOutputType.SIMPLE_XML)\n\
        for line in sys.argv[1:]:\n\
        \x20   print(translator.pduToXml(bytearray.fromhex(line)).replace('\\n', ' '))\n";
    let plain: Vec<String> = APDUS.iter().map(|(apdu, ..)| apdu.replace(' ', "")).collect();
    let out = Command::new(peers.join("python")).args(["-c", script]).args(&plain).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let theirs = String::from_utf8(out.stdout).unwrap();
    let theirs: Vec<&str> = theirs.lines().collect();
    assert_eq!(theirs.len(), APDUS.len(), "{theirs:?}");
    let same: BTreeMap<&str, &str> = SAME.into_iter().collect();
    for ((apdu, service, words), xml) in APDUS.iter().zip(theirs) {
        let (_, told) = decode(&[apdu]);
        let summary = told[0]["layers"][0]["summary"].as_str().unwrap();
        assert!(xml.contains(service), "{apdu}: {xml}");
        for word in *words {
            assert!(summary.contains(word), "{apdu}: {summary} without {word}");
            let theirs = same.get(word);
            assert!(theirs.is_none_or(|theirs| xml.contains(theirs)), "{apdu}: {xml} without {theirs:?}");
        }
    }
}

/// A run on the embedded lab: a top-up, which is observed by the optical port, and a read of the gas proxy behind the hub.
fn run(folder: &Path) -> PathBuf {
    let out = lab_tests::harness()
        .unwrap()
        .current_dir(lab_tests::repository())
        .args(["run", "--script", "top-up", "--script", "read-gas-register", "--runs"])
        .arg(folder)
        .output()
        .unwrap();
    let found = lab_tests::run_folders(folder);
    assert_eq!(found.len(), 1, "{}", lab_tests::shown(&out));
    found[0].clone()
}

#[test]
fn every_frame_of_a_run_is_understood_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path());
    let (out, told) = decode(&[run.to_str().unwrap()]);
    let unsound: Vec<&Value> = told.iter().filter(|told| told["sound"] != true).collect();
    assert!(unsound.is_empty(), "{unsound:#?}");
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let frames: Vec<&Value> =
        told.iter().filter(|told| !told["layers"].as_array().unwrap().is_empty()).collect();
    assert!(frames.len() > 50, "only {} frames", frames.len());
    assert_eq!(octets_told(&frames), octets_seen(&run.join("captures/run.pcapng")));
    for wanted in ["Get-Request", "Get-Response", "AARQ", "gateway", "sign-on request"] {
        let has = |told: &&&Value| told["layers"].to_string().contains(wanted);
        assert!(frames.iter().any(|told| has(&told)), "no {wanted} in the run");
    }
}

/// Octets by link and direction, as explained.
fn octets_told(frames: &[&Value]) -> BTreeMap<(String, String), usize> {
    let mut octets = BTreeMap::new();
    for told in frames {
        let key = (told["link"].as_str().unwrap().to_owned(), told["direction"].as_str().unwrap().to_owned());
        *octets.entry(key).or_default() += told["layers"][0]["octets"].as_str().unwrap().len() / 2;
    }
    octets
}

/// Octets by link and direction, as the packet viewer counts them.
fn octets_seen(capture: &Path) -> BTreeMap<(String, String), usize> {
    let fields = ["-e", "frame.interface_name", "-e", "frame.packet_flags_direction", "-e", "frame.len"];
    let out = Command::new("tshark")
        .args(["-n", "-T", "fields", "-E", "separator=|"])
        .args(fields)
        .arg("-r")
        .arg(capture)
        .output()
        .unwrap_or_else(|e| panic!("tshark could not be started ({e}); tests/run installs it"));
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let mut octets = BTreeMap::new();
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let [link, direction, length] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let direction = match direction.trim_start_matches("0x").trim_start_matches('0') {
            "1" => "received",
            "2" => "sent",
            other => panic!("direction {other:?} in {line}"),
        };
        let length: usize = length.parse().unwrap();
        if length > 0 {
            *octets.entry((link.to_owned(), direction.to_owned())).or_default() += length;
        }
    }
    octets
}
