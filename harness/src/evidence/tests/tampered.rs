//! Every way of tampering with a run is found, and the first wrong record named.

use std::fs;
use std::path::PathBuf;

use super::*;

fn lines(folder: &RunFolder) -> Vec<String> {
    let text = fs::read_to_string(folder.records()).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn write_lines(folder: &RunFolder, lines: &[String]) {
    fs::write(folder.records(), lines.concat()).unwrap();
}

/// Flips one bit of every octet of this file in turn, and gives each outcome to `judge` with the octet's place.
fn flip_every_octet(folder: &RunFolder, path: &PathBuf, mut judge: impl FnMut(usize, Verification)) {
    let whole = fs::read(path).unwrap();
    assert!(!whole.is_empty());
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 7);
        fs::write(path, &changed).unwrap();
        judge(place, check(folder));
    }
    fs::write(path, whole).unwrap();
    assert!(check(folder).is_sound());
}

fn files_in(folder: &PathBuf) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect()
}

#[test]
fn any_flipped_octet_of_the_records_names_its_record() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let whole = fs::read(folder.records()).unwrap();
    flip_every_octet(&folder, &folder.records(), |place, verification| {
        let record = whole[..place].iter().filter(|b| **b == b'\n').count() as u64;
        let named = verification.findings.first().map(|f| f.place.clone());
        assert_eq!(verification.standing, Standing::Broken, "octet {place}");
        assert_eq!(named, Some(Place::Record(record)), "octet {place}: {verification}");
    });
}

#[test]
fn any_flipped_octet_of_the_checkpoints_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    flip_every_octet(&folder, &folder.checkpoints(), |place, verification| {
        assert_eq!(verification.standing, Standing::Broken, "octet {place}");
        let first = &verification.findings[0].place;
        assert!(matches!(first, Place::Checkpoint(_)), "octet {place}: {verification}");
    });
}

#[test]
fn any_flipped_octet_of_a_blob_names_the_record_that_refers_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    for blob in files_in(&folder.blobs()) {
        flip_every_octet(&folder, &blob, |_, verification| {
            assert_eq!(verification.standing, Standing::Broken);
            assert!(matches!(verification.findings[0].place, Place::Record(_)), "{verification}");
        });
    }
}

#[test]
fn any_flipped_octet_of_a_capture_names_the_first_record_that_binds_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    for capture in files_in(&folder.captures()) {
        flip_every_octet(&folder, &capture, |_, verification| {
            assert_eq!(verification.standing, Standing::Broken);
            assert!(matches!(verification.findings[0].place, Place::Record(_)), "{verification}");
        });
    }
}

#[test]
fn any_flipped_octet_of_the_public_key_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    flip_every_octet(&folder, &folder.key(), |_, verification| {
        assert_eq!(verification.findings[0].place, Place::Key, "{verification}");
    });
}

#[test]
fn a_cut_after_any_record_names_the_first_missing_one() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let lines = lines(&folder);
    for kept in 1..lines.len() {
        write_lines(&folder, &lines[..kept]);
        assert_eq!(first_wrong(&folder), Place::Record(kept as u64));
    }
}

#[test]
fn a_cut_of_records_and_checkpoints_together_leaves_the_run_open() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let notes = fs::read_to_string(folder.checkpoints()).unwrap();
    let (_, after_first) = note::Note::take(&notes).unwrap();
    fs::write(folder.checkpoints(), &notes[..notes.len() - after_first.len()]).unwrap();
    write_lines(&folder, &lines(&folder)[..1]);
    let verification = check(&folder);
    assert_eq!(verification.standing, Standing::Open, "{verification}");
}

#[test]
fn a_deleted_inserted_or_swapped_record_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let whole = lines(&folder);
    for n in 0..whole.len() - 1 {
        let mut deleted = whole.clone();
        deleted.remove(n);
        write_lines(&folder, &deleted);
        assert_eq!(first_wrong(&folder), Place::Record(n as u64), "deleted {n}");

        let mut inserted = whole.clone();
        inserted.insert(n, whole[n].clone());
        write_lines(&folder, &inserted);
        let doubled = if n == 0 { 1 } else { n + 1 };
        assert_eq!(first_wrong(&folder), Place::Record(doubled as u64), "doubled {n}");

        let mut swapped = whole.clone();
        swapped.swap(n, n + 1);
        write_lines(&folder, &swapped);
        assert_eq!(first_wrong(&folder), Place::Record(n as u64), "swapped {n}");
    }
}

