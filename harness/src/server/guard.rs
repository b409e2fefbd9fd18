//! What every request passes before a handler sees it: who calls, whether they may, and whether there is room.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST, LOCATION, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use jiff::Timestamp;
use proto_lab::record::{Actor, ActorName, Credential, Role};
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use super::callbook::{Callbook, RefusedCall};
use super::door::Peer;
use super::identity::right::{Door, NoRight, permit};
use super::identity::{Caller, SignIn, Who};
use super::lapse::{Lapse, once_not};
use super::pki::{Certified, Standing};
use super::under_way::under_way;

/// Requests that are being judged or begun at a time. A stream that has begun counts no more here.
const CALLS: usize = 256;
/// How long a call may take to be answered; a stream, to begin.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Says in an answer that the refusal is in the lab book already.
pub(super) const RECORDED: &str = "lab-recorded";

/// Who is believed.
#[derive(Debug, Clone)]
pub(super) enum Believed {
    /// Certificates of the lab's authority, and sessions of the sign-in.
    Credentials(Arc<SignIn>),
    /// Whoever is on this machine.
    Loopback(ActorName),
}

/// The guard of one listener.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    door: Door,
    believed: Believed,
    callbook: Callbook,
    calls: Arc<Semaphore>,
}

impl Guard {
    pub(super) fn new(door: Door, believed: Believed, callbook: Callbook) -> Self {
        Self { door, believed, callbook, calls: Arc::new(Semaphore::new(CALLS)) }
    }

    /// Who calls, by what they are known, and until when.
    fn who(&self, peer: &Peer, headers: &HeaderMap) -> Result<(Who, ByWhat, Option<Timestamp>), String> {
        let now = Timestamp::now();
        let sign_in = match &self.believed {
            Believed::Loopback(name) => return Ok((self.on_loopback(name), ByWhat::Loopback, None)),
            Believed::Credentials(sign_in) => sign_in,
        };
        if let Some(certificate) = peer.certificate.as_deref() {
            let certified = certificate.as_ref().map_err(Clone::clone)?;
            return Ok((by_certificate(certified, now)?, ByWhat::Other, Some(certified.expires)));
        }
        let by_session = sign_in.actor(headers, now);
        let by_session = by_session.map(|(actor, ends)| (Who::Actor(actor), ByWhat::Session, Some(ends)));
        Ok(by_session.unwrap_or((Who::Nobody, ByWhat::Other, None)))
    }

    /// What the listener is for is what whoever asks it without a credential may do.
    fn on_loopback(&self, name: &ActorName) -> Who {
        let role = match self.door {
            Door::Control => Role::Engineer,
            Door::Watch => Role::Witness,
        };
        Who::Actor(Actor { name: name.clone(), role, credential: Credential::Loopback })
    }
}

/// What a caller was known by, as far as it matters for what a browser may be made to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByWhat {
    /// A cookie: another site may make a browser send it.
    Session,
    /// Being on this machine, as any page open in a browser here is.
    Loopback,
    Other,
}

/// The connection may be older than the certificate's end.
fn by_certificate(certified: &Certified, now: Timestamp) -> Result<Who, String> {
    if certified.expires <= now {
        return Err(format!("the certificate expired at {}", certified.expires));
    }
    let (name, credential) = (certified.holder.name.clone(), Credential::Certificate(certified.fingerprint));
    match certified.holder.standing {
        Standing::Role(role) => Ok(Who::Actor(Actor { name, role, credential })),
        Standing::Station => Ok(Who::Station(name)),
        Standing::Server => Err("a server's certificate calls nobody".to_owned()),
    }
}

/// The way in: axum's middleware.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response<Body> {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return refusal(&request, StatusCode::INTERNAL_SERVER_ERROR, "a request without a connection");
    };
    let under = peer.traffic.begin();
    let call = format!("{} {}", request.method(), request.uri().path());
    let mut caller = Caller { from: peer.from, who: Who::Nobody, until: None };
    let judged = guard.judge(&peer, &request, &mut caller);
    let (response, refused, lapse) = match judged {
        Err((response, reason)) => (*response, reason, None),
        Ok(by) => {
            let lapse = guard.lapse(by, request.headers());
            let (response, refused) = guard.answered(request, caller.clone(), next).await;
            (response, refused, lapse)
        }
    };
    let record = move |reason: &str| {
        let (by, from) = (caller.who.actor(), caller.place());
        guard.callbook.refused(RefusedCall { by, from, call: &call, reason });
    };
    if let Some(reason) = refused {
        record(&reason);
    }
    // A stream that was begun says how it ended behind everything else.
    under_way(response, under, lapse, move |trailers| {
        if let Some(reason) = refused_in(trailers) {
            record(&reason);
        }
    })
}

