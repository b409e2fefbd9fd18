//! Who the harness is to a device, where the device is on the link, and how long anything may take.

use std::time::Duration;

use lab_config::{AddressSize, ClientSap, LinkUrl, Secret};

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
    /// Password of low level security; none means lowest level security.
    pub password: Option<Secret>,
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
        }
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
            password: self.password,
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
        }
    }
}
