//! Parties that are outside, end to end: `harness migrate` on the embedded lab, its devices on real links, with a Requesting Party
//! written in Python that knows the published schemas and nothing else of the harness, and with parties of the harness that run
//! as programs of their own. By folders, and over HTTPS with mutual TLS.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

mod programs;
mod town;

use serde_json::json;
use town::{By, Town};

/// Where and how each file of the Requesting Party is spoilt, and by which code it is refused.
const WAYS: [(&str, &str); 7] = [
    ("cut", "LAB-F01"),
    ("altered", "LAB-F02"),
    ("out-of-order", "LAB-F04"),
    ("for-another", "LAB-F05"),
    ("wrong-signer", "LAB-F06"),
    ("signed-by-another", "LAB-F07"),
    ("schema", "LAB-F08"),
];
/// The files of a Requesting Party, in their order.
const FILES: [&str; 4] =
    ["MigrationDemandResponse", "MigrationDemand", "MigrationCommonFile", "MigrationGroupFile"];

fn migrates_with_a_party_of_python(by: By) {
    let town = Town::new();
    let python = town.python(by, &json!({}));
    let migrated = town.migrates(&[]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    assert!(migrated.out.status.success(), "{said}");
    let classes: Vec<String> = migrated.ends().into_iter().map(|(class, ..)| class).collect();
    assert_eq!(classes, ["migrated", "rolled-back"], "{said}");
    assert_eq!(migrated.refusals(), Vec::<String>::new());
    for kind in FILES {
        assert_eq!(python.became(kind), ["taken"], "{kind}: {said}");
    }
}

#[test]
fn an_installation_migrates_whole_with_a_requesting_party_of_python_behind_a_folder() {
    migrates_with_a_party_of_python(By::Folder);
}

#[test]
fn an_installation_migrates_whole_with_a_requesting_party_of_python_over_https() {
    migrates_with_a_party_of_python(By::Https);
}

/// Every file of it comes spoilt in every way first, and as it should be then, and one more time after that: what is refused
/// is told to the party and recorded, and the migration goes on with what is not.
fn spoilt_files_are_refused(by: By) {
    let town = Town::new();
    let mut ways: Vec<&str> = WAYS.iter().map(|(how, _)| *how).collect();
    ways.push("replayed");
    let spoil = json!({
        "MigrationDemandResponse": ways, "MigrationCommonFile": ways, "MigrationGroupFile": ["altered", "cut"],
    });
    let python = town.python(by, &json!({ "spoil": spoil }));
    let migrated = town.migrates(&[]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    assert!(migrated.out.status.success(), "{said}");
    let refusals = migrated.refusals();
    for kind in ["MigrationDemandResponse", "MigrationCommonFile"] {
        for (how, code) in WAYS.into_iter().chain([("replayed", "LAB-F03")]) {
            let became = python.became(&format!("{kind} {how}"));
            assert!(became.len() == 1 && became[0].starts_with(code), "{kind} {how}: {became:?}, {said}");
            assert!(became[0].len() > code.len() + 10, "a reason: {became:?}");
            let recorded = refusals.iter().filter(|what| what.contains(&became[0])).count();
            assert!(recorded > 0, "{kind} {how} is in no record: {refusals:?}");
        }
    }
    assert!(refusals.iter().all(|what| what.starts_with("migration-control: LAB-F")), "{refusals:?}");
}

#[test]
fn files_of_a_party_behind_a_folder_that_are_spoilt_are_each_refused_by_code_and_the_migration_goes_on() {
    spoilt_files_are_refused(By::Folder);
}

#[test]
fn files_of_a_party_over_https_that_are_spoilt_are_each_refused_by_code_and_the_migration_goes_on() {
    spoilt_files_are_refused(By::Https);
}

/// It is told, and does not write the file anew: what came of it is the refusal, not a missing answer.
#[test]
fn a_spoilt_file_that_is_not_written_anew_ends_the_attempt_by_its_own_code() {
    let mut town = Town::new();
    town.answer_within = 20;
    let wrong = json!({ "spoil": { "MigrationCommonFile": ["altered"] }, "only": true });
    let python = town.python(By::Folder, &wrong);
    let migrated = town.migrates(&[]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    assert_eq!(migrated.out.status.code(), Some(1), "{said}");
    let ends = migrated.ends();
    let [(class, code, detail)] = &ends[..] else { panic!("one end: {ends:?}, {said}") };
    assert_eq!((class.as_str(), code.as_str()), ("refused", "LAB-F02"), "{said}");
    assert!(detail.contains("common file"), "{detail}");
}

#[test]
fn a_party_that_never_answers_is_not_waited_for_longer_than_the_lab_says() {
    let mut town = Town::new();
    town.answer_within = 2;
    let python = town.python(By::Folder, &json!({ "mute": ["MigrationDemandResponse"] }));
    let migrated = town.migrates(&[]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    let ends = migrated.ends();
    let [(class, code, _)] = &ends[..] else { panic!("one end: {ends:?}, {said}") };
    assert_eq!((class.as_str(), code.as_str()), ("refused", "LAB-NO-ANSWER"), "{said}");
}

/// Its answer of the first attempt comes in the second: nobody takes it for the second's.
fn late_answers_are_not_taken(by: By) {
    let mut town = Town::new();
    town.answer_within = 15;
    let python = town.python(by, &json!({ "late": ["MigrationDemandResponse"] }));
    let migrated = town.migrates(&["--attempts", "2"]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    assert!(migrated.out.status.success(), "{said}");
    let classes: Vec<String> = migrated.ends().into_iter().map(|(class, ..)| class).collect();
    assert_eq!(classes, ["refused", "migrated", "rolled-back"], "{said}");
    let became = python.became("MigrationDemandResponse late");
    assert!(became.len() == 1 && became[0].starts_with("LAB-F04"), "{became:?} {said}");
}

#[test]
fn an_answer_that_comes_in_the_next_attempt_is_out_of_order_by_a_folder() {
    late_answers_are_not_taken(By::Folder);
}

#[test]
fn an_answer_that_comes_in_the_next_attempt_is_out_of_order_over_https() {
    late_answers_are_not_taken(By::Https);
}

/// What a party refuses is its own word, with its own code, and control need not wait until it would have answered.
fn what_it_refuses_is_seen(by: By) {
    let town = Town::new();
    let wrong = json!({ "refuse": { "MigrationDemand": "RP-42: not before the holidays" } });
    let python = town.python(by, &wrong);
    let begun = std::time::Instant::now();
    let migrated = town.migrates(&[]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    let ends = migrated.ends();
    let [(class, code, detail)] = &ends[..] else { panic!("one end: {ends:?}, {said}") };
    assert_eq!((class.as_str(), code.as_str()), ("refused", "RP-42"), "{said}");
    assert!(detail.contains("not before the holidays") && detail.contains("demand file"), "{detail}");
    assert_eq!(migrated.refusals(), ["requesting-party: RP-42: not before the holidays"]);
    assert!(begun.elapsed().as_secs() < 60, "it was not waited for: {:?}", begun.elapsed());
}

#[test]
fn what_a_party_behind_a_folder_refuses_is_seen_with_its_code() {
    what_it_refuses_is_seen(By::Folder);
}

#[test]
fn what_a_party_over_https_refuses_is_seen_with_its_code() {
    what_it_refuses_is_seen(By::Https);
}

/// It begins anew after it has written a file and before it has put away what that answers, with nothing but what it has kept.
#[test]
fn a_party_of_python_that_ends_on_the_way_goes_on_where_it_was() {
    let town = Town::new();
    let python =
        town.python(By::Folder, &json!({ "die": ["MigrationDemandResponse", "MigrationGroupFile"] }));
    let migrated = town.migrates(&[]);
    let said = format!("{}\n{:?}", migrated.shown(), python.said());
    assert!(migrated.out.status.success(), "{said}");
    let count = |key: &str| python.said().iter().filter(|line| !line[key].is_null()).count();
    assert_eq!((count("dies"), count("began")), (2, 3), "{said}");
    assert_eq!(count("again"), 2, "each came once more, and was not answered again: {said}");
}
