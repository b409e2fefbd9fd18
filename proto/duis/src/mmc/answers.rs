//! The form of each answer in MMC 5.4: which elements, in which order, how often, with what text. Data, not logic.

use super::form::Particle::{Choice, Sequence};
use super::form::Text::{Characters, DateTime, Decimal, Eui, Hex, OneOf, Time, Whole};
use super::form::{
    Form, INTEGER, STRING, answer_form, attribute, form, leaf, node, text_with, with_attributes,
};
use crate::Srv;

/// The form of the answer to a variant; none where the DCC itself answers.
pub(super) const fn answer(srv: Srv) -> Option<&'static Form> {
    Some(match srv {
        Srv::UpdatePricePrimaryElement => &NO_DATA,
        Srv::UpdatePaymentMode => &NO_DATA,
        Srv::TopUpDevice => &NO_DATA,
        Srv::ReadInstantaneousImportRegisters => &READ_INSTANTANEOUS_IMPORT_REGISTERS_RSP,
        Srv::ReadInstantaneousPrepayValues => &READ_INSTANTANEOUS_PREPAY_VALUES_RSP,
        Srv::ReadActiveImportProfileData => &READ_ACTIVE_IMPORT_PROFILE_DATA_RSP,
        Srv::ReadTariffPrimaryElement => &READ_TARIFF_PRIMARY_ELEMENT_RSP,
        Srv::ReadActivePowerImport => &READ_ACTIVE_POWER_IMPORT_RSP,
        Srv::ReadMeterBalance => &READ_METER_BALANCE_RSP,
        Srv::ReadDeviceConfigurationIdentityExcMPxN => &READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_RSP,
        Srv::SynchroniseClock => &SYNCHRONISE_CLOCK_RSP,
        Srv::ReadEventOrSecurityLog => &READ_EVENT_OR_SECURITY_LOG_RSP,
        Srv::EnableSupply => &NO_DATA,
        Srv::DisableSupply => &NO_DATA,
        Srv::ArmSupply => &NO_DATA,
        Srv::ReadSupplyStatus => &READ_SUPPLY_STATUS_RSP,
        Srv::ReadDeviceLog => &READ_DEVICE_LOG_RSP,
        Srv::ReadFirmwareVersion => &READ_FIRMWARE_VERSION_RSP,
        Srv::ReadInventory => return None,
    })
}

