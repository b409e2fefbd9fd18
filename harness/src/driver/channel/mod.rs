//! What carries APDUs between the harness and one device: the DLMS wrapper over TCP or UDP, HDLC, or a place on a hub's
//! connection.
//!
//! A session sends an APDU and receives APDUs until its request is answered; it does not know which of these carries it.

mod datagram;
pub(super) mod find;
mod hdlc;
pub(super) mod hub;
mod sign_on;
mod wrapper;

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::access::Deadlines;
use super::error::DriverErrorKind;
use crate::link::{Link, LinkAddress, LinkError, LinkErrorKind, SharedTap, Traffic};

pub(super) use datagram::DatagramChannel;
pub(super) use hdlc::{HdlcChannel, Station as HdlcStation, settings as hdlc_settings};
pub(super) use hub::HubPort;
pub(super) use sign_on::{Opening, echo, sign_on};
pub(super) use wrapper::WrapperChannel;

/// A failure of a channel, with the frame it happened on where there is one.
#[derive(Debug)]
pub(super) struct ChannelError {
    pub(super) kind: DriverErrorKind,
    pub(super) frame: Option<Vec<u8>>,
}

impl ChannelError {
    fn malformed(what: impl ToString, frame: &[u8]) -> ChannelError {
        ChannelError { kind: DriverErrorKind::Malformed(what.to_string()), frame: Some(frame.to_vec()) }
    }
}

impl From<DriverErrorKind> for ChannelError {
    fn from(kind: DriverErrorKind) -> Self {
        ChannelError { kind, frame: None }
    }
}

impl From<LinkError> for ChannelError {
    fn from(error: LinkError) -> Self {
        DriverErrorKind::from(error).into()
    }
}

/// How long to wait for one answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// For the answer to begin.
    pub(super) response: Duration,
    /// Between two bursts of one answer.
    pub(super) inter_octet: Duration,
    /// The end of the request, whatever happens.
    pub(super) until: Instant,
    /// How often a block that was not answered is sent again.
    pub(super) retries: u8,
}

impl Waits {
    pub(super) fn starting_now(deadlines: &Deadlines) -> Waits {
        Waits {
            response: deadlines.response_awake(),
            inter_octet: deadlines.inter_octet,
            until: Instant::now() + deadlines.request_awake(),
            retries: deadlines.retries,
        }
    }

    fn response(&self) -> Instant {
        self.until.min(Instant::now() + self.response)
    }

    fn inter_octet(&self) -> Instant {
        self.until.min(Instant::now() + self.inter_octet)
    }
}

/// One of the ways to a device.
#[derive(Debug)]
pub(super) enum Channel {
    Wrapper(WrapperChannel),
    Datagrams(DatagramChannel),
    Hdlc(Box<HdlcChannel>),
    Hub(HubPort),
}

impl Channel {
    /// Sends an APDU.
    pub(super) async fn send(&mut self, apdu: &[u8], waits: &Waits) -> Result<(), ChannelError> {
        match self {
            Channel::Wrapper(channel) => channel.send(apdu, waits).await,
            Channel::Datagrams(channel) => channel.send(apdu, waits).await,
            Channel::Hdlc(channel) => channel.send(apdu, waits).await,
            Channel::Hub(port) => port.send(apdu, waits).await,
        }
    }

    /// Waits for the next APDU from the device.
    pub(super) async fn receive(&mut self, waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        // A device that talks without end and never answers must not hold up time.
        if Instant::now() >= waits.until {
            return Err(out_of_time());
        }
        match self {
            Channel::Wrapper(channel) => channel.receive(waits).await,
            Channel::Datagrams(channel) => channel.receive(waits).await,
            Channel::Hdlc(channel) => channel.receive(waits).await,
            Channel::Hub(port) => port.receive(waits).await,
        }
    }

    /// The turn on a shared connection, to be held while a request is under way; a link of one's own needs none.
    pub(super) async fn turn(&self, waits: &Waits) -> Result<Option<OwnedSemaphorePermit>, ChannelError> {
        match self {
            Channel::Wrapper(_) | Channel::Datagrams(_) | Channel::Hdlc(_) => Ok(None),
            Channel::Hub(port) => port.turn(waits.until).await.map(Some),
        }
    }

    /// Whether HDLC carries it, which has segments, a window and repetitions of its own: where it gives up its link is down.
    pub(super) fn is_hdlc(&self) -> bool {
        matches!(self, Channel::Hdlc(_))
    }

    /// Whether the connection below was made anew since the association was, which is then lost.
    pub(super) fn was_renewed(&self) -> bool {
        match self {
            Channel::Wrapper(_) | Channel::Datagrams(_) | Channel::Hdlc(_) => false,
            Channel::Hub(port) => port.was_renewed(),
        }
    }

    /// What crossed the link so far; none on a connection shared with others.
    pub(super) fn traffic(&self) -> Option<Traffic> {
        match self {
            Channel::Wrapper(channel) => Some(channel.link.traffic()),
            Channel::Datagrams(channel) => Some(channel.link.traffic()),
            Channel::Hdlc(channel) => Some(channel.link.traffic()),
            Channel::Hub(_) => None,
        }
    }

    /// Writes a remark into the capture.
    pub(super) fn note(&self, note: &str) {
        match self {
            Channel::Wrapper(channel) => channel.link.note(note),
            Channel::Datagrams(channel) => channel.link.note(note),
            Channel::Hdlc(channel) => channel.link.note(note),
            Channel::Hub(port) => port.note(note),
        }
    }

    /// Ends the data link politely, within `limit`; the port or socket closes in any case.
    pub(super) async fn close(self, limit: Duration) {
        if let Channel::Hdlc(channel) = self {
            channel.disconnect(Instant::now() + limit).await;
        }
    }
}

/// AARQ, RLRQ, GET, and GET ciphered with the global or the dedicated key: asked twice they change nothing.
const REPEATABLE: [u8; 5] = [0x60, 0x62, 0xC0, 0xC8, 0xD0];
/// Answers remembered, to know a doubled datagram by. Invoke identifiers come round after fifteen.
const REMEMBERED: usize = 8;

/// Whether an APDU may be sent again when its datagram, or that of its answer, was lost.
fn only_reads(apdu: &[u8]) -> bool {
    apdu.first().is_some_and(|tag| REPEATABLE.contains(tag))
}

fn out_of_time() -> ChannelError {
    DriverErrorKind::NoAnswer("within the time a request may take, though the line was busy".into()).into()
}

/// The wait before the next try, after the other side turned away so many before it: 50 ms, 200 ms, 800 ms.
fn pause(refused: u8) -> Duration {
    Duration::from_millis(50) * 4u32.saturating_pow(u32::from(refused)).min(1024)
}

/// Opens a link, trying again as often as `deadlines` allows: a serial server may still hold the last connection.
pub(super) async fn open_link(
    address: &LinkAddress,
    tap: &SharedTap,
    deadlines: &Deadlines,
) -> Result<Link, LinkError> {
    for refused in 0..deadlines.retries {
        match address.open(tap.clone(), deadlines.open).await {
            Err(error) if error.kind == LinkErrorKind::CannotOpen => tokio::time::sleep(pause(refused)).await,
            other => return other,
        }
    }
    address.open(tap.clone(), deadlines.open).await
}
