//! What switches registers and ends periods: scripts, register activation, the billing schedule.

use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::super::Shell;
use super::super::role::Role;
use crate::model::calendar::DatePattern;
use crate::model::esme::{BILLING_DATES, BillingTime, Esme};
use crate::model::tariff::{REGISTERS, SELECTIONS, Selection};

type Read = Result<Data, DataAccessResult>;

pub(super) fn read(meter: &Esme, role: Role, attribute: i8, shell: &Shell) -> Read {
    match role {
        Role::TariffScript => Ok(scripts()),
        Role::RegisterActivation => activation(meter, attribute, shell),
        Role::BillingSchedule => schedule(meter, attribute, shell),
        Role::BillingScript | Role::BlockReset => {
            Ok(Data::Array(vec![Data::Structure(vec![Data::U16(1), Data::Array(Vec::new())])]))
        }
        _ => Err(DataAccessResult::ObjectUnavailable),
    }
}

fn registers() -> std::ops::RangeInclusive<u8> {
    1..=u8::try_from(REGISTERS).unwrap_or_default()
}

fn selections() -> std::ops::RangeInclusive<u8> {
    1..=u8::try_from(SELECTIONS).unwrap_or_default()
}

/// Script n selects tariff register n, and after the last register set of blocks n.
fn scripts() -> Data {
    let script = |register| Data::Structure(vec![Data::U16(u16::from(register)), Data::Array(Vec::new())]);
    Data::Array(selections().map(script).collect())
}

/// Class 6: mask n, named by the octet n, has register n alone; that of a set of blocks the register of its number.
fn activation(meter: &Esme, attribute: i8, shell: &Shell) -> Read {
    let register = |register: u8| {
        let name = shell.directory.name(Role::Tier(register - 1));
        Data::Structure(vec![Data::U16(3), Data::Octets(name.0.to_vec())])
    };
    let mask = |selection: u8| {
        let register = Selection::of(usize::from(selection) - 1, REGISTERS).register() + 1;
        let register = Data::U8(u8::try_from(register).unwrap_or_default());
        Data::Structure(vec![Data::Octets(vec![selection]), Data::Array(vec![register])])
    };
    Ok(match attribute {
        2 => Data::Array(registers().map(register).collect()),
        3 => Data::Array(selections().map(mask).collect()),
        4 => Data::Octets(vec![u8::try_from(meter.tariff.selected() + 1).unwrap_or_default()]),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Script 1 begins a block period.
pub(super) fn reset_blocks(meter: &mut Esme, parameter: Option<&Data>) -> Result<(), ActionResult> {
    match parameter.and_then(Data::as_i128) {
        Some(1) => {
            meter.reset_blocks();
            Ok(())
        }
        Some(_) => Err(ActionResult::ScopeOfAccessViolated),
        None => Err(ActionResult::TypeUnmatched),
    }
}

/// Whether a block period begins each day.
pub(super) fn set_daily_reset(meter: &mut Esme, value: &Data) -> Result<(), DataAccessResult> {
    let Data::Boolean(daily) = *value else { return Err(DataAccessResult::TypeUnmatched) };
    meter.set_daily_blocks(daily);
    Ok(())
}

/// Class 22: script 1 of the billing scripts, at a time of day on certain dates.
fn schedule(meter: &Esme, attribute: i8, shell: &Shell) -> Read {
    let BillingTime { minute, dates } = &meter.billing;
    let part = |part: u16| u8::try_from(part).unwrap_or_default();
    Ok(match attribute {
        2 => {
            let script = shell.directory.name(Role::BillingScript);
            Data::Structure(vec![Data::Octets(script.0.to_vec()), Data::U16(1)])
        }
        // Any number of execution times, of one time of day, wildcards in their dates.
        3 => Data::Enum(3),
        4 => {
            let time = || Data::Octets(vec![part(minute / 60), part(minute % 60), 0, 0]);
            let entry =
                |date: &DatePattern| Data::Structure(vec![time(), Data::Octets(date.octets().to_vec())]);
            Data::Array(dates.iter().map(entry).collect())
        }
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

pub(super) fn set_billing_time(meter: &mut Esme, value: &Data) -> Result<(), DataAccessResult> {
    let entries = value.elements().ok_or(DataAccessResult::TypeUnmatched)?;
    let entries: Vec<(u16, DatePattern)> = entries.iter().map(execution_time).collect::<Result<_, _>>()?;
    let too_much = DataAccessResult::ScopeOfAccessViolated;
    let (minute, _) = *entries.first().ok_or(too_much)?;
    if entries.len() > BILLING_DATES || entries.iter().any(|(other, _)| *other != minute) {
        return Err(too_much);
    }
    meter.set_billing(BillingTime { minute, dates: entries.into_iter().map(|(_, dates)| dates).collect() });
    Ok(())
}

/// Minute of the day and dates of an execution time of class 22.
fn execution_time(entry: &Data) -> Result<(u16, DatePattern), DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let [time, date] = entry.elements().ok_or(wrong)? else { return Err(wrong) };
    let [hour, minute, second, _] = *time.as_octets().ok_or(wrong)? else { return Err(wrong) };
    let date = date.as_octets().and_then(|date| <[u8; 5]>::try_from(date).ok()).ok_or(wrong)?;
    let date = DatePattern::new(date).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?;
    if hour > 23 || minute > 59 || !matches!(second, 0 | 0xff) {
        return Err(DataAccessResult::ScopeOfAccessViolated);
    }
    Ok((u16::from(hour) * 60 + u16::from(minute), date))
}
