//! APDUs over HDLC, on a serial line or a TCP connection that stands for one.

use lab_config::HdlcSizes;
use proto_dlms::echo::Echo;
use proto_dlms::hdlc::{Address, AddressSize, Client, ClientEvent, ClientSettings, LinkFailure, Parameters};
use tokio::time::Instant;

use super::{ChannelError, Waits};
use crate::driver::access::{Access, Deadlines};
use crate::driver::error::DriverErrorKind;
use crate::link::{Framing, Link, LinkErrorKind};

/// An HDLC connection on a link of its own.
#[derive(Debug)]
pub(in crate::driver) struct HdlcChannel {
    pub(super) link: Link,
    station: Station,
}

impl HdlcChannel {
    /// Connects: SNRM until the server answers UA, or the retries are used up.
    pub(in crate::driver) async fn connect(
        mut link: Link,
        settings: ClientSettings,
        waits: &Waits,
    ) -> Result<HdlcChannel, ChannelError> {
        let station = Station::connect(&mut link, settings, waits.until).await?;
        Ok(HdlcChannel { link, station })
    }

    pub(super) async fn send(&mut self, apdu: &[u8], waits: &Waits) -> Result<(), ChannelError> {
        let Station { client, heard, discarded_before } = &mut self.station;
        (*heard, *discarded_before) = (0, client.discarded());
        let sent = client.send(apdu, now());
        sent.map_err(|error| ChannelError::from(DriverErrorKind::Hdlc(error.to_string())))?;
        self.station.transmit(&mut self.link, waits.until).await
    }

    /// The state machine keeps the time of each frame; here only the end of the request counts.
    pub(super) async fn receive(&mut self, waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        loop {
            match self.station.next_event(&mut self.link, waits.until).await? {
                ClientEvent::Received(apdu) | ClientEvent::Unnumbered(apdu) => return Ok(apdu),
                ClientEvent::Failed(failure) => return Err(self.station.failed(&self.link, &failure)),
                ClientEvent::Connected(_) | ClientEvent::Disconnected => {}
            }
        }
    }

    /// Disconnects, so that the meter does not hold the connection until its own time-out; gives up at `until`.
    pub(super) async fn disconnect(mut self, until: Instant) {
        self.station.disconnect(&mut self.link, until).await;
    }
}

/// The state machine of the data link, on a link it is lent.
#[derive(Debug)]
pub(in crate::driver) struct Station {
    client: Client,
    /// How many octets came since something was last sent by the session, and how many of earlier ones made no frame:
    /// for the error that says they were no frames.
    heard: u64,
    discarded_before: u64,
}

impl Station {
    pub(in crate::driver) async fn connect(
        link: &mut Link,
        settings: ClientSettings,
        until: Instant,
    ) -> Result<Station, ChannelError> {
        link.set_framing(Framing::Hdlc);
        let settings = ClientSettings { octet_time: link.octet_time(), ..settings };
        let mut station = Station { client: Client::new(settings), heard: 0, discarded_before: 0 };
        station.client.connect(now());
        loop {
            match station.next_event(link, until).await? {
                ClientEvent::Connected(agreed) => {
                    let (frame, window) = (agreed.max_info_rx.get(), agreed.window_rx.get());
                    link.note(&format!(
                        "connected: frames of {frame} octets and a window of {window} from the meter"
                    ));
                    return Ok(station);
                }
                ClientEvent::Failed(failure) => return Err(station.failed(link, &failure)),
                ClientEvent::Received(_) | ClientEvent::Unnumbered(_) | ClientEvent::Disconnected => {}
            }
        }
    }

    pub(in crate::driver) async fn disconnect(&mut self, link: &mut Link, until: Instant) {
        self.client.disconnect(now());
        while let Ok(event) = self.next_event(link, until).await {
            if matches!(event, ClientEvent::Disconnected | ClientEvent::Failed(_)) {
                return;
            }
        }
    }

    async fn next_event(&mut self, link: &mut Link, until: Instant) -> Result<ClientEvent, ChannelError> {
        while Instant::now() < until {
            self.transmit(link, until).await?;
            if let Some(event) = self.client.poll_event() {
                return Ok(event);
            }
            self.listen(link, until).await?;
        }
        Err(super::out_of_time())
    }

    async fn transmit(&mut self, link: &mut Link, until: Instant) -> Result<(), ChannelError> {
        while let Some(frame) = self.client.poll_transmit() {
            link.send(&frame, until).await?;
        }
        Ok(())
    }

    async fn listen(&mut self, link: &mut Link, until: Instant) -> Result<(), ChannelError> {
        let wake = self.client.poll_timeout().map_or(until, |due| until.min(due.into()));
        match link.receive("an HDLC frame", wake).await {
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

    fn failed(&self, link: &Link, failure: &LinkFailure) -> ChannelError {
        let discarded = self.client.discarded() - self.discarded_before;
        match failure {
            // Octets came, and none of them made a frame: that is not silence.
            LinkFailure::NoAnswer { .. } if discarded > 0 => {
                let heard = self.heard;
                let words = format!(
                    "expected an HDLC frame, found {heard} octets of which {discarded} made no frame"
                );
                ChannelError::malformed(words, link.last_burst())
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

/// How the data link behaves: who talks to whom, how long it waits, what it proposes.
pub(in crate::driver) fn settings(
    access: &Access,
    deadlines: &Deadlines,
    sizes: HdlcSizes,
    echo: Echo,
) -> Result<ClientSettings, ChannelError> {
    let address = |words: String| ChannelError::from(DriverErrorKind::Hdlc(words));
    let client = Address::client(access.client.get()).map_err(|error| address(error.to_string()))?;
    let server = server(access).map_err(|error| address(error.to_string()))?;
    let usual = Parameters::default();
    let parameters = Parameters::symmetric(
        sizes.max_info.unwrap_or(usual.max_info_rx),
        sizes.window.unwrap_or(usual.window_rx),
    );
    Ok(ClientSettings {
        parameters,
        response_timeout: deadlines.response,
        retries: deadlines.retries.into(),
        inter_octet_timeout: deadlines.inter_octet,
        echo,
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
