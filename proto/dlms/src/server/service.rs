//! Serving GET, SET and ACTION within an association, in blocks where one APDU is too short.

use super::{ObjectModel, ServerSession};
use crate::apdu::{
    ActionRequest, ActionRequestKind, ActionResponse, ActionResponseKind, ActionReturn, Apdu, Conformance,
    DataBlock, ExceptionResponse, GetRequest, GetRequestKind, GetResponse, GetResponseKind, InvokeId,
    SetRequest, SetRequestKind, SetResponse, SetResponseKind, put_data_result,
};
use crate::blocks::{Assembly, BlockError, Outgoing};
use crate::client::Association;
use crate::data::{
    AccessSelection, ActionResult, AttributeRef, Data, DataAccessResult, MethodRef, Selective,
};
use crate::octets::put_length;

/// Octets of a Get-Response with block before the length of its contents.
const GET_BLOCK_OVERHEAD: usize = 9;
/// Octets of an Action-Response with block before the length of its contents.
const ACTION_BLOCK_OVERHEAD: usize = 8;

/// A long transfer in progress. A new request of any other kind ends it.
#[derive(Debug)]
pub(super) enum Transfer {
    None,
    Get(InvokeId, Outgoing),
    Set(InvokeId, AttributeRef, Option<AccessSelection>, Assembly),
    Action(InvokeId, MethodRef, Assembly),
    ActionReturn(InvokeId, Outgoing),
}

