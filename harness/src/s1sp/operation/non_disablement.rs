//! The non-disablement calendar of 2.1 and 4.13: when the supply is not disabled for want of credit. Meters keep it as an
//! activity calendar (class 20) whose scripts are 1, disabled as usual, and 2, not to be disabled.
//!
//! An electricity meter is asked in lines: from this time on these days, start or stop. What a line began goes on until
//! another ends it, over midnight and over the week; the calendar has a day profile for each weekday that says so from its
//! first minute on. The dates from which and to which the lines hold are its seasons.

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::body::{
    DayName, DayOfMonth, ElectricityNonDisablementCalendar, GasNonDisablementAction,
    GasNonDisablementCalendar, GasNonDisablementDayName, GasNonDisablementDayProfile,
    GasNonDisablementDayProfiles, GasNonDisablementSpecialDay, GasNonDisablementSpecialDays,
    GasNonDisablementWeekProfile, GasNonDisablementWeekProfiles, GasWeekName, Month, MonthDay,
    NonDisablement as Action, NonDisablementSchedule, RecurringDate, Several, Year,
};
use proto_duis::mmc::build::{Fuel, NonDisablement, NonDisablementAction, Weekday};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::dates::{self, octets, of_gas, season_start, time_octets};
use super::switching::{Held, HeldDay, HeldSeason, by_index, gas_seasons};
use super::tariff::{action, name, season, special_day, week};
use crate::driver::cosem;

/// Scripts of the calendar: disabled as usual, and not to be disabled.
const AS_USUAL: u16 = 1;
const NOT_TO_BE_DISABLED: u16 = 2;
/// Attributes that hold a calendar ready.
const PASSIVE_SEASONS: i8 = 7;
const PASSIVE_WEEKS: i8 = 8;
const PASSIVE_DAYS: i8 = 9;
/// Where the special days are, beside the calendar: no function of a Device Model names them.
const WEEKDAYS: [DayName; 7] = [
    DayName::Monday,
    DayName::Tuesday,
    DayName::Wednesday,
    DayName::Thursday,
    DayName::Friday,
    DayName::Saturday,
    DayName::Sunday,
];
const SHOWN: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A calendar as the meter is told of it.
#[derive(Debug)]
pub(super) struct Calendar {
    seasons: Data,
    weeks: Data,
    days: Data,
    special_days: Data,
}

/// Holds a calendar ready.
pub(super) async fn hold(desk: &mut Desk, calendar: Calendar) -> Result<(), Refusal> {
    let object = desk.object(Function::NonDisablementCalendar)?;
    let special = desk.object(Function::NonDisablementSpecialDaysPassive)?;
    let parts =
        [(PASSIVE_SEASONS, calendar.seasons), (PASSIVE_WEEKS, calendar.weeks), (PASSIVE_DAYS, calendar.days)];
    for (attribute, part) in parts {
        desk.set(cosem::numbered(&object, attribute), part).await?;
    }
    desk.set(cosem::attribute(&special), calendar.special_days).await
}

fn refused<T>(words: &str) -> Result<T, Refusal> {
    Err(Refusal::NotExpressible(words.to_owned()))
}

/// A line with its times in minutes: on which weekdays, when, and what.
struct Line {
    days: [bool; 7],
    minute: i16,
    script: u16,
}

impl Line {
    fn of(line: &NonDisablementSchedule) -> Result<Line, Refusal> {
        if !line.special_days.days.as_slice().is_empty() {
            return refused("the Device Model's non-disablement calendar has no special days by number");
        }
        // Only full minutes pass.
        time_octets(line.when.time)?;
        let time = line.when.time.time();
        let applies = line.days_of_week.days.as_slice();
        Ok(Line {
            days: WEEKDAYS.map(|day| applies.iter().any(|applies| applies.id == day)),
            minute: i16::from(time.hour()) * 60 + i16::from(time.minute()),
            script: match line.action {
                Action::Start => NOT_TO_BE_DISABLED,
                Action::Stop => AS_USUAL,
            },
        })
    }
}

/// The switchings of each weekday, each from midnight on.
type Week = [Vec<(i16, u16)>; 7];

