//! The ways of the modelled devices, as a client meets them in APDUs.

use std::time::{Duration, Instant};

use lab_config::{Lab, Security, SharedKeys};
use proto_dlms::Password;
use proto_dlms::apdu::Apdu;
use proto_dlms::client::{
    Authentication, Ciphering, ClientSession, ClientSettings, Notification, Request, Response, Step, Suite0,
};
use proto_dlms::data::{AttributeRef, CaptureObject, ClassId, Data, DataAccessResult, Obis, Selective};
use proto_dlms::gateway::Envelope;
use proto_dlms::push::{Receiver, ReceiverSettings};
use proto_dlms::security::{Challenge, CounterState, Counters, Keys, Protection, SecurityContext};

use super::*;
use crate::model::tests::NOW;

/// A client of one meter of a rig of the cohorts, without any wire.
struct Visit {
    home: Home,
    kind: DeviceKind,
    peer: Peer,
    client: ClientSession,
    /// What the meter answered to the association request.
    aare: Vec<u8>,
}

impl Visit {
    fn to(rig: &str, kind: DeviceKind) -> Self {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab-config/labs/cohorts.toml");
        let lab = Lab::load(&file).unwrap();
        let rig = lab.rig(rig).unwrap();
        let device = rig.device(kind).unwrap();
        let profile = device.model.profile.dlms().unwrap();
        let sap = profile.management_client.value;
        let security = match device.credentials.client(sap) {
            Some(Security::Low(source)) => Some(Password::new(source.secret().unwrap().expose())).into(),
            Some(Security::Gmac(shared)) => with_keys(shared).into(),
            other => panic!("no security for the management client: {other:?}"),
        };
        let mut visit = Self {
            home: Home::build(rig, NOW, 1).unwrap(),
            kind,
            peer: Peer::new(sap.get().into(), profile.server.value.logical),
            client: ClientSession::new(ClientSettings { security, ..ClientSettings::default() }),
            aare: Vec::new(),
        };
        let response = visit.ask(Request::Associate);
        assert!(matches!(response, Response::Associated(_)), "{response:?}");
        visit
    }

    fn ask(&mut self, request: Request) -> Response {
        let mut apdu = self.client.start(request).unwrap();
        loop {
            let answer = self.home.local(self.kind, self.peer, &apdu).pop().unwrap();
            if self.aare.is_empty() {
                self.aare.clone_from(&answer);
            }
            match self.client.receive(&answer).unwrap() {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return response,
                Step::Notification(_) | Step::Ignored(_) | Step::Wait => {}
            }
        }
    }

    fn get(&mut self, class: u16, obis: &str, attribute: i8) -> Data {
        self.select((class, obis, attribute), None).unwrap()
    }

