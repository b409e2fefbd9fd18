//! A meter whose management client has keys, before a client of ours, without any wire.

use std::collections::BTreeMap;

use lab_config::{
    ClientSap, ClientSecurity, Credentials as LabCredentials, DeviceKind, Fact, KeySource, Lab, Secret,
    SecretSource, Security, SharedKeys,
};
use proto_dlms::apdu::{ServiceError, StateError};
use proto_dlms::client::{
    Authentication, Ciphering, ClientError, ClientSession, ClientSettings, Request, Response, Step, Suite0,
};
use proto_dlms::data::{ActionResult, AttributeRef, ClassId, Data, MethodRef};
use proto_dlms::security::{
    Challenge, CounterState, Counters, InvocationCounter, Key, KeyId, Keys, Protection, SecurityContext,
    SystemTitle, key_transfer,
};
use proto_dlms::server::{Peer, ServerSession, ServerSettings};

use super::memory::tests::Folder;
use super::*;
use crate::model::esme::Esme;
use crate::model::tests::{NOW, contract};

const MANAGEMENT: u16 = 1;
const PUBLIC: u16 = 16;
const CLIENT: SystemTitle = SharedKeys::USUAL_TITLE;

struct Bench {
    meter: Esme,
    shell: Shell,
    keys: Keys,
    master: Key,
}

fn generated() -> KeySource {
    KeySource(SecretSource::Generated(Secret::random_suite_key()))
}

impl Bench {
    fn new() -> Self {
        let shared = SharedKeys {
            system_title: CLIENT,
            encryption_key: generated(),
            authentication_key: generated(),
            master_key: Some(generated()),
            dedicated_key: false,
        };
        Self::with(shared, &StateFolder::none())
    }

    /// A meter that shares these keys with its management client, and keeps its counters there.
    fn with(shared: SharedKeys, state: &StateFolder) -> Self {
        let lab = Lab::embedded().unwrap();
        let device = lab.rigs[0].device(DeviceKind::Esme).unwrap();
        let mut profile = device.model.profile.dlms().unwrap().clone();
        profile.security =
            BTreeMap::from([(ClientSap::MANAGEMENT, Fact { value: ClientSecurity::KEYS, verified: false })]);
        let keys = Keys {
            encryption: shared.encryption_key.key().unwrap(),
            authentication: shared.authentication_key.key().unwrap(),
        };
        let master = shared.master_key.as_ref().unwrap().key().unwrap();
        let clients = BTreeMap::from([(ClientSap::MANAGEMENT, Security::Gmac(shared))]);
        let credentials = LabCredentials { clients, vending_key: None };
        let title = SystemTitle(device.eui64.octets());
        let shell = Shell {
            directory: Directory::new(DeviceKind::Esme, &profile),
            access: Access::new(title, &profile, &credentials, state).unwrap(),
            sign: DeviationSign::Standard,
            logical: 1,
            application: None,
            model: device.model.clone(),
        };
        Self { meter: Esme::installed(&contract(DeviceKind::Esme), 7, NOW), shell, keys, master }
    }

    fn serve(&mut self, server: &mut ServerSession, apdu: &[u8]) -> Vec<u8> {
        let mut face = Face { device: &mut self.meter, shell: &mut self.shell, from_afar: true };
        let answer = server.receive(apdu, &mut face).unwrap();
        self.shell.access.keep().unwrap();
        answer
    }

    fn ask(
        &mut self,
        server: &mut ServerSession,
        client: &mut ClientSession,
        request: Request,
    ) -> Result<Response, ClientError> {
        let mut apdu = client.start(request)?;
        loop {
            match client.receive(&self.serve(server, &apdu))? {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return Ok(response),
                Step::Wait | Step::Notification(_) | Step::Ignored(_) => {}
            }
        }
    }

