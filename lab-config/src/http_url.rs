//! Addresses of HTTP in lab files: where a DCC is, where a User System listens.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::link_url::Authority;

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

    /// Its path, which begins with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it does not leave this machine: nobody else hears what is said there without TLS.
    pub fn is_loopback(&self) -> bool {
        let host = self.authority.host();
        host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
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
    fn only_an_address_of_this_machine_is_loopback() {
        for (text, loopback) in [
            ("http://127.0.0.1:8079", true),
            ("http://[::1]:8079", true),
            ("http://localhost:8079", true),
            ("http://127.0.0.1.lab:8079", false),
            ("http://192.0.2.7", false),
        ] {
            assert_eq!(text.parse::<HttpUrl>().map(|url| url.is_loopback()), Ok(loopback), "{text}");
        }
    }

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
