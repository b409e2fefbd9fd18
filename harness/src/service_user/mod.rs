//! The service user: a DCC User's system, as scripts drive it (SVTAD 17.1).
//!
//! It signs Service Requests in the name of the lab's users, posts them to a DCC over HTTP, and listens for the answers
//! and alerts that come later. The DCC may be the stub of this harness, a DCC test environment, or someone else's:
//! nothing here knows which.
//!
//! ```text
//! executor ── submit ──> POST /api/v1/serviceS ──> DCC      I99, or a refusal, at once
//!          <─ await ──── inbox <── listener <── POST /      the answer or an alert, signed by DSP and S1SP
//! ```
//!
//! Both ways are plain HTTP on loopback, or HTTPS on which each side shows the other a certificate (mutual TLS). Where the DCC is
//! asked too much and says so, a request is sent again when it asks for it, a few times at most. Counters outlive the process.
//!
//! A message counts only once both its signatures hold and every identifier in it agrees; else the DCC is told 400 and
//! why. Answers are correlated on the whole RequestID. Late, second and unsolicited answers are kept as what they are,
//! and so are alerts nobody waited for. Deadlines are the caller's. Every message goes to the message tap.

pub mod answer;
mod counters;
mod error;
mod inbox;
mod listener;
mod mailbox;
mod misuse;
mod post;
mod receive;
mod users;
mod vending;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use lab_config::{AnswerListener, TlsFiles};
use proto_duis::{
    CommandVariant, Eui64, Request, RequestBody, RequestId, ResponseCode, Srv, TrustStore, UserRole,
};
use scenarios::Misuse;
use tokio::time::Instant;

pub use answer::{
    Acknowledgement, Alert, AlertContent, AlertMatcher, Answer, Leftovers, ScheduledMatcher, Stray, StrayKind,
};
pub(crate) use counters::Counter;
pub use counters::{CounterFault, CounterStore};
pub use error::{Found, Rejection, UserError};
pub use inbox::Limits;
pub use users::{User, Users};
pub use vending::{VendingDesk, VendingError};

use crate::http::Server;
use crate::link::Direction;
use crate::tap::SharedMessageTap;
use crate::tls;
use counters::Counters;
use inbox::{CannotOpen, Waiting};
use listener::Desk;
use mailbox::{Mailbox, Outstanding};
use post::{ATTEMPTS, Dcc, Said, Throttled};

/// The other side of every message, as the tap names it.
const DCC: &str = "DCC";

/// How many untaken alerts an error names.
const ALERTS_NAMED: usize = 5;

/// The answer or acknowledgement that the DCC tells any user, both its signatures held; none for an alert, and for what is
/// no message of the DCC.
pub(crate) fn told(octets: &Bytes, trust: &TrustStore) -> Option<Answer> {
    match receive::read(octets, trust, |_| true) {
        Ok(receive::Received::Answer(answer)) => Some(*answer),
        Ok(receive::Received::Alert(_)) | Err(_) => None,
    }
}

/// What a service user is made of.
#[derive(Clone)]
pub struct Config {
    /// The DCC, such as `http://127.0.0.1:8079` or `https://dcc.example:8079`.
    pub dcc: String,
    /// What is believed and shown on the way to it, where that is over TLS.
    pub tls: Option<TlsFiles>,
    /// Where answers and alerts come in.
    pub listener: AnswerListener,
    /// The target of requests that are for no device.
    pub access_control_broker: Eui64,
    /// Who the lab is.
    pub users: Users,
    /// Who may sign what comes back: DSP and S1SP.
    pub trust: TrustStore,
    /// Where the counters of requests are kept.
    pub counters: CounterStore,
    /// Who sees every message.
    pub tap: SharedMessageTap,
    /// How much is kept.
    pub limits: Limits,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The DCC itself.
    Dcc,
    /// A device.
    Device(Eui64),
}

/// A request the DCC has received, and its word on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The request's name, to wait for its answer by.
    pub request_id: RequestId,
    /// The DCC's word.
    pub acknowledgement: Acknowledgement,
}

impl Submitted {
    /// Whether there is an answer to wait for, or one already there (I0).
    pub fn is_accepted(&self) -> bool {
        let code = self.acknowledgement.code;
        matches!(code, ResponseCode::ACKNOWLEDGED | ResponseCode::SUCCESS) || code.is_warning()
    }
}

