//! To the user's listener: one outbox for each user, in order, each message tried a few times and then given up and
//! said to be undelivered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use bytes::Bytes;
use proto_duis::{Eui64, Response, ResponseBody};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::server::{Shared, locked};
use crate::link::Direction;
use crate::post::Poster;

/// How many messages may wait for one user.
pub(super) const WAITING: usize = 256;
/// How often a message is tried.
const ATTEMPTS: u32 = 3;
/// How long a listener may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait before the next attempt, times the number of those made.
const PAUSE: Duration = Duration::from_millis(250);
/// How many undelivered messages are remembered.
const REMEMBERED: usize = 256;

/// A message a user never got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The user.
    pub user: Eui64,
    /// The message, in words.
    pub what: String,
    /// Why it was given up.
    pub reason: String,
}

/// The last messages given up, the oldest first.
#[derive(Debug, Default)]
pub(super) struct LostMail(VecDeque<Undelivered>);

impl LostMail {
    pub(super) fn add(&mut self, lost: Undelivered) {
        tracing::warn!(user = %lost.user, what = lost.what, reason = lost.reason, "message not delivered");
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(lost);
    }

    pub(super) fn take(&mut self) -> Vec<Undelivered> {
        self.0.drain(..).collect()
    }
}

/// A message on its way to a user.
pub(super) struct Letter {
    what: String,
    octets: Bytes,
    _counted: Counted,
}

impl Letter {
    pub(super) fn new(what: String, octets: Bytes, letters: &watch::Sender<usize>) -> Letter {
        letters.send_modify(|count| *count += 1);
        Letter { what, octets, _counted: Counted(letters.clone()) }
    }
}

/// One of the messages under way, until it is dropped.
struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// What a response is, in the field's words.
pub(super) fn name(response: &Response) -> String {
    match &response.body {
        ResponseBody::Dcc(message) => format!("response {} to {}", response.code, message.srv),
        ResponseBody::Smets1(message) => match message.srv {
            Some(srv) => format!("response {} to {srv}", response.code),
            None => "device alert".to_owned(),
        },
        ResponseBody::DccAlert(_) => "S1SP alert N55".to_owned(),
    }
}

pub(super) async fn work<P: Send + Sync>(
    shared: Arc<Shared<P>>,
    user: Eui64,
    mut letters: mpsc::Receiver<Letter>,
) {
    let poster = Poster::new(proto_duis::MAX_OCTETS).with_tls(shared.connector.clone());
    while let Some(letter) = letters.recv().await {
        if let Err(reason) = deliver(&shared, &poster, user, &letter).await {
            locked(&shared.lost).add(Undelivered { user, what: letter.what.clone(), reason });
        }
    }
}

async fn deliver<P>(shared: &Shared<P>, poster: &Poster, user: Eui64, letter: &Letter) -> Result<(), String> {
    let listener = locked(&shared.listeners).get(&user).cloned();
    let listener = listener.ok_or("the user registered no listener")?;
    shared.tap_of(user).message(Direction::Sent, &format!("user {user}"), &letter.what, &letter.octets);
    let mut reason = String::new();
    for attempt in 1..=ATTEMPTS {
        match try_once(poster, &listener, letter).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Refused(said)) => return Err(said),
            Err(Trouble::Passing(said)) => reason = said,
        }
        if attempt < ATTEMPTS {
            tokio::time::sleep(PAUSE * attempt).await;
        }
    }
    Err(format!("{reason} ({ATTEMPTS} attempts)"))
}

enum Trouble {
    /// The listener found the message wrong: sending it again changes nothing.
    Refused(String),
    /// It may be there next time.
    Passing(String),
}

async fn try_once(poster: &Poster, listener: &Uri, letter: &Letter) -> Result<(), Trouble> {
    let reply = poster.post(listener, letter.octets.clone(), Instant::now() + DEADLINE).await;
    let reply = reply.map_err(|error| Trouble::Passing(error.to_string()))?;
    let said = String::from_utf8_lossy(&reply.body).chars().take(200).collect::<String>();
    match reply.status {
        StatusCode::NO_CONTENT => Ok(()),
        status if status.is_client_error() => {
            Err(Trouble::Refused(format!("the listener said {status}: {said}")))
        }
        status => Err(Trouble::Passing(format!("the listener said {status}: {said}"))),
    }
}
