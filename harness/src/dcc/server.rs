//! The DCC as a running service: its web addresses, its state, its handle.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::post;
use bytes::Bytes;
use jiff::Timestamp;
use lab_config::TlsFiles;
use proto_duis::{
    DsigError, Eui64, FirmwareVersion, MessageError, Request, Response, ResponseCode, S1spAlert, Signer,
    Smets1Body, Smets1Response, Srv, TrustStore,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::agenda::{self, Agenda};
use super::deliver::{self, Letter, LostMail, Undelivered};
use super::firmware::CentralProductsList;
use super::forward::{Job, S1spPort, Task};
use super::held;
use super::inventory::Inventory;
use super::judge::{Address, Asked, Passed, Refusal, View, judge};
use super::line::{self, Lines, NoPlace, Quiet};
use super::standing;
use super::users::{User, Users};
use crate::http::{self, Server};
use crate::link::Direction;
use crate::post::XML;
use crate::tap::SharedMessageTap;
use crate::tls::{self, TlsFault};

/// How many connections users may have open at a time.
const CONNECTIONS: usize = 64;

/// After how many seconds a user may ask again that found no place.
const RETRY_AFTER: &str = "1";

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a DCC is made of.
pub struct DccConfig {
    /// Where it listens; port 0 for any free one.
    pub bind: SocketAddr,
    /// The DCC itself, as the target of requests that are for no device: its access control broker.
    pub access_control_broker: Eui64,
    /// The DSP's key.
    pub signer: Signer,
    /// The certificates of users and of the S1SP.
    pub trust: TrustStore,
    /// The users it knows.
    pub users: Users,
    /// Which variants it takes of those of which it is not sure that SMETS1 devices are sent them.
    pub doubtful: BTreeSet<Srv>,
    /// The devices it serves at the start.
    pub inventory: Inventory,
    /// Who keeps its messages.
    pub tap: SharedMessageTap,
    /// The images that may be sent to devices.
    pub products: CentralProductsList,
    /// How long the S1SP may take for one request.
    pub s1sp_deadline: Duration,
    /// How much longer it may take when the request is for a device that sleeps.
    pub sleep_allowance: Duration,
    /// The time.
    pub clock: Clock,
    /// The door of User Systems outside the harness, where there are any.
    pub outside: Option<Outside>,
}

/// A second door, for users whose systems are outside the harness (SVTAD 5.2(b)). Nobody else is known there, and they are
/// not known at the first: who stands at which door is not for a message to say.
pub struct Outside {
    /// Where it is.
    pub listen: SocketAddr,
    /// Mutual TLS, at this door and to the listeners of those who use it.
    pub tls: Option<TlsFiles>,
    /// Who may come in.
    pub users: Users,
    /// Where each gets its answers and alerts.
    pub listeners: BTreeMap<Eui64, Uri>,
    /// Who keeps what crosses it.
    pub tap: SharedMessageTap,
}

/// A DCC that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DccError {
    /// The address is taken, or not of this machine.
    #[error("the DCC cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Files of TLS that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsFault),
}

/// An alert the DCC does not pass on.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// Not a signed alert of the S1SP.
    #[error("not an alert of the S1SP: {0}")]
    Message(#[from] MessageError),
    /// An answer where an alert was due.
    #[error("the message from {0} is an answer, not an alert")]
    NotAnAlert(Eui64),
    /// There is nobody to send it to.
    #[error("no known user is responsible for {0}")]
    Nobody(String),
}

/// A listener the DCC does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenerError {
    /// The user is not known.
    #[error("{0} is not a known user")]
    UnknownUser(Eui64),
}

/// A running DCC. It stops when the handle is dropped.
pub struct Dcc<P> {
    pub(super) shared: Arc<Shared<P>>,
    server: Server,
    outside: Option<Server>,
}

