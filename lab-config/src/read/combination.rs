//! Device Model Combinations and EPCL entries of a lab file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto_duis::DeviceKind;

use super::{Models, look_up};
use crate::document::{FileError, Item, Table};
use crate::{
    DeviceModel, DeviceModelCombination, EpclEntry, EpclStatus, Fuel, InstallationType, MtadTesting, Name,
};

pub(super) type Combinations = BTreeMap<Name, Arc<DeviceModelCombination>>;

pub(super) fn combinations(table: &mut Table<'_>, models: &Models) -> Result<Combinations, FileError> {
    let meaning = "Device Model Combinations, as [[combination]]";
    let mut combinations = Combinations::new();
    table.required("combination", meaning)?.tables(meaning, |table| {
        let combination = combination(table, models)?;
        let id = combination.id.clone();
        match combinations.insert(id.clone(), Arc::new(combination)) {
            None => Ok(()),
            Some(_) => Err(table.error(
                format!("a second combination `{id}`"),
                "combinations with different ids",
                "rename one of them",
            )),
        }
    })?;
    Ok(combinations)
}

fn combination(table: &mut Table<'_>, models: &Models) -> Result<DeviceModelCombination, FileError> {
    let release = "the Capability Release: IOC, MOC or FOC";
    let provider = "the communication services provider";
    let listed = "the names of Device Models";
    Ok(DeviceModelCombination {
        id: table.required("id", "the lab's name for the combination")?.parse("a name")?,
        release: table.required("release", release)?.parse(release)?,
        communication_services_provider: table.text("communication-services-provider", provider)?,
        models: one_of_each_kind(&table.required("models", listed)?.list(listed)?, models)?,
    })
}

