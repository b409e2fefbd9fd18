use proptest::prelude::*;

use super::*;
use crate::Document;

const GENERIC: &str = include_str!("../../device-models/generic-dlms-meter.toml");

fn refusal(from: &str, to: &str) -> String {
    assert!(GENERIC.contains(from), "{from} is not in the file");
    let text = GENERIC.replacen(from, to, 1);
    DeviceModel::parse(&Document::new("meter.toml", text)).expect_err("refused").to_string()
}

#[test]
fn a_profile_says_where_each_function_is_and_what_was_verified() {
    let model = DeviceModel::parse(&Document::new("meter.toml", GENERIC)).expect("a Device Model");
    let profile = model.profile.dlms().expect("DLMS/COSEM");
    let import = profile.object(Function::ActiveImport).expect("the register");
    assert_eq!(import.attribute().to_string(), "class 3 1-0:1.8.0 attribute 2");
    assert_eq!(import.method().method, 1);
    assert_eq!(profile.attribute(Function::DeviceLog), None);
    assert!(profile.objects.values().all(|fact| !fact.verified));
}

#[test]
fn what_is_wrong_with_a_device_model_is_said_in_its_place() {
    insta::assert_snapshot!(refusal("active-import =", "active-inport ="), @r"
    meter.toml:22:1: found `active-inport`, expected a function
      advice: did you mean `active-import`? use one of identity, logical-device-name, manufacturer, model, hardware-version, firmware-version, configuration-version, configuration-block, clock, active-import, active-export, reactive-import, reactive-export, active-power-import, meter-point, export-meter-point, gas-volume, half-hourly-profile, daily-log, daily-log-export, billing-log, mode-or-tariff-log, prepayment-credit-log, debt-payment-log, half-hourly-profile-export, half-hourly-profile-reactive, voltage-profile, average-over-voltage-threshold, average-under-voltage-threshold, extreme-over-voltage-threshold, extreme-under-voltage-threshold, voltage-swell-threshold, voltage-sag-threshold, extreme-over-voltage-period, extreme-under-voltage-period, voltage-swell-period, voltage-sag-period, average-over-voltage-counter, average-under-voltage-counter, extreme-over-voltage-counter, extreme-under-voltage-counter, voltage-swell-counter, voltage-sag-counter, maximum-demand-import, maximum-demand-export, maximum-demand-period, maximum-demand-import-in-period, calorific-value, conversion-factor, uncontrolled-flow, flow-stabilisation, flow-measurement, supply-depletion-state, network-data-log, network-data-sample, load-limit, load-limit-counter, load-limit-passive, power-thresholds, billing-schedule, event-log, security-log, device-log, activity-calendar, special-days, register-activation, block-price, special-days-passive, block-thresholds, block-thresholds-passive, block-registers, block-counters, gas-tariff-registers, gas-block-counters, block-counter-reset, daily-block-reset, activation-script, tariff-activation, prepayment-activation, payment-mode-activation, prepayment-configuration, prepayment-configuration-passive, payment-mode-settings, payment-mode-settings-passive, prepayment-daily-log, billing-periods, non-disablement-calendar, non-disablement-special-days, non-disablement-special-days-passive, price, standing-charge, account, meter-balance, emergency-credit, debt, time-debt-1, time-debt-2, payment-debt, token-entry, supply-state, supply-script, supply-tamper-state, supplier-message, supplier-name, supplier-telephone-number, access-restriction, privacy-pin, customer-identification-number, image-transfer, image-activation, alert-configuration, han-alert-configuration, unlogged-events, network-control, join-list, permit-join, held-messages
");
    insta::assert_snapshot!(refusal("sap = 16, verified = false", "sap = 16"), @r"
    meter.toml:14:17: found no `verified`, expected `verified`: whether this was seen on a device of this model
      advice: add `verified = ...` to this table
");
    insta::assert_snapshot!(refusal("sap = 16", "sap = 128"), @r"
    meter.toml:14:25: found 128, expected a client SAP, from 1 to 127
      advice: use a number in this range
");
    insta::assert_snapshot!(refusal("obis = \"1-0:1.8.0\"", "obis = \"1-0:1.8\""), @r"
    meter.toml:22:37: found `1-0:1.8`, expected an OBIS code
      advice: `1-0:1.8` is not an OBIS code: write A-B:C.D.E, A-B:C.D.E.F or A.B.C.D.E.F with numbers of 0 to 255
");
    insta::assert_snapshot!(refusal("\"electricity\"", "\"electricty\""), @r"
    meter.toml:10:17: found `electricty`, expected a capability
      advice: did you mean `electricity`? use one of electricity, gas, prepayment, supply-control, half-hourly-profile, event-log, device-log, tariff, keypad, optical-port, local-port, clock, firmware-update, router
");
    insta::assert_snapshot!(refusal("protocol = \"dlms\"", "protocol = \"modbus\""), @r"
    meter.toml:13:12: found `modbus`, expected `dlms` or `zcl`
      advice: name the protocol the device speaks
");
    insta::assert_snapshot!(refusal("deviation = \"standard\"", "deviation = \"backwards\""), @r"
    meter.toml:17:23: found `backwards`, expected which way the deviation counts
      advice: use one of standard, inverted
");
    insta::assert_snapshot!(refusal("manufacturer = \"unknown\"", "manufacturer = \"Zähler\""), @r"
    meter.toml:5:16: found `Zähler`, expected the manufacturer
      advice: use 1 to 30 printable ASCII characters
");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = DeviceModel::parse(&Document::new("meter.toml", text));
    }
}

#[test]
fn what_is_wrong_with_particulars_is_said_in_its_place() {
    let with = |line: &str| {
        refusal("[profile.objects]", &format!("[profile.particulars]\n{line}\n[profile.objects]"))
    };
    insta::assert_snapshot!(with("hdlc = { max-information = 3000, window = 1, verified = false }"), @r"
    meter.toml:20:28: found 3000, expected octets of the longest information field, from 32 to 2030
      advice: use a number in this range
");
    insta::assert_snapshot!(with("quirks.echoing = { verified = false }"), @r"
    meter.toml:20:8: found `echoing`, expected a quirk
      advice: use one of missing-mode-e-marker, echoing-head, aare-without-mechanism-name, no-selective-access-by-range, valve-freezes-on-flat-battery
");
    insta::assert_snapshot!(with("sign-on = { manufacturer = \"SM\", baud = 9600, verified = false }"), @r#"
    meter.toml:20:28: found `SM`, expected the three letters of the manufacturer
      advice: write three letters, such as "SML"
"#);
    insta::assert_snapshot!(with("wake-interval = { seconds = 5, verified = false }"), @r"
    meter.toml:20:29: found 5, expected seconds from one wake to the next, from 10 to 86400
      advice: use a number in this range
");
    insta::assert_snapshot!(with("store-and-forward = { messages = 0, seconds = 60, verified = false }"), @r"
    meter.toml:20:34: found 0, expected messages it has room for, from 1 to 64
      advice: use a number in this range
");
    insta::assert_snapshot!(with("alerts = { codes = [\"8F3\"], verified = false }"), @r#"
    meter.toml:20:21: found `8F3`, expected alert codes in hexadecimal, such as "8F3F"
      advice: write four hexadecimal digits
"#);
    insta::assert_snapshot!(with("profile-columns = { columns = [\"interval\"], verified = false }"), @r#"
    meter.toml:20:31: found `["interval"]`, expected the columns in order, the time first
      advice: begin with "time" and name a column once
"#);
}

#[test]
fn a_gas_meter_sleeps_and_its_model_says_how_long() {
    let gas = GENERIC.replacen("kind = \"ESME\"", "kind = \"GSME\"", 1);
    assert_ne!(gas, GENERIC);
    let parsed = |text: &str| DeviceModel::parse(&Document::new("meter.toml", text)).expect("a Device Model");
    let seconds = |model: &DeviceModel| model.wake_interval().map(|wake| wake.duration().as_secs());
    assert_eq!((seconds(&parsed(GENERIC)), seconds(&parsed(&gas))), (None, Some(1800)));
    let often =
        "[profile.particulars]\nwake-interval = { seconds = 60, verified = false }\n[profile.objects]";
    let often = parsed(&gas.replacen("[profile.objects]", often, 1));
    assert_eq!(seconds(&often), Some(60));
    assert!(often.facts().contains(&("wakes every 60 s".to_owned(), false)));
}

#[test]
fn a_configuration_is_settings_of_functions_the_model_has_with_its_version() {
    let lab = crate::Lab::embedded().unwrap();
    let esme = &lab.rigs[0].device(DeviceKind::Esme).unwrap().model;
    assert!(!esme.configuration.is_empty());
    let block = esme.configuration_block();
    let [version, settings] = block.elements().unwrap() else { panic!("{block:?}") };
    assert_eq!(version.as_octets(), Some(esme.identity.configuration_version.as_str().as_bytes()));
    assert_eq!(settings.elements().map(<[_]>::len), Some(esme.configuration.len()));
}
