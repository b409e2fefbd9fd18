//! The embedded broker: MQTT 3.1.1 on this machine's loopback, for a lab whose stations are simulated.
//!
//! It is what brings up a lab with nothing installed; a lab with real stations has a broker of its own (Debian's `mosquitto`
//! serves). The codec is that of the MQTT client the lab uses anyway; what a broker is besides, [`Exchange`] decides without
//! a socket or a clock: who is there, who hears what, what is retained, whose will is told.
//!
//! What it does not do: keep a session for a client that has gone (it says so at each connection, "session present" 0),
//! or deliver exactly once to a subscriber (it grants at most quality of service 1; publishers may use 2).

mod exchange;
mod serve;
#[cfg(test)]
mod tests;

pub use exchange::{ClientKey, Exchange, Refused};

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running broker. Dropped, it stops.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Broker {
    /// Starts a broker at this port of the loopback, any free one for port 0; only who logs in as this user with this
    /// password is let in.
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn start(port: u16, user: &str, password: &[u8]) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let address = listener.local_addr()?;
        let exchange = Shared(Arc::new(Mutex::new(Exchange::new(user, password))));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(serve::serve(exchange, listener, stop.clone(), tasks.clone()));
        Ok(Self { address, stop, tasks })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it and closes every connection. Wills are not told: there is nobody left to hear them.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The exchange in the hands of every connection.
#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Exchange>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Exchange) -> T) -> T {
        // Every step of the exchange stands by itself, so a panic between two leaves nothing half done.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
