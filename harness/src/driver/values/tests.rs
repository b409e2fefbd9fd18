use proptest::prelude::*;
use proto_dlms::data::BitString;

use super::*;

const STANDARD: DeviationSign = DeviationSign::Standard;

fn number(mantissa: i128, exponent: i8) -> Value {
    Value::Number(Decimal::new(mantissa, exponent))
}

#[test]
fn a_register_is_scaled_exactly_and_has_its_unit() {
    let scaler = ScalerUnit::from_data(&Data::Structure(vec![Data::I8(-3), Data::Enum(30)])).unwrap();
    let read = reading(&Data::U32(12_345_678), ClassId(3), Some(scaler), STANDARD);
    assert_eq!(read.to_string(), "12345.678 Wh");
    assert_eq!(read.value, number(12_345_678, -3));
}

#[test]
fn a_reading_reaches_a_script_by_path() {
    let mut values = Values::new();
    let data = Data::Array(vec![Data::U8(7), Data::U8(8)]);
    reading(&data, ClassId(7), None, STANDARD).set(&mut values);
    assert_eq!(values.at("value.count"), Some(&number(2, 0)));
    assert_eq!(values.at("value[1]"), Some(&number(8, 0)));
    let scaler = ScalerUnit { scaler: -1, unit: 35 };
    let mut values = Values::new();
    reading(&Data::U16(2301), ClassId(3), Some(scaler), STANDARD).set(&mut values);
    assert_eq!(values.at("value"), Some(&number(2301, -1)));
    assert_eq!(values.at("unit"), Some(&Value::from("V")));
}

#[test]
fn floats_are_numbers_when_they_are() {
    assert_eq!(value(&Data::F32(230.5), STANDARD), number(2305, -1));
    assert_eq!(value(&Data::F64(f64::NAN), STANDARD), Value::from("NaN"));
}

#[test]
fn a_clock_is_a_moment_by_the_sign_of_its_device_model() {
    // 2026-07-01 13:00 British Summer Time, deviation -60.
    let time = DateTime::from_unix(1_782_907_200, -60);
    let octets = Data::Octets(time.to_octets().to_vec());
    let read = reading(&octets, ClassId(8), None, STANDARD);
    assert_eq!(read.to_string(), "2026-07-01T12:00:00Z");
    let inverted = reading(&octets, ClassId(8), None, DeviationSign::Inverted);
    assert_eq!(inverted.to_string(), "2026-07-01T14:00:00Z");
}

#[test]
fn a_clock_that_was_never_set_is_shown_field_by_field() {
    let read = reading(&Data::Octets(vec![0xFF; 12]), ClassId(8), None, STANDARD);
    assert!(matches!(&read.value, Value::Text(text) if text.contains('*')), "{read}");
}

#[test]
fn octets_are_text_when_printable_else_hexadecimal() {
    let shown = |octets: &[u8]| value(&Data::Octets(octets.to_vec()), STANDARD).to_string();
    assert_eq!(shown(b"P4X2G04"), "P4X2G04");
    assert_eq!(shown(&[0x00, 0xDB, 0x12]), "00DB12");
    assert_eq!(shown(b"123456789012"), "123456789012");
    assert_eq!(shown(&[]), "");
}

#[test]
fn structures_become_lists() {
    let bits = Data::BitString(BitString::new(vec![true, false, true]));
    let data = Data::Structure(vec![Data::U8(1), Data::Boolean(true), bits, Data::Null]);
    let Value::List(elements) = value(&data, STANDARD) else { panic!("a list was expected") };
    let expected =
        [number(1, 0), Value::Boolean(true), Value::Text("101".into()), Value::Text(String::new())];
    assert_eq!(elements, expected);
    assert_eq!(value(&data, STANDARD).to_string(), "[1, true, 101, ]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_twelve_octets_are_a_value(octets in proptest::collection::vec(any::<u8>(), 12)) {
        let _ = reading(&Data::Octets(octets), ClassId(8), None, STANDARD).to_string();
    }
}
