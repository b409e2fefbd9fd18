//! The Gas Proxy Function's objects: the mirror, read only, and when it was last refreshed. Before the gas meter's first report they are a
//! temporary failure, not noughts.

use proto_dlms::data::{ActionResult, BitString, Data, DataAccessResult};
use proto_zigbee::metering::SupplyStatus;

use super::directory::Spec;
use super::encode::stamp;
use super::esme::half_hours;
use super::gsme::{days, gas_register};
use super::role::Role;
use super::{Buffer, Device, Shell, connection, customer, network};
use crate::model::core::Core;
use crate::model::customer::Customer;
use crate::model::device_log::DeviceLog;
use crate::model::mirror::Mirror;
use crate::model::money::Millipence;
use crate::model::time::Moment;

/// The proxy: a device of its own inside the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Plate, clock and journal.
    pub core: Core,
    /// What it mirrors.
    pub mirror: Mirror,
    /// What it holds for the customer of the gas supply.
    pub customer: Customer,
    /// The devices it talks to on the home area network.
    pub devices: DeviceLog,
}

impl Proxy {
    /// A proxy that mirrors so, and talks to nobody yet.
    pub fn new(core: Core, mirror: Mirror) -> Self {
        let (customer, devices) = (Customer::of(&core.plate), DeviceLog::new(core.plate.kind));
        Self { core, mirror, customer, devices }
    }

    /// Takes a frame of the gas meter in while so many requests wait for the meter; the answer, where one is due.
    pub fn hear_meter(&mut self, octets: &[u8], waiting: usize) -> Option<Vec<u8>> {
        self.mirror.receive(&self.core, octets, waiting)
    }
}

impl Device for Proxy {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    fn live(&mut self, to: Moment) {
        self.core.bring_to(to);
    }

    fn read(&self, spec: &Spec, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
        let mirror = &self.mirror;
        if let Some(value) = customer::read(&self.customer, spec.role, shell.sign) {
            return Ok(value);
        }
        if spec.role == Role::NetworkControl {
            return network::read(&self.devices, attribute);
        }
        if spec.role == Role::MirrorRefreshed {
            let unknown = || Data::Octets(vec![0xff; 12]);
            return Ok(mirror.refreshed_shown().map_or_else(unknown, |at| stamp(at, shell.sign)));
        }
        if mirror.refreshed().is_none() {
            return Err(DataAccessResult::TemporaryFailure);
        }
        let interval = mirror.profile().all().last().map_or(0, |capture| capture.interval);
        if let Some(value) =
            gas_register(spec.role, attribute, [mirror.litres(), interval], mirror.battery_percent())
        {
            return Ok(value);
        }
        match spec.role {
            Role::Account => self.account(attribute),
            Role::Balance => self.balance(attribute),
            Role::Price => connection::charge_attribute(attribute, &[mirror.unit_price()]),
            Role::StandingCharge => connection::charge_attribute(attribute, &[mirror.standing_charge()]),
            Role::SupplyState => self.supply(attribute),
            _ => Err(DataAccessResult::ObjectUnavailable),
        }
    }

    fn write(&mut self, spec: &Spec, _: i8, value: &Data, shell: &Shell) -> Result<(), DataAccessResult> {
        match customer::is_of_customer(spec.role) {
            true => customer::write(&mut self.customer, &mut self.core, spec.role, value, shell.sign),
            false => Err(DataAccessResult::ReadWriteDenied),
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
            Role::NetworkControl => network::invoke(&mut self.devices, &mut self.core, method, parameter),
            _ => Err(ActionResult::ObjectUnavailable),
        }
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        let gas = [Role::IntervalGas, Role::GasVolume];
        match role {
            Role::Profile => Some(half_hours(self.mirror.profile(), gas, shell)),
            Role::DailyLog => Some(days(self.mirror.days(), shell)),
            _ => None,
        }
    }
}

impl Proxy {
    fn account(&self, attribute: i8) -> Result<Data, DataAccessResult> {
        let mode = self.mirror.mode().ok_or(DataAccessResult::TemporaryFailure)?;
        let balance = self.mirror.balance();
        let owed = (-balance).max(Millipence::ZERO);
        let amounts = [balance, owed, Millipence::ZERO, owed, Millipence::ZERO];
        connection::account_attribute(
            attribute,
            mode,
            amounts,
            BitString::new(vec![true, false, false, false]),
        )
    }

    fn balance(&self, attribute: i8) -> Result<Data, DataAccessResult> {
        connection::credit_attribute(
            attribute,
            0,
            self.mirror.balance(),
            Millipence::ZERO,
            Millipence::ZERO,
            2,
        )
    }

    fn supply(&self, attribute: i8) -> Result<Data, DataAccessResult> {
        let (on, state) = match self.mirror.supply().ok_or(DataAccessResult::TemporaryFailure)? {
            SupplyStatus::Off => (false, 0),
            SupplyStatus::On => (true, 1),
            SupplyStatus::OffArmed => (false, 2),
        };
        connection::supply(on, state, attribute)
    }
}
