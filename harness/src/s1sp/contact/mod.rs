//! Device contact, the step of a migration in which the S1SP talks to every device and changes its keys (TMAD).
//!
//! ```text
//! secrets it was handed ──> every device checked, nothing changed ──> keys changed, device by device ──> report
//!                             │ gas fails on the HAN: GT01              │ anything fails
//!                             └ electricity goes on alone               └ everything given back
//! ```
//!
//! The S1SP associates with what it was handed, not with what stands in the lab file. What it checks of each device is in
//! [`check`], how a key is changed in [`rotate`](super::rotate). Keys of security suite 0 can be changed only with the Dual
//! Control Organisation, which alone has the master keys and wraps the new keys ([`KeyWrap`]); it wraps the old ones with
//! them, so that the way back is open before the way forth is taken, whether or not anybody can be asked then. What it is to
//! wrap is made beforehand ([`Contacts::new_keys`]): it may be anywhere, and takes its time.

mod check;

use lab_config::{DeviceKind, Eui64, MigratedCredentials, RigDevice, Secret};
use proto_dlms::security::{Key, Keys};
use proto_migration::{CommonInstallation, Device, Holder, Secrets};

use self::check::Checked;
use super::desk::Desk;
use super::refusal::Refusal;
use super::rotate::Asleep;
use super::store::Wrapped;
use super::{Parts, S1sp, own, rotate};
use crate::driver::{Credential, Own};
use crate::migration::Code;
use crate::migration::party::{BoxFuture, ContactReport, Contacts, DeviceReport, KeyWrap, Refused};

impl Contacts for S1sp {
    fn viable(&self, declared: &CommonInstallation, secrets: &Secrets) -> Result<(), Refused> {
        for declared in &declared.devices {
            let Some(device) = self.parts.links.rig().by_eui64(declared.id) else {
                let reason = format!("{} {} is no device this S1SP can reach", declared.kind, declared.id);
                return Err(Refused::new(Code::DevicesIncomplete, reason));
            };
            handed(device, secrets)?;
        }
        Ok(())
    }

    fn new_keys(&self, declared: &CommonInstallation, secrets: &Secrets) -> Secrets {
        let devices = declared.devices.iter().filter_map(|of| self.parts.links.rig().by_eui64(of.id));
        let of = devices.filter_map(|device| new_keys(&self.parts, device, secrets));
        Secrets { of: of.flat_map(|keys| keys.of).collect() }
    }

    fn contact<'a>(
        &'a self,
        declared: &'a CommonInstallation,
        secrets: &'a Secrets,
        wrap: &'a dyn KeyWrap,
    ) -> BoxFuture<'a, ContactReport> {
        Box::pin(contact(&self.parts, declared, secrets, wrap))
    }

    fn give_back(&self, _: Eui64) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(rotate::give_back(&self.parts, Asleep::LeftAlone))
    }

    fn hold<'a>(&'a self, _: Eui64, holders: &'a [(Eui64, Holder)]) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.parts.credentials().hold(holders) })
    }
}

/// New keys for a device that has keys and whose credential is changed.
fn new_keys(parts: &Parts, device: &RigDevice, secrets: &Secrets) -> Option<Secrets> {
    let rotating = rotate::rotating(device)?;
    let handed = handed(device, secrets).ok()??;
    let changes = keeps(parts, !rotating.passing).is_none() && matches!(handed, Own::Keys(_));
    changes.then(|| Secrets { of: own::secrets(&another(&handed), device.eui64, rotating.client) })
}

/// Why a device keeps the credential it has, where it does.
fn keeps(parts: &Parts, outlives: bool) -> Option<&'static str> {
    if parts.links.rig().credentials == MigratedCredentials::Kept {
        return Some("keeps its credential: the lab file says so of its rig");
    }
    (outlives && !parts.store().is_kept()).then_some(
        "keeps its credential: there is no state folder to keep another in, set HARNESS_STATE to one",
    )
}

/// The credential handed over for a device; none for a device that asks for none.
fn handed(device: &RigDevice, secrets: &Secrets) -> Result<Option<Own>, Refused> {
    let Some(client) = rotate::rotating(device).map(|rotating| rotating.client) else { return Ok(None) };
    let (id, kind) = (device.eui64, device.kind);
    own::of(secrets, id, client).map(Some).ok_or_else(|| {
        let reason =
            format!("no password and no keys of client {client} of the {kind} {id} were handed over");
        Refused::new(Code::KeysMissing, reason)
    })
}

