//! The answer to a request that cannot be processed at all (`ExceptionResponse`).

use std::fmt;

use crate::octets::{DecodeError, Reader};

/// D8: why a request was not processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExceptionResponse {
    /// What the state of the association says.
    pub state: StateError,
    /// What is wrong with the service.
    pub service: ServiceError,
}

/// What the state of the association says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// 1: the service is not allowed, most often for want of an association.
    ServiceNotAllowed,
    /// 2: the service is not known.
    ServiceUnknown,
    /// Another code.
    Unlisted(u8),
}

/// What is wrong with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceError {
    /// 1: not possible.
    OperationNotPossible,
    /// 2: not supported.
    ServiceNotSupported,
    /// 3: another reason.
    OtherReason,
    /// 4: the APDU is too long.
    PduTooLong,
    /// 5: it could not be deciphered.
    DecipheringError,
    /// 6: the invocation counter is out of step.
    InvocationCounter {
        /// The counter the server expects, where it says.
        expected: Option<u32>,
    },
    /// Another code.
    Unlisted(u8),
}

impl ExceptionResponse {
    /// The answer to a service used without an association.
    pub const NOT_ASSOCIATED: Self =
        Self { state: StateError::ServiceNotAllowed, service: ServiceError::OperationNotPossible };
    /// The answer to a service the server does not speak, or that was not agreed.
    pub const NOT_SUPPORTED: Self =
        Self { state: StateError::ServiceUnknown, service: ServiceError::ServiceNotSupported };

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let state = match reader.u8("state error")? {
            1 => StateError::ServiceNotAllowed,
            2 => StateError::ServiceUnknown,
            other => StateError::Unlisted(other),
        };
        let service = match reader.u8("service error")? {
            1 => ServiceError::OperationNotPossible,
            2 => ServiceError::ServiceNotSupported,
            3 => ServiceError::OtherReason,
            4 => ServiceError::PduTooLong,
            5 => ServiceError::DecipheringError,
            6 if reader.is_empty() => ServiceError::InvocationCounter { expected: None },
            6 => {
                ServiceError::InvocationCounter { expected: Some(reader.u32("expected invocation counter")?) }
            }
            other => ServiceError::Unlisted(other),
        };
        Ok(Self { state, service })
    }

    pub(super) fn encode_to(self, out: &mut Vec<u8>) {
        let state = match self.state {
            StateError::ServiceNotAllowed => 1,
            StateError::ServiceUnknown => 2,
            StateError::Unlisted(code) => code,
        };
        let service = match self.service {
            ServiceError::OperationNotPossible => 1,
            ServiceError::ServiceNotSupported => 2,
            ServiceError::OtherReason => 3,
            ServiceError::PduTooLong => 4,
            ServiceError::DecipheringError => 5,
            ServiceError::InvocationCounter { .. } => 6,
            ServiceError::Unlisted(code) => code,
        };
        out.extend([0xD8, state, service]);
        if let ServiceError::InvocationCounter { expected: Some(expected) } = self.service {
            out.extend(expected.to_be_bytes());
        }
    }
}

impl fmt::Display for ExceptionResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            StateError::ServiceNotAllowed => f.write_str("service not allowed")?,
            StateError::ServiceUnknown => f.write_str("service unknown")?,
            StateError::Unlisted(code) => write!(f, "unlisted state error {code}")?,
        }
        match self.service {
            ServiceError::OperationNotPossible => f.write_str(", operation not possible"),
            ServiceError::ServiceNotSupported => f.write_str(", service not supported"),
            ServiceError::OtherReason => f.write_str(", other reason"),
            ServiceError::PduTooLong => f.write_str(", APDU too long"),
            ServiceError::DecipheringError => f.write_str(", deciphering error"),
            ServiceError::InvocationCounter { expected: None } => f.write_str(", invocation counter"),
            ServiceError::InvocationCounter { expected: Some(n) } => {
                write!(f, ", invocation counter, expected {n}")
            }
            ServiceError::Unlisted(code) => write!(f, ", unlisted service error {code}"),
        }
    }
}
