use std::sync::atomic::Ordering;
use std::time::Duration;

use proto_dlms::TransferError;
use proto_dlms::apdu::{Apdu, EventNotification};
use proto_dlms::client::Notification;
use proto_dlms::data::Data;
use proto_dlms::gateway::{Direction, Envelope};
use proto_dlms::push::PushError;
use proto_dlms::wrapper::Message;
use proto_duis::Eui64;
use tokio::sync::mpsc;

use super::meter::{Fault, Meter, attribute, import};
use crate::driver::{Access, Deadlines, Hub, Push, Session};
use crate::link::{LinkAddress, NoTap};
use lab_config::ClientSap;

const ESME: Eui64 = Eui64::new([0, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 3]);
const GPF: Eui64 = Eui64::new([0, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 2]);

async fn hub(meter: &Meter) -> (Hub, mpsc::Receiver<Push>) {
    let (pushes, queue) = mpsc::channel(4);
    let address = LinkAddress::of("rig/CHF/wan", &meter.url).unwrap();
    let hub = Hub::connect(address, NoTap::shared(), &deadlines(meter), pushes).await.unwrap();
    (hub, queue)
}

fn deadlines(meter: &Meter) -> Deadlines {
    Deadlines { response: Duration::from_millis(200), ..Deadlines::of(&meter.url) }
}

async fn session(hub: &Hub, device: Option<Eui64>, meter: &Meter) -> Session {
    Session::through(hub, device, Access::open(ClientSap::PUBLIC), deadlines(meter)).await.unwrap()
}

fn event(text: &str) -> Notification {
    let value = Data::Octets(text.as_bytes().to_vec());
    Notification::Event(EventNotification { time: None, attribute: attribute(7, "0-0:99.98.0", 2), value })
}

fn pushed(device: Eui64, text: &str) -> Vec<u8> {
    wrapped(device, Apdu::from(event(text)).encode())
}

/// The same in blocks of so many octets.
fn pushed_in_blocks(device: Eui64, text: &str, octets: u16) -> Vec<Vec<u8>> {
    let frames = proto_dlms::push::frames(event(text), None, octets).unwrap();
    frames.into_iter().map(|frame| wrapped(device, frame)).collect()
}

fn wrapped(device: Eui64, apdu: Vec<u8>) -> Vec<u8> {
    let physical_address = device.octets().into();
    let envelope = Envelope { direction: Direction::Response, network_id: 0, physical_address, apdu };
    Message { source: 1, destination: 1, apdu: envelope.encode() }.encode().unwrap()
}

