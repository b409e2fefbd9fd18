//! The DCC: a stub of the Data Service Provider that stands between users and the S1SP as the real one does.
//!
//! ```text
//!            POST /api/v1/serviceS   ┌────────────┐ countersigned request
//! service ──────────────────────────>│ judge      │──────────────────────> S1spPort
//! user    <──────────────────────────│ forward    │<────────────────────── signed answer or alert
//!            I99, later POST answer  │ deliver    │
//!                                    └────────────┘
//! ```
//!
//! A request is judged in a fixed order (`judge`, pure); the first check that fails decides the response code. What passes
//! is acknowledged with I99 and waits for its turn (`line`); then it is countersigned and handed to the S1SP (`forward`).
//! What the S1SP answers is checked, signed again and posted to the listener the user registered (`deliver`). Read
//! Inventory (8.2) is answered at once from the [`Inventory`]. Queues are bounded, every wait has a deadline, and each
//! message is shown to the [`MessageTap`](crate::tap::MessageTap) as it crosses the DCC's edge. [`Dcc::quiesce`] makes
//! sure that no request given up by its user reaches a device later.
//!
//! What a user asks for later is kept: schedules (`schedule`) and future-dated requests (`held`), both pure, and both
//! carried out by `agenda`, which judges them once more when their time has come and puts them into the line.
//!
//! What the stub does not do: transforms (`serviceT`), which no SMETS1 request needs; and the DCC alert that tells a user of
//! a schedule the DCC took away, because its code is in no table to hand.

mod agenda;
mod deliver;
mod firmware;
mod forward;
mod held;
mod inventory;
mod judge;
mod line;
mod own;
mod schedule;
mod server;
mod standing;
mod users;

#[cfg(test)]
mod tests;

pub use deliver::Undelivered;
pub use firmware::{CentralProductsList, NO_DEVICE, NOT_LISTED, OTHER_VERSION, Product, UPDATED};
pub use forward::{S1spError, S1spPort, S1spReply};
pub use held::{NOT_HELD, TAKES_BACK};
pub use inventory::{
    Enrolment, Inventory, InventoryError, KNOWN_ALREADY, MPXN_TAKEN, NO_ROOM, NOT_FOR_ITS_TYPE,
    NOT_IN_THIS_STATUS, NOT_OF_ITS_TYPE, NOT_THE_NEXT_STATUS, NOT_TO_BE_DECOMMISSIONED,
};
pub use judge::{ANTI_REPLAY, Address, BAD_SIGNATURE};
pub use line::Quiet;
pub use schedule::{
    NEVER_DUE, NONE_TO_DELETE, NONE_TO_READ, NOTHING_TO_DELETE, NOTHING_TO_READ, START_PASSED,
    TOO_MANY_SCHEDULES,
};
pub use server::{AlertError, Clock, Dcc, DccConfig, DccError, ListenerError, Outside};
pub use users::{User, UserStatus, Users};
