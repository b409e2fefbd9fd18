//! The bodies of all variants but the price update.

use super::Content;
use super::fields::{Field, FieldError, FieldReader};
use crate::Eui64;
use crate::examples::Draw;
use crate::utrn::TokenDigits;
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use std::str::FromStr;

pub(super) const DATE_TIME: &str = "a date and time with its offset, such as 2026-11-21T09:30:00Z";
pub(super) const EXECUTION: Field = Field::optional("ExecutionDateTime", DATE_TIME);

pub(super) fn execution_element(execution: Option<Timestamp>) -> Option<Element> {
    execution.map(|time| Element::leaf(Sr, "ExecutionDateTime", time))
}

pub(super) fn read_execution(children: &mut Cursor<'_>) -> Result<Option<Timestamp>, SchemaError> {
    children.optional(Sr, "ExecutionDateTime").map(|time| time.date_time_with(&[])).transpose()
}

/// A body with nothing in it: 4.11.1, 4.16, 6.2.4, 7.1, 7.2, 7.3 and 7.4. Takes no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoContent;

impl Content for NoContent {
    const FIELDS: &'static [Field] = &[];

    fn from_fields(_: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(NoContent)
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        body.empty()?;
        Ok(NoContent)
    }

    fn children(&self) -> Vec<Element> {
        Vec::new()
    }

    fn sample(_: &mut Draw<'_>) -> Option<Self> {
        Some(NoContent)
    }
}

/// A read that may be put off: 4.1.1, 4.3, 4.18 and 11.2.
///
/// Fields: `ExecutionDateTime` (optional).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnDemandOrFutureDated {
    /// When to do it; at once if absent.
    pub execution: Option<Timestamp>,
}

impl Content for OnDemandOrFutureDated {
    const FIELDS: &'static [Field] = &[EXECUTION];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        Ok(OnDemandOrFutureDated { execution: fields.optional_date_time(EXECUTION.name)? })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let execution = read_execution(&mut children)?;
        children.finish()?;
        Ok(OnDemandOrFutureDated { execution })
    }

    fn children(&self) -> Vec<Element> {
        execution_element(self.execution).into_iter().collect()
    }

    fn execution(&self) -> Option<Timestamp> {
        self.execution
    }
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
}

/// The span of a log that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLogPeriod {
    /// The first moment.
    pub start: Timestamp,
    /// The last moment.
    pub end: Timestamp,
}

impl ReadLogPeriod {
    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let start = fields.required_date_time("StartDateTime")?;
        Ok(ReadLogPeriod { start, end: fields.required_date_time("EndDateTime")? })
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let period = children.required(Sr, "ReadLogPeriod")?;
        let mut fields = period.children(&[])?;
        let start = fields.required(Sr, "StartDateTime")?.date_time_with(&[])?;
        let end = fields.required(Sr, "EndDateTime")?.date_time_with(&[])?;
        fields.finish()?;
        Ok(ReadLogPeriod { start, end })
    }

    fn to_element(self) -> Element {
        Element::new(Sr, "ReadLogPeriod")
            .with(Element::leaf(Sr, "StartDateTime", self.start))
            .with(Element::leaf(Sr, "EndDateTime", self.end))
    }
}

/// 4.8.1: the half-hourly profile of a period.
///
/// Fields: `StartDateTime`, `EndDateTime`, `ExecutionDateTime` (optional), `KAPublicSecurityCredentials` (optional).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadActiveImportProfileData {
    /// When to do it; at once if absent.
    pub execution: Option<Timestamp>,
    /// The period.
    pub period: ReadLogPeriod,
    /// The key agreement certificate of a user the device does not know, in DER.
    pub ka_public_security_credentials: Option<Vec<u8>>,
}

const KA: &str = "KAPublicSecurityCredentials";

