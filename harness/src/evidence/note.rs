//! C2SP signed notes: a text, an empty line, and a signature line that names its key.
//!
//! ```text
//! embedded/20261121T211405Z-1
//! 12
//! pEGmw3ptD5XtaoiOhDDyhOqNGbCNPsmmqNGO9PcRaXo=
//! final
//!
//! — embedded 5mVn…
//! ```
//!
//! One algorithm only, Ed25519 (0x01). See <https://c2sp.org/signed-note>.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Octet that stands for Ed25519 in keys.
const ED25519: u8 = 0x01;

/// The name of a signing key: the lab's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

/// Why a key cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormatError {
    /// The name is empty or has a character that notes use for themselves.
    #[error("`{found}` cannot name a key: expected 1 to 100 of a-z, A-Z, 0-9, `-`, `_`, `.`, `/`")]
    Name {
        /// The name as it was.
        found: String,
    },
    /// Not `name+hash+base64`.
    #[error("not a {expected}: expected `{form}`; found {octets} octets of something else")]
    Form {
        /// What was expected.
        expected: &'static str,
        /// How it is spelt.
        form: &'static str,
        /// The length of what was found; a private key is never shown.
        octets: usize,
    },
    /// The hash in the key is not the hash of the key.
    #[error("key `{name}` is damaged: its hash says {found}, its octets {expected}")]
    Hash {
        /// The key's name.
        name: String,
        /// Hash written in the key.
        found: String,
        /// Hash of the key.
        expected: String,
    },
}

impl FromStr for KeyName {
    type Err = KeyFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
        if (1..=100).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(KeyFormatError::Name { found: text.chars().take(120).collect() })
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The public half of a lab's key, written `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    key: VerifyingKey,
}

/// First four octets of SHA-256 over name, line feed, algorithm and public key.
fn key_hash(name: &KeyName, key: &VerifyingKey) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(&name.0)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize();
    let mut hash = [0; 4];
    hash.copy_from_slice(&digest[..4]);
    hash
}

impl VerifierKey {
    /// The key's name.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Whether both are the same key, whatever they are called.
    pub fn same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets: Vec<u8> = std::iter::once(ED25519).chain(*self.key.as_bytes()).collect();
        let hash = hex::encode(key_hash(&self.name, &self.key));
        write!(f, "{}+{hash}+{}", self.name, STANDARD.encode(octets))
    }
}

/// Splits `name+hash+base64` into a name, a hash and 32 octets of key.
fn split_key(
    text: &str,
    expected: &'static str,
    form: &'static str,
) -> Result<(KeyName, String, [u8; 32]), KeyFormatError> {
    let wrong = || KeyFormatError::Form { expected, form, octets: text.len() };
    let mut parts = text.trim_end_matches('\n').splitn(3, '+');
    let (name, hash, key) = (parts.next(), parts.next(), parts.next());
    let name: KeyName = name.ok_or_else(wrong)?.parse()?;
    let octets = STANDARD.decode(key.ok_or_else(wrong)?).map_err(|_| wrong())?;
    match octets.split_first() {
        Some((&ED25519, key)) => {
            let key = key.try_into().map_err(|_| wrong())?;
            Ok((name, hash.ok_or_else(wrong)?.to_owned(), key))
        }
        _ => Err(wrong()),
    }
}

fn require_hash(name: &KeyName, key: &VerifyingKey, found: String) -> Result<(), KeyFormatError> {
    let expected = hex::encode(key_hash(name, key));
    if found == expected {
        return Ok(());
    }
    Err(KeyFormatError::Hash { name: name.to_string(), found, expected })
}

impl FromStr for VerifierKey {
    type Err = KeyFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (expected, form) = ("verifier key", "name+hash+base64");
        let (name, hash, octets) = split_key(text, expected, form)?;
        let key = VerifyingKey::from_bytes(&octets).map_err(|_| KeyFormatError::Form {
            expected,
            form,
            octets: text.len(),
        })?;
        require_hash(&name, &key, hash)?;
        Ok(Self { name, key })
    }
}

/// The private half of a lab's key.
#[derive(Clone)]
pub struct NoteKey {
    name: KeyName,
    key: SigningKey,
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteKey({})", self.name)
    }
}

const PRIVATE: &str = "PRIVATE+KEY+";

impl NoteKey {
    /// A key from its 32 octet seed (RFC 8032).
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self { name, key: SigningKey::from_bytes(seed) }
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The spelling that signing key files have: `PRIVATE+KEY+name+hash+base64`.
    pub fn to_secret_text(&self) -> String {
        let octets: Vec<u8> = std::iter::once(ED25519).chain(self.key.to_bytes()).collect();
        let hash = hex::encode(key_hash(&self.name, &self.key.verifying_key()));
        format!("{PRIVATE}{}+{hash}+{}\n", self.name, STANDARD.encode(octets))
    }

