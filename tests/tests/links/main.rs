//! Every kind of link a bench has, as people use it: the harness's own program against simulated devices on real
//! pseudo-terminals and sockets, Debian's ser2net and two clients that are not ours in between, and tshark over what was
//! captured.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

mod bench;

use std::process::Command;

use bench::{Bench, Packet, SerialServer, harness, packets, told};
use serde_json::Value;

const IDENTITY: [&str; 3] = ["1", "0-0:96.1.0", "2"];
const ESME: &str = "00-DB-12-34-56-78-90-03";
const GSME: &str = "00-DB-12-34-56-78-90-04";
const CHF: &str = "00-DB-12-34-56-78-90-01";
/// The embedded lab's links, to be replaced by others.
const OPTICAL: &str = "links.optical = \"sim:?sign-on=e\"";
const LOCAL: &str = "links.local = \"sim:?baud=9600\"";

/// Reads who the device is and captures it; what was read and the packets.
fn read_identity(bench: &Bench, url: &str, name: &str) -> (Value, Vec<Packet>) {
    let capture = bench.new_file(name);
    let file = capture.to_str().unwrap();
    let read = told(&[&["read", url][..], &IDENTITY, &["--capture", file]].concat());
    (read, packets(&capture))
}

/// Every octet the harness counted is in the capture once, every frame is one packet, each with its link and direction.
fn assert_whole(read: &Value, packets: &[Packet], url: &str) {
    assert!(packets.iter().all(|packet| packet.link == "read" && packet.url == url), "{packets:?}");
    let octets = |received| -> usize {
        packets
            .iter()
            .filter(|packet| packet.received == received)
            .map(|packet| packet.octets.len() / 2)
            .sum()
    };
    // Association and release are in the capture and not in the count of the read itself.
    assert!(octets(false) > read["octets_sent"].as_u64().unwrap() as usize, "{packets:?}");
    assert!(octets(true) > read["octets_received"].as_u64().unwrap() as usize, "{packets:?}");
}

/// Every HDLC frame is one packet, with a flag at either end, in either direction.
fn assert_hdlc(packets: &[Packet]) {
    let frames: Vec<_> = packets.iter().filter(|packet| packet.octets.starts_with("7ea")).collect();
    assert!(frames.len() >= 8, "SNRM, UA, AARQ, AARE, GET and so on: {packets:?}");
    for frame in frames {
        assert!(frame.octets.ends_with("7e") && frame.comment.is_empty(), "{frame:?}");
    }
}

#[test]
fn serial_with_a_sign_on_shows_every_frame_in_tshark() {
    let bench = Bench::start(&[]);
    let url = bench.link("optical");
    let (read, packets) = read_identity(&bench, &url, "optical.pcapng");
    assert_eq!(read["value"], ESME, "{read}");
    assert_whole(&read, &packets, &url);
    assert_hdlc(&packets);
    let said: Vec<(bool, &str)> =
        packets.iter().map(|packet| (packet.received, packet.octets.as_str())).collect();
    // The request, the acknowledgement and the confirmation; the identification begins with a slash.
    assert!(said.contains(&(false, "2f3f210d0a")), "{said:?}");
    assert!(said.contains(&(false, "063235320d0a")) && said.contains(&(true, "063235320d0a")), "{said:?}");
    assert!(said.iter().any(|(received, octets)| *received && octets.starts_with("2f4c4162")), "{said:?}");
    let comments: Vec<&str> = packets.iter().map(|packet| packet.comment.as_str()).collect();
    for line in ["line set to 300 baud 7E1", "line set to 9600 baud 7E1", "line set to 9600 baud 8N1"] {
        assert!(comments.contains(&line), "{line}: {comments:?}");
    }
}

#[test]
fn tcp_and_udp_show_every_wrapped_apdu_in_tshark() {
    let bench = Bench::start(&[]);
    let tcp = bench.link("wan");
    for (url, name) in [(tcp.clone(), "tcp.pcapng"), (tcp.replace("tcp:", "udp:"), "udp.pcapng")] {
        let (read, packets) = read_identity(&bench, &url, name);
        assert_eq!(read["value"], CHF, "{read}");
        assert_whole(&read, &packets, &url);
        let messages: Vec<_> = packets.iter().filter(|packet| !packet.octets.is_empty()).collect();
        assert_eq!(messages.len(), 6, "association, read and release, asked and answered: {packets:?}");
        for message in messages {
            let length = usize::from_str_radix(&message.octets[12..16], 16).unwrap();
            assert!(
                message.octets.starts_with("0001") && message.octets.len() == 2 * (8 + length),
                "{message:?}"
            );
        }
    }
}

