//! One party as a program of its own: what it is made of, and its door.

use std::path::{Path, PathBuf};

use lab_config::{Eui64, InstallationType, Lab};
use proto_duis::Signer;
use proto_migration::{Address, OpeningKey, PartyRole, Trust};

use super::super::RunError;
use super::super::keys::{certificate, part};
use super::cast;
use crate::execute::Stop;
use crate::migration::exchange::attend::{Attendant, Attended};
use crate::migration::exchange::door::Folder;
use crate::migration::exchange::{Member, Spoiler, Writer};

/// A party that is to run by itself.
#[derive(Debug)]
pub struct PartyOrder {
    /// The lab, as migration control has it.
    pub lab: Lab,
    /// Which party.
    pub role: PartyRole,
    /// Who it is, where the lab file does not say.
    pub id: Option<Eui64>,
    /// What the installations are.
    pub kind: Option<InstallationType>,
    /// The folder it exchanges files by.
    pub folder: PathBuf,
    /// What it signs with.
    pub key: PathBuf,
    /// What it opens secrets with.
    pub opening_key: Option<PathBuf>,
    /// Where what it has seen is kept; none for the folder it exchanges files by.
    pub state: Option<PathBuf>,
}

impl PartyOrder {
    /// What it opens secrets with.
    ///
    /// # Errors
    /// [`RunError::Part`]: no key is given, or it is none.
    pub(super) fn opening(&self) -> Result<OpeningKey, RunError> {
        let missing =
            || part("party", format!("the {} needs its opening key: --opening-key FILE", self.role));
        let file = self.opening_key.clone().ok_or_else(missing)?;
        let text = super::super::keys::pem(&lab_config::PrivateKeySource::File(file))?;
        OpeningKey::from_pem(&text).map_err(|error| part("party", error))
    }
}

/// Takes files and answers them, until somebody asks it to stop.
///
/// # Errors
/// [`RunError::Part`] naming what is missing or broke.
pub async fn attend(order: PartyOrder, told: impl FnMut(&Attended), stop: &Stop) -> Result<(), RunError> {
    let broken = |error: &dyn std::fmt::Display| part("party", error.to_string());
    let written = order.lab.migration.party(order.role).and_then(|party| party.id);
    let me = cast::address(&order.lab, order.role, written.or(order.id))?;
    let (signer, trust) = believed(&order, me)?;
    let state = order.state.clone().unwrap_or_else(|| order.folder.clone());
    let party = cast::alone(&order, me, &state).await?;
    let spoiler = Spoiler::new(signer.clone());
    let store = cast::numbers(Some(&state), me);
    let (writer, _) = Writer::new(me, signer, &store, spoiler).map_err(|error| broken(&error))?;
    let door = Folder::of_party(&order.folder).map_err(|error| broken(&error))?;
    let seen = state.join("migration").join(format!("seen-{}-{}", me.role, me.id));
    let attendant = Attendant::new(Member::new(party, writer), &door, &trust, seen);
    let mut attendant = attendant.map_err(|error| broken(&error))?;
    attendant.attend(told, || stop.asked()).await.map_err(|error| broken(&error))
}

/// What the party signs with, and whom it believes: everybody whose certificate the lab file names.
fn believed(order: &PartyOrder, me: Address) -> Result<(Signer, Trust), RunError> {
    let parties = &order.lab.migration.parties;
    let mut trust = Trust::new();
    for (role, party) in parties {
        if let Some(file) = &party.files.certificate {
            trust.add(
                cast::address(&order.lab, *role, party.id.or((*role == me.role).then_some(me.id)))?,
                certificate(file)?,
            );
        }
    }
    let own = parties.get(&me.role).and_then(|party| party.files.certificate.as_deref());
    let missing = || part("party", format!("[migration.party.{}] has no certificate", me.role));
    Ok((signer(own.ok_or_else(missing)?, &order.key)?, trust))
}

fn signer(certificate: &Path, key: &Path) -> Result<Signer, RunError> {
    let identity = lab_config::ClientIdentity {
        certificate: certificate.to_owned(),
        key: lab_config::PrivateKeySource::File(key.to_owned()),
    };
    super::super::keys::signer(&identity)
}
