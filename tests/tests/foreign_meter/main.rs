//! Our driver against a meter that is not ours: `pydlms simulate` over TCP with the wrapper, TCP with HDLC, and a serial
//! pseudo-terminal; with and without a password, and with keys; and when the password is wrong, the socket closes or the line is pulled.
//! Every failure is a verdict within seconds that says what it was.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

mod keys;
mod peer;
mod program;

use std::time::{Duration, Instant};

use harness::driver::meet::{self, MeterFound};
use harness::driver::read::{self, ReadOut};
use harness::driver::{Access, Deadlines, DriverError, DriverErrorKind, Session};
use harness::link::{LinkErrorKind, NoTap};
use lab_config::{ClientSap, LinkUrl, Secret};
use peer::{ForeignMeter, PASSWORD, SerialLine};
use proto_dlms::data::{AttributeRef, ClassId, Data, DataAccessResult, Selective};

/// Longest any verdict here may take.
const QUICK: Duration = Duration::from_secs(5);

fn attribute(class: u16, obis: &str, attribute: i8) -> AttributeRef {
    AttributeRef { class: ClassId(class), obis: obis.parse().expect("an OBIS code"), attribute }
}

fn import() -> AttributeRef {
    attribute(3, "1-0:1.8.0", 2)
}

fn public(url: &LinkUrl) -> Access {
    Access::open(ClientSap::PUBLIC).at(url)
}

fn with_password(password: &str) -> Access {
    Access::with_password(ClientSap::new(17).expect("a client SAP"), Secret::new(password.as_bytes()))
}

fn url_with_quick_answers(url: &LinkUrl) -> LinkUrl {
    let mut url = url.clone();
    url.timeouts.response = Some(Duration::from_secs(1));
    url
}

async fn open(url: &LinkUrl, access: Access) -> Result<Session, DriverError> {
    let url = url_with_quick_answers(url);
    Session::open("meter", &url, access, Deadlines::of(&url), NoTap::shared()).await
}

async fn read_import(url: &LinkUrl, access: Access) -> Result<ReadOut, DriverError> {
    read::read("meter", &url_with_quick_answers(url), access, import(), 0, NoTap::shared()).await
}

async fn meet(url: &LinkUrl) -> MeterFound {
    let url = url_with_quick_answers(url);
    meet::meet("meter", &url, &meet::Offer::default(), NoTap::shared(), Duration::from_secs(30))
        .await
        .expect("the meter is there")
}

/// Reads a register, a profile in blocks, the first rows of it and something that is not there.
async fn works(url: &LinkUrl, access: Access) {
    let read = read_import(url, access.clone()).await.expect("a value");
    assert_eq!(read.reading.to_string(), "12345678 Wh");
    let mut session = open(url, access).await.expect("an association");
    let profile = attribute(7, "1-0:99.1.0", 2);
    let rows = session.get(profile, None).await.expect("a profile");
    assert_eq!(rows.elements().map(<[Data]>::len), Some(96));
    let first = Selective::Entry { from: 1, to: 3, first_column: 1, last_column: 0 };
    let rows = session.get(profile, Some(first)).await.expect("some rows");
    assert_eq!(rows.elements().map(<[Data]>::len), Some(3));
    let error = session.get(attribute(3, "1-0:99.99.9", 2), None).await.expect_err("no such object");
    assert!(matches!(error.kind, DriverErrorKind::Access(DataAccessResult::ObjectUndefined)), "{error}");
    session.get(import(), None).await.expect("a refusal leaves the session whole");
    session.close().await;
}

async fn refuses_a_wrong_password(url: &LinkUrl) {
    let begun = Instant::now();
    let error = read_import(url, with_password("guessed8")).await.expect_err("a wrong password");
    assert!(matches!(error.kind, DriverErrorKind::WrongPassword), "{error}");
    assert!(error.to_string().contains("password") && error.to_string().contains("client 17"), "{error}");
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
}

