//! The half-hourly profile: a ring of captures.

use std::collections::VecDeque;

use super::time::MeterTime;

/// Captures kept: thirteen months of half hours.
pub const PROFILE_ENTRIES: usize = 396 * 48;
/// Captures of a meter that has just been installed: 31 days of half hours.
pub const LIVED_ENTRIES: usize = 31 * 48;

/// A log of so many entries; the oldest goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring<T> {
    entries: VecDeque<T>,
    depth: usize,
}

impl<T> Ring<T> {
    /// An empty log that keeps so many entries, at least one.
    pub fn new(depth: usize) -> Self {
        Self { entries: VecDeque::new(), depth: depth.max(1) }
    }

    /// Adds an entry; whether the oldest had to go for it.
    pub fn push(&mut self, entry: T) -> bool {
        self.entries.push_back(entry);
        let rolls = self.entries.len() > self.depth;
        if rolls {
            self.entries.pop_front();
        }
        rolls
    }

    /// The entries, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.entries.iter()
    }

    /// The oldest entry, taken out.
    pub fn take_oldest(&mut self) -> Option<T> {
        self.entries.pop_front()
    }

    /// Entries it keeps.
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Another depth, at least one; the oldest entries beyond it go.
    pub fn set_depth(&mut self, depth: usize) {
        self.depth = depth.max(1);
        let beyond = self.entries.len().saturating_sub(self.depth);
        self.entries.drain(..beyond);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// One capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// End of the half hour by the device's clock.
    pub at: MeterTime,
    /// What the register showed then, in its units.
    pub reading: u64,
    /// What flowed since the capture before.
    pub interval: u64,
    /// Flags of the half hour (`lab_config::contents::StatusFlag`).
    pub status: u8,
}

/// The profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    captures: VecDeque<Capture>,
    last_reading: u64,
}

impl Profile {
    /// A profile whose first interval starts at this reading.
    pub fn starting_at(reading: u64) -> Self {
        Self { captures: VecDeque::new(), last_reading: reading }
    }

    /// Adds a capture of the register and the status of the half hour; the oldest goes when the ring is full.
    pub fn capture(&mut self, at: MeterTime, reading: u64, status: u8) {
        let interval = reading.saturating_sub(self.last_reading);
        self.last_reading = reading;
        self.captures.push_back(Capture { at, reading, interval, status });
        if self.captures.len() > PROFILE_ENTRIES {
            self.captures.pop_front();
        }
    }

    /// A half hour of which there is no capture: the next interval begins at this reading.
    pub fn skip(&mut self, reading: u64) {
        self.last_reading = reading;
    }

    /// What flowed in the last half hour.
    pub fn last_interval(&self) -> u64 {
        self.captures.back().map_or(0, |capture| capture.interval)
    }

    /// The status of the last half hour.
    pub fn last_status(&self) -> u8 {
        self.captures.back().map_or(0, |capture| capture.status)
    }

    /// Empties it; the next interval begins at the reading of the last capture.
    pub fn clear(&mut self) {
        self.captures.clear();
    }

    /// How many captures there are.
    pub fn len(&self) -> usize {
        self.captures.len()
    }

    /// Whether nothing has been captured.
    pub fn is_empty(&self) -> bool {
        self.captures.is_empty()
    }

    /// All captures, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Capture> + ExactSizeIterator {
        self.captures.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::HALF_HOUR;
    use super::*;

    fn filled(count: i64) -> Profile {
        let mut profile = Profile::starting_at(100);
        for n in 1..=count {
            profile.capture(MeterTime::from_millis(n * HALF_HOUR), 100 + n.unsigned_abs() * 3, 0);
        }
        profile
    }

    #[test]
    fn intervals_are_differences_of_readings() {
        assert!(filled(10).all().all(|capture| capture.interval == 3));
        assert_eq!(filled(20_000).len(), PROFILE_ENTRIES);
    }
}
