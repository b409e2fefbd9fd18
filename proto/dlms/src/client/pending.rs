//! A request on its way: what has been sent of it, what has come back, and what comes next.

use super::associate::Proof;
use super::{ClientError, Limits, Request, Response};
use crate::apdu::{
    AccessOutcome, AccessPart, AccessRequest, ActionRequest, ActionRequestKind, ActionResponseKind,
    ActionReturn, Apdu, GetRequest, GetRequestKind, GetResponseKind, InvokeId, LongInvokeId, SetRequest,
    SetRequestKind, SetResponseKind, read_data_result,
};
use crate::apdu::{Conformance, DataBlock};
use crate::blocks::{Assembly, Outgoing};
use crate::data::{AttributeRef, Data, DataAccessResult, MethodRef, Selective};
use crate::octets::Reader;

#[derive(Debug)]
pub(super) enum Pending {
    Associate,
    /// The meter's answer to the proof sent.
    Prove(Box<Proof>),
    Release,
    Get(Assembly),
    /// A list of so many attributes.
    GetList(usize, Assembly),
    Set,
    /// A write in blocks, and the number of the block last sent.
    SetBlocks(Outgoing, u32),
    /// So many parts at once, and whether fewer may be answered.
    Access(usize, bool),
    /// An invocation that may be answered in blocks.
    Act(Assembly),
    /// An invocation whose parameter goes in blocks, and the number of the block last sent.
    ActBlocks(Outgoing, u32),
}

pub(super) enum Progress {
    Send(Pending, Vec<u8>),
    Ignored(Pending, &'static str),
    Done(Response),
}

const LATE: &str = "answer to an earlier request";

impl Pending {
    /// The first APDU of a service, and what to wait for.
    pub(super) fn start(
        request: Request,
        invoke: InvokeId,
        limits: Limits,
    ) -> Result<(Self, Vec<u8>), ClientError> {
        match request {
            Request::Associate | Request::Release => Err(ClientError::Busy),
            Request::Get { attribute, selective } => start_get(attribute, selective, invoke, limits),
            Request::GetList(attributes) => start_get_list(attributes, invoke, limits),
            Request::Access { parts, break_on_error } => start_access(parts, break_on_error, invoke, limits),
            Request::Set { attribute, value } => start_set(attribute, value, invoke, limits),
            Request::Act { method, parameter } => start_act(method, parameter, invoke, limits),
        }
    }

    /// Takes the next APDU.
    pub(super) fn receive(
        self,
        apdu: Apdu,
        invoke: InvokeId,
        limits: Limits,
    ) -> Result<Progress, ClientError> {
        match apdu {
            Apdu::Exception(exception) => Ok(Progress::Done(Response::Exception(exception))),
            Apdu::Aare(_) => Ok(Progress::Ignored(self, "an AARE though the association was not asked for")),
            Apdu::Rlre(_) => Ok(Progress::Ignored(self, "an RLRE though the release was not asked for")),
            Apdu::GetResponse(response) if response.invoke.number() == invoke.number() => {
                self.get_response(response.kind, invoke)
            }
            Apdu::SetResponse(response) if response.invoke.number() == invoke.number() => {
                self.set_response(response.kind, invoke)
            }
            Apdu::ActionResponse(response) if response.invoke.number() == invoke.number() => {
                self.action_response(response.kind, invoke, limits)
            }
            Apdu::AccessResponse(response) if response.invoke.number() == u32::from(invoke.number()) => {
                self.access_response(response.outcomes)
            }
            Apdu::GetResponse(_)
            | Apdu::SetResponse(_)
            | Apdu::ActionResponse(_)
            | Apdu::AccessResponse(_) => Ok(Progress::Ignored(self, LATE)),
            other => Err(self.unexpected(other.name())),
        }
    }

