//! One end of the line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{CANCEL, Deframer, Frame, MAX_PAYLOAD, reset_code};

/// Payloads that wait for their turn; more are refused.
const QUEUED: usize = 64;
/// Frames not yet taken from the state machine, and events: where more come up the oldest is lost.
const UNTAKEN: usize = 256;
/// Octets that end whatever the other side had begun, before a reset.
const CANCELS: usize = 32;

/// Which end of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The program that uses the co-processor.
    Host,
    /// The co-processor.
    Ncp,
}

/// Waits and repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long to wait for an acknowledgement before a frame is sent again.
    pub acknowledge: Duration,
    /// How often a frame is sent before the line is given up; at least once.
    pub attempts: u8,
    /// Frames sent without acknowledgement, 1 to 7.
    pub window: u8,
    /// How long a host waits for the acknowledgement of a reset.
    pub reset: Duration,
    /// How often a host asks for a reset before it gives up; at least once.
    pub resets: u8,
    /// How long the other side's "not ready" holds back payloads.
    pub not_ready: Duration,
}

impl Default for Settings {
    /// The protocol's own: 1.6 s for an acknowledgement; five attempts, a window of one frame, three resets of 3.2 s.
    fn default() -> Self {
        Self {
            acknowledge: Duration::from_millis(1600),
            attempts: 5,
            window: 1,
            reset: Duration::from_millis(3200),
            resets: 3,
            not_ready: Duration::from_secs(1),
        }
    }
}

/// How the line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing has been asked, or the line was given up.
    Down,
    /// A host waits for the acknowledgement of its reset.
    Resetting,
    /// Payloads can go both ways.
    Up,
}

/// What has happened on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is up: the co-processor has started, for this reason.
    Up {
        /// See [`reset_code`].
        code: u8,
    },
    /// A payload has come.
    Payload(Vec<u8>),
    /// It is down.
    Down(LinkError),
}

/// Why a line is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No co-processor answers.
    #[error(
        "no co-processor answered {resets} reset(s); is the dongle plugged in, and are speed and flow control its own?"
    )]
    NoReset {
        /// How often it was asked.
        resets: u8,
    },
    /// Frames are not acknowledged any longer.
    #[error("a frame sent {attempts} time(s) was not acknowledged")]
    NoAcknowledgement {
        /// How often it was sent.
        attempts: u8,
    },
    /// The co-processor has said that it has stopped.
    #[error("the co-processor has stopped with code {code:#04x}; reset it")]
    Stopped {
        /// See [`reset_code`].
        code: u8,
    },
    /// The co-processor has started by itself and knows nothing of what was before.
    #[error("the co-processor has started again by itself, code {code:#04x}")]
    Restarted {
        /// See [`reset_code`].
        code: u8,
    },
}

/// Why a payload was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The line is not up.
    #[error("the line to the co-processor is not up")]
    NotUp,
    /// Too many octets.
    #[error("{0} octets are more than the {MAX_PAYLOAD} of one frame")]
    TooLong(usize),
    /// Too many wait.
    #[error("{QUEUED} payloads wait already; let them go first")]
    Full,
}

/// A frame on its way.
#[derive(Debug)]
struct Sent {
    number: u8,
    payload: Vec<u8>,
    attempts: u8,
    until: Instant,
}

