//! When a schedule is due. Pure: the moment is an argument.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use proto_duis::{CreateSchedule, ScheduleFrequency};

/// When a schedule that names no time of day is due.
const USUAL_TIME: Time = Time::constant(0, 0, 0, 0);

/// The days a schedule is due, and at what time of them, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    frequency: ScheduleFrequency,
    start: Date,
    end: Option<Date>,
    time: Time,
}

/// One time a schedule is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// The day, from which the span of a log is counted.
    pub(super) day: Date,
    /// The moment.
    pub(super) at: Timestamp,
}

impl Calendar {
    /// The calendar that a Create Schedule asks for.
    pub(super) fn of(schedule: &CreateSchedule) -> Calendar {
        Calendar {
            frequency: schedule.frequency,
            start: schedule.start.date(),
            end: schedule.end.map(|end| end.date()),
            time: schedule.time.map_or(USUAL_TIME, |time| time.time()),
        }
    }

    /// The first time it is due after a moment; none when it has ended.
    pub(super) fn next_after(&self, moment: Timestamp) -> Option<Occurrence> {
        let mut n = self.at_most_before(moment);
        loop {
            let occurrence = self.nth(n)?;
            if occurrence.at > moment {
                return Some(occurrence).filter(|next| self.end.is_none_or(|end| next.day <= end));
            }
            n += 1;
        }
    }

    /// The number of an occurrence not after the moment, or 0, and at most a few before it.
    fn at_most_before(&self, moment: Timestamp) -> i64 {
        let day = moment.to_zoned(TimeZone::UTC).date();
        let days = i64::from(self.start.until(day).map_or(0, |span| span.get_days()));
        let years = i64::from(day.year()) - i64::from(self.start.year());
        let months = years * 12 + i64::from(day.month()) - i64::from(self.start.month());
        let passed = match self.frequency {
            ScheduleFrequency::Daily => days,
            ScheduleFrequency::Weekly => days / 7,
            ScheduleFrequency::Monthly => months,
            ScheduleFrequency::Quarterly => months / 3,
            ScheduleFrequency::HalfYearly => months / 6,
            ScheduleFrequency::Yearly => months / 12,
        };
        (passed - 1).max(0)
    }

    /// The occurrence of this number, from 0; none beyond the calendar. A month without the day has it on its last.
    fn nth(&self, n: i64) -> Option<Occurrence> {
        let span = match self.frequency {
            ScheduleFrequency::Daily => Span::new().try_days(n),
            ScheduleFrequency::Weekly => Span::new().try_weeks(n),
            ScheduleFrequency::Monthly => Span::new().try_months(n),
            ScheduleFrequency::Quarterly => Span::new().try_months(n.checked_mul(3)?),
            ScheduleFrequency::HalfYearly => Span::new().try_months(n.checked_mul(6)?),
            ScheduleFrequency::Yearly => Span::new().try_years(n),
        };
        let day = self.start.checked_add(span.ok()?).ok()?;
        let at = day.to_datetime(self.time).to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Occurrence { day, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn calendar(frequency: ScheduleFrequency, start: Date) -> Calendar {
        Calendar { frequency, start, end: None, time: Time::constant(9, 30, 0, 0) }
    }

    fn next(calendar: Calendar, after: &str) -> Option<String> {
        calendar.next_after(after.parse().unwrap()).map(|next| next.at.to_string())
    }

    #[test]
    fn a_month_without_the_day_has_it_on_its_last_and_the_next_has_it_again() {
        let monthly = calendar(ScheduleFrequency::Monthly, date(2027, 1, 31));
        assert_eq!(next(monthly, "2027-02-01T00:00:00Z").unwrap(), "2027-02-28T09:30:00Z");
        assert_eq!(next(monthly, "2027-02-28T09:30:00Z").unwrap(), "2027-03-31T09:30:00Z");
        let yearly = calendar(ScheduleFrequency::Yearly, date(2028, 2, 29));
        assert_eq!(next(yearly, "2028-03-01T00:00:00Z").unwrap(), "2029-02-28T09:30:00Z");
    }

    #[test]
    fn the_last_day_counts_and_none_after_it() {
        let end = Some(date(2027, 1, 3));
        let daily = Calendar { end, ..calendar(ScheduleFrequency::Daily, date(2027, 1, 1)) };
        assert_eq!(next(daily, "2026-06-01T00:00:00Z").unwrap(), "2027-01-01T09:30:00Z");
        assert_eq!(next(daily, "2027-01-02T09:30:00Z").unwrap(), "2027-01-03T09:30:00Z");
        assert_eq!(next(daily, "2027-01-03T09:30:00Z"), None);
        assert_eq!(next(calendar(ScheduleFrequency::Daily, Date::MAX), "9998-01-01T00:00:00Z"), None);
    }

    fn any_calendar() -> impl Strategy<Value = Calendar> {
        let frequency = proptest::sample::select(ScheduleFrequency::ALL);
        let day = (2000i16..2040, 1i8..=12, 1i8..=31).prop_map(|(year, month, day)| {
            let first = date(year, month, 1);
            date(year, month, day.min(first.last_of_month().day()))
        });
        let time = (0i8..24, 0i8..60, 0i8..60).prop_map(|(h, m, s)| Time::constant(h, m, s, 0));
        (frequency, day, proptest::option::of(0i32..5_000), time).prop_map(
            |(frequency, start, last, time)| {
                let end = last.map(|days| start.checked_add(Span::new().days(days)).unwrap());
                Calendar { frequency, start, end, time }
            },
        )
    }

    proptest! {
        /// Held against counting the occurrences one by one from the first.
        #[test]
        fn the_next_is_the_first_after_the_moment(calendar in any_calendar(), second in 946_000_000i64..2_500_000_000) {
            let moment = Timestamp::from_second(second).unwrap();
            let counted = (0..).map_while(|n| calendar.nth(n)).find(|occurrence| occurrence.at > moment);
            let expected = counted.filter(|next| calendar.end.is_none_or(|end| next.day <= end));
            prop_assert_eq!(calendar.next_after(moment), expected);
        }

        #[test]
        fn occurrences_are_apart_by_the_frequency(calendar in any_calendar(), n in 0i64..500) {
            let (one, other) = (calendar.nth(n).unwrap(), calendar.nth(n + 1).unwrap());
            let days = (other.at.as_second() - one.at.as_second()) / 86_400;
            let range = match calendar.frequency {
                ScheduleFrequency::Daily => 1..=1,
                ScheduleFrequency::Weekly => 7..=7,
                ScheduleFrequency::Monthly => 28..=31,
                ScheduleFrequency::Quarterly => 89..=92,
                ScheduleFrequency::HalfYearly => 181..=184,
                ScheduleFrequency::Yearly => 365..=366,
            };
            prop_assert!(range.contains(&days), "{} days", days);
        }
    }
}