    fn unexpected(&self, found: &'static str) -> ClientError {
        let expected = match self {
            Pending::Associate => "AARE",
            Pending::Prove(_) => "Action-Response with the meter's proof",
            Pending::Release => "RLRE",
            Pending::Get(_) => "Get-Response",
            Pending::GetList(..) => "Get-Response with a list",
            Pending::Set => "Set-Response",
            Pending::SetBlocks(..) => "Set-Response to a block",
            Pending::Access(..) => "Access-Response",
            Pending::Act(_) => "Action-Response",
            Pending::ActBlocks(..) => "Action-Response to a block",
        };
        ClientError::Unexpected { found, expected }
    }

    fn get_response(self, kind: GetResponseKind, invoke: InvokeId) -> Result<Progress, ClientError> {
        match (self, kind) {
            (Pending::Get(_), GetResponseKind::Normal(result)) => Ok(Progress::Done(Response::Got(result))),
            (Pending::GetList(count, _), GetResponseKind::WithList(results)) => finish_list(results, count),
            (Pending::Get(_), GetResponseKind::BlockRefused { reason, .. }) => {
                Ok(Progress::Done(Response::Got(Err(reason))))
            }
            (Pending::GetList(count, _), GetResponseKind::BlockRefused { reason, .. }) => {
                Ok(Progress::Done(Response::GotList(vec![Err(reason); count])))
            }
            (Pending::Get(mut assembly), GetResponseKind::Block(block)) => {
                assembly.add(&block)?;
                if block.last {
                    return Ok(Progress::Done(Response::Got(Ok(Data::decode(assembly.value())?))));
                }
                Ok(Progress::Send(Pending::Get(assembly), next_get(invoke, block.number)))
            }
            (Pending::GetList(count, mut assembly), GetResponseKind::Block(block)) => {
                assembly.add(&block)?;
                if block.last {
                    return finish_list(decode_list(assembly.value())?, count);
                }
                Ok(Progress::Send(Pending::GetList(count, assembly), next_get(invoke, block.number)))
            }
            (pending, _) => Err(pending.unexpected("Get-Response of another kind")),
        }
    }

    fn access_response(self, outcomes: Vec<AccessOutcome>) -> Result<Progress, ClientError> {
        match self {
            Pending::Access(expected, broken_off) => {
                let found = outcomes.len();
                if found == expected || broken_off && found < expected {
                    return Ok(Progress::Done(Response::Accessed(outcomes)));
                }
                Err(ClientError::ListLength { found, expected })
            }
            pending => Err(pending.unexpected("Access-Response")),
        }
    }

    fn set_response(self, kind: SetResponseKind, invoke: InvokeId) -> Result<Progress, ClientError> {
        match (self, kind) {
            (Pending::Set | Pending::SetBlocks(..), SetResponseKind::Normal(result)) => {
                Ok(Progress::Done(Response::Set(result)))
            }
            (Pending::SetBlocks(..), SetResponseKind::LastBlock { result, .. }) => {
                Ok(Progress::Done(Response::Set(result)))
            }
            (Pending::SetBlocks(outgoing, sent), SetResponseKind::Block { number }) => {
                let encode =
                    |block| Apdu::SetRequest(SetRequest { invoke, kind: SetRequestKind::Block(block) });
                match next_block(&outgoing, sent, number)? {
                    Some(block) => {
                        Ok(Progress::Send(Pending::SetBlocks(outgoing, sent + 1), encode(block).encode()))
                    }
                    None => Ok(Progress::Ignored(Pending::SetBlocks(outgoing, sent), LATE)),
                }
            }
            (pending, _) => Err(pending.unexpected("Set-Response of another kind")),
        }
    }

