//! Cosignatures: what a witness signs of a checkpoint that it has seen.
//!
//! As C2SP tlog-cosignature has them: an Ed25519 signature over `cosignature/v1`, the time of signing, and the text of the
//! checkpoint. They stand in a run's folder beside the checkpoints, each a signed note of its own:
//!
//! ```text
//! embedded/20261121T211405Z-1
//! 12
//! pEGmw3ptD5XtaoiOhDDyhOqNGbCNPsmmqNGO9PcRaXo=
//!
//! — witness.example/ann AAAA…
//! ```
//!
//! See <https://c2sp.org/tlog-cosignature>.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::note::{KeyFormatError, KeyName, NoteError};

/// Octet that stands for timestamped Ed25519 cosignatures in keys.
const COSIGNATURE: u8 = 0x04;
const EXPECTED: &str = "cosigner key";
const FORM: &str = "name+hash+base64";

/// The public half of a witness's key, written `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: KeyName,
    key: VerifyingKey,
}

impl CosignerKey {
    /// The key's name.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// First four octets of SHA-256 over name, line feed, algorithm and public key.
    fn hash(&self) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update(self.name.to_string())
            .chain_update([b'\n', COSIGNATURE])
            .chain_update(self.key.as_bytes())
            .finalize();
        let mut hash = [0; 4];
        hash.copy_from_slice(&digest[..4]);
        hash
    }

    /// The key's name and hash, as a signature line names it.
    pub fn short(&self) -> String {
        format!("{}+{}", self.name, hex::encode(self.hash()))
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets: Vec<u8> = std::iter::once(COSIGNATURE).chain(*self.key.as_bytes()).collect();
        write!(f, "{}+{}", self.short(), STANDARD.encode(octets))
    }
}

impl FromStr for CosignerKey {
    type Err = KeyFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || KeyFormatError::Form { expected: EXPECTED, form: FORM, octets: text.len() };
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (name, found, key) = (parts.next(), parts.next(), parts.next());
        let name: KeyName = name.ok_or_else(wrong)?.parse()?;
        let octets = STANDARD.decode(key.ok_or_else(wrong)?).map_err(|_| wrong())?;
        let Some((&COSIGNATURE, octets)) = octets.split_first() else { return Err(wrong()) };
        let octets = octets.try_into().map_err(|_| wrong())?;
        let key = Self { name, key: VerifyingKey::from_bytes(octets).map_err(|_| wrong())? };
        let (found, expected) = (found.ok_or_else(wrong)?.to_owned(), hex::encode(key.hash()));
        match found == expected {
            true => Ok(key),
            false => Err(KeyFormatError::Hash { name: key.name.to_string(), found, expected }),
        }
    }
}

/// The private half of a witness's key.
#[derive(Clone)]
pub struct CosigningKey {
    name: KeyName,
    key: SigningKey,
}

impl fmt::Debug for CosigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosigningKey({})", self.name)
    }
}

impl CosigningKey {
    /// A key from its 32 octet seed (RFC 8032).
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self { name, key: SigningKey::from_bytes(seed) }
    }

    /// The public half.
    pub fn cosigner(&self) -> CosignerKey {
        CosignerKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs the text of a checkpoint, at this time; gives a note of the text with that one signature.
    pub fn cosign(&self, text: &str, at: Timestamp) -> String {
        let time = u64::try_from(at.as_second()).unwrap_or(0);
        let signature = self.key.sign(signed(time, text).as_bytes());
        let mut octets = self.cosigner().hash().to_vec();
        octets.extend_from_slice(&time.to_be_bytes());
        octets.extend_from_slice(&signature.to_bytes());
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(octets))
    }
}

/// What is signed.
fn signed(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A cosignature as read, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature<'a> {
    /// The text of the checkpoint, its last line feed included.
    pub text: &'a str,
    /// The key's name, as the signature line says.
    pub signer: &'a str,
    /// When it was signed, as the witness says.
    pub at: Timestamp,
    /// The signature line, without its line feed.
    pub line: &'a str,
    hash: [u8; 4],
    time: u64,
    signature: [u8; 64],
}

impl<'a> Cosignature<'a> {
    /// Takes the first note off `input`, which may hold several one after the other; gives the note and what follows it.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn take(input: &'a str) -> Result<(Self, &'a str), NoteError> {
        let (text, rest) = input.split_once("\n\n").ok_or(NoteError::Form)?;
        let text = &input[..=text.len()];
        let (line, rest) = rest.split_once('\n').ok_or(NoteError::Form)?;
        let named = line.strip_prefix("— ").and_then(|l| l.split_once(' '));
        let (signer, encoded) = named.ok_or(NoteError::Form)?;
        let octets = STANDARD.decode(encoded).map_err(|_| NoteError::Form)?;
        let (hash, octets) = octets.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        let (time, signature) = octets.split_first_chunk::<8>().ok_or(NoteError::Form)?;
        let signature = signature.try_into().map_err(|_| NoteError::Form)?;
        let time = u64::from_be_bytes(*time);
        let at = i64::try_from(time).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let at = at.ok_or(NoteError::Form)?;
        Ok((Self { text, signer, at, line, hash: *hash, time, signature }, rest))
    }

    /// The key's name and hash, as the signature line says.
    pub fn short(&self) -> String {
        format!("{}+{}", self.signer, hex::encode(self.hash))
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`NoteError::Foreign`] when the note names another key, [`NoteError::Signature`] when the signature is wrong.
    pub fn verify(&self, key: &CosignerKey) -> Result<(), NoteError> {
        if self.short() != key.short() {
            return Err(NoteError::Foreign { found: self.short(), expected: key.short() });
        }
        let signature = Signature::from_bytes(&self.signature);
        key.key
            .verify_strict(signed(self.time, self.text).as_bytes(), &signature)
            .map_err(|_| NoteError::Signature { key: key.name.to_string() })
    }
}
