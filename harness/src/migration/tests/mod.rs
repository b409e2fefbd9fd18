//! Migrations in a world without wires, with every file signed, numbered, taken and handed on as between real parties.

mod killed;
mod refused;
mod world;

use lab_config::DeviceKind;
use proto_migration::{Holder, InstallationKind};

use super::party::s1sp::MOST_CONTACTS;
use super::{Code, Operation};
use world::{DORMANT, Faults, Keys, SUPPLIERS, World, finding, forward, now, stage};

const WHOLE: [&str; 4] = ["authorised", "validated", "under-s1sp-control", "migrated"];

#[tokio::test]
async fn an_installation_of_every_kind_arrives_whole_and_its_meters_are_held_as_its_kind_has_it() {
    let (dcc, supplier) = (Holder::Dcc, |at: usize| Holder::Supplier(SUPPLIERS[at]));
    for (kind, electricity, gas) in [
        (DORMANT, dcc, dcc),
        (InstallationKind::Active, supplier(0), supplier(1)),
        (InstallationKind::Mixed, supplier(0), dcc),
    ] {
        let world = World::new(kind, 1);
        let mut control = world.control();
        assert_eq!(forward(&mut control).await, WHOLE, "{kind}: {:?}", finding(&control));
        let id = world.installations[0];
        assert_eq!(world.is_whole(id), Ok(Keys::S1sp), "{kind}");
        let held = |of| world.state().held[&world.of_kind(id, of)];
        assert_eq!((held(DeviceKind::Esme), held(DeviceKind::Gsme)), (electricity, gas), "{kind}");
    }
}

#[tokio::test]
async fn devices_may_be_made_ready_first() {
    let world = World::new(DORMANT, 1);
    let mut control = world.control();
    for operation in [Operation::Authorise, Operation::Prepare] {
        control.operate(operation, now()).await.expect("in order");
    }
    assert_eq!((stage(&control), world.state().prepared.len()), ("prepared", 1));
    control.operate(Operation::Validate, now()).await.expect("in order");
    assert_eq!(stage(&control), "validated");
}

/// From wherever it stands it goes back whole, and can be migrated from there.
#[tokio::test]
async fn every_stage_has_a_way_back() {
    for steps in 0..=Operation::FORWARD.len() {
        let world = World::new(DORMANT, 1);
        let mut control = world.control();
        for operation in &Operation::FORWARD[..steps] {
            control.operate(*operation, now()).await.expect("in order");
        }
        let said = control.operate(Operation::Rollback, now()).await.expect("allowed");
        assert_eq!(stage(&control), "rolled-back", "after {steps} steps: {said}");
        assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso), "after {steps} steps");
        assert_eq!(forward(&mut control).await, WHOLE, "after {steps} steps: {:?}", finding(&control));
    }
}

/// A clean-up asks for a rollback wherever its script was left: before the authorisation, after a refusal, twice.
#[tokio::test]
async fn a_rollback_with_nothing_to_undo_says_so() {
    let world = World::new(DORMANT, 1);
    let mut control = world.control();
    for _ in 0..2 {
        let said = control.operate(Operation::Rollback, now()).await.expect("allowed");
        assert_eq!(said, "rolled back (asked for by the script): nothing to undo");
    }
    assert!(control.operate(Operation::Contact, now()).await.is_err());
}

#[tokio::test]
async fn a_rollback_that_sticks_is_not_called_one_and_another_goes_on_from_there() {
    let world = World::new(DORMANT, 1);
    let mut control = world.control();
    forward(&mut control).await;
    world.fault(Faults { stuck: true, ..Faults::default() });
    let said = control.operate(Operation::Rollback, now()).await.expect("allowed");
    assert!(said.starts_with("could not roll back"), "{said}");
    assert_eq!(stage(&control), "under-s1sp-control");
    assert!(world.state().inventory.is_empty());
    assert!(control.operate(Operation::Commission, now()).await.is_err(), "what leaves is not commissioned");
    world.fault(Faults::default());
    control.operate(Operation::Rollback, now()).await.expect("allowed");
    assert_eq!((stage(&control), world.is_whole(world.installations[0])), ("rolled-back", Ok(Keys::Smso)));
}

/// A device that is silent to its SMSO has the SMSO's keys all the same; one that answers and refuses does not.
#[tokio::test]
async fn an_smso_that_is_refused_stops_a_rollback_and_one_that_hears_nothing_does_not() {
    for (code, expected) in [(Code::Han, "rolled-back"), (Code::DeviceRefused, "under-s1sp-control")] {
        let world = World::new(DORMANT, 1).with(Faults { unreached: Some(code), ..Faults::default() });
        let mut control = world.control();
        forward(&mut control).await;
        let said = control.operate(Operation::Rollback, now()).await.expect("allowed");
        assert_eq!(stage(&control), expected, "{said}");
    }
}

