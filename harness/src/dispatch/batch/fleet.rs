//! The devices of a group's installations, met one after another and left alone when the group has ended: what the S1SP and the
//! SMSO of a batch reach through.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lab_config::{Dcc, DccInterface, DeviceKind, EpclEntry, Eui64, Lab, Rig};
use proto_duis::pki::Authority;
use proto_duis::{Signer, TrustStore};
use proto_lab::record::{Direction, Message};
use proto_migration::{CommonInstallation, Holder, Secrets};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::super::devices::{self, AtDevices};
use super::super::estate::{installation, meter_points};
use super::super::run::{PUSHES, claim};
use super::super::stub::{OUTBOX, network_operators, suppliers};
use super::super::{Book, RunError};
use super::PartyOrder;
use crate::driver::{RigLinks, rig};
use crate::link::lock::{Claim, LockFolder};
use crate::link::{NoTap, SharedTap};
use crate::migration::party::{BoxFuture, ContactReport, Contacts, KeyWrap, KnownEstate, Refused, Smso};
use crate::migration::rig_smso::{self, RigSmso};
use crate::migration::{Code, checks};
use crate::s1sp::{Asleep, S1sp, S1spAlertMessage, S1spParts, SecretStore};

/// How often a hub is called that does not answer.
const CALLS: u32 = 3;
/// How long to wait between two calls.
const PAUSE: Duration = Duration::from_millis(300);

/// How long devices of these rigs that sleep may have to be waited for: each wakes once in its interval, and one whose wake was
/// missed at the next.
pub(super) fn sleepers<'r>(rigs: impl Iterator<Item = &'r Rig>) -> Duration {
    let wakes = rigs.flat_map(Rig::devices).filter_map(|device| device.model.wake_interval());
    wakes.map(|wake| wake.duration() * 2).max().unwrap_or_default()
}

/// What a fleet is met with.
pub(super) struct Means<'a> {
    pub(super) lab: &'a Lab,
    /// What the S1SP signs with, and whose requests it would serve.
    pub(super) s1sp: (&'a Signer, &'a TrustStore),
    pub(super) state: Option<&'a Path>,
    /// Where alerts go; none lets them go.
    pub(super) book: Option<&'a Book>,
    pub(super) tap: &'a SharedTap,
    pub(super) run: &'a str,
}

/// One installation, met.
struct Berth {
    devices: AtDevices,
    smso: RigSmso,
    _alerts: AbortOnDropHandle<()>,
    _claim: Claim,
}

/// The installations of a group.
#[derive(Default)]
pub(super) struct Fleet(BTreeMap<Eui64, Berth>);

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Fleet {
    /// Meets these installations. One that cannot be had is left out, and why is said.
    pub(super) async fn meet<'a>(
        means: &Means<'_>,
        rigs: impl Iterator<Item = (&'a Rig, &'a EpclEntry)>,
    ) -> (Self, Vec<(Eui64, String)>) {
        let (mut berths, mut left) = (BTreeMap::new(), Vec::new());
        for (rig, entry) in rigs {
            match berth(means, rig, entry).await {
                Ok(berth) => drop(berths.insert(installation(rig), berth)),
                Err(error) => left.push((installation(rig), error.to_string())),
            }
        }
        (Self(berths), left)
    }

    /// Meets all installations of a lab for one party that runs by itself.
    ///
    /// # Errors
    /// [`RunError::Part`]: one of them cannot be had.
    pub(super) async fn for_party(
        order: &PartyOrder,
        state: &Path,
        rigs: &[(&Rig, &EpclEntry)],
    ) -> Result<Self, RunError> {
        let unmade = |error: &dyn std::fmt::Display| super::super::keys::part("party", error.to_string());
        let signer =
            Authority::new("Lab").and_then(|lab| lab.issue("S1SP")).map_err(|error| unmade(&error))?;
        let (trust, tap) = (TrustStore::new(), NoTap::shared());
        let run = order.role.word();
        let (lab, state) = (&order.lab, Some(state));
        let means = Means { lab, s1sp: (&signer, &trust), state, book: None, tap: &tap, run };
        let (fleet, left) = Self::meet(&means, rigs.iter().copied()).await;
        match left.first() {
            None => Ok(fleet),
            Some((installation, reason)) => Err(unmade(&format!("{installation}: {reason}"))),
        }
    }

    /// Which installations.
    pub(super) fn installations(&self) -> impl Iterator<Item = Eui64> + '_ {
        self.0.keys().copied()
    }

    fn of(&self, installation: Eui64) -> Result<&Berth, Refused> {
        let unknown = || {
            let reason = format!("{installation} is not among the installations of this group");
            Refused::new(Code::NotBrought, reason)
        };
        self.0.get(&installation).ok_or_else(unknown)
    }
}

async fn berth(means: &Means<'_>, declared: &Rig, entry: &EpclEntry) -> Result<Berth, RunError> {
    let Dcc::Stub(interface) = &means.lab.dcc else {
        let reason = "the DCC of this lab is somebody else's: the harness migrates no installation into it";
        return Err(super::super::keys::part("migration", reason));
    };
    let claim = claim(means.lab, declared, means.run, LockFolder::default())?;
    let (sender, pushes) = mpsc::channel(PUSHES);
    let hub = call(declared, means.tap, &sender).await?;
    let links = RigLinks::new(Arc::new(declared.clone()), hub, Arc::clone(means.tap));
    let kind = checks::kind(entry.installation_type);
    let points = meter_points(means.lab, (declared, entry));
    let known = rig_smso::declared(declared, installation(declared), kind, Vec::new(), points);
    let smso = RigSmso::new(&links, known);
    let (outbox, alerts) = mpsc::channel(OUTBOX);
    let s1sp = Arc::new(S1sp::start(s1sp_parts(means, interface, links.clone(), pushes, outbox)?));
    let alerts = tokio::spawn(keep(alerts, means.book.cloned()));
    let devices = AtDevices { s1sp, links, book: means.book.cloned(), asleep: Asleep::WaitedFor };
    Ok(Berth { devices, smso, _alerts: AbortOnDropHandle::new(alerts), _claim: claim })
}

