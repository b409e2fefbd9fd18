//! The form of each answer in MMC 5.4: which elements, in which order, how often, with what text. Data, not logic.

use super::form::{Form, answer_form};
use crate::Srv;

mod alert_behaviour;
mod configuration;
mod credentials;
mod devices;
mod logs;
mod prepayment;
mod read;
mod shared;
mod tariff;

pub(super) use logs::{ESME_BILLING_DATA_LOG, GSME_BILLING_DATA_LOG};
pub(super) use shared::STATUS_ASN1;

/// The form of the answer to a variant; none where the DCC itself answers.
pub(super) const fn answer(srv: Srv) -> Option<&'static Form> {
    Some(match srv {
        Srv::UpdateImportTariffPrimaryElement => &NO_DATA,
        Srv::UpdatePricePrimaryElement => &NO_DATA,
        Srv::UpdateMeterBalance => &NO_DATA,
        Srv::UpdatePaymentMode => &NO_DATA,
        Srv::ResetTariffBlockCounterMatrix => &NO_DATA,
        Srv::UpdatePrepayConfiguration => &NO_DATA,
        Srv::TopUpDevice => &NO_DATA,
        Srv::UpdateDebt => &NO_DATA,
        Srv::ActivateEmergencyCredit => &NO_DATA,
        Srv::DisplayMessage => &NO_DATA,
        Srv::RestrictAccessForChangeOfTenancy => &NO_DATA,
        Srv::ClearEventLog => &NO_DATA,
        Srv::UpdateSupplierName => &NO_DATA,
        Srv::DisablePrivacyPIN => &NO_DATA,
        Srv::ReadInstantaneousImportRegisters => &read::READ_INSTANTANEOUS_IMPORT_REGISTERS_RSP,
        Srv::ReadInstantaneousImportTOUMatrices => &read::READ_INSTANTANEOUS_IMPORT_TOU_MATRICES_RSP,
        Srv::ReadInstantaneousImportTOUWithBlocksMatrices => &read::READ_INSTANTANEOUS_IMPORT_TOU_WITH_BLOCKS_MATRICES_RSP,
        Srv::ReadInstantaneousImportBlockCounters => &read::READ_INSTANTANEOUS_IMPORT_BLOCK_COUNTERS_RSP,
        Srv::ReadInstantaneousExportRegisters => &read::READ_INSTANTANEOUS_EXPORT_REGISTERS_RSP,
        Srv::ReadInstantaneousPrepayValues => &read::READ_INSTANTANEOUS_PREPAY_VALUES_RSP,
        Srv::RetrieveCoMOrTariffTriggeredBillingDataLog => &logs::RETRIEVE_COM_OR_TARIFF_TRIGGERED_BILLING_DATA_LOG_RSP,
        Srv::RetrieveBillingCalendarTriggeredBillingDataLog => &logs::RETRIEVE_BILLING_CALENDAR_TRIGGERED_BILLING_DATA_LOG_RSP,
        Srv::RetrieveBillingDataLogDebtPayments => &logs::RETRIEVE_BILLING_DATA_LOG_DEBT_PAYMENTS_RSP,
        Srv::RetrieveBillingDataLogPrepaymentCredits => &logs::RETRIEVE_BILLING_DATA_LOG_PREPAYMENT_CREDITS_RSP,
        Srv::RetrieveImportDailyReadLog => &logs::RETRIEVE_IMPORT_DAILY_READ_LOG_RSP,
        Srv::RetrieveExportDailyReadLog => &logs::RETRIEVE_EXPORT_DAILY_READ_LOG_RSP,
        Srv::ReadActiveImportProfileData => &logs::READ_ACTIVE_IMPORT_PROFILE_DATA_RSP,
        Srv::ReadReactiveImportProfileData => &logs::READ_REACTIVE_IMPORT_PROFILE_DATA_RSP,
        Srv::ReadExportProfileData => &logs::READ_EXPORT_PROFILE_DATA_RSP,
        Srv::ReadNetworkData => &logs::READ_NETWORK_DATA_RSP,
        Srv::ReadTariffPrimaryElement => &tariff::READ_TARIFF_PRIMARY_ELEMENT_RSP,
        Srv::ReadMaximumDemandImportRegisters => &read::READ_MAXIMUM_DEMAND_IMPORT_REGISTERS_RSP,
        Srv::ReadMaximumDemandExportRegisters => &read::READ_MAXIMUM_DEMAND_EXPORT_REGISTERS_RSP,
        Srv::ReadPrepaymentConfiguration => &prepayment::READ_PREPAYMENT_CONFIGURATION_RSP,
        Srv::ReadPrepaymentDailyReadLog => &logs::READ_PREPAYMENT_DAILY_READ_LOG_RSP,
        Srv::ReadLoadLimitData => &read::READ_LOAD_LIMIT_DATA_RSP,
        Srv::ReadActivePowerImport => &read::READ_ACTIVE_POWER_IMPORT_RSP,
        Srv::RetrieveDailyConsumptionLog => &logs::RETRIEVE_DAILY_CONSUMPTION_LOG_RSP,
        Srv::ReadMeterBalance => &read::READ_METER_BALANCE_RSP,
        Srv::ReadDeviceConfigurationVoltage => &configuration::READ_VOLTAGE_RSP,
        Srv::ReadDeviceConfigurationBillingCalendar => &configuration::READ_BILLING_CALENDAR_RSP,
        Srv::ReadDeviceConfigurationIdentityExcMPxN => &configuration::READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_RSP,
        Srv::ReadDeviceConfigurationInstantaneousPowerThresholds => &configuration::READ_INSTANTANEOUS_POWER_THRESHOLDS_RSP,
        Srv::ReadDeviceConfigurationMPxN => &configuration::READ_MPXN_RSP,
        Srv::ReadDeviceConfigurationGas => &configuration::READ_GAS_RSP,
        Srv::ReadDeviceConfigurationPaymentMode => &configuration::READ_PAYMENT_MODE_RSP,
        Srv::ReadDeviceConfigurationEventAndAlertBehaviours => &alert_behaviour::READ_EVENT_AND_ALERT_BEHAVIOURS_RSP,
        Srv::UpdateDeviceConfigurationLoadLimitingGeneralSettings => &NO_DATA,
        Srv::UpdateDeviceConfigurationLoadLimitingCounterReset => &NO_DATA,
        Srv::UpdateDeviceConfigurationVoltage => &NO_DATA,
        Srv::UpdateDeviceConfigurationGasConversion => &NO_DATA,
        Srv::UpdateDeviceConfigurationGasFlow => &NO_DATA,
        Srv::UpdateDeviceConfigurationBillingCalendar => &NO_DATA,
        Srv::SynchroniseClock => &configuration::SYNCHRONISE_CLOCK_RSP,
        Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold => &NO_DATA,
        Srv::ReadEventOrSecurityLog => &configuration::READ_EVENT_OR_SECURITY_LOG_RSP,
        Srv::UpdateSecurityCredentialsKRP => &credentials::UPDATE_SECURITY_CREDENTIALS_RSP,
        Srv::SetMaximumDemandConfigurableTimePeriod => &NO_DATA,
        Srv::ResetMaximumDemandRegisters => &NO_DATA,
        Srv::SetDeviceConfigurationImportMPxN => &NO_DATA,
        Srv::SetDeviceConfigurationExportMPAN => &NO_DATA,
        Srv::RequestHandoverOfDCCControlledDevice => &credentials::UPDATE_SECURITY_CREDENTIALS_RSP,
        Srv::ConfigureAlertBehaviour => &NO_DATA,
        Srv::UpdateSecurityCredentialsCoS => &credentials::UPDATE_SECURITY_CREDENTIALS_RSP,
        Srv::RetrieveDeviceSecurityCredentialsKRP => &credentials::RETRIEVE_SECURITY_CREDENTIALS_RSP,
        Srv::SetElectricitySupplyTamperState => &NO_DATA,
        Srv::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix => &NO_DATA,
        Srv::UpdateDeviceConfigurationRMSVoltageCounterReset => &NO_DATA,
        Srv::EnableSupply => &NO_DATA,
        Srv::DisableSupply => &NO_DATA,
        Srv::ArmSupply => &NO_DATA,
        Srv::ReadSupplyStatus => &devices::READ_SUPPLY_STATUS_RSP,
        Srv::CommissionDeviceSynchroniseClock => &configuration::SYNCHRONISE_CLOCK_RSP,
        Srv::JoinServiceCritical => &devices::JOIN_SERVICE_RSP,
        Srv::JoinServiceNonCritical => &devices::JOIN_SERVICE_RSP,
        Srv::UnjoinServiceCritical => &devices::UNJOIN_SERVICE_RSP,
        Srv::UnjoinServiceNonCritical => &devices::UNJOIN_SERVICE_RSP,
        Srv::ReadDeviceLog => &devices::READ_DEVICE_LOG_RSP,
        Srv::UpdateHANDeviceLog => &NO_DATA,
        Srv::RestoreHANDeviceLog => &NO_DATA,
        Srv::RestoreGPFDeviceLog => &devices::RESTORE_GPF_DEVICE_LOG_RSP,
        Srv::RequestCustomerIdentificationNumber => &NO_DATA,
        Srv::ReadFirmwareVersion => &devices::READ_FIRMWARE_VERSION_RSP,
        Srv::ActivateFirmware => &devices::ACTIVATE_FIRMWARE_RSP,
        Srv::RecordNetworkDataGAS => &devices::RECORD_NETWORK_DATA_GAS_RSP,
        Srv::CreateSchedule
        | Srv::ReadSchedule
        | Srv::DeleteSchedule
        | Srv::ReadInventory
        | Srv::DecommissionDevice
        | Srv::UpdateInventory
        | Srv::UpdateFirmware
        | Srv::DevicePrenotification => return None,
    })
}

const NO_DATA: Form = answer_form(&[]);
