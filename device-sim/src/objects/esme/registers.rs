//! Registers of energy and power (class 3).

use proto_dlms::data::{Data, DataAccessResult};

use super::super::encode::{Unit, scaler_unit, u32_of};
use super::super::role::Role;
use crate::model::esme::{Channel, Esme};
use crate::model::tariff::BLOCKS;

/// A register's value, or its scaler and unit; none for what is no register of energy, power or voltage.
pub(super) fn read(meter: &Esme, role: Role, attribute: i8) -> Option<Result<Data, DataAccessResult>> {
    let (value, scaler, unit) = register(meter, role)?;
    Some(match attribute {
        2 => Ok(value),
        3 => Ok(scaler_unit(scaler, unit)),
        _ => Err(DataAccessResult::ReadWriteDenied),
    })
}

fn register(meter: &Esme, role: Role) -> Option<(Data, i8, Unit)> {
    let registers = meter.registers();
    let interval = |channel| u32_of(meter.logs().profile(channel).last_interval());
    let active = |wh: Data| (wh, 0, Unit::WattHour);
    let reactive = |varh: Data| (varh, 0, Unit::VarHour);
    Some(match role {
        Role::ActiveImport => active(u32_of(registers.import())),
        Role::ActiveExport => active(u32_of(registers.export())),
        Role::Tier(tier) => active(u32_of(registers.tier(tier.into())?)),
        Role::Block(block) => active(u32_of(registers.block(block.into())?)),
        Role::BlockCounter(block) => {
            let (set, block) = (usize::from(block) / BLOCKS, usize::from(block) % BLOCKS);
            active(u32_of(meter.blocks.counter(set, block)?))
        }
        Role::IntervalImport => active(interval(Channel::Import)),
        Role::IntervalExport => active(interval(Channel::Export)),
        Role::ReactiveImport => reactive(u32_of(registers.reactive_import())),
        Role::ReactiveExport => reactive(u32_of(registers.reactive_export())),
        Role::Quadrant(quadrant) => reactive(u32_of(registers.quadrant(quadrant.into())?)),
        Role::IntervalReactiveImport => reactive(interval(Channel::ReactiveImport)),
        Role::IntervalReactiveExport => reactive(interval(Channel::ReactiveExport)),
        Role::ActivePower => (Data::U32(meter.power().import), 0, Unit::Watt),
        Role::ExportPower => (Data::U32(meter.power().export), 0, Unit::Watt),
        Role::Voltage => (Data::U16(meter.decivolts()), -1, Unit::Volt),
        _ => return None,
    })
}
