//! How a client associates: who it is, what protects its messages, and how much it takes.

use crate::Password;
use crate::apdu::{BlockWindow, Conformance};
use crate::security::{Challenge, Key, Protection, SecurityContext};

/// How a client proves who it is, and how its messages are protected.
#[derive(Debug, Default)]
pub enum Security {
    /// Not at all.
    #[default]
    None,
    /// A password, messages in clear (LLS).
    Low(Password),
    /// Keys of security suite 0.
    Suite0(Box<Suite0>),
}

impl From<Option<Password>> for Security {
    fn from(password: Option<Password>) -> Self {
        password.map_or(Self::None, Self::Low)
    }
}

impl From<Suite0> for Security {
    fn from(suite: Suite0) -> Self {
        Self::Suite0(Box::new(suite))
    }
}

/// What a client does with its keys.
#[derive(Debug)]
pub struct Suite0 {
    /// Title, keys and counters. Taken back by [`ClientSession::into_context`](super::ClientSession::into_context), for the counters must go on.
    pub context: SecurityContext,
    /// How the client proves who it is.
    pub authentication: Authentication,
    /// How messages are protected; `None` for messages in clear.
    pub ciphering: Option<Ciphering>,
}

/// How a client that has keys proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// By being able to cipher.
    None,
    /// By a password (LLS).
    Low(Password),
    /// By answering a challenge with the keys (HLS 5, GMAC); this is the challenge to the meter, made at random for
    /// this association.
    Gmac(Challenge),
}

/// How a client protects its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphering {
    /// How well.
    pub protection: Protection,
    /// In the envelope that takes any service, where there is one for each service as well.
    pub general: bool,
    /// A key for this association only, made at random; `None` to use the global key throughout.
    pub dedicated_key: Option<Key>,
}

/// How a client associates.
#[derive(Debug)]
pub struct ClientSettings {
    /// Credentials and protection.
    pub security: Security,
    /// Longest APDU this client takes.
    pub max_pdu: u16,
    /// Services to ask for.
    pub conformance: Conformance,
    /// Longest value or APDU taken in blocks, in octets.
    pub max_value: usize,
    /// Blocks taken in a row in a general block transfer, where the conformance offers that. With more than one,
    /// requests go in blocks as well, for that is how a meter learns of it.
    pub window: BlockWindow,
}

impl Default for ClientSettings {
    /// No security, [`Conformance::USUAL`], APDUs of 1 KiB, values of 1 MiB, one block at a time.
    fn default() -> Self {
        Self {
            security: Security::None,
            max_pdu: 1024,
            conformance: Conformance::USUAL,
            max_value: 1 << 20,
            window: BlockWindow::ONE,
        }
    }
}
