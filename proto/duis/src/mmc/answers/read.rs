//! Group 4, what a meter holds at the moment it is read. Data, not logic.

use super::shared::{DECIMAL_WITH_INDEX, INTEGER_WITH_INDEX, VALUE_AND_UNIT};
use crate::mmc::form::Particle::{Choice, Sequence};
use crate::mmc::form::Text::{DateTime, Decimal, OneOf, Time};
use crate::mmc::form::{
    Form, INTEGER, NATURAL, POSITIVE, answer_form, attribute, form, leaf, node, with_attributes,
};

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
const TARIFF_TOU_REGISTER_MATRIX: Form = form(&[
    node("TOURegisterMatrixValue", &DECIMAL_WITH_INDEX, 0, 4),
]);
const READ_INSTANTANEOUS_IMPORT_TOU_MATRICES_GAS: Form = form(&[
    node("TariffTOURegisterMatrix", &TARIFF_TOU_REGISTER_MATRIX, 0, 1),
]);
const TARIFF_TOU_REGISTER_COLLECTION: Form = form(&[
    node("TOUPrimaryRegisterValue", &INTEGER_WITH_INDEX, 0, 48),
    node("TOUSecondRegisterValue", &INTEGER_WITH_INDEX, 0, 4),
]);
const READ_INSTANTANEOUS_IMPORT_TOU_MATRICES_ELECTRICITY: Form = form(&[
    node("TariffTOURegisterCollection", &TARIFF_TOU_REGISTER_COLLECTION, 0, 1),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_IMPORT_TOU_MATRICES_RSP: Form = answer_form(&[
    Choice(&[
        node("Gas", &READ_INSTANTANEOUS_IMPORT_TOU_MATRICES_GAS, 1, 1),
        node("Electricity", &READ_INSTANTANEOUS_IMPORT_TOU_MATRICES_ELECTRICITY, 1, 1),
    ], 1, 1),
]);
const TARIFF_BLOCK: Form = with_attributes(&[attribute("index", POSITIVE, false)], &[
    node("RegisterMatrixTOUValue", &INTEGER_WITH_INDEX, 0, 8),
    node("CounterMatrixTOUValue", &INTEGER_WITH_INDEX, 0, 8),
]);
const TARIFF_BLOCK_TOU: Form = form(&[
    node("TariffBlock", &TARIFF_BLOCK, 0, 4),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_IMPORT_TOU_WITH_BLOCKS_MATRICES_RSP: Form = answer_form(&[
    node("TariffBlockTOURegisterCollection", &TARIFF_BLOCK_TOU, 0, 1),
]);
const IMPORT_BLOCK_COUNTERS: Form = form(&[
    node("TariffBlockCounterValue", &DECIMAL_WITH_INDEX, 0, 4),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_IMPORT_BLOCK_COUNTERS_RSP: Form = answer_form(&[
    node("ImportBlockCounters", &IMPORT_BLOCK_COUNTERS, 0, 1),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_EXPORT_REGISTERS_RSP: Form = answer_form(&[
    node("ActiveExportRegister", &ACTIVE_POWER_REGISTER_DATA, 0, 1),
    node("ReactiveExportRegister", &REACTIVE_POWER_REGISTER_DATA, 0, 1),
]);
pub(in crate::mmc) const READ_INSTANTANEOUS_PREPAY_VALUES_RSP: Form = answer_form(&[
    leaf("EmergencyCreditBalance", INTEGER, 0, 1),
    leaf("AccumulatedDebtRegister", INTEGER, 0, 1),
    leaf("PaymentDebtRegister", INTEGER, 0, 1),
    leaf("TimeDebtRegister1", INTEGER, 0, 1),
    leaf("TimeDebtRegister2", INTEGER, 0, 1),
    leaf("MeterBalance", INTEGER, 0, 1),
]);
const MAXIMUM_DEMAND: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("CaptureTime", DateTime, 0, 1),
    leaf("LastResetDateTime", DateTime, 0, 1),
]);
const MAXIMUM_DEMAND_TIME_PERIOD_SCHEDULE: Form = form(&[
    leaf("StartTime", Time, 1, 1),
    leaf("EndTime", Time, 1, 1),
]);
pub(in crate::mmc) const READ_MAXIMUM_DEMAND_IMPORT_REGISTERS_RSP: Form = answer_form(&[
    node("MaxDemandConfigurableTimeActivePowerImport", &MAXIMUM_DEMAND, 0, 1),
    node("MaxDemandActiveEnergyImport", &MAXIMUM_DEMAND, 0, 1),
    node("MaxDemandConfigurableTimePeriod", &MAXIMUM_DEMAND_TIME_PERIOD_SCHEDULE, 0, 1),
]);
pub(in crate::mmc) const READ_MAXIMUM_DEMAND_EXPORT_REGISTERS_RSP: Form = answer_form(&[
    node("MaxDemandActiveEnergyExport", &MAXIMUM_DEMAND, 0, 1),
]);
pub(in crate::mmc) const READ_LOAD_LIMIT_DATA_RSP: Form = answer_form(&[
    leaf("LoadLimitCounterValue", INTEGER, 0, 1),
    leaf("LoadLimitPowerThreshold", INTEGER, 0, 1),
    leaf("LoadLimitPeriod", NATURAL, 0, 1),
    leaf("LoadLimitRestorationPeriod", NATURAL, 0, 1),
    leaf("LoadLimitSupplyState", OneOf(&["Disable", "Unchanged"]), 0, 1),
]);
pub(in crate::mmc) const READ_ACTIVE_POWER_IMPORT_RSP: Form = answer_form(&[
    node("ActivePowerImport", &VALUE_AND_UNIT, 0, 1),
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
