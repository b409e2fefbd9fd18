//! One capture a run, over every kind of link: Wireshark's tools show each frame once, with its link and direction, say nothing
//! is malformed where they know the protocol, and `harness decode` explains every octet of it.
//!
//! The release of Wireshark that Debian ships knows no DLMS, HDLC of meters or EZSP: there the link's own comments and
//! `harness decode` say what a frame is. MQTT it knows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use lab_tests::bench::{BROKER_PASSWORD, Bench, PASSWORD};
use lab_tests::serial_server::SerialServer;
use scenarios::{Act, Action, Pack, Script, Step};
use serde_json::Value;

/// One packet as tshark reads it.
#[derive(Debug)]
struct Packet {
    link: String,
    url: String,
    direction: String,
    comment: String,
    octets: String,
}

fn tshark(capture: &Path, arguments: &[&str]) -> String {
    let out = Command::new("tshark")
        .arg("-n")
        .arg("-r")
        .arg(capture)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("tshark ({error}); tests/run installs it"));
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    String::from_utf8(out.stdout).unwrap()
}

fn packets(capture: &Path) -> Vec<Packet> {
    let fields = [
        "frame.interface_name",
        "frame.interface_description",
        "frame.packet_flags_direction",
        "frame.comment",
        "data.data",
    ];
    let arguments: Vec<&str> = fields.iter().flat_map(|field| ["-e", *field]).collect();
    let text = tshark(capture, &[&["-T", "fields", "-E", "separator=\t"], &arguments[..]].concat());
    let packet = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        let mut next = || columns.next().unwrap_or_default();
        Packet { link: next(), url: next(), direction: next(), comment: next(), octets: next() }
    };
    text.lines().map(packet).collect()
}

/// Whether nobody has to bring anything about at a meter: the devices stand behind links of their own, and no person is asked.
fn needs_no_hand(script: &Script) -> bool {
    let by_hand = |step: &Step| match &step.action {
        Action::Ask(ask) => matches!(ask.act, Act::Fault(_) | Act::ClearFaults),
        _ => false,
    };
    !script.all_steps().any(by_hand)
}

/// Runs packs on a lab; the folder of the run, which passed.
fn run(bench: &Bench, lab: &Path, packs: &[&str]) -> PathBuf {
    let runs = bench.folder().join("runs");
    let mut harness = bench.harness().unwrap();
    harness.current_dir(lab_tests::repository()).arg("run").arg("--lab").arg(lab).arg("--runs").arg(&runs);
    for pack in packs {
        harness.args(["--pack", pack]);
        let pack = Pack::shipped(pack).unwrap();
        for script in pack.scripts.iter().filter(|script| needs_no_hand(script)) {
            harness.args(["--script", script.id.as_str()]);
        }
    }
    let out = harness.output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    lab_tests::run_folders(&runs).pop().unwrap()
}

/// How many packets the last record says the capture has.
fn packets_recorded(run: &Path) -> u64 {
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    let last: Value = serde_json::from_str(records.lines().last().unwrap()).unwrap();
    last["run-finished"]["captures"][0]["packets"].as_u64().unwrap()
}

/// Holds the capture of a run against its records, the links it should have, and the secrets it should not.
fn assert_whole(run: &Path, links: &[(&str, String)]) -> Vec<Packet> {
    let capture = run.join("captures/run.pcapng");
    let packets = packets(&capture);
    assert_eq!(packets.len() as u64, packets_recorded(run));
    let seen: BTreeSet<(&str, &str)> =
        packets.iter().map(|packet| (packet.link.as_str(), packet.url.as_str())).collect();
    let expected: BTreeSet<(&str, &str)> = links.iter().map(|(link, url)| (*link, url.as_str())).collect();
    assert_eq!(seen, expected);
    let mut ways: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for packet in &packets {
        assert!(["0x00000001", "0x00000002"].contains(&packet.direction.as_str()), "{packet:?}");
        assert!(
            !packet.octets.is_empty() || !packet.comment.is_empty(),
            "neither octets nor words: {packet:?}"
        );
        for secret in [PASSWORD, BROKER_PASSWORD] {
            let words = format!("{} {} {}", packet.link, packet.url, packet.comment);
            assert!(!words.contains(secret), "{packet:?}");
        }
        if !packet.octets.is_empty() {
            ways.entry(&packet.link).or_default().insert(&packet.direction);
        }
    }
    for (link, _) in links {
        assert_eq!(ways.get(link).map(BTreeSet::len), Some(2), "{link} is seen both ways");
    }
    assert_decoded(run);
    assert_mqtt_is_read(&capture);
    packets
}

/// `harness decode` explains every frame, and finds nothing wrong in any.
fn assert_decoded(run: &Path) {
    let out = lab_tests::harness().unwrap().arg("decode").arg(run).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success() && text.contains("nothing wrong in them"), "{}", lab_tests::shown(&out));
}

/// Wireshark's own dissector reads every packet of the station's link.
fn assert_mqtt_is_read(capture: &Path) {
    let taken = "uat:user_dlts:\"User 1 (DLT=148)\",\"mqtt\",\"0\",\"\",\"0\",\"\"";
    let filter = "frame.interface_name == \"rig-1/broker\" && frame.len > 0";
    let fields = ["-T", "fields", "-e", "mqtt.msgtype", "-e", "_ws.malformed"];
    let text = tshark(capture, &[&["-o", taken, "-Y", filter], &fields[..]].concat());
    assert!(text.lines().count() > 10, "{text}");
    for line in text.lines() {
        let (kind, malformed) = line.split_once('\t').unwrap_or((line, ""));
        assert!(!kind.is_empty() && malformed.is_empty(), "{text}");
    }
}

