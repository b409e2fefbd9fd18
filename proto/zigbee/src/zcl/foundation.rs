//! Foundation commands: the same in every cluster (ZCL specification, 2.5).

use super::{AttributeId, Status};
use crate::ZigbeeError;
use crate::bytes::{Reader, put};
use crate::field::Field;
use crate::value::Value;

/// The answer for one attribute of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// The attribute asked for.
    pub id: AttributeId,
    /// Its value, or why there is none.
    pub value: Result<Value, Status>,
}

/// What went wrong with one attribute of a write. Attributes that were written have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteFailure {
    /// Why.
    pub status: Status,
    /// Which attribute.
    pub id: AttributeId,
}

/// How one attribute is to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reporting {
    /// The receiver is to send reports.
    Send {
        /// Which attribute.
        id: AttributeId,
        /// Its type octet.
        data_type: u8,
        /// Seconds between reports at least.
        minimum: u16,
        /// Seconds between reports at most; ffff is never.
        maximum: u16,
        /// The change that is reported at once; none where the type knows no amounts.
        change: Option<Value>,
    },
    /// The receiver is to expect reports.
    Expect {
        /// Which attribute.
        id: AttributeId,
        /// Seconds between reports at most.
        timeout: u16,
    },
}

/// The side that reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportingRole {
    /// 00: the attribute's device sends reports.
    Sends,
    /// 01: the device is sent reports.
    Expects,
}

/// The answer for one attribute of a configuration of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportingStatus {
    /// How it ended.
    pub status: Status,
    /// Which side was configured.
    pub role: ReportingRole,
    /// Which attribute.
    pub id: AttributeId,
}

/// The answer for one attribute of a question after its reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportingAnswer {
    /// The configuration, or why there is none, of which side and attribute.
    pub configured: Result<Reporting, ReportingStatus>,
}

/// One attribute a device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovered {
    /// Which.
    pub id: AttributeId,
    /// Its type octet.
    pub data_type: u8,
    /// What may be done with it (bit 0 read, 1 write, 2 report), in the extended discovery only.
    pub access: Option<u8>,
}

/// A foundation command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 00: give me these attributes.
    ReadAttributes(Vec<AttributeId>),
    /// 01: the values asked for.
    ReadAttributesResponse(Vec<ReadRecord>),
    /// 02: give these attributes these values.
    WriteAttributes(Vec<(AttributeId, Value)>),
    /// 03: as 02, all of them or none.
    WriteAttributesUndivided(Vec<(AttributeId, Value)>),
    /// 04: those that could not be written; none when all were.
    WriteAttributesResponse(Vec<WriteFailure>),
    /// 05: as 02, without an answer.
    WriteAttributesNoResponse(Vec<(AttributeId, Value)>),
    /// 06: report these attributes.
    ConfigureReporting(Vec<Reporting>),
    /// 07: those that cannot be reported; none when all can.
    ConfigureReportingResponse(Vec<ReportingStatus>),
    /// 08: how are these attributes reported?
    ReadReportingConfiguration(Vec<(ReportingRole, AttributeId)>),
    /// 09: how they are.
    ReadReportingConfigurationResponse(Vec<ReportingAnswer>),
    /// 0a: values sent unasked.
    ReportAttributes(Vec<(AttributeId, Value)>),
    /// 0b: how a command ended.
    DefaultResponse {
        /// The command it answers.
        command: u8,
        /// How it ended.
        status: Status,
    },
    /// 0c: which attributes do you have?
    DiscoverAttributes {
        /// From which.
        start: AttributeId,
        /// How many at most.
        most: u8,
    },
    /// 0d: these.
    DiscoverAttributesResponse {
        /// There are no more.
        complete: bool,
        /// The attributes.
        attributes: Vec<Discovered>,
    },
    /// 11 and 13: which cluster commands do you take (11) or send (13)?
    DiscoverCommands {
        /// Those it sends, rather than takes.
        generated: bool,
        /// From which.
        start: u8,
        /// How many at most.
        most: u8,
    },
    /// 12 and 14: these.
    DiscoverCommandsResponse {
        /// Those it sends, rather than takes.
        generated: bool,
        /// There are no more.
        complete: bool,
        /// Their identifiers.
        commands: Vec<u8>,
    },
    /// 15: which attributes do you have, and what may be done with them?
    DiscoverAttributesExtended {
        /// From which.
        start: AttributeId,
        /// How many at most.
        most: u8,
    },
    /// 16: these.
    DiscoverAttributesExtendedResponse {
        /// There are no more.
        complete: bool,
        /// The attributes.
        attributes: Vec<Discovered>,
    },
    /// Any other, as it came: reads and writes of parts of structures, and what is reserved.
    Other {
        /// Its identifier.
        id: u8,
        /// Its octets.
        payload: Vec<u8>,
    },
}

