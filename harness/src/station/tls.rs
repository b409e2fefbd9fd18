//! TLS to an `mqtts` broker: which authority is believed, and what is shown of oneself.

use lab_config::Broker;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::StationError;
use crate::tls;

/// A connector, and the name the broker must prove to have.
#[derive(Clone)]
pub(super) struct Secure {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

/// What connects to a broker of this host.
///
/// # Errors
/// [`StationError::Certificates`] naming the file.
pub(super) fn connector(host: &str, broker: &Broker) -> Result<Secure, StationError> {
    let wrong = |reason: String| StationError::Certificates { broker: broker.url.to_string(), reason };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| wrong(format!("{host}: {error}")))?;
    let authority = broker.authority.as_deref().ok_or_else(|| wrong("no `ca` is named".to_owned()))?;
    let connector = tls::connector(authority, broker.identity.as_ref());
    Ok(Secure { connector: connector.map_err(|fault| wrong(fault.to_string()))?, name })
}
