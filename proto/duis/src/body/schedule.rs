//! Group 5, reads that the DCC makes again and again on a user's behalf.

use super::fields::{FieldError, FieldReader, KnownField};
use super::part::{At, Choice, Leaf, Part, Value};
use super::{
    CalendarDate, EncodedCertificate, NoContent, OnDemandOrFutureDated, ReadLog, ReadLogPeriod,
    ReadLogWithCredentials, RequestBody, TimeOfDay,
};
use crate::examples::Draw;
use crate::xml::{Cursor, Element, SchemaError, Space::Sr};
use crate::{Eui64, Srv};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::collections::BTreeMap;

word_enum! {
    /// How often a schedule makes its read.
    ScheduleFrequency, "schedule frequency" {
        /// Every day.
        Daily = "Daily",
        /// Every week.
        Weekly = "Weekly",
        /// Every month.
        Monthly = "Monthly",
        /// Every three months.
        Quarterly = "Quarterly",
        /// Every six months.
        HalfYearly = "Half-Yearly",
        /// Every year.
        Yearly = "Yearly",
    }
}

word_enum! {
    /// A log that a schedule can read.
    ScheduledLog, "log that a schedule reads" {
        /// Daily reads of import.
        ImportDailyReads = "4.6.1",
        /// Daily reads of export.
        ExportDailyReads = "4.6.2",
        /// The profile of active import.
        ActiveImport = "4.8.1",
        /// The profile of reactive import.
        ReactiveImport = "4.8.2",
        /// The profile of export.
        Export = "4.8.3",
        /// Voltage, or gas network data.
        NetworkData = "4.10",
        /// Daily reads of prepayment.
        PrepaymentDailyReads = "4.14",
        /// Daily consumption.
        DailyConsumption = "4.17",
    }
}

word_enum! {
    /// What else a schedule can read, or have done.
    ScheduledRegisters, "read that a schedule makes" {
        /// Export registers.
        Export = "4.2",
        /// Maximum demand of import.
        MaximumDemandImport = "4.12.1",
        /// Maximum demand of export.
        MaximumDemandExport = "4.12.2",
        /// Load limit.
        LoadLimit = "4.15",
        /// Active power.
        ActivePower = "4.16",
        /// Recording of gas network data.
        RecordGasNetworkData = "14.1",
    }
}

words!(ScheduleFrequency);

whole! {
    /// The DCC's number for a schedule.
    ScheduleId(u64, 0..=1_000_000_000_000);
    /// Days before the day a schedule is due, as a number not above 0.
    DateOffset(i16, -400..=0);
}

group! {
    /// The span of a log, from the day a schedule is due.
    #[derive(Copy)]
    ReadLogPeriodOffset {
        /// The first day.
        start_date: DateOffset = "StartDateOffset",
        /// The first time of that day.
        start_time: TimeOfDay = "StartTime",
        /// The last day.
        end_date: DateOffset = "EndDateOffset",
        /// The last time of that day.
        end_time: TimeOfDay = "EndTime",
    }
    /// 5.1: a schedule.
    ///
    /// Fields: `ScheduleFrequency`, `ScheduleStartDate`, `ScheduleEndDate` (optional), `ScheduleExecutionStartTime`
    /// (optional), `KAPublicSecurityCredential` (optional), and those of [`ScheduledRequest`].
    CreateSchedule {
        /// How often.
        frequency: ScheduleFrequency = "ScheduleFrequency",
        /// The first day it is due.
        start: CalendarDate = "ScheduleStartDate",
        /// The last day it may be due; without end if absent.
        end: Option<CalendarDate> = "ScheduleEndDate",
        /// At what time of the day.
        time: Option<TimeOfDay> = "ScheduleExecutionStartTime",
        /// The key agreement certificate of a user the device does not know.
        credentials: Option<EncodedCertificate> = "KAPublicSecurityCredential",
        /// What is read of which device.
        request: ScheduledRequest = choice,
    }
}

choice! {
    /// 5.2 and 5.3: which schedules are read or deleted.
    ///
    /// Fields: `DSPScheduleID`, or `DeviceID`.
    ScheduleSelection {
        /// One of them.
        Id(ScheduleId) = "DSPScheduleID",
        /// All of the user's for a device.
        Device(Eui64) = "DeviceID",
    }
}

