//! The SMSO of an installation in the lab, at its devices: what it knows of them, whether it still reaches them, and what it
//! does to them before they are migrated.
//!
//! It speaks to devices with the credentials of the lab file, which are those an SMSO has, and over the wide area network,
//! as an SMSO does. It holds what it has of secrets apart by whom they are for: passwords, working keys and vending keys
//! for the S1SP, master keys for the Dual Control Organisation, so that neither can change a key by itself.

mod prepare;

use std::collections::BTreeSet;
use std::time::Duration;

use lab_config::{ClientSap, Eui64, Path, Rig, RigDevice, SecretError, Security};
use proto_migration::{
    AuthorisationId, CommonInstallation, Device, InstallationKind, MeterPoint, Secret, SecretKind, Secrets,
};
use tokio::time::Instant;

use super::Code;
use super::party::{BoxFuture, KnownEstate, Refused, Smso};
use super::text;
use crate::driver::{RigLinks, prove};

/// How long one device may take to be reached.
const PER_DEVICE: Duration = Duration::from_secs(20);

/// The SMSO of the installation on one rig.
#[derive(Debug)]
pub struct RigSmso {
    /// With a keyring of its own: it knows of no credential but those in the lab file.
    links: RigLinks,
    known: CommonInstallation,
    /// The devices that no supplier operates, which the SMSO prepares.
    dormant: BTreeSet<Eui64>,
}

impl RigSmso {
    /// The SMSO of the rig of these links. `known` is what it says of the installation in clear.
    #[must_use]
    pub fn new(links: &RigLinks, known: CommonInstallation) -> Self {
        let links = links.with_credentials_of_lab();
        let dormant = dormant(&known);
        Self { links, known, dormant }
    }

    /// What it knows of its installation.
    ///
    /// # Errors
    /// [`Refused`] by [`Code::KeysMissing`]: a secret of the lab file cannot be had.
    fn known(&self) -> Result<KnownEstate, Refused> {
        let secrets = secrets(self.links.rig()).map_err(|(device, error)| {
            Refused::new(Code::KeysMissing, format!("{} {}: {error}", device.kind, device.eui64))
        })?;
        let (for_s1sp, for_dco) = secrets;
        Ok(KnownEstate { common: self.known.clone(), for_s1sp, for_dco })
    }

    fn is_own(&self, installation: Eui64) -> Result<(), Refused> {
        if installation == self.known.installation {
            return Ok(());
        }
        let found =
            format!("{installation} is no installation of this SMSO, which has {}", self.known.installation);
        Err(Refused::new(Code::NotBrought, found))
    }

    async fn reached(&self) -> Result<String, Refused> {
        let (mut reached, mut not) = (Vec::new(), Vec::new());
        let mut code = Code::NoAnswer;
        for device in self.links.rig().devices() {
            let kind = device.kind;
            match prove::look(&self.links, device, Path::Wan, Instant::now() + PER_DEVICE).await {
                Ok(_) => reached.push(format!("{kind} answers")),
                Err(error) if device.model.wake_interval().is_some() && error.is_silence() => {
                    reached.push(format!("{kind} sleeps"));
                }
                Err(error) if error.is_wrong_credential() => {
                    code = Code::DeviceRefused;
                    not.push(format!("{kind} {} refuses the SMSO's credential", device.eui64));
                }
                Err(error) => not.push(format!("{kind} {}: {error}", device.eui64)),
            }
        }
        match not.is_empty() {
            true => Ok(reached.join(", ")),
            false => Err(Refused::new(code, not.join("; "))),
        }
    }
}

impl Smso for RigSmso {
    fn estate(&self, installation: Eui64) -> BoxFuture<'_, Result<KnownEstate, Refused>> {
        Box::pin(async move {
            self.is_own(installation)?;
            self.known()
        })
    }

    fn prepare(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            self.is_own(installation)?;
            prepare::prepare(&self.links, &self.dormant).await
        })
    }

    fn reach(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            self.is_own(installation)?;
            self.reached().await
        })
    }
}

/// The devices of a fuel that no supplier operates; those of neither fuel with electricity.
fn dormant(known: &CommonInstallation) -> BTreeSet<Eui64> {
    use proto_duis::mmc::build::Fuel;
    let is_active = |fuel: Fuel| {
        let of_fuel = |point: &&MeterPoint| {
            let meter = known.devices.iter().find(|device| device.id == point.device);
            meter.is_some_and(|meter| Fuel::of(meter.kind) == fuel)
        };
        match known.kind {
            InstallationKind::Dormant => false,
            InstallationKind::Active => true,
            InstallationKind::Mixed => known.meter_points.iter().filter(of_fuel).any(|point| point.active),
        }
    };
    known.devices.iter().filter(|device| !is_active(Fuel::of(device.kind))).map(|device| device.id).collect()
}

/// What an SMSO that knows its estate says of the installation on a rig: each device as its Device Model has it.
pub fn declared(
    rig: &Rig,
    installation: Eui64,
    kind: InstallationKind,
    authorisations: Vec<AuthorisationId>,
    meter_points: Vec<MeterPoint>,
) -> CommonInstallation {
    let devices = rig.devices().map(device).collect();
    CommonInstallation { installation, kind, authorisations, devices, meter_points }
}

fn device(device: &RigDevice) -> Device {
    let identity = &device.model.identity;
    Device {
        kind: device.kind,
        id: device.eui64,
        manufacturer: text::shortened(identity.manufacturer.as_str()),
        model: text::shortened(identity.model.as_str()),
        hardware: text::shortened(identity.hardware_version.as_str()),
        firmware: text::shortened(identity.firmware_version.as_str()),
        configuration: text::shortened(identity.configuration_version.as_str()),
    }
}

/// The secrets of a rig's devices: those for the S1SP, and those for the Dual Control Organisation.
fn secrets(rig: &Rig) -> Result<(Secrets, Secrets), (&RigDevice, SecretError)> {
    let (mut for_s1sp, mut for_dco) = (Secrets::default(), Secrets::default());
    for device in rig.devices() {
        add(device, &mut for_s1sp, &mut for_dco).map_err(|error| (device, error))?;
    }
    Ok((for_s1sp, for_dco))
}

fn add(device: &RigDevice, for_s1sp: &mut Secrets, for_dco: &mut Secrets) -> Result<(), SecretError> {
    let entry = |client: Option<ClientSap>, kind, octets: &[u8]| {
        (device.eui64, client.map(ClientSap::get), kind, Secret::new(octets.to_vec()))
    };
    for (client, security) in &device.credentials.clients {
        let client = Some(*client);
        match security {
            Security::None => {}
            Security::Low(source) => {
                for_s1sp.of.push(entry(client, SecretKind::Password, source.secret()?.expose()));
            }
            Security::Gmac(keys) => {
                let (encryption, authentication) =
                    (keys.encryption_key.key()?, keys.authentication_key.key()?);
                for_s1sp.of.push(entry(client, SecretKind::EncryptionKey, encryption.expose()));
                for_s1sp.of.push(entry(client, SecretKind::AuthenticationKey, authentication.expose()));
                if let Some(master) = &keys.master_key {
                    for_dco.of.push(entry(client, SecretKind::MasterKey, master.key()?.expose()));
                }
            }
        }
    }
    if let Some(source) = &device.credentials.vending_key {
        for_s1sp.of.push(entry(None, SecretKind::VendingKey, source.secret()?.expose()));
    }
    Ok(())
}
