//! What is read of meters, scheduled, and done with devices: requests as a script asks for them, and answers.

use super::{DEVICE, Draw, Fields, TIME, USER};
use crate::body::part::Value;
use crate::mmc::build::{
    self, BillingTrigger, BlockRegisters, DebtRecovery, DebtRecoveryPeriod, Decimal, ExportedEnergy, Fuel,
    JoinOutcome, LoadLimit, MaximumDemand, NonDisablement, NonDisablementAction, Payment, PrepayValues,
    PrepaymentConfiguration, PrepaymentReading, RegisterReading, Tariff, TariffCalendar, VoltageReport,
    Weekday,
};
use crate::mmc::{FormError, MmcBody};
use crate::{ClockStatus, DeviceKind, Srv};
use jiff::civil::{date, time};

const PERIOD: Fields = &[("StartDateTime", "2026-11-20T00:00:00Z"), ("EndDateTime", "2026-11-20T23:59:59Z")];
const LATER: Fields = &[("ExecutionDateTime", "2026-12-01T00:00:00Z")];
const OTHER: Fields = &[("OtherDeviceID", "90-B3-D5-1F-30-00-00-07")];
const ONE: Fields = &[("DeviceID", "00-DB-12-34-56-78-90-A0")];

pub(super) const FIELDS: &[(Srv, Fields)] = &[
    (Srv::ReadInstantaneousImportTOUMatrices, &[]),
    (Srv::ReadInstantaneousImportTOUMatrices, LATER),
    (Srv::ReadInstantaneousImportTOUWithBlocksMatrices, &[]),
    (Srv::ReadInstantaneousImportBlockCounters, &[]),
    (Srv::ReadInstantaneousExportRegisters, &[]),
    (Srv::RetrieveCoMOrTariffTriggeredBillingDataLog, PERIOD),
    (Srv::RetrieveBillingCalendarTriggeredBillingDataLog, PERIOD),
    (Srv::RetrieveBillingDataLogDebtPayments, PERIOD),
    (Srv::RetrieveBillingDataLogPrepaymentCredits, PERIOD),
    (Srv::RetrieveImportDailyReadLog, PERIOD),
    (Srv::RetrieveExportDailyReadLog, PERIOD),
    (Srv::ReadReactiveImportProfileData, PERIOD),
    (Srv::ReadExportProfileData, PERIOD),
    (Srv::ReadNetworkData, PERIOD),
    (Srv::ReadMaximumDemandImportRegisters, &[]),
    (Srv::ReadMaximumDemandExportRegisters, &[]),
    (Srv::ReadPrepaymentConfiguration, &[]),
    (Srv::ReadPrepaymentDailyReadLog, PERIOD),
    (Srv::ReadLoadLimitData, LATER),
    (Srv::RetrieveDailyConsumptionLog, PERIOD),
    (
        Srv::CreateSchedule,
        &[
            ("ScheduleFrequency", "Daily"),
            ("ScheduleStartDate", "2026-12-01"),
            ("ScheduleEndDate", "2027-12-01"),
            ("ScheduleExecutionStartTime", "01:00:00Z"),
            ("DSPScheduledServiceReferenceVariant", "4.8.1"),
            ("DeviceID", "00-DB-12-34-56-78-90-A0"),
            ("StartDateOffset", "-1"),
            ("StartTime", "00:00:00Z"),
            ("EndDateOffset", "-1"),
            ("EndTime", "23:59:59Z"),
        ],
    ),
    (
        Srv::CreateSchedule,
        &[
            ("ScheduleFrequency", "Half-Yearly"),
            ("ScheduleStartDate", "2026-12-01"),
            ("KAPublicSecurityCredential", "MIIB"),
            ("DSPScheduledServiceReferenceVariant", "4.15"),
            ("DeviceID", "00-DB-12-34-56-78-90-A0"),
        ],
    ),
    (Srv::ReadSchedule, &[("DSPScheduleID", "1000000000000")]),
    (Srv::ReadSchedule, ONE),
    (Srv::DeleteSchedule, &[("DSPScheduleID", "0")]),
    (Srv::DeleteSchedule, ONE),
    (
        Srv::CommissionDeviceSynchroniseClock,
        &[("CurrentDateTime", "2026-11-21T09:30:00Z"), ("TolerancePeriod", "86400")],
    ),
    (Srv::DecommissionDevice, ONE),
    (
        Srv::UpdateInventory,
        &[("DeviceID", "00-DB-12-34-56-78-90-A0"), ("UpdateDeviceStatusExceptCH", "Pending")],
    ),
    (Srv::UpdateInventory, &[("DeviceID", "00-DB-12-34-56-78-90-A0"), ("UpdateDeviceStatusCH", "Withdrawn")]),
    (
        Srv::UpdateInventory,
        &[
            ("DeviceID", "00-DB-12-34-56-78-90-A0"),
            ("DeviceManufacturer", "1052"),
            ("DeviceModel", "00A10001"),
            ("SMETSCHTSVersion", "V1.2"),
            ("FirmwareVersion", "0000A002"),
            ("ESMEVariant", "AD"),
        ],
    ),
    (Srv::UpdateInventory, &[("DeviceID", "00-DB-12-34-56-78-90-A0"), ("DeleteDevice", "true")]),
    (Srv::UpdateInventory, &[("DeviceID", "00-DB-12-34-56-78-90-A0"), ("ImportMPxN", "1200023305967")]),
    (Srv::JoinServiceCritical, OTHER),
    (Srv::JoinServiceNonCritical, OTHER),
    (Srv::UnjoinServiceCritical, OTHER),
    (Srv::UnjoinServiceNonCritical, OTHER),
    (
        Srv::UpdateHANDeviceLog,
        &[
            ("DeviceID", "00-DB-12-34-56-78-90-A0"),
            ("RequestType", "Add"),
            ("JoinTimePeriod", "3600"),
            ("InstallCode", "00112233445566778899AABBCCDDEEFF"),
            ("ImportMPxN", "1200023305967"),
        ],
    ),
    (
        Srv::UpdateHANDeviceLog,
        &[
            ("ExecutionDateTime", "2026-12-01T00:00:00Z"),
            ("DeviceID", "00-DB-12-34-56-78-90-A0"),
            ("RequestType", "Remove"),
        ],
    ),
    (Srv::RestoreHANDeviceLog, &[("OldCHFID", "90-B3-D5-1F-30-00-00-07")]),
    (Srv::RestoreGPFDeviceLog, &[("OldGPFID", "90-B3-D5-1F-30-00-00-07")]),
    (Srv::RequestCustomerIdentificationNumber, &[]),
    (
        Srv::DevicePrenotification,
        &[
            ("DeviceID", "00-DB-12-34-56-78-90-A0"),
            ("DeviceManufacturer", "1052"),
            ("DeviceModel", "00A10001"),
            ("DeviceType", "ESME"),
            ("ESMEVariant", "A"),
        ],
    ),
    (Srv::RecordNetworkDataGAS, &[]),
];

