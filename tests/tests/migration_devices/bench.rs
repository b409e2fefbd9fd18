//! Simulated installations on their real sockets and pseudo-terminals, with the three who talk to them: the SMSO, the S1SP,
//! and the Dual Control Organisation beside it.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use device_sim::{Estate, SimClock, StateFolder};
use harness::driver::{Client, Credential, Hub, Push, ReachError, RigLinks, Session, rig};
use harness::link::{NoTap, SharedTap};
use harness::migration::Code;
use harness::migration::party::{BoxFuture, ContactReport, Contacts, KeyWrap, KnownEstate, Refused, Smso};
use harness::migration::rig_smso::{RigSmso, declared};
use harness::s1sp::{Asleep, PartiesByFuel, S1sp, S1spAlertMessage, S1spParts, SecretStore};
use lab_config::{DeviceKind, Eui64, Lab, Path, Rig, RigDevice};
use lab_tests::repository;
use proto_dlms::security::{Key, wrap_key};
use proto_duis::TrustStore;
use proto_duis::pki::Authority;
use proto_migration::{CommonInstallation, InstallationKind, Secret, SecretKind, Secrets};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// How long anything may take that takes no time.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// An installation in the hands of its SMSO.
pub(crate) struct Bench {
    pub(crate) estate: Estate,
    pub(crate) rig: Arc<Rig>,
    hub: Hub,
    tap: SharedTap,
    pub(crate) smso: RigSmso,
    /// What the harness keeps over its death, and the lab file's secrets beside it.
    pub(crate) folder: TempDir,
    alerts: std::sync::Mutex<Option<mpsc::Receiver<Push>>>,
}

/// An S1SP, and the ways to the devices as it sees them.
pub(crate) struct Running {
    pub(crate) s1sp: Arc<S1sp>,
    pub(crate) links: RigLinks,
    pub(crate) outbox: mpsc::Receiver<S1spAlertMessage>,
}

/// The embedded lab and the lab of the cohorts, with secrets in files, so that devices outlive the S1SP; `changes` of the
/// text must all be there to be made.
pub(crate) fn lab_in(folder: &FilePath, name: &str, changes: &[(&str, &str)]) -> Lab {
    let path = repository().join("lab-config/labs").join(name);
    let mut text = std::fs::read_to_string(path).expect("a lab file");
    for (from, to) in changes {
        assert!(text.contains(from), "{name} no longer says {from}");
        text = text.replace(from, to);
    }
    let mut number = 0;
    for (word, make) in [("password", password as fn(usize) -> String), ("key", key)] {
        let from = format!("{word} = {{ generated = true }}");
        while let Some((before, after)) = text.split_once(&from) {
            number += 1;
            let file = format!("secret-{number}");
            // A vending key has 32 octets, a key of suite 0 as many digits.
            std::fs::write(folder.join(&file), make(number)).expect("written");
            text = format!("{before}{word} = {{ file = \"{file}\" }}{after}");
        }
    }
    std::fs::write(folder.join("lab.toml"), text).expect("written");
    Lab::load(&folder.join("lab.toml")).expect("a lab")
}

fn password(number: usize) -> String {
    format!("SmsoPw{number:02}")
}

fn key(number: usize) -> String {
    format!("5A{number:02}C3D4E5F60718293A4B5C6D7E{number:04}")
}

impl Bench {
    /// The embedded lab's installation, with secrets in files.
    pub(crate) async fn start() -> Self {
        Self::changed("embedded.toml", "rig-1", &[]).await
    }

    /// A rig of a shipped lab, with secrets in files.
    pub(crate) async fn changed(lab: &str, rig: &str, changes: &[(&str, &str)]) -> Self {
        Self::changed_in(tempfile::tempdir().expect("a folder"), lab, rig, changes).await
    }

    /// The same in a folder with files that the changes name.
    pub(crate) async fn changed_in(folder: TempDir, lab: &str, rig: &str, changes: &[(&str, &str)]) -> Self {
        let lab = lab_in(folder.path(), lab, changes);
        Self::of(lab, rig, folder, SimClock::real(), NoTap::shared()).await
    }

    pub(crate) async fn of(lab: Lab, rig: &str, folder: TempDir, clock: SimClock, tap: SharedTap) -> Self {
        let state = StateFolder::at(folder.path().join("devices"));
        let estate = Estate::start_keeping(&lab, clock, 7, &state).await.expect("the devices start");
        let lab = estate.concrete(lab);
        let rig = Arc::new(lab.rig(rig).expect("the rig").clone());
        let (pushes, alerts) = mpsc::channel(64);
        let chf = rig.device(DeviceKind::Chf).expect("a hub");
        let hub = rig::connect_hub(&rig, chf, tap.clone(), pushes).await.expect("a connection");
        let links = RigLinks::new(rig.clone(), Some(hub.clone()), tap.clone());
        let known = declared(&rig, chf.eui64, InstallationKind::Dormant, Vec::new(), Vec::new());
        let smso = RigSmso::new(&links, known);
        let alerts = std::sync::Mutex::new(Some(alerts));
        Self { estate, rig, hub, tap, smso, folder, alerts }
    }

    pub(crate) fn installation(&self) -> Eui64 {
        self.device(DeviceKind::Chf).eui64
    }

    pub(crate) fn device(&self, kind: DeviceKind) -> &RigDevice {
        self.rig.device(kind).expect("a device of the rig")
    }

    pub(crate) fn hand(&self, kind: DeviceKind) -> device_sim::Hand {
        self.estate.hand(self.rig.name.as_str(), kind).expect("a simulated device")
    }

