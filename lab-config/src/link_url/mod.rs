//! Links to devices, written as URLs.
//!
//! | URL | link |
//! |---|---|
//! | `serial:///dev/ttyUSB0?baud=9600&sign-on=e` | a serial port: HDLC, after an IEC 62056-21 sign-on when asked for |
//! | `tcp://host:4059` | TCP with the DLMS wrapper (IEC 62056-47) |
//! | `tcp+hdlc://host:port` | TCP carrying HDLC, such as a serial server |
//! | `sim:` | the simulated device of this path: the embedded lab puts a concrete link in its place |
//!
//! Query parameters, all optional:
//!
//! | parameter | links | meaning | default |
//! |---|---|---|---|
//! | `baud` | serial | speed; with a sign-on, the speed it begins at | 9600; 300 with a sign-on |
//! | `parity` | serial | `none` (8N1) or `even` (7E1) | `none`; `even` during a sign-on |
//! | `sign-on` | serial | `e`: IEC 62056-21 mode E sign-on before HDLC; `none` | `none` |
//! | `client` | all | client SAP (1 to 127) | the management client of the Device Model |
//! | `server` | all | logical device address (1 to 16383) | that of the Device Model, else 1 |
//! | `physical` | HDLC | physical device address (0 to 16383) | none |
//! | `server-address-size` | HDLC | octets of the server address: 1, 2 or 4 | that of the Device Model, else the smallest that fits |
//! | `inter-octet` | all | longest silence inside a frame, as `250ms` or `2s` | 500ms |
//! | `response` | all | longest wait for an answer to begin | 5s |

mod parse;

use std::fmt;
use std::time::Duration;

pub use parse::LinkUrlError;
pub(crate) use parse::duration;

use crate::ClientSap;

/// Where a device is reached, and how.
///
/// ```
/// use lab_config::LinkUrl;
///
/// let url: LinkUrl = "serial:///dev/ttyUSB0?baud=9600&sign-on=e".parse()?;
/// assert_eq!(url.line.baud, Some(9600));
/// assert_eq!(url.to_string(), "serial:///dev/ttyUSB0?baud=9600&sign-on=e");
/// # Ok::<(), lab_config::LinkUrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkUrl {
    /// What is at the other end.
    pub endpoint: Endpoint,
    /// Speed, parity and sign-on; the parser refuses them on TCP links.
    pub line: SerialLine,
    /// DLMS addresses that differ from those of the Device Model.
    pub addressing: Addressing,
    /// Timeouts that differ from the defaults.
    pub timeouts: Timeouts,
}

/// What is at the other end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A serial port or pseudo-terminal, by its device path.
    Serial(SerialPath),
    /// TCP with the DLMS wrapper.
    Tcp(Authority),
    /// TCP carrying HDLC frames.
    TcpHdlc(Authority),
    /// A simulated device: whoever starts it says where it answers.
    Simulated,
}

/// The path of a serial device, such as `/dev/ttyUSB0`: absolute, without `?`, `#`, white space or control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SerialPath(String);

impl SerialPath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    host: String,
    port: u16,
}

impl Authority {
    /// Host name or address; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// How a serial line begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SerialLine {
    /// Speed in baud, one of [`BAUD_RATES`].
    pub baud: Option<u32>,
    /// Character framing.
    pub parity: Option<Parity>,
    /// Sign-on before the protocol.
    pub sign_on: Option<SignOn>,
}

crate::vocabulary! {
    /// Character framing of a serial line.
    pub enum Parity {
        /// 8 data bits, no parity, 1 stop bit.
        None = "none",
        /// 7 data bits, even parity, 1 stop bit.
        Even = "even",
    }
}

crate::vocabulary! {
    /// What is said on a serial line before the protocol.
    pub enum SignOn {
        /// Nothing.
        None = "none",
        /// IEC 62056-21 protocol mode E: identification at 300 baud, then HDLC at the speed agreed.
        ModeE = "e",
    }
}

/// Speeds a serial link may have, in baud.
pub const BAUD_RATES: [u32; 12] =
    [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400, 460_800];

/// DLMS addresses on a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Addressing {
    /// Client SAP.
    pub client: Option<ClientSap>,
    /// Logical device address.
    pub server: Option<u16>,
    /// Physical device address, on HDLC links.
    pub physical: Option<u16>,
    /// Octets of the HDLC server address.
    pub server_address_size: Option<AddressSize>,
}

