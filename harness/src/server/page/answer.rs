//! Answers: their headers, which keep the browser from anything but this page, and refusals in words.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::evidence::EvidenceError;
use crate::watch::feed::{Crowded, Fault};

/// What the page may load, and from where: itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Seconds after which whoever found no place may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// What a document may load: its own style, whose digest stands here.
fn policy_of_document(style: &str) -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// What was asked for has not the form it must have.
    #[error("{0}")]
    Wrong(String),
    /// It is not there.
    #[error("{0}")]
    NotThere(String),
    /// Too many ask.
    #[error("as many are watching as can be served: try again later")]
    Busy,
    /// Too many runs are asked for.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// The files are not as they must be.
    #[error("{0}")]
    Broken(String),
}

impl Refused {
    pub(super) fn evidence(error: EvidenceError) -> Self {
        Self::Broken(error.to_string())
    }

    pub(super) fn fault(fault: Fault) -> Self {
        Self::Broken(fault.to_string())
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::NotThere(_) => StatusCode::NOT_FOUND,
            Self::Busy | Self::Crowded(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = answer("text/plain; charset=utf-8", format!("{self}\n"), POLICY);
        *response.status_mut() = self.status();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

/// An answer of the page itself: nothing of it is kept by anybody on the way.
pub(super) fn of_page(kind: &'static str, body: impl Into<Body>) -> Response {
    answer(kind, body, POLICY)
}

/// A document with a style of its own, whose SHA-256 in base64 is given.
pub(super) fn document(html: String, style: &str) -> Response {
    answer("text/html; charset=utf-8", html, &policy_of_document(style))
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Refused> {
    let text = serde_json::to_vec(value).map_err(|e| Refused::Broken(e.to_string()))?;
    Ok(of_page("application/json", Bytes::from(text)))
}

fn answer(kind: &'static str, body: impl Into<Body>, policy: &str) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A number in the query of an address.
///
/// # Errors
/// It is there and no number.
pub(super) fn asked(uri: &Uri, name: &str) -> Result<Option<u64>, Refused> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let Some(value) =
        pairs.filter_map(|pair| pair.split_once('=')).find_map(|(n, v)| (n == name).then_some(v))
    else {
        return Ok(None);
    };
    let wrong = |_| Refused::Wrong(format!("{name}={value}: expected a number from 0"));
    value.parse().map(Some).map_err(wrong)
}
