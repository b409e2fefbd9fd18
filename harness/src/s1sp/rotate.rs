//! Another credential for a client of a device, and the one before back: the step at which keys could be lost, and the
//! reason why they are not.
//!
//! A password is changed by the association object (class 15, attribute 7), keys of security suite 0 by the security
//! setup object (class 64, method 2), wrapped under the master key by whoever has it.
//!
//! Whoever asked may stop waiting at any point, and the future ends there; the process may be killed at any point too. So
//! the store, and then the keyring, learn of a credential before the device does, and forget the one before only once the
//! device has shown which it has: whatever was or may have been changed, giving back finds it.

use std::sync::MutexGuard;
use std::time::Duration;

use lab_config::{ClientSap, Eui64, Function, RigDevice, SecretSource, Security};
use proto_dlms::data::{AttributeRef, ClassId, Data, Obis};
use proto_dlms::security::{KeyId, transfer_of};

use super::desk::Desk;
use super::refusal::Refusal;
use super::store::{Place, SecretStore, Wrapped};
use super::{Parts, operation, sleeper};
use crate::driver::{Client, Credential, Own, key_transfer_method, rig};

/// The secret of the association a client is in (IEC 62056-62, class 15, attribute 7).
const SECRET: AttributeRef =
    AttributeRef { class: ClassId(15), obis: Obis([0, 0, 40, 0, 0, 255]), attribute: 7 };

impl Parts {
    /// What is held of the devices. A panic of another holder has been reported where it happened.
    pub(super) fn store(&self) -> MutexGuard<'_, SecretStore> {
        self.store.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The client the S1SP is to a device, and whether its credential lives as long as this process only.
pub(super) struct Rotating {
    pub(super) client: ClientSap,
    pub(super) passing: bool,
}

/// The client the S1SP is to this device, where that has a credential.
pub(super) fn rotating(device: &RigDevice) -> Option<Rotating> {
    let client = rig::client_sap(device.model.profile.dlms()?, Client::Management);
    let generated = |source: &SecretSource| matches!(source, SecretSource::Generated(_));
    match device.credentials.client(client)? {
        Security::None => None,
        Security::Low(source) => Some(Rotating { client, passing: generated(source) }),
        Security::Gmac(keys) => Some(Rotating { client, passing: keys.encryption_key.is_generated() }),
    }
}

/// Whether a device that sleeps is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asleep {
    /// It is asked like any other, and is silent.
    LeftAlone,
    /// It is asked once it is awake, if it wakes as its Device Model says.
    WaitedFor,
}

/// Puts what was handed over back into every device that has, or may have, something else.
///
/// # Errors
/// Every device that could not be had and why. What it may have stays in the store, for the next try.
pub(super) async fn give_back(parts: &Parts, asleep: Asleep) -> Result<String, String> {
    let (mut given, mut stuck) = (0, Vec::new());
    let places = parts.store().places();
    for (eui64, client) in places {
        let Some(desk) = parts.desks.get(&eui64) else {
            stuck.push(format!(
                "{eui64}: no device of this rig; put it back into the lab file, and try again"
            ));
            continue;
        };
        let mut desk = desk.lock().await;
        let mut restored = match asleep {
            Asleep::WaitedFor if desk.sleeps() => restore_awake(parts, &mut desk, client).await,
            _ => restore(parts, &mut desk, client).await,
        };
        if restored.as_ref().is_err_and(|refusal| !refusal.is_silence()) {
            // The late answer to a request that somebody gave up may have been taken for one to this.
            restored = restore(parts, &mut desk, client).await;
        }
        match restored {
            Ok(()) => given += 1,
            Err(refusal) => stuck.push(format!("{} {eui64}: {}", desk.device.kind, refusal.words())),
        }
    }
    if stuck.is_empty() {
        Ok(format!("{given} devices have their credentials back"))
    } else {
        Err(stuck.join("; "))
    }
}

/// The longest time that a device may sleep of which something is held; none where no such device sleeps.
pub(super) fn longest_sleep(parts: &Parts) -> Option<Duration> {
    let places = parts.store().places();
    let device = |(eui64, _): &Place| parts.links.rig().by_eui64(*eui64);
    places
        .iter()
        .filter_map(device)
        .filter_map(|device| device.model.wake_interval())
        .map(|wake| wake.duration())
        .max()
}

/// Waits until the device has answered a read, and then restores it: it is awake for a moment.
async fn restore_awake(parts: &Parts, desk: &mut Desk, client: ClientSap) -> Result<(), Refusal> {
    let place = (desk.device.eui64, client);
    let Some(held) = parts.store().held(place).cloned() else { return Ok(()) };
    desk.leave().await;
    desk.begin();
    desk.wait_for_wake();
    parts.links.keyring().propose(place.0, place.1, Credential::Own(held.handed));
    let answered = answers(desk).await;
    if answered.as_ref().is_err_and(Refusal::is_silence) {
        // Nobody waits for the answer any more.
        drop(sleeper::take_back(parts, desk).await);
        return answered;
    }
    restore(parts, desk, client).await
}

