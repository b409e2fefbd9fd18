//! The controller's task: calls in, records out, and what follows from each record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proto_lab::record::book::{EntryId, LabEvent, LabState, RigUse, RunStage, Work};
use proto_lab::record::{Actor, Body, Case, Record, RunId, SafeState, Sequence, Verdict};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::work::{self, Found};
use super::{Acted, Action, ControllerError, Refusal, Setup};
use crate::dispatch::run::make_safe_alone;
use crate::dispatch::{Order, Ran, RunError, new_run_id, resume, run};
use crate::evidence::{EvidenceError, Recorder, RunFolder};
use crate::execute::Steering;
use crate::queue::{decide, expired, next, next_expiry};

/// The longest the controller sleeps without looking at its leases: the wall clock may be stepped.
const LOOK: Duration = Duration::from_secs(30);

/// A call of a door.
#[derive(Debug)]
pub(super) enum Call {
    Act { by: Actor, action: Action, reply: oneshot::Sender<Result<Acted, Refusal>> },
    Tell { event: LabEvent, reply: oneshot::Sender<Result<Sequence, Refusal>> },
    Close { by: Actor, reply: oneshot::Sender<Result<(), Refusal>> },
}

/// Something the controller had done in a task of its own has ended.
enum Over {
    Run { run: RunId, rig: String, ended: Result<Ran, String>, safe: Option<SafeState> },
    Safe { rig: String, safe: SafeState },
    Paused { run: RunId, reached: bool },
}

/// What the task owns.
pub(super) struct Core {
    setup: Setup,
    book: Recorder,
    state: LabState,
    publish: watch::Sender<Arc<LabState>>,
    runs: BTreeMap<RunId, Steering>,
    tasks: JoinSet<Over>,
    /// Rigs that are being made safe.
    busy: BTreeSet<String>,
    closing: bool,
    /// Why the book cannot be written.
    broken: Option<EvidenceError>,
}

impl Core {
    pub(super) fn new(setup: Setup, book: Recorder, state: LabState) -> Self {
        let publish = watch::Sender::new(Arc::new(state.clone()));
        Self {
            setup,
            book,
            state,
            publish,
            runs: BTreeMap::new(),
            tasks: JoinSet::new(),
            busy: BTreeSet::new(),
            closing: false,
            broken: None,
        }
    }

    pub(super) fn published(&self) -> watch::Receiver<Arc<LabState>> {
        self.publish.subscribe()
    }

    pub(super) fn folder(&self) -> RunFolder {
        self.book.folder().clone()
    }

    pub(super) fn runs_folder(&self) -> PathBuf {
        self.setup.runs.clone()
    }

    /// Why the book could not be written.
    pub(super) fn why_broken(self) -> ControllerError {
        self.broken.map_or_else(|| ControllerError::Failed("its book".to_owned()), Into::into)
    }

    /// Whatever the controller before left them in.
    pub(super) fn make_free_rigs_safe(&mut self) {
        let free = self.state.rigs.iter().filter(|(_, rig)| rig.used == RigUse::Free);
        let rigs: Vec<String> = free.map(|(name, _)| name.clone()).collect();
        rigs.into_iter().for_each(|rig| self.make_safe(rig));
    }

    /// Until it is closed, or nobody is left to call it, or its book cannot be written.
    pub(super) async fn run(mut self, mut calls: mpsc::Receiver<Call>) -> Result<(), ControllerError> {
        while !(self.closing && self.tasks.is_empty()) {
            self.begin_what_can();
            let look = tokio::time::sleep(self.until_next_lease());
            tokio::select! {
                call = calls.recv(), if !self.closing => match call {
                    Some(call) => self.call(call),
                    None => self.wind_up("nobody is left to control the lab"),
                },
                Some(over) = self.tasks.join_next() => self.over(over),
                () = look => self.end_leases(),
            }
            if self.broken.is_some() && !self.closing {
                self.wind_up("the lab's book cannot be written");
            }
        }
        match self.broken {
            Some(error) => Err(error.into()),
            None => self.book.close("the controller was stopped").map(|_| ()).map_err(Into::into),
        }
    }