/// What the lines come to in a week that was like this before.
fn of_week(lines: &[Line]) -> Result<Week, Refusal> {
    let mut state = AS_USUAL;
    let mut week: Week = Default::default();
    // Twice through, so that Monday begins as Sunday ended.
    for weekday in (0..7).chain(0..7) {
        let mut switchings = vec![(0, state)];
        let mut of_day: Vec<&Line> = lines.iter().filter(|line| line.days[weekday]).collect();
        of_day.sort_by_key(|line| line.minute);
        if of_day.windows(2).any(|pair| pair[0].minute == pair[1].minute && pair[0].script != pair[1].script)
        {
            return refused("two lines start and stop at the same time");
        }
        for line in of_day {
            switchings.retain(|(minute, _)| *minute != line.minute);
            if switchings.last().is_none_or(|(_, script)| *script != line.script) {
                switchings.push((line.minute, line.script));
            }
            state = line.script;
        }
        week[weekday] = switchings;
    }
    Ok(week)
}

/// The lines of an electricity meter as a calendar: a season in which they hold, after one in which nothing does.
pub(super) fn electricity(asked: &ElectricityNonDisablementCalendar) -> Result<Calendar, Refusal> {
    let lines = asked.schedules.as_slice();
    let Some(first) = lines.first() else { return refused("a calendar has one line at least") };
    let (start, end) = (first.when.start.date(), first.when.end.date());
    if lines.iter().any(|line| (line.when.start.date(), line.when.end.date()) != (start, end)) {
        return refused("the meter's calendar holds one span of dates: every line has to have the same");
    }
    if !asked.special_days.days.as_slice().is_empty() {
        return refused("the Device Model's non-disablement calendar has no special days by number");
    }
    let Some(after) = end.checked_add(1.day()).ok().filter(|after| *after > start) else {
        return refused("the lines end before they begin");
    };
    let lines: Vec<Line> = lines.iter().map(Line::of).collect::<Result<_, _>>()?;
    let week = of_week(&lines)?;
    let days = std::iter::once(vec![(0, AS_USUAL)]).chain(week).zip(1..);
    let days = days.map(|(switchings, id): (_, u8)| profile(id, &switchings));
    Ok(Calendar {
        seasons: Data::Array(vec![
            begins(1, Date::constant(2014, 1, 1), 1)?,
            begins(2, start, 2)?,
            begins(3, after, 1)?,
        ]),
        weeks: Data::Array(vec![week_of(1, [1; 7]), week_of(2, [2, 3, 4, 5, 6, 7, 8])]),
        days: Data::Array(days.collect()),
        special_days: Data::Array(Vec::new()),
    })
}

fn begins(number: u8, date: Date, week: u8) -> Result<Data, Refusal> {
    let part = |part: i8| part.unsigned_abs();
    let Some(year) = u16::try_from(date.year()).ok().and_then(Year::new) else {
        return refused("a calendar begins in 2014 at the earliest");
    };
    let day = DayOfMonth::new(part(date.day())).map_or(MonthDay::Any, MonthDay::Specified);
    let month = Month::new(part(date.month()));
    let date = RecurringDate { year: Some(year), month, day, day_of_week: None };
    Ok(season(name(number), season_start(date)?, week))
}

fn week_of(number: u8, days: [u8; 7]) -> Data {
    Data::Structure(std::iter::once(name(number)).chain(days.map(Data::U8)).collect())
}

fn profile(id: u8, switchings: &[(i16, u16)]) -> Data {
    let part = |minutes: i16| u8::try_from(minutes).unwrap_or_default();
    let actions = switchings.iter().map(|(minute, script)| {
        action(Data::Octets(vec![part(minute / 60), part(minute % 60), 0, 0]), *script)
    });
    Data::Structure(vec![Data::U8(id), Data::Array(actions.collect())])
}

