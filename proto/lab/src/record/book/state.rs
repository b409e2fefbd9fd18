//! The fold over a book's records.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{BookOpened, EntryId, LabEvent, RigDeclared, Work};
use crate::record::{Actor, Body, Record, RunId, SafeState};

/// The lab as a book's records have it so far. Feed it every record in order; what does not fit is left out of account, so
/// that any book can be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LabState {
    /// The book; absent before its first record.
    pub book: Option<RunId>,
    /// The lab's name.
    pub lab: String,
    /// Whether what the book before left standing is restated.
    pub ready: bool,
    /// Whether the book has been closed.
    pub closed: bool,
    /// The rigs, by name.
    pub rigs: BTreeMap<String, RigState>,
    /// Devices that no run may use, by EUI-64.
    pub quarantined: BTreeMap<String, Quarantine>,
    /// What waits to be run, in the order it joined.
    pub queue: Vec<Entry>,
    /// Runs under way, by name.
    pub runs: BTreeMap<RunId, RunUnderWay>,
    /// Stations that lend their links, by name.
    pub stations: BTreeMap<String, StationSeen>,
    /// Who stopped everything, where that has not been lifted.
    pub stopped: Option<Stopped>,
    /// Calls refused since the book was opened.
    pub refused: u64,
    /// The number of the next entry of the queue.
    pub next_entry: EntryId,
}

/// A rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RigState {
    /// As the lab file declares it.
    pub declared: RigDeclared,
    /// Who has it.
    pub used: RigUse,
    /// The last that is known of its safe state; absent when nothing is, as at the start of a controller.
    pub safe: Option<SafeState>,
}

/// Who has a rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum RigUse {
    /// Nobody.
    Free,
    /// A person, until their lease ends.
    Held {
        /// Who.
        by: Actor,
        /// What for.
        reason: String,
        /// When the lease ends.
        until: Timestamp,
    },
    /// A run.
    Running {
        /// Which.
        run: RunId,
    },
}

/// Why no run may use a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quarantine {
    /// The reason given.
    pub reason: String,
    /// Who gave it.
    pub by: Actor,
    /// When.
    pub since: Timestamp,
}

/// Something that waits to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Its number.
    pub id: EntryId,
    /// What is to be run.
    pub work: Work,
    /// Who asked for it.
    pub by: Actor,
    /// When this book had it first.
    pub since: Timestamp,
}

/// How far a run under way is from running on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStage {
    /// It runs.
    Running,
    /// It will pause before its next step.
    Pausing,
    /// It waits at a step boundary.
    Paused,
    /// It ends before its plan does.
    Stopping,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunUnderWay {
    /// The entry it is.
    pub entry: EntryId,
    /// What it runs.
    pub work: Work,
    /// Who asked for it.
    pub by: Actor,
    /// Where it stands.
    pub stage: RunStage,
    /// Who brought it there last, where a person did.
    pub steered: Option<Steered>,
    /// When this book had it first.
    pub since: Timestamp,
}

/// A person steered a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Steered {
    /// Who.
    pub by: Actor,
    /// Why, where they had to say.
    pub reason: Option<String>,
}

/// A station that lends its links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StationSeen {
    /// The links it offers.
    pub links: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

/// Everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stopped {
    /// Who stopped it.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub since: Timestamp,
}

