//! The controller of a lab with two rigs of simulated devices: what people do to it, what becomes of that, and that a controller
//! started after one that died goes on where that was.
//!
//! Scripts wait for a hand that the test lends them, so that everything happens when the test says and not when a machine is
//! fast or slow.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing test's panic is its message"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use device_sim::{Estate, SimClock, StateFolder};
use harness::dispatch::controller::{
    Action, Asked, Controller, ControllerError, Lease, Refusal, RefusalKind, Running, Setup,
};
use harness::dispatch::{Answer, Hands, lab_key};
use harness::evidence::{RunFolder, Standing, Verification, read_records, verify};
use lab_config::{DeviceKind, Lab};
use lab_tests::run_folders;
use lab_tests::steered::{RIGS, apart, two_rigs, write_pack};
use proto_lab::Digest;
use proto_lab::record::book::{EntryId, LabEvent, LabState, RigUse, RunStage};
use proto_lab::record::{Actor, Body, Case, Credential, Deed, Record, Role, RunId, Tally, Verdict};
use scenarios::Act;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// The longest anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The hand at both rigs: says when it is asked, and answers when the test lets it.
#[derive(Clone)]
struct Gate {
    asked: watch::Sender<u32>,
    open: watch::Sender<bool>,
}

impl Gate {
    fn closed() -> Self {
        Self { asked: watch::Sender::new(0), open: watch::Sender::new(false) }
    }

    async fn until_asked(&self, times: u32) {
        let mut asked = self.asked.subscribe();
        let waited = tokio::time::timeout(PATIENCE, asked.wait_for(|asked| *asked >= times)).await;
        waited.unwrap_or_else(|_| panic!("the hand was asked fewer than {times} times")).expect("a gate");
    }
}

impl Hands for Gate {
    fn ask<'a>(&'a mut self, _: DeviceKind, _: &'a Act, _: &'a str, _: Duration) -> Answer<'a> {
        self.asked.send_modify(|asked| *asked += 1);
        let mut open = self.open.subscribe();
        Box::pin(async move {
            open.wait_for(|open| *open).await.expect("a gate");
            Ok("yes".to_owned())
        })
    }
}

/// Devices that outlive every controller, and what controllers keep.
struct Bench {
    folder: TempDir,
    devices: Runtime,
    estate: Option<Estate>,
    lab: Lab,
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(estate) = self.estate.take() {
            self.devices.block_on(estate.stop());
        }
    }
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lab = two_rigs(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        write_pack(&folder.path().join("pack")).unwrap_or_else(|error| panic!("{error}"));
        let devices = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let state = StateFolder::at(folder.path().join("devices"));
        let estate =
            devices.block_on(Estate::start_keeping(&lab, SimClock::real(), 1, &state)).expect("devices");
        let lab = estate.concrete(lab);
        Self { folder, devices, estate: Some(estate), lab }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn setup(&self, gate: &Gate) -> Setup {
        let keys = self.runs().join("keys");
        let gate = gate.clone();
        Setup {
            lab: self.lab.clone(),
            runs: self.runs(),
            key: lab_key(&keys, &self.lab).expect("a key"),
            keys,
            hands: Arc::new(move |_| Box::new(gate.clone())),
            vet: |_| Vec::new(),
        }
    }

    fn asked(&self, rig: usize) -> Action {
        let pack = self.folder.path().join("pack").display().to_string();
        Action::Join(Asked {
            rig: RIGS[rig].into(),
            packs: vec![pack],
            scripts: vec![],
            data_sets: vec![],
            witnessed: vec![],
        })
    }

    fn verified(&self, name: &str) -> Verification {
        let key = lab_key(&self.runs().join("keys"), &self.lab).expect("a key");
        verify(&RunFolder::new(self.runs().join(name)), &[key.verifier()]).expect("a folder")
    }

    fn records(&self, run: &RunId) -> Vec<Record> {
        read_records(&RunFolder::new(self.runs().join(run.as_str()))).expect("records")
    }

    fn device(&self, rig: usize) -> lab_config::Eui64 {
        self.lab.rigs[rig].device(DeviceKind::Esme).expect("a meter").eui64
    }

    fn books(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.runs())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        let mut books: Vec<String> = names.filter(|name| name.starts_with("book-")).collect();
        books.sort();
        books
    }
}

