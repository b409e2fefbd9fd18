//! What each Service Reference Variant does on a device, through the objects its Device Model's profile names.
//!
//! | variant | on the device |
//! |---|---|
//! | 1.1.1 | calendar, special days, ends of blocks and charges held ready (classes 20, 11, 21, 113), put in force together by script or schedule (classes 9, 22) |
//! | 1.2.1 | unit charges held ready, dated or activated (class 113) |
//! | 1.5 | balance by a credit's methods (class 112) |
//! | 1.6, 6.2.9 | account mode (class 111), with what goes with it held ready and put in force |
//! | 1.7, 6.26 | script that begins a block period (class 9), and whether each day does |
//! | 2.1, 4.13 | limits of the credit and non-disablement calendar (class 20) held ready and put in force, and read |
//! | 2.2 | token entry (class 115) |
//! | 2.3 | debts as charges by time and by payment (class 113) |
//! | 2.5 | emergency credit by a credit's method (class 112) |
//! | 3.1, 3.2, 3.4, 3.5, 9.1 | values held for the customer (class 1) |
//! | 3.3 | event log's reset (class 7) |
//! | 4.1.1, 4.1.2, 4.2, 4.16 | registers (class 3), those of the tariff by register activation (class 6) |
//! | 4.1.3, 4.1.4 | registers and counters of blocks (class 3) |
//! | 4.3, 4.18 | credits (class 112), account |
//! | 4.4.2 to 4.6.2, 4.8.1 to 4.10, 4.14, 4.17 | profiles and logs by range (class 7) |
//! | 4.11.1 | unit charges (class 113), calendar, special days, ends of blocks |
//! | 4.12.1, 4.12.2, 6.18.1, 6.18.2 | largest demand (class 4), its part of the day (class 1) |
//! | 4.15, 6.4.1, 6.4.2 | limiter (class 71), its settings held ready (class 1), its counter (class 3) |
//! | 6.2.1, 6.5, 6.27 | voltage thresholds, periods and counters (class 3), voltage profile's period (class 7) |
//! | 6.2.5, 6.12 | monitor of active power (class 21) |
//! | 6.2.4, 11.2 | identity and versions (class 1), or the ZigBee Basic cluster |
//! | 6.2.10, 6.22 | codes of events told and not logged (class 1) |
//! | 6.25 | tamper state (class 1) |
//! | 6.8, 6.2.3 | end of the billing period (class 22), or first period and length of a gas meter |
//! | 6.2.7, 6.20.1, 6.20.2 | meter points (class 1) |
//! | 6.2.8, 6.6, 6.7 | gas conversion and flow limits (class 3) |
//! | 6.11, 8.1.1 | clock (class 8) |
//! | 6.13 | event and security log by range (class 7) |
//! | 7.1, 7.2, 7.3, 7.4 | script table or disconnect control (classes 9 and 70) |
//! | 11.1, 11.3 | image transfer (class 18), its single action schedule (class 22) |
//! | 8.7.1 to 8.8.2 | ZigBee network control (class 104), or the bindings of a display |
//! | 8.9 | device log of the hub (class 7), of another device ZigBee network control |
//! | 8.11, 8.12.1, 8.12.2 | ZigBee network control, the hub's join list (class 1) |
//! | 14.1 | capture period of the network data log (class 7) |
//!
//! A gas meter sleeps: what the gas proxy function mirrors is answered from the mirror, see [`is_mirrored`].

mod activation;
mod alert_behaviour;
mod billing;
mod block;
mod carried;
mod clock;
mod customer;
mod dates;
mod debt;
mod demand;
pub(super) mod firmware;
mod gas;
mod history;
mod joining;
mod limiter;
mod log;
mod meter_point;
mod money;
mod non_disablement;
mod plate;
mod prepayment;
mod price;
mod register;
mod supply;
mod switching;
mod table;
mod tariff;
mod together;
mod voltage;

use std::pin::Pin;

use jiff::Timestamp;
use lab_config::DeviceKind;
use proto_duis::mmc::build::{BillingTrigger, Fuel};
use proto_duis::{MmcBody, RequestBody, Srv};

use super::Asker;
use super::desk::Desk;
use super::refusal::Refusal;

pub use carried::carries_out;
pub(super) use clock::shown;

/// An operation under way on a device.
type Operation<'a> = Pin<Box<dyn Future<Output = Result<MmcBody, Refusal>> + Send + 'a>>;

/// On the heap, made in a frame of its own: what waits for an operation has none of the others on its stack.
fn boxed<'a, F>(begin: impl FnOnce() -> F) -> Operation<'a>
where
    F: Future<Output = Result<MmcBody, Refusal>> + Send + 'a,
{
    Box::pin(begin())
}

