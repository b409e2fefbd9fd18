//! Which parties write which file.

use super::SeenFile;
use crate::PartyRole::{
    self, CommissioningParty, Dco, Dsp, MigrationControl, RequestingParty, ResponsibleSupplier, S1sp, Smso,
};
use crate::{FileKind, Step};

/// The roles whose file this can be.
pub(super) const fn of(seen: &SeenFile) -> &'static [PartyRole] {
    match seen.kind {
        // Migration control writes for the DCC, which lets a dormant one be migrated.
        FileKind::Authorisation => &[ResponsibleSupplier, MigrationControl],
        // The Requesting Party hands on to the SMSO what it was asked for.
        FileKind::Demand => &[MigrationControl, RequestingParty],
        FileKind::Response | FileKind::Common | FileKind::Group => &[RequestingParty],
        FileKind::Estate => &[Smso],
        FileKind::Results => of_results(seen.step),
        FileKind::RequiredFileSet | FileKind::Commissioning | FileKind::KeyWrapRequest => &[S1sp],
        FileKind::WrappedKeys => &[Dco],
        FileKind::Rollback | FileKind::Outcome => &[MigrationControl],
    }
}

const fn of_results(step: Option<Step>) -> &'static [PartyRole] {
    match step {
        Some(Step::Preparation) => &[Smso],
        Some(Step::DataValidation | Step::Commissioning) => &[CommissioningParty, Dsp],
        Some(Step::Viability) => &[S1sp, Dco],
        Some(Step::DeviceContact) => &[S1sp],
        // Whoever did something undoes it and says so.
        Some(Step::Rollback) => &[Smso, S1sp, Dco, CommissioningParty, Dsp],
        None => &[],
    }
}
