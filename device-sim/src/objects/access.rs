//! Who may associate with a device, with which proof, and under which keys.
//!
//! Clients that have keys count their messages, and the device counts its own: the counters live here, through every
//! association, reset and power cut, and are kept over restarts of the program ([`StateFolder`](super::StateFolder)). So are
//! keys that a client transferred in place of its own; they are in force from the answer to that on.

use std::collections::BTreeMap;

use lab_config::{
    ClientSap, ClientSecurity, Credentials as LabCredentials, DlmsProfile, KeySource, SecretError, Security,
    SecurityPolicy, SharedKeys,
};
use proto_dlms::data::Data;
use proto_dlms::security::{
    CounterState, Counters, InvocationCounter, Key, KeyId, KeyTransferError, Keys, SecurityContext,
    SystemTitle, transferred,
};
use proto_dlms::server::{Credentials, Denial};

use super::memory::{Fingerprint, Memory, MemoryError, StateFolder};

/// Numbers written down ahead of their use.
const AHEAD: u32 = 1000;
/// More are written down when fewer than this are left: what one request takes at most, and some.
const LOW: u32 = 16;

/// What a client has to bring.
enum Held {
    Nothing,
    Password(Vec<u8>),
    Keys(Shared),
}

/// Keys shared with one client.
#[derive(Clone, Copy)]
struct Shared {
    /// Which of the device's sets of keys.
    set: usize,
    /// Who the client says it is.
    client: SystemTitle,
    policy: SecurityPolicy,
}

/// A set of keys with its counters. Clients that have the same keys share it, or one number would be used twice.
struct KeySet {
    /// The lab file's keys, by which the set is known whatever keys are in force.
    origin: Fingerprint,
    /// Under which others may be transferred.
    master: Option<Key>,
    keys: Keys,
    /// Transferred, and in force once the transfer is answered.
    next: Option<Keys>,
    context: SecurityContext,
    key: Fingerprint,
    memory: Memory,
    /// What was received, as it is written down.
    written: BTreeMap<SystemTitle, InvocationCounter>,
}

