//! The network data log: for four hours from a command on, what the register shows every six minutes.

use super::super::time::{MINUTE, MeterTime};

/// Milliseconds from entry to entry.
pub const PERIOD: i64 = 6 * MINUTE;
/// Entries of a recording: one at its beginning and ten an hour for four hours.
pub const ENTRIES: usize = 41;

/// What the register showed at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkEntry {
    /// When.
    pub at: MeterTime,
    /// Litres of gas.
    pub litres: u64,
}

/// The log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkData {
    sample: u32,
    recording: bool,
    entries: Vec<NetworkEntry>,
}

impl NetworkData {
    /// Begins a recording, in place of the one before; its number.
    pub fn begin(&mut self, first: NetworkEntry) -> u32 {
        self.sample = self.sample.wrapping_add(1);
        self.recording = true;
        self.entries = vec![first];
        self.sample
    }

    /// Ends the recording under way; what it has is kept.
    pub fn end(&mut self) {
        self.recording = false;
    }

    /// A full minute: the entry that is due is written, and after the last the recording ends.
    pub fn minute(&mut self, entry: NetworkEntry) {
        let last = self.entries.last().map(|last| last.at.millis());
        let due = last.is_some_and(|last| entry.at.millis() - last >= PERIOD);
        if self.recording && due {
            self.entries.push(entry);
            self.recording = self.entries.len() < ENTRIES;
        }
    }

    /// The number of the recording; nought before the first.
    pub const fn sample(&self) -> u32 {
        self.sample
    }

    /// Whether it records.
    pub const fn is_recording(&self) -> bool {
        self.recording
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[NetworkEntry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(minute: i64) -> NetworkEntry {
        let litres = minute.unsigned_abs() * 7;
        NetworkEntry { at: MeterTime::from_millis(minute * MINUTE + 30_000), litres }
    }

    #[test]
    fn a_recording_lasts_four_hours_and_the_next_takes_its_place() {
        let mut log = NetworkData::default();
        log.minute(entry(0));
        assert!(log.entries().is_empty() && log.sample() == 0, "nothing is recorded without a command");
        assert_eq!(log.begin(entry(0)), 1);
        (1..600).for_each(|minute| log.minute(entry(minute)));
        assert_eq!(log.entries().len(), ENTRIES);
        assert_eq!(log.entries().last(), Some(&entry(240)));
        assert!(!log.is_recording());
        assert_eq!(log.begin(entry(600)), 2);
        assert_eq!(log.entries(), [entry(600)]);
        log.end();
        log.minute(entry(700));
        assert_eq!(log.entries().len(), 1);
    }
}