    fn action_response(
        self,
        kind: ActionResponseKind,
        invoke: InvokeId,
        limits: Limits,
    ) -> Result<Progress, ClientError> {
        match (self, kind) {
            (Pending::Act(_) | Pending::ActBlocks(..), ActionResponseKind::Normal(given)) => {
                Ok(Progress::Done(Response::Acted(given)))
            }
            (Pending::ActBlocks(outgoing, sent), ActionResponseKind::Next { number }) => {
                let encode = |block| {
                    Apdu::ActionRequest(ActionRequest { invoke, kind: ActionRequestKind::Block(block) })
                };
                match next_block(&outgoing, sent, number)? {
                    Some(block) => {
                        Ok(Progress::Send(Pending::ActBlocks(outgoing, sent + 1), encode(block).encode()))
                    }
                    None => Ok(Progress::Ignored(Pending::ActBlocks(outgoing, sent), LATE)),
                }
            }
            (Pending::ActBlocks(..), ActionResponseKind::Block(block)) => {
                add_returned(Assembly::new(limits.max_value), &block, invoke)
            }
            (Pending::Act(assembly), ActionResponseKind::Block(block)) => {
                add_returned(assembly, &block, invoke)
            }
            (pending, _) => Err(pending.unexpected("Action-Response of another kind")),
        }
    }
}

fn start_get(
    attribute: AttributeRef,
    selective: Option<Selective>,
    invoke: InvokeId,
    limits: Limits,
) -> Result<(Pending, Vec<u8>), ClientError> {
    let selection = selective.as_ref().map(Selective::to_access_selection);
    let kind = GetRequestKind::Normal { attribute, selection };
    let apdu = fitting(&Apdu::GetRequest(GetRequest { invoke, kind }), limits)?;
    Ok((Pending::Get(Assembly::new(limits.max_value)), apdu))
}

fn start_get_list(
    attributes: Vec<AttributeRef>,
    invoke: InvokeId,
    limits: Limits,
) -> Result<(Pending, Vec<u8>), ClientError> {
    let pending = Pending::GetList(attributes.len(), Assembly::new(limits.max_value));
    let kind = GetRequestKind::WithList(attributes.into_iter().map(|attribute| (attribute, None)).collect());
    Ok((pending, fitting(&Apdu::GetRequest(GetRequest { invoke, kind }), limits)?))
}

fn start_access(
    parts: Vec<AccessPart>,
    break_on_error: bool,
    invoke: InvokeId,
    limits: Limits,
) -> Result<(Pending, Vec<u8>), ClientError> {
    let long = LongInvokeId::confirmed(invoke.number().into());
    let invoke = if break_on_error { long.breaking_on_error() } else { long };
    let pending = Pending::Access(parts.len(), break_on_error);
    Ok((pending, fitting(&Apdu::AccessRequest(AccessRequest { invoke, time: None, parts }), limits)?))
}

fn start_set(
    attribute: AttributeRef,
    value: Data,
    invoke: InvokeId,
    limits: Limits,
) -> Result<(Pending, Vec<u8>), ClientError> {
    let encoded = value.encode();
    let request = |kind| Apdu::SetRequest(SetRequest { invoke, kind });
    let whole = request(SetRequestKind::Normal { attribute, selection: None, value });
    let first = |block| request(SetRequestKind::FirstBlock { attribute, selection: None, block });
    match whole_or_blocks(&whole, encoded, Conformance::BLOCK_TRANSFER_WITH_SET, limits, first)? {
        (None, apdu) => Ok((Pending::Set, apdu)),
        (Some(outgoing), apdu) => Ok((Pending::SetBlocks(outgoing, 1), apdu)),
    }
}

fn start_act(
    method: MethodRef,
    parameter: Option<Data>,
    invoke: InvokeId,
    limits: Limits,
) -> Result<(Pending, Vec<u8>), ClientError> {
    let encoded = parameter.as_ref().map(Data::encode).unwrap_or_default();
    let request = |kind| Apdu::ActionRequest(ActionRequest { invoke, kind });
    let whole = request(ActionRequestKind::Normal { method, parameter });
    let first = |block| request(ActionRequestKind::FirstBlock { method, block });
    match whole_or_blocks(&whole, encoded, Conformance::BLOCK_TRANSFER_WITH_ACTION, limits, first)? {
        (None, apdu) => Ok((Pending::Act(Assembly::new(limits.max_value)), apdu)),
        (Some(outgoing), apdu) => Ok((Pending::ActBlocks(outgoing, 1), apdu)),
    }
}

/// The whole request where it fits, else the value cut into blocks and the request with the first of them.
fn whole_or_blocks(
    whole: &Apdu,
    encoded: Vec<u8>,
    needed: Conformance,
    limits: Limits,
    first: impl Fn(DataBlock) -> Apdu,
) -> Result<(Option<Outgoing>, Vec<u8>), ClientError> {
    let too_long = match fitting_whole(whole, limits) {
        Ok(apdu) => return Ok((None, apdu)),
        Err(error) => error,
    };
    if !limits.association.conformance.contains(needed) && limits.takes_general_blocks() {
        return Ok((None, whole.encode()));
    }
    if !limits.association.conformance.contains(needed) {
        return Err(too_long);
    }
    let overhead = first(DataBlock { last: false, number: 1, raw: Vec::new() }).encode().len() - 1;
    let cut = Outgoing::new(encoded, usize::from(limits.association.max_pdu), overhead);
    let Some((outgoing, block)) = cut.and_then(|outgoing| outgoing.block(1).map(|block| (outgoing, block)))
    else {
        return Err(too_long);
    };
    Ok((Some(outgoing), first(block).encode()))
}

/// The encoded request, if the meter takes one as long, whole or in general blocks.
fn fitting(apdu: &Apdu, limits: Limits) -> Result<Vec<u8>, ClientError> {
    if limits.takes_general_blocks() { Ok(apdu.encode()) } else { fitting_whole(apdu, limits) }
}

/// The encoded request, if the meter takes one as long in one piece.
fn fitting_whole(apdu: &Apdu, limits: Limits) -> Result<Vec<u8>, ClientError> {
    let apdu = apdu.encode();
    let limit = usize::from(limits.association.max_pdu);
    if limit != 0 && apdu.len() > limit {
        return Err(ClientError::TooLong { found: apdu.len(), limit });
    }
    Ok(apdu)
}

/// The block after the one acknowledged; `None` where an earlier block is acknowledged again.
fn next_block(outgoing: &Outgoing, sent: u32, acknowledged: u32) -> Result<Option<DataBlock>, ClientError> {
    if acknowledged < sent {
        return Ok(None);
    }
    let beyond = crate::blocks::BlockError::Number { found: acknowledged, expected: sent };
    if acknowledged > sent {
        return Err(beyond.into());
    }
    outgoing.block(sent + 1).map(Some).ok_or(ClientError::Unexpected {
        found: "a request for a block beyond the last",
        expected: "the result",
    })
}

fn next_get(invoke: InvokeId, block: u32) -> Vec<u8> {
    Apdu::GetRequest(GetRequest { invoke, kind: GetRequestKind::Next { block } }).encode()
}

/// A block of a return value: an invocation answered in blocks has succeeded.
fn add_returned(
    mut assembly: Assembly,
    block: &DataBlock,
    invoke: InvokeId,
) -> Result<Progress, ClientError> {
    assembly.add(block)?;
    if block.last {
        let value = Some(Ok(Data::decode(assembly.value())?));
        return Ok(Progress::Done(Response::Acted(ActionReturn { result: Ok(()), value })));
    }
    let kind = ActionRequestKind::Next { block: block.number };
    let next = Apdu::ActionRequest(ActionRequest { invoke, kind }).encode();
    Ok(Progress::Send(Pending::Act(assembly), next))
}

fn decode_list(octets: &[u8]) -> Result<Vec<Result<Data, DataAccessResult>>, ClientError> {
    let mut reader = Reader::new(octets);
    let count = reader.length("number of results")?;
    let results: Result<_, _> = (0..count).map(|_| read_data_result(&mut reader)).collect();
    reader.finish("results")?;
    Ok(results?)
}

fn finish_list(results: Vec<Result<Data, DataAccessResult>>, count: usize) -> Result<Progress, ClientError> {
    if results.len() != count {
        return Err(ClientError::ListLength { found: results.len(), expected: count });
    }
    Ok(Progress::Done(Response::GotList(results)))
}
