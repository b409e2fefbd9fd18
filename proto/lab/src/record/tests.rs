//! The spelling of records is what the evidence hashes: these tests hold it fixed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::Digest;

fn at() -> Timestamp {
    "2026-11-21T21:14:05.123456Z".parse().unwrap()
}

fn case(script: &str) -> Case {
    Case { pack: "srvt-ioc".into(), script: script.into(), row: None, device: Some("esme".into()) }
}

fn identity() -> Identity {
    Identity {
        manufacturer: "Acme".into(),
        model: "E1".into(),
        hardware: "1.0".into(),
        firmware: "1.2.3".into(),
        configuration: "C1".into(),
    }
}

fn run_started() -> RunStarted {
    RunStarted {
        format: FORMAT,
        run: "run-1".parse().unwrap(),
        harness: "harness 0.1.0".into(),
        lab: "embedded".into(),
        lab_digest: Digest::of(b"lab"),
        rig: "rig-1".into(),
        dmc: DmcUnderTest {
            id: "dmc-1".into(),
            epcl_entry: "epcl-1".into(),
            release: "IOC".into(),
            installation: "dormant".into(),
            stands_for: vec![],
            mtad: None,
        },
        devices: vec![DeviceFound {
            name: "esme".into(),
            kind: "ESME".into(),
            eui64: "90-B3-D5-1F-30-00-00-02".into(),
            links: vec!["serial:///dev/ttyUSB0".into()],
            simulated: true,
            declared: identity(),
            found: Some(identity()),
            differences: vec![],
        }],
        system: SystemUnderTest {
            dcc_systems: "R1".into(),
            environment: "SIT-B".into(),
            parts: BTreeMap::new(),
        },
        packs: vec![PackBound {
            id: "srvt-ioc".into(),
            title: "Standard SRVT, IOC".into(),
            purpose: PackPurpose::ServiceReferenceVariant,
            release: "IOC".into(),
            lock: Digest::of(b"lock"),
            non_standard: None,
            baseline: None,
        }],
        plan: vec![case("read-import")],
        selected: vec![],
        witnessed: vec![],
        data_sets: vec![],
        key: SignerKey { verifier: "lab+00000000+AAAA".into(), ephemeral: false },
        previous: None,
        previous_run: None,
    }
}

fn started(script: &str, attempt: u32) -> Body {
    Body::ScriptStarted(Box::new(ScriptStarted {
        case: case(script),
        attempt,
        title: "Read the active import register".into(),
        digest: Digest::of(b"script"),
        covers: vec!["SR4.1.1".into()],
        group: Some("Reads".into()),
    }))
}

fn finished(started: u64, verdict: Verdict) -> Body {
    Body::ScriptFinished(ScriptFinished { started: Sequence(started), verdict, reason: None })
}

fn intent() -> Body {
    Body::Intent(Intent {
        part: Part::Test,
        step: 12,
        action: "read the active import register of esme".into(),
        stimulus: None,
    })
}

fn observed(intent: u64) -> Body {
    Body::Observed(Observation {
        intent: Sequence(intent),
        from: "optical".into(),
        values: BTreeMap::from([("value".to_owned(), "123456".to_owned())]),
        blobs: vec![],
        packets: None,
    })
}

fn passed(intent: u64) -> Body {
    Body::Step(StepVerdict { intent: Sequence(intent), verdict: Verdict::Pass, reason: None, failed: vec![] })
}