    /// Reads what [`NoteKey::to_secret_text`] writes.
    ///
    /// # Errors
    /// A [`KeyFormatError`], which never shows the secret.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyFormatError> {
        let (expected, form) = ("signing key", "PRIVATE+KEY+name+hash+base64");
        let rest =
            text.strip_prefix(PRIVATE).ok_or(KeyFormatError::Form { expected, form, octets: text.len() })?;
        let (name, hash, seed) = split_key(rest, expected, form)?;
        let key = Self::from_seed(name, &seed);
        require_hash(&key.name, &key.key.verifying_key(), hash)?;
        Ok(key)
    }

    /// Signs a text whose every line ends with a line feed and none of which is empty.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        let mut octets = key_hash(&self.name, &self.key.verifying_key()).to_vec();
        octets.extend_from_slice(&signature.to_bytes());
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(octets))
    }
}

/// Why a note is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes are no note.
    #[error("not a signed note: expected lines of text, an empty line, and a line `— name signature`")]
    Form,
    /// The note names another key than expected.
    #[error("signed by key `{found}`: expected key `{expected}`")]
    Foreign {
        /// Name and hash of the key the note names.
        found: String,
        /// The key expected.
        expected: String,
    },
    /// The signature does not hold.
    #[error("the signature of key `{key}` does not hold over the text")]
    Signature {
        /// The key.
        key: String,
    },
}

/// A note as read, its signature not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    /// The signed text, its last line feed included.
    pub text: &'a str,
    /// The key's name, as the signature line says.
    pub signer: &'a str,
    hash: [u8; 4],
    signature: [u8; 64],
}

impl<'a> Note<'a> {
    /// Takes the first note off `input`, which may hold several one after the other; gives the note and what follows it.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn take(input: &'a str) -> Result<(Self, &'a str), NoteError> {
        let (text, rest) = input.split_once("\n\n").ok_or(NoteError::Form)?;
        let text = &input[..=text.len()];
        let (line, rest) = rest.split_once('\n').ok_or(NoteError::Form)?;
        let (signer, encoded) =
            line.strip_prefix("— ").and_then(|l| l.split_once(' ')).ok_or(NoteError::Form)?;
        let octets = STANDARD.decode(encoded).map_err(|_| NoteError::Form)?;
        let (hash, signature) = octets.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        let signature = signature.try_into().map_err(|_| NoteError::Form)?;
        let note = Self { text, signer, hash: *hash, signature };
        Ok((note, rest))
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`NoteError::Foreign`] when the note names another key, [`NoteError::Signature`] when the signature is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let hash = key_hash(&key.name, &key.key);
        if (self.signer, self.hash) != (key.name.0.as_str(), hash) {
            return Err(NoteError::Foreign {
                found: format!("{}+{}", self.signer, hex::encode(self.hash)),
                expected: format!("{}+{}", key.name, hex::encode(hash)),
            });
        }
        let signature = Signature::from_bytes(&self.signature);
        key.key
            .verify_strict(self.text.as_bytes(), &signature)
            .map_err(|_| NoteError::Signature { key: key.name.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> NoteKey {
        NoteKey::from_seed("lab".parse().unwrap(), &[7; 32])
    }

    #[test]
    fn keys_read_back_and_a_damaged_one_is_named_without_its_secret() {
        let key = key();
        let text = key.verifier().to_string();
        assert_eq!(text.parse::<VerifierKey>().unwrap(), key.verifier());
        let secret = key.to_secret_text();
        assert_eq!(NoteKey::from_secret_text(&secret).unwrap().verifier(), key.verifier());
        let error = NoteKey::from_secret_text(&secret.replace("lab", "bal")).unwrap_err();
        assert!(matches!(error, KeyFormatError::Hash { .. }));
        assert!("lab+00000000+".parse::<VerifierKey>().is_err());
        assert!("a b".parse::<KeyName>().is_err());
    }

    #[test]
    fn two_notes_in_a_row_are_taken_one_by_one() {
        let both = format!("{}{}", key().sign("a\n"), key().sign("b\nc\n"));
        let (first, rest) = Note::take(&both).unwrap();
        let (second, rest) = Note::take(rest).unwrap();
        assert_eq!((first.text, second.text, rest), ("a\n", "b\nc\n", ""));
        assert_eq!(first.verify(&key().verifier()), Ok(()));
        assert_eq!(second.verify(&key().verifier()), Ok(()));
    }

    #[test]
    fn another_key_of_the_same_name_is_foreign() {
        let signed = key().sign("a\n");
        let other = NoteKey::from_seed("lab".parse().unwrap(), &[8; 32]).verifier();
        let (note, _) = Note::take(&signed).unwrap();
        assert!(matches!(note.verify(&other), Err(NoteError::Foreign { .. })));
    }

    #[test]
    fn no_flipped_bit_of_a_note_verifies() {
        let signed = key().sign("run\n12\n").into_bytes();
        for place in 0..signed.len() {
            for bit in 0..8 {
                let mut changed = signed.clone();
                changed[place] ^= 1 << bit;
                let Ok(text) = std::str::from_utf8(&changed) else { continue };
                if let Ok((note, "")) = Note::take(text) {
                    assert!(note.verify(&key().verifier()).is_err(), "octet {place} bit {bit}");
                }
            }
        }
    }
}