fn s1sp_parts(
    means: &Means<'_>,
    interface: &DccInterface,
    links: RigLinks,
    pushes: mpsc::Receiver<crate::driver::Push>,
    outbox: mpsc::Sender<S1spAlertMessage>,
) -> Result<S1spParts, RunError> {
    let store = SecretStore::for_rig(links.rig(), means.state);
    let store = store.map_err(|error| super::super::keys::part("S1SP", error))?;
    Ok(S1spParts {
        links,
        pushes,
        signer: means.s1sp.0.clone(),
        trust: means.s1sp.1.clone(),
        suppliers: suppliers(means.lab, interface)?,
        network_operators: network_operators(means.lab, interface),
        anchors: Vec::new(),
        store,
        asleep: Asleep::WaitedFor,
        outbox,
    })
}

/// Connects to the hub of a rig that has one. One that does not answer is called again, and left to data validation and
/// device contact then.
async fn call(
    declared: &Rig,
    tap: &SharedTap,
    pushes: &mpsc::Sender<crate::driver::Push>,
) -> Result<Option<crate::driver::Hub>, RunError> {
    let Some(chf) = declared.device(DeviceKind::Chf) else { return Ok(None) };
    for call in 1..=CALLS {
        match rig::connect_hub(declared, chf, Arc::clone(tap), pushes.clone()).await {
            Ok(hub) => return Ok(Some(hub)),
            Err(error) if call == CALLS => tracing::warn!("{}: {error}", declared.name),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    Ok(None)
}

/// Alerts of devices on their way between two parties are for nobody yet; they are kept.
async fn keep(mut alerts: mpsc::Receiver<S1spAlertMessage>, book: Option<Book>) {
    while let Some(alert) = alerts.recv().await {
        let Some(book) = &book else { continue };
        let (what, octets) = match &alert {
            S1spAlertMessage::Device(signed) => ("device alert", signed.xml().as_bytes()),
            S1spAlertMessage::S1sp(signed) => ("S1SP alert", signed.xml().as_bytes()),
            S1spAlertMessage::Progress(words) => {
                devices::say(Some(book), "S1SP", words.clone());
                continue;
            }
        };
        let message = |blob| Message {
            direction: Direction::Received,
            party: "S1SP".to_owned(),
            what: what.to_owned(),
            blob,
            intent: None,
        };
        // Evidence that cannot be written stops the run at its next record.
        drop(book.write_message(octets, message));
    }
}

impl Contacts for Fleet {
    fn viable(&self, declared: &CommonInstallation, secrets: &Secrets) -> Result<(), Refused> {
        self.of(declared.installation)?.devices.viable(declared, secrets)
    }

    fn new_keys(&self, declared: &CommonInstallation, secrets: &Secrets) -> Secrets {
        let berth = self.of(declared.installation);
        berth.map(|berth| berth.devices.new_keys(declared, secrets)).unwrap_or_default()
    }

    fn contact<'a>(
        &'a self,
        declared: &'a CommonInstallation,
        secrets: &'a Secrets,
        wrap: &'a dyn KeyWrap,
    ) -> BoxFuture<'a, ContactReport> {
        match self.of(declared.installation) {
            Ok(berth) => berth.devices.contact(declared, secrets, wrap),
            Err(refused) => {
                let failed = crate::migration::party::DeviceReport::Failed(refused);
                let devices = BTreeMap::from([(declared.installation, failed)]);
                Box::pin(async move { ContactReport { devices } })
            }
        }
    }

    fn give_back(&self, installation: Eui64) -> BoxFuture<'_, Result<String, String>> {
        match self.of(installation) {
            Ok(berth) => berth.devices.give_back(installation),
            Err(refused) => Box::pin(async move { Err(refused.to_string()) }),
        }
    }

    fn hold<'a>(&'a self, installation: Eui64, holders: &'a [(Eui64, Holder)]) -> BoxFuture<'a, ()> {
        match self.of(installation) {
            Ok(berth) => berth.devices.hold(installation, holders),
            Err(_) => Box::pin(async {}),
        }
    }
}

impl Smso for Fleet {
    fn estate(&self, installation: Eui64) -> BoxFuture<'_, Result<KnownEstate, Refused>> {
        match self.of(installation) {
            Ok(berth) => berth.smso.estate(installation),
            Err(refused) => Box::pin(async move { Err(refused) }),
        }
    }

    fn prepare(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        match self.of(installation) {
            Ok(berth) => berth.smso.prepare(installation),
            Err(refused) => Box::pin(async move { Err(refused) }),
        }
    }

    fn reach(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            let berth = self.of(installation)?;
            // A device keeps one association for a client: the S1SP leaves before the SMSO comes.
            berth.devices.s1sp.rest().await;
            berth.smso.reach(installation).await
        })
    }
}
