//! What every device has: a plate, a clock, a journal, and a minute grid to live by.

use super::clock::DeviceClock;
use super::journal::{Event, Journal};
use super::plate::Plate;
use super::time::{MINUTE, MeterTime, Moment};

/// The common part of a device. Deeds happen at the moment it was last brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// What it says it is.
    pub plate: Plate,
    /// What happened to it.
    pub journal: Journal,
    now: Moment,
    clock: DeviceClock,
    /// The next full minute its clock will show.
    next_minute: MeterTime,
}

impl Core {
    /// A device whose clock is right at `now`.
    pub fn new(plate: Plate, now: Moment) -> Self {
        let clock = DeviceClock::right(now);
        let next_minute = clock.shows(now).next(MINUTE);
        Self { plate, journal: Journal::default(), now, clock, next_minute }
    }

    /// The moment it was last brought to.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// What its clock shows.
    pub fn shown(&self) -> MeterTime {
        self.clock.shows(self.now)
    }

    /// When its clock reaches the next full minute.
    pub fn next_tick(&self) -> Moment {
        self.clock.reaches(self.next_minute)
    }

    /// Brings it to a moment; never back.
    pub(crate) fn bring_to(&mut self, moment: Moment) {
        self.now = self.now.max(moment);
    }

    /// Takes the full minute that has come, and waits for the one after it.
    pub(super) fn take_minute(&mut self) -> MeterTime {
        let minute = self.next_minute;
        self.next_minute = minute.plus(MINUTE);
        minute
    }

    /// Writes an event at the time the device believes it is.
    pub fn log(&mut self, event: Event, text: impl Into<String>) {
        self.journal.write(self.shown(), event, text);
    }

    /// Sets the clock by command: logged.
    pub fn set_clock(&mut self, to: MeterTime) {
        let moved = self.jump_to(to);
        self.log(Event::ClockAdjusted, format!("clock adjusted by {moved} ms"));
    }

    /// Puts the clock wrong (or right) behind the device's back; gives the milliseconds it moved by.
    pub fn jump_to(&mut self, to: MeterTime) -> i64 {
        let moved = self.clock.set(self.now, to);
        self.next_minute = to.next(MINUTE);
        moved
    }

    /// Makes the clock gain (or lose) from now on, in parts per million.
    pub fn drift(&mut self, ppm: i32) {
        self.clock.drift(self.now, ppm);
    }
}
