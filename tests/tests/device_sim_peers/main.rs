//! The simulated devices held against clients that are not ours: pydlms over the hub's TCP link and over the serial
//! ports, with the optical sign-on; gurux-dlms through the hub's gateway to the meter behind it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::path::PathBuf;
use std::process::Command;

use lab_tests::devices::Devices;
use serde_json::Value;

const PASSWORD: &str = "open4me8";
/// The management client, with its password.
const MANAGEMENT: [&str; 8] = ["--client", "1", "--server", "1", "--auth", "lls", "--password", PASSWORD];
/// What a few seconds of a household may add to its register, in watt hours.
const A_FEW_SECONDS: f64 = 60.0;

/// The embedded lab's devices, with a password the peers can know.
fn serve() -> Devices {
    let known = [("password = { generated = true }", "password = { file = \"password\" }")];
    Devices::start(&known, &[("password", PASSWORD)]).unwrap_or_else(|error| panic!("{error}"))
}

fn peer(name: &str) -> PathBuf {
    lab_tests::peers().unwrap_or_else(|advice| panic!("{advice}")).join(name)
}

fn run(command: &mut Command) -> Result<String, String> {
    let out = command.output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
}

fn pydlms(verb: &str, url: &str, options: &[&str]) -> Result<Vec<Value>, String> {
    let said = run(Command::new(peer("pydlms")).args(["--json", verb, url]).args(options))?;
    Ok(serde_json::from_str(&said).unwrap())
}

fn management(verb: &str, url: &str, options: &[&str]) -> Vec<Value> {
    pydlms(verb, url, &[&MANAGEMENT, options].concat())
        .unwrap_or_else(|error| panic!("{verb} {url}: {error}"))
}

/// Seconds since 1970 of pydlms's `2026-11-21 22:09:24.39 +00:00`.
fn seconds(shown: &Value) -> f64 {
    let parts: Vec<&str> = shown.as_str().unwrap().split(' ').collect();
    let [date, time, offset] = parts[..] else { panic!("a date, a time and an offset: {shown}") };
    let moment: jiff::Timestamp = format!("{date}T{time}{offset}").parse().unwrap();
    moment.as_duration().as_secs_f64()
}

fn assert_now(seconds: f64) {
    let off = seconds - jiff::Timestamp::now().as_duration().as_secs_f64();
    assert!(off.abs() < 10.0, "the clock is {off} s off");
}

#[test]
fn pydlms_reads_the_hub_over_the_wrapper() {
    let served = serve();
    let wan = served.link("wan");
    let identity = management("read", wan, &["--obis", "0-0:96.1.0", "--class", "1"]);
    assert_eq!(identity[0]["value"], hex::encode("00-DB-12-34-56-78-90-01"));
    assert_now(seconds(&management("clock", wan, &[])[0]["clock"]));
    let log = management("profile", wan, &["--obis", "0-0:99.98.10"]);
    let devices: Vec<&str> = log.iter().map(|row| row["0.0.99.98.10.255/-1"].as_str().unwrap()).collect();
    assert_eq!(devices, ["00db123456789002", "00db123456789003", "00db123456789004", "00db123456789005"]);
    let public = pydlms("clock", wan, &["--client", "16"]).unwrap();
    assert_now(seconds(&public[0]["clock"]));
}

#[test]
fn pydlms_is_refused_with_a_wrong_password_and_as_a_public_client_who_asks_too_much() {
    let served = serve();
    let register = ["--obis", "1-0:1.8.0", "--class", "3"];
    let wrong = ["--client", "1", "--auth", "lls", "--password", "wrong"];
    let refused =
        pydlms("read", served.link("wan"), &[&wrong[..], &["--obis", "0-0:96.1.0", "--class", "1"]].concat());
    assert!(refused.unwrap_err().contains("AUTHENTICATION_FAILURE"));
    let optical = format!("optical://{}", served.file("optical"));
    let denied = pydlms("read", &optical, &[&["--client", "16"], &register[..]].concat());
    let denied = denied.map_or_else(|error| error, |value| format!("{value:?}"));
    assert!(denied.to_lowercase().contains("denied"), "{denied}");
}

#[test]
fn pydlms_reads_the_meter_at_its_optical_port_time_after_time() {
    let served = serve();
    let optical = format!("optical://{}", served.file("optical"));
    let register = || {
        let read = management("read", &optical, &["--obis", "1-0:1.8.0", "--class", "3", "--register"]);
        assert_eq!(read[0]["unit"], "Wh");
        read[0]["value"].as_f64().unwrap()
    };
    let first = register();
    assert_now(seconds(&management("clock", &optical, &[])[0]["clock"]));
    let rows = management("profile", &optical, &["--obis", "1-0:99.1.0"]);
    assert_eq!(rows.len(), 31 * 48);
    let times: Vec<f64> = rows.iter().map(|row| seconds(&row["0.0.1.0.0.255/2"])).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1800.0), "half hours without a gap");
    let last = rows.last().unwrap()["1.0.1.8.0.255/2"].as_f64().unwrap();
    let second = register();
    assert!(last <= first && first <= second && second - first < A_FEW_SECONDS, "{last} {first} {second}");
    let newest = management("profile", &optical, &["--obis", "1-0:99.1.0", "--last", "2"]);
    assert_eq!(newest.len(), 2);
}

#[test]
fn pydlms_lists_and_reads_the_gas_meter_at_its_local_port() {
    let served = serve();
    let local = format!("serial://{}", served.file("local"));
    let volume = management("read", &local, &["--obis", "7-0:3.0.0", "--class", "3", "--register"]);
    assert_eq!(volume[0]["unit"], "m3");
    assert!(volume[0]["value"].as_f64().unwrap() > 0.0);
    let objects = management("list", &local, &[]);
    assert!(objects.iter().any(|object| object["obis"] == "7.0.3.0.0.255" && object["class"] == 3));
}

#[test]
fn gurux_reads_the_meter_through_the_hub_and_pydlms_finds_the_same_at_its_port() {
    let served = serve();
    let wan = served.link("wan");
    let (host, port) = wan.strip_prefix("tcp://").unwrap().split_once(':').unwrap();
    let esme = served.endpoints.iter().find(|line| line["device"] == "ESME").unwrap();
    let script = lab_tests::repository().join("tests/tests/device_sim_peers/gurux_client.py");
    let eui64 = esme["eui64"].as_str().unwrap();
    let said = run(Command::new(peer("python")).arg(script).args([host, port, PASSWORD, eui64]));
    let said = said.unwrap_or_else(|error| panic!("gurux-dlms: {error}"));
    let read: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&read["identity"], &read["unit"], &read["entries"]), (&esme["eui64"], &30.into(), &3.into()));
    assert_eq!(read["rows"].as_array().unwrap().len(), 31 * 48);
    assert_now(read["clock"].as_f64().unwrap());
    let optical = format!("optical://{}", served.file("optical"));
    let near = management("read", &optical, &["--obis", "1-0:1.8.0", "--class", "3", "--register"]);
    let (near, far) = (near[0]["value"].as_f64().unwrap(), read["register"].as_f64().unwrap());
    assert!((0.0..A_FEW_SECONDS).contains(&(near - far)), "{far} through the hub, then {near} at the port");
}
