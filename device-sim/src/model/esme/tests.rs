use proptest::prelude::*;
use proto_duis::DeviceKind;
use proto_duis::utrn::Utrn;

use super::*;
use crate::model::activation::Part;
use crate::model::blocks::BlockEnds;
use crate::model::calendar::SpecialDay;
use crate::model::connection::{NoCredit, Passive};
use crate::model::debt::{Debts, Every, PaymentDebt, TimeDebt};
use crate::model::money::Millipence;
use crate::model::supply::{KEY_WINDOW, Key, KeyEffect};
use crate::model::tariff::Switching;
use crate::model::tariff::{BLOCK_REGISTERS, BLOCKS};
use crate::model::tests::{NOW, contract, key};
use crate::model::token::TokenRefusal;
use crate::model::voltage::Band;

fn meter(pence: u32) -> Esme {
    let contract = Contract { opening: Millipence::pence(pence), ..contract(DeviceKind::Esme) };
    Esme::installed(&contract, 42, NOW)
}

fn codes(meter: &mut Esme) -> Vec<u16> {
    std::iter::from_fn(|| meter.connection.core.journal.take_alert())
        .map(|alert| alert.event.code())
        .collect()
}

#[test]
fn it_comes_with_a_month_of_half_hours() {
    let meter = meter(1000);
    assert_eq!(meter.profile().len(), LIVED_ENTRIES);
    assert!(meter.profile().all().all(|capture| capture.at.is_at(HALF_HOUR) && capture.interval > 0));
    let last = meter.profile().all().last().unwrap();
    assert!(NOW.millis() - last.at.millis() < HALF_HOUR);
    let tiers: u64 = (0..REGISTERS).filter_map(|tier| meter.registers().tier(tier)).sum();
    assert!(meter.import_wh().abs_diff(tiers) <= 4);
    assert!(meter.registers().is_conserved());
    assert!(!meter.logs().billing().all().any(|bill| bill.import_peak.is_none()));
}

#[test]
fn energy_is_load_times_time_and_money_is_energy_times_price() {
    let mut meter = meter(1000);
    meter.set_load(Some(2000));
    let (wh, paid) = (meter.import_wh(), meter.connection.account().ledger().consumption);
    let value = [Millipence::new(30_000); REGISTERS];
    meter.connection.hold_unit_prices(Passive { value, at: None });
    assert!(meter.connection.activate_unit_prices());
    meter.advance(NOW.plus(2 * HALF_HOUR));
    assert!((meter.import_wh() - wh).abs_diff(2000) <= 1);
    let spent = paid - meter.connection.account().ledger().consumption;
    assert!((58_000..=60_000).contains(&spent.get()), "2 kWh at 30 p: {spent}");
}

#[test]
fn without_credit_it_warns_cuts_off_and_comes_back_by_token_and_keys() {
    let mut meter = meter(250);
    meter.set_load(Some(9000));
    meter.advance(NOW.plus(4 * HALF_HOUR));
    assert_eq!(codes(&mut meter), [0x810d, 0x8119, 0x8f0f]);
    assert_eq!((meter.connection.supply().control_state(), meter.connection.supply().reason_code()), (0, 2));
    assert_eq!(meter.watts(), 0);
    assert_eq!((meter.connection.arm(), meter.connection.enable()), (Err(NoCredit), Err(NoCredit)));
    let token = Utrn::make(&key(), 1, 2000).unwrap().to_string();
    assert_eq!(meter.connection.enter_token(token.as_bytes()), Ok(2000));
    assert_eq!(meter.connection.supply().control_state(), 2);
    assert_eq!(meter.connection.press(Key::A), KeyEffect::Waiting);
    assert_eq!(meter.connection.press(Key::B), KeyEffect::Closed);
    assert_eq!(codes(&mut meter), [0x810e, 0x8f32]);
    assert_eq!(meter.connection.enter_token(token.as_bytes()), Err(TokenRefusal::Duplicate));
    assert_eq!(codes(&mut meter), [0x8f51]);
}

