//! One frame of the protocol: number, frame control, identifier, parameters.

use crate::ZigbeeError;
use crate::bytes::{Reader, put};

/// Which way a frame goes, and what its control says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the host.
    Command,
    /// To the host, answering a command.
    Response,
    /// To the host, unasked.
    Callback,
}

/// How the header is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One octet of control, one of identifier: the command `version`, and versions up to 4.
    Legacy,
    /// Two of each: version 8 and later.
    Extended,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How its header is laid out.
    pub format: Format,
    /// A response has the number of its command.
    pub sequence: u8,
    /// Which way.
    pub direction: Direction,
    /// Of command or callback.
    pub id: u16,
    /// The rest.
    pub parameters: Vec<u8>,
}

const RESPONSE: u8 = 0x80;
/// Callback type, bits 3 and 4: 2 is asynchronous.
const CALLBACK: u8 = 0x18;
const ASYNCHRONOUS: u8 = 0x10;
/// Frame format version 1, in the high octet of an extended control.
const VERSION_1: u8 = 0x01;
const FORMAT: u8 = 0x03;

impl Frame {
    /// Reads one frame; the whole slice is the frame.
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] for a cut header, [`ZigbeeError::FrameControl`] for an extended frame of another
    /// version.
    pub fn parse(format: Format, octets: &[u8]) -> Result<Self, ZigbeeError> {
        let mut reader = Reader::new(octets);
        let sequence = reader.u8("EZSP sequence")?;
        let control = reader.u8("EZSP frame control")?;
        let id = match format {
            Format::Legacy => reader.u8("EZSP frame identifier")?.into(),
            Format::Extended => {
                let high = reader.u8("EZSP frame control")?;
                if high & FORMAT != VERSION_1 {
                    return Err(ZigbeeError::FrameControl {
                        layer: "EZSP",
                        found: high,
                        expected: "frame format version 1 in the two low bits",
                    });
                }
                reader.u16("EZSP frame identifier")?
            }
        };
        let direction = match (control & RESPONSE, control & CALLBACK) {
            (0, _) => Direction::Command,
            (_, 0) => Direction::Response,
            _ => Direction::Callback,
        };
        Ok(Self { format, sequence, direction, id, parameters: reader.rest().to_vec() })
    }

    /// The octets of the frame. A legacy frame has the low octet of the identifier only.
    pub fn to_bytes(&self) -> Vec<u8> {
        let control = match self.direction {
            Direction::Command => 0,
            Direction::Response => RESPONSE,
            Direction::Callback => RESPONSE | ASYNCHRONOUS,
        };
        let mut out = vec![self.sequence, control];
        match self.format {
            Format::Legacy => put(&mut out, self.id.into(), 1),
            Format::Extended => {
                out.push(VERSION_1);
                put(&mut out, self.id.into(), 2);
            }
        }
        out.extend(&self.parameters);
        out
    }
}
