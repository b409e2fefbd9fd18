//! The half-hourly profile: a ring of captures with selection by time and by entry number.

use std::collections::VecDeque;

use super::time::MeterTime;

/// Captures kept: 31 days of half hours.
pub const PROFILE_ENTRIES: usize = 31 * 48;

/// One capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// End of the half hour by the device's clock.
    pub at: MeterTime,
    /// What the register showed then, in its units.
    pub reading: u64,
    /// What flowed since the capture before.
    pub interval: u64,
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

    /// Adds a capture of the register; the oldest goes when the ring is full.
    pub fn capture(&mut self, at: MeterTime, reading: u64) {
        let interval = reading.saturating_sub(self.last_reading);
        self.last_reading = reading;
        self.captures.push_back(Capture { at, reading, interval });
        if self.captures.len() > PROFILE_ENTRIES {
            self.captures.pop_front();
        }
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
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Capture> {
        self.captures.iter()
    }

    /// Captures from one time to another, both included, oldest first.
    pub fn range(&self, from: MeterTime, to: MeterTime) -> impl Iterator<Item = &Capture> {
        self.captures.iter().filter(move |capture| from <= capture.at && capture.at <= to)
    }
}

/// The part of a list the COSEM entry numbers `from` to `to` name: 1 is the first, a `to` of 0 the last.
/// None when they name nothing that is there.
pub fn entry_bounds(from: u32, to: u32, len: usize) -> Option<std::ops::Range<usize>> {
    let first = usize::try_from(from).ok()?.checked_sub(1)?;
    let end = if to == 0 { len } else { usize::try_from(to).ok()?.min(len) };
    (first < end).then_some(first..end)
}

#[cfg(test)]
mod tests {
    use super::super::time::HALF_HOUR;
    use super::*;

    fn filled(count: i64) -> Profile {
        let mut profile = Profile::starting_at(100);
        for n in 1..=count {
            profile.capture(MeterTime::from_millis(n * HALF_HOUR), 100 + n.unsigned_abs() * 3);
        }
        profile
    }

    #[test]
    fn intervals_are_differences_of_readings() {
        assert!(filled(10).all().all(|capture| capture.interval == 3));
        assert_eq!(filled(2000).len(), PROFILE_ENTRIES);
    }

    #[test]
    fn a_range_includes_both_ends() {
        let profile = filled(10);
        let (from, to) = (MeterTime::from_millis(3 * HALF_HOUR), MeterTime::from_millis(5 * HALF_HOUR));
        assert_eq!(profile.range(from, to).count(), 3);
        assert_eq!(profile.range(to, from).count(), 0);
    }

    #[test]
    fn entries_count_from_one_and_nought_is_the_end() {
        assert_eq!(entry_bounds(1, 0, 10), Some(0..10));
        assert_eq!(entry_bounds(2, 3, 10), Some(1..3));
        assert_eq!(entry_bounds(9, 99, 10), Some(8..10));
        for (from, to, len) in [(0, 0, 10), (11, 0, 10), (3, 2, 10), (1, 0, 0)] {
            assert_eq!(entry_bounds(from, to, len), None, "{from} {to} {len}");
        }
    }
}
