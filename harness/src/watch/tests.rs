//! Live and replayed progress are the same lines.

use proto_lab::record::Body;

use super::*;
use crate::evidence::RunFolder;
use crate::gate::sample;

#[test]
fn the_lines_of_a_small_run() {
    let mut progress = Progress::new();
    let lines: Vec<String> = sample::records()
        .iter()
        .flat_map(|record| progress.apply(record))
        .map(|line| {
            let verdict = line.verdict.map(|v| v.to_string()).unwrap_or_default();
            format!("{:>3} {:12?} {verdict:12} {}", line.sequence, line.kind, line.text)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(progress.done(), (5, 5));
    assert!(progress.finished().is_some());
}

#[test]
fn scripts_chosen_to_be_witnessed_are_said_to_be() {
    let mut records = sample::records();
    let Body::RunStarted(started) = &mut records[0].body else {
        panic!("a run begins with its first record")
    };
    let script = started.plan[0].script.clone();
    started.witnessed = vec![script.clone()];
    let mut progress = Progress::new();
    let lines: Vec<ProgressLine> = records.iter().flat_map(|record| progress.apply(record)).collect();
    assert_eq!(lines[1].text, format!("to be witnessed: {script}"));
    let of_scripts = lines.iter().filter(|line| line.kind == LineKind::Script && line.text.starts_with('['));
    for line in of_scripts {
        assert_eq!(
            line.text.contains(", witnessed"),
            line.text.contains(&format!("/{script}")),
            "{}",
            line.text
        );
    }
}

#[test]
fn what_runs_now_is_named_until_it_ends() {
    let mut progress = Progress::new();
    let mut seen = Vec::new();
    for record in sample::records() {
        progress.apply(&record);
        seen.push((progress.script().map(str::to_owned), progress.step().map(str::to_owned)));
    }
    let (script, step) = &seen[2];
    assert_eq!(script.as_deref(), Some("Commission the installation"));
    assert_eq!(step.as_deref(), Some("step 1: commission the ESME"));
    assert_eq!(seen.last(), Some(&(None, None)));
}

#[test]
fn a_follower_sees_each_record_once_and_never_half_a_line() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(dir.path());
    let records = sample::records();
    let mut file = std::fs::File::create(folder.records()).unwrap();
    let mut follow = Follow::open(folder).unwrap();
    let mut seen = Vec::new();
    for record in &records {
        let line = record.to_line().unwrap();
        let (first, second) = line.as_bytes().split_at(line.len() / 2);
        file.write_all(first).unwrap();
        assert_eq!(follow.poll().unwrap(), []);
        assert!(!follow.is_finished());
        file.write_all(second).unwrap();
        seen.extend(follow.poll().unwrap());
    }
    assert_eq!(seen, records);
    assert!(follow.is_finished());
}

#[test]
fn a_line_that_is_no_record_is_named_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(dir.path());
    let first = sample::records()[0].to_line().unwrap();
    std::fs::write(folder.records(), format!("{first}{{}}\n")).unwrap();
    let error = Follow::open(folder).unwrap().poll().unwrap_err();
    assert!(error.to_string().contains("record 1"), "{error}");
}

#[test]
fn a_line_without_end_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(dir.path());
    std::fs::write(folder.records(), vec![b'x'; proto_lab::record::MAX_LINE + 1]).unwrap();
    let error = Follow::open(folder).unwrap().poll().unwrap_err();
    assert!(error.to_string().contains("record 0"), "{error}");
}
