//! What one run will do.

use lab_config::{
    CapabilityRelease, Dcc, DeviceModelCombination, EpclEntry, InstallationType, Lab, Name, Path, Rig,
};
use proto_lab::record::{Case, NotRunKind};
use scenarios::{Action, Pack, PackKind, Row, Script, Step};

/// Everything one run will do, in order.
#[derive(Debug)]
pub struct Plan {
    /// The packs, in the order they run.
    pub packs: Vec<Pack>,
    /// The scripts asked for by name; empty means all of them.
    pub selected: Vec<String>,
    /// The scripts to be witnessed, by name (13.15).
    pub witnessed: Vec<String>,
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
    /// Those that are to be witnessed (13.15).
    pub witnessed: Vec<String>,
}

impl Selection {
    fn has(&self, script: &Script) -> bool {
        self.scripts.is_empty() || self.scripts.iter().any(|name| script.id == **name)
    }

    /// The names that no pack has.
    pub fn unknown<'a>(&'a self, packs: &'a [Pack]) -> impl Iterator<Item = &'a str> {
        let known = |name: &str| packs.iter().any(|pack| pack.script(name).is_some());
        let named = self.scripts.iter().chain(&self.witnessed);
        named.map(String::as_str).filter(move |name| !known(name))
    }
}

/// Why packs make no plan for a rig.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A pack is not for the rig's Capability Release (20.15, 20.16).
    #[error(
        "pack {pack} is for Capability Release {found}, and the rig's combination {combination} is of {expected}: \
         choose a pack for {expected}, or a rig of a combination of {found}"
    )]
    OtherRelease {
        /// The pack.
        pack: Name,
        /// The release it is for.
        found: CapabilityRelease,
        /// The combination of the rig.
        combination: Name,
        /// The release of that.
        expected: CapabilityRelease,
    },
    /// Packs migrate installations of several kinds, and a run is of one planned entry (20.13).
    #[error(
        "pack {pack} migrates {found} installations and pack {other} {expected} ones, and a run is of one EPCL entry: \
         run them one after the other"
    )]
    SeveralKinds {
        /// A pack.
        pack: Name,
        /// What it migrates.
        found: InstallationType,
        /// A pack before it.
        other: Name,
        /// What that migrates.
        expected: InstallationType,
    },
}

fn require_release(pack: &Pack, combination: &DeviceModelCombination) -> Result<(), PlanError> {
    if pack.release == combination.release {
        return Ok(());
    }
    Err(PlanError::OtherRelease {
        pack: pack.id.clone(),
        found: pack.release,
        combination: combination.id.clone(),
        expected: combination.release,
    })
}

fn require_one_kind(packs: &[Pack]) -> Result<(), PlanError> {
    let mut kinds = packs.iter().filter_map(|pack| Some((&pack.id, pack.installation?)));
    let Some((first, expected)) = kinds.next() else { return Ok(()) };
    kinds.find(|(_, found)| *found != expected).map_or(Ok(()), |(pack, found)| {
        Err(PlanError::SeveralKinds { pack: pack.clone(), found, other: first.clone(), expected })
    })
}

impl Plan {
    /// The plan for these packs on this rig.
    ///
    /// # Errors
    /// [`PlanError`] for a pack that is for another Capability Release than the combination's, and for packs that migrate
    /// installations of different kinds.
    pub fn new(packs: Vec<Pack>, rig: &Rig, selection: &Selection) -> Result<Self, PlanError> {
        packs.iter().try_for_each(|pack| require_release(pack, &rig.combination))?;
        require_one_kind(&packs)?;
        let skip = |script: &Script, row: Option<&Row>| {
            if !selection.has(script) {
                return Some((NotRunKind::NotSelected, "not among the scripts asked for".to_owned()));
            }
            let reason = script.applies_on(rig, row).err()?;
            Some((NotRunKind::NotApplicable, reason.to_string()))
        };
        let of_script = |script: &Script| script.cases().map(|row| skip(script, row)).collect();
        let skips = packs.iter().map(|pack| pack.scripts.iter().map(of_script).collect()).collect();
        let Selection { scripts, witnessed } = selection.clone();
        Ok(Self { packs, selected: scripts, witnessed, skips })
    }

