//! Values against golden bytes, against themselves, and times against the calendar.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

pub(crate) fn obis() -> impl Strategy<Value = Obis> {
    any::<[u8; 6]>().prop_map(Obis)
}

pub(crate) fn attribute() -> impl Strategy<Value = AttributeRef> {
    (any::<u16>(), obis(), any::<i8>()).prop_map(|(class, obis, attribute)| AttributeRef {
        class: ClassId(class),
        obis,
        attribute,
    })
}

pub(crate) fn method() -> impl Strategy<Value = MethodRef> {
    attribute().prop_map(|AttributeRef { class, obis, attribute }| MethodRef {
        class,
        obis,
        method: attribute,
    })
}

pub(crate) fn date_time() -> impl Strategy<Value = DateTime> {
    any::<[u8; 12]>().prop_map(DateTime::from_octets)
}

fn type_description() -> impl Strategy<Value = TypeDescription> {
    let tags: &[u8] = &[0, 3, 4, 5, 6, 9, 10, 12, 13, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 255];
    proptest::sample::select(tags).prop_map(TypeDescription::Simple).prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            (any::<u16>(), inner.clone()).prop_map(|(count, of)| TypeDescription::Array(count, Box::new(of))),
            vec(inner, 0..4).prop_map(TypeDescription::Structure),
        ]
    })
}

fn simple() -> impl Strategy<Value = Data> {
    let octets = || vec(any::<u8>(), 0..300);
    prop_oneof![
        Just(Data::Null),
        Just(Data::DontCare),
        any::<bool>().prop_map(Data::Boolean),
        vec(any::<bool>(), 0..40).prop_map(|bits| Data::BitString(BitString::new(bits))),
        any::<i32>().prop_map(Data::I32),
        any::<u32>().prop_map(Data::U32),
        octets().prop_map(Data::Octets),
        octets().prop_map(Data::Visible),
        "\\PC{0,20}".prop_map(Data::Utf8),
        any::<u8>().prop_map(Data::Bcd),
        any::<i8>().prop_map(Data::I8),
        any::<i16>().prop_map(Data::I16),
        any::<u8>().prop_map(Data::U8),
        any::<u16>().prop_map(Data::U16),
        any::<i64>().prop_map(Data::I64),
        any::<u64>().prop_map(Data::U64),
        any::<u8>().prop_map(Data::Enum),
        any::<f32>().prop_map(Data::F32),
        any::<f64>().prop_map(Data::F64),
        date_time().prop_map(Data::DateTime),
        any::<[u8; 5]>().prop_map(|octets| Data::Date(Date::from_octets(octets))),
        any::<[u8; 4]>().prop_map(|octets| Data::Time(Time::from_octets(octets))),
        (type_description(), vec(any::<u8>(), 0..40))
            .prop_map(|(description, contents)| Data::CompactArray(CompactArray { description, contents })),
    ]
}

