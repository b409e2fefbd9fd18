//! Faults: what a lab meets, brought about on purpose.
//!
//! A fault has a place, a kind, and a time. One grammar says all three, in a fault file ([`FaultPlan`]), on the command
//! line, at the control port and in a script:
//!
//! ```text
//! rig-1/ESME/optical: truncate after 12 octets on frame 3
//! ESME: clock-jump -2h at 30s
//! CHF/wan: silence when asked 1-0:99.1.0 for 2 frames
//! ```
//!
//! | fault | what happens |
//! |---|---|
//! | `silence` | nothing comes out; with a path on that path alone, without one on any |
//! | `delay 800ms` | what comes out comes later |
//! | `noise 20 octets` | random octets before each frame; `noise 20 octets inside`: in the middle of it |
//! | `bit-errors 1 in 1000` | bits turn over, at that rate |
//! | `bit-error octet 7 bit 3` | that one bit turns over; both count from 0 |
//! | `truncate after 12 octets` | the rest of the frame is missing |
//! | `wrong-speed 9600 as 2400` | octets as a receiver sees them that listens at another speed |
//! | `wrong-checksum` | the frame check sequence of an HDLC frame does not hold |
//! | `duplicate`, `reorder` | a frame comes twice, or after its successor |
//! | `reset after 12 octets` | the device restarts: the frame breaks off, the link drops, associations are forgotten |
//! | `unplug` | the cable is pulled |
//! | `clock-jump -2h`, `clock-drift 500 ppm` | the clock goes wrong |
//! | `flat-battery`, `asleep` | the gas meter does nothing, or never wakes for the home area network |
//! | `wrong-password`, `wrong-key` | the device holds other credentials than the lab file says |
//! | `key-lock` | five wrong tokens have been entered |
//! | `memory-full` | the device refuses what it would have to store, and logs nothing any more |
//! | `bad-firmware` | a firmware image that was transferred does not verify |
//!
//! What a bench or a hand does at a meter that works as it should is said in the same way, and undone in the same way:
//!
//! | condition | what happens |
//! |---|---|
//! | `load 25000 W` | a load of the bench on an electricity meter, in place of the household's |
//! | `voltage 262.5 V` | a mains voltage of the bench at an electricity meter |
//! | `cover-open` | the terminal cover of a meter is opened; undone, it is closed |
//! | `privacy-pin` | somebody sets a privacy PIN at a meter; undone, the PIN is taken away |
//!
//! So are wrong behaviours, which nothing shows but a script that looks twice; a fault file has them from the start:
//!
//! | behaviour | what happens |
//! |---|---|
//! | `ignores 0-0:1.0.0` | the device says it did what it was asked of the object, and does nothing |
//! | `misreports 1-0:1.8.0` | every number it tells of the object from afar has one bit turned over; at its own port it is right |
//! | `mutes 8F32` | it sends no alert of this code |
//! | `credits-used-tokens` | it credits a token again that it has had |
//!
//! | clause | when |
//! |---|---|
//! | none | from now on, until it is cleared |
//! | `at 10s` | from so long after now |
//! | `when asked 1-0:99.1.0/2` | once somebody has asked for the object, or that attribute or method of it |
//! | `on frame 3` | at the third frame from then, and at no other unless `for` says so |
//! | `for 5s`, `for 2 frames` | for so long; a fault of the device itself is mended then |
//! | `odds 1 in 10` | at one frame in ten, as the seed has it |
//! | `inward` | on what comes to the device, in place of what it sends |
//!
//! A frame is what a device sends as one: an HDLC frame, a line of a sign-on, a message of the DLMS wrapper. Over UDP a message
//! is a datagram, and faults do to it what a network does: one that is late is overtaken by those after it, one that comes in
//! twice is two, and what is cut off or added harms no other. A line and a TCP connection keep their order.
//!
//! Wire faults are a [`Board`] and, for each connection, an [`Outbox`]: octets and time in, octets and time out. Faults of
//! a device itself go by the [`Hand`](crate::Hand), as a person's would.

mod board;
mod dice;
mod error;
mod grammar;
mod misread;
mod outbox;
mod plan;
#[cfg(test)]
mod tests;
mod wire;

