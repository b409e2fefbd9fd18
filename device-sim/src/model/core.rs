//! What every device has: a plate, a clock, a journal, and a minute grid to live by.

use lab_config::contents::StatusFlag;

use super::bench::Bench;
use super::clock::DeviceClock;
use super::firmware::{ImageRefusal, ImageTransfer};
use super::journal::{Event, Journal};
use super::plate::Plate;
use super::time::{DAY, MINUTE, MeterTime, Moment};

/// How long a clock runs on its capacitor without mains; after that it stands still.
pub const CLOCK_HOLD_UP: i64 = 7 * DAY;
/// An outage this long is told: by the last of the device's strength, and again when the mains are back.
pub const LONG_OUTAGE: i64 = 3 * MINUTE;
/// How long a device starts, and says nothing meanwhile.
pub const RESTART: i64 = 10_000;
/// How long that last strength lasts.
const LAST_GASP: i64 = 5_000;

/// Whether a device that lives by the mains has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mains {
    /// It has, or needs none.
    On,
    /// It has not.
    Off {
        /// Since when.
        since: Moment,
        /// Whether the outage has been told.
        told: bool,
    },
}

/// The common part of a device. Deeds happen at the moment it was last brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// What it says it is.
    pub plate: Plate,
    /// What happened to it.
    pub journal: Journal,
    /// What a test bench has done to it.
    pub bench: Bench,
    /// Transfer of firmware images.
    pub firmware: ImageTransfer,
    now: Moment,
    /// Until when it starts, and says nothing meanwhile.
    up_at: Moment,
    /// How often it has started since it was installed.
    starts: u32,
    clock: DeviceClock,
    /// Whether its clock was right when it was last set and has run since.
    clock_holds: bool,
    mains: Mains,
    /// Flags of the running half hour.
    flags: u8,
    /// The next full minute its clock will show.
    next_minute: MeterTime,
}

