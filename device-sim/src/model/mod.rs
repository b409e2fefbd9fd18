//! What the devices of an installation are, without any wire: state that obeys time.
//!
//! Every model takes the time as an argument and steps from event to event on its own minute grid, so the
//! same commands at the same moments leave the same state whether time ran, flew or was stepped. Consumption
//! is integer arithmetic (rate times milliseconds): splitting an interval never changes the sum.

pub mod account;
pub mod bench;
pub mod clock;
pub mod connection;
pub mod core;
pub mod curve;
pub mod esme;
pub mod gsme;
pub mod han;
pub mod journal;
pub mod mirror;
pub mod money;
pub mod plate;
pub mod ppmid;
pub mod profile;
pub mod supply;
pub mod tariff;
pub mod time;
pub mod token;

#[cfg(test)]
pub(crate) mod tests;
