//! Bringing devices to the firmware and configuration of their EPCL entry, before they are migrated: by the image transfer
//! of class 18 over the wide area network, and by one block of settings with its version.

use std::collections::BTreeSet;

use lab_config::{DeviceKind, Eui64, FirmwareImage, Function, ModelIdentity, Path, RigDevice};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::PER_DEVICE;
use crate::driver::prove::{self, DeviceFound};
use crate::driver::{ReachError, RigLinks, cosem};
use crate::migration::Code;
use crate::migration::party::Refused;
use crate::s1sp::{Desk, Refusal, install_firmware};

/// Prepares those of the rig's devices that are dormant, the hub first, and says what was done to which.
pub(super) async fn prepare(links: &RigLinks, dormant: &BTreeSet<Eui64>) -> Result<String, Refused> {
    let mut devices: Vec<&RigDevice> =
        links.rig().devices().filter(|device| dormant.contains(&device.eui64)).collect();
    devices.sort_by_key(|device| device.kind != DeviceKind::Chf);
    let mut done = Vec::new();
    for device in devices {
        done.extend(prepare_one(links, device).await?);
    }
    Ok(if done.is_empty() { "nothing to prepare".to_owned() } else { done.join("; ") })
}

async fn prepare_one(links: &RigLinks, device: &RigDevice) -> Result<Vec<String>, Refused> {
    let asleep = |error: &ReachError| device.model.wake_interval().is_some() && error.is_silence();
    let (firmware, configuration) = match look(links, device).await {
        Ok(found) => {
            let said = |function| found.said(function).map(str::to_owned);
            (said(Function::FirmwareVersion), said(Function::ConfigurationVersion))
        }
        // What a gas meter asleep has is known from the lab file, and it is waited for only where that is not right.
        Err(error) if asleep(&error) => {
            let found = device.identity_as_found();
            (Some(found.firmware_version.to_string()), Some(found.configuration_version.to_string()))
        }
        Err(error) => return Err(unreached(device, &error)),
    };
    let mut done = Vec::new();
    let wanted = &device.model.identity;
    if firmware.is_some_and(|said| said != wanted.firmware_version.as_str()) {
        install(links, device).await?;
        done.push(format!("{} has firmware {}", device.kind, wanted.firmware_version));
    }
    if configuration.is_some_and(|said| said != wanted.configuration_version.as_str()) {
        configure(links, device).await?;
        done.push(format!("{} has configuration {}", device.kind, wanted.configuration_version));
    }
    if !done.is_empty() {
        read_back(links, device, wanted).await?;
    }
    Ok(done)
}

async fn look(links: &RigLinks, device: &RigDevice) -> Result<DeviceFound, ReachError> {
    prove::look(links, device, Path::Wan, Instant::now() + PER_DEVICE).await
}

fn unreached(device: &RigDevice, error: &ReachError) -> Refused {
    let code = match device.kind {
        _ if error.is_wrong_credential() => Code::DeviceRefused,
        DeviceKind::Chf => Code::NoWanBefore,
        _ => Code::Han,
    };
    Refused::new(code, format!("{} {}: {error}", device.kind, device.eui64))
}

async fn install(links: &RigLinks, device: &RigDevice) -> Result<(), Refused> {
    let wanted = &device.model.identity;
    let refused = |words: String| {
        let (kind, id, version) = (device.kind, device.eui64, &wanted.firmware_version);
        Refused::new(Code::Firmware, format!("{kind} {id}: firmware {version} is not brought to it: {words}"))
    };
    if !device.simulated {
        let words = "there is no image of it here; give the device its firmware beforehand";
        return Err(refused(words.to_owned()));
    }
    let octets = FirmwareImage::of(wanted, wanted.firmware_version.as_str()).made();
    let image = proto_duis::FirmwareImage::new(octets).map_err(|error| refused(error.to_string()))?;
    let version = wanted.firmware_version.as_str().parse();
    let version = version.map_err(|error: proto_duis::FirmwareFieldError| refused(error.to_string()))?;
    let desk = Mutex::new(Desk::new(device.clone(), links.clone()));
    let installed = install_firmware(&desk, &image, &version).await;
    desk.lock().await.leave().await;
    installed.map_err(|refusal| refused(refusal.words()))
}

async fn configure(links: &RigLinks, device: &RigDevice) -> Result<(), Refused> {
    let wanted = &device.model.identity.configuration_version;
    let refused = |refusal: Refusal| {
        let (kind, id) = (device.kind, device.eui64);
        let words = refusal.words();
        Refused::new(
            Code::Configuration,
            format!("{kind} {id}: configuration {wanted} is not brought to it: {words}"),
        )
    };
    let mut desk = Desk::new(device.clone(), links.clone());
    desk.begin();
    let object = desk.object(Function::ConfigurationBlock).map_err(refused)?;
    desk.wait_for_wake();
    let set = desk.set(cosem::attribute(&object), device.model.configuration_block()).await;
    desk.leave().await;
    set.map_err(refused)
}

/// What was brought to a device is what it says it has.
async fn read_back(links: &RigLinks, device: &RigDevice, wanted: &ModelIdentity) -> Result<(), Refused> {
    let found = match look(links, device).await {
        Ok(found) => found,
        // It has answered while it was awake, and has gone to sleep since.
        Err(error) if device.model.wake_interval().is_some() && error.is_silence() => return Ok(()),
        Err(error) => return Err(unreached(device, &error)),
    };
    let versions = [
        (Function::FirmwareVersion, Code::Firmware, &wanted.firmware_version),
        (Function::ConfigurationVersion, Code::Configuration, &wanted.configuration_version),
    ];
    for (function, code, wanted) in versions {
        if let Some(said) = found.said(function).filter(|said| *said != wanted.as_str()) {
            let (kind, id) = (device.kind, device.eui64);
            return Err(Refused::new(
                code,
                format!("{kind} {id}: {function}: brought {wanted}, found {said}"),
            ));
        }
    }
    Ok(())
}
