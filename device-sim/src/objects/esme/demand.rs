//! Demand (class 5) and its largest value (class 4).

use proto_dlms::data::{Data, DataAccessResult, DeviationSign};

use super::super::encode::{Unit, never, scaler_unit, stamp};
use super::super::role::Role;
use crate::model::demand::{Demand, Peak};
use crate::model::demand_window::PartOfDay;
use crate::model::esme::Esme;

fn demand(meter: &Esme, role: Role) -> &Demand {
    match role {
        Role::PeakExport | Role::DemandExport => &meter.export_demand,
        _ => &meter.import_demand,
    }
}

fn demand_mut(meter: &mut Esme, role: Role) -> &mut Demand {
    match role {
        Role::PeakExport | Role::DemandExport => &mut meter.export_demand,
        _ => &mut meter.import_demand,
    }
}

pub(super) fn read(
    meter: &Esme,
    role: Role,
    attribute: i8,
    sign: DeviationSign,
) -> Result<Data, DataAccessResult> {
    let demand = demand(meter, role);
    let peak = if role == Role::PeakImportInWindow { meter.demand_window.peak() } else { demand.peak() };
    let watts = |peak: Option<Peak>| Data::U32(peak.map_or(0, |peak| peak.watts));
    let at = |peak: Option<Peak>| peak.map_or_else(never, |peak| stamp(peak.at, sign));
    let class_4 = matches!(role, Role::PeakImport | Role::PeakExport | Role::PeakImportInWindow);
    Ok(match (class_4, attribute) {
        (true, 2) => watts(peak),
        (true, 5) => at(peak),
        (false, 2) => Data::U32(demand.running()),
        (false, 3) => watts(demand.last()),
        (true, 3) | (false, 4) => scaler_unit(0, Unit::Watt),
        // No status.
        (true, 4) | (false, 5) => Data::U8(0),
        (false, 6) => at(demand.last()),
        (false, 7) => stamp(demand.begun(), sign),
        (false, 8) => Data::U32(demand.period_seconds()),
        // Block demand: one period.
        (false, 9) => Data::U16(1),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Attribute 8 of class 5: the averaging period in seconds.
pub(super) fn write(meter: &mut Esme, role: Role, value: &Data) -> Result<(), DataAccessResult> {
    let seconds = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
    let shown = meter.connection.core.shown();
    let seconds = u32::try_from(seconds).unwrap_or_default();
    if demand_mut(meter, role).set_period(seconds, shown) {
        Ok(())
    } else {
        Err(DataAccessResult::ScopeOfAccessViolated)
    }
}

/// Method 1 forgets the largest demand; method 2 of class 5 ends the running period.
pub(super) fn invoke(meter: &mut Esme, role: Role, method: i8) {
    let shown = meter.connection.core.shown();
    match (role, method) {
        (Role::PeakImportInWindow, _) => meter.demand_window.reset(),
        (_, 2) => {
            demand_mut(meter, role).next_period(shown);
        }
        _ => demand_mut(meter, role).reset(),
    }
}

/// The part of the day: two times of day in UTC.
pub(super) fn window(meter: &Esme) -> Data {
    let part = |minute: u16| u8::try_from(minute).unwrap_or_default();
    let time = |minute: u16| Data::Octets(vec![part(minute / 60), part(minute % 60), 0, 0]);
    Data::Structure(meter.demand_window.part().minutes().map(time).to_vec())
}

pub(super) fn set_window(meter: &mut Esme, value: &Data) -> Result<(), DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let out_of_range = DataAccessResult::ScopeOfAccessViolated;
    let [from, to] = value.elements().ok_or(wrong)? else { return Err(wrong) };
    let minute = |time: &Data| match time.as_octets().ok_or(wrong)? {
        [hour @ 0..=23, minute @ 0..=59, 0, 0] => Ok(u16::from(*hour) * 60 + u16::from(*minute)),
        [_, _, _, _] => Err(out_of_range),
        _ => Err(wrong),
    };
    let part = PartOfDay::new(minute(from)?, minute(to)?).ok_or(out_of_range)?;
    meter.demand_window.set_part(part);
    Ok(())
}
