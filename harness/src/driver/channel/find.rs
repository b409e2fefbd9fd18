//! Finding out how a serial line begins: `sign-on=auto`.
//!
//! Tried in turn, the likeliest first: the sign-on at 300 baud in 7E1 and, for adapters that know only eight bits, with the
//! parity made here; HDLC without a sign-on at the usual speeds; the sign-on at the other speeds of the standard, where some
//! meters are fixed. Each try waits as long as the standard lets a meter take and the octets need on the line, which makes
//! less than 40 seconds for all of them; [`MOST`] is the bound.

use std::time::Duration;

use lab_config::{FlowControl, LinkUrl, Parity, SignOn};
use proto_dlms::echo::Echo;
use proto_dlms::sign_on::{Mode, SignOnError};
use tokio::time::Instant;

use super::hdlc::{Station, settings};
use super::sign_on::{Opening, OpeningError, SignedOn, attempt, echo};
use super::{ChannelError, Waits};
use crate::driver::access::{Access, Deadlines};
use crate::driver::error::DriverErrorKind;
use crate::link::{Character, Framing, Line, Link};

/// The longest the whole search may take.
pub const MOST: Duration = Duration::from_secs(60);
/// The longest a meter may think before it answers a sign-on (IEC 62056-21, 6.3.14), and what a port adds to it.
const REACTION: Duration = Duration::from_millis(1800);
/// The same for HDLC, whose meters answer at once.
const HDLC_REACTION: Duration = Duration::from_millis(700);
/// Characters of a request and a long identification.
const SIGN_ON_CHARACTERS: usize = 45;
/// Octets of an SNRM and of a UA with parameters.
const CONNECT_OCTETS: usize = 60;

/// One way a line may begin.
#[derive(Debug, Clone, Copy)]
enum Way {
    SignOn(u32, Character),
    Hdlc(u32),
}

const WAYS: [Way; 19] = [
    Way::SignOn(300, Character::SevenEven),
    Way::Hdlc(9600),
    Way::SignOn(300, Character::SevenEvenInEight),
    Way::Hdlc(19200),
    Way::Hdlc(4800),
    Way::Hdlc(2400),
    Way::Hdlc(115_200),
    Way::Hdlc(57600),
    Way::Hdlc(38400),
    Way::Hdlc(1200),
    Way::SignOn(9600, Character::SevenEven),
    Way::SignOn(19200, Character::SevenEven),
    Way::SignOn(4800, Character::SevenEven),
    Way::SignOn(2400, Character::SevenEven),
    Way::SignOn(1200, Character::SevenEven),
    Way::SignOn(600, Character::SevenEven),
    Way::Hdlc(600),
    Way::Hdlc(300),
    Way::SignOn(9600, Character::SevenEvenInEight),
];

impl Way {
    fn line(self, flow: FlowControl) -> Line {
        let (baud, character) = match self {
            Way::SignOn(baud, character) => (baud, character),
            Way::Hdlc(baud) => (baud, Character::EightNone),
        };
        Line { baud, character, flow }
    }

    fn patience(self) -> Duration {
        let line = self.line(FlowControl::None);
        match self {
            Way::SignOn(..) => REACTION + line.transmission(SIGN_ON_CHARACTERS),
            Way::Hdlc(_) => HDLC_REACTION + line.transmission(CONNECT_OCTETS),
        }
    }

    fn words(self) -> String {
        let line = self.line(FlowControl::None);
        match self {
            Way::SignOn(..) => format!("sign-on at {line}"),
            Way::Hdlc(_) => format!("HDLC at {line}"),
        }
    }
}

/// One way tried.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tried {
    /// How the line was set and what was said on it.
    pub way: String,
    /// What came of it.
    pub found: String,
}

/// How a line turned out to begin.
#[derive(Debug)]
pub(in crate::driver) struct Found {
    /// The URL that says so.
    pub(in crate::driver) url: LinkUrl,
    /// Everything tried, the last with success.
    pub(in crate::driver) tried: Vec<Tried>,
    /// The sign-on the meter has just completed, where it waits for HDLC now.
    pub(in crate::driver) signed_on: Option<SignedOn>,
}

/// Tries one way after the other until the meter answers.
pub(in crate::driver) async fn find(
    link: &mut Link,
    url: &LinkUrl,
    access: &Access,
    usual: &Deadlines,
) -> Result<Found, ChannelError> {
    let end = Instant::now() + MOST;
    let mut search = Search { url, access, usual, end, tried: Vec::new() };
    for way in WAYS {
        if Instant::now() >= end {
            break;
        }
        if let Some((url, signed_on)) = search.attempt(link, way).await? {
            link.note(&format!("the line begins as {url}"));
            return Ok(Found { url, tried: search.tried, signed_on });
        }
    }
    let ways: Vec<String> =
        search.tried.iter().map(|tried| format!("{}: {}", tried.way, tried.found)).collect();
    Err(DriverErrorKind::SignOn(format!("nothing answered on this line; tried {}", ways.join("; "))).into())
}

