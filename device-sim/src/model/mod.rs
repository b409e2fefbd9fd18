//! What the devices of an installation are, without any wire: state that obeys time.
//!
//! Every model takes the time as an argument and steps from event to event on its own minute grid, so the
//! same commands at the same moments leave the same state whether time ran, flew or was stepped. Consumption
//! is integer arithmetic (rate times milliseconds): splitting an interval never changes the sum.

pub mod account;
pub mod activation;
pub mod bench;
pub mod blocks;
pub mod calendar;
pub mod clock;
pub mod connection;
pub mod core;
pub mod curve;
pub mod customer;
pub mod debt;
pub mod demand;
pub mod demand_window;
pub mod device_log;
pub mod energy;
pub mod esme;
pub mod firmware;
pub mod gsme;
pub mod han;
pub mod held;
pub mod journal;
pub mod load_limit;
pub mod loading;
pub mod mirror;
pub mod misbehaviour;
pub mod money;
pub mod plate;
pub mod power_level;
pub mod ppmid;
pub mod profile;
pub mod store;
pub mod supply;
pub mod tariff;
pub mod time;
pub mod token;
pub mod voltage;

#[cfg(test)]
mod loading_tests;
#[cfg(test)]
pub(crate) mod tests;
