//! What devices hold: read into types with units, or refused in its place.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::PaymentMode;

fn read(text: &str) -> Result<Vec<Load>, FileError> {
    Load::of_data_set(&Document::new("set.toml", text))
}

fn one(body: &str) -> Load {
    let mut loads = read(&format!("[[load]]\n{body}")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loads.len(), 1);
    loads.remove(0)
}

fn electricity(body: &str) -> Electricity {
    match one(&format!("device = \"ESME\"\n{body}")).contents {
        Contents::Electricity(meter) => *meter,
        other => panic!("{other:?}"),
    }
}

fn refused(device: &str, body: &str) -> String {
    let error = read(&format!("[[load]]\ndevice = \"{device}\"\n{body}")).expect_err(body);
    assert!(error.line > 0 && error.column > 0 && !error.advice.is_empty(), "{error}");
    error.to_string()
}

#[test]
fn the_example_above_is_sound() {
    let (_, rest) = include_str!("mod.rs").split_once("//! ```toml\n").expect("the example");
    let (example, _) = rest.split_once("//! ```\n").expect("its end");
    let lines = example.lines().map(|line| line.trim_start_matches("//!").trim_start());
    let loads = read(&lines.collect::<Vec<_>>().join("\n")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loads[0].customer().and_then(|customer| customer.balance_pence), Some(-1250));
    assert_snapshot!(loads[0].words().join("\n"), @r"
    import 14250000 Wh
    payment mode credit
    balance -1250 p
    19008 half hours behind it, 6 of them missing
    load curve 7
    ");
}

#[test]
fn quantities_have_their_units_and_prices_their_places() {
    let meter = electricity(
        "payment-mode = \"prepayment\"\nsupply = \"off\"\n\
         tariff = { prices-pence = [27.5, 9.80, 3], standing-charge-pence = 53.40, block-ends-wh = [10, 20] }\n\
         registers = { import-wh = 30, tariff-wh = [10, 20], block-wh = [30], export-wh = 7 }\n\
         debts = { payment = { owed-pence = 12.345, share-percent = 12.5 } }",
    );
    let tariff = meter.tariff.expect("a tariff");
    assert_eq!(tariff.prices, [27_500, 9_800, 3_000].map(Millipence));
    assert_eq!(tariff.standing, Some(Millipence(53_400)));
    let registers = meter.registers.expect("registers");
    assert_eq!((registers.tariffs, registers.export), (vec![WattHours(10), WattHours(20)], WattHours(7)));
    assert_eq!(
        (meter.customer.mode, meter.customer.supply),
        (Some(PaymentMode::Prepayment), Some(Supply::Off))
    );
    let debt = meter.customer.debts.and_then(|debts| debts.payment).expect("a debt");
    assert_eq!((debt.owed, debt.share), (Millipence(12_345), 1_250));
    assert_eq!(
        [-1_500, 27_500, 3_000].map(|pence| Millipence(pence).to_string()),
        ["-1.5 p", "27.5 p", "3 p"]
    );
}

#[test]
fn a_refusal_names_its_place_what_was_found_and_what_to_do() {
    assert_snapshot!(refused("ESME", "registers = { import-wh = 30, tariff-wh = [10, 19] }"), @r"
    set.toml:3:43: found 29 Wh in all, expected the 30 Wh that import-wh shows
      advice: tariff registers hold the whole import between them, and blocks no more than that
    ");
    assert_snapshot!(refused("ESME", "history = { half-hours = 48 }"), @r"
    set.toml:3:11: found a past nobody lived, expected `household` beside the history, or `import-wh` in it
      advice: write household = { seed = 7 }, or import-wh = { every = 250 }
    ");
    assert_snapshot!(refused("ESME", "tariff = { prices-pence = [27.555] }"), @r"
    set.toml:3:28: found `27.555`, expected pence, from 0.00 to 327.67, with at most 2 places
      advice: write it with fewer places, or within the range
    ");
    assert_snapshot!(refused("GSME", "calendar = { days = [] }"), @r"
    set.toml:3:1: found `calendar`, expected one of the keys `balance-pence`, `clock-offset`, `conversion`, `credit`, `debts`, `device`, `events`, `history`, `household`, `load`, `payment-mode`, `registers`, `supply`, `tariff`
      advice: remove `calendar`, or check which table it belongs to
    ");
    assert_snapshot!(refused("PPMID", "load = 5"), @r"
    set.toml:2:10: found `PPMID`, expected ESME, GSME, GPF or CHF
      advice: a display holds nothing of its own: it shows what it is sent
    ");
}

#[test]
fn whatever_does_not_fit_together_is_refused() {
    for (body, word) in [
        ("", "nothing to load"),
        ("balance-pence = 3_000_000", "pence, from"),
        ("clock-offset = \"10s\"", "at most 9s"),
        ("registers = { import-wh = 4294967296 }", "what the register shows"),
        ("events = [{ code = \"8F3\", minutes-ago = 1 }]", "four hexadecimal digits"),
        (
            "events = [{ code = \"8F3F\", minutes-ago = 1, count = 10000, every-minutes = 60000 }]",
            "ten years",
        ),
        ("tariff = { block-ends-wh = [20, 10] }", "each above the one before"),
        ("tariff = { prices-pence = [] }", "1 to 48"),
        ("history = { half-hours = 2, import-wh = { rows = [1] } }", "2 half hours"),
        ("history = { half-hours = 2, import-wh = { every = 1, day = [] } }", "48 half hours of a day"),
        ("history = { half-hours = 2, import-wh = { } }", "exactly one of every, day, rows"),
        (
            "history = { half-hours = 2, import-wh = { every = 1 }, gaps = [{ half-hours-ago = 1, half-hours = 2 }] }",
            "longer history",
        ),
        ("history = { half-hours = 40_000, import-wh = { every = 1 } }", "half hours before the loading"),
        (
            "history = { half-hours = 2, import-wh = { every = 1 }, status = [{ half-hours-ago = 0, half-hours = 1, flags = [\"power-dwn\"] }] }",
            "did you mean `power-down`",
        ),
        ("calendar = { days = [] }", "at least one"),
        (
            "calendar = { days = [{ id = 1, switch = [{ at = \"00:30\", tariff = 1 }] }] }",
            "the first at \"00:00\"",
        ),
        ("calendar = { days = [{ id = 1, switch = [{ at = \"24:00\", tariff = 1 }] }] }", "a time of day"),
        (
            "calendar = { days = [{ id = 1, switch = [{ at = \"00:00\", tariff = 1 }] }], weeks = [{ name = \"w\", days = [1, 1, 1, 1, 1, 1, 2] }] }",
            "a day of this calendar",
        ),
        (
            "calendar = { days = [{ id = 1, switch = [{ at = \"00:00\", tariff = 1 }] }], special-days = [{ date = \"02-30\", day = 1 }] }",
            "a month and a day",
        ),
    ] {
        let error = refused("ESME", body);
        assert!(error.contains(word), "{body}: {error}");
    }
    assert!(refused("CHF", "joined = [\"CHF\"]").contains("the hub is the network"));
    let twice = read("[[load]]\ndevice = \"ESME\"\nload = 1\n[[load]]\ndevice = \"ESME\"\nload = 2\n")
        .expect_err("twice");
    assert_eq!((twice.line, twice.found.as_str()), (4, "a second table of the ESME"));
}

#[test]
fn a_calendar_of_one_day_needs_no_weeks_and_no_seasons() {
    let meter = electricity(
        "calendar = { days = [{ id = 3, switch = [{ at = \"00:00\", tariff = 2 }, { at = \"07:30\", tariff = 1 }] }] }",
    );
    let calendar = meter.calendar.expect("a calendar");
    assert_eq!(calendar.days[0].switches[1], Switch { minute: 450, tariff: 1 });
    assert_eq!((calendar.weeks[0].days, calendar.seasons[0].week.as_str()), ([3; 7], "1"));
}

#[test]
fn rows_gaps_and_flags_are_of_their_half_hours() {
    let meter = electricity(
        "history = { half-hours = 3, import-wh = { rows = [5, 6, 7] }, gaps = [{ half-hours-ago = 1, half-hours = 1 }], \
         status = [{ half-hours-ago = 0, half-hours = 2, flags = [\"power-down\", \"clock-invalid\"] }] }",
    );
    let history = meter.history.expect("a history");
    assert_eq!([0, 1, 2, 3].map(|ago| history.lacks(ago)), [false, true, false, false]);
    assert_eq!([0, 1, 2].map(|ago| history.status(ago)), [0x82, 0x82, 0]);
    assert_eq!([0, 1, 2, 9].map(|row| history.rules[&Channel::Import].amount(row, 0)), [5, 6, 7, 0]);
}

#[test]
fn what_is_said_of_a_meter_can_be_told_to_whoever_prepares_it() {
    let gas = one(
        "device = \"GSME\"\nload = 40\nsupply = \"armed\"\nclock-offset = \"-2s\"\nregisters = { volume-dm3 = 1234 }\n\
         conversion = { calorific-value = 39.5, factor = 1.02264 }\nevents = [{ code = \"8F1F\", minutes-ago = 5 }]\n\
         credit = { emergency-limit-pence = 500, emergency-in-use = true }\n\
         debts = { time-1 = { owed-pence = 2000, rate-pence = 5, every = \"day\" } }\n",
    );
    assert_snapshot!(gas.words().join("\n"), @r"
    volume 1234 dm3
    calorific value 39.50 MJ/m3, factor 1.02264
    emergency credit limit 500 p
    emergency credit in use
    time debt 1: 2000 p owed, 5 p each day
    supply armed
    a flow of 40 dm3 an hour
    clock 2s behind
    1 of event 8F1F, the last 5 minutes ago
    ");
}

proptest! {
    /// Any text is read, or refused in its place.
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("[[load]]\ndevice = \"ESME\"\n{text}"));
    }

    /// Known keys with values of any kind are read, or refused with a place and advice.
    #[test]
    fn known_keys_with_any_values_never_panic(
        device in prop::sample::select(vec!["ESME", "GSME", "GPF", "CHF", "PPMID"]),
        keys in prop::collection::btree_map(
            prop::sample::select(vec![
                "clock-offset", "events", "joined", "household", "load", "generation", "payment-mode", "balance-pence",
                "credit", "debts", "supply", "tariff", "calendar", "conversion", "registers", "history",
            ]),
            prop::sample::select(vec![
                "0", "-1", "9223372036854775807", "1.5", "\"\"", "\"on\"", "[]", "{}", "true", "[{}]", "{ seed = 1 }",
                "{ half-hours = 1, import-wh = { every = 1 } }", "{ import-wh = 1, tariff-wh = [1] }", "1e300", "nan",
                "{ prices-pence = [-0.0] }", "{ days = [{ id = 1, switch = [] }] }", "2026-01-01", "[\"ESME\"]",
            ]),
            0..6,
        ),
    ) {
        let body: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        match read(&format!("[[load]]\ndevice = \"{device}\"\n{body}")) {
            Ok(loads) => {
                let is_empty = ["[]", "{}"].iter().any(|of| body.contains(of));
                prop_assert!(is_empty || !loads[0].words().is_empty(), "something is said of what is loaded");
            }
            Err(error) => prop_assert!(error.line > 0 && !error.advice.is_empty(), "{}", error),
        }
    }

    /// A price is written as it is read, to the hundredth of a penny.
    #[test]
    fn prices_are_read_exactly(hundredths in 0i64..=32_767) {
        let price = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let meter = electricity(&format!("tariff = {{ prices-pence = [{price}] }}"));
        prop_assert_eq!(meter.tariff.expect("a tariff").prices, vec![Millipence(hundredths * 10)]);
    }
}