impl Content for ReadActiveImportProfileData {
    const FIELDS: &'static [Field] = &[
        EXECUTION,
        Field::required("StartDateTime", DATE_TIME),
        Field::required("EndDateTime", DATE_TIME),
        Field::optional(KA, "a certificate in base64"),
    ];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let execution = fields.optional_date_time(EXECUTION.name)?;
        let period = ReadLogPeriod::from_fields(fields)?;
        let certificate = fields.text(KA).map(|text| {
            let error = |error| fields.invalid(KA, text, format!("expected base64: {error}"));
            STANDARD.decode(text).map_err(error)
        });
        let ka_public_security_credentials = certificate.transpose()?;
        Ok(ReadActiveImportProfileData { execution, period, ka_public_security_credentials })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let execution = read_execution(&mut children)?;
        let period = ReadLogPeriod::read(&mut children)?;
        let certificate = children.optional(Sr, KA).map(|reading| {
            let text = reading.raw_text(&[])?;
            let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            let error = |error| reading.bad_value("the text", text, format!("expected base64: {error}"));
            STANDARD.decode(digits).map_err(error)
        });
        let ka_public_security_credentials = certificate.transpose()?;
        children.finish()?;
        Ok(ReadActiveImportProfileData { execution, period, ka_public_security_credentials })
    }

    fn children(&self) -> Vec<Element> {
        let certificate = self.ka_public_security_credentials.as_ref();
        let certificate = certificate.map(|der| Element::leaf(Sr, KA, STANDARD.encode(der)));
        execution_element(self.execution)
            .into_iter()
            .chain([self.period.to_element()])
            .chain(certificate)
            .collect()
    }

    fn execution(&self) -> Option<Timestamp> {
        self.execution
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

/// 6.13: the entries of a log in a period.
///
/// Fields: `StartDateTime`, `EndDateTime`, `LogToRead`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadEventOrSecurityLog {
    /// The period.
    pub period: ReadLogPeriod,
    /// The log.
    pub log: LogToRead,
}

impl Content for ReadEventOrSecurityLog {
    const FIELDS: &'static [Field] = &[
        Field::required("StartDateTime", DATE_TIME),
        Field::required("EndDateTime", DATE_TIME),
        Field::required("LogToRead", "Event, ALCSEvent, PowerEvent, Security, GSMEEvent or GSMESecurity"),
    ];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let period = ReadLogPeriod::from_fields(fields)?;
        Ok(ReadEventOrSecurityLog {
            period,
            log: fields.required("LogToRead", "Event or Security, for example")?,
        })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let period = ReadLogPeriod::read(&mut children)?;
        let log = children.required(Sr, "LogToRead")?.value()?;
        children.finish()?;
        Ok(ReadEventOrSecurityLog { period, log })
    }

    fn children(&self) -> Vec<Element> {
        vec![self.period.to_element(), Element::leaf(Sr, "LogToRead", self.log)]
    }
}

/// 8.2: the devices of an installation, answered by the DCC itself.
///
/// Fields: one of `DeviceID`, `MPxN`, `UPRN`, or `PostCode` and `AddressIdentifier` together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadInventory {
    /// What to look for.
    pub query: InventoryQuery,
}

/// What to look for in the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryQuery {
    /// The installation with this Unique Property Reference Number, at most 12 digits.
    Uprn(u64),
    /// The installation with this device.
    Device(Eui64),
    /// The installation with this import meter point, 1 to 13 characters.
    MpxN(String),
    /// The installation at this address.
    Property {
        /// 6 to 8 characters.
        post_code: String,
        /// At most 30 characters.
        address: String,
    },
}

const MAX_UPRN: u64 = 999_999_999_999;

fn uprn(text: &str) -> Result<u64, &'static str> {
    let number = text.parse().ok().filter(|number| (1..=MAX_UPRN).contains(number));
    number.ok_or("expected a whole number of 1 to 12 digits")
}

fn characters(text: &str, min: usize, max: usize) -> Result<String, String> {
    let fits = (min..=max).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err(format!("expected {min} to {max} characters")) }
}

