//! Parts the answers of several groups have. Data, not logic.

use crate::mmc::form::Particle::Choice;
use crate::mmc::form::Text::{Decimal, OneOf, Whole};
use crate::mmc::form::{
    Form, INTEGER, POSITIVE, STRING, attribute, form, leaf, node, text_with, with_attributes,
};

pub(in crate::mmc) const EMPTY: Form = form(&[]);
pub(in crate::mmc) const YEAR: Form = form(&[
    Choice(&[
        leaf("SpecifiedYear", Whole(2_014, 9_999), 1, 1),
        node("NonSpecifiedYear", &EMPTY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const MONTH: Form = form(&[
    Choice(&[
        leaf("SpecifiedMonth", Whole(1, 12), 1, 1),
        node("NonSpecifiedMonth", &EMPTY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const DAY_OF_MONTH: Form = form(&[
    Choice(&[
        leaf("SpecifiedDayOfMonth", Whole(1, 31), 1, 1),
        node("LastDayOfMonth", &EMPTY, 1, 1),
        node("SecondLastDayOfMonth", &EMPTY, 1, 1),
        node("NonSpecifiedDayOfMonth", &EMPTY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const DAY_OF_WEEK: Form = form(&[
    Choice(&[
        leaf("SpecifiedDayOfWeek", Whole(1, 7), 1, 1),
        node("NonSpecifiedDayOfWeek", &EMPTY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const DATE: Form = form(&[
    node("Year", &YEAR, 1, 1),
    node("Month", &MONTH, 1, 1),
    node("DayOfMonth", &DAY_OF_MONTH, 1, 1),
    node("DayOfWeek", &DAY_OF_WEEK, 1, 1),
]);
pub(in crate::mmc) const GAS_DAY_OF_MONTH_WITH_WILDCARDS: Form = form(&[
    Choice(&[
        leaf("SpecifiedDayOfMonth", Whole(1, 31), 1, 1),
        node("GasNonSpecifiedDayOfMonth", &EMPTY, 1, 1),
    ], 1, 1),
]);
pub(in crate::mmc) const GAS_DATE_WITH_WILDCARDS: Form = form(&[
    node("GasYearWithWildcards", &YEAR, 0, 1),
    node("GasMonthWithWildcards", &MONTH, 0, 1),
    node("GasDayOfMonthWithWildcards", &GAS_DAY_OF_MONTH_WITH_WILDCARDS, 0, 1),
    node("GasDayOfWeekWithWildcards", &DAY_OF_WEEK, 0, 1),
]);
pub(in crate::mmc) const ELEC_TIME_STATUS: Form =
    with_attributes(&[attribute("TimeStatusCode", INTEGER, true)], &[
    leaf("TimeStatus", OneOf(&["reliable", "invalid", "unreliable"]), 1, 1),
]);
pub(in crate::mmc) const STATUS_ASN1: Form = with_attributes(&[attribute("ResponseCode", INTEGER, true)], &[
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
pub(in crate::mmc) const DECIMAL_WITH_INDEX: Form = text_with(&[attribute("index", Decimal, false)], Decimal);
pub(in crate::mmc) const INTEGER_WITH_INDEX: Form =
    text_with(&[attribute("index", POSITIVE, false)], INTEGER);
pub(in crate::mmc) const VALUE_AND_UNIT: Form = form(&[
    leaf("Value", INTEGER, 0, 1),
    leaf("Unit", STRING, 0, 1),
]);
