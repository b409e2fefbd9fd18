//! The wrapper that carries APDUs over TCP and UDP (IEC 62056-47, 6.3).
//!
//! Eight octets of header: version, source and destination wPort, length. A client's wPort is its SAP. Over UDP
//! one datagram is one message ([`Message::decode`]); over TCP a [`Deframer`] finds the messages in the stream.

use thiserror::Error;

use crate::octets::{DecodeError, Fault, Reader};

/// The only version there is.
const VERSION: u16 = 1;
/// Octets of header.
const HEADER: usize = 8;

/// The registered TCP and UDP port of DLMS/COSEM.
pub const PORT: u16 = 4059;

/// One APDU with the ports it goes between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// wPort of the sender.
    pub source: u16,
    /// wPort of the receiver.
    pub destination: u16,
    /// The APDU.
    pub apdu: Vec<u8>,
}

/// Why octets are not a wrapped message. On a TCP stream there is no way on: close the connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WrapperError {
    /// The version is not 1: most likely the other side does not speak the wrapper at all.
    #[error(
        "wrapper header starts {found:04X}, expected version 0001; the other side may speak HDLC on this port"
    )]
    Version {
        /// The version found.
        found: u16,
    },
    /// The message is longer than this side takes.
    #[error("message of {found} octets, limit {limit}")]
    TooLong {
        /// Octets announced.
        found: usize,
        /// The limit of this side.
        limit: usize,
    },
    /// A datagram that is not exactly one message.
    #[error(transparent)]
    Datagram(#[from] DecodeError),
}

impl Message {
    /// The message with its header.
    ///
    /// # Errors
    /// [`WrapperError::TooLong`] when the APDU does not fit the 16-bit length.
    pub fn encode(&self) -> Result<Vec<u8>, WrapperError> {
        let too_long = WrapperError::TooLong { found: self.apdu.len(), limit: usize::from(u16::MAX) };
        let length = u16::try_from(self.apdu.len()).map_err(|_| too_long)?;
        let mut out = Vec::with_capacity(HEADER + self.apdu.len());
        for field in [VERSION, self.source, self.destination, length] {
            out.extend(field.to_be_bytes());
        }
        out.extend_from_slice(&self.apdu);
        Ok(out)
    }

    /// Reads a datagram that holds exactly one message.
    ///
    /// # Errors
    /// A wrong version, or a length that is not that of the datagram.
    pub fn decode(datagram: &[u8]) -> Result<Self, WrapperError> {
        let mut reader = Reader::new(datagram);
        let (message, length) = Self::read_header(&mut reader)?;
        let apdu = reader.take(length, "wrapped APDU")?.to_vec();
        reader.finish("wrapped message")?;
        Ok(Self { apdu, ..message })
    }

    /// The message without its APDU, and the length of that.
    fn read_header(reader: &mut Reader<'_>) -> Result<(Self, usize), WrapperError> {
        let found = reader.u16("wrapper version")?;
        if found != VERSION {
            return Err(WrapperError::Version { found });
        }
        let source = reader.u16("source wPort")?;
        let destination = reader.u16("destination wPort")?;
        let length = usize::from(reader.u16("wrapper length")?);
        Ok((Self { source, destination, apdu: Vec::new() }, length))
    }
}

/// How many of these octets are one message with its header. `None` while it is under way, and of nothing; octets that
/// begin no message belong together all of them, for there is no way on.
pub fn extent(octets: &[u8]) -> Option<usize> {
    let [first, second, ..] = octets else { return None };
    match *octets {
        _ if [*first, *second] != VERSION.to_be_bytes() => Some(octets.len()),
        [_, _, _, _, _, _, high, low, ..] => {
            let end = HEADER + usize::from(u16::from_be_bytes([high, low]));
            (octets.len() >= end).then_some(end)
        }
        _ => None,
    }
}

/// Finds the messages in a TCP stream.
#[derive(Debug, Clone)]
pub struct Deframer {
    /// What has arrived and is not yet a message. Never more than one message and what came with its end.
    pending: Vec<u8>,
    limit: usize,
}

