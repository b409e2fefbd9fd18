//! The primary station: the harness's end of the line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::window::{Accepted, Receiver, Sender};
use super::{
    Address, Control, Deframer, Frame, FrameReject, Information, LLC_REQUEST, MaxInfo, Parameters,
    ParametersError, Unnumbered, without_llc,
};
use crate::echo::{Echo, EchoCanceller};

/// Octets of a frame besides its information field, at most: flags, format, addresses, control and check sequences.
const FRAME_OVERHEAD: u32 = 20;

/// How a client behaves on a line.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// This client's address.
    pub client: Address,
    /// The server's address.
    pub server: Address,
    /// What to propose.
    pub parameters: Parameters,
    /// How long to wait for an answer before asking again, not counting the time the octets take on the line.
    pub response_timeout: Duration,
    /// The time one octet takes on the line: the longest frame agreed, and what was sent, are waited for on top.
    pub octet_time: Duration,
    /// How often to ask again without getting any further.
    pub retries: u32,
    /// How long the line may be silent within a frame. The standard's 25 ms are too short for real heads.
    pub inter_octet_timeout: Duration,
    /// How long to leave a server that has nothing to say yet before polling it again.
    pub poll_interval: Duration,
    /// How often to poll such a server.
    pub max_polls: u32,
    /// Longest message taken, in octets.
    pub max_message: usize,
    /// Whether the head repeats what is sent.
    pub echo: Echo,
}

impl ClientSettings {
    /// Settings that suit an optical head at 9600 baud: 3 s for an answer, asked 5 times again; 500 ms between
    /// octets; a busy server polled every second for a minute.
    pub fn new(client: Address, server: Address) -> Self {
        Self {
            client,
            server,
            parameters: Parameters::default(),
            response_timeout: Duration::from_secs(3),
            octet_time: Duration::ZERO,
            retries: 5,
            inter_octet_timeout: Duration::from_millis(500),
            poll_interval: Duration::from_secs(1),
            max_polls: 60,
            max_message: 1 << 17,
            echo: Echo::Unknown,
        }
    }
}

/// What happened on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server has agreed to connect, on these terms.
    Connected(Parameters),
    /// A message has arrived.
    Received(Vec<u8>),
    /// A message outside the sequence (UI) has arrived: a push.
    Unnumbered(Vec<u8>),
    /// Disconnected as asked.
    Disconnected,
    /// The link is gone; [`Client::connect`] makes a new one.
    Failed(LinkFailure),
}

/// Why a link is gone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkFailure {
    /// Nothing that helps came back.
    #[error(
        "no answer from server {server} after {attempts} attempts while {doing}; check cable, baud rate and address"
    )]
    NoAnswer {
        /// The server's address.
        server: Address,
        /// How often it was asked.
        attempts: u32,
        /// What the client was about.
        doing: &'static str,
    },
    /// The server answers but never has anything to say.
    #[error("server {server} was polled {polls} times and never had an answer to the request")]
    Busy {
        /// The server's address.
        server: Address,
        /// How often it was polled.
        polls: u32,
    },
    /// The server is, or says it is, disconnected (DM).
    #[error("server {server} says it is disconnected (DM); it refused to connect or timed out")]
    ServerDisconnected {
        /// The server's address.
        server: Address,
    },
    /// The server rejected a frame (FRMR).
    #[error("server {server} rejected a frame (FRMR) with control {:02X}: unknown {}, too long {}, bad acknowledgement {}; connect again", reject.control, reject.unknown_control, reject.too_long, reject.bad_acknowledgement)]
    FrameRejected {
        /// The server's address.
        server: Address,
        /// What it said.
        reject: FrameReject,
    },
    /// The server agreed to something no link can be made with.
    #[error("server {server} answered with unusable parameters: {error}")]
    Parameters {
        /// The server's address.
        server: Address,
        /// What was wrong.
        error: ParametersError,
    },
    /// The message grows beyond what this client takes.
    #[error("message longer than {limit} octets")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// There is no link.
    #[error("not connected; connect first")]
    NotConnected,
    /// The server has the turn: an answer is still awaited.
    #[error("the answer to the last message is still awaited")]
    Busy,
}

#[derive(Debug)]
enum State {
    Disconnected,
    Connecting,
    Connected(Box<Link>),
    Disconnecting,
}

#[derive(Debug)]
struct Link {
    sender: Sender,
    receiver: Receiver,
    /// Whether the server has been handed the turn and must hand it back.
    theirs: bool,
    /// Polls of a server that had nothing to say, since it last got any further.
    polls: u32,
    /// Longest information field the server sends.
    longest: MaxInfo,
}