/// Does what `body` asks on the device of `desk`.
pub(super) fn carry_out<'a>(
    desk: &'a mut Desk,
    body: &'a RequestBody,
    asker: Asker,
    now: Timestamp,
) -> Operation<'a> {
    let fuel = Fuel::of(desk.device.kind);
    match body {
        RequestBody::UpdateImportTariffPrimaryElement(update) => boxed(move || tariff::update(desk, update)),
        RequestBody::UpdatePricePrimaryElement(update) => boxed(move || price::update(desk, update)),
        RequestBody::UpdateMeterBalance(change) => boxed(move || money::change_balance(desk, change)),
        RequestBody::UpdatePaymentMode(update) => boxed(move || money::set_mode(desk, update, now)),
        RequestBody::ResetTariffBlockCounterMatrix(_) => boxed(move || block::reset(desk)),
        RequestBody::UpdatePrepayConfiguration(update) => boxed(move || prepayment::update(desk, update)),
        RequestBody::TopUpDevice(top_up) => {
            boxed(move || async move { money::top_up(desk, &top_up.utrn.to_string()).await })
        }
        RequestBody::UpdateDebt(update) => boxed(move || debt::update(desk, update)),
        RequestBody::ActivateEmergencyCredit(_) => boxed(move || money::take_emergency_credit(desk)),
        RequestBody::ClearEventLog(clear) => boxed(move || log::clear(desk, clear)),
        RequestBody::ReadInstantaneousImportRegisters(_) => boxed(move || register::import(desk, fuel)),
        RequestBody::ReadInstantaneousImportTOUMatrices(_) => match fuel {
            Fuel::Electricity => boxed(move || register::time_of_use(desk)),
            Fuel::Gas => boxed(move || block::gas_time_of_use(desk)),
        },
        RequestBody::ReadInstantaneousImportTOUWithBlocksMatrices(_) => boxed(move || block::matrices(desk)),
        RequestBody::ReadInstantaneousImportBlockCounters(_) => boxed(move || block::gas_counters(desk)),
        RequestBody::ReadInstantaneousExportRegisters(_) => boxed(move || register::export(desk)),
        RequestBody::ReadInstantaneousPrepayValues(_) => boxed(move || money::prepay_values(desk)),
        RequestBody::RetrieveCoMOrTariffTriggeredBillingDataLog(read) => {
            boxed(move || history::billing_log(desk, fuel, BillingTrigger::ModeOrTariff, read.period))
        }
        RequestBody::RetrieveBillingCalendarTriggeredBillingDataLog(read) => {
            boxed(move || history::billing_log(desk, fuel, BillingTrigger::Calendar, read.period))
        }
        RequestBody::RetrieveBillingDataLogDebtPayments(read) => {
            boxed(move || history::debt_payments(desk, read.period))
        }
        RequestBody::RetrieveBillingDataLogPrepaymentCredits(read) => {
            boxed(move || history::prepayment_credits(desk, read.period))
        }
        RequestBody::RetrieveImportDailyReadLog(read) => {
            boxed(move || history::daily_reads(desk, fuel, read.period))
        }
        RequestBody::RetrieveExportDailyReadLog(read) => {
            boxed(move || history::export_daily_reads(desk, read.period))
        }
        RequestBody::ReadActiveImportProfileData(read) => {
            boxed(move || register::profile(desk, fuel, read.period.start, read.period.end))
        }
        RequestBody::ReadReactiveImportProfileData(read) => {
            boxed(move || history::reactive_profile(desk, read.period))
        }
        RequestBody::ReadExportProfileData(read) => boxed(move || history::export_profile(desk, read.period)),
        RequestBody::ReadNetworkData(read) => boxed(move || history::voltage(desk, fuel, read.period)),
        RequestBody::ReadTariffPrimaryElement(_) => boxed(move || price::read(desk, fuel)),
        RequestBody::ReadMaximumDemandImportRegisters(_) => boxed(move || demand::import(desk)),
        RequestBody::ReadMaximumDemandExportRegisters(_) => boxed(move || demand::export(desk)),
        RequestBody::ReadPrepaymentConfiguration(_) => boxed(move || prepayment::read(desk, fuel)),
        RequestBody::ReadPrepaymentDailyReadLog(read) => {
            boxed(move || history::account_days(desk, fuel, read.period))
        }
        RequestBody::ReadDeviceConfigurationBillingCalendar(_) => boxed(move || billing::read(desk, fuel)),
        RequestBody::UpdateDeviceConfigurationBillingCalendar(calendar) => {
            boxed(move || billing::update(desk, calendar))
        }
        RequestBody::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix(asked) => {
            boxed(move || block::reset_daily(desk, asked))
        }
        RequestBody::ReadLoadLimitData(_) => boxed(move || limiter::read(desk)),
        RequestBody::RetrieveDailyConsumptionLog(read) => {
            boxed(move || history::daily_consumption(desk, fuel, read.period))
        }
        RequestBody::ReadActivePowerImport(_) => boxed(move || register::active_power(desk)),
        RequestBody::ReadMeterBalance(_) => boxed(move || money::balance(desk, fuel)),
        RequestBody::ReadDeviceConfigurationIdentityExcMPxN(_) => boxed(move || plate::identity(desk)),
        RequestBody::ReadDeviceConfigurationPaymentMode(_) => boxed(move || money::payment_mode(desk)),
        RequestBody::ReadDeviceConfigurationVoltage(_) => boxed(move || voltage::read(desk)),
        RequestBody::ReadDeviceConfigurationInstantaneousPowerThresholds(_) => {
            boxed(move || demand::power_thresholds(desk))
        }
        RequestBody::ReadDeviceConfigurationEventAndAlertBehaviours(_) => {
            boxed(move || alert_behaviour::read(desk, fuel, asker))
        }
        RequestBody::UpdateDeviceConfigurationLoadLimitingGeneralSettings(settings) => {
            boxed(move || limiter::update(desk, settings, now))
        }
        RequestBody::UpdateDeviceConfigurationLoadLimitingCounterReset(_) => {
            boxed(move || limiter::reset_counter(desk))
        }
        RequestBody::UpdateDeviceConfigurationVoltage(update) => boxed(move || voltage::update(desk, update)),
        RequestBody::UpdateDeviceConfigurationInstantaneousPowerThreshold(set) => {
            boxed(move || demand::set_power_thresholds(desk, set))
        }
        RequestBody::SetMaximumDemandConfigurableTimePeriod(set) => {
            boxed(move || demand::set_period(desk, set))
        }
        RequestBody::ResetMaximumDemandRegisters(reset) => boxed(move || demand::reset(desk, reset)),
        RequestBody::ConfigureAlertBehaviour(configure) => {
            boxed(move || alert_behaviour::configure(desk, configure))
        }
        RequestBody::SetElectricitySupplyTamperState(set) => {
            boxed(move || supply::set_tamper_state(desk, set.state))
        }
        RequestBody::UpdateDeviceConfigurationRMSVoltageCounterReset(_) => {
            boxed(move || voltage::reset_counters(desk))
        }
        RequestBody::SynchroniseClock(set) => boxed(move || clock::synchronise(desk, set, now)),
        RequestBody::ReadEventOrSecurityLog(read) => boxed(move || log::events(desk, read)),
        RequestBody::EnableSupply(_) => boxed(move || supply::enable(desk)),
        RequestBody::DisableSupply(_) => boxed(move || supply::disable(desk)),
        RequestBody::ArmSupply(_) => boxed(move || supply::arm(desk)),
        RequestBody::ReadSupplyStatus(_) => boxed(move || supply::status(desk)),
        RequestBody::ReadDeviceLog(_) if desk.device.kind == DeviceKind::Chf => {
            boxed(move || log::devices(desk))
        }
        RequestBody::ReadDeviceLog(_) => boxed(move || joining::devices(desk)),
        RequestBody::DisplayMessage(message) => boxed(move || customer::message(desk, message)),
        RequestBody::RestrictAccessForChangeOfTenancy(change) => {
            boxed(move || customer::restrict(desk, change))
        }
        RequestBody::UpdateSupplierName(supplier) => boxed(move || customer::supplier(desk, supplier)),
        RequestBody::DisablePrivacyPIN(_) => boxed(move || customer::disable_pin(desk)),
        RequestBody::RequestCustomerIdentificationNumber(_) => boxed(move || customer::identify(desk)),
        RequestBody::ReadDeviceConfigurationMPxN(_) => boxed(move || meter_point::read(desk, fuel)),
        RequestBody::SetDeviceConfigurationImportMPxN(set) => {
            boxed(move || meter_point::set_import(desk, set, fuel))
        }
        RequestBody::SetDeviceConfigurationExportMPAN(set) => {
            boxed(move || meter_point::set_export(desk, set))
        }
        RequestBody::ReadDeviceConfigurationGas(_) => boxed(move || gas::read(desk)),
        RequestBody::UpdateDeviceConfigurationGasConversion(update) => {
            boxed(move || gas::set_conversion(desk, update))
        }
        RequestBody::UpdateDeviceConfigurationGasFlow(update) => boxed(move || gas::set_flow(desk, update)),
        RequestBody::RecordNetworkDataGAS(_) => boxed(move || gas::record(desk)),
        RequestBody::CommissionDeviceSynchroniseClock(set) => {
            boxed(move || clock::commission(desk, set, now))
        }
        RequestBody::JoinServiceCritical(join) | RequestBody::JoinServiceNonCritical(join) => {
            boxed(move || joining::join(desk, body.srv(), join.other))
        }
        RequestBody::UnjoinServiceCritical(unjoin) | RequestBody::UnjoinServiceNonCritical(unjoin) => {
            boxed(move || joining::unjoin(desk, body.srv(), unjoin.other))
        }
        RequestBody::UpdateHANDeviceLog(update) => boxed(move || joining::update_list(desk, update)),
        RequestBody::RestoreHANDeviceLog(restore) => boxed(move || joining::restore_list(desk, restore.old)),
        RequestBody::RestoreGPFDeviceLog(restore) => boxed(move || joining::restore_log(desk, restore.old)),
        RequestBody::ReadFirmwareVersion(_) => boxed(move || plate::firmware(desk)),
        RequestBody::ActivateFirmware(body) => boxed(move || firmware::activate(desk, body, now)),
        // What only the DCC answers is here too: it never comes this far.
        other => boxed(move || std::future::ready(Err(Refusal::NotCarriedOut(other.srv())))),
    }
}