const NO_DATA: Form = answer_form(&[]);
const CONSUMPTION_REGISTER_DATA: Form = form(&[
    leaf("Value", Decimal, 0, 1),
    leaf("Unit", OneOf(&["m3"]), 0, 1),
]);
const READ_INSTANTANEOUS_IMPORT_REGISTERS_GAS: Form = form(&[
    node("ConsumptionRegister", &CONSUMPTION_REGISTER_DATA, 0, 1),
]);
const ACTIVE_POWER_REGISTER_DATA: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("ActiveEnergyUnit", OneOf(&["Wh"]), 0, 1),
]);
const REACTIVE_POWER_REGISTER_DATA: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("ReactiveEnergyUnit", OneOf(&["varh"]), 0, 1),
]);
const READ_INSTANTANEOUS_IMPORT_REGISTERS_ELECTRICITY: Form = form(&[
    node("ActiveImportRegister", &ACTIVE_POWER_REGISTER_DATA, 0, 1),
    node("ReactiveImportRegister", &REACTIVE_POWER_REGISTER_DATA, 0, 1),
    node("SecondaryActiveImportRegister", &ACTIVE_POWER_REGISTER_DATA, 0, 1),
]);
const READ_INSTANTANEOUS_IMPORT_REGISTERS_RSP: Form = answer_form(&[
    Choice(&[
        node("Gas", &READ_INSTANTANEOUS_IMPORT_REGISTERS_GAS, 1, 1),
        node("Electricity", &READ_INSTANTANEOUS_IMPORT_REGISTERS_ELECTRICITY, 1, 1),
    ], 1, 1),
]);
const READ_INSTANTANEOUS_PREPAY_VALUES_RSP: Form = answer_form(&[
    leaf("EmergencyCreditBalance", INTEGER, 0, 1),
    leaf("AccumulatedDebtRegister", INTEGER, 0, 1),
    leaf("PaymentDebtRegister", INTEGER, 0, 1),
    leaf("TimeDebtRegister1", INTEGER, 0, 1),
    leaf("TimeDebtRegister2", INTEGER, 0, 1),
    leaf("MeterBalance", INTEGER, 0, 1),
]);
const PROFILE_DATA_LOG_ACTIVE_IMPORT_TYPE_ELECTRICITY: Form = form(&[
    leaf("PrimaryValue", INTEGER, 0, 1),
    leaf("SecondaryValue", INTEGER, 0, 1),
]);
const PROFILE_DATA_LOG_ACTIVE_IMPORT_TYPE_GAS: Form = form(&[
    leaf("PrimaryValue", Decimal, 0, 1),
]);
const PROFILE_DATA_LOG_ACTIVE_IMPORT: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    Choice(&[
        node("Electricity", &PROFILE_DATA_LOG_ACTIVE_IMPORT_TYPE_ELECTRICITY, 0, 1),
        node("Gas", &PROFILE_DATA_LOG_ACTIVE_IMPORT_TYPE_GAS, 0, 1),
    ], 1, 1),
]);
const READ_ACTIVE_IMPORT_PROFILE_DATA_RSP: Form = answer_form(&[
    node("LogEntry", &PROFILE_DATA_LOG_ACTIVE_IMPORT, 0, 19_056),
]);
const ELEC_BLOCK_PRICE: Form = text_with(&[attribute("index", Whole(1, 4), true)], Whole(-32_768, 32_767));
const ELEC_TARIFF_BLOCK_PRICE_MATRIX_PRIMARY_ELEMENT: Form =
    with_attributes(&[attribute("index", Whole(1, 8), true)], &[
    node("BlockPrice", &ELEC_BLOCK_PRICE, 0, 4),
]);
const ELEC_TARIFF_BLOCK_PRICE_MATRIX: Form = form(&[
    node("TariffBlockPrices", &ELEC_TARIFF_BLOCK_PRICE_MATRIX_PRIMARY_ELEMENT, 0, 8),
]);
const ELEC_PRIMARY_TOU_PRICE: Form =
    text_with(&[attribute("index", Whole(1, 48), true)], Whole(-32_768, 32_767));
