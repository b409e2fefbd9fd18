//! Why a run could not be had, or ended without evidence. Everything else is a verdict.

use crate::driver::rig::ReachError;
use crate::execute::LedgerError;
use crate::link::lock::LockError;
use crate::station::StationError;

/// Why there is no run, or none whose evidence counts.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The lab has no such rig.
    #[error("the lab has no rig {0}")]
    NoRig(String),
    /// Nothing is planned for the rig's combination.
    #[error(
        "no EPCL entry, listed or planned, is for {}combination {combination}, so no DMCT Report could say what it is of \
         (20.28(a))",
        kind.map(|kind| format!("{kind} installations of ")).unwrap_or_default()
    )]
    NoEntry {
        /// The combination of the rig.
        combination: String,
        /// The kind of installation that the packs migrate, where they migrate any.
        kind: Option<lab_config::InstallationType>,
    },
    /// Another run holds the rig.
    #[error(transparent)]
    Held(#[from] LockError),
    /// A device cannot be spoken to as the lab file says.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// A station of the rig is not there.
    #[error(transparent)]
    Station(#[from] StationError),
    /// The evidence could not be begun.
    #[error("the evidence of the run could not be begun: {0}")]
    Evidence(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The evidence could not be gone on with; the run was stopped there.
    #[error("the run was stopped, because its evidence could not be written; it counts as an error")]
    Ledger(#[from] LedgerError),
    /// The service user, the DCC stub or the S1SP could not be started.
    #[error("the {part} could not be started: {reason}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// A test data set is not in the devices.
    #[error("test data set {set} is not in the devices, so nothing was run: {reason}")]
    DataSet {
        /// The data set.
        set: String,
        /// What could not be loaded, or what differs.
        reason: String,
    },
    /// A run cannot be resumed as it was begun.
    #[error("run {run} cannot be resumed: {reason}")]
    Resume {
        /// The run.
        run: String,
        /// What is not as it was.
        reason: String,
    },
    /// A person stopped it before its first record.
    #[error("stopped before the run began; nothing was done to the rig")]
    StoppedEarly,
}
