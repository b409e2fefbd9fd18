//! Certificates for a lab's own parties, made fresh at each start: nothing secret is kept in files or in the source.
//!
//! ```
//! use proto_duis::pki::Authority;
//! let authority = Authority::new("Lab signing authority")?;
//! let dsp = authority.issue("DSP")?;
//! assert_ne!(authority.issue("S1SP")?.certificate().serial(), dsp.certificate().serial());
//! # Ok::<(), proto_duis::pki::PkiError>(())
//! ```

use crate::dsig::{CertificateError, Signer};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use sha2::{Digest, Sha256};

/// A certificate that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// The key or certificate could not be made.
    #[error("cannot make a certificate for {name}: {reason}")]
    Make {
        /// Whose.
        name: String,
        /// Why.
        reason: String,
    },
    /// What was made cannot be used to sign.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A certificate authority that lives as long as the process.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a key and a self-signed certificate for it.
    ///
    /// # Errors
    /// The operating system gives no randomness, or `name` cannot stand in a certificate.
    pub fn new(name: &str) -> Result<Authority, PkiError> {
        let make = |error: rcgen::Error| PkiError::Make { name: name.to_owned(), reason: error.to_string() };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(make)?;
        let mut params = params(name).map_err(make)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).map_err(make)?.pem();
        Ok(Authority { pem, issuer: Issuer::new(params, key) })
    }

    /// The authority's own certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A new key and a certificate for it in this name, with a serial number that follows from the key.
    ///
    /// # Errors
    /// The operating system gives no randomness, or `name` cannot stand in a certificate.
    pub fn issue(&self, name: &str) -> Result<Signer, PkiError> {
        let (certificate, key) = self.issue_pem(name)?;
        Ok(Signer::from_pem(&certificate, &key)?)
    }

    /// As [`Authority::issue`], in PEM: the certificate and the private key (PKCS#8).
    ///
    /// # Errors
    /// The operating system gives no randomness, or `name` cannot stand in a certificate.
    pub fn issue_pem(&self, name: &str) -> Result<(String, String), PkiError> {
        let make = |error: rcgen::Error| PkiError::Make { name: name.to_owned(), reason: error.to_string() };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(make)?;
        let mut params = params(name).map_err(make)?;
        params.serial_number = Some(serial_number(key.public_key_raw()));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate = params.signed_by(&key, &self.issuer).map_err(make)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(..)")
    }
}

/// Eight octets that follow from the key. Longer ones are allowed (RFC 5280, 4.1.2.2), but their decimal form is more than
/// some XML Schema validators take for an `X509SerialNumber`.
fn serial_number(public_key: &[u8]) -> SerialNumber {
    let mut octets: Vec<u8> = Sha256::digest(public_key).iter().copied().take(8).collect();
    if let Some(first) = octets.first_mut() {
        // Positive, and never zero.
        *first = (*first & 0x7F) | 0x40;
    }
    SerialNumber::from(octets)
}

fn params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