/// A wrapped message is a packet of its own.
fn assert_wrapped(packets: &[Packet]) {
    let wan: Vec<_> =
        packets.iter().filter(|packet| packet.link == "rig-1/CHF/wan" && !packet.octets.is_empty()).collect();
    assert!(wan.len() > 100, "{} messages", wan.len());
    for packet in &wan {
        let length = usize::from_str_radix(&packet.octets[12..16], 16).unwrap();
        assert!(packet.octets.starts_with("0001") && packet.octets.len() == 2 * (8 + length), "{packet:?}");
    }
    let gateway = |way: &str, header: &str| {
        wan.iter().any(|packet| packet.direction.ends_with(way) && packet.octets[16..].starts_with(header))
    };
    assert!(gateway("2", "e600") && gateway("1", "e700"), "the gateway header, asked and answered");
}

/// An HDLC frame is a packet of its own, from flag to flag.
fn assert_framed(packets: &[Packet], link: &str) {
    let frames = packets.iter().filter(|packet| packet.link == link && packet.octets.starts_with("7ea"));
    assert!(frames.clone().count() > 10, "{link}");
    assert!(frames.clone().all(|packet| packet.octets.ends_with("7e")), "{link}");
}

const FORMED: &str = "[[rig]]\ndongle = \"sim:?network=formed\"\n";

#[test]
fn a_run_over_serial_ports_tcp_a_station_and_a_dongle_is_whole_in_tshark() {
    let bench = Bench::start_changed(|_, text| Ok(text.replace("[[rig]]\n", FORMED)))
        .unwrap_or_else(|e| panic!("{e}"));
    let link = |device, path| bench.link(device, path).unwrap().to_owned();
    let dongle = link("dongle", "ezsp");
    let lab = bench
        .write_lab("dongle.toml", |text| {
            text.replace("[[rig]]\n", &format!("[[rig]]\ndongle = \"{dongle}\"\n"))
        })
        .unwrap();
    let run = run(&bench, &lab, &["example-non-standard", "home-area-network"]);
    let broker = std::fs::read_to_string(&lab).unwrap();
    let broker = broker.lines().find_map(|line| line.strip_prefix("url = \"")).unwrap().trim_end_matches('"');
    let links = [
        ("rig-1/CHF/wan", link("CHF", "wan")),
        ("rig-1/ESME/optical", link("ESME", "optical")),
        ("rig-1/GSME/local", link("GSME", "local")),
        ("rig-1/broker", broker.to_owned()),
        ("rig-1/dongle", dongle.clone()),
    ];
    let packets = assert_whole(&run, &links);
    assert_wrapped(&packets);
    assert_framed(&packets, "rig-1/ESME/optical");
    assert_framed(&packets, "rig-1/GSME/local");
    let said = |link: &str, words: &str| {
        packets.iter().any(|packet| packet.link == link && packet.comment.contains(words))
    };
    assert!(said("rig-1/ESME/optical", "line set to 300 baud 7E1"));
    assert!(said("rig-1/dongle", "Metering: read attributes current summation delivered"));
    // Every frame on the line to the dongle says in words what it is: no packet viewer knows the protocol.
    let silent =
        packets.iter().filter(|packet| packet.link == "rig-1/dongle" && packet.octets.ends_with("7e"));
    assert_eq!(silent.filter(|packet| packet.comment.is_empty()).count(), 0);
}

#[test]
fn a_run_over_udp_a_serial_server_and_hdlc_over_tcp_is_whole_in_tshark() {
    let udp = |text: String| text.replace("links.wan = \"sim:\"", "links.wan = \"sim:?transport=udp\"");
    let bench = Bench::start_changed(|_, text| Ok(udp(text))).unwrap_or_else(|error| panic!("{error}"));
    let link = |device, path| bench.link(device, path).unwrap().to_owned();
    let file =
        |url: &str| url.trim_start_matches("serial://").split('?').next().unwrap_or_default().to_owned();
    let (optical, local) = (link("ESME", "optical"), link("GSME", "local"));
    let head = SerialServer::start(&file(&optical));
    let port = SerialServer::plain(&file(&local));
    let (remote, hdlc) = (head.url("?sign-on=e"), format!("tcp+hdlc://127.0.0.1:{}", port.port));
    let change = |text: String| text.replace(&optical, &remote).replace(&local, &hdlc);
    let lab = bench.write_lab("remote.toml", change).unwrap();
    let run = run(&bench, &lab, &["example-non-standard"]);
    assert!(link("CHF", "wan").starts_with("udp://"));
    let broker = std::fs::read_to_string(&lab).unwrap();
    let broker = broker.lines().find_map(|line| line.strip_prefix("url = \"")).unwrap().trim_end_matches('"');
    let links = [
        ("rig-1/CHF/wan", link("CHF", "wan")),
        ("rig-1/ESME/optical", remote.clone()),
        ("rig-1/GSME/local", hdlc.clone()),
        ("rig-1/broker", broker.to_owned()),
    ];
    let packets = assert_whole(&run, &links);
    assert_wrapped(&packets);
    assert_framed(&packets, "rig-1/ESME/optical");
    assert_framed(&packets, "rig-1/GSME/local");
    let remarks = packets.iter().filter(|packet| packet.comment.contains("line set to 9600 baud 8N1"));
    assert!(remarks.count() > 0, "what the serial server was told is said");
}
