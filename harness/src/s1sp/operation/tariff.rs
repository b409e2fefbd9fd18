//! 1.1.1: a whole tariff. Calendar (class 20), special days (class 11), ends of blocks (class 21), prices and standing charge
//! (class 113) are held ready one after the other, and the meter puts them in force together: at once by a script, or at
//! the time its schedule is given. A refusal up to there leaves the tariff in force as it was.

use lab_config::{Function, Object};
use proto_dlms::data::{Data, Obis};
use proto_duis::body::{
    CurrencyUnits, ElectricityAction, ElectricityDayProfile, ElectricityTariffElements, GasAction,
    GasTariffElements, ImportTariff, UpdateImportTariff,
};
use proto_duis::mmc::build::{self, Fuel};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::activation::{self, Part};
use super::dates::{octets, of_gas, season_start, time_octets};
use super::price;
use crate::driver::cosem;

/// Attributes of a calendar that hold what is ready: name, seasons, weeks, days.
const PASSIVE_NAME: i8 = 6;
const PASSIVE_SEASONS: i8 = 7;
const PASSIVE_WEEKS: i8 = 8;
const PASSIVE_DAYS: i8 = 9;
/// The script table whose scripts are the selections of a calendar.
const TARIFF_SCRIPTS: Obis = Obis([0, 0, 10, 0, 100, 255]);
/// Time-of-use registers before the sets of blocks among the selections of a calendar.
pub(super) const TOU_REGISTERS: u16 = 48;
pub(super) const GAS_TOU_REGISTERS: u16 = 4;

/// What a meter is told of its calendar and blocks.
struct Plan {
    seasons: Data,
    weeks: Data,
    days: Data,
    special_days: Data,
    /// The ends of the blocks of each set from 0 on.
    ends: Vec<(u8, Data)>,
}

pub(super) async fn update(desk: &mut Desk, update: &UpdateImportTariff) -> Result<MmcBody, Refusal> {
    let fuel = Fuel::of(desk.device.kind);
    let plan = match &update.tariff {
        ImportTariff::Electricity(elements, _) if fuel == Fuel::Electricity => electricity(elements)?,
        ImportTariff::Gas(elements, _) if fuel == Fuel::Gas => gas(elements)?,
        _ => return Err(Refusal::NotExpressible("the tariff is of the other fuel".into())),
    };
    // What the Device Model lacks is known before anything is written.
    let (calendar, special) =
        (desk.object(Function::ActivityCalendar)?, desk.object(Function::SpecialDaysPassive)?);
    let ends = desk.object(Function::BlockThresholdsPassive)?;
    activation::must_be_modelled(desk, Part::Tariff)?;
    let charges = match &update.tariff {
        ImportTariff::Electricity(_, prices) => price::of_electricity(desk, &prices.price).await?,
        ImportTariff::Gas(_, prices) => price::of_gas(desk, &prices.price).await?,
    };
    hold(desk, &calendar, &plan).await?;
    desk.set(cosem::attribute(&special), plan.special_days).await?;
    for (set, set_ends) in plan.ends {
        desk.set(cosem::attribute(&following(&ends, set)), set_ends).await?;
    }
    price::hold(desk, &charges).await?;
    activation::put_in_force(desk, Part::Tariff, update.execution).await?;
    Ok(build::done(Srv::UpdateImportTariffPrimaryElement)?)
}

/// The object so many places after the first of several.
pub(super) fn following(first: &Object, place: u8) -> Object {
    let Obis([a, b, c, d, e, f]) = first.obis;
    Object { obis: Obis([a, b, c, d, e.wrapping_add(place), f]), ..*first }
}

async fn hold(desk: &mut Desk, calendar: &Object, plan: &Plan) -> Result<(), Refusal> {
    let parts = [
        (PASSIVE_NAME, Data::Octets(b"DCC".to_vec())),
        (PASSIVE_SEASONS, plan.seasons.clone()),
        (PASSIVE_WEEKS, plan.weeks.clone()),
        (PASSIVE_DAYS, plan.days.clone()),
    ];
    for (attribute, part) in parts {
        desk.set(cosem::numbered(calendar, attribute), part).await?;
    }
    Ok(())
}

/// Weeks are named by their number.
pub(super) fn name(number: u8) -> Data {
    Data::Octets(number.to_string().into_bytes())
}

pub(super) fn season(of: Data, start: Data, week: u8) -> Data {
    Data::Structure(vec![of, start, name(week)])
}

/// A week of days Monday first, by index; an index given twice is refused.
pub(super) fn week<D: Copy>(number: u8, days: &[(u8, D)], id: impl Fn(D) -> u8) -> Result<Data, Refusal> {
    let mut sorted = days.to_vec();
    sorted.sort_by_key(|(index, _)| *index);
    if sorted.iter().zip(1..).any(|((index, _), expected)| *index != expected) {
        return Err(Refusal::NotExpressible(format!("week {number} has not every day once")));
    }
    let days = sorted.into_iter().map(|(_, day)| Data::U8(id(day)));
    Ok(Data::Structure(std::iter::once(name(number)).chain(days).collect()))
}

