//! The credentials of one party, and the counters it has used.

use std::collections::{BTreeMap, BTreeSet};

use lab_config::Eui64;
use proto_duis::mmc::build::{CertificateUse, HeldCredentials, Replacement};
use proto_duis::{Certificate, RemotePartyRole};

use super::USES;

/// How many counters are remembered one by one. Below the least of them every counter counts as used.
const REMEMBERED: usize = 1024;

/// A party's credentials for a device.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// Whose.
    pub(super) party: Eui64,
    /// In the order of [`USES`].
    certificates: [Option<Certificate>; 3],
    /// The counter at or below which it is refused.
    floor: u64,
    top_up_floor: Option<u64>,
    /// The counters it has used. They need not rise: what the DCC kept until its time comes after what was sent later.
    used: BTreeSet<u64>,
}

/// Checked certificates, by what they are for.
pub(super) type Checked = [Option<Certificate>; 3];

impl Held {
    /// Those of a party of which nothing is known yet.
    pub(super) fn new(party: Eui64) -> Held {
        let certificates = [None, None, None];
        Held { party, certificates, floor: 0, top_up_floor: None, used: BTreeSet::new() }
    }

    /// Those of a party that the S1SP knows by a certificate it signs with.
    pub(super) fn of(party: Eui64, known: &BTreeMap<Eui64, Certificate>) -> Held {
        let certificates = [known.get(&party).cloned(), None, None];
        Held { certificates, ..Held::new(party) }
    }

    /// Uses a counter up.
    ///
    /// # Errors
    /// It was used already, or is not above the floor.
    pub(super) fn use_counter(&mut self, counter: u64) -> Result<(), String> {
        let party = self.party;
        if counter <= self.floor {
            return Err(format!("counter {counter} of {party} is not above {}", self.floor));
        }
        if !self.used.insert(counter) {
            return Err(format!("counter {counter} of {party} has been used"));
        }
        while self.used.len() > REMEMBERED {
            self.floor = self.used.pop_first().map_or(self.floor, |least| least.max(self.floor));
        }
        Ok(())
    }

    /// Sets the counters at or below which it is refused, where they are given.
    pub(super) fn set_floors(&mut self, (floor, top_up_floor): (Option<u64>, Option<u64>)) {
        self.floor = floor.unwrap_or(self.floor);
        self.top_up_floor = top_up_floor.or(self.top_up_floor);
    }

    /// Puts certificates in the place of those of `existing`, and says which.
    pub(super) fn replace(
        &mut self,
        role: RemotePartyRole,
        existing: Option<&Held>,
        new: Checked,
    ) -> Vec<Replacement> {
        let mut outcomes = Vec::new();
        for (at, (certificate, certificate_use)) in new.into_iter().zip(USES).enumerate() {
            let Some(certificate) = certificate else { continue };
            let before = existing.and_then(|held| Some((held.party, held.certificates.get(at)?.as_ref()?)));
            let named = |(party, found): (Eui64, &Certificate)| Some((party, found.sha1()?));
            let new = named((self.party, &certificate));
            let existing = before.and_then(named);
            outcomes.push(Replacement { certificate: certificate_use, role, existing, new });
            if let Some(place) = self.certificates.get_mut(at) {
                *place = Some(certificate);
            }
        }
        outcomes
    }

    /// Each certificate as 6.24.1 shows it.
    pub(super) fn shown(&self, role: RemotePartyRole) -> impl Iterator<Item = HeldCredentials> + '_ {
        let certificates = self.certificates.iter().zip(USES);
        certificates.filter_map(move |(certificate, certificate_use)| {
            let hash = certificate.as_ref()?.sha1()?;
            let floor = match certificate_use {
                CertificateUse::KeyAgreementTopUp => self.top_up_floor,
                _ => Some(self.floor),
            };
            Some(HeldCredentials { role, held: Some((self.party, certificate_use, hash, floor)) })
        })
    }
}
