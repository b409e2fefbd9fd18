//! Sends requests to the DCC and reads what it says at once.

use bytes::Bytes;
use hyper::Uri;
use hyper::http::uri::InvalidUri;
use proto_duis::Srv;
use tokio::time::Instant;

use super::UserError;
use super::error::Found;
use crate::post::{PostError, Poster};

/// How much of a reply that is no message goes into the error.
const SHOWN: usize = 200;

/// The DCC's interface for users.
pub(super) struct Dcc {
    poster: Poster,
    base: String,
}

impl Dcc {
    /// The DCC at `base`, such as `http://127.0.0.1:8079`.
    pub(super) fn new(base: &str, reply_octets: usize) -> Result<Dcc, UserError> {
        let base = base.trim_end_matches('/').to_owned();
        check(&base).map_err(|reason| UserError::Address { url: base.clone(), reason })?;
        Ok(Dcc { poster: Poster::new(reply_octets), base })
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
        let to: Uri = to.parse().map_err(|error: InvalidUri| Found::NoConnection(error.to_string()))?;
        let reply = self.poster.post(&to, request, deadline).await.map_err(found)?;
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        let text = String::from_utf8_lossy(&reply.body).chars().take(SHOWN).collect();
        Err(Found::Status { status: reply.status.as_u16(), text })
    }
}

fn found(error: PostError) -> Found {
    match error {
        PostError::Deadline { .. } => Found::Nothing,
        PostError::TooLong { limit, .. } => Found::TooLong { limit },
        PostError::Transport { reason, .. } => Found::NoConnection(reason),
    }
}

fn check(base: &str) -> Result<(), String> {
    let uri: Uri = base.parse().map_err(|error: InvalidUri| error.to_string())?;
    match (uri.scheme_str(), uri.host(), uri.query()) {
        (Some("http"), Some(_), None) => Ok(()),
        (Some("http"), ..) => Err("a host and no query belong there".to_owned()),
        _ => Err("it does not begin with http://".to_owned()),
    }
}