pub(crate) fn data() -> impl Strategy<Value = Data> {
    simple().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Data::Array),
            vec(inner, 0..6).prop_map(Data::Structure)
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn values_round_trip(value in data()) {
        prop_assert_eq!(Data::decode(&value.encode()), Ok(value));
    }

    #[test]
    fn a_value_cut_short_is_refused(value in data(), cut: proptest::sample::Index) {
        let encoded = value.encode();
        let cut = cut.index(encoded.len());
        prop_assert!(Data::decode(&encoded[..cut]).is_err());
    }

    #[test]
    fn obis_codes_round_trip_as_text(code in obis()) {
        prop_assert_eq!(code.to_string().parse(), Ok(code));
    }

    #[test]
    fn any_text_is_an_obis_code_or_an_error(text in "[0-9*:.-]{0,20}|\\PC*") {
        let _ = text.parse::<Obis>();
    }

    #[test]
    fn results_round_trip(code: u8) {
        prop_assert_eq!(DataAccessResult::from_code(code).map_or(0, DataAccessResult::code), code);
        prop_assert_eq!(ActionResult::from_code(code).map_or(0, ActionResult::code), code);
    }

    #[test]
    fn selections_round_trip(
        restricting in attribute(), index: u16, from in data(), to in data(),
        columns in vec(attribute(), 0..4), entry: (u32, u32, u16, u16),
    ) {
        let column = |AttributeRef { class, obis, attribute }| CaptureObject { class, obis, attribute, data_index: index };
        let columns = columns.into_iter().map(column).collect();
        let range = Selective::Range { restricting: column(restricting), from, to, columns };
        prop_assert_eq!(Selective::try_from(&range.to_access_selection()), Ok(range));
        let entry = Selective::Entry { from: entry.0, to: entry.1, first_column: entry.2, last_column: entry.3 };
        prop_assert_eq!(Selective::try_from(&entry.to_access_selection()), Ok(entry));
    }

    /// Every moment from year 1 to 9999, with any deviation the standard allows, either way round.
    #[test]
    fn moments_round_trip(seconds in -62_135_000_000_i64..253_402_000_000, deviation in -720_i16..=720) {
        let shown = DateTime::from_unix(seconds, deviation);
        prop_assert_eq!(shown.to_unix(DeviationSign::Standard), Some(seconds));
        let inverted = DateTime { deviation: -deviation, ..shown };
        prop_assert_eq!(inverted.to_unix(DeviationSign::Inverted), Some(seconds));
        prop_assert_eq!(DateTime::from_octets(shown.to_octets()), shown);
    }

    #[test]
    fn any_date_time_is_kept_and_judged(time in date_time()) {
        prop_assert_eq!(DateTime::from_octets(time.to_octets()), time);
        let _ = (time.to_unix(DeviationSign::Standard), time.to_unix(DeviationSign::Inverted), time.to_string());
    }
}

/// IEC 62056-5-3, the A-XDR encoding of `Data`. If this fails, do not change the test.
#[test]
fn golden_values() {
    let scaler_unit = Data::Structure(vec![Data::I8(-3), Data::Enum(30)]);
    assert_eq!(Data::decode(&hex::decode("02020FFD161E").unwrap()), Ok(scaler_unit));
    let name = Data::Octets(vec![1, 0, 1, 8, 0, 255]);
    assert_eq!(Data::decode(&hex::decode("09060100010800FF").unwrap()), Ok(name));
    assert_eq!(hex::encode_upper(Data::U32(0x0004_B31F).encode()), "060004B31F");
    let bits = Data::BitString(BitString::new(vec![
        true, false, true, true, false, false, false, false, true, true,
    ]));
    assert_eq!(hex::encode_upper(bits.encode()), "040AB0C0");
    let compact = Data::decode(&hex::decode("1302021106060A000000000101000000FE").unwrap());
    assert!(compact.is_err(), "11 and 06 are five octets an element, and ten do not follow");
}

/// IEC 62056-5-3, `compact-array`: a structure of unsigned and double-long-unsigned, twice.
#[test]
fn compact_arrays_unfold() {
    let Ok(Data::CompactArray(array)) =
        Data::decode(&hex::decode("13020211060A010000000002000000FE").unwrap())
    else {
        panic!("not a compact array")
    };
    let row = |a, b| Data::Structure(vec![Data::U8(a), Data::U32(b)]);
    assert_eq!(array.elements(), Ok(vec![row(1, 0), row(2, 0xFE)]));
}

#[test]
fn a_compact_array_of_nothing_does_not_grow_without_bound() {
    let nothing = TypeDescription::Array(u16::MAX, Box::new(TypeDescription::Simple(0)));
    let description = TypeDescription::Structure(vec![TypeDescription::Simple(17), nothing.clone(), nothing]);
    let array = CompactArray { description, contents: vec![0] };
    assert!(array.elements().unwrap_err().to_string().contains("protect memory"));
    // An element of no octets never uses up the contents.
    let array = CompactArray { description: TypeDescription::Simple(0), contents: vec![0] };
    assert!(array.elements().is_err());
}

