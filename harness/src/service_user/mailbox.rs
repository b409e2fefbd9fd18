//! The inbox in the hands of several tasks, with waits that end at a deadline.

use std::sync::{Mutex, PoisonError};

use proto_duis::RequestId;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::inbox::{Inbox, Limits};

/// An [`Inbox`] that tells those who wait when something changed.
#[derive(Debug)]
pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    changed: Notify,
}

impl Mailbox {
    pub(super) fn new(limits: Limits) -> Mailbox {
        Mailbox { inbox: Mutex::new(Inbox::new(limits)), changed: Notify::new() }
    }

    /// Looks at the inbox, or takes from it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Inbox) -> T) -> T {
        act(&mut self.inbox.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts something into the inbox and wakes those who wait.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut Inbox) -> T) -> T {
        let changed = self.with(act);
        self.changed.notify_waiters();
        changed
    }

    /// Looks until it finds something, at the latest at the deadline.
    pub(super) async fn find<T>(
        &self,
        deadline: Instant,
        mut look: impl FnMut(&mut Inbox) -> Option<T>,
    ) -> Option<T> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registered before looking: what comes between looking and waiting wakes us too.
            changed.as_mut().enable();
            if let Some(found) = self.with(&mut look) {
                return Some(found);
            }
            if timeout_at(deadline, changed).await.is_err() {
                return self.with(&mut look);
            }
        }
    }
}

/// A request that is given up when whoever waits for it goes away, as when a person stops the run.
pub(super) struct Outstanding<'a> {
    mailbox: &'a Mailbox,
    request: Option<RequestId>,
}

impl<'a> Outstanding<'a> {
    pub(super) const fn new(mailbox: &'a Mailbox, request: RequestId) -> Outstanding<'a> {
        Outstanding { mailbox, request: Some(request) }
    }

    /// Leaves the request as it is.
    pub(super) fn keep(mut self) {
        self.request = None;
    }
}

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request {
            self.mailbox.change(|inbox| inbox.give_up(&request));
        }
    }
}
