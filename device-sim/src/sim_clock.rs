//! The clock simulated devices live by: the machine's, a faster one, or one a test steps.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::time::Moment;

/// The largest factor a clock may run at: a year in under a minute.
pub const FASTEST: u32 = 1_000_000;

/// Where devices have the time from. Clones share it.
#[derive(Debug, Clone)]
pub struct SimClock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Real,
    Accelerated { origin: Instant, start: Moment, factor: u32 },
    Stepped(watch::Receiver<Moment>),
}

/// Steps a [`SimClock::stepped`].
#[derive(Debug)]
pub struct Stepper(watch::Sender<Moment>);

impl SimClock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that starts at the machine's time and runs `factor` times as fast (1 to [`FASTEST`]).
    pub fn accelerated(factor: u32) -> Self {
        let factor = factor.clamp(1, FASTEST);
        Self(Kind::Accelerated { origin: Instant::now(), start: Timestamp::now().into(), factor })
    }

    /// A clock that stands at `start` until it is stepped.
    pub fn stepped(start: Timestamp) -> (Self, Stepper) {
        let (sender, receiver) = watch::channel(start.into());
        (Self(Kind::Stepped(receiver)), Stepper(sender))
    }

    /// The time.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Kind::Real => Timestamp::now().into(),
            Kind::Accelerated { origin, start, factor } => {
                let passed = origin.elapsed().as_millis().saturating_mul(u128::from(*factor));
                start.plus(i64::try_from(passed).unwrap_or(i64::MAX))
            }
            Kind::Stepped(receiver) => *receiver.borrow(),
        }
    }

    /// Waits until it shows `moment`. A stepped clock whose stepper is gone never does.
    pub async fn reach(&self, moment: Moment) {
        match &self.0 {
            Kind::Real => tokio::time::sleep(millis(moment.since(self.now()))).await,
            Kind::Accelerated { factor, .. } => {
                tokio::time::sleep(millis(moment.since(self.now()).saturating_add(999) / i64::from(*factor)))
                    .await;
            }
            Kind::Stepped(receiver) => {
                let mut receiver = receiver.clone();
                if receiver.wait_for(|now| *now >= moment).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

/// At least a millisecond, so that a wait that is just over does not become a busy loop.
fn millis(wait: i64) -> Duration {
    Duration::from_millis(u64::try_from(wait).unwrap_or_default().max(1))
}

impl Stepper {
    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX).max(0);
        self.0.send_modify(|now| *now = now.plus(by));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stepped_clock_stands_until_it_is_stepped() {
        let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let (clock, stepper) = SimClock::stepped(start);
        let later = clock.now().plus(5_000);
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reach(later).await }
        });
        stepper.advance(SignedDuration::from_secs(5));
        waiting.await.unwrap();
        assert_eq!(clock.now(), later);
    }

    #[tokio::test(start_paused = true)]
    async fn an_accelerated_clock_runs_so_many_times_as_fast() {
        let clock = SimClock::accelerated(60);
        let then = clock.now();
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(clock.now().since(then), 30 * 60 * 1000);
    }
}
