//! The host's side of a session.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::commands::{AskVersion, AskVersionResponse, INVALID_COMMAND};
use super::types::ProtocolStatus;
use super::{Callback, Command, Direction, Format, Frame, HIGHEST_VERSION, LOWEST_VERSION};
use crate::ZigbeeError;
use crate::ash::{self, Link, LinkError, Role};

/// Callbacks nobody has taken yet; where more come up the oldest is lost.
const UNTAKEN: usize = 128;

/// Waits and repeats of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// Those of the line.
    pub link: ash::Settings,
    /// How long to wait for the response to a command.
    pub response: Duration,
}

impl Default for HostSettings {
    /// The line's own, and ten seconds.
    fn default() -> Self {
        Self { link: ash::Settings::default(), response: Duration::from_secs(10) }
    }
}

/// What co-processor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Version of the protocol.
    pub protocol: u8,
    /// 02: a mesh.
    pub stack_type: u8,
    /// Version of the stack, a nibble a part.
    pub stack: u16,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [high, low] = self.stack.to_be_bytes();
        let (major, minor, patch, special) = (high >> 4, high & 0x0f, low >> 4, low & 0x0f);
        write!(f, "EZSP {}, stack {major}.{minor}.{patch}.{special}", self.protocol)
    }
}

/// What has happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEvent {
    /// Commands can be sent.
    Ready(Version),
    /// The parameters of the response to the command that was sent.
    Response(Vec<u8>),
    /// Something the co-processor tells unasked.
    Callback(Callback),
    /// The session is over, or a command has failed.
    Failed(HostError),
}

