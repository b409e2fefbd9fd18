//! The DCC of a lab: where its interface for users is, and the User Systems outside the harness that use it.
//!
//! Without a word in the lab file the DCC is the stub of the harness, on a port of its own on loopback, with keys made for each
//! run. A lab in which somebody else's User System sends requests (SVTAD 5.2(b)) gives it a fixed door, TLS, keys that the
//! other side can know beforehand, and the names of those who may come in.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use proto_duis::{Eui64, UserRole};

use crate::link_url::Authority;
use crate::{ClientIdentity, Name};

/// The DCC's interface for users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DccInterface {
    /// Where it listens; beyond loopback only with TLS.
    pub listen: SocketAddr,
    /// Mutual TLS; plain HTTP without it.
    pub tls: Option<TlsFiles>,
    /// The keys the DSP and the S1SP sign with; made for each run without it.
    pub signing: Option<Signing>,
    /// Those outside the harness who may send requests.
    pub user_systems: Vec<UserSystem>,
}

impl Default for DccInterface {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen, tls: None, signing: None, user_systems: Vec::new() }
    }
}

/// Files of mutual TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority whose certificates are believed.
    pub authority: PathBuf,
    /// What is shown to the other side.
    pub identity: ClientIdentity,
}

/// Certificates and keys (P-256, PKCS#8) that sign what users get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The Data Service Provider's.
    pub dsp: ClientIdentity,
    /// The SMETS1 Service Provider's.
    pub s1sp: ClientIdentity,
}

/// A User System outside the harness, with requests and keys of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSystem {
    /// What the lab calls it.
    pub name: Name,
    /// Its identity in messages.
    pub id: Eui64,
    /// The roles it has.
    pub roles: BTreeSet<UserRole>,
    /// The certificate its requests are signed under, in PEM.
    pub certificate: PathBuf,
    /// Where it gets answers and alerts.
    pub listener: HttpUrl,
}

/// An address of HTTP, with or without TLS.
///
/// ```
/// let url: lab_config::HttpUrl = "https://supplier.lab:8443/answers".parse()?;
/// assert!(url.is_secure());
/// assert_eq!(url.to_string(), "https://supplier.lab:8443/answers");
/// # Ok::<(), lab_config::HttpUrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    secure: bool,
    authority: Authority,
    /// Begins with a slash.
    path: String,
}

/// A text that is no address of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write http://host:port/path or https://host:port/path, without user, query and fragment")]
pub struct HttpUrlError;

/// Registered ports.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

impl HttpUrl {
    /// Whether it is over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl FromStr for HttpUrl {
    type Err = HttpUrlError;

    fn from_str(text: &str) -> Result<Self, HttpUrlError> {
        let (secure, port, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, HTTP, rest),
            Some(("https", rest)) => (true, HTTPS, rest),
            _ => return Err(HttpUrlError),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "/-._~%".contains(letter);
        let authority = Authority::parse(authority, Some(port)).map_err(|_| HttpUrlError)?;
        match path.chars().all(fits) {
            true => Ok(Self { secure, authority, path: path.to_owned() }),
            false => Err(HttpUrlError),
        }
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_path() {
        for (text, meant) in [
            ("http://10.0.0.7", "http://10.0.0.7:80/"),
            ("https://us.lab/a-b/c.d", "https://us.lab:443/a-b/c.d"),
            ("http://[::1]:8081/", "http://[::1]:8081/"),
        ] {
            assert_eq!(text.parse::<HttpUrl>().map(|url| url.to_string()), Ok(meant.to_owned()));
        }
        let bad = [
            "",
            "10.0.0.7",
            "ftp://x",
            "http://",
            "http://u:p@h/",
            "http://h/?q",
            "http://h/#f",
            "http://h/a b",
        ];
        for text in bad {
            assert_eq!(text.parse::<HttpUrl>(), Err(HttpUrlError), "{text}");
        }
    }
}
