//! What reading, writing and invoking have in common: invoke ids, blocks and results.

use crate::data::{Data, DataAccessResult};
use crate::octets::{DecodeError, Reader, put_string};

/// `Invoke-Id-And-Priority`: which request an answer belongs to, and how urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvokeId(pub u8);

impl InvokeId {
    /// A confirmed request of high priority, as nearly every client sends it.
    pub fn confirmed(number: u8) -> Self {
        Self(0xC0 | (number & 0x0F))
    }

    /// The number, 0 to 15, by which an answer finds its request.
    pub fn number(self) -> u8 {
        self.0 & 0x0F
    }

    /// Whether the client wants an answer. Several clients leave the bit clear on reads and want one all the same.
    pub fn is_confirmed(self) -> bool {
        self.0 & 0x40 != 0
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.u8("invoke id and priority").map(Self)
    }
}

/// One block of a value too long for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataBlock {
    /// Whether this is the last block.
    pub last: bool,
    /// The block's number, counted from 1.
    pub number: u32,
    /// Its part of the encoded value.
    pub raw: Vec<u8>,
}

impl DataBlock {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let last = reader.flag("last block flag")?;
        let number = reader.u32("block number")?;
        Ok(Self { last, number, raw: reader.string("block contents")?.to_vec() })
    }

    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.last));
        out.extend(self.number.to_be_bytes());
        put_string(out, &self.raw);
    }
}

pub(crate) fn read_data_result(
    reader: &mut Reader<'_>,
) -> Result<Result<Data, DataAccessResult>, DecodeError> {
    match reader.u8("result choice")? {
        0 => Ok(Ok(Data::read(reader)?)),
        1 => Ok(Err(read_refusal(reader)?)),
        found => Err(reader.unexpected("result choice", found, "00 (data) or 01 (data access result)")),
    }
}

pub(crate) fn put_data_result(out: &mut Vec<u8>, result: &Result<Data, DataAccessResult>) {
    match result {
        Ok(data) => {
            out.push(0);
            data.encode_to(out);
        }
        Err(refusal) => out.extend([1, refusal.code()]),
    }
}

/// A data access result where success has been ruled out by the choice before it.
pub(crate) fn read_refusal(reader: &mut Reader<'_>) -> Result<DataAccessResult, DecodeError> {
    let code = reader.u8("data access result")?;
    DataAccessResult::from_code(code)
        .ok_or_else(|| reader.unexpected("data access result", code, "a result other than success"))
}

pub(crate) fn read_access_result(
    reader: &mut Reader<'_>,
) -> Result<Result<(), DataAccessResult>, DecodeError> {
    Ok(DataAccessResult::from_code(reader.u8("data access result")?).map_or(Ok(()), Err))
}

pub(crate) fn access_code(result: Result<(), DataAccessResult>) -> u8 {
    result.map_or_else(DataAccessResult::code, |()| 0)
}

/// A counted list; every entry takes at least an octet, so the count cannot outgrow the message.
pub(crate) fn read_list<T>(
    reader: &mut Reader<'_>,
    part: &'static str,
    mut entry: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.length(part)?;
    (0..count).map(|_| entry(reader)).collect()
}
