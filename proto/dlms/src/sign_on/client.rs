//! The client's side of the opening exchange.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::output::Output;
use super::read_out::{Gathering, REPEAT};
use super::{
    Baud, Framing, Identification, IdentificationError, LineSettings, MAX_LINE, Mode, ReadOut, ReadOutError,
    acknowledgement, mode_e, without_parity,
};
use crate::echo::{Echo, EchoCanceller};

/// How long a meter that says it is quick is kept waiting: the standard has 20 ms.
const QUICK: Duration = Duration::from_millis(30);

/// How a client signs on.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// What to ask for.
    pub mode: Mode,
    /// The meter's address, where several share a line; empty for whichever is there.
    pub address: String,
    /// The fastest speed to go on with.
    pub max_baud: Baud,
    /// How long to wait before acknowledging: the standard has 200 ms; some meters need more. One that says it is quick is
    /// kept waiting 30 ms at most.
    pub reaction: Duration,
    /// How long to wait for an answer. Count in that 300 baud take 33 ms a character.
    pub response_timeout: Duration,
    /// How often to begin again.
    pub retries: u32,
    /// Whether the head repeats what is sent.
    pub echo: Echo,
}

impl Default for ClientSettings {
    /// Mode E with any meter, any speed, 300 ms before acknowledging, 3 s for an answer, begun 3 times again.
    fn default() -> Self {
        Self {
            mode: Mode::Hdlc,
            address: String::new(),
            max_baud: Baud::B19200,
            reaction: Duration::from_millis(300),
            response_timeout: Duration::from_secs(3),
            retries: 3,
            echo: Echo::Unknown,
        }
    }
}

/// What happens in the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Set the line like this, once what was written has left.
    SetLine(LineSettings),
    /// The meter is ready for HDLC.
    SignedOn {
        /// Who it says it is.
        identification: Identification,
        /// The speed agreed.
        baud: Baud,
        /// Whether the head turned out to repeat what is sent: tell the HDLC client.
        echo: Echo,
    },
    /// The meter has read itself out, and waits at 300 baud again before long.
    ReadOut {
        /// Who it says it is.
        identification: Identification,
        /// The speed agreed.
        baud: Baud,
        /// What it sent.
        read_out: ReadOut,
    },
    /// The exchange has failed.
    Failed(SignOnError),
}

/// Why an exchange has failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignOnError {
    /// No identification came.
    #[error(
        "no identification after {attempts} requests at 300 baud; check the head, its place on the meter and the cable"
    )]
    NoIdentification {
        /// Requests sent.
        attempts: u32,
    },
    /// An identification came that cannot be used.
    #[error("unusable identification: {0}")]
    Identification(#[from] IdentificationError),
    /// The meter did not confirm mode E.
    #[error(
        "the meter identified itself as {identification} but did not confirm mode E at {baud} in {attempts} attempts; try a lower speed, or sign-on=c"
    )]
    NotConfirmed {
        /// Who it says it is, as it says it.
        identification: String,
        /// The speed asked for.
        baud: Baud,
        /// Attempts made.
        attempts: u32,
    },
    /// The meter sends its read-out: it speaks mode C but not mode E.
    #[error("the meter answered with a mode C read-out; it does not speak mode E, so use sign-on=c")]
    ReadOut,
    /// The meter identified itself and then sent no read-out.
    #[error(
        "the meter identified itself as {identification} but sent no whole read-out at {baud} in {attempts} attempts; try a lower speed"
    )]
    NoReadOut {
        /// Who it says it is, as it says it.
        identification: String,
        /// The speed asked for.
        baud: Baud,
        /// Attempts made.
        attempts: u32,
    },
    /// What came is no read-out, every time it was asked for.
    #[error(transparent)]
    Spoilt(#[from] ReadOutError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Idle,
    /// The request is out.
    AwaitingIdentification,
    /// The identification is in; the meter is given time.
    Reacting(Identification),
    /// The acknowledgement is out.
    AwaitingConfirmation(Identification, Baud),
    /// The acknowledgement is out, and a read-out is to come.
    Gathering(Identification, Baud),
}

/// The client's side of the opening exchange.
#[derive(Debug)]
pub struct Client {
    settings: ClientSettings,
    state: State,
    /// Characters of a line not yet ended. At most [`MAX_LINE`].
    line: Vec<u8>,
    /// The read-out as far as it has come.
    gathering: Gathering,
    echo: EchoCanceller,
    output: Output<Event>,
    attempts: u32,
    deadline: Option<Instant>,
}

impl Client {
    /// A client that has not begun.
    pub fn new(settings: ClientSettings) -> Self {
        Self {
            echo: EchoCanceller::new(settings.echo),
            settings,
            state: State::Idle,
            line: Vec::new(),
            gathering: Gathering::default(),
            output: Output::new(),
            attempts: 0,
            deadline: None,
        }
    }

    /// Begins. [`Event::SignedOn`] or [`Event::Failed`] follows.
    pub fn start(&mut self, now: Instant) {
        self.attempts = 0;
        self.request(now);
    }

    /// Takes characters from the line.
    pub fn receive(&mut self, octets: &[u8], now: Instant) {
        let characters: Vec<u8> = without_parity(octets).collect();
        // Meters and adapters wake each other with zeros, which mean nothing.
        for character in self.echo.received(&characters).into_iter().filter(|character| *character != 0) {
            self.take(character, now);
        }
    }

