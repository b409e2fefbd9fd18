//! A rig while it runs: its home behind a lock, its ports and their faults, and word of anything that stirs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lab_config::Path;
use proto_duis::DeviceKind;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::strike::{Pocket, strike};
use crate::fault::{Board, From, Outbox};
use crate::home::Home;
use crate::sim_clock::SimClock;

/// One rig.
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) clock: SimClock,
    home: Mutex<Home>,
    faults: Mutex<Faults>,
    /// Changes whenever something may wait for a connection, or an event may have come nearer.
    stirred: watch::Sender<u64>,
    /// Whether each port is plugged in.
    pub(super) ports: BTreeMap<(DeviceKind, Path), watch::Sender<bool>>,
}

/// The faults of a rig. Whoever needs the home too takes the home first.
struct Faults {
    board: Board,
    pocket: Pocket,
}

impl Site {
    pub(super) fn new(
        name: String,
        clock: SimClock,
        home: Home,
        ports: &[(DeviceKind, Path)],
        seed: u64,
    ) -> Self {
        let plugged_in = |port: &(DeviceKind, Path)| (*port, watch::Sender::new(true));
        let ports = ports.iter().map(plugged_in).collect();
        let faults = Mutex::new(Faults { board: Board::new(seed), pocket: Pocket::new() });
        Self { name, clock, home: Mutex::new(home), faults, stirred: watch::Sender::new(0), ports }
    }

    /// Does something in the home, at the present. Never held across a wait: the lock is for microseconds.
    pub(crate) fn with<T>(&self, deed: impl FnOnce(&mut Home) -> T) -> T {
        self.stir(deed).0
    }

    /// Does something in the home, and tells which stir of it that was. It is counted before the lock is given back, so that
    /// whoever knows the number of its own sees every later one.
    fn stir<T>(&self, deed: impl FnOnce(&mut Home) -> T) -> (T, u64) {
        // A home has no half-done state a panic could leave: every step stands by itself.
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        home.advance(self.clock.now());
        let outcome = deed(&mut home);
        home.carry();
        self.let_strike(&mut home);
        self.stirred.send_modify(|stirs| *stirs = stirs.wrapping_add(1));
        (outcome, *self.stirred.borrow())
    }

    /// Tells the faults what was asked, and lets those of devices begin and end.
    fn let_strike(&self, home: &mut Home) {
        let mut faults = self.faults();
        for (device, obis, number) in home.take_asked() {
            faults.board.asked(device, obis, number);
        }
        for deed in faults.board.deeds(now()) {
            if let Some((device, path, plugged)) = strike(home, &mut faults.pocket, deed)
                && let Some(port) = self.ports.get(&(device, path))
            {
                port.send_replace(plugged);
            }
        }
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the faults of the rig, and lets it take effect.
    pub(super) fn with_faults<T>(&self, deed: impl FnOnce(&mut Board) -> T) -> T {
        let outcome = deed(&mut self.faults().board);
        self.with(|_| ());
        outcome
    }

    /// A frame leaves by a port; what the faults make of it waits in the outbox.
    pub(super) fn send(&self, from: From, octets: Vec<u8>, outbox: &mut Outbox) {
        self.faults().board.outward(from, octets, outbox, now());
    }

    /// Octets of a line or a stream come in at a port: what the device sees of them.
    pub(super) fn hear(&self, port: (DeviceKind, Path), octets: &[u8]) -> Vec<u8> {
        self.hear_datagram(port, octets).concat()
    }

    /// A datagram comes in at a port: the datagrams the device sees of it.
    pub(super) fn hear_datagram(&self, port: (DeviceKind, Path), octets: &[u8]) -> Vec<Vec<u8>> {
        self.faults().board.inward(port, octets, now())
    }

    /// Takes something that waits, without stirring anything.
    pub(super) fn take<T>(&self, take: impl FnOnce(&mut Home) -> T) -> T {
        take(&mut self.home.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn stirring(&self) -> watch::Receiver<u64> {
        self.stirred.subscribe()
    }

    pub(super) fn port(&self, kind: DeviceKind, path: Path) -> Option<watch::Receiver<bool>> {
        self.ports.get(&(kind, path)).map(watch::Sender::subscribe)
    }

    /// Lets time pass in the home when nobody asks anything.
    pub(super) async fn pace(&self, stop: CancellationToken) {
        let mut stirred = self.stirring();
        loop {
            let (next, stir) = self.stir(|home| home.next_event());
            let fault = self.faults().board.due();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.reach(next) => {}
                () = reach(fault) => {}
                // Somebody armed a supply, say: what comes next may come sooner.
                _ = stirred.wait_for(|stirs| *stirs != stir) => {}
            }
        }
    }
}

/// The runtime's time: a test may hold it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Waits until a moment; for ever, where there is none.
pub(super) async fn reach(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
