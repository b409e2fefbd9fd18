//! The parties of the picture, running: the service user, and the DCC it speaks to, which is the harness's stub with an S1SP behind
//! it or somebody else's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{AnswerListener, Dcc, DccEnvironment, EpclEntry, Lab, Rig};
use proto_duis::PartyKind;
use proto_duis::pki::Authority;
use proto_lab::record::{Body, Note, Prepared};
use scenarios::{CertificateName, Value};
use tokio::sync::mpsc;

use super::keys::{Keys, part};
use super::migrating::{Ground, Migrating};
use super::outside::Outsiders;
use super::stub::{Stub, StubParts};
use super::{Book, RunError, environment};
use crate::driver::{Push, RigLinks, state_folder};
use crate::execute::{Ledger as _, Trouble};
use crate::service_user::{Config, CounterStore, Limits, ServiceUser};

/// The running parties.
pub struct System {
    /// The service user.
    pub user: ServiceUser,
    /// The ways to the devices, with the passwords now in force.
    pub links: RigLinks,
    /// The certificates that scripts may name.
    pub certificates: BTreeMap<CertificateName, Value>,
    /// The stub, with the authority that issued its keys; none where the DCC is somebody else's.
    stub: Option<(Stub, Authority)>,
    book: Book,
}

impl System {
    /// Starts the parties for the rig of these links, and keeps the certificates they sign with in the evidence.
    ///
    /// # Errors
    /// [`RunError::Part`] naming the party that could not be started; [`RunError::Ledger`].
    pub async fn start(
        lab: &Lab,
        links: RigLinks,
        pushes: mpsc::Receiver<Push>,
        book: Book,
    ) -> Result<Self, RunError> {
        let (user, stub, certificates) = match &lab.dcc {
            Dcc::Stub(interface) => {
                let (keys, signers, authority) = Keys::with_stub(lab, interface)?;
                let made = "made for this run unless the lab file names them";
                keep(&keys, made, book.clone())?;
                let (links, book) = (links.clone(), book.clone());
                let parts = StubParts { interface, keys: &keys, signers, links, pushes, book: book.clone() };
                let stub = Stub::start(lab, parts).await?;
                let user = start_user(with_stub(lab, &keys, &stub, book)).await?;
                stub.register(lab, &user.listener_url())?;
                (user, Some((stub, authority)), keys.named)
            }
            Dcc::Environment(dcc) => {
                let keys = Keys::for_environment(lab, dcc)?;
                keep(&keys, "as the lab file names them", book.clone())?;
                let user = start_user(with_environment(lab, &keys, dcc, book.clone())?).await?;
                let what = environment::words(dcc, &user.listener_url());
                book.write(Body::Prepared(Prepared { what, blob: None }))?;
                (user, None, keys.named)
            }
        };
        for what in user.counters_told() {
            let note = Note { who: "service user".to_owned(), what: what.clone() };
            book.write(Body::Note(note))?;
        }
        Ok(Self { user, links, certificates, stub, book })
    }

    /// What User Systems outside the harness asked; none where the DCC is somebody else's.
    pub(super) fn outsiders(&self) -> Option<&Outsiders> {
        self.stub().map(|stub| &stub.outsiders)
    }

    /// Whether the DCC has the rig's installation, asked of it, with what it has of it in words; none where the DCC is the
    /// harness's own, into which the harness itself brings an installation.
    pub(super) async fn enrolled_elsewhere(&self) -> Option<Result<String, Trouble>> {
        match &self.stub {
            Some(_) => None,
            None => Some(environment::enrolled(&self.user, self.links.rig()).await),
        }
    }

    /// Waits until nothing asked earlier is on its way to a device any more, and drops what has not left. Of somebody else's DCC
    /// nobody can tell.
    pub async fn settle(&self, limit: Duration) {
        if let Some(stub) = self.stub() {
            stub.settle(limit).await;
        }
    }

