//! What a lab lets people do, whatever they do in whatever order.

use jiff::{SignedDuration, Timestamp};
use lab_config::Eui64;
use proptest::prelude::*;
use proto_lab::Digest;
use proto_lab::record::book::{
    BookOpened, DeviceDeclared, EntryId, LabEvent, LabState, PackAsked, RigDeclared, RigUse, RunStage, Work,
};
use proto_lab::record::{
    Actor, Body, Case, Credential, FORMAT, Record, Role, RunId, Sequence, SignerKey, Verdict,
};

use super::*;
use crate::queue::{Lease, RefusalKind};

const RIGS: [&str; 2] = ["rig-0", "rig-1"];
const DEVICES: [&str; 2] = ["90-B3-D5-1F-30-00-00-01", "90-B3-D5-1F-30-00-00-02"];

fn now() -> Timestamp {
    "2026-11-22T13:00:00Z".parse().unwrap()
}

fn actor(name: &str, role: Role) -> Actor {
    Actor { name: name.parse().unwrap(), role, credential: Credential::CommandLine }
}

fn device(n: usize) -> Eui64 {
    DEVICES[n].parse().unwrap()
}

fn run(n: u8) -> RunId {
    format!("run-{n}").parse().unwrap()
}

fn case() -> Case {
    Case { pack: "p".into(), script: "s".into(), row: None, device: None }
}

/// A lab driven through its records alone.
#[derive(Debug, Default)]
struct Lab {
    state: LabState,
    written: u64,
    runs: u8,
}

impl Lab {
    fn new() -> Self {
        let rig = |n: usize| RigDeclared {
            name: RIGS[n].into(),
            combination: "d".into(),
            devices: vec![DeviceDeclared { kind: "ESME".into(), eui64: DEVICES[n].into() }],
        };
        let mut lab = Self::default();
        lab.write(Body::BookOpened(Box::new(BookOpened {
            format: FORMAT,
            book: "book-1".parse().unwrap(),
            harness: "h".into(),
            lab: "l".into(),
            lab_digest: Digest::of(b"l"),
            rigs: vec![rig(0), rig(1)],
            next_entry: EntryId(1),
            key: SignerKey { verifier: "k".into(), ephemeral: true },
            previous: None,
        })));
        lab
    }

    fn write(&mut self, body: Body) {
        self.state.take(&Record::new(Sequence(self.written), now(), body));
        self.written += 1;
    }

    fn act_at(&mut self, at: Timestamp, by: &Actor, action: &Action) -> Result<Vec<LabEvent>, Refusal> {
        let find = |asked: &Asked| match asked.packs.first().map(String::as_str) {
            Some("missing") => Err("no such pack".to_owned()),
            _ => Ok(Work {
                rig: asked.rig.clone(),
                packs: vec![PackAsked { source: "p".into(), lock: Digest::of(b"p") }],
                scripts: vec![],
                data_sets: vec![],
                witnessed: vec![],
            }),
        };
        let events = decide(&self.state, by, action, at, find)?;
        events.iter().for_each(|event| self.write(Body::Lab(Box::new(event.clone()))));
        Ok(events)
    }

    fn act(&mut self, by: &Actor, action: &Action) -> Result<Vec<LabEvent>, Refusal> {
        self.act_at(now(), by, action)
    }

    /// As the controller does: begins what can begin.
    fn begin(&mut self) -> Option<RunId> {
        let entry = next(&self.state, |_| false)?.clone();
        self.runs += 1;
        let began = run(self.runs);
        let event =
            LabEvent::RunBegan { run: began.clone(), entry: entry.id, work: entry.work, by: entry.by };
        self.write(Body::Lab(Box::new(event)));
        Some(began)
    }

    fn end(&mut self, run: &RunId) {
        let event = LabEvent::RunEnded { run: run.clone(), verdict: Some(Verdict::Pass), reason: None };
        self.write(Body::Lab(Box::new(event)));
    }
}

fn ann() -> Actor {
    actor("Ann", Role::Engineer)
}

fn join(rig: usize) -> Action {
    Action::Join(Asked {
        rig: RIGS[rig].into(),
        packs: vec![],
        scripts: vec![],
        data_sets: vec![],
        witnessed: vec![],
    })
}

fn hold(rig: usize) -> Action {
    Action::Hold { rig: RIGS[rig].into(), reason: "to look at it".into(), lease: Lease::default() }
}

fn kind(refused: Result<Vec<LabEvent>, Refusal>) -> RefusalKind {
    refused.expect_err("refused").kind()
}

