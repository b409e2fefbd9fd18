//! How high a load is, as displays in the house show it: low, medium or high.

/// The highest threshold a meter takes, in watts.
pub const HIGHEST: u32 = 100_000;

/// How high a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PowerLevel {
    /// Below both thresholds.
    Low,
    /// From the first on.
    Medium,
    /// From the second on.
    High,
}

/// From which power on a load is medium, and high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerThresholds {
    medium: u32,
    high: u32,
}

impl PowerThresholds {
    /// These, in watts; none where the first is not below the second, or one is 0 or above [`HIGHEST`].
    pub fn new(medium: u32, high: u32) -> Option<Self> {
        (1 <= medium && medium < high && high <= HIGHEST).then_some(Self { medium, high })
    }

    /// The thresholds in watts, rising.
    pub const fn watts(self) -> [u32; 2] {
        [self.medium, self.high]
    }

    /// How high a load of so many watts is.
    pub const fn level(self, watts: u32) -> PowerLevel {
        match watts {
            watts if watts >= self.high => PowerLevel::High,
            watts if watts >= self.medium => PowerLevel::Medium,
            _ => PowerLevel::Low,
        }
    }
}

impl Default for PowerThresholds {
    /// Half a kilowatt, and three.
    fn default() -> Self {
        Self { medium: 500, high: 3000 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn thresholds_rise_and_part_every_load(medium: u32, high: u32, watts in 0..=HIGHEST) {
            let Some(thresholds) = PowerThresholds::new(medium % (HIGHEST + 2), high % (HIGHEST + 2)) else {
                prop_assert!(medium % (HIGHEST + 2) >= high % (HIGHEST + 2) || medium % (HIGHEST + 2) == 0 || high % (HIGHEST + 2) > HIGHEST);
                return Ok(());
            };
            let [medium, high] = thresholds.watts();
            let level = thresholds.level(watts);
            prop_assert_eq!(level == PowerLevel::Low, watts < medium);
            prop_assert_eq!(level == PowerLevel::High, watts >= high);
        }
    }
}
