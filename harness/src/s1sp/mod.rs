//! The SMETS1 Service Provider: from a countersigned Service Request to the device and back to a signed answer.
//!
//! In the picture of the house it stands between the DCC stub and the driver. It takes a request only when both the
//! DCC's signature and the user's hold, does it on the device through the objects its Device Model's profile names
//! (`operation`), and signs an answer in MMC form: what was read, or `MessageSuccess` false with the device's reason.
//! Where the lab failed and not the device there is no answer, but [`Unserved`] (`refusal` has the table). It holds the
//! devices' credentials, turns what devices report into device alerts, and has alerts of its own.
//!
//! An answer goes back the way its request came ([`S1sp::serve`]). What nobody asked for, alerts of devices and of the S1SP,
//! leaves through a bounded outbox, whose reader passes it on to the DCC.

mod alerts;
mod contact;
mod credentials;
mod desk;
mod distribution;
mod operation;
mod own;
mod refusal;
mod rotate;
mod sleeper;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64};
use proto_duis::mmc::build::Fuel;
use proto_duis::{
    Certificate, CountersignedRequest, DsigError, MessageError, Request, RequestBody, ResponsePayload,
    S1spAlert, Signed, Signer, Smets1Response, Smets1Timestamp, Srv, TrustStore,
};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use crate::driver::{Push, RigLinks};
pub use alerts::{IDENTIFICATION_NUMBER, OUTCOME_UNKNOWN};
use credentials::CredentialStore;
pub use credentials::PartiesByFuel;
pub(crate) use desk::Desk;
pub use operation::carries_out;
pub(crate) use operation::firmware::install as install_firmware;
use refusal::NotServed;
pub(crate) use refusal::Refusal;
pub use rotate::Asleep;
pub use store::{SecretStore, StoreError};

/// How long the outbox may be full before an alert is given up: whoever reads it has stopped.
const OUTBOX_PATIENCE: Duration = Duration::from_secs(30);

/// What the S1SP tells the DCC unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum S1spAlertMessage {
    /// A device's alert.
    Device(Signed<Smets1Response>),
    /// An alert of the S1SP itself.
    S1sp(Signed<S1spAlert>),
    /// How far something that takes long is, in words: the distribution of a firmware image, the wait for a device.
    Progress(String),
}

impl S1spAlertMessage {
    fn device(alert: Smets1Response, signer: &Signer) -> Result<S1spAlertMessage, DsigError> {
        alert.sign(signer).map(S1spAlertMessage::Device)
    }

    fn s1sp(alert: S1spAlert, signer: &Signer) -> Result<S1spAlertMessage, DsigError> {
        alert.sign(signer).map(S1spAlertMessage::S1sp)
    }
}

/// Why a request has no answer of a device.
#[derive(Debug, thiserror::Error)]
pub enum Unserved {
    /// Not a countersigned request, or a signature does not hold.
    #[error("not a request of the DCC: {0}")]
    Message(#[from] MessageError),
    /// The device is not of this installation.
    #[error("{0} is no device of this S1SP")]
    DeviceUnknown(Eui64),
    /// The way to the device is gone, or it does not let the S1SP in.
    #[error("cannot communicate with {device}: {words}")]
    Unreachable {
        /// The device.
        device: Eui64,
        /// What happened.
        words: String,
    },
    /// The device did not answer, or not in a way that makes sense. The words say what is known of the outcome; an alert of
    /// [`OUTCOME_UNKNOWN`] says that nothing is.
    #[error("no answer from {device}: {words}")]
    NoAnswer {
        /// The device.
        device: Eui64,
        /// What happened.
        words: String,
    },
}

/// Who asks, as far as an answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// A supplier of the installation.
    Supplier,
    /// Somebody else, such as its network operator.
    Other,
}

/// What an S1SP is made of.
pub struct S1spParts {
    /// The ways to the devices.
    pub links: RigLinks,
    /// What devices send unasked, from the hub.
    pub pushes: mpsc::Receiver<Push>,
    /// The S1SP's key.
    pub signer: Signer,
    /// Whose signatures it believes.
    pub trust: TrustStore,
    /// The suppliers registered for the devices, to whom alerts go and whose critical requests are done.
    pub suppliers: PartiesByFuel,
    /// The network operators. Those of electricity hear of what 6.22 lets them set, in place of the supplier; where there
    /// are none, the suppliers hear of it.
    pub network_operators: PartiesByFuel,
    /// The roots that new certificates of users must lead to.
    pub anchors: Vec<Certificate>,
    /// What it keeps of the devices' credentials.
    pub store: SecretStore,
    /// Whether device contact of a migration waits for a gas meter that sleeps, or takes the gas proxy function's word for it.
    pub asleep: Asleep,
    /// Where alerts go.
    pub outbox: mpsc::Sender<S1spAlertMessage>,
}

