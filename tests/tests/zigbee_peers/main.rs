//! ZigBee held against programs that are not ours: Wireshark reads every Smart Energy command we build; bellows and zigpy
//! use our simulated co-processor as they use a dongle; and our own host is held against the same co-processor.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

mod air;
mod smart_energy;

use std::process::Command;

use lab_tests::devices::Devices;
use serde_json::Value;

/// The embedded lab's devices with a dongle beside them.
struct Served(Devices);

impl Served {
    fn start() -> Self {
        let rig = "[[rig]]\n";
        let with_dongle = "[[rig]]\ndongle = \"sim:\"\n";
        Self(Devices::start(&[(rig, with_dongle)], &[]).unwrap_or_else(|error| panic!("{error}")))
    }

    fn port(&self) -> &str {
        self.0.file("ezsp")
    }

    /// What `harness` prints as JSON with these arguments after the verb and the dongle.
    fn harness(&self, verb: &[&str], rest: &[&str]) -> Value {
        let out = lab_tests::harness()
            .unwrap_or_else(|error| panic!("{error}"))
            .args(verb)
            .arg(self.0.link("ezsp"))
            .args(rest)
            .arg("--json")
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", lab_tests::shown(&out));
        serde_json::from_slice(&out.stdout).unwrap()
    }
}

const ESME: &str = "00-DB-12-34-56-78-90-03";
const PPMID: &str = "00-DB-12-34-56-78-90-05";

#[test]
fn bellows_starts_our_co_processor_forms_a_network_and_exchanges_frames() {
    let served = Served::start();
    let python = lab_tests::peers().unwrap_or_else(|error| panic!("{error}")).join("python");
    let script = lab_tests::repository().join("tests/tests/zigbee_peers/bellows_session.py");
    let out = Command::new(python).arg(script).args([served.port(), "4"]).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let text = String::from_utf8(out.stdout).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |what: &str| told.iter().filter(|line| line["what"] == what).collect::<Vec<_>>();

    assert_eq!(of("formed")[0]["version"], "6.10.3.0 build 1");
    // Electricity meter and gas proxy serve Metering; the display does not; the gas meter sleeps and may say nothing.
    let metering =
        of("device").iter().filter(|device| device["clusters"].to_string().contains("1794")).count();
    assert!(metering >= 2, "{text}");
    for read in of("read") {
        assert_eq!(read["statuses"], serde_json::json!([0, 0, 0, 0x86]), "{text}");
        assert_eq!(read["values"][2], 1000, "the divisor: {text}");
    }
    // A report with a wrong type is refused, the other is configured, and comes.
    assert_eq!(of("configured")[0]["refused"], serde_json::json!([[0x8d, 0]]));
    assert!(of("report")[0]["values"]["0400"].is_i64(), "{text}");
    // Commands of clusters: half hours, the first of a month of days, a price, and an association through a tunnel.
    let profile = of("profile")[0];
    assert_eq!((&profile["status"], &profile["interval"]), (&0.into(), &2.into()), "{text}");
    assert_eq!(
        (profile["intervals"].as_array().unwrap().len(), &profile["octets"]),
        (3, &16.into()),
        "{text}"
    );
    let snapshot = of("snapshot")[0];
    assert!(snapshot["found"].as_u64() >= Some(28) && snapshot["sum"].as_u64() > Some(0), "{text}");
    let price = of("price")[0];
    assert_eq!((&price["currency"], &price["digits"], &price["unit"]), (&826.into(), &5.into(), &0.into()));
    assert!(
        price["price"].as_u64() > Some(0) && price["label"].as_str().unwrap().starts_with("Rate"),
        "{text}"
    );
    let tunnel = of("tunnel")[0];
    assert_eq!((&tunnel["status"], &tunnel["source"]), (&0.into(), &1.into()), "{text}");
    // An AARE (tag 61) that accepts: result 0.
    let aare = tunnel["apdu"].as_str().unwrap();
    assert!(aare.starts_with("61") && aare.contains("a203020100"), "{text}");
    assert_eq!(of("counters")[0]["joined"], 4);
    assert_eq!(of("done").len(), 1);
}

#[test]
fn the_harness_probes_a_dongle_forms_its_network_and_reads_attributes_by_it() {
    let served = Served::start();
    let probed = served.harness(&["probe"], &[]);
    assert_eq!((probed["ezsp_version"].as_u64(), &probed["network"]), (Some(8), &Value::Null));
    let formed = served.harness(&["zigbee", "form"], &["--channel", "20", "--pan-id", "BEEF"]);
    assert_eq!((&formed["network"]["pan_id"], &formed["network"]["channel"]), (&"BEEF".into(), &20.into()));
    let devices = served.harness(&["zigbee", "devices"], &["--permit", "2"]);
    let found = |eui64: &str| devices.as_array().unwrap().iter().any(|device| device["eui64"] == eui64);
    assert!(found(ESME) && found(PPMID), "{devices}");
    // Each command opens the dongle anew: the network outlives the reset.
    let read = served.harness(
        &["zigbee", "read"],
        &["--device", ESME, "--cluster", "0702", "--attribute", "0000", "--attribute", "0302"],
    );
    assert!(read[0]["value"].as_str().unwrap().parse::<u64>().unwrap() > 0, "{read}");
    assert_eq!(read[1]["value"], "1000");
    let model =
        served.harness(&["zigbee", "read"], &["--device", PPMID, "--cluster", "0000", "--attribute", "0005"]);
    assert_eq!(model[0]["data_type"], "42", "{model}");
    let probed = served.harness(&["probe"], &[]);
    assert_eq!(probed["network"]["pan_id"], "BEEF");
    // XON and XOFF are the line's own on such a dongle: the protocol escapes them wherever they are data.
    let mut harness = lab_tests::harness().unwrap();
    let software = format!("ezsp://{}?flow=xon-xoff", served.port());
    let out = harness.args(["zigbee", "devices", &software, "--json"]).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    assert_eq!(serde_json::from_slice::<Value>(&out.stdout).unwrap().as_array().unwrap().len(), 4);
}

#[test]
fn the_harness_says_what_is_wrong_with_a_dongle() {
    let mut harness = lab_tests::harness().unwrap_or_else(|error| panic!("{error}"));
    let out = harness.args(["probe", "ezsp:///dev/nothing-there?flow=rts-cts"]).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", lab_tests::shown(&out));
    assert!(String::from_utf8_lossy(&out.stderr).contains("/dev/nothing-there cannot be opened"));
    let mut harness = lab_tests::harness().unwrap();
    let out = harness.args(["probe", "ezsp:///dev/ttyUSB0"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", lab_tests::shown(&out));
    assert!(String::from_utf8_lossy(&out.stderr).contains("write flow=rts-cts"));
}
