//! Debian's ser2net in front of a serial port, for clients that come over the network.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// How long a serial server may take to listen.
const LISTENING: Duration = Duration::from_secs(10);

/// A serial server, ended with this value.
pub struct SerialServer {
    process: Child,
    /// Where it listens on loopback.
    pub port: u16,
    _configuration: NamedTempFile,
}

impl Drop for SerialServer {
    fn drop(&mut self) {
        // A process that has ended already is gone too.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl SerialServer {
    /// One that takes settings over the network (RFC 2217).
    ///
    /// # Panics
    /// When ser2net is not installed, or does not listen.
    pub fn start(file: &str) -> Self {
        Self::listening("telnet(rfc2217=true),tcp", file)
    }

    /// One that carries octets and nothing else.
    ///
    /// # Panics
    /// When ser2net is not installed, or does not listen.
    pub fn plain(file: &str) -> Self {
        Self::listening("tcp", file)
    }

    fn listening(accepter: &str, file: &str) -> Self {
        Self::begin(accepter, file).unwrap_or_else(|error| panic!("ser2net: {error}; tests/run installs it"))
    }

    fn begin(accepter: &str, file: &str) -> std::io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let configuration = NamedTempFile::with_suffix(".yaml")?;
        let text = format!(
            "connection: &bench\n  accepter: {accepter},127.0.0.1,{port}\n  connector: serialdev,{file},9600n81,local\n"
        );
        std::fs::write(configuration.path(), text)?;
        let process = Command::new("ser2net")
            .args(["-n", "-u", "-c"])
            .arg(configuration.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { process, port, _configuration: configuration };
        server.wait();
        Ok(server)
    }

    fn wait(&self) {
        let end = Instant::now() + LISTENING;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "ser2net does not listen");
            std::thread::yield_now();
        }
        // The port it opened for that look is free again before long; the harness tries more than once.
    }

    /// The link URL of the port behind it, with this query.
    pub fn url(&self, query: &str) -> String {
        format!("rfc2217://127.0.0.1:{}{query}", self.port)
    }
}
