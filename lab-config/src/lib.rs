//! Labs, rigs, links, Device Models and Device Model Combinations, parsed once.
//!
//! This is the first stage of the picture: what a lab engineer writes in TOML becomes types that cannot be wrong, and
//! everything after it works on those. Nothing here talks to a device.
//!
//! ```
//! use lab_config::{DeviceKind, Lab, Path};
//!
//! let lab = Lab::embedded()?;
//! let rig = lab.rig("rig-1").expect("the embedded rig");
//! let esme = rig.device(DeviceKind::Esme).expect("an electricity meter");
//! assert!(esme.links[&Path::Optical].is_simulated());
//! # Ok::<(), lab_config::FileError>(())
//! ```

mod broker;
mod combination;
pub mod contents;
pub mod cosem;
mod credentials;
mod dcc;
mod device_model;
mod document;
mod dongle_url;
mod firmware;
mod http_url;
mod identity;
mod lab;
mod link_url;
mod migration;
mod name;
mod nearest;
mod offer;
mod read;
mod registration;
mod rig;
mod sources;
mod station;
mod vocabulary;

pub use broker::{Broker, BrokerUrl, BrokerUrlError, Login};
pub use combination::{
    CapabilityRelease, DeviceModelCombination, EpclEntry, EpclStatus, InstallationType, MtadTesting,
};
pub use credentials::{
    ClientSap, ClientSapError, Credentials, KeySource, Mechanism, Secret, SecretError, SecretSource,
    Security, SharedKeys,
};
pub use dcc::{AnswerListener, Believed, Dcc, DccEnvironment, DccInterface, Signing, TlsFiles, UserSystem};
pub use device_model::{
    Ability, Capability, ClientSecurity, ClusterAttribute, ClusterMap, ClusterObject, ClusterQuestion,
    DeviationSign, DeviceModel, DlmsProfile, Downgrade, Fact, FrameLimits, Function, ImageTransferTraits,
    MOST_SETTINGS, ModelIdentity, ModelText, ModelTextError, Object, Particulars, Profile, ProfileColumn,
    PushHabit, Quirk, SecurityPolicy, ServerAddress, Setting, SettingValue, SignOnIdentity, SnapshotCommands,
    StoreAndForward, WakeInterval, ZclProfile,
};
pub use document::{Document, Entries, FileError, Item, LONGEST_DOCUMENT, Table};
pub use dongle_url::{DongleLine, DongleUrl, DongleUrlError, SimulatedNetwork};
pub use firmware::{FirmwareImage, ImageError, ImageFlaw, ImageOrder};
pub use http_url::{HttpUrl, HttpUrlError};
pub use identity::{ClientIdentity, PrivateKeyError, PrivateKeyPem, PrivateKeySource};
pub use lab::{Environment, Lab, LabDigest};
pub use link_url::{
    AddressSize, Addressing, Authority, BAUD_RATES, Carries, Echo, Endpoint, FlowControl, HdlcSizes,
    LeaseToken, LinkUrl, LinkUrlError, MOST_RETRIES, MaxInfo, Parity, SerialLine, SerialPath, SignOn,
    StationPort, Switch, Timeouts, Transport, Window,
};
pub use migration::{Door, MigrationLimits, MigrationParties, MigrationParty, PartyFiles};
pub use name::{Name, NameError};
pub use nearest::nearest;
pub use offer::{Does, Key, Offer, OfferedActuator, OfferedPort, Signal, Wiring};
pub use proto_duis::{DeviceKind, Eui64, UserRole};
pub use proto_migration::PartyRole;
pub use registration::{Fuel, MeterPointNumber, MeterPointNumberError, Registration, RegistrationStatus};
pub use rig::{
    AsFound, MigratedCredentials, Path, PaymentMode, Rig, RigDevice, Route, SafeState, SafeSupply,
};
pub use station::{ActuatorKind, Over, QualityOfService, SensorKind, Station, Topic, TopicError};
pub use vocabulary::UnknownWord;
