//! Every check's refusal, every way a file can be wrong, and exclusion.

use lab_config::{DeviceKind, Eui64};
use proto_migration::{FileKind, FileRefusalCode, InstallationKind};

use super::world::{DORMANT, Faults, Keys, World, finding, forward, now, stage};
use scenarios::Spoiling;

use crate::migration::exchange::Spoil;
use crate::migration::party::smso::{Property, Wrong};
use crate::migration::{Code, Operation, text};

async fn declared(wrong: Vec<(DeviceKind, Wrong)>) -> (String, String) {
    let world = World::new(DORMANT, 1);
    world.misdeclared.set(wrong);
    let mut control = world.control();
    assert_eq!(forward(&mut control).await, ["authorised", "refused"], "{:?}", finding(&control));
    assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso));
    finding(&control)
}

#[tokio::test]
async fn what_is_declared_wrongly_is_refused_by_the_check_it_is_for_before_anything_is_touched() {
    use DeviceKind::{Chf, Esme, Gpf, Gsme};
    let model = |property, value: &str| Wrong::Model(property, text::shortened(value));
    let cases = [
        (Esme, model(Property::Firmware, "P4X2G99"), Code::NotOnEpcl, "firmware version is P4X2G99"),
        (Chf, model(Property::Model, "UNKNOWN1"), Code::NotOnEpcl, "CHF model is UNKNOWN1"),
        (Chf, Wrong::LeftOut, Code::NoCommunicationsHub, "expected one CHF"),
        (Gpf, Wrong::LeftOut, Code::DevicesIncomplete, "no GPF is declared"),
        (Esme, Wrong::MeterPoint(text::shortened("1900000000001")), Code::NotRegistered, "1900000000001"),
        (
            Gsme,
            Wrong::Supplier(Eui64::new([9; 8])),
            Code::SupplierDiffers,
            "09-09-09-09-09-09-09-09 is declared",
        ),
    ];
    for (kind, wrong, code, words) in cases {
        let (found, reason) = declared(vec![(kind, wrong.clone())]).await;
        assert_eq!(found, code.published(), "{wrong:?}: {reason}");
        assert!(reason.contains(words), "{wrong:?}: {reason}");
    }
}

/// The operations in whose course each file crosses.
fn crossing(kind: FileKind) -> Operation {
    match kind {
        FileKind::Authorisation | FileKind::Response => Operation::Authorise,
        FileKind::Demand | FileKind::Estate | FileKind::Common | FileKind::Group => Operation::Validate,
        FileKind::Results => Operation::Contact,
        FileKind::RequiredFileSet | FileKind::Commissioning => Operation::Commission,
        FileKind::KeyWrapRequest | FileKind::WrappedKeys => Operation::Contact,
        FileKind::Rollback | FileKind::Outcome => Operation::Rollback,
    }
}

