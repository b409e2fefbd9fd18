//! Runs one script: set-up, steps, clean-up, each step as intent, stimulus, observation, verdict.
//!
//! The executor owns no link and no clock. It reaches the world through a [`Bench`] and writes through a [`Ledger`]; what it
//! decides is a pure function of the two. Set-up that does not pass leaves the script inconclusive: it has not been tested.
//! The first step of the test that does not pass ends the test. Clean-up runs whatever happened, every step of it, also when
//! a person stopped the run. Before each step of set-up and test it hears what people want of the run ([`Steering`]).

mod bench;
mod ledger;
mod script;
mod steering;
mod stop;

pub use bench::{Bench, Seen, Trouble};
pub use ledger::{Ledger, LedgerError};
pub use script::{Ended, Executor};
pub use steering::Steering;
pub use stop::Stop;

#[cfg(test)]
mod tests;
