//! What a supplier and a network operator set on an electricity meter, that the meter then does it, and what it refuses.

use std::time::Duration;

use device_sim::SimClock;
use device_sim::fault::Placed;
use harness::driver::Client;
use jiff::{SignedDuration, Timestamp};
use lab_config::DeviceKind::{Esme, Gsme, Ppmid};
use lab_config::{Function, Lab, Path};
use proto_dlms::data::{AttributeRef, Data};
use proto_duis::Srv;

use super::bench::{Bench, text};

/// Settings of 6.5 as the meter has them when it is new, with changes.
fn voltage(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let usual = [
        ("RMSExtremeOverVoltageMeasurementPeriod", "60"),
        ("RMSExtremeOverVoltageThreshold", "2645"),
        ("RMSExtremeUnderVoltageMeasurementPeriod", "60"),
        ("RMSExtremeUnderVoltageThreshold", "1840"),
        ("RMSVoltageSagMeasurementPeriod", "10"),
        ("RMSVoltageSagThreshold", "2070"),
        ("RMSVoltageSwellMeasurementPeriod", "10"),
        ("RMSVoltageSwellThreshold", "2576"),
        ("AverageRMSOverVoltageThreshold", "2530"),
        ("AverageRMSUnderVoltageThreshold", "2162"),
        ("AverageRMSVoltageMeasurementPeriod", "1800"),
    ];
    let changed = |name: &str| changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
    let set = usual.map(|(name, value)| (name, changed(name).unwrap_or(value)));
    let more = changes.iter().filter(|(name, _)| usual.iter().all(|(known, _)| known != name));
    set.into_iter().chain(more.copied()).collect()
}

/// What a function of the electricity meter reads at its optical port.
async fn at_the_meter(bench: &Bench, function: Function, attribute: i8) -> Data {
    let meter = bench.links.rig().device(Esme).expect("a meter").clone();
    let profile = meter.model.profile.dlms().expect("a DLMS device");
    let object = profile.object(function).expect("a function of the model");
    let attribute = AttributeRef { class: object.class, obis: object.obis, attribute };
    let mut session = bench.links.open(&meter, Path::Optical, Client::Management).await.expect("a session");
    let data = session.get(attribute, None).await.expect("a value");
    session.close().await;
    data
}

async fn number(bench: &Bench, function: Function) -> i128 {
    at_the_meter(bench, function, 2).await.as_i128().expect("a number")
}

fn bring_about(bench: &Bench, condition: &str) {
    let placed: Placed = condition.parse().expect("a condition");
    bench.hand(placed.device).arm(&placed).expect("brought about");
}

async fn refused_by_the_meter(bench: &Bench, srv: Srv, fields: &[(&str, &str)]) {
    let (code, words) = bench.refused(Esme, srv, fields).await;
    assert_eq!(code, 1013, "{srv}: {words}");
}

#[tokio::test]
async fn voltage_settings_are_held_read_back_and_refused_whole() {
    let bench = Bench::start().await;
    let set = voltage(&[("RMSVoltageSwellThreshold", "2500"), ("RMSVoltageSwellMeasurementPeriod", "3")]);
    bench.ask(Esme, Srv::UpdateDeviceConfigurationVoltage, &set).await;
    let read = bench.ask(Esme, Srv::ReadDeviceConfigurationVoltage, &[]).await;
    assert_eq!(text(&read, "RMSVoltageSettings.RMSVoltageSwellThreshold"), "2500");
    assert_eq!(text(&read, "RMSVoltageSettings.RMSVoltageSwellMeasurementPeriod"), "3");
    assert_eq!(text(&read, "SinglePhaseVoltageSettings.AverageRMSUnderVoltageThreshold"), "2162");
    assert_eq!(number(&bench, Function::VoltageSwellThreshold).await, 2500);
    // The meter takes the swell, refuses the sag, and is as it was before.
    let wrong = voltage(&[("RMSVoltageSwellThreshold", "2400"), ("RMSVoltageSagThreshold", "2400")]);
    refused_by_the_meter(&bench, Srv::UpdateDeviceConfigurationVoltage, &wrong).await;
    assert_eq!(number(&bench, Function::VoltageSwellThreshold).await, 2500);
    let wrong = voltage(&[("AverageRMSVoltageMeasurementPeriod", "420")]);
    refused_by_the_meter(&bench, Srv::UpdateDeviceConfigurationVoltage, &wrong).await;
    let wrong = voltage(&[("RMSVoltageSagThreshold", "70000")]);
    let (code, words) = bench.refused(Esme, Srv::UpdateDeviceConfigurationVoltage, &wrong).await;
    assert!(code == 4002 && words.contains("16 bits"), "{code} {words}");
}

