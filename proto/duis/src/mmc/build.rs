//! The answers an S1SP gives, from what it read on the device.
//!
//! Each function checks what it builds; an error means a value does not fit the schema, such as a model of nine
//! characters.

mod alert_behaviour;
mod configuration;
mod devices;
mod logs;
mod prepayment;
mod registers;
mod tariff;

pub use alert_behaviour::{
    AlertBehaviours, AlertSwitches, GasEventDestinations, NetworkOperatorAlerts, SupplierAlerts,
    alert_behaviours,
};
pub use configuration::{
    CertificateUse, GasSettings, HeldCredentials, MeterPoints, ModeOfPayment, Replacement, ReplacementMode,
    Replacing, VoltageSettings, billing_calendar, credentials, credentials_replaced, gas_settings,
    meter_points, payment_mode, power_thresholds, voltage,
};

pub use devices::{JoinOutcome, commissioned, joined, restored, sample_recorded};
pub use logs::{
    BillingTrigger, ExportedEnergy, Payment, PrepaymentReading, RegisterReading, VoltageReport, billing_log,
    daily_consumption, daily_reads, debt_payments, export_daily_reads, export_profile, gas_network_data,
    prepayment_credits, prepayment_daily_reads, reactive_profile, voltage_data,
};
pub use prepayment::{
    DebtRecovery, DebtRecoveryPeriod, NonDisablement, NonDisablementAction, PrepaymentConfiguration, Weekday,
    prepayment_configuration,
};
pub use registers::{
    BlockRegisters, LoadLimit, MaximumDemand, block_counters, export_registers, load_limit,
    maximum_demand_export, maximum_demand_import, tou_registers, tou_with_blocks,
};
pub use tariff::{Tariff, TariffCalendar, tariff};

use super::{FormError, MmcBody, MmcElement};
use crate::message::ClockStatus;
use crate::{AlertCode, DeviceKind, Eui64, Srv};
use jiff::Timestamp;
use std::fmt;

/// Which fuel an answer is about, where the schema asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fuel {
    /// Electricity.
    Electricity,
    /// Gas.
    Gas,
}

impl Fuel {
    /// The fuel of a kind of device; electricity for what measures none.
    pub fn of(kind: DeviceKind) -> Fuel {
        match kind {
            DeviceKind::Gsme | DeviceKind::Gpf => Fuel::Gas,
            _ => Fuel::Electricity,
        }
    }

    const fn element(self) -> &'static str {
        match self {
            Fuel::Electricity => "Electricity",
            Fuel::Gas => "Gas",
        }
    }
}

/// An exact decimal number: `mantissa` times ten to the power of `exponent`, as a COSEM register and its scaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The digits.
    pub mantissa: i64,
    /// The power of ten, at most 0 in practice.
    pub exponent: i8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let power = usize::from(self.exponent.unsigned_abs());
        if self.exponent >= 0 {
            let zeros = if self.mantissa == 0 { 0 } else { power };
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let padded = format!("{digits:0>width$}", width = power + 1);
        let (whole, fraction) = padded.split_at(padded.len() - power);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

fn optional(name: &str, value: Option<impl ToString>) -> Option<MmcElement> {
    value.map(|value| MmcElement::leaf(name, value))
}

/// An answer that says only that it was done: 1.2.1, 1.6, 2.2, 7.1, 7.2, 7.3.
///
/// # Errors
/// The variant's answer has data.
pub fn done(srv: Srv) -> Result<MmcBody, FormError> {
    MmcBody::new(srv, true, [])
}

/// An answer that says that it failed, with the little content its form insists on.
///
/// # Errors
/// The variant is answered by the DCC itself.
pub fn failed(srv: Srv, fuel: Fuel) -> Result<MmcBody, FormError> {
    let with = |element: &str| MmcBody::new(srv, false, [MmcElement::new(element)]);
    let outcome = MmcBody::new(srv, false, JoinOutcome::OtherFailure.in_answer_to(srv));
    outcome.or_else(|_| with(fuel.element())).or_else(|_| with(alert_settings(fuel)))
}

/// The element for the alert settings of a fuel.
const fn alert_settings(fuel: Fuel) -> &'static str {
    match fuel {
        Fuel::Electricity => "ElectricitySupplierAlertEventSettings",
        Fuel::Gas => "GasSupplierAlertEventSettings",
    }
}

/// 4.1.1 for electricity: active energy in Wh, reactive energy in varh.
///
/// # Errors
/// None in practice.
pub fn import_registers_electricity(
    active_wh: Option<i64>,
    reactive_varh: Option<i64>,
) -> Result<MmcBody, FormError> {
    let electricity = MmcElement::new("Electricity")
        .with_all(register("ActiveImportRegister", "ActiveEnergyUnit", "Wh", active_wh))
        .with_all(register("ReactiveImportRegister", "ReactiveEnergyUnit", "varh", reactive_varh));
    MmcBody::new(Srv::ReadInstantaneousImportRegisters, true, [electricity])
}