/// One of each body, with every optional field both absent and present somewhere.
fn bodies() -> Vec<Body> {
    let digest = Digest::of(b"blob");
    let capture = CaptureBound { file: "run.pcapng".into(), length: 96, sha256: digest, packets: 1 };
    vec![
        Body::RunStarted(Box::new(run_started())),
        Body::Prepared(Prepared { what: "tariff loaded".into(), blob: Some(digest) }),
        started("read-import", 1),
        intent(),
        Body::Message(Message {
            direction: Direction::Sent,
            party: "DCC".into(),
            what: "service request 4.1.1".into(),
            blob: digest,
            intent: Some(Sequence(3)),
        }),
        observed(3),
        Body::Observed(Observation {
            intent: Sequence(3),
            from: "DCC".into(),
            values: BTreeMap::new(),
            blobs: vec![digest],
            packets: Some(PacketRange { file: "run.pcapng".into(), first: 1, last: 4 }),
        }),
        Body::Alert(AlertSeen {
            code: "0x8F3E".into(),
            device: "90-B3-D5-1F-30-00-00-02".into(),
            matched: AlertMatch::Step(Sequence(3)),
            blob: Some(digest),
        }),
        Body::Alert(AlertSeen {
            code: "0x8F3E".into(),
            device: "90-B3-D5-1F-30-00-00-02".into(),
            matched: AlertMatch::Unexpected,
            blob: None,
        }),
        passed(3),
        Body::Step(StepVerdict {
            intent: Sequence(3),
            verdict: Verdict::Fail,
            reason: Some("1 of 2 expectations does not hold".into()),
            failed: vec![FailedExpectation {
                path: "value".into(),
                expected: "= 1".into(),
                found: "2".into(),
            }],
        }),
        Body::Migration(MigrationEvent {
            installation: "90-B3-D5-1F-30-00-00-01".into(),
            stage: "validated".into(),
            detail: "the migration file holds 1 installation".into(),
            code: None,
            class: None,
            attempt: None,
        }),
        finished(2, Verdict::Pass),
        Body::ScriptNotRun(ScriptNotRun {
            case: case("gas"),
            kind: NotRunKind::NotApplicable,
            reason: "the combination has no GSME".into(),
        }),
        Body::SafeState(SafeState { reached: true, detail: "supply enabled".into() }),
        Body::Note(Note { who: "operator".into(), what: "paused".into() }),
        Body::IssueRaised(IssueRaised {
            id: "TI-1".into(),
            severity: 3.try_into().unwrap(),
            summary: "register reads one too many".into(),
            route: Some(IssueRoute::Device),
            records: vec![Sequence(9)],
        }),
        Body::IssueResolved(IssueResolved {
            id: "TI-1".into(),
            how: "configuration changed".into(),
            route: Some(IssueRoute::Device),
            by: "Secretary of State".into(),
        }),
        Body::Capture(capture.clone()),
        Body::Repaired(Repaired {
            last: Sequence(11),
            cut: Some(digest),
            octets: 17,
            cut_checkpoint: None,
            unnamed: vec![],
        }),
        Body::RunFinished(RunFinished {
            verdict: Verdict::Pass,
            counts: Counts { pass: 1, ..Counts::default() },
            captures: vec![capture],
            reason: None,
            began: at(),
        }),
    ]
}

fn lines() -> Vec<String> {
    (0..).zip(bodies()).map(|(n, body)| Record::new(Sequence(n), at(), body).to_line().unwrap()).collect()
}

/// Golden: format 1. If this fails, do not change the test: old evidence would no longer verify. Raise `FORMAT`.
#[test]
fn golden_lines_of_format_1() {
    assert_eq!(FORMAT, 1);
    insta::assert_snapshot!(lines().concat());
}

#[test]
fn every_line_reads_back_as_the_record_it_came_from() {
    for (n, body) in (0..).zip(bodies()) {
        let record = Record::new(Sequence(n), at(), body);
        let line = record.to_line().unwrap();
        assert_eq!(Record::from_line(line.as_bytes()).unwrap(), record);
        assert!(line.contains(&format!(",\"{}\":{{", record.body.kind())), "{line}");
    }
}

#[test]
fn a_trivial_step_fits_400_octets() {
    let bodies = [intent(), observed(123_456), passed(123_456)];
    let octets: usize = (123_456..)
        .zip(bodies)
        .map(|(n, body)| Record::new(Sequence(n), at(), body).to_line().unwrap().len())
        .sum();
    assert!(octets <= 400, "{octets}");
}

