//! Dates with parts left open and times of day, between a request and the octets of a calendar (IEC 62056-6-2, 4.1.6.1).

use jiff::civil::Time;
use proto_dlms::data::Data;
use proto_duis::body::{
    DayOfMonth, DayOfWeek, GasRecurringDate, Month, MonthDay, RecurringDate, TimeOfDay, Year,
};

use super::super::refusal::Refusal;

/// Any, the last day of a month, and the one before it.
const ANY: u8 = 0xff;
const LAST: u8 = 0xfe;
const SECOND_LAST: u8 = 0xfd;

/// Year, month, day and day of the week.
pub(super) fn octets(date: RecurringDate) -> [u8; 5] {
    let [high, low] = date.year.map_or(u16::MAX, Year::get).to_be_bytes();
    let day = match date.day {
        MonthDay::Any => ANY,
        MonthDay::Specified(day) => day.get(),
        MonthDay::Last => LAST,
        MonthDay::SecondLast => SECOND_LAST,
    };
    [high, low, date.month.map_or(ANY, Month::get), day, date.day_of_week.map_or(ANY, DayOfWeek::get)]
}

/// The date of these octets; none where DUIS cannot say it.
pub(super) fn date(octets: &[u8]) -> Option<RecurringDate> {
    let [high, low, month, day, weekday, ..] = *octets else { return None };
    let year = match u16::from_be_bytes([high, low]) {
        u16::MAX => None,
        year => Some(Year::new(year)?),
    };
    let open = |octet: u8| (octet != ANY).then_some(octet);
    let day = match day {
        ANY => MonthDay::Any,
        LAST => MonthDay::Last,
        SECOND_LAST => MonthDay::SecondLast,
        day => MonthDay::Specified(DayOfMonth::new(day)?),
    };
    let month = open(month).map(|month| Month::new(month).ok_or(())).transpose().ok()?;
    let day_of_week = open(weekday).map(|weekday| DayOfWeek::new(weekday).ok_or(())).transpose().ok()?;
    Some(RecurringDate { year, month, day, day_of_week })
}

pub(super) fn of_gas(date: GasRecurringDate) -> RecurringDate {
    let GasRecurringDate { year, month, day, day_of_week } = date;
    RecurringDate { year, month, day: day.map_or(MonthDay::Any, MonthDay::Specified), day_of_week }
}

/// The same for gas; none where its calendars cannot say it.
pub(super) fn gas(date: RecurringDate) -> Option<GasRecurringDate> {
    let RecurringDate { year, month, day, day_of_week } = date;
    let day = match day {
        MonthDay::Any => None,
        MonthDay::Specified(day) => Some(day),
        MonthDay::Last | MonthDay::SecondLast => return None,
    };
    Some(GasRecurringDate { year, month, day, day_of_week })
}

/// When a season begins, as a date and time with the time left open. A season begins on a day of the year: one that left
/// the month open would begin in each, and one on a day of the week is none a meter's calendar has.
pub(super) fn season_start(date: RecurringDate) -> Result<Data, Refusal> {
    let always = date.month.is_none() && date.day == MonthDay::Any;
    let day_of_year = date.month.is_some() && date.day != MonthDay::Any;
    if date.day_of_week.is_some() || !(always || day_of_year) {
        let words = "a season begins on a day of a month, any day of the week, or with everything left open";
        return Err(Refusal::NotExpressible(words.to_owned()));
    }
    let mut start = octets(date).to_vec();
    start.extend([0xff, 0xff, 0xff, 0xff, 0x80, 0, 0xff]);
    Ok(Data::Octets(start))
}

/// A time of day as its octets. The meter switches at full minutes, UTC.
pub(super) fn time_octets(time: TimeOfDay) -> Result<Data, Refusal> {
    let time = time.time();
    if time.second() != 0 || time.subsec_nanosecond() != 0 {
        let words = format!("{time}: the meter's calendars have full minutes");
        return Err(Refusal::NotExpressible(words));
    }
    let part = |part: i8| part.unsigned_abs();
    Ok(Data::Octets(vec![part(time.hour()), part(time.minute()), 0, 0]))
}

/// The time of day of its octets; what is left open is nought.
pub(super) fn time(data: &Data) -> Option<TimeOfDay> {
    let [hour, minute, ..] = *data.as_octets()? else { return None };
    let part = |part: u8| if part == ANY { Some(0) } else { i8::try_from(part).ok() };
    Some(TimeOfDay::utc(Time::new(part(hour)?, part(minute)?, 0, 0).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_days_of_a_month_are_told_from_numbered_ones() {
        let last =
            RecurringDate { year: None, month: Month::new(12), day: MonthDay::SecondLast, day_of_week: None };
        assert_eq!(octets(last), [0xff, 0xff, 12, 0xfd, 0xff]);
        assert!(season_start(last).is_ok() && gas(last).is_none());
        let mondays = RecurringDate { day_of_week: DayOfWeek::new(1), ..last };
        assert!(season_start(mondays).is_err());
        assert!(season_start(RecurringDate { month: None, ..last }).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_date_that_has_them_or_none(found: [u8; 5]) {
            if let Some(date) = date(&found) {
                prop_assert_eq!(octets(date), found);
                prop_assert_eq!(gas(date).map(of_gas), gas(date).map(|_| date));
            }
        }
    }
}
