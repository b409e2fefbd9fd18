//! Finding the address of an unknown meter: `probe LINK --scan`.
//!
//! On HDLC links each address is asked to connect (SNRM); whoever answers, be it that it refuses, is there. Over the wrapper
//! each port is asked for an association. Only connections are made and ended: nothing is read that a meter would count as a
//! wrong password. The search ends with the first meter found, its other logical devices, or the time it may take.

mod candidates;

use std::time::Duration;

use lab_config::{Carries, ClientSap, LinkUrl, SignOn};
use proto_dlms::sign_on::Mode;
use tokio::time::Instant;

use super::access::{Access, Deadlines};
use super::channel::{ChannelError, HdlcStation, Opening, Waits, echo, hdlc_settings, open_link, sign_on};
use super::error::{Context, DriverError, DriverErrorKind};
use super::session::Session;
use crate::link::{Link, LinkAddress, LinkErrorKind, SharedTap};
use candidates::{Candidate, LOGICAL, candidates};

/// How long a meter may take to answer, where the link URL does not say: meters answer an SNRM at once, and what the line
/// and serial servers add is less than this.
const PATIENCE: Duration = Duration::from_millis(300);
/// A meter that was signed on to goes back to its beginning when it is not spoken to; it is signed on to again.
const SIGNED_ON: Duration = Duration::from_secs(45);
/// How long making and ending one connection may take, once something answers.
const ONE: Duration = Duration::from_secs(5);

/// A logical device that answers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AddressFound {
    /// Logical device address, or wrapper port.
    pub server: u16,
    /// Physical device address.
    pub physical: Option<u16>,
    /// Octets of the address, on HDLC links.
    pub address_size: Option<String>,
    /// The client it answered.
    pub client: u8,
    /// What it answered, in words.
    pub answer: String,
    /// The link URL that leads to it.
    pub url: String,
}

/// What a scan came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Scanned {
    /// The link.
    pub link: String,
    /// Addresses tried.
    pub tried: usize,
    /// Addresses there were to try.
    pub of: usize,
    /// What answers.
    pub found: Vec<AddressFound>,
}

/// How far a scan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Addresses tried.
    pub tried: usize,
    /// Addresses there are to try.
    pub of: usize,
    /// Since it began.
    pub elapsed: Duration,
}

/// Looks for a meter on this link, for `limit` at most; `told` hears how far it has come after each address.
///
/// # Errors
/// The link cannot be opened, or goes away.
pub async fn scan(
    name: &str,
    url: &LinkUrl,
    tap: SharedTap,
    limit: Duration,
    told: impl FnMut(Progress) + Send,
) -> Result<Scanned, DriverError> {
    let began = Instant::now();
    let scanned = Scanned { link: url.to_string(), tried: 0, of: 0, found: Vec::new() };
    let scanner = Scanner { name, url, tap, began, end: began + limit, told, scanned };
    let scanned = match url.carries() {
        Carries::Tcp | Carries::Udp => scanner.wrapper().await,
        Carries::Serial | Carries::TcpHdlc => scanner.hdlc().await,
    };
    scanned.map_err(|error| {
        let context = Context { link: name.to_owned(), url: url.to_string(), ..Context::default() };
        DriverError::new(error.kind, context)
    })
}

struct Scanner<'s, T> {
    name: &'s str,
    url: &'s LinkUrl,
    tap: SharedTap,
    began: Instant,
    end: Instant,
    told: T,
    scanned: Scanned,
}

