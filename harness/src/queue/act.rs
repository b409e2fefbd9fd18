//! What people can do to a lab, and why it may be refused them.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use lab_config::Eui64;
use proto_lab::record::book::{EntryId, RunStage};
use proto_lab::record::{Case, Role, RunId};

/// How long a person may have a rig before they say again that they need it: one minute to one day, an hour unless they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease(SignedDuration);

impl Lease {
    const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
    const LONGEST: SignedDuration = SignedDuration::from_hours(24);

    /// A lease of so many seconds.
    ///
    /// # Errors
    /// [`LeaseError`] when it is shorter than a minute or longer than a day.
    pub const fn of_seconds(seconds: i64) -> Result<Self, LeaseError> {
        match seconds >= Self::SHORTEST.as_secs() && seconds <= Self::LONGEST.as_secs() {
            true => Ok(Self(SignedDuration::from_secs(seconds))),
            false => Err(LeaseError { found: seconds }),
        }
    }

    /// When it ends, if it begins now.
    pub fn from(self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self(SignedDuration::from_hours(1))
    }
}

/// A lease is a minute to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lease of {found} s: expected 60 to 86400 s")]
pub struct LeaseError {
    /// The seconds given.
    pub found: i64,
}

impl FromStr for Lease {
    type Err = LeaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of_seconds(text.parse().unwrap_or(-1))
    }
}

/// What somebody wants to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The rig, by name.
    pub rig: String,
    /// The packs, in the order they run: names of packs inside the program, or folders on the controller's machine. None means
    /// the standard packs of the rig's combination (20.15, 20.16).
    pub packs: Vec<String>,
    /// The scripts, by name; none means all of them.
    pub scripts: Vec<String>,
    /// The test data sets to be in the devices, by name or file, besides those the packs require.
    pub data_sets: Vec<String>,
    /// The scripts to be witnessed, by name (13.15).
    pub witnessed: Vec<String>,
}

/// What can be done to a lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Let this be run when its rig is free.
    Join(Asked),
    /// Let this not be run.
    Leave(EntryId),
    /// Let the run wait before its next step.
    Pause(RunId),
    /// Let the run go on.
    Resume(RunId),
    /// End the run: its clean-up runs, its rig is made safe, its evidence is closed.
    Abort {
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// Run a script of a run under way once more, after the script that is under way. Every attempt is kept.
    Rerun {
        /// The run.
        run: RunId,
        /// The script.
        case: Case,
    },
    /// End every run, make every rig safe, and begin nothing more.
    StopEverything {
        /// Why.
        reason: String,
    },
    /// Let runs begin again after everything was stopped.
    LiftStop,
    /// Have a rig to oneself, or keep it longer.
    Hold {
        /// The rig, by name.
        rig: String,
        /// What for.
        reason: String,
        /// For how long.
        lease: Lease,
    },
    /// Give a rig back, one's own or somebody else's.
    GiveBack {
        /// The rig, by name.
        rig: String,
    },
    /// Let no run use a device; a run under way that has it ends.
    Quarantine {
        /// The device.
        device: Eui64,
        /// Why.
        reason: String,
    },
    /// Let runs use a device again.
    LiftQuarantine {
        /// The device.
        device: Eui64,
    },
}

impl Action {
    /// What it is called in records of refused calls.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Join(_) => "Join",
            Self::Leave(_) => "Leave",
            Self::Pause(_) => "Pause",
            Self::Resume(_) => "Resume",
            Self::Abort { .. } => "Abort",
            Self::Rerun { .. } => "Rerun",
            Self::StopEverything { .. } => "StopEverything",
            Self::LiftStop => "LiftStop",
            Self::Hold { .. } => "Hold",
            Self::GiveBack { .. } => "GiveBack",
            Self::Quarantine { .. } => "Quarantine",
            Self::LiftQuarantine { .. } => "LiftQuarantine",
        }
    }

    /// Whether somebody in this role may do it at all. A witness and a board may do nothing (13.17); a scheduler puts runs into
    /// the queue and takes them out.
    pub const fn is_for(&self, role: Role) -> bool {
        match role {
            Role::Engineer => true,
            Role::Scheduler => matches!(self, Self::Join(_) | Self::Leave(_)),
            Role::Witness | Role::Board => false,
        }
    }
}

