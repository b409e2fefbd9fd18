//! Group 6, security credentials: who may control a device. For SMETS1 devices the S1SP holds them.

use super::configuration::Mpxn;
use super::leaf::EncodedCertificate;
use super::part::Several;
use jiff::Timestamp;

word_enum! {
    /// A party whose credentials a device, or for SMETS1 its S1SP, holds.
    RemotePartyRole, "remote party role" {
        /// The access control broker.
        Acb = "ACB",
        /// The network operator.
        NetworkOperator = "NetworkOperator",
        /// Recovery.
        Recovery = "Recovery",
        /// The root authority.
        Root = "Root",
        /// The supplier.
        Supplier = "Supplier",
        /// The transitional change of supplier party.
        TransCos = "TransCoS",
        /// The load controller.
        LoadController = "LoadController",
    }
}

words!(RemotePartyRole);

whole! {
    /// The number below which a remote party's counter is refused.
    FloorSequenceNumber(u64, 0..=9_223_372_036_854_775_807);
}

group! {
    /// Certificates of a supplier or network operator, each replaced where it is given.
    KnownPartyCertificates {
        /// For signatures.
        digital_signing: Option<EncodedCertificate> = "DigitalSigningCertificate",
        /// For key agreement.
        key_agreement: Option<EncodedCertificate> = "KeyAgreementCertificate",
        /// For key agreement of top-ups.
        key_agreement_top_up: Option<EncodedCertificate> = "KeyAgreementTopUpCertificate",
    }
    /// The replacements of a known remote party.
    ReplacementCertificates {
        /// Each.
        certificates: KnownPartyCertificates = wrap "SupplierOrNetworkOperatorCertificates",
    }
    /// Certificates of a new supplier, who must have one for signatures.
    NewPartyCertificates {
        /// For signatures.
        digital_signing: EncodedCertificate = "DigitalSigningCertificate",
        /// For key agreement.
        key_agreement: Option<EncodedCertificate> = "KeyAgreementCertificate",
        /// For key agreement of top-ups.
        key_agreement_top_up: Option<EncodedCertificate> = "KeyAgreementTopUpCertificate",
    }
    /// The certificates that lead from the root to the replacements.
    CertificationPath {
        /// Each.
        certificates: Several<EncodedCertificate, 1, 3> = "Certificate",
    }
    /// 6.15.1: new credentials of a party the device knows.
    ///
    /// Fields: `RemotePartyRole`, `DigitalSigningCertificate`, `KeyAgreementCertificate` and `KeyAgreementTopUpCertificate`
    /// (each optional, in base64), `Certificate[1]` to `Certificate[3]`, `ApplyTimeBasedCPVChecks` (`true` or `false`);
    /// `RemotePartyFloorSeqNumber`, `RemotePartyPrepaymentTopUpFloorSeqNumber`, `ExecutionDateTime` (each optional).
    UpdateSecurityCredentialsKrp {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// Whose.
        role: RemotePartyRole = "RemotePartyRole",
        /// Its counter from now on.
        floor: Option<FloorSequenceNumber> = "RemotePartyFloorSeqNumber",
        /// Its counter of top-ups from now on.
        top_up_floor: Option<FloorSequenceNumber> = "RemotePartyPrepaymentTopUpFloorSeqNumber",
        /// The new certificates.
        replacements: ReplacementCertificates = wrap "ReplacementCertificates",
        /// What leads to them.
        path: CertificationPath = wrap "CertificationPathCertificates",
        /// Whether their times of validity are checked.
        check_times: bool = "ApplyTimeBasedCPVChecks",
    }
    /// 6.21: a supplier takes over a device the DCC controls, such as one migrated dormant.
    ///
    /// Fields: those of 6.15.1, `DigitalSigningCertificate` required.
    RequestHandover {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// Whose credentials are replaced.
        role: RemotePartyRole = "RemotePartyRole",
        /// Its counter from now on.
        floor: Option<FloorSequenceNumber> = "RemotePartyFloorSeqNumber",
        /// Its counter of top-ups from now on.
        top_up_floor: Option<FloorSequenceNumber> = "RemotePartyPrepaymentTopUpFloorSeqNumber",
        /// The new certificates.
        replacements: NewPartyCertificates = wrap "ReplacementCertificates",
        /// What leads to them.
        path: CertificationPath = wrap "CertificationPathCertificates",
        /// Whether their times of validity are checked.
        check_times: bool = "ApplyTimeBasedCPVChecks",
    }
    /// 6.23: a new supplier takes over on a change of supplier.
    ///
    /// Fields: `SupplierFloorSeqNumber`, `SupplierPrepaymentTopUpFloorSeqNumber` (optional), `DigitalSigningCertificate`,
    /// `KeyAgreementCertificate` and `KeyAgreementTopUpCertificate` (optional), `Certificate[1]` to `Certificate[3]`,
    /// `ApplyTimeBasedCPVChecks`, `ImportMPxN`, `ExecutionDateTime` (optional).
    UpdateSecurityCredentialsCos {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The supplier's counter from now on.
        floor: FloorSequenceNumber = "SupplierFloorSeqNumber",
        /// Its counter of top-ups from now on.
        top_up_floor: Option<FloorSequenceNumber> = "SupplierPrepaymentTopUpFloorSeqNumber",
        /// The new certificates.
        replacements: NewPartyCertificates = wrap "SupplierReplacementCertificates",
        /// What leads to them.
        path: CertificationPath = wrap "CertificationPathCertificates",
        /// Whether their times of validity are checked.
        check_times: bool = "ApplyTimeBasedCPVChecks",
        /// The meter point that is taken over.
        import_mpxn: Mpxn = "ImportMPxN",
    }
    /// 6.24.1: which credentials a device holds.
    ///
    /// Fields: `RemotePartyRole[1]` to `RemotePartyRole[7]`.
    RetrieveSecurityCredentials {
        /// Of which parties.
        roles: Several<RemotePartyRole, 1, 7> = "RemotePartyRole",
    }
}
