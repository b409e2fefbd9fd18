//! Which installations are migrated together, and what the first record of a batch says. Pure.

use lab_config::{EpclEntry, InstallationType, Lab, Rig};
use proto_lab::record::{Case, DmcUnderTest, FORMAT, RunStarted, SystemUnderTest};

use super::super::RunError;
use super::super::first::build;
use super::{BatchOrder, Group};

/// A group that is to be migrated: rigs whose installations are of one kind and of one SMSO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The group's name.
    pub id: String,
    /// What its installations are.
    pub kind: InstallationType,
    /// Their SMSO.
    pub smso: String,
    /// The rigs, in the order they were named.
    pub rigs: Vec<String>,
}

/// The groups of a batch, in the order of the rigs.
///
/// # Errors
/// [`RunError::NoRig`]; [`RunError::NoEntry`] where nothing in the lab's EPCL is for a rig's installation.
pub fn plan(order: &BatchOrder) -> Result<Vec<Planned>, RunError> {
    let size = order.group_size.get().min(Group::MOST);
    let mut groups: Vec<Planned> = Vec::new();
    for name in &order.rigs {
        let rig = order.lab.rig(name).ok_or_else(|| RunError::NoRig(name.clone()))?;
        let entry = entry(&order.lab, rig, order.kind)?;
        let (kind, smso) = (entry.installation_type, &entry.smso);
        let open = groups
            .iter_mut()
            .rev()
            .find(|group| group.kind == kind && group.smso == *smso && group.rigs.len() < size);
        match open {
            Some(group) => group.rigs.push(name.clone()),
            None => groups.push(Planned {
                id: format!("B-{}-{}", order.run, groups.len() + 1),
                kind,
                smso: smso.clone(),
                rigs: vec![name.clone()],
            }),
        }
    }
    Ok(groups)
}

/// The entry that a rig's installation is migrated under.
///
/// # Errors
/// [`RunError::NoEntry`].
pub(super) fn entry<'l>(
    lab: &'l Lab,
    rig: &Rig,
    kind: Option<InstallationType>,
) -> Result<&'l EpclEntry, RunError> {
    let combination = &rig.combination.id;
    let found = match kind {
        Some(kind) => lab.entry(combination, kind),
        None => lab.epcl.iter().find(|entry| entry.combination == *combination),
    };
    found.ok_or_else(|| RunError::NoEntry { combination: combination.to_string(), kind })
}

/// What is said of several where one is not all.
fn several<T: PartialEq + ToString>(mut all: impl Iterator<Item = T>) -> String {
    let Some(first) = all.next() else { return String::new() };
    match all.all(|other| other == first) {
        true => first.to_string(),
        false => "several".to_owned(),
    }
}

/// The first record. The devices of many installations stand in the files of their migrations, each under its group.
pub(super) fn first_record(order: &BatchOrder, groups: &[Planned], case: Case) -> RunStarted {
    let lab = &order.lab;
    let previous = super::super::run::previous(&order.runs);
    let rigs = || order.rigs.iter().filter_map(|name| lab.rig(name));
    let entries = || rigs().filter_map(|rig| entry(lab, rig, order.kind).ok());
    let rig = match &order.rigs[..] {
        [only] => only.clone(),
        many => format!("{} rigs", many.len()),
    };
    RunStarted {
        format: FORMAT,
        run: order.run.clone(),
        harness: build(),
        lab: lab.name.to_string(),
        lab_digest: proto_lab::Digest::from_bytes(lab.digest.0),
        rig,
        dmc: DmcUnderTest {
            id: several(rigs().map(|rig| rig.combination.id.to_string())),
            epcl_entry: several(entries().map(|entry| entry.id.to_string())),
            release: several(rigs().map(|rig| rig.combination.release)),
            installation: several(groups.iter().map(|group| group.kind)),
            stands_for: Vec::new(),
            mtad: None,
        },
        devices: Vec::new(),
        system: SystemUnderTest {
            dcc_systems: lab.environment.dcc_systems_version.clone(),
            environment: lab.environment.name.clone(),
            parts: std::collections::BTreeMap::new(),
        },
        packs: Vec::new(),
        plan: vec![case],
        selected: Vec::new(),
        witnessed: Vec::new(),
        data_sets: Vec::new(),
        key: order.key.signer(),
        previous: previous.as_ref().map(|previous| previous.root),
        previous_run: previous.map(|previous| previous.run),
    }
}

/// What was asked, as the evidence keeps it.
pub(super) fn asked(order: &BatchOrder, groups: &[Planned]) -> String {
    let BatchOrder { purpose, attempts, prepare, at_once, .. } = order;
    let head = format!(
        "purpose = \"{}\"\nattempts = {attempts}\nprepare = {prepare}\ngroups-at-once = {at_once}\n",
        purpose.words()
    );
    let group = |group: &Planned| {
        let Planned { id, kind, smso, rigs } = group;
        format!("\n[[group]]\nid = {id:?}\nkind = \"{kind}\"\nsmso = {smso:?}\nrigs = {rigs:?}\n")
    };
    std::iter::once(head).chain(groups.iter().map(group)).collect()
}
