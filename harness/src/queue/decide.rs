//! What an act on a lab comes to, as a function of the lab's state and nothing else.

use jiff::Timestamp;
use proto_lab::record::book::{Entry, LabEvent, LabState, RigUse, RunStage, Work};
use proto_lab::record::{Actor, Role, RunId};

use super::{Action, Asked, Refusal};

/// At most so many entries wait; a scheduler who queues more has made a mistake.
pub const MOST_WAITING: usize = 1_000;

/// The longest reason a person may give, in characters.
const LONGEST_REASON: usize = 1_000;

/// The records that an act makes, in order; what is to be done follows from each of them. `find` finds what somebody asks to be
/// run, and is asked only after the act has been allowed.
///
/// # Errors
/// [`Refusal`]: nothing is recorded but that.
pub fn decide(
    state: &LabState,
    by: &Actor,
    action: &Action,
    now: Timestamp,
    find: impl FnOnce(&Asked) -> Result<Work, String>,
) -> Result<Vec<LabEvent>, Refusal> {
    if !action.is_for(by.role) {
        return Err(Refusal::NotAllowed { call: action.name(), role: by.role });
    }
    let one = |event| Ok(vec![event]);
    let by = by.clone();
    match action {
        Action::Join(asked) => {
            let entry = room(state)?;
            known_rig(state, &asked.rig)?;
            let work = find(asked).map_err(Refusal::Work)?;
            one(LabEvent::QueueJoined { entry, work, by })
        }
        Action::Leave(entry) => {
            let waiting = state.queue.iter().find(|waiting| waiting.id == *entry);
            let waiting = waiting.ok_or_else(|| unknown("entry of the queue", entry))?;
            if by.role != Role::Engineer && waiting.by.name != by.name {
                return Err(Refusal::NotYours { entry: *entry, by: waiting.by.to_string() });
            }
            one(LabEvent::QueueLeft { entry: *entry, by })
        }
        Action::Pause(run) => {
            require(state, run, |stage| stage == RunStage::Running, "expected it to be running")?;
            one(LabEvent::PauseAsked { run: run.clone(), by })
        }
        Action::Resume(run) => {
            let waits = |stage| matches!(stage, RunStage::Pausing | RunStage::Paused);
            require(state, run, waits, "expected it to be paused")?;
            one(LabEvent::RunResumed { run: run.clone(), by })
        }
        Action::Abort { run, reason } => {
            require(state, run, |stage| stage != RunStage::Stopping, "it ends as soon as its rig is safe")?;
            one(LabEvent::RunStopping { run: run.clone(), by, reason: said(reason)? })
        }
        Action::Rerun { run, case } => {
            require(state, run, |stage| stage != RunStage::Stopping, "no script of it begins any more")?;
            one(LabEvent::RerunAsked { run: run.clone(), case: case.clone(), by })
        }
        Action::StopEverything { reason } => stop_everything(state, &by, reason),
        Action::LiftStop if state.stopped.is_none() => {
            Err(Refusal::Stopped("nobody has stopped everything".to_owned()))
        }
        Action::LiftStop => one(LabEvent::StopLifted { by }),
        Action::Hold { rig, reason, lease } => {
            free_for(state, rig, &by)?;
            one(LabEvent::RigHeld { rig: rig.clone(), by, reason: said(reason)?, until: lease.from(now) })
        }
        Action::GiveBack { rig } => match known_rig(state, rig)? {
            RigUse::Held { .. } => one(LabEvent::RigGivenBack { rig: rig.clone(), by }),
            _ => Err(Refusal::NotHeld { rig: rig.clone() }),
        },
        Action::Quarantine { device, reason } => quarantine(state, &by, &device.to_string(), reason),
        Action::LiftQuarantine { device } => {
            let device = device.to_string();
            match state.quarantined.contains_key(&device) {
                true => one(LabEvent::QuarantineLifted { device, by }),
                false => Err(Refusal::Quarantine { device, in_it: false }),
            }
        }
    }
}

/// The leases that have ended.
pub fn expired(state: &LabState, now: Timestamp) -> Vec<LabEvent> {
    let ended = |used: &RigUse| matches!(used, RigUse::Held { until, .. } if *until <= now);
    let rigs = state.rigs.iter().filter(|(_, rig)| ended(&rig.used));
    rigs.map(|(rig, _)| LabEvent::LeaseExpired { rig: rig.clone() }).collect()
}

/// When the next lease ends.
pub fn next_expiry(state: &LabState) -> Option<Timestamp> {
    let ends = state.rigs.values().filter_map(|rig| match rig.used {
        RigUse::Held { until, .. } => Some(until),
        _ => None,
    });
    ends.min()
}