impl Command {
    /// The command of an identifier and its octets.
    ///
    /// # Errors
    /// Whatever is wrong with the octets.
    pub fn parse(id: u8, payload: &[u8]) -> Result<Self, ZigbeeError> {
        let mut reader = Reader::new(payload);
        Ok(match id {
            0x00 => Self::ReadAttributes(all(reader)?),
            0x01 => Self::ReadAttributesResponse(all(reader)?),
            0x02 => Self::WriteAttributes(all(reader)?),
            0x03 => Self::WriteAttributesUndivided(all(reader)?),
            0x04 => Self::WriteAttributesResponse(failures(payload)?),
            0x05 => Self::WriteAttributesNoResponse(all(reader)?),
            0x06 => Self::ConfigureReporting(all(reader)?),
            0x07 => Self::ConfigureReportingResponse(statuses(payload)?),
            0x08 => Self::ReadReportingConfiguration(all(reader)?),
            0x09 => Self::ReadReportingConfigurationResponse(all(reader)?),
            0x0a => Self::ReportAttributes(all(reader)?),
            0x0b => {
                let command = reader.u8("command answered")?;
                let status = Status(reader.u8("status")?);
                reader.finish("default response")?;
                Self::DefaultResponse { command, status }
            }
            0x0c..=0x16 => return Self::parse_discovery(id, reader, payload),
            _ => Self::Other { id, payload: payload.to_vec() },
        })
    }

    fn parse_discovery(id: u8, mut reader: Reader<'_>, payload: &[u8]) -> Result<Self, ZigbeeError> {
        Ok(match id {
            0x0c | 0x15 => {
                let start = AttributeId(reader.u16("first attribute")?);
                let most = reader.u8("number of attributes")?;
                match id {
                    0x0c => Self::DiscoverAttributes { start, most },
                    _ => Self::DiscoverAttributesExtended { start, most },
                }
            }
            0x0d => {
                let complete = reader.u8("discovery complete")? != 0;
                Self::DiscoverAttributesResponse { complete, attributes: discovered(reader, false)? }
            }
            0x16 => {
                let complete = reader.u8("discovery complete")? != 0;
                Self::DiscoverAttributesExtendedResponse { complete, attributes: discovered(reader, true)? }
            }
            0x11 | 0x13 => Self::DiscoverCommands {
                generated: id == 0x13,
                start: reader.u8("first command")?,
                most: reader.u8("number of commands")?,
            },
            0x12 | 0x14 => Self::DiscoverCommandsResponse {
                generated: id == 0x14,
                complete: reader.u8("discovery complete")? != 0,
                commands: reader.rest().to_vec(),
            },
            _ => Self::Other { id, payload: payload.to_vec() },
        })
    }

