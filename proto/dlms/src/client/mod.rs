//! The client's end of an association (IEC 62056-5-3).
//!
//! A session turns requests into APDUs and APDUs into responses, block transfers included. It knows no line: give
//! what it says to [`hdlc::Client`](crate::hdlc) or the [`wrapper`](crate::wrapper), and give it what they receive.
//! Waiting, and giving up waiting, is the caller's; [`ClientSession::cancel`] forgets a request nobody answered.

mod pending;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use crate::apdu::ActionReturn;
pub use crate::blocks::BlockError;

use crate::apdu::{
    Aarq, Apdu, ApplicationContext, AssociationResult, Conformance, DataNotification, Diagnostic,
    EventNotification, ExceptionResponse, InitiateError, InitiateRequest, InvokeId, Mechanism, Release,
};
use crate::data::{AttributeRef, Data, DataAccessResult, MethodRef, Selective};
use crate::{DecodeError, Password};
use pending::{Pending, Progress};

/// How a client associates.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The password; `None` for an association without security.
    pub password: Option<Password>,
    /// Longest APDU this client takes.
    pub max_pdu: u16,
    /// Services to ask for.
    pub conformance: Conformance,
    /// Longest value taken in blocks, in octets.
    pub max_value: usize,
}

impl Default for ClientSettings {
    /// No security, everything spoken, APDUs of 1 KiB, values of 1 MiB.
    fn default() -> Self {
        Self { password: None, max_pdu: 1024, conformance: Conformance::SPOKEN, max_value: 1 << 20 }
    }
}

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
    /// Longest APDU the server takes; 0 means no limit.
    pub max_pdu: u16,
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
    /// Send this and wait on.
    Send(Vec<u8>),
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
    /// Number of the request last started, so that a late answer to an earlier one is known for what it is.
    invoke: u8,
    pending: Option<Pending>,
}

impl ClientSession {
    /// A session that is not associated yet.
    pub fn new(settings: ClientSettings) -> Self {
        Self { settings, association: None, invoke: 0, pending: None }
    }

    /// What was agreed, while the association is open.
    pub fn association(&self) -> Option<Association> {
        self.association
    }

    /// Starts a request: the APDU to send.
    ///
    /// Requests may be started without an association; the meter then answers as it sees fit.
    ///
    /// # Errors
    /// [`ClientError::Busy`] while another request waits, [`ClientError::TooLong`] when it cannot be sent.
    pub fn start(&mut self, request: Request) -> Result<Vec<u8>, ClientError> {
        if self.pending.is_some() {
            return Err(ClientError::Busy);
        }
        let (pending, apdu) = match request {
            Request::Associate => (Pending::Associate, self.aarq().encode()),
            Request::Release => (Pending::Release, Apdu::Rlrq(Release::NORMAL).encode()),
            service => {
                self.invoke = self.invoke % 15 + 1;
                Pending::start(service, InvokeId::confirmed(self.invoke), self.limits())?
            }
        };
        self.pending = Some(pending);
        Ok(apdu)
    }

    /// Forgets the request that waits: nobody answered in time. A late answer is then ignored.
    pub fn cancel(&mut self) {
        self.pending = None;
    }

    /// Forgets request and association: the line is down.
    pub fn link_lost(&mut self) {
        self.pending = None;
        self.association = None;
    }

    /// Takes an APDU from the meter.
    ///
    /// # Errors
    /// An APDU that cannot be read or does not fit the request. The request is then over.
    pub fn receive(&mut self, apdu: &[u8]) -> Result<Step, ClientError> {
        let apdu = Apdu::decode(apdu).inspect_err(|_| self.pending = None)?;
        match apdu {
            Apdu::EventNotification(event) => return Ok(Step::Notification(Notification::Event(event))),
            Apdu::DataNotification(data) => return Ok(Step::Notification(Notification::Data(data))),
            _ => {}
        }
        let Some(pending) = self.pending.take() else {
            return Err(ClientError::NothingAsked { found: apdu.name() });
        };
        match pending.receive(apdu, InvokeId::confirmed(self.invoke), self.limits())? {
            Progress::Send(pending, apdu) => {
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
            Response::Refused(_) | Response::Released => self.association = None,
            Response::Exception(exception) if *exception == ExceptionResponse::NOT_ASSOCIATED => {
                self.association = None
            }
            _ => {}
        }
    }

    fn limits(&self) -> Limits {
        let own = Association { conformance: self.settings.conformance, max_pdu: 0 };
        Limits { association: self.association.unwrap_or(own), max_value: self.settings.max_value }
    }

    fn aarq(&self) -> Apdu {
        let initiate = InitiateRequest {
            dedicated_key: None,
            version: crate::apdu::DLMS_VERSION,
            conformance: self.settings.conformance,
            max_pdu: self.settings.max_pdu,
        };
        Apdu::Aarq(Aarq {
            context: ApplicationContext::LogicalName,
            calling_title: None,
            mechanism: self.settings.password.as_ref().map(|_| Mechanism::Low),
            authentication_value: self.settings.password.as_ref().map(|password| password.octets().to_vec()),
            user_information: Some(initiate.encode()),
        })
    }
}

/// What bounds a request: what was agreed, and what this client takes.
#[derive(Debug, Clone, Copy)]
struct Limits {
    association: Association,
    max_value: usize,
}