#[test]
fn pydlms_reads_the_hub_over_udp() {
    let bench = Bench::start(&[]);
    let url = bench.link("wan").replace("tcp:", "udp:");
    let peer = lab_tests::peers().unwrap_or_else(|advice| panic!("{advice}")).join("pydlms");
    let out = Command::new(peer)
        .args(["--json", "read", &url, "--client", "1", "--server", "1", "--auth", "lls", "--password"])
        .args([bench::PASSWORD, "--obis", "0-0:96.1.0", "--class", "1"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let read: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(read[0]["value"], hex::encode(CHF));
}

#[test]
fn ser2net_changes_speed_and_parity_in_a_sign_on() {
    let bench = Bench::start(&[]);
    let server = SerialServer::start(&bench.file("optical"));
    let url = server.url("?sign-on=e");
    let (read, packets) = read_identity(&bench, &url, "rfc2217.pcapng");
    assert_eq!(read["value"], ESME, "{read}");
    assert_whole(&read, &packets, &url);
    assert_hdlc(&packets);
    let comments: Vec<&str> = packets.iter().map(|packet| packet.comment.as_str()).collect();
    assert!(comments.contains(&"line set to 9600 baud 8N1"), "{comments:?}");
    assert!(packets.iter().all(|packet| !packet.octets.starts_with("fffa")), "no Telnet in the capture");
}

/// A pseudo-terminal has no wires for RTS and CTS: that the setting is asked for and confirmed is what can be seen without
/// hardware; whether a port obeys it cannot.
#[test]
fn ser2net_takes_the_flow_control_that_is_asked_for_and_confirms_it() {
    let bench = Bench::start(&[]);
    let server = SerialServer::start(&bench.file("optical"));
    let (read, packets) = read_identity(&bench, &server.url("?sign-on=e&flow=rts-cts"), "flow.pcapng");
    assert_eq!(read["value"], ESME, "{read}");
    let comments: Vec<&str> = packets.iter().map(|packet| packet.comment.as_str()).collect();
    assert!(comments.contains(&"line set to 9600 baud 8N1 rts-cts"), "{comments:?}");
    let out = harness(&[&["read", &server.url("?flow=xon-xoff")][..], &IDENTITY].concat());
    assert_eq!(out.status.code(), Some(2), "{}", lab_tests::shown(&out));
    assert!(lab_tests::shown(&out).contains("xon-xoff"), "{}", lab_tests::shown(&out));
}

#[test]
fn ser2net_carries_direct_hdlc_and_a_read_out() {
    let bench = Bench::start(&[]);
    let local = SerialServer::start(&bench.file("local"));
    let read = told(&[&["read", &local.url("?baud=9600")][..], &IDENTITY].concat());
    assert_eq!(read["value"], GSME, "{read}");
    let optical = SerialServer::start(&bench.file("optical"));
    let read = told(&["read", &optical.url("?sign-on=c"), "--read-out"]);
    assert_eq!((&read["baud"], data_set(&read, "0-0:96.1.0")), (&Value::from(9600), ESME.into()), "{read}");
}

#[test]
fn a_serial_server_that_is_gone_busy_or_none_is_said_to_be_so() {
    let bench = Bench::start(&[]);
    let server = SerialServer::start(&bench.file("local"));
    let words = |url: &str| {
        let out = harness(&[&["read", url][..], &IDENTITY].concat());
        assert!(!out.status.success(), "{}", lab_tests::shown(&out));
        String::from_utf8(out.stderr).unwrap()
    };
    let _other = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let busy = words(&server.url("?retries=0"));
    assert!(busy.contains("in use"), "{busy}");
    let port = server.port;
    drop(server);
    let gone = words(&format!("rfc2217://127.0.0.1:{port}?retries=0"));
    assert!(gone.contains("refused"), "{gone}");
    // The hub speaks no Telnet: it closes.
    let hub = bench.link("wan").replace("tcp:", "rfc2217:");
    let none = words(&format!("{hub}?retries=0&response=2s"));
    assert!(none.contains("serial server") || none.contains("RFC 2217"), "{none}");
}

/// The first value of a data set.
fn data_set(read: &Value, address: &str) -> Value {
    let sets = read["data_sets"].as_array().unwrap();
    let set = sets.iter().find(|set| set["address"] == address);
    set.unwrap_or_else(|| panic!("no {address} in {read}"))["values"][0]["value"].clone()
}

#[test]
fn a_meter_reads_itself_out_to_us_and_to_a_client_that_is_not_ours() {
    let bench = Bench::start(&[]);
    let url = bench.link("optical");
    let ours = told(&["read", &url, "--read-out"]);
    assert_eq!(data_set(&ours, "0-0:96.1.0"), ESME);
    let out = Command::new(lab_tests::peers().unwrap_or_else(|advice| panic!("{advice}")).join("python"))
        .arg(lab_tests::repository().join("tests/tests/links/mode_c.py"))
        .arg(bench.file("optical"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let theirs = String::from_utf8(out.stdout).unwrap();
    assert!(theirs.contains(&format!("0-0:96.1.0({ESME})")), "{theirs}");
    let import =
        theirs.lines().find(|line| line.starts_with("1-0:1.8.0(")).unwrap_or_else(|| panic!("{theirs}"));
    assert!(import.ends_with("*Wh)"), "{import}");
}

/// On paced lines speed matters, as on a bench: what is sent at another speed is not understood.
#[test]
fn a_search_finds_how_a_line_begins_and_says_what_to_write() {
    let links = [
        (OPTICAL, "links.optical = \"sim:?sign-on=e&pace=on\""),
        (LOCAL, "links.local = \"sim:?baud=4800&pace=on\""),
    ];
    let bench = Bench::start(&links);
    let optical = format!("serial://{}?sign-on=auto&client=16", bench.file("optical"));
    let found = told(&["probe", &optical]);
    let url = found["line"]["link"].as_str().unwrap();
    assert_eq!(url, optical.replace("auto", "e"), "{found}");
    assert_eq!(found["clients"][0]["answers"], true, "{found}");
    let local = format!("serial://{}?sign-on=auto&client=16", bench.file("local"));
    let found = told(&["probe", &local]);
    let url = found["line"]["link"].as_str().unwrap();
    assert!(url.contains("baud=4800") && url.contains("sign-on=none"), "{found}");
    let out = harness(&["probe", &local]);
    assert!(
        lab_tests::shown(&out).contains(&format!("write in the lab file: {url}")),
        "{}",
        lab_tests::shown(&out)
    );
}

#[test]
fn a_wrong_speed_on_a_paced_line_is_not_silence_and_not_a_hang() {
    let bench = Bench::start(&[(LOCAL, "links.local = \"sim:?baud=9600&pace=on\"")]);
    let url = format!("serial://{}?baud=1200&response=1s&retries=1", bench.file("local"));
    let out = harness(&[&["read", &url][..], &IDENTITY].concat());
    let words = String::from_utf8(out.stderr.clone()).unwrap();
    assert!(!out.status.success() && words.contains("baud rate"), "{}", lab_tests::shown(&out));
}

#[test]
fn line_use_is_told_where_there_is_a_line() {
    let bench = Bench::start(&[(LOCAL, "links.local = \"sim:?baud=9600&pace=on&frame=2030&window=7\"")]);
    let read = told(&[&["read", &bench.link("local")][..], &IDENTITY, &["--repeat", "3"]].concat());
    assert_eq!((read["round_trips"].as_u64(), &read["value"]), (Some(3), &GSME.into()), "{read}");
    let used = read["line_use"].as_f64().unwrap();
    assert!(used > 0.0 && used <= 1.0, "{read}");
    let read = told(&[&["read", &bench.link("wan")][..], &IDENTITY].concat());
    assert!(read["line_use"].is_null() && read["octets_sent"].as_u64() > Some(0), "{read}");
}
