//! `harness migrate`: installations from their SMSO to the DCC and back, in batches; migration files explained; one party by
//! itself.

mod batch;
mod party;
mod progress;
mod show;

use super::arguments::{Migrate, MigrateVerb};
use super::{Exit, Failure};

pub(super) async fn migrate(verb: &Migrate) -> Result<Exit, Failure> {
    match &verb.verb {
        None => batch::batch(&verb.batch).await,
        Some(MigrateVerb::Show(show)) => show::show(show),
        Some(MigrateVerb::Party(party)) => party::party(party).await,
    }
}