/// What the tasks of an S1SP share.
struct Parts {
    links: RigLinks,
    signer: Signer,
    trust: TrustStore,
    /// Who may control the devices.
    credentials: std::sync::Mutex<CredentialStore>,
    outbox: mpsc::Sender<S1spAlertMessage>,
    /// With what the devices let it in, or may.
    store: std::sync::Mutex<SecretStore>,
    /// Whether device contact waits for a gas meter that sleeps.
    asleep: Asleep,
    /// Reports of unauthorised access that the S1SP causes itself, by device.
    provoked: std::sync::Mutex<BTreeMap<Eui64, u8>>,
    /// One request at a time for each device.
    desks: BTreeMap<Eui64, Mutex<Desk>>,
    /// The images on their way, by device.
    distributions: std::sync::Mutex<BTreeMap<Eui64, AbortOnDropHandle<()>>>,
    /// Counter of device alerts.
    alerts: AtomicU64,
}

/// A running S1SP. It stops when it is dropped.
pub struct S1sp {
    parts: Arc<Parts>,
    /// Ends with the set, when the S1SP is dropped.
    _listener: JoinSet<()>,
}

impl Drop for S1sp {
    /// The tasks hold what they share with this, which would keep them alive.
    fn drop(&mut self) {
        self.stop_distributions();
        self.parts.store().close();
    }
}

impl std::fmt::Debug for S1sp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S1sp").field("links", &self.parts.links).finish_non_exhaustive()
    }
}

impl S1sp {
    /// Starts an S1SP for one installation.
    #[must_use]
    pub fn start(parts: S1spParts) -> S1sp {
        let S1spParts {
            links,
            pushes,
            signer,
            trust,
            suppliers,
            network_operators,
            anchors,
            store,
            asleep,
            outbox,
        } = parts;
        // What an S1SP before this one has not given back is with the devices still.
        store.fill(links.keyring());
        let devices = links.rig().devices().map(|device| (device.eui64, device.kind));
        let credentials = CredentialStore::new(devices, (suppliers, &network_operators), &trust, anchors);
        let desk = |device: &lab_config::RigDevice| {
            (device.eui64, Mutex::new(Desk::new(device.clone(), links.clone())))
        };
        let desks = links.rig().devices().map(desk).collect();
        let parts = Arc::new(Parts {
            links,
            signer,
            trust,
            credentials: credentials.into(),
            outbox,
            store: store.into(),
            asleep,
            provoked: Default::default(),
            desks,
            distributions: Default::default(),
            alerts: AtomicU64::new(1),
        });
        let mut listener = JoinSet::new();
        let shared = parts.clone();
        listener.spawn(async move { alerts::forward(&shared, pushes).await });
        S1sp { parts, _listener: listener }
    }

    /// Does what a request asks, as the DCC countersigned it, and signs the answer. Dropping the future gives up waiting: what
    /// a hub then still holds for a device that sleeps is withdrawn, anything else on its way may still be carried out.
    ///
    /// # Errors
    /// [`Unserved`]: there is no answer of a device to sign.
    pub async fn serve(&self, countersigned: &[u8]) -> Result<Signed<Smets1Response>, Unserved> {
        let request = self.opened(countersigned)?;
        // On the heap: what lies below is deep, and who holds this future should not have to hold all of it.
        let response = Box::pin(answered(&self.parts, &request)).await?;
        Ok(response.sign(&self.parts.signer).map_err(MessageError::from)?)
    }