#[test]
fn key_a_takes_emergency_credit_at_a_meter_without_credit() {
    let mut meter = meter(0);
    assert_eq!(meter.connection.supply().reason_code(), 2);
    assert_eq!(meter.connection.press(Key::A), KeyEffect::Waiting);
    assert_eq!(meter.connection.press(Key::B), KeyEffect::Closed);
    assert!(meter.connection.account().emergency_taken());
}

#[test]
fn an_armed_supply_nobody_closes_is_off_again() {
    let mut meter = meter(1000);
    meter.connection.disable();
    assert_eq!(meter.connection.arm(), Ok(()));
    meter.advance(NOW.plus(KEY_WINDOW - 1));
    assert_eq!(meter.connection.supply().control_state(), 2);
    meter.advance(NOW.plus(KEY_WINDOW));
    assert_eq!(meter.connection.supply().control_state(), 0);
    assert_eq!(meter.connection.press(Key::A), KeyEffect::None);
}

#[test]
fn too_much_load_for_too_long_opens_the_supply() {
    let mut meter = meter(5000);
    meter.set_load(Some(30_000));
    meter.advance(NOW.plus(5 * MINUTE));
    assert_eq!(meter.connection.supply().reason_code(), 4);
    assert!(codes(&mut meter).contains(&0x8f33));
}

#[test]
fn a_switching_table_dated_for_later_takes_effect_then() {
    let mut meter = meter(1000);
    let table = SwitchingTable::new(vec![Switching { from: 0, register: 2 }]).unwrap();
    let at = meter.connection.core.shown().plus(10 * MINUTE);
    let calendar = Calendar::every_day(table);
    meter.tariff.hold(Passive { value: calendar.parts().clone(), at: Some(at) });
    meter.advance(NOW.plus(9 * MINUTE));
    assert_ne!(meter.tariff.active(), &calendar);
    meter.advance(NOW.plus(11 * MINUTE));
    assert_eq!((meter.tariff.active(), meter.register()), (&calendar, 2));
}

#[test]
fn a_set_clock_moves_the_half_hours() {
    let mut meter = meter(1000);
    meter.connection.core.set_clock(meter.connection.core.shown().plus(7 * MINUTE));
    meter.advance(NOW.plus(HALF_HOUR));
    assert!(meter.profile().all().all(|capture| capture.at.is_at(HALF_HOUR)));
    assert_eq!(meter.connection.core.shown().millis() - meter.connection.core.now().millis(), 7 * MINUTE);
}

#[test]
fn export_and_reactive_energy_are_counted_and_profiled() {
    let mut meter = meter(1000);
    meter.set_load(Some(500));
    meter.set_generation(Some(2500));
    let before = [meter.registers().import(), meter.registers().export()];
    let reactive = meter.registers().quadrant(1).unwrap();
    let begin = meter.connection.core.shown();
    meter.advance(NOW.plus(4 * HALF_HOUR));
    assert_eq!(meter.registers().import(), before[0]);
    assert!((meter.registers().export() - before[1]).abs_diff(4000) <= 1);
    assert!((meter.registers().quadrant(1).unwrap() - reactive).abs_diff(200) <= 1);
    let rows = meter.logs().profile(Channel::Export).all().filter(|row| row.at > begin.plus(HALF_HOUR));
    assert!(rows.map(|row| row.interval).all(|wh| wh == 1000));
}

#[test]
fn every_profile_adds_up_to_its_register() {
    let meter = meter(1000);
    let registers = meter.registers();
    for (channel, register) in [
        (Channel::Import, registers.import()),
        (Channel::Export, registers.export()),
        (Channel::ReactiveImport, registers.reactive_import()),
        (Channel::ReactiveExport, registers.reactive_export()),
    ] {
        let profile = meter.logs().profile(channel);
        let last = profile.all().next_back().unwrap();
        let sum: u64 = profile.all().map(|row| row.interval).sum();
        let opening = profile.all().next().map(|first| first.reading - first.interval).unwrap();
        assert_eq!(opening + sum, last.reading, "{channel:?}");
        assert!(last.reading <= register);
    }
}

