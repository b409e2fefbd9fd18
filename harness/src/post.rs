//! POST of one XML message over HTTP, within a deadline and a size: the way from a user to the DCC, and from the DCC to a
//! user's listener.

use std::time::Duration;

use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout_at};

/// The media type of every message.
pub(crate) const XML: &str = "application/xml";

/// A client that opens a connection for each message: on a kept one that the other side closes meanwhile, it cannot be
/// told whether the message arrived, and a message must never go out twice.
#[derive(Debug, Clone)]
pub(crate) struct Poster {
    client: Client<HttpConnector, Full<Bytes>>,
    /// Octets a reply may have.
    reply_octets: usize,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: StatusCode,
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
    /// A client that takes replies of up to so many octets.
    pub(crate) fn new(reply_octets: usize) -> Poster {
        let mut client = Client::builder(TokioExecutor::new());
        let client = client.pool_max_idle_per_host(0).retry_canceled_requests(false).build_http();
        Poster { client, reply_octets }
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
        let request = Request::post(uri).header(header::CONTENT_TYPE, XML).body(Full::new(message));
        let request = request.map_err(|error| broken(&error))?;
        let reply = self.client.request(request).await.map_err(|error| broken(&error))?;
        let (status, limit) = (reply.status(), self.reply_octets);
        let body = Limited::new(reply.into_body(), limit).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => PostError::TooLong { uri: uri.to_string(), limit },
            false => broken(error.as_ref()),
        })?;
        Ok(Reply { status, body: body.to_bytes() })
    }
}

/// An error and what caused it: the client's own text says only that sending failed.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_cause(cause)),
        None => error.to_string(),
    }
}
