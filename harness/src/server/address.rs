//! Addresses to listen on, and whose callers are believed there.

use std::net::SocketAddr;
use std::str::FromStr;

/// A listener without credentials where others could reach it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} can be reached from other machines: without credentials the lab listens on loopback addresses only"
)]
pub struct NotLoopback(pub SocketAddr);

/// An address of this machine that no other machine reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackAddress(SocketAddr);

impl LoopbackAddress {
    /// The address and port.
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

/// The text is no address to listen on without credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// Not an address.
    #[error("`{0}` is no address: expected an IP address and a port, such as 127.0.0.1:50051 or [::1]:50051")]
    Format(String),
    /// Other machines may reach it.
    #[error(transparent)]
    NotLoopback(#[from] NotLoopback),
}

impl FromStr for LoopbackAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: SocketAddr = text.parse().map_err(|_| ListenAddressError::Format(text.to_owned()))?;
        Ok(Self::try_from(address)?)
    }
}

impl TryFrom<SocketAddr> for LoopbackAddress {
    type Error = NotLoopback;

    fn try_from(address: SocketAddr) -> Result<Self, NotLoopback> {
        match address.ip().is_loopback() {
            true => Ok(Self(address)),
            false => Err(NotLoopback(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_loopback() {
        for address in ["127.0.0.1:0", "127.8.0.1:9", "[::1]:50051"] {
            assert_eq!(address.parse::<LoopbackAddress>().unwrap().get().to_string(), address);
        }
        for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:127.0.0.1]:1"] {
            let error = address.parse::<LoopbackAddress>().unwrap_err();
            assert!(error.to_string().contains("without credentials"), "{error}");
        }
        assert!(matches!("localhost:1".parse::<LoopbackAddress>(), Err(ListenAddressError::Format(_))));
    }
}