/// An answer, and why it is a refusal that must be recorded.
type Judged = (Box<Response<Body>>, Option<String>);

impl Guard {
    fn judge(&self, peer: &Peer, request: &Request, caller: &mut Caller) -> Result<ByWhat, Judged> {
        let refuse = |status, reason: String| (Box::new(refusal(request, status, &reason)), Some(reason));
        let known = self.who(peer, request.headers());
        let (who, by, until) = known.map_err(|reason| refuse(StatusCode::UNAUTHORIZED, reason))?;
        (caller.who, caller.until) = (who, until);
        match permit(self.door, &caller.who, request.method(), request.uri().path()) {
            Err(NoRight::Unknown) if is_page(request) => return Err((Box::new(to_sign_in(request)), None)),
            Err(e @ NoRight::Unknown) => return Err(refuse(StatusCode::UNAUTHORIZED, e.to_string())),
            Err(e) => return Err(refuse(StatusCode::FORBIDDEN, e.to_string())),
            Ok(()) => {}
        }
        match by {
            ByWhat::Session if !is_own_page(request, "https://") => {
                Err(refuse(StatusCode::FORBIDDEN, "a page of another origin asks".to_owned()))
            }
            ByWhat::Loopback if !is_own_page(request, "http://") || !is_asked_by_loopback_name(request) => {
                Err(refuse(StatusCode::FORBIDDEN, "a page of another origin asks".to_owned()))
            }
            by => Ok(by),
        }
    }

    /// The end of a session, for an answer that may outlast it. That of a certificate ends the whole connection.
    fn lapse(&self, by: ByWhat, headers: &HeaderMap) -> Option<Lapse> {
        let (ByWhat::Session, Believed::Credentials(sign_in)) = (by, &self.believed) else { return None };
        let (sign_in, headers) = (Arc::clone(sign_in), headers.clone());
        Some(once_not(move || sign_in.actor(&headers, Timestamp::now()).is_some()))
    }

    async fn answered(
        &self,
        mut request: Request,
        caller: Caller,
        next: Next,
    ) -> (Response<Body>, Option<String>) {
        let is_grpc = is_grpc(&request);
        let Ok(_place) = self.calls.try_acquire() else {
            let reason = "as many calls as may be are being answered: try again later";
            return (refusal_as(is_grpc, StatusCode::TOO_MANY_REQUESTS, reason), Some(reason.to_owned()));
        };
        request.extensions_mut().insert(caller);
        match tokio::time::timeout(ANSWERED_WITHIN, next.run(request)).await {
            Ok(response) if is_grpc && response.status() == StatusCode::NOT_FOUND => {
                let reason = "there is no such service at this listener";
                (refusal_as(is_grpc, StatusCode::NOT_FOUND, reason), Some(reason.to_owned()))
            }
            Ok(response) => {
                let reason = refused_by(&response);
                (response, reason)
            }
            Err(_) => {
                let reason = "the call was not answered in time";
                (refusal_as(is_grpc, StatusCode::GATEWAY_TIMEOUT, reason), Some(reason.to_owned()))
            }
        }
    }
}

/// Why a handler refused a call, in words that its answer carries for the lab book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why(String);

impl Why {
    /// The answer that refuses a call of a page, with its words for the caller and for the book.
    pub(super) fn refused(status: StatusCode, words: String) -> Response<Body> {
        let mut response = refusal_as(false, status, &words);
        response.extensions_mut().insert(Self(words));
        response
    }

    /// Has an answer that is a refusal carry these words.
    pub(super) fn of(words: &str, mut response: Response<Body>) -> Response<Body> {
        response.extensions_mut().insert(Self(words.to_owned()));
        response
    }
}

