//! Who calls: programs by certificate, people by a session of the sign-in, nobody by default.
//!
//! [`Caller`] is found once for each request, before anything else looks at it, and travels with the request. What a caller
//! may call is decided in one place (`right`): on the control listener a witness or a board has no right at all, on the
//! watch listener there is nothing but watching and cosigning for anybody to have a right to.

mod people;
pub(super) mod right;
mod session;
mod sign_in;

#[cfg(test)]
mod tests;

pub use people::{People, PeopleError, Person};
pub(super) use sign_in::{SignIn, routes};

use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use jiff::Timestamp;
use proto_lab::record::{Actor, ActorName};

/// Somebody at a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Where the call came from.
    pub from: SocketAddr,
    /// Who it is.
    pub who: Who,
    /// When their session or their certificate ends; absent where nobody is asked for one.
    pub until: Option<Timestamp>,
}

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Somebody with a role in the lab.
    Actor(Actor),
    /// A bench computer.
    Station(ActorName),
    /// No one could be told.
    Nobody,
}

impl Who {
    /// Somebody with a role, if it is one.
    pub const fn actor(&self) -> Option<&Actor> {
        match self {
            Self::Actor(actor) => Some(actor),
            Self::Station(_) | Self::Nobody => None,
        }
    }
}

impl Caller {
    /// Where the call came from, with the station's name where it came from one.
    pub(super) fn place(&self) -> String {
        match &self.who {
            Who::Station(name) => format!("station {name} at {}", self.from),
            Who::Actor(_) | Who::Nobody => self.from.to_string(),
        }
    }
}

/// For handlers of pages: the actor who asks. Without one the request is answered 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By(pub Actor);

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let caller = parts.extensions.get::<Caller>().and_then(|caller| caller.who.actor());
        caller.cloned().map(By).ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// For services: the actor who calls.
///
/// # Errors
/// [`tonic::Code::Unauthenticated`] when there is none.
#[allow(clippy::result_large_err, reason = "what every method of a service returns")]
pub(super) fn actor<T>(request: &tonic::Request<T>) -> Result<Actor, tonic::Status> {
    let caller = request.extensions().get::<Caller>().and_then(|caller| caller.who.actor());
    caller
        .cloned()
        .ok_or_else(|| tonic::Status::unauthenticated("this is for somebody with a role in the lab"))
}
