//! A device is loaded with what a test data set says: all of it, or nothing.
//!
//! The hand of a bench does it, not a wire: nothing of it is logged or told. What the device has no room for, or what could not
//! have come about in it, is refused in words.

use lab_config::contents::{Events, History};
use lab_config::{DeviceKind, contents};

use super::blocks::BlockEndsError;

use super::calendar::{
    Calendar, CalendarError, CalendarParts, DatePattern, Day, Season, SpecialDay, Timetable, Week,
};
use super::core::Core;
use super::journal::Event;
use super::money::Millipence;
use super::tariff::{Switching, SwitchingError, SwitchingTable};
use super::time::{HALF_HOUR, MINUTE, MeterTime};

/// Why a device is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadRefusal {
    /// More than it has room for.
    #[error("{found} {what}: the device has room for {room}")]
    Room {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many it has room for.
        room: usize,
    },
    /// Something the device has not at all.
    #[error("it has no {0}")]
    Without(&'static str),
    /// A past in which more flowed than the registers show.
    #[error("{sum} {unit} flowed in the history's half hours into {register}, which shows {shown} {unit}")]
    Past {
        /// The register.
        register: String,
        /// What flowed.
        sum: u64,
        /// What it shows.
        shown: u64,
        /// Watt hours, var hours or litres.
        unit: &'static str,
    },
    /// A code no event of it has.
    #[error("event {0:04X} is none that it has")]
    Event(u16),
    /// A day that is none.
    #[error("calendar: {0}")]
    Day(#[from] SwitchingError),
    /// A calendar that is none.
    #[error("calendar: {0}")]
    Calendar(#[from] CalendarError),
    /// Ends that make no blocks.
    #[error("block ends: {0}")]
    Blocks(#[from] BlockEndsError),
    /// A supply that would go off at once.
    #[error("supply on with a balance of {0} and no credit left: the meter would open it at once")]
    NoCredit(Millipence),
    /// Emergency credit that cannot be in use.
    #[error("emergency credit in use with a balance of {balance}: it is taken in prepayment, below {offer}")]
    NoEmergency {
        /// The balance.
        balance: Millipence,
        /// Below this it may be taken.
        offer: Millipence,
    },
    /// A device that is not there.
    #[error("there is no {0} among the simulated devices of the rig")]
    NoDevice(DeviceKind),
    /// A time no clock shows.
    #[error("a clock offset of {0} ms is beyond any clock")]
    Clock(i128),
}

/// Loads what every device has: the clock, and the logs.
pub(crate) fn core(core: &mut Core, load: &contents::Load) -> Result<(), LoadRefusal> {
    if let Some(offset) = load.clock_offset {
        let millis = i64::try_from(offset.as_millis()).map_err(|_| LoadRefusal::Clock(offset.as_millis()))?;
        core.jump_to(core.shown().plus(millis));
    }
    load.events.as_deref().map_or(Ok(()), |events| self::events(core, events))
}

/// Puts entries into both logs in place of what is in them, each at its time, oldest first.
fn events(core: &mut Core, events: &[Events]) -> Result<(), LoadRefusal> {
    let room = core.journal.depth();
    let mut entries = Vec::new();
    for of in events {
        let event = Event::of_code(of.code).ok_or(LoadRefusal::Event(of.code))?;
        let count = usize::try_from(of.count).unwrap_or(usize::MAX);
        if count > room {
            return Err(LoadRefusal::Room { what: "entries of a log", found: count, room });
        }
        let minutes =
            (0..of.count).map(|nth| i64::from(of.minutes_ago) + i64::from(nth) * i64::from(of.every_minutes));
        entries.extend(minutes.map(|ago| (core.shown().plus(-ago * MINUTE), event, of.text.as_str())));
    }
    for security in [false, true] {
        let found = entries.iter().filter(|(_, event, _)| event.is_security() == security).count();
        if found > room {
            return Err(LoadRefusal::Room { what: "entries of a log", found, room });
        }
    }
    entries.sort_by_key(|(at, ..)| *at);
    core.journal.load(entries);
    Ok(())
}

/// A timetable that follows the calendar of a data set.
pub(super) fn timetable(of: &contents::Calendar, shown: MeterTime) -> Result<Timetable, LoadRefusal> {
    let named = |name: &str| name.as_bytes().to_vec();
    let yearly = |day: contents::DayInYear| {
        // The parser lets only days of a year through; any day stands in for what it could not be.
        DatePattern::new([0xff, 0xff, day.month, day.day, 0xff]).unwrap_or(DatePattern::EVERY_DAY)
    };
    let mut days = Vec::new();
    for day in &of.days {
        let switch = |switch: &contents::Switch| Switching {
            from: switch.minute,
            register: switch.tariff.saturating_sub(1),
        };
        days.push(Day { id: day.id, table: SwitchingTable::new(day.switches.iter().map(switch).collect())? });
    }
    let season = |season: &contents::Season| Season {
        name: named(&season.name),
        start: yearly(season.from),
        week: named(&season.week),
    };
    let calendar = Calendar::new(CalendarParts {
        name: named(&of.name),
        seasons: of.seasons.iter().map(season).collect(),
        weeks: of.weeks.iter().map(|week| Week { name: named(&week.name), days: week.days }).collect(),
        days,
    })?;
    let mut timetable = Timetable::new(calendar, shown);
    let special = of.special_days.iter().zip(1..).map(|(special, index)| SpecialDay {
        index,
        date: yearly(special.date),
        day: special.day,
    });
    // No more of them than a calendar has: the parser saw to it.
    timetable.set_special_days(special.collect(), shown);
    Ok(timetable)
}

/// Where the half hours of a history lie, by a clock that shows this: the last ended when it last showed a full one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    end: MeterTime,
    half_hours: u32,
}

/// One half hour of a history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its number from the oldest.
    pub(super) row: usize,
    /// Its number from the newest.
    pub(super) ago: u32,
    /// When it began.
    pub(super) begin: MeterTime,
    /// When it ended.
    pub(super) end: MeterTime,
}

impl Span {
    /// The span of a history.
    ///
    /// # Errors
    /// More half hours than a profile has room for, or flags without a column for them.
    pub(super) fn of(
        history: &History,
        shown: MeterTime,
        room: usize,
        has_status: bool,
    ) -> Result<Self, LoadRefusal> {
        let found = usize::try_from(history.half_hours).unwrap_or(usize::MAX);
        if found > room {
            return Err(LoadRefusal::Room { what: "half hours of a profile", found, room });
        }
        if history.has_flags() && !has_status {
            return Err(LoadRefusal::Without("status of half hours in its profile"));
        }
        Ok(Self { end: shown.next(HALF_HOUR).plus(-HALF_HOUR), half_hours: history.half_hours })
    }

    /// Its half hours, oldest first.
    pub(super) fn places(self) -> impl Iterator<Item = Place> {
        (0..self.half_hours).rev().zip(0..).map(move |(ago, row)| {
            let end = self.end.plus(-i64::from(ago) * HALF_HOUR);
            Place { row, ago, begin: end.plus(-HALF_HOUR), end }
        })
    }
}

impl Place {
    /// Its number in the UTC day, from 0.
    pub(super) fn of_day(&self) -> usize {
        usize::from(self.begin.minute_of_day() / 30)
    }

    /// The minutes it has, by their numbers since 1970.
    pub(super) fn minutes(&self) -> std::ops::Range<i64> {
        let first = self.begin.millis().div_euclid(MINUTE);
        first..first + HALF_HOUR / MINUTE
    }
}
