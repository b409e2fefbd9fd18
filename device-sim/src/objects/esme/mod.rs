//! The electricity meter's own objects.

mod demand;
mod limiter;
mod logs;
mod quality;
mod registers;
mod tariff;

pub(super) use logs::half_hours;

use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::directory::Spec;
use super::role::Role;
use super::{Buffer, Device, Shell, calendar, connection, settings};
use crate::model::core::Core;
use crate::model::esme::Esme;
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

    fn set_mains(&mut self, on: bool) {
        if on && self.connection.core.regain_mains().is_some() {
            self.interrupted();
        } else if !on {
            self.connection.core.lose_mains();
        }
    }

    fn read(&self, spec: &Spec, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
        if let Some(value) = registers::read(self, spec.role, attribute) {
            return value;
        }
        match spec.role {
            Role::ProfileStatus => Ok(Data::U8(self.profile().last_status())),
            Role::Limiter | Role::LimiterPassive | Role::LimitCount | Role::PowerThresholds => {
                limiter::read(self, spec.role, attribute, shell)
            }
            Role::DemandWindow => Ok(demand::window(self)),
            Role::PeakImport
            | Role::PeakExport
            | Role::PeakImportInWindow
            | Role::DemandImport
            | Role::DemandExport => demand::read(self, spec.role, attribute, shell.sign),
            Role::AverageVoltage
            | Role::VoltageThreshold(_)
            | Role::VoltagePatience(_)
            | Role::VoltageCount(_) => quality::read(self, spec.role, attribute),
            Role::Calendar => calendar::read(&self.tariff, attribute, shell.sign),
            Role::SpecialDays => Ok(calendar::special_days(self.tariff.special_days())),
            Role::PassiveSpecialDays => Ok(calendar::special_days(self.tariff.held_special_days())),
            Role::BlockThreshold(set) => {
                settings::threshold(self.blocks.ends(set.into()), attribute, Role::ActiveImport, shell)
            }
            Role::PassiveBlockThreshold(set) => {
                settings::threshold(self.blocks.held_ends(set.into()), attribute, Role::ActiveImport, shell)
            }
            Role::DailyBlockReset => Ok(Data::Boolean(self.blocks.are_daily())),
            Role::TariffScript
            | Role::RegisterActivation
            | Role::BlockReset
            | Role::BillingSchedule
            | Role::BillingScript => tariff::read(self, spec.role, attribute, shell),
            _ => connection::read(&self.connection, spec, attribute, shell),
        }
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        logs::buffer(self, role, shell)
    }

    fn write(
        &mut self,
        spec: &Spec,
        attribute: i8,
        value: &Data,
        shell: &Shell,
    ) -> Result<(), DataAccessResult> {
        let shown = self.connection.core.shown();
        match spec.role {
            Role::Calendar => calendar::write(&mut self.tariff, attribute, value, shell.sign),
            Role::SpecialDays => calendar::write_special_days(&mut self.tariff, value, shown),
            Role::Limiter | Role::LimiterPassive | Role::PowerThresholds => {
                limiter::write(self, spec.role, attribute, value, shell.sign)
            }
            Role::DemandWindow => demand::set_window(self, value),
            Role::DemandImport | Role::DemandExport => demand::write(self, spec.role, value),
            Role::VoltageProfile | Role::VoltageThreshold(_) | Role::VoltagePatience(_) => {
                quality::write(self, spec.role, value)
            }
            Role::PassiveSpecialDays => calendar::hold_special_days(&mut self.tariff, value),
            Role::BlockThreshold(set) => {
                settings::taken(self.blocks.set_ends(set.into(), settings::block_ends(value)?))
            }
            Role::PassiveBlockThreshold(set) => {
                settings::taken(self.blocks.hold_ends(set.into(), settings::block_ends(value)?))
            }
            Role::DailyBlockReset => tariff::set_daily_reset(self, value),
            Role::Activation(part) => {
                settings::date(&mut self.connection, part, value, || self.tariff.check_held())
            }
            Role::BillingSchedule => tariff::set_billing_time(self, value),
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
            Role::PeakImport
            | Role::PeakExport
            | Role::PeakImportInWindow
            | Role::DemandImport
            | Role::DemandExport => {
                demand::invoke(self, spec.role, method);
                Ok(())
            }
            Role::LimitCount => {
                self.limit.reset_count();
                Ok(())
            }
            Role::VoltageCount(number) => {
                quality::reset_count(self, number);
                Ok(())
            }
            Role::ActivationScript => settings::run(parameter, |part| self.activate_by_command(part)),
            Role::BlockReset => tariff::reset_blocks(self, parameter),
            Role::BillingScript => match parameter.and_then(Data::as_i128) {
                Some(1) => {
                    self.end_billing_period();
                    Ok(())
                }
                Some(_) => Err(ActionResult::ScopeOfAccessViolated),
                None => Err(ActionResult::TypeUnmatched),
            },
            _ => connection::invoke(&mut self.connection, spec, method, parameter),
        }
    }
}
