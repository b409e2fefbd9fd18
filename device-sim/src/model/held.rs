//! Something that counts only once it has been so for long enough: a load above its limit, a voltage out of band.

use super::time::Moment;

/// Whether something holds, with the patience before it is believed either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    patience: i64,
    holds: bool,
    /// Since when it is otherwise than believed.
    otherwise_since: Option<Moment>,
}

impl Held {
    /// Something that does not hold so far, believed after so many milliseconds.
    pub const fn new(patience: i64) -> Self {
        Self { patience, holds: false, otherwise_since: None }
    }

    /// How long it takes to be believed, in milliseconds.
    pub const fn patience(&self) -> i64 {
        self.patience
    }

    /// Another patience, in milliseconds.
    pub fn set_patience(&mut self, patience: i64) {
        self.patience = patience;
    }

    /// Whether it is believed to hold.
    pub const fn holds(&self) -> bool {
        self.holds
    }

    /// Starts over: nothing is believed and nothing has begun.
    pub fn forget(&mut self) {
        *self = Self::new(self.patience);
    }

    /// How it is from `now` on.
    pub(super) fn note(&mut self, is_so: bool, now: Moment) {
        if is_so == self.holds {
            self.otherwise_since = None;
        } else if self.otherwise_since.is_none() {
            self.otherwise_since = Some(now);
        }
    }

    /// When it will be believed otherwise, if nothing changes.
    pub(super) fn turns_at(&self) -> Option<Moment> {
        self.otherwise_since.map(|since| since.plus(self.patience))
    }

    /// Turns when its time has come at `now`: what is believed from then on.
    pub(super) fn turn(&mut self, now: Moment) -> Option<bool> {
        self.turns_at().filter(|at| *at <= now)?;
        self.otherwise_since = None;
        self.holds = !self.holds;
        Some(self.holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_turns_after_its_patience_and_starts_over_when_interrupted() {
        let at = Moment::from_millis;
        let mut held = Held::new(100);
        held.note(true, at(0));
        held.note(true, at(50));
        assert_eq!((held.turn(at(99)), held.turns_at()), (None, Some(at(100))));
        held.note(false, at(99));
        assert_eq!(held.turns_at(), None);
        held.note(true, at(200));
        assert_eq!((held.turn(at(300)), held.turn(at(900))), (Some(true), None));
        held.note(false, at(900));
        assert_eq!(held.turn(at(1000)), Some(false));
    }
}