    /// Takes the image of an Update Firmware, as the DCC countersigned it, to those of its devices that the DCC chose and
    /// this S1SP has. It goes on after this returns, until [`S1sp::stop_distributions`]; a later image for a device takes
    /// the place of one on its way.
    ///
    /// # Errors
    /// [`Unserved`]: nothing was begun.
    pub fn distribute(&self, countersigned: &[u8], devices: &BTreeSet<Eui64>) -> Result<(), Unserved> {
        let opened = CountersignedRequest::open(countersigned, &self.parts.trust)?;
        let request = opened.message.request().content();
        let RequestBody::UpdateFirmware(update) = &request.body else {
            return Err(Unserved::DeviceUnknown(request.id.target));
        };
        let named = update.devices.devices().iter().filter(|device| devices.contains(device));
        let update = Arc::new(update.clone());
        let mut under_way = self.parts.under_way();
        for device in named.filter(|device| self.parts.desks.contains_key(device)) {
            let (parts, update) = (Arc::clone(&self.parts), Arc::clone(&update));
            let task = tokio::spawn(distribution::distribute(parts, request.id, update, *device));
            under_way.insert(*device, AbortOnDropHandle::new(task));
        }
        Ok(())
    }

    /// Breaks off every image on its way. What a device holds of one stays there.
    pub fn stop_distributions(&self) {
        self.parts.under_way().clear();
    }

    /// Gives the installation back to its SMSO: every device gets the credential back that was handed over for it.
    ///
    /// # Errors
    /// Every device that could not be had and why; what it has, or may have, is kept for the next try.
    pub async fn give_back(&self) -> Result<String, String> {
        Box::pin(rotate::give_back(&self.parts, rotate::Asleep::LeftAlone)).await
    }

    /// The same, and a device that sleeps is waited for until it wakes, if it does as its Device Model says.
    ///
    /// # Errors
    /// As [`S1sp::give_back`].
    pub async fn give_back_awake(&self) -> Result<String, String> {
        Box::pin(rotate::give_back(&self.parts, rotate::Asleep::WaitedFor)).await
    }

    /// How long a device may sleep at most that has, or may have, another credential than its SMSO's; none where no such
    /// device sleeps.
    pub fn longest_sleep(&self) -> Option<Duration> {
        rotate::longest_sleep(&self.parts)
    }

    /// The installation was migrated dormant: until a supplier takes a device over, by 6.21 or 6.23, the DCC's credentials are
    /// held for it. No critical request is done then, and its alerts are addressed to the DCC.
    pub fn hold_for_the_dcc(&self) {
        self.parts.credentials().hold_for_the_dcc();
    }

    /// The registered suppliers' credentials are held for every device, as after a handover.
    pub fn suppliers_take_over(&self) {
        self.parts.credentials().suppliers_take_over();
    }

    /// Ends every session with a device, so that somebody else may hold one: a device keeps one association for a client.
    /// The next request associates anew.
    pub async fn rest(&self) {
        self.stop_distributions();
        for desk in self.parts.desks.values() {
            desk.lock().await.leave().await;
        }
    }

    fn opened(&self, countersigned: &[u8]) -> Result<Request, Unserved> {
        let opened = CountersignedRequest::open(countersigned, &self.parts.trust)?;
        let request = opened.message.asked().clone();
        let device = request.id.target;
        self.parts.desks.contains_key(&device).then_some(request).ok_or(Unserved::DeviceUnknown(device))
    }
}

/// The answer to a request; an alert goes out where one is due.
async fn answered(parts: &Arc<Parts>, request: &Request) -> Result<Smets1Response, Unserved> {
    let target = parts.links.rig().by_eui64(request.id.target).map(|device| device.kind);
    let (result, timestamp) = carried_out(parts, request, target).await;
    let payload = match result {
        Ok(body) => ResponsePayload::success(body),
        Err(refusal) => {
            raise(parts, request, &refusal).await;
            let device = request.id.target;
            match refusal.not_served() {
                Some(NotServed::NoAnswer) => {
                    return Err(Unserved::NoAnswer { device, words: refusal.words() });
                }
                Some(NotServed::Unreachable) => {
                    return Err(Unserved::Unreachable { device, words: refusal.words() });
                }
                None => refusal.payload(request.srv(), target.map_or(Fuel::Electricity, Fuel::of)),
            }
        }
    };
    Ok(Smets1Response { timestamp, ..Smets1Response::answer(request.id, payload) })
}

type CarriedOut = (Result<proto_duis::MmcBody, Refusal>, Option<Smets1Timestamp>);

