//! A batch: the installations of many rigs migrated in groups, as one run with its records and its evidence.
//!
//! ```text
//! rigs ─plan─> groups of one kind, one SMSO ─┬─> group: devices met, parties brought together, operations, devices left alone
//!                                            ├─> group ...          so many at once
//!                                            └─> group ...          the others wait as names
//! ```
//!
//! Of an installation whose group is not under way the batch knows its name and how it ended, so that memory is bounded by the
//! groups that are. Where installations stand, the journals say ([`crate::migration::Journal`]); with which credentials their
//! devices let anybody in, the S1SP's store; which of them the DCC has, its inventory. All three outlive the controller
//! where there is a state folder, and [`Purpose::Recover`] brings what a dead one left to one side or the other.

mod attend;
mod cast;
mod fleet;
mod group;
mod inventory;
mod outsiders;
mod plan;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use lab_config::{InstallationType, Lab};
use proto_lab::Digest;
use proto_lab::record::{
    Body, Case, MigrationClass, Note, RunFinished, RunId, ScriptFinished, ScriptStarted, Verdict,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::cast::Seals;
use self::inventory::KeptInventory;
use self::outsiders::Outsiders;
use super::{Book, RunError, RunTap};
use crate::evidence::{LabKey, Recorder, RunEnd, RunFolder};
use crate::execute::{Ledger as _, LedgerError, Stop};
use crate::link::SharedTap;
use crate::migration::Group;
use crate::migration::exchange::Loss;
pub use attend::{PartyOrder, Stand, attend};
pub use group::Ended;
pub use plan::{Planned, plan};

/// The pack and the script that a batch is in the records.
const PACK: &str = "migrate";

/// What is to be done with the installations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They are migrated, and stay so.
    Keep,
    /// They are migrated, and taken back to their SMSO.
    Prove,
    /// What a controller that ended on the way has left is finished, or taken back to its SMSO.
    Recover,
    /// They are taken back to their SMSO.
    TakeBack,
}

impl Purpose {
    const fn words(self) -> &'static str {
        match self {
            Self::Keep => "migrated",
            Self::Prove => "migrated and taken back",
            Self::Recover => "recovered",
            Self::TakeBack => "taken back",
        }
    }
}

/// Everything a batch needs.
#[derive(Debug)]
pub struct BatchOrder {
    /// The lab, its links concrete.
    pub lab: Lab,
    /// The rigs whose installations are meant.
    pub rigs: Vec<String>,
    /// What the installations are; none for the first kind that the lab's EPCL has for the combination of each.
    pub kind: Option<InstallationType>,
    /// Installations of a group, at most [`Group::MOST`].
    pub group_size: NonZeroUsize,
    /// Groups under way at once. One where a party is outside, whom files reach in the order of their numbers.
    pub at_once: NonZeroUsize,
    /// What for.
    pub purpose: Purpose,
    /// How often an installation is tried whose attempt failed, within this batch.
    pub attempts: u8,
    /// Whether the SMSO brings dormant devices to the firmware and configuration of their entry first.
    pub prepare: bool,
    /// Whether installations that are excluded are let be tried again.
    pub lift: bool,
    /// A party that is lost on the way in each group, to rehearse it.
    pub lose: Option<Loss>,
    /// Where journals, the S1SP's store and the inventory are kept; none keeps them in memory.
    pub state: Option<PathBuf>,
    /// Where run folders go.
    pub runs: PathBuf,
    /// The key that signs.
    pub key: LabKey,
    /// The run's name.
    pub run: RunId,
}

/// A batch that ended, with its evidence closed.
#[derive(Debug)]
pub struct Batched {
    /// Its folder.
    pub folder: RunFolder,
    /// Its last record.
    pub finished: RunFinished,
    /// How many installations ended how; none of them is between two parties unless it is among the stuck.
    pub ended: Ended,
}

/// What the groups of a batch share.
struct Ground {
    order: BatchOrder,
    book: Book,
    tap: SharedTap,
    seals: Seals,
    inventory: Arc<KeptInventory>,
    outsiders: Outsiders,
}

/// Does what the order says, group by group. `began` is told the folder once the first record is in it.
///
/// # Errors
/// [`RunError`]: there is no run, or its evidence could not be written to the end.
pub async fn migrate(
    order: BatchOrder,
    stop: &Stop,
    began: impl FnOnce(&RunFolder),
) -> Result<Batched, RunError> {
    let groups = plan(&order)?;
    let (book, folder, tap) = open(&order, &groups)?;
    began(&folder);
    let ended = conduct(order, groups, (book.clone(), tap), stop).await;
    let (ended, end) = match ended {
        Ok(ended) if stop.asked() => (ended, RunEnd::Aborted("stopped by a person".to_owned())),
        Ok(ended) => (ended, RunEnd::Completed),
        Err(RunError::Ledger(error)) => return Err(error.into()),
        Err(other) => (Ended::default(), RunEnd::Failed(other.to_string())),
    };
    let finished = book.finish(end)?;
    Ok(Batched { folder, finished, ended })
}

