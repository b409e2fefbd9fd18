//! Asynchronous Serial Host protocol, version 2: how a host and a ZigBee network co-processor (NCP) exchange
//! frames over a serial line without losing one.
//!
//! [`Frame`] is one frame and [`Deframer`] finds frames in octets; [`Link`] is either end of the line as a state
//! machine: octets, payloads and the time go in, octets, payloads and a verdict come out. All waits and repeats are
//! [`Settings`].
//!
//! The crates there are for the host's side (ashv2 15 with ezsp 19) were tried and left: they drop a frame that is
//! not acknowledged in time instead of repeating it, queue again without end while the line is dead, and bring a
//! runtime with them; and the co-processor's side had to be made anyway.

mod deframer;
mod frame;
mod link;
#[cfg(test)]
mod tests;

pub use deframer::Deframer;
pub use frame::{Frame, FrameError};
pub use link::{Event, Link, LinkError, Role, SendError, Settings, State};

/// Version of the protocol that a reset acknowledgement names.
pub const VERSION: u8 = 2;
/// The longest payload of a data frame, in octets.
pub const MAX_PAYLOAD: usize = 128;
/// Ends a frame.
pub const FLAG: u8 = 0x7e;
/// The octet after it has bit 5 turned over.
pub const ESCAPE: u8 = 0x7d;
/// Flow control of the line: go on.
pub const XON: u8 = 0x11;
/// Flow control of the line: stop.
pub const XOFF: u8 = 0x13;
/// Stands for an octet that was damaged on the line.
pub const SUBSTITUTE: u8 = 0x18;
/// Ends what was begun without making it a frame.
pub const CANCEL: u8 = 0x1a;

/// Why a co-processor has started or stopped.
pub mod reset_code {
    /// It was told to.
    pub const SOFTWARE: u8 = 0x0b;
    /// Its power came.
    pub const POWER_ON: u8 = 0x02;
    /// Its frames were not acknowledged.
    pub const ACK_TIMEOUTS: u8 = 0x51;
}
