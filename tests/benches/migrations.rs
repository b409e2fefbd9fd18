//! A batch of migrations: how many a minute, and what migration control weighs by itself, as the number of installations grows.
//!
//! `cargo bench -p lab-tests --bench migrations [-- INSTALLATIONS...]`; it prints figures, and fails when an installation does
//! not migrate. The devices are simulated in this process, `harness migrate --all` is a process of its own, and nothing but
//! sockets and pseudo-terminals connects the two. An installation takes about a dozen file handles and two pseudo-terminals:
//! `ulimit -n` and `/proc/sys/kernel/pty/max` (4096 by default) must allow for them.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use device_sim::{Estate, SimClock};
use lab_config::Lab;
use lab_tests::devices::{embedded_lab, with_wakeful_gas};
use lab_tests::town::Town;
use lab_tests::{harness, run_folders};

/// Installations, where the command line names none.
const INSTALLATIONS: [u16; 3] = [100, 300, 1_000];
/// How often the weight of the program is looked at.
const LOOK: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let named: Vec<u16> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let wanted = if named.is_empty() { INSTALLATIONS.to_vec() } else { named };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("installations  seconds  a minute  peak of control MiB  peak of devices so far MiB");
    wanted.into_iter().try_for_each(|installations| runtime.block_on(measure(installations)))
}

async fn measure(installations: u16) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let town = town(folder.path())?;
    let simulated = write(folder.path(), "simulated.toml", &town.text(installations, |_, rig| rig))?;
    let estate = Estate::start(&simulated, SimClock::real(), 1).await?;
    write(folder.path(), "lab.toml", &town.leading_to(installations, estate.endpoints()))?;
    let mut command = harness()?;
    command.args(["migrate", "--all", "--lab"]).arg(folder.path().join("lab.toml"));
    command.env("HARNESS_STATE", folder.path().join("state")).arg("--runs").arg(folder.path().join("runs"));
    let begun = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
    let (migrated, peak) = tokio::task::spawn_blocking(move || weighed(child)).await??;
    let took = begun.elapsed().as_secs_f64();
    estate.stop().await;
    if !migrated {
        return Err(format!(
            "of {installations} installations not all migrated: {:?}",
            run_folders(folder.path())
        )
        .into());
    }
    let (rate, devices) = (f64::from(installations) / took * 60.0, peak_kib("self")?.unwrap_or_default());
    println!("{installations:13}  {took:7.1}  {rate:8.0}  {:19}  {:27}", peak / 1024, devices / 1024);
    Ok(())
}

/// The embedded lab in pieces, with secrets that two processes can share.
fn town(folder: &Path) -> Result<Town, String> {
    let text = with_wakeful_gas(folder, embedded_lab()?)?;
    let text = text.replace("password = { generated = true }", "password = { file = \"password\" }");
    let text = text.replace("vending-key = { generated = true }", "vending-key = { file = \"vending\" }");
    for (name, secret) in [("password", "48151623"), ("vending", "0123456789abcdef0123456789abcdef")] {
        fs::write(folder.join(name), secret).map_err(|e| format!("{name}: {e}"))?;
    }
    Town::of(&text)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<Lab, Box<dyn std::error::Error>> {
    fs::write(folder.join(name), text)?;
    Ok(Lab::load(&folder.join(name))?)
}

/// Waits for a program's end: whether it ended well, and the most memory it ever had, in KiB, as far as it was looked at.
fn weighed(mut child: Child) -> std::io::Result<(bool, u64)> {
    let (mut peak, process) = (0, child.id().to_string());
    // Nobody ever sends: this is how long to wait between two looks.
    let (_open, never) = std::sync::mpsc::sync_channel::<()>(0);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status.success(), peak));
        }
        peak = peak_kib(&process)?.unwrap_or_default().max(peak);
        let _ = never.recv_timeout(LOOK);
    }
}

/// The most memory a process ever had, in KiB; none of one that has ended.
fn peak_kib(process: &str) -> std::io::Result<Option<u64>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()))
}
