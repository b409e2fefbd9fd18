use std::time::{Duration, Instant};

use lab_config::{ClientSap, LinkUrl, Secret};
use proto_dlms::data::Data;

use super::meter::{PASSWORD, import, long_value};
use super::optical::{LineFault, OpticalMeter};
use crate::driver::{Access, Deadlines, DriverError, DriverErrorKind, Session, meet};
use crate::link::{LinkErrorKind, NoTap};

const OPTICAL: &str = "?sign-on=e";
const DIRECT: &str = "?baud=9600";

fn deadlines(url: &LinkUrl) -> Deadlines {
    let (response, inter_octet) = (Duration::from_millis(250), Duration::from_millis(60));
    Deadlines { response, inter_octet, ..Deadlines::of(url) }
}

async fn open(url: &LinkUrl) -> Result<Session, DriverError> {
    let access = Access::with_password(ClientSap::MANAGEMENT, Secret::new(PASSWORD));
    Session::open("optical", url, access, deadlines(url), NoTap::shared()).await
}

#[tokio::test]
async fn signs_on_reads_closes_and_signs_on_again() {
    let meter = OpticalMeter::start(OPTICAL);
    for _ in 0..2 {
        let mut session = open(&meter.url).await.unwrap();
        assert_eq!(session.identification(), Some("/LAB5\\2METER1"));
        assert_eq!(session.get(import(), None).await.unwrap(), Data::U32(12_345_678));
        session.close().await;
    }
}

#[tokio::test]
async fn long_values_go_in_blocks_and_segments_both_ways() {
    let meter = OpticalMeter::start(DIRECT);
    let mut session = open(&meter.url).await.unwrap();
    session.set(long_value(), Data::Octets(vec![9; 3000])).await.unwrap();
    assert_eq!(session.get(long_value(), None).await.unwrap(), Data::Octets(vec![9; 3000]));
}

#[tokio::test]
async fn noise_lost_frames_and_an_echoing_head_are_borne() {
    for fault in [LineFault::Noise, LineFault::LosesFrames, LineFault::Echo] {
        let meter = OpticalMeter::start(DIRECT);
        meter.set(fault);
        let mut session = open(&meter.url).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let value = session.get(import(), None).await;
        assert_eq!(value.unwrap_or_else(|error| panic!("{fault:?}: {error}")), Data::U32(12_345_678));
    }
}

#[tokio::test]
async fn garbled_octets_and_half_frames_are_not_called_silence() {
    for fault in [LineFault::WrongBaud, LineFault::HalfFrames] {
        let meter = OpticalMeter::start(DIRECT);
        meter.set(fault);
        let begun = Instant::now();
        let error = open(&meter.url).await.unwrap_err();
        assert!(matches!(error.kind, DriverErrorKind::Malformed(_)), "{fault:?}: {error}");
        assert!(error.hint().contains("baud"), "{}", error.hint());
        assert!(begun.elapsed() < Duration::from_secs(4), "{fault:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn silence_in_the_middle_ends_and_the_next_request_starts_clean() {
    let meter = OpticalMeter::start(DIRECT);
    let mut session = open(&meter.url).await.unwrap();
    meter.set(LineFault::Silent);
    let error = session.get(import(), None).await.unwrap_err();
    assert!(error.is_silence() && error.to_string().contains("GET class 3"), "{error}");
    meter.set(LineFault::None);
    assert_eq!(session.get(import(), None).await.unwrap(), Data::U32(12_345_678));
}

#[tokio::test]
async fn a_line_that_is_never_quiet_does_not_hold_up_time() {
    let meter = OpticalMeter::start(DIRECT);
    meter.set(LineFault::NeverQuiet);
    let begun = Instant::now();
    let error = open(&meter.url).await.unwrap_err();
    assert!(matches!(error.kind, DriverErrorKind::Malformed(_)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nobody_at_the_optical_head_is_a_failed_sign_on() {
    let (_master, slave) = tokio_serial::SerialStream::pair().unwrap();
    let url = format!("serial://{}{OPTICAL}", tokio_serial::SerialPort::name(&slave).unwrap());
    drop(slave);
    let error = open(&url.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.kind, DriverErrorKind::SignOn(_)), "{error}");
}

#[tokio::test]
async fn a_pulled_line_is_link_gone() {
    let meter = OpticalMeter::start(OPTICAL);
    let mut session = open(&meter.url).await.unwrap();
    meter.set(LineFault::Pulled);
    let error = session.get(import(), None).await.unwrap_err();
    assert!(
        matches!(&error.kind, DriverErrorKind::Link(link) if link.kind == LinkErrorKind::Gone),
        "{error}"
    );
}

#[tokio::test]
async fn an_optical_meter_is_met_with_its_identification() {
    let meter = OpticalMeter::start("?sign-on=e&client=16");
    let limit = Duration::from_secs(20);
    let found =
        meet::meet("optical", &meter.url, &meet::Offer::default(), NoTap::shared(), limit).await.unwrap();
    assert_eq!(found.identification.as_deref(), Some("/LAB5\\2METER1"), "{found}");
    assert_eq!(found.logical_device_name.as_deref(), Some("METER1"), "{found}");
}
