//! The start of a controller: what the one before left standing, restated in a new book.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Lab, Rig};
use proto_lab::Digest;
use proto_lab::record::book::{
    BookOpened, DeviceDeclared, EntryId, LabEvent, LabState, PreviousBook, RigDeclared, RigUse, RunStage,
};
use proto_lab::record::{Actor, Body, Case, Deed, FORMAT, Note, Outcome, Record, RunId, Sequence, Tally};

use super::task::Core;
use super::{ControllerError, Setup};
use crate::dispatch::first::build;
use crate::dispatch::new_run_id;
use crate::dispatch::run::BOOK;
use crate::evidence::{EvidenceError, Recorder, RunFolder, previous_root, read_records, sweep_drafts};

/// How far apart two times are whose names differ ([`new_run_id`]).
const APART: Duration = Duration::from_micros(16);

/// What was found of the controllers before.
#[derive(Debug, Default)]
struct Before {
    /// The lab as the last of them that was ready left it.
    state: LabState,
    /// The last of their books.
    previous: Option<PreviousBook>,
    /// When the last of all books was begun, by its own clock.
    began: Option<Timestamp>,
    /// Scripts of each run that somebody was promised would be run once more, in the order that was asked for them.
    promised: BTreeMap<RunId, Vec<(Actor, Case)>>,
}

pub(super) async fn start(setup: Setup) -> Result<Core, ControllerError> {
    let before = before(&setup)?;
    let opened = opened(&setup, &before)?;
    let folder = RunFolder::new(setup.runs.join(opened.book.as_str()));
    let first = Record::new(Sequence(0), Timestamp::now(), Body::BookOpened(Box::new(opened.clone())));
    let mut book = Recorder::create(folder, opened, setup.key.clone())?;
    for draft in sweep_drafts(&setup.runs) {
        book.append(Body::Note(Note { who: "evidence".to_owned(), what: draft.to_string() }))?;
    }
    let mut core = Core::new(setup, book, LabState::of([&first]));
    let (restated, under_way) = restated(&core.runs_folder(), &before.state);
    let written =
        restated.into_iter().chain([LabEvent::Ready {}]).try_for_each(|event| core.record(event).map(|_| ()));
    if written.and_then(|()| core.seal()).is_err() {
        return Err(core.why_broken());
    }
    for run in under_way {
        let records =
            read_records(&RunFolder::new(core.runs_folder().join(run.as_str()))).unwrap_or_default();
        let promised = before.promised.get(&run).cloned().unwrap_or_default();
        core.go_on(run, not_kept(promised, &records));
    }
    core.make_free_rigs_safe();
    Ok(core)
}

impl Before {
    fn remember_promises(&mut self, records: &[Record]) {
        for record in records {
            if let Body::Lab(event) = &record.body
                && let LabEvent::RerunAsked { run, case, by } = &**event
            {
                self.promised.entry(run.clone()).or_default().push((by.clone(), case.clone()));
            }
        }
    }
}

/// Of the attempts that were promised, those that the run's records say nothing of: no attempt after the first was begun for
/// them, and nobody was told that there would be none.
fn not_kept(promised: Vec<(Actor, Case)>, records: &[Record]) -> Vec<(Actor, Case)> {
    let mut kept: BTreeMap<Case, usize> = BTreeMap::new();
    for result in Tally::of(records).cases() {
        kept.insert(result.case.clone(), result.attempts.len().saturating_sub(1));
    }
    for record in records {
        if let Body::Action(action) = &record.body
            && let (Deed::Rerun { case }, Outcome::NotDone { .. }) = (&action.what, &action.outcome)
        {
            *kept.entry(case.clone()).or_default() += 1;
        }
    }
    let still = |(_, case): &(Actor, Case)| match kept.get_mut(case) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    promised.into_iter().filter(still).collect()
}

/// Closes every book of this lab that was left open, and folds the last that was ready.
fn before(setup: &Setup) -> Result<Before, ControllerError> {
    let mut before = Before::default();
    for folder in books(setup)? {
        let records = read_records(&folder)?;
        before.began = before.began.max(records.first().map(|first| first.at));
        let state = LabState::of(&records);
        if state.lab != setup.lab.name.as_str() {
            continue;
        }
        before.remember_promises(&records);
        if !state.closed || previous_root(&folder)?.is_none() {
            close(&folder, setup)?;
        }
        let root = previous_root(&folder)?;
        before.previous = state.book.clone().zip(root).map(|(book, root)| PreviousBook { book, root });
        if state.ready {
            before.state = state;
        }
    }
    Ok(before)
}

