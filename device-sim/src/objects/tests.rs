use lab_config::{DeviceKind, Lab, Profile};
use proptest::prelude::*;
use proto_dlms::Password;
use proto_dlms::client::{ClientSession, ClientSettings, Request, Response, Step};
use proto_dlms::data::{CaptureObject, MethodRef, Obis};
use proto_dlms::security::SystemTitle;
use proto_dlms::server::{ServerSession, ServerSettings};
use proto_duis::utrn::Utrn;

use super::*;
use crate::model::esme::Esme;
use crate::model::tests::{NOW, contract, key};
use crate::model::time::HALF_HOUR;

mod configuration;
mod electricity;

/// A meter with a client associated to it, without any wire.
struct Bench {
    meter: Esme,
    shell: Shell,
    server: ServerSession,
    client: ClientSession,
}

impl Bench {
    fn new(client: u16) -> Self {
        let lab = Lab::embedded().unwrap();
        let device = lab.rigs[0].device(DeviceKind::Esme).unwrap();
        let Profile::Dlms(profile) = &device.model.profile else { panic!("a DLMS device") };
        let mut access = Access::new(
            SystemTitle(device.eui64.octets()),
            profile,
            &device.credentials,
            &StateFolder::none(),
        )
        .unwrap();
        access.change_passwords(b"right");
        let directory = Directory::new(DeviceKind::Esme, profile);
        let mut bench = Self {
            meter: Esme::installed(&contract(DeviceKind::Esme), 7, NOW),
            shell: Shell {
                directory,
                access,
                sign: DeviationSign::Standard,
                logical: 1,
                application: None,
                model: device.model.clone(),
            },
            server: ServerSession::new(Peer::new(client, 1), ServerSettings::default()),
            client: ClientSession::new(settings(client)),
        };
        assert!(matches!(bench.ask(Request::Associate), Response::Associated(_)));
        bench
    }

    fn ask(&mut self, request: Request) -> Response {
        let mut face = Face { device: &mut self.meter, shell: &mut self.shell, from_afar: true };
        let mut apdu = self.client.start(request).unwrap();
        loop {
            match self.client.receive(&self.server.receive(&apdu, &mut face).unwrap()).unwrap() {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return response,
                Step::Notification(_) | Step::Ignored(_) | Step::Wait => {}
            }
        }
    }

    fn get(&mut self, class: u16, obis: &str, attribute: i8) -> Result<Data, DataAccessResult> {
        self.select(class, obis, attribute, None)
    }