    /// Both ends of an association of the management client, which has sent so many messages before.
    fn ends(&self, keys: Keys, sent: u32) -> (ServerSession, ClientSession) {
        let state = CounterState { sent: Some(InvocationCounter(sent)), ..CounterState::default() };
        let suite = Suite0 {
            context: SecurityContext::new(CLIENT, keys, Counters::held_in_memory(state)),
            authentication: Authentication::Gmac(Challenge::from([7; 16])),
            ciphering: Some(Ciphering {
                protection: Protection::AuthenticatedEncrypted,
                general: false,
                dedicated_key: None,
            }),
        };
        let settings = ClientSettings { security: suite.into(), ..ClientSettings::default() };
        let server = ServerSession::new(Peer::new(MANAGEMENT, 1), ServerSettings::default());
        (server, ClientSession::new(settings))
    }

    fn public(&mut self, obis: &str) -> Response {
        let mut server = ServerSession::new(Peer::new(PUBLIC, 1), ServerSettings::default());
        let mut client = ClientSession::new(ClientSettings::default());
        self.ask(&mut server, &mut client, Request::Associate).unwrap();
        self.ask(&mut server, &mut client, get(1, obis, 2)).unwrap()
    }

    /// A request of the public client to the logical device at this address.
    fn public_at(&mut self, server: u16, request: Request) -> Response {
        let mut session = ServerSession::new(Peer::new(PUBLIC, server), ServerSettings::default());
        let mut client = ClientSession::new(ClientSettings::default());
        self.ask(&mut session, &mut client, Request::Associate).unwrap();
        self.ask(&mut session, &mut client, request).unwrap()
    }

    fn breaches(&self) -> Vec<String> {
        self.meter.core().journal.security().map(|entry| entry.text.clone()).collect()
    }
}

fn get(class: u16, obis: &str, attribute: i8) -> Request {
    let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute };
    Request::Get { attribute, selective: None }
}

#[test]
fn a_client_with_the_keys_is_let_in_and_reads_how_it_is_protected() {
    let mut bench = Bench::new();
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 0);
    assert!(matches!(bench.ask(&mut server, &mut client, Request::Associate), Ok(Response::Associated(_))));
    let mut read =
        |class, obis, attribute| match bench.ask(&mut server, &mut client, get(class, obis, attribute)) {
            Ok(Response::Got(Ok(data))) => data,
            other => panic!("{other:?}"),
        };
    assert!(matches!(read(3, "1-0:1.8.0", 2), Data::U32(_)));
    assert_eq!(read(15, "0-0:40.0.0", 6).as_octets().unwrap().last(), Some(&5), "mechanism GMAC");
    assert_eq!(read(15, "0-0:40.0.0", 4).as_octets().unwrap().last(), Some(&3), "ciphered context");
    assert_eq!(read(64, "0-0:43.0.1", 2), Data::Enum(3), "authenticated and encrypted");
    assert_eq!(read(64, "0-0:43.0.1", 4), Data::Octets(CLIENT.octets().to_vec()));
}

#[test]
fn the_public_client_reads_the_counter_and_it_goes_on_over_associations() {
    let mut bench = Bench::new();
    assert_eq!(bench.public("0-0:43.1.1"), Response::Got(Ok(Data::U32(0))));
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 100);
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    bench.ask(&mut server, &mut client, Request::Release).unwrap();
    let Response::Got(Ok(Data::U32(counter))) = bench.public("0-0:43.1.1") else { panic!("no counter") };
    assert!((101..110).contains(&counter), "{counter}");
}

#[test]
fn wrong_keys_are_refused_and_logged() {
    let mut bench = Bench::new();
    let wrong = Keys { encryption: Key::new([1; 16]), authentication: Key::new([2; 16]) };
    let (mut server, mut client) = bench.ends(wrong, 0);
    let refused = bench.ask(&mut server, &mut client, Request::Associate);
    assert!(!matches!(refused, Ok(Response::Associated(_))), "{refused:?}");
    assert!(!server.is_associated());
    assert!(bench.breaches().iter().any(|text| text.contains("tag is wrong")), "{:?}", bench.breaches());
}

