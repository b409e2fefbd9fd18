//! Which lab and which rig the command line means.

use std::path::Path;

use lab_config::{Lab, Rig, nearest};

use super::Failure;
use super::arguments::LabChoice;

/// The lab of this file, or the embedded one.
pub(super) fn open(file: Option<&Path>) -> Result<Lab, Failure> {
    let lab = match file {
        Some(path) => Lab::load(path),
        None => Lab::embedded(),
    };
    lab.map_err(Failure::input)
}

/// The rig asked for, or the only one.
pub(super) fn rig<'a>(lab: &'a Lab, choice: &LabChoice) -> Result<&'a Rig, Failure> {
    let names = || lab.rigs.iter().map(|rig| rig.name.as_str());
    match (&choice.rig, &lab.rigs[..]) {
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::input("the lab file describes no rig").hint("add a [[rig]] to it")),
        (None, _) => {
            let list = names().collect::<Vec<_>>().join(", ");
            Err(Failure::input(format!("the lab has several rigs: {list}")).hint("say which with --rig NAME"))
        }
        (Some(name), _) => lab.rig(name).ok_or_else(|| {
            let failure = Failure::input(format!("the lab has no rig {name:?}"));
            match nearest(name, names()) {
                Some(near) => failure.hint(format!("did you mean {near:?}?")),
                None => failure.hint(format!("its rigs are {}", names().collect::<Vec<_>>().join(", "))),
            }
        }),
    }
}
