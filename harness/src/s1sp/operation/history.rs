//! 4.4, 4.6, 4.8.2, 4.8.3, 4.10, 4.14 and 4.17: what a meter wrote down by itself.

use jiff::{SignedDuration, Timestamp};
use lab_config::Function;
use proto_duis::mmc::build::{
    self, BillingTrigger, Decimal, ExportedEnergy, Fuel, Payment, PrepayValues, PrepaymentReading,
    RegisterReading, VoltageReport,
};
use proto_duis::{MmcBody, ReadLogPeriod};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::log::Row;
use super::register::tariff_registers;
use super::table::{ACTIVE_EXPORT, Column, REACTIVE_EXPORT, REACTIVE_IMPORT, Table};
use super::voltage;
use crate::driver::cosem;

/// Most entries of each answer (MMC); where a device has more, the latest are given.
const BILLING: usize = 12;
const DEBT_PAYMENTS: usize = 10;
const CREDITS: usize = 5;
const DAYS: usize = 31;
const CONSUMPTION_DAYS: usize = 731;

/// Class of a credit, which holds a balance.
const CREDIT: u16 = 112;
/// How a log of debt payments names the debt collected from payments.
const FROM_PAYMENTS: i128 = 3;
/// Why a gas meter's billing period ended, in the last column of its log.
const BY_CALENDAR: i128 = 1;

const fn span(period: ReadLogPeriod) -> [Timestamp; 2] {
    [period.start, period.end]
}

fn latest<T>(entries: &[T], most: usize) -> &[T] {
    &entries[entries.len().saturating_sub(most)..]
}

/// The columns of a log of register readings.
struct Registers {
    import: Column,
    tou: Vec<Column>,
}

impl Registers {
    /// The main register, and those an electricity meter's tariff counts in, in the order of the meter.
    async fn of(table: &Table, desk: &mut Desk, fuel: Fuel) -> Result<Registers, Refusal> {
        let main = if fuel == Fuel::Gas { Function::GasVolume } else { Function::ActiveImport };
        let main = desk.object(main)?;
        let import = table.register(desk, main.obis).await?;
        let mut tou = Vec::new();
        for register in tariff_registers(desk).await? {
            tou.extend(table.register(desk, register).await?);
        }
        let import = import.ok_or_else(|| Refusal::NotExpressible(format!("no column of {}", main.obis)))?;
        Ok(Registers { import, tou })
    }

    fn reading(&self, row: &Row<'_>) -> Result<RegisterReading, Refusal> {
        let tou = self.tou.iter().map(|column| column.of(row)).collect::<Result<_, _>>()?;
        Ok(RegisterReading { time: row.time()?, import: Some(self.import.of(row)?), tou, blocks: Vec::new() })
    }
}

/// 4.6.1.
pub(super) async fn daily_reads(
    desk: &mut Desk,
    fuel: Fuel,
    period: ReadLogPeriod,
) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::DailyLog, span(period)).await?;
    let registers = Registers::of(&table, desk, fuel).await?;
    let readings = table.rows(desk)?.map(|row| registers.reading(&row)).collect::<Result<Vec<_>, _>>()?;
    Ok(build::daily_reads(fuel, latest(&readings, DAYS))?)
}

/// 4.6.2.
pub(super) async fn export_daily_reads(desk: &mut Desk, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::DailyLogExport, span(period)).await?;
    let export = table.counting(desk, ACTIVE_EXPORT).await?;
    let entries = table.rows(desk)?.map(|row| Ok((row.time()?, export.whole_of(&row)?)));
    let entries = entries.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(build::export_daily_reads(latest(&entries, DAYS))?)
}

/// 4.17: what was used in each day, told by the readings at its end and at the end of the day before.
pub(super) async fn daily_consumption(
    desk: &mut Desk,
    fuel: Fuel,
    period: ReadLogPeriod,
) -> Result<MmcBody, Refusal> {
    let day = SignedDuration::from_hours(24);
    let before = period.start.checked_sub(day).unwrap_or(period.start);
    let table = Table::read(desk, Function::DailyLog, [before, period.end]).await?;
    let main = if fuel == Fuel::Gas { Function::GasVolume } else { Function::ActiveImport };
    let obis = desk.object(main)?.obis;
    let column = table.register(desk, obis).await?;
    let column = column.ok_or_else(|| Refusal::NotExpressible(format!("no column of {obis}")))?;
    let readings = table.rows(desk)?.map(|row| Ok((row.time()?, column.of(&row)?)));
    let readings = readings.collect::<Result<Vec<_>, Refusal>>()?;
    let days = consumption(&readings, period.start);
    Ok(build::daily_consumption(fuel, latest(&days, CONSUMPTION_DAYS))?)
}

