//! Who takes part in the migrations of a lab, by which door, and how long they may take.
//!
//! ```toml
//! [migration]
//! answer-within = "60s"           # how long a party may take to answer a file
//! listen = "192.0.2.7:8090"       # where parties outside hand over their files over HTTPS
//! tls = { ca = "ca.pem", certificate = "control.pem", key = "control.key" }
//!
//! [migration.party.requesting-party]
//! folder = "exchange/requesting-party"
//! certificate = "requesting-party.pem"
//!
//! [migration.party.dco]
//! url = "https://dco.lab:8443/files"
//! certificate = "dco.pem"
//! seal-to = "dco-seal.pem"        # the public key that secrets for it are sealed to
//! ```
//!
//! A party that is not named is inside: a component of the harness. One that is inside may have fixed keys, so that those
//! outside can know them beforehand: `certificate` with `key`, and `opening-key`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use proto_duis::Eui64;
use proto_migration::PartyRole;

use crate::{HttpUrl, PrivateKeySource, TlsFiles};

/// The parties of the migrations of a lab.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationParties {
    /// How long parties may take.
    pub limits: MigrationLimits,
    /// Where parties outside hand over their files, where one is outside behind a URL.
    pub listen: Option<SocketAddr>,
    /// What the harness shows to parties behind a URL, and whose certificates it believes there; always mutual.
    pub tls: Option<TlsFiles>,
    /// Those of whom the lab file says something.
    pub parties: BTreeMap<PartyRole, MigrationParty>,
}

/// Limits of a migration that are the lab's to set. After how many failed attempts an installation is excluded is not: the
/// TMAD says five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationLimits {
    /// How long a party may take to answer a file.
    pub answer_within: Duration,
}

impl Default for MigrationLimits {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(60) }
    }
}

/// What a lab file says of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationParty {
    /// Its identity in files; the lab's own for the role where none is written.
    pub id: Option<Eui64>,
    /// How files reach it.
    pub door: Door,
    /// Its keys and certificates.
    pub files: PartyFiles,
}

/// How files reach a party and come from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Door {
    /// It is a component of the harness.
    #[default]
    Inside,
    /// By a folder: files for it are written into `in`, and its own are read from `out`.
    Folder(PathBuf),
    /// Over HTTPS: files are posted to it there, and it posts its own to the lab's `listen`.
    Https(HttpUrl),
}

/// Files of a party's keys and certificates, all in PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartyFiles {
    /// What its files are signed under.
    pub certificate: Option<PathBuf>,
    /// What it signs with, where it is inside and has a certificate of its own.
    pub key: Option<PrivateKeySource>,
    /// The public key that secrets for it are sealed to, where it gets secrets and is outside, or is inside and those outside
    /// seal to it.
    pub seal_to: Option<PathBuf>,
    /// What it opens secrets with, where it is inside.
    pub opening_key: Option<PrivateKeySource>,
}

impl MigrationParties {
    /// The door of the party in this role.
    pub fn door(&self, role: PartyRole) -> &Door {
        self.parties.get(&role).map_or(&Door::Inside, |party| &party.door)
    }

    /// What the lab file says of the party in this role.
    pub fn party(&self, role: PartyRole) -> Option<&MigrationParty> {
        self.parties.get(&role)
    }

    /// The roles whose parties are outside.
    pub fn outside(&self) -> impl Iterator<Item = PartyRole> + '_ {
        let outside =
            |(role, party): (&PartyRole, &MigrationParty)| (party.door != Door::Inside).then_some(*role);
        self.parties.iter().filter_map(outside)
    }
}
