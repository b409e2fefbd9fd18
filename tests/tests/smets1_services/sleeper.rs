//! Requests to a gas meter that sleeps: done when it wakes; withdrawn, or said to be of unknown outcome, when nobody waits any
//! more; never done behind the back of who was told that they are not.
//!
//! The devices live by a clock that the test steps, so the meter wakes when the test says.

use std::sync::Arc;
use std::time::Duration;

use device_sim::{SimClock, Stepper};
use harness::s1sp::{OUTCOME_UNKNOWN, Unserved};
use jiff::{SignedDuration, Timestamp};
use lab_config::DeviceKind::{Chf, Esme, Gsme};
use lab_config::Lab;
use lab_tests::repository;
use proto_duis::Srv;
use tokio::time::{Instant, interval};

use super::bench::Bench;

/// How long anything may take that takes no time.
const SOON: Duration = Duration::from_secs(20);
/// How long the meter was installed, and is asleep again, when a test begins.
const SINCE_WAKE: SignedDuration = SignedDuration::from_secs(67);

/// The embedded lab's devices with their gas meter asleep, and what steps their clock.
async fn asleep(lab: Lab) -> (Arc<Bench>, Stepper) {
    // The meter wakes at every full half hour, or at every ten seconds, by the devices' clock.
    let half_hour = Timestamp::now().as_second().div_euclid(1800) * 1800;
    let (clock, stepper) = SimClock::stepped(Timestamp::from_second(half_hour).expect("a time"));
    let bench = Bench::start_with(lab, clock).await;
    stepper.advance(SINCE_WAKE);
    (Arc::new(bench), stepper)
}

/// The embedded lab with a gas meter that wakes every ten seconds, so that who waits for it gives up after that.
fn impatient_lab() -> Lab {
    let folder = tempfile::tempdir().expect("a folder");
    let read =
        |path: &str| std::fs::read_to_string(repository().join("lab-config").join(path)).expect("a file");
    let model = read("device-models/gsme-lab-g4.toml").replace("seconds = 1800", "seconds = 10");
    std::fs::write(folder.path().join("gsme.toml"), model).expect("written");
    let lab = read("labs/embedded.toml").replace("shipped:gsme-lab-g4.toml", "gsme.toml");
    // A device that is awake answers in a second.
    let lab = lab.replace("links.wan = \"sim:\"", "links.wan = \"sim:?response=1s\"");
    std::fs::write(folder.path().join("lab.toml"), lab).expect("written");
    Lab::load(&folder.path().join("lab.toml")).expect("a lab")
}

/// How many messages the hub holds.
fn held(bench: &Bench) -> usize {
    bench.hand(Chf).state().held_messages.expect("a hub")
}

async fn until_held(bench: &Bench, count: usize) {
    let (end, mut pace) = (Instant::now() + SOON, interval(Duration::from_millis(50)));
    while held(bench) != count {
        assert!(Instant::now() < end, "the hub does not hold {count} messages");
        pace.tick().await;
    }
}

fn to_the_next_wake(stepper: &Stepper) {
    stepper.advance(SignedDuration::from_mins(30) - SINCE_WAKE);
}

fn setting() -> [(&'static str, String); 2] {
    [("CurrentDateTime", Timestamp::now().to_string()), ("TolerancePeriod", "30".to_owned())]
}

async fn synchronise(bench: Arc<Bench>) -> Result<proto_duis::Smets1Response, Unserved> {
    let [time, tolerance] = setting();
    let fields = [(time.0, time.1.as_str()), (tolerance.0, tolerance.1.as_str())];
    bench.serve(Gsme, Srv::SynchroniseClock, &fields).await
}

fn adjustments(bench: &Bench) -> usize {
    bench.hand(Gsme).state().events.iter().filter(|event| event.contains("clock adjusted")).count()
}

#[tokio::test]
async fn a_change_is_done_when_the_meter_wakes_and_other_devices_do_not_wait_for_it() {
    let (bench, stepper) = asleep(Lab::embedded().expect("the embedded lab")).await;
    let change = tokio::spawn(synchronise(bench.clone()));
    until_held(&bench, 1).await;
    bench.ask(Esme, Srv::ReadMeterBalance, &[]).await;
    assert!(!change.is_finished() && adjustments(&bench) == 0);
    to_the_next_wake(&stepper);
    let answer = tokio::time::timeout(SOON, change).await.expect("in time").expect("it ran");
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(adjustments(&bench), 1);
}

#[tokio::test]
async fn a_second_request_waits_for_the_first() {
    let (bench, stepper) = asleep(Lab::embedded().expect("the embedded lab")).await;
    let first = tokio::spawn(synchronise(bench.clone()));
    until_held(&bench, 1).await;
    let second = tokio::spawn(synchronise(bench.clone()));
    // Another device has answered meanwhile: the second would have been at the hub by now.
    bench.ask(Esme, Srv::ReadMeterBalance, &[]).await;
    assert_eq!(held(&bench), 1, "one request at a time is under way to a device that sleeps");
    to_the_next_wake(&stepper);
    for request in [first, second] {
        let answer = tokio::time::timeout(SOON, request).await.expect("in time").expect("it ran");
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert_eq!(adjustments(&bench), 2);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_withdrawn_from_the_hub() {
    let (bench, stepper) = asleep(Lab::embedded().expect("the embedded lab")).await;
    let change = tokio::spawn(synchronise(bench.clone()));
    until_held(&bench, 1).await;
    change.abort();
    assert!(change.await.is_err());
    until_held(&bench, 0).await;
    to_the_next_wake(&stepper);
    let again = tokio::time::timeout(SOON, synchronise(bench.clone())).await.expect("in time");
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(adjustments(&bench), 1, "only the request somebody waited for");
    let mut bench = Arc::into_inner(bench).expect("nobody else has it");
    let alert = bench.s1sp_alert().await;
    assert_eq!(alert.code, "DEVICE_UNREACHABLE");
    assert!(alert.information.is_some_and(|words| words.contains("not done")));
}

#[tokio::test]
async fn a_meter_that_does_not_wake_in_time_is_no_answer_and_the_hub_holds_nothing_for_it() {
    let (bench, stepper) = asleep(impatient_lab()).await;
    let begun = Instant::now();
    let unserved = synchronise(bench.clone()).await.expect_err("it sleeps");
    assert!(matches!(unserved, Unserved::NoAnswer { .. }), "{unserved}");
    assert!((10..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(held(&bench), 0);
    to_the_next_wake(&stepper);
    assert_eq!(adjustments(&bench), 0);
    let mut bench = Arc::into_inner(bench).expect("nobody else has it");
    assert_eq!(bench.s1sp_alert().await.code, "DEVICE_UNREACHABLE");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_of_unknown_outcome() {
    let (bench, stepper) = asleep(impatient_lab()).await;
    let change = tokio::spawn(synchronise(bench.clone()));
    until_held(&bench, 1).await;
    // Of what the hub sends from now on: association, the clock that is read first, and then the answer to the change.
    let lost = "rig-1/CHF/wan: silence on frame 3".parse().expect("a fault");
    bench.estate.arm(&lost).expect("it can have it");
    to_the_next_wake(&stepper);
    let unserved = change.await.expect("it ran").expect_err("the answer is lost");
    assert!(
        matches!(&unserved, Unserved::NoAnswer { words, .. } if words.contains("not known")),
        "{unserved}"
    );
    assert_eq!(adjustments(&bench), 1, "it was done all the same");
    let mut bench = Arc::into_inner(bench).expect("nobody else has it");
    assert_eq!(bench.s1sp_alert().await.code, OUTCOME_UNKNOWN);
}