/// Whether a read of a gas meter is answered from the gas proxy function, which holds what the meter last reported.
pub(super) fn is_mirrored(srv: Srv) -> bool {
    matches!(
        srv,
        Srv::ReadInstantaneousImportRegisters
            | Srv::ReadInstantaneousPrepayValues
            | Srv::RetrieveImportDailyReadLog
            | Srv::ReadActiveImportProfileData
            | Srv::ReadTariffPrimaryElement
            | Srv::RetrieveDailyConsumptionLog
            | Srv::ReadMeterBalance
            | Srv::ReadSupplyStatus
    )
}

/// Whether a variant changes something on the device.
pub(super) fn changes(srv: Srv) -> bool {
    matches!(
        srv,
        Srv::UpdateImportTariffPrimaryElement
            | Srv::UpdatePricePrimaryElement
            | Srv::UpdateMeterBalance
            | Srv::UpdatePaymentMode
            | Srv::ResetTariffBlockCounterMatrix
            | Srv::UpdatePrepayConfiguration
            | Srv::UpdateDeviceConfigurationBillingCalendar
            | Srv::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix
            | Srv::TopUpDevice
            | Srv::UpdateDebt
            | Srv::ActivateEmergencyCredit
            | Srv::DisplayMessage
            | Srv::RestrictAccessForChangeOfTenancy
            | Srv::ClearEventLog
            | Srv::UpdateDeviceConfigurationLoadLimitingGeneralSettings
            | Srv::UpdateDeviceConfigurationLoadLimitingCounterReset
            | Srv::UpdateDeviceConfigurationVoltage
            | Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold
            | Srv::SetMaximumDemandConfigurableTimePeriod
            | Srv::ResetMaximumDemandRegisters
            | Srv::ConfigureAlertBehaviour
            | Srv::SetElectricitySupplyTamperState
            | Srv::UpdateDeviceConfigurationRMSVoltageCounterReset
            | Srv::UpdateSupplierName
            | Srv::DisablePrivacyPIN
            | Srv::UpdateDeviceConfigurationGasConversion
            | Srv::UpdateDeviceConfigurationGasFlow
            | Srv::SetDeviceConfigurationImportMPxN
            | Srv::SetDeviceConfigurationExportMPAN
            | Srv::CommissionDeviceSynchroniseClock
            | Srv::JoinServiceCritical
            | Srv::JoinServiceNonCritical
            | Srv::UnjoinServiceCritical
            | Srv::UnjoinServiceNonCritical
            | Srv::UpdateHANDeviceLog
            | Srv::RestoreHANDeviceLog
            | Srv::RestoreGPFDeviceLog
            | Srv::RequestCustomerIdentificationNumber
            | Srv::RecordNetworkDataGAS
            | Srv::SynchroniseClock
            | Srv::EnableSupply
            | Srv::DisableSupply
            | Srv::ArmSupply
            | Srv::ActivateFirmware
    )
}

/// Whether the device keeps a request that is dated for later, and does it by itself at its time.
pub(super) fn is_dated_by_the_device(body: &RequestBody) -> bool {
    matches!(
        body,
        RequestBody::UpdateImportTariffPrimaryElement(_)
            | RequestBody::UpdatePricePrimaryElement(_)
            | RequestBody::UpdatePaymentMode(_)
            | RequestBody::UpdatePrepayConfiguration(_)
            | RequestBody::UpdateDeviceConfigurationLoadLimitingGeneralSettings(_)
            | RequestBody::ActivateFirmware(_)
    )
}

/// Whether the device says which firmware it has: the least any device answers.
pub(super) async fn firmware(desk: &mut Desk) -> Result<(), Refusal> {
    plate::firmware(desk).await.map(drop)
}
