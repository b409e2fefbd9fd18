//! `harness run --resume`: a run whose controller died, gone on with.

use std::path::Path;

use lab_config::Rig;
use proto_lab::record::{DataSet, PackBound, RunStarted};
use scenarios::{Pack, shipped_packs};

use super::super::{Exit, Failure, data_sets, lab, packs};
use super::{Run, faults, order, shown};
use crate::dispatch::{self, Outlook};
use crate::embedded;
use crate::evidence::{RunFolder, read_records};
use crate::execute::{Steering, Stop};
use crate::queue::{Plan, Selection};

pub(super) async fn resume(verb: &Run, folder: &Path, stop: &Stop) -> Result<Exit, Failure> {
    let started = first_record(folder)?;
    let declared = lab::open(verb.lab.lab.as_deref())?;
    let rig = declared.rig(&started.rig).cloned().ok_or_else(|| {
        Failure::input(format!("run {} was begun on rig {}, and this lab has none", started.run, started.rig))
            .hint("give the lab file it was begun with, with --lab")
    })?;
    let plan = plan(verb, &started, &rig)?.by_way_of(&declared.dcc);
    let plan = match plan.entry(&declared, &rig.combination.id).cloned() {
        Some(entry) => plan.for_entry(&entry),
        None => plan,
    };
    let (lab, estate) = embedded::bring_up(declared, rig.name.as_str()).await.map_err(Failure::lab)?;
    faults(verb, &estate)?;
    let runs = folder.parent().unwrap_or(Path::new("")).to_path_buf();
    let verb = Run { runs, data_sets: names(verb, &started.data_sets), ..verb.clone() };
    let order = dispatch::Order { run: started.run, ..order(&verb, &lab, &rig, plan, &estate, &[])? };
    let steering = Steering::new(stop.clone());
    let ended = shown(&verb, async |began| dispatch::resume(order, &steering, began).await).await;
    estate.stop().await;
    ended
}

fn first_record(folder: &Path) -> Result<RunStarted, Failure> {
    let records = read_records(&RunFolder::new(folder)).map_err(Failure::lab)?;
    let hint = "give the folder of one run, such as runs/20261121T210745Z-1f3a";
    let none = || Failure::input(format!("{} holds no run", folder.display())).hint(hint);
    Outlook::of(&records).map(|outlook| outlook.started).ok_or_else(none)
}

/// The plan the run was begun with, from packs as they are now; whether they are the agreed ones is seen before anything is
/// touched.
fn plan(verb: &Run, started: &RunStarted, rig: &Rig) -> Result<Plan, Failure> {
    let given =
        verb.packs.iter().map(|name| packs::chosen(std::slice::from_ref(name), rig.combination.release));
    let given: Vec<Pack> = given.collect::<Result<Vec<_>, _>>()?.concat();
    let found = started.packs.iter().map(|bound| pack(bound, &given)).collect::<Result<_, _>>()?;
    let selection = Selection { scripts: started.selected.clone(), witnessed: started.witnessed.clone() };
    Plan::new(found, rig, &selection).map_err(Failure::input)
}

/// The pack among those given, or among those inside the program.
fn pack(bound: &PackBound, given: &[Pack]) -> Result<Pack, Failure> {
    let named = |pack: &&Pack| pack.id.as_str() == bound.id;
    if let Some(pack) = given.iter().find(named) {
        return Ok(pack.clone());
    }
    let shipped = shipped_packs().filter_map(|pack| Pack::open(&pack).ok());
    let found = shipped.into_iter().find(|pack| named(&pack));
    found.ok_or_else(|| {
        Failure::input(format!("the run was begun with pack {}, which is not inside the program", bound.id))
            .hint("give its folder with --pack")
    })
}

/// The data sets given, or those of these names that the run was begun with.
fn names(verb: &Run, bound: &[DataSet]) -> Vec<String> {
    if !verb.data_sets.is_empty() {
        return verb.data_sets.clone();
    }
    // Name and version together stand in the record.
    let name = |set: &DataSet| set.id.rsplit_once(' ').map_or(set.id.clone(), |(name, _)| name.to_owned());
    let shipped = |name: &String| data_sets::is_shipped(name);
    bound.iter().map(name).filter(shipped).collect()
}
