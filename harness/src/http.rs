//! A small HTTP server with limits, for the doors at which messages arrive: the service user's listener, the DCC.
//!
//! So many connections at a time and no more (the next waits in the kernel's queue), a limit on how long the head and the
//! body of a request may take and how long an answer may stand untaken, and an end: stopping lets what is under way finish
//! for a moment and then cuts it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long the head of a request may take to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long the octets of a message may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may stand untaken before its connection is cut.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);
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
    #[cfg(test)]
    pub(crate) async fn start(router: Router, connections: usize) -> std::io::Result<Server> {
        Server::start_at((std::net::Ipv4Addr::LOCALHOST, 0).into(), None, router, connections).await
    }

    /// As [`Server::start`], at an address that is given, and over TLS where that is given.
    ///
    /// # Errors
    /// The address is taken, or not of this machine.
    pub(crate) async fn start_at(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        router: Router,
        connections: usize,
    ) -> std::io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let door = Door { router, tls, stop: stop.clone() };
        tasks.spawn(door.accept(listener, connections, tasks.clone()));
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

/// A message that could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("a message has at most {limit} octets here")]
    TooLong { limit: usize },
    #[error("the message did not arrive within {} s", BODY_WITHIN.as_secs())]
    TooSlow,
    #[error("the message broke off: {0}")]
    BrokeOff(String),
}

impl BodyError {
    /// What the sender is told.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            BodyError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            BodyError::BrokeOff(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the whole of a message of at most `limit` octets, within a deadline.
pub(crate) async fn body(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let collected = tokio::time::timeout(BODY_WITHIN, Limited::new(body, limit).collect());
    match collected.await {
        Ok(Ok(octets)) => Ok(octets.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLong { limit }),
        Ok(Err(error)) => Err(BodyError::BrokeOff(error.to_string())),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// What stands behind every connection.
#[derive(Clone)]
struct Door {
    router: Router,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
}

impl Door {
    async fn accept(self, listener: TcpListener, connections: usize, tasks: TaskTracker) {
        let places = Arc::new(Semaphore::new(connections));
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await.ok()?;
                Some((listener.accept().await, place))
            };
            let Some(Some((accepted, place))) = self.stop.run_until_cancelled(next).await else { return };
            match accepted {
                Ok((stream, _)) => {
                    tasks.spawn(self.clone().connection(stream, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Serves one connection and gives its place back.
    async fn connection(self, stream: TcpStream, _place: OwnedSemaphorePermit) {
        let Some(tls) = &self.tls else { return self.serve(stream).await };
        let shaking = tokio::time::timeout(HEAD_WITHIN, tls.accept(stream));
        match self.stop.run_until_cancelled(shaking).await {
            Some(Ok(Ok(stream))) => self.serve(stream).await,
            Some(Ok(Err(error))) => tracing::info!(%error, "a connection turned away: no TLS as it must be"),
            Some(Err(_)) => tracing::info!("a connection turned away: TLS took longer than {HEAD_WITHIN:?}"),
            None => {}
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
        let service = TowerToHyperService::new(self.router.clone());
        let stream = TokioIo::new(Taken::new(stream, TAKEN_WITHIN));
        let mut served = std::pin::pin!(server.serve_connection(stream, service));
        let ended = tokio::select! {
            ended = served.as_mut() => Some(ended),
            () = self.stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                tokio::time::timeout(GRACE, served).await.ok()
            }
        };
        if let Some(Err(error)) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// A connection that is cut when its peer takes nothing: a write that waits longer than it may is an error, so that a
/// peer which reads nothing holds neither its place nor what is written for it.
#[derive(Debug)]
pub(crate) struct Taken<S> {
    stream: S,
    within: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Taken<S> {
    /// `within` is how long a write may wait.
    pub(crate) const fn new(stream: S, within: Duration) -> Self {
        Self { stream, within, waiting: None }
    }

    /// What became of a write: done, or waiting still, or waiting too long.
    fn judged<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let within = self.within;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        waiting.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nothing was taken for {} s", within.as_secs()),
            ))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taken<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taken<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.judged(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judged(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judged(cx, closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_cut_off() {
        use tokio::io::AsyncWriteExt as _;
        let (ours, theirs) = tokio::io::duplex(16);
        let mut taken = Taken::new(ours, TAKEN_WITHIN);
        let begun = tokio::time::Instant::now();
        let error = taken.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, TAKEN_WITHIN));
        drop(theirs);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_given_up() {
        let never = Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>());
        let begun = tokio::time::Instant::now();
        let error = body(never, 100).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(begun.elapsed().as_secs(), BODY_WITHIN.as_secs());
        assert_eq!(body(Body::from("12345"), 5).await.unwrap(), "12345");
        let error = body(Body::from("123456"), 5).await.unwrap_err();
        assert_eq!(error.to_string(), "a message has at most 5 octets here");
    }
}
