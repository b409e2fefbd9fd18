//! Opening an association from the client's end: the AARQ, what its answer means, and the proofs of high-level
//! security 5 (IEC 62056-5-3, 4.2 and 5.4).
//!
//! ```text
//! client                                          meter
//!   AARQ: own title, challenge, [ciphered] initiate  ->
//!        <-  AARE: its title, its challenge, [ciphered] initiate
//!   ACTION 15, 0-0:40.0.0, method 1: GMAC over its challenge  ->
//!        <-  its return value: GMAC over ours
//! ```

use super::pending::{Pending, Progress};
use super::{Association, Authentication, ClientError, ClientSession, Refusal, Response, Security};
use crate::apdu::{
    Aare, Aarq, ActionRequest, ActionRequestKind, ActionResponseKind, Apdu, ApplicationContext,
    AssociationResult, Ciphered, Conformance, Diagnostic, Envelope, InitiateRequest, KeySet, Mechanism,
    Release, UserInformation,
};
use crate::data::{ClassId, Data, MethodRef, Obis};
use crate::security::{self, Challenge, InvocationCounter, SystemTitle};

/// `reply_to_HLS_authentication` of the association the client is in.
pub(crate) const REPLY_TO_HLS: MethodRef =
    MethodRef { class: ClassId(15), obis: Obis([0, 0, 40, 0, 0, 255]), method: 1 };

/// What the meter's proof is held against, and what is agreed once it holds.
#[derive(Debug)]
pub(super) struct Proof {
    association: Association,
    challenge: Challenge,
    /// The number last received when the association began.
    since: Option<InvocationCounter>,
}

impl ClientSession {
    pub(super) fn aarq(&mut self) -> Result<Apdu, ClientError> {
        self.end();
        self.use_up()?;
        let (mechanism, value) = self.credentials();
        Ok(Apdu::Aarq(Aarq {
            context: self.application_context(),
            calling_title: self.suite().map(|suite| suite.context.title().octets().to_vec()),
            mechanism,
            authentication_value: value,
            user_information: Some(self.initiate(true)?),
        }))
    }

    /// A challenge and a dedicated key serve one association.
    fn use_up(&mut self) -> Result<(), ClientError> {
        let random = self.suite().is_some_and(|suite| {
            let dedicated =
                suite.ciphering.as_ref().is_some_and(|ciphering| ciphering.dedicated_key.is_some());
            dedicated || matches!(suite.authentication, Authentication::Gmac(_))
        });
        if random && !self.fresh {
            return Err(ClientError::NotFresh);
        }
        self.fresh = false;
        Ok(())
    }

    fn application_context(&self) -> ApplicationContext {
        match self.manner() {
            Some(_) => ApplicationContext::LogicalNameCiphered,
            None => ApplicationContext::LogicalName,
        }
    }

    fn credentials(&self) -> (Option<Mechanism>, Option<Vec<u8>>) {
        let low = |password: &crate::Password| (Some(Mechanism::Low), Some(password.octets().to_vec()));
        match &self.settings.security {
            Security::None => (None, None),
            Security::Low(password) => low(password),
            Security::Suite0(suite) => match &suite.authentication {
                Authentication::None => (None, None),
                Authentication::Low(password) => low(password),
                Authentication::Gmac(challenge) => (Some(Mechanism::GMAC), Some(challenge.octets().to_vec())),
            },
        }
    }

    /// The initiate request, ciphered with the global key where messages are.
    fn initiate(&mut self, opening: bool) -> Result<Vec<u8>, ClientError> {
        let general = self.manner().is_some_and(|manner| manner.general);
        let protection = if general { Conformance::GENERAL_PROTECTION } else { Conformance::NONE };
        let request = |dedicated_key| InitiateRequest {
            dedicated_key,
            version: crate::apdu::DLMS_VERSION,
            conformance: self.settings.conformance | protection,
            max_pdu: self.settings.max_pdu,
        };
        let Some(ciphering) = self.suite().and_then(|suite| suite.ciphering.as_ref()) else {
            return Ok(request(None).encode());
        };
        let protection = ciphering.protection;
        let key = ciphering.dedicated_key.as_ref().filter(|_| opening);
        let plain = request(key.map(|key| key.expose().to_vec())).encode();
        let Some(context) = self.context() else { return Ok(plain) };
        let contents = context.protect(protection, &plain)?;
        Ok(Ciphered { keys: KeySet::Global, envelope: Envelope::Service(0x21), contents }.encode())
    }

    /// In a ciphered association the release carries a ciphered initiate request, so that nobody else can end it.
    pub(super) fn rlrq(&mut self) -> Result<Apdu, ClientError> {
        let ciphered = self.far.is_some() && self.manner().is_some();
        let user_information = if ciphered { Some(self.initiate(false)?) } else { None };
        Ok(Apdu::Rlrq(Release { user_information, ..Release::NORMAL }))
    }

    /// The association is over; what the answer carries, if anything, must be the meter's.
    pub(super) fn take_rlre(&mut self, release: &Release) -> Result<Progress, ClientError> {
        let ciphered = release.user_information.as_deref().map(Ciphered::decode);
        if let (Some(Ok(ciphered)), Some(_)) = (ciphered, &self.far) {
            self.decipher(&ciphered)?;
        }
        Ok(Progress::Done(Response::Released))
    }

