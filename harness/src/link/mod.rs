//! Byte streams to devices: serial ports, pseudo-terminals and TCP connections, each opened from the URL in the lab
//! file, read and written with deadlines, and shown to a capture tap.
//!
//! In the picture of the house this is the last arrow, `link ═══> CHF/ESME/...`. A link knows nothing of DLMS: framing,
//! sign-on and sessions are the driver's. What crosses it reaches the [`Tap`] before anybody interprets it, so the
//! evidence of a run shows noise and half frames as they were.

mod error;
pub mod lock;
mod tap;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Endpoint, LinkUrl, Parity};
use tokio::time::Instant;

pub(crate) use error::seconds;
pub use error::{LinkError, LinkErrorKind};
pub use tap::{Direction, NoTap, SharedTap, Tap};
pub use wire::{Character, Line};

use wire::{Wire, WireError};

/// Most bytes one read hands over: more than any serial burst, several TCP segments.
const READ_BUFFER: usize = 4096;

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
}

impl Target {
    /// The key under which this target is locked: one key per physical link, however the lab file spells it.
    #[must_use]
    pub fn physical_key(&self) -> String {
        match self {
            // /dev/serial/by-id/... and /dev/ttyUSB0 are one port.
            Target::Serial { path, .. } => std::fs::canonicalize(path)
                .map_or_else(|_| format!("serial {path}"), |real| format!("serial {}", real.display())),
            Target::Tcp { host, port } => format!("tcp {}:{port}", host.to_ascii_lowercase()),
        }
    }
}

/// An open link to a device.
pub struct Link {
    name: String,
    url: String,
    target: Target,
    wire: Wire,
    tap: SharedTap,
    buffer: Box<[u8; READ_BUFFER]>,
    /// How much of `buffer` the last read filled.
    filled: usize,
    /// Octets sent since the line was last set: what may not have left the port yet.
    recent: usize,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
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
        let line = Line { baud: url.baud(), character: character(url.parity()) };
        let target = match &url.endpoint {
            Endpoint::Serial(path) => Target::Serial { path: path.as_str().to_owned(), line },
            Endpoint::Tcp(authority) | Endpoint::TcpHdlc(authority) => {
                Target::Tcp { host: authority.host().to_owned(), port: authority.port() }
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
            Target::Serial { path, line } => Wire::serial(path, *line),
            Target::Tcp { host, port } => Wire::tcp(host, *port, limit).await,
        };
        let wire = opened.map_err(|WireError { kind, found }| {
            self.error(kind, "the link to open", found, asked.elapsed())
        })?;
        tap.frame(&self.name, Direction::Sent, Timestamp::now(), &[], Some("link opened"));
        let (name, url, target) = (self.name.clone(), self.url.clone(), self.target.clone());
        Ok(Link { name, url, target, wire, tap, buffer: Box::new([0; READ_BUFFER]), filled: 0, recent: 0 })
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

fn character(parity: Parity) -> Character {
    match parity {
        Parity::None => Character::EightNone,
        Parity::Even => Character::SevenEven,
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
        &self.name
    }

    /// The URL the link was opened with.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address this link can be opened at again.
    #[must_use]
    pub fn address(&self) -> LinkAddress {
        LinkAddress { name: self.name.clone(), url: self.url.clone(), target: self.target.clone() }
    }

    /// Writes all of `bytes` before `deadline`.
    ///
    /// # Errors
    /// [`LinkErrorKind::Gone`] when the other side closed, [`LinkErrorKind::NoAnswer`] when it takes no bytes.
    pub async fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LinkError> {
        let asked = Instant::now();
        let sent = tokio::time::timeout_at(deadline, self.wire.write(bytes)).await;
        let expected = || format!("the link to take {} octets", bytes.len());
        match sent {
            Ok(Ok(())) => {
                self.recent = self.recent.saturating_add(bytes.len());
                self.note_frame(Direction::Sent, bytes, None);
                Ok(())
            }
            Ok(Err(error)) => Err(self.gone(expected(), &error, asked)),
            Err(_) => {
                let found = "it takes none".to_owned();
                Err(self.address().error(LinkErrorKind::NoAnswer, expected(), found, asked.elapsed()))
            }
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
        match tokio::time::timeout_at(deadline, self.wire.read(&mut self.buffer[..])).await {
            Ok(Ok(0)) => {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed the link");
                Err(self.gone(expected.to_owned(), &error, asked))
            }
            Ok(Ok(count)) => {
                self.filled = count;
                self.note_frame(Direction::Received, self.last_burst(), None);
                Ok(self.last_burst())
            }
            Ok(Err(error)) => Err(self.gone(expected.to_owned(), &error, asked)),
            Err(_) => {
                Err(self.address().error(LinkErrorKind::NoAnswer, expected, "nothing", asked.elapsed()))
            }
        }
    }

    /// What the last read handed over.
    #[must_use]
    pub fn last_burst(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Changes speed and character format of a serial link once what was written has left; over TCP the far end does
    /// that, if anybody.
    ///
    /// # Errors
    /// [`LinkErrorKind::Setting`] when the port refuses, [`LinkErrorKind::NoAnswer`] when it sends nothing more.
    pub async fn set_line(&mut self, line: Line, deadline: Instant) -> Result<(), LinkError> {
        let asked = Instant::now();
        match tokio::time::timeout_at(deadline, self.wire.drained(self.recent)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.gone("the port to send what it has".into(), &error, asked)),
            Err(_) => {
                let expected = "the port to send what it has";
                return Err(self.error(
                    LinkErrorKind::NoAnswer,
                    expected,
                    "a port that waits",
                    asked.elapsed(),
                ));
            }
        }
        self.recent = 0;
        self.wire.set_line(line).map_err(|WireError { kind, found }| {
            self.address().error(kind, format!("the port to take {line}"), found, Duration::ZERO)
        })?;
        if matches!(self.target, Target::Serial { .. }) {
            self.note(&format!("line set to {line}"));
        }
        Ok(())
    }

    /// Throws away everything received and not yet handed over, so that an exchange starts on a quiet line.
    ///
    /// # Errors
    /// [`LinkErrorKind::Gone`] when the port is.
    pub async fn discard(&mut self) -> Result<(), LinkError> {
        // What the kernel holds is read rather than flushed: the capture must show it.
        let quiet = Instant::now();
        while let Ok(Ok(count)) = tokio::time::timeout_at(quiet, self.wire.read(&mut self.buffer[..])).await {
            if count == 0 {
                break;
            }
            self.note_frame(Direction::Received, &self.buffer[..count], Some("discarded: nobody had asked"));
        }
        self.wire.discard_input().map_err(|error| self.gone("a quiet line".to_owned(), &error, quiet))
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
        self.address().error(kind, expected, found, waited)
    }

    fn note_frame(&self, direction: Direction, bytes: &[u8], note: Option<&str>) {
        self.tap.frame(&self.name, direction, Timestamp::now(), bytes, note);
    }

    fn gone(&self, expected: String, error: &io::Error, asked: Instant) -> LinkError {
        self.note(&format!("link lost: {error}"));
        self.error(LinkErrorKind::Gone, expected, error.to_string(), asked.elapsed())
    }
}
