//! The electricity meter's objects as a client finds them.

use proto_dlms::data::DateTime;

use super::*;
use crate::model::firmware;
use crate::model::journal::Event;
use crate::model::money::Millipence;
use crate::model::time::MINUTE;

fn structure<const N: usize>(parts: [Data; N]) -> Data {
    Data::Structure(parts.to_vec())
}

fn octets(octets: impl AsRef<[u8]>) -> Data {
    Data::Octets(octets.as_ref().to_vec())
}

fn rows(bench: &mut Bench, obis: &str) -> Vec<Vec<Data>> {
    let buffer = bench.get(7, obis, 2).unwrap();
    buffer.elements().unwrap().iter().map(|row| row.elements().unwrap().to_vec()).collect()
}

fn number(data: &Data) -> i128 {
    data.as_i128().unwrap()
}

#[test]
fn every_buffer_has_as_many_columns_as_it_says() {
    let mut bench = Bench::new(1);
    bench.meter.end_billing_period();
    for obis in
        ["1-0:99.1.0", "0-0:99.1.1", "0-0:99.1.2", "0-0:98.1.0", "0-0:98.2.0", "0-0:98.1.10", "1-0:32.24.0"]
    {
        let columns = bench.get(7, obis, 3).unwrap().elements().unwrap().len();
        let rows = rows(&mut bench, obis);
        assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns), "{obis}");
        assert_eq!(bench.get(7, obis, 7), Ok(Data::U32(u32::try_from(rows.len()).unwrap())));
    }
}

#[test]
fn tariff_registers_add_up_to_the_total() {
    let mut bench = Bench::new(1);
    let total = number(&bench.get(3, "1-0:1.8.0", 2).unwrap());
    let mut sum = |first: u8, count: u8| -> i128 {
        (first..first + count).map(|e| number(&bench.get(3, &format!("1-0:1.8.{e}"), 2).unwrap())).sum()
    };
    let sum = sum(1, 48);
    assert!((0..48).contains(&(total - sum)), "{sum} of {total}");
}

#[test]
fn a_calendar_of_two_days_is_written_dated_and_followed() {
    let mut bench = Bench::new(1);
    let action = |hour: u8, register: u16| {
        structure([octets([hour, 0, 0, 0]), octets([0, 0, 10, 0, 100, 255]), Data::U16(register)])
    };
    let day = |id: u8, actions: Vec<Data>| structure([Data::U8(id), Data::Array(actions)]);
    let days = Data::Array(vec![day(1, vec![action(0, 5), action(12, 48)]), day(2, vec![action(0, 7)])]);
    let week =
        Data::Structure(std::iter::once(octets(b"w")).chain([1, 1, 1, 1, 1, 2, 2].map(Data::U8)).collect());
    let start = [0xff, 0xff, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0xff];
    let season = structure([octets(b"s"), octets(start), octets(b"w")]);
    assert_eq!(bench.set(20, "0-0:13.0.0", 7, Data::Array(vec![season])), Ok(()));
    // The season's week is not there yet: what does not fit together is not put in force.
    assert_eq!(bench.act(20, "0-0:13.0.0", 1, Data::I8(0)), Err(ActionResult::OtherReason));
    assert_eq!(bench.set(20, "0-0:13.0.0", 8, Data::Array(vec![week])), Ok(()));
    assert_eq!(bench.set(20, "0-0:13.0.0", 9, days.clone()), Ok(()));
    let at = stamp(bench.meter.connection.core.shown().plus(5 * MINUTE), DeviationSign::Standard);
    assert_eq!(bench.set(20, "0-0:13.0.0", 10, at), Ok(()));
    bench.meter.advance(NOW.plus(6 * MINUTE));
    assert_eq!(bench.get(20, "0-0:13.0.0", 5), Ok(days));
    // It is a Thursday evening, and then Saturday.
    assert_eq!(bench.get(6, "0-0:14.0.0", 4), Ok(octets([48])));
    bench.meter.advance(NOW.plus(2 * 48 * HALF_HOUR));
    assert_eq!(bench.get(6, "0-0:14.0.0", 4), Ok(octets([7])));
    let special = structure([Data::U16(1), octets([0xff, 0xff, 0xff, 0xff, 0xff]), Data::U8(1)]);
    assert_eq!(bench.act(11, "0-0:11.0.0", 1, special), Ok(()));
    assert_eq!(bench.get(6, "0-0:14.0.0", 4), Ok(octets([48])));
    assert_eq!(bench.act(11, "0-0:11.0.0", 2, Data::U16(9)), Err(ActionResult::ObjectUnavailable));
    assert_eq!(bench.act(11, "0-0:11.0.0", 2, Data::U16(1)), Ok(()));
    assert_eq!(bench.get(6, "0-0:14.0.0", 4), Ok(octets([7])));
}

