//! Why a fault cannot be brought about.

use lab_config::{DeviceKind, Path};

use super::GrammarError;
use crate::HandError;

/// Why a fault cannot be brought about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It is not said in the grammar of faults.
    #[error(transparent)]
    Grammar(#[from] GrammarError),
    /// The device cannot have it.
    #[error(transparent)]
    Hand(#[from] HandError),
    /// The rig has no such wire.
    #[error("rig {rig} has no simulated {path} path to its {device}")]
    NoPath {
        /// The rig.
        rig: String,
        /// The device.
        device: DeviceKind,
        /// The path.
        path: Path,
    },
    /// Several rigs, and none is named.
    #[error("the lab has several simulated rigs, {known}; say which, such as {first}/ESME")]
    WhichRig {
        /// The rigs.
        known: String,
        /// One of them.
        first: String,
    },
    /// Too many.
    #[error("{most} faults of the rig are armed already; clear some")]
    TooMany {
        /// The most there may be.
        most: usize,
    },
}
