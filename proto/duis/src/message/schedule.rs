//! Schedules as the DCC tells of them, and the read that one of them makes.

use crate::body::part::{Leaf, Part, Value};
use crate::body::{CreateSchedule, RequestBody, ScheduleId};
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Lab, Space::Sr};
use crate::{Request, RequestId};
use jiff::civil::Date;

const ID: &str = "DSPScheduleID";

/// A schedule the DCC keeps (DUIS type `DSPSchedules`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSchedule {
    /// The DCC's number for it.
    pub id: ScheduleId,
    /// What the user asked for.
    pub details: CreateSchedule,
}

impl StoredSchedule {
    /// The most schedules in one answer (DUIS type `DSPSchedulesRead`).
    pub const MOST: usize = 99;

    pub(super) fn list_element(schedules: &[StoredSchedule]) -> Element {
        let one = |schedule: &StoredSchedule| {
            let details = Value::write(&schedule.details, Element::new(Sr, "DSPScheduleDetails"));
            Element::new(Sr, "DSPSchedules").with(id_element(schedule.id)).with(details)
        };
        Element::new(Sr, "DSPSchedulesRead").with_all(schedules.iter().map(one))
    }

    pub(super) fn read_list(list: &Reading<'_>) -> Result<Vec<StoredSchedule>, SchemaError> {
        let mut schedules = Vec::new();
        let mut items = list.children(&[])?;
        while schedules.len() < StoredSchedule::MOST && items.peek(Sr, "DSPSchedules") {
            let item = items.required(Sr, "DSPSchedules")?;
            let mut parts = item.children(&[])?;
            let id = read_id(&mut parts)?;
            let details = Value::read(&parts.required(Sr, "DSPScheduleDetails")?, &[])?;
            parts.finish()?;
            schedules.push(StoredSchedule { id, details });
        }
        if schedules.is_empty() {
            return Err(items.unexpected("DSPSchedules"));
        }
        items.finish()?;
        Ok(schedules)
    }
}

pub(super) fn id_element(id: ScheduleId) -> Element {
    Element::leaf(Sr, ID, id.get())
}

pub(super) fn read_id(parts: &mut Cursor<'_>) -> Result<ScheduleId, SchemaError> {
    <ScheduleId as Part>::read(parts, ID)
}

pub(super) fn read_optional_id(parts: &mut Cursor<'_>) -> Result<Option<ScheduleId>, SchemaError> {
    parts.peek(Sr, ID).then(|| read_id(parts)).transpose()
}

/// One read that a schedule makes: the DSP asks in the name of the user who created the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledReading {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The day it was due.
    pub due: Date,
    /// The DSP's counter for the read. The user's own counters have nothing to do with it.
    pub counter: u64,
}

impl ScheduledReading {
    /// The request that the DSP makes of what the user asked in Create Schedule; none if `created` is another request, or its
    /// span is outside the calendar on that day.
    pub fn request(self, created: &Request) -> Option<Request> {
        let RequestBody::CreateSchedule(schedule) = &created.body else { return None };
        let body = schedule.request.read.body(self.due, schedule.credentials.as_ref())?;
        let (originator, target) = (created.id.originator, schedule.request.device);
        Some(Request::new(RequestId { originator, target, counter: self.counter }, body))
    }

    pub(super) fn to_element(self) -> Element {
        Element::new(Lab, "ScheduledReading")
            .with(Element::leaf(Lab, ID, self.schedule.get()))
            .with(Element::leaf(Lab, "DueDate", self.due))
            .with(Element::leaf(Lab, "Counter", self.counter))
    }

    pub(super) fn read(reading: &Reading<'_>) -> Result<ScheduledReading, SchemaError> {
        let mut parts = reading.children(&[])?;
        let id = parts.required(Lab, ID)?;
        let text = id.raw_text(&[])?;
        let schedule =
            ScheduleId::parse(text).map_err(|expected| id.bad_value("the text", text, expected))?;
        let due = parts.required(Lab, "DueDate")?.value()?;
        let counter = parts.required(Lab, "Counter")?.value()?;
        parts.finish()?;
        Ok(ScheduledReading { schedule, due, counter })
    }
}
