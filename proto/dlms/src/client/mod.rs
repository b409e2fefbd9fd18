//! The client's end of an association (IEC 62056-5-3).
//!
//! A session turns requests into APDUs and APDUs into responses, block transfers included. It knows no line: give
//! what it says to [`hdlc::Client`](crate::hdlc) or the [`wrapper`](crate::wrapper), and give it what they receive.
//! Waiting, and giving up waiting, is the caller's; [`ClientSession::cancel`] forgets a request nobody answered.
//!
//! An association ends by [`Request::Release`], or is aborted by whatever ends the link below:
//! [`ClientSession::link_lost`]. DLMS/COSEM has no message for that (IEC 62056-5-3, 4.2.4).
//!
//! # What is taken though the standard does not have it
//!
//! What is sent is by the standard. What is received is taken also where field devices are loose and the meaning is
//! plain:
//!
//! | where | taken | because |
//! |---|---|---|
//! | AARE | no context name, mechanism name, requirements, system title or user information | what is not said is what was offered |
//! | AARE, AARQ | fields in any order; fields nobody knows; lengths in the long form | BER allows the last, the rest is skipped |
//! | AARE, AARQ | system title and user information without the OCTET STRING around them; mechanism name with an OBJECT IDENTIFIER around it | the length says where they end |
//! | AARE | diagnostic 0 where a challenge has to be answered | there is a challenge |
//! | initiate response | conformance tag 5F without 1F; no VAA name | only logical names are spoken |
//! | initiate response | in clear in a ciphered association, unless protection is required | it can only offer less |
//! | RLRE | no reason, no length at all; any reason; nothing ciphered in it | the association is over |
//! | any APDU | zeros behind it | frames are filled up |
//! | Action-Response | no flag for a return value | there is none |
//! | Data-Notification | a type octet before the time | the length behind it says so |
//! | exception | no expected invocation counter | it is read from its object then |
//! | answers | other priority and service class bits; a late answer to another request; a ciphered answer sent twice | the number says which request |
//! | blocks | one sent twice; numbers that begin at 1 or go on from the exchange before | the number says which block |
//! | proof of high-level security | a number above or below that of the message it is in | the challenge is fresh |
//!
//! Never taken: an answer in clear in a ciphered association, a number already seen, a wrong tag, a proof that is
//! missing, octets behind a message that are not zero, a value cut short.

mod associate;
mod blocks;
mod pending;
mod secure;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use thiserror::Error;

pub use crate::apdu::{AccessOutcome, AccessPart, ActionReturn, BlockWindow};
pub use crate::blocks::BlockError;
pub use settings::{Authentication, Ciphering, ClientSettings, Security, Suite0};

use crate::DecodeError;
use crate::apdu::{
    Apdu, AssociationResult, Conformance, DataNotification, Diagnostic, EventNotification, ExceptionResponse,
    InitiateError, InvokeId,
};
use crate::block_transfer::{Transfer, TransferError};
use crate::data::{AttributeRef, Data, DataAccessResult, MethodRef, Selective};
use crate::security::{self, Challenge, Key, Manner, SecurityContext, SecurityError};
pub(crate) use associate::REPLY_TO_HLS;
use pending::{Pending, Progress};

/// What a client may ask.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Open the association.
    Associate,
    /// Close it.
    Release,
    /// Read an attribute.
    Get {
        /// The attribute.
        attribute: AttributeRef,
        /// Which part of it.
        selective: Option<Selective>,
    },
    /// Read several attributes at once.
    GetList(Vec<AttributeRef>),
    /// Write an attribute.
    Set {
        /// The attribute.
        attribute: AttributeRef,
        /// Its new value.
        value: Data,
    },
    /// Read, write and invoke several things at once (ACCESS).
    Access {
        /// What, in this order.
        parts: Vec<AccessPart>,
        /// Whether to leave out what comes after a part that failed.
        break_on_error: bool,
    },
    /// Invoke a method.
    Act {
        /// The method.
        method: MethodRef,
        /// Its parameter.
        parameter: Option<Data>,
    },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// The association is open.
    Associated(Association),
    /// The meter refused the association.
    Refused(Refusal),
    /// The association is closed.
    Released,
    /// The value of an attribute, or why not.
    Got(Result<Data, DataAccessResult>),
    /// The values of several, in the order asked.
    GotList(Vec<Result<Data, DataAccessResult>>),
    /// Written, or why not.
    Set(Result<(), DataAccessResult>),
    /// What came of each part, in the order asked.
    Accessed(Vec<AccessOutcome>),
    /// What the method gave.
    Acted(ActionReturn),
    /// The meter could not process the request at all.
    Exception(ExceptionResponse),
}