const ELEC_TARIFF_TOU_PRICE_MATRIX: Form = form(&[
    node("TariffTOUPrice", &ELEC_PRIMARY_TOU_PRICE, 0, 48),
]);
const ELEC_PROFILE_SCHEDULE_PRIMARY_ELEMENT: Form = form(&[
    leaf("StartTime", Time, 1, 1),
    Choice(&[
        leaf("TOUTariffAction", Whole(1, 48), 1, 1),
        leaf("BlockTariffAction", Whole(1, 8), 1, 1),
    ], 1, 1),
]);
const ELEC_DAY_PROFILE_PRIMARY_ELEMENT: Form = form(&[
    leaf("Day", Whole(1, 16), 0, 1),
    node("ProfileSchedule", &ELEC_PROFILE_SCHEDULE_PRIMARY_ELEMENT, 0, 48),
]);
const ELEC_DAY_PROFILES: Form = form(&[
    node("DayProfile", &ELEC_DAY_PROFILE_PRIMARY_ELEMENT, 0, 16),
]);
const ELEC_REFERENCED_DAY_NAME: Form = text_with(&[attribute("index", Whole(1, 7), true)], Whole(1, 16));
const ELEC_WEEK_PROFILE: Form = form(&[
    leaf("WeekName", Whole(1, 4), 0, 1),
    node("ReferencedElecDay", &ELEC_REFERENCED_DAY_NAME, 0, 7),
]);
const ELEC_WEEK_PROFILES: Form = form(&[
    node("WeekProfile", &ELEC_WEEK_PROFILE, 0, 4),
]);
const EMPTY: Form = form(&[]);
const YEAR: Form = form(&[
    Choice(&[
        leaf("SpecifiedYear", Whole(2014, i128::MAX), 1, 1),
        node("NonSpecifiedYear", &EMPTY, 1, 1),
    ], 1, 1),
]);
const MONTH: Form = form(&[
    Choice(&[
        leaf("SpecifiedMonth", Whole(1, 12), 1, 1),
        node("NonSpecifiedMonth", &EMPTY, 1, 1),
    ], 1, 1),
]);
const DAY_OF_MONTH: Form = form(&[
    Choice(&[
        leaf("SpecifiedDayOfMonth", Whole(1, 31), 1, 1),
        node("LastDayOfMonth", &EMPTY, 1, 1),
        node("SecondLastDayOfMonth", &EMPTY, 1, 1),
        node("NonSpecifiedDayOfMonth", &EMPTY, 1, 1),
    ], 1, 1),
]);
const DAY_OF_WEEK: Form = form(&[
    Choice(&[
        leaf("SpecifiedDayOfWeek", Whole(1, 7), 1, 1),
        node("NonSpecifiedDayOfWeek", &EMPTY, 1, 1),
    ], 1, 1),
]);
const DATE: Form = form(&[
    node("Year", &YEAR, 1, 1),
    node("Month", &MONTH, 1, 1),
    node("DayOfMonth", &DAY_OF_MONTH, 1, 1),
    node("DayOfWeek", &DAY_OF_WEEK, 1, 1),
]);
const ELEC_SEASON_PRIMARY_ELEMENT: Form = form(&[
    leaf("SeasonName", Characters(0, 8), 0, 1),
    node("SeasonStartDate", &DATE, 0, 1),
    leaf("ReferencedWeekName", Whole(1, 4), 0, 1),
]);
const ELEC_SEASONS_PRIMARY_ELEMENT: Form = form(&[
    node("Season", &ELEC_SEASON_PRIMARY_ELEMENT, 0, 4),
]);
const ELEC_TARIFF_SWITCHING_TABLE_PRIMARY_ELEMENT: Form = form(&[
    node("DayProfiles", &ELEC_DAY_PROFILES, 0, 1),
    node("WeekProfiles", &ELEC_WEEK_PROFILES, 0, 1),
    node("Seasons", &ELEC_SEASONS_PRIMARY_ELEMENT, 0, 1),
]);
const ELEC_SPECIAL_DAYS_PRIMARY_ELEMENT: Form = form(&[
    node("Date", &DATE, 1, 1),
    leaf("ReferencedDay", Whole(1, 16), 1, 1),
]);
const ELEC_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS_PRIMARY_ELEMENT: Form = form(&[
    node("SpecialDay", &ELEC_SPECIAL_DAYS_PRIMARY_ELEMENT, 0, 50),
]);
const ELEC_TARIFF_THRESHOLDS_BLOCK_THRESHOLD: Form =
    text_with(&[attribute("index", Whole(1, 3), true)], Whole(0, 4_294_967_295));
