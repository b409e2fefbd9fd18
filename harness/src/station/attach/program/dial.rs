//! The way to the controller: plain on loopback, mutual TLS anywhere else.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lab_config::{ClientIdentity, HttpUrl};
use proto_lab::attach::{Frame, Hello, LONGEST_FRAME, Says, StationClient, StationFrame};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::codegen::Service;
use tonic::transport::{Endpoint, Uri};

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
        let connected = self.endpoint.connect_with_connector(Dialler(self.clone())).await;
        let channel = connected.map_err(|error| format!("{self}: {}", chain(&error)))?;
        let mut client = StationClient::new(channel).max_decoding_message_size(LONGEST_FRAME);
        let (outbound, frames) = mpsc::channel(OUTBOUND);
        let hello = Frame::session(Says::Hello(hello)).into();
        outbound.send(hello).await.map_err(|_| "the hello was not taken".to_owned())?;
        let attached = client.attach(ReceiverStream::new(frames)).await;
        let attached = attached.map_err(|status| format!("{self} refuses: {}", status.message()))?;
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

/// Makes the connection beneath gRPC.
#[derive(Clone)]
struct Dialler(Way);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Service<Uri> for Dialler {
    type Response = TokioIo<Box<dyn Stream>>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Way { url, tls, .. } = self.0.clone();
        Box::pin(async move {
            let at = url.authority();
            let stream = TcpStream::connect((at.host(), at.port())).await?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(stream),
                Some((connector, name)) => Box::new(connector.connect(name, stream).await?),
            };
            Ok(TokioIo::new(stream))
        })
    }
}
