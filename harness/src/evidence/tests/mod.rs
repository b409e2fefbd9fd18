//! Whole runs on disk: written, checked, tampered with in every way, torn and resumed.

mod books;
mod captures;
mod cosigned;
mod held;
mod oracles;
mod resumed;
mod tampered;
mod torn;
mod written;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proto_lab::Digest;
use proto_lab::record::*;

use super::*;
use crate::link::{Direction as Way, Tap as _};

/// A time that goes on by a millisecond at each record, so that runs are the same octet for octet.
pub(super) fn at(n: i64) -> Timestamp {
    "2026-11-21T21:14:05Z".parse::<Timestamp>().unwrap() + SignedDuration::from_millis(n)
}

pub(super) fn key() -> LabKey {
    LabKey::from_seed("lab", 7)
}

pub(super) fn case(script: &str) -> Case {
    Case { pack: "p".into(), script: script.into(), row: None, device: None }
}

pub(super) fn first() -> RunStarted {
    RunStarted {
        format: FORMAT,
        run: "run-1".parse().unwrap(),
        harness: "h".into(),
        lab: "lab".into(),
        lab_digest: Digest::of(b"lab"),
        rig: "rig".into(),
        dmc: DmcUnderTest {
            id: "d".into(),
            epcl_entry: "e".into(),
            release: "IOC".into(),
            installation: "dormant".into(),
            stands_for: vec![],
            mtad: None,
        },
        devices: vec![],
        system: SystemUnderTest {
            dcc_systems: "1".into(),
            environment: "SIT".into(),
            parts: BTreeMap::new(),
        },
        packs: vec![],
        plan: vec![case("a"), case("b")],
        selected: vec![],
        witnessed: vec![],
        data_sets: vec![],
        key: key().signer(),
        previous: None,
        previous_run: None,
    }
}

pub(super) fn script_started(script: &str) -> Body {
    Body::ScriptStarted(Box::new(ScriptStarted {
        case: case(script),
        attempt: 1,
        title: "t".into(),
        digest: Digest::of(b"s"),
        covers: vec![],
        group: None,
    }))
}

pub(super) fn note(what: &str) -> Body {
    Body::Note(Note { who: "test".into(), what: what.into() })
}

/// One script with one step, a message, an observation and a packet.
pub(super) fn one_script(recorder: &mut Recorder, name: &str) {
    recorder.blob(b"s").unwrap();
    let start = recorder.append_at(at(1), script_started(name)).unwrap();
    let intent = recorder
        .append_at(
            at(2),
            Body::Intent(Intent { part: Part::Test, step: 1, action: "read".into(), stimulus: None }),
        )
        .unwrap();
    let blob = recorder.blob(format!("<Request {name}/>").as_bytes()).unwrap();
    let message = Message {
        direction: Direction::Sent,
        party: "DCC".into(),
        what: "service request".into(),
        blob,
        intent: Some(intent),
    };
    recorder.append_at(at(3), Body::Message(message)).unwrap();
    recorder.capture().frame("wan", Way::Sent, at(3), b"\x7e\xa0", Some("first"));
    let verdict = StepVerdict { intent, verdict: Verdict::Pass, reason: None, failed: vec![] };
    recorder.append_at(at(4), Body::Step(verdict)).unwrap();
    let finished = ScriptFinished { started: start, verdict: Verdict::Pass, reason: None };
    recorder.append_at(at(5), Body::ScriptFinished(finished)).unwrap();
    recorder.checkpoint().unwrap();
}

/// A run begun by `key` in `dir`, its first script done.
pub(super) fn open_run(dir: &Path, key: LabKey) -> Recorder {
    let folder = RunFolder::new(dir.join("run-1"));
    let mut recorder = Recorder::create_at(at(0), folder, first().into(), key).unwrap();
    one_script(&mut recorder, "a");
    recorder
}

/// A whole small run: two scripts, three checkpoints and the final one.
pub(super) fn whole_run(dir: &Path, key: LabKey) -> RunFolder {
    let mut recorder = open_run(dir, key);
    one_script(&mut recorder, "b");
    let folder = recorder.folder().clone();
    recorder.finish_at(at(9), RunEnd::Completed).unwrap();
    folder
}

pub(super) fn check(folder: &RunFolder) -> Verification {
    verify(folder, &[key().verifier()]).unwrap()
}

/// The place named first.
pub(super) fn first_wrong(folder: &RunFolder) -> Place {
    let verification = check(folder);
    assert!(!verification.is_sound(), "{verification}");
    verification.findings.first().expect("a finding").place.clone()
}
