//! One party as a program of its own: what it is made of, and its door.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lab_config::{Eui64, InstallationType, Lab, TlsFiles};
use proto_duis::Signer;
use proto_migration::{Address, OpeningKey, PartyRole, Trust};

use super::super::RunError;
use super::super::keys::{certificate, part};
use super::cast;
use crate::execute::Stop;
use crate::migration::exchange::attend::{Attendant, Attended};
use crate::migration::exchange::door::{Door, Folder, Https, Listener, Listening};
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
    /// Where it stands, where that is not as the lab file has it.
    pub stand: Stand,
    /// What it signs with.
    pub key: PathBuf,
    /// What it opens secrets with.
    pub opening_key: Option<PathBuf>,
    /// Where what it has seen is kept; none for the folder it exchanges files by.
    pub state: Option<PathBuf>,
}

/// Where a party stands that runs by itself.
#[derive(Debug, Default)]
pub struct Stand {
    /// The folder it exchanges files by; none for the one of the lab file.
    pub folder: Option<PathBuf>,
    /// Where it listens for files posted to it; none for host and port of its URL in the lab file.
    pub listen: Option<SocketAddr>,
    /// What it shows over HTTPS, and whom it believes there.
    pub tls: Option<TlsFiles>,
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

impl PartyOrder {
    /// Its door, and in words where it is.
    ///
    /// # Errors
    /// [`RunError::Part`]: it has none, or it cannot be opened.
    async fn door(&self) -> Result<(Arc<dyn Door>, String), RunError> {
        let migration = &self.lab.migration;
        let (role, written) = (self.role, migration.door(self.role));
        let url = match (&self.stand.folder, written) {
            (Some(folder), _) | (None, lab_config::Door::Folder(folder)) => {
                let told = format!("waits for files in {}", folder.join("in").display());
                return Ok((Arc::new(Folder::of_party(folder).map_err(broken)?), told));
            }
            (None, lab_config::Door::Https(url)) => url,
            (None, lab_config::Door::Inside) => {
                let reason = format!(
                    "[migration.party.{role}] of the lab file has no folder and no url: there the {role} is inside"
                );
                return Err(broken(reason));
            }
        };
        let at = match self.stand.listen {
            Some(at) => at,
            None => resolved(url).await?,
        };
        let missing = |what: &str| broken(format!("the {role} exchanges files over HTTPS, and {what}"));
        let tls = self.stand.tls.clone().ok_or_else(|| {
            missing("has no certificate for it: --tls-ca FILE --tls-certificate FILE --tls-key FILE")
        })?;
        let control =
            migration.listen.ok_or_else(|| missing("the lab file has no `listen` in [migration]"))?;
        let listening = Listening::at(Some(at), Some(tls.clone()));
        let listener = Listener::of_party(&listening, url.path()).await.map_err(broken)?;
        let to = format!("https://{control}/{role}");
        let within = migration.limits.answer_within;
        let door = Https::new(&listener, PartyRole::MigrationControl, &to, Some(&tls), within);
        let told = format!("waits for files at {url}, and posts its own to {to}");
        Ok((Arc::new(door.map_err(broken)?), told))
    }
}

async fn resolved(url: &lab_config::HttpUrl) -> Result<SocketAddr, RunError> {
    let authority = url.authority().to_string();
    let found = tokio::net::lookup_host(&authority).await;
    let found =
        found.map_err(|error| broken(format!("{authority}: {error}; say where it listens: --listen")))?;
    let mut found = found;
    found.next().ok_or_else(|| broken(format!("{authority} is no address; say where it listens: --listen")))
}

fn broken(error: impl std::fmt::Display) -> RunError {
    part("party", error.to_string())
}

/// Takes files and answers them, until somebody asks it to stop. `began` is told where it waits for them.
///
/// # Errors
/// [`RunError::Part`] naming what is missing or broke.
pub async fn attend(
    order: PartyOrder,
    began: impl FnOnce(&str),
    told: impl FnMut(&Attended),
    stop: &Stop,
) -> Result<(), RunError> {
    can_stand_alone(&order)?;
    let written = order.lab.migration.party(order.role).and_then(|party| party.id);
    let me = cast::address(&order.lab, order.role, written.or(order.id))?;
    let (signer, trust) = believed(&order, me)?;
    let state = match order.state.clone().or_else(|| order.stand.folder.clone()) {
        Some(state) => state,
        None => return Err(broken("it has no folder to keep what it has seen in: set HARNESS_STATE to one")),
    };
    let party = cast::alone(&order, me, &state).await?;
    let spoiler = Spoiler::new(signer.clone());
    let store = cast::numbers(Some(&state), me);
    let (writer, _) = Writer::new(me, signer, &store, spoiler).map_err(broken)?;
    let (door, place) = order.door().await?;
    let kept = state.join("migration").join(format!("party-{}-{}", me.role, me.id));
    let attendant = Attendant::open(Member::new(party, writer), door.as_ref(), &trust, kept).await;
    let mut attendant = attendant.map_err(broken)?;
    began(&place);
    tokio::select! {
        ended = attendant.attend(told) => ended.map_err(broken),
        () = stop.wait() => Ok(()),
    }
}

/// Whether the party can be one that runs by itself in this lab.
///
/// # Errors
/// [`RunError::Part`]: why not.
fn can_stand_alone(order: &PartyOrder) -> Result<(), RunError> {
    let outside = |role| *order.lab.migration.door(role) != lab_config::Door::Inside;
    let reason = match order.role {
        PartyRole::MigrationControl => "migration control is what every file passes: it is `harness migrate`",
        PartyRole::Dsp => {
            "the DSP exchanges no files: the Commissioning Party asks it for registrations, and puts devices into its inventory"
        }
        PartyRole::Smso if !outside(PartyRole::S1sp) => {
            "the SMSO of this program reaches devices by the links that the S1SP inside migration control holds, and a link is one program's at a time; have the S1SP outside too, or the SMSO inside"
        }
        PartyRole::S1sp if !outside(PartyRole::Smso) => {
            "the S1SP of this program reaches devices by the links that the SMSO inside migration control holds, and a link is one program's at a time; have the SMSO outside too, or the S1SP inside"
        }
        _ => return Ok(()),
    };
    Err(broken(format!("the {} cannot be a program of its own: {reason}", order.role)))
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
