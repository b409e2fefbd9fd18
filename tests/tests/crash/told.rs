//! Whoever follows runs and books from outside, as `harness watch` does: what they have been told must stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness::evidence::{LabKey, RunFolder, Standing, Verification, verify};
use harness::watch::Follow;
use proto_lab::record::{Body, Record, Tally};

/// A follower of everything in a folder of runs, over any number of controllers.
pub(super) struct Told {
    runs: PathBuf,
    of: BTreeMap<PathBuf, (Follow, Vec<u8>)>,
}

impl Told {
    pub(super) fn new(runs: &Path) -> Self {
        Self { runs: runs.to_path_buf(), of: BTreeMap::new() }
    }

    /// Takes whatever whole lines there are that it has not had.
    pub(super) fn look(&mut self) {
        for folder in folders(&self.runs) {
            self.of.entry(folder).or_insert_with_key(|folder| {
                let follow = Follow::open(RunFolder::new(folder));
                (follow.expect("a run has records as soon as it has its name"), Vec::new())
            });
        }
        for (follow, told) in self.of.values_mut() {
            told.extend(follow.poll_lines().expect("lines"));
        }
    }

    /// Lines told of so far.
    pub(super) fn lines(&self) -> u64 {
        self.of.values().map(|(_, told)| told.iter().filter(|octet| **octet == b'\n').count() as u64).sum()
    }

    /// Everything that was told is there, octet for octet and once.
    pub(super) fn is_kept(&self, what: &str) {
        for (folder, (_, told)) in &self.of {
            let there = std::fs::read(folder.join("records.jsonl")).expect("records");
            let name = folder.display();
            assert!(there.starts_with(told), "{what}: {name}: a record that was read is gone or changed");
        }
    }

    /// Nobody looks at this one any more.
    pub(super) fn forget(&mut self, folder: &Path) {
        self.of.remove(folder);
    }
}

/// Every run and book, oldest first.
pub(super) fn folders(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok);
    let named = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut found: Vec<_> =
        named.map(|entry| entry.path()).filter(|path| path.join("records.jsonl").exists()).collect();
    found.sort();
    found
}

/// The evidence must be sound as far as it goes, whatever its writer was at when it died.
pub(super) fn never_broken(runs: &Path, folder: &Path, what: &str) -> Verification {
    let trusted = LabKey::trusted(&runs.join("keys")).expect("a key");
    let verification = verify(&RunFolder::new(folder), &trusted).expect("a run folder");
    assert!(
        matches!(verification.standing, Standing::Sound | Standing::Open),
        "{what}: {}: {verification}",
        folder.display()
    );
    verification
}

/// Each number has its place, each intent one verdict, and each attempt after the first somebody who asked for it.
pub(super) fn nothing_doubled(records: &[Record], what: &str) {
    for (record, n) in records.iter().zip(0..) {
        assert_eq!(record.sequence.0, n, "{what}");
    }
    for result in Tally::of(records).cases() {
        let asked = records.iter().filter(|record| {
            matches!(&record.body, Body::Action(action)
            if matches!(&action.what, proto_lab::record::Deed::Rerun { case } if *case == result.case))
        });
        let most = 1 + asked.count();
        assert!(result.attempts.len() <= most, "{what}: {} was begun again silently", result.case);
    }
    let mut answered: Vec<u64> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Step(step) => Some(step.intent.0),
            _ => None,
        })
        .collect();
    let verdicts = answered.len();
    answered.sort_unstable();
    answered.dedup();
    assert_eq!(answered.len(), verdicts, "{what}: an intent has two verdicts");
}
