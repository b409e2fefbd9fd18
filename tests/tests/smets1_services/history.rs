//! What a meter writes down by itself, read as a user reads it.

use jiff::{SignedDuration, Timestamp};
use lab_config::DeviceKind::{Esme, Gpf, Gsme};
use proto_duis::{MmcBody, Srv};

use super::bench::{Bench, text};
use super::token;

/// From so many hours ago until a minute from now: an entry has the second in which it was written, which the period reaches.
fn since(hours: i64) -> Vec<(&'static str, String)> {
    let now = Timestamp::now();
    let (start, end) = (now - SignedDuration::from_hours(hours), now + SignedDuration::from_mins(1));
    vec![("StartDateTime", start.to_string()), ("EndDateTime", end.to_string())]
}

async fn read(bench: &Bench, kind: lab_config::DeviceKind, srv: Srv, hours: i64) -> MmcBody {
    let fields = since(hours);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    bench.ask(kind, srv, &fields).await
}

fn number(body: &MmcBody, path: &str) -> f64 {
    text(body, path).parse().expect("a number")
}

#[tokio::test]
async fn profiles_and_voltage_have_their_entries_and_units() {
    let bench = Bench::start().await;
    let reactive = read(&bench, Esme, Srv::ReadReactiveImportProfileData, 6).await;
    assert!((11.0..=13.0).contains(&number(&reactive, "LogEntry.count")));
    text(&reactive, "LogEntry[0].ReactiveEnergyImportedValue");
    let export = read(&bench, Esme, Srv::ReadExportProfileData, 6).await;
    assert!((11.0..=13.0).contains(&number(&export, "LogEntry.count")));
    text(&export, "LogEntry[0].ActiveEnergyExportedValue");
    text(&export, "LogEntry[0].ReactiveEnergyExportedValue");
    let voltage = read(&bench, Esme, Srv::ReadNetworkData, 3).await;
    let log = "Electricity.SinglePhaseESME.AvgRMSVoltageProfileDataLog";
    let volts = number(&voltage, &format!("{log}.LogEntry[0].Value"));
    assert!((200.0..260.0).contains(&volts), "{volts}");
    assert!(number(&voltage, &format!("{log}.MeasurementPeriod")) >= 60.0);
}

#[tokio::test]
async fn days_agree_with_their_readings_for_both_fuels() {
    let bench = Bench::start().await;
    for (kind, fuel, import) in [
        (Esme, "Electricity", "ElecActiveImportRegisterConsumption"),
        (Gpf, "Gas", "GasActiveImportRegisterConsumption"),
        (Gsme, "Gas", "GasActiveImportRegisterConsumption"),
    ] {
        let reads = read(&bench, kind, Srv::RetrieveImportDailyReadLog, 96).await;
        let at = |n: usize| number(&reads, &format!("LogEntry[{n}].{fuel}.{import}"));
        let days = read(&bench, kind, Srv::RetrieveDailyConsumptionLog, 96).await;
        let second = text(&reads, "LogEntry[1].Timestamp");
        let entries = number(&days, &format!("{fuel}.LogEntry.count")) as usize;
        let of_second = (0..entries)
            .find(|n| text(&days, &format!("{fuel}.LogEntry[{n}].Timestamp")) == second)
            .expect("the day that ends with the second reading");
        let used = number(&days, &format!("{fuel}.LogEntry[{of_second}].Value"));
        assert!((at(1) - at(0) - used).abs() < 1e-6, "{kind}: {} {} {used}", at(0), at(1));
    }
    let export = read(&bench, Esme, Srv::RetrieveExportDailyReadLog, 96).await;
    assert!(number(&export, "LogEntry.count") >= 3.0);
}

#[tokio::test]
async fn registers_limits_and_demand_are_read() {
    let bench = Bench::start().await;
    let tiers = bench.ask(Esme, Srv::ReadInstantaneousImportTOUMatrices, &[]).await;
    let tou = "Electricity.TariffTOURegisterCollection.TOUPrimaryRegisterValue";
    assert_eq!(text(&tiers, &format!("{tou}.count")), "48");
    let export = bench.ask(Esme, Srv::ReadInstantaneousExportRegisters, &[]).await;
    assert_eq!(text(&export, "ActiveExportRegister.ActiveEnergyUnit"), "Wh");
    let demand = bench.ask(Esme, Srv::ReadMaximumDemandImportRegisters, &[]).await;
    text(&demand, "MaxDemandActiveEnergyImport.Value");
    bench.ask(Esme, Srv::ReadMaximumDemandExportRegisters, &[]).await;
    let limit = bench.ask(Esme, Srv::ReadLoadLimitData, &[]).await;
    assert!(number(&limit, "LoadLimitPowerThreshold") > 0.0);
}

#[tokio::test]
async fn top_ups_and_billing_periods_are_in_their_logs() {
    let bench = Bench::start().await;
    let mode =
        [("SuspendDebtDisabled", "false"), ("SuspendDebtEmergency", "false"), ("DisablementThreshold", "0")];
    bench.ask(Esme, Srv::UpdatePaymentMode, &mode).await;
    bench.ask(Esme, Srv::TopUpDevice, &[("UTRN", &token(&bench, 1, 700))]).await;
    let credits = read(&bench, Esme, Srv::RetrieveBillingDataLogPrepaymentCredits, 1).await;
    assert_eq!(text(&credits, "PrepaymentCredits.LogEntry.Amount"), "700000");
    let payments = read(&bench, Esme, Srv::RetrieveBillingDataLogDebtPayments, 1).await;
    assert_eq!(text(&payments, "PaymentBasedDebtRepayment.LogEntry.count"), "0");
    let billing = read(&bench, Esme, Srv::RetrieveBillingCalendarTriggeredBillingDataLog, 24 * 90).await;
    assert!(number(&billing, "Electricity.ESMEBillingDataLogEntry.count") >= 1.0);
    text(&billing, "Electricity.ESMEBillingPrepaymentDataLogEntry[0].MeterBalance");
}

#[tokio::test]
async fn what_stood_when_the_payment_mode_changed_is_told_by_either_meter() {
    let bench = Bench::start().await;
    let mode =
        [("SuspendDebtDisabled", "false"), ("SuspendDebtEmergency", "false"), ("DisablementThreshold", "0")];
    for (kind, entry) in [
        (Esme, "Electricity.LogEntryConsumptionAndTariffRegistersData"),
        (Gsme, "Gas.LogEntryConsumptionRegister"),
    ] {
        bench.ask(kind, Srv::UpdatePaymentMode, &mode).await;
        bench.ask(kind, Srv::UpdatePaymentMode, &[("Credit", "true")]).await;
        let log = read(&bench, kind, Srv::RetrieveCoMOrTariffTriggeredBillingDataLog, 1).await;
        assert_eq!(number(&log, &format!("{entry}.count")), 2.0, "{kind}");
    }
}

#[tokio::test]
async fn a_gas_meter_has_the_billing_periods_of_its_past() {
    let bench = Bench::start().await;
    let billing = read(&bench, Gsme, Srv::RetrieveBillingCalendarTriggeredBillingDataLog, 24 * 90).await;
    assert!(number(&billing, "Gas.GSMEBillingDataLogEntry.count") >= 1.0);
}

#[tokio::test]
async fn what_the_meter_keeps_in_no_log_is_refused_in_words() {
    let bench = Bench::start().await;
    let fields = since(24);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let log = Srv::RetrieveBillingCalendarTriggeredBillingDataLog;
    let (code, words) = bench.refused(Gpf, log, &fields).await;
    assert!(code == 4001 && words.contains("billing-log"), "{code} {words}");
}
