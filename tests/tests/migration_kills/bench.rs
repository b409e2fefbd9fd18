//! Devices that outlive every controller and every party, what those keep, and the blows.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use device_sim::{Estate, SimClock, StateFolder};
use harness::evidence::{RunFolder, read_records};
use harness::migration::{InControl, Journal, Stage};
use lab_config::{Eui64, Lab, Path};
use proto_lab::record::Body;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::devices::{self, LetIn};
use crate::lab::{self, Cast};
use crate::programs::Program;
use crate::secrets::{self, Secrets};
use crate::usual::{Course, Moment, Usual};
use crate::{DeviceKind, PartyRole};

/// How long a controller may take that nobody kills: a party that is gone may cost the patience for the devices of a group.
const LONGEST: Duration = Duration::from_secs(420);
/// One batch of so many writes everything it can into its log.
const TALKATIVE: u64 = 4;

/// How often somebody looks how much is written.
const LOOK: Duration = Duration::from_millis(3);

/// On which side an installation is, wholly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// With its SMSO.
    Smso,
    /// Migrated.
    Dcc,
    /// Migrated but for gas, which failed on the home area network and stays with the SMSO (GT01).
    DccWithoutGas,
}

/// What a batch is for, as the command line says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Keep,
    Prove,
    TakeBack,
    Recover,
}

impl Purpose {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Keep => "migrating",
            Self::Prove => "migrating and taking back",
            Self::TakeBack => "taking back",
            Self::Recover => "recovering",
        }
    }

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Keep => &["--keep", "--lift"],
            Self::Prove => &["--lift"],
            Self::TakeBack => &["--take-back"],
            Self::Recover => &["--recover"],
        }
    }
}

/// What is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Migration control and every party in it.
    Controller,
    /// The link to a hub; everybody goes on.
    Link(usize),
    /// The link to a hub, and the controller a moment later.
    LinkAndController(usize),
    /// A device, which no longer answers; everybody goes on.
    Device(usize, DeviceKind),
    /// A party that is a program of its own; it is started again a moment later.
    Party(PartyRole),
    /// The same, and the controller a moment later.
    PartyAndController(PartyRole),
    /// A party that is a component of the harness, which the harness itself loses while it works on that file, so long after.
    Lost(PartyRole, u64, Duration),
}

impl Victim {
    /// What it is, for the tally.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Controller => "the controller".to_owned(),
            Self::Link(_) => "a link".to_owned(),
            Self::LinkAndController(_) => "a link and the controller".to_owned(),
            Self::Device(_, kind) => format!("a {kind}"),
            Self::Party(role) => format!("the {role}"),
            Self::PartyAndController(role) => format!("the {role} and the controller"),
            Self::Lost(role, ..) => format!("the {role} inside"),
        }
    }

    const fn with_controller(self) -> bool {
        matches!(self, Self::Controller | Self::LinkAndController(_) | Self::PartyAndController(_))
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())?;
        match self {
            Self::Link(rig) | Self::LinkAndController(rig) | Self::Device(rig, _) => {
                write!(f, " of rig-{rig}")
            }
            Self::Lost(_, file, after) => write!(f, ", {} ms into file {file}", after.as_millis()),
            _ => Ok(()),
        }
    }
}

/// The bench.
pub(crate) struct Bench {
    cast: Cast,
    folder: TempDir,
    devices: Runtime,
    estate: Option<Estate>,
    lab: Lab,
    parties: RefCell<BTreeMap<PartyRole, Program>>,
    secrets: RefCell<Secrets>,
    started: Cell<u64>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.parties.borrow_mut().clear();
        // Whoever looks into what went wrong needs what was left.
        self.folder.disable_cleanup(std::thread::panicking());
        if let Some(estate) = self.estate.take() {
            self.devices.block_on(estate.stop());
        }
    }
}

