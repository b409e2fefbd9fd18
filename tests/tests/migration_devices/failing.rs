//! Where contact ends before it is done: gas left behind, a wrong secret, a device that is not what was declared, a device
//! that dies half way, a Dual Control Organisation that does not lend its half.

use harness::migration::Code;
use harness::migration::party::{Contacts, DeviceReport};
use lab_config::DeviceKind::{self, Chf, Esme, Gpf, Gsme, Ppmid};
use lab_config::{ClientSap, Eui64, Path};
use proto_migration::{Secret, Secrets};

use super::bench::{Bench, Dco};

/// The same secrets with another one for a device.
fn spoilt(secrets: &Secrets, device: Eui64) -> Secrets {
    let mut secrets = secrets.clone();
    let of = secrets.of.iter_mut().filter(|(id, client, ..)| *id == device && client.is_some());
    of.for_each(|(.., secret)| *secret = Secret::new(vec![b'x'; secret.expose().len()]));
    secrets
}

fn code(report: &harness::migration::party::ContactReport) -> Option<(Eui64, Code)> {
    report.failure().map(|(device, refused)| (device, refused.code))
}

#[tokio::test(flavor = "multi_thread")]
async fn gas_that_fails_on_the_home_area_network_stays_behind_untouched() {
    let bench = Bench::start().await;
    bench.hand(Gpf).silence(true);
    let running = bench.s1sp();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    let mut without = report.without();
    without.sort();
    let mut gas = vec![bench.device(Gpf).eui64, bench.device(Gsme).eui64];
    gas.sort();
    assert_eq!(without, gas, "{}", report.said());
    assert!(report.said().contains("GT01"), "{}", report.said());
    assert!(bench.by_smso(Esme, Path::Wan).await.is_err(), "electricity goes on");
    bench.hand(Gpf).silence(false);
    for (kind, path) in [(Gpf, Path::Wan), (Gsme, Path::Local)] {
        bench.by_smso(kind, path).await.expect("untouched").close().await;
    }
    Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("every device answers");
    bench.assert_smso(true, "given back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_wrong_or_missing_stops_it_before_anything_is_changed() {
    let bench = Bench::start().await;
    let running = bench.s1sp();
    let known = bench.known().await;
    let esme = bench.device(Esme).eui64;
    let wrong = spoilt(&known.for_s1sp, esme);
    let report = running.contact(&known.common, &wrong, &Dco::of(&known)).await;
    assert_eq!(code(&report), Some((esme, Code::DeviceRefused)), "{}", report.said());
    assert!(!report.said().contains("xxxx"), "{}", report.said());

    let mut missing = known.for_s1sp.clone();
    missing.of.retain(|(id, ..)| *id != esme);
    let refused = running.s1sp.viable(&known.common, &missing).expect_err("a secret is missing");
    assert_eq!(refused.code, Code::KeysMissing);
    assert!(refused.reason.contains("ESME"), "{refused}");
    let report = running.contact(&known.common, &missing, &Dco::of(&known)).await;
    assert_eq!(code(&report), Some((esme, Code::KeysMissing)), "{}", report.said());
    running.s1sp.viable(&known.common, &known.for_s1sp).expect("all are there");
    bench.assert_smso(true, "nothing was changed").await;
    assert!(!running.links.keyring().changed(esme, ClientSap::MANAGEMENT));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_declared_is_named_by_its_check() {
    let bench = Bench::start().await;
    let running = bench.s1sp();
    let known = bench.known().await;
    let contact = async |kind: DeviceKind| {
        let report = running.contact(&known.common, &known.for_s1sp, &Dco::of(&known)).await;
        let (device, refused) = report.failure().unwrap_or_else(|| panic!("{}", report.said()));
        assert_eq!(device, bench.device(kind).eui64);
        (refused.code, refused.reason.clone())
    };
    bench.hand(Esme).set_firmware("P4X2G03");
    let (code, reason) = contact(Esme).await;
    assert!(
        code == Code::Firmware && reason.contains("declared P4X2G04, the device says P4X2G03"),
        "{reason}"
    );
    bench.hand(Esme).set_firmware("P4X2G04");
    bench.hand(Gpf).jump_clock(-3_600_000).expect("a clock");
    let (code, reason) = contact(Gpf).await;
    assert!(code == Code::Clock && reason.contains("behind"), "{reason}");
    bench.hand(Gpf).jump_clock(3_600_000).expect("a clock");
    bench.hand(Ppmid).silence(true);
    assert_eq!(contact(Ppmid).await.0, Code::Han);
    bench.hand(Ppmid).silence(false);
    let mut other = known.common.clone();
    other.devices.iter_mut().for_each(|device| {
        if device.kind == Chf {
            device.configuration = "CHF-IOC-9".parse().expect("a text");
        }
    });
    let report = running.contact(&other, &known.for_s1sp, &Dco::of(&known)).await;
    assert_eq!(report.failure().map(|(_, refused)| refused.code), Some(Code::Configuration));
    bench.assert_smso(true, "nothing was changed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_wide_area_network_nobody_is_asked() {
    let bench = Bench::start().await;
    let running = bench.s1sp();
    let known = bench.known().await;
    bench.hand(Chf).pull_link(Path::Wan).expect("a link");
    let report = running.contact(&known.common, &known.for_s1sp, &Dco::of(&known)).await;
    let all = |found: &DeviceReport| matches!(found, DeviceReport::Failed(refused) if refused.code == Code::NoWanBefore);
    assert!(report.devices.values().all(all), "{}", report.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_dies_half_way_is_given_back_once_it_lives_again() {
    let bench = Bench::start().await;
    let running = bench.s1sp();
    let esme = bench.device(Esme).eui64;
    // It takes its new password and says nothing any more.
    let placed = "ESME: silence when asked 0-0:40.0.0".parse().expect("a fault");
    bench.hand(Esme).arm(&placed).expect("a fault");
    let report = bench.contacted(&running).await;
    let (device, refused) = report.failure().unwrap_or_else(|| panic!("{}", report.said()));
    assert_eq!((device, refused.code), (esme, Code::NoWanWhile), "{refused}");
    let stuck = Contacts::give_back(&*running.s1sp, bench.installation()).await.expect_err("it is dead");
    assert!(stuck.contains("ESME") && !stuck.contains("CHF"), "{stuck}");
    bench.by_smso(Chf, Path::Wan).await.expect("those that live are back").close().await;

    bench.hand(Esme).clear_faults();
    let given = Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("it lives");
    assert!(given.starts_with('1'), "{given}");
    bench.assert_smso(true, "given back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_dual_control_organisation_keys_stay_as_they_are() {
    let bench = Bench::changed("cohorts.toml", "moc-secure", &[]).await;
    let running = bench.s1sp();
    let known = bench.known().await;
    assert!(known.for_s1sp.of.iter().all(|(_, _, kind, _)| *kind != proto_migration::SecretKind::MasterKey));
    assert!(known.for_dco.of.iter().all(|(_, _, kind, _)| *kind == proto_migration::SecretKind::MasterKey));
    let none = harness::migration::party::devices::NoKeyWrap;
    let report = running.contact(&known.common, &known.for_s1sp, &none).await;
    assert_eq!(code(&report), Some((bench.device(Esme).eui64, Code::KeysMissing)), "{}", report.said());
    Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("every device answers");
    bench.assert_smso(true, "given back").await;
}
