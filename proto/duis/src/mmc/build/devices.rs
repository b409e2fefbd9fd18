//! What devices answer about one another: 8.1.1, 8.7.1 to 8.8.2, 8.12.2, and 14.1.

use crate::mmc::{FormError, MmcBody, MmcElement};
use crate::{ClockStatus, DeviceKind, Eui64, Srv, Unverified};
use jiff::Timestamp;

word_enum! {
    /// What came of joining or unjoining two devices.
    JoinOutcome, "outcome of joining" {
        /// Done.
        Success = "success",
        /// The device log already says otherwise.
        IncompatibleWithExistingEntry = "incompatibleWithExistingEntry",
        /// There is no room in the device log.
        DeviceLogFull = "deviceLogFull",
        /// The device log could not be written.
        WriteFailure = "writeFailure",
        /// The other device is not in the device log.
        OtherDeviceNotInDeviceLog = "otherDeviceNotInDeviceLog",
        /// It failed for another reason.
        OtherFailure = "otherFailure",
    }
}

impl JoinOutcome {
    /// The number that goes with the word, which the schema leaves open.
    const fn number(self) -> Unverified<u8> {
        Unverified(match self {
            JoinOutcome::Success => 0,
            JoinOutcome::OtherDeviceNotInDeviceLog => 1,
            JoinOutcome::OtherFailure => 2,
            JoinOutcome::IncompatibleWithExistingEntry => 3,
            JoinOutcome::DeviceLogFull => 4,
            JoinOutcome::WriteFailure => 5,
        })
    }

    fn to_element(self, name: &str) -> MmcElement {
        MmcElement::new(name)
            .with_attribute("ResponseCode", self.number().0)
            .with(MmcElement::leaf("ASN1Status", self))
    }

    /// The element an answer of this variant must have; none if it is not about joining.
    pub(super) fn in_answer_to(self, srv: Srv) -> Option<MmcElement> {
        let name = match srv {
            Srv::JoinServiceCritical | Srv::JoinServiceNonCritical => "joinResponseCode",
            Srv::UnjoinServiceCritical | Srv::UnjoinServiceNonCritical => "unjoinResponseCode",
            _ => return None,
        };
        Some(self.to_element(name))
    }
}

/// 8.7.1, 8.7.2, 8.8.1 or 8.8.2.
///
/// # Errors
/// The variant is none of these.
pub fn joined(srv: Srv, outcome: JoinOutcome) -> Result<MmcBody, FormError> {
    MmcBody::new(srv, outcome == JoinOutcome::Success, outcome.in_answer_to(srv))
}

/// 8.12.2: what came of each entry of the old device log.
///
/// # Errors
/// A device of a type that a device log does not have.
pub fn restored(entries: &[(Eui64, DeviceKind, JoinOutcome)]) -> Result<MmcBody, FormError> {
    let entries = entries.iter().map(|(id, kind, outcome)| {
        let entry = MmcElement::new("DeviceLogEntry")
            .with(MmcElement::leaf("DeviceID", id))
            .with(MmcElement::leaf("DeviceType", kind));
        let outcome = outcome.to_element("joinResponseCode");
        MmcElement::new("RestoreDeviceLogOutcome").with(entry).with(outcome)
    });
    MmcBody::new(Srv::RestoreGPFDeviceLog, true, entries)
}

/// 8.1.1: the device's time after it was set. `status` is given by electricity meters.
///
/// # Errors
/// None in practice.
pub fn commissioned(
    success: bool,
    time: Option<Timestamp>,
    status: Option<ClockStatus>,
) -> Result<MmcBody, FormError> {
    MmcBody::new(Srv::CommissionDeviceSynchroniseClock, success, super::clock(time, status))
}

/// 14.1: the number under which a gas meter keeps what it records.
///
/// # Errors
/// None in practice.
pub fn sample_recorded(sample: u32) -> Result<MmcBody, FormError> {
    MmcBody::new(Srv::RecordNetworkDataGAS, true, [MmcElement::leaf("SampleID", sample)])
}
