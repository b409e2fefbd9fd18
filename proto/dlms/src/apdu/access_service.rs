//! Several reads, writes and invocations in one message (ACCESS service, IEC 62056-5-3, 6.9).

use super::access::read_list;
use super::notification::{put_time, read_time};
use crate::data::{AccessSelection, ActionResult, AttributeRef, Data, DataAccessResult, DateTime, MethodRef};
use crate::octets::{DecodeError, Reader, put_length};

/// `Long-Invoke-Id-And-Priority`: a number of 24 bits and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LongInvokeId(pub u32);

impl LongInvokeId {
    const NUMBER: u32 = 0x00FF_FFFF;
    const BREAK_ON_ERROR: u32 = 1 << 29;
    const CONFIRMED: u32 = 1 << 30;
    const HIGH_PRIORITY: u32 = 1 << 31;

    /// A confirmed request of high priority.
    pub fn confirmed(number: u32) -> Self {
        Self(Self::CONFIRMED | Self::HIGH_PRIORITY | (number & Self::NUMBER))
    }

    /// A message nobody answers, of normal priority.
    pub fn unconfirmed(number: u32) -> Self {
        Self(number & Self::NUMBER)
    }

    /// The same, to be broken off at the first part that fails.
    #[must_use]
    pub fn breaking_on_error(self) -> Self {
        Self(self.0 | Self::BREAK_ON_ERROR)
    }

    /// The number by which an answer finds its request.
    pub fn number(self) -> u32 {
        self.0 & Self::NUMBER
    }

    /// Whether the sender wants an answer.
    pub fn is_confirmed(self) -> bool {
        self.0 & Self::CONFIRMED != 0
    }

    /// Whether the parts after one that failed are to be left out.
    pub fn breaks_on_error(self) -> bool {
        self.0 & Self::BREAK_ON_ERROR != 0
    }
}

/// One part of a request, with what it brings: there is no read with a value or write without one.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessPart {
    /// 1: read an attribute; 4 with a selection.
    Get(AttributeRef, Option<AccessSelection>),
    /// 2: write an attribute; 5 with a selection.
    Set(AttributeRef, Option<AccessSelection>, Data),
    /// 3: invoke a method; null data for no parameter.
    Action(MethodRef, Data),
}

/// What came of one part.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessOutcome {
    /// The value, or why not.
    Get(Result<Data, DataAccessResult>),
    /// Written, or why not.
    Set(Result<(), DataAccessResult>),
    /// Invoked, with the return value (null data for none), or why not.
    Action(Result<Data, ActionResult>),
}

/// D9: a request of several parts.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessRequest {
    /// Which request this is.
    pub invoke: LongInvokeId,
    /// When it was sent, where the client says.
    pub time: Option<DateTime>,
    /// The parts, carried out in this order.
    pub parts: Vec<AccessPart>,
}

/// DA: the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessResponse {
    /// Which request this answers.
    pub invoke: LongInvokeId,
    /// When it was sent, where the server says.
    pub time: Option<DateTime>,
    /// What came of each part, in the order asked. Fewer than asked where the server broke off at an error.
    pub outcomes: Vec<AccessOutcome>,
}

/// A part's specification: all of it but its data.
enum Specification {
    Get(AttributeRef, Option<AccessSelection>),
    Set(AttributeRef, Option<AccessSelection>),
    Action(MethodRef),
}

impl Specification {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("access specification choice")?;
        Ok(match choice {
            1 => Self::Get(AttributeRef::read(reader)?, None),
            2 => Self::Set(AttributeRef::read(reader)?, None),
            3 => Self::Action(MethodRef::read(reader)?),
            4 => Self::Get(AttributeRef::read(reader)?, Some(read_selection(reader)?)),
            5 => Self::Set(AttributeRef::read(reader)?, Some(read_selection(reader)?)),
            found => return Err(reader.unexpected("access specification choice", found, "01 to 05")),
        })
    }

    fn with(self, data: Data) -> AccessPart {
        match self {
            Self::Get(attribute, selection) => AccessPart::Get(attribute, selection),
            Self::Set(attribute, selection) => AccessPart::Set(attribute, selection, data),
            Self::Action(method) => AccessPart::Action(method, data),
        }
    }
}

fn read_selection(reader: &mut Reader<'_>) -> Result<AccessSelection, DecodeError> {
    Ok(AccessSelection { selector: reader.u8("access selector")?, parameters: Data::read(reader)? })
}