    /// What an AARE means. User information that is absent leaves what the client offered.
    pub(super) fn take_aare(&mut self, aare: &Aare) -> Result<Progress, ClientError> {
        let (result, diagnostic) = (aare.result, aare.diagnostic);
        let challenge = self.own_challenge();
        // A rejection is a rejection, readable user information or not.
        let on_condition = diagnostic == Diagnostic::AUTHENTICATION_REQUIRED;
        if result != AssociationResult::Accepted || (on_condition && challenge.is_none()) {
            let initiate = match aare.user_information.as_deref().map(UserInformation::decode) {
                Some(Ok(UserInformation::Refused(error))) => Some(error),
                _ => None,
            };
            return Ok(Progress::Done(Response::Refused(Refusal { result, diagnostic, initiate })));
        }
        let since = self.meet(aare)?;
        let association = match self.granted(aare)? {
            Ok(association) => association,
            Err(error) => {
                let initiate = Some(error);
                return Ok(Progress::Done(Response::Refused(Refusal { result, diagnostic, initiate })));
            }
        };
        match challenge {
            None => Ok(Progress::Done(Response::Associated(association))),
            Some(challenge) => self.prove(aare, Proof { association, challenge, since }),
        }
    }

    fn own_challenge(&self) -> Option<Challenge> {
        match &self.suite()?.authentication {
            Authentication::Gmac(challenge) => Some(challenge.clone()),
            Authentication::None | Authentication::Low(_) => None,
        }
    }

    /// Takes note of who the meter is; gives the number last received from it.
    fn meet(&mut self, aare: &Aare) -> Result<Option<InvocationCounter>, ClientError> {
        let Some(suite) = self.suite() else { return Ok(None) };
        let missing = || ClientError::NotProven { why: "its AARE has no system title of 8 octets".into() };
        let title = aare.responding_title.as_deref().ok_or_else(missing)?;
        let far = SystemTitle::try_from(title).map_err(|_| missing())?;
        let key = suite.ciphering.as_ref().and_then(|ciphering| ciphering.dedicated_key.clone());
        let dedicated = key.map(|key| suite.context.dedicated(key));
        let since = suite.context.received(far);
        self.far = Some(security::Association { far, dedicated });
        Ok(since)
    }

    /// What the meter grants in its user information, or why it cannot work with what was offered.
    fn granted(
        &mut self,
        aare: &Aare,
    ) -> Result<Result<Association, crate::apdu::InitiateError>, ClientError> {
        let Some(octets) = aare.user_information.as_deref().filter(|octets| !octets.is_empty()) else {
            return Ok(Ok(Association { conformance: self.settings.conformance, max_pdu: 0 }));
        };
        let plain = match Ciphered::decode(octets) {
            Ok(ciphered) => self.decipher(&ciphered)?,
            Err(_) => {
                if let Some(suite) = self.suite().filter(|suite| suite.ciphering.is_some()) {
                    suite.context.check_required(None)?;
                }
                octets.to_vec()
            }
        };
        Ok(match UserInformation::decode(&plain)? {
            UserInformation::Refused(error) => Err(error),
            UserInformation::Granted(granted) => {
                Ok(Association { conformance: granted.conformance, max_pdu: granted.max_pdu })
            }
        })
    }

    /// Answers the meter's challenge.
    fn prove(&mut self, aare: &Aare, proof: Proof) -> Result<Progress, ClientError> {
        let none = || ClientError::NotProven { why: "its AARE has no challenge of 8 to 64 octets".into() };
        let theirs = aare.authentication_value.as_deref().ok_or_else(none)?;
        let theirs = Challenge::try_from(theirs).map_err(|_| none())?;
        if theirs == proof.challenge {
            let why = "it sent our own challenge back to us".into();
            return Err(ClientError::NotProven { why });
        }
        let Some(context) = self.context() else { return Err(none()) };
        let parameter = Some(Data::Octets(context.prove(&theirs)?));
        let kind = ActionRequestKind::Normal { method: REPLY_TO_HLS, parameter };
        let invoke = self.next_invoke();
        let apdu = Apdu::ActionRequest(ActionRequest { invoke, kind }).encode();
        Ok(Progress::Send(Pending::Prove(Box::new(proof)), apdu))
    }

    /// Checks the meter's answer to our challenge. Where it does not hold there is no association.
    pub(super) fn take_proof(
        &mut self,
        proof: Proof,
        kind: ActionResponseKind,
    ) -> Result<Progress, ClientError> {
        let checked = self.check_proof(&proof, kind);
        match checked {
            Ok(None) => Ok(Progress::Done(Response::Associated(proof.association))),
            Ok(Some(refusal)) => Ok(Progress::Done(Response::Refused(refusal))),
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    fn check_proof(
        &mut self,
        proof: &Proof,
        kind: ActionResponseKind,
    ) -> Result<Option<Refusal>, ClientError> {
        let not_proven = |why: &str| ClientError::NotProven { why: why.to_owned() };
        let given = match kind {
            ActionResponseKind::Normal(given) => given,
            _ => return Err(not_proven("its answer to our proof is of another kind")),
        };
        if given.result.is_err() {
            let (result, diagnostic) =
                (AssociationResult::RejectedPermanent, Diagnostic::AUTHENTICATION_FAILURE);
            return Ok(Some(Refusal { result, diagnostic, initiate: None }));
        }
        let Some(Ok(Data::Octets(theirs))) = given.value else {
            return Err(not_proven("its answer to our proof has none of its own"));
        };
        let far = self.far.as_ref().map(|far| far.far);
        let (Some(far), Some(context)) = (far, self.context()) else {
            return Err(not_proven("its system title is not known"));
        };
        let checked = context.check_proof(far, proof.since, &proof.challenge, &theirs);
        checked.map_err(|error| not_proven(&error.to_string()))?;
        Ok(None)
    }
}
