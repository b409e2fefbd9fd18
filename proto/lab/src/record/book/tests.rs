//! The spelling of a book's records, and what they come to, whatever they are.

use proptest::prelude::*;

use super::*;
use crate::Digest;
use crate::record::{
    Action, Actor, Body, Case, Credential, Deed, FORMAT, Outcome, Record, Role, RunId, SafeState, Sequence,
    SignerKey, Verdict,
};
use jiff::{SignedDuration, Timestamp};

fn at(seconds: i64) -> Timestamp {
    "2026-11-22T13:00:00.000001Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn run(n: u8) -> RunId {
    format!("20261122T130000Z-{n:04x}").parse().unwrap()
}

fn actor(name: &str, role: Role) -> Actor {
    Actor {
        name: name.parse().unwrap(),
        role,
        credential: Credential::Certificate(Digest::of(name.as_bytes())),
    }
}

fn ann() -> Actor {
    actor("Ann", Role::Engineer)
}

fn work(rig: &str) -> Work {
    let pack = PackAsked { source: "ioc-dormant-migration".into(), lock: Digest::of(b"lock") };
    Work { rig: rig.into(), packs: vec![pack], scripts: vec![], data_sets: vec![], witnessed: vec![] }
}

const DEVICES: [&str; 2] = ["90-B3-D5-1F-30-00-00-01", "90-B3-D5-1F-30-00-00-02"];

fn opened() -> Body {
    let rig = |n: usize| RigDeclared {
        name: format!("rig-{n}"),
        combination: "dmc-1".into(),
        devices: vec![DeviceDeclared { kind: "ESME".into(), eui64: DEVICES[n].into() }],
    };
    Body::BookOpened(Box::new(BookOpened {
        format: FORMAT,
        book: "book-20261122T130000Z-0001".parse().unwrap(),
        harness: "harness 0.1.0".into(),
        lab: "bench".into(),
        lab_digest: Digest::of(b"lab"),
        rigs: vec![rig(0), rig(1)],
        key: SignerKey { verifier: "lab+00000000+AAAA".into(), ephemeral: false },
        next_entry: EntryId(1),
        previous: Some(PreviousBook {
            book: "book-20261121T130000Z-0001".parse().unwrap(),
            root: Digest::of(b"root"),
        }),
    }))
}

fn case() -> Case {
    Case { pack: "p".into(), script: "read-import".into(), row: None, device: Some("ESME".into()) }
}

/// One of each event.
fn events() -> Vec<LabEvent> {
    use LabEvent::*;
    let (rig, device, reason) = ("rig-0".to_owned(), DEVICES[0].to_owned(), "its clock drifts".to_owned());
    let (by, run, entry) = (ann(), run(1), EntryId(7));
    let links = vec!["serial:///dev/ttyUSB0".to_owned()];
    vec![
        Ready {},
        RigHeld { rig: rig.clone(), by: by.clone(), reason: reason.clone(), until: at(3600) },
        RigGivenBack { rig: rig.clone(), by: by.clone() },
        LeaseExpired { rig: rig.clone() },
        RigSafe { rig, safe: SafeState { reached: true, detail: "supply enabled".into() } },
        DeviceQuarantined { device: device.clone(), reason: reason.clone(), by: by.clone() },
        QuarantineLifted { device, by: by.clone() },
        QueueJoined { entry, work: work("rig-0"), by: actor("nightly", Role::Scheduler) },
        QueueLeft { entry, by: by.clone() },
        EntryRefused { entry, reason: "its pack is not the one agreed".into() },
        RunBegan { run: run.clone(), entry, work: work("rig-1"), by: by.clone() },
        PauseAsked { run: run.clone(), by: by.clone() },
        RunPaused { run: run.clone() },
        RunResumed { run: run.clone(), by: by.clone() },
        RerunAsked { run: run.clone(), case: case(), by: by.clone() },
        RunStopping { run: run.clone(), by: by.clone(), reason: reason.clone() },
        RunEnded { run: run.clone(), verdict: Some(Verdict::Pass), reason: None },
        RunEnded { run: run.clone(), verdict: None, reason: Some("the disk is full".into()) },
        EverythingStopped { by: by.clone(), reason },
        StopLifted { by: by.clone() },
        CallRefused {
            by: None,
            from: "[::1]:40000".into(),
            call: "Pause".into(),
            reason: "no certificate".into(),
        },
        SignedIn {
            by: Actor { credential: Credential::SignIn, ..by.clone() },
            from: "127.0.0.1:40001".into(),
        },
        HeadCosigned {
            run,
            size: 12,
            root: Digest::of(b"root"),
            by: actor("Wim", Role::Witness),
            signature: "— wim AAAA".into(),
        },
        StationCame { station: "bench-2".into(), links },
        StationWent { station: "bench-2".into(), reason: "not heard for 10 s".into() },
    ]
}

