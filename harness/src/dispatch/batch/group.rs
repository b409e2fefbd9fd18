//! The migration of one group of a batch, from meeting its devices to leaving them alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use lab_config::Eui64;
use proto_lab::record::{Body, MigrationClass, MigrationEvent, Verdict};

use super::super::RunError;
use super::super::migrating::class;
use super::fleet::{Fleet, Means};
use super::{Classes, Ground, Planned, Purpose, cast, note};
use crate::execute::{LedgerError, Stop};
use crate::migration::{Code, Control, InControl, Installation, Operation, Refused, Stage};

/// How often a batch tries to take back what it migrated, before it leaves it to a recovery.
const TRIES_BACK: u8 = 3;

/// How the installations of a batch ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// Attempts by their result class: an installation that was migrated and taken back is in two.
    pub classes: Classes,
    /// Installations that are where the purpose wants them.
    pub done: usize,
    /// Installations on the way, of which a recovery can be tried again.
    pub stuck: usize,
    /// Installations whose devices could not be had, as when another run holds them.
    pub unmet: usize,
}

impl Ended {
    /// Adds those of another group.
    pub(super) fn add(&mut self, other: Self) {
        for (class, count) in other.classes {
            *self.classes.entry(class).or_default() += count;
        }
        self.done += other.done;
        self.stuck += other.stuck;
        self.unmet += other.unmet;
    }

    /// What the batch came to: a pass where every installation is where it was to be.
    pub(super) fn verdict(&self, installations: usize) -> (Verdict, Option<String>) {
        if self.done == installations {
            return (Verdict::Pass, None);
        }
        let verdict = if self.stuck + self.unmet > 0 { Verdict::Error } else { Verdict::Fail };
        let advice = match self.stuck {
            0 => "",
            _ => {
                "; the notes say what stands in the way of those on the way: see to it, then run harness migrate --recover"
            }
        };
        let done = self.done;
        (
            verdict,
            Some(format!(
                "{done} of {installations} installations are where they were to be: {self}{advice}"
            )),
        )
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let classes = [
            MigrationClass::Migrated,
            MigrationClass::Refused,
            MigrationClass::RolledBack,
            MigrationClass::Excluded,
        ];
        let count = |class| (self.classes.get(&class).copied().unwrap_or_default(), class.to_string());
        let rest = [(self.stuck, "on the way".to_owned()), (self.unmet, "not met".to_owned())];
        let counts = classes.map(count).into_iter().chain(rest.into_iter().filter(|(count, _)| *count > 0));
        let words: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(&words.join(", "))
    }
}

/// Migrates a group.
///
/// # Errors
/// [`RunError`]: it could not be begun, or the evidence cannot be written.
pub(super) async fn migrate(ground: &Ground, planned: &Planned, stop: &Stop) -> Result<Ended, RunError> {
    let order = &ground.order;
    let means = Means {
        lab: &order.lab,
        s1sp: (&ground.seals.s1sp_signer, &ground.seals.users),
        state: order.state.as_deref(),
        book: Some(&ground.book),
        tap: &ground.tap,
        run: order.run.as_str(),
    };
    let rigs = cast::rigs(&order.lab, planned)?;
    let (fleet, left) = Fleet::meet(&means, rigs.into_iter()).await;
    for (installation, reason) in &left {
        note(&ground.book, format!("{installation} could not be had, and was left alone: {reason}"))?;
    }
    let mut ended = Ended { unmet: left.len(), ..Ended::default() };
    if left.len() < planned.rigs.len() {
        let control = cast::control(ground, planned, &Arc::new(fleet))?;
        let mut course = Course::new(ground, control);
        course.run(stop).await?;
        ended.add(course.ended());
    }
    Ok(ended)
}

/// A group on its course.
struct Course<'a> {
    ground: &'a Ground,
    control: Control,
    /// Where each stood when it was last recorded, and in which attempt.
    recorded: BTreeMap<Eui64, (Stage, u8)>,
    /// Those found migrated, by a batch before this one.
    found: BTreeSet<Eui64>,
    classes: Classes,
}

impl<'a> Course<'a> {
    fn new(ground: &'a Ground, control: Control) -> Self {
        let members = control.group().members();
        let recorded: BTreeMap<Eui64, (Stage, u8)> =
            members.map(|(id, member)| (id, (member.stage().clone(), member.attempt()))).collect();
        let migrated = recorded.iter().filter(|(_, (stage, _))| matches!(stage, Stage::Migrated(_)));
        let found = migrated.map(|(id, _)| *id).collect();
        Self { ground, control, recorded, found, classes: Classes::new() }
    }

    async fn run(&mut self, stop: &Stop) -> Result<(), RunError> {
        for (id, said) in self.control.recover(Timestamp::now()).await {
            self.record(id, format!("recovered: {said}"))?;
        }
        self.record_changes("recovered")?;
        if self.ground.order.lift {
            let members: Vec<Eui64> = self.control.group().members().map(|(id, _)| id).collect();
            for id in members {
                self.control.lift(id, "whoever ordered the batch", Timestamp::now());
            }
            self.record_changes("the exclusion is lifted")?;
        }
        match self.ground.order.purpose {
            Purpose::Recover => {}
            Purpose::TakeBack => self.take_back(|_| true).await?,
            Purpose::Keep => self.forward(stop).await?,
            Purpose::Prove => {
                self.forward(stop).await?;
                let found = self.found.clone();
                self.take_back(|id| !found.contains(&id)).await?;
            }
        }
        Ok(())
    }