#[test]
fn sets_of_blocks_have_ends_that_do_not_fall_and_prices_of_their_own() {
    let mut bench = Bench::new(1);
    let ends = |wh: &[u32]| Data::Array(wh.iter().map(|wh| Data::U32(*wh)).collect());
    let refused = Err(DataAccessResult::ScopeOfAccessViolated);
    assert_eq!(bench.set(21, "0-0:16.0.11", 2, ends(&[5000, 2000])), refused, "ends that fall");
    assert_eq!(bench.set(21, "0-0:16.0.18", 2, ends(&[1, 2, 3, 4])), refused, "the last block has no end");
    assert_eq!(bench.set(21, "0-0:16.0.18", 2, ends(&[1, 2, 3])), Ok(()));
    assert_eq!(bench.set(21, "0-0:16.1.11", 2, ends(&[2000, 5000])), Ok(()));
    assert_eq!(bench.get(21, "0-0:16.0.11", 2), Ok(ends(&[])), "held ready, not in force");
    assert_eq!(bench.act(9, "0-0:10.0.110", 1, Data::U16(1)), Ok(()));
    assert_eq!(bench.get(21, "0-0:16.0.11", 2), Ok(ends(&[2000, 5000])));
    assert_eq!(bench.act(9, "0-0:10.0.110", 1, Data::U16(4)), Err(ActionResult::ScopeOfAccessViolated));
    let element = |index, steps| structure([octets([index]), Data::I16(steps)]);
    let charges = Data::Array(vec![element(1, 1500), element(2, 3000)]);
    assert_eq!(bench.act(113, "0-0:19.20.5", 1, charges), Ok(()));
    assert_eq!(bench.act(113, "0-0:19.20.5", 2, Data::I8(0)), Ok(()));
    assert_eq!(bench.meter.connection.prices().block[1], Millipence::pence(30));
}