crate::vocabulary! {
    /// Octets of an HDLC server address (IEC 62056-46, 6.4.2).
    pub enum AddressSize {
        /// Logical address only, 7 bits.
        One = "1",
        /// Logical and physical address, 7 bits each.
        Two = "2",
        /// Logical and physical address, 14 bits each.
        Four = "4",
    }
}

/// How long a link waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// Longest silence inside a frame.
    pub inter_octet: Option<Duration>,
    /// Longest wait for an answer to begin.
    pub response: Option<Duration>,
}

impl LinkUrl {
    /// Silence inside a frame that ends it, when the URL does not say. The 25 ms of the standard is far too short for
    /// optical heads and serial servers.
    pub const INTER_OCTET: Duration = Duration::from_millis(500);
    /// Wait for an answer, when the URL does not say.
    pub const RESPONSE: Duration = Duration::from_secs(5);

    /// This endpoint with nothing else said.
    pub fn plain(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            line: SerialLine::default(),
            addressing: Addressing::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// A link over the DLMS wrapper to a socket address.
    pub fn tcp(address: std::net::SocketAddr) -> Self {
        Self::plain(Endpoint::Tcp(Authority::from(address)))
    }

    /// A link over HDLC to a socket address.
    pub fn tcp_hdlc(address: std::net::SocketAddr) -> Self {
        Self::plain(Endpoint::TcpHdlc(Authority::from(address)))
    }

    /// The same link at another endpoint: how a simulated link becomes a concrete one.
    #[must_use]
    pub fn at(&self, endpoint: Endpoint) -> Self {
        Self { endpoint, ..self.clone() }
    }

    /// Whether a simulated device is meant to answer.
    pub fn is_simulated(&self) -> bool {
        self.endpoint == Endpoint::Simulated
    }

    /// Longest silence inside a frame.
    pub fn inter_octet(&self) -> Duration {
        self.timeouts.inter_octet.unwrap_or(Self::INTER_OCTET)
    }

    /// Longest wait for an answer to begin.
    pub fn response(&self) -> Duration {
        self.timeouts.response.unwrap_or(Self::RESPONSE)
    }

    /// Whether the line begins with an IEC 62056-21 mode E sign-on.
    pub fn signs_on(&self) -> bool {
        self.line.sign_on == Some(SignOn::ModeE)
    }

    /// Speed at which the line begins: 300 baud before a sign-on (IEC 62056-21, 6.3.1), else 9600.
    pub fn baud(&self) -> u32 {
        let usual = if self.signs_on() { 300 } else { 9600 };
        self.line.baud.unwrap_or(usual)
    }

    /// Character framing with which the line begins.
    pub fn parity(&self) -> Parity {
        let usual = if self.signs_on() { Parity::Even } else { Parity::None };
        self.line.parity.unwrap_or(usual)
    }
}

/// Port 0 has no meaning here, so an unbound address becomes the DLMS port.
impl From<std::net::SocketAddr> for Authority {
    fn from(address: std::net::SocketAddr) -> Self {
        let port = match address.port() {
            0 => parse::DLMS_PORT,
            port => port,
        };
        Self { host: address.ip().to_string(), port }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for LinkUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Serial(path) => write!(f, "serial://{}", path.as_str())?,
            Endpoint::Tcp(authority) => write!(f, "tcp://{authority}")?,
            Endpoint::TcpHdlc(authority) => write!(f, "tcp+hdlc://{authority}")?,
            Endpoint::Simulated => f.write_str("sim:")?,
        }
        let mut separator = '?';
        for (name, value) in self.parameters() {
            write!(f, "{separator}{name}={value}")?;
            separator = '&';
        }
        Ok(())
    }
}

impl LinkUrl {
    /// The parameters that are set, in the order they are printed.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let text = |value: Option<&dyn fmt::Display>| value.map(ToString::to_string);
        let Addressing { client, server, physical, server_address_size } = &self.addressing;
        let line = &self.line;
        let all = [
            ("baud", text(line.baud.as_ref().map(|value| value as _))),
            ("parity", text(line.parity.as_ref().map(|value| value as _))),
            ("sign-on", text(line.sign_on.as_ref().map(|value| value as _))),
            ("client", text(client.as_ref().map(|value| value as _))),
            ("server", text(server.as_ref().map(|value| value as _))),
            ("physical", text(physical.as_ref().map(|value| value as _))),
            ("server-address-size", text(server_address_size.as_ref().map(|value| value as _))),
            ("inter-octet", self.timeouts.inter_octet.map(parse::duration_text)),
            ("response", self.timeouts.response.map(parse::duration_text)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests;
