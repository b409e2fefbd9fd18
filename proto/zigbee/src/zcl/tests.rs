use proptest::prelude::*;

use super::*;
use crate::aps::ApsFrame;
use crate::messaging::{self, DisplayMessage};
use crate::tunneling::{self, TransferData};
use crate::{basic, metering};

/// Golden bytes: if this fails, do not change the test.
#[test]
fn read_of_basic_has_the_octets_of_the_specification() {
    let octets = basic::read_request(0x2a, &[basic::MANUFACTURER_NAME, basic::MODEL_IDENTIFIER]);
    assert_eq!(hex::encode(&octets), "0001000009010 12a 10 2a 00 0400 0500".replace(' ', ""));
}

/// Golden bytes: if this fails, do not change the test.
#[test]
fn report_of_a_gas_summation_has_the_octets_of_the_specification() {
    let report = Command::ReportAttributes(vec![
        (metering::CURRENT_SUMMATION_DELIVERED, Value::unsigned(6, 0x0102_0304_0506)),
        (metering::SUPPLY_STATUS, Value::Enum8(2)),
    ]);
    let frame = Frame::foundation(Direction::ToClient, 5, &report);
    assert_eq!(hex::encode(frame.to_bytes()), "18050a00002506050403020114003002");
}

/// Golden bytes: if this fails, do not change the test.
#[test]
fn answers_of_basic_read_back() {
    let octets = hex::decode("0001000009 01012a 182a01 040000420353 4d45 050086".replace(' ', "")).unwrap();
    let records = basic::read_response(0x2a, &octets).unwrap();
    assert_eq!(records[0].value.as_ref().unwrap().as_text(), Some("SME"));
    assert_eq!(records[1].value, Err(Status::UNSUPPORTED_ATTRIBUTE));
    let other = basic::read_response(0x2b, &octets).unwrap_err();
    assert_eq!(other.to_string(), "transaction of the answer: found 0x002a, expected 0x002b");
}

#[test]
fn default_response_goes_back_the_other_way() {
    let shown = DisplayMessage { id: 9, control: 0, start: 0, minutes: 5, text: b"Low credit".to_vec() };
    let aps = ApsFrame::parse(&shown.request(3)).unwrap();
    assert_eq!(aps.cluster, messaging::CLUSTER);
    let frame = Frame::parse(&aps.payload).unwrap();
    assert_eq!(DisplayMessage::parse(&frame.payload).unwrap(), shown);
    let answer = frame.answer(&Command::DefaultResponse { command: frame.command, status: Status::SUCCESS });
    assert_eq!(hex::encode(answer.to_bytes()), "10030b0000");
}

/// Golden bytes: if this fails, do not change the test.
#[test]
fn a_tunnelled_message_travels_whole() {
    let sent = TransferData { direction: Direction::ToServer, tunnel: 0x0102, data: vec![0xc0, 0x01] };
    let octets = sent.to_bytes(9);
    assert_eq!(hex::encode(&octets), "0001040709010109110902 0201 c001".replace(' ', ""));
    let aps = ApsFrame::parse(&octets).unwrap();
    assert_eq!((aps.cluster, TransferData::parse(&aps.payload)), (tunneling::CLUSTER, Ok(sent)));
    assert!(TransferData::parse(&[0x01, 1, 9, 0, 0]).is_err());
}

#[test]
fn a_cut_frame_says_where() {
    let error = Frame::parse(&[0x00, 1, 0, 0x05]).unwrap().command().unwrap_err();
    assert_eq!(
        error.to_string(),
        "attribute identifier: 2 more octet(s) needed at offset 0, 1 left; the frame was cut short"
    );
    assert!(matches!(Frame::parse(&[0x02, 1, 0]), Err(ZigbeeError::FrameControl { .. })));
    assert!(matches!(ApsFrame::parse(&[0x01]), Err(ZigbeeError::FrameControl { .. })));
}

fn value() -> impl Strategy<Value = Value> {
    let width = 1u8..=8;
    let mask = |width: u8| u64::MAX >> (64 - 8 * u32::from(width));
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        (width.clone(), any::<u64>())
            .prop_map(move |(width, n)| Value::Bitmap { width, value: n & mask(width) }),
        (width.clone(), any::<u64>()).prop_map(move |(width, n)| Value::unsigned(width, n & mask(width))),
        (width, any::<i64>())
            .prop_map(|(width, n)| Value::Signed { width, value: n >> (64 - 8 * u32::from(width)) }),
        any::<u8>().prop_map(Value::Enum8),
        any::<u16>().prop_map(Value::Enum16),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Octets),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Characters),
        any::<u32>().prop_map(Value::UtcTime),
        any::<[u8; 8]>().prop_map(Value::Ieee),
    ]
}

fn record() -> impl Strategy<Value = ReadRecord> {
    let answer = prop_oneof![value().prop_map(Ok), (1u8..=255).prop_map(|status| Err(Status(status)))];
    (any::<u16>(), answer).prop_map(|(id, value)| ReadRecord { id: AttributeId(id), value })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        proptest::collection::vec(any::<u16>().prop_map(AttributeId), 0..8).prop_map(Command::ReadAttributes),
        proptest::collection::vec(record(), 0..8).prop_map(Command::ReadAttributesResponse),
        proptest::collection::vec((any::<u16>().prop_map(AttributeId), value()), 0..8)
            .prop_map(Command::ReportAttributes),
        (any::<u8>(), any::<u8>())
            .prop_map(|(command, status)| Command::DefaultResponse { command, status: Status(status) }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(command in command(), sequence: u8, cluster: u16, maker: Option<u16>) {
        let mut frame = Frame::foundation(Direction::ToServer, sequence, &command);
        frame.manufacturer = maker;
        let aps = ApsFrame::smart_energy(cluster, sequence, frame.to_bytes());
        let back = ApsFrame::parse(&aps.to_bytes()).unwrap();
        prop_assert_eq!(&back, &aps);
        let read = Frame::parse(&back.payload).unwrap();
        prop_assert_eq!(&read, &frame);
        prop_assert_eq!(read.command().unwrap(), command);
    }

    #[test]
    fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = ApsFrame::parse(&octets);
        let _ = DisplayMessage::parse(&octets);
        let _ = basic::read_response(1, &octets);
        if let Ok(frame) = Frame::parse(&octets) {
            let _ = frame.command();
        }
    }

    #[test]
    fn what_reads_writes_the_same_octets(octets in proptest::collection::vec(any::<u8>(), 3..80)) {
        if let Ok(aps) = ApsFrame::parse(&octets) {
            prop_assert_eq!(aps.to_bytes(), octets);
        }
    }
}
