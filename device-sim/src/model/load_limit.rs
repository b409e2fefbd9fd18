//! The load limit: too much power for too long opens the supply.

use super::held::Held;
use super::time::{DAY, MINUTE, MeterTime, Moment};

/// The largest limit a meter takes, in watts.
pub const LARGEST: u32 = 100_000;

/// What happens when the limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitAction {
    /// Counted and told; the supply stays as it is.
    Unchanged,
    /// The supply goes off, and is armed.
    Disable,
}

/// What a supplier sets of the load limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limiter {
    /// Largest load.
    pub watts: u32,
    /// How long more is borne.
    pub millis: i64,
    /// After how long the supply comes back by itself; without, only by keys.
    pub restoration: Option<i64>,
    /// What happens.
    pub action: LimitAction,
}

impl Limiter {
    /// Whether a meter takes these settings: a limit from 1 W to [`LARGEST`], and times of a day at most.
    pub fn is_in_range(&self) -> bool {
        let day = 0..=DAY;
        (1..=LARGEST).contains(&self.watts)
            && day.contains(&self.millis)
            && day.contains(&self.restoration.unwrap_or_default())
    }
}

impl Default for Limiter {
    /// 100 A at 230 V for two minutes; back by keys only.
    fn default() -> Self {
        Self { watts: 23_000, millis: 2 * MINUTE, restoration: None, action: LimitAction::Disable }
    }
}

/// The load limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadLimit {
    limiter: Limiter,
    over: Held,
    count: u32,
    restores_at: Option<Moment>,
    /// Settings held ready, and when they come into force by the meter's clock.
    passive: Option<(Limiter, MeterTime)>,
}

impl LoadLimit {
    /// A limit that has not been passed.
    pub fn new(limiter: Limiter) -> Self {
        Self { over: Held::new(limiter.millis), limiter, count: 0, restores_at: None, passive: None }
    }

    /// What is set.
    pub const fn limiter(&self) -> Limiter {
        self.limiter
    }

    /// Other settings; what has been borne so far is forgotten.
    pub fn set(&mut self, limiter: Limiter) {
        (self.limiter, self.over) = (limiter, Held::new(limiter.millis));
    }

    /// The settings held ready, and when they come into force.
    pub const fn passive(&self) -> Option<(Limiter, MeterTime)> {
        self.passive
    }

    /// Holds settings ready for a time, in place of any before; none takes them back.
    pub fn hold(&mut self, passive: Option<(Limiter, MeterTime)>) {
        self.passive = passive;
    }

    /// Puts the settings held ready in force once the meter's clock shows their time; whether it did.
    pub(super) fn take_over(&mut self, shown: MeterTime) -> bool {
        let due = self.passive.take_if(|(_, at)| *at <= shown);
        due.into_iter().for_each(|(limiter, _)| self.set(limiter));
        due.is_some()
    }

    /// How often the limit was passed for longer than is borne.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Counts from nought again.
    pub fn reset_count(&mut self) {
        self.count = 0;
    }

    /// The load from `now` on.
    pub(super) fn note(&mut self, watts: u32, now: Moment) {
        let over = watts > self.limiter.watts;
        self.over.note(over, now);
        if !over && self.over.holds() {
            self.over.forget();
        }
    }

    /// When it does something by itself.
    pub(super) fn next_event(&self) -> Option<Moment> {
        [self.over.turns_at(), self.restores_at].into_iter().flatten().min()
    }

    /// Whether the limit has been passed for too long, at `now`.
    pub(super) fn trips(&mut self, now: Moment) -> bool {
        let trips = self.over.turn(now) == Some(true);
        if trips {
            self.count = self.count.saturating_add(1);
            self.restores_at = match self.limiter.action {
                LimitAction::Disable => self.limiter.restoration.map(|after| now.plus(after)),
                LimitAction::Unchanged => None,
            };
        }
        trips
    }

    /// Whether the supply is to come back by itself, at `now`.
    pub(super) fn restores(&mut self, now: Moment) -> bool {
        let restores = self.restores_at.is_some_and(|at| at <= now);
        if restores {
            self.restores_at = None;
        }
        restores
    }

    /// The mains were away: what was being borne is forgotten.
    pub(super) fn interrupted(&mut self) {
        self.over.forget();
    }
}