#[test]
fn nesting_and_counts_are_bounded() {
    let deep = [1_u8, 1].repeat(40);
    assert!(Data::decode(&deep).unwrap_err().to_string().contains("levels of nesting"));
    assert!(Data::decode(&[1, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap_err().to_string().contains("cut short"));
    assert!(Data::decode(&[9, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap_err().to_string().contains("cut short"));
    assert!(Data::decode(&[0, 0]).unwrap_err().to_string().contains("left over"));
    assert!(Data::decode(&[0x63]).unwrap_err().to_string().contains("found 63"));
}

#[test]
fn texts_that_are_not_obis_codes_say_how_to_write_one() {
    for text in
        ["", "1.8.0", "1-0:1.8", "1-0:1.8.0.", "256-0:1.8.0", "1-0:1.8.0*256", "-0:1.8.0", "1:0-1.8.0"]
    {
        let error = text.parse::<Obis>().unwrap_err();
        assert!(error.to_string().starts_with(&format!("`{text}` is not an OBIS code: write A-B:C.D.E")));
    }
}

/// IEC 62056-6-2, 4.1.6: Friday 2012-06-29, 15:34:12 local, 60 minutes ahead of UTC.
#[test]
fn golden_clock() {
    let octets = hex::decode("07DC061D050F220C00FFC480").unwrap();
    let clock = Data::Octets(octets.clone()).as_date_time().unwrap();
    assert_eq!(clock.to_unix(DeviationSign::Standard), Some(1_340_980_452));
    assert_eq!(clock.to_string(), "2012-06-29T15:34:12 deviation -60 status 80");
    assert_eq!(DateTime::from_unix(1_340_980_452, -60).to_octets().to_vec(), octets);
}

#[test]
fn dates_that_never_were_are_kept_and_are_no_moment() {
    let clock = DateTime::from_unix(1_700_000_000, 0);
    let with = |change: fn(&mut DateTime)| {
        let mut changed = clock;
        change(&mut changed);
        assert_eq!(DateTime::from_octets(changed.to_octets()), changed);
        changed.to_unix(DeviationSign::Standard)
    };
    assert_eq!(with(|c| c.date.month = 13), None);
    assert_eq!(with(|c| c.date.day = 31), None, "November has 30 days");
    assert_eq!(with(|c| c.date.year = 0xFFFF), None);
    assert_eq!(with(|c| c.time.hour = 0xFF), None);
    assert_eq!(with(|c| c.time.minute = 60), None);
    assert_eq!(with(|c| c.time.second = 0xFF), Some(1_700_000_000 - 20));
    assert_eq!(with(|c| c.time.hundredths = 0xFF), Some(1_700_000_000));
    assert_eq!(with(|c| c.deviation = DateTime::NO_DEVIATION), Some(1_700_000_000));
    assert_eq!(with(|c| c.deviation = 721), Some(1_700_000_000));
    let leap = Date { year: 2024, month: 2, day: 29, weekday: 4 };
    assert!(DateTime { date: leap, ..clock }.to_unix(DeviationSign::Standard).is_some());
    assert!(
        DateTime { date: Date { year: 2023, ..leap }, ..clock }.to_unix(DeviationSign::Standard).is_none()
    );
    let nothing = DateTime::from_octets([0xFF; 12]);
    assert_eq!(nothing.to_string(), "*-*-*T*:*:* deviation -1 status FF");
}

#[test]
fn weekdays_are_right() {
    assert_eq!(DateTime::from_unix(0, 0).date.weekday, 4, "1970-01-01 was a Thursday");
    assert_eq!(DateTime::from_unix(1_700_000_000, 0).date.weekday, 2, "2023-11-14 was a Tuesday");
    assert_eq!(DateTime::from_unix(-86_400, 0).date.weekday, 3);
}

#[test]
fn same_type_looks_into_structures() {
    let pair = |a, b| Data::Structure(vec![a, b]);
    assert!(Data::U16(1).same_type(&Data::U16(2)));
    assert!(!Data::U16(1).same_type(&Data::U32(2)));
    assert!(pair(Data::U8(1), Data::Null).same_type(&pair(Data::U8(2), Data::Null)));
    assert!(!pair(Data::U8(1), Data::Null).same_type(&pair(Data::U8(2), Data::U8(0))));
    assert!(Data::Array(vec![]).same_type(&Data::Array(vec![Data::U8(1)])));
    assert!(!Data::Array(vec![Data::U16(1)]).same_type(&Data::Array(vec![Data::U8(1)])));
}
