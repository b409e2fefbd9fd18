//! The devices of the embedded lab as a child process, a serial server in front of one of their ports, and the harness as
//! people call it.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "open4me8";
/// How long a serial server may take to listen.
const LISTENING: Duration = Duration::from_secs(10);

/// `device-sim serve` as a child process, ended with the test.
pub(crate) struct Bench {
    process: Child,
    endpoints: Vec<Value>,
    pub(crate) folder: TempDir,
    /// Kept open: a program whose standard output nobody reads any more ends.
    _said: BufReader<ChildStdout>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Bench {
    /// The embedded lab with a password others can know, and these links in place of its own.
    pub(crate) fn start(links: &[(&str, &str)]) -> Bench {
        let folder = TempDir::new().unwrap();
        let shipped = lab_tests::repository().join("lab-config/labs/embedded.toml");
        let mut lab = std::fs::read_to_string(shipped).unwrap();
        let known = [("password = { generated = true }", "password = { file = \"password\" }")];
        for (from, to) in known.iter().chain(links) {
            assert!(lab.contains(from), "the embedded lab says {from}");
            lab = lab.replace(from, to);
        }
        std::fs::write(folder.path().join("lab.toml"), lab).unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let program = lab_tests::program("device-sim").unwrap_or_else(|error| panic!("{error}"));
        let mut process = Command::new(program)
            .args(["serve", "--json", "--lab"])
            .arg(folder.path().join("lab.toml"))
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let told = said.by_ref().lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        // The broker comes after every device.
        let endpoints = told.take_while(|line: &Value| line["broker"].is_null()).collect();
        Bench { process, endpoints, folder, _said: said }
    }

    /// The link URL of this path.
    pub(crate) fn link(&self, path: &str) -> String {
        let found = self.endpoints.iter().find(|line| line["path"] == path && line["link"].is_string());
        found.unwrap_or_else(|| panic!("no {path} link in {:?}", self.endpoints))["link"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The file of a serial link.
    pub(crate) fn file(&self, path: &str) -> String {
        let link = self.link(path);
        let file = link.strip_prefix("serial://").unwrap();
        file.split('?').next().unwrap().to_owned()
    }

    /// A new file in the bench's folder.
    pub(crate) fn new_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Debian's ser2net in front of a serial port, ended with the test.
pub(crate) struct SerialServer {
    process: Child,
    pub(crate) port: u16,
    _configuration: tempfile::NamedTempFile,
}

impl Drop for SerialServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl SerialServer {
    pub(crate) fn start(file: &str) -> SerialServer {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        let text = format!(
            "connection: &bench\n  accepter: telnet(rfc2217=true),tcp,127.0.0.1,{port}\n  connector: serialdev,{file},9600n81,local\n"
        );
        std::fs::write(configuration.path(), text).unwrap();
        let process = Command::new("ser2net")
            .args(["-n", "-u", "-c"])
            .arg(configuration.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("ser2net ({error}); tests/run installs it"));
        let server = SerialServer { process, port, _configuration: configuration };
        server.wait();
        server
    }

    fn wait(&self) {
        let end = Instant::now() + LISTENING;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "ser2net does not listen");
            std::thread::yield_now();
        }
        // The port it opened for that look is free again before long; the harness tries more than once.
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!("rfc2217://127.0.0.1:{}{query}", self.port)
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
