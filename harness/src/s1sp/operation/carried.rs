//! Which variants this S1SP carries out, for those who plan what to test.

use proto_duis::Srv;

/// Whether this S1SP carries a variant out, on devices whose Device Model has what it needs. A request for another is answered
/// with failure and the reason by name; what only the DCC answers never comes to it.
pub const fn carries_out(srv: Srv) -> bool {
    !matches!(
        srv,
        Srv::DisplayMessage
            | Srv::RestrictAccessForChangeOfTenancy
            | Srv::UpdateSupplierName
            | Srv::DisablePrivacyPIN
            | Srv::ReadDeviceConfigurationMPxN
            | Srv::ReadDeviceConfigurationGas
            | Srv::UpdateDeviceConfigurationGasConversion
            | Srv::UpdateDeviceConfigurationGasFlow
            | Srv::UpdateSecurityCredentialsKRP
            | Srv::SetDeviceConfigurationImportMPxN
            | Srv::SetDeviceConfigurationExportMPAN
            | Srv::RequestHandoverOfDCCControlledDevice
            | Srv::UpdateSecurityCredentialsCoS
            | Srv::RetrieveDeviceSecurityCredentialsKRP
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
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to be carried out has an arm in the dispatch, and what is not has none. That each arm does what it should
    /// is for the tests that ask the S1SP.
    #[test]
    fn it_says_what_the_dispatch_does() {
        let (_, arms) = include_str!("mod.rs").split_once("match body {").expect("the dispatch");
        let (arms, _) = arms.split_once("other =>").expect("its last arm");
        for srv in Srv::ALL.iter().filter(|srv| !srv.is_for_the_dcc()) {
            let arm = arms.contains(&format!("RequestBody::{}(", srv.body_element()));
            assert_eq!(carries_out(*srv), arm, "{srv} {}: bring `carries_out` up to date", srv.name());
        }
    }
}
