//! The passwords devices have in place of the lab file's, because the S1SP has changed them.
//!
//! Kept in memory only; see [`crate::s1sp`] for what that means for devices that are not simulated.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lab_config::{ClientSap, Eui64, Secret};

/// A password a client of a device may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// The lab file's.
    LabFile,
    /// One the S1SP has made.
    Own(Secret),
}

/// Which passwords the devices of a rig have. Clones share it.
///
/// A change is proposed here before it is written to the device. So nobody who stops half way, at whatever point, leaves
/// a device with a password that nobody knows: until a change is settled, each password the device may have is tried.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<Mutex<BTreeMap<Key, Held>>>);

type Key = (Eui64, ClientSap);

/// What one client of a device may have. Nothing held is the lab file's password.
#[derive(Debug, Clone)]
struct Held {
    likeliest: Password,
    others: Vec<Password>,
}

impl Default for Held {
    fn default() -> Held {
        Held { likeliest: Password::LabFile, others: Vec::new() }
    }
}

impl Keyring {
    /// The password the device has or is likeliest to have, and others it may have while a change is not settled.
    #[must_use]
    pub fn possible(&self, device: Eui64, client: ClientSap) -> (Password, Vec<Password>) {
        let Held { likeliest, others } = self.locked().get(&(device, client)).cloned().unwrap_or_default();
        (likeliest, others)
    }

    /// Whether the device has, or may have, another password than the lab file's.
    #[must_use]
    pub fn changed(&self, device: Eui64, client: ClientSap) -> bool {
        self.locked().contains_key(&(device, client))
    }

    /// Whether a change was not settled: the device may have one of several passwords.
    #[must_use]
    pub fn in_doubt(&self, device: Eui64, client: ClientSap) -> bool {
        self.locked().get(&(device, client)).is_some_and(|held| !held.others.is_empty())
    }

    /// `password` is about to be written: from now on the device may have it.
    pub fn propose(&self, device: Eui64, client: ClientSap, password: Password) {
        let mut changes = self.locked();
        let held = changes.entry((device, client)).or_default();
        if held.likeliest != password && !held.others.contains(&password) {
            held.others.push(password);
        }
    }

    /// The device has said that it took `password`, which is now the likeliest.
    pub fn prefer(&self, device: Eui64, client: ClientSap, password: &Password) {
        if let Some(held) = self.locked().get_mut(&(device, client))
            && let Some(at) = held.others.iter().position(|other| other == password)
        {
            std::mem::swap(&mut held.likeliest, &mut held.others[at]);
        }
    }

    /// The device has shown that it has `password`, and nothing that would change it is under way.
    pub fn settle(&self, device: Eui64, client: ClientSap, password: Password) {
        let mut changes = self.locked();
        match password {
            Password::LabFile => changes.remove(&(device, client)),
            own @ Password::Own(_) => {
                changes.insert((device, client), Held { likeliest: own, others: Vec::new() })
            }
        };
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Key, Held>> {
        // A map is whole whatever a panicking holder did.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_doubt_from_before_it_is_written_until_it_is_settled() {
        let (keyring, device, client) = (Keyring::default(), Eui64::new([1; 8]), ClientSap::MANAGEMENT);
        let possible = || keyring.possible(device, client);
        let own = Password::Own(Secret::random_password());
        assert_eq!(possible(), (Password::LabFile, vec![]));
        assert!(!keyring.changed(device, client));
        keyring.propose(device, client, own.clone());
        keyring.propose(device, client, own.clone());
        assert_eq!(possible(), (Password::LabFile, vec![own.clone()]));
        assert!(keyring.changed(device, client) && keyring.in_doubt(device, client));
        keyring.prefer(device, client, &own);
        assert_eq!(possible(), (own.clone(), vec![Password::LabFile]));
        keyring.settle(device, client, own.clone());
        assert_eq!(possible(), (own, vec![]));
        assert!(keyring.changed(device, client) && !keyring.in_doubt(device, client));
        keyring.settle(device, client, Password::LabFile);
        assert!(!keyring.changed(device, client));
    }
}
