//! Stations at other benches, which dial in and lend the controller their ports and actuators.
//!
//! ```text
//!  run, probe, read ──door──> exchange <══gRPC══ program ──> serial ports, sockets, actuators
//!  (link::wire, Held)         (harness serve)    (harness station, on the bench's computer)
//! ```
//!
//! The *exchange* is a part of the lab's controller: stations attach to it over gRPC, and programs of the controller's machine
//! come to its door, a socket of this user's alone. It passes frames on and keeps nothing but who belongs to which channel
//! (`routes`). A stream's credit is between its two ends.
//!
//! The *program* is the station itself. It hands its part of a rig to whoever holds the rig's lease (`leases`), and when the
//! lease runs out, or nothing is heard of the controller any more (`pulse`), it closes what is open, brings its part to the
//! safe state of its offer file by itself, and takes nothing under that lease again. What it made safe it tells when it is next
//! attached.
//!
//! [`Held`] is the other end of a lease: a run takes one for each station of its rig, renews it at a third of its term, and
//! gives it back when it ends.

mod door;
mod exchange;
mod held;
mod leases;
mod program;
mod pulse;
mod routes;
mod session;

pub use exchange::{CertifiedName, Exchange, ExchangeError, NoStationLog, StationEvent, StationLog};
pub use held::{Held, HeldError};
pub use program::{Program, ProgramError};