/// What a schedule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduledRead {
    /// A span of a log.
    Log(ScheduledLog, ReadLogPeriodOffset),
    /// What is held at the moment.
    Registers(ScheduledRegisters),
}

/// What a schedule reads, and of which device.
///
/// Fields: `DSPScheduledServiceReferenceVariant`, `DeviceID`, and for a log `StartDateOffset`, `StartTime`,
/// `EndDateOffset`, `EndTime`. DUIS says three times which variant it is; here it is said once, and a message that
/// contradicts itself is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledRequest {
    /// The device.
    pub device: Eui64,
    /// The read.
    pub read: ScheduledRead,
}

const REFERENCE: &str = "DSPScheduledServiceReference";
const VARIANT: &str = "DSPScheduledServiceReferenceVariant";
const DEVICE: &str = "DeviceID";

impl ScheduledRead {
    /// The variant of the requests it makes.
    pub const fn srv(self) -> Srv {
        match self {
            ScheduledRead::Log(log, _) => match log {
                ScheduledLog::ImportDailyReads => Srv::RetrieveImportDailyReadLog,
                ScheduledLog::ExportDailyReads => Srv::RetrieveExportDailyReadLog,
                ScheduledLog::ActiveImport => Srv::ReadActiveImportProfileData,
                ScheduledLog::ReactiveImport => Srv::ReadReactiveImportProfileData,
                ScheduledLog::Export => Srv::ReadExportProfileData,
                ScheduledLog::NetworkData => Srv::ReadNetworkData,
                ScheduledLog::PrepaymentDailyReads => Srv::ReadPrepaymentDailyReadLog,
                ScheduledLog::DailyConsumption => Srv::RetrieveDailyConsumptionLog,
            },
            ScheduledRead::Registers(registers) => match registers {
                ScheduledRegisters::Export => Srv::ReadInstantaneousExportRegisters,
                ScheduledRegisters::MaximumDemandImport => Srv::ReadMaximumDemandImportRegisters,
                ScheduledRegisters::MaximumDemandExport => Srv::ReadMaximumDemandExportRegisters,
                ScheduledRegisters::LoadLimit => Srv::ReadLoadLimitData,
                ScheduledRegisters::ActivePower => Srv::ReadActivePowerImport,
                ScheduledRegisters::RecordGasNetworkData => Srv::RecordNetworkDataGAS,
            },
        }
    }

    /// Every variant that a schedule can read.
    pub fn variants() -> impl Iterator<Item = Srv> {
        let logs = ScheduledLog::ALL.iter().map(|log| log.as_str());
        let all = logs.chain(ScheduledRegisters::ALL.iter().map(|registers| registers.as_str()));
        all.filter_map(|text| text.parse().ok())
    }

    fn element(self) -> String {
        format!("DSP{}", self.srv().body_element())
    }

    fn forms() -> String {
        let logs = ScheduledLog::ALL.iter().map(|log| log.as_str());
        let all = logs.chain(ScheduledRegisters::ALL.iter().map(|registers| registers.as_str()));
        all.collect::<Vec<_>>().join(" or ")
    }

    /// Of a text that names a variant, what is read; a log's span comes from `period`.
    fn of<E>(
        variant: &str,
        period: impl FnOnce() -> Result<ReadLogPeriodOffset, E>,
    ) -> Option<Result<Self, E>> {
        if let Ok(registers) = variant.parse() {
            return Some(Ok(ScheduledRead::Registers(registers)));
        }
        let log = variant.parse().ok()?;
        Some(period().map(|period| ScheduledRead::Log(log, period)))
    }