#[test]
fn the_largest_half_hour_is_the_maximum_demand_until_it_is_reset() {
    let mut meter = meter(5000);
    meter.import_demand.reset();
    meter.set_load(Some(6000));
    meter.advance(NOW.plus(3 * HALF_HOUR));
    meter.set_load(Some(1000));
    meter.advance(NOW.plus(6 * HALF_HOUR));
    let peak = meter.import_demand.peak().unwrap();
    assert_eq!(peak.watts, 6000);
    assert!(peak.at.is_at(HALF_HOUR));
    meter.end_billing_period();
    assert_eq!(meter.import_demand.peak(), None);
    assert_eq!(meter.logs().billing().all().next_back().unwrap().import_peak, Some(peak));
}

#[test]
fn blocks_fill_one_after_the_other_and_are_priced_so() {
    let mut meter = meter(5000);
    hold_blocks_of_set_2(&mut meter);
    assert_eq!(meter.activate(Part::Tariff), Ok(()));
    let of_set = [4, 5, 6];
    let before = of_set.map(|block| meter.registers().block(block).unwrap());
    let paid = meter.connection.account().ledger().consumption;
    meter.set_load(Some(4000));
    meter.advance(NOW.plus(2 * HALF_HOUR));
    let grown = of_set.map(|block| meter.registers().block(block).unwrap() - before[block - 4]);
    assert!(grown.iter().zip([1000, 2000, 1000]).all(|(grown, wh)| grown.abs_diff(wh) <= 1), "{grown:?}");
    let spent = (paid - meter.connection.account().ledger().consumption).get();
    // 1 kWh at 10 p, 2 at 20 p, 1 at 40 p, less the minute not billed yet.
    assert!((87_000..=90_000).contains(&spent), "{spent}");
    assert_eq!((meter.blocks.current(1), meter.price()), (2, Millipence::pence(40)));
    meter.reset_blocks();
    assert_eq!((meter.blocks.counter(1, 0), meter.price()), (Some(0), Millipence::pence(10)));
}

/// Holds a tariff ready that counts by set 2 of blocks all day, which ends its blocks at 1 and 3 kWh.
fn hold_blocks_of_set_2(meter: &mut Esme) {
    let table = SwitchingTable::new(vec![Switching { from: 0, register: 49 }]).unwrap();
    let calendar = Calendar::every_day(table);
    meter.tariff.hold(Passive { value: calendar.parts().clone(), at: None });
    assert!(meter.blocks.hold_ends(1, BlockEnds::new(vec![1000, 3000]).unwrap()));
    let mut value = [Millipence::pence(10); BLOCK_REGISTERS];
    (value[BLOCKS + 1], value[BLOCKS + 2]) = (Millipence::pence(20), Millipence::pence(40));
    meter.connection.hold_block_prices(Passive { value, at: None });
}

#[test]
fn a_tariff_held_ready_comes_into_force_whole_at_its_time_or_not_at_all() {
    let mut meter = meter(5000);
    let (before, at) = (meter.tariff.active().clone(), meter.connection.core.shown().plus(5 * MINUTE));
    hold_blocks_of_set_2(&mut meter);
    let special = SpecialDay { index: 1, date: DatePattern::EVERY_DAY, day: 9 };
    assert!(meter.tariff.hold_special_days(vec![special]));
    meter.connection.activations.date(Part::Tariff, Some(at));
    meter.advance(NOW.plus(6 * MINUTE));
    // The special day's profile is none of the calendar: nothing of the tariff is in force, and it is told.
    assert_eq!((meter.tariff.active(), meter.blocks.ends(1)), (&before, Some(&BlockEnds::default())));
    assert_eq!(codes(&mut meter), [0x8f67]);
    assert!(meter.tariff.hold_special_days(vec![SpecialDay { day: 1, ..special }]));
    meter.connection.activations.date(Part::Tariff, Some(at));
    meter.advance(NOW.plus(8 * MINUTE));
    assert_eq!((meter.register(), meter.price()), (1, Millipence::pence(10)));
    assert_eq!(codes(&mut meter), [0x8f66]);
    meter.advance(NOW.plus(60 * MINUTE));
    assert!(codes(&mut meter).is_empty());
}

