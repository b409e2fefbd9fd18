//! The keys that open and seal, as openssl and everybody else writes them.

use std::fmt;

use hpke::kem::DhP256HkdfSha256;
use hpke::{Deserializable, Kem, Serializable};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use zeroize::Zeroizing;

type Scalar = <DhP256HkdfSha256 as Kem>::PrivateKey;
type Point = <DhP256HkdfSha256 as Kem>::PublicKey;

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the private half.
    #[error("not a private key on P-256 in PEM (PKCS#8, `BEGIN PRIVATE KEY`): {0}")]
    Opening(String),
    /// Not the public half.
    #[error("not a public key on P-256 in PEM (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`): {0}")]
    Sealing(String),
    /// The operating system gives no randomness.
    #[error("cannot make a key: {0}")]
    Randomness(String),
}

/// The private half: opens what was sealed to its public half. Never printed, and zeros in memory at its end.
///
/// ```
/// use proto_migration::OpeningKey;
/// let key = OpeningKey::generate()?;
/// let kept = key.to_pem()?;
/// assert!(kept.starts_with("-----BEGIN PRIVATE KEY-----"));
/// assert_eq!(OpeningKey::from_pem(&kept)?.sealing_key(), key.sealing_key());
/// # Ok::<(), proto_migration::KeyError>(())
/// ```
#[derive(Clone)]
pub struct OpeningKey(Scalar);

impl OpeningKey {
    /// A new key.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        use p256::elliptic_curve::Generate;
        let key = p256::SecretKey::try_generate().map_err(|error| KeyError::Randomness(error.to_string()))?;
        Self::of(&key)
    }

    /// Reads PKCS#8 PEM, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` writes it.
    ///
    /// # Errors
    /// Not such a key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = p256::SecretKey::from_pkcs8_pem(pem);
        Self::of(&key.map_err(|error| KeyError::Opening(error.to_string()))?)
    }

    /// PKCS#8 PEM, for a file that nobody else can read.
    ///
    /// # Errors
    /// The key cannot be put in that form.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let opening = |error: String| KeyError::Opening(error);
        let octets = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        let key = p256::SecretKey::from_slice(&*octets).map_err(|error| opening(error.to_string()))?;
        key.to_pkcs8_pem(LineEnding::LF).map_err(|error| opening(error.to_string()))
    }

    /// The public half, to be given out.
    pub fn sealing_key(&self) -> SealingKey {
        SealingKey(DhP256HkdfSha256::sk_to_pk(&self.0))
    }

    pub(super) const fn scalar(&self) -> &Scalar {
        &self.0
    }

    fn of(key: &p256::SecretKey) -> Result<Self, KeyError> {
        let octets = Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
        Scalar::from_bytes(&*octets).map(Self).map_err(|error| KeyError::Opening(error.to_string()))
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey(not shown)")
    }
}

/// The public half: seals what only its private half opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealingKey(Point);

impl SealingKey {
    /// Reads PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// Not a public key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        use p256::elliptic_curve::sec1::ToSec1Point;
        let sealing = |error: String| KeyError::Sealing(error);
        let key = p256::PublicKey::from_public_key_pem(pem).map_err(|error| sealing(error.to_string()))?;
        let point = Point::from_bytes(key.to_sec1_point(false).as_bytes());
        point.map(Self).map_err(|error| sealing(error.to_string()))
    }

    /// PEM (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// The key cannot be put in that form.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let sealing = |error: String| KeyError::Sealing(error);
        let key = p256::PublicKey::from_sec1_bytes(&self.0.to_bytes())
            .map_err(|error| sealing(error.to_string()))?;
        key.to_public_key_pem(LineEnding::LF).map_err(|error| sealing(error.to_string()))
    }

    pub(super) const fn point(&self) -> &Point {
        &self.0
    }
}