async fn restore(parts: &Parts, desk: &mut Desk, client: ClientSap) -> Result<(), Refusal> {
    let place = (desk.device.eui64, client);
    let Some(held) = parts.store().held(place).cloned() else { return Ok(()) };
    // A session left half way by somebody else may be in with a credential that is gone.
    desk.leave().await;
    desk.begin();
    // It may have been set back by somebody else.
    parts.links.keyring().propose(place.0, place.1, Credential::Own(held.handed.clone()));
    // A key that a device has already would begin to count anew if it were transferred again. A password does no harm,
    // and comes after whatever was sent before it.
    let there =
        matches!(held.handed, Own::Keys(_)) && answers(desk).await.is_ok() && desk.is_in_with(&held.handed);
    if !there {
        put(parts, desk, place, &held.handed, held.way_back.as_ref()).await?;
    }
    parts.store().returned(place).map_err(Refusal::from)?;
    parts.links.keyring().settle(place.0, place.1, Credential::LabFile);
    desk.leave().await;
    Ok(())
}

/// Writes a credential and proves it by associating with it. Whatever goes wrong, the store and the keyring hold every
/// credential the device may have then.
pub(super) async fn put(
    parts: &Parts,
    desk: &mut Desk,
    place: Place,
    own: &Own,
    wrapped: Option<&Wrapped>,
) -> Result<(), Refusal> {
    let (keyring, (eui64, client)) = (parts.links.keyring(), place);
    let credential = Credential::Own(own.clone());
    // A session left half way by somebody else would associate again with a credential that may be gone.
    desk.leave().await;
    parts.store().propose(place, own.clone())?;
    keyring.propose(eui64, client, credential.clone());
    let written = send(desk, client, own, wrapped).await;
    if written.is_ok() {
        keyring.prefer(eui64, client, &credential);
    }
    let proved = answers(desk).await;
    if proved.is_ok() && desk.is_in_with(own) {
        parts.store().prove(place, own)?;
        keyring.settle(eui64, client, credential);
        return Ok(());
    }
    written.and(proved)?;
    Err(Refusal::Value {
        what: "its new credential".into(),
        found: "that it still takes the one before".into(),
    })
}

async fn send(
    desk: &mut Desk,
    client: ClientSap,
    own: &Own,
    wrapped: Option<&Wrapped>,
) -> Result<(), Refusal> {
    match own {
        Own::Password(password) => {
            let sent = desk.set(SECRET, Data::Octets(password.expose().to_vec())).await;
            desk.leave().await;
            sent
        }
        Own::Keys(_) => {
            let [encryption, authentication] = wrapped.cloned().ok_or_else(unwrapped)?;
            let method = key_transfer_method(desk.profile()?, client);
            let keys = [(KeyId::Encryption, encryption), (KeyId::Authentication, authentication)];
            let sent = desk.act(method, Some(transfer_of(&keys))).await;
            // The keys of this association are gone with the answer: there is nobody to take leave of.
            desk.forget();
            sent.map(drop)
        }
    }
}

fn unwrapped() -> Refusal {
    Refusal::NotExpressible("keys that nobody has wrapped for the device cannot be sent to it".into())
}

/// The device answers a read of its identity, or of its name where it has none.
pub(super) async fn answers(desk: &mut Desk) -> Result<(), Refusal> {
    if desk.speaks_zcl() || desk.object(Function::Identity).is_err() {
        return operation::firmware(desk).await;
    }
    desk.read(Function::Identity).await.map(drop)
}

/// Whether the device still lets anybody in with this. One that does not answer has not shown it.
pub(super) async fn is_refused(parts: &Parts, desk: &mut Desk, own: &Own) -> Result<bool, Refusal> {
    desk.leave().await;
    parts.expect_refusal(desk.device.eui64);
    match parts.links.open_with(&desk.device, &Credential::Own(own.clone())).await {
        Ok(session) => {
            session.close().await;
            parts.take_refusal(desk.device.eui64);
            Ok(false)
        }
        Err(error) if error.is_wrong_credential() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

impl Parts {
    /// The S1SP is about to try a credential that the device must refuse: what the device reports of that is no news.
    fn expect_refusal(&self, device: Eui64) {
        *self.provoked().entry(device).or_default() += 1;
    }

    /// Whether the S1SP itself has caused a report of unauthorised access; each counts once.
    pub(super) fn take_refusal(&self, device: Eui64) -> bool {
        let mut provoked = self.provoked();
        let Some(count) = provoked.get_mut(&device).filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }

    fn provoked(&self) -> MutexGuard<'_, std::collections::BTreeMap<Eui64, u8>> {
        self.provoked.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