/// Why a device cannot be given its passwords and keys.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// One cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The counters of one cannot be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Why keys are not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// The client has none that could be changed.
    #[error("the client has no keys")]
    NoKeys,
    /// There is no key they could be wrapped under.
    #[error("the device has no master key; the lab file gives it one by `master-key`")]
    NoMasterKey,
    /// They do not unwrap, or are no keys.
    #[error(transparent)]
    Transfer(#[from] KeyTransferError),
    /// A key the device does not hold.
    #[error("the device holds no key with number {}", id.code())]
    NotHeld {
        /// Which.
        id: KeyId,
    },
    /// Another client has the same encryption key: both would use the same numbers.
    #[error("another client has this encryption key")]
    InUse,
    /// They cannot be kept.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// The clients a device knows, with their passwords and keys.
///
/// Deliberately not `Clone`: two copies would use every invocation counter twice.
pub struct Access {
    clients: BTreeMap<u16, Held>,
    sets: Vec<KeySet>,
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
    /// The clients the lab file gives the device of this system title; secrets are fetched now, and counters where they
    /// were left in the state folder.
    ///
    /// # Errors
    /// [`AccessError`] when a password or key cannot be had, or a counter.
    pub fn new(
        title: SystemTitle,
        profile: &DlmsProfile,
        credentials: &LabCredentials,
        state: &StateFolder,
    ) -> Result<Self, AccessError> {
        let public = u16::from(profile.public_client.value.get());
        let mut access = Self { clients: BTreeMap::new(), sets: Vec::new(), public };
        for (sap, security) in &credentials.clients {
            let held = access.held(title, profile, (*sap, security), state)?;
            access.clients.insert(u16::from(sap.get()), held);
        }
        access.clients.entry(public).or_insert(Held::Nothing);
        Ok(access)
    }

    fn held(
        &mut self,
        title: SystemTitle,
        profile: &DlmsProfile,
        (sap, security): (ClientSap, &Security),
        state: &StateFolder,
    ) -> Result<Held, AccessError> {
        Ok(match security {
            Security::None => Held::Nothing,
            Security::Low(source) => Held::Password(source.secret()?.expose().to_vec()),
            Security::Gmac(shared) => Held::Keys(Shared {
                set: self.set_of(title, shared, state)?,
                client: shared.system_title,
                policy: profile.security(sap).unwrap_or(&ClientSecurity::KEYS).policy,
            }),
        })
    }

    /// The set of these keys, made where it is the first client's that has them.
    fn set_of(
        &mut self,
        title: SystemTitle,
        shared: &SharedKeys,
        state: &StateFolder,
    ) -> Result<usize, AccessError> {
        let keys = Keys {
            encryption: shared.encryption_key.key()?,
            authentication: shared.authentication_key.key()?,
        };
        let origin = origin(&keys);
        if let Some(at) = self.sets.iter().position(|set| set.origin == origin) {
            return Ok(at);
        }
        let master = shared.master_key.as_ref().map(KeySource::key).transpose()?;
        // Keys that were made up for this process have counters that die with it.
        let memory = match shared.encryption_key.is_generated() {
            true => Memory::passing(title),
            false => state.of(title),
        };
        let keys = memory.keys(&origin, master.as_ref())?.unwrap_or(keys);
        self.sets.push(KeySet::new(title, origin, keys, master, memory)?);
        Ok(self.sets.len() - 1)
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

    /// The keys shared with a client, and their counters, with numbers enough for a request.
    pub fn security(&mut self, client: u16) -> Option<&mut SecurityContext> {
        let Some(Held::Keys(shared)) = self.clients.get(&client) else { return None };
        let set = self.sets.get_mut(shared.set)?;
        set.context.required = shared.policy.protection();
        if let Err(error) = set.reserve() {
            tracing::error!(%error, "invocation counters");
        }
        Some(&mut set.context)
    }

    /// Takes the keys of a transfer (class 64, method 2), all of them or none.
    ///
    /// # Errors
    /// Why not.
    pub fn transfer_keys(&mut self, client: u16, parameter: &Data) -> Result<(), KeyRefusal> {
        let Some(Held::Keys(shared)) = self.clients.get(&client) else { return Err(KeyRefusal::NoKeys) };
        let at = shared.set;
        let set = self.sets.get(at).ok_or(KeyRefusal::NoKeys)?;
        let master = set.master.as_ref().ok_or(KeyRefusal::NoMasterKey)?;
        let mut keys = set.next.as_ref().unwrap_or(&set.keys).clone();
        for (id, key) in transferred(master, parameter)? {
            match id {
                KeyId::Encryption => keys.encryption = key,
                KeyId::Authentication => keys.authentication = key,
                KeyId::Broadcast | KeyId::Master => return Err(KeyRefusal::NotHeld { id }),
            }
        }
        let mut others = self.sets.iter().enumerate().filter(|(other, _)| *other != at);
        if others.any(|(_, other)| other.keys.encryption == keys.encryption) {
            return Err(KeyRefusal::InUse);
        }
        set.memory.keep_keys(&set.origin, &keys, master)?;
        self.sets.get_mut(at).ok_or(KeyRefusal::NoKeys)?.next = Some(keys);
        Ok(())
    }

    /// Writes down the numbers received since it last did, and puts keys in force that were transferred; to be done when an
    /// answer is made and before it is given.
    ///
    /// # Errors
    /// They cannot be written down.
    pub fn keep(&mut self) -> Result<(), MemoryError> {
        self.sets.iter_mut().try_for_each(KeySet::keep)
    }

    /// What is shown of the security of a client that has keys.
    pub fn shown(&self, client: u16) -> Option<SecurityShown> {
        let Some(Held::Keys(shared)) = self.clients.get(&client) else { return None };
        let context = &self.sets.get(shared.set)?.context;
        let counter = context.received(shared.client).map_or(0, |counter| counter.0);
        let server = context.title();
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
            Held::Keys(shared) => Held::Keys(*shared),
        };
        let keys = Keys { encryption: Key::new(key), authentication: Key::new(key) };
        let unknown = |set: &KeySet| {
            let title = set.context.title();
            let memory = Memory::passing(title);
            KeySet::counting(title, set.origin.clone(), keys.clone(), memory, CounterState::default())
        };
        let clients = self.clients.iter().map(|(client, held)| (*client, other(held))).collect();
        let sets = self.sets.iter().map(unknown).collect();
        std::mem::replace(self, Self { clients, sets, public: self.public })
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

impl KeySet {
    fn new(
        title: SystemTitle,
        origin: Fingerprint,
        keys: Keys,
        master: Option<Key>,
        memory: Memory,
    ) -> Result<Self, MemoryError> {
        let state = memory.counters(&Fingerprint::of(keys.encryption.expose()))?;
        Ok(Self { master, ..Self::counting(title, origin, keys, memory, state) })
    }

    /// Goes on from these counters.
    fn counting(
        title: SystemTitle,
        origin: Fingerprint,
        keys: Keys,
        memory: Memory,
        state: CounterState,
    ) -> Self {
        let written = state.received.clone();
        let context = SecurityContext::new(title, keys.clone(), Counters::restore(state));
        let key = Fingerprint::of(keys.encryption.expose());
        Self { origin, master: None, keys, next: None, context, key, memory, written }
    }

    /// Writes more numbers down when few are left.
    fn reserve(&mut self) -> Result<(), MemoryError> {
        let counters = &mut self.context.counters;
        if counters.left() >= LOW {
            return Ok(());
        }
        let reserved = |used: InvocationCounter| {
            let own = counters.state().sent.map_or(0, |sent| sent.0).saturating_add(counters.left());
            // Another program that simulates this device has used numbers of its own: they are passed over.
            if used.0 > own && counters.resynchronise(used).is_err() {
                tracing::warn!(%used, "invocation counters of another program cannot be passed over");
            }
            counters.reserve(AHEAD)
        };
        let done = self.memory.reserve(&self.key, reserved);
        if done.is_err() {
            // What is not written down may not be used.
            let _at_rest = self.context.counters.settle();
        }
        done
    }

    fn keep(&mut self) -> Result<(), MemoryError> {
        let state = self.context.counters.state();
        if state.received != self.written {
            self.memory.note(&self.key, state)?;
            self.written.clone_from(&state.received);
        }
        self.put_in_force()
    }

    /// Keys that were transferred are in force, with counters of their own.
    fn put_in_force(&mut self) -> Result<(), MemoryError> {
        let Some(keys) = &self.next else { return Ok(()) };
        let (title, memory) = (self.context.title(), self.memory.clone());
        *self = Self::new(title, self.origin.clone(), keys.clone(), self.master.clone(), memory)?;
        Ok(())
    }
}

/// By what a set of keys is known, whichever took their place.
fn origin(keys: &Keys) -> Fingerprint {
    Fingerprint::of(&[*keys.encryption.expose(), *keys.authentication.expose()].concat())
}

/// Compares in a time that does not tell where two passwords of one length differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}
