//! Seasons, weeks, days and special days: what a calendar selects at a time.
//!
//! A day is a switching table; a week names a day for each weekday; a season begins on a date and has a week;
//! special days go before all of them. Times are UTC. The same calendar switches tariff registers and says when
//! a supply is not to be disabled.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::connection::Passive;
use super::tariff::{SELECTIONS, SwitchingTable};
use super::time::{DAY, MINUTE, MeterTime};

/// Seasons a calendar may have.
pub const SEASONS: usize = 12;
/// Weeks a calendar may have.
pub const WEEKS: usize = 12;
/// Day profiles a calendar may have.
pub const DAYS: usize = 16;
/// Special days a calendar may have.
pub const SPECIAL_DAYS: usize = 50;
/// Octets of a name.
pub const NAME: usize = 8;

/// A date with parts left open (IEC 62056-6-2, 4.1.6.1): year, month, day of month, day of week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatePattern([u8; 5]);

/// A pattern no date is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:02x?} is no date: month 1 to 12, day 1 to 31, FE for the last or FD for the one before it, weekday 1 to 7, FF for any"
)]
pub struct DatePatternError([u8; 5]);

/// The last day of the month.
const LAST: u8 = 0xfe;
/// The day before it.
const SECOND_LAST: u8 = 0xfd;
/// Any.
const ANY: u8 = 0xff;

impl DatePattern {
    /// Every day.
    pub const EVERY_DAY: Self = Self([ANY; 5]);

    /// The pattern of these octets.
    ///
    /// # Errors
    /// Octets that stand for no date.
    pub fn new(octets: [u8; 5]) -> Result<Self, DatePatternError> {
        let [_, _, month, day, weekday] = octets;
        let month_is = matches!(month, 1..=12 | ANY);
        let day_is = matches!(day, 1..=31 | SECOND_LAST | LAST | ANY);
        let weekday_is = matches!(weekday, 1..=7 | ANY);
        if month_is && day_is && weekday_is { Ok(Self(octets)) } else { Err(DatePatternError(octets)) }
    }

    /// That day of every month.
    pub const fn monthly(day: u8) -> Self {
        Self([ANY, ANY, ANY, day, ANY])
    }

    /// The octets.
    pub const fn octets(self) -> [u8; 5] {
        self.0
    }

    /// Whether a date is one of these.
    pub fn matches(self, date: Date) -> bool {
        let [_, _, month, _, weekday] = self.0;
        let month_is = month == ANY || i16::from(month) == i16::from(date.month());
        let weekday_is =
            weekday == ANY || i16::from(weekday) == i16::from(date.weekday().to_monday_one_offset());
        self.year().is_none_or(|year| year == date.year()) && month_is && self.day_is(date) && weekday_is
    }

    fn day_is(self, date: Date) -> bool {
        match self.0[3] {
            ANY => true,
            LAST => date.day() == date.days_in_month(),
            SECOND_LAST => date.day() + 1 == date.days_in_month(),
            day => i16::from(day) == i16::from(date.day()),
        }
    }

    fn year(self) -> Option<i16> {
        match u16::from_be_bytes([self.0[0], self.0[1]]) {
            u16::MAX => None,
            year => Some(i16::try_from(year).unwrap_or(i16::MAX)),
        }
    }

    /// The last date at or before `date` that begins a season of this start; none where it has not come yet.
    fn last_before(self, date: Date) -> Option<Date> {
        let [_, _, month, day, _] = self.0;
        let years = match self.year() {
            Some(year) => [year, year],
            None => [date.year(), date.year() - 1],
        };
        let begins = |year| {
            let month = if month == ANY { 1 } else { i8::try_from(month).ok()? };
            let first = Date::new(year, month, 1).ok()?;
            let day = match day {
                ANY => 1,
                LAST => first.days_in_month(),
                SECOND_LAST => first.days_in_month() - 1,
                day => i8::try_from(day).ok()?.min(first.days_in_month()),
            };
            Date::new(year, month, day).ok()
        };
        years.into_iter().filter_map(begins).find(|begin| *begin <= date)
    }
}

