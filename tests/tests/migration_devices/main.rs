//! What a migration does at the devices, on their real sockets and pseudo-terminals: device contact with the secrets handed
//! over, keys changed and given back, gas left behind, devices prepared; and no secret anywhere that is written.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

mod bench;
mod controller;
mod failing;
mod killed;
mod prepared;
mod secrecy;
mod sleeping;

use harness::driver::values;
use harness::link::NoTap;
use harness::migration::party::{Contacts, DeviceReport, Smso};
use harness::s1sp::SecretStore;
use jiff::Timestamp;
use lab_config::DeviceKind::{self, Chf, Esme, Gpf, Ppmid};
use lab_config::{Function, Lab, Path};
use lab_tests::repository;

use bench::{Bench, Running};

/// What a device says of itself at its own port, to whoever has the S1SP's credential.
async fn assert_as_declared(bench: &Bench, running: &Running, kind: DeviceKind, path: Path) {
    let device = bench.device(kind).clone();
    let profile = device.model.profile.dlms().expect("a DLMS device").clone();
    let mut session = running.opens(&device, path).await;
    let expected = [
        (Function::FirmwareVersion, device.model.identity.firmware_version.to_string()),
        (Function::ConfigurationVersion, device.model.identity.configuration_version.to_string()),
    ];
    for (function, expected) in expected {
        let object = profile.object(function).expect("an object");
        let said = session.get(object.attribute(), None).await.expect("an answer");
        assert_eq!(values::text(said.as_octets().expect("a text")), expected, "{kind} {function}");
    }
    let clock = profile.object(Function::Clock).expect("a clock").attribute();
    let shown = session.get(clock, None).await.expect("a time").as_date_time().expect("a time");
    let sign = profile.deviation.map(|fact| fact.value);
    let sign = match sign {
        Some(lab_config::DeviationSign::Inverted) => proto_dlms::data::DeviationSign::Inverted,
        _ => proto_dlms::data::DeviationSign::Standard,
    };
    let shown = values::utc(shown, sign).expect("a time");
    assert!(Timestamp::now().duration_since(shown).abs().as_secs() < 10, "{kind}: {shown}");
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_contact_the_new_credentials_answer_and_the_old_are_refused_and_give_back_turns_it_round() {
    let bench = Bench::start().await;
    let running = bench.s1sp();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none() && report.without().is_empty(), "{}", report.said());
    assert_eq!(report.devices.len(), bench.rig.devices().count());
    for kind in [Chf, Gpf, Esme] {
        let error = bench.by_smso(kind, Path::Wan).await.expect_err("the old password");
        assert!(error.is_wrong_credential(), "{kind}: {error}");
        running.opens(bench.device(kind), Path::Wan).await.close().await;
    }
    let DeviceReport::Contacted { said } = &report.devices[&bench.device(Esme).eui64] else {
        panic!("{report:?}")
    };
    assert!(said.contains("refuses the one before") && said.contains("P4X2G04"), "{said}");
    let error = bench.by_smso(Esme, Path::Optical).await.expect_err("the old password at the optical port");
    assert!(error.is_wrong_credential(), "{error}");
    assert_as_declared(&bench, &running, Esme, Path::Optical).await;
    assert!(bench.smso.reach(bench.installation()).await.is_err(), "the SMSO is out");

    let given =
        Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("every device answers");
    assert!(given.contains("have their credentials back"), "{given}");
    bench.assert_smso(true, "given back").await;
    let reached = bench.smso.reach(bench.installation()).await.expect("the SMSO is in");
    assert!(reached.contains("ESME answers"), "{reached}");
    assert!(!running.links.keyring().changed(bench.device(Esme).eui64, lab_config::ClientSap::MANAGEMENT));
}