#[tokio::test]
async fn a_voltage_beyond_what_was_set_is_told_and_counted_until_the_counters_start_anew() {
    let mut bench = Bench::start().await;
    let set = voltage(&[
        ("RMSExtremeOverVoltageThreshold", "2620"),
        ("RMSExtremeOverVoltageMeasurementPeriod", "1"),
    ]);
    bench.ask(Esme, Srv::UpdateDeviceConfigurationVoltage, &set).await;
    bring_about(&bench, "ESME: voltage 262.5 V");
    let (device, words) = bench.device_alert(0x8020).await;
    assert_eq!((device, words.as_str()), (bench.eui64(Esme), "voltage above 262 V"));
    bench.hand(Esme).clear_faults();
    bench.device_alert(0x808D).await;
    assert_eq!(number(&bench, Function::ExtremeOverVoltageCounter).await, 1);
    let kept = voltage(&[("RMSVoltageCountersNotReset", "true")]);
    bench.ask(Esme, Srv::UpdateDeviceConfigurationVoltage, &kept).await;
    assert_eq!(number(&bench, Function::ExtremeOverVoltageCounter).await, 1);
    bench.ask(Esme, Srv::UpdateDeviceConfigurationRMSVoltageCounterReset, &[]).await;
    assert_eq!(number(&bench, Function::ExtremeOverVoltageCounter).await, 0);
}

#[tokio::test]
async fn an_average_beyond_what_was_set_is_told_and_counted_in_the_network_data() {
    let now = Timestamp::now();
    let (clock, stepper) = SimClock::stepped(now);
    let mut bench = Bench::start_with(Lab::embedded().expect("the embedded lab"), clock).await;
    let set =
        voltage(&[("AverageRMSOverVoltageThreshold", "2600"), ("AverageRMSVoltageMeasurementPeriod", "60")]);
    bench.ask(Esme, Srv::UpdateDeviceConfigurationVoltage, &set).await;
    bring_about(&bench, "ESME: voltage 261 V");
    stepper.advance(SignedDuration::from_mins(3));
    bench.device_alert(0x8002).await;
    let (from, to) = (now.to_string(), (now + SignedDuration::from_mins(4)).to_string());
    let period = [("StartDateTime", from.as_str()), ("EndDateTime", to.as_str())];
    let data = bench.ask(Esme, Srv::ReadNetworkData, &period).await;
    assert!(format!("{data:?}").contains("AvgRMSOverVoltage"), "{data:?}");
}

#[tokio::test]
async fn power_thresholds_are_held_and_rise() {
    let bench = Bench::start().await;
    let set = [("LowMediumPowerThreshold", "800"), ("MediumHighPowerThreshold", "4000")];
    bench.ask(Esme, Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold, &set).await;
    let read = bench.ask(Esme, Srv::ReadDeviceConfigurationInstantaneousPowerThresholds, &[]).await;
    assert_eq!(text(&read, "MediumHighPowerThreshold"), "4000");
    let held = at_the_meter(&bench, Function::PowerThresholds, 2).await;
    assert_eq!(held, Data::Array(vec![Data::U32(800), Data::U32(4000)]));
    let falling = [("LowMediumPowerThreshold", "4000"), ("MediumHighPowerThreshold", "800")];
    refused_by_the_meter(&bench, Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold, &falling).await;
}

