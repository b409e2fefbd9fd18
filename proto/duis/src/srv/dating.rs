//! Who keeps a future-dated request until its time: the `future_dated` column of the DUIS Service Reference Variant table.

use super::Srv;

/// Who keeps a request with an `ExecutionDateTime` until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FutureDating {
    /// Nobody: it is done at once or not at all.
    None,
    /// The device.
    Device,
    /// The DCC.
    Dcc,
    /// The DCC and the device. For SMETS1, where no credentials are in the device, the DCC.
    DccAndDevice,
}

impl FutureDating {
    /// Whether the DCC keeps such a request.
    pub const fn is_by_the_dcc(self) -> bool {
        matches!(self, FutureDating::Dcc | FutureDating::DccAndDevice)
    }
}

impl Srv {
    /// Who keeps a future-dated request of this variant.
    pub const fn future_dating(self) -> FutureDating {
        match self {
            Srv::DisplayMessage
            | Srv::RestrictAccessForChangeOfTenancy
            | Srv::UpdateSupplierName
            | Srv::ReadInstantaneousImportRegisters
            | Srv::ReadInstantaneousImportTOUMatrices
            | Srv::ReadInstantaneousImportTOUWithBlocksMatrices
            | Srv::ReadInstantaneousImportBlockCounters
            | Srv::ReadInstantaneousExportRegisters
            | Srv::ReadInstantaneousPrepayValues
            | Srv::RetrieveCoMOrTariffTriggeredBillingDataLog
            | Srv::RetrieveBillingCalendarTriggeredBillingDataLog
            | Srv::RetrieveBillingDataLogDebtPayments
            | Srv::RetrieveBillingDataLogPrepaymentCredits
            | Srv::RetrieveImportDailyReadLog
            | Srv::RetrieveExportDailyReadLog
            | Srv::ReadActiveImportProfileData
            | Srv::ReadReactiveImportProfileData
            | Srv::ReadExportProfileData
            | Srv::ReadNetworkData
            | Srv::ReadMaximumDemandImportRegisters
            | Srv::ReadMaximumDemandExportRegisters
            | Srv::ReadPrepaymentConfiguration
            | Srv::ReadPrepaymentDailyReadLog
            | Srv::ReadLoadLimitData
            | Srv::RetrieveDailyConsumptionLog
            | Srv::ReadMeterBalance
            | Srv::UpdateDeviceConfigurationLoadLimitingCounterReset
            | Srv::UpdateDeviceConfigurationVoltage
            | Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold
            | Srv::SetMaximumDemandConfigurableTimePeriod
            | Srv::ResetMaximumDemandRegisters
            | Srv::SetDeviceConfigurationImportMPxN
            | Srv::SetDeviceConfigurationExportMPAN
            | Srv::RequestHandoverOfDCCControlledDevice
            | Srv::UpdateDeviceConfigurationRMSVoltageCounterReset
            | Srv::ReadDeviceLog
            | Srv::UpdateHANDeviceLog
            | Srv::ReadFirmwareVersion => FutureDating::Dcc,
            Srv::UpdateImportTariffPrimaryElement
            | Srv::UpdatePricePrimaryElement
            | Srv::UpdatePaymentMode
            | Srv::UpdatePrepayConfiguration
            | Srv::UpdateDeviceConfigurationLoadLimitingGeneralSettings
            | Srv::UpdateSecurityCredentialsKRP
            | Srv::ActivateFirmware => FutureDating::Device,
            Srv::UpdateSecurityCredentialsCoS => FutureDating::DccAndDevice,
            _ => FutureDating::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_kept_by_the_dcc_and_a_price_by_the_meter() {
        assert_eq!(Srv::ReadInstantaneousImportRegisters.future_dating(), FutureDating::Dcc);
        assert_eq!(Srv::UpdatePricePrimaryElement.future_dating(), FutureDating::Device);
        assert_eq!(Srv::ReadActivePowerImport.future_dating(), FutureDating::None);
        assert!(Srv::UpdateSecurityCredentialsCoS.future_dating().is_by_the_dcc());
        assert!(!Srv::UpdateSecurityCredentialsKRP.future_dating().is_by_the_dcc());
    }
}
