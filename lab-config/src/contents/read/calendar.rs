//! Calendars: read, and their parts held against each other.

use std::collections::BTreeSet;

use super::super::{Calendar, DayInYear, DayTable, Season, SpecialDay, Switch, Week};
use super::bounded;
use crate::document::{FileError, Item, Table};

/// Octets of a name on the wire.
const LONGEST_NAME: usize = 8;
/// Most switchings of a day, and most tariffs.
const MOST_SWITCHES: usize = 48;

pub(super) fn calendar(table: &mut Table<'_>) -> Result<Calendar, FileError> {
    let days = list(table, "days", 16, day)?;
    if days.is_empty() {
        return Err(table.error(
            "no days",
            "`days`: at least one",
            "add days = [{ id = 1, switch = [...] }]",
        ));
    }
    let ids: BTreeSet<u8> = days.iter().map(|day| day.id).collect();
    if ids.len() != days.len() {
        return Err(table.error("two days of one id", "days with an id each", "number them apart"));
    }
    let weeks = match list(table, "weeks", 12, |table| week(table, &ids))? {
        weeks if weeks.is_empty() => vec![the_only_week(table, &days)?],
        weeks => weeks,
    };
    let names: BTreeSet<&str> = weeks.iter().map(|week| week.name.as_str()).collect();
    let seasons = match list(table, "seasons", 12, |table| season(table, &names))? {
        seasons if seasons.is_empty() => vec![the_only_season(table, &weeks)?],
        seasons => seasons,
    };
    let distinct: BTreeSet<&str> = seasons.iter().map(|season| season.name.as_str()).collect();
    if names.len() != weeks.len() || distinct.len() != seasons.len() {
        return Err(table.error("two of one name", "weeks and seasons with a name each", "name them apart"));
    }
    let special_days = list(table, "special-days", 50, |table| special_day(table, &ids))?;
    let name = table.read("name", name)?.unwrap_or_else(|| "loaded".to_owned());
    Ok(Calendar { name, days, weeks, seasons, special_days })
}