/// 4.1.1 for gas, in cubic metres.
///
/// # Errors
/// None in practice.
pub fn import_registers_gas(volume_m3: Decimal) -> Result<MmcBody, FormError> {
    let register = MmcElement::new("ConsumptionRegister")
        .with(MmcElement::leaf("Value", volume_m3))
        .with(MmcElement::leaf("Unit", "m3"));
    MmcBody::new(Srv::ReadInstantaneousImportRegisters, true, [MmcElement::new("Gas").with(register)])
}

/// What 4.3 reads, in thousandths of a penny for electricity, as the device gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrepayValues {
    /// Emergency credit left.
    pub emergency_credit_balance: Option<i64>,
    /// Debt run up while emergency credit was in use or supply must not be cut.
    pub accumulated_debt_register: Option<i64>,
    /// Debt collected by a share of each top-up.
    pub payment_debt_register: Option<i64>,
    /// First debt collected over time.
    pub time_debt_register_1: Option<i64>,
    /// Second debt collected over time.
    pub time_debt_register_2: Option<i64>,
    /// The balance.
    pub meter_balance: Option<i64>,
}

/// 4.3.
///
/// # Errors
/// None in practice.
pub fn prepay_values(values: PrepayValues) -> Result<MmcBody, FormError> {
    let fields = [
        ("EmergencyCreditBalance", values.emergency_credit_balance),
        ("AccumulatedDebtRegister", values.accumulated_debt_register),
        ("PaymentDebtRegister", values.payment_debt_register),
        ("TimeDebtRegister1", values.time_debt_register_1),
        ("TimeDebtRegister2", values.time_debt_register_2),
        ("MeterBalance", values.meter_balance),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| optional(name, value));
    MmcBody::new(Srv::ReadInstantaneousPrepayValues, true, fields)
}

/// 4.8.1: consumption of each half hour, in Wh for electricity and cubic metres for gas.
///
/// # Errors
/// More than 19,056 entries.
pub fn profile(fuel: Fuel, entries: &[(Timestamp, Decimal)]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|(time, value)| {
        let value = MmcElement::new(fuel.element()).with(MmcElement::leaf("PrimaryValue", value));
        MmcElement::new("LogEntry").with(MmcElement::leaf("Timestamp", time)).with(value)
    });
    MmcBody::new(Srv::ReadActiveImportProfileData, true, entries)
}

/// Elements of one name, their `index` counted from 1.
fn indexed<T: fmt::Display>(name: &str, values: &[T]) -> Vec<MmcElement> {
    let leaf = |(index, value)| MmcElement::leaf(name, value).with_attribute("index", index + 1);
    values.iter().enumerate().map(leaf).collect()
}

/// A register and its unit.
fn register(name: &str, unit_name: &str, unit: &str, value: Option<i64>) -> Option<MmcElement> {
    let leaf = |value| MmcElement::new(name).with(MmcElement::leaf("Value", value));
    value.map(|value| leaf(value).with(MmcElement::leaf(unit_name, unit)))
}

/// 4.16, in watts.
///
/// # Errors
/// None in practice.
pub fn active_power_import(watts: i64) -> Result<MmcBody, FormError> {
    let power = MmcElement::new("ActivePowerImport")
        .with(MmcElement::leaf("Value", watts))
        .with(MmcElement::leaf("Unit", "W"));
    MmcBody::new(Srv::ReadActivePowerImport, true, [power])
}

/// 4.18: the balance, and for a gas meter in prepayment mode its prepayment balance.
///
/// # Errors
/// None in practice.
pub fn meter_balance(balance: Option<i64>, gas_prepayment: Option<i64>) -> Result<MmcBody, FormError> {
    let gas = optional("MeterBalancePrepaymentMode", gas_prepayment);
    let gas = gas.map(|balance| MmcElement::new("Gas").with(balance));
    MmcBody::new(Srv::ReadMeterBalance, true, optional("MeterBalance", balance).into_iter().chain(gas))
}

/// What 6.2.4 reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: Eui64,
    /// Its model, at most 8 characters.
    pub model: String,
    /// Its manufacturer, at most 32 characters.
    pub manufacturer: String,
    /// The fuel of a meter, and whether a tamper locks its supply; none for other devices.
    pub supply_tamper: Option<(Fuel, bool)>,
}

/// 6.2.4.
///
/// # Errors
/// The model or manufacturer is too long.
pub fn identity(identity: &Identity) -> Result<MmcBody, FormError> {
    let tamper = identity.supply_tamper.map(|(fuel, locks)| {
        let state = if locks { "Locked" } else { "Unchanged" };
        MmcElement::new(fuel.element()).with(MmcElement::leaf("SupplyTamperState", state))
    });
    let fields = [
        MmcElement::leaf("DeviceIdentifier", identity.device),
        MmcElement::leaf("ModelType", &identity.model),
        MmcElement::leaf("ManufacturerIdentifier", &identity.manufacturer),
    ];
    let srv = Srv::ReadDeviceConfigurationIdentityExcMPxN;
    MmcBody::new(srv, true, fields.into_iter().chain(tamper))
}