fn limit<'a>(
    watts: &'a str,
    period: &'a str,
    restoration: &'a str,
    supply: &'a str,
) -> [(&'a str, &'a str); 4] {
    [
        ("LoadLimitPowerThreshold", watts),
        ("LoadLimitPeriod", period),
        ("LoadLimitRestorationPeriod", restoration),
        ("LoadLimitSupplyState", supply),
    ]
}

const LIMIT: Srv = Srv::UpdateDeviceConfigurationLoadLimitingGeneralSettings;

#[tokio::test]
async fn a_load_over_its_limit_opens_the_supply_or_is_only_told_as_was_set() {
    let mut bench = Bench::start().await;
    bench.ask(Esme, LIMIT, &limit("6000", "1", "1", "Disable")).await;
    bring_about(&bench, "ESME: load 6001 W");
    bench.device_alert(0x8F33).await;
    bench.hand(Esme).clear_faults();
    let status = bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await;
    assert_eq!(text(&status, "SupplyState"), "Armed");
    bench.device_alert(0x8F34).await;
    let status = bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await;
    assert_eq!(text(&status, "SupplyState"), "Enabled");
    let read = bench.ask(Esme, Srv::ReadLoadLimitData, &[]).await;
    assert_eq!(text(&read, "LoadLimitCounterValue"), "1");
    assert_eq!(text(&read, "LoadLimitSupplyState"), "Disable");
    bench.ask(Esme, Srv::UpdateDeviceConfigurationLoadLimitingCounterReset, &[]).await;
    assert_eq!(number(&bench, Function::LoadLimitCounter).await, 0);
    bench.ask(Esme, LIMIT, &limit("6000", "0", "0", "Unchanged")).await;
    bring_about(&bench, "ESME: load 6001 W");
    bench.device_alert(0x8F01).await;
    let status = bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await;
    assert_eq!(text(&status, "SupplyState"), "Enabled");
}

#[tokio::test]
async fn a_load_limit_that_is_dated_comes_into_force_at_its_time() {
    let (clock, stepper) = SimClock::stepped(Timestamp::now());
    let mut bench = Bench::start_with(Lab::embedded().expect("the embedded lab"), clock).await;
    let later = (Timestamp::now() + SignedDuration::from_mins(10)).to_string();
    let dated =
        |watts| [&limit(watts, "60", "0", "Disable")[..], &[("ExecutionDateTime", later.as_str())]].concat();
    refused_by_the_meter(&bench, LIMIT, &dated("0")).await;
    bench.ask(Esme, LIMIT, &dated("7000")).await;
    assert_eq!(at_the_meter(&bench, Function::LoadLimit, 4).await, Data::U32(23_000));
    stepper.advance(SignedDuration::from_mins(11));
    bench.device_alert(0x8F66).await;
    assert_eq!(at_the_meter(&bench, Function::LoadLimit, 4).await, Data::U32(7000));
}

#[tokio::test]
async fn a_load_limit_out_of_range_is_refused_whole() {
    let bench = Bench::start().await;
    refused_by_the_meter(&bench, LIMIT, &limit("5000", "60", "86401", "Unchanged")).await;
    let read = bench.ask(Esme, Srv::ReadLoadLimitData, &[]).await;
    assert_eq!(text(&read, "LoadLimitPowerThreshold"), "23000");
    assert_eq!(text(&read, "LoadLimitSupplyState"), "Disable");
}

