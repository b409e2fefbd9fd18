//! What User Systems outside the harness ask of the DCC stub and are told (SVTAD 5.2(b)).
//!
//! Every message that crosses their door becomes a record, like those of the lab's own service user. A script that waits for
//! one of their requests gets it here once it is answered: by the DCC at once, or by the device later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lab_config::Eui64;
use proto_duis::{Request, RequestId, ResponseCode, Srv, TrustStore};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Book;
use crate::link::Direction;
use crate::service_user::{Acknowledgement, Answer, told};
use crate::tap::MessageTap;

/// Exchanges kept for scripts that wait; the oldest is forgotten first. Its records stay.
const KEPT: usize = 256;

/// A request, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// The request's name.
    pub(super) id: RequestId,
    /// What was asked.
    pub(super) srv: Srv,
    /// The DCC's word, given at once.
    pub(super) acknowledgement: Option<Acknowledgement>,
    /// The answer.
    pub(super) answer: Option<Answer>,
}

impl Exchange {
    fn is_over(&self) -> bool {
        let refused = self.acknowledgement.as_ref().is_some_and(|word| word.code.is_error());
        refused || self.answer.is_some()
    }
}

/// What crossed the door of User Systems. Clones are the same.
#[derive(Clone)]
pub(super) struct Outsiders {
    book: Book,
    trust: TrustStore,
    exchanges: Arc<Mutex<VecDeque<Exchange>>>,
    changed: watch::Sender<()>,
}

impl Outsiders {
    /// Keeps everything in `book`; `trust` knows the DSP and the S1SP.
    pub(super) fn new(book: Book, trust: TrustStore) -> Self {
        Self { book, trust, exchanges: Arc::default(), changed: watch::Sender::new(()) }
    }

    fn exchanges(&self) -> MutexGuard<'_, VecDeque<Exchange>> {
        // A panic elsewhere leaves whole exchanges: each is changed in one step.
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what nobody waited for, as between two scripts.
    pub(super) fn forget(&self) {
        self.exchanges().clear();
    }

    /// Waits for a request of this variant, for this device where one is named, that has been answered; and takes it.
    pub(super) async fn next(&self, srv: Srv, device: Option<Eui64>, deadline: Instant) -> Option<Exchange> {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = self.take(srv, device) {
                return Some(found);
            }
            timeout_at(deadline, changes.changed()).await.ok()?.ok()?;
        }
    }

    fn take(&self, srv: Srv, device: Option<Eui64>) -> Option<Exchange> {
        let mut exchanges = self.exchanges();
        let meant = |exchange: &Exchange| {
            exchange.is_over()
                && exchange.srv == srv
                && device.is_none_or(|device| exchange.id.target == device)
        };
        let at = exchanges.iter().position(meant)?;
        exchanges.remove(at)
    }

    /// What was asked meanwhile, in words.
    pub(super) fn meanwhile(&self) -> String {
        let exchanges = self.exchanges();
        let one = |exchange: &Exchange| format!("{} for {}", exchange.srv, exchange.id.target);
        match exchanges.is_empty() {
            true => "nothing was asked".to_owned(),
            false => exchanges.iter().map(one).collect::<Vec<_>>().join(", "),
        }
    }

    fn asked(&self, octets: &[u8]) {
        // What is no request was turned away, and is nothing to wait for.
        let Ok(request) = Request::parse(octets) else { return };
        let (id, srv) = (request.id, request.srv());
        let mut exchanges = self.exchanges();
        exchanges.push_back(Exchange { id, srv, acknowledgement: None, answer: None });
        if exchanges.len() > KEPT {
            exchanges.pop_front();
        }
    }

    fn told(&self, octets: &[u8]) {
        let told = told(&Bytes::copy_from_slice(octets), &self.trust);
        let Some(answer) = told.filter(|answer| answer.schedule.is_none()) else { return };
        let mut exchanges = self.exchanges();
        // A request sent twice has one name: the word on the second is not that on the first.
        let open =
            exchanges.iter_mut().rev().find(|exchange| exchange.id == answer.request && !exchange.is_over());
        let Some(exchange) = open else { return };
        if exchange.acknowledgement.is_none() {
            let (code, time, raw) = (answer.code, answer.time, answer.raw.clone());
            exchange.acknowledgement = Some(Acknowledgement { code, time, raw });
            exchange.answer = (code == ResponseCode::SUCCESS).then_some(answer);
        } else {
            exchange.answer = Some(answer);
        }
    }
}

impl MessageTap for Outsiders {
    fn message(&self, direction: Direction, party: &str, what: &str, bytes: &[u8]) {
        self.book.message(direction, party, what, bytes);
        match direction {
            Direction::Received => self.asked(bytes),
            Direction::Sent => self.told(bytes),
        }
        self.changed.send_replace(());
    }
}
