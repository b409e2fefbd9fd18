//! A writer dies; its run is reopened without losing or doubling anything.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use super::*;

fn append(path: &Path, octets: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(octets).unwrap();
}

fn dead_run(dir: &Path) -> RunFolder {
    open_run(dir, key()).folder().clone()
}

fn resume(folder: &RunFolder) -> Resumed {
    Recorder::resume_at(at(100), folder.clone(), key()).unwrap()
}

fn finish(mut resumed: Resumed) -> Verification {
    one_script(&mut resumed.recorder, "b");
    let folder = resumed.recorder.folder().clone();
    resumed.recorder.finish_at(at(200), RunEnd::Completed).unwrap();
    check(&folder)
}

#[test]
fn a_torn_record_is_kept_aside_and_a_record_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let torn = b"{\"n\":8,\"at\":\"2026-";
    append(&folder.records(), torn);
    let resumed = resume(&folder);
    let repaired = resumed.records.iter().find_map(|r| match &r.body {
        Body::Repaired(repaired) => Some(repaired.clone()),
        _ => None,
    });
    let repaired = repaired.expect("a record says so");
    assert_eq!((repaired.octets, repaired.cut), (torn.len() as u64, Some(Digest::of(torn))));
    assert_eq!(fs::read(folder.blob(&Digest::of(torn))).unwrap(), torn);
    let verification = finish(resumed);
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
    assert_eq!(verification.counts.pass, 2);
}

#[test]
fn a_death_at_any_octet_of_either_file_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let records = fs::read(folder.records()).unwrap();
    let checkpoints = fs::read(folder.checkpoints()).unwrap();
    // The last checkpoint covers all but nothing after it: take it off, so that the records may be torn anywhere after the first.
    let text = std::str::from_utf8(&checkpoints).unwrap();
    let (_, after) = note::Note::take(text).unwrap();
    let first_note = text.len() - after.len();
    let first_line = records.iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in (first_line..records.len()).step_by(37) {
        fs::write(folder.records(), &records[..cut]).unwrap();
        fs::write(folder.checkpoints(), &checkpoints[..first_note + cut % 40]).unwrap();
        let resumed = resume(&folder);
        drop(resumed);
        let verification = check(&folder);
        assert_eq!(verification.standing, Standing::Open, "cut at {cut}: {verification}");
        fs::remove_file(folder.captures().join("run-2.pcapng")).unwrap();
    }
}

#[test]
fn an_unfinished_checkpoint_is_kept_aside_and_a_record_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let notes = fs::read(folder.checkpoints()).unwrap();
    let torn = &notes[..notes.len() / 4];
    append(&folder.checkpoints(), torn);
    let resumed = resume(&folder);
    let cut = resumed.records.iter().find_map(|r| match &r.body {
        Body::Repaired(repaired) => repaired.cut_checkpoint,
        _ => None,
    });
    assert_eq!(cut, Some(Digest::of(torn)));
    assert_eq!(fs::read(folder.blob(&Digest::of(torn))).unwrap(), torn);
    let verification = finish(resumed);
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
}

#[test]
fn an_unreadable_checkpoint_that_was_written_whole_is_not_cut() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let whole = fs::read(folder.checkpoints()).unwrap();
    let text = std::str::from_utf8(&whole).unwrap().to_owned();
    let (_, after) = note::Note::take(&text).unwrap();
    let second = text.len() - after.len();
    let signature = text.find("— ").unwrap();
    let torn = b"{\"n\":8,";
    append(&folder.records(), torn);
    let records = fs::read(folder.records()).unwrap();
    // The first note's dash, blank line, base64 and text; the last note's dash and blank line; not UTF-8; a line behind.
    let last_signature = second + after.find("— ").unwrap();
    for place in [signature, signature - 1, whole[..second].len() - 3, 0, last_signature, last_signature - 1]
    {
        let mut changed = whole.clone();
        changed[place] = if place == 0 { 0xFF } else { b'?' };
        refused_untouched(&folder, &changed, &records);
    }
    refused_untouched(&folder, &[&whole, "lab\n\n— lab AAAA\nmore".as_bytes()].concat(), &records);
}

/// With these checkpoints the run is not resumed, and neither file is touched.
fn refused_untouched(folder: &RunFolder, checkpoints: &[u8], records: &[u8]) {
    fs::write(folder.checkpoints(), checkpoints).unwrap();
    let error = Recorder::resume_at(at(100), folder.clone(), key()).unwrap_err();
    assert!(matches!(error, EvidenceError::Unsound { .. }), "{error}");
    assert_eq!(fs::read(folder.checkpoints()).unwrap(), checkpoints);
    assert_eq!(fs::read(folder.records()).unwrap(), records);
}