    /// Leaves the devices alone, for the dispatcher to ask them something on the wide area path: what was asked earlier
    /// and nobody waits for any more does not reach them after this.
    pub async fn quiesce(&self, limit: Duration) {
        if let Some(stub) = self.stub() {
            stub.quiesce(limit).await;
        }
    }

    /// The registered suppliers have every device, as after a handover. Somebody else's DCC knows who has them.
    pub(super) fn suppliers_take_over(&self) {
        if let Some(stub) = self.stub() {
            stub.s1sp.suppliers_take_over();
        }
    }

    /// Messages the DCC could not deliver to its user, in words.
    pub fn undelivered(&self) -> Vec<String> {
        self.stub().map(Stub::undelivered).unwrap_or_default()
    }

    /// Ends the parties.
    pub async fn stop(self) {
        self.user.stop().await;
    }

    /// The migration of the rig's installation into the stub's inventory; none where the DCC is somebody else's, into which the
    /// harness migrates nothing.
    ///
    /// # Errors
    /// [`RunError`]: the parties cannot be brought together.
    pub(super) fn migrating(
        &self,
        lab: &Lab,
        rig: &Arc<Rig>,
        entry: &EpclEntry,
    ) -> Result<Option<Migrating>, RunError> {
        let Some((stub, authority)) = &self.stub else { return Ok(None) };
        let ground = Ground { lab, rig, entry, stub, links: &self.links, book: &self.book };
        Migrating::begin(&ground, authority).map(Some)
    }

    fn stub(&self) -> Option<&Stub> {
        self.stub.as_ref().map(|(stub, _)| stub)
    }
}

/// Keeps every certificate in the evidence.
fn keep(keys: &Keys, whence: &str, mut book: Book) -> Result<(), RunError> {
    let blob = Some(book.keep(keys.certificates().as_bytes())?);
    let what = format!("a key and a certificate for each party that signs messages, {whence}");
    book.write(Body::Prepared(Prepared { what, blob }))?;
    Ok(())
}

async fn start_user(config: Config) -> Result<ServiceUser, RunError> {
    ServiceUser::start(config).await.map_err(|e| part("service user", e))
}

fn with_stub(lab: &Lab, keys: &Keys, stub: &Stub, book: Book) -> Config {
    let listen = (std::net::Ipv4Addr::LOCALHOST, 0).into();
    let dcc = format!("DCC stub {}", lab.environment.access_control_broker);
    // A stub forgets every counter when it ends: where nothing can be kept, nothing need be.
    let counters = match requests_folder().filter(|folder| std::fs::create_dir_all(folder).is_ok()) {
        Some(folder) => CounterStore::kept(folder, dcc, clock()),
        None => CounterStore::passing(clock()),
    };
    Config {
        dcc: stub.url(),
        tls: None,
        listener: AnswerListener { listen, tls: None },
        access_control_broker: lab.environment.access_control_broker,
        users: keys.users.clone(),
        trust: keys.trust(&[PartyKind::Dsp, PartyKind::S1sp]),
        counters,
        tap: Arc::new(book),
        limits: Limits::default(),
    }
}

fn with_environment(lab: &Lab, keys: &Keys, dcc: &DccEnvironment, book: Book) -> Result<Config, RunError> {
    let nowhere = "no folder to keep the counters of requests in: set HARNESS_STATE to one";
    let folder = requests_folder().ok_or_else(|| part("service user", nowhere))?;
    let url = dcc.url.to_string();
    Ok(Config {
        dcc: url.clone(),
        tls: dcc.tls.clone(),
        listener: dcc.listener.clone(),
        access_control_broker: lab.environment.access_control_broker,
        users: keys.users.clone(),
        trust: keys.trust(&[PartyKind::Dsp, PartyKind::S1sp]),
        counters: CounterStore::kept(folder, url, clock()).alone(),
        tap: Arc::new(book),
        limits: Limits::default(),
    })
}

fn requests_folder() -> Option<std::path::PathBuf> {
    state_folder().map(|folder| folder.join("requests"))
}

/// Where a counter begins that nobody has kept: microseconds, which no run has counted up to before.
fn clock() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1)
}
