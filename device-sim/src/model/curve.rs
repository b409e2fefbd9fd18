//! How a household consumes: a rate for every true minute, fixed by the seed alone.

/// Milliseconds in an hour: a rate (watts, litres an hour) times milliseconds over this is watt hours, litres.
pub const PER_HOUR: u128 = 3_600_000;

/// A load curve. Equal seeds give equal curves for all time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Curve {
    kind: Kind,
    seed: u64,
    /// Whether the household has solar panels.
    panels: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Electricity,
    Gas,
}

/// Base load in watts by hour of the UTC day.
const WATTS: [u32; 24] = [
    210, 190, 180, 180, 190, 230, 420, 760, 690, 480, 400, 410, 520, 470, 400, 430, 620, 1050, 1280, 1120,
    900, 720, 480, 300,
];

/// Heating in litres of gas an hour by hour of the UTC day; nought where the boiler rests.
const LITRES: [u32; 24] =
    [0, 0, 0, 0, 0, 900, 2100, 1600, 500, 0, 0, 0, 300, 0, 0, 400, 1300, 1900, 1500, 1100, 800, 300, 0, 0];

impl Curve {
    /// Watts of a household's electricity.
    pub fn electricity(seed: u64) -> Self {
        Self { kind: Kind::Electricity, seed, panels: mix(seed ^ 0x50_1a4).is_multiple_of(3) }
    }

    /// Litres an hour of a household's gas.
    pub fn gas(seed: u64) -> Self {
        Self { kind: Kind::Gas, seed, panels: false }
    }

    /// The same household with solar panels, or without.
    #[must_use]
    pub const fn with_panels(self, panels: bool) -> Self {
        Self { panels, ..self }
    }

    /// The rate through the true minute of this number since 1970-01-01T00:00:00Z.
    pub fn rate(self, minute: i64) -> u32 {
        let hour = usize::try_from(minute.rem_euclid(1440) / 60).unwrap_or_default();
        match self.kind {
            Kind::Electricity => {
                let base = WATTS.get(hour).copied().unwrap_or_default();
                base + self.noise(minute, base / 4) + self.kettle(minute)
            }
            Kind::Gas => match LITRES.get(hour).copied().unwrap_or_default() {
                0 => 0,
                base => base + self.noise(minute, base / 3),
            },
        }
    }

    /// Watts the household's solar panels give through that minute; two households in three have none unless it is said.
    pub fn generation(self, minute: i64) -> u32 {
        if !self.panels {
            return 0;
        }
        let of_day = minute.rem_euclid(1440);
        let from_noon = u32::try_from(of_day.abs_diff(720)).unwrap_or(u32::MAX);
        match 360u32.checked_sub(from_noon) {
            // A parabola of 2.4 kW at noon, under clouds that pass by the quarter of an hour.
            Some(high) => {
                let clear = high * (720 - high) / 54;
                clear * (40 + self.noise(minute / 15 + 7, 60)) / 100
            }
            None => 0,
        }
    }

    /// Mains voltage in tenths of a volt through that minute.
    pub fn decivolts(self, minute: i64) -> u16 {
        2360 + u16::try_from(self.noise(minute ^ 0x5eed, 100)).unwrap_or_default()
    }

    /// Three minutes of 2.8 kW, a few times a day.
    fn kettle(self, minute: i64) -> u32 {
        let awake = (6..23).contains(&(minute.rem_euclid(1440) / 60));
        if awake && mix(self.seed ^ 0x7ea ^ (minute / 3).cast_unsigned()).is_multiple_of(40) {
            2800
        } else {
            0
        }
    }

    fn noise(self, minute: i64, range: u32) -> u32 {
        let range = u64::from(range.max(1));
        u32::try_from(mix(self.seed ^ minute.cast_unsigned()) % range).unwrap_or_default()
    }
}

/// The output function of SplitMix64: a well-mixed number from a counter.
pub fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What flows through an electricity meter: watts in or out, and vars either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Power {
    /// Watts imported.
    pub import: u32,
    /// Watts exported; nought while there is import.
    pub export: u32,
    /// Vars imported, lagging.
    pub inductive: u32,
    /// Vars exported, leading.
    pub capacitive: u32,
}

impl Power {
    /// What flows with this load and generation behind the meter: motors lag above some hundred watts, and what
    /// stands by leads below.
    pub fn of(load: u32, generation: u32) -> Self {
        let (inductive, capacitive) = if load > 300 { (load / 5, 0) } else { (0, 60) };
        Self {
            import: load.saturating_sub(generation),
            export: generation.saturating_sub(load),
            inductive,
            capacitive,
        }
    }
}

/// A quantity that flows: the sum of rate times milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow(u128);

impl Flow {
    /// A register that already shows so many units.
    pub fn reading(units: u64) -> Self {
        Self(u128::from(units) * PER_HOUR)
    }

    /// Adds a rate for so many milliseconds.
    pub fn add(&mut self, rate: u32, millis: u64) {
        self.0 = self.0.saturating_add(u128::from(rate) * u128::from(millis));
    }

    /// Adds another flow.
    pub fn join(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without another; nothing where that is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Rate times milliseconds.
    pub const fn raw(self) -> u128 {
        self.0
    }

    /// The rate that makes this much in so many milliseconds.
    pub fn average(self, millis: i64) -> u32 {
        let millis = u128::from(millis.max(1).unsigned_abs());
        u32::try_from(self.0 / millis).unwrap_or(u32::MAX)
    }

    /// Whole units: watt hours of watts, litres of litres an hour.
    pub fn units(self) -> u64 {
        u64::try_from(self.0 / PER_HOUR).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_the_curve_and_another_seed_changes_it() {
        let day = |seed| (0..1440).map(|minute| Curve::electricity(seed).rate(minute)).collect::<Vec<_>>();
        assert_eq!(day(1), day(1));
        assert_ne!(day(1), day(2));
        let daily_kwh = day(1).iter().map(|watts| u64::from(*watts)).sum::<u64>() / 60_000;
        assert!((8..25).contains(&daily_kwh), "{daily_kwh} kWh a day is no household");
    }

    #[test]
    fn voltage_stays_within_the_statutory_band() {
        let curve = Curve::electricity(9);
        assert!((0..5000).all(|minute| (2162..=2530).contains(&curve.decivolts(minute))));
    }
}
