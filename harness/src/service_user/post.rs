//! Sends requests to the DCC and reads what it says at once.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use proto_duis::Srv;
use tokio::time::{Instant, timeout_at};

use super::UserError;
use super::error::Found;

/// How much of a reply that is no message goes into the error.
const SHOWN: usize = 200;

/// The DCC's interface for users.
#[derive(Debug)]
pub(super) struct Dcc {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    reply_octets: usize,
}

impl Dcc {
    /// The DCC at `base`, such as `http://127.0.0.1:8079`.
    pub(super) fn new(base: &str, reply_octets: usize) -> Result<Dcc, UserError> {
        let base = base.trim_end_matches('/').to_owned();
        check(&base).map_err(|reason| UserError::Address { url: base.clone(), reason })?;
        // A connection for each request: on a kept one that the DCC closes meanwhile, it cannot be told whether
        // the request arrived, and a request must never go out twice.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build_http();
        Ok(Dcc { client, base, reply_octets })
    }

    /// The address for requests of this variant.
    pub(super) fn address(&self, srv: Srv) -> String {
        let service = if srv.is_for_the_dcc() { "serviceD" } else { "serviceS" };
        format!("{}/api/v1/{service}", self.base)
    }

    /// The DCC itself.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Posts a request and reads the reply, all by the deadline.
    pub(super) async fn post(&self, to: &str, request: Bytes, deadline: Instant) -> Result<Bytes, Found> {
        let exchange = timeout_at(deadline, self.exchange(to, request));
        exchange.await.unwrap_or(Err(Found::Nothing))
    }

    async fn exchange(&self, to: &str, request: Bytes) -> Result<Bytes, Found> {
        let broken = |error: &dyn std::error::Error| Found::NoConnection(chain(error));
        let post = Request::builder().method(Method::POST).uri(to).header(CONTENT_TYPE, "application/xml");
        let post = post.body(Full::new(request)).map_err(|error| broken(&error))?;
        let reply = self.client.request(post).await.map_err(|error| broken(&error))?;
        let (status, limit) = (reply.status(), self.reply_octets);
        let body = Limited::new(reply.into_body(), limit).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Found::TooLong { limit },
            false => broken(error.as_ref()),
        })?;
        let body = body.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body).chars().take(SHOWN).collect();
        Err(Found::Status { status: status.as_u16(), text })
    }
}

fn check(base: &str) -> Result<(), String> {
    let uri: Uri = base.parse().map_err(|error: hyper::http::uri::InvalidUri| error.to_string())?;
    match (uri.scheme_str(), uri.host(), uri.query()) {
        (Some("http"), Some(_), None) => Ok(()),
        (Some("http"), ..) => Err("a host and no query belong there".to_owned()),
        _ => Err("it does not begin with http://".to_owned()),
    }
}

/// An error with the errors it comes from, which say what really happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
