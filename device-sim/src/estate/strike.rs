//! Faults of devices themselves: done to them by the bench, and undone.

use std::collections::BTreeMap;

use lab_config::Path;
use proto_duis::DeviceKind;
use proto_duis::utrn::VendingKey;

use super::hand::{connection, core, shell, silence};
use crate::fault::{Deed, DeedKind, DeviceFault};
use crate::home::Home;
use crate::model::connection::Connection;
use crate::model::core::Core;
use crate::model::esme::Esme;
use crate::model::time::MeterTime;
use crate::objects::Access;

/// A password nobody was told.
const OTHER_PASSWORD: &[u8] = b"not-this-one";
/// A key of a security suite nobody was told.
const OTHER_SUITE_KEY: [u8; 16] = [0x3c; 16];
/// A vending key nobody was told.
const OTHER_KEY: [u8; 32] = [0x5a; 32];

/// What a fault took away, to be put back.
pub(super) enum Taken {
    Access(Access),
    Key(Option<VendingKey>),
    Load(Option<u32>),
    Voltage(Option<u16>),
}

/// What faults took away, by device and fault.
pub(super) type Pocket = BTreeMap<(DeviceKind, DeviceFault), Taken>;

/// A cable to be pulled, or put back.
pub(super) type Cable = (DeviceKind, Path, bool);

/// Does a deed, or undoes it; a cable is for whoever has hold of it.
pub(super) fn strike(home: &mut Home, pocket: &mut Pocket, deed: Deed) -> Option<Cable> {
    let Deed { device, what, on, .. } = deed;
    match what {
        DeedKind::Unplug(path) => return Some((device, path, !on)),
        DeedKind::Device(DeviceFault::Silence) => silence(home, device, on),
        DeedKind::Device(DeviceFault::FlatBattery) => {
            home.gsme.iter_mut().for_each(|gsme| gsme.device.set_flat(on));
        }
        DeedKind::Device(DeviceFault::Asleep) => {
            home.gsme.iter_mut().for_each(|gsme| gsme.device.set_asleep(on));
        }
        DeedKind::Device(DeviceFault::KeyLock) => {
            connection(home, device).into_iter().for_each(|connection| connection.lock_tokens(on));
        }
        DeedKind::Device(DeviceFault::WrongPassword) => passwords(home, pocket, device, on),
        DeedKind::Device(DeviceFault::WrongKey) => vending_key(home, pocket, device, on),
        DeedKind::Device(DeviceFault::Load(watts)) => load(home, pocket, deed, watts),
        DeedKind::Device(DeviceFault::Voltage(decivolts)) => voltage(home, pocket, deed, decivolts),
        DeedKind::Device(DeviceFault::CoverOpen) => {
            // Closing it again does nothing that a meter notices.
            connection(home, device).into_iter().filter(|_| on).for_each(Connection::tamper);
        }
        DeedKind::Device(DeviceFault::PrivacyPin) => {
            connection(home, device).into_iter().for_each(|connection| privacy_pin(connection, on));
        }
        DeedKind::Device(DeviceFault::CreditsUsedTokens) => {
            connection(home, device).into_iter().for_each(|connection| connection.credit_used_tokens(on));
        }
        DeedKind::Device(other) => {
            core(home, device).into_iter().for_each(|core| in_core(core, other, on));
        }
    }
    None
}

/// Faults of a device's common part. A clock that is mended is right.
fn in_core(core: &mut Core, fault: DeviceFault, on: bool) {
    match fault {
        DeviceFault::MemoryFull => core.bench.memory_full = on,
        DeviceFault::BadFirmware => core.bench.bad_image = on,
        DeviceFault::Ignores(obis) => core.bench.misbehaviour.ignore(obis, on),
        DeviceFault::Misreports(obis) => core.bench.misbehaviour.misreport(obis, on),
        DeviceFault::Mutes(code) => core.bench.misbehaviour.mute(code, on),
        DeviceFault::ClockJump(by) if on => {
            core.jump_to(core.shown().plus(i64::try_from(by.as_millis()).unwrap_or_default()));
        }
        DeviceFault::ClockDrift(ppm) if on => core.drift(ppm),
        DeviceFault::ClockJump(_) | DeviceFault::ClockDrift(_) => {
            core.drift(0);
            core.jump_to(MeterTime::from_millis(core.now().millis()));
        }
        _ => {}
    }
}

