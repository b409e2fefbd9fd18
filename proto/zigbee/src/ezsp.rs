//! EmberZNet Serial Protocol: what a host asks of a ZigBee network co-processor, and what that tells it unasked.
//!
//! [`Frame`] is the frame that ASH carries; [`commands`] holds commands and callbacks with their fields; [`Host`] is
//! the host's side of a session as a state machine. Version 8 to 13 of the protocol: one frame format, and states and
//! structures that stayed the same. The first command of a session, `version`, goes in the format that every
//! co-processor since version 4 reads.

pub mod commands;
mod frame;
mod host;
#[cfg(test)]
mod tests;
mod types;

pub use commands::{Callback, Command};
pub use frame::{Direction, Format, Frame};
pub use host::{Host, HostError, HostEvent, HostSettings, Version};
pub use types::*;

/// The lowest version of the protocol this crate speaks.
pub const LOWEST_VERSION: u8 = 8;
/// The highest version of the protocol this crate speaks: from 14 on states and frames of messages are others.
pub const HIGHEST_VERSION: u8 = 13;