/// The first entry that can begin: nobody has its rig, none of its devices is in quarantine, and nobody has stopped everything.
/// `busy` says which rigs the controller itself is at.
pub fn next(state: &LabState, busy: impl Fn(&str) -> bool) -> Option<&Entry> {
    let can_begin = |entry: &&Entry| {
        let rig = entry.work.rig.as_str();
        let free = state.rigs.get(rig).is_some_and(|rig| rig.used == RigUse::Free);
        free && !busy(rig) && state.quarantined_on(rig).is_empty()
    };
    state.queue.iter().filter(|_| state.stopped.is_none()).find(can_begin)
}

fn unknown(what: &'static str, name: impl ToString) -> Refusal {
    Refusal::Unknown { what, name: name.to_string().chars().take(100).collect() }
}

fn said(reason: &str) -> Result<String, Refusal> {
    let found = reason.chars().count();
    match !reason.trim().is_empty() && found <= LONGEST_REASON {
        true => Ok(reason.to_owned()),
        false => Err(Refusal::Reason { found, most: LONGEST_REASON }),
    }
}

fn room(state: &LabState) -> Result<proto_lab::record::book::EntryId, Refusal> {
    match state.queue.len() < MOST_WAITING {
        true => Ok(state.next_entry),
        false => Err(Refusal::Full { most: MOST_WAITING }),
    }
}

fn known_rig<'s>(state: &'s LabState, rig: &str) -> Result<&'s RigUse, Refusal> {
    state.rigs.get(rig).map(|rig| &rig.used).ok_or_else(|| unknown("rig", rig))
}

fn free_for(state: &LabState, rig: &str, who: &Actor) -> Result<(), Refusal> {
    match known_rig(state, rig)? {
        RigUse::Free => Ok(()),
        RigUse::Held { by, .. } if by.name == who.name => Ok(()),
        RigUse::Held { by, until, .. } => {
            Err(Refusal::RigHeld { rig: rig.to_owned(), by: by.to_string(), until: *until })
        }
        RigUse::Running { run } => Err(Refusal::RigRuns { rig: rig.to_owned(), run: run.clone() }),
    }
}

fn require(
    state: &LabState,
    run: &RunId,
    fits: impl Fn(RunStage) -> bool,
    expected: &'static str,
) -> Result<(), Refusal> {
    let found = state.runs.get(run).ok_or_else(|| unknown("run under way", run))?.stage;
    match fits(found) {
        true => Ok(()),
        false => Err(Refusal::Stage { run: run.clone(), found, expected }),
    }
}

/// Ends these runs but those that end already.
fn stopping<'s>(
    runs: impl Iterator<Item = (&'s RunId, RunStage)>,
    by: &Actor,
    reason: &str,
) -> Vec<LabEvent> {
    let ending = runs.filter(|(_, stage)| *stage != RunStage::Stopping);
    let event = |(run, _): (&RunId, _)| LabEvent::RunStopping {
        run: run.clone(),
        by: by.clone(),
        reason: reason.to_owned(),
    };
    ending.map(event).collect()
}

/// Whoever presses it twice has pressed it twice: what has not stopped by the first is stopped by the second.
fn stop_everything(state: &LabState, by: &Actor, reason: &str) -> Result<Vec<LabEvent>, Refusal> {
    let mut events = vec![LabEvent::EverythingStopped { by: by.clone(), reason: said(reason)? }];
    let runs = state.runs.iter().map(|(run, under_way)| (run, under_way.stage));
    events.extend(stopping(runs, by, &format!("everything was stopped: {reason}")));
    Ok(events)
}

fn quarantine(state: &LabState, by: &Actor, device: &str, reason: &str) -> Result<Vec<LabEvent>, Refusal> {
    let has = |rig: &str| {
        let rig = state.rigs.get(rig);
        rig.is_some_and(|rig| rig.declared.devices.iter().any(|declared| declared.eui64 == device))
    };
    if !state.rigs.keys().any(|rig| has(rig)) {
        return Err(unknown("device", device));
    }
    if state.quarantined.contains_key(device) {
        return Err(Refusal::Quarantine { device: device.to_owned(), in_it: true });
    }
    let (device, reason) = (device.to_owned(), said(reason)?);
    let runs = state.runs.iter().filter(|(_, run)| has(&run.work.rig)).map(|(run, way)| (run, way.stage));
    let ended = stopping(runs, by, &format!("device {device} was put into quarantine: {reason}"));
    let first = LabEvent::DeviceQuarantined { device, reason, by: by.clone() };
    Ok(std::iter::once(first).chain(ended).collect())
}

#[cfg(test)]
mod tests;
