use proptest::prelude::*;

use super::foundation::{
    Discovered, Reporting, ReportingAnswer, ReportingRole, ReportingStatus, WriteFailure,
};
use super::*;
use crate::Value;
use crate::aps::ApsFrame;
use crate::messaging::{self, DisplayMessage};
use crate::tunneling::{self, TransferData};
use crate::value::{Collection, CollectionKind, Float};
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
    let shown = DisplayMessage::now(9, 5, b"Low credit");
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

fn scalar() -> impl Strategy<Value = Value> {
    let width = 1u8..=8;
    let mask = |width: u8| u64::MAX >> (64 - 8 * u32::from(width));
    let string = || proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        Just(Value::NoData),
        any::<bool>().prop_map(Value::Boolean),
        (width.clone(), any::<u64>())
            .prop_map(move |(width, n)| Value::Data { width, value: n & mask(width) }),
        (width.clone(), any::<u64>()).prop_map(move |(width, n)| Value::bitmap(width, n & mask(width))),
        (width.clone(), any::<u64>()).prop_map(move |(width, n)| Value::unsigned(width, n & mask(width))),
        (width, any::<i64>())
            .prop_map(|(width, n)| Value::Signed { width, value: n >> (64 - 8 * u32::from(width)) }),
        any::<u8>().prop_map(Value::Enum8),
        any::<u16>().prop_map(Value::Enum16),
        any::<u16>().prop_map(|bits| Value::Float(Float::Semi(bits))),
        any::<u32>().prop_map(|bits| Value::Float(Float::Single(bits))),
        any::<u64>().prop_map(|bits| Value::Float(Float::Double(bits))),
        string().prop_map(Value::Octets),
        string().prop_map(Value::Characters),
        string().prop_map(Value::LongOctets),
        string().prop_map(Value::LongCharacters),
        (0x41u8..=0x44).prop_map(Value::UndefinedString),
        any::<[u8; 4]>().prop_map(Value::TimeOfDay),
        any::<[u8; 4]>().prop_map(Value::Date),
        any::<u32>().prop_map(Value::UtcTime),
        any::<u16>().prop_map(Value::Cluster),
        any::<u16>().prop_map(Value::Attribute),
        any::<u32>().prop_map(Value::BacnetObject),
        any::<[u8; 8]>().prop_map(Value::Ieee),
        any::<[u8; 16]>().prop_map(Value::Key),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let alike = proptest::collection::vec(any::<u16>().prop_map(Value::Enum16), 0..4);
        let bag =
            alike.prop_map(|all| Collection::new(CollectionKind::Bag, 0x31, all).map(Value::Collection));
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::Structure),
            bag.prop_map(Option::unwrap),
        ]
    })
}

fn record() -> impl Strategy<Value = ReadRecord> {
    let answer = prop_oneof![value().prop_map(Ok), (1u8..=255).prop_map(|status| Err(Status(status)))];
    (any::<u16>(), answer).prop_map(|(id, value)| ReadRecord { id: AttributeId(id), value })
}

fn id() -> impl Strategy<Value = AttributeId> {
    any::<u16>().prop_map(AttributeId)
}

fn some<T: std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(one, 0..6)
}

fn role() -> impl Strategy<Value = ReportingRole> {
    prop_oneof![Just(ReportingRole::Sends), Just(ReportingRole::Expects)]
}

fn reporting() -> impl Strategy<Value = Reporting> {
    prop_oneof![
        (id(), scalar(), any::<u16>(), any::<u16>()).prop_map(|(id, value, minimum, maximum)| {
            let data_type = value.data_type();
            let change = Value::is_analogue(data_type).then_some(value);
            Reporting::Send { id, data_type, minimum, maximum, change }
        }),
        (id(), any::<u16>()).prop_map(|(id, timeout)| Reporting::Expect { id, timeout }),
    ]
}

fn failed() -> impl Strategy<Value = Status> {
    (1u8..=255).prop_map(Status)
}

fn reporting_status() -> impl Strategy<Value = ReportingStatus> {
    (failed(), role(), id()).prop_map(|(status, role, id)| ReportingStatus { status, role, id })
}

fn discovered(extended: bool) -> impl Strategy<Value = Discovered> {
    (id(), any::<u8>(), any::<u8>()).prop_map(move |(id, data_type, access)| Discovered {
        id,
        data_type,
        access: extended.then_some(access),
    })
}

fn command() -> impl Strategy<Value = Command> {
    let pairs = || some((id(), value()));
    let answer = prop_oneof![reporting().prop_map(Ok), reporting_status().prop_map(Err)];
    prop_oneof![
        some(id()).prop_map(Command::ReadAttributes),
        some(record()).prop_map(Command::ReadAttributesResponse),
        pairs().prop_map(Command::WriteAttributes),
        pairs().prop_map(Command::WriteAttributesUndivided),
        pairs().prop_map(Command::WriteAttributesNoResponse),
        pairs().prop_map(Command::ReportAttributes),
        some((failed(), id()).prop_map(|(status, id)| WriteFailure { status, id }))
            .prop_map(Command::WriteAttributesResponse),
        some(reporting()).prop_map(Command::ConfigureReporting),
        some(reporting_status()).prop_map(Command::ConfigureReportingResponse),
        some((role(), id())).prop_map(Command::ReadReportingConfiguration),
        some(answer.prop_map(|configured| ReportingAnswer { configured }))
            .prop_map(Command::ReadReportingConfigurationResponse),
        (any::<u8>(), any::<u8>())
            .prop_map(|(command, status)| Command::DefaultResponse { command, status: Status(status) }),
        (id(), any::<u8>()).prop_map(|(start, most)| Command::DiscoverAttributes { start, most }),
        (any::<bool>(), some(discovered(false))).prop_map(|(complete, attributes)| {
            Command::DiscoverAttributesResponse { complete, attributes }
        }),
        (any::<bool>(), some(discovered(true))).prop_map(|(complete, attributes)| {
            Command::DiscoverAttributesExtendedResponse { complete, attributes }
        }),
        (any::<bool>(), any::<bool>(), some(any::<u8>())).prop_map(|(generated, complete, commands)| {
            Command::DiscoverCommandsResponse { generated, complete, commands }
        }),
        (0x17u8..=0xff, some(any::<u8>())).prop_map(|(id, payload)| Command::Other { id, payload }),
    ]
}

#[test]
fn values_that_would_fill_memory_are_refused() {
    // An array of 65,534 elements that take no octets.
    let endless = [0x48, 0x00, 0xfe, 0xff];
    let report = |value: &[u8]| Command::parse(0x0a, &[&[0, 0], value].concat());
    assert_eq!(report(&endless), Err(ZigbeeError::DataType { found: 0, offset: 3 }));
    let deep: Vec<u8> = [0x4c, 0x01, 0x00].repeat(20);
    assert_eq!(report(&deep), Err(ZigbeeError::Nesting { offset: 47, limit: 15 }));
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
