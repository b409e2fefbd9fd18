//! A port of a station at another bench, by way of this machine's controller.
//!
//! The station has dialled the controller; a program of this machine reaches it through the controller's door, a socket in the
//! state folder that only this user opens. One connection is one stream to one port. Frames go through the controller as they
//! are, so the credit is between this end and the station: nobody holds more of the stream than it granted.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use lab_config::{Carries, FlowControl, StationPort};
use proto_lab::attach::flow::{Receiving, Sending, WINDOW};
use proto_lab::attach::{
    self, Answer, Ask, Asked, Carried, Channel, Fault, FaultKind, Frame, FrameReader, LineSettings,
    ModemWires, Open, PartName, Says, Token, to_octets,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};

use super::error::LinkErrorKind;
use super::line::{Character, Line};
use super::wire::WireError;

/// The only channel of a connection of one stream.
const STREAM: Channel = Channel(1);
/// Most octets of one message on a stream: small enough that a message never waits long for credit.
const PIECE: usize = 16 * 1024;
const READ: usize = 4096;
/// Remarks kept between two looks.
const REMARKS: usize = 64;
/// How long the station may take to throw away what it received.
const PURGED: Duration = Duration::from_secs(2);
/// What a frame may take to the station and back on top of the time the station may.
const PASSAGE: Duration = Duration::from_secs(1);

/// A stream to a port of a station.
#[derive(Debug)]
pub(super) struct AttachedPort {
    stream: UnixStream,
    reader: FrameReader,
    sending: Sending,
    receiving: Receiving,
    /// Messages received and not handed over, never more than the window; of the first so many octets are handed over.
    received: VecDeque<Vec<u8>>,
    handed_over: usize,
    datagrams: bool,
    /// For the station, not yet written.
    outgoing: Vec<u8>,
    answer: Option<Result<Answer, Fault>>,
    opened: bool,
    /// Why the stream ended.
    ended: Option<Fault>,
    remarks: VecDeque<String>,
    /// The station, as errors and remarks name it.
    station: String,
}

impl AttachedPort {
    /// Opens `port` of a station within `limit`.
    pub(super) async fn open(
        port: &StationPort,
        line: Option<Line>,
        limit: Duration,
    ) -> Result<AttachedPort, WireError> {
        let nowhere = "no folder for the controller's door: set HARNESS_STATE to one";
        let door = crate::state::stations_door();
        let door = door.ok_or_else(|| WireError::new(LinkErrorKind::CannotOpen, nowhere))?;
        let until = Instant::now() + limit;
        let stream = knock(&door, until).await?;
        let mut opened = AttachedPort {
            stream,
            reader: FrameReader::default(),
            sending: Sending::default(),
            receiving: Receiving::default(),
            received: VecDeque::new(),
            handed_over: 0,
            datagrams: port.carries == Carries::Udp,
            outgoing: Vec::new(),
            answer: None,
            opened: false,
            ended: None,
            remarks: VecDeque::new(),
            station: format!("station {}", port.station),
        };
        opened.ask_to_open(port, line, limit)?;
        opened.until(until + PASSAGE, |port| port.opened).await.map_err(|fault| fault_of_wire(&fault))?;
        Ok(opened)
    }

    fn ask_to_open(
        &mut self,
        port: &StationPort,
        line: Option<Line>,
        within: Duration,
    ) -> Result<(), WireError> {
        let name = |name: &str| {
            name.parse::<PartName>().map_err(|error| WireError::new(LinkErrorKind::CannotOpen, error))
        };
        let carries = match (port.carries, line) {
            (Carries::Serial, Some(line)) => Carried::Serial(settings(line)),
            (Carries::Udp, _) => Carried::Datagrams,
            _ => Carried::Stream,
        };
        let token = port.lease.map(|lease| Token(lease.0));
        let open = Open { port: name(port.port.as_str())?, carries, token, within, credit: WINDOW };
        self.say(Frame::session(Says::Call(name(port.station.as_str())?)));
        self.say(Frame::new(STREAM, Says::Open(open)));
        Ok(())
    }

    fn say(&mut self, frame: Frame) {
        self.outgoing.extend(to_octets(frame));
    }

