//! Invoking methods (ACTION service).

use super::access::{DataBlock, InvokeId, put_data_result, read_data_result, read_list};
use crate::data::{ActionResult, Data, DataAccessResult, MethodRef};
use crate::octets::{DecodeError, Reader, put_length};

/// C3: a request to invoke a method.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRequest {
    /// Which request this is.
    pub invoke: InvokeId,
    /// What is asked.
    pub kind: ActionRequestKind,
}

/// The kinds of request to invoke. Invoking a list in blocks (kind 5) is not spoken.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionRequestKind {
    /// 1: one method.
    Normal {
        /// The method.
        method: MethodRef,
        /// Its parameter.
        parameter: Option<Data>,
    },
    /// 2: the block of the answer after this one.
    Next {
        /// Number of the block last received.
        block: u32,
    },
    /// 3: several methods and as many parameters.
    WithList {
        /// The methods.
        methods: Vec<MethodRef>,
        /// Their parameters, in the same order.
        parameters: Vec<Data>,
    },
    /// 4: one method, with the first block of its encoded parameter.
    FirstBlock {
        /// The method.
        method: MethodRef,
        /// The first block.
        block: DataBlock,
    },
    /// 6: a further block.
    Block(DataBlock),
}

/// C7: the answer to an invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionResponse {
    /// Which request this answers.
    pub invoke: InvokeId,
    /// The answer.
    pub kind: ActionResponseKind,
}

/// What one invocation gave.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionReturn {
    /// Done, or why not.
    pub result: Result<(), ActionResult>,
    /// What the method returned, where it returns anything.
    pub value: Option<Result<Data, DataAccessResult>>,
}

/// The kinds of answer to an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionResponseKind {
    /// 1: what the method gave.
    Normal(ActionReturn),
    /// 2: it succeeded; a block of the encoded return value.
    Block(DataBlock),
    /// 3: what several methods gave, in the order asked.
    WithList(Vec<ActionReturn>),
    /// 4: a block of the parameter has arrived; send the next.
    Next {
        /// Number of the block that arrived.
        number: u32,
    },
}

impl ActionRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("Action-Request choice")?;
        let invoke = InvokeId::read(reader)?;
        let kind = match choice {
            1 => {
                let method = MethodRef::read(reader)?;
                let present = reader.flag("parameter flag")?;
                let parameter = if present { Some(Data::read(reader)?) } else { None };
                ActionRequestKind::Normal { method, parameter }
            }
            2 => ActionRequestKind::Next { block: reader.u32("block number")? },
            3 => {
                let methods = read_list(reader, "number of methods", MethodRef::read)?;
                let parameters = read_list(reader, "number of parameters", Data::read)?;
                ActionRequestKind::WithList { methods, parameters }
            }
            4 => {
                let method = MethodRef::read(reader)?;
                ActionRequestKind::FirstBlock { method, block: DataBlock::read(reader)? }
            }
            6 => ActionRequestKind::Block(DataBlock::read(reader)?),
            found => return Err(reader.unexpected("Action-Request choice", found, "01 to 04 or 06")),
        };
        Ok(Self { invoke, kind })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let choice = match &self.kind {
            ActionRequestKind::Normal { .. } => 1,
            ActionRequestKind::Next { .. } => 2,
            ActionRequestKind::WithList { .. } => 3,
            ActionRequestKind::FirstBlock { .. } => 4,
            ActionRequestKind::Block(_) => 6,
        };
        out.extend([0xC3, choice, self.invoke.0]);
        match &self.kind {
            ActionRequestKind::Normal { method, parameter } => {
                method.encode_to(out);
                out.push(u8::from(parameter.is_some()));
                if let Some(parameter) = parameter {
                    parameter.encode_to(out);
                }
            }
            ActionRequestKind::Next { block } => out.extend(block.to_be_bytes()),
            ActionRequestKind::WithList { methods, parameters } => {
                put_length(out, methods.len());
                methods.iter().for_each(|method| method.encode_to(out));
                put_length(out, parameters.len());
                parameters.iter().for_each(|parameter| parameter.encode_to(out));
            }
            ActionRequestKind::FirstBlock { method, block } => {
                method.encode_to(out);
                block.encode_to(out);
            }
            ActionRequestKind::Block(block) => block.encode_to(out),
        }
    }
}

impl ActionReturn {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let result = ActionResult::from_code(reader.u8("action result")?).map_or(Ok(()), Err);
        // Some meters leave out even the flag when there is nothing to return.
        let present = !reader.is_empty() && reader.flag("return value flag")?;
        let value = if present { Some(read_data_result(reader)?) } else { None };
        Ok(Self { result, value })
    }

    fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(self.result.map_or_else(ActionResult::code, |()| 0));
        out.push(u8::from(self.value.is_some()));
        if let Some(value) = &self.value {
            put_data_result(out, value);
        }
    }
}

impl ActionResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8("Action-Response choice")?;
        let invoke = InvokeId::read(reader)?;
        let kind = match choice {
            1 => ActionResponseKind::Normal(ActionReturn::read(reader)?),
            2 => ActionResponseKind::Block(DataBlock::read(reader)?),
            3 => ActionResponseKind::WithList(read_list(reader, "number of results", ActionReturn::read)?),
            4 => ActionResponseKind::Next { number: reader.u32("block number")? },
            found => return Err(reader.unexpected("Action-Response choice", found, "01 to 04")),
        };
        Ok(Self { invoke, kind })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let choice = match &self.kind {
            ActionResponseKind::Normal(_) => 1,
            ActionResponseKind::Block(_) => 2,
            ActionResponseKind::WithList(_) => 3,
            ActionResponseKind::Next { .. } => 4,
        };
        out.extend([0xC7, choice, self.invoke.0]);
        match &self.kind {
            ActionResponseKind::Normal(given) => given.encode_to(out),
            ActionResponseKind::Block(block) => block.encode_to(out),
            ActionResponseKind::WithList(list) => {
                put_length(out, list.len());
                list.iter().for_each(|given| given.encode_to(out));
            }
            ActionResponseKind::Next { number } => out.extend(number.to_be_bytes()),
        }
    }
}
