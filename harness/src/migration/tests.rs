use std::collections::BTreeSet;

use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64, Lab};
use proptest::prelude::*;

use super::*;

/// Parties that remember what was done to them, and fail when told to.
#[derive(Debug, Default)]
struct Estate {
    inventory: BTreeSet<Eui64>,
    controlled: bool,
    contact_fails: bool,
    enrol_fails: bool,
    give_back_fails: bool,
    held_by_the_dcc: bool,
}

impl Parties for Estate {
    fn enrolled(&self, device: Eui64) -> bool {
        self.inventory.contains(&device)
    }

    async fn take_control(&mut self) -> Result<String, String> {
        self.controlled = !self.contact_fails;
        if self.contact_fails { Err("the GSME does not answer".into()) } else { Ok("5 devices".into()) }
    }

    async fn give_back(&mut self) -> Result<String, String> {
        if self.give_back_fails {
            return Err("the CHF does not answer".into());
        }
        self.controlled = false;
        Ok("credentials given back".into())
    }

    async fn enrol(&mut self, declared: &Declared) -> Result<(), String> {
        if self.enrol_fails {
            return Err("the inventory is full".into());
        }
        self.inventory.extend(declared.devices.values().map(|d| d.eui64));
        Ok(())
    }

    fn hold_for_the_dcc(&mut self) {
        self.held_by_the_dcc = true;
    }

    async fn withdraw(&mut self, declared: &Declared) -> Result<(), String> {
        self.inventory.retain(|eui64| declared.devices.values().all(|d| d.eui64 != *eui64));
        Ok(())
    }
}

fn control() -> Control {
    let lab = Lab::embedded().expect("the embedded lab");
    let rig = &lab.rigs[0];
    Control::new(rig, lab.epcl[0].clone())
}

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().expect("a time")
}

async fn forward(control: &mut Control, estate: &mut Estate) -> Vec<&'static str> {
    let mut stages = Vec::new();
    for operation in Operation::FORWARD {
        if control.operate(operation, estate, now()).await.is_err() {
            break;
        }
        stages.push(control.stage().name());
    }
    stages
}

#[tokio::test]
async fn a_dormant_installation_arrives_whole() {
    let (mut control, mut estate) = (control(), Estate::default());
    let stages = forward(&mut control, &mut estate).await;
    assert_eq!(stages, ["authorised", "validated", "under-s1sp-control", "migrated"]);
    assert!(estate.held_by_the_dcc, "a dormant installation is the DCC's until a supplier takes it over");
    assert_eq!(estate.inventory.len(), 5);
    assert!(estate.controlled);
    let authorisation = control.stage().authorisation().expect("an authorisation").as_str();
    assert_eq!(authorisation, "MA_LabSMSO_00DB123456789001_20261121_090000");
}

#[tokio::test]
async fn an_installation_that_matches_no_entry_is_refused_before_anything_is_touched() {
    let (mut control, mut estate) = (control(), Estate::default());
    let esme = control.declared_mut().devices.get_mut(&DeviceKind::Esme).expect("an ESME");
    esme.identity.firmware_version = "P4X2G99".parse().expect("a text");
    assert_eq!(forward(&mut control, &mut estate).await, ["authorised", "refused"]);
    let Stage::Refused(refusal) = control.stage() else { panic!("{:?}", control.stage()) };
    assert_eq!(refusal.code, RefusalCode::Ma110);
    assert!(refusal.reason.contains("firmware version is P4X2G99"), "{}", refusal.reason);
    assert!(!estate.controlled && estate.inventory.is_empty());
}

#[tokio::test]
async fn an_enrolled_installation_is_not_migrated_twice() {
    let (mut first, mut estate) = (control(), Estate::default());
    forward(&mut first, &mut estate).await;
    let mut second = control();
    forward(&mut second, &mut estate).await;
    assert!(matches!(second.stage(), Stage::Refused(r) if r.code == RefusalCode::AlreadyEnrolled));
}

#[tokio::test]
async fn a_rollback_that_sticks_is_not_called_one() {
    let (mut control, mut estate) = (control(), Estate { give_back_fails: true, ..Estate::default() });
    forward(&mut control, &mut estate).await;
    let said = control.operate(Operation::Rollback, &mut estate, now()).await.expect("allowed");
    assert!(said.starts_with("could not roll back"), "{said}");
    assert_eq!(control.stage().name(), "under-s1sp-control");
    assert!(estate.controlled && estate.inventory.is_empty());

    estate.give_back_fails = false;
    let said = control.operate(Operation::Rollback, &mut estate, now()).await.expect("allowed");
    assert!(said.starts_with("rolled back"), "{said}");
    assert!(!estate.controlled);
}

/// A clean-up asks for a rollback wherever its script was left: before the authorisation, after a refusal, twice.
#[tokio::test]
async fn a_rollback_with_nothing_to_undo_says_so() {
    let (mut control, mut estate) = (control(), Estate::default());
    for _ in 0..2 {
        let said = control.operate(Operation::Rollback, &mut estate, now()).await.expect("allowed");
        assert_eq!(said, "rolled back (asked for by the script): nothing to undo");
        assert_eq!(control.stage().name(), "rolled-back");
    }
    assert_eq!(
        control.operate(Operation::Contact, &mut estate, now()).await,
        Err(OutOfOrder { operation: Operation::Contact, stage: "rolled-back" })
    );
}

/// Parties that never come back from taking control.
struct Hanging;

impl Parties for Hanging {
    fn enrolled(&self, _: Eui64) -> bool {
        false
    }

    async fn take_control(&mut self) -> Result<String, String> {
        std::future::pending().await
    }

    async fn give_back(&mut self) -> Result<String, String> {
        Ok("given back".into())
    }

    async fn enrol(&mut self, _: &Declared) -> Result<(), String> {
        Ok(())
    }

    fn hold_for_the_dcc(&mut self) {}

    async fn withdraw(&mut self, _: &Declared) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_given_up_half_way_is_rolled_back_by_giving_back() {
    let mut control = control();
    for operation in [Operation::Authorise, Operation::Validate] {
        control.operate(operation, &mut Hanging, now()).await.expect("allowed");
    }
    let mut hanging = Hanging;
    let contact = control.operate(Operation::Contact, &mut hanging, now());
    assert!(tokio::time::timeout(std::time::Duration::from_secs(1), contact).await.is_err());
    assert!(!control.stage().with_smso());
    let said = control.operate(Operation::Rollback, &mut Hanging, now()).await.expect("allowed");
    assert!(said.contains("given back"), "{said}");
}

fn operation() -> impl Strategy<Value = Operation> {
    prop::sample::select(vec![
        Operation::Authorise,
        Operation::Validate,
        Operation::Contact,
        Operation::Commission,
        Operation::Rollback,
    ])
}

proptest! {
    /// Whatever is asked for in whatever order, and whoever fails: the installation is with one party, never between two.
    #[test]
    fn an_installation_is_never_between_two_parties(
        operations in prop::collection::vec(operation(), 0..12),
        contact_fails: bool,
        enrol_fails: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (mut control, mut estate) = (control(), Estate { contact_fails, enrol_fails, ..Estate::default() });
        for operation in operations {
            let before = control.stage().clone();
            let tried = runtime.block_on(control.operate(operation, &mut estate, now()));
            prop_assert!(tried.is_ok() || *control.stage() == before);
            prop_assert_eq!(control.stage().with_smso(), !estate.controlled);
            prop_assert_eq!(matches!(control.stage(), Stage::Migrated(_)), !estate.inventory.is_empty());
        }
    }
}
