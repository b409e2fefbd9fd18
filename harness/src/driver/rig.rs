//! From the lab file to a session: which link, which addresses, which password a device of a rig is spoken to with.

use std::fmt;
use std::sync::Arc;

use lab_config::{
    ClientSap, ClientSecurity, ClusterAttribute, ClusterMap, DlmsProfile, Function, LinkUrl, Path, Profile,
    Rig, RigDevice, Route, Secret, SecretError, Security,
};
use tokio::sync::mpsc;

use super::access::{Access, Deadlines, Keyset, KeysetError, Sleep};
use super::channel::hub::{Hub, Push};
use super::cluster::{self, HanError};
use super::dongle::Dongle;
use super::error::{Context, DriverError, DriverErrorKind};
use super::keyring::{Credential, Keyring, Own};
use super::session::Session;
use super::values::Reading;
use super::zcl::ZclReader;
use crate::link::{LinkAddress, SharedTap};

/// Which of a device's clients the harness speaks as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The public client: identification only, usually without a password.
    Public,
    /// The management client, or the one the link URL names.
    Management,
}

/// Why a device of the lab file cannot be spoken to as asked, before anything is sent.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The rig has no such way to the device.
    #[error("rig {rig}: {device} has no {path} link; add one to the lab file, or `via` the hub")]
    NoPath {
        /// The rig.
        rig: String,
        /// The device.
        device: String,
        /// The path asked for.
        path: Path,
    },
    /// The device speaks ZigBee clusters, not DLMS.
    #[error("{0} does not speak DLMS/COSEM; its Device Model says zcl")]
    NotDlms(String),
    /// The device is behind a hub and no connection to the hub was given.
    #[error("{0} is behind the communications hub, and there is no connection to the hub")]
    NoHub(String),
    /// The lab file says nothing of this client.
    #[error(
        "{device}: the lab file gives no security for client {client}; add client.{client} to the device"
    )]
    NoCredentials {
        /// The device.
        device: String,
        /// The client.
        client: ClientSap,
    },
    /// The password cannot be had.
    #[error("{device}: {source}")]
    Secret {
        /// The device.
        device: String,
        /// Why.
        source: SecretError,
    },
    /// The keys cannot be used.
    #[error("{device}: {source}")]
    Keys {
        /// The device.
        device: String,
        /// Why.
        source: KeysetError,
    },
    /// The Device Model does not say what the device shows on its home area network.
    #[error(
        "the Device Model of the {0} does not say what it shows on its home area network; add [clusters]"
    )]
    NoClusters(String),
    /// The device or the way to it failed.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The dongle, or a device by way of it.
    #[error(transparent)]
    Han(#[from] HanError),
}

impl ReachError {
    /// Whether nothing at all came from the device.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, ReachError::Driver(error) if error.is_silence())
    }

    /// Whether the device was reached and has another password, or other keys.
    #[must_use]
    pub fn is_wrong_credential(&self) -> bool {
        let wrong = |kind: &DriverErrorKind| {
            matches!(kind, DriverErrorKind::WrongPassword | DriverErrorKind::WrongKeys(_))
        };
        matches!(self, ReachError::Driver(error) if wrong(&error.kind))
    }
}

/// The name of a device's link in records and captures: `rig-1/ESME/optical`.
#[must_use]
pub fn link_name(rig: &Rig, device: &RigDevice, path: Path) -> String {
    format!("{}/{}/{path}", rig.name, device.kind)
}

/// The DLMS profile of a device's model.
///
/// # Errors
/// [`ReachError::NotDlms`].
pub fn profile(device: &RigDevice) -> Result<&DlmsProfile, ReachError> {
    device.model.profile.dlms().ok_or_else(|| ReachError::NotDlms(words(device)))
}

/// A device in words: `ESME 00-DB-...`.
pub(crate) fn words(device: &RigDevice) -> String {
    format!("{} {}", device.kind, device.eui64)
}

