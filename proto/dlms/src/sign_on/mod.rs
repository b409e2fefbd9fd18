//! The opening exchange at an optical port: IEC 62056-21, modes C and E.
//!
//! At 300 baud and seven bits the client asks who is there, and the meter says who it is and how fast it can go. Then the
//! client asks for one of two things. In mode E the meter confirms at the new speed, and from there the line is eight bits
//! wide and speaks [`hdlc`](crate::hdlc). In mode C the meter sends its [`ReadOut`] at the new speed, still in seven bits,
//! and that is all.
//!
//! [`Client`] and [`Meter`] say when the line's settings change. Take what they have to say in the order they give
//! it: [`Client::poll_transmit`] gives nothing while a change of settings waits in [`Client::poll_event`], and the
//! other way round. So ask both until neither gives anything, and before changing the settings wait until what was
//! written has left.

mod client;
mod identification;
mod meter;
mod output;
mod read_out;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientSettings, Event as ClientEvent, SignOnError};
pub use identification::{Baud, Identification, IdentificationError};
pub use meter::{Event as MeterEvent, Meter, MeterSettings};
pub use read_out::{DataSet, ReadOut, ReadOutError, Value};

/// What a client asks for once the meter has said who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Mode C with its read-out.
    ReadOut,
    /// Mode E: HDLC.
    Hdlc,
}

/// How a serial line is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// The speed.
    pub baud: Baud,
    /// Bits and parity.
    pub framing: Framing,
}

/// Bits and parity of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Seven data bits, even parity, one stop bit: 7E1.
    SevenEven,
    /// Eight data bits, no parity, one stop bit: 8N1.
    EightNone,
}

impl LineSettings {
    /// How every exchange begins: 300 baud, 7E1.
    pub const INITIAL: Self = Self { baud: Baud::B300, framing: Framing::SevenEven };
}

/// The acknowledgement that asks for mode E, and the meter's confirmation: the same six octets.
fn mode_e(baud: Baud) -> [u8; 6] {
    [0x06, b'2', baud.character(), b'2', b'\r', b'\n']
}

/// The acknowledgement that asks for what `mode` is.
fn acknowledgement(mode: Mode, baud: Baud) -> [u8; 6] {
    match mode {
        Mode::Hdlc => mode_e(baud),
        Mode::ReadOut => [0x06, b'0', baud.character(), b'0', b'\r', b'\n'],
    }
}

/// What a line of the exchange may be long at most; the longest the standard has is under 40.
const MAX_LINE: usize = 128;

/// Characters as they are meant: an adapter left at eight bits shows the parity in the highest.
fn without_parity(octets: &[u8]) -> impl Iterator<Item = u8> + '_ {
    octets.iter().map(|octet| octet & 0x7F)
}
