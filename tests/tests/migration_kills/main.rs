//! Kills at random moments while installations are migrated and taken back: of migration control, of every party that is a program
//! of its own, of the link to a hub, of a device, and of the recovery itself.
//!
//! ```text
//! devices, in this process ── sockets, pseudo-terminals ──┬── harness migrate           SIGKILL at any moment
//!   links pulled, devices silenced at any moment          └── harness migrate party ... SIGKILL at any moment, and started again
//! ```
//!
//! After each, `harness migrate --recover` finds on disk what is needed to bring every installation wholly to the DCC or wholly
//! back to its SMSO. Which of the two it is, the devices themselves say at their own ports, by the credentials they let in, to a
//! process that has nothing to do with migration control; and the journal, the inventory and the records must say the same.
//! Meanwhile every secret of the lab and of the S1SP is looked for in all that was written ([`secrets`]).
//!
//! `LAB_MIGRATION_KILLS=500` plays so many of each test, `LAB_MIGRATION_SEED` others than the usual ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing test's panic is its message; figures are printed"
)]

mod bench;
mod chance;
mod devices;
mod lab;
mod programs;
mod secrets;
mod tally;
mod usual;

use std::process::Command;
use std::time::{Duration, Instant};

use lab_config::{DeviceKind, InstallationType, PartyRole};

use bench::{Bench, Purpose, Side, Victim};
use chance::Chance;
use lab::Cast;
use tally::Tally;

/// Kills of each test in a usual run; the figure is for a debug build on a busy machine.
const KILLS: u64 = 4;
/// Kills between two looks for secrets.
const BETWEEN_LOOKS: u64 = 20;
/// The most time between the blow and the moment when what was struck is back.
const AWAY: Duration = Duration::from_secs(2);

/// Files that a party gets in a batch, and the most time it works on one of them.
const MOST_FILES: u64 = 9;
const AT_WORK: Duration = Duration::from_secs(2);

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

/// Every party is a component of the harness, and a meter has keys that only dual control can change.
#[test]
fn whatever_is_killed_whenever_every_installation_is_whole_on_one_side() {
    let bench = Bench::start(Cast::Inside);
    play(&bench, number("LAB_MIGRATION_SEED", 20), |chance, rig| match chance.below(10) {
        0..=4 => Victim::Controller,
        5 => Victim::Lost(PartyRole::S1sp, 1 + chance.below(MOST_FILES), chance.moment(AT_WORK)),
        6 => Victim::Link(rig),
        7 => Victim::LinkAndController(rig),
        8 => Victim::Lost(chance.of(&lab::ALL), 1 + chance.below(MOST_FILES), chance.moment(AT_WORK)),
        _ => Victim::Device(rig, chance.of(&devices::LET_IN)),
    });
}

/// Parties are programs of their own that exchange files by folders, and each of them may be the one that is killed.
#[test]
fn a_party_killed_whenever_leaves_every_installation_whole_on_one_side() {
    let bench = Bench::start(Cast::Outside);
    play(&bench, number("LAB_MIGRATION_SEED", 20) + 1, |chance, rig| {
        let party = chance.of(&lab::OUTSIDE);
        match chance.below(10) {
            0..=5 => Victim::Party(party),
            6 => Victim::PartyAndController(party),
            7 => Victim::Controller,
            8 => Victim::LinkAndController(rig),
            _ => Victim::Device(rig, chance.of(&devices::LET_IN)),
        }
    });
}

/// Kills as often as was asked for, and looks after each.
fn play(bench: &Bench, seed: u64, victim: impl Fn(&mut Chance, usize) -> Victim) {
    let kills = number("LAB_MIGRATION_KILLS", KILLS);
    let mut chance = Chance::from(seed);
    let mut tally = Tally::default();
    let begun = Instant::now();
    let usual = bench.usual();
    let mut sides = bench.whole("before any kill");
    for kill in 0..kills {
        let purpose = chance.of(match sides.contains(&Side::Smso) {
            true => &[Purpose::Keep, Purpose::Keep, Purpose::Prove],
            false => &[Purpose::TakeBack],
        });
        let rig = usize::try_from(chance.below(lab::RIGS.into())).expect("a rig");
        let victim = victim(&mut chance, rig);
        let what = format!("seed {seed}, kill {kill}, of {victim} while {}", purpose.word());
        let moment = usual.moment(&mut chance, purpose);
        let stood = bench.killed(purpose, victim, moment, chance.moment(AWAY));
        // One recovery of four is killed too, and the next one goes on.
        let twice = chance.below(4) == 0;
        if twice {
            bench.kill_controller(Purpose::Recover, usual.moment(&mut chance, Purpose::Recover));
        }
        let on_the_way = bench.on_the_way();
        let recovered = bench.must(Purpose::Recover, &what);
        bench.told(&recovered, &on_the_way, &what);
        sides = bench.whole(&what);
        tally.count(victim, twice, &stood, &sides);
        if kill % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 {
            bench.look_for_secrets(&what);
            println!("seed {seed}: {} kills in {:.0} s", kill + 1, begun.elapsed().as_secs_f64());
        }
    }
    bench.look_for_secrets("at the end");
    bench.must(Purpose::TakeBack, "at the end");
    // Nothing is left of any of it: they migrate as if nothing had been.
    bench.must(Purpose::Prove, "at the end");
    assert_eq!(bench.whole("at the end"), vec![Side::Smso; usize::from(lab::RIGS)]);
    println!("seed {seed}: {kills} kills in {:.0} s\n{tally}", begun.elapsed().as_secs_f64());
}

/// What the other tests of this program start as a process of its own, with a state folder of its own, to look at the devices; by
/// itself it has nothing to look at.
#[test]
fn the_devices_are_looked_at_by_a_process_of_its_own() {
    if let Some(folder) = std::env::var_os(devices::FOLDER) {
        devices::look(folder.as_ref());
    }
}

/// This program again, to look.
fn looking() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
    command.args(["the_devices_are_looked_at_by_a_process_of_its_own", "--exact", "--nocapture"]);
    command
}
