//! The controller killed by SIGKILL over and over, in the middle of whatever it is at: its evidence verifies, no record that
//! anybody had been told of is missing, changed or doubled, and what was begun or promised is gone on with to its end.
//!
//! `run` kills `harness run` and `harness run --resume`, `serve` kills `harness serve` while a scheduler and an engineer call it.
//! The devices live in a process of their own, and so does whoever follows the records. A kill comes at a moment of the run's
//! life, or right behind a record that was read, or (where `strace` is there to bring it) at a system call: within the writing
//! of a record, a blob, a checkpoint, between a sync and what follows it, while a torn end is cut off.
//!
//! `LAB_CRASH_KILLS=1000` kills a thousand times, three in four of `harness run`; `LAB_CRASH_LANES` at so many benches side by
//! side; `LAB_CRASH_SEED` at other moments.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing test's panic is its message; figures are printed"
)]

mod death;
mod run;
mod serve;
mod told;

/// Kills in a usual run of the tests; the figure is for a debug build on a busy machine.
const KILLS: u64 = 12;

/// Chance that comes out the same each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % count.max(1)
    }

    /// One of these.
    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).expect("a place")]
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

/// Has each lane do its share of the kills, side by side, with chance of its own; what they did in sum.
fn in_lanes<T: Send>(kills: u64, lane: impl Fn(u64, Chance) -> T + Sync) -> Vec<T> {
    let lanes = number("LAB_CRASH_LANES", 1).clamp(1, 16);
    let seed = number("LAB_CRASH_SEED", 20);
    std::thread::scope(|scope| {
        let begin = |n| {
            let share = kills / lanes + u64::from(n < kills % lanes);
            let lane = &lane;
            scope.spawn(move || lane(share, Chance(seed.wrapping_add(n << 32))))
        };
        let begun: Vec<_> = (0..lanes).map(begin).collect();
        begun.into_iter().map(|lane| lane.join().expect("a lane")).collect()
    })
}
