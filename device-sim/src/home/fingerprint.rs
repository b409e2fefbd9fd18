//! One number for all that an installation is, so that two can be held against each other.

use std::fmt::{self, Write};

use super::Home;

/// FNV-1a over whatever is written.
struct Fnv(u64);

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for octet in text.bytes() {
            self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

impl Home {
    /// A number over the state of every device, what waits at the hub, and what waits to be sent. Equal installations have
    /// equal numbers; it means nothing from one release to the next.
    pub fn digest(&self) -> u64 {
        let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
        let devices = (
            self.hub.as_ref().map(|hub| &hub.device),
            self.proxy.as_ref().map(|proxy| &proxy.device),
            self.esme.as_ref().map(|esme| &esme.device),
            self.gsme.as_ref().map(|gsme| &gsme.device),
            self.display.as_ref().map(|display| &display.device),
        );
        // Writing to a number does not fail.
        let _ = write!(fnv, "{:?}{devices:?}{:?}{:?}", self.now, self.stored, self.wans);
        fnv.0
    }
}
