//! APDUs over UDP with the DLMS wrapper: one message a datagram, any of which may be lost, doubled or overtaken.
//!
//! What only reads is sent again when no answer comes, a bounded number of times. A SET or an ACTION never is: the
//! datagram lost may have been the answer, and then the device would do it twice.

use std::collections::VecDeque;

use proto_dlms::wrapper::Message;
use tokio::time::Instant;

use super::wrapper::wrapped;
use super::{ChannelError, REMEMBERED, Waits, only_reads};
use crate::driver::access::{Access, Deadlines};
use crate::driver::error::DriverErrorKind;
use crate::link::{Link, LinkErrorKind};

/// Datagrams that are no message for us, between two that are: a flood of them must not hold up time.
const MOST_STRAYS: u32 = 1000;

/// EventNotification and DataNotification: the same words twice may be two events.
const UNASKED: [u8; 2] = [0xC2, 0x0F];

/// The wrapper on a UDP socket of its own.
#[derive(Debug)]
pub(in crate::driver) struct DatagramChannel {
    pub(super) link: Link,
    client: u16,
    server: u16,
    retries: u8,
    /// What may be sent again, and how often it still may.
    repeat: Option<(Vec<u8>, u8)>,
    answered: VecDeque<Vec<u8>>,
}

impl DatagramChannel {
    pub(in crate::driver) fn new(link: Link, access: &Access, deadlines: &Deadlines) -> DatagramChannel {
        DatagramChannel {
            link,
            client: u16::from(access.client.get()),
            server: access.server,
            retries: deadlines.retries,
            repeat: None,
            answered: VecDeque::new(),
        }
    }

    pub(super) async fn send(&mut self, apdu: &[u8], waits: &Waits) -> Result<(), ChannelError> {
        let datagram = wrapped(self.client, self.server, apdu.to_vec())?;
        self.repeat = only_reads(apdu).then(|| (datagram.clone(), self.retries));
        Ok(self.link.send(&datagram, waits.response()).await?)
    }

    pub(super) async fn receive(&mut self, waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        let mut deadline = waits.response();
        for _ in 0..MOST_STRAYS {
            if Instant::now() >= waits.until {
                return Err(super::out_of_time());
            }
            let received = self.link.receive("a wrapped APDU in a datagram", deadline).await;
            match received.map(<[u8]>::to_vec) {
                Ok(datagram) => {
                    if let Some(apdu) = self.take(&datagram) {
                        return Ok(apdu);
                    }
                }
                Err(error) if error.kind == LinkErrorKind::NoAnswer && self.may_repeat() => {
                    self.send_again(waits).await?;
                    deadline = waits.response();
                }
                Err(error) => return Err(self.silent(error)),
            }
        }
        Err(DriverErrorKind::Malformed(format!("{MOST_STRAYS} datagrams, none of them the answer")).into())
    }

    /// The APDU of a datagram that is for us and new.
    fn take(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let message = match Message::decode(datagram) {
            Ok(message) => message,
            Err(error) => return self.ignore(&error.to_string()),
        };
        if message.destination != self.client || message.source != self.server {
            let (source, destination) = (message.source, message.destination);
            return self.ignore(&format!("from wPort {source} for wPort {destination}: not this exchange"));
        }
        if self.answered.iter().any(|answer| answer == datagram) {
            return self.ignore("it came before");
        }
        if message.apdu.first().is_none_or(|tag| !UNASKED.contains(tag)) {
            self.repeat = None;
            self.answered.truncate(REMEMBERED - 1);
            self.answered.push_front(datagram.to_vec());
        }
        Some(message.apdu)
    }

    fn ignore(&self, why: &str) -> Option<Vec<u8>> {
        self.link.note(&format!("datagram ignored: {why}"));
        None
    }

    fn may_repeat(&self) -> bool {
        self.repeat.as_ref().is_some_and(|(_, left)| *left > 0)
    }

    async fn send_again(&mut self, waits: &Waits) -> Result<(), ChannelError> {
        let Some((datagram, left)) = &mut self.repeat else { return Ok(()) };
        *left -= 1;
        self.link.note("no answer: the datagram is sent again, for it only reads");
        Ok(self.link.send(datagram, waits.response()).await?)
    }

    /// A port nobody listens at is told of by the far system, with the next datagram read.
    fn silent(&self, mut error: crate::link::LinkError) -> ChannelError {
        if error.kind == LinkErrorKind::NoAnswer {
            let sent = match &self.repeat {
                Some((_, left)) => format!("nothing, sent {} times,", u16::from(self.retries - left) + 1),
                None => "nothing, sent once for it does not only read,".to_owned(),
            };
            error.found = sent;
        }
        error.into()
    }
}