#[test]
fn a_counter_behind_is_refused_and_the_refusal_says_which_is_expected() {
    let mut bench = Bench::new();
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 500);
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 3);
    let Ok(Response::Exception(exception)) = bench.ask(&mut server, &mut client, Request::Associate) else {
        panic!("not refused with an exception")
    };
    assert_eq!(exception.state, StateError::ServiceUnknown);
    let ServiceError::InvocationCounter { expected: Some(expected) } = exception.service else {
        panic!("{exception}")
    };
    assert!(expected > 500, "{expected}");
}

#[test]
fn a_message_heard_twice_is_answered_once() {
    let mut bench = Bench::new();
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 0);
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    let apdu = client.start(get(3, "1-0:1.8.0", 2)).unwrap();
    let first = bench.serve(&mut server, &apdu);
    assert_eq!(first[0], 0xCC, "a ciphered answer");
    let again = bench.serve(&mut server, &apdu);
    assert_eq!(again[0], 0xD8, "an exception: {}", hex(&again));
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

#[test]
fn a_client_without_keys_is_refused() {
    let mut bench = Bench::new();
    let mut server = ServerSession::new(Peer::new(MANAGEMENT, 1), ServerSettings::default());
    let mut client = ClientSession::new(ClientSettings::default());
    let refused = bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    assert!(matches!(refused, Response::Refused(_)), "{refused:?}");
}

#[test]
fn other_keys_are_put_in_place_and_the_own_ones_back_with_their_counters() {
    let mut bench = Bench::new();
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 20);
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    let before = bench.shell.access.shown(MANAGEMENT).unwrap();
    let own = bench.shell.access.mistake(b"other", [9; 16]);
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 40);
    let refused = bench.ask(&mut server, &mut client, Request::Associate);
    assert!(!matches!(refused, Ok(Response::Associated(_))));
    bench.shell.access = own;
    assert_eq!(bench.shell.access.shown(MANAGEMENT), Some(before));
}

#[test]
fn an_application_logical_device_has_what_is_measured_and_nothing_of_management() {
    let mut bench = Bench::new();
    bench.shell.application = Some(2);
    let mut data = |server, request| match bench.public_at(server, request) {
        Response::Got(result) => result,
        other => panic!("{other:?}"),
    };
    let name = |data: Data| String::from_utf8(data.as_octets().unwrap().to_vec()).unwrap();
    let management = name(data(1, get(1, "0-0:42.0.0", 2)).unwrap());
    let application = name(data(2, get(1, "0-0:42.0.0", 2)).unwrap());
    assert_eq!(application, format!("{management}/2"));
    let there = data(1, get(15, "0-0:40.0.0", 2)).unwrap().elements().unwrap().len();
    let here = data(2, get(15, "0-0:40.0.0", 2)).unwrap().elements().unwrap().len();
    assert!(here < there, "{here} of {there} objects");
    assert_eq!(data(2, get(112, "0-0:19.10.0", 2)), Err(DataAccessResult::ObjectUndefined));
    let assigned = data(1, get(17, "0-0:41.0.0", 2)).unwrap();
    let saps: Vec<_> =
        assigned.elements().unwrap().iter().map(|one| one.elements().unwrap()[0].clone()).collect();
    assert_eq!(saps, [Data::U16(1), Data::U16(2)]);
}

/// Keys in files, which outlive the process.
fn lasting(folder: &Folder, name: &str) -> KeySource {
    let path = folder.path().join(name);
    std::fs::create_dir_all(folder.path()).unwrap();
    if !path.exists() {
        std::fs::write(&path, hex(&rand::random::<[u8; 16]>())).unwrap();
    }
    KeySource(SecretSource::File(path))
}

fn lasting_keys(folder: &Folder) -> SharedKeys {
    let (encryption_key, authentication_key) =
        (lasting(folder, "encryption"), lasting(folder, "authentication"));
    let master_key = Some(lasting(folder, "master"));
    SharedKeys { system_title: CLIENT, encryption_key, authentication_key, master_key, dedicated_key: false }
}

