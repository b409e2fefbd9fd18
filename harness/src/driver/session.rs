//! A DLMS session with one device: an association over a link of its own or through a hub, and requests within it.
//!
//! Requests are never repeated: a SET or an ACTION whose answer was lost may have been carried out. What is, a bounded number
//! of times, is a block of a general block transfer, which a device knows when it has had it. After any failure
//! that leaves octets or the association in doubt, the session marks itself stale, and the next request begins on a
//! clean connection with a new association.

mod key_change;
mod suite;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lab_config::{Carries, LinkUrl, SignOn};
use proto_dlms::apdu::{ExceptionResponse, ServiceError};
use proto_dlms::client::{ActionReturn, ClientError, ClientSession, Notification, Request, Response, Step};
use proto_dlms::data::{AttributeRef, ClassId, Data, MethodRef, Obis, Selective};
use proto_dlms::echo::Echo;
use proto_dlms::push::{self, PushError, Receiver, ReceiverSettings};
use proto_dlms::sign_on::Mode;
use proto_duis::Eui64;

pub use key_change::KeyChangeError;
pub(crate) use key_change::key_transfer_method;

use super::access::{Access, Deadlines, Keyset, Sleep};
use super::channel::hub::Hub;
use super::channel::{
    Channel, ChannelError, DatagramChannel, HdlcChannel, Opening, Waits, WrapperChannel, echo, find,
    hdlc_settings, open_link, sign_on,
};
use super::error::{Context, DriverError, DriverErrorKind};
use super::keyring::Own;
use crate::link::{Line, Link, LinkAddress, LinkErrorKind, SharedTap, Traffic};

/// Notifications kept until somebody takes them; more are dropped, oldest first.
const NOTIFICATIONS: usize = 64;
/// How long a polite release may take: the device may be gone.
const RELEASE: Duration = Duration::from_secs(1);
/// How far a device may move this client's invocation counter by refusing a lower one.
const LARGEST_JUMP: u32 = 1 << 28;

/// The way a session's APDUs take, and how to take it again.
#[derive(Debug, Clone)]
enum Route {
    /// A link of the session's own.
    Link { address: LinkAddress, url: Box<LinkUrl>, tap: NamedTap },
    /// A place on a hub's connection.
    Hub { hub: Hub, device: Option<Eui64> },
}

/// A tap with a `Debug` that says nothing.
#[derive(Clone)]
struct NamedTap(SharedTap);

impl std::fmt::Debug for NamedTap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

/// An association with one device.
#[derive(Debug)]
pub struct Session {
    route: Route,
    access: Access,
    deadlines: Deadlines,
    /// None until connected, and again once the octets on it are in doubt.
    channel: Option<Channel>,
    machine: ClientSession,
    /// The keys `machine` was made with; none while it is the public client's.
    keys_in_use: Option<Arc<Keyset>>,
    associated: bool,
    /// Whether the request under way has left for the device.
    sent: bool,
    /// What the meter said of itself in the sign-on.
    identification: Option<String>,
    notifications: Notifications,
}

/// What the device says unasked between its answers.
#[derive(Debug)]
struct Notifications {
    receiver: Receiver,
    whole: VecDeque<Result<Notification, PushError>>,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { receiver: Receiver::new(ReceiverSettings::default()), whole: VecDeque::new() }
    }
}

impl Notifications {
    /// A block of one.
    fn take_block(&mut self, apdu: &[u8]) {
        self.receiver.receive(apdu, now(), None);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(received) = self.receiver.poll_event() {
            self.keep(received.map(|received| received.notification));
        }
    }

    fn keep(&mut self, notification: Result<Notification, PushError>) {
        if self.whole.len() == NOTIFICATIONS {
            self.whole.pop_front();
        }
        self.whole.push_back(notification);
    }
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

impl Session {
    /// Opens the link, signs on where the URL says so, connects and associates.
    ///
    /// # Errors
    /// Whatever stands in the way: the link, the sign-on, the data link, the password.
    pub async fn open(
        name: &str,
        url: &LinkUrl,
        access: Access,
        deadlines: Deadlines,
        tap: SharedTap,
    ) -> Result<Session, DriverError> {
        let address = LinkAddress::of(name, url).map_err(|error| {
            let context = Context { link: error.link.clone(), url: error.url.clone(), ..Context::default() };
            DriverError::new(error, context)
        })?;
        let route = Route::Link { address, url: Box::new(url.clone()), tap: NamedTap(tap) };
        Session::on(route, access, deadlines).await
    }

