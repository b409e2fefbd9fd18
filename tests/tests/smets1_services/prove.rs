//! Proving the rig (A4): what is as it should be, and what differs, in words.

use std::time::{Duration, Instant};

use harness::driver::prove;
use lab_config::{DeviceKind, Path};

use super::bench::devices;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_embedded_rig_is_proved_on_every_path() {
    let (links, _pushes, estate, _) = devices().await;
    let proof = prove::prove(&links, LIMIT).await;
    assert!(proof.holds(), "{:#?}", proof.differences().collect::<Vec<_>>());
    let paths: Vec<_> = proof.devices.iter().map(|found| (found.kind, found.path)).collect();
    assert!(paths.contains(&(DeviceKind::Esme, Path::Optical)), "{paths:?}");
    assert!(paths.contains(&(DeviceKind::Gsme, Path::Local)), "{paths:?}");
    estate.stop().await;
}

#[tokio::test]
async fn a_wrong_firmware_clock_or_password_is_a_difference_on_the_device_that_has_it() {
    let (links, _pushes, estate, _) = devices().await;
    let hand = |kind| estate.hand("rig-1", kind).expect("a device");
    hand(DeviceKind::Esme).set_firmware("P4X2G05");
    hand(DeviceKind::Gpf).jump_clock(-3_600_000).expect("a clock");
    hand(DeviceKind::Chf).change_password(b"other-pw").expect("passwords");
    let proof = prove::prove(&links, LIMIT).await;
    let differences: Vec<String> = proof.differences().collect();
    let has = |parts: &[&str]| differences.iter().any(|words| parts.iter().all(|part| words.contains(part)));
    assert!(has(&["ESME", "wan", "expected P4X2G04, found P4X2G05"]), "{differences:#?}");
    assert!(has(&["ESME", "optical", "found P4X2G05"]), "{differences:#?}");
    assert!(has(&["GPF", "clock", "behind"]), "{differences:#?}");
    assert!(has(&["CHF", "password"]), "{differences:#?}");
    assert!(!has(&["GSME"]) && !has(&["PPMID"]), "{differences:#?}");
    estate.stop().await;
}

#[tokio::test]
async fn pulled_links_and_silent_devices_are_differences_in_time() {
    let (links, _pushes, estate, _) = devices().await;
    let hand = |kind| estate.hand("rig-1", kind).expect("a device");
    hand(DeviceKind::Esme).pull_link(Path::Optical).expect("a link");
    hand(DeviceKind::Ppmid).silence(true);
    let begun = Instant::now();
    let proof = prove::prove(&links, LIMIT).await;
    let differences: Vec<String> = proof.differences().collect();
    assert!(differences.iter().any(|words| words.contains("ESME") && words.contains("optical")));
    assert!(differences.iter().any(|words| words.contains("PPMID")), "{differences:#?}");
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
    estate.stop().await;
}