#[test]
fn block_counters_begin_anew_each_day_where_the_meter_is_set_so() {
    let mut meter = meter(5000);
    hold_blocks_of_set_2(&mut meter);
    meter.activate(Part::Tariff).unwrap();
    meter.set_load(Some(500));
    let used = |meter: &Esme| meter.blocks.counter(1, 0).unwrap() + meter.blocks.counter(1, 1).unwrap();
    let midnight = meter.connection.core.shown().next(DAY);
    let to_midnight = midnight.millis() - meter.connection.core.shown().millis();
    meter.advance(NOW.plus(to_midnight + 2 * HALF_HOUR));
    assert!(used(&meter) > 501, "{}", used(&meter));
    meter.set_daily_blocks(true);
    meter.advance(NOW.plus(to_midnight + DAY + 2 * HALF_HOUR));
    assert!((499..=501).contains(&used(&meter)), "{}", used(&meter));
    assert!(meter.registers().is_conserved());
}

#[test]
fn the_billing_period_ends_on_its_day_and_by_the_calendar_pattern() {
    let mut meter = meter(5000);
    let bills = meter.logs().billing().all().len();
    let shown = meter.connection.core.shown();
    let date = shown.plus(DAY).timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = u8::try_from(date.day()).unwrap();
    meter.set_billing(BillingTime { minute: 90, dates: vec![DatePattern::monthly(day)] });
    meter.advance(NOW.plus(3 * DAY));
    let last = meter.logs().billing().all().next_back().unwrap().clone();
    assert_eq!(meter.logs().billing().all().len(), bills + 1);
    assert_eq!(last.read.at.minute_of_day(), 90);
    assert!(meter.logs().daily().all().next_back().unwrap().at.is_at(DAY));
    assert_eq!(meter.logs().daily().all().len(), 31 + 3);
}

#[test]
fn voltage_out_of_band_is_told_after_its_time_and_when_it_is_back() {
    let mut meter = meter(5000);
    meter.set_decivolts(Some(2700));
    meter.advance(NOW.plus(9_999));
    assert!(codes(&mut meter).is_empty());
    meter.advance(NOW.plus(MINUTE));
    assert_eq!(codes(&mut meter), [0x8024, 0x8020]);
    meter.set_decivolts(None);
    meter.advance(NOW.plus(3 * MINUTE));
    assert_eq!(codes(&mut meter), [0x8091, 0x808d]);
    assert_eq!(meter.quality.count_of(Band::Swell), 1);
    meter.set_decivolts(Some(2100));
    meter.advance(NOW.plus(4 * HALF_HOUR));
    assert_eq!(codes(&mut meter), [0x8006]);
    assert_eq!(meter.quality.profile().all().next_back().unwrap().decivolts, 2100);
    let before = meter.quality.profile().all().len();
    assert!(before > 1 && !meter.quality.set_period(7) && meter.quality.set_period(5));
    assert_eq!(meter.quality.profile().all().len(), 0);
    meter.advance(NOW.plus(5 * HALF_HOUR));
    assert_eq!(meter.quality.profile().all().len(), 6);
}

#[test]
fn the_load_limit_trips_to_the_millisecond_and_restores_by_itself_where_set() {
    let mut meter = meter(5000);
    meter.limit.set(Limiter {
        watts: 8_000,
        millis: 45_500,
        restoration: Some(90_000),
        ..Limiter::default()
    });
    meter.set_load(Some(9_000));
    meter.advance(NOW.plus(45_499));
    assert!(meter.connection.supply().is_on());
    meter.advance(NOW.plus(45_500));
    assert_eq!((meter.connection.supply().control_state(), meter.connection.supply().reason_code()), (2, 4));
    assert_eq!((meter.limit.count(), meter.terminal_decivolts()), (1, 0));
    meter.set_load(Some(100));
    meter.advance(NOW.plus(45_500 + 89_999));
    assert!(!meter.connection.supply().is_on());
    meter.advance(NOW.plus(45_500 + 90_000));
    assert!(meter.connection.supply().is_on());
    assert_eq!(codes(&mut meter), [0x8f33, 0x8f34]);
    meter.limit.set(Limiter { watts: 1, millis: 0, action: LimitAction::Unchanged, ..Limiter::default() });
    meter.advance(NOW.plus(10 * MINUTE));
    assert!(meter.connection.supply().is_on() && codes(&mut meter) == [0x8f01]);
}