#[test]
fn unknown_fields_and_bodies_are_refused() {
    let line = "{\"n\":1,\"at\":\"2026-11-21T21:14:05.123456Z\",\"note\":{\"who\":\"a\",\"what\":\"b\",\"when\":\"c\"}}\n";
    let error = Record::from_line(line.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("body of record 1") && error.contains("unknown field `when`"), "{error}");
    let line = "{\"n\":1,\"at\":\"2026-11-21T21:14:05.123456Z\",\"rumour\":{}}\n";
    assert!(Record::from_line(line.as_bytes()).is_err());
}

#[test]
fn another_spelling_of_the_same_record_is_refused() {
    let line = Record::new(Sequence(7), at(), passed(3)).to_line().unwrap();
    let spaced = line.replace("\"intent\":3", "\"intent\": 3");
    assert!(matches!(
        Record::from_line(spaced.as_bytes()),
        Err(LineError::NotCanonical { sequence: Sequence(7), at: 59 })
    ));
    let zero = line.replace("{\"n\":7", "{\"n\":07");
    assert!(matches!(Record::from_line(zero.as_bytes()), Err(LineError::NotCanonical { .. })));
    assert!(matches!(Record::from_line(line.trim_end().as_bytes()), Err(LineError::Torn)));
    let two = format!("{line}{line}");
    assert!(Record::from_line(two.as_bytes()).is_err());
}

#[test]
fn a_line_past_the_limit_is_not_written_and_leaves_the_buffer_as_it_was() {
    let note = Body::Note(Note { who: "a".into(), what: "x".repeat(MAX_LINE) });
    let mut buffer = b"before".to_vec();
    let error = Record::new(Sequence(0), at(), note).write_line(&mut buffer).unwrap_err();
    assert!(matches!(error, LineError::TooLong { .. }));
    assert_eq!(buffer, b"before");
}

