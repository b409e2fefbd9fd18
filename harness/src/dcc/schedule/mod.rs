//! DSP schedules (5.1 to 5.3): what each user has asked the DCC to read for it, and when it is due. Pure: time is an
//! argument. The [`agenda`](super::agenda) sees to it that what is due is asked.

mod calendar;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto_duis::{
    CreateSchedule, Eui64, Request, ScheduleId, ScheduleSelection, ScheduledReading, StoredSchedule,
    Unverified,
};

use super::judge::{Refusal, refusal};
use calendar::{Calendar, Occurrence};

/// The answer to a schedule that would begin before the day it is asked for. The published tables to hand do not say which
/// check has which number, here and below.
pub const START_PASSED: Unverified<&str> = Unverified("E050101");
/// The answer to a schedule that would end before it is due for the first time.
pub const NEVER_DUE: Unverified<&str> = Unverified("E050102");
/// The answer to a schedule beyond the number that a user may have.
pub const TOO_MANY_SCHEDULES: Unverified<&str> = Unverified("E050103");
/// The answer to a read of a schedule that is not there, or is another user's: the DCC does not say which.
pub const NOTHING_TO_READ: Unverified<&str> = Unverified("E050201");
/// The answer to a read of a device's schedules where the user has none.
pub const NONE_TO_READ: Unverified<&str> = Unverified("W050201");
/// The answer to a deletion of a schedule that is not there, or is another user's.
pub const NOTHING_TO_DELETE: Unverified<&str> = Unverified("E050301");
/// The answer to a deletion of a device's schedules where the user has none.
pub const NONE_TO_DELETE: Unverified<&str> = Unverified("W050301");

/// How many schedules a user may have for a device: what one answer to Read Schedule can list.
const MOST_FOR_A_DEVICE: usize = StoredSchedule::MOST;
/// How many schedules the DCC keeps for all its users.
const MOST: usize = 10_000;

/// The schedules of all users.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    last_id: u64,
    by_id: BTreeMap<ScheduleId, Schedule>,
}

#[derive(Debug)]
struct Schedule {
    /// The request that created it, as its user signed it.
    created: (Bytes, Request),
    details: CreateSchedule,
    calendar: Calendar,
    next: Occurrence,
}

impl Schedule {
    fn owner(&self) -> Eui64 {
        self.created.1.id.originator
    }

    fn device(&self) -> Eui64 {
        self.details.request.device
    }
}

/// A read that is due.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DueReading {
    /// The signed Create Schedule.
    pub(super) created: Bytes,
    /// What the DCC asks now.
    pub(super) request: Request,
    /// By which schedule, and for which day.
    pub(super) reading: ScheduledReading,
    /// When it was due.
    pub(super) at: Timestamp,
}