impl Content for ReadInventory {
    const FIELDS: &'static [Field] = &[
        Field::optional("DeviceID", "an EUI-64"),
        Field::optional("MPxN", "1 to 13 characters"),
        Field::optional("UPRN", "1 to 12 digits"),
        Field::optional("PostCode", "6 to 8 characters, with AddressIdentifier"),
        Field::optional("AddressIdentifier", "at most 30 characters, with PostCode"),
    ];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let query = if fields.has("DeviceID") {
            InventoryQuery::Device(fields.required("DeviceID", "an EUI-64")?)
        } else if let Some(text) = fields.text("MPxN") {
            InventoryQuery::MpxN(
                characters(text, 1, 13).map_err(|error| fields.invalid("MPxN", text, error))?,
            )
        } else if let Some(text) = fields.text("UPRN") {
            InventoryQuery::Uprn(uprn(text).map_err(|error| fields.invalid("UPRN", text, error))?)
        } else {
            let mut part = |name, min, max| {
                let text = fields.text(name).ok_or_else(|| {
                    fields.missing(name, "PostCode and AddressIdentifier, or DeviceID, MPxN or UPRN instead")
                })?;
                characters(text, min, max).map_err(|error| fields.invalid(name, text, error))
            };
            InventoryQuery::Property {
                post_code: part("PostCode", 6, 8)?,
                address: part("AddressIdentifier", 0, 30)?,
            }
        };
        Ok(ReadInventory { query })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let query = read_query(&children.any("UPRN, DeviceID, MPxN or PropertyFilter")?)?;
        children.finish()?;
        Ok(ReadInventory { query })
    }

    fn children(&self) -> Vec<Element> {
        vec![match &self.query {
            InventoryQuery::Uprn(uprn) => Element::leaf(Sr, "UPRN", uprn),
            InventoryQuery::Device(id) => Element::leaf(Sr, "DeviceID", id),
            InventoryQuery::MpxN(mpxn) => Element::leaf(Sr, "MPxN", mpxn),
            InventoryQuery::Property { post_code, address } => Element::new(Sr, "PropertyFilter")
                .with(Element::leaf(Sr, "PostCode", post_code))
                .with(Element::leaf(Sr, "AddressIdentifier", address)),
        }]
    }
}

fn read_query(query: &Reading<'_>) -> Result<InventoryQuery, SchemaError> {
    let text = |reading: &Reading<'_>, min, max| {
        let text = reading.raw_text(&[])?;
        characters(text, min, max).map_err(|error| reading.bad_value("the text", text, error))
    };
    let element = query.element;
    if element.is(Sr, "DeviceID") {
        return query.value().map(InventoryQuery::Device);
    }
    if element.is(Sr, "MPxN") {
        return text(query, 1, 13).map(InventoryQuery::MpxN);
    }
    if element.is(Sr, "UPRN") {
        let digits = query.raw_text(&[])?.trim();
        return uprn(digits)
            .map(InventoryQuery::Uprn)
            .map_err(|error| query.bad_value("the text", digits, error));
    }
    if element.is(Sr, "PropertyFilter") {
        let mut fields = query.children(&[])?;
        let post_code = text(&fields.required(Sr, "PostCode")?, 6, 8)?;
        let address = text(&fields.required(Sr, "AddressIdentifier")?, 0, 30)?;
        fields.finish()?;
        return Ok(InventoryQuery::Property { post_code, address });
    }
    let (found, expected) = (element.name.clone(), "UPRN, DeviceID, MPxN or PropertyFilter".to_owned());
    Err(query.error(crate::xml::SchemaProblem::Unexpected { found, expected }))
}

/// 8.9: the devices that may join, or have joined, a communications hub's network.
///
/// Fields: `ReadSecurityDetails` (`true`, optional), `ExecutionDateTime` (optional).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadDeviceLog {
    /// When to do it; at once if absent.
    pub execution: Option<Timestamp>,
    /// Whether to read the devices' security details.
    pub security_details: bool,
}

impl Content for ReadDeviceLog {
    const FIELDS: &'static [Field] = &[EXECUTION, Field::optional("ReadSecurityDetails", "true or false")];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let execution = fields.optional_date_time(EXECUTION.name)?;
        let security_details = fields.optional_boolean("ReadSecurityDetails")?.unwrap_or(false);
        Ok(ReadDeviceLog { execution, security_details })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let execution = read_execution(&mut children)?;
        let details =
            children.optional(Sr, "ReadSecurityDetails").map(|details| details.empty()).transpose()?;
        children.finish()?;
        Ok(ReadDeviceLog { execution, security_details: details.is_some() })
    }

    fn children(&self) -> Vec<Element> {
        let details = self.security_details.then(|| Element::new(Sr, "ReadSecurityDetails"));
        execution_element(self.execution).into_iter().chain(details).collect()
    }

    fn execution(&self) -> Option<Timestamp> {
        self.execution
    }
}
