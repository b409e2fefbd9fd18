use proptest::prelude::*;
use proto_duis::DeviceKind;
use proto_duis::utrn::Utrn;
use proto_zigbee::metering::SupplyStatus;

use super::super::account::PaymentMode;
use super::super::connection::Passive;
use super::super::mirror::{Mirror, snapshot_ids};
use super::super::money::Millipence;
use super::super::tests::{NOW, contract, key};
use super::logs::{PeriodEnd, PeriodEntry};
use super::*;

fn meter() -> Gsme {
    Gsme::installed(&contract(DeviceKind::Gsme), 1, HALF_HOUR, NOW)
}

fn take_reports(meter: &mut Gsme, mirror: &mut Mirror) -> usize {
    let mut count = 0;
    while let Some(octets) = meter.take_report() {
        let answer = mirror.receive(&meter.connection.core, &octets, 0);
        answer.and_then(|answer| meter.receive(&answer));
        count += 1;
    }
    count
}

#[test]
fn it_wakes_at_installation_then_every_period_and_the_mirror_follows() {
    let (mut meter, mut mirror) = (meter(), Mirror::default());
    assert!(meter.is_awake());
    take_reports(&mut meter, &mut mirror);
    assert_eq!((mirror.litres(), mirror.supply()), (meter.litres(), Some(SupplyStatus::On)));
    meter.set_flow(Some(6000));
    let wake = meter.next_wake();
    meter.advance(wake.plus(-1));
    assert!(!meter.is_awake());
    assert_eq!(take_reports(&mut meter, &mut mirror), 0);
    let stale = mirror.litres();
    meter.advance(wake);
    assert_eq!(take_reports(&mut meter, &mut mirror), 3);
    assert_eq!((mirror.litres(), meter.next_wake()), (meter.litres(), wake.plus(HALF_HOUR)));
    assert!(mirror.litres() > stale);
}

#[test]
fn its_local_port_wakes_it_and_a_flat_battery_does_not() {
    let mut meter = meter();
    meter.advance(NOW.plus(MINUTE));
    meter.wake_by_local_port();
    assert!(meter.is_awake());
    meter.set_flat(true);
    meter.wake_by_local_port();
    assert!(!meter.is_awake() && meter.battery_percent() == 0);
    meter.set_flat(false);
    meter.advance(NOW.plus(2 * MINUTE));
    assert!(meter.is_awake() && meter.battery_percent() == 100);
}

#[test]
fn the_valve_opens_only_by_keys() {
    let mut meter = meter();
    meter.connection.disable();
    assert_eq!(meter.flow(), 0);
    meter.connection.arm().unwrap();
    assert_eq!(meter.press(Key::B), KeyEffect::Waiting);
    assert_eq!(meter.press(Key::A), KeyEffect::Closed);
}

#[test]
fn a_day_that_has_ended_reaches_the_mirror_as_a_snapshot_if_both_stacks_number_it_alike() {
    for (publish, told) in [(0x06, 2), (0x0c, 0)] {
        let (mut meter, mut mirror) =
            (meter().with_snapshot_ids(snapshot_ids(0x06, publish)), Mirror::default());
        take_reports(&mut meter, &mut mirror);
        assert_eq!(mirror.days().len(), 0);
        for half_hour in 1..=96 {
            meter.advance(NOW.plus(half_hour * HALF_HOUR));
            take_reports(&mut meter, &mut mirror);
        }
        assert_eq!(mirror.days().len(), told);
        let days = meter.logs().days().skip(meter.logs().days().len() - told);
        assert!(mirror.days().eq(days));
    }
}

#[test]
fn what_waits_at_the_hub_keeps_it_awake() {
    let (mut meter, mut mirror) = (meter(), Mirror::default());
    take_reports(&mut meter, &mut mirror);
    let wake = meter.next_wake();
    meter.advance(wake);
    while let Some(octets) = meter.take_report() {
        let answer = mirror.receive(&meter.connection.core, &octets, 1);
        answer.and_then(|answer| meter.receive(&answer));
    }
    meter.advance(wake.plus(WAKE_WINDOW - 1));
    assert!(meter.is_awake());
}

fn codes(meter: &mut Gsme) -> Vec<u16> {
    std::iter::from_fn(|| meter.connection.core.journal.take_alert())
        .map(|alert| alert.event.code())
        .collect()
}

