//! The bodies of all variants but the price update.

use super::fields::{Field, FieldError, FieldReader};
use super::part::{Leaf, Part};
use super::{Content, ReadLogPeriod};
use crate::examples::Draw;
use crate::utrn::TokenDigits;
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::str::FromStr;

pub(super) const DATE_TIME: &str = "a date and time with its offset, such as 2026-11-21T09:30:00Z";
pub(super) const EXECUTION: Field = Field::optional("ExecutionDateTime", DATE_TIME);

pub(super) fn execution_element(execution: Option<Timestamp>) -> Option<Element> {
    execution.map(|time| Element::leaf(Sr, "ExecutionDateTime", time))
}

pub(super) fn read_execution(children: &mut Cursor<'_>) -> Result<Option<Timestamp>, SchemaError> {
    children.optional(Sr, "ExecutionDateTime").map(|time| time.date_time_with(&[])).transpose()
}

/// 1.6: how the customer pays from now on.
///
/// Fields: `Credit` (`true`) for credit; or `SuspendDebtDisabled`, `SuspendDebtEmergency` and `DisablementThreshold` for
/// prepayment; `ExecutionDateTime` (optional).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdatePaymentMode {
    /// When to do it; at once if absent.
    pub execution: Option<Timestamp>,
    /// The mode.
    pub mode: PaymentMode,
}

/// How the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMode {
    /// After use.
    Credit,
    /// Before use.
    Prepayment {
        /// Whether debt collection stops while the supply is disabled.
        suspend_debt_disabled: bool,
        /// Whether debt collection stops while emergency credit is in use.
        suspend_debt_emergency: bool,
        /// The balance below which the supply is disabled, in thousandths of a penny for electricity and pence for gas.
        disablement_threshold: i32,
    },
}

impl Content for UpdatePaymentMode {
    const FIELDS: &'static [Field] = &[
        EXECUTION,
        Field::optional("Credit", "true, for credit mode"),
        Field::optional("SuspendDebtDisabled", "true or false, for prepayment mode"),
        Field::optional("SuspendDebtEmergency", "true or false, for prepayment mode"),
        Field::optional("DisablementThreshold", "a whole number, for prepayment mode"),
    ];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let execution = fields.optional_date_time(EXECUTION.name)?;
        let mode = match fields.text("Credit") {
            Some("true") => PaymentMode::Credit,
            Some(other) => {
                return Err(fields.invalid(
                    "Credit",
                    other,
                    "expected true, or the fields of prepayment mode instead",
                ));
            }
            None if !fields.has("SuspendDebtDisabled") => {
                return Err(fields.missing("Credit", "true, or the fields of prepayment mode instead"));
            }
            None => PaymentMode::Prepayment {
                suspend_debt_disabled: fields.required_boolean("SuspendDebtDisabled")?,
                suspend_debt_emergency: fields.required_boolean("SuspendDebtEmergency")?,
                disablement_threshold: fields.required("DisablementThreshold", "a whole number")?,
            },
        };
        Ok(UpdatePaymentMode { execution, mode })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let execution = read_execution(&mut children)?;
        let mode = if let Some(credit) = children.optional(Sr, "Credit") {
            credit.empty()?;
            PaymentMode::Credit
        } else if children.peek(Sr, "Prepayment") {
            read_prepayment(&children.required(Sr, "Prepayment")?)?
        } else {
            return Err(children.unexpected("Credit or Prepayment"));
        };
        children.finish()?;
        Ok(UpdatePaymentMode { execution, mode })
    }

    fn children(&self) -> Vec<Element> {
        let mode = match self.mode {
            PaymentMode::Credit => Element::new(Sr, "Credit"),
            PaymentMode::Prepayment {
                suspend_debt_disabled,
                suspend_debt_emergency,
                disablement_threshold,
            } => Element::new(Sr, "Prepayment")
                .with(Element::leaf(Sr, "SuspendDebtDisabled", suspend_debt_disabled))
                .with(Element::leaf(Sr, "SuspendDebtEmergency", suspend_debt_emergency))
                .with(Element::leaf(Sr, "DisablementThreshold", disablement_threshold)),
        };
        execution_element(self.execution).into_iter().chain([mode]).collect()
    }

    fn execution(&self) -> Option<Timestamp> {
        self.execution
    }

    fn to_fields(&self) -> BTreeMap<String, String> {
        let mode = match self.mode {
            PaymentMode::Credit => vec![("Credit", true.to_string())],
            PaymentMode::Prepayment {
                suspend_debt_disabled,
                suspend_debt_emergency,
                disablement_threshold,
            } => vec![
                ("SuspendDebtDisabled", suspend_debt_disabled.to_string()),
                ("SuspendDebtEmergency", suspend_debt_emergency.to_string()),
                ("DisablementThreshold", disablement_threshold.to_string()),
            ],
        };
        let execution = self.execution.map(|time| (EXECUTION.name, time.to_string()));
        named(execution.into_iter().chain(mode))
    }

    fn sample(draw: &mut Draw<'_>) -> Option<Self> {
        let execution = Part::sample(draw);
        let mode = match draw.flag() {
            true => PaymentMode::Credit,
            false => PaymentMode::Prepayment {
                suspend_debt_disabled: draw.flag(),
                suspend_debt_emergency: draw.flag(),
                disablement_threshold: Leaf::sample(draw),
            },
        };
        Some(UpdatePaymentMode { execution, mode })
    }
}

