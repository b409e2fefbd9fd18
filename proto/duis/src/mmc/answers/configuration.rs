//! Group 6, configuration, clocks and logs. Data, not logic.

use super::shared::{ELEC_TIME_STATUS, EMPTY, STATUS_ASN1};
use crate::mmc::form::Particle::Choice;
use crate::mmc::form::Text::{Boolean, Characters, DateTime, Decimal, Eui, Hex, OneOf, Time, Whole};
use crate::mmc::form::{Form, INTEGER, Text, answer_form, form, leaf, node};

const UNSIGNED: Text = Whole(0, 4_294_967_295);
const AVERAGE_RMS_VOLTAGE_SETTINGS: Form = form(&[
    leaf("AverageRMSOverVoltageThreshold", UNSIGNED, 0, 1),
    leaf("AverageRMSUnderVoltageThreshold", UNSIGNED, 0, 1),
]);
const POLY_PHASE_VOLTAGE_SETTINGS: Form = form(&[
    leaf("Phase", Whole(1, 3), 0, 1),
    node("PhaseVoltageSettings", &AVERAGE_RMS_VOLTAGE_SETTINGS, 0, 1),
]);
const RMS_VOLTAGE_SETTINGS: Form = form(&[
    leaf("RMSExtremeOverVoltageMeasurementPeriod", UNSIGNED, 0, 1),
    leaf("RMSExtremeOverVoltageThreshold", UNSIGNED, 0, 1),
    leaf("RMSExtremeUnderVoltageMeasurementPeriod", UNSIGNED, 0, 1),
    leaf("RMSExtremeUnderVoltageThreshold", UNSIGNED, 0, 1),
    leaf("RMSVoltageSagMeasurementPeriod", UNSIGNED, 0, 1),
    leaf("RMSVoltageSagThreshold", UNSIGNED, 0, 1),
    leaf("RMSVoltageSwellMeasurementPeriod", UNSIGNED, 0, 1),
    leaf("RMSVoltageSwellThreshold", UNSIGNED, 0, 1),
]);
pub(in crate::mmc) const READ_VOLTAGE_RSP: Form = answer_form(&[
    Choice(&[
        node("SinglePhaseVoltageSettings", &AVERAGE_RMS_VOLTAGE_SETTINGS, 0, 1),
        node("PolyPhaseVoltageSettings", &POLY_PHASE_VOLTAGE_SETTINGS, 0, 3),
    ], 0, 1),
    node("RMSVoltageSettings", &RMS_VOLTAGE_SETTINGS, 0, 1),
]);
const BILLING_START: Form = form(&[
    leaf("DayOfMonth", Whole(1, 28), 1, 1),
    leaf("BillingPeriodStartMonth", Whole(1, 12), 1, 1),
]);
const ELECTRICITY_BILLING_CALENDAR: Form = form(&[
    leaf("BillingTime", Time, 1, 1),
    Choice(&[
        node("Daily", &EMPTY, 1, 1),
        leaf("Weekly", Whole(1, 7), 1, 1),
        leaf("Monthly", Whole(1, 28), 1, 1),
        node("Quarterly", &BILLING_START, 1, 1),
        node("SixMonthly", &BILLING_START, 1, 1),
        node("Yearly", &BILLING_START, 1, 1),
    ], 1, 1),
]);
const GAS_BILLING_CALENDAR: Form = form(&[
    leaf("BillingPeriodStart", DateTime, 1, 1),
    leaf("Periodicity", OneOf(&["Daily", "Weekly", "Monthly", "Quarterly", "SixMonthly", "Yearly"]), 1, 1),
]);
const BILLING_CALENDAR: Form = form(&[
    Choice(&[
        node("ElectricityBillingCalendar", &ELECTRICITY_BILLING_CALENDAR, 1, 1),
        node("GasBillingCalendar", &GAS_BILLING_CALENDAR, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const READ_BILLING_CALENDAR_RSP: Form = answer_form(&[
    node("BillingCalendar", &BILLING_CALENDAR, 0, 1),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_POWER_THRESHOLDS_RSP: Form = answer_form(&[
    leaf("LowMediumPowerThreshold", INTEGER, 0, 1),
    leaf("MediumHighPowerThreshold", INTEGER, 0, 1),
]);
const MPANS: Form = form(&[
    leaf("ImportMPAN", Characters(0, 13), 0, 1),
    leaf("SecondaryImportMPAN", Characters(0, 13), 0, 1),
    leaf("ExportMPAN", Characters(0, 13), 0, 1),
]);
const MPRN: Form = form(&[
    leaf("MPRN", Characters(0, 10), 0, 1),
]);
pub(in crate::mmc) const READ_MPXN_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &MPANS, 0, 1),
        node("Gas", &MPRN, 0, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const READ_GAS_RSP: Form = answer_form(&[
    leaf("CalorificValue", Decimal, 0, 1),
    leaf("ConversionFactor", Decimal, 0, 1),
    leaf("UncontrolledGasFlowRate", Decimal, 0, 1),
    leaf("FlowStabilisationPeriod", INTEGER, 0, 1),
    leaf("FlowMeasurementPeriod", INTEGER, 0, 1),
]);
pub(in crate::mmc) const READ_PAYMENT_MODE_RSP: Form = answer_form(&[
    leaf("PaymentMode", OneOf(&["Credit", "Prepayment"]), 0, 1),
    leaf("SuspendDebtEmergency", Boolean, 0, 1),
    leaf("SuspendDebtDisabled", Boolean, 0, 1),
]);
const READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_ELECTRICITY: Form = form(&[
    leaf("SupplyTamperState", OneOf(&["Unchanged", "Locked"]), 0, 1),
    leaf("MeterVariant", Characters(0, 1), 0, 1),
]);
const READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_GAS: Form = form(&[
    leaf("SupplyTamperState", OneOf(&["Unchanged", "Locked"]), 0, 1),
    leaf("SupplyDepletionState", OneOf(&["Unchanged", "Locked"]), 0, 1),
]);
pub(in crate::mmc) const READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_RSP: Form = answer_form(&[
    leaf("DeviceIdentifier", Eui, 0, 1),
    leaf("ModelType", Characters(0, 8), 0, 1),
    leaf("ManufacturerIdentifier", Characters(0, 32), 0, 1),
    Choice(&[
        node("Electricity", &READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_ELECTRICITY, 1, 1),
        node("Gas", &READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_GAS, 1, 1),
    ], 0, 1),
]);
const SYNCHRONISE_CLOCK_ELECTRICITY: Form = form(&[
    node("ElecClockTimeStatus", &ELEC_TIME_STATUS, 0, 1),
]);
const SYNCHRONISE_CLOCK_GAS: Form = form(&[
    node("GasClockTimeStatus", &STATUS_ASN1, 0, 1),
]);
pub(in crate::mmc) const SYNCHRONISE_CLOCK_RSP: Form = answer_form(&[
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
pub(in crate::mmc) const READ_EVENT_OR_SECURITY_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("Log", &LOG, 0, 1),
        node("ALCSEvent", &ALCS_LOG, 0, 1),
    ], 1, 1),
]);