#[test]
fn money_is_energy_times_price_to_the_last_unit() {
    let mut meter = meter();
    meter.set_flow(Some(1_000));
    meter.connection.hold_unit_prices(Passive { value: prices(6_200), at: None });
    assert!(meter.connection.activate_unit_prices());
    meter.advance(NOW.plus(MINUTE));
    let before = (meter.connection.account().ledger().consumption, meter.watt_hours());
    meter.advance(NOW.plus(MINUTE + 10 * 2 * HALF_HOUR));
    // 10 m3 are 112.20633... kWh, at 6.2 p 695679.26... thousandths of a penny.
    let spent = before.0 - meter.connection.account().ledger().consumption;
    assert!((695_679..=695_680).contains(&spent.get()), "{spent}");
    assert!((112_206..=112_207).contains(&(meter.watt_hours() - before.1)));
}

fn prices(first: i64) -> crate::model::tariff::UnitPrices {
    let mut prices = crate::model::tariff::Prices::gas().unit;
    prices[0] = Millipence::new(first);
    prices
}

#[test]
fn a_new_calorific_value_counts_from_now_on() {
    let mut meter = meter();
    meter.set_flow(Some(1_000));
    let wh = meter.watt_hours();
    meter.advance(NOW.plus(2 * HALF_HOUR));
    let first = meter.watt_hours() - wh;
    meter.set_conversion(Conversion::default().with_calorific_value(3_555).unwrap());
    meter.advance(NOW.plus(4 * HALF_HOUR));
    let second = meter.watt_hours() - wh - first;
    assert!((11_219..=11_221).contains(&first) && (10_097..=10_099).contains(&second), "{first} {second}");
}

#[test]
fn the_valve_and_the_radio_drain_the_battery_which_warns_and_then_dies() {
    let mut meter = meter();
    let left = |meter: &Gsme| meter.battery.left(meter.connection.core.now());
    let before = left(&meter);
    meter.connection.disable();
    meter.advance(NOW);
    assert_eq!(before - left(&meter), battery::VALVE);
    let now = NOW.plus(HALF_HOUR);
    meter.advance(now);
    assert!(before - left(&meter) >= battery::VALVE + battery::WAKE);
    meter.drain(left(&meter) - 500_000);
    meter.advance(now.plus(MINUTE));
    meter.advance(now.plus(2 * MINUTE));
    assert_eq!(codes(&mut meter), [0x8f1f], "one warning");
    meter.drain(500_000);
    meter.advance(now.plus(3 * MINUTE));
    assert!(!meter.is_alive() && codes(&mut meter) == [0x8f1d]);
}

#[test]
fn a_flat_battery_closes_the_valve_or_leaves_it_and_the_index_counts_on_unbilled() {
    for (on_flat, open) in [(OnFlat::Close, false), (OnFlat::Freeze, true)] {
        let mut meter = meter().with_flat_behaviour(on_flat);
        meter.set_flow(Some(2_000));
        meter.set_flat(true);
        let (litres, rows) = (meter.litres(), meter.profile().len());
        let (last, paid) = (*meter.profile().all().last().unwrap(), meter.connection.account().balance());
        meter.advance(NOW.plus(2 * HALF_HOUR));
        assert_eq!(meter.connection.supply().is_on(), open);
        assert_eq!(meter.litres() - litres, if open { 2_000 } else { 0 });
        assert_eq!((meter.profile().len(), meter.profile().all().last()), (rows, Some(&last)));
        assert_eq!(meter.connection.account().balance(), paid);
        meter.set_flat(false);
        meter.advance(NOW.plus(3 * HALF_HOUR));
        assert!(meter.profile().all().last().unwrap().at > last.at);
        assert_eq!(meter.connection.supply().is_on(), open, "a new battery opens no valve");
        assert!(codes(&mut meter).contains(&0x8f82));
    }
}

#[test]
fn an_open_pipe_is_closed_off_and_a_valve_that_leaks_is_told() {
    let mut meter = meter();
    meter.connection.disable();
    meter.set_leak(40);
    let now = NOW.plus(2 * MINUTE);
    meter.advance(now);
    assert_eq!(codes(&mut meter), [0x81c0]);
    meter.set_leak(0);
    meter.set_flow(Some(7_000));
    meter.connection.arm().unwrap();
    assert_eq!((meter.press(Key::A), meter.press(Key::B)), (KeyEffect::Waiting, KeyEffect::Closed));
    meter.advance(now.plus(MINUTE / 2));
    assert_eq!((meter.connection.supply().control_state(), meter.connection.supply().reason_code()), (2, 8));
    assert_eq!(codes(&mut meter), [0x8f32, 0x81bf]);
}