    /// The kind of installation its packs migrate, where one of them migrates any.
    pub fn kind(&self) -> Option<InstallationType> {
        self.packs.iter().find_map(|pack| pack.installation)
    }

    /// The EPCL entry a run of the plan is for: that of the combination for the kind of installation its packs migrate. Packs
    /// that migrate none are run for the first entry of the combination, the dormant one where there is one.
    pub fn entry<'l>(&self, lab: &'l Lab, combination: &Name) -> Option<&'l EpclEntry> {
        let dormant = || lab.entry(combination, InstallationType::Dormant);
        let first = || lab.epcl.iter().find(|entry| entry.combination == *combination);
        self.kind().map_or_else(|| dormant().or_else(first), |kind| lab.entry(combination, kind))
    }

    /// The same plan for this entry: where its migration was tested under the MTAD, migration packs are left out, by the TAB's
    /// determination (20.14).
    #[must_use]
    pub fn for_entry(mut self, entry: &EpclEntry) -> Self {
        let Some(mtad) = &entry.mtad else { return self };
        let reason = format!(
            "migration of entry {} was tested under the MTAD, as the TAB has determined (20.14): {}",
            entry.id, mtad.tab
        );
        let migration = |pack: &Pack| pack.kind == PackKind::Migration;
        let of_packs = self.packs.iter().zip(&mut self.skips).filter(|(pack, _)| migration(pack));
        for skip in of_packs.flat_map(|(_, skips)| skips.iter_mut().flatten()) {
            *skip = Some((NotRunKind::DeScoped, reason.clone()));
        }
        self
    }

    /// The same plan in a lab with this DCC: where that is somebody else's, scripts with steps that only the harness's stub can
    /// carry out are not run.
    #[must_use]
    pub fn by_way_of(mut self, dcc: &Dcc) -> Self {
        let Some(elsewhere) = dcc.environment() else { return self };
        for (pack, skips) in self.packs.iter().zip(&mut self.skips) {
            for (script, skips) in pack.scripts.iter().zip(skips) {
                let Some(step) = script.all_steps().find_map(only_here) else { continue };
                let reason = format!("{step}, which the DCC at {} does not do for this lab", elsewhere.url);
                for skip in skips.iter_mut().filter(|skip| skip.is_none()) {
                    *skip = Some((NotRunKind::NotApplicable, reason.clone()));
                }
            }
        }
        self
    }

    /// Whether a lab with this DCC can run a script at all.
    pub fn runs_by_way_of(script: &Script, dcc: &Dcc) -> bool {
        dcc.stub().is_some() || !script.all_steps().any(|step| only_here(step).is_some())
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
}

