//! Sends requests to the DCC and reads what it says at once.
//!
//! A DCC that is asked too much says so by HTTP, with how long it wants to be left alone. The same request goes out again after
//! that, a few times at most and never beyond its deadline: it was not read, and its counter is unused.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::uri::InvalidUri;
use hyper::{StatusCode, Uri};
use jiff::Timestamp;
use proto_duis::CommandVariant;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::UserError;
use super::error::Found;
use crate::post::{PostError, Poster, Reply};

/// How much of a reply that is no message goes into the error.
const SHOWN: usize = 200;

/// How often a request goes out to a DCC that asks to be left alone.
pub(super) const ATTEMPTS: u32 = 4;
/// How long a DCC may ask to be left alone; who asks for longer is not sent the request again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the DCC said by HTTP.
#[derive(Debug)]
pub(super) enum Said {
    /// A message.
    Message(Bytes),
    /// That it is asked too much (429), or cannot serve for the moment (503), and when to ask again.
    Throttled(Throttled),
}

/// A request that was not read, and may be sent again.
#[derive(Debug)]
pub(super) struct Throttled {
    pub(super) status: u16,
    /// After how long it may be sent again.
    pub(super) pause: Duration,
    /// What came with it.
    pub(super) body: Bytes,
}

/// The DCC's interface for users.
pub(super) struct Dcc {
    poster: Poster,
    base: String,
}

impl Dcc {
    /// The DCC at `base`, such as `http://127.0.0.1:8079`; over TLS where the address is `https`.
    pub(super) fn new(base: &str, tls: Option<TlsConnector>, reply_octets: usize) -> Result<Dcc, UserError> {
        let base = base.trim_end_matches('/').to_owned();
        let secure = tls.is_some();
        check(&base, secure).map_err(|reason| UserError::Address { url: base.clone(), reason })?;
        Ok(Dcc { poster: Poster::new(reply_octets).with_tls(tls), base })
    }

    /// The address for requests sent as this command variant.
    pub(super) fn address(&self, variant: CommandVariant) -> String {
        format!("{}/api/v1/{}", self.base, service(variant))
    }

    /// The DCC itself.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Posts a request and reads what comes, all by the deadline.
    pub(super) async fn post(&self, to: &str, request: Bytes, deadline: Instant) -> Result<Said, Found> {
        let to: Uri = to.parse().map_err(|error: InvalidUri| Found::NoConnection(error.to_string()))?;
        let Reply { status, retry_after, body } =
            self.poster.post(&to, request, deadline).await.map_err(found)?;
        if status.is_success() {
            return Ok(Said::Message(body));
        }
        let asked = retry_after.filter(|_| throttles(status));
        if let Some(pause) = asked.and_then(|asked| pause(&asked, Timestamp::now())) {
            return Ok(Said::Throttled(Throttled { status: status.as_u16(), pause, body }));
        }
        let text = String::from_utf8_lossy(&body).chars().take(SHOWN).collect();
        Err(Found::Status { status: status.as_u16(), text })
    }
}

/// Which of the DCC's services takes requests of this command variant: what the DCC answers itself, what it makes a pre-command
/// of, and what becomes a command.
fn service(variant: CommandVariant) -> &'static str {
    match variant {
        CommandVariant::DCC_ONLY => "serviceD",
        CommandVariant::TRANSFORM => "serviceT",
        _ => "serviceS",
    }
}

fn throttles(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3); none for what is neither, or is longer than is waited.
fn pause(asked: &str, now: Timestamp) -> Option<Duration> {
    let seconds = asked.trim().parse().map(Duration::from_secs).ok();
    let until = || {
        let date = jiff::fmt::rfc2822::parse(asked.trim()).ok()?;
        // A date that has passed asks for no pause.
        Some(Duration::try_from(date.timestamp().duration_since(now)).unwrap_or_default())
    };
    seconds.or_else(until).filter(|pause| *pause <= LONGEST_PAUSE)
}

fn found(error: PostError) -> Found {
    match error {
        PostError::Deadline { .. } => Found::Nothing,
        PostError::TooLong { limit, .. } => Found::TooLong { limit },
        PostError::Transport { reason, .. } => Found::NoConnection(reason),
    }
}

fn check(base: &str, secure: bool) -> Result<(), String> {
    let uri: Uri = base.parse().map_err(|error: InvalidUri| error.to_string())?;
    match (uri.scheme_str(), uri.host(), uri.query()) {
        (Some("https"), ..) if !secure => {
            Err("https, and the lab file names no certificates for it".to_owned())
        }
        (Some("http" | "https"), Some(_), None) => Ok(()),
        (Some("http" | "https"), ..) => Err("a host and no query belong there".to_owned()),
        _ => Err("it does not begin with http:// or https://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_variant_goes_to_its_service() {
        let to = |number| service(CommandVariant::new(number).unwrap());
        assert_eq!([1, 2, 3].map(to), ["serviceS"; 3]);
        assert_eq!((to(4), to(8)), ("serviceT", "serviceD"));
    }

    #[test]
    fn a_pause_is_seconds_or_a_date_and_bounded() {
        let now: Timestamp = "2026-11-21T09:30:00Z".parse().unwrap();
        let asked = |text| pause(text, now).map(|pause| pause.as_secs());
        assert_eq!(asked("2"), Some(2));
        assert_eq!(asked(" 60 "), Some(60));
        assert_eq!(asked("Sat, 21 Nov 2026 09:30:07 GMT"), Some(7));
        assert_eq!(asked("Sat, 21 Nov 2026 09:29:00 GMT"), Some(0));
        for neither in ["61", "-1", "soon", "", "Sat, 21 Nov 2026 11:30:07 GMT"] {
            assert_eq!(asked(neither), None, "{neither}");
        }
    }
}
