//! From the lab file to a session: which link, which addresses, which password a device of a rig is spoken to with.

use lab_config::{
    ClientSap, DlmsProfile, LinkUrl, Path, Profile, Rig, RigDevice, Route, SecretError, Security,
};
use tokio::sync::mpsc;

use super::access::{Access, Deadlines};
use super::channel::hub::{Hub, Push};
use super::error::{Context, DriverError};
use super::session::Session;
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
    /// The device or the way to it failed.
    #[error(transparent)]
    Driver(#[from] DriverError),
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

/// The addresses and password for `client` of `device`; `link` is the device's own link where it has one, whose URL may
/// name other addresses.
///
/// # Errors
/// The device speaks no DLMS, or the lab file has no security or no password for this client.
pub fn access(device: &RigDevice, link: Option<&LinkUrl>, client: Client) -> Result<Access, ReachError> {
    let profile = profile(device)?;
    let server = profile.server.value;
    let base = Access {
        server: server.logical,
        physical: server.physical,
        address_size: server.size,
        ..Access::open(match client {
            Client::Public => profile.public_client.value,
            Client::Management => profile.management_client.value,
        })
    };
    let asked = base.client;
    let access = link.map_or(base.clone(), |link| base.at(link));
    let access = if client == Client::Public { Access { client: asked, ..access } } else { access };
    let password = password(device, access.client)?;
    Ok(Access { password, ..access })
}

fn password(device: &RigDevice, client: ClientSap) -> Result<Option<lab_config::Secret>, ReachError> {
    match device.credentials.client(client) {
        None => Err(ReachError::NoCredentials { device: words(device), client }),
        Some(Security::None) => Ok(None),
        Some(Security::Low(source)) => {
            source.secret().map(Some).map_err(|source| ReachError::Secret { device: words(device), source })
        }
    }
}

/// Connects to the rig's communications hub on its WAN link; pushes go to `pushes`.
///
/// # Errors
/// The rig has no device with a WAN link, or the connection cannot be made.
pub async fn connect_hub(
    rig: &Rig,
    hub: &RigDevice,
    tap: SharedTap,
    pushes: mpsc::Sender<Push>,
) -> Result<Hub, ReachError> {
    let Some(link) = hub.links.get(&Path::Wan) else { return Err(no_path(rig, hub, Path::Wan)) };
    let name = link_name(rig, hub, Path::Wan);
    let address = LinkAddress::of(&name, link).map_err(|error| {
        let context = Context { link: name.clone(), url: link.to_string(), ..Context::default() };
        DriverError::new(error, context)
    })?;
    Ok(Hub::connect(address, tap, &Deadlines::of(link), pushes).await?)
}

/// Opens a session with `device` on `path` as `client`. Devices behind the hub, and the hub itself on its WAN link, go
/// through `hub`.
///
/// # Errors
/// See [`ReachError`].
pub async fn open(
    rig: &Rig,
    device: &RigDevice,
    path: Path,
    client: Client,
    hub: Option<&Hub>,
    tap: SharedTap,
) -> Result<Session, ReachError> {
    let route = rig.route(device.kind, path).ok_or_else(|| no_path(rig, device, path))?;
    let deadlines = Deadlines::of(route.link());
    let own_link = match route {
        Route::Direct(link) => Some(link),
        Route::Through { .. } => None,
    };
    let access = access(device, own_link, client)?;
    match (own_link, hub) {
        (None, None) => Err(ReachError::NoHub(words(device))),
        (None, Some(hub)) => Ok(Session::through(hub, Some(device.eui64), access, deadlines).await?),
        (Some(_), Some(hub)) if path == Path::Wan => {
            Ok(Session::through(hub, None, access, deadlines).await?)
        }
        (Some(link), _) => {
            Ok(Session::open(&link_name(rig, device, path), link, access, deadlines, tap).await?)
        }
    }
}

fn no_path(rig: &Rig, device: &RigDevice, path: Path) -> ReachError {
    ReachError::NoPath { rig: rig.name.to_string(), device: words(device), path }
}

/// Whether the device speaks ZigBee clusters through its hub.
pub(crate) fn speaks_zcl(device: &RigDevice) -> bool {
    matches!(device.model.profile, Profile::Zcl(_))
}
