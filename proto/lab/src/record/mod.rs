//! Run records: the only source of anything shown, counted, gated, reported or resumed.
//!
//! A run is a list of [`Record`]s numbered from 0. One record is one line of JSON, and the bytes of that line are what the
//! evidence tree hashes, so a record has exactly one spelling: [`Record::to_line`] writes it and [`Record::from_line`]
//! refuses any other. Unknown fields are refused, because a reader that skips what it does not know would show a
//! witness less than the lab recorded.
//!
//! ```text
//! {"n":12,"at":"2026-11-21T21:14:05.123456Z","intent":{"step":3,"action":"read the active import register"}}
//!  ▲      ▲                                  ▲
//!  number time of writing, UTC               what happened: one of the bodies
//! ```
//!
//! The order within a step is *intent*, then the stimulus, then *observation*s, then the step's verdict. An intent that
//! nothing follows is what a crash leaves behind; it counts as inconclusive and is never repeated silently.

mod action;
mod actor;
mod baseline;
pub mod book;
mod line;
mod run;
mod script;
mod tally;
mod verdict;

pub use action::{Action, Deed, Outcome};
pub use actor::{Actor, ActorName, ActorNameError, Credential, Role, UnknownRole};
pub use baseline::{Baseline, KnownDefect};
pub use line::{LineError, MAX_LINE};
pub use run::{
    Agreement, CaptureBound, DataSet, DeviceFound, Difference, DmcUnderTest, EntryStoodFor, FORMAT, Identity,
    MtadDetermination, NonStandardPack, PackBound, PackPurpose, Repaired, RunFinished, RunId,
    RunIdFormatError, RunStarted, SignerKey, SystemUnderTest,
};
pub use script::{
    AlertMatch, AlertSeen, Case, Direction, FailedExpectation, Intent, IssueRaised, IssueResolved,
    IssueRoute, Message, MigrationClass, MigrationEvent, NotRunKind, Note, Observation, PacketRange, Part,
    Prepared, SafeState, ScriptFinished, ScriptNotRun, ScriptStarted, Severity, SeverityOutOfRange,
    StepVerdict,
};
pub use tally::{Attempt, CaseResult, Tally};
pub use verdict::{Counts, Verdict};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The number of a record within its run, from 0, without gaps; also its leaf index in the evidence tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The number of the record after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One numbered thing that happened in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number.
    pub sequence: Sequence,
    /// When it was written, UTC, to the microsecond. Never earlier than the record before it; order comes from
    /// `sequence`, because a wall clock can be stepped.
    pub at: Timestamp,
    /// What happened.
    pub body: Body,
}

/// What a record says. The name of the variant, in kebab case, is the key of the body in the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// The first record: everything that the run is bound to.
    RunStarted(Box<RunStarted>),
    /// Test data are in the devices, or the devices are otherwise ready for the scripts (8.1(g)).
    Prepared(Prepared),
    /// An attempt of a script begins.
    ScriptStarted(Box<ScriptStarted>),
    /// What a step is about to do, written before it is done.
    Intent(Intent),
    /// A message passed between the harness and a party.
    Message(Message),
    /// What a step saw.
    Observed(Observation),
    /// An alert arrived (20.13(b)).
    Alert(AlertSeen),
    /// What a step came to.
    Step(StepVerdict),
    /// A migration moved to another stage.
    Migration(MigrationEvent),
    /// An attempt of a script ended.
    ScriptFinished(ScriptFinished),
    /// A planned script will not be run in this run.
    ScriptNotRun(ScriptNotRun),
    /// The rig reached, or failed to reach, its declared safe state.
    SafeState(SafeState),
    /// Something a person or the lab wants to be read with the run: a pause, a remark, a change of hands.
    Note(Note),
    /// A Testing Issue was raised (14, 20.19).
    IssueRaised(IssueRaised),
    /// A Testing Issue was resolved (20.20 to 20.25).
    IssueResolved(IssueResolved),
    /// A capture file as far as it had been written.
    Capture(CaptureBound),
    /// The run's folder was reopened after its writer died.
    Repaired(Repaired),
    /// A person acted on the run.
    Action(Box<Action>),
    /// The last record.
    RunFinished(RunFinished),
    /// The first record of a lab book, in place of a run's.
    BookOpened(Box<book::BookOpened>),
    /// Something happened to the lab; in its book only.
    Lab(Box<book::LabEvent>),
    /// The last record of a lab book.
    BookClosed(book::BookClosed),
}

impl Body {
    /// The key under which this body stands in its line.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run-started",
            Self::Prepared(_) => "prepared",
            Self::ScriptStarted(_) => "script-started",
            Self::Intent(_) => "intent",
            Self::Message(_) => "message",
            Self::Observed(_) => "observed",
            Self::Alert(_) => "alert",
            Self::Step(_) => "step",
            Self::Migration(_) => "migration",
            Self::ScriptFinished(_) => "script-finished",
            Self::ScriptNotRun(_) => "script-not-run",
            Self::SafeState(_) => "safe-state",
            Self::Note(_) => "note",
            Self::IssueRaised(_) => "issue-raised",
            Self::IssueResolved(_) => "issue-resolved",
            Self::Capture(_) => "capture",
            Self::Repaired(_) => "repaired",
            Self::Action(_) => "action",
            Self::RunFinished(_) => "run-finished",
            Self::BookOpened(_) => "book-opened",
            Self::Lab(_) => "lab",
            Self::BookClosed(_) => "book-closed",
        }
    }

    /// The digests of the blobs this body refers to, in the order they stand.
    pub fn blobs(&self) -> Vec<crate::Digest> {
        match self {
            // The script itself, as it was run.
            Self::ScriptStarted(started) => vec![started.digest],
            Self::Intent(intent) => intent.stimulus.into_iter().collect(),
            Self::Message(message) => vec![message.blob],
            Self::Observed(observation) => observation.blobs.clone(),
            Self::Alert(alert) => alert.blob.into_iter().collect(),
            Self::Prepared(prepared) => prepared.blob.into_iter().collect(),
            Self::Repaired(repaired) => {
                let cut = repaired.cut.into_iter().chain(repaired.cut_checkpoint);
                cut.chain(repaired.unnamed.iter().copied()).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
