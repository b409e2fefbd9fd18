//! `harness data-sets`, and which test data sets the command line and the packs mean.

use std::path::Path;

use lab_config::Document;
use lab_config::contents::Load;
use scenarios::{DataSet, Pack};
use serde::Serialize;

use super::arguments::DataSets;
use super::say::say;
use super::{Exit, Failure, print_json};

/// A data set as it is told.
#[derive(Debug, Serialize)]
pub(super) struct DataSetTold {
    /// Name and version, as records and reports have them.
    pub(super) id: String,
    title: String,
    digest: String,
    loads: Vec<LoadTold>,
    writes: Vec<String>,
    checks: Vec<String>,
}

/// What a device is loaded with.
#[derive(Debug, Serialize)]
struct LoadTold {
    device: String,
    holds: Vec<String>,
}

impl DataSetTold {
    /// What there is to tell of a data set.
    pub(super) fn of(set: &DataSet) -> Self {
        let load = |load: &Load| LoadTold { device: load.device().to_string(), holds: load.words() };
        Self {
            id: format!("{} {}", set.name, set.version),
            title: set.title.clone(),
            digest: set.digest.to_string(),
            loads: set.loads.iter().map(load).collect(),
            writes: set
                .writes
                .iter()
                .map(|write| format!("{} of the {}", write.attribute, write.device))
                .collect(),
            checks: set.checks.iter().map(|check| check.words.clone()).collect(),
        }
    }

    /// In a line.
    pub(super) fn line(&self) -> String {
        format!("data set {}: {}, {}", self.id, self.title, &self.digest[..16.min(self.digest.len())])
    }

    /// What it holds, what it writes, and how it is seen.
    pub(super) fn say(&self) {
        for load in &self.loads {
            say!("  {}", load.device);
            load.holds.iter().for_each(|what| say!("    {what}"));
        }
        self.writes.iter().for_each(|what| say!("  written: {what}"));
        self.checks.iter().for_each(|what| say!("  seen: {what}"));
    }
}

pub(super) fn data_sets(verb: &DataSets) -> Result<Exit, Failure> {
    let sets = match &verb.set {
        Some(name) => vec![named(name)?],
        None => shipped()?,
    };
    let told: Vec<DataSetTold> = sets.iter().map(DataSetTold::of).collect();
    if verb.json {
        print_json(&told)?;
        return Ok(Exit::Done);
    }
    for set in &told {
        say!("{}", set.line());
        if verb.set.is_some() {
            set.say();
        }
    }
    Ok(Exit::Done)
}

/// Every data set inside the program.
pub(super) fn shipped() -> Result<Vec<DataSet>, Failure> {
    DataSet::shipped().map(|document| DataSet::parse(&document).map_err(Failure::input)).collect()
}

/// The data set in a file.
pub(super) fn load(file: &Path) -> Result<DataSet, Failure> {
    let document = Document::read(file).map_err(Failure::input)?;
    DataSet::parse(&document).map_err(Failure::input)
}

/// Those asked for, and those the packs require, each once.
pub(super) fn chosen(asked: &[String], packs: &[Pack]) -> Result<Vec<DataSet>, Failure> {
    let required = packs.iter().flat_map(|pack| &pack.data_sets).map(|name| name.as_str());
    let mut sets: Vec<DataSet> = Vec::new();
    for name in asked.iter().map(String::as_str).chain(required) {
        let set = named(name)?;
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    Ok(sets)
}

/// Whether a data set of this name is inside the program.
pub(super) fn is_shipped(name: &str) -> bool {
    DataSet::shipped_named(name).is_ok()
}

fn named(name: &str) -> Result<DataSet, Failure> {
    let file = Path::new(name);
    if file.is_file() {
        return load(file);
    }
    DataSet::parse(&DataSet::shipped_named(name).map_err(Failure::input)?).map_err(Failure::input)
}