/// A name of a season or week.
pub type Name = Vec<u8>;

/// A season.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    /// Its name.
    pub name: Name,
    /// When it begins, each year unless the year is given.
    pub start: DatePattern,
    /// The name of its week.
    pub week: Name,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Its name.
    pub name: Name,
    /// Day ids, Monday to Sunday.
    pub days: [u8; 7],
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its id.
    pub id: u8,
    /// What it switches when.
    pub table: SwitchingTable,
}

/// A day out of the order of weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialDay {
    /// Its index in the table.
    pub index: u16,
    /// When it is.
    pub date: DatePattern,
    /// The day profile it has.
    pub day: u8,
}

/// Why parts make no calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// None of a part, or more than there may be.
    #[error("{found} {what}; a calendar has 1 to {most}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Two of one name.
    #[error("two {0} have the same name")]
    Twice(&'static str),
    /// A name of no octets or too many.
    #[error("a name has 1 to {NAME} octets, found {0}")]
    Name(usize),
    /// A season without its week.
    #[error("a season has a week the calendar has not")]
    Week,
    /// A week without one of its days.
    #[error("day {0} is in a week and not in the calendar")]
    Day(u8),
    /// A special day without its day.
    #[error("a special day has day {0}, which the calendar has not")]
    SpecialDay(u8),
    /// A day that selects what the meter has not.
    #[error("a day selects {found}, and the meter has {most} to select from")]
    Selection {
        /// What it selects, 1 being the first.
        found: usize,
        /// How many there are.
        most: usize,
    },
}

/// Seasons, weeks and days as written; they need not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarParts {
    /// What it is called.
    pub name: Name,
    /// The seasons.
    pub seasons: Vec<Season>,
    /// The weeks.
    pub weeks: Vec<Week>,
    /// The days.
    pub days: Vec<Day>,
}

/// A calendar that selects something at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar(CalendarParts);

impl Calendar {
    /// A calendar whose parts fit together.
    ///
    /// # Errors
    /// [`CalendarError`] naming the first thing that does not.
    pub fn new(parts: CalendarParts) -> Result<Self, CalendarError> {
        count("seasons", parts.seasons.len(), SEASONS)?;
        count("weeks", parts.weeks.len(), WEEKS)?;
        count("days", parts.days.len(), DAYS)?;
        let names =
            parts.seasons.iter().map(|season| &season.name).chain(parts.weeks.iter().map(|week| &week.name));
        if let Some(name) = names.into_iter().find(|name| !(1..=NAME).contains(&name.len())) {
            return Err(CalendarError::Name(name.len()));
        }
        once("seasons", parts.seasons.iter().map(|season| &season.name))?;
        once("weeks", parts.weeks.iter().map(|week| &week.name))?;
        once("days", parts.days.iter().map(|day| &day.id))?;
        if !parts.seasons.iter().all(|season| parts.weeks.iter().any(|week| week.name == season.week)) {
            return Err(CalendarError::Week);
        }
        let missing = |id: &&u8| !parts.days.iter().any(|day| day.id == **id);
        match parts.weeks.iter().flat_map(|week| &week.days).find(missing) {
            Some(id) => Err(CalendarError::Day(*id)),
            None => Ok(Self(parts)),
        }
    }

    /// The same day all the year round.
    pub fn every_day(table: SwitchingTable) -> Self {
        let name = b"1".to_vec();
        Self(CalendarParts {
            name: b"active".to_vec(),
            seasons: vec![Season { name: name.clone(), start: DatePattern::EVERY_DAY, week: name.clone() }],
            weeks: vec![Week { name, days: [1; 7] }],
            days: vec![Day { id: 1, table }],
        })
    }

    /// Its parts.
    pub fn parts(&self) -> &CalendarParts {
        &self.0
    }

    /// The same calendar, unless it selects more than so many.
    fn within(self, selections: usize) -> Result<Self, CalendarError> {
        let switchings = self.0.days.iter().flat_map(|day| day.table.switchings());
        match switchings.map(|switching| usize::from(switching.register) + 1).max() {
            Some(found) if found > selections => Err(CalendarError::Selection { found, most: selections }),
            _ => Ok(self),
        }
    }

