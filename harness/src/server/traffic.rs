//! What a connection is of use for: the calls under way on it, for as long as their answers are being given.

use std::time::Duration;

use tokio::sync::watch;

/// How long a connection may stand before it asks for anything: longer than the head of a request may take.
pub(super) const ASKS_WITHIN: Duration = Duration::from_secs(15);
/// How long a connection that was of use may stand without a call. Programs and browsers connect again when they need to.
pub(super) const IDLE: Duration = Duration::from_secs(120);

/// The calls of one connection. Clones count together.
#[derive(Debug, Clone)]
pub(super) struct Traffic(watch::Sender<Calls>);

#[derive(Debug, Default)]
struct Calls {
    under_way: usize,
    ever: bool,
}

/// A call under way; over when it is dropped.
#[derive(Debug)]
pub(super) struct Call(Traffic);

impl Traffic {
    pub(super) fn new() -> Self {
        Self(watch::Sender::default())
    }

    /// One more call.
    pub(super) fn begin(&self) -> Call {
        self.0.send_modify(|calls| (calls.under_way, calls.ever) = (calls.under_way + 1, true));
        Call(self.clone())
    }

    /// Whether anything was ever asked.
    pub(super) fn asked(&self) -> bool {
        self.0.borrow().ever
    }

    /// Waits until the connection has stood too long without a call.
    pub(super) async fn idle(&self) {
        let mut changed = self.0.subscribe();
        loop {
            let (busy, limit) = {
                let calls = changed.borrow_and_update();
                (calls.under_way > 0, if calls.ever { IDLE } else { ASKS_WITHIN })
            };
            // This end lives as long as `self`, so what it waits for comes or time passes.
            let change = changed.changed();
            match busy {
                true => drop(change.await),
                false if tokio::time::timeout(limit, change).await.is_err() => return,
                false => {}
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.send_modify(|calls| calls.under_way = calls.under_way.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_connection_stands_as_long_as_it_is_of_use() {
        let begun = Instant::now();
        let silent = Traffic::new();
        silent.idle().await;
        assert_eq!((begun.elapsed(), silent.asked()), (ASKS_WITHIN, false));

        let (begun, traffic) = (Instant::now(), Traffic::new());
        let (one, two) = (traffic.begin(), traffic.begin());
        let calls = async {
            tokio::time::sleep(IDLE * 3).await;
            drop(one);
            tokio::time::sleep(IDLE * 3).await;
            drop(two);
            tokio::time::sleep(IDLE / 2).await;
            drop(traffic.begin());
        };
        tokio::join!(traffic.idle(), calls);
        assert_eq!(begun.elapsed(), IDLE * 7 + IDLE / 2);
    }
}
