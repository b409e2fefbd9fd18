//! Why a device or the S1SP did not do what a user asked, as it reaches the user: a number and words in the answer's
//! `DebugInfo/SMETS1Debug`.
//!
//! The numbers are the lab's own; a real S1SP's are its manufacturer's.
//!
//! | number | meaning |
//! |---|---|
//! | 1000 + n | the device refused to give or take an attribute: data access result n |
//! | 2000 + n | the device refused to act: action result n |
//! | 3001 | no answer from the device |
//! | 3002 | the link is gone, busy or cannot be opened |
//! | 3003 | the device refuses the S1SP's password |
//! | 3004 | the device refuses the association otherwise, or lost it |
//! | 3005 | what came back makes no sense |
//! | 4001 | the Device Model has no such function |
//! | 4002 | the Device Model cannot express what was asked |
//! | 4003 | the lab file or the answer's form stands in the way |
//! | 5001 | the token was refused |

use lab_config::Function;
use proto_duis::mmc::FormError;
use proto_duis::{ResponsePayload, Smets1Debug, Srv, mmc::build};

use crate::driver::{DriverErrorKind, ReachError};

/// Most characters of the words in an answer (MMC type of `Error`).
const WORDS: usize = 250;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The device refused, or the way to it failed.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The Device Model's profile names no object for this function.
    #[error("the Device Model has no {0}")]
    NotModelled(Function),
    /// What was asked cannot be put into the device's objects.
    #[error("{0}")]
    NotExpressible(String),
    /// The device's value is not what its class says.
    #[error("unexpected value for {what}: found {found}")]
    Value {
        /// What was read.
        what: String,
        /// What came.
        found: String,
    },
    /// The answer does not fit its form.
    #[error("the device's answer does not fit MMC: {0}")]
    Form(#[from] FormError),
    /// The token was refused; what the meter said.
    #[error("token refused: {0}")]
    Token(String),
}

/// Why nothing came from a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It was asked and did not answer.
    NoAnswer,
    /// The way to it is gone.
    Unreachable,
}

impl Refusal {
    pub(super) fn value(what: impl ToString, found: &impl std::fmt::Debug) -> Refusal {
        let found: String = format!("{found:?}").chars().take(80).collect();
        Refusal::Value { what: what.to_string(), found }
    }

    /// The number of the table above.
    pub(super) fn code(&self) -> i64 {
        match self {
            Refusal::Reach(ReachError::Driver(error)) => driver_code(&error.kind),
            Refusal::Reach(ReachError::NoHub(_) | ReachError::NoPath { .. }) => 3002,
            Refusal::Reach(ReachError::NotDlms(_)) | Refusal::NotModelled(_) => 4001,
            Refusal::Reach(_) | Refusal::Form(_) => 4003,
            Refusal::NotExpressible(_) => 4002,
            Refusal::Value { .. } => 3005,
            Refusal::Token(_) => 5001,
        }
    }

    /// In which way the device could not be talked to at all, if so: then there is no answer of its to give, and the S1SP
    /// tells the user in an alert of its own.
    pub(super) fn silence(&self) -> Option<Silence> {
        match self.code() {
            3001 => Some(Silence::NoAnswer),
            3002 => Some(Silence::Unreachable),
            _ => None,
        }
    }

    /// The words for the answer. Links and frames are the lab's affair: the user is told what the device did.
    pub(super) fn words(&self) -> String {
        let words = match self {
            Refusal::Reach(ReachError::Driver(error)) => format!("{}: {}", error.context.request, error.kind),
            other => other.to_string(),
        };
        words.chars().take(WORDS).collect()
    }

    /// The answer that says that it failed, and why.
    pub(super) fn payload(&self, srv: Srv, fuel: build::Fuel) -> ResponsePayload {
        let (code, error, position) = (self.code(), self.words(), std::num::NonZeroU32::MIN);
        let debug = vec![Smets1Debug { code, error, position }];
        // An answer without data still says that it failed, by its reasons.
        ResponsePayload { data: build::failed(srv, fuel).ok(), debug }
    }
}

fn driver_code(kind: &DriverErrorKind) -> i64 {
    match kind {
        DriverErrorKind::Access(result) => 1000 + i64::from(result.code()),
        DriverErrorKind::Action(result) => 2000 + i64::from(result.code()),
        DriverErrorKind::NoAnswer(_) | DriverErrorKind::Gateway(_) => 3001,
        DriverErrorKind::Link(error) if error.kind == crate::link::LinkErrorKind::NoAnswer => 3001,
        DriverErrorKind::Link(_) => 3002,
        DriverErrorKind::WrongPassword => 3003,
        DriverErrorKind::AssociationRefused(_) | DriverErrorKind::Exception(_) => 3004,
        _ => 3005,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::DriverError;
    use proto_dlms::data::{ActionResult, DataAccessResult};

    fn driver(kind: DriverErrorKind) -> Refusal {
        let context = crate::driver::Context { request: "GET this".into(), ..Default::default() };
        Refusal::Reach(ReachError::Driver(DriverError { kind, context: Box::new(context) }))
    }

    #[test]
    fn refusals_have_the_numbers_of_the_table() {
        for (refusal, code) in [
            (driver(DriverErrorKind::Access(DataAccessResult::ReadWriteDenied)), 1003),
            (driver(DriverErrorKind::Action(ActionResult::OtherReason)), 2250),
            (driver(DriverErrorKind::NoAnswer("after 5 s".into())), 3001),
            (driver(DriverErrorKind::WrongPassword), 3003),
            (driver(DriverErrorKind::Block("out of step".into())), 3005),
            (Refusal::NotModelled(Function::Clock), 4001),
            (Refusal::Token("duplicate".into()), 5001),
        ] {
            assert_eq!(refusal.code(), code, "{refusal}");
            assert!(refusal.words().chars().count() <= WORDS);
        }
    }

    #[test]
    fn a_refused_request_says_so_in_the_form_of_its_answer() {
        let payload = Refusal::Token("duplicate".into()).payload(Srv::TopUpDevice, build::Fuel::Electricity);
        assert!(!payload.succeeded());
        assert_eq!(payload.debug[0].error, "token refused: duplicate");
    }
}
