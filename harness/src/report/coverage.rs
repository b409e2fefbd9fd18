//! What test packs cover: each requirement by which scripts (SVTAD 11), and each Service Reference Variant on each target.
//!
//! A script covers a variant on a device where a step of its test asks that of that device, so that the matrix cannot claim
//! what no script does. A request that is only ever refused shows a refusal, not the variant.

use std::collections::BTreeMap;
use std::fmt;

use lab_config::{DeviceKind, Rig};
use proto_duis::Srv;
use scenarios::{Action, Pack, Row, Script, Step};
use serde::{Serialize, Serializer};

/// What the scripts of some packs cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Each requirement any script names, and the scripts that name it.
    pub requirements: BTreeMap<String, Vec<String>>,
    /// Each variant on each of its targets.
    pub variants: Vec<VariantCovered>,
}

/// Whom a variant is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A device.
    Device(DeviceKind),
    /// A gas meter, or the proxy that holds what it last reported: who asks need not care which answers.
    Gas,
    /// The DCC itself.
    Dcc,
}

/// A variant on a target, and the scripts that ask it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VariantCovered {
    /// The variant.
    #[serde(rename = "service-reference-variant")]
    pub srv: Srv,
    /// Its name in words.
    pub name: &'static str,
    /// The target.
    pub target: Target,
    /// Whether nobody is sure that SMETS1 devices are sent it.
    pub doubtful: bool,
    /// Whether the harness carries it out.
    pub carried_out: bool,
    /// The scripts, in the order of their packs.
    pub scripts: Vec<Covering>,
}

/// A script that asks a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Covering {
    /// Pack and script, and the row of its data table.
    pub script: String,
    /// Whether it is there to see it refused, and nothing else.
    pub refusal_only: bool,
    /// Why it does not apply to the rig; none where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(kind) => kind.fmt(f),
            Self::Gas => f.pad("GSME or GPF"),
            Self::Dcc => f.pad("DCC"),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Target {
    /// The targets of a variant.
    fn all_of(srv: Srv) -> Vec<Self> {
        let mut targets: Vec<Self> = srv.smets1().0.targets.iter().map(|kind| Self::of(*kind)).collect();
        if targets.is_empty() {
            targets.push(Self::Dcc);
        }
        targets.dedup();
        targets
    }

    const fn of(kind: DeviceKind) -> Self {
        match kind {
            DeviceKind::Gsme | DeviceKind::Gpf => Self::Gas,
            other => Self::Device(other),
        }
    }
}

impl VariantCovered {
    /// Whether a script that applies to the rig asks it, and not to see it refused.
    pub fn is_covered(&self) -> bool {
        self.scripts.iter().any(|script| !script.refusal_only && script.not_applicable.is_none())
    }
}

impl Coverage {
    /// What these packs cover on this rig; `carried_out` says which variants the harness carries out.
    pub fn of(packs: &[Pack], rig: &Rig, carried_out: impl Fn(Srv) -> bool) -> Self {
        let asked = asked(packs, rig);
        let variant = |(srv, target): (Srv, Target)| VariantCovered {
            srv,
            name: srv.name(),
            target,
            doubtful: srv.is_doubtful(),
            carried_out: carried_out(srv),
            scripts: asked.get(&(srv, target)).cloned().unwrap_or_default(),
        };
        let targets = Srv::ALL.iter().flat_map(|srv| Target::all_of(*srv).into_iter().map(|t| (*srv, t)));
        Self { requirements: requirements(packs), variants: targets.map(variant).collect() }
    }

    /// Variants that no script asks of a target, where it applies to the rig.
    pub fn uncovered(&self) -> impl Iterator<Item = &VariantCovered> {
        self.variants.iter().filter(|variant| !variant.is_covered())
    }
}

fn requirements(packs: &[Pack]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pack in packs {
        for script in &pack.scripts {
            for requirement in &script.covers {
                found.entry(requirement.clone()).or_default().push(format!("{}/{}", pack.id, script.id));
            }
        }
    }
    found
}

type Asked = BTreeMap<(Srv, Target), Vec<Covering>>;

fn asked(packs: &[Pack], rig: &Rig) -> Asked {
    let mut found = Asked::new();
    for (pack, script) in packs.iter().flat_map(|pack| pack.scripts.iter().map(move |script| (pack, script)))
    {
        for row in script.cases() {
            let name = row.map_or_else(String::new, |row| format!("[{}]", row.name));
            let name = format!("{}/{}{name}", pack.id, script.id);
            let not_applicable = script.applies_on(rig, row).err().map(|reason| reason.to_string());
            for ((srv, target), refusal_only) in of_case(script, row) {
                let not_applicable = not_applicable.clone();
                let covering = Covering { script: name.clone(), refusal_only, not_applicable };
                found.entry((srv, target)).or_default().push(covering);
            }
        }
    }
    found
}

/// What the test of a script asks in a row, and whether only to see it refused.
fn of_case(script: &Script, row: Option<&Row>) -> BTreeMap<(Srv, Target), bool> {
    let about = row.map_or(script.device, |row| row.device(script));
    let mut found = BTreeMap::new();
    for step in &script.steps {
        if let Some((asked, refused)) = request(step, about) {
            found.entry(asked).and_modify(|only| *only &= refused).or_insert(refused);
        }
    }
    found
}

fn request(step: &Step, about: DeviceKind) -> Option<((Srv, Target), bool)> {
    let (srv, misused) = match &step.action {
        Action::Request(request) => (request.srv, request.misuse.is_some()),
        Action::UserSystem(asked) => (asked.srv, false),
        _ => return None,
    };
    let target = step.device(about).map_or(Target::Dcc, Target::of);
    Some(((srv, target), misused || step.expects_refusal()))
}

#[cfg(test)]
mod tests {
    use lab_config::Lab;

    use super::*;

    #[test]
    fn what_a_script_asks_it_covers_and_what_it_sees_refused_it_does_not() {
        let lab = Lab::embedded().expect("the embedded lab");
        let pack = Pack::shipped("ioc-service-reference-variant").expect("shipped");
        let coverage = Coverage::of(&[pack], &lab.rigs[0], |srv| srv != Srv::EnableSupply);
        let of = |srv: Srv, target: Target| {
            let mut found = coverage.variants.iter().filter(|v| (v.srv, v.target) == (srv, target));
            found.next().expect("a variant on a target of its own")
        };
        let import = of(Srv::ReadInstantaneousImportRegisters, Target::Device(DeviceKind::Esme));
        assert!(import.is_covered() && import.carried_out, "{import:?}");
        assert!(
            import.scripts.iter().any(|s| s.script == "ioc-service-reference-variant/read-import-registers")
        );
        assert!(of(Srv::ReadInstantaneousImportRegisters, Target::Gas).is_covered());
        assert!(of(Srv::ReadInventory, Target::Dcc).is_covered());
        assert!(!of(Srv::EnableSupply, Target::Device(DeviceKind::Esme)).carried_out);
        let refused = coverage.variants.iter().flat_map(|v| &v.scripts).filter(|s| s.refusal_only).count();
        assert!(refused > 0, "misuse scripts cover nothing but refusals");
        assert!(coverage.requirements["SVTAD 20.16"].len() > 30);
        assert!(coverage.uncovered().all(|variant| !variant.is_covered()));
    }

    #[test]
    fn every_variant_has_its_targets_once() {
        let targets = Srv::ALL.iter().map(|srv| Target::all_of(*srv));
        for targets in targets {
            let mut sorted = targets.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), targets.len(), "{targets:?}");
        }
        assert_eq!(Target::all_of(Srv::ReadInventory), [Target::Dcc]);
    }
}