/// One end of the line.
#[derive(Debug)]
pub struct Link {
    role: Role,
    settings: Settings,
    state: State,
    deframer: Deframer,
    next_sent: u8,
    next_received: u8,
    /// A refusal is on its way; another would make the other side repeat twice.
    rejecting: bool,
    sent: VecDeque<Sent>,
    waiting: VecDeque<Vec<u8>>,
    held: Option<Instant>,
    resetting: Option<(u8, Instant)>,
    stopped: Option<u8>,
    out: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl Link {
    /// An end that is down. A co-processor's comes up when the host resets it, a host's by [`Link::reset`].
    pub fn new(role: Role, settings: Settings) -> Self {
        Self {
            role,
            settings,
            state: State::Down,
            deframer: Deframer::new(),
            next_sent: 0,
            next_received: 0,
            rejecting: false,
            sent: VecDeque::new(),
            waiting: VecDeque::new(),
            held: None,
            resetting: None,
            stopped: None,
            out: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// How the line stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Starts the line anew: a host asks its co-processor to, a co-processor says that it has.
    pub fn reset(&mut self, now: Instant) {
        self.forget();
        match self.role {
            Role::Host => self.ask_reset(1, now),
            Role::Ncp => self.start(reset_code::SOFTWARE),
        }
    }

    fn forget(&mut self) {
        (self.next_sent, self.next_received, self.rejecting) = (0, 0, false);
        self.sent.clear();
        self.waiting.clear();
        self.held = None;
        self.resetting = None;
        self.stopped = None;
    }

    fn ask_reset(&mut self, attempt: u8, now: Instant) {
        self.state = State::Resetting;
        self.resetting = Some((attempt, now + self.settings.reset));
        self.put(vec![CANCEL; CANCELS]);
        self.frame(&Frame::Reset);
    }

    /// A co-processor has started.
    fn start(&mut self, code: u8) {
        self.state = State::Up;
        self.frame(&Frame::ResetAck { code });
        self.tell(Event::Up { code });
    }

    /// Sends a payload, at once or when the window has room.
    ///
    /// # Errors
    /// [`SendError`]: it was not taken.
    pub fn send(&mut self, payload: &[u8], now: Instant) -> Result<(), SendError> {
        if self.state != State::Up {
            return Err(SendError::NotUp);
        }
        if payload.len() > MAX_PAYLOAD {
            return Err(SendError::TooLong(payload.len()));
        }
        if self.waiting.len() >= QUEUED {
            return Err(SendError::Full);
        }
        self.waiting.push_back(payload.to_vec());
        self.fill(now);
        Ok(())
    }

    /// Takes octets from the line.
    pub fn receive(&mut self, octets: &[u8], now: Instant) {
        for octet in octets {
            match self.deframer.receive(*octet) {
                Some(Ok(frame)) => self.take(frame, now),
                // What was damaged is asked for again; which frame it was nobody knows.
                Some(Err(_)) => self.reject(),
                None => {}
            }
        }
    }

    fn take(&mut self, frame: Frame, now: Instant) {
        match (self.role, frame) {
            (Role::Ncp, Frame::Reset) => {
                self.forget();
                self.start(reset_code::SOFTWARE);
            }
            (Role::Host, Frame::ResetAck { code }) => self.take_started(code),
            (Role::Host, Frame::Error { code }) => self.take_stopped(code),
            (_, Frame::Data { number, again, ack, payload }) if self.is_up() => {
                self.acknowledged(ack);
                self.take_data(number, again, payload);
            }
            (_, Frame::Ack { ack, not_ready }) if self.is_up() => {
                self.hold(not_ready, now);
                self.acknowledged(ack);
            }
            (_, Frame::Nak { ack, not_ready }) if self.is_up() => {
                self.hold(not_ready, now);
                self.acknowledged(ack);
                self.repeat(now);
            }
            _ => {}
        }
        self.fill(now);
    }

    /// Whether frames count; a co-processor that has stopped says so to whatever comes.
    fn is_up(&mut self) -> bool {
        if let (Role::Ncp, Some(code)) = (self.role, self.stopped) {
            self.frame(&Frame::Error { code });
        }
        self.state == State::Up
    }

    fn take_started(&mut self, code: u8) {
        if self.state == State::Resetting {
            self.forget();
            self.state = State::Up;
            self.tell(Event::Up { code });
        } else if self.state == State::Up {
            self.down(LinkError::Restarted { code });
        }
    }

    fn take_stopped(&mut self, code: u8) {
        if self.state == State::Up {
            self.down(LinkError::Stopped { code });
        }
    }

    fn take_data(&mut self, number: u8, again: bool, payload: Vec<u8>) {
        if number == self.next_received {
            self.next_received = next(number);
            self.rejecting = false;
            self.acknowledge();
            self.tell(Event::Payload(payload));
        } else if again {
            self.acknowledge();
        } else {
            self.reject();
        }
    }

    fn acknowledge(&mut self) {
        self.frame(&Frame::Ack { ack: self.next_received, not_ready: false });
    }

    fn reject(&mut self) {
        if self.state == State::Up && !self.rejecting {
            self.rejecting = true;
            self.frame(&Frame::Nak { ack: self.next_received, not_ready: false });
        }
    }

    fn hold(&mut self, not_ready: bool, now: Instant) {
        self.held = not_ready.then(|| now + self.settings.not_ready);
    }

    /// Everything before `ack` has arrived. A number that was not sent is passed over.
    fn acknowledged(&mut self, ack: u8) {
        let known = ack == self.next_sent || self.sent.iter().any(|sent| sent.number == ack);
        while known && self.sent.front().is_some_and(|sent| sent.number != ack) {
            self.sent.pop_front();
        }
    }

    /// Sends what is not acknowledged again, as the other side has asked.
    fn repeat(&mut self, now: Instant) {
        if self.sent.iter().any(|sent| sent.attempts >= self.settings.attempts) {
            return self.give_up();
        }
        let until = now + self.settings.acknowledge;
        let ack = self.next_received;
        let frames: Vec<Frame> = self
            .sent
            .iter_mut()
            .map(|sent| {
                sent.attempts += 1;
                sent.until = until;
                Frame::Data { number: sent.number, again: true, ack, payload: sent.payload.clone() }
            })
            .collect();
        frames.iter().for_each(|frame| self.frame(frame));
    }

    /// Sends what the window has room for.
    fn fill(&mut self, now: Instant) {
        let window = usize::from(self.settings.window.clamp(1, 7));
        while self.state == State::Up && self.held.is_none() && self.sent.len() < window {
            let Some(payload) = self.waiting.pop_front() else { return };
            let number = self.next_sent;
            self.next_sent = next(number);
            let ack = self.next_received;
            self.frame(&Frame::Data { number, again: false, ack, payload: payload.clone() });
            let until = now + self.settings.acknowledge;
            self.sent.push_back(Sent { number, payload, attempts: 1, until });
        }
    }

    fn give_up(&mut self) {
        let attempts = self.settings.attempts;
        if self.role == Role::Ncp {
            self.stopped = Some(reset_code::ACK_TIMEOUTS);
            self.frame(&Frame::Error { code: reset_code::ACK_TIMEOUTS });
        }
        self.down(LinkError::NoAcknowledgement { attempts });
    }

    fn down(&mut self, error: LinkError) {
        self.state = State::Down;
        self.resetting = None;
        self.sent.clear();
        self.waiting.clear();
        self.tell(Event::Down(error));
    }

    /// When [`Link::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reset = self.resetting.map(|(_, until)| until);
        let sent = self.sent.front().map(|sent| sent.until);
        [reset, sent, self.held].into_iter().flatten().min()
    }

    /// Does what the time has come for: a frame again, a reset again, or giving up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.held.is_some_and(|until| now >= until) {
            self.held = None;
        }
        if let Some((attempt, until)) = self.resetting
            && now >= until
        {
            if attempt < self.settings.resets {
                self.ask_reset(attempt + 1, now);
            } else {
                self.down(LinkError::NoReset { resets: attempt });
            }
        }
        if self.sent.front().is_some_and(|sent| now >= sent.until) {
            self.repeat(now);
        }
        self.fill(now);
    }

    /// The next octets for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn frame(&mut self, frame: &Frame) {
        self.put(frame.to_bytes());
    }

    fn put(&mut self, octets: Vec<u8>) {
        if self.out.len() >= UNTAKEN {
            self.out.pop_front();
        }
        self.out.push_back(octets);
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() >= UNTAKEN {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

fn next(number: u8) -> u8 {
    number.wrapping_add(1) & 0x07
}