impl Bench {
    /// Devices in the hands of their SMSO, and every party outside that is to be.
    pub(crate) fn start(cast: Cast) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let simulated = lab::simulated(folder.path(), cast);
        let devices = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let state = StateFolder::at(folder.path().join("devices"));
        let estate = devices.block_on(Estate::start_keeping(&simulated, SimClock::real(), 1, &state));
        let estate = estate.expect("devices");
        let lab = lab::concrete(folder.path(), cast, &estate);
        for name in ["logs", "state", "exchange"] {
            fs::create_dir_all(folder.path().join(name)).expect(name);
        }
        let secrets = RefCell::new(Secrets::of_lab(folder.path()));
        let (parties, started) = (RefCell::default(), Cell::new(0));
        let bench = Self { cast, folder, devices, estate: Some(estate), lab, parties, secrets, started };
        if cast == Cast::Outside {
            lab::OUTSIDE.into_iter().for_each(|role| bench.party(role, true));
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn harness(&self) -> Command {
        let started = self.started.get();
        self.started.set(started + 1);
        let mut command = lab_tests::harness().expect("the harness builds");
        command.env("HARNESS_STATE", self.path("state"));
        command.env("HARNESS_LOG", if started.is_multiple_of(TALKATIVE) { "trace" } else { "info" });
        command.arg("migrate");
        command
    }

    /// Starts a party, or kills it.
    fn party(&self, role: PartyRole, up: bool) {
        let mut parties = self.parties.borrow_mut();
        if !up {
            if let Some(mut party) = parties.remove(&role) {
                party.kill();
            }
            return;
        }
        if parties.contains_key(&role) {
            return;
        }
        let (word, mut command) = (role.word(), self.harness());
        command.args(["party", word, "--lab"]).arg(self.path("lab.toml"));
        command.args(["--kind", &self.cast.kind().to_string()]);
        command.arg("--folder").arg(self.path(&format!("exchange/{word}")));
        command.arg("--key").arg(self.path(&format!("parties/{word}.key")));
        if matches!(role, PartyRole::Dco | PartyRole::S1sp) {
            command.arg("--opening-key").arg(self.path(&format!("parties/{word}-open.key")));
        }
        parties.insert(role, Program::start(&mut command, &self.path(&format!("logs/{word}"))));
    }

    /// A controller, started.
    fn controller(&self, purpose: Purpose, victim: Option<Victim>) -> Program {
        let mut command = self.harness();
        command.args(["--all", "--group-size", &lab::RIGS.to_string(), "--at-once", "1"]);
        command.args(["--kind", &self.cast.kind().to_string(), "--lab"]).arg(self.path("lab.toml"));
        command.args(purpose.words()).arg("--runs").arg(self.path("runs"));
        if let Some(Victim::Lost(role, file, after)) = victim {
            command.args(["--lose", &format!("{}@{file}+{}ms", role.word(), after.as_millis())]);
        }
        Program::start(&mut command, &self.path("logs/controller"))
    }

    fn run_folders(&self) -> BTreeSet<PathBuf> {
        lab_tests::run_folders(&self.path("runs")).into_iter().collect()
    }

    /// A controller that nobody kills, and that must do what it is for. Gives the folder of its run.
    pub(crate) fn must(&self, purpose: Purpose, what: &str) -> RunFolder {
        let before = self.run_folders();
        let status = self.controller(purpose, None).ends_within(LONGEST);
        let status = status.unwrap_or_else(|| panic!("{what}: {} does not end", purpose.word()));
        self.harvest();
        let new: Vec<PathBuf> = self.run_folders().difference(&before).cloned().collect();
        let [folder] = &new[..] else { panic!("{what}: one run, found {new:?}\n{}", self.said()) };
        assert!(status.success(), "{what}: {} gives {status}\n{}", purpose.word(), self.said());
        RunFolder::new(folder)
    }

    /// The end of what controllers said.
    fn said(&self) -> String {
        let end = |name: &str| {
            let text = fs::read(self.path(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let told =
                text.lines().filter(|line| !["TRACE", "DEBUG"].iter().any(|level| line.contains(level)));
            let told: Vec<&str> = told.collect();
            told[told.len().saturating_sub(40)..].join("\n")
        };
        let kept = self.folder.path().display();
        format!("{}\n--- stderr\n{}\n(left: {kept})", end("logs/controller.out"), end("logs/controller.err"))
    }

    /// What a batch each way takes that nobody kills.
    pub(crate) fn usual(&self) -> Usual {
        let course = |purpose| {
            let begun = Instant::now();
            let folder = self.must(purpose, "before any kill");
            Course { time: begun.elapsed(), octets: written(folder.root()) }
        };
        Usual { keep: course(Purpose::Keep), take_back: course(Purpose::TakeBack) }
    }

    /// A controller that is killed at this moment, if it has not ended by then.
    pub(crate) fn kill_controller(&self, purpose: Purpose, at: Moment) {
        self.started_until(purpose, None, at).kill();
    }

    /// A controller at that moment, or at its end.
    fn started_until(&self, purpose: Purpose, victim: Option<Victim>, moment: Moment) -> Program {
        let before = self.run_folders();
        let mut controller = self.controller(purpose, victim);
        let deadline = Instant::now() + moment.at_the_latest;
        let there = || self.run_folders().difference(&before).map(|run| written(run)).sum::<u64>();
        while Instant::now() < deadline && there() <= moment.octets {
            if controller.ends_within(LOOK).is_some() {
                break;
            }
        }
        controller
    }

    /// One controller, and one blow at a moment, which in what is not the controller lasts until later; then everything that was struck but the controller is back. Says what was last
    /// written of each installation when it was struck.
    pub(crate) fn killed(
        &self,
        purpose: Purpose,
        victim: Victim,
        moment: Moment,
        later: Duration,
    ) -> Vec<String> {
        let mut controller = self.started_until(purpose, Some(victim), moment);
        self.strike(victim, true);
        let stood = self.stood();
        if victim.with_controller() {
            if victim != Victim::Controller {
                controller.ends_within(later);
            }
            controller.kill();
        } else {
            controller.ends_within(later);
            self.strike(victim, false);
            let ended = controller.ends_within(LONGEST);
            assert!(ended.is_some(), "{victim}: a controller that nobody kills hangs\n{}", self.said());
        }
        // Nobody sees from outside when the harness loses a party: where that led to is what stands in the journals.
        let stood = if matches!(victim, Victim::Lost(..)) { self.stood() } else { stood };
        self.strike(victim, false);
        self.harvest();
        stood
    }

    fn hand(&self, rig: usize, kind: DeviceKind) -> device_sim::Hand {
        let estate = self.estate.as_ref().expect("devices");
        estate.hand(self.lab.rigs[rig].name.as_str(), kind).expect("a device")
    }

    fn strike(&self, victim: Victim, down: bool) {
        match victim {
            Victim::Controller | Victim::Lost(..) => {}
            Victim::Link(rig) | Victim::LinkAndController(rig) if down => {
                self.hand(rig, DeviceKind::Chf).pull_link(Path::Wan).expect("a link");
            }
            Victim::Link(rig) | Victim::LinkAndController(rig) => {
                self.hand(rig, DeviceKind::Chf).restore_link(Path::Wan).expect("a link");
            }
            Victim::Device(rig, kind) => self.hand(rig, kind).silence(down),
            Victim::Party(role) | Victim::PartyAndController(role) => self.party(role, !down),
        }
    }

    fn installations(&self) -> impl Iterator<Item = Eui64> + '_ {
        self.lab.rigs.iter().filter_map(|rig| rig.device(DeviceKind::Chf)).map(|hub| hub.eui64)
    }

    fn journal(&self, installation: Eui64) -> PathBuf {
        self.path(&format!("state/migration/journal/{installation}.jsonl"))
    }

    /// The last event in each journal, whoever writes it now.
    fn stood(&self) -> Vec<String> {
        let last = |installation| {
            let text = fs::read_to_string(self.journal(installation)).unwrap_or_default();
            let line = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
            let event = line.map(|line| line["event"].clone()).unwrap_or_default();
            let word = event.as_str().map(str::to_owned);
            let of_object = || event.as_object()?.keys().next().cloned();
            word.or_else(of_object).unwrap_or_else(|| "nothing".to_owned())
        };
        self.installations().map(last).collect()
    }

    fn stage(&self, installation: Eui64) -> Stage {
        let mut journal = Journal::new(Some(self.path("state/migration/journal")));
        journal.open(installation).expect("a journal").installation.stage().clone()
    }

    /// The installations whose journal says that they are between the two.
    pub(crate) fn on_the_way(&self) -> Vec<Eui64> {
        self.installations().filter(|id| self.stage(*id).in_control() == InControl::S1sp).collect()
    }

    /// Every installation is wholly on one side, by its journal, its devices and the inventory alike.
    pub(crate) fn whole(&self, what: &str) -> Vec<Side> {
        let seen = devices::seen(self.folder.path(), &self.path("state"));
        let one = |installation: Eui64| {
            let stage = self.stage(installation);
            let (name, side) = (stage.name(), stage.in_control());
            assert_ne!(side, InControl::S1sp, "{what}: {installation} is on the way: {stage:?}");
            let joined = self.path(&format!("state/migration/inventory/{installation}.json")).exists();
            let migrated = side == InControl::Dcc;
            assert_eq!(joined, migrated, "{what}: {installation} is {name} and the inventory differs");
            let without = stage.standing().map_or(&[][..], |standing| &standing.without);
            for device in self.let_in_by_credential(installation) {
                // What the S1SP has given back it has forgotten: its links are those of the lab file then.
                let expected = LetIn { smso: !migrated || without.contains(&device), s1sp: true };
                let found = seen.get(&device.to_string());
                assert_eq!(
                    found,
                    Some(&expected),
                    "{what}: {device} of {installation}, {stage:?}\n{}",
                    self.said()
                );
            }
            match (migrated, without.is_empty()) {
                (false, _) => Side::Smso,
                (true, true) => Side::Dcc,
                (true, false) => Side::DccWithoutGas,
            }
        };
        self.installations().map(one).collect()
    }

    fn let_in_by_credential(&self, installation: Eui64) -> Vec<Eui64> {
        let rigs = &self.lab.rigs;
        let rig = rigs.iter().find(|rig| rig.by_eui64(installation).is_some()).expect("its rig");
        devices::LET_IN.iter().map(|kind| rig.device(*kind).expect("a device").eui64).collect()
    }

    /// What was on the way is told by the recovery's records: where it was found, why it was brought where, and where it is.
    pub(crate) fn told(&self, recovered: &RunFolder, on_the_way: &[Eui64], what: &str) {
        let records = read_records(recovered).expect("records");
        for installation in on_the_way {
            let of_it = records.iter().filter_map(|record| match &record.body {
                Body::Migration(event) if event.installation == installation.to_string() => Some(event),
                _ => None,
            });
            let told = of_it.clone().find(|event| event.detail.starts_with("recovered: "));
            let told =
                told.unwrap_or_else(|| panic!("{what}: no record says what was done with {installation}"));
            assert_eq!(told.stage, self.stage(*installation).name(), "{what}: {told:?}");
            assert!(told.class.is_some() && told.code.is_some(), "{what}: neither how nor why: {told:?}");
        }
    }

    /// Takes note of the secrets that the S1SP keeps now.
    fn harvest(&self) {
        self.secrets.borrow_mut().of_s1sp(&self.path("state"));
    }

    /// No secret stands in anything that was written since the last look; then that is forgotten.
    pub(crate) fn look_for_secrets(&self, what: &str) {
        let mut secrets = self.secrets.borrow_mut();
        for folder in ["runs", "state", "exchange", "logs", "look"] {
            let found = secrets.look(&self.path(folder));
            assert!(found.is_empty(), "{what}: {}", found.join("\n"));
        }
        secrets.forget_those_of_s1sp();
        self.run_folders().into_iter().for_each(|run| fs::remove_dir_all(run).expect("a folder"));
        for name in ["logs/controller.out", "logs/controller.err"] {
            drop(fs::remove_file(self.path(name)));
        }
        for role in lab::OUTSIDE {
            secrets::empty(&self.path(&format!("exchange/{}/in/taken", role.word())));
            secrets::empty(&self.path(&format!("exchange/{}/out/taken", role.word())));
        }
    }
}

/// How much a run has written of what happens: its records, and what crossed its links.
fn written(run: &FilePath) -> u64 {
    let captures = fs::read_dir(run.join("captures")).into_iter().flatten();
    let files = captures.filter_map(|entry| Some(entry.ok()?.path()));
    let sizes =
        files.chain([run.join("records.jsonl")]).map(|path| fs::metadata(path).map_or(0, |of| of.len()));
    sizes.sum()
}
