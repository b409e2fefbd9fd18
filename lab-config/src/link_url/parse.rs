//! From text to a [`LinkUrl`].

use std::net::Ipv6Addr;
use std::str::FromStr;
use std::time::Duration;

use super::{
    Addressing, Authority, BAUD_RATES, Carries, Endpoint, FlowControl, HdlcSizes, LinkUrl, MOST_RETRIES,
    MaxInfo, SerialLine, SerialPath, StationPort, Timeouts, Window,
};
use crate::nearest::nearest;

/// The port DLMS/COSEM is registered for.
pub(super) const DLMS_PORT: u16 = 4059;

const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The shortest information field worth proposing: an association still fits in a few.
const SHORTEST_FRAME: u16 = 32;

/// The links a parameter has a meaning on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    All,
    /// Those with a serial line at the far end whose settings can be had.
    Line,
    /// Those that carry HDLC.
    Hdlc,
    Simulated,
}

const PARAMETERS: [(&str, Place); 17] = [
    ("baud", Place::Line),
    ("parity", Place::Line),
    ("flow", Place::Line),
    ("sign-on", Place::Line),
    ("sign-on-baud", Place::Line),
    ("echo", Place::Hdlc),
    ("window", Place::Hdlc),
    ("frame", Place::Hdlc),
    ("client", Place::All),
    ("server", Place::All),
    ("physical", Place::Hdlc),
    ("server-address-size", Place::Hdlc),
    ("inter-octet", Place::All),
    ("response", Place::All),
    ("retries", Place::All),
    ("pace", Place::Simulated),
    ("transport", Place::Simulated),
];

impl Endpoint {
    /// How a link to it begins.
    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Station(StationPort { carries, .. }) => carries.scheme(),
            Self::Serial(_) => "serial",
            Self::Tcp(_) => "tcp",
            Self::Udp(_) => "udp",
            Self::TcpHdlc(_) => "tcp+hdlc",
            Self::Rfc2217(_) => "rfc2217",
            Self::Simulated => "sim",
        }
    }

    fn takes(&self, place: Place) -> bool {
        let carries = self.carries();
        match place {
            Place::All => true,
            Place::Line => carries == Carries::Serial,
            Place::Hdlc => matches!(carries, Carries::Serial | Carries::TcpHdlc),
            Place::Simulated => *self == Self::Simulated,
        }
    }
}

impl Carries {
    const ALL: [Self; 4] = [Self::Serial, Self::Tcp, Self::Udp, Self::TcpHdlc];

    /// How a link to such a port of a station begins.
    const fn scheme(self) -> &'static str {
        match self {
            Self::Serial => "station",
            Self::Tcp => "station+tcp",
            Self::Udp => "station+udp",
            Self::TcpHdlc => "station+tcp+hdlc",
        }
    }
}

/// Why a text is no link URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkUrlError {
    /// It begins with no known scheme.
    #[error(
        "a link begins with serial://, rfc2217://, tcp://, udp://, tcp+hdlc://, station:// or sim:, not `{0}`"
    )]
    Scheme(String),
    /// The device path of a serial link.
    #[error(
        "`{0}` is no device path: write serial:///dev/ttyUSB0, an absolute path without spaces, `?` or `#`"
    )]
    SerialPath(String),
    /// The host or port of a network link.
    #[error("`{0}` is no host and port: write tcp://meter.example:4059 or tcp://[::1]:4059")]
    Authority(String),
    /// The station or the port of a station's link.
    #[error(
        "`{0}` is no station and port: write station://bench-2/optical, the names of the station's offer file"
    )]
    StationPort(String),
    /// A parameter without `=`.
    #[error("parameter `{0}` has no value: write name=value")]
    NoValue(String),
    /// A parameter nobody knows.
    #[error("unknown parameter `{name}`: {advice}")]
    Unknown {
        /// The name found.
        name: String,
        /// The nearest known one, or all of them.
        advice: String,
    },
    /// A parameter given twice.
    #[error("parameter `{0}` is given twice")]
    Repeated(String),
    /// A parameter that has no meaning on this kind of link.
    #[error("parameter `{name}` has no meaning on a {link} link: remove it")]
    OutOfPlace {
        /// The parameter.
        name: String,
        /// The kind of link.
        link: &'static str,
    },
    /// Flow control by characters that the protocol of this link sends as data.
    #[error(
        "parameter `flow`: xon-xoff loses octets on a {link} link, for HDLC frames and the check character of a read-out carry 11 and 13 (hexadecimal) as they are: write none or rts-cts"
    )]
    XonXoff {
        /// The kind of link.
        link: &'static str,
    },
    /// A parameter whose value is refused.
    #[error("parameter `{name}`: `{found}` is not {expected}")]
    Value {
        /// The parameter.
        name: String,
        /// The value found.
        found: String,
        /// What it should be.
        expected: String,
    },
}