/// Fields by their names.
pub(super) fn named(fields: impl IntoIterator<Item = (&'static str, String)>) -> BTreeMap<String, String> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn read_prepayment(prepayment: &Reading<'_>) -> Result<PaymentMode, SchemaError> {
    let mut fields = prepayment.children(&[])?;
    let mode = PaymentMode::Prepayment {
        suspend_debt_disabled: fields.required(Sr, "SuspendDebtDisabled")?.boolean()?,
        suspend_debt_emergency: fields.required(Sr, "SuspendDebtEmergency")?.boolean()?,
        disablement_threshold: fields.required(Sr, "DisablementThreshold")?.value()?,
    };
    fields.finish()?;
    Ok(mode)
}

/// 2.2: a token for a prepayment meter.
///
/// Fields: `UTRN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUpDevice {
    /// The token; its check digit is the meter's to judge.
    pub utrn: TokenDigits,
}

impl Content for TopUpDevice {
    const FIELDS: &'static [Field] = &[Field::required("UTRN", "20 digits")];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(TopUpDevice { utrn: fields.required("UTRN", "20 digits")? })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let utrn = children.required(Sr, "UTRN")?.value()?;
        children.finish()?;
        Ok(TopUpDevice { utrn })
    }

    fn children(&self) -> Vec<Element> {
        vec![Element::leaf(Sr, "UTRN", self.utrn)]
    }

    fn to_fields(&self) -> BTreeMap<String, String> {
        named([("UTRN", self.utrn.to_string())])
    }

    fn sample(draw: &mut Draw<'_>) -> Option<Self> {
        let digits: String = (0..crate::utrn::DIGITS).map(|_| draw.between(0, 9).to_string()).collect();
        digits.parse().ok().map(|utrn| TopUpDevice { utrn })
    }
}

/// A whole number of seconds from 0 to 86,400 (DUIS type `tolerancePeriod`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TolerancePeriod(u32);

impl TolerancePeriod {
    /// The longest: a day.
    pub const MAX_SECONDS: u32 = 86_400;

    /// That many seconds; none if more than a day.
    pub fn from_seconds(seconds: u32) -> Option<TolerancePeriod> {
        (seconds <= Self::MAX_SECONDS).then_some(TolerancePeriod(seconds))
    }

    /// In seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for TolerancePeriod {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = text.parse().ok().and_then(TolerancePeriod::from_seconds);
        seconds.ok_or("expected a whole number of seconds from 0 to 86400")
    }
}

/// 6.11: set the clock, if it is wrong by less than the tolerance.
///
/// Fields: `CurrentDateTime`, `TolerancePeriod` (seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynchroniseClock {
    /// The right time.
    pub current: Timestamp,
    /// How far off the clock may be and still be set.
    pub tolerance: TolerancePeriod,
}

impl Content for SynchroniseClock {
    const FIELDS: &'static [Field] = &[
        Field::required("CurrentDateTime", DATE_TIME),
        Field::required("TolerancePeriod", "seconds from 0 to 86400"),
    ];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let current = fields.required_date_time("CurrentDateTime")?;
        Ok(SynchroniseClock {
            current,
            tolerance: fields.required("TolerancePeriod", "seconds from 0 to 86400")?,
        })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let current = children.required(Sr, "CurrentDateTime")?.date_time_with(&[])?;
        let tolerance = children.required(Sr, "TolerancePeriod")?.value()?;
        children.finish()?;
        Ok(SynchroniseClock { current, tolerance })
    }

    fn children(&self) -> Vec<Element> {
        let tolerance = self.tolerance.seconds();
        vec![
            Element::leaf(Sr, "CurrentDateTime", self.current),
            Element::leaf(Sr, "TolerancePeriod", tolerance),
        ]
    }

    fn to_fields(&self) -> BTreeMap<String, String> {
        let tolerance = self.tolerance.seconds().to_string();
        named([("CurrentDateTime", self.current.to_string()), ("TolerancePeriod", tolerance)])
    }

    fn sample(draw: &mut Draw<'_>) -> Option<Self> {
        let seconds = u32::try_from(draw.between(0, TolerancePeriod::MAX_SECONDS.into())).ok()?;
        let tolerance = TolerancePeriod::from_seconds(seconds)?;
        Some(SynchroniseClock { current: Leaf::sample(draw), tolerance })
    }
}

word_enum! {
    /// Which log of a device is read.
    LogToRead, "log" {
        /// Events of an electricity meter or communications hub.
        Event = "Event",
        /// Events of auxiliary load control.
        AlcsEvent = "ALCSEvent",
        /// Power events.
        PowerEvent = "PowerEvent",
        /// Security events.
        Security = "Security",
        /// Events of a gas meter, from its mirror.
        GsmeEvent = "GSMEEvent",
        /// Security events of a gas meter, from its mirror.
        GsmeSecurity = "GSMESecurity",
    }
}

words!(LogToRead);

group! {
    /// 6.13: the entries of a log in a period.
    ///
    /// Fields: `StartDateTime`, `EndDateTime`, `LogToRead`.
    ReadEventOrSecurityLog {
        /// The period.
        period: ReadLogPeriod = wrap "ReadLogPeriod",
        /// The log.
        log: LogToRead = "LogToRead",
    }
}