    /// The body of the request that is made when the schedule is due on `date`; none when a day or moment of its span is
    /// outside the calendar.
    pub fn body(self, date: Date, credentials: Option<&EncodedCertificate>) -> Option<RequestBody> {
        let execution = None;
        let at_once = OnDemandOrFutureDated { execution };
        Some(match self {
            ScheduledRead::Registers(registers) => match registers {
                ScheduledRegisters::Export => RequestBody::ReadInstantaneousExportRegisters(at_once),
                ScheduledRegisters::MaximumDemandImport => {
                    RequestBody::ReadMaximumDemandImportRegisters(at_once)
                }
                ScheduledRegisters::MaximumDemandExport => {
                    RequestBody::ReadMaximumDemandExportRegisters(at_once)
                }
                ScheduledRegisters::LoadLimit => RequestBody::ReadLoadLimitData(at_once),
                ScheduledRegisters::ActivePower => RequestBody::ReadActivePowerImport(NoContent),
                ScheduledRegisters::RecordGasNetworkData => RequestBody::RecordNetworkDataGAS(NoContent),
            },
            ScheduledRead::Log(log, offset) => {
                let period = offset.period(date)?;
                let read = ReadLog { execution, period };
                let credentials = credentials.cloned();
                let with = ReadLogWithCredentials { execution, period, credentials };
                match log {
                    ScheduledLog::ImportDailyReads => RequestBody::RetrieveImportDailyReadLog(with),
                    ScheduledLog::ExportDailyReads => RequestBody::RetrieveExportDailyReadLog(read),
                    ScheduledLog::ActiveImport => RequestBody::ReadActiveImportProfileData(with),
                    ScheduledLog::ReactiveImport => RequestBody::ReadReactiveImportProfileData(read),
                    ScheduledLog::Export => RequestBody::ReadExportProfileData(read),
                    ScheduledLog::NetworkData => RequestBody::ReadNetworkData(with),
                    ScheduledLog::PrepaymentDailyReads => RequestBody::ReadPrepaymentDailyReadLog(with),
                    ScheduledLog::DailyConsumption => RequestBody::RetrieveDailyConsumptionLog(with),
                }
            }
        })
    }
}

