//! The MQTT broker of a lab: where its stations and the harness meet.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::link_url::{Authority, LinkUrlError};
use crate::{ClientIdentity, Secret, SecretSource};

/// The broker, and how the harness presents itself to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Where it is.
    pub url: BrokerUrl,
    /// The certificate authority, in PEM, by which an `mqtts` broker is believed.
    pub authority: Option<PathBuf>,
    /// The certificate the harness shows, and its key, where the broker asks for one.
    pub identity: Option<ClientIdentity>,
    /// User and password, where the broker asks for them.
    pub login: Option<Login>,
    /// How often the connection is tried when nothing passes; a broker gives up a client, and its last will is told, after
    /// one and a half times this (MQTT 3.1.1, 3.1.2.10).
    pub keep_alive: Duration,
}

/// User and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// Where the password comes from.
    pub password: SecretSource,
}

/// Where a broker is.
///
/// ```
/// use lab_config::BrokerUrl;
///
/// let url: BrokerUrl = "mqtt://broker.lab".parse()?;
/// assert_eq!(url.to_string(), "mqtt://broker.lab:1883");
/// # Ok::<(), lab_config::BrokerUrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerUrl {
    /// `embedded`: brought up with the simulated devices, on this machine's loopback, where only simulated stations are.
    Embedded,
    /// `mqtt://host:1883`.
    Plain(Authority),
    /// `mqtts://host:8883`: over TLS.
    Tls(Authority),
}

/// A text that says no broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write mqtt://host:1883, mqtts://host:8883 or embedded; user and password have keys of their own")]
pub struct BrokerUrlError;

/// Registered ports of MQTT.
const PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, BrokerUrlError> {
        let refused = |_: LinkUrlError| BrokerUrlError;
        match text.split_once("://") {
            None if text == "embedded" => Ok(Self::Embedded),
            Some(("mqtt", rest)) => Authority::parse(rest, Some(PORT)).map(Self::Plain).map_err(refused),
            Some(("mqtts", rest)) => Authority::parse(rest, Some(TLS_PORT)).map(Self::Tls).map_err(refused),
            _ => Err(BrokerUrlError),
        }
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Plain(authority) => write!(f, "mqtt://{authority}"),
            Self::Tls(authority) => write!(f, "mqtts://{authority}"),
        }
    }
}

impl Broker {
    /// How often the connection is tried, when the lab file does not say.
    pub const KEEP_ALIVE: Duration = Duration::from_secs(5);

    /// The same broker at a concrete place: how an embedded one becomes one that is reached.
    #[must_use]
    pub fn at(self, address: std::net::SocketAddr) -> Self {
        Self { url: BrokerUrl::Plain(Authority::from(address)), ..self }
    }

    /// Whether it is to be brought up with the simulated devices.
    pub fn is_embedded(&self) -> bool {
        self.url == BrokerUrl::Embedded
    }

    /// Who may use an embedded broker, made up when the lab was read.
    pub(crate) fn embedded_login() -> Login {
        let password = SecretSource::Generated(Secret::random_password());
        Login { user: "lab".to_owned(), password }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_embedded_or_at_a_host_and_port() {
        for (text, meant) in [
            ("embedded", "embedded"),
            ("mqtt://10.0.0.7", "mqtt://10.0.0.7:1883"),
            ("mqtts://broker.lab", "mqtts://broker.lab:8883"),
            ("mqtt://[::1]:1884", "mqtt://[::1]:1884"),
        ] {
            assert_eq!(text.parse::<BrokerUrl>().map(|url| url.to_string()), Ok(meant.to_owned()));
        }
        for bad in
            ["", "mqtt:", "mqtt://", "mqtt://user:pw@host", "tcp://host:1883", "mqtt://host:0", "Embedded"]
        {
            assert_eq!(bad.parse::<BrokerUrl>(), Err(BrokerUrlError), "{bad}");
        }
    }
}
