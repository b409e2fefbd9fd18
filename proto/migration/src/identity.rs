//! What files, groups and authorisations are known by.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// A text of a file: 1 to 64 printable characters without line ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

/// A text that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {longest} printable characters, none of them a line end; found {found} characters")]
pub struct TextError {
    /// Characters found.
    pub found: usize,
    /// The most there may be.
    pub longest: usize,
}

fn checked(text: &str, longest: usize) -> Result<String, TextError> {
    let found = text.chars().count();
    let whole = (1..=longest).contains(&found) && !text.chars().any(char::is_control) && text.trim() == text;
    whole.then(|| text.to_owned()).ok_or(TextError { found, longest })
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $longest:literal;)*) => {$(
        impl $name {
            /// The most characters it has.
            pub const LONGEST: usize = $longest;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                checked(text, Self::LONGEST).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

/// The name of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// The authorisation under which an installation is migrated: `MA_<provider>_<EUI-64>_<date>_<time>` (TMAD).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorisationId(String);

/// A group of installations that are migrated together, one of its kind for its SMSO.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(String);

texts! {
    Text, 64;
    FileName, 96;
    AuthorisationId, 96;
    GroupId, 32;
}

/// SHA-256 over the octets of a file as they crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of these octets.
    pub fn of(octets: &[u8]) -> Self {
        Self(sha2::Sha256::digest(octets).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}