/// Ends the HDLC line a sign-on has opened, so that the meter waits for a sign-on again: it knows no other end than that of
/// a connection.
pub(in crate::driver) async fn let_go(
    link: &mut Link,
    url: &LinkUrl,
    access: &Access,
    usual: &Deadlines,
    echo: Echo,
    until: Instant,
) {
    let Ok(settings) = settings(access, usual, url.hdlc, echo) else { return };
    match Station::connect(link, settings, until).await {
        Ok(mut station) => station.disconnect(link, until).await,
        Err(error) => link.note(&format!("the meter was not let go: {}", error.kind)),
    }
}

struct Search<'a> {
    url: &'a LinkUrl,
    access: &'a Access,
    usual: &'a Deadlines,
    end: Instant,
    tried: Vec<Tried>,
}

/// The URL of a way that worked, and the sign-on where one was completed.
type Success = Option<(LinkUrl, Option<SignedOn>)>;

impl Search<'_> {
    async fn attempt(&mut self, link: &mut Link, way: Way) -> Result<Success, ChannelError> {
        link.note(&format!("trying {}", way.words()));
        link.set_line(way.line(self.url.flow()), self.end).await?;
        link.discard().await?;
        let deadlines = Deadlines { response: way.patience(), retries: 0, ..*self.usual };
        let (url, signed_on, found) = match way {
            Way::SignOn(baud, character) => self.sign_on(link, baud, character, &deadlines).await?,
            Way::Hdlc(baud) => self.connect(link, baud, &deadlines).await?,
        };
        self.tried.push(Tried { way: way.words(), found });
        Ok(url.map(|url| (url, signed_on)))
    }

    async fn sign_on(
        &self,
        link: &mut Link,
        baud: u32,
        character: Character,
        deadlines: &Deadlines,
    ) -> Result<(Option<LinkUrl>, Option<SignedOn>, String), ChannelError> {
        let begun = |sign_on| {
            let mut url = self.url.clone();
            url.line.sign_on = Some(sign_on);
            url.line.sign_on_baud = (baud != LinkUrl::SIGN_ON_BAUD).then_some(baud);
            url.line.parity = (character == Character::SevenEvenInEight).then_some(Parity::None);
            url
        };
        let waits = Waits { until: self.end, ..Waits::starting_now(deadlines) };
        let begin = Line { baud, character, flow: self.url.flow() };
        let opening = Opening { begin, ..Opening::of(self.url, Mode::Hdlc) };
        match attempt(link, opening, deadlines, &waits).await {
            Ok(signed_on) => {
                let found = format!("{}, mode E at {} baud", signed_on.identification, signed_on.baud);
                Ok((Some(begun(SignOn::ModeE)), Some(signed_on), found))
            }
            Err(OpeningError::Failed(error @ (SignOnError::NotConfirmed { .. } | SignOnError::ReadOut))) => {
                Ok((Some(begun(SignOn::ModeC)), None, error.to_string()))
            }
            Err(OpeningError::Failed(error)) => Ok((None, None, self.garbage_or(link, error.to_string()))),
            Err(OpeningError::Channel(error)) => Err(error),
        }
    }

    async fn connect(
        &self,
        link: &mut Link,
        baud: u32,
        deadlines: &Deadlines,
    ) -> Result<(Option<LinkUrl>, Option<SignedOn>, String), ChannelError> {
        let settings = settings(self.access, deadlines, self.url.hdlc, echo(self.url))?;
        match Station::connect(link, settings, self.end).await {
            Ok(mut station) => {
                station.disconnect(link, Instant::now() + deadlines.response).await;
                let mut url = self.url.clone();
                url.line.sign_on = Some(SignOn::None);
                url.line.baud = Some(baud);
                link.set_framing(Framing::Bursts);
                Ok((Some(url), None, "connects".to_owned()))
            }
            // A line that is gone is gone for every way; anything else may be the wrong way.
            Err(error) if matches!(error.kind, DriverErrorKind::Link(_)) => Err(error),
            Err(error) => Ok((None, None, self.garbage_or(link, error.kind.to_string()))),
        }
    }

    /// Octets that make no sense say that something is there.
    fn garbage_or(&self, link: &Link, words: String) -> String {
        match link.last_burst() {
            [] => "silence".to_owned(),
            heard => {
                let shown = hex::encode_upper(&heard[..heard.len().min(16)]);
                format!("octets that make no sense ({shown}); {words}")
            }
        }
    }
}
