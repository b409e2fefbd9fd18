//! Kills at random moments while installations are migrated and taken back: of the controller, of the link to a hub, of a device.
//! After each, a new controller finds on disk what is needed to bring every installation wholly to the DCC or wholly back to its
//! SMSO. Which of the two it is, the devices themselves say, by the credentials they let in.
//!
//! The devices live outside the controller: on a runtime of their own that is never touched. A controller is a runtime with
//! everything of it; killing it drops every task where it is, and leaves what is on disk.
//!
//! `LAB_MIGRATION_KILLS=1000` plays a thousand, `LAB_MIGRATION_SEED` others than the usual ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing test's panic is its message; figures are printed"
)]

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use device_sim::{Estate, SimClock, StateFolder};
use harness::dispatch::batch::{BatchOrder, Batched, Purpose, migrate};
use harness::dispatch::{lab_key, new_run_id};
use harness::driver::{Client, RigLinks, rig};
use harness::execute::Stop;
use harness::link::NoTap;
use harness::migration::{InControl, Journal, Stage};
use harness::s1sp::SecretStore;
use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64, Lab, Path, Rig};
use lab_tests::devices::{embedded_lab, with_wakeful_gas};
use proto_lab::record::{Body, Verdict};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// Kills in a usual run of the tests; the figure is for a debug build on a busy machine.
const KILLS: u64 = 15;
const RIGS: usize = 2;
/// The password that the SMSO has for every device.
const PASSWORD: &str = "smso-4711-secret";
/// The devices that are let in by a password.
const WITH_PASSWORD: [DeviceKind; 4] = [DeviceKind::Chf, DeviceKind::Gpf, DeviceKind::Esme, DeviceKind::Gsme];

/// Chance that comes out the same each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % count
    }

    fn of<T: Copy>(&mut self, these: &[T]) -> T {
        these[usize::try_from(self.below(these.len() as u64)).expect("an index")]
    }

    /// A moment in this span.
    fn moment(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(most.as_micros()).expect("a span").max(1)))
    }
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// Migration control and every party in it.
    Controller,
    /// The link to a hub; the controller goes on.
    Link(usize),
    /// The link to a hub, and the controller a moment later.
    LinkAndController(usize),
    /// A device, which no longer answers; the controller goes on.
    Device(usize, DeviceKind),
}

/// The embedded lab with so many of its rig, whose gas meters wake every ten seconds, as often as one may: waiting for half an
/// hour would be most of the test.
fn lab(folder: &FilePath) -> Lab {
    let text = with_wakeful_gas(folder, embedded_lab().expect("the embedded lab")).expect("a gas meter");
    let text = text.replace("password = { generated = true }", "password = { file = \"password\" }");
    let (head, rig) = text.split_once("[[rig]]").expect("a rig");
    let rig = rig.split("[[rig.station]]").next().expect("a rig");
    let mut many = head.to_owned();
    for n in 0..RIGS {
        let copy = rig.replace("\"rig-1\"", &format!("\"rig-{n}\""));
        let copy = copy.replace("00-DB-12-34-56-78-90", &format!("00-DB-12-34-56-{n:02X}-90"));
        write!(many, "[[rig]]{copy}").expect("text");
    }
    for (name, text) in [("password", PASSWORD), ("lab.toml", &many)] {
        std::fs::write(folder.join(name), text).expect(name);
    }
    Lab::load(&folder.join("lab.toml")).unwrap_or_else(|error| panic!("{error}"))
}

