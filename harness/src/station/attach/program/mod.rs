//! The station itself: the program on a bench's computer.
//!
//! One loop owns what is open, who holds which rig, and what is to be said; it waits for nobody. Each open port has a task of
//! its own (`port`), and one task carries out what actuators are to do (`hands`), one thing after the other.

mod dial;
mod hands;
mod port;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Offer, Topic};
use proto_lab::attach::flow::Receiving;
use proto_lab::attach::{
    Actuate, Channel, Fault, FaultKind, Frame, Hello, LeaseAsked, MadeSafe, Offered, Open, PartName, Says,
    StationFrame, Token,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tonic::Streaming;

use super::leases::Leases;
use super::pulse::{Pulse, SILENCE};
use crate::dial::Way;
use hands::{Deeds, Task, Told};
use port::{Order, Ports, Said};

/// Streams open at a time.
const STREAMS: usize = 64;
/// Shortest and longest rest before the controller is dialled again.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// What the station made safe by itself and could not tell yet; the oldest are dropped.
const UNTOLD: usize = 64;
/// What ports and actuators said that may wait for the loop.
const WAITING: usize = 64;

/// The program does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// What it knows of leases cannot be kept.
    #[error("{path}: {reason}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A name of the offer file.
    #[error("{name}: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What the program tells whoever started it.
pub trait Tells: Send {
    /// Something came to pass.
    fn tell(&mut self, words: &str);
}

impl<F: FnMut(&str) + Send> Tells for F {
    fn tell(&mut self, words: &str) {
        self(words);
    }
}

/// A station, running.
pub struct Program {
    offer: Offer,
    hello: Hello,
    way: Way,
    leases: Leases,
    floors: state::Floors,
    streams: BTreeMap<Channel, Stream>,
    ports: Ports,
    deeds: Deeds,
    said: mpsc::Receiver<Said>,
    told: mpsc::Receiver<Told>,
    outbox: VecDeque<Frame>,
    untold: VecDeque<MadeSafe>,
    /// The channel on which each lease is asked for.
    asking: BTreeMap<PartName, Channel>,
    pulse: Pulse,
    tells: Box<dyn Tells>,
}

/// An open port.
struct Stream {
    rig: PartName,
    receiving: Receiving,
    orders: mpsc::Sender<Order>,
}

/// The connection to the controller.
struct Session {
    inbound: Streaming<StationFrame>,
    outbound: mpsc::Sender<StationFrame>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("station", &self.offer.name).finish_non_exhaustive()
    }
}

fn part(name: &str) -> Result<PartName, ProgramError> {
    name.parse().map_err(|error: proto_lab::attach::PartNameError| ProgramError::Name {
        name: name.to_owned(),
        reason: error.to_string(),
    })
}

fn hello(offer: &Offer) -> Result<Hello, ProgramError> {
    let ports = offer.ports.iter().map(|(name, port)| (name.to_string(), &port.rig, port.link.to_string()));
    let actuators = offer
        .actuators
        .iter()
        .map(|(name, actuator)| (name.to_string(), &actuator.rig, hands::in_words(actuator)));
    let offered = |(name, rig, about): (String, &lab_config::Name, String)| {
        Ok(Offered { name: part(&name)?, rig: part(rig.as_str())?, about })
    };
    Ok(Hello {
        station: part(offer.name.as_str())?,
        about: format!("harness {}", env!("CARGO_PKG_VERSION")),
        ports: ports.map(offered).collect::<Result<_, _>>()?,
        actuators: actuators.map(offered).collect::<Result<_, _>>()?,
        made_safe: Vec::new(),
    })
}

