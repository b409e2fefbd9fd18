//! Scripts and their steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use lab_config::{Ability, DeviceKind, DeviceModel, DeviceModelCombination, Name, Path, Profile, Rig};
use proto_duis::AlertCode;
use proto_lab::Digest;
use proto_lab::record::Verdict;

use crate::{
    Act, Action, Bindings, Column, Expectation, Facts, ObservedAttribute, Outcome, Request, UserSystem,
    Value, ValuePath, Values,
};

/// How long a step may take when it does not say `within`, and the longest it may ask for.
pub mod deadline {
    use std::time::Duration;

    /// From sending a Service Request to its answer.
    pub const REQUEST: Duration = Duration::from_secs(60);
    /// Until somebody else's User System has asked something and has been answered.
    pub const USER_SYSTEM: Duration = Duration::from_secs(600);
    /// Until a schedule of the DCC has brought its answer.
    pub const SCHEDULED: Duration = Duration::from_secs(60);
    /// Reading a device by a second path, opening the link included.
    pub const OBSERVE: Duration = Duration::from_secs(30);
    /// Until an alert arrives.
    pub const ALERT: Duration = Duration::from_secs(60);
    /// Until a person has done what was asked.
    pub const ASK: Duration = Duration::from_secs(120);
    /// One operation of a migration.
    pub const MIGRATE: Duration = Duration::from_secs(120);
    /// Comparing what is bound.
    pub const CHECK: Duration = Duration::from_secs(1);
    /// The longest any step may take or wait.
    pub const LONGEST: Duration = Duration::from_secs(3600);
}

/// One script of a pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Its name: the file's, without `.toml`.
    pub id: Name,
    /// What it shows, in words.
    pub title: String,
    /// The requirements it covers.
    pub covers: Vec<String>,
    /// Its functional group, for the heatmap (SVTAD Table 13-1 row 7).
    pub group: Option<String>,
    /// The device it is about.
    pub device: DeviceKind,
    /// What the Device Models must be able to do for it to apply.
    pub applies_when: BTreeMap<DeviceKind, BTreeSet<Ability>>,
    /// Its data table: it runs once per row, or once when there is none.
    pub rows: Vec<Row>,
    /// Brings the rig to where the script begins. Always run.
    pub set_up: Vec<Step>,
    /// The test.
    pub steps: Vec<Step>,
    /// Leaves the rig as it was. Always run.
    pub clean_up: Vec<Step>,
    /// The verdict it is there to show, where that is not simply a pass. No part of any verdict.
    pub expected: Option<Expected>,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// The file's text, kept with the evidence of every run of it.
    pub source: Arc<str>,
}

/// The verdict a script is there to show, for whoever tests the lab itself: the run's own verdict takes no notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The verdict.
    pub verdict: Verdict,
    /// Words its reason holds.
    pub reason: Vec<String>,
}

/// One row of a script's data table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name, one of its kind in the script.
    pub name: Name,
    /// The device the script is about in this row, when it is another.
    pub device: Option<DeviceKind>,
    /// The names it binds.
    pub values: Vec<(Box<str>, Value)>,
}

/// One step: what it does, within which deadline, what is expected then, what is bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it does, in words, for people who watch.
    pub words: String,
    /// The line of the script it begins at.
    pub line: usize,
    /// What it does.
    pub action: Action,
    /// How long it may take.
    pub within: Duration,
    /// What is expected of what it saw; what its outcome implies comes first.
    pub expect: Vec<Expectation>,
    /// The names it binds, and the values it binds them to.
    pub binds: Vec<(Box<str>, ValuePath)>,
}

/// A value a step should have bound was not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found nothing at {path}, expected a value to call `{name}`")]
pub struct MissingValue {
    /// The name.
    pub name: String,
    /// Where its value was looked for.
    pub path: String,
}