    /// Associates with `device` behind `hub`, or with the hub itself.
    ///
    /// # Errors
    /// As [`Session::open`], or the hub does not reach the device.
    pub async fn through(
        hub: &Hub,
        device: Option<Eui64>,
        access: Access,
        deadlines: Deadlines,
    ) -> Result<Session, DriverError> {
        Session::on(Route::Hub { hub: hub.clone(), device }, access, deadlines).await
    }

    async fn on(route: Route, access: Access, deadlines: Deadlines) -> Result<Session, DriverError> {
        let machine = ClientSession::new(suite::settings(&access));
        let mut session = Session {
            route,
            access,
            deadlines,
            channel: None,
            machine,
            keys_in_use: None,
            associated: false,
            sent: false,
            identification: None,
            notifications: Notifications::default(),
        };
        let waits = Waits::starting_now(&session.deadlines);
        session.associate(&waits).await.map_err(|error| session.error(error, "association".into()))?;
        Ok(session)
    }

    /// Reads an attribute, or the selected part of one.
    ///
    /// # Errors
    /// [`DriverErrorKind::Access`] when the device refuses, or whatever went wrong on the way.
    pub async fn get(
        &mut self,
        attribute: AttributeRef,
        selective: Option<Selective>,
    ) -> Result<Data, DriverError> {
        let words = format!("GET {attribute}");
        match self.request(Request::Get { attribute, selective }, &words).await? {
            Response::Got(result) => result.map_err(|refused| self.refused(refused, words)),
            other => Err(self.mismatch(&other, words)),
        }
    }

    /// Writes an attribute. Never repeated by the driver.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn set(&mut self, attribute: AttributeRef, value: Data) -> Result<(), DriverError> {
        let words = format!("SET {attribute}");
        let request = Request::Set { attribute, value };
        match self.change(request, &words).await? {
            Response::Set(result) => result.map_err(|refused| self.refused(refused, words)),
            other => Err(self.mismatch(&other, words)),
        }
    }

    /// Carries out a method. Never repeated by the driver.
    ///
    /// # Errors
    /// [`DriverErrorKind::Action`] when the device refuses, or whatever went wrong on the way.
    pub async fn act(
        &mut self,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, DriverError> {
        let words = format!("ACTION {method}");
        let request = Request::Act { method, parameter };
        match self.change(request, &words).await? {
            Response::Acted(returned) => self.returned(returned, words),
            other => Err(self.mismatch(&other, words)),
        }
    }

    /// What the meter said of itself in the sign-on, where there was one.
    #[must_use]
    pub fn identification(&self) -> Option<&str> {
        self.identification.as_deref()
    }

    /// What crossed the session's own link since it was last opened; none through a hub.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        self.channel.as_ref().and_then(Channel::traffic)
    }

    /// Whether it associates with this credential.
    pub(crate) fn is_in_with(&self, own: &Own) -> bool {
        match own {
            Own::Password(password) => self.access.password.as_ref() == Some(password),
            Own::Keys(keys) => self.access.keys.as_ref().is_some_and(|keyset| keyset.keys == *keys),
        }
    }

    /// The notifications that came in between answers, oldest first, and of those that came in blocks and stayed incomplete
    /// what was missing.
    pub fn take_notifications(&mut self) -> Vec<Result<Notification, PushError>> {
        self.notifications.receiver.handle_timeout(now());
        self.notifications.collect();
        self.notifications.whole.drain(..).collect()
    }

    /// Ends the association politely and closes the link. A device that does not answer is left alone after a second.
    pub async fn close(mut self) {
        // The release of a device that sleeps would lie at the hub until it wakes.
        if self.associated && self.deadlines.sleep == Sleep::Never {
            self.release(RELEASE).await;
        }
        self.drop_channel().await;
    }

    async fn release(&mut self, limit: Duration) {
        let sleep = Sleep::NotWaitedFor;
        let brief = Deadlines { response: limit, request: limit, sleep, ..self.deadlines };
        // The channel closes whatever the device says to this.
        let _ = self.run(Request::Release, &Waits::starting_now(&brief)).await;
    }

    /// Waits from now on so for the device to wake.
    pub fn set_sleep(&mut self, sleep: Sleep) {
        self.deadlines.sleep = sleep;
    }

