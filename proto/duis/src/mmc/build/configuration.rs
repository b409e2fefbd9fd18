//! Group 6: what a device is set to, and who may control it.

use super::{Decimal, FormError, MmcBody, MmcElement, optional};
use crate::body::{BillingCalendar, RemotePartyRole};
use crate::mmc::from_request;
use crate::{Eui64, Srv};
use base64::{Engine, engine::general_purpose::STANDARD};

/// What 6.2.1 reads, in the meter's own units: the schema names none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoltageSettings {
    /// Thresholds of the average RMS voltage, too high and too low: of the one phase, or of each of three.
    pub average: Vec<(Option<u32>, Option<u32>)>,
    /// Extreme over-voltage: how long, and above what.
    pub extreme_over: (Option<u32>, Option<u32>),
    /// Extreme under-voltage: how long, and below what.
    pub extreme_under: (Option<u32>, Option<u32>),
    /// Sag: how long, and below what.
    pub sag: (Option<u32>, Option<u32>),
    /// Swell: how long, and above what.
    pub swell: (Option<u32>, Option<u32>),
}

/// 6.2.1.
///
/// # Errors
/// More than three phases.
pub fn voltage(settings: &VoltageSettings) -> Result<MmcBody, FormError> {
    let average = |name: &str, (over, under): &(Option<u32>, Option<u32>)| {
        MmcElement::new(name)
            .with_all(optional("AverageRMSOverVoltageThreshold", *over))
            .with_all(optional("AverageRMSUnderVoltageThreshold", *under))
    };
    let average: Vec<MmcElement> = match &settings.average[..] {
        [single] => vec![average("SinglePhaseVoltageSettings", single)],
        phases => (1..)
            .zip(phases)
            .map(|(phase, settings)| {
                MmcElement::new("PolyPhaseVoltageSettings")
                    .with(MmcElement::leaf("Phase", phase))
                    .with(average("PhaseVoltageSettings", settings))
            })
            .collect(),
    };
    let pair = |name: &str, (period, threshold): (Option<u32>, Option<u32>)| {
        optional(&format!("{name}MeasurementPeriod"), period)
            .into_iter()
            .chain(optional(&format!("{name}Threshold"), threshold))
    };
    let rms = MmcElement::new("RMSVoltageSettings")
        .with_all(pair("RMSExtremeOverVoltage", settings.extreme_over))
        .with_all(pair("RMSExtremeUnderVoltage", settings.extreme_under))
        .with_all(pair("RMSVoltageSag", settings.sag))
        .with_all(pair("RMSVoltageSwell", settings.swell));
    MmcBody::new(Srv::ReadDeviceConfigurationVoltage, true, average.into_iter().chain([rms]))
}

/// 6.2.3.
///
/// # Errors
/// None in practice.
pub fn billing_calendar(calendar: &BillingCalendar) -> Result<MmcBody, FormError> {
    let calendar = from_request("BillingCalendar", calendar);
    MmcBody::new(Srv::ReadDeviceConfigurationBillingCalendar, true, [calendar])
}

/// 6.2.5.
///
/// # Errors
/// None in practice.
pub fn power_thresholds(low_medium: Option<i64>, medium_high: Option<i64>) -> Result<MmcBody, FormError> {
    let low = optional("LowMediumPowerThreshold", low_medium);
    let high = optional("MediumHighPowerThreshold", medium_high);
    let srv = Srv::ReadDeviceConfigurationInstantaneousPowerThresholds;
    MmcBody::new(srv, true, low.into_iter().chain(high))
}

/// The meter points a device knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeterPoints {
    /// An electricity meter: of import, of import by its secondary element, of export.
    Electricity {
        /// Of import, at most 13 characters.
        import: Option<String>,
        /// Of import by the secondary element, at most 13 characters.
        secondary_import: Option<String>,
        /// Of export, at most 13 characters.
        export: Option<String>,
    },
    /// A gas meter: at most 10 characters.
    Gas(Option<String>),
}