/// The invocation counter of a ciphered answer (tag, length, security control, counter).
fn counter_of(answer: &[u8]) -> u32 {
    assert_eq!(answer[0], 0xCC, "{}", hex(answer));
    u32::from_be_bytes(answer[3..7].try_into().unwrap())
}

#[test]
fn after_a_restart_no_number_is_used_again_and_nothing_is_taken_twice() {
    let folder = Folder::new();
    let mut bench = Bench::with(lasting_keys(&folder), &folder.state());
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 50);
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    let apdu = client.start(get(3, "1-0:1.8.0", 2)).unwrap();
    let last = counter_of(&bench.serve(&mut server, &apdu));
    let seen = bench.shell.access.shown(MANAGEMENT).unwrap().counter;
    drop(bench);

    let mut bench = Bench::with(lasting_keys(&folder), &folder.state());
    assert_eq!(bench.public("0-0:43.1.0"), Response::Got(Err(DataAccessResult::ObjectUndefined)));
    assert_eq!(bench.public("0-0:43.1.1"), Response::Got(Ok(Data::U32(seen))), "what it has seen");
    let (mut server, mut client) = bench.ends(bench.keys.clone(), seen - 1);
    let refused = bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    assert!(matches!(refused, Response::Exception(_)), "a number it had before: {refused:?}");
    let (mut server, mut client) = bench.ends(bench.keys.clone(), seen);
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    let apdu = client.start(get(3, "1-0:1.8.0", 2)).unwrap();
    let next = counter_of(&bench.serve(&mut server, &apdu));
    assert!(next > last, "{next} after {last}");
}

#[test]
fn a_device_that_cannot_write_its_counters_down_ciphers_nothing() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let mut bench = Bench::with(lasting_keys(&folder), &StateFolder::at(state.clone()));
    std::fs::write(state, "a file where the folder was to be").unwrap();
    let (mut server, mut client) = bench.ends(bench.keys.clone(), 0);
    let apdu = client.start(Request::Associate).unwrap();
    let mut face = Face { device: &mut bench.meter, shell: &mut bench.shell, from_afar: true };
    let answer = server.receive(&apdu, &mut face);
    assert!(!server.is_associated(), "{answer:?}");
    assert!(bench.shell.access.keep().is_err());
}

fn transfer(parameter: Data) -> Request {
    let method = MethodRef { class: ClassId(64), obis: "0-0:43.0.1".parse().unwrap(), method: 2 };
    Request::Act { method, parameter: Some(parameter) }
}

fn new_keys() -> Keys {
    Keys { encryption: Key::new([0xE1; 16]), authentication: Key::new([0xA1; 16]) }
}

fn both(master: &Key, keys: &Keys) -> Data {
    key_transfer(
        master,
        &[(KeyId::Encryption, &keys.encryption), (KeyId::Authentication, &keys.authentication)],
    )
}

impl Bench {
    /// Whether a client with these keys, counting on from there, is let in.
    fn lets_in(&mut self, keys: Keys, sent: u32) -> bool {
        let (mut server, mut client) = self.ends(keys, sent);
        matches!(self.ask(&mut server, &mut client, Request::Associate), Ok(Response::Associated(_)))
    }

