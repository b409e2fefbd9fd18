//! Finding what somebody asks to be run: packs, scripts, test data sets.

use std::path::Path;

use lab_config::{CapabilityRelease, Document, Lab, Rig};
use proto_lab::record::book::{PackAsked, Work};
use scenarios::{DataSet, Pack, PackKind, Standing, shipped_packs};

use crate::queue::{Asked, Plan, Selection};

/// What is wrong with a pack besides what its own format says; the embedded lab knows of faults that nobody can bring about.
pub type Vet = fn(&Pack) -> Vec<String>;

/// What a run is made of.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) plan: Plan,
    pub(super) data_sets: Vec<DataSet>,
}

/// Binds what is asked for to the packs as they are now.
pub(super) fn bind(lab: &Lab, asked: &Asked, vet: Vet) -> Result<Work, String> {
    let rig = rig(lab, &asked.rig)?;
    let sources = match asked.packs.is_empty() {
        true => standard(rig.combination.release)?,
        false => asked.packs.clone(),
    };
    let pack = |source: String| Ok(PackAsked { lock: pack(&source)?.digest(), source });
    let work = Work {
        rig: asked.rig.clone(),
        packs: sources.into_iter().map(pack).collect::<Result<_, String>>()?,
        scripts: asked.scripts.clone(),
        data_sets: asked.data_sets.clone(),
        witnessed: asked.witnessed.clone(),
    };
    // What makes no plan now would make none later.
    open(lab, &work, vet).map(|_| work)
}

/// Opens what was bound, if it still is what it was.
pub(super) fn open(lab: &Lab, work: &Work, vet: Vet) -> Result<Found, String> {
    let rig = rig(lab, &work.rig)?;
    let packs: Vec<Pack> = work.packs.iter().map(agreed).collect::<Result<_, _>>()?;
    if let Some(wrong) = packs.iter().flat_map(vet).next() {
        return Err(wrong);
    }
    let selection = Selection { scripts: work.scripts.clone(), witnessed: work.witnessed.clone() };
    if let Some(unknown) = selection.unknown(&packs).next() {
        return Err(format!("no pack has a script {unknown:?}"));
    }
    let data_sets = data_sets(&work.data_sets, &packs)?;
    let plan = Plan::new(packs, rig, &selection).map_err(|e| e.to_string())?.by_way_of(&lab.dcc);
    let entry = plan.entry(lab, &rig.combination.id).cloned();
    let plan = match entry {
        Some(entry) => plan.for_entry(&entry),
        None => return Err(format!("no EPCL entry is for combination {} (20.28(a))", rig.combination.id)),
    };
    Ok(Found { plan, data_sets })
}

fn rig<'l>(lab: &'l Lab, name: &str) -> Result<&'l Rig, String> {
    lab.rig(name).ok_or_else(|| format!("the lab has no rig {name}"))
}

/// The standard packs of a release (20.15, 20.16), migration first.
fn standard(release: CapabilityRelease) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for shipped in shipped_packs() {
        let pack = Pack::open(&shipped).map_err(|e| e.to_string())?;
        if pack.release == release && pack.standing == Standing::Standard {
            found.push((pack.kind != PackKind::Migration, shipped.name().to_owned()));
        }
    }
    found.sort();
    match found.is_empty() {
        false => Ok(found.into_iter().map(|(_, name)| name).collect()),
        true => Err(format!("no standard pack for {release} is shipped: name a pack")),
    }
}

/// The pack inside the program of this name, or the one in this folder.
fn pack(source: &str) -> Result<Pack, String> {
    let folder = Path::new(source);
    match folder.is_dir() {
        true => Pack::load(folder),
        false => Pack::shipped(source),
    }
    .map_err(|e| e.to_string())
}

fn agreed(asked: &PackAsked) -> Result<Pack, String> {
    let found = pack(&asked.source)?;
    match found.digest() == asked.lock {
        true => Ok(found),
        false => Err(format!(
            "pack {} was asked for with lock {}, and is found with lock {}: restore it, or ask again for what it is now",
            asked.source,
            asked.lock,
            found.digest()
        )),
    }
}

/// Those asked for, and those the packs require, each once.
fn data_sets(asked: &[String], packs: &[Pack]) -> Result<Vec<DataSet>, String> {
    let required = packs.iter().flat_map(|pack| &pack.data_sets).map(|name| name.as_str());
    let mut sets: Vec<DataSet> = Vec::new();
    for name in asked.iter().map(String::as_str).chain(required) {
        let set = data_set(name)?;
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    Ok(sets)
}

fn data_set(name: &str) -> Result<DataSet, String> {
    let document = match Path::new(name).is_file() {
        true => Document::read(Path::new(name)).map_err(|e| e.to_string())?,
        false => DataSet::shipped_named(name).map_err(|e| e.to_string())?,
    };
    DataSet::parse(&document).map_err(|e| e.to_string())
}
