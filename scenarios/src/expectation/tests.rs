use std::sync::Arc;

use lab_config::{DeviceKind, Document, Lab};
use proptest::prelude::*;

use super::*;
use crate::{Facts, Script};

/// The one expectation of a check step; `is` and the like as a script writes them.
fn expectation(written: &str) -> Expectation {
    let text = format!(
        "title = 't'\ndevice = 'ESME'\n[[row]]\nname = 'r'\nbefore = 100\n[[step]]\ncheck = 'c'\nexpect = [{written}]\n"
    );
    let script = Script::parse("s".parse().expect("a name"), &Document::new("s.toml", text));
    script.unwrap_or_else(|error| panic!("{error}")).steps.remove(0).expect.remove(0)
}

fn bindings() -> Bindings {
    let lab = Lab::embedded().expect("the embedded lab");
    let mut bindings = Bindings::new(Arc::new(Facts::of(&lab, &lab.rigs[0])), DeviceKind::Esme);
    bindings.bind("before", 100);
    bindings.set_now("2026-11-21T12:00:00.9Z".parse().expect("a time"));
    bindings
}

fn values() -> Values {
    let mut values = Values::new();
    values.set("value", 105);
    values.set("unit", "Wh");
    values.set("text", "P4X2G04");
    values.set("time", "2026-11-21T12:00:04Z");
    values.set("response.success", "true");
    values.set("log", vec![Value::from("8F32"), Value::from("8F51"), Value::from("8154")]);
    values
}

fn judge(written: &str) -> Result<(), Mismatch> {
    evaluate(&expectation(written), &values(), &bindings())
}

#[test]
fn expectations_that_hold() {
    for written in [
        "{ at = 'value', is = 105 }",
        "{ at = 'value', is = 105.0, unit = 'Wh' }",
        "{ at = 'value', is = '${before}', plus = 5 }",
        "{ at = 'value', is = '${before}', plus = 4, tolerance = 1 }",
        "{ at = 'value', is = '${before}', tolerance = 5 }",
        "{ at = 'value', is = 0.105, times = 0.001 }",
        "{ at = 'value', is-not = 104 }",
        "{ at = 'value', within = [105, 106] }",
        "{ at = 'value', at-least = '${before}' }",
        "{ at = 'value', at-most = 105 }",
        "{ at = 'value', at-least = 1, at-most = 200 }",
        "{ at = 'text', is = '${model.firmware-version}' }",
        "{ at = 'text', matches = '[A-Z0-9]{7}' }",
        "{ at = 'time', is = '${now}', tolerance = '5s' }",
        "{ at = 'time', is = '${now-1m}', plus = '1m', tolerance = '4s' }",
        "{ at = 'time', at-least = 2026-11-21T12:00:00Z }",
        "{ at = 'response.success', is = true }",
        "{ at = 'response', present = true }",
        "{ at = 'response.failure', present = false }",
        "{ at = 'log', count = 3 }",
        "{ at = 'log', count = [1, 3] }",
        "{ at = 'log', count = [2] }",
        "{ at = 'log[*]', is = '8F51' }",
        "{ at = 'log[*]', matches = '81.*' }",
        "{ at = 'log[*]', count = 3 }",
        "{ at = 'text', is = '${device}-', plus = 0 }",
    ] {
        // The last of them cannot hold: it adds a number to a text.
        let judged = judge(written);
        assert_eq!(judged.is_ok(), !written.contains("plus = 0"), "{written}: {judged:?}");
    }
}

