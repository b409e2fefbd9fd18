//! The harness's own DCC and S1SP, where the lab has no other: the far side of the service user, in this process.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use lab_config::{DccInterface, Eui64, Lab, Rig, UserRole};
use proto_duis::{PartyKind, Signer};
use proto_lab::record::{Body, Note, Prepared};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::keys::{Keys, StubSigners, part};
use super::outside::Outsiders;
use super::{Book, RunError};
use crate::dcc::{
    self, AlertError, CentralProductsList, Dcc, DccConfig, Inventory, Outside, S1spError, S1spPort, S1spReply,
};
use crate::driver::{Push, RigLinks, state_folder};
use crate::link::Direction;
use crate::s1sp::{Asleep, PartiesByFuel, S1sp, S1spAlertMessage, S1spParts, SecretStore, Unserved};
use crate::tap::MessageTap;

/// How long the S1SP may take for one request: reading a month of half hours through a hub takes seconds.
const S1SP_DEADLINE: Duration = Duration::from_secs(45);

/// How long a device of the rig may sleep; a request to it may meet it asleep twice.
fn sleep_allowance(rig: &Rig) -> Duration {
    let wakes = rig.devices().filter_map(|device| device.model.wake_interval());
    wakes.map(|wake| wake.duration() * 2).max().unwrap_or_default()
}

/// Alerts that may wait between the S1SP and the DCC.
pub(super) const OUTBOX: usize = 256;

/// The DCC stub, in several hands.
pub(super) type StubDcc = Arc<Dcc<Port>>;

/// The DCC stub and the S1SP, running.
pub(super) struct Stub {
    dcc: StubDcc,
    pub(super) s1sp: Arc<S1sp>,
    pub(super) outsiders: Outsiders,
    _pumps: JoinSet<()>,
}

/// What the stub is made of besides the lab.
pub(super) struct StubParts<'a> {
    pub(super) interface: &'a DccInterface,
    pub(super) keys: &'a Keys,
    pub(super) signers: StubSigners,
    pub(super) links: RigLinks,
    pub(super) pushes: mpsc::Receiver<Push>,
    pub(super) book: Book,
}

impl Stub {
    /// Starts both.
    ///
    /// # Errors
    /// [`RunError::Part`] naming the one that could not be started; [`RunError::Ledger`].
    pub(super) async fn start(lab: &Lab, parts: StubParts<'_>) -> Result<Self, RunError> {
        let StubParts { interface, keys, signers, links, pushes, book } = parts;
        let (outbox, alerts) = mpsc::channel(OUTBOX);
        let allowance = sleep_allowance(links.rig());
        let store =
            SecretStore::for_rig(links.rig(), state_folder().as_deref()).map_err(|e| part("S1SP", e))?;
        let s1sp = Arc::new(S1sp::start(S1spParts {
            links,
            pushes,
            signer: signers.s1sp,
            trust: keys.trust(&[PartyKind::User, PartyKind::Dsp]),
            suppliers: suppliers(lab, interface)?,
            network_operators: network_operators(lab, interface),
            anchors: keys.anchors.clone(),
            store,
            asleep: Asleep::LeftAlone,
            outbox,
        }));
        let outsiders = Outsiders::new(book.clone(), keys.trust(&[PartyKind::Dsp, PartyKind::S1sp]));
        let signing = (keys, signers.dsp);
        let dcc =
            start_dcc(lab, interface, signing, (Arc::clone(&s1sp), allowance), &outsiders, book.clone())
                .await?;
        let dcc = Arc::new(dcc);
        if let Some(url) = dcc.outside_url() {
            let names = interface.user_systems.iter().map(|system| system.name.to_string());
            let names = names.collect::<Vec<_>>().join(", ");
            let what = format!("the DCC's interface for User Systems, at {url}, for {names}");
            book.write(Body::Prepared(Prepared { what, blob: None }))?;
        }
        let mut pumps = JoinSet::new();
        pumps.spawn(pump(alerts, Arc::clone(&dcc), book));
        Ok(Self { dcc, s1sp, outsiders, _pumps: pumps })
    }

