//! The capture tap: whatever crosses a link is shown to it, junk and all, before anybody interprets a byte.

use std::sync::Arc;

use jiff::Timestamp;

/// Which way a burst of bytes went, seen from the harness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the harness to the device.
    Sent,
    /// From the device to the harness.
    Received,
}

/// What kind of link it is, for a capture that keeps them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A serial line, at hand or behind a serial server.
    Serial,
    /// A stream or datagrams over the network.
    Network,
}

/// Something that keeps what crossed a link, usually a capture file of the run's evidence.
///
/// A link calls it for every burst it wrote and every burst it read. A call with no bytes and a note is an event of
/// the line itself (opened, closed by the other side, speed changed, what the driver made of the bytes).
/// Implementations must not block for long: they are called between a write and the read that answers it.
pub trait Tap: Send + Sync {
    /// The link named `link` goes to `url`; said each time it is opened, before anything crosses it.
    fn link(&self, link: &str, url: &str, kind: LinkKind) {
        let _ = (link, url, kind);
    }

    /// `bytes` went `direction` over the link named `link` at `at`; `note` says what the bytes cannot.
    fn frame(&self, link: &str, direction: Direction, at: Timestamp, bytes: &[u8], note: Option<&str>);
}

/// A tap many links share.
pub type SharedTap = Arc<dyn Tap>;

/// A tap that keeps nothing, for `read` and `probe` outside a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTap;

impl Tap for NoTap {
    fn frame(&self, _link: &str, _direction: Direction, _at: Timestamp, _bytes: &[u8], _note: Option<&str>) {}
}

impl NoTap {
    /// The tap that keeps nothing, ready to hand to a link.
    #[must_use]
    pub fn shared() -> SharedTap {
        Arc::new(NoTap)
    }
}