fn one_of_each_kind(
    items: &[Item<'_>],
    models: &Models,
) -> Result<BTreeMap<DeviceKind, Arc<DeviceModel>>, FileError> {
    let mut chosen = BTreeMap::new();
    for item in items {
        let model = look_up(item, "a Device Model listed in `device-models`", models)?;
        if chosen.insert(model.kind, Arc::clone(model)).is_some() {
            return Err(item.refuse(
                "one Device Model of each kind",
                format!("keep one {}; describe the other combination as one more", model.kind),
            ));
        }
    }
    Ok(chosen)
}

pub(super) fn epcl(table: &mut Table<'_>, combinations: &Combinations) -> Result<Vec<EpclEntry>, FileError> {
    let meaning = "entries of the Eligible Product Combinations List, as [[epcl]]";
    let Some(item) = table.optional("epcl") else { return Ok(Vec::new()) };
    let mut ids = BTreeSet::new();
    let entries = item.tables(meaning, |table| entry(table, combinations, &mut ids))?;
    refuse_standing_on_nothing(&item, &entries)?;
    Ok(entries)
}

/// What is not tested because the dormant entry is, needs a dormant entry (20.9).
fn refuse_standing_on_nothing(item: &Item<'_>, entries: &[EpclEntry]) -> Result<(), FileError> {
    let dormant = |other: &EpclEntry, of: &EpclEntry| {
        other.combination == of.combination && other.installation_type == InstallationType::Dormant
    };
    let stands =
        |entry: &&EpclEntry| entry.tested_as_dormant && !entries.iter().any(|other| dormant(other, entry));
    match entries.iter().find(stands) {
        None => Ok(()),
        Some(entry) => Err(item.error(
            format!("`tested-as` of entry `{}`, and no dormant entry of `{}`", entry.id, entry.combination),
            "the dormant entry whose testing stands for it (SVTAD 20.9)",
            "add that entry, or remove `tested-as`",
        )),
    }
}

fn entry(
    table: &mut Table<'_>,
    combinations: &Combinations,
    ids: &mut BTreeSet<Name>,
) -> Result<EpclEntry, FileError> {
    let combination = table.required("combination", "the combination the entry lists")?;
    let installation = "dormant, active or mixed";
    let status = "planned or listed";
    let id_item = table.required("id", "the lab's name for the entry")?;
    let id: Name = id_item.parse("a name")?;
    if !ids.insert(id.clone()) {
        return Err(id_item.refuse("a name no other entry has", "rename one of the entries"));
    }
    let installation_type = table.required("installation-type", installation)?.parse(installation)?;
    let entry = EpclEntry {
        id,
        combination: look_up(&combination, "a combination", combinations)?.id.clone(),
        installation_type,
        active_fuel: active_fuel(table, installation_type)?,
        tested_as_dormant: tested_as_dormant(table, installation_type)?,
        mtad: table.read("mtad", mtad)?,
        smso: table.text("smso", "the SMETS1 System Operator")?,
        status: table.required("status", status)?.parse(status)?,
        planned_start: table.read("planned-start", Item::date)?,
        planned_completion: table.read("planned-completion", Item::date)?,
        first_added: table.read("first-added", Item::date)?,
    };
    refuse_dates_that_contradict(table, &entry)?;
    Ok(entry)
}

/// Of a mixed installation one fuel is active: electricity unless the entry says gas.
fn active_fuel(table: &mut Table<'_>, installation: InstallationType) -> Result<Option<Fuel>, FileError> {
    let written = table.optional("active-fuel");
    match (installation, written) {
        (InstallationType::Mixed, Some(item)) => item.parse("electricity or gas").map(Some),
        (InstallationType::Mixed, None) => Ok(Some(Fuel::Electricity)),
        (_, None) => Ok(None),
        (other, Some(item)) => Err(item.error(
            format!("`active-fuel` beside `{other}`"),
            "`active-fuel` of a mixed one only",
            "remove it: of this one both fuels are alike",
        )),
    }
}

/// Only an entry that is not dormant itself can be tested as one.
fn tested_as_dormant(table: &mut Table<'_>, installation: InstallationType) -> Result<bool, FileError> {
    let Some(item) = table.optional("tested-as") else { return Ok(false) };
    let tested: InstallationType = item.parse("dormant")?;
    match (tested, installation) {
        (InstallationType::Dormant, InstallationType::Active | InstallationType::Mixed) => Ok(true),
        (_, InstallationType::Dormant) => {
            Err(item.refuse("nothing: the entry is dormant itself", "remove `tested-as`"))
        }
        _ => Err(item.refuse(
            "`dormant`, the only testing that stands for that of another entry (SVTAD 20.9)",
            "write tested-as = \"dormant\", or remove it and have the entry tested",
        )),
    }
}

/// Without the TAB's determination nothing stands in for DMCT Migration Testing (20.14).
fn mtad(item: &Item<'_>) -> Result<MtadTesting, FileError> {
    item.table("who determined that migration was tested under the MTAD", |table| {
        Ok(MtadTesting {
            tab: table.text("tab", "where the TAB's determination can be read (SVTAD 20.14)")?,
            panel: table.read("panel", |item| {
                Ok(item.text("where the Panel's determination can be read (SVTAD 20.27)")?.to_owned())
            })?,
        })
    })
}

fn refuse_dates_that_contradict(table: &Table<'_>, entry: &EpclEntry) -> Result<(), FileError> {
    let complaint = match (entry.status, entry.planned_start, entry.planned_completion) {
        (EpclStatus::Planned, Some(start), Some(completion)) if completion < start => {
            Some(("a planned completion before the planned start", "the dates in order"))
        }
        (EpclStatus::Planned, None, _) | (EpclStatus::Planned, _, None) => {
            Some(("a planned entry without its dates", "`planned-start` and `planned-completion`"))
        }
        (EpclStatus::Listed, ..) if entry.first_added.is_none() => {
            Some(("a listed entry without the date it was added", "`first-added`"))
        }
        _ => None,
    };
    match complaint {
        None => Ok(()),
        Some((found, expected)) => Err(table.error(found, expected, "correct the entry's dates")),
    }
}