/// What both ends agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Association {
    /// Services that may be used.
    pub conformance: Conformance,
    /// Longest APDU the far end takes; 0 means no limit.
    pub max_pdu: u16,
}

impl Association {
    /// The same, with so many octets of each APDU spoken for.
    pub(crate) fn leaving(self, overhead: usize) -> Self {
        let taken = u16::try_from(overhead).unwrap_or(u16::MAX);
        let max_pdu = if self.max_pdu == 0 { 0 } else { self.max_pdu.saturating_sub(taken).max(1) };
        Self { max_pdu, ..self }
    }
}

/// Why a meter refused an association.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("association refused: {diagnostic}{}", initiate.map(|e| format!(", {e}")).unwrap_or_default())]
pub struct Refusal {
    /// Rejected for good or for now; or accepted on condition of a challenge this client cannot meet.
    pub result: AssociationResult,
    /// Why.
    pub diagnostic: Diagnostic,
    /// The error of the xDLMS initiate service, where the meter gave one.
    pub initiate: Option<InitiateError>,
}

impl Refusal {
    /// Whether the meter said the password was wrong.
    pub fn is_authentication_failure(&self) -> bool {
        self.diagnostic == Diagnostic::AUTHENTICATION_FAILURE
    }
}

/// What to do after an APDU has been received.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this, then whatever [`ClientSession::poll_transmit`] gives, and wait on.
    Send(Vec<u8>),
    /// Part of the answer has arrived; wait on.
    Wait,
    /// The request is answered.
    Done(Response),
    /// The meter said something unasked; wait on.
    Notification(Notification),
    /// Not the answer to this request, most often a late one to an earlier; wait on.
    Ignored(&'static str),
}

/// What a meter says unasked.
#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// An event.
    Event(EventNotification),
    /// Pushed data.
    Data(DataNotification),
}

/// Why a session cannot go on with a request. The request is over; another may be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// A request is already waiting for its answer.
    #[error("a request is already waiting for its answer; take or cancel that first")]
    Busy,
    /// Something arrived though nothing was asked.
    #[error("{found} arrived though nothing was asked")]
    NothingAsked {
        /// What arrived.
        found: &'static str,
    },
    /// The request does not fit what the meter takes and block transfer was not agreed.
    #[error(
        "request of {found} octets, the meter takes {limit} and block transfer was not agreed or does not fit"
    )]
    TooLong {
        /// Octets of the request.
        found: usize,
        /// Octets the meter takes.
        limit: usize,
    },
    /// The answer cannot be read.
    #[error("the answer cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// The answer is of another kind than the request.
    #[error("{found} arrived, expected {expected}")]
    Unexpected {
        /// What arrived.
        found: &'static str,
        /// What the request calls for.
        expected: &'static str,
    },
    /// A block does not fit.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A message was not accepted, or cannot be made.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The meter let the client in and did not prove who it is.
    #[error("the meter did not prove that it has the keys: {why}; it may not be the meter it says it is")]
    NotProven {
        /// What is wrong with its proof.
        why: String,
    },
    /// The challenge or dedicated key was used for an association before.
    #[error("the challenge was used before; renew it before associating again")]
    NotFresh,
    /// A general block transfer cannot go on.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A list of results of another length than the list asked.
    #[error("{found} results for a list of {expected}")]
    ListLength {
        /// Results found.
        found: usize,
        /// Attributes asked.
        expected: usize,
    },
}

