//! What the lab's controller and a station attached to it say to each other: frames of `station.proto`, parsed into types that
//! cannot be wrong.
//!
//! A station dials in and offers ports and actuators. The controller opens *channels*: a stream of octets to a port, one act of
//! an actuator, or one lease of a rig. [`Frame`] is the unit of all of it. The same frames go two ways: inside gRPC between
//! station and controller, and behind their length ([`FrameReader`]) between programs on the controller's machine and the
//! controller, which passes them on under other channel numbers and holds none back.
//!
//! Because everything is passed on, the bound on what travels is between the two ends: [`flow`] keeps the credit of a stream.
//! No side ever holds more of a stream than it granted.

mod codec;
mod convert;
pub mod flow;

#[cfg(test)]
mod tests;

pub use codec::{FrameReader, LONGEST_FRAME, to_octets};
pub use convert::FrameError;

pub use crate::rpc::generated::StationFrame;
pub use crate::rpc::generated::station_client::StationClient;
pub use crate::rpc::generated::station_server::{Station, StationServer};

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::station::Deed;

/// The version of this language.
pub const VERSION: u32 = 1;

/// Most ports, and most actuators, a hello may name.
pub const MOST_OFFERED: usize = 64;

/// Most octets of one message of data: a whole datagram.
pub const MOST_OCTETS: usize = 65_535;

/// Most characters of words for people; what is longer is cut.
pub const MOST_WORDS: usize = 1000;

/// The name of a station, a rig, a port or an actuator: 1 to 200 letters, digits, `-`, `_`, `.` and `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartName(String);

/// A text that is no [`PartName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 200 letters, digits, `-`, `_`, `.` or `/`")]
pub struct PartNameError;

impl PartName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PartName {
    type Err = PartNameError;

    fn from_str(text: &str) -> Result<Self, PartNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        match (1..=200).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(PartNameError),
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A channel of a session; 0 is the session itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(pub u32);

impl Channel {
    /// The session itself.
    pub const SESSION: Self = Self(0);
}

/// The number of a lease; each is greater than those before it. A station takes nothing under an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One thing said on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The channel.
    pub channel: Channel,
    /// What is said.
    pub says: Says,
}

impl Frame {
    /// A frame.
    pub const fn new(channel: Channel, says: Says) -> Self {
        Self { channel, says }
    }

    /// A frame of the session itself.
    pub const fn session(says: Says) -> Self {
        Self { channel: Channel::SESSION, says }
    }
}

/// What a frame says. C marks what the controller says, S what a station does; the others come from both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// S: who it is and what it offers; the first of a session.
    Hello(Hello),
    /// C: attached.
    Welcome,
    /// Nothing else to say.
    Heartbeat,
    /// S: it made its part of a rig safe by itself.
    MadeSafe(MadeSafe),
    /// From a program of the controller's machine to the controller: the station it means.
    Call(PartName),
    /// C: opens a stream.
    Open(Open),
    /// S: it is open, and takes so much.
    Opened(u32),
    /// Octets of a stream; of datagrams one whole datagram.
    Data(Vec<u8>),
    /// So much more is taken.
    Credit(u32),
    /// C: something about the line.
    Ask(Ask),
    /// S: what came of it.
    Answer(Result<Answer, Fault>),
    /// S: something to remark for the capture.
    Remark(String),
    /// The channel ends, and why where it was not wanted.
    Close(Option<Fault>),
    /// C: an act.
    Actuate(Actuate),
    /// S: what came of it; the channel ends with it.
    Actuated(Result<String, Fault>),
    /// C: takes a rig's lease, or renews it.
    Lease(LeaseAsked),
    /// S: held for so long from now, or not; the channel ends when it is not.
    Leased(Result<Duration, Fault>),
    /// C: gives the lease back.
    Release,
    /// S: given back, the part of the rig being safe; the channel ends with it.
    Released(MadeSafe),
}

/// Who a station is and what it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Its name.
    pub station: PartName,
    /// What it is, in words.
    pub about: String,
    /// Its ports.
    pub ports: Vec<Offered>,
    /// Its actuators.
    pub actuators: Vec<Offered>,
    /// What it made safe by itself since it was last attached.
    pub made_safe: Vec<MadeSafe>,
}

