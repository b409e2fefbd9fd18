//! `harness check`: everything wrong or unverified in a lab file and in packs, before anything is powered.

use std::path::Path;

use lab_config::{AnswerListener, DccEnvironment, DeviceModel, Door, Lab, Name, Rig, RigDevice};
use scenarios::{DataSet, Pack};
use serde::Serialize;

use super::arguments::Check;
use super::data_sets::DataSetTold;
use super::say::say;
use super::{Exit, Failure, data_sets, lab, packs, print_json};
use crate::dispatch::NOT_DONE_ELSEWHERE;
use crate::queue::Plan;

/// What was found; only what holds gets this far.
#[derive(Debug, Serialize)]
struct Told {
    lab: String,
    digest: String,
    environment: String,
    dcc_systems_version: String,
    /// Somebody else's DCC, where the lab has one in place of the stub.
    #[serde(skip_serializing_if = "Option::is_none")]
    dcc: Option<DccTold>,
    rigs: Vec<RigTold>,
    /// EPCL entries, combination by combination.
    entries: Vec<String>,
    /// Parties of migrations that are outside.
    parties_outside: Vec<String>,
    models: Vec<ModelTold>,
    unverified: Vec<String>,
    packs: Vec<PackTold>,
    data_sets: Vec<DataSetTold>,
}

