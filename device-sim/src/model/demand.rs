//! Demand: the average power of an averaging period, and the largest since it was reset.

use super::curve::Flow;
use super::time::{DAY, HALF_HOUR, MINUTE, MeterTime};

/// The largest demand, and the end of the period it was measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// Watts.
    pub watts: u32,
    /// By the meter's clock.
    pub at: MeterTime,
}

/// Demand of one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    period: i64,
    begun: MeterTime,
    energy: Flow,
    last: Option<Peak>,
    peak: Option<Peak>,
    previous: Option<Peak>,
}

impl Demand {
    /// Demand averaged over half hours from `now` on.
    pub fn new(now: MeterTime) -> Self {
        Self {
            period: HALF_HOUR,
            begun: now,
            energy: Flow::default(),
            last: None,
            peak: None,
            previous: None,
        }
    }

    /// The averaging period in seconds.
    pub fn period_seconds(&self) -> u32 {
        u32::try_from(self.period / 1000).unwrap_or_default()
    }

    /// Another averaging period: whole minutes that divide a day, an hour at most. Begins a period; whether it did.
    pub fn set_period(&mut self, seconds: u32, now: MeterTime) -> bool {
        let period = i64::from(seconds) * 1000;
        let fits = (MINUTE..=2 * HALF_HOUR).contains(&period) && period % MINUTE == 0 && DAY % period == 0;
        if fits {
            self.period = period;
            self.begin(now);
        }
        fits
    }

    /// Average of the running period so far, watts, were it over now.
    pub fn running(&self) -> u32 {
        self.energy.average(self.period)
    }

    /// When the running period began.
    pub const fn begun(&self) -> MeterTime {
        self.begun
    }

    /// The demand of the last whole period.
    pub const fn last(&self) -> Option<Peak> {
        self.last
    }

    /// The largest demand since the last reset.
    pub const fn peak(&self) -> Option<Peak> {
        self.peak
    }

    /// The largest demand of the time before the last reset.
    pub const fn previous(&self) -> Option<Peak> {
        self.previous
    }

    /// Forgets the largest demand; the running period goes on.
    pub fn reset(&mut self) {
        self.previous = self.peak.take();
    }

    /// Takes the largest demands of a past that was told: of the billing period that runs, and of the one before.
    pub(super) fn remember(&mut self, peak: Option<Peak>, previous: Option<Peak>) {
        (self.peak, self.previous) = (peak, previous);
    }

    /// Ends the running period now, as by command.
    pub fn next_period(&mut self, now: MeterTime) -> Peak {
        let measured = Peak { watts: self.running(), at: now };
        self.last = Some(measured);
        if self.peak.is_none_or(|peak| peak.watts < measured.watts) {
            self.peak = Some(measured);
        }
        self.begin(now);
        measured
    }

    /// Starts the running period over: what was measured of it is worth nothing.
    pub fn begin(&mut self, now: MeterTime) {
        (self.begun, self.energy) = (now, Flow::default());
    }

    pub(super) fn count(&mut self, watts: u32, millis: u64) {
        self.energy.add(watts, millis);
    }

    /// Ends the averaging period at its minute: the demand measured, and over how many milliseconds.
    pub(super) fn minute(&mut self, minute: MeterTime) -> Option<(Peak, i64)> {
        minute.is_at(self.period).then(|| (self.next_period(minute), self.period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_largest_average_of_whole_periods() {
        let at = MeterTime::from_millis;
        let mut demand = Demand::new(at(0));
        for (period, watts) in [1000, 3000, 2000].into_iter().enumerate() {
            demand.count(watts, 1_800_000);
            demand.minute(at(i64::try_from(period + 1).unwrap() * HALF_HOUR));
        }
        assert_eq!(demand.peak(), Some(Peak { watts: 3000, at: at(2 * HALF_HOUR) }));
        assert_eq!(demand.last().map(|last| last.watts), Some(2000));
        demand.reset();
        assert_eq!((demand.peak(), demand.previous().map(|peak| peak.watts)), (None, Some(3000)));
        assert!(
            !demand.set_period(0, at(0)) && !demand.set_period(90, at(0)) && !demand.set_period(7200, at(0))
        );
        assert!(demand.set_period(900, at(0)));
        assert_eq!(demand.period_seconds(), 900);
    }
}
