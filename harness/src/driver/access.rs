//! Who the harness is to a device, where the device is on the link, and how long anything may take.

use std::sync::Arc;
use std::time::Duration;

use lab_config::{
    AddressSize, ClientSap, ClientSecurity, KeySource, LinkUrl, Secret, SecretError, SharedKeys,
};
use proto_dlms::client::BlockWindow;
use proto_dlms::security::{Key, Keys, SystemTitle};

use super::counters::{CounterBook, CounterFault, CounterOwner};

/// The logical device every DLMS server has: the management logical device (IEC 62056-62, 5.1).
pub const MANAGEMENT_LOGICAL_DEVICE: u16 = 1;

/// The client, the server and the proof with which an association is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Client SAP.
    pub client: ClientSap,
    /// Logical device address of the server.
    pub server: u16,
    /// Physical device address, on HDLC links that have one.
    pub physical: Option<u16>,
    /// Octets of the HDLC server address, when the smallest that fits is not what the device expects.
    pub address_size: Option<AddressSize>,
    /// Password of low level security; none means lowest level security, or, with keys, high level security 5.
    pub password: Option<Secret>,
    /// Keys of security suite 0; none means messages in clear.
    pub keys: Option<Arc<Keyset>>,
    /// How many blocks the device takes in a row in a general block transfer, which is asked for then.
    pub general_blocks: Option<BlockWindow>,
}

/// The keys of a client of security suite 0, and what is to be known to use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset {
    /// The client's system title.
    pub title: SystemTitle,
    /// The two keys.
    pub keys: Keys,
    /// The numbers of the client's messages.
    pub counters: CounterBook,
    /// What the device asks of the client.
    pub asked: ClientSecurity,
    /// The client that may read the last number the device has seen, where it shows one.
    pub public_client: ClientSap,
    /// The master key, under which new keys are transferred.
    pub master: Option<Key>,
    /// Whether each association has an encryption key of its own.
    pub dedicated: bool,
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysetError {
    /// They cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Their numbers cannot be kept.
    #[error(transparent)]
    Counters(#[from] CounterFault),
}

impl Keyset {
    /// The keys of the lab file or command line, read now.
    ///
    /// # Errors
    /// They cannot be had, or there is no place to keep their counters.
    pub fn new(
        shared: &SharedKeys,
        asked: ClientSecurity,
        public_client: ClientSap,
    ) -> Result<Self, KeysetError> {
        let encryption = shared.encryption_key.key()?;
        let authentication = shared.authentication_key.key()?;
        let digits = shared.encryption_key.0.secret()?;
        let owner = CounterOwner::new(shared.system_title, digits.expose());
        let counters = match shared.encryption_key.is_generated() {
            true => CounterBook::passing(owner),
            false => CounterBook::kept(owner)?,
        };
        let keys = Keys { encryption, authentication };
        let master = shared.master_key.as_ref().map(KeySource::key).transpose()?;
        let (title, dedicated) = (shared.system_title, shared.dedicated_key);
        Ok(Self { title, keys, counters, asked, public_client, master, dedicated })
    }

    /// The same client with other keys, whose numbers are kept where those of these are.
    #[must_use]
    pub fn with(&self, keys: Keys) -> Self {
        let digits = hex::encode_upper(keys.encryption.expose());
        let counters = self.counters.beside(CounterOwner::new(self.title, digits.as_bytes()));
        Self { keys, counters, master: self.master.clone(), ..*self }
    }
}

impl Access {
    /// `client` without a password, to the management logical device.
    #[must_use]
    pub fn open(client: ClientSap) -> Access {
        Access {
            client,
            server: MANAGEMENT_LOGICAL_DEVICE,
            physical: None,
            address_size: None,
            password: None,
            keys: None,
            general_blocks: None,
        }
    }

    /// `client` with keys, to the management logical device.
    #[must_use]
    pub fn with_keys(client: ClientSap, keys: Keyset) -> Access {
        Access { keys: Some(Arc::new(keys)), ..Access::open(client) }
    }

    /// `client` with a password, to the management logical device.
    #[must_use]
    pub fn with_password(client: ClientSap, password: Secret) -> Access {
        Access { password: Some(password), ..Access::open(client) }
    }

    /// The same, with the addresses a link URL gives in place of these.
    #[must_use]
    pub fn at(self, url: &LinkUrl) -> Access {
        let given = &url.addressing;
        Access {
            client: given.client.unwrap_or(self.client),
            server: given.server.unwrap_or(self.server),
            physical: given.physical.or(self.physical),
            address_size: given.server_address_size.or(self.address_size),
            ..self
        }
    }
}

/// Whether a device behind a hub sleeps, and whether who asks it waits until it wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// It always listens.
    Never,
    /// It sleeps, and who asks gives up when it does not answer at once.
    NotWaitedFor,
    /// It sleeps for so long at most, and who asks waits as long.
    WaitedFor(Duration),
}

impl Sleep {
    /// How much longer an answer may take.
    const fn allowance(self) -> Duration {
        match self {
            Self::Never | Self::NotWaitedFor => Duration::ZERO,
            Self::WaitedFor(wake) => wake,
        }
    }
}

/// How long the driver waits, and how often it tries again. Nothing in the driver waits without one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For a port to open or a host to accept the connection.
    pub open: Duration,
    /// For an answer to begin, each time something is sent.
    pub response: Duration,
    /// Longest silence inside a frame or a line of the sign-on.
    pub inter_octet: Duration,
    /// For one whole request, blocks, segments and repetitions included.
    pub request: Duration,
    /// How often a connection, an HDLC frame or a datagram that only reads is tried again. Requests never are: a SET or an
    /// ACTION might be done twice.
    pub retries: u8,
    /// Whether the device sleeps. The waits above are those for a device that is awake.
    pub sleep: Sleep,
}

impl Deadlines {
    /// What the link URL says, the rest in proportion.
    #[must_use]
    pub fn of(url: &LinkUrl) -> Deadlines {
        let response = url.response();
        Deadlines {
            open: response,
            response,
            inter_octet: url.inter_octet(),
            // A profile of some hundred blocks over 9600 baud takes a minute; a silent device ends far sooner.
            request: response.saturating_mul(24),
            retries: url.retries(),
            sleep: Sleep::Never,
        }
    }

    /// For an answer to begin, from a device that may have to wake first.
    pub(super) fn response_awake(&self) -> Duration {
        self.response + self.sleep.allowance()
    }

    /// For a whole request. A device may fall asleep once in the middle of one.
    pub(super) fn request_awake(&self) -> Duration {
        self.request + self.sleep.allowance() * 2
    }
}
