//! Links to devices, written as URLs.
//!
//! | URL | link |
//! |---|---|
//! | `serial:///dev/ttyUSB0?sign-on=e` | a serial port: HDLC, after an IEC 62056-21 sign-on when asked for |
//! | `rfc2217://host:4001?sign-on=e` | the same over the network: a serial server that takes settings (RFC 2217) |
//! | `tcp://host:4059` | TCP with the DLMS wrapper (IEC 62056-47) |
//! | `udp://host:4059` | UDP with the DLMS wrapper, one message a datagram |
//! | `tcp+hdlc://host:port` | TCP carrying HDLC, such as a serial server that takes no settings |
//! | `station://bench-2/optical?sign-on=e` | a serial port that the station `bench-2` offers under the name `optical`, as `serial` |
//! | `station+tcp://bench-2/hub`, `station+udp://…`, `station+tcp+hdlc://…` | a connection or socket a station offers, as `tcp`, `udp` and `tcp+hdlc` |
//! | `sim:` | the simulated device of this path: the embedded lab puts a concrete link in its place |
//!
//! Query parameters, all optional. *Line* means `serial`, `rfc2217`, `station` and `sim`; *HDLC* means those, `tcp+hdlc`
//! and `station+tcp+hdlc`.
//!
//! | parameter | links | meaning | default |
//! |---|---|---|---|
//! | `baud` | line | speed; with a sign-on, the fastest to agree on | 9600; with a sign-on, the meter's fastest |
//! | `parity` | line | `none` (8N1) or `even` (7E1); with a sign-on, how it begins | `none`; `even` with a sign-on |
//! | `flow` | line | flow control: `none` or `rts-cts` | `none` |
//! | `sign-on` | line | before HDLC: `e` for IEC 62056-21 mode E, `none`; `c`: mode C read-out in place of HDLC; `auto`: find out | `none` |
//! | `sign-on-baud` | line | speed the sign-on begins at | 300 |
//! | `echo` | HDLC | whether the head repeats what is sent: `on`, `off`, or `auto` to find out | `auto` |
//! | `window` | HDLC | most frames in a row to propose, 1 to 7; of `sim`, what the meter allows | 1; of `sim`, as its Device Model says |
//! | `frame` | HDLC | longest information field to propose, 32 to 2030 octets; of `sim`, what the meter allows | 128; of `sim`, as its Device Model says |
//! | `physical` | HDLC | physical device address (0 to 16383) | none |
//! | `server-address-size` | HDLC | octets of the server address: 1, 2 or 4 | that of the Device Model, else the smallest that fits |
//! | `client` | all | client SAP (1 to 127) | the management client of the Device Model |
//! | `server` | all | logical device address (1 to 16383) | that of the Device Model, else 1 |
//! | `inter-octet` | all | longest silence inside a frame, as `250ms` or `2s` | 500ms |
//! | `response` | all | longest wait for an answer to begin | 5s |
//! | `retries` | all | how often a connection, a frame or a datagram that only reads is tried again, 0 to 10 | 2 |
//! | `pace` | `sim` | `on`: the line takes the time its speed calls for, and garbles what comes at another speed | `off` |
//! | `transport` | `sim`, path `wan` | what carries the wrapper: `tcp` or `udp` | `tcp` |
//!
//! `flow=xon-xoff` is a word of the language and refused on every one of these links: an HDLC frame carries 11 and 13
//! (hexadecimal) as they are, and so may the block check character of a read-out, and a port that takes them for flow
//! control loses them.

mod parse;

use std::fmt;
use std::time::Duration;

pub use parse::LinkUrlError;
pub(crate) use parse::duration;
pub use proto_dlms::hdlc::{MaxInfo, Window};

use crate::{ClientSap, Name};

/// Where a device is reached, and how.
///
/// ```
/// use lab_config::LinkUrl;
///
/// let url: LinkUrl = "serial:///dev/ttyUSB0?baud=9600&sign-on=e".parse()?;
/// assert_eq!((url.baud(), url.line.baud), (300, Some(9600)));
/// assert_eq!(url.to_string(), "serial:///dev/ttyUSB0?baud=9600&sign-on=e");
/// # Ok::<(), lab_config::LinkUrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkUrl {
    /// What is at the other end.
    pub endpoint: Endpoint,
    /// Speed, parity and sign-on; the parser refuses them on links without a serial line.
    pub line: SerialLine,
    /// Sizes to propose to the meter; the parser refuses them on links without HDLC.
    pub hdlc: HdlcSizes,
    /// DLMS addresses that differ from those of the Device Model.
    pub addressing: Addressing,
    /// Timeouts that differ from the defaults.
    pub timeouts: Timeouts,
    /// Whether a simulated line takes the time a real one takes; the parser refuses it anywhere else.
    pub pace: Option<Switch>,
    /// What carries a simulated WAN link; the parser refuses it anywhere else.
    pub transport: Option<Transport>,
}