async fn carried_out(parts: &Arc<Parts>, request: &Request, target: Option<DeviceKind>) -> CarriedOut {
    let (device, mirrored) = answering(parts, request, target);
    let Some(desk) = parts.desks.get(&device) else {
        let words = format!("{device} is no device of this S1SP");
        return (Err(Refusal::NotExpressible(words)), None);
    };
    let now = Timestamp::now();
    if let Err(refusal) = parts.credentials().admit(request) {
        return (Err(refusal), None);
    }
    if let Some(refusal) = future_dated(&request.body, now) {
        return (Err(refusal), None);
    }
    // What the S1SP keeps is answered without the device.
    if let Some(answered) = parts.credentials().carry_out(request, now) {
        return (answered, None);
    }
    let mut desk = desk.lock().await;
    let result = sleeper::carry_out(parts, &mut desk, request).await;
    if let Some(words) = desk.take_told().filter(|_| result.is_ok()) {
        let alert = alerts::alert(IDENTIFICATION_NUMBER, Some(request.id), Some(device), words);
        parts.hand_over(S1spAlertMessage::s1sp(alert, &parts.signer)).await;
    }
    let timestamp = match &result {
        // A device that starts over with new firmware tells no time.
        Ok(_) if request.srv() == Srv::ActivateFirmware => None,
        Ok(_) => {
            // It has just answered: nobody waits for another wake to learn the time.
            desk.begin();
            timestamp(&mut desk, mirrored).await
        }
        // A device that refused or is silent is not asked for the time as well.
        Err(_) => None,
    };
    (result, timestamp)
}

/// The device that answers, and whether it is the mirror of the one asked.
fn answering(parts: &Parts, request: &Request, target: Option<DeviceKind>) -> (Eui64, bool) {
    let mirror = parts.links.rig().device(DeviceKind::Gpf);
    match mirror {
        Some(mirror) if target == Some(DeviceKind::Gsme) && operation::is_mirrored(request.srv()) => {
            (mirror.eui64, true)
        }
        _ => (request.id.target, false),
    }
}

/// The device's own time; the answer stands without it.
async fn timestamp(desk: &mut Desk, mirrored: bool) -> Option<Smets1Timestamp> {
    let gas = Fuel::of(desk.device.kind) == Fuel::Gas;
    let (time, status) = operation::shown(desk).await.ok()?;
    Some(Smets1Timestamp { time, is_from_gsme: gas.then_some(!mirrored), clock_status: Some(status) })
}

async fn raise(parts: &Parts, request: &Request, refusal: &Refusal) {
    let utrn = match &request.body {
        RequestBody::TopUpDevice(top_up) => Some(top_up.utrn.to_string()),
        _ => None,
    };
    if let Some(alert) = alerts::of_refusal(refusal, request.id, request.srv(), utrn) {
        parts.hand_over(S1spAlertMessage::s1sp(alert, &parts.signer)).await;
    }
}

/// Tariffs, prices, payment mode and prepayment configuration are dated in the meter, which puts them in force by itself.
/// Anything else would have to be kept by the S1SP until then, and is refused: a request that is lost with the process is worse than one that is not taken.
fn future_dated(body: &RequestBody, now: Timestamp) -> Option<Refusal> {
    if operation::is_dated_by_the_device(body) {
        return None;
    }
    let at = body.execution().filter(|at| *at > now)?;
    let words = format!("ExecutionDateTime {at}: this S1SP does only what devices date themselves later");
    Some(Refusal::NotExpressible(words))
}

impl Parts {
    fn asker(&self, request: &Request) -> Asker {
        match self.credentials().is_supplier(request.id.originator) {
            true => Asker::Supplier,
            false => Asker::Other,
        }
    }

    /// Who may control the devices. A panic of another holder has been reported where it happened.
    fn credentials(&self) -> std::sync::MutexGuard<'_, CredentialStore> {
        self.credentials.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The images on their way. A panic of another holder has been reported where it happened.
    fn under_way(&self) -> std::sync::MutexGuard<'_, BTreeMap<Eui64, AbortOnDropHandle<()>>> {
        self.distributions.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Puts an alert into the outbox. One that cannot be signed, or that nobody takes, is told to the log: the DCC is gone
    /// then, and nobody else is there to tell.
    async fn hand_over(&self, message: Result<S1spAlertMessage, DsigError>) {
        let message = match message {
            Ok(message) => message,
            Err(error) => return tracing::error!("the S1SP cannot sign: {error}"),
        };
        if let Err(error) = self.outbox.send_timeout(message, OUTBOX_PATIENCE).await {
            tracing::error!("the DCC takes no alert of the S1SP: {error}");
        }
    }
}
