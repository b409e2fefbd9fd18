//! The lab: environment, users, rigs and what they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use proto_duis::{DeviceKind, Eui64, Srv, UserRole};

use crate::{
    Broker, Dcc, DeviceModel, DeviceModelCombination, DongleUrl, EpclEntry, Fuel, InstallationType, LinkUrl,
    MeterPointNumber, MigrationParties, Name, Path, Registration, RegistrationStatus, Rig,
};

/// Everything a lab file says, and the files it names, in types that cannot be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lab {
    /// The lab's name.
    pub name: Name,
    /// Where its requests go, as every run records it.
    pub environment: Environment,
    /// The DCC users the lab is, by role.
    pub users: BTreeMap<UserRole, Eui64>,
    /// The DCC its requests go to: the harness's stub, or somebody else's.
    pub dcc: Dcc,
    /// Every Device Model the lab knows, by its name.
    pub models: BTreeMap<Name, Arc<DeviceModel>>,
    /// The Device Model Combinations, by name.
    pub combinations: BTreeMap<Name, Arc<DeviceModelCombination>>,
    /// Entries of the Eligible Product Combinations List, present and planned.
    pub epcl: Vec<EpclEntry>,
    /// Meter points whose registration is not what it would be without a word.
    pub registrations: BTreeMap<MeterPointNumber, Registration>,
    /// Who takes part in migrations from outside, and what limits migrations have.
    pub migration: MigrationParties,
    /// Where its stations and the harness meet, when it has stations.
    pub broker: Option<Broker>,
    /// The rigs, in the order of the file.
    pub rigs: Vec<Rig>,
    /// What the lab was read from.
    pub digest: LabDigest,
}

/// The test environment of a run (SVTAD 8.6, 20.28(b)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The version of the DCC Systems in it.
    pub dcc_systems_version: String,
    /// The access control broker: where requests go that are for no device.
    pub access_control_broker: Eui64,
    /// The SMETS1 Service Provider, who signs what the devices answered.
    pub s1sp: Eui64,
    /// Service Reference Variants its DCC takes although it is not sure that SMETS1 devices are sent them.
    pub doubtful_variants: BTreeSet<Srv>,
}

/// SHA-256 over the names and bytes of the lab file and every file it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabDigest(pub [u8; 32]);

impl fmt::Display for LabDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Lab {
    /// The rig of this name.
    pub fn rig(&self, name: &str) -> Option<&Rig> {
        self.rigs.iter().find(|rig| rig.name == *name)
    }

    /// The EUI-64 the lab acts under in this role, if it has the role.
    pub fn user(&self, role: UserRole) -> Option<Eui64> {
        self.users.get(&role).copied()
    }

    /// The registration of a meter point of one of the rigs: what the file says of it, else the lab's own supplier of its
    /// fuel. `None` for a meter point nobody knows, and for a fuel the lab has no supplier of.
    pub fn registration(&self, number: &MeterPointNumber) -> Option<Registration> {
        if let Some(written) = self.registrations.get(number) {
            return Some(written.clone());
        }
        let role = match number.fuel() {
            Fuel::Electricity => UserRole::ImportSupplier,
            Fuel::Gas => UserRole::GasSupplier,
        };
        let known = self.rigs.iter().flat_map(Rig::devices).any(|d| d.meter_point.as_ref() == Some(number));
        let supplier = self.user(role).filter(|_| known)?;
        Some(Registration { number: number.clone(), supplier, status: RegistrationStatus::Supplied })
    }

    /// The EPCL entry of this combination for installations of this kind.
    pub fn entry(&self, combination: &Name, installation: InstallationType) -> Option<&EpclEntry> {
        let fits =
            |entry: &&EpclEntry| (&entry.combination, entry.installation_type) == (combination, installation);
        self.epcl.iter().find(fits)
    }

    /// The entries that are not tested because this one is, a dormant one (SVTAD 20.9).
    pub fn stood_for_by<'l>(&'l self, entry: &'l EpclEntry) -> impl Iterator<Item = &'l EpclEntry> {
        let dormant = entry.installation_type == InstallationType::Dormant;
        let of_it = move |other: &&EpclEntry| {
            dormant && other.tested_as_dormant && other.combination == entry.combination
        };
        self.epcl.iter().filter(of_it)
    }

    /// The same lab with its broker at this address: how an embedded broker becomes one that is reached.
    #[must_use]
    pub fn with_broker_at(self, address: std::net::SocketAddr) -> Self {
        Self { broker: self.broker.map(|broker| broker.at(address)), ..self }
    }

    /// The same lab with a concrete dongle in place of a simulated one.
    #[must_use]
    pub fn with_dongle(mut self, rig: &str, dongle: DongleUrl) -> Self {
        let place = |found: Rig| if found.name == *rig { found.with_dongle(dongle.clone()) } else { found };
        self.rigs = self.rigs.into_iter().map(place).collect();
        self
    }

    /// The same lab with a concrete link in place of a simulated one. The digest stays: it is of the files.
    #[must_use]
    pub fn with_link(mut self, rig: &str, device: DeviceKind, path: Path, link: LinkUrl) -> Self {
        self.rigs = self
            .rigs
            .into_iter()
            .map(|found| match found.name == *rig {
                true => found.with_link(device, path, link.clone()),
                false => found,
            })
            .collect();
        self
    }
}
