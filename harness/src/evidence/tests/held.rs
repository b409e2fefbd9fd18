//! A head that a witness held, against the run it is of.

use super::*;
use crate::evidence::checkpoint::origin;
use crate::evidence::{Extends, HeadError, HeldHead};

/// The last note of a run's checkpoints, as a witness saves it.
fn last_note(folder: &RunFolder) -> String {
    let text = std::fs::read_to_string(folder.checkpoints()).unwrap();
    let mut rest = text.as_str();
    let mut last = rest;
    while let Ok((_, after)) = crate::evidence::note::Note::take(rest) {
        last = &rest[..rest.len() - after.len()];
        rest = after;
    }
    last.to_owned()
}

fn written(dir: &std::path::Path, key: &LabKey, notes: &[&str]) -> RunFolder {
    let folder = RunFolder::new(dir);
    let mut recorder =
        Recorder::create(folder.clone(), crate::gate::sample::first("run-1"), key.clone()).unwrap();
    for what in notes {
        let note = proto_lab::record::Note { who: "lab".into(), what: (*what).into() };
        recorder.append(proto_lab::record::Body::Note(note)).unwrap();
    }
    recorder.finish(RunEnd::Completed).unwrap();
    folder
}

#[test]
fn only_the_run_that_was_seen_extends_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let key = LabKey::ephemeral("lab".parse().unwrap());
    let run = |name: &str, notes: &[&str]| written(&dir.path().join(name), &key, notes);
    let seen = run("seen", &["one", "two"]);
    let head = HeldHead::read(&last_note(&seen), &key.verifier()).unwrap();
    let origin = origin(key.verifier().name(), &"run-1".parse().unwrap());
    let held = |folder: &RunFolder| head.is_extended_by(folder, &origin).unwrap();
    assert_eq!((head.size, held(&seen)), (4, Extends::Yes));
    assert!(matches!(held(&run("other", &["one", "2"])), Extends::AnotherHistory { .. }));
    assert_eq!(held(&run("shorter", &["one"])), Extends::Shorter { records: 3 });
    assert!(matches!(head.is_extended_by(&seen, "lab/run-2").unwrap(), Extends::AnotherRun { .. }));
}

#[test]
fn a_head_that_others_signed_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let key = LabKey::ephemeral("lab".parse().unwrap());
    let note = last_note(&written(&dir.path().join("run"), &key, &["one"]));
    let other = LabKey::ephemeral("lab".parse().unwrap()).verifier();
    assert!(matches!(HeldHead::read(&note, &other), Err(HeadError::Note(_))));
    assert!(HeldHead::read("3\n", &key.verifier()).is_err());
    assert!(HeldHead::read(&note.replace("\n3\n", "\n2\n"), &key.verifier()).is_err());
}
