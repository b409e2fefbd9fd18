//! The DMCT Report with the six contents of 20.28, and the pages that show the records behind it.
//!
//! Pure: a [`Ledger`](crate::gate::Ledger) and a [`DmctGate`](crate::gate::DmctGate) in, documents out as text. The
//! report is one value, [`DmctReport`]; JSON is that value as it is, HTML is the same value for people. Every figure and
//! every statement carries the records that made it, and every such reference is a link to a page that shows the record
//! with its bytes, so that a reader can go from a number to what crossed the line.

mod coverage;
mod document;
mod html;
mod make;
mod migrations;
mod pages;
mod witness;

#[cfg(test)]
mod tests;

pub use coverage::{Coverage, Covering, Target, VariantCovered};
pub use document::{
    Attempt, DeviceTested, DmctReport, EntryCovered, EvidenceOfRun, Failure, Figure, Figures, GroupFigures,
    IssueInReport, NotExecuted, Outcome, PackRun, PlannedEntry, ReportStatus, Resolution, SCHEMA,
    SystemTested, TestResult, UnexpectedAlert,
};
pub use html::{STYLE, report_html};
pub use make::{Places, make};
pub use migrations::{InstallationMigrated, MigrationEnded, Migrations};
pub use pages::{BlobSource, records_html, write_records};
pub use witness::{Ratio, WitnessCounts, WitnessReport, WitnessedScript, witness_html};
