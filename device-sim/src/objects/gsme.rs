//! The gas meter's own objects.

use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::directory::{Role, Spec};
use super::encode::{Unit, scaler_unit, u32_of};
use super::esme::half_hours;
use super::{Buffer, Device, Shell, connection};
use crate::model::core::Core;
use crate::model::gsme::Gsme;
use crate::model::time::Moment;

impl Device for Gsme {
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
        let interval = self.profile().all().last().map_or(0, |capture| capture.interval);
        match gas_register(spec.role, attribute, [self.litres(), interval], self.battery_percent()) {
            Some(value) => Ok(value),
            None => connection::read(&self.connection, spec, attribute, shell.sign),
        }
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        (role == Role::Profile)
            .then(|| half_hours(self.profile(), [Role::IntervalGas, Role::GasVolume], shell))
    }

    fn write(
        &mut self,
        spec: &Spec,
        attribute: i8,
        value: &Data,
        shell: &Shell,
    ) -> Result<(), DataAccessResult> {
        connection::write(&mut self.connection, spec, attribute, value, shell.sign)
    }

    fn invoke(
        &mut self,
        spec: &Spec,
        method: i8,
        parameter: Option<&Data>,
        _: &Shell,
    ) -> Result<(), ActionResult> {
        connection::invoke(&mut self.connection, spec, method, parameter)
    }
}

/// Registers of a gas meter or its mirror: litres and litres of the last half hour as cubic metres to three
/// places, and the battery.
pub(super) fn gas_register(role: Role, attribute: i8, litres: [u64; 2], battery: u8) -> Option<Data> {
    let [volume, interval] = litres;
    let (value, scale) = match role {
        Role::GasVolume => (u32_of(volume), scaler_unit(-3, Unit::CubicMetre)),
        Role::IntervalGas => (u32_of(interval), scaler_unit(-3, Unit::CubicMetre)),
        Role::Battery => (Data::U8(battery), scaler_unit(0, Unit::Percent)),
        _ => return None,
    };
    Some(if attribute == 3 { scale } else { value })
}
