//! What the files say, kind by kind.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use proto_duis::{DeviceKind, Eui64};
use zeroize::Zeroizing;

use crate::{Address, AuthorisationId, Digest, FileName, Note, Text};

/// What a file is, in the order in which they are written; last the two of dual control, which are written only where devices
/// have keys of a security suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A Responsible Supplier, or the DCC for a dormant one, lets an installation be migrated.
    Authorisation,
    /// Migration control asks the Requesting Party for installations.
    Demand,
    /// The Requesting Party says which of them it brings.
    Response,
    /// What an SMSO knows of its installations, with their secrets sealed.
    Estate,
    /// The Migration Common File: what is migrated, in clear.
    Common,
    /// The Migration Group File: the secrets, each sealed to the party that is to have it.
    Group,
    /// What a party found at one step, installation by installation.
    Results,
    /// Which files and devices an S1SP has all it needs of.
    RequiredFileSet,
    /// What joins the inventory.
    Commissioning,
    /// Installations go back to their SMSO.
    Rollback,
    /// How each migration ended.
    Outcome,
    /// The S1SP asks the DCO to wrap keys, each sealed to it.
    KeyWrapRequest,
    /// The DCO's answer: the keys wrapped under master keys, sealed to the S1SP.
    WrappedKeys,
}

/// One file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// See [`FileKind::Authorisation`].
    Authorisation {
        /// Its name.
        authorisation: AuthorisationId,
        /// The installation, by its communications hub.
        installation: Eui64,
        /// What it is now.
        kind: InstallationKind,
        /// From when it may be migrated.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// See [`FileKind::Demand`].
    Demand {
        /// The installations wanted, each with the authorisations it stands under (a mixed one has two; none yet where the
        /// demand asks for one).
        installations: Vec<(Eui64, Vec<AuthorisationId>)>,
    },
    /// See [`FileKind::Response`].
    Response {
        /// What the Requesting Party brings and what not.
        installations: Vec<InstallationResult>,
    },
    /// See [`FileKind::Estate`].
    Estate {
        /// What is known of each.
        installations: Vec<Estate>,
    },
    /// See [`FileKind::Common`].
    Common {
        /// The SMSO.
        smso: Text,
        /// What is migrated.
        installations: Vec<CommonInstallation>,
    },
    /// See [`FileKind::Group`].
    Group {
        /// The common file it goes with.
        common: Digest,
        /// The secrets.
        sealed: Vec<Sealed>,
    },
    /// See [`FileKind::Results`].
    Results {
        /// The step that was done.
        step: Step,
        /// What it came to.
        installations: Vec<InstallationResult>,
    },
    /// See [`FileKind::RequiredFileSet`].
    RequiredFileSet {
        /// The files it was made from.
        files: Vec<(FileName, Digest)>,
        /// The installations all of whose devices the S1SP has, with the devices it has.
        installations: Vec<(Eui64, Vec<Eui64>)>,
    },
    /// See [`FileKind::Commissioning`].
    Commissioning {
        /// What joins.
        installations: Vec<Commissioned>,
    },
    /// See [`FileKind::Rollback`].
    Rollback {
        /// Which, and why.
        installations: Vec<InstallationResult>,
    },
    /// See [`FileKind::Outcome`].
    Outcome {
        /// How each ended.
        installations: Vec<(InstallationResult, OutcomeClass)>,
    },
    /// See [`FileKind::KeyWrapRequest`].
    KeyWrapRequest {
        /// The keys to be wrapped, each with its device.
        sealed: Vec<Sealed>,
    },
    /// See [`FileKind::WrappedKeys`].
    WrappedKeys {
        /// What the DCO lends its half for, and what not.
        installations: Vec<InstallationResult>,
        /// Of each it does: the keys in the order of the request, each wrapped under its device's master key (RFC 3394).
        sealed: Vec<Sealed>,
    },
}

impl Body {
    /// Its kind.
    pub const fn kind(&self) -> FileKind {
        match self {
            Self::Authorisation { .. } => FileKind::Authorisation,
            Self::Demand { .. } => FileKind::Demand,
            Self::Response { .. } => FileKind::Response,
            Self::Estate { .. } => FileKind::Estate,
            Self::Common { .. } => FileKind::Common,
            Self::Group { .. } => FileKind::Group,
            Self::Results { .. } => FileKind::Results,
            Self::RequiredFileSet { .. } => FileKind::RequiredFileSet,
            Self::Commissioning { .. } => FileKind::Commissioning,
            Self::Rollback { .. } => FileKind::Rollback,
            Self::Outcome { .. } => FileKind::Outcome,
            Self::KeyWrapRequest { .. } => FileKind::KeyWrapRequest,
            Self::WrappedKeys { .. } => FileKind::WrappedKeys,
        }
    }
}

