//! The control port: a person's hand over a socket, for whoever is not in the process of the devices.
//!
//! A line of text is a command, a line of JSON its answer: `{"ok": ...}` or `{"error": "..."}`. It listens on loopback
//! alone, and only where it was asked for; nobody is asked who he is, because whoever is on this machine can stop the
//! devices anyway. A line that is no command closes the connection, so that no web page can talk to it by accident.
//!
//! | command | what it does |
//! |---|---|
//! | `list` | the devices, and where each answers |
//! | `state rig-1/ESME` | what the device is like inside |
//! | `fault ESME/optical: silence for 5s` | brings a fault about ([`fault`](crate::fault)); its number |
//! | `faults rig-1` | the faults, and what became of them |
//! | `clear rig-1`, `clear rig-1 3` | undoes all of them, or one |
//! | `keys ESME AB` | presses keys |
//! | `token ESME 12345678901234567890` | types a token |
//! | `load ESME 500`, `load ESME household` | a load in watts, or litres of gas an hour |
//! | `clock ESME -2h`, `drift ESME 500` | a clock jumps, or gains so many parts per million |
//! | `mains ESME off` | takes the mains away, or gives them back |
//! | `plug ESME/optical off` | pulls a cable, or puts it back |
//! | `data-set rig-1 "..."` | loads the devices with a test data set, whose text is the string of JSON: all of them, or none |
//!
//! Where the lab has one simulated rig, it need not be named. `device-sim ctl data-set FILE` puts the text of the file into
//! the line.

mod command;
mod server;
#[cfg(test)]
mod tests;

pub use command::{Command, CommandError};
pub use server::{Control, LONGEST_DATA_SET, ask};