pub(super) struct Shared<P> {
    pub(super) port: P,
    pub(super) signer: Signer,
    pub(super) trust: TrustStore,
    pub(super) tap: SharedMessageTap,
    pub(super) s1sp_deadline: Duration,
    sleep_allowance: Duration,
    pub(super) stop: CancellationToken,
    access_control_broker: Eui64,
    clock: Clock,
    /// The users of every door.
    users: Users,
    pub(super) doubtful: BTreeSet<Srv>,
    /// Those whose systems are outside, and who keeps what they are sent.
    outsiders: Option<(Users, SharedMessageTap)>,
    /// For listeners over TLS.
    pub(super) connector: Option<TlsConnector>,
    pub(super) inventory: Mutex<Inventory>,
    /// What is to be done later, and whoever sees to it.
    pub(super) agenda: Mutex<Agenda>,
    pub(super) agenda_changed: Notify,
    pub(super) products: CentralProductsList,
    /// The last counter of each originator.
    counters: Mutex<BTreeMap<Eui64, u64>>,
    pub(super) listeners: Mutex<BTreeMap<Eui64, Uri>>,
    /// Requests waiting, by installation.
    pub(super) lines: Mutex<Lines>,
    /// Messages waiting, by user.
    outboxes: BTreeMap<Eui64, mpsc::Sender<Letter>>,
    /// How many messages are waiting or on their way to users.
    pub(super) letters: watch::Sender<usize>,
    pub(super) lost: Mutex<LostMail>,
}

