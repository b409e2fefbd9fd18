//! COSEM dates and times (IEC 62056-6-2, 4.1.6).
//!
//! Every field may be "not specified", and meters send dates that never were. So the types here hold whatever
//! the meter sent, octet for octet, and only [`DateTime::to_unix`] judges whether it is a moment.

use std::fmt;

/// `date`: 5 octets. FF (FFFF for the year) means not specified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year, FFFF when not specified.
    pub year: u16,
    /// Month 1 to 12; FD and FE stand for the end and start of daylight saving.
    pub month: u8,
    /// Day of the month 1 to 31; FE is the last day, FD the last but one.
    pub day: u8,
    /// Day of the week, Monday 1 to Sunday 7.
    pub weekday: u8,
}

/// `time`: 4 octets. FF means not specified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Hundredths of a second, 0 to 99.
    pub hundredths: u8,
}

/// `date-time`: 12 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// The date.
    pub date: Date,
    /// The local time of day.
    pub time: Time,
    /// Minutes to add to local time to get UTC; -60 in British Summer Time; [`DateTime::NO_DEVIATION`] when not
    /// specified. Some meters invert the sign: see [`DeviationSign`].
    pub deviation: i16,
    /// Clock status: 01 invalid, 02 doubtful, 04 different base, 08 invalid status, 80 daylight saving.
    pub status: u8,
}

/// Which way round a meter writes the deviation of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviationSign {
    /// As the standard has it: minutes to add to local time to get UTC.
    #[default]
    Standard,
    /// The other way round, as several meters do.
    Inverted,
}

impl Date {
    /// The date in its 5 octets, whatever they say.
    pub fn from_octets(octets: [u8; 5]) -> Self {
        let [year_high, year_low, month, day, weekday] = octets;
        Self { year: u16::from_be_bytes([year_high, year_low]), month, day, weekday }
    }

    /// The 5 octets.
    pub fn to_octets(self) -> [u8; 5] {
        let [high, low] = self.year.to_be_bytes();
        [high, low, self.month, self.day, self.weekday]
    }
}

impl Time {
    /// The time in its 4 octets, whatever they say.
    pub fn from_octets(octets: [u8; 4]) -> Self {
        let [hour, minute, second, hundredths] = octets;
        Self { hour, minute, second, hundredths }
    }

    /// The 4 octets.
    pub fn to_octets(self) -> [u8; 4] {
        [self.hour, self.minute, self.second, self.hundredths]
    }
}

impl DateTime {
    /// The deviation that says "not specified".
    pub const NO_DEVIATION: i16 = i16::MIN;
    /// The status bit for daylight saving being in force.
    pub const DAYLIGHT_SAVING: u8 = 0x80;
    /// The status bit for a clock that does not know the time.
    pub const INVALID: u8 = 0x01;

    /// The date and time in its 12 octets, whatever they say.
    pub fn from_octets(octets: [u8; 12]) -> Self {
        let [d0, d1, d2, d3, d4, t0, t1, t2, t3, high, low, status] = octets;
        Self {
            date: Date::from_octets([d0, d1, d2, d3, d4]),
            time: Time::from_octets([t0, t1, t2, t3]),
            deviation: i16::from_be_bytes([high, low]),
            status,
        }
    }

    /// The 12 octets.
    pub fn to_octets(self) -> [u8; 12] {
        let mut octets = [0; 12];
        octets[..5].copy_from_slice(&self.date.to_octets());
        octets[5..9].copy_from_slice(&self.time.to_octets());
        octets[9..11].copy_from_slice(&self.deviation.to_be_bytes());
        octets[11] = self.status;
        octets
    }

    /// The moment `seconds` after 1970-01-01T00:00:00Z as a clock shows it that is `deviation` minutes short of
    /// UTC: 0 in winter, -60 in British Summer Time. The daylight saving bit is set when `deviation` is not 0.
    ///
    /// Years beyond 0 to 65534 come out as not specified.
    pub fn from_unix(seconds: i64, deviation: i16) -> Self {
        let local = seconds.saturating_sub(i64::from(deviation) * 60);
        let (year, month, day) = civil(local.div_euclid(86_400));
        let of_day = local.rem_euclid(86_400);
        let part = |value: i64| u8::try_from(value).unwrap_or(u8::MAX);
        let weekday = part((local.div_euclid(86_400) + 3).rem_euclid(7) + 1);
        Self {
            date: Date {
                year: u16::try_from(year).unwrap_or(u16::MAX),
                month: part(month),
                day: part(day),
                weekday,
            },
            time: Time {
                hour: part(of_day / 3600),
                minute: part(of_day / 60 % 60),
                second: part(of_day % 60),
                hundredths: 0,
            },
            deviation,
            status: if deviation == 0 { 0 } else { Self::DAYLIGHT_SAVING },
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z; `None` unless year to minute are a real moment.
    ///
    /// Seconds not specified count as 0. A deviation not specified, or beyond the 720 minutes the standard
    /// allows, counts as 0 too: the clock is then taken to show UTC.
    pub fn to_unix(self, sign: DeviationSign) -> Option<i64> {
        let days = self.date.days()?;
        let Time { hour, minute, second, .. } = self.time;
        let second = if second == u8::MAX { 0 } else { second };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let local = days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some(local + self.minutes_to_utc(sign) * 60)
    }

    fn minutes_to_utc(self, sign: DeviationSign) -> i64 {
        match (self.deviation, sign) {
            (-720..=720, DeviationSign::Standard) => i64::from(self.deviation),
            (-720..=720, DeviationSign::Inverted) => -i64::from(self.deviation),
            _ => 0,
        }
    }
}

impl Date {
    /// Days since 1970-01-01; `None` for a date not fully specified or that never was.
    fn days(self) -> Option<i64> {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        if self.year == u16::MAX || !(1..=12).contains(&month) || day < 1 {
            return None;
        }
        let days = days_from_civil(year, month, day);
        (civil(days) == (year, month, day)).then_some(days)
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date. Years are counted from March, so that the leap day comes
/// last, in eras of 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let year_of_era = year.rem_euclid(400);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

/// A field, or `*` where it is not specified.
struct Field<T>(T, T, usize);

impl<T: fmt::Display + PartialEq> fmt::Display for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == self.1 { f.write_str("*") } else { write!(f, "{:0width$}", self.0, width = self.2) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (month, day) = (Field(self.month, u8::MAX, 2), Field(self.day, u8::MAX, 2));
        write!(f, "{}-{month}-{day}", Field(self.year, u16::MAX, 4))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (Field(self.hour, u8::MAX, 2), Field(self.minute, u8::MAX, 2));
        write!(f, "{hour}:{minute}:{}", Field(self.second, u8::MAX, 2))
    }
}

impl fmt::Display for DateTime {
    /// As the meter shows it: local date and time, deviation and status, `*` for what is not specified.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deviation = Field(self.deviation, Self::NO_DEVIATION, 0);
        write!(f, "{}T{} deviation {deviation} status {:02X}", self.date, self.time, self.status)
    }
}
