use std::sync::atomic::Ordering;
use std::time::Duration;

use lab_config::{ClientSap, LinkUrl, Secret};
use proto_dlms::apdu::Conformance;
use proto_dlms::client::BlockWindow;
use proto_dlms::data::{Data, DataAccessResult};
use proto_dlms::server::ServerSettings;

use super::meter::{Fault, Meter, PASSWORD, import, long_value};
use crate::driver::{Access, Deadlines, DriverError, DriverErrorKind, Session, meet, read};
use crate::link::{LinkErrorKind, NoTap};

fn brief(url: &LinkUrl) -> Deadlines {
    let response = Duration::from_millis(150);
    Deadlines { response, inter_octet: response, ..Deadlines::of(url) }
}

async fn open(url: &LinkUrl, access: Access) -> Result<Session, DriverError> {
    Session::open("meter", url, access, brief(url), NoTap::shared()).await
}

fn public() -> Access {
    Access::open(ClientSap::PUBLIC)
}

fn management(password: &[u8]) -> Access {
    Access::with_password(ClientSap::MANAGEMENT, Secret::new(password))
}

#[tokio::test]
async fn reads_a_value_and_a_long_one_in_blocks() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url, management(PASSWORD)).await.unwrap();
    assert_eq!(session.get(import(), None).await.unwrap(), Data::U32(12_345_678));
    assert_eq!(session.get(long_value(), None).await.unwrap(), Data::Octets(vec![7; 5000]));
    session.close().await;
}

/// A meter that speaks general block transfer, and a client that was told so by its Device Model.
async fn in_general_blocks() -> (Meter, Session) {
    let window = BlockWindow::new(3).unwrap();
    let settings = ServerSettings { conformance: Conformance::SPOKEN, window, ..ServerSettings::default() };
    let meter = Meter::with(settings).await;
    let access = Access { general_blocks: Some(window), ..management(PASSWORD) };
    let session = open(&meter.url, access).await.unwrap();
    (meter, session)
}

#[tokio::test]
async fn a_block_that_is_lost_is_asked_for_again_and_the_request_is_not() {
    let (meter, mut session) = in_general_blocks().await;
    assert_eq!(session.get(long_value(), None).await.unwrap(), Data::Octets(vec![7; 5000]));
    meter.set(Fault::LosesOne);
    assert_eq!(session.get(long_value(), None).await.unwrap(), Data::Octets(vec![7; 5000]));
    session.set(long_value(), Data::Octets(vec![9; 4000])).await.unwrap();
    meter.set(Fault::LosesOne);
    session.set(long_value(), Data::Octets(vec![8; 4000])).await.unwrap();
    assert_eq!(session.get(long_value(), None).await.unwrap(), Data::Octets(vec![8; 4000]));
    assert_eq!(meter.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_meter_that_says_nothing_to_a_block_sent_again_is_given_up() {
    let (meter, mut session) = in_general_blocks().await;
    meter.set(Fault::Silent);
    let error = session.get(long_value(), None).await.unwrap_err();
    assert!(error.is_silence(), "{error}");
}

#[tokio::test]
async fn writes_a_long_value_in_blocks() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url, public()).await.unwrap();
    session.set(long_value(), Data::Octets(vec![9; 4000])).await.unwrap();
    assert_eq!(session.get(long_value(), None).await.unwrap(), Data::Octets(vec![9; 4000]));
}

#[tokio::test]
async fn a_wrong_password_is_called_one() {
    let meter = Meter::start().await;
    let error = open(&meter.url, management(b"guesses!")).await.unwrap_err();
    assert!(matches!(error.kind, DriverErrorKind::WrongPassword), "{error}");
    assert!(error.hint().contains("password"), "{}", error.hint());
    assert!(!error.to_string().contains("guesses"), "{error}");
}

