//! `[[load]]` tables: read, or refused in their place.

mod calendar;
mod history;
mod money;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proto_duis::DeviceKind;
use toml::de::DeValue;

use super::{
    Contents, Conversion, Electricity, Events, Gas, Household, Litres, Load, Registers, VarHours, WattHours,
};
use crate::document::{FileError, Item, Table};

/// More tables or entries of anything than this is a mistake.
const MOST: usize = 1000;
/// Furthest a clock may be put wrong: a rig whose clocks are further off is not proved.
const FURTHEST: SignedDuration = SignedDuration::from_secs(9);
/// Most a register shows: the largest number of four octets.
const MOST_SHOWN: i64 = u32::MAX as i64;
/// Longest ago an event is, in minutes: ten years.
const LONGEST_AGO: i64 = 10 * 366 * 1440;
/// Longest text of an event, in characters.
const LONGEST_TEXT: usize = 64;

pub(super) fn loads(item: &Item<'_>) -> Result<Vec<Load>, FileError> {
    let meaning = "the devices and what they hold";
    let mut loads: Vec<Load> = Vec::new();
    for item in item.list(meaning)? {
        let load = item.table(meaning, load)?;
        if load.is_empty() {
            return Err(item.error(
                "nothing to load",
                "what the device holds, such as balance-pence, load, registers, history or clock-offset",
                "say what is loaded",
            ));
        }
        if loads.iter().any(|other| other.device() == load.device()) {
            return Err(item.error(
                format!("a second table of the {}", load.device()),
                "one [[load]] table for each device",
                "put what it holds into one table",
            ));
        }
        loads.push(load);
    }
    Ok(loads)
}

fn load(table: &mut Table<'_>) -> Result<Load, FileError> {
    let device = table.required("device", "the device")?;
    let kind: DeviceKind = device.parse("a device kind")?;
    let clock_offset = table.read("clock-offset", offset)?;
    let events = table.read("events", |item| bounded(item, "entries of its logs", events))?;
    let contents = match kind {
        DeviceKind::Esme => Contents::Electricity(Box::new(electricity(table)?)),
        DeviceKind::Gsme => Contents::Gas(Box::new(gas(table)?)),
        DeviceKind::Chf => Contents::Network(table.read("joined", joined)?),
        DeviceKind::Gpf => Contents::Mirror,
        DeviceKind::Ppmid | DeviceKind::Ihd => {
            let expected = "ESME, GSME, GPF or CHF";
            return Err(
                device.refuse(expected, "a display holds nothing of its own: it shows what it is sent")
            );
        }
    };
    Ok(Load { clock_offset, events, contents })
}

impl Load {
    fn is_empty(&self) -> bool {
        let holds_nothing = match &self.contents {
            Contents::Electricity(meter) => **meter == Electricity::default(),
            Contents::Gas(meter) => **meter == Gas::default(),
            Contents::Network(joined) => joined.is_none(),
            Contents::Mirror => true,
        };
        self.clock_offset.is_none() && self.events.is_none() && holds_nothing
    }
}

fn electricity(table: &mut Table<'_>) -> Result<Electricity, FileError> {
    let household = table.read("household", |item| item.table("the household", household))?;
    let watts = |item: &Item<'_>| item.integer(0..=1_000_000, "watts");
    Ok(Electricity {
        load: table.read("load", watts)?,
        generation: table.read("generation", watts)?,
        customer: money::customer(table)?,
        tariff: table.read("tariff", |item| item.table("prices and blocks", money::tariff))?,
        calendar: table.read("calendar", |item| item.table("the activity calendar", calendar::calendar))?,
        registers: table.read("registers", |item| item.table("what the registers show", registers))?,
        history: table.read("history", |item| {
            item.table("the past", |table| history::electricity(table, household.is_some()))
        })?,
        household,
    })
}

