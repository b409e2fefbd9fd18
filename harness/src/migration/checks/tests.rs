use std::sync::LazyLock;

use lab_config::Lab;
use proptest::prelude::*;

use super::*;
use crate::migration::text;

const ELECTRICITY: Eui64 = Eui64::new([1; 8]);
const GAS: Eui64 = Eui64::new([2; 8]);
const DCC: Eui64 = Eui64::new([3; 8]);

static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::embedded().expect("the embedded lab"));

/// One installation as it is, and all that is known of it.
#[derive(Debug, Clone)]
struct Case {
    declared: CommonInstallation,
    smso: Text,
    authorisations: BTreeMap<AuthorisationId, Authorisation>,
    registered: BTreeMap<Text, Eui64>,
    enrolled: BTreeSet<Eui64>,
    epcl: Vec<EligibleEntry>,
    now: Timestamp,
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn name(of: &str) -> AuthorisationId {
    of.parse().expect("a name")
}

impl Case {
    fn new(kind: InstallationKind) -> Self {
        let installation = LAB.rigs[0].device(DeviceKind::Chf).expect("a hub").eui64;
        let device = |device: &lab_config::RigDevice| {
            let identity = &device.model.identity;
            let text = |value: &dyn ToString| text::shortened(&value.to_string());
            Device {
                kind: device.kind,
                id: device.eui64,
                manufacturer: text(&identity.manufacturer),
                model: text(&identity.model),
                hardware: text(&identity.hardware_version),
                firmware: text(&identity.firmware_version),
                configuration: text(&identity.configuration_version),
            }
        };
        let devices: Vec<Device> = LAB.rigs[0].devices().map(device).collect();
        let point = |device: &Device| {
            let (supplier, active) = match device.kind {
                DeviceKind::Esme => (ELECTRICITY, kind != InstallationKind::Dormant),
                DeviceKind::Gsme => (GAS, kind == InstallationKind::Active),
                _ => return None,
            };
            let number = text::shortened(&device.id.to_string());
            Some(MeterPoint { device: device.id, number, supplier, active })
        };
        let meter_points: Vec<MeterPoint> = devices.iter().filter_map(point).collect();
        let registered = meter_points.iter().map(|p| (p.number.clone(), p.supplier)).collect();
        let by = |role, id| Address { role, id };
        let supplier = PartyRole::ResponsibleSupplier;
        let givers = match kind {
            InstallationKind::Dormant => vec![by(PartyRole::MigrationControl, DCC)],
            InstallationKind::Active => vec![by(supplier, ELECTRICITY), by(supplier, GAS)],
            InstallationKind::Mixed => vec![by(PartyRole::MigrationControl, DCC), by(supplier, ELECTRICITY)],
        };
        let given = |(n, by): (usize, Address)| {
            let (from, until) = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
            (name(&format!("MA_{n}")), Authorisation { by, installation, kind, from, until })
        };
        let authorisations: BTreeMap<_, _> = givers.into_iter().enumerate().map(given).collect();
        let named = authorisations.keys().cloned().collect();
        let entry = EligibleEntry::of(&LAB.epcl[0], &LAB.rigs[0].combination).standing_for(kind);
        Self {
            declared: CommonInstallation { installation, kind, authorisations: named, devices, meter_points },
            smso: text::shortened(&LAB.epcl[0].smso),
            authorisations,
            registered,
            enrolled: BTreeSet::new(),
            epcl: vec![entry],
            now: at("2026-11-22T09:00:00Z"),
        }
    }

    fn validate(&self) -> Result<String, Refused> {
        let known = Known {
            smso: &self.smso,
            epcl: &self.epcl,
            enrolled: &|device| self.enrolled.contains(&device),
            registered: &|point| self.registered.get(point).copied(),
            authorisations: &self.authorisations,
            now: self.now,
        };
        validate(&self.declared, &known)
    }

