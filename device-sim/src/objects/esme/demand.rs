//! Demand (class 5) and its largest value (class 4).

use proto_dlms::data::{Data, DataAccessResult, DeviationSign};

use super::super::directory::Role;
use super::super::encode::{Unit, never, scaler_unit, stamp};
use crate::model::demand::{Demand, Peak};
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
    let watts = |peak: Option<Peak>| Data::U32(peak.map_or(0, |peak| peak.watts));
    let at = |peak: Option<Peak>| peak.map_or_else(never, |peak| stamp(peak.at, sign));
    let class_4 = matches!(role, Role::PeakImport | Role::PeakExport);
    Ok(match (class_4, attribute) {
        (true, 2) => watts(demand.peak()),
        (true, 5) => at(demand.peak()),
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
    let demand = demand_mut(meter, role);
    if method == 2 { demand.next_period(shown) } else { demand.reset() }
}
