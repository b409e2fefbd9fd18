//! Group 4, what a meter keeps of the past: profiles, daily reads, billing. Data, not logic.

use super::shared::{DECIMAL_WITH_INDEX, INTEGER_WITH_INDEX, VALUE_AND_UNIT};
use crate::mmc::form::Particle::Choice;
use crate::mmc::form::Text::{DateTime, Decimal, Whole};
use crate::mmc::form::{Form, INTEGER, NATURAL, answer_form, form, leaf, node};

const CONSUMPTION_AND_TARIFF_REGISTERS: Form = form(&[
    leaf("ActiveImportRegisterConsumption", INTEGER, 0, 1),
    node("TariffTOURegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 48),
    node("TariffTOUBlock1RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock2RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock3RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock4RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    leaf("SecondaryActiveImportRegisterConsumption", INTEGER, 0, 1),
    node("SecondaryTariffTOURegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 4),
    leaf("Timestamp", DateTime, 0, 1),
]);
const PREPAYMENT_OPERATIONAL_DATA: Form = form(&[
    leaf("AccumulatedDebtRegister", INTEGER, 0, 1),
    leaf("EmergencyCreditBalance", INTEGER, 0, 1),
    leaf("MeterBalance", INTEGER, 0, 1),
    leaf("PaymentDebtRegister", INTEGER, 0, 1),
    leaf("TimeDebtRegisters1", INTEGER, 0, 1),
    leaf("TimeDebtRegisters2", INTEGER, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
]);
const MODE_OR_TARIFF_BILLING_LOG_ELECTRICITY: Form = form(&[
    node("LogEntryConsumptionAndTariffRegistersData", &CONSUMPTION_AND_TARIFF_REGISTERS, 0, 12),
    node("LogEntryPrepaymentData", &PREPAYMENT_OPERATIONAL_DATA, 0, 12),
]);
const CONSUMPTION_REGISTER_GAS: Form = form(&[
    leaf("ConsumptionRegister", Decimal, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
    node("TariffTOURegisterMatrixValue", &DECIMAL_WITH_INDEX, 0, 4),
    node("BlockRegisterMatrixValue", &DECIMAL_WITH_INDEX, 0, 4),
]);
const MODE_OR_TARIFF_BILLING_LOG_GAS: Form = form(&[
    node("LogEntryConsumptionRegister", &CONSUMPTION_REGISTER_GAS, 0, 12),
    node("LogEntryPrepaymentData", &PREPAYMENT_OPERATIONAL_DATA, 0, 12),
]);
pub(in crate::mmc) const RETRIEVE_COM_OR_TARIFF_TRIGGERED_BILLING_DATA_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &MODE_OR_TARIFF_BILLING_LOG_ELECTRICITY, 1, 1),
        node("Gas", &MODE_OR_TARIFF_BILLING_LOG_GAS, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const ESME_BILLING_DATA_LOG: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    leaf("ActiveImportRegisterValueConsumption", INTEGER, 0, 1),
    leaf("SecondaryActiveImportRegisterValueConsumption", INTEGER, 0, 1),
    node("TariffTOURegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 48),
    node("SecondaryTariffTOURegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 4),
    node("TariffTOUBlock1RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock2RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock3RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock4RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
]);
const CALENDAR_BILLING_LOG_ELECTRICITY: Form = form(&[
    node("ESMEBillingDataLogEntry", &ESME_BILLING_DATA_LOG, 0, 12),
    node("ESMEBillingPrepaymentDataLogEntry", &PREPAYMENT_OPERATIONAL_DATA, 0, 12),
]);
pub(in crate::mmc) const GSME_BILLING_DATA_LOG: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    leaf("ActiveImportRegisterValueConsumption", Decimal, 0, 1),
    node("BlockRegisterMatrixValue", &DECIMAL_WITH_INDEX, 0, 4),
    node("TariffTOURegisterMatrixValue", &DECIMAL_WITH_INDEX, 0, 4),
]);
const CALENDAR_BILLING_LOG_GAS: Form = form(&[
    node("GSMEBillingDataLogEntry", &GSME_BILLING_DATA_LOG, 0, 12),
    node("GSMEBillingPrepaymentDataLogEntry", &PREPAYMENT_OPERATIONAL_DATA, 0, 12),
]);
pub(in crate::mmc) const RETRIEVE_BILLING_CALENDAR_TRIGGERED_BILLING_DATA_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &CALENDAR_BILLING_LOG_ELECTRICITY, 1, 1),
        node("Gas", &CALENDAR_BILLING_LOG_GAS, 1, 1),
    ], 1, 1),
]);
const TIMED_AMOUNT: Form = form(&[
    leaf("Amount", INTEGER, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
]);
const PAYMENT_BASED_DEBT_REPAYMENT: Form = form(&[
    node("LogEntry", &TIMED_AMOUNT, 0, 10),
]);
pub(in crate::mmc) const RETRIEVE_BILLING_DATA_LOG_DEBT_PAYMENTS_RSP: Form = answer_form(&[
    node("PaymentBasedDebtRepayment", &PAYMENT_BASED_DEBT_REPAYMENT, 0, 1),
]);
const PREPAYMENT_CREDITS: Form = form(&[
    node("LogEntry", &TIMED_AMOUNT, 0, 5),
]);
pub(in crate::mmc) const RETRIEVE_BILLING_DATA_LOG_PREPAYMENT_CREDITS_RSP: Form = answer_form(&[
    node("PrepaymentCredits", &PREPAYMENT_CREDITS, 0, 1),
]);
const IMPORT_DAILY_READ_GAS: Form = form(&[
    leaf("GasActiveImportRegisterConsumption", Decimal, 0, 1),
    node("TariffBlockCounterMatrix", &DECIMAL_WITH_INDEX, 0, 4),
    node("TariffTOURegisterMatrix", &DECIMAL_WITH_INDEX, 0, 4),
]);
const IMPORT_DAILY_READ_ELECTRICITY: Form = form(&[
    leaf("ElecActiveImportRegisterConsumption", INTEGER, 0, 1),
    leaf("SecondaryActiveImportRegisterConsumption", INTEGER, 0, 1),
    node("SecondaryTariffTOURegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 4),
    node("TariffTOURegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 48),
    node("TariffTOUBlock1RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock2RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock3RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
    node("TariffTOUBlock4RegisterMatrixValue", &INTEGER_WITH_INDEX, 0, 8),
]);
const IMPORT_DAILY_READ: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    Choice(&[
        node("Gas", &IMPORT_DAILY_READ_GAS, 1, 1),
        node("Electricity", &IMPORT_DAILY_READ_ELECTRICITY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const RETRIEVE_IMPORT_DAILY_READ_LOG_RSP: Form = answer_form(&[
    node("LogEntry", &IMPORT_DAILY_READ, 0, 31),
]);
const EXPORT_DAILY_READ: Form = form(&[
    leaf("ActiveExportRegisterValue", INTEGER, 0, 1),
    leaf("TimeStamp", DateTime, 0, 1),
]);
pub(in crate::mmc) const RETRIEVE_EXPORT_DAILY_READ_LOG_RSP: Form = answer_form(&[
    node("LogEntry", &EXPORT_DAILY_READ, 0, 31),
]);
const ACTIVE_IMPORT_ELECTRICITY: Form = form(&[
    leaf("PrimaryValue", INTEGER, 0, 1),
    leaf("SecondaryValue", INTEGER, 0, 1),
]);
const ACTIVE_IMPORT_GAS: Form = form(&[
    leaf("PrimaryValue", Decimal, 0, 1),
]);
const ACTIVE_IMPORT: Form = form(&[
    leaf("Timestamp", DateTime, 0, 1),
    Choice(&[
        node("Electricity", &ACTIVE_IMPORT_ELECTRICITY, 0, 1),
        node("Gas", &ACTIVE_IMPORT_GAS, 0, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const READ_ACTIVE_IMPORT_PROFILE_DATA_RSP: Form = answer_form(&[
    node("LogEntry", &ACTIVE_IMPORT, 0, 19_056),
]);
const REACTIVE_IMPORT: Form = form(&[
    leaf("ReactiveEnergyImportedValue", INTEGER, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
]);
pub(in crate::mmc) const READ_REACTIVE_IMPORT_PROFILE_DATA_RSP: Form = answer_form(&[
    node("LogEntry", &REACTIVE_IMPORT, 0, 4_464),
]);
const EXPORT: Form = form(&[
    leaf("ActiveEnergyExportedValue", INTEGER, 0, 1),
    leaf("ReactiveEnergyExportedValue", INTEGER, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
]);
pub(in crate::mmc) const READ_EXPORT_PROFILE_DATA_RSP: Form = answer_form(&[
    node("LogEntry", &EXPORT, 0, 4_464),
]);
const TIMED_DECIMAL: Form = form(&[
    leaf("Value", Decimal, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
]);
const AVG_RMS_VOLTAGE_PROFILE_DATA: Form = form(&[
    node("LogEntry", &TIMED_DECIMAL, 0, 4_320),
    leaf("MeasurementPeriod", NATURAL, 0, 1),
]);
const VOLTAGE_OPERATIONAL_DATA: Form = form(&[
    node("AvgRMSOverVoltageCounter", &VALUE_AND_UNIT, 0, 1),
    node("AvgRMSUnderVoltageCounter", &VALUE_AND_UNIT, 0, 1),
    node("AvgRMSVoltageProfileDataLog", &AVG_RMS_VOLTAGE_PROFILE_DATA, 0, 1),
]);
const PHASE_VOLTAGE_OPERATIONAL_DATA: Form = form(&[
    node("VoltageOperationalData", &VOLTAGE_OPERATIONAL_DATA, 0, 1),
    leaf("Phase", Whole(1, 3), 0, 1),
]);
const VOLTAGE_POLY_PHASE_ESME: Form = form(&[
    node("PhaseVoltageOperationalData", &PHASE_VOLTAGE_OPERATIONAL_DATA, 0, 3),
]);
const READ_NETWORK_DATA_ELECTRICITY: Form = form(&[
    Choice(&[
        node("SinglePhaseESME", &VOLTAGE_OPERATIONAL_DATA, 0, 1),
        node("PolyPhaseESME", &VOLTAGE_POLY_PHASE_ESME, 0, 1),
    ], 1, 1),
]);
const GAS_NETWORK_DATA_LOG: Form = form(&[
    node("LogEntry", &TIMED_DECIMAL, 0, 41),
]);
const READ_NETWORK_DATA_GAS: Form = form(&[
    node("NetworkDataLog", &GAS_NETWORK_DATA_LOG, 0, 1),
]);
pub(in crate::mmc) const READ_NETWORK_DATA_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &READ_NETWORK_DATA_ELECTRICITY, 1, 1),
        node("Gas", &READ_NETWORK_DATA_GAS, 1, 1),
    ], 1, 1),
]);
const PREPAYMENT_DAILY_READS: Form = form(&[
    node("LogEntry", &PREPAYMENT_OPERATIONAL_DATA, 0, 31),
]);
pub(in crate::mmc) const READ_PREPAYMENT_DAILY_READ_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &PREPAYMENT_DAILY_READS, 1, 1),
        node("Gas", &PREPAYMENT_DAILY_READS, 1, 1),
    ], 1, 1),
]);
const TIMED_INTEGER: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("Timestamp", DateTime, 0, 1),
]);
const RETRIEVE_DAILY_CONSUMPTION_LOG_ELECTRICITY: Form = form(&[
    node("LogEntry", &TIMED_INTEGER, 0, 731),
]);
const RETRIEVE_DAILY_CONSUMPTION_LOG_GAS: Form = form(&[
    node("LogEntry", &TIMED_DECIMAL, 0, 731),
]);
pub(in crate::mmc) const RETRIEVE_DAILY_CONSUMPTION_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &RETRIEVE_DAILY_CONSUMPTION_LOG_ELECTRICITY, 1, 1),
        node("Gas", &RETRIEVE_DAILY_CONSUMPTION_LOG_GAS, 1, 1),
    ], 1, 1),
]);
