//! COSEM values of what the models know.

use proto_dlms::data::{CaptureObject, ClassId, Data, DateTime, DeviationSign, Obis};

use crate::model::clock::minutes_ahead_of_utc;
use crate::model::time::MeterTime;

/// A unit of a register (IEC 62056-6-2, table of units).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Second = 7,
    CubicMetre = 13,
    CubicMetreAnHour = 15,
    Watt = 27,
    WattHour = 30,
    VarHour = 32,
    Volt = 35,
    Percent = 56,
    /// A count, or a unit the table has no number for here.
    Count = 255,
}

/// Attribute 3 of a register.
pub(super) fn scaler_unit(scaler: i8, unit: Unit) -> Data {
    Data::Structure(vec![Data::I8(scaler), Data::Enum(unit as u8)])
}

/// Date, local time and deviation of a time, the way the Device Model writes them.
pub(super) fn date_time(time: MeterTime, sign: DeviationSign) -> DateTime {
    let ahead = minutes_ahead_of_utc(time);
    let mut shown = DateTime::from_unix(time.millis().div_euclid(1000), -ahead);
    shown.time.hundredths = u8::try_from(time.millis().rem_euclid(1000) / 10).unwrap_or_default();
    if sign == DeviationSign::Inverted {
        shown.deviation = ahead;
    }
    shown
}

/// As [`date_time`], in the octet string most objects carry it in.
pub(super) fn stamp(time: MeterTime, sign: DeviationSign) -> Data {
    Data::Octets(date_time(time, sign).to_octets().to_vec())
}

/// No time: all octets FF.
pub(super) fn never() -> Data {
    Data::Octets(vec![0xff; 12])
}

/// The time a client wrote; none for what is no moment.
pub(super) fn meter_time(data: &Data, sign: DeviationSign) -> Option<MeterTime> {
    let time = data.as_date_time()?;
    let hundredths = if time.time.hundredths > 99 { 0 } else { time.time.hundredths };
    let millis = time.to_unix(sign)?.checked_mul(1000)?;
    Some(MeterTime::from_millis(millis).plus(i64::from(hundredths) * 10))
}

/// A register's value with another scaler: what does not fit the coarser step is left off, as a register does.
pub(super) fn rescaled(value: u64, from: i8, to: i8) -> u64 {
    let power = 10u64.saturating_pow(from.abs_diff(to).into());
    if to > from { value / power } else { value.saturating_mul(power) }
}

pub(super) fn text(text: &str) -> Data {
    Data::Octets(text.as_bytes().to_vec())
}

pub(super) fn u32_of(value: u64) -> Data {
    Data::U32(u32::try_from(value).unwrap_or(u32::MAX))
}

/// A column of a profile.
pub(super) fn column(class: u16, obis: Obis, attribute: i8) -> CaptureObject {
    CaptureObject { class: ClassId(class), obis, attribute, data_index: 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_coarser_scaler_leaves_off_what_does_not_fit() {
        assert_eq!(
            (rescaled(12_349, 0, 1), rescaled(12_349, -3, -2), rescaled(5, 0, -2)),
            (1_234, 1_234, 500)
        );
    }

    proptest! {
        #[test]
        fn times_come_back_with_either_sign(second in 0i64..4_000_000_000, inverted: bool) {
            let sign = if inverted { DeviationSign::Inverted } else { DeviationSign::Standard };
            let time = MeterTime::from_millis(second * 1000 + 250);
            prop_assert_eq!(meter_time(&stamp(time, sign), sign), Some(time));
        }
    }
}
