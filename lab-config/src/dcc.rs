//! The DCC of a lab: the harness's own stub, or somebody else's test environment.
//!
//! Without a word in the lab file the DCC is the stub of the harness, on a port of its own on loopback, with keys made for each
//! run. A lab in which somebody else's User System sends requests (SVTAD 5.2(b)) gives it a fixed door, TLS, keys that the
//! other side can know beforehand, and the names of those who may come in.
//!
//! With `url` the stub stays away: every request goes to the DCC there, in the name of the lab's users, under keys that DCC
//! knows. It alone has a way to the devices then; the lab looks at them by their own ports.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use proto_duis::{Eui64, UserRole};

use crate::{ClientIdentity, HttpUrl, Name};

/// The DCC a lab's requests go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dcc {
    /// The stub of the harness.
    Stub(DccInterface),
    /// Somebody else's, as a DCC test environment is.
    Environment(DccEnvironment),
}

impl Default for Dcc {
    fn default() -> Self {
        Self::Stub(DccInterface::default())
    }
}

impl Dcc {
    /// What the lab says of the stub, where that is its DCC.
    pub fn stub(&self) -> Option<&DccInterface> {
        match self {
            Self::Stub(interface) => Some(interface),
            Self::Environment(_) => None,
        }
    }

    /// What the lab says of somebody else's DCC, where it has one.
    pub fn environment(&self) -> Option<&DccEnvironment> {
        match self {
            Self::Stub(_) => None,
            Self::Environment(environment) => Some(environment),
        }
    }
}

/// A DCC that is not the harness's own, and how the lab's users present themselves to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DccEnvironment {
    /// Where its services are; beyond loopback only over TLS.
    pub url: HttpUrl,
    /// Mutual TLS to it; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Where the lab gets its answers and alerts.
    pub listener: AnswerListener,
    /// What the lab's users sign with: one for each role the lab has.
    pub signing: BTreeMap<UserRole, ClientIdentity>,
    /// Whose signatures on what comes back are believed.
    pub believed: Believed,
}

/// The door at which a DCC hands over answers and alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerListener {
    /// Where it listens; beyond loopback only with TLS. A lab file names a port, never 0: the DCC has to know it.
    pub listen: SocketAddr,
    /// Mutual TLS; plain HTTP without.
    pub tls: Option<TlsFiles>,
}

/// Files of certificates, in PEM, whose signatures are believed. A party has several while it changes from one to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// The Data Service Provider's.
    pub dsp: Vec<PathBuf>,
    /// The SMETS1 Service Providers'.
    pub s1sp: Vec<PathBuf>,
}

/// The interface of the harness's stub for users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DccInterface {
    /// Where it listens; beyond loopback only with TLS.
    pub listen: SocketAddr,
    /// Mutual TLS; plain HTTP without it.
    pub tls: Option<TlsFiles>,
    /// The keys the DSP and the S1SP sign with; made for each run without it.
    pub signing: Option<Signing>,
    /// Those outside the harness who may send requests.
    pub user_systems: Vec<UserSystem>,
}

impl Default for DccInterface {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen, tls: None, signing: None, user_systems: Vec::new() }
    }
}

/// Files of mutual TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority whose certificates are believed.
    pub authority: PathBuf,
    /// What is shown to the other side.
    pub identity: ClientIdentity,
}

/// Certificates and keys (P-256, PKCS#8) that sign what users get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The Data Service Provider's.
    pub dsp: ClientIdentity,
    /// The SMETS1 Service Provider's.
    pub s1sp: ClientIdentity,
}

/// A User System outside the harness, with requests and keys of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSystem {
    /// What the lab calls it.
    pub name: Name,
    /// Its identity in messages.
    pub id: Eui64,
    /// The roles it has.
    pub roles: BTreeSet<UserRole>,
    /// The certificate its requests are signed under, in PEM.
    pub certificate: PathBuf,
    /// Where it gets answers and alerts.
    pub listener: HttpUrl,
}
