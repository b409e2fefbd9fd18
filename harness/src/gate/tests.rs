//! Each criterion, holding and not.

use proptest::prelude::*;
use proto_lab::Digest;
use proto_lab::record::*;

use super::sample::{case, first, input, ledger, passing, records, run_with};
use super::*;
use crate::evidence::Standing;

fn decide(records: &[Record]) -> DmctGate {
    DmctGate::decide(&ledger(&[records]), &input())
}

fn found<'a>(gate: &'a DmctGate, clause: &str) -> &'a Criterion {
    gate.criteria.iter().find(|c| c.clause == clause).expect("a criterion of this clause")
}

/// Of a clause with several criteria, the one of this title.
fn titled<'a>(gate: &'a DmctGate, title: &str) -> &'a Criterion {
    gate.criteria.iter().find(|c| c.title == title).expect("a criterion of this title")
}

#[test]
fn a_combination_whose_packs_pass_has_passed() {
    let gate = decide(&passing());
    assert_eq!(gate.result(), DmctResult::Passed, "{gate:#?}");
    assert!(gate.criteria.iter().all(|c| c.holds && !c.records.is_empty()));
}

#[test]
fn a_failed_test_fails_the_combination_and_the_report_may_be_issued() {
    let gate = decide(&records());
    assert_eq!((gate.may_issue_report(), gate.result()), (true, DmctResult::Failed));
    let criterion = found(&gate, "20.15(b)");
    assert!(!criterion.holds && criterion.found.contains("srvt-ioc/top-up: fail"), "{criterion:?}");
    assert_eq!(criterion.records.len(), 1);
}

#[test]
fn an_inconclusive_or_stopped_test_leaves_the_result_undecided() {
    for verdict in [Verdict::Inconclusive, Verdict::Aborted, Verdict::Error] {
        let gate = decide(&run_with("run-1", verdict, true));
        assert_eq!(gate.result(), DmctResult::Undecided);
        assert!(!titled(&gate, "Testing has completed").holds);
    }
    let stopped = sample::Run::begin(first("run-1")).end();
    assert_eq!(decide(&stopped).result(), DmctResult::Undecided);
}

#[test]
fn evidence_that_is_not_sound_holds_the_report() {
    let records = passing();
    for standing in [Standing::SignerUnknown, Standing::Open, Standing::Broken] {
        let run = RunRecords { records: &records, standing, root: Digest::of(b"") };
        let gate = DmctGate::decide(&Ledger::of(&[run]), &input());
        assert!(!gate.may_issue_report() && !found(&gate, "20.28(d)").holds);
    }
}

#[test]
fn no_run_is_nothing_to_report() {
    let gate = DmctGate::decide(&Ledger::of(&[]), &input());
    assert_eq!(gate.result(), DmctResult::Undecided);
}

#[test]
fn a_pack_that_is_neither_standard_nor_agreed_holds_the_report() {
    let mut started = first("run-1");
    started.packs[1].lock = Digest::of(b"edited");
    let with = |started: &RunStarted| {
        let mut records = passing();
        records[0].body = Body::RunStarted(Box::new(started.clone()));
        found(&decide(&records), "20.15").clone()
    };
    assert!(with(&started).found.contains("has lock"));

    let agreed =
        Agreement { by: "TAG".into(), on: jiff::civil::date(2026, 10, 1), reference: "TAG minutes".into() };
    let rationale = "no prepayment in this combination".to_owned();
    started.packs[1].non_standard =
        Some(NonStandardPack { rationale: rationale.clone(), agreed: Some(agreed.clone()) });
    assert!(with(&started).holds, "{:?}", with(&started));

    let unsaid = Agreement { by: " ".into(), ..agreed };
    started.packs[1].non_standard =
        Some(NonStandardPack { rationale: rationale.clone(), agreed: Some(unsaid) });
    assert!(!with(&started).holds);

    started.packs[1].non_standard = Some(NonStandardPack { rationale, agreed: None });
    assert!(with(&started).found.contains("nobody has agreed to it"));
    assert!(with(&started).found.contains("was not run"));
}

#[test]
fn each_standard_pack_of_the_release_must_be_run() {
    let second = |lock: &[u8], release: &str| StandardPack {
        purpose: PackPurpose::ServiceReferenceVariant,
        release: release.into(),
        lock: Digest::of(lock),
    };
    let with = |standard: StandardPack, first: bool| {
        let mut input = input();
        input.standard.insert(if first { 0 } else { 2 }, standard);
        found(&DmctGate::decide(&ledger(&[&passing()]), &input), "20.15").clone()
    };
    for first in [true, false] {
        let criterion = with(second(b"second", "IOC"), first);
        assert!(!criterion.holds && criterion.found.contains("was not run"), "{criterion:?}");
        assert!(!criterion.found.contains("has lock"), "the pack that was run is standard: {criterion:?}");
        assert!(with(second(b"second", "MOC"), first).holds);
    }
    let bound_only = sample::Run::begin(first("run-1")).end();
    assert!(found(&decide(&bound_only), "20.15").found.contains("was not run"));
}

#[test]
fn simulated_devices_let_the_tests_come_to_something_and_no_report_be_issued() {
    for (top_up, result) in [(Verdict::Pass, DmctResult::Passed), (Verdict::Fail, DmctResult::Failed)] {
        let gate = decide(&sample::simulated(&run_with("run-1", top_up, true)));
        assert_eq!((gate.result(), gate.may_issue_report()), (result, false));
        let criterion = found(&gate, "20.13, 8.5(c)");
        assert_eq!(criterion.needed_for, NeededFor::Issue);
        assert!(criterion.found.contains("rests on simulated devices: ESME 90-B3-D5-1F-30-00-00-02"));
        assert_eq!(criterion.records.len(), 1);
    }
}

