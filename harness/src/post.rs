//! POST of one XML message over HTTP, within a deadline and a size: the way from the DCC to a user's listener.

use std::time::Duration;

use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The media type of every message.
pub(crate) const XML: &str = "application/xml";

/// A client that opens a connection for each message: on a kept one that the other side closes meanwhile, it cannot be
/// told whether the message arrived.
#[derive(Clone)]
pub(crate) struct Poster {
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The body, at most as long as the longest message.
    pub(crate) body: Bytes,
}

/// A POST that brought no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PostError {
    /// No reply in time.
    #[error("no reply from {uri} within {deadline:?}")]
    Deadline {
        /// Where the message was sent.
        uri: String,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// The connection failed, or the reply was longer than any message.
    #[error("{uri} cannot be reached: {reason}")]
    Transport {
        /// Where the message was sent.
        uri: String,
        /// Why.
        reason: String,
    },
}

impl Poster {
    pub(crate) fn new() -> Poster {
        let mut client = Client::builder(TokioExecutor::new());
        Poster { client: client.pool_max_idle_per_host(0).retry_canceled_requests(false).build_http() }
    }

    /// Sends `body` and waits for the whole reply.
    pub(crate) async fn post(&self, uri: &Uri, body: Bytes, deadline: Duration) -> Result<Reply, PostError> {
        let exchange = tokio::time::timeout(deadline, self.exchange(uri, body)).await;
        let failed = |reason| PostError::Transport { uri: uri.to_string(), reason };
        match exchange {
            Ok(reply) => reply.map_err(failed),
            Err(_) => Err(PostError::Deadline { uri: uri.to_string(), deadline }),
        }
    }

    async fn exchange(&self, uri: &Uri, body: Bytes) -> Result<Reply, String> {
        let request = Request::post(uri).header(header::CONTENT_TYPE, XML).body(Full::new(body));
        let request = request.map_err(|error| error.to_string())?;
        let reply = self.client.request(request).await.map_err(|error| with_cause(&error))?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), proto_duis::MAX_OCTETS).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok(Reply { status, body })
    }
}

/// An error and what caused it: the client's own text says only that sending failed.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_cause(cause)),
        None => error.to_string(),
    }
}
