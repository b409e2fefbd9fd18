//! The way to the controller: plain on loopback, mutual TLS anywhere else.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lab_config::{ClientIdentity, HttpUrl};
use proto_lab::attach::{Frame, Hello, LONGEST_FRAME, Says, StationClient, StationFrame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::Service;
use tonic::transport::{Endpoint, Uri};
use tonic::{Status, Streaming};

use super::ProgramError;
use crate::tls;

/// How long the controller may take to let the station in.
const DIAL: Duration = Duration::from_secs(10);
/// Frames that may wait for gRPC to take them.
const OUTBOUND: usize = 8;

/// A way to a controller.
#[derive(Clone)]
pub struct Way {
    url: HttpUrl,
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

type Dialled = (mpsc::Sender<StationFrame>, Streaming<StationFrame>);

impl Way {
    /// To the controller at `url`, which `authority` has certified, showing `identity`.
    ///
    /// # Errors
    /// [`ProgramError::Way`]: plain beyond loopback, or files that make no TLS.
    pub fn to(
        url: HttpUrl,
        authority: Option<&Path>,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, ProgramError> {
        let wrong = |reason: String| ProgramError::Way(format!("{url}: {reason}"));
        let tls = match (url.is_secure(), authority) {
            (false, None) if url.is_loopback() => None,
            (false, _) => {
                return Err(wrong("plain http is for a controller on this machine; use https".into()));
            }
            (true, None) => return Err(wrong("https needs the lab's authority: --ca FILE".to_owned())),
            (true, Some(authority)) => {
                let connector = tls::connector(authority, identity).map_err(|e| wrong(e.to_string()))?;
                let name = ServerName::try_from(url.authority().host().to_owned());
                Some((connector, name.map_err(|e| wrong(e.to_string()))?))
            }
        };
        // TLS is made beneath, so what gRPC is told is plain.
        let endpoint = Endpoint::from_shared(format!("http://{}", url.authority()));
        let endpoint = endpoint.map_err(|e| wrong(e.to_string()))?.connect_timeout(DIAL);
        Ok(Self { url, endpoint, tls })
    }

    /// Attaches with this hello.
    ///
    /// # Errors
    /// Why the controller is not reached or does not let the station in, in words.
    pub(super) async fn dial(&self, hello: Hello) -> Result<Dialled, String> {
        let attaching = self.attach(hello);
        let late = |_| format!("{self} did not answer within {DIAL:?}");
        timeout(DIAL, attaching).await.map_err(late)?
    }

    async fn attach(&self, hello: Hello) -> Result<Dialled, String> {
        let broke = Broke::default();
        let connected = self.endpoint.connect_with_connector(Dialler(self.clone(), broke.clone())).await;
        let channel = connected.map_err(|error| format!("{self}: {}", chain(&error)))?;
        let mut client = StationClient::new(channel).max_decoding_message_size(LONGEST_FRAME);
        let (outbound, frames) = mpsc::channel(OUTBOUND);
        let hello = Frame::session(Says::Hello(hello)).into();
        outbound.send(hello).await.map_err(|_| "the hello was not taken".to_owned())?;
        let attached = client.attach(ReceiverStream::new(frames)).await;
        let refused = |status: Status| match broke.take() {
            // Of a connection that was cut gRPC says no more than that.
            Some(reason) => format!("{self} ended the connection: {reason}"),
            None => format!("{self} refuses: {}", status.message()),
        };
        let attached = attached.map_err(refused)?;
        Ok((outbound, attached.into_inner()))
    }
}

/// An error with what caused it: gRPC's own words are only that something went wrong.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}

/// Why a connection broke, as it was first known: with TLS 1.3 that is where a refused certificate is told.
#[derive(Debug, Clone, Default)]
struct Broke(Arc<Mutex<Option<String>>>);

impl Broke {
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn heard<T>(&self, polled: Poll<std::io::Result<T>>) -> Poll<std::io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        }
        polled
    }
}

/// A connection that remembers why it broke.
struct Heard {
    stream: Box<dyn Stream>,
    broke: Broke,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        self.broke.heard(read)
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.broke.heard(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.broke.heard(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Makes the connection beneath gRPC.
#[derive(Clone)]
struct Dialler(Way, Broke);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Service<Uri> for Dialler {
    type Response = TokioIo<Heard>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (Way { url, tls, .. }, broke) = (self.0.clone(), self.1.clone());
        Box::pin(async move {
            let at = url.authority();
            let stream = TcpStream::connect((at.host(), at.port())).await?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(stream),
                Some((connector, name)) => Box::new(connector.connect(name, stream).await?),
            };
            Ok(TokioIo::new(Heard { stream, broke }))
        })
    }
}
