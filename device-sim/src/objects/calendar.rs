//! Classes 20 and 11: activity calendar and special days, for the tariff and for non-disablement periods.

use proto_dlms::data::{ActionResult, Data, DataAccessResult, DeviationSign, Obis};

use super::encode::{meter_time, never, stamp};
use crate::model::calendar::{
    CalendarParts, DAYS, DatePattern, Day, NAME, SEASONS, SPECIAL_DAYS, Season, SpecialDay, Timetable, WEEKS,
    Week,
};
use crate::model::connection::Passive;
use crate::model::tariff::{Switching, SwitchingTable};
use crate::model::time::MeterTime;

/// Script table whose selectors are the tariff registers; those of the non-disablement calendar are 1 for as usual
/// and 2 for not to be disabled.
pub(super) const TARIFF_SCRIPTS: Obis = Obis([0, 0, 10, 0, 100, 255]);

type Read = Result<Data, DataAccessResult>;
const WRONG: DataAccessResult = DataAccessResult::TypeUnmatched;
const TOO_MUCH: DataAccessResult = DataAccessResult::ScopeOfAccessViolated;

/// Attributes of class 20.
pub(super) fn read(table: &Timetable, attribute: i8, sign: DeviationSign) -> Read {
    let (active, passive) = (table.active().parts(), table.passive());
    Ok(match attribute {
        2 => Data::Octets(active.name.clone()),
        3 => seasons(active),
        4 => weeks(active),
        5 => days(active),
        6 => Data::Octets(passive.value.name.clone()),
        7 => seasons(&passive.value),
        8 => weeks(&passive.value),
        9 => days(&passive.value),
        10 => passive.at.map_or_else(never, |at| stamp(at, sign)),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

fn seasons(parts: &CalendarParts) -> Data {
    let season = |season: &Season| {
        let [y1, y2, month, day, weekday] = season.start.octets();
        let start = vec![y1, y2, month, day, weekday, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0xff];
        Data::Structure(vec![
            Data::Octets(season.name.clone()),
            Data::Octets(start),
            Data::Octets(season.week.clone()),
        ])
    };
    Data::Array(parts.seasons.iter().map(season).collect())
}

fn weeks(parts: &CalendarParts) -> Data {
    let week = |week: &Week| {
        let days = week.days.iter().map(|day| Data::U8(*day));
        Data::Structure(std::iter::once(Data::Octets(week.name.clone())).chain(days).collect())
    };
    Data::Array(parts.weeks.iter().map(week).collect())
}

fn days(parts: &CalendarParts) -> Data {
    let action = |switching: &Switching| {
        let part = |minutes: u16| u8::try_from(minutes).unwrap_or_default();
        Data::Structure(vec![
            Data::Octets(vec![part(switching.from / 60), part(switching.from % 60), 0, 0]),
            Data::Octets(TARIFF_SCRIPTS.0.to_vec()),
            Data::U16(u16::from(switching.register) + 1),
        ])
    };
    let day = |day: &Day| {
        let actions = day.table.switchings().iter().map(action).collect();
        Data::Structure(vec![Data::U8(day.id), Data::Array(actions)])
    };
    Data::Array(parts.days.iter().map(day).collect())
}

/// Writes what is held ready. The parts need not fit together until they are put in force.
pub(super) fn write(
    table: &mut Timetable,
    attribute: i8,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    let mut held = table.passive().clone();
    match attribute {
        6 => held.value.name = name(value)?,
        7 => held.value.seasons = list(value, SEASONS, season)?,
        8 => held.value.weeks = list(value, WEEKS, week)?,
        9 => held.value.days = list(value, DAYS, day)?,
        10 => held.at = date(value, sign)?,
        _ => return Err(DataAccessResult::ReadWriteDenied),
    }
    table.hold(Passive { ..held });
    Ok(())
}

/// A time, or none where all octets are FF.
pub(super) fn date(value: &Data, sign: DeviationSign) -> Result<Option<MeterTime>, DataAccessResult> {
    if *value == never() {
        return Ok(None);
    }
    meter_time(value, sign).map(Some).ok_or(WRONG)
}

fn list<T>(
    value: &Data,
    most: usize,
    element: impl Fn(&Data) -> Result<T, DataAccessResult>,
) -> Result<Vec<T>, DataAccessResult> {
    let elements = value.elements().ok_or(WRONG)?;
    if elements.len() > most {
        return Err(TOO_MUCH);
    }
    elements.iter().map(element).collect()
}

fn name(value: &Data) -> Result<Vec<u8>, DataAccessResult> {
    let octets = value.as_octets().ok_or(WRONG)?;
    if (1..=NAME).contains(&octets.len()) { Ok(octets.to_vec()) } else { Err(TOO_MUCH) }
}

fn season(value: &Data) -> Result<Season, DataAccessResult> {
    let [of, start, week] = value.elements().ok_or(WRONG)? else { return Err(WRONG) };
    let [y1, y2, month, day, weekday, ..] =
        *start.as_octets().filter(|start| start.len() == 12).ok_or(WRONG)?
    else {
        return Err(WRONG);
    };
    let start = DatePattern::new([y1, y2, month, day, weekday]).map_err(|_| TOO_MUCH)?;
    Ok(Season { name: name(of)?, start, week: name(week)? })
}

fn week(value: &Data) -> Result<Week, DataAccessResult> {
    let [of, days @ ..] = value.elements().ok_or(WRONG)? else { return Err(WRONG) };
    let days: Vec<u8> = days.iter().map(octet).collect::<Result<_, _>>()?;
    Ok(Week { name: name(of)?, days: days.try_into().map_err(|_| WRONG)? })
}

fn octet(value: &Data) -> Result<u8, DataAccessResult> {
    value.as_i128().and_then(|value| u8::try_from(value).ok()).ok_or(WRONG)
}

fn day(value: &Data) -> Result<Day, DataAccessResult> {
    let [id, actions] = value.elements().ok_or(WRONG)? else { return Err(WRONG) };
    let actions = actions.elements().ok_or(WRONG)?;
    let switchings = actions.iter().map(|action| switching(action).ok_or(WRONG)).collect::<Result<_, _>>()?;
    let table = SwitchingTable::new(switchings).map_err(|_| TOO_MUCH)?;
    Ok(Day { id: octet(id)?, table })
}

fn switching(action: &Data) -> Option<Switching> {
    let [start, _, selector] = action.elements()? else { return None };
    let [hour, minute, ..] = start.as_octets()? else { return None };
    let register = u8::try_from(selector.as_i128()?.checked_sub(1)?).ok()?;
    Some(Switching { from: u16::from(*hour) * 60 + u16::from(*minute), register })
}

/// Method 1 of class 20.
pub(super) fn activate(table: &mut Timetable, now: MeterTime) -> Result<(), ActionResult> {
    table.activate(now).map_err(|_| ActionResult::OtherReason)
}

/// Attribute 2 of class 11.
pub(super) fn special_days(days: &[SpecialDay]) -> Data {
    let entry = |day: &SpecialDay| {
        Data::Structure(vec![
            Data::U16(day.index),
            Data::Octets(day.date.octets().to_vec()),
            Data::U8(day.day),
        ])
    };
    Data::Array(days.iter().map(entry).collect())
}

pub(super) fn write_special_days(
    table: &mut Timetable,
    value: &Data,
    now: MeterTime,
) -> Result<(), DataAccessResult> {
    let days = list(value, SPECIAL_DAYS, special_day)?;
    if table.set_special_days(days, now) { Ok(()) } else { Err(TOO_MUCH) }
}

/// Writes the special days held ready.
pub(super) fn hold_special_days(table: &mut Timetable, value: &Data) -> Result<(), DataAccessResult> {
    let days = list(value, SPECIAL_DAYS, special_day)?;
    if table.hold_special_days(days) { Ok(()) } else { Err(TOO_MUCH) }
}

fn special_day(value: &Data) -> Result<SpecialDay, DataAccessResult> {
    let [index, date, day] = value.elements().ok_or(WRONG)? else { return Err(WRONG) };
    let index = index.as_i128().and_then(|index| u16::try_from(index).ok()).ok_or(WRONG)?;
    let date = date.as_octets().and_then(|date| <[u8; 5]>::try_from(date).ok()).ok_or(WRONG)?;
    Ok(SpecialDay { index, date: DatePattern::new(date).map_err(|_| TOO_MUCH)?, day: octet(day)? })
}

/// Methods of class 11: 1 inserts an entry, in place of one of its index; 2 deletes the entry of an index.
pub(super) fn change_special_days(
    table: &mut Timetable,
    method: i8,
    parameter: Option<&Data>,
    now: MeterTime,
) -> Result<(), ActionResult> {
    let parameter = parameter.ok_or(ActionResult::TypeUnmatched)?;
    let mut days = table.special_days().to_vec();
    if method == 1 {
        let day = special_day(parameter).map_err(|_| ActionResult::TypeUnmatched)?;
        days.retain(|other| other.index != day.index);
        days.push(day);
    } else {
        let index = parameter.as_i128().ok_or(ActionResult::TypeUnmatched)?;
        let before = days.len();
        days.retain(|day| i128::from(day.index) != index);
        if days.len() == before {
            return Err(ActionResult::ObjectUnavailable);
        }
    }
    if table.set_special_days(days, now) { Ok(()) } else { Err(ActionResult::ScopeOfAccessViolated) }
}