    /// A request that changes something: what failed after it had left is in doubt.
    async fn change(&mut self, request: Request, words: &str) -> Result<Response, DriverError> {
        self.sent = false;
        let result = self.request(request, words).await;
        result.map_err(|error| if self.sent { in_doubt(error) } else { error })
    }

    async fn request(&mut self, request: Request, words: &str) -> Result<Response, DriverError> {
        let waits = Waits::starting_now(&self.deadlines);
        let result = self.attempt(request, &waits).await;
        result.map_err(|error| self.error(error, words.to_owned()))
    }

    async fn attempt(&mut self, request: Request, waits: &Waits) -> Result<Response, ChannelError> {
        let renewed = self.channel.as_ref().is_none_or(Channel::was_renewed);
        if renewed || !self.associated {
            let associated = self.associate(waits).await;
            self.sent = false;
            associated?;
        }
        // A caller that stops waiting half way leaves the session stale, as a failure would.
        self.associated = false;
        let response = self.run(request, waits).await;
        match response {
            // The device knows of no association, or of none that allows this: the next request asks for a new one.
            Ok(Response::Exception(exception)) => {
                self.follow_counter(&exception)?;
                self.release(RELEASE).await;
                self.drop_channel().await;
                Err(DriverErrorKind::from(exception).into())
            }
            Ok(response) => {
                self.associated = true;
                Ok(response)
            }
            Err(error) => {
                self.drop_channel().await;
                Err(error)
            }
        }
    }

    /// Associates; once more where the device says which invocation counter it expects.
    async fn associate(&mut self, waits: &Waits) -> Result<(), ChannelError> {
        self.synchronise(waits).await?;
        let access = self.access.clone();
        let answer = match self.ask_in(&access, waits).await? {
            Response::Exception(exception) if self.follow_counter(&exception)? => {
                self.ask_in(&access, waits).await?
            }
            answer => answer,
        };
        if let Response::Associated(_) = answer {
            self.associated = true;
            return Ok(());
        }
        self.drop_channel().await;
        Err(match not_associated(&answer) {
            // A client with keys alone has no password to be wrong.
            DriverErrorKind::WrongPassword if access.keys.is_some() && access.password.is_none() => {
                DriverErrorKind::WrongKeys("it answered authentication failure (13)".into()).into()
            }
            other => other.into(),
        })
    }

    /// Connects anew and asks for the association.
    async fn ask_in(&mut self, access: &Access, waits: &Waits) -> Result<Response, ChannelError> {
        self.drop_channel().await;
        let channel = self.connect(access, waits).await?;
        // Over HDLC blocks in a row would only wait for each other.
        let general_blocks = access.general_blocks.filter(|_| !channel.is_hdlc());
        self.machine = ClientSession::new(suite::settings(&Access { general_blocks, ..access.clone() }));
        self.keys_in_use.clone_from(&access.keys);
        self.channel = Some(channel);
        let answer = self.run(Request::Associate, waits).await;
        if answer.is_err() {
            self.drop_channel().await;
        }
        answer
    }

    /// Takes note of the number the device expects; whether it said one.
    fn follow_counter(&self, exception: &ExceptionResponse) -> Result<bool, ChannelError> {
        let (Some(keys), ServiceError::InvocationCounter { expected: Some(expected) }) =
            (&self.access.keys, exception.service)
        else {
            return Ok(false);
        };
        // An exception is in clear: whoever can reach the line could otherwise use up all numbers with one.
        if keys.counters.used().is_ok_and(|used| expected.saturating_sub(used) > LARGEST_JUMP) {
            return Ok(false);
        }
        keys.counters.advance(expected.saturating_sub(1)).map_err(DriverErrorKind::from)?;
        Ok(true)
    }

    /// Where this machine has never used these keys, asks the device, as its public client, which number it saw last. A
    /// device that does not say is taken at its word later, when it refuses.
    async fn synchronise(&mut self, waits: &Waits) -> Result<(), ChannelError> {
        let Some(keys) = self.access.keys.clone() else { return Ok(()) };
        let Some(obis) = keys.asked.invocation_counter else { return Ok(()) };
        if !keys.counters.is_new().map_err(DriverErrorKind::from)? {
            return Ok(());
        }
        let public = Access { client: keys.public_client, password: None, keys: None, ..self.access.clone() };
        let seen = self.last_seen(&public, obis, waits).await;
        self.drop_channel().await;
        if let Some(seen) = seen? {
            keys.counters.advance(seen).map_err(DriverErrorKind::from)?;
        }
        Ok(())
    }

