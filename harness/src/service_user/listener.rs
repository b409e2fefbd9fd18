//! The door at which answers and alerts arrive: 204 for a message that is taken, 400 with the reason for one that is
//! not valid, 503 when there is no room and the DCC should try again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use proto_duis::{Eui64, TrustStore};

use super::inbox::NotTaken;
use super::mailbox::Mailbox;
use super::receive::{self, Received};
use crate::link::Direction;
use crate::tap::SharedMessageTap;

/// How long the octets of a message may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// What the listener needs.
pub(super) struct Desk {
    pub(super) trust: TrustStore,
    pub(super) originators: BTreeSet<Eui64>,
    pub(super) mailbox: Mailbox,
    pub(super) tap: SharedMessageTap,
    pub(super) message_octets: usize,
}

type Reply = (StatusCode, String);

/// Takes POSTs at `/`.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new().route("/", post(receive)).with_state(desk)
}

async fn receive(State(desk): State<Arc<Desk>>, body: Body) -> Reply {
    match body_of(body, desk.message_octets).await {
        Ok(octets) => desk.take(&octets),
        Err(reply) => {
            desk.heard(&format!("message not taken: {}", reply.1), &[]);
            reply
        }
    }
}

async fn body_of(body: Body, limit: usize) -> Result<Bytes, Reply> {
    let collected = tokio::time::timeout(BODY_WITHIN, Limited::new(body, limit).collect());
    match collected.await {
        Ok(Ok(octets)) => Ok(octets.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a message has at most {limit} octets here")))
        }
        Ok(Err(error)) => Err((StatusCode::BAD_REQUEST, format!("the message broke off: {error}"))),
        Err(_) => {
            let text = format!("the message did not arrive within {} s", BODY_WITHIN.as_secs());
            Err((StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}

impl Desk {
    fn heard(&self, what: &str, octets: &[u8]) {
        self.tap.message(Direction::Received, super::DCC, what, octets);
    }

    fn take(&self, octets: &Bytes) -> Reply {
        let read = receive::read(octets, &self.trust, |user| self.originators.contains(&user));
        match read {
            Err(rejection) => self.reject(octets, &rejection.to_string()),
            Ok(received) => {
                self.heard(&received.name(), octets);
                self.deliver(received)
            }
        }
    }

    fn reject(&self, octets: &[u8], reason: &str) -> Reply {
        self.heard(&format!("message refused: {reason}"), octets);
        (StatusCode::BAD_REQUEST, reason.to_owned())
    }

    fn deliver(&self, received: Received) -> Reply {
        let taken = self.mailbox.change(|inbox| match received {
            Received::Answer(answer) => inbox.deliver(*answer),
            Received::Alert(alert) => inbox.alert(*alert),
        });
        match taken {
            Ok(()) => (StatusCode::NO_CONTENT, String::new()),
            Err(NotTaken::NoRoom(what)) => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("no room for more {what}: try again later"))
            }
            Err(NotTaken::Rejected(rejection)) => (StatusCode::BAD_REQUEST, rejection.to_string()),
        }
    }
}
