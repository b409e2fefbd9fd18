//! Sessions of people who signed in. Pure: time is an argument.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use proto_lab::Digest;
use proto_lab::record::Actor;

/// How long a session lasts: a day at the bench.
pub(in crate::server) const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// Sessions kept at a time; one more ends the one that would end first.
const MOST: usize = 1000;

/// The name of the cookie. Its prefix makes browsers refuse it unless it is `Secure`, for this host and all of its paths.
pub(super) const COOKIE: &str = "__Host-lab-session";

/// What a browser holds: thirty-two octets nobody can foresee.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    pub(super) fn new(octets: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(octets))
    }

    /// The token among the cookies of a request.
    pub(super) fn of_cookies(header: &str) -> Option<Self> {
        let named = header.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        named.into_iter().find(|(name, _)| *name == COOKIE).map(|(_, value)| Self(value.to_owned()))
    }

    /// The `Set-Cookie` that gives it to a browser.
    pub(super) fn cookie(&self) -> String {
        cookie(&self.0, LASTS.as_secs())
    }

    fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

/// The `Set-Cookie` that takes it away.
pub(super) fn no_cookie() -> String {
    cookie("", 0)
}

fn cookie(value: &str, seconds: i64) -> String {
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

#[derive(Debug, Clone)]
struct Session {
    actor: Actor,
    ends: Timestamp,
}

/// The sessions under way, by the digest of their token: who reads this memory cannot take a session over.
#[derive(Debug, Default)]
pub(in crate::server) struct Sessions {
    sessions: BTreeMap<Digest, Session>,
}

impl Sessions {
    pub(super) fn begin(&mut self, token: &Token, actor: Actor, now: Timestamp) -> Timestamp {
        self.sessions.retain(|_, session| session.ends > now);
        if self.sessions.len() >= MOST
            && let Some(first) = self.sessions.iter().min_by_key(|(_, session)| session.ends)
        {
            let first = *first.0;
            self.sessions.remove(&first);
        }
        let ends = now.saturating_add(LASTS).unwrap_or(Timestamp::MAX);
        self.sessions.insert(token.digest(), Session { actor, ends });
        ends
    }

    /// Whose session a token opens, and when it ends.
    pub(super) fn actor(&self, token: &Token, now: Timestamp) -> Option<(Actor, Timestamp)> {
        let session = self.sessions.get(&token.digest()).filter(|session| session.ends > now)?;
        Some((session.actor.clone(), session.ends))
    }

    pub(super) fn end(&mut self, token: &Token) {
        self.sessions.remove(&token.digest());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }
}