/// Why an answer of a handler is a refusal, where it is one.
fn refused_by(response: &Response<Body>) -> Option<String> {
    let headers = response.headers();
    if headers.contains_key(RECORDED) {
        return None;
    }
    if let Some(Why(words)) = response.extensions().get() {
        return Some(words.clone());
    }
    if headers.contains_key(Status::GRPC_STATUS) {
        return refused_in(headers);
    }
    let status = response.status();
    let is_absent = status == StatusCode::NOT_FOUND;
    (status.is_client_error() && !is_absent).then(|| status.to_string())
}

/// Why a status of gRPC is a refusal, where it is one.
fn refused_in(headers: &HeaderMap) -> Option<String> {
    let status = Status::from_header_map(headers)?;
    let refused = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::OutOfRange
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::Unauthenticated
            | Code::Unimplemented
            | Code::Internal
    );
    refused.then(|| format!("{:?}: {}", status.code(), status.message()))
}

fn is_grpc(request: &Request) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"))
}

/// A person's browser that opens a page, and is shown where to sign in.
fn is_page(request: &Request) -> bool {
    let takes_html = |value: &HeaderValue| value.to_str().is_ok_and(|types| types.contains("text/html"));
    request.method() == Method::GET && request.headers().get(ACCEPT).is_some_and(takes_html)
}

/// Whether an act comes from a page of this listener, as far as the browser says. Browsers send cookies to every port of a
/// host, and name the page's origin with every act.
fn is_own_page(request: &Request, scheme: &str) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return true;
    }
    let Some(origin) = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok()) else {
        return true;
    };
    asked_as(request).is_some_and(|host| origin.strip_prefix(scheme).is_some_and(|origin| origin == host))
}

/// The host, and its port, that the caller takes this listener for.
fn asked_as(request: &Request) -> Option<&str> {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    request.uri().authority().map(Authority::as_str).or(named)
}

/// Whether the caller takes this listener for what it is. The name of a page on another site can be made to lead here, and
/// the browser then takes that page for one of this listener's; but it still names that site. What names nobody is no browser.
fn is_asked_by_loopback_name(request: &Request) -> bool {
    let Some(host) = asked_as(request) else { return true };
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Leads to the sign-in, and from there back to the page that was asked for.
fn to_sign_in(request: &Request) -> Response<Body> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    let back = Some(request.uri().path()).filter(|path| path.bytes().all(plain));
    let to = back.map(|path| format!("/sign-in?to={path}"));
    let to = to.and_then(|to| HeaderValue::from_str(&to).ok());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, to.unwrap_or(HeaderValue::from_static("/sign-in")));
    response
}

fn refusal(request: &Request, status: StatusCode, reason: &str) -> Response<Body> {
    refusal_as(is_grpc(request), status, reason)
}

/// A refusal in the caller's own terms: a gRPC status, or an HTTP status with its reason.
fn refusal_as(is_grpc: bool, status: StatusCode, reason: &str) -> Response<Body> {
    if is_grpc {
        let code = match status {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
            StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
            StatusCode::NOT_FOUND => Code::Unimplemented,
            _ => Code::Internal,
        };
        return Status::new(code, reason).into_http();
    }
    let mut response = Response::new(Body::from(format!("{reason}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(host: &str, origin: Option<&str>) -> Request {
        let request = Request::post("/control/hold").header(HOST, host);
        let request = origin.into_iter().fold(request, |request, origin| request.header(ORIGIN, origin));
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_page_of_another_site_acts_for_nobody() {
        for (host, origin, own, loopback) in [
            ("127.0.0.1:50052", Some("http://127.0.0.1:50052"), true, true),
            ("localhost:50052", None, true, true),
            ("[::1]:50052", Some("http://[::1]:50052"), true, true),
            ("127.0.0.1:50052", Some("http://127.0.0.1:50051"), false, true),
            ("127.0.0.1:50052", Some("https://elsewhere.example"), false, true),
            ("127.0.0.1:50052", Some("null"), false, true),
            // A name made to lead to this machine.
            ("elsewhere.example:50052", Some("http://elsewhere.example:50052"), true, false),
            ("localhost.elsewhere.example", None, true, false),
            ("not a host", None, true, false),
        ] {
            let request = post(host, origin);
            let found = (is_own_page(&request, "http://"), is_asked_by_loopback_name(&request));
            assert_eq!(found, (own, loopback), "{host} {origin:?}");
        }
    }
}
