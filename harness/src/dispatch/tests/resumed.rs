//! A run cut off after any of its records and gone on with by another controller.

use std::path::Path;

use proto_lab::record::{IssueRaised, Record};

use super::super::resume::close_what_was_under_way;
use super::*;
use crate::evidence::note::Note;
use crate::evidence::{Standing, checkpoint::Checkpoint, verify};

const SEED: u8 = 7;

fn key() -> LabKey {
    LabKey::from_seed("lab", SEED)
}

/// A whole run in this folder: the first script fails, the second passes, the third does not apply.
fn whole_run(root: &Path) -> RunFolder {
    let lab = Lab::embedded().expect("the embedded lab");
    let (plan, run) = (plan(false), RunFolder::new(root.join("run")));
    let mut started = first(&lab, &plan, &key());
    started.run = "run".parse().expect("a name");
    let book = Book::new(Recorder::create(run.clone(), started, key()).expect("a run folder"));
    let facts = Arc::new(Facts::of(&lab, &lab.rigs[0]));
    let mut rig = Rig { plays: vec![Ok(6)], ..Rig::default() };
    let steering = Steering::default();
    let end = runtime().block_on(conduct(&plan, &mut rig, &book, facts, &steering, Done::default()));
    book.finish(end.expect("evidence")).expect("evidence");
    run
}

/// A copy of the run as its writer left it that died after so many records.
fn cut(run: &RunFolder, records: usize, root: &Path) -> RunFolder {
    let cut = RunFolder::new(root.join("run"));
    for folder in [cut.blobs(), cut.captures()] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    for folder in ["blobs", "captures"] {
        for entry in std::fs::read_dir(run.root().join(folder)).expect("a folder") {
            let entry = entry.expect("a file");
            std::fs::copy(entry.path(), cut.root().join(folder).join(entry.file_name())).expect("a copy");
        }
    }
    std::fs::copy(run.key(), cut.key()).expect("a copy");
    let lines = std::fs::read_to_string(run.records()).expect("records");
    let kept: String = lines.split_inclusive('\n').take(records).collect();
    std::fs::write(cut.records(), kept).expect("records");
    let notes = std::fs::read_to_string(run.checkpoints()).expect("checkpoints");
    let (mut rest, mut whole) = (notes.as_str(), 0);
    while let Ok((note, after)) = Note::take(rest) {
        let covers = Checkpoint::from_text(note.text).map_or(u64::MAX, |checkpoint| checkpoint.size);
        if covers > records as u64 {
            break;
        }
        (rest, whole) = (after, notes.len() - after.len());
    }
    std::fs::write(cut.checkpoints(), &notes[..whole]).expect("checkpoints");
    cut
}

/// Goes on with it on a rig that answers as expected; gives the records and how many steps were done.
fn gone_on_with(run: &RunFolder) -> (Vec<Record>, usize) {
    let lab = Lab::embedded().expect("the embedded lab");
    let resumed = Recorder::resume(run.clone(), key()).expect("an open run");
    let outlook = Outlook::of(&resumed.records).expect("a run");
    let book = Book::new(resumed.recorder);
    close_what_was_under_way(&book, &outlook).expect("evidence");
    let facts = Arc::new(Facts::of(&lab, &lab.rigs[0]));
    let mut rig = Rig::default();
    let steering = Steering::default();
    let plan = plan(false);
    let end = runtime().block_on(conduct(&plan, &mut rig, &book, facts, &steering, outlook.done));
    book.finish(end.expect("evidence")).expect("evidence");
    assert_eq!(rig.safe, 2, "made safe before anything and at the end");
    (read_records(run).expect("records"), rig.steps)
}

#[test]
fn cut_off_after_any_record_a_run_decides_each_script_once_and_repeats_no_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = whole_run(folder.path());
    let all = read_records(&run).expect("records");
    let last = all.len() - 1;
    for records in 1..last {
        let folder = tempfile::tempdir().expect("a folder");
        let run = cut(&run, records, folder.path());
        let before = Outlook::of(&all[..records]).expect("a run");
        let stepped = all[..records].iter().filter(|r| matches!(r.body, Body::Intent(_))).count();
        let (after, steps) = gone_on_with(&run);
        assert_eq!(after[..records], all[..records], "cut after {records}: nothing acknowledged is lost");
        // One step a script, two scripts: a script that was begun is not begun again, whatever it had done by then.
        let begun = before.done.attempts.len();
        assert_eq!(steps, 2 - begun, "cut after {records}, {stepped} steps were begun");
        let tally = Tally::of(&after);
        for result in tally.cases() {
            assert!(
                result.attempts.len() + usize::from(result.not_run.is_some()) == 1,
                "{records}: {result:?}"
            );
        }
        if let Some(under_way) = &before.under_way {
            let result = tally.cases().iter().find(|result| result.case == under_way.case).expect("a case");
            assert_eq!(result.verdict, Verdict::Inconclusive, "cut after {records}");
            assert!(result.attempts[0].finished.is_some(), "it is recorded as ended");
        }
        let issues: Vec<&IssueRaised> = after
            .iter()
            .filter_map(|record| match &record.body {
                Body::IssueRaised(issue) => Some(issue),
                _ => None,
            })
            .collect();
        let mut names: Vec<&str> = issues.iter().map(|issue| issue.id.as_str()).collect();
        names.dedup();
        assert_eq!(names.len(), issues.len(), "each issue has a number of its own");
        let verification = verify(&run, &[key().verifier()]).expect("verified");
        assert_eq!(verification.standing, Standing::Sound, "cut after {records}: {verification}");
    }
}

#[test]
fn what_is_under_way_is_the_last_intent_that_no_verdict_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = read_records(&whole_run(folder.path())).expect("records");
    for (record, next) in all.iter().zip(1..) {
        let outlook = Outlook::of(&all[..next]).expect("a run");
        let open = outlook.under_way.and_then(|way| way.intent);
        match &record.body {
            Body::Intent(_) => assert_eq!(open, Some(record.sequence)),
            Body::Step(_) | Body::ScriptFinished(_) => assert_eq!(open, None),
            _ => {}
        }
    }
    assert_eq!(Outlook::of(&[]), None);
}