#[test]
fn debts_are_collected_by_the_hour_and_from_payments() {
    let mut meter = meter(5000);
    meter.set_load(Some(0));
    let first = TimeDebt { owed: Millipence::pence(25), rate: Millipence::pence(10), every: Every::Hour };
    let payment = PaymentDebt::new(Millipence::pence(900), 5_000, Some(Millipence::pence(600)));
    meter.connection.set_debts(Debts {
        time: [first, TimeDebt::default()],
        payment,
        wait_in_emergency: true,
        ..Debts::default()
    });
    meter.advance(NOW.plus(8 * HALF_HOUR));
    assert_eq!(meter.connection.account().debts().time[0].owed, Millipence::ZERO);
    assert_eq!(codes(&mut meter), [0x81a7]);
    let balance = meter.connection.account().balance();
    let token = Utrn::make(&key(), 1, 2000).unwrap().to_string();
    assert_eq!(meter.connection.enter_token(token.as_bytes()), Ok(2000));
    assert_eq!(meter.connection.account().balance() - balance, Millipence::pence(1400), "capped at 6 pounds");
    assert_eq!(meter.connection.account().debts().owed(), Millipence::pence(300));
    let paid: Vec<i64> = meter.connection.debt_payments().all().map(|entry| entry.amount.get()).collect();
    assert_eq!(paid, [10_000, 10_000, 5_000, 600_000]);
    assert_eq!(meter.connection.top_ups().all().next().unwrap().sequence, 1);
}

#[test]
fn without_credit_the_supply_stays_on_through_a_non_disablement_period() {
    let mut meter = meter(50);
    let table = SwitchingTable::new(vec![
        Switching { from: 0, register: 1 },
        Switching { from: 22 * 60, register: 0 },
        Switching { from: 22 * 60 + 30, register: 1 },
    ]);
    let calendar = Calendar::every_day(table.unwrap());
    meter.connection.non_disablement.hold(Passive { value: calendar.parts().clone(), at: None });
    let shown = meter.connection.core.shown();
    meter.connection.non_disablement.activate(shown).unwrap();
    meter.set_load(Some(9000));
    // It is 20:26; the period ends at 22:00.
    meter.advance(NOW.plus(60 * MINUTE));
    assert!(meter.connection.supply().is_on() && meter.connection.account().balance() < Millipence::ZERO);
    assert!(codes(&mut meter).contains(&0x8f83));
    meter.advance(NOW.plus(100 * MINUTE));
    assert_eq!(meter.connection.supply().reason_code(), 2);
    meter.connection.suspend_disablement(true);
    assert_eq!(meter.connection.arm(), Ok(()));
}

#[test]
fn an_outage_keeps_registers_and_a_clock_on_its_capacitor() {
    let mut meter = meter(1000);
    let wh = meter.import_wh();
    meter.connection.core.lose_mains();
    meter.advance(NOW.plus(2 * DAY));
    assert_eq!((meter.import_wh(), meter.decivolts(), meter.terminal_decivolts()), (wh, 0, 0));
    assert_eq!(meter.connection.core.regain_mains(), Some(2 * DAY));
    assert!(meter.connection.core.clock_holds());
    assert_eq!(meter.connection.core.shown().millis(), meter.connection.core.now().millis());
    meter.connection.core.lose_mains();
    meter.advance(NOW.plus(12 * DAY));
    meter.connection.core.regain_mains();
    assert!(!meter.connection.core.clock_holds());
    let behind = meter.connection.core.now().millis() - meter.connection.core.shown().millis();
    assert_eq!(behind, 3 * DAY, "ten days without, seven held up");
}