/// What kind of refusal it is, for doors that have codes for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Not for this role.
    NotAllowed,
    /// It names something that is not there.
    NotFound,
    /// The lab is not in a state to do it.
    Conflict,
    /// What was asked makes no sense.
    BadInput,
    /// The controller cannot do anything: it has ended, or cannot write its book.
    Unavailable,
}

/// Why an act was refused. Nothing was changed by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not for this role.
    #[error("{call} is not for a {role}")]
    NotAllowed {
        /// What was called.
        call: &'static str,
        /// The role that called.
        role: Role,
    },
    /// It names something that is not there.
    #[error("the lab has no {what} {name}")]
    Unknown {
        /// What kind of thing: a rig, a run under way, an entry of the queue, a device.
        what: &'static str,
        /// The name given.
        name: String,
    },
    /// A reason must be given and fit into a line.
    #[error("a reason of {found} characters: expected 1 to {most}")]
    Reason {
        /// Its length.
        found: usize,
        /// The longest.
        most: usize,
    },
    /// A run has the rig.
    #[error("run {run} has rig {rig}: abort it, or wait for its end")]
    RigRuns {
        /// The rig.
        rig: String,
        /// The run.
        run: RunId,
    },
    /// Somebody else has the rig.
    #[error("{by} has rig {rig} until {until}: have it given back first")]
    RigHeld {
        /// The rig.
        rig: String,
        /// Who has it.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// Nobody holds the rig.
    #[error("nobody holds rig {rig}")]
    NotHeld {
        /// The rig.
        rig: String,
    },
    /// The run is not where it would have to be.
    #[error("run {run} is {}: {expected}", stage(*found))]
    Stage {
        /// The run.
        run: RunId,
        /// Where it is.
        found: RunStage,
        /// What was expected, in words.
        expected: &'static str,
    },
    /// The script cannot be run again now.
    #[error("{case} cannot be run again: {reason}")]
    Rerun {
        /// The script.
        case: Case,
        /// Why.
        reason: String,
    },
    /// The device is in quarantine already, or is not.
    #[error("device {device} is {}in quarantine", if *in_it { "already " } else { "not " })]
    Quarantine {
        /// The device.
        device: String,
        /// Whether it is in quarantine.
        in_it: bool,
    },
    /// The entry is somebody else's.
    #[error("entry {entry} was put into the queue by {by}: an engineer may take it out")]
    NotYours {
        /// The entry.
        entry: EntryId,
        /// Who put it there.
        by: String,
    },
    /// The queue takes no more.
    #[error("{most} runs wait already: let some end first")]
    Full {
        /// The most it takes.
        most: usize,
    },
    /// Everything was stopped, or nothing was.
    #[error("{0}")]
    Stopped(String),
    /// What is to be run cannot be found or makes no plan.
    #[error("{0}")]
    Work(String),
    /// The controller's book cannot be written, so it does nothing more.
    #[error("the lab's book cannot be written, so nothing is done: {0}")]
    Book(String),
    /// The controller has ended.
    #[error("the controller has ended")]
    Ended,
}

const fn stage(stage: RunStage) -> &'static str {
    match stage {
        RunStage::Running => "running",
        RunStage::Pausing => "about to pause",
        RunStage::Paused => "paused",
        RunStage::Stopping => "stopping",
    }
}

impl Refusal {
    /// What kind it is.
    pub const fn kind(&self) -> RefusalKind {
        match self {
            Self::NotAllowed { .. } | Self::NotYours { .. } => RefusalKind::NotAllowed,
            Self::Unknown { .. } => RefusalKind::NotFound,
            Self::Reason { .. } | Self::Work(_) => RefusalKind::BadInput,
            Self::Book(_) | Self::Ended => RefusalKind::Unavailable,
            _ => RefusalKind::Conflict,
        }
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs())
    }
}
