//! What one run will do.

use lab_config::{CapabilityRelease, Dcc, DeviceModelCombination, Name, Path, Rig};
use proto_lab::record::{Case, NotRunKind};
use scenarios::{Action, Pack, Row, Script, Step};

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

/// A pack that is not for the rig's Capability Release (20.15, 20.16).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "pack {pack} is for Capability Release {found}, and the rig's combination {combination} is of {expected}: \
     choose a pack for {expected}, or a rig of a combination of {found}"
)]
pub struct OtherRelease {
    /// The pack.
    pub pack: Name,
    /// The release it is for.
    pub found: CapabilityRelease,
    /// The combination of the rig.
    pub combination: Name,
    /// The release of that.
    pub expected: CapabilityRelease,
}

fn require_release(pack: &Pack, combination: &DeviceModelCombination) -> Result<(), OtherRelease> {
    if pack.release == combination.release {
        return Ok(());
    }
    Err(OtherRelease {
        pack: pack.id.clone(),
        found: pack.release,
        combination: combination.id.clone(),
        expected: combination.release,
    })
}

impl Plan {
    /// The plan for these packs on this rig.
    ///
    /// # Errors
    /// [`OtherRelease`] for a pack that is for another Capability Release than the combination's.
    pub fn new(packs: Vec<Pack>, rig: &Rig, selection: &Selection) -> Result<Self, OtherRelease> {
        packs.iter().try_for_each(|pack| require_release(pack, &rig.combination))?;
        let skip = |script: &Script, row: Option<&Row>| {
            if !selection.has(script) {
                return Some((NotRunKind::NotSelected, "not among the scripts asked for".to_owned()));
            }
            let reason = script.applies_on(rig, row).err()?;
            Some((NotRunKind::NotApplicable, reason.to_string()))
        };
        let of_script = |script: &Script| script.cases().map(|row| skip(script, row)).collect();
        let skips = packs.iter().map(|pack| pack.scripts.iter().map(of_script).collect()).collect();
        Ok(Self { packs, skips })
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
        let selection = Selection { scripts: vec!["top-up".to_owned()] };
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
