//! What devices are let in with in place of the lab file's credentials, because somebody handed the S1SP others or because
//! it has changed them.
//!
//! This is what the links see of it, in memory. What must outlive the process is in the S1SP's store of secrets, which
//! fills a keyring when it is opened; see [`crate::s1sp`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lab_config::{ClientSap, Eui64, Secret};
use proto_dlms::security::Keys;

/// With what a client of a device may be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// What the lab file says.
    LabFile,
    /// Something else.
    Own(Own),
}

/// A credential that does not stand in the lab file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// A password of low level security.
    Password(Secret),
    /// Keys of security suite 0.
    Keys(Keys),
}

/// With what the devices of a rig let clients in. Clones share it.
///
/// A change is proposed here before it is written to the device. So nobody who stops half way, at whatever point, leaves
/// a device with a credential that nobody knows: until a change is settled, each one the device may have is tried.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<Mutex<BTreeMap<Key, Held>>>);

type Key = (Eui64, ClientSap);

/// What one client of a device may have. Nothing held is the lab file's.
#[derive(Debug, Clone)]
struct Held {
    likeliest: Credential,
    others: Vec<Credential>,
}

impl Default for Held {
    fn default() -> Held {
        Held { likeliest: Credential::LabFile, others: Vec::new() }
    }
}

impl Keyring {
    /// The credential the device has or is likeliest to have, and others it may have while a change is not settled.
    #[must_use]
    pub fn possible(&self, device: Eui64, client: ClientSap) -> (Credential, Vec<Credential>) {
        let Held { likeliest, others } = self.locked().get(&(device, client)).cloned().unwrap_or_default();
        (likeliest, others)
    }

    /// Whether the device has, or may have, another credential than the lab file's.
    #[must_use]
    pub fn changed(&self, device: Eui64, client: ClientSap) -> bool {
        self.locked().contains_key(&(device, client))
    }

    /// Whether a change was not settled: the device may have one of several credentials.
    #[must_use]
    pub fn in_doubt(&self, device: Eui64, client: ClientSap) -> bool {
        self.locked().get(&(device, client)).is_some_and(|held| !held.others.is_empty())
    }

    /// `credential` is about to be written: from now on the device may have it.
    pub fn propose(&self, device: Eui64, client: ClientSap, credential: Credential) {
        let mut changes = self.locked();
        let held = changes.entry((device, client)).or_default();
        if held.likeliest != credential && !held.others.contains(&credential) {
            held.others.push(credential);
        }
    }

    /// The device has said that it took `credential`, which is now the likeliest.
    pub fn prefer(&self, device: Eui64, client: ClientSap, credential: &Credential) {
        if let Some(held) = self.locked().get_mut(&(device, client))
            && let Some(at) = held.others.iter().position(|other| other == credential)
        {
            std::mem::swap(&mut held.likeliest, &mut held.others[at]);
        }
    }

    /// The device is to be spoken to with `credential` and no other: it was handed over, or the device has shown that it
    /// has it and nothing that would change it is under way.
    pub fn settle(&self, device: Eui64, client: ClientSap, credential: Credential) {
        let mut changes = self.locked();
        match credential {
            Credential::LabFile => changes.remove(&(device, client)),
            own @ Credential::Own(_) => {
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
        let own = Credential::Own(Own::Password(Secret::random_password()));
        assert_eq!(possible(), (Credential::LabFile, vec![]));
        assert!(!keyring.changed(device, client));
        keyring.propose(device, client, own.clone());
        keyring.propose(device, client, own.clone());
        assert_eq!(possible(), (Credential::LabFile, vec![own.clone()]));
        assert!(keyring.changed(device, client) && keyring.in_doubt(device, client));
        keyring.prefer(device, client, &own);
        assert_eq!(possible(), (own.clone(), vec![Credential::LabFile]));
        keyring.settle(device, client, own.clone());
        assert_eq!(possible(), (own, vec![]));
        assert!(keyring.changed(device, client) && !keyring.in_doubt(device, client));
        keyring.settle(device, client, Credential::LabFile);
        assert!(!keyring.changed(device, client));
    }
}
