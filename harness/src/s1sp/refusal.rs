//! Why a device or the S1SP did not do what a user asked, as it reaches the user: a number and words in the answer's
//! `DebugInfo/SMETS1Debug` where the device, or its model, says no; no answer where the lab failed.
//!
//! The difference decides verdicts: a script that expects a refusal must not pass because a password was wrong. The
//! numbers are the lab's own; a real S1SP's are its manufacturer's.
//!
//! | number | meaning | the user gets |
//! |---|---|---|
//! | 1000 + n | the device refused to give or take an attribute: data access result n | an answer, not a success |
//! | 2000 + n | the device refused to act: action result n | an answer, not a success |
//! | 3001 | no answer from the device | E21 and an alert |
//! | 3002 | the link is gone, busy or cannot be opened | E20 and an alert |
//! | 3003 | the device refuses the S1SP's password | E20 and an alert |
//! | 3004 | the device refuses the association otherwise, or lost it | E20 and an alert |
//! | 3005 | what came back makes no sense | E21 and an alert |
//! | 3006 | a change was sent, and nobody knows whether it was carried out | E21 and an alert that says so |
//! | 3007 | a change was sent, and was withdrawn before the device had it | E21 and an alert |
//! | 4001 | the Device Model has no such function | an answer, not a success |
//! | 4002 | the Device Model cannot express what was asked | an answer, not a success |
//! | 4003 | the lab file or the answer's form stands in the way | E20 and an alert |
//! | 4004 | this S1SP does not carry the variant out | an answer, not a success |
//! | 4005 | the credentials held for the device are another's, or the counter was used | an answer, not a success |
//! | 4006 | the certificates may not be held for the party that sent them | an answer, not a success |
//! | 5001 | the token was refused | an answer, not a success, and an alert |

use lab_config::Function;
use proto_duis::mmc::FormError;
use proto_duis::mmc::build::JoinOutcome;
use proto_duis::{MmcBody, ResponsePayload, Smets1Debug, Srv, mmc::build};

use super::store::StoreError;
use crate::driver::{DriverErrorKind, ReachError};

/// Most characters of the words in an answer (MMC type of `Error`).
const WORDS: usize = 250;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The device refused, or the way to it failed.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The Device Model's profile names no object for this function.
    #[error("the Device Model has no {0}")]
    NotModelled(Function),
    /// The variant is one this S1SP has no operation for.
    #[error("this S1SP does not carry out {0} {name}", name = .0.name())]
    NotCarriedOut(Srv),
    /// The user's credentials are not those held for the device, or the counter of its request was used.
    #[error("{0}")]
    NotHeld(String),
    /// Certificates that may not be held for the party that sent them.
    #[error("{0}")]
    Credentials(String),
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
    /// Something that changes the device was sent, and what became of it is not known.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// What was asked is not done, though it was on its way.
    #[error("{0}")]
    NotDone(String),
    /// Two devices were not joined or unjoined; why, in the answer's words and in the device's.
    #[error("{why}")]
    NotJoined {
        /// In the answer's.
        outcome: JoinOutcome,
        /// In the device's.
        why: Box<Refusal>,
    },
    /// The S1SP's store of secrets cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token was refused; what the meter said.
    #[error("token refused: {0}")]
    Token(String),
}