#[test]
fn it_keeps_its_days_and_billing_periods() {
    let mut meter = meter();
    assert!((30..=31).contains(&meter.logs().days().len()), "{}", meter.logs().days().len());
    assert_eq!(meter.logs().periods().len(), 1, "the month that ended before its account was opened");
    meter.advance(NOW.plus(5 * crate::model::time::DAY));
    let month = meter.logs().periods().last().unwrap();
    assert_eq!(month.at.timestamp().to_string(), "2026-06-01T00:00:00Z");
    assert!(month.litres <= meter.litres() && month.watt_hours > 0);
}

#[test]
fn other_terms_end_a_billing_period_at_the_moment_they_come_into_force() {
    let mut meter = meter();
    let before = meter.logs().periods().len();
    meter.advance(NOW.plus(10_500));
    meter.connection.set_mode(PaymentMode::Credit);
    meter.advance(NOW.plus(11_000));
    meter.advance(NOW.plus(3 * MINUTE));
    let ended: Vec<PeriodEntry> = meter.logs().periods().copied().collect();
    let [changed] = &ended[before..] else { panic!("one period has ended: {ended:?}") };
    assert_eq!((changed.end, changed.at.millis()), (PeriodEnd::PaymentMode, NOW.plus(10_500).millis()));
}

#[test]
fn without_credit_the_valve_closes_and_a_token_arms_it() {
    let contract = Contract { opening: Millipence::pence(30), ..contract(DeviceKind::Gsme) };
    let mut meter = Gsme::installed(&contract, 1, HALF_HOUR, NOW);
    meter.set_flow(Some(4_000));
    meter.advance(NOW.plus(2 * HALF_HOUR));
    assert_eq!((meter.flow(), meter.connection.supply().reason_code()), (0, 2));
    let token = Utrn::make(&key(), 1, 2000).unwrap().to_string();
    assert_eq!(meter.connection.enter_token(token.as_bytes()), Ok(2000));
    assert_eq!(meter.connection.supply().control_state(), 2);
}

#[derive(Debug, Clone)]
enum Deed {
    Flow(u32),
    Leak(u32),
    Disable,
    Arm,
    Press(Key),
    Local,
    Flat(bool),
    Jump(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0u32..8_000).prop_map(Deed::Flow),
        (0u32..50).prop_map(Deed::Leak),
        Just(Deed::Disable),
        Just(Deed::Arm),
        Just(Deed::Press(Key::A)),
        Just(Deed::Press(Key::B)),
        Just(Deed::Local),
        any::<bool>().prop_map(Deed::Flat),
        (-3_600_000i64..3_600_000).prop_map(Deed::Jump),
    ]
}

fn act(meter: &mut Gsme, deed: &Deed) {
    match *deed {
        Deed::Flow(litres) => meter.set_flow(Some(litres)),
        Deed::Leak(litres) => meter.set_leak(litres),
        Deed::Disable => meter.connection.disable(),
        Deed::Arm => {
            let _ = meter.connection.arm();
        }
        Deed::Press(key) => {
            let _ = meter.press(key);
        }
        Deed::Local => meter.wake_by_local_port(),
        Deed::Flat(flat) => meter.set_flat(flat),
        Deed::Jump(millis) => {
            let to = meter.connection.core.shown().plus(millis);
            meter.connection.core.set_clock(to);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The same deeds at the same moments leave the same meter, however many steps time took in between.
    #[test]
    fn the_speed_of_time_changes_nothing(
        deeds in proptest::collection::vec((0i64..7_200_000, deed()), 0..8), step in 500i64..100_000,
    ) {
        let (mut whole, mut stepped) = (meter(), meter());
        let mut at = NOW;
        for (wait, deed) in deeds {
            let end = at.plus(wait);
            while at < end {
                at = at.plus(step).min(end);
                stepped.advance(at);
            }
            whole.advance(end);
            act(&mut whole, &deed);
            act(&mut stepped, &deed);
        }
        prop_assert_eq!(whole, stepped);
    }
}