#[derive(Debug, Clone)]
enum Deed {
    Load(u32),
    Disable,
    Arm,
    Press(Key),
    Token(u32, u32),
    Jump(i64),
    Generate(u32),
    Volts(u16),
    Debt(u32),
    BlockEnd(u8, u64),
    Bill,
    Limit(u32, i64, Option<i64>),
    Mains(bool),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0u32..12_000).prop_map(Deed::Load),
        Just(Deed::Disable),
        Just(Deed::Arm),
        Just(Deed::Press(Key::A)),
        Just(Deed::Press(Key::B)),
        (1u32..4, 100u32..900).prop_map(|(sequence, pence)| Deed::Token(sequence, pence)),
        (-3_600_000i64..3_600_000).prop_map(Deed::Jump),
        (0u32..9_000).prop_map(Deed::Generate),
        (1_700u16..2_800).prop_map(Deed::Volts),
        (0u32..90_000).prop_map(Deed::Debt),
        (0u8..8, 1u64..9_000).prop_map(|(block, end)| Deed::BlockEnd(block, end)),
        Just(Deed::Bill),
        (0u32..9_000, 0i64..200_000, proptest::option::of(1i64..90_000))
            .prop_map(|(watts, millis, restoration)| Deed::Limit(watts, millis, restoration)),
        any::<bool>().prop_map(Deed::Mains),
    ]
}

fn act(meter: &mut Esme, deed: &Deed) {
    match *deed {
        Deed::Load(watts) => meter.set_load(Some(watts)),
        Deed::Disable => meter.connection.disable(),
        Deed::Arm => {
            let _ = meter.connection.arm();
        }
        Deed::Press(key) => {
            let _ = meter.connection.press(key);
        }
        Deed::Token(sequence, pence) => {
            let _ = meter
                .connection
                .enter_token(Utrn::make(&key(), sequence, pence).unwrap().to_string().as_bytes());
        }
        Deed::Generate(watts) => meter.set_generation(Some(watts)),
        Deed::Volts(decivolts) => meter.set_decivolts(Some(decivolts)),
        Deed::Debt(millipence) => {
            let owed = Millipence::new(millipence.into());
            let time = [TimeDebt { owed, rate: Millipence::pence(5), every: Every::Hour }; 2];
            let payment = PaymentDebt::new(owed, 2_500, None);
            meter.connection.set_debts(Debts { time, payment, wait_in_emergency: true, ..Debts::default() });
        }
        Deed::BlockEnd(block, end) => {
            if let Ok(ends) = BlockEnds::new(vec![end]) {
                meter.blocks.set_ends(block.into(), ends);
            }
        }
        Deed::Bill => meter.end_billing_period(),
        Deed::Limit(watts, millis, restoration) => {
            meter.limit.set(Limiter { watts, millis, restoration, ..Limiter::default() });
        }
        Deed::Mains(false) => {
            meter.connection.core.lose_mains();
        }
        Deed::Mains(true) => {
            if meter.connection.core.regain_mains().is_some() {
                meter.interrupted();
            }
        }
        Deed::Jump(millis) => meter.connection.core.set_clock(meter.connection.core.shown().plus(millis)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The same deeds at the same moments leave the same meter, however many steps time took in between.
    #[test]
    fn the_speed_of_time_changes_nothing(
        deeds in proptest::collection::vec((0i64..7_200_000, deed()), 0..8), step in 500i64..100_000,
    ) {
        let (mut whole, mut stepped) = (meter(400), meter(400));
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

    #[test]
    fn registers_never_fall_and_money_never_moves_without_a_cause(
        deeds in proptest::collection::vec((0i64..7_200_000, deed()), 0..12),
    ) {
        let mut meter = meter(400);
        let mut at = NOW;
        for (wait, deed) in deeds {
            let wh = meter.import_wh();
            at = at.plus(wait);
            meter.advance(at);
            act(&mut meter, &deed);
            prop_assert!(meter.import_wh() >= wh);
            prop_assert!(meter.registers().is_conserved());
            let account = meter.connection.account();
            prop_assert_eq!(account.balance(), account.opening() + account.ledger().total());
        }
    }
}
