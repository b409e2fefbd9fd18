//! TLS for the harness's doors and ways out: who is believed, and what is shown of oneself.
//!
//! Every file is PEM. Cryptography is `ring`'s; versions are 1.2 and 1.3. A server made here asks for a certificate and turns
//! away who has none of its authority: mutual TLS is what the DCC's interface has, and a door without it stays on loopback.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lab_config::{ClientIdentity, TlsFiles};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Files that make no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file that cannot be read, or is not PEM of the right kind.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate and a key that cannot be used together.
    #[error("{certificate} and {key}: {reason}")]
    Identity {
        /// The file of the certificate.
        certificate: PathBuf,
        /// Where the key comes from.
        key: String,
        /// Why.
        reason: String,
    },
}

impl TlsFault {
    fn file(file: &Path, reason: impl std::fmt::Display) -> TlsFault {
        TlsFault::File { file: file.to_owned(), reason: reason.to_string() }
    }

    fn identity(identity: &ClientIdentity, reason: impl std::fmt::Display) -> TlsFault {
        let (certificate, key) = (identity.certificate.clone(), identity.key.to_string());
        TlsFault::Identity { certificate, key, reason: reason.to_string() }
    }
}

/// What connects to servers certified by `authority`, showing `identity` where it is asked for one.
///
/// # Errors
/// [`TlsFault`] naming the file.
pub(crate) fn connector(
    authority: &Path,
    identity: Option<&ClientIdentity>,
) -> Result<TlsConnector, TlsFault> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::file(authority, error))?
        .with_root_certificates(roots(authority)?);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = shown(identity)?;
            let shown = builder.with_client_auth_cert(chain, key);
            shown.map_err(|error| TlsFault::identity(identity, error))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What accepts clients that show a certificate of the authority, and nobody else.
///
/// # Errors
/// [`TlsFault`] naming the file.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsFault> {
    let TlsFiles { authority, identity } = files;
    let roots = Arc::new(roots(authority)?);
    let clients = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
    let clients = clients.map_err(|error| TlsFault::file(authority, error))?;
    let (chain, key) = shown(identity)?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::identity(identity, error))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|error| TlsFault::identity(identity, error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(authority: &Path) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(|error| TlsFault::file(authority, error))?;
    }
    Ok(roots)
}

type Shown = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn shown(identity: &ClientIdentity) -> Result<Shown, TlsFault> {
    let pem = identity.key.pem().map_err(|error| TlsFault::identity(identity, error))?;
    let key = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes());
    let key = key.map_err(|error| TlsFault::identity(identity, error))?;
    Ok((certificates(&identity.certificate)?, key))
}

/// The certificates of a file.
///
/// # Errors
/// [`TlsFault::File`].
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let unreadable = |error| TlsFault::file(file, error);
    let found = CertificateDer::pem_file_iter(file).map_err(unreadable)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unreadable)?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(TlsFault::file(file, "no certificate in it")),
    }
}
