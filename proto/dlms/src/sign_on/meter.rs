//! The meter's side of the opening exchange.

use std::time::{Duration, Instant};

use super::output::Output;
use super::read_out::REPEAT;
use super::{Baud, Framing, Identification, LineSettings, MAX_LINE, ReadOut, mode_e, without_parity};

/// How a meter answers at its optical port.
#[derive(Debug, Clone)]
pub struct MeterSettings {
    /// Who it says it is.
    pub identification: Identification,
    /// The address it answers to, besides the empty one.
    pub address: String,
    /// How long it takes to answer: 200 ms to 1.5 s by the standard, 20 ms where its third letter is small.
    pub reaction: Duration,
    /// How long it waits for an acknowledgement, or for a request to repeat a read-out, before it begins again.
    pub patience: Duration,
    /// Whether it knows mode C with its read-out.
    pub read_out: bool,
}

impl MeterSettings {
    /// A meter that answers in 200 ms, waits 3 s and knows mode E alone.
    pub fn new(identification: Identification) -> Self {
        let (reaction, patience) = (Duration::from_millis(200), Duration::from_secs(3));
        Self { identification, address: String::new(), reaction, patience, read_out: false }
    }
}

/// What happens in the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Set the line like this, once what was written has left.
    SetLine(LineSettings),
    /// The client is ready for HDLC, at this speed. [`Meter::restart`] when the HDLC link is gone.
    SignedOn {
        /// The speed agreed.
        baud: Baud,
    },
    /// The client asks for a read-out: [`Meter::read_out`] sends it.
    ReadOutAsked {
        /// The speed agreed.
        baud: Baud,
    },
    /// The client asked for something the meter does not know; the meter waits for a new request.
    Declined {
        /// The acknowledgement's mode control character.
        mode: u8,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    AwaitingRequest,
    /// A request is in; the identification goes out in a moment.
    Identifying,
    AwaitingAcknowledgement,
    /// The acknowledgement is in; the confirmation goes out in a moment.
    Confirming(Baud),
    /// The acknowledgement of mode C is in; the read-out is asked of the meter in a moment.
    ReadingOut(Baud),
    /// This read-out is out, and may be asked for again.
    ReadOut(Vec<u8>),
    SignedOn,
}

/// The meter's side of the opening exchange. Begins at [`LineSettings::INITIAL`].
#[derive(Debug)]
pub struct Meter {
    settings: MeterSettings,
    state: State,
    /// Characters of a line not yet ended. At most [`MAX_LINE`].
    line: Vec<u8>,
    output: Output<Event>,
    deadline: Option<Instant>,
}

impl Meter {
    /// A meter that waits for a request.
    pub fn new(settings: MeterSettings) -> Self {
        Self {
            settings,
            state: State::AwaitingRequest,
            line: Vec::new(),
            output: Output::new(),
            deadline: None,
        }
    }

    /// Waits for a request again: the HDLC link is gone.
    pub fn restart(&mut self) {
        self.line.clear();
        self.deadline = None;
        if self.state != State::AwaitingRequest {
            self.output.tell(Event::SetLine(LineSettings::INITIAL));
        }
        self.state = State::AwaitingRequest;
    }

    /// Whether the line belongs to HDLC now.
    pub fn is_signed_on(&self) -> bool {
        self.state == State::SignedOn
    }