    /// Takes what comes until `done`, or the end.
    async fn until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> Result<(), Fault> {
        while !done(self) {
            if let Some(fault) = &self.ended {
                return Err(fault.clone());
            }
            let moved = async {
                self.flush().await?;
                self.fill().await
            };
            match timeout_at(until, moved).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(self.lost(&error)),
                Err(_) => {
                    let silent = format!("{} does not answer", self.station);
                    return Err(Fault::new(FaultKind::NoAnswer, silent));
                }
            }
        }
        Ok(())
    }

    fn lost(&mut self, error: &io::Error) -> Fault {
        let fault = Fault::new(FaultKind::Gone, format!("the controller's door broke off: {error}"));
        self.ended.get_or_insert(fault).clone()
    }

    /// Takes what has come. May be dropped without loss: only the read waits.
    async fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; READ];
        let count = self.stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the controller has ended"));
        }
        self.reader.push(buffer.get(..count).unwrap_or_default());
        while let Some(frame) = self.reader.next_frame().map_err(io::Error::other)? {
            self.take(frame.says)?;
        }
        Ok(())
    }

    fn take(&mut self, says: Says) -> io::Result<()> {
        match says {
            Says::Opened(credit) => {
                self.opened = true;
                self.sending.grant(credit).map_err(io::Error::other)?;
            }
            Says::Data(octets) => {
                self.receiving.take(octets.len()).map_err(io::Error::other)?;
                self.received.push_back(octets);
            }
            Says::Credit(more) => self.sending.grant(more).map_err(io::Error::other)?,
            Says::Answer(answer) => self.answer = Some(answer),
            Says::Remark(remark) => self.remark(format!("{}: {remark}", self.station)),
            Says::Close(fault) => {
                let wanted = || Fault::new(FaultKind::Gone, format!("{} closed the stream", self.station));
                self.ended = Some(fault.unwrap_or_else(wanted));
            }
            // What is of the session or of other channels is not said here.
            _ => {}
        }
        Ok(())
    }

    fn remark(&mut self, words: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push_back(words);
        }
    }

    pub(super) fn remarks(&mut self) -> Vec<String> {
        self.remarks.drain(..).collect()
    }

    pub(super) fn is_datagrams(&self) -> bool {
        self.datagrams
    }

    /// Writes what is due. May be dropped without loss: what a write took is gone from the rest at once.
    async fn flush(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            let count = self.stream.write(&self.outgoing).await?;
            self.outgoing.drain(..count);
        }
        Ok(())
    }

    /// Sends all of it, waiting for credit where there is none left.
    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut rest = octets;
        while !rest.is_empty() {
            self.still_open()?;
            let room = self.sending.room().unwrap_or(0);
            let piece = if self.datagrams { rest.len() } else { rest.len().min(PIECE).min(room) };
            if piece == 0 || piece > room {
                self.flush().await?;
                self.fill().await?;
                continue;
            }
            let (now, later) = rest.split_at(piece);
            self.sending.spend(piece).map_err(io::Error::other)?;
            self.say(Frame::new(STREAM, Says::Data(now.to_vec())));
            rest = later;
        }
        self.flush().await
    }

    fn still_open(&self) -> io::Result<()> {
        match &self.ended {
            Some(fault) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, fault.clone())),
            None => Ok(()),
        }
    }

    /// Reads what has come. What came before the end is read before the end is told.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.flush().await?;
            if let Some(count) = self.hand_over(buffer) {
                // What it makes room for is granted at once, not with the next read: there may be none for long.
                if !self.outgoing.is_empty() {
                    let _ = self.stream.try_write(&self.outgoing).map(|count| self.outgoing.drain(..count));
                }
                return Ok(count);
            }
            self.still_open()?;
            if let Err(error) = self.fill().await {
                let fault = self.lost(&error);
                return Err(io::Error::new(error.kind(), fault));
            }
        }
    }

    /// From the first message received: all that finds room, and of a datagram nothing more.
    fn hand_over(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let first = self.received.front()?;
        let rest = first.get(self.handed_over..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (place, octet) in buffer.iter_mut().zip(rest) {
            *place = *octet;
        }
        self.handed_over += count;
        let length = first.len();
        if self.datagrams || self.handed_over >= length {
            self.received.pop_front();
            self.handed_over = 0;
            if let Some(more) = self.receiving.hand_on(length) {
                self.say(Frame::new(STREAM, Says::Credit(more)));
            }
        }
        Some(count)
    }

    /// Has the station do something about the line, in its place among what was written.
    pub(super) async fn ask(&mut self, what: Asked, until: Instant) -> Result<Answer, WireError> {
        self.answer = None;
        let within = until.saturating_duration_since(Instant::now());
        self.say(Frame::new(STREAM, Says::Ask(Ask { within, what })));
        if let Err(fault) = self.until(until + PASSAGE, |port| port.answer.is_some()).await {
            // An answer that comes now would be taken for that of the next ask.
            self.ended.get_or_insert(fault.clone());
            return Err(fault_of_wire(&fault));
        }
        let silent = || Err(Fault::new(FaultKind::NoAnswer, "no answer"));
        self.answer.take().unwrap_or_else(silent).map_err(|fault| fault_of_wire(&fault))
    }

    /// Has the station set the line once what was written has left.
    pub(super) async fn set_line(&mut self, line: Line, until: Instant) -> Result<(), WireError> {
        self.ask(Asked::SetLine(settings(line)), until).await.map(drop)
    }

    /// Has the station throw away what it received and did not send on.
    pub(super) async fn purge(&mut self) -> io::Result<()> {
        let purged = self.ask(Asked::Purge, Instant::now() + PURGED).await;
        purged.map(drop).map_err(|error| io::Error::other(error.found))
    }

    /// How the other side's wires stand.
    pub(super) async fn modem(&mut self, until: Instant) -> Result<ModemWires, WireError> {
        match self.ask(Asked::Modem, until).await? {
            Answer::Modem(wires) => Ok(wires),
            Answer::Done => Err(WireError::new(LinkErrorKind::Setting, "an answer without wires")),
        }
    }
}

