//! Three independent clients visit our simulated electricity meter: pydlms-client, gurux-dlms and dlms-cosem, over the
//! wrapper (through the hub) and over HDLC at its own port, with no security, with a password, and with high-level
//! security 5 and every message ciphered. Each visit associates, reads a register, the clock and the half-hourly profile
//! whole, by entry and by range, writes the clock, invokes a method, and releases.
//!
//! A client is one Python process for each link, whatever the security. `cosem_visit.py` and `gurux_visit.py` say what those
//! clients cannot do: windows larger than 1 are left to pydlms-client; gurux-dlms asks for larger frames only.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::process::Command;

use lab_tests::devices::{Devices, embedded_lab};
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "open4me8";
const ENCRYPTION: &str = "000102030405060708090A0B0C0D0E0F";
const AUTHENTICATION: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";
/// Under which new keys are wrapped; `pydlms_keys.py` has it too.
const MASTER: &str = "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF";
/// A month of half hours.
const ROWS: usize = 31 * 48;

/// The frames a meter takes, and a client asks for.
#[derive(Clone, Copy)]
struct Frames {
    window: u8,
    max_info: u16,
}

/// What HDLC has where nobody asks for more: a profile goes in some two hundred segments, each acknowledged.
const SMALL: Frames = Frames { window: 1, max_info: 128 };
const LARGE: Frames = Frames { window: 7, max_info: 512 };
/// Large frames, one at a time.
const LONG: Frames = Frames { window: 1, max_info: 512 };

/// The devices a client visits.
struct Served {
    devices: Devices,
    frames: Frames,
}

impl Served {
    /// The embedded lab's devices. The electricity meter takes three clients: one with a password, one with nothing, one
    /// with keys; its port speaks HDLC from the start.
    fn start(frames: Frames) -> Served {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("password", PASSWORD);
        write("encryption", ENCRYPTION);
        write("authentication", AUTHENTICATION);
        write("master", MASTER);
        write("lab.toml", &lab());
        write("meter.toml", &model(frames));
        let program = lab_tests::program("device-sim").unwrap_or_else(|error| panic!("{error}"));
        let devices = Devices::serve(Command::new(program), folder, "lab.toml");
        Served { devices: devices.unwrap_or_else(|error| panic!("{error}")), frames }
    }

    /// Where the meter's wrapper is: at the hub, which passes on what is for this EUI-64.
    fn wrapper(&self) -> Value {
        let esme = self.devices.endpoints.iter().find(|line| line["device"] == "ESME").unwrap();
        json!({ "link": self.devices.link("wan"), "eui64": esme["eui64"].as_str().unwrap().replace('-', "") })
    }

    fn hdlc(&self) -> Value {
        let port = self.devices.link("optical").split('?').next().unwrap();
        json!({ "link": port, "window": self.frames.window, "max_info": self.frames.max_info })
    }
}

fn lab() -> String {
    let lab = embedded_lab().unwrap();
    let (before, meter) = lab.split_once("kind = \"ESME\"").unwrap();
    let clients = "client.1 = { security = \"low\", password = { file = \"password\" } }\n\
        client.2 = { security = \"none\" }\n\
        client.5 = { security = \"gmac\", encryption-key = { file = \"encryption\" }, \
        authentication-key = { file = \"authentication\" }, master-key = { file = \"master\" } }";
    let generated = "client.1 = { security = \"low\", password = { generated = true } }";
    assert!(meter.contains(generated) && meter.contains("sim:?sign-on=e"), "the embedded lab is another");
    let meter = meter.replacen(generated, clients, 1).replacen("sim:?sign-on=e", "sim:", 1);
    let lab = [before, "kind = \"ESME\"", &meter].concat();
    lab.replacen("shipped:esme-liberty-100.toml", "meter.toml", 1)
}

fn model(frames: Frames) -> String {
    let shipped = lab_tests::repository().join("lab-config/device-models/esme-liberty-100.toml");
    let model = std::fs::read_to_string(shipped).unwrap();
    let Frames { window, max_info } = frames;
    let hdlc = format!("hdlc = {{ max-information = {max_info}, window = {window}, verified = false }}");
    // Every client meets a meter that offers general block transfer; only one of them asks for it.
    let blocks = "general-blocks = { window = 3, verified = false }";
    let keys = "[profile.security.5]\nmechanism = \"gmac\"\nverified = false";
    let changes = [
        ("[profile.particulars]", format!("[profile.particulars]\n{hdlc}\n{blocks}")),
        ("[profile.objects]", format!("{keys}\n\n[profile.objects]")),
    ];
    changes.into_iter().fold(model, |model, (from, to)| {
        assert!(model.contains(from), "the model has {from}");
        model.replacen(from, &to, 1)
    })
}