fn passwords(home: &mut Home, pocket: &mut Pocket, device: DeviceKind, on: bool) {
    let Some(shell) = shell(home, device) else { return };
    if on {
        let own = shell.access.mistake(OTHER_PASSWORD, OTHER_SUITE_KEY);
        pocket.insert((device, DeviceFault::WrongPassword), Taken::Access(own));
    } else if let Some(Taken::Access(access)) = pocket.remove(&(device, DeviceFault::WrongPassword)) {
        shell.access = access;
    }
}

fn vending_key(home: &mut Home, pocket: &mut Pocket, device: DeviceKind, on: bool) {
    let Some(connection) = connection(home, device) else { return };
    if on {
        let key = connection.replace_key(Some(VendingKey::new(OTHER_KEY)));
        pocket.insert((device, DeviceFault::WrongKey), Taken::Key(key));
    } else if let Some(Taken::Key(key)) = pocket.remove(&(device, DeviceFault::WrongKey)) {
        connection.replace_key(key);
    }
}

fn privacy_pin(connection: &mut Connection, on: bool) {
    if on {
        connection.customer.set_pin();
    } else {
        // Taking away a PIN that is not there is no refusal.
        let _ = connection.customer.command_pin(false);
    }
}

fn esme(home: &mut Home) -> Option<&mut Esme> {
    home.esme.as_mut().map(|station| &mut station.device)
}

fn load(home: &mut Home, pocket: &mut Pocket, Deed { device, what, on, .. }: Deed, watts: u32) {
    let (DeedKind::Device(fault), Some(esme)) = (what, esme(home)) else { return };
    if on {
        pocket.insert((device, fault), Taken::Load(esme.bench_load()));
        esme.set_load(Some(watts));
    } else if let Some(Taken::Load(before)) = pocket.remove(&(device, fault)) {
        esme.set_load(before);
    }
}

fn voltage(home: &mut Home, pocket: &mut Pocket, Deed { device, what, on, .. }: Deed, decivolts: u16) {
    let (DeedKind::Device(fault), Some(esme)) = (what, esme(home)) else { return };
    if on {
        pocket.insert((device, fault), Taken::Voltage(esme.bench_decivolts()));
        esme.set_decivolts(Some(decivolts));
    } else if let Some(Taken::Voltage(before)) = pocket.remove(&(device, fault)) {
        esme.set_decivolts(before);
    }
}

/// What a device lacks that a fault is of, in words; nothing when it can have the fault.
pub(super) fn lacks(home: &mut Home, device: DeviceKind, fault: DeviceFault) -> Option<&'static str> {
    let has = match fault {
        DeviceFault::Silence => true,
        DeviceFault::FlatBattery | DeviceFault::Asleep => device == DeviceKind::Gsme && home.gsme.is_some(),
        DeviceFault::KeyLock
        | DeviceFault::WrongKey
        | DeviceFault::CreditsUsedTokens
        | DeviceFault::CoverOpen => connection(home, device).is_some(),
        DeviceFault::Load(_) | DeviceFault::Voltage(_) => device == DeviceKind::Esme && home.esme.is_some(),
        DeviceFault::WrongPassword => shell(home, device).is_some(),
        _ => core(home, device).is_some(),
    };
    (!has).then_some(match fault {
        DeviceFault::FlatBattery | DeviceFault::Asleep => "battery",
        DeviceFault::KeyLock | DeviceFault::WrongKey | DeviceFault::CreditsUsedTokens => "token entry",
        DeviceFault::WrongPassword => "passwords",
        DeviceFault::Load(_) => "electric load",
        DeviceFault::Voltage(_) => "voltage",
        DeviceFault::CoverOpen => "terminal cover",
        DeviceFault::PrivacyPin => "display of its own",
        DeviceFault::ClockJump(_) | DeviceFault::ClockDrift(_) => "clock",
        _ => "memory of its own",
    })
}