const fn whole(mantissa: i64) -> Decimal {
    Decimal { mantissa, exponent: 0 }
}

const fn gas(mantissa: i64) -> Decimal {
    Decimal { mantissa, exponent: -3 }
}

/// An answer with data to every variant here that has data.
pub(super) fn answers() -> Result<Vec<MmcBody>, FormError> {
    let mut answers = registers()?;
    answers.extend(logs()?);
    answers.extend(joining()?);
    Ok(answers)
}

fn registers() -> Result<Vec<MmcBody>, FormError> {
    let block = BlockRegisters { registers: vec![1_000, 2_000], counters: vec![10, 20] };
    let demand = MaximumDemand { watts: 4_200, captured: Some(TIME), reset: None };
    let limit = LoadLimit {
        counter: Some(2),
        threshold: Some(8_000),
        period: Some(300),
        restoration: Some(1_800),
        disables: Some(true),
    };
    let debt = DebtRecovery { rate: 500, scale: Some(-5), period: DebtRecoveryPeriod::Daily };
    let line = NonDisablement {
        action: NonDisablementAction::Start,
        days: vec![Weekday::Saturday, Weekday::Sunday],
        time: time(18, 0, 0, 0),
        dates: Some([date(2026, 1, 1), date(2026, 12, 31)]),
    };
    let electricity = PrepaymentConfiguration {
        emergency_credit_limit: Some(1_000_000),
        low_credit_threshold: Some(200_000),
        suspend_debt_disabled: Some(false),
        prepayment_mode: Some(true),
        non_disablement: vec![line],
        debt_recovery: [Some(debt), None],
        ..PrepaymentConfiguration::default()
    };
    let gas_debt = DebtRecovery { scale: None, ..debt };
    let gas_configuration = PrepaymentConfiguration {
        max_balance: Some(2_500_000),
        debt_recovery: [Some(gas_debt), Some(gas_debt)],
        ..PrepaymentConfiguration::default()
    };
    Ok(vec![
        build::tou_registers(Fuel::Electricity, &[whole(123_456), whole(0)])?,
        build::tou_registers(Fuel::Gas, &[gas(1_234_567)])?,
        build::tou_with_blocks(&[block.clone(), block])?,
        build::block_counters(&[gas(500), gas(0)])?,
        build::export_registers(Some(9_876), Some(-5))?,
        build::maximum_demand_import(None, None)?,
        build::maximum_demand_import(Some(demand), Some((demand, [time(16, 0, 0, 0), time(19, 30, 0, 0)])))?,
        build::maximum_demand_export(demand)?,
        build::load_limit(limit)?,
        build::load_limit(LoadLimit::default())?,
        build::prepayment_configuration(Fuel::Electricity, &electricity)?,
        build::prepayment_configuration(Fuel::Gas, &gas_configuration)?,
    ])
}

