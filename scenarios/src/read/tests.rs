use std::sync::Arc;
use std::time::Duration;

use lab_config::{Document, FileError, Lab};
use proptest::prelude::*;

use crate::{
    Action, Bindings, Facts, FieldError, Request, Script, Value, Values, Vending, deadline, shipped_packs,
};

const HEADING: &str = "title = 'A title'\ndevice = 'ESME'\n";

fn parse(text: &str) -> Result<Script, FileError> {
    Script::parse("a-script".parse().expect("a name"), &Document::new("a-script.toml", text))
}

fn script(steps: &str) -> Script {
    parse(&format!("{HEADING}{steps}")).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(steps: &str) -> String {
    parse(&format!("{HEADING}{steps}")).expect_err("refused").to_string()
}

#[test]
fn a_step_knows_its_words_its_deadline_and_what_its_outcome_implies() {
    let script = script("[[step]]\nrequest = '7.2'\nas = 'IS'\n[[step]]\nwait = '250ms'\n");
    let [disable, wait] = &script.steps[..] else { panic!("two steps") };
    assert_eq!(disable.words, "request 7.2 Disable Supply as IS");
    assert_eq!(disable.within(), deadline::REQUEST);
    assert!(disable.is_hazardous() && !wait.is_hazardous());
    let implied: Vec<&str> = disable.expect.iter().map(|expectation| expectation.path.as_str()).collect();
    assert_eq!(implied, ["acknowledgement.code", "response.code", "response.success"]);
    assert_eq!(wait.within(), Duration::from_millis(250));
    assert_eq!(disable.line, 3);
}

#[test]
fn a_station_switches_mains_and_reads_sensors() {
    let script = script(
        "[[step]]\nact = 'mains-off'\nshow = 'Take the mains away'\n[[step]]\nsense = 'supply-voltage'\n",
    );
    let [off, sense] = &script.steps[..] else { panic!("two steps") };
    let Action::Ask(ask) = &off.action else { panic!("{off:?}") };
    assert_eq!(ask.act, crate::Act::SwitchMains { on: false });
    assert!(off.is_hazardous(), "it is on disk before the mains go");
    assert_eq!((sense.words.as_str(), sense.within()), ("sense supply-voltage", deadline::OBSERVE));
    assert!(
        refusal("[[step]]\nsense = 'volts'").contains("a sensor: supply-voltage, current or temperature")
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_do() {
    insta::assert_snapshot!(refusal(""), @r"
    a-script.toml:1:1: found no steps, expected at least one [[step]]
      advice: a script without steps tests nothing
");
    insta::assert_snapshot!(refusal("[[step]]\nrequst = '4.1.1'\nas = 'IS'"), @r"
    a-script.toml:3:1: found a step that does nothing, expected exactly one of request, user-system, scheduled, observe, sense, alert, act, migrate, smso, wait, check
      advice: did you mean `request` where `requst` stands?
");
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '4.1.1'\nwait = '1s'"), @r"
    a-script.toml:3:1: found request and wait, expected exactly one of request, user-system, scheduled, observe, sense, alert, act, migrate, smso, wait, check
      advice: a step does one thing: make it two
");
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '4.1.1'"), @r"
    a-script.toml:3:1: found no `as`, expected `as`: the user role it is sent in, such as IS
      advice: add `as = ...` to this table
");
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '4.1.1'\nas = 'IS'\nwihtin = '1s'"), @r"
    a-script.toml:6:1: found `wihtin`, expected one of the keys `as`, `bind`, `device`, `expect`, `fields`, `misuse`, `outcome`, `request`, `say`, `within`
      advice: did you mean `within`?
");
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '4.1.1'\nas = 'IS'\nwithin = '2h'"), @r"
    a-script.toml:6:10: found `2h`, expected a time from 1ms to 1h, such as 250ms, 30s or 10m
      advice: write a number and ms, s, m or h
");
    insta::assert_snapshot!(refusal("[[step]]\nobserve = 'active-inport'\nthrough = 'optical'"), @r"
    a-script.toml:4:11: found `active-inport`, expected a function, or an attribute as a table
      advice: did you mean `active-import`? use one of identity, logical-device-name, manufacturer, model, hardware-version, firmware-version, configuration-version, configuration-block, clock, active-import, active-export, reactive-import, reactive-export, active-power-import, meter-point, export-meter-point, gas-volume, half-hourly-profile, daily-log, daily-log-export, billing-log, mode-or-tariff-log, prepayment-credit-log, debt-payment-log, half-hourly-profile-export, half-hourly-profile-reactive, voltage-profile, average-over-voltage-threshold, average-under-voltage-threshold, extreme-over-voltage-threshold, extreme-under-voltage-threshold, voltage-swell-threshold, voltage-sag-threshold, extreme-over-voltage-period, extreme-under-voltage-period, voltage-swell-period, voltage-sag-period, average-over-voltage-counter, average-under-voltage-counter, extreme-over-voltage-counter, extreme-under-voltage-counter, voltage-swell-counter, voltage-sag-counter, maximum-demand-import, maximum-demand-export, maximum-demand-period, maximum-demand-import-in-period, calorific-value, conversion-factor, uncontrolled-flow, flow-stabilisation, flow-measurement, supply-depletion-state, network-data-log, network-data-sample, load-limit, load-limit-counter, load-limit-passive, power-thresholds, billing-schedule, event-log, security-log, device-log, activity-calendar, special-days, register-activation, block-price, special-days-passive, block-thresholds, block-thresholds-passive, block-registers, block-counters, gas-tariff-registers, gas-block-counters, block-counter-reset, daily-block-reset, activation-script, tariff-activation, prepayment-activation, payment-mode-activation, prepayment-configuration, prepayment-configuration-passive, payment-mode-settings, payment-mode-settings-passive, prepayment-daily-log, billing-periods, non-disablement-calendar, non-disablement-special-days, non-disablement-special-days-passive, price, standing-charge, account, meter-balance, emergency-credit, debt, time-debt-1, time-debt-2, payment-debt, token-entry, supply-state, supply-script, supply-tamper-state, supplier-message, supplier-name, supplier-telephone-number, access-restriction, privacy-pin, customer-identification-number, image-transfer, image-activation, alert-configuration, han-alert-configuration, unlogged-events, network-control, join-list, permit-join, held-messages
");
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '2.2'\nas = 'IS'\nfields = { UTRM = '1' }"), @r"
    a-script.toml:6:12: found `UTRM`, expected a field of Service Reference Variant 2.2
      advice: did you mean `UTRN`?
");
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '2.2'\nas = 'IS'\nfields = { UTRN = '1' }"), @r#"
    a-script.toml:6:10: found `{ UTRN = '1' }`, expected the fields of Service Reference Variant 2.2
      advice: field UTRN of Service Reference Variant 2.2 is "1"; a UTRN has 20 digits; found 1 characters
"#);
    insta::assert_snapshot!(refusal("[[step]]\nrequest = '2.2'\nas = 'IS'"), @r"
    a-script.toml:4:11: found `2.2`, expected the fields of Service Reference Variant 2.2
      advice: Service Reference Variant 2.2 needs field UTRN: 20 digits
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', is = '${befor}' }]"), @r"
    a-script.toml:5:32: found `${befor}`, which nothing binds, expected a name bound by an earlier step or by the row
      advice: bind it in an earlier step, or in the data table
");
    insta::assert_snapshot!(refusal("[[row]]\nname = 'a'\nbefore = 1\n[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', is = '${befor}' }]"), @r"
    a-script.toml:8:32: found `${befor}`, which nothing binds, expected a name bound by an earlier step or by the row
      advice: did you mean `${before}`?
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', is = '${utrn:5}' }]"), @r"
    a-script.toml:5:32: found `${utrn:5}`, expected a value without ${utrn:...}
      advice: make the token in the fields of a request, and bind it there from `request.UTRN`
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', is = '${now-5x}' }]"), @r"
    a-script.toml:5:32: found `${now-5x}`, expected a reference
      advice: write ${now}, ${now-1d}, ${now+30m}, ${now:date} or ${now+3s:time}
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', matches = '(' }]"), @r"
    a-script.toml:5:37: found `(`, expected a regular expression that the whole text matches
      advice: unclosed group
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', within = [2, 1] }]"), @r"
    a-script.toml:5:36: found `[2, 1]`, expected the lowest and the highest value, as [low, high]
      advice: write the lower one first, and both of one type
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value' }]"), @r"
    a-script.toml:5:11: found an expectation without a check, expected one of is, is-not, within, at-least, at-most, matches, present, count
      advice: say what is expected of the value, such as is = true
");
    insta::assert_snapshot!(refusal("[[step]]\ncheck = 'x'\nexpect = [{ at = 'value', is = 1, matches = '1' }]"), @r"
    a-script.toml:5:11: found is and matches, expected one check
      advice: write an expectation for each
");
    insta::assert_snapshot!(refusal("[[step]]\nwait = '1s'\nbind = { now = 'value' }"), @r"
    a-script.toml:5:10: found `now`, expected a name of lower case letters, digits and `-`
      advice: names begin with a letter, and device, model, user, now, utrn are built in
");
    insta::assert_snapshot!(refusal("[[step]]\nwait = '1s'\nbind = { a = 'value' }\n[[step]]\nwait = '1s'\nbind = { a = 'value' }"), @r"
    a-script.toml:8:10: found `a`, which is bound already, expected a name that is not bound yet
      advice: choose another name, so that each means one thing
");
    insta::assert_snapshot!(refusal("[[row]]\nname = 'a'\nx = 1\n[[row]]\nname = 'b'\ny = 1\n[[step]]\nwait = '1s'"), @r"
    a-script.toml:6:1: found the columns y, expected those of the first row: x
      advice: give every row of the table the same columns
");
}

#[test]
fn clean_up_may_not_use_what_only_the_test_binds() {
    let bound_by = |part: &str| {
        format!(
            "{HEADING}[[{part}]]\nwait = '1s'\nbind = {{ a = 'value' }}\n[[step]]\nwait = '1s'\n[[clean-up]]\ncheck = 'x'\nexpect = [{{ at = 'value', is = '${{a}}' }}]"
        )
    };
    assert!(parse(&bound_by("set-up")).is_ok());
    assert!(parse(&bound_by("step")).is_err());
}

#[test]
fn a_script_runs_once_or_once_per_row() {
    let once = script("[[step]]\nwait = '1s'");
    assert_eq!(once.cases().collect::<Vec<_>>(), [None]);
    let rows = script(
        "[[row]]\nname = 'a'\ndevice = 'CHF'\nx = 1\n[[row]]\nname = 'b'\nx = 2\n[[step]]\nwait = '1s'",
    );
    let cases: Vec<_> =
        rows.cases().flatten().map(|row| (row.name.as_str(), row.device(&rows).as_str())).collect();
    assert_eq!(cases, [("a", "CHF"), ("b", "ESME")]);
    let bindings = rows.bindings(rows.rows.last(), Arc::default());
    assert_eq!(bindings.get("x"), Some(&Value::from(2)));
}

struct Tokens(u32);

impl Vending for Tokens {
    fn utrn(&mut self, device: lab_config::DeviceKind, pence: u32) -> Result<String, String> {
        self.0 += 1;
        match device {
            lab_config::DeviceKind::Esme => Ok(format!("{pence:016}{:04}", self.0)),
            other => Err(format!("{other} takes no tokens")),
        }
    }
}

fn request(script: &Script) -> &Request {
    match &script.steps[0].action {
        Action::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

fn bindings_on_the_embedded_rig(script: &Script) -> Bindings {
    let lab = Lab::embedded().expect("the embedded lab");
    script.bindings(None, Arc::new(Facts::of(&lab, &lab.rigs[0])))
}

#[test]
fn a_token_is_fresh_each_time_and_can_be_bound_once_sent() {
    let script = script(
        "[[step]]\nrequest = '2.2'\nas = 'IS'\nfields = { UTRN = '${utrn:1000}' }\nbind = { token = 'request.UTRN' }",
    );
    let mut bindings = bindings_on_the_embedded_rig(&script);
    let mut tokens = Tokens(0);
    let first = request(&script).resolve(&bindings, &mut tokens).expect("fields");
    let second = request(&script).resolve(&bindings, &mut tokens).expect("fields");
    assert_ne!(first, second);
    let mut values = Values::new();
    Request::record(&first, &mut values);
    script.steps[0].bind(&values, &mut bindings).expect("bound");
    assert_eq!(bindings.get("token"), Some(&Value::from("00000000000010000001")));
}

#[test]
fn a_token_that_cannot_be_made_and_a_name_that_stands_for_nothing_are_told_apart() {
    let gas =
        script("[[step]]\nrequest = '2.2'\nas = 'GS'\ndevice = 'GSME'\nfields = { UTRN = '${utrn:1000}' }");
    let refused = request(&gas).resolve(&bindings_on_the_embedded_rig(&gas), &mut Tokens(0));
    assert_eq!(refused, Err(FieldError::Vending("GSME takes no tokens".into())));
    let inventory = script("[[step]]\nrequest = '8.2'\nas = 'OU'\nfields = { DeviceID = '${device.IHD}' }");
    let unbound = request(&inventory).resolve(&bindings_on_the_embedded_rig(&inventory), &mut Tokens(0));
    let message = unbound.expect_err("no such device").to_string();
    assert_eq!(message, "${device.IHD} stands for nothing: the rig has no such device");
}

#[test]
fn text_with_references_is_put_together() {
    let script =
        script("[[step]]\nrequest = '8.2'\nas = 'OU'\nfields = { MPxN = '${model.CHF.model}-${user.IS}' }");
    let fields =
        request(&script).resolve(&bindings_on_the_embedded_rig(&script), &mut Tokens(0)).expect("fields");
    assert_eq!(fields["MPxN"], "SKY510-90-B3-D5-1F-30-01-00-00");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,300}") {
        let _ = parse(&text);
    }

    #[test]
    fn a_damaged_script_is_read_or_refused_in_place(pick in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), letter in any::<char>()) {
        let scripts: Vec<&str> = shipped_packs().flat_map(|pack| pack.files()).map(|(_, text)| *text).collect();
        let mut text = pick.get(&scripts).to_string();
        let at = (0..=cut.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert(at, letter);
        if let Err(error) = parse(&text) {
            prop_assert!(error.line > 0, "{error}");
        }
    }
}