fn actions() -> Vec<Action> {
    let deeds = [
        Deed::Pause {},
        Deed::Resume {},
        Deed::Abort { reason: "smoke".into() },
        Deed::Rerun { case: case() },
    ];
    let mut actions: Vec<Action> =
        deeds.into_iter().map(|what| Action { by: ann(), what, outcome: Outcome::Done {} }).collect();
    let by = Actor { credential: Credential::CommandLine, ..ann() };
    let outcome = Outcome::NotDone { reason: "the run ended before".into() };
    actions.push(Action { by, what: Deed::Pause {}, outcome });
    actions
}

fn records(bodies: impl IntoIterator<Item = Body>) -> Vec<Record> {
    (0..).zip(bodies).map(|(n, body)| Record::new(Sequence(n), at(0), body)).collect()
}

fn whole_book() -> Vec<Record> {
    let events = events().into_iter().map(|event| Body::Lab(Box::new(event)));
    let actions = actions().into_iter().map(|action| Body::Action(Box::new(action)));
    let closed =
        Body::BookClosed(BookClosed { reason: "the controller was stopped".into(), captures: vec![] });
    records(std::iter::once(opened()).chain(events).chain(actions).chain([closed]))
}

/// Golden: format 1. If this fails, do not change the test: old evidence would no longer verify. Raise `FORMAT`.
#[test]
fn golden_lines_of_a_book() {
    let lines: String = whole_book().iter().map(|record| record.to_line().unwrap()).collect();
    insta::assert_snapshot!(lines);
}

#[test]
fn every_line_reads_back_as_the_record_it_came_from() {
    for record in whole_book() {
        let line = record.to_line().unwrap();
        assert_eq!(Record::from_line(line.as_bytes()).unwrap(), record);
        assert!(line.contains(&format!(",\"{}\":{{", record.body.kind())), "{line}");
    }
}

#[test]
fn names_and_roles_are_read_or_refused() {
    for name in ["Ann", "A. N. Other", "nightly-1", "Łucja"] {
        assert_eq!(name.parse::<crate::record::ActorName>().unwrap().as_str(), name);
    }
    for name in ["", " Ann", "Ann ", "A\nB", "\u{7}", &"x".repeat(101)] {
        assert!(name.parse::<crate::record::ActorName>().is_err(), "{name:?}");
    }
    for role in Role::ALL {
        assert_eq!(role.word().parse(), Ok(role));
    }
    assert!("Engineer".parse::<Role>().unwrap_err().to_string().contains("expected engineer, witness"));
    let line = "{\"n\":1,\"at\":\"2026-11-22T13:00:00.000001Z\",\"lab\":{\"ready\":{\"really\":1}}}\n";
    assert!(Record::from_line(line.as_bytes()).unwrap_err().to_string().contains("really"));
}

fn state(events: impl IntoIterator<Item = LabEvent>) -> LabState {
    let events = events.into_iter().map(|event| Body::Lab(Box::new(event)));
    LabState::of(&records(std::iter::once(opened()).chain(events)))
}

