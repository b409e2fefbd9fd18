//! What parties need of those who talk to devices.

use std::collections::BTreeMap;

use proto_duis::Eui64;
use proto_migration::{CommonInstallation, Holder, Secret, Secrets};

use super::{BoxFuture, Refused};
use crate::migration::Code;

/// The S1SP's ways to the devices of installations.
///
/// Every method may be given up half way, by dropping its future or by the end of the process; [`Contacts::give_back`] finds
/// whatever was changed, or may have been.
pub trait Contacts: Send + Sync {
    /// Whether the secrets are all that is needed of this installation. Nothing is sent.
    ///
    /// # Errors
    /// [`Refused`] by [`Code::KeysMissing`], naming the device.
    fn viable(&self, declared: &CommonInstallation, secrets: &Secrets) -> Result<(), Refused>;

    /// New keys for the devices of the installation whose keys are to be changed, which the Dual Control Organisation is asked to
    /// wrap before any device is sent one. None where no device has keys of a security suite. Nothing is sent.
    fn new_keys(&self, declared: &CommonInstallation, secrets: &Secrets) -> Secrets {
        let _ = (declared, secrets);
        Secrets::default()
    }

    /// Talks to every device of the installation with the secrets handed over, holds it against what is declared (identity,
    /// firmware, configuration, clock) and changes its keys. Where a device fails, those changed before it are left as they
    /// are: [`Contacts::give_back`] follows.
    fn contact<'a>(
        &'a self,
        declared: &'a CommonInstallation,
        secrets: &'a Secrets,
        wrap: &'a dyn KeyWrap,
    ) -> BoxFuture<'a, ContactReport>;

    /// Puts the keys back that the SMSO has into every device that has, or may have, others, and proves each by
    /// associating with it. Says what was done.
    ///
    /// # Errors
    /// Every device that could not be had and why; its keys are still the S1SP's, or may be.
    fn give_back(&self, installation: Eui64) -> BoxFuture<'_, Result<String, String>>;

    /// The installation is migrated: from now on these hold its meters' credentials.
    fn hold<'a>(&'a self, installation: Eui64, holders: &'a [(Eui64, Holder)]) -> BoxFuture<'a, ()>;
}

/// What the S1SP found of an installation's devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactReport {
    /// Device by device.
    pub devices: BTreeMap<Eui64, DeviceReport>,
}

/// What the S1SP found of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceReport {
    /// It answers, it is what is declared, and it has new keys where it has any.
    Contacted {
        /// In words.
        said: String,
    },
    /// It stays with its SMSO, untouched, and the others migrate (GT01).
    LeftOut(Refused),
    /// It stops the installation.
    Failed(Refused),
}

impl ContactReport {
    /// The devices that stay with the SMSO.
    pub fn without(&self) -> Vec<Eui64> {
        let left = self.devices.iter().filter(|(_, found)| matches!(found, DeviceReport::LeftOut(_)));
        left.map(|(device, _)| *device).collect()
    }

    /// The first device that stops the installation.
    pub fn failure(&self) -> Option<(Eui64, &Refused)> {
        self.devices.iter().find_map(|(device, found)| match found {
            DeviceReport::Failed(refused) => Some((*device, refused)),
            _ => None,
        })
    }

    /// Device by device, in words.
    pub fn said(&self) -> String {
        let words = self.devices.iter().map(|(device, found)| match found {
            DeviceReport::Contacted { said } => format!("{device} {said}"),
            DeviceReport::LeftOut(refused) => format!("{device} is left out, {refused}"),
            DeviceReport::Failed(refused) => format!("{device} fails, {refused}"),
        });
        words.collect::<Vec<_>>().join("; ")
    }
}

/// The Dual Control Organisation's half of a key change: it alone has the master keys that new keys are wrapped with.
pub trait KeyWrap: Send + Sync {
    /// The new keys that were made beforehand, where keys are wrapped beforehand: no others can be wrapped then.
    fn made(&self) -> Option<&Secrets> {
        None
    }

    /// Wraps a new key of this device with the device's master key (RFC 3394, as class 64 takes it), if the installation's
    /// data were validated.
    ///
    /// # Errors
    /// [`Refused`] by [`Code::NotValidated`] for an installation whose validation it has not seen, by
    /// [`Code::KeysMissing`] where it has no master key of the device.
    fn wrap<'a>(&'a self, device: Eui64, key: &'a Secret) -> BoxFuture<'a, Result<Vec<u8>, Refused>>;
}

/// What an SMSO knows of one installation, before any of it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEstate {
    /// What may be said in clear.
    pub common: CommonInstallation,
    /// What the S1SP is to have.
    pub for_s1sp: Secrets,
    /// What the Dual Control Organisation is to have.
    pub for_dco: Secrets,
}

/// The SMSO's ways to the devices of the installations it operates, with the credentials it has.
pub trait Smso: Send + Sync {
    /// What it knows of an installation.
    ///
    /// # Errors
    /// [`Refused`] by [`Code::NotBrought`] for an installation that is not its own.
    fn estate(&self, installation: Eui64) -> BoxFuture<'_, Result<KnownEstate, Refused>>;

    /// Brings the dormant devices to the firmware and configuration of the entry the installation is to match, and says what
    /// was done to which.
    ///
    /// # Errors
    /// [`Refused`] naming the device: [`Code::NoWanBefore`] where its hub does not answer, [`Code::Firmware`] and
    /// [`Code::Configuration`] where it does not take them.
    fn prepare(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>>;

    /// Associates with every device by the credentials it had before the migration, and reads.
    ///
    /// # Errors
    /// [`Refused`] naming every device that does not let it in: by [`Code::DeviceRefused`] where one of them answered, by a
    /// code of the network ([`Code::is_retried`]) where those were only silent.
    fn reach(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>>;
}

/// A Dual Control Organisation with nothing to wrap by, for installations none of whose devices needs it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeyWrap;

impl KeyWrap for NoKeyWrap {
    fn wrap<'a>(&'a self, device: Eui64, _: &'a Secret) -> BoxFuture<'a, Result<Vec<u8>, Refused>> {
        let refused = Refused::new(Code::KeysMissing, format!("there is no master key of {device}"));
        Box::pin(async move { Err(refused) })
    }
}