impl FromStr for LinkUrl {
    type Err = LinkUrlError;

    fn from_str(text: &str) -> Result<Self, LinkUrlError> {
        let (address, query) = match text.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (text, None),
        };
        let mut url = LinkUrl::plain(endpoint(address)?);
        let mut seen = Vec::new();
        for parameter in query.into_iter().flat_map(|query| query.split('&')) {
            let (name, value) =
                parameter.split_once('=').ok_or_else(|| LinkUrlError::NoValue(parameter.to_owned()))?;
            if seen.contains(&name) {
                return Err(LinkUrlError::Repeated(name.to_owned()));
            }
            seen.push(name);
            url.set(name, value)?;
        }
        Ok(url)
    }
}

fn endpoint(address: &str) -> Result<Endpoint, LinkUrlError> {
    if let Some(path) = address.strip_prefix("serial://") {
        return path.parse().map(Endpoint::Serial);
    }
    if let Some(rest) = address.strip_prefix("tcp+hdlc://") {
        return authority(rest, None).map(Endpoint::TcpHdlc);
    }
    if let Some(rest) = address.strip_prefix("rfc2217://") {
        return authority(rest, None).map(Endpoint::Rfc2217);
    }
    if let Some(rest) = address.strip_prefix("udp://") {
        return authority(rest, Some(DLMS_PORT)).map(Endpoint::Udp);
    }
    if let Some(rest) = address.strip_prefix("tcp://") {
        return authority(rest, Some(DLMS_PORT)).map(Endpoint::Tcp);
    }
    for carries in Carries::ALL {
        let rest = address.strip_prefix(carries.scheme()).and_then(|rest| rest.strip_prefix("://"));
        if let Some(rest) = rest {
            return station_port(rest, carries).map(Endpoint::Station);
        }
    }
    match address {
        "sim:" => Ok(Endpoint::Simulated),
        other => Err(LinkUrlError::Scheme(other.chars().take(40).collect())),
    }
}

fn station_port(text: &str, carries: Carries) -> Result<StationPort, LinkUrlError> {
    let named = text.split_once('/').and_then(|(station, port)| {
        Some(StationPort { station: station.parse().ok()?, port: port.parse().ok()?, carries, lease: None })
    });
    named.ok_or_else(|| LinkUrlError::StationPort(text.to_owned()))
}

impl FromStr for SerialPath {
    type Err = LinkUrlError;

    fn from_str(path: &str) -> Result<Self, LinkUrlError> {
        let forbidden =
            |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '?' | '#');
        if path.len() > 1 && path.starts_with('/') && !path.contains(forbidden) {
            Ok(Self(path.to_owned()))
        } else {
            Err(LinkUrlError::SerialPath(path.to_owned()))
        }
    }
}

impl Authority {
    /// A host, and a port unless there is a usual one.
    pub(crate) fn parse(text: &str, usual: Option<u16>) -> Result<Self, LinkUrlError> {
        authority(text, usual)
    }
}

fn authority(text: &str, usual: Option<u16>) -> Result<Authority, LinkUrlError> {
    let refused = || LinkUrlError::Authority(text.to_owned());
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let address: Ipv6Addr = address.parse().map_err(|_| refused())?;
            (address.to_string(), port)
        }
        None => {
            let colon = text.find(':').unwrap_or(text.len());
            (host_name(&text[..colon]).ok_or_else(refused)?, &text[colon..])
        }
    };
    let port = match (port.strip_prefix(':'), usual) {
        (None, Some(usual)) if port.is_empty() => usual,
        (Some(digits), _) => port_number(digits).ok_or_else(refused)?,
        _ => return Err(refused()),
    };
    Ok(Authority { host, port })
}

fn host_name(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)).then(|| text.to_owned())
}

fn port_number(digits: &str) -> Option<u16> {
    number(digits).filter(|port| *port != 0)
}

impl LinkUrl {
    fn set(&mut self, name: &str, value: &str) -> Result<(), LinkUrlError> {
        self.refuse_out_of_place(name)?;
        match name {
            "baud" | "parity" | "flow" | "sign-on" | "sign-on-baud" | "echo" => self.line.set(name, value)?,
            "window" | "frame" => self.hdlc.set(name, value)?,
            "inter-octet" | "response" | "retries" => self.timeouts.set(name, value)?,
            "pace" => self.pace = Some(word(name, value)?),
            "transport" => self.transport = Some(word(name, value)?),
            _ => self.addressing.set(name, value)?,
        }
        match self.line.flow {
            Some(FlowControl::XonXoff) => Err(LinkUrlError::XonXoff { link: self.endpoint.scheme() }),
            _ => Ok(()),
        }
    }

