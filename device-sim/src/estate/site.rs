//! A rig while it runs: its home behind a lock, its ports, and word of anything that stirs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use lab_config::Path;
use proto_duis::DeviceKind;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::home::Home;
use crate::sim_clock::SimClock;

/// One rig.
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) clock: SimClock,
    home: Mutex<Home>,
    /// Changes whenever something may wait for a connection, or an event may have come nearer.
    stirred: watch::Sender<()>,
    /// Whether each port is plugged in.
    pub(super) ports: BTreeMap<(DeviceKind, Path), watch::Sender<bool>>,
}

impl Site {
    pub(super) fn new(name: String, clock: SimClock, home: Home, ports: &[(DeviceKind, Path)]) -> Self {
        let plugged_in = |port: &(DeviceKind, Path)| (*port, watch::Sender::new(true));
        let ports = ports.iter().map(plugged_in).collect();
        Self { name, clock, home: Mutex::new(home), stirred: watch::Sender::new(()), ports }
    }

    /// Does something in the home, at the present. Never held across a wait: the lock is for microseconds.
    pub(crate) fn with<T>(&self, deed: impl FnOnce(&mut Home) -> T) -> T {
        let outcome = {
            // A home has no half-done state a panic could leave: every step stands by itself.
            let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
            home.advance(self.clock.now());
            let outcome = deed(&mut home);
            home.carry();
            outcome
        };
        self.stirred.send_replace(());
        outcome
    }

    /// Takes something that waits, without stirring anything.
    pub(super) fn take<T>(&self, take: impl FnOnce(&mut Home) -> T) -> T {
        take(&mut self.home.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn stirring(&self) -> watch::Receiver<()> {
        self.stirred.subscribe()
    }

    pub(super) fn port(&self, kind: DeviceKind, path: Path) -> Option<watch::Receiver<bool>> {
        self.ports.get(&(kind, path)).map(watch::Sender::subscribe)
    }

    /// Lets time pass in the home when nobody asks anything.
    pub(super) async fn pace(&self, stop: CancellationToken) {
        let mut stirred = self.stirring();
        loop {
            let next = self.with(|home| home.next_event());
            stirred.mark_unchanged();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.reach(next) => {}
                // Somebody armed a supply, say: what comes next may come sooner.
                _ = stirred.changed() => {}
            }
        }
    }
}