#[tokio::test]
async fn a_refusal_names_the_attribute_and_leaves_the_session_usable() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url, public()).await.unwrap();
    let error = session.set(import(), Data::U32(0)).await.unwrap_err();
    assert!(matches!(error.kind, DriverErrorKind::Access(DataAccessResult::ReadWriteDenied)), "{error}");
    let words = error.to_string();
    assert!(words.contains("SET class 3 1-0:1.8.0 attribute 2") && words.contains("client 16"), "{words}");
    session.get(import(), None).await.unwrap();
    assert_eq!(meter.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn silence_ends_and_the_next_request_starts_clean() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url, public()).await.unwrap();
    meter.set(Fault::Silent);
    let error = session.get(import(), None).await.unwrap_err();
    assert!(error.is_silence(), "{error}");
    meter.set(Fault::None);
    assert_eq!(session.get(import(), None).await.unwrap(), Data::U32(12_345_678));
    assert_eq!(meter.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_meter_that_talks_without_end_does_not_hold_up_time() {
    let meter = Meter::start().await;
    let deadlines = Deadlines { request: Duration::from_millis(400), ..brief(&meter.url) };
    let opened = Session::open("meter", &meter.url, public(), deadlines, NoTap::shared()).await;
    let mut session = opened.unwrap();
    meter.set(Fault::TalksWithoutEnd);
    let begun = tokio::time::Instant::now();
    let error = session.get(import(), None).await.unwrap_err();
    assert!(error.is_silence(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(!session.take_notifications().is_empty());
}

#[tokio::test]
async fn half_an_answer_and_a_closed_socket_is_link_gone() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url, public()).await.unwrap();
    meter.set(Fault::ClosesInTheMiddle);
    let error = session.get(import(), None).await.unwrap_err();
    let DriverErrorKind::Link(link) = &error.kind else { panic!("{error}") };
    assert_eq!(link.kind, LinkErrorKind::Gone);
    assert!(error.to_string().contains("the rest of a wrapped APDU"), "{error}");
}

#[tokio::test]
async fn another_protocol_on_the_port_is_shown_with_its_octets() {
    let meter = Meter::start().await;
    meter.set(Fault::SpeaksHdlc);
    let error = open(&meter.url, public()).await.unwrap_err();
    assert!(matches!(error.kind, DriverErrorKind::Malformed(_)), "{error}");
    let words = error.to_string();
    assert!(words.contains("HDLC") && words.contains("frame 7EA00A00"), "{words}");
}

#[tokio::test]
async fn a_forgotten_association_is_made_anew_for_the_next_request() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url, public()).await.unwrap();
    meter.set(Fault::ForgetsAssociations);
    let error = session.get(import(), None).await.unwrap_err();
    assert!(matches!(error.kind, DriverErrorKind::Exception(_)), "{error}");
    meter.set(Fault::None);
    session.get(import(), None).await.unwrap();
}

#[tokio::test]
async fn read_scales_a_register_and_tells_the_pace() {
    let meter = Meter::start().await;
    let read = read::read("meter", &meter.url, public(), import(), 20, NoTap::shared()).await.unwrap();
    assert_eq!(read.reading.to_string(), "12345.678 Wh");
    let pace = read.pace;
    assert_eq!(pace.round_trips, 20);
    assert!(pace.per_second() > 20.0, "{pace}");
}

#[tokio::test]
async fn an_unknown_meter_is_met() {
    let meter = Meter::start().await;
    let limit = Duration::from_secs(10);
    let found =
        meet::meet("meter", &meter.url, &meet::Offer::default(), NoTap::shared(), limit).await.unwrap();
    assert!(found.is_met());
    assert_eq!(found.logical_device_name.as_deref(), Some("METER1"));
    let management = found.clients.iter().find(|client| client.client == 1).unwrap();
    assert!(!management.answers && management.found.contains("password"), "{management:?}");
    assert!(found.to_string().contains("not read: clock"), "{found}");
}

#[tokio::test]
async fn meeting_a_silent_link_ends_in_time() {
    let meter = Meter::start().await;
    meter.set(Fault::Silent);
    let limit = Duration::from_millis(300);
    let begun = tokio::time::Instant::now();
    let found =
        meet::meet("meter", &meter.url, &meet::Offer::default(), NoTap::shared(), limit).await.unwrap();
    assert!(!found.is_met());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
