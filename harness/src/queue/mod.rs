//! What waits to be run, and on which rig: pure, without a clock or files.
//!
//! A [`Plan`] is what one run will do: every script of its packs, each row of each data table, in order, with those that do
//! not apply to the Device Model Combination said to be so beforehand. A [`Queue`] holds plans until their rig is free; the
//! dispatcher takes one at a time for each rig (C5: a rig belongs to one run at a time).
//!
//! Where a lab is run by a controller, what waits is part of the lab's state
//! ([`LabState`](proto_lab::record::book::LabState)), and what may be done to it is decided here: [`decide`] says what records
//! an act makes, or why it is refused; [`expired`] which leases have ended; [`next`] what can begin.

mod act;
mod decide;
mod plan;
mod waiting;

pub use act::{Action, Asked, Lease, LeaseError, Refusal, RefusalKind};
pub use decide::{MOST_WAITING, decide, expired, next, next_expiry};
pub use plan::{Item, Plan, PlanError, Selection};
pub use waiting::{Full, Queue};
