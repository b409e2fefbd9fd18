//! Signs of life. Pure: time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// Longest time an end says nothing.
const BEAT: Duration = Duration::from_secs(2);
/// How long nothing may be heard before the other end is lost.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// When the other end was last heard, and when this one last spoke.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulse {
    heard: Instant,
    said: Instant,
}

impl Pulse {
    pub(super) const fn new(now: Instant) -> Self {
        Self { heard: now, said: now }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(super) fn said(&mut self, now: Instant) {
        self.said = now;
    }

    /// When something must be said.
    pub(super) fn due(&self) -> Instant {
        self.said + BEAT
    }

    /// When the other end counts as lost unless it is heard before.
    pub(super) fn lost_at(&self) -> Instant {
        self.heard + SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_as_often_as_due_is_never_lost() {
        let mut now = Instant::now();
        let (mut here, mut there) = (Pulse::new(now), Pulse::new(now));
        for _ in 0..100 {
            now = here.due();
            assert!(now < there.lost_at());
            here.said(now);
            there.heard(now);
        }
        assert_eq!(there.lost_at(), now + SILENCE);
    }
}
