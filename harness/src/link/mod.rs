//! Byte streams to devices: serial ports, pseudo-terminals, serial servers, TCP connections and UDP sockets, each opened
//! from the URL in the lab file, read and written with deadlines, and shown to a capture tap.
//!
//! In the picture of the house this is the last arrow, `link ═══> CHF/ESME/...`. A link knows nothing of DLMS: framing,
//! sign-on and sessions are the driver's. What crosses it reaches the [`Tap`] before anybody interprets it, so the
//! evidence of a run shows noise and half frames as they were.

mod attached;
mod dongle;
mod error;
mod framing;
mod holder;
mod line;
pub mod lock;
mod remote;
mod tap;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Carries, Endpoint, LinkUrl, StationPort};
use tokio::time::Instant;

pub(crate) use attached::line as line_of_settings;
pub use dongle::{DonglePort, DonglePortError};
pub(crate) use error::seconds;
pub use error::{LinkError, LinkErrorKind};
pub use framing::Framing;
pub use line::{Character, Line};
pub use proto_lab::attach::ModemWires;
pub use tap::{Direction, LinkKind, NoTap, SharedTap, Tap};

use framing::Held;
use wire::{Wire, WireError};

/// Most bytes one read hands over: more than any serial burst, several TCP segments.
const READ_BUFFER: usize = 4096;
/// The same for datagrams, of which a read hands over a whole one and loses what finds no room.
const DATAGRAM_BUFFER: usize = 65_536;

/// Where a link's bytes go: what remains of a link URL once the protocol spoken over it is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A serial port, or a pseudo-terminal that looks like one.
    Serial {
        /// Path of the port.
        path: String,
        /// Speed and character format it is opened with.
        line: Line,
    },
    /// A TCP server.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A UDP socket.
    Udp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A serial port behind a serial server that takes settings (RFC 2217).
    Rfc2217 {
        /// Host name or address of the server.
        host: String,
        /// Its port, which stands for one serial port.
        port: u16,
        /// Speed and character format it begins with.
        line: Line,
    },
    /// A port of a station at another bench.
    Station {
        /// The station, the port and the lease.
        port: StationPort,
        /// Speed and character format it begins with, where it is a serial line.
        line: Option<Line>,
    },
}

impl Target {
    /// The key under which this target is locked: one key per physical link, however the lab file spells it.
    #[must_use]
    pub fn physical_key(&self) -> String {
        match self {
            Target::Serial { path, .. } => serial_key(path),
            // A serial server's port is one link whether it is spoken to with settings or without.
            Target::Tcp { host, port } | Target::Rfc2217 { host, port, .. } => {
                format!("tcp {}:{port}", host.to_ascii_lowercase())
            }
            Target::Udp { host, port } => format!("udp {}:{port}", host.to_ascii_lowercase()),
            // A station's name is its controller's to give: two controllers of one machine may each have a bench-2.
            Target::Station { port, .. } => {
                let door = crate::state::stations_door().unwrap_or_default();
                format!("station {}/{} at {}", port.station, port.port, door.display())
            }
        }
    }

    /// How its serial line begins, where it has one the harness sets.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        match self {
            Target::Serial { line, .. } | Target::Rfc2217 { line, .. } => Some(*line),
            Target::Station { line, .. } => *line,
            Target::Tcp { .. } | Target::Udp { .. } => None,
        }
    }

    fn kind(&self) -> LinkKind {
        match self.line() {
            Some(_) => LinkKind::Serial,
            None => LinkKind::Network,
        }
    }
}

/// One key per port: /dev/serial/by-id/... and /dev/ttyUSB0 are one.
fn serial_key(path: &str) -> String {
    std::fs::canonicalize(path)
        .map_or_else(|_| format!("serial {path}"), |real| format!("serial {}", real.display()))
}

/// What crossed a link since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Octets sent.
    pub sent: u64,
    /// Octets received.
    pub received: u64,
    /// The time they all took on the serial line at its speed; none on links without one.
    pub on_wire: Option<Duration>,
}

impl Traffic {
    /// What crossed since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Traffic) -> Traffic {
        Traffic {
            sent: self.sent.saturating_sub(earlier.sent),
            received: self.received.saturating_sub(earlier.received),
            on_wire: self.on_wire.map(|time| time.saturating_sub(earlier.on_wire.unwrap_or_default())),
        }
    }
}

