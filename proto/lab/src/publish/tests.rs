use super::*;
use crate::record::{AlertMatch, AlertSeen, Note, SafeState, ScriptFinished, Sequence, Verdict};

fn record(n: u64, body: Body) -> Record {
    Record::new(Sequence(n), "2026-11-22T14:00:00Z".parse().unwrap(), body)
}

fn shown(all: &[Publication]) -> String {
    let line = |p: &Publication| {
        let retained = if p.retained { "retained" } else { "event" };
        format!("{} {retained} {}", p.topic, String::from_utf8_lossy(&p.payload))
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Golden. If this fails, do not change the test: dashboards read these.
#[test]
fn golden_messages_of_a_run() {
    let run: RunId = "20261122T140000Z-1f3a".parse().unwrap();
    let mut fold = RunFold::new(Topics::of("embedded"), &run);
    let alert = AlertSeen {
        code: "0x81A5".into(),
        device: "00-DB-12-34-56-78-90-03".into(),
        matched: AlertMatch::Unexpected,
        blob: None,
    };
    let bodies = [
        Body::Note(Note { who: "stations".into(), what: "lease given back".into() }),
        Body::Alert(alert),
        Body::SafeState(SafeState { reached: true, detail: "supply enabled already".into() }),
        Body::ScriptFinished(ScriptFinished { started: Sequence(0), verdict: Verdict::Pass, reason: None }),
    ];
    let mut all = vec![fold.topics.online(true), fold.topics.online(false)];
    for (n, body) in (0..).zip(bodies) {
        all.extend(fold.take(&record(n, body)));
    }
    insta::assert_snapshot!(shown(&all));
}

/// Golden, as above.
#[test]
fn golden_messages_of_a_book() {
    let mut fold = BookFold::new(Topics::of("embedded"));
    let came = LabEvent::StationCame { station: "bench-2".into(), links: vec!["optical".into()] };
    let went = LabEvent::StationWent { station: "bench-2".into(), reason: "it closed the session".into() };
    let mut all = Vec::new();
    for (n, event) in (0..).zip([came.clone(), went.clone(), went, came]) {
        all.extend(fold.take(&record(n, Body::Lab(Box::new(event)))));
    }
    insta::assert_snapshot!(shown(&all));
}

#[test]
fn names_from_elsewhere_make_no_levels_and_no_wildcards() {
    assert_eq!(Topics::of("a/b#+").status(), "smets1-lab/v1/a_b__/status");
}

#[test]
fn what_is_of_steps_is_for_watchers() {
    let run: RunId = "r".parse().unwrap();
    let mut fold = RunFold::new(Topics::of("lab"), &run);
    let many = Body::Prepared(crate::record::Prepared { what: "keys".into(), blob: None });
    assert!(fold.take(&record(0, many)).is_empty());
}
