//! How well the harness uses a link, whole programs on both sides.
//!
//! - Line use on a simulated 9600-baud line that takes the time of a real one: time on the wire over total time, for a
//!   profile read with the smallest and the largest frames there are.
//! - Round trips a second over TCP on loopback, one association, one after the other: the harness against two independent
//!   clients on the same meter.
//!
//! Run it with `cargo bench -p lab-tests --bench links`; it prints figures and passes or fails nothing.

use std::process::Command;

use lab_tests::devices::Devices;
use serde_json::Value;

const ROUND_TRIPS: &str = "20000";
const PEER_ROUND_TRIPS: &str = "2000";
const PASSWORD: &str = "open4me8";

/// A program of ours, built as the bench is.
fn program(name: &str) -> Command {
    let bench = std::env::current_exe().expect("a path");
    let folder = bench.ancestors().nth(2).expect("target/release").to_owned();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--bins", "-p", "harness", "-p", "device-sim"])
        .current_dir(lab_tests::repository())
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the programs build");
    Command::new(folder.join(name))
}

/// The embedded lab's devices with this optical link of the electricity meter.
struct Bench(Devices);

impl Bench {
    fn start(optical: &str) -> Bench {
        let known = ("password = { generated = true }", "password = { file = \"password\" }");
        let changes = [known, ("sim:?sign-on=e", optical)];
        let devices = Devices::start_by(program("device-sim"), &changes, &[("password", PASSWORD)]);
        Bench(devices.expect("the devices of the embedded lab"))
    }

    fn link(&self, path: &str) -> String {
        self.0.link(path).to_owned()
    }

    fn read(&self, link: &str, object: [&str; 3], more: &[&str]) -> Value {
        let password = self.0.folder().join("password");
        let out = program("harness")
            .args(["read", link])
            .args(object)
            .args(more)
            .args(["--json", "--password-file"])
            .arg(password)
            .output()
            .expect("harness");
        assert!(out.status.success(), "{}", lab_tests::shown(&out));
        serde_json::from_slice(&out.stdout).expect("JSON")
    }
}

fn main() {
    for frames in ["frame=128&window=1", "frame=2030&window=1", "frame=2030&window=7"] {
        let devices = Bench::start(&format!("sim:?baud=9600&pace=on&{frames}"));
        let link = devices.link("optical");
        let read = devices.read(&link, ["7", "1-0:99.1.0", "2"], &["--client", "1"]);
        println!(
            "half-hourly profile at 9600 baud, {frames}: {} octets in {:.1} s, line use {:.1} %",
            read["octets_received"],
            read["seconds"].as_f64().unwrap_or_default(),
            read["line_use"].as_f64().unwrap_or_default() * 100.0
        );
    }
    let devices = Bench::start("sim:?sign-on=e");
    let wan = devices.link("wan");
    let ours = devices.read(&wan, ["1", "0-0:96.1.0", "2"], &["--client", "1", "--repeat", ROUND_TRIPS]);
    println!(
        "harness {:.0} round trips a second",
        ours["round_trips_per_second"].as_f64().unwrap_or_default()
    );
    let Ok(peers) = lab_tests::peers() else { return println!("no peers installed: none compared") };
    let (host, port) = wan.trim_start_matches("tcp://").split_once(':').expect("host and port");
    let out = Command::new(peers.join("python"))
        .arg(lab_tests::repository().join("tests/benches/peers/read.py"))
        .args([host, port, PEER_ROUND_TRIPS])
        .output()
        .expect("python");
    print!("{}", String::from_utf8_lossy(&out.stdout));
}