#[test]
fn a_record_changed_and_all_after_it_renumbered_is_still_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let records = read_records(&folder).unwrap();
    let gone = 3;
    let renumbered: Vec<String> = records
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != gone)
        .zip(0..)
        .map(|((_, r), n)| Record::new(Sequence(n), r.at, r.body.clone()).to_line().unwrap())
        .collect();
    write_lines(&folder, &renumbered);
    assert_eq!(first_wrong(&folder), Place::Record(gone as u64));
}

#[test]
fn a_record_after_the_final_checkpoint_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let mut lines = lines(&folder);
    let n = lines.len() as u64;
    lines.push(Record::new(Sequence(n), at(60_000), super::note("more")).to_line().unwrap());
    write_lines(&folder, &lines);
    assert_eq!(first_wrong(&folder), Place::Record(n));
}

#[test]
fn a_run_re_signed_by_another_key_is_not_sound_to_those_who_trust_the_lab() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), LabKey::from_seed("lab", 8));
    let verification = check(&folder);
    assert_eq!(verification.standing, Standing::Broken);
    assert_eq!(verification.findings[0].place, Place::Key, "{verification}");
    assert_eq!(verify(&folder, &[]).unwrap().standing, Standing::SignerUnknown);
}

#[test]
fn checkpoints_re_signed_by_a_foreign_key_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let foreign = whole_run(other.path(), LabKey::from_seed("lab", 8));
    fs::copy(foreign.checkpoints(), folder.checkpoints()).unwrap();
    assert_eq!(first_wrong(&folder), Place::Checkpoint(0));
}

#[test]
fn a_missing_final_checkpoint_leaves_the_run_open() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let notes = fs::read_to_string(folder.checkpoints()).unwrap();
    let last = notes.match_indices("lab/run-1\n").last().unwrap().0;
    fs::write(folder.checkpoints(), &notes[..last]).unwrap();
    assert_eq!(check(&folder).standing, Standing::Open);
}

#[test]
fn an_unsigned_run_is_broken() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    fs::write(folder.checkpoints(), "").unwrap();
    let verification = check(&folder);
    assert_eq!(verification.standing, Standing::Broken);
    assert!(verification.to_string().contains("nothing in this run is signed"));
}

#[test]
fn checkpoints_of_another_run_of_the_same_lab_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(dir.path().join("run-2"));
    let second = RunStarted { run: "run-2".parse().unwrap(), ..first() };
    let recorder = Recorder::create_at(at(0), folder.clone(), second.into(), key()).unwrap();
    recorder.finish_at(at(1), RunEnd::Completed).unwrap();
    let other = whole_run(dir.path(), key());
    fs::copy(other.checkpoints(), folder.checkpoints()).unwrap();
    assert!(!check(&folder).is_sound());
}

#[test]
fn a_missing_blob_or_capture_and_an_added_capture_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let blob = files_in(&folder.blobs()).remove(0);
    let octets = fs::read(&blob).unwrap();
    fs::remove_file(&blob).unwrap();
    assert!(matches!(first_wrong(&folder), Place::Record(_)));
    fs::write(&blob, octets).unwrap();

    let added = folder.captures().join("other.pcapng");
    fs::write(&added, "x").unwrap();
    assert_eq!(first_wrong(&folder), Place::Capture("other.pcapng".into()));
    fs::remove_file(added).unwrap();

    fs::remove_file(folder.captures().join("run.pcapng")).unwrap();
    assert_eq!(first_wrong(&folder), Place::Capture("run.pcapng".into()));
}

#[test]
fn a_blob_that_no_record_refers_to_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    std::fs::write(folder.blobs().join("aaaa"), b"hello").unwrap();
    assert_eq!(first_wrong(&folder), Place::Blob("aaaa".into()));
}

#[test]
fn octets_after_the_end_of_a_capture_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let path = folder.captures().join("run.pcapng");
    let mut octets = fs::read(&path).unwrap();
    octets.extend_from_slice(b"more");
    fs::write(&path, octets).unwrap();
    assert_eq!(first_wrong(&folder), Place::Capture("run.pcapng".into()));
}