/// The value of a mutex. A panic of another holder has been reported where it happened; what is held here is whole at
/// every step, so work goes on.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: S1spPort> Dcc<P> {
    /// Starts to listen.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(config: DccConfig, port: P) -> Result<Dcc<P>, DccError> {
        let bind = |address| move |source| DccError::Bind { address, source };
        let mut outboxes = BTreeMap::new();
        let mut mail = Vec::new();
        let inside = config.users.clone();
        let (mut users, outside) = (config.users, config.outside);
        let strangers = outside.iter().flat_map(|outside| outside.users.iter());
        strangers.for_each(|user| users.insert(user.clone()));
        let files = outside.as_ref().and_then(|outside| outside.tls.as_ref());
        let acceptor = files.map(tls::acceptor).transpose()?;
        let connector =
            files.map(|files| tls::connector(&files.authority, Some(&files.identity))).transpose()?;
        for user in users.iter() {
            let (sender, receiver) = mpsc::channel(deliver::WAITING);
            outboxes.insert(user.id, sender);
            mail.push((user.id, receiver));
        }
        let shared = Arc::new(Shared {
            port,
            signer: config.signer,
            trust: config.trust,
            tap: config.tap,
            s1sp_deadline: config.s1sp_deadline,
            sleep_allowance: config.sleep_allowance,
            stop: CancellationToken::new(),
            access_control_broker: config.access_control_broker,
            clock: config.clock,
            users,
            outsiders: outside.as_ref().map(|outside| (outside.users.clone(), Arc::clone(&outside.tap))),
            connector,
            doubtful: config.doubtful,
            inventory: Mutex::new(config.inventory),
            agenda: Mutex::default(),
            agenda_changed: Notify::new(),
            products: config.products,
            counters: Mutex::default(),
            listeners: Mutex::new(outside.iter().flat_map(|outside| outside.listeners.clone()).collect()),
            lines: Mutex::default(),
            outboxes,
            letters: watch::Sender::new(0),
            lost: Mutex::default(),
        });
        for (user, letters) in mail {
            let worker = deliver::work(Arc::clone(&shared), user, letters);
            tokio::spawn(shared.stop.clone().run_until_cancelled_owned(worker));
        }
        let keeper = agenda::keep(Arc::clone(&shared));
        tokio::spawn(shared.stop.clone().run_until_cancelled_owned(keeper));
        let inner =
            Door { shared: Arc::clone(&shared), users: Arc::new(inside), tap: Arc::clone(&shared.tap) };
        // Without a server there is nothing for the workers to do.
        let stopped = |_: &DccError| shared.stop.cancel();
        let server = Server::start_at(config.bind, None, routes(inner), CONNECTIONS).await;
        let server = server.map_err(bind(config.bind)).inspect_err(stopped)?;
        let outside = match outside {
            None => None,
            Some(Outside { listen, users, tap, .. }) => {
                let door = Door { shared: Arc::clone(&shared), users: Arc::new(users), tap };
                let second = Server::start_at(listen, acceptor, routes(door), CONNECTIONS).await;
                Some(second.map_err(bind(listen)).inspect_err(stopped)?)
            }
        };
        Ok(Dcc { shared, server, outside })
    }

    /// Where User Systems outside the harness send requests, if there is such a door.
    pub fn outside_url(&self) -> Option<String> {
        let scheme = if self.shared.connector.is_some() { "https" } else { "http" };
        self.outside.as_ref().map(|server| format!("{scheme}://{}", server.address()))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The URL below which its services are.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Says where a user gets its asynchronous messages.
    ///
    /// # Errors
    /// The user is not known.
    pub fn register_listener(&self, user: Eui64, listener: Uri) -> Result<(), ListenerError> {
        if self.shared.users.get(user).is_none() {
            return Err(ListenerError::UnknownUser(user));
        }
        locked(&self.shared.listeners).insert(user, listener);
        Ok(())
    }

    /// Reads or changes the inventory, in one piece.
    pub fn with_inventory<T>(&self, change: impl FnOnce(&mut Inventory) -> T) -> T {
        change(&mut locked(&self.shared.inventory))
    }

    /// The users it knows.
    pub fn users(&self) -> &Users {
        &self.shared.users
    }

    /// Passes a device's alert on to the user it is addressed to; if the DCC does not know that user, to a supplier
    /// responsible for the device.
    ///
    /// # Errors
    /// Not an alert the S1SP signed, or nobody to send it to.
    pub fn pass_device_alert(&self, octets: &[u8]) -> Result<(), AlertError> {
        let shared = &self.shared;
        shared.tap.message(Direction::Received, "S1SP", "device alert", octets);
        let alert = Smets1Response::parse(octets)?;
        alert.verify(&shared.trust)?;
        let Smets1Response { device, user, .. } = *alert.content();
        if !alert.is_alert() {
            return Err(AlertError::NotAnAlert(device));
        }
        let user = shared.addressee(Some(user), Some(device))?;
        shared.post(user, &Response::device_alert(alert, shared.now()));
        Ok(())
    }

    /// Passes an alert of the S1SP itself on, in DCC alert N55: to the originator of the request it is about, or to a
    /// supplier responsible for the device it is about.
    ///
    /// # Errors
    /// Not an alert the S1SP signed, or nobody to send it to.
    pub fn pass_s1sp_alert(&self, octets: &[u8]) -> Result<(), AlertError> {
        let shared = &self.shared;
        shared.tap.message(Direction::Received, "S1SP", "S1SP alert", octets);
        let alert = S1spAlert::parse(octets)?;
        alert.verify(&shared.trust)?;
        let S1spAlert { request, device, .. } = *alert.content();
        let user = shared.addressee(request.map(|id| id.originator), device)?;
        shared.post(user, &Response::s1sp_alert(alert, shared.now()));
        Ok(())
    }

    /// Leaves the devices alone: every request that waits is dropped and never sent to the S1SP, and the one in the
    /// S1SP's hands for each installation may end until `limit` is over; then its [`S1spPort::serve`] future is dropped.
    /// Whoever sent a request that is dropped or cut off gets no answer. Meanwhile requests for devices are turned away
    /// with HTTP status 503, their counters unused; after it returns, or is dropped, the DCC serves again. A request that
    /// has not been read off its connection yet counts as one that comes after.
    pub async fn quiesce(&self, limit: Duration) -> Quiet {
        line::quiesce(&self.shared, limit).await
    }

    /// Takes the last messages users never got, the oldest first.
    pub fn take_undelivered(&self) -> Vec<Undelivered> {
        locked(&self.shared.lost).take()
    }
}

