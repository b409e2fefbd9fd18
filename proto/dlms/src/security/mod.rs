//! Security suite 0: who the ends are, what hides and proves their messages, and the counters that make each unlike
//! the last (IEC 62056-5-3, 5.3 to 5.7; NIST SP 800-38D for the cipher).
//!
//! Suite 0 is AES-128 in Galois/counter mode with a tag of 12 octets. Both ends hold two keys, [`Keys`]: the global
//! unicast *encryption key* and the *authentication key*. A message is protected in one of three ways:
//!
//! | [`Protection`] | security control | ciphered | additional authenticated data | tag |
//! |---|---|---|---|---|
//! | [`Authenticated`](Protection::Authenticated) | 10 | nothing | control, authentication key, message | 12 octets |
//! | [`Encrypted`](Protection::Encrypted) | 20 | message | nothing | none |
//! | [`AuthenticatedEncrypted`](Protection::AuthenticatedEncrypted) | 30 | message | control, authentication key | 12 octets |
//!
//! The initialisation vector is the sender's [`SystemTitle`], then its [`InvocationCounter`]. No two messages under one
//! key may share one: a counter only ever goes up, and outlives the program that counts ([`Counters`]). A
//! [`SecurityContext`] holds all that belongs to one set of keys: own title, keys, counters. An association may add a
//! *dedicated key*, made by the client for that association only.
//!
//! High-level security 5 (GMAC) proves with the same keys that each end holds them: [`SecurityContext::prove`].
//!
//! New keys travel wrapped under a *master key* that both ends hold for nothing else: [`key_transfer()`].
//!
//! Not spoken, and refused with a clear error: compression, the broadcast key, suites 1 and 2.

mod cipher;
mod context;
mod counters;
mod key_transfer;
mod keys;
#[cfg(test)]
mod tests;

pub(crate) use context::{Association, Manner};
pub use context::{Opened, SecurityContext};
pub use counters::{CounterError, CounterState, Counters};
pub use key_transfer::{
    KeyId, KeyTransferError, WRAPPED, key_transfer, transfer_of, transferred, unwrap_key, wrap_key,
};
pub use keys::{Challenge, ChallengeError, Key, KeyError, Keys};

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Octets the cipher's tag has in suite 0.
pub(crate) const TAG: usize = 12;
/// Octets of security control and invocation counter.
pub(crate) const HEADER: usize = 5;

/// The name of a DLMS station in all that is ciphered: three letters of its maker, then five octets of the maker's own
/// (IEC 62056-5-3, 4.3.4).
///
/// ```
/// use proto_dlms::security::SystemTitle;
///
/// let title: SystemTitle = "4C41420000000001".parse()?;
/// assert_eq!(title, SystemTitle(*b"LAB\0\0\0\0\x01"));
/// assert_eq!(title.to_string(), "4C41420000000001");
/// # Ok::<(), proto_dlms::security::SystemTitleError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemTitle(pub [u8; 8]);

impl SystemTitle {
    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SystemTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// Text or octets that are not a system title.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is not a system title: it has 8 octets, 16 hexadecimal digits")]
pub struct SystemTitleError {
    /// What was found, in hexadecimal.
    pub found: String,
}

impl TryFrom<&[u8]> for SystemTitle {
    type Error = SystemTitleError;

    fn try_from(octets: &[u8]) -> Result<Self, SystemTitleError> {
        let found = || octets.iter().take(16).map(|octet| format!("{octet:02X}")).collect();
        octets.try_into().map(Self).map_err(|_| SystemTitleError { found: found() })
    }
}

impl FromStr for SystemTitle {
    type Err = SystemTitleError;

    fn from_str(text: &str) -> Result<Self, SystemTitleError> {
        keys::from_hex(text).map(Self).ok_or_else(|| SystemTitleError { found: text.to_owned() })
    }
}

/// The number that makes each message under a key unlike the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationCounter(pub u32);

impl fmt::Display for InvocationCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What protects a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Anybody may read it, nobody may change it.
    Authenticated,
    /// Nobody may read it; whether it was changed cannot be told.
    Encrypted,
    /// Nobody may read or change it.
    AuthenticatedEncrypted,
}