/// Connects to the door.
async fn knock(door: &Path, until: Instant) -> Result<UnixStream, WireError> {
    let refused = |reason: String| {
        let found = format!(
            "no controller on this machine takes stations ({}: {reason}); start `harness serve`",
            door.display()
        );
        WireError::new(LinkErrorKind::CannotOpen, found)
    };
    match timeout_at(until, UnixStream::connect(door)).await {
        Ok(connected) => connected.map_err(|error| refused(error.to_string())),
        Err(_) => Err(refused("it does not answer".to_owned())),
    }
}

fn fault_of_wire(fault: &Fault) -> WireError {
    let kind = match fault.kind {
        FaultKind::CannotOpen => LinkErrorKind::CannotOpen,
        FaultKind::Busy | FaultKind::Lease => LinkErrorKind::Busy,
        FaultKind::NoAnswer => LinkErrorKind::NoAnswer,
        FaultKind::Gone => LinkErrorKind::Gone,
        FaultKind::Setting => LinkErrorKind::Setting,
    };
    WireError::new(kind, &fault.reason)
}

/// A line as it is told to a station.
fn settings(line: Line) -> LineSettings {
    let character = match line.character {
        Character::EightNone => attach::Character::EightNone,
        Character::EightEven => attach::Character::EightEven,
        Character::EightOdd => attach::Character::EightOdd,
        Character::SevenEven => attach::Character::SevenEven,
        Character::SevenOdd => attach::Character::SevenOdd,
        Character::SevenEvenInEight => attach::Character::SevenEvenInEight,
    };
    let flow = match line.flow {
        FlowControl::None => attach::Flow::None,
        FlowControl::RtsCts => attach::Flow::RtsCts,
        FlowControl::XonXoff => attach::Flow::XonXoff,
    };
    LineSettings { baud: line.baud, character, flow }
}

/// A line as a station is told it.
pub(crate) fn line(settings: LineSettings) -> Line {
    let character = match settings.character {
        attach::Character::EightNone => Character::EightNone,
        attach::Character::EightEven => Character::EightEven,
        attach::Character::EightOdd => Character::EightOdd,
        attach::Character::SevenEven => Character::SevenEven,
        attach::Character::SevenOdd => Character::SevenOdd,
        attach::Character::SevenEvenInEight => Character::SevenEvenInEight,
    };
    let flow = match settings.flow {
        attach::Flow::None => FlowControl::None,
        attach::Flow::RtsCts => FlowControl::RtsCts,
        attach::Flow::XonXoff => FlowControl::XonXoff,
    };
    Line { baud: settings.baud, character, flow }
}
