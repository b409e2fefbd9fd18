//! The past.

use std::collections::BTreeMap;

use super::super::{Channel, Flagged, History, MOST_HALF_HOURS, Rule, StatusFlag, Stretch};
use super::bounded;
use crate::document::{FileError, Item, Table};

/// Most a half hour has, in watt hours or litres: a megawatt.
const MOST_AMOUNT: i64 = 500_000;
/// Half hours of a day.
const OF_DAY: usize = 48;

const ELECTRICITY: [(&str, Channel); 4] = [
    ("import-wh", Channel::Import),
    ("export-wh", Channel::Export),
    ("reactive-import-varh", Channel::ReactiveImport),
    ("reactive-export-varh", Channel::ReactiveExport),
];

pub(super) fn electricity(table: &mut Table<'_>, has_household: bool) -> Result<History, FileError> {
    history(table, &ELECTRICITY, has_household)
}

pub(super) fn gas(table: &mut Table<'_>, has_household: bool) -> Result<History, FileError> {
    history(table, &[("volume-dm3", Channel::Volume)], has_household)
}

fn history(
    table: &mut Table<'_>,
    channels: &[(&'static str, Channel)],
    has_household: bool,
) -> Result<History, FileError> {
    let meaning = "how many half hours before the loading";
    let half_hours: u32 =
        table.required("half-hours", meaning)?.integer(1..=i64::from(MOST_HALF_HOURS), meaning)?;
    let mut rules = BTreeMap::new();
    for (key, channel) in channels {
        let rule = table.read(key, |item| item.table("a rule", |table| rule(table, half_hours)))?;
        rules.extend(rule.map(|rule| (*channel, rule)));
    }
    let leading = channels.first().filter(|(_, channel)| !rules.contains_key(channel));
    if let Some((key, _)) = leading.filter(|_| !has_household) {
        return Err(table.error(
            "a past nobody lived",
            format!("`household` beside the history, or `{key}` in it"),
            format!("write household = {{ seed = 7 }}, or {key} = {{ every = 250 }}"),
        ));
    }
    Ok(History {
        half_hours,
        rules,
        gaps: table
            .read("gaps", |item| bounded(item, "gaps", |t| stretch(t, half_hours)))?
            .unwrap_or_default(),
        status: table
            .read("status", |item| bounded(item, "flags of half hours", |t| flagged(t, half_hours)))?
            .unwrap_or_default(),
    })
}

fn rule(table: &mut Table<'_>, half_hours: u32) -> Result<Rule, FileError> {
    let amount = |item: &Item<'_>| item.integer::<u64>(0..=MOST_AMOUNT, "the amount of a half hour");
    let found = [
        table.read("every", amount)?.map(Rule::Every),
        table.read("day", |item| amounts(item, OF_DAY, "half hours of a day"))?.map(Rule::Day),
        table
            .read("rows", |item| {
                amounts(item, usize::try_from(half_hours).unwrap_or(0), "half hours, oldest first")
            })?
            .map(Rule::Rows),
    ];
    let mut found = found.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(rule), None) => Ok(rule),
        _ => Err(table.error(
            "no rule, or several",
            "exactly one of every, day, rows",
            "write it as { every = 250 }",
        )),
    }
}

/// Exactly so many amounts.
fn amounts(item: &Item<'_>, count: usize, meaning: &str) -> Result<Vec<u64>, FileError> {
    let items = item.list(meaning)?;
    if items.len() != count {
        let found = format!("{} of them", items.len());
        return Err(item.error(found, format!("{count} {meaning}"), "write one amount for each"));
    }
    items.iter().map(|item| item.integer(0..=MOST_AMOUNT, "the amount of a half hour")).collect()
}

fn stretch(table: &mut Table<'_>, half_hours: u32) -> Result<Stretch, FileError> {
    let most = i64::from(half_hours);
    let [ago, count] = ["half hours before the loading", "how many half hours"];
    let stretch = Stretch {
        ago: table.required("half-hours-ago", ago)?.integer(0..=most - 1, ago)?,
        half_hours: table.required("half-hours", count)?.integer(1..=most, count)?,
    };
    match stretch.ago + stretch.half_hours <= half_hours {
        true => Ok(stretch),
        false => Err(table.error(
            format!("half hours of up to {} ago", stretch.ago + stretch.half_hours),
            format!("half hours of the history, which has {half_hours}"),
            "a longer history, or fewer half hours",
        )),
    }
}

fn flagged(table: &mut Table<'_>, half_hours: u32) -> Result<Flagged, FileError> {
    let meaning = "flags, such as \"power-down\"";
    let flags = table.required("flags", meaning)?;
    let bits = flags
        .list(meaning)?
        .iter()
        .try_fold(0, |bits, item| item.parse::<StatusFlag>(meaning).map(|flag| bits | flag.bit()))?;
    Ok(Flagged { stretch: stretch(table, half_hours)?, bits })
}
