//! What a run is asked to be.

use std::path::PathBuf;

use jiff::Timestamp;
use lab_config::{EpclEntry, Lab, Rig};
use proto_lab::record::RunId;
use scenarios::DataSet;

use super::{Hands, RunError};
use crate::evidence::{KeyName, LabKey};
use crate::queue::Plan;

/// Everything the dispatcher needs to run a plan on a rig.
pub struct Order {
    /// The lab, its links concrete.
    pub lab: Lab,
    /// The name of the rig in it.
    pub rig: String,
    /// What to run.
    pub plan: Plan,
    /// The test data sets to be in the devices.
    pub data_sets: Vec<DataSet>,
    /// Where run folders go.
    pub runs: PathBuf,
    /// The folder of the lab's keys, where what must outlive a run is kept.
    pub keys: PathBuf,
    /// The key that signs.
    pub key: LabKey,
    /// Who is asked to press keys.
    pub hands: Box<dyn Hands>,
    /// What whoever reads the records must know of how the rig was set up, each a note at the beginning of the run.
    pub remarks: Vec<String>,
    /// The run's name.
    pub run: RunId,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Order({} on {})", self.run, self.rig)
    }
}

impl Order {
    /// The rig.
    ///
    /// # Errors
    /// [`RunError::NoRig`].
    pub fn rig(&self) -> Result<&Rig, RunError> {
        self.lab.rig(&self.rig).ok_or_else(|| RunError::NoRig(self.rig.clone()))
    }

    /// The EPCL entry that the plan is for: of the rig's combination, and of the kind of installation its packs migrate.
    ///
    /// # Errors
    /// [`RunError::NoEntry`]: without a planned entry there is nothing a DMCT Report could be of (20.28(a)).
    pub fn entry(&self) -> Result<&EpclEntry, RunError> {
        let combination = &self.rig()?.combination.id;
        let found = self.plan.entry(&self.lab, combination);
        found
            .ok_or_else(|| RunError::NoEntry { combination: combination.to_string(), kind: self.plan.kind() })
    }
}

/// A new name for a run: when it began, and which of the 65,536 parts of that second it was. So names sort as they were made:
/// a controller that took the books of two started within one second in the wrong order once lost a run.
///
/// # Errors
/// [`RunError::Evidence`] for a time that no name can tell.
pub fn new_run_id(now: Timestamp) -> Result<RunId, RunError> {
    const SECOND: i64 = 1_000_000_000;
    let part = i64::from(now.subsec_nanosecond()).rem_euclid(SECOND) * 0x1_0000 / SECOND;
    let text = format!("{}-{part:04x}", now.strftime("%Y%m%dT%H%M%SZ"));
    text.parse().map_err(|e| RunError::Evidence(Box::new(e)))
}

/// The lab's signing key in this folder, made on first use.
///
/// # Errors
/// [`RunError::Evidence`] when it cannot be read or made, or others can read it.
pub fn lab_key(folder: &std::path::Path, lab: &Lab) -> Result<LabKey, RunError> {
    let name: KeyName = format!("{}-lab", lab.name).parse().map_err(|e| RunError::Evidence(Box::new(e)))?;
    LabKey::open(folder, &name).map_err(|e| RunError::Evidence(Box::new(e)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_sort_as_they_were_made(first in 0_i64..4_000_000_000_000_000, later in 16_i64..3_000_000) {
            let name = |micros| new_run_id(Timestamp::from_microsecond(micros).unwrap()).unwrap();
            prop_assert!(name(first).as_str() < name(first + later).as_str());
        }
    }
}
