//! The IEC 62056-21 sign-on before HDLC, on a serial line whose speed and parity change on the way.

use proto_dlms::echo::Echo;
use proto_dlms::sign_on::{Client, ClientEvent, ClientSettings, Framing, LineSettings};
use tokio::time::Instant;

use super::hdlc::now;
use super::{ChannelError, Waits};
use crate::driver::access::Deadlines;
use crate::driver::error::DriverErrorKind;
use crate::link::{Character, Line, Link, LinkErrorKind};

/// What the sign-on found out.
#[derive(Debug)]
pub(in crate::driver) struct SignedOn {
    /// What the meter says of itself.
    pub(in crate::driver) identification: String,
    /// Whether the head repeats what is sent.
    pub(in crate::driver) echo: Echo,
}

/// Signs on in mode E. Where the link begins at another speed than 300 baud, so does the sign-on.
pub(in crate::driver) async fn sign_on(
    link: &mut Link,
    begin_at: u32,
    deadlines: &Deadlines,
    waits: &Waits,
) -> Result<SignedOn, ChannelError> {
    let settings = ClientSettings {
        response_timeout: deadlines.response,
        retries: deadlines.retries.into(),
        ..ClientSettings::default()
    };
    let mut client = Client::new(settings);
    client.start(now());
    while Instant::now() < waits.until {
        while let Some(octets) = client.poll_transmit() {
            link.send(&octets, waits.until).await?;
        }
        match client.poll_event() {
            Some(ClientEvent::SetLine(settings)) => {
                link.set_line(line(settings, begin_at), waits.until).await?;
            }
            Some(ClientEvent::SignedOn { identification, echo, .. }) => {
                let identification = String::from_utf8_lossy(&identification.encode()).trim().to_owned();
                return Ok(SignedOn { identification, echo });
            }
            Some(ClientEvent::Failed(error)) => {
                return Err(failed(link, &error.to_string()));
            }
            None => listen(link, &mut client, waits.until).await?,
        }
    }
    Err(super::out_of_time())
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

fn line(settings: LineSettings, begin_at: u32) -> Line {
    let baud = if settings == LineSettings::INITIAL { begin_at } else { settings.baud.rate() };
    let character = match settings.framing {
        Framing::SevenEven => Character::SevenEven,
        Framing::EightNone => Character::EightNone,
    };
    Line { baud, character }
}