    async fn last_seen(
        &mut self,
        public: &Access,
        obis: Obis,
        waits: &Waits,
    ) -> Result<Option<u32>, ChannelError> {
        if !matches!(self.ask_in(public, waits).await?, Response::Associated(_)) {
            return Ok(None);
        }
        let attribute = AttributeRef { class: ClassId(1), obis, attribute: 2 };
        let answer = self.run(Request::Get { attribute, selective: None }, waits).await?;
        self.release(RELEASE).await;
        let Response::Got(Ok(data)) = answer else { return Ok(None) };
        Ok(data.as_i128().and_then(|number| u32::try_from(number).ok()))
    }

    async fn connect(&mut self, access: &Access, waits: &Waits) -> Result<Channel, ChannelError> {
        let (address, mut url, tap) = match &self.route {
            Route::Hub { hub, device } => {
                return Ok(Channel::Hub(hub.port(*device, access, self.deadlines.sleep).await?));
            }
            Route::Link { address, url, tap } => (address.clone(), url.clone(), tap.0.clone()),
        };
        let mut link = open_link(&address, &tap, &self.deadlines).await?;
        match url.carries() {
            Carries::Tcp => return Ok(Channel::Wrapper(WrapperChannel::new(link, access))),
            Carries::Udp => {
                let channel = DatagramChannel::new(link, access, &self.deadlines);
                return Ok(Channel::Datagrams(channel));
            }
            Carries::Serial | Carries::TcpHdlc => link.discard().await?,
        }
        let echo = match url.sign_on() {
            SignOn::Auto => {
                let found = find::find(&mut link, &url, access, &self.deadlines).await?;
                (*url, self.identification) = (found.url, None);
                // From now on the link is opened as it was found.
                self.route = Route::Link { address, url: url.clone(), tap: NamedTap(tap) };
                match found.signed_on {
                    Some(signed_on) => self.signed_on(signed_on.identification, signed_on.echo),
                    None => {
                        link.set_line(Line::of(&url), waits.until).await?;
                        echo(&url)
                    }
                }
            }
            SignOn::ModeE => {
                let opening = Opening::of(&url, Mode::Hdlc);
                let signed_on = sign_on(&mut link, opening, &self.deadlines, waits).await?;
                self.signed_on(signed_on.identification, signed_on.echo)
            }
            SignOn::None | SignOn::ModeC => echo(&url),
        };
        if url.sign_on() == SignOn::ModeC {
            return Err(only_reads_out(&link).into());
        }
        let settings = hdlc_settings(access, &self.deadlines, url.hdlc, echo)?;
        let channel = HdlcChannel::connect(link, settings, waits).await?;
        Ok(Channel::Hdlc(Box::new(channel)))
    }

    fn signed_on(&mut self, identification: String, echo: Echo) -> Echo {
        self.identification = Some(identification);
        echo
    }

    /// One request of the state machine, as many APDUs as it takes.
    async fn run(&mut self, request: Request, waits: &Waits) -> Result<Response, ChannelError> {
        let Some(channel) = &mut self.channel else {
            return Err(DriverErrorKind::NoAnswer("because there is no connection".into()).into());
        };
        let _turn = channel.turn(waits).await?;
        self.sent = true;
        let end = End { machine: &mut self.machine, keys: self.keys_in_use.as_deref() };
        converse(channel, end, &mut self.notifications, request, waits).await
    }

    async fn drop_channel(&mut self) {
        self.associated = false;
        if let Some(channel) = self.channel.take() {
            channel.close(RELEASE.min(self.deadlines.response)).await;
        }
    }

    fn returned(&self, returned: ActionReturn, request: String) -> Result<Option<Data>, DriverError> {
        match returned {
            ActionReturn { result: Err(refused), .. } => Err(self.refused(refused, request)),
            ActionReturn { value: Some(Err(refused)), .. } => Err(self.refused(refused, request)),
            ActionReturn { value: Some(Ok(value)), .. } => Ok(Some(value)),
            ActionReturn { value: None, .. } => Ok(None),
        }
    }

    fn refused(&self, refused: impl Into<DriverErrorKind>, request: String) -> DriverError {
        self.error(ChannelError::from(refused.into()), request)
    }

