//! Meter points, gas settings, what a meter holds for its customer, and which devices talk to one another.

use jiff::{SignedDuration, Timestamp};
use lab_config::DeviceKind::{Chf, Esme, Gpf, Gsme, Ppmid};
use lab_config::{DeviceKind, Path};
use proto_duis::{MmcBody, Srv};

use device_sim::Fuel;

use harness::driver::Client;
use harness::s1sp::IDENTIFICATION_NUMBER;
use proto_dlms::data::{AttributeRef, ClassId, Data};

use crate::bench::{Bench, text};
use crate::within;

/// An attribute as it stands at a meter, read at its own port: the optical one, or the local one, which wakes a gas meter.
async fn at_the_meter(bench: &Bench, kind: DeviceKind, class: u16, obis: &str) -> Data {
    let path = if kind == Esme { Path::Optical } else { Path::Local };
    let meter = bench.links.rig().device(kind).expect("a meter").clone();
    let mut session = bench.links.open(&meter, path, Client::Management).await.expect("a session");
    let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().expect("a name"), attribute: 2 };
    let value = session.get(attribute, None).await.expect("a value");
    session.close().await;
    value
}

fn octets(words: &str) -> Data {
    Data::Octets(words.as_bytes().to_vec())
}

async fn wake(bench: &Bench) {
    at_the_meter(bench, Gsme, 8, "0-0:1.0.0").await;
}

async fn meter_points(bench: &Bench, kind: DeviceKind) -> MmcBody {
    bench.ask(kind, Srv::ReadDeviceConfigurationMPxN, &[]).await
}

#[tokio::test]
async fn meter_points_are_set_and_read_for_both_fuels() {
    let bench = Bench::start().await;
    let set = Srv::SetDeviceConfigurationImportMPxN;
    assert_eq!(text(&meter_points(&bench, Esme).await, "Electricity.ImportMPAN").len(), 13);
    bench.ask(Esme, set, &[("ImportMPAN", "1200023305967")]).await;
    bench.ask(Esme, Srv::SetDeviceConfigurationExportMPAN, &[("ExportMPAN", "1200023305976")]).await;
    let points = meter_points(&bench, Esme).await;
    assert_eq!(text(&points, "Electricity.ImportMPAN"), "1200023305967");
    assert_eq!(text(&points, "Electricity.ExportMPAN"), "1200023305976");
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.1.10").await, octets("1200023305967"));
    let (code, _) = bench.refused(Esme, set, &[("ImportMPAN", "12000X3305967")]).await;
    assert_eq!(code, 1013, "the meter takes digits only");
    let second = [("ImportMPAN", "1200023305967"), ("SecondaryImportMPAN", "1200023305968")];
    let (code, words) = bench.refused(Esme, set, &second).await;
    assert!(code == 4002 && words.contains("secondary"), "{code} {words}");
    let (code, words) = bench.refused(Esme, set, &[("ImportMPRN", "1234567890")]).await;
    assert!(code == 4002 && words.contains("gas"), "{code} {words}");
    wake(&bench).await;
    bench.ask(Gsme, set, &[("ImportMPRN", "1234567890")]).await;
    assert_eq!(text(&meter_points(&bench, Gsme).await, "Gas.MPRN"), "1234567890");
    assert_eq!(text(&meter_points(&bench, Gpf).await, "Gas.MPRN").len(), 10);
}

const FLOW: [(&str, &str); 5] = [
    ("UncontrolledGasFlowRateDecimal", "3.2505"),
    ("SupplyDepletionState", "Unchanged"),
    ("SupplyTamperState", "Locked"),
    ("StabilisationPeriod", "20"),
    ("MeasurementPeriod", "60"),
];

#[tokio::test]
async fn gas_settings_are_put_into_the_meter_all_of_them_or_none() {
    let bench = Bench::start().await;
    wake(&bench).await;
    let conversion = Srv::UpdateDeviceConfigurationGasConversion;
    bench.ask(Gsme, conversion, &[("CalorificValue", "38.9"), ("ConversionFactor", "1.01234")]).await;
    bench.ask(Gsme, Srv::UpdateDeviceConfigurationGasFlow, &FLOW).await;
    let settings = bench.ask(Gsme, Srv::ReadDeviceConfigurationGas, &[]).await;
    for (name, value) in [
        ("CalorificValue", "38.90"),
        ("ConversionFactor", "1.01234"),
        ("UncontrolledGasFlowRate", "3.2505"),
        ("FlowStabilisationPeriod", "20"),
        ("FlowMeasurementPeriod", "60"),
    ] {
        assert_eq!(text(&settings, name), value, "{name}");
    }
    assert_eq!(at_the_meter(&bench, Gsme, 3, "7-0:54.0.0").await, Data::U32(3_890));
    assert_eq!(at_the_meter(&bench, Gsme, 1, "0-0:96.50.22").await, Data::Enum(1));
    let none = [("CalorificValue", "39.5"), ("ConversionFactor", "9.00000")];
    let (code, words) = bench.refused(Gsme, conversion, &none).await;
    assert_eq!(code, 1013, "no gas has such a factor: {words}");
    assert_eq!(at_the_meter(&bench, Gsme, 3, "7-0:54.0.0").await, Data::U32(3_890), "nor is the other set");
    let mut too_much = FLOW;
    too_much[0] = ("UncontrolledGasFlowRate", "10");
    assert_eq!(bench.refused(Gsme, Srv::UpdateDeviceConfigurationGasFlow, &too_much).await.0, 1013);
    let (code, _) = bench.refused(Gpf, Srv::ReadDeviceConfigurationGas, &[]).await;
    assert_eq!(code, 4001, "the proxy does not mirror settings");
}

