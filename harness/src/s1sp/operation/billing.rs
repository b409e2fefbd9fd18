//! 6.8 and 6.2.3: when billing periods begin. An electricity meter has dates and a time of day (class 22), a gas meter the
//! first period and how long each is.

use jiff::Timestamp;
use lab_config::Function;
use proto_dlms::data::{Data, DateTime};
use proto_duis::body::{
    BillingCalendar, BillingDay, BillingPeriod, BillingStart, DayOfMonth, ElectricityBillingCalendar,
    GasBillingCalendar, Month, MonthDay, Periodicity, Present, RecurringDate,
};
use proto_duis::mmc::build::{self, Fuel};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::dates;
use crate::driver::{cosem, values};

const MONTHS: u8 = 12;
const PERIODICITIES: [Periodicity; 6] = [
    Periodicity::Daily,
    Periodicity::Weekly,
    Periodicity::Monthly,
    Periodicity::Quarterly,
    Periodicity::SixMonthly,
    Periodicity::Yearly,
];

/// 6.8.
pub(super) async fn update(desk: &mut Desk, calendar: &BillingCalendar) -> Result<MmcBody, Refusal> {
    let fuel = Fuel::of(desk.device.kind);
    let (function, value) = match calendar {
        BillingCalendar::Electricity(calendar) if fuel == Fuel::Electricity => {
            (Function::BillingSchedule, schedule(calendar)?)
        }
        BillingCalendar::Gas(calendar) if fuel == Fuel::Gas => (Function::BillingPeriods, periods(calendar)),
        _ => return Err(Refusal::NotExpressible("the billing calendar is of the other fuel".into())),
    };
    let object = desk.object(function)?;
    desk.set(cosem::attribute(&object), value).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationBillingCalendar)?)
}

/// 6.2.3.
pub(super) async fn read(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let function = match fuel {
        Fuel::Electricity => Function::BillingSchedule,
        Fuel::Gas => Function::BillingPeriods,
    };
    let data = desk.read(function).await?;
    let calendar = match fuel {
        Fuel::Electricity => calendar_of(&data).map(BillingCalendar::Electricity),
        Fuel::Gas => gas_calendar_of(&data, desk).map(BillingCalendar::Gas),
    };
    Ok(build::billing_calendar(&calendar.ok_or_else(|| Refusal::value(function, &data))?)?)
}

/// An entry for each date in a year, all at the same time of day.
fn schedule(calendar: &ElectricityBillingCalendar) -> Result<Data, Refusal> {
    let time = dates::time_octets(calendar.time)?;
    let entry =
        |date: RecurringDate| Data::Structure(vec![time.clone(), Data::Octets(dates::octets(date).to_vec())]);
    Ok(Data::Array(recurring(&calendar.period).into_iter().map(entry).collect()))
}

const EVERY_DAY: RecurringDate =
    RecurringDate { year: None, month: None, day: MonthDay::Any, day_of_week: None };

fn recurring(period: &BillingPeriod) -> Vec<RecurringDate> {
    let day = |day: BillingDay| DayOfMonth::new(day.get()).map_or(MonthDay::Any, MonthDay::Specified);
    match period {
        BillingPeriod::Daily(_) => vec![EVERY_DAY],
        BillingPeriod::Weekly(weekday) => vec![RecurringDate { day_of_week: Some(*weekday), ..EVERY_DAY }],
        BillingPeriod::Monthly(of) => vec![RecurringDate { day: day(*of), ..EVERY_DAY }],
        BillingPeriod::Quarterly(start) => every(start, 3),
        BillingPeriod::SixMonthly(start) => every(start, 6),
        BillingPeriod::Yearly(start) => every(start, MONTHS),
    }
}

/// A date every so many months, the first month first.
fn every(start: &BillingStart, months: u8) -> Vec<RecurringDate> {
    let day = DayOfMonth::new(start.day.get()).map_or(MonthDay::Any, MonthDay::Specified);
    let month = |n: u8| Month::new((start.month.get() - 1 + n * months) % MONTHS + 1);
    (0..MONTHS / months).map(|n| RecurringDate { month: month(n), day, ..EVERY_DAY }).collect()
}