    fn has_day(&self, id: u8) -> bool {
        self.0.days.iter().any(|day| day.id == id)
    }

    /// The same calendar with other selections; as it was where they make no table.
    fn selecting(mut self, other: impl Fn(u8) -> u8) -> Self {
        for day in &mut self.0.days {
            let changed = day.table.switchings().iter().map(|switching| super::tariff::Switching {
                register: other(switching.register),
                ..*switching
            });
            if let Ok(table) = SwitchingTable::new(changed.collect()) {
                day.table = table;
            }
        }
        self
    }

    /// What it selects at a time, and from when until when it does.
    fn selects(&self, special: &[SpecialDay], time: MeterTime) -> Selected {
        let midnight = time.next(DAY).plus(-DAY);
        let date = time.timestamp().to_zoned(TimeZone::UTC).date();
        let Some(day) = self.day(special, date) else {
            return Selected { what: 0, from: midnight, until: midnight.plus(DAY) };
        };
        let minute = |minute: u16| midnight.plus(i64::from(minute) * MINUTE);
        let now = time.minute_of_day();
        let mut selected = Selected { what: 0, from: midnight, until: midnight.plus(DAY) };
        for switching in day.table.switchings() {
            if switching.from > now {
                selected.until = minute(switching.from);
                break;
            }
            (selected.what, selected.from) = (usize::from(switching.register), minute(switching.from));
        }
        selected
    }

    fn day(&self, special: &[SpecialDay], date: Date) -> Option<&Day> {
        let by_id = |id: u8| self.0.days.iter().find(|day| day.id == id);
        if let Some(day) = special.iter().find(|day| day.date.matches(date)).and_then(|day| by_id(day.day)) {
            return Some(day);
        }
        let begun = |season: &&Season| season.start.last_before(date);
        let season = self.0.seasons.iter().max_by_key(begun)?;
        let week = self.0.weeks.iter().find(|week| week.name == season.week)?;
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        by_id(*week.days.get(weekday)?)
    }
}

fn count(what: &'static str, found: usize, most: usize) -> Result<(), CalendarError> {
    if (1..=most).contains(&found) { Ok(()) } else { Err(CalendarError::Count { what, found, most }) }
}

fn once<T: Ord>(what: &'static str, names: impl Iterator<Item = T>) -> Result<(), CalendarError> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = names;
    if names.all(|name| seen.insert(name)) { Ok(()) } else { Err(CalendarError::Twice(what)) }
}

/// What is selected, from when until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Selected {
    what: usize,
    from: MeterTime,
    until: MeterTime,
}

/// A calendar in force, the one held ready, and the special days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    active: Calendar,
    passive: Passive<CalendarParts>,
    special: Vec<SpecialDay>,
    /// The special days held ready.
    held_special: Vec<SpecialDay>,
    selected: Selected,
    /// How much there is to select from.
    selections: usize,
}

impl Timetable {
    /// A timetable that follows this calendar from `now` on.
    pub fn new(active: Calendar, now: MeterTime) -> Self {
        let passive =
            Passive { value: CalendarParts { name: b"passive".to_vec(), ..active.0.clone() }, at: None };
        let selected = active.selects(&[], now);
        let (special, held_special) = (Vec::new(), Vec::new());
        Self { active, passive, special, held_special, selected, selections: SELECTIONS }
    }

    /// The timetable of a meter that has so much to select from.
    #[must_use]
    pub fn with_selections(self, selections: usize) -> Self {
        Self { selections, ..self }
    }

    /// The same timetable with other selections in its calendar.
    #[must_use]
    pub(super) fn selecting(mut self, other: impl Fn(u8) -> u8, now: MeterTime) -> Self {
        self.active = self.active.selecting(other);
        self.select(now);
        self
    }

    /// What is selected: a tariff register, 0 being tariff 1, or whether a supply may be disabled.
    pub const fn selected(&self) -> usize {
        self.selected.what
    }