#[tokio::test]
async fn electricity_migrates_alone_where_gas_fails_on_the_home_area_network() {
    let world = World::new(DORMANT, 1).with(Faults { no_gas: true, ..Faults::default() });
    let mut control = world.control();
    assert_eq!(forward(&mut control).await, WHOLE);
    let id = world.installations[0];
    let listed = world.state().inventory[&id].clone();
    let gas = [DeviceKind::Gpf, DeviceKind::Gsme].map(|kind| world.of_kind(id, kind));
    assert_eq!(listed.len(), 3);
    assert!(gas.iter().all(|device| !listed.contains(device) && world.state().keys[device] == Keys::Smso));
    let standing =
        control.member(id).and_then(|member| member.stage().standing().cloned()).expect("migrated");
    assert_eq!(standing.without, gas);
}

/// A network that is silent is asked again within the attempt; a refusal is not.
#[tokio::test]
async fn silence_is_asked_again_and_a_refusal_is_not() {
    let failing =
        |code, times| Faults { contact: Some((DeviceKind::Esme, code, times)), ..Faults::default() };
    let world = World::new(DORMANT, 1).with(failing(Code::NoWanWhile, MOST_CONTACTS - 1));
    assert_eq!(forward(&mut world.control()).await, WHOLE, "the third time it answers");

    let world = World::new(DORMANT, 1).with(failing(Code::Han, MOST_CONTACTS));
    let mut control = world.control();
    assert_eq!(forward(&mut control).await, ["authorised", "validated", "rolled-back"]);
    assert!(finding(&control).1.contains("asked 3 times"), "{:?}", finding(&control));
    assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso));

    let world = World::new(DORMANT, 1).with(failing(Code::DeviceRefused, 2));
    let mut control = world.control();
    forward(&mut control).await;
    assert_eq!(stage(&control), "rolled-back");
    let left = world.state().faults.contact.map(|(_, _, left)| left);
    assert_eq!(left, Some(1), "it was asked once");
}

#[tokio::test]
async fn what_the_inventory_does_not_take_goes_back_whole() {
    let world = World::new(DORMANT, 1).with(Faults { full: true, ..Faults::default() });
    let mut control = world.control();
    assert_eq!(forward(&mut control).await, ["authorised", "validated", "under-s1sp-control", "rolled-back"]);
    assert_eq!(finding(&control), ("LAB-INVENTORY".into(), "the inventory is full".into()));
    assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso));
}

#[tokio::test]
async fn an_enrolled_installation_is_not_migrated_twice() {
    let world = World::new(DORMANT, 1);
    forward(&mut world.control()).await;
    let other = World { journals: Default::default(), ..world };
    let mut second = other.control();
    forward(&mut second).await;
    assert_eq!((stage(&second), finding(&second).0.as_str()), ("refused", "LAB-ALREADY-ENROLLED"));
}

/// Fifty at once: one that fails does not hold the others up.
#[tokio::test]
async fn a_group_migrates_and_each_ends_as_it_must() {
    let world = World::new(DORMANT, 50);
    let bad = world.installations[7];
    world.state().inventory.insert(bad, vec![world.of_kind(bad, DeviceKind::Esme)]);
    let mut control = world.control();
    forward(&mut control).await;
    let counts = control.group().outcomes();
    assert_eq!(counts.get(&proto_migration::OutcomeClass::Migrated), Some(&49));
    assert_eq!(counts.get(&proto_migration::OutcomeClass::Refused), Some(&1));
    assert!(control.group().is_over());
}

/// What goes between the parties says everything, and no secret.
#[tokio::test]
async fn no_secret_is_in_any_file_and_every_file_is_seen_once() {
    let world = World::new(DORMANT, 1);
    let mut control = world.control();
    forward(&mut control).await;
    control.operate(Operation::Rollback, now()).await.expect("allowed");
    let passed = world.files.passed.lock().expect("files");
    let clear = |octets: &[u8], secret: &[u8]| octets.windows(secret.len()).any(|window| window == secret);
    for (what, octets) in passed.iter() {
        let plain = [&b"SECRET-12"[..], b"MASTERKEY-MASTER", b"SECRET-OF-A-HUB!", b"NEW-KEY-OF-A-HUB"];
        let in_base64 = [&b"U0VDUkVULTEy"[..], b"TUFTVEVSS0VZ", b"U0VDUkVULU9G", b"TkVXLUtFWS1P"];
        for secret in plain.into_iter().chain(in_base64) {
            assert!(!clear(octets, secret), "{what}");
        }
    }
    let kinds: Vec<&str> = passed.iter().map(|(what, _)| what.as_str()).collect();
    let count = |kind: &str| kinds.iter().filter(|what| what.starts_with(kind)).count();
    assert_eq!((count("common "), count("group "), count("commissioning "), count("estate ")), (1, 1, 1, 1));
    assert_eq!((count("rollback "), count("outcome ")), (3, 2));
}