#[test]
fn demand_is_read_with_its_time_reset_and_averaged_over_another_period() {
    let mut bench = Bench::new(1);
    bench.meter.set_load(Some(4000));
    assert_eq!(bench.act(4, "1-0:1.6.0", 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(4, "1-0:1.6.0", 2), Ok(Data::U32(0)));
    assert_eq!(bench.set(5, "1-0:1.4.0", 8, Data::U32(7)), Err(DataAccessResult::ScopeOfAccessViolated));
    assert_eq!(bench.set(5, "1-0:1.4.0", 8, Data::U32(900)), Ok(()));
    bench.meter.advance(NOW.plus(HALF_HOUR));
    let peak = number(&bench.get(4, "1-0:1.6.0", 2).unwrap());
    assert!((3990..=4000).contains(&peak), "{peak}");
    assert!(bench.get(4, "1-0:1.6.0", 5).unwrap().as_date_time().is_some());
    assert_eq!(bench.get(4, "1-0:1.6.0", 3), Ok(structure([Data::I8(0), Data::Enum(27)])));
}

#[test]
fn the_billing_period_ends_by_script_and_its_schedule_is_written() {
    let mut bench = Bench::new(1);
    let before = rows(&mut bench, "0-0:98.1.0").len();
    assert_eq!(bench.act(9, "0-0:10.0.1", 1, Data::U16(1)), Ok(()));
    assert_eq!(bench.act(9, "0-0:10.0.1", 1, Data::U16(2)), Err(ActionResult::ScopeOfAccessViolated));
    let bills = rows(&mut bench, "0-0:98.1.0");
    assert_eq!(bills.len(), before + 1);
    assert_eq!(bills.last().unwrap()[1], bench.get(3, "1-0:1.8.0", 2).unwrap());
    let schedule =
        Data::Array(vec![structure([octets([6, 30, 0, 0]), octets([0xff, 0xff, 0xff, 15, 0xff])])]);
    assert_eq!(bench.set(22, "0-0:15.0.0", 4, schedule.clone()), Ok(()));
    assert_eq!(bench.get(22, "0-0:15.0.0", 4), Ok(schedule));
    let wrong = Data::Array(vec![structure([octets([24, 0, 0, 0]), octets([0xff, 0xff, 0xff, 15, 0xff])])]);
    assert_eq!(bench.set(22, "0-0:15.0.0", 4, wrong), Err(DataAccessResult::ScopeOfAccessViolated));
}

#[test]
fn another_voltage_averaging_period_wipes_the_profile() {
    let mut bench = Bench::new(1);
    assert!(!rows(&mut bench, "1-0:32.24.0").is_empty());
    assert_eq!(bench.set(7, "1-0:32.24.0", 4, Data::U32(420)), Err(DataAccessResult::ScopeOfAccessViolated));
    for minutes in [1u32, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30] {
        assert_eq!(bench.set(7, "1-0:32.24.0", 4, Data::U32(minutes * 60)), Ok(()));
        assert_eq!(bench.get(7, "1-0:32.24.0", 4), Ok(Data::U32(minutes * 60)));
        assert!(rows(&mut bench, "1-0:32.24.0").is_empty());
    }
    assert_eq!(bench.set(3, "1-0:12.31.0", 2, Data::U16(2200)), Ok(()));
    assert_eq!(bench.set(3, "1-0:12.43.0", 2, Data::U32(20)), Ok(()));
    bench.meter.set_decivolts(Some(2190));
    bench.meter.advance(NOW.plus(30_000));
    assert_eq!(bench.get(3, "1-0:12.32.0", 2), Ok(Data::U32(1)));
    assert_eq!(bench.act(3, "1-0:12.32.0", 1, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(3, "1-0:12.32.0", 2), Ok(Data::U32(0)));
    // What is too high lies above the nominal voltage, what is too low below.
    assert_eq!(bench.set(3, "1-0:12.31.1", 2, Data::U16(2400)), Err(DataAccessResult::ScopeOfAccessViolated));
    assert_eq!(
        bench.set(3, "1-0:12.44.1", 2, Data::U32(86_401)),
        Err(DataAccessResult::ScopeOfAccessViolated)
    );
    assert_eq!(bench.set(3, "1-0:12.35.2", 2, Data::U16(2000)), Err(DataAccessResult::ScopeOfAccessViolated));
}

#[test]
fn the_load_limit_is_set_counted_and_may_leave_the_supply_on() {
    let mut bench = Bench::new(1);
    for (attribute, value) in [(4, 3000), (6, 30), (7, 60)] {
        assert_eq!(bench.set(71, "0-0:17.0.0", attribute, Data::U32(value)), Ok(()));
        assert_eq!(bench.get(71, "0-0:17.0.0", attribute), Ok(Data::U32(value)));
    }
    bench.meter.set_load(Some(3001));
    bench.meter.advance(NOW.plus(30_000));
    assert_eq!(bench.get(70, "0-0:96.3.10", 3), Ok(Data::Enum(2)));
    assert_eq!(bench.get(1, "0-0:96.5.0", 2), Ok(Data::Enum(4)));
    bench.meter.advance(NOW.plus(90_000));
    assert_eq!(bench.get(70, "0-0:96.3.10", 2), Ok(Data::Boolean(true)));
    assert_eq!(bench.get(3, "0-0:96.15.1", 2), Ok(Data::U32(1)));
    let script = |selector| structure([octets([0, 0, 10, 0, 106, 255]), Data::U16(selector)]);
    assert_eq!(bench.set(71, "0-0:17.0.0", 11, structure([script(0), script(0)])), Ok(()));
    bench.meter.advance(NOW.plus(400_000));
    assert_eq!(bench.get(70, "0-0:96.3.10", 2), Ok(Data::Boolean(true)));
}

#[test]
fn debts_are_set_collected_and_logged() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.act(113, "0-0:19.20.3", 5, Data::I32(500_000)), Ok(()));
    assert_eq!(bench.set(113, "0-0:19.20.3", 13, Data::U16(2_500)), Ok(()));
    assert_eq!(
        bench.set(113, "0-0:19.20.3", 13, Data::U16(10_001)),
        Err(DataAccessResult::ScopeOfAccessViolated)
    );
    assert_eq!(bench.act(113, "0-0:19.20.1", 4, Data::I32(-1)), Err(ActionResult::ScopeOfAccessViolated));
    assert_eq!(bench.get(112, "0-0:19.10.2", 2), Ok(Data::I32(-500_000)));
    let token = octets(Utrn::make(&key(), 5, 800).unwrap().to_string());
    assert_eq!(bench.act(115, "0-0:19.40.0", 1, token), Ok(()));
    assert_eq!(bench.get(113, "0-0:19.20.3", 12), Ok(Data::I32(300_000)));
    let paid = rows(&mut bench, "0-0:98.1.4");
    assert_eq!(paid[0][1..], [Data::Enum(3), Data::I32(200_000)]);
    let bought = rows(&mut bench, "0-0:98.1.5");
    assert_eq!(bought[0][1..], [Data::I32(800_000), Data::U32(5)]);
    assert_eq!(bench.set(1, "0-0:96.50.2", 2, Data::I32(100_000)), Ok(()));
    assert_eq!(bench.set(1, "0-0:96.50.1", 2, Data::Boolean(true)), Ok(()));
    assert!(!bench.meter.connection.may_disable());
}