impl<P> Drop for Dcc<P> {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

impl<P> Shared<P> {
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Who keeps what this user is sent.
    pub(super) fn tap_of(&self, user: Eui64) -> &SharedMessageTap {
        match &self.outsiders {
            Some((outsiders, tap)) if outsiders.get(user).is_some() => tap,
            _ => &self.tap,
        }
    }

    /// The user of this identity, at whatever door; E1 where nobody is.
    pub(super) fn user(&self, id: Eui64) -> Result<&User, Refusal> {
        let reason = || format!("{id} is not a known user");
        self.users.get(id).ok_or_else(|| Refusal { code: ResponseCode::INVALID_USER, reason: reason() })
    }

    /// The line of a device, and how long the S1SP may take for a request in it. A device that sleeps has a line of its own:
    /// the others of its installation do not wait for it.
    pub(super) fn place(&self, device: Eui64, asked: Asked) -> (Eui64, Duration) {
        match asked.sleeps {
            true => (device, self.s1sp_deadline + self.sleep_allowance),
            false => (asked.installation, self.s1sp_deadline),
        }
    }

    fn addressee(&self, named: Option<Eui64>, device: Option<Eui64>) -> Result<Eui64, AlertError> {
        if let Some(user) = named.filter(|user| self.users.get(*user).is_some()) {
            return Ok(user);
        }
        let inventory = locked(&self.inventory);
        let enrolment = device.and_then(|device| inventory.get(device));
        let user = enrolment.and_then(|enrolment| {
            let listeners = locked(&self.listeners);
            let listening = enrolment.responsible.iter().find(|user| listeners.contains_key(user));
            listening.or_else(|| enrolment.responsible.first()).copied()
        });
        let about = device.map_or_else(|| "the alert".to_owned(), |device| device.to_string());
        user.ok_or(AlertError::Nobody(about))
    }

