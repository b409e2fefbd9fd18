//! The data link on a serial line: HDLC as IEC 62056-46 has it.
//!
//! [`Client`] is the primary station, [`Server`] the secondary: the server speaks only when the client has handed it
//! the turn with a poll bit, and hands it back with a final bit. Frames carry no stuffing; a [`Deframer`] finds them
//! by their length and begins again after any that does not check. Messages longer than one frame go in segments,
//! several at a time where both sides agreed on a window above 1.
//!
//! Both stations recover by the poll bit alone, as the standard's set of frames allows: whoever is asked again
//! compares what the other has acknowledged with what it sent, and repeats the rest.

mod address;
mod client;
mod control;
mod crc;
mod deframer;
mod frame;
mod parameters;
mod server;
#[cfg(test)]
mod tests;
mod window;

pub use address::{Address, AddressError, AddressSize};
pub use client::{Client, ClientSettings, Event as ClientEvent, LinkFailure, SendError};
pub use control::{Control, Unnumbered};
pub(crate) use crc::check_sequence;
pub use deframer::{Deframer, extent};
pub use frame::{Frame, FrameError, FrameReject, Information};
pub use parameters::{MaxInfo, Parameters, ParametersError, Window};
pub use server::{Event as ServerEvent, Server, ServerSendError, ServerSettings};

/// The octet that opens and closes a frame.
pub const FLAG: u8 = 0x7E;
/// The LLC header of what a client sends.
const LLC_REQUEST: [u8; 3] = [0xE6, 0xE6, 0x00];
/// The LLC header of what a server sends.
const LLC_RESPONSE: [u8; 3] = [0xE6, 0xE7, 0x00];

/// A message without its LLC header. Some meters leave the header out.
pub(crate) fn without_llc(message: Vec<u8>) -> Vec<u8> {
    match message.split_first_chunk::<3>() {
        Some((&(LLC_REQUEST | LLC_RESPONSE), apdu)) => apdu.to_vec(),
        _ => message,
    }
}