/// The folders of books, oldest first.
fn books(setup: &Setup) -> Result<Vec<RunFolder>, EvidenceError> {
    std::fs::create_dir_all(&setup.runs).map_err(EvidenceError::io("make", &setup.runs))?;
    let entries = std::fs::read_dir(&setup.runs).map_err(EvidenceError::io("list", &setup.runs))?;
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(EvidenceError::io("list", &setup.runs))?;
        if entry.file_name().to_string_lossy().starts_with(BOOK) {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders.into_iter().map(RunFolder::new).collect())
}

/// Gives a book its end that a dead controller left open.
fn close(folder: &RunFolder, setup: &Setup) -> Result<Option<Digest>, EvidenceError> {
    match Recorder::resume(folder.clone(), setup.key.clone()) {
        Ok(resumed) => resumed
            .recorder
            .close("its controller ended without closing it, and another was started")
            .map(Some),
        Err(EvidenceError::Finished { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn opened(setup: &Setup, before: &Before) -> Result<BookOpened, ControllerError> {
    let lab: &Lab = &setup.lab;
    // After every book before it, whatever the clock says: by their names they are read in order.
    let earliest = before.began.map(|began| began + APART);
    let name = format!("{BOOK}{}", new_run_id(Timestamp::now().max(earliest.unwrap_or_default()))?);
    let book: RunId = name
        .parse()
        .map_err(|e: proto_lab::record::RunIdFormatError| ControllerError::Failed(e.to_string()))?;
    Ok(BookOpened {
        format: FORMAT,
        book,
        harness: build(),
        lab: lab.name.to_string(),
        lab_digest: Digest::from_bytes(lab.digest.0),
        rigs: lab.rigs.iter().map(declared).collect(),
        next_entry: before.state.next_entry.max(EntryId(1)),
        key: setup.key.signer(),
        previous: before.previous.clone(),
    })
}

fn declared(rig: &Rig) -> RigDeclared {
    let device = |device: &lab_config::RigDevice| DeviceDeclared {
        kind: device.kind.to_string(),
        eui64: device.eui64.to_string(),
    };
    RigDeclared {
        name: rig.name.to_string(),
        combination: rig.combination.id.to_string(),
        devices: rig.devices().map(device).collect(),
    }
}

/// What is restated, and the runs to be gone on with. A run whose evidence had not begun was nothing yet: its entry waits
/// again, before all others.
fn restated(runs: &std::path::Path, state: &LabState) -> (Vec<LabEvent>, Vec<RunId>) {
    let (mut events, mut under_way) = (Vec::new(), Vec::new());
    for (device, quarantine) in &state.quarantined {
        let (device, reason, by) = (device.clone(), quarantine.reason.clone(), quarantine.by.clone());
        events.push(LabEvent::DeviceQuarantined { device, reason, by });
    }
    if let Some(stopped) = &state.stopped {
        let (by, reason) = (stopped.by.clone(), stopped.reason.clone());
        events.push(LabEvent::EverythingStopped { by, reason });
    }
    for (name, rig) in &state.rigs {
        if let RigUse::Held { by, reason, until } = &rig.used {
            let (rig, by, reason, until) = (name.clone(), by.clone(), reason.clone(), *until);
            events.push(LabEvent::RigHeld { rig, by, reason, until });
        }
    }
    for (run, way) in &state.runs {
        let (entry, work, by) = (way.entry, way.work.clone(), way.by.clone());
        if !RunFolder::new(runs.join(run.as_str())).records().exists() {
            events.push(LabEvent::QueueJoined { entry, work, by });
            continue;
        }
        events.push(LabEvent::RunBegan { run: run.clone(), entry, work, by });
        if let Some(steered) = &way.steered {
            let (run, by, reason) = (run.clone(), steered.by.clone(), steered.reason.clone());
            match way.stage {
                RunStage::Running => {}
                RunStage::Pausing | RunStage::Paused => events.push(LabEvent::PauseAsked { run, by }),
                RunStage::Stopping => {
                    events.push(LabEvent::RunStopping { run, by, reason: reason.unwrap_or_default() });
                }
            }
        }
        under_way.push(run.clone());
    }
    for waiting in &state.queue {
        let (entry, work, by) = (waiting.id, waiting.work.clone(), waiting.by.clone());
        events.push(LabEvent::QueueJoined { entry, work, by });
    }
    (events, under_way)
}