/// The calendar of a schedule; none where 6.8 could not have made it.
fn calendar_of(schedule: &Data) -> Option<ElectricityBillingCalendar> {
    let entry = |entry: &Data| {
        let [time, date] = entry.elements()? else { return None };
        Some((dates::time(time)?, dates::date(date.as_octets()?)?))
    };
    let entries: Vec<_> = schedule.elements()?.iter().map(entry).collect::<Option<_>>()?;
    let (time, first) = *entries.first()?;
    let found: Vec<RecurringDate> = entries.iter().map(|(_, date)| *date).collect();
    let candidate = candidate(&first, found.len())?;
    let same_time = entries.iter().all(|(other, _)| *other == time);
    (same_time && recurring(&candidate) == found)
        .then_some(ElectricityBillingCalendar { time, period: candidate })
}

/// What the first of so many dates could belong to.
fn candidate(first: &RecurringDate, dates: usize) -> Option<BillingPeriod> {
    let day = match first.day {
        MonthDay::Specified(day) => BillingDay::new(day.get()),
        _ => None,
    };
    let start = || Some(BillingStart { day: day?, month: first.month? });
    match (dates, first.month, day, first.day_of_week) {
        (1, None, None, None) => Some(BillingPeriod::Daily(Present)),
        (1, None, None, Some(weekday)) => Some(BillingPeriod::Weekly(weekday)),
        (1, None, Some(day), None) => Some(BillingPeriod::Monthly(day)),
        (1, Some(_), _, None) => start().map(BillingPeriod::Yearly),
        (2, ..) => start().map(BillingPeriod::SixMonthly),
        (4, ..) => start().map(BillingPeriod::Quarterly),
        _ => None,
    }
}

fn periods(calendar: &GasBillingCalendar) -> Data {
    let start = DateTime::from_unix(calendar.start.as_second(), 0).to_octets().to_vec();
    let number = PERIODICITIES.iter().position(|known| *known == calendar.periodicity).unwrap_or_default();
    let number = Data::Enum(u8::try_from(number).unwrap_or_default());
    Data::Structure(vec![Data::Octets(start), number])
}

fn gas_calendar_of(data: &Data, desk: &Desk) -> Option<GasBillingCalendar> {
    let [start, number] = data.elements()? else { return None };
    let start: Timestamp = values::utc(start.as_date_time()?, desk.sign())?;
    let periodicity = *PERIODICITIES.get(usize::try_from(number.as_i128()?).ok()?)?;
    Some(GasBillingCalendar { start, periodicity })
}

#[cfg(test)]
mod tests {
    use jiff::civil::Time;
    use proptest::prelude::*;
    use proto_duis::body::{DayOfWeek, TimeOfDay};

    use super::*;

    fn any_period() -> impl Strategy<Value = BillingPeriod> {
        let day = (1u8..=28).prop_map(|day| BillingDay::new(day).unwrap());
        let start = (day.clone(), 1u8..=12)
            .prop_map(|(day, month)| BillingStart { day, month: Month::new(month).unwrap() });
        prop_oneof![
            Just(BillingPeriod::Daily(Present)),
            (1u8..=7).prop_map(|day| BillingPeriod::Weekly(DayOfWeek::new(day).unwrap())),
            day.prop_map(BillingPeriod::Monthly),
            start.clone().prop_map(BillingPeriod::Quarterly),
            start.clone().prop_map(BillingPeriod::SixMonthly),
            start.prop_map(BillingPeriod::Yearly),
        ]
    }

    proptest! {
        #[test]
        fn a_calendar_is_read_as_it_was_written(period in any_period(), minute in 0i64..1440) {
            let time = Time::midnight() + jiff::SignedDuration::from_mins(minute);
            let calendar = ElectricityBillingCalendar { time: TimeOfDay::utc(time), period };
            prop_assert_eq!(calendar_of(&schedule(&calendar).unwrap()), Some(calendar));
        }
    }

    #[test]
    fn a_schedule_that_is_no_billing_calendar_is_not_taken_for_one() {
        let dates = |dates: &[[u8; 5]]| {
            let entry =
                |date: &[u8; 5]| Data::Structure(vec![Data::Octets(vec![0; 4]), Data::Octets(date.to_vec())]);
            Data::Array(dates.iter().map(entry).collect())
        };
        assert!(calendar_of(&dates(&[[0xff, 0xff, 1, 1, 0xff], [0xff, 0xff, 7, 1, 0xff]])).is_some());
        assert!(calendar_of(&dates(&[[0xff, 0xff, 1, 1, 0xff], [0xff, 0xff, 8, 1, 0xff]])).is_none());
        assert!(calendar_of(&dates(&[[0xff, 0xff, 0xff, 0xfe, 0xff]])).is_none());
        assert!(calendar_of(&dates(&[])).is_none());
    }
}