#[test]
fn a_run_that_is_not_resumed_keeps_its_torn_ends() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    append(&folder.records(), b"{\"n\"");
    append(&folder.checkpoints(), b"lab/run-1\n12");
    let (records, notes) = (fs::read(folder.records()).unwrap(), fs::read(folder.checkpoints()).unwrap());
    assert!(Recorder::resume_at(at(100), folder.clone(), key()).is_err());
    assert_eq!(fs::read(folder.records()).unwrap(), records);
    assert_eq!(fs::read(folder.checkpoints()).unwrap(), notes);
}

#[test]
fn a_script_cut_short_counts_as_inconclusive() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    recorder.append_at(at(6), script_started("b")).unwrap();
    let folder = recorder.folder().clone();
    drop(recorder);
    let resumed = resume(&folder);
    assert_eq!(resumed.recorder.tally().counts().inconclusive, 1);
    resumed.recorder.finish_at(at(200), RunEnd::Completed).unwrap();
    let verification = check(&folder);
    assert_eq!(verification.verdict, Some(Verdict::Inconclusive), "{verification}");
}

#[test]
fn a_living_writer_keeps_its_run() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open_run(dir.path(), key());
    let error = Recorder::resume_at(at(100), recorder.folder().clone(), key()).unwrap_err();
    assert!(matches!(error, EvidenceError::Held { .. }), "{error}");
}

#[test]
fn a_finished_a_changed_and_a_foreign_run_are_not_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let error = Recorder::resume_at(at(100), folder, key()).unwrap_err();
    assert!(matches!(error, EvidenceError::Finished { .. }), "{error}");

    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let error = Recorder::resume_at(at(100), folder.clone(), LabKey::from_seed("lab", 8)).unwrap_err();
    assert!(matches!(error, EvidenceError::Unsound { .. }), "{error}");

    let changed = fs::read_to_string(folder.records()).unwrap().replace("read", "reed");
    fs::write(folder.records(), changed).unwrap();
    let error = Recorder::resume_at(at(100), folder, key()).unwrap_err();
    assert!(error.to_string().contains("record 2"), "{error}");
}

#[test]
fn a_run_that_lost_records_it_had_signed_for_is_not_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let records = fs::read_to_string(folder.records()).unwrap();
    let last = records.trim_end().rfind('\n').unwrap() + 1;
    fs::write(folder.records(), &records[..last]).unwrap();
    let error = Recorder::resume_at(at(100), folder, key()).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn a_run_that_died_before_its_final_checkpoint_is_given_that_and_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let (records, notes) = (fs::read(folder.records()).unwrap(), fs::read(folder.checkpoints()).unwrap());
    let text = std::str::from_utf8(&notes).unwrap();
    let last = text.find("\nfinal\n").unwrap();
    let start = text[..last].rfind("\n— ").map(|n| n + 1 + text[n + 1..].find('\n').unwrap() + 1).unwrap();
    for cut in [start, start + 9, notes.len() - 7] {
        fs::write(folder.checkpoints(), &notes[..cut]).unwrap();
        assert_eq!(check(&folder).verdict, Some(Verdict::Pass));
        let error = Recorder::resume_at(at(100), folder.clone(), key()).unwrap_err();
        assert!(matches!(error, EvidenceError::Finished { .. }), "cut at {cut}: {error}");
        assert_eq!(fs::read(folder.records()).unwrap(), records);
        let verification = check(&folder);
        assert_eq!(verification.standing, Standing::Sound, "cut at {cut}: {verification}");
    }
}

#[test]
fn blobs_that_no_record_names_yet_are_named_by_the_one_about_the_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = open_run(dir.path(), key());
    let folder = recorder.folder().clone();
    let whole = recorder.blob(b"asked and not recorded").unwrap();
    drop(recorder);
    fs::write(folder.blobs().join(".draft"), b"half a mess").unwrap();
    let resumed = resume(&folder);
    let unnamed = resumed.records.iter().find_map(|record| match &record.body {
        Body::Repaired(repaired) => Some(repaired.unnamed.clone()),
        _ => None,
    });
    let mut expected = vec![whole, Digest::of(b"half a mess")];
    expected.sort();
    assert_eq!(unnamed, Some(expected));
    let verification = finish(resumed);
    assert_eq!(verification.standing, Standing::Sound, "{verification}");
}