fn list<T>(
    table: &mut Table<'_>,
    key: &'static str,
    most: usize,
    one: impl FnMut(&mut Table<'_>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    let Some(item) = table.optional(key) else { return Ok(Vec::new()) };
    let found = bounded(&item, key, one)?;
    match found.len() <= most {
        true => Ok(found),
        false => {
            Err(item.error(format!("{} {key}", found.len()), format!("at most {most}"), "leave some out"))
        }
    }
}

/// Without weeks there is one day, and every day is it.
fn the_only_week(table: &Table<'_>, days: &[DayTable]) -> Result<Week, FileError> {
    match days {
        [only] => Ok(Week { name: "1".to_owned(), days: [only.id; 7] }),
        several => Err(table.error(
            format!("{} days and no week", several.len()),
            "`weeks`, which say when each day is",
            "add weeks = [{ name = \"w\", days = [1, 1, 1, 1, 1, 2, 2] }]",
        )),
    }
}

/// Without seasons there is one week, all the year round.
fn the_only_season(table: &Table<'_>, weeks: &[Week]) -> Result<Season, FileError> {
    match weeks {
        [only] => {
            Ok(Season { name: "1".to_owned(), from: DayInYear { month: 1, day: 1 }, week: only.name.clone() })
        }
        several => Err(table.error(
            format!("{} weeks and no season", several.len()),
            "`seasons`, which say when each week is",
            "add seasons = [{ name = \"s\", from = \"01-01\", week = \"w\" }]",
        )),
    }
}

fn day(table: &mut Table<'_>) -> Result<DayTable, FileError> {
    let id = "the number of the day";
    let id = table.required("id", id)?.integer(1..=255, id)?;
    let item = table.required("switch", "what it switches when")?;
    let switches = bounded(&item, "switchings", switch)?;
    let starts = switches.first().is_some_and(|first| first.minute == 0);
    let rises = switches.is_sorted_by(|a, b| a.minute < b.minute);
    match starts && rises && switches.len() <= MOST_SWITCHES {
        true => Ok(DayTable { id, switches }),
        false => Err(item.error(
            format!("{} switchings that are no day", switches.len()),
            format!("1 to {MOST_SWITCHES} of them, the first at \"00:00\", each later than the one before"),
            "order them, and say what counts from midnight on",
        )),
    }
}

fn switch(table: &mut Table<'_>) -> Result<Switch, FileError> {
    let [at, tariff] = ["a time of day in UTC, such as \"07:30\"", "the tariff that counts from then on"];
    let item = table.required("at", at)?;
    Ok(Switch {
        minute: pair(&item, ':', at)
            .and_then(|(hour, minute)| {
                (hour < 24 && minute < 60).then_some(u16::from(hour) * 60 + u16::from(minute))
            })
            .ok_or_else(|| item.refuse(at, "write hours and minutes with two digits each"))?,
        tariff: table.required("tariff", tariff)?.integer(1..=48, tariff)?,
    })
}

fn week(table: &mut Table<'_>, ids: &BTreeSet<u8>) -> Result<Week, FileError> {
    let meaning = "the days of the week, Monday to Sunday";
    let item = table.required("days", meaning)?;
    let days: Vec<u8> =
        item.list(meaning)?.iter().map(|item| known_day(item, ids)).collect::<Result<_, _>>()?;
    let days = days
        .try_into()
        .map_err(|days: Vec<u8>| item.error(format!("{} days", days.len()), "seven days", meaning))?;
    Ok(Week { name: name(&table.required("name", "the week's name")?)?, days })
}

fn known_day(item: &Item<'_>, ids: &BTreeSet<u8>) -> Result<u8, FileError> {
    let id = item.integer(1..=255, "the id of a day")?;
    match ids.contains(&id) {
        true => Ok(id),
        false => {
            Err(item.error(format!("day {id}"), "a day of this calendar", "add it to `days`, or use another"))
        }
    }
}

fn season(table: &mut Table<'_>, weeks: &BTreeSet<&str>) -> Result<Season, FileError> {
    let item = table.required("week", "the name of its week")?;
    let week = name(&item)?;
    if !weeks.contains(week.as_str()) {
        return Err(item.refuse("a week of this calendar", "add it to `weeks`, or use another"));
    }
    Ok(Season {
        name: name(&table.required("name", "the season's name")?)?,
        from: day_in_year(&table.required("from", "when it begins")?)?,
        week,
    })
}

fn special_day(table: &mut Table<'_>, ids: &BTreeSet<u8>) -> Result<SpecialDay, FileError> {
    Ok(SpecialDay {
        date: day_in_year(&table.required("date", "when it is")?)?,
        day: known_day(&table.required("day", "the id of the day it has")?, ids)?,
    })
}

fn day_in_year(item: &Item<'_>) -> Result<DayInYear, FileError> {
    let meaning = "a month and a day, such as \"12-25\"";
    let found = pair(item, '-', meaning).filter(|(month, day)| {
        // A leap year, which has every day there is.
        jiff::civil::Date::new(2024, i8::try_from(*month).unwrap_or(0), i8::try_from(*day).unwrap_or(0))
            .is_ok()
    });
    let (month, day) = found.ok_or_else(|| item.refuse(meaning, "write both with two digits"))?;
    Ok(DayInYear { month, day })
}

/// Two numbers of two digits.
fn pair(item: &Item<'_>, between: char, meaning: &str) -> Option<(u8, u8)> {
    let (first, second) = item.text(meaning).ok()?.split_once(between)?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    Some((number(first)?, number(second)?))
}

fn name(item: &Item<'_>) -> Result<String, FileError> {
    let text = item.text("a name")?;
    match text.len() <= LONGEST_NAME && text.is_ascii() {
        true => Ok(text.to_owned()),
        false => Err(item.refuse(format!("at most {LONGEST_NAME} plain characters"), "shorten it")),
    }
}
