//! What the S1SP makes sure of before it changes anything: the device lets it in with what it was handed, keeps time, and
//! is what the Common file declares.

use std::time::Duration;

use jiff::Timestamp;
use lab_config::{DeviceKind, Function, Path};
use proto_migration::{Device, Secrets};
use tokio::time::Instant;

use super::super::desk::Desk;
use super::super::rotate::{self, Asleep};
use super::super::{Parts, S1spAlertMessage, sleeper};
use crate::driver::prove::{self, DeviceFound};
use crate::driver::{Credential, Own, ReachError};
use crate::migration::Code;
use crate::migration::party::Refused;

/// How long one device may take.
const PER_DEVICE: Duration = Duration::from_secs(20);
/// How much later than a wake a hub may have heard a gas meter at most, beside one wake that was missed.
const SLACK: Duration = Duration::from_secs(120);

/// What was found of a device.
pub(super) enum Checked {
    /// It is what it should be, and its keys may be changed.
    Ready {
        /// What was handed over for it; none for a device that asks for no credential.
        handed: Option<Own>,
        /// What was seen.
        said: String,
    },
    /// It is there, and keeps what it has.
    Keeps(String),
    /// It stays with its SMSO.
    LeftOut(Refused),
    /// It is not as it should be.
    Failed(Refused),
}

/// Checks one device; nothing of it is changed.
pub(super) async fn check(parts: &Parts, declared: &Device, secrets: &Secrets) -> Checked {
    let Some(desk) = parts.desks.get(&declared.id) else {
        let reason = format!("{} {} is no device this S1SP can reach", declared.kind, declared.id);
        return Checked::Failed(Refused::new(Code::DevicesIncomplete, reason));
    };
    let mut desk = desk.lock().await;
    desk.leave().await;
    desk.begin();
    let handed = match take_handed(parts, &desk, secrets) {
        Ok(handed) => handed,
        Err(refused) => return Checked::Failed(refused),
    };
    match look(parts, &mut desk).await {
        Ok(found) => judged(declared, &desk, handed, &found),
        Err(error) => match unanswered(parts, &mut desk, error).await {
            Silent::Failed(refused) => Checked::Failed(refused),
            Silent::Asleep(_) if parts.asleep == Asleep::LeftAlone => Checked::Keeps(
                "sleeps; the gas proxy function answers for it, and it keeps its credential".to_owned(),
            ),
            Silent::Asleep(wake) => match waited_for(parts, &mut desk, wake).await {
                Ok(found) => judged(declared, &desk, handed, &found),
                Err(refused) => Checked::Failed(refused),
            },
        },
    }
}

/// What was found, held against what is declared.
fn judged(declared: &Device, desk: &Desk, handed: Option<Own>, found: &DeviceFound) -> Checked {
    match differs(declared, found) {
        None if desk.speaks_zcl() => Checked::Keeps(words(found)),
        None => Checked::Ready { handed, said: words(found) },
        Some(refused) => Checked::Failed(refused),
    }
}

/// Looks at the device. One that wakes within the time it has is looked for a second time: an answer of it that was lost is
/// no sign that it sleeps on.
async fn look(parts: &Parts, desk: &mut Desk) -> Result<DeviceFound, ReachError> {
    let once = prove::look(&parts.links, &desk.device, Path::Wan, Instant::now() + PER_DEVICE).await;
    match once {
        Err(error) if wakes_soon(desk) && !error.is_wrong_credential() => {
            // What only reads does no harm where it cannot be taken back.
            let _ = sleeper::take_back(parts, desk).await;
            prove::look(&parts.links, &desk.device, Path::Wan, Instant::now() + PER_DEVICE).await
        }
        once => once,
    }
}

/// Whether the device sleeps, and no longer than one look at it may take.
fn wakes_soon(desk: &Desk) -> bool {
    desk.device.model.wake_interval().is_some_and(|wake| wake.duration() < PER_DEVICE)
}

/// The credential handed over for the device, with which it is spoken to from now on.
fn take_handed(parts: &Parts, desk: &Desk, secrets: &Secrets) -> Result<Option<Own>, Refused> {
    let Some(handed) = super::handed(&desk.device, secrets)? else { return Ok(None) };
    if let Some(rotating) = rotate::rotating(&desk.device) {
        let credential = Credential::Own(handed.clone());
        parts.links.keyring().settle(desk.device.eui64, rotating.client, credential);
    }
    Ok(Some(handed))
}

/// Why a device did not answer.
enum Silent {
    /// It sleeps, and wakes so often.
    Asleep(Duration),
    Failed(Refused),
}