    fn select(
        &mut self,
        (class, obis, attribute): (u16, &str, i8),
        selective: Option<Selective>,
    ) -> Result<Data, DataAccessResult> {
        let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute };
        match self.ask(Request::Get { attribute, selective }) {
            Response::Got(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn set(
        &mut self,
        (class, obis, attribute): (u16, &str, i8),
        value: Data,
    ) -> Result<(), DataAccessResult> {
        let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute };
        match self.ask(Request::Set { attribute, value }) {
            Response::Set(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn esme(&mut self) -> &mut Esme {
        &mut self.home.esme.as_mut().unwrap().device
    }
}

fn with_keys(shared: &SharedKeys) -> Suite0 {
    let keys = Keys {
        encryption: shared.encryption_key.key().unwrap(),
        authentication: shared.authentication_key.key().unwrap(),
    };
    let counters = Counters::held_in_memory(CounterState::default());
    Suite0 {
        context: SecurityContext::new(shared.system_title, keys, counters),
        authentication: Authentication::Gmac(Challenge::from([5; 16])),
        ciphering: Some(Ciphering {
            protection: Protection::AuthenticatedEncrypted,
            general: false,
            dedicated_key: None,
        }),
    }
}

#[test]
fn an_aare_may_lack_the_name_of_the_mechanism() {
    let mechanism = |visit: &Visit| match Apdu::decode(&visit.aare) {
        Ok(Apdu::Aare(aare)) => aare.mechanism,
        other => panic!("{other:?}"),
    };
    assert_eq!(mechanism(&Visit::to("moc-mds", DeviceKind::Esme)), None);
    assert!(mechanism(&Visit::to("foc", DeviceKind::Esme)).is_some());
}

#[test]
fn registers_come_in_the_scaler_of_the_model() {
    let mut visit = Visit::to("moc-mds", DeviceKind::Esme);
    let wh = visit.esme().import_wh();
    assert_eq!(visit.get(3, "1-0:1.8.0", 2).as_i128(), Some((wh / 10).into()));
    assert_eq!(visit.get(3, "1-0:1.8.0", 3), Data::Structure(vec![Data::I8(1), Data::Enum(30)]));
    let rows = visit.get(7, "1-0:99.1.1", 2);
    let last = rows.elements().unwrap().last().unwrap().elements().unwrap().to_vec();
    let capture = *visit.esme().profile().all().last().unwrap();
    assert_eq!(
        last[1..],
        [
            Data::U32(capture.interval.try_into().unwrap()),
            Data::U32((capture.reading / 10).try_into().unwrap())
        ]
    );
    let mut gas = Visit::to("moc-mds", DeviceKind::Gsme);
    let litres = gas.home.gsme.as_ref().unwrap().device.litres();
    assert_eq!(gas.get(3, "7-0:3.0.0", 2).as_i128(), Some((litres / 10).into()));
}

#[test]
fn buffers_may_be_had_by_entry_only_and_with_their_columns_in_another_order() {
    let mut visit = Visit::to("moc-secure", DeviceKind::Esme);
    let clock = Obis([0, 0, 1, 0, 0, 255]);
    let restricting = CaptureObject { class: ClassId(8), obis: clock, attribute: 2, data_index: 0 };
    let always = || Data::Octets(vec![0xff; 12]);
    let range = Selective::Range { restricting, from: always(), to: always(), columns: vec![] };
    let profile = (7, "1-0:99.1.0", 2);
    assert_eq!(visit.select(profile, Some(range)), Err(DataAccessResult::OtherReason));
    let last = Selective::Entry { from: 1488, to: 1488, first_column: 1, last_column: 0 };
    let rows = visit.select(profile, Some(last)).unwrap();
    let [row] = rows.elements().unwrap() else { panic!("one row") };
    let capture = *visit.esme().profile().all().last().unwrap();
    let reading = Data::U32(capture.reading.try_into().unwrap());
    assert_eq!(row.elements().unwrap()[1..], [reading, Data::U32(capture.interval.try_into().unwrap())]);
}

#[test]
fn an_apdu_is_no_longer_than_the_model_takes() {
    let max = |visit: &Visit| match Apdu::decode(&visit.aare) {
        Ok(Apdu::Aare(aare)) => aare.user_information,
        other => panic!("{other:?}"),
    };
    let ends = |visit: &Visit, size: u16| {
        // An InitiateResponse ends in the PDU size and the name of the application (IEC 62056-53, 8.3).
        max(visit).is_some_and(|octets| octets.ends_with(&[&size.to_be_bytes()[..], &[0, 7]].concat()))
    };
    assert!(ends(&Visit::to("foc", DeviceKind::Esme), 256));
    assert!(ends(&Visit::to("ioc-aclara", DeviceKind::Esme), 512));
}

#[test]
fn alerts_outside_the_set_of_the_model_stay_in_the_log() {
    let sent = |rig| {
        let mut visit = Visit::to(rig, DeviceKind::Esme);
        while visit.home.esme.as_mut().unwrap().take_alert().is_some() {}
        visit.esme().connection.core.log(Event::LocalPort, "local port used");
        visit.esme().connection.tamper();
        std::iter::from_fn(|| visit.home.esme.as_mut().unwrap().take_alert()).count()
    };
    assert_eq!((sent("ioc-secure"), sent("ioc-aclara")), (2, 1));
}

#[test]
fn a_gas_meter_shows_what_it_converts_with_and_takes_another_calorific_value() {
    let mut visit = Visit::to("ioc-secure", DeviceKind::Gsme);
    let value = (3, "7-0:54.0.0", 2);
    assert_eq!(visit.get(3, "7-0:54.0.0", 2), Data::U32(3_950));
    assert_eq!(visit.get(3, "7-0:52.0.0", 2), Data::U32(102_264));
    assert_eq!(visit.get(3, "7-0:52.0.0", 3).elements().unwrap()[0], Data::I8(-5));
    assert_eq!(visit.set(value, Data::U32(3_912)), Ok(()));
    assert_eq!(visit.get(3, "7-0:54.0.0", 2), Data::U32(3_912));
    assert_eq!(visit.set(value, Data::U32(9_999)), Err(DataAccessResult::ScopeOfAccessViolated));
    assert_eq!(visit.set(value, Data::Boolean(true)), Err(DataAccessResult::TypeUnmatched));
    let wh = visit.home.gsme.as_ref().unwrap().device.watt_hours();
    assert_eq!(visit.get(3, "7-0:33.2.0", 2).as_i128(), Some(wh.into()));
}

#[test]
fn a_gas_meter_gives_its_daily_log_and_its_billing_periods() {
    let mut visit = Visit::to("ioc-secure", DeviceKind::Gsme);
    let days = visit.get(7, "0-0:98.2.0", 2);
    let last = *visit.home.gsme.as_ref().unwrap().device.logs().days().last().unwrap();
    let row = days.elements().unwrap().last().unwrap().elements().unwrap().to_vec();
    assert_eq!(row[1], Data::U32(last.litres.try_into().unwrap()));
    assert_eq!(visit.get(7, "0-0:98.2.0", 4), Data::U32(86_400));
    visit.home.advance(NOW.plus(5 * crate::model::time::DAY));
    let periods = visit.get(7, "0-0:98.1.0", 2);
    let [_, month] = periods.elements().unwrap() else {
        panic!("a month has ended before its account and one since")
    };
    assert_eq!(month.elements().unwrap().len(), visit.get(7, "0-0:98.1.0", 3).elements().unwrap().len());
    assert_eq!(month.elements().unwrap()[4], Data::Enum(1));
}

/// What the hub sends to the head end by itself in half a minute, with when.
fn unasked(home: &mut Home, wan: WanId) -> Vec<(Moment, Vec<u8>)> {
    let mut sent = Vec::new();
    for half_second in 0..60 {
        home.advance(NOW.plus(half_second * 500));
        while let Some(message) = home.take_for_wan(wan) {
            let envelope = Envelope::decode(&message.apdu).unwrap();
            sent.push((home.now(), envelope.apdu));
        }
    }
    sent
}

fn opened_cover(visit: &mut Visit) -> WanId {
    let wan = WanId(1);
    visit.home.wan_opened(wan);
    while visit.home.take_for_wan(wan).is_some() {}
    visit.esme().connection.tamper();
    wan
}

#[test]
fn an_alert_longer_than_the_meter_says_at_once_comes_in_blocks_seconds_apart() {
    let mut visit = Visit::to("foc", DeviceKind::Esme);
    let wan = opened_cover(&mut visit);
    let sent = unasked(&mut visit.home, wan);
    assert!(sent.len() > 1 && sent.iter().all(|(_, apdu)| apdu.len() <= 64), "{sent:?}");
    assert!(sent.windows(2).all(|pair| pair[1].0.since(pair[0].0) >= 500), "{sent:?}");
    let (mut receiver, began) = (Receiver::new(ReceiverSettings::default()), Instant::now());
    for (at, apdu) in &sent {
        let after = Duration::from_millis(at.since(NOW).try_into().unwrap());
        receiver.receive(apdu, began + after, None);
    }
    let Some(Ok(Notification::Event(event))) =
        receiver.poll_event().map(|event| event.map(|event| event.notification))
    else {
        panic!("no whole alert in {sent:?}")
    };
    assert_eq!(event.value.elements().unwrap()[0], Data::U16(0x8f3f));
    assert!(receiver.poll_event().is_none());
}

#[test]
fn a_meter_that_restarts_in_the_middle_of_an_alert_never_finishes_it() {
    let mut visit = Visit::to("foc", DeviceKind::Esme);
    let wan = opened_cover(&mut visit);
    visit.home.advance(NOW.plus(250));
    visit.home.restart(DeviceKind::Esme);
    let sent = unasked(&mut visit.home, wan);
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[test]
fn each_logical_device_has_associations_of_its_own_and_one_that_is_not_there_says_nothing() {
    let mut visit = Visit::to("foc", DeviceKind::Esme);
    let public = |home: &mut Home, server, apdu: &[u8]| {
        home.local(DeviceKind::Esme, Peer::new(16, server), apdu).pop()
    };
    let client = || ClientSession::new(ClientSettings::default());
    for (server, is_there) in [(1, true), (2, true), (3, false), (0, false), (u16::MAX, false)] {
        let aarq = client().start(Request::Associate).unwrap();
        assert_eq!(public(&mut visit.home, server, &aarq).is_some(), is_there, "logical device {server}");
    }
    // Released in one, the client is still associated with the other.
    let mut session = client();
    let rlrq = session.start(Request::Release).unwrap();
    assert!(public(&mut visit.home, 2, &rlrq).is_some());
    let name = AttributeRef { class: ClassId(1), obis: Obis([0, 0, 42, 0, 0, 255]), attribute: 2 };
    let get = client().start(Request::Get { attribute: name, selective: None }).unwrap();
    assert_eq!(public(&mut visit.home, 1, &get).unwrap()[0], 0xC4, "an answer to the GET");
    assert_eq!(public(&mut visit.home, 2, &get).unwrap()[0], 0xD8, "an exception");
}