/// 6.2.7.
///
/// # Errors
/// A meter point is too long.
pub fn meter_points(points: &MeterPoints) -> Result<MmcBody, FormError> {
    let points = match points {
        MeterPoints::Electricity { import, secondary_import, export } => MmcElement::new("Electricity")
            .with_all(optional("ImportMPAN", import.as_ref()))
            .with_all(optional("SecondaryImportMPAN", secondary_import.as_ref()))
            .with_all(optional("ExportMPAN", export.as_ref())),
        MeterPoints::Gas(mprn) => MmcElement::new("Gas").with_all(optional("MPRN", mprn.as_ref())),
    };
    MmcBody::new(Srv::ReadDeviceConfigurationMPxN, true, [points])
}

/// What 6.2.8 reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GasSettings {
    /// The calorific value.
    pub calorific_value: Option<Decimal>,
    /// The factor from the volume at the meter to that at reference conditions.
    pub conversion_factor: Option<Decimal>,
    /// Above which flow it is uncontrolled.
    pub uncontrolled_flow_rate: Option<Decimal>,
    /// How long a flow is let settle.
    pub stabilisation_period: Option<u32>,
    /// How long it is measured.
    pub measurement_period: Option<u32>,
}

/// 6.2.8.
///
/// # Errors
/// None in practice.
pub fn gas_settings(settings: GasSettings) -> Result<MmcBody, FormError> {
    let fields = [
        optional("CalorificValue", settings.calorific_value),
        optional("ConversionFactor", settings.conversion_factor),
        optional("UncontrolledGasFlowRate", settings.uncontrolled_flow_rate),
        optional("FlowStabilisationPeriod", settings.stabilisation_period),
        optional("FlowMeasurementPeriod", settings.measurement_period),
    ];
    MmcBody::new(Srv::ReadDeviceConfigurationGas, true, fields.into_iter().flatten())
}

word_enum! {
    /// How a customer pays, as 6.2.9 reads it.
    ModeOfPayment, "payment mode" {
        /// After use.
        Credit = "Credit",
        /// Before use.
        Prepayment = "Prepayment",
    }
}

/// 6.2.9: the mode, and whether debt collection stops while emergency credit is in use, and while supply is off for want
/// of credit.
///
/// # Errors
/// None in practice.
pub fn payment_mode(
    mode: ModeOfPayment,
    suspend_debt_emergency: Option<bool>,
    suspend_debt_disabled: Option<bool>,
) -> Result<MmcBody, FormError> {
    let emergency = optional("SuspendDebtEmergency", suspend_debt_emergency);
    let disabled = optional("SuspendDebtDisabled", suspend_debt_disabled);
    let mode = [MmcElement::leaf("PaymentMode", mode)];
    let srv = Srv::ReadDeviceConfigurationPaymentMode;
    MmcBody::new(srv, true, mode.into_iter().chain(emergency).chain(disabled))
}

word_enum! {
    /// What a certificate is for.
    CertificateUse, "certificate use" {
        /// Signatures.
        DigitalSigning = "DigitalSigning",
        /// Key agreement.
        KeyAgreement = "KeyAgreement",
        /// Key agreement of top-ups.
        KeyAgreementTopUp = "KeyAgreementTopUp",
        /// Signing certificates.
        KeyCertSign = "KeyCertSign",
    }
}

/// One certificate replaced by 6.15.1, 6.21 or 6.23.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// What it is for.
    pub certificate: CertificateUse,
    /// Whose it is.
    pub role: RemotePartyRole,
    /// The party before, and the SHA-1 of its certificate.
    pub existing: Option<(Eui64, Vec<u8>)>,
    /// The party now, and the SHA-1 of its certificate.
    pub new: Option<(Eui64, Vec<u8>)>,
}

word_enum! {
    /// On whose authority credentials were replaced.
    ReplacementMode, "mode of replacing credentials" {
        /// The supplier's own.
        SupplierBySupplier = "SupplierBySupplier",
        /// The network operator's own.
        NetworkOperatorByNetworkOperator = "NetworkOperatorByNetworkOperator",
        /// That of a change of supplier.
        SupplierByTransCos = "SupplierByTransCoS",
    }
}

