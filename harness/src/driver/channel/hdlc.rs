//! APDUs over HDLC, on a serial line or a TCP connection that stands for one.

use proto_dlms::echo::Echo;
use proto_dlms::hdlc::{Address, AddressSize, Client, ClientEvent, ClientSettings, LinkFailure};
use tokio::time::Instant;

use super::{ChannelError, Waits};
use crate::driver::access::{Access, Deadlines};
use crate::driver::error::DriverErrorKind;
use crate::link::{Link, LinkErrorKind};

/// An HDLC connection on a link of its own.
#[derive(Debug)]
pub(in crate::driver) struct HdlcChannel {
    pub(super) link: Link,
    client: Client,
    /// How many octets came since something was last sent by the session, and how many of earlier ones made no frame:
    /// for the error that says they were no frames.
    heard: u64,
    discarded_before: u64,
}

impl HdlcChannel {
    /// Connects: SNRM until the server answers UA, or the retries are used up.
    pub(in crate::driver) async fn connect(
        link: Link,
        access: &Access,
        deadlines: &Deadlines,
        echo: Echo,
        waits: &Waits,
    ) -> Result<HdlcChannel, ChannelError> {
        let settings = ClientSettings { echo, ..settings(access, deadlines)? };
        let mut channel = HdlcChannel { link, client: Client::new(settings), heard: 0, discarded_before: 0 };
        channel.client.connect(now());
        loop {
            match channel.next_event(waits.until).await? {
                ClientEvent::Connected(_) => return Ok(channel),
                ClientEvent::Failed(failure) => return Err(channel.failed(&failure)),
                ClientEvent::Received(_) | ClientEvent::Unnumbered(_) | ClientEvent::Disconnected => {}
            }
        }
    }

    pub(super) async fn send(&mut self, apdu: &[u8], waits: &Waits) -> Result<(), ChannelError> {
        (self.heard, self.discarded_before) = (0, self.client.discarded());
        let sent = self.client.send(apdu, now());
        sent.map_err(|error| ChannelError::from(DriverErrorKind::Hdlc(error.to_string())))?;
        self.transmit(waits.until).await
    }

    /// The state machine keeps the time of each frame; here only the end of the request counts.
    pub(super) async fn receive(&mut self, waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        loop {
            match self.next_event(waits.until).await? {
                ClientEvent::Received(apdu) | ClientEvent::Unnumbered(apdu) => return Ok(apdu),
                ClientEvent::Failed(failure) => return Err(self.failed(&failure)),
                ClientEvent::Connected(_) | ClientEvent::Disconnected => {}
            }
        }
    }

    /// Disconnects, so that the meter does not hold the connection until its own time-out; gives up at `until`.
    pub(super) async fn disconnect(mut self, until: Instant) {
        self.client.disconnect(now());
        while let Ok(event) = self.next_event(until).await {
            if matches!(event, ClientEvent::Disconnected | ClientEvent::Failed(_)) {
                return;
            }
        }
    }

    async fn next_event(&mut self, until: Instant) -> Result<ClientEvent, ChannelError> {
        while Instant::now() < until {
            self.transmit(until).await?;
            if let Some(event) = self.client.poll_event() {
                return Ok(event);
            }
            self.listen(until).await?;
        }
        Err(super::out_of_time())
    }

    async fn transmit(&mut self, until: Instant) -> Result<(), ChannelError> {
        while let Some(frame) = self.client.poll_transmit() {
            self.link.send(&frame, until).await?;
        }
        Ok(())
    }

    async fn listen(&mut self, until: Instant) -> Result<(), ChannelError> {
        let wake = self.client.poll_timeout().map_or(until, |due| until.min(due.into()));
        match self.link.receive("an HDLC frame", wake).await {
            Ok(octets) => {
                self.heard += octets.len() as u64;
                self.client.receive(octets, now());
            }
            Err(error) if error.kind == LinkErrorKind::NoAnswer && wake < until => {}
            Err(error) => return Err(error.into()),
        }
        // Also when octets came: a line that is never quiet must not hold up time.
        self.client.handle_timeout(now());
        Ok(())
    }

    fn failed(&self, failure: &LinkFailure) -> ChannelError {
        let discarded = self.client.discarded() - self.discarded_before;
        match failure {
            // Octets came, and none of them made a frame: that is not silence.
            LinkFailure::NoAnswer { .. } if discarded > 0 => {
                let heard = self.heard;
                let words = format!(
                    "expected an HDLC frame, found {heard} octets of which {discarded} made no frame"
                );
                ChannelError::malformed(words, self.link.last_burst())
            }
            LinkFailure::NoAnswer { .. } | LinkFailure::Busy { .. } => {
                DriverErrorKind::NoAnswer(format!("over HDLC: {failure}")).into()
            }
            LinkFailure::TooLong { .. } => {
                ChannelError::from(DriverErrorKind::Malformed(failure.to_string()))
            }
            _ => DriverErrorKind::Hdlc(failure.to_string()).into(),
        }
    }
}

fn settings(access: &Access, deadlines: &Deadlines) -> Result<ClientSettings, ChannelError> {
    let address = |words: String| ChannelError::from(DriverErrorKind::Hdlc(words));
    let client = Address::client(access.client.get()).map_err(|error| address(error.to_string()))?;
    let server = server(access).map_err(|error| address(error.to_string()))?;
    Ok(ClientSettings {
        response_timeout: deadlines.response,
        retries: deadlines.retries.into(),
        inter_octet_timeout: deadlines.inter_octet,
        ..ClientSettings::new(client, server)
    })
}

fn server(access: &Access) -> Result<Address, proto_dlms::hdlc::AddressError> {
    let size = match access.address_size {
        None => return Address::server(access.server, access.physical),
        Some(lab_config::AddressSize::One) => AddressSize::One,
        Some(lab_config::AddressSize::Two) => AddressSize::Two,
        Some(lab_config::AddressSize::Four) => AddressSize::Four,
    };
    Address::sized(access.server, access.physical.unwrap_or(0), size)
}

pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}
