//! Watching a run: a read-only tail of its records, and the fold that turns them into what a person follows.
//!
//! A watcher reads the file the recorder writes and nothing else, so it can do nothing to the run (13.16(b)), and what it
//! shows is what the evidence holds.

pub mod feed;
mod follow;
mod progress;
mod reported;
mod witness;

#[cfg(test)]
mod tests;

pub use follow::Follow;
pub use progress::{LineKind, Progress, ProgressLine};
pub use reported::{NotReported, Reported};
pub use witness::{Alarm, Head, Witness};
