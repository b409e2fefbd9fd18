//! The IEC 62056-21 sign-on, on a serial line whose speed and parity change on the way.

use lab_config::LinkUrl;
use proto_dlms::echo::Echo;
use proto_dlms::sign_on::{
    Baud, Client, ClientEvent, ClientSettings, Framing, LineSettings, Mode, ReadOut, SignOnError,
};
use tokio::time::Instant;

use super::hdlc::now;
use super::{ChannelError, Waits};
use crate::driver::access::Deadlines;
use crate::driver::error::DriverErrorKind;
use crate::link::{self, Character, Line, Link, LinkErrorKind};

/// What the sign-on led to.
#[derive(Debug)]
pub(in crate::driver) struct SignedOn {
    /// What the meter says of itself.
    pub(in crate::driver) identification: String,
    /// Whether the head repeats what is sent.
    pub(in crate::driver) echo: Echo,
    /// What the meter read out, in mode C.
    pub(in crate::driver) read_out: ReadOut,
    /// The speed agreed, in baud.
    pub(in crate::driver) baud: u32,
}

/// Where and how to sign on.
#[derive(Debug, Clone, Copy)]
pub(in crate::driver) struct Opening {
    /// How the line is set when it begins.
    pub(in crate::driver) begin: Line,
    /// What to ask for.
    pub(in crate::driver) mode: Mode,
    /// The fastest speed to agree on.
    pub(in crate::driver) fastest: Baud,
    pub(in crate::driver) echo: Echo,
}

impl Opening {
    /// As a link URL has it.
    pub(in crate::driver) fn of(url: &LinkUrl, mode: Mode) -> Opening {
        let fastest = url.line.baud.and_then(Baud::from_rate).unwrap_or(Baud::B19200);
        Opening { begin: Line::of(url), mode, fastest, echo: echo(url) }
    }

    fn line(&self, settings: LineSettings) -> Line {
        let seven = match self.begin.character {
            Character::SevenEvenInEight => Character::SevenEvenInEight,
            _ => Character::SevenEven,
        };
        let baud = if settings == LineSettings::INITIAL { self.begin.baud } else { settings.baud.rate() };
        let character = match settings.framing {
            Framing::SevenEven => seven,
            Framing::EightNone => Character::EightNone,
        };
        Line { baud, character, ..self.begin }
    }
}

/// What the link URL says of the head.
pub(in crate::driver) fn echo(url: &LinkUrl) -> Echo {
    match url.line.echo {
        None | Some(lab_config::Echo::Auto) => Echo::Unknown,
        Some(lab_config::Echo::On) => Echo::Present,
        Some(lab_config::Echo::Off) => Echo::Absent,
    }
}

/// Why a sign-on failed: the machine's own error, or what stopped it.
#[derive(Debug)]
pub(super) enum OpeningError {
    Failed(SignOnError),
    Channel(ChannelError),
}

impl<E: Into<ChannelError>> From<E> for OpeningError {
    fn from(error: E) -> Self {
        OpeningError::Channel(error.into())
    }
}

/// Signs on.
pub(in crate::driver) async fn sign_on(
    link: &mut Link,
    opening: Opening,
    deadlines: &Deadlines,
    waits: &Waits,
) -> Result<SignedOn, ChannelError> {
    match attempt(link, opening, deadlines, waits).await {
        Ok(signed_on) => Ok(signed_on),
        Err(OpeningError::Channel(error)) => Err(error),
        Err(OpeningError::Failed(error)) => Err(failed(link, &error.to_string())),
    }
}

pub(super) async fn attempt(
    link: &mut Link,
    opening: Opening,
    deadlines: &Deadlines,
    waits: &Waits,
) -> Result<SignedOn, OpeningError> {
    link.set_framing(link::Framing::Lines);
    let mut client = Client::new(ClientSettings {
        mode: opening.mode,
        max_baud: opening.fastest,
        response_timeout: deadlines.response,
        retries: deadlines.retries.into(),
        echo: opening.echo,
        ..ClientSettings::default()
    });
    client.start(now());
    while Instant::now() < waits.until {
        while let Some(octets) = client.poll_transmit() {
            link.send(&octets, waits.until).await?;
        }
        match client.poll_event() {
            Some(ClientEvent::SetLine(settings)) => {
                link.set_line(opening.line(settings), waits.until).await?;
            }
            Some(ClientEvent::SignedOn { identification, baud, echo }) => {
                let (identification, baud) = (identification.to_string(), baud.rate());
                return Ok(SignedOn { identification, echo, read_out: ReadOut::default(), baud });
            }
            Some(ClientEvent::ReadOut { identification, baud, read_out }) => {
                let (identification, baud) = (identification.to_string(), baud.rate());
                return Ok(SignedOn { identification, echo: opening.echo, read_out, baud });
            }
            Some(ClientEvent::Failed(error)) => return Err(OpeningError::Failed(error)),
            None => listen(link, &mut client, waits.until).await?,
        }
    }
    Err(super::out_of_time().into())
}

async fn listen(link: &mut Link, client: &mut Client, until: Instant) -> Result<(), ChannelError> {
    let wake = client.poll_timeout().map_or(until, |due| until.min(due.into()));
    match link.receive("the sign-on to go on", wake).await {
        Ok(octets) => client.receive(octets, now()),
        Err(error) if error.kind == LinkErrorKind::NoAnswer && wake < until => {}
        Err(error) => return Err(error.into()),
    }
    // Also when characters came: a line that is never quiet must not hold up time.
    client.handle_timeout(now());
    Ok(())
}

fn failed(link: &Link, words: &str) -> ChannelError {
    let heard = link.last_burst();
    let frame = (!heard.is_empty()).then(|| heard.to_vec());
    ChannelError { kind: DriverErrorKind::SignOn(words.to_owned()), frame }
}
