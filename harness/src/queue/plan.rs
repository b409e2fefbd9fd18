//! What one run will do.

use lab_config::{DeviceModelCombination, Rig};
use proto_lab::record::{Case, NotRunKind};
use scenarios::{Pack, Row, Script};

/// Everything one run will do, in order.
#[derive(Debug)]
pub struct Plan {
    /// The packs, in the order they run.
    pub packs: Vec<Pack>,
    skips: Vec<Vec<Vec<Option<Skip>>>>,
}

/// Why a script is not run.
type Skip = (NotRunKind, String);

/// One script of the plan with one row of its data table.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The pack it belongs to.
    pub pack: &'a Pack,
    /// The script.
    pub script: &'a Script,
    /// The row, where the script has a data table.
    pub row: Option<&'a Row>,
    /// Why it will not be run, where it will not.
    pub skip: Option<&'a Skip>,
}

/// Which scripts of the packs were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Their names; empty means all of them.
    pub scripts: Vec<String>,
}

impl Selection {
    fn has(&self, script: &Script) -> bool {
        self.scripts.is_empty() || self.scripts.iter().any(|name| script.id == **name)
    }

    /// The names that no pack has.
    pub fn unknown<'a>(&'a self, packs: &'a [Pack]) -> impl Iterator<Item = &'a str> {
        let known = |name: &str| packs.iter().any(|pack| pack.script(name).is_some());
        self.scripts.iter().map(String::as_str).filter(move |name| !known(name))
    }
}

impl Plan {
    /// The plan for these packs on a rig of this combination.
    pub fn new(packs: Vec<Pack>, combination: &DeviceModelCombination, selection: &Selection) -> Self {
        let skip = |script: &Script, row: Option<&Row>| {
            if !selection.has(script) {
                return Some((NotRunKind::Stopped, "not among the scripts asked for".to_owned()));
            }
            let reason = script.applies_to(combination, row).err()?;
            Some((NotRunKind::NotApplicable, reason.to_string()))
        };
        let of_script = |script: &Script| script.cases().map(|row| skip(script, row)).collect();
        let skips = packs.iter().map(|pack| pack.scripts.iter().map(of_script).collect()).collect();
        Self { packs, skips }
    }

    /// Every item, in the order they run.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.packs.iter().zip(&self.skips).flat_map(|(pack, skips)| {
            pack.scripts.iter().zip(skips).flat_map(move |(script, skips)| {
                let cases = script.cases().zip(skips);
                cases.map(move |(row, skip)| Item { pack, script, row, skip: skip.as_ref() })
            })
        })
    }

    /// The plan as the first record of a run has it.
    pub fn cases(&self) -> Vec<Case> {
        self.items().map(|item| item.case()).collect()
    }

    /// Whether this rig is what the plan was made for.
    pub fn fits(&self, rig: &Rig) -> bool {
        self.packs.iter().all(|pack| pack.release == rig.combination.release)
    }
}

impl Item<'_> {
    /// The item as records name it.
    pub fn case(&self) -> Case {
        let device = self.row.map_or(self.script.device, |row| row.device(self.script));
        Case {
            pack: self.pack.id.to_string(),
            script: self.script.id.to_string(),
            row: self.row.map(|row| row.name.to_string()),
            device: Some(device.to_string()),
        }
    }
}
