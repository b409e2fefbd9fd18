//! A look at the devices by a way that has nothing to do with migration control: a process of its own asks each at its own port,
//! first as the SMSO and then as whoever has what the S1SP keeps, and says who is let in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path as FilePath;
use std::process::Stdio;
use std::sync::Arc;

use harness::driver::{Client, RigLinks, rig};
use harness::link::NoTap;
use harness::s1sp::SecretStore;
use lab_config::{DeviceKind, Eui64, Lab, Path, Rig};
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

/// The devices that are let in by a credential.
pub(crate) const LET_IN: [DeviceKind; 4] =
    [DeviceKind::Chf, DeviceKind::Gpf, DeviceKind::Esme, DeviceKind::Gsme];

/// Tells the process of the look where the bench is.
pub(crate) const FOLDER: &str = "LAB_MIGRATION_LOOK";
/// What the process puts before what it has seen.
const SEEN: &str = "SEEN ";
/// How often a device is asked that gives no answer.
const TRIES: u32 = 4;

/// Whom a device lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LetIn {
    pub(crate) smso: bool,
    /// By what the S1SP keeps; by the lab file's where it keeps nothing.
    pub(crate) s1sp: bool,
}

/// What was seen of each device, by its EUI-64.
pub(crate) type Seen = BTreeMap<String, LetIn>;

/// Has another process look. What the S1SP keeps is copied for it: a store is one S1SP's at a time.
pub(crate) fn seen(folder: &FilePath, state: &FilePath) -> Seen {
    let copy = folder.join("look/migration");
    drop(fs::remove_dir_all(&copy));
    fs::create_dir_all(copy.join("secrets")).expect("a folder");
    copied(&state.join("migration/store-key.pem"), &copy.join("store-key.pem"));
    for entry in fs::read_dir(state.join("migration/secrets")).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        copied(&path, &copy.join("secrets").join(path.file_name().expect("a name")));
    }
    let mut command = crate::looking();
    // Invocation counters are one machine's, whoever of it asks.
    command.env(FOLDER, folder).env("HARNESS_STATE", state).stderr(Stdio::inherit());
    let out = command.output().expect("this program again");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find_map(|line| Some(line.split_once(SEEN)?.1));
    let line = line.unwrap_or_else(|| panic!("the devices cannot be looked at:\n{text}"));
    serde_json::from_str(line).expect("what was seen")
}

fn copied(from: &FilePath, to: &FilePath) {
    if from.exists() {
        fs::copy(from, to).expect("a copy");
        fs::set_permissions(to, fs::Permissions::from_mode(0o600)).expect("its owner's");
    }
}

/// Looks, and says what is seen on standard output.
pub(crate) fn look(folder: &FilePath) {
    let lab = Lab::load(&folder.join("lab.toml")).expect("a lab");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let seen: Seen =
        lab.rigs.iter().flat_map(|rig| runtime.block_on(at_rig(rig, &folder.join("look")))).collect();
    println!("\n{SEEN}{}", serde_json::to_string(&seen).expect("JSON"));
}

async fn at_rig(rig: &Rig, state: &FilePath) -> Vec<(String, LetIn)> {
    let (sender, _pushes) = mpsc::channel(64);
    let chf = rig.device(DeviceKind::Chf).expect("a hub");
    let hub = rig::connect_hub(rig, chf, NoTap::shared(), sender).await.expect("a hub");
    let smso = RigLinks::new(Arc::new(rig.clone()), Some(hub), NoTap::shared());
    let s1sp = smso.with_credentials_of_lab();
    SecretStore::for_rig(rig, Some(state)).expect("a store").fill(s1sp.keyring());
    let mut seen = Vec::new();
    for kind in LET_IN {
        let device = rig.device(kind).expect("a device").eui64;
        let let_in = LetIn { smso: lets_in(&smso, device).await, s1sp: lets_in(&s1sp, device).await };
        seen.push((device.to_string(), let_in));
    }
    seen
}

async fn lets_in(links: &RigLinks, eui64: Eui64) -> bool {
    let device = links.rig().by_eui64(eui64).expect("a device");
    let own = device.links.keys().copied().find(|path| *path != Path::Wan);
    // What a device was still at when its client was killed it ends first.
    for attempt in 1.. {
        match links.open(device, own.unwrap_or(Path::Wan), Client::Management).await {
            Ok(session) => {
                session.close().await;
                return true;
            }
            Err(error) if error.is_wrong_credential() => return false,
            Err(error) => assert!(attempt < TRIES, "{} {eui64}: {error}", device.kind),
        }
    }
    false
}
