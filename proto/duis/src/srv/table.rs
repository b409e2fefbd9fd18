//! The table of Service Reference Variants: data, not logic.

use super::{DeviceKind, Smets1Use, Unverified, UserRole};
use crate::vocabulary::UserRole::*;

macro_rules! table {
    ($($variant:ident {
        srv: $srv:literal, reference: $reference:literal, name: $name:literal, critical: $critical:literal,
        roles: [$($role:ident),+],
        smets1: $smets1:expr,
    })+) => {
        /// A Service Reference Variant, named for the body element of its request.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Srv {
            $(#[doc = concat!($srv, " ", $name, ".")] $variant,)+
        }

        impl Srv {
            /// Every variant, in the order of the table.
            pub const ALL: &'static [Srv] = &[$(Srv::$variant,)+];

            /// The number of the variant (`4.1.1`).
            pub const fn as_str(self) -> &'static str {
                match self { $(Srv::$variant => $srv,)+ }
            }

            /// The Service Reference it belongs to (`4.1`).
            pub const fn reference(self) -> &'static str {
                match self { $(Srv::$variant => $reference,)+ }
            }

            /// Its name in words.
            pub const fn name(self) -> &'static str {
                match self { $(Srv::$variant => $name,)+ }
            }

            /// Whether a wrong one could cut a supply or a customer's money.
            pub const fn is_critical(self) -> bool {
                match self { $(Srv::$variant => $critical,)+ }
            }

            /// The roles that may send it.
            pub const fn roles(self) -> &'static [UserRole] {
                match self { $(Srv::$variant => &[$($role),+],)+ }
            }

            /// The element below `Body` in its request.
            pub const fn body_element(self) -> &'static str {
                match self { $(Srv::$variant => stringify!($variant),)+ }
            }

            /// How it is used with SMETS1 devices.
            pub const fn smets1(self) -> Unverified<Smets1Use> {
                match self { $(Srv::$variant => $smets1,)+ }
            }
        }
    };
}

const ESME: &[DeviceKind] = &[DeviceKind::Esme];
const GAS: &[DeviceKind] = &[DeviceKind::Gsme, DeviceKind::Gpf];
const HUB: &[DeviceKind] = &[DeviceKind::Chf];
const MIRROR: &[DeviceKind] = &[DeviceKind::Gpf];
const METERS: &[DeviceKind] = &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf];
/// Meters that firmware is for: the mirror of one is part of the hub.
const METERS_ALONE: &[DeviceKind] = &[DeviceKind::Esme, DeviceKind::Gsme];
const METERS_AND_HUB: &[DeviceKind] = &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf];
const METERS_AND_PPMID: &[DeviceKind] =
    &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Ppmid];
const ALL: &[DeviceKind] =
    &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf, DeviceKind::Ppmid];

/// A request that goes to a device as a command over the wide area network.
const fn sent_to(targets: &'static [DeviceKind]) -> Unverified<Smets1Use> {
    Unverified(Smets1Use { targets, command_variant: 1, doubtful: false })
}

/// The same, where it is not even sure that SMETS1 devices are sent it.
const fn perhaps_sent_to(targets: &'static [DeviceKind]) -> Unverified<Smets1Use> {
    Unverified(Smets1Use { targets, command_variant: 1, doubtful: true })
}

/// A request that no device sees.
const fn answered_by_the_dcc() -> Unverified<Smets1Use> {
    Unverified(Smets1Use { targets: &[], command_variant: 8, doubtful: false })
}

