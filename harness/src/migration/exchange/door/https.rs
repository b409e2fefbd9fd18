//! A door of POSTs: each file is one, to the party's address, or to the party's own path at the address where the lab listens.
//!
//! ```text
//! lab ──POST──> https://party.example:8443/files
//! lab <──POST── https://lab.example:8090/requesting-party
//! ```
//!
//! Who sends a file waits until it was read, and is told what became of it: 204 for a file that was taken, 422 with code and
//! reason for one that was not, 413 for one that is too long. 503 with `Retry-After` says that nobody has come to read it yet,
//! or that too many wait: the same file may be sent again then, and is one file however often it comes, because it is known
//! by its digest. So nothing needs to be kept here over a restart: who was told nothing sends again.
//!
//! Beyond this machine both ways are mutual TLS, as at the DCC's interface.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use lab_config::TlsFiles;
use proto_migration::{Digest, FileName, PartyRole};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Came, Doing, Door, DoorError, FILE_OCTETS, Received, Settled};
use crate::http::{self, Server};
use crate::post::Poster;
use crate::tls;

/// Connections at a time.
const CONNECTIONS: usize = 16;
/// Files that may wait to be read.
const WAITING: usize = 16;
/// Files whose end is remembered, for those who send one again.
const REMEMBERED: usize = 1_024;
/// Octets of a refusal's words that are kept.
const WORDS: usize = 1_024;
/// The first pause before a file is sent again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];
/// After how many seconds a file may be sent again that was not read.
const RETRY_AFTER: &str = "1";

/// How a lab listens for the files of its parties.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Where; port 0 for any free one.
    pub at: SocketAddr,
    /// Who is believed, and what is shown. Without it the lab listens on this machine only.
    pub tls: Option<TlsFiles>,
    /// The most octets of a file.
    pub limit: usize,
    /// How long who sends a file is kept waiting for what becomes of it.
    pub answer_within: Duration,
}

impl Listening {
    /// Listening there, or at any free port of loopback, with the usual limits.
    pub fn at(at: Option<SocketAddr>, tls: Option<TlsFiles>) -> Listening {
        let at = at.unwrap_or_else(|| (std::net::Ipv4Addr::LOCALHOST, 0).into());
        Listening { at, tls, limit: FILE_OCTETS, answer_within: Duration::from_secs(20) }
    }
}

/// Where the parties of a lab post their files, each to a path of its own. It closes when the last door is dropped.
pub struct Listener {
    server: Server,
    desks: BTreeMap<PartyRole, Arc<Desk>>,
    secure: bool,
}

impl Listener {
    /// Begins to listen for these parties.
    ///
    /// # Errors
    /// [`DoorError`]: an address that is taken, or is reached from elsewhere without TLS; files of TLS that cannot be used.
    pub async fn open(
        listening: &Listening,
        parties: impl IntoIterator<Item = PartyRole>,
    ) -> Result<Arc<Listener>, DoorError> {
        let paths = parties.into_iter().map(|role| (role, format!("/{role}")));
        Self::at_paths(listening, paths.collect()).await
    }

    /// Begins to listen as a party by itself, for the files of migration control, which are posted to this path.
    ///
    /// # Errors
    /// As [`Listener::open`]; a path that is none.
    pub async fn of_party(listening: &Listening, path: &str) -> Result<Arc<Listener>, DoorError> {
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'));
        if !path.starts_with('/') || !plain {
            let reason = "its path is made of letters, digits and /-_. and begins with /".to_owned();
            return Err(DoorError::Address { url: path.to_owned(), reason });
        }
        let only = BTreeMap::from([(PartyRole::MigrationControl, path.to_owned())]);
        Self::at_paths(listening, only).await
    }

