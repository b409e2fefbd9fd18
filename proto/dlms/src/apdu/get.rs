//! Reading attributes (GET service).

use super::access::{DataBlock, InvokeId, put_data_result, read_data_result, read_list, read_refusal};
use crate::data::{AccessSelection, AttributeRef, Data, DataAccessResult};
use crate::octets::{DecodeError, Reader, put_length, put_string};

/// C0: a request to read.
#[derive(Debug, Clone, PartialEq)]
pub struct GetRequest {
    /// Which request this is.
    pub invoke: InvokeId,
    /// What is asked.
    pub kind: GetRequestKind,
}

/// The kinds of request to read.
#[derive(Debug, Clone, PartialEq)]
pub enum GetRequestKind {
    /// 1: one attribute.
    Normal {
        /// The attribute.
        attribute: AttributeRef,
        /// Which part of it.
        selection: Option<AccessSelection>,
    },
    /// 2: the block after this one.
    Next {
        /// Number of the block last received.
        block: u32,
    },
    /// 3: several attributes.
    WithList(Vec<(AttributeRef, Option<AccessSelection>)>),
}

/// C4: the answer to a read.
#[derive(Debug, Clone, PartialEq)]
pub struct GetResponse {
    /// Which request this answers.
    pub invoke: InvokeId,
    /// The answer.
    pub kind: GetResponseKind,
}

/// The kinds of answer to a read.
#[derive(Debug, Clone, PartialEq)]
pub enum GetResponseKind {
    /// 1: the value, or why not.
    Normal(Result<Data, DataAccessResult>),
    /// 2: a block of the encoded value.
    Block(DataBlock),
    /// 2: why there is no such block.
    BlockRefused {
        /// Number of the block refused.
        number: u32,
        /// Why.
        reason: DataAccessResult,
    },
    /// 3: the values of several attributes, in the order asked.
    WithList(Vec<Result<Data, DataAccessResult>>),
}

impl GetRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("Get-Request choice")?;
        let invoke = InvokeId::read(reader)?;
        let kind = match choice {
            1 => {
                let (attribute, selection) = read_selected(reader)?;
                GetRequestKind::Normal { attribute, selection }
            }
            2 => GetRequestKind::Next { block: reader.u32("block number")? },
            3 => GetRequestKind::WithList(read_list(reader, "number of attributes", read_selected)?),
            found => return Err(reader.unexpected("Get-Request choice", found, "01, 02 or 03")),
        };
        Ok(Self { invoke, kind })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let choice = match &self.kind {
            GetRequestKind::Normal { .. } => 1,
            GetRequestKind::Next { .. } => 2,
            GetRequestKind::WithList(_) => 3,
        };
        out.extend([0xC0, choice, self.invoke.0]);
        match &self.kind {
            GetRequestKind::Normal { attribute, selection } => {
                put_selected(out, *attribute, selection.as_ref())
            }
            GetRequestKind::Next { block } => out.extend(block.to_be_bytes()),
            GetRequestKind::WithList(list) => put_selected_list(out, list),
        }
    }
}

impl GetResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("Get-Response choice")?;
        let invoke = InvokeId::read(reader)?;
        let kind = match choice {
            1 => GetResponseKind::Normal(read_data_result(reader)?),
            2 => read_block(reader)?,
            3 => GetResponseKind::WithList(read_list(reader, "number of results", read_data_result)?),
            found => return Err(reader.unexpected("Get-Response choice", found, "01, 02 or 03")),
        };
        Ok(Self { invoke, kind })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let choice = match &self.kind {
            GetResponseKind::Normal(_) => 1,
            GetResponseKind::Block(_) | GetResponseKind::BlockRefused { .. } => 2,
            GetResponseKind::WithList(_) => 3,
        };
        out.extend([0xC4, choice, self.invoke.0]);
        match &self.kind {
            GetResponseKind::Normal(result) => put_data_result(out, result),
            GetResponseKind::Block(block) => {
                out.push(u8::from(block.last));
                out.extend(block.number.to_be_bytes());
                out.push(0);
                put_string(out, &block.raw);
            }
            GetResponseKind::BlockRefused { number, reason } => {
                out.push(1);
                out.extend(number.to_be_bytes());
                out.extend([1, reason.code()]);
            }
            GetResponseKind::WithList(results) => {
                put_length(out, results.len());
                results.iter().for_each(|result| put_data_result(out, result));
            }
        }
    }
}

fn read_block(reader: &mut Reader<'_>) -> Result<GetResponseKind, DecodeError> {
    let last = reader.flag("last block flag")?;
    let number = reader.u32("block number")?;
    match reader.u8("block choice")? {
        0 => {
            let raw = reader.string("block contents")?.to_vec();
            Ok(GetResponseKind::Block(DataBlock { last, number, raw }))
        }
        1 => Ok(GetResponseKind::BlockRefused { number, reason: read_refusal(reader)? }),
        found => Err(reader.unexpected("block choice", found, "00 (contents) or 01 (data access result)")),
    }
}

/// An attribute with its optional selection.
pub(super) fn read_selected(
    reader: &mut Reader<'_>,
) -> Result<(AttributeRef, Option<AccessSelection>), DecodeError> {
    Ok((AttributeRef::read(reader)?, AccessSelection::read_optional(reader)?))
}

pub(super) fn put_selected(out: &mut Vec<u8>, attribute: AttributeRef, selection: Option<&AccessSelection>) {
    attribute.encode_to(out);
    AccessSelection::put_optional(selection, out);
}

pub(super) fn put_selected_list(out: &mut Vec<u8>, list: &[(AttributeRef, Option<AccessSelection>)]) {
    put_length(out, list.len());
    list.iter().for_each(|(attribute, selection)| put_selected(out, *attribute, selection.as_ref()));
}
