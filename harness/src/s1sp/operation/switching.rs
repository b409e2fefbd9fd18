//! 4.11.1: the calendar, special days and ends of blocks that a meter has in force, as 1.1.1 would ask for them.

use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::body::{
    ElectricityAction, ElectricityBlockSet, ElectricityDayName, ElectricityDayProfile,
    ElectricityDayProfiles, ElectricityProfileSchedule, ElectricitySeason, ElectricitySeasons,
    ElectricitySpecialDay, ElectricitySpecialDays, ElectricitySwitchingTable, ElectricityTou,
    ElectricityWeekName, ElectricityWeekProfile, ElectricityWeekProfiles, GasAction, GasDayName,
    GasDayProfile, GasDayProfiles, GasSeason, GasSeasons, GasSpecialDay, GasSpecialDays, GasSwitchingTable,
    GasTou, GasWeekName, GasWeekProfile, GasWeekProfiles, Numbered, Present, RecurringDate, Several,
};
use proto_duis::mmc::build::{Fuel, TariffCalendar};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::dates;
use super::tariff::{GAS_TOU_REGISTERS, TOU_REGISTERS, following};
use crate::driver::cosem;

/// Attributes of the calendar in force.
const SEASONS: i8 = 3;
const WEEKS: i8 = 4;
const DAYS: i8 = 5;
/// Sets of blocks of an electricity meter.
const SETS: u8 = 8;

/// A calendar as the meter has it; its weeks by the number of their place.
pub(super) struct Held {
    pub(super) seasons: Vec<HeldSeason>,
    pub(super) weeks: Vec<[u8; 7]>,
    pub(super) days: Vec<HeldDay>,
    pub(super) special_days: Vec<(RecurringDate, u8)>,
}

pub(super) struct HeldSeason {
    name: String,
    pub(super) start: RecurringDate,
    /// The number of its week, 1 being the first.
    pub(super) week: u8,
}

pub(super) struct HeldDay {
    pub(super) id: u8,
    /// Start and script of each action.
    pub(super) actions: Vec<(proto_duis::body::TimeOfDay, u16)>,
}

impl Held {
    /// The calendar in force with these functions.
    pub(super) async fn read(desk: &mut Desk, functions: [Function; 2]) -> Result<Held, Refusal> {
        let [calendar, special] = [desk.object(functions[0])?, desk.object(functions[1])?];
        let mut parts = Vec::new();
        for attribute in [SEASONS, WEEKS, DAYS] {
            parts.push(desk.get(cosem::numbered(&calendar, attribute), None).await?);
        }
        parts.push(desk.get(cosem::attribute(&special), None).await?);
        Held::of(&parts).ok_or_else(|| Refusal::value(functions[0], &parts))
    }

    fn of(parts: &[Data]) -> Option<Held> {
        let [seasons, weeks, days, special] = parts else { return None };
        let named: Vec<(&[u8], [u8; 7])> = weeks.elements()?.iter().map(week).collect::<Option<_>>()?;
        let season = |season: &Data| {
            let [name, start, week] = season.elements()? else { return None };
            let place = named.iter().position(|(name, _)| Some(*name) == week.as_octets())?;
            Some(HeldSeason {
                name: String::from_utf8_lossy(name.as_octets()?).into_owned(),
                start: dates::date(start.as_octets()?)?,
                week: u8::try_from(place + 1).ok()?,
            })
        };
        Some(Held {
            seasons: seasons.elements()?.iter().map(season).collect::<Option<_>>()?,
            weeks: named.iter().map(|(_, days)| *days).collect(),
            days: days.elements()?.iter().map(day).collect::<Option<_>>()?,
            special_days: special.elements()?.iter().map(special_day).collect::<Option<_>>()?,
        })
    }
}

fn octet(data: &Data) -> Option<u8> {
    u8::try_from(data.as_i128()?).ok()
}

fn week(week: &Data) -> Option<(&[u8], [u8; 7])> {
    let [name, days @ ..] = week.elements()? else { return None };
    let days: Vec<u8> = days.iter().map(octet).collect::<Option<_>>()?;
    Some((name.as_octets()?, days.try_into().ok()?))
}

fn day(day: &Data) -> Option<HeldDay> {
    let [id, actions] = day.elements()? else { return None };
    let action = |action: &Data| {
        let [start, _, script] = action.elements()? else { return None };
        Some((dates::time(start)?, u16::try_from(script.as_i128()?).ok()?))
    };
    Some(HeldDay { id: octet(id)?, actions: actions.elements()?.iter().map(action).collect::<Option<_>>()? })
}

fn special_day(day: &Data) -> Option<(RecurringDate, u8)> {
    let [_, date, id] = day.elements()? else { return None };
    Some((dates::date(date.as_octets()?)?, octet(id)?))
}

/// The calendar of the tariff; none where the Device Model names no object for it.
pub(super) async fn calendar(desk: &mut Desk, fuel: Fuel) -> Result<Option<TariffCalendar>, Refusal> {
    let functions = [Function::ActivityCalendar, Function::SpecialDays];
    if functions.iter().any(|function| desk.object(*function).is_err()) {
        return Ok(None);
    }
    let held = Held::read(desk, functions).await?;
    let calendar = match fuel {
        Fuel::Electricity => electricity(&held),
        Fuel::Gas => gas(&held),
    };
    let words = || "the meter's calendar has what 4.11.1 has no place for".to_owned();
    calendar.map(Some).ok_or_else(|| Refusal::NotExpressible(words()))
}