/// The kind of a SMETS1 Installation (TMAD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstallationKind {
    /// No supplier operates it through its SMSO.
    Dormant,
    /// A supplier operates it through its SMSO.
    Active,
    /// One fuel is active and the other dormant.
    Mixed,
}

/// One installation of a common file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonInstallation {
    /// By its communications hub, as its authorisations name it.
    pub installation: Eui64,
    /// What it is.
    pub kind: InstallationKind,
    /// The authorisations it stands under.
    pub authorisations: Vec<AuthorisationId>,
    /// Its devices.
    pub devices: Vec<Device>,
    /// Its meter points.
    pub meter_points: Vec<MeterPoint>,
}

/// A device as declared. What it is, by the five properties of a Device Model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its EUI-64.
    pub id: Eui64,
    /// Manufacturer.
    pub manufacturer: Text,
    /// Model.
    pub model: Text,
    /// Hardware version.
    pub hardware: Text,
    /// Firmware version.
    pub firmware: Text,
    /// Configuration version.
    pub configuration: Text,
}

/// A meter point and who supplies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterPoint {
    /// The meter that measures it.
    pub device: Eui64,
    /// The MPAN or MPRN.
    pub number: Text,
    /// The supplier registered for it, as the SMSO knows it.
    pub supplier: Eui64,
    /// Whether that supplier operates the meter through the SMSO.
    pub active: bool,
}

/// What an SMSO knows of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// What may be said in clear.
    pub common: CommonInstallation,
    /// What may not.
    pub sealed: Vec<Sealed>,
}

/// Secrets of one installation, sealed to one party (RFC 9180, base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256,
/// AES-128-GCM). What is sealed is bound to the installation and to the party it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The installation.
    pub installation: Eui64,
    /// Who can open it.
    pub recipient: Address,
    /// The sender's ephemeral public key, 65 octets, uncompressed.
    pub encapsulated: Vec<u8>,
    /// The ciphertext with its tag.
    pub ciphertext: Vec<u8>,
}

/// Octets that are never printed, and are zeros in memory once nobody has them any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// A secret of these octets.
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Zeroizing::new(octets.into())))
    }

    /// The octets, for the one who uses them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

/// What a secret of a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// The password of a client's association (low level security).
    Password,
    /// The global unicast encryption key of security suite 0.
    EncryptionKey,
    /// The authentication key of security suite 0.
    AuthenticationKey,
    /// The master key, which wraps new keys.
    MasterKey,
    /// The key that top-up tokens are made with.
    VendingKey,
}

/// What one party is to have of one installation: of each device, by client, kind and octets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secrets {
    /// Device, client service access point (none for what is no client's), kind, and the secret.
    pub of: Vec<(Eui64, Option<u8>, SecretKind, Secret)>,
}

/// A step of a migration, as parties report on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The SMSO brings devices to the firmware and configuration their entry has.
    Preparation,
    /// What is declared is checked against registrations, the EPCL and the inventory.
    DataValidation,
    /// The S1SP and the DCO have what they need.
    Viability,
    /// The S1SP talks to every device and changes its keys.
    DeviceContact,
    /// The devices join the inventory.
    Commissioning,
    /// The SMSO has the devices back.
    Rollback,
}

/// What a party found of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationResult {
    /// The installation.
    pub installation: Eui64,
    /// The finding.
    pub ruling: Ruling,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing stands in the way. What was seen is said in words, without secrets.
    Accepted {
        /// In words; may be empty.
        said: Note,
        /// Devices that are left out and stay with the SMSO, as when gas fails on the home area network (GT01).
        without: Vec<Eui64>,
    },
    /// Something does.
    Refused {
        /// The code of the Error Handling and Retry Strategy, or the lab's own.
        code: Text,
        /// What was found and what was expected.
        reason: Note,
    },
}

/// An installation that joins the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commissioned {
    /// The installation.
    pub installation: Eui64,
    /// Its devices that join.
    pub devices: Vec<Device>,
    /// Who holds each meter's credentials at the end.
    pub holders: Vec<(Eui64, Holder)>,
}

/// Who holds the credentials of a migrated device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The DCC, until a supplier takes the device over by 6.21 or 6.23.
    Dcc,
    /// This supplier.
    Supplier(Eui64),
}

/// How a migration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeClass {
    /// The DCC has it, whole or electricity only.
    Migrated,
    /// A check refused it before any device was touched.
    Refused,
    /// It was begun and is back with its SMSO, whole.
    RolledBack,
    /// It will not be tried again.
    Excluded,
}