#[test]
fn a_rig_that_a_person_holds_begins_no_run_until_it_is_given_back() {
    let mut lab = Lab::new();
    lab.act(&ann(), &hold(0)).unwrap();
    lab.act(&ann(), &join(0)).unwrap();
    assert_eq!(lab.begin(), None);
    let refused = lab.act(&actor("Bob", Role::Engineer), &hold(0)).unwrap_err();
    assert!(
        refused.to_string().contains("Ann (engineer) has rig rig-0 until 2026-11-22T14:00:00Z"),
        "{refused}"
    );
    lab.act(&actor("Bob", Role::Engineer), &Action::GiveBack { rig: RIGS[0].into() }).unwrap();
    let run = lab.begin().expect("the rig is free");
    let refused = lab.act(&ann(), &hold(0)).unwrap_err();
    assert_eq!(refused, Refusal::RigRuns { rig: RIGS[0].into(), run });
}

#[test]
fn a_lease_ends_when_it_ends_and_is_renewed_by_who_holds_it() {
    let mut lab = Lab::new();
    let later = |minutes| now() + SignedDuration::from_mins(minutes);
    lab.act(&ann(), &hold(0)).unwrap();
    assert_eq!(next_expiry(&lab.state), Some(later(60)));
    lab.act_at(later(30), &ann(), &hold(0)).unwrap();
    assert_eq!(expired(&lab.state, later(60)), []);
    assert_eq!(expired(&lab.state, later(90)), [LabEvent::LeaseExpired { rig: RIGS[0].into() }]);
    for seconds in [-1, 0, 59, 86_401] {
        assert!(Lease::of_seconds(seconds).is_err(), "{seconds}");
    }
}

#[test]
fn a_device_in_quarantine_ends_the_run_that_has_it_and_begins_none() {
    let mut lab = Lab::new();
    lab.act(&ann(), &join(0)).unwrap();
    lab.act(&ann(), &join(1)).unwrap();
    let (first, second) = (lab.begin().unwrap(), lab.begin().unwrap());
    let quarantine = Action::Quarantine { device: device(0), reason: "its clock drifts".into() };
    let events = lab.act(&ann(), &quarantine).unwrap();
    assert!(
        matches!(&events[1], LabEvent::RunStopping { run, reason, .. } if *run == first && reason.contains("its clock drifts"))
    );
    assert_eq!(lab.state.runs[&second].stage, RunStage::Running);
    lab.end(&first);
    lab.act(&ann(), &join(0)).unwrap();
    assert_eq!(lab.begin(), None);
    assert_eq!(kind(lab.act(&ann(), &quarantine)), RefusalKind::Conflict);
    lab.act(&ann(), &Action::LiftQuarantine { device: device(0) }).unwrap();
    assert!(lab.begin().is_some());
}

#[test]
fn everything_stopped_stays_stopped_until_somebody_lifts_it() {
    let mut lab = Lab::new();
    lab.act(&ann(), &join(0)).unwrap();
    let first = lab.begin().unwrap();
    lab.act(&ann(), &join(1)).unwrap();
    lab.act(&ann(), &Action::StopEverything { reason: "smoke".into() }).unwrap();
    assert_eq!(lab.state.runs[&first].stage, RunStage::Stopping);
    lab.end(&first);
    assert_eq!(lab.begin(), None);
    lab.act(&ann(), &Action::LiftStop).unwrap();
    assert!(lab.begin().is_some());
    assert_eq!(kind(lab.act(&ann(), &Action::LiftStop)), RefusalKind::Conflict);
}

#[test]
fn a_run_is_paused_and_resumed_and_none_of_it_once_it_is_stopping() {
    let mut lab = Lab::new();
    lab.act(&ann(), &join(0)).unwrap();
    let run = lab.begin().unwrap();
    assert_eq!(kind(lab.act(&ann(), &Action::Resume(run.clone()))), RefusalKind::Conflict);
    lab.act(&ann(), &Action::Pause(run.clone())).unwrap();
    lab.act(&ann(), &Action::Resume(run.clone())).unwrap();
    lab.act(&ann(), &Action::Abort { run: run.clone(), reason: "wrong meter".into() }).unwrap();
    for action in [
        Action::Pause(run.clone()),
        Action::Resume(run.clone()),
        Action::Abort { run: run.clone(), reason: "again".into() },
        Action::Rerun { run: run.clone(), case: case() },
    ] {
        assert_eq!(kind(lab.act(&ann(), &action)), RefusalKind::Conflict, "{action:?}");
    }
    lab.end(&run);
    assert_eq!(kind(lab.act(&ann(), &Action::Pause(run))), RefusalKind::NotFound);
}

#[test]
fn a_scheduler_takes_out_what_it_put_in_and_nothing_else() {
    let mut lab = Lab::new();
    let nightly = actor("nightly", Role::Scheduler);
    lab.act(&ann(), &join(0)).unwrap();
    lab.act(&nightly, &join(0)).unwrap();
    assert_eq!(kind(lab.act(&nightly, &Action::Leave(EntryId(1)))), RefusalKind::NotAllowed);
    lab.act(&nightly, &Action::Leave(EntryId(2))).unwrap();
    lab.act(&ann(), &Action::Leave(EntryId(1))).unwrap();
    assert!(lab.state.queue.is_empty());
    assert_eq!(kind(lab.act(&ann(), &Action::Leave(EntryId(1)))), RefusalKind::NotFound);
}