impl Protection {
    /// Whether whoever asks for `required` may be content with this.
    pub fn covers(self, required: Self) -> bool {
        self == Self::AuthenticatedEncrypted || self == required
    }

    fn control(self) -> u8 {
        match self {
            Self::Authenticated => 0x10,
            Self::Encrypted => 0x20,
            Self::AuthenticatedEncrypted => 0x30,
        }
    }

    /// Reads a security control octet: suite 0, unicast key, not compressed, protected.
    fn from_control(control: u8) -> Result<Self, SecurityError> {
        match control {
            _ if control & 0x80 != 0 => Err(SecurityError::Compressed),
            _ if control & 0x40 != 0 => Err(SecurityError::BroadcastKey),
            _ if control & 0x0F != 0 => Err(SecurityError::OtherSuite { suite: control & 0x0F }),
            0x10 => Ok(Self::Authenticated),
            0x20 => Ok(Self::Encrypted),
            0x30 => Ok(Self::AuthenticatedEncrypted),
            _ => Err(SecurityError::NotProtected),
        }
    }

    /// Octets this protection adds to a message, security control and invocation counter among them.
    pub(crate) fn overhead(self) -> usize {
        HEADER + if self == Self::Encrypted { 0 } else { TAG }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authenticated => "authenticated",
            Self::Encrypted => "encrypted",
            Self::AuthenticatedEncrypted => "authenticated and encrypted",
        })
    }
}

/// Why a message could not be protected, or was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// The message is shorter than what every protected message has.
    #[error("{found} octets of ciphered contents, at least {needed} are needed; the message was cut short")]
    TooShort {
        /// Octets found.
        found: usize,
        /// Octets needed.
        needed: usize,
    },
    /// The message is compressed.
    #[error(
        "the message is compressed (security control bit 7); compression is not spoken, switch it off in the meter"
    )]
    Compressed,
    /// The message is ciphered with the broadcast key.
    #[error(
        "the message is ciphered with the broadcast key (security control bit 6); only the unicast key is held"
    )]
    BroadcastKey,
    /// The message is of another security suite.
    #[error("the message is of security suite {suite}; only suite 0 is spoken")]
    OtherSuite {
        /// The suite found.
        suite: u8,
    },
    /// The envelope is a ciphered one, but the security control octet asks for no protection.
    #[error("a ciphered envelope whose security control protects nothing")]
    NotProtected,
    /// The message carries key agreement or a signature.
    #[error("{found} arrived: it belongs to security suites 1 and 2, only suite 0 is spoken")]
    OtherEnvelope {
        /// Which message.
        found: &'static str,
    },
    /// The tag is wrong.
    #[error(
        "the authentication tag is wrong: other keys, another system title than {from}, or octets changed on the way"
    )]
    WrongTag {
        /// Whose message it was taken for.
        from: SystemTitle,
    },
    /// The invocation counter is not above the last one.
    #[error(
        "invocation counter {found} from {from}, expected {expected} or above: a replay, or a counter that was lost"
    )]
    Replayed {
        /// Whose message.
        from: SystemTitle,
        /// The counter found.
        found: InvocationCounter,
        /// The lowest acceptable one.
        expected: InvocationCounter,
    },
    /// The message is protected less than this end asks for.
    #[error("a message that is {found} where {required} is required", found = found.map_or("not protected".to_owned(), |found| found.to_string()))]
    Weaker {
        /// How it is protected, if at all.
        found: Option<Protection>,
        /// What is required.
        required: Protection,
    },
    /// The message is ciphered with a dedicated key, and none was agreed.
    #[error("a message ciphered with a dedicated key, though none was agreed in this association")]
    NoDedicatedKey,
    /// The message names another system title than the one that associated.
    #[error("a message from system title {found} within the association of {expected}")]
    OtherTitle {
        /// The title found.
        found: SystemTitle,
        /// The title that associated.
        expected: SystemTitle,
    },
    /// What came out of the envelope is not the service the envelope names.
    #[error("a message with tag {found:02X} came out of a {envelope}")]
    OtherContents {
        /// The tag found inside.
        found: u8,
        /// The envelope.
        envelope: &'static str,
    },
    /// A counter that may not be used.
    #[error(transparent)]
    Counter(#[from] CounterError),
}
