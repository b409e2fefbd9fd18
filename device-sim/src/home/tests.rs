use lab_config::{Lab, Security};
use proptest::prelude::*;
use proto_dlms::Password;
use proto_dlms::apdu::Apdu;
use proto_dlms::client::{ClientSession, ClientSettings, Request, Response, Step};
use proto_dlms::data::{AttributeRef, ClassId, Data, DataAccessResult, DeviationSign};
use proto_dlms::gateway::{Direction as Way, Envelope, PhysicalAddress};
use proto_zigbee::basic;

use super::*;
use crate::model::tests::NOW;
use crate::model::time::HALF_HOUR;

const WAN: WanId = WanId(1);

fn lab() -> Lab {
    Lab::embedded().unwrap()
}

fn home(lab: &Lab) -> Home {
    let mut home = Home::build(&lab.rigs[0], NOW, 1).unwrap();
    home.wan_opened(WAN);
    home
}

fn eui64(lab: &Lab, kind: DeviceKind) -> Eui64 {
    lab.rigs[0].device(kind).unwrap().eui64
}

fn settings(lab: &Lab, kind: DeviceKind) -> ClientSettings {
    let device = lab.rigs[0].device(kind).unwrap();
    let Some(Security::Low(source)) = device.credentials.client(lab_config::ClientSap::MANAGEMENT) else {
        panic!("a password")
    };
    let password = Password::new(source.secret().unwrap().expose());
    ClientSettings { security: Some(password).into(), ..ClientSettings::default() }
}

/// Sends an APDU to a device as the management client; what came back, without wrapper and header.
fn send(home: &mut Home, to: Option<Eui64>, apdu: Vec<u8>) -> Vec<Vec<u8>> {
    let apdu = match to {
        None => apdu,
        Some(to) => {
            let physical_address = PhysicalAddress::from(to.octets());
            Envelope { direction: Way::Request, network_id: 0, physical_address, apdu }.encode()
        }
    };
    home.receive_from_wan(WAN, &Message { source: 1, destination: 1, apdu });
    take(home).into_iter().map(|(_, apdu)| apdu).collect()
}

fn take(home: &mut Home) -> Vec<(Option<Eui64>, Vec<u8>)> {
    let messages = std::iter::from_fn(|| home.take_for_wan(WAN));
    messages
        .map(|message| {
            if !Envelope::is_present(&message.apdu) {
                return (None, message.apdu);
            }
            let envelope = Envelope::decode(&message.apdu).unwrap();
            assert_eq!(envelope.direction, Way::Response);
            let octets: [u8; 8] = envelope.physical_address.octets().try_into().unwrap();
            (Some(Eui64::new(octets)), envelope.apdu)
        })
        .collect()
}

fn ask(home: &mut Home, client: &mut ClientSession, to: Option<Eui64>, request: Request) -> Response {
    let mut apdu = client.start(request).unwrap();
    loop {
        let mut answers = send(home, to, apdu);
        match client.receive(&answers.remove(0)).unwrap() {
            Step::Send(next) => apdu = next,
            Step::Done(response) => return response,
            Step::Notification(_) | Step::Ignored(_) | Step::Wait => panic!("an answer"),
        }
    }
}

/// The code of an alert.
fn code(apdu: &[u8]) -> Data {
    match Apdu::decode(apdu) {
        Ok(Apdu::EventNotification(event)) => event.value.elements().unwrap()[0].clone(),
        other => panic!("{other:?}"),
    }
}

fn get(class: u16, obis: &str) -> Request {
    let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute: 2 };
    Request::Get { attribute, selective: None }
}

fn associated(home: &mut Home, lab: &Lab, kind: DeviceKind, to: Option<Eui64>) -> ClientSession {
    let mut client = ClientSession::new(settings(lab, kind));
    let answer = ask(home, &mut client, to, Request::Associate);
    assert!(matches!(answer, Response::Associated(_)), "{answer:?}");
    client
}

