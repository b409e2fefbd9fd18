//! Test data sets in the meters: what is shown afterwards, what is refused, and that time goes on from there.

use lab_config::Document;
use lab_config::contents::{Contents, Load};
use proptest::prelude::*;
use proto_duis::DeviceKind;

use super::account::PaymentMode;
use super::esme::{Channel, Esme};
use super::gsme::Gsme;
use super::loading::LoadRefusal;
use super::money::Millipence;
use super::profile::PROFILE_ENTRIES;
use super::tests::{NOW, contract};
use super::time::{DAY, HALF_HOUR, MINUTE};

fn loads(device: &str, body: &str) -> Load {
    let text = format!("[[load]]\ndevice = \"{device}\"\n{body}");
    let mut loads = Load::of_data_set(&Document::new("set.toml", text)).unwrap_or_else(|e| panic!("{e}"));
    loads.remove(0)
}

fn esme(body: &str) -> Result<Esme, LoadRefusal> {
    let mut meter = Esme::installed(&contract(DeviceKind::Esme), 42, NOW);
    load(&mut meter, body, true).map(|()| meter)
}

fn load(meter: &mut Esme, body: &str, has_status: bool) -> Result<(), LoadRefusal> {
    let load = loads("ESME", body);
    let Contents::Electricity(contents) = &load.contents else { panic!("{load:?}") };
    meter.load(&load, contents, has_status)
}

fn gsme(body: &str) -> Result<Gsme, LoadRefusal> {
    let mut meter = Gsme::installed(&contract(DeviceKind::Gsme), 42, HALF_HOUR, NOW);
    let load = loads("GSME", body);
    let Contents::Gas(contents) = &load.contents else { panic!("{load:?}") };
    meter.load(&load, contents, true).map(|()| meter)
}

const THIRTEEN_MONTHS: &str = "household = { seed = 7 }\n\
    registers = { import-wh = 14_250_000, reactive-import-varh = 2_600_000, reactive-export-varh = 1_900_000 }\n\
    history = { half-hours = 19_008 }";

#[test]
fn thirteen_months_of_a_household_add_up_to_what_the_registers_show() {
    let begun = std::time::Instant::now();
    let meter = esme(THIRTEEN_MONTHS).expect("room");
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    let profile = meter.profile();
    assert_eq!((profile.len(), meter.import_wh()), (PROFILE_ENTRIES, 14_250_000));
    let last = profile.all().last().expect("a row");
    assert_eq!((last.reading, NOW.millis() - last.at.millis() < HALF_HOUR), (14_250_000, true));
    let rows: Vec<_> = profile.all().collect();
    assert!(rows.windows(2).all(|pair| pair[1].at.millis() - pair[0].at.millis() == HALF_HOUR));
    assert!(rows.windows(2).all(|pair| pair[1].reading - pair[0].reading == pair[1].interval));
    assert!(meter.registers().is_conserved());
    assert_eq!(meter.logs().daily().all().len(), 396);
    assert!((12..=13).contains(&meter.logs().billing().all().len()));
    // What a day's log says, the profile says of the same moment; and night units were counted by night.
    let day = meter.logs().daily().all().next_back().expect("a day");
    let row = rows.iter().find(|row| row.at == day.at).expect("its midnight");
    assert_eq!((row.reading, day.tiers.iter().sum::<u64>().abs_diff(day.import) <= 2), (day.import, true));
    assert!(day.tiers[1] > 0 && day.tiers[0] > day.tiers[1]);
    assert!(meter.logs().billing().all().all(|bill| bill.import_peak.is_some()));
}

#[test]
fn the_same_data_at_the_same_moment_make_the_same_meter_and_time_goes_on_alike_at_any_speed() {
    let (mut one, mut other) = (esme(THIRTEEN_MONTHS).expect("room"), esme(THIRTEEN_MONTHS).expect("room"));
    assert_eq!(one, other);
    one.advance(NOW.plus(DAY));
    for minute in 1..=1440 {
        other.advance(NOW.plus(minute * MINUTE));
    }
    assert_eq!(one, other);
    let profile = one.profile();
    assert_eq!(profile.len(), PROFILE_ENTRIES, "the oldest rows go as new ones come");
    let last = profile.all().last().expect("a row");
    assert!(last.interval > 0 && last.interval < 5_000 && last.reading > 14_250_000);
}

