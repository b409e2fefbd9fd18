//! The devices of the embedded lab as a child process, and the harness as people call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab_tests::devices::Devices;
pub(crate) use lab_tests::serial_server::SerialServer;
use serde_json::Value;

pub(crate) const PASSWORD: &str = "open4me8";

/// The devices of the embedded lab.
pub(crate) struct Bench(Devices);

impl Bench {
    /// The embedded lab with a password others can know, and these links in place of its own.
    pub(crate) fn start(links: &[(&str, &str)]) -> Bench {
        let known = [("password = { generated = true }", "password = { file = \"password\" }")];
        let changes = [&known, links].concat();
        Bench(Devices::start(&changes, &[("password", PASSWORD)]).unwrap_or_else(|error| panic!("{error}")))
    }

    /// The link URL of this path.
    pub(crate) fn link(&self, path: &str) -> String {
        self.0.link(path).to_owned()
    }

    /// The file of a serial link.
    pub(crate) fn file(&self, path: &str) -> String {
        self.0.file(path).to_owned()
    }

    /// A new file in the bench's folder.
    pub(crate) fn new_file(&self, name: &str) -> PathBuf {
        self.0.folder().join(name)
    }
}

/// What the harness answers.
pub(crate) fn harness(arguments: &[&str]) -> Output {
    lab_tests::harness().unwrap_or_else(|error| panic!("{error}")).args(arguments).output().unwrap()
}

/// What the harness answers in JSON, when it succeeds.
pub(crate) fn told(arguments: &[&str]) -> Value {
    let out = harness(&[arguments, &["--json"]].concat());
    assert!(out.status.success(), "{arguments:?}: {}", lab_tests::shown(&out));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// One packet as tshark reads it.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) link: String,
    pub(crate) url: String,
    pub(crate) received: bool,
    pub(crate) comment: String,
    pub(crate) octets: String,
}

/// The packets of a capture.
pub(crate) fn packets(capture: &Path) -> Vec<Packet> {
    let fields = [
        "frame.interface_name",
        "frame.interface_description",
        "frame.packet_flags_direction",
        "frame.comment",
        "data.data",
    ];
    let out = Command::new("tshark")
        .args(["-n", "-T", "fields", "-E", "separator=|"])
        .args(fields.iter().flat_map(|field| ["-e", *field]))
        .arg("-r")
        .arg(capture)
        .output()
        .unwrap_or_else(|error| panic!("tshark ({error}); tests/run installs it"));
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    String::from_utf8(out.stdout).unwrap().lines().map(packet).collect()
}

fn packet(line: &str) -> Packet {
    let mut columns = line.split('|').map(str::to_owned);
    let mut next = || columns.next().unwrap_or_default();
    Packet { link: next(), url: next(), received: next().ends_with('1'), comment: next(), octets: next() }
}
