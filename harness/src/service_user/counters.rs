//! The counters that make every request of a user a new one (DUIS type `RequestIDType`, the protection against replay).

use std::collections::{BTreeMap, BTreeSet};

use proto_duis::Eui64;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

/// One counter for each originator.
///
/// A counter must not only be larger than the last one, it must also arrive after it. So whoever takes one holds the
/// originator's turn until the DCC has acknowledged the request, and requests of one originator go out one after another.
#[derive(Debug)]
pub(super) struct Counters(BTreeMap<Eui64, Mutex<Counter>>);

/// The counter of one originator.
#[derive(Debug)]
pub(super) struct Counter {
    /// None once all are used.
    next: Option<u64>,
    /// The last one the DCC accepted. One it refused may be used again, so sending it again is no replay.
    accepted: Option<u64>,
}

impl Counters {
    /// Counters that begin at `first`.
    pub(super) fn new(originators: BTreeSet<Eui64>, first: u64) -> Counters {
        let counter = || Mutex::new(Counter { next: Some(first), accepted: None });
        Counters(originators.into_iter().map(|id| (id, counter())).collect())
    }

    /// The originator's turn, or none by the deadline.
    pub(super) async fn turn(&self, originator: Eui64, deadline: Instant) -> Option<MutexGuard<'_, Counter>> {
        timeout_at(deadline, self.0.get(&originator)?.lock()).await.ok()
    }
}

impl Counter {
    /// A counter never given before; none when there are no more.
    pub(super) fn take(&mut self) -> Option<u64> {
        let taken = self.next?;
        self.next = taken.checked_add(1);
        Some(taken)
    }

    /// The DCC accepted a request with this counter.
    pub(super) const fn accept(&mut self, counter: u64) {
        self.accepted = Some(counter);
    }

    /// The counter the DCC accepted last; none when it accepted none.
    pub(super) const fn accepted(&self) -> Option<u64> {
        self.accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_end_and_do_not_begin_again() {
        let mut counter = Counter { next: Some(u64::MAX - 1), accepted: None };
        assert_eq!(
            (counter.take(), counter.take(), counter.take()),
            (Some(u64::MAX - 1), Some(u64::MAX), None)
        );
    }
}
