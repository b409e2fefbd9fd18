//! What the hub holds for a gas meter that sleeps: delivered at its wake, in order; dropped when too old; withdrawn; lost with
//! the hub's mains.

use lab_config::Lab;
use proto_dlms::apdu::Apdu;
use proto_dlms::client::{ClientSession, ClientSettings, Request, Response, Step};
use proto_dlms::data::{Data, DataAccessResult};
use proto_dlms::gateway::{Direction as Way, Envelope, PhysicalAddress};

use super::*;
use crate::model::tests::NOW;
use crate::objects::Device as _;

const WAN: WanId = WanId(1);
/// A client that identifies without a password, and one of the lab's that does not exist at the meter.
const PUBLIC: u16 = 16;
/// Two hours, as the hub of the embedded lab holds messages.
const LONGEST: i64 = 120 * MINUTE;
/// Code of the event that a message was dropped.
const DROPPED: Data = Data::U16(0x819d);

/// The embedded lab's installation, some minutes after the gas meter woke.
fn asleep() -> Home {
    let lab = Lab::embedded().unwrap();
    let mut home = Home::build(&lab.rigs[0], NOW, 1).unwrap();
    home.wan_opened(WAN);
    let wake = gsme(&home).next_wake();
    home.advance(wake.plus(5 * MINUTE));
    take(&mut home);
    assert!(!gsme(&home).is_awake());
    home
}

fn gsme(home: &Home) -> &Gsme {
    &home.gsme.as_ref().unwrap().device
}

fn hub(home: &Home) -> &Hub {
    &home.hub.as_ref().unwrap().device
}

fn meter(home: &Home) -> Eui64 {
    gsme(home).core().plate.eui64
}

/// An association request of the public client.
fn association() -> Vec<u8> {
    ClientSession::new(ClientSettings::default()).start(Request::Associate).unwrap()
}

fn send(home: &mut Home, wan: WanId, client: u16, apdu: Vec<u8>) {
    let physical_address = PhysicalAddress::from(meter(home).octets());
    let apdu = Envelope { direction: Way::Request, network_id: 0, physical_address, apdu }.encode();
    home.receive_from_wan(wan, &Message { source: client, destination: 1, apdu });
}

/// What came out on the connection: client it is for, and APDU without header.
fn take(home: &mut Home) -> Vec<(u16, Apdu)> {
    let messages = std::iter::from_fn(|| home.take_for_wan(WAN));
    let opened = |apdu: Vec<u8>| match Envelope::is_present(&apdu) {
        true => Envelope::decode(&apdu).unwrap().apdu,
        false => apdu,
    };
    messages.map(|message| (message.destination, Apdu::decode(&opened(message.apdu)).unwrap())).collect()
}

fn dropped(home: &mut Home) -> usize {
    let is_drop = |apdu: &Apdu| match apdu {
        Apdu::EventNotification(event) => event.value.elements().unwrap()[0] == DROPPED,
        _ => false,
    };
    take(home).iter().filter(|(_, apdu)| is_drop(apdu)).count()
}

/// The head end asks the hub to drop what it holds for the gas meter.
fn withdraw(home: &mut Home) -> Result<(), DataAccessResult> {
    let value = Data::Octets(meter(home).octets().to_vec());
    let shell = &home.hub.as_ref().unwrap().shell;
    let spec = *shell.directory.find("0-0:96.50.12.255".parse().unwrap()).unwrap();
    let Station { device, shell, .. } = home.hub.as_mut().unwrap();
    device.write(&spec, 2, &value, shell)
}

#[test]
fn a_request_waits_for_the_next_wake_and_is_answered_then() {
    let mut home = asleep();
    send(&mut home, WAN, PUBLIC, association());
    let wake = gsme(&home).next_wake();
    home.advance(wake.plus(-1));
    assert_eq!((take(&mut home).len(), hub(&home).store.waiting(meter(&home))), (0, 1));
    home.advance(wake);
    let answers = take(&mut home);
    assert!(matches!(answers[..], [(PUBLIC, Apdu::Aare(_))]), "{answers:?}");
    assert_eq!(hub(&home).store.all().len(), 0);
}

#[test]
fn requests_are_answered_in_the_order_they_were_sent() {
    let mut home = asleep();
    let mut client = ClientSession::new(ClientSettings::default());
    let associate = client.start(Request::Associate).unwrap();
    // A meter that got the second first would answer that it knows of no association.
    let get = [0xc0, 0x01, 0xc1, 0, 8, 0, 0, 1, 0, 0, 255, 2, 0];
    send(&mut home, WAN, PUBLIC, associate);
    send(&mut home, WAN, PUBLIC, get.to_vec());
    home.advance(gsme(&home).next_wake());
    let answers = take(&mut home);
    let [(PUBLIC, aare @ Apdu::Aare(_)), (PUBLIC, Apdu::GetResponse(_))] = &answers[..] else {
        panic!("an association and the time: {answers:?}")
    };
    assert!(matches!(client.receive(&aare.encode()), Ok(Step::Done(Response::Associated(_)))));
}