    /// Signs a message and puts it in the user's outbox. What cannot be sent is remembered as undelivered.
    pub(super) fn post(&self, user: Eui64, response: &Response) {
        let what = deliver::name(response);
        let lost = |reason: String| {
            locked(&self.lost).add(Undelivered { user, what: what.clone(), reason });
        };
        let octets = match response.sign(&self.signer) {
            Ok(octets) => Bytes::from(octets),
            Err(error) => return lost(error.to_string()),
        };
        let Some(outbox) = self.outboxes.get(&user) else { return lost("the user is not known".to_owned()) };
        let letter = Letter::new(what.clone(), octets, &self.letters);
        if outbox.try_send(letter).is_err() {
            lost(format!("{} messages are waiting for the user already", deliver::WAITING));
        }
    }
}

/// One of the doors: what is behind every door, who is known at this one, and who keeps what crosses it.
struct Door<P> {
    shared: Arc<Shared<P>>,
    users: Arc<Users>,
    tap: SharedMessageTap,
}

impl<P> Clone for Door<P> {
    fn clone(&self) -> Self {
        let Door { shared, users, tap } = self;
        Door { shared: Arc::clone(shared), users: Arc::clone(users), tap: Arc::clone(tap) }
    }
}

fn routes<P: S1spPort>(door: Door<P>) -> Router {
    let non_device = |State(door): State<Door<P>>, body: Body| receive(door, body, Address::NonDevice);
    let send_command = |State(door): State<Door<P>>, body: Body| receive(door, body, Address::SendCommand);
    let transform = |State(door): State<Door<P>>, body: Body| receive(door, body, Address::Transform);
    Router::new()
        .route("/api/v1/serviceD", post(non_device))
        .route("/api/v1/serviceS", post(send_command))
        .route("/api/v1/serviceT", post(transform))
        .with_state(door)
}

async fn receive<P: S1spPort>(door: Door<P>, body: Body, address: Address) -> HttpResponse {
    let Door { shared, users, tap } = door;
    let heard = |what: &str, octets: &[u8]| tap.message(Direction::Received, "a user", what, octets);
    let octets = match http::body(body, proto_duis::MAX_OCTETS).await {
        Ok(octets) => octets,
        Err(error) => {
            heard(&format!("message not taken: {error}"), &[]);
            return (error.status(), error.to_string()).into_response();
        }
    };
    let request = match Request::parse(&octets) {
        Ok(request) => request,
        Err(error) => {
            heard("a message that is no service request", &octets);
            return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
        }
    };
    let user = format!("user {}", request.id.originator);
    tap.message(Direction::Received, &user, &format!("service request {}", request.srv()), &octets);
    let response = match shared.answer(octets, request, address, &users) {
        Ok(response) => response,
        Err(reason) => return no_place(reason),
    };
    match response.sign(&shared.signer) {
        Ok(xml) => {
            tap.message(Direction::Sent, &user, &deliver::name(&response), xml.as_bytes());
            ([(header::CONTENT_TYPE, XML)], xml).into_response()
        }
        Err(error) => sign_failed(&error),
    }
}

/// A request that finds no place: its counter is unused, and it may come again, soon where the place is free soon.
fn no_place(reason: NoPlace) -> HttpResponse {
    let said = (StatusCode::SERVICE_UNAVAILABLE, reason.to_string());
    match reason {
        NoPlace::Full | NoPlace::Quiescing => ([(header::RETRY_AFTER, RETRY_AFTER)], said).into_response(),
        NoPlace::TooManyHeld | NoPlace::Ended => said.into_response(),
    }
}

fn sign_failed(error: &DsigError) -> HttpResponse {
    tracing::error!(%error, "the DCC cannot sign");
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}

impl<P: S1spPort> Shared<P> {
    /// The synchronous answer to a request, unless there is no place for it in the line of its installation.
    pub(super) fn answer(
        self: &Arc<Self>,
        octets: Bytes,
        request: Request,
        address: Address,
        users: &Users,
    ) -> Result<Response, NoPlace> {
        let (id, srv) = (request.id, request.srv());
        let judged = |code| Response::acknowledgement(id, srv, code, self.now());
        // Held from the check of the counter to its use: two messages with one counter cannot both pass.
        let mut counters = locked(&self.counters);
        let mut inventory = locked(&self.inventory);
        let trust = &self.trust;
        let broker = self.access_control_broker;
        let doubtful = &self.doubtful;
        let view = View { users, inventory: &inventory, counters: &counters, trust, broker, doubtful };
        let passed = match judge(&octets, &request, address, &view) {
            Ok(passed) => passed,
            Err(Refusal { code, reason }) => {
                tracing::info!(request = %id, %code, reason, "request refused");
                return Ok(judged(code));
            }
        };
        let response = match passed {
            Passed::Own => self.own(&octets, &request, &mut inventory)?,
            Passed::Device(asked) => match held::is_for_later(&request) {
                Some(at) => self.hold(&octets, &request, at)?,
                None => {
                    let (line, deadline) = self.place(id.target, asked);
                    let job = Job { octets, request, deadline, task: Task::Command, not_after: None };
                    line::join(self, line, job)?;
                    judged(ResponseCode::ACKNOWLEDGED)
                }
            },
        };
        counters.insert(id.originator, id.counter);
        Ok(response)
    }

    /// Keeps what an answer says of a device: the firmware version it has, and where it stands now.
    pub(super) fn learn(&self, request: &Request, answer: &Smets1Response) {
        let Smets1Body::Response(payload) = &answer.body else { return };
        if payload.succeeded() {
            standing::moved(&mut locked(&self.inventory), request.id.target, &request.body, self.now());
        }
        let data = payload.data.as_ref().filter(|data| {
            matches!(data.srv(), Srv::ReadFirmwareVersion | Srv::ActivateFirmware)
                && data.success() == Some(true)
        });
        let version = data.and_then(|data| data.find("FirmwareVersion").ok().flatten());
        if let Some(version) = version.filter(|version| version.parse::<FirmwareVersion>().is_ok()) {
            locked(&self.inventory).set_firmware(answer.device, version);
        }
    }
}
