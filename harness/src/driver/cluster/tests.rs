use proptest::prelude::*;
use proto_zigbee::zcl::Direction;

use super::*;

const SUMMATION: ClusterAttribute = ClusterAttribute { cluster: 0x0702, attribute: 0 };

fn record(id: AttributeId, value: Attribute) -> ReadRecord {
    ReadRecord { id, value: Ok(value) }
}

fn metered_by(raw: Attribute, unit: u8, multiplier: u64, divisor: u64) -> Vec<ReadRecord> {
    vec![
        record(metering::CURRENT_SUMMATION_DELIVERED, raw),
        record(metering::UNIT_OF_MEASURE, Attribute::Enum8(unit)),
        record(metering::MULTIPLIER, Attribute::unsigned(3, multiplier)),
        record(metering::DIVISOR, Attribute::unsigned(3, divisor)),
    ]
}

fn read(function: Function, records: &[ReadRecord]) -> Result<String, String> {
    let read = of_function(function, SUMMATION, None, records);
    read.map(|reading| reading.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_summation_is_multiplied_and_divided_and_has_the_unit_of_the_other_paths() {
    let raw = || Attribute::unsigned(6, 123_456);
    let said = |function, unit, multiplier, divisor| {
        read(function, &metered_by(raw(), unit, multiplier, divisor)).unwrap()
    };
    assert_eq!(said(Function::ActiveImport, 0, 1, 1000), "123456 Wh");
    assert_eq!(said(Function::ActiveImport, 0, 10, 1000), "1234560 Wh");
    assert_eq!(said(Function::GasVolume, 1, 1, 1000), "123.456 m3");
    assert_eq!(said(Function::GasVolume, 1, 3, 7), "52909.7142857142 m3");
    assert_eq!(said(Function::GasVolume, 3, 1, 1), "12345600 ft3");
    assert_eq!(said(Function::ActivePowerImport, 0, 1, 1000), "123456 W");
    assert_eq!(said(Function::ActiveImport, 0x44, 1, 1), "123456 unit of measure 44");
    // Binary coded decimal: the digits are the number's in hexadecimal.
    let coded = metered_by(Attribute::unsigned(6, 0x1234), 0x81, 1, 10);
    assert_eq!(read(Function::GasVolume, &coded).unwrap(), "123.4 m3");
    let none = metered_by(Attribute::unsigned(6, 0x12ab), 0x81, 1, 10);
    assert!(read(Function::GasVolume, &none).unwrap_err().contains("expected binary coded decimal"));
}

#[test]
fn a_meter_without_multiplier_and_divisor_counts_in_its_unit() {
    let mut records = metered_by(Attribute::unsigned(6, 12), 1, 0, 0);
    for record in &mut records[2..] {
        record.value = Err(Status::UNSUPPORTED_ATTRIBUTE);
    }
    assert_eq!(read(Function::GasVolume, &records).unwrap(), "12 m3");
    assert!(
        read(Function::GasVolume, &metered_by(Attribute::unsigned(6, 12), 1, 1, 0))
            .unwrap_err()
            .contains("0702/0302 is 0, expected a number other than 0")
    );
    records.truncate(2);
    assert_eq!(read(Function::GasVolume, &records).unwrap_err(), "the answer leaves 0702/0301 out");
    let refused = [ReadRecord { id: AttributeId(0), value: Err(Status::UNSUPPORTED_ATTRIBUTE) }];
    let why = read(Function::ActiveImport, &refused).unwrap_err();
    assert_eq!(why, "0702/0000 is refused with status 86 (it has no such attribute)");
}

#[test]
fn a_supply_status_is_the_control_state_of_cosem() {
    let state = |octet| read(Function::SupplyState, &[record(AttributeId(0), Attribute::Enum8(octet))]);
    assert_eq!([state(0), state(1), state(2)], ["0", "2", "1"].map(|text| Ok(text.to_owned())));
    assert!(state(3).unwrap_err().contains("expected 0 (off), 1 (armed) or 2 (on)"));
}

#[test]
fn credit_is_scaled_as_the_device_model_says_and_text_is_text() {
    let credit = [record(AttributeId(1), Attribute::signed(4, -250))];
    let at = ClusterAttribute { cluster: 0x0705, attribute: 1 };
    let read = of_function(Function::MeterBalance, at, Some(3), &credit).unwrap();
    assert_eq!((read.to_string(), read.unit), ("-250000".to_owned(), None));
    let model = [record(AttributeId(5), Attribute::text("Liberty"))];
    let at = ClusterAttribute { cluster: 0, attribute: 5 };
    assert_eq!(of_function(Function::Model, at, None, &model).unwrap().to_string(), "Liberty");
}

fn published(price: u32, digits: u8, unit_of_measure: u8, currency: u16) -> zcl::Frame {
    price::ToClient::from(PublishPrice {
        provider: 0,
        rate_label: b"Rate 1".to_vec(),
        issuer_event: 1,
        current_time: UtcTime(1),
        unit_of_measure,
        currency,
        trailing_digit_and_tier: digits << 4,
        tiers_and_register: 0,
        start: UtcTime::NOW,
        minutes: 0xffff,
        price,
        price_ratio: None,
        generation_price: None,
        generation_price_ratio: None,
        alternate_cost: None,
        alternate_cost_unit: None,
        alternate_cost_trailing_digit: None,
        block_thresholds: None,
        control: None,
    })
    .frame(1)
}

#[test]
fn a_price_has_its_point_and_its_currency() {
    let said = |frame: &zcl::Frame| {
        current_price(frame, None).map(|read| read.to_string()).map_err(|e| e.to_string())
    };
    assert_eq!(said(&published(15_300, 5, 0, 826)).unwrap(), "0.153 GBP/kWh");
    assert_eq!(said(&published(4, 0, 1, 978)).unwrap(), "4 currency 978/m3");
    let ask = price::ToServer::from(price::GetCurrentPrice { options: 0 }).frame(1);
    let refusal = ask.answer(&zcl::Command::DefaultResponse { command: 0, status: Status::NOT_FOUND });
    assert!(said(&refusal).unwrap_err().contains("status 8B (it has none yet)"));
    assert!(said(&ask).unwrap_err().contains("the answer to GetCurrentPrice is none"));
}

proptest! {
    #[test]
    fn no_answer_panics(octets in proptest::collection::vec(any::<u8>(), 0..48), direction: bool) {
        let direction = if direction { Direction::ToServer } else { Direction::ToClient };
        if let Ok(zcl::Command::ReadAttributesResponse(records)) = zcl::Command::parse(1, &octets) {
            for function in Function::ALL {
                let _ = of_function(*function, SUMMATION, None, &records);
            }
        }
        let _ = current_price(&zcl::Frame::cluster(direction, 1, 0, octets), Some(-6));
    }

    #[test]
    fn no_numbers_panic(raw: i64, unit: u8, multiplier in 0u64..1 << 24, divisor in 0u64..1 << 24) {
        let records = metered_by(Attribute::signed(8, raw), unit, multiplier, divisor);
        let _ = read(Function::ActiveImport, &records);
    }
}
