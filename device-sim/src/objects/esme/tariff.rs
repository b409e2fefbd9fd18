//! What switches registers and ends periods: scripts, register activation, block thresholds, the billing schedule.

use proto_dlms::data::{Data, DataAccessResult};

use super::super::Shell;
use super::super::directory::Role;
use super::super::encode::u32_of;
use crate::model::calendar::DatePattern;
use crate::model::esme::{BillingTime, Esme};
use crate::model::tariff::{BLOCKS, REGISTERS};

type Read = Result<Data, DataAccessResult>;

pub(super) fn read(meter: &Esme, role: Role, attribute: i8, shell: &Shell) -> Read {
    match role {
        Role::TariffScript => Ok(scripts()),
        Role::RegisterActivation => activation(meter, attribute, shell),
        Role::BlockThreshold(block) => threshold(meter, block, attribute, shell),
        Role::BillingSchedule => schedule(meter, attribute, shell),
        Role::BillingScript => {
            Ok(Data::Array(vec![Data::Structure(vec![Data::U16(1), Data::Array(Vec::new())])]))
        }
        _ => Err(DataAccessResult::ObjectUnavailable),
    }
}

fn registers() -> std::ops::RangeInclusive<u8> {
    1..=u8::try_from(REGISTERS).unwrap_or_default()
}

/// Script n selects tariff register n.
fn scripts() -> Data {
    let script = |register| Data::Structure(vec![Data::U16(u16::from(register)), Data::Array(Vec::new())]);
    Data::Array(registers().map(script).collect())
}

/// Class 6: mask n, named by the octet n, has register n alone.
fn activation(meter: &Esme, attribute: i8, shell: &Shell) -> Read {
    let register = |register: u8| {
        let name = shell.directory.name(Role::Tier(register - 1));
        Data::Structure(vec![Data::U16(3), Data::Octets(name.0.to_vec())])
    };
    let mask = |register: u8| {
        Data::Structure(vec![Data::Octets(vec![register]), Data::Array(vec![Data::U8(register)])])
    };
    Ok(match attribute {
        2 => Data::Array(registers().map(register).collect()),
        3 => Data::Array(registers().map(mask).collect()),
        4 => Data::Octets(vec![u8::try_from(meter.register() + 1).unwrap_or_default()]),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Class 21: where a block ends, in watt hours of the block period. An open end has no threshold.
fn threshold(meter: &Esme, block: u8, attribute: i8, shell: &Shell) -> Read {
    let end = meter.blocks.end(block.into());
    Ok(match attribute {
        2 => Data::Array(end.into_iter().map(u32_of).collect()),
        3 => {
            let monitored = shell.directory.name(Role::ActiveImport);
            Data::Structure(vec![Data::U16(3), Data::Octets(monitored.0.to_vec()), Data::I8(2)])
        }
        // What passing it does, the next block, is the meter's own.
        4 => Data::Array(Vec::new()),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// The last block has no end.
pub(super) fn set_block_end(meter: &mut Esme, block: u8, value: &Data) -> Result<(), DataAccessResult> {
    let thresholds = value.elements().ok_or(DataAccessResult::TypeUnmatched)?;
    let end = match thresholds {
        [] => None,
        [end] => {
            let end = end.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
            Some(u32::try_from(end).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?.into())
        }
        _ => return Err(DataAccessResult::ScopeOfAccessViolated),
    };
    let last = usize::from(block) + 1 == BLOCKS;
    if (last && end.is_none()) || meter.blocks.set_end(block.into(), end) {
        Ok(())
    } else {
        Err(DataAccessResult::ScopeOfAccessViolated)
    }
}

/// Class 22: script 1 of the billing scripts, at a time of day on certain dates.
fn schedule(meter: &Esme, attribute: i8, shell: &Shell) -> Read {
    let BillingTime { minute, date } = meter.billing;
    let part = |part: u16| u8::try_from(part).unwrap_or_default();
    Ok(match attribute {
        2 => {
            let script = shell.directory.name(Role::BillingScript);
            Data::Structure(vec![Data::Octets(script.0.to_vec()), Data::U16(1)])
        }
        // One execution time, wildcards in the date.
        3 => Data::Enum(2),
        4 => {
            let time = Data::Octets(vec![part(minute / 60), part(minute % 60), 0, 0]);
            Data::Array(vec![Data::Structure(vec![time, Data::Octets(date.octets().to_vec())])])
        }
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

pub(super) fn set_billing_time(meter: &mut Esme, value: &Data) -> Result<(), DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let [only] = value.elements().ok_or(wrong)? else { return Err(DataAccessResult::ScopeOfAccessViolated) };
    let [time, date] = only.elements().ok_or(wrong)? else { return Err(wrong) };
    let [hour, minute, ..] = *time.as_octets().ok_or(wrong)? else { return Err(wrong) };
    let date = date.as_octets().and_then(|date| <[u8; 5]>::try_from(date).ok()).ok_or(wrong)?;
    let date = DatePattern::new(date).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?;
    if hour > 23 || minute > 59 {
        return Err(DataAccessResult::ScopeOfAccessViolated);
    }
    meter.billing = BillingTime { minute: u16::from(hour) * 60 + u16::from(minute), date };
    Ok(())
}