impl Program {
    /// A station that offers this to the controller at the end of this way; what it knows of leases is kept in `state`.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn new(
        offer: Offer,
        way: Way,
        state: Option<PathBuf>,
        tells: impl Tells + 'static,
    ) -> Result<Self, ProgramError> {
        let floors = state::Floors::of(&offer.name, state)?;
        let (tell_said, said) = mpsc::channel(WAITING);
        let (tell_told, told) = mpsc::channel(WAITING);
        Ok(Self {
            hello: hello(&offer)?,
            way,
            leases: Leases::new(offer.lease, floors.read()?),
            floors,
            streams: BTreeMap::new(),
            ports: Ports::new(tell_said),
            deeds: Deeds::start(offer.actuators.clone(), tell_told),
            said,
            told,
            outbox: VecDeque::new(),
            untold: VecDeque::new(),
            asking: BTreeMap::new(),
            pulse: Pulse::new(Instant::now()),
            tells: Box::new(tells),
            offer,
        })
    }

    /// Dials, serves, and dials again, until dropped or told to stop; then everything is closed and made safe.
    pub async fn run(mut self, stop: tokio_util::sync::CancellationToken) {
        let mut rest = REST.0;
        loop {
            let dialled = tokio::select! {
                dialled = dial::dial(&self.way, self.hello_now()) => dialled,
                () = stop.cancelled() => break,
            };
            let reason = match dialled {
                Ok((outbound, inbound)) => {
                    rest = REST.0;
                    tokio::select! {
                        reason = self.attached(Session { inbound, outbound }) => reason,
                        () = stop.cancelled() => break,
                    }
                }
                Err(reason) => reason,
            };
            self.tells.tell(&format!("not attached: {reason}"));
            self.lost(&reason);
            tokio::select! {
                () = self.quiet_until(Instant::now() + rest) => {}
                () = stop.cancelled() => break,
            }
            rest = (rest * 2).min(REST.1);
        }
        self.lost("the station was stopped");
        self.settled().await;
    }

    fn hello_now(&self) -> Hello {
        Hello { made_safe: self.untold.iter().cloned().collect(), ..self.hello.clone() }
    }

    /// Serves one session, and says why it ended.
    async fn attached(&mut self, mut session: Session) -> String {
        self.pulse = Pulse::new(Instant::now());
        self.outbox.clear();
        loop {
            let lapse = self.leases.next().unwrap_or_else(|| Instant::now() + SILENCE);
            let step = tokio::select! {
                message = session.inbound.message() => match message {
                    Ok(Some(message)) => self.heard(message),
                    Ok(None) => Err("the controller closed the session".to_owned()),
                    Err(status) => Err(format!("the controller: {}", status.message())),
                },
                place = session.outbound.reserve(), if !self.outbox.is_empty() => match place {
                    Ok(place) => {
                        self.pulse.said(Instant::now());
                        if let Some(frame) = self.outbox.pop_front() {
                            place.send(frame.into());
                        }
                        Ok(())
                    }
                    Err(_) => Err("the connection broke off".to_owned()),
                },
                Some(said) = self.said.recv() => { self.port_said(said); Ok(()) }
                Some(told) = self.told.recv() => { self.deed_told(told); Ok(()) }
                () = sleep_until(self.pulse.due()), if self.outbox.is_empty() => {
                    self.outbox.push_back(Frame::session(Says::Heartbeat));
                    Ok(())
                }
                () = sleep_until(self.pulse.lost_at()) => {
                    Err(format!("nothing was heard of the controller for {SILENCE:?}"))
                }
                () = sleep_until(lapse) => { self.lapse(); Ok(()) }
            };
            if let Err(reason) = step {
                return reason;
            }
        }
    }

    /// While it is not attached: what actuators still have to say.
    async fn quiet_until(&mut self, until: Instant) {
        loop {
            tokio::select! {
                Some(said) = self.said.recv() => self.port_said(said),
                Some(told) = self.told.recv() => self.deed_told(told),
                () = sleep_until(until) => return,
            }
        }
    }

    /// Waits until what was begun with actuators is done.
    async fn settled(&mut self) {
        while self.deeds.under_way() {
            let Some(told) = self.told.recv().await else { return };
            self.deed_told(told);
        }
    }

    /// The controller is lost: everything is closed, every rig's part is made safe, no lease goes on.
    fn lost(&mut self, reason: &str) {
        self.streams.clear();
        self.asking.clear();
        for (rig, token) in self.leases.end_all() {
            self.make_safe(rig, token, format!("the controller was lost: {reason}"), None);
        }
    }

    fn lapse(&mut self) {
        for (rig, token) in self.leases.run_out(Instant::now()) {
            self.close_streams(&rig, &format!("lease {token} of {rig} ran out"));
            if let Some(channel) = self.asking.remove(&rig) {
                let fault = Fault::new(FaultKind::Lease, format!("lease {token} of {rig} ran out"));
                self.say(channel, Says::Leased(Err(fault)));
            }
            self.make_safe(rig, token, "the lease ran out".to_owned(), None);
        }
    }

    fn make_safe(&mut self, rig: PartName, token: Token, cause: String, asked: Option<Channel>) {
        self.tells.tell(&format!("making its part of {rig} safe: {cause}"));
        self.deeds.begin(Task::Safe { rig, token, cause, asked });
    }

    fn say(&mut self, channel: Channel, says: Says) {
        self.outbox.push_back(Frame::new(channel, says));
    }

    /// Ends the streams to ports of this rig that are not open under the lease in force.
    fn close_streams(&mut self, rig: &PartName, reason: &str) {
        let of_rig = self.streams.iter().filter(|(_, stream)| stream.rig == *rig);
        let channels: Vec<Channel> = of_rig.map(|(channel, _)| *channel).collect();
        for channel in channels {
            self.streams.remove(&channel);
            self.say(channel, Says::Close(Some(Fault::new(FaultKind::Lease, reason))));
        }
    }

    fn heard(&mut self, message: StationFrame) -> Result<(), String> {
        self.pulse.heard(Instant::now());
        let unread = |error: proto_lab::attach::FrameError| format!("the controller says {error}");
        let Frame { channel, says } = Frame::try_from(message).map_err(unread)?;
        match says {
            Says::Welcome => {
                self.untold.clear();
                self.tells.tell(&format!("attached to {}", self.way));
            }
            Says::Heartbeat => {}
            Says::Open(open) => self.open(channel, open),
            Says::Data(octets) => self.data(channel, octets)?,
            Says::Credit(more) => self.order(channel, Order::Credit(more))?,
            Says::Ask(ask) => self.order(channel, Order::Ask(ask))?,
            Says::Close(_) => drop(self.streams.remove(&channel)),
            Says::Actuate(act) => self.actuate(channel, act),
            Says::Lease(lease) => self.lease(channel, &lease),
            Says::Release => self.release(channel),
            _ => return Err("the controller said what only a station says".to_owned()),
        }
        Ok(())
    }

    fn open(&mut self, channel: Channel, open: Open) {
        if let Err(fault) = self.begin_open(channel, open) {
            self.say(channel, Says::Close(Some(fault)));
        }
    }

    fn begin_open(&mut self, channel: Channel, open: Open) -> Result<(), Fault> {
        let unknown = || {
            let names: Vec<&str> = self.offer.ports.keys().map(lab_config::Name::as_str).collect();
            let words = format!(
                "station {} offers no port {}; it offers {}",
                self.offer.name,
                open.port,
                names.join(", ")
            );
            Fault::new(FaultKind::CannotOpen, words)
        };
        let offered = self.offer.ports.iter().find(|(name, _)| name.as_str() == open.port.as_str());
        let (_, offered) = offered.ok_or_else(unknown)?;
        let link = offered.link.clone();
        let rig = part(offered.rig.as_str()).map_err(|error| Fault::new(FaultKind::CannotOpen, error))?;
        self.leases.may(&rig, open.token)?;
        if self.streams.len() >= STREAMS || self.streams.contains_key(&channel) {
            return Err(Fault::new(FaultKind::Busy, format!("{STREAMS} streams are open already")));
        }
        let orders = self.ports.open(channel, &link, open)?;
        self.streams.insert(channel, Stream { rig, receiving: Receiving::default(), orders });
        Ok(())
    }

    fn data(&mut self, channel: Channel, octets: Vec<u8>) -> Result<(), String> {
        if let Some(stream) = self.streams.get_mut(&channel) {
            stream.receiving.take(octets.len()).map_err(|error| format!("the controller: {error}"))?;
        }
        self.order(channel, Order::Data(octets))
    }

    /// What is for a stream that has ended meanwhile is for nobody.
    fn order(&mut self, channel: Channel, order: Order) -> Result<(), String> {
        let Some(stream) = self.streams.get(&channel) else { return Ok(()) };
        match stream.orders.try_send(order) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err("the controller asks more than is answered".to_owned())
            }
        }
    }

    fn port_said(&mut self, said: Said) {
        let Some(stream) = self.streams.get_mut(&said.channel()) else { return };
        match said {
            Said::Taken(channel, octets) => {
                if let Some(more) = stream.receiving.hand_on(octets) {
                    self.say(channel, Says::Credit(more));
                }
            }
            Said::Says(channel, says) => {
                if matches!(says, Says::Close(_)) {
                    self.streams.remove(&channel);
                }
                self.say(channel, says);
            }
        }
    }

    fn lease(&mut self, channel: Channel, asked: &LeaseAsked) {
        // Which has run out is not renewed, however late the clock of this computer woke up.
        self.lapse();
        let part_of = self.offer.rigs().iter().any(|rig| rig.as_str() == asked.rig.as_str());
        let unknown = || {
            let words = format!("station {} has no part of {}", self.offer.name, asked.rig);
            Fault::new(FaultKind::CannotOpen, words)
        };
        let granted = if part_of { self.leases.take(asked, Instant::now()) } else { Err(unknown()) };
        let granted = granted.and_then(|granted| {
            let kept = if granted.is_new { self.floors.write(self.leases.floors()) } else { Ok(()) };
            match kept {
                Ok(()) => Ok(granted),
                Err(error) => {
                    // A number that is not kept could come into force again after a restart.
                    self.leases.end(&asked.rig, asked.token);
                    Err(Fault::new(FaultKind::CannotOpen, error))
                }
            }
        });
        match granted {
            Ok(granted) => {
                if granted.is_new {
                    self.tells
                        .tell(&format!("{} holds {} under lease {}", asked.holder, asked.rig, asked.token));
                    self.displace(asked);
                }
                self.asking.insert(asked.rig.clone(), channel);
                self.say(channel, Says::Leased(Ok(granted.term)));
            }
            Err(fault) => self.say(channel, Says::Leased(Err(fault))),
        }
    }

    /// A new lease ends what was open without one or under another.
    fn displace(&mut self, asked: &LeaseAsked) {
        let LeaseAsked { rig, token, .. } = asked;
        self.close_streams(rig, &format!("lease {token} of {rig} has come into force"));
        if let Some(before) = self.asking.remove(rig) {
            let words = format!("lease {token} of {rig} has taken its place");
            self.say(before, Says::Leased(Err(Fault::new(FaultKind::Lease, words))));
        }
    }

    fn release(&mut self, channel: Channel) {
        let of_channel = self.asking.iter().find(|(_, asking)| **asking == channel);
        let Some((rig, _)) = of_channel.map(|(rig, asking)| (rig.clone(), *asking)) else {
            let fault = Fault::new(FaultKind::Lease, "no lease is in force on this channel");
            return self.say(channel, Says::Leased(Err(fault)));
        };
        self.asking.remove(&rig);
        let floor = self.leases.floors().get(&rig).copied();
        if let Some(token) = floor.filter(|token| self.leases.end(&rig, *token)) {
            self.close_streams(&rig, &format!("lease {token} of {rig} was given back"));
            self.make_safe(rig, token, "the lease was given back".to_owned(), Some(channel));
        }
    }

    fn actuate(&mut self, channel: Channel, act: Actuate) {
        let begun = self.begin_act(channel, act);
        if let Err(fault) = begun {
            self.say(channel, Says::Actuated(Err(fault)));
        }
    }

    fn begin_act(&mut self, channel: Channel, act: Actuate) -> Result<(), Fault> {
        let unknown = || {
            let names: Vec<&str> = self.offer.actuators.keys().map(Topic::as_str).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let words =
                format!("station {} offers no actuator {}; it offers {names}", self.offer.name, act.actuator);
            Fault::new(FaultKind::CannotOpen, words)
        };
        let found = self.offer.actuators.iter().find(|(name, _)| name.as_str() == act.actuator.as_str());
        let (name, offered) = found.ok_or_else(unknown)?;
        let rig = part(offered.rig.as_str()).map_err(|error| Fault::new(FaultKind::CannotOpen, error))?;
        self.leases.may(&rig, Some(act.token))?;
        let until = Instant::now() + act.within;
        let task = Task::Act { channel, name: name.clone(), deed: act.deed, until };
        match self.deeds.begin(task) {
            true => Ok(()),
            false => Err(Fault::new(FaultKind::Busy, "too many acts wait already")),
        }
    }

    fn deed_told(&mut self, told: Told) {
        self.deeds.ended();
        match told {
            Told::Acted { channel, result } => self.say(channel, Says::Actuated(result)),
            Told::Safe { rig, token, cause, asked, result } => {
                let (detail, reached) = match result {
                    Ok(detail) => (detail, true),
                    Err(detail) => (detail, false),
                };
                let made = MadeSafe { rig, token, cause, detail, reached, at: Timestamp::now() };
                self.tells.tell(&made.to_string());
                match asked {
                    Some(channel) => self.say(channel, Says::Released(made)),
                    None => self.tell_made_safe(made),
                }
            }
        }
    }

    /// It is said now, and again at the next attachment, where the controller may not have heard it.
    fn tell_made_safe(&mut self, made: MadeSafe) {
        if made.cause.starts_with("the lease ran out") {
            return self.say(Channel::SESSION, Says::MadeSafe(made));
        }
        if self.untold.len() == UNTOLD {
            self.untold.pop_front();
        }
        self.untold.push_back(made);
    }
}
