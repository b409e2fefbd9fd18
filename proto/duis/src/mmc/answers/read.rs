//! Group 4, answers of a meter to what is read of it. Data, not logic.

use crate::mmc::form::Particle::{Choice, Sequence};
use crate::mmc::form::Text::{DateTime, Decimal, OneOf};
use crate::mmc::form::{Form, INTEGER, STRING, answer_form, form, leaf, node};

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
pub(in crate::mmc) const READ_INSTANTANEOUS_IMPORT_REGISTERS_RSP: Form = answer_form(&[
    Choice(&[
        node("Gas", &READ_INSTANTANEOUS_IMPORT_REGISTERS_GAS, 1, 1),
        node("Electricity", &READ_INSTANTANEOUS_IMPORT_REGISTERS_ELECTRICITY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_PREPAY_VALUES_RSP: Form = answer_form(&[
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
pub(in crate::mmc) const READ_ACTIVE_IMPORT_PROFILE_DATA_RSP: Form = answer_form(&[
    node("LogEntry", &PROFILE_DATA_LOG_ACTIVE_IMPORT, 0, 19_056),
]);
const ACTIVE_POWER_IMPORT: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("Unit", STRING, 0, 1),
]);
pub(in crate::mmc) const READ_ACTIVE_POWER_IMPORT_RSP: Form = answer_form(&[
    node("ActivePowerImport", &ACTIVE_POWER_IMPORT, 0, 1),
    leaf("PrimaryActivePowerImportValue", INTEGER, 0, 1),
]);
const READ_METER_BALANCE_GAS: Form = form(&[
    Sequence(&[
        leaf("MeterBalancePrepaymentMode", INTEGER, 0, 1),
    ], 0, 1),
]);
pub(in crate::mmc) const READ_METER_BALANCE_RSP: Form = answer_form(&[
    leaf("MeterBalance", INTEGER, 0, 1),
    node("Gas", &READ_METER_BALANCE_GAS, 0, 1),
]);
