//! One run, from holding the rig to the final checkpoint.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{DeviceKind, Lab, Path, Rig};
use proto_lab::Digest;
use proto_lab::record::{Body, Note, RunFinished, RunId, SafeState};
use scenarios::Facts;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::bench::Parts;
use super::conduct::block_rest;
use super::environment;
use super::first::Bindings;
use super::tokens::Tokens;
use super::{Book, Done, Order, RigBench, RunError, RunTap, System, conduct, data_set, safe};
use crate::driver::dongle::Dongle;
use crate::driver::prove::han::{self, Stranger};
use crate::driver::prove::{self, Difference, RigProof};
use crate::driver::rig::{self, ReachError};
use crate::driver::{Push, RigLinks, state_folder};
use crate::evidence::{self, Capture, Recorder, RunEnd, RunFolder, sweep_drafts};
use crate::execute::{LedgerError, Steering};
use crate::link::lock::{Claim, LockFolder};
use crate::link::{LinkAddress, SharedTap};
use crate::s1sp::SecretStore;
use crate::service_user::VendingDesk;
use crate::station::attach::Held;
use crate::station::{StationError, Stations};

/// How the name of a lab's book begins, and no run's.
pub(super) const BOOK: &str = "book-";

/// How long proving a whole rig may take.
const PROOF: Duration = Duration::from_secs(90);

/// How long making a rig safe may take that no run has.
const SAFE: Duration = Duration::from_secs(60);

/// Alerts that may wait between the hub and the S1SP; a device that floods more is pushed back by TCP.
pub(super) const PUSHES: usize = 256;

/// A run that ended, with its evidence closed.
#[derive(Debug)]
pub struct Ran {
    /// Its folder.
    pub folder: RunFolder,
    /// Its last record.
    pub finished: RunFinished,
}

/// Runs a plan. `began` is told the folder as soon as the first record is in it, for those who watch.
///
/// # Errors
/// [`RunError`]: there is no run, or its evidence could not be written to the end.
pub async fn run(
    mut order: Order,
    steering: &Steering,
    began: impl FnOnce(&RunFolder),
) -> Result<Ran, RunError> {
    let rig = order.rig()?.clone();
    refuse_data_sets(&order)?;
    let claim = claim(&order.lab, &rig, order.run.as_str(), LockFolder::default())?;
    let tap = RunTap::new();
    let met = tokio::select! {
        met = meet(&order.lab, &rig, order.run.as_str(), Arc::new(tap.clone())) => met?,
        () = steering.stop().wait() => return Err(RunError::StoppedEarly),
    };
    if met.proof.holds() {
        let facts = Arc::new(Facts::of(&order.lab, &rig));
        tokio::select! {
            loaded = data_set::load(&order.data_sets, &met.links, order.hands.as_mut(), &facts) => loaded?,
            () = steering.stop().wait() => return Err(RunError::StoppedEarly),
        }
    }
    let recorded = open(&order, &rig, &met.proof, &tap)?;
    began(&recorded.folder);
    end(with_evidence(order, met, &recorded, steering, Done::default()).await, recorded, claim)
}

/// Closes the evidence of a run, whatever it came to.
pub(super) fn end(
    ended: Result<RunEnd, RunError>,
    recorded: Recorded,
    claim: Claim,
) -> Result<Ran, RunError> {
    drop(claim);
    let end = match ended {
        Ok(end) => end,
        Err(RunError::Ledger(error)) => return Err(error.into()),
        Err(other) => RunEnd::Failed(other.to_string()),
    };
    let finished = recorded.book.finish(end)?;
    Ok(Ran { folder: recorded.folder, finished })
}

/// Devices of somebody else's DCC are as it prepared them.
fn refuse_data_sets(order: &Order) -> Result<(), RunError> {
    let (Some(set), Some(dcc)) = (order.data_sets.first(), order.lab.dcc.environment()) else {
        return Ok(());
    };
    let reason = format!("the devices are those of the DCC at {}, into which the lab puts none", dcc.url);
    Err(RunError::DataSet { set: set.name.to_string(), reason })
}

/// What was found of a rig, and of the devices on its home area network that nobody declared.
#[derive(Debug)]
pub struct Surveyed {
    /// Everything the lab file declares.
    pub proof: RigProof,
    /// What it does not.
    pub strangers: Vec<Stranger>,
}

/// How long all the strangers on a network may take to be asked what they are.
const STRANGERS: Duration = Duration::from_secs(30);

/// Proves a rig without running anything on it, and asks devices nobody declared what they are.
///
/// # Errors
/// [`RunError`] when another run holds it, or a station of it is not there.
pub async fn prove_alone(lab: &Lab, rig: &Rig) -> Result<Surveyed, RunError> {
    let _claim = claim(lab, rig, "probe", LockFolder::default())?;
    let Met { proof, links, held, .. } = meet(lab, rig, "probe", crate::link::NoTap::shared()).await?;
    let (mut strangers, end) = (Vec::new(), Instant::now() + STRANGERS);
    for contact in &proof.strangers {
        strangers.push(han::identify(&links, contact, &lab.models, end).await);
    }
    if let Some(held) = held {
        held.give_back().await.map_err(|reason| part("station", reason))?;
    }
    Ok(Surveyed { proof, strangers })
}

