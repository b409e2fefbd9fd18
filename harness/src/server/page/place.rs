//! A place of its own for the page: a loopback address, where whoever is on this machine may watch.

use axum::Router;

use crate::http;
use crate::server::{Door, LoopbackAddress, ServeError};

/// Connections answered at a time; a browser holds up to six.
pub const PAGE_CONNECTIONS: usize = 1024;

/// The page, listening. It stops when this is dropped.
#[derive(Debug)]
pub struct Listening {
    server: http::Server,
}

impl Listening {
    /// Listens at a loopback address; port 0 is any free one.
    ///
    /// # Errors
    /// [`ServeError::Bind`].
    pub async fn start(address: LoopbackAddress, router: impl Into<Router>) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { door: Door::Watch, address: address.get(), source };
        let server = http::Server::start_at(address.get(), None, router.into(), PAGE_CONNECTIONS)
            .await
            .map_err(bind)?;
        Ok(Self { server })
    }

    /// Where it listens.
    pub const fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Stops and waits until every connection is closed, a few seconds at most.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
