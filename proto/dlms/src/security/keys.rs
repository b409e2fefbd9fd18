//! Keys, which are never shown, and challenges, which are no secret but must be fresh.

use std::fmt;

use thiserror::Error;

/// A key of AES-128. Never shown: its debug form says only that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// A key of these octets.
    pub fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The octets, for whoever ciphers, wraps or fingerprints with them: never for words, a log or a record.
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// A key of the wrong length. Does not say what was found: it may be most of a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a key of {found} octets; security suite 0 has keys of 16 octets, 32 hexadecimal digits")]
pub struct KeyError {
    /// Octets found.
    pub found: usize,
}

impl TryFrom<&[u8]> for Key {
    type Error = KeyError;

    fn try_from(octets: &[u8]) -> Result<Self, KeyError> {
        octets.try_into().map(Self).map_err(|_| KeyError { found: octets.len() })
    }
}

/// The two keys both ends hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Global unicast encryption key (GUEK).
    pub encryption: Key,
    /// Authentication key (GAK).
    pub authentication: Key,
}

/// Octets made at random that the far end has to answer for: 8 to 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(Vec<u8>);

/// A challenge of a length the standard does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a challenge of {found} octets; it has 8 to 64")]
pub struct ChallengeError {
    /// Octets found.
    pub found: usize,
}

impl Challenge {
    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Challenge {
    type Error = ChallengeError;

    fn try_from(octets: &[u8]) -> Result<Self, ChallengeError> {
        match octets.len() {
            8..=64 => Ok(Self(octets.to_vec())),
            found => Err(ChallengeError { found }),
        }
    }
}

impl From<[u8; 16]> for Challenge {
    /// The length most clients and meters use.
    fn from(octets: [u8; 16]) -> Self {
        Self(octets.to_vec())
    }
}

/// So many octets from twice as many hexadecimal digits.
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut octets = [0; N];
    for (octet, at) in octets.iter_mut().zip((0..).step_by(2)) {
        *octet = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(octets)
}