impl Core {
    /// A device whose clock is right at `now`.
    pub fn new(plate: Plate, now: Moment) -> Self {
        let clock = DeviceClock::right(now);
        let next_minute = clock.shows(now).next(MINUTE);
        Self {
            plate,
            journal: Journal::default(),
            bench: Bench::default(),
            firmware: ImageTransfer::default(),
            now,
            up_at: now,
            starts: 0,
            clock,
            clock_holds: true,
            mains: Mains::On,
            flags: 0,
            next_minute,
        }
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

    /// When its clock reaches a time; now, where that is past.
    pub fn reaches(&self, time: MeterTime) -> Moment {
        self.clock.reaches(time).max(self.now)
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

    /// Writes an event at the time the device believes it is; a device whose memory is full does not.
    pub fn log(&mut self, event: Event, text: impl Into<String>) {
        if self.bench.memory_full {
            return;
        }
        self.journal.write(self.shown(), event, text);
    }

    /// Empties the event log; the security log says so.
    pub fn clear_events(&mut self) {
        self.journal.clear_events();
        self.log(Event::LogCleared, "event log cleared");
    }

    /// Sets the clock by command: logged.
    pub fn set_clock(&mut self, to: MeterTime) {
        let moved = self.jump_to(to);
        self.clock_holds = true;
        self.flags |= StatusFlag::ClockAdjusted.bit();
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

    /// Whether its clock has run since it was last set; false after an outage its capacitor did not bridge.
    pub const fn clock_holds(&self) -> bool {
        self.clock_holds
    }

    /// The flags of the half hour that ends now; the next begins without.
    pub(super) fn take_flags(&mut self) -> u8 {
        let clock = if self.clock_holds { 0 } else { StatusFlag::ClockInvalid.bit() };
        std::mem::take(&mut self.flags) | clock
    }

    /// Whether it has mains.
    pub const fn mains(&self) -> Mains {
        self.mains
    }

    /// Whether it lives: it has mains, or needs none.
    pub const fn is_powered(&self) -> bool {
        matches!(self.mains, Mains::On)
    }

    /// Whether it answers: it has power and has started.
    pub fn is_up(&self) -> bool {
        self.is_powered() && self.now >= self.up_at
    }

    /// How often it has started since it was installed. What clients were in the middle of ends with a start.
    pub const fn starts(&self) -> u32 {
        self.starts
    }

    /// Starts over: registers and logs stay, and it says nothing for [`RESTART`].
    pub fn restart(&mut self) {
        self.restart_within(RESTART);
    }

    fn restart_within(&mut self, millis: i64) {
        self.starts = self.starts.wrapping_add(1);
        self.up_at = self.now.plus(millis);
    }

    /// Begins the transfer of an image; a device whose memory is full does not.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn begin_firmware(&mut self, identifier: &[u8], size: u32) -> Result<(), ImageRefusal> {
        if self.bench.memory_full {
            return Err(ImageRefusal::NoRoom);
        }
        self.firmware.initiate(identifier, size)
    }

    /// Checks the image that was transferred; the outcome is logged.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify_firmware(&mut self) -> Result<(), ImageRefusal> {
        let verified =
            if self.bench.bad_image { self.firmware.fail() } else { self.firmware.verify(&self.plate) };
        match &verified {
            Ok(()) => self.log(Event::FirmwareVerified, "firmware image verified"),
            Err(ImageRefusal::State | ImageRefusal::Missing(_)) => {}
            Err(refusal) => self.log(Event::FirmwareNotVerified, format!("firmware image: {refusal}")),
        }
        verified
    }

    /// Puts the verified image to work: the device starts with the new version.
    ///
    /// # Errors
    /// There is none.
    pub fn activate_firmware(&mut self) -> Result<(), ImageRefusal> {
        self.plate.firmware = self.firmware.activate()?;
        self.log(Event::Started, format!("firmware {}", self.plate.firmware));
        let start = self.firmware.traits().start;
        self.restart_within(i64::try_from(start.as_millis()).unwrap_or(RESTART));
        Ok(())
    }

    /// When a dated activation of firmware is due.
    pub fn next_activation(&self) -> Option<Moment> {
        let at = self.firmware.activate_at()?;
        Some(self.reaches(at))
    }

    /// When it has started, where it is starting.
    pub fn next_start(&self) -> Option<Moment> {
        (self.up_at > self.now).then_some(self.up_at)
    }

    /// Activates firmware that is due.
    pub fn activate_due(&mut self) {
        if self.next_activation().is_none_or(|at| at > self.now) {
            return;
        }
        match self.activate_firmware() {
            Ok(()) => self.log(Event::FutureDatedDone, "firmware activated"),
            Err(refusal) => self.log(Event::FutureDatedFailed, format!("firmware activation: {refusal}")),
        }
    }

    /// Whether it can send: it lives, or tells an outage with the last of its strength.
    pub fn can_send(&self) -> bool {
        match self.mains {
            Mains::On => self.is_up(),
            Mains::Off { since, told } => told && self.now.since(since) < LONG_OUTAGE + LAST_GASP,
        }
    }

    /// Whether everything in it is dark: no mains, and the last of its strength spent.
    pub const fn is_dark(&self) -> bool {
        match self.mains {
            Mains::On => false,
            Mains::Off { since, .. } => self.now.since(since) >= LONG_OUTAGE + LAST_GASP,
        }
    }

    /// When something happens to it without mains: it tells the outage, then goes dark.
    pub fn next_in_outage(&self) -> Option<Moment> {
        let Mains::Off { since, told } = self.mains else { return None };
        let dark = since.plus(LONG_OUTAGE + LAST_GASP);
        if told { Some(dark).filter(|dark| *dark > self.now) } else { Some(since.plus(LONG_OUTAGE)) }
    }

    /// Waits without mains until `to`; whether that is what it does.
    pub fn wait_out(&mut self, to: Moment) -> bool {
        let Mains::Off { since, told } = self.mains else { return false };
        let tells_at = since.plus(LONG_OUTAGE);
        if !told && tells_at <= to {
            self.bring_to(tells_at);
            self.log(Event::PowerOutage, "no mains for three minutes");
            self.mains = Mains::Off { since, told: true };
        }
        self.bring_to(to);
        true
    }

    /// The mains go: logged with the last of its strength. Whether there were any.
    pub fn lose_mains(&mut self) -> bool {
        let had = self.is_powered();
        if had {
            self.log(Event::SupplyInterrupted, "mains lost");
            self.mains = Mains::Off { since: self.now, told: false };
        }
        had
    }

    /// The mains come back: the clock has run on, or stood still once its capacitor was empty. Registers and logs
    /// are as they were. How long it was without, in milliseconds, if it was.
    pub fn regain_mains(&mut self) -> Option<i64> {
        let Mains::Off { since, .. } = std::mem::replace(&mut self.mains, Mains::On) else { return None };
        let without = self.now.since(since);
        self.flags |= StatusFlag::PowerDown.bit();
        if without > CLOCK_HOLD_UP {
            self.clock_holds = false;
            let stood_at = self.clock.shows(since.plus(CLOCK_HOLD_UP));
            self.clock.set(self.now, stood_at);
            self.log(Event::ClockLost, "clock stood still: outage longer than its hold-up");
        }
        self.next_minute = self.shown().next(MINUTE);
        let restored = if without >= LONG_OUTAGE { Event::LongOutageRestored } else { Event::OutageRestored };
        self.log(restored, format!("mains back after {} s", without / 1000));
        Some(without)
    }
}
