//! Certificates, and the keys that sign under them.

use super::trust::normal;
use super::{DsigError, ECDSA_SHA256};
use bergshamra::crypto::sign::{SigningKey, from_uri};
use bergshamra::keys::loader;
use std::fmt;
use x509_cert::der::{Decode, DecodePem, Encode, EncodePem, pem::LineEnding};

/// A certificate or key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate.
    #[error("not an X.509 certificate: {0}")]
    Certificate(String),
    /// Not a private key in PKCS#8 form.
    #[error("not a PKCS#8 private key: {0}")]
    Key(String),
    /// A key that is not on P-256.
    #[error("the key of {subject} is not an elliptic curve key on P-256")]
    NotP256 {
        /// Whose key.
        subject: String,
    },
    /// The private key belongs to another certificate.
    #[error("the private key is not that of the certificate of {subject}")]
    Mismatch {
        /// Whose certificate.
        subject: String,
    },
}

/// An X.509 certificate with a P-256 key. Its dates are not looked at: a record is checked years after it was made.
#[derive(Clone)]
pub struct Certificate {
    subject: String,
    issuer: String,
    serial: String,
    der: Vec<u8>,
    pem: String,
    key: SigningKey,
}

impl Certificate {
    /// Reads PEM.
    ///
    /// # Errors
    /// Not a certificate, or its key is not on P-256.
    pub fn from_pem(pem: &str) -> Result<Certificate, CertificateError> {
        let parsed = x509_cert::Certificate::from_pem(pem);
        Certificate::new(&parsed.map_err(|error| CertificateError::Certificate(error.to_string()))?)
    }

    /// Reads DER.
    ///
    /// # Errors
    /// Not a certificate, or its key is not on P-256.
    pub fn from_der(der: &[u8]) -> Result<Certificate, CertificateError> {
        let parsed = x509_cert::Certificate::from_der(der);
        Certificate::new(&parsed.map_err(|error| CertificateError::Certificate(error.to_string()))?)
    }

    fn new(parsed: &x509_cert::Certificate) -> Result<Certificate, CertificateError> {
        let invalid = |error: x509_cert::der::Error| CertificateError::Certificate(error.to_string());
        let body = &parsed.tbs_certificate;
        let subject = body.subject.to_string();
        let der = parsed.to_der().map_err(invalid)?;
        let key = loader::load_x509_cert_der(&der)
            .map_err(|error| CertificateError::Certificate(error.to_string()))?;
        Ok(Certificate {
            issuer: body.issuer.to_string(),
            serial: decimal(body.serial_number.as_bytes()),
            pem: parsed.to_pem(LineEnding::LF).map_err(invalid)?,
            key: p256(&key, &subject)?,
            der,
            subject,
        })
    }

    /// The subject's distinguished name (RFC 4514).
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The issuer's distinguished name (RFC 4514), as it stands in a `KeyInfo`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The serial number in decimal, as it stands in a `KeyInfo`.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Whether a `KeyInfo` with this issuer and serial number means it.
    pub fn is_named_by(&self, issuer: &str, serial: &str) -> bool {
        self.serial == serial && normal(&self.issuer) == normal(issuer)
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Whether `signature` (r and s, 32 octets each) is this key's over `octets`.
    pub(super) fn holds(&self, octets: &[u8], signature: &[u8]) -> bool {
        let algorithm = from_uri(ECDSA_SHA256);
        signature.len() == 64
            && algorithm
                .is_ok_and(|algorithm| algorithm.verify(&self.key, octets, signature).unwrap_or(false))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject, self.serial)
    }
}

/// A private key and its certificate. `Debug` shows the certificate only.
#[derive(Clone)]
pub struct Signer {
    certificate: Certificate,
    key: SigningKey,
}

impl Signer {
    /// A certificate in PEM and its private key in PKCS#8 PEM.
    ///
    /// # Errors
    /// One of the two cannot be read, is not on P-256, or they do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Signer, CertificateError> {
        let certificate = Certificate::from_pem(certificate)?;
        let key = loader::load_pem_auto(key.as_bytes(), None);
        let key = key.map_err(|error| CertificateError::Key(error.to_string()))?;
        let subject = certificate.subject.clone();
        let key = p256(&key, &subject)?;
        let signer = Signer { certificate, key };
        let trial = signer.sign(b"trial").map_err(|error| CertificateError::Key(error.to_string()))?;
        if signer.certificate.holds(b"trial", &trial) {
            Ok(signer)
        } else {
            Err(CertificateError::Mismatch { subject })
        }
    }

    /// The certificate it signs under.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// r and s over `octets`, 32 octets each.
    pub(super) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, DsigError> {
        let failed = |error: bergshamra::Error| DsigError::Signing(error.to_string());
        from_uri(ECDSA_SHA256).map_err(failed)?.sign(&self.key, octets).map_err(failed)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({:?})", self.certificate)
    }
}

fn p256(key: &bergshamra::Key, subject: &str) -> Result<SigningKey, CertificateError> {
    let usable = key.to_signing_key().ok().flatten().filter(|_| key.algorithm_name() == "EC-P256");
    usable.ok_or_else(|| CertificateError::NotP256 { subject: subject.to_owned() })
}

/// A big-endian whole number in decimal: long division by ten, octet by octet.
fn decimal(octets: &[u8]) -> String {
    let mut number = octets.to_vec();
    let mut digits = Vec::new();
    loop {
        let mut remainder = 0u16;
        for octet in &mut number {
            let value = remainder * 256 + u16::from(*octet);
            *octet = u8::try_from(value / 10).unwrap_or_default();
            remainder = value % 10;
        }
        digits.push(char::from(b'0' + u8::try_from(remainder).unwrap_or_default()));
        if number.iter().all(|octet| *octet == 0) {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn serial_numbers_are_written_in_decimal() {
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0, 0xFF]), "255");
        assert_eq!(decimal(&[0xFF; 16]), u128::MAX.to_string());
    }
}