    async fn at_paths(
        listening: &Listening,
        paths: BTreeMap<PartyRole, String>,
    ) -> Result<Arc<Listener>, DoorError> {
        let Listening { at, tls, limit, answer_within } = listening;
        if tls.is_none() && !at.ip().is_loopback() {
            return Err(DoorError::Open(*at));
        }
        let acceptor = tls.as_ref().map(tls::acceptor).transpose()?;
        let (mut router, mut desks) = (Router::new(), BTreeMap::new());
        for (role, path) in paths {
            let changed = watch::Sender::new(());
            let (limit, answer_within) = (*limit, *answer_within);
            let desk = Arc::new(Desk { limit, answer_within, files: Mutex::default(), changed });
            router = router.merge(Router::new().route(&path, post(take)).with_state(Arc::clone(&desk)));
            desks.insert(role, desk);
        }
        let server = Server::start_at(*at, acceptor, router, CONNECTIONS).await;
        let server = server.map_err(|source| DoorError::Listen { address: *at, source })?;
        Ok(Arc::new(Listener { server, desks, secure: tls.is_some() }))
    }

    /// Where this party posts its files.
    pub fn url(&self, role: PartyRole) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/{role}", self.server.address())
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("at", &self.server.address()).finish_non_exhaustive()
    }
}

/// The door of one party.
pub struct Https {
    to: Uri,
    poster: Poster,
    desk: Arc<Desk>,
    send_within: Duration,
    listener: Arc<Listener>,
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https")
            .field("to", &self.to)
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

/// Where files wait.
struct Desk {
    limit: usize,
    answer_within: Duration,
    files: Mutex<Files>,
    /// Tells those who wait that something changed.
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Files {
    waiting: VecDeque<(Digest, Bytes)>,
    /// What became of those that were settled, the latest last.
    settled: VecDeque<(Digest, Settled)>,
}

impl Https {
    /// The door of the party in this role: its files come in at `listener`, and files for it are posted to the address `to`.
    ///
    /// # Errors
    /// [`DoorError`]: an address that is none, a role nobody listens for, files of TLS that cannot be used.
    pub fn new(
        listener: &Arc<Listener>,
        role: PartyRole,
        to: &str,
        tls: Option<&TlsFiles>,
        send_within: Duration,
    ) -> Result<Https, DoorError> {
        let uri = address(to, tls.is_some())?;
        let desk = listener.desks.get(&role).cloned().ok_or_else(|| DoorError::Address {
            url: to.to_owned(),
            reason: format!("nobody listens for files of the {role}"),
        })?;
        let connector = tls.map(|files| tls::connector(&files.authority, Some(&files.identity)));
        let poster = Poster::new(WORDS).with_tls(connector.transpose()?);
        Ok(Https { to: uri, poster, desk, send_within, listener: Arc::clone(listener) })
    }

    async fn post(&self, name: &FileName, octets: Bytes) -> Result<(), DoorError> {
        let (end, [mut pause, longest]) = (Instant::now() + self.send_within, PAUSES);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let reason = match self.poster.post(&self.to, octets.clone(), end).await {
                Ok(reply) if reply.status.is_success() => return Ok(()),
                Ok(reply) if is_passing(reply.status) => {
                    pause = reply
                        .retry_after
                        .and_then(|after| after.parse().ok())
                        .map_or(pause, Duration::from_secs);
                    format!("HTTP status {}: {}", reply.status.as_u16(), words(&reply.body))
                }
                Ok(reply) => return Err(self.refused(name, reply.status, &reply.body)),
                Err(error) => error.to_string(),
            };
            let again = Instant::now() + pause.min(longest);
            if again >= end {
                let (to, name) = (self.to.to_string(), name.to_string());
                return Err(DoorError::Unreachable { to, name, attempts, reason });
            }
            sleep_until(again).await;
            pause = (pause * 2).min(longest);
        }
    }

