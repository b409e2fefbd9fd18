//! The two times of a simulated installation: the world's, and what a device's own clock shows.

use jiff::Timestamp;

/// One minute in milliseconds.
pub const MINUTE: i64 = 60_000;
/// Half an hour in milliseconds: the period of every profile.
pub const HALF_HOUR: i64 = 30 * MINUTE;
/// One day in milliseconds.
pub const DAY: i64 = 48 * HALF_HOUR;

/// True time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

/// What a device's clock shows, in UTC: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeterTime(i64);

impl Moment {
    /// The moment that many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment so many milliseconds later (earlier, when negative).
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; negative when it is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Number of the true minute this moment lies in.
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(MINUTE)
    }
}

impl MeterTime {
    /// The time that many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time so many milliseconds later.
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The first multiple of `period` milliseconds after this time.
    pub const fn next(self, period: i64) -> Self {
        Self((self.0.div_euclid(period) + 1) * period)
    }

    /// Whether this time is a multiple of `period` milliseconds.
    pub const fn is_at(self, period: i64) -> bool {
        self.0.rem_euclid(period) == 0
    }

    /// Minute of the UTC day, 0 to 1439.
    pub fn minute_of_day(self) -> u16 {
        u16::try_from(self.0.rem_euclid(DAY) / MINUTE).unwrap_or_default()
    }

    /// The same as a calendar timestamp; the ends of the calendar where it lies beyond them.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl From<Timestamp> for MeterTime {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}
