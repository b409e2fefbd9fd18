//! One frame, between flags.

use super::{CANCEL, ESCAPE, FLAG, MAX_PAYLOAD, SUBSTITUTE, VERSION, XOFF, XON};

/// A frame. Numbers are modulo 8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A payload.
    Data {
        /// Its number.
        number: u8,
        /// It was sent before.
        again: bool,
        /// The number expected next from the other side.
        ack: u8,
        /// The payload.
        payload: Vec<u8>,
    },
    /// All before a number has arrived.
    Ack {
        /// The number expected next.
        ack: u8,
        /// The sender has no room for frames that are not asked for.
        not_ready: bool,
    },
    /// A frame was damaged or out of order.
    Nak {
        /// The number expected next.
        ack: u8,
        /// The sender has no room for frames that are not asked for.
        not_ready: bool,
    },
    /// The host wants to start again.
    Reset,
    /// The co-processor has started.
    ResetAck {
        /// Why, see [`super::reset_code`].
        code: u8,
    },
    /// The co-processor has stopped, until it is reset.
    Error {
        /// Why, see [`super::reset_code`].
        code: u8,
    },
}

/// Why octets between flags are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too few octets, or too many.
    #[error("a frame of {found} octet(s); expected {expected}")]
    Length {
        /// Octets there are.
        found: usize,
        /// Octets such a frame has.
        expected: &'static str,
    },
    /// The check sequence is of other octets.
    #[error("check sequence {found:04x}, expected {expected:04x}; the frame was damaged on the line")]
    Check {
        /// The check sequence found.
        found: u16,
        /// That of the octets.
        expected: u16,
    },
    /// A control octet that is none.
    #[error("control octet {0:#04x} begins no frame of this protocol")]
    Control(u8),
    /// Another version of the protocol.
    #[error("version {0} of the protocol; this is version 2")]
    Version(u8),
    /// An octet was damaged, as the line itself has said.
    #[error("the line has put a substitute in place of a damaged octet")]
    Substituted,
}

const RESET: u8 = 0xc0;
const RESET_ACK: u8 = 0xc1;
const ERROR: u8 = 0xc2;
const ACK: u8 = 0x80;
const NAK: u8 = 0xa0;
const KIND_OF_ACK: u8 = 0xe0;
const AGAIN: u8 = 0x08;
const NOT_READY: u8 = 0x08;
const NUMBER: u8 = 0x07;
/// The shortest frame: a control octet and the check sequence.
const SHORTEST: usize = 3;

impl Frame {
    /// Reads what stood between flags, without escapes.
    ///
    /// # Errors
    /// [`FrameError`] says why it is no frame.
    pub fn parse(octets: &[u8]) -> Result<Self, FrameError> {
        let (body, check) = octets
            .split_last_chunk::<2>()
            .ok_or(FrameError::Length { found: octets.len(), expected: "at least 3" })?;
        let (control, rest) =
            body.split_first().ok_or(FrameError::Length { found: octets.len(), expected: "at least 3" })?;
        let (found, expected) = (u16::from_be_bytes(*check), check_sequence(body));
        if found != expected {
            return Err(FrameError::Check { found, expected });
        }
        Self::parse_body(*control, rest, octets.len())
    }

    fn parse_body(control: u8, rest: &[u8], found: usize) -> Result<Self, FrameError> {
        let exactly = |length: usize, expected: &'static str| {
            if found == length { Ok(()) } else { Err(FrameError::Length { found, expected }) }
        };
        match control {
            0x00..=0x7f => Self::parse_data(control, rest, found),
            RESET => exactly(SHORTEST, "3").map(|()| Self::Reset),
            RESET_ACK => started(rest, found).map(|code| Self::ResetAck { code }),
            ERROR => started(rest, found).map(|code| Self::Error { code }),
            _ => {
                let (ack, not_ready) = (control & NUMBER, control & NOT_READY != 0);
                match control & KIND_OF_ACK {
                    ACK => exactly(SHORTEST, "3").map(|()| Self::Ack { ack, not_ready }),
                    NAK => exactly(SHORTEST, "3").map(|()| Self::Nak { ack, not_ready }),
                    _ => Err(FrameError::Control(control)),
                }
            }
        }
    }

    fn parse_data(control: u8, rest: &[u8], found: usize) -> Result<Self, FrameError> {
        if rest.len() > MAX_PAYLOAD {
            return Err(FrameError::Length { found, expected: "at most 131" });
        }
        let mut payload = rest.to_vec();
        randomise(&mut payload);
        Ok(Self::Data { number: control >> 4, again: control & AGAIN != 0, ack: control & NUMBER, payload })
    }

    /// The octets on the line, with escapes and the flag that ends them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = self.body();
        let check = check_sequence(&body);
        body.extend(check.to_be_bytes());
        let mut out = Vec::with_capacity(body.len() + 4);
        for octet in body {
            match octet {
                FLAG | ESCAPE | XON | XOFF | SUBSTITUTE | CANCEL => out.extend([ESCAPE, octet ^ 0x20]),
                _ => out.push(octet),
            }
        }
        out.push(FLAG);
        out
    }

    fn body(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        match self {
            Self::Data { number, again, ack, payload } => {
                let control = (number & NUMBER) << 4 | flag(*again, AGAIN) | ack & NUMBER;
                let mut octets = payload.clone();
                randomise(&mut octets);
                [&[control], octets.as_slice()].concat()
            }
            Self::Ack { ack, not_ready } => vec![ACK | flag(*not_ready, NOT_READY) | ack & NUMBER],
            Self::Nak { ack, not_ready } => vec![NAK | flag(*not_ready, NOT_READY) | ack & NUMBER],
            Self::Reset => vec![RESET],
            Self::ResetAck { code } => vec![RESET_ACK, VERSION, *code],
            Self::Error { code } => vec![ERROR, VERSION, *code],
        }
    }
}

/// The code of a reset acknowledgement or an error.
fn started(rest: &[u8], found: usize) -> Result<u8, FrameError> {
    match *rest {
        [VERSION, code] => Ok(code),
        [version, _] => Err(FrameError::Version(version)),
        _ => Err(FrameError::Length { found, expected: "5" }),
    }
}

/// CRC-16 with polynomial 1021 from ffff, high bit first (CRC-CCITT of the protocol's reference, section 4.3).
fn check_sequence(octets: &[u8]) -> u16 {
    octets.iter().fold(0xffff, |crc, octet| {
        (0..8).fold(crc ^ u16::from(*octet) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    })
}

/// Turns the payload's bits over by a fixed pseudo-random sequence, so that runs of octets that would have to be
/// escaped do not stay runs (section 4.4). Twice is as it was.
fn randomise(payload: &mut [u8]) {
    let mut random: u8 = 0x42;
    for octet in payload {
        *octet ^= random;
        random = if random & 1 == 0 { random >> 1 } else { random >> 1 ^ 0xb8 };
    }
}
