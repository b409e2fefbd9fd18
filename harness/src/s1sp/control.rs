//! Taking an installation over from its SMSO and giving it back: the device contact step of a migration.
//!
//! Taking over proves that the S1SP can talk to every device, and puts a password of the S1SP's own in place of the one the
//! SMSO holds (class 15, attribute 7). On any failure whatever was changed is changed back, so that an installation is
//! never between two parties.
//!
//! A new password lives in this process only. So it is put only into devices whose lab file password is generated, which
//! are simulated ones; a device whose password is in an environment variable or a file keeps it, and the report of the
//! step says so. Losing the password of somebody's meter with a power cut would be worse than a weaker test.
//!
//! Whoever asked may stop waiting at any point, and the future ends there. So the keyring learns of a password before the
//! device does, and forgets the one before only once the device has shown which it has: whatever was or may have been
//! changed, giving back finds it.

use lab_config::{ClientSap, DeviceKind, Function, RigDevice, Secret, SecretSource, Security};
use proto_dlms::data::{AttributeRef, ClassId, Data, Obis};

use super::desk::Desk;
use super::refusal::Refusal;
use super::{Parts, operation, sleeper};
use crate::driver::{Client, Password, ReachError, rig};

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
        let mut restored = restore(parts, &mut desk).await;
        if restored.as_ref().is_err_and(|refusal| !refusal.is_silence()) {
            // The late answer to a request that somebody gave up may have been taken for one to this.
            restored = restore(parts, &mut desk).await;
        }
        match restored {
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
    desk.begin();
    match contact(desk).await {
        Ok(()) if desk.speaks_zcl() => Ok("answers".into()),
        Ok(()) => rotate(parts, desk).await,
        Err(refusal) if refusal.is_silence() && desk.device.kind == DeviceKind::Gsme => {
            // Nobody waits for the answer any more; what only reads does no harm where it cannot be taken back.
            let _ = sleeper::take_back(parts, desk).await;
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
    if parts.links.keyring().in_doubt(desk.device.eui64, client) {
        restore(parts, desk).await?;
    }
    put(parts, desk, client, Password::Own(Secret::random_password())).await?;
    Ok("answers; the S1SP holds its credentials".into())
}

/// The management client, when its password may be changed.
fn rotating_client(desk: &Desk) -> Result<Option<ClientSap>, Refusal> {
    let client = rig::client_sap(desk.profile()?, Client::Management);
    let security = desk.device.credentials.client(client);
    let generated = matches!(security, Some(Security::Low(SecretSource::Generated(_))));
    Ok(generated.then_some(client))
}

/// Puts the lab file's password back where another one is, or may be.
async fn restore(parts: &Parts, desk: &mut Desk) -> Result<bool, Refusal> {
    if desk.speaks_zcl() {
        return Ok(false);
    }
    let client = rig::client_sap(desk.profile()?, Client::Management);
    let changed = parts.links.keyring().changed(desk.device.eui64, client);
    if changed {
        put(parts, desk, client, Password::LabFile).await?;
    }
    Ok(changed)
}

/// Writes a password and proves it by associating with it. Whatever goes wrong, the keyring holds every password the
/// device may have then.
async fn put(parts: &Parts, desk: &mut Desk, client: ClientSap, password: Password) -> Result<(), Refusal> {
    let (keyring, eui64) = (parts.links.keyring(), desk.device.eui64);
    let secret = secret(&desk.device, client, &password)?;
    // A session left half way by somebody else would associate again with a password that may be gone.
    desk.leave().await;
    keyring.propose(eui64, client, password.clone());
    let written = desk.set(SECRET, Data::Octets(secret.expose().to_vec())).await;
    if written.is_ok() {
        keyring.prefer(eui64, client, &password);
    }
    desk.leave().await;
    let proved = contact(desk).await;
    if proved.is_ok() && desk.is_in_with(&secret) {
        keyring.settle(eui64, client, password);
        return Ok(());
    }
    written.and(proved)?;
    Err(Refusal::Value {
        what: "its new password".into(),
        found: "that it still takes the one before".into(),
    })
}

fn secret(device: &RigDevice, client: ClientSap, password: &Password) -> Result<Secret, Refusal> {
    let reach = match (password, device.credentials.client(client)) {
        (Password::Own(own), _) => return Ok(own.clone()),
        (Password::LabFile, Some(Security::Low(source))) => match source.secret() {
            Ok(secret) => return Ok(secret),
            Err(source) => ReachError::Secret { device: rig::words(device), source },
        },
        (Password::LabFile, _) => ReachError::NoCredentials { device: rig::words(device), client },
    };
    Err(Refusal::Reach(reach))
}