#[tokio::test]
async fn an_open_pipe_is_closed_by_the_limits_that_were_set() {
    let bench = Bench::start().await;
    wake(&bench).await;
    bench.ask(Gsme, Srv::DisableSupply, &[]).await;
    let mut limits = FLOW;
    limits[0] = ("UncontrolledGasFlowRateDecimal", "0.0500");
    limits[3] = ("StabilisationPeriod", "1");
    bench.ask(Gsme, Srv::UpdateDeviceConfigurationGasFlow, &limits).await;
    bench.hand(Gsme).set_load(Some(60)).expect("a flow");
    bench.ask(Gsme, Srv::ArmSupply, &[]).await;
    assert_eq!(bench.hand(Gsme).press_keys("AB").expect("keys"), device_sim::Pressed::SupplyOn);
    let closed = async {
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(100));
        while bench.hand(Gsme).state().supply != Some(2) {
            pace.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), closed).await.expect("closed, then armed");
}

#[tokio::test]
async fn network_data_of_gas_is_recorded_from_a_command_on() {
    let bench = Bench::start().await;
    wake(&bench).await;
    let first = bench.ask(Gsme, Srv::RecordNetworkDataGAS, &[]).await;
    let second = bench.ask(Gsme, Srv::RecordNetworkDataGAS, &[]).await;
    assert_eq!([text(&first, "SampleID"), text(&second, "SampleID")], ["1", "2"]);
    let [start, _] = within(SignedDuration::from_hours(1));
    let end = (Timestamp::now() + SignedDuration::from_mins(1)).to_string();
    let fields = [(start.0, start.1.as_str()), ("EndDateTime", end.as_str())];
    let log = bench.ask(Gsme, Srv::ReadNetworkData, &fields).await;
    let volume: f64 = text(&log, "Gas.NetworkDataLog.LogEntry.Value").parse().expect("a volume");
    assert!(volume > 0.0, "{volume}");
    assert_eq!(bench.refused(Gpf, Srv::RecordNetworkDataGAS, &[]).await.0, 4001);
}

#[tokio::test]
async fn a_message_is_shown_at_the_meter_and_at_the_display_beside_it() {
    let bench = Bench::start().await;
    let message = |words: &'static str| [("SupplierMessage", words)];
    bench.ask(Esme, Srv::DisplayMessage, &message("Your meter will be visited on Monday")).await;
    assert_eq!(
        at_the_meter(&bench, Esme, 1, "0-0:96.13.1").await,
        octets("Your meter will be visited on Monday")
    );
    bench.ask(Gpf, Srv::DisplayMessage, &message("Gas is safe")).await;
    let shown = bench.hand(Ppmid).state().messages;
    let has = |words: &str| shown.iter().any(|message| message == words);
    assert!(has("Your meter will be visited on Monday") && has("Gas is safe"), "{shown:?}");
    let supplier = [("SupplierName", "Lab Energy"), ("SupplierTelephoneNumber", "02079460000")];
    bench.ask(Esme, Srv::UpdateSupplierName, &supplier).await;
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.50.40").await, octets("Lab Energy"));
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.50.41").await, octets("02079460000"));
}

#[tokio::test]
async fn a_pin_set_at_the_meter_is_taken_away_by_command() {
    let bench = Bench::start().await;
    bench.ask(Esme, Srv::DisplayMessage, &[("SupplierMessage", "Hello")]).await;
    bench.hand(Esme).set_privacy_pin().expect("a meter");
    assert!(bench.hand(Esme).state().messages.is_empty(), "it hides what the display shows");
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.50.43").await, Data::Boolean(true));
    bench.ask(Esme, Srv::DisablePrivacyPIN, &[]).await;
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.50.43").await, Data::Boolean(false));
    assert_eq!(bench.hand(Esme).state().messages, ["Hello"]);
}

