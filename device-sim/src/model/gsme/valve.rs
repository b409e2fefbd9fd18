//! The watch over the valve: what flows when it has just been opened, and when it is closed.

use super::super::time::{MINUTE, Moment};

/// How long after opening the flow is watched.
pub const WATCH: i64 = 5 * MINUTE;
/// Litres an hour above which a flow after opening counts as uncontrolled: more than a household's appliances take.
pub const UNCONTROLLED: u32 = 5_000;

/// What the watch has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Too much flows after the valve was opened: a pipe is open.
    Uncontrolled {
        /// Litres an hour.
        flow: u32,
    },
    /// Gas flows through a closed valve.
    Leak {
        /// Litres an hour.
        flow: u32,
    },
}

/// The watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    open: bool,
    /// Until when what flows is watched.
    until: Moment,
    leak_told: bool,
}

impl Watch {
    /// Over a valve that has been open for long.
    pub fn over_open_valve(now: Moment) -> Self {
        Self { open: true, until: now, leak_told: false }
    }

    /// Looks where the valve stands; whether it has moved since it was last looked at.
    pub fn look(&mut self, open: bool, now: Moment) -> bool {
        let moved = self.open != open;
        if moved {
            self.open = open;
            self.until = if open { now.plus(WATCH) } else { now };
            self.leak_told = false;
        }
        moved
    }

    /// Judges what flows through the valve; each finding is told once for each movement of the valve.
    pub fn judge(&mut self, flow: u32, now: Moment) -> Option<Finding> {
        if self.open {
            return (flow > UNCONTROLLED && now <= self.until).then_some(Finding::Uncontrolled { flow });
        }
        let leaks = flow > 0 && !self.leak_told;
        self.leak_told |= leaks;
        leaks.then_some(Finding::Leak { flow })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_watched_after_opening_only_and_a_leak_is_told_once() {
        let now = Moment::from_millis(0);
        let mut watch = Watch::over_open_valve(now);
        assert_eq!(watch.judge(UNCONTROLLED + 1, now.plus(MINUTE)), None, "it was not just opened");
        assert!(watch.look(false, now));
        assert_eq!(watch.judge(30, now), Some(Finding::Leak { flow: 30 }));
        assert_eq!(watch.judge(30, now), None);
        assert!(watch.look(true, now) && !watch.look(true, now));
        assert_eq!(watch.judge(UNCONTROLLED, now), None);
        assert_eq!(watch.judge(9_000, now.plus(WATCH)), Some(Finding::Uncontrolled { flow: 9_000 }));
        assert_eq!(watch.judge(9_000, now.plus(WATCH + 1)), None);
    }
}