/// The primary station on a line with one server.
///
/// Give it what the line receives, send what [`Client::poll_transmit`] gives, and call
/// [`Client::handle_timeout`] when [`Client::poll_timeout`] says.
#[derive(Debug)]
pub struct Client {
    settings: ClientSettings,
    state: State,
    deframer: Deframer,
    echo: EchoCanceller,
    transmit: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    /// Asked again so often without getting any further.
    attempts: u32,
    /// Octets to be sent since anything was received.
    unheard: u32,
    /// When to ask again.
    deadline: Option<Instant>,
    /// When a frame that has begun counts as cut short.
    octet_deadline: Option<Instant>,
}

impl Client {
    /// A client that is not connected.
    pub fn new(settings: ClientSettings) -> Self {
        Self {
            echo: EchoCanceller::new(settings.echo),
            settings,
            state: State::Disconnected,
            deframer: Deframer::new(),
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            attempts: 0,
            unheard: 0,
            deadline: None,
            octet_deadline: None,
        }
    }

    /// Connects, forgetting any link there was. [`Event::Connected`] or [`Event::Failed`] follows.
    pub fn connect(&mut self, now: Instant) {
        self.state = State::Connecting;
        self.attempts = 0;
        self.ask_unnumbered(Unnumbered::Connect, now);
    }

    /// Disconnects. [`Event::Disconnected`] or [`Event::Failed`] follows.
    pub fn disconnect(&mut self, now: Instant) {
        self.state = State::Disconnecting;
        self.attempts = 0;
        self.ask_unnumbered(Unnumbered::Disconnect, now);
    }