/// An open link to a device.
pub struct Link {
    address: LinkAddress,
    wire: Wire,
    tap: SharedTap,
    buffer: Box<[u8]>,
    /// How much of `buffer` the last read filled.
    filled: usize,
    /// Received, and not yet a packet of the capture.
    held: Held,
    /// How the serial line is set now, where there is one.
    line: Option<Line>,
    /// When, by the line's speed, all that was sent has left.
    gone: Instant,
    traffic: Traffic,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What a link is called and where it goes, before it is opened: enough to open it again.
#[derive(Debug, Clone)]
pub struct LinkAddress {
    /// Name of the link in records, captures and errors.
    pub name: String,
    /// The URL as people wrote it.
    pub url: String,
    /// Where it goes.
    pub target: Target,
}

impl LinkAddress {
    /// The address a link URL of the lab file gives.
    ///
    /// # Errors
    /// [`LinkErrorKind::Setting`] for `sim:`, which whoever starts the simulated device puts a concrete URL in place of.
    pub fn of(name: &str, url: &LinkUrl) -> Result<LinkAddress, LinkError> {
        let line = Line::of(url);
        let target = match &url.endpoint {
            Endpoint::Serial(path) => Target::Serial { path: path.as_str().to_owned(), line },
            Endpoint::Tcp(authority) | Endpoint::TcpHdlc(authority) => {
                Target::Tcp { host: authority.host().to_owned(), port: authority.port() }
            }
            Endpoint::Udp(authority) => {
                Target::Udp { host: authority.host().to_owned(), port: authority.port() }
            }
            Endpoint::Rfc2217(authority) => {
                Target::Rfc2217 { host: authority.host().to_owned(), port: authority.port(), line }
            }
            Endpoint::Station(port) => {
                let line = (port.carries == Carries::Serial).then_some(line);
                Target::Station { port: port.clone(), line }
            }
            Endpoint::Simulated => return Err(nowhere(name, url)),
        };
        Ok(LinkAddress { name: name.to_owned(), url: url.to_string(), target })
    }

    /// Opens the link, waiting no longer than `limit`.
    ///
    /// # Errors
    /// The port cannot be opened or is busy, the host refuses or does not answer, or the port refuses its settings.
    pub async fn open(&self, tap: SharedTap, limit: Duration) -> Result<Link, LinkError> {
        let asked = Instant::now();
        let opened = match &self.target {
            Target::Serial { path, line } => Wire::serial(path, *line).await,
            Target::Tcp { host, port } => Wire::tcp(host, *port, limit).await,
            Target::Udp { host, port } => Wire::udp(host, *port, limit).await,
            Target::Rfc2217 { host, port, line } => Wire::remote(host, *port, *line, limit).await,
            Target::Station { port, line } => Wire::attached(port, *line, limit).await,
        };
        let wire = opened.map_err(|WireError { kind, found }| {
            self.error(kind, "the link to open", found, asked.elapsed())
        })?;
        tap.link(&self.name, &self.url, self.target.kind());
        tap.frame(&self.name, Direction::Sent, Timestamp::now(), &[], Some("link opened"));
        let size = if wire.is_datagrams() { DATAGRAM_BUFFER } else { READ_BUFFER };
        let line = self.target.line();
        let mut link = Link {
            address: self.clone(),
            wire,
            tap,
            buffer: vec![0; size].into_boxed_slice(),
            filled: 0,
            held: Held::default(),
            line,
            gone: Instant::now(),
            traffic: Traffic { on_wire: line.map(|_| Duration::ZERO), ..Traffic::default() },
        };
        link.note_remarks();
        Ok(link)
    }

    pub(crate) fn error(
        &self,
        kind: LinkErrorKind,
        expected: impl Into<String>,
        found: impl Into<String>,
        waited: Duration,
    ) -> LinkError {
        let (link, url) = (self.name.clone(), self.url.clone());
        LinkError { link, url, expected: expected.into(), found: found.into(), waited, kind }
    }
}

fn nowhere(name: &str, url: &LinkUrl) -> LinkError {
    LinkError {
        link: name.to_owned(),
        url: url.to_string(),
        expected: "a port or a host".into(),
        found: "a simulated device that nobody has started".into(),
        waited: Duration::ZERO,
        kind: LinkErrorKind::Setting,
    }
}

impl Link {
    /// Name of the link in records, captures and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.address.name
    }

    /// The URL the link was opened with.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// The address this link can be opened at again.
    #[must_use]
    pub fn address(&self) -> LinkAddress {
        self.address.clone()
    }

    /// What crossed the link since it was opened.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The time one octet takes on the line as it is set now; none on links without a serial line.
    #[must_use]
    pub fn octet_time(&self) -> Duration {
        self.line.map(|line| line.transmission(1)).unwrap_or_default()
    }