#[test]
fn gaps_flags_and_listed_rows_are_where_they_were_put() {
    let meter = esme(
        "load = 0\nregisters = { import-wh = 1000 }\n\
         history = { half-hours = 4, import-wh = { rows = [1, 2, 3, 4] }, gaps = [{ half-hours-ago = 2, half-hours = 1 }], \
         status = [{ half-hours-ago = 0, half-hours = 1, flags = [\"power-down\"] }] }",
    );
    let meter = meter.expect("room");
    let rows: Vec<_> = meter.profile().all().map(|row| (row.reading, row.interval, row.status)).collect();
    assert_eq!(rows, [(991, 1, 0), (996, 3, 0), (1000, 4, 0x80)]);
}

#[test]
fn a_tariff_with_something_in_every_register_is_held_and_its_past_is_split_by_the_calendar() {
    let body = "load = 0\n\
        registers = { import-wh = 10_000, tariff-wh = [4000, 6000], block-wh = [1000, 8000] }\n\
        tariff = { prices-pence = [11.11, 22.22], block-ends-wh = [100], block-prices-pence = [5, 6], standing-charge-pence = 41.25 }\n\
        calendar = { days = [{ id = 1, switch = [{ at = \"00:00\", tariff = 2 }, { at = \"12:00\", tariff = 1 }] }] }\n\
        history = { half-hours = 96, import-wh = { every = 10 } }";
    let meter = esme(body).expect("it fits");
    let registers = meter.registers();
    assert_eq!([0, 1].map(|tier| registers.tier(tier)), [Some(4000), Some(6000)]);
    assert_eq!([0, 1].map(|block| registers.block(block)), [Some(1000), Some(8000)]);
    let day = meter.logs().daily().all().next_back().expect("midnight");
    // 20:26 UTC: since midnight 24 half hours fell into tariff 2 and 16 into tariff 1.
    assert_eq!(day.tiers, [4000 - 160, 6000 - 240]);
    assert_eq!((meter.connection.prices().unit[1], meter.blocks.current(0)), (Millipence::new(22_220), 1));
    let short = body.replace("[4000, 6000]", "[9900, 100]");
    let refusal = esme(&short).expect_err("more flowed by night than tariff 2 shows");
    assert_eq!(
        refusal.to_string(),
        "480 Wh flowed in the history's half hours into tariff register 2, which shows 100 Wh"
    );
}

#[test]
fn a_customer_in_debt_on_emergency_credit_is_loaded_quietly_and_lives_on() {
    let mut meter = esme(
        "payment-mode = \"prepayment\"\nbalance-pence = -350\nload = 200\n\
         credit = { emergency-limit-pence = 1000, emergency-offer-pence = 100, emergency-in-use = true }\n\
         debts = { time-1 = { owed-pence = 4500, rate-pence = 10, every = \"day\" } }",
    )
    .expect("it can be");
    let account = meter.connection.account();
    assert_eq!((account.mode(), account.emergency_taken()), (PaymentMode::Prepayment, true));
    assert_eq!(account.emergency_left(), Millipence::pence(650));
    assert!(meter.connection.supply().is_on());
    meter.advance(NOW.plus(5 * MINUTE));
    assert_eq!(meter.connection.core.journal.take_alert(), None, "what was loaded is no news");
    assert!(meter.connection.account().balance() < Millipence::new(-350_000));
}

#[test]
fn what_could_not_have_come_about_is_refused_in_words() {
    for (body, words) in [
        ("payment-mode = \"prepayment\"\nbalance-pence = -1\nsupply = \"on\"", "would open it at once"),
        ("payment-mode = \"credit\"\ncredit = { emergency-in-use = true }", "emergency credit in use"),
        ("events = [{ code = \"0001\", minutes-ago = 1 }]", "event 0001 is none"),
        ("events = [{ code = \"8F3F\", minutes-ago = 1, count = 101 }]", "room for 100"),
        ("history = { half-hours = 19_009, import-wh = { every = 0 } }", "room for 19008"),
        (
            "registers = { import-wh = 5 }\nhistory = { half-hours = 2, import-wh = { every = 5 } }",
            "import register",
        ),
        (
            "registers = { import-wh = 50, export-wh = 1 }\nhistory = { half-hours = 2, import-wh = { every = 5 }, export-wh = { every = 5 } }",
            "export register",
        ),
    ] {
        let refusal = esme(body).expect_err(body).to_string();
        assert!(refusal.contains(words), "{body}: {refusal}");
    }
    let mut meter = Esme::installed(&contract(DeviceKind::Esme), 42, NOW);
    let flags = "history = { half-hours = 2, import-wh = { every = 5 }, status = [{ half-hours-ago = 0, half-hours = 1, flags = [\"power-down\"] }] }";
    assert_eq!(
        load(&mut meter, flags, false).expect_err("no column").to_string(),
        "it has no status of half hours in its profile"
    );
    let blocks = gsme("tariff = { block-ends-wh = [5] }").expect_err("no blocks");
    assert_eq!(blocks.to_string(), "it has no blocks");
}

