//! `harness probe`: five devices on two processes, each named with what differs from its Device Model; and the address of an
//! unknown meter found, on our simulated lines and on a meter that is not ours.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use lab_tests::bench::{Bench, PASSWORD};
use lab_tests::{harness, peers, repository, run_folders, shown};
use proto_dlms::hdlc::{Server, ServerSettings};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A shipped Device Model, changed, beside the lab file of the devices.
fn model(folder: &Path, name: &str, change: impl Fn(String) -> String) -> std::result::Result<(), String> {
    let shipped = repository().join("lab-config/device-models").join(name);
    let text = std::fs::read_to_string(shipped).map_err(|e| e.to_string())?;
    let changed = change(text.clone());
    assert_ne!(changed, text, "{name} was changed");
    std::fs::write(folder.join(name), changed).map_err(|e| e.to_string())
}

fn probe(bench: &Bench, lab: &Path, more: &[&str]) -> Result<Output> {
    Ok(bench.harness()?.arg("probe").arg("--lab").arg(lab).args(more).output()?)
}

fn device<'v>(told: &'v Value, kind: &str, path: &str) -> &'v Value {
    let devices = told["devices"].as_array().into_iter().flatten();
    let mut found = devices.filter(|device| device["kind"] == kind && device["path"] == path);
    found.next().unwrap_or_else(|| panic!("no {kind} on {path} in {told:#}"))
}

fn row<'v>(device: &'v Value, what: &str) -> &'v Value {
    let rows = device["compared"].as_array().into_iter().flatten();
    rows.clone().find(|row| row["what"] == what).unwrap_or_else(|| panic!("no {what} in {device:#}"))
}

#[test]
fn every_device_of_a_five_device_rig_is_found_and_named() -> Result<()> {
    let bench = Bench::start()?;
    let out = probe(&bench, &bench.lab(), &["--json"])?;
    assert!(out.status.success(), "{}", shown(&out));
    let told: Value = serde_json::from_slice(&out.stdout)?;
    assert_eq!(told["as_declared"], true, "{told:#}");
    for (kind, path) in
        [("CHF", "wan"), ("GPF", "wan"), ("ESME", "optical"), ("GSME", "local"), ("PPMID", "wan")]
    {
        let found = device(&told, kind, path);
        assert_eq!(
            (&found["answers"], &found["simulated"]),
            (&Value::Bool(true), &Value::Bool(false)),
            "{found:#}"
        );
        assert!(found["differences"].as_array().is_some_and(Vec::is_empty), "{found:#}");
        let firmware = row(found, "firmware-version");
        assert_eq!(firmware["expected"], firmware["found"]);
    }
    let meter = device(&told, "ESME", "optical");
    for what in ["identity", "manufacturer", "model", "hardware-version", "configuration-version", "clock"] {
        assert_eq!(row(meter, what)["differs"], false, "{what}");
    }
    let unverified = meter["unverified"].to_string();
    assert!(unverified.contains("server") && unverified.contains("firmware-version at"), "{unverified}");
    assert_eq!(told["unknown_devices"].as_array().map(Vec::len), Some(0));
    Ok(())
}

/// Other firmware in the meter, a display that is not there, and two devices on the network that nobody declared.
#[test]
fn other_firmware_a_missing_device_and_unknown_ones_are_told_all_at_once() -> Result<()> {
    let bench = Bench::start_changed(|folder, text| {
        model(folder, "esme-liberty-100.toml", |text| {
            text.replace("firmware-version = \"P4X2G04\"", "firmware-version = \"P4X2G05\"")
        })?;
        Ok(text.replace("shipped:esme-liberty-100.toml", "esme-liberty-100.toml"))
    })?;
    let lab = bench.write_lab("other.toml", |text| {
        text.replace("00-DB-12-34-56-78-90-05", "00-DB-12-34-56-78-90-06")
            .replace("00-DB-12-34-56-78-90-02", "00-DB-12-34-56-78-90-12")
    })?;
    let out = probe(&bench, &lab, &["--json"])?;
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let told: Value = serde_json::from_slice(&out.stdout)?;
    for path in ["wan", "optical"] {
        let firmware = row(device(&told, "ESME", path), "firmware-version");
        assert_eq!(firmware["expected"], "P4X2G04");
        assert_eq!((&firmware["found"], &firmware["differs"]), (&"P4X2G05".into(), &true.into()));
    }
    for (kind, eui64) in [("PPMID", "00-DB-12-34-56-78-90-06"), ("GPF", "00-DB-12-34-56-78-90-12")] {
        let missing = device(&told, kind, "wan");
        assert_eq!((&missing["eui64"], &missing["answers"]), (&eui64.into(), &false.into()));
        let differences = missing["differences"].to_string();
        assert!(differences.contains("home area network") && differences.contains("answer"), "{differences}");
    }
    let strangers = told["unknown_devices"].as_array().ok_or("unknown devices")?;
    let stranger = |eui64: &str| strangers.iter().find(|stranger| stranger["eui64"] == eui64);
    let display = stranger("00-DB-12-34-56-78-90-05").ok_or_else(|| format!("no display in {told:#}"))?;
    assert_eq!((&display["kind"], &display["likely_model"]), (&"PPMID".into(), &"ppmid-pipit-500".into()));
    let proxy = stranger("00-DB-12-34-56-78-90-02").ok_or_else(|| format!("no proxy in {told:#}"))?;
    assert_eq!(
        (&proxy["kind"], &proxy["likely_model"]),
        (&"GPF".into(), &"gpf-skyline-510".into()),
        "{proxy:#}"
    );
    assert!(device(&told, "GSME", "local")["differences"].as_array().is_some_and(Vec::is_empty));
    the_same_in_words(&bench, &lab)?;
    a_run_stops_with_all_of_it(&bench, &lab)
}

