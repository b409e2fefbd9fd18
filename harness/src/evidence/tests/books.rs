//! A lab's book is evidence as a run is.

use proto_lab::record::book::{BookOpened, EntryId, LabEvent, RigDeclared};

use super::*;

fn opened() -> BookOpened {
    BookOpened {
        format: FORMAT,
        book: "book-1".parse().unwrap(),
        harness: "h".into(),
        lab: "lab".into(),
        lab_digest: Digest::of(b"lab"),
        rigs: vec![RigDeclared { name: "rig".into(), combination: "d".into(), devices: vec![] }],
        key: key().signer(),
        next_entry: EntryId(1),
        previous: None,
    }
}

fn ready() -> Body {
    Body::Lab(Box::new(LabEvent::Ready {}))
}

fn open_book(dir: &Path) -> Recorder {
    let folder = RunFolder::new(dir.join("book-1"));
    let mut recorder = Recorder::create_at(at(0), folder, opened().into(), key()).unwrap();
    recorder.append_at(at(1), ready()).unwrap();
    recorder
}

#[test]
fn a_book_is_open_until_it_is_closed_and_sound_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open_book(dir.path());
    let folder = recorder.folder().clone();
    assert_eq!(check(&folder).standing, Standing::Open);
    let root = recorder.close("the controller was stopped").unwrap();
    let verification = check(&folder);
    assert_eq!((verification.standing, verification.verdict), (Standing::Sound, None), "{verification}");
    assert_eq!((verification.root, verification.run.unwrap().as_str()), (root, "book-1"));
    assert_eq!(previous_root(&folder).unwrap(), Some(root));
}

#[test]
fn a_book_whose_writer_died_is_reopened_and_closed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = open_book(dir.path()).folder().clone();
    let resumed = Recorder::resume(folder.clone(), key()).unwrap();
    assert!(resumed.records.iter().any(|record| matches!(record.body, Body::Repaired(_))));
    resumed.recorder.close("its controller died").unwrap();
    assert!(check(&folder).is_sound());
}

#[test]
fn what_concerns_the_lab_stands_in_no_run_and_what_concerns_a_run_in_no_book() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = open_book(dir.path());
    let refused = book.append(script_started("a")).unwrap_err();
    assert!(matches!(refused, EvidenceError::NotYours { kind: "script-started", .. }), "{refused}");
    let mut run = open_run(dir.path(), key());
    assert!(matches!(run.append(ready()).unwrap_err(), EvidenceError::NotYours { kind: "lab", .. }));
    // Written all the same, it is found.
    run.guarded(|r| r.write(at(8), ready())).unwrap();
    let folder = run.folder().clone();
    run.finish_at(at(9), RunEnd::Completed).unwrap();
    let verification = check(&folder);
    assert_eq!(verification.standing, Standing::Broken);
    assert!(
        verification.findings[0].what.contains("`lab` record, which has no place here"),
        "{verification}"
    );
}

#[test]
fn a_name_stands_for_a_run_only_once_its_first_record_is_signed_for() {
    let dir = tempfile::tempdir().unwrap();
    let blocked = dir.path().join("run-1");
    std::fs::write(&blocked, "in the way").unwrap();
    let refused = Recorder::create(RunFolder::new(&blocked), first(), key()).unwrap_err();
    assert!(matches!(refused, EvidenceError::Exists { .. }), "{refused}");
    std::fs::remove_file(&blocked).unwrap();
    drop(open_run(dir.path(), key()));
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["run-1"], "no draft is left");
}
