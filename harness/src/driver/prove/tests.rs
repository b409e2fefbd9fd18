use std::sync::Arc;

use lab_config::Lab;

use super::*;
use crate::link::NoTap;

fn rig() -> Rig {
    Lab::embedded().unwrap().rig("rig-1").unwrap().clone()
}

fn found(kind: DeviceKind) -> (Rig, DeviceFound) {
    let rig = rig();
    let found = DeviceFound::of(rig.device(kind).unwrap(), Path::Wan);
    (rig, found)
}

#[test]
fn what_a_device_says_is_held_against_its_model() {
    let (rig, mut found) = found(DeviceKind::Esme);
    let device = rig.device(DeviceKind::Esme).unwrap();
    found.compare(device, Function::FirmwareVersion, "P4X2G04".into());
    found.compare(device, Function::Identity, device.eui64.to_string());
    assert!(found.differences.is_empty());
    found.compare(device, Function::FirmwareVersion, "P4X2G05".into());
    assert_eq!(found.differences.len(), 1);
    assert_eq!(found.differences[0].to_string(), "firmware-version: expected P4X2G04, found P4X2G05");
    assert_eq!(found.said(Function::FirmwareVersion), Some("P4X2G04"));
}

#[test]
fn an_identity_may_be_octets_or_digits() {
    let eui64 = rig().device(DeviceKind::Esme).unwrap().eui64;
    assert!(names(&eui64.to_string().to_lowercase(), eui64));
    assert!(names(&eui64.to_string().replace('-', ""), eui64));
    assert!(!names("00-DB-12-34-56-78-90-FF", eui64));
}

#[test]
fn a_clock_is_sane_within_the_tolerance() {
    let (_, mut found) = found(DeviceKind::Esme);
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    found.compare_clock(Some("2026-11-21T12:00:09Z".parse().unwrap()), now);
    assert!(found.differences.is_empty());
    found.compare_clock(Some("2026-11-21T11:58:00Z".parse().unwrap()), now);
    assert!(found.differences[0].found.contains("120 s behind"), "{:?}", found.differences);
    found.compare_clock(None, now);
    assert!(found.differences[1].expected.contains("a time"), "{:?}", found.differences);
}

#[tokio::test]
async fn a_rig_nobody_started_is_all_differences_and_no_wait() {
    let links = RigLinks::new(Arc::new(rig()), None, NoTap::shared());
    let begun = Instant::now();
    let proof = prove(&links, Duration::from_secs(60)).await;
    assert!(!proof.holds());
    let differences: Vec<String> = proof.differences().collect();
    assert_eq!(differences.len(), proof.devices.len(), "{differences:#?}");
    assert!(differences.iter().any(|words| words.contains("ESME") && words.contains("optical")));
    assert!(begun.elapsed() < Duration::from_secs(5));
}
