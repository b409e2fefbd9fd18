//! What can go wrong for a service user: what was sent, to whom, what was expected, what came, after how long.

use std::net::SocketAddr;
use std::time::Duration;

use proto_duis::{DsigError, MessageError, RequestId, ResponseCode, UserRole};

use super::{AlertMatcher, CounterFault, ScheduledMatcher};
use crate::tls::TlsFault;

/// Why a request was not sent, not acknowledged or not answered, or an alert did not come.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The lab has no user in this role.
    #[error("the lab has no user in role {role}; it has: {known}. Add one under [users] in the lab file")]
    NoSuchUser {
        /// The role asked for.
        role: UserRole,
        /// The roles the lab has.
        known: String,
    },
    /// A counter cannot be replayed before one was used.
    #[error(
        "user {role} has sent nothing yet whose counter could be replayed; put a request before this one"
    )]
    NothingToReplay {
        /// The user.
        role: UserRole,
    },
    /// All counters are used.
    #[error("user {role} has used every counter there is, up to {}: give it another EUI-64", u64::MAX)]
    CountersUsedUp {
        /// The user.
        role: UserRole,
    },
    /// The counter of the user's requests cannot be had or kept.
    #[error("nothing was sent: {0}")]
    Counter(#[from] CounterFault),
    /// Files of TLS that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// Too many requests wait for their answers.
    #[error("{limit} requests wait for their answers already, and no more may: take answers or give them up")]
    TooMany {
        /// How many may wait.
        limit: usize,
    },
    /// A request of this name waits for its answer already.
    #[error("request {request} still waits for its answer: wait for that before it is replayed")]
    StillOpen {
        /// The request.
        request: RequestId,
    },
    /// The request could not be signed.
    #[error("{sent} was not sent: {source}")]
    Sign {
        /// The request.
        sent: String,
        /// Why.
        source: Box<DsigError>,
    },
    /// No acknowledgement came from the DCC, or something else did.
    #[error("{sent} to {to}: expected an acknowledgement, found {found} after {}", seconds(*after))]
    Exchange {
        /// The request.
        sent: String,
        /// The address.
        to: String,
        /// What came, or what became of the connection.
        found: Found,
        /// How long it had taken.
        after: Duration,
    },
    /// No answer came by the deadline.
    #[error(
        "{sent} to {to} was acknowledged: expected its answer at {listener}, found none after {}{}",
        seconds(*after), other(*meanwhile)
    )]
    NoAnswer {
        /// The request.
        sent: String,
        /// The DCC.
        to: String,
        /// Where the answer should have come.
        listener: String,
        /// How long since it was sent.
        after: Duration,
        /// Messages that came and nobody has taken: alerts and stray answers.
        meanwhile: usize,
    },
    /// No answer will come: the DCC refused the request.
    #[error("request {request} was refused with {code}{}: no answer follows", meaning(*code))]
    Refused {
        /// The request.
        request: RequestId,
        /// The refusal.
        code: ResponseCode,
    },
    /// Nobody sent this request, or its answer was taken or given up.
    #[error("request {request} waits for no answer: it was not sent, or its answer was taken or given up")]
    NotOpen {
        /// The request.
        request: RequestId,
    },
    /// The alert did not come by the deadline.
    #[error("expected {expected} at {listener}, found {found} after {}", seconds(*after))]
    NoAlert {
        /// The alert waited for.
        expected: AlertMatcher,
        /// Where it should have come.
        listener: String,
        /// Other alerts that came, in words.
        found: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// No schedule brought the answer by the deadline.
    #[error("expected {expected} at {listener}, found none after {}", seconds(*after))]
    NoScheduled {
        /// The answer waited for.
        expected: ScheduledMatcher,
        /// Where it should have come.
        listener: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// There is no port to listen on, or this one is taken.
    #[error("the listener for answers cannot be started at {at}: {source}")]
    Listen {
        /// Where it should listen.
        at: SocketAddr,
        /// Why it does not.
        source: std::io::Error,
    },
    /// The DCC's address is none.
    #[error("{url:?} is not the address of a DCC ({reason}); expected one such as http://127.0.0.1:8079")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What came in place of an acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum Found {
    /// Nothing by the deadline.
    #[error("nothing")]
    Nothing,
    /// The user's earlier request is still unacknowledged, so this one was not sent.
    #[error("an earlier request of this user still unacknowledged, so that this one was not sent,")]
    NotItsTurn,
    /// No connection, or one that broke.
    #[error("no connection ({0})")]
    NoConnection(String),
    /// An HTTP status that says the request was not even read.
    #[error("HTTP status {status} {text:?}")]
    Status {
        /// The status.
        status: u16,
        /// The beginning of what came with it.
        text: String,
    },
    /// That it is asked too much, more often or for longer than is waited.
    #[error(
        "HTTP status {status} {attempts} times, the last with the wish to be asked again after {} s: too many requests for it, \
         or too little time left",
        pause.as_secs()
    )]
    Throttled {
        /// The status.
        status: u16,
        /// How often the request was sent.
        attempts: u32,
        /// How long it was to wait then.
        pause: Duration,
    },
    /// More octets than a message may have.
    #[error("a reply of more than {limit} octets")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Not an acknowledgement of this request.
    #[error("a reply that is refused: {0}")]
    Rejected(Box<Rejection>),
}

/// Why a message is not taken: the words of an HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Not a response, or a signature that does not hold.
    #[error("{0}")]
    Message(#[from] MessageError),
    /// Parts of the message that do not belong together, or do not belong to the request.
    #[error("{what} is {found}; expected {expected}")]
    Mismatch {
        /// The part.
        what: &'static str,
        /// What it says.
        found: String,
        /// What it should say.
        expected: String,
    },
}

impl From<Rejection> for Found {
    fn from(rejection: Rejection) -> Found {
        Found::Rejected(Box::new(rejection))
    }
}

impl Rejection {
    /// Nothing when `found` is `expected`.
    pub(super) fn unless_same<T: PartialEq + ToString>(
        what: &'static str,
        found: &T,
        expected: &T,
    ) -> Result<(), Rejection> {
        if found == expected {
            return Ok(());
        }
        Err(Rejection::Mismatch { what, found: found.to_string(), expected: expected.to_string() })
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn other(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" ({count} other messages are there that nobody has taken)"),
    }
}

fn meaning(code: ResponseCode) -> String {
    code.meaning().map(|meaning| format!(" ({meaning})")).unwrap_or_default()
}
