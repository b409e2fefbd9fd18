use proptest::prelude::*;
use proto_duis::DeviceKind;
use proto_duis::utrn::Utrn;

use super::*;
use crate::model::connection::NoCredit;
use crate::model::money::Millipence;
use crate::model::supply::{KEY_WINDOW, Key, KeyEffect};
use crate::model::tariff::Switching;
use crate::model::tests::{NOW, contract, key};
use crate::model::token::TokenRefusal;

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
    assert_eq!(meter.profile().len(), PROFILE_ENTRIES);
    assert!(meter.profile().all().all(|capture| capture.at.is_at(HALF_HOUR) && capture.interval > 0));
    let last = meter.profile().all().last().unwrap();
    assert!(NOW.millis() - last.at.millis() < HALF_HOUR);
    let tiers: u64 = (0..REGISTERS).filter_map(|tier| meter.tier_wh(tier)).sum();
    assert!(meter.import_wh().abs_diff(tiers) <= 4);
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
    meter.hold_table(Passive { value: table.clone(), at: Some(at) });
    meter.advance(NOW.plus(9 * MINUTE));
    assert_ne!(meter.table(), &table);
    meter.advance(NOW.plus(11 * MINUTE));
    assert_eq!((meter.table(), meter.register()), (&table, 2));
}

#[test]
fn a_set_clock_moves_the_half_hours() {
    let mut meter = meter(1000);
    meter.connection.core.set_clock(meter.connection.core.shown().plus(7 * MINUTE));
    meter.advance(NOW.plus(HALF_HOUR));
    assert!(meter.profile().all().all(|capture| capture.at.is_at(HALF_HOUR)));
    assert_eq!(meter.connection.core.shown().millis() - meter.connection.core.now().millis(), 7 * MINUTE);
}

#[derive(Debug, Clone)]
enum Deed {
    Load(u32),
    Disable,
    Arm,
    Press(Key),
    Token(u32, u32),
    Jump(i64),
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
            let ledger = meter.connection.account().ledger();
            let sum = ledger.consumption + ledger.standing + ledger.tokens + ledger.adjustments;
            prop_assert_eq!(meter.connection.account().balance(), meter.connection.account().opening() + sum);
        }
    }
}
