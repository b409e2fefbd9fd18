//! Dates that recur: with a year, month, day or day of the week left open, as calendars have them.

use super::fields::{FieldError, FieldReader, KnownField};
use super::part::{At, Leaf, Value};
use crate::examples::Draw;
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use std::collections::BTreeMap;
whole! {
    /// A year of a recurring date.
    Year(u16, 2014..=9999);
    /// A month, January first.
    Month(u8, 1..=12);
    /// A day of a month.
    DayOfMonth(u8, 1..=31);
    /// A day of the week as a number, Monday first.
    DayOfWeek(u8, 1..=7);
}

/// Which day of a month a recurring date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthDay {
    /// Any.
    Any,
    /// This one.
    Specified(DayOfMonth),
    /// The last.
    Last,
    /// The one before the last.
    SecondLast,
}

/// A date that may leave year, month, day and day of the week open (DUIS type `Date`).
///
/// A script writes `2026-12-25`, `*-12-25`, `*-*-last`, `*-*-second-last`, and a day of the week after it: `*-*-* Monday`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurringDate {
    /// The year; any where it is none.
    pub year: Option<Year>,
    /// The month; any where it is none.
    pub month: Option<Month>,
    /// The day of the month.
    pub day: MonthDay,
    /// The day of the week; any where it is none.
    pub day_of_week: Option<DayOfWeek>,
}

/// The same for gas, whose calendars have no last day of a month (DUIS type `GasDateWithWildcards`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasRecurringDate {
    /// The year; any where it is none.
    pub year: Option<Year>,
    /// The month; any where it is none.
    pub month: Option<Month>,
    /// The day of the month; any where it is none.
    pub day: Option<DayOfMonth>,
    /// The day of the week; any where it is none.
    pub day_of_week: Option<DayOfWeek>,
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const LAST: &str = "last";
const SECOND_LAST: &str = "second-last";

impl RecurringDate {
    /// Reads `*-12-25`; none if it is not of that form.
    fn from_pattern(text: &str) -> Option<RecurringDate> {
        let (date, day_of_week) = match text.split_once(' ') {
            None => (text, None),
            Some((date, day)) => (date, Some(DAYS.iter().position(|name| *name == day)?)),
        };
        let day_of_week = day_of_week.and_then(|day| DayOfWeek::new(u8::try_from(day + 1).ok()?));
        let mut parts = date.splitn(3, '-');
        let mut number = |width: usize| {
            let part = parts.next()?;
            let digits = part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
            if part == "*" { Some(None) } else { part.parse::<u16>().ok().filter(|_| digits).map(Some) }
        };
        let (year, month) = (number(4)?, number(2)?);
        let octet = |number: u16| u8::try_from(number).ok();
        let day = match parts.next()? {
            "*" => MonthDay::Any,
            LAST => MonthDay::Last,
            SECOND_LAST => MonthDay::SecondLast,
            day => MonthDay::Specified(DayOfMonth::new(day.parse().ok().filter(|_| day.len() == 2)?)?),
        };
        Some(RecurringDate {
            year: year.map(|year| Year::new(year).ok_or(())).transpose().ok()?,
            month: month.map(|month| octet(month).and_then(Month::new).ok_or(())).transpose().ok()?,
            day,
            day_of_week,
        })
    }

    fn pattern(self) -> String {
        let year = self.year.map_or("*".to_owned(), |year| year.get().to_string());
        let month = self.month.map_or("*".to_owned(), |month| format!("{:02}", month.get()));
        let day = match self.day {
            MonthDay::Any => "*".to_owned(),
            MonthDay::Specified(day) => format!("{:02}", day.get()),
            MonthDay::Last => LAST.to_owned(),
            MonthDay::SecondLast => SECOND_LAST.to_owned(),
        };
        let name = |day: DayOfWeek| format!(" {}", DAYS[usize::from(day.get() - 1)]);
        format!("{year}-{month}-{day}{}", self.day_of_week.map(name).unwrap_or_default())
    }
}

