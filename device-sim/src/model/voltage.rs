//! Voltage quality: averages over a period with their profile, and what lies out of band for long enough.

use super::held::Held;
use super::journal::{Event, Journal};
use super::profile::Ring;
use super::time::{DAY, MINUTE, MeterTime, Moment};

/// Averaging periods a meter takes, in minutes.
pub const PERIODS: [u8; 11] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
/// Nominal voltage, tenths of a volt: thresholds of what is too high lie above it, those of what is too low below.
pub const NOMINAL: u16 = 2300;
/// The lowest and the highest threshold a meter takes, tenths of a volt.
pub const THRESHOLDS: std::ops::RangeInclusive<u16> = 1000..=4000;
/// Averages kept.
pub const ENTRIES: usize = 1440;

/// An average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Average {
    /// End of its period by the meter's clock.
    pub at: MeterTime,
    /// Tenths of a volt.
    pub decivolts: u16,
}

/// A way in which the voltage lies out of band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// RMS voltage far too high.
    ExtremeOver,
    /// RMS voltage far too low.
    ExtremeUnder,
    /// RMS voltage high for a short while.
    Swell,
    /// RMS voltage low for a short while.
    Sag,
}

impl Band {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ExtremeOver, Self::ExtremeUnder, Self::Swell, Self::Sag];

    const fn is_over(self) -> bool {
        matches!(self, Self::ExtremeOver | Self::Swell)
    }

    const fn event(self, entered: bool) -> Event {
        match (self, entered) {
            (Self::ExtremeOver, true) => Event::ExtremeOverVoltage,
            (Self::ExtremeOver, false) => Event::ExtremeOverVoltageEnded,
            (Self::ExtremeUnder, true) => Event::ExtremeUnderVoltage,
            (Self::ExtremeUnder, false) => Event::ExtremeUnderVoltageEnded,
            (Self::Swell, true) => Event::VoltageSwell,
            (Self::Swell, false) => Event::VoltageSwellEnded,
            (Self::Sag, true) => Event::VoltageSag,
            (Self::Sag, false) => Event::VoltageSagEnded,
        }
    }
}

/// A threshold of the RMS voltage, and how long it is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watch {
    band: Band,
    decivolts: u16,
    held: Held,
    count: u32,
}

impl Watch {
    const fn new(band: Band, decivolts: u16, patience: i64) -> Self {
        Self { band, decivolts, held: Held::new(patience), count: 0 }
    }

    const fn is_out(&self, decivolts: u16) -> bool {
        if self.band.is_over() { decivolts > self.decivolts } else { decivolts < self.decivolts }
    }
}

/// The voltage monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    period_minutes: u8,
    /// Decivolts times milliseconds, and milliseconds, of the running period.
    sum: u64,
    millis: u64,
    profile: Ring<Average>,
    average_over: u16,
    average_under: u16,
    is_over: bool,
    is_under: bool,
    over_count: u32,
    under_count: u32,
    watches: [Watch; 4],
}

impl Quality {
    /// The statutory band of Great Britain: 230 V, +10 % and -6 %, averaged over half hours.
    pub fn new() -> Self {
        Self {
            period_minutes: 30,
            sum: 0,
            millis: 0,
            profile: Ring::new(ENTRIES),
            average_over: 2530,
            average_under: 2162,
            is_over: false,
            is_under: false,
            over_count: 0,
            under_count: 0,
            watches: [
                Watch::new(Band::ExtremeOver, 2645, MINUTE),
                Watch::new(Band::ExtremeUnder, 1840, MINUTE),
                Watch::new(Band::Swell, 2576, 10_000),
                Watch::new(Band::Sag, 2070, 10_000),
            ],
        }
    }

    /// The averaging period in minutes.
    pub const fn period_minutes(&self) -> u8 {
        self.period_minutes
    }

    /// Another averaging period, one of [`PERIODS`]; wipes the profile, even when it is the same. Whether it did.
    pub fn set_period(&mut self, minutes: u8) -> bool {
        let fits = PERIODS.contains(&minutes);
        if fits {
            (self.period_minutes, self.sum, self.millis) = (minutes, 0, 0);
            self.profile.clear();
        }
        fits
    }

    /// The averages, oldest first.
    pub const fn profile(&self) -> &Ring<Average> {
        &self.profile
    }

    /// Thresholds of the average, over and under, tenths of a volt.
    pub const fn average_thresholds(&self) -> [u16; 2] {
        [self.average_over, self.average_under]
    }

    /// Other thresholds of the average, each on its side of [`NOMINAL`] and within [`THRESHOLDS`]. Whether they were taken.
    pub fn set_average_thresholds(&mut self, [over, under]: [u16; 2]) -> bool {
        let fits = is_threshold(over, true) && is_threshold(under, false);
        if fits {
            (self.average_over, self.average_under) = (over, under);
        }
        fits
    }

    /// How often the average went over, and under.
    pub const fn average_counts(&self) -> [u32; 2] {
        [self.over_count, self.under_count]
    }

    /// Threshold of a band, tenths of a volt.
    pub fn threshold(&self, band: Band) -> u16 {
        self.watch(band).decivolts
    }