impl AccessPart {
    fn encode_specification(&self, out: &mut Vec<u8>) {
        let (choice, selection) = match self {
            Self::Get(_, None) => (1, None),
            Self::Set(_, None, _) => (2, None),
            Self::Action(..) => (3, None),
            Self::Get(_, selection) => (4, selection.as_ref()),
            Self::Set(_, selection, _) => (5, selection.as_ref()),
        };
        out.push(choice);
        match self {
            Self::Get(attribute, _) | Self::Set(attribute, ..) => attribute.encode_to(out),
            Self::Action(method, _) => method.encode_to(out),
        }
        if let Some(selection) = selection {
            out.push(selection.selector);
            selection.parameters.encode_to(out);
        }
    }

    fn data(&self) -> &Data {
        match self {
            Self::Get(..) => &Data::Null,
            Self::Set(_, _, data) | Self::Action(_, data) => data,
        }
    }
}

impl AccessOutcome {
    /// Whether the part was carried out.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Get(Ok(_)) | Self::Set(Ok(())) | Self::Action(Ok(_)))
    }

    fn data(&self) -> &Data {
        match self {
            Self::Get(Ok(data)) | Self::Action(Ok(data)) => data,
            _ => &Data::Null,
        }
    }

    fn codes(&self) -> [u8; 2] {
        match self {
            Self::Get(result) => [1, result.as_ref().err().map_or(0, |refusal| refusal.code())],
            Self::Set(result) => [2, result.err().map_or(0, DataAccessResult::code)],
            Self::Action(result) => [3, result.as_ref().err().map_or(0, |refusal| refusal.code())],
        }
    }

    fn read(reader: &mut Reader<'_>, data: Data) -> Result<Self, DecodeError> {
        let choice = reader.u8("access response choice")?;
        let code = reader.u8("access result")?;
        let refusal = DataAccessResult::from_code(code);
        Ok(match choice {
            1 => Self::Get(refusal.map_or(Ok(data), Err)),
            2 => Self::Set(refusal.map_or(Ok(()), Err)),
            3 => Self::Action(ActionResult::from_code(code).map_or(Ok(data), Err)),
            found => return Err(reader.unexpected("access response choice", found, "01, 02 or 03")),
        })
    }
}

/// The counts of the two lists of one message must agree.
fn check_count(reader: &Reader<'_>, expected: usize, found: usize) -> Result<(), DecodeError> {
    if expected == found {
        return Ok(());
    }
    let found = u8::try_from(found).unwrap_or(u8::MAX);
    Err(reader.unexpected("number of data", found, "as many data as specifications"))
}

impl AccessRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let invoke = LongInvokeId(reader.u32("long invoke id")?);
        let time = read_time(reader)?;
        let specifications = read_list(reader, "number of access specifications", Specification::read)?;
        let data = read_list(reader, "number of access data", Data::read)?;
        check_count(reader, specifications.len(), data.len())?;
        let parts = specifications.into_iter().zip(data).map(|(of, data)| of.with(data)).collect();
        Ok(Self { invoke, time, parts })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(0xD9);
        out.extend(self.invoke.0.to_be_bytes());
        put_time(out, self.time);
        put_length(out, self.parts.len());
        self.parts.iter().for_each(|part| part.encode_specification(out));
        put_length(out, self.parts.len());
        self.parts.iter().for_each(|part| part.data().encode_to(out));
    }
}

impl AccessResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let invoke = LongInvokeId(reader.u32("long invoke id")?);
        let time = read_time(reader)?;
        if reader.flag("specification flag")? {
            read_list(reader, "number of access specifications", Specification::read)?;
        }
        let data = read_list(reader, "number of access data", Data::read)?;
        let count = reader.length("number of access results")?;
        check_count(reader, count, data.len())?;
        let outcomes: Result<_, _> = data.into_iter().map(|data| AccessOutcome::read(reader, data)).collect();
        Ok(Self { invoke, time, outcomes: outcomes? })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(0xDA);
        out.extend(self.invoke.0.to_be_bytes());
        put_time(out, self.time);
        out.push(0);
        put_length(out, self.outcomes.len());
        self.outcomes.iter().for_each(|outcome| outcome.data().encode_to(out));
        put_length(out, self.outcomes.len());
        self.outcomes.iter().for_each(|outcome| out.extend(outcome.codes()));
    }
}
