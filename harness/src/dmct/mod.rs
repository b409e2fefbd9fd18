//! The DMCT Process for one planned entry, as far as runs move it (clause 20).
//!
//! Pure: from what the runs recorded and the gate decided to the status of the entry and how it got there. Submissions,
//! schedules and publication move an entry by decisions of people and stand outside this module.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gate::{DmctGate, DmctResult, Ledger, RecordRef};

/// Where a planned entry stands (20.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryStatus {
    /// Planned for testing, and no test has begun (20.9).
    Planned,
    /// Testing has begun and has not completed (20.13, 20.18).
    InTest,
    /// Testing has completed and the combination passed (20.28(f)).
    Passed,
    /// Testing has completed and the combination failed (20.28(f)).
    Failed,
    /// The DMCT Report may be issued (20.26, 20.27).
    Reportable,
}

impl EntryStatus {
    /// The paragraph that brings an entry to this status.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Planned => "20.9",
            Self::InTest => "20.13",
            Self::Passed | Self::Failed => "20.28(f)",
            Self::Reportable => "20.26",
        }
    }
}

impl std::fmt::Display for EntryStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Planned => "planned",
            Self::InTest => "in test",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Reportable => "reportable",
        })
    }
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Move {
    /// What it came to.
    pub to: EntryStatus,
    /// The paragraph.
    pub clause: String,
    /// When; absent for what was so before the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The records that moved it.
    pub records: Vec<RecordRef>,
}

/// An entry's way through the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntryHistory {
    /// Every change, oldest first; the first is that it was planned.
    pub moves: Vec<Move>,
}

impl EntryHistory {
    /// The history that these runs and this decision make.
    pub fn of(ledger: &Ledger, gate: &DmctGate) -> Self {
        let mut history = Self { moves: vec![made(EntryStatus::Planned, None, Vec::new())] };
        if let Some(first) = ledger.runs.first() {
            history.moves.push(made(EntryStatus::InTest, Some(first.began), vec![first.first()]));
        }
        history.complete(ledger, gate);
        history
    }

    fn complete(&mut self, ledger: &Ledger, gate: &DmctGate) {
        let status = match gate.result() {
            DmctResult::Passed => EntryStatus::Passed,
            DmctResult::Failed => EntryStatus::Failed,
            DmctResult::Undecided => return,
        };
        let at = ledger.runs.iter().map(|run| run.last_at).max();
        let records: Vec<RecordRef> = ledger.runs.iter().map(crate::gate::RunEntry::last).collect();
        self.moves.push(made(status, at, records.clone()));
        if gate.may_issue_report() {
            self.moves.push(made(EntryStatus::Reportable, at, records));
        }
    }

    /// Where the entry stands now.
    pub fn status(&self) -> EntryStatus {
        self.moves.last().map_or(EntryStatus::Planned, |last| last.to)
    }
}

fn made(to: EntryStatus, at: Option<Timestamp>, records: Vec<RecordRef>) -> Move {
    Move { to, clause: to.clause().to_owned(), at, records }
}

#[cfg(test)]
mod tests {
    use proto_lab::record::{Record, Verdict};

    use super::*;
    use crate::gate::sample::{input, ledger, passing, records, run_with, simulated};

    fn statuses(runs: &[&[Record]]) -> Vec<EntryStatus> {
        let ledger = ledger(runs);
        let gate = DmctGate::decide(&ledger, &input());
        EntryHistory::of(&ledger, &gate).moves.iter().map(|m| m.to).collect()
    }

    #[test]
    fn an_entry_moves_as_far_as_its_runs_bring_it() {
        use EntryStatus::{Failed, InTest, Passed, Planned, Reportable};
        assert_eq!(statuses(&[]), [Planned]);
        assert_eq!(statuses(&[&run_with("run-1", Verdict::Inconclusive, true)]), [Planned, InTest]);
        assert_eq!(statuses(&[&records()]), [Planned, InTest, Failed, Reportable]);
        assert_eq!(statuses(&[&passing()]), [Planned, InTest, Passed, Reportable]);
        assert_eq!(statuses(&[&simulated(&passing())]), [Planned, InTest, Passed]);
    }

    #[test]
    fn moves_go_forward_in_time_and_name_their_records() {
        let ledger = ledger(&[&passing()]);
        let history = EntryHistory::of(&ledger, &DmctGate::decide(&ledger, &input()));
        assert!(history.moves.is_sorted_by_key(|m| m.at));
        assert!(history.moves.iter().skip(1).all(|m| !m.records.is_empty()));
        assert_eq!(history.status(), EntryStatus::Reportable);
    }
}
