//! The electricity meter's own objects.

mod demand;
mod logs;
mod quality;
mod registers;
mod tariff;

pub(super) use logs::half_hours;

use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::directory::{Role, Spec};
use super::encode::u32_of;
use super::{Buffer, Device, Shell, calendar, connection};
use crate::model::core::Core;
use crate::model::esme::{Esme, LimitAction, Limiter};
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
            Role::Limiter => limiter(self, attribute, shell),
            Role::LimitCount => Ok(Data::U32(self.limit.count())),
            Role::PeakImport | Role::PeakExport | Role::DemandImport | Role::DemandExport => {
                demand::read(self, spec.role, attribute, shell.sign)
            }
            Role::AverageVoltage
            | Role::VoltageThreshold(_)
            | Role::VoltagePatience(_)
            | Role::VoltageCount(_) => quality::read(self, spec.role, attribute),
            Role::Calendar => calendar::read(&self.tariff, attribute, shell.sign),
            Role::SpecialDays => Ok(calendar::special_days(&self.tariff)),
            Role::TariffScript
            | Role::RegisterActivation
            | Role::BlockThreshold(_)
            | Role::BillingSchedule
            | Role::BillingScript => tariff::read(self, spec.role, attribute, shell),
            _ => connection::read(&self.connection, spec, attribute, shell.sign),
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
            Role::Limiter => set_limiter(self, attribute, value),
            Role::DemandImport | Role::DemandExport => demand::write(self, spec.role, value),
            Role::VoltageProfile | Role::VoltageThreshold(_) | Role::VoltagePatience(_) => {
                quality::write(self, spec.role, value)
            }
            Role::BlockThreshold(block) => tariff::set_block_end(self, block, value),
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
            Role::PeakImport | Role::PeakExport | Role::DemandImport | Role::DemandExport => {
                demand::invoke(self, spec.role, method);
                Ok(())
            }
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

/// Class 71: the power monitored, the limit, how long more is borne, after how long the supply comes back by itself
/// (nought: only by keys), in seconds, and the script run when it is passed: 1 disables the supply, 0 does nothing.
fn limiter(meter: &Esme, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
    let limiter = meter.limit.limiter();
    let name = |role| Data::Octets(shell.directory.name(role).0.to_vec());
    let seconds = |millis: i64| u32_of(millis.unsigned_abs() / 1000);
    let script = |selector: u16| Data::Structure(vec![name(Role::SupplyScript), Data::U16(selector)]);
    Ok(match attribute {
        2 => Data::Structure(vec![Data::U16(3), name(Role::ActivePower), Data::I8(2)]),
        3 | 4 => Data::U32(limiter.watts),
        6 => seconds(limiter.millis),
        7 => seconds(limiter.restoration.unwrap_or_default()),
        11 => {
            let over = u16::from(limiter.action == LimitAction::Disable);
            Data::Structure(vec![script(over), script(0)])
        }
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

fn set_limiter(meter: &mut Esme, attribute: i8, value: &Data) -> Result<(), DataAccessResult> {
    let limiter = meter.limit.limiter();
    let changed = if attribute == 11 {
        Limiter { action: limit_action(value).ok_or(DataAccessResult::TypeUnmatched)?, ..limiter }
    } else {
        let number = value.as_i128().ok_or(DataAccessResult::TypeUnmatched)?;
        let number = u32::try_from(number).map_err(|_| DataAccessResult::ScopeOfAccessViolated)?;
        let millis = i64::from(number) * 1000;
        match attribute {
            4 => Limiter { watts: number, ..limiter },
            6 => Limiter { millis, ..limiter },
            _ => Limiter { restoration: Some(millis).filter(|millis| *millis > 0), ..limiter },
        }
    };
    meter.limit.set(changed);
    Ok(())
}

/// The action when the limit is passed: of the structure of both, the selector of the first.
fn limit_action(value: &Data) -> Option<LimitAction> {
    let [over, _] = value.elements()? else { return None };
    let [_, selector] = over.elements()? else { return None };
    match selector.as_i128()? {
        0 => Some(LimitAction::Unchanged),
        1 => Some(LimitAction::Disable),
        _ => None,
    }
}
