//! The records of a book.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::record::{Actor, CaptureBound, Case, RunId, SafeState, SignerKey, Verdict};

/// The first record of a book: everything that the lab's state is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BookOpened {
    /// Version of the record format: [`FORMAT`](crate::record::FORMAT).
    pub format: u32,
    /// The book's name, which is also that of its folder.
    pub book: RunId,
    /// Name and version of the controller, with its build.
    pub harness: String,
    /// The lab's name.
    pub lab: String,
    /// Digest of the lab file as read.
    pub lab_digest: Digest,
    /// The rigs the controller owns.
    pub rigs: Vec<RigDeclared>,
    /// The key that signs the checkpoints.
    pub key: SignerKey,
    /// The number of the first entry that joins the queue from now on.
    pub next_entry: EntryId,
    /// The book before this one, so that a whole book cannot vanish unnoticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousBook>,
}

/// The book that a controller's start found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PreviousBook {
    /// Its name.
    pub book: RunId,
    /// Tree root at its final checkpoint.
    pub root: Digest,
}

/// A rig of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RigDeclared {
    /// Its name.
    pub name: String,
    /// The Device Model Combination on it.
    pub combination: String,
    /// Its devices.
    pub devices: Vec<DeviceDeclared>,
}

/// A device of a rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceDeclared {
    /// CHF, GPF, ESME, GSME, PPMID or IHD.
    pub kind: String,
    /// EUI-64, eight hyphenated pairs of hexadecimal digits.
    pub eui64: String,
}

/// The last record of a book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BookClosed {
    /// Why it was closed, in words: the controller stopped, or died and was started again.
    pub reason: String,
    /// The capture files, whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<CaptureBound>,
}

/// The number of an entry of the queue, never given twice in a lab.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub u64);

impl EntryId {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A pack somebody asked to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackAsked {
    /// Where it is found: the name of a pack inside the program, or a folder on the controller's machine.
    pub source: String,
    /// Digest of its lock when it was asked for. Whatever is found later under another lock is not run.
    pub lock: Digest,
}

/// What is to be run, and on which rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Work {
    /// The rig.
    pub rig: String,
    /// The packs, in the order they run.
    pub packs: Vec<PackAsked>,
    /// The scripts asked for; empty means all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<String>,
    /// The test data sets to be in the devices, by name or file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sets: Vec<String>,
    /// The scripts to be witnessed (13.15).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnessed: Vec<String>,
}

/// Something that happened to the lab. Those that a person brought about say who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum LabEvent {
    /// What the book before left standing is restated: from here on the controller takes calls.
    Ready {},
    /// A person has a rig to themselves, or keeps it longer.
    RigHeld {
        /// The rig.
        rig: String,
        /// Who holds it.
        by: Actor,
        /// What for.
        reason: String,
        /// When the lease ends unless it is renewed.
        until: Timestamp,
    },
    /// A person gave a rig back, their own or somebody else's.
    RigGivenBack {
        /// The rig.
        rig: String,
        /// Who gave it back.
        by: Actor,
    },
    /// The lease of a rig ended and nobody renewed it.
    LeaseExpired {
        /// The rig.
        rig: String,
    },
    /// A rig's declared safe state was reached, or was not.
    RigSafe {
        /// The rig.
        rig: String,
        /// Whether it was, and what was done.
        safe: SafeState,
    },
    /// A device is to be used by no run.
    DeviceQuarantined {
        /// EUI-64 of the device.
        device: String,
        /// Why.
        reason: String,
        /// Who said so.
        by: Actor,
    },
    /// A device may be used again.
    QuarantineLifted {
        /// EUI-64 of the device.
        device: String,
        /// Who said so.
        by: Actor,
    },
    /// Something waits to be run.
    QueueJoined {
        /// Its number.
        entry: EntryId,
        /// What is to be run.
        work: Work,
        /// Who asked for it.
        by: Actor,
    },
    /// A person took an entry out of the queue.
    QueueLeft {
        /// Its number.
        entry: EntryId,
        /// Who took it out.
        by: Actor,
    },
    /// An entry left the queue because it cannot be run.
    EntryRefused {
        /// Its number.
        entry: EntryId,
        /// Why it cannot.
        reason: String,
    },
    /// A run has the rig from here on. Its evidence may not have begun yet.
    RunBegan {
        /// The run.
        run: RunId,
        /// The entry that it is.
        entry: EntryId,
        /// What it runs.
        work: Work,
        /// Who asked for it.
        by: Actor,
    },
    /// A run is to pause before its next step.
    PauseAsked {
        /// The run.
        run: RunId,
        /// Who asked.
        by: Actor,
    },
    /// A run has come to a step boundary and waits there.
    RunPaused {
        /// The run.
        run: RunId,
    },
    /// A run goes on.
    RunResumed {
        /// The run.
        run: RunId,
        /// Who said so.
        by: Actor,
    },
    /// A script of a run is to be run once more.
    RerunAsked {
        /// The run.
        run: RunId,
        /// The script.
        case: Case,
        /// Who asked.
        by: Actor,
    },
    /// A run is to end before its plan does: its clean-up runs, its rig is made safe, its evidence is closed.
    RunStopping {
        /// The run.
        run: RunId,
        /// Who said so.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A run has let go of its rig.
    RunEnded {
        /// The run.
        run: RunId,
        /// Its verdict; absent when there is no evidence of it that counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<Verdict>,
        /// Why it ended before its plan did, where it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Every run is to end, every rig to be made safe, and nothing to begin until a person says so.
    EverythingStopped {
        /// Who said so.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Runs may begin again.
    StopLifted {
        /// Who said so.
        by: Actor,
    },
    /// A call was refused and changed nothing.
    CallRefused {
        /// Who called; absent when they could not be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Actor>,
        /// Where the call came from: an address, or the command line.
        from: String,
        /// What was called.
        call: String,
        /// Why it was refused.
        reason: String,
    },
    /// A person signed in.
    SignedIn {
        /// Who.
        by: Actor,
        /// Where from.
        from: String,
    },
    /// A witness put their name to the head of a run's records.
    HeadCosigned {
        /// The run.
        run: RunId,
        /// Records that the head covers.
        size: u64,
        /// The root of the tree over them.
        root: Digest,
        /// Who.
        by: Actor,
        /// The signature line (C2SP tlog-cosignature).
        signature: String,
    },
    /// A station lends the lab its links.
    StationCame {
        /// Its name.
        station: String,
        /// The links it offers.
        links: Vec<String>,
    },
    /// A station is lost; what it lent is gone.
    StationWent {
        /// Its name.
        station: String,
        /// Why, in words.
        reason: String,
    },
    /// A station brought its part of a rig to its safe state by itself.
    StationMadeSafe {
        /// The station.
        station: String,
        /// The rig.
        rig: String,
        /// The number of the lease that ended.
        token: u64,
        /// Whether the safe state was reached.
        reached: bool,
        /// Why it did, and what was done or stands in the way.
        detail: String,
    },
}

impl LabEvent {
    /// Whether it is something that doors and stations tell the controller, and not of the controller's own making.
    pub const fn is_told(&self) -> bool {
        matches!(
            self,
            Self::CallRefused { .. }
                | Self::SignedIn { .. }
                | Self::HeadCosigned { .. }
                | Self::StationCame { .. }
                | Self::StationWent { .. }
                | Self::StationMadeSafe { .. }
        )
    }
}