#[test]
fn what_the_head_end_is_told_is_configuration() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.set(1, "0-0:97.98.10", 2, Data::Array(vec![Data::U16(0x8161)])), Ok(()));
    bench.meter.connection.tamper();
    assert_eq!(bench.meter.connection.core.journal.take_alert(), None);
    assert_eq!(
        bench.meter.connection.core.journal.security().last().map(|entry| entry.event),
        Some(Event::Tamper)
    );
    let unknown = Data::Array(vec![Data::U16(1)]);
    assert_eq!(bench.set(1, "0-0:97.98.10", 2, unknown), Err(DataAccessResult::ScopeOfAccessViolated));
    assert_eq!(bench.act(7, "0-0:99.98.0", 1, Data::I8(0)), Ok(()));
    assert!(rows(&mut bench, "0-0:99.98.0").is_empty());
    assert_eq!(
        bench.meter.connection.core.journal.security().last().map(|entry| entry.event),
        Some(Event::LogCleared)
    );
}

const IMAGE: &str = "0-0:44.0.0";

fn send_blocks(bench: &mut Bench, image: &[u8], numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        let block = image.chunks(256).nth(number).unwrap();
        let parameter = structure([Data::U32(u32::try_from(number).unwrap()), octets(block)]);
        assert_eq!(bench.act(18, IMAGE, 2, parameter), Ok(()));
    }
}