    /// Its identifier.
    pub fn id(&self) -> u8 {
        match self {
            Self::ReadAttributes(_) => 0x00,
            Self::ReadAttributesResponse(_) => 0x01,
            Self::WriteAttributes(_) => 0x02,
            Self::WriteAttributesUndivided(_) => 0x03,
            Self::WriteAttributesResponse(_) => 0x04,
            Self::WriteAttributesNoResponse(_) => 0x05,
            Self::ConfigureReporting(_) => 0x06,
            Self::ConfigureReportingResponse(_) => 0x07,
            Self::ReadReportingConfiguration(_) => 0x08,
            Self::ReadReportingConfigurationResponse(_) => 0x09,
            Self::ReportAttributes(_) => 0x0a,
            Self::DefaultResponse { .. } => 0x0b,
            Self::DiscoverAttributes { .. } => 0x0c,
            Self::DiscoverAttributesResponse { .. } => 0x0d,
            Self::DiscoverCommands { generated: false, .. } => 0x11,
            Self::DiscoverCommandsResponse { generated: false, .. } => 0x12,
            Self::DiscoverCommands { generated: true, .. } => 0x13,
            Self::DiscoverCommandsResponse { generated: true, .. } => 0x14,
            Self::DiscoverAttributesExtended { .. } => 0x15,
            Self::DiscoverAttributesExtendedResponse { .. } => 0x16,
            Self::Other { id, .. } => *id,
        }
    }

    /// Whether it answers another command, so that it is never answered itself.
    pub fn is_answer(&self) -> bool {
        matches!(self.id(), 0x01 | 0x04 | 0x07 | 0x09 | 0x0b | 0x0d | 0x10 | 0x12 | 0x14 | 0x16)
    }

    /// Its octets.
    pub fn payload(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::ReadAttributes(ids) => put_all(&mut out, ids),
            Self::ReadAttributesResponse(records) => put_all(&mut out, records),
            Self::WriteAttributes(pairs)
            | Self::WriteAttributesUndivided(pairs)
            | Self::WriteAttributesNoResponse(pairs)
            | Self::ReportAttributes(pairs) => put_all(&mut out, pairs),
            Self::WriteAttributesResponse(failures) => put_or_success(&mut out, failures),
            Self::ConfigureReporting(records) => put_all(&mut out, records),
            Self::ConfigureReportingResponse(statuses) => put_or_success(&mut out, statuses),
            Self::ReadReportingConfiguration(asked) => put_all(&mut out, asked),
            Self::ReadReportingConfigurationResponse(answers) => put_all(&mut out, answers),
            Self::DefaultResponse { command, status } => out.extend([*command, status.0]),
            Self::DiscoverAttributes { start, most } | Self::DiscoverAttributesExtended { start, most } => {
                start.write(&mut out);
                out.push(*most);
            }
            Self::DiscoverAttributesResponse { complete, attributes }
            | Self::DiscoverAttributesExtendedResponse { complete, attributes } => {
                out.push(u8::from(*complete));
                attributes.iter().for_each(|attribute| attribute.write(&mut out));
            }
            Self::DiscoverCommands { start, most, .. } => out.extend([*start, *most]),
            Self::DiscoverCommandsResponse { complete, commands, .. } => {
                out.push(u8::from(*complete));
                out.extend(commands);
            }
            Self::Other { payload, .. } => out.extend(payload),
        }
        out
    }
}

fn all<T: Field>(mut reader: Reader<'_>) -> Result<Vec<T>, ZigbeeError> {
    let mut items = Vec::new();
    while !reader.is_empty() {
        items.push(T::read(&mut reader, "record")?);
    }
    Ok(items)
}

fn put_all<T: Field>(out: &mut Vec<u8>, items: &[T]) {
    for item in items {
        item.write(out);
    }
}

/// One octet, success, stands for no failure at all.
fn put_or_success<T: Field>(out: &mut Vec<u8>, failures: &[T]) {
    if failures.is_empty() {
        out.push(Status::SUCCESS.0);
    }
    put_all(out, failures);
}

fn failures(payload: &[u8]) -> Result<Vec<WriteFailure>, ZigbeeError> {
    if payload == [Status::SUCCESS.0] { Ok(Vec::new()) } else { all(Reader::new(payload)) }
}

fn statuses(payload: &[u8]) -> Result<Vec<ReportingStatus>, ZigbeeError> {
    if payload == [Status::SUCCESS.0] { Ok(Vec::new()) } else { all(Reader::new(payload)) }
}