    /// The URL below which the DCC's services are.
    pub(super) fn url(&self) -> String {
        self.dcc.url()
    }

    /// Tells the DCC where the lab's users listen.
    ///
    /// # Errors
    /// [`RunError::Part`] for a user it does not know.
    pub(super) fn register(&self, lab: &Lab, listener: &str) -> Result<(), RunError> {
        let listener: axum::http::Uri = listener.parse().map_err(|e| part("service user", e))?;
        for id in lab.users.values() {
            self.dcc.register_listener(*id, listener.clone()).map_err(|e| part("DCC stub", e))?;
        }
        Ok(())
    }

    /// Waits until nothing asked earlier is on its way to a device any more, and drops what has not left.
    pub(super) async fn settle(&self, limit: Duration) {
        self.s1sp.stop_distributions();
        let quiet = self.dcc.quiesce(limit).await;
        if quiet.dropped > 0 || quiet.still_busy {
            tracing::warn!(?quiet, "requests that nobody waits for any more were given up");
        }
    }

    /// The same, and the S1SP at rest after it.
    pub(super) async fn quiesce(&self, limit: Duration) {
        self.settle(limit).await;
        let resting = tokio::time::timeout(limit, self.s1sp.rest()).await;
        if resting.is_err() {
            tracing::warn!("the S1SP did not come to rest within {limit:?}");
        }
    }

    /// Messages the DCC could not deliver to its user, in words.
    pub(super) fn undelivered(&self) -> Vec<String> {
        let lost = self.dcc.take_undelivered();
        lost.into_iter()
            .map(|lost| format!("not delivered to {}: {}: {}", lost.user, lost.what, lost.reason))
            .collect()
    }

    /// The DCC, for whoever needs its inventory.
    pub(super) fn dcc(&self) -> StubDcc {
        Arc::clone(&self.dcc)
    }
}

/// The suppliers of electricity and of gas: the lab's, and User Systems outside the harness beside them.
pub(super) fn suppliers(lab: &Lab, interface: &DccInterface) -> Result<PartiesByFuel, RunError> {
    let all = |role: UserRole| -> Result<Vec<Eui64>, RunError> {
        let own = lab.user(role).ok_or_else(|| {
            part("S1SP", format!("the lab file has no user in role {role}: add one under [users]"))
        })?;
        Ok(std::iter::once(own).chain(outsiders_in(interface, role)).collect())
    };
    Ok(PartiesByFuel { electricity: all(UserRole::ImportSupplier)?, gas: all(UserRole::GasSupplier)? })
}

/// The network operators, likewise. A lab may be without any: its suppliers hear of what is theirs.
pub(super) fn network_operators(lab: &Lab, interface: &DccInterface) -> PartiesByFuel {
    let all = |role: UserRole| lab.user(role).into_iter().chain(outsiders_in(interface, role)).collect();
    PartiesByFuel { electricity: all(UserRole::ElectricityDistributor), gas: all(UserRole::GasTransporter) }
}

/// The User Systems outside the harness that act in a role.
fn outsiders_in(interface: &DccInterface, role: UserRole) -> impl Iterator<Item = Eui64> + '_ {
    let systems = interface.user_systems.iter().filter(move |system| system.roles.contains(&role));
    systems.map(|system| system.id)
}

/// The door of User Systems outside the harness, where the lab has any.
fn outside(interface: &DccInterface, outsiders: &Outsiders) -> Result<Option<Outside>, RunError> {
    if interface.user_systems.is_empty() {
        return Ok(None);
    }
    let (mut users, mut listeners) = (dcc::Users::default(), std::collections::BTreeMap::new());
    for system in &interface.user_systems {
        let status = dcc::UserStatus::Active;
        users.insert(dcc::User { id: system.id, roles: system.roles.clone(), status });
        let listener = system.listener.to_string().parse().map_err(|error| part("User System", error))?;
        listeners.insert(system.id, listener);
    }
    let (listen, tls) = (interface.listen, interface.tls.clone());
    Ok(Some(Outside { listen, tls, users, listeners, tap: Arc::new(outsiders.clone()) }))
}