    fn mismatch(&self, response: &Response, request: String) -> DriverError {
        let words = format!("answer to another kind of request: {response:?}");
        self.error(DriverErrorKind::Malformed(words.chars().take(200).collect()).into(), request)
    }

    fn error(&self, error: ChannelError, request: String) -> DriverError {
        let (link, url) = match &self.route {
            Route::Link { address, .. } => (address.name.clone(), address.url.clone()),
            Route::Hub { hub, .. } => (hub.name().to_owned(), hub.url().to_owned()),
        };
        let (peer, frame) = (self.peer(), error.frame);
        let context = Context { link, url, peer, request, frame, outcome_unknown: false };
        DriverError::new(error.kind, context)
    }

    fn peer(&self) -> String {
        let addresses = format!("client {} to server {}", self.access.client, self.access.server);
        match &self.route {
            Route::Hub { device: Some(device), .. } => format!("{addresses} of {device}"),
            _ => addresses,
        }
    }
}

/// The client's end of the association.
struct End<'s> {
    machine: &'s mut ClientSession,
    keys: Option<&'s Keyset>,
}

async fn converse(
    channel: &mut Channel,
    mut end: End<'_>,
    notifications: &mut Notifications,
    request: Request,
    waits: &Waits,
) -> Result<Response, ChannelError> {
    end.allot()?;
    let mut apdu = end.machine.start(request).map_err(|error| failed(error, &[]))?;
    let mut repeats = waits.retries;
    loop {
        channel.send(&apdu, waits).await?;
        while let Some(more) = end.machine.poll_transmit() {
            channel.send(&more, waits).await?;
        }
        apdu = loop {
            let answer = match channel.receive(waits).await {
                Ok(answer) => answer,
                Err(error) if repeats > 0 && error.kind.is_silence() && !channel.is_hdlc() => {
                    repeats -= 1;
                    // Only a block of a general block transfer may be sent again: the meter knows one it has had.
                    let Ok(Some(block)) = end.machine.repeat() else { return Err(error) };
                    channel.note("no answer: the block is sent again");
                    break block;
                }
                Err(error) => return Err(error),
            };
            end.allot()?;
            match end.machine.receive(&answer).map_err(|error| failed(error, &answer))? {
                Step::Send(next) => break next,
                Step::Done(response) => return Ok(response),
                Step::Wait => {}
                Step::Notification(notification) => notifications.keep(Ok(notification)),
                Step::Ignored(_) if push::is_push(&answer) => notifications.take_block(&answer),
                Step::Ignored(why) => channel.note(&format!("ignored: {why}")),
            }
        };
    }
}

impl End<'_> {
    /// Numbers for what is sent next. They are taken anew each time, because other sessions under the same keys take theirs
    /// from the same book, and the device wants to see them rise.
    fn allot(&mut self) -> Result<(), ChannelError> {
        let (Some(keys), Some(context)) = (self.keys, self.machine.context()) else { return Ok(()) };
        suite::allot(keys, context).map_err(Into::into)
    }
}

/// The failure of a request that changes something: it may have been carried out, unless the device said what became of it
/// or the link was never open.
fn in_doubt(mut error: DriverError) -> DriverError {
    let never_sent = match &error.kind {
        DriverErrorKind::Link(link) => {
            matches!(link.kind, LinkErrorKind::CannotOpen | LinkErrorKind::Busy | LinkErrorKind::Setting)
        }
        DriverErrorKind::WrongPassword
        | DriverErrorKind::AssociationRefused(_)
        | DriverErrorKind::Exception(_)
        | DriverErrorKind::InvocationCounter { .. }
        | DriverErrorKind::SignOn(_) => true,
        _ => false,
    };
    error.context.outcome_unknown = !never_sent;
    error
}

fn only_reads_out(link: &Link) -> crate::link::LinkError {
    let expected = "a link that carries DLMS";
    let found = "sign-on=c, by which a meter only reads itself out (harness read LINK --read-out)";
    link.error(LinkErrorKind::Setting, expected, found, Duration::ZERO)
}

fn failed(error: ClientError, answer: &[u8]) -> ChannelError {
    ChannelError { kind: error.into(), frame: Some(answer.to_vec()) }
}

fn not_associated(response: &Response) -> DriverErrorKind {
    match response {
        Response::Refused(refusal) => refusal.into(),
        Response::Exception(exception) => (*exception).into(),
        _ => DriverErrorKind::Malformed("answer to another kind of request".into()),
    }
}