/// Why there is no answer of a device to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotServed {
    /// It was asked, and nothing came that is an answer.
    NoAnswer,
    /// It cannot be asked: the way to it is gone, or the S1SP is not let in.
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
            Refusal::Reach(_) | Refusal::Form(_) | Refusal::Store(_) => 4003,
            Refusal::NotExpressible(_) => 4002,
            Refusal::NotCarriedOut(_) => 4004,
            Refusal::NotHeld(_) => 4005,
            Refusal::Credentials(_) => 4006,
            Refusal::Value { .. } => 3005,
            Refusal::OutcomeUnknown(_) => 3006,
            Refusal::NotDone(_) => 3007,
            Refusal::NotJoined { why, .. } => why.code(),
            Refusal::Token(_) => 5001,
        }
    }

    /// The lab failed, and not the device: then there is no answer of the device to give, and the S1SP tells the user why
    /// in an alert of its own.
    pub(crate) fn not_served(&self) -> Option<NotServed> {
        match self.code() {
            3001 | 3005..=3007 => Some(NotServed::NoAnswer),
            3002..=3004 | 4003 => Some(NotServed::Unreachable),
            _ => None,
        }
    }

    /// Whether nothing at all came from the device.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self.code(), 3001 | 3002 | 3007)
    }

    /// Whether something that changes the device was sent and nobody knows what became of it.
    pub(super) fn outcome_is_unknown(&self) -> bool {
        match self {
            Refusal::Reach(ReachError::Driver(error)) => error.outcome_is_unknown(),
            Refusal::OutcomeUnknown(_) => true,
            Refusal::NotJoined { why, .. } => why.outcome_is_unknown(),
            _ => false,
        }
    }

    /// The words for the answer. Links and frames are the lab's affair: the user is told what the device did.
    pub(crate) fn words(&self) -> String {
        let words = match self {
            Refusal::Reach(ReachError::Driver(error)) => format!("{}: {}", error.context.request, error.kind),
            Refusal::NotJoined { why, .. } => why.words(),
            other => other.to_string(),
        };
        words.chars().take(WORDS).collect()
    }

    /// The answer that says that it failed, and why.
    pub(super) fn payload(&self, srv: Srv, fuel: build::Fuel) -> ResponsePayload {
        let (code, error, position) = (self.code(), self.words(), std::num::NonZeroU32::MIN);
        let debug = vec![Smets1Debug { code, error, position }];
        // An answer without data still says that it failed, by its reasons.
        ResponsePayload { data: self.data(srv, fuel), debug }
    }

    fn data(&self, srv: Srv, fuel: build::Fuel) -> Option<MmcBody> {
        match self {
            Refusal::NotJoined { outcome, .. } => build::joined(srv, *outcome).ok(),
            _ => build::failed(srv, fuel).ok(),
        }
    }
}

fn driver_code(kind: &DriverErrorKind) -> i64 {
    match kind {
        DriverErrorKind::Access(result) => 1000 + i64::from(result.code()),
        DriverErrorKind::Action(result) => 2000 + i64::from(result.code()),
        DriverErrorKind::NoAnswer(_) | DriverErrorKind::Gateway(_) => 3001,
        DriverErrorKind::Link(error) if error.kind == crate::link::LinkErrorKind::NoAnswer => 3001,
        DriverErrorKind::Link(_) => 3002,
        DriverErrorKind::WrongPassword | DriverErrorKind::WrongKeys(_) => 3003,
        DriverErrorKind::AssociationRefused(_)
        | DriverErrorKind::Exception(_)
        | DriverErrorKind::InvocationCounter { .. } => 3004,
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
    fn only_what_the_device_or_its_model_refuses_is_an_answer() {
        let refused = [
            driver(DriverErrorKind::Access(DataAccessResult::ReadWriteDenied)),
            driver(DriverErrorKind::Action(ActionResult::OtherReason)),
            Refusal::NotModelled(Function::Clock),
            Refusal::NotExpressible("block prices".into()),
            Refusal::NotHeld("another's".into()),
            Refusal::Credentials("no root".into()),
            Refusal::Token("duplicate".into()),
        ];
        assert!(refused.iter().all(|refusal| refusal.not_served().is_none()));
        for (refusal, not_served) in [
            (driver(DriverErrorKind::NoAnswer("after 5 s".into())), NotServed::NoAnswer),
            (Refusal::value(Function::Clock, &"noise"), NotServed::NoAnswer),
            (driver(DriverErrorKind::WrongPassword), NotServed::Unreachable),
            (driver(DriverErrorKind::Exception("service not allowed".into())), NotServed::Unreachable),
            (Refusal::Reach(ReachError::NoHub("ESME".into())), NotServed::Unreachable),
            (build::failed(Srv::ReadInventory, build::Fuel::Gas).unwrap_err().into(), NotServed::Unreachable),
        ] {
            assert_eq!(refusal.not_served(), Some(not_served), "{refusal}");
        }
    }

    #[test]
    fn a_refused_request_says_so_in_the_form_of_its_answer() {
        let payload = Refusal::Token("duplicate".into()).payload(Srv::TopUpDevice, build::Fuel::Electricity);
        assert!(!payload.succeeded());
        assert_eq!(payload.debug[0].error, "token refused: duplicate");
    }
}