pub(super) fn action(start: Data, script: u16) -> Data {
    Data::Structure(vec![start, Data::Octets(TARIFF_SCRIPTS.0.to_vec()), Data::U16(script)])
}

pub(super) fn special_day(index: u16, date: [u8; 5], day: u8) -> Data {
    Data::Structure(vec![Data::U16(index), Data::Octets(date.to_vec()), Data::U8(day)])
}

/// Ends of blocks by index from 1 on; one left out between others is refused.
fn ends<T: Copy>(ends: &[(u8, T)], end: impl Fn(T) -> Result<u32, Refusal>) -> Result<Data, Refusal> {
    if ends.iter().zip(1..).any(|((index, _), expected)| *index != expected) {
        let words = "the thresholds of a set are numbered from 1 on, without gaps and in order";
        return Err(Refusal::NotExpressible(words.to_owned()));
    }
    let ends = ends.iter().map(|(_, value)| end(*value).map(Data::U32));
    Ok(Data::Array(ends.collect::<Result<_, _>>()?))
}

fn array(elements: impl Iterator<Item = Result<Data, Refusal>>) -> Result<Data, Refusal> {
    Ok(Data::Array(elements.collect::<Result<_, _>>()?))
}

fn electricity(elements: &ElectricityTariffElements) -> Result<Plan, Refusal> {
    sterling(elements.currency)?;
    let table = &elements.switching;
    let seasons = table.seasons.seasons.as_slice().iter().map(|of| {
        let name = Data::Octets(of.name.as_str().as_bytes().to_vec());
        Ok(season(name, season_start(of.start)?, of.week.get()))
    });
    let weeks = table.weeks.profiles.as_slice().iter();
    let weeks = weeks.map(|of| week(of.name.get(), of.days.as_slice(), |day| day.get()));
    let special = elements.special_days.days.as_slice().iter().zip(1..);
    let special = special.map(|(day, index)| special_day(index, octets(day.date), day.day.get()));
    let sets = elements.thresholds.sets.as_slice().iter();
    let sets = sets.map(|(set, thresholds)| Ok((set - 1, ends(thresholds.blocks.as_slice(), Ok)?)));
    Ok(Plan {
        seasons: array(seasons)?,
        weeks: array(weeks)?,
        days: array(table.days.profiles.as_slice().iter().map(electricity_day))?,
        special_days: Data::Array(special.collect()),
        ends: sets.collect::<Result<_, Refusal>>()?,
    })
}

fn electricity_day(day: &ElectricityDayProfile) -> Result<Data, Refusal> {
    let actions = day.schedule.as_slice().iter().map(|part| {
        let script = match part.action {
            ElectricityAction::Tou(register) => u16::from(register.get()),
            ElectricityAction::Block(set) => TOU_REGISTERS + u16::from(set.get()),
        };
        Ok(action(time_octets(part.start)?, script))
    });
    Ok(Data::Structure(vec![Data::U8(day.name.get()), array(actions)?]))
}

/// Seasons of gas have no names, and a day one price all day long.
fn gas(elements: &GasTariffElements) -> Result<Plan, Refusal> {
    let table = &elements.switching;
    let seasons = table.seasons.seasons.as_slice().iter().zip(1..);
    let seasons =
        seasons.map(|(of, number)| Ok(season(name(number), season_start(of_gas(of.start))?, of.week.get())));
    let weeks = table.weeks.profiles.as_slice().iter();
    let weeks = weeks.map(|of| week(of.name.get(), of.days.as_slice(), |day| day.get()));
    let days = table.days.profiles.as_slice().iter().map(|day| {
        let script = match day.action {
            GasAction::Tou(register) => u16::from(register.get()),
            GasAction::Block(_) => GAS_TOU_REGISTERS + 1,
        };
        let all_day = action(Data::Octets(vec![0; 4]), script);
        Data::Structure(vec![Data::U8(day.name.get()), Data::Array(vec![all_day])])
    });
    let special = elements.special_days.days.as_slice().iter().zip(1..);
    let special = special.map(|(day, index)| special_day(index, octets(of_gas(day.date)), day.day.get()));
    let end = |end: proto_duis::body::GasThreshold| {
        let words = || format!("a threshold of {} does not fit the meter's 32 bits", end.get());
        u32::try_from(end.get()).map_err(|_| Refusal::NotExpressible(words()))
    };
    Ok(Plan {
        seasons: array(seasons)?,
        weeks: array(weeks)?,
        days: Data::Array(days.collect()),
        special_days: Data::Array(special.collect()),
        ends: vec![(0, ends(elements.thresholds.blocks.as_slice(), end)?)],
    })
}

pub(super) fn sterling(currency: CurrencyUnits) -> Result<(), Refusal> {
    match currency {
        CurrencyUnits::Gbp => Ok(()),
        other => Err(Refusal::NotExpressible(format!("the meter counts in GBP, and not in {other}"))),
    }
}
