//! What can go wrong between the harness and a device, in terms a verdict can be made of.
//!
//! An error names the link, the device and the request it happened in, says what was expected and what was found, shows
//! the frame where there is one, and has a hint. The kinds are those a script may expect: a misuse script passes
//! on [`DriverErrorKind::WrongPassword`] and fails on [`DriverErrorKind::NoAnswer`].

use std::fmt;

use proto_dlms::apdu::{ExceptionResponse, ServiceError};
use proto_dlms::client::{ClientError, Refusal};
use proto_dlms::data::{ActionResult, DataAccessResult};

use super::counters::CounterFault;
use crate::link::{LinkError, LinkErrorKind};

/// Most octets of a frame shown in an error; the capture has the rest.
const SHOWN: usize = 48;

/// A failed exchange with a device.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{context}: {kind}{}", doubt(context))]
pub struct DriverError {
    /// What kind of failure.
    pub kind: DriverErrorKind,
    /// Where it happened.
    pub context: Box<Context>,
}

/// Where an exchange failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Name of the link.
    pub link: String,
    /// URL of the link.
    pub url: String,
    /// The device and the addresses used, `client 1 to server 1 of 00-DB-...`.
    pub peer: String,
    /// The request, `GET 8/0-0:1.0.0.255/2`.
    pub request: String,
    /// The frame it happened on.
    pub frame: Option<Vec<u8>>,
    /// The request changes something, it was sent, and no answer says whether the device carried it out.
    pub outcome_unknown: bool,
}

/// What nobody can tell from here, said wherever the error is.
fn doubt(context: &Context) -> &'static str {
    match context.outcome_unknown {
        true => "; whether the device carried it out is not known, and it was not sent again",
        false => "",
    }
}

/// The kinds of failure, each with what was found.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DriverErrorKind {
    /// The link itself: no answer, gone, busy, cannot open. See [`LinkError::kind`].
    #[error("{}", without_name(.0))]
    Link(Box<LinkError>),
    /// The device took the request and did not answer (on a link that others answer on).
    #[error("no answer {0}")]
    NoAnswer(String),
    /// The device refuses the password of this client.
    #[error("the device refuses the password of this client")]
    WrongPassword,
    /// The device and this client do not hold the same keys, or one takes the other for somebody else.
    #[error("the keys do not fit: {0}")]
    WrongKeys(String),
    /// The device has seen a higher invocation counter than this client sent.
    #[error("the device refuses the invocation counter{}", expected.map(|n| format!(", it expects {n} or above")).unwrap_or_default())]
    InvocationCounter {
        /// The number the device expects, where it says.
        expected: Option<u32>,
    },
    /// The invocation counters of this client cannot be kept.
    #[error(transparent)]
    Counters(#[from] CounterFault),
    /// The device refuses the association for another reason.
    #[error("the device refuses the association: {0}")]
    AssociationRefused(String),
    /// The device answered with an exception: it knows of no association, or does not take this request.
    #[error("the device answered with an exception: {0}")]
    Exception(String),
    /// The device refuses to read or write this attribute.
    #[error("the device answers {0} (data access result)")]
    Access(DataAccessResult),
    /// The device refuses to carry out this method.
    #[error("the device answers {0} (action result)")]
    Action(ActionResult),
    /// Bytes that are no frame or no APDU of this protocol.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// A block transfer out of step.
    #[error("block transfer: {0}")]
    Block(String),
    /// The IEC 62056-21 sign-on failed.
    #[error("sign-on: {0}")]
    SignOn(String),
    /// The HDLC connection was refused or rejected.
    #[error("HDLC: {0}")]
    Hdlc(String),
    /// The CHF does not reach the device behind it.
    #[error("the communications hub does not reach the device: {0}")]
    Gateway(String),
    /// The value is not of the type its class gives it.
    #[error("unexpected value: {0}")]
    Value(String),
}

/// The context has named the link already.
fn without_name(error: &LinkError) -> String {
    let waited = crate::link::seconds(error.waited);
    format!("expected {}, found {} after {waited}", error.expected, error.found)
}

impl From<LinkError> for DriverErrorKind {
    fn from(error: LinkError) -> Self {
        DriverErrorKind::Link(Box::new(error))
    }
}

impl From<DataAccessResult> for DriverErrorKind {
    fn from(result: DataAccessResult) -> Self {
        DriverErrorKind::Access(result)
    }
}

impl From<ActionResult> for DriverErrorKind {
    fn from(result: ActionResult) -> Self {
        DriverErrorKind::Action(result)
    }
}

impl From<ClientError> for DriverErrorKind {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Block(block) => DriverErrorKind::Block(block.to_string()),
            security @ (ClientError::Security(_) | ClientError::NotProven { .. }) => {
                DriverErrorKind::WrongKeys(security.to_string())
            }
            other => DriverErrorKind::Malformed(other.to_string()),
        }
    }
}