impl Schedules {
    /// Keeps the schedule of a Create Schedule whose user may make its read.
    pub(super) fn create(
        &mut self,
        created: (&Bytes, &Request),
        details: &CreateSchedule,
        now: Timestamp,
    ) -> Result<ScheduleId, Refusal> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let start = details.start.date();
        if start < today {
            return Err(refusal(START_PASSED, format!("it would begin on {start}; today is {today}")));
        }
        let calendar = Calendar::of(details);
        let next = calendar.next_after(now);
        let next = next.ok_or_else(|| refusal(NEVER_DUE, "it would end before it is due".to_owned()))?;
        let (owner, device) = (created.1.id.originator, details.request.device);
        let theirs = self.of(owner, device).count();
        if theirs >= MOST_FOR_A_DEVICE || self.by_id.len() >= MOST {
            let reason =
                format!("{owner} has {theirs} schedules for {device}, all users {}", self.by_id.len());
            return Err(refusal(TOO_MANY_SCHEDULES, reason));
        }
        let spent = || refusal(TOO_MANY_SCHEDULES, "every number of a schedule has been used".to_owned());
        let id = ScheduleId::new(self.last_id + 1).ok_or_else(spent)?;
        self.last_id = id.get();
        let created = (created.0.clone(), created.1.clone());
        self.by_id.insert(id, Schedule { created, details: details.clone(), calendar, next });
        Ok(id)
    }

    /// The user's schedules for a device.
    fn of(&self, owner: Eui64, device: Eui64) -> impl Iterator<Item = (ScheduleId, &Schedule)> {
        let meant = move |schedule: &Schedule| schedule.owner() == owner && schedule.device() == device;
        self.by_id.iter().filter(move |(_, schedule)| meant(schedule)).map(|(id, schedule)| (*id, schedule))
    }

    /// What a user selects of its own.
    fn selected(&self, owner: Eui64, selection: &ScheduleSelection) -> Vec<ScheduleId> {
        match selection {
            ScheduleSelection::Id(id) => {
                let found = self.by_id.get(id).filter(|schedule| schedule.owner() == owner);
                found.map(|_| *id).into_iter().collect()
            }
            ScheduleSelection::Device(device) => self.of(owner, *device).map(|(id, _)| id).collect(),
        }
    }

    /// 5.2: the schedules that a user selects of its own.
    pub(super) fn read(
        &self,
        owner: Eui64,
        selection: &ScheduleSelection,
    ) -> Result<Vec<StoredSchedule>, Refusal> {
        let selected = self.selected(owner, selection);
        if selected.is_empty() {
            return Err(none(owner, selection, NOTHING_TO_READ, NONE_TO_READ));
        }
        let stored =
            |id: ScheduleId| Some(StoredSchedule { id, details: self.by_id.get(&id)?.details.clone() });
        Ok(selected.into_iter().filter_map(stored).collect())
    }

    /// 5.3: takes away the schedules that a user selects of its own.
    pub(super) fn delete(&mut self, owner: Eui64, selection: &ScheduleSelection) -> Result<(), Refusal> {
        let selected = self.selected(owner, selection);
        if selected.is_empty() {
            return Err(none(owner, selection, NOTHING_TO_DELETE, NONE_TO_DELETE));
        }
        selected.iter().for_each(|id| drop(self.by_id.remove(id)));
        Ok(())
    }

    /// Takes a schedule away whose user may make its read no more.
    pub(super) fn withdraw(&mut self, id: ScheduleId) {
        self.by_id.remove(&id);
    }

    /// Takes away every schedule for a device that is in use no more.
    pub(super) fn withdraw_device(&mut self, device: Eui64) {
        self.by_id.retain(|_, schedule| schedule.device() != device);
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_id.values().map(|schedule| schedule.next.at).min()
    }

    /// The reads that are due, each with a counter of its own from `counter` on. What was missed is not made up for: a
    /// schedule that was due several times makes the first of its reads. One that has made its last is taken away.
    pub(super) fn take_due(&mut self, now: Timestamp, counter: &mut u64) -> Vec<DueReading> {
        let mut due = Vec::new();
        self.by_id.retain(|id, schedule| {
            if schedule.next.at > now {
                return true;
            }
            let Occurrence { day, at } = schedule.next;
            *counter = counter.saturating_add(1);
            let reading = ScheduledReading { schedule: *id, due: day, counter: *counter };
            let (octets, created) = &schedule.created;
            if let Some(request) = reading.request(created) {
                due.push(DueReading { created: octets.clone(), request, reading, at });
            }
            let next = schedule.calendar.next_after(now);
            next.is_some_and(|next| {
                schedule.next = next;
                true
            })
        });
        due
    }
}

fn none(
    owner: Eui64,
    selection: &ScheduleSelection,
    unknown: Unverified<&str>,
    empty: Unverified<&str>,
) -> Refusal {
    match selection {
        ScheduleSelection::Id(id) => refusal(unknown, format!("{owner} has no schedule {}", id.get())),
        ScheduleSelection::Device(device) => refusal(empty, format!("{owner} has no schedule for {device}")),
    }
}