#[derive(Debug, Serialize)]
struct DccTold {
    url: String,
    listener: String,
    signing: Vec<String>,
    believed: Vec<String>,
    /// What such a lab does not do.
    not_done: Vec<String>,
    /// Links and devices nobody looks at but the DCC.
    unseen: Vec<String>,
    /// Scripts that are not run, by pack.
    not_run: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RigTold {
    name: String,
    combination: String,
    release: String,
    simulated: bool,
    devices: Vec<String>,
}

/// How much of what a Device Model says was seen on a device of it.
#[derive(Debug, Serialize)]
struct ModelTold {
    id: String,
    facts: usize,
    unverified: usize,
}

#[derive(Debug, Serialize)]
struct PackTold {
    id: String,
    title: String,
    scripts: usize,
    lock: String,
}

pub(super) fn check(verb: &Check) -> Result<Exit, Failure> {
    let lab = lab::open(verb.lab.as_deref())?;
    if verb.write_lock {
        verb.packs.iter().try_for_each(|folder| write_lock(folder))?;
    }
    let packs = match verb.packs.is_empty() {
        true => packs::shipped()?,
        false => verb.packs.iter().map(|folder| packs::load(folder)).collect::<Result<_, _>>()?,
    };
    let mut sets = data_sets::shipped()?;
    sets.extend(verb.data_sets.iter().map(|file| data_sets::load(file)).collect::<Result<Vec<_>, _>>()?);
    let told = told(&lab, &packs, &sets);
    let given =
        told.data_sets.iter().rev().take(verb.data_sets.len()).map(|set| set.id.clone()).collect::<Vec<_>>();
    match verb.json {
        true => print_json(&told)?,
        false => say(&told, &given, verb.facts),
    }
    Ok(Exit::Done)
}

fn write_lock(folder: &Path) -> Result<(), Failure> {
    let lock = Pack::lock(folder).map_err(Failure::input)?;
    say!("{}: agreed to {} scripts as they are", folder.display(), lock.scripts.len());
    Ok(())
}

fn told(lab: &Lab, packs: &[Pack], sets: &[DataSet]) -> Told {
    Told {
        lab: lab.name.to_string(),
        digest: lab.digest.to_string(),
        environment: lab.environment.name.clone(),
        dcc_systems_version: lab.environment.dcc_systems_version.clone(),
        dcc: lab.dcc.environment().map(|dcc| dcc_told(lab, dcc, packs)),
        rigs: lab.rigs.iter().map(rig_told).collect(),
        entries: lab.combinations.keys().filter_map(|combination| entries_told(lab, combination)).collect(),
        parties_outside: parties_outside(lab),
        models: lab.models.values().map(|model| model_told(model)).collect(),
        unverified: lab.models.values().flat_map(|model| unverified(model)).collect(),
        packs: packs.iter().map(pack_told).collect(),
        data_sets: sets.iter().map(DataSetTold::of).collect(),
    }
}

fn dcc_told(lab: &Lab, dcc: &DccEnvironment, packs: &[Pack]) -> DccTold {
    let AnswerListener { listen, tls } = &dcc.listener;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let signing = dcc.signing.iter().map(|(role, identity)| {
        format!("{role} under {}, key from {}", identity.certificate.display(), identity.key)
    });
    let believed = [("DSP", &dcc.believed.dsp), ("S1SP", &dcc.believed.s1sp)];
    let believed = believed
        .into_iter()
        .flat_map(|(party, files)| files.iter().map(move |file| format!("{party} by {}", file.display())));
    let devices = lab.rigs.iter().flat_map(|rig| rig.devices().map(move |device| (rig, device)));
    let unseen = devices.filter(|(rig, device)| device.links.is_empty() && !rig.has_han(device.kind));
    DccTold {
        url: dcc.url.to_string(),
        listener: format!("{scheme}://{listen}/"),
        signing: signing.collect(),
        believed: believed.collect(),
        not_done: NOT_DONE_ELSEWHERE.map(str::to_owned).into(),
        unseen: unseen.map(|(rig, device)| format!("{} of {}", device.kind, rig.name)).collect(),
        not_run: packs.iter().filter_map(|pack| not_run(lab, pack)).collect(),
    }
}

/// How many scripts of a pack this lab's DCC keeps from being run, and which, where it is any.
fn not_run(lab: &Lab, pack: &Pack) -> Option<String> {
    let kept: Vec<&str> = pack
        .scripts
        .iter()
        .filter(|script| !Plan::runs_by_way_of(script, &lab.dcc))
        .map(|script| script.id.as_str())
        .collect();
    (!kept.is_empty()).then(|| {
        format!("{}: {} of {} scripts: {}", pack.id, kept.len(), pack.scripts.len(), kept.join(", "))
    })
}

fn say_dcc(dcc: &DccTold) {
    say!("  DCC {}, in place of the stub; answers and alerts come in at {}", dcc.url, dcc.listener);
    dcc.signing.iter().for_each(|line| say!("    signs as {line}"));
    dcc.believed.iter().for_each(|line| say!("    believes the {line}"));
    dcc.not_done.iter().for_each(|line| say!("    not done: {line}"));
    dcc.not_run.iter().for_each(|line| say!("    not run, {line}"));
    if !dcc.unseen.is_empty() {
        say!("    no second path: what the DCC says of {} is not seen at the device", dcc.unseen.join(", "));
    }
}

fn rig_told(rig: &Rig) -> RigTold {
    RigTold {
        name: rig.name.to_string(),
        combination: rig.combination.id.to_string(),
        release: rig.combination.release.to_string(),
        simulated: rig.is_simulated(),
        devices: rig.devices().map(device_told).collect(),
    }
}

/// The EPCL entries of a combination in a line, where it has any.
fn entries_told(lab: &Lab, combination: &Name) -> Option<String> {
    let entries = lab.epcl.iter().filter(|entry| entry.combination == *combination);
    let told = entries.map(|entry| {
        let instead = match &entry.mtad {
            _ if entry.tested_as_dormant => ", tested as dormant (20.9)".to_owned(),
            Some(mtad) => format!(", migration tested under the MTAD (20.14): {}", mtad.tab),
            None => String::new(),
        };
        format!("{} ({}, {}{instead})", entry.id, entry.installation_type, entry.smso)
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("{combination}: {}", told.join(", ")))
}

fn parties_outside(lab: &Lab) -> Vec<String> {
    let by = |role| match lab.migration.door(role) {
        Door::Inside => None,
        Door::Folder(folder) => Some(format!("{role} by folder {}", folder.display())),
        Door::Https(url) => Some(format!("{role} at {url}")),
    };
    lab.migration.outside().filter_map(by).collect()
}

fn device_told(device: &RigDevice) -> String {
    let mut ways: Vec<String> = device.links.iter().map(|(path, link)| format!("{path} {link}")).collect();
    ways.extend(device.via.map(|carrier| format!("wan through the {carrier}")));
    format!("{:<5} {}  {}  {}", device.kind.to_string(), device.eui64, device.model.id, ways.join(", "))
}

fn pack_told(pack: &Pack) -> PackTold {
    PackTold {
        id: pack.id.to_string(),
        title: pack.title.clone(),
        scripts: pack.scripts.len(),
        lock: pack.digest().to_string(),
    }
}

fn model_told(model: &DeviceModel) -> ModelTold {
    let facts = model.facts();
    let unverified = facts.iter().filter(|(_, verified)| !verified).count();
    ModelTold { id: model.id.to_string(), facts: facts.len(), unverified }
}

/// The facts of a Device Model that nobody has seen on a device of it.
fn unverified(model: &DeviceModel) -> Vec<String> {
    let open = model.facts().into_iter().filter(|(_, verified)| !verified);
    open.map(|(what, _)| format!("{}: {what}", model.id)).collect()
}

fn say(told: &Told, given: &[String], facts: bool) {
    say!("lab {}: sound", told.lab);
    say!("  digest {}", told.digest);
    say!("  environment {}; {}", told.environment, told.dcc_systems_version);
    told.dcc.iter().for_each(say_dcc);
    for rig in &told.rigs {
        let kind = if rig.simulated { "simulated" } else { "real" };
        say!("  rig {}: {} ({}), {kind}", rig.name, rig.combination, rig.release);
        rig.devices.iter().for_each(|device| say!("    {device}"));
    }
    told.entries.iter().for_each(|entries| say!("  EPCL entries of {entries}"));
    told.parties_outside.iter().for_each(|party| say!("  migrations with the {party}"));
    for set in &told.data_sets {
        say!("{}", set.line());
        // Those of the files given are looked into.
        if given.contains(&set.id) {
            set.say();
        }
    }
    for pack in &told.packs {
        say!(
            "pack {}: {} scripts as agreed, lock {}",
            pack.id,
            pack.scripts,
            &pack.lock[..16.min(pack.lock.len())]
        );
    }
    say_facts(told, facts);
}

fn say_facts(told: &Told, facts: bool) {
    let open: Vec<&ModelTold> = told.models.iter().filter(|model| model.unverified > 0).collect();
    if open.is_empty() {
        return;
    }
    let advice = if facts { "" } else { "; each of them: harness check --facts" };
    say!("{} facts unverified, used as they stand until seen on a device{advice}", told.unverified.len());
    match facts {
        true => told.unverified.iter().for_each(|fact| say!("  {fact}")),
        false => {
            open.iter().for_each(|model| say!("  {}: {} of {}", model.id, model.unverified, model.facts))
        }
    }
}
