//! Witnesses in numbers: clients of both kinds that follow one run of `harness serve`, and say what each was given, and when.
//!
//! They take octets and hash them, and do no more: what is measured is how a run and its controller fare under them.

use std::error::Error;
use std::path::Path;

use jiff::Timestamp;
use proto_lab::queue::QueueClient;
use proto_lab::record::Record;
use proto_lab::watch::{RecordsRequest, WatchClient};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

/// What stands in the way, in words.
pub type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The longest message of records taken.
const LONGEST: usize = 4 << 20;

/// How a witness follows a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By gRPC, as `harness watch` does.
    Grpc,
    /// By the page's events, as a browser does.
    Page,
}

/// What a witness was given.
#[derive(Debug, Clone)]
pub struct Given {
    /// When it was let in.
    pub from: Timestamp,
    /// When each record came, by its number.
    pub came: Vec<Timestamp>,
    /// SHA-256 over the octets of all their lines.
    pub digest: String,
}

/// What came so far.
#[derive(Debug)]
struct Seen {
    from: Timestamp,
    came: Vec<Timestamp>,
    hash: Sha256,
}

impl Seen {
    fn new() -> Self {
        Self { from: Timestamp::now(), came: Vec::new(), hash: Sha256::new() }
    }

    fn take(&mut self, lines: &[u8]) {
        let now = Timestamp::now();
        self.came.extend(lines.iter().filter(|octet| **octet == b'\n').map(|_| now));
        self.hash.update(lines);
    }

    fn given(self) -> Given {
        Given { from: self.from, came: self.came, digest: hex::encode(self.hash.finalize()) }
    }
}

/// The queue at the control listener of this URL (plain HTTP).
///
/// # Errors
/// Nobody listens.
pub async fn queue(url: &str) -> Fallible<QueueClient<Channel>> {
    Ok(QueueClient::new(Endpoint::from_shared(url.to_owned())?.connect().await?))
}

/// Follows a run from its first record to its last, at the watch listener of this URL (plain HTTP).
///
/// # Errors
/// What the server says, or what it does not.
pub async fn follow(kind: Kind, url: &str, run: &str) -> Fallible<Given> {
    match kind {
        Kind::Grpc => by_grpc(url, run).await,
        Kind::Page => by_page(url, run).await,
    }
}

async fn by_grpc(url: &str, run: &str) -> Fallible<Given> {
    let channel = Endpoint::from_shared(url.to_owned())?.connect().await?;
    let mut client = WatchClient::new(channel).max_decoding_message_size(LONGEST);
    let request = RecordsRequest { run: run.to_owned(), from: 0, follow: true };
    let mut records = client.records(request).await?.into_inner();
    let mut seen = Seen::new();
    while let Some(message) = records.message().await? {
        seen.take(&message.lines);
    }
    Ok(seen.given())
}

async fn by_page(url: &str, run: &str) -> Fallible<Given> {
    let mut stream = BufReader::new(asked(url, run).await?);
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    if !line.starts_with(b"HTTP/1.1 200") {
        return Err(String::from_utf8_lossy(&line).into_owned().into());
    }
    while line != b"\r\n" {
        line.clear();
        stream.read_until(b'\n', &mut line).await?;
    }
    let mut events = Events { seen: Seen::new(), rest: Vec::new(), name: Vec::new() };
    loop {
        let chunk = chunk(&mut stream).await?;
        if chunk.is_empty() {
            return Err("the page's events broke off".into());
        }
        if events.take(&chunk)? {
            return Ok(events.seen.given());
        }
    }
}

/// Asks for the page's events of a run.
async fn asked(url: &str, run: &str) -> Fallible<TcpStream> {
    let host = url.strip_prefix("http://").ok_or("a plain URL")?;
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("GET /runs/{run}/records HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// A witness that reads nothing after it has asked. What was sent to it waits in its socket.
#[derive(Debug)]
pub struct ReadsNothing(TcpStream);

impl ReadsNothing {
    /// Asks for the page's events of a run.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn ask(url: &str, run: &str) -> Fallible<Self> {
        asked(url, run).await.map(Self)
    }

    /// Reads after all, until the events end or are cut off: every octet there is.
    ///
    /// # Errors
    /// The socket fails otherwise than by being cut off.
    pub async fn read(mut self) -> Fallible<Vec<u8>> {
        let (mut octets, mut some) = (Vec::new(), vec![0; 64 << 10]);
        while !octets.windows(11).any(|part| part == b"event: end\n") {
            match self.0.read(&mut some).await {
                Ok(0) => break,
                Ok(length) => octets.extend_from_slice(&some[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(octets)
    }
}

/// The next chunk of a body in HTTP's chunked coding; empty at its end.
async fn chunk(stream: &mut BufReader<TcpStream>) -> Fallible<Vec<u8>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let length = usize::from_str_radix(line.trim(), 16).map_err(|_| format!("no chunk: {line:?}"))?;
    let mut octets = vec![0; length + 2];
    stream.read_exact(&mut octets).await?;
    octets.truncate(length);
    Ok(octets)
}

/// Server-sent events, as they come.
struct Events {
    seen: Seen,
    rest: Vec<u8>,
    name: Vec<u8>,
}

impl Events {
    /// Takes octets; says whether the last event was among them.
    fn take(&mut self, octets: &[u8]) -> Fallible<bool> {
        self.rest.extend_from_slice(octets);
        let whole = self.rest.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            if let Some(name) = line.strip_prefix(b"event: ") {
                self.name = name.trim_ascii_end().to_vec();
            } else if let Some(data) = line.strip_prefix(b"data: ") {
                match self.name.as_slice() {
                    b"records" => self.seen.take(data),
                    b"end" => return Ok(true),
                    b"fault" | b"behind" => return Err(String::from_utf8_lossy(data).into_owned().into()),
                    _ => {}
                }
            }
        }
        Ok(false)
    }
}

/// How long after each record's own time it was with each witness, in microseconds, the shortest first. Records from before a
/// witness was let in are left out: those it only caught up with.
///
/// # Errors
/// A line of the file is no record.
pub fn lateness(records: &Path, all: &[Given]) -> Fallible<Vec<i64>> {
    let octets = std::fs::read(records)?;
    let lines = octets.split_inclusive(|octet| *octet == b'\n');
    let at: Vec<Timestamp> =
        lines.map(|line| Record::from_line(line).map(|r| r.at)).collect::<Result<_, _>>()?;
    let late = all.iter().flat_map(|given| {
        let live = at.iter().zip(&given.came).filter(|(at, _)| **at >= given.from);
        live.map(|(at, came)| came.duration_since(*at).as_micros() as i64)
    });
    let mut late: Vec<i64> = late.collect();
    late.sort_unstable();
    Ok(late)
}
