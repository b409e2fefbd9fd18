//! Other keys for a client, by the security setup object of its device (class 64, method 2; IEC 62056-6-2, 4.4.7).

use std::sync::Arc;

use lab_config::{ClientSap, DlmsProfile};
use proto_dlms::data::{ClassId, MethodRef, Obis};
use proto_dlms::security::{KeyId, Keys, key_transfer};

use super::{Access, Keyset, Session, Waits};
use crate::driver::error::DriverError;

/// Class 64, security setup.
const SECURITY_SETUP: ClassId = ClassId(64);
/// Its method that takes keys.
const TRANSFER: i8 = 2;

/// Why a client's keys are not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The session has no keys.
    #[error("the client of this session has no keys to change")]
    NoKeys,
    /// New keys cannot be wrapped.
    #[error("no master key is known for this client; name one by `master-key` in the lab file")]
    NoMasterKey,
    /// The device has the keys it had.
    #[error("the device keeps its keys: {0}")]
    Refused(DriverError),
    /// Nothing says which keys the device has.
    #[error(
        "which keys the device has is not known: {0}; neither the old nor the new ones were let in since, so keep both \
         and try each"
    )]
    InDoubt(DriverError),
}

/// The method by which devices of a model take keys for this client.
pub(crate) fn key_transfer_method(profile: &DlmsProfile, client: ClientSap) -> MethodRef {
    method(profile.security(client).and_then(|asked| asked.security_setup), client)
}

/// Of the object the Device Model has for the client, or of the usual one.
fn method(named: Option<Obis>, client: ClientSap) -> MethodRef {
    let obis = named.unwrap_or(Obis([0, 0, 43, 0, client.get(), 255]));
    MethodRef { class: SECURITY_SETUP, obis, method: TRANSFER }
}

impl Session {
    /// Gives the device new keys for this client, and goes on with them in a new association, which proves that they are in
    /// force. Whoever calls has written the new keys down before: what becomes of them is known only afterwards.
    ///
    /// An answer that is lost is not the end: the keys the device lets in are the ones it has.
    ///
    /// # Errors
    /// See [`KeyChangeError`]. After [`KeyChangeError::Refused`] the session goes on with the old keys.
    pub async fn change_keys(&mut self, new: Keys) -> Result<(), KeyChangeError> {
        let old = self.access.keys.clone().ok_or(KeyChangeError::NoKeys)?;
        let master = old.master.as_ref().ok_or(KeyChangeError::NoMasterKey)?;
        let keys = [(KeyId::Encryption, &new.encryption), (KeyId::Authentication, &new.authentication)];
        let parameter = key_transfer(master, &keys);
        let method = method(old.asked.security_setup, self.access.client);
        let (told, new) = (self.act(method, Some(parameter)).await, Arc::new(old.with(new)));
        match told {
            Ok(_) => self.go_on_with(new).await.map_err(KeyChangeError::InDoubt),
            Err(error) if error.outcome_is_unknown() => self.find_out(error, &old, new).await,
            Err(error) => Err(KeyChangeError::Refused(error)),
        }
    }

    /// The device did not say what became of the keys: whichever it lets in, it has.
    async fn find_out(
        &mut self,
        error: DriverError,
        old: &Arc<Keyset>,
        new: Arc<Keyset>,
    ) -> Result<(), KeyChangeError> {
        if self.go_on_with(new).await.is_ok() {
            return Ok(());
        }
        match self.go_on_with(old.clone()).await {
            Ok(()) => Err(KeyChangeError::Refused(error)),
            Err(_) => Err(KeyChangeError::InDoubt(error)),
        }
    }

    /// A new association with these keys.
    async fn go_on_with(&mut self, keys: Arc<Keyset>) -> Result<(), DriverError> {
        self.access = Access { keys: Some(keys), ..self.access.clone() };
        let waits = Waits::starting_now(&self.deadlines);
        self.associate(&waits).await.map_err(|error| self.error(error, "association with new keys".into()))
    }
}
