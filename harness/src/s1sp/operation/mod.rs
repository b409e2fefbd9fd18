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
mod clock;
mod dates;
mod customer;
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

use jiff::Timestamp;
use lab_config::DeviceKind;
use proto_duis::mmc::build::{BillingTrigger, Fuel};
use proto_duis::{MmcBody, RequestBody, Srv};

use super::Asker;
use super::desk::Desk;
use super::refusal::Refusal;

pub(super) use clock::shown;

/// Does what `body` asks on the device of `desk`.
pub(super) async fn carry_out(
    desk: &mut Desk,
    body: &RequestBody,
    asker: Asker,
    now: Timestamp,
) -> Result<MmcBody, Refusal> {
    let fuel = Fuel::of(desk.device.kind);
    match body {
        RequestBody::UpdateImportTariffPrimaryElement(update) => tariff::update(desk, update).await,
        RequestBody::UpdatePricePrimaryElement(update) => price::update(desk, update).await,
        RequestBody::UpdateMeterBalance(change) => money::change_balance(desk, change).await,
        RequestBody::UpdatePaymentMode(update) => money::set_mode(desk, update, now).await,
        RequestBody::ResetTariffBlockCounterMatrix(_) => block::reset(desk).await,
        RequestBody::UpdatePrepayConfiguration(update) => prepayment::update(desk, update).await,
        RequestBody::TopUpDevice(top_up) => money::top_up(desk, &top_up.utrn.to_string()).await,
        RequestBody::UpdateDebt(update) => debt::update(desk, update).await,
        RequestBody::ActivateEmergencyCredit(_) => money::take_emergency_credit(desk).await,
        RequestBody::ClearEventLog(clear) => log::clear(desk, clear).await,
        RequestBody::ReadInstantaneousImportRegisters(_) => register::import(desk, fuel).await,
        RequestBody::ReadInstantaneousImportTOUMatrices(_) => register::time_of_use(desk, fuel).await,
        RequestBody::ReadInstantaneousImportTOUWithBlocksMatrices(_) => block::matrices(desk).await,
        RequestBody::ReadInstantaneousImportBlockCounters(_) => block::gas_counters(desk).await,
        RequestBody::ReadInstantaneousExportRegisters(_) => register::export(desk).await,
        RequestBody::ReadInstantaneousPrepayValues(_) => money::prepay_values(desk).await,
        RequestBody::RetrieveCoMOrTariffTriggeredBillingDataLog(read) => {
            history::billing_log(desk, fuel, BillingTrigger::ModeOrTariff, read.period).await
        }
        RequestBody::RetrieveBillingCalendarTriggeredBillingDataLog(read) => {
            history::billing_log(desk, fuel, BillingTrigger::Calendar, read.period).await
        }
        RequestBody::RetrieveBillingDataLogDebtPayments(read) => {
            history::debt_payments(desk, read.period).await
        }
        RequestBody::RetrieveBillingDataLogPrepaymentCredits(read) => {
            history::prepayment_credits(desk, read.period).await
        }
        RequestBody::RetrieveImportDailyReadLog(read) => history::daily_reads(desk, fuel, read.period).await,
        RequestBody::RetrieveExportDailyReadLog(read) => history::export_daily_reads(desk, read.period).await,
        RequestBody::ReadActiveImportProfileData(read) => {
            register::profile(desk, fuel, read.period.start, read.period.end).await
        }
        RequestBody::ReadReactiveImportProfileData(read) => {
            history::reactive_profile(desk, read.period).await
        }
        RequestBody::ReadExportProfileData(read) => history::export_profile(desk, read.period).await,
        RequestBody::ReadNetworkData(read) => history::voltage(desk, fuel, read.period).await,
        RequestBody::ReadTariffPrimaryElement(_) => price::read(desk, fuel).await,
        RequestBody::ReadMaximumDemandImportRegisters(_) => demand::import(desk).await,
        RequestBody::ReadMaximumDemandExportRegisters(_) => demand::export(desk).await,
        RequestBody::ReadPrepaymentConfiguration(_) => prepayment::read(desk, fuel).await,
        RequestBody::ReadPrepaymentDailyReadLog(read) => history::account_days(desk, fuel, read.period).await,
        RequestBody::ReadDeviceConfigurationBillingCalendar(_) => billing::read(desk, fuel).await,
        RequestBody::UpdateDeviceConfigurationBillingCalendar(calendar) => {
            billing::update(desk, calendar).await
        }
        RequestBody::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix(asked) => {
            block::reset_daily(desk, asked).await
        }
        RequestBody::ReadLoadLimitData(_) => limiter::read(desk).await,
        RequestBody::RetrieveDailyConsumptionLog(read) => {
            history::daily_consumption(desk, fuel, read.period).await
        }
        RequestBody::ReadActivePowerImport(_) => register::active_power(desk).await,
        RequestBody::ReadMeterBalance(_) => money::balance(desk, fuel).await,
        RequestBody::ReadDeviceConfigurationIdentityExcMPxN(_) => plate::identity(desk).await,
        RequestBody::ReadDeviceConfigurationPaymentMode(_) => money::payment_mode(desk).await,
        RequestBody::ReadDeviceConfigurationVoltage(_) => voltage::read(desk).await,
        RequestBody::ReadDeviceConfigurationInstantaneousPowerThresholds(_) => {
            demand::power_thresholds(desk).await
        }
        RequestBody::ReadDeviceConfigurationEventAndAlertBehaviours(_) => {
            alert_behaviour::read(desk, fuel, asker).await
        }
        RequestBody::UpdateDeviceConfigurationLoadLimitingGeneralSettings(settings) => {
            limiter::update(desk, settings, now).await
        }
        RequestBody::UpdateDeviceConfigurationLoadLimitingCounterReset(_) => {
            limiter::reset_counter(desk).await
        }
        RequestBody::UpdateDeviceConfigurationVoltage(update) => voltage::update(desk, update).await,
        RequestBody::UpdateDeviceConfigurationInstantaneousPowerThreshold(set) => {
            demand::set_power_thresholds(desk, set).await
        }
        RequestBody::SetMaximumDemandConfigurableTimePeriod(set) => demand::set_period(desk, set).await,
        RequestBody::ResetMaximumDemandRegisters(reset) => demand::reset(desk, reset).await,
        RequestBody::ConfigureAlertBehaviour(configure) => alert_behaviour::configure(desk, configure).await,
        RequestBody::SetElectricitySupplyTamperState(set) => supply::set_tamper_state(desk, set.state).await,
        RequestBody::UpdateDeviceConfigurationRMSVoltageCounterReset(_) => {
            voltage::reset_counters(desk).await
        }
        RequestBody::SynchroniseClock(set) => clock::synchronise(desk, set, now).await,
        RequestBody::ReadEventOrSecurityLog(read) => log::events(desk, read).await,
        RequestBody::EnableSupply(_) => supply::enable(desk).await,
        RequestBody::DisableSupply(_) => supply::disable(desk).await,
        RequestBody::ArmSupply(_) => supply::arm(desk).await,
        RequestBody::ReadSupplyStatus(_) => supply::status(desk).await,
        RequestBody::ReadDeviceLog(_) if desk.device.kind == DeviceKind::Chf => log::devices(desk).await,
        RequestBody::ReadDeviceLog(_) => joining::devices(desk).await,
        RequestBody::DisplayMessage(message) => customer::message(desk, message).await,
        RequestBody::RestrictAccessForChangeOfTenancy(change) => customer::restrict(desk, change).await,
        RequestBody::UpdateSupplierName(supplier) => customer::supplier(desk, supplier).await,
        RequestBody::DisablePrivacyPIN(_) => customer::disable_pin(desk).await,
        RequestBody::RequestCustomerIdentificationNumber(_) => customer::identify(desk).await,
        RequestBody::ReadDeviceConfigurationMPxN(_) => meter_point::read(desk, fuel).await,
        RequestBody::SetDeviceConfigurationImportMPxN(set) => meter_point::set_import(desk, set, fuel).await,
        RequestBody::SetDeviceConfigurationExportMPAN(set) => meter_point::set_export(desk, set).await,
        RequestBody::ReadDeviceConfigurationGas(_) => gas::read(desk).await,
        RequestBody::UpdateDeviceConfigurationGasConversion(update) => {
            gas::set_conversion(desk, update).await
        }
        RequestBody::UpdateDeviceConfigurationGasFlow(update) => gas::set_flow(desk, update).await,
        RequestBody::RecordNetworkDataGAS(_) => gas::record(desk).await,
        RequestBody::CommissionDeviceSynchroniseClock(set) => clock::commission(desk, set, now).await,
        RequestBody::JoinServiceCritical(join) | RequestBody::JoinServiceNonCritical(join) => {
            joining::join(desk, body.srv(), join.other).await
        }
        RequestBody::UnjoinServiceCritical(unjoin) | RequestBody::UnjoinServiceNonCritical(unjoin) => {
            joining::unjoin(desk, body.srv(), unjoin.other).await
        }
        RequestBody::UpdateHANDeviceLog(update) => joining::update_list(desk, update).await,
        RequestBody::RestoreHANDeviceLog(restore) => joining::restore_list(desk, restore.old).await,
        RequestBody::RestoreGPFDeviceLog(restore) => joining::restore_log(desk, restore.old).await,
        RequestBody::ReadFirmwareVersion(_) => plate::firmware(desk).await,
        RequestBody::ActivateFirmware(body) => firmware::activate(desk, body, now).await,
        // What only the DCC answers is here too: it never comes this far.
        other => Err(Refusal::NotCarriedOut(other.srv())),
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
