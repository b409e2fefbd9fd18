//! POST of one XML message over HTTP, within a deadline and a size: the way from a user to the DCC, and from the DCC to a
//! user's listener.

use std::io;
use std::time::Duration;

use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::task::AbortOnDropHandle;

/// The media type of every message.
pub(crate) const XML: &str = "application/xml";

/// A client that opens a connection for each message: on a kept one that the other side closes meanwhile, it cannot be
/// told whether the message arrived, and a message must never go out twice.
#[derive(Clone)]
pub(crate) struct Poster {
    /// For `https`; without it there is no way to such an address.
    tls: Option<TlsConnector>,
    /// Octets a reply may have.
    reply_octets: usize,
}

/// What a message travels over: TCP, or TLS over it.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// `Retry-After` (RFC 9110, 10.2.3), as it was written.
    pub(crate) retry_after: Option<String>,
    /// The body.
    pub(crate) body: Bytes,
}

/// A POST that brought no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PostError {
    /// No reply in time.
    #[error("no reply from {uri} within {waited:?}")]
    Deadline {
        /// Where the message was sent.
        uri: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The reply was longer than a reply may be.
    #[error("a reply of more than {limit} octets from {uri}")]
    TooLong {
        /// Where the message was sent.
        uri: String,
        /// How long it may be.
        limit: usize,
    },
    /// The connection failed.
    #[error("{uri} cannot be reached: {reason}")]
    Transport {
        /// Where the message was sent.
        uri: String,
        /// Why.
        reason: String,
    },
}

impl Poster {
    /// A client that takes replies of up to so many octets, and knows `http` only.
    pub(crate) fn new(reply_octets: usize) -> Poster {
        Poster { tls: None, reply_octets }
    }

    /// The same client with `https`.
    pub(crate) fn with_tls(self, tls: Option<TlsConnector>) -> Poster {
        Poster { tls, ..self }
    }

    /// Sends `message` and waits for the whole reply, both by the deadline.
    pub(crate) async fn post(
        &self,
        uri: &Uri,
        message: Bytes,
        deadline: Instant,
    ) -> Result<Reply, PostError> {
        let begun = Instant::now();
        let exchange = timeout_at(deadline, self.exchange(uri, message)).await;
        exchange
            .unwrap_or_else(|_| Err(PostError::Deadline { uri: uri.to_string(), waited: begun.elapsed() }))
    }

    async fn exchange(&self, uri: &Uri, message: Bytes) -> Result<Reply, PostError> {
        let broken = |error: &dyn std::error::Error| PostError::Transport {
            uri: uri.to_string(),
            reason: with_cause(error),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::post(path).header(header::HOST, host).header(header::CONTENT_TYPE, XML);
        let request = request.body(Full::new(message)).map_err(|error| broken(&error))?;
        let stream = self.connect(uri).await.map_err(|error| broken(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        // What the connection says of its end, the sender says too.
        let _driven = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        let reply = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let (status, limit) = (reply.status(), self.reply_octets);
        let retry_after = reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = Limited::new(reply.into_body(), limit).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => PostError::TooLong { uri: uri.to_string(), limit },
            false => broken(error.as_ref()),
        })?;
        Ok(Reply { status, retry_after, body: body.to_bytes() })
    }

    async fn connect(&self, uri: &Uri) -> io::Result<Box<dyn Stream>> {
        let wrong = |words: &str| io::Error::new(io::ErrorKind::InvalidInput, words);
        let host = uri.host().ok_or_else(|| wrong("no host in the address"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        // A message goes out in one piece: there is nothing to wait for.
        stream.set_nodelay(true)?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let tls =
            self.tls.as_ref().ok_or_else(|| wrong("https, and the lab file names no certificates for it"))?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}

/// An error and what caused it: the client's own text says only that sending failed.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_cause(cause)),
        None => error.to_string(),
    }
}