    /// What the SMSO hands over.
    pub(crate) async fn known(&self) -> KnownEstate {
        self.smso.estate(self.installation()).await.expect("its own installation")
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    /// An S1SP that keeps what it has in the state folder: a new one each time, as after a restart.
    pub(crate) fn s1sp(&self) -> Running {
        let store = SecretStore::for_rig(&self.rig, Some(&self.state())).expect("a store");
        self.s1sp_with(store)
    }

    /// An S1SP that waits for a gas meter that sleeps.
    pub(crate) fn s1sp_that_waits(&self) -> Running {
        let store = SecretStore::for_rig(&self.rig, Some(&self.state())).expect("a store");
        self.s1sp_of(store, Asleep::WaitedFor)
    }

    pub(crate) fn s1sp_with(&self, store: SecretStore) -> Running {
        self.s1sp_of(store, Asleep::LeftAlone)
    }

    fn s1sp_of(&self, store: SecretStore, asleep: Asleep) -> Running {
        let links = RigLinks::new(self.rig.clone(), Some(self.hub.clone()), self.tap.clone());
        let authority = Authority::new("Test signing authority").expect("keys");
        let user = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 1, 0, 0]);
        let suppliers = PartiesByFuel { electricity: vec![user], gas: vec![user] };
        let (sender, outbox) = mpsc::channel(64);
        // The hub's alerts go to the first S1SP.
        let alerts = self.alerts.lock().expect("no panic").take();
        let s1sp = Arc::new(S1sp::start(S1spParts {
            links: links.clone(),
            pushes: alerts.unwrap_or_else(|| mpsc::channel(1).1),
            signer: authority.issue("S1SP").expect("a key"),
            trust: TrustStore::new(),
            suppliers,
            network_operators: PartiesByFuel::default(),
            anchors: Vec::new(),
            store,
            asleep,
            outbox: sender,
        }));
        Running { s1sp, links, outbox }
    }

    /// Device contact by an S1SP, with all that the SMSO hands over.
    pub(crate) async fn contacted(&self, running: &Running) -> ContactReport {
        let known = self.known().await;
        running.contact(&known.common, &known.for_s1sp, &Dco::of(&known)).await
    }

    /// How a device takes a credential of the lab file, which are those of the SMSO.
    pub(crate) async fn by_smso(&self, kind: DeviceKind, path: Path) -> Result<Session, ReachError> {
        let links = RigLinks::new(self.rig.clone(), Some(self.hub.clone()), self.tap.clone());
        links.open(self.device(kind), path, Client::Management).await
    }

    /// Every DLMS device lets the SMSO in, or none of them does; a gas meter that sleeps is asked at its local port.
    pub(crate) async fn assert_smso(&self, is_let_in: bool, context: &str) {
        for device in self.dlms() {
            let path = if device.kind == DeviceKind::Gsme { Path::Local } else { Path::Wan };
            match self.by_smso(device.kind, path).await {
                Ok(session) => {
                    session.close().await;
                    assert!(is_let_in, "{context}: the {} lets the SMSO in", device.kind);
                }
                Err(error) => {
                    assert!(!is_let_in, "{context}: the {} keeps the SMSO out: {error}", device.kind);
                    assert!(error.is_wrong_credential(), "{context}: {error}");
                }
            }
        }
    }

    /// The devices that have credentials.
    pub(crate) fn dlms(&self) -> impl Iterator<Item = &RigDevice> {
        self.rig.devices().filter(|device| device.model.profile.dlms().is_some())
    }
}

impl Running {
    pub(crate) async fn contact(
        &self,
        declared: &CommonInstallation,
        secrets: &Secrets,
        wrap: &dyn KeyWrap,
    ) -> ContactReport {
        let contact = Contacts::contact(&*self.s1sp, declared, secrets, wrap);
        tokio::time::timeout(SOON * 4, contact).await.expect("contact ends")
    }

    /// A device lets in whoever has the S1SP's credential.
    pub(crate) async fn opens(&self, device: &RigDevice, path: Path) -> Session {
        let (device_id, client) = (device.eui64, device.client(path).expect("a client"));
        let (likeliest, others) = self.links.keyring().possible(device_id, client);
        assert!(matches!(likeliest, Credential::Own(_)) && others.is_empty(), "{} is in doubt", device.kind);
        let opened = self.links.open(device, path, Client::Management).await;
        opened.unwrap_or_else(|error| panic!("the {} on {path}: {error}", device.kind))
    }
}

/// A Dual Control Organisation with the master keys it was handed.
pub(crate) struct Dco {
    masters: BTreeMap<Eui64, Key>,
}

impl Dco {
    pub(crate) fn of(known: &KnownEstate) -> Self {
        let masters = known.for_dco.of.iter().filter(|(_, _, kind, _)| *kind == SecretKind::MasterKey);
        let key = |octets: &[u8]| Key::try_from(octets).expect("a key");
        Self { masters: masters.map(|(id, _, _, secret)| (*id, key(secret.expose()))).collect() }
    }
}

impl KeyWrap for Dco {
    fn wrap<'a>(&'a self, device: Eui64, key: &'a Secret) -> BoxFuture<'a, Result<Vec<u8>, Refused>> {
        Box::pin(async move {
            let refused = || Refused::new(Code::KeysMissing, format!("no master key of {device}"));
            let master = self.masters.get(&device).ok_or_else(refused)?;
            let key = Key::try_from(key.expose()).expect("a key of 16 octets");
            Ok(wrap_key(master, &key).to_vec())
        })
    }
}
