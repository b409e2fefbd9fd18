//! The sign-in of people: a name and a password for a session.
//!
//! `GET /sign-in` is a page for people with a browser; `POST /sign-in` takes `{"name": …, "password": …}` and gives a cookie; `POST /sign-out` ends the session; `GET /who` says
//! who one is. Failures are counted by where they come from and by whom they name, and too many are answered unheard.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use proto_lab::record::book::LabEvent;
use proto_lab::record::{Actor, ActorName, Credential, Role};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::people::PeopleFile;
use super::right::Door;
use super::session::{Sessions, Token, no_cookie};
use super::{By, Caller};
use crate::server::Pages;
use crate::server::callbook::Callbook;
use crate::server::guard::Why;

/// The longest message of a sign-in, in octets.
const LIMIT: usize = 4096;
/// Passwords checked at a time: each takes 19 MiB and some milliseconds.
const CHECKED_AT_A_TIME: usize = 2;
/// Failures within [`WINDOW`] after which an address, or a name, is answered unheard.
const FAILURES: u32 = 10;
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Addresses and names whose failures are counted; while there are more of them, nobody new is heard.
const COUNTED: usize = 10_000;

/// Who signed in, and who tried.
#[derive(Debug)]
pub(in crate::server) struct SignIn {
    people: PeopleFile,
    sessions: Mutex<Sessions>,
    failures: Mutex<Failures>,
    checking: Arc<Semaphore>,
    callbook: Callbook,
}

/// Failed sign-ins by who is to be kept from more of them. Pure: time is an argument.
#[derive(Debug, Default)]
pub(super) struct Failures(BTreeMap<String, (u32, Timestamp)>);

impl Failures {
    /// Whether one more try may be heard.
    pub(super) fn hears(&mut self, who: &[String], now: Timestamp) -> bool {
        self.0.retain(|_, (_, until)| *until > now);
        self.0.len() < COUNTED && who.iter().all(|who| self.0.get(who).is_none_or(|(n, _)| *n < FAILURES))
    }

