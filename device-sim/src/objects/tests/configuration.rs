//! What a supplier or a network operator sets on an electricity meter, and what the meter then does.

use super::*;
use crate::model::journal::Event;
use crate::model::time::{DAY, MINUTE};

const OUT_OF_RANGE: Result<(), DataAccessResult> = Err(DataAccessResult::ScopeOfAccessViolated);
const NOT_OF_TYPE: Result<(), DataAccessResult> = Err(DataAccessResult::TypeUnmatched);

fn structure<const N: usize>(parts: [Data; N]) -> Data {
    Data::Structure(parts.to_vec())
}

fn time_of_day(hour: u8, minute: u8) -> Data {
    Data::Octets(vec![hour, minute, 0, 0])
}

fn told(bench: &mut Bench) -> Vec<Event> {
    let journal = &mut bench.meter.connection.core.journal;
    std::iter::from_fn(|| journal.take_alert()).map(|alert| alert.event).collect()
}

#[test]
fn a_voltage_out_of_its_band_is_told_counted_and_counted_anew() {
    let mut bench = Bench::new(1);
    bench.meter.set_decivolts(Some(2300));
    assert_eq!(bench.set(3, "1-0:12.35.1", 2, Data::U16(2500)), Ok(()));
    assert_eq!(bench.set(3, "1-0:12.44.1", 2, Data::U32(5)), Ok(()));
    told(&mut bench);
    bench.meter.advance(NOW.plus(1_000));
    bench.meter.set_decivolts(Some(2501));
    bench.meter.advance(NOW.plus(5_999));
    assert_eq!(told(&mut bench), []);
    bench.meter.advance(NOW.plus(6_000));
    assert_eq!(told(&mut bench), [Event::ExtremeOverVoltage]);
    assert_eq!(bench.get(3, "1-0:12.36.1", 2), Ok(Data::U32(1)));
    assert_eq!(bench.get(3, "1-0:12.36.1", 3), Ok(structure([Data::I8(0), Data::Enum(255)])));
    assert_eq!(bench.act(3, "1-0:12.36.1", 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(3, "1-0:12.36.1", 2), Ok(Data::U32(0)));
    bench.meter.set_decivolts(Some(2500));
    bench.meter.advance(NOW.plus(11_000));
    assert_eq!(told(&mut bench), [Event::ExtremeOverVoltageEnded]);
}

#[test]
fn an_average_is_told_as_soon_as_its_period_ends() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.set(7, "1-0:32.24.0", 4, Data::U32(60)), Ok(()));
    assert_eq!(bench.set(3, "1-0:12.35.2", 2, Data::U16(2400)), Ok(()));
    bench.meter.set_decivolts(Some(2410));
    bench.meter.advance(NOW.plus(2 * MINUTE));
    assert!(told(&mut bench).contains(&Event::AverageOverVoltage));
    assert_eq!(bench.get(3, "1-0:12.36.2", 2), Ok(Data::U32(1)));
    assert_eq!(bench.act(3, "1-0:12.36.2", 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(3, "1-0:12.36.2", 2), Ok(Data::U32(0)));
    for wrong in [2300, 4001, 0] {
        assert_eq!(bench.set(3, "1-0:12.35.2", 2, Data::U16(wrong)), OUT_OF_RANGE, "{wrong}");
    }
    assert_eq!(bench.set(3, "1-0:12.35.2", 2, Data::U32(65_536)), OUT_OF_RANGE);
    assert_eq!(bench.set(3, "1-0:12.35.2", 2, Data::Null), NOT_OF_TYPE);
}

#[test]
fn settings_of_the_load_limit_come_into_force_at_their_time() {
    const PASSIVE: &str = "0-0:96.50.20";
    let mut bench = Bench::new(1);
    let settings = |bench: &Bench, seconds: i64, watts: u32| {
        let at = bench.meter.connection.core.shown().plus(seconds * 1000);
        let at = stamp(at, DeviationSign::Standard);
        structure([Data::U32(watts), Data::U32(30), Data::U32(0), Data::U16(0), at])
    };
    assert_eq!(bench.get(1, PASSIVE, 2), Ok(structure([])));
    let later = settings(&bench, 90, 5000);
    assert_eq!(bench.set(1, PASSIVE, 2, settings(&bench, 90, 0)), OUT_OF_RANGE);
    assert_eq!(bench.set(1, PASSIVE, 2, later.clone()), Ok(()));
    assert_eq!(bench.get(1, PASSIVE, 2), Ok(later));
    told(&mut bench);
    bench.meter.advance(NOW.plus(89_999));
    assert_eq!(bench.get(71, "0-0:17.0.0", 4), Ok(Data::U32(23_000)));
    bench.meter.advance(NOW.plus(90_000));
    assert_eq!(bench.get(71, "0-0:17.0.0", 4), Ok(Data::U32(5000)));
    assert_eq!(bench.get(71, "0-0:17.0.0", 6), Ok(Data::U32(30)));
    assert_eq!(
        (told(&mut bench), bench.get(1, PASSIVE, 2)),
        (vec![Event::FutureDatedDone], Ok(structure([])))
    );
    let taken_back = settings(&bench, 30, 7000);
    assert_eq!(bench.set(1, PASSIVE, 2, taken_back), Ok(()));
    assert_eq!(bench.set(1, PASSIVE, 2, structure([])), Ok(()));
    bench.meter.advance(NOW.plus(2 * MINUTE));
    assert_eq!(bench.get(71, "0-0:17.0.0", 4), Ok(Data::U32(5000)));
}