/// The three ways a client may come, at one place.
fn jobs(place: &Value, title: &str) -> Value {
    let ways = [
        json!({ "client": 2, "auth": "none" }),
        json!({ "client": 1, "auth": "low", "password": PASSWORD }),
        json!({ "client": 5, "auth": "gmac", "key": ENCRYPTION, "auth_key": AUTHENTICATION, "title": title }),
    ];
    let objects = json!({ "register": "1.0.1.8.0.255", "profile": "1.0.99.1.0.255" });
    let all = |way: &Value| {
        let parts = [place, &objects, way].map(|part| part.as_object().unwrap().clone());
        Value::Object(parts.into_iter().flatten().collect())
    };
    ways.iter().map(all).collect()
}

/// Has a client visit the meter three times, and holds each report against what the meter is.
fn visit(script: &str, place: &Value, title: &str) -> Vec<Value> {
    let reports = run(script, &jobs(place, title));
    assert_eq!(reports.len(), 3, "{script} at {place}: {reports:?}");
    reports.iter().for_each(|report| assert_right(report, script));
    reports
}

/// What a client reports of these jobs.
fn run(script: &str, jobs: &Value) -> Vec<Value> {
    let peers = lab_tests::peers().unwrap_or_else(|advice| panic!("{advice}"));
    let folder = lab_tests::repository().join("tests/tests/dlms_clients");
    let out = Command::new(peers.join("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(folder.join(script))
        .arg(jobs.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    let reports: Vec<Value> = said
        .lines()
        .filter_map(|line| line.strip_prefix("REPORT "))
        .map(|report| serde_json::from_str(report).unwrap())
        .collect();
    let problem = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{script}: {reports:?}\n{problem}");
    reports
}

fn assert_right(report: &Value, script: &str) {
    assert!(report["register"].as_f64().unwrap() > 0.0, "{script}: {report}");
    assert_eq!((&report["unit"], &report["rows"]), (&json!(30), &json!(ROWS)), "{script}");
    let off = report["clock"].as_f64().unwrap() - jiff::Timestamp::now().as_duration().as_secs_f64();
    assert!(off.abs() < 30.0, "{script}: the clock is {off} s off");
    let rows = report["by_entry"].as_array().unwrap();
    assert_eq!((rows.len(), &report["by_range"]), (3, &report["by_entry"]), "{script}");
    let values: Vec<f64> = rows.iter().map(|row| row[1].as_f64().unwrap()).collect();
    assert!(values.iter().all(|used| *used > 0.0), "{script}: energy of half hours: {values:?}");
}

#[test]
fn pydlms_visits_over_the_wrapper_and_over_hdlc_with_small_and_large_windows() {
    let served = Served::start(SMALL);
    visit("pydlms_visit.py", &served.wrapper(), "5059440000000001");
    visit("pydlms_visit.py", &served.hdlc(), "5059440000000002");
    visit("pydlms_visit.py", &Served::start(LARGE).hdlc(), "5059440000000003");
}

#[test]
fn pydlms_visits_in_general_blocks_several_in_a_row() {
    let served = Served::start(SMALL);
    for (window, title) in [(1, "5059440000000004"), (5, "5059440000000005")] {
        let mut place = served.wrapper();
        place["gbt"] = json!(window);
        let reports = visit("pydlms_visit.py", &place, title);
        assert!(reports.iter().all(|report| report["gbt"] == true), "{reports:?}");
    }
}

#[test]
fn pydlms_changes_the_keys_of_its_client() {
    let served = Served::start(SMALL);
    let job = jobs(&served.wrapper(), "5059440000000006")[2].clone();
    let reports = run("pydlms_keys.py", &json!([job]));
    let report = &reports[0];
    assert!(
        report["still"].as_f64().unwrap() > 0.0 && report["register"].as_f64().unwrap() > 0.0,
        "{report}"
    );
    assert!(report["other_master"].is_string(), "keys under another master key were taken: {report}");
    assert!(report["old"].is_string(), "the old keys are still in force: {report}");
}

#[test]
fn gurux_visits_over_the_wrapper_and_over_hdlc_with_short_and_long_frames() {
    let served = Served::start(SMALL);
    visit("gurux_visit.py", &served.wrapper(), "4752580000000001");
    visit("gurux_visit.py", &served.hdlc(), "4752580000000002");
    visit("gurux_visit.py", &Served::start(LONG).hdlc(), "4752580000000003");
}

#[test]
fn dlms_cosem_visits_over_the_wrapper_and_over_hdlc() {
    let served = Served::start(SMALL);
    visit("cosem_visit.py", &served.wrapper(), "444C430000000001");
    visit("cosem_visit.py", &served.hdlc(), "444C430000000002");
}