impl From<ExceptionResponse> for DriverErrorKind {
    fn from(exception: ExceptionResponse) -> Self {
        match exception.service {
            ServiceError::InvocationCounter { expected } => DriverErrorKind::InvocationCounter { expected },
            ServiceError::DecipheringError => DriverErrorKind::WrongKeys(format!("it answered {exception}")),
            _ => DriverErrorKind::Exception(exception.to_string()),
        }
    }
}

impl From<&Refusal> for DriverErrorKind {
    fn from(refusal: &Refusal) -> Self {
        if refusal.is_authentication_failure() {
            DriverErrorKind::WrongPassword
        } else {
            DriverErrorKind::AssociationRefused(refusal.diagnostic.to_string())
        }
    }
}

impl DriverErrorKind {
    /// Whether the device or the link stayed silent.
    pub(super) fn is_silence(&self) -> bool {
        match self {
            DriverErrorKind::NoAnswer(_) | DriverErrorKind::Gateway(_) => true,
            DriverErrorKind::Link(error) => error.kind == LinkErrorKind::NoAnswer,
            _ => false,
        }
    }
}

impl DriverError {
    pub(crate) fn new(kind: impl Into<DriverErrorKind>, context: Context) -> DriverError {
        DriverError { kind: kind.into(), context: Box::new(context) }
    }

    /// Whether a SET or an ACTION went out and nothing says what became of it: to be looked into before it is sent again.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        self.context.outcome_unknown
    }

    /// Whether the bytes on this link can no longer be trusted to belong to one exchange: the session is opened anew.
    #[must_use]
    pub fn breaks_session(&self) -> bool {
        !matches!(
            self.kind,
            DriverErrorKind::Access(_) | DriverErrorKind::Action(_) | DriverErrorKind::Value(_)
        )
    }

    /// What to try, for the person at the rig.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match &self.kind {
            DriverErrorKind::Link(error) => error.hint(),
            DriverErrorKind::NoAnswer(_) => {
                "check that the device is powered and awake, and the client and server addresses"
            }
            DriverErrorKind::WrongPassword => {
                "check the password of this client in the lab file; several wrong tries may lock a meter for a while"
            }
            DriverErrorKind::WrongKeys(_) => {
                "check the encryption and authentication key and the system title of this client in the lab file"
            }
            DriverErrorKind::InvocationCounter { .. } => {
                "somebody else uses the same keys and system title, or this machine has lost its counters: try again"
            }
            DriverErrorKind::Counters(_) => {
                "counters are kept in $HARNESS_STATE/counters, else ~/.local/state/harness/counters; never copy or delete them"
            }
            DriverErrorKind::AssociationRefused(_) => {
                "check the client SAP and whether it needs a password (see the Device Model's clients)"
            }
            DriverErrorKind::Exception(_) => {
                "the association was lost, perhaps by a reset of the device: try again"
            }
            DriverErrorKind::Access(result) => access_hint(*result),
            DriverErrorKind::Action(_) => {
                "the device is not in a state for this; read its state and its event log"
            }
            DriverErrorKind::Malformed(_) => {
                "look at the capture: noise, a wrong baud rate or parity, or another protocol on this port"
            }
            DriverErrorKind::Block(_) => {
                "look at the capture; the device may have been reset in the middle of a block"
            }
            DriverErrorKind::SignOn(_) => {
                "check that the optical head sits on the port, and that the link URL says sign-on=e only where the meter wants it"
            }
            DriverErrorKind::Hdlc(_) => {
                "check client and server address and the server address size; the meter may hold an old connection"
            }
            DriverErrorKind::Gateway(_) => {
                "the device may sleep (gas meters wake every half hour) or have left the HAN; read the hub's device log"
            }
            DriverErrorKind::Value(_) => {
                "the Device Model's profile may name the wrong object for this function"
            }
        }
    }

    /// Whether the device or the link stayed silent, as a pulled cable or a sleeping device does.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.kind.is_silence()
    }
}

fn access_hint(result: DataAccessResult) -> &'static str {
    match result {
        DataAccessResult::ReadWriteDenied => {
            "this client may not: use another client SAP, or a password where there was none"
        }
        DataAccessResult::ObjectUndefined | DataAccessResult::ObjectUnavailable => {
            "the device has no such object: check class and OBIS code against the Device Model's profile"
        }
        DataAccessResult::ObjectClassInconsistent => "the object is there under another class",
        DataAccessResult::TemporaryFailure => "try again in a while",
        _ => "see IEC 62056-53, Data-Access-Result",
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.url.is_empty() {
            write!(f, "link {}", self.link)?;
        } else {
            write!(f, "link {} ({})", self.link, self.url)?;
        }
        for part in [&self.peer, &self.request] {
            if !part.is_empty() {
                write!(f, ", {part}")?;
            }
        }
        if let Some(frame) = &self.frame {
            let shown = &frame[..frame.len().min(SHOWN)];
            let more = if frame.len() > SHOWN { "…" } else { "" };
            write!(f, ", frame {}{more}", hex::encode_upper(shown))?;
        }
        Ok(())
    }
}