#[tokio::test]
async fn the_demand_of_a_configured_part_of_the_day_is_kept_shown_and_reset() {
    // Every device lives by a clock that begins in the last minute before four in the afternoon.
    let today = Timestamp::now().as_second().div_euclid(86_400) * 86_400;
    let start = Timestamp::from_second(today + 16 * 3600 - 30).expect("a time");
    let (clock, stepper) = SimClock::stepped(start);
    let bench = Bench::start_with(Lab::embedded().expect("the embedded lab"), clock).await;
    let set = Srv::SetMaximumDemandConfigurableTimePeriod;
    let part = |from, to| [("StartTime", from), ("EndTime", to)];
    bench.ask(Esme, set, &part("16:00:00Z", "16:30:00Z")).await;
    refused_by_the_meter(&bench, set, &part("16:00:00Z", "16:10:00Z")).await;
    let (code, words) = bench.refused(Esme, set, &part("16:00:00+01:00", "16:30:00Z")).await;
    assert!(code == 4002 && words.contains("UTC"), "{code} {words}");
    bring_about(&bench, "ESME: load 2000 W");
    stepper.advance(SignedDuration::from_mins(31));
    bench.hand(Esme).clear_faults();
    bring_about(&bench, "ESME: load 9000 W");
    stepper.advance(SignedDuration::from_mins(30));
    let read = bench.ask(Esme, Srv::ReadMaximumDemandImportRegisters, &[]).await;
    assert_eq!(text(&read, "MaxDemandConfigurableTimeActivePowerImport.Value"), "2000");
    assert_eq!(text(&read, "MaxDemandConfigurableTimePeriod.EndTime"), "16:30:00");
    let any_time: i64 = text(&read, "MaxDemandActiveEnergyImport.Value").parse().expect("watts");
    assert!(any_time > 8800, "{any_time}");
    let reset = Srv::ResetMaximumDemandRegisters;
    bench.ask(Esme, reset, &[("MaxDemandConfigTimeActivePowerImportValue", "true")]).await;
    let read = bench.ask(Esme, Srv::ReadMaximumDemandImportRegisters, &[]).await;
    assert_eq!(text(&read, "MaxDemandConfigurableTimeActivePowerImport.Value"), "0");
    assert_eq!(text(&read, "MaxDemandActiveEnergyImport.Value"), any_time.to_string());
}

#[tokio::test]
async fn tamper_does_to_the_supply_what_was_set() {
    let mut bench = Bench::start().await;
    let srv = Srv::SetElectricitySupplyTamperState;
    let state = async |bench: &Bench| text(&bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await, "SupplyState");
    bring_about(&bench, "ESME: cover-open");
    bench.device_alert(0x8F3F).await;
    assert_eq!(state(&bench).await, "Enabled");
    bench.hand(Esme).clear_faults();
    bench.ask(Esme, srv, &[("SupplyTamperState", "Locked")]).await;
    let identity = bench.ask(Esme, Srv::ReadDeviceConfigurationIdentityExcMPxN, &[]).await;
    assert_eq!(text(&identity, "Electricity.SupplyTamperState"), "Locked");
    bring_about(&bench, "ESME: cover-open");
    bench.device_alert(0x8F3F).await;
    assert_eq!(state(&bench).await, "Disabled");
    bench.hand(Esme).press_keys("AB").expect("keys");
    assert_eq!(state(&bench).await, "Disabled");
    bench.ask(Esme, Srv::EnableSupply, &[]).await;
    assert_eq!(state(&bench).await, "Enabled");
}

const CONFIGURE: Srv = Srv::ConfigureAlertBehaviour;
const BEHAVIOURS: Srv = Srv::ReadDeviceConfigurationEventAndAlertBehaviours;

