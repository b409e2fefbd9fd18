//! The past of a meter: its half hours up to the loading, by rule or by row.

use std::collections::BTreeMap;

/// Half hours a history may have: two years of them.
pub const MOST_HALF_HOURS: u32 = 2 * 366 * 48;

crate::vocabulary! {
    /// What a half hour has an amount of.
    pub enum Channel {
        /// Active import in watt hours.
        Import = "import-wh",
        /// Active export in watt hours.
        Export = "export-wh",
        /// Reactive import in var hours.
        ReactiveImport = "reactive-import-varh",
        /// Reactive export in var hours.
        ReactiveExport = "reactive-export-varh",
        /// Volume of gas in litres.
        Volume = "volume-dm3",
    }
}

crate::vocabulary! {
    /// A flag of the status of a half hour, as meters have them in the status of their load profile (IEC 62056-6-1,
    /// profile status; the bits of the IDIS companion profile).
    pub enum StatusFlag {
        /// Bit 0.
        CriticalError = "critical-error",
        /// Bit 1: the clock was not to be relied on.
        ClockInvalid = "clock-invalid",
        /// Bit 2: the amount is not to be relied on.
        DataNotValid = "data-not-valid",
        /// Bit 3: daylight saving.
        DaylightSaving = "daylight-saving",
        /// Bit 5: the clock was adjusted in the half hour.
        ClockAdjusted = "clock-adjusted",
        /// Bit 7: the meter was without power in the half hour.
        PowerDown = "power-down",
    }
}

impl StatusFlag {
    /// Its bit.
    pub const fn bit(self) -> u8 {
        match self {
            Self::CriticalError => 0x01,
            Self::ClockInvalid => 0x02,
            Self::DataNotValid => 0x04,
            Self::DaylightSaving => 0x08,
            Self::ClockAdjusted => 0x20,
            Self::PowerDown => 0x80,
        }
    }
}

/// The past: so many half hours, the last of which ended when the meter's clock last showed a full half hour. What the
/// meter writes down at midnight and at the end of a billing period follows from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// How many half hours.
    pub half_hours: u32,
    /// How much was in each, by channel; a channel without a rule follows the household.
    pub rules: BTreeMap<Channel, Rule>,
    /// Half hours the profile has no row of. The registers counted on.
    pub gaps: Vec<Stretch>,
    /// Half hours with flags in their status.
    pub status: Vec<Flagged>,
}

/// How much was in each half hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The same in every one.
    Every(u64),
    /// By half hour of the UTC day: 48 of them.
    Day(Vec<u64>),
    /// Listed, oldest first: as many as there are half hours.
    Rows(Vec<u64>),
}

/// A stretch of half hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// How many half hours ago its newest ended: nought is the last before the loading.
    pub ago: u32,
    /// How many half hours it has.
    pub half_hours: u32,
}

/// Flags of a stretch of half hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flagged {
    /// Which half hours.
    pub stretch: Stretch,
    /// The bits of their status.
    pub bits: u8,
}

impl Rule {
    /// How much was in the half hour of this place, 0 being the oldest, in this half hour of the UTC day.
    pub fn amount(&self, row: usize, of_day: usize) -> u64 {
        match self {
            Self::Every(amount) => *amount,
            Self::Day(day) => day.get(of_day).copied().unwrap_or_default(),
            Self::Rows(rows) => rows.get(row).copied().unwrap_or_default(),
        }
    }
}

impl Stretch {
    /// Whether it has the half hour that ended so many half hours ago.
    pub const fn has(&self, ago: u32) -> bool {
        ago >= self.ago && ago - self.ago < self.half_hours
    }
}

impl History {
    /// Whether the profile has no row of the half hour that ended so many half hours ago.
    pub fn lacks(&self, ago: u32) -> bool {
        self.gaps.iter().any(|gap| gap.has(ago))
    }

    /// The status of that half hour.
    pub fn status(&self, ago: u32) -> u8 {
        let here = self.status.iter().filter(|flagged| flagged.stretch.has(ago));
        here.fold(0, |bits, flagged| bits | flagged.bits)
    }

    /// Whether any half hour has flags.
    pub fn has_flags(&self) -> bool {
        self.status.iter().any(|flagged| flagged.bits != 0)
    }
}