    /// Whether the link carries datagrams, which may be lost, doubled or overtaken.
    #[must_use]
    pub fn is_datagrams(&self) -> bool {
        self.wire.is_datagrams()
    }

    /// How received octets are cut into packets of the capture from now on. Datagrams are packets already.
    pub fn set_framing(&mut self, framing: Framing) {
        let framing = if self.is_datagrams() { Framing::Bursts } else { framing };
        let rest = self.held.set(framing);
        self.note_rest(rest);
    }

    /// Writes all of `bytes` before `deadline`.
    ///
    /// # Errors
    /// [`LinkErrorKind::Gone`] when the other side closed, [`LinkErrorKind::NoAnswer`] when it takes no bytes.
    pub async fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LinkError> {
        let asked = Instant::now();
        self.flush_held();
        let on_port = match self.line {
            Some(line) => line.character.on_port(bytes),
            None => bytes.into(),
        };
        let sent = tokio::time::timeout_at(deadline, self.wire.write(&on_port)).await;
        let expected = || format!("the link to take {} octets", bytes.len());
        match sent {
            Ok(Ok(())) => {
                self.count_sent(on_port.len());
                self.note_frame(Direction::Sent, &on_port, None);
                self.note_remarks();
                Ok(())
            }
            Ok(Err(error)) => Err(self.gone(expected(), &error, asked)),
            Err(_) => {
                let found = "it takes none".to_owned();
                Err(self.error(LinkErrorKind::NoAnswer, expected(), found, asked.elapsed()))
            }
        }
    }

    fn count_sent(&mut self, octets: usize) {
        self.traffic.sent += octets as u64;
        self.count_on_wire(octets);
        let time = self.line.map(|line| line.transmission(octets)).unwrap_or_default();
        self.gone = self.gone.max(Instant::now()) + time;
    }

    fn count_on_wire(&mut self, octets: usize) {
        if let (Some(line), Some(time)) = (self.line, &mut self.traffic.on_wire) {
            *time = time.saturating_add(line.transmission(octets));
        }
    }