/// What a step does that needs the harness's own DCC, in words.
fn only_here(step: &Step) -> Option<&'static str> {
    match &step.action {
        Action::Migrate(_) => Some("it takes an installation through a migration"),
        Action::Smso(_) => Some("it has the SMSO try a device"),
        Action::UserSystem(_) => Some("it waits for what another User System asks the harness's DCC"),
        Action::Observe(observe) if observe.through == Path::Wan => {
            Some("it reads a device on the wide area path, besides the DCC")
        }
        _ => None,
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

#[cfg(test)]
mod tests {
    use lab_config::Lab;

    use super::*;

    fn packs() -> Vec<Pack> {
        ["ioc-dormant-migration", "ioc-service-reference-variant"]
            .map(|name| Pack::shipped(name).expect("a shipped pack"))
            .into()
    }

    #[test]
    fn a_pack_of_another_release_makes_no_plan() {
        let lab = Lab::embedded().expect("the embedded lab");
        let mut rig = lab.rigs[0].clone();
        assert!(Plan::new(packs(), &rig, &Selection::default()).is_ok());
        std::sync::Arc::make_mut(&mut rig.combination).release = CapabilityRelease::Foc;
        let error = Plan::new(packs(), &rig, &Selection::default()).expect_err("refused").to_string();
        assert!(error.contains("is for Capability Release IOC") && error.contains("is of FOC"), "{error}");
    }

    fn lab_with(from: &str, to: &str) -> Lab {
        let text = include_str!("../../../lab-config/labs/embedded.toml");
        assert!(text.contains(from), "{from}");
        let document = lab_config::Document::new("lab.toml", text.replacen(from, to, 1));
        Lab::parse(&document).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_run_is_for_the_entry_of_the_kind_of_installation_its_packs_migrate() {
        let lab = Lab::embedded().expect("the embedded lab");
        let rig = &lab.rigs[0];
        let mut all = packs();
        let plan = |packs: &[Pack]| Plan::new(packs.to_vec(), rig, &Selection::default());
        let entry = |packs: &[Pack]| {
            let plan = plan(packs).expect("a plan");
            plan.entry(&lab, &rig.combination.id).map(|entry| entry.id.to_string())
        };
        assert_eq!(entry(&all).as_deref(), Some("epcl-ioc-1"));
        assert_eq!(entry(&all[1..]).as_deref(), Some("epcl-ioc-1"), "a pack that migrates none");
        all[0].installation = Some(InstallationType::Active);
        assert_eq!(entry(&all).as_deref(), Some("epcl-ioc-1-active"));
        all.extend(packs().into_iter().take(1));
        let refused = plan(&all).expect_err("two kinds").to_string();
        assert!(refused.contains("dormant installations") && refused.contains("active ones"), "{refused}");
    }

    #[test]
    fn migration_tested_under_the_mtad_is_left_out_by_the_tabs_determination() {
        let dormant = "installation-type = \"dormant\"";
        let lab = lab_with(dormant, &format!("{dormant}\nmtad = {{ tab = \"TAB minutes, item 3\" }}"));
        let plan = Plan::new(packs(), &lab.rigs[0], &Selection::default()).expect("a plan");
        let entry = plan.entry(&lab, &lab.rigs[0].combination.id).expect("an entry").clone();
        let plan = plan.for_entry(&entry);
        for item in plan.items() {
            match (item.pack.kind, item.skip) {
                (PackKind::Migration, Some((NotRunKind::DeScoped, reason))) => {
                    assert!(reason.contains("20.14") && reason.contains("TAB minutes, item 3"), "{reason}");
                }
                (PackKind::Migration, other) => panic!("{}: {other:?}", item.script.id),
                (PackKind::ServiceReferenceVariant, skip) => {
                    assert!(skip.is_none_or(|(kind, _)| *kind != NotRunKind::DeScoped), "{}", item.script.id);
                }
            }
        }
    }

    #[test]
    fn what_only_the_stub_does_is_not_run_by_way_of_another_dcc() {
        let lab = Lab::embedded().expect("the embedded lab");
        let plan = || Plan::new(packs(), &lab.rigs[0], &Selection::default()).expect("a plan");
        let run = |plan: &Plan| plan.items().filter(|item| item.skip.is_none()).count();
        assert_eq!(run(&plan().by_way_of(&lab.dcc)), run(&plan()));
        let text = include_str!("../../../lab-config/labs/dcc-test-environment.toml");
        let elsewhere = Lab::parse(&lab_config::Document::new("lab.toml", text)).expect("a lab");
        let plan = plan().by_way_of(&elsewhere.dcc);
        let migrates =
            |script: &Script| script.all_steps().any(|step| matches!(step.action, Action::Migrate(_)));
        for item in plan.items() {
            let Some((kind, reason)) = item.skip else {
                assert!(!migrates(item.script), "{}", item.script.id);
                continue;
            };
            assert!(
                migrates(item.script) && *kind == NotRunKind::NotApplicable,
                "{}: {reason}",
                item.script.id
            );
            assert!(reason.contains("through a migration") && reason.contains("https://"), "{reason}");
        }
        assert!(run(&plan) > 0);
    }

    #[test]
    fn scripts_not_asked_for_are_planned_and_not_selected() {
        let lab = Lab::embedded().expect("the embedded lab");
        let selection = Selection { scripts: vec!["top-up".to_owned()], ..Selection::default() };
        let plan = Plan::new(packs(), &lab.rigs[0], &selection).expect("a plan");
        let all: usize = packs().iter().flat_map(|p| &p.scripts).map(|s| s.cases().count()).sum();
        assert_eq!(plan.cases().len(), all);
        for item in plan.items() {
            let kind = item.skip.map(|(kind, _)| *kind);
            let expected = (item.script.id != *"top-up").then_some(NotRunKind::NotSelected);
            assert_eq!(kind, expected, "{}", item.script.id);
        }
    }
}