/// A device reports who it refuses; what the S1SP tried itself, to see it refused, is no news to anybody.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_s1sp_tries_itself_is_reported_to_nobody() {
    let bench = Bench::start().await;
    let mut running = bench.s1sp();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    bench.hand(Esme).tamper().expect("a cover");
    let mut next = async || {
        let alert = tokio::time::timeout(bench::SOON, running.outbox.recv()).await;
        format!("{:?}", alert.expect("an alert in time").expect("the S1SP runs"))
    };
    let first = next().await;
    assert!(first.contains("8F3F"), "the tamper comes first: {first}");
    drop(bench.by_smso(Esme, Path::Wan).await.expect_err("the old password"));
    assert!(next().await.contains("8F3E"), "somebody else's attempt is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_suite_0_are_changed_with_the_dual_control_organisation_and_given_back() {
    let bench = Bench::changed("cohorts.toml", "moc-secure", &[]).await;
    let running = bench.s1sp();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    let error = bench.by_smso(Esme, Path::Wan).await.expect_err("the old keys");
    assert!(error.is_wrong_credential() && error.to_string().contains("keys"), "{error}");
    running.opens(bench.device(Esme), Path::Wan).await.close().await;
    let error = bench.by_smso(Esme, Path::Optical).await.expect_err("the old keys at the optical port");
    assert!(error.is_wrong_credential(), "{error}");
    assert_as_declared(&bench, &running, Esme, Path::Optical).await;

    // The way back needs nobody who has the master key, and a new S1SP finds it in the store.
    drop(running);
    let again = bench.s1sp();
    Contacts::give_back(&*again.s1sp, bench.installation()).await.expect("every device answers");
    bench.assert_smso(true, "given back").await;
    // Back and forth once more: no key is used twice.
    let report = bench.contacted(&again).await;
    assert!(report.failure().is_none(), "{}", report.said());
    again.opens(bench.device(Esme), Path::Wan).await.close().await;
    Contacts::give_back(&*again.s1sp, bench.installation()).await.expect("every device answers");
    bench.assert_smso(true, "given back again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cohort_is_contacted_and_given_back() {
    for rig in ["ioc-secure", "ioc-aclara", "moc-mds", "foc"] {
        let bench = Bench::changed("cohorts.toml", rig, &[]).await;
        let running = bench.s1sp();
        let report = bench.contacted(&running).await;
        assert!(report.failure().is_none() && report.without().is_empty(), "{rig}: {}", report.said());
        assert_as_declared(&bench, &running, Esme, Path::Optical).await;
        let error = bench.by_smso(Esme, Path::Wan).await.expect_err("the old password");
        assert!(error.is_wrong_credential(), "{rig}: {error}");
        Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("every device answers");
        bench.assert_smso(true, rig).await;
    }
}

/// Devices simulated inside the process die with it: their credentials are changed without anything being written.
#[tokio::test(flavor = "multi_thread")]
async fn generated_credentials_are_changed_in_memory_and_others_only_where_they_can_be_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = Lab::load(&repository().join("lab-config/labs/embedded.toml")).expect("a lab");
    let clock = device_sim::SimClock::real();
    let bench = Bench::of(lab, "rig-1", folder, clock, NoTap::shared()).await;
    let running = bench.s1sp();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    assert!(bench.by_smso(Esme, Path::Wan).await.is_err());
    assert!(!bench.folder.path().join("state").exists(), "nothing is written");
    Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("every device answers");

    let bench = Bench::start().await;
    let running = bench.s1sp_with(SecretStore::passing());
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none() && report.said().contains("HARNESS_STATE"), "{}", report.said());
    bench.assert_smso(true, "nothing could be kept, so nothing was changed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_has_no_credential_and_keeps_what_it_has() {
    let bench = Bench::start().await;
    let report = bench.contacted(&bench.s1sp()).await;
    let DeviceReport::Contacted { said } = &report.devices[&bench.device(Ppmid).eui64] else {
        panic!("{report:?}")
    };
    assert!(said.starts_with("answers, firmware"), "{said}");
}