    /// The next octets to send, `None` when there are none or an event comes first.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.output.octets()
    }

    /// The next event, `None` when there is none or octets come first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.output.event()
    }

    /// When [`Client::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        self.deadline = None;
        self.echo.forget();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Reacting(identification) => self.acknowledge(identification, now),
            State::AwaitingIdentification => {
                self.again_or(SignOnError::NoIdentification { attempts: self.attempts }, now);
            }
            State::AwaitingConfirmation(identification, baud) => {
                let (identification, attempts) = (identification.to_string(), self.attempts);
                self.again_or(SignOnError::NotConfirmed { identification, baud, attempts }, now);
            }
            State::Gathering(identification, baud) => {
                let (identification, attempts) = (identification.to_string(), self.attempts);
                self.again_or(SignOnError::NoReadOut { identification, baud, attempts }, now);
            }
        }
    }

    /// Begins again while attempts are left; the meter falls back to 300 baud by itself.
    fn again_or(&mut self, error: SignOnError, now: Instant) {
        if self.attempts > self.settings.retries { self.fail(error) } else { self.request(now) }
    }

    fn request(&mut self, now: Instant) {
        self.attempts += 1;
        self.line.clear();
        self.output.tell(Event::SetLine(LineSettings::INITIAL));
        let request = [b"/?", self.settings.address.as_bytes(), b"!\r\n"].concat();
        self.send(&request);
        self.state = State::AwaitingIdentification;
        self.deadline = Some(now + self.settings.response_timeout);
    }

    fn send(&mut self, octets: &[u8]) {
        self.echo.sent(octets);
        self.output.send(octets);
    }

    fn take(&mut self, character: u8, now: Instant) {
        if self.line.len() == MAX_LINE {
            self.line.clear();
        }
        self.line.push(character);
        match &self.state {
            State::AwaitingIdentification if character == b'\n' => self.take_identification(now),
            State::AwaitingConfirmation(..) => self.take_confirmation(),
            State::Gathering(..) => self.gather(character, now),
            _ => {}
        }
    }

    /// A line has ended. Noise may stand before its slash; a line `/?` is our own request come back.
    fn take_identification(&mut self, now: Instant) {
        let line = std::mem::take(&mut self.line);
        let Some(slash) = line.iter().position(|character| *character == b'/') else { return };
        let line = &line[slash..];
        if line.starts_with(b"/?") {
            return;
        }
        match Identification::decode(line) {
            Ok(identification) => {
                self.echo.conclude();
                let usual = self.settings.reaction;
                let reaction = if identification.is_quick() { usual.min(QUICK) } else { usual };
                self.state = State::Reacting(identification);
                self.deadline = Some(now + reaction);
            }
            // Noise may have spoilt it: worth another request.
            Err(error) => self.again_or(error.into(), now),
        }
    }

    fn acknowledge(&mut self, identification: Identification, now: Instant) {
        self.line.clear();
        let baud = identification.baud.min(self.settings.max_baud);
        self.send(&acknowledgement(self.settings.mode, baud));
        self.output.tell(Event::SetLine(LineSettings { baud, framing: Framing::SevenEven }));
        self.gathering = Gathering::default();
        self.state = match self.settings.mode {
            Mode::Hdlc => State::AwaitingConfirmation(identification, baud),
            Mode::ReadOut => State::Gathering(identification, baud),
        };
        self.deadline = Some(now + self.settings.response_timeout);
    }

    /// A character of the read-out. While they come there is no hurry: their number is bounded.
    fn gather(&mut self, character: u8, now: Instant) {
        if self.gathering.has_begun() {
            self.deadline = Some(now + self.settings.response_timeout);
        }
        let Some(gathered) = self.gathering.take(character) else { return };
        let State::Gathering(identification, baud) = &self.state else { return };
        let (identification, baud) = (identification.clone(), *baud);
        match gathered {
            Ok(read_out) => {
                self.state = State::Idle;
                self.deadline = None;
                self.output.tell(Event::ReadOut { identification, baud, read_out });
            }
            Err(ReadOutError::Check { .. }) if self.attempts <= self.settings.retries => {
                self.attempts += 1;
                self.gathering = Gathering::default();
                self.send(&[REPEAT]);
                self.deadline = Some(now + self.settings.response_timeout);
            }
            Err(error) => self.fail(error.into()),
        }
    }

    fn take_confirmation(&mut self) {
        const START_OF_TEXT: u8 = 0x02;
        let State::AwaitingConfirmation(identification, baud) = &self.state else { return };
        let (identification, baud) = (identification.clone(), *baud);
        if self.line.ends_with(&mode_e(baud)) {
            self.state = State::Idle;
            self.deadline = None;
            self.output.tell(Event::SetLine(LineSettings { baud, framing: Framing::EightNone }));
            let echo = self.echo.echo();
            self.output.tell(Event::SignedOn { identification, baud, echo });
        } else if self.line.last() == Some(&b'\n') && self.line.contains(&START_OF_TEXT) {
            self.fail(SignOnError::ReadOut);
        }
    }

    fn fail(&mut self, error: SignOnError) {
        self.state = State::Idle;
        self.deadline = None;
        self.output.tell(Event::Failed(error));
    }
}
