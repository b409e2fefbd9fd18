//! The gas meter's own objects.

use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::directory::Spec;
use super::encode::{Unit, column, meter_time, rescaled, scaler_unit, stamp, u32_of};
use super::esme::half_hours;
use super::role::Role;
use super::{Buffer, Device, Shell, calendar, connection, customer, settings};
use crate::model::core::Core;
use crate::model::gsme::Gsme;
use crate::model::gsme::logs::{BillingPeriods, DAYS, DayEntry, PERIODS, PeriodEntry, Periodicity};
use crate::model::gsme::network_data::{ENTRIES, NetworkEntry, PERIOD};
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
        if let Some(value) = energy_register(self, spec.role, attribute) {
            return Ok(value);
        }
        match spec.role {
            Role::ProfileStatus => return Ok(Data::U8(self.profile().last_status())),
            Role::DepletionState => return Ok(Data::Enum(self.locks_when_flat().into())),
            Role::NetworkDataSample => return Ok(Data::U32(self.network_data().sample())),
            _ => {}
        }
        let interval = self.profile().all().last().map_or(0, |capture| capture.interval);
        match gas_register(spec.role, attribute, [self.litres(), interval], self.battery_percent()) {
            Some(value) => Ok(value),
            None => tariff(self, spec, attribute, shell),
        }
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        match role {
            Role::Profile => Some(half_hours(self.profile(), [Role::IntervalGas, Role::GasVolume], shell)),
            Role::DailyLog => Some(days(self.logs().days(), shell)),
            Role::BillingLog => Some(periods(self, shell)),
            Role::NetworkDataLog => Some(network_data(self, shell)),
            role => connection::buffer(&self.connection, role, shell),
        }
    }

    fn write(
        &mut self,
        spec: &Spec,
        attribute: i8,
        value: &Data,
        shell: &Shell,
    ) -> Result<(), DataAccessResult> {
        match spec.role {
            Role::CalorificValue | Role::ConversionFactor => set_conversion(self, spec.role, value),
            Role::Calendar => calendar::write(&mut self.tariff, attribute, value, shell.sign),
            Role::SpecialDays => {
                let shown = self.connection.core.shown();
                calendar::write_special_days(&mut self.tariff, value, shown)
            }
            Role::PassiveSpecialDays => calendar::hold_special_days(&mut self.tariff, value),
            Role::BlockThreshold(set) => {
                settings::taken(self.blocks.set_ends(set.into(), settings::block_ends(value)?))
            }
            Role::PassiveBlockThreshold(set) => {
                settings::taken(self.blocks.hold_ends(set.into(), settings::block_ends(value)?))
            }
            Role::Activation(part) => {
                settings::date(&mut self.connection, part, value, || self.tariff.check_held())
            }
            Role::BillingPeriods => set_billing(self, value, shell),
            Role::UncontrolledFlow | Role::FlowStabilisation | Role::FlowMeasurement => {
                set_flow_limit(self, spec.role, value)
            }
            Role::DepletionState => {
                let locks = customer::choice(value)?;
                self.set_locks_when_flat(locks);
                Ok(())
            }
            Role::NetworkDataLog => record(self, value),
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
        let shown = self.connection.core.shown();
        match spec.role {
            Role::Calendar => calendar::activate(&mut self.tariff, shown),
            Role::SpecialDays => calendar::change_special_days(&mut self.tariff, method, parameter, shown),
            Role::ActivationScript => settings::run(parameter, |part| self.activate_by_command(part)),
            _ => connection::invoke(&mut self.connection, spec, method, parameter),
        }
    }
}

/// What the tariff of a gas meter is made of, and its billing periods.
fn tariff(meter: &Gsme, spec: &Spec, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
    let litres = |litres: Option<u64>| match litres {
        _ if attribute == 3 => Ok(scaler_unit(-3, Unit::CubicMetre)),
        Some(litres) => Ok(u32_of(litres)),
        None => Err(DataAccessResult::ObjectUnavailable),
    };
    match spec.role {
        Role::Calendar => calendar::read(&meter.tariff, attribute, shell.sign),
        Role::SpecialDays => Ok(calendar::special_days(meter.tariff.special_days())),
        Role::PassiveSpecialDays => Ok(calendar::special_days(meter.tariff.held_special_days())),
        Role::BlockThreshold(set) => {
            settings::threshold(meter.blocks.ends(set.into()), attribute, Role::GasVolume, shell)
        }
        Role::PassiveBlockThreshold(set) => {
            settings::threshold(meter.blocks.held_ends(set.into()), attribute, Role::GasVolume, shell)
        }
        Role::GasTier(tier) => litres(meter.tier(tier.into())),
        Role::GasBlockCounter(block) => litres(meter.blocks.counter(0, block.into())),
        Role::BillingPeriods => Ok(billing(meter, shell)),
        _ => connection::read(&meter.connection, spec, attribute, shell),
    }
}

/// When the first billing period begins, and the number of how long each is.
fn billing(meter: &Gsme, shell: &Shell) -> Data {
    let periods = meter.logs().billing();
    let number = Periodicity::ALL.iter().position(|known| *known == periods.periodicity());
    let number = number.and_then(|number| u8::try_from(number).ok()).unwrap_or_default();
    Data::Structure(vec![stamp(periods.start(), shell.sign), Data::Enum(number)])
}

