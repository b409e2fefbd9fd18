//! A meter that is not ours (`pydlms simulate`) as a child process, and a serial line to it (`socat`).

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab_config::LinkUrl;
use tempfile::TempDir;

/// The password the foreign meter asks of client 17.
pub(crate) const PASSWORD: &str = "open4me8";

/// The keys it shares with client 5, where it has any.
pub(crate) const ENCRYPTION: &str = "000102030405060708090A0B0C0D0E0F";
pub(crate) const AUTHENTICATION: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";

/// A process that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The foreign meter, listening.
pub(crate) struct ForeignMeter {
    process: Ends,
    pub(crate) port: u16,
}

impl ForeignMeter {
    /// Over TCP with the wrapper.
    pub(crate) fn wrapper() -> ForeignMeter {
        ForeignMeter::start(&[])
    }

    /// Over TCP with HDLC.
    pub(crate) fn hdlc() -> ForeignMeter {
        ForeignMeter::start(&["--hdlc"])
    }

    /// With keys for client 5, which proves that it has them (high-level security 5) and ciphers every message.
    pub(crate) fn with_keys(options: &[&str]) -> ForeignMeter {
        let keys = ["--client", "5:5", "--key", ENCRYPTION, "--auth-key", AUTHENTICATION];
        ForeignMeter::start(&[&keys, options].concat())
    }

    fn start(options: &[&str]) -> ForeignMeter {
        let program = lab_tests::peers().unwrap_or_else(|advice| panic!("{advice}")).join("pydlms");
        let port = free_port();
        let password = format!("17:1:{PASSWORD}");
        let mut child = Command::new(program)
            .args(["simulate", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--client", "16:0", "--client", &password])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pydlms starts");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        let process = Ends(child);
        wait_for(said, "listening");
        ForeignMeter { process, port }
    }

    pub(crate) fn url(&self, scheme: &str, query: &str) -> LinkUrl {
        format!("{scheme}://127.0.0.1:{}{query}", self.port).parse().expect("a link URL")
    }

    /// The meter dies: its socket closes.
    pub(crate) fn die(&mut self) {
        self.process.0.kill().expect("it was running");
        self.process.0.wait().expect("it ends");
    }
}

/// Reads lines until one has `word`, then goes on draining so that the child never blocks.
fn wait_for(mut said: impl BufRead + Send + 'static, word: &str) {
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "the peer ended before it said {word:?}");
    }
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// A pseudo-terminal whose other end is a TCP port.
pub(crate) struct SerialLine {
    process: Ends,
    path: PathBuf,
    _folder: TempDir,
}

impl SerialLine {
    pub(crate) fn to(port: u16) -> SerialLine {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tty");
        let process = Command::new("socat")
            .arg(format!("pty,raw,echo=0,ignoreeof,link={}", path.display()))
            .arg(format!("tcp:127.0.0.1:{port},nodelay"))
            .stderr(Stdio::null())
            .spawn()
            .expect("socat starts: tests/run installs it");
        let process = Ends(process);
        let begun = Instant::now();
        while !path.exists() {
            assert!(begun.elapsed() < Duration::from_secs(5), "socat made no pseudo-terminal");
            std::thread::yield_now();
        }
        SerialLine { process, path, _folder: folder }
    }

    pub(crate) fn url(&self, query: &str) -> LinkUrl {
        format!("serial://{}{query}", self.path.display()).parse().expect("a link URL")
    }

    /// The pseudo-terminal's master closes: the cable is pulled.
    pub(crate) fn pull(&mut self) {
        self.process.0.kill().expect("it was running");
        self.process.0.wait().expect("it ends");
    }
}