    /// How often the voltage was out of a band for longer than is borne.
    pub fn count_of(&self, band: Band) -> u32 {
        self.watch(band).count
    }

    /// Counts averages that went over, or those that went under, from nought again.
    pub fn reset_average_count(&mut self, over: bool) {
        *(if over { &mut self.over_count } else { &mut self.under_count }) = 0;
    }

    /// Counts from nought again how often the voltage was out of a band.
    pub fn reset_count(&mut self, band: Band) {
        self.watch_mut(band).count = 0;
    }

    /// Another threshold of a band, on its side of [`NOMINAL`] and within [`THRESHOLDS`]. Whether it was taken.
    pub fn set_threshold(&mut self, band: Band, decivolts: u16) -> bool {
        let fits = is_threshold(decivolts, band.is_over());
        if fits {
            self.watch_mut(band).decivolts = decivolts;
        }
        fits
    }

    /// How long the threshold of a band is borne, in milliseconds.
    pub fn patience(&self, band: Band) -> i64 {
        self.watch(band).held.patience()
    }

    /// How long the threshold of a band is borne from now on, in milliseconds: a day at most. Whether it was taken.
    pub fn set_patience(&mut self, band: Band, millis: i64) -> bool {
        let fits = (0..=DAY).contains(&millis);
        if fits {
            self.watch_mut(band).held.set_patience(millis);
        }
        fits
    }

    fn watch(&self, band: Band) -> &Watch {
        let [over, under, swell, sag] = &self.watches;
        match band {
            Band::ExtremeOver => over,
            Band::ExtremeUnder => under,
            Band::Swell => swell,
            Band::Sag => sag,
        }
    }

    fn watch_mut(&mut self, band: Band) -> &mut Watch {
        let [over, under, swell, sag] = &mut self.watches;
        match band {
            Band::ExtremeOver => over,
            Band::ExtremeUnder => under,
            Band::Swell => swell,
            Band::Sag => sag,
        }
    }

    /// The voltage from `now` on.
    pub(super) fn note(&mut self, decivolts: u16, now: Moment) {
        for watch in &mut self.watches {
            let out = watch.is_out(decivolts);
            watch.held.note(out, now);
        }
    }

    /// When a threshold will have been borne long enough.
    pub(super) fn next_event(&self) -> Option<Moment> {
        self.watches.iter().filter_map(|watch| watch.held.turns_at()).min()
    }

    /// Raises and ends what is due at `now`.
    pub(super) fn turn(&mut self, now: Moment, journal: &mut Journal, shown: MeterTime) {
        for watch in &mut self.watches {
            let Some(out) = watch.held.turn(now) else { continue };
            watch.count = watch.count.saturating_add(u32::from(out));
            let volts = f64::from(watch.decivolts) / 10.0;
            let words = match (watch.band.is_over(), out) {
                (true, true) => format!("voltage above {volts} V"),
                (false, true) => format!("voltage below {volts} V"),
                (true, false) => format!("voltage back below {volts} V"),
                (false, false) => format!("voltage back above {volts} V"),
            };
            journal.write(shown, watch.band.event(out), words);
        }
    }

    pub(super) fn count(&mut self, decivolts: u16, millis: u64) {
        self.sum = self.sum.saturating_add(u64::from(decivolts) * millis);
        self.millis += millis;
    }

    /// Ends the averaging period at its minute: an entry of the profile, and the average against its thresholds.
    pub(super) fn minute(&mut self, minute: MeterTime, journal: &mut Journal) {
        if !minute.is_at(i64::from(self.period_minutes) * MINUTE) {
            return;
        }
        let Some(average) = self.sum.checked_div(self.millis) else { return };
        let decivolts = u16::try_from(average).unwrap_or(u16::MAX);
        (self.sum, self.millis) = (0, 0);
        self.profile.push(Average { at: minute, decivolts });
        self.judge_average(decivolts, minute, journal);
    }

    fn judge_average(&mut self, decivolts: u16, at: MeterTime, journal: &mut Journal) {
        let over = decivolts > self.average_over;
        let under = decivolts < self.average_under;
        let volts = f64::from(decivolts) / 10.0;
        if over != std::mem::replace(&mut self.is_over, over) {
            self.over_count = self.over_count.saturating_add(u32::from(over));
            let event = if over { Event::AverageOverVoltage } else { Event::AverageOverVoltageEnded };
            journal.write(at, event, format!("average voltage {volts} V"));
        }
        if under != std::mem::replace(&mut self.is_under, under) {
            self.under_count = self.under_count.saturating_add(u32::from(under));
            let event = if under { Event::AverageUnderVoltage } else { Event::AverageUnderVoltageEnded };
            journal.write(at, event, format!("average voltage {volts} V"));
        }
    }

    /// The mains were away: what was being measured is worth nothing.
    pub(super) fn interrupted(&mut self) {
        (self.sum, self.millis) = (0, 0);
        self.watches.iter_mut().for_each(|watch| watch.held.forget());
    }
}

fn is_threshold(decivolts: u16, over: bool) -> bool {
    THRESHOLDS.contains(&decivolts) && if over { decivolts > NOMINAL } else { decivolts < NOMINAL }
}

impl Default for Quality {
    fn default() -> Self {
        Self::new()
    }
}