/// Makes a rig safe that no run has: proved first, because switching a stranger's supply would be worse than leaving it.
pub(super) async fn make_safe_alone(lab: &Lab, rig: &Rig) -> SafeState {
    let made = async {
        let _claim = claim(lab, rig, "safe state", LockFolder::default()).map_err(|e| e.to_string())?;
        let met = meet(lab, rig, "safe state", crate::link::NoTap::shared()).await;
        let Met { proof, links, held, .. } = met.map_err(|e| e.to_string())?;
        let differs: Vec<String> = proof.differences().collect();
        let made = match differs.is_empty() {
            true => safe::make(&links).await,
            false => Err(format!("left as found, because the rig is not as declared: {}", shortly(&differs))),
        };
        match held {
            Some(held) => held.give_back().await.and_then(|there| Ok(format!("{}; {there}", made?))),
            None => made,
        }
    };
    let made = tokio::time::timeout(PROOF + SAFE, made).await;
    let made = made.unwrap_or_else(|_| Err(format!("not reached within {:?}", PROOF + SAFE)));
    SafeState { reached: made.is_ok(), detail: made.unwrap_or_else(|stuck| stuck) }
}

/// Every physical link of the rig, and its devices at somebody else's DCC, for this run alone (A4, C5).
pub(super) fn claim(lab: &Lab, rig: &Rig, run: &str, locks: LockFolder) -> Result<Claim, RunError> {
    let mut keys: Vec<String> =
        lab.dcc.environment().into_iter().flat_map(|dcc| environment::claim_keys(dcc, rig)).collect();
    for device in rig.devices() {
        for (path, link) in &device.links {
            let name = rig::link_name(rig, device, *path);
            let address = LinkAddress::of(&name, link)
                .map_err(|e| RunError::Part { part: "link", reason: e.to_string() })?;
            keys.push(address.target.physical_key());
        }
    }
    keys.extend(rig.dongle.as_ref().and_then(Dongle::physical_key));
    Ok(locks.claim(&keys, run, Timestamp::now())?)
}

/// The rig as it was met: what was proved, and the connection to its hub where there is one.
pub(super) struct Met {
    pub(super) proof: RigProof,
    links: RigLinks,
    pushes: mpsc::Receiver<Push>,
    stations: Option<Stations>,
    /// The rig's leases at stations of other benches.
    held: Option<Held>,
}

impl Met {
    pub(super) const fn links(&self) -> &RigLinks {
        &self.links
    }
}

pub(super) async fn meet(lab: &Lab, rig: &Rig, holder: &str, tap: SharedTap) -> Result<Met, RunError> {
    // Before anything is asked of the rig: a part of it at another bench is this run's under a lease only.
    let held = Held::take(rig, holder).await.map_err(StationError::from)?;
    let leased = held.as_ref().map_or_else(|| rig.clone(), |held| held.leased(rig.clone()));
    let rig = &leased;
    // First of all: a device whose relay was left off answers nothing.
    let stations = Stations::connect(rig, lab.broker.as_ref(), Arc::clone(&tap)).await?;
    let (send, pushes) = mpsc::channel(PUSHES);
    // Where the DCC is somebody else's, so is the way to the hub.
    let (hub, unreached) = match rig.device(DeviceKind::Chf).filter(|_| lab.dcc.stub().is_some()) {
        // A meter on its own: only scripts that observe it can say anything of it.
        None => (None, None),
        Some(chf) => match rig::connect_hub(rig, chf, Arc::clone(&tap), send).await {
            Ok(hub) => (Some(hub), None),
            Err(ReachError::Driver(error)) => (None, Some(format!("{error}; {}", error.hint()))),
            Err(other) => return Err(other.into()),
        },
    };
    let links = RigLinks::new(Arc::new(rig.clone()), hub, tap);
    // A run that was killed in the middle of a migration has left the devices with credentials of its S1SP.
    if lab.dcc.stub().is_some() {
        let recalled = SecretStore::recall(rig, state_folder().as_deref(), links.keyring());
        recalled.map_err(|error| part("S1SP", error))?;
    }
    let mut proof = prove::prove(&links, PROOF).await;
    if let Some(words) = unreached {
        blame_hub(&mut proof, &words);
    }
    Ok(Met { proof, links, pushes, stations, held })
}

/// Where the hub itself is not reached, every device behind it fails for that one reason.
fn blame_hub(proof: &mut RigProof, words: &str) {
    for device in proof.devices.iter_mut().filter(|device| device.path == Path::Wan) {
        device.differences = vec![Difference::answer(match device.kind {
            DeviceKind::Chf => words,
            _ => "not asked, because its hub is not reached",
        })];
    }
}

/// The evidence under way.
pub(super) struct Recorded {
    pub(super) book: Book,
    pub(super) capture: Capture,
    pub(super) folder: RunFolder,
}