/// A service user with its listener. It stops listening when this is dropped.
pub struct ServiceUser {
    dcc: Dcc,
    users: Users,
    access_control_broker: Eui64,
    counters: Counters,
    /// What is to be said of counters that nobody kept.
    counters_told: Vec<String>,
    desk: Arc<Desk>,
    server: Server,
    secure: bool,
}

impl ServiceUser {
    /// Starts the listener.
    ///
    /// # Errors
    /// [`UserError::Listen`], [`UserError::Address`] for a DCC address that is none, [`UserError::Tls`] for files that are not as
    /// they must be, [`UserError::Counter`] where counters cannot be kept.
    pub async fn start(config: Config) -> Result<ServiceUser, UserError> {
        let Config { dcc, tls, listener, access_control_broker, users, trust, counters, tap, limits } =
            config;
        let connector =
            tls.map(|files| tls::connector(&files.authority, Some(&files.identity))).transpose()?;
        let dcc = Dcc::new(&dcc, connector, limits.message_octets)?;
        let originators = users.originators();
        let (counters, counters_told) = Counters::open(&counters, originators.clone())?;
        let (mailbox, message_octets) = (Mailbox::new(limits), limits.message_octets);
        let desk = Arc::new(Desk { trust, originators, mailbox, tap, message_octets });
        let router = listener::router(Arc::clone(&desk));
        let AnswerListener { listen: at, tls } = listener;
        let acceptor = tls.as_ref().map(tls::acceptor).transpose()?;
        let server = Server::start_at(at, acceptor, router, limits.connections).await;
        let server = server.map_err(|source| UserError::Listen { at, source })?;
        let secure = tls.is_some();
        Ok(ServiceUser { dcc, users, access_control_broker, counters, counters_told, desk, server, secure })
    }

