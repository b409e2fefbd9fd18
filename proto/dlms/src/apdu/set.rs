//! Writing attributes (SET service).

use super::access::{DataBlock, InvokeId, access_code, read_access_result, read_list};
use super::get::{put_selected, put_selected_list, read_selected};
use crate::data::{AccessSelection, AttributeRef, Data, DataAccessResult};
use crate::octets::{DecodeError, Reader, put_length};

/// C1: a request to write.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRequest {
    /// Which request this is.
    pub invoke: InvokeId,
    /// What is asked.
    pub kind: SetRequestKind,
}

/// The kinds of request to write. Writing a list in blocks (kind 5) is not spoken.
#[derive(Debug, Clone, PartialEq)]
pub enum SetRequestKind {
    /// 1: one attribute.
    Normal {
        /// The attribute.
        attribute: AttributeRef,
        /// Which part of it.
        selection: Option<AccessSelection>,
        /// Its new value.
        value: Data,
    },
    /// 2: one attribute, with the first block of its encoded value.
    FirstBlock {
        /// The attribute.
        attribute: AttributeRef,
        /// Which part of it.
        selection: Option<AccessSelection>,
        /// The first block.
        block: DataBlock,
    },
    /// 3: a further block.
    Block(DataBlock),
    /// 4: several attributes and as many values.
    WithList {
        /// The attributes.
        attributes: Vec<(AttributeRef, Option<AccessSelection>)>,
        /// Their values, in the same order.
        values: Vec<Data>,
    },
}

/// C5: the answer to a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetResponse {
    /// Which request this answers.
    pub invoke: InvokeId,
    /// The answer.
    pub kind: SetResponseKind,
}

/// The kinds of answer to a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetResponseKind {
    /// 1: written, or why not.
    Normal(Result<(), DataAccessResult>),
    /// 2: a block has arrived; send the next.
    Block {
        /// Number of the block that arrived.
        number: u32,
    },
    /// 3: the last block has arrived and the value is written, or why not.
    LastBlock {
        /// Written, or why not.
        result: Result<(), DataAccessResult>,
        /// Number of the block that arrived.
        number: u32,
    },
    /// 5: the results of several attributes, in the order asked.
    WithList(Vec<Result<(), DataAccessResult>>),
}

impl SetRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("Set-Request choice")?;
        let invoke = InvokeId::read(reader)?;
        let kind = match choice {
            1 => {
                let (attribute, selection) = read_selected(reader)?;
                SetRequestKind::Normal { attribute, selection, value: Data::read(reader)? }
            }
            2 => {
                let (attribute, selection) = read_selected(reader)?;
                SetRequestKind::FirstBlock { attribute, selection, block: DataBlock::read(reader)? }
            }
            3 => SetRequestKind::Block(DataBlock::read(reader)?),
            4 => {
                let attributes = read_list(reader, "number of attributes", read_selected)?;
                SetRequestKind::WithList {
                    attributes,
                    values: read_list(reader, "number of values", Data::read)?,
                }
            }
            found => return Err(reader.unexpected("Set-Request choice", found, "01, 02, 03 or 04")),
        };
        Ok(Self { invoke, kind })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let choice = match &self.kind {
            SetRequestKind::Normal { .. } => 1,
            SetRequestKind::FirstBlock { .. } => 2,
            SetRequestKind::Block(_) => 3,
            SetRequestKind::WithList { .. } => 4,
        };
        out.extend([0xC1, choice, self.invoke.0]);
        match &self.kind {
            SetRequestKind::Normal { attribute, selection, value } => {
                put_selected(out, *attribute, selection.as_ref());
                value.encode_to(out);
            }
            SetRequestKind::FirstBlock { attribute, selection, block } => {
                put_selected(out, *attribute, selection.as_ref());
                block.encode_to(out);
            }
            SetRequestKind::Block(block) => block.encode_to(out),
            SetRequestKind::WithList { attributes, values } => {
                put_selected_list(out, attributes);
                put_length(out, values.len());
                values.iter().for_each(|value| value.encode_to(out));
            }
        }
    }
}

impl SetResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("Set-Response choice")?;
        let invoke = InvokeId::read(reader)?;
        let kind = match choice {
            1 => SetResponseKind::Normal(read_access_result(reader)?),
            2 => SetResponseKind::Block { number: reader.u32("block number")? },
            3 => {
                let result = read_access_result(reader)?;
                SetResponseKind::LastBlock { result, number: reader.u32("block number")? }
            }
            5 => SetResponseKind::WithList(read_list(reader, "number of results", read_access_result)?),
            found => return Err(reader.unexpected("Set-Response choice", found, "01, 02, 03 or 05")),
        };
        Ok(Self { invoke, kind })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let choice = match &self.kind {
            SetResponseKind::Normal(_) => 1,
            SetResponseKind::Block { .. } => 2,
            SetResponseKind::LastBlock { .. } => 3,
            SetResponseKind::WithList(_) => 5,
        };
        out.extend([0xC5, choice, self.invoke.0]);
        match &self.kind {
            SetResponseKind::Normal(result) => out.push(access_code(*result)),
            SetResponseKind::Block { number } => out.extend(number.to_be_bytes()),
            SetResponseKind::LastBlock { result, number } => {
                out.push(access_code(*result));
                out.extend(number.to_be_bytes());
            }
            SetResponseKind::WithList(results) => {
                put_length(out, results.len());
                out.extend(results.iter().map(|result| access_code(*result)));
            }
        }
    }
}
