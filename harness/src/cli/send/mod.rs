//! `harness send`: one Service Request by hand, by the path every request takes, and its answer explained.
//!
//! What is shown is a record first. So a request by hand is a run: a pack of one script that nobody agreed to, on a rig that
//! is proved, enrolled and made safe as for any run, in a run folder with its evidence. No gate takes such a pack for a
//! standard one, so that it can be part of no DMCT Report that may be issued ([`script`]). What is said is read back from
//! the records ([`explain`]).

mod explain;
mod say;
mod script;

use jiff::Timestamp;
use lab_config::{Lab, Rig};
use proto_lab::record::Verdict;

use self::explain::Outcome;
use super::arguments::Send;
use super::run::hinted;
use super::verify::key_folder;
use super::{Exit, Failure, lab, person::Person, print_json, signals};
use crate::dispatch::{self, Order, Ran};
use crate::embedded::{self, Embedded};
use crate::evidence::read_records;
use crate::execute::{Steering, Stop};
use crate::queue::{Plan, Selection};

pub(super) async fn send(verb: &Send) -> Result<Exit, Failure> {
    let stop = Stop::new();
    signals::listen(&stop)?;
    let declared = lab::open(verb.lab.lab.as_deref())?;
    let rig = lab::rig(&declared, &verb.lab)?.clone();
    let pack = script::pack(verb, &declared, &rig)?;
    let plan = Plan::new(vec![pack], &rig, &Selection::default()).map_err(Failure::input)?;
    if let Some((_, reason)) = plan.items().find_map(|item| item.skip) {
        return Err(Failure::input(reason.clone()));
    }
    let (lab, estate) = embedded::bring_up(declared, rig.name.as_str()).await.map_err(Failure::lab)?;
    let order = order(verb, lab, &rig, plan, &estate)?;
    let ran = dispatch::run(order, &Steering::new(stop), |_| {}).await;
    estate.stop().await;
    conclude(verb, &ran.map_err(hinted)?)
}

fn order(verb: &Send, lab: Lab, rig: &Rig, plan: Plan, estate: &Embedded) -> Result<Order, Failure> {
    let keys = key_folder(&verb.runs, &verb.keys);
    Ok(Order {
        rig: rig.name.to_string(),
        plan,
        data_sets: Vec::new(),
        remarks: Vec::new(),
        runs: verb.runs.clone(),
        key: dispatch::lab_key(&keys, &lab).map_err(hinted)?,
        keys,
        hands: estate.hands(rig.name.as_str(), Box::<Person>::default()),
        run: dispatch::new_run_id(Timestamp::now()).map_err(hinted)?,
        lab,
    })
}

fn conclude(verb: &Send, ran: &Ran) -> Result<Exit, Failure> {
    let records = read_records(&ran.folder).map_err(Failure::lab)?;
    let blob = |digest: &_| std::fs::read(ran.folder.blob(digest)).ok();
    let mut told = explain::told(ran.folder.root(), &records, &blob);
    told.line = told.packets.as_ref().map(|packets| say::line(&ran.folder, packets)).transpose()?;
    match verb.json {
        true => print_json(&told)?,
        false => say::say(&told),
    }
    Ok(match told.outcome {
        Outcome::Done => Exit::Done,
        Outcome::Refused | Outcome::Failed => Exit::Failed,
        Outcome::Unanswered if ran.finished.verdict == Verdict::Pass => Exit::Inconclusive,
        Outcome::Unanswered => ran.finished.verdict.into(),
    })
}
