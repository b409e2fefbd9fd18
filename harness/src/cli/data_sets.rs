//! Which test data sets the command line and the packs mean.

use std::path::Path;

use lab_config::Document;
use scenarios::{DataSet, Pack};

use super::Failure;

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

fn named(name: &str) -> Result<DataSet, Failure> {
    let file = Path::new(name);
    if file.is_file() {
        return load(file);
    }
    DataSet::parse(&DataSet::shipped_named(name).map_err(Failure::input)?).map_err(Failure::input)
}
