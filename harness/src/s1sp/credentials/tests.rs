//! Handovers, changes of supplier and renewals, the parties' keys made for the test.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proto_duis::pki::Authority;
use proto_duis::{RequestId, Signer};

use super::*;

const ESME: Eui64 = Eui64::new([0, 0xDB, 0, 0, 0, 0, 0, 3]);
const OLD: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 1, 0, 0]);
const NEW: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 2, 0, 0]);
const OPERATOR: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 3, 0, 0]);
const DCC: Eui64 = Eui64::ACCESS_CONTROL_BROKER;
const NOW: Timestamp = Timestamp::constant(1_795_253_400, 0);

struct World {
    store: CredentialStore,
    authority: Authority,
}

impl World {
    /// An electricity meter whose supplier is OLD.
    fn new() -> World {
        let authority = Authority::new("Lab").unwrap();
        let mut trust = TrustStore::new();
        let parties = [OLD, NEW, OPERATOR].map(|id| (id, PartyKind::User));
        for (id, kind) in parties.into_iter().chain([(DCC, PartyKind::Dsp)]) {
            let party = Party { name: id.to_string(), kind, id };
            trust.add(party, issued(&authority, id).certificate().clone());
        }
        let suppliers = PartiesByFuel { electricity: vec![OLD], gas: Vec::new() };
        let operators = PartiesByFuel { electricity: vec![OPERATOR], gas: Vec::new() };
        let root = Certificate::from_pem(authority.pem()).unwrap();
        let devices = [(ESME, DeviceKind::Esme)];
        World { store: CredentialStore::new(devices, (suppliers, &operators), &trust, vec![root]), authority }
    }

    /// What comes of a request as the S1SP takes it: let through, and carried out.
    fn ask(&mut self, request: &Request) -> Result<MmcBody, (i64, String)> {
        let said = |refusal: Refusal| (refusal.code(), refusal.to_string());
        self.store.admit(request).map_err(said)?;
        self.store.carry_out(request, NOW).unwrap().map_err(said)
    }

    fn code(&mut self, request: &Request) -> i64 {
        self.ask(request).unwrap_err().0
    }

    fn change(&self, srv: Srv, user: Eui64, counter: u64, more: &[(&str, &str)]) -> Request {
        self.change_with(srv, user, counter, &issued(&self.authority, user), more)
    }

    fn change_with(
        &self,
        srv: Srv,
        user: Eui64,
        counter: u64,
        key: &Signer,
        more: &[(&str, &str)],
    ) -> Request {
        let mut fields: BTreeMap<String, String> = match srv {
            Srv::UpdateSecurityCredentialsCoS => {
                [("SupplierFloorSeqNumber", "5"), ("ImportMPxN", "1200023305967")].map(owned).into()
            }
            _ => [("RemotePartyRole", "Supplier")].map(owned).into(),
        };
        fields.insert("DigitalSigningCertificate".to_owned(), encoded(key.certificate()));
        let root = Certificate::from_pem(self.authority.pem()).unwrap();
        fields.insert("Certificate[1]".to_owned(), encoded(&root));
        fields.insert("ApplyTimeBasedCPVChecks".to_owned(), "true".to_owned());
        fields.extend(more.iter().copied().map(owned));
        request(srv, user, counter, &fields)
    }

