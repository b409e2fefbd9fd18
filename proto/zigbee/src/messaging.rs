//! Messaging cluster (0703): texts for a display.

use crate::ZigbeeError;
use crate::aps::ApsFrame;
use crate::bytes::{Reader, put};
use crate::value::put_string;
use crate::zcl::{Direction, Frame};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0703;
/// Display message command, server to client.
pub const DISPLAY_MESSAGE: u8 = 0x00;
/// Cancel message command, server to client.
pub const CANCEL_MESSAGE: u8 = 0x01;

/// Payload of a display message command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayMessage {
    /// Unique number of the message.
    pub id: u32,
    /// Transmission mechanism, importance and confirmation bits.
    pub control: u8,
    /// Seconds since 2000-01-01T00:00:00Z; 0 is now.
    pub start: u32,
    /// Minutes to show it; ffff until changed.
    pub minutes: u16,
    /// The text, as octets: a device may be sent anything.
    pub text: Vec<u8>,
}

impl DisplayMessage {
    /// Reads the payload of the command.
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] when it is cut. Octets after the text are allowed: later revisions add fields.
    pub fn parse(payload: &[u8]) -> Result<Self, ZigbeeError> {
        let mut reader = Reader::new(payload);
        let id = u32::try_from(reader.unsigned("message identifier", 4)?).unwrap_or(u32::MAX);
        let control = reader.u8("message control")?;
        let start = u32::try_from(reader.unsigned("start time", 4)?).unwrap_or(u32::MAX);
        let minutes = reader.u16("duration")?;
        let length = usize::from(reader.u8("message length")?);
        Ok(Self { id, control, start, minutes, text: reader.take("message", length)?.to_vec() })
    }

    /// The octets of an APS frame that shows the message on a device's endpoint 1.
    pub fn request(&self, sequence: u8) -> Vec<u8> {
        let mut payload = Vec::new();
        put(&mut payload, self.id.into(), 4);
        payload.push(self.control);
        put(&mut payload, self.start.into(), 4);
        put(&mut payload, self.minutes.into(), 2);
        put_string(&mut payload, &self.text);
        let frame = Frame::cluster(Direction::ToClient, sequence, DISPLAY_MESSAGE, payload);
        ApsFrame::smart_energy(CLUSTER, sequence, frame.to_bytes()).to_bytes()
    }
}
