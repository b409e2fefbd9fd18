//! The gas meter's battery: time, radio wakes and the valve's motor drain it.

use super::super::time::Moment;

/// What a full battery holds, in microampere hours.
const CAPACITY: u64 = 10_000_000;
/// What the meter draws asleep, in microamperes: clock, register, display.
const SLEEPING: u64 = 40;
/// A radio wake with its reports, in microampere hours.
pub(super) const WAKE: u64 = 18;
/// A session at the local port.
pub(super) const LOCAL: u64 = 60;
/// One movement of the valve.
pub(super) const VALVE: u64 = 900;
/// Percentage at which it warns.
pub const LOW: u8 = 10;

const HOUR: u64 = 3_600_000;

/// What the valve does when the battery goes flat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFlat {
    /// The last of the charge closes it.
    #[default]
    Close,
    /// It stays as it is.
    Freeze,
}

/// The battery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Battery {
    fitted: Moment,
    /// Drawn for deeds since it was fitted, beside what time draws, in microampere hours.
    drawn: u64,
    /// Emptied by hand.
    emptied: bool,
}

impl Battery {
    /// A full battery.
    pub fn full(now: Moment) -> Self {
        Self { fitted: now, drawn: 0, emptied: false }
    }

    /// Draws so many microampere hours.
    pub fn draw(&mut self, microampere_hours: u64) {
        self.drawn = self.drawn.saturating_add(microampere_hours);
    }

    /// Takes what is in it out, or fits a full one.
    pub fn set_empty(&mut self, empty: bool, now: Moment) {
        *self = Self { emptied: empty, ..Self::full(now) };
    }

    /// Charge left at `now`, in microampere hours.
    pub fn left(&self, now: Moment) -> u64 {
        let asleep = now.since(self.fitted).max(0).unsigned_abs().saturating_mul(SLEEPING) / HOUR;
        let left = CAPACITY.saturating_sub(asleep).saturating_sub(self.drawn);
        if self.emptied { 0 } else { left }
    }

    /// Charge left in percent, rounded up: nought only when there is none.
    pub fn percent(&self, now: Moment) -> u8 {
        u8::try_from((self.left(now) * 100).div_ceil(CAPACITY)).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_meter_that_wakes_every_half_hour_lives_about_fifteen_years() {
        let mut battery = Battery::full(Moment::from_millis(0));
        for _ in 0..(10 * 365 * 48) {
            battery.draw(WAKE);
        }
        let years = |years: i64| Moment::from_millis(years * 365 * 86_400_000);
        assert!((30..60).contains(&battery.percent(years(10))), "{} %", battery.percent(years(10)));
        battery.draw(CAPACITY);
        assert_eq!(battery.percent(years(10)), 0);
        battery.set_empty(false, years(10));
        assert_eq!(battery.percent(years(10)), 100);
    }

    proptest! {
        #[test]
        fn charge_only_falls(draws in proptest::collection::vec((0u64..100_000, 0i64..100_000_000), 0..50)) {
            let (mut battery, mut now) = (Battery::full(Moment::from_millis(0)), Moment::from_millis(0));
            let mut before = battery.left(now);
            for (draw, wait) in draws {
                battery.draw(draw);
                now = now.plus(wait);
                prop_assert!(battery.left(now) <= before);
                before = battery.left(now);
                prop_assert!((battery.percent(now) == 0) == (before == 0));
            }
        }
    }
}
