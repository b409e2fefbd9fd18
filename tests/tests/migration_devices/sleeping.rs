//! Gas meters that sleep when they are to be contacted: an S1SP that waits for them changes their credential once they wake, and
//! takes one that never wakes for gas that fails on the home area network.

use harness::migration::party::{Contacts, DeviceReport};
use harness::s1sp::S1spAlertMessage;
use lab_config::DeviceKind::Gsme;
use lab_config::Path;
use lab_tests::devices::with_gas_that_wakes;

use super::bench::{Bench, Dco, Running, SOON};

const NEVER: &str = "GSME: asleep";

/// The next words of the S1SP, which somebody reads at a screen.
async fn told(running: &mut Running) -> String {
    loop {
        let next = tokio::time::timeout(SOON * 2, running.outbox.recv()).await.expect("words in time");
        if let Some(S1spAlertMessage::Progress(words)) = next {
            return words;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_sleeps_is_waited_for_and_has_a_new_credential_once_somebody_wakes_it() {
    let bench = Bench::start().await;
    bench.hand(Gsme).arm(&NEVER.parse().expect("a fault")).expect("a fault of a gas meter");
    let mut running = bench.s1sp_that_waits();
    let known = bench.known().await;
    let dco = Dco::of(&known);
    let s1sp = running.s1sp.clone();
    let contact = Contacts::contact(&*s1sp, &known.common, &known.for_s1sp, &dco);
    let waking = async {
        let words = told(&mut running).await;
        assert!(words.contains("GSME") && words.contains("is waited for until"), "{words}");
        bench.hand(Gsme).clear_faults();
        bench.by_smso(Gsme, Path::Local).await.expect("nothing is changed yet").close().await;
    };
    let (report, ()) = tokio::join!(contact, waking);
    let DeviceReport::Contacted { said } = &report.devices[&bench.device(Gsme).eui64] else {
        panic!("{}", report.said())
    };
    assert!(said.contains("has a new credential"), "{said}");
    let error = bench.by_smso(Gsme, Path::Local).await.expect_err("the old password at the local port");
    assert!(error.is_wrong_credential(), "{error}");
    running.opens(bench.device(Gsme), Path::Local).await.close().await;
    Contacts::give_back(&*running.s1sp, bench.installation()).await.expect("it is awake still");
    bench.assert_smso(true, "given back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_wake_when_it_should_stays_behind_and_electricity_goes_on() {
    // Longer than one look at a device takes, and no longer than a test may.
    const EVERY: u16 = 21;
    let folder = tempfile::tempdir().expect("a folder");
    const MODEL: &str = "\"shipped:gsme-lab-g4.toml\"";
    let changed = with_gas_that_wakes(folder.path(), EVERY, MODEL.to_owned()).expect("a gas meter");
    let bench = Bench::changed_in(folder, "embedded.toml", "rig-1", &[(MODEL, &changed)]).await;
    bench.hand(Gsme).arm(&NEVER.parse().expect("a fault")).expect("a fault of a gas meter");
    let running = bench.s1sp_that_waits();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    assert!(report.without().contains(&bench.device(Gsme).eui64), "{}", report.said());
    assert!(
        report.said().contains("GT01") && report.said().contains("until it should have woken"),
        "{}",
        report.said()
    );
    bench.by_smso(Gsme, Path::Local).await.expect("untouched").close().await;
}