/// The differences of readings a day apart; what a gap in the log hides is left out, not guessed.
fn consumption(readings: &[(Timestamp, Decimal)], from: Timestamp) -> Vec<(Timestamp, Decimal)> {
    let pairs = readings.windows(2).filter_map(|pair| {
        let [(earlier, start), (later, end)] = pair else { return None };
        let apart = later.duration_since(*earlier);
        let is_a_day = (SignedDuration::from_hours(23)..=SignedDuration::from_hours(25)).contains(&apart);
        let used = end.mantissa.checked_sub(start.mantissa)?;
        (is_a_day && *later >= from).then_some((*later, Decimal { mantissa: used, exponent: end.exponent }))
    });
    pairs.collect()
}

/// 4.4.2 and 4.4.3. An electricity meter has a log of each; a gas meter's one log says why each period ended.
pub(super) async fn billing_log(
    desk: &mut Desk,
    fuel: Fuel,
    trigger: BillingTrigger,
    period: ReadLogPeriod,
) -> Result<MmcBody, Refusal> {
    let log = match (fuel, trigger) {
        (Fuel::Electricity, BillingTrigger::ModeOrTariff) => Function::ModeOrTariffLog,
        _ => Function::BillingLog,
    };
    let table = Table::read(desk, log, span(period)).await?;
    let registers = Registers::of(&table, desk, fuel).await?;
    let balance = table.of_class(CREDIT);
    let (mut readings, mut prepayment) = (Vec::new(), Vec::new());
    for row in table.rows(desk)? {
        if fuel == Fuel::Gas && (row.last_number()? == BY_CALENDAR) != (trigger == BillingTrigger::Calendar) {
            continue;
        }
        readings.push(registers.reading(&row)?);
        if let Some(balance) = balance {
            let meter_balance = Some(balance.whole_of(&row)?);
            let values = PrepayValues { meter_balance, ..PrepayValues::default() };
            prepayment.push(PrepaymentReading { time: row.time()?, values });
        }
    }
    let (readings, prepayment) = (latest(&readings, BILLING), latest(&prepayment, BILLING));
    Ok(build::billing_log(trigger, fuel, readings, prepayment)?)
}

/// 4.4.4: time, debt, amount.
pub(super) async fn debt_payments(desk: &mut Desk, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::DebtPaymentLog, span(period)).await?;
    let amount = table.plain(2);
    let mut payments = Vec::new();
    for row in table.rows(desk)? {
        if row.number(1)? == FROM_PAYMENTS {
            payments.push(Payment { time: row.time()?, amount: amount.whole_of(&row)? });
        }
    }
    Ok(build::debt_payments(latest(&payments, DEBT_PAYMENTS))?)
}

/// 4.4.5: time, amount, sequence number of the token.
pub(super) async fn prepayment_credits(desk: &mut Desk, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::PrepaymentCreditLog, span(period)).await?;
    let amount = table.plain(1);
    let credits =
        table.rows(desk)?.map(|row| Ok(Payment { time: row.time()?, amount: amount.whole_of(&row)? }));
    let credits = credits.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(build::prepayment_credits(latest(&credits, CREDITS))?)
}

/// 4.14: the account at the end of each day.
pub(super) async fn account_days(
    desk: &mut Desk,
    fuel: Fuel,
    period: ReadLogPeriod,
) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::PrepaymentDailyLog, span(period)).await?;
    let columns = [
        table.credit(desk.object(Function::MeterBalance).ok()),
        table.credit(desk.object(Function::EmergencyCredit).ok()),
        table.debt(desk.object(Function::TimeDebt1).ok()),
        table.debt(desk.object(Function::TimeDebt2).ok()),
        table.debt(desk.object(Function::PaymentDebt).ok()),
    ];
    let mut readings = Vec::new();
    for row in table.rows(desk)? {
        let mut values = [None; 5];
        for (value, column) in values.iter_mut().zip(columns) {
            *value = column.map(|column| column.whole_of(&row)).transpose()?;
        }
        let [meter_balance, emergency_credit_balance, time_debt_register_1, time_debt_register_2, payment] =
            values;
        let values = PrepayValues {
            meter_balance,
            emergency_credit_balance,
            time_debt_register_1,
            time_debt_register_2,
            payment_debt_register: payment,
            ..PrepayValues::default()
        };
        readings.push(PrepaymentReading { time: row.time()?, values });
    }
    Ok(build::prepayment_daily_reads(fuel, latest(&readings, DAYS))?)
}

