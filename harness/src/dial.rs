//! The way to a lab's controller by gRPC: plain on loopback, TLS of the lab's authority anywhere else.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lab_config::{ClientIdentity, HttpUrl};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError};
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::tls;

/// How long the controller may take to answer a connection.
const DIAL: Duration = Duration::from_secs(10);

/// A way to a controller.
#[derive(Clone)]
pub struct Way {
    url: HttpUrl,
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// There is no such way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// Plain beyond loopback.
    #[error("{0}: plain http is for a controller on this machine; use https")]
    Plain(HttpUrl),
    /// Nobody is believed.
    #[error("{0}: https needs the lab's authority: --ca FILE")]
    NoAuthority(HttpUrl),
    /// Files that make no TLS, or an address that is none.
    #[error("{url}: {reason}")]
    Wrong {
        /// Where to.
        url: HttpUrl,
        /// What is wrong.
        reason: String,
    },
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

impl Way {
    /// To the controller at `url`, which `authority` has certified, showing `identity`.
    ///
    /// # Errors
    /// [`NoWay`].
    pub fn to(
        url: HttpUrl,
        authority: Option<&Path>,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, NoWay> {
        let wrong = |reason: String| NoWay::Wrong { url: url.clone(), reason };
        let tls = match (url.is_secure(), authority) {
            (false, None) if url.is_loopback() => None,
            (false, _) => return Err(NoWay::Plain(url)),
            (true, None) => return Err(NoWay::NoAuthority(url)),
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

    /// Connects; with the channel comes why it breaks, once it does: gRPC says no more of that than that it was cut.
    ///
    /// # Errors
    /// What gRPC says; [`chain`] has it in words, and [`Distrust::of`] whether somebody's certificate is not believed.
    pub async fn connect(&self) -> Result<(Channel, Broke), tonic::transport::Error> {
        let broke = Broke::default();
        let dialler = Dialler(self.clone(), broke.clone());
        Ok((self.endpoint.connect_with_connector(dialler).await?, broke))
    }
}

/// Whose certificate was not believed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// The controller's is not of the authority that is believed here.
    OtherAuthority,
    /// The controller's is out of date.
    ServerExpired,
    /// The controller's is for another name.
    OtherName,
    /// The controller's, for another reason.
    Server,
    /// One's own has expired.
    Expired,
    /// One's own was taken back.
    Revoked,
    /// One's own is not of the lab's authority, or the controller does not take it.
    Own,
}

impl Distrust {
    /// What a failed connection or call comes from, if it comes from a certificate.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        match tls_error(error)? {
            rustls::Error::InvalidCertificate(wrong) => Some(match wrong {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::OtherAuthority,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::ServerExpired,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::OtherName
                }
                _ => Self::Server,
            }),
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateExpired => Some(Self::Expired),
                AlertDescription::CertificateRevoked => Some(Self::Revoked),
                AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::AccessDenied
                | AlertDescription::DecryptError => Some(Self::Own),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The error of TLS at the bottom of another.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let within = error.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        let within = within.and_then(|within| within.downcast_ref::<rustls::Error>());
        if let Some(found) = within.or_else(|| error.downcast_ref::<rustls::Error>()) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// An error with what caused it: gRPC's own words are only that something went wrong.
pub fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}

/// Why a connection broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In words.
    pub words: String,
    /// Whose certificate was not believed, if it was that.
    pub distrust: Option<Distrust>,
}

/// Why a connection broke, as it was first known: with TLS 1.3 that is where a refused certificate is told.
#[derive(Debug, Clone, Default)]
pub struct Broke(Arc<Mutex<Option<Broken>>>);

impl Broke {
    /// Why, if it broke; once.
    pub fn take(&self) -> Option<Broken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn heard<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled {
            let broken = || Broken { words: error.to_string(), distrust: Distrust::of(error) };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(broken);
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
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        self.broke.heard(read)
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.broke.heard(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.broke.heard(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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
    type Error = io::Error;
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