/// Why a script does not apply to a Device Model Combination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplicable {
    /// The combination has no such device.
    #[error("the combination {combination} has no {device}")]
    NoDevice {
        /// The combination.
        combination: Name,
        /// The kind it lacks.
        device: DeviceKind,
    },
    /// A Device Model cannot do what the script needs.
    #[error("the {device} of {combination} lacks `{ability}`")]
    Lacks {
        /// The combination.
        combination: Name,
        /// The kind of the device.
        device: DeviceKind,
        /// What it lacks.
        ability: Ability,
    },
    /// A Device Model's profile does not say where a function is that the script observes.
    #[error("the profile of the {device} of {combination} has no object for `{function}`")]
    NoObject {
        /// The combination.
        combination: Name,
        /// The kind of the device.
        device: DeviceKind,
        /// The function.
        function: lab_config::Function,
    },
    /// A Device Model's devices do not send an alert that the script waits for.
    #[error("the {device} of {combination} sends no alert {alert}")]
    NoAlert {
        /// The combination.
        combination: Name,
        /// The kind of the device.
        device: DeviceKind,
        /// The alert.
        alert: AlertCode,
    },
    /// A Device Model does not say where on the home area network a function is that the script observes there.
    #[error("the Device Model of the {device} of {combination} has no cluster for `{function}`")]
    NoCluster {
        /// The combination.
        combination: Name,
        /// The kind of the device.
        device: DeviceKind,
        /// The function.
        function: lab_config::Function,
    },
    /// The rig has nothing to look at its home area network with.
    #[error("rig {rig} has no ZigBee dongle to observe its {device} by; write `dongle` in its [[rig]]")]
    NoDongle {
        /// The rig.
        rig: Name,
        /// The kind of the device.
        device: DeviceKind,
    },
}

impl Step {
    /// How long it may take.
    pub const fn within(&self) -> Duration {
        self.within
    }

    /// Whether it could cut a supply or cost money: what is written of it must be safe on disk before it begins.
    pub fn is_hazardous(&self) -> bool {
        match &self.action {
            Action::Request(request) => request.srv.is_critical(),
            Action::UserSystem(asked) => asked.srv.is_critical(),
            Action::Migrate(_) => true,
            Action::Ask(ask) => matches!(ask.act, Act::SwitchMains { .. }),
            _ => false,
        }
    }

    /// Binds the names of the step to what it saw.
    ///
    /// # Errors
    /// [`MissingValue`] for the first whose value is not there; those before it are bound.
    pub fn bind(&self, values: &Values, bindings: &mut Bindings) -> Result<(), MissingValue> {
        for (name, path) in &self.binds {
            let value = values
                .get(path)
                .ok_or_else(|| MissingValue { name: name.to_string(), path: path.to_string() })?;
            bindings.bind(name, value.clone());
        }
        Ok(())
    }

    /// The device the step touches, in a row that is about `target`; none when it touches none.
    pub fn device(&self, target: DeviceKind) -> Option<DeviceKind> {
        let named = match &self.action {
            Action::Request(request) if request.srv.is_for_the_dcc() => return None,
            Action::Request(request) => request.device,
            Action::UserSystem(asked) if asked.srv.is_for_the_dcc() => return None,
            Action::UserSystem(asked) => asked.device,
            Action::Scheduled(answer) => answer.device,
            Action::Observe(observe) => observe.device,
            Action::Alert { device, .. } => *device,
            Action::Ask(ask) => ask.device,
            Action::Sense { device, .. } => *device,
            Action::Smso(attempt) => attempt.device,
            Action::Migrate(_) | Action::Wait(_) | Action::Check => return None,
        };
        Some(named.unwrap_or(target))
    }

    /// Whether the step reads a device by this path.
    pub fn observes_by(&self, path: Path) -> bool {
        matches!(&self.action, Action::Observe(observe) if observe.through == path)
    }

    /// Whether the step expects the DCC or the device to refuse.
    pub fn expects_refusal(&self) -> bool {
        match &self.action {
            Action::Request(Request { outcome, .. }) | Action::UserSystem(UserSystem { outcome, .. }) => {
                matches!(outcome, Outcome::Failed | Outcome::Refused)
            }
            _ => false,
        }
    }
}

impl Row {
    /// The device the script is about in this row.
    pub fn device(&self, script: &Script) -> DeviceKind {
        self.device.unwrap_or(script.device)
    }
}

impl Script {
    /// Once per run of the script: each row, or none at all when there is no data table.
    pub fn cases(&self) -> impl Iterator<Item = Option<&Row>> {
        let once = self.rows.is_empty().then_some(None);
        self.rows.iter().map(Some).chain(once)
    }