/// The calendar of a gas meter, which is asked for as the meter keeps it.
pub(super) fn gas(asked: &GasNonDisablementCalendar) -> Result<Calendar, Refusal> {
    let script = |action: Action| if action == Action::Start { NOT_TO_BE_DISABLED } else { AS_USUAL };
    let day = |day: &GasNonDisablementDayProfile| {
        let actions = day.actions.as_slice().iter();
        let actions = actions.map(|part| Ok(action(time_octets(part.start)?, script(part.action))));
        let actions = actions.collect::<Result<_, Refusal>>()?;
        Ok(Data::Structure(vec![Data::U8(day.name.get()), Data::Array(actions)]))
    };
    let seasons = asked.seasons.seasons.as_slice().iter().zip(1..);
    let seasons =
        seasons.map(|(of, number)| Ok(season(name(number), season_start(of_gas(of.start))?, of.week.get())));
    let weeks = asked.weeks.profiles.as_slice().iter();
    let weeks = weeks.map(|of| week(of.name.get(), of.days.as_slice(), |day| day.get()));
    let special = asked.special_days.days.as_slice().iter().zip(1..);
    let special = special.map(|(day, index)| special_day(index, octets(of_gas(day.date)), day.day.get()));
    Ok(Calendar {
        seasons: Data::Array(seasons.collect::<Result<_, Refusal>>()?),
        weeks: Data::Array(weeks.collect::<Result<_, Refusal>>()?),
        days: Data::Array(asked.days.profiles.as_slice().iter().map(day).collect::<Result<_, Refusal>>()?),
        special_days: Data::Array(special.collect()),
    })
}

/// A calendar as 4.13 shows it.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) electricity: Vec<NonDisablement>,
    pub(super) gas: Option<GasNonDisablementCalendar>,
}

/// The calendar in force; nothing where the Device Model names no object for it.
pub(super) async fn read(desk: &mut Desk, fuel: Fuel) -> Result<Shown, Refusal> {
    let functions = [Function::NonDisablementCalendar, Function::NonDisablementSpecialDays];
    if functions.iter().any(|function| desk.object(*function).is_err()) {
        return Ok(Shown::default());
    }
    let held = Held::read(desk, functions).await?;
    let shown = match fuel {
        Fuel::Electricity => lines(&held).map(|electricity| Shown { electricity, gas: None }),
        Fuel::Gas => gas_shown(&held).map(|gas| Shown { electricity: Vec::new(), gas: Some(gas) }),
    };
    let words = || "the meter's non-disablement calendar has what 4.13 has no place for".to_owned();
    shown.ok_or_else(|| Refusal::NotExpressible(words()))
}

/// A line for each switching of each weekday of each season in which something is not to be disabled.
fn lines(held: &Held) -> Option<Vec<NonDisablement>> {
    let mut lines: Vec<NonDisablement> = Vec::new();
    for (place, season) in held.seasons.iter().enumerate() {
        let week = held.weeks.get(usize::from(season.week).checked_sub(1)?)?;
        let days: Vec<&HeldDay> =
            week.iter().map(|id| held.days.iter().find(|day| day.id == *id)).collect::<Option<_>>()?;
        if days.iter().all(|day| day.actions.iter().all(|(_, script)| *script == AS_USUAL)) {
            continue;
        }
        let dates = date_of(season).zip(held.seasons.get(place + 1).and_then(day_before));
        for (day, weekday) in days.iter().zip(SHOWN) {
            // What a day begins with that the day before ended with is no switching.
            for (start, script) in day.actions.iter().filter(|(start, _)| start.time() != Time::midnight()) {
                lines.push(line(*script, weekday, start.time(), dates.map(|(start, end)| [start, end])));
            }
            lines.extend(begun(day, &days, weekday, dates.map(|(start, end)| [start, end])));
        }
    }
    Some(lines)
}

/// The line of a day that begins otherwise than the day before it ended.
fn begun(
    day: &HeldDay,
    week: &[&HeldDay],
    weekday: Weekday,
    dates: Option<[Date; 2]>,
) -> Option<NonDisablement> {
    let place = SHOWN.iter().position(|shown| *shown == weekday)?;
    let before = week.get((place + 6) % 7)?.actions.last()?.1;
    let (start, script) = *day.actions.first()?;
    let differs = start.time() == Time::midnight() && script != before;
    differs.then(|| line(script, weekday, Time::midnight(), dates))
}

fn line(script: u16, weekday: Weekday, time: Time, dates: Option<[Date; 2]>) -> NonDisablement {
    let action = if script == AS_USUAL { NonDisablementAction::Stop } else { NonDisablementAction::Start };
    NonDisablement { action, days: vec![weekday], time, dates }
}