/// A port or an actuator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its name.
    pub name: PartName,
    /// The rig it is a part of.
    pub rig: PartName,
    /// What it is, in words.
    pub about: String,
}

/// A station's part of a rig was brought to its safe state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeSafe {
    /// The rig.
    pub rig: PartName,
    /// The lease that ended.
    pub token: Token,
    /// Why it ended.
    pub cause: String,
    /// What was done, or what stands in the way.
    pub detail: String,
    /// Whether the safe state was reached.
    pub reached: bool,
    /// When, by the station's clock.
    pub at: Timestamp,
}

impl fmt::Display for MadeSafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rig, token, cause, detail, reached, at } = self;
        let made = if *reached { "made safe" } else { "NOT made safe" };
        write!(f, "its part of {rig} was {made} at {at}, lease {token}: {cause}; {detail}")
    }
}

/// How a stream is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The port.
    pub port: PartName,
    /// What must be at it.
    pub carries: Carried,
    /// The lease of the port's rig; without one it opens only while nobody holds the rig.
    pub token: Option<Token>,
    /// How long the station may take.
    pub within: Duration,
    /// What the opener takes before it grants more.
    pub credit: u32,
}

/// What travels on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// Octets of a serial line, which begins so.
    Serial(LineSettings),
    /// Octets of a connection.
    Stream,
    /// Datagrams.
    Datagrams,
}

/// How a serial line is set; one stop bit always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Speed in baud, never 0.
    pub baud: u32,
    /// Data bits and parity.
    pub character: Character,
    /// Flow control.
    pub flow: Flow,
}

/// Data bits and parity of a serial character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Character {
    /// Eight data bits, no parity.
    EightNone,
    /// Eight data bits, even parity.
    EightEven,
    /// Eight data bits, odd parity.
    EightOdd,
    /// Seven data bits, even parity.
    SevenEven,
    /// Seven data bits, odd parity.
    SevenOdd,
    /// Seven data bits and even parity on a port that only knows eight bits.
    SevenEvenInEight,
}

/// Flow control of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// None.
    None,
    /// By the RTS and CTS wires.
    RtsCts,
    /// By the characters XON and XOFF.
    XonXoff,
}

/// Something about the line, carried out in its place among the data. One is under way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// How long the station may take.
    pub within: Duration,
    /// What.
    pub what: Asked,
}

/// What is asked about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Set it so, once what was sent has left.
    SetLine(LineSettings),
    /// Throw away what was received.
    Purge,
    /// Hold it in break for so long.
    Break(Duration),
    /// Raise or lower DTR and RTS; what is none stays as it is.
    SetWires {
        /// Data terminal ready.
        dtr: Option<bool>,
        /// Request to send.
        rts: Option<bool>,
    },
    /// How the wires stand that the other side drives.
    Modem,
}

/// What came of an [`Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done,
    /// The modem's wires.
    Modem(ModemWires),
}

/// Wires that the other side of a serial line drives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModemWires {
    /// Clear to send.
    pub cts: bool,
    /// Data set ready.
    pub dsr: bool,
    /// Ring indicator.
    pub ri: bool,
    /// Carrier detect.
    pub cd: bool,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// Of which kind.
    pub kind: FaultKind,
    /// In words.
    pub reason: String,
}

impl Fault {
    /// A fault.
    pub fn new(kind: FaultKind, reason: impl fmt::Display) -> Self {
        Self { kind, reason: reason.to_string() }
    }
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It cannot be opened, or there is no such thing.
    CannotOpen,
    /// Somebody else has it.
    Busy,
    /// Nothing came in time.
    NoAnswer,
    /// The other side closed, or the station is lost.
    Gone,
    /// It does not take this setting.
    Setting,
    /// The lease is not the one in force.
    Lease,
}

/// An act of an actuator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actuate {
    /// The actuator.
    pub actuator: PartName,
    /// The lease of its rig.
    pub token: Token,
    /// How long it may take.
    pub within: Duration,
    /// What to do.
    pub deed: Deed,
}

/// A lease asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseAsked {
    /// Of which rig.
    pub rig: PartName,
    /// Its number.
    pub token: Token,
    /// Who holds it, in words.
    pub holder: String,
    /// For how long from now.
    pub term: Duration,
}