#[test]
fn what_a_load_limit_cannot_be_is_refused_and_its_counter_starts_anew() {
    const LIMITER: &str = "0-0:17.0.0";
    let mut bench = Bench::new(1);
    for (attribute, value) in [(4, 0), (4, 100_001), (6, 86_401), (7, 86_401), (7, u32::MAX)] {
        assert_eq!(bench.set(71, LIMITER, attribute, Data::U32(value)), OUT_OF_RANGE, "{attribute} {value}");
    }
    let script = |selector| structure([Data::Octets(vec![0, 0, 10, 0, 106, 255]), Data::U16(selector)]);
    assert_eq!(bench.set(71, LIMITER, 11, structure([script(2), script(0)])), OUT_OF_RANGE);
    assert_eq!(bench.set(71, LIMITER, 4, Data::U32(1000)), Ok(()));
    assert_eq!(bench.set(71, LIMITER, 6, Data::U32(1)), Ok(()));
    bench.meter.set_load(Some(2000));
    bench.meter.advance(NOW.plus(1_000));
    assert_eq!(bench.get(3, "0-0:96.15.1", 2), Ok(Data::U32(1)));
    assert_eq!(bench.act(3, "0-0:96.15.1", 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(3, "0-0:96.15.1", 2), Ok(Data::U32(0)));
}

#[test]
fn power_is_low_medium_or_high_by_rising_thresholds() {
    use crate::model::power_level::PowerLevel;
    let mut bench = Bench::new(1);
    let thresholds = |low, high| Data::Array(vec![Data::U32(low), Data::U32(high)]);
    assert_eq!(bench.set(21, "0-0:16.0.1", 2, thresholds(900, 900)), OUT_OF_RANGE);
    assert_eq!(bench.set(21, "0-0:16.0.1", 2, Data::Array(vec![Data::U32(5)])), OUT_OF_RANGE);
    assert_eq!(bench.set(21, "0-0:16.0.1", 2, thresholds(900, 2000)), Ok(()));
    assert_eq!(bench.get(21, "0-0:16.0.1", 2), Ok(thresholds(900, 2000)));
    for (watts, level) in [(899, PowerLevel::Low), (900, PowerLevel::Medium), (2000, PowerLevel::High)] {
        bench.meter.set_load(Some(watts));
        assert_eq!(bench.meter.power_level(), level);
    }
}

#[test]
fn the_demand_of_a_part_of_the_day_is_kept_by_itself_and_starts_anew_with_another_part() {
    const PART: &str = "0-0:96.50.21";
    const PEAK: &str = "1-0:1.6.1";
    let mut bench = Bench::new(1);
    let part = |from, to| structure([from, to]);
    for (from, to) in [((16, 0), (16, 0)), ((16, 10), (19, 0)), ((20, 0), (8, 0)), ((24, 0), (0, 0))] {
        let wrong = part(time_of_day(from.0, from.1), time_of_day(to.0, to.1));
        assert_eq!(bench.set(1, PART, 2, wrong), OUT_OF_RANGE, "{from:?} {to:?}");
    }
    assert_eq!(bench.set(1, PART, 2, Data::U8(1)), NOT_OF_TYPE);
    let evening = part(time_of_day(16, 0), time_of_day(19, 30));
    assert_eq!(bench.set(1, PART, 2, evening.clone()), Ok(()));
    assert_eq!((bench.get(1, PART, 2), bench.get(4, PEAK, 2)), (Ok(evening), Ok(Data::U32(0))));
    bench.meter.connection.set_mode(crate::model::account::PaymentMode::Credit);
    let midnight = NOW.millis().div_euclid(DAY) * DAY + DAY;
    let at = |minute: i64| Moment::from_millis(midnight + minute * MINUTE);
    for (minute, watts) in [(0, 9000), (16 * 60, 3000), (19 * 60 + 30, 8000)] {
        bench.meter.advance(at(minute));
        bench.meter.set_load(Some(watts));
    }
    bench.meter.advance(at(21 * 60));
    let peak = bench.get(4, PEAK, 2).unwrap().as_i128().unwrap();
    assert!((2990..=3010).contains(&peak), "{peak}");
    assert!(bench.get(4, "1-0:1.6.0", 2).unwrap().as_i128().unwrap() > 8000);
    assert_eq!(bench.act(4, PEAK, 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(4, PEAK, 2), Ok(Data::U32(0)));
}

#[test]
fn tamper_leaves_the_supply_or_locks_it_until_a_command_brings_it_back() {
    const STATE: &str = "0-0:96.50.22";
    let mut bench = Bench::new(1);
    bench.meter.connection.tamper();
    assert!(bench.meter.connection.supply().is_on());
    assert_eq!(bench.set(1, STATE, 2, Data::Enum(2)), OUT_OF_RANGE);
    assert_eq!(bench.set(1, STATE, 2, Data::Enum(1)), Ok(()));
    told(&mut bench);
    bench.meter.connection.tamper();
    assert_eq!(told(&mut bench), [Event::Tamper]);
    assert_eq!(bench.get(1, "0-0:96.5.0", 2), Ok(Data::Enum(8)));
    for key in [crate::model::supply::Key::A, crate::model::supply::Key::B] {
        bench.meter.connection.press(key);
    }
    assert!(!bench.meter.connection.supply().is_on(), "keys do not bring it back");
    assert_eq!(bench.act(9, "0-0:10.0.106", 1, Data::U16(3)), Ok(()));
    assert!(bench.meter.connection.supply().is_on());
}

#[test]
fn what_is_not_to_be_logged_is_not_and_may_be_told_all_the_same() {
    let mut bench = Bench::new(1);
    let tamper = Data::Array(vec![Data::U16(0x8f3f)]);
    assert_eq!(bench.set(1, "0-0:97.98.13", 2, tamper.clone()), Ok(()));
    assert_eq!(bench.get(1, "0-0:97.98.13", 2), Ok(tamper.clone()));
    assert_eq!(bench.set(1, "0-0:97.98.12", 2, Data::Array(vec![Data::U16(1)])), OUT_OF_RANGE);
    assert_eq!(bench.set(1, "0-0:97.98.12", 2, tamper), Ok(()));
    told(&mut bench);
    let before = bench.meter.connection.core.journal.security().len();
    bench.meter.connection.tamper();
    assert_eq!(bench.meter.connection.core.journal.security().len(), before);
    assert_eq!(told(&mut bench), [Event::Tamper]);
    assert!(bench.meter.connection.core.journal.take_han_alert().is_some());
}

const BLOCK: &str = "0-0:96.50.60";

fn setting(obis: &str, value: Data) -> Data {
    let obis: Obis = obis.parse().unwrap();
    structure([Data::Octets(obis.0.to_vec()), Data::I8(2), value])
}

fn block(version: &str, settings: Vec<Data>) -> Data {
    structure([Data::Octets(version.as_bytes().to_vec()), Data::Array(settings)])
}

#[test]
fn a_configuration_is_taken_whole_or_not_at_all() {
    let mut bench = Bench::new(1);
    let (version, name) = ("0-0:96.1.4", "0-0:96.50.40");
    let text = |text: &str| Data::Octets(text.as_bytes().to_vec());
    let before = bench.get(1, version, 2);
    let good = vec![setting(name, text("Supplier A")), setting("1-0:12.35.1", Data::U16(2500))];
    assert_eq!(bench.set(1, BLOCK, 2, block("ESME-9", good.clone())), Ok(()));
    assert_eq!(bench.get(1, version, 2), Ok(text("ESME-9")));
    assert_eq!(bench.get(1, name, 2), Ok(text("Supplier A")));
    assert_eq!(bench.get(1, BLOCK, 2), Ok(block("ESME-9", good)));
    assert_ne!(before, Ok(text("ESME-9")));

    // The second setting is out of range: the first is set back, and the version stays.
    let bad = vec![setting(name, text("Supplier B")), setting("1-0:12.35.1", Data::U16(1))];
    assert_eq!(bench.set(1, BLOCK, 2, block("ESME-10", bad)), OUT_OF_RANGE);
    assert_eq!(bench.get(1, name, 2), Ok(text("Supplier A")));
    assert_eq!(bench.get(1, version, 2), Ok(text("ESME-9")));
    let denied = Err(DataAccessResult::ReadWriteDenied);
    for apart in [
        setting("0-0:40.0.0", text("password")),
        setting(BLOCK, block("x", vec![])),
        setting(version, text("2")),
    ] {
        assert_eq!(bench.set(1, BLOCK, 2, block("ESME-10", vec![apart])), denied);
    }
    assert_eq!(bench.set(1, BLOCK, 2, block("", vec![])), OUT_OF_RANGE);
    assert_eq!(bench.set(1, BLOCK, 2, block("2", vec![setting(name, text("x")); 65])), OUT_OF_RANGE);
    assert_eq!(bench.set(1, BLOCK, 2, Data::Null), NOT_OF_TYPE);
}
