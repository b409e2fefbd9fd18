//! The socket of the control port, and the client that asks at it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Command, CommandError};
use crate::estate::Estate;

/// Connections at a time.
const CONNECTIONS: usize = 8;
/// Octets of a line; a longer one closes the connection.
const LINE: u64 = 4096;
/// Octets of a line that carries a data set: a year of listed half hours and more.
pub const LONGEST_DATA_SET: u64 = 512 * 1024;
/// What such a line begins with.
const DATA_SET: &[u8] = b"data-set ";
/// Octets of an answer that a client takes.
const ANSWER: u64 = 1024 * 1024;
/// A connection on which no command comes for so long is closed.
const IDLE: Duration = Duration::from_secs(300);
/// An answer nobody takes for so long is given up, and a question nobody answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// The control port of an estate.
#[derive(Debug)]
pub struct Control {
    listener: TcpListener,
}

impl Control {
    /// Listens on loopback.
    ///
    /// # Errors
    /// The address is not a loopback one, or cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let words =
                format!("{address} is not a loopback address; the control port asks nobody who he is");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        Ok(Self { listener: TcpListener::bind(address).await? })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The socket has no address any more.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until dropped.
    pub async fn serve(self, estate: &Arc<Estate>) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of file handles, most likely: wait a little for some to come free.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            // Without room the stream is dropped, which closes it.
            if let Ok(permit) = room.clone().try_acquire_owned() {
                let estate = Arc::downgrade(estate);
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, estate).await {
                        tracing::debug!(%error, "a control connection ended");
                    }
                    drop(permit);
                });
            }
        }
    }
}

async fn converse(stream: TcpStream, estate: std::sync::Weak<Estate>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    loop {
        let Some(line) = timeout(IDLE, read_line(&mut lines)).await?? else { return Ok(()) };
        let Some(estate) = estate.upgrade() else { return Ok(()) };
        let (answer, go_on) = answer(&line, &estate);
        drop(estate);
        let text = format!("{answer}\n");
        timeout(PATIENCE, write.write_all(text.as_bytes())).await??;
        if !go_on {
            return Ok(());
        }
    }
}

/// A line as it came: without its end, where it is too long; none, where the connection has ended.
async fn read_line(lines: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    lines.take(LINE).read_until(b'\n', &mut line).await?;
    if !line.ends_with(b"\n") && line.starts_with(DATA_SET) {
        lines.take(LONGEST_DATA_SET - LINE).read_until(b'\n', &mut line).await?;
    }
    Ok(Some(line).filter(|line| !line.is_empty()))
}

/// The answer to a line, and whether who wrote it knows the language.
fn answer(line: &[u8], estate: &Estate) -> (Value, bool) {
    let text = String::from_utf8_lossy(line);
    let whole = line.ends_with(b"\n");
    let done = text.parse::<Command>().and_then(|command| command.carry_out(estate));
    match done {
        _ if !whole => {
            let words = format!("a line has at most {LINE} octets, one with a data set {LONGEST_DATA_SET}");
            (json!({ "error": words }), false)
        }
        Ok(said) => (json!({ "ok": said }), true),
        Err(error) => {
            let known = !matches!(error, CommandError::Unknown(_));
            (json!({ "error": error.to_string() }), known)
        }
    }
}

/// Asks at a control port; what it answered.
///
/// # Errors
/// Nobody is there, or the answer is none.
pub async fn ask(address: SocketAddr, command: &str) -> io::Result<Value> {
    timeout(PATIENCE, exchange(address, command)).await?
}

async fn exchange(address: SocketAddr, command: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    let line = format!("{}\n", command.replace(['\n', '\r'], " "));
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).take(ANSWER).read_line(&mut answer).await?;
    serde_json::from_str(&answer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