/// Any file of a migration that arrives as it must not is refused with a code and a reason, and the installation is whole
/// with its SMSO then.
#[tokio::test]
async fn a_file_that_is_spoilt_is_refused_by_its_code_and_the_installation_stays_whole() {
    let cases = [
        (Spoiling::Altered, FileRefusalCode::Altered),
        (Spoiling::Cut, FileRefusalCode::Cut),
        (Spoiling::Replayed, FileRefusalCode::Replayed),
        (Spoiling::OutOfOrder, FileRefusalCode::OutOfOrder),
        (Spoiling::ForAnother, FileRefusalCode::NotForUs),
        (Spoiling::WrongSigner, FileRefusalCode::WrongWriter),
    ];
    let kinds = [
        FileKind::Authorisation,
        FileKind::Response,
        FileKind::Demand,
        FileKind::Estate,
        FileKind::Common,
        FileKind::Group,
        FileKind::Results,
        FileKind::RequiredFileSet,
        FileKind::Commissioning,
        FileKind::KeyWrapRequest,
        FileKind::WrappedKeys,
    ];
    for (kind, (how, code)) in kinds.iter().flat_map(|kind| cases.map(|case| (*kind, case))) {
        let world = World::new(DORMANT, 1);
        let mut control = world.control();
        let spoilt = crossing(kind);
        for operation in Operation::FORWARD {
            if operation == spoilt {
                world.spoiler.spoil(Spoil { kind, from: None, how });
            }
            control.operate(operation, now()).await.expect("in order");
            if operation == spoilt {
                break;
            }
        }
        let (found, reason) = finding(&control);
        assert_eq!(found, code.code().as_str(), "{kind} {how}: {reason}");
        assert_eq!(control.refused_file(), Some(kind), "{kind} {how}: {reason}");
        assert!(world.files.refused.lock().expect("files").len() == 1, "{kind} {how}: recorded");
        assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso), "{kind} {how}");
        let wrapping = matches!(kind, FileKind::KeyWrapRequest | FileKind::WrappedKeys);
        let begun = wrapping || spoilt == Operation::Commission;
        let expected = if begun { "rolled-back" } else { "refused" };
        assert_eq!(stage(&control), expected, "{kind} {how}: {reason}");
        assert_eq!(world.spoiler.disarm(), None);
        if how == Spoiling::Replayed {
            assert_eq!(forward(&mut control).await.last(), Some(&"migrated"), "{kind}: tried again");
        }
    }
}

#[tokio::test]
async fn five_failed_attempts_exclude_until_a_person_lifts_it() {
    let world = World::new(DORMANT, 1);
    let wrong = Wrong::Model(Property::Model, text::shortened("UNKNOWN1"));
    world.misdeclared.set(vec![(DeviceKind::Chf, wrong)]);
    let mut control = world.control();
    for attempt in 1..=5 {
        let stages = forward(&mut control).await;
        let expected = if attempt == 5 { "excluded" } else { "refused" };
        assert_eq!(stages.last(), Some(&expected), "attempt {attempt}");
    }
    assert!(control.operate(Operation::Authorise, now()).await.is_err());
    // A new process finds it excluded too.
    drop(control);
    let mut control = world.control();
    assert_eq!(stage(&control), "excluded");
    control.operate(Operation::Rollback, now()).await.expect("allowed");
    assert_eq!(stage(&control), "excluded", "asking it back does not lift it");
    world.misdeclared.set(Vec::new());
    assert!(control.lift(world.installations[0], "a person", now()));
    assert_eq!(forward(&mut control).await.last(), Some(&"migrated"));
}

#[tokio::test]
async fn missing_keys_and_a_silent_network_exclude_at_once_and_leave_the_smso_in_control() {
    let contact = |code| Faults { contact: Some((DeviceKind::Chf, code, 9)), ..Faults::default() };
    let cases = [
        (Faults { no_keys: true, ..Faults::default() }, Code::KeysMissing),
        (contact(Code::NoWanWhile), Code::NoWanWhile),
    ];
    for (faults, code) in cases {
        let world = World::new(DORMANT, 1).with(faults);
        let mut control = world.control();
        assert_eq!(forward(&mut control).await.last(), Some(&"excluded"), "{code}");
        assert_eq!(finding(&control).0, code.published());
        assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso), "{code}");
    }
    let faults = Faults { unprepared: Some(Code::NoWanBefore), ..Faults::default() };
    let world = World::new(DORMANT, 1).with(faults);
    let mut control = world.control();
    for operation in [Operation::Authorise, Operation::Prepare] {
        control.operate(operation, now()).await.expect("in order");
    }
    assert_eq!((stage(&control), finding(&control).0.as_str()), ("excluded", Code::NoWanBefore.published()));
}

/// A supplier that operates no meter of it gives no authorisation, and without one nothing begins.
#[tokio::test]
async fn an_installation_nobody_may_authorise_is_refused() {
    let world = World { operated: Vec::new(), ..World::new(InstallationKind::Active, 1) };
    let mut control = world.control();
    assert_eq!(forward(&mut control).await, ["refused"]);
    assert_eq!(finding(&control).0, Code::AuthorisationMissing.published());
}
