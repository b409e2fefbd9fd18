//! Device Model Combinations and EPCL entries of a lab file.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto_duis::DeviceKind;

use super::{Models, look_up};
use crate::document::{FileError, Item, Table};
use crate::{DeviceModel, DeviceModelCombination, EpclEntry, EpclStatus, Name};

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
    let entries = table.read("epcl", |item| item.tables(meaning, |table| entry(table, combinations)))?;
    Ok(entries.unwrap_or_default())
}

fn entry(table: &mut Table<'_>, combinations: &Combinations) -> Result<EpclEntry, FileError> {
    let combination = table.required("combination", "the combination the entry lists")?;
    let installation = "dormant, active or mixed";
    let status = "planned or listed";
    let entry = EpclEntry {
        id: table.required("id", "the lab's name for the entry")?.parse("a name")?,
        combination: look_up(&combination, "a combination", combinations)?.id.clone(),
        installation_type: table.required("installation-type", installation)?.parse(installation)?,
        smso: table.text("smso", "the SMETS1 System Operator")?,
        status: table.required("status", status)?.parse(status)?,
        planned_start: table.read("planned-start", Item::date)?,
        planned_completion: table.read("planned-completion", Item::date)?,
        first_added: table.read("first-added", Item::date)?,
    };
    refuse_dates_that_contradict(table, &entry)?;
    Ok(entry)
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
