//! What a simulated rig weighs: so many rigs of five devices in one process, on real sockets and pseudo-terminals, each device
//! answering one read over its own link.
//!
//! `cargo bench -p lab-tests --bench thousand_rigs [-- RIGS]`; it prints figures, and fails when a device does not answer or the
//! process needs 2 GiB. A rig takes about a dozen file handles and two pseudo-terminals: `ulimit -n` and
//! `/proc/sys/kernel/pty/max` (4096 by default) must allow for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use device_sim::{Estate, SimClock};
use harness::driver::{Client, RigLinks, rig};
use harness::link::NoTap;
use lab_config::{DeviceKind, Document, Function, Lab, Path, Profile, Rig, RigDevice};
use lab_tests::devices::embedded_lab;
use lab_tests::town::Town;
use proto_dlms::data::AttributeRef;
use proto_zigbee::basic;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

const RIGS: usize = 1_000;
const LIMIT_KIB: u64 = 2 * 1024 * 1024;
/// Rigs asked at a time.
const AT_A_TIME: usize = 32;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rigs = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(RIGS);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(rigs))
}

async fn measure(rigs: usize) -> Result<(), Box<dyn std::error::Error>> {
    let lab = Lab::parse(&Document::new(
        "many.toml",
        Town::of(&embedded_lab()?)?.text(u16::try_from(rigs)?, |_, rig| rig),
    ))?;
    let alone = resident_kib()?;
    let begun = Instant::now();
    let estate = Estate::start(&lab, SimClock::real(), 1).await?;
    println!(
        "{rigs} rigs of 5 devices, each with a month behind it, started in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let started = resident_kib()?;
    println!("resident: {} MiB, {} KiB a rig", started / 1024, (started - alone) / rigs as u64);
    println!("file handles: {}", std::fs::read_dir("/proc/self/fd")?.count());
    let begun = Instant::now();
    let answers = ask_all(estate.concrete(lab)).await?;
    println!("{answers} devices answered a read each in {:.1} s", begun.elapsed().as_secs_f64());
    let asked = resident_kib()?;
    println!("resident after that, clients and all: {} MiB", asked / 1024);
    estate.stop().await;
    if answers != rigs * 5 || asked >= LIMIT_KIB {
        return Err(format!("{answers} answers of {}, {asked} KiB of {LIMIT_KIB}", rigs * 5).into());
    }
    Ok(())
}

async fn ask_all(lab: Lab) -> Result<usize, Box<dyn std::error::Error>> {
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut asking = JoinSet::new();
    for rig in lab.rigs {
        let room = room.clone();
        asking.spawn(async move {
            let _turn = room.acquire().await.map_err(|error| error.to_string())?;
            ask(Arc::new(rig)).await.map_err(|error| error.to_string())
        });
    }
    let mut answers = 0;
    while let Some(asked) = asking.join_next().await {
        answers += asked??;
    }
    Ok(answers)
}

/// One read of every device of a rig, each over a link that leads to it; how many answered.
async fn ask(rig: Arc<Rig>) -> Result<usize, Box<dyn std::error::Error>> {
    let (sender, _pushes) = mpsc::channel(64);
    let chf = rig.device(DeviceKind::Chf).ok_or("a hub")?;
    let hub = rig::connect_hub(&rig, chf, Arc::new(NoTap), sender).await?;
    let links = RigLinks::new(rig.clone(), Some(hub), Arc::new(NoTap));
    let mut answers = 0;
    for device in rig.devices() {
        let asked = tokio::time::timeout(Duration::from_secs(60), firmware(&links, device)).await;
        let said = asked.map_err(|_| format!("{} {}: no answer in a minute", rig.name, device.kind))??;
        let right = said == device.model.identity.firmware_version.as_str();
        answers += usize::from(right);
    }
    Ok(answers)
}

async fn firmware(links: &RigLinks, device: &RigDevice) -> Result<String, Box<dyn std::error::Error>> {
    let Profile::Dlms(profile) = &device.model.profile else {
        let records = links.zcl(device).await?.read_basic(&[basic::SOFTWARE_BUILD]).await?;
        let record = records.into_iter().next().ok_or("a record")?;
        return Ok(record
            .value
            .map_err(|status| format!("{status:?}"))?
            .as_text()
            .unwrap_or_default()
            .to_owned());
    };
    let object = profile.object(Function::FirmwareVersion).ok_or("a firmware version")?;
    let attribute = AttributeRef { class: object.class, obis: object.obis, attribute: 2 };
    // The gas meter sleeps on the home area network; its local port is always open.
    let path = if device.kind == DeviceKind::Gsme { Path::Local } else { Path::Wan };
    let mut session = links.open(device, path, Client::Management).await?;
    let data = session.get(attribute, None).await?;
    session.close().await;
    Ok(String::from_utf8_lossy(data.as_octets().unwrap_or_default()).into_owned())
}

fn resident_kib() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("a VmRSS line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
