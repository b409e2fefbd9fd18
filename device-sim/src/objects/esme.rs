//! The electricity meter's own objects.

use lab_config::{Particulars, ProfileColumn};
use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::directory::{Role, Spec};
use super::encode::{Unit, column, rescaled, scaler_unit, stamp, u32_of};
use super::{Buffer, Device, Shell, calendar, connection};
use crate::model::core::Core;
use crate::model::esme::{Esme, Limiter};
use crate::model::profile::{Capture, PROFILE_ENTRIES, Profile};
use crate::model::time::Moment;

impl Device for Esme {
    fn core(&self) -> &Core {
        &self.connection.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.connection.core
    }

    fn live(&mut self, to: Moment) {
        self.advance(to);
    }

    fn read(&self, spec: &Spec, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
        match spec.role {
            Role::Calendar => calendar::read(self, attribute, shell.sign),
            Role::Limiter => limiter(self, attribute),
            _ if attribute == 3 && scale(spec.role).is_some() => {
                scale(spec.role).ok_or(DataAccessResult::ReadWriteDenied)
            }
            role => match register(self, role) {
                Some(value) => Ok(value),
                None => connection::read(&self.connection, spec, attribute, shell.sign),
            },
        }
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        (role == Role::Profile)
            .then(|| half_hours(self.profile(), [Role::IntervalImport, Role::ActiveImport], shell))
    }

    fn write(
        &mut self,
        spec: &Spec,
        attribute: i8,
        value: &Data,
        shell: &Shell,
    ) -> Result<(), DataAccessResult> {
        match spec.role {
            Role::Calendar => calendar::write(self, attribute, value, shell.sign),
            Role::Limiter => set_limiter(self, attribute, value),
            _ => connection::write(&mut self.connection, spec, attribute, value, shell.sign),
        }
    }

    fn invoke(
        &mut self,
        spec: &Spec,
        method: i8,
        parameter: Option<&Data>,
        _: &Shell,
    ) -> Result<(), ActionResult> {
        match spec.role {
            Role::Calendar if self.activate_table() => Ok(()),
            Role::Calendar => Err(ActionResult::ObjectUnavailable),
            _ => connection::invoke(&mut self.connection, spec, method, parameter),
        }
    }
}

fn register(meter: &Esme, role: Role) -> Option<Data> {
    Some(match role {
        Role::ActiveImport => u32_of(meter.import_wh()),
        Role::ActiveExport => Data::U32(0),
        Role::Tier(tier) => u32_of(meter.tier_wh(usize::from(tier)).unwrap_or_default()),
        Role::IntervalImport => u32_of(meter.profile().all().last().map_or(0, |capture| capture.interval)),
        Role::ActivePower => Data::U32(meter.watts()),
        Role::Voltage => Data::U16(meter.decivolts()),
        _ => return None,
    })
}

fn scale(role: Role) -> Option<Data> {
    Some(match role {
        Role::ActiveImport | Role::ActiveExport | Role::Tier(_) | Role::IntervalImport => {
            scaler_unit(0, Unit::WattHour)
        }
        Role::ActivePower => scaler_unit(0, Unit::Watt),
        Role::Voltage => scaler_unit(-1, Unit::Volt),
        _ => return None,
    })
}

/// Class 71: the power monitored, the limit, and how long more is borne, in seconds.
fn limiter(meter: &Esme, attribute: i8) -> Result<Data, DataAccessResult> {
    let limiter = meter.limiter();
    Ok(match attribute {
        2 => Data::Structure(vec![Data::U16(3), Data::Octets(vec![1, 0, 1, 7, 0, 255]), Data::I8(2)]),
        3 | 4 => Data::U32(limiter.watts),
        6 => u32_of(limiter.millis.unsigned_abs() / 1000),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

fn set_limiter(meter: &mut Esme, attribute: i8, value: &Data) -> Result<(), DataAccessResult> {
    let number = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
    let number = u32::try_from(number).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?;
    let limiter = match attribute {
        4 => Limiter { watts: number, ..meter.limiter() },
        _ => Limiter { millis: i64::from(number) * 1000, ..meter.limiter() },
    };
    meter.set_limiter(limiter);
    Ok(())
}

/// The half-hourly profile: end of the half hour, what flowed in it, what the register then showed, in the order of the
/// Device Model.
pub(super) fn half_hours(profile: &Profile, [interval, reading]: [Role; 2], shell: &Shell) -> Buffer {
    let name = |role| shell.directory.name(role);
    let usual = if reading == Role::GasVolume { -3 } else { 0 };
    let scaler = shell.directory.scaler(reading, usual);
    let order = shell.particulars().map_or(&[][..], Particulars::profile_columns);
    let value = |capture: &Capture, column: &ProfileColumn| match column {
        ProfileColumn::Time => stamp(capture.at, shell.sign),
        ProfileColumn::Interval => u32_of(capture.interval),
        ProfileColumn::Reading => u32_of(rescaled(capture.reading, usual, scaler)),
    };
    let row =
        |capture: &Capture| Data::Structure(order.iter().map(|column| value(capture, column)).collect());
    let object = |of: &ProfileColumn| match of {
        ProfileColumn::Time => column(8, name(Role::Clock), 2),
        ProfileColumn::Interval => column(3, name(interval), 2),
        ProfileColumn::Reading => column(3, name(reading), 2),
    };
    Buffer {
        columns: order.iter().map(object).collect(),
        rows: profile.all().map(row).collect(),
        capacity: PROFILE_ENTRIES,
        period: 1800,
    }
}