/// 6.11: the device's time after it was set. `status` is given by electricity meters.
///
/// # Errors
/// None in practice.
pub fn synchronise_clock(
    success: bool,
    time: Option<Timestamp>,
    status: Option<ClockStatus>,
) -> Result<MmcBody, FormError> {
    MmcBody::new(Srv::SynchroniseClock, success, clock(time, status))
}

/// A device's time and what it says of its clock.
fn clock(time: Option<Timestamp>, status: Option<ClockStatus>) -> impl Iterator<Item = MmcElement> {
    let status = status.map(|status| {
        let code = ClockStatus::ALL.iter().position(|known| *known == status).unwrap_or_default();
        let status = MmcElement::new("ElecClockTimeStatus")
            .with_attribute("TimeStatusCode", code)
            .with(MmcElement::leaf("TimeStatus", status));
        MmcElement::new("Electricity").with(status)
    });
    optional("DeviceTime", time).into_iter().chain(status)
}

/// An entry of an event or security log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// When.
    pub time: Timestamp,
    /// What, as a code.
    pub code: AlertCode,
    /// What, in words, at most 200 characters.
    pub meaning: String,
}

/// 6.13.
///
/// # Errors
/// More than 100 entries, or one whose words are too long.
pub fn event_log(entries: &[LogEntry]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|entry| {
        MmcElement::new("LogEntry")
            .with(MmcElement::leaf("Timestamp", entry.time))
            .with(MmcElement::leaf("LogCode", entry.code))
            .with(MmcElement::leaf("LogMeaning", &entry.meaning))
    });
    MmcBody::new(Srv::ReadEventOrSecurityLog, true, [MmcElement::new("Log").with_all(entries)])
}

word_enum! {
    /// What 7.4 reads.
    SupplyState, "supply state" {
        /// Supply is on.
        Enabled = "Enabled",
        /// Supply is off and stays off.
        Disabled = "Disabled",
        /// Supply is off and comes on when the customer presses the key.
        Armed = "Armed",
    }
}

/// 7.4: the supply, and for gas the battery left in days.
///
/// # Errors
/// None in practice.
pub fn supply_status(state: SupplyState, gas_battery: Option<u32>) -> Result<MmcBody, FormError> {
    let battery = optional("RemainingBatteryCapacity", gas_battery);
    let gas = battery.map(|battery| MmcElement::new("Gas").with(battery));
    MmcBody::new(Srv::ReadSupplyStatus, true, [MmcElement::leaf("SupplyState", state)].into_iter().chain(gas))
}

/// 8.9 of a meter or its mirror: the devices it may talk to.
///
/// # Errors
/// More than 10,000 entries.
pub fn device_log(entries: &[(Eui64, DeviceKind)]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|(id, kind)| {
        MmcElement::new("LogEntry")
            .with(MmcElement::leaf("DeviceID", id))
            .with(MmcElement::leaf("DeviceType", kind))
    });
    MmcBody::new(Srv::ReadDeviceLog, true, [MmcElement::new("DeviceLogEntries").with_all(entries)])
}

/// 8.9 of a communications hub: the devices of its network and when each was last heard.
///
/// # Errors
/// More than 16 entries.
pub fn chf_device_log(entries: &[(Eui64, Option<Timestamp>)]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|(id, last)| {
        MmcElement::new("CHFDeviceLogEntry")
            .with(MmcElement::leaf("DeviceID", id))
            .with_all(optional("LastCommunicationsDateTime", *last))
    });
    MmcBody::new(Srv::ReadDeviceLog, true, [MmcElement::new("CHFDeviceLog").with_all(entries)])
}

/// 11.2.
///
/// # Errors
/// None in practice.
pub fn firmware_version(version: &str) -> Result<MmcBody, FormError> {
    MmcBody::new(Srv::ReadFirmwareVersion, true, [MmcElement::leaf("FirmwareVersion", version)])
}

word_enum! {
    /// How a device took an activation: the words of `ActivateImageResponseCode`.
    Activation, "activation of firmware" {
        /// The image runs.
        Success = "success",
        /// The device holds no verified image.
        NoImageHeld = "noImageHeld",
        /// It holds another image than the one named.
        HashMismatch = "hashMismatch",
        /// It could not start the image.
        ActivationFailure = "activationFailure",
    }
}

/// 11.3: how the device took it, and the version it has now. Neither for an activation that is still to come.
///
/// # Errors
/// The version is not of 1 to 8 characters.
pub fn activate_firmware(outcome: Option<Activation>, version: Option<&str>) -> Result<MmcBody, FormError> {
    let code = outcome.map(|outcome| {
        let code = Activation::ALL.iter().position(|known| *known == outcome).unwrap_or_default();
        MmcElement::new("ActivateImageResponseCode")
            .with_attribute("ResponseCode", code)
            .with(MmcElement::leaf("ASN1Status", outcome))
    });
    let success = outcome.is_none_or(|outcome| outcome == Activation::Success);
    let version = optional("FirmwareVersion", version);
    MmcBody::new(Srv::ActivateFirmware, success, code.into_iter().chain(version))
}