    /// Ends what runs, and begins nothing more.
    fn wind_up(&mut self, words: &str) {
        self.closing = true;
        self.runs.values().for_each(|steering| steering.halt(words));
    }

    fn until_next_lease(&self) -> Duration {
        let Some(until) = next_expiry(&self.state) else { return LOOK };
        let left = until.duration_since(Timestamp::now());
        Duration::try_from(left).unwrap_or_default().min(LOOK)
    }

    fn end_leases(&mut self) {
        for event in expired(&self.state, Timestamp::now()) {
            // A book that cannot be written ends everything, leases too.
            let _ = self.happened(event);
        }
    }

    /// Writes what happened and does what follows from it.
    pub(super) fn happened(&mut self, event: LabEvent) -> Result<Sequence, Refusal> {
        let sequence = self.record(event.clone())?;
        self.follow(&event);
        Ok(sequence)
    }

    /// Writes a record, and has the state follow it.
    pub(super) fn record(&mut self, event: LabEvent) -> Result<Sequence, Refusal> {
        let (at, body) = (Timestamp::now(), Body::Lab(Box::new(event)));
        let written = self.book.append_at(at, body.clone());
        let sequence = written.map_err(|error| self.cannot_write(error))?;
        self.state.take(&Record::new(sequence, at, body));
        self.publish.send_replace(Arc::new(self.state.clone()));
        Ok(sequence)
    }

    pub(super) fn seal(&mut self) -> Result<(), Refusal> {
        let sealed = self.book.checkpoint();
        sealed.map_err(|error| self.cannot_write(error))
    }

    fn cannot_write(&mut self, error: EvidenceError) -> Refusal {
        let refusal = Refusal::Book(error.to_string());
        self.broken.get_or_insert(error);
        refusal
    }

    fn call(&mut self, call: Call) {
        match call {
            Call::Act { by, action, reply } => {
                let acted = self.act(&by, &action);
                if let Err(refusal) = &acted {
                    self.refused(&by, &action, refusal);
                }
                drop(reply.send(acted));
            }
            Call::Tell { event, reply } => {
                let told = match event.is_told() {
                    true => self.record(event),
                    false => Err(Refusal::Work("only the controller itself writes such a record".to_owned())),
                };
                drop(reply.send(told));
            }
            Call::Close { by, reply } => {
                let closed = self.close(&by);
                drop(reply.send(closed));
            }
        }
    }

    fn refused(&mut self, by: &Actor, action: &Action, refusal: &Refusal) {
        let event = LabEvent::CallRefused {
            by: Some(by.clone()),
            from: "the controller".to_owned(),
            call: action.name().to_owned(),
            reason: refusal.to_string(),
        };
        let _ = self.record(event);
    }

    fn act(&mut self, by: &Actor, action: &Action) -> Result<Acted, Refusal> {
        let (lab, vet) = (&self.setup.lab, self.setup.vet);
        let find = |asked: &super::Asked| work::bind(lab, asked, vet);
        let events = decide(&self.state, by, action, Timestamp::now(), find)?;
        if let Action::Rerun { run, case } = action {
            let wished = self.runs.get(run).map_or(Ok(()), |steering| steering.rerun(by, case));
            wished.map_err(|reason| Refusal::Rerun { case: case.clone(), reason })?;
        }
        let entry = events.iter().find_map(|event| match event {
            LabEvent::QueueJoined { entry, .. } => Some(*entry),
            _ => None,
        });
        let records = events.into_iter().map(|event| self.happened(event)).collect::<Result<_, _>>()?;
        self.seal()?;
        Ok(Acted { records, entry })
    }