    fn refuse_out_of_place(&self, name: &str) -> Result<(), LinkUrlError> {
        let (_, place) = PARAMETERS.iter().find(|(known, _)| *known == name).ok_or_else(|| unknown(name))?;
        match self.endpoint.takes(*place) {
            true => Ok(()),
            false => {
                let (name, link) = (name.to_owned(), self.endpoint.scheme());
                Err(LinkUrlError::OutOfPlace { name, link })
            }
        }
    }
}

impl SerialLine {
    fn set(&mut self, name: &str, value: &str) -> Result<(), LinkUrlError> {
        match name {
            "baud" => self.baud = Some(baud(name, value)?),
            "parity" => self.parity = Some(word(name, value)?),
            "flow" => self.flow = Some(word(name, value)?),
            "sign-on" => self.sign_on = Some(word(name, value)?),
            "sign-on-baud" => self.sign_on_baud = Some(baud(name, value)?),
            _ => self.echo = Some(word(name, value)?),
        }
        Ok(())
    }
}

impl HdlcSizes {
    fn set(&mut self, name: &str, value: &str) -> Result<(), LinkUrlError> {
        match name {
            "window" => {
                let frames = number(value).and_then(|frames| Window::new(u8::try_from(frames).ok()?));
                let most = Window::MAX.get();
                let expected = format!("a number of frames from 1 to {most}");
                self.window = Some(frames.ok_or_else(|| refused(name, value, expected))?);
            }
            _ => {
                let octets = number(value).filter(|octets| *octets >= SHORTEST_FRAME).and_then(MaxInfo::new);
                let most = MaxInfo::MAX.get();
                let expected = format!("a number of octets from {SHORTEST_FRAME} to {most}");
                self.max_info = Some(octets.ok_or_else(|| refused(name, value, expected))?);
            }
        }
        Ok(())
    }
}

impl Addressing {
    fn set(&mut self, name: &str, value: &str) -> Result<(), LinkUrlError> {
        match name {
            "client" => self.client = Some(word(name, value)?),
            "server" => self.server = Some(address(name, value, 1)?),
            "physical" => self.physical = Some(address(name, value, 0)?),
            _ => self.server_address_size = Some(word(name, value)?),
        }
        Ok(())
    }
}

impl Timeouts {
    fn set(&mut self, name: &str, value: &str) -> Result<(), LinkUrlError> {
        if name == "retries" {
            let expected = format!("a number from 0 to {MOST_RETRIES}");
            let retries = number(value).and_then(|count| u8::try_from(count).ok());
            let retries = retries.filter(|count| *count <= MOST_RETRIES);
            self.retries = Some(retries.ok_or_else(|| refused(name, value, expected))?);
            return Ok(());
        }
        let expected = "a time from 1ms to 600s, such as 250ms or 2s";
        let duration = duration(value).ok_or_else(|| refused(name, value, expected))?;
        match name {
            "inter-octet" => self.inter_octet = Some(duration),
            _ => self.response = Some(duration),
        }
        Ok(())
    }
}

fn unknown(name: &str) -> LinkUrlError {
    let known = PARAMETERS.map(|(name, _)| name);
    let advice = match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of {}", known.join(", ")),
    };
    let name = name.to_owned();
    LinkUrlError::Unknown { name, advice }
}

fn refused(name: &str, found: &str, expected: impl Into<String>) -> LinkUrlError {
    LinkUrlError::Value { name: name.to_owned(), found: found.to_owned(), expected: expected.into() }
}

fn word<T>(name: &str, value: &str) -> Result<T, LinkUrlError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    value.parse().map_err(|error: T::Err| refused(name, value, format!("known: {error}")))
}

fn baud(name: &str, value: &str) -> Result<u32, LinkUrlError> {
    let known = BAUD_RATES.into_iter().find(|rate| rate.to_string() == value);
    known.ok_or_else(|| {
        let rates: Vec<String> = BAUD_RATES.iter().map(u32::to_string).collect();
        refused(name, value, format!("one of {}", rates.join(", ")))
    })
}

fn address(name: &str, value: &str, lowest: u16) -> Result<u16, LinkUrlError> {
    number(value)
        .filter(|number| (lowest..=16383).contains(number))
        .ok_or_else(|| refused(name, value, format!("a number from {lowest} to 16383")))
}

/// Digits only: `u16::from_str` would also take a sign.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A time as files write it: whole milliseconds or seconds, from 1 ms to 10 minutes.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, Duration::from_millis as fn(u64) -> Duration),
        None => (text.strip_suffix('s')?, Duration::from_secs as fn(u64) -> Duration),
    };
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u32 = all_digits.then(|| digits.parse().ok())??;
    let duration = unit(u64::from(count));
    (Duration::from_millis(1)..=LONGEST_WAIT).contains(&duration).then_some(duration)
}

/// The shortest text [`duration`] reads back as the same time.
pub(super) fn duration_text(duration: Duration) -> String {
    match duration.as_millis() {
        whole if whole % 1000 == 0 => format!("{}s", whole / 1000),
        millis => format!("{millis}ms"),
    }
}