fn set_billing(meter: &mut Gsme, value: &Data, shell: &Shell) -> Result<(), DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let [start, number] = value.elements().ok_or(wrong)? else { return Err(wrong) };
    let start = meter_time(start, shell.sign).ok_or(wrong)?;
    let number = number.as_i128().and_then(|number| usize::try_from(number).ok()).ok_or(wrong)?;
    let too_much = DataAccessResult::ScopeOfAccessViolated;
    let periodicity = *Periodicity::ALL.get(number).ok_or(too_much)?;
    meter.set_billing(BillingPeriods::new(start, periodicity).ok_or(too_much)?);
    Ok(())
}

/// What the meter converts volume to energy with, and what it made of it.
fn energy_register(meter: &Gsme, role: Role, attribute: i8) -> Option<Data> {
    let conversion = meter.conversion();
    let limits = meter.flow_limits();
    let (value, scale) = match role {
        Role::UncontrolledFlow => (Data::U32(limits.rate()), scaler_unit(-4, Unit::CubicMetreAnHour)),
        Role::FlowStabilisation => (Data::U32(limits.stabilisation()), scaler_unit(0, Unit::Second)),
        Role::FlowMeasurement => (Data::U32(limits.measurement()), scaler_unit(0, Unit::Second)),
        Role::CalorificValue => (Data::U32(conversion.calorific_value()), scaler_unit(-2, Unit::Count)),
        Role::ConversionFactor => (Data::U32(conversion.factor()), scaler_unit(-5, Unit::Count)),
        Role::GasEnergy => (u32_of(meter.watt_hours()), scaler_unit(0, Unit::WattHour)),
        _ => return None,
    };
    Some(if attribute == 3 { scale } else { value })
}

fn set_conversion(meter: &mut Gsme, role: Role, value: &Data) -> Result<(), DataAccessResult> {
    let number = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
    let number = u32::try_from(number).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?;
    let conversion = match role {
        Role::CalorificValue => meter.conversion().with_calorific_value(number),
        _ => meter.conversion().with_factor(number),
    };
    meter.set_conversion(conversion.map_err(|_| DataAccessResult::ScopeOfAccessViolated)?);
    Ok(())
}

/// When a flow is uncontrolled: above which rate, and in which time after the valve was opened.
fn set_flow_limit(meter: &mut Gsme, role: Role, value: &Data) -> Result<(), DataAccessResult> {
    let number = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
    let number = u32::try_from(number).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?;
    let limits = meter.flow_limits();
    let limits = match role {
        Role::UncontrolledFlow => limits.with_rate(number),
        Role::FlowStabilisation => limits.with_stabilisation(number),
        _ => limits.with_measurement(number),
    };
    meter.set_flow_limits(limits.map_err(|_| DataAccessResult::ScopeOfAccessViolated)?);
    Ok(())
}

/// The capture period of the network data log: with its own a recording begins, with nought it ends.
fn record(meter: &mut Gsme, value: &Data) -> Result<(), DataAccessResult> {
    let seconds = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
    match seconds * 1000 {
        0 => meter.record_network_data(false),
        millis if millis == i128::from(PERIOD) => meter.record_network_data(true),
        _ => return Err(DataAccessResult::ScopeOfAccessViolated),
    }
    Ok(())
}

/// The network data log; its capture period is nought while nothing is recorded.
fn network_data(meter: &Gsme, shell: &Shell) -> Buffer {
    let name = |role| shell.directory.name(role);
    let scaler = shell.directory.scaler(Role::GasVolume, -3);
    let row = |entry: &NetworkEntry| {
        Data::Structure(vec![stamp(entry.at, shell.sign), u32_of(rescaled(entry.litres, -3, scaler))])
    };
    let log = meter.network_data();
    Buffer {
        columns: vec![column(8, name(Role::Clock), 2), column(3, name(Role::GasVolume), 2)],
        rows: log.entries().iter().map(row).collect(),
        capacity: ENTRIES,
        period: if log.is_recording() { u32::try_from(PERIOD / 1000).unwrap_or_default() } else { 0 },
    }
}

/// The daily log of a gas meter or its mirror: midnight, and what the register then showed.
pub(super) fn days<'d>(entries: impl Iterator<Item = &'d DayEntry>, shell: &Shell) -> Buffer {
    let name = |role| shell.directory.name(role);
    let scaler = shell.directory.scaler(Role::GasVolume, -3);
    let row = |day: &DayEntry| {
        Data::Structure(vec![stamp(day.at, shell.sign), u32_of(rescaled(day.litres, -3, scaler))])
    };
    Buffer {
        columns: vec![column(8, name(Role::Clock), 2), column(3, name(Role::GasVolume), 2)],
        rows: entries.map(row).collect(),
        capacity: DAYS,
        period: 86_400,
    }
}

/// The billing periods: end, volume, energy, balance, and why it ended.
fn periods(meter: &Gsme, shell: &Shell) -> Buffer {
    let name = |role| shell.directory.name(role);
    let scaler = shell.directory.scaler(Role::GasVolume, -3);
    let row = |period: &PeriodEntry| {
        Data::Structure(vec![
            stamp(period.at, shell.sign),
            u32_of(rescaled(period.litres, -3, scaler)),
            u32_of(period.watt_hours),
            Data::I32(period.balance.to_i32()),
            Data::Enum(period.end.number()),
        ])
    };
    Buffer {
        columns: vec![
            column(8, name(Role::Clock), 2),
            column(3, name(Role::GasVolume), 2),
            column(3, name(Role::GasEnergy), 2),
            column(112, name(Role::Balance), 2),
            column(7, name(Role::BillingLog), -1),
        ],
        rows: meter.logs().periods().map(row).collect(),
        capacity: PERIODS,
        period: 0,
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
