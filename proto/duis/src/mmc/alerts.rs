//! The form of what a device alert carries in MMC 5.4. Data, not logic.

use super::answers::{ESME_BILLING_DATA_LOG, GSME_BILLING_DATA_LOG, STATUS_ASN1};
use super::form::Particle::Choice;
use super::form::Text::{Base64, Characters, DateTime, Eui, Hex, OneOf, Whole};
use super::form::{Form, NATURAL, form, leaf, node};

const FIRMWARE_VERIFICATION_DEVICE_ALERT: Form = form(&[
    leaf("ManufacturerImageHash", Hex, 0, 1),
]);
const BILLING_DATA_LOG_DEVICE_ALERT: Form = form(&[
    Choice(&[
        node("ESMEBillingDataLogEntry", &ESME_BILLING_DATA_LOG, 1, 1),
        node("GSMEBillingDataLogEntry", &GSME_BILLING_DATA_LOG, 1, 1),
    ], 1, 1),
]);
const COSEM_ATTRIBUTE_DESCRIPTOR: Form = form(&[
    leaf("ClassId", Hex, 0, 1),
    leaf("InstanceId", Hex, 0, 1),
    leaf("AttributeId", Hex, 0, 1),
]);
const COSEM_FUTURE_DATED_ALERT: Form = form(&[
    leaf("FutureDatedCommandMessageCode", Hex, 0, 1),
    leaf("FutureDatedCommandOriginatorCounter", NATURAL, 0, 1),
    node("DLMSCOSEMFDInstructionIdentification", &COSEM_ATTRIBUTE_DESCRIPTOR, 0, 1),
]);
const GBZ_COMMAND_INSTRUCTION: Form = form(&[
    leaf("ExtendedHeaderClusterID", Hex, 0, 1),
    leaf("FrameControl", Hex, 0, 1),
    leaf("CommandIdentifier", Hex, 0, 1),
]);
const GBZ_FUTURE_DATED_ALERT: Form = form(&[
    leaf("FutureDatedCommandMessageCode", Hex, 0, 1),
    leaf("FutureDatedCommandOriginatorCounter", NATURAL, 0, 1),
    node("GBZFDInstructionIdentification", &GBZ_COMMAND_INSTRUCTION, 0, 1),
]);
const REMOTE_PARTY_SEQ_NUMBER_CHANGE: Form = form(&[
    leaf("RemotePartyRole", OneOf(&[
        "ACB", "NetworkOperator", "Recovery", "Root", "Supplier", "TransCoS", "LoadController",
    ]), 0, 1),
    leaf("RemotePartyFloorSeqNumber", NATURAL, 0, 1),
    leaf("RemotePartyPrepaymentTopUpFloorSeqNumber", NATURAL, 0, 1),
]);
const REPLACEMENT_OUTCOME: Form = form(&[
    node("StatusCode", &STATUS_ASN1, 0, 1),
    leaf("CertificateType", OneOf(&[
        "DigitalSigning", "KeyAgreement", "KeyAgreementTopUp", "KeyCertSign",
    ]), 0, 1),
    leaf("RemotePartyRole", OneOf(&[
        "ACB", "NetworkOperator", "Recovery", "Root", "Supplier", "TransCoS", "LoadController",
    ]), 0, 1),
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
    node("RemotePartySeqNumberChange", &REMOTE_PARTY_SEQ_NUMBER_CHANGE, 0, 1),
    node("ReplacementOutcome", &REPLACEMENT_OUTCOME, 0, 3),
]);
const UPDATE_SECURITY_CREDENTIALS_DEVICE_ALERT: Form = form(&[
    node("UpdateSecurityCredentialsExecutionOutcome", &EXECUTION_OUTCOME, 1, 1),
]);
const FIRMWARE_ACTIVATION_DEVICE_ALERT: Form = form(&[
    leaf("ExecutionDateTime", DateTime, 0, 1),
    leaf("OriginatorCounterFromCommand", NATURAL, 0, 1),
    node("ActivateImageResponseCode", &STATUS_ASN1, 0, 1),
    leaf("FirmwareVersion", Characters(1, 8), 0, 1),
]);
const FUTURE_DATED_COMMAND_OUTCOME_DEVICE_ALERT: Form = form(&[
    Choice(&[
        node("COSEMFutureDatedAlert", &COSEM_FUTURE_DATED_ALERT, 1, 1),
        node("GBZFutureDatedAlert", &GBZ_FUTURE_DATED_ALERT, 1, 1),
        node("UpdateSecurityCredentialsDeviceAlert", &UPDATE_SECURITY_CREDENTIALS_DEVICE_ALERT, 1, 1),
        node("FirmwareActivationDeviceAlert", &FIRMWARE_ACTIVATION_DEVICE_ALERT, 1, 1),
    ], 1, 1),
]);
const SUPPLY_OUTAGE_RESTORE_ALERT: Form = form(&[
    leaf("interruptionValue", DateTime, 1, 1),
    leaf("restorationValue", DateTime, 1, 1),
]);
const INTEGRITY_ISSUE_ALERT: Form = form(&[
    leaf("Warning", OneOf(&[
        "Other", "Error Non Volatile Memory", "Error Program Execution", "Error Program Storage",
        "Error RAM", "Error Unexpected Hardware Reset", "Error Watchdog",
        "Error Metrology Firmware Verification Failure", "Error Measurement Fault",
        "Unspecified Smart Meter Operational Integrity Error",
    ]), 1, 1),
]);
const COMMAND_NOT_SUPPORTEDBY_DEVICE: Form = form(&[
    leaf("MessageCodeofCommandReceived", Hex, 0, 1),
    leaf("OriginatorCounterfromCommandReceived", NATURAL, 0, 1),
]);
const OPERATIONAL_UPDATE_DEVICE_ALERT: Form = form(&[
    leaf("OutputState", Whole(0, 100), 0, 1),
    leaf("InputState", Whole(0, 100), 0, 1),
    leaf("StateAndAssociatedInformation", Characters(0, 1200), 0, 1),
]);
const EMPTY: Form = form(&[]);
const LIMIT_APC_LEVEL_PROCESSED_ALERT: Form = form(&[
    leaf("APCLimitPeriodStart", DateTime, 1, 1),
    leaf("APCLimitPeriodEnd", DateTime, 1, 1),
    leaf("AuxiliaryControllerN", Whole(1, 5), 1, 1),
    leaf("ResultingLevel", Whole(0, 100), 1, 1),
    node("InputFromControlledLoad", &EMPTY, 0, 1),
]);
const LIMIT_APC_LEVEL_ENDED_DEVICE_ALERT: Form = form(&[
    leaf("AuxiliaryControllerN", Whole(1, 5), 1, 1),
    leaf("ResultingLevel", Whole(0, 100), 1, 1),
    node("InputFromControlledLoad", &EMPTY, 0, 1),
]);
/// What an alert may carry: exactly one of these.
pub(super) const DEVICE_ALERT_MESSAGE_PAYLOAD: Form = form(&[
    Choice(&[
        node("FirmwareVerificationDeviceAlert", &FIRMWARE_VERIFICATION_DEVICE_ALERT, 1, 1),
        node("BillingDataLogDeviceAlert", &BILLING_DATA_LOG_DEVICE_ALERT, 1, 1),
        node("FutureDatedCommandOutcomeDeviceAlert", &FUTURE_DATED_COMMAND_OUTCOME_DEVICE_ALERT, 1, 1),
        node("SupplyOutageRestoreAlert", &SUPPLY_OUTAGE_RESTORE_ALERT, 1, 1),
        node("SmartMeterIntegrityIssueWarningDeviceAlert", &INTEGRITY_ISSUE_ALERT, 1, 1),
        node("CommandNotSupportedbyDevice", &COMMAND_NOT_SUPPORTEDBY_DEVICE, 1, 1),
        node("OperationalUpdateDeviceAlert", &OPERATIONAL_UPDATE_DEVICE_ALERT, 1, 1),
        node("LimitAPCLevelCommandProcessedDeviceAlert", &LIMIT_APC_LEVEL_PROCESSED_ALERT, 1, 1),
        node("LimitAPCLevelEndedDeviceAlert", &LIMIT_APC_LEVEL_ENDED_DEVICE_ALERT, 1, 1),
    ], 1, 1),
]);
