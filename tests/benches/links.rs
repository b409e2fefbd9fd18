//! How well the harness uses a link, whole programs on both sides.
//!
//! - Line use on a simulated 9600-baud line that takes the time of a real one: time on the wire over total time, for a
//!   profile read with the smallest and the largest frames there are.
//! - Round trips a second over TCP on loopback, one association, one after the other: the harness against two independent
//!   clients on the same meter.
//!
//! Run it with `cargo bench -p lab-tests --bench links`; it prints figures and passes or fails nothing.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

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
struct Devices {
    process: Child,
    links: Vec<Value>,
    folder: tempfile::TempDir,
    /// Kept open: a program whose standard output nobody reads any more ends.
    _said: BufReader<ChildStdout>,
}

impl Drop for Devices {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Devices {
    fn start(optical: &str) -> Devices {
        let folder = tempfile::tempdir().expect("a folder");
        let shipped = lab_tests::repository().join("lab-config/labs/embedded.toml");
        let lab = std::fs::read_to_string(shipped)
            .expect("the embedded lab")
            .replace("password = { generated = true }", "password = { file = \"password\" }")
            .replace("sim:?sign-on=e", optical);
        std::fs::write(folder.path().join("lab.toml"), lab).expect("written");
        std::fs::write(folder.path().join("password"), PASSWORD).expect("written");
        let mut process = program("device-sim")
            .args(["serve", "--json", "--lab"])
            .arg(folder.path().join("lab.toml"))
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("device-sim");
        let mut said = BufReader::new(process.stdout.take().expect("piped"));
        let told =
            said.by_ref().lines().map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"));
        // The broker comes after every device.
        let links = told.take_while(|line: &Value| line["broker"].is_null()).collect();
        Devices { links, process, folder, _said: said }
    }

    fn link(&self, path: &str) -> String {
        let found = self.links.iter().find(|line| line["path"] == path && line["link"].is_string());
        found.expect("such a link")["link"].as_str().expect("a link").to_owned()
    }

    fn read(&self, link: &str, object: [&str; 3], more: &[&str]) -> Value {
        let password = self.folder.path().join("password");
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
        let devices = Devices::start(&format!("sim:?baud=9600&pace=on&{frames}"));
        let link = devices.link("optical");
        let read = devices.read(&link, ["7", "1-0:99.1.0", "2"], &["--client", "1"]);
        println!(
            "half-hourly profile at 9600 baud, {frames}: {} octets in {:.1} s, line use {:.1} %",
            read["octets_received"],
            read["seconds"].as_f64().unwrap_or_default(),
            read["line_use"].as_f64().unwrap_or_default() * 100.0
        );
    }
    let devices = Devices::start("sim:?sign-on=e");
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
