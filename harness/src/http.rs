//! A small HTTP server with limits, for the doors at which messages arrive: the service user's listener, the DCC.
//!
//! So many connections at a time and no more (the next waits in the kernel's queue), a limit on how long the head of a
//! request may take, and an end: stopping lets what is under way finish for a moment and then cuts it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long the head of a request may take to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long what is under way may take to finish once the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait before accepting again when the system refuses a connection, as when it is out of descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// A server under way. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl Server {
    /// Listens on a port of its own on the loopback interface and serves `router`, `connections` at a time.
    ///
    /// # Errors
    /// There is no port to be had.
    pub(crate) async fn start(router: Router, connections: usize) -> std::io::Result<Server> {
        Server::start_at((std::net::Ipv4Addr::LOCALHOST, 0).into(), router, connections).await
    }

    /// As [`Server::start`], at an address that is given.
    ///
    /// # Errors
    /// The address is taken, or not of this machine.
    pub(crate) async fn start_at(
        address: SocketAddr,
        router: Router,
        connections: usize,
    ) -> std::io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(accept(listener, router, connections, tasks.clone(), stop.clone()));
        Ok(Server { address, tasks, stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops and waits until every connection is closed, a few seconds at most.
    pub(crate) async fn stop(self) {
        self.tasks.close();
        drop(self.stop);
        self.tasks.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    connections: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(connections));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let Some(Some((accepted, place))) = stop.run_until_cancelled(next).await else { return };
        match accepted {
            Ok((stream, _)) => {
                tasks.spawn(connection(stream, router.clone(), place, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, place: OwnedSemaphorePermit, stop: CancellationToken) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let service = TowerToHyperService::new(router);
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => Some(ended),
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, served).await.ok()
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(place);
}
