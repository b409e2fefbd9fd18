//! The watch over the valve: what flows when it has just been opened, and when it is closed.

use super::super::time::Moment;

/// From which flow on, and when after the valve was opened, a flow is uncontrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowLimits {
    rate: u32,
    stabilisation: u32,
    measurement: u32,
}

/// A limit that the meter does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlowLimitError {
    /// A rate of nought, or above what passes a meter of its size.
    #[error("uncontrolled gas flow rate of {0}/10000 m3/h: expected 0.0001 to 6.0000")]
    Rate(u32),
    /// A time in which nothing settles.
    #[error("stabilisation period of {0} s: expected 1 to 255")]
    Stabilisation(u32),
    /// A time in which nothing is measured, or longer than anybody waits for gas.
    #[error("measurement period of {0} s: expected 1 to 3600")]
    Measurement(u32),
}

impl Default for FlowLimits {
    /// 5 m3/h, more than a household's appliances take, within five minutes.
    fn default() -> Self {
        Self { rate: 50_000, stabilisation: 10, measurement: 290 }
    }
}

impl FlowLimits {
    /// The rate in ten thousandths of a cubic metre an hour.
    pub const fn rate(self) -> u32 {
        self.rate
    }

    /// Seconds that the flow is let settle.
    pub const fn stabilisation(self) -> u32 {
        self.stabilisation
    }

    /// Seconds that it is measured after that.
    pub const fn measurement(self) -> u32 {
        self.measurement
    }

    /// Another rate, in ten thousandths of a cubic metre an hour.
    ///
    /// # Errors
    /// [`FlowLimitError::Rate`].
    pub fn with_rate(self, rate: u32) -> Result<Self, FlowLimitError> {
        let fits = (1..=60_000).contains(&rate);
        fits.then_some(Self { rate, ..self }).ok_or(FlowLimitError::Rate(rate))
    }

    /// Another time to settle, in seconds.
    ///
    /// # Errors
    /// [`FlowLimitError::Stabilisation`].
    pub fn with_stabilisation(self, seconds: u32) -> Result<Self, FlowLimitError> {
        let fits = (1..=255).contains(&seconds);
        fits.then_some(Self { stabilisation: seconds, ..self }).ok_or(FlowLimitError::Stabilisation(seconds))
    }

    /// Another time of measurement, in seconds.
    ///
    /// # Errors
    /// [`FlowLimitError::Measurement`].
    pub fn with_measurement(self, seconds: u32) -> Result<Self, FlowLimitError> {
        let fits = (1..=3_600).contains(&seconds);
        fits.then_some(Self { measurement: seconds, ..self }).ok_or(FlowLimitError::Measurement(seconds))
    }

    /// Whether so many litres an hour are above the rate.
    fn is_above(self, litres: u32) -> bool {
        u64::from(litres) * 10 > u64::from(self.rate)
    }
}

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
    /// What it watches for when the valve is opened next.
    pub limits: FlowLimits,
    open: bool,
    /// From when and until when what flows is watched, and above which rate.
    window: Option<(Moment, Moment, FlowLimits)>,
    leak_told: bool,
}

impl Watch {
    /// Over a valve that has been open for long.
    pub fn over_open_valve() -> Self {
        Self { limits: FlowLimits::default(), open: true, window: None, leak_told: false }
    }

    /// Looks where the valve stands; whether it has moved since it was last looked at.
    pub fn look(&mut self, open: bool, now: Moment) -> bool {
        let moved = self.open != open;
        if moved {
            let FlowLimits { stabilisation, measurement, .. } = self.limits;
            let from = now.plus(i64::from(stabilisation) * 1000);
            self.open = open;
            self.window = open.then(|| (from, from.plus(i64::from(measurement) * 1000), self.limits));
            self.leak_told = false;
        }
        moved
    }

    /// When the flow is to be judged next, whatever minute that is: at the beginning and at the end of its measurement.
    pub fn next_look(&self, now: Moment) -> Option<Moment> {
        let (from, until, _) = self.window?;
        [from, until].into_iter().find(|at| *at > now)
    }

    /// Judges what flows through the valve; each finding is told once for each movement of the valve.
    pub fn judge(&mut self, flow: u32, now: Moment) -> Option<Finding> {
        if self.open {
            let (from, until, limits) = self.window?;
            let watched = from <= now && now <= until;
            return (watched && limits.is_above(flow)).then_some(Finding::Uncontrolled { flow });
        }
        let leaks = flow > 0 && !self.leak_told;
        self.leak_told |= leaks;
        leaks.then_some(Finding::Leak { flow })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::time::MINUTE;
    use super::*;

    #[test]
    fn a_flow_is_watched_after_opening_only_and_a_leak_is_told_once() {
        let now = Moment::from_millis(0);
        let mut watch = Watch::over_open_valve();
        assert_eq!(watch.judge(5_001, now.plus(MINUTE)), None, "it was not just opened");
        assert!(watch.look(false, now));
        assert_eq!(watch.judge(30, now), Some(Finding::Leak { flow: 30 }));
        assert_eq!(watch.judge(30, now), None);
        assert!(watch.look(true, now) && !watch.look(true, now));
        assert_eq!(watch.judge(9_000, now.plus(9_999)), None, "the flow is let settle");
        assert_eq!(watch.judge(5_000, now.plus(MINUTE)), None);
        assert_eq!(watch.judge(9_000, now.plus(5 * MINUTE)), Some(Finding::Uncontrolled { flow: 9_000 }));
        assert_eq!(watch.judge(9_000, now.plus(5 * MINUTE + 1)), None);
    }

    #[test]
    fn the_limits_are_those_in_force_when_the_valve_was_opened() {
        let now = Moment::from_millis(0);
        let mut watch = Watch::over_open_valve();
        let limits = FlowLimits::default().with_rate(1_005).unwrap();
        watch.limits = limits.with_stabilisation(20).unwrap().with_measurement(30).unwrap();
        watch.look(false, now);
        watch.look(true, now);
        watch.limits = FlowLimits::default();
        assert_eq!(watch.next_look(now), Some(now.plus(20_000)));
        assert_eq!(watch.next_look(now.plus(20_000)), Some(now.plus(50_000)));
        assert_eq!(watch.judge(100, now.plus(25_000)), None, "0.1000 m3/h is not above 0.1005");
        assert_eq!(watch.judge(101, now.plus(25_000)), Some(Finding::Uncontrolled { flow: 101 }));
        assert_eq!(watch.next_look(now.plus(50_000)), None);
    }

    #[test]
    fn what_no_meter_watches_for_is_refused() {
        let limits = FlowLimits::default();
        assert_eq!(limits.with_rate(0), Err(FlowLimitError::Rate(0)));
        assert_eq!(limits.with_rate(60_001), Err(FlowLimitError::Rate(60_001)));
        assert_eq!(limits.with_stabilisation(0), Err(FlowLimitError::Stabilisation(0)));
        assert_eq!(limits.with_measurement(3_601), Err(FlowLimitError::Measurement(3_601)));
    }
}
