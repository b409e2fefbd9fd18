//! The largest demand of a part of the day, kept beside that of any time.

use super::demand::Peak;
use super::time::{DAY, HALF_HOUR, MINUTE, MeterTime};

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// A part of the UTC day, in whole half hours, that does not pass midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOfDay {
    from: u16,
    to: u16,
}

impl PartOfDay {
    /// The whole day.
    pub const DAY: Self = Self { from: 0, to: DAY_MINUTES };

    /// From one minute of the day to another; midnight as the end is that of the next day. None where it is not made of
    /// whole half hours, is empty, or would pass midnight.
    pub fn new(from: u16, to: u16) -> Option<Self> {
        let to = if to == 0 { DAY_MINUTES } else { to };
        let whole = |minute: u16| i64::from(minute) * MINUTE % HALF_HOUR == 0;
        (whole(from) && whole(to) && from < to && to <= DAY_MINUTES).then_some(Self { from, to })
    }

    /// The minutes of the day it begins and ends at; midnight as the end is 0.
    pub const fn minutes(self) -> [u16; 2] {
        [self.from, self.to % DAY_MINUTES]
    }

    /// Whether a period of so many milliseconds that ends at `end` lies within it.
    fn holds(self, end: MeterTime, period: i64) -> bool {
        let minutes = |minute: u16| i64::from(minute) * MINUTE;
        let begin = end.plus(-period).millis().rem_euclid(DAY);
        begin >= minutes(self.from) && begin + period <= minutes(self.to)
    }
}

/// The largest demand of a part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemandWindow {
    part: PartOfDay,
    peak: Option<Peak>,
}

impl DemandWindow {
    /// Nothing measured yet, the whole day through.
    pub const fn new() -> Self {
        Self { part: PartOfDay::DAY, peak: None }
    }

    /// The part of the day.
    pub const fn part(&self) -> PartOfDay {
        self.part
    }

    /// Another part of the day. What was measured in the one before is forgotten, even where it is the same.
    pub fn set_part(&mut self, part: PartOfDay) {
        *self = Self { part, peak: None };
    }

    /// The largest demand since the last reset.
    pub const fn peak(&self) -> Option<Peak> {
        self.peak
    }

    /// Forgets the largest demand.
    pub fn reset(&mut self) {
        self.peak = None;
    }

    /// A demand was measured over a period of so many milliseconds.
    pub(super) fn see(&mut self, measured: Peak, period: i64) {
        let larger = self.peak.is_none_or(|peak| peak.watts < measured.watts);
        if larger && self.part.holds(measured.at, period) {
            self.peak = Some(measured);
        }
    }
}

impl Default for DemandWindow {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_half_hours_of_one_day_are_a_part_of_it() {
        assert_eq!(PartOfDay::new(16 * 60, 19 * 60).map(PartOfDay::minutes), Some([960, 1140]));
        assert_eq!(PartOfDay::new(0, 0), Some(PartOfDay::DAY));
        assert_eq!(PartOfDay::new(1410, 0).map(PartOfDay::minutes), Some([1410, 0]));
        for (from, to) in [(960, 960), (960, 900), (961, 1140), (960, 1141), (0, 1500)] {
            assert_eq!(PartOfDay::new(from, to), None, "{from} to {to}");
        }
    }

    #[test]
    fn the_largest_demand_is_that_of_periods_within_the_part() {
        let mut window = DemandWindow::new();
        window.set_part(PartOfDay::new(16 * 60, 19 * 60).unwrap());
        let end = |half_hour: i64| MeterTime::from_millis(half_hour * HALF_HOUR);
        for (half_hour, watts) in [(32, 9000), (33, 1000), (38, 3000), (39, 8000)] {
            window.see(Peak { watts, at: end(half_hour) }, HALF_HOUR);
        }
        assert_eq!(window.peak(), Some(Peak { watts: 3000, at: end(38) }));
        window.see(Peak { watts: 5000, at: end(33) }, 2 * HALF_HOUR);
        assert_eq!(window.peak().map(|peak| peak.watts), Some(3000), "it began before the part does");
        window.reset();
        assert_eq!(window.peak(), None);
    }

    proptest! {
        #[test]
        fn every_half_hour_of_a_day_is_in_the_part_or_outside(from in 0u16..48, to in 0u16..=48, half_hour in 0i64..20_000) {
            let Some(part) = PartOfDay::new(from * 30, to * 30) else { return Ok(()) };
            let to = if to == 0 { 48 } else { to };
            let inside = (i64::from(from)..i64::from(to)).contains(&half_hour.rem_euclid(48));
            let end = MeterTime::from_millis((half_hour + 1) * HALF_HOUR);
            prop_assert_eq!(part.holds(end, HALF_HOUR), inside);
        }
    }
}