async fn start_dcc(
    lab: &Lab,
    interface: &DccInterface,
    (keys, signer): (&Keys, Signer),
    (s1sp, sleep_allowance): (Arc<S1sp>, Duration),
    outsiders: &Outsiders,
    book: Book,
) -> Result<Dcc<Port>, RunError> {
    let config = DccConfig {
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        access_control_broker: lab.environment.access_control_broker,
        signer,
        trust: keys.trust(&[PartyKind::User, PartyKind::S1sp]),
        users: dcc::Users::active(lab.users.iter().map(|(role, id)| (*role, *id))),
        doubtful: lab.environment.doubtful_variants.clone(),
        inventory: Inventory::new(),
        tap: Arc::new(S1spEdge(book)),
        products: CentralProductsList::None,
        s1sp_deadline: S1SP_DEADLINE,
        sleep_allowance,
        clock: Arc::new(Timestamp::now),
        outside: outside(interface, outsiders)?,
    };
    Dcc::start(config, Port(s1sp)).await.map_err(|e| part("DCC stub", e))
}

/// Passes what the S1SP tells unasked on to the DCC, and how far an image is into the evidence.
async fn pump(mut alerts: mpsc::Receiver<S1spAlertMessage>, dcc: Arc<Dcc<Port>>, book: Book) {
    while let Some(alert) = alerts.recv().await {
        let passed = match &alert {
            S1spAlertMessage::Device(signed) => dcc.pass_device_alert(signed.xml().as_bytes()),
            S1spAlertMessage::S1sp(signed) => dcc.pass_s1sp_alert(signed.xml().as_bytes()),
            S1spAlertMessage::Progress(what) => {
                let note = Note { who: "S1SP".to_owned(), what: what.clone() };
                // Evidence that cannot be written stops the run at its next record.
                drop(book.write(Body::Note(note)));
                Ok(())
            }
        };
        match passed {
            Ok(()) => {}
            // A device that is on its way between its SMSO and the DCC is nobody's; what it said is in the evidence.
            Err(error @ AlertError::Nobody(_)) => {
                tracing::info!("the DCC passes an alert on to nobody: {error}")
            }
            Err(error) => tracing::error!("the DCC passes no alert on: {error}"),
        }
    }
}

/// What passes between the DCC and the S1SP goes into the evidence too. What crosses the DCC's other edge is shown by the
/// user there.
struct S1spEdge(Book);

/// The S1SP, as the DCC's tap names it.
const S1SP: &str = "S1SP";

impl MessageTap for S1spEdge {
    fn message(&self, direction: Direction, party: &str, what: &str, bytes: &[u8]) {
        if party == S1SP {
            self.0.message(direction, party, what, bytes);
        }
    }
}

/// The S1SP as the DCC reaches it.
pub(super) struct Port(Arc<S1sp>);

impl S1spPort for Port {
    async fn serve(&self, countersigned: Bytes) -> Result<S1spReply, S1spError> {
        match self.0.serve(&countersigned).await {
            Ok(answer) => Ok(S1spReply::Answer(Bytes::copy_from_slice(answer.xml().as_bytes()))),
            Err(error @ Unserved::NoAnswer { .. }) => Err(S1spError::NoAnswer(error.to_string())),
            Err(error) => Err(S1spError::Unreachable(error.to_string())),
        }
    }

    async fn distribute(&self, countersigned: Bytes, devices: &BTreeSet<Eui64>) -> Result<(), S1spError> {
        let begun = self.0.distribute(&countersigned, devices);
        begun.map_err(|error| S1spError::Unreachable(error.to_string()))
    }
}
