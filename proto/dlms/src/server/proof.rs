//! High-level security 5 from the meter's end: checking the client's proof, and giving the meter's own.

use super::{ObjectModel, ServerSession};
use crate::apdu::{ActionRequest, ActionRequestKind, ActionResponse, ActionResponseKind, ActionReturn};
use crate::apdu::{Apdu, ExceptionResponse, InvokeId};
use crate::client::{Association, REPLY_TO_HLS};
use crate::data::{ActionResult, Data, MethodRef};
use crate::security::{Challenge, InvocationCounter, SecurityError};

/// What the client has to prove, and what is agreed once it has.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) association: Association,
    /// The meter's challenge to the client.
    pub(super) ours: Challenge,
    /// The client's challenge to the meter.
    pub(super) theirs: Challenge,
    /// The number last received from the client when the challenge was made.
    pub(super) since: Option<InvocationCounter>,
}

impl ServerSession {
    /// Takes the first request after an AARE that asked for a proof. Anything but a right proof ends the association.
    pub(super) fn take_proof(&mut self, proof: Proof, request: Apdu, model: &mut dyn ObjectModel) -> Apdu {
        let Some((invoke, answer)) = offered(request) else {
            self.link_lost();
            return Apdu::Exception(ExceptionResponse::NOT_ASSOCIATED);
        };
        let given = match self.check(&proof, &answer, model) {
            Ok(own) => {
                self.association = Some(proof.association);
                ActionReturn { result: Ok(()), value: Some(Ok(Data::Octets(own))) }
            }
            Err(error) => {
                // Who the client is stays known, for the refusal goes the way the proof came.
                model.breached(self.peer, &error);
                ActionReturn { result: Err(ActionResult::ReadWriteDenied), value: None }
            }
        };
        Apdu::ActionResponse(ActionResponse { invoke, kind: ActionResponseKind::Normal(given) })
    }

    /// The meter's own proof, if the client's holds.
    fn check(
        &mut self,
        proof: &Proof,
        answer: &[u8],
        model: &mut dyn ObjectModel,
    ) -> Result<Vec<u8>, SecurityError> {
        let far = self.far.as_ref().map(|far| far.far);
        let (Some(far), Some(context)) = (far, model.security(self.peer)) else {
            return Err(SecurityError::NotProtected);
        };
        context.check_proof(far, proof.since, &proof.ours, answer)?;
        context.prove(&proof.theirs)
    }
}

/// The proof in a request, if the request is one.
fn offered(request: Apdu) -> Option<(InvokeId, Vec<u8>)> {
    let Apdu::ActionRequest(ActionRequest { invoke, kind }) = request else { return None };
    let ActionRequestKind::Normal { method, parameter: Some(Data::Octets(proof)) } = kind else {
        return None;
    };
    is_reply(method).then_some((invoke, proof))
}

/// The method belongs to the current association, 0-0:40.0.0; some clients call it by the number it has in the list.
fn is_reply(method: MethodRef) -> bool {
    let [a, b, c, d, _, f] = method.obis.0;
    method.class == REPLY_TO_HLS.class
        && method.method == REPLY_TO_HLS.method
        && [a, b, c, d, f] == [0, 0, 40, 0, 255]
}