/// 4.8.2.
pub(super) async fn reactive_profile(desk: &mut Desk, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::ReactiveProfile, span(period)).await?;
    let import = table.counting(desk, REACTIVE_IMPORT).await?;
    let entries = table.rows(desk)?.map(|row| Ok((row.time()?, import.whole_of(&row)?)));
    Ok(build::reactive_profile(&entries.collect::<Result<Vec<_>, Refusal>>()?)?)
}

/// 4.8.3: of each half hour active energy, and reactive where the reactive profile has the same half hour.
pub(super) async fn export_profile(desk: &mut Desk, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::ExportProfile, span(period)).await?;
    let active = table.counting(desk, ACTIVE_EXPORT).await?;
    let reactive = reactive_export(desk, period).await?;
    let entries = table.rows(desk)?.map(|row| {
        let time = row.time()?;
        let reactive = reactive.iter().find(|(at, _)| *at == time).map(|(_, value)| *value);
        Ok(ExportedEnergy { time, active: Some(active.whole_of(&row)?), reactive })
    });
    Ok(build::export_profile(&entries.collect::<Result<Vec<_>, Refusal>>()?)?)
}

async fn reactive_export(desk: &mut Desk, period: ReadLogPeriod) -> Result<Vec<(Timestamp, i64)>, Refusal> {
    if desk.object(Function::ReactiveProfile).is_err() {
        return Ok(Vec::new());
    }
    let table = Table::read(desk, Function::ReactiveProfile, span(period)).await?;
    let export = table.counting(desk, REACTIVE_EXPORT).await?;
    table.rows(desk)?.map(|row| Ok((row.time()?, export.whole_of(&row)?))).collect()
}

/// 4.10; of a single-phase electricity meter: the average voltage of each period, and how long a period is.
pub(super) async fn voltage(desk: &mut Desk, fuel: Fuel, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    if fuel == Fuel::Gas {
        return gas_network_data(desk, period).await;
    }
    let table = Table::read(desk, Function::VoltageProfile, span(period)).await?;
    let average = table.first_register(desk).await?;
    let profile = table.rows(desk)?.map(|row| Ok((row.time()?, average.of(&row)?)));
    let profile = profile.collect::<Result<Vec<_>, Refusal>>()?;
    let object = desk.object(Function::VoltageProfile)?;
    let seconds = desk.get(cosem::numbered(&object, CAPTURE_PERIOD), None).await?;
    let seconds = seconds.as_i128().and_then(|seconds| u32::try_from(seconds).ok());
    let over = voltage::held(desk, Function::AverageOverVoltageCounter).await?;
    let under = voltage::held(desk, Function::AverageUnderVoltageCounter).await?;
    Ok(build::voltage_data(&[VoltageReport { over, under, profile, period: seconds }])?)
}

/// 4.10 of a gas meter: what its register showed every six minutes of the recording that 14.1 began.
async fn gas_network_data(desk: &mut Desk, period: ReadLogPeriod) -> Result<MmcBody, Refusal> {
    let table = Table::read(desk, Function::NetworkDataLog, span(period)).await?;
    let volume = table.first_register(desk).await?;
    let entries = table.rows(desk)?.map(|row| Ok((row.time()?, volume.of(&row)?)));
    Ok(build::gas_network_data(&entries.collect::<Result<Vec<_>, Refusal>>()?)?)
}

/// The attribute of a buffer that says how many seconds lie between its rows.
const CAPTURE_PERIOD: i8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(day: i64, mantissa: i64) -> (Timestamp, Decimal) {
        (Timestamp::from_second(day * 86_400).unwrap(), Decimal { mantissa, exponent: -3 })
    }

    #[test]
    fn consumption_is_the_difference_of_readings_a_day_apart() {
        let readings = [reading(1, 100), reading(2, 130), reading(3, 131), reading(5, 200), reading(6, 250)];
        let days = consumption(&readings, Timestamp::from_second(3 * 86_400).unwrap());
        assert_eq!(days, [reading(3, 1), reading(6, 50)]);
        assert!(consumption(&readings[..1], Timestamp::MIN).is_empty());
    }

    #[test]
    fn the_latest_entries_are_given() {
        assert_eq!(latest(&[1, 2, 3], 2), [2, 3]);
        assert_eq!(latest(&[1], 2), [1]);
    }
}
