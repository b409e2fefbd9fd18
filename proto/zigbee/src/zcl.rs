//! ZigBee Cluster Library frames (ZCL specification, 2.4); the commands that are the same in every cluster are in
//! [`foundation`].

use crate::ZigbeeError;
use crate::bytes::{Reader, put};

pub mod foundation;
#[cfg(test)]
mod tests;

pub use foundation::{Command, ReadRecord};

const MANUFACTURER_SPECIFIC: u8 = 0x04;
const SERVER_TO_CLIENT: u8 = 0x08;
const DISABLE_DEFAULT_RESPONSE: u8 = 0x10;

/// Attribute identifier within a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeId(pub u16);

/// Whose command the frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameType {
    /// A foundation command, the same in every cluster.
    Foundation,
    /// A command of the cluster the APS frame names.
    Cluster,
}

/// Which side of the cluster the frame goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the side that holds the attributes.
    ToServer,
    /// Towards the side that asks.
    ToClient,
}

impl Direction {
    /// The other way.
    pub fn back(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// ZCL status (2.6.3). Those without a name here keep their octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// Done.
    pub const SUCCESS: Self = Self(0x00);
    /// Not done.
    pub const FAILURE: Self = Self(0x01);
    /// The sender may not.
    pub const NOT_AUTHORISED: Self = Self(0x7e);
    /// The command could not be read.
    pub const MALFORMED_COMMAND: Self = Self(0x80);
    /// No such cluster command.
    pub const UNSUPPORTED_CLUSTER_COMMAND: Self = Self(0x81);
    /// No such foundation command.
    pub const UNSUPPORTED_GENERAL_COMMAND: Self = Self(0x82);
    /// A field of the command has a value it cannot have.
    pub const INVALID_FIELD: Self = Self(0x85);
    /// No such attribute.
    pub const UNSUPPORTED_ATTRIBUTE: Self = Self(0x86);
    /// The attribute cannot have that value.
    pub const INVALID_VALUE: Self = Self(0x87);
    /// The attribute cannot be written.
    pub const READ_ONLY: Self = Self(0x88);
    /// No room for it.
    pub const INSUFFICIENT_SPACE: Self = Self(0x89);
    /// What was asked for is not there.
    pub const NOT_FOUND: Self = Self(0x8b);
    /// The attribute cannot be reported.
    pub const UNREPORTABLE_ATTRIBUTE: Self = Self(0x8c);
    /// The attribute has another type.
    pub const INVALID_DATA_TYPE: Self = Self(0x8d);
    /// It took too long.
    pub const TIMEOUT: Self = Self(0x94);
    /// No such cluster.
    pub const UNSUPPORTED_CLUSTER: Self = Self(0xc3);
}

/// One ZCL frame: header and payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Foundation or cluster command.
    pub frame_type: FrameType,
    /// Manufacturer code of a manufacturer-specific frame.
    pub manufacturer: Option<u16>,
    /// Where it goes.
    pub direction: Direction,
    /// The sender wants no default response when all is well.
    pub disable_default_response: bool,
    /// Transaction sequence number; an answer carries the one of its question.
    pub sequence: u8,
    /// Command identifier.
    pub command: u8,
    /// What follows the header.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A foundation command that wants no default response.
    pub fn foundation(direction: Direction, sequence: u8, command: &Command) -> Self {
        Self {
            frame_type: FrameType::Foundation,
            manufacturer: None,
            direction,
            disable_default_response: true,
            sequence,
            command: command.id(),
            payload: command.payload(),
        }
    }

    /// A cluster command that wants a default response.
    pub fn cluster(direction: Direction, sequence: u8, command: u8, payload: Vec<u8>) -> Self {
        Self {
            frame_type: FrameType::Cluster,
            manufacturer: None,
            direction,
            disable_default_response: false,
            sequence,
            command,
            payload,
        }
    }

    /// The foundation command that answers this frame, going the other way.
    pub fn answer(&self, command: &Command) -> Self {
        let answer = Self::foundation(self.direction.back(), self.sequence, command);
        Self { manufacturer: self.manufacturer, ..answer }
    }

    /// Checks that the frame carries a command of its cluster's standard that goes `direction`.
    ///
    /// # Errors
    /// [`ZigbeeError::Command`] where it does not.
    pub fn expect_cluster_command(&self, direction: Direction) -> Result<(), ZigbeeError> {
        let standard = self.frame_type == FrameType::Cluster && self.manufacturer.is_none();
        if standard && self.direction == direction {
            Ok(())
        } else {
            Err(ZigbeeError::Command { command: self.command })
        }
    }

    /// Reads one frame; the whole slice is the frame.
    ///
    /// # Errors
    /// [`ZigbeeError::FrameControl`] for a reserved frame type, [`ZigbeeError::Short`] for a cut header.
    pub fn parse(octets: &[u8]) -> Result<Self, ZigbeeError> {
        let mut reader = Reader::new(octets);
        let control = reader.u8("ZCL frame control")?;
        let frame_type = frame_type(control)?;
        let manufacturer = match control & MANUFACTURER_SPECIFIC {
            0 => None,
            _ => Some(reader.u16("manufacturer code")?),
        };
        let direction =
            if control & SERVER_TO_CLIENT == 0 { Direction::ToServer } else { Direction::ToClient };
        Ok(Self {
            frame_type,
            manufacturer,
            direction,
            disable_default_response: control & DISABLE_DEFAULT_RESPONSE != 0,
            sequence: reader.u8("transaction sequence number")?,
            command: reader.u8("command identifier")?,
            payload: reader.rest().to_vec(),
        })
    }

    /// The octets of the frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![self.control()];
        if let Some(code) = self.manufacturer {
            put(&mut out, u64::from(code), 2);
        }
        out.extend([self.sequence, self.command]);
        out.extend(&self.payload);
        out
    }

    fn control(&self) -> u8 {
        let mut control = u8::from(self.frame_type == FrameType::Cluster);
        control |= if self.manufacturer.is_some() { MANUFACTURER_SPECIFIC } else { 0 };
        control |= if self.direction == Direction::ToClient { SERVER_TO_CLIENT } else { 0 };
        control | if self.disable_default_response { DISABLE_DEFAULT_RESPONSE } else { 0 }
    }

    /// The foundation command in the payload.
    ///
    /// # Errors
    /// [`ZigbeeError::Command`] when the frame carries a cluster command; otherwise whatever is wrong with the
    /// payload.
    pub fn command(&self) -> Result<Command, ZigbeeError> {
        match self.frame_type {
            FrameType::Cluster => Err(ZigbeeError::Command { command: self.command }),
            FrameType::Foundation => Command::parse(self.command, &self.payload),
        }
    }
}

fn frame_type(control: u8) -> Result<FrameType, ZigbeeError> {
    match control & 0b11 {
        0 => Ok(FrameType::Foundation),
        1 => Ok(FrameType::Cluster),
        _ => Err(ZigbeeError::FrameControl {
            layer: "ZCL",
            found: control,
            expected: "frame type 0 (foundation) or 1 (cluster) in the two low bits",
        }),
    }
}