#[tokio::test]
async fn a_change_of_tenancy_is_not_one_that_is_to_come() {
    let bench = Bench::start().await;
    let at = |hours: i64| (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();
    bench.ask(Esme, Srv::RestrictAccessForChangeOfTenancy, &[("RestrictionDateTime", &at(-24))]).await;
    bench.ask(Gpf, Srv::RestrictAccessForChangeOfTenancy, &[("RestrictionDateTime", &at(-24))]).await;
    let restricted = at_the_meter(&bench, Esme, 1, "0-0:96.50.42").await;
    assert_ne!(restricted, Data::Octets(vec![0xff; 12]));
    let later = [("RestrictionDateTime", at(24))];
    let later = [(later[0].0, later[0].1.as_str())];
    assert_eq!(bench.refused(Esme, Srv::RestrictAccessForChangeOfTenancy, &later).await.0, 1013);
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.50.42").await, restricted);
}

#[tokio::test]
async fn a_customer_number_is_at_the_meter_and_told_to_who_asked() {
    let mut bench = Bench::start().await;
    bench.ask(Esme, Srv::RequestCustomerIdentificationNumber, &[]).await;
    let alert = bench.s1sp_alert().await;
    assert_eq!(alert.code, IDENTIFICATION_NUMBER);
    let number = alert.information.expect("a number");
    assert!(number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()), "{number}");
    assert_eq!(at_the_meter(&bench, Esme, 1, "0-0:96.50.44").await, octets(&number));
    assert_eq!(bench.hand(Esme).state().messages, [number]);
}

/// The words and code of a refusal to join or unjoin, and what the answer's form says.
async fn not_joined(bench: &Bench, kind: DeviceKind, srv: Srv, other: &str) -> String {
    let response = bench.serve(kind, srv, &[("OtherDeviceID", other)]).await.expect("an answer");
    let proto_duis::Smets1Body::Response(payload) = response.body else { panic!("an answer") };
    assert!(!payload.succeeded() && !payload.debug.is_empty());
    let name = if srv.name().starts_with("Unjoin") { "unjoinResponseCode" } else { "joinResponseCode" };
    text(&payload.data.expect("data"), &format!("{name}.ASN1Status"))
}

#[tokio::test]
async fn meters_join_once_with_devices_they_talk_to_and_unjoin_those_they_know() {
    let bench = Bench::start().await;
    let id = |kind| bench.eui64(kind).to_string();
    let display = id(Ppmid);
    let other = [("OtherDeviceID", display.as_str())];
    let join = Srv::JoinServiceCritical;
    assert_eq!(not_joined(&bench, Esme, join, &display).await, "incompatibleWithExistingEntry");
    assert_eq!(not_joined(&bench, Esme, join, &id(Gsme)).await, "incompatibleWithExistingEntry");
    let stranger = "00-DB-12-34-56-78-90-77";
    assert_eq!(not_joined(&bench, Esme, join, stranger).await, "otherFailure");
    let unjoin = Srv::UnjoinServiceCritical;
    assert_eq!(not_joined(&bench, Esme, unjoin, stranger).await, "otherDeviceNotInDeviceLog");
    bench.ask(Esme, unjoin, &other).await;
    bench.ask(Esme, Srv::DisplayMessage, &[("SupplierMessage", "unheard")]).await;
    assert!(bench.hand(Ppmid).state().messages.is_empty(), "they do not talk any more");
    let log = bench.ask(Esme, Srv::ReadDeviceLog, &[]).await;
    assert_eq!(text(&log, "DeviceLogEntries.LogEntry.count"), "0");
    bench.ask(Esme, join, &other).await;
    bench.ask(Esme, Srv::DisplayMessage, &[("SupplierMessage", "heard")]).await;
    assert_eq!(bench.hand(Ppmid).state().messages, ["heard"]);
    let log = bench.ask(Esme, Srv::ReadDeviceLog, &[]).await;
    assert_eq!(text(&log, "DeviceLogEntries.LogEntry[0].DeviceID"), display);
}

#[tokio::test]
async fn a_display_joins_and_unjoins_by_its_bindings() {
    let bench = Bench::start().await;
    let meter = bench.eui64(Esme).to_string();
    let other = [("OtherDeviceID", meter.as_str())];
    bench.ask(Ppmid, Srv::UnjoinServiceNonCritical, &other).await;
    let unjoin = Srv::UnjoinServiceNonCritical;
    assert_eq!(not_joined(&bench, Ppmid, unjoin, &meter).await, "otherDeviceNotInDeviceLog");
    let balance = || bench.hand(Ppmid).shown_at_display(Fuel::Electricity).expect("a display").balance_pence;
    let before = balance();
    bench.hand(Esme).set_balance(1_234).expect("an account");
    bench.ask(Esme, Srv::DisplayMessage, &[("SupplierMessage", "unheard")]).await;
    assert_eq!(balance(), before);
    assert!(bench.hand(Ppmid).state().messages.is_empty());
    bench.ask(Ppmid, Srv::JoinServiceNonCritical, &other).await;
    bench.ask(Esme, Srv::DisplayMessage, &[("SupplierMessage", "heard")]).await;
    assert_eq!(bench.hand(Ppmid).state().messages, ["heard"]);
}