#[test]
fn what_is_asked_for_must_be_there_and_a_reason_must_be_given() {
    let mut lab = Lab::new();
    let asked = Asked {
        rig: RIGS[0].into(),
        packs: vec!["missing".into()],
        scripts: vec![],
        data_sets: vec![],
        witnessed: vec![],
    };
    assert_eq!(kind(lab.act(&ann(), &Action::Join(asked.clone()))), RefusalKind::BadInput);
    let elsewhere = Action::Join(Asked { rig: "rig-9".into(), ..asked });
    assert_eq!(kind(lab.act(&ann(), &elsewhere)), RefusalKind::NotFound);
    for reason in ["", "  ", &"x".repeat(1_001)] {
        let stop = Action::StopEverything { reason: reason.into() };
        assert_eq!(kind(lab.act(&ann(), &stop)), RefusalKind::BadInput);
    }
}

fn an_action() -> impl Strategy<Value = Action> {
    let (rig, dev, n) = (0..2_usize, 0..2_usize, 0..6_u8);
    prop_oneof![
        3 => rig.clone().prop_map(join),
        2 => rig.clone().prop_map(hold),
        1 => rig.prop_map(|rig| Action::GiveBack { rig: RIGS[rig].into() }),
        1 => (0..6_u64).prop_map(|n| Action::Leave(EntryId(n))),
        1 => n.clone().prop_map(|n| Action::Pause(run(n))),
        1 => n.clone().prop_map(|n| Action::Resume(run(n))),
        1 => n.clone().prop_map(|n| Action::Rerun { run: run(n), case: case() }),
        1 => n.prop_map(|n| Action::Abort { run: run(n), reason: "r".into() }),
        1 => Just(Action::StopEverything { reason: "r".into() }),
        1 => Just(Action::LiftStop),
        1 => dev.clone().prop_map(|n| Action::Quarantine { device: device(n), reason: "r".into() }),
        1 => dev.prop_map(|n| Action::LiftQuarantine { device: device(n) }),
    ]
}

#[derive(Debug, Clone)]
enum Move {
    Act(Role, Action),
    Begin,
    End(u8),
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        5 => (prop::sample::select(Role::ALL.to_vec()), an_action()).prop_map(|(role, action)| Move::Act(role, action)),
        3 => Just(Move::Begin),
        1 => (0..6_u8).prop_map(Move::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever anybody does: a refusal changes nothing, witnesses and boards change nothing at all, no run begins on a rig
    /// that is held, has a run or has a device in quarantine, none begins while everything is stopped, and no run goes on
    /// that was told to stop.
    #[test]
    fn nobody_gets_past_the_rules(moves in prop::collection::vec(a_move(), 0..80)) {
        let mut lab = Lab::new();
        let mut stopping: Vec<RunId> = Vec::new();
        for a_move in moves {
            let before = lab.state.clone();
            match a_move {
                Move::Act(role, action) => {
                    let acted = lab.act(&actor(role.word(), role), &action);
                    if matches!(role, Role::Witness | Role::Board) {
                        prop_assert_eq!(kind(acted.clone()), RefusalKind::NotAllowed);
                    }
                    match acted {
                        Err(_) => prop_assert_eq!(&lab.state, &before),
                        Ok(events) => {
                            prop_assert!(!events.is_empty());
                            stopping.extend(events.iter().filter_map(|event| match event {
                                LabEvent::RunStopping { run, .. } => Some(run.clone()),
                                _ => None,
                            }));
                        }
                    }
                }
                Move::Begin => if let Some(run) = lab.begin() {
                    let rig = lab.state.runs[&run].work.rig.clone();
                    prop_assert_eq!(&before.rigs[&rig].used, &RigUse::Free);
                    prop_assert!(before.quarantined_on(&rig).is_empty());
                    prop_assert!(before.stopped.is_none());
                    let earlier = before.queue.iter().filter(|e| e.work.rig == rig).map(|e| e.id).min();
                    prop_assert_eq!(Some(lab.state.runs[&run].entry), earlier);
                },
                Move::End(n) => { lab.end(&run(n)); stopping.retain(|stopped| *stopped != run(n)); }
            }
            for run in &stopping {
                prop_assert_eq!(lab.state.runs[run].stage, RunStage::Stopping);
            }
            for rig in RIGS {
                let with_it = lab.state.runs.values().filter(|way| way.work.rig == rig).count();
                let running = matches!(lab.state.rigs[rig].used, RigUse::Running { .. });
                prop_assert_eq!(with_it, usize::from(running), "one run at a time on a rig");
            }
        }
    }
}