fn open(order: &BatchOrder, groups: &[Planned]) -> Result<(Book, RunFolder, RunTap), RunError> {
    let wrap = |e: crate::evidence::EvidenceError| RunError::Evidence(Box::new(e));
    let folder = RunFolder::new(order.runs.join(order.run.as_str()));
    let recorder =
        Recorder::create(folder.clone(), plan::first_record(order, groups, case()), order.key.clone());
    let recorder = recorder.map_err(wrap)?;
    let tap = RunTap::new();
    tap.write_to(recorder.capture().clone());
    Ok((Book::new(recorder), folder, tap))
}

fn case() -> Case {
    Case { pack: PACK.to_owned(), script: "batch".to_owned(), row: None, device: None }
}

async fn conduct(
    order: BatchOrder,
    groups: Vec<Planned>,
    (mut book, tap): (Book, RunTap),
    stop: &Stop,
) -> Result<Ended, RunError> {
    let installations: usize = groups.iter().map(|group| group.rigs.len()).sum();
    let title =
        format!("{installations} installations in {} groups are {}", groups.len(), order.purpose.words());
    let digest = book.keep(plan::asked(&order, &groups).as_bytes())?;
    let started = book.write(Body::ScriptStarted(Box::new(script_started(title, digest))))?;
    let all = groups_of(order, groups, (book.clone(), tap), stop).await;
    let (verdict, reason) = match &all {
        Ok(ended) => ended.verdict(installations),
        Err(error) => (Verdict::Error, Some(error.to_string())),
    };
    book.write(Body::ScriptFinished(ScriptFinished { started, verdict, reason }))?;
    book.seal()?;
    all
}

fn script_started(title: String, digest: Digest) -> ScriptStarted {
    let covers = vec!["SVTAD 20.13(a)".to_owned()];
    ScriptStarted { case: case(), attempt: 1, title, digest, covers, group: None }
}

async fn groups_of(
    order: BatchOrder,
    groups: Vec<Planned>,
    (book, tap): (Book, RunTap),
    stop: &Stop,
) -> Result<Ended, RunError> {
    let outsiders = Outsiders::open(&order.lab).await?;
    let seals = Seals::make(&order.lab, &groups, &outsiders)?;
    let inventory = KeptInventory::open(&order.lab, order.state.as_deref())
        .map_err(|reason| super::keys::part("inventory", reason))?;
    seals.write_down(&mut book.clone(), &outsiders)?;
    if let Some(loss) = order.lose {
        note(&book, format!("a rehearsal: the {} is lost in each group, {loss}", loss.role()))?;
    }
    if order.state.is_none() {
        note(
            &book,
            "journals and stores are kept in memory only: what this run leaves on the way is not found again",
        )?;
    }
    let at_once = if outsiders.is_empty() { order.at_once.get() } else { 1 };
    let inventory = Arc::new(inventory);
    let tap: SharedTap = Arc::new(tap);
    let ground = Arc::new(Ground { order, book, tap, seals, inventory, outsiders });
    let room = Arc::new(Semaphore::new(at_once));
    let (mut under_way, mut ended) = (JoinSet::new(), Ended::default());
    for planned in groups {
        let Ok(turn) = Arc::clone(&room).acquire_owned().await else { break };
        if stop.asked() {
            break;
        }
        while let Some(done) = under_way.try_join_next() {
            ended.add(joined(done)?);
        }
        let (ground, stop) = (Arc::clone(&ground), stop.clone());
        under_way.spawn(async move {
            let done = group::migrate(&ground, &planned, &stop).await;
            drop(turn);
            done
        });
    }
    while let Some(done) = under_way.join_next().await {
        ended.add(joined(done)?);
    }
    Ok(ended)
}

fn joined(done: Result<Result<Ended, RunError>, tokio::task::JoinError>) -> Result<Ended, RunError> {
    done.unwrap_or_else(|error| Err(super::keys::part("migration", error)))
}

fn note(book: &Book, what: impl Into<String>) -> Result<(), LedgerError> {
    book.write(Body::Note(Note { who: "migration control".to_owned(), what: what.into() })).map(drop)
}

/// How many of each class.
pub type Classes = BTreeMap<MigrationClass, usize>;