fn discovered(mut reader: Reader<'_>, extended: bool) -> Result<Vec<Discovered>, ZigbeeError> {
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        let id = AttributeId::read(&mut reader, "attribute identifier")?;
        let data_type = reader.u8("attribute data type")?;
        let access = if extended { Some(reader.u8("attribute access")?) } else { None };
        attributes.push(Discovered { id, data_type, access });
    }
    Ok(attributes)
}

impl Discovered {
    fn write(&self, out: &mut Vec<u8>) {
        self.id.write(out);
        out.push(self.data_type);
        out.extend(self.access);
    }
}

impl Field for AttributeId {
    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self, ZigbeeError> {
        reader.u16("attribute identifier").map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        put(out, u64::from(self.0), 2);
        true
    }
}

/// An attribute and its value, as they are written and reported.
impl Field for (AttributeId, Value) {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        Ok((AttributeId::read(reader, what)?, Value::read(reader)?))
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.0.write(out);
        self.1.write(out);
        true
    }
}

impl Field for ReadRecord {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let id = AttributeId::read(reader, what)?;
        let value = match Status(reader.u8("attribute status")?) {
            Status::SUCCESS => Ok(Value::read(reader)?),
            status => Err(status),
        };
        Ok(Self { id, value })
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.id.write(out);
        match &self.value {
            Ok(value) => {
                out.push(Status::SUCCESS.0);
                value.write(out);
            }
            Err(status) => out.push(status.0),
        }
        true
    }
}

impl Field for WriteFailure {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let status = Status(reader.u8("attribute status")?);
        Ok(Self { status, id: AttributeId::read(reader, what)? })
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.push(self.status.0);
        self.id.write(out)
    }
}

impl Field for ReportingRole {
    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self, ZigbeeError> {
        match reader.u8("reporting direction")? {
            0 => Ok(Self::Sends),
            _ => Ok(Self::Expects),
        }
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.push(u8::from(*self == Self::Expects));
        true
    }
}

impl Field for (ReportingRole, AttributeId) {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        Ok((ReportingRole::read(reader, what)?, AttributeId::read(reader, what)?))
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.0.write(out) && self.1.write(out)
    }
}

impl Field for ReportingStatus {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let status = Status(reader.u8("attribute status")?);
        let (role, id) = Field::read(reader, what)?;
        Ok(Self { status, role, id })
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.push(self.status.0);
        (self.role, self.id).write(out)
    }
}

impl Reporting {
    fn read_after(
        role: ReportingRole,
        id: AttributeId,
        reader: &mut Reader<'_>,
    ) -> Result<Self, ZigbeeError> {
        if role == ReportingRole::Expects {
            return Ok(Self::Expect { id, timeout: reader.u16("reporting time-out")? });
        }
        let data_type = reader.u8("attribute data type")?;
        let minimum = reader.u16("minimum reporting interval")?;
        let maximum = reader.u16("maximum reporting interval")?;
        let analogue = Value::is_analogue(data_type);
        let change = if analogue { Some(Value::read_typed(data_type, reader)?) } else { None };
        Ok(Self::Send { id, data_type, minimum, maximum, change })
    }
}

impl Field for Reporting {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let (role, id) = Field::read(reader, what)?;
        Self::read_after(role, id, reader)
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Send { id, data_type, minimum, maximum, change } => {
                (ReportingRole::Sends, *id).write(out);
                out.push(*data_type);
                put(out, u64::from(*minimum), 2);
                put(out, u64::from(*maximum), 2);
                change.iter().for_each(|change| change.write_untyped(out));
            }
            Self::Expect { id, timeout } => {
                (ReportingRole::Expects, *id).write(out);
                put(out, u64::from(*timeout), 2);
            }
        }
        true
    }
}

impl Field for ReportingAnswer {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let found = ReportingStatus::read(reader, what)?;
        let configured = match found.status {
            Status::SUCCESS => Ok(Reporting::read_after(found.role, found.id, reader)?),
            _ => Err(found),
        };
        Ok(Self { configured })
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        match &self.configured {
            Ok(reporting) => {
                out.push(Status::SUCCESS.0);
                reporting.write(out)
            }
            Err(status) => status.write(out),
        }
    }
}
