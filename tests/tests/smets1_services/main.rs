//! The S1SP and the driver under it against the simulated devices of the embedded lab, on their real sockets and
//! pseudo-terminals: every Service Reference Variant it speaks, refusals, alerts, silence.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

mod bench;
mod configuration;
mod credentials;
mod history;
mod home;
mod prepayment;
mod prove;
mod sleeper;
mod tariff;

use std::time::{Duration, Instant};

use bench::{Bench, text};
use harness::s1sp::Unserved;
use jiff::{SignedDuration, Timestamp};
use lab_config::DeviceKind::{Chf, Esme, Gpf, Gsme, Ppmid};
use lab_config::Path;
use proto_duis::Srv;
use proto_duis::utrn::{Utrn, VendingKey};

fn within(from: SignedDuration) -> [(&'static str, String); 2] {
    let now = Timestamp::now();
    [("StartDateTime", (now - from).to_string()), ("EndDateTime", now.to_string())]
}

fn token(bench: &Bench, sequence: u32, pence: u32) -> String {
    let source = bench.links.rig().device(Esme).and_then(|device| device.credentials.vending_key.as_ref());
    let secret = source.expect("a vending key").secret().expect("the key");
    let key = VendingKey::new(secret.expose().try_into().expect("32 octets"));
    Utrn::make(&key, sequence, pence).expect("a token").to_string()
}

#[tokio::test]
async fn registers_and_profile_are_read() {
    let bench = Bench::start().await;
    let registers = bench.ask(Esme, Srv::ReadInstantaneousImportRegisters, &[]).await;
    let wh: u64 = text(&registers, "Electricity.ActiveImportRegister.Value").parse().expect("a number");
    assert!(wh > 2_000_000, "{wh}");
    let power = bench.ask(Esme, Srv::ReadActivePowerImport, &[]).await;
    assert_eq!(text(&power, "ActivePowerImport.Unit"), "W");
    for (kind, value) in [(Esme, "Electricity"), (Gpf, "Gas"), (Gsme, "Gas")] {
        let [start, end] = within(SignedDuration::from_hours(6));
        let fields = [(start.0, start.1.as_str()), (end.0, end.1.as_str())];
        let profile = bench.ask(kind, Srv::ReadActiveImportProfileData, &fields).await;
        let count: usize = text(&profile, "LogEntry.count").parse().expect("a count");
        assert!((11..=13).contains(&count), "{kind}: {count}");
        text(&profile, &format!("LogEntry[0].{value}.PrimaryValue"));
    }
}

#[tokio::test]
async fn a_sleeping_gas_meter_is_answered_from_its_mirror() {
    let bench = Bench::start().await;
    bench.hand(Gsme).silence(true);
    let response = bench.serve(Gsme, Srv::ReadInstantaneousImportRegisters, &[]).await.expect("an answer");
    assert_eq!(response.device, bench.eui64(Gsme));
    assert_eq!(response.timestamp.and_then(|time| time.is_from_gsme), Some(false));
    let mirrored = bench.ask(Gsme, Srv::ReadInstantaneousImportRegisters, &[]).await;
    let own = bench.ask(Gpf, Srv::ReadInstantaneousImportRegisters, &[]).await;
    assert_eq!(text(&mirrored, "Gas.ConsumptionRegister.Value"), text(&own, "Gas.ConsumptionRegister.Value"));
    for srv in [Srv::ReadMeterBalance, Srv::ReadSupplyStatus, Srv::ReadTariffPrimaryElement] {
        bench.ask(Gsme, srv, &[]).await;
    }
}

#[tokio::test]
async fn every_device_says_what_it_is() {
    let bench = Bench::start().await;
    for kind in [Esme, Gpf, Chf, Ppmid] {
        let model = bench.links.rig().device(kind).expect("a device").model.identity.clone();
        let firmware = bench.ask(kind, Srv::ReadFirmwareVersion, &[]).await;
        assert_eq!(text(&firmware, "FirmwareVersion"), model.firmware_version.as_str());
        if kind == Ppmid {
            continue;
        }
        let identity = bench.ask(kind, Srv::ReadDeviceConfigurationIdentityExcMPxN, &[]).await;
        assert_eq!(text(&identity, "DeviceIdentifier"), bench.eui64(kind).to_string());
        assert_eq!(text(&identity, "ModelType"), model.model.as_str());
    }
    let identity = bench.serve(Ppmid, Srv::ReadDeviceConfigurationIdentityExcMPxN, &[]).await;
    let unserved = identity.expect_err("a model of nine characters").to_string();
    assert!(unserved.contains("ModelType"), "{unserved}");
    let log = bench.ask(Chf, Srv::ReadDeviceLog, &[]).await;
    assert_eq!(text(&log, "CHFDeviceLog.CHFDeviceLogEntry.count"), "4");
}

#[tokio::test]
async fn a_clock_is_set_unless_the_request_is_old() {
    let bench = Bench::start().await;
    bench.hand(Esme).jump_clock(90_000).expect("a clock");
    let now = Timestamp::now();
    let fields = [("CurrentDateTime", now.to_string()), ("TolerancePeriod", "10".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let set = bench.ask(Esme, Srv::SynchroniseClock, &fields).await;
    let time: Timestamp = text(&set, "DeviceTime").parse().expect("a time");
    assert!(time.duration_since(now).abs() < SignedDuration::from_secs(5), "{time}");
    assert_eq!(text(&set, "Electricity.ElecClockTimeStatus.TimeStatus"), "reliable");
    let old = (now - SignedDuration::from_mins(5)).to_string();
    let fields = [("CurrentDateTime", old.as_str()), ("TolerancePeriod", "10")];
    let (code, words) = bench.refused(Esme, Srv::SynchroniseClock, &fields).await;
    assert!(code == 4002 && words.contains("tolerance"), "{code} {words}");
}

#[tokio::test]
async fn prices_are_put_in_force_and_read_back() {
    let bench = Bench::start().await;
    let fields = [
        ("StandingCharge", "275"),
        ("StandingChargeScale", "-3"),
        ("PriceScale", "-4"),
        ("TOUPrice[1]", "1530"),
    ];
    bench.ask(Esme, Srv::UpdatePricePrimaryElement, &fields).await;
    let tariff = bench.ask(Esme, Srv::ReadTariffPrimaryElement, &[]).await;
    assert_eq!(text(&tariff, "Electricity.StandingCharge"), "2750");
    assert_eq!(text(&tariff, "Electricity.TariffTOUPriceMatrix.TariffTOUPrice[0]"), "1530");
    let fields = [
        ("StandingCharge", "1"),
        ("StandingChargeScale", "-4"),
        ("PriceScale", "-5"),
        ("TOUPrice[1]", "1531"),
    ];
    let (code, words) = bench.refused(Esme, Srv::UpdatePricePrimaryElement, &fields).await;
    assert!(code == 4002 && words.contains("exactly"), "{code} {words}");
}

#[tokio::test]
async fn a_token_is_credited_once_and_its_second_use_is_told() {
    let mut bench = Bench::start().await;
    let balance = |body: &proto_duis::MmcBody| text(body, "MeterBalance").parse::<i64>().expect("an amount");
    let before = balance(&bench.ask(Esme, Srv::ReadMeterBalance, &[]).await);
    let digits = token(&bench, 1, 1_000);
    let mode =
        [("SuspendDebtDisabled", "false"), ("SuspendDebtEmergency", "false"), ("DisablementThreshold", "0")];
    bench.ask(Esme, Srv::UpdatePaymentMode, &mode).await;
    bench.ask(Esme, Srv::TopUpDevice, &[("UTRN", &digits)]).await;
    let after = balance(&bench.ask(Esme, Srv::ReadMeterBalance, &[]).await);
    assert!((after - before - 1_000_000).abs() < 1_000, "{before} {after}");
    let (code, words) = bench.refused(Esme, Srv::TopUpDevice, &[("UTRN", &digits)]).await;
    assert!(code == 5001 && words.contains("duplicate"), "{code} {words}");
    let alert = bench.s1sp_alert().await;
    assert_eq!((alert.code.as_str(), alert.device), ("UTRN_REFUSED", Some(bench.eui64(Esme))));
    assert_eq!(alert.utrn.map(|utrn| utrn.to_string()), Some(digits));
}

#[tokio::test]
async fn a_device_alert_names_its_device_code_and_words() {
    let mut bench = Bench::start().await;
    let wrong = "0".repeat(20);
    bench.refused(Esme, Srv::TopUpDevice, &[("UTRN", &wrong)]).await;
    let (device, words) = bench.device_alert(0x8F64).await;
    assert_eq!(device, bench.eui64(Esme));
    assert!(!words.is_empty());
    bench.hand(Esme).tamper().expect("a cover");
    bench.device_alert(0x8F3F).await;
}

#[tokio::test]
async fn supply_goes_off_is_armed_and_comes_on_by_keys() {
    let mut bench = Bench::start().await;
    let state = async |bench: &Bench| text(&bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await, "SupplyState");
    bench.ask(Esme, Srv::DisableSupply, &[]).await;
    assert_eq!(state(&bench).await, "Disabled");
    bench.ask(Esme, Srv::ArmSupply, &[]).await;
    assert_eq!(state(&bench).await, "Armed");
    bench.device_alert(0x8F32).await;
    bench.hand(Esme).press_keys("AB").expect("keys");
    assert_eq!(state(&bench).await, "Enabled");
    bench.ask(Esme, Srv::DisableSupply, &[]).await;
    bench.ask(Esme, Srv::EnableSupply, &[]).await;
    assert_eq!(state(&bench).await, "Enabled");
}

#[tokio::test]
async fn logs_are_read_by_period() {
    let bench = Bench::start().await;
    bench.hand(Esme).tamper().expect("a cover");
    for (log, code) in [("Event", None), ("Security", Some("8F3F"))] {
        let [start, end] = within(SignedDuration::from_hours(1));
        let fields = [(start.0, start.1.as_str()), (end.0, end.1.as_str()), ("LogToRead", log)];
        let entries = bench.ask(Esme, Srv::ReadEventOrSecurityLog, &fields).await;
        if let Some(code) = code {
            assert!(format!("{entries:?}").contains(code), "{log}: {entries:?}");
        }
    }
}

#[tokio::test]
async fn what_the_model_lacks_is_refused_in_words() {
    let bench = Bench::start().await;
    let (code, words) = bench.refused(Gpf, Srv::ReadActivePowerImport, &[]).await;
    assert!(code == 4001 && words.contains("active-power-import"), "{code} {words}");
}

#[tokio::test]
async fn a_silent_device_is_no_answer_and_an_alert_and_the_others_go_on() {
    let mut bench = Bench::start().await;
    bench.hand(Esme).silence(true);
    let begun = Instant::now();
    let unserved = bench.serve(Esme, Srv::ReadMeterBalance, &[]).await.expect_err("a silent meter");
    assert!(matches!(unserved, Unserved::NoAnswer { .. }), "{unserved}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(bench.s1sp_alert().await.code, "DEVICE_UNREACHABLE");
    bench.ask(Gpf, Srv::ReadFirmwareVersion, &[]).await;
    bench.hand(Esme).silence(false);
    bench.ask(Esme, Srv::ReadMeterBalance, &[]).await;
}

#[tokio::test]
async fn a_pulled_hub_is_unreachable_and_comes_back() {
    let bench = Bench::start().await;
    bench.ask(Esme, Srv::ReadMeterBalance, &[]).await;
    bench.hand(Chf).pull_link(Path::Wan).expect("a link");
    let unserved = bench.serve(Esme, Srv::ReadMeterBalance, &[]).await.expect_err("no hub");
    assert!(matches!(unserved, Unserved::Unreachable { .. }), "{unserved}");
    bench.hand(Chf).restore_link(Path::Wan).expect("a link");
    bench.ask(Esme, Srv::ReadMeterBalance, &[]).await;
}

#[tokio::test]
async fn a_password_the_lab_does_not_know_is_no_refusal_of_what_was_asked() {
    let mut bench = Bench::start().await;
    bench.hand(Esme).change_password(b"other-pw").expect("passwords");
    let unserved = bench.serve(Esme, Srv::DisableSupply, &[]).await.expect_err("no association");
    assert!(
        matches!(&unserved, Unserved::Unreachable { words, .. } if words.contains("password")),
        "{unserved}"
    );
    let alert = bench.s1sp_alert().await;
    assert_eq!(alert.code, "REQUEST_NOT_SERVED");
    assert!(alert.information.is_some_and(|words| words.contains("password")));
}

#[tokio::test]
async fn a_request_the_dcc_did_not_sign_is_not_served() {
    let bench = Bench::start().await;
    let unserved = bench.serve_forged(Esme, Srv::DisableSupply).await.expect_err("no DSP signature");
    assert!(matches!(unserved, Unserved::Message(_)), "{unserved}");
    let status = bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await;
    assert_eq!(text(&status, "SupplyState"), "Enabled");
}