fn gas(table: &mut Table<'_>) -> Result<Gas, FileError> {
    let household = table.read("household", |item| item.table("the household", household))?;
    Ok(Gas {
        flow: table.read("load", |item| item.integer(0..=1_000_000, "litres an hour"))?,
        customer: money::customer(table)?,
        tariff: table.read("tariff", |item| item.table("prices", money::tariff))?,
        conversion: table
            .read("conversion", |item| item.table("what volume is converted with", conversion))?,
        volume: table.read("registers", |item| item.table("what the register shows", volume))?,
        history: table.read("history", |item| {
            item.table("the past", |table| history::gas(table, household.is_some()))
        })?,
        household,
    })
}

fn household(table: &mut Table<'_>) -> Result<Household, FileError> {
    let seed = "a number that fixes its load curve";
    let solar = |item: &Item<'_>| item.boolean("whether it has solar panels");
    Ok(Household {
        seed: table.required("seed", seed)?.integer(0..=i64::MAX, seed)?,
        solar: table.read("solar", solar)?.unwrap_or(false),
    })
}

fn registers(table: &mut Table<'_>) -> Result<Registers, FileError> {
    let reading = |item: &Item<'_>| item.integer::<u64>(0..=MOST_SHOWN, "what the register shows");
    let wh = |item: &Item<'_>| reading(item).map(WattHours);
    let varh = |item: &Item<'_>| reading(item).map(VarHours);
    let import = table.required("import-wh", "active import in watt hours")?;
    let registers = Registers {
        import: wh(&import)?,
        export: table.read("export-wh", wh)?.unwrap_or_default(),
        reactive_import: table.read("reactive-import-varh", varh)?.unwrap_or_default(),
        reactive_export: table.read("reactive-export-varh", varh)?.unwrap_or_default(),
        tariffs: table.read("tariff-wh", |item| list(item, "tariff registers", wh))?.unwrap_or_default(),
        blocks: table.read("block-wh", |item| list(item, "blocks", wh))?.unwrap_or_default(),
    };
    for (key, parts, whole) in
        [("tariff-wh", &registers.tariffs, true), ("block-wh", &registers.blocks, false)]
    {
        let sum = parts.iter().fold(0u64, |sum, part| sum.saturating_add(part.0));
        let fits = sum == registers.import.0 || (!whole && sum < registers.import.0);
        if table.has(key) && !fits {
            let place = table.required(key, "registers")?;
            return Err(place.error(
                format!("{sum} Wh in all"),
                format!("the {} that import-wh shows", registers.import),
                "tariff registers hold the whole import between them, and blocks no more than that",
            ));
        }
    }
    Ok(registers)
}

fn volume(table: &mut Table<'_>) -> Result<Litres, FileError> {
    let meaning = "the volume in litres (dm3)";
    Ok(Litres(table.required("volume-dm3", meaning)?.integer(0..=MOST_SHOWN, meaning)?))
}

fn conversion(table: &mut Table<'_>) -> Result<Conversion, FileError> {
    let calorific = "the calorific value in MJ/m3";
    let factor = "the volume conversion factor";
    Ok(Conversion {
        calorific_value: narrow(decimal(
            &table.required("calorific-value", calorific)?,
            2,
            2_000..=6_000,
            calorific,
        )?),
        factor: narrow(decimal(&table.required("factor", factor)?, 5, 50_000..=200_000, factor)?),
    })
}

/// A number that its range has made fit.
fn narrow(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn joined(item: &Item<'_>) -> Result<BTreeSet<DeviceKind>, FileError> {
    let meaning = "the devices on the home area network";
    let one = |item: &Item<'_>| match item.parse(meaning)? {
        DeviceKind::Chf => Err(item.refuse("a device the hub lets join", "the hub is the network")),
        kind => Ok(kind),
    };
    item.list(meaning)?.iter().map(one).collect()
}

