//! A device's clock: it is set, it drifts, it can be made to jump.

use jiff::tz::TimeZone;

use super::time::{MeterTime, Moment};

const MILLION: i128 = 1_000_000;

/// Daylight saving of Great Britain: forward at 01:00 UTC on the last Sunday of March, back on that of October.
const GREAT_BRITAIN: &str = "GMT0BST,M3.5.0/1,M10.5.0/2";

/// Drift no real crystal exceeds and no simulated one may, so that time always moves forward.
pub const LARGEST_DRIFT_PPM: i32 = 100_000;

/// A clock that showed `shown` at `set_at` and gains `drift_ppm` millionths since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceClock {
    set_at: Moment,
    shown: MeterTime,
    drift_ppm: i32,
}

impl DeviceClock {
    /// A clock that is right at `now` and keeps time.
    pub fn right(now: Moment) -> Self {
        Self { set_at: now, shown: MeterTime::from_millis(now.millis()), drift_ppm: 0 }
    }

    /// What it shows at `now`.
    pub fn shows(&self, now: Moment) -> MeterTime {
        let passed = i128::from(now.since(self.set_at));
        let gained = passed * (MILLION + i128::from(self.drift_ppm));
        self.shown.plus(narrow(gained.div_euclid(MILLION)))
    }

    /// The first moment at which it shows `time` or more.
    pub fn reaches(&self, time: MeterTime) -> Moment {
        let to_go = i128::from(time.millis()) - i128::from(self.shown.millis());
        let rate = MILLION + i128::from(self.drift_ppm);
        self.set_at.plus(narrow((to_go * MILLION + rate - 1).div_euclid(rate)))
    }

    /// Sets it; gives the milliseconds it was moved by.
    pub fn set(&mut self, now: Moment, to: MeterTime) -> i64 {
        let moved = to.millis().saturating_sub(self.shows(now).millis());
        (self.set_at, self.shown) = (now, to);
        moved
    }

    /// From `now` on it gains so many millionths (loses, when negative), at most [`LARGEST_DRIFT_PPM`].
    pub fn drift(&mut self, now: Moment, ppm: i32) {
        (self.shown, self.set_at) = (self.shows(now), now);
        self.drift_ppm = ppm.clamp(-LARGEST_DRIFT_PPM, LARGEST_DRIFT_PPM);
    }
}

/// Minutes local time in Great Britain is ahead of UTC: 60 in summer, 0 in winter.
pub fn minutes_ahead_of_utc(time: MeterTime) -> i16 {
    let Ok(zone) = TimeZone::posix(GREAT_BRITAIN) else { return 0 };
    i16::try_from(zone.to_offset(time.timestamp()).seconds() / 60).unwrap_or_default()
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn summer_time_begins_and_ends_on_the_last_sundays() {
        for (text, ahead) in [
            ("2026-03-29T00:59:59Z", 0),
            ("2026-03-29T01:00:00Z", 60),
            ("2026-10-25T00:59:59Z", 60),
            ("2026-10-25T01:00:00Z", 0),
        ] {
            let time = MeterTime::from(text.parse::<Timestamp>().unwrap());
            assert_eq!(minutes_ahead_of_utc(time), ahead, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_moment_it_reaches_a_time_is_the_first_that_shows_it(ppm in -100_000i32..=100_000, ahead in 0i64..9_000_000) {
            let start = Moment::from_millis(1_700_000_000_000);
            let mut clock = DeviceClock::right(start);
            clock.drift(start, ppm);
            let time = clock.shows(start).plus(ahead);
            let moment = clock.reaches(time);
            prop_assert!(clock.shows(moment) >= time);
            prop_assert!(clock.shows(moment.plus(-1)) < time);
        }
    }
}
