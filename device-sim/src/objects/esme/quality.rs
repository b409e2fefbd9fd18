//! Voltage: thresholds, how long they are borne, and counts.

use proto_dlms::data::{Data, DataAccessResult};

use super::super::encode::{Unit, scaler_unit};
use super::super::role::Role;
use crate::model::esme::Esme;
use crate::model::voltage::Band;

/// The bands by number: what lies below on even numbers, above on odd ones. The last two are those of the average.
fn band(number: u8) -> Option<Band> {
    match number {
        0 => Some(Band::Sag),
        1 => Some(Band::Swell),
        2 => Some(Band::ExtremeUnder),
        3 => Some(Band::ExtremeOver),
        _ => None,
    }
}

pub(super) fn read(meter: &Esme, role: Role, attribute: i8) -> Result<Data, DataAccessResult> {
    let quality = &meter.quality;
    let [average_over, average_under] = quality.average_thresholds();
    let [over_count, under_count] = quality.average_counts();
    Ok(match (role, attribute) {
        (Role::AverageVoltage | Role::VoltageThreshold(_), 3) => scaler_unit(-1, Unit::Volt),
        (Role::VoltagePatience(_), 3) => scaler_unit(0, Unit::Second),
        (Role::VoltageCount(_), 3) => scaler_unit(0, Unit::Count),
        (Role::AverageVoltage, 2) => {
            Data::U16(quality.profile().all().next_back().map_or(0, |average| average.decivolts))
        }
        (Role::VoltageThreshold(number), 2) => Data::U16(match band(number) {
            Some(band) => quality.threshold(band),
            None if number == 4 => average_under,
            None => average_over,
        }),
        (Role::VoltagePatience(number), 2) => {
            let band = band(number).ok_or(DataAccessResult::ObjectUnavailable)?;
            Data::U32(u32::try_from(quality.patience(band) / 1000).unwrap_or(u32::MAX))
        }
        (Role::VoltageCount(number), 2) => Data::U32(match band(number) {
            Some(band) => quality.count_of(band),
            None if number == 4 => under_count,
            None => over_count,
        }),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

pub(super) fn write(meter: &mut Esme, role: Role, value: &Data) -> Result<(), DataAccessResult> {
    let number = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
    let taken = match role {
        Role::VoltageProfile => set_period(meter, number),
        Role::VoltageThreshold(of) => {
            u16::try_from(number).is_ok_and(|decivolts| set_threshold(meter, of, decivolts))
        }
        Role::VoltagePatience(of) => u32::try_from(number).is_ok_and(|seconds| {
            let patience = i64::from(seconds) * 1000;
            band(of).is_some_and(|band| meter.quality.set_patience(band, patience))
        }),
        _ => false,
    };
    if taken { Ok(()) } else { Err(DataAccessResult::ScopeOfAccessViolated) }
}

pub(super) fn reset_count(meter: &mut Esme, number: u8) {
    match band(number) {
        Some(band) => meter.quality.reset_count(band),
        None => meter.quality.reset_average_count(number == 5),
    }
}

/// The capture period of the voltage profile, in seconds: a whole number of minutes the meter averages over.
fn set_period(meter: &mut Esme, seconds: i128) -> bool {
    let minutes = u8::try_from(seconds / 60).unwrap_or_default();
    seconds % 60 == 0 && meter.quality.set_period(minutes)
}

fn set_threshold(meter: &mut Esme, number: u8, decivolts: u16) -> bool {
    let [over, under] = meter.quality.average_thresholds();
    match band(number) {
        Some(band) => meter.quality.set_threshold(band, decivolts),
        None if number == 4 => meter.quality.set_average_thresholds([over, decivolts]),
        None => meter.quality.set_average_thresholds([decivolts, under]),
    }
}
