//! How fast time can go: a month of half hours for an installation of five devices, in one step, in minutes and in odd steps.
//!
//! `cargo bench -p lab-tests --bench month`; it prints figures and fails when the months differ.

use std::time::Instant;

use device_sim::home::Home;
use device_sim::model::time::{DAY, MINUTE, Moment};
use lab_config::Lab;

/// 2026-05-28T20:26:40Z.
const START: Moment = Moment::from_millis(1_780_000_000_000);
const MONTH: i64 = 31 * DAY;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lab = Lab::embedded()?;
    let rig = lab.rigs.first().ok_or("the embedded lab has a rig")?;
    let begun = Instant::now();
    let installed = Home::build(rig, START, 1)?;
    println!("installation with a month behind it: {:.3} s", begun.elapsed().as_secs_f64());
    drop(installed);
    let mut digests = Vec::new();
    for (what, step) in
        [("one step", MONTH), ("half hours", 30 * MINUTE), ("minutes", MINUTE), ("61.001 s", 61_001)]
    {
        let mut home = Home::build(rig, START, 1)?;
        let begun = Instant::now();
        let (mut at, end) = (START, START.plus(MONTH));
        while at < end {
            at = at.plus(step).min(end);
            home.advance(at);
        }
        println!("a month in {what}: {:.3} s", begun.elapsed().as_secs_f64());
        digests.push(home.digest());
    }
    if digests.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err(format!("the months differ: {digests:x?}").into());
    }
    println!("the same month each time: {:016x}", digests.first().copied().unwrap_or_default());
    Ok(())
}