impl ReadLogPeriodOffset {
    /// The span for a schedule due on `date`; times are UTC.
    pub fn period(self, date: Date) -> Option<ReadLogPeriod> {
        let moment = |offset: DateOffset, time: TimeOfDay| -> Option<Timestamp> {
            let day = date.checked_add(Span::new().days(offset.get())).ok()?;
            Some(day.to_datetime(time.time()).to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        let start = moment(self.start_date, self.start_time)?;
        Some(ReadLogPeriod { start, end: moment(self.end_date, self.end_time)? })
    }
}

impl Choice for ScheduledRequest {
    fn list_choice(at: &At, known: &mut Vec<KnownField>) {
        known.push(at.child(VARIANT).field(ScheduledRead::forms()));
        <Eui64 as Part>::list(&at.child(DEVICE), known);
        <ReadLogPeriodOffset as Part>::list(&at.clone().optional(), known);
    }

    fn given_choice(fields: &FieldReader<'_>, at: &At) -> bool {
        fields.has(&at.child(VARIANT).name())
    }

    fn take_choice(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        let name = at.child(VARIANT).name();
        let expected = ScheduledRead::forms();
        let variant = fields.text(&name).ok_or_else(|| fields.missing(&name, &expected))?;
        let device = <Eui64 as Part>::take(fields, &at.child(DEVICE))?;
        let read = ScheduledRead::of(variant, || <ReadLogPeriodOffset as Part>::take(fields, at));
        match read {
            Some(read) => Ok(ScheduledRequest { device, read: read? }),
            None => Err(fields.invalid(&name, variant, format!("expected {expected}"))),
        }
    }

    fn give_choice(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        fields.insert(at.child(VARIANT).name(), self.read.srv().to_string());
        Part::give(&self.device, &at.child(DEVICE), fields);
        if let ScheduledRead::Log(_, period) = &self.read {
            Part::give(period, at, fields);
        }
    }

    fn comes_next(children: &Cursor<'_>) -> bool {
        children.peek(Sr, REFERENCE)
    }

    fn read_choice(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let reference: String = children.required(Sr, REFERENCE)?.value()?;
        let variant = children.required(Sr, VARIANT)?;
        let text = variant.raw_text(&[])?.to_owned();
        let expected = || format!("expected {}", ScheduledRead::forms());
        let srv: Srv = text.parse().map_err(|_| variant.bad_value("the text", &text, expected()))?;
        if srv.reference() != reference {
            let expected = format!("expected a variant of Service Reference {reference}");
            return Err(variant.bad_value("the text", &text, expected));
        }
        let unknown = variant.bad_value("the text", &text, expected());
        let device = <Eui64 as Part>::read(children, DEVICE)?;
        let element = children.required(Sr, &format!("DSP{}", srv.body_element()))?;
        let read = ScheduledRead::of(&text, || <ReadLogPeriodOffset as Value>::read(&element, &[]))
            .ok_or(unknown)??;
        if let ScheduledRead::Registers(_) = read {
            element.empty()?;
        }
        Ok(ScheduledRequest { device, read })
    }

    fn write_choice(&self) -> Vec<Element> {
        let srv = self.read.srv();
        let element = Element::new(Sr, self.read.element());
        vec![
            Element::leaf(Sr, REFERENCE, srv.reference()),
            Element::leaf(Sr, VARIANT, srv),
            Element::leaf(Sr, DEVICE, self.device),
            match self.read {
                ScheduledRead::Log(_, period) => Value::write(&period, element),
                ScheduledRead::Registers(_) => element,
            },
        ]
    }

    fn sample_choice(draw: &mut Draw<'_>) -> Self {
        let device = <Eui64 as Leaf>::sample(draw);
        let read = if draw.flag() {
            let log = *draw.one_of(ScheduledLog::ALL);
            ScheduledRead::Log(log, <ReadLogPeriodOffset as Value>::sample(draw))
        } else {
            ScheduledRead::Registers(*draw.one_of(ScheduledRegisters::ALL))
        };
        ScheduledRequest { device, read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(days: i16, hour: i8) -> (DateOffset, TimeOfDay) {
        (DateOffset::new(days).unwrap(), TimeOfDay::utc(jiff::civil::time(hour, 0, 0, 0)))
    }

    #[test]
    fn a_span_is_counted_from_the_day_the_schedule_is_due() {
        let ((start_date, start_time), (end_date, end_time)) = (offset(-1, 0), offset(0, 12));
        let span = ReadLogPeriodOffset { start_date, start_time, end_date, end_time };
        let period = span.period(jiff::civil::date(2027, 3, 1)).unwrap();
        assert_eq!(period.start.to_string(), "2027-02-28T00:00:00Z");
        assert_eq!(period.end.to_string(), "2027-03-01T12:00:00Z");
        assert_eq!(span.period(Date::MIN), None);
    }

    #[test]
    fn every_scheduled_read_is_named_for_its_variant_and_makes_its_request() {
        let ((start_date, start_time), (end_date, end_time)) = (offset(-1, 0), offset(0, 0));
        let span = ReadLogPeriodOffset { start_date, start_time, end_date, end_time };
        let logs = ScheduledLog::ALL.iter().map(|log| (ScheduledRead::Log(*log, span), log.as_str()));
        let registers = ScheduledRegisters::ALL.iter();
        let registers = registers.map(|what| (ScheduledRead::Registers(*what), what.as_str()));
        for (read, text) in logs.chain(registers) {
            assert_eq!(read.srv().as_str(), text);
            assert_eq!(read.body(jiff::civil::date(2026, 11, 21), None).unwrap().srv(), read.srv());
        }
    }

    #[test]
    fn a_schedule_that_contradicts_itself_is_refused_with_its_place() {
        let requests = crate::examples::requests().unwrap();
        let schedule = requests.iter().find(|request| request.srv() == Srv::CreateSchedule).unwrap();
        for (from, to, path) in [
            ("Variant>4.8.1<", "Variant>4.8.2<", "CreateSchedule"),
            ("DSPScheduledServiceReference>4.8<", "DSPScheduledServiceReference>4.6<", VARIANT),
            ("Variant>4.8.1<", "Variant>4.1.1<", VARIANT),
            ("DSPReadActiveImportProfileData", "DSPReadLoadLimitData", "CreateSchedule"),
            (">-1</sr:StartDateOffset>", ">-401</sr:StartDateOffset>", "StartDateOffset"),
            (">-1</sr:StartDateOffset>", ">1</sr:StartDateOffset>", "StartDateOffset"),
            ("<sr:ScheduleFrequency>Daily</sr:ScheduleFrequency>", "", "CreateSchedule"),
        ] {
            let xml = schedule.to_xml();
            assert!(xml.contains(from), "{from}");
            let error = crate::Request::parse(xml.replace(from, to).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(path), "{to}: {error}");
        }
    }
}