fn date_of(season: &HeldSeason) -> Option<Date> {
    let RecurringDate { year, month, day: MonthDay::Specified(day), .. } = season.start else { return None };
    let part = |part: u8| i8::try_from(part).ok();
    Date::new(i16::try_from(year?.get()).ok()?, part(month?.get())?, part(day.get())?).ok()
}

fn day_before(season: &HeldSeason) -> Option<Date> {
    date_of(season)?.checked_sub(1.day()).ok()
}

fn gas_shown(held: &Held) -> Option<GasNonDisablementCalendar> {
    let action = |(start, script): &(_, u16)| {
        let action = if *script == AS_USUAL { Action::Stop } else { Action::Start };
        GasNonDisablementAction { start: *start, action }
    };
    let day = |day: &HeldDay| {
        let actions = Several::new(day.actions.iter().map(action).collect()).ok()?;
        Some(GasNonDisablementDayProfile { actions, name: GasNonDisablementDayName::new(day.id)? })
    };
    let week = |(days, number): (&[u8; 7], u8)| {
        let (name, days) = (GasWeekName::new(number)?, by_index(*days, GasNonDisablementDayName::new)?);
        Some(GasNonDisablementWeekProfile { name, days })
    };
    let special = |(date, day): &(RecurringDate, u8)| {
        Some(GasNonDisablementSpecialDay {
            date: dates::gas(*date)?,
            day: GasNonDisablementDayName::new(*day)?,
        })
    };
    let days = held.days.iter().map(day).collect::<Option<_>>()?;
    let weeks = held.weeks.iter().zip(1..).map(week).collect::<Option<_>>()?;
    let special = held.special_days.iter().map(special).collect::<Option<_>>()?;
    Some(GasNonDisablementCalendar {
        days: GasNonDisablementDayProfiles { profiles: Several::new(days).ok()? },
        weeks: GasNonDisablementWeekProfiles { profiles: Several::new(weeks).ok()? },
        seasons: gas_seasons(&held.seasons)?,
        special_days: GasNonDisablementSpecialDays { days: Several::new(special).ok()? },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(days: &[usize], minute: i16, script: u16) -> Line {
        let mut on = [false; 7];
        days.iter().for_each(|day| on[*day] = true);
        Line { days: on, minute, script }
    }

    #[test]
    fn what_a_line_began_goes_on_over_midnight_until_another_ends_it() {
        let lines = [line(&[4], 16 * 60, NOT_TO_BE_DISABLED), line(&[0], 10 * 60, AS_USUAL)];
        let week = of_week(&lines).unwrap();
        assert_eq!(week[0], [(0, NOT_TO_BE_DISABLED), (600, AS_USUAL)]);
        assert_eq!(week[1], [(0, AS_USUAL)]);
        assert_eq!(week[4], [(0, AS_USUAL), (960, NOT_TO_BE_DISABLED)]);
        assert_eq!(week[6], [(0, NOT_TO_BE_DISABLED)]);
        let both = [line(&[1], 5, AS_USUAL), line(&[1], 5, NOT_TO_BE_DISABLED)];
        assert!(of_week(&both).is_err());
    }

    proptest! {
        /// At any minute of the week the profiles say what the last line before it said.
        #[test]
        fn a_week_is_what_its_lines_say(
            lines in prop::collection::vec((0usize..7, 0i16..1440, 1u16..=2), 1..22), weekday in 0usize..7, minute in 0i16..1440,
        ) {
            let lines: Vec<Line> = lines.iter().map(|(day, minute, script)| line(&[*day], *minute, *script)).collect();
            if let Ok(week) = of_week(&lines) {
                let ago = |line: &Line| {
                    let day = line.days.iter().position(|on| *on).unwrap();
                    let days = i32::try_from((weekday + 7 - day) % 7).unwrap();
                    (days * 1440 + i32::from(minute) - i32::from(line.minute)).rem_euclid(7 * 1440)
                };
                let expected = lines.iter().min_by_key(|line| ago(line)).unwrap().script;
                let said = week[weekday].iter().rev().find(|(from, _)| *from <= minute).unwrap().1;
                prop_assert_eq!(said, expected);
            }
        }
    }
}
