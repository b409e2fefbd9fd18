//! Messages in and out of their envelopes at the client's end.

use super::pending::Pending;
use super::settings::{Security, Suite0};
use super::{ClientError, ClientSession};
use crate::apdu::{Apdu, Ciphered, ExceptionResponse, KeySet, ServiceError};
use crate::security::{InvocationCounter, Manner, SecurityError};

impl ClientSession {
    /// Reads an APDU, out of its envelope where it came in one.
    pub(super) fn open(&mut self, octets: &[u8]) -> Result<Apdu, ClientError> {
        match Apdu::decode_padded(octets)? {
            Apdu::Ciphered(ciphered) => {
                let message = self.decipher(&ciphered)?;
                Ok(Apdu::decode_padded(&message)?)
            }
            Apdu::OtherSuite(other) => Err(SecurityError::OtherEnvelope { found: other.name() }.into()),
            apdu => {
                self.check_in_clear(&apdu)?;
                Ok(apdu)
            }
        }
    }

    pub(super) fn decipher(&mut self, ciphered: &Ciphered) -> Result<Vec<u8>, ClientError> {
        let (Security::Suite0(suite), Some(far)) = (&mut self.settings.security, &mut self.far) else {
            return Err(ClientError::Unexpected { found: ciphered.name(), expected: "a message in clear" });
        };
        let (_, message) = far.decipher(&mut suite.context, ciphered)?;
        Ok(message)
    }

    /// In a ciphered association an answer in clear is nobody's: anyone could have sent it. Exceptions are always in
    /// clear, and so is what opens and closes the association.
    fn check_in_clear(&self, apdu: &Apdu) -> Result<(), ClientError> {
        let Some((suite, manner)) = self.suite().filter(|_| self.far.is_some()).zip(self.manner()) else {
            return Ok(());
        };
        match apdu {
            Apdu::Aare(_) | Apdu::Rlre(_) | Apdu::Exception(_) => Ok(()),
            // What is in the blocks is looked at when they are put together.
            Apdu::GeneralBlock(_) => Ok(()),
            Apdu::EventNotification(_) | Apdu::DataNotification(_) => {
                Ok(suite.context.check_required(None)?)
            }
            _ => Err(SecurityError::Weaker { found: None, required: manner.protection }.into()),
        }
    }

    /// Lines double what they carry, and a meter refuses the copy of a ciphered message in clear. Where the number it expects
    /// is one that the request under way has or is past, it is not the request that it refuses. Before the association stands
    /// there is nothing earlier, and the number is what a client that lost count follows.
    pub(super) fn is_of_an_earlier_message(&self, exception: &ExceptionResponse) -> bool {
        let ServiceError::InvocationCounter { expected: Some(expected) } = exception.service else {
            return false;
        };
        let asking = !matches!(self.pending, None | Some(Pending::Associate | Pending::Prove(_)));
        let sent = || {
            let (suite, far, manner) = (self.suite()?, self.far.as_ref()?, self.manner()?);
            far.sent(&suite.context, manner.keys)
        };
        asking && self.association.is_some() && sent() >= Some(InvocationCounter(expected))
    }

    /// A message as it goes on the wire: in an envelope, once both ends know each other.
    pub(super) fn cipher(&mut self, message: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let manner = self.manner();
        match (&mut self.settings.security, &mut self.far, manner) {
            (Security::Suite0(suite), Some(far), Some(manner)) => {
                Ok(far.cipher(&mut suite.context, manner, &message)?)
            }
            _ => Ok(message),
        }
    }

    pub(super) fn suite(&self) -> Option<&Suite0> {
        match &self.settings.security {
            Security::Suite0(suite) => Some(suite),
            Security::None | Security::Low(_) => None,
        }
    }

    /// How messages are ciphered, where they are.
    pub(super) fn manner(&self) -> Option<Manner> {
        let ciphering = self.suite()?.ciphering.as_ref()?;
        let keys = if ciphering.dedicated_key.is_some() { KeySet::Dedicated } else { KeySet::Global };
        Some(Manner { keys, general: ciphering.general, protection: ciphering.protection })
    }
}
