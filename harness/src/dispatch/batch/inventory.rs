//! The DSP's inventory of a batch, as far as migrations put installations into it, and the registrations of the lab.
//!
//! ```text
//! $HARNESS_STATE/migration/inventory/EUI-64.json
//! ```
//!
//! One file for each installation that has joined, written whole and safe on disk before the DSP says that it joined, and gone
//! before it says that it left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lab_config::{Eui64, Lab};
use proto_migration::{Commissioned, CommonInstallation, Text};
use serde::{Deserialize, Serialize};

use super::super::migrating::registered;
use crate::migration::party::commissioning::Dsp;

/// An installation that has joined.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Joined {
    installation: String,
    devices: Vec<JoinedDevice>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinedDevice {
    id: String,
    kind: String,
    firmware: String,
}

/// The inventory.
#[derive(Debug)]
pub(super) struct KeptInventory {
    folder: Option<PathBuf>,
    registered: BTreeMap<Text, Eui64>,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    devices: BTreeSet<Eui64>,
    installations: BTreeMap<Eui64, Vec<Eui64>>,
}

impl KeptInventory {
    /// The inventory as it was kept.
    ///
    /// # Errors
    /// What is wrong with which file, in words.
    pub(super) fn open(lab: &Lab, state: Option<&Path>) -> Result<Self, String> {
        let folder = state.map(|state| state.join("migration").join("inventory"));
        let mut inside = Inside::default();
        if let Some(folder) = &folder {
            let wrong = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
            for entry in fs::read_dir(folder).map_err(|error| wrong(folder, &error))? {
                let path = entry.map_err(|error| wrong(folder, &error))?.path();
                if path.extension().is_some_and(|end| end == "json") {
                    let (installation, devices) = read(&path).map_err(|error| wrong(&path, &error))?;
                    inside.join(installation, devices);
                }
            }
        }
        Ok(Self { folder, registered: registered(lab), inside: inside.into() })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Each change is one step: a panic elsewhere leaves a whole inventory.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, installation: Eui64) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(format!("{installation}.json")))
    }
}

impl Inside {
    fn join(&mut self, installation: Eui64, devices: Vec<Eui64>) {
        self.devices.extend(devices.iter().copied());
        self.installations.insert(installation, devices);
    }
}

fn read(path: &Path) -> Result<(Eui64, Vec<Eui64>), String> {
    let octets = fs::read(path).map_err(|error| error.to_string())?;
    let joined: Joined = serde_json::from_slice(&octets).map_err(|error| error.to_string())?;
    let id = |text: &str| text.parse::<Eui64>().map_err(|error| error.to_string());
    let devices = joined.devices.iter().map(|device| id(&device.id)).collect::<Result<_, _>>()?;
    Ok((id(&joined.installation)?, devices))
}

fn write(path: &Path, joins: &Commissioned) -> io::Result<()> {
    let device = |device: &proto_migration::Device| JoinedDevice {
        id: device.id.to_string(),
        kind: device.kind.to_string(),
        firmware: device.firmware.to_string(),
    };
    let devices = joins.devices.iter().map(device).collect();
    let text = serde_json::to_vec(&Joined { installation: joins.installation.to_string(), devices })?;
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_folder_of(path)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.and_then(|()| sync_folder_of(path)),
    }
}

impl Dsp for KeptInventory {
    fn registered(&self, meter_point: &Text) -> Option<Eui64> {
        self.registered.get(meter_point).copied()
    }

    fn in_inventory(&self, device: Eui64) -> bool {
        self.inside().devices.contains(&device)
    }

    fn enrol(&self, joins: &Commissioned, _: &CommonInstallation) -> Result<(), String> {
        let mut inside = self.inside();
        let known = inside.installations.contains_key(&joins.installation);
        if let Some(twice) = joins.devices.iter().find(|device| !known && inside.devices.contains(&device.id))
        {
            return Err(format!("{} {} is in the inventory already", twice.kind, twice.id));
        }
        if let Some(path) = self.file(joins.installation) {
            write(&path, joins).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        inside.join(joins.installation, joins.devices.iter().map(|device| device.id).collect());
        Ok(())
    }

    fn withdraw(&self, installation: Eui64) -> Result<usize, String> {
        let mut inside = self.inside();
        if let Some(path) = self.file(installation) {
            remove(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let left = inside.installations.remove(&installation).unwrap_or_default();
        inside.devices.retain(|device| !left.contains(device));
        Ok(left.len())
    }
}
