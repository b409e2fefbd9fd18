//! The parties of a lab that are outside: their doors, and by what their files and their secrets are known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lab_config::{Lab, MigrationParty};
use proto_duis::Certificate;
use proto_migration::{Address, PartyRole, SealingKey};

use super::super::RunError;
use super::super::keys::{certificate, part};
use super::cast;
use crate::migration::exchange::door::{Door, DoorError, Folder, Https, Listener, Listening};

/// The longest a file is sent by a door of POSTs: the exchange gives up sooner, by what the file asks for.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A party outside.
pub(super) struct Outsider {
    pub(super) door: Arc<dyn Door>,
    pub(super) certificate: Certificate,
    /// What secrets for it are sealed to, where it gets any.
    pub(super) seal_to: Option<SealingKey>,
}

/// All of them. Their doors are open as long as this is kept.
#[derive(Default)]
pub(super) struct Outsiders {
    parties: BTreeMap<Address, Outsider>,
    /// What whoever reads the records must know of the doors.
    told: Vec<String>,
}

impl Outsiders {
    /// Opens a door to each.
    ///
    /// # Errors
    /// [`RunError::Part`] naming what is missing or cannot be opened.
    pub(super) async fn open(lab: &Lab) -> Result<Self, RunError> {
        let mut all = Self::default();
        let posts: Vec<PartyRole> = lab
            .migration
            .outside()
            .filter(|role| matches!(lab.migration.door(*role), lab_config::Door::Https(_)))
            .collect();
        let listener = match posts.is_empty() {
            true => None,
            false => {
                let listening = Listening::at(lab.migration.listen, lab.migration.tls.clone());
                Some(Listener::open(&listening, posts).await.map_err(closed)?)
            }
        };
        for role in lab.migration.outside() {
            let Some(party) = lab.migration.party(role) else { continue };
            let address = cast::address(lab, role, party.id)?;
            let (door, told) = door(lab, role, party, listener.as_ref())?;
            all.told.push(format!("the {address} is outside, {told}"));
            all.parties.insert(address, outsider(role, party, door)?);
        }
        Ok(all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parties.is_empty()
    }

    pub(super) fn get(&self, address: Address) -> Option<&Outsider> {
        self.parties.get(&address)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Address, &Outsider)> {
        self.parties.iter().map(|(address, outsider)| (*address, outsider))
    }

    pub(super) fn told(&self) -> &[String] {
        &self.told
    }
}

fn closed(error: DoorError) -> RunError {
    part("door of a party", error)
}

fn door(
    lab: &Lab,
    role: PartyRole,
    party: &MigrationParty,
    listener: Option<&Arc<Listener>>,
) -> Result<(Arc<dyn Door>, String), RunError> {
    match (&party.door, listener) {
        (lab_config::Door::Folder(folder), _) => {
            let told = format!("by the folder {}", folder.display());
            Ok((Arc::new(Folder::of_control(folder).map_err(closed)?), told))
        }
        (lab_config::Door::Https(url), Some(listener)) => {
            let (to, tls) = (url.to_string(), lab.migration.tls.as_ref());
            let door = Https::new(listener, role, &to, tls, LONGEST).map_err(closed)?;
            Ok((Arc::new(door), format!("at {to}, and posts its files to {}", listener.url(role))))
        }
        _ => Err(part("door of a party", format!("the {role} has no door"))),
    }
}

fn outsider(role: PartyRole, party: &MigrationParty, door: Arc<dyn Door>) -> Result<Outsider, RunError> {
    let missing = |what: &str| {
        part(
            "door of a party",
            format!(
                "[migration.party.{role}] has no {what}: without it no file of a party outside is believed"
            ),
        )
    };
    let file = party.files.certificate.as_deref().ok_or_else(|| missing("certificate"))?;
    let seal_to = party.files.seal_to.as_deref().map(sealing_key).transpose()?;
    Ok(Outsider { door, certificate: certificate(file)?, seal_to })
}

pub(super) fn sealing_key(file: &std::path::Path) -> Result<SealingKey, RunError> {
    let wrong =
        |error: &dyn std::fmt::Display| part("door of a party", format!("{}: {error}", file.display()));
    let pem = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    SealingKey::from_pem(&pem).map_err(|error| wrong(&error))
}