    /// Who the supplier is by 6.24.1.
    fn supplier(&mut self) -> String {
        let fields = [("RemotePartyRole[1]", "Supplier")].map(owned).into();
        let read = self.ask(&request(Srv::RetrieveDeviceSecurityCredentialsKRP, OLD, 1, &fields)).unwrap();
        read.find("RemotePartyDetails.ExistingRemotePartyID").unwrap().unwrap()
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn issued(authority: &Authority, id: Eui64) -> Signer {
    authority.issue(&format!("user {id}")).unwrap()
}

fn encoded(certificate: &Certificate) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(certificate.der())
}

fn request(srv: Srv, user: Eui64, counter: u64, fields: &BTreeMap<String, String>) -> Request {
    let body = RequestBody::from_fields(srv, fields).unwrap();
    Request::new(RequestId { originator: user, target: ESME, counter }, body)
}

fn arm(user: Eui64, counter: u64) -> Request {
    request(Srv::ArmSupply, user, counter, &BTreeMap::new())
}

const HANDOVER: Srv = Srv::RequestHandoverOfDCCControlledDevice;
const CHANGE: Srv = Srv::UpdateSecurityCredentialsCoS;
const RENEWAL: Srv = Srv::UpdateSecurityCredentialsKRP;

#[test]
fn a_meter_migrated_dormant_is_the_dccs_until_a_supplier_takes_it_over() {
    let mut world = World::new();
    world.store.hold_for_the_dcc();
    assert_eq!(world.store.addressees(ESME, AlertCode::TAMPER), [DCC]);
    assert_eq!(world.store.admit(&arm(OLD, 9)).unwrap_err().code(), 4005);
    assert!(world.store.admit(&request(Srv::ReadSupplyStatus, OLD, 9, &BTreeMap::new())).is_ok());
    let answer = world.ask(&world.change(HANDOVER, OLD, 10, &[("RemotePartyFloorSeqNumber", "10")])).unwrap();
    let at = |path: &str| answer.find(&format!("ExecutionOutcome.{path}")).unwrap();
    assert_eq!(at("AuthorisingRemotePartyOriginatorCounter").as_deref(), Some("10"));
    assert_eq!(at("RemotePartySeqNumberChange.RemotePartyFloorSeqNumber").as_deref(), Some("10"));
    assert_eq!(at("ReplacementOutcome.ExistingRemotePartyID"), Some(DCC.to_string()));
    assert_eq!(at("ReplacementOutcome.NewRemotePartyID"), Some(OLD.to_string()));
    assert_eq!(
        (world.store.addressees(ESME, AlertCode::TAMPER), world.supplier()),
        (vec![OLD], OLD.to_string())
    );
    assert_eq!(world.store.admit(&arm(OLD, 10)).unwrap_err().code(), 4005, "the floor is 10");
    assert!(world.store.admit(&arm(OLD, 11)).is_ok());
    assert_eq!(world.code(&world.change(HANDOVER, NEW, 12, &[])), 4005, "the DCC has it no more");
}

#[test]
fn after_a_change_of_supplier_the_former_one_is_refused() {
    let mut world = World::new();
    assert!(world.store.admit(&arm(OLD, 6)).is_ok());
    let answer = world.ask(&world.change(CHANGE, NEW, 7, &[])).unwrap();
    let mode = answer.find("ExecutionOutcome.CredentialsReplacementMode").unwrap();
    assert_eq!(mode.as_deref(), Some("SupplierByTransCoS"));
    assert_eq!(
        (world.store.addressees(ESME, AlertCode::TAMPER), world.supplier()),
        (vec![NEW], NEW.to_string())
    );
    let refusal = world.store.admit(&arm(OLD, 8)).unwrap_err().to_string();
    assert!(refusal.contains(&NEW.to_string()) && refusal.contains(&OLD.to_string()), "{refusal}");
    assert!(world.store.admit(&arm(NEW, 8)).is_ok());
    world.store.suppliers_take_over();
    assert_eq!(world.supplier(), OLD.to_string());
}

#[test]
fn voltages_are_the_network_operators_to_hear_of_where_there_is_one() {
    let swell = AlertCode(0x8024);
    let mut world = World::new();
    assert_eq!(world.store.addressees(ESME, swell), [OPERATOR]);
    assert_eq!(world.store.addressees(ESME, AlertCode::TAMPER), [OLD]);
    world.store.devices.get_mut(&ESME).unwrap().network_operator.clear();
    assert_eq!(world.store.addressees(ESME, swell), [OLD]);
    assert_eq!(world.store.addressees(DCC, swell), Vec::<Eui64>::new());
}

#[test]
fn a_supplier_renews_its_own_credentials_and_nobody_elses() {
    let mut world = World::new();
    let answer = world.ask(&world.change(RENEWAL, OLD, 7, &[])).unwrap();
    let hash =
        |which: &str| answer.find(&format!("ExecutionOutcome.ReplacementOutcome.{which}")).unwrap().unwrap();
    assert_ne!(hash("ExistingCertificateHash"), hash("NewCertificateHash"));
    assert_eq!(world.code(&world.change(RENEWAL, NEW, 8, &[])), 4005);
    let operators = [("RemotePartyRole", "NetworkOperator")];
    assert_eq!(world.code(&world.change(RENEWAL, OLD, 9, &operators)), 4005);
    let answer = world.ask(&world.change(RENEWAL, OPERATOR, 1, &operators)).unwrap();
    let mode = answer.find("ExecutionOutcome.CredentialsReplacementMode").unwrap();
    assert_eq!(mode.as_deref(), Some("NetworkOperatorByNetworkOperator"));
    assert_eq!(world.code(&world.change(RENEWAL, OPERATOR, 2, &[("RemotePartyRole", "Recovery")])), 4002);
}

#[test]
fn a_certificate_that_may_not_be_held_changes_nothing() {
    let mut world = World::new();
    let foreign = Authority::new("Lab").unwrap();
    let changes = [
        world.change_with(CHANGE, NEW, 7, &issued(&world.authority, OLD), &[]),
        world.change_with(CHANGE, NEW, 8, &issued(&foreign, NEW), &[]),
        world.change(CHANGE, NEW, 9, &[("DigitalSigningCertificate", "MIIB")]),
        world.change(CHANGE, NEW, 10, &[("Certificate[1]", "MIIB")]),
        world.change(
            CHANGE,
            NEW,
            11,
            &[("KeyAgreementCertificate", &encoded(issued(&world.authority, NEW).certificate()))],
        ),
    ];
    for change in changes {
        assert_eq!(world.code(&change), 4006, "{:?}", change.id);
        assert_eq!(world.supplier(), OLD.to_string());
    }
    // The path that a message brings along is no root of ours.
    let root = encoded(&Certificate::from_pem(foreign.pem()).unwrap());
    let change = world.change_with(CHANGE, NEW, 12, &issued(&foreign, NEW), &[("Certificate[1]", &root)]);
    let (_, words) = world.ask(&change).unwrap_err();
    assert!(words.contains("no known root vouches for it"), "{words}");
}

#[test]
fn a_certificate_out_of_its_time_is_refused_where_times_are_checked() {
    let mut world = World::new();
    let mut at = |check: &str, moment: Timestamp| {
        let change = world.change(CHANGE, NEW, 7, &[("ApplyTimeBasedCPVChecks", check)]);
        world.store.carry_out(&change, moment).unwrap().is_ok()
    };
    assert!(!at("true", Timestamp::MIN) && at("false", Timestamp::MIN) && at("true", NOW));
}

#[test]
fn what_is_not_held_is_said_to_be_not_held() {
    let mut world = World::new();
    let roles = ["ACB", "NetworkOperator", "Recovery"];
    let fields = roles.iter().zip(1..).map(|(role, n)| (format!("RemotePartyRole[{n}]"), (*role).to_owned()));
    let read = request(Srv::RetrieveDeviceSecurityCredentialsKRP, OLD, 1, &fields.collect());
    let answer = world.ask(&read).unwrap();
    let party = |n: usize| answer.find(&format!("RemotePartyDetails[{n}].ExistingRemotePartyID")).unwrap();
    assert_eq!([party(0), party(1), party(2)], [Some(DCC.to_string()), Some(OPERATOR.to_string()), None]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In whatever order counters come, each is taken once.
    #[test]
    fn no_counter_is_used_twice(counters in proptest::collection::vec(1u64..3_000, 0..2_500)) {
        let mut held = Held::new(OLD);
        let mut taken = std::collections::BTreeSet::new();
        for counter in counters {
            if held.use_counter(counter).is_ok() {
                prop_assert!(taken.insert(counter));
            }
        }
    }
}
