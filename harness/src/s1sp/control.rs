//! Taking an installation over from its SMSO and giving it back: the device contact step of a migration.
//!
//! Taking over proves that the S1SP can talk to every device, and puts a password of the S1SP's own in place of the one the
//! SMSO holds (class 15, attribute 7). On any failure whatever was changed is changed back, so that an installation is
//! never between two parties.
//!
//! A new password lives in this process only. So it is put only into devices whose lab file password is generated, which
//! are simulated ones; a device whose password is in an environment variable or a file keeps it, and the report of the
//! step says so. Losing the password of somebody's meter with a power cut would be worse than a weaker test.

use lab_config::{ClientSap, DeviceKind, Function, Secret, SecretSource, Security};
use proto_dlms::data::{AttributeRef, ClassId, Data, Obis};

use super::desk::Desk;
use super::refusal::Refusal;
use super::{Parts, operation};
use crate::driver::{Client, rig};

/// The secret of the association a client is in (IEC 62056-62, class 15, attribute 7).
const SECRET: AttributeRef =
    AttributeRef { class: ClassId(15), obis: Obis([0, 0, 40, 0, 0, 255]), attribute: 7 };

/// Talks to every device of the installation and takes its credentials over.
///
/// # Errors
/// Which device could not be had and why, in words; everything changed was given back, or the words say what was not.
pub(super) async fn take(parts: &Parts) -> Result<String, String> {
    let mut said = Vec::new();
    for (eui64, desk) in &parts.desks {
        let mut desk = desk.lock().await;
        match contact_and_rotate(parts, &mut desk).await {
            Ok(words) => said.push(format!("{} {eui64} {words}", desk.device.kind)),
            Err(refusal) => {
                let reason = format!("{} {eui64}: {}", desk.device.kind, refusal.words());
                drop(desk);
                return Err(undone(parts, reason).await);
            }
        }
    }
    Ok(said.join("; "))
}

async fn undone(parts: &Parts, reason: String) -> String {
    match give_back(parts).await {
        Ok(_) => reason,
        Err(stuck) => format!("{reason}; and giving back failed: {stuck}"),
    }
}

/// Puts the lab file's passwords back into every device that has another one.
///
/// # Errors
/// Every device that could not be had and why. It keeps the S1SP's password, which the S1SP keeps.
pub(super) async fn give_back(parts: &Parts) -> Result<String, String> {
    let (mut given, mut stuck) = (0, Vec::new());
    for (eui64, desk) in &parts.desks {
        let mut desk = desk.lock().await;
        match restore(parts, &mut desk).await {
            Ok(true) => given += 1,
            Ok(false) => {}
            Err(refusal) => stuck.push(format!("{} {eui64}: {}", desk.device.kind, refusal.words())),
        }
    }
    if stuck.is_empty() {
        Ok(format!("{given} devices have their passwords back"))
    } else {
        Err(stuck.join("; "))
    }
}

async fn contact_and_rotate(parts: &Parts, desk: &mut Desk) -> Result<String, Refusal> {
    match contact(desk).await {
        Ok(()) if desk.speaks_zcl() => Ok("answers".into()),
        Ok(()) => rotate(parts, desk).await,
        Err(refusal) if refusal.silence().is_some() && desk.device.kind == DeviceKind::Gsme => {
            asleep(parts).await.ok_or(refusal)
        }
        Err(refusal) => Err(refusal),
    }
}

/// The device answers a read of its identity, or of its name where it has none.
async fn contact(desk: &mut Desk) -> Result<(), Refusal> {
    if desk.speaks_zcl() || desk.object(Function::Identity).is_err() {
        return operation::firmware(desk).await;
    }
    desk.read(Function::Identity).await.map(drop)
}

/// A gas meter that sleeps is vouched for by the gas proxy function while that has heard from it.
async fn asleep(parts: &Parts) -> Option<String> {
    let proxy = parts.links.rig().device(DeviceKind::Gpf)?;
    let mut desk = parts.desks.get(&proxy.eui64)?.lock().await;
    desk.read(Function::GasVolume).await.ok()?;
    Some("sleeps; the gas proxy function answers for it, and it keeps its password".into())
}

async fn rotate(parts: &Parts, desk: &mut Desk) -> Result<String, Refusal> {
    let Some(client) = rotating_client(desk)? else {
        return Ok("answers; its password is not the lab's to change".into());
    };
    put(parts, desk, client, Secret::random_password()).await?;
    Ok("answers; the S1SP holds its credentials".into())
}

/// The management client, when its password may be changed.
fn rotating_client(desk: &Desk) -> Result<Option<ClientSap>, Refusal> {
    let client = rig::client_sap(desk.profile()?, Client::Management);
    let security = desk.device.credentials.client(client);
    let generated = matches!(security, Some(Security::Low(SecretSource::Generated(_))));
    Ok(generated.then_some(client))
}

async fn restore(parts: &Parts, desk: &mut Desk) -> Result<bool, Refusal> {
    if desk.speaks_zcl() {
        return Ok(false);
    }
    let client = rig::client_sap(desk.profile()?, Client::Management);
    let changed = parts.links.keyring().changed(desk.device.eui64, client).is_some();
    let Some(Security::Low(source)) = desk.device.credentials.client(client).filter(|_| changed) else {
        return Ok(false);
    };
    let original = source.secret().map_err(|source| {
        let device = rig::words(&desk.device);
        Refusal::Reach(crate::driver::ReachError::Secret { device, source })
    })?;
    put(parts, desk, client, original).await?;
    parts.links.keyring().note(desk.device.eui64, client, None);
    Ok(true)
}

/// Writes a password and proves it by associating with it. Where the write went unanswered, the device says which of the
/// two it has.
async fn put(parts: &Parts, desk: &mut Desk, client: ClientSap, secret: Secret) -> Result<(), Refusal> {
    let (keyring, eui64) = (parts.links.keyring(), desk.device.eui64);
    let before = keyring.changed(eui64, client);
    let written = desk.set(SECRET, Data::Octets(secret.expose().to_vec())).await;
    keyring.note(eui64, client, Some(secret));
    desk.leave().await;
    let proved = contact(desk).await;
    if let (Err(refusal), Err(_)) = (written, &proved) {
        keyring.note(eui64, client, before);
        desk.leave().await;
        return Err(refusal);
    }
    proved
}