    /// As often as it may be tried, the operations that lead to the DCC.
    async fn forward(&mut self, stop: &Stop) -> Result<(), RunError> {
        for _ in 0..self.ground.order.attempts.max(1) {
            for operation in self.operations() {
                if stop.asked() {
                    return self.take_back(|_| true).await;
                }
                if self.control.operate(operation, Timestamp::now()).await.is_err() {
                    // It comes next for none: all have ended.
                    break;
                }
                self.record_changes(&operation.to_string())?;
            }
            if self.control.group().able(Operation::Authorise).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn operations(&self) -> Vec<Operation> {
        let prepare = self.ground.order.prepare;
        let all = [
            Operation::Authorise,
            Operation::Prepare,
            Operation::Validate,
            Operation::Contact,
            Operation::Commission,
        ];
        all.into_iter().filter(|operation| prepare || *operation != Operation::Prepare).collect()
    }

    /// Takes those back that are meant and are not with their SMSO. What one try could not undo, the next goes on with; what
    /// stood in the way is noted.
    async fn take_back(&mut self, meant: impl Fn(Eui64) -> bool) -> Result<(), RunError> {
        let why = Refused::new(Code::AskedFor, "the batch takes back what it migrated").into();
        for _ in 0..TRIES_BACK {
            let these = self.away(&meant);
            if these.is_empty() {
                break;
            }
            let said = self.control.bring_back(&these, &why, Timestamp::now()).await;
            self.record_changes("rollback")?;
            if !self.away(&meant).is_empty() {
                note(&self.ground.book, said)?;
            }
        }
        Ok(())
    }

    /// Those that are meant and are not with their SMSO.
    fn away(&self, meant: &impl Fn(Eui64) -> bool) -> Vec<Eui64> {
        let away = |(id, member): (Eui64, &Installation)| {
            (member.stage().in_control() != InControl::Smso && meant(id)).then_some(id)
        };
        self.control.group().members().filter_map(away).collect()
    }

    /// Records each installation that moved, and what control has to say.
    fn record_changes(&mut self, operation: &str) -> Result<(), LedgerError> {
        let moved = |(id, member): (Eui64, &Installation)| {
            let now = (member.stage().clone(), member.attempt());
            (self.recorded.get(&id) != Some(&now)).then_some(id)
        };
        let moved: Vec<Eui64> = self.control.group().members().filter_map(moved).collect();
        for id in moved {
            self.record(id, operation.to_owned())?;
        }
        for what in self.control.take_told() {
            note(&self.ground.book, what)?;
        }
        Ok(())
    }

    fn record(&mut self, id: Eui64, what: String) -> Result<(), LedgerError> {
        let Some(member) = self.control.member(id) else { return Ok(()) };
        let (stage, attempt) = (member.stage().clone(), member.attempt());
        // An attempt that failed is the one before the next.
        let of = self.recorded.get(&id).map_or(attempt, |(_, attempt)| *attempt);
        let ended =
            stage.class().map(class).filter(|_| self.recorded.get(&id).map(|(s, _)| s) != Some(&stage));
        if let Some(class) = ended {
            *self.classes.entry(class).or_default() += 1;
        }
        let event = MigrationEvent {
            installation: id.to_string(),
            stage: stage.name().to_owned(),
            detail: detail(&stage, &what),
            code: stage.code(),
            class: ended,
            attempt: Some(of),
        };
        self.recorded.insert(id, (stage, attempt));
        self.ground.book.write(Body::Migration(event)).map(drop)
    }

    fn ended(&self) -> Ended {
        let stages = || self.control.group().members().map(|(_, member)| member.stage());
        let stuck = stages().filter(|stage| stage.in_control() == InControl::S1sp).count();
        let with_smso = stages().filter(|stage| stage.in_control() == InControl::Smso).count();
        let migrated = stages().filter(|stage| matches!(stage, Stage::Migrated(_))).count();
        let proved = self.classes.get(&MigrationClass::Migrated).copied().unwrap_or_default();
        let done = match self.ground.order.purpose {
            Purpose::Keep => migrated,
            Purpose::Prove => proved.min(with_smso) + self.found.len(),
            Purpose::Recover => migrated + with_smso,
            Purpose::TakeBack => with_smso,
        };
        Ended { classes: self.classes.clone(), done, stuck, unmet: 0 }
    }
}

fn detail(stage: &Stage, what: &str) -> String {
    match (stage.finding(), stage.standing()) {
        (Some(finding), _) => format!("{what}: {}", finding.reason),
        (None, Some(standing)) if !standing.without.is_empty() => {
            let without: Vec<String> = standing.without.iter().map(ToString::to_string).collect();
            format!("{what}, without {}", without.join(", "))
        }
        (None, Some(standing)) => {
            let under: Vec<String> = standing.authorisations.iter().map(ToString::to_string).collect();
            format!("{what}, under {}", under.join(" and "))
        }
        (None, None) => what.to_owned(),
    }
}
