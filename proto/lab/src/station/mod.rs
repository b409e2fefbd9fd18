//! What a lab and a rig's station say to each other over MQTT.
//!
//! A station is the small computer at a rig that switches its mains relays, presses its keys and reads its voltages. It
//! need not be ours: whatever publishes and takes these payloads is a station. Payloads are JSON objects of at most
//! [`MAX_PAYLOAD`] octets; members a reader does not know are passed over.
//!
//! | message | from | retained | example |
//! |---|---|---|---|
//! | [`Status`] | station | yes | `{"online":true}`; as last will `{"online":false}` |
//! | [`Command`] | lab | no | `{"id":"7f3a-1","expires":"2026-11-22T10:00:05Z","mains":"off"}`, `{"id":"7f3a-2","press":["A","B"]}` |
//! | [`Acknowledgement`] | station | no | `{"id":"7f3a-1","outcome":"done"}` |
//! | [`MainsState`] | station | yes | `{"mains":"off"}` |
//! | [`Reading`] | station | yes | `{"value":239.8,"unit":"V"}`, or the bare number `239.8` |
//!
//! MQTT delivers a message with quality of service 1 at least once, so it may come twice. Every command carries an
//! identifier: a station does what it says once, however often it comes, and acknowledges it every time ([`Answered`]).
//! A command that comes after its `expires` is refused: nobody waits for it any more, and a key that presses itself in the
//! middle of another script would be worse than one that does not.

mod answered;
mod command;
mod report;

pub use answered::Answered;
pub use command::{Acknowledgement, Command, CommandId, CommandIdError, Deed, Keys, KeysError, Outcome};
pub use report::{Mains, MainsState, Reading, Status};

/// The longest payload, in octets: a longer one is not of this language.
pub const MAX_PAYLOAD: usize = 4096;

/// Why a payload was not understood.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Longer than [`MAX_PAYLOAD`].
    #[error("found {0} octets, expected at most {MAX_PAYLOAD}")]
    TooLong(usize),
    /// Not what is expected here.
    #[error("found {found}, expected {expected}: {error}")]
    Content {
        /// How the payload begins.
        found: String,
        /// What belongs there, by an example.
        expected: &'static str,
        /// What the reader met.
        error: serde_json::Error,
    },
}

/// Reads a payload; `expected` is an example of what belongs there.
fn read<'p, T: serde::Deserialize<'p>>(payload: &'p [u8], expected: &'static str) -> Result<T, PayloadError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(PayloadError::TooLong(payload.len()));
    }
    serde_json::from_slice(payload).map_err(|error| PayloadError::Content {
        found: beginning(payload),
        expected,
        error,
    })
}

/// Writes a payload. None of ours holds what JSON has no words for, so nothing is lost in the empty one.
fn write(payload: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}

/// The beginning of a payload, fit to print.
fn beginning(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload.get(..60).unwrap_or(payload));
    format!("`{}`", text.escape_debug())
}

#[cfg(test)]
mod tests;