#[test]
fn the_hub_answers_for_itself_and_routes_to_the_meter() {
    let lab = lab();
    let mut home = home(&lab);
    let mut hub = associated(&mut home, &lab, DeviceKind::Chf, None);
    let Response::Got(Ok(log)) = ask(&mut home, &mut hub, None, get(7, "0-0:99.98.10")) else {
        panic!("a device log")
    };
    assert_eq!(log.elements().unwrap().len(), 4);
    let esme = Some(eui64(&lab, DeviceKind::Esme));
    let mut meter = associated(&mut home, &lab, DeviceKind::Esme, esme);
    let wh = u32::try_from(home.esme.as_ref().unwrap().device.import_wh()).unwrap();
    let read = ask(&mut home, &mut meter, esme, get(3, "1-0:1.8.0"));
    assert_eq!(read, Response::Got(Ok(Data::U32(wh))));
    let Response::Got(Ok(profile)) = ask(&mut home, &mut meter, esme, get(7, "1-0:99.1.0")) else {
        panic!("a profile")
    };
    assert_eq!(profile.elements().unwrap().len(), 1488);
}

#[test]
fn the_proxy_mirrors_the_gas_meter_as_of_its_last_waking() {
    let lab = lab();
    let mut home = home(&lab);
    let proxy = Some(eui64(&lab, DeviceKind::Gpf));
    let mut client = associated(&mut home, &lab, DeviceKind::Gpf, proxy);
    home.gsme.as_mut().unwrap().device.set_flow(Some(6000));
    let wake = home.gsme.as_ref().unwrap().device.next_wake();
    let mirrored =
        |home: &mut Home, client: &mut ClientSession| match ask(home, client, proxy, get(3, "7-0:3.0.0")) {
            Response::Got(Ok(Data::U32(litres))) => u64::from(litres),
            other => panic!("{other:?}"),
        };
    let before = mirrored(&mut home, &mut client);
    home.advance(wake.plus(-1));
    assert_eq!(mirrored(&mut home, &mut client), before);
    home.advance(wake.plus(1));
    assert!(mirrored(&mut home, &mut client) > before);
    let day = wake.plus(48 * HALF_HOUR);
    home.advance(day);
    assert_eq!(mirrored(&mut home, &mut client), home.gsme.as_ref().unwrap().device.litres());
}

#[test]
fn the_proxy_says_how_old_its_mirror_is() {
    let lab = lab();
    let mut home = home(&lab);
    let proxy = Some(eui64(&lab, DeviceKind::Gpf));
    let mut client = associated(&mut home, &lab, DeviceKind::Gpf, proxy);
    let wake = home.gsme.as_ref().unwrap().device.next_wake();
    home.advance(wake.plus(20 * MINUTE));
    let refreshed = ask(&mut home, &mut client, proxy, get(1, "0-0:94.44.0"));
    let Response::Got(Ok(time)) = refreshed else { panic!("{refreshed:?}") };
    assert_eq!(time.as_date_time().unwrap().to_unix(DeviationSign::Standard), Some(wake.millis() / 1000));
    let days = ask(&mut home, &mut client, proxy, get(7, "0-0:98.2.0"));
    let Response::Got(Ok(days)) = days else { panic!("{days:?}") };
    assert!(days.elements().unwrap().len() >= 30);
}

#[test]
fn the_display_answers_for_its_identity_and_shows_the_balance() {
    let lab = lab();
    let mut home = home(&lab);
    let display = eui64(&lab, DeviceKind::Ppmid);
    let answers = send(&mut home, Some(display), basic::read_request(9, &[basic::MODEL_IDENTIFIER]));
    let records = basic::read_response(9, &answers[0]).unwrap();
    assert_eq!(records[0].value.as_ref().unwrap().as_text(), Some("Pipit 500"));
    assert_eq!(home.display.as_ref().unwrap().device.balance_pence(), Some(2500));
}

#[test]
fn an_address_that_never_joined_is_refused_at_once_and_a_silent_device_is_not_answered_for() {
    let lab = lab();
    let mut home = home(&lab);
    let aarq = ClientSession::new(ClientSettings::default()).start(Request::Associate).unwrap();
    let stranger = Some(Eui64::new([9; 8]));
    let answers = send(&mut home, stranger, aarq.clone());
    assert!(matches!(Apdu::decode(&answers[0]), Ok(Apdu::Exception(_))));
    home.esme.as_mut().unwrap().silent = true;
    assert!(send(&mut home, Some(eui64(&lab, DeviceKind::Esme)), aarq.clone()).is_empty());
    home.hub.as_mut().unwrap().silent = true;
    assert!(send(&mut home, None, aarq).is_empty());
}

