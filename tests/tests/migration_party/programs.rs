//! Parties of the harness, each as a program of its own.

use super::town::{By, ROLES, Running, Town};
use lab_tests::shown;

/// Files that the party took, by the beginnings of their names or, over HTTPS, all of them.
fn took(running: &Running) -> usize {
    running.said().iter().filter(|line| line["outcome"] == "taken").count()
}

fn migrates(town: &Town, role: &'static str, by: By, words: &[&str]) {
    let running = town.program(role, by);
    let migrated = town.migrates(words);
    let said = format!("{role} {by:?}: {}\n{:?}", migrated.shown(), running.said());
    assert!(migrated.out.status.success(), "{said}");
    let classes: Vec<String> = migrated.ends().into_iter().map(|(class, ..)| class).collect();
    assert_eq!(classes, ["migrated", "rolled-back"], "{said}");
    assert_eq!(migrated.refusals(), Vec::<String>::new(), "{said}");
    assert!(took(&running) > 0, "{said}");
}

#[test]
fn a_requesting_party_that_is_a_program_of_its_own_brings_an_installation_by_a_folder_and_over_https() {
    for by in [By::Folder, By::Https] {
        migrates(&Town::new(), "requesting-party", by, &[]);
    }
}

#[test]
fn a_commissioning_party_that_is_a_program_of_its_own_checks_and_commissions_by_a_folder_and_over_https() {
    for by in [By::Folder, By::Https] {
        migrates(&Town::new(), "commissioning-party", by, &[]);
    }
}

#[test]
fn a_responsible_supplier_that_is_a_program_of_its_own_authorises_by_a_folder_and_over_https() {
    for by in [By::Folder, By::Https] {
        migrates(&Town::new(), "responsible-supplier", by, &["--kind", "mixed"]);
    }
}

/// The meter has keys of a security suite, and new ones are wrapped in the other program; control passes them on sealed.
#[test]
fn a_dual_control_organisation_that_is_a_program_of_its_own_wraps_keys_by_a_folder_and_over_https() {
    for by in [By::Folder, By::Https] {
        let town = Town::with_keys();
        let running = town.program("dco", by);
        let migrated = town.migrates(&["--rig", "moc-secure"]);
        let said = format!("{by:?}: {}\n{:?}", migrated.shown(), running.said());
        assert!(migrated.out.status.success(), "{said}");
        let ends = migrated.ends();
        let [(first, ..), (second, ..)] = &ends[..] else { panic!("two ends: {ends:?}, {said}") };
        assert_eq!([first, second], ["migrated", "rolled-back"], "{said}");
        let crossed = |kind: &str| migrated.records.iter().filter(|record| is_file(record, kind)).count();
        assert_eq!((crossed("key-wrap-request"), crossed("wrapped-keys")), (1, 1), "{said}");
        let answered =
            running.said().iter().any(|line| line["says"].as_str().is_some_and(|says| says.contains("WK_")));
        assert!(answered, "{said}");
    }
}

fn is_file(record: &serde_json::Value, kind: &str) -> bool {
    let what = record["message"]["what"].as_str().unwrap_or_default();
    what.starts_with(&format!("migration {kind} file "))
}

/// It is killed once it has answered, and killed again once it has answered the next: what it took is on disk, and so is what
/// it knows of the group.
#[test]
fn a_party_killed_on_the_way_knows_its_group_again() {
    for by in [By::Folder, By::Https] {
        let town = Town::new();
        let mut running = town.program("requesting-party", by);
        let migrated = std::thread::scope(|scope| {
            let migrating = scope.spawn(|| town.migrates(&[]));
            for (times, name) in [(1, "DR_"), (1, "DC-")] {
                running.waits_for(times, |line| {
                    line["says"].as_str().is_some_and(|says| says.contains(name))
                        && line["outcome"] == "taken"
                });
                running.is_killed_and_begins_anew();
            }
            migrating.join().expect("a batch")
        });
        let said = format!("{by:?}: {}\n{:?}", migrated.shown(), running.said());
        assert!(migrated.out.status.success(), "{said}");
        let began = running.said().iter().filter(|line| line["place"].is_string()).count();
        assert_eq!(began, 3, "{said}");
    }
}

/// Not every party can be outside by itself; who cannot is told why.
#[test]
fn who_cannot_be_a_program_of_its_own_is_told_why() {
    let why = [
        ("dsp", "the DSP exchanges no files"),
        ("smso", "have the S1SP outside too"),
        ("s1sp", "have the SMSO outside too"),
    ];
    let town = Town::new();
    for (role, why) in why {
        let lab = town.write_lab(role, "folder = \"exchange\"\n");
        let mut command = town.harness();
        command
            .args(["migrate", "party", role, "--lab"])
            .arg(lab)
            .arg("--key")
            .arg(town.files.path("smso.key"));
        let out = command.output().expect("the harness starts");
        assert!(!out.status.success());
        let said = shown(&out);
        assert!(said.contains(why), "{role}: {said}");
    }
    assert!(ROLES.contains(&"smso"));
}