impl<T: FnMut(Progress) + Send> Scanner<'_, T> {
    fn tried(&mut self) {
        self.scanned.tried += 1;
        let (tried, of) = (self.scanned.tried, self.scanned.of);
        (self.told)(Progress { tried, of, elapsed: self.began.elapsed() });
    }

    fn deadlines(&self) -> Deadlines {
        let usual = Deadlines::of(self.url);
        let response = self.url.timeouts.response.unwrap_or(PATIENCE);
        Deadlines { response, request: ONE, retries: 0, ..usual }
    }

    async fn hdlc(mut self) -> Result<Scanned, ChannelError> {
        let clients: Vec<u8> = self.url.addressing.client.iter().map(|client| client.get()).collect();
        let all = candidates(&clients);
        self.scanned.of = all.len();
        let mut line = self.open().await?;
        for candidate in all {
            if Instant::now() >= self.end {
                break;
            }
            let answer = self.ask(&mut line, candidate).await?;
            self.tried();
            if let Some(answer) = answer {
                self.found(candidate, answer);
                self.neighbours(&mut line, candidate).await?;
                break;
            }
        }
        Ok(self.scanned)
    }

    /// The other logical devices of the meter that was found.
    async fn neighbours(&mut self, line: &mut OpenLine, first: Candidate) -> Result<(), ChannelError> {
        for logical in LOGICAL.into_iter().filter(|logical| *logical != first.logical) {
            if Instant::now() >= self.end {
                return Ok(());
            }
            let candidate = Candidate { logical, ..first };
            let answer = self.ask(line, candidate).await?;
            self.scanned.of += 1;
            self.tried();
            if let Some(answer) = answer {
                self.found(candidate, answer);
            }
        }
        Ok(())
    }

    fn found(&mut self, candidate: Candidate, answer: String) {
        let mut url = self.url.clone();
        url.addressing.client = None;
        url.addressing.server = Some(candidate.logical);
        url.addressing.physical = candidate.physical;
        url.addressing.server_address_size = Some(candidate.size);
        self.scanned.found.push(AddressFound {
            server: candidate.logical,
            physical: candidate.physical,
            address_size: Some(candidate.size.to_string()),
            client: candidate.client,
            answer,
            url: url.to_string(),
        });
    }

    /// Opens the link, and signs on where the URL says so.
    async fn open(&self) -> Result<OpenLine, ChannelError> {
        let address = LinkAddress::of(self.name, self.url)?;
        let mut link = open_link(&address, &self.tap, &self.deadlines()).await?;
        link.discard().await?;
        if self.url.sign_on() == SignOn::ModeE {
            let deadlines = Deadlines::of(self.url);
            let opening = Opening::of(self.url, Mode::Hdlc);
            sign_on(&mut link, opening, &deadlines, &Waits::starting_now(&deadlines)).await?;
        }
        Ok(OpenLine { link, since: Instant::now() })
    }

    /// What answers at an address, in words; none where nothing does.
    async fn ask(&self, line: &mut OpenLine, candidate: Candidate) -> Result<Option<String>, ChannelError> {
        if self.url.sign_on() == SignOn::ModeE && line.since.elapsed() > SIGNED_ON {
            *line = self.open().await?;
        }
        let access = Access {
            server: candidate.logical,
            physical: candidate.physical,
            address_size: Some(candidate.size),
            ..Access::open(sap(candidate.client))
        };
        let settings = hdlc_settings(&access, &self.deadlines(), self.url.hdlc, echo(self.url))?;
        let until = Instant::now() + ONE;
        match HdlcStation::connect(&mut line.link, settings, until).await {
            Ok(mut station) => {
                station.disconnect(&mut line.link, until).await;
                Ok(Some("connects".to_owned()))
            }
            Err(error) => self.judge(line, error).await,
        }
    }

    /// A meter that refuses is there; a line that is gone ends the search.
    async fn judge(&self, line: &mut OpenLine, error: ChannelError) -> Result<Option<String>, ChannelError> {
        match &error.kind {
            DriverErrorKind::Hdlc(refusal) => Ok(Some(format!("refuses: {refusal}"))),
            DriverErrorKind::NoAnswer(_) => Ok(None),
            DriverErrorKind::Malformed(_) => {
                line.link.discard().await?;
                Ok(None)
            }
            // A serial server may drop a connection on which it hears nothing.
            DriverErrorKind::Link(link) if link.kind == LinkErrorKind::NoAnswer => Ok(None),
            DriverErrorKind::Link(_) => {
                *line = self.open().await?;
                Ok(None)
            }
            _ => Err(error),
        }
    }

    async fn wrapper(mut self) -> Result<Scanned, ChannelError> {
        let rest = (1..=127).filter(|port| !LOGICAL.contains(port));
        let ports: Vec<u16> = LOGICAL.into_iter().chain(rest).collect();
        let client = self.url.addressing.client.unwrap_or(ClientSap::PUBLIC);
        self.scanned.of = ports.len();
        for (number, port) in ports.into_iter().enumerate() {
            let common = number < LOGICAL.len();
            if Instant::now() >= self.end || !common && !self.scanned.found.is_empty() {
                break;
            }
            let access = Access { server: port, ..Access::open(client) };
            let opened = Session::open(self.name, self.url, access, self.deadlines(), self.tap.clone()).await;
            self.tried();
            let answer = match opened {
                Ok(session) => {
                    session.close().await;
                    "associates".to_owned()
                }
                Err(error) => match refusal(error)? {
                    Some(answer) => answer,
                    None => continue,
                },
            };
            self.found_port(client, port, answer);
        }
        Ok(self.scanned)
    }

    fn found_port(&mut self, client: ClientSap, port: u16, answer: String) {
        let mut url = self.url.clone();
        url.addressing.client = None;
        url.addressing.server = Some(port);
        let (server, client) = (port, client.get());
        let url = url.to_string();
        self.scanned.found.push(AddressFound {
            server,
            physical: None,
            address_size: None,
            client,
            answer,
            url,
        });
    }
}

/// The link under way, and since when the meter is signed on to.
struct OpenLine {
    link: Link,
    since: Instant,
}

fn sap(number: u8) -> ClientSap {
    ClientSap::new(number).unwrap_or(ClientSap::PUBLIC)
}

/// Whether whoever did not associate is there all the same, in words.
fn refusal(error: DriverError) -> Result<Option<String>, ChannelError> {
    match &error.kind {
        DriverErrorKind::WrongPassword
        | DriverErrorKind::AssociationRefused(_)
        | DriverErrorKind::Exception(_) => Ok(Some(error.kind.to_string())),
        DriverErrorKind::Link(link)
            if matches!(
                link.kind,
                LinkErrorKind::CannotOpen | LinkErrorKind::Busy | LinkErrorKind::Setting
            ) =>
        {
            Err(error.kind.into())
        }
        _ => Ok(None),
    }
}