#[test]
fn alerts_reach_every_connection_and_wait_for_one() {
    let lab = lab();
    let mut home = home(&lab);
    let esme = eui64(&lab, DeviceKind::Esme);
    home.esme.as_mut().unwrap().device.connection.tamper();
    home.carry();
    let alerts = take(&mut home);
    assert_eq!(alerts[0].0, Some(esme));
    assert!(matches!(Apdu::decode(&alerts[0].1), Ok(Apdu::EventNotification(_))));
    home.wan_closed(WAN);
    home.esme.as_mut().unwrap().device.connection.tamper();
    home.carry();
    home.wan_opened(WAN);
    assert_eq!(take(&mut home).len(), 1);
}

#[test]
fn the_local_port_wakes_the_gas_meter_and_is_alerted() {
    let lab = lab();
    let mut home = home(&lab);
    home.advance(NOW.plus(MINUTE));
    home.local_connected(DeviceKind::Gsme);
    let aarq = ClientSession::new(settings(&lab, DeviceKind::Gsme)).start(Request::Associate).unwrap();
    assert!(!home.local(DeviceKind::Gsme, Peer::new(1, 1), &aarq).is_empty());
    assert!(home.gsme.as_ref().unwrap().device.is_awake());
    assert_eq!(take(&mut home).len(), 1);
    home.gsme.as_mut().unwrap().device.set_flat(true);
    assert!(home.local(DeviceKind::Gsme, Peer::new(1, 1), &aarq).is_empty());
}

#[test]
fn without_mains_a_meter_is_mute_tells_the_outage_once_and_comes_back_as_it_was() {
    let lab = lab();
    let mut home = home(&lab);
    let esme = Some(eui64(&lab, DeviceKind::Esme));
    let wh = |home: &Home| home.esme.as_ref().unwrap().device.import_wh();
    let before = wh(&home);
    assert!(home.set_mains(DeviceKind::Esme, false) && !home.set_mains(DeviceKind::Gsme, false));
    let aarq = ClientSession::new(ClientSettings::default()).start(Request::Associate).unwrap();
    assert!(send(&mut home, esme, aarq.clone()).is_empty());
    assert!(!home.local_port_answers(DeviceKind::Esme));
    home.advance(NOW.plus(3 * MINUTE - 1));
    assert!(take(&mut home).is_empty());
    home.advance(NOW.plus(10 * MINUTE));
    let told: Vec<_> = take(&mut home).iter().map(|(from, apdu)| (*from, code(apdu))).collect();
    assert_eq!(told, [(esme, Data::U16(0x9002))]);
    assert_eq!(wh(&home), before);
    home.set_mains(DeviceKind::Esme, true);
    assert_eq!(take(&mut home).iter().map(|(_, apdu)| code(apdu)).collect::<Vec<_>>(), [Data::U16(0x8f36)]);
    assert!(matches!(Apdu::decode(&send(&mut home, esme, aarq)[0]), Ok(Apdu::Aare(_))));
    home.advance(NOW.plus(2 * HALF_HOUR));
    assert!(wh(&home) > before);
    assert_eq!(home.esme.as_ref().unwrap().device.core().shown().millis(), home.now().millis());
}

#[test]
fn a_hub_without_mains_tells_and_then_lets_its_session_go() {
    let lab = lab();
    let mut home = home(&lab);
    home.set_mains(DeviceKind::Chf, false);
    home.advance(NOW.plus(3 * MINUTE));
    assert_eq!(take(&mut home).len(), 1, "the hub; the proxy inside it says nothing of its own");
    assert!(home.wan_is_up());
    home.advance(NOW.plus(4 * MINUTE));
    assert!(!home.wan_is_up());
    home.set_mains(DeviceKind::Chf, true);
    assert!(home.wan_is_up());
}

