//! Taking back what a communications hub still holds for a device that sleeps.
//!
//! Whoever stops waiting for a sleeping device has a request lying at the hub, which the device would carry out at its next
//! wake, unknown to anybody. Only the hub's word that it dropped the request makes sure that it is not carried out.

use lab_config::{DlmsProfile, Function};
use proto_dlms::data::{Data, DataAccessResult};
use proto_duis::Eui64;

use super::cosem;
use super::error::{DriverError, DriverErrorKind};
use super::session::Session;

/// What became of a request that is to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// The hub held it and dropped it: the device never gets it.
    Dropped,
    /// The hub holds nothing for the device: the device has had it, or it was lost.
    NothingHeld,
    /// The hub's Device Model has no way to take anything back.
    NotPossible,
}

/// Has the hub of this profile drop what it holds for `device`; `hub` is a session of its management client.
///
/// # Errors
/// The hub did not say.
pub async fn withdraw(
    hub: &mut Session,
    profile: &DlmsProfile,
    device: Eui64,
) -> Result<Withdrawal, DriverError> {
    let Some(object) = profile.object(Function::HeldMessages) else { return Ok(Withdrawal::NotPossible) };
    match hub.set(cosem::attribute(object), Data::Octets(device.octets().to_vec())).await {
        Ok(()) => Ok(Withdrawal::Dropped),
        Err(error) => match error.kind {
            DriverErrorKind::Access(DataAccessResult::ObjectUnavailable) => Ok(Withdrawal::NothingHeld),
            _ => Err(error),
        },
    }
}