fn take_pattern<T>(
    fields: &mut FieldReader<'_>,
    at: &At,
    form: &str,
    convert: impl Fn(RecurringDate) -> Option<T>,
) -> Result<T, FieldError> {
    let name = at.name();
    let text = fields.text(&name).ok_or_else(|| fields.missing(&name, form))?;
    let date = RecurringDate::from_pattern(text).and_then(convert);
    date.ok_or_else(|| fields.invalid(&name, text, format!("expected {form}")))
}

/// `SpecifiedYear` or `NonSpecifiedYear` in an element of its own.
fn read_part<L: Leaf>(
    date: &mut Cursor<'_>,
    element: &str,
    specified: &str,
    open: &str,
) -> Result<Option<L>, SchemaError> {
    let part = date.required(Sr, element)?;
    let mut choice = part.children(&[])?;
    let value = if choice.peek(Sr, specified) {
        Some(<L as Value>::read(&choice.required(Sr, specified)?, &[])?)
    } else if choice.peek(Sr, open) {
        choice.required(Sr, open)?.empty()?;
        None
    } else {
        return Err(choice.unexpected(&format!("{specified} or {open}")));
    };
    choice.finish()?;
    Ok(value)
}

fn write_part<L: Leaf>(element: &str, specified: &str, open: &str, value: &Option<L>) -> Element {
    let choice = match value {
        Some(number) => Element::leaf(Sr, specified, number.text()),
        None => Element::new(Sr, open),
    };
    Element::new(Sr, element).with(choice)
}

fn read_month_day(date: &mut Cursor<'_>) -> Result<MonthDay, SchemaError> {
    let part = date.required(Sr, "DayOfMonth")?;
    let mut choice = part.children(&[])?;
    let expected = "SpecifiedDayOfMonth, LastDayOfMonth, SecondLastDayOfMonth or NonSpecifiedDayOfMonth";
    let day = if let Some(number) = choice.optional(Sr, "SpecifiedDayOfMonth") {
        MonthDay::Specified(<DayOfMonth as Value>::read(&number, &[])?)
    } else {
        let open = [MonthDay::Last, MonthDay::SecondLast, MonthDay::Any];
        let found = open.into_iter().find(|day| choice.peek(Sr, day.element()));
        let day = found.ok_or_else(|| choice.unexpected(expected))?;
        choice.required(Sr, day.element())?.empty()?;
        day
    };
    choice.finish()?;
    Ok(day)
}

impl MonthDay {
    const fn element(self) -> &'static str {
        match self {
            MonthDay::Any => "NonSpecifiedDayOfMonth",
            MonthDay::Specified(_) => "SpecifiedDayOfMonth",
            MonthDay::Last => "LastDayOfMonth",
            MonthDay::SecondLast => "SecondLastDayOfMonth",
        }
    }

    fn write(self) -> Element {
        let choice = Element::new(Sr, self.element());
        let choice = match self {
            MonthDay::Specified(day) => choice.with_text(day.text()),
            _ => choice,
        };
        Element::new(Sr, "DayOfMonth").with(choice)
    }
}

impl RecurringDate {
    const FORM: &str =
        "a date with * for what is open, such as 2026-12-25, *-12-25, *-*-last or *-*-* Monday";
}

impl Value for RecurringDate {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        known.push(at.field(RecurringDate::FORM.to_owned()));
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        fields.has(&at.name())
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        take_pattern(fields, at, RecurringDate::FORM, Some)
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        fields.insert(at.name(), self.pattern());
    }

    fn read(element: &Reading<'_>, attributes: &[&str]) -> Result<Self, SchemaError> {
        let mut date = element.children(attributes)?;
        let year = read_part(&mut date, "Year", "SpecifiedYear", "NonSpecifiedYear")?;
        let month = read_part(&mut date, "Month", "SpecifiedMonth", "NonSpecifiedMonth")?;
        let day = read_month_day(&mut date)?;
        let day_of_week = read_part(&mut date, "DayOfWeek", "SpecifiedDayOfWeek", "NonSpecifiedDayOfWeek")?;
        date.finish()?;
        Ok(RecurringDate { year, month, day, day_of_week })
    }

    fn write(&self, element: Element) -> Element {
        element
            .with(write_part("Year", "SpecifiedYear", "NonSpecifiedYear", &self.year))
            .with(write_part("Month", "SpecifiedMonth", "NonSpecifiedMonth", &self.month))
            .with(self.day.write())
            .with(write_part("DayOfWeek", "SpecifiedDayOfWeek", "NonSpecifiedDayOfWeek", &self.day_of_week))
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let day = <DayOfMonth as Leaf>::sample(draw);
        let days = [MonthDay::Any, MonthDay::Specified(day), MonthDay::Last, MonthDay::SecondLast];
        RecurringDate {
            year: draw.flag().then(|| Leaf::sample(draw)),
            month: draw.flag().then(|| Leaf::sample(draw)),
            day: *draw.one_of(&days),
            day_of_week: draw.flag().then(|| Leaf::sample(draw)),
        }
    }
}

