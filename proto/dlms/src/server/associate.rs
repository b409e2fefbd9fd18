//! Deciding on an association request, and the answer to it (IEC 62056-5-3, 4.2 and 5.4).

use super::proof::Proof;
use super::{ObjectModel, ServerSession};
use crate::apdu::{
    Aare, Aarq, Apdu, ApplicationContext, AssociationResult, Ciphered, Conformance, DLMS_VERSION, Diagnostic,
    ExceptionResponse, InitiateError, InitiateRequest, InitiateResponse, KeySet, Mechanism, Release,
    UserInformation, VAA_LOGICAL_NAME,
};
use crate::client::Association;
use crate::security::{self, Challenge, Key, Manner, SecurityError, SystemTitle};

/// The shortest APDU a client must take: a block of two octets with its header.
const SHORTEST_PDU: u16 = 12;

/// What a client brings to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// Nothing.
    None,
    /// A password (low-level security).
    Password(&'a [u8]),
    /// The offer to prove that it has the keys (high-level security 5). The session sees to the proof: what is decided
    /// here is whether this client may come that way.
    Gmac,
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

/// Why an association is refused, in the terms of the answer.
enum Refused {
    Diagnostic(Diagnostic),
    Initiate(InitiateError),
    /// There is no reading the request well enough for an AARE.
    Exception(ExceptionResponse),
}

impl From<Diagnostic> for Refused {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(diagnostic)
    }
}

impl From<InitiateError> for Refused {
    fn from(error: InitiateError) -> Self {
        Self::Initiate(error)
    }
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        Self::Diagnostic(match denial {
            Denial::AuthenticationRequired => Diagnostic::MECHANISM_REQUIRED,
            Denial::AuthenticationFailure => Diagnostic::AUTHENTICATION_FAILURE,
            Denial::ClientUnknown => Diagnostic::NO_REASON,
        })
    }
}

/// What is agreed, and how the answer goes.
struct Agreed {
    association: Association,
    /// The challenges, where the client has to prove who it is.
    challenges: Option<Challenges>,
    /// How the initiate request was ciphered, if it was.
    manner: Option<Manner>,
}

struct Challenges {
    ours: Challenge,
    theirs: Challenge,
}

