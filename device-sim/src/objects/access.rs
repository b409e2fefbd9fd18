//! Who may associate with a device, with which proof, and under which keys.
//!
//! Clients that have keys count their messages, and the device counts its own: the counters live here, as long as the
//! device does, through every association, reset and power cut.

use std::collections::BTreeMap;

use lab_config::{
    ClientSap, ClientSecurity, Credentials as LabCredentials, DlmsProfile, SecretError, Security,
    SecurityPolicy,
};
use proto_dlms::security::{CounterState, Counters, Key, Keys, SecurityContext, SystemTitle};
use proto_dlms::server::{Credentials, Denial};

/// What a client has to bring.
enum Held {
    Nothing,
    Password(Vec<u8>),
    /// The keys, and who the client says it is. Boxed: a context is far larger than the rest.
    Keys(Box<Shared>),
}

/// Keys shared with one client.
struct Shared {
    context: SecurityContext,
    client: SystemTitle,
    policy: SecurityPolicy,
}

/// The clients a device knows, with their passwords and keys.
///
/// Deliberately not `Clone`: two copies would use every invocation counter twice.
pub struct Access {
    clients: BTreeMap<u16, Held>,
    public: u16,
}

/// What a security setup object and an invocation counter object show of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecurityShown {
    /// How messages are protected.
    pub policy: SecurityPolicy,
    /// The client's system title.
    pub client: SystemTitle,
    /// The device's own.
    pub server: SystemTitle,
    /// The invocation counter last received from the client; 0 where none was.
    pub counter: u32,
}

impl Access {
    /// The clients the lab file gives the device of this system title; secrets are fetched now.
    ///
    /// # Errors
    /// [`SecretError`] when a password or key cannot be had.
    pub fn new(
        title: SystemTitle,
        profile: &DlmsProfile,
        credentials: &LabCredentials,
    ) -> Result<Self, SecretError> {
        let mut clients = BTreeMap::new();
        for (sap, security) in &credentials.clients {
            clients.insert(u16::from(sap.get()), held(title, profile, *sap, security)?);
        }
        let public = u16::from(profile.public_client.value.get());
        clients.entry(public).or_insert(Held::Nothing);
        Ok(Self { clients, public })
    }

    /// Whether this is the public client, who may only ask who the device is.
    pub fn is_public(&self, client: u16) -> bool {
        client == self.public
    }

    /// Whether this client is known at all.
    pub fn knows(&self, client: u16) -> bool {
        self.clients.contains_key(&client)
    }

    /// Decides on an association. A client with keys has yet to prove that it has them.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, client: u16, credentials: Credentials<'_>) -> Result<(), Denial> {
        match (self.clients.get(&client), credentials) {
            (None, _) => Err(Denial::ClientUnknown),
            (Some(Held::Nothing), _) => Ok(()),
            (Some(_), Credentials::None) => Err(Denial::AuthenticationRequired),
            (Some(Held::Password(right)), Credentials::Password(brought)) if same(right, brought) => Ok(()),
            (Some(Held::Keys(_)), Credentials::Gmac) => Ok(()),
            (Some(_), Credentials::Password(_) | Credentials::Gmac) => Err(Denial::AuthenticationFailure),
        }
    }

    /// The keys shared with a client, and their counters.
    pub fn security(&mut self, client: u16) -> Option<&mut SecurityContext> {
        match self.clients.get_mut(&client) {
            Some(Held::Keys(shared)) => Some(&mut shared.context),
            _ => None,
        }
    }

    /// What is shown of the security of a client that has keys.
    pub fn shown(&self, client: u16) -> Option<SecurityShown> {
        let Some(Held::Keys(shared)) = self.clients.get(&client) else { return None };
        let counter = shared.context.received(shared.client).map_or(0, |counter| counter.0);
        let server = shared.context.title();
        Some(SecurityShown { policy: shared.policy, client: shared.client, server, counter })
    }

    /// The number of a client's authentication mechanism: 0 none, 1 low, 5 GMAC (IEC 62056-5-3, 4.2.1).
    pub fn mechanism(&self, client: u16) -> u8 {
        match self.clients.get(&client) {
            None | Some(Held::Nothing) => 0,
            Some(Held::Password(_)) => 1,
            Some(Held::Keys(_)) => 5,
        }
    }

    /// Puts other passwords and keys, which nobody was told, in the place of all the device holds, and gives those back.
    /// A device that starts to count anew under other keys uses no number twice.
    #[must_use = "the device's own are to be put back"]
    pub fn mistake(&mut self, password: &[u8], key: [u8; 16]) -> Self {
        let other = |held: &Held| match held {
            Held::Nothing => Held::Nothing,
            Held::Password(_) => Held::Password(password.to_vec()),
            Held::Keys(shared) => Held::Keys(Box::new(Shared {
                context: context(
                    shared.context.title(),
                    Keys { encryption: Key::new(key), authentication: Key::new(key) },
                    shared.policy,
                ),
                ..**shared
            })),
        };
        let clients = self.clients.iter().map(|(client, held)| (*client, other(held))).collect();
        std::mem::replace(self, Self { clients, public: self.public })
    }

    /// Gives every client that has a password another one.
    pub fn change_passwords(&mut self, password: &[u8]) {
        for held in self.clients.values_mut() {
            if let Held::Password(held) = held {
                *held = password.to_vec();
            }
        }
    }

    /// Gives one client another password; whether it has one.
    pub fn change_password(&mut self, client: u16, password: Vec<u8>) -> bool {
        match self.clients.get_mut(&client) {
            Some(Held::Password(held)) => {
                *held = password;
                true
            }
            _ => false,
        }
    }
}

fn held(
    title: SystemTitle,
    profile: &DlmsProfile,
    sap: ClientSap,
    security: &Security,
) -> Result<Held, SecretError> {
    Ok(match security {
        Security::None => Held::Nothing,
        Security::Low(source) => Held::Password(source.secret()?.expose().to_vec()),
        Security::Gmac(shared) => {
            let policy = profile.security(sap).unwrap_or(&ClientSecurity::KEYS).policy;
            let keys = Keys {
                encryption: shared.encryption_key.key()?,
                authentication: shared.authentication_key.key()?,
            };
            Held::Keys(Box::new(Shared {
                context: context(title, keys, policy),
                client: shared.system_title,
                policy,
            }))
        }
    })
}

fn context(title: SystemTitle, keys: Keys, policy: SecurityPolicy) -> SecurityContext {
    let context = SecurityContext::new(title, keys, Counters::held_in_memory(CounterState::default()));
    match policy.protection() {
        Some(required) => context.requiring(required),
        None => context,
    }
}

/// Compares in a time that does not tell where two passwords of one length differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}