    /// Whether there is a link.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected(_))
    }

    /// Octets received and thrown away so far: noise, and frames that did not check.
    pub fn discarded(&self) -> u64 {
        self.deframer.discarded()
    }

    /// Sends a message and hands the server the turn. [`Event::Received`] or [`Event::Failed`] follows.
    ///
    /// # Errors
    /// No link, or the server still has the turn.
    pub fn send(&mut self, apdu: &[u8], now: Instant) -> Result<(), SendError> {
        let State::Connected(link) = &mut self.state else { return Err(SendError::NotConnected) };
        if link.theirs || !link.sender.is_idle() {
            return Err(SendError::Busy);
        }
        link.sender.push(&[&LLC_REQUEST, apdu].concat());
        link.polls = 0;
        self.attempts = 0;
        self.take_turn(now);
        Ok(())
    }

    /// Takes octets from the line.
    pub fn receive(&mut self, octets: &[u8], now: Instant) {
        self.unheard = 0;
        let octets = self.echo.received(octets);
        self.deframer.receive(&octets);
        self.handle_frames(now);
        let timeout = self.settings.inter_octet_timeout;
        self.octet_deadline = self.deframer.is_mid_frame().then(|| now + timeout);
    }

    /// The next octets to send, `None` when there are none.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    /// The next event, `None` when there is none.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::handle_timeout`] must be called, unless something is received before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.deadline, self.octet_deadline].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.octet_deadline.is_some_and(|deadline| deadline <= now) {
            self.octet_deadline = None;
            while self.deframer.is_mid_frame() {
                self.deframer.give_up();
                self.handle_frames(now);
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.echo.forget();
            self.ask_again(now);
        }
    }

    fn handle_frames(&mut self, now: Instant) {
        while let Some(frame) = self.deframer.next_frame() {
            let ours = frame.destination == self.settings.client;
            if ours && self.settings.server.answers_as(frame.source) {
                self.handle(&frame, now);
            }
        }
    }

    fn handle(&mut self, frame: &Frame, now: Instant) {
        if let Control::Unnumbered { kind: Unnumbered::Information, .. } = frame.control {
            let message = frame.information.octets().to_vec();
            return self.events.push_back(Event::Unnumbered(without_llc(message)));
        }
        match &self.state {
            State::Disconnected => {}
            State::Connecting => self.handle_connecting(frame),
            State::Disconnecting => self.handle_disconnecting(frame),
            State::Connected(_) => self.handle_connected(frame, now),
        }
    }

    fn handle_connecting(&mut self, frame: &Frame) {
        let server = self.settings.server;
        match frame.control {
            Control::Unnumbered { kind: Unnumbered::Acknowledge, .. } => {
                match Parameters::decode(&frame.information) {
                    Ok(theirs) => self.connected(self.settings.parameters.agreed_with(theirs)),
                    Err(error) => self.fail(LinkFailure::Parameters { server, error }),
                }
            }
            Control::Unnumbered { kind: Unnumbered::Disconnected, .. } => {
                self.fail(LinkFailure::ServerDisconnected { server });
            }
            // Left over from an earlier link; the server may still accept the SNRM that follows it.
            _ => {}
        }
    }

    fn connected(&mut self, parameters: Parameters) {
        // A head repeats the SNRM before the UA can come. Deciding now matters where client and server have the same
        // address: there a server's RR looks just like our own come back.
        self.echo.conclude();
        self.state = State::Connected(Box::new(Link {
            sender: Sender::new(parameters),
            receiver: Receiver::new(parameters, self.settings.max_message),
            theirs: false,
            polls: 0,
            longest: parameters.max_info_rx,
        }));
        self.deadline = None;
        self.events.push_back(Event::Connected(parameters));
    }

    fn handle_disconnecting(&mut self, frame: &Frame) {
        let kind = match frame.control {
            Control::Unnumbered { kind, .. } => kind,
            _ => return,
        };
        if matches!(kind, Unnumbered::Acknowledge | Unnumbered::Disconnected) {
            self.state = State::Disconnected;
            self.deadline = None;
            self.events.push_back(Event::Disconnected);
        }
    }

    fn handle_connected(&mut self, frame: &Frame, now: Instant) {
        let server = self.settings.server;
        match frame.control {
            Control::Information { nr, ns, poll } => self.handle_information(nr, ns, poll, frame, now),
            Control::ReceiveReady { nr, poll } | Control::Reject { nr, poll } => {
                self.handle_ready(nr, poll, true, now)
            }
            Control::ReceiveNotReady { nr, poll } => self.handle_ready(nr, poll, false, now),
            Control::Unnumbered { kind: Unnumbered::Disconnected, .. } => {
                self.fail(LinkFailure::ServerDisconnected { server });
            }
            Control::Unnumbered { kind: Unnumbered::FrameReject, .. } => {
                let reject = FrameReject::decode(&frame.information);
                self.fail(LinkFailure::FrameRejected { server, reject });
            }
            // A UA that comes twice, or noise that checks by chance.
            Control::Unnumbered { .. } | Control::Unknown(_) => {}
        }
    }

    fn handle_information(&mut self, nr: u8, ns: u8, last: bool, frame: &Frame, now: Instant) {
        let State::Connected(link) = &mut self.state else { return };
        // Acknowledging what was never sent: a stray. Recovery by time-out is safer than acting on it.
        let Ok(acknowledged) = link.sender.acknowledge(nr) else { return };
        let accepted = link.receiver.accept(ns, frame);
        if acknowledged || matches!(accepted, Accepted::Part | Accepted::Whole(_)) {
            link.polls = 0;
            self.attempts = 0;
        }
        match accepted {
            Accepted::TooLong => return self.fail(LinkFailure::TooLong { limit: self.settings.max_message }),
            Accepted::Whole(message) => {
                self.events.push_back(Event::Received(without_llc(message)));
                if last {
                    link.theirs = false;
                    self.deadline = None;
                    return self.send_rest(now);
                }
            }
            // A late copy: what it belongs to has been dealt with.
            Accepted::Duplicate => return,
            Accepted::Gap if last && self.out_of_attempts("fetching the rest of an answer") => return,
            Accepted::Part | Accepted::Gap => {}
        }
        if last && self.server_has_turn() {
            self.take_turn(now);
        } else if self.server_has_turn() {
            self.deadline = Some(self.answer_due(now));
        }
    }

    /// Goes on with segments the server has not yet acknowledged, if there are any.
    fn send_rest(&mut self, now: Instant) {
        if let State::Connected(link) = &self.state
            && !link.sender.is_idle()
        {
            self.take_turn(now);
        }
    }

    fn server_has_turn(&self) -> bool {
        matches!(&self.state, State::Connected(link) if link.theirs)
    }

    /// RR or RNR: acknowledgements, and perhaps the turn back without an answer.
    fn handle_ready(&mut self, nr: u8, last: bool, ready: bool, now: Instant) {
        let State::Connected(link) = &mut self.state else { return };
        let Ok(acknowledged) = link.sender.acknowledge(nr) else { return };
        if acknowledged {
            link.polls = 0;
            self.attempts = 0;
        }
        if !last || !link.theirs {
            return;
        }
        if ready && !link.sender.is_idle() {
            // What was sent and not acknowledged did not arrive.
            if !acknowledged && self.out_of_attempts("sending a request") {
                return;
            }
            self.take_turn(now);
        } else {
            self.wait_for_busy_server(now);
        }
    }

    /// The server has nothing to say yet, or no room. Polls it again after a while, but not for ever.
    fn wait_for_busy_server(&mut self, now: Instant) {
        let (polls, server) = (self.settings.max_polls, self.settings.server);
        let State::Connected(link) = &mut self.state else { return };
        link.polls += 1;
        if link.polls > polls {
            return self.fail(LinkFailure::Busy { server, polls });
        }
        // Asking again at the deadline counts as an attempt; the server has just proved that it is there.
        self.attempts = 0;
        self.deadline = Some(now + self.settings.poll_interval);
    }

    /// Sends what the window allows, from the first segment not acknowledged, and hands the server the turn with the
    /// last frame; with a bare poll where there is nothing to send.
    fn take_turn(&mut self, now: Instant) {
        let State::Connected(link) = &mut self.state else { return };
        link.sender.rewind();
        link.theirs = true;
        let round = link.sender.round();
        let nr = link.receiver.next_number();
        let last = round.len().saturating_sub(1);
        if round.is_empty() {
            self.put(Control::ReceiveReady { nr, poll: true }, false, Information::default());
        }
        for (index, (ns, segment)) in round.into_iter().enumerate() {
            let control = Control::Information { nr, ns, poll: index == last };
            self.put(control, segment.more, segment.information);
        }
        self.deadline = Some(self.answer_due(now));
    }

    /// The deadline has passed.
    fn ask_again(&mut self, now: Instant) {
        let doing = match &self.state {
            State::Disconnected => return,
            State::Connecting => "connecting",
            State::Connected(_) => "waiting for an answer",
            State::Disconnecting => "disconnecting",
        };
        if self.out_of_attempts(doing) {
            return;
        }
        match &self.state {
            State::Disconnected => {}
            State::Connecting => self.ask_unnumbered(Unnumbered::Connect, now),
            State::Connected(_) => self.recover(now),
            State::Disconnecting => self.ask_unnumbered(Unnumbered::Disconnect, now),
        }
    }

    /// First a bare poll: its answer says what arrived, and a request that did arrive is not sent twice. Every other
    /// time the request itself, for servers that know no polls.
    fn recover(&mut self, now: Instant) {
        let State::Connected(link) = &self.state else { return };
        if self.attempts.is_multiple_of(2) {
            return self.take_turn(now);
        }
        let nr = link.receiver.next_number();
        self.put(Control::ReceiveReady { nr, poll: true }, false, Information::default());
        self.deadline = Some(self.answer_due(now));
    }

    /// Counts an attempt that led nowhere; fails the link when that was the last.
    fn out_of_attempts(&mut self, doing: &'static str) -> bool {
        self.attempts += 1;
        let spent = self.attempts > self.settings.retries;
        if spent {
            let (server, attempts) = (self.settings.server, self.attempts);
            self.fail(LinkFailure::NoAnswer { server, attempts, doing });
        }
        spent
    }

    fn ask_unnumbered(&mut self, kind: Unnumbered, now: Instant) {
        let information = match kind {
            Unnumbered::Connect if self.settings.parameters != Parameters::default() => {
                self.settings.parameters.encode()
            }
            _ => Information::default(),
        };
        self.put(Control::unnumbered(kind), false, information);
        self.deadline = Some(self.answer_due(now));
    }

    fn put(&mut self, control: Control, segmented: bool, information: Information) {
        let (destination, source) = (self.settings.server, self.settings.client);
        let octets = Frame { destination, source, control, segmented, information }.encode();
        self.echo.sent(&octets);
        self.unheard = self.unheard.saturating_add(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        self.transmit.push_back(octets);
    }

    /// When an answer to what was sent must have come, the time on the line counted in.
    fn answer_due(&self, now: Instant) -> Instant {
        let longest = match &self.state {
            State::Connected(link) => link.longest,
            _ => MaxInfo::DEFAULT,
        };
        let octets = self.unheard.saturating_add(u32::from(longest.get()) + FRAME_OVERHEAD);
        now + self.settings.response_timeout + self.settings.octet_time.saturating_mul(octets)
    }

    fn fail(&mut self, failure: LinkFailure) {
        self.state = State::Disconnected;
        self.deadline = None;
        self.transmit.clear();
        self.events.push_back(Event::Failed(failure));
    }
}