/// The client's end of one association.
#[derive(Debug)]
pub struct ClientSession {
    settings: ClientSettings,
    association: Option<Association>,
    /// What ciphering needs to know of the far end, from its AARE on.
    far: Option<security::Association>,
    /// Whether challenge and dedicated key have not been used yet.
    fresh: bool,
    /// Number of the request last started, so that a late answer to an earlier one is known for what it is.
    invoke: u8,
    pending: Option<Pending>,
    /// The general block transfer in progress.
    transfer: Option<Transfer>,
    /// APDUs to send behind the one that was given.
    outbox: VecDeque<Vec<u8>>,
}

impl ClientSession {
    /// A session that is not associated yet.
    pub fn new(settings: ClientSettings) -> Self {
        Self {
            settings,
            association: None,
            far: None,
            fresh: true,
            invoke: 0,
            pending: None,
            transfer: None,
            outbox: VecDeque::new(),
        }
    }

    /// A challenge and, where one is used, a dedicated key for the next association.
    pub fn renew(&mut self, challenge: Challenge, dedicated_key: Option<Key>) {
        if let Security::Suite0(suite) = &mut self.settings.security {
            if let Authentication::Gmac(held) = &mut suite.authentication {
                *held = challenge;
            }
            if let Some(ciphering) = &mut suite.ciphering {
                ciphering.dedicated_key = dedicated_key;
            }
        }
        self.fresh = true;
    }

    /// Keys and counters, to reserve numbers or to follow a meter that expects others.
    pub fn context(&mut self) -> Option<&mut SecurityContext> {
        match &mut self.settings.security {
            Security::Suite0(suite) => Some(&mut suite.context),
            Security::None | Security::Low(_) => None,
        }
    }

    /// Keys and counters, for the session after this one.
    pub fn into_context(self) -> Option<SecurityContext> {
        match self.settings.security {
            Security::Suite0(suite) => Some(suite.context),
            Security::None | Security::Low(_) => None,
        }
    }

    /// What was agreed, while the association is open.
    pub fn association(&self) -> Option<Association> {
        self.association
    }

    /// Starts a request: the APDU to send, and behind it whatever [`ClientSession::poll_transmit`] gives.
    ///
    /// Requests may be started without an association; the meter then answers as it sees fit.
    ///
    /// # Errors
    /// [`ClientError::Busy`] while another request waits, [`ClientError::TooLong`] when it cannot be sent,
    /// [`ClientError::Security`] when no invocation counter is reserved for it.
    pub fn start(&mut self, request: Request) -> Result<Vec<u8>, ClientError> {
        if self.pending.is_some() {
            return Err(ClientError::Busy);
        }
        let (pending, apdu) = match request {
            Request::Associate => (Pending::Associate, self.aarq()?.encode()),
            Request::Release => (Pending::Release, self.rlrq()?.encode()),
            service => {
                let (pending, apdu) = Pending::start(service, self.next_invoke(), self.limits())?;
                (pending, self.cipher(apdu)?)
            }
        };
        let apdu = self.send_out(apdu)?;
        self.pending = Some(pending);
        Ok(apdu)
    }

    /// The next APDU to send behind the last. There is one only in a general block transfer to a meter that takes
    /// several blocks in a row.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// What to send when no answer came in time, and behind it whatever [`ClientSession::poll_transmit`] gives; `None`
    /// where nothing may be sent again. Only a block of a general block transfer may: the meter knows one it has had.
    /// A request may have been carried out.
    ///
    /// # Errors
    /// [`ClientError::Transfer`] when this was tried often enough. The request is then over.
    pub fn repeat(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let Some(transfer) = &mut self.transfer else { return Ok(None) };
        let blocks = transfer.repeat().inspect_err(|_| self.pending = None)?;
        Ok(self.queue(blocks))
    }

    /// Forgets the request that waits: nobody answered in time. A late answer is then ignored.
    pub fn cancel(&mut self) {
        self.pending = None;
        self.transfer = None;
        self.outbox.clear();
    }

    /// Forgets request and association: the line is down.
    pub fn link_lost(&mut self) {
        self.cancel();
        self.end();
    }

