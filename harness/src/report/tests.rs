//! The report of a small run, octet for octet, and that every reference in it leads somewhere.

use std::collections::BTreeSet;

use proto_lab::record::Record;

use super::*;
use crate::dmct::EntryStatus;
use crate::gate::sample::{input, ledger, passing, records, run_with, simulated};
use crate::gate::{DmctGate, DmctResult, RecordRef};
use proto_lab::record::Verdict;

fn report_of(runs: &[&[Record]]) -> DmctReport {
    let ledger = ledger(runs);
    let gate = DmctGate::decide(&ledger, &input());
    make(&ledger, &gate, "2026-11-22T09:00:00Z".parse().unwrap())
}

fn blobs(_: &proto_lab::Digest) -> Option<Vec<u8>> {
    Some(b"<Response/>".to_vec())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

#[test]
fn json_of_a_small_run() {
    insta::assert_snapshot!(report_of(&[&records()]).to_json().unwrap());
}

#[test]
fn html_of_a_small_run() {
    insta::assert_snapshot!(report_html(&report_of(&[&records()]), &Places::beside()).unwrap());
}

#[test]
fn page_of_records_of_a_small_run() {
    insta::assert_snapshot!(records_html(&"run-1".parse().unwrap(), &records(), &blobs).unwrap());
}

#[test]
fn json_reads_back_and_unknown_fields_are_refused() {
    let report = report_of(&[&records()]);
    let json = report.to_json().unwrap();
    assert_eq!(serde_json::from_str::<DmctReport>(&json).unwrap(), report);
    let other = json.replacen("\"schema\"", "\"more\": 1, \"schema\"", 1);
    assert!(serde_json::from_str::<DmctReport>(&other).is_err());
}

#[test]
fn every_link_leads_to_an_anchor() {
    let records = records();
    let report = report_html(&report_of(&[&records]), &Places::beside()).unwrap();
    let page = records_html(&"run-1".parse().unwrap(), &records, &blobs).unwrap();
    for target in between(&report, "href=\"records.html#", "\"") {
        assert!(page.contains(&format!("<article id=\"{target}\"")), "{target}");
    }
    for (document, own) in
        [(&report, between(&report, "href=\"#", "\"")), (&page, between(&page, "href=\"#", "\""))]
    {
        for target in own {
            assert!(document.contains(&format!("id=\"{target}\"")), "{target}");
        }
    }
}

#[test]
fn every_figure_leads_to_records_one_for_each_that_was_counted() {
    let report = report_of(&[&records()]);
    let figures = report.packs.iter().map(|p| &p.figures).chain([&report.figures]);
    for f in figures {
        assert!(!f.planned.records.is_empty());
        for figure in [&f.run, &f.passed, &f.passed_on_retry, &f.failed, &f.undecided, &f.not_run] {
            let different: BTreeSet<&RecordRef> = figure.records.iter().collect();
            // Nothing counted leads to the ends of the run, between which there is nothing.
            let expected = if figure.value == 0 { 2 } else { figure.value };
            assert_eq!(expected, different.len() as u64);
        }
        assert_eq!(f.planned.value, f.run.value + f.not_run.value);
        assert_eq!(f.run.value, f.passed.value + f.failed.value + f.undecided.value);
    }
    assert_eq!(report.figures.passed_on_retry.value, 1);
}

#[test]
fn the_heatmap_adds_up_to_the_figures_of_all_tests() {
    let report = report_of(&[&records()]);
    let sum = |of: &dyn Fn(&Figures) -> &Figure| {
        report.groups.iter().map(|row| of(&row.figures).value).sum::<u64>()
    };
    let all = &report.figures;
    assert!(report.groups.len() > 1 && report.groups.iter().rev().skip(1).all(|row| row.group.is_some()));
    assert_eq!(sum(&|f| &f.planned), all.planned.value);
    assert_eq!(sum(&|f| &f.passed), all.passed.value);
    assert_eq!(sum(&|f| &f.failed), all.failed.value);
    assert_eq!(sum(&|f| &f.undecided), all.undecided.value);
    assert_eq!(sum(&|f| &f.not_run), all.not_run.value);
    let page = report_html(&report, &Places::beside()).unwrap();
    assert!(page.contains("Heatmap") && page.contains("no group recorded"), "the heatmap is on the page");
}

#[test]
fn pages_need_nothing_from_outside_and_run_nothing() {
    let report = report_html(&report_of(&[&passing()]), &Places::beside()).unwrap();
    let page = records_html(&"run-1".parse().unwrap(), &passing(), &blobs).unwrap();
    for document in [&report, &page] {
        assert!(!document.contains("src=") && !document.contains("<script") && !document.contains("<link"));
        for target in between(document, "href=\"", "\"") {
            assert!(!target.contains("//"), "{target}");
        }
    }
}

#[test]
fn what_a_device_says_cannot_become_markup() {
    let mut records = records();
    if let proto_lab::record::Body::RunStarted(started) = &mut records[0].body {
        started.devices[0].found.as_mut().unwrap().model = "<script>alert(1)</script>".into();
    }
    let report = report_html(&report_of(&[&records]), &Places::beside()).unwrap();
    let blob = |_: &proto_lab::Digest| Some(b"</pre><script>".to_vec());
    let page = records_html(&"run-1".parse().unwrap(), &records, &blob).unwrap();
    assert!(!report.contains("<script") && !page.contains("<script"));
}

#[test]
fn an_undecided_run_makes_a_draft_that_says_so() {
    let report = report_of(&[&run_with("run-1", Verdict::Error, true)]);
    assert_eq!(report.status, ReportStatus::Draft);
    assert!(
        report_html(&report, &Places::beside()).unwrap().contains("do not allow this report to be issued")
    );
    let nothing = report_of(&[]);
    assert!(report_html(&nothing, &Places::beside()).unwrap().contains("No run was found"));
}

#[test]
fn a_report_that_rests_on_simulated_devices_is_a_draft_and_says_so_first() {
    let report = report_of(&[&simulated(&passing())]);
    assert_eq!((report.status, report.outcome.result), (ReportStatus::Draft, DmctResult::Passed));
    assert_eq!(report.draft_because.len(), 1);
    let reason = "this rests on simulated devices: ESME 90-B3-D5-1F-30-00-00-02";
    assert!(report.draft_because[0].contains(reason) && report.to_json().unwrap().contains(reason));
    assert_eq!(report.outcome.reasons, Vec::<String>::new(), "it is no reason not to pass");
    let page = report_html(&report, &Places::beside()).unwrap();
    let (header, _) = page.split_once("</header>").unwrap();
    assert!(
        header.contains(reason) && header.contains("Passed") && !header.contains("banner good"),
        "{header}"
    );
}

#[test]
fn the_entrys_way_through_the_process_is_shown_with_clauses_and_records() {
    let report = report_of(&[&passing()]);
    let page = report_html(&report, &Places::beside()).unwrap();
    let (_, process) = page.split_once("id=\"process\"").unwrap();
    for (status, clause) in
        [("planned", "20.9"), ("in test", "20.13"), ("passed", "20.28(f)"), ("reportable", "20.26")]
    {
        assert!(process.contains(&format!("{status}</th><td>{clause}</td>")), "{status}");
    }
    assert!(report.draft_because.is_empty() && report.history.status() == EntryStatus::Reportable);
}

#[test]
fn links_of_several_runs_lead_into_their_folders() {
    let places = Places::beside().with("run-1".parse().unwrap(), "../run-1/");
    let at = |run: &str| RecordRef { run: run.parse().unwrap(), record: proto_lab::record::Sequence(12) };
    assert_eq!(places.href(&at("run-1")), "../run-1/records.html#r12");
    assert_eq!(places.href(&at("run-2")), "records.html#r12");
}

#[test]
fn octets_that_are_no_text_are_shown_in_hexadecimal_and_only_so_many() {
    let long = |_: &proto_lab::Digest| Some(vec![0xE6; 5000]);
    let page = records_html(&"run-1".parse().unwrap(), &records(), &long).unwrap();
    assert!(page.contains("0000  e6 e6") && page.contains("5000 octets, the first 2048 shown"));
    let none = |_: &proto_lab::Digest| None;
    assert!(records_html(&"run-1".parse().unwrap(), &records(), &none).unwrap().contains(": missing"));
}

/// A run with migrations that ended in every way, and one that is under way still.
fn migrating() -> Vec<Record> {
    use proto_lab::record::{Body, MigrationClass, MigrationEvent};
    let mut started = crate::gate::sample::first("run-1");
    started.dmc.stands_for = vec![proto_lab::record::EntryStoodFor {
        epcl_entry: "epcl-1-active".into(),
        installation: "active".into(),
        smso: "Lab SMSO".into(),
    }];
    let mut run = crate::gate::sample::Run::begin(started);
    let mut event = |hub: u8, stage: &str, code: Option<&str>, class, detail: &str| {
        run.add(Body::Migration(MigrationEvent {
            installation: format!("00-DB-12-34-56-78-90-{hub:02X}"),
            stage: stage.into(),
            detail: detail.into(),
            code: code.map(str::to_owned),
            class,
            attempt: Some(1),
        }));
    };
    event(2, "authorised", None, None, "authorised");
    event(2, "refused", Some("MA110"), Some(MigrationClass::Refused), "the ESME's firmware is X");
    event(2, "refused", Some("MA110"), Some(MigrationClass::Refused), "the ESME's firmware is Y");
    event(2, "rolled-back", Some("LAB-HAN"), Some(MigrationClass::RolledBack), "the ESME does not answer");
    event(
        2,
        "excluded",
        Some("LAB-KEYS-MISSING"),
        Some(MigrationClass::Excluded),
        "a key of the ESME is missing",
    );
    event(1, "migrated", Some("GT01"), Some(MigrationClass::Migrated), "electricity only");
    event(3, "validated", None, None, "5 devices match");
    run.end()
}

#[test]
fn migrations_are_counted_by_result_class_with_code_and_reason_for_each_installation() {
    let report = report_of(&[&migrating()]);
    let migrations = report.migrations.as_ref().expect("migrations");
    let counts = migrations.classes().map(|(class, figure)| (class.to_string(), figure.value));
    let counted = [("migrated", 1), ("refused", 2), ("rolled back", 1), ("excluded", 1)];
    assert_eq!(counts, counted.map(|(class, count)| (class.to_owned(), count)));
    let [first, second] = &migrations.installations[..] else { panic!("what is under way has not ended") };
    assert_eq!((first.ended.len(), second.ended.len()), (1, 3), "one way of ending is one row");
    assert_eq!(second.ended[0].reason, "the ESME's firmware is X");
    assert_eq!(second.ended[0].times.records.len(), 2);
    let page = report_html(&report, &Places::beside()).unwrap();
    insta::assert_snapshot!(
        page.split_once("<h3>How migrations ended</h3>").unwrap().1.split_once("<h3>").unwrap().0
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(migrations).unwrap());
    let read: DmctReport = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(read, report);
    assert!(report_of(&[&passing()]).migrations.is_none(), "a run that migrates nothing says nothing of it");
}

#[test]
fn what_dormant_only_testing_stands_for_is_said_with_the_rule() {
    let report = report_of(&[&migrating()]);
    let entry = report.planned_entry.as_ref().expect("an entry");
    let covered = &entry.stands_for[0];
    assert_eq!((covered.epcl_entry.as_str(), covered.clause.as_str()), ("epcl-1-active", "20.9"));
    let page = report_html(&report, &Places::beside()).unwrap();
    assert!(page.contains("epcl-1-active (active, Lab SMSO), which is not tested itself: 20.9"), "{page}");
}

#[test]
fn migration_tested_under_the_mtad_is_decided_by_what_the_runs_recorded() {
    use proto_lab::record::{Body, MtadDetermination, NotRunKind};
    let mut started = crate::gate::sample::first("run-1");
    started.dmc.mtad = Some(MtadDetermination { tab: "TAB, item 3".into(), panel: Some("Panel, 7".into()) });
    let records = crate::gate::sample::without_migration(started, NotRunKind::DeScoped, "the TAB, item 3");
    let ledger = ledger(&[&records]);
    let recorded = crate::gate::MigrationTesting::recorded(&ledger);
    let gate = DmctGate::decide(&ledger, &crate::gate::GateInput { migration: recorded, ..input() });
    assert_eq!(gate.result(), DmctResult::Passed, "{gate:#?}");
    let page = report_html(&make(&ledger, &gate, "2026-11-22T09:00:00Z".parse().unwrap()), &Places::beside());
    let page = page.unwrap();
    assert!(page.contains("determined by the TAB: TAB, item 3") && page.contains("20.14"), "{page}");
    // Without the determination the same run has shown nothing of migration, whose pack was not run.
    let mut records = records;
    if let Some(Body::RunStarted(started)) = records.first_mut().map(|first| &mut first.body) {
        started.dmc.mtad = None;
    }
    let ledger = crate::gate::sample::ledger(&[&records]);
    let gate = DmctGate::decide(&ledger, &input());
    assert_eq!(gate.result(), DmctResult::Undecided);
}
