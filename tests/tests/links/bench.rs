//! The devices of the embedded lab as a child process, a serial server in front of one of their ports, and the harness as
//! people call it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lab_tests::devices::Devices;
use serde_json::Value;

pub(crate) const PASSWORD: &str = "open4me8";
/// How long a serial server may take to listen.
const LISTENING: Duration = Duration::from_secs(10);

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
