//! A listener: connections, handshakes, and the HTTP of both kinds of client on one port.
//!
//! So many connections at a time, a part of them kept for callers with certificates, and a limit on how long each may take to
//! say something and may stand without a call. What is refused before there is a request (no TLS, a certificate expired or
//! taken back, octets that are no HTTP) is told to the callbook like any other refused call; a connection whose certificate
//! is taken back or expires is closed, and that is told too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::callbook::{Callbook, RefusedCall};
use super::identity::right::Door;
use super::lapse::TakenBack;
use super::pki::Certified;
use super::traffic::Traffic;
use crate::http::Taken;

/// Connections at a time; the next waits in the kernel's queue.
const CONNECTIONS: usize = 1024;
/// Connections at a time of callers who showed no certificate, where others do: they never keep those out.
const STRANGERS: usize = 768;
/// Calls at a time on one connection.
const CALLS_OF_A_CONNECTION: u32 = 128;
/// How long a handshake, and the head of each request, may take.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A connection without traffic is asked for a sign of life this often, and has so long to give it.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// The longest head of a request, in octets.
const HEAD: u32 = 16 << 10;
/// How long an answer may stand untaken before its connection is cut.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// How long what is under way may take to finish once the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait before accepting again when the system refuses a connection, as when it is out of descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// What is known of the other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Where it is.
    pub(super) from: SocketAddr,
    /// The certificate it showed, or what is wrong with it; absent when it showed none.
    pub(super) certificate: Option<Arc<Result<Certified, String>>>,
    /// What the connection is of use for.
    pub(super) traffic: Traffic,
}

/// How callers show who they are.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) taken_back: TakenBack,
}

/// Room for connections.
#[derive(Debug, Clone)]
struct Places {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// A listener that is bound.
#[derive(Debug, Clone)]
pub(super) struct Listening {
    pub(super) door: Door,
    pub(super) tls: Option<Tls>,
    pub(super) callbook: Callbook,
    pub(super) stop: CancellationToken,
}

impl Listening {
    /// Accepts until it is stopped, and waits for what is under way.
    pub(super) async fn serve(self, listener: TcpListener, router: Router) {
        let tasks = TaskTracker::new();
        let (all, strangers) = (Semaphore::new(CONNECTIONS), Semaphore::new(STRANGERS));
        let places = Places { all: Arc::new(all), strangers: Arc::new(strangers) };
        while let Some((stream, from, place)) = self.accept(&listener, &places.all).await {
            tasks.spawn(self.clone().connection(stream, from, router.clone(), (place, places.clone())));
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn accept(
        &self,
        listener: &TcpListener,
        places: &Arc<Semaphore>,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        loop {
            let next = async {
                let place = Arc::clone(places).acquire_owned().await.ok()?;
                Some((listener.accept().await, place))
            };
            let (accepted, place) = self.stop.run_until_cancelled(next).await??;
            match accepted {
                Ok((stream, from)) => return Some((stream, from, place)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Serves one connection and gives its place back.
    async fn connection(
        self,
        stream: TcpStream,
        from: SocketAddr,
        router: Router,
        (_place, places): (OwnedSemaphorePermit, Places),
    ) {
        // Small messages must not wait for acknowledgements of others; a socket that refuses this is slower, no more.
        let _ = stream.set_nodelay(true);
        let mut peer = Peer { from, certificate: None, traffic: Traffic::new() };
        let Some(tls) = &self.tls else { return self.http(stream, peer, router).await };
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
        let shaking = tokio::time::timeout(HEAD_WITHIN, acceptor.accept(stream));
        let stream = match self.stop.run_until_cancelled(shaking).await {
            Some(Ok(Ok(stream))) => stream,
            Some(Ok(Err(error))) => return self.refused(from, "handshake", &error.to_string()),
            Some(Err(_)) => return self.refused(from, "handshake", "it took too long"),
            None => return,
        };
        peer.certificate = shown(&stream);
        let _place = match peer.certificate {
            Some(_) => None,
            None => match Arc::clone(&places.strangers).try_acquire_owned() {
                Ok(place) => Some(place),
                Err(_) => {
                    return self.refused(
                        from,
                        "connection",
                        "as many without a certificate are here as may be",
                    );
                }
            },
        };
        self.http(stream, peer, router).await;
    }

    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        router: Router,
    ) {
        let (from, traffic, certificate) = (peer.from, peer.traffic.clone(), peer.certificate.clone());
        let service = TowerToHyperService::new(router.layer(Extension(peer)));
        let builder = builder();
        let stream = TokioIo::new(Taken::new(stream, TAKEN_WITHIN));
        let mut served = std::pin::pin!(builder.serve_connection(stream, service));
        let ended = tokio::select! {
            ended = served.as_mut() => Some(ended),
            reason = self.lapse(certificate) => return self.refused(from, "connection", &reason),
            () = traffic.idle() => {
                if !traffic.asked() {
                    return self.refused(from, "connection", "it asked for nothing");
                }
                served.as_mut().graceful_shutdown();
                tokio::time::timeout(GRACE, served).await.ok()
            }
            () = self.stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                tokio::time::timeout(GRACE, served).await.ok()
            }
        };
        if let Some(Err(error)) = ended
            && (!traffic.asked() || breaks_the_rules(&*error))
        {
            self.refused(from, "connection", &format!("no HTTP: {}", chain(&*error)));
        }
    }

    /// Waits until what the caller showed counts no more, and says why.
    async fn lapse(&self, certificate: Option<Arc<Result<Certified, String>>>) -> String {
        match (&self.tls, certificate.as_deref()) {
            (Some(tls), Some(Ok(certified))) => {
                format!("{}: {}", certified.holder, tls.taken_back.clone().lapse(certified).await)
            }
            _ => std::future::pending().await,
        }
    }

    fn refused(&self, from: SocketAddr, call: &str, reason: &str) {
        let call = format!("{call} at the {} listener", self.door);
        self.callbook.refused(RefusedCall { by: None, from: from.to_string(), call: &call, reason });
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE.0)
        .keep_alive_timeout(KEEPALIVE.1)
        .max_header_list_size(HEAD)
        .max_concurrent_streams(CALLS_OF_A_CONNECTION);
    builder
}

/// An error with what caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let (mut words, mut cause) = (error.to_string(), error.source());
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}

/// Whether a connection ended because of what came over it, rather than because it broke or stood still.
fn breaks_the_rules(error: &(dyn std::error::Error + 'static)) -> bool {
    let ends =
        |e: &hyper::Error| e.is_timeout() || e.is_incomplete_message() || e.is_closed() || e.is_canceled();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() || error.downcast_ref::<hyper::Error>().is_some_and(ends) {
            return false;
        }
        cause = error.source();
    }
    true
}

/// The handshake has checked the certificate; what it says may still be nothing this lab understands.
fn shown(stream: &tokio_rustls::server::TlsStream<TcpStream>) -> Option<Arc<Result<Certified, String>>> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some(Arc::new(Certified::from_der(certificate).map_err(|e| e.to_string())))
}
