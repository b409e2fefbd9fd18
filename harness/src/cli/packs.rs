//! Which packs the command line means.

use std::path::Path;

use lab_config::{CapabilityRelease, nearest};
use scenarios::{Pack, PackError, PackKind, Standing, shipped_packs};

use super::{Exit, Failure};
use crate::embedded;

/// Every pack inside the program.
pub(super) fn shipped() -> Result<Vec<Pack>, Failure> {
    shipped_packs().map(|pack| Pack::open(&pack).map_err(refused).and_then(sound)).collect()
}

/// The pack in a folder.
pub(super) fn load(folder: &Path) -> Result<Pack, Failure> {
    Pack::load(folder).map_err(refused).and_then(sound)
}

/// The packs named on the command line: folders, or packs inside the program; without any, the standard packs of the release
/// (20.15, 20.16), migration first.
pub(super) fn chosen(names: &[String], release: CapabilityRelease) -> Result<Vec<Pack>, Failure> {
    if !names.is_empty() {
        return names.iter().map(|name| named(name)).collect();
    }
    let mut packs = shipped()?;
    packs.retain(|pack| pack.release == release && pack.standing == Standing::Standard);
    packs.sort_by_key(|pack| pack.kind != PackKind::Migration);
    match packs.is_empty() {
        false => Ok(packs),
        true => Err(Failure::input(format!("no standard pack for {release} is shipped"))
            .hint("name a pack folder with --pack")),
    }
}

fn named(name: &str) -> Result<Pack, Failure> {
    let folder = Path::new(name);
    if folder.is_dir() {
        return load(folder);
    }
    let pack = Pack::shipped(name).map_err(|error| {
        let failure = refused(error);
        match nearest(name, shipped_packs().map(|pack| pack.name())) {
            Some(near) => failure.hint(format!("did you mean {near}?")),
            None => failure.hint("or give the path of a pack folder"),
        }
    })?;
    sound(pack)
}

/// A fault that nobody can bring about is found before anything is run.
fn sound(pack: Pack) -> Result<Pack, Failure> {
    match embedded::unsound_faults(&pack).into_iter().next() {
        None => Ok(pack),
        Some(wrong) => {
            Err(Failure::input(wrong).hint("the grammar of faults: cargo doc -p device-sim, module fault"))
        }
    }
}

/// A script that is not the agreed one is a verdict of its own; anything else is bad input.
fn refused(error: PackError) -> Failure {
    match error {
        PackError::Lock(lock) => Failure::new(Exit::Error, lock)
            .verdict("error: the pack is not what was agreed, so nothing of it was run (13.16(a))")
            .hint("restore the agreed script, or have the change agreed and write a new lock: harness check --pack FOLDER --write-lock"),
        other => Failure::input(other),
    }
}