fn is_gone(error: &DriverError) -> bool {
    matches!(&error.kind, DriverErrorKind::Link(link) if link.kind == LinkErrorKind::Gone)
}

#[tokio::test]
async fn wrapper_without_and_with_a_password() {
    let meter = ForeignMeter::wrapper();
    let url = meter.url("tcp", "");
    works(&url, public(&url)).await;
    works(&url, with_password(PASSWORD)).await;
    refuses_a_wrong_password(&url).await;
}

#[tokio::test]
async fn hdlc_without_and_with_a_password() {
    let meter = ForeignMeter::hdlc();
    let url = meter.url("tcp+hdlc", "");
    works(&url, public(&url)).await;
    works(&url, with_password(PASSWORD)).await;
    refuses_a_wrong_password(&url).await;
}

#[tokio::test]
async fn serial_without_and_with_a_password() {
    let meter = ForeignMeter::hdlc();
    let line = SerialLine::to(meter.port);
    let url = line.url("?baud=9600");
    works(&url, public(&url)).await;
    works(&url, with_password(PASSWORD)).await;
    refuses_a_wrong_password(&url).await;
}

#[tokio::test]
async fn probe_names_the_meter_on_every_kind_of_link() {
    let (wrapper, hdlc) = (ForeignMeter::wrapper(), ForeignMeter::hdlc());
    let serial = ForeignMeter::hdlc();
    let line = SerialLine::to(serial.port);
    for url in [wrapper.url("tcp", ""), hdlc.url("tcp+hdlc", ""), line.url("")] {
        let found = meet(&url).await;
        assert_eq!(found.logical_device_name.as_deref(), Some("PYD1000000000001"), "{found}");
        assert_eq!(found.serial_number.as_deref(), Some("PYD0000000001"), "{found}");
        // The foreign meter writes its summer time as +120: by the standard that is a moment four hours off, and only a
        // Device Model can say otherwise.
        assert!(found.clock.is_some() && found.objects.is_some_and(|count| count > 5), "{found}");
        let refused: Vec<_> = found.clients.iter().filter(|client| !client.answers).collect();
        assert!(refused.iter().any(|client| client.client == 17), "{found}");
    }
}

#[tokio::test]
async fn a_closed_socket_is_link_gone_and_then_nobody_listens() {
    for scheme in ["tcp", "tcp+hdlc"] {
        let mut meter = if scheme == "tcp" { ForeignMeter::wrapper() } else { ForeignMeter::hdlc() };
        let url = meter.url(scheme, "");
        let mut session = open(&url, public(&url)).await.expect("an association");
        meter.die();
        let begun = Instant::now();
        let error = session.get(import(), None).await.expect_err("nobody is there");
        assert!(is_gone(&error), "{error}");
        let error = session.get(import(), None).await.expect_err("nobody listens");
        assert!(
            matches!(&error.kind, DriverErrorKind::Link(link) if link.kind == LinkErrorKind::CannotOpen),
            "{error}"
        );
        assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_pulled_serial_line_is_link_gone_and_then_no_such_port() {
    let meter = ForeignMeter::hdlc();
    let mut line = SerialLine::to(meter.port);
    let url = line.url("");
    let mut session = open(&url, public(&url)).await.expect("an association");
    line.pull();
    let begun = Instant::now();
    let error = session.get(import(), None).await.expect_err("the line is pulled");
    assert!(is_gone(&error), "{error}");
    let error = session.get(import(), None).await.expect_err("the port is gone");
    assert!(
        matches!(&error.kind, DriverErrorKind::Link(link) if link.kind == LinkErrorKind::CannotOpen),
        "{error}"
    );
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_wrong_protocol_on_a_port_ends_soon() {
    let meter = ForeignMeter::wrapper();
    let url = meter.url("tcp+hdlc", "");
    let begun = Instant::now();
    let error = open(&url, public(&url)).await.expect_err("a wrapper port speaks no HDLC");
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
    assert!(!error.hint().is_empty(), "{error}");
}