pub use board::{Armed, Board, Deed, DeedKind, FaultId, From, MOST_FAULTS};
pub use error::FaultError;
pub use grammar::{BEHAVIOURS, CONDITIONS, GrammarError, KINDS, place};
pub use misread::misread;
pub use outbox::{Outbox, Outgoing};
pub use plan::FaultPlan;

use std::time::Duration;

use jiff::SignedDuration;
use lab_config::cosem::Obis;
use lab_config::{DeviceKind, Name, Path};

/// A fault with its place and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The rig; the only one, where none is named.
    pub rig: Option<Name>,
    /// The device.
    pub device: DeviceKind,
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub when: When,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// On a wire of the device.
    Wire {
        /// The way to the device.
        path: Path,
        /// Which way the octets go.
        way: Way,
        /// What happens to them.
        fault: WireFault,
    },
    /// The cable of the device's own link is pulled.
    Unplug(Path),
    /// In the device itself.
    Device(DeviceFault),
}

/// Which way octets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the device.
    Inward,
    /// From it.
    Outward,
}

/// What happens to octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireFault {
    /// They are lost.
    Silence,
    /// They come later.
    Delay(Duration),
    /// Random octets come before a frame, or in its middle.
    Noise {
        /// How many.
        octets: u16,
        /// In the middle.
        inside: bool,
    },
    /// One bit in so many turns over.
    BitErrors {
        /// In so many bits.
        one_in: u32,
    },
    /// One bit turns over.
    BitError {
        /// The octet, from 0.
        octet: u16,
        /// The bit, from 0, the lowest.
        bit: u8,
    },
    /// Only the beginning of a frame comes.
    Truncate {
        /// So many octets of it.
        after: u16,
    },
    /// They are sent at one speed and read at another.
    WrongSpeed {
        /// Sent, in baud.
        sent: u32,
        /// Read, in baud.
        read: u32,
    },
    /// The frame check sequence does not hold.
    WrongChecksum,
    /// A frame comes twice.
    Duplicate,
    /// A frame comes after the next.
    Reorder,
    /// The device restarts in the middle of a frame.
    Reset {
        /// So many octets of it still come.
        after: u16,
    },
}

/// What goes wrong in a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceFault {
    /// It says nothing on any path.
    Silence,
    /// Its clock jumps.
    ClockJump(SignedDuration),
    /// Its clock gains, in parts per million.
    ClockDrift(i32),
    /// Its battery is flat.
    FlatBattery,
    /// It never wakes for the home area network.
    Asleep,
    /// Its passwords are others than the lab file's.
    WrongPassword,
    /// Its vending key is another than the lab file's.
    WrongKey,
    /// Its token entry is locked after five wrong tokens.
    KeyLock,
    /// Its memory is full.
    MemoryFull,
    /// A firmware image it is given does not verify.
    BadFirmware,
    /// A load of the bench, in watts.
    Load(u32),
    /// A mains voltage of the bench, in tenths of a volt.
    Voltage(u16),
    /// Its terminal cover is open.
    CoverOpen,
    /// A privacy PIN is set at it.
    PrivacyPin,
    /// It says it did what it was asked of an object, and does nothing.
    Ignores(Obis),
    /// What it tells of an object from afar is not what it shows at its own port.
    Misreports(Obis),
    /// It sends no alert of this code.
    Mutes(u16),
    /// It credits a token again that it has had.
    CreditsUsedTokens,
}

/// When a fault strikes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Not before so long has passed.
    pub at: Duration,
    /// Not before this was asked for.
    pub asked: Option<Asked>,
    /// Not before this frame, from 1.
    pub frame: Option<u32>,
    /// For how long then.
    pub extent: Extent,
    /// At one frame in so many.
    pub odds: Option<u32>,
}

/// An object, or an attribute or method of one, that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The object.
    pub obis: Obis,
    /// Its attribute or method; any, where not said.
    pub number: Option<i8>,
}

/// For how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// Until it is cleared.
    #[default]
    Ever,
    /// For a time.
    Time(Duration),
    /// For so many frames.
    Frames(u32),
}
