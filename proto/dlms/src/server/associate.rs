//! Deciding on an association request, and the answer to it.

use super::{AssociationPolicy, ObjectModel, ServerSession};
use crate::apdu::{
    Aare, Aarq, ApplicationContext, AssociationResult, Conformance, DLMS_VERSION, Diagnostic, InitiateError,
    InitiateRequest, InitiateResponse, Mechanism, UserInformation, VAA_LOGICAL_NAME,
};
use crate::client::Association;

/// The shortest APDU a client must take: a block of two octets with its header.
const SHORTEST_PDU: u16 = 12;

/// What a client brings to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// Nothing.
    None,
    /// A password (low-level security).
    Password(&'a [u8]),
}

/// Why a client may not associate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// This client must bring a password.
    AuthenticationRequired,
    /// The password is wrong, or locked out.
    AuthenticationFailure,
    /// This client is not known.
    ClientUnknown,
}

/// Why an association is refused, in the terms of the AARE.
struct Refused {
    diagnostic: Diagnostic,
    initiate: Option<InitiateError>,
}

impl From<Diagnostic> for Refused {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, initiate: None }
    }
}

impl From<InitiateError> for Refused {
    fn from(error: InitiateError) -> Self {
        Self { diagnostic: Diagnostic::NO_REASON, initiate: Some(error) }
    }
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::AuthenticationRequired => Diagnostic::MECHANISM_REQUIRED.into(),
            Denial::AuthenticationFailure => Diagnostic::AUTHENTICATION_FAILURE.into(),
            Denial::ClientUnknown => Diagnostic::NO_REASON.into(),
        }
    }
}

impl ServerSession {
    /// Decides on an AARQ. A refusal ends whatever association there was.
    pub(super) fn associate(&mut self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Aare {
        self.link_lost();
        match self.negotiate(aarq, model) {
            Ok(association) => {
                self.association = Some(association);
                self.accepted(aarq, association)
            }
            Err(refused) => rejected(aarq, &refused),
        }
    }

    fn negotiate(&self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Result<Association, Refused> {
        if aarq.context != ApplicationContext::LogicalName {
            return Err(Diagnostic::CONTEXT_NOT_SUPPORTED.into());
        }
        self.authenticate(aarq, model)?;
        let offer = aarq.user_information.as_deref().map(InitiateRequest::decode);
        let Some(Ok(offer)) = offer else { return Err(InitiateError::Other.into()) };
        if offer.version < DLMS_VERSION {
            return Err(InitiateError::VersionTooLow.into());
        }
        let conformance = offer.conformance & self.settings.conformance;
        if !(conformance & (Conformance::GET | Conformance::SET | Conformance::ACTION) != Conformance::NONE) {
            return Err(InitiateError::IncompatibleConformance.into());
        }
        if offer.max_pdu != 0 && offer.max_pdu < SHORTEST_PDU {
            return Err(InitiateError::PduSizeTooShort.into());
        }
        Ok(Association { conformance, max_pdu: offer.max_pdu })
    }

    fn authenticate(&self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Result<(), Refused> {
        let policy: &mut dyn AssociationPolicy = model;
        let credentials = match (aarq.mechanism, aarq.authentication_value.as_deref()) {
            (None | Some(Mechanism::Lowest), _) => Credentials::None,
            (Some(Mechanism::Low), Some(password)) => Credentials::Password(password),
            (Some(Mechanism::Low), None) => return Err(Diagnostic::AUTHENTICATION_FAILURE.into()),
            (Some(Mechanism::High(_)), _) => return Err(Diagnostic::MECHANISM_NOT_RECOGNISED.into()),
        };
        Ok(policy.admit(self.peer, credentials)?)
    }

    fn accepted(&self, aarq: &Aarq, association: Association) -> Aare {
        let granted = InitiateResponse {
            version: DLMS_VERSION,
            conformance: association.conformance,
            max_pdu: self.settings.max_pdu,
            vaa_name: VAA_LOGICAL_NAME,
        };
        Aare {
            context: Some(aarq.context),
            result: AssociationResult::Accepted,
            diagnostic: Diagnostic::NONE,
            responding_title: None,
            mechanism: aarq.mechanism.filter(|mechanism| *mechanism != Mechanism::Lowest),
            authentication_value: None,
            user_information: Some(UserInformation::Granted(granted).encode()),
        }
    }
}

fn rejected(aarq: &Aarq, refused: &Refused) -> Aare {
    Aare {
        context: Some(match aarq.context {
            ApplicationContext::Unlisted(_) => ApplicationContext::LogicalName,
            known => known,
        }),
        result: AssociationResult::RejectedPermanent,
        diagnostic: refused.diagnostic,
        responding_title: None,
        mechanism: None,
        authentication_value: None,
        user_information: refused.initiate.map(|error| UserInformation::Refused(error).encode()),
    }
}