impl ServerSession {
    pub(super) fn serve(
        &mut self,
        request: Apdu,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Option<Apdu> {
        if !association.conformance.contains(needed(&request)) {
            return Some(Apdu::Exception(ExceptionResponse::NOT_SUPPORTED));
        }
        match request {
            Apdu::GetRequest(request) => Some(self.serve_get(request, association, model)),
            Apdu::SetRequest(request) => {
                let confirmed = request.invoke.is_confirmed();
                Some(self.serve_set(request, association, model)).filter(|_| confirmed)
            }
            Apdu::ActionRequest(request) => {
                let confirmed = request.invoke.is_confirmed();
                Some(self.serve_action(request, association, model)).filter(|_| confirmed)
            }
            Apdu::AccessRequest(request) => self.serve_access(request, association, model),
            _ => None,
        }
    }

    fn serve_get(
        &mut self,
        request: GetRequest,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Apdu {
        let invoke = request.invoke;
        let kind = match request.kind {
            GetRequestKind::Next { block } => self.next_get_block(invoke, block),
            GetRequestKind::Normal { attribute, selection } => {
                let result = self.get(attribute, selection.as_ref(), association, model);
                self.whole_or_first_block(invoke, result, association)
            }
            GetRequestKind::WithList(list) => {
                let get = |(attribute, selection): &(_, Option<_>)| {
                    self.get(*attribute, selection.as_ref(), association, model)
                };
                let results = list.iter().map(get).collect();
                self.list_or_first_block(invoke, results, association)
            }
        };
        Apdu::GetResponse(GetResponse { invoke, kind })
    }

    pub(super) fn get(
        &self,
        attribute: AttributeRef,
        selection: Option<&AccessSelection>,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Result<Data, DataAccessResult> {
        let selective = selective(selection, association)?;
        model.get(self.peer, attribute, selective.as_ref())
    }

    fn whole_or_first_block(
        &mut self,
        invoke: InvokeId,
        result: Result<Data, DataAccessResult>,
        association: Association,
    ) -> GetResponseKind {
        self.transfer = Transfer::None;
        let encoded = match &result {
            // The header of a normal response is 4 octets.
            Ok(data) => Some(data.encode()).filter(|encoded| !fits(encoded.len() + 4, association)),
            Err(_) => None,
        };
        match encoded {
            None => GetResponseKind::Normal(result),
            Some(encoded) => self
                .first_get_block(invoke, encoded, association)
                .unwrap_or(GetResponseKind::Normal(Err(DataAccessResult::OtherReason))),
        }
    }

    fn list_or_first_block(
        &mut self,
        invoke: InvokeId,
        results: Vec<Result<Data, DataAccessResult>>,
        association: Association,
    ) -> GetResponseKind {
        self.transfer = Transfer::None;
        let mut encoded = Vec::new();
        put_length(&mut encoded, results.len());
        results.iter().for_each(|result| put_data_result(&mut encoded, result));
        if fits(encoded.len() + 3, association) {
            return GetResponseKind::WithList(results);
        }
        let refused = || GetResponseKind::WithList(vec![Err(DataAccessResult::OtherReason); results.len()]);
        self.first_get_block(invoke, encoded, association).unwrap_or_else(refused)
    }

    /// Starts a long read, if reading in blocks was agreed.
    fn first_get_block(
        &mut self,
        invoke: InvokeId,
        encoded: Vec<u8>,
        association: Association,
    ) -> Option<GetResponseKind> {
        if !association.conformance.contains(Conformance::BLOCK_TRANSFER_WITH_GET) {
            return None;
        }
        let outgoing = Outgoing::new(encoded, usize::from(association.max_pdu), GET_BLOCK_OVERHEAD)?;
        let block = outgoing.block(1)?;
        self.transfer = Transfer::Get(invoke, outgoing);
        Some(GetResponseKind::Block(block))
    }

    fn next_get_block(&mut self, invoke: InvokeId, received: u32) -> GetResponseKind {
        let refused = |reason| GetResponseKind::BlockRefused { number: received, reason };
        let Transfer::Get(of, outgoing) = &self.transfer else {
            return refused(DataAccessResult::NoLongGetInProgress);
        };
        if of.number() != invoke.number() {
            return refused(DataAccessResult::NoLongGetInProgress);
        }
        match received.checked_add(1).filter(|next| *next > 1).and_then(|next| outgoing.block(next)) {
            Some(block) => GetResponseKind::Block(block),
            None => {
                self.transfer = Transfer::None;
                refused(DataAccessResult::DataBlockNumberInvalid)
            }
        }
    }

    fn serve_set(
        &mut self,
        request: SetRequest,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Apdu {
        let invoke = request.invoke;
        let kind = match request.kind {
            SetRequestKind::Normal { attribute, selection, value } => {
                self.transfer = Transfer::None;
                SetResponseKind::Normal(self.set(attribute, selection.as_ref(), value, association, model))
            }
            SetRequestKind::WithList { attributes, values } => {
                self.transfer = Transfer::None;
                SetResponseKind::WithList(self.set_list(&attributes, values, association, model))
            }
            SetRequestKind::FirstBlock { attribute, selection, block } => {
                let assembly = Assembly::new(self.settings.max_value);
                self.set_block(
                    Transfer::Set(invoke, attribute, selection, assembly),
                    invoke,
                    &block,
                    association,
                    model,
                )
            }
            SetRequestKind::Block(block) => {
                let transfer = std::mem::replace(&mut self.transfer, Transfer::None);
                self.set_block(transfer, invoke, &block, association, model)
            }
        };
        Apdu::SetResponse(SetResponse { invoke, kind })
    }

    pub(super) fn set(
        &self,
        attribute: AttributeRef,
        selection: Option<&AccessSelection>,
        value: Data,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Result<(), DataAccessResult> {
        let selective = selective(selection, association)?;
        model.set(self.peer, attribute, selective.as_ref(), value)
    }

    /// Writes a list. Attributes without a value are refused; values without an attribute are dropped.
    fn set_list(
        &self,
        attributes: &[(AttributeRef, Option<AccessSelection>)],
        values: Vec<Data>,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Vec<Result<(), DataAccessResult>> {
        let values = values.into_iter().map(Some).chain(std::iter::repeat(None));
        let set = |((attribute, selection), value): (&(_, Option<_>), Option<_>)| {
            let value = value.ok_or(DataAccessResult::TypeUnmatched)?;
            self.set(*attribute, selection.as_ref(), value, association, model)
        };
        attributes.iter().zip(values).map(set).collect()
    }

    /// Takes a block of a long write; the last one writes.
    fn set_block(
        &mut self,
        transfer: Transfer,
        invoke: InvokeId,
        block: &DataBlock,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> SetResponseKind {
        let number = block.number;
        let refused = |reason| SetResponseKind::LastBlock { result: Err(reason), number };
        let Transfer::Set(of, attribute, selection, mut assembly) = transfer else {
            return refused(DataAccessResult::NoLongSetInProgress);
        };
        if of.number() != invoke.number() {
            return refused(DataAccessResult::NoLongSetInProgress);
        }
        match assembly.add(block) {
            Err(BlockError::Number { .. }) => refused(DataAccessResult::DataBlockNumberInvalid),
            Err(BlockError::TooLong { .. }) => refused(DataAccessResult::LongSetAborted),
            Ok(()) if !block.last => {
                self.transfer = Transfer::Set(of, attribute, selection, assembly);
                SetResponseKind::Block { number }
            }
            Ok(()) => {
                let value = Data::decode(assembly.value()).map_err(|_| DataAccessResult::TypeUnmatched);
                let result = value
                    .and_then(|value| self.set(attribute, selection.as_ref(), value, association, model));
                SetResponseKind::LastBlock { result, number }
            }
        }
    }

    fn serve_action(
        &mut self,
        request: ActionRequest,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Apdu {
        let invoke = request.invoke;
        let kind = match request.kind {
            ActionRequestKind::Normal { method, parameter } => {
                let result = model.act(self.peer, method, parameter);
                self.return_or_first_block(invoke, result, association)
            }
            ActionRequestKind::Next { block } => self.next_action_block(invoke, block),
            ActionRequestKind::WithList { methods, parameters } => {
                self.transfer = Transfer::None;
                ActionResponseKind::WithList(self.act_list(&methods, parameters, model))
            }
            ActionRequestKind::FirstBlock { method, block } => {
                let transfer = Transfer::Action(invoke, method, Assembly::new(self.settings.max_value));
                self.action_block(transfer, invoke, &block, association, model)
            }
            ActionRequestKind::Block(block) => {
                let transfer = std::mem::replace(&mut self.transfer, Transfer::None);
                self.action_block(transfer, invoke, &block, association, model)
            }
        };
        Apdu::ActionResponse(ActionResponse { invoke, kind })
    }

    fn act_list(
        &self,
        methods: &[MethodRef],
        parameters: Vec<Data>,
        model: &mut dyn ObjectModel,
    ) -> Vec<ActionReturn> {
        let parameters = parameters.into_iter().map(Some).chain(std::iter::repeat(None));
        let act =
            |(method, parameter): (&MethodRef, _)| action_return(model.act(self.peer, *method, parameter));
        methods.iter().zip(parameters).map(act).collect()
    }

    fn return_or_first_block(
        &mut self,
        invoke: InvokeId,
        result: Result<Option<Data>, ActionResult>,
        association: Association,
    ) -> ActionResponseKind {
        self.transfer = Transfer::None;
        let encoded = match &result {
            // The header of a normal response with a return value is 6 octets.
            Ok(Some(data)) => Some(data.encode()).filter(|encoded| !fits(encoded.len() + 6, association)),
            _ => None,
        };
        let blocks = association.conformance.contains(Conformance::BLOCK_TRANSFER_WITH_ACTION);
        let cut = |encoded| Outgoing::new(encoded, usize::from(association.max_pdu), ACTION_BLOCK_OVERHEAD);
        match encoded.map(|encoded| Some(encoded).filter(|_| blocks).and_then(cut)) {
            None => ActionResponseKind::Normal(action_return(result)),
            Some(outgoing) => self.first_action_block(invoke, outgoing),
        }
    }

    /// Starts a long return. Where blocks were not agreed the method has run all the same: the result says so, and
    /// the value is refused.
    fn first_action_block(&mut self, invoke: InvokeId, outgoing: Option<Outgoing>) -> ActionResponseKind {
        let first = outgoing.and_then(|outgoing| outgoing.block(1).map(|block| (outgoing, block)));
        match first {
            Some((outgoing, block)) => {
                self.transfer = Transfer::ActionReturn(invoke, outgoing);
                ActionResponseKind::Block(block)
            }
            None => {
                let value = Some(Err(DataAccessResult::OtherReason));
                ActionResponseKind::Normal(ActionReturn { result: Ok(()), value })
            }
        }
    }

    fn next_action_block(&mut self, invoke: InvokeId, received: u32) -> ActionResponseKind {
        let block = match &self.transfer {
            Transfer::ActionReturn(of, outgoing) if of.number() == invoke.number() => {
                received.checked_add(1).filter(|next| *next > 1).and_then(|next| outgoing.block(next))
            }
            _ => return action_refused(ActionResult::NoLongActionInProgress),
        };
        match block {
            Some(block) => ActionResponseKind::Block(block),
            None => {
                self.transfer = Transfer::None;
                action_refused(ActionResult::DataBlockUnavailable)
            }
        }
    }

    /// Takes a block of a long parameter; the last one invokes.
    fn action_block(
        &mut self,
        transfer: Transfer,
        invoke: InvokeId,
        block: &DataBlock,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> ActionResponseKind {
        let Transfer::Action(of, method, mut assembly) = transfer else {
            return action_refused(ActionResult::NoLongActionInProgress);
        };
        if of.number() != invoke.number() {
            return action_refused(ActionResult::NoLongActionInProgress);
        }
        if assembly.add(block).is_err() {
            return action_refused(ActionResult::LongActionAborted);
        }
        if !block.last {
            self.transfer = Transfer::Action(of, method, assembly);
            return ActionResponseKind::Next { number: block.number };
        }
        match Data::decode(assembly.value()) {
            Ok(parameter) => {
                let result = model.act(self.peer, method, Some(parameter));
                self.return_or_first_block(invoke, result, association)
            }
            Err(_) => action_refused(ActionResult::TypeUnmatched),
        }
    }
}

/// The services a request needs to have been agreed.
fn needed(request: &Apdu) -> Conformance {
    match request {
        Apdu::GetRequest(request) => match request.kind {
            GetRequestKind::WithList(_) => Conformance::GET | Conformance::MULTIPLE_REFERENCES,
            _ => Conformance::GET,
        },
        Apdu::SetRequest(request) => match request.kind {
            SetRequestKind::WithList { .. } => Conformance::SET | Conformance::MULTIPLE_REFERENCES,
            SetRequestKind::Normal { .. } => Conformance::SET,
            _ => Conformance::SET | Conformance::BLOCK_TRANSFER_WITH_SET,
        },
        Apdu::ActionRequest(request) => match request.kind {
            ActionRequestKind::WithList { .. } => Conformance::ACTION | Conformance::MULTIPLE_REFERENCES,
            ActionRequestKind::Normal { .. } => Conformance::ACTION,
            _ => Conformance::ACTION | Conformance::BLOCK_TRANSFER_WITH_ACTION,
        },
        Apdu::AccessRequest(_) => Conformance::ACCESS,
        _ => Conformance::NONE,
    }
}

fn selective(
    selection: Option<&AccessSelection>,
    association: Association,
) -> Result<Option<Selective>, DataAccessResult> {
    let Some(selection) = selection else { return Ok(None) };
    if !association.conformance.contains(Conformance::SELECTIVE_ACCESS) {
        return Err(DataAccessResult::ScopeOfAccessViolated);
    }
    Selective::try_from(selection).map(Some).map_err(|error| error.data_access_result())
}

/// Whether a response of so many octets is one the client takes.
pub(super) fn fits(octets: usize, association: Association) -> bool {
    association.max_pdu == 0 || octets <= usize::from(association.max_pdu)
}

fn action_return(result: Result<Option<Data>, ActionResult>) -> ActionReturn {
    match result {
        Ok(value) => ActionReturn { result: Ok(()), value: value.map(Ok) },
        Err(refusal) => ActionReturn { result: Err(refusal), value: None },
    }
}

fn action_refused(reason: ActionResult) -> ActionResponseKind {
    ActionResponseKind::Normal(action_return(Err(reason)))
}