/// Why a session or a command has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The line.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A version this crate does not speak.
    #[error(
        "the co-processor speaks EZSP version {0}; this program speaks {LOWEST_VERSION} to {HIGHEST_VERSION}, \
         so give it other firmware"
    )]
    Version(u8),
    /// No response in time.
    #[error("no response to EZSP command {id:#06x} in {waited:?}")]
    NoResponse {
        /// Of the command.
        id: u16,
        /// How long.
        waited: Duration,
    },
    /// The co-processor does not carry the command out.
    #[error("the co-processor refused EZSP command {id:#06x}: {status:?}")]
    Refused {
        /// Of the command.
        id: u16,
        /// Why.
        status: ProtocolStatus,
    },
    /// Another response than the one to the command.
    #[error("EZSP response {found:#06x}, expected {expected:#06x}")]
    Mismatch {
        /// Its identifier.
        found: u16,
        /// That of the command.
        expected: u16,
    },
    /// A frame that cannot be read.
    #[error("EZSP frame: {0}")]
    Malformed(#[from] ZigbeeError),
    /// No session, or a command is on its way.
    #[error("the session cannot take an EZSP command now")]
    NotReady,
    /// A command that does not fit a frame of the line.
    #[error(transparent)]
    Send(#[from] ash::SendError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Down,
    Starting,
    AgreeingVersion(Version),
    Ready,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    sequence: u8,
    id: u16,
    until: Instant,
}

/// The host's side of a session. One command is on its way at a time.
#[derive(Debug)]
pub struct Host {
    link: Link,
    settings: HostSettings,
    stage: Stage,
    sequence: u8,
    pending: Option<Pending>,
    events: VecDeque<HostEvent>,
}

impl Host {
    /// A side without a session.
    pub fn new(settings: HostSettings) -> Self {
        let link = Link::new(Role::Host, settings.link.clone());
        Self { link, settings, stage: Stage::Down, sequence: 0, pending: None, events: VecDeque::new() }
    }

    /// Begins a session: resets the co-processor, then agrees on the version.
    pub fn start(&mut self, now: Instant) {
        self.stage = Stage::Starting;
        self.pending = None;
        self.link.reset(now);
    }

    /// Whether a command can be sent.
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready && self.pending.is_none()
    }

    /// Sends a command; its response, or why there is none, comes as an event.
    ///
    /// # Errors
    /// [`HostError`]: it was not sent.
    pub fn send<C: Command>(&mut self, command: &C, now: Instant) -> Result<(), HostError> {
        if !self.is_ready() {
            return Err(HostError::NotReady);
        }
        self.put(Format::Extended, C::ID, command.to_bytes(), now)
    }

    fn put(&mut self, format: Format, id: u16, parameters: Vec<u8>, now: Instant) -> Result<(), HostError> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let frame = Frame { format, sequence, direction: Direction::Command, id, parameters };
        self.link.send(&frame.to_bytes(), now)?;
        self.pending = Some(Pending { sequence, id, until: now + self.settings.response });
        Ok(())
    }

    /// Takes octets from the line.
    pub fn receive(&mut self, octets: &[u8], now: Instant) {
        self.link.receive(octets, now);
        self.turn(now);
    }

    /// When [`Host::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let pending = self.pending.map(|pending| pending.until);
        [pending, self.link.poll_timeout()].into_iter().flatten().min()
    }

    /// Does what the time has come for.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now);
        self.turn(now);
        if let Some(pending) = self.pending.filter(|pending| now >= pending.until) {
            self.pending = None;
            self.fail(HostError::NoResponse { id: pending.id, waited: self.settings.response });
        }
    }

    /// The next octets for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.link.poll_transmit()
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<HostEvent> {
        self.events.pop_front()
    }

    fn turn(&mut self, now: Instant) {
        while let Some(event) = self.link.poll_event() {
            match event {
                ash::Event::Up { .. } => self.ask_version(Format::Legacy, LOWEST_VERSION, now),
                ash::Event::Payload(payload) => self.take(&payload, now),
                ash::Event::Down(error) => {
                    self.pending = None;
                    self.over(error.into());
                }
            }
        }
    }

    fn ask_version(&mut self, format: Format, desired: u8, now: Instant) {
        if let Err(error) = self.put(format, AskVersion::ID, AskVersion { desired }.to_bytes(), now) {
            self.over(error);
        }
    }

    fn take(&mut self, payload: &[u8], now: Instant) {
        let format = if self.stage == Stage::Starting { Format::Legacy } else { Format::Extended };
        let taken =
            Frame::parse(format, payload).map_err(HostError::from).and_then(|frame| match frame.direction {
                Direction::Callback => self.take_callback(&frame).map_err(HostError::from),
                Direction::Response => self.take_response(frame, now),
                Direction::Command => Err(HostError::Mismatch { found: frame.id, expected: 0 }),
            });
        if let Err(error) = taken {
            self.fail(error);
        }
    }

    fn take_callback(&mut self, frame: &Frame) -> Result<(), ZigbeeError> {
        let callback = Callback::parse(frame.id, &frame.parameters)?;
        self.tell(HostEvent::Callback(callback));
        Ok(())
    }

    fn take_response(&mut self, frame: Frame, now: Instant) -> Result<(), HostError> {
        // The late response to a command that was given up.
        let Some(pending) = self.pending.filter(|pending| pending.sequence == frame.sequence) else {
            return Ok(());
        };
        self.pending = None;
        if frame.id == INVALID_COMMAND {
            let status = frame.parameters.first().copied().unwrap_or_default().into();
            return Err(HostError::Refused { id: pending.id, status });
        }
        if frame.id != pending.id {
            return Err(HostError::Mismatch { found: frame.id, expected: pending.id });
        }
        match self.stage {
            Stage::Ready => self.tell(HostEvent::Response(frame.parameters)),
            Stage::Starting => self.take_version(&frame, now)?,
            Stage::AgreeingVersion(version) => {
                self.stage = Stage::Ready;
                self.tell(HostEvent::Ready(version));
            }
            Stage::Down => {}
        }
        Ok(())
    }

    /// The version is asked for again in the format the co-processor speaks, which seals it.
    fn take_version(&mut self, frame: &Frame, now: Instant) -> Result<(), HostError> {
        let AskVersionResponse { version, stack_type, stack_version } =
            AskVersion::parse_response(&frame.parameters)?;
        if !(LOWEST_VERSION..=HIGHEST_VERSION).contains(&version) {
            self.over(HostError::Version(version));
            return Ok(());
        }
        self.stage = Stage::AgreeingVersion(Version { protocol: version, stack_type, stack: stack_version });
        self.ask_version(Format::Extended, version, now);
        Ok(())
    }

    /// A failure while a session begins is the end of it.
    fn fail(&mut self, error: HostError) {
        if self.stage != Stage::Ready {
            self.stage = Stage::Down;
        }
        self.tell(HostEvent::Failed(error));
    }

    fn over(&mut self, error: HostError) {
        self.stage = Stage::Down;
        self.tell(HostEvent::Failed(error));
    }

    /// Callbacks are news that may be lost; what answers the caller is not.
    fn tell(&mut self, event: HostEvent) {
        if self.events.len() >= UNTAKEN {
            let old = self.events.iter().position(|event| matches!(event, HostEvent::Callback(_)));
            self.events.remove(old.unwrap_or_default());
        }
        self.events.push_back(event);
    }
}