/// Begins the evidence.
fn open(order: &Order, rig: &Rig, proof: &RigProof, tap: &RunTap) -> Result<Recorded, RunError> {
    let wrap = |e: evidence::EvidenceError| RunError::Evidence(Box::new(e));
    let folder = RunFolder::new(order.runs.join(order.run.as_str()));
    let first = Bindings {
        run: &order.run,
        lab: &order.lab,
        rig,
        entry: order.entry()?,
        proof,
        plan: &order.plan,
        data_sets: &order.data_sets,
        key: &order.key,
        previous: previous(&order.runs),
    };
    let recorder = Recorder::create(folder.clone(), first.record(), order.key.clone()).map_err(wrap)?;
    let capture = recorder.capture().clone();
    let lost = tap.write_to(capture.clone());
    let book = Book::new(recorder);
    if lost > 0 {
        let what = format!(
            "{lost} frames crossed the links while the rig was proved and were too many for the capture"
        );
        book.write(Body::Note(Note { who: "dispatcher".to_owned(), what }))?;
    }
    let swept = sweep_drafts(&order.runs).into_iter().map(|draft| draft.to_string());
    for what in order.remarks.iter().cloned().chain(swept) {
        book.write(Body::Note(Note { who: "dispatcher".to_owned(), what }))?;
    }
    Ok(Recorded { book, capture, folder })
}

/// The run that a new one binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Previous {
    pub(super) run: RunId,
    pub(super) root: Digest,
}

/// The latest finished run among the run folders. A folder that cannot be read is no reason not to run.
pub(super) fn previous(runs: &FilePath) -> Option<Previous> {
    let entries = std::fs::read_dir(runs).ok()?.filter_map(Result::ok);
    // A book is evidence of the lab, and a draft of nothing yet.
    let is_run = |name: &str| !name.starts_with(BOOK) && !name.starts_with('.');
    let runs = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_run));
    let mut folders: Vec<_> = runs.map(|entry| entry.path()).collect();
    folders.sort();
    folders.into_iter().rev().find_map(|folder| {
        let run = folder.file_name()?.to_str()?.parse().ok()?;
        let root = evidence::previous_root(&RunFolder::new(folder)).ok().flatten()?;
        Some(Previous { run, root })
    })
}

pub(super) async fn with_evidence(
    order: Order,
    met: Met,
    recorded: &Recorded,
    steering: &Steering,
    done: Done,
) -> Result<RunEnd, RunError> {
    let book = &recorded.book;
    if !met.proof.holds() {
        let end = blocked(&order, &met.proof, book, &done)?;
        if let Some(held) = met.held {
            give_back(held, book).await?;
        }
        return Ok(end);
    }
    let rig = Arc::new(order.rig()?.clone());
    let tokens = Tokens::of(&rig, &order.keys)?;
    let system = System::start(&order.lab, met.links, met.pushes, book.clone()).await?;
    let certificates = system.certificates.clone();
    let facts = Arc::new(Facts { certificates, ..Facts::of(&order.lab, &rig) });
    let migration = system.migrating(&order.lab, &rig, order.entry()?)?;
    let mut bench = RigBench::new(
        Parts {
            migration,
            hands: order.hands,
            stations: met.stations,
            held: met.held,
            vending: VendingDesk::of(&rig, tokens.first).map_err(|e| part("vending desk", e))?,
            tokens,
            capture: recorded.capture.clone(),
            book: book.clone(),
            rig,
        },
        system,
    );
    bench.recover().await?;
    let ended = conduct(&order.plan, &mut bench, book, facts, steering, done).await;
    let given_back = bench.give_back().await;
    bench.stop().await;
    given_back?;
    Ok(ended?)
}

/// Gives the rig's leases back; its stations bring their parts of it to the safe state, which is recorded.
pub(super) async fn give_back(held: Held, book: &Book) -> Result<(), LedgerError> {
    let what = match held.give_back().await {
        Ok(done) => format!("lease given back: {done}"),
        Err(stuck) => format!("lease NOT given back: {stuck}; look at the rig"),
    };
    book.write(Body::Note(Note { who: "stations".to_owned(), what })).map(|_| ())
}

fn part(part: &'static str, error: impl std::fmt::Display) -> RunError {
    RunError::Part { part, reason: error.to_string() }
}

/// What differs stands in the first record, device by device; the reason for each script is only that it does.
fn blocked(order: &Order, proof: &RigProof, book: &Book, done: &Done) -> Result<RunEnd, LedgerError> {
    let reason = "the rig is not as declared; the run's first record says what differs, or the one about its resumption";
    block_rest(&order.plan, book, done, reason)?;
    // Who stands there is not known: switching a stranger's supply would be worse than leaving it.
    let detail = "left as found, because the rig is not as declared: look at it".to_owned();
    book.write(Body::SafeState(SafeState { reached: false, detail }))?;
    let differs: Vec<String> = proof.differences().collect();
    Ok(RunEnd::Failed(format!("the rig is not as declared: {}", shortly(&differs))))
}

/// The first of several, and how many more there are.
pub(super) fn shortly(differences: &[String]) -> String {
    match differences {
        [] => "nothing differs".to_owned(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first}; and {} more", rest.len()),
    }
}