/// The ends of the blocks of each set; none where the Device Model names no object for them.
pub(super) async fn thresholds(desk: &mut Desk, fuel: Fuel) -> Result<Vec<Vec<u64>>, Refusal> {
    let Ok(first) = desk.object(Function::BlockThresholds) else { return Ok(Vec::new()) };
    let mut sets = Vec::new();
    for set in 0..if fuel == Fuel::Gas { 1 } else { SETS } {
        let data = desk.get(cosem::attribute(&following(&first, set)), None).await?;
        let end = |end: &Data| end.as_i128().and_then(|end| u64::try_from(end).ok());
        let ends = data.elements().and_then(|ends| ends.iter().map(end).collect::<Option<Vec<_>>>());
        sets.push(ends.ok_or_else(|| Refusal::value(Function::BlockThresholds, &data))?);
    }
    Ok(sets)
}

/// Seven days by index.
pub(super) fn by_index<D>(days: [u8; 7], name: impl Fn(u8) -> Option<D>) -> Option<Numbered<D, 7, 7>> {
    let days = days.into_iter().zip(1..).map(|(day, index)| Some((index, name(day)?)));
    Numbered::new(days.collect::<Option<_>>()?).ok()
}

fn several<T, const MIN: usize, const MAX: usize>(
    values: impl Iterator<Item = Option<T>>,
) -> Option<Several<T, MIN, MAX>> {
    Several::new(values.collect::<Option<_>>()?).ok()
}

fn electricity(held: &Held) -> Option<TariffCalendar> {
    let week = |(days, number): (&[u8; 7], u8)| {
        let (name, days) = (ElectricityWeekName::new(number)?, by_index(*days, ElectricityDayName::new)?);
        Some(ElectricityWeekProfile { name, days })
    };
    let season = |season: &HeldSeason| {
        let (name, week) = (season.name.parse().ok()?, ElectricityWeekName::new(season.week)?);
        Some(ElectricitySeason { name, start: season.start, week })
    };
    let special = |(date, day): &(RecurringDate, u8)| {
        Some(ElectricitySpecialDay { date: *date, day: ElectricityDayName::new(*day)? })
    };
    let table = ElectricitySwitchingTable {
        days: ElectricityDayProfiles { profiles: several(held.days.iter().map(electricity_day))? },
        weeks: ElectricityWeekProfiles { profiles: several(held.weeks.iter().zip(1..).map(week))? },
        seasons: ElectricitySeasons { seasons: several(held.seasons.iter().map(season))? },
    };
    let special = ElectricitySpecialDays { days: several(held.special_days.iter().map(special))? };
    Some(TariffCalendar::Electricity(table, special))
}

fn electricity_day(day: &HeldDay) -> Option<ElectricityDayProfile> {
    let part = |(start, script): &(_, u16)| {
        let of_set = script.checked_sub(TOU_REGISTERS).filter(|set| *set > 0);
        let action = match of_set {
            Some(set) => ElectricityAction::Block(ElectricityBlockSet::new(u8::try_from(set).ok()?)?),
            None => ElectricityAction::Tou(ElectricityTou::new(u8::try_from(*script).ok()?)?),
        };
        Some(ElectricityProfileSchedule { start: *start, action })
    };
    let schedule = several(day.actions.iter().map(part))?;
    Some(ElectricityDayProfile { name: ElectricityDayName::new(day.id)?, schedule })
}

/// A gas day has one price; one that switches has no place in the answer.
fn gas(held: &Held) -> Option<TariffCalendar> {
    let day = |day: &HeldDay| {
        let [(_, script)] = day.actions[..] else { return None };
        let action = if script == GAS_TOU_REGISTERS + 1 {
            GasAction::Block(Present)
        } else {
            GasAction::Tou(GasTou::new(u8::try_from(script).ok()?)?)
        };
        Some(GasDayProfile { name: GasDayName::new(day.id)?, action })
    };
    let week = |(days, number): (&[u8; 7], u8)| {
        let (name, days) = (GasWeekName::new(number)?, by_index(*days, GasDayName::new)?);
        Some(GasWeekProfile { name, days })
    };
    let special = |(date, day): &(RecurringDate, u8)| {
        Some(GasSpecialDay { date: dates::gas(*date)?, day: GasDayName::new(*day)? })
    };
    let table = GasSwitchingTable {
        days: GasDayProfiles { profiles: several(held.days.iter().map(day))? },
        weeks: GasWeekProfiles { profiles: several(held.weeks.iter().zip(1..).map(week))? },
        seasons: gas_seasons(&held.seasons)?,
    };
    let special = GasSpecialDays { days: several(held.special_days.iter().map(special))? };
    Some(TariffCalendar::Gas(table, special))
}

pub(super) fn gas_seasons(seasons: &[HeldSeason]) -> Option<GasSeasons> {
    let season = |season: &HeldSeason| {
        let (start, week) = (dates::gas(season.start)?, GasWeekName::new(season.week)?);
        Some(GasSeason { start, week })
    };
    Some(GasSeasons { seasons: several(seasons.iter().map(season))? })
}
