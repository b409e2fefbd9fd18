//! APDUs over TCP with the DLMS wrapper.

use proto_dlms::wrapper::{Deframer, Message};
use tokio::time::Instant;

use super::{ChannelError, Waits};
use crate::driver::access::Access;
use crate::link::{Framing, Link};

/// The wrapper on a connection of its own.
#[derive(Debug)]
pub(in crate::driver) struct WrapperChannel {
    pub(super) link: Link,
    deframer: Deframer,
    client: u16,
    server: u16,
}

impl WrapperChannel {
    pub(in crate::driver) fn new(mut link: Link, access: &Access) -> WrapperChannel {
        link.set_framing(Framing::Wrapper);
        let client = u16::from(access.client.get());
        WrapperChannel { link, deframer: Deframer::default(), client, server: access.server }
    }

    pub(super) async fn send(&mut self, apdu: &[u8], waits: &Waits) -> Result<(), ChannelError> {
        let message = wrapped(self.client, self.server, apdu.to_vec())?;
        Ok(self.link.send(&message, waits.response()).await?)
    }

    pub(super) async fn receive(&mut self, waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        let mut deadline = waits.response();
        loop {
            if let Some(message) = self.next_message()? {
                if message.destination == self.client {
                    return Ok(message.apdu);
                }
                self.link.note(&format!("message for wPort {} ignored: not ours", message.destination));
                continue;
            }
            if Instant::now() >= waits.until {
                return Err(super::out_of_time());
            }
            self.fill(deadline).await?;
            deadline = waits.inter_octet();
        }
    }

    fn next_message(&mut self) -> Result<Option<Message>, ChannelError> {
        self.deframer.next_message().map_err(|error| ChannelError::malformed(error, self.link.last_burst()))
    }

    async fn fill(&mut self, deadline: Instant) -> Result<(), ChannelError> {
        let expected =
            if self.deframer.is_mid_message() { "the rest of a wrapped APDU" } else { "a wrapped APDU" };
        let bytes = self.link.receive(expected, deadline).await?;
        self.deframer.receive(bytes);
        Ok(())
    }
}

/// The octets of one wrapped APDU.
pub(super) fn wrapped(source: u16, destination: u16, apdu: Vec<u8>) -> Result<Vec<u8>, ChannelError> {
    Message { source, destination, apdu }.encode().map_err(|error| ChannelError::malformed(error, &[]))
}