#[test]
fn an_entry_becomes_a_run_and_the_run_gives_its_rig_back() {
    let (by, entry) = (ann(), EntryId(3));
    let joined = LabEvent::QueueJoined { entry, work: work("rig-0"), by: by.clone() };
    let waiting = state([joined.clone()]);
    assert_eq!((waiting.queue.len(), waiting.next_entry), (1, EntryId(4)));
    let began = LabEvent::RunBegan { run: run(1), entry, work: work("rig-0"), by: by.clone() };
    let paused = [LabEvent::PauseAsked { run: run(1), by: by.clone() }, LabEvent::RunPaused { run: run(1) }];
    let running = state([joined.clone(), began.clone()].into_iter().chain(paused.clone()));
    assert!(running.queue.is_empty());
    assert_eq!(running.rigs["rig-0"].used, RigUse::Running { run: run(1) });
    assert_eq!(running.runs[&run(1)].stage, RunStage::Paused);
    let safe = SafeState { reached: true, detail: "supply enabled".into() };
    let ended = [
        LabEvent::RigSafe { rig: "rig-0".into(), safe: safe.clone() },
        LabEvent::RunEnded { run: run(1), verdict: Some(Verdict::Pass), reason: None },
    ];
    let after = state([joined, began].into_iter().chain(paused).chain(ended));
    assert_eq!((&after.rigs["rig-0"].used, &after.rigs["rig-0"].safe), (&RigUse::Free, &Some(safe)));
    assert!(after.runs.is_empty());
}

#[test]
fn a_device_in_quarantine_is_told_by_its_rig_until_it_is_lifted() {
    let device = DEVICES[1].to_owned();
    let in_it = LabEvent::DeviceQuarantined { device: device.clone(), reason: "drifts".into(), by: ann() };
    assert_eq!(state([in_it.clone()]).quarantined_on("rig-1"), [DEVICES[1]]);
    assert!(state([in_it.clone()]).quarantined_on("rig-0").is_empty());
    let lifted = LabEvent::QuarantineLifted { device, by: ann() };
    assert!(state([in_it, lifted]).quarantined.is_empty());
}

#[test]
fn a_person_cannot_be_shown_to_hold_the_rig_of_a_run() {
    let began = LabEvent::RunBegan { run: run(1), entry: EntryId(1), work: work("rig-0"), by: ann() };
    let held = LabEvent::RigHeld { rig: "rig-0".into(), by: ann(), reason: "look".into(), until: at(9) };
    let state = state([began, held]);
    assert_eq!(state.rigs["rig-0"].used, RigUse::Running { run: run(1) });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever records a book holds, in whatever order, the state holds together: a rig is with the run that is under way on
    /// it and no other, no entry waits twice, no number is given twice.
    #[test]
    fn any_records_come_to_a_state_that_holds_together(which in proptest::collection::vec((0..25_usize, 0..3_u8, 0..2_usize), 0..60)) {
        let of = |(n, run_number, rig): (usize, u8, usize)| {
            let text = serde_json::to_string(&events()[n]).unwrap();
            let text = text.replace("-0001", &format!("-{run_number:04x}")).replace("rig-0", &format!("rig-{rig}"));
            serde_json::from_str::<LabEvent>(&text).unwrap()
        };
        let state = state(which.into_iter().map(of));
        for (name, rig) in &state.rigs {
            if let RigUse::Running { run } = &rig.used {
                prop_assert_eq!(&state.runs[run].work.rig, name);
            }
        }
        let mut ids: Vec<_> = state.queue.iter().map(|entry| entry.id).collect();
        prop_assert!(ids.iter().all(|id| *id < state.next_entry));
        ids.dedup();
        prop_assert_eq!(ids.len(), state.queue.len());
    }

    #[test]
    fn any_reason_survives_the_line(reason in ".{0,200}", from in ".{0,60}") {
        let event = LabEvent::CallRefused { by: Some(ann()), from, call: "Abort".into(), reason };
        let record = Record::new(Sequence(1), at(0), Body::Lab(Box::new(event)));
        let line = record.to_line().unwrap();
        prop_assert_eq!(Record::from_line(line.as_bytes()).unwrap(), record);
    }
}