#[test]
fn one_run_on_simulated_devices_among_others_is_named() {
    let (real, other) = (passing(), sample::simulated(&run_with("run-2", Verdict::Pass, true)));
    let gate = DmctGate::decide(&ledger(&[&real, &other]), &input());
    let criterion = found(&gate, "20.13, 8.5(c)");
    assert!(!criterion.holds);
    assert_eq!(criterion.records.iter().map(|r| r.run.as_str()).collect::<Vec<_>>(), ["run-2"]);
}

#[test]
fn a_pass_after_a_pass_is_no_pass_on_a_retry() {
    let (one, two) = (passing(), run_with("run-2", Verdict::Pass, true));
    let ledger = ledger(&[&one, &two]);
    let top_up = ledger.cases.iter().find(|c| c.case == case("srvt-ioc", "top-up")).unwrap();
    assert_eq!((top_up.attempts.len(), top_up.passed_on_retry()), (2, false));
}

#[test]
fn scripts_that_were_not_asked_for_leave_testing_incomplete() {
    let mut run = sample::Run::begin(first("run-1"));
    run.not_run(case("srvt-ioc", "top-up"), NotRunKind::NotSelected, "not among the scripts asked for");
    let gate = decide(&run.end());
    let criterion = titled(&gate, "Testing has completed");
    assert!(!criterion.holds && criterion.found.contains("not among the scripts asked for"), "{criterion:?}");
}

#[test]
fn an_open_testing_issue_fails_the_combination() {
    let gate = decide(&run_with("run-1", Verdict::Pass, false));
    assert_eq!(gate.result(), DmctResult::Failed);
    assert!(found(&gate, "20.19").found.contains("TI-7"));
}

#[test]
fn migration_under_the_mtad_stands_in_once_tab_and_panel_have_determined() {
    let records = passing();
    let by = |tab: Option<&str>, panel: Option<&str>| {
        let (tab, panel) = (tab.map(str::to_owned), panel.map(str::to_owned));
        let input = GateInput { migration: MigrationTesting::Mtad { tab, panel }, ..input() };
        DmctGate::decide(&ledger(&[&records]), &input).result()
    };
    assert_eq!(by(Some("TAB 12"), Some("Panel 34")), DmctResult::Passed);
    assert_eq!(by(Some("TAB 12"), None), DmctResult::Undecided);
    assert_eq!(by(None, Some("Panel 34")), DmctResult::Failed);
}

#[test]
fn runs_of_two_versions_or_two_combinations_make_no_report() {
    let (one, two) = (passing(), run_with("run-2", Verdict::Pass, true));
    assert!(DmctGate::decide(&ledger(&[&one, &two]), &input()).may_issue_report());
    let mut other = first("run-3");
    other.system.dcc_systems = "R1.6".into();
    other.dmc.id = "dmc-2".into();
    let other = sample::Run::begin(other).end();
    let gate = DmctGate::decide(&ledger(&[&one, &other]), &input());
    assert!(!found(&gate, "20.28(b)").holds && !found(&gate, "20.13").holds);
    let input = GateInput { production: Some("R2".into()), ..input() };
    assert!(!found(&DmctGate::decide(&ledger(&[&one]), &input), "20.28(b)").holds);
}

#[test]
fn a_device_not_as_declared_holds_the_report() {
    let mut started = first("run-1");
    started.devices[0].differences =
        vec![Difference { what: "firmware".into(), declared: "1.2.3".into(), found: "1.2.2".into() }];
    let gate = decide(&sample::Run::begin(started).end());
    assert!(found(&gate, "8.5(c)").found.contains("firmware: expected 1.2.3, found 1.2.2"));
}

#[test]
fn a_later_run_decides_and_every_attempt_is_kept() {
    let (failed, passed) = (records(), run_with("run-2", Verdict::Pass, true));
    let mut later = passed.clone();
    let hour = jiff::SignedDuration::from_hours(1);
    for record in &mut later {
        record.at += hour;
    }
    let ledger = ledger(&[&later, &failed]);
    let top_up = ledger.cases.iter().find(|c| c.case == case("srvt-ioc", "top-up")).unwrap();
    assert_eq!((top_up.verdict, top_up.attempts.len()), (Verdict::Pass, 2));
    assert!(top_up.passed_on_retry());
    assert_eq!(DmctGate::decide(&ledger, &input()).result(), DmctResult::Passed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_pass_needs_every_test_to_pass(verdicts in proptest::collection::vec(0..6usize, 5)) {
        let mut started = first("run-1");
        started.plan.clear();
        let mut run = sample::Run::begin(started.clone());
        for (n, verdict) in verdicts.iter().enumerate() {
            let pack = &started.packs[n % 2].id;
            let case = case(pack, &format!("s{n}"));
            match Verdict::ALL[*verdict] {
                Verdict::NotRun => run.not_run(case, NotRunKind::Stopped, "stopped"),
                verdict => run.script(case, "t", "a", 1, verdict),
            }
        }
        let all_pass = verdicts.iter().all(|v| Verdict::ALL[*v] == Verdict::Pass);
        let gate = decide(&run.end());
        prop_assert_eq!(gate.result() == DmctResult::Passed, all_pass);
    }
}
