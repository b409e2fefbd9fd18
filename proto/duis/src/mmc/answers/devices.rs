//! Groups 7, 8, 11 and 14, supply, device management, firmware and gas network data. Data, not logic.

use crate::mmc::answers::STATUS_ASN1;
use crate::mmc::form::Particle::Choice;
use crate::mmc::form::Text::{Characters, DateTime, Eui, OneOf, Whole};
use crate::mmc::form::{Form, INTEGER, STRING, answer_form, form, leaf, node};

const READ_SUPPLY_STATUS_GAS: Form = form(&[
    leaf("RemainingBatteryCapacity", Whole(0, 4_294_967_295), 0, 1),
]);
pub(in crate::mmc) const READ_SUPPLY_STATUS_RSP: Form = answer_form(&[
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
pub(in crate::mmc) const READ_DEVICE_LOG_RSP: Form = answer_form(&[
    Choice(&[
        node("DeviceLogEntries", &DEVICE_LOG, 0, 1),
        node("CHFDeviceLog", &CHF_DEVICE_LOG, 0, 1),
        node("CHFConnectedDeviceLog", &CHF_CONNECTED_DEVICE_LOG, 0, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const READ_FIRMWARE_VERSION_RSP: Form = answer_form(&[
    leaf("FirmwareVersion", STRING, 0, 1),
]);
pub(in crate::mmc) const ACTIVATE_FIRMWARE_RSP: Form = answer_form(&[
    node("ActivateImageResponseCode", &STATUS_ASN1, 0, 1),
    leaf("FirmwareVersion", Characters(1, 8), 0, 1),
]);
pub(in crate::mmc) const JOIN_SERVICE_RSP: Form = answer_form(&[
    node("joinResponseCode", &STATUS_ASN1, 1, 1),
]);
pub(in crate::mmc) const UNJOIN_SERVICE_RSP: Form = answer_form(&[
    node("unjoinResponseCode", &STATUS_ASN1, 1, 1),
]);
const RESTORE_DEVICE_LOG_OUTCOME: Form = form(&[
    node("DeviceLogEntry", &DEVICE_LOG_ENTRY, 0, 1),
    node("joinResponseCode", &STATUS_ASN1, 0, 1),
]);
pub(in crate::mmc) const RESTORE_GPF_DEVICE_LOG_RSP: Form = answer_form(&[
    node("RestoreDeviceLogOutcome", &RESTORE_DEVICE_LOG_OUTCOME, 0, 10_000),
]);
pub(in crate::mmc) const RECORD_NETWORK_DATA_GAS_RSP: Form = answer_form(&[
    leaf("SampleID", INTEGER, 0, 1),
]);
