//! Takes a plan from the queue to its verdict: holds the rig, proves it, opens the evidence, runs every script, makes the rig
//! safe, closes the evidence.
//!
//! The dispatcher alone decides what runs next and is the only writer of a run ([`Book`]). It starts the parties of the
//! picture ([`System`]): the service user, the DCC stub, the S1SP. Whatever ends a run, the rig reaches its safe state and
//! the evidence its final checkpoint; a run that cannot write evidence ends in an error and stays open.

mod actuate;
pub mod batch;
mod bench;
mod book;
mod columns;
mod conduct;
pub mod controller;
mod data_set;
mod devices;
mod environment;
mod error;
mod estate;
mod first;
mod hands;
mod keys;
mod migrating;
mod order;
mod outside;
mod resume;
mod run;
mod safe;
mod second_path;
mod stub;
mod system;
mod tap;
mod tokens;

pub use bench::RigBench;
pub use book::{Belonging, Book};
pub use conduct::{Done, RunBench, conduct};
pub(crate) use environment::NOT_DONE_ELSEWHERE;
pub use error::RunError;
pub use hands::{Answer, Hands};
pub use order::{Order, lab_key, new_run_id};
pub use resume::{Outlook, UnderWay, resume};
pub use run::{Ran, Surveyed, prove_alone, run};
pub use system::System;
pub use tap::RunTap;

#[cfg(test)]
mod tests;