impl ServerSession {
    /// Decides on an AARQ. A refusal ends whatever association there was.
    pub(super) fn associate(&mut self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Apdu {
        self.link_lost();
        let answer = self.negotiate(aarq, model).and_then(|agreed| self.accepted(aarq, agreed, model));
        answer.unwrap_or_else(|refused| {
            self.link_lost();
            rejected(aarq, &refused)
        })
    }

    fn negotiate(&mut self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Result<Agreed, Refused> {
        self.check_context(aarq, model)?;
        let challenges = self.authenticate(aarq, model)?;
        self.meet(aarq, challenges.is_some(), model)?;
        let (manner, initiate) = self.initiate(aarq, model)?;
        let offer = InitiateRequest::decode(&initiate).map_err(|_| InitiateError::Other)?;
        self.take_dedicated_key(&offer, manner, model)?;
        Ok(Agreed { association: self.agree(&offer, manner)?, challenges, manner })
    }

    /// Logical names only; ciphered only where there are keys, in clear only where the meter does not ask for more.
    fn check_context(&self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Result<(), Refused> {
        let context = model.security(self.peer);
        let spoken = match aarq.context {
            ApplicationContext::LogicalName => context.is_none_or(|context| context.required.is_none()),
            ApplicationContext::LogicalNameCiphered => context.is_some(),
            _ => false,
        };
        if spoken { Ok(()) } else { Err(Diagnostic::CONTEXT_NOT_SUPPORTED.into()) }
    }

    fn authenticate(&self, aarq: &Aarq, model: &mut dyn ObjectModel) -> Result<Option<Challenges>, Refused> {
        match (aarq.mechanism, aarq.authentication_value.as_deref()) {
            (None | Some(Mechanism::Lowest), _) => model.admit(self.peer, Credentials::None)?,
            (Some(Mechanism::Low), Some(password)) => {
                model.admit(self.peer, Credentials::Password(password))?;
            }
            (Some(Mechanism::Low), None) => return Err(Diagnostic::AUTHENTICATION_FAILURE.into()),
            (Some(Mechanism::GMAC), value) if model.security(self.peer).is_some() => {
                model.admit(self.peer, Credentials::Gmac)?;
                return self.challenges(value, model).map(Some);
            }
            (Some(Mechanism::High(_)), _) => return Err(Diagnostic::MECHANISM_NOT_RECOGNISED.into()),
        }
        Ok(None)
    }

    fn challenges(&self, theirs: Option<&[u8]>, model: &mut dyn ObjectModel) -> Result<Challenges, Refused> {
        let theirs = theirs.and_then(|theirs| Challenge::try_from(theirs).ok());
        let theirs = theirs.ok_or(Diagnostic::AUTHENTICATION_FAILURE)?;
        let ours = model.challenge(self.peer).ok_or(Diagnostic::MECHANISM_NOT_RECOGNISED)?;
        Ok(Challenges { ours, theirs })
    }

    /// Takes note of who the client is, which whatever needs keys must know.
    fn meet(&mut self, aarq: &Aarq, proves: bool, model: &mut dyn ObjectModel) -> Result<(), Refused> {
        let needed = proves || aarq.context == ApplicationContext::LogicalNameCiphered;
        let title = aarq.calling_title.as_deref().map(SystemTitle::try_from);
        match title {
            Some(Ok(far)) if model.security(self.peer).is_some() => {
                self.far = Some(security::Association { far, dedicated: None });
                Ok(())
            }
            _ if needed => Err(Diagnostic::CALLING_TITLE_NOT_RECOGNISED.into()),
            _ => Ok(()),
        }
    }

    /// The initiate request in clear, and how it came.
    fn initiate(
        &mut self,
        aarq: &Aarq,
        model: &mut dyn ObjectModel,
    ) -> Result<(Option<Manner>, Vec<u8>), Refused> {
        let octets = aarq.user_information.as_deref().ok_or(InitiateError::Other)?;
        match Ciphered::decode(octets) {
            Ok(ciphered) if ciphered.keys == KeySet::Global => {
                let (manner, message) =
                    self.decipher(&ciphered, model).map_err(|error| refused_by(&error))?;
                Ok((Some(manner), message))
            }
            Ok(_) => Err(InitiateError::Other.into()),
            Err(_) => {
                let enough =
                    model.security(self.peer).is_none_or(|context| context.check_required(None).is_ok());
                if enough { Ok((None, octets.to_vec())) } else { Err(InitiateError::Other.into()) }
            }
        }
    }

    /// A dedicated key is taken only out of an encrypted message.
    fn take_dedicated_key(
        &mut self,
        offer: &InitiateRequest,
        manner: Option<Manner>,
        model: &mut dyn ObjectModel,
    ) -> Result<(), Refused> {
        let Some(key) = offer.dedicated_key.as_deref() else { return Ok(()) };
        let key = Key::try_from(key).map_err(|_| InitiateError::Other)?;
        let hidden = manner.is_some_and(|manner| manner.protection != security::Protection::Authenticated);
        match (&mut self.far, model.security(self.peer)) {
            (Some(far), Some(context)) if hidden => {
                far.dedicated = Some(context.dedicated(key));
                Ok(())
            }
            _ => Err(InitiateError::Other.into()),
        }
    }

    fn agree(&self, offer: &InitiateRequest, manner: Option<Manner>) -> Result<Association, Refused> {
        if offer.version < DLMS_VERSION {
            return Err(InitiateError::VersionTooLow.into());
        }
        let conformance = offer.conformance & self.settings.conformance;
        if !(conformance & (Conformance::GET | Conformance::SET | Conformance::ACTION) != Conformance::NONE) {
            return Err(InitiateError::IncompatibleConformance.into());
        }
        let shortest = usize::from(SHORTEST_PDU) + manner.map_or(0, Manner::overhead);
        if offer.max_pdu != 0 && usize::from(offer.max_pdu) < shortest {
            return Err(InitiateError::PduSizeTooShort.into());
        }
        Ok(Association { conformance, max_pdu: offer.max_pdu })
    }

    fn accepted(
        &mut self,
        aarq: &Aarq,
        agreed: Agreed,
        model: &mut dyn ObjectModel,
    ) -> Result<Apdu, Refused> {
        let information = self.granted(agreed.association);
        let information = match agreed.manner {
            Some(manner) => self.cipher(manner, &information, model).map_err(|error| refused_by(&error))?,
            None => information,
        };
        let title = self.far.as_ref().and_then(|_| model.security(self.peer)).map(|context| context.title());
        let diagnostic = match &agreed.challenges {
            Some(_) => Diagnostic::AUTHENTICATION_REQUIRED,
            None => Diagnostic::NONE,
        };
        let ours = agreed.challenges.as_ref().map(|challenges| challenges.ours.octets().to_vec());
        self.begin(agreed, model);
        Ok(Apdu::Aare(Aare {
            context: Some(aarq.context),
            result: AssociationResult::Accepted,
            diagnostic,
            responding_title: title.map(|title| title.octets().to_vec()),
            mechanism: aarq.mechanism.filter(|mechanism| *mechanism != Mechanism::Lowest),
            authentication_value: ours,
            user_information: Some(information),
        }))
    }

    /// Ends the association. Who releases with a ciphered initiate request is answered with a ciphered response, so that
    /// both know it was the other (IEC 62056-5-3, 4.2.4).
    pub(super) fn release(&mut self, release: &Release, model: &mut dyn ObjectModel) -> Apdu {
        let ciphered = release.user_information.as_deref().map(Ciphered::decode);
        let manner = match ciphered {
            Some(Ok(ciphered)) => self.decipher(&ciphered, model).ok().map(|(manner, _)| manner),
            _ => None,
        };
        let answer = self
            .association
            .zip(manner)
            .and_then(|(association, manner)| self.cipher(manner, &self.granted(association), model).ok());
        self.link_lost();
        Apdu::Rlre(Release { user_information: answer, ..Release::NORMAL })
    }

    fn granted(&self, association: Association) -> Vec<u8> {
        UserInformation::Granted(InitiateResponse {
            version: DLMS_VERSION,
            conformance: association.conformance,
            max_pdu: self.settings.max_pdu,
            vaa_name: VAA_LOGICAL_NAME,
        })
        .encode()
    }

    /// The association is open; or it will be, once the client has proved who it is.
    fn begin(&mut self, agreed: Agreed, model: &mut dyn ObjectModel) {
        match agreed.challenges {
            None => self.association = Some(agreed.association),
            Some(Challenges { ours, theirs }) => {
                let far = self.far.as_ref().map(|far| far.far);
                let since = far.and_then(|far| model.security(self.peer)?.received(far));
                self.proof = Some(Proof { association: agreed.association, ours, theirs, since });
            }
        }
    }
}

/// The answer to a ciphered initiate request that is not accepted.
fn refused_by(error: &SecurityError) -> Refused {
    match error {
        SecurityError::Replayed { .. } => Refused::Exception(super::secure::exception(error)),
        _ => Refused::Diagnostic(Diagnostic::AUTHENTICATION_FAILURE),
    }
}

fn rejected(aarq: &Aarq, refused: &Refused) -> Apdu {
    let (diagnostic, initiate) = match refused {
        Refused::Diagnostic(diagnostic) => (*diagnostic, None),
        Refused::Initiate(error) => (Diagnostic::NO_REASON, Some(*error)),
        Refused::Exception(exception) => return Apdu::Exception(*exception),
    };
    Apdu::Aare(Aare {
        context: Some(match aarq.context {
            ApplicationContext::Unlisted(_) => ApplicationContext::LogicalName,
            known => known,
        }),
        result: AssociationResult::RejectedPermanent,
        diagnostic,
        responding_title: None,
        mechanism: None,
        authentication_value: None,
        user_information: initiate.map(|error| UserInformation::Refused(error).encode()),
    })
}
