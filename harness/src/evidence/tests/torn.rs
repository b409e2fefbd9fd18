//! What a writer that was killed inside a write leaves, and what somebody sees who verifies while a run is being written.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;
use crate::evidence::note::Note;

/// An open run with records that no checkpoint covers, behind two that are covered.
fn dead_run(dir: &Path) -> RunFolder {
    let mut recorder = open_run(dir, key());
    for n in 0..4 {
        recorder.append_at(at(6), super::note(&format!("looked {n} times"))).unwrap();
    }
    recorder.folder().clone()
}

/// Octets of the whole notes of a checkpoint file.
fn whole_notes(notes: &[u8]) -> usize {
    let ends = notes.windows(2).enumerate().filter(|(_, pair)| *pair == b"\n\n");
    let end = |(blank, _): (usize, _)| {
        let signature = blank + 2;
        notes[signature..].iter().position(|octet| *octet == b'\n').map(|length| signature + length + 1)
    };
    ends.filter_map(end).next_back().unwrap_or_default()
}

/// Records that a checkpoint file of these octets signs for.
fn covered(notes: &[u8]) -> Option<u64> {
    let (mut rest, mut covered) = (std::str::from_utf8(&notes[..whole_notes(notes)]).unwrap(), None);
    while let Ok((note, after)) = Note::take(rest) {
        covered = checkpoint::Checkpoint::from_text(note.text).map(|c| c.size);
        rest = after;
    }
    covered
}

/// The run with its files cut there must be open, with a remark for each end that is torn; broken only where what was signed
/// for is gone.
fn judge_cut(folder: &RunFolder, records: &[u8], notes: &[u8]) {
    fs::write(folder.records(), records).unwrap();
    fs::write(folder.checkpoints(), notes).unwrap();
    let verification = check(folder);
    let whole = records.iter().filter(|octet| **octet == b'\n').count() as u64;
    let cut = format!("records at {}, checkpoints at {}: {verification}", records.len(), notes.len());
    match covered(notes) {
        Some(covered) if covered <= whole => assert_eq!(verification.standing, Standing::Open, "{cut}"),
        _ => return assert_eq!(verification.standing, Standing::Broken, "{cut}"),
    }
    let mut torn = Vec::new();
    let line = records.iter().rev().take_while(|octet| **octet != b'\n').count() as u64;
    if line > 0 {
        torn.push(Torn::Record { after: whole - 1, octets: line });
    }
    let ends = notes.len() - whole_notes(notes);
    if ends > 0 {
        torn.push(Torn::Checkpoint { after: verification.checkpoints - 1, octets: ends as u64 });
    }
    assert_eq!(verification.torn, torn, "{cut}");
    assert_eq!(verification.records, whole, "{cut}");
}

#[test]
fn a_cut_at_any_octet_of_what_is_not_signed_for_leaves_the_run_open() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let (records, notes) = (fs::read(folder.records()).unwrap(), fs::read(folder.checkpoints()).unwrap());
    for cut in 0..=records.len() {
        judge_cut(&folder, &records[..cut], &notes);
    }
    for cut in 0..=notes.len() {
        judge_cut(&folder, &records, &notes[..cut]);
    }
}

#[test]
fn a_torn_line_is_a_remark_that_counts_its_octets_and_says_what_follows_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let mut records = fs::read(folder.records()).unwrap();
    records.extend_from_slice(b"{\"n\":13,\"at\"");
    fs::write(folder.records(), &records).unwrap();
    let verification = check(&folder);
    let last = verification.records - 1;
    assert_eq!(verification.torn, [Torn::Record { after: last, octets: 12 }]);
    let said = verification.to_string();
    assert!(
        said.contains(&format!("remark: 12 octets of a line that never ended follow record {last}")),
        "{said}"
    );
    assert!(said.contains("open: no final checkpoint") && said.contains("nobody was told of it"), "{said}");
}

#[test]
fn the_same_octets_behind_a_final_checkpoint_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let (records, notes) = (fs::read(folder.records()).unwrap(), fs::read(folder.checkpoints()).unwrap());
    let count = records.iter().filter(|octet| **octet == b'\n').count() as u64;
    fs::write(folder.records(), [&records[..], b"{\"n\":13,\"at\""].concat()).unwrap();
    assert_eq!(first_wrong(&folder), Place::Record(count));
    assert_eq!(check(&folder).standing, Standing::Broken);
    fs::write(folder.records(), &records).unwrap();
    fs::write(folder.checkpoints(), [&notes[..], b"lab/run-1\n14"].concat()).unwrap();
    assert!(matches!(first_wrong(&folder), Place::Checkpoint(_)));
    // A last line that lost no more than its line feed is signed for: it is missing.
    fs::write(folder.checkpoints(), &notes).unwrap();
    fs::write(folder.records(), &records[..records.len() - 1]).unwrap();
    assert_eq!(first_wrong(&folder), Place::Record(count - 1));
}

#[test]
fn a_line_behind_the_last_record_of_a_run_is_found_before_it_is_signed_too() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let notes = fs::read_to_string(folder.checkpoints()).unwrap();
    let last = notes.match_indices("lab/run-1\n").last().unwrap().0;
    fs::write(folder.checkpoints(), &notes[..last]).unwrap();
    let records = [&fs::read(folder.records()).unwrap()[..], b"{\"n\""].concat();
    fs::write(folder.records(), &records).unwrap();
    assert_eq!(check(&folder).standing, Standing::Broken);
    let refused = Recorder::resume_at(at(100), folder.clone(), key()).unwrap_err();
    assert!(refused.to_string().contains("after the end of the run"), "{refused}");
    assert_eq!(fs::read(folder.records()).unwrap(), records, "nothing was touched");
}