    fn close(&mut self, by: &Actor) -> Result<(), Refusal> {
        let runs: Vec<RunId> = self.state.runs.keys().cloned().collect();
        for run in runs {
            let reason = "the controller is being stopped".to_owned();
            self.happened(LabEvent::RunStopping { run, by: by.clone(), reason })?;
        }
        self.closing = true;
        Ok(())
    }

    /// What is to be done now that this is a record.
    fn follow(&mut self, event: &LabEvent) {
        match event {
            LabEvent::RunStopping { run, by, reason } => {
                self.runs.get(run).inspect(|steering| steering.abort(by, reason));
            }
            LabEvent::PauseAsked { run, by } => self.pause(run, by),
            LabEvent::RunResumed { run, by } => {
                self.runs.get(run).inspect(|steering| steering.resume(by));
            }
            LabEvent::RigGivenBack { rig, .. } | LabEvent::LeaseExpired { rig } => {
                self.make_safe(rig.clone())
            }
            LabEvent::EverythingStopped { .. } => {
                let without_run = self.state.rigs.iter().filter(|(_, rig)| !is_running(&rig.used));
                let rigs: Vec<String> = without_run.map(|(name, _)| name.clone()).collect();
                rigs.into_iter().for_each(|rig| self.make_safe(rig));
            }
            _ => {}
        }
    }

    fn pause(&mut self, run: &RunId, by: &Actor) {
        let Some(steering) = self.runs.get(run).cloned() else { return };
        steering.pause(by);
        let run = run.clone();
        self.tasks.spawn(async move {
            let reached = steering.until_paused().await;
            Over::Paused { run, reached }
        });
    }

    /// Makes a rig safe that no run has, unless that is being done.
    pub(super) fn make_safe(&mut self, name: String) {
        let Some(rig) = self.setup.lab.rig(&name).cloned() else { return };
        if !self.busy.insert(name.clone()) {
            return;
        }
        let lab = self.setup.lab.clone();
        self.tasks.spawn(async move {
            let made = tokio::spawn(async move { make_safe_alone(&lab, &rig).await }).await;
            let failed =
                |error: tokio::task::JoinError| SafeState { reached: false, detail: error.to_string() };
            Over::Safe { rig: name, safe: made.unwrap_or_else(failed) }
        });
    }

    fn begin_what_can(&mut self) {
        while !self.closing {
            let Some(entry) = next(&self.state, |rig| self.busy.contains(rig)).cloned() else { return };
            let begun = match work::open(&self.setup.lab, &entry.work, self.setup.vet) {
                Ok(found) => self.begin(entry.id, &entry.work, &entry.by, found),
                Err(reason) => self.record(LabEvent::EntryRefused { entry: entry.id, reason }).map(|_| ()),
            };
            if begun.is_err() {
                return;
            }
        }
    }

    fn begin(&mut self, entry: EntryId, work: &Work, by: &Actor, found: Found) -> Result<(), Refusal> {
        let run = new_run_id(Timestamp::now()).map_err(|e| Refusal::Work(e.to_string()))?;
        self.record(LabEvent::RunBegan { run: run.clone(), entry, work: work.clone(), by: by.clone() })?;
        self.seal()?;
        let order = self.order(run, entry, work, by, found);
        self.launch(order, Steering::default(), false);
        Ok(())
    }

    /// Goes on with a run of the controller before this one, which had promised these scripts once more.
    pub(super) fn go_on(&mut self, run: RunId, promised: Vec<(Actor, Case)>) {
        let Some(way) = self.state.runs.get(&run).cloned() else { return };
        match work::open(&self.setup.lab, &way.work, self.setup.vet) {
            Ok(found) => {
                let order = self.order(run.clone(), way.entry, &way.work, &way.by, found);
                let steering = Steering::default();
                promised.into_iter().for_each(|(by, case)| steering.promised(by, case));
                self.launch(order, steering, true);
                match (way.stage, way.steered) {
                    (RunStage::Stopping, Some(steered)) => {
                        let reason = steered.reason.unwrap_or_default();
                        self.runs.get(&run).inspect(|steering| steering.abort(&steered.by, &reason));
                    }
                    (RunStage::Pausing | RunStage::Paused, Some(steered)) => self.pause(&run, &steered.by),
                    _ => {}
                }
            }
            Err(reason) => {
                let reason = Some(format!("it cannot be gone on with, and stays open: {reason}"));
                let _ = self.record(LabEvent::RunEnded { run, verdict: None, reason });
                self.make_safe(way.work.rig);
            }
        }
    }