    /// The calendar in force.
    pub const fn active(&self) -> &Calendar {
        &self.active
    }

    /// The parts held ready, and when they come into force.
    pub const fn passive(&self) -> &Passive<CalendarParts> {
        &self.passive
    }

    /// The special days.
    pub fn special_days(&self) -> &[SpecialDay] {
        &self.special
    }

    /// Changes what is held ready.
    pub fn hold(&mut self, passive: Passive<CalendarParts>) {
        self.passive = passive;
    }

    /// Puts what is held ready in force at `now`. It stays held, without a date.
    ///
    /// # Errors
    /// The parts do not fit together; what was in force stays.
    pub fn activate(&mut self, now: MeterTime) -> Result<(), CalendarError> {
        self.passive.at = None;
        self.active = Calendar::new(self.passive.value.clone())?.within(self.selections)?;
        self.select(now);
        Ok(())
    }

    /// Whether the calendar and the special days held ready could be put in force together.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check_held(&self) -> Result<(), CalendarError> {
        let calendar = Calendar::new(self.passive.value.clone())?.within(self.selections)?;
        match self.held_special.iter().find(|special| !calendar.has_day(special.day)) {
            Some(special) => Err(CalendarError::SpecialDay(special.day)),
            None => Ok(()),
        }
    }

    /// Puts the calendar and the special days held ready in force together.
    ///
    /// # Errors
    /// What does not fit; what was in force stays.
    pub fn activate_with_special_days(&mut self, now: MeterTime) -> Result<(), CalendarError> {
        self.check_held()?;
        self.special.clone_from(&self.held_special);
        self.activate(now)
    }

    /// The special days held ready.
    pub fn held_special_days(&self) -> &[SpecialDay] {
        &self.held_special
    }

    /// Holds special days ready; at most [`SPECIAL_DAYS`] are taken. Whether they were.
    pub fn hold_special_days(&mut self, days: Vec<SpecialDay>) -> bool {
        let fits = days.len() <= SPECIAL_DAYS;
        if fits {
            self.held_special = days;
        }
        fits
    }

    /// Other special days, in force and held ready; at most [`SPECIAL_DAYS`] are taken. Whether they were.
    pub fn set_special_days(&mut self, days: Vec<SpecialDay>, now: MeterTime) -> bool {
        let fits = days.len() <= SPECIAL_DAYS;
        if fits {
            self.held_special.clone_from(&days);
            self.special = days;
            self.select(now);
        }
        fits
    }

    /// Follows the clock to `minute`; the outcome of an activation that was due.
    pub(super) fn turn(&mut self, minute: MeterTime) -> Option<Result<(), CalendarError>> {
        let activated = self.passive.is_due(minute).then(|| self.activate(minute));
        if minute < self.selected.from || minute >= self.selected.until {
            self.select(minute);
        }
        activated
    }

    /// Follows a clock that shows `time` and has no dates to keep: what is held ready stays so.
    pub(super) fn follow(&mut self, time: MeterTime) {
        if time < self.selected.from || time >= self.selected.until {
            self.select(time);
        }
    }

    fn select(&mut self, now: MeterTime) {
        self.selected = self.active.selects(&self.special, now);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::tariff::Switching;
    use super::*;

    fn table(switchings: &[(u16, u8)]) -> SwitchingTable {
        SwitchingTable::new(
            switchings
                .iter()
                .map(|(from, register)| Switching { from: *from, register: *register })
                .collect(),
        )
        .unwrap()
    }

    fn at(text: &str) -> MeterTime {
        MeterTime::from(text.parse::<Timestamp>().unwrap())
    }

    /// Winter from 1 October: register 1 on weekdays, 2 at weekends. Summer from 1 April: register 3.
    fn two_seasons() -> CalendarParts {
        let season = |name: &[u8], month, week: &[u8]| Season {
            name: name.to_vec(),
            start: DatePattern::new([0xff, 0xff, month, 1, 0xff]).unwrap(),
            week: week.to_vec(),
        };
        CalendarParts {
            name: b"two".to_vec(),
            seasons: vec![season(b"winter", 10, b"w"), season(b"summer", 4, b"s")],
            weeks: vec![
                Week { name: b"w".to_vec(), days: [1, 1, 1, 1, 1, 2, 2] },
                Week { name: b"s".to_vec(), days: [3; 7] },
            ],
            days: vec![
                Day { id: 1, table: table(&[(0, 1)]) },
                Day { id: 2, table: table(&[(0, 2)]) },
                Day { id: 3, table: table(&[(0, 3), (600, 4)]) },
            ],
        }
    }

    fn selects(table: &Timetable, time: &str) -> usize {
        let mut table = table.clone();
        table.turn(at(time));
        table.selected()
    }

    #[test]
    fn seasons_weeks_days_and_special_days_select_in_that_order() {
        let mut table = Timetable::new(Calendar::new(two_seasons()).unwrap(), at("2026-01-01T00:00:00Z"));
        for (time, register) in [
            ("2026-01-05T12:00:00Z", 1),
            ("2026-01-04T12:00:00Z", 2),
            ("2026-03-31T23:59:00Z", 1),
            ("2026-04-01T00:00:00Z", 3),
            ("2026-04-01T10:00:00Z", 4),
            ("2026-10-01T00:00:00Z", 1),
        ] {
            assert_eq!(selects(&table, time), register, "{time}");
        }
        let christmas =
            SpecialDay { index: 1, date: DatePattern::new([0xff, 0xff, 12, 25, 0xff]).unwrap(), day: 3 };
        assert!(table.set_special_days(vec![christmas], at("2026-01-01T00:00:00Z")));
        assert_eq!(selects(&table, "2026-12-25T09:00:00Z"), 3);
        assert_eq!(selects(&table, "2026-12-26T09:00:00Z"), 2);
        assert!(!table.set_special_days(vec![christmas; SPECIAL_DAYS + 1], at("2026-01-01T00:00:00Z")));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused_and_what_was_in_force_stays() {
        let mut wrong = two_seasons();
        wrong.days.pop();
        assert_eq!(Calendar::new(wrong.clone()), Err(CalendarError::Day(3)));
        let now = at("2026-01-05T12:00:00Z");
        let mut table = Timetable::new(Calendar::new(two_seasons()).unwrap(), now);
        let before = table.active().clone();
        table.hold(Passive { value: wrong, at: Some(now) });
        assert_eq!(table.turn(now), Some(Err(CalendarError::Day(3))));
        assert_eq!(table.turn(now.plus(MINUTE)), None);
        assert_eq!(table.active(), &before);
        let twice = CalendarParts { weeks: vec![two_seasons().weeks[0].clone(); 2], ..two_seasons() };
        assert_eq!(Calendar::new(twice), Err(CalendarError::Twice("weeks")));
        let nameless = CalendarParts { seasons: vec![], ..two_seasons() };
        assert!(matches!(Calendar::new(nameless), Err(CalendarError::Count { what: "seasons", .. })));
    }

    proptest! {
        /// Turned minute by minute or in leaps, a calendar selects what it selects by itself at that time.
        #[test]
        fn leaps_change_nothing(start in 0i64..50_000_000, leaps in proptest::collection::vec(-3000i64..3000, 1..40)) {
            let calendar = Calendar::new(two_seasons()).unwrap();
            let mut minute = MeterTime::from_millis(start * MINUTE);
            let mut table = Timetable::new(calendar.clone(), minute);
            for leap in leaps {
                minute = minute.plus(leap * MINUTE);
                table.turn(minute);
                prop_assert_eq!(table.selected(), calendar.selects(&[], minute).what);
            }
        }

        #[test]
        fn no_octets_panic(octets: [u8; 5], second in -10_000_000_000i64..10_000_000_000) {
            if let Ok(pattern) = DatePattern::new(octets) {
                let date = MeterTime::from_millis(second * 1000).timestamp().to_zoned(TimeZone::UTC).date();
                let _ = (pattern.matches(date), pattern.last_before(date));
                prop_assert_eq!(pattern.octets(), octets);
            }
        }
    }
}