async fn unanswered(parts: &Parts, desk: &mut Desk, error: ReachError) -> Silent {
    let reason = format!("{} {}: {error}", desk.device.kind, desk.device.eui64);
    let failed = |code| Silent::Failed(Refused::new(code, reason.clone()));
    if error.is_wrong_credential() {
        return failed(Code::DeviceRefused);
    }
    match desk.device.kind {
        DeviceKind::Chf => failed(Code::NoWanBefore),
        // Whoever is behind the hub cannot be blamed for the way to the hub; that half an answer of theirs made the connection
        // begin anew says nothing of the hub, so the hub itself is asked.
        _ if !hub_answers(parts).await => failed(Code::NoWanBefore),
        DeviceKind::Gsme => {
            // Nobody waits for the answer any more; what only reads does no harm where it cannot be taken back.
            let _ = sleeper::take_back(parts, desk).await;
            match asleep(parts, desk).await {
                Some(wake) => Silent::Asleep(wake),
                None => failed(Code::GasHan),
            }
        }
        DeviceKind::Gpf => failed(Code::GasHan),
        _ => failed(Code::Han),
    }
}

/// Whether the hub answers, where the rig has one that this S1SP reaches.
async fn hub_answers(parts: &Parts) -> bool {
    let hub = parts.links.rig().device(DeviceKind::Chf).and_then(|hub| parts.desks.get(&hub.eui64));
    let Some(hub) = hub else { return true };
    let mut hub = hub.lock().await;
    hub.leave().await;
    prove::look(&parts.links, &hub.device, Path::Wan, Instant::now() + PER_DEVICE).await.is_ok()
}

/// A gas meter that sleeps is vouched for by the gas proxy function while that answers for it, and while the hub has heard it
/// at one of its last two wakes. One that should have woken while it was looked at is not asleep: it fails on the network.
async fn asleep(parts: &Parts, desk: &Desk) -> Option<Duration> {
    let wake = desk.device.model.wake_interval().filter(|_| !wakes_soon(desk))?;
    let proxy = parts.links.rig().device(DeviceKind::Gpf)?;
    let mut mirror = parts.desks.get(&proxy.eui64)?.lock().await;
    mirror.read(Function::GasVolume).await.ok()?;
    mirror.leave().await;
    if let Some(Ok(contacts)) = prove::han::contacts(&parts.links).await {
        let heard = contacts.iter().find(|contact| contact.eui64 == desk.device.eui64)?.last?;
        let since = Duration::try_from(Timestamp::now().duration_since(heard)).unwrap_or_default();
        if since > wake.duration() * 2 + SLACK {
            return None;
        }
    }
    Some(wake.duration())
}

/// Looks at a device that sleeps once it has woken, and says first until when it is waited for.
async fn waited_for(parts: &Parts, desk: &mut Desk, wake: Duration) -> Result<DeviceFound, Refused> {
    let (kind, id) = (desk.device.kind, desk.device.eui64);
    let until = (Timestamp::now() + wake).strftime("%Y-%m-%d %H:%M:%S UTC");
    let said = format!("the {kind} {id} sleeps, and is waited for until {until}");
    // Words that nobody takes are dropped: the wait goes on without them.
    drop(parts.outbox.try_send(S1spAlertMessage::Progress(said)));
    desk.leave().await;
    desk.wait_for_wake();
    let answered = rotate::answers(desk).await;
    if answered.is_err() {
        // Nobody waits for the answer any more.
        let _ = sleeper::take_back(parts, desk).await;
    }
    desk.leave().await;
    desk.begin();
    let slept_on = |why: String| {
        let reason = format!("{kind} {id}: it was waited for until it should have woken: {why}");
        Refused::new(Code::GasHan, reason)
    };
    answered.map_err(|refusal| slept_on(refusal.words()))?;
    look(parts, desk).await.map_err(|error| slept_on(error.to_string()))
}

/// The first thing that is not as declared.
fn differs(declared: &Device, found: &DeviceFound) -> Option<Refused> {
    let refused =
        |code, words: String| Some(Refused::new(code, format!("{} {}: {words}", declared.kind, declared.id)));
    let texts = [
        (Function::Manufacturer, Code::Identity, &declared.manufacturer),
        (Function::Model, Code::Identity, &declared.model),
        (Function::HardwareVersion, Code::Identity, &declared.hardware),
        (Function::FirmwareVersion, Code::Firmware, &declared.firmware),
        (Function::ConfigurationVersion, Code::Configuration, &declared.configuration),
    ];
    for (function, code, expected) in texts {
        // What a device of its kind does not say cannot differ.
        if let Some(said) = found.said(function).filter(|said| *said != expected.as_str()) {
            return refused(code, format!("{function}: declared {expected}, the device says {said}"));
        }
    }
    // What was said was held against the Device Model of the lab file; the declared one is what counts here.
    let is_said = |what: &str| texts.iter().any(|(of, ..)| of.word() == what && found.said(*of).is_some());
    let difference = found.differences.iter().find(|difference| !is_said(&difference.what))?;
    let code = if difference.what == "clock" { Code::Clock } else { Code::Identity };
    refused(code, difference.to_string())
}

fn words(found: &DeviceFound) -> String {
    let version = found.said(Function::FirmwareVersion).unwrap_or("that it does not tell");
    match found.clock_ahead {
        Some(ahead) => format!("answers, firmware {version}, clock {ahead:+.1} s"),
        None => format!("answers, firmware {version}"),
    }
}