const ELEC_TARIFF_THRESHOLDS: Form = with_attributes(&[attribute("index", Whole(1, 8), true)], &[
    node("BlockThreshold", &ELEC_TARIFF_THRESHOLDS_BLOCK_THRESHOLD, 0, 3),
]);
const ELEC_TARIFF_THRESHOLD_MATRIX: Form = form(&[
    node("ElecTariffThresholds", &ELEC_TARIFF_THRESHOLDS, 0, 8),
]);
const READ_TARIFF_PRIMARY_ELEMENT_ELECTRICITY: Form = form(&[
    leaf("PrimaryActiveTariffPrice", Whole(0, 4_294_967_295), 0, 1),
    leaf("CurrencyUnitsLabel", OneOf(&["GBP", "ECB"]), 0, 1),
    leaf("CurrencyUnitsName", OneOf(&["Millipence", "Millicent"]), 0, 1),
    leaf("StandingCharge", Whole(-32_768, 32_767), 0, 1),
    leaf("StandingChargeScale", Whole(-128, 127), 0, 1),
    leaf("PriceScale", Whole(-128, 127), 0, 1),
    node("TariffBlockPriceMatrix", &ELEC_TARIFF_BLOCK_PRICE_MATRIX, 0, 1),
    node("TariffTOUPriceMatrix", &ELEC_TARIFF_TOU_PRICE_MATRIX, 0, 1),
    node("TariffSwitchingTable", &ELEC_TARIFF_SWITCHING_TABLE_PRIMARY_ELEMENT, 0, 1),
    node("TariffSwitchingTableSpecialDays", &ELEC_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS_PRIMARY_ELEMENT, 0, 1),
    node("TariffThresholdMatrix", &ELEC_TARIFF_THRESHOLD_MATRIX, 0, 1),
]);
const GAS_DAY_PROFILE: Form = form(&[
    leaf("DayName", Whole(1, 4), 1, 1),
    Choice(&[
        leaf("TOUTariffAction", Whole(1, 4), 0, 1),
        node("BlockTariff", &EMPTY, 0, 1),
    ], 1, 1),
]);
const GAS_DAY_PROFILES: Form = form(&[
    node("DayProfile", &GAS_DAY_PROFILE, 0, 4),
]);
const GAS_REFERENCED_DAY_NAME: Form = text_with(&[attribute("index", Whole(1, 7), true)], Whole(1, 4));
const GAS_WEEK_PROFILE: Form = form(&[
    leaf("WeekName", Whole(1, 2), 0, 1),
    node("ReferencedDay", &GAS_REFERENCED_DAY_NAME, 0, 7),
]);
const GAS_WEEK_PROFILES: Form = form(&[
    node("WeekProfile", &GAS_WEEK_PROFILE, 0, 2),
]);
const GAS_DAY_OF_MONTH_WITH_WILDCARDS: Form = form(&[
    Choice(&[
        leaf("SpecifiedDayOfMonth", Whole(1, 31), 1, 1),
        node("GasNonSpecifiedDayOfMonth", &EMPTY, 1, 1),
    ], 1, 1),
]);
const GAS_DATE_WITH_WILDCARDS: Form = form(&[
    node("GasYearWithWildcards", &YEAR, 0, 1),
    node("GasMonthWithWildcards", &MONTH, 0, 1),
    node("GasDayOfMonthWithWildcards", &GAS_DAY_OF_MONTH_WITH_WILDCARDS, 0, 1),
    node("GasDayOfWeekWithWildcards", &DAY_OF_WEEK, 0, 1),
]);
const GAS_SEASON: Form = form(&[
    node("SeasonStartDate", &GAS_DATE_WITH_WILDCARDS, 0, 1),
    leaf("ReferencedWeekName", Whole(1, 2), 0, 1),
]);
const GAS_SEASONS: Form = form(&[
    node("Season", &GAS_SEASON, 0, 3),
]);
const GAS_TARIFF_SWITCHING_TABLE: Form = form(&[
    node("DayProfiles", &GAS_DAY_PROFILES, 0, 1),
    node("WeekProfiles", &GAS_WEEK_PROFILES, 0, 1),
    node("Seasons", &GAS_SEASONS, 0, 1),
]);
const GAS_SPECIAL_DAY: Form = form(&[
    node("Date", &GAS_DATE_WITH_WILDCARDS, 0, 1),
    leaf("ReferencedDay", Whole(1, 4), 0, 1),
]);
const GAS_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS: Form = form(&[
    node("SpecialDay", &GAS_SPECIAL_DAY, 0, 20),
]);
const GAS_THRESHOLD: Form = text_with(&[attribute("index", Whole(1, 3), true)], Decimal);
const GAS_TARIFF_THRESHOLDS: Form = form(&[
    node("BlockThreshold", &GAS_THRESHOLD, 0, 3),
]);
const GAS_TOU_PRICE: Form = text_with(&[attribute("index", Whole(1, 4), true)], Whole(0, 4_294_967_295));
const GAS_TARIFF_TOU_PRICE_MATRIX: Form = form(&[
    node("TariffTOUPrice", &GAS_TOU_PRICE, 0, 4),
]);
const GAS_TARIFF_BLOCK_PRICES: Form = form(&[
    node("BlockPrice", &GAS_TOU_PRICE, 0, 4),
]);
const READ_TARIFF_PRIMARY_ELEMENT_GAS: Form = form(&[
    leaf("PrimaryActiveTariffPrice", Whole(0, 4_294_967_295), 0, 1),
    leaf("PrimaryActiveTariffPriceScale", Whole(-128, 127), 0, 1),
    leaf("CurrencyUnitsLabel", OneOf(&["GBP", "ECB"]), 0, 1),
    leaf("StandingCharge", Whole(0, 4_294_967_295), 0, 1),
    node("TariffSwitchingTable", &GAS_TARIFF_SWITCHING_TABLE, 0, 1),
    node("TariffSwitchingTableSpecialDays", &GAS_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS, 0, 1),
    node("TariffThresholds", &GAS_TARIFF_THRESHOLDS, 0, 1),
    node("TOUTariff", &GAS_TARIFF_TOU_PRICE_MATRIX, 0, 1),
    node("BlockTariff", &GAS_TARIFF_BLOCK_PRICES, 0, 1),
]);
const READ_TARIFF_PRIMARY_ELEMENT_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &READ_TARIFF_PRIMARY_ELEMENT_ELECTRICITY, 1, 1),
        node("Gas", &READ_TARIFF_PRIMARY_ELEMENT_GAS, 1, 1),
    ], 1, 1),
]);
const ACTIVE_POWER_IMPORT: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("Unit", STRING, 0, 1),
]);
const READ_ACTIVE_POWER_IMPORT_RSP: Form = answer_form(&[
    node("ActivePowerImport", &ACTIVE_POWER_IMPORT, 0, 1),
    leaf("PrimaryActivePowerImportValue", INTEGER, 0, 1),
]);
const READ_METER_BALANCE_GAS: Form = form(&[
    Sequence(&[
        leaf("MeterBalancePrepaymentMode", INTEGER, 0, 1),
    ], 0, 1),
]);
const READ_METER_BALANCE_RSP: Form = answer_form(&[
    leaf("MeterBalance", INTEGER, 0, 1),
    node("Gas", &READ_METER_BALANCE_GAS, 0, 1),
]);
const READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_ELECTRICITY: Form = form(&[
    leaf("SupplyTamperState", OneOf(&["Unchanged", "Locked"]), 0, 1),
    leaf("MeterVariant", Characters(0, 1), 0, 1),
]);
const READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_GAS: Form = form(&[
    leaf("SupplyTamperState", OneOf(&["Unchanged", "Locked"]), 0, 1),
    leaf("SupplyDepletionState", OneOf(&["Unchanged", "Locked"]), 0, 1),
]);
const READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_RSP: Form = answer_form(&[
    leaf("DeviceIdentifier", Eui, 0, 1),
    leaf("ModelType", Characters(0, 8), 0, 1),
    leaf("ManufacturerIdentifier", Characters(0, 32), 0, 1),
    Choice(&[
        node("Electricity", &READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_ELECTRICITY, 1, 1),
        node("Gas", &READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_GAS, 1, 1),
    ], 0, 1),
]);
const ELEC_TIME_STATUS: Form = with_attributes(&[attribute("TimeStatusCode", INTEGER, true)], &[
    leaf("TimeStatus", OneOf(&["reliable", "invalid", "unreliable"]), 1, 1),
]);
const SYNCHRONISE_CLOCK_ELECTRICITY: Form = form(&[
    node("ElecClockTimeStatus", &ELEC_TIME_STATUS, 0, 1),
]);
pub(super) const STATUS_ASN1: Form = with_attributes(&[attribute("ResponseCode", INTEGER, true)], &[
    leaf("ASN1Status", OneOf(&[
        "success", "notKnown", "badCertificate", "noTrustAnchor", "insufficientMemory", "resourcesBusy",
        "other", "invalidCertificate", "wrongDeviceIdentity", "invalidKeyUsage",
        "noCorrespondingKeyPairGenerated", "wrongPublicKey", "certificateStorageFailed",
        "privateKeyChangeFailed", "keyPairGenerationFailed", "cRProductionFailed", "trustAnchorNotFound",
        "noCertificateHeld", "certificateRetrievalFailure", "invalidMessageCodeForJoinMethodAndRole",
        "invalidJoinMethodAndRole", "incompatibleWithExistingEntry", "deviceLogFull", "writeFailure",
        "keyAgreementNoResources", "keyAgreementUnknownIssuer", "keyAgreementUnsupportedSuite",
        "keyAgreementBadMessage", "keyAgreementBadKeyConfirm", "invalidOrMissingCertificate",
        "noPartnerLinkKeyReceived", "noCBKEResponse", "otherDeviceNotInDeviceLog", "otherFailure",
        "readFailure", "noImageHeld", "hashMismatch", "activationFailure", "reliable", "invalid",
        "unreliable",
    ]), 1, 1),
]);
const SYNCHRONISE_CLOCK_GAS: Form = form(&[
    node("GasClockTimeStatus", &STATUS_ASN1, 0, 1),
]);
const SYNCHRONISE_CLOCK_RSP: Form = answer_form(&[
    leaf("DeviceTime", DateTime, 0, 1),
    Choice(&[
        node("Electricity", &SYNCHRONISE_CLOCK_ELECTRICITY, 1, 1),
        node("Gas", &SYNCHRONISE_CLOCK_GAS, 1, 1),
    ], 0, 1),
]);
const LOG_ENTRY: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    leaf("LogCode", Hex, 0, 1),
    leaf("LogMeaning", Characters(0, 200), 0, 1),
    leaf("OtherInformation", Hex, 0, 1),
    leaf("OtherInformationLogMeaning", Characters(0, 200), 0, 1),
]);
const LOG: Form = form(&[
    node("LogEntry", &LOG_ENTRY, 0, 100),
]);
const ALCS_EVENT_LOG: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    leaf("SwitchNumber", Whole(1, 5), 0, 1),
    leaf("SwitchAction", OneOf(&[
        "On", "Off", "Revert to calendar control", "Entry relates to a Message from an HC ALCS",
    ]), 0, 1),
    leaf("Outcome", OneOf(&["Outcome not known", "Success", "Failure"]), 0, 1),
    leaf("HANCommandID", INTEGER, 0, 1),
    leaf("AuxiliaryControllerLevel", Whole(0, 100), 0, 1),
    node("InputFromControlledLoad", &EMPTY, 0, 1),
]);
const ALCS_LOG: Form = form(&[
    node("ALCSEventLogEntry", &ALCS_EVENT_LOG, 0, 100),
]);
const READ_EVENT_OR_SECURITY_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("Log", &LOG, 0, 1),
        node("ALCSEvent", &ALCS_LOG, 0, 1),
    ], 1, 1),
]);
const READ_SUPPLY_STATUS_GAS: Form = form(&[
    leaf("RemainingBatteryCapacity", Whole(0, 4_294_967_295), 0, 1),
]);
const READ_SUPPLY_STATUS_RSP: Form = answer_form(&[
    leaf("SupplyState", OneOf(&["Enabled", "Disabled", "Armed"]), 0, 1),
    node("Gas", &READ_SUPPLY_STATUS_GAS, 0, 1),
]);
const DEVICE_LOG_ENTRY: Form = form(&[
    leaf("DeviceID", Eui, 1, 1),
    leaf("DeviceType", OneOf(&["ESME", "GSME", "GPF", "CHF", "HCALCS", "PPMID", "Type2"]), 1, 1),
]);
const DEVICE_LOG: Form = form(&[
    node("LogEntry", &DEVICE_LOG_ENTRY, 0, 10_000),
]);
const CHF_DEVICE_LOG_ENTRY: Form = form(&[
    leaf("DeviceID", Eui, 0, 1),
    leaf("LastCommunicationsDateTime", DateTime, 0, 1),
    leaf("SubGHzLinkQuality", Whole(-128, 127), 0, 1),
]);
const CHF_DEVICE_LOG: Form = form(&[
    node("CHFDeviceLogEntry", &CHF_DEVICE_LOG_ENTRY, 0, 16),
]);
const CHF_CONNECTED_DEVICE_LOG_ENTRY: Form = form(&[
    leaf("DeviceID", Eui, 0, 1),
    leaf("DeviceSecurityDetails", Characters(0, 32), 0, 1),
]);
const CHF_CONNECTED_DEVICE_LOG: Form = form(&[
    node("CHFCurrentConnectedDeviceLogEntry", &CHF_CONNECTED_DEVICE_LOG_ENTRY, 0, 16),
    node("CHFHistoricConnectedDeviceLogEntry", &CHF_CONNECTED_DEVICE_LOG_ENTRY, 0, 16),
]);
const READ_DEVICE_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("DeviceLogEntries", &DEVICE_LOG, 0, 1),
        node("CHFDeviceLog", &CHF_DEVICE_LOG, 0, 1),
        node("CHFConnectedDeviceLog", &CHF_CONNECTED_DEVICE_LOG, 0, 1),
    ], 1, 1),
]);
const READ_FIRMWARE_VERSION_RSP: Form = answer_form(&[
    leaf("FirmwareVersion", STRING, 0, 1),
]);
