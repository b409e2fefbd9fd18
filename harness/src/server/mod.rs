//! Watching from elsewhere: a gRPC server over a folder of run folders, read only.
//!
//! It has no credentials yet, which is why it answers its own machine only.

pub mod page;
mod watch;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use proto_lab::watch::WatchServer;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use watch::{CALLS, Runs, WatchRuns};

/// A connection without traffic is asked for a sign of life this often.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// An address of this machine that no other machine reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackAddress(SocketAddr);

/// An address the server does not listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// Not an address.
    #[error("`{0}` is no address: expected an IP address and a port, such as 127.0.0.1:50051 or [::1]:50051")]
    Format(String),
    /// Other machines may reach it.
    #[error(
        "{0} can be reached from other machines, and credentials are not built yet: listen on a loopback address such as \
         127.0.0.1, and forward the port over ssh to watch from elsewhere"
    )]
    NotLoopback(SocketAddr),
}

impl LoopbackAddress {
    /// The address and port.
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for LoopbackAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: SocketAddr = text.parse().map_err(|_| ListenAddressError::Format(text.to_owned()))?;
        match address.ip().is_loopback() {
            true => Ok(Self(address)),
            false => Err(ListenAddressError::NotLoopback(address)),
        }
    }
}

impl fmt::Display for LoopbackAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: LoopbackAddress,
        /// Why.
        source: std::io::Error,
    },
    /// It listened, and broke off.
    #[error("the server broke off: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// A server that has its address and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    watch: WatchRuns,
}

impl Server {
    /// Takes the address; port 0 is any free one. `runs` is the folder of the run folders.
    ///
    /// # Errors
    /// [`ServeError::Bind`].
    pub async fn bind(address: LoopbackAddress, runs: impl Into<PathBuf>) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address.0).await.map_err(bind)?;
        let local = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address: local, watch: WatchRuns::new(Runs::new(runs)) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until this future is dropped.
    ///
    /// # Errors
    /// [`ServeError::Serve`].
    pub async fn serve(self) -> Result<(), ServeError> {
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .max_concurrent_streams(CALLS as u32)
            .add_service(WatchServer::new(self.watch))
            .serve_with_incoming(incoming)
            .await?;
        Ok(())
    }
}
