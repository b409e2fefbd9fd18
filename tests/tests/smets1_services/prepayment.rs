//! Balances, emergency credit, debts and logs, changed by the S1SP.

use harness::driver::Client;
use jiff::SignedDuration;
use lab_config::DeviceKind::Esme;
use lab_config::Path;
use proto_dlms::data::{AttributeRef, ClassId, Obis};
use proto_duis::{MmcBody, Srv};

use crate::bench::{Bench, text};
use crate::within;

const PREPAYMENT: [(&str, &str); 3] =
    [("SuspendDebtDisabled", "false"), ("SuspendDebtEmergency", "false"), ("DisablementThreshold", "0")];

#[tokio::test]
async fn a_balance_is_changed_in_the_mode_the_meter_is_in() {
    let bench = Bench::start().await;
    let mode = async |bench: &Bench| {
        text(&bench.ask(Esme, Srv::ReadDeviceConfigurationPaymentMode, &[]).await, "PaymentMode")
    };
    assert_eq!(mode(&bench).await, "Credit");
    let credit = [("PrepaymentMode.AdjustMeterBalance", "1")];
    let (code, words) = bench.refused(Esme, Srv::UpdateMeterBalance, &credit).await;
    assert!(code == 4002 && words.contains("credit mode"), "{code} {words}");
    bench.ask(Esme, Srv::UpdatePaymentMode, &PREPAYMENT).await;
    assert_eq!(mode(&bench).await, "Prepayment");
    let balance = async |bench: &Bench| {
        text(&bench.ask(Esme, Srv::ReadMeterBalance, &[]).await, "MeterBalance")
            .parse::<i64>()
            .expect("an amount")
    };
    let before = balance(&bench).await;
    bench.ask(Esme, Srv::UpdateMeterBalance, &[("PrepaymentMode.AdjustMeterBalance", "300000")]).await;
    let after = balance(&bench).await;
    assert!((after - before - 300_000).abs() < 1_000, "{before} {after}");
    bench.ask(Esme, Srv::UpdateMeterBalance, &[("PrepaymentMode.ResetMeterBalance", "true")]).await;
    assert!(balance(&bench).await.abs() < 1_000);
}

#[tokio::test]
async fn emergency_credit_is_taken_once_and_only_where_it_is_on_offer() {
    let bench = Bench::start().await;
    let (code, _) = bench.refused(Esme, Srv::ActivateEmergencyCredit, &[]).await;
    assert!((2000..3000).contains(&code), "{code}");
    bench.ask(Esme, Srv::UpdatePaymentMode, &PREPAYMENT).await;
    bench.ask(Esme, Srv::UpdateMeterBalance, &[("PrepaymentMode.ResetMeterBalance", "true")]).await;
    bench.ask(Esme, Srv::ActivateEmergencyCredit, &[]).await;
    bench.refused(Esme, Srv::ActivateEmergencyCredit, &[]).await;
}

async fn log(bench: &Bench, log: &str) -> MmcBody {
    let [start, end] = within(SignedDuration::from_hours(1));
    let fields = [(start.0, start.1.as_str()), (end.0, end.1.as_str()), ("LogToRead", log)];
    bench.ask(Esme, Srv::ReadEventOrSecurityLog, &fields).await
}

#[tokio::test]
async fn an_event_log_is_cleared_and_the_security_log_says_so() {
    let bench = Bench::start().await;
    bench.ask(Esme, Srv::DisableSupply, &[]).await;
    bench.ask(Esme, Srv::EnableSupply, &[]).await;
    bench.ask(Esme, Srv::ClearEventLog, &[("ESMEEventLogType", "ESME")]).await;
    assert_eq!(text(&log(&bench, "Event").await, "Log.LogEntry.count"), "0");
    let security = log(&bench, "Security").await;
    assert!(format!("{security:?}").contains("8F52"), "{security:?}");
    let (code, words) = bench.refused(Esme, Srv::ClearEventLog, &[("ESMEEventLogType", "ALCS")]).await;
    assert!(code == 4002 && words.contains("ALCS"), "{code} {words}");
}

/// The first debt collected over time, in thousandths of a penny, read at the optical port.
async fn owed(bench: &Bench) -> i128 {
    let debt = AttributeRef { class: ClassId(113), obis: Obis([0, 0, 19, 20, 1, 255]), attribute: 12 };
    let meter = bench.links.rig().device(Esme).expect("a meter").clone();
    let mut session = bench.links.open(&meter, Path::Optical, Client::Management).await.expect("a session");
    let owed = session.get(debt, None).await.expect("a value").as_i128();
    session.close().await;
    owed.expect("an amount")
}

#[tokio::test]
async fn debts_change_with_their_rates_or_not_at_all() {
    let bench = Bench::start().await;
    let debt = |scale, second| {
        [
            ("TimeDebtRegister1", "1000000"),
            ("TimeDebtRegister2", second),
            ("PaymentDebtRegister", "500000"),
            ("DebtRecoveryPerPayment", "2500"),
            ("ElecDebtRecovery1.DebtRecoveryRate", "5"),
            ("ElecDebtRecovery1.DebtRecoveryRatePriceScale", scale),
            ("ElecDebtRecovery1.DebtRecoveryRatePeriod", "DAILY"),
            ("ElecDebtRecovery2.DebtRecoveryRate", "0"),
            ("ElecDebtRecovery2.DebtRecoveryRatePriceScale", "-2"),
            ("ElecDebtRecovery2.DebtRecoveryRatePeriod", "HOURLY"),
        ]
    };
    let (code, words) = bench.refused(Esme, Srv::UpdateDebt, &debt("-9", "0")).await;
    assert!(code == 4002 && words.contains("exactly"), "{code} {words}");
    let before = owed(&bench).await;
    bench.ask(Esme, Srv::UpdateDebt, &debt("-2", "0")).await;
    assert_eq!(owed(&bench).await, before + 1_000_000);
    let (code, _) = bench.refused(Esme, Srv::UpdateDebt, &debt("-2", "-2000000000")).await;
    assert!((2000..3000).contains(&code), "less than nothing owed: {code}");
}

#[tokio::test]
async fn what_only_the_dcc_answers_is_refused_by_name() {
    let bench = Bench::start().await;
    let device = bench.eui64(Esme).to_string();
    let (code, words) = bench.refused(Esme, Srv::ReadInventory, &[("DeviceID", &device)]).await;
    assert!(code == 4004 && words.contains("8.2 Read Inventory"), "{code} {words}");
}
