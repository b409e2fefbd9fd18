//! ZigBee Cluster Library frames and foundation commands (ZCL specification, 2.4 and 2.5).

use crate::ZigbeeError;
use crate::bytes::{Reader, put};
use crate::value::Value;

const READ_ATTRIBUTES: u8 = 0x00;
const READ_ATTRIBUTES_RESPONSE: u8 = 0x01;
const REPORT_ATTRIBUTES: u8 = 0x0a;
const DEFAULT_RESPONSE: u8 = 0x0b;

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

/// ZCL status (2.6.3). Those without a name here keep their octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// Done.
    pub const SUCCESS: Self = Self(0x00);
    /// The command could not be read.
    pub const MALFORMED_COMMAND: Self = Self(0x80);
    /// No such cluster command.
    pub const UNSUPPORTED_CLUSTER_COMMAND: Self = Self(0x81);
    /// No such foundation command.
    pub const UNSUPPORTED_GENERAL_COMMAND: Self = Self(0x82);
    /// No such attribute.
    pub const UNSUPPORTED_ATTRIBUTE: Self = Self(0x86);
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

/// The answer for one attribute of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// The attribute asked for.
    pub id: AttributeId,
    /// Its value, or why there is none.
    pub value: Result<Value, Status>,
}

/// A foundation command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 00: give me these attributes.
    ReadAttributes(Vec<AttributeId>),
    /// 01: the values asked for.
    ReadAttributesResponse(Vec<ReadRecord>),
    /// 0a: values sent unasked.
    ReportAttributes(Vec<(AttributeId, Value)>),
    /// 0b: how a command ended.
    DefaultResponse {
        /// The command it answers.
        command: u8,
        /// How it ended.
        status: Status,
    },
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
        let direction = match self.direction {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        };
        Self::foundation(direction, self.sequence, command)
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
    /// [`ZigbeeError::Command`] when the frame carries a cluster command or another foundation command;
    /// otherwise whatever is wrong with the payload.
    pub fn command(&self) -> Result<Command, ZigbeeError> {
        if self.frame_type == FrameType::Cluster {
            return Err(ZigbeeError::Command { command: self.command });
        }
        let mut reader = Reader::new(&self.payload);
        match self.command {
            READ_ATTRIBUTES => read_ids(reader),
            READ_ATTRIBUTES_RESPONSE => read_records(reader),
            REPORT_ATTRIBUTES => read_report(reader),
            DEFAULT_RESPONSE => {
                let command = reader.u8("command answered")?;
                let status = Status(reader.u8("status")?);
                reader.finish("default response")?;
                Ok(Command::DefaultResponse { command, status })
            }
            command => Err(ZigbeeError::Command { command }),
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

impl Command {
    fn id(&self) -> u8 {
        match self {
            Self::ReadAttributes(_) => READ_ATTRIBUTES,
            Self::ReadAttributesResponse(_) => READ_ATTRIBUTES_RESPONSE,
            Self::ReportAttributes(_) => REPORT_ATTRIBUTES,
            Self::DefaultResponse { .. } => DEFAULT_RESPONSE,
        }
    }

    fn payload(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::ReadAttributes(ids) => ids.iter().for_each(|id| put(&mut out, u64::from(id.0), 2)),
            Self::ReadAttributesResponse(records) => records.iter().for_each(|record| record.write(&mut out)),
            Self::ReportAttributes(reports) => {
                for (id, value) in reports {
                    put(&mut out, u64::from(id.0), 2);
                    value.write(&mut out);
                }
            }
            Self::DefaultResponse { command, status } => out.extend([*command, status.0]),
        }
        out
    }
}

impl ReadRecord {
    fn write(&self, out: &mut Vec<u8>) {
        put(out, u64::from(self.id.0), 2);
        match &self.value {
            Ok(value) => {
                out.push(Status::SUCCESS.0);
                value.write(out);
            }
            Err(status) => out.push(status.0),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ZigbeeError> {
        let id = AttributeId(reader.u16("attribute identifier")?);
        let value = match Status(reader.u8("attribute status")?) {
            Status::SUCCESS => Ok(Value::read(reader)?),
            status => Err(status),
        };
        Ok(Self { id, value })
    }
}

fn read_ids(mut reader: Reader<'_>) -> Result<Command, ZigbeeError> {
    let mut ids = Vec::new();
    while !reader.is_empty() {
        ids.push(AttributeId(reader.u16("attribute identifier")?));
    }
    Ok(Command::ReadAttributes(ids))
}

fn read_records(mut reader: Reader<'_>) -> Result<Command, ZigbeeError> {
    let mut records = Vec::new();
    while !reader.is_empty() {
        records.push(ReadRecord::read(&mut reader)?);
    }
    Ok(Command::ReadAttributesResponse(records))
}

fn read_report(mut reader: Reader<'_>) -> Result<Command, ZigbeeError> {
    let mut reports = Vec::new();
    while !reader.is_empty() {
        let id = AttributeId(reader.u16("attribute identifier")?);
        reports.push((id, Value::read(&mut reader)?));
    }
    Ok(Command::ReportAttributes(reports))
}

#[cfg(test)]
mod tests;
