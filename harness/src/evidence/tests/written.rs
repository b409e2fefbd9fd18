//! What the recorder writes, and when it refuses.

use super::*;

#[test]
fn a_whole_run_is_sound_and_counts_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let verification = check(&whole_run(dir.path(), key()));
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
    assert_eq!(verification.verdict, Some(Verdict::Pass));
    assert_eq!((verification.counts.pass, verification.counts.not_run), (2, 0));
    assert_eq!((verification.blobs, verification.checkpoints), (3, 4));
}

#[test]
fn a_run_of_many_records_is_checkpointed_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    for n in 0..2 * CHECKPOINT_EVERY {
        recorder.append_at(at(6), note(&n.to_string())).unwrap();
    }
    let folder = recorder.folder().clone();
    recorder.finish_at(at(9), RunEnd::Completed).unwrap();
    let verification = check(&folder);
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
    assert_eq!(verification.checkpoints, 5);
}

#[test]
fn a_run_without_its_final_checkpoint_is_open_and_never_sound() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open_run(dir.path(), key());
    let verification = check(recorder.folder());
    assert_eq!(verification.standing, Standing::Open, "{verification}");
    assert_eq!(verification.findings, []);
}

#[test]
fn with_no_trusted_key_the_best_is_signer_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let verification = verify(&whole_run(dir.path(), key()), &[]).unwrap();
    assert_eq!(verification.standing, Standing::SignerUnknown);
    assert!(!verification.is_sound());
    assert!(verification.to_string().contains("signer unknown"));
}

#[test]
fn an_ended_or_failed_run_carries_its_verdict_and_reason() {
    for (end, verdict) in [
        (RunEnd::Aborted("stopped by the operator".into()), Verdict::Aborted),
        (RunEnd::Failed("the rig is not as declared".into()), Verdict::Error),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let recorder = open_run(dir.path(), key());
        let folder = recorder.folder().clone();
        let (finished, root) = recorder.finish_at(at(9), end).unwrap();
        assert_eq!((finished.verdict, finished.counts.not_run), (verdict, 1));
        assert_eq!(check(&folder).standing, Standing::Sound);
        assert_eq!(previous_root(&folder).unwrap(), Some(root));
    }
}

#[test]
fn evidence_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let error = Recorder::create_at(at(0), folder, first().into(), key()).unwrap_err();
    assert!(matches!(error, EvidenceError::Exists { .. }), "{error}");
}

#[test]
fn a_clock_that_is_set_back_does_not_set_back_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    recorder.append_at(at(7), note("later")).unwrap();
    recorder.append_at(at(1), note("clock set back")).unwrap();
    let records = read_records(recorder.folder()).unwrap();
    let times: Vec<_> = records.iter().rev().take(2).map(|r| r.at).collect();
    assert_eq!(times, [at(7), at(7)]);
}

#[test]
fn first_last_and_repair_records_are_the_recorders_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    let error = recorder.append(Body::RunStarted(Box::new(first()))).unwrap_err();
    assert!(matches!(error, EvidenceError::NotYours { .. }), "{error}");
    recorder.append(note("and goes on")).unwrap();
}

#[test]
fn after_one_failure_nothing_more_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    std::fs::remove_dir_all(recorder.folder().blobs()).unwrap();
    assert!(matches!(recorder.blob(b"x"), Err(EvidenceError::Io { .. })));
    let before = std::fs::read(recorder.folder().records()).unwrap();
    let error = recorder.append(note("too late")).unwrap_err();
    assert!(error.to_string().contains("stopped earlier"), "{error}");
    assert!(recorder.checkpoint().is_err() && recorder.sync().is_err());
    assert_eq!(std::fs::read(recorder.folder().records()).unwrap(), before);
    assert!(recorder.finish(RunEnd::Completed).is_err());
}

#[test]
fn a_blob_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    let before = std::fs::read_dir(recorder.folder().blobs()).unwrap().count();
    assert_eq!(recorder.blob(b"same").unwrap(), recorder.blob(b"same").unwrap());
    assert_eq!(std::fs::read_dir(recorder.folder().blobs()).unwrap().count(), before + 1);
}

/// A pipe that nobody reads takes what fits, and then nothing any more: the write does not return.
#[test]
fn a_disk_that_hangs_stops_the_evidence_within_the_deadline_and_acknowledges_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    let (unread, pipe) = std::io::pipe().unwrap();
    let before = read_records(recorder.folder()).unwrap();
    let file = std::mem::replace(
        &mut recorder.records,
        std::sync::Arc::new(std::fs::File::from(std::os::fd::OwnedFd::from(pipe))),
    );
    recorder.scribe.most = std::time::Duration::from_millis(100);
    let begun = std::time::Instant::now();
    let error = recorder.append(note(&"long ".repeat(100_000))).unwrap_err();
    assert!(matches!(error, EvidenceError::Stuck { .. }), "{error}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    let error = recorder.append(note("later")).unwrap_err().to_string();
    assert!(error.contains("not continued: the disk has not taken"), "{error}");
    assert_eq!(read_records(recorder.folder()).unwrap(), before);
    assert_eq!(check(recorder.folder()).standing, Standing::Open);
    drop((file, unread));
}

#[test]
fn a_disk_that_is_too_slow_stops_the_evidence_for_good_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    recorder.slowest = std::time::Duration::ZERO;
    let error = recorder.append(note("late")).unwrap_err().to_string();
    assert!(error.starts_with("the disk took ") && error.ends_with("expected at most 0ns"), "{error}");
    recorder.slowest = std::time::Duration::from_secs(20);
    let error = recorder.append(note("later")).unwrap_err().to_string();
    assert!(error.contains("stopped earlier and is not continued: the disk took"), "{error}");
    let folder = recorder.folder().clone();
    assert!(recorder.finish(RunEnd::Completed).is_err());
    assert_eq!(check(&folder).standing, Standing::Open);
}