fn actor(name: &str, role: Role) -> Actor {
    let credential = Credential::Certificate(Digest::of(name.as_bytes()));
    Actor { name: name.parse().expect("a name"), role, credential }
}

fn ann() -> Actor {
    actor("Ann", Role::Engineer)
}

/// A controller, and the lab as its book has it.
struct Lead {
    controller: Controller,
    running: Running,
}

impl Lead {
    async fn start(bench: &Bench, gate: &Gate) -> Self {
        let started = Controller::start(bench.setup(gate)).await;
        let (controller, running) = started.unwrap_or_else(|error| panic!("{error}"));
        Self { controller, running }
    }

    async fn until(&self, what: &str, holds: impl Fn(&LabState) -> bool) -> Arc<LabState> {
        let mut state = self.controller.state();
        let waited = tokio::time::timeout(PATIENCE, state.wait_for(|state| holds(state))).await;
        match waited {
            Ok(state) => state.expect("a controller").clone(),
            Err(_) => panic!("waited in vain until {what}: {:#?}", self.controller.state().borrow()),
        }
    }

    async fn act(&self, action: Action) -> Option<EntryId> {
        let acted = self.controller.act(&ann(), action.clone()).await;
        acted.unwrap_or_else(|refusal| panic!("{action:?}: {refusal}")).entry
    }

    async fn refused(&self, by: &Actor, action: Action) -> Refusal {
        self.controller.act(by, action).await.expect_err("refused")
    }

    async fn close(self) -> Result<(), ControllerError> {
        self.controller.close(&ann()).await.expect("a controller");
        let Self { controller, running } = self;
        drop(controller);
        tokio::time::timeout(PATIENCE, running.ended()).await.expect("an end")
    }
}

fn run_on(state: &LabState, rig: usize) -> Option<RunId> {
    match &state.rigs[RIGS[rig]].used {
        RigUse::Running { run } => Some(run.clone()),
        _ => None,
    }
}

fn case(script: &str) -> Case {
    Case { pack: "steered".into(), script: script.into(), row: None, device: Some("ESME".into()) }
}

fn deeds(records: &[Record]) -> Vec<Deed> {
    let deed = |record: &Record| match &record.body {
        Body::Action(action) => Some(action.what.clone()),
        _ => None,
    };
    records.iter().filter_map(deed).collect()
}