    fn end(&mut self) {
        self.association = None;
        self.far = None;
    }

    fn next_invoke(&mut self) -> InvokeId {
        self.invoke = self.invoke % 15 + 1;
        InvokeId::confirmed(self.invoke)
    }

    /// Takes an APDU from the meter.
    ///
    /// # Errors
    /// An APDU that cannot be read, is not accepted, or does not fit the request. The request is then over.
    pub fn receive(&mut self, apdu: &[u8]) -> Result<Step, ClientError> {
        match Apdu::decode_padded(apdu) {
            Ok(Apdu::GeneralBlock(block)) => self.receive_block(block).inspect_err(|_| self.cancel()),
            _ => self.receive_whole(apdu),
        }
    }

    /// Takes an APDU that did not come in blocks, or is put together from them.
    fn receive_whole(&mut self, apdu: &[u8]) -> Result<Step, ClientError> {
        let apdu = match self.open(apdu) {
            Ok(apdu) => apdu,
            // Lines double what they carry; what was taken once is not an answer to anything now.
            Err(ClientError::Security(SecurityError::Replayed { .. })) if self.pending.is_some() => {
                return Ok(Step::Ignored("a ciphered message that was received before"));
            }
            Err(error) => {
                self.cancel();
                return Err(error);
            }
        };
        match apdu {
            Apdu::EventNotification(event) => return Ok(Step::Notification(Notification::Event(event))),
            Apdu::DataNotification(data) => return Ok(Step::Notification(Notification::Data(data))),
            Apdu::Exception(exception) if self.is_of_an_earlier_message(&exception) => {
                return Ok(Step::Ignored("an exception to a copy of an earlier message"));
            }
            _ => {}
        }
        let Some(pending) = self.pending.take() else {
            return Err(ClientError::NothingAsked { found: apdu.name() });
        };
        let progress = match (pending, apdu) {
            (Pending::Associate, Apdu::Aare(aare)) => self.take_aare(&aare)?,
            (Pending::Release, Apdu::Rlre(release)) => self.take_rlre(&release)?,
            (Pending::Prove(proof), Apdu::ActionResponse(response))
                if response.invoke.number() == self.invoke =>
            {
                self.take_proof(*proof, response.kind)?
            }
            (pending, apdu) => pending.receive(apdu, InvokeId::confirmed(self.invoke), self.limits())?,
        };
        self.go_on(progress)
    }

    fn go_on(&mut self, progress: Progress) -> Result<Step, ClientError> {
        match progress {
            Progress::Send(pending, apdu) => {
                let apdu = self.cipher(apdu)?;
                let apdu = self.send_out(apdu)?;
                self.pending = Some(pending);
                Ok(Step::Send(apdu))
            }
            Progress::Ignored(pending, why) => {
                self.pending = Some(pending);
                Ok(Step::Ignored(why))
            }
            Progress::Done(response) => {
                self.note(&response);
                Ok(Step::Done(response))
            }
        }
    }

    /// Keeps the state of the association in step with what the meter said.
    fn note(&mut self, response: &Response) {
        match response {
            Response::Associated(association) => self.association = Some(*association),
            Response::Refused(_) | Response::Released => self.end(),
            Response::Exception(exception) if *exception == ExceptionResponse::NOT_ASSOCIATED => self.end(),
            _ => {}
        }
    }

    fn limits(&self) -> Limits {
        let own = Association { conformance: self.settings.conformance, max_pdu: 0 };
        let association = self.association.unwrap_or(own);
        let overhead = self.manner().filter(|_| self.far.is_some()).map_or(0, Manner::overhead);
        Limits { association: association.leaving(overhead), max_value: self.settings.max_value }
    }
}

/// What bounds a request: what was agreed, and what this client takes.
#[derive(Debug, Clone, Copy)]
struct Limits {
    association: Association,
    max_value: usize,
}

impl Limits {
    fn takes_general_blocks(self) -> bool {
        self.association.conformance.contains(Conformance::GENERAL_BLOCK_TRANSFER)
            && self.association.max_pdu != 0
    }
}