/// Devices that outlive every controller, and what controllers keep.
struct Bench {
    folder: TempDir,
    devices: Runtime,
    estate: Option<Estate>,
    lab: Lab,
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(estate) = self.estate.take() {
            self.devices.block_on(estate.stop());
        }
    }
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lab = lab(folder.path());
        let devices = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let state = StateFolder::at(folder.path().join("devices"));
        let estate = devices.block_on(Estate::start_keeping(&lab, SimClock::real(), 1, &state));
        let estate = estate.expect("devices");
        let lab = estate.concrete(lab);
        Self { folder, devices, estate: Some(estate), lab }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn order(&self, purpose: Purpose) -> BatchOrder {
        let (one, runs) = (NonZeroUsize::MIN, self.runs());
        BatchOrder {
            lab: self.lab.clone(),
            rigs: self.lab.rigs.iter().map(|rig| rig.name.to_string()).collect(),
            kind: None,
            group_size: NonZeroUsize::new(RIGS).expect("not none"),
            at_once: one,
            purpose,
            attempts: 1,
            prepare: false,
            lift: true,
            state: Some(self.state()),
            key: lab_key(&runs.join("keys"), &self.lab).expect("a key"),
            run: new_run_id(Timestamp::now()).expect("a name"),
            runs,
        }
    }

    /// A controller on a runtime of its own, killed after that time if it has not ended by then.
    fn controller(&self, purpose: Purpose, killed: Option<Duration>) -> Option<Batched> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let order = self.order(purpose);
        let task = runtime.spawn(async move { migrate(order, &Stop::new(), |_| {}).await });
        let longest = killed.unwrap_or(Duration::from_secs(300));
        let ended = runtime.block_on(async { tokio::time::timeout(longest, task).await });
        runtime.shutdown_timeout(Duration::from_secs(30));
        match (ended, killed) {
            (Ok(ended), _) => Some(ended.expect("no panic").unwrap_or_else(|error| panic!("{error}"))),
            (Err(_), Some(_)) => None,
            (Err(_), None) => panic!("a controller that nobody kills hangs"),
        }
    }

    fn hand(&self, rig: usize, kind: DeviceKind) -> device_sim::Hand {
        let estate = self.estate.as_ref().expect("devices");
        estate.hand(self.lab.rigs[rig].name.as_str(), kind).expect("a device")
    }

    /// One controller, and one kill at a moment; then everything that was killed but the controller is back.
    fn killed(&self, chance: &mut Chance, purpose: Purpose, victim: Victim, usual: Duration) {
        let (first, later) = (chance.moment(usual), chance.moment(usual / 2));
        let (strike, kill) = match victim {
            Victim::Controller => (None, Some(first)),
            Victim::Link(_) | Victim::Device(..) => (Some(first), None),
            Victim::LinkAndController(_) => (Some(first), Some(first + later)),
        };
        std::thread::scope(|scope| {
            let controller = scope.spawn(|| self.controller(purpose, kill));
            if let Some(after) = strike {
                self.devices.block_on(async { tokio::time::sleep(after).await });
                self.strike(victim, true);
                if kill.is_none() {
                    self.devices.block_on(async { tokio::time::sleep(later).await });
                    self.strike(victim, false);
                }
            }
            drop(controller.join().expect("a controller"));
        });
        self.strike(victim, false);
    }

    fn strike(&self, victim: Victim, down: bool) {
        match victim {
            Victim::Controller => {}
            Victim::Link(rig) | Victim::LinkAndController(rig) if down => {
                self.hand(rig, DeviceKind::Chf).pull_link(Path::Wan).expect("a link");
            }
            Victim::Link(rig) | Victim::LinkAndController(rig) => {
                self.hand(rig, DeviceKind::Chf).restore_link(Path::Wan).expect("a link");
            }
            Victim::Device(rig, kind) => self.hand(rig, kind).silence(down),
        }
    }

    fn stage(&self, installation: Eui64) -> Stage {
        let mut journal = Journal::new(Some(self.state().join("migration/journal")));
        journal.open(installation).expect("a journal").installation.stage().clone()
    }

    /// Whether the device lets the SMSO in, and whether it lets the S1SP in by what that has kept.
    async fn lets_in(&self, rig: &Rig, kind: DeviceKind, what: &str) -> [bool; 2] {
        let (sender, _pushes) = mpsc::channel(64);
        let chf = rig.device(DeviceKind::Chf).expect("a hub");
        let hub = rig::connect_hub(rig, chf, NoTap::shared(), sender).await.expect("a hub");
        let smso = RigLinks::new(Arc::new(rig.clone()), Some(hub), NoTap::shared());
        let s1sp = smso.with_credentials_of_lab();
        SecretStore::for_rig(rig, Some(&self.state())).expect("a store").fill(s1sp.keyring());
        let device = rig.device(kind).expect("a device");
        let mut let_in = [false; 2];
        for (links, let_in) in [&smso, &s1sp].into_iter().zip(&mut let_in) {
            // A gas meter that sleeps answers at its next wake, which may be later than anybody waits at once.
            for attempt in 1.. {
                match links.open(device, Path::Wan, Client::Management).await {
                    Ok(session) => {
                        *let_in = true;
                        session.close().await;
                        break;
                    }
                    Err(error) if error.is_wrong_credential() => break,
                    Err(error) => assert!(attempt < 4, "{what}: {kind} of {}: {error}", rig.name),
                }
            }
        }
        let_in
    }

    /// Every installation is wholly on one side, by its journal, its devices and the inventory alike; says how many migrated.
    fn whole(&self, what: &str) -> usize {
        let reader = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut migrated = 0;
        for rig in &self.lab.rigs {
            let installation = rig.device(DeviceKind::Chf).expect("a hub").eui64;
            let stage = self.stage(installation);
            let has_it = stage.in_control() == InControl::Dcc;
            assert_ne!(
                stage.in_control(),
                InControl::S1sp,
                "{what}: {installation} is on the way: {stage:?}"
            );
            let joined = self.state().join(format!("migration/inventory/{installation}.json")).exists();
            assert_eq!(
                joined,
                has_it,
                "{what}: {installation} is {} and the inventory differs",
                stage.name()
            );
            for kind in WITH_PASSWORD {
                let let_in = reader.block_on(self.lets_in(rig, kind, what));
                // What the S1SP has given back it has forgotten: its links are those of the lab file then.
                let expected = if has_it { [false, true] } else { [true, true] };
                assert_eq!(let_in, expected, "{what}: the {kind} of {installation}, {}", stage.name());
            }
            migrated += usize::from(has_it);
        }
        migrated
    }

    /// What was on the way is told by the recovery's records, with what was found and why it was brought where.
    fn told(&self, batched: &Batched, on_the_way: &[Eui64], what: &str) {
        let records = harness::evidence::read_records(&batched.folder).expect("records");
        for installation in on_the_way {
            let of_it = records.iter().any(|record| match &record.body {
                Body::Migration(event) => {
                    event.installation == installation.to_string() && event.detail.starts_with("recovered")
                }
                _ => false,
            });
            assert!(of_it, "{what}: no record says what was done with {installation}");
        }
    }

    /// No secret of the SMSO's stands in any file, but the captures of what crossed the links.
    fn tight(&self) {
        let words = [PASSWORD.to_owned(), hex::encode(PASSWORD), hex::encode_upper(PASSWORD)];
        for folder in [self.runs(), self.state()] {
            let mut left = vec![folder];
            while let Some(path) = left.pop() {
                if path.is_dir() {
                    left.extend(
                        std::fs::read_dir(&path).expect("a folder").map(|e| e.expect("an entry").path()),
                    );
                } else if path.extension().is_none_or(|end| end != "pcapng") {
                    let octets = std::fs::read(&path).expect("a file");
                    let text = String::from_utf8_lossy(&octets);
                    assert!(
                        !words.iter().any(|word| text.contains(word.as_str())),
                        "a secret in {}",
                        path.display()
                    );
                }
            }
        }
    }

    fn forget_runs(&self) {
        for run in lab_tests::run_folders(&self.runs()) {
            std::fs::remove_dir_all(run).expect("a folder");
        }
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn whatever_is_killed_whenever_every_installation_is_whole_on_one_side() {
    let bench = Bench::start();
    let kills = number("LAB_MIGRATION_KILLS", KILLS);
    let mut chance = Chance(number("LAB_MIGRATION_SEED", 20));
    let begun = Instant::now();
    let proved = bench.controller(Purpose::Prove, None).expect("a batch");
    assert_eq!(proved.finished.verdict, Verdict::Pass, "{:?}", proved.finished.reason);
    let usual = begun.elapsed();
    bench.whole("before any kill");
    let (mut found_on_the_way, mut migrated_after) = (0, 0);
    for kill in 0..kills {
        let purpose = chance.of(&[Purpose::Keep, Purpose::Prove, Purpose::TakeBack]);
        let rig = usize::try_from(chance.below(RIGS as u64)).expect("a rig");
        let kind = chance.of(&WITH_PASSWORD);
        let victim = match chance.below(10) {
            0..=6 => Victim::Controller,
            7 => Victim::Link(rig),
            8 => Victim::LinkAndController(rig),
            _ => Victim::Device(rig, kind),
        };
        let what = format!("kill {kill}, of {victim:?} while {purpose:?}");
        bench.killed(&mut chance, purpose, victim, usual);
        let hubs = bench.lab.rigs.iter().filter_map(|rig| rig.device(DeviceKind::Chf)).map(|hub| hub.eui64);
        let on_the_way: Vec<Eui64> =
            hubs.filter(|hub| bench.stage(*hub).in_control() == InControl::S1sp).collect();
        found_on_the_way += on_the_way.len();
        let recovered = bench.controller(Purpose::Recover, None).expect("a recovery");
        assert_eq!(recovered.finished.verdict, Verdict::Pass, "{what}: {:?}", recovered.finished.reason);
        bench.told(&recovered, &on_the_way, &what);
        migrated_after += bench.whole(&what);
        if kill % 20 == 0 {
            bench.tight();
            bench.forget_runs();
        }
    }
    bench.tight();
    let back = bench.controller(Purpose::TakeBack, None).expect("a batch");
    assert_eq!(back.finished.verdict, Verdict::Pass, "{:?}", back.finished.reason);
    assert_eq!(bench.whole("at the end"), 0);
    println!(
        "{kills} kills in {:.0} s; {found_on_the_way} installations found on the way, {migrated_after} times one was migrated after",
        begun.elapsed().as_secs_f64()
    );
}
