//! Folders of evidence that never began: their writer died before the first record was signed for.
//!
//! Such a draft has no run's name, no watcher was shown it, and no caller was told of it, so there is nothing to recover; it
//! is removed by the next who writes evidence here, who records that it was.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::RunFolder;

/// A draft that was touched later than this ago may be one whose writer is about to take it.
const SETTLED: Duration = Duration::from_secs(60);

/// Letters behind a run's name in the name of its draft.
const SUFFIX: usize = "-01234567".len();

/// A draft that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The name of its folder.
    pub name: String,
    /// Octets of records in it.
    pub octets: u64,
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the draft {} was removed: its writer died before the run had begun, with {} octets of records that nobody was \
             told of",
            self.name, self.octets
        )
    }
}

/// Removes the drafts in this folder of runs whose writers are gone. What cannot be removed stays for the next.
pub fn sweep_drafts(runs: &Path) -> Vec<Swept> {
    let entries = fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| sweep(&entry.path())).collect()
}

fn sweep(draft: &Path) -> Option<Swept> {
    let name = draft.file_name()?.to_str().filter(|name| is_draft(name))?.to_owned();
    let settled = |path: &Path| {
        let touched = fs::metadata(path).and_then(|there| there.modified());
        touched.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|ago| ago >= SETTLED))
    };
    let records = RunFolder::new(draft).records();
    if !settled(draft) || (records.exists() && !settled(&records)) {
        return None;
    }
    // A writer holds its records for as long as it lives.
    let held = File::open(&records).ok();
    if held.as_ref().is_some_and(|records| records.try_lock().is_err()) {
        return None;
    }
    let octets = held.and_then(|records| records.metadata().ok()).map_or(0, |there| there.len());
    fs::remove_dir_all(draft).ok().map(|()| Swept { name, octets })
}

/// Whether the recorder names drafts so: a full stop, the run's name, and eight hexadecimal digits.
fn is_draft(name: &str) -> bool {
    let run = name.strip_prefix('.').and_then(|name| name.split_at_checked(name.len().checked_sub(SUFFIX)?));
    run.is_some_and(|(run, suffix)| {
        let digits = suffix.strip_prefix('-').is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        digits && run.parse::<proto_lab::record::RunId>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(path: &Path) {
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        File::open(path).unwrap().set_modified(hour_ago).unwrap();
    }

    fn draft(runs: &Path, name: &str) -> RunFolder {
        let folder = RunFolder::new(runs.join(name));
        fs::create_dir_all(folder.blobs()).unwrap();
        fs::write(folder.records(), b"{\"n\":0,").unwrap();
        folder
    }

    #[test]
    fn only_drafts_whose_writer_is_gone_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let [gone, held, young, run] = [".run-1-0123abcd", ".run-2-0123abcd", ".run-3-0123abcd", "run-4"]
            .map(|name| draft(dir.path(), name));
        let strange = draft(dir.path(), ".cache");
        for folder in [&gone, &held, &run, &strange] {
            aged(&folder.records());
            aged(folder.root());
        }
        let writer = File::open(held.records()).unwrap();
        writer.lock().unwrap();
        let swept = sweep_drafts(dir.path());
        assert_eq!(swept, [Swept { name: ".run-1-0123abcd".into(), octets: 7 }]);
        assert!(swept[0].to_string().contains("before the run had begun"), "{}", swept[0]);
        assert!(!gone.root().exists());
        assert!([&held, &young, &run, &strange].iter().all(|folder| folder.root().exists()));
    }
}