/// How credentials were replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacing {
    /// The counter of the request.
    pub counter: u64,
    /// On whose authority; none for a handover, which the schema has no word for.
    pub mode: Option<ReplacementMode>,
    /// Whose they are.
    pub role: RemotePartyRole,
    /// The counter at or below which the party is refused from now on, and the same of its top-ups, where they changed.
    pub floors: (Option<u64>, Option<u64>),
}

/// 6.15.1, 6.21 and 6.23: what was replaced.
///
/// # Errors
/// Another variant, or more than three certificates.
pub fn credentials_replaced(
    srv: Srv,
    how: Replacing,
    replacements: &[Replacement],
) -> Result<MmcBody, FormError> {
    let (floor, top_up_floor) = how.floors;
    let change = (floor.is_some() || top_up_floor.is_some()).then(|| {
        MmcElement::new("RemotePartySeqNumberChange")
            .with(MmcElement::leaf("RemotePartyRole", how.role))
            .with_all(optional("RemotePartyFloorSeqNumber", floor))
            .with_all(optional("RemotePartyPrepaymentTopUpFloorSeqNumber", top_up_floor))
    });
    let outcomes = replacements.iter().map(|replaced| {
        let (existing, existing_hash) = party(&replaced.existing);
        let (new, new_hash) = party(&replaced.new);
        MmcElement::new("ReplacementOutcome")
            .with(status_success())
            .with(MmcElement::leaf("CertificateType", replaced.certificate))
            .with(MmcElement::leaf("RemotePartyRole", replaced.role))
            .with_all(optional("ExistingRemotePartyID", existing))
            .with_all(optional("NewRemotePartyID", new))
            .with_all(optional("ExistingCertificateHash", existing_hash))
            .with_all(optional("NewCertificateHash", new_hash))
    });
    let outcome = MmcElement::new("ExecutionOutcome")
        .with(MmcElement::leaf("AuthorisingRemotePartyOriginatorCounter", how.counter))
        .with_all(optional("CredentialsReplacementMode", how.mode))
        .with_all(change)
        .with_all(outcomes);
    MmcBody::new(srv, true, [outcome])
}

fn party(party: &Option<(Eui64, Vec<u8>)>) -> (Option<Eui64>, Option<String>) {
    party.as_ref().map(|(id, hash)| (*id, STANDARD.encode(hash))).unzip()
}

fn status_success() -> MmcElement {
    MmcElement::new("StatusCode")
        .with_attribute("ResponseCode", 0)
        .with(MmcElement::leaf("ASN1Status", "success"))
}

/// Credentials of one party, as 6.24.1 reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCredentials {
    /// Whose they are.
    pub role: RemotePartyRole,
    /// The party, its certificate's use and SHA-1, and the counter below which it is refused; none where none are held.
    pub held: Option<(Eui64, CertificateUse, Vec<u8>, Option<u64>)>,
}

/// 6.24.1.
///
/// # Errors
/// None in practice.
pub fn credentials(held: &[HeldCredentials]) -> Result<MmcBody, FormError> {
    let details = held.iter().map(|credentials| {
        let details =
            MmcElement::new("RemotePartyDetails").with(MmcElement::leaf("RemotePartyRole", credentials.role));
        match &credentials.held {
            None => details,
            Some((party, certificate_use, hash, floor)) => details
                .with(status_success())
                .with_all(optional("RemotePartyFloorSeqNumber", *floor))
                .with(MmcElement::leaf("CertificateUsage", certificate_use))
                .with(MmcElement::leaf("ExistingRemotePartyID", party))
                .with(MmcElement::leaf("ExistingCertificateHash", STANDARD.encode(hash))),
        }
    });
    MmcBody::new(Srv::RetrieveDeviceSecurityCredentialsKRP, true, details)
}