#[test]
fn what_does_not_hold_is_said_in_words() {
    let say = |written| judge(written).expect_err("a mismatch").to_string();
    insta::assert_snapshot!(say("{ at = 'value', is = 100, tolerance = 4 }"), @"at value: found 105, expected 100, give or take 4");
    insta::assert_snapshot!(say("{ at = 'value', is = 105, unit = 'kWh' }"), @"at value: found 105 Wh, expected 105, in kWh");
    insta::assert_snapshot!(say("{ at = 'value', is = '${before}', plus = 1000000, tolerance = 20 }"), @"at value: found 105, expected 100 plus 1000000, give or take 20");
    insta::assert_snapshot!(say("{ at = 'value', within = [1, 2] }"), @"at value: found 105, expected 1 to 2");
    insta::assert_snapshot!(say("{ at = 'value', is = 1, times = 0.001 }"), @"at value: found 105, expected 1, once multiplied with 0.001");
    insta::assert_snapshot!(say("{ at = 'text', matches = 'X.*' }"), @"at text: found P4X2G04, expected text matching X.*");
    insta::assert_snapshot!(say("{ at = 'text', at-least = 4 }"), @"at text: found P4X2G04, expected at least 4");
    insta::assert_snapshot!(say("{ at = 'time', is = '${now}', tolerance = '3s' }"), @"at time: found 2026-11-21T12:00:04Z, expected 2026-11-21T12:00:00Z, give or take 3s");
    insta::assert_snapshot!(say("{ at = 'response.success', is = false }"), @"at response.success: found true, expected false");
    insta::assert_snapshot!(say("{ at = 'response.code', is = 'I0' }"), @"at response.code: found nothing, expected I0");
    insta::assert_snapshot!(say("{ at = 'response', is = 'I0' }"), @"at response: found elements without a value of their own, expected I0");
    insta::assert_snapshot!(say("{ at = 'response', present = false }"), @"at response: found elements without a value of their own, expected nothing");
    insta::assert_snapshot!(say("{ at = 'log', count = [4, 5] }"), @"at log: found 3, expected 4 to 5 of them");
    insta::assert_snapshot!(say("{ at = 'log[*]', is = '8F3F' }"), @"at log[*]: found 8F32, 8F51, 8154, expected at least one that is: 8F3F");
    insta::assert_snapshot!(say("{ at = 'none[*]', is = '8F3F' }"), @"at none[*]: found nothing, expected at least one that is: 8F3F");
    insta::assert_snapshot!(say("{ at = 'value', is-not = 105 }"), @"at value: found 105, expected anything but 105");
    insta::assert_snapshot!(say("{ at = 'value', is = '${device.IHD}' }"), @"at value: found nothing to compare with, expected ${device.IHD} stands for nothing: the rig has no such device");
}

#[test]
fn a_pattern_matches_the_whole_text_or_not_at_all() {
    assert!(judge("{ at = 'text', matches = 'P4' }").is_err());
    assert!(judge("{ at = 'text', matches = 'P4|P4X2G04' }").is_ok());
    assert!(judge(r"{ at = 'value', matches = '1\d5' }").is_ok());
}

fn number() -> impl Strategy<Value = i64> {
    -1_000_000i64..1_000_000
}

fn is(expected: i64, plus: i64, tolerance: i64) -> Expectation {
    let amount = |number| Some(Amount::Number(Decimal::from(number)));
    let expected = Operand::Literal(Value::from(expected));
    let check = Check::Is { expected, plus: amount(plus), tolerance: amount(tolerance) };
    Expectation { path: "value".parse().expect("a path"), unit: None, times: None, check }
}

proptest! {
    #[test]
    fn tolerance_is_a_distance(found in number(), expected in number(), plus in number(), tolerance in 0i64..2_000_000) {
        let mut values = Values::new();
        values.set("value", found);
        let holds = evaluate(&is(expected, plus, tolerance), &values, &Bindings::default()).is_ok();
        prop_assert_eq!(holds, (found - expected - plus).abs() <= tolerance);
    }

    #[test]
    fn text_and_number_are_judged_alike(found in number(), expected in number(), tolerance in 0i64..2_000_000) {
        let (mut typed, mut text) = (Values::new(), Values::new());
        typed.set("value", found);
        text.set("value", found.to_string());
        let expectation = is(expected, 0, tolerance);
        let bindings = Bindings::default();
        prop_assert_eq!(evaluate(&expectation, &typed, &bindings).is_ok(), evaluate(&expectation, &text, &bindings).is_ok());
    }

    #[test]
    fn a_range_holds_its_ends_and_what_lies_between(found in number(), low in number(), high in number()) {
        let operand = |number| Some(Operand::Literal(Value::from(number)));
        let check = Check::Range { low: operand(low), high: operand(high) };
        let expectation = Expectation { path: "value".parse().expect("a path"), unit: None, times: None, check };
        let mut values = Values::new();
        values.set("value", found);
        prop_assert_eq!(evaluate(&expectation, &values, &Bindings::default()).is_ok(), low <= found && found <= high);
    }

    #[test]
    fn a_mismatch_is_always_put_in_words(text in "\\PC{1,40}", other in "\\PC{1,40}") {
        let check = Check::Is { expected: Operand::Literal(Value::from(&*other)), plus: None, tolerance: None };
        let expectation = Expectation { path: "value".parse().expect("a path"), unit: None, times: None, check };
        let mut values = Values::new();
        values.set("value", text.as_str());
        match evaluate(&expectation, &values, &Bindings::default()) {
            Ok(()) => prop_assert_eq!(text, other),
            Err(mismatch) => {
                prop_assert_eq!(mismatch.found, text);
                prop_assert_eq!(mismatch.expected, other);
            }
        }
    }
}
