//! What waits to be run, and on which rig: pure, without a clock or files.
//!
//! A [`Plan`] is what one run will do: every script of its packs, each row of each data table, in order, with those that do
//! not apply to the Device Model Combination said to be so beforehand. A [`Queue`] holds plans until their rig is free; the
//! dispatcher takes one at a time for each rig (C5: a rig belongs to one run at a time).

mod plan;
mod waiting;

pub use plan::{Item, Plan, PlanError, Selection};
pub use waiting::{Full, Queue};
