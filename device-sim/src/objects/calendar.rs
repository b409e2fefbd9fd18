//! Class 20: the switching table as an activity calendar with one season, one week and one day.

use proto_dlms::data::{Data, DataAccessResult, DeviationSign, Obis};

use super::encode::{meter_time, stamp, text};
use crate::model::connection::Passive;
use crate::model::esme::Esme;
use crate::model::tariff::{Switching, SwitchingTable};

/// Script table whose selectors are the tariff registers.
const TARIFF_SCRIPTS: Obis = Obis([0, 0, 10, 0, 100, 255]);

pub(super) fn read(meter: &Esme, attribute: i8, sign: DeviationSign) -> Result<Data, DataAccessResult> {
    let passive = meter.passive_table();
    let held = passive.map_or(meter.table(), |passive| &passive.value);
    Ok(match attribute {
        2 => text("active"),
        6 => text("passive"),
        3 | 7 => seasons(),
        4 | 8 => weeks(),
        5 => days(meter.table()),
        9 => days(held),
        10 => passive
            .and_then(|passive| passive.at)
            .map_or_else(|| Data::Octets(vec![0xff; 12]), |at| stamp(at, sign)),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// One season, from any time on, with the week of the same name.
fn seasons() -> Data {
    Data::Array(vec![Data::Structure(vec![text("1"), Data::Octets(vec![0xff; 12]), text("1")])])
}

/// One week whose days are all day 1.
fn weeks() -> Data {
    let days = (0..7).map(|_| Data::U8(1));
    Data::Array(vec![Data::Structure(std::iter::once(text("1")).chain(days).collect())])
}

fn days(table: &SwitchingTable) -> Data {
    let action = |switching: &Switching| {
        let part = |minutes: u16| u8::try_from(minutes).unwrap_or_default();
        Data::Structure(vec![
            Data::Octets(vec![part(switching.from / 60), part(switching.from % 60), 0, 0]),
            Data::Octets(TARIFF_SCRIPTS.0.to_vec()),
            Data::U16(u16::from(switching.register) + 1),
        ])
    };
    let actions = table.switchings().iter().map(action).collect();
    Data::Array(vec![Data::Structure(vec![Data::U8(1), Data::Array(actions)])])
}

pub(super) fn write(
    meter: &mut Esme,
    attribute: i8,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    let held = meter.passive_table();
    let at = held.and_then(|passive| passive.at);
    let passive = match attribute {
        9 => Passive { value: table(value)?, at },
        10 => {
            let value_held = held.map_or(meter.table(), |passive| &passive.value).clone();
            let at = meter_time(value, sign).ok_or(DataAccessResult::TypeUnmatched)?;
            Passive { value: value_held, at: Some(at) }
        }
        _ => return Err(DataAccessResult::ReadWriteDenied),
    };
    meter.hold_table(passive);
    Ok(())
}

/// The switching table of a day profile table with one day.
fn table(value: &Data) -> Result<SwitchingTable, DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let [day] = value.elements().ok_or(wrong)? else {
        return Err(DataAccessResult::ScopeOfAccessViolated);
    };
    let Some([_, actions]) = day.elements() else { return Err(wrong) };
    let actions = actions.elements().ok_or(wrong)?;
    let switchings = actions.iter().map(|action| switching(action).ok_or(wrong)).collect::<Result<_, _>>()?;
    SwitchingTable::new(switchings).map_err(|_| DataAccessResult::ScopeOfAccessViolated)
}

fn switching(action: &Data) -> Option<Switching> {
    let [start, _, selector] = action.elements()? else { return None };
    let [hour, minute, ..] = start.as_octets()? else { return None };
    let register = u8::try_from(selector.as_i128()?.checked_sub(1)?).ok()?;
    Some(Switching { from: u16::from(*hour) * 60 + u16::from(*minute), register })
}
