//! Gates: may a DMCT Report be issued for a Device Model Combination, and has the combination passed (clause 20)?
//!
//! Pure folds. [`Ledger`] gathers the records of one or more runs of one combination into what each script came to, which
//! issues were raised, and what was running; [`DmctGate`] holds that against the criteria of 20.13 to 20.28. Every
//! criterion cites its clause and the records that made it. [`Regression`] holds a regression pack against its baseline.

mod criteria;
mod ledger;
mod regression;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use criteria::{Criterion, DmctGate, DmctResult, GateInput, MigrationTesting, NeededFor, StandardPack};
pub use ledger::{
    AlertEntry, AttemptEntry, CaseEntry, FailedStep, IssueEntry, Ledger, MigrationEntry, RecordRef, RunEntry,
    RunRecords,
};
pub use regression::{Against, Compared, Regression};