/// What is at the other end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A serial port or pseudo-terminal, by its device path.
    Serial(SerialPath),
    /// TCP with the DLMS wrapper.
    Tcp(Authority),
    /// UDP with the DLMS wrapper.
    Udp(Authority),
    /// TCP carrying HDLC frames.
    TcpHdlc(Authority),
    /// A serial port behind a server that takes its settings over the network (RFC 2217).
    Rfc2217(Authority),
    /// What a station at another bench offers.
    Station(StationPort),
    /// A simulated device: whoever starts it says where it answers.
    Simulated,
}

impl Endpoint {
    /// What travels over a link to it; a simulated one is a serial line until it is concrete.
    pub fn carries(&self) -> Carries {
        match self {
            Self::Serial(_) | Self::Rfc2217(_) | Self::Simulated => Carries::Serial,
            Self::Tcp(_) => Carries::Tcp,
            Self::Udp(_) => Carries::Udp,
            Self::TcpHdlc(_) => Carries::TcpHdlc,
            Self::Station(port) => port.carries,
        }
    }
}

/// A port of a station: which, what travels over it, and under which lease it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StationPort {
    /// The station.
    pub station: Name,
    /// The port, as the station's offer file names it.
    pub port: Name,
    /// What is at the port.
    pub carries: Carries,
    /// The lease of the rig under which the port is opened; a lab file says none, a run puts its own in.
    pub lease: Option<LeaseToken>,
}

/// What travels over a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carries {
    /// A serial line.
    Serial,
    /// A TCP connection with the DLMS wrapper.
    Tcp,
    /// A UDP socket with the DLMS wrapper.
    Udp,
    /// A TCP connection carrying HDLC frames.
    TcpHdlc,
}

/// The number of a lease: each is greater than those before it, so that whoever holds an older one can be told from whoever
/// holds the rig.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseToken(pub u64);

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

    /// TCP or UDP port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// How a serial line begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SerialLine {
    /// Speed in baud, one of [`BAUD_RATES`]; with a sign-on the fastest to agree on.
    pub baud: Option<u32>,
    /// Character framing; with a sign-on how it begins.
    pub parity: Option<Parity>,
    /// Flow control.
    pub flow: Option<FlowControl>,
    /// Sign-on before the protocol.
    pub sign_on: Option<SignOn>,
    /// Speed in baud the sign-on begins at, one of [`BAUD_RATES`].
    pub sign_on_baud: Option<u32>,
    /// Whether what is sent comes back.
    pub echo: Option<Echo>,
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
        /// IEC 62056-21 protocol mode C: identification at 300 baud, then a read-out at the speed agreed.
        ModeC = "c",
        /// IEC 62056-21 protocol mode E: identification at 300 baud, then HDLC at the speed agreed.
        ModeE = "e",
        /// Not known: to be found out before anything else.
        Auto = "auto",
    }
}

crate::vocabulary! {
    /// Flow control of a serial line.
    pub enum FlowControl {
        /// None: everything is taken as fast as it comes.
        None = "none",
        /// By the RTS and CTS wires.
        RtsCts = "rts-cts",
        /// By the characters XON and XOFF, for protocols that never send them as data.
        XonXoff = "xon-xoff",
    }
}

crate::vocabulary! {
    /// Whether an optical head repeats what is sent through it.
    pub enum Echo {
        /// Not known: found out from what comes back first.
        Auto = "auto",
        /// It does.
        On = "on",
        /// It does not.
        Off = "off",
    }
}

crate::vocabulary! {
    /// On or off.
    pub enum Switch {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
    }
}

crate::vocabulary! {
    /// What carries messages of the DLMS wrapper (IEC 62056-47).
    pub enum Transport {
        /// A TCP connection.
        Tcp = "tcp",
        /// UDP, one message a datagram.
        Udp = "udp",
    }
}

/// Sizes of an HDLC connection to propose (IEC 62056-46, 6.4.4.4.3.2); the meter may agree to less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct HdlcSizes {
    /// Most frames in a row before an acknowledgement.
    pub window: Option<Window>,
    /// Longest information field of a frame, in octets.
    pub max_info: Option<MaxInfo>,
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

/// How long a link waits, and how often it tries again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// Longest silence inside a frame.
    pub inter_octet: Option<Duration>,
    /// Longest wait for an answer to begin.
    pub response: Option<Duration>,
    /// How often what may be repeated is tried again, at most [`MOST_RETRIES`].
    pub retries: Option<u8>,
}

/// Most retries a link URL may ask for.
pub const MOST_RETRIES: u8 = 10;

impl LinkUrl {
    /// Silence inside a frame that ends it, when the URL does not say. The 25 ms of the standard is far too short for
    /// optical heads and serial servers.
    pub const INTER_OCTET: Duration = Duration::from_millis(500);
    /// Wait for an answer, when the URL does not say.
    pub const RESPONSE: Duration = Duration::from_secs(5);
    /// How often what may be repeated is tried again, when the URL does not say.
    pub const RETRIES: u8 = 2;
    /// Speed at which a sign-on begins, when the URL does not say (IEC 62056-21, 6.3.1).
    pub const SIGN_ON_BAUD: u32 = 300;