    fn select(
        &mut self,
        class: u16,
        obis: &str,
        attribute: i8,
        selective: Option<Selective>,
    ) -> Result<Data, DataAccessResult> {
        let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute };
        match self.ask(Request::Get { attribute, selective }) {
            Response::Got(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self, class: u16, obis: &str, attribute: i8, value: Data) -> Result<(), DataAccessResult> {
        let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute };
        match self.ask(Request::Set { attribute, value }) {
            Response::Set(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self, class: u16, obis: &str, method: i8, parameter: Data) -> Result<(), ActionResult> {
        let method = MethodRef { class: ClassId(class), obis: obis.parse().unwrap(), method };
        match self.ask(Request::Act { method, parameter: Some(parameter) }) {
            Response::Acted(acted) => acted.result,
            other => panic!("{other:?}"),
        }
    }
}

fn settings(client: u16) -> ClientSettings {
    match client {
        16 => ClientSettings::default(),
        _ => ClientSettings { security: Some(Password::new(*b"right")).into(), ..ClientSettings::default() },
    }
}

#[test]
fn registers_have_a_value_a_unit_and_a_scaler() {
    let mut bench = Bench::new(1);
    let wh = u32::try_from(bench.meter.import_wh()).unwrap();
    assert_eq!(bench.get(3, "1-0:1.8.0", 2), Ok(Data::U32(wh)));
    let unit = Data::Structure(vec![Data::I8(0), Data::Enum(30)]);
    assert_eq!(bench.get(3, "1-0:1.8.0", 3), Ok(unit));
    assert_eq!(bench.get(3, "1-0:1.8.60", 2), Err(DataAccessResult::ObjectUndefined));
    assert_eq!(bench.get(4, "1-0:1.8.0", 2), Err(DataAccessResult::ObjectClassInconsistent));
    assert_eq!(bench.get(3, "1-0:1.8.0", 7), Err(DataAccessResult::ReadWriteDenied));
}

#[test]
fn every_attribute_the_object_list_promises_can_be_read() {
    let mut bench = Bench::new(1);
    let specs: Vec<Spec> = bench.shell.directory.all().copied().collect();
    for spec in specs {
        for attribute in spec.readable {
            let read = bench.get(spec.class.0, &spec.obis.to_string(), *attribute);
            assert!(read.is_ok(), "{:?} attribute {attribute}: {read:?}", spec.role);
        }
    }
}

#[test]
fn the_public_client_learns_who_and_when_and_nothing_else() {
    let mut bench = Bench::new(16);
    assert!(bench.get(1, "0-0:96.1.0", 2).is_ok() && bench.get(8, "0-0:1.0.0", 2).is_ok());
    assert_eq!(bench.get(3, "1-0:1.8.0", 2), Err(DataAccessResult::ReadWriteDenied));
    let arm = bench.act(9, "0-0:10.0.106", 1, Data::U16(2));
    assert_eq!(arm, Err(ActionResult::ReadWriteDenied));
}

#[test]
fn a_wrong_password_is_refused_and_logged() {
    let mut bench = Bench::new(1);
    bench.shell.access.change_passwords(b"other");
    let refused = bench.ask(Request::Associate);
    assert!(!matches!(refused, Response::Associated(_)), "{refused:?}");
    let logged = bench.meter.connection.core.journal.security().last().unwrap();
    assert_eq!(logged.event, Event::UnauthorisedAccess);
}

#[test]
fn the_profile_gives_what_is_asked_of_it() {
    let mut bench = Bench::new(1);
    let count = |data: Data| data.elements().unwrap().len();
    assert_eq!(bench.get(7, "1-0:99.1.0", 2).map(count), Ok(1488));
    assert_eq!(bench.get(7, "1-0:99.1.0", 7), Ok(Data::U32(1488)));
    let clock = CaptureObject {
        class: ClassId(8),
        obis: "0-0:1.0.0".parse::<Obis>().unwrap(),
        attribute: 2,
        data_index: 0,
    };
    let at = |back: i64| stamp(bench.meter.connection.core.shown().plus(-back), DeviationSign::Standard);
    let (from, to) = (at(24 * 2 * HALF_HOUR), at(0));
    let range = Selective::Range { restricting: clock, from, to, columns: vec![] };
    assert_eq!(bench.select(7, "1-0:99.1.0", 2, Some(range)).map(count), Ok(48));
    let entry = Selective::Entry { from: 1, to: 3, first_column: 1, last_column: 2 };
    let rows = bench.select(7, "1-0:99.1.0", 2, Some(entry.clone())).unwrap();
    assert!(rows.elements().unwrap().iter().all(|row| row.elements().unwrap().len() == 2));
    assert_eq!(bench.select(3, "1-0:1.8.0", 2, Some(entry)), Err(DataAccessResult::ScopeOfAccessViolated));
}

#[test]
fn the_clock_is_set_and_shifted() {
    let mut bench = Bench::new(1);
    let to = MeterTime::from_millis(1_790_000_000_000);
    assert_eq!(bench.set(8, "0-0:1.0.0", 2, stamp(to, DeviationSign::Standard)), Ok(()));
    assert_eq!(bench.meter.connection.core.shown(), to);
    assert_eq!(bench.act(8, "0-0:1.0.0", 6, Data::I16(-30)), Ok(()));
    assert_eq!(bench.meter.connection.core.shown(), to.plus(-30_000));
    assert_eq!(bench.act(8, "0-0:1.0.0", 6, Data::I16(901)), Err(ActionResult::ScopeOfAccessViolated));
    assert_eq!(bench.set(8, "0-0:1.0.0", 2, Data::U8(1)), Err(DataAccessResult::TypeUnmatched));
}

#[test]
fn supply_is_disabled_armed_and_waits_for_keys() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.get(70, "0-0:96.3.10", 3), Ok(Data::Enum(1)));
    assert_eq!(bench.act(9, "0-0:10.0.106", 1, Data::U16(1)), Ok(()));
    assert_eq!(bench.get(70, "0-0:96.3.10", 2), Ok(Data::Boolean(false)));
    assert_eq!(bench.act(70, "0-0:96.3.10", 2, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(70, "0-0:96.3.10", 3), Ok(Data::Enum(2)));
    assert_eq!(bench.act(9, "0-0:10.0.106", 1, Data::U16(9)), Err(ActionResult::ScopeOfAccessViolated));
}

#[test]
fn a_token_tops_up_once() {
    let mut bench = Bench::new(1);
    let Ok(Data::I32(before)) = bench.get(112, "0-0:19.10.0", 2) else { panic!("a balance") };
    let token = Data::Octets(Utrn::make(&key(), 5, 700).unwrap().to_string().into_bytes());
    assert_eq!(bench.act(115, "0-0:19.40.0", 1, token.clone()), Ok(()));
    assert_eq!(bench.get(112, "0-0:19.10.0", 2), Ok(Data::I32(before + 700_000)));
    assert_eq!(bench.act(115, "0-0:19.40.0", 1, token), Err(ActionResult::OtherReason));
    let Ok(Data::Structure(status)) = bench.get(115, "0-0:19.40.0", 6) else { panic!("a status") };
    assert_eq!(status[0], Data::Enum(6));
}

#[test]
fn prices_are_held_ready_and_activated() {
    let mut bench = Bench::new(1);
    let element = |index, steps| Data::Structure(vec![Data::Octets(vec![index]), Data::I16(steps)]);
    let charges = Data::Array(vec![element(1, 3120), element(2, 1010)]);
    assert_eq!(bench.act(113, "0-0:19.20.0", 1, charges), Ok(()));
    assert_eq!(bench.act(113, "0-0:19.20.0", 2, Data::I8(0)), Ok(()));
    assert_eq!(bench.meter.connection.prices().unit[0].get(), 31_200);
    let standing = bench.act(113, "0-0:19.20.4", 2, Data::I8(0));
    assert_eq!(standing, Err(ActionResult::ObjectUnavailable), "each charge is held by itself");
    let nothing_held = bench.act(113, "0-0:19.20.0", 2, Data::I8(0));
    assert_eq!(nothing_held, Err(ActionResult::ObjectUnavailable));
    let negative = Data::Array(vec![element(1, -1)]);
    assert_eq!(bench.set(113, "0-0:19.20.0", 6, negative), Err(DataAccessResult::ScopeOfAccessViolated));
}

#[test]
fn the_calendar_written_back_is_the_calendar() {
    let mut bench = Bench::new(1);
    let table = bench.get(20, "0-0:13.0.0", 5).unwrap();
    assert_eq!(bench.set(20, "0-0:13.0.0", 9, table), Ok(()));
    let before = bench.meter.tariff.active().parts().days.clone();
    assert_eq!(bench.act(20, "0-0:13.0.0", 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.meter.tariff.active().parts().days, before);
}

#[test]
fn payment_mode_and_password_change() {
    let mut bench = Bench::new(1);
    let credit = Data::Structure(vec![Data::Enum(1), Data::Enum(2)]);
    assert_eq!(bench.set(111, "0-0:19.0.0", 2, credit.clone()), Ok(()));
    assert_eq!(bench.get(111, "0-0:19.0.0", 2), Ok(credit));
    assert_eq!(bench.set(15, "0-0:40.0.0", 7, Data::Octets(b"another".to_vec())), Ok(()));
    assert!(!matches!(bench.ask(Request::Associate), Response::Associated(_)));
}

#[test]
fn an_alert_names_the_event_log_and_carries_code_time_and_words() {
    let mut bench = Bench::new(1);
    bench.meter.connection.tamper();
    let entry = bench.meter.connection.core.journal.take_alert().unwrap();
    let Notification::Event(event) = alert(&entry, &bench.shell) else { panic!("an event notification") };
    let value = event.value.elements().unwrap();
    assert_eq!((event.attribute.class, &value[0]), (ClassId(7), &Data::U16(0x8f3f)));
    assert_eq!(value[2].as_octets(), Some(&b"terminal cover opened"[..]));
}

fn data() -> impl Strategy<Value = Data> {
    let leaf = prop_oneof![
        Just(Data::Null),
        any::<i16>().prop_map(Data::I16),
        any::<u32>().prop_map(Data::U32),
        any::<i64>().prop_map(Data::I64),
        any::<u8>().prop_map(Data::Enum),
        proptest::collection::vec(any::<u8>(), 0..25).prop_map(Data::Octets),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Data::Structure))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Whatever is written to or invoked on whatever, the meter answers and its balance has a cause.
    #[test]
    fn no_value_breaks_the_meter(values in proptest::collection::vec((0usize..80, 0i8..12, data()), 1..60)) {
        let mut bench = Bench::new(1);
        let specs: Vec<Spec> = bench.shell.directory.all().copied().collect();
        for (index, member, value) in values {
            let spec = specs[index % specs.len()];
            if spec.role == Role::Association {
                continue;
            }
            let obis = spec.obis.to_string();
            let _ = bench.set(spec.class.0, &obis, member, value.clone());
            let _ = bench.act(spec.class.0, &obis, member, value);
            let account = bench.meter.connection.account();
            prop_assert_eq!(account.balance(), account.opening() + account.ledger().total());
        }
    }
}