#[test]
fn a_message_that_is_not_fetched_in_time_is_dropped_and_told() {
    let mut home = asleep();
    home.gsme.as_mut().unwrap().device.set_asleep(true);
    let sent = home.now();
    send(&mut home, WAN, PUBLIC, association());
    home.advance(sent.plus(LONGEST - 1));
    assert_eq!((dropped(&mut home), hub(&home).store.all().len()), (0, 1));
    home.advance(sent.plus(LONGEST));
    assert_eq!((dropped(&mut home), hub(&home).store.all().len()), (1, 0));
    home.gsme.as_mut().unwrap().device.set_asleep(false);
    home.advance(gsme(&home).next_wake());
    assert_eq!(take(&mut home), []);
}

#[test]
fn a_message_without_room_is_dropped_and_told_and_the_others_stay() {
    let mut home = asleep();
    for _ in 0..5 {
        send(&mut home, WAN, PUBLIC, association());
    }
    assert_eq!((dropped(&mut home), hub(&home).store.all().len()), (1, 4));
    home.advance(gsme(&home).next_wake());
    assert_eq!(take(&mut home).len(), 4);
}

#[test]
fn what_is_withdrawn_never_reaches_the_meter_and_the_hub_says_whether_there_was_anything() {
    let mut home = asleep();
    send(&mut home, WAN, PUBLIC, association());
    assert_eq!(withdraw(&mut home), Ok(()));
    assert_eq!(withdraw(&mut home), Err(DataAccessResult::ObjectUnavailable));
    home.advance(gsme(&home).next_wake());
    assert_eq!(take(&mut home), []);
    // What the meter has had cannot be withdrawn, and the hub does not say that it was.
    home.advance(home.now().plus(MINUTE));
    send(&mut home, WAN, PUBLIC, association());
    home.advance(gsme(&home).next_wake());
    assert_eq!(withdraw(&mut home), Err(DataAccessResult::ObjectUnavailable));
    assert_eq!(take(&mut home).len(), 1);
}

#[test]
fn withdrawing_needs_an_eui_64_and_the_management_client() {
    let mut home = asleep();
    let shell = &home.hub.as_ref().unwrap().shell;
    let spec = *shell.directory.find("0-0:96.50.12.255".parse().unwrap()).unwrap();
    assert!(!spec.is_public());
    let Station { device, shell, .. } = home.hub.as_mut().unwrap();
    for wrong in [Data::U8(1), Data::Octets(vec![1; 7])] {
        assert_eq!(device.write(&spec, 2, &wrong, shell), Err(DataAccessResult::TypeUnmatched));
    }
}

#[test]
fn the_hub_lists_what_it_holds_and_for_how_long() {
    let mut home = asleep();
    send(&mut home, WAN, PUBLIC, association());
    home.advance(home.now().plus(90_500));
    let station = home.hub.as_ref().unwrap();
    let spec = *station.shell.directory.find("0-0:96.50.12.255".parse().unwrap()).unwrap();
    let eui64 = Data::Octets(meter(&home).octets().to_vec());
    let entry = Data::Structure(vec![eui64, Data::U32(90)]);
    assert_eq!(station.device.read(&spec, 2, &station.shell), Ok(Data::Array(vec![entry])));
}

#[test]
fn an_outage_or_a_restart_of_the_hub_loses_what_it_held_and_that_is_logged() {
    let logged = |home: &Home| {
        let entries = hub(home).core.journal.events();
        entries.filter(|entry| entry.event == Event::MessageNotRetrieved).count()
    };
    let losses: [fn(&mut Home); 2] = [
        |home| {
            home.set_mains(DeviceKind::Chf, false);
            home.advance(home.now().plus(MINUTE));
            home.set_mains(DeviceKind::Chf, true);
        },
        |home| home.hub.as_mut().unwrap().device.core.restart(),
    ];
    for lose in losses {
        let mut home = asleep();
        send(&mut home, WAN, PUBLIC, association());
        lose(&mut home);
        home.advance(home.now().plus(MINUTE));
        assert_eq!((hub(&home).store.all().len(), logged(&home)), (0, 1));
        take(&mut home);
        home.advance(gsme(&home).next_wake());
        assert_eq!(take(&mut home), []);
    }
}

#[test]
fn what_is_for_a_device_that_leaves_the_network_is_dropped() {
    let mut home = asleep();
    send(&mut home, WAN, PUBLIC, association());
    home.leave(DeviceKind::Gsme);
    assert_eq!((dropped(&mut home), hub(&home).store.all().len()), (1, 0));
}

#[test]
fn a_request_outlives_the_connection_it_came_on_and_its_answer_goes_nowhere() {
    let mut home = asleep();
    send(&mut home, WAN, PUBLIC, association());
    home.wan_closed(WAN);
    home.wan_opened(WAN);
    assert_eq!(hub(&home).store.all().len(), 1);
    home.advance(gsme(&home).next_wake());
    assert_eq!((take(&mut home), hub(&home).store.all().len()), (vec![], 0));
}