fn logs() -> Result<Vec<MmcBody>, FormError> {
    let (time, tou) = (TIME, vec![whole(300), whole(12)]);
    let electricity =
        RegisterReading { time, import: Some(whole(312)), tou, blocks: vec![vec![whole(1)], vec![]] };
    let blocks = vec![vec![gas(1)], vec![gas(2)]];
    let gas_reading = RegisterReading { time, import: Some(gas(7)), tou: vec![gas(7)], blocks };
    let values = PrepayValues {
        meter_balance: Some(-250_000),
        time_debt_register_2: Some(5),
        ..PrepayValues::default()
    };
    let prepayment = PrepaymentReading { time, values };
    let payment = Payment { time, amount: 1_000_000 };
    let volts = Decimal { mantissa: 2_304, exponent: -1 };
    let phase =
        VoltageReport { over: Some(1), under: Some(0), profile: vec![(time, volts)], period: Some(1_800) };
    let mut answers = Vec::new();
    for trigger in [BillingTrigger::ModeOrTariff, BillingTrigger::Calendar] {
        let electricity = std::slice::from_ref(&electricity);
        answers.push(build::billing_log(trigger, Fuel::Electricity, electricity, &[prepayment])?);
        let gas = std::slice::from_ref(&gas_reading);
        answers.push(build::billing_log(trigger, Fuel::Gas, gas, &[prepayment])?);
    }
    answers.extend([
        build::debt_payments(&[payment])?,
        build::prepayment_credits(&[payment])?,
        build::daily_reads(Fuel::Electricity, &[electricity])?,
        build::daily_reads(Fuel::Gas, &[gas_reading])?,
        build::export_daily_reads(&[(time, 5)])?,
        build::reactive_profile(&[(time, -5)])?,
        build::export_profile(&[ExportedEnergy { time, active: Some(3), reactive: Some(1) }])?,
        build::voltage_data(std::slice::from_ref(&phase))?,
        build::voltage_data(&[phase.clone(), phase.clone(), phase])?,
        build::gas_network_data(&[(time, gas(3))])?,
        build::prepayment_daily_reads(Fuel::Electricity, &[prepayment])?,
        build::prepayment_daily_reads(Fuel::Gas, &[])?,
        build::daily_consumption(Fuel::Electricity, &[(time, whole(8_400))])?,
        build::daily_consumption(Fuel::Gas, &[(time, gas(8_400))])?,
    ]);
    Ok(answers)
}

fn joining() -> Result<Vec<MmcBody>, FormError> {
    let entry = (USER, DeviceKind::Esme, JoinOutcome::DeviceLogFull);
    Ok(vec![
        build::commissioned(true, Some(TIME), Some(ClockStatus::Reliable))?,
        build::commissioned(false, Some(TIME), None)?,
        build::joined(Srv::JoinServiceCritical, JoinOutcome::Success)?,
        build::joined(Srv::JoinServiceNonCritical, JoinOutcome::Success)?,
        build::joined(Srv::UnjoinServiceCritical, JoinOutcome::Success)?,
        build::joined(Srv::UnjoinServiceNonCritical, JoinOutcome::OtherDeviceNotInDeviceLog)?,
        build::joined(Srv::UnjoinServiceNonCritical, JoinOutcome::Success)?,
        build::restored(&[(DEVICE, DeviceKind::Gpf, JoinOutcome::Success), entry])?,
        build::sample_recorded(7)?,
    ])
}

/// 4.11.1 and 4.13 with a calendar of any form.
pub(super) fn calendars(draw: &mut Draw<'_>) -> Result<Vec<MmcBody>, FormError> {
    let electricity = TariffCalendar::Electricity(Value::sample(draw), Value::sample(draw));
    let gas = TariffCalendar::Gas(Value::sample(draw), Value::sample(draw));
    let tariff = |calendar| Tariff { calendar: Some(calendar), ..Tariff::default() };
    let configuration = PrepaymentConfiguration {
        gas_calendar: Some(Value::sample(draw)),
        ..PrepaymentConfiguration::default()
    };
    Ok(vec![
        build::tariff(Fuel::Electricity, &tariff(electricity))?,
        build::tariff(Fuel::Gas, &tariff(gas))?,
        build::prepayment_configuration(Fuel::Gas, &configuration)?,
    ])
}