    fn device(&mut self, kind: DeviceKind) -> &mut Device {
        self.declared.devices.iter_mut().find(|device| device.kind == kind).expect("a device")
    }

    fn authorisation(&mut self) -> &mut Authorisation {
        self.authorisations.values_mut().last().expect("an authorisation")
    }

    fn leave_out(&mut self, kind: DeviceKind) {
        self.declared.devices.retain(|device| device.kind != kind);
    }
}

fn refused_by(kind: InstallationKind, spoil: impl FnOnce(&mut Case)) -> Refused {
    let mut case = Case::new(kind);
    spoil(&mut case);
    case.validate().expect_err("refused")
}

use InstallationKind::{Active, Dormant, Mixed};

#[test]
fn every_kind_passes_as_it_is() {
    for kind in [Dormant, Active, Mixed] {
        assert_eq!(
            Case::new(kind).validate(),
            Ok("5 devices match EPCL entry epcl-ioc-1".to_owned()),
            "{kind}"
        );
    }
}

#[test]
fn each_check_refuses_by_its_own_code_and_says_what_it_found() {
    type Spoil = fn(&mut Case);
    let cases: [(Code, &str, Spoil); 14] = [
        (Code::NoCommunicationsHub, "expected one CHF", |case| case.leave_out(DeviceKind::Chf)),
        (Code::NotOnEpcl, "hardware version is 9.9", |case| {
            case.device(DeviceKind::Esme).hardware = text::shortened("9.9");
        }),
        (Code::NotOnEpcl, "its SMSO is Another", |case| case.smso = text::shortened("Another")),
        (Code::NotOnEpcl, "the list has no entry", |case| case.epcl.clear()),
        (Code::DevicesIncomplete, "no GSME is declared", |case| case.leave_out(DeviceKind::Gsme)),
        (Code::AlreadyEnrolled, "is in the inventory already", |case| {
            let esme = case.device(DeviceKind::Esme).id;
            case.enrolled.insert(esme);
        }),
        (Code::MeterPointMissing, "declared without a meter point", |case| {
            case.declared.meter_points.truncate(1);
        }),
        (Code::NotRegistered, "in no registration data", |case| case.registered.clear()),
        (Code::SupplierDiffers, "is registered", |case| {
            case.registered.values_mut().for_each(|supplier| *supplier = DCC);
        }),
        (Code::AuthorisationMissing, "there is no authorisation", |case| case.authorisations.clear()),
        (Code::AuthorisationOutOfTime, "holds from", |case| case.now = at("2026-12-01T00:00:00Z")),
        (Code::AuthorisationOutOfTime, "holds from", |case| case.now = at("2026-10-31T23:59:59Z")),
        (Code::AuthorisationForAnother, "expected", |case| case.authorisation().installation = DCC),
        (Code::AuthorisationForAnother, "expected", |case| {
            let other = if case.declared.kind == Active { Dormant } else { Active };
            case.authorisation().kind = other;
        }),
    ];
    for (kind, (code, words, spoil)) in
        [Dormant, Active, Mixed].iter().flat_map(|kind| cases.map(|c| (*kind, c)))
    {
        let refused = refused_by(kind, spoil);
        assert_eq!(refused.code, code, "{kind}: {refused}");
        assert!(refused.reason.contains(words), "{kind}: {refused}");
    }
}

#[test]
fn an_entry_stands_for_the_kinds_it_says() {
    let only_dormant = || vec![EligibleEntry::of(&LAB.epcl[0], &LAB.rigs[0].combination)];
    let refused = refused_by(Mixed, |case| case.epcl = only_dormant());
    assert_eq!(refused.code, Code::NotOnEpcl);
    assert!(refused.reason.contains("it is mixed; entry epcl-ioc-1 stands for dormant"), "{refused}");
    let mut case = Case::new(Mixed);
    case.epcl = only_dormant().into_iter().map(|entry| entry.standing_for(Mixed)).collect();
    assert!(case.validate().is_ok(), "testing of the dormant one stands for it (SVTAD 20.9)");
}

#[test]
fn what_a_supplier_operates_needs_that_suppliers_authorisation_and_what_is_dormant_the_dccs() {
    let unnamed = |role: PartyRole| {
        move |case: &mut Case| {
            let given = &case.authorisations;
            case.declared.authorisations.retain(|id| given[id].by.role != role);
        }
    };
    let refused = refused_by(Mixed, unnamed(PartyRole::MigrationControl));
    assert_eq!(refused.code, Code::AuthorisationMissing, "{refused}");
    let refused = refused_by(Mixed, unnamed(PartyRole::ResponsibleSupplier));
    assert_eq!(refused.code, Code::AuthorisationMissing, "{refused}");
    let refused = refused_by(Mixed, |case| case.authorisation().by.id = GAS);
    assert_eq!(refused.code, Code::AuthorisationOfAnother, "{refused}");
    let refused = refused_by(Active, |case| {
        case.declared.meter_points.iter_mut().for_each(|point| point.active = false);
    });
    assert_eq!(refused.code, Code::AuthorisationForAnother, "declared active, and nobody operates it");
}

#[test]
fn a_display_may_be_missing() {
    let mut case = Case::new(Dormant);
    case.leave_out(DeviceKind::Ppmid);
    assert!(case.validate().is_ok());
}

/// What the S1SP brings of a case, whole.
fn whole(case: &Case) -> (Vec<Eui64>, Commissioned) {
    let declared = &case.declared;
    let required = declared.devices.iter().map(|device| device.id).collect();
    let holders = declared.meter_points.iter().map(|point| (point.device, holder(point))).collect();
    let (installation, devices) = (declared.installation, declared.devices.clone());
    (required, Commissioned { installation, devices, holders })
}

proptest! {
    /// Whatever devices are left out: it may be commissioned when they are none, or gas ones that were said to be left out.
    #[test]
    fn all_join_or_all_but_gas_that_was_said_to_be_left_out(
        joins in prop::collection::vec(any::<bool>(), 5),
        said in prop::collection::vec(any::<bool>(), 5),
    ) {
        let case = Case::new(Dormant);
        let (required, mut commissioned) = whole(&case);
        let devices = &case.declared.devices;
        let chosen = |of: &[bool]| -> Vec<Device> {
            devices.iter().zip(of).filter(|(_, chosen)| **chosen).map(|(device, _)| device.clone()).collect()
        };
        commissioned.devices = chosen(&joins);
        let without: Vec<Eui64> = chosen(&said).iter().map(|device| device.id).collect();
        let found = commissionable(&case.declared, &without, &required, &commissioned);
        let right = devices.iter().zip(&joins).zip(&said).all(|((device, joins), said)| match (joins, said) {
            (true, said) => !said,
            (false, said) => *said && matches!(device.kind, DeviceKind::Gpf | DeviceKind::Gsme),
        });
        prop_assert_eq!(found.is_ok(), right, "{:?}", found);
    }
}

#[test]
fn what_joins_is_what_was_validated_and_required_and_held_by_its_holder() {
    let case = Case::new(Mixed);
    let (required, commissioned) = whole(&case);
    assert_eq!(commissionable(&case.declared, &[], &required, &commissioned), Ok(()));
    let refused = |required: &[Eui64], joins: &Commissioned| {
        commissionable(&case.declared, &[], required, joins).expect_err("refused").code
    };
    assert_eq!(refused(&required[1..], &commissioned), Code::DevicesIncomplete);
    let mut other = commissioned.clone();
    other.devices[2].firmware = text::shortened("another");
    assert_eq!(refused(&required, &other), Code::DevicesIncomplete);
    let mut other = commissioned.clone();
    other.holders.iter_mut().for_each(|(_, holder)| *holder = Holder::Dcc);
    assert_eq!(refused(&required, &other), Code::SupplierDiffers, "its supplier has the electricity");
}