/// Every way to the devices of one rig: its links, the connection to its hub, the credentials in force.
///
/// Clones share the connection to the hub and the credentials.
#[derive(Clone)]
pub struct RigLinks {
    rig: Arc<Rig>,
    hub: Option<Hub>,
    keyring: Keyring,
    tap: SharedTap,
}

impl fmt::Debug for RigLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RigLinks")
            .field("rig", &self.rig.name)
            .field("hub", &self.hub)
            .finish_non_exhaustive()
    }
}

impl RigLinks {
    /// The ways to `rig`, whose links are concrete. Without a hub, only the devices' own links lead anywhere.
    #[must_use]
    pub fn new(rig: Arc<Rig>, hub: Option<Hub>, tap: SharedTap) -> RigLinks {
        RigLinks { rig, hub, keyring: Keyring::default(), tap }
    }

    /// The same ways for somebody who knows of no credential but those in the lab file.
    #[must_use]
    pub fn with_credentials_of_lab(&self) -> RigLinks {
        RigLinks { keyring: Keyring::default(), ..self.clone() }
    }

    /// The rig.
    #[must_use]
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// The credentials that were handed over or changed.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The connection to the rig's hub, if it has one.
    #[must_use]
    pub fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }

    /// Opens a session with `device` on `path` as `client`. Devices behind the hub, and the hub itself on its WAN link,
    /// share the connection to the hub.
    ///
    /// # Errors
    /// See [`ReachError`].
    pub async fn open(&self, device: &RigDevice, path: Path, client: Client) -> Result<Session, ReachError> {
        let sleep = device.model.wake_interval().map_or(Sleep::Never, |_| Sleep::NotWaitedFor);
        // On the heap: opening is deep, and who holds a future of ours should not have to hold all of it.
        Box::pin(self.open_in(device, (path, sleep), client)).await
    }

    /// Opens a session on the wide area path as [`RigLinks::open`] does; where the device sleeps behind the hub, waits as
    /// `sleep` says.
    ///
    /// # Errors
    /// See [`ReachError`].
    pub async fn open_asleep(
        &self,
        device: &RigDevice,
        sleep: Sleep,
        client: Client,
    ) -> Result<Session, ReachError> {
        Box::pin(self.open_in(device, (Path::Wan, sleep), client)).await
    }

    async fn open_in(
        &self,
        device: &RigDevice,
        (path, sleep): (Path, Sleep),
        client: Client,
    ) -> Result<Session, ReachError> {
        let route = self.rig.route(device.kind, path).ok_or_else(|| no_path(&self.rig, device, path))?;
        let own_link = match route {
            Route::Direct(link) => Some(link),
            Route::Through { .. } => None,
        };
        let (access, client) = self.addresses(device, own_link, client)?;
        let (likeliest, others) = self.keyring.possible(device.eui64, client);
        let likeliest = self.with(device, &access, &likeliest)?;
        let others: Vec<Access> =
            others.iter().map(|other| self.with(device, &access, other)).collect::<Result<_, _>>()?;
        // At its own link a device is awake.
        let sleep = if own_link.is_some() { Sleep::Never } else { sleep };
        let deadlines = Deadlines { sleep, ..Deadlines::of(route.link()) };
        let mut opened = self.open_as(device, (path, own_link), likeliest, deadlines).await;
        for access in others {
            if !matches!(&opened, Err(error) if error.is_wrong_credential()) {
                break;
            }
            opened = self.open_as(device, (path, own_link), access, deadlines).await;
        }
        opened
    }

    /// Opens a session with the management client of `device` on the wide area path with this credential and no other.
    ///
    /// # Errors
    /// See [`ReachError`].
    pub async fn open_with(
        &self,
        device: &RigDevice,
        credential: &Credential,
    ) -> Result<Session, ReachError> {
        let missing = || no_path(&self.rig, device, Path::Wan);
        let route = self.rig.route(device.kind, Path::Wan).ok_or_else(missing)?;
        let own_link = match route {
            Route::Direct(link) => Some(link),
            Route::Through { .. } => None,
        };
        let (access, _) = self.addresses(device, own_link, Client::Management)?;
        let access = self.with(device, &access, credential)?;
        let sleep = device.model.wake_interval().map_or(Sleep::Never, |_| Sleep::NotWaitedFor);
        let deadlines = Deadlines { sleep, ..Deadlines::of(route.link()) };
        Box::pin(self.open_as(device, (Path::Wan, own_link), access, deadlines)).await
    }

    /// Opens the rig's dongle, to look at `device` on the home area network. Each time it begins anew, so that it is free
    /// for others in between, and what it answers is not what it answered before.
    ///
    /// # Errors
    /// [`ReachError`]: no dongle, a Device Model that says nothing of the network, or a dongle that does not answer.
    pub async fn open_han(&self, device: &RigDevice) -> Result<Han, ReachError> {
        let url = self.rig.dongle.as_ref().ok_or_else(|| no_path(&self.rig, device, Path::Han))?;
        let map = device.model.clusters.as_ref().ok_or_else(|| ReachError::NoClusters(words(device)))?;
        let name = dongle_name(&self.rig);
        let dongle = Dongle::open(&name, url, self.tap.clone()).await.map_err(HanError::from)?;
        let at = (proto_zigbee::Eui64(device.eui64.octets()), map.endpoint.value);
        Ok(Han { dongle, at, map: map.clone() })
    }

    async fn open_as(
        &self,
        device: &RigDevice,
        (path, own_link): (Path, Option<&LinkUrl>),
        access: Access,
        deadlines: Deadlines,
    ) -> Result<Session, ReachError> {
        match (own_link, &self.hub) {
            (None, None) => Err(ReachError::NoHub(words(device))),
            (None, Some(hub)) => Ok(Session::through(hub, Some(device.eui64), access, deadlines).await?),
            (Some(_), Some(hub)) if path == Path::Wan => {
                Ok(Session::through(hub, None, access, deadlines).await?)
            }
            (Some(link), _) => {
                let name = link_name(&self.rig, device, path);
                Ok(Session::open(&name, link, access, deadlines, self.tap.clone()).await?)
            }
        }
    }

    /// A reader of the ZigBee attributes of `device` behind the hub.
    ///
    /// # Errors
    /// There is no hub, or the connection to it is closed.
    pub async fn zcl(&self, device: &RigDevice) -> Result<ZclReader, ReachError> {
        let route = self.rig.route(device.kind, Path::Wan);
        let (Some(hub), Some(route)) = (&self.hub, route) else {
            return Err(ReachError::NoHub(words(device)));
        };
        Ok(ZclReader::new(hub, device.eui64, Deadlines::of(route.link())).await?)
    }

    /// The addresses for `client` of `device`, without a credential, and which client that is; `link` is the device's own
    /// link where it has one, whose URL may name other addresses.
    fn addresses(
        &self,
        device: &RigDevice,
        link: Option<&LinkUrl>,
        client: Client,
    ) -> Result<(Access, ClientSap), ReachError> {
        let profile = profile(device)?;
        let server = profile.server.value;
        let asked = client_sap(profile, client);
        let base = Access {
            server: server.logical,
            physical: server.physical,
            address_size: server.size,
            general_blocks: profile.particulars.general_blocks.map(|fact| fact.value),
            ..Access::open(asked)
        };
        let access = link.map_or(base.clone(), |link| base.at(link));
        let access = if client == Client::Public { Access { client: asked, ..access } } else { access };
        let client = access.client;
        Ok((access, client))
    }

    /// The same with a credential.
    fn with(
        &self,
        device: &RigDevice,
        access: &Access,
        credential: &Credential,
    ) -> Result<Access, ReachError> {
        let client = access.client;
        let (password, keys) = match credential {
            Credential::Own(Own::Password(own)) => (Some(own.clone()), None),
            Credential::Own(Own::Keys(own)) => {
                let of_lab = keys(device, client)?
                    .ok_or(ReachError::NoCredentials { device: words(device), client })?;
                // Whoever has keys of their own has them from somebody, and the master key from nobody.
                (None, Some(Arc::new(Keyset { master: None, ..of_lab.with(own.clone()) })))
            }
            Credential::LabFile => (lab_password(device, client)?, keys(device, client)?),
        };
        Ok(Access { password, keys, ..access.clone() })
    }
}