#[tokio::test]
async fn many_devices_share_one_connection_each_with_its_association() {
    let meter = Meter::start().await;
    let (hub, _pushes) = hub(&meter).await;
    let mut esme = session(&hub, Some(ESME), &meter).await;
    let mut gpf = session(&hub, Some(GPF), &meter).await;
    let mut chf = session(&hub, None, &meter).await;
    let (one, two, three) =
        tokio::join!(esme.get(import(), None), gpf.get(import(), None), chf.get(import(), None));
    for value in [one, two, three] {
        assert_eq!(value.unwrap(), Data::U32(12_345_678));
    }
    assert_eq!(meter.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn pushes_come_in_by_themselves_with_their_device() {
    let meter = Meter::start().await;
    let (hub, mut pushes) = hub(&meter).await;
    meter.pushes.send(pushed(ESME, "supply armed")).await.unwrap();
    let push = tokio::time::timeout(Duration::from_secs(2), pushes.recv()).await.unwrap().unwrap();
    assert_eq!(push.device, Some(ESME));
    assert_eq!(push.received, Ok(event("supply armed")));
    drop(hub);
}

#[tokio::test]
async fn a_push_between_request_and_answer_is_no_answer() {
    let meter = Meter::start().await;
    let (hub, mut pushes) = hub(&meter).await;
    let mut esme = session(&hub, Some(ESME), &meter).await;
    meter.pushes.send(pushed(ESME, "low credit")).await.unwrap();
    assert_eq!(esme.get(import(), None).await.unwrap(), Data::U32(12_345_678));
    assert!(tokio::time::timeout(Duration::from_secs(2), pushes.recv()).await.unwrap().is_some());
}

/// The next push, in the runtime's time: a paused clock goes on by itself.
async fn next(pushes: &mut mpsc::Receiver<Push>) -> Push {
    tokio::time::timeout(Duration::from_secs(60), pushes.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_push_in_blocks_between_those_of_another_device_and_answers_arrives_whole() {
    let meter = Meter::start().await;
    let (hub, mut pushes) = hub(&meter).await;
    let mut esme = session(&hub, Some(ESME), &meter).await;
    let text = "supply armed, and the words for it take more than one block";
    let blocks = pushed_in_blocks(ESME, text, 40);
    assert!(blocks.len() > 2);
    for block in blocks {
        meter.pushes.send(block).await.unwrap();
        meter.pushes.send(pushed(GPF, "mirror refreshed")).await.unwrap();
        assert_eq!(esme.get(import(), None).await.unwrap(), Data::U32(12_345_678));
    }
    let mut of_esme = Vec::new();
    while of_esme.is_empty() {
        let push = next(&mut pushes).await;
        match push.device {
            Some(ESME) => of_esme.push(push.received),
            _ => assert_eq!(push.received, Ok(event("mirror refreshed"))),
        }
    }
    assert_eq!(of_esme, [Ok(event(text))]);
    drop(hub);
}

#[tokio::test]
async fn a_push_whose_block_is_lost_says_which() {
    let meter = Meter::start().await;
    let (hub, mut pushes) = hub(&meter).await;
    let text = "supply armed, and the words for it take more than one block";
    let blocks = pushed_in_blocks(ESME, text, 40);
    for block in [&blocks[0], &blocks[2]] {
        meter.pushes.send(block.clone()).await.unwrap();
    }
    let lost = next(&mut pushes).await;
    assert_eq!(lost.received, Err(PushError::Blocks(TransferError::Gap { found: 3, expected: 2 })));
    drop(hub);
}

#[tokio::test]
async fn a_push_that_is_never_finished_is_given_up_and_says_which_block_was_waited_for() {
    let meter = Meter::start().await;
    let (hub, mut pushes) = hub(&meter).await;
    let blocks = pushed_in_blocks(ESME, "supply armed, and the words for it take more than one block", 40);
    meter.pushes.send(blocks[0].clone()).await.unwrap();
    meter.pushes.send(pushed(GPF, "mirror refreshed")).await.unwrap();
    assert_eq!(next(&mut pushes).await.device, Some(GPF), "what was sent behind the block");
    tokio::time::pause();
    let lost = next(&mut pushes).await;
    assert_eq!(lost.device, Some(ESME));
    assert!(matches!(lost.received, Err(PushError::Late { expected: 2, .. })), "{lost:?}");
    drop(hub);
}

#[tokio::test]
async fn a_silent_device_is_named_and_the_others_go_on() {
    let meter = Meter::start().await;
    let (hub, _pushes) = hub(&meter).await;
    let mut esme = session(&hub, Some(ESME), &meter).await;
    let mut gpf = session(&hub, Some(GPF), &meter).await;
    meter.set(Fault::Silent);
    let error = esme.get(import(), None).await.unwrap_err();
    assert!(error.is_silence() && error.to_string().contains(&ESME.to_string()), "{error}");
    meter.set(Fault::None);
    gpf.get(import(), None).await.unwrap();
    esme.get(import(), None).await.unwrap();
    assert_eq!(meter.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_with_its_associations() {
    let meter = Meter::start().await;
    let (hub, _pushes) = hub(&meter).await;
    let mut esme = session(&hub, Some(ESME), &meter).await;
    let mut gpf = session(&hub, Some(GPF), &meter).await;
    meter.set(Fault::ClosesInTheMiddle);
    assert!(esme.get(import(), None).await.is_err());
    meter.set(Fault::None);
    gpf.get(import(), None).await.unwrap();
    esme.get(import(), None).await.unwrap();
    assert_eq!(meter.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_idle_lost_connection_comes_back_by_itself_for_the_pushes() {
    let meter = Meter::start().await;
    let (hub, mut pushes) = hub(&meter).await;
    let mut esme = session(&hub, Some(ESME), &meter).await;
    meter.set(Fault::ClosesInTheMiddle);
    assert!(esme.get(import(), None).await.is_err());
    meter.set(Fault::None);
    meter.pushes.send(pushed(ESME, "tamper")).await.unwrap();
    let push = tokio::time::timeout(Duration::from_secs(5), pushes.recv()).await.unwrap().unwrap();
    assert_eq!(push.device, Some(ESME));
}
