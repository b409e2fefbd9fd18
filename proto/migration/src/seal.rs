//! Secrets of an installation, sealed so that one party can open them and nobody between.
//!
//! A group file goes through parties that must not know a key: the Requesting Party and migration control. So the one who has
//! the secrets seals them to the public key of the one who is to have them, by hybrid encryption as RFC 9180 (HPKE) has it,
//! in its base mode:
//!
//! * DHKEM(P-256, HKDF-SHA256): a fresh key pair for every sealing agrees on a shared secret with the recipient's key. P-256
//!   is the curve of all other keys of the installations and of the parties' certificates.
//! * HKDF-SHA256 makes of that secret a key and a nonce, bound to `info`: what this is, its version, and the party it is for.
//! * AES-128-GCM, the cipher of DLMS security suite 0, encrypts, bound to the installation as associated data.
//!
//! So what was sealed for one installation or party does not open as that of another, nor if one bit of it was changed. Who
//! sealed it is not said by HPKE's base mode: the signature on the file says that.
//!
//! [`seal()`] and [`unseal`] work on [`Secrets`], never on octets of the caller's; what is sealed has a version (`contents`).

mod contents;
mod key;

#[cfg(test)]
mod tests;

use hpke::aead::AesGcm128;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal,
};
use proto_duis::Eui64;
use zeroize::Zeroizing;

use crate::{Address, Sealed, Secrets};
pub use contents::ContentsError;
pub use key::{KeyError, OpeningKey, SealingKey};

/// Where this is used, so that nothing sealed elsewhere opens here; then the version.
const PURPOSE: &[u8] = b"SMETS1 migration secrets 1";

type EncappedKey = <DhP256HkdfSha256 as Kem>::EncappedKey;

/// Secrets that cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than is sealed at a time, or a secret that is none.
    #[error("the secrets of {installation} cannot be sealed: {error}")]
    Contents {
        /// Whose.
        installation: Eui64,
        /// What is wrong.
        error: ContentsError,
    },
    /// The operating system gives no randomness.
    #[error("the secrets of {installation} cannot be sealed to {recipient}: {reason}")]
    Encryption {
        /// Whose.
        installation: Eui64,
        /// For whom.
        recipient: Address,
        /// Why.
        reason: String,
    },
}

/// Sealed secrets that do not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// The encapsulated key is none.
    #[error(
        "the encapsulated key for {installation}, {found} octets, is no point on P-256; expected 65 octets, uncompressed"
    )]
    Encapsulated {
        /// Whose secrets.
        installation: Eui64,
        /// Octets found.
        found: usize,
    },
    /// The tag does not hold.
    #[error(
        "the secrets of {installation} for {recipient} do not open: they were altered, are of another installation, or are \
         sealed for another party or key; have them sealed anew to the key you gave out"
    )]
    Closed {
        /// Whose secrets.
        installation: Eui64,
        /// For whom they say they are.
        recipient: Address,
    },
    /// They open, and are not what they should be.
    #[error("the secrets of {installation} open, and are not as they should be: {error}")]
    Contents {
        /// Whose secrets.
        installation: Eui64,
        /// What is wrong.
        error: ContentsError,
    },
}

/// Seals what `recipient` is to have of `installation`.
///
/// ```
/// use proto_migration::{Address, OpeningKey, PartyRole, Secret, SecretKind, Secrets, seal, unseal};
/// let s1sp = Address { role: PartyRole::S1sp, id: "90-B3-D5-1F-30-05-00-00".parse()? };
/// let [hub, meter] = ["00-DB-12-34-56-78-90-A0", "00-DB-12-34-56-78-90-A1"].map(str::parse);
/// let secrets = Secrets { of: vec![(meter?, Some(1), SecretKind::Password, Secret::new(*b"12345678"))] };
///
/// let key = OpeningKey::generate()?;
/// let sealed = seal(&secrets, hub?, s1sp, &key.sealing_key())?;
/// assert_eq!(unseal(&sealed, &key)?, secrets);
/// assert!(unseal(&sealed, &OpeningKey::generate()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// More secrets than are sealed at a time, one that is empty or too long, or no randomness.
pub fn seal(
    secrets: &Secrets,
    installation: Eui64,
    recipient: Address,
    key: &SealingKey,
) -> Result<Sealed, SealError> {
    let contents = contents::write(secrets).map_err(|error| SealError::Contents { installation, error })?;
    let (info, aad) = (info(recipient), installation.octets());
    let sealed = single_shot_seal::<AesGcm128, HkdfSha256, DhP256HkdfSha256>(
        &OpModeS::Base,
        key.point(),
        &info,
        &contents,
        &aad,
    );
    let failed =
        |error: HpkeError| SealError::Encryption { installation, recipient, reason: error.to_string() };
    let (encapsulated, ciphertext) = sealed.map_err(failed)?;
    Ok(Sealed { installation, recipient, encapsulated: encapsulated.to_bytes().to_vec(), ciphertext })
}

/// Opens what was sealed to this key.
///
/// # Errors
/// Sealed to another key, for another party or installation than it says, altered, or not secrets of our version.
pub fn unseal(sealed: &Sealed, key: &OpeningKey) -> Result<Secrets, UnsealError> {
    let Sealed { installation, recipient, encapsulated, ciphertext } = sealed;
    let (installation, recipient) = (*installation, *recipient);
    let point = EncappedKey::from_bytes(encapsulated)
        .map_err(|_| UnsealError::Encapsulated { installation, found: encapsulated.len() })?;
    let opened = single_shot_open::<AesGcm128, HkdfSha256, DhP256HkdfSha256>(
        &OpModeR::Base,
        key.scalar(),
        &point,
        &info(recipient),
        ciphertext,
        &installation.octets(),
    );
    let opened = Zeroizing::new(opened.map_err(|_| UnsealError::Closed { installation, recipient })?);
    contents::read(&opened).map_err(|error| UnsealError::Contents { installation, error })
}

/// What a sealing is for: purpose and version, the role of the recipient and who it is, a zero between them.
fn info(recipient: Address) -> Vec<u8> {
    [PURPOSE, &[0], recipient.role.word().as_bytes(), &[0], &recipient.id.octets()].concat()
}