#[tokio::test]
async fn a_device_is_taken_off_the_hubs_list_and_let_in_again() {
    let mut bench = Bench::start().await;
    let display = bench.eui64(Ppmid).to_string();
    let update = Srv::UpdateHANDeviceLog;
    let add = |code: &'static str, device: &str| {
        [
            ("DeviceID", device.to_owned()),
            ("RequestType", "Add".to_owned()),
            ("JoinTimePeriod", "60".to_owned()),
            ("InstallCode", code.to_owned()),
        ]
    };
    fn fields<'a>(of: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
        of.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
    let right = add("00112233445566778899AABBCCDDEEFF", &display);
    assert_eq!(bench.refused(Chf, update, &fields(&right)).await.0, 2013, "it has joined");
    let remove = [("DeviceID", display.as_str()), ("RequestType", "Remove")];
    bench.ask(Chf, update, &remove).await;
    bench.device_alert(0x8f4b).await;
    assert_eq!(bench.refused(Chf, update, &remove).await.0, 2011, "it is not on the list");
    let log = bench.ask(Chf, Srv::ReadDeviceLog, &[]).await;
    assert_eq!(text(&log, "CHFDeviceLog.CHFDeviceLogEntry.count"), "3");
    let short = add("00112233445566", &display);
    assert_eq!(bench.refused(Chf, update, &fields(&short)).await.0, 2250, "no install code has 7 octets");
    let stranger = add("00112233445566778899AABBCCDDEEFF", "00-DB-12-34-56-78-90-77");
    let (code, words) = bench.refused(Chf, update, &fields(&stranger)).await;
    assert!(code == 4002 && words.contains("installation"), "{code} {words}");
    bench.ask(Chf, update, &fields(&right)).await;
    bench.device_alert(0x8f49).await;
    let log = bench.ask(Chf, Srv::ReadDeviceLog, &[]).await;
    assert_eq!(text(&log, "CHFDeviceLog.CHFDeviceLogEntry.count"), "4");
}

#[tokio::test]
async fn logs_are_restored_as_they_were_last_read() {
    let bench = Bench::start().await;
    let (hub, proxy, display) =
        (bench.eui64(Chf).to_string(), bench.eui64(Gpf).to_string(), bench.eui64(Ppmid).to_string());
    let (code, words) = bench.refused(Chf, Srv::RestoreHANDeviceLog, &[("OldCHFID", &hub)]).await;
    assert!(code == 4002 && words.contains("holds no device log"), "{code} {words}");
    bench.ask(Chf, Srv::ReadDeviceLog, &[]).await;
    bench.ask(Chf, Srv::UpdateHANDeviceLog, &[("DeviceID", &display), ("RequestType", "Remove")]).await;
    bench.ask(Chf, Srv::RestoreHANDeviceLog, &[("OldCHFID", &hub)]).await;
    let log = bench.ask(Chf, Srv::ReadDeviceLog, &[]).await;
    assert_eq!(text(&log, "CHFDeviceLog.CHFDeviceLogEntry.count"), "4", "the display has joined again");
    bench.ask(Gpf, Srv::ReadDeviceLog, &[]).await;
    bench.ask(Gpf, Srv::UnjoinServiceNonCritical, &[("OtherDeviceID", &display)]).await;
    let restored = bench.ask(Gpf, Srv::RestoreGPFDeviceLog, &[("OldGPFID", &proxy)]).await;
    let outcome =
        |n: usize| text(&restored, &format!("RestoreDeviceLogOutcome[{n}].joinResponseCode.ASN1Status"));
    let mut outcomes = [outcome(0), outcome(1)];
    outcomes.sort();
    assert_eq!(
        outcomes,
        ["incompatibleWithExistingEntry", "success"],
        "of the gas meter, and of the display"
    );
}

#[tokio::test]
async fn a_device_is_commissioned_with_its_clock_right() {
    let bench = Bench::start().await;
    bench.hand(Esme).jump_clock(-90_000).expect("a clock");
    let now = Timestamp::now();
    let fields = [("CurrentDateTime", now.to_string()), ("TolerancePeriod", "10".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let set = bench.ask(Esme, Srv::CommissionDeviceSynchroniseClock, &fields).await;
    let time: Timestamp = text(&set, "DeviceTime").parse().expect("a time");
    assert!(time.duration_since(now).abs() < SignedDuration::from_secs(5), "{time}");
}