    /// What the names of the script stand for when it begins, in this row, on a rig with these facts.
    pub fn bindings(&self, row: Option<&Row>, facts: Arc<Facts>) -> Bindings {
        let target = row.map_or(self.device, |row| row.device(self));
        let mut bindings = Bindings::new(facts, target);
        for (name, value) in row.into_iter().flat_map(|row| &row.values) {
            bindings.bind(name, value.clone());
        }
        bindings
    }

    /// Every step, in the order they run.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.set_up.iter().chain(&self.steps).chain(&self.clean_up)
    }

    /// Whether the script, in this row, applies to a combination: it has every device the steps touch, they can do what
    /// `applies-when` asks, their profiles say where to find what the steps observe, and they send the alerts it waits for.
    ///
    /// # Errors
    /// [`NotApplicable`] with the first reason why not.
    pub fn applies_to(
        &self,
        combination: &DeviceModelCombination,
        row: Option<&Row>,
    ) -> Result<(), NotApplicable> {
        let target = row.map_or(self.device, |row| row.device(self));
        has(combination, target)?;
        for (device, abilities) in &self.applies_when {
            let model = has(combination, *device)?;
            if let Some(ability) = abilities.iter().copied().find(|wanted| !model.has(*wanted)) {
                let combination = combination.id.clone();
                return Err(NotApplicable::Lacks { combination, device: *device, ability });
            }
        }
        self.all_steps().try_for_each(|step| finds_its_device(step, combination, target))
    }

    /// Whether the script, in this row, can be run on a rig: it applies to the rig's combination, and where it observes by
    /// the home area network the rig has a dongle. A meter's own port is part of every rig of its combination, and a script
    /// that lacks it ends in an error that says so; a dongle is something a rig may have besides.
    ///
    /// # Errors
    /// [`NotApplicable`] with the first reason why not.
    pub fn applies_on(&self, rig: &Rig, row: Option<&Row>) -> Result<(), NotApplicable> {
        self.applies_to(&rig.combination, row)?;
        let target = row.map_or(self.device, |row| row.device(self));
        let needs = self.all_steps().find(|step| step.observes_by(Path::Han));
        match needs.and_then(|step| step.device(target)).filter(|_| rig.dongle.is_none()) {
            Some(device) => Err(NotApplicable::NoDongle { rig: rig.name.clone(), device }),
            None => Ok(()),
        }
    }
}

fn finds_its_device(
    step: &Step,
    combination: &DeviceModelCombination,
    target: DeviceKind,
) -> Result<(), NotApplicable> {
    let Some(device) = step.device(target) else { return Ok(()) };
    let model = has(combination, device)?;
    if let Action::Alert { code, .. } = &step.action {
        return sends(combination, device, model, *code);
    }
    let Action::Observe(observe) = &step.action else { return Ok(()) };
    let ObservedAttribute::Function(function) = observe.what else { return Ok(()) };
    let named = observe.columns.iter().filter_map(|column| match column {
        Column::Function(function) => Some(*function),
        Column::Profile(_) => None,
    });
    let combination = combination.id.clone();
    match (observe.through, &model.profile) {
        (Path::Han, _) if model.clusters.as_ref().is_none_or(|map| map.function(function).is_none()) => {
            Err(NotApplicable::NoCluster { combination, device, function })
        }
        (Path::Wan | Path::Optical | Path::Local, Profile::Dlms(profile)) => {
            match std::iter::once(function).chain(named).find(|of| profile.object(*of).is_none()) {
                Some(function) => Err(NotApplicable::NoObject { combination, device, function }),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Whether devices of a model send an alert: all of them do where nobody has said which.
fn sends(
    combination: &DeviceModelCombination,
    device: DeviceKind,
    model: &DeviceModel,
    alert: AlertCode,
) -> Result<(), NotApplicable> {
    let alerts = model.profile.dlms().and_then(|profile| profile.particulars.alerts.as_ref());
    match alerts {
        Some(alerts) if !alerts.value.contains(&alert.0) => {
            Err(NotApplicable::NoAlert { combination: combination.id.clone(), device, alert })
        }
        _ => Ok(()),
    }
}

fn has(combination: &DeviceModelCombination, device: DeviceKind) -> Result<&DeviceModel, NotApplicable> {
    let model = combination.models.get(&device).map(AsRef::as_ref);
    model.ok_or_else(|| NotApplicable::NoDevice { combination: combination.id.clone(), device })
}
