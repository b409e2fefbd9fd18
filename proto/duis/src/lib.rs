//! DUIS and MMC messages with their XML signatures.
//!
//! DUIS is the XML a DCC user and the DCC exchange; MMC is the form in which a device's answer is put in it. This crate
//! makes, reads, signs and checks those messages for SMETS1 devices. It does no I/O and reads no clock.
//!
//! ```text
//! user ── Request, signed ──> DCC ── countersigned Request ──> S1SP ──> device
//! user <── Response, signed by the DCC, holding SMETS1SignedResponse, signed by the S1SP
//! ```

#[macro_use]
mod text;

mod identity;
mod response_code;
mod srv;
pub mod utrn;
mod vocabulary;

pub use identity::{Eui64, Eui64Error, MessageIdError, RequestId, ResponseId};
pub use response_code::{ResponseCode, ResponseCodeError};
pub use srv::{Smets1Use, Srv, Unverified};
pub use text::UnknownWord;
pub use vocabulary::{AlertCode, AlertCodeError, DeviceKind, DeviceStatus, UserRole};