#[test]
fn run_ids_are_safe_as_folder_names() {
    assert!("20261121T211405Z-embedded-1".parse::<RunId>().is_ok());
    for bad in ["", "..", "a/b", ".hidden", "a b", "a\n"] {
        assert!(bad.parse::<RunId>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_pass_on_a_retry_is_counted_and_shown_as_one() {
    let records: Vec<Record> = [
        Body::RunStarted(Box::new(run_started())),
        started("read-import", 1),
        finished(1, Verdict::Fail),
        started("read-import", 2),
        finished(3, Verdict::Pass),
    ]
    .into_iter()
    .zip(0..)
    .map(|(body, n)| Record::new(Sequence(n), at(), body))
    .collect();
    let tally = Tally::of(&records);
    let counts = tally.counts();
    assert_eq!((counts.pass, counts.fail, counts.pass_on_retry), (1, 0, 1));
    assert_eq!(tally.cases()[0].attempts[0].verdict, Verdict::Fail);
    assert_eq!(tally.cases()[0].decided, Some(Sequence(4)));
}

#[test]
fn a_pass_after_a_pass_is_no_pass_on_a_retry() {
    let mut tally = Tally::new();
    let bodies = [
        started("read-import", 1),
        finished(1, Verdict::Pass),
        started("read-import", 2),
        finished(3, Verdict::Pass),
    ];
    for (body, n) in bodies.iter().zip(1..) {
        tally.apply(Sequence(n), body);
    }
    assert_eq!(tally.cases()[0].attempts.len(), 2);
    assert_eq!((tally.counts().pass, tally.counts().pass_on_retry), (1, 0));
}

#[test]
fn the_reasons_a_script_is_not_run_have_these_names() {
    use NotRunKind::{Blocked, DeScoped, NotApplicable, NotSelected, Stopped};
    let names = serde_json::to_string(&[NotApplicable, DeScoped, Stopped, Blocked, NotSelected]).unwrap();
    assert_eq!(names, r#"["not-applicable","de-scoped","stopped","blocked","not-selected"]"#);
}

#[test]
fn a_non_standard_pack_says_whether_it_was_agreed() {
    let agreed =
        Agreement { by: "TAG".into(), on: jiff::civil::date(2026, 11, 1), reference: "minute 7".into() };
    let pack = NonStandardPack { rationale: "no gas".into(), agreed: Some(agreed) };
    let json = serde_json::to_string(&pack).unwrap();
    assert_eq!(
        json,
        r#"{"rationale":"no gas","agreed":{"by":"TAG","on":"2026-11-01","reference":"minute 7"}}"#
    );
    assert_eq!(serde_json::from_str::<NonStandardPack>(&json).unwrap(), pack);
    let alone = serde_json::to_string(&NonStandardPack { agreed: None, ..pack }).unwrap();
    assert_eq!(alone, r#"{"rationale":"no gas"}"#);
}

#[test]
fn an_open_script_counts_as_inconclusive_and_an_unstarted_one_as_not_run() {
    let mut tally = Tally::new();
    tally.apply(Sequence(0), &Body::RunStarted(Box::new(run_started())));
    assert_eq!(tally.counts().not_run, 1);
    tally.apply(Sequence(1), &started("read-import", 1));
    assert_eq!(tally.counts().inconclusive, 1);
    assert_eq!(tally.open(), Some((&case("read-import"), Sequence(1))));
    tally.apply(Sequence(2), &finished(9, Verdict::Pass));
    assert_eq!(tally.counts().inconclusive, 1, "a script is closed only by the record that names its start");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_octets_are_read_or_refused_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::from_line(&octets);
    }

    #[test]
    fn a_changed_octet_is_another_record_or_none(which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), bit in 0..8u8) {
        let lines = lines();
        let mut line = which.get(&lines).clone().into_bytes();
        let original = Record::from_line(&line).unwrap();
        let place = place.index(line.len());
        line[place] ^= 1 << bit;
        if let Ok(changed) = Record::from_line(&line) {
            prop_assert_ne!(changed, original);
        }
    }

    #[test]
    fn any_words_survive_the_line(who in ".{0,40}", what in ".{0,200}", n in any::<u64>(), micros in 0..4_000_000_000_000_000i64) {
        let at = Timestamp::from_microsecond(micros).unwrap();
        let record = Record::new(Sequence(n), at, Body::Note(Note { who, what }));
        let line = record.to_line().unwrap();
        prop_assert_eq!(Record::from_line(line.as_bytes()).unwrap(), record);
        prop_assert_eq!(line.matches('\n').count(), 1);
    }
}

/// What records say besides since migrations exchange files; a run without it reads as it always did.
#[test]
fn what_was_added_to_the_format_reads_back_as_it_was_written() {
    let stood_for = EntryStoodFor {
        epcl_entry: "epcl-1-active".into(),
        installation: "active".into(),
        smso: "Lab SMSO".into(),
    };
    let dmc = DmcUnderTest {
        id: "dmc-1".into(),
        epcl_entry: "epcl-1".into(),
        release: "IOC".into(),
        installation: "dormant".into(),
        stands_for: vec![stood_for],
        mtad: Some(MtadDetermination { tab: "minutes".into(), panel: None }),
    };
    let text = serde_json::to_string(&dmc).unwrap();
    assert_eq!(serde_json::from_str::<DmcUnderTest>(&text).unwrap(), dmc);
    let event = MigrationEvent {
        installation: "90-B3-D5-1F-30-00-00-01".into(),
        stage: "refused".into(),
        detail: "the ESME has firmware X".into(),
        code: Some("MA110".into()),
        class: Some(MigrationClass::Refused),
        attempt: Some(2),
    };
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<MigrationEvent>(&text).unwrap(), event);
    assert!(
        text.contains("\"class\":\"refused\"") && MigrationClass::RolledBack.to_string() == "rolled back"
    );
}