#[test]
fn credit_used_up_opens_the_supply_and_registers_without_a_past_have_none() {
    let meter = esme("payment-mode = \"prepayment\"\nbalance-pence = 0\nregisters = { import-wh = 77 }")
        .expect("it can be");
    assert_eq!((meter.connection.supply().is_on(), meter.connection.supply().reason_code()), (false, 2));
    assert_eq!((meter.profile().len(), meter.logs().daily().all().len(), meter.import_wh()), (0, 0, 77));
}

#[test]
fn logs_are_filled_to_the_last_entry_oldest_first() {
    let meter = esme(
        "events = [{ code = \"8F57\", minutes-ago = 60, count = 100, every-minutes = 30, text = \"mains lost\" }, \
         { code = \"8F3F\", minutes-ago = 5, text = \"cover\" }]",
    )
    .expect("room");
    let journal = &meter.connection.core.journal;
    let events: Vec<_> = journal.events().collect();
    assert_eq!((events.len(), events[99].text.as_str(), journal.security().len()), (100, "mains lost", 1));
    assert!(events.windows(2).all(|pair| pair[1].at.millis() - pair[0].at.millis() == 30 * MINUTE));
}

#[test]
fn a_gas_meter_has_its_past_and_tells_its_mirror() {
    let mut meter = gsme(
        "household = { seed = 7 }\nregisters = { volume-dm3 = 8_400_000 }\nhistory = { half-hours = 19_008 }\n\
         conversion = { calorific-value = 40.00, factor = 1.00000 }\nsupply = \"off\"",
    )
    .expect("room");
    assert_eq!(
        (meter.profile().len(), meter.litres(), meter.logs().days().len()),
        (PROFILE_ENTRIES, 8_400_000, 396)
    );
    // 8400 m3 x 40 MJ/m3 / 3.6
    assert_eq!(meter.watt_hours(), 93_333_333);
    assert!(!meter.connection.supply().is_on() && meter.is_awake());
    assert!(std::iter::from_fn(|| meter.take_report()).count() > 0);
    let before = meter.litres();
    meter.advance(NOW.plus(DAY));
    assert_eq!(meter.litres(), before, "the valve is shut");
}

#[test]
fn half_hours_carry_the_flags_of_what_happened_in_them() {
    let mut meter = esme("load = 100").expect("it can be");
    meter.advance(NOW.plus(MINUTE));
    let shown = meter.connection.core.shown();
    meter.connection.core.set_clock(shown.plus(5_000));
    meter.connection.core.lose_mains();
    meter.advance(NOW.plus(2 * MINUTE));
    meter.connection.core.regain_mains();
    meter.advance(NOW.plus(2 * HALF_HOUR));
    let status: Vec<u8> =
        meter.logs().profile(Channel::Export).all().rev().take(2).map(|row| row.status).collect();
    assert_eq!(status, [0, 0xa0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever flows in the past, registers, profile and logs agree on it.
    #[test]
    fn a_past_is_never_more_or_less_than_it_was(
        rows in prop::collection::vec(0u64..3_000, 1..200), base in 0u64..5_000_000, ends in prop::collection::btree_set(1u64..50_000, 0..4),
    ) {
        let sum: u64 = rows.iter().sum();
        let list = |of: &mut dyn Iterator<Item = &u64>| of.map(u64::to_string).collect::<Vec<_>>().join(", ");
        let body = format!(
            "load = 0\nregisters = {{ import-wh = {} }}\ntariff = {{ block-ends-wh = [{}] }}\nhistory = {{ half-hours = {}, import-wh = {{ rows = [{}] }} }}",
            base + sum, list(&mut ends.iter()), rows.len(), list(&mut rows.iter()),
        );
        let meter = esme(&body).expect("it fits");
        prop_assert!(meter.registers().is_conserved());
        prop_assert_eq!(meter.import_wh(), base + sum);
        let intervals: Vec<u64> = meter.profile().all().map(|row| row.interval).collect();
        prop_assert_eq!(&intervals, &rows);
        prop_assert_eq!(meter.profile().all().next().map(|row| row.reading - row.interval), Some(base));
    }
}