#[test]
fn what_left_the_network_is_not_routed_to_until_it_is_let_in_again() {
    let lab = lab();
    let mut home = home(&lab);
    let esme = eui64(&lab, DeviceKind::Esme);
    let aarq = ClientSession::new(settings(&lab, DeviceKind::Esme)).start(Request::Associate).unwrap();
    assert!(home.leave(DeviceKind::Esme) && !home.leave(DeviceKind::Esme));
    assert_eq!(take(&mut home).iter().map(|(_, apdu)| code(apdu)).collect::<Vec<_>>(), [Data::U16(0x8f4b)]);
    let answers = send(&mut home, Some(esme), aarq.clone());
    assert!(matches!(Apdu::decode(&answers[0]), Ok(Apdu::Exception(_))));
    assert_eq!(home.join(DeviceKind::Esme), Some(Err(JoinRefusal::Closed)));
    take(&mut home);
    let mut hub = associated(&mut home, &lab, DeviceKind::Chf, None);
    let attribute = AttributeRef { class: ClassId(1), obis: "0-0:96.50.11".parse().unwrap(), attribute: 2 };
    let permit = Request::Set { attribute, value: Data::U16(60) };
    assert_eq!(ask(&mut home, &mut hub, None, permit), Response::Set(Ok(())));
    assert_eq!(home.join(DeviceKind::Esme), Some(Ok(())));
    assert_eq!(take(&mut home).iter().map(|(_, apdu)| code(apdu)).collect::<Vec<_>>(), [Data::U16(0x8f49)]);
    assert!(matches!(Apdu::decode(&send(&mut home, Some(esme), aarq)[0]), Ok(Apdu::Aare(_))));
}

#[test]
fn a_device_taken_off_the_join_list_leaves_and_cannot_come_back() {
    let lab = lab();
    let mut home = home(&lab);
    let mut hub = associated(&mut home, &lab, DeviceKind::Chf, None);
    let gsme = eui64(&lab, DeviceKind::Gsme);
    let attribute = AttributeRef { class: ClassId(1), obis: "0-0:96.50.10".parse().unwrap(), attribute: 2 };
    let read = ask(&mut home, &mut hub, None, Request::Get { attribute, selective: None });
    let Response::Got(Ok(Data::Array(listed))) = read else { panic!("{read:?}") };
    let others = listed
        .into_iter()
        .filter(|entry| entry.elements().and_then(|entry| entry[0].as_octets()) != Some(&gsme.octets()[..]));
    let set = Request::Set { attribute, value: Data::Array(others.collect()) };
    assert_eq!(ask(&mut home, &mut hub, None, set), Response::Set(Ok(())));
    let hub = &mut home.hub.as_mut().unwrap().device;
    assert!(!hub.has_joined(gsme));
    hub.permit_join(60);
    assert_eq!(home.join(DeviceKind::Gsme), Some(Err(JoinRefusal::NotListed)));
}

#[test]
fn a_hub_with_new_firmware_starts_over_and_says_its_version() {
    let lab = lab();
    let mut home = home(&lab);
    let mut client = associated(&mut home, &lab, DeviceKind::Chf, None);
    let core = &mut home.hub.as_mut().unwrap().device.core;
    let image = crate::model::firmware::image(&core.plate, "S5100002", &[3; 700]);
    core.firmware.initiate(b"hub", u32::try_from(image.len()).unwrap()).unwrap();
    for (number, block) in image.chunks(256).enumerate() {
        core.firmware.take_block(u32::try_from(number).unwrap(), block).unwrap();
    }
    core.verify_firmware().unwrap();
    core.firmware.date(Some(core.shown().plus(MINUTE)));
    home.advance(NOW.plus(MINUTE));
    take(&mut home);
    let request = client.start(get(1, "0-0:0.2.1")).unwrap();
    assert!(send(&mut home, None, request.clone()).is_empty(), "it starts");
    home.advance(NOW.plus(2 * MINUTE));
    take(&mut home);
    let answer = client.receive(&send(&mut home, None, request)[0]);
    assert!(!matches!(answer, Ok(Step::Done(Response::Got(Ok(_))))), "the association is gone: {answer:?}");
    let mut client = associated(&mut home, &lab, DeviceKind::Chf, None);
    let version = ask(&mut home, &mut client, None, get(1, "0-0:0.2.1"));
    assert_eq!(version, Response::Got(Ok(Data::Octets(b"S5100002".to_vec()))));
}