    /// Where the DCC is to post answers and alerts.
    pub fn listener_url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/", self.server.address())
    }

    /// What is to be said of counters that nobody kept: those that are lost, and at a DCC that others reach those that are new.
    pub fn counters_told(&self) -> &[String] {
        &self.counters_told
    }

    /// Who the lab is.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Signs a request and posts it, and reads the DCC's acknowledgement. Requests of one user go out one after another,
    /// each once the one before is acknowledged, so that counters arrive in order.
    ///
    /// # Errors
    /// [`UserError`] when the request was not sent or not acknowledged by the deadline. A refusal by the DCC is none:
    /// it is an acknowledgement with an error code.
    pub async fn submit(
        &self,
        role: UserRole,
        target: Target,
        body: RequestBody,
        misuse: Option<Misuse>,
        deadline: Instant,
    ) -> Result<Submitted, UserError> {
        let (begun, srv) = (Instant::now(), body.srv());
        let user = match misuse {
            Some(Misuse::UnknownUser) => self.users.stranger(),
            _ => self.users.user(role)?,
        };
        let failed = |sent, found| {
            let (to, after) = (self.dcc.address(CommandVariant::for_srv(srv)), begun.elapsed());
            UserError::Exchange { sent, to, found, after }
        };
        let turn = self.counters.turn(user.id, deadline).await;
        let mut turn = turn.ok_or_else(|| failed(format!("{} of {role}", name(srv)), Found::NotItsTurn))?;
        let id = self.request_id(user.id, role, target, misuse, &mut turn)?;
        let sent = format!("{} {id}", name(srv));
        let request = Request::new(id, body);
        let octets = misuse::sign(&request, &user.signer, misuse);
        let octets =
            octets.map_err(|source| UserError::Sign { sent: sent.clone(), source: Box::new(source) })?;
        let outgoing = Outgoing {
            what: format!("{}{}", name(srv), misuse.map(|misuse| format!(" ({misuse})")).unwrap_or_default()),
            to: self.dcc.address(request.command_variant),
            octets: octets.into(),
            deadline,
        };
        let reply = self.exchange(id, srv, &outgoing).await;
        match reply {
            Ok(acknowledgement) => {
                let submitted = Submitted { request_id: id, acknowledgement };
                if submitted.is_accepted() {
                    turn.accept(id.counter);
                }
                Ok(submitted)
            }
            Err(NotAcknowledged::NotSent(error)) => Err(error),
            Err(NotAcknowledged::Found(found)) => Err(failed(sent, found)),
        }
    }

    fn request_id(
        &self,
        originator: Eui64,
        role: UserRole,
        target: Target,
        misuse: Option<Misuse>,
        counter: &mut Counter,
    ) -> Result<RequestId, UserError> {
        let target = match target {
            Target::Dcc => self.access_control_broker,
            Target::Device(device) => device,
        };
        let counter = match misuse {
            Some(Misuse::ReplayedCounter) => counter.accepted().ok_or(UserError::NothingToReplay { role })?,
            _ => counter.take()?.ok_or(UserError::CountersUsedUp { role })?,
        };
        Ok(RequestId { originator, target, counter })
    }

    /// Opens the request, posts it and files what the DCC says.
    async fn exchange(
        &self,
        id: RequestId,
        srv: Srv,
        outgoing: &Outgoing,
    ) -> Result<Acknowledgement, NotAcknowledged> {
        let mailbox = &self.desk.mailbox;
        mailbox.with(|inbox| inbox.open(id, srv, Instant::now())).map_err(|reason| match reason {
            CannotOpen::TooMany(limit) => UserError::TooMany { limit },
            CannotOpen::StillOpen => UserError::StillOpen { request: id },
        })?;
        let outstanding = Outstanding::new(mailbox, id);
        let raw = self.post(outgoing).await?;
        let read = receive::acknowledgement(&raw, &self.desk.trust, id, srv);
        let what = match &read {
            Ok((acknowledgement, _)) => format!("acknowledgement {}", acknowledgement.code),
            Err(rejection) => format!("reply refused: {rejection}"),
        };
        self.desk.tap.message(Direction::Received, DCC, &what, &raw);
        let (acknowledgement, answer) = read.map_err(Found::from)?;
        self.file(id, &acknowledgement, answer);
        outstanding.keep();
        Ok(acknowledgement)
    }

    /// Posts a request; again, where the DCC asks to be asked later.
    async fn post(&self, outgoing: &Outgoing) -> Result<Bytes, Found> {
        let Outgoing { what, to, octets, deadline } = outgoing;
        let tap = &self.desk.tap;
        let (mut attempts, mut again) = (0, String::new());
        loop {
            attempts += 1;
            tap.message(Direction::Sent, DCC, &format!("{what}{again}"), octets);
            let Throttled { status, pause, body } = match self.dcc.post(to, octets.clone(), *deadline).await?
            {
                Said::Message(raw) => return Ok(raw),
                Said::Throttled(throttled) => throttled,
            };
            let words =
                format!("throttled: HTTP status {status}, to be asked again after {} s", pause.as_secs());
            tap.message(Direction::Received, DCC, &words, &body);
            if attempts == ATTEMPTS || Instant::now() + pause >= *deadline {
                return Err(Found::Throttled { status, attempts, pause });
            }
            tokio::time::sleep(pause).await;
            again = format!(" (again after HTTP status {status})");
        }
    }

    /// An I0 is the answer, an error code the end of the wait for one.
    fn file(&self, id: RequestId, acknowledgement: &Acknowledgement, answer: Option<Answer>) {
        self.desk.mailbox.change(|inbox| match answer {
            // The request is open and of the same variant: there is nothing that could be refused.
            Some(answer) => drop(inbox.deliver(answer)),
            None if acknowledgement.code.is_error() => inbox.refuse(&id, acknowledgement.code),
            None => {}
        });
    }

    /// Waits for the answer to a request. Whoever stops waiting, by the deadline or by dropping this, has given it up:
    /// an answer after that is a [`StrayKind::Late`] one.
    ///
    /// # Errors
    /// [`UserError::NoAnswer`] at the deadline; at once [`UserError::Refused`] when the DCC refused the request and
    /// [`UserError::NotOpen`] when nobody may wait for it any more.
    pub async fn await_response(&self, request: &RequestId, deadline: Instant) -> Result<Answer, UserError> {
        let outstanding = Outstanding::new(&self.desk.mailbox, *request);
        let mut last = None;
        let found = self.desk.mailbox.find(deadline, |inbox| match inbox.take(request) {
            Waiting::Answered(answer) => Some(Ok(*answer)),
            Waiting::Refused(code) => Some(Err(UserError::Refused { request: *request, code })),
            Waiting::NotOpen => Some(Err(UserError::NotOpen { request: *request })),
            Waiting::Since { srv, sent } => {
                last = Some((srv, sent, inbox.untaken()));
                None
            }
        });
        match (found.await, last) {
            (Some(found), _) => {
                outstanding.keep();
                found
            }
            (None, Some((srv, sent, meanwhile))) => Err(self.no_answer(request, srv, sent, meanwhile)),
            (None, None) => Err(UserError::NotOpen { request: *request }),
        }
    }

    fn no_answer(&self, request: &RequestId, srv: Srv, sent: Instant, meanwhile: usize) -> UserError {
        UserError::NoAnswer {
            sent: format!("{} {request}", name(srv)),
            to: self.dcc.base().to_owned(),
            listener: self.listener_url(),
            after: sent.elapsed(),
            meanwhile,
        }
    }

    /// The code of the S1SP's own alert about a request, if one comes by the deadline: it may come after the answer. The alert
    /// stays where it is.
    pub async fn s1sp_alert_about(&self, request: &RequestId, deadline: Instant) -> Option<String> {
        self.desk.mailbox.find(deadline, |inbox| inbox.s1sp_alert(request)).await
    }

    /// Waits for an alert and takes it; one that is there already counts.
    ///
    /// # Errors
    /// [`UserError::NoAlert`] at the deadline.
    pub async fn await_alert(&self, matcher: AlertMatcher, deadline: Instant) -> Result<Alert, UserError> {
        let begun = Instant::now();
        let found = self.desk.mailbox.find(deadline, |inbox| inbox.take_alert(&matcher)).await;
        found.ok_or_else(|| UserError::NoAlert {
            expected: matcher,
            listener: self.listener_url(),
            found: self.untaken_alerts(),
            after: begun.elapsed(),
        })
    }

    /// Waits for an answer that a schedule brings and takes it; one that is there already counts.
    ///
    /// # Errors
    /// [`UserError::NoScheduled`] at the deadline.
    pub async fn await_scheduled(
        &self,
        matcher: ScheduledMatcher,
        deadline: Instant,
    ) -> Result<Answer, UserError> {
        let begun = Instant::now();
        let found = self.desk.mailbox.find(deadline, |inbox| inbox.take_scheduled(&matcher)).await;
        found.ok_or_else(|| UserError::NoScheduled {
            expected: matcher,
            listener: self.listener_url(),
            after: begun.elapsed(),
        })
    }

    fn untaken_alerts(&self) -> String {
        self.desk.mailbox.with(|inbox| {
            let (names, count) = (inbox.alerts().map(Alert::name), inbox.alerts().count());
            match count {
                0 => "no alert".to_owned(),
                1..=ALERTS_NAMED => names.collect::<Vec<_>>().join(", "),
                _ => format!(
                    "{count} others, {}, ...",
                    names.take(ALERTS_NAMED).collect::<Vec<_>>().join(", ")
                ),
            }
        })
    }

    /// Takes all that nobody waited for, and begins to count anew.
    pub fn take_leftovers(&self) -> Leftovers {
        self.desk.mailbox.with(inbox::Inbox::take_leftovers)
    }

    /// Takes the alerts nobody waited for.
    pub fn take_unmatched_alerts(&self) -> Vec<Alert> {
        self.desk.mailbox.with(inbox::Inbox::take_alerts)
    }

    /// Takes the answers nobody waited for.
    pub fn take_stray_answers(&self) -> Vec<Stray> {
        self.desk.mailbox.with(inbox::Inbox::take_strays)
    }

    /// Gives up every wait for an answer, as between two scripts: what comes later is a stray.
    pub fn give_up_all(&self) {
        self.desk.mailbox.change(inbox::Inbox::give_up_all);
    }

    /// Stops listening; what is being received is finished first.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// A request on its way out.
struct Outgoing {
    /// What it is, in the field's words.
    what: String,
    /// The address of the service.
    to: String,
    octets: Bytes,
    deadline: Instant,
}

/// Why there is no acknowledgement.
enum NotAcknowledged {
    NotSent(UserError),
    Found(Found),
}

impl From<UserError> for NotAcknowledged {
    fn from(error: UserError) -> Self {
        NotAcknowledged::NotSent(error)
    }
}

impl From<Found> for NotAcknowledged {
    fn from(found: Found) -> Self {
        NotAcknowledged::Found(found)
    }
}

/// A request in the field's words.
fn name(srv: Srv) -> String {
    format!("service request {srv}")
}
