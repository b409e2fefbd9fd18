//! The door at which answers and alerts arrive: 204 for a message that is taken, 400 with the reason for one that is
//! not valid, 503 when there is no room for an alert and the DCC should try again.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use proto_duis::{Eui64, TrustStore};

use super::inbox::NotTaken;
use super::mailbox::Mailbox;
use super::receive::{self, Received};
use crate::http;
use crate::link::Direction;
use crate::tap::SharedMessageTap;

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
    match http::body(body, desk.message_octets).await {
        Ok(octets) => desk.take(&octets),
        Err(error) => {
            desk.heard(&format!("message not taken: {error}"), &[]);
            (error.status(), error.to_string())
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
                self.heard(&self.name(&received), octets);
                self.deliver(received)
            }
        }
    }

    /// What came, and whether nobody waits for it.
    fn name(&self, received: &Received) -> String {
        let stray = match received {
            Received::Answer(answer) => self.mailbox.with(|inbox| inbox.stray_kind(answer)),
            Received::Alert(_) => None,
        };
        let name = received.name();
        stray.map_or_else(|| name.clone(), |kind| format!("{kind} {name}"))
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
            Err(NotTaken::NoRoom) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no room for more alerts, or answers of schedules: try again later".to_owned(),
            ),
            Err(NotTaken::Rejected(rejection)) => (StatusCode::BAD_REQUEST, rejection.to_string()),
        }
    }
}