    fn order(&self, run: RunId, entry: EntryId, work: &Work, by: &Actor, found: Found) -> Order {
        let book = self.state.book.as_ref().map(ToString::to_string).unwrap_or_default();
        Order {
            lab: self.setup.lab.clone(),
            rig: work.rig.clone(),
            plan: found.plan,
            data_sets: found.data_sets,
            runs: self.setup.runs.clone(),
            keys: self.setup.keys.clone(),
            key: self.setup.key.clone(),
            hands: (self.setup.hands)(&work.rig),
            remarks: vec![format!("asked for by {by}: entry {entry} of the queue in {book}")],
            run,
        }
    }

    /// Has a run run in a task of its own.
    fn launch(&mut self, order: Order, steering: Steering, again: bool) {
        let (run_id, rig) = (order.run.clone(), order.rig.clone());
        self.runs.insert(run_id.clone(), steering.clone());
        self.tasks.spawn(async move {
            let steered = steering.clone();
            let task = tokio::spawn(async move {
                match again {
                    true => resume(order, &steered, |_| {}).await,
                    false => run(order, &steered, |_| {}).await,
                }
            });
            let ended = match task.await {
                Ok(ended) => ended.map_err(|error: RunError| words(&error)),
                Err(failed) => Err(failed.to_string()),
            };
            let safe = steering.safe();
            // Whoever waits for it to pause waits no longer.
            steering.over();
            Over::Run { run: run_id, rig, ended, safe }
        });
    }

    fn over(&mut self, over: Result<Over, tokio::task::JoinError>) {
        let recorded = match over {
            Ok(Over::Run { run, rig, ended, safe }) => self.run_over(run, rig, ended, safe),
            Ok(Over::Safe { rig, safe }) => {
                self.busy.remove(&rig);
                self.record(LabEvent::RigSafe { rig, safe })
            }
            Ok(Over::Paused { run, reached: true })
                if self.state.runs.get(&run).is_some_and(|way| way.stage == RunStage::Pausing) =>
            {
                self.record(LabEvent::RunPaused { run })
            }
            Ok(Over::Paused { .. }) => return,
            Err(failed) => {
                tracing::error!("a task of the controller failed: {failed}");
                return;
            }
        };
        // A book that cannot be written is dealt with by the task as a whole.
        let _ = recorded.and_then(|_| self.seal());
    }

    fn run_over(
        &mut self,
        run: RunId,
        rig: String,
        ended: Result<Ran, String>,
        safe: Option<SafeState>,
    ) -> Result<Sequence, Refusal> {
        self.runs.remove(&run);
        let (verdict, reason): (Option<Verdict>, _) = match ended {
            Ok(ran) => (Some(ran.finished.verdict), ran.finished.reason),
            Err(reason) => (None, Some(reason)),
        };
        let known = safe.is_some();
        if let Some(safe) = safe {
            self.record(LabEvent::RigSafe { rig: rig.clone(), safe })?;
        }
        let ended = self.record(LabEvent::RunEnded { run, verdict, reason })?;
        if !known {
            self.make_safe(rig);
        }
        Ok(ended)
    }
}

const fn is_running(used: &RigUse) -> bool {
    matches!(used, RigUse::Running { .. })
}

/// An error with what caused it.
fn words(error: &RunError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}
