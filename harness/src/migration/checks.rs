//! Data validation: may this installation be migrated as it was declared? Pure; the first check that fails decides.

use std::collections::BTreeMap;
use std::fmt;

use lab_config::{DeviceKind, DeviceModelCombination, EpclEntry, Eui64, ModelIdentity, Rig};

/// An installation as the Migration Common File declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its devices.
    pub devices: BTreeMap<DeviceKind, DeclaredDevice>,
}

/// A device as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredDevice {
    /// Its EUI-64.
    pub eui64: Eui64,
    /// Its Device Model.
    pub identity: ModelIdentity,
}

impl Declared {
    /// What an SMSO that knows its estate declares for the installation on this rig.
    pub fn of(rig: &Rig) -> Self {
        let device = |d: &lab_config::RigDevice| {
            (d.kind, DeclaredDevice { eui64: d.eui64, identity: d.model.identity.clone() })
        };
        Self { devices: rig.devices().map(device).collect() }
    }
}

/// A code of the Error Handling and Retry Strategy, or the lab's own where none is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalCode {
    /// The installation matches no entry of the EPCL.
    Ma110,
    /// A device of it is already in the inventory. The published code is not known to the lab.
    AlreadyEnrolled,
    /// It has no communications hub, so nothing of it can be reached. The published code is not known to the lab.
    NoCommunicationsHub,
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ma110 => "MA110",
            Self::AlreadyEnrolled => "LAB-ALREADY-ENROLLED",
            Self::NoCommunicationsHub => "LAB-NO-HUB",
        })
    }
}

/// Why an installation may not be migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The check that refused.
    pub code: RefusalCode,
    /// What was found and what was expected, in words.
    pub reason: String,
}

/// Checks a declared installation against the EPCL entry it should match and what the inventory holds already.
///
/// # Errors
/// The first [`Refusal`].
pub fn validate(
    declared: &Declared,
    entry: &EpclEntry,
    combination: &DeviceModelCombination,
    enrolled: impl Fn(Eui64) -> bool,
) -> Result<(), Refusal> {
    if !declared.devices.contains_key(&DeviceKind::Chf) {
        let reason = "no communications hub is declared; expected one CHF".to_owned();
        return Err(Refusal { code: RefusalCode::NoCommunicationsHub, reason });
    }
    for (kind, device) in &declared.devices {
        listed(*kind, device, entry, combination)?;
        if enrolled(device.eui64) {
            let reason =
                format!("{kind} {} is in the inventory already; expected a device that is not", device.eui64);
            return Err(Refusal { code: RefusalCode::AlreadyEnrolled, reason });
        }
    }
    Ok(())
}

fn listed(
    kind: DeviceKind,
    device: &DeclaredDevice,
    entry: &EpclEntry,
    combination: &DeviceModelCombination,
) -> Result<(), Refusal> {
    let refuse = |found: String| Err(Refusal { code: RefusalCode::Ma110, reason: found });
    let Some(model) = combination.models.get(&kind) else {
        return refuse(format!("{kind} is declared; entry {} has none", entry.id));
    };
    let (found, expected) = (&device.identity, &model.identity);
    let pairs = [
        ("manufacturer", &found.manufacturer, &expected.manufacturer),
        ("model", &found.model, &expected.model),
        ("hardware version", &found.hardware_version, &expected.hardware_version),
        ("firmware version", &found.firmware_version, &expected.firmware_version),
    ];
    match pairs.into_iter().find(|(_, found, expected)| found != expected) {
        None => Ok(()),
        Some((what, found, expected)) => {
            refuse(format!("{kind} {what} is {found}; entry {} expects {expected}", entry.id))
        }
    }
}