impl GasRecurringDate {
    const FORM: &str = "a date with * for what is open, such as 2026-12-25, *-12-25 or *-*-* Monday";

    fn from_date(date: RecurringDate) -> Option<GasRecurringDate> {
        let RecurringDate { year, month, day, day_of_week } = date;
        let day = match day {
            MonthDay::Any => None,
            MonthDay::Specified(day) => Some(day),
            MonthDay::Last | MonthDay::SecondLast => return None,
        };
        Some(GasRecurringDate { year, month, day, day_of_week })
    }
}

const GAS_YEAR: [&str; 3] = ["GasYearWithWildcards", "SpecifiedYear", "NonSpecifiedYear"];
const GAS_MONTH: [&str; 3] = ["GasMonthWithWildcards", "SpecifiedMonth", "NonSpecifiedMonth"];
const GAS_DAY: [&str; 3] = ["GasDayOfMonthWithWildcards", "SpecifiedDayOfMonth", "GasNonSpecifiedDayOfMonth"];
const GAS_DAY_OF_WEEK: [&str; 3] =
    ["GasDayOfWeekWithWildcards", "SpecifiedDayOfWeek", "NonSpecifiedDayOfWeek"];

impl Value for GasRecurringDate {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        known.push(at.field(GasRecurringDate::FORM.to_owned()));
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        fields.has(&at.name())
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        take_pattern(fields, at, GasRecurringDate::FORM, GasRecurringDate::from_date)
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        let GasRecurringDate { year, month, day, day_of_week } = *self;
        let day = day.map_or(MonthDay::Any, MonthDay::Specified);
        fields.insert(at.name(), RecurringDate { year, month, day, day_of_week }.pattern());
    }

    fn read(element: &Reading<'_>, attributes: &[&str]) -> Result<Self, SchemaError> {
        let mut date = element.children(attributes)?;
        let read = GasRecurringDate {
            year: read_part(&mut date, GAS_YEAR[0], GAS_YEAR[1], GAS_YEAR[2])?,
            month: read_part(&mut date, GAS_MONTH[0], GAS_MONTH[1], GAS_MONTH[2])?,
            day: read_part(&mut date, GAS_DAY[0], GAS_DAY[1], GAS_DAY[2])?,
            day_of_week: read_part(&mut date, GAS_DAY_OF_WEEK[0], GAS_DAY_OF_WEEK[1], GAS_DAY_OF_WEEK[2])?,
        };
        date.finish()?;
        Ok(read)
    }

    fn write(&self, element: Element) -> Element {
        element
            .with(write_part(GAS_YEAR[0], GAS_YEAR[1], GAS_YEAR[2], &self.year))
            .with(write_part(GAS_MONTH[0], GAS_MONTH[1], GAS_MONTH[2], &self.month))
            .with(write_part(GAS_DAY[0], GAS_DAY[1], GAS_DAY[2], &self.day))
            .with(write_part(GAS_DAY_OF_WEEK[0], GAS_DAY_OF_WEEK[1], GAS_DAY_OF_WEEK[2], &self.day_of_week))
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        GasRecurringDate {
            year: draw.flag().then(|| Leaf::sample(draw)),
            month: draw.flag().then(|| Leaf::sample(draw)),
            day: draw.flag().then(|| Leaf::sample(draw)),
            day_of_week: draw.flag().then(|| Leaf::sample(draw)),
        }
    }
}
