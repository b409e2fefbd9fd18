//! Messages in and out of their envelopes at the meter's end.

use super::{ObjectModel, ServerSession};
use crate::apdu::{Apdu, Ciphered, ExceptionResponse, ServiceError, StateError};
use crate::security::{Manner, SecurityError};

impl ServerSession {
    /// Takes a message in clear, where the meter takes any.
    pub(super) fn receive_in_clear(&mut self, apdu: Apdu, model: &mut dyn ObjectModel) -> Option<Vec<u8>> {
        if let Apdu::OtherSuite(other) = &apdu {
            model.breached(self.peer, &SecurityError::OtherEnvelope { found: other.name() });
            return Some(Apdu::Exception(ExceptionResponse::NOT_SUPPORTED).encode());
        }
        // What opens and closes an association is in clear; what may be in it is decided there.
        let acse = matches!(apdu, Apdu::Aarq(_) | Apdu::Rlrq(_));
        if let Err(error) = self.check_in_clear(model).or_else(|error| if acse { Ok(()) } else { Err(error) })
        {
            model.breached(self.peer, &error);
            return Some(Apdu::Exception(exception(&error)).encode());
        }
        self.answer(apdu, 0, model).map(|answer| answer.encode())
    }

    fn check_in_clear(&self, model: &mut dyn ObjectModel) -> Result<(), SecurityError> {
        let associated = self.association.is_some() || self.proof.is_some();
        match model.security(self.peer).filter(|_| associated) {
            Some(context) => context.check_required(None),
            None => Ok(()),
        }
    }

    /// Takes a ciphered message; the answer goes the way the message came.
    pub(super) fn receive_ciphered(
        &mut self,
        ciphered: &Ciphered,
        model: &mut dyn ObjectModel,
    ) -> Option<Vec<u8>> {
        let (manner, message) = match self.decipher(ciphered, model) {
            Ok(opened) => opened,
            Err(error) => return Some(Apdu::Exception(exception(&error)).encode()),
        };
        let answer = match Apdu::decode_padded(&message) {
            Ok(apdu) => self.answer(apdu, manner.overhead(), model)?,
            Err(_) => Apdu::Exception(self.unreadable()),
        };
        Some(self.answer_in(manner, &answer, model))
    }

    /// An exception is sent in clear: the client may be unable to decipher anything.
    fn answer_in(&mut self, manner: Manner, answer: &Apdu, model: &mut dyn ObjectModel) -> Vec<u8> {
        if matches!(answer, Apdu::Exception(_)) || self.far.is_none() {
            return answer.encode();
        }
        match self.cipher(manner, &answer.encode(), model) {
            Ok(sealed) => sealed,
            Err(error) => Apdu::Exception(exception(&error)).encode(),
        }
    }

    pub(super) fn cipher(
        &mut self,
        manner: Manner,
        message: &[u8],
        model: &mut dyn ObjectModel,
    ) -> Result<Vec<u8>, SecurityError> {
        match (&mut self.far, model.security(self.peer)) {
            (Some(far), Some(context)) => far.cipher(context, manner, message),
            _ => Err(SecurityError::NotProtected),
        }
    }

    /// Takes a message out of its envelope; the model is told where it is not accepted.
    pub(super) fn decipher(
        &mut self,
        ciphered: &Ciphered,
        model: &mut dyn ObjectModel,
    ) -> Result<(Manner, Vec<u8>), SecurityError> {
        let opened = match (&mut self.far, model.security(self.peer)) {
            (Some(far), Some(context)) => far.decipher(context, ciphered),
            _ => return Err(SecurityError::NotProtected),
        };
        opened.inspect_err(|error| model.breached(self.peer, error))
    }
}

/// What a meter answers to a message it does not accept.
pub(super) fn exception(error: &SecurityError) -> ExceptionResponse {
    match error {
        SecurityError::Replayed { expected, .. } => ExceptionResponse {
            state: StateError::ServiceUnknown,
            service: ServiceError::InvocationCounter { expected: Some(expected.0) },
        },
        SecurityError::NotProtected | SecurityError::Weaker { .. } | SecurityError::NoDedicatedKey => {
            ExceptionResponse::NOT_ASSOCIATED
        }
        SecurityError::Compressed
        | SecurityError::BroadcastKey
        | SecurityError::OtherSuite { .. }
        | SecurityError::OtherEnvelope { .. } => ExceptionResponse::NOT_SUPPORTED,
        _ => ExceptionResponse {
            state: StateError::ServiceNotAllowed,
            service: ServiceError::DecipheringError,
        },
    }
}
