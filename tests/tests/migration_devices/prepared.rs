//! Dormant devices brought to the firmware and configuration of their Device Model before they are migrated.

use std::time::Duration;

use harness::driver::prove;
use harness::migration::Code;
use harness::migration::party::{Contacts, Smso};
use lab_config::DeviceKind::{Chf, Esme};
use lab_config::{Function, Path};

use super::bench::Bench;

/// The embedded lab with a meter and a hub of older firmware and configuration, which start over quickly.
fn older() -> [(&'static str, &'static str); 2] {
    [
        (
            "kind = \"ESME\"",
            "kind = \"ESME\"\nas-found = { firmware-version = \"P4X2G01\", configuration-version = \"ESME-IOC-0\" }",
        ),
        ("kind = \"CHF\"", "kind = \"CHF\"\nas-found = { configuration-version = \"CHF-IOC-0\" }"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn older_devices_are_refused_until_their_smso_has_prepared_them() {
    let bench = Bench::changed("embedded.toml", "rig-1", &older()).await;
    let running = bench.s1sp();
    let proof = prove::prove(&running.links, Duration::from_secs(60)).await;
    assert!(proof.holds(), "found as declared: {:#?}", proof.differences().collect::<Vec<_>>());
    let remarks: Vec<&String> = proof.devices.iter().flat_map(|device| &device.remarks).collect();
    assert!(
        remarks
            .iter()
            .any(|words| words.contains("P4X2G01") && words.contains("as the lab file has it found"))
    );

    let report = bench.contacted(&running).await;
    let (_, refused) = report.failure().unwrap_or_else(|| panic!("{}", report.said()));
    assert!(matches!(refused.code, Code::Firmware | Code::Configuration), "{refused}");

    let done = bench.smso.prepare(bench.installation()).await.unwrap_or_else(|refused| panic!("{refused}"));
    for words in
        ["CHF has configuration CHF-IOC-1", "ESME has firmware P4X2G04", "ESME has configuration ESME-IOC-1"]
    {
        assert!(done.contains(words), "{done}");
    }
    let mut session = bench.by_smso(Esme, Path::Optical).await.expect("the SMSO is in");
    let profile = bench.device(Esme).model.profile.dlms().expect("a DLMS meter").clone();
    for (function, expected) in [
        (Function::FirmwareVersion, "P4X2G04"),
        (Function::ConfigurationVersion, "ESME-IOC-1"),
        (Function::SupplierName, "Migrating"),
    ] {
        let object = profile.object(function).expect("an object");
        let said = session.get(object.attribute(), None).await.expect("an answer");
        assert_eq!(said.as_octets(), Some(expected.as_bytes()), "{function}");
    }
    session.close().await;
    let again = bench.smso.prepare(bench.installation()).await.expect("nothing to do");
    assert_eq!(again, "nothing to prepare");
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("every device answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_takes_no_image_is_named_and_keeps_what_it_runs() {
    let bench = Bench::changed("embedded.toml", "rig-1", &older()).await;
    bench.hand(Esme).arm(&"ESME: bad-firmware".parse().expect("a fault")).expect("a fault of a meter");
    let refused = bench.smso.prepare(bench.installation()).await.expect_err("the image does not verify");
    assert_eq!(refused.code, Code::Firmware);
    assert!(refused.reason.contains("ESME") && refused.reason.contains("P4X2G04"), "{refused}");
    assert_eq!(bench.hand(Esme).state().firmware, "P4X2G01");
    bench.hand(Chf).pull_link(Path::Wan).expect("a link");
    let refused = bench.smso.prepare(bench.installation()).await.expect_err("no hub");
    assert_eq!(refused.code, Code::NoWanBefore, "{refused}");
}