    /// Waits until something comes, or `deadline`, and hands over what has come.
    ///
    /// `expected` is what the caller waits for, for the error message.
    ///
    /// # Errors
    /// [`LinkErrorKind::NoAnswer`] at the deadline, [`LinkErrorKind::Gone`] when the other side closed.
    pub async fn receive(&mut self, expected: &str, deadline: Instant) -> Result<&[u8], LinkError> {
        let asked = Instant::now();
        match tokio::time::timeout_at(deadline, self.wire.read(&mut self.buffer)).await {
            Ok(Ok(0)) => {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed the link");
                Err(self.gone(expected.to_owned(), &error, asked))
            }
            Ok(Ok(count)) => {
                self.take(count);
                Ok(self.last_burst())
            }
            Ok(Err(error)) => Err(self.gone(expected.to_owned(), &error, asked)),
            Err(_) => {
                self.note_remarks();
                self.flush_held();
                Err(self.error(LinkErrorKind::NoAnswer, expected, "nothing", asked.elapsed()))
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.filled = count;
        self.traffic.received += count as u64;
        self.count_on_wire(count);
        self.note_remarks();
        self.held.push(&self.buffer[..count]);
        while let Some(packet) = self.held.next_packet() {
            self.note_frame(Direction::Received, &packet, None);
        }
        if self.held.is_too_long() {
            self.flush_held();
        }
    }

    /// What the last read handed over.
    #[must_use]
    pub fn last_burst(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Changes speed and character format of a serial link once what was written has left; over plain TCP the far end does
    /// that, if anybody.
    ///
    /// # Errors
    /// [`LinkErrorKind::Setting`] when the port refuses, [`LinkErrorKind::NoAnswer`] when it sends nothing more.
    pub async fn set_line(&mut self, line: Line, deadline: Instant) -> Result<(), LinkError> {
        let asked = Instant::now();
        self.flush_held();
        self.drained(asked, deadline).await?;
        let Some(now) = self.line else { return Ok(()) };
        // Flow control is the port's, whatever the protocol does with speed and parity.
        let line = Line { flow: now.flow, ..line };
        self.wire.set_line(line, deadline).await.map_err(|WireError { kind, found }| {
            self.error(kind, format!("the port to take {line}"), found, asked.elapsed())
        })?;
        self.line = Some(line);
        self.note_remarks();
        self.note(&format!("line set to {line}"));
        Ok(())
    }

    /// Waits until what was written has left.
    async fn drained(&mut self, asked: Instant, deadline: Instant) -> Result<(), LinkError> {
        match tokio::time::timeout_at(deadline, self.wire.drained(self.gone)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.gone("the port to send what it has".into(), &error, asked)),
            Err(_) => {
                let (expected, found) = ("the port to send what it has", "a port that waits");
                Err(self.error(LinkErrorKind::NoAnswer, expected, found, asked.elapsed()))
            }
        }
    }

    /// Holds the serial line in break for `length`, once what was written has left.
    ///
    /// # Errors
    /// [`LinkErrorKind::Setting`] on a link without a serial line, [`LinkErrorKind::Gone`] when the port is.
    pub async fn send_break(&mut self, length: Duration, deadline: Instant) -> Result<(), LinkError> {
        let asked = Instant::now();
        self.drained(asked, deadline).await?;
        let sent = self.wire.send_break(length, deadline).await;
        self.told(sent, "the line to be held in break", asked)?;
        self.note(&format!("break of {}", seconds(length)));
        Ok(())
    }

    /// Raises or lowers DTR and RTS; what is none stays as it is.
    ///
    /// # Errors
    /// As [`Link::send_break`].
    pub async fn set_wires(
        &mut self,
        dtr: Option<bool>,
        rts: Option<bool>,
        deadline: Instant,
    ) -> Result<(), LinkError> {
        let asked = Instant::now();
        let set = self.wire.set_wires((dtr, rts), deadline).await;
        self.told(set, "DTR and RTS to be set", asked)
    }

    /// How the wires stand that the other side of the serial line drives.
    ///
    /// # Errors
    /// As [`Link::send_break`].
    pub async fn modem(&mut self, deadline: Instant) -> Result<ModemWires, LinkError> {
        let asked = Instant::now();
        let read = self.wire.modem(deadline).await;
        self.told(read, "the modem's wires", asked)
    }

    fn told<T>(&self, result: Result<T, WireError>, expected: &str, asked: Instant) -> Result<T, LinkError> {
        result.map_err(|WireError { kind, found }| self.error(kind, expected, found, asked.elapsed()))
    }

    /// Throws away everything received and not yet handed over, so that an exchange starts on a quiet line.
    ///
    /// # Errors
    /// [`LinkErrorKind::Gone`] when the port is.
    pub async fn discard(&mut self) -> Result<(), LinkError> {
        self.flush_held();
        // What the system holds is read rather than flushed, and so is what a serial server had under way: the capture
        // must show it.
        self.discard_read().await;
        let asked = Instant::now();
        if let Err(error) = self.wire.discard_input().await {
            return Err(self.gone("a quiet line".to_owned(), &error, asked));
        }
        self.discard_read().await;
        self.note_remarks();
        Ok(())
    }

    async fn discard_read(&mut self) {
        let now = Instant::now();
        while let Ok(Ok(count)) = tokio::time::timeout_at(now, self.wire.read(&mut self.buffer)).await {
            if count == 0 {
                return;
            }
            self.note_frame(Direction::Received, &self.buffer[..count], Some("discarded: nobody had asked"));
        }
    }

    /// Writes a remark about the line into the capture.
    pub fn note(&self, note: &str) {
        self.note_frame(Direction::Received, &[], Some(note));
    }

    /// An error of this link, for the protocols above it.
    pub(crate) fn error(
        &self,
        kind: LinkErrorKind,
        expected: impl Into<String>,
        found: impl Into<String>,
        waited: Duration,
    ) -> LinkError {
        self.address.error(kind, expected, found, waited)
    }

    fn note_frame(&self, direction: Direction, bytes: &[u8], note: Option<&str>) {
        self.tap.frame(&self.address.name, direction, Timestamp::now(), bytes, note);
    }

    fn note_remarks(&mut self) {
        for remark in self.wire.remarks() {
            self.note(&remark);
        }
    }

    /// Octets that make no frame, or not yet, go into the capture as they are.
    fn flush_held(&mut self) {
        let rest = self.held.rest();
        self.note_rest(rest);
    }

    fn note_rest(&self, rest: Vec<u8>) {
        if !rest.is_empty() {
            self.note_frame(Direction::Received, &rest, Some("no whole frame"));
        }
    }

    fn gone(&mut self, expected: String, error: &io::Error, asked: Instant) -> LinkError {
        self.note_remarks();
        self.flush_held();
        self.note(&format!("link lost: {error}"));
        self.error(LinkErrorKind::Gone, expected, error.to_string(), asked.elapsed())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.flush_held();
    }
}
