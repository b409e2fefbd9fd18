//! XML signatures (XMLDSIG) in the one profile DUIS uses, and nothing else of that standard.
//!
//! The profile: enveloped, exclusive canonicalisation, ECDSA on P-256 with SHA-256, one reference to the whole document
//! (`URI=""`), SHA-256 digests, and a `KeyInfo` that only names the certificate by issuer and serial number. Anything
//! else is refused by name before any arithmetic is done.
//!
//! A message may hold a signed part inside a signed whole: the S1SP's answer inside the DCC's response. Each signature
//! is checked by its parent, the inner one as a document of its own. What `verify` hands back is read from the very
//! octets that were digested, so a reader cannot be shown one thing while another was signed.
//!
//! Canonicalisation and elliptic curves come from `bergshamra`; no other module of the project touches it.

mod certificate;
mod chain;
mod sign;
mod trust;
mod verify;

#[cfg(test)]
mod tests;

pub use certificate::{Certificate, CertificateError, Signer};
pub use chain::KeyPurpose;
pub(crate) use sign::sign;
pub use trust::{Party, PartyKind, TrustStore};
pub use verify::Verified;
pub(crate) use verify::{signatures_below, verify, verify_by};

use crate::xml::{Position, SchemaError, XmlError};
use bergshamra::c14n::{C14nMode, canonicalize};
use bergshamra::core::algorithm;

/// A signature that is not of the profile, not by whom it should be, or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DsigError {
    /// No signature, or more than one, or one elsewhere: the shapes of a wrapping attack.
    #[error(
        "{element} must end with its one Signature; found {found} in the message where {expected} belong"
    )]
    Count {
        /// The element that must be signed.
        element: String,
        /// Signatures anywhere in it.
        found: usize,
        /// Signatures a message of this kind has.
        expected: usize,
    },
    /// The `Signature` element is not built as the profile says.
    #[error("signature: {0}")]
    Structure(#[from] SchemaError),
    /// An algorithm outside the profile.
    #[error("{at}: signature: {what} is {found:?}; expected {expected:?}")]
    Algorithm {
        /// Where.
        at: Position,
        /// Which algorithm, transform or reference.
        what: &'static str,
        /// What is there.
        found: String,
        /// What the profile says.
        expected: &'static str,
    },
    /// The signed octets are not those that were signed.
    #[error("{element} was changed after {party} signed it: its digest differs")]
    Digest {
        /// The signed element.
        element: String,
        /// Who signed.
        party: String,
    },
    /// The signature was not made by the key it names.
    #[error("the signature of {element} does not hold under the certificate of {party}")]
    Value {
        /// The signed element.
        element: String,
        /// Whose certificate it names.
        party: String,
    },
    /// The certificate is not one we trust.
    #[error(
        "the signature of {element} names a certificate that is not trusted: issuer {issuer:?}, serial {serial}"
    )]
    Unknown {
        /// The signed element.
        element: String,
        /// The issuer it names.
        issuer: String,
        /// The serial number it names.
        serial: String,
    },
    /// Signed, but by a party that may not sign this.
    #[error("{element} is signed by {found}; expected {expected}")]
    WrongParty {
        /// The signed element.
        element: String,
        /// Who signed.
        found: String,
        /// Who should have.
        expected: String,
    },
    /// The signed octets do not read as the message does.
    #[error("the signed content of {element} reads differently from the message")]
    ContentDiffers {
        /// The signed element.
        element: String,
    },
    /// The signed part could not be taken out or canonicalised.
    #[error("the signed content of {element} cannot be read: {reason}")]
    Unreadable {
        /// The signed element.
        element: String,
        /// Why.
        reason: String,
    },
    /// A document that is to be signed has a signature.
    #[error("{element} is signed already; take its Signature out, and it can be signed anew")]
    Signed {
        /// The element.
        element: String,
    },
    /// The key could not sign.
    #[error("cannot sign: {0}")]
    Signing(String),
}

impl DsigError {
    fn unreadable(element: &str, error: &XmlError) -> DsigError {
        DsigError::Unreadable { element: element.to_owned(), reason: error.to_string() }
    }
}

/// Exclusive canonical form without comments (Exclusive XML Canonicalization 1.0).
pub(crate) fn canonical(text: &str) -> Result<Vec<u8>, String> {
    canonicalize::<&str>(text, C14nMode::Exclusive, None, &[]).map_err(|error| error.to_string())
}

const EXCLUSIVE: &str = algorithm::EXC_C14N;
const ENVELOPED: &str = algorithm::ENVELOPED_SIGNATURE;
const ECDSA_SHA256: &str = algorithm::ECDSA_SHA256;
const SHA256: &str = algorithm::SHA256;