    /// Takes characters from the line. Signed on, it takes none.
    pub fn receive(&mut self, octets: &[u8], now: Instant) {
        for character in without_parity(octets) {
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

    /// When [`Meter::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        self.deadline = None;
        match &self.state {
            State::Identifying => {
                self.output.send(&self.settings.identification.encode());
                self.state = State::AwaitingAcknowledgement;
                self.deadline = Some(now + self.settings.patience);
            }
            State::Confirming(baud) => self.confirm(*baud),
            State::ReadingOut(baud) => self.output.tell(Event::ReadOutAsked { baud: *baud }),
            State::ReadOut(_) => self.restart(),
            State::AwaitingAcknowledgement => self.state = State::AwaitingRequest,
            State::AwaitingRequest | State::SignedOn => {}
        }
    }

    fn confirm(&mut self, baud: Baud) {
        self.output.tell(Event::SetLine(LineSettings { baud, framing: Framing::SevenEven }));
        self.output.send(&mode_e(baud));
        self.output.tell(Event::SetLine(LineSettings { baud, framing: Framing::EightNone }));
        self.output.tell(Event::SignedOn { baud });
        self.state = State::SignedOn;
    }

    /// Sends a read-out, once [`Event::ReadOutAsked`] has asked for one.
    pub fn read_out(&mut self, read_out: &ReadOut, now: Instant) {
        let State::ReadingOut(baud) = self.state else { return };
        let block = read_out.encode();
        self.output.tell(Event::SetLine(LineSettings { baud, framing: Framing::SevenEven }));
        self.send_block(block, baud, now);
    }

    fn send_block(&mut self, block: Vec<u8>, baud: Baud, now: Instant) {
        self.output.send(&block);
        // Ten bits a character: the wait begins when the last is out.
        let bits = u32::try_from(block.len()).unwrap_or(u32::MAX).saturating_mul(10);
        let time = Duration::from_secs(1).saturating_mul(bits) / baud.rate();
        self.state = State::ReadOut(block);
        self.deadline = Some(now + time + self.settings.patience);
    }

    fn take(&mut self, character: u8, now: Instant) {
        if let (REPEAT, State::ReadOut(block)) = (character, &self.state) {
            let block = block.clone();
            return self.send_block(block, self.settings.identification.baud, now);
        }
        if self.line.len() == MAX_LINE {
            self.line.clear();
        }
        self.line.push(character);
        if character != b'\n' {
            return;
        }
        let line = std::mem::take(&mut self.line);
        match self.state {
            State::AwaitingRequest => self.take_request(&line, now),
            State::ReadOut(_) if line.windows(2).any(|pair| pair == b"/?") => {
                self.restart();
                self.take_request(&line, now);
            }
            State::AwaitingAcknowledgement => {
                self.take_acknowledgement(&line, now);
                self.take_request(&line, now);
            }
            _ => {}
        }
    }

    /// `/?address!CR LF`. Wake-up characters and noise may stand before it.
    fn take_request(&mut self, line: &[u8], now: Instant) {
        let Some(start) = line.windows(2).position(|pair| pair == b"/?") else { return };
        let Some(address) = line[start + 2..].strip_suffix(b"!\r\n") else { return };
        if address.is_empty() || without_zeros(address) == without_zeros(self.settings.address.as_bytes()) {
            self.state = State::Identifying;
            self.deadline = Some(now + self.settings.reaction);
        }
    }

    /// `ACK V Z Y CR LF`: protocol, speed and mode.
    fn take_acknowledgement(&mut self, line: &[u8], now: Instant) {
        let Some(start) = line.iter().position(|character| *character == 0x06) else { return };
        let [_, protocol, baud, mode, b'\r', b'\n'] = line[start..] else { return };
        let baud = Baud::from_character(baud).filter(|baud| *baud <= self.settings.identification.baud);
        match (protocol, mode, baud) {
            (b'2', b'2', Some(baud)) => {
                self.state = State::Confirming(baud);
                self.deadline = Some(now + self.settings.reaction);
            }
            (b'0', b'0', Some(baud)) if self.settings.read_out => {
                self.state = State::ReadingOut(baud);
                self.deadline = Some(now + self.settings.reaction);
            }
            _ => {
                self.state = State::AwaitingRequest;
                self.deadline = None;
                self.output.tell(Event::Declined { mode });
            }
        }
    }
}

/// Leading zeros in an address do not count.
fn without_zeros(address: &[u8]) -> &[u8] {
    let start = address.iter().position(|character| *character != b'0').unwrap_or(address.len());
    &address[start..]
}