#[rustfmt::skip]
table! {
    UpdateImportTariffPrimaryElement {
        srv: "1.1.1", reference: "1.1", name: "Update Import Tariff (Primary Element)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdatePricePrimaryElement {
        srv: "1.2.1", reference: "1.2", name: "Update Price (Primary Element)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdateMeterBalance {
        srv: "1.5", reference: "1.5", name: "Update Meter Balance", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdatePaymentMode {
        srv: "1.6", reference: "1.6", name: "Update Payment Mode", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ResetTariffBlockCounterMatrix {
        srv: "1.7", reference: "1.7", name: "Reset Tariff Block Counter Matrix", critical: true,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    UpdatePrepayConfiguration {
        srv: "2.1", reference: "2.1", name: "Update Prepay Configuration", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    TopUpDevice {
        srv: "2.2", reference: "2.2", name: "Top Up Device", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdateDebt {
        srv: "2.3", reference: "2.3", name: "Update Debt", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ActivateEmergencyCredit {
        srv: "2.5", reference: "2.5", name: "Activate Emergency Credit", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    DisplayMessage {
        srv: "3.1", reference: "3.1", name: "Display Message", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: perhaps_sent_to(METERS),
    }
    RestrictAccessForChangeOfTenancy {
        srv: "3.2", reference: "3.2", name: "Restrict Access For Change Of Tenancy", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ClearEventLog {
        srv: "3.3", reference: "3.3", name: "Clear Event Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdateSupplierName {
        srv: "3.4", reference: "3.4", name: "Update Supplier Name", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: perhaps_sent_to(METERS),
    }
    DisablePrivacyPIN {
        srv: "3.5", reference: "3.5", name: "Disable Privacy PIN", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadInstantaneousImportRegisters {
        srv: "4.1.1", reference: "4.1", name: "Read Instantaneous Import Registers", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    ReadInstantaneousImportTOUMatrices {
        srv: "4.1.2", reference: "4.1", name: "Read Instantaneous Import TOU Matrices", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    ReadInstantaneousImportTOUWithBlocksMatrices {
        srv: "4.1.3", reference: "4.1", name: "Read Instantaneous Import TOU With Blocks Matrices", critical: false,
        roles: [ImportSupplier, ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    ReadInstantaneousImportBlockCounters {
        srv: "4.1.4", reference: "4.1", name: "Read Instantaneous Import Block Counters", critical: false,
        roles: [GasSupplier],
        smets1: sent_to(GAS),
    }
    ReadInstantaneousExportRegisters {
        srv: "4.2", reference: "4.2", name: "Read Instantaneous Export Registers", critical: false,
        roles: [ExportSupplier, ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    ReadInstantaneousPrepayValues {
        srv: "4.3", reference: "4.3", name: "Read Instantaneous Prepay Values", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveCoMOrTariffTriggeredBillingDataLog {
        srv: "4.4.2", reference: "4.4", name: "Retrieve Change Of Mode / Tariff Triggered Billing Data Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveBillingCalendarTriggeredBillingDataLog {
        srv: "4.4.3", reference: "4.4", name: "Retrieve Billing Calendar Triggered Billing Data Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveBillingDataLogDebtPayments {
        srv: "4.4.4", reference: "4.4", name: "Retrieve Billing Data Log (Payment Based Debt Payments)", critical: false,
        roles: [GasSupplier, ImportSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveBillingDataLogPrepaymentCredits {
        srv: "4.4.5", reference: "4.4", name: "Retrieve Billing Data Log (Prepayment Credits)", critical: false,
        roles: [GasSupplier, ImportSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveImportDailyReadLog {
        srv: "4.6.1", reference: "4.6", name: "Retrieve Import Daily Read Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveExportDailyReadLog {
        srv: "4.6.2", reference: "4.6", name: "Retrieve Export Daily Read Log", critical: false,
        roles: [ExportSupplier],
        smets1: perhaps_sent_to(ESME),
    }
    ReadActiveImportProfileData {
        srv: "4.8.1", reference: "4.8", name: "Read Active Import Profile Data", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(METERS),
    }
    ReadReactiveImportProfileData {
        srv: "4.8.2", reference: "4.8", name: "Read Reactive Import Profile Data", critical: false,
        roles: [ImportSupplier, ElectricityDistributor, OtherUser],
        smets1: sent_to(ESME),
    }
    ReadExportProfileData {
        srv: "4.8.3", reference: "4.8", name: "Read Export Profile Data", critical: false,
        roles: [ExportSupplier, ElectricityDistributor, OtherUser],
        smets1: sent_to(ESME),
    }
    ReadNetworkData {
        srv: "4.10", reference: "4.10", name: "Read Network Data", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    ReadTariffPrimaryElement {
        srv: "4.11.1", reference: "4.11", name: "Read Tariff (Primary Element)", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(METERS),
    }
    ReadMaximumDemandImportRegisters {
        srv: "4.12.1", reference: "4.12", name: "Read Maximum Demand Import Registers", critical: false,
        roles: [ImportSupplier, ElectricityDistributor],
        smets1: perhaps_sent_to(ESME),
    }
    ReadMaximumDemandExportRegisters {
        srv: "4.12.2", reference: "4.12", name: "Read Maximum Demand Export Registers", critical: false,
        roles: [ExportSupplier, ElectricityDistributor],
        smets1: perhaps_sent_to(ESME),
    }
    ReadPrepaymentConfiguration {
        srv: "4.13", reference: "4.13", name: "Read Prepayment Configuration", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadPrepaymentDailyReadLog {
        srv: "4.14", reference: "4.14", name: "Read Prepayment Daily Read Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadLoadLimitData {
        srv: "4.15", reference: "4.15", name: "Read Load Limit Data", critical: false,
        roles: [ImportSupplier, ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    ReadActivePowerImport {
        srv: "4.16", reference: "4.16", name: "Read Active Power Import", critical: false,
        roles: [ImportSupplier, ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    RetrieveDailyConsumptionLog {
        srv: "4.17", reference: "4.17", name: "Retrieve Daily Consumption Log", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(METERS),
    }
    ReadMeterBalance {
        srv: "4.18", reference: "4.18", name: "Read Meter Balance", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    CreateSchedule {
        srv: "5.1", reference: "5.1", name: "Create Schedule", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    ReadSchedule {
        srv: "5.2", reference: "5.2", name: "Read Schedule", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    DeleteSchedule {
        srv: "5.3", reference: "5.3", name: "Delete Schedule", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    ReadDeviceConfigurationVoltage {
        srv: "6.2.1", reference: "6.2", name: "Read Device Configuration (Voltage)", critical: false,
        roles: [ImportSupplier, RegisteredSupplierAgent, ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    ReadDeviceConfigurationBillingCalendar {
        srv: "6.2.3", reference: "6.2", name: "Read Device Configuration (Billing Calendar)", critical: false,
        roles: [ImportSupplier, RegisteredSupplierAgent, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadDeviceConfigurationIdentityExcMPxN {
        srv: "6.2.4", reference: "6.2", name: "Read Device Configuration (Identity Exc MPxN)", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(METERS_AND_HUB),
    }
    ReadDeviceConfigurationInstantaneousPowerThresholds {
        srv: "6.2.5", reference: "6.2", name: "Read Device Configuration (Instantaneous Power Thresholds)", critical: false,
        roles: [ImportSupplier, RegisteredSupplierAgent],
        smets1: sent_to(ESME),
    }
    ReadDeviceConfigurationMPxN {
        srv: "6.2.7", reference: "6.2", name: "Read Device Configuration (MPxN)", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(METERS),
    }
    ReadDeviceConfigurationGas {
        srv: "6.2.8", reference: "6.2", name: "Read Device Configuration (Gas)", critical: false,
        roles: [GasSupplier, RegisteredSupplierAgent, GasTransporter],
        smets1: sent_to(GAS),
    }
    ReadDeviceConfigurationPaymentMode {
        srv: "6.2.9", reference: "6.2", name: "Read Device Configuration (Payment Mode)", critical: false,
        roles: [ImportSupplier, GasSupplier, RegisteredSupplierAgent],
        smets1: sent_to(METERS),
    }
    ReadDeviceConfigurationEventAndAlertBehaviours {
        srv: "6.2.10", reference: "6.2", name: "Read Device Configuration (Event and Alert Behaviours)", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor],
        smets1: perhaps_sent_to(METERS),
    }
    UpdateDeviceConfigurationLoadLimitingGeneralSettings {
        srv: "6.4.1", reference: "6.4", name: "Update Device Configuration (Load Limiting General Settings)", critical: true,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    UpdateDeviceConfigurationLoadLimitingCounterReset {
        srv: "6.4.2", reference: "6.4", name: "Update Device Configuration (Load Limiting Counter Reset)", critical: false,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    UpdateDeviceConfigurationVoltage {
        srv: "6.5", reference: "6.5", name: "Update Device Configuration (Voltage)", critical: false,
        roles: [ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    UpdateDeviceConfigurationGasConversion {
        srv: "6.6", reference: "6.6", name: "Update Device Configuration (Gas Conversion)", critical: true,
        roles: [GasSupplier],
        smets1: sent_to(GAS),
    }
    UpdateDeviceConfigurationGasFlow {
        srv: "6.7", reference: "6.7", name: "Update Device Configuration (Gas Flow)", critical: true,
        roles: [GasSupplier],
        smets1: sent_to(GAS),
    }
    UpdateDeviceConfigurationBillingCalendar {
        srv: "6.8", reference: "6.8", name: "Update Device Configuration (Billing Calendar)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    SynchroniseClock {
        srv: "6.11", reference: "6.11", name: "Synchronise Clock", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdateDeviceConfigurationInstantaneousPowerThreshold {
        srv: "6.12", reference: "6.12", name: "Update Device Configuration (Instantaneous Power Threshold)", critical: false,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    ReadEventOrSecurityLog {
        srv: "6.13", reference: "6.13", name: "Read Event Or Security Log", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, RegisteredSupplierAgent],
        smets1: sent_to(METERS_AND_HUB),
    }
    UpdateSecurityCredentialsKRP {
        srv: "6.15.1", reference: "6.15", name: "Update Security Credentials (KRP)", critical: true,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    SetMaximumDemandConfigurableTimePeriod {
        srv: "6.18.1", reference: "6.18", name: "Set Maximum Demand Configurable Time Period", critical: false,
        roles: [ElectricityDistributor],
        smets1: perhaps_sent_to(ESME),
    }
    ResetMaximumDemandRegisters {
        srv: "6.18.2", reference: "6.18", name: "Reset Maximum Demand Registers", critical: false,
        roles: [ElectricityDistributor],
        smets1: perhaps_sent_to(ESME),
    }
    SetDeviceConfigurationImportMPxN {
        srv: "6.20.1", reference: "6.20", name: "Set Device Configuration (Import MPxN)", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    SetDeviceConfigurationExportMPAN {
        srv: "6.20.2", reference: "6.20", name: "Set Device Configuration (Export MPAN)", critical: false,
        roles: [ExportSupplier],
        smets1: perhaps_sent_to(ESME),
    }
    RequestHandoverOfDCCControlledDevice {
        srv: "6.21", reference: "6.21", name: "Request Handover Of DCC Controlled Device", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ConfigureAlertBehaviour {
        srv: "6.22", reference: "6.22", name: "Configure Alert Behaviour", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor],
        smets1: perhaps_sent_to(METERS),
    }
    UpdateSecurityCredentialsCoS {
        srv: "6.23", reference: "6.23", name: "Update Security Credentials (CoS)", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    RetrieveDeviceSecurityCredentialsKRP {
        srv: "6.24.1", reference: "6.24", name: "Retrieve Device Security Credentials (KRP)", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    SetElectricitySupplyTamperState {
        srv: "6.25", reference: "6.25", name: "Set Electricity Supply Tamper State", critical: true,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix {
        srv: "6.26", reference: "6.26", name: "Update Device Configuration (daily resetting of Tariff Block Counter Matrix)", critical: true,
        roles: [ImportSupplier],
        smets1: perhaps_sent_to(ESME),
    }
    UpdateDeviceConfigurationRMSVoltageCounterReset {
        srv: "6.27", reference: "6.27", name: "Update Device Configuration (RMS Voltage Counter Reset)", critical: false,
        roles: [ElectricityDistributor],
        smets1: perhaps_sent_to(ESME),
    }
    EnableSupply {
        srv: "7.1", reference: "7.1", name: "Enable Supply", critical: true,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    DisableSupply {
        srv: "7.2", reference: "7.2", name: "Disable Supply", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ArmSupply {
        srv: "7.3", reference: "7.3", name: "Arm Supply", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadSupplyStatus {
        srv: "7.4", reference: "7.4", name: "Read Supply Status", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    CommissionDeviceSynchroniseClock {
        srv: "8.1.1", reference: "8.1", name: "Commission Device", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadInventory {
        srv: "8.2", reference: "8.2", name: "Read Inventory", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    DecommissionDevice {
        srv: "8.3", reference: "8.3", name: "Decommission Device", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: answered_by_the_dcc(),
    }
    UpdateInventory {
        srv: "8.4", reference: "8.4", name: "Update Inventory", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    JoinServiceCritical {
        srv: "8.7.1", reference: "8.7", name: "Join Service (Critical)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    JoinServiceNonCritical {
        srv: "8.7.2", reference: "8.7", name: "Join Service (Non-Critical)", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(METERS_AND_PPMID),
    }
    UnjoinServiceCritical {
        srv: "8.8.1", reference: "8.8", name: "Unjoin Service (Critical)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UnjoinServiceNonCritical {
        srv: "8.8.2", reference: "8.8", name: "Unjoin Service (Non-Critical)", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(METERS_AND_PPMID),
    }
    ReadDeviceLog {
        srv: "8.9", reference: "8.9", name: "Read Device Log", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(METERS_AND_HUB),
    }
    UpdateHANDeviceLog {
        srv: "8.11", reference: "8.11", name: "Update HAN Device Log", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(HUB),
    }
    RestoreHANDeviceLog {
        srv: "8.12.1", reference: "8.12", name: "Restore HAN Device Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: perhaps_sent_to(HUB),
    }
    RestoreGPFDeviceLog {
        srv: "8.12.2", reference: "8.12", name: "Restore Gas Proxy Function Device Log", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: perhaps_sent_to(MIRROR),
    }
    RequestCustomerIdentificationNumber {
        srv: "9.1", reference: "9.1", name: "Request Customer Identification Number", critical: false,
        roles: [OtherUser],
        smets1: perhaps_sent_to(METERS),
    }
    UpdateFirmware {
        srv: "11.1", reference: "11.1", name: "Update Firmware", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: answered_by_the_dcc(),
    }
    ReadFirmwareVersion {
        srv: "11.2", reference: "11.2", name: "Read Firmware Version", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(ALL),
    }
    ActivateFirmware {
        srv: "11.3", reference: "11.3", name: "Activate Firmware", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS_ALONE),
    }
    DevicePrenotification {
        srv: "12.2", reference: "12.2", name: "Device Pre-notification", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    RecordNetworkDataGAS {
        srv: "14.1", reference: "14.1", name: "Record Network Data (GAS)", critical: false,
        roles: [GasTransporter],
        smets1: perhaps_sent_to(GAS),
    }
}
