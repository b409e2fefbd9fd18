//! `harness run`, which is also what the program does without a verb.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use lab_config::{Lab, Rig};
use proto_lab::record::Verdict;

use super::arguments::Run;
use super::person::Person;
use super::say::{complain, say};
use super::screen::Screen;
use super::verify::key_folder;
use super::{Exit, Failure, data_sets, lab, packs, report, signals};
use crate::dispatch::{self, Order, Ran, RunError};
use crate::embedded::{self, Embedded};
use crate::evidence::RunFolder;
use crate::execute::{Steering, Stop};
use crate::queue::{Plan, Queue, Selection};

mod resume;

/// Who is told of a run's folder.
type Began = Box<dyn FnOnce(&RunFolder) + Send>;

pub(super) async fn run(verb: &Run) -> Result<Exit, Failure> {
    let stop = Stop::new();
    signals::listen(&stop)?;
    if let Some(folder) = &verb.resume {
        return resume::resume(verb, folder, &stop).await;
    }
    let declared = lab::open(verb.lab.lab.as_deref())?;
    let rig = lab::rig(&declared, &verb.lab)?.clone();
    let plan = plan(verb, &rig)?.by_way_of(&declared.dcc);
    let plan = match plan.entry(&declared, &rig.combination.id).cloned() {
        Some(entry) => plan.for_entry(&entry),
        None => plan,
    };
    let mut queue = Queue::new();
    queue.join(rig.name.clone(), plan).map_err(Failure::lab)?;
    let (lab, estate) = embedded::bring_up(declared, rig.name.as_str()).await.map_err(Failure::lab)?;
    let remarks = faults(verb, &estate)?;
    let mut exit = Exit::Done;
    while let Some((name, plan)) = queue.take() {
        let order = order(verb, &lab, &rig, plan, &estate, &remarks)?;
        exit = one(verb, order, &stop).await?;
        queue.give_back(&name);
    }
    estate.stop().await;
    Ok(exit)
}

fn plan(verb: &Run, rig: &Rig) -> Result<Plan, Failure> {
    let packs = packs::chosen(&verb.packs, rig.combination.release)?;
    let selection = Selection { scripts: verb.scripts.clone(), witnessed: verb.witnessed.clone() };
    if let Some(unknown) = selection.unknown(&packs).next() {
        let failure = Failure::input(format!("no pack has a script {unknown:?}"));
        let known = packs.iter().flat_map(|pack| &pack.scripts).map(|script| script.id.as_str());
        return Err(match lab_config::nearest(unknown, known) {
            Some(near) => failure.hint(format!("did you mean {near}?")),
            None => {
                failure.hint("harness check lists the packs; a script's name is its file's, without .toml")
            }
        });
    }
    Plan::new(packs, rig, &selection).map_err(Failure::input)
}

/// Arms the faults of a file, and says so for the records: what such a run comes to is said of devices that were made wrong.
fn faults(verb: &Run, estate: &Embedded) -> Result<Vec<String>, Failure> {
    let Some(file) = &verb.faults_file else { return Ok(Vec::new()) };
    let plan = embedded::fault_plan(file).map_err(Failure::input)?;
    estate.arm(&plan).map_err(Failure::input)?;
    Ok(plan.faults.iter().map(|fault| format!("simulated devices have a fault: {fault}")).collect())
}

fn order(
    verb: &Run,
    lab: &Lab,
    declared: &Rig,
    plan: Plan,
    estate: &Embedded,
    remarks: &[String],
) -> Result<Order, Failure> {
    let keys = key_folder(&verb.runs, &verb.keys);
    Ok(Order {
        lab: lab.clone(),
        rig: declared.name.to_string(),
        data_sets: data_sets::chosen(&verb.data_sets, &plan.packs)?,
        plan,
        runs: verb.runs.clone(),
        key: dispatch::lab_key(&keys, lab).map_err(hinted)?,
        keys,
        hands: estate.hands(declared.name.as_str(), Box::<Person>::default()),
        remarks: remarks.to_vec(),
        run: dispatch::new_run_id(Timestamp::now()).map_err(hinted)?,
    })
}

async fn one(verb: &Run, order: Order, stop: &Stop) -> Result<Exit, Failure> {
    let steering = Steering::new(stop.clone());
    shown(verb, async |began| dispatch::run(order, &steering, began).await).await
}

/// Has a run run, shown as its records are written, and says what it came to.
async fn shown(verb: &Run, run: impl AsyncFnOnce(Began) -> Result<Ran, RunError>) -> Result<Exit, Failure> {
    let over = Arc::new(AtomicBool::new(false));
    let (send, receive) = tokio::sync::oneshot::channel::<RunFolder>();
    let shown = tokio::spawn(show(receive, Arc::clone(&over), verb.json));
    let began: Began = Box::new(|folder: &RunFolder| drop(send.send(folder.clone())));
    let ran = run(began).await;
    over.store(true, Ordering::Release);
    // What the screen could not show changes nothing of what the run came to.
    match shown.await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => complain!("{failure}"),
        Err(failure) => complain!("the screen stopped: {failure}\n"),
    }
    conclude(verb, &ran.map_err(hinted)?)
}

/// The screen is a watcher like any other: it reads the records as they are written.
async fn show(
    began: tokio::sync::oneshot::Receiver<RunFolder>,
    over: Arc<AtomicBool>,
    json: bool,
) -> Result<(), Failure> {
    match began.await {
        Ok(folder) => Screen::new(json).follow(folder, || over.load(Ordering::Acquire)).await,
        // The run never began; why is said elsewhere.
        Err(_) => Ok(()),
    }
}

/// Writes the report and says where it is.
fn conclude(verb: &Run, ran: &Ran) -> Result<Exit, Failure> {
    let written = report::write(ran.folder.root(), ran.folder.root(), &verb.keys)?;
    let verdict = ran.finished.verdict;
    if verb.json {
        super::print_json(&serde_json::json!({
            "run": ran.folder.root(), "verdict": verdict, "counts": ran.finished.counts,
            "result": written.result, "status": written.status, "report": written.html, "report_json": written.json,
        }))?;
    } else {
        say(verdict, ran, &written);
    }
    Ok(verdict.into())
}

fn say(verdict: Verdict, ran: &Ran, written: &report::Written) {
    let reason = ran.finished.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
    say!("\nVerdict      {verdict}{reason}");
    written.say();
    say!("Evidence     harness verify {}", ran.folder.root().display());
}

pub(super) fn hinted(error: RunError) -> Failure {
    let stopped = matches!(error, RunError::StoppedEarly);
    let hint = match &error {
        RunError::Held(_) => Some("wait for that run to end, or stop it; a run that died has let go already"),
        RunError::Ledger(_) => Some("look at the disk: free space, permissions; then run again"),
        RunError::DataSet { .. } => Some(
            "put the data into the device, or leave the data set out; a run never begins on other data than it names",
        ),
        RunError::NoEntry { .. } => Some("add an [[epcl]] entry for the combination to the lab file"),
        RunError::Resume { .. } => Some(
            "nothing was touched; give the lab and packs it was begun with, or leave it open: an open run is never passed",
        ),
        RunError::Reach(_) => Some("harness check shows what the lab file says of the device"),
        _ => None,
    };
    let failure = Failure::new(if stopped { Exit::Aborted } else { Exit::Error }, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