fn verdicts(records: &[Record]) -> Vec<(String, Verdict)> {
    Tally::of(records).cases().iter().map(|result| (result.case.script.clone(), result.verdict)).collect()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn people_steer_two_runs_at_once_and_everything_they_do_is_a_record() {
    if !apart("people_steer_two_runs_at_once_and_everything_they_do_is_a_record") {
        return;
    }
    let (bench, gate) = (Bench::start(), Gate::closed());
    let runs = runtime().block_on(async {
        let lead = Lead::start(&bench, &gate).await;
        assert_eq!(lead.act(bench.asked(0)).await, Some(EntryId(1)));
        assert_eq!(lead.act(bench.asked(1)).await, Some(EntryId(2)));
        gate.until_asked(2).await;
        let state = lead.until("both runs are under way", |state| state.runs.len() == 2).await;
        let (first, second) = (run_on(&state, 0).expect("a run"), run_on(&state, 1).expect("a run"));

        // A witness, and a rig that has a run.
        let refusal = lead.refused(&actor("Wim", Role::Witness), Action::Pause(first.clone())).await;
        assert_eq!(refusal.kind(), RefusalKind::NotAllowed);
        let hold = Action::Hold { rig: RIGS[0].into(), reason: "look".into(), lease: Lease::default() };
        assert!(matches!(lead.refused(&ann(), hold.clone()).await, Refusal::RigRuns { .. }));
        let rerun = |script: &str| Action::Rerun { run: first.clone(), case: case(script) };
        assert!(
            matches!(lead.refused(&ann(), rerun("last")).await, Refusal::Rerun { .. }),
            "it has not been run"
        );
        lead.until("the refusals are counted", |state| state.refused == 3).await;

        // The first run pauses behind the step under way, and runs its first script once more.
        lead.act(Action::Pause(first.clone())).await;
        lead.act(rerun("first")).await;
        // The second loses its meter to quarantine while its hand is still asked.
        lead.act(Action::Quarantine { device: bench.device(1), reason: "its clock drifts".into() }).await;
        lead.until("the second run has ended", |state| !state.runs.contains_key(&second)).await;
        gate.open.send_replace(true);
        lead.until("the first run waits", |state| state.runs[&first].stage == RunStage::Paused).await;
        lead.act(Action::Resume(first.clone())).await;
        let state = lead.until("the first run has ended", |state| state.runs.is_empty()).await;
        assert!(state.rigs[RIGS[0]].safe.as_ref().is_some_and(|safe| safe.reached));

        // No run takes a rig with a device in quarantine; a rig that is held is held.
        let waiting = lead.act(bench.asked(1)).await.expect("an entry");
        lead.act(hold).await;
        let state = lead.controller.state().borrow().clone();
        assert!(state.runs.is_empty() && state.queue.iter().any(|entry| entry.id == waiting));
        lead.act(Action::Leave(waiting)).await;
        lead.act(Action::GiveBack { rig: RIGS[0].into() }).await;
        lead.until("the rig given back is safe", |state| state.rigs[RIGS[0]].safe.is_some()).await;
        lead.close().await.expect("closed");
        [first, second]
    });
    let [first, second] = &runs;
    let records = bench.records(first);
    let pass = |script: &str| (script.to_owned(), Verdict::Pass);
    assert_eq!(verdicts(&records), [pass("first"), pass("gate"), pass("last")]);
    assert_eq!(deeds(&records), [Deed::Pause {}, Deed::Resume {}, Deed::Rerun { case: case("first") }]);
    assert_eq!(Tally::of(&records).cases()[0].attempts.len(), 2);
    let records = bench.records(second);
    assert_eq!(verdicts(&records)[1], ("gate".to_owned(), Verdict::Aborted));
    let Some(Deed::Abort { reason }) = deeds(&records).pop() else { panic!("who ended it is recorded") };
    assert!(reason.contains("its clock drifts"), "{reason}");
    for name in bench.books().iter().map(String::as_str).chain(runs.iter().map(RunId::as_str)) {
        let verification = bench.verified(name);
        assert_eq!(verification.standing, Standing::Sound, "{verification}");
    }
}

#[test]
fn a_controller_started_after_one_that_died_goes_on_where_that_was() {
    if !apart("a_controller_started_after_one_that_died_goes_on_where_that_was") {
        return;
    }
    let (bench, gate) = (Bench::start(), Gate::closed());
    let controller = runtime();
    let (lead, run) = controller.block_on(async {
        let lead = Lead::start(&bench, &gate).await;
        lead.act(bench.asked(0)).await;
        lead.act(bench.asked(0)).await;
        let hold =
            Action::Hold { rig: RIGS[1].into(), reason: "a new meter".into(), lease: Lease::default() };
        lead.act(hold).await;
        lead.act(Action::Quarantine { device: bench.device(1), reason: "no seal".into() }).await;
        gate.until_asked(1).await;
        let state = lead.until("the first run is under way", |state| state.runs.len() == 1).await;
        let run = run_on(&state, 0).expect("a run");
        lead.act(Action::Rerun { run: run.clone(), case: case("first") }).await;
        // A controller that nobody can call any more closes its book; this one is to die.
        (lead, run)
    });
    // The runtime ends here with everything on it: what is on the disk is all that is left.
    controller.shutdown_timeout(Duration::from_secs(30));
    drop(lead);
    let died = bench.books().pop().expect("a book");
    assert_eq!(bench.verified(&died).standing, Standing::Open);
    let before = bench.records(&run);

    gate.open.send_replace(true);
    runtime().block_on(async {
        let lead = Lead::start(&bench, &gate).await;
        let state = lead.controller.state().borrow().clone();
        assert!(matches!(&state.rigs[RIGS[1]].used, RigUse::Held { by, reason, .. } if *by == ann() && reason == "a new meter"));
        assert_eq!(state.quarantined.len(), 1);
        assert_eq!((state.queue.len(), state.queue[0].id, state.next_entry), (1, EntryId(2), EntryId(3)));
        assert_eq!(run_on(&state, 0).as_ref(), Some(&run), "the run is gone on with");
        lead.until("both runs have ended", |state| state.runs.is_empty() && state.queue.is_empty()).await;
        lead.close().await.expect("closed");
    });
    let after = bench.records(&run);
    assert_eq!(after[..before.len()], before[..], "nothing that was recorded is lost");
    assert_eq!(deeds(&after), [Deed::Rerun { case: case("first") }], "what was promised is done");
    assert_eq!(Tally::of(&after).cases()[0].attempts.len(), 2);
    let verdict = |script: &str, verdict| (script.to_owned(), verdict);
    let cut_short = verdict("gate", Verdict::Inconclusive);
    assert_eq!(
        verdicts(&after),
        [verdict("first", Verdict::Pass), cut_short, verdict("last", Verdict::Pass)]
    );
    assert_eq!(run_folders(&bench.runs()).len(), 2);
    for run in run_folders(&bench.runs()) {
        let name = run.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(bench.verified(&name).standing, Standing::Sound, "{name}");
    }
    let books = bench.books();
    let [first, second] = &books[..] else { panic!("two books: {books:?}") };
    assert_eq!(bench.verified(first).standing, Standing::Sound, "the book of the one that died is closed");
    assert_eq!(bench.verified(second).previous, Some(bench.verified(first).root), "and bound by the next");
}

#[test]
fn everything_stopped_ends_every_run_and_a_second_controller_is_refused_the_lab() {
    if !apart("everything_stopped_ends_every_run_and_a_second_controller_is_refused_the_lab") {
        return;
    }
    let (bench, gate) = (Bench::start(), Gate::closed());
    let book = runtime().block_on(async {
        let lead = Lead::start(&bench, &gate).await;
        let second =
            Controller::start(bench.setup(&gate)).await.expect_err("the lab has a controller").to_string();
        assert!(second.contains("is being written by another process"), "{second}");
        lead.act(bench.asked(0)).await;
        gate.until_asked(1).await;
        lead.act(bench.asked(0)).await;
        lead.act(Action::StopEverything { reason: "smoke".into() }).await;
        let safe = |state: &LabState| {
            RIGS.iter().all(|rig| state.rigs[*rig].safe.as_ref().is_some_and(|safe| safe.reached))
        };
        let state = lead.until("every rig is safe", |state| state.runs.is_empty() && safe(state)).await;
        assert_eq!(state.queue.len(), 1, "nothing begins");
        let told = LabEvent::CallRefused {
            by: None,
            from: "[::1]:4711".into(),
            call: "Pause".into(),
            reason: "no certificate".into(),
        };
        lead.controller.tell(told).await.expect("a record");
        let forged = lead.controller.tell(LabEvent::StopLifted { by: ann() }).await;
        assert!(forged.is_err(), "only the controller itself writes that");
        let book = lead.controller.book().clone();
        lead.close().await.expect("closed");
        book
    });
    let state = LabState::of(&read_records(&book).expect("records"));
    assert!(state.stopped.is_some() && state.closed && state.refused == 1);
    let run = run_folders(&bench.runs()).pop().expect("a run");
    let name = run.file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(bench.verified(&name).verdict, Some(Verdict::Aborted));
}