/// Talks to every declared device with these secrets, and changes its keys. Where a device fails, those changed before
/// it are left as they are.
async fn contact(
    parts: &Parts,
    declared: &CommonInstallation,
    secrets: &Secrets,
    wrap: &dyn KeyWrap,
) -> ContactReport {
    // What an attempt before this one has left behind would be taken for what was handed over.
    if let Err(stuck) = rotate::give_back(parts, Asleep::LeftAlone).await {
        let reason = format!("credentials of an attempt before this one are not given back: {stuck}");
        let failed = DeviceReport::Failed(Refused::new(Code::KeyChange, reason));
        return ContactReport { devices: declared.devices.iter().map(|d| (d.id, failed.clone())).collect() };
    }
    let checked = check_all(parts, declared, secrets).await;
    if checked.iter().any(|(_, checked)| matches!(checked, Checked::Failed(_))) {
        release_all(parts).await;
        return ContactReport {
            devices: checked.into_iter().map(|(id, checked)| (id, said(checked))).collect(),
        };
    }
    rotate_all(parts, checked, wrap).await
}

fn said(checked: Checked) -> DeviceReport {
    match checked {
        Checked::Ready { said, .. } | Checked::Keeps(said) => DeviceReport::Contacted { said },
        Checked::LeftOut(refused) => DeviceReport::LeftOut(refused),
        Checked::Failed(refused) => DeviceReport::Failed(refused),
    }
}

/// The hub first: without it none of the others can be had.
async fn check_all(parts: &Parts, declared: &CommonInstallation, secrets: &Secrets) -> Vec<(Eui64, Checked)> {
    let mut devices: Vec<&Device> = declared.devices.iter().collect();
    devices.sort_by_key(|device| device.kind != DeviceKind::Chf);
    let (mut checked, mut no_wan): (Vec<(Eui64, Checked)>, bool) = (Vec::new(), false);
    for device in devices {
        let found = match no_wan {
            true => Checked::Failed(Refused::new(Code::NoWanBefore, "not asked: the hub does not answer")),
            false => check::check(parts, device, secrets).await,
        };
        no_wan |= matches!(&found, Checked::Failed(refused) if refused.code == Code::NoWanBefore);
        checked.push((device.id, found));
    }
    without_gas(declared, checked)
}

/// GT01: where a gas device fails on the home area network, both stay behind, and electricity goes on alone.
fn without_gas(declared: &CommonInstallation, mut checked: Vec<(Eui64, Checked)>) -> Vec<(Eui64, Checked)> {
    let kind = |id: Eui64| declared.devices.iter().find(|device| device.id == id).map(|device| device.kind);
    let is_gas = |id: Eui64| matches!(kind(id), Some(DeviceKind::Gsme | DeviceKind::Gpf));
    let failed = checked.iter().find_map(|(id, found)| match found {
        Checked::Failed(refused) if refused.code == Code::GasHan => {
            Some(Refused::new(Code::GasHan, format!("{}: {}", kind(*id)?, refused.reason)))
        }
        _ => None,
    });
    let electricity = declared.devices.iter().any(|device| device.kind == DeviceKind::Esme);
    if let Some(refused) = failed.filter(|_| electricity) {
        let gas = checked.iter_mut().filter(|(id, _)| is_gas(*id));
        gas.for_each(|(_, found)| *found = Checked::LeftOut(refused.clone()));
    }
    checked
}

/// Changes the keys of each device that is ready for it; the first that fails ends it.
async fn rotate_all(parts: &Parts, checked: Vec<(Eui64, Checked)>, wrap: &dyn KeyWrap) -> ContactReport {
    let (mut report, mut failed) = (ContactReport::default(), false);
    for (id, found) in checked {
        let made = match (found, parts.desks.get(&id)) {
            (Checked::Ready { .. }, Some(desk)) if failed => {
                release(parts, &mut *desk.lock().await).await;
                DeviceReport::Contacted { said: "answers; its keys are not changed".to_owned() }
            }
            (Checked::Ready { handed, said }, Some(desk)) => {
                rotated(parts, &mut *desk.lock().await, (handed, said), wrap).await
            }
            (found @ (Checked::LeftOut(_) | Checked::Keeps(_)), Some(desk)) => {
                release(parts, &mut *desk.lock().await).await;
                said(found)
            }
            (other, _) => said(other),
        };
        failed |= matches!(made, DeviceReport::Failed(_));
        report.devices.insert(id, made);
    }
    report
}

