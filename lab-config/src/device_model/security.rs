//! What devices of a model ask of each client: the proof, the protection of messages, and where the counter stands.

use std::collections::BTreeMap;
use std::fmt;

use proto_dlms::security::Protection;

use super::Fact;
use super::read::fact;
use crate::ClientSap;
use crate::cosem::Obis;
use crate::credentials::Mechanism;
use crate::document::{FileError, Item, Table};

crate::vocabulary! {
    /// How messages of an association are protected.
    pub enum SecurityPolicy {
        /// Not at all.
        Clear = "clear",
        /// Anybody may read them, nobody may change them.
        Authenticated = "authenticated",
        /// Nobody may read them.
        Encrypted = "encrypted",
        /// Nobody may read or change them.
        AuthenticatedEncrypted = "authenticated-encrypted",
    }
}

impl SecurityPolicy {
    /// The protection of each message; `None` for messages in clear.
    pub const fn protection(self) -> Option<Protection> {
        match self {
            Self::Clear => None,
            Self::Authenticated => Some(Protection::Authenticated),
            Self::Encrypted => Some(Protection::Encrypted),
            Self::AuthenticatedEncrypted => Some(Protection::AuthenticatedEncrypted),
        }
    }

    /// Attribute 2 of a security setup object, version 0 (IEC 62056-6-2, 4.4.7).
    pub const fn code(self) -> u8 {
        match self {
            Self::Clear => 0,
            Self::Authenticated => 1,
            Self::Encrypted => 2,
            Self::AuthenticatedEncrypted => 3,
        }
    }
}

/// What a device asks of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSecurity {
    /// How the client proves who it is.
    pub mechanism: Mechanism,
    /// How messages are protected; only where the client has keys.
    pub policy: SecurityPolicy,
    /// The Data object (class 1) the public client reads the last invocation counter of this client from.
    pub invocation_counter: Option<Obis>,
    /// The security setup object (class 64).
    pub security_setup: Option<Obis>,
}

impl ClientSecurity {
    /// What is taken for granted of a client with keys where the Device Model says nothing.
    pub const KEYS: Self = Self {
        mechanism: Mechanism::Gmac,
        policy: SecurityPolicy::AuthenticatedEncrypted,
        invocation_counter: None,
        security_setup: None,
    };
}

impl fmt::Display for ClientSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mechanism.fmt(f)?;
        match self.mechanism {
            Mechanism::Gmac => write!(f, ", messages {}", self.policy),
            Mechanism::None | Mechanism::Low => Ok(()),
        }
    }
}

pub(super) fn security(item: &Item<'_>) -> Result<BTreeMap<ClientSap, Fact<ClientSecurity>>, FileError> {
    item.open("security by client SAP, such as 1 = { mechanism = \"gmac\", verified = false }")?
        .entries()
        .into_iter()
        .map(|(sap, value)| Ok((sap.parse("a client SAP")?, fact(&value, client)?)))
        .collect()
}

fn client(table: &mut Table<'_>) -> Result<ClientSecurity, FileError> {
    let meaning = "how the client proves who it is";
    let mechanism: Mechanism = table.required("mechanism", meaning)?.parse(meaning)?;
    let policy = table.optional("policy");
    let security = ClientSecurity {
        mechanism,
        policy: policy.as_ref().map(|item| item.parse("how messages are protected")).transpose()?.unwrap_or(
            match mechanism {
                Mechanism::Gmac => SecurityPolicy::AuthenticatedEncrypted,
                Mechanism::None | Mechanism::Low => SecurityPolicy::Clear,
            },
        ),
        invocation_counter: table.read("invocation-counter", |item| item.parse("an OBIS code"))?,
        security_setup: table.read("security-setup", |item| item.parse("an OBIS code"))?,
    };
    match policy {
        Some(item) if mechanism != Mechanism::Gmac && security.policy != SecurityPolicy::Clear => Err(item
            .refuse(
                "`clear` for a client without keys",
                "protect messages of clients with mechanism `gmac` only",
            )),
        _ => Ok(security),
    }
}