#[tokio::test]
async fn an_event_is_told_logged_and_shown_in_the_house_as_was_set() {
    let mut bench = Bench::start().await;
    let behaviour = async |bench: &Bench, settings: &str| {
        let read = bench.ask(Esme, BEHAVIOURS, &[]).await;
        text(&read, &format!("ElectricitySupplierAlertEventSettings.{settings}.SupplierESMECommon.x81AB"))
    };
    assert_eq!(behaviour(&bench, "ElectricitySupplierWANAlertSettings").await, "Enable");
    assert_eq!(behaviour(&bench, "ElectricitySupplierHANAlertSettings").await, "Disable");
    // 8161, a person's key, is what a meter logs and does not tell; now it is the other way round, and told in the house.
    bench.ask(Esme, CONFIGURE, &[("ElectricitySupplierAlerts.x8161", "Enable")]).await;
    bench.ask(Esme, CONFIGURE, &[("ElectricitySupplierHANAlertSettings.x8161", "Enable")]).await;
    bench.ask(Esme, CONFIGURE, &[("ElectricitySupplierLoggingSettings.x8161", "Disable")]).await;
    bench.hand(Esme).disable_by_token().expect("a supply");
    bench.device_alert(0x8161).await;
    let shown = bench.hand(Ppmid).state().messages;
    assert_eq!(shown, ["8161 supply disabled by supply UTRN"]);
    assert!(bench.hand(Esme).state().events.iter().all(|event| !event.starts_with("8161")));
    // And told no more: the enabling after it is what is told next.
    bench
        .ask(
            Esme,
            CONFIGURE,
            &[("ElectricitySupplierAlerts.x8161", "Disable"), ("ElectricitySupplierAlerts.x8154", "Enable")],
        )
        .await;
    bench.hand(Esme).disable_by_token().expect("a supply");
    bench.ask(Esme, Srv::EnableSupply, &[]).await;
    let (_, words) = bench.device_alert_of([0x8154, 0x8161]).await;
    assert_eq!(words, "supply enabled");
}

#[tokio::test]
async fn what_a_meter_cannot_tell_or_sound_is_refused() {
    let bench = Bench::start().await;
    // Gas cylinders' codes aside, 81A1 is an event of the list that this meter does not know.
    refused_by_the_meter(&bench, CONFIGURE, &[("ElectricitySupplierAlerts.x81A1", "Enable")]).await;
    bench.ask(Esme, CONFIGURE, &[("ElectricitySupplierAlerts.x81A1", "Disable")]).await;
    let (code, words) =
        bench.refused(Esme, CONFIGURE, &[("ElectricitySupplierAlarmSettings.x810D", "Enable")]).await;
    assert!(code == 4002 && words.contains("alarm"), "{code} {words}");
}

#[tokio::test]
async fn events_of_a_gas_meter_go_where_they_are_sent() {
    let bench = Bench::start().await;
    let to = |han, alarm| {
        [
            ("GasSupplierAlertEventSettings.x810E.WANAlert", "Disable"),
            ("GasSupplierAlertEventSettings.x810E.HANAlert", han),
            ("GasSupplierAlertEventSettings.x810E.EventLog", "Enable"),
            ("GasSupplierAlertEventSettings.x810E.Alarm", alarm),
        ]
    };
    let awake = tokio::time::timeout(Duration::from_secs(60), async {
        let local = bench.links.rig().device(Gsme).expect("a meter").clone();
        // Whoever connects at its local port wakes it.
        bench.links.open(&local, Path::Local, Client::Management).await
    });
    let session = awake.await.expect("in time").expect("a session");
    let (code, words) = bench.refused(Gsme, CONFIGURE, &to("Enable", "Enable")).await;
    assert!(code == 4002 && words.contains("alarm"), "{code} {words}");
    bench.ask(Gsme, CONFIGURE, &to("Enable", "Disable")).await;
    let read = bench.ask(Gsme, BEHAVIOURS, &[]).await;
    let at = |leaf: &str| text(&read, &format!("GasSupplierAlertEventSettings.x810E.{leaf}"));
    let found = ["WANAlert", "HANAlert", "EventLog", "Alarm"].map(at);
    assert_eq!(found, ["Disable", "Enable", "Enable", "Disable"]);
    session.close().await;
}