fn events(table: &mut Table<'_>) -> Result<Events, FileError> {
    let code = table.required("code", "the event's code, such as \"8F3F\"")?;
    let minutes = "minutes before the loading";
    let text = table.read("text", |item| {
        let text = item.text("the device's words")?;
        let fits = text.chars().count() <= LONGEST_TEXT && !text.contains(char::is_control);
        let words = format!("at most {LONGEST_TEXT} characters, without line ends");
        fits.then(|| text.to_owned()).ok_or_else(|| item.refuse(words, "shorten it"))
    })?;
    let entries = Events {
        code: hexadecimal(&code)?,
        minutes_ago: table.required("minutes-ago", minutes)?.integer(0..=LONGEST_AGO, minutes)?,
        count: table.read("count", |item| item.integer(1..=10_000, "how many of them"))?.unwrap_or(1),
        every_minutes: table
            .read("every-minutes", |item| item.integer(1..=527_040, "minutes between them"))?
            .unwrap_or(60),
        text: text.unwrap_or_default(),
    };
    let oldest =
        i64::from(entries.minutes_ago) + i64::from(entries.count - 1) * i64::from(entries.every_minutes);
    match oldest <= LONGEST_AGO {
        true => Ok(entries),
        false => Err(table.error(
            format!("an oldest entry of {oldest} minutes ago"),
            format!("at most {LONGEST_AGO} minutes: ten years"),
            "fewer of them, or closer together",
        )),
    }
}

fn hexadecimal(item: &Item<'_>) -> Result<u16, FileError> {
    let meaning = "a code of four hexadecimal digits, such as \"8F3F\"";
    let text = item.text(meaning)?;
    let digits = text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = u16::from_str_radix(text, 16).ok().filter(|_| digits);
    code.ok_or_else(|| item.refuse(meaning, "the codes are those of the alerts, in quotes"))
}

fn offset(item: &Item<'_>) -> Result<SignedDuration, FileError> {
    let offset: SignedDuration = item.parse("a time, such as \"3s\" or \"-3s\"")?;
    match offset >= -FURTHEST && offset <= FURTHEST {
        true => Ok(offset),
        false => Err(item.refuse(format!("at most {FURTHEST:#} either way"), "further off no rig is proved")),
    }
}

/// A number with at most so many places after the point, in units of the last of them.
fn decimal(
    item: &Item<'_>,
    places: usize,
    range: std::ops::RangeInclusive<i64>,
    meaning: &str,
) -> Result<i64, FileError> {
    let shown = |units: i64| {
        let scale = 10i64.pow(u32::try_from(places).unwrap_or_default());
        format!(
            "{}{}.{:0places$}",
            if units < 0 { "-" } else { "" },
            units.abs() / scale,
            units.abs() % scale
        )
    };
    let expected = || {
        format!(
            "{meaning}, from {} to {}, with at most {places} places",
            shown(*range.start()),
            shown(*range.end())
        )
    };
    let text = match item.toml() {
        Some(DeValue::Float(number)) => number.as_str(),
        Some(DeValue::Integer(number)) if number.radix() == 10 => number.as_str(),
        _ => return Err(item.refuse(expected(), "write a number, without quotes")),
    };
    scaled(text, places)
        .filter(|units| range.contains(units))
        .ok_or_else(|| item.refuse(expected(), "write it with fewer places, or within the range"))
}

/// `12.5` in hundredths is 1250. Nothing, where it has more places or is too long.
fn scaled(text: &str, places: usize) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    if fraction.len() > places || whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let units: i64 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    Some(if negative { -units } else { units })
}

fn list<T>(
    item: &Item<'_>,
    meaning: &str,
    one: impl Fn(&Item<'_>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    let items = item.list(meaning)?;
    few(item, items.len())?;
    items.iter().map(one).collect()
}

fn bounded<T>(
    item: &Item<'_>,
    meaning: &str,
    one: impl FnMut(&mut Table<'_>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    few(item, item.list(meaning)?.len())?;
    item.tables(meaning, one)
}

fn few(item: &Item<'_>, count: usize) -> Result<(), FileError> {
    match count {
        0..=MOST => Ok(()),
        many => Err(item.error(format!("{many} of them"), format!("at most {MOST}"), "split the data set")),
    }
}