fn the_same_in_words(bench: &Bench, lab: &Path) -> Result<()> {
    let words = String::from_utf8(probe(bench, lab, &[])?.stdout)?;
    let line =
        |of: &str| words.lines().find(|line| line.contains(of)).ok_or(format!("no {of:?} in\n{words}"));
    assert!(line("P4X2G05")?.contains("P4X2G04") && line("P4X2G05")?.ends_with("<-- DIFFERS"));
    assert!(line("NOT in the lab file; like gpf-skyline-510")?.starts_with("GPF"));
    line("rests on facts nobody has verified")?;
    assert!(words.trim_end().ends_with("is NOT as declared; a run would stop here"), "{words}");
    Ok(())
}

/// The first record of the run names every device that is not as declared, not the first only.
fn a_run_stops_with_all_of_it(bench: &Bench, lab: &Path) -> Result<()> {
    let runs = bench.folder().join("runs");
    let out = bench.harness()?.arg("run").arg("--lab").arg(lab).arg("--runs").arg(&runs).output()?;
    assert!(!out.status.success(), "{}", shown(&out));
    let run = run_folders(&runs).pop().ok_or("a run")?;
    let records = std::fs::read_to_string(run.join("records.jsonl"))?;
    let first: Value = serde_json::from_str(records.lines().next().ok_or("a record")?)?;
    let text = first.to_string();
    for words in
        ["P4X2G05", "00-DB-12-34-56-78-90-05", "not in it; join the device", "00-DB-12-34-56-78-90-12"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(records.contains("the rig is not as declared"));
    Ok(())
}

fn scan(link: &str, more: &[&str]) -> Result<Output> {
    let mut command = harness()?;
    command.args(["probe", link, "--scan", "--json", "--within", "110"]).args(more);
    Ok(command.env("BENCH_PASSWORD", PASSWORD).output()?)
}

/// Our gas meter's local port, at an address a lab would not guess. It hears one octet only by its logical address.
#[test]
fn an_address_scan_finds_our_meter_at_an_odd_address() -> Result<()> {
    let bench = Bench::start_changed(|folder, text| {
        model(folder, "gsme-lab-g4.toml", |text| {
            text.replace("logical = 1, address-size", "logical = 99, address-size")
        })?;
        Ok(text.replace("shipped:gsme-lab-g4.toml", "gsme-lab-g4.toml"))
    })?;
    // The simulated line answers at once; a real one is given the usual third of a second.
    let link = format!("{}&response=40ms", bench.link("GSME", "local").ok_or("a local port")?);
    let out = scan(&link, &["--password-env", "BENCH_PASSWORD"])?;
    assert!(out.status.success(), "{}", shown(&out));
    let told: Value = serde_json::from_slice(&out.stdout)?;
    assert_eq!(found(&told), (Some(99), None, Some("1")), "{told:#}");
    let url = told["use_url"].as_str().ok_or_else(|| format!("a URL to use: {told:#}"))?;
    assert!(url.contains("server=99") && url.contains("client="), "{url}");
    the_url_leads_there(url)
}

/// The simulated meter at addresses of two and of four octets, as the lab file gives it: it hears no other.
#[test]
fn an_address_scan_finds_our_meter_at_addresses_of_two_and_of_four_octets() -> Result<()> {
    for (physical, size) in [(32, "2"), (100, "4")] {
        let bench = Bench::start_changed(|_, text| {
            let line = format!("sim:?baud=9600&physical={physical}&server-address-size={size}");
            Ok(text.replace("sim:?baud=9600", &line))
        })?;
        // The concrete link says where the meter is; a scan is for who does not know.
        let link = bench.link("GSME", "local").ok_or("a local port")?;
        let (port, _) = link.split_once('?').ok_or("parameters")?;
        let out = scan(&format!("{port}?baud=9600&response=40ms"), &["--password-env", "BENCH_PASSWORD"])?;
        assert!(out.status.success(), "{}", shown(&out));
        let told: Value = serde_json::from_slice(&out.stdout)?;
        assert_eq!(found(&told), (Some(1), Some(physical), Some(size)), "{told:#}");
        the_url_leads_there(told["use_url"].as_str().ok_or("a URL to use")?)?;
    }
    Ok(())
}

fn found(told: &Value) -> (Option<u64>, Option<u64>, Option<&str>) {
    let first = &told["found"][0];
    (first["server"].as_u64(), first["physical"].as_u64(), first["address_size"].as_str())
}

/// A data link at exactly these address octets, as meters are that take no other: everything else it does not hear.
fn strict_meter(address: &'static [u8], logical: u16, physical: u16) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let settings = ServerSettings {
                logical_devices: vec![logical],
                physical_device: physical,
                ..ServerSettings::default()
            };
            let mut server = Server::new(settings);
            let mut burst = [0; 512];
            // Flag, format and length come before the address; the client says one frame and waits.
            while let Ok(count @ 1..) = stream.read(&mut burst) {
                if burst.get(3..3 + address.len()) == Some(address) {
                    server.receive(&burst[..count], Instant::now());
                }
                while let Some(frame) = server.poll_transmit() {
                    if stream.write_all(&frame).is_err() {
                        break;
                    }
                }
            }
        }
    });
    Ok(port)
}