    pub(super) fn count(&mut self, who: Vec<String>, now: Timestamp) {
        let until = now.saturating_add(WINDOW).unwrap_or(Timestamp::MAX);
        for who in who {
            self.0.entry(who).or_insert((0, until)).0 += 1;
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SignIn {
    pub(in crate::server) fn new(people: impl Into<PathBuf>, callbook: Callbook) -> Self {
        Self {
            people: PeopleFile::new(people),
            sessions: Mutex::default(),
            failures: Mutex::default(),
            checking: Arc::new(Semaphore::new(CHECKED_AT_A_TIME)),
            callbook,
        }
    }

    /// Whoever has the session that a request's cookies name, and when it ends, unless they were removed or changed their role
    /// since.
    pub(in crate::server) fn actor(&self, headers: &HeaderMap, now: Timestamp) -> Option<(Actor, Timestamp)> {
        let token = token(headers)?;
        let (actor, ends) = held(&self.sessions).actor(&token, now)?;
        self.people.current().has(&actor.name, actor.role).then_some((actor, ends))
    }

    /// The keys that this witness cosigns with.
    pub(in crate::server) fn cosigner_keys(&self, name: &ActorName) -> Vec<crate::evidence::CosignerKey> {
        let people = self.people.current();
        let person = people.iter().find(|person| person.name == *name && person.role == Role::Witness);
        person.map(super::Person::cosigner_keys).unwrap_or_default()
    }

    async fn sign_in(
        self: Arc<Self>,
        door: Door,
        caller: &Caller,
        asked: Asked,
    ) -> Result<(Actor, Token, Timestamp), Refused> {
        let now = Timestamp::now();
        let counted = vec![caller.from.ip().to_string(), format!("name {}", asked.name)];
        if !held(&self.failures).hears(&counted, now) {
            return Err((
                StatusCode::TOO_MANY_REQUESTS,
                "too many sign-ins failed: try again in some minutes",
            ));
        }
        let place = Arc::clone(&self.checking).try_acquire_owned();
        let place =
            place.map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "others are signing in: try again"))?;
        let (people, name) = (self.people.current(), asked.name.clone());
        let checking = tokio::task::spawn_blocking(move || {
            let _place = place;
            people.signed_in(&name, &asked.password)
        });
        let role = checking.await.ok().flatten();
        let Some(role) =
            role.filter(|role| door == Door::Watch || !matches!(role, Role::Witness | Role::Board))
        else {
            held(&self.failures).count(counted, now);
            return Err((StatusCode::UNAUTHORIZED, "no such name and password for this listener"));
        };
        let actor = Actor { name: asked.name, role, credential: Credential::SignIn };
        let token = Token::new(rand::random());
        let ends = held(&self.sessions).begin(&token, actor.clone(), now);
        self.callbook.tell(LabEvent::SignedIn { by: actor.clone(), from: caller.place() });
        Ok((actor, token, ends))
    }
}

pub(super) type Refused = (StatusCode, &'static str);

/// What a person gives to sign in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) name: ActorName,
    pub(super) password: String,
}

impl Asked {
    pub(super) fn read(octets: &[u8]) -> Result<Self, Refused> {
        let asked = serde_json::from_slice(octets);
        asked.map_err(|_| (StatusCode::BAD_REQUEST, "expected {\"name\": …, \"password\": …}"))
    }
}

fn token(headers: &HeaderMap) -> Option<Token> {
    headers.get_all(COOKIE).iter().filter_map(|value| Token::of_cookies(value.to_str().ok()?)).next()
}

/// The routes of the sign-in at a listener.
pub(in crate::server) fn routes(door: Door, sign_in: Arc<SignIn>) -> Pages {
    let state = (door, sign_in);
    Pages::new()
        .route("/sign-in", get(async || of_page("text/html; charset=utf-8", PAGE)).post(signing_in))
        .route("/sign-in.js", get(async || of_page("text/javascript; charset=utf-8", SCRIPT)))
        .route("/sign-out", post(signing_out))
        .with_state(state)
        .route("/who", get(who))
}

const PAGE: &str = include_str!("page/sign-in.html");
const SCRIPT: &str = include_str!("page/sign-in.js");
/// What the page may load, and from where: this listener.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn of_page(kind: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn signing_in(State((door, sign_in)): State<(Door, Arc<SignIn>)>, request: Request) -> Response<Body> {
    match asked(request).await {
        Err(refused) => refusal(refused),
        Ok((caller, asked)) => match sign_in.sign_in(door, &caller, asked).await {
            Err(refused) => refusal(refused),
            Ok((actor, token, ends)) => {
                let who = json!({ "name": actor.name, "role": actor.role, "ends": ends });
                answer(StatusCode::OK, who, Some(&token.cookie()))
            }
        },
    }
}

fn refusal((status, reason): Refused) -> Response<Body> {
    Why::of(reason, answer(status, json!({ "error": reason }), None))
}

async fn asked(request: Request) -> Result<(Caller, Asked), Refused> {
    let (parts, body) = request.into_parts();
    // No form of another site can send this type without asking first.
    let is_json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json"));
    }
    let caller = parts.extensions.get::<Caller>().cloned();
    let caller = caller.ok_or((StatusCode::INTERNAL_SERVER_ERROR, "nobody asks"))?;
    let body = crate::http::body(body, LIMIT).await;
    let body = body.map_err(|e| (e.status(), "the message of a sign-in is short"))?;
    Ok((caller, Asked::read(&body)?))
}

async fn signing_out(State((_, sign_in)): State<(Door, Arc<SignIn>)>, headers: HeaderMap) -> Response<Body> {
    if let Some(token) = token(&headers) {
        held(&sign_in.sessions).end(&token);
    }
    answer(StatusCode::OK, json!({}), Some(&no_cookie()))
}

async fn who(By(actor): By) -> Response<Body> {
    answer(StatusCode::OK, json!({ "name": actor.name, "role": actor.role }), None)
}

fn answer(status: StatusCode, body: serde_json::Value, cookie: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}
