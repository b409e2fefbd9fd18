//! The supply: off, ready or on.
//!
//! A remote arm makes it ready; only a person at the meter, pressing keys A and B within [`KEY_WINDOW`] of
//! the arming, closes it. When the window passes it is off again, for the reason it was off before.

use super::time::Moment;

/// How long a ready supply waits for both keys.
pub const KEY_WINDOW: i64 = 30_000;

/// A key of the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Left key.
    A,
    /// Right key.
    B,
}

/// Why the supply is off, with the reason code the meter gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffReason {
    /// 01: by command.
    Manual,
    /// 02: credit used up.
    NoCredit,
    /// 04: too much load.
    Overload,
    /// 08: an event, such as tamper.
    Event,
    /// 10: a supply UTRN.
    SupplyToken,
}

impl OffReason {
    /// The code the meter gives.
    pub const fn code(self) -> u8 {
        match self {
            Self::Manual => 0x01,
            Self::NoCredit => 0x02,
            Self::Overload => 0x04,
            Self::Event => 0x08,
            Self::SupplyToken => 0x10,
        }
    }
}

/// State of the supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Closed: the house has supply.
    On,
    /// Open and armed.
    Ready {
        /// When the wait for keys ends.
        until: Moment,
        /// The key pressed so far, if any.
        pressed: Option<Key>,
        /// Why it was off.
        reason: OffReason,
    },
    /// Open.
    Off {
        /// Why.
        reason: OffReason,
    },
}

/// What a key press did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEffect {
    /// Nothing: no key was waited for.
    None,
    /// One of the two keys is down; the other is waited for.
    Waiting,
    /// Both were pressed in time: the supply is on.
    Closed,
}

/// The load switch or the valve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    state: State,
}

impl Supply {
    /// A supply that is on.
    pub const fn on() -> Self {
        Self { state: State::On }
    }

    /// Its state. Call [`Supply::lapse`] first where time has passed.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether current or gas flows.
    pub const fn is_on(&self) -> bool {
        matches!(self.state, State::On)
    }

    /// Attribute 3 of COSEM class 70: 0 disconnected, 1 connected, 2 ready for reconnection.
    pub const fn control_state(&self) -> u8 {
        match self.state {
            State::Off { .. } => 0,
            State::On => 1,
            State::Ready { .. } => 2,
        }
    }

    /// The meter's reason code: 00 closed, 01 manual, 02 no credit, 04 overload, 08 event, 10 supply UTRN.
    pub const fn reason_code(&self) -> u8 {
        match self.state {
            State::On => 0,
            State::Ready { reason, .. } | State::Off { reason } => reason.code(),
        }
    }

    /// Opens it; whether that changed anything.
    pub fn disable(&mut self, reason: OffReason) -> bool {
        let next = State::Off { reason };
        std::mem::replace(&mut self.state, next) != next
    }

    /// Arms an open supply; whether it is ready now. A closed one stays closed.
    pub fn arm(&mut self, now: Moment) -> bool {
        match self.state {
            State::On => false,
            State::Off { reason } | State::Ready { reason, .. } => {
                self.state = State::Ready { until: now.plus(KEY_WINDOW), pressed: None, reason };
                true
            }
        }
    }

    /// Closes it without keys (the enable command); whether that changed anything.
    pub fn enable(&mut self) -> bool {
        std::mem::replace(&mut self.state, State::On) != State::On
    }

    /// A person presses a key. Holding one key twice does not count for two.
    pub fn press(&mut self, key: Key, now: Moment) -> KeyEffect {
        self.lapse(now);
        match self.state {
            State::Ready { pressed: Some(other), .. } if other != key => {
                self.state = State::On;
                KeyEffect::Closed
            }
            State::Ready { until, reason, .. } => {
                self.state = State::Ready { until, pressed: Some(key), reason };
                KeyEffect::Waiting
            }
            State::On | State::Off { .. } => KeyEffect::None,
        }
    }

    /// When the wait for keys ends, if there is one.
    pub const fn lapses_at(&self) -> Option<Moment> {
        match self.state {
            State::Ready { until, .. } => Some(until),
            State::On | State::Off { .. } => None,
        }
    }

    /// Ends a wait for keys that is over at `now`; whether it did.
    pub fn lapse(&mut self, now: Moment) -> bool {
        match self.state {
            State::Ready { until, reason, .. } if now >= until => {
                self.state = State::Off { reason };
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Arm,
        Disable,
        Press(Key),
        Pass(i64),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            Just(Deed::Arm),
            Just(Deed::Disable),
            Just(Deed::Press(Key::A)),
            Just(Deed::Press(Key::B)),
            (0i64..40_000).prop_map(Deed::Pass),
        ]
    }

    #[test]
    fn arm_and_both_keys_in_time_close_it() {
        let start = Moment::from_millis(0);
        let mut supply = Supply::on();
        assert!(supply.disable(OffReason::Manual));
        assert_eq!(supply.press(Key::A, start), KeyEffect::None);
        assert!(supply.arm(start));
        assert_eq!((supply.control_state(), supply.reason_code()), (2, 1));
        assert_eq!(supply.press(Key::A, start), KeyEffect::Waiting);
        assert_eq!(supply.press(Key::A, start), KeyEffect::Waiting);
        assert_eq!(supply.press(Key::B, start.plus(KEY_WINDOW - 1)), KeyEffect::Closed);
    }

    proptest! {
        /// However it is armed and left, only two different keys within the window of one arming close it.
        #[test]
        fn arming_never_closes_without_both_keys(deeds in proptest::collection::vec(deed(), 0..40)) {
            let mut supply = Supply::on();
            supply.disable(OffReason::Manual);
            let (mut now, mut armed_at, mut keys) = (Moment::from_millis(0), None, Vec::new());
            for deed in deeds {
                match deed {
                    Deed::Arm => { if supply.arm(now) { armed_at = Some(now); keys.clear(); } }
                    Deed::Disable => { supply.disable(OffReason::Manual); armed_at = None; keys.clear(); }
                    Deed::Press(key) => { supply.press(key, now); keys.push(key); }
                    Deed::Pass(millis) => { now = now.plus(millis); supply.lapse(now); }
                }
                if supply.is_on() {
                    prop_assert!(keys.contains(&Key::A) && keys.contains(&Key::B));
                    prop_assert!(armed_at.is_some());
                    supply.disable(OffReason::Manual);
                    (armed_at, keys) = (None, Vec::new());
                }
            }
        }
    }
}
