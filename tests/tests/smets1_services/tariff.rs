//! Whole tariffs, blocks, the configuration of prepayment, the account's daily log and billing calendars, changed and read by
//! the S1SP.

use harness::driver::Client;
use jiff::{SignedDuration, Timestamp};
use lab_config::DeviceKind::{self, Esme, Gsme};
use lab_config::Path;
use proto_dlms::data::{AttributeRef, ClassId, Data, Obis};
use proto_duis::{MmcBody, Srv};

use crate::bench::{Bench, text};
use crate::within;

/// An attribute read at the meter itself, by its optical or local port.
async fn seen(bench: &Bench, kind: DeviceKind, class: u16, obis: [u8; 6], attribute: i8) -> Data {
    let attribute = AttributeRef { class: ClassId(class), obis: Obis(obis), attribute };
    let meter = bench.links.rig().device(kind).expect("a meter").clone();
    let path = if kind == Esme { Path::Optical } else { Path::Local };
    let mut session = bench.links.open(&meter, path, Client::Management).await.expect("a session");
    let value = session.get(attribute, None).await.expect("a value");
    session.close().await;
    value
}

/// The fields of a request, with others in their place or beside them.
#[derive(Clone)]
struct Fields(std::collections::BTreeMap<String, String>);

impl Fields {
    fn of(fields: &[(&str, &str)]) -> Fields {
        Fields(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn with(mut self, name: &str, value: &str) -> Fields {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// Every day by set 1 of blocks, which end at 10 and 30 Wh.
fn by_block() -> Fields {
    let mut fields = Fields::of(&[
        ("CurrencyUnits", "GBP"),
        ("DayProfile[1].DayName", "1"),
        ("DayProfile[1].ProfileSchedule[1].StartTime", "00:00:00Z"),
        ("DayProfile[1].ProfileSchedule[1].BlockTariffAction", "1"),
        ("WeekProfile[1].WeekName", "1"),
        ("Season[1].SeasonName", "all"),
        ("Season[1].SeasonStartDate", "*-*-*"),
        ("Season[1].ReferencedWeekName", "1"),
        ("StandingCharge", "275"),
        ("StandingChargeScale", "-3"),
        ("PriceScale", "-4"),
        ("BlockPrices[1].BlockPrice[1]", "1000"),
        ("BlockPrices[1].BlockPrice[2]", "2000"),
        ("BlockPrices[1].BlockPrice[3]", "3000"),
        ("Thresholds[1].BlockThreshold[1]", "10"),
        ("Thresholds[1].BlockThreshold[2]", "30"),
    ]);
    for day in 1..=7 {
        fields = fields.with(&format!("WeekProfile[1].ReferencedDayName[{day}]"), "1");
    }
    for set in 2..=8 {
        fields = fields.with(&format!("Thresholds[{set}].BlockThreshold[1]"), "4294967295");
    }
    fields
}

const UPDATE: Srv = Srv::UpdateImportTariffPrimaryElement;

fn counter(matrices: &MmcBody, block: usize) -> u64 {
    let path = format!("TariffBlockTOURegisterCollection.TariffBlock[{block}].CounterMatrixTOUValue[0]");
    text(matrices, &path).parse().expect("watt hours")
}

#[tokio::test]
async fn a_tariff_by_block_is_counted_priced_read_back_and_counted_anew() {
    let bench = Bench::start().await;
    bench.ask(Esme, UPDATE, &by_block().pairs()).await;
    let tariff = bench.ask(Esme, Srv::ReadTariffPrimaryElement, &[]).await;
    let electricity = |path: &str| text(&tariff, &format!("Electricity.{path}"));
    assert_eq!(electricity("StandingCharge"), "2750");
    assert_eq!(electricity("TariffBlockPriceMatrix.TariffBlockPrices[0].BlockPrice[2]"), "3000");
    assert_eq!(electricity("TariffThresholdMatrix.ElecTariffThresholds[0].BlockThreshold[1]"), "30");
    assert_eq!(
        electricity("TariffSwitchingTable.DayProfiles.DayProfile.ProfileSchedule.BlockTariffAction"),
        "1"
    );
    let paid = bench.hand(Esme).state().balance_millipence.expect("an account");
    bench.hand(Esme).set_load(Some(200_000)).expect("a load");
    let matrices = loop {
        let matrices = bench.ask(Esme, Srv::ReadInstantaneousImportTOUWithBlocksMatrices, &[]).await;
        if counter(&matrices, 2) > 5 {
            break matrices;
        }
    };
    bench.hand(Esme).set_load(Some(0)).expect("no load");
    assert_eq!((counter(&matrices, 0), counter(&matrices, 1)), (10, 20));
    let first = seen(&bench, Esme, 3, [1, 0, 1, 9, 129, 255], 2).await;
    assert_eq!(first.as_i128(), Some(10));
    assert!(bench.hand(Esme).state().balance_millipence.is_some_and(|left| left <= paid));
    bench.ask(Esme, Srv::ResetTariffBlockCounterMatrix, &[]).await;
    let matrices = bench.ask(Esme, Srv::ReadInstantaneousImportTOUWithBlocksMatrices, &[]).await;
    assert_eq!([0, 1, 2, 3].map(|block| counter(&matrices, block)), [0; 4]);
    let register = "TariffBlockTOURegisterCollection.TariffBlock[0].RegisterMatrixTOUValue[0]";
    assert_eq!(text(&matrices, register), "10");
    let daily = Srv::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix;
    bench.ask(Esme, daily, &[("DailyTariffBlockCounterMatrixReset", "true")]).await;
    assert_eq!(seen(&bench, Esme, 1, [0, 0, 96, 51, 1, 255], 2).await, Data::Boolean(true));
}

#[tokio::test]
async fn a_tariff_that_does_not_fit_together_is_refused_whole() {
    let bench = Bench::start().await;
    let price = [0, 0, 19, 20, 4, 255];
    let before = seen(&bench, Esme, 113, price, 5).await;
    let refusals = [
        // By the meter: a week with a day it has not, a special day likewise, a set of blocks whose ends fall, a day that
        // does not begin at midnight.
        (by_block().with("WeekProfile[1].ReferencedDayName[7]", "2"), 2000..3000),
        (
            by_block().with("SpecialDay[1].Date", "*-12-25").with("SpecialDay[1].ReferencedDayName", "5"),
            2000..3000,
        ),
        (by_block().with("Thresholds[1].BlockThreshold[2]", "5"), 1000..2000),
        (by_block().with("DayProfile[1].ProfileSchedule[1].StartTime", "00:30:00Z"), 1000..2000),
        // By the S1SP: what no calendar of a meter says.
        (by_block().with("DayProfile[1].ProfileSchedule[1].StartTime", "00:00:30Z"), 4002..4003),
        (by_block().with("Season[1].SeasonStartDate", "*-*-* Monday"), 4002..4003),
        (by_block().with("CurrencyUnits", "ECB"), 4002..4003),
        (by_block().with("PriceScale", "-9"), 4002..4003),
    ];
    for (fields, codes) in refusals {
        let (code, words) = bench.refused(Esme, UPDATE, &fields.pairs()).await;
        assert!(codes.contains(&code), "{code} {words}");
    }
    assert_eq!(seen(&bench, Esme, 113, price, 5).await, before);
    assert_eq!(seen(&bench, Esme, 6, [0, 0, 14, 0, 0, 255], 4).await.as_octets().map(<[u8]>::len), Some(1));
}

#[tokio::test]
async fn the_meter_does_by_itself_later_what_is_dated() {
    let mut bench = Bench::start().await;
    let at = Timestamp::now() + SignedDuration::from_millis(1_500);
    let dated = by_block().with("ExecutionDateTime", &at.to_string());
    bench.ask(Esme, UPDATE, &dated.pairs()).await;
    let standing = async |bench: &Bench| {
        let tariff = bench.ask(Esme, Srv::ReadTariffPrimaryElement, &[]).await;
        text(&tariff, "Electricity.StandingCharge")
    };
    assert_eq!(standing(&bench).await, "5340");
    bench.device_alert(0x8f66).await;
    assert_eq!(standing(&bench).await, "2750");
    let at = (Timestamp::now() + SignedDuration::from_millis(500)).to_string();
    let mode = [
        ("ExecutionDateTime", at.as_str()),
        ("SuspendDebtDisabled", "true"),
        ("SuspendDebtEmergency", "false"),
        ("DisablementThreshold", "-5000"),
    ];
    bench.ask(Esme, Srv::UpdatePaymentMode, &mode).await;
    bench.device_alert(0x8f66).await;
    let mode = bench.ask(Esme, Srv::ReadDeviceConfigurationPaymentMode, &[]).await;
    assert_eq!(text(&mode, "PaymentMode"), "Prepayment");
    assert_eq!(
        (text(&mode, "SuspendDebtDisabled"), text(&mode, "SuspendDebtEmergency")),
        ("true".into(), "false".into())
    );
    let daily = Srv::UpdateDeviceConfigurationBillingCalendar;
    let (code, words) = bench.refused(Gsme, daily, &[("BillingTime", "00:00:00Z"), ("Daily", "true")]).await;
    assert!(code == 4002 && words.contains("other fuel"), "{code} {words}");
}

fn configuration() -> Fields {
    let fields = Fields::of(&[
        ("DebtRecoveryRateCap", "5000"),
        ("EmergencyCreditLimit", "700000"),
        ("EmergencyCreditThreshold", "50000"),
        ("LowCreditThreshold", "150000"),
        ("MaxMeterBalance", "20000000"),
        ("MaxCreditThreshold", "9000000"),
    ]);
    [(1, "START", "Friday", "16:00:00Z"), (2, "STOP", "Monday", "10:00:00Z")].into_iter().fold(
        fields,
        |fields, (line, script, day, time)| {
            let at = |name: &str| format!("ElectricityNonDisablementSchedule[{line}].{name}");
            fields
                .with(&at("NonDisablementScript"), script)
                .with(&at("DayOfWeekApplicability[1].DayOfWeekID"), day)
                .with(&at("SwitchTime"), time)
                .with(&at("StartDate"), "2026-01-01")
                .with(&at("EndDate"), "2029-12-31")
        },
    )
}

#[tokio::test]
async fn the_configuration_of_prepayment_is_put_in_force_and_read_back() {
    let bench = Bench::start().await;
    bench.ask(Esme, Srv::UpdatePrepayConfiguration, &configuration().pairs()).await;
    let read = bench.ask(Esme, Srv::ReadPrepaymentConfiguration, &[]).await;
    for (name, value) in [
        ("DebtRecoveryRateCap", "5000"),
        ("EmergencyCreditLimit", "700000"),
        ("EmergencyCreditThreshold", "50000"),
        ("LowCreditThreshold", "150000"),
        ("MaxCreditMaxMeterBalance", "20000000"),
        ("CreditMaxCreditThreshold", "9000000"),
        ("DisablementThreshold", "0"),
    ] {
        assert_eq!(text(&read, name), value, "{name}");
    }
    let calendar = "Electricity.NonDisablementCalendar.ElectricityNonDisablementSchedule";
    assert_eq!(text(&read, &format!("{calendar}.count")), "2");
    let lines = [0, 1].map(|line| {
        ["DaysOfWeekApplicability.DayOfWeekApplicability.DayOfWeekID", "NonDisablementScript"]
            .map(|name| text(&read, &format!("{calendar}[{line}].{name}")))
    });
    assert_eq!(lines, [["Monday", "STOP"], ["Friday", "START"]]);
    let end = text(&read, &format!("{calendar}[0].ScheduleDatesAndTime.EndDate"));
    assert_eq!(end, "2029-12-31");
    for (name, value, codes) in [
        ("EmergencyCreditLimit", "-1", 1000..2000),
        ("LowCreditThreshold", "20000001", 1000..2000),
        ("ElectricityNonDisablementSchedule[2].EndDate", "2030-01-01", 4002..4003),
        ("ElectricityNonDisablementSchedule[1].SwitchTime", "16:00:01Z", 4002..4003),
    ] {
        let fields = configuration().with(name, value);
        let (code, words) = bench.refused(Esme, Srv::UpdatePrepayConfiguration, &fields.pairs()).await;
        assert!(codes.contains(&code), "{name}: {code} {words}");
    }
    assert_eq!(
        seen(&bench, Esme, 1, [0, 0, 96, 51, 2, 255], 2).await.elements().map(|limits| limits[1].clone()),
        Some(Data::I32(700_000))
    );
}

#[tokio::test]
async fn the_account_of_each_day_is_read_by_range() {
    let bench = Bench::start().await;
    let days = async |hours| {
        let [start, end] = within(SignedDuration::from_hours(hours));
        let fields = [(start.0, start.1.as_str()), (end.0, end.1.as_str())];
        bench.ask(Esme, Srv::ReadPrepaymentDailyReadLog, &fields).await
    };
    assert_eq!(text(&days(48).await, "Electricity.LogEntry.count"), "2");
    let log = days(24 * 40).await;
    assert_eq!(text(&log, "Electricity.LogEntry.count"), "31");
    for name in ["MeterBalance", "EmergencyCreditBalance", "PaymentDebtRegister", "TimeDebtRegisters1"] {
        let _: i64 = text(&log, &format!("Electricity.LogEntry[30].{name}")).parse().expect("an amount");
    }
}

#[tokio::test]
async fn billing_calendars_of_both_fuels_are_read_as_they_were_written() {
    let bench = Bench::start().await;
    let (write, read) =
        (Srv::UpdateDeviceConfigurationBillingCalendar, Srv::ReadDeviceConfigurationBillingCalendar);
    let calendar = "BillingCalendar.ElectricityBillingCalendar";
    for (fields, path, value) in [
        ([("BillingTime", "00:00:00Z"), ("Daily", "true")].as_slice(), "BillingTime", "00:00:00Z"),
        (&[("BillingTime", "06:30:00Z"), ("Weekly", "3")], "Weekly", "3"),
        (
            &[
                ("BillingTime", "23:59:00Z"),
                ("SixMonthly.DayOfMonth", "28"),
                ("SixMonthly.BillingPeriodStartMonth", "11"),
            ],
            "SixMonthly.BillingPeriodStartMonth",
            "11",
        ),
    ] {
        bench.ask(Esme, write, fields).await;
        assert_eq!(text(&bench.ask(Esme, read, &[]).await, &format!("{calendar}.{path}")), value);
    }
    // Woken at its local port, the gas meter hears what is for it.
    seen(&bench, Gsme, 3, [7, 0, 3, 0, 0, 255], 2).await;
    let gas = |start, periodicity| [("BillingPeriodStart", start), ("Periodicity", periodicity)];
    bench.ask(Gsme, write, &gas("2026-01-15T06:00:00Z", "Quarterly")).await;
    let answer = bench.ask(Gsme, read, &[]).await;
    let shown = |name: &str| text(&answer, &format!("BillingCalendar.GasBillingCalendar.{name}"));
    assert_eq!(shown("Periodicity"), "Quarterly");
    assert_eq!(shown("BillingPeriodStart"), "2026-01-15T06:00:00Z");
    let (code, _) = bench.refused(Gsme, write, &gas("2026-01-31T00:00:00Z", "Monthly")).await;
    assert!((1000..2000).contains(&code), "a day that not every month has: {code}");
}

fn gas_tariff() -> Fields {
    let mut fields = Fields::of(&[
        ("CurrencyUnits", "GBP"),
        ("DayProfile[1].DayName", "1"),
        ("DayProfile[1].BlockTariff", "true"),
        ("WeekProfile[1].WeekName", "1"),
        ("Season[1].SeasonStartDate", "*-01-01"),
        ("Season[1].ReferencedWeekName", "1"),
        ("StandingCharge", "3000"),
        ("BlockPrice[1]", "500"),
        ("BlockPrice[2]", "700"),
        ("NumberOfThresholds", "1"),
        ("BlockThreshold[1]", "20"),
    ]);
    for day in 1..=7 {
        fields = fields.with(&format!("WeekProfile[1].ReferencedDayName[{day}]"), "1");
    }
    fields
}

#[tokio::test]
async fn a_gas_meter_counts_by_block_what_it_was_told_to() {
    let bench = Bench::start().await;
    seen(&bench, Gsme, 3, [7, 0, 3, 0, 0, 255], 2).await;
    bench.ask(Gsme, UPDATE, &gas_tariff().pairs()).await;
    let wrong = gas_tariff().with("WeekProfile[1].ReferencedDayName[7]", "4");
    let (code, words) = bench.refused(Gsme, UPDATE, &wrong.pairs()).await;
    assert!((2000..3000).contains(&code), "{code} {words}");
    let (code, words) = bench.refused(Gsme, UPDATE, &by_block().pairs()).await;
    assert!(code == 4002 && words.contains("other fuel"), "{code} {words}");
    bench.hand(Gsme).set_load(Some(400_000)).expect("a flow");
    let counters = loop {
        let answer = bench.ask(Gsme, Srv::ReadInstantaneousImportBlockCounters, &[]).await;
        let counter =
            |block: usize| text(&answer, &format!("ImportBlockCounters.TariffBlockCounterValue[{block}]"));
        if counter(1) != "0.000" {
            break [counter(0), counter(2)];
        }
    };
    assert_eq!(counters, ["0.020", "0.000"]);
    bench.hand(Gsme).set_load(Some(0)).expect("no flow");
    assert_eq!(seen(&bench, Gsme, 3, [7, 0, 3, 9, 129, 255], 2).await.as_i128(), Some(20));
    let registers = bench.ask(Gsme, Srv::ReadInstantaneousImportTOUMatrices, &[]).await;
    let matrix = "Gas.TariffTOURegisterMatrix.TOURegisterMatrixValue";
    assert_eq!(text(&registers, &format!("{matrix}.count")), "4");
    assert_ne!(text(&registers, &format!("{matrix}[0]")), "0.000");
}

#[tokio::test]
async fn the_configuration_of_a_gas_meter_is_put_in_force_and_read_back() {
    let bench = Bench::start().await;
    seen(&bench, Gsme, 3, [7, 0, 3, 0, 0, 255], 2).await;
    let mut fields = Fields::of(&[
        ("DebtRecoveryRateCap", "5000"),
        ("EmergencyCreditLimit", "700000"),
        ("EmergencyCreditThreshold", "50000"),
        ("LowCreditThreshold", "150000"),
        ("MaxMeterBalance", "20000000"),
        ("MaxCreditThreshold", "9000000"),
        ("GasNonDisablementDayProfile[1].GasDayName", "1"),
        ("GasNonDisablementDayProfile[1].TimeStartAction[1].StartTime", "00:00:00Z"),
        ("GasNonDisablementDayProfile[1].TimeStartAction[1].NonDisablementAction", "STOP"),
        ("GasNonDisablementDayProfile[1].TimeStartAction[2].StartTime", "18:00:00Z"),
        ("GasNonDisablementDayProfile[1].TimeStartAction[2].NonDisablementAction", "START"),
        ("WeekProfile[1].WeekName", "1"),
        ("Season[1].SeasonStartDate", "*-01-01"),
        ("Season[1].ReferencedWeekName", "1"),
    ]);
    for day in 1..=7 {
        fields = fields.with(&format!("WeekProfile[1].ReferencedDayName[{day}]"), "1");
    }
    bench.ask(Gsme, Srv::UpdatePrepayConfiguration, &fields.pairs()).await;
    let read = bench.ask(Gsme, Srv::ReadPrepaymentConfiguration, &[]).await;
    assert_eq!(
        (text(&read, "EmergencyCreditLimit"), text(&read, "DebtRecoveryRateCap")),
        ("700000".into(), "5000".into())
    );
    let day = "Gas.NonDisablementCalendar.DayProfiles.GasNonDisablementDayProfile";
    assert_eq!(text(&read, &format!("{day}.TimeStartAction[1].NonDisablementAction")), "START");
    let negative = fields.with("DebtRecoveryRateCap", "-1");
    let (code, _) = bench.refused(Gsme, Srv::UpdatePrepayConfiguration, &negative.pairs()).await;
    assert!((1000..2000).contains(&code), "{code}");
}
