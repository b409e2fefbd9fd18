//! Group 6, security credentials. Data, not logic.

use super::shared::STATUS_ASN1;
use crate::mmc::form::Particle::Sequence;
use crate::mmc::form::Text::{self, Base64, Eui, OneOf};
use crate::mmc::form::{Form, NATURAL, answer_form, form, leaf, node};

const ROLE: Text =
    OneOf(&["ACB", "NetworkOperator", "Recovery", "Root", "Supplier", "TransCoS", "LoadController"]);
const CERTIFICATE_USE: Text = OneOf(&["DigitalSigning", "KeyAgreement", "KeyAgreementTopUp", "KeyCertSign"]);
const SEQ_NUMBER_CHANGE: Form = form(&[
    leaf("RemotePartyRole", ROLE, 0, 1),
    leaf("RemotePartyFloorSeqNumber", NATURAL, 0, 1),
    leaf("RemotePartyPrepaymentTopUpFloorSeqNumber", NATURAL, 0, 1),
]);
const REPLACEMENT_OUTCOME: Form = form(&[
    node("StatusCode", &STATUS_ASN1, 0, 1),
    leaf("CertificateType", CERTIFICATE_USE, 0, 1),
    leaf("RemotePartyRole", ROLE, 0, 1),
    leaf("ExistingRemotePartyID", Eui, 0, 1),
    leaf("NewRemotePartyID", Eui, 0, 1),
    leaf("ExistingCertificateHash", Base64, 0, 1),
    leaf("NewCertificateHash", Base64, 0, 1),
]);
const EXECUTION_OUTCOME: Form = form(&[
    leaf("AuthorisingRemotePartyOriginatorCounter", NATURAL, 0, 1),
    leaf("CredentialsReplacementMode", OneOf(&[
        "ACBByACB", "SupplierBySupplier", "NetworkOperatorByNetworkOperator", "LoadControllerBySupplier",
        "SupplierByTransCoS",
    ]), 0, 1),
    node("RemotePartySeqNumberChange", &SEQ_NUMBER_CHANGE, 0, 1),
    node("ReplacementOutcome", &REPLACEMENT_OUTCOME, 0, 3),
]);
pub(in crate::mmc) const UPDATE_SECURITY_CREDENTIALS_RSP: Form = answer_form(&[
    node("ExecutionOutcome", &EXECUTION_OUTCOME, 0, 1),
]);
const REMOTE_PARTY_DETAILS: Form = form(&[
    leaf("RemotePartyRole", ROLE, 0, 1),
    node("StatusCode", &STATUS_ASN1, 0, 1),
    Sequence(&[
        leaf("RemotePartyFloorSeqNumber", NATURAL, 0, 1),
        leaf("CertificateUsage", CERTIFICATE_USE, 0, 1),
        leaf("ExistingRemotePartyID", Eui, 0, 1),
        leaf("ExistingCertificateHash", Base64, 0, 1),
    ], 0, 1),
]);
pub(in crate::mmc) const RETRIEVE_SECURITY_CREDENTIALS_RSP: Form = answer_form(&[
    node("RemotePartyDetails", &REMOTE_PARTY_DETAILS, 0, u32::MAX),
]);