/// The password the lab file has for a client.
fn lab_password(device: &RigDevice, client: ClientSap) -> Result<Option<Secret>, ReachError> {
    match device.credentials.client(client) {
        None => Err(ReachError::NoCredentials { device: words(device), client }),
        Some(Security::None | Security::Gmac(_)) => Ok(None),
        Some(Security::Low(source)) => {
            source.secret().map(Some).map_err(|source| ReachError::Secret { device: words(device), source })
        }
    }
}

/// A device on its home area network, by the rig's dongle.
#[derive(Debug)]
pub struct Han {
    dongle: Dongle,
    at: (proto_zigbee::Eui64, u8),
    map: ClusterMap,
}

impl Han {
    /// Reads a function, where the Device Model says it is; none where it does not say.
    ///
    /// # Errors
    /// [`HanError`].
    pub async fn function(&mut self, function: Function) -> Result<Option<Reading>, HanError> {
        match self.map.function(function) {
            Some(object) => cluster::read(&mut self.dongle, self.at, function, object).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads an attribute, as it was sent.
    ///
    /// # Errors
    /// [`HanError`].
    pub async fn attribute(&mut self, attribute: ClusterAttribute) -> Result<Reading, HanError> {
        cluster::read_plain(&mut self.dongle, self.at, attribute).await
    }
}

/// The name of a rig's dongle in records and captures: `rig-1/dongle`.
#[must_use]
pub fn dongle_name(rig: &Rig) -> String {
    format!("{}/dongle", rig.name)
}

/// The keys of a client that has some.
fn keys(device: &RigDevice, client: ClientSap) -> Result<Option<Arc<Keyset>>, ReachError> {
    let Some(Security::Gmac(shared)) = device.credentials.client(client) else { return Ok(None) };
    let profile = profile(device)?;
    let asked = profile.security(client).copied().unwrap_or(ClientSecurity::KEYS);
    let keyset = Keyset::new(shared, asked, profile.public_client.value);
    keyset
        .map(|keyset| Some(Arc::new(keyset)))
        .map_err(|source| ReachError::Keys { device: words(device), source })
}

fn no_path(rig: &Rig, device: &RigDevice, path: Path) -> ReachError {
    ReachError::NoPath { rig: rig.name.to_string(), device: words(device), path }
}

/// The SAP of one of a device's clients.
#[must_use]
pub fn client_sap(profile: &DlmsProfile, client: Client) -> ClientSap {
    match client {
        Client::Public => profile.public_client.value,
        Client::Management => profile.management_client.value,
    }
}

/// Connects to the communications hub of a rig on its WAN link; what devices send unasked goes to `pushes`.
///
/// # Errors
/// The device has no WAN link, or the connection cannot be made.
pub async fn connect_hub(
    rig: &Rig,
    hub: &RigDevice,
    tap: SharedTap,
    pushes: mpsc::Sender<Push>,
) -> Result<Hub, ReachError> {
    let link = hub.links.get(&Path::Wan).ok_or_else(|| no_path(rig, hub, Path::Wan))?;
    let name = link_name(rig, hub, Path::Wan);
    let address = LinkAddress::of(&name, link).map_err(|error| {
        let context = Context { link: name.clone(), url: link.to_string(), ..Context::default() };
        DriverError::new(error, context)
    })?;
    Ok(Hub::connect(address, tap, &Deadlines::of(link), pushes).await?)
}

/// Whether the device speaks ZigBee clusters through its hub.
pub(crate) fn speaks_zcl(device: &RigDevice) -> bool {
    matches!(device.model.profile, Profile::Zcl(_))
}