impl LabState {
    /// What these records come to.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut state = Self::default();
        records.into_iter().for_each(|record| state.take(record));
        state
    }

    /// Takes in the next record.
    pub fn take(&mut self, record: &Record) {
        match &record.body {
            Body::BookOpened(opened) => self.open(opened),
            Body::BookClosed(_) => self.closed = true,
            Body::Lab(event) => self.happened(record.at, event),
            _ => {}
        }
    }

    /// The devices of a rig that are in quarantine, by EUI-64.
    pub fn quarantined_on(&self, rig: &str) -> Vec<&str> {
        let devices = self.rigs.get(rig).into_iter().flat_map(|rig| &rig.declared.devices);
        devices.map(|d| d.eui64.as_str()).filter(|device| self.quarantined.contains_key(*device)).collect()
    }

    fn open(&mut self, opened: &BookOpened) {
        let free = |rig: &RigDeclared| {
            let state = RigState { declared: rig.clone(), used: RigUse::Free, safe: None };
            (rig.name.clone(), state)
        };
        *self = Self {
            book: Some(opened.book.clone()),
            lab: opened.lab.clone(),
            rigs: opened.rigs.iter().map(free).collect(),
            next_entry: opened.next_entry,
            ..Self::default()
        };
    }

    fn happened(&mut self, at: Timestamp, event: &LabEvent) {
        match event {
            LabEvent::Ready {} => self.ready = true,
            LabEvent::RigHeld { rig, by, reason, until } => {
                let held = RigUse::Held { by: by.clone(), reason: reason.clone(), until: *until };
                self.hold(rig, held);
            }
            LabEvent::RigGivenBack { rig, .. } | LabEvent::LeaseExpired { rig } => self.give_back(rig),
            LabEvent::RigSafe { rig, safe } => {
                if let Some(rig) = self.rigs.get_mut(rig) {
                    rig.safe = Some(safe.clone());
                }
            }
            LabEvent::DeviceQuarantined { device, reason, by } => {
                let quarantine = Quarantine { reason: reason.clone(), by: by.clone(), since: at };
                self.quarantined.insert(device.clone(), quarantine);
            }
            LabEvent::QuarantineLifted { device, .. } => drop(self.quarantined.remove(device)),
            LabEvent::EverythingStopped { by, reason } => {
                self.stopped = Some(Stopped { by: by.clone(), reason: reason.clone(), since: at });
            }
            LabEvent::StopLifted { .. } => self.stopped = None,
            LabEvent::CallRefused { .. } => self.refused = self.refused.saturating_add(1),
            LabEvent::StationCame { station, links } => {
                self.stations.insert(station.clone(), StationSeen { links: links.clone(), since: at });
            }
            LabEvent::StationWent { station, .. } => drop(self.stations.remove(station)),
            LabEvent::SignedIn { .. } | LabEvent::HeadCosigned { .. } | LabEvent::StationMadeSafe { .. } => {}
            of_a_run => self.happened_to_runs(at, of_a_run),
        }
    }

    fn happened_to_runs(&mut self, at: Timestamp, event: &LabEvent) {
        match event {
            LabEvent::QueueJoined { entry, work, by } => self.join(at, *entry, work, by),
            LabEvent::QueueLeft { entry, .. } | LabEvent::EntryRefused { entry, .. } => self.leave(*entry),
            LabEvent::RunBegan { run, entry, work, by } => {
                self.leave(*entry);
                self.next_entry = self.next_entry.max(entry.next());
                if let Some(rig) = self.rigs.get_mut(&work.rig) {
                    rig.used = RigUse::Running { run: run.clone() };
                    rig.safe = None;
                }
                let (work, by, stage) = (work.clone(), by.clone(), RunStage::Running);
                let run_under_way = RunUnderWay { entry: *entry, work, by, stage, steered: None, since: at };
                self.runs.insert(run.clone(), run_under_way);
            }
            LabEvent::PauseAsked { run, by } => self.stage(run, RunStage::Pausing, Some((by, None))),
            LabEvent::RunPaused { run } => self.stage(run, RunStage::Paused, None),
            LabEvent::RunResumed { run, by } => self.stage(run, RunStage::Running, Some((by, None))),
            LabEvent::RunStopping { run, by, reason } => {
                self.stage(run, RunStage::Stopping, Some((by, Some(reason))));
            }
            LabEvent::RunEnded { run, .. } => self.end(run),
            _ => {}
        }
    }

    fn hold(&mut self, rig: &str, held: RigUse) {
        if let Some(rig) = self.rigs.get_mut(rig)
            && !matches!(rig.used, RigUse::Running { .. })
        {
            rig.used = held;
            // What a person does to it nobody records.
            rig.safe = None;
        }
    }

    fn give_back(&mut self, rig: &str) {
        if let Some(rig) = self.rigs.get_mut(rig)
            && matches!(rig.used, RigUse::Held { .. })
        {
            rig.used = RigUse::Free;
        }
    }

    fn join(&mut self, at: Timestamp, id: EntryId, work: &Work, by: &Actor) {
        self.next_entry = self.next_entry.max(id.next());
        if !self.queue.iter().any(|entry| entry.id == id) {
            self.queue.push(Entry { id, work: work.clone(), by: by.clone(), since: at });
        }
    }

    fn leave(&mut self, id: EntryId) {
        self.queue.retain(|entry| entry.id != id);
    }

    /// A run that is stopping pauses no more.
    fn stage(&mut self, run: &RunId, stage: RunStage, by: Option<(&Actor, Option<&String>)>) {
        if let Some(run) = self.runs.get_mut(run)
            && run.stage != RunStage::Stopping
        {
            run.stage = stage;
            if let Some((by, reason)) = by {
                run.steered = Some(Steered { by: by.clone(), reason: reason.cloned() });
            }
        }
    }

    fn end(&mut self, run: &RunId) {
        self.runs.remove(run);
        for rig in self.rigs.values_mut() {
            if matches!(&rig.used, RigUse::Running { run: has } if has == run) {
                rig.used = RigUse::Free;
            }
        }
    }
}