    fn transfers(&mut self, sent: u32, parameter: Data) -> Result<(), ActionResult> {
        let (mut server, mut client) = self.ends(self.keys.clone(), sent);
        self.ask(&mut server, &mut client, Request::Associate).unwrap();
        match self.ask(&mut server, &mut client, transfer(parameter)).unwrap() {
            Response::Acted(returned) => returned.result,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn transferred_keys_are_in_force_from_the_answer_on_and_after_a_restart() {
    let folder = Folder::new();
    let mut bench = Bench::with(lasting_keys(&folder), &folder.state());
    let parameter = both(&bench.master, &new_keys());
    // The answer is read with the old keys: the client has no others yet.
    assert_eq!(bench.transfers(0, parameter), Ok(()));
    let old = bench.keys.clone();
    assert!(!bench.lets_in(old.clone(), 100), "the old keys are still in force");
    assert!(bench.lets_in(new_keys(), 0), "counters begin anew under new keys");
    drop(bench);

    let mut bench = Bench::with(lasting_keys(&folder), &folder.state());
    assert!(!bench.lets_in(old, 200), "the lab file's keys are in force again");
    assert!(!bench.lets_in(new_keys(), 0), "a number under the new keys is taken twice");
    assert!(bench.lets_in(new_keys(), 100));
    let state = std::fs::read_to_string(folder.path().join("00DB123456789003.json")).unwrap();
    assert!(!state.contains(&"E1".repeat(16)), "a key stands there in clear: {state}");
}

#[test]
fn keys_under_another_master_key_are_refused_and_logged_and_none_of_them_is_taken() {
    let mut bench = Bench::new();
    let master = bench.master.clone();
    let keys = new_keys();
    let wrapped = |master: &Key, id, key: &Key| match key_transfer(master, &[(id, key)]) {
        Data::Array(mut elements) => elements.remove(0),
        other => panic!("{other:?}"),
    };
    let other = Key::new([0x77; 16]);
    let half = Data::Array(vec![
        wrapped(&master, KeyId::Encryption, &keys.encryption),
        wrapped(&other, KeyId::Authentication, &keys.authentication),
    ]);
    let refused = Err(ActionResult::OtherReason);
    assert_eq!(bench.transfers(0, both(&other, &keys)), refused);
    assert_eq!(bench.transfers(100, half), refused);
    let broadcast = key_transfer(&master, &[(KeyId::Broadcast, &keys.encryption)]);
    assert_eq!(bench.transfers(200, broadcast), refused);
    assert_eq!(bench.transfers(300, Data::Null), Err(ActionResult::TypeUnmatched));
    assert!(bench.lets_in(bench.keys.clone(), 400), "the own keys are no longer in force");
    assert!(
        bench.breaches().iter().any(|text| text.contains("another master key")),
        "{:?}",
        bench.breaches()
    );
}

#[test]
fn a_key_that_was_in_force_before_goes_on_with_its_counters() {
    let mut bench = Bench::new();
    let (master, old) = (bench.master.clone(), bench.keys.clone());
    assert_eq!(bench.transfers(50, both(&master, &new_keys())), Ok(()));
    bench.keys = new_keys();
    assert_eq!(bench.transfers(0, both(&master, &old)), Ok(()));
    assert!(!bench.lets_in(old.clone(), 10), "a number the device had before the change");
    assert!(bench.lets_in(old, 100));
}

#[test]
fn a_client_may_give_its_association_a_key_of_its_own() {
    let mut bench = Bench::new();
    let state = CounterState::default();
    let suite = Suite0 {
        context: SecurityContext::new(CLIENT, bench.keys.clone(), Counters::held_in_memory(state)),
        authentication: Authentication::Gmac(Challenge::from([7; 16])),
        ciphering: Some(Ciphering {
            protection: Protection::AuthenticatedEncrypted,
            general: false,
            dedicated_key: Some(Key::new([0xDE; 16])),
        }),
    };
    let mut client =
        ClientSession::new(ClientSettings { security: suite.into(), ..ClientSettings::default() });
    let mut server = ServerSession::new(Peer::new(MANAGEMENT, 1), ServerSettings::default());
    bench.ask(&mut server, &mut client, Request::Associate).unwrap();
    let apdu = client.start(get(3, "1-0:1.8.0", 2)).unwrap();
    assert_eq!(apdu[0], 0xD0, "GET ciphered with the dedicated key");
    assert_eq!(bench.serve(&mut server, &apdu)[0], 0xD4);
}
