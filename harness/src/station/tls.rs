//! TLS to an `mqtts` broker: which authority is believed, and what is shown of oneself.

use std::path::Path;
use std::sync::Arc;

use lab_config::{Broker, ClientIdentity};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::StationError;

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
    let config = config(broker).map_err(wrong)?;
    Ok(Secure { connector: TlsConnector::from(Arc::new(config)), name })
}

fn config(broker: &Broker) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let Some(authority) = &broker.authority else {
        return Err("no `ca` is named".to_owned());
    };
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", authority.display()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match &broker.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(ClientIdentity { certificate, key }) => {
            let chain = certificates(certificate)?;
            let private =
                PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
            let shown = builder.with_client_auth_cert(chain, private);
            shown.map_err(|error| format!("{} and {}: {error}", certificate.display(), key.display()))
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("{}: {error}", file.display());
    let found = CertificateDer::pem_file_iter(file).map_err(unreadable)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unreadable)?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(format!("{}: no certificate in it", file.display())),
    }
}