    /// This endpoint with nothing else said.
    pub fn plain(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            line: SerialLine::default(),
            hdlc: HdlcSizes::default(),
            addressing: Addressing::default(),
            timeouts: Timeouts::default(),
            pace: None,
            transport: None,
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

    /// A link over the DLMS wrapper in datagrams to a socket address.
    pub fn udp(address: std::net::SocketAddr) -> Self {
        Self::plain(Endpoint::Udp(Authority::from(address)))
    }

    /// The same link at another endpoint: how a simulated link becomes a concrete one. What only a simulated link can
    /// be told stays behind.
    #[must_use]
    pub fn at(&self, endpoint: Endpoint) -> Self {
        let pace = self.pace.filter(|_| endpoint == Endpoint::Simulated);
        let transport = self.transport.filter(|_| endpoint == Endpoint::Simulated);
        Self { endpoint, pace, transport, ..self.clone() }
    }

    /// Whether a simulated device is meant to answer.
    pub fn is_simulated(&self) -> bool {
        self.endpoint == Endpoint::Simulated
    }

    /// The same link under this lease, where it leads to a station's port.
    #[must_use]
    pub fn leased(mut self, token: LeaseToken) -> Self {
        if let Endpoint::Station(port) = &mut self.endpoint {
            port.lease = Some(token);
        }
        self
    }

    /// What travels over it; a simulated link is a serial line until it has a concrete endpoint.
    pub fn carries(&self) -> Carries {
        self.endpoint.carries()
    }

    /// The station whose port it leads to.
    pub fn station(&self) -> Option<&Name> {
        match &self.endpoint {
            Endpoint::Station(port) => Some(&port.station),
            _ => None,
        }
    }

    /// Longest silence inside a frame.
    pub fn inter_octet(&self) -> Duration {
        self.timeouts.inter_octet.unwrap_or(Self::INTER_OCTET)
    }

    /// Longest wait for an answer to begin.
    pub fn response(&self) -> Duration {
        self.timeouts.response.unwrap_or(Self::RESPONSE)
    }

    /// How often what may be repeated is tried again.
    pub fn retries(&self) -> u8 {
        self.timeouts.retries.unwrap_or(Self::RETRIES)
    }

    /// What is said on the line before the protocol.
    pub fn sign_on(&self) -> SignOn {
        self.line.sign_on.unwrap_or(SignOn::None)
    }

    /// Whether the line begins with an IEC 62056-21 sign-on, in whichever mode it goes on.
    pub fn signs_on(&self) -> bool {
        matches!(self.sign_on(), SignOn::ModeC | SignOn::ModeE)
    }

    /// Speed at which the line begins.
    pub fn baud(&self) -> u32 {
        match self.signs_on() {
            true => self.line.sign_on_baud.unwrap_or(Self::SIGN_ON_BAUD),
            false => self.line.baud.unwrap_or(9600),
        }
    }

    /// Character framing with which the line begins.
    pub fn parity(&self) -> Parity {
        let usual = if self.signs_on() { Parity::Even } else { Parity::None };
        self.line.parity.unwrap_or(usual)
    }

    /// Flow control of the line.
    pub fn flow(&self) -> FlowControl {
        self.line.flow.unwrap_or(FlowControl::None)
    }

    /// Whether a simulated line takes the time a real one takes.
    pub fn is_paced(&self) -> bool {
        self.pace == Some(Switch::On)
    }

    /// What carries a simulated WAN link.
    pub fn transport(&self) -> Transport {
        self.transport.unwrap_or(Transport::Tcp)
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
            Endpoint::Udp(authority) => write!(f, "udp://{authority}")?,
            Endpoint::TcpHdlc(authority) => write!(f, "tcp+hdlc://{authority}")?,
            Endpoint::Rfc2217(authority) => write!(f, "rfc2217://{authority}")?,
            Endpoint::Station(StationPort { station, port, .. }) => {
                write!(f, "{}://{station}/{port}", self.endpoint.scheme())?;
            }
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
        fn text(value: Option<impl fmt::Display>) -> Option<String> {
            value.map(|value| value.to_string())
        }
        let Self { line, hdlc, addressing, timeouts, .. } = self;
        let all = [
            ("baud", text(line.baud)),
            ("parity", text(line.parity)),
            ("flow", text(line.flow)),
            ("sign-on", text(line.sign_on)),
            ("sign-on-baud", text(line.sign_on_baud)),
            ("echo", text(line.echo)),
            ("window", text(hdlc.window.map(Window::get))),
            ("frame", text(hdlc.max_info.map(MaxInfo::get))),
            ("client", text(addressing.client)),
            ("server", text(addressing.server)),
            ("physical", text(addressing.physical)),
            ("server-address-size", text(addressing.server_address_size)),
            ("inter-octet", timeouts.inter_octet.map(parse::duration_text)),
            ("response", timeouts.response.map(parse::duration_text)),
            ("retries", text(timeouts.retries)),
            ("pace", text(self.pace)),
            ("transport", text(self.transport)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests;