#[test]
fn what_is_no_beginning_of_a_checkpoint_of_this_run_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dead_run(dir.path());
    let notes = fs::read(folder.checkpoints()).unwrap();
    let long = format!("lab/run-1\n14\nAAAA\n\n— lab {}", "A".repeat(93));
    for strange in ["x", "lab/run-2\n", "lab/run-1\n14\n\n— lab A\n", "lab/run-1\n\n- ", &long, "\n"] {
        fs::write(folder.checkpoints(), [&notes[..], strange.as_bytes()].concat()).unwrap();
        let verification = check(&folder);
        assert_eq!(verification.standing, Standing::Broken, "{strange:?}: {verification}");
        assert!(matches!(verification.findings[0].place, Place::Checkpoint(_)), "{strange:?}");
    }
}

/// What the disk holds at any moment of a run's life: the lines octet by octet, each checkpoint behind the lines it covers.
#[test]
fn a_run_that_is_being_written_is_never_broken_at_any_octet_of_its_life() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let (records, notes) = (fs::read(folder.records()).unwrap(), fs::read(folder.checkpoints()).unwrap());
    let text = std::str::from_utf8(&notes).unwrap();
    let ends: Vec<usize> =
        (0..records.len()).filter(|at| records[*at] == b'\n').map(|line_feed| line_feed + 1).collect();
    let (mut rest, mut written) = (text, 0);
    while let Ok((note, after)) = Note::take(rest) {
        let size = checkpoint::Checkpoint::from_text(note.text).unwrap().size;
        let end = ends[usize::try_from(size).unwrap() - 1];
        let (begun, whole) = (text.len() - rest.len(), text.len() - after.len());
        let is_first = begun == 0;
        for octet in (written..=end).filter(|_| !is_first) {
            fs::write(folder.records(), &records[..octet]).unwrap();
            fs::write(folder.checkpoints(), &notes[..begun]).unwrap();
            assert_eq!(check(&folder).standing, Standing::Open, "{}", check(&folder));
        }
        fs::write(folder.records(), &records[..end]).unwrap();
        // The folder has its name only once its first checkpoint is whole.
        for octet in (begun..whole).filter(|_| !is_first) {
            fs::write(folder.checkpoints(), &notes[..octet]).unwrap();
            assert_eq!(check(&folder).standing, Standing::Open, "{}", check(&folder));
        }
        (rest, written) = (after, end);
    }
    fs::write(folder.checkpoints(), &notes).unwrap();
    assert!(check(&folder).is_sound());
}

/// The check of a run while its writer writes, dies torn, and is followed by another, over and over.
#[test]
fn a_live_log_verified_while_it_is_written_and_resumed_is_never_broken() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Some(open_run(dir.path(), key()));
    let folder = recorder.as_ref().unwrap().folder().clone();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let checker = scope.spawn(|| {
            let (mut checks, mut over) = (0, false);
            while !over {
                over = done.load(Ordering::Acquire);
                let verification = check(&folder);
                assert!(matches!(verification.standing, Standing::Open | Standing::Sound), "{verification}");
                checks += 1;
            }
            checks
        });
        for life in 0..20 {
            let mut writer = recorder.take().unwrap();
            for n in 0..20 {
                writer.blob(format!("{life}-{n}").as_bytes()).unwrap();
                writer.append_at(at(6), super::note(&"long ".repeat(n * 200))).unwrap();
            }
            writer.checkpoint().unwrap();
            drop(writer);
            let torn = "torn ".repeat(life * 300);
            let mut file = fs::OpenOptions::new().append(true).open(folder.records()).unwrap();
            std::io::Write::write_all(&mut file, torn.as_bytes()).unwrap();
            recorder = Some(Recorder::resume_at(at(7), folder.clone(), key()).unwrap().recorder);
        }
        recorder.take().unwrap().finish_at(at(9), RunEnd::Completed).unwrap();
        done.store(true, Ordering::Release);
        assert!(checker.join().expect("never broken") > 1);
    });
    assert!(check(&folder).is_sound());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_files_cut_anywhere_are_open_or_truncated_and_resume_mends_what_is_open(
        records_cut in 0.0..1.0_f64, notes_cut in 0.0..1.0_f64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dead_run(dir.path());
        let (records, notes) = (fs::read(folder.records()).unwrap(), fs::read(folder.checkpoints()).unwrap());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let place = |length: usize, part: f64| (length as f64 * part) as usize;
        let (records, notes) = (&records[..place(records.len(), records_cut)], &notes[..place(notes.len(), notes_cut)]);
        judge_cut(&folder, records, notes);
        let was = check(&folder);
        let resumed = Recorder::resume_at(at(100), folder.clone(), key());
        prop_assert_eq!(resumed.is_ok(), was.standing == Standing::Open, "{}", was);
        let whole = records.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        prop_assert!(fs::read(folder.records()).unwrap().starts_with(&records[..whole]));
        if let Ok(resumed) = resumed {
            resumed.recorder.finish_at(at(200), RunEnd::Completed).unwrap();
            let mended = check(&folder);
            prop_assert!(mended.is_sound() && mended.torn.is_empty(), "{}", mended);
        }
    }
}
