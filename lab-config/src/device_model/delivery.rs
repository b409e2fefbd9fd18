//! How what is for a sleeping device reaches it: how often the device wakes, and what its communications hub holds for it
//! meanwhile.

use std::fmt;
use std::time::Duration;

use crate::document::{FileError, Table};

/// The most seconds a device may sleep, or a hub hold what is for it: a day.
const LONGEST: i64 = 86_400;
/// The most messages a hub may be said to hold.
const MOST: i64 = 64;

/// How often a device that sleeps wakes and asks its hub what there is for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WakeInterval(Duration);

impl WakeInterval {
    /// From one wake to the next.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl Default for WakeInterval {
    /// Half an hour, as gas meters of the second generation wake (GBCS); unverified for the first.
    fn default() -> Self {
        Self(Duration::from_secs(1800))
    }
}

impl fmt::Display for WakeInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs())
    }
}

/// What a communications hub holds for devices that sleep. Whatever it says here, a message goes to its device at the
/// next wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreAndForward {
    /// Messages it has room for.
    pub messages: u8,
    /// How old a message may become; then it is dropped, and the hub says so.
    pub longest: Duration,
}

impl Default for StoreAndForward {
    /// Four messages for two hours: a meter that missed three wakes in a row is not coming.
    fn default() -> Self {
        Self { messages: 4, longest: Duration::from_secs(7200) }
    }
}

impl fmt::Display for StoreAndForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages, {} s at most", self.messages, self.longest.as_secs())
    }
}

pub(super) fn wake_interval(table: &mut Table<'_>) -> Result<WakeInterval, FileError> {
    let meaning = "seconds from one wake to the next";
    let seconds = table.required("seconds", meaning)?.integer(10..=LONGEST, meaning)?;
    Ok(WakeInterval(Duration::from_secs(seconds)))
}

pub(super) fn store_and_forward(table: &mut Table<'_>) -> Result<StoreAndForward, FileError> {
    let (room, age) = ("messages it has room for", "seconds a message is held at most");
    Ok(StoreAndForward {
        messages: table.required("messages", room)?.integer(1..=MOST, room)?,
        longest: Duration::from_secs(table.required("seconds", age)?.integer(1..=LONGEST, age)?),
    })
}