    fn refused(&self, name: &FileName, status: StatusCode, body: &[u8]) -> DoorError {
        let (to, name) = (self.to.to_string(), name.to_string());
        DoorError::Refused { to, name, status: status.as_u16(), text: words(body) }
    }
}

impl Door for Https {
    fn send<'a>(&'a self, name: &'a FileName, octets: &'a [u8]) -> Doing<'a, ()> {
        let (found, limit) = (octets.len(), self.desk.limit);
        Box::pin(async move {
            if found > limit {
                return Err(DoorError::TooLong { name: name.to_string(), found, limit });
            }
            self.post(name, Bytes::copy_from_slice(octets)).await
        })
    }

    /// A refusal is said by HTTP, while the file is sent, so only files come.
    fn receive(&self, deadline: Instant) -> Doing<'_, Option<Came>> {
        Box::pin(async move {
            let received = |(digest, octets): &(Digest, Bytes)| {
                Came::File(Received { name: digest.to_string(), octets: octets.to_vec() })
            };
            Ok(self.desk.find(deadline, |files| files.waiting.front().map(received)).await)
        })
    }

    fn settle<'a>(&'a self, received: &'a Received, settled: &'a Settled) -> Doing<'a, ()> {
        Box::pin(async move {
            let known = self.desk.change(|files| files.settle(&received.name, settled.clone()));
            known.then_some(()).ok_or_else(|| DoorError::NotWaiting(received.name.clone()))
        })
    }
}

/// What may be otherwise the next time: too much at once, too slow, or the other side's own trouble.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

fn words(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

fn address(url: &str, secure: bool) -> Result<Uri, DoorError> {
    let wrong = |reason: &str| DoorError::Address { url: url.to_owned(), reason: reason.to_owned() };
    let uri: Uri = url.parse().map_err(|error: axum::http::uri::InvalidUri| wrong(&error.to_string()))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) if secure => Ok(uri),
        (Some("https"), Some(_)) => Err(wrong("https, and no certificates are given for it")),
        (Some("http"), Some("localhost" | "127.0.0.1" | "[::1]")) => Ok(uri),
        (Some("http"), Some(_)) => Err(wrong("http goes no further than this machine; write https")),
        _ => Err(wrong("expected https://HOST:PORT/")),
    }
}

/// Takes a POST, and says what became of the file once that is known.
async fn take(State(desk): State<Arc<Desk>>, body: Body) -> Response {
    let octets = match http::body(body, desk.limit).await {
        Ok(octets) => octets,
        Err(error) => return (error.status(), error.to_string()).into_response(),
    };
    if octets.is_empty() {
        return (StatusCode::BAD_REQUEST, "found no octets; expected a signed document").into_response();
    }
    let (digest, end) = (Digest::of(&octets), Instant::now() + desk.answer_within);
    if !desk.change(|files| files.put(digest, octets)) {
        return busy("too many files wait to be read");
    }
    match desk.find(end, |files| files.became(digest)).await {
        Some(Settled::Taken) => StatusCode::NO_CONTENT.into_response(),
        Some(Settled::Refused { code, reason }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{code}: {reason}\n")).into_response()
        }
        None => busy("not read yet; it waits, and sending it again asks what became of it"),
    }
}

fn busy(words: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], words).into_response()
}

impl Desk {
    fn files(&self) -> MutexGuard<'_, Files> {
        // Each change is one step: a panic elsewhere leaves whole files.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Files) -> T) -> T {
        let done = act(&mut self.files());
        self.changed.send_replace(());
        done
    }

    async fn find<T>(&self, deadline: Instant, look: impl Fn(&Files) -> Option<T>) -> Option<T> {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = look(&self.files()) {
                return Some(found);
            }
            timeout_at(deadline, changes.changed()).await.ok()?.ok()?;
        }
    }
}

impl Files {
    /// Whether the file waits now, or has waited.
    fn put(&mut self, digest: Digest, octets: Bytes) -> bool {
        let waits = self.waiting.iter().any(|(waiting, _)| *waiting == digest);
        if waits || self.became(digest).is_some() {
            return true;
        }
        let room = self.waiting.len() < WAITING;
        if room {
            self.waiting.push_back((digest, octets));
        }
        room
    }

    fn became(&self, digest: Digest) -> Option<Settled> {
        let found = self.settled.iter().find(|(settled, _)| *settled == digest);
        found.map(|(_, settled)| settled.clone())
    }

    fn settle(&mut self, name: &str, settled: Settled) -> bool {
        let Some(at) = self.waiting.iter().position(|(digest, _)| digest.to_string() == name) else {
            return false;
        };
        if let Some((digest, _)) = self.waiting.remove(at) {
            self.settled.push_back((digest, settled));
        }
        while self.settled.len() > REMEMBERED {
            self.settled.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests;