#[test]
fn an_address_scan_finds_addresses_of_two_and_of_four_octets() -> Result<()> {
    for (octets, logical, physical, size) in
        [(&[0x02, 0x9B][..], 1, 77, "2"), (&[0x00, 0x20, 0x00, 0xC9], 16, 100, "4")]
    {
        let port = strict_meter(octets, logical, physical)?;
        let out = scan(&format!("tcp+hdlc://127.0.0.1:{port}?response=20ms"), &[])?;
        assert!(out.status.success(), "{}", shown(&out));
        let told: Value = serde_json::from_slice(&out.stdout)?;
        assert_eq!(found(&told), (Some(logical.into()), Some(physical.into()), Some(size)), "{told:#}");
        assert!(told["found"][0]["url"].to_string().contains(&format!("server-address-size={size}")));
    }
    Ok(())
}

/// What was printed is what works: the same program reads the meter by it.
fn the_url_leads_there(url: &str) -> Result<()> {
    let out = harness()?.args(["read", url, "1", "0-0:42.0.0", "2"]).output()?;
    assert!(out.status.success(), "{}", shown(&out));
    Ok(())
}

/// A meter that is not ours.
struct Foreign(Child, u16);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn foreign(options: &[&str]) -> Result<Foreign> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut child = Command::new(peers()?.join("pydlms"))
        .args(["simulate", "--host", "127.0.0.1", "--port", &port.to_string(), "--client", "16:0"])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = BufReader::new(child.stderr.take().ok_or("a pipe")?);
    let foreign = Foreign(child, port);
    let mut line = String::new();
    while !line.contains("listening") {
        line.clear();
        if said.read_line(&mut line)? == 0 {
            return Err("pydlms ended before it listened".into());
        }
    }
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    Ok(foreign)
}

#[test]
fn an_address_scan_finds_a_foreign_meter_over_hdlc_and_over_the_wrapper() -> Result<()> {
    for (scheme, options) in [("tcp+hdlc", &["--hdlc"][..]), ("tcp", &[])] {
        let meter = foreign(options)?;
        let out = scan(&format!("{scheme}://127.0.0.1:{}", meter.1), &[])?;
        assert!(out.status.success(), "{scheme}: {}", shown(&out));
        let told: Value = serde_json::from_slice(&out.stdout)?;
        assert_eq!(told["found"][0]["server"], 1, "{told:#}");
        the_url_leads_there(told["use_url"].as_str().ok_or("a URL to use")?)?;
    }
    Ok(())
}

#[test]
fn a_scan_of_a_silent_line_ends_in_time_and_says_what_to_do() -> Result<()> {
    let nobody = TcpListener::bind("127.0.0.1:0")?;
    let link = format!("tcp+hdlc://127.0.0.1:{}?response=20ms", nobody.local_addr()?.port());
    let mut probe = harness()?;
    let begun = Instant::now();
    let out = probe.args(["probe", &link, "--scan", "--within", "5"]).output()?;
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    assert!(begun.elapsed().as_secs() < 20);
    let words = String::from_utf8(out.stdout)?;
    assert!(words.contains("nothing answered at") && words.contains("--within SECONDS"), "{words}");
    Ok(())
}
