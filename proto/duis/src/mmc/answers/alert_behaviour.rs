//! Group 6, which alerts a device raises. Data, not logic.

use crate::mmc::form::Particle::{self, Choice};
use crate::mmc::form::Text::{self, OneOf};
use crate::mmc::form::{Form, answer_form, form, leaf, node};

const SWITCH: Text = OneOf(&["Disable", "Enable"]);
const DESTINATIONS: Form = form(&[
    leaf("WANAlert", SWITCH, 1, 1),
    leaf("HANAlert", SWITCH, 1, 1),
    leaf("EventLog", SWITCH, 1, 1),
    leaf("Alarm", SWITCH, 1, 1),
]);

const fn alert(code: &'static str) -> Particle {
    leaf(code, SWITCH, 0, 1)
}

const fn event(code: &'static str) -> Particle {
    node(code, &DESTINATIONS, 0, 1)
}

const SUPPLIER_ESME_COMMON: Form = form(&[
    alert("x810D"), alert("x810E"), alert("x8119"), alert("x8145"), alert("x8154"), alert("x8155"),
    alert("x8161"), alert("x8162"), alert("x8168"), alert("x8183"), alert("x81A0"), alert("x81A1"),
    alert("x81A2"), alert("x81A3"), alert("x81A4"), alert("x81A5"), alert("x81A6"), alert("x81A7"),
    alert("x81A8"), alert("x81A9"), alert("x81AA"), alert("x81AB"), alert("x81AC"), alert("x81AD"),
    alert("x81AE"), alert("x81AF"), alert("x81B0"), alert("x81B1"), alert("x81B2"), alert("x81B3"),
    alert("x81B8"), alert("x81B9"), alert("x81BA"), alert("x81BB"), alert("x81BC"), alert("x81BD"),
    alert("x81BE"), alert("x81C0"), alert("x81C1"), alert("x81C4"), alert("x81C5"), alert("x81C6"),
]);
const SUPPLIER_ESME_POLY_PHASE: Form = form(&[
    alert("x81B7"),
]);
const NETWORK_OPERATOR_ESME_COMMON: Form = form(&[
    alert("x8014"), alert("x8015"),
]);
const NETWORK_OPERATOR_ESME_SINGLE_PHASE: Form = form(&[
    alert("x8002"), alert("x8006"), alert("x8020"), alert("x8024"), alert("x8028"), alert("x802C"),
    alert("x8085"), alert("x8089"), alert("x808D"), alert("x8091"), alert("x8095"), alert("x8099"),
    alert("x8010"),
]);
const NETWORK_OPERATOR_ESME_POLY_PHASE: Form = form(&[
    alert("x8003"), alert("x8004"), alert("x8005"), alert("x8007"), alert("x8008"), alert("x8009"),
    alert("x8021"), alert("x8022"), alert("x8023"), alert("x8025"), alert("x8026"), alert("x8027"),
    alert("x8029"), alert("x802A"), alert("x802B"), alert("x802D"), alert("x802E"), alert("x802F"),
    alert("x8086"), alert("x8087"), alert("x8088"), alert("x808A"), alert("x808B"), alert("x808C"),
    alert("x808E"), alert("x808F"), alert("x8090"), alert("x8092"), alert("x8093"), alert("x8094"),
    alert("x8096"), alert("x8097"), alert("x8098"), alert("x809A"), alert("x809B"), alert("x809C"),
    alert("x8011"), alert("x8016"), alert("x8013"),
]);
const SUPPLIER_GSME_EVENTS: Form = form(&[
    event("x810D"), event("x810E"), event("x8119"), event("x8145"), event("x8154"), event("x8155"),
    event("x8161"), event("x8162"), event("x8168"), event("x8183"), event("x8184"), event("x81A0"),
    event("x81A1"), event("x81A4"), event("x81A5"), event("x81A6"), event("x81A7"), event("x81A8"),
    event("x81A9"), event("x81AA"), event("x81AB"), event("x81AC"), event("x81AD"), event("x81AE"),
    event("x81AF"), event("x81B0"), event("x81B1"), event("x81B2"), event("x81B3"), event("x81B4"),
    event("x81B5"), event("x81B6"), event("x81B9"), event("x81BA"), event("x81BC"), event("x81BD"),
    event("x81BE"), event("x81BF"), event("x81C0"), event("x81C2"), event("x81C3"), event("x81C4"),
    event("x81C5"), event("x81C6"),
]);
const SUPPLIER_ALERTS: Form = form(&[
    node("SupplierESMECommon", &SUPPLIER_ESME_COMMON, 0, 1),
    node("SupplierESMEPolyPhase", &SUPPLIER_ESME_POLY_PHASE, 0, 1),
]);
const NETWORK_OPERATOR_ALERTS: Form = form(&[
    node("NetworkOperatorESMECommon", &NETWORK_OPERATOR_ESME_COMMON, 0, 1),
    Choice(&[
        node("NetworkOperatorESMESinglePhase", &NETWORK_OPERATOR_ESME_SINGLE_PHASE, 0, 1),
        node("NetworkOperatorESMEPolyPhase", &NETWORK_OPERATOR_ESME_POLY_PHASE, 0, 1),
    ], 1, 1),
]);
const SUPPLIER_SETTINGS: Form = form(&[
    node("ElectricitySupplierWANAlertSettings", &SUPPLIER_ALERTS, 0, 1),
    node("ElectricitySupplierHANAlertSettings", &SUPPLIER_ALERTS, 0, 1),
    node("ElectricitySupplierAlarmSettings", &SUPPLIER_ALERTS, 0, 1),
    node("ElectricitySupplierLoggingSettings", &SUPPLIER_ALERTS, 0, 1),
]);
const NETWORK_OPERATOR_SETTINGS: Form = form(&[
    node("ElectricityNetworkOperatorWANAlertSettings", &NETWORK_OPERATOR_ALERTS, 0, 1),
    node("ElectricityNetworkOperatorLoggingSettings", &NETWORK_OPERATOR_ALERTS, 0, 1),
]);
pub(in crate::mmc) const READ_EVENT_AND_ALERT_BEHAVIOURS_RSP: Form = answer_form(&[
    Choice(&[
        node("ElectricitySupplierAlertEventSettings", &SUPPLIER_SETTINGS, 1, 1),
        node("ElectricityNetworkOperatorAlertEventSettings", &NETWORK_OPERATOR_SETTINGS, 1, 1),
        node("GasSupplierAlertEventSettings", &SUPPLIER_GSME_EVENTS, 1, 1),
    ], 1, 1),
]);