#[test]
fn a_new_connection_has_no_association() {
    let lab = lab();
    let mut home = home(&lab);
    let mut client = associated(&mut home, &lab, DeviceKind::Chf, None);
    home.wan_closed(WAN);
    home.wan_opened(WAN);
    let answer = ask(&mut home, &mut client, None, get(1, "0-0:96.1.0"));
    assert!(!matches!(answer, Response::Got(Ok(_))), "{answer:?}");
}

#[test]
fn public_client_reads_who_it_is_and_no_register() {
    let lab = lab();
    let mut home = home(&lab);
    let esme = eui64(&lab, DeviceKind::Esme);
    let physical_address = PhysicalAddress::from(esme.octets());
    let mut client = ClientSession::new(ClientSettings::default());
    let mut exchange = |request| {
        let apdu = client.start(request).unwrap();
        let header = Envelope {
            direction: Way::Request,
            network_id: 0,
            physical_address: physical_address.clone(),
            apdu,
        };
        home.receive_from_wan(WAN, &Message { source: 16, destination: 1, apdu: header.encode() });
        match client.receive(&take(&mut home).remove(0).1).unwrap() {
            Step::Done(response) => response,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(exchange(Request::Associate), Response::Associated(_)));
    assert_eq!(
        exchange(get(1, "0-0:96.1.0")),
        Response::Got(Ok(Data::Octets(esme.to_string().into_bytes())))
    );
    assert_eq!(exchange(get(3, "1-0:1.8.0")), Response::Got(Err(DataAccessResult::ReadWriteDenied)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Whatever arrives from the wide area network, the installation stands and its queues stay bounded.
    #[test]
    fn no_octets_break_the_installation(
        messages in proptest::collection::vec(
            (any::<u16>(), 0u16..3, 0usize..6, proptest::collection::vec(any::<u8>(), 0..60)), 0..400,
        ),
    ) {
        let lab = lab();
        let mut home = home(&lab);
        let kinds = [DeviceKind::Chf, DeviceKind::Gpf, DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Ppmid];
        for (source, destination, to, octets) in messages {
            let apdu = match kinds.get(to) {
                None => octets,
                Some(kind) => {
                    let physical_address = PhysicalAddress::from(eui64(&lab, *kind).octets());
                    Envelope { direction: Way::Request, network_id: 0, physical_address, apdu: octets }.encode()
                }
            };
            home.receive_from_wan(WAN, &Message { source, destination, apdu });
        }
        let answers = std::iter::from_fn(|| home.take_for_wan(WAN)).count();
        prop_assert!(answers <= QUEUED);
        prop_assert!(home.asked.len() <= 64 && home.hub.as_ref().unwrap().device.store.all().len() <= 4 && home.air.is_empty());
    }

    /// A day is the same day in one step, in minutes or in odd ones.
    #[test]
    fn the_speed_of_time_changes_nothing(step in 1_000i64..3_000_000) {
        let lab = lab();
        let (mut whole, mut stepped) = (home(&lab), home(&lab));
        let end = NOW.plus(48 * HALF_HOUR);
        let mut at = NOW;
        while at < end {
            at = at.plus(step).min(end);
            stepped.advance(at);
        }
        whole.advance(end);
        prop_assert_eq!(&whole.esme.as_ref().unwrap().device, &stepped.esme.as_ref().unwrap().device);
        prop_assert_eq!(&whole.gsme.as_ref().unwrap().device, &stepped.gsme.as_ref().unwrap().device);
        prop_assert_eq!(&whole.proxy.as_ref().unwrap().device, &stepped.proxy.as_ref().unwrap().device);
        prop_assert_eq!(&whole.hub.as_ref().unwrap().device, &stepped.hub.as_ref().unwrap().device);
        prop_assert_eq!(whole.display.as_ref().unwrap().device.clone(), stepped.display.unwrap().device);
    }
}
