//! The activity calendar, as a data set writes it: its parts fit together.

/// Which tariff register counts when, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// What it is called, in at most eight characters.
    pub name: String,
    /// The days; at least one, each with another number.
    pub days: Vec<DayTable>,
    /// The weeks; at least one, of days there are.
    pub weeks: Vec<Week>,
    /// The seasons; at least one, of weeks there are.
    pub seasons: Vec<Season>,
    /// Days out of the order of weeks.
    pub special_days: Vec<SpecialDay>,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTable {
    /// Its number.
    pub id: u8,
    /// Its switchings, the first at midnight, rising.
    pub switches: Vec<Switch>,
}

/// From this minute on, that register counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Minute of the UTC day.
    pub minute: u16,
    /// The tariff, from 1.
    pub tariff: u8,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Its name.
    pub name: String,
    /// Its days, Monday to Sunday.
    pub days: [u8; 7],
}

/// A season.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    /// Its name.
    pub name: String,
    /// When it begins, each year.
    pub from: DayInYear,
    /// The name of its week.
    pub week: String,
}

/// A day out of the order of weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialDay {
    /// When, each year.
    pub date: DayInYear,
    /// The number of the day it has.
    pub day: u8,
}

/// A day of any year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayInYear {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}
