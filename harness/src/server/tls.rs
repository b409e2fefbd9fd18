//! TLS of the listeners: the controller shows its certificate, and takes a client's where the client has one.
//!
//! A client need not have one: people have passwords. One that is shown must be of the lab's authority, in time, and not
//! taken back; the list of what was taken back is read at each handshake, and where it cannot be read nobody's certificate
//! counts. No session is resumed, for that would be a handshake at which nothing is checked.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime,
};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use super::pki::{Pki, PkiError, files};

/// HTTP/2 for programs, HTTP/1.1 for browsers and curl.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How connections are accepted for a lab whose authority this is.
///
/// # Errors
/// [`PkiError`] when a file is missing, exposed, or holds something else.
pub(super) fn config(pki: &Pki) -> Result<Arc<ServerConfig>, PkiError> {
    let clients = Clients::of(pki)?;
    let certificates = certificates(&pki.server())?;
    let key = files::read_private(&pki.server_key())?;
    let content = |path: PathBuf, reason: String| PkiError::Content { path, reason };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|e| content(pki.server_key(), format!("no private key: {e}")))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| content(pki.server(), e.to_string()))?
        .with_client_cert_verifier(Arc::new(clients))
        .with_single_cert(certificates, key)
        .map_err(|e| content(pki.server(), e.to_string()))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    let content = |e: String| PkiError::Content { path: path.to_owned(), reason: e };
    let found = CertificateDer::pem_file_iter(path).map_err(|e| content(e.to_string()))?;
    found.collect::<Result<_, _>>().map_err(|e| content(e.to_string()))
}

/// Clients of the lab's authority.
#[derive(Debug)]
struct Clients {
    roots: Arc<RootCertStore>,
    names: Vec<DistinguishedName>,
    revoked: PathBuf,
    provider: Arc<CryptoProvider>,
}

impl Clients {
    fn of(pki: &Pki) -> Result<Self, PkiError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&pki.authority())? {
            let added = roots.add(certificate);
            added.map_err(|e| PkiError::Content { path: pki.authority(), reason: e.to_string() })?;
        }
        let (names, revoked) = (roots.subjects(), pki.revoked());
        let clients = Self { roots: Arc::new(roots), names, revoked, provider: provider() };
        let usable = clients.current();
        usable.map_err(|e| PkiError::Content { path: pki.revoked(), reason: e.to_string() })?;
        Ok(clients)
    }

    /// What checks certificates, with the list as it is now.
    fn current(&self) -> Result<Arc<dyn ClientCertVerifier>, Error> {
        let unreadable = |e: String| Error::General(format!("the list of certificates taken back: {e}"));
        let list = CertificateRevocationListDer::from_pem_file(&self.revoked);
        let list = list.map_err(|e| unreadable(e.to_string()))?;
        WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&self.provider))
            .with_crls([list])
            .build()
            .map_err(|e| unreadable(e.to_string()))
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.names
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.current()?.verify_client_cert(certificate, between, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.current()?.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.current()?.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