impl Default for Deframer {
    /// Takes messages of any length the header can say.
    fn default() -> Self {
        Self::new(usize::from(u16::MAX))
    }
}

impl Deframer {
    /// A deframer that refuses APDUs longer than `limit` octets.
    pub fn new(limit: usize) -> Self {
        Self { pending: Vec::new(), limit }
    }

    /// Takes octets as they arrive. Call [`Deframer::next_message`] until it gives nothing after each call.
    pub fn receive(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
    }

    /// The next whole message, `None` until one has arrived.
    ///
    /// # Errors
    /// A wrong version or too long a message; the stream is then beyond repair.
    pub fn next_message(&mut self) -> Result<Option<Message>, WrapperError> {
        if self.pending.len() >= 2 && self.pending[..2] != VERSION.to_be_bytes() {
            return Err(WrapperError::Version {
                found: u16::from_be_bytes([self.pending[0], self.pending[1]]),
            });
        }
        let mut reader = Reader::new(&self.pending);
        match Message::read_header(&mut reader) {
            Err(WrapperError::Datagram(DecodeError { fault: Fault::Truncated { .. }, .. })) => Ok(None),
            Err(error) => Err(error),
            Ok((_, found)) if found > self.limit => Err(WrapperError::TooLong { found, limit: self.limit }),
            Ok((_, length)) if reader.left() < length => Ok(None),
            Ok((message, length)) => {
                let apdu = self.pending[HEADER..HEADER + length].to_vec();
                self.pending.drain(..HEADER + length);
                Ok(Some(Message { apdu, ..message }))
            }
        }
    }

    /// Whether part of a message has arrived: the far end closing now cuts it short.
    pub fn is_mid_message(&self) -> bool {
        !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// IEC 62056-47: client SAP 16 to management logical device 1.
    /// If this fails, do not change the test.
    #[test]
    fn golden_message() {
        let octets = hex::decode("0001001000010003C00181").unwrap();
        let message = Message { source: 16, destination: 1, apdu: vec![0xC0, 0x01, 0x81] };
        assert_eq!(message.encode().unwrap(), octets);
        assert_eq!(Message::decode(&octets).unwrap(), message);
    }

    #[test]
    fn hdlc_on_a_wrapper_port_is_named() {
        let mut deframer = Deframer::default();
        deframer.receive(&[0x7E, 0xA0]);
        let error = deframer.next_message().unwrap_err();
        assert_eq!(error, WrapperError::Version { found: 0x7EA0 });
        assert!(error.to_string().contains("HDLC"));
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused_before_it_arrives() {
        let mut deframer = Deframer::new(100);
        deframer.receive(&hex::decode("00010010000100C8").unwrap());
        assert_eq!(deframer.next_message(), Err(WrapperError::TooLong { found: 200, limit: 100 }));
    }

    fn message() -> impl Strategy<Value = Message> {
        (any::<u16>(), any::<u16>(), vec(any::<u8>(), 0..200))
            .prop_map(|(source, destination, apdu)| Message { source, destination, apdu })
    }

    proptest! {
        #[test]
        fn datagrams_round_trip(message in message()) {
            prop_assert_eq!(Message::decode(&message.encode().unwrap()), Ok(message));
        }

        #[test]
        fn a_stream_cut_anywhere_gives_the_same_messages(messages in vec(message(), 0..5), cut in 1usize..40) {
            let stream: Vec<u8> = messages.iter().flat_map(|m| m.encode().unwrap()).collect();
            let (mut deframer, mut found) = (Deframer::default(), Vec::new());
            for chunk in stream.chunks(cut) {
                deframer.receive(chunk);
                while let Some(message) = deframer.next_message().unwrap() {
                    found.push(message);
                }
            }
            prop_assert_eq!(found, messages);
            prop_assert!(!deframer.is_mid_message());
        }

        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..64)) {
            let _ = Message::decode(&octets);
            let mut deframer = Deframer::default();
            deframer.receive(&octets);
            while let Ok(Some(_)) = deframer.next_message() {}
        }
    }
}
