//! Group 6, configuration, clocks and logs. Data, not logic.

use super::shared::{ELEC_TIME_STATUS, EMPTY, STATUS_ASN1};
use crate::mmc::form::Particle::Choice;
use crate::mmc::form::Text::{Characters, DateTime, Eui, Hex, OneOf, Whole};
use crate::mmc::form::{Form, INTEGER, answer_form, form, leaf, node};

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