#[test]
fn an_image_with_a_gap_is_completed_after_an_outage_verified_and_run() {
    let mut bench = Bench::new(1);
    let image = firmware::image(&bench.meter.connection.core.plate, "2.00", &[0x5a; 2000]);
    let size = Data::U32(u32::try_from(image.len()).unwrap());
    assert_eq!(bench.act(18, IMAGE, 3, Data::I8(0)), Err(ActionResult::ObjectUnavailable));
    assert_eq!(bench.act(18, IMAGE, 1, structure([octets(b"2.00"), size])), Ok(()));
    assert_eq!(bench.get(18, IMAGE, 2), Ok(Data::U32(256)));
    send_blocks(&mut bench, &image, (0..9).filter(|number| *number != 3));
    bench.meter.connection.core.lose_mains();
    bench.meter.advance(NOW.plus(HALF_HOUR));
    bench.meter.connection.core.regain_mains();
    assert_eq!(bench.get(18, IMAGE, 4), Ok(Data::U32(3)));
    let Ok(Data::BitString(blocks)) = bench.get(18, IMAGE, 3) else { panic!("a bit string") };
    assert_eq!(blocks.bits(), [true, true, true, false, true, true, true, true, true]);
    assert_eq!(bench.act(18, IMAGE, 3, Data::I8(0)), Err(ActionResult::TemporaryFailure));
    send_blocks(&mut bench, &image, 3..4);
    assert_eq!(bench.act(18, IMAGE, 3, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(18, IMAGE, 6), Ok(Data::Enum(3)));
    assert_eq!(bench.get(1, "0-0:0.2.1", 2), Ok(octets("1.04")));
    let starts = bench.meter.connection.core.starts();
    assert_eq!(bench.act(18, IMAGE, 4, Data::I8(0)), Ok(()));
    assert_eq!(bench.get(1, "0-0:0.2.1", 2), Ok(octets("2.00")));
    assert!(bench.meter.connection.core.starts() > starts && !bench.meter.connection.core.is_up());
    bench.meter.advance(NOW.plus(HALF_HOUR + crate::model::core::RESTART));
    assert!(bench.meter.connection.core.is_up());
}

#[test]
fn a_wrong_image_is_not_verified_and_a_dated_one_runs_at_its_time() {
    let mut bench = Bench::new(1);
    let send = |bench: &mut Bench, image: &[u8]| {
        let size = Data::U32(u32::try_from(image.len()).unwrap());
        assert_eq!(bench.act(18, IMAGE, 1, structure([octets(b"x"), size])), Ok(()));
        send_blocks(bench, image, 0..image.len().div_ceil(256));
        bench.act(18, IMAGE, 3, Data::I8(0))
    };
    let image = firmware::image(&bench.meter.connection.core.plate, "2.00", &[1; 300]);
    let mut damaged = image.clone();
    damaged[100] ^= 0x10;
    assert_eq!(send(&mut bench, &damaged), Err(ActionResult::OtherReason));
    assert_eq!(bench.get(18, IMAGE, 6), Ok(Data::Enum(4)));
    assert_eq!(bench.act(18, IMAGE, 4, Data::I8(0)), Err(ActionResult::ObjectUnavailable));
    let told: Vec<Event> = std::iter::from_fn(|| bench.meter.connection.core.journal.take_alert())
        .map(|alert| alert.event)
        .collect();
    assert_eq!(told, [Event::FirmwareNotVerified]);
    assert_eq!(send(&mut bench, &image), Ok(()));
    let at = bench.meter.connection.core.shown().plus(10 * MINUTE);
    let at = DateTime::from_unix(at.millis() / 1000, 0).to_octets();
    let dated = Data::Array(vec![structure([octets(&at[5..9]), octets(&at[..5])])]);
    assert_eq!(bench.set(22, "0-0:15.0.2", 4, dated.clone()), Ok(()));
    assert_eq!(bench.get(22, "0-0:15.0.2", 4), Ok(dated));
    bench.meter.advance(NOW.plus(9 * MINUTE));
    assert_eq!(bench.meter.connection.core.plate.firmware, "1.04");
    bench.meter.advance(NOW.plus(11 * MINUTE));
    assert_eq!(bench.meter.connection.core.plate.firmware, "2.00");
}

#[test]
fn a_meter_without_room_takes_no_image_and_the_blocks_of_its_model() {
    let mut bench = Bench::new(1);
    bench.meter.connection.core.bench.memory_full = true;
    let begin = |bench: &mut Bench| bench.act(18, IMAGE, 1, structure([octets(b"2.00"), Data::U32(700)]));
    assert_eq!(begin(&mut bench), Err(ActionResult::HardwareFault));
    bench.meter.connection.core.bench.memory_full = false;
    let traits = lab_config::ImageTransferTraits { block: 64, room: 600, ..Default::default() };
    bench.meter.connection.core.firmware = firmware::ImageTransfer::new(traits);
    assert_eq!(bench.get(18, IMAGE, 2), Ok(Data::U32(64)));
    assert_eq!(begin(&mut bench), Err(ActionResult::ScopeOfAccessViolated));
}

#[test]
fn a_clock_that_stood_still_says_so_until_it_is_set() {
    let mut bench = Bench::new(1);
    let status = |bench: &mut Bench| number(&bench.get(8, "0-0:1.0.0", 4).unwrap()) & 1;
    assert_eq!(status(&mut bench), 0);
    bench.meter.connection.core.lose_mains();
    bench.meter.advance(NOW.plus(10 * 48 * HALF_HOUR));
    bench.meter.connection.core.regain_mains();
    assert_eq!(status(&mut bench), 1);
    let now = MeterTime::from_millis(bench.meter.connection.core.now().millis());
    assert_eq!(bench.set(8, "0-0:1.0.0", 2, stamp(now, DeviationSign::Standard)), Ok(()));
    assert_eq!(status(&mut bench), 0);
}

#[test]
fn a_tariff_that_does_not_fit_together_is_refused_when_it_is_dated() {
    let mut bench = Bench::new(1);
    let special = structure([Data::U16(1), octets([0xff, 0xff, 12, 25, 0xff]), Data::U8(7)]);
    assert_eq!(bench.set(11, "0-0:11.0.10", 2, Data::Array(vec![special])), Ok(()));
    let at = structure([octets([12, 0, 0, 0]), octets([0x07, 0xeb, 1, 1, 0xff])]);
    let refused = Err(DataAccessResult::ScopeOfAccessViolated);
    assert_eq!(bench.set(22, "0-0:15.0.10", 4, Data::Array(vec![at.clone()])), refused);
    assert_eq!(bench.act(9, "0-0:10.0.110", 1, Data::U16(1)), Err(ActionResult::OtherReason));
    assert_eq!(bench.set(11, "0-0:11.0.10", 2, Data::Array(Vec::new())), Ok(()));
    assert_eq!(bench.set(22, "0-0:15.0.10", 4, Data::Array(vec![at])), Ok(()));
    let dated = bench.get(22, "0-0:15.0.10", 4).unwrap();
    assert_eq!(dated.elements().map(<[Data]>::len), Some(1));
    assert_eq!(bench.act(9, "0-0:10.0.110", 1, Data::U16(1)), Ok(()));
    assert_eq!(bench.get(22, "0-0:15.0.10", 4), Ok(Data::Array(Vec::new())), "what is done is not dated");
}

#[test]
fn limits_and_payment_mode_held_ready_come_into_force_whole() {
    let mut bench = Bench::new(1);
    let amounts = |cap: Data, amounts: [i32; 5]| {
        Data::Structure(std::iter::once(cap).chain(amounts.map(Data::I32)).collect())
    };
    let limits = amounts(Data::I32(5_000), [700_000, 50_000, 150_000, 20_000_000, 9_000_000]);
    let refused = Err(DataAccessResult::ScopeOfAccessViolated);
    assert_eq!(bench.set(1, "0-0:96.51.3", 2, amounts(Data::Null, [-1, 0, 0, 9, 9])), refused);
    assert_eq!(bench.set(1, "0-0:96.51.3", 2, amounts(Data::Null, [1, 10, 0, 9, 9])), refused);
    assert_eq!(bench.set(1, "0-0:96.51.3", 2, limits.clone()), Ok(()));
    assert_ne!(bench.get(1, "0-0:96.51.2", 2), Ok(limits.clone()));
    assert_eq!(bench.act(9, "0-0:10.0.110", 1, Data::U16(2)), Ok(()));
    assert_eq!(bench.get(1, "0-0:96.51.2", 2), Ok(limits));
    assert_eq!(bench.meter.connection.account().thresholds().low_credit, Millipence::pence(150));
    let mode = structure([Data::Enum(2), Data::Boolean(true), Data::Boolean(false), Data::I32(-1_000)]);
    assert_eq!(bench.set(1, "0-0:96.51.5", 2, mode.clone()), Ok(()));
    assert_eq!(bench.act(9, "0-0:10.0.110", 1, Data::U16(3)), Ok(()));
    assert_eq!(bench.get(1, "0-0:96.51.4", 2), Ok(mode));
    assert_eq!(bench.set(1, "0-0:96.51.5", 2, Data::U8(2)), Err(DataAccessResult::TypeUnmatched));
}

#[test]
fn the_account_is_written_down_day_by_day() {
    let mut bench = Bench::new(1);
    let before = rows(&mut bench, "0-0:98.2.1").len();
    assert_eq!(before, 31);
    bench.meter.connection.adjust(Millipence::pence(100));
    bench.meter.advance(NOW.plus(48 * HALF_HOUR));
    let rows = rows(&mut bench, "0-0:98.2.1");
    assert_eq!(rows.len(), 31, "the oldest day makes room");
    assert_eq!(bench.get(7, "0-0:98.2.1", 3).unwrap().elements().unwrap().len(), rows[0].len());
    let [.., newest] = &rows[..] else { panic!("a row") };
    assert!(newest[0].as_date_time().is_some() && number(&newest[1]) != 0);
}
