//! What can go wrong with a byte stream, said so that a person at the rig knows where to look.

use std::time::Duration;

/// The kind of a [`LinkError`]: what a caller may decide upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkErrorKind {
    /// The port or socket could not be opened within the deadline.
    CannotOpen,
    /// Another program (or another part of this one) has the port open.
    Busy,
    /// Nothing (more) came before the deadline.
    NoAnswer,
    /// The other side closed: unplugged cable, closed socket, a pseudo-terminal whose master went away.
    Gone,
    /// The port refuses a line setting such as baud rate or parity, or the URL asks for what this link cannot do.
    Setting,
}

/// A failure of a link: which link, what was expected, what was found instead, and how long it waited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("link {link} ({url}): expected {expected}, found {found} after {}", seconds(*waited))]
pub struct LinkError {
    /// Name of the link in the lab file (or its URL where it has none).
    pub link: String,
    /// The URL the link was opened with.
    pub url: String,
    /// What the harness was waiting for.
    pub expected: String,
    /// What it found instead, the operating system's words where there are any.
    pub found: String,
    /// How long it had waited.
    pub waited: Duration,
    /// What kind of failure this is.
    pub kind: LinkErrorKind,
}

impl LinkError {
    /// What to try, for the person at the rig.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.kind {
            LinkErrorKind::CannotOpen => {
                "check that the device is powered and that host and port (or the serial path) of the link are right"
            }
            LinkErrorKind::Busy => {
                "another program has the port open; close it or wait for the other run to end"
            }
            LinkErrorKind::NoAnswer => {
                "check cable and optical head, baud rate and parity, and that the device is awake and powered"
            }
            LinkErrorKind::Gone => {
                "the other side closed the line: check the cable, the power of the device and of the serial server"
            }
            LinkErrorKind::Setting => {
                "this port does not take the settings of the link URL; correct the lab file"
            }
        }
    }
}

/// A waiting time for people: milliseconds below one second, tenths above.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
