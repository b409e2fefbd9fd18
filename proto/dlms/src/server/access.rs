//! Serving ACCESS: reads, writes and invocations in one request.

use super::service::fits;
use super::{ObjectModel, ServerSession};
use crate::apdu::{
    AccessOutcome, AccessPart, AccessRequest, AccessResponse, Apdu, ExceptionResponse, ServiceError,
    StateError,
};
use crate::client::Association;
use crate::data::{ActionResult, Data, DataAccessResult};

impl ServerSession {
    /// Carries out the parts in order. Where the client asked to break off at an error, the parts behind it are refused
    /// unseen, so that every part has its outcome.
    pub(super) fn serve_access(
        &mut self,
        request: AccessRequest,
        association: Association,
        model: &mut dyn ObjectModel,
    ) -> Option<Apdu> {
        let invoke = request.invoke;
        let mut broken_off = false;
        let mut outcomes = Vec::new();
        for part in request.parts {
            let outcome = match broken_off {
                true => left_out(&part),
                false => self.part(part, association, model),
            };
            broken_off |= invoke.breaks_on_error() && !outcome.is_done();
            outcomes.push(outcome);
        }
        let answer = Apdu::AccessResponse(AccessResponse { invoke, time: None, outcomes });
        invoke.is_confirmed().then(|| fitting(answer, association))
    }

    fn part(&self, part: AccessPart, association: Association, model: &mut dyn ObjectModel) -> AccessOutcome {
        match part {
            AccessPart::Get(attribute, selection) => {
                AccessOutcome::Get(self.get(attribute, selection.as_ref(), association, model))
            }
            AccessPart::Set(attribute, selection, value) => {
                AccessOutcome::Set(self.set(attribute, selection.as_ref(), value, association, model))
            }
            AccessPart::Action(method, parameter) => {
                let parameter = Some(parameter).filter(|parameter| *parameter != Data::Null);
                let returned = model.act(self.peer, method, parameter);
                AccessOutcome::Action(returned.map(|value| value.unwrap_or(Data::Null)))
            }
        }
    }
}

fn left_out(part: &AccessPart) -> AccessOutcome {
    match part {
        AccessPart::Get(..) => AccessOutcome::Get(Err(DataAccessResult::OtherReason)),
        AccessPart::Set(..) => AccessOutcome::Set(Err(DataAccessResult::OtherReason)),
        AccessPart::Action(..) => AccessOutcome::Action(Err(ActionResult::OtherReason)),
    }
}

/// The answer, if the client takes one as long; ACCESS has no blocks of its own.
fn fitting(answer: Apdu, association: Association) -> Apdu {
    if fits(answer.encode().len(), association) {
        return answer;
    }
    Apdu::Exception(ExceptionResponse {
        state: StateError::ServiceNotAllowed,
        service: ServiceError::PduTooLong,
    })
}