async fn release_all(parts: &Parts) {
    for desk in parts.desks.values() {
        release(parts, &mut *desk.lock().await).await;
    }
}

/// A device whose credential was not changed is spoken to as before.
async fn release(parts: &Parts, desk: &mut Desk) {
    desk.leave().await;
    let device = desk.device.eui64;
    if let Some(rotating) = rotate::rotating(&desk.device)
        && parts.store().held((device, rotating.client)).is_none()
    {
        parts.links.keyring().settle(device, rotating.client, Credential::LabFile);
    }
}

async fn rotated(
    parts: &Parts,
    desk: &mut Desk,
    (handed, said): (Option<Own>, String),
    wrap: &dyn KeyWrap,
) -> DeviceReport {
    let Some(handed) = handed else { return DeviceReport::Contacted { said } };
    let changed = rotation(parts, desk, handed, wrap).await;
    // Where nothing was changed, nothing is held.
    release(parts, desk).await;
    match changed {
        Ok(words) => DeviceReport::Contacted { said: format!("{said}; {words}") },
        Err(refused) => DeviceReport::Failed(refused),
    }
}

fn change(refusal: Refusal) -> Refused {
    let code = match &refusal {
        Refusal::Store(_) => Code::Lab,
        refusal if refusal.is_silence() => Code::NoWanWhile,
        _ => Code::KeyChange,
    };
    Refused::new(code, refusal.words())
}

async fn rotation(
    parts: &Parts,
    desk: &mut Desk,
    handed: Own,
    wrap: &dyn KeyWrap,
) -> Result<&'static str, Refused> {
    let Some(rotating) = rotate::rotating(&desk.device) else { return Ok("asks for no credential") };
    let outlives = !rotating.passing;
    if let Some(why) = keeps(parts, outlives) {
        return Ok(why);
    }
    let device = desk.device.eui64;
    let place = (device, rotating.client);
    let made = wrap.made().and_then(|made| own::of(made, device, rotating.client));
    let new = made.unwrap_or_else(|| another(&handed));
    let forth = wrapped(&new, device, wrap).await?;
    let back = wrapped(&handed, device, wrap).await?;
    let handing = parts.store().hand(place, handed.clone(), back, outlives);
    handing.map_err(|error| change(error.into()))?;
    rotate::put(parts, desk, place, &new, forth.as_ref()).await.map_err(change)?;
    match rotate::is_refused(parts, desk, &handed).await {
        Ok(true) => Ok("has a new credential and refuses the one before"),
        Ok(false) => Err(Refused::new(
            Code::KeyChange,
            "it lets in by the credential before as well as by the new one",
        )),
        Err(refusal) if desk.sleeps() && refusal.is_silence() => {
            Ok("has a new credential; it fell asleep before it could refuse the one before")
        }
        Err(refusal) => Err(change(refusal)),
    }
}

/// A credential of the same kind that nobody has had.
fn another(own: &Own) -> Own {
    let key = || Key::new(rand::random());
    match own {
        Own::Password(_) => Own::Password(Secret::random_password()),
        Own::Keys(_) => Own::Keys(Keys { encryption: key(), authentication: key() }),
    }
}

/// Keys as the Dual Control Organisation wraps them for a device; none for a password, which it has no part in.
async fn wrapped(own: &Own, device: Eui64, wrap: &dyn KeyWrap) -> Result<Option<Wrapped>, Refused> {
    let Own::Keys(keys) = own else { return Ok(None) };
    let secret = |key: &Key| proto_migration::Secret::new(key.expose().to_vec());
    let encryption = wrap.wrap(device, &secret(&keys.encryption)).await?;
    let authentication = wrap.wrap(device, &secret(&keys.authentication)).await?;
    Ok(Some([encryption, authentication]))
}
