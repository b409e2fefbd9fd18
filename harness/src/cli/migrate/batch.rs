//! A batch: planned from the command line, shown from its records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use lab_config::{Lab, Rig};

use super::super::arguments::{LabChoice, MigrateBatch};
use super::super::run::hinted;
use super::super::say::{complain, say};
use super::super::verify::key_folder;
use super::super::{Exit, Failure, lab, print_json, report, signals};
use super::progress::Shown;
use crate::dispatch;
use crate::dispatch::batch::{self, BatchOrder, Batched, Purpose};
use crate::driver::state_folder;
use crate::embedded;
use crate::evidence::RunFolder;
use crate::execute::Stop;

pub(super) async fn batch(verb: &MigrateBatch) -> Result<Exit, Failure> {
    let stop = Stop::new();
    signals::listen(&stop)?;
    let declared = lab::open(verb.lab.as_deref())?;
    let rigs = rigs(verb, &declared)?;
    let simulated = rigs.iter().find(|name| declared.rig(name).is_some_and(Rig::is_simulated)).cloned();
    let purpose = purpose(verb);
    if let Some(rig) = simulated.as_ref().filter(|_| purpose != Purpose::Prove) {
        return Err(passing(rig));
    }
    let (lab, estate) = match &simulated {
        Some(rig) => embedded::bring_up(declared, rig).await.map_err(Failure::lab)?,
        None => (declared, embedded::Embedded::none()),
    };
    let batched = one(verb, order(verb, lab, rigs, purpose)?, &stop).await;
    estate.stop().await;
    conclude(verb, &batched?)
}

/// Devices simulated inside this program end with it: nothing of them is there to be kept, recovered or taken back.
fn passing(rig: &str) -> Failure {
    let failure = Failure::input(format!(
        "the devices of rig {rig} are simulated inside this program and end with it, so their installation cannot stay migrated"
    ));
    failure
        .hint("run them by themselves with `device-sim serve`, and put the links it prints into the lab file")
}

const fn purpose(verb: &MigrateBatch) -> Purpose {
    match (verb.recover, verb.take_back, verb.keep) {
        (true, ..) => Purpose::Recover,
        (_, true, _) => Purpose::TakeBack,
        (_, _, true) => Purpose::Keep,
        _ => Purpose::Prove,
    }
}

fn rigs(verb: &MigrateBatch, declared: &Lab) -> Result<Vec<String>, Failure> {
    if verb.all || (verb.recover && verb.rigs.is_empty()) {
        return Ok(declared.rigs.iter().map(|rig| rig.name.to_string()).collect());
    }
    if verb.rigs.is_empty() {
        let only = lab::rig(declared, &LabChoice::default());
        let named = |rig: &Rig| vec![rig.name.to_string()];
        return only.map(named).map_err(|failure| failure.hint("or all of them with --all"));
    }
    let one = |name: &String| {
        let choice = LabChoice { rig: Some(name.clone()), ..LabChoice::default() };
        lab::rig(declared, &choice).map(|rig| rig.name.to_string())
    };
    verb.rigs.iter().map(one).collect()
}

fn order(verb: &MigrateBatch, lab: Lab, rigs: Vec<String>, purpose: Purpose) -> Result<BatchOrder, Failure> {
    let keys = key_folder(&verb.runs, &verb.keys);
    Ok(BatchOrder {
        rigs,
        kind: verb.kind,
        group_size: verb.group_size,
        at_once: verb.at_once,
        purpose,
        attempts: verb.attempts,
        prepare: verb.prepare,
        lift: verb.lift,
        lose: verb.lose,
        state: state_folder(),
        runs: verb.runs.clone(),
        key: dispatch::lab_key(&keys, &lab).map_err(hinted)?,
        run: dispatch::new_run_id(Timestamp::now()).map_err(hinted)?,
        lab,
    })
}

async fn one(verb: &MigrateBatch, order: BatchOrder, stop: &Stop) -> Result<Batched, Failure> {
    let over = Arc::new(AtomicBool::new(false));
    let (send, receive) = tokio::sync::oneshot::channel::<RunFolder>();
    let (installations, ended, json) = (order.rigs.len(), Arc::clone(&over), verb.json);
    let shown = tokio::spawn(async move {
        match receive.await {
            Ok(folder) => {
                Shown::new(installations, json).follow(folder, || ended.load(Ordering::Acquire)).await
            }
            // The batch never began; why is said elsewhere.
            Err(_) => Ok(()),
        }
    });
    let began = |folder: &RunFolder| drop(send.send(folder.clone()));
    let batched = batch::migrate(order, stop, began).await;
    over.store(true, Ordering::Release);
    // What the screen could not show changes nothing of what the batch came to.
    match shown.await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => complain!("{failure}"),
        Err(failure) => complain!("the screen stopped: {failure}\n"),
    }
    batched.map_err(hinted)
}

fn conclude(verb: &MigrateBatch, batched: &Batched) -> Result<Exit, Failure> {
    let root = batched.folder.root();
    let written = report::write(root, root, &verb.keys)?;
    let verdict = batched.finished.verdict;
    if verb.json {
        print_json(&serde_json::json!({
            "run": root, "verdict": verdict, "reason": batched.finished.reason,
            "report": written.html, "report_json": written.json,
        }))?;
    } else {
        let reason = batched.finished.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
        say!("\nVerdict      {verdict}{reason}");
        written.say();
        say!("Evidence     harness verify {}", root.display());
    }
    Ok(verdict.into())
}
